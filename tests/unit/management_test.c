/* Stream management (XEP-0198) in whole conversations: what either server is told, and that it adds up for both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/session_harness.h"

#define EXTERNAL "<mechanisms xmlns='" NS_SASL "'><mechanism>EXTERNAL</mechanism></mechanisms>"
#define BIDI "<bidi xmlns='" NS_BIDI_FEATURE "'/>"
#define FEATURES(...) "<stream:features>" __VA_ARGS__ "</stream:features>"
#define ERROR(condition) "<stream:error><" condition " xmlns='" NS_STREAM_ERRORS "'/></stream:error></stream:stream>"
#define FOOTER "</stream:stream>"
#define MESSAGE(from, to, text) \
	"<message from='" from "' id='m1' to='" to "' type='chat'><body>" text "</body></message>"
#define REFUSED(from, to)                                                                                        \
	"<message from='" from "' id='m1' to='" to                                                               \
	"' type='error'><error type='modify'><policy-violation xmlns='" NS_STANZAS "'/><text xmlns='" NS_STANZAS \
	"'>not allowed by policy: content.forbidden-words</text></error></message>"
#define FAILED(condition) "<failed xmlns='urn:xmpp:sm:3'><" condition " xmlns='" NS_STANZAS "'/></failed>"
#define SM(name) "<" name " xmlns='urn:xmpp:sm:3'/>"
#define A(h) "<a xmlns='urn:xmpp:sm:3' h='" h "'/>"
#define GOOD MESSAGE("u@a.example", "v@b.example", "hello")
#define BAD MESSAGE("u@a.example", "v@b.example", "budget")
#define BAD_REFUSED REFUSED("v@b.example", "u@a.example")

static int set_up(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));
	if (!s)
		return -1;
	stage_init(s);
	*state = s;
	return 0;
}

static int set_up_stripped(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));
	if (!s)
		return -1;
	stage_init_conf(s, "starttls, mechanisms, dialback, bidi, limits", NULL);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	stage_fini(*state);
	free(*state);
	return 0;
}

static void relay(struct stage *s, uint64_t conn, enum conn_side from, const char *said, const char *told)
{
	stage_say(s, conn, from, said);
	stage_expect(s, conn, side_other(from), told);
	stage_expect(s, conn, from, "");
}

static void answer(struct stage *s, uint64_t conn, enum conn_side from, const char *said, const char *told)
{
	stage_say(s, conn, from, said);
	stage_expect(s, conn, from, told);
	stage_expect(s, conn, side_other(from), "");
}

static void enable(struct stage *s, uint64_t conn)
{
	relay(s, conn, SIDE_CLIENT, SM("enable"), SM("enable"));
	relay(s, conn, SIDE_SERVER, SM("enabled"), SM("enabled"));
}

/* a.example speaks to b.example, with bidi (offered by the server, or else by the guard) or without. */
static void outbound(struct stage *s, uint64_t conn, const char *features, bool bidi)
{
	stage_external(s, conn, WIRE_INSIDE, "a.example", "b.example", features, bidi);
}

static char *repeat(const char *text, unsigned times)
{
	size_t len = strlen(text);
	char *all = malloc(len * times + 1);
	assert_non_null(all);
	for (unsigned i = 0; i < times; i++)
		memcpy(all + i * len, text, len);
	all[len * times] = '\0';
	return all;
}

static void say_turns(struct stage *s, unsigned times)
{
	char *text = repeat(GOOD BAD, times);
	stage_say(s, 1, SIDE_CLIENT, text);
	free(text);
}

static unsigned heard_times(struct stage *s, uint64_t conn, enum conn_side side, const char *what)
{
	struct buf *heard = &s->connection[conn].side[side].heard;
	unsigned n = 0;
	const char *at = (const char *)buf_head(heard), *end = at + buf_len(heard);
	while ((at = memmem(at, (size_t)(end - at), what, strlen(what)))) {
		at += strlen(what);
		n++;
	}
	buf_drop(heard, buf_len(heard));
	return n;
}

