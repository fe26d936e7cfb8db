#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/jid.h"
#include "policy/policy.h"

static const struct row {
	const char *jid;
	int result;
	const char *domain;
} rows[] = {
	/* RFC 7622 3.5, table 1 */
	{"juliet@example.com", 0, "example.com"},
	{"juliet@example.com/foo", 0, "example.com"},
	{"juliet@example.com/foo bar", 0, "example.com"},
	{"juliet@example.com/foo@bar", 0, "example.com"},
	{"foo\\20bar@example.com", 0, "example.com"},
	{"fussball@example.com", 0, "example.com"},
	{"fu\u00dfball@example.com", -ENOTUNIQ, "example.com"},        /* fussball, to servers of RFC 6122 */
	{"\u03c0@example.com", 0, "example.com"},
	{"\u03a3@example.com/foo", -EILSEQ, "example.com"},    /* valid, but its normal form is the next one */
	{"\u03c3@example.com/foo", 0, "example.com"},
	{"\u03c2@example.com/foo", -ENOTUNIQ, "example.com"},
	{"king@example.com/\u265a", 0, "example.com"},
	{"example.com", 0, "example.com"},
	{"example.com/foobar", 0, "example.com"},
	{"a.example.com/b@example.net", 0, "a.example.com"},
	/* RFC 7622 3.5, table 2 */
	{"\"juliet\"@example.com", -EILSEQ, "example.com"},
	{"foo bar@example.com", -EILSEQ, "example.com"},
	{"juliet@example.com/ foo", 0, "example.com"},         /* listed as none, but no rule forbids the space */
	{"@example.com/", -EILSEQ, "example.com"},
	{"henry\u2163@example.com", -EILSEQ, "example.com"},
	{"\u265a@example.com", -EILSEQ, "example.com"},
	{"juliet@", -EINVAL, NULL},
	{"/foobar", -EINVAL, NULL},

	/* Domains */
	{"b.example", 0, "b.example"},
	{"B.Example", -EILSEQ, "b.example"},
	{"b.example.", -EILSEQ, "b.example"},
	{"user@b.example./home", -EILSEQ, "b.example"},
	{"user@b.example/a@b/c d", 0, "b.example"},
	{"us.er+x=1@b", 0, "b"},
	{"_x.b-2.example", 0, "_x.b-2.example"},
	{"user@192.0.2.1", 0, "192.0.2.1"},
	{"user@[2001:db8::1]", 0, "[2001:db8::1]"},
	{"user@[2001:DB8::1]", -EILSEQ, "[2001:db8::1]"},
	{"user@[2001:db8:0:0::1]", -EILSEQ, "[2001:db8::1]"},
	{"[::ffff:192.0.2.1]", 0, "[::ffff:192.0.2.1]"},
	{"\u00fc@b\u00fccher.example", 0, "xn--bcher-kva.example"},
	{"user@xn--bcher-kva.example/b\u00fc", 0, "xn--bcher-kva.example"},
	{"B\u00dcCHER.Example.", -EILSEQ, "xn--bcher-kva.example"},
	{"user@XN--bcher-kva.example", -EILSEQ, "xn--bcher-kva.example"},
	{"user@bu\u0308cher.example", -EILSEQ, "xn--bcher-kva.example"},
	{"b\u00fccher.xn--bcher-kva.example", -EILSEQ, "xn--bcher-kva.xn--bcher-kva.example"},
	{"b\uff0eexample", -EILSEQ, "b.example"},
	{"b\u3002example", -EILSEQ, "b.example"},
	{"\uff42.example", -EILSEQ, "b.example"},
	{"fa\u00df.example", -ENOTUNIQ, "xn--fa-hia.example"},         /* IDNA 2003 makes fass of it */
	{"xn--fa-hia.example", 0, "xn--fa-hia.example"},
	{"\u05d0\u05d1.example", 0, "xn--4dbc.example"},
	{"xn--b-.example", -EINVAL, NULL},                             /* "b" in disguise */
	{"xn--a.example", -EINVAL, NULL},
	{"xn--.example", -EINVAL, NULL},
	{"x.xn--abc-.example", -EINVAL, NULL},
	{"xn--b-2ka.example", -EINVAL, NULL},                          /* A-label of a capital */
	{"-\u00fc.example", -EINVAL, NULL},
	{"\u2665.example", -EINVAL, NULL},
	{"a\u200db.example", -EINVAL, NULL},
	{"\u05d0a.example", -EINVAL, NULL},
	{"", -EINVAL, NULL},
	{"@", -EINVAL, NULL},
	{"/", -EINVAL, NULL},
	{"user@/home", -EINVAL, NULL},
	{"/home", -EINVAL, NULL},
	{".", -EINVAL, NULL},
	{".b.example", -EINVAL, NULL},
	{"b..example", -EINVAL, NULL},
	{"b.example..", -EINVAL, NULL},
	{"user@c@b.example", -EINVAL, NULL},
	{"b example", -EINVAL, NULL},
	{" b.example", -EINVAL, NULL},
	{"b.example\n", -EINVAL, NULL},
	{"b.example:5269", -EINVAL, NULL},
	{"b.example'", -EINVAL, NULL},
	{"[::1", -EINVAL, NULL},
	{"[::1].", -EILSEQ, "[::1]"},
	{"[]", -EINVAL, NULL},
	{"[x]", -EINVAL, NULL},
	{"[1::2::3]", -EINVAL, NULL},
	{"[fe80::1%1]", -EINVAL, NULL},
	{"[192.0.2.1]", -EINVAL, NULL},
	{"\xff.example", -EINVAL, NULL},
	{"\xed\xa0\x80.example", -EINVAL, NULL},

	/* Localparts */
	{"@b.example", -EILSEQ, "b.example"},
	{"us er@b.example", -EILSEQ, "b.example"},
	{"us\"er@b.example", -EILSEQ, "b.example"},
	{"us:er@b.example", -EILSEQ, "b.example"},
	{"us\ter@b.example", -EILSEQ, "b.example"},
	{"us\x7f" "er@b.example", -EILSEQ, "b.example"},
	{"User@b.example", -EILSEQ, "b.example"},
	{"J\u00fcrgen@b.example", -EILSEQ, "b.example"},
	{"j\u00fcrgen@b.example", 0, "b.example"},
	{"ju\u0308rgen@b.example", -EILSEQ, "b.example"},
	{"p\u0430ypal@b.example", 0, "b.example"},             /* mixed scripts: another name, as RFC 8264 12.5 knows */
	{"\uff41@b.example", -EILSEQ, "b.example"},            /* fullwidth a */
	{"\uff76\uff9e@b.example", -EILSEQ, "b.example"},      /* halfwidth katakana ga */
	{"\u30ac@b.example", 0, "b.example"},
	{"\ufb01sh@b.example", -EILSEQ, "b.example"},          /* ligature fi */
	{"\u1e9e@b.example", -EILSEQ, "b.example"},            /* capital sharp s */
	{"\u0131@b.example", 0, "b.example"},                  /* dotless i is a letter of its own */
	{"\u0130@b.example", -EILSEQ, "b.example"},
	{"i\u0307@b.example", 0, "b.example"},                 /* to which the one before is lowered */
	{"\u212a@b.example", -EILSEQ, "b.example"},            /* Kelvin sign */
	{"\u017f@b.example", -EILSEQ, "b.example"},            /* long s */
	{"\u13a0@b.example", -EILSEQ, "b.example"},            /* Cherokee: the capitals were there first, */
	{"\uab70@b.example", -ENOTUNIQ, "b.example"},          /* and case folding makes capitals of small letters */
	{"\u0430\u200c\u0431@b.example", -EILSEQ, "b.example"},
	{"\u0915\u094d\u200d\u0937@b.example", -ENOTUNIQ, "b.example"},        /* joiners vanish in RFC 6122 */
	{"\u0646\u0627\u0645\u0647\u200c\u0627\u06cc@b.example", -ENOTUNIQ, "b.example"},
	{"us\u00ader@b.example", -EILSEQ, "b.example"},        /* soft hyphen */
	{"us\u202eer@b.example", -EILSEQ, "b.example"},
	{"us\ufeffer@b.example", -EILSEQ, "b.example"},
	{"us\u034fer@b.example", -EILSEQ, "b.example"},
	{"us\u3000er@b.example", -EILSEQ, "b.example"},
	{"us\u2028er@b.example", -EILSEQ, "b.example"},
	{"us\xc2\x85" "er@b.example", -EILSEQ, "b.example"},
	{"\u05d0\u05d1@b.example", 0, "b.example"},
	{"\u05d01@b.example", 0, "b.example"},
	{"1\u05d0@b.example", -EILSEQ, "b.example"},
	{"a\u05d0@b.example", -EILSEQ, "b.example"},
	{"\u0661\u0662\u06f3\u0627@b.example", -EILSEQ, "b.example"},
	{"\u0627\u0661\u0662@b.example", 0, "b.example"},
	{"\u1100@b.example", -EILSEQ, "b.example"},            /* conjoining jamo */
	{"\u115f@b.example", -EILSEQ, "b.example"},
	{"\ud55c@b.example", 0, "b.example"},
	{"\u0378@b.example", -EILSEQ, "b.example"},            /* unassigned */
	{"\U0010ffff@b.example", -EILSEQ, "b.example"},        /* noncharacter */
	{"\ue000@b.example", -EILSEQ, "b.example"},            /* private use */
	{"\U0001f600@b.example", -EILSEQ, "b.example"},
	{"\u0149@b.example", -EILSEQ, "b.example"},
	{"l\u00b7l@b.example", 0, "b.example"},
	{"a\u00b7l@b.example", -EILSEQ, "b.example"},
	{"us\xff" "er@b.example", -EILSEQ, "b.example"},
	{"us\xc0\xaf" "er@b.example", -EILSEQ, "b.example"},

	/* Resourceparts */
	{"b.example/", -EILSEQ, "b.example"},
	{"user@b.example/a\tb", -EILSEQ, "b.example"},
	{"user@b.example/a\x7f", -EILSEQ, "b.example"},
	{"user@b.example/ ", 0, "b.example"},
	{"user@b.example/CaSe", 0, "b.example"},
	{"user@b.example/\u00c4\u00d6", 0, "b.example"},
	{"user@b.example/A\u0308", -EILSEQ, "b.example"},
	{"user@b.example/\u2163", -ENOTUNIQ, "b.example"},     /* IV to servers of RFC 6122 */
	{"user@b.example/\ufb01", -ENOTUNIQ, "b.example"},
	{"user@b.example/\uff21", -ENOTUNIQ, "b.example"},
	{"user@b.example/\U0001f130", -ENOTUNIQ, "b.example"}, /* younger than their tables */
	{"user@b.example/\u00df\u03c2", 0, "b.example"},       /* no case is folded here */
	{"user@b.example/\U0001f600 at \u2615", 0, "b.example"},
	{"user@b.example/\U0001f44d\U0001f3fd", 0, "b.example"},       /* with a skin tone */
	{"user@b.example/\U0001f1ea\U0001f1fa", 0, "b.example"},       /* a flag */
	{"user@b.example/\u2764\ufe0f", -EILSEQ, "b.example"},         /* variation selector */
	{"user@b.example/\U0001f469\u200d\U0001f680", -EILSEQ, "b.example"},
	{"user@b.example/a\u00a0b", -EILSEQ, "b.example"},
	{"user@b.example/a\u3000b", -EILSEQ, "b.example"},
	{"user@b.example/a\u200bb", -EILSEQ, "b.example"},
	{"user@b.example/a\u202eb", -EILSEQ, "b.example"},
	{"user@b.example/1\u05d0a", 0, "b.example"},           /* no bidi rule here */
	{"user@b.example/\ue000", -EILSEQ, "b.example"},
	{"user@b.example/\u0378", -EILSEQ, "b.example"},
	{"user@b.example/a\xc3", -EILSEQ, "b.example"},

	/* The graver finding is told. */
	{"fu\u00df@b.example/\t", -EILSEQ, "b.example"},
	{"fu\u00df@B.example", -EILSEQ, "b.example"},
	{"\t@fa\u00df.example", -EILSEQ, "xn--fa-hia.example"},
};

