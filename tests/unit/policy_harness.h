/*
 * Rows of stanzas and what becomes of them under one policy, written as XML:
 * ours are a.example and its conference; peers show presence as their names say, full.example is also b.example.
 */
#ifndef TESTS_POLICY_HARNESS_H
#define TESTS_POLICY_HARNESS_H

#include "policy/policy.h"

struct policy_row {
	const char *name;
	enum policy_direction direction;
	const char *stanza;
	enum policy_action action;
	const char *rule;
	const char *condition;
	const char *text;              /* passed: what is sent (NULL: unchanged); refused: the answer (NULL: none) */
};

struct policy *test_policy(void);
struct policy *test_policy_open(void);         /* the same peers, and nothing is forbidden */
extern const struct policy_pair test_pairs[];
extern const unsigned test_pair_count;

/* With assertions. The fuzz target takes only what is above. */
void check_policy_rows(const struct policy_row *rows, size_t count);

#endif
