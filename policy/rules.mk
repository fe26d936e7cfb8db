archives += policy
policy.srcs := $(wildcard policy/*.c)
policy.libs := -lunistring

# The tests say in XML what they give and expect: parser and writer come with them.
xml_sources := control/xml.c control/xml_scan.c control/xml_write.c
xml_harness := tests/unit/xml_harness.c $(xml_sources)

unit_tests += tests/unit/xml_test
tests/unit/xml_test.srcs := tests/unit/xml_test.c $(xml_harness)
tests/unit/xml_test.archives := policy base
tests/unit/xml_test.libs := -lexpat $(foreach f,malloc calloc realloc free,-Wl$(comma)--wrap=$(f))

unit_tests += tests/unit/xml_write_test
tests/unit/xml_write_test.srcs := tests/unit/xml_write_test.c $(xml_harness)
tests/unit/xml_write_test.archives := policy base
tests/unit/xml_write_test.libs := -lexpat

fuzzers += tests/fuzz/xml_fuzz
tests/fuzz/xml_fuzz.srcs := tests/fuzz/xml_fuzz.c $(xml_harness)
tests/fuzz/xml_fuzz.archives := policy base
tests/fuzz/xml_fuzz.libs := -lexpat