/* The client sends to a server that does not read, as much as may wait for it; returns how many messages. */
static unsigned fill(struct stage *s, uint64_t conn)
{
	char *text = repeat("x", 20000);
	unsigned n = 0;
	s->miserly = true;
	for (; !stream_is_full(&stage_session(s, conn)->stream[SIDE_SERVER]); n++) {
		stage_say(s, conn, SIDE_CLIENT, "<message from='v@b.example' to='u@a.example'><body>");
		stage_say(s, conn, SIDE_CLIENT, text);
		stage_say(s, conn, SIDE_CLIENT, "</body></message>");
	}
	free(text);
	return n;
}

/* --- negotiation --- */

static void both_versions_are_offered(void **state)
{
	struct stage *s = *state;
	stage_secure(s, 1, WIRE_OUTSIDE, "b.example", "a.example", "b.example",
		FEATURES("<sm xmlns='urn:xmpp:sm:3' x='y'><required/><resume/></sm><sm xmlns='urn:xmpp:sm:2'><optional/>"
			 "</sm><sm xmlns='urn:xmpp:sm:1'/>"));
	stage_expect(s, 1, SIDE_CLIENT,
		FEATURES("<sm xmlns='urn:xmpp:sm:2'><optional/></sm><sm xmlns='urn:xmpp:sm:3'><required/></sm>" BIDI));
}

static void nothing_is_resumed(void **state)
{
	struct stage *s = *state;
	outbound(s, 1, FEATURES(EXTERNAL), false);
	answer(s, 1, SIDE_CLIENT, "<resume xmlns='urn:xmpp:sm:3' h='7' previd='some-id'/>", FAILED("item-not-found"));
	relay(s, 1, SIDE_CLIENT, "<enable max='60' resume='true' xmlns='urn:xmpp:sm:3'/>", SM("enable"));
	relay(s, 1, SIDE_SERVER,
		"<enabled id='x' location='[::1]:5269' max='60' resume='1' xmlns='urn:xmpp:sm:3'>x</enabled>",
		SM("enabled"));
	assert_int_equal(stage_count(s, COUNT_STREAMS_MANAGED), 1);
	assert_int_equal(stage_count(s, COUNT_MANAGEMENT_REFUSED), 1);
}

static void the_older_version(void **state)
{
	struct stage *s = *state;
	outbound(s, 1, FEATURES(EXTERNAL), false);
	relay(s, 1, SIDE_CLIENT, "<enable xmlns='urn:xmpp:sm:2'/>", "<enable xmlns='urn:xmpp:sm:2'/>");
	relay(s, 1, SIDE_SERVER, "<enabled xmlns='urn:xmpp:sm:2'/>", "<enabled xmlns='urn:xmpp:sm:2'/>");
	relay(s, 1, SIDE_CLIENT, "<r xmlns='urn:xmpp:sm:2'/>", "<r xmlns='urn:xmpp:sm:2'/>");
	relay(s, 1, SIDE_SERVER, "<a xmlns='urn:xmpp:sm:2' h='0'/>", "<a xmlns='urn:xmpp:sm:2' h='0'/>");
	answer(s, 1, SIDE_CLIENT, SM("r"), FAILED("unexpected-request"));
	answer(s, 1, SIDE_SERVER, A("0"), FAILED("unexpected-request"));
}

static void not_before_authentication(void **state)
{
	struct stage *s = *state;
	stage_secure(s, 1, WIRE_INSIDE, "a.example", "b.example", "a.example", FEATURES(EXTERNAL));
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(EXTERNAL BIDI));
	answer(s, 1, SIDE_CLIENT, SM("enable"), FAILED("unexpected-request"));
	answer(s, 1, SIDE_CLIENT, SM("r"), FAILED("unexpected-request"));
	answer(s, 1, SIDE_CLIENT, A("0"), FAILED("unexpected-request"));
}

static void once_and_by_the_client(void **state)
{
	struct stage *s = *state;
	outbound(s, 1, FEATURES(EXTERNAL BIDI), true);
	answer(s, 1, SIDE_SERVER, SM("enable"), FAILED("unexpected-request"));
	relay(s, 1, SIDE_CLIENT, SM("enable"), SM("enable"));
	answer(s, 1, SIDE_CLIENT, SM("enable"), FAILED("unexpected-request"));
	answer(s, 1, SIDE_SERVER, SM("r"), FAILED("unexpected-request"));
	relay(s, 1, SIDE_SERVER, SM("enabled"), SM("enabled"));
	answer(s, 1, SIDE_CLIENT, SM("enable"), FAILED("unexpected-request"));
}

