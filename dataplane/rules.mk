archives += dataplane
dataplane.srcs := $(filter-out dataplane/main.c,$(wildcard dataplane/*.c))
dataplane.libs := $(dpdk_libs) -lseccomp
cflags.dataplane = $(dpdk_cflags)

programs += sallyport-dataplane
sallyport-dataplane.srcs := dataplane/main.c
sallyport-dataplane.archives := dataplane tcp base

# Plays what is above the dataplane, to test it alone.
programs += tests/e2e/echo_upper
tests/e2e/echo_upper.srcs := tests/e2e/echo_upper.c
tests/e2e/echo_upper.archives := base

# Frames made by hand, for tests.
archives += frames
frames.srcs := tests/unit/frames.c

unit_tests += tests/unit/frame_test
tests/unit/frame_test.srcs := tests/unit/frame_test.c
tests/unit/frame_test.archives := dataplane frames
