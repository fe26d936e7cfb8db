# Numbered stanzas over streams between servers.
programs += tests/e2e/s2s_carry
tests/e2e/s2s_carry.srcs := tests/e2e/s2s_carry.c tests/bench/stream.c
tests/e2e/s2s_carry.libs := -lssl -lcrypto -lpthread
