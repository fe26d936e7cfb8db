#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/words.h"

static const char *const list[] = {
	"secret",
	"Top  Priority",
	"stra\u00dfe",
	"\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2",
	"\u0441\u0435\u043a\u0440\u0435\u0442",
	"\u673a\u5bc6",
	"caf\u00e9",
	"#tag",
	"ab12",
	NULL,
};

static const struct {
	const char *text;
	int found;
} rows[] = {
	{"", 0},
	{"nothing here", 0},
	{"secret", 1},
	{"It is SeCrEt.", 1},
	{"secretary", 0},
	{"asecret", 0},
	{"secrets", 0},
	{"my secretary has a secret", 1},
	{"(secret)", 1},
	{"end.secret.then", 1},
	{"x_secret_y", 1},
	{"secret2", 1},
	{"2secret", 1},
	{"l'secret", 1},
	{"sec ret", 0},
	{"s\u00adecret", 1},                                                 /* soft hyphen */
	{"s\u200be\u200cc\u200dr\u2060e\ufefft", 1},                         /* zero width */
	{"\u202esecret\u202c", 1},                                           /* direction marks */
	{"sec\u034fret", 1},                                                 /* grapheme joiner */
	{"secre\U000E0074t", 1},                                             /* tag character */
	{"\uff33\uff45\uff43\uff52\uff45\uff54", 1},                         /* full width */
	{"\U0001D42C\U0001D41E\U0001D41C\U0001D42B\U0001D41E\U0001D42D", 1}, /* mathematical bold */
	{"\u24d4 \u24e2\u24d4\u24d2\u24e1\u24d4\u24e3", 1},                  /* circled */
	{"\u201esecret\u201c", 1},
	{"secret\u00e9", 0},
	{"top priority", 1},
	{"TOP\r\n\t PRIORITY!", 1},
	{"top\u00a0priority", 1},
	{"top\u3000\u2003priority", 1},
	{"toppriority", 0},
	{"top and priority", 0},
	{"top priority\u2026", 1},
	{"STRASSE", 1},
	{"Stra\u1e9ee", 1},
	{"Strassenbahn", 0},
	{"\u03a3\u038a\u03a3\u03a5\u03a6\u039f\u03a3", 1}, /* final sigma */
	{"\u0421\u0415\u041a\u0420\u0415\u0422", 1},
	{"\u0441\u0435\u043a\u0440\u0435\u0442\u043d\u043e", 0},
	{"\u8fd9\u662f\u673a\u5bc6\u6587\u4ef6", 1}, /* no spaces in this script */
	{"\u673a \u5bc6", 0},
	{"CAFE\u0301", 1}, /* composed or not */
	{"cafe", 0},
	{"a #tag", 1},
	{"a tag", 0},
	{"#tags", 0},
	{"ab12", 1},
	{"ab123", 0},
	{"xab12", 0},
	{"ab 12", 0},
};

static void finds_words(void **state)
{
	struct words *words = words_new(list);

	(void)state;
	assert_non_null(words);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int found = words_find(words, rows[i].text, strlen(rows[i].text));

		if (found != rows[i].found)
			print_error("%s: %d\n", rows[i].text, found);
		assert_int_equal(found, rows[i].found);
	}
	words_free(words);
}

/* What people take for the letters of a word. */
static void finds_lookalikes(void **state)
{
	static const char *const words_of[] = {"bomb", "secret", "paypal", "agent 007", "\u0432\u043e\u0434\u0430",
		"\u03bd\u03b5\u03c1\u03cc", NULL};
	static const struct {
		const char *text;
		int found;
	} looks[] = {
		{"s\u0435cr\u0435t", 1},                     /* Cyrillic e */
		{"\u0455\u0435\u0441r\u0435t", 1},           /* most of it Cyrillic */
		{"\u0421\u0435cret", 0},                     /* a capital C */
		{"\u0405ECRET", 1},                          /* a capital Dze */
		{"p\u03b1yp\u03b1l", 1},                     /* Greek alpha */
		{"\u0420aypal", 1},                          /* capital Er */
		{"\u0412\u041e\u041c\u0412", 1},             /* capitals whose small letters look like none */
		{"\u0432\u043e\u043c\u0432", 0},
		{"a \u0412omb", 1},
		{"s\u0336e\u0336c\u0336r\u0336e\u0336t\u0336", 1},         /* struck through */
		{"\u13b4", 0},
		{"b\u0585mb", 1},                            /* Armenian */
		{"agent \u06f507", 0},                       /* a five */
		{"agent \u0ce607", 1},                       /* looks like an o, and is a zero */
		{"\u0432\u043e\u0434\u0430", 1},             /* real words of other scripts */
		{"\u0412\u041e\u0414\u0410", 1},
		{"\u0432o\u0434a", 1},                       /* and these with letters of ours */
		{"\u0432\u043e\u0434\u0443", 0},
		{"\u039d\u0395\u03a1\u038c", 1},
		{"\u03bd\u03b5\u03c1\u03b1", 0},
		{"\u0431\u043e\u043c\u0431\u0430", 0},
	};
	struct words *words = words_new(words_of);

	(void)state;
	assert_non_null(words);
	for (size_t i = 0; i < sizeof(looks) / sizeof(*looks); i++) {
		int found = words_find(words, looks[i].text, strlen(looks[i].text));

		if (found != looks[i].found)
			print_error("row %zu, %s: %d\n", i, looks[i].text, found);
		assert_int_equal(found, looks[i].found);
	}
	words_free(words);
}

