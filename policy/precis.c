/* PRECIS; see precis.h. A string is worked on as code points. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <unigbrk.h>
#include <uninorm.h>
#include <unistr.h>

#include "precis.h"

enum { CCC_VIRAMA = 9 };

struct string {
	uint32_t *c;
	size_t len;
};

/* --- The contextual rules (RFC 5892 appendix A): may the character at `at` stand where it stands? --- */

static bool is_script(ucs4_t c, const char *name)
{
	const uc_script_t *script = uc_script(c);

	return script && !strcmp(script->name, name);
}

static bool holds_any(const struct string *s, ucs4_t first, ucs4_t last)
{
	for (size_t i = 0; i < s->len; i++)
		if (s->c[i] >= first && s->c[i] <= last)
			return true;
	return false;
}

static bool follows_virama(const struct string *s, size_t at)
{
	return at > 0 && uc_combining_class(s->c[at - 1]) == CCC_VIRAMA;
}

/* A.1: (Joining_Type:{L,D})(Joining_Type:T)* U+200C (Joining_Type:T)*(Joining_Type:{R,D}) */
static bool is_between_joining(const struct string *s, size_t at)
{
	size_t before = at, after = at + 1;
	int left, right;

	while (before > 0 && uc_joining_type(s->c[before - 1]) == UC_JOINING_TYPE_T)
		before--;
	while (after < s->len && uc_joining_type(s->c[after]) == UC_JOINING_TYPE_T)
		after++;
	if (before == 0 || after == s->len)
		return false;
	left = uc_joining_type(s->c[before - 1]);
	right = uc_joining_type(s->c[after]);
	return (left == UC_JOINING_TYPE_L || left == UC_JOINING_TYPE_D) &&
		(right == UC_JOINING_TYPE_R || right == UC_JOINING_TYPE_D);
}

static bool non_joiner_fits(const struct string *s, size_t at)
{
	return follows_virama(s, at) || is_between_joining(s, at);
}

static bool middle_dot_fits(const struct string *s, size_t at)
{
	return at > 0 && at + 1 < s->len && s->c[at - 1] == 'l' && s->c[at + 1] == 'l';
}

static bool keraia_fits(const struct string *s, size_t at)
{
	return at + 1 < s->len && is_script(s->c[at + 1], "Greek");
}

static bool geresh_fits(const struct string *s, size_t at)
{
	return at > 0 && is_script(s->c[at - 1], "Hebrew");
}

/* Of all in a string the same is true: it is found out for the first. */
static bool katakana_dot_fits(const struct string *s, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (s->c[i] == s->c[at])
			return true;
	for (size_t i = 0; i < s->len; i++)
		if (is_script(s->c[i], "Hiragana") || is_script(s->c[i], "Katakana") || is_script(s->c[i], "Han"))
			return true;
	return false;
}

static bool arabic_digit_fits(const struct string *s, size_t at)
{
	(void)at;
	return !holds_any(s, 0x6f0, 0x6f9);
}

static bool extended_arabic_digit_fits(const struct string *s, size_t at)
{
	(void)at;
	return !holds_any(s, 0x660, 0x669);
}

static const struct contextual {
	ucs4_t first, last;
	bool (*fits)(const struct string *s, size_t at);
} contextual[] = {
	{0x00b7, 0x00b7, middle_dot_fits},             /* A.3 */
	{0x0375, 0x0375, keraia_fits},                 /* A.4 */
	{0x05f3, 0x05f4, geresh_fits},                 /* A.5, A.6 */
	{0x0660, 0x0669, arabic_digit_fits},           /* A.8 */
	{0x06f0, 0x06f9, extended_arabic_digit_fits},  /* A.9 */
	{0x200c, 0x200c, non_joiner_fits},             /* A.1 */
	{0x200d, 0x200d, follows_virama},              /* A.2 */
	{0x30fb, 0x30fb, katakana_dot_fits},           /* A.7 */
};

static const struct contextual *contextual_find(ucs4_t c)
{
	for (size_t i = 0; i < sizeof(contextual) / sizeof(*contextual); i++)
		if (c >= contextual[i].first && c <= contextual[i].last)
			return &contextual[i];
	return NULL;
}

