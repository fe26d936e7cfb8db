/*
 * May what has this label be seen by who has this clearance? Two questions, and both have to be answered yes,
	always: is
 * the label valid under its policy,
	and does the clearance grant access (the access control decision function of X.841).
 * An invalid label can be made so that any clearance grants it.
 */
#ifndef POLICY_LABEL_DECIDE_H
#define POLICY_LABEL_DECIDE_H

#include "spif.h"

/* The step that decided. The text speaks of the policy and of what is lacking; it is for the audit,
	not for the sender. */
struct label_reason {
	const char *rule;              /* static: "labels.classification", ... */
	char text[200];
};

enum { KNOWN_VALUES_MAX = 1024 };      /* of a label; clearances may have more */

/* A label whose numbers have been found in a policy. */
struct known_label {
	const struct spif *spif;
	const struct spif_class *class;
	unsigned value_count;
	unsigned values[KNOWN_VALUES_MAX];     /* indexes, in order: those of one tag stand together */
};

/* A clearance, the same. Made once, for many labels; of malloc(). */
struct known_clearance;

struct label_terms {
	int64_t now;                   /* seconds since 1970; INT64_MIN: not known, dates are no matter */
	bool is_ours;                  /* we put it on: what is obsolete is refused */
};

/* Finds the numbers. False with a reason: another policy, or something that it does not have. */
bool label_known(const struct spif *spif, const struct label *label, struct known_label *known,
	struct label_reason *why)
	__attribute__((warn_unused_result, nonnull));

/* NULL: no memory,
	or (`why` has a rule) it is of another policy. Categories that the policy does not have grant nothing. */
struct known_clearance *clearance_known(const struct spif *spif, const struct clearance *clearance,
	struct label_reason *why)
	__attribute__((warn_unused_result, nonnull));
void clearance_free(struct known_clearance *clearance);
const struct spif *clearance_policy(const struct known_clearance *clearance) __attribute__((nonnull));

bool label_is_valid(const struct known_label *label, const char *privacy_mark, const struct label_terms *terms,
	struct label_reason *why) __attribute__((warn_unused_result, nonnull(1, 3, 4)));
/* True grants. The clearance may be NULL: that denies. */
bool label_is_granted(const struct known_label *label, const struct known_clearance *clearance,
	struct label_reason *why)
	__attribute__((warn_unused_result, nonnull(1, 3)));

/* Is all that `outer` lets see what `inner` lets see, too? Of one policy: the classification no lower,
	every restriction. */
bool label_dominates(const struct known_label *outer, const struct known_label *inner) __attribute__((nonnull));

void label_because(struct label_reason *why, const char *rule, const char *format, ...)
	__attribute__((nonnull, format(printf, 3, 4)));

#endif
