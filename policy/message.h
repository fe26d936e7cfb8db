/* What a profile folds messages to: types of messages, and elements that are taken out of messages and presence. */
#ifndef POLICY_MESSAGE_H
#define POLICY_MESSAGE_H

#include "policy.h"

struct element_name {
	const char *ns, *name;         /* name "": any of that namespace */
};

struct message_rules {
	enum policy_message_fate fates[POLICY_MESSAGE_TYPES];
	struct element_name *strip;    /* sorted; one allocation with its texts */
	size_t strip_count;
};

/* 0; -ENOMEM; -EINVAL: *bad is an item that names no element, or one of the stanza itself. */
int message_rules_init(struct message_rules *rules, const struct policy_message_rules *from, const char **bad)
	__attribute__((warn_unused_result, nonnull));
void message_rules_fini(struct message_rules *rules) __attribute__((nonnull));

#endif
