/*
 * Matching costs PCRE2 some ten microseconds for each pattern and line of chat. Most patterns ask for letters that a text
 * has not: so a pattern's longest run of plain characters is looked up, three at a time, in the set of all that the text
 * has. Which run a pattern cannot do without is read off only where that is beyond doubt; other patterns are always
 * matched.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <ctype.h>
#include <errno.h>
#include <pcre2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "patterns.h"
#include "plain.h"

enum pattern_limits {
	STEPS_IN_ALL = 2000000,        /* of one pattern over a text: PCRE2 counts anew at each place where a match may begin */
	STEPS_MIN = 256,
	STEPS_MAX = 100000,
	DEPTH_MAX = 1000,
	HEAP_KIB_MAX = 2048,
	TRIPLES = 1 << 15,             /* bits of a set of three characters each */
	RUN_TRIPLES_MAX = 8,           /* that are looked up of one pattern */
};

struct pattern {
	pcre2_code *code;
	unsigned triple_count;
	uint16_t triples[RUN_TRIPLES_MAX];
	bool needs_digit;
};

struct patterns {
	struct pattern *pattern;
	size_t count;
	pcre2_match_context *limits;
	pcre2_match_data *match;       /* what PCRE2 writes to while it matches */
};

/* --- What a pattern cannot do without --- */

static uint16_t triple(const uint8_t *bytes)
{
	return (uint16_t)(((bytes[0] * 961u) + (bytes[1] * 31u) + bytes[2]) % TRIPLES);
}

/* A class from its '[': behind it, or NULL: too much for a reader of this kind. */
static const char *class_end(const char *p)
{
	p += p[1] == '^' ? 2 : 1;
	if (*p == ']')
		return NULL;
	for (; *p && *p != ']'; p++) {
		if (*p == '[' || (*p == '\\' && strchr("QE", p[1])))
			return NULL;
		if (*p == '\\')
			p++;
	}
	return *p ? p + 1 : NULL;
}

/* A group from its '(': behind it, or NULL. Options and verbs change how the rest is read. */
static const char *group_end(const char *p)
{
	unsigned depth = 0;

	while (p && *p) {
		if (*p == '(') {
			if (p[1] == '*' || (p[1] == '?' && !strchr(":=!<", p[2])))
				return NULL;
			depth++;
		} else if (*p == ')' && --depth == 0) {
			return p + 1;
		} else if (*p == '[') {
			p = class_end(p);
			continue;
		} else if (*p == '\\') {
			if (!p[1] || strchr("QE", p[1]))
				return NULL;
			p++;
		}
		p++;
	}
	return NULL;
}

/* Behind a quantifier, if there is one; *optional: what it stands behind may be missing. */
static const char *quantifier_end(const char *p, bool *optional)
{
	*optional = *p == '?' || *p == '*' || *p == '{';
	if (*p == '{') {
		*optional = p[1] == ',' || strtoul(p + 1, NULL, 10) == 0;
		p += strspn(p + 1, "0123456789,") + 1;
		if (*p != '}')
			return NULL;
		p++;
	} else if (*p == '?' || *p == '*' || *p == '+') {
		p++;
	} else {
		return p;
	}
	return *p == '?' || *p == '+' ? p + 1 : p;
}

struct run {
	uint8_t bytes[64];
	size_t len;
};

/* A character that stands for itself; 0: `p` is at something else. */
static uint8_t literal(const char *p, const char **end)
{
	uint8_t c = (uint8_t)*p;

	*end = p + 1;
	if (c == '\\' && ispunct((uint8_t)p[1])) {
		*end = p + 2;
		return (uint8_t)p[1];
	}
	return c > ' ' && c < 0x7f && !strchr("\\^$.[|()?*+{", c) ? plain_byte(c) : 0;
}

