# Numbered stanzas over streams between servers.
programs += tests/e2e/s2s_carry
tests/e2e/s2s_carry.srcs := tests/e2e/s2s_carry.c tests/e2e/mixed.c tests/bench/stream.c
tests/e2e/s2s_carry.libs := -lssl -lcrypto -lpthread

# The trees of a stream, as the guard reads them.
programs += tests/e2e/parsers/guard_tree
tests/e2e/parsers/guard_tree.srcs := tests/e2e/parsers/guard_tree.c $(xml_sources)
tests/e2e/parsers/guard_tree.archives := policy base
tests/e2e/parsers/guard_tree.libs := -lexpat
