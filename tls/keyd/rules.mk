archives += keyd
keyd.srcs := $(filter-out tls/keyd/main.c,$(wildcard tls/keyd/*.c)) tls/identity.c
keyd.libs := -lcrypto

programs += sallyport-keyd
sallyport-keyd.srcs := tls/keyd/main.c
sallyport-keyd.archives := keyd base

unit_tests += tests/unit/keyd_test
tests/unit/keyd_test.srcs := tests/unit/keyd_test.c
tests/unit/keyd_test.archives := tls_pki keyd base

fuzzers += tests/fuzz/keyd_fuzz
tests/fuzz/keyd_fuzz.srcs := tests/fuzz/keyd_fuzz.c
tests/fuzz/keyd_fuzz.archives := keyd base

unit_tests += tests/unit/keyd_slow_test
tests/unit/keyd_slow_test.srcs := tests/unit/keyd_slow_test.c
tests/unit/keyd_slow_test.archives := tls_pki keyd base
