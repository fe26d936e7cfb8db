/* A label of one policy as one of another, by the equivalents that a policy states; see map.c. */
#ifndef POLICY_LABEL_MAP_H
#define POLICY_LABEL_MAP_H

#include "decide.h"

struct label_mapping {
	const struct spif_set *policies;
	const char *to;                /* OID of the other policy */
	enum spif_applied applied;     /* SPIF_ENCRYPT: it is ours that sends it; SPIF_DECRYPT: that receives it */
	bool refuses_ambiguous;        /* where several classifications have one equivalent; else the highest is taken */
	struct label_terms terms;      /* for the result */
};

/*
 * 0 with *mapped in the arena: valid,
	as far as its policy is known. -EINVAL with a reason: there is no mapping, or the
 * result is not valid; -ENOMEM. A privacy mark is of its own policy, and stays behind.
 */
int label_map(const struct label_mapping *mapping, struct arena *arena, const struct label *label,
	struct label *mapped,
	struct label_reason *why) __attribute__((warn_unused_result, nonnull));

#endif