/* --- The string classes (RFC 8264 8) --- */

enum worth { DISALLOWED, FREEFORM_ONLY, VALID };

static bool is_in(ucs4_t c, const ucs4_t *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == c)
			return true;
	return false;
}

/* RFC 8264 9.6; those that depend on their context are above. */
static bool find_exception(ucs4_t c, enum worth *worth)
{
	static const ucs4_t valid[] = {0xdf, 0x3c2, 0x6fd, 0x6fe, 0xf0b, 0x3007};
	static const ucs4_t disallowed[] = {0x640, 0x7fa, 0x302e, 0x302f, 0x3031, 0x3032, 0x3033, 0x3034, 0x3035, 0x303b};

	*worth = is_in(c, valid, sizeof(valid) / sizeof(*valid)) ? VALID : DISALLOWED;
	return *worth == VALID || is_in(c, disallowed, sizeof(disallowed) / sizeof(*disallowed));
}

/* RFC 8264 9.9: Hangul_Syllable_Type L, V and T, which is what makes these breaks. */
static bool is_old_hangul_jamo(ucs4_t c)
{
	int kind = uc_graphemeclusterbreak_property(c);

	return kind == GBP_L || kind == GBP_V || kind == GBP_T;
}

/* RFC 8264 9.13 and 9.12, and unassigned code points (9.10): there is no telling what they will be. */
static bool is_never_shown(ucs4_t c)
{
	return uc_is_property_default_ignorable_code_point(c) ||
		uc_is_general_category(c, uc_general_category_or(UC_CATEGORY_Cc, UC_CATEGORY_Cn));
}

/* RFC 8264 9.17 */
static bool has_compatible(ucs4_t c)
{
	ucs4_t parts[UC_DECOMPOSITION_MAX_LENGTH];
	uint32_t room[4 * UC_DECOMPOSITION_MAX_LENGTH], *normal;
	size_t len = sizeof(room) / sizeof(*room);
	bool same;
	int tag;

	if (uc_decomposition(c, &tag, parts) < 0)
		return false;
	normal = u32_normalize(UNINORM_NFKC, &c, 1, room, &len);
	same = normal && len == 1 && *normal == c;
	if (normal != room)
		free(normal);
	return !same;
}

static enum worth worth_by_category(ucs4_t c)
{
	/* RFC 8264 9.1 */
	static const uint32_t letter_digits = UC_CATEGORY_MASK_Ll | UC_CATEGORY_MASK_Lu | UC_CATEGORY_MASK_Lo |
		UC_CATEGORY_MASK_Nd | UC_CATEGORY_MASK_Lm | UC_CATEGORY_MASK_Mn | UC_CATEGORY_MASK_Mc;
	/* 9.18, 9.14, 9.15, 9.16 */
	static const uint32_t others = UC_CATEGORY_MASK_Lt | UC_CATEGORY_MASK_Nl | UC_CATEGORY_MASK_No | UC_CATEGORY_MASK_Me |
		UC_CATEGORY_MASK_Zs | UC_CATEGORY_MASK_S | UC_CATEGORY_MASK_P;

	if (uc_is_general_category_withtable(c, letter_digits))
		return VALID;
	return uc_is_general_category_withtable(c, others) ? FREEFORM_ONLY : DISALLOWED;
}

/* In the order of RFC 8264 8. */
static enum worth worth_of(ucs4_t c)
{
	enum worth worth;

	if (c >= '!' && c <= '~')
		return VALID;
	if (find_exception(c, &worth))
		return worth;
	if (is_old_hangul_jamo(c) || is_never_shown(c))
		return DISALLOWED;
	return has_compatible(c) ? FREEFORM_ONLY : worth_by_category(c);
}

static bool is_in_class(const struct string *s, enum worth least)
{
	for (size_t i = 0; i < s->len; i++) {
		const struct contextual *rule = contextual_find(s->c[i]);

		if (rule ? !rule->fits(s, i) : worth_of(s->c[i]) < least)
			return false;
	}
	return true;
}

/* --- The bidi rule (RFC 5893 2) --- */

#define BIDI(name) (1u << UC_BIDI_##name)