static uint32_t random_number(void)
{
	static uint32_t random = 7;

	random = random * 1664525 + 1013904223;
	return random >> 16;
}

static void put_pieces(char *out, size_t size, unsigned count)
{
	static const char *const pieces[] = {"a", "b", "ab", "ba", "a b", "-", " ", "1", "\u00e9", "\u0430"};
	size_t len = 0;

	*out = '\0';
	while (count--)
		len += (size_t)snprintf(out + len, size - len, "%s", pieces[random_number() % 10]);
}

/* However many words there are, and whichever begin alike: what is found is what one of them alone finds. */
static void finds_among_many_what_each_finds(void **state)
{
	enum { WORDS = 60, TEXTS = 4000 };
	struct words *each[WORDS], *all;
	char word[WORDS][24];
	const char *list_of_all[WORDS + 1] = {NULL};
	unsigned found = 0;

	(void)state;
	for (unsigned i = 0; i < WORDS; i++) {
		word[i][0] = 'b';
		put_pieces(word[i] + 1, sizeof(word[i]) - 1, 2 + i % 4);
		list_of_all[i] = word[i];
		each[i] = words_new((const char *const[]){word[i], NULL});
		assert_non_null(each[i]);
	}
	all = words_new(list_of_all);
	assert_non_null(all);
	for (unsigned i = 0; i < TEXTS; i++) {
		char text[64];
		int expected = 0;

		put_pieces(text, sizeof(text), 1 + i % 9);
		for (unsigned w = 0; w < WORDS && !expected; w++)
			expected = words_find(each[w], text, strlen(text));
		if (words_find(all, text, strlen(text)) != expected)
			fail_msg("\"%s\": %d", text, !expected);
		found += (unsigned)expected;
	}
	assert_in_range(found, TEXTS / 10, TEXTS * 9 / 10);
	for (unsigned i = 0; i < WORDS; i++)
		words_free(each[i]);
	words_free(all);
}

static void finds_only_in_the_given_length(void **state)
{
	struct words *words = words_new(list);

	(void)state;
	assert_int_equal(words_find(words, "secret", 5), 0);
	assert_int_equal(words_find(words, "secretary", 6), 1);
	words_free(words);
}

/* Text that is all ASCII is looked at in another way; both must find the same. */
static void finds_the_same_beside_other_scripts(void **state)
{
	static const char *const few[] = {"a", "ab", "a b", "b  a1", "-a", "1-", NULL};
	static const char letters[] = "aB \t1-";
	struct words *words[] = {words_new(few), words_new(few + 1), words_new(few + 2), words_new(few + 3),
		words_new(few + 4), words_new(few + 5)};
	uint32_t random = 1;
	unsigned found[2] = {0};

	(void)state;
	for (unsigned i = 0; i < 60000; i++) {
		static const char other[] = " \u00e9";
		struct words *of = words[i % 6];
		char text[16 + sizeof(other)];
		size_t len = 0;

		for (; len < 1 + i % 13; len++) {
			random = random * 1664525 + 1013904223;
			text[len] = letters[(random >> 16) % (sizeof(letters) - 1)];
		}
		memcpy(text + len, other, sizeof(other) - 1);
		assert_int_equal(words_find(of, text, len), words_find(of, text, len + sizeof(other) - 1));
		found[words_find(of, text, len)]++;
	}
	assert_true(found[0] > 1000 && found[1] > 1000);
	for (unsigned i = 0; i < 6; i++)
		words_free(words[i]);
}

static void refuses_text_that_is_not_utf8(void **state)
{
	struct words *words = words_new(list);

	(void)state;
	assert_int_equal(words_find(words, "secret \xff", 8), -EINVAL);
	words_free(words);
}

static void refuses_words_without_anything_visible(void **state)
{
	static const char *const lists[][2] = {{""}, {" \t"}, {"\u200b\u00ad"}, {"\xff"}};

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		errno = 0;
		assert_null(words_new(lists[i]));
		assert_int_equal(errno, EINVAL);
	}
}

static void an_empty_list_finds_nothing(void **state)
{
	static const char *const empty[] = {NULL};
	struct words *words = words_new(empty);

	(void)state;
	assert_non_null(words);
	assert_int_equal(words_find(words, "secret", 6), 0);
	words_free(words);
	words_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_words),
		cmocka_unit_test(finds_lookalikes),
		cmocka_unit_test(finds_among_many_what_each_finds),
		cmocka_unit_test(finds_only_in_the_given_length),
		cmocka_unit_test(finds_the_same_beside_other_scripts),
		cmocka_unit_test(refuses_text_that_is_not_utf8),
		cmocka_unit_test(refuses_words_without_anything_visible),
		cmocka_unit_test(an_empty_list_finds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
