/*
 * What another policy would make of what was recorded: every stanza is judged anew, and each verdict that is another one is
 * counted by what it was, what it would be, and the peer.
 */
#ifndef TRIAL_REPLAY_H
#define TRIAL_REPLAY_H

#include <stdint.h>
#include <stdio.h>

#include "control/trial/cases.h"

struct replay_result {
	uint64_t cases, changed, unjudged;     /* unjudged: cases that do not say what was made of them */
};

/*
 * Reads a recording to its end, which may be anywhere, and prints a table of what would change. Memory is bounded. 0, or
 * negative as cases_read(), with `fault` filled.
 */
int replay(int recording, const struct policy *policy, FILE *out, struct replay_result *result, struct cases_fault *fault)
	__attribute__((warn_unused_result, nonnull));

#endif
