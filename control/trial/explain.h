/* Why a stanza was not simply passed: from the audit alone, which has what each stage found. */
#ifndef TRIAL_EXPLAIN_H
#define TRIAL_EXPLAIN_H

#include <stdint.h>
#include <stdio.h>

/* Before explain(), where files can still be opened: jansson takes its seed. */
void explain_init(void);

/*
 * Prints, of the audit lines of `audit`, the last verdict with that number. 0; -ENOENT: there is none; or another -errno.
 * Numbers begin again when a guard is started: how many older ones there are is told.
 */
int explain(FILE *audit, uint64_t number, FILE *out) __attribute__((warn_unused_result, nonnull));

/* The same of every verdict, in their order, with empty lines between them. 0 or -errno. */
int explain_all(FILE *audit, FILE *out) __attribute__((warn_unused_result, nonnull));

#endif
