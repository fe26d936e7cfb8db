/* Security labels as a policy has them: made once of its rules, for the stage labels.c. */
#ifndef POLICY_LABEL_RULES_H
#define POLICY_LABEL_RULES_H

#include "label/decide.h"
#include "names.h"
#include "policy_rules.h"

struct labels {                        /* of all profiles */
	struct arena *arena;           /* of default labels and clearances as they were read; NULL: there are none */
	struct spif **policies;
	struct spif_set set;           /* the same */
	struct known_clearance **clearances;
	unsigned clearance_count;
	struct names users;            /* value: index of the clearance */
	bool refuses_obsolete, refuses_ambiguous, takes_ber;
	char *language;
};

struct label_rules {                   /* of a profile, in one direction */
	enum policy_labels labels;
	const struct spif *governing;  /* the policy of the clearance, by which labels are judged */
	struct known_clearance *clearance;
	bool has_default;
	struct label default_label;
	char *map_to;                  /* OID; NULL: none */
	enum policy_original original;
	bool refuses_marking, marks_first_line, filters_catalogs;
};

/* 0, -ENOMEM, or -EINVAL with what is wrong in `why`, and in *line where it stands if that is known. */
int labels_init(struct labels *labels, const struct policy_labels_rules *rules, int *line, char *why, size_t size)
	__attribute__((warn_unused_result, nonnull));
void labels_fini(struct labels *labels) __attribute__((nonnull));

int label_rules_init(struct label_rules *rules, struct labels *labels, const struct policy_label_rules *from,
	char *why,
	size_t size) __attribute__((warn_unused_result, nonnull));
void label_rules_fini(struct label_rules *rules) __attribute__((nonnull));

/* Which clearance an address has; NULL: none is known. */
const struct known_clearance *labels_clearance_of(const struct labels *labels,
	const char *jid) __attribute__((nonnull));

#endif
