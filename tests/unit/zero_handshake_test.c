/* Links without a handshake (XEP-0361), as configured: in the clear to e.example, in TLS to b.example. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/session_harness.h"

#define ERROR(condition) "<stream:error><" condition " xmlns='" NS_STREAM_ERRORS "'/></stream:error></stream:stream>"
#define FOOTER "</stream:stream>"
#define MESSAGE(from, to, text) "<message from='" from "' id='m1' to='" to "'><body>" text "</body></message>"
#define REFUSED(from, to)                                                                                        \
	"<message from='" from "' id='m1' to='" to                                                               \
	"' type='error'><error type='modify'><policy-violation xmlns='" NS_STANZAS "'/><text xmlns='" NS_STANZAS \
	"'>not allowed by policy: content.forbidden-words</text></error></message>"

/* As the harness opens connections: from 192.0.2.1 to 192.0.2.2. */
static int set_up(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));
	if (!s)
		return -1;
	stage_init(s);
	struct conf *conf = (struct conf *)s->control->conf;
	struct conf_link link = {.name = "test", .port = 5269};
	link.side[WIRE_INSIDE] = (struct conf_link_side){{4, {192, 0, 2, 1}}, 2, {"a.example", "sub.a.example"}};
	link.side[WIRE_OUTSIDE] = (struct conf_link_side){{4, {192, 0, 2, 2}}, 1, {"e.example"}};
	conf->links[conf->link_count++] = link;
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	stage_fini(*state);
	free(*state);
	return 0;
}

static struct conf_link *the_link(struct stage *s)
{
	return &((struct conf *)s->control->conf)->links[0];
}

/* It stands between our server and b.example, which has to be proved. */
static void begin_with_tls(struct stage *s)
{
	struct conf_link *link = the_link(s);
	link->tls = true;
	link->side[WIRE_OUTSIDE] = (struct conf_link_side){{4, {192, 0, 2, 2}}, 1, {"b.example"}};
}

static void expect_both_ended(const struct stage *s, uint64_t conn)
{
	assert_true(s->connection[conn].side[SIDE_CLIENT].ended);
	assert_true(s->connection[conn].side[SIDE_SERVER].ended);
}

static void stanzas_from_the_first_byte(void **state)
{
	struct stage *s = *state;
	stage_open(s, 1, WIRE_INSIDE);
	stage_say(s, 1, SIDE_SERVER, MESSAGE("u@e.example", "v@a.example", "first"));
	stage_expect(s, 1, SIDE_CLIENT, MESSAGE("u@e.example", "v@a.example", "first"));
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("v@sub.a.example", "u@e.example", "second"));
	stage_expect(s, 1, SIDE_SERVER, MESSAGE("v@sub.a.example", "u@e.example", "second"));
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("v@a.example", "u@e.example", "the budget"));
	stage_expect(s, 1, SIDE_CLIENT, REFUSED("u@e.example", "v@a.example"));
	stage_say(s, 1, SIDE_CLIENT, FOOTER);
	stage_expect(s, 1, SIDE_SERVER, FOOTER);
	stage_say(s, 1, SIDE_SERVER, FOOTER);
	stage_expect(s, 1, SIDE_CLIENT, FOOTER);
	expect_both_ended(s, 1);
	assert_int_equal(stage_count(s, COUNT_PAIRS_LINK), 2);
	stage_close(s, 1);
	stage_expect_audit(s, "\"method\":\"link\"");
}

static void byte_by_byte(void **state)
{
	struct stage *s = *state;
	s->in_pieces = true;
	stage_open(s, 1, WIRE_INSIDE);
	stage_say(s, 1, SIDE_CLIENT, "\n" MESSAGE("v@a.example", "u@e.example", "one"));
	stage_expect(s, 1, SIDE_SERVER, " " MESSAGE("v@a.example", "u@e.example", "one"));
}

/* Whoever is dialled: here our own server is. */
static void dialled_from_outside(void **state)
{
	struct stage *s = *state;
	struct conf_link *link = the_link(s);
	struct conf_address inside = link->side[WIRE_INSIDE].address;
	link->side[WIRE_INSIDE].address = link->side[WIRE_OUTSIDE].address;
	link->side[WIRE_OUTSIDE].address = inside;
	stage_open(s, 1, WIRE_OUTSIDE);
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("u@e.example", "v@a.example", "in"));
	stage_expect(s, 1, SIDE_SERVER, MESSAGE("u@e.example", "v@a.example", "in"));
	stage_say(s, 1, SIDE_SERVER, MESSAGE("v@a.example", "u@e.example", "out"));
	stage_expect(s, 1, SIDE_CLIENT, MESSAGE("v@a.example", "u@e.example", "out"));
}

static void nobody_else_speaks_on_it(void **state)
{
	struct stage *s = *state;
	stage_open(s, 1, WIRE_INSIDE);
	stage_say(s, 1, SIDE_SERVER, MESSAGE("u@b.example", "v@a.example", "not me"));
	stage_expect(s, 1, SIDE_SERVER, ERROR("invalid-from"));
	stage_expect(s, 1, SIDE_CLIENT, FOOTER);
	expect_both_ended(s, 1);
}

