/* From the configuration to a policy. */
#ifndef CONTROL_POLICY_LOAD_H
#define CONTROL_POLICY_LOAD_H

#include "dataplane/base/conf.h"
#include "policy/policy.h"

/* NULL with errno; for EINVAL `fault`, which may be NULL, is filled. */
struct policy *policy_load(const struct conf *conf, struct policy_fault *fault)
	__attribute__((warn_unused_result, nonnull(1)));

#endif
