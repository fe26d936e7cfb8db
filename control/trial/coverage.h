/* Which of the restrictions that the profiles make some case was judged by: a rule that nothing tries may not do what is
 * meant. Rates and scans are not told here, since they depend on more than one stanza. */
#ifndef TRIAL_COVERAGE_H
#define TRIAL_COVERAGE_H

#include <stdint.h>
#include <stdio.h>

#include "control/trial/cases.h"
#include "dataplane/base/conf.h"

struct coverage {
	const struct conf *conf;
	uint32_t *seen[DIRECTIONS];    /* of each profile: a set of restrictions */
};

/* 0 or -ENOMEM. */
int coverage_init(struct coverage *coverage, const struct conf *conf) __attribute__((warn_unused_result, nonnull));
void coverage_fini(struct coverage *coverage) __attribute__((nonnull));

/* `rule` was what a stage found in a case; "": nothing. */
void coverage_note(struct coverage *coverage, const struct test_case *one, const char *rule) __attribute__((nonnull));

/* A line for each that no case was judged by, with the line of its profile or peer in the configuration. */
void coverage_report(const struct coverage *coverage, const char *path, FILE *out) __attribute__((nonnull));

#endif
