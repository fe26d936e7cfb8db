/*
 * Security labels and clearances as numbers, whatever form they came in: ESS (ess.h),
	XML (label_xml.h). What the numbers
 * mean is in the security policy (spif.h). Texts and lists live in the arena of whoever read them.
 */
#ifndef POLICY_LABEL_LABEL_H
#define POLICY_LABEL_LABEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How categories of a tag are encoded and compared (ACP-145; SPIF tagType, enumType, tag7Encoding). */
enum tag_type {
	TAG_RESTRICTIVE,               /* bits: a clearance has to hold every one */
	TAG_ENUMERATED_PERMISSIVE,     /* numbers: a clearance has to hold one of those of the tag */
	TAG_PERMISSIVE,                /* bits: the same */
	TAG_ENUMERATED_RESTRICTIVE,    /* numbers: every one */
	TAG_INFORMATIVE,               /* bits: no matter of access */
	TAG_ENUMERATED_INFORMATIVE,    /* numbers: the same */
	TAG_TYPES
};

/* Up to which numbers. A lacv that is no number has one of its policy's own, from LACV_TEXT,
	which only names can tell. */
enum { LABEL_CLASS_MAX = 256, LABEL_VALUES_MAX = 16384, LABEL_BIT_MAX = 16383, LABEL_OID_BYTES = 128 };
#define LACV_NUMBER_MAX 0xffffffffu
#define LACV_TEXT 0x100000000u

struct label_value {                   /* a category */
	const char *tag_set;           /* OID, dotted */
	enum tag_type type;
	uint64_t lacv;
};

struct label {
	const char *policy;            /* OID, dotted; "": none */
	int classification;            /* 0 to LABEL_CLASS_MAX; -1: none */
	const char *privacy_mark;      /* UTF-8; NULL: none */
	bool mark_is_utf8;             /* it was, or is to be, encoded as UTF8String, not as PrintableString */
	bool is_missi;                 /* the same: categories in the syntax of MISSI (SDN.801c), not of ACP-145 */
	struct label_value *values;    /* by tag_set, type, lacv (label_values_sort()); each once */
	unsigned value_count;
};

struct clearance {
	const char *policy;
	uint64_t classes[LABEL_CLASS_MAX / 64 + 1];    /* bit i: classification i */
	bool is_missi;
	struct label_value *values;    /* as of a label */
	unsigned value_count;
};

static inline bool clearance_has_class(const struct clearance *clearance, int class)
{
	return class >= 0 && class <= LABEL_CLASS_MAX && clearance->classes[class / 64] >> (class % 64) & 1;
}

/* OIDs are compared as numbers, component by component: "2.5" is before "2.25". */
int oid_compare(const char *a, const char *b) __attribute__((nonnull));
/* Digits and dots, at least two components, the first 0 to 2, none with leading zeros, below LABEL_OID_BYTES. */
bool oid_is_valid(const char *oid) __attribute__((nonnull));

int label_value_compare(const struct label_value *a, const struct label_value *b) __attribute__((nonnull));
/* Into their order; returns how many are left when those that are there twice are there once. */
unsigned label_values_sort(struct label_value *values, unsigned count);
bool label_equal(const struct label *a,
	const struct label *b) __attribute__((nonnull));       /* how encoded: no matter */

#endif
