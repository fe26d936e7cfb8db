/* From the configuration to a policy. */
#ifndef CONTROL_POLICY_LOAD_H
#define CONTROL_POLICY_LOAD_H

#include "dataplane/base/conf.h"
#include "policy/policy.h"

/* NULL: no memory, or rules that policy does not take. */
struct policy *policy_load(const struct conf *conf) __attribute__((warn_unused_result, nonnull));

#endif