static void a_server_that_will_not(void **state)
{
	struct stage *s = *state;
	outbound(s, 1, FEATURES(EXTERNAL), false);
	relay(s, 1, SIDE_CLIENT, SM("enable"), SM("enable"));
	relay(s, 1, SIDE_CLIENT, GOOD, GOOD);
	relay(s, 1, SIDE_SERVER,
		"<failed xmlns='urn:xmpp:sm:3' h='4'><unexpected-request xmlns='" NS_STANZAS "'/><text>no</text></failed>",
		FAILED("unexpected-request"));
	answer(s, 1, SIDE_CLIENT, SM("r"), FAILED("unexpected-request"));
	enable(s, 1);
	relay(s, 1, SIDE_SERVER, A("0"), A("0")); /* what was before does not count */
	relay(s, 1, SIDE_CLIENT, GOOD, GOOD);
	relay(s, 1, SIDE_SERVER, A("1"), A("1"));
}

static void a_condition_that_nobody_knows(void **state)
{
	struct stage *s = *state;
	outbound(s, 1, FEATURES(EXTERNAL), false);
	relay(s, 1, SIDE_CLIENT, SM("enable"), SM("enable"));
	relay(s, 1, SIDE_SERVER, FAILED("the-code-is-4711"), FAILED("undefined-condition"));
}

static void answers_that_nobody_asked_for(void **state)
{
	static const char *const said[] = {SM("enabled"), FAILED("unexpected-request")};
	struct stage *s = *state;
	for (unsigned i = 0; i < 2; i++) {
		outbound(s, i + 1, FEATURES(EXTERNAL), false);
		stage_say(s, i + 1, SIDE_SERVER, said[i]);
		stage_expect(s, i + 1, SIDE_SERVER, ERROR("policy-violation"));
		stage_expect(s, i + 1, SIDE_CLIENT, FOOTER);
	}
	outbound(s, 3, FEATURES(EXTERNAL), false);
	relay(s, 3, SIDE_CLIENT, SM("enable"), SM("enable"));
	stage_say(s, 3, SIDE_SERVER, "<enabled xmlns='urn:xmpp:sm:2'/>");
	stage_expect(s, 3, SIDE_SERVER, ERROR("policy-violation"));
}

/* A stream that begins anew knows nothing of what was agreed on the one before (RFC 6120 4.3.3). */
static void over_with_the_stream(void **state)
{
	struct stage *s = *state;
	const char *db = "<db:result from='sub.a.example' to='d.example'>37c69b1c</db:result>",
		   *valid = "<db:result from='d.example' to='sub.a.example' type='valid'/>",
		   *auth = "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'>=</auth>",
		   *success = "<success xmlns='" NS_SASL "'/>",
		   *good = MESSAGE("u@sub.a.example", "v@d.example", "hello");
	stage_secure(s, 1, WIRE_INSIDE, "a.example", "d.example", "a.example", FEATURES(EXTERNAL));
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(EXTERNAL BIDI));
	relay(s, 1, SIDE_CLIENT, db, db);
	relay(s, 1, SIDE_SERVER, valid, valid);
	enable(s, 1);
	relay(s, 1, SIDE_CLIENT, good, good);
	relay(s, 1, SIDE_CLIENT, auth, auth);
	relay(s, 1, SIDE_SERVER, success, success);
	stage_say(s, 1, SIDE_CLIENT, ID " from='a.example' to='d.example' version='1.0'>");
	stage_say(s, 1, SIDE_SERVER, ID " from='d.example' id='9' version='1.0'>" FEATURES("<sm xmlns='urn:xmpp:sm:3'/>"));
	assert_int_equal(heard_times(s, 1, SIDE_CLIENT, SM("sm")), 1);
	assert_int_equal(heard_times(s, 1, SIDE_SERVER, "<?xml"), 1);
	answer(s, 1, SIDE_CLIENT, SM("r"), FAILED("unexpected-request"));
	enable(s, 1);
	relay(s, 1, SIDE_SERVER, A("0"), A("0"));
}

