# Security labels are part of the archive policy; what reads them from files is tested here.
label_harness := tests/unit/label_harness.c

define label_test
unit_tests += tests/unit/$(1)_test
tests/unit/$(1)_test.srcs := tests/unit/$(1)_test.c $(label_harness)
tests/unit/$(1)_test.archives := policy base
endef
$(foreach t,decide ess spif,$(eval $(call label_test,$(t))))
