/* Streams themselves: headers as they may come, errors of every kind, ends in every order, what keeps them alive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/session_harness.h"

#define XML "<?xml version='1.0'?>"
#define EXTERNAL "<mechanisms xmlns='" NS_SASL "'><mechanism>EXTERNAL</mechanism></mechanisms>"
#define BIDI "<bidi xmlns='" NS_BIDI_FEATURE "'/>"
#define FEATURES(...) "<stream:features>" __VA_ARGS__ "</stream:features>"
#define ERROR(condition) "<stream:error><" condition " xmlns='" NS_STREAM_ERRORS "'/></stream:error></stream:stream>"
#define FOOTER "</stream:stream>"
#define OUT(text) "<message from='v@a.example' to='u@b.example'><body>" text "</body></message>"
#define IN(text) "<message from='u@b.example' to='v@a.example'><body>" text "</body></message>"

enum { TEXT_BYTES = 1024 };

static int set_up(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));
	if (!s)
		return -1;
	stage_init(s);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	stage_fini(*state);
	free(*state);
	return 0;
}

static void expect_ended(const struct stage *s, uint64_t conn, enum conn_side side, bool ended)
{
	assert_int_equal(s->connection[conn].side[side].ended, ended);
	assert_false(s->connection[conn].side[side].reset);
}

static void expect_both_ended(const struct stage *s, uint64_t conn)
{
	expect_ended(s, conn, SIDE_CLIENT, true);
	expect_ended(s, conn, SIDE_SERVER, true);
}

/* From a server of ours to one outside; with bidi both may send stanzas. */
static void begin(struct stage *s, uint64_t conn, bool bidi)
{
	stage_external(s, conn, WIRE_INSIDE, "a.example", "b.example",
		bidi ? FEATURES(EXTERNAL BIDI) : FEATURES(EXTERNAL), bidi);
}

/* --- headers --- */

/* What comes on the header of the client, and of it what the server is shown. */
static const struct {
	const char *said, *shown;
} client_headers[] = {
	{ID " from='a.example' to='b.example' version='1.0'>", ID " to='b.example' from='a.example' version='1.0'>"},
	{ID " to='b.example' version='1.0'>", ID " to='b.example' version='1.0'>"},
	{ID " to='b.example' from='a.example' version='1.0' xml:lang='de-CH'>",
		ID " to='b.example' from='a.example' version='1.0' xml:lang='de-CH'>"},
	/* RFC 6120 4.7.3: an id of the client is not one; RFC 6120 4.7.5: 1.1 is at least 1.0 */
	{ID " to='b.example' from='a.example' version='1.1' id='mine'>",
		ID " to='b.example' from='a.example' version='1.0'>"},
	/* Other prefixes, other declarations and other order mean the same. */
	{"<?xml version=\"1.0\" encoding=\"utf-8\"?><s:stream xmlns:s=\"http://etherx.jabber.org/streams\" "
	 "xmlns:x=\"urn:x\" version=\"1.0\" from=\"a.example\" to=\"b.example\" xmlns=\"jabber:server\">",
		ID " to='b.example' from='a.example' version='1.0'>"},
	{ID DB " from='a.example' to='b.example' version='1.0'>",
		ID DB " to='b.example' from='a.example' version='1.0'>"},
};

/* Compared as sets of attributes: the order of the writer is its own matter, and tested elsewhere. */
static void expect_header(struct stage *s, uint64_t conn, enum conn_side side, const char *header)
{
	struct buf *heard = &s->connection[conn].side[side].heard;
	char got[TEXT_BYTES], want[TEXT_BYTES], *rest = want, *word;
	snprintf(got, sizeof(got), "%.*s", (int)buf_len(heard), (const char *)buf_head(heard));
	buf_drop(heard, buf_len(heard));
	assert_int_equal(strncmp(got, XML, strlen(XML)), 0);
	assert_int_equal(strlen(got), strlen(XML) + strlen(header));
	snprintf(want, sizeof(want), "%s", header);
	want[strlen(want) - 1] = '\0';
	while ((word = strsep(&rest, " ")))
		if (!strstr(got, word))
			fail_msg("no %s in %s", word, got);
}