static void nothing_is_negotiated(void **state)
{
	static const char *const said[] = {"<stream:features/>", "<starttls xmlns='" NS_TLS "'/>",
		"<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'>=</auth>", "<bidi xmlns='" NS_BIDI "'/>",
		"<result xmlns='" NS_DIALBACK "' from='e.example' to='a.example'>key</result>"};
	for (unsigned i = 0; i < sizeof(said) / sizeof(*said); i++) {
		struct stage *s = *state;
		stage_open(s, 1, WIRE_INSIDE);
		stage_say(s, 1, i ? SIDE_CLIENT : SIDE_SERVER, said[i]);
		stage_expect(s, 1, i ? SIDE_CLIENT : SIDE_SERVER, ERROR("policy-violation"));
		expect_both_ended(s, 1);
		tear_down(state);
		assert_int_equal(set_up(state), 0);
	}
}

static void a_header_is_none_of_it(void **state)
{
	struct stage *s = *state;
	stage_open(s, 1, WIRE_INSIDE);
	stage_say(s, 1, SIDE_CLIENT, ID " from='a.example' to='e.example' version='1.0'>");
	stage_expect(s, 1, SIDE_CLIENT, ERROR("bad-format"));
	stage_expect(s, 1, SIDE_SERVER, FOOTER);
}

static void only_between_its_addresses(void **state)
{
	struct stage *s = *state;
	the_link(s)->side[WIRE_INSIDE].address.bytes[3] = 9;
	stage_open(s, 1, WIRE_INSIDE);
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("v@a.example", "u@e.example", "one"));
	stage_expect(s, 1, SIDE_SERVER, "");
	assert_int_equal(stage_count(s, COUNT_PAIRS_LINK), 0);
	the_link(s)->side[WIRE_INSIDE].address.bytes[3] = 1;
	the_link(s)->port = 5270;
	stage_open(s, 2, WIRE_INSIDE);
	stage_say(s, 2, SIDE_SERVER, MESSAGE("u@e.example", "v@a.example", "one"));
	stage_expect(s, 2, SIDE_CLIENT, "");
	assert_int_equal(stage_count(s, COUNT_PAIRS_LINK), 0);
}

static void tls_where_none_is_meant(void **state)
{
	struct stage *s = *state;
	stage_open(s, 1, WIRE_INSIDE);
	stage_hello(s, 1, "e.example", HELLO_ALPN_NONE);
	expect_both_ended(s, 1);
	assert_false(s->broken);
	stage_expect_audit(s, "TLS on a link that is configured without");
}

static void begin_tls(struct stage *s, const char *server_name)
{
	begin_with_tls(s);
	stage_open(s, 1, WIRE_INSIDE);
	stage_hello(s, 1, server_name, HELLO_ALPN_NONE);
}

static void in_tls_both_are_proved_first(void **state)
{
	struct stage *s = *state;
	begin_tls(s, "");
	assert_int_equal(s->connection[1].start_tls, 1);
	assert_string_equal(s->connection[1].tls.server_name, "b.example");
	stage_say(s, 1, SIDE_SERVER, "");
	stage_ready(s, 1, true);
	assert_int_equal(s->connection[1].named, 1);
	assert_string_equal(s->connection[1].name.client_name, "a.example");
	stage_secured(s, 1, SIDE_CLIENT, "a.example", "b.example");
	stage_secured(s, 1, SIDE_SERVER, "b.example", "a.example");
	stage_say(s, 1, SIDE_SERVER, MESSAGE("u@b.example", "v@a.example", "in"));
	stage_expect(s, 1, SIDE_CLIENT, MESSAGE("u@b.example", "v@a.example", "in"));
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("v@sub.a.example", "u@b.example", "out"));
	stage_expect(s, 1, SIDE_SERVER, MESSAGE("v@sub.a.example", "u@b.example", "out"));
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("v@a.example", "u@e.example", "not here"));
	stage_expect(s, 1, SIDE_CLIENT, ERROR("improper-addressing"));
}

static void in_tls_a_client_needs_a_certificate(void **state)
{
	struct stage *s = *state;
	begin_tls(s, "b.example");
	stage_ready(s, 1, false);
	assert_int_equal(s->connection[1].named, 0);
	expect_both_ended(s, 1);
	stage_expect_audit(s, "the client showed no certificate");
}

static void in_tls_for_somebody_else(void **state)
{
	struct stage *s = *state;
	begin_tls(s, "d.example");
	assert_int_equal(s->connection[1].start_tls, 0);
	expect_both_ended(s, 1);
}

static void the_clear_where_tls_is_meant(void **state)
{
	static const char *const said[] = {MESSAGE("v@a.example", "u@b.example", "one"),
		ID " from='a.example' to='b.example' version='1.0'>"};
	for (unsigned i = 0; i < 2; i++) {
		struct stage *s = *state;
		begin_with_tls(s);
		stage_open(s, 1, WIRE_INSIDE);
		stage_say(s, 1, SIDE_CLIENT, said[i]);
		assert_int_equal(stage_session(s, 1)->state, SESSION_CLOSING);
		assert_int_equal(buf_len(&s->connection[1].side[SIDE_SERVER].heard), 0);
		assert_int_equal(stage_count(s, COUNT_PAIRS_LINK), 0);
		tear_down(state);
		assert_int_equal(set_up(state), 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stanzas_from_the_first_byte),
		TEST(byte_by_byte),
		TEST(dialled_from_outside),
		TEST(nobody_else_speaks_on_it),
		TEST(nothing_is_negotiated),
		TEST(a_header_is_none_of_it),
		TEST(only_between_its_addresses),
		TEST(tls_where_none_is_meant),
		TEST(in_tls_both_are_proved_first),
		TEST(in_tls_a_client_needs_a_certificate),
		TEST(in_tls_for_somebody_else),
		TEST(the_clear_where_tls_is_meant),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
