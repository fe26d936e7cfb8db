archives += base
base.srcs := $(wildcard dataplane/base/*.c)
base.libs := -liniparser -lseccomp -lidn2

# Plays the other end of a channel: a test adds `channel_harness` to its archives, before `base`.
archives += channel_harness
channel_harness.srcs := tests/unit/channel_harness.c

unit_tests += tests/unit/buf_test
tests/unit/buf_test.srcs := tests/unit/buf_test.c
tests/unit/buf_test.archives := base

unit_tests += tests/unit/channel_test
tests/unit/channel_test.srcs := tests/unit/channel_test.c
tests/unit/channel_test.archives := channel_harness base

unit_tests += tests/unit/log_test
tests/unit/log_test.srcs := tests/unit/log_test.c
tests/unit/log_test.archives := base

unit_tests += tests/unit/counters_test
tests/unit/counters_test.srcs := tests/unit/counters_test.c
tests/unit/counters_test.archives := base

unit_tests += tests/unit/sandbox_test
tests/unit/sandbox_test.srcs := tests/unit/sandbox_test.c
tests/unit/sandbox_test.archives := base

unit_tests += tests/unit/proc_test
tests/unit/proc_test.srcs := tests/unit/proc_test.c
tests/unit/proc_test.archives := base

unit_tests += tests/unit/conf_test
tests/unit/conf_test.srcs := tests/unit/conf_test.c
tests/unit/conf_test.archives := base

fuzzers += tests/fuzz/channel_fuzz
tests/fuzz/channel_fuzz.srcs := tests/fuzz/channel_fuzz.c
tests/fuzz/channel_fuzz.archives := base

fuzzers += tests/fuzz/conf_fuzz
tests/fuzz/conf_fuzz.srcs := tests/fuzz/conf_fuzz.c
tests/fuzz/conf_fuzz.archives := base
