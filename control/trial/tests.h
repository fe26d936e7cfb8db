/* Cases tried on a policy: does each become what is expected of it? */
#ifndef TRIAL_TESTS_H
#define TRIAL_TESTS_H

#include <stdio.h>

#include "control/trial/coverage.h"

struct tests {
	const struct policy *policy;
	FILE *out;                     /* a line for each case that fails, FILE:LINE: case "NAME": ... */
	struct coverage coverage;
	unsigned cases, failed;        /* a file with a fault counts as a case that fails */
	const char *file;              /* that is being read */
};

/* 0 or -ENOMEM. */
int tests_init(struct tests *tests, const struct conf *conf, const struct policy *policy, FILE *out)
	__attribute__((warn_unused_result, nonnull));
void tests_fini(struct tests *tests) __attribute__((nonnull));

/* All cases of a file that is open, which is called `name`. */
void tests_run(struct tests *tests, int fd, const char *name) __attribute__((nonnull));

/* "N cases, N failed" */
void tests_sum_up(const struct tests *tests) __attribute__((nonnull));

#endif
