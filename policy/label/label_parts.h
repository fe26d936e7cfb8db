/* What the forms of labels in XML have in common: gathering values, and looking into trees. */
#ifndef POLICY_LABEL_LABEL_PARTS_H
#define POLICY_LABEL_LABEL_PARTS_H

#include "label_xml.h"

/* A label or clearance being read. The first fault counts. */
struct gathering {
	const struct spif_set *set;
	struct arena *arena;
	const struct spif *spif;       /* once it is known */
	struct label_value *values;
	unsigned count, room;
	int error;
	const char *why;
};

/* Always -1 as an index, false as a fact: so that it can end a function of either. */
bool gather_fail(struct gathering *g, int error, const char *why) __attribute__((nonnull));
bool gather_value(struct gathering *g, const struct label_value *value) __attribute__((nonnull));

/* Is there nothing in it but elements that `known` lists (ended by NULL), and blanks? */
bool has_only(const struct node *node, const char *ns, const char *const *known) __attribute__((nonnull));
/* Are its unqualified attributes among these (ended by NULL)? */
bool has_only_attributes(const struct node *node, const char *const *known) __attribute__((nonnull));
/* The text without what surrounds it; NULL: no memory, or there are elements in it. */
const char *trimmed_text(struct gathering *g, const struct node *node) __attribute__((nonnull));

int label_4774_read(struct gathering *g, const struct node *node, struct label *label) __attribute__((nonnull));
int clearance_4774_read(struct gathering *g, const struct node *node,
	struct clearance *clearance) __attribute__((nonnull));
int label_spiffy_read(struct gathering *g, const struct node *node, struct label *label) __attribute__((nonnull));
int clearance_spiffy_read(struct gathering *g, const struct node *node, struct clearance *clearance)
	__attribute__((nonnull));
int label_ism_read(struct gathering *g, const struct node *node, struct label *label) __attribute__((nonnull));

#endif
