# Trying a policy out: on cases that are written, and on those that were recorded.
archives += trial
trial.srcs := $(filter-out control/trial/main.c,$(wildcard control/trial/*.c))
trial.libs := -ljansson

programs += sallyport-policy
sallyport-policy.srcs := control/trial/main.c
sallyport-policy.archives := trial control policy base
# What has paths compiled in is compiled again when they change.
$(BUILD)/control/trial/main.o: $(BUILD)/.paths

unit_tests += tests/unit/cases_test
tests/unit/cases_test.srcs := tests/unit/cases_test.c tests/unit/xml_harness.c
tests/unit/cases_test.archives := trial control policy base

fuzzers += tests/fuzz/cases_fuzz
tests/fuzz/cases_fuzz.srcs := tests/fuzz/cases_fuzz.c control/trial/cases.c control/xml.c control/xml_scan.c control/xml_write.c
tests/fuzz/cases_fuzz.archives := policy base
tests/fuzz/cases_fuzz.libs := -lexpat

unit_tests += tests/unit/replay_test
tests/unit/replay_test.srcs := tests/unit/replay_test.c tests/unit/xml_harness.c
tests/unit/replay_test.archives := trial control policy base

unit_tests += tests/unit/explain_test
tests/unit/explain_test.srcs := tests/unit/explain_test.c
tests/unit/explain_test.archives := trial control policy base

unit_tests += tests/unit/policy_trial_test
tests/unit/policy_trial_test.srcs := tests/unit/policy_trial_test.c
tests/unit/policy_trial_test.archives := trial control policy base
