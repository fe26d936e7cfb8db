/* From the configuration to a policy. */
#ifndef CONTROL_POLICY_LOAD_H
#define CONTROL_POLICY_LOAD_H

#include "dataplane/base/conf.h"
#include "policy/policy.h"

/* NULL with errno; for EINVAL `fault`, which may be NULL, is filled. */
struct policy *policy_load(const struct conf *conf, struct policy_fault *fault)
	__attribute__((warn_unused_result, nonnull(1)));

/* The same, telling of what is found in the files of security labels as well, FILE:LINE: text. */
struct policy_telling {
	void (*tell)(void *owner, const char *text);
	void *owner;
};
struct policy *policy_load_telling(const struct conf *conf, struct policy_fault *fault,
	const struct policy_telling *telling) __attribute__((warn_unused_result, nonnull(1)));

#endif