/* Behind what is no literal; NULL: it cannot be read. */
static const char *other_end(const char *p, bool *is_digit)
{
	*is_digit = p[0] == '\\' && p[1] == 'd';
	if (*p == '(')
		return group_end(p);
	if (*p == '[')
		return class_end(p);
	if (*p == '\\')
		return p[1] && strchr("bBdDsSwWAzZtnrfvhHRX", p[1]) ? p + 2 : NULL;
	return strchr("|)?*+{", *p) ? NULL : p + 1;
}

/* The longest run of literals at the top of the pattern that cannot be missing, and whether a digit is asked for. */
static bool read_needs(const char *p, struct run *longest, bool *needs_digit)
{
	struct run run = {.len = 0};

	while (*p) {
		bool optional, is_digit = false;
		const char *end;
		uint8_t c = literal(p, &end);

		if (!c)
			end = other_end(p, &is_digit);
		p = end ? quantifier_end(end, &optional) : NULL;
		if (!p)
			return false;
		*needs_digit |= is_digit && !optional;
		if (c && !optional && run.len < sizeof(run.bytes))
			run.bytes[run.len++] = c;
		if (run.len > longest->len)
			*longest = run;
		if (!c || optional || p != end)
			run.len = 0;
	}
	return true;
}

/* The last character of the run may be another one in plain form: what follows it may be composed with it. */
static void note_needs(struct pattern *pattern, const char *text)
{
	struct run run = {.len = 0};

	if (!read_needs(text, &run, &pattern->needs_digit)) {
		pattern->needs_digit = false;
		return;
	}
	for (size_t i = 0; i + 4 <= run.len && pattern->triple_count < RUN_TRIPLES_MAX; i++)
		pattern->triples[pattern->triple_count++] = triple(run.bytes + i);
}

/* --- What a text has --- */

struct traits {
	uint8_t triples[TRIPLES / 8];
	bool digit;
};

static void traits_of(struct traits *traits, const uint8_t *bytes, size_t len, bool ascii)
{
	uint8_t last[3] = {0};

	memset(traits, 0, sizeof(*traits));
	traits->digit = !ascii;        /* there are many, and in plain form some are letters */
	for (size_t i = 0; i < len; i++) {
		uint16_t bit;

		last[0] = last[1];
		last[1] = last[2];
		last[2] = ascii ? plain_byte(bytes[i]) : bytes[i];
		bit = triple(last);
		traits->triples[bit / 8] |= (uint8_t)(1u << bit % 8);
		traits->digit |= last[2] >= '0' && last[2] <= '9';
	}
}

static bool may_match(const struct pattern *pattern, const struct traits *traits)
{
	if (pattern->needs_digit && !traits->digit)
		return false;
	for (unsigned i = 0; i < pattern->triple_count; i++)
		if (!(traits->triples[pattern->triples[i] / 8] & 1u << pattern->triples[i] % 8))
			return false;
	return true;
}

/* --- Finding --- */

static uint32_t steps_at_each_place(size_t len)
{
	size_t steps = STEPS_IN_ALL / (len + 1);

	return steps < STEPS_MIN ? STEPS_MIN : steps > STEPS_MAX ? STEPS_MAX : (uint32_t)steps;
}

/* 1: matches; 0: not; negative: could not tell. All texts are ASCII, or plain_init() found them to be UTF-8. */
static int match(const struct patterns *patterns, const struct pattern *pattern, const char *text, size_t len)
{
	int rc;

	pcre2_set_match_limit(patterns->limits, steps_at_each_place(len));
	rc = pcre2_match(pattern->code, (PCRE2_SPTR)text, len, 0, PCRE2_NO_UTF_CHECK, patterns->match, patterns->limits);

	if (rc >= 0)
		return 1;
	if (rc == PCRE2_ERROR_NOMATCH)
		return 0;
	return rc == PCRE2_ERROR_NOMEMORY ? -ENOMEM : -ELOOP;
}

static int find_as_it_stands(const struct patterns *patterns, const struct pattern *pattern, const char *text,
	size_t text_len, size_t *at, size_t *len)
{
	const PCRE2_SIZE *span = pcre2_get_ovector_pointer(patterns->match);
	int found = match(patterns, pattern, text, text_len);

	if (found == 1 && span[0] < span[1]) {
		*at = span[0];
		*len = span[1] - span[0];
	}
	return found;
}