static void headers_of_every_form(void **state)
{
	struct stage *s = *state;
	for (unsigned i = 0; i < sizeof(client_headers) / sizeof(*client_headers); i++) {
		stage_open(s, 1, WIRE_INSIDE);
		stage_say(s, 1, SIDE_CLIENT, client_headers[i].said);
		expect_header(s, 1, SIDE_SERVER, client_headers[i].shown);
		assert_int_equal(stage_session(s, 1)->state, SESSION_ANSWERING);
		stage_fini(s);
		stage_init(s);
	}
}

/* The language of what has none is that of the header (RFC 6120 4.7.4): it stands there still after each restart. */
static void the_language_passes(void **state)
{
	struct stage *s = *state;
	stage_authenticated(s, 1, WIRE_INSIDE, "a.example", "b.example", FEATURES(EXTERNAL), false);
	stage_say(s, 1, SIDE_CLIENT, ID " from='a.example' to='b.example' version='1.0' xml:lang='fr'>");
	expect_header(s, 1, SIDE_SERVER, ID " to='b.example' from='a.example' version='1.0' xml:lang='fr'>");
	stage_say(s, 1, SIDE_SERVER, ID " from='b.example' to='a.example' id='9' version='1.0' xml:lang='nl'>");
	expect_header(s, 1, SIDE_CLIENT, ID " from='b.example' to='a.example' id='9' version='1.0' xml:lang='nl'>");
	stage_say(s, 1, SIDE_SERVER, "<stream:features/>");
	stage_expect(s, 1, SIDE_CLIENT, "<stream:features/>");
	stage_say(s, 1, SIDE_CLIENT,
		"<message from='v@a.example' to='u@b.example'><body xml:lang='en'>yes</body><body>oui</body></message>");
	stage_expect(s, 1, SIDE_SERVER,
		"<message from='v@a.example' to='u@b.example'><body xml:lang='en'>yes</body><body>oui</body></message>");
}

/* A prefix that the header declares holds for all that follows; what passes declares its own. */
static void prefixes_of_the_header_hold(void **state)
{
	struct stage *s = *state;
	stage_authenticated(s, 1, WIRE_INSIDE, "a.example", "b.example", FEATURES(EXTERNAL), false);
	stage_say(s, 1, SIDE_CLIENT,
		"<s:stream xmlns:s='http://etherx.jabber.org/streams' xmlns='jabber:server' xmlns:c='urn:x:c' "
		"from='a.example' to='b.example' version='1.0'>");
	expect_header(s, 1, SIDE_SERVER, ID " to='b.example' from='a.example' version='1.0'>");
	stage_say(s, 1, SIDE_SERVER, ID " from='b.example' to='a.example' id='9' version='1.0'><stream:features/>");
	buf_drop(&s->connection[1].side[SIDE_CLIENT].heard, buf_len(&s->connection[1].side[SIDE_CLIENT].heard));
	stage_say(s, 1, SIDE_CLIENT, "<message from='v@a.example' to='u@b.example'><c:x y='1'/></message></s:stream>");
	stage_expect(s, 1, SIDE_SERVER,
		"<message from='v@a.example' to='u@b.example'><x xmlns='urn:x:c' y='1'/></message>" FOOTER);
}

/* RFC 6120 4.3.2: a server may offer anew at any time. */
static void features_in_the_middle(void **state)
{
	struct stage *s = *state;
	begin(s, 1, false);
	stage_say(s, 1, SIDE_CLIENT, OUT("one"));
	stage_expect(s, 1, SIDE_SERVER, OUT("one"));
	stage_say(s, 1, SIDE_SERVER, FEATURES("<c xmlns='http://jabber.org/protocol/caps' ver='x'/>"));
	stage_expect(s, 1, SIDE_CLIENT, "<stream:features/>");
	stage_say(s, 1, SIDE_CLIENT, OUT("two"));
	stage_expect(s, 1, SIDE_SERVER, OUT("two"));
}

/* --- errors --- */

static const char *const conditions[] = {"bad-format", "bad-namespace-prefix", "conflict", "connection-timeout",
	"host-gone", "host-unknown", "improper-addressing", "internal-server-error", "invalid-from", "invalid-namespace",
	"invalid-xml", "not-authorized", "not-well-formed", "policy-violation", "remote-connection-failed", "reset",
	"resource-constraint", "restricted-xml", "system-shutdown", "undefined-condition", "unsupported-encoding",
	"unsupported-feature", "unsupported-stanza-type", "unsupported-version"};