enum bidi_sets {
	BIDI_EITHER = BIDI(EN) | BIDI(ES) | BIDI(CS) | BIDI(ET) | BIDI(ON) | BIDI(BN) | BIDI(NSM),
	BIDI_RTL = BIDI(R) | BIDI(AL) | BIDI(AN),
	BIDI_RTL_END = BIDI(R) | BIDI(AL) | BIDI(AN) | BIDI(EN),
	BIDI_LTR_END = BIDI(L) | BIDI(EN),
};

static unsigned bidi_of(ucs4_t c)
{
	return 1u << uc_bidi_class(c);
}

static unsigned bidi_of_all(const struct string *s)
{
	unsigned set = 0;

	for (size_t i = 0; i < s->len; i++)
		set |= bidi_of(s->c[i]);
	return set;
}

static unsigned bidi_of_end(const struct string *s)
{
	size_t end = s->len;

	while (end > 1 && bidi_of(s->c[end - 1]) == BIDI(NSM))
		end--;
	return bidi_of(s->c[end - 1]);
}

/* Asked of strings that have something written from right to left in them. */
static bool keeps_bidi_rule(const struct string *s)
{
	unsigned all = bidi_of_all(s), first = bidi_of(s->c[0]), end = bidi_of_end(s);

	if (!(all & BIDI_RTL))
		return true;
	if (first & (BIDI(R) | BIDI(AL)))
		return !(all & ~(BIDI_RTL | BIDI_EITHER)) && (end & BIDI_RTL_END) &&
			(all & (BIDI(EN) | BIDI(AN))) != (BIDI(EN) | BIDI(AN));
	return (first & BIDI(L)) && !(all & ~(BIDI(L) | BIDI_EITHER)) && (end & BIDI_LTR_END);
}

/* --- The profiles --- */

static void map_width(struct string *s)
{
	for (size_t i = 0; i < s->len; i++) {
		ucs4_t parts[UC_DECOMPOSITION_MAX_LENGTH];
		int tag, count = uc_decomposition(s->c[i], &tag, parts);

		if (count == 1 && (tag == UC_DECOMP_WIDE || tag == UC_DECOMP_NARROW))
			s->c[i] = parts[0];
	}
}

static void map_spaces(struct string *s)
{
	for (size_t i = 0; i < s->len; i++)
		if (uc_is_general_category(s->c[i], UC_CATEGORY_Zs))
			s->c[i] = ' ';
}

/* Mapping and normalisation in the order of RFC 8264 7; the rules on what is left come after it. */
static uint32_t *enforce(enum precis_profile profile, struct string *s, size_t *len)
{
	if (profile == PRECIS_OPAQUE) {
		map_spaces(s);
		return u32_normalize(UNINORM_NFC, s->c, s->len, NULL, len);
	}
	map_width(s);
	return u32_tolower(s->c, s->len, NULL, UNINORM_NFC, NULL, len);
}

static bool is_allowed(enum precis_profile profile, const struct string *s)
{
	if (profile == PRECIS_OPAQUE)
		return s->len && is_in_class(s, FREEFORM_ONLY);
	return s->len && is_in_class(s, VALID) && keeps_bidi_rule(s);
}

static int normalise(enum precis_profile profile, struct string *s, char **out, size_t *out_len)
{
	struct string normal = {.len = 0};
	int err;

	normal.c = enforce(profile, s, &normal.len);
	if (!normal.c)
		return -ENOMEM;
	err = is_allowed(profile, &normal) ? 0 : -EILSEQ;
	if (!err) {
		*out = (char *)u32_to_u8(normal.c, normal.len, NULL, out_len);
		err = *out ? 0 : -ENOMEM;
	}
	free(normal.c);
	return err;
}

int precis_normalise(enum precis_profile profile, const char *text, size_t len, char **out, size_t *out_len)
{
	struct string s;
	int err;

	/* libunistring takes NULL for a failure: nothing is not one. */
	if (!len || u8_check((const uint8_t *)text, len))
		return -EILSEQ;
	s.c = u8_to_u32((const uint8_t *)text, len, NULL, &s.len);
	if (!s.c)
		return -ENOMEM;
	err = normalise(profile, &s, out, out_len);
	free(s.c);
	return err;
}
