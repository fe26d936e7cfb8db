/*
 * A security policy: a Security Policy Information File in Open XML, 1.0 to 2.1 (www.xmlspif.org). Read once,
	checked, and
 * never changed. All of it is in its own arena.
 */
#ifndef POLICY_LABEL_SPIF_H
#define POLICY_LABEL_SPIF_H

#include <stdio.h>

#include "label.h"
#include "policy/element.h"

/* Where on a page a phrase stands; bits. Of others only that they are known. */
enum marking_code {
	MARKING_NO_NAME = 1 << 0,      /* noNameDisplay: the phrase only, not the name */
	MARKING_NONE = 1 << 1,         /* noMarkingDisplay: for whoever types, not for whoever reads */
	MARKING_NO_CLASS = 1 << 2,     /* suppressClassName */
	MARKING_FIRST_LINE = 1 << 3,   /* firstLineOfText */
	MARKING_REPLACES_POLICY = 1 << 4,
	MARKING_PAGE = 1 << 5,         /* pageTop, pageBottom, pageTopBottom, documentStart, documentEnd */
	MARKING_OTHER = 1 << 6,        /* subject, xHeader, waterMark, ...: not for messages */
};

struct marking_data {
	const char *phrase, *language; /* phrase NULL: the name; language "": any */
	unsigned codes;
};

struct marking_qualifier {
	unsigned codes;                /* 0: everywhere */
	const char *prefix, *suffix, *separator;       /* "" where there is none */
};

struct marking {
	const struct marking_data *data;
	unsigned data_count;
	const struct marking_qualifier *qualifiers;
	unsigned qualifier_count;
};

/* Categories that a rule speaks of: ranges of their indexes in `values` of the policy, in order, none twice. */
struct spif_range {
	unsigned first, count;
};

struct spif_group {
	const struct spif_range *ranges;
	unsigned count, size;          /* of ranges; of all values in them */
};

enum spif_operation { SPIF_ONLY_ONE, SPIF_ONE_OR_MORE, SPIF_ALL };

struct spif_required {
	enum spif_operation operation;
	struct spif_group group;
};

enum spif_applied { SPIF_ENCRYPT = 1, SPIF_DECRYPT = 2 };              /* by who sends, by who receives; bits */

/* What a label gets besides when it is mapped: categories of the other policy, by its names. */
struct spif_foreign {
	const char *tag_set;           /* name */
	unsigned types;                /* bits of enum tag_type */
	bool all;
	const char *lacv;              /* as written; "" with `all` */
};

struct spif_addition {
	enum spif_operation operation;
	const struct spif_foreign *groups;
	unsigned count;
};

struct spif_equivalent_class {
	unsigned policy;               /* index in `equivalents` */
	int lacv;
	unsigned applied;
	const struct spif_addition *additions;
	unsigned addition_count;
};

struct spif_equivalent_value {
	unsigned policy, applied;
	bool discard;                  /* that it has no equivalent does no harm */
	struct label_value value;
};

struct spif_class {
	const char *name, *color;      /* color "": none */
	int lacv;
	long hierarchy;
	bool obsolete;
	struct marking marking;
	const struct spif_required *required;
	unsigned required_count;
	const struct spif_equivalent_class *equivalents;
	unsigned equivalent_count;
};

struct spif_value {                    /* tagCategory */
	const char *name;
	unsigned tag;                  /* index in `tags` */
	struct label_value value;
	bool obsolete;
	int64_t not_before, not_after; /* seconds since 1970; INT64_MIN, INT64_MAX: no matter */
	int required_class;            /* index in `classes`; -1: any */
	const unsigned *excluded_classes;              /* indexes in `classes` */
	unsigned excluded_class_count;
	struct spif_group excluded;
	const struct spif_required *required;
	unsigned required_count;
	struct marking marking;
	const struct spif_equivalent_value *equivalents;
	unsigned equivalent_count;
};

struct spif_tag {                      /* securityCategoryTag */
	const char *name;
	unsigned tag_set;
	enum tag_type type;
	unsigned min, max;             /* how many of its values a label has; max UINT_MAX: any */
	unsigned first, count;         /* of its values */
	struct marking marking;
};

/* Labels that have a value of a tag set get these besides (equivalentSecurityCategoryTagSet). */
struct spif_equivalent_tag_set {
	unsigned policy;
	const struct spif_addition *additions;
	unsigned addition_count;
};

struct spif_tag_set {
	const char *name, *id;
	const struct spif_equivalent_tag_set *equivalents;
	unsigned equivalent_count;
};

struct spif_equivalent_policy {        /* what any label gets that is mapped to it */
	const char *name, *id;
	const struct spif_addition *additions;
	unsigned addition_count;
};

struct spif_privacy_mark {
	const char *name;
	bool obsolete;
};

struct spif {
	struct arena *arena;
	const char *name, *id, *version;
	const char *default_name, *default_id;         /* "": there is none */
	int64_t not_before, not_after;
	struct marking marking;        /* of the whole */
	struct marking policy_marking; /* of securityPolicyId */
	struct spif_class *classes;
	unsigned class_count;
	struct spif_tag_set *tag_sets;
	unsigned tag_set_count;
	struct spif_tag *tags;
	unsigned tag_count;
	struct spif_value *values;
	unsigned value_count;
	unsigned *by_number;           /* indexes of values, in the order of tag set, type, lacv */
	unsigned *by_name;             /* the same, in the order of tag set, kind, name */
	struct spif_equivalent_policy *equivalents;
	unsigned equivalent_count;
	struct spif_privacy_mark *privacy_marks;
	unsigned privacy_mark_count;
	bool ignores_case;             /* of names (NATO, PUBLIC: ADatP-4774.1) */
};

/* Several policies at once. */
struct spif_set {
	struct spif *const *policies;
	unsigned count;
};

/* What is found in a file: errors, after which there is no policy, and warnings,
	with defects of the file tolerated. */
struct spif_report {
	void (*tell)(void *owner, int line, bool is_error, const char *text);
	void *owner;
};

/* NULL: it is no SPIF, which was told, or there is no memory (ENOMEM, told as well). */
struct spif *spif_read(const char *bytes, size_t len, const struct spif_report *report)
	__attribute__((warn_unused_result, nonnull));
void spif_free(struct spif *spif);

/* By OID, or by name (as the policy has it); NULL: not known. */
const struct spif *spif_by_id(const struct spif_set *set, const char *id) __attribute__((nonnull));
const struct spif *spif_by_name(const struct spif_set *set, const char *name) __attribute__((nonnull));

/* Index, or -1. Names as the policy has them, in any case where it says so. */
int spif_class(const struct spif *spif, int lacv) __attribute__((nonnull));
int spif_class_by_name(const struct spif *spif, const char *name) __attribute__((nonnull));
int spif_value(const struct spif *spif, const struct label_value *value) __attribute__((nonnull));
int spif_tag_set_by_name(const struct spif *spif, const char *name) __attribute__((nonnull));

/* What a category is to STANAG 4774, which does not tell bits from numbers. */
enum tag_kind { KIND_RESTRICTIVE, KIND_PERMISSIVE, KIND_INFORMATIVE };
enum tag_kind tag_kind(enum tag_type type);
int spif_value_by_name(const struct spif *spif, unsigned tag_set, enum tag_kind kind, const char *name)
	__attribute__((nonnull));

#endif
