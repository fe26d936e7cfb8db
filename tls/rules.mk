archives += tls
tls.srcs := $(filter-out tls/main.c,$(wildcard tls/*.c))
tls.libs := -lssl -lcrypto

programs += sallyport-tls
sallyport-tls.srcs := tls/main.c
sallyport-tls.archives := tls base

# Certificates made at test time, and a relay between two fake channels and two endpoints.
archives += tls_pki
tls_pki.srcs := tests/unit/tls_pki.c

archives += tls_harness
tls_harness.srcs := tests/unit/tls_harness.c

unit_tests += tests/unit/tls_identity_test
tests/unit/tls_identity_test.srcs := tests/unit/tls_identity_test.c
tests/unit/tls_identity_test.archives := tls_pki tls base

unit_tests += tests/unit/tls_trust_test
tests/unit/tls_trust_test.srcs := tests/unit/tls_trust_test.c
tests/unit/tls_trust_test.archives := tls_pki tls base

define tls_test
unit_tests += tests/unit/tls_$(1)_test
tests/unit/tls_$(1)_test.srcs := tests/unit/tls_$(1)_test.c
tests/unit/tls_$(1)_test.archives := tls_harness tls_pki tls keyd channel_harness base
endef
$(foreach part,handshake relay profile records resume direct certificates,$(eval $(call tls_test,$(part))))

fuzzers += tests/fuzz/revocation_fuzz
tests/fuzz/revocation_fuzz.srcs := tests/fuzz/revocation_fuzz.c
tests/fuzz/revocation_fuzz.archives := tls base

fuzzers += tests/fuzz/identity_fuzz
tests/fuzz/identity_fuzz.srcs := tests/fuzz/identity_fuzz.c
tests/fuzz/identity_fuzz.archives := tls base

fuzzers += tests/fuzz/hello_fuzz
tests/fuzz/hello_fuzz.srcs := tests/fuzz/hello_fuzz.c
tests/fuzz/hello_fuzz.archives := tls_harness tls_pki tls keyd channel_harness base
tests/fuzz/hello_fuzz.libs := -lcmocka
