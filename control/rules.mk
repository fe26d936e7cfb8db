archives += control
control.srcs := $(filter-out control/main.c,$(wildcard control/*.c))
control.libs := -lexpat

programs += sallyport-control
sallyport-control.srcs := control/main.c
sallyport-control.archives := control policy base

unit_tests += tests/unit/session_test
tests/unit/session_test.srcs := tests/unit/session_test.c tests/unit/session_harness.c
tests/unit/session_test.archives := control channel_harness policy base

unit_tests += tests/unit/streams_test
tests/unit/streams_test.srcs := tests/unit/streams_test.c tests/unit/session_harness.c
tests/unit/streams_test.archives := control channel_harness policy base

unit_tests += tests/unit/own_stream_test
tests/unit/own_stream_test.srcs := tests/unit/own_stream_test.c tests/unit/session_harness.c
tests/unit/own_stream_test.archives := control channel_harness policy base

unit_tests += tests/unit/zero_handshake_test
tests/unit/zero_handshake_test.srcs := tests/unit/zero_handshake_test.c tests/unit/session_harness.c
tests/unit/zero_handshake_test.archives := control channel_harness policy base

unit_tests += tests/unit/smuggling_test
tests/unit/smuggling_test.srcs := tests/unit/smuggling_test.c tests/unit/smuggling.c tests/unit/session_harness.c tests/unit/xml_harness.c
tests/unit/smuggling_test.archives := control channel_harness policy base

unit_tests += tests/unit/direct_tls_test
tests/unit/direct_tls_test.srcs := tests/unit/direct_tls_test.c tests/unit/session_harness.c
tests/unit/direct_tls_test.archives := control channel_harness policy base

unit_tests += tests/unit/dialback_test
tests/unit/dialback_test.srcs := tests/unit/dialback_test.c tests/unit/session_harness.c
tests/unit/dialback_test.archives := control channel_harness policy base

unit_tests += tests/unit/levels_test
tests/unit/levels_test.srcs := tests/unit/levels_test.c tests/unit/session_harness.c
tests/unit/levels_test.archives := control channel_harness policy base

unit_tests += tests/unit/acks_test
tests/unit/acks_test.srcs := tests/unit/acks_test.c
tests/unit/acks_test.archives := control base

unit_tests += tests/unit/management_test
tests/unit/management_test.srcs := tests/unit/management_test.c tests/unit/session_harness.c
tests/unit/management_test.archives := control channel_harness policy base

# The real process in its sandbox, and the real sallyport.
unit_tests += tests/unit/control_process_test
tests/unit/control_process_test.srcs := tests/unit/control_process_test.c
tests/unit/control_process_test.archives := channel_harness base
$(BUILD)/tests/unit/control_process_test: $(BUILD)/sallyport-control $(BUILD)/sallyport

fuzzers += tests/fuzz/session_fuzz
tests/fuzz/session_fuzz.srcs := tests/fuzz/session_fuzz.c tests/unit/session_harness.c
tests/fuzz/session_fuzz.archives := control channel_harness policy base
tests/fuzz/session_fuzz.libs := -lcmocka

unit_tests += tests/unit/scan_test
tests/unit/scan_test.srcs := tests/unit/scan_test.c tests/unit/session_harness.c
tests/unit/scan_test.archives := control channel_harness policy base

unit_tests += tests/unit/rates_test
tests/unit/rates_test.srcs := tests/unit/rates_test.c
tests/unit/rates_test.archives := control policy base

unit_tests += tests/unit/pace_test
tests/unit/pace_test.srcs := tests/unit/pace_test.c tests/unit/session_harness.c
tests/unit/pace_test.archives := control channel_harness policy base

fuzzers += tests/fuzz/scan_fuzz
tests/fuzz/scan_fuzz.srcs := tests/fuzz/scan_fuzz.c control/scan_clamd.c control/scan_icap.c
tests/fuzz/scan_fuzz.archives := base
