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

# Two bad wires, for tests of the whole program.
programs += tests/e2e/link
tests/e2e/link.srcs := tests/e2e/link.c

# Frames made by hand, for tests.
archives += frames
frames.srcs := tests/unit/frames.c

unit_tests += tests/unit/frame_test
tests/unit/frame_test.srcs := tests/unit/frame_test.c
tests/unit/frame_test.archives := frames dataplane

# A worker between two rings.
archives += worker_harness
worker_harness.srcs := tests/unit/worker_harness.c
worker_harness.libs := -lrte_net_ring
$(BUILD)/tests/unit/worker_harness.o: cflags.tests/unit = $(dpdk_cflags)

unit_tests += tests/unit/worker_test
tests/unit/worker_test.srcs := tests/unit/worker_test.c
tests/unit/worker_test.archives := worker_harness frames channel_harness dataplane tcp base
$(BUILD)/tests/unit/worker_test.o: cflags.tests/unit = $(dpdk_cflags)

unit_tests += tests/unit/dial_test
tests/unit/dial_test.srcs := tests/unit/dial_test.c
tests/unit/dial_test.archives := worker_harness frames channel_harness dataplane tcp base
$(BUILD)/tests/unit/dial_test.o: cflags.tests/unit = $(dpdk_cflags)

unit_tests += tests/unit/icmp_test
tests/unit/icmp_test.srcs := tests/unit/icmp_test.c
tests/unit/icmp_test.archives := worker_harness frames channel_harness dataplane tcp base
$(BUILD)/tests/unit/icmp_test.o: cflags.tests/unit = $(dpdk_cflags)

unit_tests += tests/unit/link_test
tests/unit/link_test.srcs := tests/unit/link_test.c
tests/unit/link_test.archives := worker_harness frames channel_harness dataplane tcp base
$(BUILD)/tests/unit/link_test.o: cflags.tests/unit = $(dpdk_cflags)

unit_tests += tests/unit/fragments_test
tests/unit/fragments_test.srcs := tests/unit/fragments_test.c
tests/unit/fragments_test.archives := worker_harness frames channel_harness dataplane tcp base
$(BUILD)/tests/unit/fragments_test.o: cflags.tests/unit = $(dpdk_cflags)

unit_tests += tests/unit/lane_test
tests/unit/lane_test.srcs := tests/unit/lane_test.c
tests/unit/lane_test.archives := frames dataplane
$(BUILD)/tests/unit/lane_test.o: cflags.tests/unit = $(dpdk_cflags)

unit_tests += tests/unit/handover_test
tests/unit/handover_test.srcs := tests/unit/handover_test.c
tests/unit/handover_test.archives := frames channel_harness dataplane tcp base
tests/unit/handover_test.libs := -lrte_net_ring -lrte_net_null -lrte_bus_vdev
$(BUILD)/tests/unit/handover_test.o: cflags.tests/unit = $(dpdk_cflags)

unit_tests += tests/unit/link_layer_test
tests/unit/link_layer_test.srcs := tests/unit/link_layer_test.c
tests/unit/link_layer_test.archives := worker_harness frames channel_harness dataplane tcp base
$(BUILD)/tests/unit/link_layer_test.o: cflags.tests/unit = $(dpdk_cflags)
unit_tests += tests/unit/pci_test
tests/unit/pci_test.srcs := tests/unit/pci_test.c dataplane/pci.c dataplane/base/conf_device.c

unit_tests += tests/unit/deadline_test
tests/unit/deadline_test.srcs := tests/unit/deadline_test.c
tests/unit/deadline_test.archives := dataplane

fuzzers += tests/fuzz/frame_fuzz
tests/fuzz/frame_fuzz.srcs := tests/fuzz/frame_fuzz.c dataplane/frame.c dataplane/lane.c

unit_tests += tests/unit/opening_test
tests/unit/opening_test.srcs := tests/unit/opening_test.c dataplane/opening.c

fuzzers += tests/fuzz/opening_fuzz
tests/fuzz/opening_fuzz.srcs := tests/fuzz/opening_fuzz.c dataplane/opening.c

unit_tests += tests/unit/watch_test
tests/unit/watch_test.srcs := tests/unit/watch_test.c
tests/unit/watch_test.archives := worker_harness frames channel_harness dataplane tcp base
$(BUILD)/tests/unit/watch_test.o: cflags.tests/unit = $(dpdk_cflags)

fuzzers += tests/fuzz/wire_fuzz
tests/fuzz/wire_fuzz.srcs := tests/fuzz/wire_fuzz.c
tests/fuzz/wire_fuzz.archives := worker_harness frames channel_harness dataplane tcp base
tests/fuzz/wire_fuzz.libs := -lcmocka
build-fuzz/tests/fuzz/wire_fuzz.o: cflags.tests/fuzz = $(dpdk_cflags)
build-fuzz/tests/unit/worker_harness.o: cflags.tests/unit = $(dpdk_cflags)
