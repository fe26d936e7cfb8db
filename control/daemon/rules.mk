programs += sallyportd
sallyportd.srcs := $(wildcard control/daemon/*.c) control/policy_load.c control/trial/check.c
sallyportd.archives := policy base
sallyportd.libs := -lnl-route-3 -lnl-3
cflags.control/daemon = -isystem /usr/include/libnl3

# What has paths compiled in is compiled again when they change.
$(BUILD)/control/daemon/sallyportd.o: $(BUILD)/.paths
$(BUILD)/.paths: FORCE
	@mkdir -p $(@D)
	@echo '$(LIBEXECDIR) $(SYSCONFDIR)' | cmp -s - $@ || echo '$(LIBEXECDIR) $(SYSCONFDIR)' > $@
.PHONY: FORCE

unit_tests += tests/unit/link_pair_test
tests/unit/link_pair_test.srcs := tests/unit/link_pair_test.c control/daemon/link_pair.c

# The real sallyportd with processes that the test plays itself.
unit_tests += tests/unit/supervisor_test
tests/unit/supervisor_test.srcs := tests/unit/supervisor_test.c
tests/unit/supervisor_test.archives := base
$(BUILD)/tests/unit/supervisor_test: $(BUILD)/sallyportd

unit_tests += tests/unit/trial_test
tests/unit/trial_test.srcs := tests/unit/trial_test.c control/daemon/trial.c
tests/unit/trial_test.archives := base
