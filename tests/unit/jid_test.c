#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/jid.h"
#include "policy/policy.h"

static const struct {
	const char *jid;
	int result;
	const char *domain;
} rows[] = {
	{"b.example", 0, "b.example"},
	{"B.Example", 0, "b.example"},
	{"b.example.", 0, "b.example"},
	{"user@b.example", 0, "b.example"},
	{"user@b.example/home", 0, "b.example"},
	{"b.example/home", 0, "b.example"},
	{"user@b.example/a@b/c d", 0, "b.example"},
	{"b.example/a@c.example", 0, "b.example"},
	{"us.er+x=1@b", 0, "b"},
	{"\u00fc@b\u00fccher.example", 0, "xn--bcher-kva.example"},
	{"B\u00dcCHER.Example.", 0, "xn--bcher-kva.example"},
	{"user@xn--bcher-kva.example/b\u00fc", 0, "xn--bcher-kva.example"},
	{"-\u00fc.Example", 0, "-\u00fc.example"},
	{"user@192.0.2.1", 0, "192.0.2.1"},
	{"user@[2001:db8::1]", 0, "[2001:db8::1]"},
	{"_x.b-2.example", 0, "_x.b-2.example"},
	{"", -EINVAL, NULL},
	{"@", -EINVAL, NULL},
	{"/", -EINVAL, NULL},
	{"user@", -EINVAL, NULL},
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
	{"[]", -EINVAL, NULL},
	{"[x]", -EINVAL, NULL},
	{"@b.example", -EILSEQ, "b.example"},
	{"b.example/", -EILSEQ, "b.example"},
	{"us er@b.example", -EILSEQ, "b.example"},
	{"us\"er@b.example", -EILSEQ, "b.example"},
	{"us:er@b.example", -EILSEQ, "b.example"},
	{"user@b.example/a\tb", -EILSEQ, "b.example"},
};

static void parses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char domain[JID_PART_BYTES + 1];
		struct jid jid;

		if (jid_parse(&jid, rows[i].jid) != rows[i].result)
			print_error("%s\n", rows[i].jid);
		assert_int_equal(jid_parse(&jid, rows[i].jid), rows[i].result);
		assert_int_equal(jid_domain(rows[i].jid, domain, sizeof(domain)), rows[i].domain ? 0 : -EINVAL);
		if (rows[i].domain)
			assert_string_equal(domain, rows[i].domain);
	}
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

static void bounds_each_part(void **state)
{
	(void)state;
	assert_int_equal(parse_with_lengths(1023, 1023, 1023), 0);
	assert_int_equal(parse_with_lengths(1024, 1023, 1023), -EILSEQ);
	assert_int_equal(parse_with_lengths(1023, 1024, 1023), -EINVAL);
	assert_int_equal(parse_with_lengths(1023, 1023, 1024), -EILSEQ);
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
