bench_programs += tests/bench/s2s_load
tests/bench/s2s_load.srcs := tests/bench/s2s_load.c tests/bench/stream.c
tests/bench/s2s_load.libs := -lssl -lcrypto -lpthread
