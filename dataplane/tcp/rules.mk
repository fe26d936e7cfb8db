archives += tcp
tcp.srcs := $(wildcard dataplane/tcp/*.c)

archives += tcp_link
tcp_link.srcs := tests/unit/tcp_link.c

unit_tests += tests/unit/tcp_sim_test
tests/unit/tcp_sim_test.srcs := tests/unit/tcp_sim_test.c
tests/unit/tcp_sim_test.archives := tcp_link tcp

archives += tcp_feed
tcp_feed.srcs := tests/unit/tcp_feed.c

unit_tests += tests/unit/tcp_input_test
tests/unit/tcp_input_test.srcs := tests/unit/tcp_input_test.c
tests/unit/tcp_input_test.archives := tcp_feed tcp

unit_tests += tests/unit/tcp_output_test
tests/unit/tcp_output_test.srcs := tests/unit/tcp_output_test.c
tests/unit/tcp_output_test.archives := tcp_feed tcp

unit_tests += tests/unit/tcp_close_test
tests/unit/tcp_close_test.srcs := tests/unit/tcp_close_test.c
tests/unit/tcp_close_test.archives := tcp_feed tcp

unit_tests += tests/unit/tcp_timestamps_test
tests/unit/tcp_timestamps_test.srcs := tests/unit/tcp_timestamps_test.c
tests/unit/tcp_timestamps_test.archives := tcp_feed tcp

unit_tests += tests/unit/tcp_keepalive_test
tests/unit/tcp_keepalive_test.srcs := tests/unit/tcp_keepalive_test.c
tests/unit/tcp_keepalive_test.archives := tcp_feed tcp

unit_tests += tests/unit/reass_test
tests/unit/reass_test.srcs := tests/unit/reass_test.c
tests/unit/reass_test.archives := tcp

unit_tests += tests/unit/tcp_seg_test
tests/unit/tcp_seg_test.srcs := tests/unit/tcp_seg_test.c
tests/unit/tcp_seg_test.archives := tcp

fuzzers += tests/fuzz/tcp_seg_fuzz
tests/fuzz/tcp_seg_fuzz.srcs := tests/fuzz/tcp_seg_fuzz.c
tests/fuzz/tcp_seg_fuzz.archives := tcp

fuzzers += tests/fuzz/tcp_conn_fuzz
tests/fuzz/tcp_conn_fuzz.srcs := tests/fuzz/tcp_conn_fuzz.c
tests/fuzz/tcp_conn_fuzz.archives := tcp

unit_tests += tests/unit/tcp_cc_test
tests/unit/tcp_cc_test.srcs := tests/unit/tcp_cc_test.c
tests/unit/tcp_cc_test.archives := tcp
tests/unit/tcp_cc_test.libs := -lm