/* Each of RFC 6120 4.9.3, from either side: the other gets it, alone; who said it gets the end of its stream. */
static void errors_of_every_kind(void **state)
{
	struct stage *s = *state;
	for (unsigned i = 0; i < 2 * sizeof(conditions) / sizeof(*conditions); i++) {
		enum conn_side side = i % 2 ? SIDE_SERVER : SIDE_CLIENT;
		char said[TEXT_BYTES], passed[TEXT_BYTES];
		snprintf(said, sizeof(said),
			"<stream:error><%s xmlns='" NS_STREAM_ERRORS "'>x</%s><text xmlns='" NS_STREAM_ERRORS
			"'>secret</text><why xmlns='urn:x'/></stream:error>" FOOTER,
			conditions[i / 2], conditions[i / 2]);
		snprintf(passed, sizeof(passed), "<stream:error><%s xmlns='" NS_STREAM_ERRORS "'/></stream:error>" FOOTER,
			conditions[i / 2]);
		begin(s, 1, false);
		stage_say(s, 1, side, said);
		stage_expect(s, 1, side_other(side), passed);
		stage_expect(s, 1, side, FOOTER);
		expect_both_ended(s, 1);
		assert_int_equal(stage_count(s, COUNT_STREAM_ERRORS_PASSED), 1);
		stage_fini(s);
		stage_init(s);
	}
}

/* Conditions of something else, and what is none, are no conditions of streams. */
static void errors_that_are_none(void **state)
{
	static const char *const said[] = {"forbidden", "aborted", "secret-word", "text"};
	struct stage *s = *state;
	for (unsigned i = 0; i < sizeof(said) / sizeof(*said); i++) {
		char text[TEXT_BYTES];
		snprintf(text, sizeof(text), "<stream:error><%s xmlns='" NS_STREAM_ERRORS "'/></stream:error>", said[i]);
		begin(s, 1, false);
		stage_say(s, 1, SIDE_SERVER, text);
		stage_expect(s, 1, SIDE_CLIENT, ERROR("undefined-condition"));
		stage_fini(s);
		stage_init(s);
	}
}

static void nobody_is_sent_elsewhere(void **state)
{
	struct stage *s = *state;
	begin(s, 1, false);
	stage_say(s, 1, SIDE_SERVER,
		"<stream:error><see-other-host xmlns='" NS_STREAM_ERRORS "'>[2001:db8::1]:443</see-other-host></stream:error>");
	stage_expect(s, 1, SIDE_CLIENT, ERROR("undefined-condition"));
	stage_expect_audit(s, "\"alert\":\"redirected\"");
}

/* --- ends --- */

static void half_closed_by(struct stage *s, enum conn_side side)
{
	bool client = side == SIDE_CLIENT;
	begin(s, 1, true);
	stage_say(s, 1, side, client ? OUT("last") FOOTER : IN("last") FOOTER);
	stage_expect(s, 1, side_other(side), client ? OUT("last") FOOTER : IN("last") FOOTER);
	stage_say(s, 1, side_other(side), client ? IN("one more") : OUT("one more")); /* RFC 6120 4.4 */
	stage_expect(s, 1, side, client ? IN("one more") : OUT("one more"));
	expect_ended(s, 1, SIDE_CLIENT, false);
	stage_say(s, 1, side_other(side), client ? IN("the last") FOOTER : OUT("the last") FOOTER);
	stage_expect(s, 1, side, client ? IN("the last") FOOTER : OUT("the last") FOOTER);
	expect_both_ended(s, 1);
}

static void a_client_ends_first(void **state)
{
	half_closed_by(*state, SIDE_CLIENT);
}

static void a_server_ends_first(void **state)
{
	half_closed_by(*state, SIDE_SERVER);
}

/* A connection that ends without </stream:stream>: all that was said before goes out first. */
static void connections_end_without_a_footer(void **state)
{
	struct stage *s = *state;
	begin(s, 1, true);
	stage_say(s, 1, SIDE_CLIENT, OUT("last"));
	stage_tell(s, 1, SIDE_CLIENT, MSG_END_OF_STREAM);
	stage_expect(s, 1, SIDE_SERVER, OUT("last"));
	expect_ended(s, 1, SIDE_SERVER, true);
	expect_ended(s, 1, SIDE_CLIENT, false);
	stage_say(s, 1, SIDE_SERVER, IN("answer") FOOTER);
	stage_expect(s, 1, SIDE_CLIENT, IN("answer") FOOTER);
	stage_tell(s, 1, SIDE_SERVER, MSG_END_OF_STREAM);
	expect_both_ended(s, 1);
}

