/* The stage of labels: what its files share while one stanza is judged. */
#ifndef POLICY_LABELLING_H
#define POLICY_LABELLING_H

#include "label/label_form.h"
#include "label/map.h"
#include "stage.h"

enum { LABELS_MAX = 1000 };            /* labels and equivalents of one stanza: each costs time, mapping most */

struct labelling {
	struct policy_case *c;
	const struct label_rules *rules;
	const struct labels *labels;
	struct arena *arena;
	unsigned read;                 /* how many */
};

/* <securitylabel/> (XEP-0258 3), or a binding of STANAG 4778, taken apart. */
struct envelope {
	struct node *node;
	bool is_binding;
	const struct node *marking, *form;     /* <displaymarking/>, what is in <label/>; NULL: there is none */
	struct label label;                    /* valid if `form` is there */
	bool is_ours;                          /* we put it on */
	const struct spif *spif;               /* of the label; NULL: not known */
	struct known_label known;              /* if spif is */
};

/* False after a finding: it is not what the XEP asks for, or cannot be read. */
bool envelope_read(struct labelling *l, struct node *node, struct envelope *envelope)
	__attribute__((warn_unused_result, nonnull));
/* Our own, with this label; NULL after a finding. */
struct node *envelope_new(struct labelling *l, const struct label *label) __attribute__((warn_unused_result,
	nonnull));
/*
 * Equivalents that are not proven go, the mapped label comes,
	the display marking is made anew. False after a finding.
 * Nothing is to be changed that was not judged.
 */
bool envelope_rewrite(struct labelling *l, struct envelope *envelope) __attribute__((warn_unused_result, nonnull));
/* The marking of what is in <label/> by now; "": not known. */
void envelope_marking(const struct labelling *l, const struct envelope *envelope, unsigned code, const char *language,
	char *text, size_t size) __attribute__((nonnull));

/* May what has this label cross? Valid,
	and granted by every clearance that there is for it. False with the reason. */
bool label_may_cross(struct labelling *l, struct envelope *envelope, struct label_reason *why)
	__attribute__((warn_unused_result, nonnull));

/* XEP-0258 6. */
void catalog_check(struct labelling *l, struct node *catalog) __attribute__((nonnull));

void label_refuse(struct labelling *l, const struct label_reason *why) __attribute__((nonnull));
struct label_mapping label_mapping_to(const struct labelling *l, const char *policy) __attribute__((nonnull));

#endif
