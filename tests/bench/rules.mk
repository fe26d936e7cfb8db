bench_programs += tests/bench/s2s_load
tests/bench/s2s_load.srcs := tests/bench/s2s_load.c tests/bench/stream.c tests/bench/message.c
tests/bench/s2s_load.libs := -lssl -lcrypto -lpthread

bench_programs += tests/bench/flood
tests/bench/flood.srcs := tests/bench/flood.c

bench_programs += tests/bench/forward
tests/bench/forward.srcs := tests/bench/forward.c
tests/bench/forward.archives := dataplane tcp base

bench_programs += tests/bench/bridge_cycles
tests/bench/bridge_cycles.srcs := tests/bench/bridge_cycles.c
tests/bench/bridge_cycles.archives := frames dataplane tcp base

cflags.tests/bench = $(dpdk_cflags)

bench_programs += tests/bench/handshakes
tests/bench/handshakes.srcs := tests/bench/handshakes.c
tests/bench/handshakes.libs := -lssl -lcrypto

bench_programs += tests/bench/bare_stanza
tests/bench/bare_stanza.srcs := tests/bench/bare_stanza.c tests/bench/message.c
tests/bench/bare_stanza.libs := -lexpat -lssl -lcrypto

bench_programs += tests/bench/policy_cost
tests/bench/policy_cost.srcs := tests/bench/policy_cost.c tests/bench/message.c tests/unit/xml_harness.c
tests/bench/policy_cost.archives := trial control policy base
tests/bench/policy_cost.libs := -lexpat -lcmocka

bench_programs += tests/bench/label_cost
tests/bench/label_cost.srcs := tests/bench/label_cost.c tests/bench/message.c tests/unit/xml_harness.c
tests/bench/label_cost.archives := control policy base
tests/bench/label_cost.libs := -lexpat -lcmocka