static bool is_as_written(const struct row *row)
{
	char domain[JID_PART_BYTES + 1];
	struct jid jid;
	int result = jid_parse(&jid, row->jid);

	int err = jid_domain(row->jid, domain, sizeof(domain));

	if (result == row->result && err == (row->domain ? 0 : -EINVAL) && (err || !strcmp(domain, row->domain)))
		return true;
	print_error("%s: %d, domain %s\n", row->jid, result, err ? "none" : domain);
	return false;
}

static void parses(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		wrong += !is_as_written(&rows[i]);
	assert_int_equal(wrong, 0);
}

static void takes_apart(void **state)
{
	struct jid jid;

	(void)state;
	assert_int_equal(jid_parse(&jid, "user@b.example/home/2"), 0);
	assert_int_equal(jid.local_len, 4);
	assert_int_equal(jid.domain_len, 9);
	assert_int_equal(jid.resource_len, 6);
	assert_string_equal(jid.resource, "home/2");
	assert_int_equal(jid_parse(&jid, "b"), 0);
	assert_int_equal(jid.local_len + jid.resource_len, 0);
}

/* Each part at 1023 bytes and one over (RFC 7622 3.2 to 3.4). */
static int parse_with_lengths(size_t local, size_t domain, size_t resource)
{
	char text[4096], *end = text;
	struct jid jid;

	memset(end, 'l', local);
	end += local;
	*end++ = '@';
	memset(end, 'd', domain);
	end += domain;
	*end++ = '/';
	memset(end, 'r', resource);
	end += resource;
	*end = '\0';
	return jid_parse(&jid, text);
}

