# Sallyport: a transparent boundary guard for XMPP between servers.
#
#   make            build everything into build/
#   make demo       two Prosody servers, a wire, and the guard inserted into it; KEEP=1 leaves it running
#   make test       all tests; ends with "N passed, N failed".  ONLY=name runs the matching ones
#   make fuzz       each fuzz target for FUZZ_SECONDS (60)
#   make bench      speed and memory, beside a direct link and a Linux bridge
#   make lint       layering, forbidden calls, static analysis
#   make install    into $(DESTDIR)$(PREFIX); DESTDIR= PREFIX=/usr/local
#   make deps       install the Debian packages of tools/packages (done by itself where a target needs it)
#   make clean      remove what was built
#
# Variables: CC=gcc|clang-14   SANITIZE=1 (address and undefined behaviour; builds into build-sanitize/)   V=1

.DEFAULT_GOAL := all
SHELL := /bin/bash
MAKEFLAGS += --no-builtin-rules
CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
PREFIX ?= /usr/local
DESTDIR ?=
BUILD := build$(if $(filter clang%,$(CC)),-clang)$(if $(SANITIZE),-sanitize)
Q := $(if $(V),,@)

LIBEXECDIR := $(PREFIX)/lib/sallyport
SYSCONFDIR ?= $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)

CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Wformat=2 \
	-Wundef -Wwrite-strings -Werror
HARDENING := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE \
	$(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -I. $(WARNINGS) $(HARDENING) -DLIBEXECDIR='"$(LIBEXECDIR)"' \
	-DSYSCONFDIR='"$(SYSCONFDIR)"' \
	$(if $(SANITIZE),-fsanitize=address$(comma)undefined -fno-omit-frame-pointer -DSANITIZE=1) $(CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed \
	$(if $(SANITIZE),-fsanitize=address$(comma)undefined) $(LDFLAGS)
comma := ,

# --- Packages. The stamp is newer than the list when everything in the list is installed. ---
DEPS := build/.packages
need_build = $(filter-out help clean deps,$(or $(MAKECMDGOALS),all))
ifneq ($(need_build),)
ifneq ($(shell tools/packages.sh --check && echo yes),yes)
$(shell tools/packages.sh --install >&2)
endif
endif

deps:
	$(Q)tools/packages.sh --install

dpdk_cflags := $(subst -I,-isystem ,$(shell pkg-config --cflags libdpdk 2>/dev/null))
dpdk_libs := $(shell pkg-config --libs libdpdk 2>/dev/null)

# --- What is built. A folder's rules.mk says:
#   archives += NAME            NAME.srcs = files  NAME.libs = -lfoo that its users link too      -> $(BUILD)/NAME.a
#   programs += NAME            NAME.srcs = files  NAME.archives = archives  NAME.libs = -lfoo
#   unit_tests += NAME          the same; the program is a cmocka test, run by `make test`
#   fuzzers += NAME             the same; NAME.srcs defines LLVMFuzzerTestOneInput
# A folder's extra compiler flags: cflags.FOLDER = ... (FOLDER as in the path of the source, without the last slash)
archives :=
programs :=
unit_tests :=
fuzzers :=
include $(sort $(wildcard */rules.mk */*/rules.mk))

objects = $(patsubst %.c,$(BUILD)/%.o,$($(1).srcs))
fuzz_objects = $(patsubst %.c,build-fuzz/%.o,$($(1).srcs))

.PHONY: all deps help clean test fuzz bench lint install demo
all: $(addprefix $(BUILD)/,$(programs))

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@$(if $(V),,echo "  CC    $<")
	$(Q)$(CC) $(ALL_CFLAGS) $(cflags.$(patsubst %/,%,$(dir $<))) -MMD -MP -c -o $@ $<

define archive_rule
$(BUILD)/$(1).a: $(call objects,$(1))
	$$(Q)rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach a,$(archives),$(eval $(call archive_rule,$(a))))

define program_rule
$(BUILD)/$(1): $(call objects,$(1)) $(patsubst %,$(BUILD)/%.a,$($(1).archives))
	@mkdir -p $$(@D)
	@$$(if $$(V),,echo "  LINK  $(1)")
	$$(Q)$$(CC) $$(ALL_LDFLAGS) -o $$@ $(call objects,$(1)) $(patsubst %,$(BUILD)/%.a,$($(1).archives)) $$($(1).libs) \
		$$(foreach a,$($(1).archives),$$($$(a).libs))
endef
$(foreach p,$(programs) $(unit_tests),$(eval $(call program_rule,$(p))))
$(foreach t,$(unit_tests),$(eval $(t).libs += -lcmocka))

unit: $(addprefix $(BUILD)/,$(unit_tests))
.PHONY: unit

-include $(patsubst %.o,%.d,$(foreach x,$(archives) $(programs) $(unit_tests) $(bench_programs),$(call objects,$(x))))

# --- Tests, demo, bench, lint, fuzzing ---
# As many jobs as there are processors, unless -j says otherwise.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif

FUZZ_SECONDS ?= 60
fuzz_sanitize := -fsanitize=address,undefined -fno-sanitize-recover=undefined
fuzz_parts = $(sort $(foreach x,$(1) $($(1).archives),$(call fuzz_objects,$(x))))

build-fuzz/%.o: %.c Makefile
	@mkdir -p $(@D)
	@$(if $(V),,echo "  FUZZ  $<")
	$(Q)clang-14 $(filter-out -O2,$(ALL_CFLAGS)) -O1 -U_FORTIFY_SOURCE $(cflags.$(patsubst %/,%,$(dir $<))) \
		$(fuzz_sanitize) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

define fuzzer_rule
build-fuzz/$(1): $(call fuzz_parts,$(1))
	$$(Q)clang-14 $$(fuzz_sanitize) -fsanitize=fuzzer -o $$@ $$^ $$($(1).libs) $$(foreach a,$$($(1).archives),$$($$(a).libs))
endef
$(foreach f,$(fuzzers),$(eval $(call fuzzer_rule,$(f))))
-include $(patsubst %.o,%.d,$(foreach f,$(fuzzers),$(call fuzz_parts,$(f))))

fuzz: $(addprefix build-fuzz/,$(fuzzers))
	tests/run fuzz --seconds $(FUZZ_SECONDS) --only "$(ONLY)" --fuzzers "$(fuzzers)"

# What the tests need is built by the runner's caller, so that a part that does not build stops the run here.
test: all unit $(addprefix build-fuzz/,$(fuzzers))
	@$(MAKE) --no-print-directory SANITIZE=1 unit
	@BUILD=$(BUILD) tests/run test --only "$(ONLY)" --unit "$(unit_tests)" --sources "$(foreach t,$(unit_tests) $(fuzzers),$($(t).srcs))" \
		--fuzzers "$(fuzzers)"

demo: all
	@tools/demo $(if $(KEEP),--keep)

$(foreach p,$(bench_programs),$(eval $(call program_rule,$(p))))
bench: all $(addprefix $(BUILD)/,$(bench_programs))
	@tests/bench/run

# Exported, since a shell would take the quotes off the paths among them.
lint: export CFLAGS := $(filter -std% -D% -I%,$(ALL_CFLAGS)) $(dpdk_cflags)
lint:
	@tools/lint

# For clang-tidy: what a compiler must be told to understand a source.
lint-flags:
	@:$(info $(filter -std% -D% -I%,$(ALL_CFLAGS)) $(dpdk_cflags))
.PHONY: lint-flags

help:
	@sed -n 's/^# \{0,1\}//;/^$$/q;p' Makefile

clean:
	rm -rf build build-clang build-sanitize build-clang-sanitize build-fuzz