static void stripped(void **state)
{
	struct stage *s = *state;
	stage_secure(s, 1, WIRE_INSIDE, "a.example", "b.example", "a.example",
		FEATURES("<sm xmlns='urn:xmpp:sm:3'/><sm xmlns='urn:xmpp:sm:2'/>"));
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(BIDI));
	outbound(s, 2, FEATURES(EXTERNAL), false);
	answer(s, 2, SIDE_CLIENT, SM("enable"), FAILED("feature-not-implemented"));
	answer(s, 2, SIDE_CLIENT, "<resume xmlns='urn:xmpp:sm:3' h='7' previd='x'/>", FAILED("feature-not-implemented"));
	answer(s, 2, SIDE_CLIENT, SM("r"), FAILED("unexpected-request"));
	relay(s, 2, SIDE_CLIENT, GOOD, GOOD);
}

/* --- counts --- */

static void what_is_refused_counts_for_its_sender(void **state)
{
	struct stage *s = *state;
	outbound(s, 1, FEATURES(EXTERNAL), false);
	relay(s, 1, SIDE_CLIENT, GOOD, GOOD); /* before <enable/>: does not count */
	enable(s, 1);
	relay(s, 1, SIDE_CLIENT, GOOD BAD GOOD BAD BAD, GOOD GOOD);
	relay(s, 1, SIDE_CLIENT, SM("r"), SM("r"));
	relay(s, 1, SIDE_SERVER, A("1"), A("2"));
	relay(s, 1, SIDE_SERVER, A("2"), A("5"));
	relay(s, 1, SIDE_CLIENT, BAD BAD SM("r"), SM("r"));
	relay(s, 1, SIDE_SERVER, A("2"), A("7")); /* all that was outstanding had been refused */
	assert_int_equal(stage_count(s, COUNT_ACKS_PASSED), 3);
	stage_close(s, 1);
	stage_expect_audit(s, "\"bidi\":\"no\",\"management\":\"urn:xmpp:sm:3\"");
}

static void silent_drops_count_too(void **state)
{
	struct stage *s = *state;
	outbound(s, 1, FEATURES(EXTERNAL), false);
	enable(s, 1);
	relay(s, 1, SIDE_CLIENT, "<presence from='u@a.example' to='v@b.example'><status>budget</status></presence>",
		"<presence from='u@a.example' to='v@b.example'/>");
	relay(s, 1, SIDE_CLIENT,
		"<message from='u@a.example' to='v@b.example' type='error'><body>budget</body><error type='cancel'>"
		"<item-not-found xmlns='" NS_STANZAS "'/></error></message>",
		"");
	relay(s, 1, SIDE_SERVER, A("1"), A("2"));
}

static void from_enable_on(void **state)
{
	struct stage *s = *state;
	outbound(s, 1, FEATURES(EXTERNAL BIDI), true);
	stage_say(s, 1, SIDE_CLIENT, SM("enable") GOOD BAD SM("r"));
	stage_expect(s, 1, SIDE_SERVER, SM("enable") GOOD SM("r"));
	stage_expect(s, 1, SIDE_CLIENT, BAD_REFUSED); /* before <enabled/>: does not count */
	relay(s, 1, SIDE_SERVER, SM("enabled") A("1"), SM("enabled") A("2"));
	relay(s, 1, SIDE_CLIENT, A("0"), A("0"));
}

/* With bidi both directions have their counts, and a refusal adds to the one that it travels in. */
static void both_ways(void **state)
{
	struct stage *s = *state;
	const char *back = MESSAGE("v@b.example", "u@a.example", "hi");
	outbound(s, 1, FEATURES(EXTERNAL BIDI), true);
	stage_say(s, 1, SIDE_CLIENT, SM("enable") GOOD);
	stage_expect(s, 1, SIDE_SERVER, SM("enable") GOOD);
	relay(s, 1, SIDE_SERVER, back, back); /* before <enabled/>: does not count */
	relay(s, 1, SIDE_SERVER, SM("enabled"), SM("enabled"));
	stage_say(s, 1, SIDE_CLIENT, BAD GOOD);
	stage_expect(s, 1, SIDE_CLIENT, BAD_REFUSED);
	stage_expect(s, 1, SIDE_SERVER, GOOD);
	relay(s, 1, SIDE_SERVER, back, back);
	relay(s, 1, SIDE_SERVER, SM("r"), SM("r"));
	relay(s, 1, SIDE_CLIENT, A("1"), A("0")); /* only the refusal */
	relay(s, 1, SIDE_CLIENT, A("2"), A("1"));
	relay(s, 1, SIDE_CLIENT, SM("r"), SM("r"));
	relay(s, 1, SIDE_SERVER, A("1"), A("2"));
	relay(s, 1, SIDE_SERVER, A("2"), A("3"));
	stage_say(s, 1, SIDE_SERVER, MESSAGE("v@b.example", "u@a.example", "malware"));
	stage_expect(s, 1, SIDE_SERVER, REFUSED("u@a.example", "v@b.example"));
	relay(s, 1, SIDE_CLIENT, A("2"), A("2"));
	relay(s, 1, SIDE_SERVER, A("3"), A("3"));
}

