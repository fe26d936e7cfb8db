/* What a policy holds, what the stages share while one stanza is judged, and how they say what they found. */
#ifndef POLICY_STAGE_H
#define POLICY_STAGE_H

#include <stdint.h>

#include "content.h"
#include "jid.h"
#include "label_rules.h"
#include "message.h"
#include "names.h"
#include "policy.h"

struct policy_feature_rules {
	uint64_t allowed;              /* feature_set */
	enum policy_unknown unknown;
	bool requires_encryption;
	const char *const *pep_nodes;  /* NULL-terminated; none: any */
};

struct profile {
	char *name;
	struct policy_feature_rules features[POLICY_DIRECTIONS];
	enum policy_presence presence[POLICY_DIRECTIONS];
	struct content_rules content[POLICY_DIRECTIONS];
	struct policy_binary_rules binaries[POLICY_DIRECTIONS];
	struct names inside_users, outside_users;              /* empty: all */
	struct policy_rates rates[POLICY_DIRECTIONS];
	unsigned monitored[POLICY_DIRECTIONS];                 /* bits of stages, in their order */
	struct policy_hours hours[POLICY_DIRECTIONS];
	struct message_rules messages[POLICY_DIRECTIONS];
	struct label_rules labels[POLICY_DIRECTIONS];
};

struct peer {
	const char *name;              /* as peer_names has it */
	unsigned shadow;               /* 1 + index; 0: none */
	unsigned profile;
	enum policy_way way;
	struct names inside;           /* of our domains; empty: all */
};

struct policy {
	struct names domains;          /* our own */
	struct labels labels;
	struct profile *profiles;
	unsigned profile_count;
	struct peer *peers;
	unsigned peer_count;
	struct names peer_names;       /* value: the index of the peer */
};

enum stanza_kind { STANZA_MESSAGE, STANZA_PRESENCE, STANZA_IQ };

/* One stanza before the stages. Shape fills in what follows the verdict, peering the profile. */
struct policy_case {
	const struct policy *policy;
	const struct policy_context *context;
	struct stanza *stanza;
	struct policy_verdict *verdict;
	enum stanza_kind kind;
	const char *type;              /* the attribute; "" if absent */
	char from[JID_PART_BYTES + 1], to[JID_PART_BYTES + 1];         /* domains, lower case */
	const struct peer *peer;       /* NULL until peering has found it */
	const struct profile *profile; /* the same */
	struct policy_step *step;      /* of the stage that is being asked */
};

/* The stages, in their order. Each looks at the stanza as those before it left it, and may make the verdict tighter. */
void shape_check(struct policy_case *c) __attribute__((nonnull));
void peering_check(struct policy_case *c) __attribute__((nonnull));
void hours_check(struct policy_case *c) __attribute__((nonnull));
void features_check(struct policy_case *c) __attribute__((nonnull));
void presence_check(struct policy_case *c) __attribute__((nonnull));
void message_check(struct policy_case *c) __attribute__((nonnull));
void labels_check(struct policy_case *c) __attribute__((nonnull));
void content_check(struct policy_case *c) __attribute__((nonnull));
void binary_check(struct policy_case *c) __attribute__((nonnull));

/* Is the text of this element a binary's, which only binary_check() can read? */
bool binary_is_encoded(const struct node *node) __attribute__((nonnull));

/* A list in one allocation that holds the pointers and the texts; of types all is in lower case. NULL: no memory. */
const char *const *list_copy(const char *const *list) __attribute__((warn_unused_result));
const char *const *types_copy(const char *const *list) __attribute__((warn_unused_result));

/* Does it say how something ended that came the other way? A subscription is answered by presence (RFC 6121 3.1). */
bool case_is_answer(const struct policy_case *c) __attribute__((nonnull));

/*
 * What a stage finds. The texts are static; condition and error type may be NULL. Only what is tighter than the verdict
 * counts.
 */
struct finding {
	enum policy_action action;
	const char *rule, *condition, *error_type, *reason;
};
void case_find(struct policy_case *c, const struct finding *finding) __attribute__((nonnull));
void case_changed(struct policy_case *c, const char *rule, const char *format, ...)
	__attribute__((nonnull, format(printf, 3, 4)));
void case_no_memory(struct policy_case *c) __attribute__((nonnull));

#endif
