archives += policy
policy.srcs := $(wildcard policy/*.c policy/label/*.c)
$(foreach b,$(BUILD) build-fuzz,$(b)/policy/lookalikes.o): build/generated/lookalikes.h
build/generated/lookalikes.h: tools/lookalikes.c
	@mkdir -p $(@D)
	$(Q)$(CC) -o $(@D)/lookalikes $< -licui18n -licuuc && $(@D)/lookalikes > $@.new && mv $@.new $@
policy.libs := -lunistring -lidn -lpcre2-8 -lexpat -lcrypto

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

fuzzers += tests/fuzz/tree_fuzz
tests/fuzz/tree_fuzz.srcs := tests/fuzz/tree_fuzz.c $(xml_harness)
tests/fuzz/tree_fuzz.archives := policy base
tests/fuzz/tree_fuzz.libs := -lexpat

unit_tests += tests/unit/element_test
tests/unit/element_test.srcs := tests/unit/element_test.c
tests/unit/element_test.archives := policy base

unit_tests += tests/unit/jid_test
tests/unit/jid_test.srcs := tests/unit/jid_test.c
tests/unit/jid_test.archives := policy base

unit_tests += tests/unit/precis_test
tests/unit/precis_test.srcs := tests/unit/precis_test.c
tests/unit/precis_test.archives := policy base

fuzzers += tests/fuzz/jid_fuzz
tests/fuzz/jid_fuzz.srcs := tests/fuzz/jid_fuzz.c
tests/fuzz/jid_fuzz.archives := policy base

unit_tests += tests/unit/words_test
tests/unit/words_test.srcs := tests/unit/words_test.c
tests/unit/words_test.archives := policy base

unit_tests += tests/unit/patterns_test
tests/unit/patterns_test.srcs := tests/unit/patterns_test.c
tests/unit/patterns_test.archives := policy base

unit_tests += tests/unit/urls_test
tests/unit/urls_test.srcs := tests/unit/urls_test.c
tests/unit/urls_test.archives := policy base

define policy_test
unit_tests += tests/unit/policy_$(1)_test
tests/unit/policy_$(1)_test.srcs := tests/unit/policy_$(1)_test.c tests/unit/policy_rows.c tests/unit/policy_harness.c $(xml_harness)
tests/unit/policy_$(1)_test.archives := policy base
tests/unit/policy_$(1)_test.libs := -lexpat
endef
$(foreach stage,shape peering hours features presence message content text binary steps labels,$(eval $(call policy_test,$(stage))))
tests/unit/policy_content_test.libs += $(foreach f,malloc calloc,-Wl$(comma)--wrap=$(f))

fuzzers += tests/fuzz/policy_fuzz
tests/fuzz/policy_fuzz.srcs := tests/fuzz/policy_fuzz.c tests/unit/policy_harness.c $(xml_harness)
tests/fuzz/policy_fuzz.archives := policy base
tests/fuzz/policy_fuzz.libs := -lexpat
tests/unit/policy_labels_test.srcs += tests/unit/label_harness.c