static void bidi_that_ends_at_the_guard(void **state)
{
	struct stage *s = *state;
	outbound(s, 1, FEATURES(EXTERNAL), true);
	assert_int_equal(stage_session(s, 1)->bidi, BIDI_WITH_GUARD);
	enable(s, 1);
	stage_say(s, 1, SIDE_CLIENT, BAD);
	stage_expect(s, 1, SIDE_CLIENT, BAD_REFUSED);
	relay(s, 1, SIDE_CLIENT, SM("r"), SM("r"));
	relay(s, 1, SIDE_SERVER, A("0"), A("1"));
	relay(s, 1, SIDE_SERVER, SM("r"), SM("r"));
	relay(s, 1, SIDE_CLIENT, A("1"), A("0")); /* to the server that never sent a stanza */
}

static void on_the_reverse_stream(void **state)
{
	struct stage *s = *state;
	const char *back = MESSAGE("v@b.example", "u@a.example", "hi");
	outbound(s, 1, FEATURES(EXTERNAL), false);
	stage_external(s, 2, WIRE_OUTSIDE, "b.example", "a.example", FEATURES(EXTERNAL), false);
	enable(s, 1);
	enable(s, 2);
	relay(s, 2, SIDE_CLIENT, back, back);
	relay(s, 1, SIDE_CLIENT, BAD, "");
	stage_expect(s, 2, SIDE_SERVER, BAD_REFUSED);
	relay(s, 2, SIDE_CLIENT, back, back);
	relay(s, 2, SIDE_SERVER, A("1"), A("1"));
	relay(s, 2, SIDE_SERVER, A("2"), A("1"));
	relay(s, 2, SIDE_SERVER, A("3"), A("2"));
}

static void refusals_that_waited(void **state)
{
	struct stage *s = *state;
	outbound(s, 1, FEATURES(EXTERNAL), false);
	enable(s, 1);
	stage_secure(s, 2, WIRE_OUTSIDE, "b.example", "a.example", "b.example", FEATURES(EXTERNAL));
	stage_say(s, 2, SIDE_CLIENT, "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'>=</auth>");
	relay(s, 1, SIDE_CLIENT, BAD, "");
	assert_int_equal(s->control->refusals.count, 1);
	stage_say(s, 2, SIDE_SERVER, "<success xmlns='" NS_SASL "'/>");
	stage_say(s, 2, SIDE_CLIENT, ID " from='b.example' to='a.example' version='1.0'>");
	assert_int_equal(heard_times(s, 2, SIDE_SERVER, BAD_REFUSED), 0);
	stage_say(s, 2, SIDE_SERVER, ID " from='a.example' id='3' version='1.0'>" FEATURES());
	stage_expect(s, 2, SIDE_SERVER, BAD_REFUSED); /* before <enable/>: does not count */
	assert_int_not_equal(heard_times(s, 2, SIDE_CLIENT, "<stream:features/>"), 0);
	stage_say(s, 2, SIDE_CLIENT, SM("enable"));
	unsigned messages = fill(s, 2);
	relay(s, 1, SIDE_CLIENT, BAD, ""); /* no room */
	assert_int_equal(s->control->refusals.count, 1);
	s->miserly = false;
	stage_turn(s);
	stage_wait(s, 1000);
	assert_int_equal(s->control->refusals.count, 0);
	assert_int_equal(heard_times(s, 2, SIDE_SERVER, "</message>"), messages + 1);
	char said[128], told[128];
	snprintf(said, sizeof(said), SM("enabled") "<a xmlns='urn:xmpp:sm:3' h='%u'/>", messages + 1);
	snprintf(told, sizeof(told), SM("enabled") "<a xmlns='urn:xmpp:sm:3' h='%u'/>", messages);
	relay(s, 2, SIDE_SERVER, said, told);
}