static int find(const struct patterns *patterns, const char *text, size_t text_len, const struct plain *plain, size_t *at,
	size_t *len)
{
	struct traits traits;

	traits_of(&traits, plain ? plain->bytes : (const uint8_t *)text, plain ? plain->len : text_len, !plain);
	for (size_t i = 0; i < patterns->count; i++) {
		const struct pattern *pattern = &patterns->pattern[i];
		int found;

		if (!may_match(pattern, &traits))
			continue;
		found = find_as_it_stands(patterns, pattern, text, text_len, at, len);
		if (!found && plain)
			found = match(patterns, pattern, (const char *)plain->bytes, plain->len);
		if (found)
			return found < 0 ? found : (int)i + 1;
	}
	return 0;
}

int patterns_find(const struct patterns *patterns, const char *text, size_t text_len, size_t *at, size_t *len)
{
	struct plain plain;
	int found;

	*at = *len = 0;
	if (plain_is_ascii(text, text_len))
		return find(patterns, text, text_len, NULL, at, len);
	found = plain_init(&plain, text, text_len);
	if (!found)
		found = find(patterns, text, text_len, &plain, at, len);
	plain_fini(&plain);
	return found;
}

/* --- The list --- */

static int fault(char *why, size_t size, unsigned number, const char *what)
{
	snprintf(why, size, "pattern %u: %s", number, what);
	return -EINVAL;
}

static int add(struct patterns *patterns, const char *text, char *why, size_t size)
{
	struct pattern *pattern = &patterns->pattern[patterns->count++];
	unsigned number = (unsigned)patterns->count;
	uint32_t empty = 0;
	PCRE2_SIZE where;
	int code;

	pattern->code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
		PCRE2_UTF | PCRE2_UCP | PCRE2_CASELESS | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &code, &where, NULL);
	if (!pattern->code) {
		char message[120];

		if (code == PCRE2_ERROR_HEAP_FAILED)
			return -ENOMEM;
		pcre2_get_error_message(code, (PCRE2_UCHAR *)message, sizeof(message));
		snprintf(why, size, "pattern %u, character %zu: %s", number, (size_t)where + 1, message);
		return -EINVAL;
	}
	pcre2_pattern_info(pattern->code, PCRE2_INFO_MATCHEMPTY, &empty);
	if (empty)
		return fault(why, size, number, "it matches nothing at all, so any text");
	note_needs(pattern, text);
	return 0;
}

static int init(struct patterns *patterns, const char *const *list, char *why, size_t size)
{
	size_t count = 0;
	int err = 0;

	while (list[count])
		count++;
	patterns->pattern = calloc(count + 1, sizeof(*patterns->pattern));
	patterns->limits = pcre2_match_context_create(NULL);
	patterns->match = pcre2_match_data_create(1, NULL);
	if (!patterns->pattern || !patterns->limits || !patterns->match)
		return -ENOMEM;
	pcre2_set_depth_limit(patterns->limits, DEPTH_MAX);
	pcre2_set_heap_limit(patterns->limits, HEAP_KIB_MAX);
	for (size_t i = 0; i < count && !err; i++)
		err = add(patterns, list[i], why, size);
	return err;
}

struct patterns *patterns_new(const char *const *list, char *why, size_t size)
{
	struct patterns *patterns = calloc(1, sizeof(*patterns));
	int err = patterns ? init(patterns, list, why, size) : -ENOMEM;

	if (!err)
		return patterns;
	patterns_free(patterns);
	errno = -err;
	return NULL;
}

void patterns_free(struct patterns *patterns)
{
	if (!patterns)
		return;
	for (size_t i = 0; i < patterns->count; i++)
		pcre2_code_free(patterns->pattern[i].code);
	free(patterns->pattern);
	pcre2_match_data_free(patterns->match);
	pcre2_match_context_free(patterns->limits);
	free(patterns);
}
