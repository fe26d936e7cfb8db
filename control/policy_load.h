/* From the configuration to a policy. */
#ifndef CONTROL_POLICY_LOAD_H
#define CONTROL_POLICY_LOAD_H

#include "dataplane/base/conf.h"
#include "policy/policy.h"

/* NULL: no memory, or rules that policy does not take. */
struct policy *policy_load(const struct conf *conf) __attribute__((warn_unused_result, nonnull));

/*
 * Changes over to the policy of an image (conf_seal()), between two stanzas; sessions that could not be any more are
 * closed. 0; negative errno, and everything is as it was.
 */
struct control;
int policy_take(struct control *control, int image) __attribute__((warn_unused_result, nonnull));

#endif