/* The end waits behind what a slow reader has not taken yet. */
static void the_end_waits_for_its_turn(void **state)
{
	struct stage *s = *state;
	static char body[100 << 10], text[110 << 10];
	begin(s, 1, false);
	s->miserly = true;
	memset(body, 'x', sizeof(body) - 1);
	int len = snprintf(text, sizeof(text), OUT("%s"), body);
	for (unsigned i = 0; i < 3; i++)
		stage_say_bytes(s, 1, SIDE_CLIENT, text, (size_t)len);
	stage_say(s, 1, SIDE_CLIENT, FOOTER);
	stage_tell(s, 1, SIDE_CLIENT, MSG_END_OF_STREAM);
	struct stage_side *server = &s->connection[1].side[SIDE_SERVER];
	assert_false(server->ended);
	for (unsigned i = 0; i < 20 && !server->ended; i++) {
		stage_credit(s, 1, SIDE_SERVER, (uint32_t)server->unpaid);
		stage_turn(s);
	}
	assert_true(server->ended);
	assert_int_equal(buf_len(&server->heard), 3 * (size_t)len + strlen(FOOTER));
}

static void half_closed_for_too_long(void **state)
{
	struct stage *s = *state;
	begin(s, 1, true);
	stage_tell(s, 1, SIDE_SERVER, MSG_END_OF_STREAM);
	expect_ended(s, 1, SIDE_CLIENT, true);
	stage_wait(s, HALF_CLOSED_MS - 1000);
	stage_say(s, 1, SIDE_CLIENT, OUT("still here"));
	stage_expect(s, 1, SIDE_SERVER, OUT("still here"));
	stage_wait(s, 1000);
	stage_expect(s, 1, SIDE_SERVER, ERROR("connection-timeout"));
	assert_int_equal(stage_count(s, COUNT_SESSIONS_TIMED_OUT), 1);
}

/* --- staying alive --- */

static void white_space_both_ways(void **state)
{
	struct stage *s = *state;
	begin(s, 1, true);
	stage_say(s, 1, SIDE_CLIENT, "\n");
	stage_say(s, 1, SIDE_SERVER, " ");
	stage_expect(s, 1, SIDE_SERVER, " ");
	stage_expect(s, 1, SIDE_CLIENT, " ");
	stage_say(s, 1, SIDE_SERVER, " ");
	stage_expect_nothing(s, 1);
	/* The other side is in the middle of a stanza: a space never falls into one. */
	stage_wait(s, KEEPALIVE_MS);
	stage_say(s, 1, SIDE_CLIENT, "<message from='v@a.example' to='u@b.example'><body>ha");
	stage_say(s, 1, SIDE_SERVER, " ");
	stage_expect(s, 1, SIDE_CLIENT, " ");
	stage_say(s, 1, SIDE_CLIENT, "lf</body></message>");
	stage_expect(s, 1, SIDE_SERVER, OUT("half"));
}

/* It does not lengthen a negotiation. */
static void white_space_is_not_progress(void **state)
{
	struct stage *s = *state;
	const unsigned seconds = s->control->conf->negotiation_seconds;
	stage_secure(s, 1, WIRE_INSIDE, "a.example", "b.example", "a.example", FEATURES(EXTERNAL));
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(EXTERNAL BIDI));
	for (unsigned i = 0; i < seconds; i++) {
		stage_wait(s, 1000);
		if (i + 1 < seconds)
			stage_say(s, 1, SIDE_CLIENT, " ");
	}
	stage_expect(s, 1, SIDE_CLIENT, ERROR("connection-timeout"));
	stage_expect(s, 1, SIDE_SERVER, ERROR("connection-timeout"));
	assert_int_equal(stage_count(s, COUNT_KEEPALIVES_PASSED), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(headers_of_every_form),
		TEST(the_language_passes),
		TEST(prefixes_of_the_header_hold),
		TEST(features_in_the_middle),
		TEST(errors_of_every_kind),
		TEST(errors_that_are_none),
		TEST(nobody_is_sent_elsewhere),
		TEST(a_client_ends_first),
		TEST(a_server_ends_first),
		TEST(connections_end_without_a_footer),
		TEST(the_end_waits_for_its_turn),
		TEST(half_closed_for_too_long),
		TEST(white_space_both_ways),
		TEST(white_space_is_not_progress),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
