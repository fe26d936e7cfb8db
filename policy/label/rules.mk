# Security labels are part of the archive policy; what reads them from files is tested here.
label_harness := tests/unit/label_harness.c

define label_test
unit_tests += tests/unit/$(1)_test
tests/unit/$(1)_test.srcs := tests/unit/$(1)_test.c $(label_harness)
tests/unit/$(1)_test.archives := policy base
endef
$(foreach t,decide ess ess_vectors spif label_xml map,$(eval $(call label_test,$(t))))
label_xml_sources := tests/unit/xml_harness.c control/xml.c control/xml_scan.c control/xml_write.c
tests/unit/label_xml_test.srcs += $(label_xml_sources)

label_policies := tests/fuzz/label_policies.c

fuzzers += tests/fuzz/ess_fuzz
tests/fuzz/ess_fuzz.srcs := tests/fuzz/ess_fuzz.c
tests/fuzz/ess_fuzz.archives := policy base

fuzzers += tests/fuzz/clearance_fuzz
tests/fuzz/clearance_fuzz.srcs := tests/fuzz/clearance_fuzz.c $(label_policies)
tests/fuzz/clearance_fuzz.archives := policy base

fuzzers += tests/fuzz/label_fuzz
tests/fuzz/label_fuzz.srcs := tests/fuzz/label_fuzz.c $(label_policies) control/xml.c control/xml_scan.c control/xml_write.c
tests/fuzz/label_fuzz.archives := policy base

fuzzers += tests/fuzz/spif_fuzz
tests/fuzz/spif_fuzz.srcs := tests/fuzz/spif_fuzz.c
tests/fuzz/spif_fuzz.archives := policy base
