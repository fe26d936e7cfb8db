/* The stage of features: what its files share while one stanza is judged. */
#ifndef POLICY_FEATURES_H
#define POLICY_FEATURES_H

#include "feature_table.h"
#include "stage.h"

struct feature_use {
	struct policy_case *c;
	const struct policy_feature_rules *rules;      /* of this direction */
	bool lenient;          /* an error, or presence: whatever is not allowed is taken out; it is of use without */
};

/* Any of these? */
bool feature_is_allowed(const struct feature_use *use, uint64_t any) __attribute__((nonnull));

/* FEATURES: of none. */
void feature_refuse(struct feature_use *use, enum feature feature) __attribute__((nonnull));
void feature_strip(struct feature_use *use, struct node *node, enum feature feature) __attribute__((nonnull));

/* Of what is of publish-subscribe: which features let it cross, and may its nodes be spoken of? */
uint64_t pubsub_any(const struct feature_use *use, const struct node *pubsub) __attribute__((nonnull));
void pubsub_check(struct feature_use *use, struct node *pubsub) __attribute__((nonnull));

/* What is encrypted in ways that no element tells of, and what has to be. */
void encryption_check(struct feature_use *use) __attribute__((nonnull));

#endif
