/* Patterns: what a text has not the letters for is never matched, and nothing is missed by that. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/patterns.h"

static const char *const list[] = {"abc", "ab?c", "abcd?", "a(?:bc)?d", "abc|bcd", "(?i:abc)d", "ab{0,1}cd",
	"ab{2}c", "a[bc]d",
	"a[^]b]cd", "[]a]bcd", "abcd\\.ab", "\\babc\\b", "a\\Qbc\\Ed", "(*UTF)abcd", "(?x) a b c d", "abcd+",
		"abcd*", "abc(?=d)",
	"(?<!a)bcd", "\\d{2}abc", "(abc){2}", "(abc)?d", "a{,2}bcd", "kelvin", "straße", "ſabc", "abcé",
		"abce", "\\x61bcd",
	"ab\\x{63}d", "a.cd", "^abcd$", "abc\\\\d", "bcd\\d+", "(?#abcd)ab", "a\\dbcd", "abcd(?:[)]|x)a",
		"\\d?abc", "abc\\d*", NULL};

/* What texts are made of; the letters that fold to ASCII, and those that are composed with what is before them. */
static const char *const pieces[] = {"a", "b", "c", "d", "A", "B", "C", "D", "abc", "bcd", "abcd", "ab", ".", " ",
	"\n", "1", "22",
	"\u212a", "k", "elvin", "KELVIN", "\u017f", "s", "straße", "STRASSE", "\u0301", "e", "é", "\u200b",
		"ａ", "ｂ", "１", "\\",
	"]", "x", "\u0661"};

enum { PIECES = sizeof(pieces) / sizeof(*pieces), TEXTS = 30000 };

static unsigned random_below(unsigned n)
{
	static uint64_t seed = 4711;

	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static size_t make_text(char *text, size_t size)
{
	size_t len = 0;

	*text = '\0';
	for (unsigned n = random_below(9); n; n--)
		len += (size_t)snprintf(text + len, size - len, "%s", pieces[random_below(PIECES)]);
	return len;
}

static bool matches(const pcre2_code *code, const char *text, size_t len)
{
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	int rc = pcre2_match(code, (PCRE2_SPTR)text, len, 0, 0, data, NULL);

	pcre2_match_data_free(data);
	return rc >= 0;
}

static void misses_nothing(void **state)
{
	unsigned found = 0;

	(void)state;
	for (const char *const *pattern = list; *pattern; pattern++) {
		const char *const one[] = {*pattern, NULL};
		char why[160] = "";
		struct patterns *patterns = patterns_new(one, why, sizeof(why));
		int code_error;
		size_t where;
		pcre2_code *code = pcre2_compile((PCRE2_SPTR)*pattern, PCRE2_ZERO_TERMINATED,
			PCRE2_UTF | PCRE2_UCP | PCRE2_CASELESS | PCRE2_MULTILINE, &code_error, &where, NULL);

		if (!patterns || !code)
			fail_msg("%s: %s", *pattern, why);
		for (unsigned i = 0; i < TEXTS / 10; i++) {
			char text[256];
			size_t len = make_text(text, sizeof(text)), at, n;
			int rc = patterns_find(patterns, text, len, &at, &n);

			if (matches(code, text, len)) {
				if (rc != 1 || !n)
					fail_msg("/%s/ is not found in \"%s\"", *pattern, text);
				found++;
			}
			assert_true(rc >= 0);
		}
		pcre2_code_free(code);
		patterns_free(patterns);
	}
	assert_true(found > 1000);
}

static void finds_what_is_written_otherwise(void **state)
{
	static const char *const one[] = {"project \\d+", "geheim", NULL};
	static const struct {
		const char *text;
		int number;
	} rows[] = {{"PROJECT 12", 1}, {"ｐｒｏｊｅｃｔ　１２", 1}, {"pro\u200bject 12", 1}, {"ein GEHEIMNIS", 2}, {"proj "
		"ect 12", 0},
		{"project x", 0}, {"", 0}, {"é", 0}};
	char why[160];
	struct patterns *patterns = patterns_new(one, why, sizeof(why));
	size_t at, len;

	(void)state;
	assert_non_null(patterns);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(patterns_find(patterns, rows[i].text, strlen(rows[i].text), &at, &len),
		rows[i].number);
	assert_int_equal(patterns_find(patterns, "ab Project 7 c", 14, &at, &len), 1);
	assert_int_equal(at, 3);
	assert_int_equal(len, 9);
	assert_int_equal(patterns_find(patterns, "\xc3", 1, &at, &len), -22);
	patterns_free(patterns);
}

/* Whoever writes the text must not be able to make it take long, whatever the pattern is. */
static void ends_in_time(void **state)
{
	static const char *const slow[] = {"(a+)+b$", "a.*a.*a.*b", "(?:a|aa)+c", NULL};
	enum { BYTES = 200000 };
	char *text = malloc(BYTES), why[160];
	struct patterns *patterns = patterns_new(slow, why, sizeof(why));
	size_t at, len;

	(void)state;
	assert_non_null(text);
	assert_non_null(patterns);
	memset(text, 'a', BYTES);
	memcpy(text + BYTES - 3, "dbx", 3);
	assert_int_equal(patterns_find(patterns, text, BYTES, &at, &len), -40);
	patterns_free(patterns);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(misses_nothing),
		cmocka_unit_test(finds_what_is_written_otherwise),
		cmocka_unit_test(ends_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