/* --- two servers that count --- */

struct server {
	uint32_t sent, told, received, said;
};

/* Takes what a server has been sent: stanzas, and the last acknowledgement. */
static void hear(struct stage *s, enum conn_side side, struct server *server)
{
	static const char ack[] = "<a xmlns='urn:xmpp:sm:3' h='";
	struct buf *heard = &s->connection[1].side[side].heard;
	const char *at = (const char *)buf_head(heard), *end = at + buf_len(heard);
	for (; (at = memmem(at, (size_t)(end - at), "<", 1)); at++) {
		size_t left = (size_t)(end - at);
		server->received += left > 9 && !memcmp(at, "<message ", 9);
		if (left < sizeof(ack) || memcmp(at, ack, sizeof(ack) - 1))
			continue;
		uint32_t h = (uint32_t)strtoul(at + sizeof(ack) - 1, NULL, 10);
		assert_true(h >= server->told && h <= server->sent);
		server->told = h;
	}
	buf_drop(heard, buf_len(heard));
}

static void say_some(struct stage *s, enum conn_side side, struct server *server, bool bad)
{
	bool client = side == SIDE_CLIENT;
	const char *word = !bad ? "hello" : client ? "budget" : "malware";
	char text[256];
	snprintf(text, sizeof(text), "<message from='u@%s.example' to='v@%s.example'><body>%s</body></message>",
		client ? "a" : "b", client ? "b" : "a", word);
	stage_say(s, 1, side, text);
	server->sent++;
}

static void acknowledge(struct stage *s, enum conn_side side, struct server *server, uint32_t h)
{
	char text[64];
	server->said = h;
	snprintf(text, sizeof(text), "<a xmlns='urn:xmpp:sm:3' h='%u'/>", h);
	stage_say(s, 1, side, text);
}

static void it_adds_up_for_both(void **state)
{
	struct stage *s = *state;
	struct server server[SIDES] = {0};
	unsigned seed = 5;
	outbound(s, 1, FEATURES(EXTERNAL BIDI), true);
	enable(s, 1);
	for (unsigned i = 0; i < 3000; i++) {
		enum conn_side side = rand_r(&seed) % 2 ? SIDE_CLIENT : SIDE_SERVER;
		struct server *one = &server[side];
		if (rand_r(&seed) % 4)
			say_some(s, side, one, rand_r(&seed) % 5 == 0);
		else
			acknowledge(s, side, one, one->said + (uint32_t)rand_r(&seed) % (one->received - one->said + 1));
		hear(s, SIDE_CLIENT, &server[SIDE_CLIENT]);
		hear(s, SIDE_SERVER, &server[SIDE_SERVER]);
	}
	for (enum conn_side side = SIDE_CLIENT; side < SIDES; side++) {
		acknowledge(s, side, &server[side], server[side].received);
		hear(s, side_other(side), &server[side_other(side)]);
	}
	for (enum conn_side side = SIDE_CLIENT; side < SIDES; side++) {
		assert_true(server[side].sent > 1000);
		assert_int_equal(server[side].told, server[side].sent);
	}
	assert_true(stage_count(s, COUNT_MESSAGE_REFUSED) > 300);
}

/* --- what is wrong --- */

static void more_than_was_sent(void **state)
{
	struct stage *s = *state;
	outbound(s, 1, FEATURES(EXTERNAL), false);
	enable(s, 1);
	relay(s, 1, SIDE_CLIENT, GOOD BAD GOOD, GOOD GOOD);
	stage_say(s, 1, SIDE_SERVER, A("3"));
	stage_expect(s, 1, SIDE_SERVER,
		"<stream:error><undefined-condition xmlns='" NS_STREAM_ERRORS "'/>"
		"<handled-count-too-high xmlns='urn:xmpp:sm:3' h='3' send-count='2'/></stream:error></stream:stream>");
	stage_expect(s, 1, SIDE_CLIENT, FOOTER);
	assert_int_equal(stage_count(s, COUNT_FAULT_HANDLED_COUNT), 1);
	stage_close(s, 1);
	stage_expect_audit(s, "\"ended\":\"acknowledges stanzas that it was not sent\"");
}

