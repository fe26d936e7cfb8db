/* A policy looked at by itself: what is wrong with it, and what in it has no effect. */
#ifndef TRIAL_CHECK_H
#define TRIAL_CHECK_H

#include <stdio.h>

#include "dataplane/base/conf.h"

/*
 * Reads and checks a configuration with the files that it names, as sallyportd does before it takes it. Each fault is a
 * line in `out`, FILE:LINE: what is wrong (hint: what would be right); then NULL. Otherwise it is the caller's, and lines
 * FILE:LINE: warning: ... tell what is allowed, but may not be meant.
 */
struct conf *policy_read(const char *path, FILE *out) __attribute__((warn_unused_result, nonnull));

#endif
