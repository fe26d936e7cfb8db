/* Between the parts that read a security policy: spif_read.c the whole,
	spif_rules.c what refers to what is read by then. */
#ifndef POLICY_LABEL_SPIF_READ_H
#define POLICY_LABEL_SPIF_READ_H

#include "spif.h"
#include "spif_schema.h"

struct spif_reading {
	struct spif *spif;
	const struct spif_report *report;
	const char **lacvs;            /* of the values of the policy, as they are written */
	const struct node **nodes;     /* and their elements */
	unsigned defects;              /* told once each: bits of enum spif_defect */
	bool failed;
};

enum spif_defect { DEFECT_QUALIFIER_CODE = 1 << 0, DEFECT_COLOUR = 1 << 1, DEFECT_EQUIVALENT_ORDER = 1 << 2 };

/* All of these set `failed` when something cannot be, after telling; or when the arena is full. */
void *spif_alloc(struct spif_reading *reading, size_t count, size_t size) __attribute__((nonnull));
void spif_fail(struct spif_reading *reading, const struct node *node, const char *format, ...)
	__attribute__((nonnull(1, 3), format(printf, 3, 4)));
unsigned spif_count_children(const struct node *node, const char *name) __attribute__((nonnull));
/* The value of an attribute, in the arena of the policy; `otherwise` if there is none. */
const char *spif_text(struct spif_reading *reading, const struct node *node, const char *name, const char *otherwise)
	__attribute__((nonnull(1, 2, 3)));
/* Decimal digits, leading zeros or not; -1: no such number, or above `max`. */
int64_t spif_number(const char *text, int64_t max) __attribute__((nonnull));
/* The types that tagType, enumType and tag7Encoding may mean, as bits; 0: none, which was told. */
unsigned spif_types(struct spif_reading *reading, const struct node *node) __attribute__((nonnull));
void spif_read_marking(struct spif_reading *reading, const struct node *node, struct marking *marking)
	__attribute__((nonnull));

/* Puts the values in order for those who look them up. */
void spif_index(struct spif *spif) __attribute__((nonnull));

/* The second pass: rules and equivalents. */
void spif_read_rules(struct spif_reading *reading, const struct node *root) __attribute__((nonnull));

/* What no schema can tell: what is there twice, what can never be had, which way back is not clear. */
void spif_check(struct spif_reading *reading) __attribute__((nonnull));

#endif
