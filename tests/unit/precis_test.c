#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/precis.h"

/* NULL: not allowed. */
static const struct row {
	const char *text, *username, *opaque;
} rows[] = {
	/* RFC 8265 3.5 */
	{"juliet@example.com", "juliet@example.com", "juliet@example.com"},
	{"fussball", "fussball", "fussball"},
	{"fu\u00dfball", "fu\u00dfball", "fu\u00dfball"},
	{"\u03c0", "\u03c0", "\u03c0"},
	{"\u03a3", "\u03c3", "\u03a3"},
	{"\u03c3", "\u03c3", "\u03c3"},
	{"\u03c2", "\u03c2", "\u03c2"},
	{"foo bar", NULL, "foo bar"},
	{"", NULL, NULL},
	{"henry\u2163", NULL, "henry\u2163"},
	{"\u221e", NULL, "\u221e"},
	/* RFC 8265 4.3 */
	{"correct horse battery staple", NULL, "correct horse battery staple"},
	{"Correct Horse Battery Staple", NULL, "Correct Horse Battery Staple"},
	{"\u03c0\u00df\u00e5", "\u03c0\u00df\u00e5", "\u03c0\u00df\u00e5"},
	{"Jack of \u2666s", NULL, "Jack of \u2666s"},
	{"foo\u1680bar", NULL, "foo bar"},
	{"my cat is a \tby", NULL, NULL},

	{"Juliet", "juliet", "Juliet"},
	{"\uff2a\uff55\uff4c", "jul", "\uff2a\uff55\uff4c"},           /* fullwidth */
	{"\uff76\uff9e", "\u30ac", "\uff76\uff9e"},                    /* halfwidth, and then composed */
	{"u\u0308", "\u00fc", "\u00fc"},
	{"\u1e9e", "\u00df", "\u1e9e"},
	{"\u0130", "i\u0307", "\u0130"},
	{"\u13a0", "\uab70", "\u13a0"},
	{"\u212a", "k", "K"},
	{"\u2126", "\u03c9", "\u03a9"},
	{"\u1f88", "\u1f80", "\u1f88"},
	{"\u01c5", NULL, "\u01c5"},                                    /* titlecase of a digraph: lowered it is compatible */
	{"a\u00a0b\u2003c\u3000d", NULL, "a b c d"},
	{"\u0344", "\u0308\u0301", "\u0308\u0301"},
	{"\ufb01", NULL, "\ufb01"},

	/* RFC 8264 9.6 */
	{"\u06fd\u06fe", "\u06fd\u06fe", "\u06fd\u06fe"},
	{"\u0f0b\u3007", "\u0f0b\u3007", "\u0f0b\u3007"},
	{"\u0640", NULL, NULL},
	{"\u07fa", NULL, NULL},
	{"\u302e", NULL, NULL},
	{"\u3031\u3032", NULL, NULL},
	{"\u303b", NULL, NULL},

	/* RFC 5892 appendix A */
	{"\u0915\u094d\u200c\u0937", "\u0915\u094d\u200c\u0937", "\u0915\u094d\u200c\u0937"},
	{"\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937"},
	{"\u0646\u0647\u200c\u0627", "\u0646\u0647\u200c\u0627", "\u0646\u0647\u200c\u0627"},  /* between joining letters */
	{"\u0646\u064e\u200c\u064e\u0627", "\u0646\u064e\u200c\u064e\u0627", "\u0646\u064e\u200c\u064e\u0627"},
	{"\u0627\u200c\u0646", NULL, NULL},                            /* alef joins to the right only */
	{"\u0646\u200d\u0627", NULL, NULL},
	{"\u200c", NULL, NULL},
	{"a\u200c", NULL, NULL},
	{"a\u200db", NULL, NULL},
	{"l\u00b7l", "l\u00b7l", "l\u00b7l"},
	{"L\u00b7L", "l\u00b7l", NULL},
	{"\u00b7l", NULL, NULL},
	{"l\u00b7", NULL, NULL},
	{"\u0375\u03b1", "\u0375\u03b1", "\u0375\u03b1"},
	{"\u0375a", NULL, NULL},
	{"\u0375", NULL, NULL},
	{"\u05d0\u05f3", "\u05d0\u05f3", "\u05d0\u05f3"},
	{"\u05d0\u05f4", "\u05d0\u05f4", "\u05d0\u05f4"},
	{"\u05f3", NULL, NULL},
	{"a\u05f4", NULL, NULL},
	{"\u30fb\u30a2", "\u30fb\u30a2", "\u30fb\u30a2"},
	{"\u4e2d\u30fba", "\u4e2d\u30fba", "\u4e2d\u30fba"},
	{"\u3042\u30fb", "\u3042\u30fb", "\u3042\u30fb"},
	{"a\u30fbb", NULL, NULL},
	{"\u0627\u0661\u0669", "\u0627\u0661\u0669", "\u0627\u0661\u0669"},
	{"\u0627\u06f1\u06f9", "\u0627\u06f1\u06f9", "\u0627\u06f1\u06f9"},
	{"\u0627\u0661\u06f1", NULL, NULL},

	/* RFC 5893 2 */
	{"\u05d0\u05d1\u05d2", "\u05d0\u05d1\u05d2", "\u05d0\u05d1\u05d2"},
	{"\u05d0-1", "\u05d0-1", "\u05d0-1"},                          /* rules 1 to 3 */
	{"\u05d0-", NULL, "\u05d0-"},
	{"\u05d01\u05b0", "\u05d01\u05b0", "\u05d01\u05b0"},           /* a mark at the end is not the end */
	{"\u05d0a", NULL, "\u05d0a"},
	{"1\u05d0", NULL, "1\u05d0"},
	{"\u0661", NULL, "\u0661"},
	{"\u0627\u06611", NULL, "\u0627\u06611"},                      /* rule 4 */
	{"\u06271\u06f1", "\u06271\u06f1", "\u06271\u06f1"},
	{"a\u05d0b", NULL, "a\u05d0b"},                                /* rule 5 */
	{"a\u0661", NULL, "a\u0661"},
	{"a-", "a-", "a-"},                                            /* nothing goes from right to left */

	/* What is never allowed */
	{"\u00ad", NULL, NULL},
	{"a\u2060b", NULL, NULL},
	{"a\u180eb", NULL, NULL},
	{"\ufe0f", NULL, NULL},
	{"\u1100\u1161", "\uac00", "\uac00"},                          /* composed; alone they are old jamo */
	{"\u1100", NULL, NULL},
	{"\ua960", NULL, NULL},
	{"\ud7b0", NULL, NULL},
	{"\u3164", NULL, NULL},
	{"\ufffe", NULL, NULL},
	{"\ue000", NULL, NULL},
	{"\u0378", NULL, NULL},
	{"\U000e0041", NULL, NULL},
	{"\x80", NULL, NULL},
	{"\xc0\x80", NULL, NULL},
	{"\xed\xa0\x80", NULL, NULL},
	{"\xf4\x90\x80\x80", NULL, NULL},
};

static bool is_as_written(const char *text, enum precis_profile profile, const char *expected)
{
	char *normal = NULL;
	size_t len = 0;
	int err = precis_normalise(profile, text, strlen(text), &normal, &len);
	bool same = err ? err == -EILSEQ && !expected :
			  expected && len == strlen(expected) && !memcmp(normal, expected, len);

	if (!same)
		print_error("%s by profile %d: %d %.*s\n", text, profile, err, (int)len, normal ? normal : "");
	free(normal);
	return same;
}

static void normalises_usernames(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		wrong += !is_as_written(rows[i].text, PRECIS_USERNAME, rows[i].username);
	assert_int_equal(wrong, 0);
}

static void normalises_opaque_strings(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		wrong += !is_as_written(rows[i].text, PRECIS_OPAQUE, rows[i].opaque);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normalises_usernames),
		cmocka_unit_test(normalises_opaque_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