/* The bound is of bytes, not of characters. */
static int parse_local_of(const char *character, size_t count)
{
	char text[4096] = "", *end = text;
	struct jid jid;

	for (size_t i = 0; i < count; i++)
		end = stpcpy(end, character);
	stpcpy(end, "@b");
	return jid_parse(&jid, text);
}

static void bounds_each_part(void **state)
{
	(void)state;
	assert_int_equal(parse_with_lengths(1023, 1023, 1023), 0);
	assert_int_equal(parse_with_lengths(1024, 1023, 1023), -EILSEQ);
	assert_int_equal(parse_with_lengths(1023, 1024, 1023), -EINVAL);
	assert_int_equal(parse_with_lengths(1023, 1023, 1024), -EILSEQ);
	assert_int_equal(parse_local_of("\u4e2d", 341), 0);
	assert_int_equal(parse_local_of("\u4e2d", 342), -EILSEQ);
}

static void needs_room_for_the_domain(void **state)
{
	char domain[10];

	(void)state;
	assert_int_equal(jid_domain("user@b.example", domain, 10), 0);
	assert_int_equal(jid_domain("user@b.example", domain, 9), -EINVAL);
	assert_int_equal(jid_domain("user@b.example", domain, 0), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),
		cmocka_unit_test(takes_apart),
		cmocka_unit_test(bounds_each_part),
		cmocka_unit_test(needs_room_for_the_domain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