static void counts_that_are_none(void **state)
{
	static const char *const said[] = {SM("a"), A(""), A("-1"), A("1x"), A("4294967296"), A("99999999999")};
	struct stage *s = *state;
	for (unsigned i = 0; i < sizeof(said) / sizeof(*said); i++) {
		outbound(s, i + 1, FEATURES(EXTERNAL), false);
		enable(s, i + 1);
		stage_say(s, i + 1, SIDE_SERVER, said[i]);
		stage_expect(s, i + 1, SIDE_SERVER, ERROR("invalid-xml"));
		stage_expect(s, i + 1, SIDE_CLIENT, FOOTER);
	}
}

/* --- bounds --- */

static void a_server_that_asks_seldom(void **state)
{
	struct stage *s = *state;
	outbound(s, 1, FEATURES(EXTERNAL), false);
	enable(s, 1);
	say_turns(s, ACKS_RUNS_MANY / 2);
	assert_int_equal(stage_count(s, COUNT_ACKS_ASKED), 1);
	assert_int_equal(heard_times(s, 1, SIDE_SERVER, SM("r")), 1);
	say_turns(s, 10);
	assert_int_equal(heard_times(s, 1, SIDE_SERVER, SM("r")), 0); /* once */
	stage_say(s, 1, SIDE_SERVER, A("1034"));
	stage_expect(s, 1, SIDE_CLIENT, A("2068"));
	say_turns(s, ACKS_RUNS_MANY / 2);
	assert_int_equal(heard_times(s, 1, SIDE_SERVER, SM("r")), 1);
}

static void a_server_that_never_answers(void **state)
{
	struct stage *s = *state;
	outbound(s, 1, FEATURES(EXTERNAL), false);
	enable(s, 1);
	say_turns(s, ACKS_RUNS_MAX / 2 + 100);
	assert_int_equal(heard_times(s, 1, SIDE_SERVER, "hello"), ACKS_RUNS_MAX / 2);
	stage_wait(s, 1000);
	stage_wait(s, 30000);
	stage_say(s, 1, SIDE_SERVER, A("1"));
	stage_expect(s, 1, SIDE_CLIENT, A("2"));
	assert_int_equal(heard_times(s, 1, SIDE_SERVER, "hello"), 1); /* what waited goes on, as far as it can */
	stage_wait(s, 1000);
	stage_wait(s, ACKS_MS - 1000);
	stage_say(s, 1, SIDE_SERVER, A("4"));
	assert_int_equal(heard_times(s, 1, SIDE_SERVER, "hello"), 3);
	stage_wait(s, 1000);
	assert_int_not_equal(stage_session(s, 1)->state, SESSION_CLOSING);
	stage_wait(s, ACKS_MS);
	stage_expect(s, 1, SIDE_SERVER, ERROR("connection-timeout"));
	stage_close(s, 1);
	stage_expect_audit(s, "\"ended\":\"too much was not acknowledged for too long\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_versions_are_offered),
		TEST(nothing_is_resumed),
		TEST(the_older_version),
		TEST(not_before_authentication),
		TEST(once_and_by_the_client),
		TEST(a_server_that_will_not),
		TEST(a_condition_that_nobody_knows),
		TEST(answers_that_nobody_asked_for),
		TEST(over_with_the_stream),
		cmocka_unit_test_setup_teardown(stripped, set_up_stripped, tear_down),
		TEST(what_is_refused_counts_for_its_sender),
		TEST(silent_drops_count_too),
		TEST(from_enable_on),
		TEST(both_ways),
		TEST(bidi_that_ends_at_the_guard),
		TEST(on_the_reverse_stream),
		TEST(refusals_that_waited),
		TEST(it_adds_up_for_both),
		TEST(more_than_was_sent),
		TEST(counts_that_are_none),
		TEST(a_server_that_asks_seldom),
		TEST(a_server_that_never_answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
