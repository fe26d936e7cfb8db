#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/session_harness.h"

#define EXTERNAL "<mechanisms xmlns='" NS_SASL "'><mechanism>EXTERNAL</mechanism></mechanisms>"
#define DIALBACK "<dialback xmlns='" NS_DIALBACK_FEATURE "'><errors/></dialback>"
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

static void expect_ended(const struct stage *s, uint64_t conn)
{
	for (enum conn_side side = SIDE_CLIENT; side < SIDES; side++) {
		assert_true(s->connection[conn].side[side].ended);
		assert_false(s->connection[conn].side[side].reset);
	}
}

/* A message of about `len` bytes; returns how many. */
static int put_message(char *text, int len)
{
	return snprintf(text, (size_t)len + 100, "<message from='u@b.example' to='v@a.example'><body>%0*d</body></message>",
		len, 0);
}

static void expect_reset(const struct stage *s, uint64_t conn)
{
	for (enum conn_side side = SIDE_CLIENT; side < SIDES; side++)
		assert_true(s->connection[conn].side[side].reset);
}

/* --- whole conversations --- */

static void external_then_stanzas(void **state)
{
	struct stage *s = *state;
	stage_secure(s, 1, WIRE_OUTSIDE, "b.example", "a.example", "b.example", FEATURES(EXTERNAL DIALBACK));
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(EXTERNAL BIDI)); /* dialback would be refused */
	assert_string_equal(s->connection[1].tls.client_name, "b.example");
	assert_string_equal(s->connection[1].tls.server_name, "a.example");
	assert_int_equal(s->connection[1].tls.level, AUTH_STRONG);
	stage_say(s, 1, SIDE_CLIENT, "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'>Yi5leGFtcGxl</auth>");
	stage_expect(s, 1, SIDE_SERVER, "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'>Yi5leGFtcGxl</auth>");
	stage_say(s, 1, SIDE_SERVER, "<success xmlns='" NS_SASL "'/>");
	stage_expect(s, 1, SIDE_CLIENT, "<success xmlns='" NS_SASL "'/>");
	stage_say(s, 1, SIDE_CLIENT, "<?xml version='1.0'?>" ID DB " from='b.example' to='a.example' version='1.0'>");
	stage_expect(
		s, 1, SIDE_SERVER, "<?xml version='1.0'?>" ID DB " from='b.example' to='a.example' version='1.0'>");
	stage_say(s, 1, SIDE_SERVER,
		"<?xml version='1.0'?>" ID DB " from='a.example' id='3' version='1.0'>" FEATURES());
	stage_expect(s, 1, SIDE_CLIENT,
		"<?xml version='1.0'?>" ID DB " from='a.example' id='3' version='1.0'><stream:features/>");
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("u@b.example/x", "v@a.example", "hello"));
	stage_expect(s, 1, SIDE_SERVER, MESSAGE("u@b.example/x", "v@a.example", "hello"));
	assert_int_equal(stage_count(s, COUNT_MESSAGE_PASS), 1);
	assert_int_equal(stage_count(s, COUNT_PAIRS_EXTERNAL), 1);
	stage_close(s, 1);
	stage_expect_audit(s, "\"pairs\":[{\"from\":\"b.example\",\"to\":\"a.example\",\"method\":\"external\"}]");
	stage_expect_audit(s, "\"stanzas\":{\"pass\":1,");
	stage_expect_audit(s, "\"fingerprint\":\"010203000000");
	stage_expect_audit(s, "\"ended\":\"connection closed\"");
}

static void dialback_then_stanzas(void **state)
{
	struct stage *s = *state;
	stage_secure(s, 1, WIRE_INSIDE, "a.example", "d.example", "a.example", FEATURES(DIALBACK));
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(DIALBACK BIDI));
	assert_int_equal(s->connection[1].tls.level, AUTH_TLS_DIALBACK);
	stage_say(s, 1, SIDE_CLIENT, "<db:result to='d.example' from='a.example'>37c69b1c</db:result>");
	stage_expect(s, 1, SIDE_SERVER, "<db:result from='a.example' to='d.example'>37c69b1c</db:result>");
	assert_false(session_has_pair(stage_session(s, 1), SIDE_CLIENT));
	/* the server asks back, on a connection of its own */
	stage_secure(s, 2, WIRE_OUTSIDE, "d.example", "a.example", "", FEATURES(DIALBACK));
	stage_expect(s, 2, SIDE_CLIENT, FEATURES(DIALBACK BIDI));
	stage_say(s, 2, SIDE_CLIENT, "<db:verify from='d.example' to='a.example' id='id-2'>37c69b1c</db:verify>");
	stage_expect(s, 2, SIDE_SERVER, "<db:verify from='d.example' id='id-2' to='a.example'>37c69b1c</db:verify>");
	stage_say(s, 2, SIDE_SERVER, "<db:verify from='a.example' to='d.example' id='id-2' type='valid'/>");
	stage_expect(s, 2, SIDE_CLIENT, "<db:verify from='a.example' id='id-2' to='d.example' type='valid'/>");
	stage_say(s, 1, SIDE_SERVER, "<db:result from='d.example' to='a.example' type='valid'/>");
	stage_expect(s, 1, SIDE_CLIENT, "<db:result from='d.example' to='a.example' type='valid'/>");
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("u@a.example", "v@d.example", "hi"));
	stage_expect(s, 1, SIDE_SERVER, MESSAGE("u@a.example", "v@d.example", "hi"));
	assert_int_equal(stage_count(s, COUNT_PAIRS_DIALBACK), 1);
	assert_int_equal(stage_count(s, COUNT_ALERTS), 0);
	stage_close(s, 1);
	stage_expect_audit(s, "\"method\":\"dialback\"");
}

/* Carried at the level tls-dialback, and of the peer only. It gets no bidi: it has not shown who it is. */
static void an_unverified_server(void **state)
{
	struct stage *s = *state;
	s->doubted_server = true;
	stage_secure(s, 1, WIRE_INSIDE, "a.example", "d.example", "a.example", FEATURES(DIALBACK BIDI));
	assert_int_equal(stage_session(s, 1)->bidi, BIDI_OFFERED_BY_GUARD);
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(DIALBACK BIDI));
	stage_say(s, 1, SIDE_CLIENT, "<db:result to='d.example' from='a.example'>37c69b1c</db:result>");
	stage_say(s, 1, SIDE_SERVER, "<db:result from='d.example' to='a.example' type='valid'/>");
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("u@a.example", "v@d.example", "hi"));
	stage_expect(s, 1, SIDE_SERVER, "<db:result from='a.example' to='d.example'>37c69b1c</db:result>" MESSAGE(
		"u@a.example", "v@d.example", "hi"));
	stage_close(s, 1);
	stage_expect_audit(s, "\"identity\":\"\",\"unverified\":\"self-signed\"");
}

static void an_unverified_client(void **state)
{
	struct stage *s = *state;
	stage_secure(s, 1, WIRE_OUTSIDE, "d.example", "a.example", "?expired", FEATURES(EXTERNAL DIALBACK));
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(DIALBACK BIDI)); /* EXTERNAL would be of no use to it */
	stage_say(s, 1, SIDE_CLIENT, "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'>=</auth>");
	stage_expect(s, 1, SIDE_CLIENT, "<failure xmlns='" NS_SASL "'><invalid-mechanism/></failure>");
}

static void everything_byte_by_byte(void **state)
{
	struct stage *s = *state;
	s->in_pieces = true;
	external_then_stanzas(state);
}

static void dialback_byte_by_byte(void **state)
{
	struct stage *s = *state;
	s->in_pieces = true;
	dialback_then_stanzas(state);
}

static void external_fails_then_dialback(void **state)
{
	struct stage *s = *state;
	stage_secure(s, 1, WIRE_OUTSIDE, "d.example", "a.example", "d.example", FEATURES(EXTERNAL DIALBACK));
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(EXTERNAL DIALBACK BIDI));
	stage_say(s, 1, SIDE_CLIENT, "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'/>");
	stage_expect(s, 1, SIDE_SERVER, "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'/>");
	stage_say(s, 1, SIDE_SERVER,
		"<failure xmlns='" NS_SASL "'><not-authorized/><text>why so ever</text></failure>");
	stage_expect(s, 1, SIDE_CLIENT, "<failure xmlns='" NS_SASL "'><not-authorized/></failure>");
	stage_say(s, 1, SIDE_CLIENT, "<db:result from='d.example' to='a.example'>k</db:result>");
	stage_expect(s, 1, SIDE_SERVER, "<db:result from='d.example' to='a.example'>k</db:result>");
	stage_say(s, 1, SIDE_SERVER, "<db:result from='a.example' to='d.example' type='valid'/>");
	stage_expect(s, 1, SIDE_CLIENT, "<db:result from='a.example' to='d.example' type='valid'/>");
	assert_true(session_has_pair(stage_session(s, 1), SIDE_CLIENT));
	assert_false(session_has_pair(stage_session(s, 1), SIDE_SERVER));
}

static void challenge_and_response(void **state)
{
	struct stage *s = *state;
	stage_secure(s, 1, WIRE_OUTSIDE, "b.example", "a.example", "b.example", FEATURES(EXTERNAL));
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(EXTERNAL BIDI));
	stage_say(s, 1, SIDE_CLIENT, "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'/>");
	stage_expect(s, 1, SIDE_SERVER, "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'/>");
	stage_say(s, 1, SIDE_SERVER, "<challenge xmlns='" NS_SASL "'>c29tZXRoaW5n</challenge>");
	stage_expect(s, 1, SIDE_CLIENT, "<challenge xmlns='" NS_SASL "'/>");
	stage_say(s, 1, SIDE_CLIENT, "<response xmlns='" NS_SASL "'>=</response>");
	stage_expect(s, 1, SIDE_SERVER, "<response xmlns='" NS_SASL "'>=</response>");
	stage_say(s, 1, SIDE_SERVER, "<success xmlns='" NS_SASL "'/>");
	stage_expect(s, 1, SIDE_CLIENT, "<success xmlns='" NS_SASL "'/>");
	assert_true(session_has_pair(stage_session(s, 1), SIDE_CLIENT));
}

/* --- headers --- */

static void header_passes_what_counts(void **state)
{
	struct stage *s = *state;
	stage_open(s, 1, WIRE_OUTSIDE);
	stage_say(s, 1, SIDE_CLIENT,
		"<?xml version=\"1.0\" encoding='UTF-8'?> <s:stream xmlns='jabber:server' id='mine' "
		"xmlns:s='http://etherx.jabber.org/streams' to='A.example' from='B.EXAMPLE' version='1.0' "
		"xml:lang='de'>");
	stage_expect(s, 1, SIDE_SERVER,
		"<?xml version='1.0'?>" ID " from='B.EXAMPLE' to='A.example' version='1.0' xml:lang='de'>");
	stage_say(s, 1, SIDE_SERVER, ID DB " from='a.example' to='b.example' id='&lt;&#65;&gt;' version='1.0'>");
	stage_expect(s, 1, SIDE_CLIENT,
		"<?xml version='1.0'?>" ID DB " from='a.example' id='&lt;A>' to='b.example' version='1.0'>");
}

/* A header that is refused is answered by a header, so that the server understands the error. */
static void refused_at_header(
	struct stage *s, uint64_t conn, enum wire wire, const char *attributes, const char *condition)
{
	char text[512], end[256];
	stage_open(s, conn, wire);
	snprintf(text, sizeof(text), ID "%s>", attributes);
	stage_say(s, conn, SIDE_CLIENT, text);
	stage_expect(s, conn, SIDE_SERVER, "");
	struct buf *heard = &s->connection[conn].side[SIDE_CLIENT].heard;
	snprintf(end, sizeof(end), ERROR("%s"), condition);
	assert_true(buf_len(heard) > strlen(end));
	assert_memory_equal(buf_head(heard), "<?xml version='1.0'?><stream:stream ", 36);
	assert_memory_equal(buf_head(heard) + buf_len(heard) - strlen(end), end, strlen(end));
	expect_ended(s, conn);
	stage_close(s, conn);
}

static void headers_refused(void **state)
{
	struct stage *s = *state;
	refused_at_header(s, 1, WIRE_OUTSIDE, " from='b.example' version='1.0'", "improper-addressing");
	refused_at_header(
		s, 2, WIRE_OUTSIDE, " from='u@b.example' to='a.example' version='1.0'", "improper-addressing");
	refused_at_header(s, 3, WIRE_OUTSIDE, " from='b.example' to='a.example'", "unsupported-version");
	assert_int_equal(stage_count(s, COUNT_SESSIONS_REFUSED), 0);
	assert_int_equal(stage_count(s, COUNT_ALERTS), 1); /* without a version there is no TLS */
	refused_at_header(
		s, 4, WIRE_OUTSIDE, " from='evil.example' to='a.example' version='1.0'", "policy-violation");
	refused_at_header(s, 5, WIRE_OUTSIDE, " from='a.example' to='b.example' version='1.0'", "policy-violation");
	refused_at_header(s, 6, WIRE_INSIDE, " from='b.example' to='a.example' version='1.0'", "policy-violation");
	refused_at_header(
		s, 7, WIRE_INSIDE, " from='a.example' to='sub.a.example' version='1.0'", "policy-violation");
	assert_int_equal(stage_count(s, COUNT_SESSIONS_REFUSED), 4);
	assert_int_equal(stage_count(s, COUNT_ALERTS), 5);
	stage_expect_audit(s, "\"alert\":\"peering-refused\"");
}

/* A client may keep its name to itself (RFC 6120 4.7.1): it sees the server's certificate and comes no further. */
static void client_without_a_name(void **state)
{
	struct stage *s = *state;
	stage_open(s, 1, WIRE_OUTSIDE);
	stage_say(s, 1, SIDE_CLIENT, ID " to='a.example' version='1.0'>");
	stage_expect(s, 1, SIDE_SERVER, "<?xml version='1.0'?>" ID " to='a.example' version='1.0'>");
	stage_say(s, 1, SIDE_SERVER, ID " from='a.example' id='1' version='1.0'>"
		FEATURES("<starttls xmlns='" NS_TLS "'/>"));
	stage_say(s, 1, SIDE_CLIENT, "<starttls xmlns='" NS_TLS "'/>");
	stage_say(s, 1, SIDE_SERVER, "<proceed xmlns='" NS_TLS "'/>");
	assert_int_equal(s->connection[1].start_tls, 1);
	assert_string_equal(s->connection[1].tls.client_name, "");
	assert_int_equal(s->connection[1].tls.level, AUTH_STRONG);
	stage_secured(s, 1, SIDE_SERVER, "a.example", "");
	stage_secured(s, 1, SIDE_CLIENT, "d.example", "a.example");
	expect_reset(s, 1);
	refused_at_header(s, 2, WIRE_OUTSIDE, " to='b.example' version='1.0'", "policy-violation");
	refused_at_header(s, 3, WIRE_INSIDE, " to='evil.example' version='1.0'", "policy-violation");
	refused_at_header(s, 4, WIRE_INSIDE, " to='sub.a.example' version='1.0'", "policy-violation");
}

static void server_that_answers_with_another_name(void **state)
{
	struct stage *s = *state;
	stage_open(s, 1, WIRE_OUTSIDE);
	stage_say(s, 1, SIDE_CLIENT, ID " from='b.example' to='a.example' version='1.0'>");
	stage_say(s, 1, SIDE_SERVER, ID " from='other.example' id='1' version='1.0'>");
	expect_ended(s, 1);
	assert_string_equal(stage_session(s, 1)->why, "server answers with other names");
}

static void names_cannot_change_after_tls(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_OUTSIDE, "b.example", "a.example", FEATURES(EXTERNAL), false);
	stage_open(s, 2, WIRE_OUTSIDE);
	stage_close(s, 1);
	stage_secure(s, 3, WIRE_OUTSIDE, "d.example", "a.example", "d.example", FEATURES(EXTERNAL));
	stage_say(s, 3, SIDE_CLIENT, "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'>=</auth>");
	stage_say(s, 3, SIDE_SERVER, "<success xmlns='" NS_SASL "'/>");
	stage_say(s, 3, SIDE_CLIENT, ID " from='b.example' to='a.example' version='1.0'>");
	expect_ended(s, 3);
	assert_string_equal(stage_session(s, 3)->why, "other names after a restart");
}

static void not_xmpp(void **state)
{
	struct stage *s = *state;
	static const char *const first[] = {"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02", "<html>", "SSH-2.0-x\r\n",
		"<a xmlns='jabber:server'/>"};
	for (unsigned i = 0; i < 5; i++) {
		stage_open(s, i + 1, WIRE_OUTSIDE);
		stage_say(s, i + 1, SIDE_CLIENT, first[i]);
		stage_expect_nothing(s, i + 1);
		expect_reset(s, i + 1);
	}
	stage_open(s, 6, WIRE_OUTSIDE);
	stage_say(s, 6, SIDE_SERVER, "220 mail.example ESMTP\r\n");
	expect_reset(s, 6);
	assert_int_equal(stage_count(s, COUNT_FAULT_NOT_XMPP), 6);
	stage_close(s, 6);
	stage_expect_audit(s, "\"ended\":\"the server speaks first\"");
}

/* --- features --- */

static void features_are_filtered(void **state)
{
	struct stage *s = *state;
	stage_secure(s, 1, WIRE_INSIDE, "a.example", "b.example", "a.example",
		FEATURES(
			"<starttls xmlns='" NS_TLS "'/><mechanisms xmlns='" NS_SASL "'><mechanism>PLAIN</mechanism>"
			"<mechanism>EXTERNAL</mechanism><evil xmlns='x'/></mechanisms>"
			"<sm xmlns='urn:xmpp:sm:3'/><sm xmlns='urn:xmpp:sm:2'/>"
			"<compression xmlns='http://jabber.org/features/compress'><method>zlib</method></compression>"
			"<limits xmlns='" NS_LIMITS
			"'><max-bytes>900000</max-bytes><idle-seconds>60</idle-seconds></limits>"
			"<c xmlns='http://jabber.org/protocol/caps' ver='x'/>" BIDI DIALBACK));
	stage_expect(s, 1, SIDE_CLIENT,
		FEATURES(EXTERNAL BIDI
			"<limits xmlns='" NS_LIMITS
			"'><max-bytes>524288</max-bytes><idle-seconds>60</idle-seconds></limits>"
			"<sm xmlns='urn:xmpp:sm:2'/><sm xmlns='urn:xmpp:sm:3'/>"));
	assert_int_equal(stage_session(s, 1)->bidi, BIDI_OFFERED_BY_SERVER);
	assert_int_equal(stage_count(s, COUNT_FEATURES_STRIPPED), 4);
}

#define LIMITS(bytes, seconds) \
	"<limits xmlns='" NS_LIMITS "'><max-bytes>" bytes "</max-bytes><idle-seconds>" seconds "</idle-seconds></limits>"

static void lower_limits_stay(void **state)
{
	struct stage *s = *state;
	stage_secure(s, 1, WIRE_INSIDE, "a.example", "b.example", "a.example",
		FEATURES("<limits xmlns='" NS_LIMITS "'><max-bytes>20000</max-bytes></limits>"));
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(LIMITS("20000", "86400") BIDI));
}

/* XEP-0478 2.2: a client that takes stanzas too says in <bidi/> how much. */
static void limits_of_a_client_by_bidi(void **state)
{
	struct stage *s = *state;
	struct conf *conf = (struct conf *)s->control->conf;
	conf->stanza_bytes = 30000;
	conf->idle_seconds = 600;
	stage_secure(s, 1, WIRE_INSIDE, "a.example", "b.example", "a.example", FEATURES(EXTERNAL BIDI));
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(EXTERNAL BIDI LIMITS("30000", "600")));
	stage_say(s, 1, SIDE_CLIENT, "<bidi xmlns='urn:xmpp:bidi'>" LIMITS("500000", "60") "<x xmlns='y'/></bidi>");
	stage_expect(s, 1, SIDE_SERVER, "<bidi xmlns='urn:xmpp:bidi'>" LIMITS("30000", "60") "</bidi>");
}

/* Who sends more than the configuration lets pass loses the stream; what it allows passes whole. */
static void the_largest_stanza_is_configured(void **state)
{
	struct stage *s = *state;
	enum { MOST = 15000 };
	static const char head[] = "<message from='a@a.example/r' to='b@b.example'><body>", tail[] = "</body></message>";
	static char text[MOST + 2];
	struct conf *conf = (struct conf *)s->control->conf;
	conf->stanza_bytes = MOST;
	conf->feature_count -= 2; /* limits and sm, the last of them: they are not announced here */
	for (unsigned over = 0; over < 2; over++) {
		size_t body = MOST + over - strlen(head) - strlen(tail);
		stage_external(s, 1 + over, WIRE_INSIDE, "a.example", "b.example", FEATURES(EXTERNAL), false);
		memcpy(text, head, strlen(head));
		memset(text + strlen(head), 'x', body);
		memcpy(text + strlen(head) + body, tail, sizeof(tail));
		stage_say(s, 1 + over, SIDE_CLIENT, text);
	}
	stage_expect(s, 2, SIDE_CLIENT, ERROR("policy-violation"));
	assert_int_equal(stage_count(s, COUNT_MESSAGE_PASS), 1);
	assert_int_equal(stage_count(s, COUNT_FAULT_LIMIT), 1);
}

static void external_is_not_offered_without_a_certificate(void **state)
{
	struct stage *s = *state;
	stage_secure(s, 1, WIRE_OUTSIDE, "d.example", "a.example", "", FEATURES(EXTERNAL DIALBACK));
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(DIALBACK BIDI));
	stage_say(s, 1, SIDE_CLIENT, "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'>=</auth>");
	stage_expect(s, 1, SIDE_CLIENT, "<failure xmlns='" NS_SASL "'><invalid-mechanism/></failure>");
	stage_expect(s, 1, SIDE_SERVER, "");
}

static void features_not_in_the_configuration(void **state)
{
	(void)state;
	struct stage s;
	stage_init_conf(&s, "starttls, mechanisms", NULL);
	stage_secure(&s, 1, WIRE_OUTSIDE, "b.example", "a.example", "b.example", FEATURES(EXTERNAL DIALBACK BIDI));
	stage_expect(&s, 1, SIDE_CLIENT, FEATURES(EXTERNAL));
	stage_say(&s, 1, SIDE_CLIENT, "<bidi xmlns='urn:xmpp:bidi'/>");
	stage_expect(&s, 1, SIDE_CLIENT, ERROR("policy-violation"));
	stage_fini(&s);
}

static void server_without_starttls(void **state)
{
	struct stage *s = *state;
	stage_open(s, 1, WIRE_INSIDE);
	stage_say(s, 1, SIDE_CLIENT, ID " from='a.example' to='b.example' version='1.0'>");
	stage_say(s, 1, SIDE_SERVER, ID " from='b.example' id='1' version='1.0'>" FEATURES(DIALBACK));
	stage_expect(s, 1, SIDE_CLIENT,
		"<?xml version='1.0'?>" ID " from='b.example' id='1' version='1.0'>" ERROR("policy-violation"));
	expect_ended(s, 1);
}

static void a_level_asks_for_starttls(void **state)
{
	struct stage *s = *state;
	const char *peers[] = {"b.example", "d.example"};
	for (unsigned conn = 1; conn <= 2; conn++) {
		char header[400];
		stage_open(s, conn, WIRE_INSIDE);
		snprintf(header, sizeof(header), ID DB " from='a.example' to='%s' version='1.0'>", peers[conn - 1]);
		stage_say(s, conn, SIDE_CLIENT, header);
		snprintf(header, sizeof(header), ID DB " from='%s' id='1' version='1.0'>" FEATURES(DIALBACK), peers[conn - 1]);
		stage_say(s, conn, SIDE_SERVER, header);
		expect_ended(s, conn);
	}
	assert_int_equal(stage_count(s, COUNT_ALERTS), 2);
	stage_expect_audit(s, "\"alert\":\"downgrade\"");
}

/* --- the level none --- */

/* With a server that offers these. */
static void begin_level_none(struct stage *s, const char *offered, const char *passed)
{
	stage_open(s, 1, WIRE_INSIDE);
	stage_say(s, 1, SIDE_CLIENT, ID DB " from='a.example' to='e.example' version='1.0'>");
	stage_say(s, 1, SIDE_SERVER, ID DB " from='e.example' id='1' version='1.0'>");
	for (enum conn_side side = SIDE_CLIENT; side < SIDES; side++)
		buf_drop(&s->connection[1].side[side].heard, buf_len(&s->connection[1].side[side].heard));
	stage_say(s, 1, SIDE_SERVER, offered);
	stage_expect(s, 1, SIDE_CLIENT, passed);
}

static void dialback_in_the_clear(void **state)
{
	struct stage *s = *state;
	begin_level_none(s, FEATURES(DIALBACK), FEATURES(DIALBACK));
	stage_say(s, 1, SIDE_CLIENT, "<db:result to='e.example' from='a.example'>37c69b1c</db:result>");
	stage_say(s, 1, SIDE_SERVER, "<db:result from='e.example' to='a.example' type='valid'/>");
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("u@a.example", "v@e.example", "hi"));
	stage_expect(s, 1, SIDE_SERVER, "<db:result from='a.example' to='e.example'>37c69b1c</db:result>" MESSAGE(
		"u@a.example", "v@e.example", "hi"));
}

static void nothing_but_dialback_in_the_clear(void **state)
{
	struct stage *s = *state;
	begin_level_none(s, FEATURES(DIALBACK), FEATURES(DIALBACK));
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("u@a.example", "v@e.example", "hi"));
	stage_expect(s, 1, SIDE_CLIENT, ERROR("not-authorized"));
	stage_expect(s, 1, SIDE_SERVER, FOOTER);
}

/* Its level is another one: on this very connection it is not proved. */
static void a_pair_has_its_own_level(void **state)
{
	struct stage *s = *state;
	begin_level_none(s, FEATURES(DIALBACK), FEATURES(DIALBACK));
	stage_say(s, 1, SIDE_CLIENT, "<db:result to='d.example' from='a.example'>37c69b1c</db:result>");
	stage_expect(s, 1, SIDE_SERVER, "");
	stage_expect_audit(s, "dialback without TLS is not enough for this peer");
}

static void starttls_is_left_to_the_server(void **state)
{
	struct stage *s = *state;
	const char *features = FEATURES("<starttls xmlns='" NS_TLS "'/>" DIALBACK);
	begin_level_none(s, features, features);
	stage_say(s, 1, SIDE_CLIENT, "<starttls xmlns='" NS_TLS "'/>");
	stage_say(s, 1, SIDE_SERVER, "<proceed xmlns='" NS_TLS "'/>");
	assert_int_equal(s->connection[1].start_tls, 1);
	assert_int_equal(s->connection[1].tls.level, AUTH_NONE);
}

static void asked_for_what_was_stripped(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_OUTSIDE, "b.example", "a.example", FEATURES(EXTERNAL), false);
	stage_say(s, 1, SIDE_CLIENT,
		"<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>");
	stage_expect(
		s, 1, SIDE_CLIENT, "<failure xmlns='http://jabber.org/protocol/compress'><setup-failed/></failure>");
	stage_say(s, 1, SIDE_CLIENT, "<r xmlns='urn:xmpp:sm:4'/>");
	stage_expect(s, 1, SIDE_CLIENT, ERROR("unsupported-stanza-type"));
	stage_expect(s, 1, SIDE_SERVER, FOOTER);
}

/* --- TLS --- */

static void begin_clear(struct stage *s, uint64_t conn)
{
	stage_open(s, conn, WIRE_OUTSIDE);
	stage_say(s, conn, SIDE_CLIENT, ID DB " from='b.example' to='a.example' version='1.0'>");
	stage_say(s, conn, SIDE_SERVER,
		ID DB " from='a.example' id='1' version='1.0'>" FEATURES("<starttls xmlns='" NS_TLS "'/>"));
	for (enum conn_side side = SIDE_CLIENT; side < SIDES; side++)
		buf_drop(&s->connection[conn].side[side].heard, buf_len(&s->connection[conn].side[side].heard));
}

static void injection_after_starttls(void **state)
{
	struct stage *s = *state;
	begin_clear(s, 1);
	stage_say(s, 1, SIDE_CLIENT, "<starttls xmlns='" NS_TLS "'/>" ID ">");
	expect_reset(s, 1);
	begin_clear(s, 2);
	stage_say(s, 2, SIDE_CLIENT, "<starttls xmlns='" NS_TLS "'/>");
	stage_say(s, 2, SIDE_CLIENT, " ");
	expect_reset(s, 2);
	begin_clear(s, 3);
	stage_say(s, 3, SIDE_CLIENT, "<starttls xmlns='" NS_TLS "'/>");
	stage_say(s, 3, SIDE_SERVER, "<proceed xmlns='" NS_TLS "'/><x/>");
	expect_reset(s, 3);
	begin_clear(s, 4);
	stage_say(s, 4, SIDE_CLIENT, "<starttls xmlns='" NS_TLS "'/>");
	stage_say(s, 4, SIDE_SERVER, "<proceed xmlns='" NS_TLS "'/>");
	assert_int_equal(s->connection[4].start_tls, 1);
	stage_say(s, 4, SIDE_CLIENT, "x");
	expect_reset(s, 4);
	assert_int_equal(stage_count(s, COUNT_ALERTS), 4);
	for (unsigned conn = 1; conn <= 3; conn++)
		assert_int_equal(s->connection[conn].start_tls, 0);
	stage_expect_audit(s, "\"alert\":\"starttls-injection\"");
}

static void nothing_before_tls(void **state)
{
	struct stage *s = *state;
	static const char *const said[] = {
		MESSAGE("u@b.example", "v@a.example", "hello"),
		"<db:result from='b.example' to='a.example'>k</db:result>",
		"<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'>=</auth>",
		"<bidi xmlns='urn:xmpp:bidi'/>",
	};
	for (unsigned i = 0; i < 4; i++) {
		begin_clear(s, i + 1);
		stage_say(s, i + 1, SIDE_CLIENT, said[i]);
		stage_expect(s, i + 1, SIDE_CLIENT, ERROR("policy-violation"));
		stage_expect(s, i + 1, SIDE_SERVER, FOOTER);
		expect_ended(s, i + 1);
	}
}

static void tls_refused_by_server(void **state)
{
	struct stage *s = *state;
	begin_clear(s, 1);
	stage_say(s, 1, SIDE_CLIENT, "<starttls xmlns='" NS_TLS "'/>");
	stage_say(s, 1, SIDE_SERVER, "<failure xmlns='" NS_TLS "'/>" FOOTER);
	stage_expect(s, 1, SIDE_CLIENT, "<failure xmlns='" NS_TLS "'/>" FOOTER);
	expect_ended(s, 1);
}

static void tls_fails(void **state)
{
	struct stage *s = *state;
	begin_clear(s, 1);
	stage_say(s, 1, SIDE_CLIENT, "<starttls xmlns='" NS_TLS "'/>");
	stage_say(s, 1, SIDE_SERVER, "<proceed xmlns='" NS_TLS "'/>");
	stage_expect(s, 1, SIDE_CLIENT, "<proceed xmlns='" NS_TLS "'/>");
	struct msg_tls_failed failed = {.failure = TLS_FAILED_CERTIFICATE, .reason = "certificate has \"expired\""};
	player_say(&s->player, MSG_TLS_FAILED, SIDE_SERVER, 1, &failed, sizeof(failed));
	stage_turn(s);
	expect_ended(s, 1);
	stage_expect(s, 1, SIDE_CLIENT, "");
	stage_expect_audit(s, "\"alert\":\"tls-failed\"");
	stage_expect_audit(s, "TLS with server failed, certificate: certificate has \\\"expired\\\"");
	assert_int_equal(stage_count(s, COUNT_TLS_FAILURES), 1);
}

static void tls_to_somebody_else(void **state)
{
	struct stage *s = *state;
	for (unsigned conn = 1; conn <= 4; conn++) {
		begin_clear(s, conn);
		stage_say(s, conn, SIDE_CLIENT, "<starttls xmlns='" NS_TLS "'/>");
		stage_say(s, conn, SIDE_SERVER, "<proceed xmlns='" NS_TLS "'/>");
	}
	stage_secured(s, 1, SIDE_SERVER, "other.example", "b.example");
	expect_reset(s, 1);
	stage_secured(s, 2, SIDE_SERVER, "a.example", "b.example");
	stage_secured(s, 2, SIDE_CLIENT, "", "a.example"); /* the peer is strong */
	expect_reset(s, 2);
	stage_secured(s, 3, SIDE_SERVER, "", "b.example");
	expect_reset(s, 3);
	stage_secured(s, 4, SIDE_CLIENT, "?self-signed", "b.example");
	expect_reset(s, 4);
	assert_int_equal(stage_count(s, COUNT_SESSIONS_SECURED), 0);
}

static void server_ends_during_the_handshake(void **state)
{
	struct stage *s = *state;
	begin_clear(s, 1);
	stage_say(s, 1, SIDE_CLIENT, "<starttls xmlns='" NS_TLS "'/>");
	stage_say(s, 1, SIDE_SERVER, "<proceed xmlns='" NS_TLS "'/>");
	stage_expect(s, 1, SIDE_CLIENT, "<proceed xmlns='" NS_TLS "'/>");
	stage_secured(s, 1, SIDE_SERVER, "a.example", "b.example");
	stage_tell(s, 1, SIDE_SERVER, MSG_END_OF_STREAM);
	stage_secured(s, 1, SIDE_CLIENT, "b.example", "a.example");
	assert_true(s->connection[1].side[SIDE_CLIENT].ended);
	stage_wait(s, s->control->conf->negotiation_seconds * 1000);
	stage_expect(s, 1, SIDE_CLIENT, ""); /* not after its end */
	stage_wait(s, LINGER_MS);
	expect_reset(s, 1);
}

static void second_starttls_inside_tls(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_OUTSIDE, "b.example", "a.example", FEATURES(EXTERNAL), false);
	stage_say(s, 1, SIDE_CLIENT, "<starttls xmlns='" NS_TLS "'/>");
	stage_expect(s, 1, SIDE_CLIENT, ERROR("policy-violation"));
}

/* --- authentication --- */

static void stanzas_before_authentication(void **state)
{
	struct stage *s = *state;
	stage_secure(s, 1, WIRE_OUTSIDE, "b.example", "a.example", "b.example", FEATURES(EXTERNAL));
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(EXTERNAL BIDI));
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("u@b.example", "v@a.example", "hello"));
	stage_expect(s, 1, SIDE_CLIENT, ERROR("not-authorized"));
	stage_expect(s, 1, SIDE_SERVER, FOOTER);
	assert_int_equal(stage_count(s, COUNT_FAULT_UNAUTHENTICATED), 1);
}

static void stanza_sent_with_auth_waits_for_the_answer(void **state)
{
	struct stage *s = *state;
	stage_secure(s, 1, WIRE_OUTSIDE, "b.example", "a.example", "b.example", FEATURES(EXTERNAL));
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(EXTERNAL BIDI));
	stage_say(s, 1, SIDE_CLIENT,
		"<auth xmlns='" NS_SASL
		"' mechanism='EXTERNAL'>=</auth>" MESSAGE("u@b.example", "v@a.example", "hello"));
	stage_expect(s, 1, SIDE_SERVER, "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'>=</auth>");
	stage_say(s, 1, SIDE_SERVER, "<failure xmlns='" NS_SASL "'><not-authorized/></failure>");
	stage_expect(s, 1, SIDE_CLIENT,
		"<failure xmlns='" NS_SASL "'><not-authorized/></failure>" ERROR("not-authorized"));
	stage_expect(s, 1, SIDE_SERVER, FOOTER);
}

static void acts_for_another_domain(void **state)
{
	struct stage *s = *state;
	static const char *const authzids[] = {
		"YS5leGFtcGxl", "Yi5leGFtcGxlAA==", "Yi5leGFtcGxm", "====", "Yi5", "*", "dUBiLmV4YW1wbGU="};
	stage_secure(s, 1, WIRE_OUTSIDE, "b.example", "a.example", "b.example", FEATURES(EXTERNAL));
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(EXTERNAL BIDI));
	for (unsigned i = 0; i < sizeof(authzids) / sizeof(*authzids); i++) {
		char text[256];
		snprintf(text, sizeof(text), "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'>%s</auth>", authzids[i]);
		stage_say(s, 1, SIDE_CLIENT, text);
		stage_expect(s, 1, SIDE_CLIENT, "<failure xmlns='" NS_SASL "'><invalid-authzid/></failure>");
	}
	stage_say(s, 1, SIDE_CLIENT, "<auth xmlns='" NS_SASL "' mechanism='PLAIN'>AGEAYg==</auth>");
	stage_expect(s, 1, SIDE_CLIENT, "<failure xmlns='" NS_SASL "'><invalid-mechanism/></failure>");
	stage_expect(s, 1, SIDE_SERVER, "");
}

static void success_out_of_the_blue(void **state)
{
	struct stage *s = *state;
	stage_secure(s, 1, WIRE_OUTSIDE, "b.example", "a.example", "b.example", FEATURES(EXTERNAL));
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(EXTERNAL BIDI));
	stage_say(s, 1, SIDE_SERVER, "<success xmlns='" NS_SASL "'/>");
	stage_expect(s, 1, SIDE_CLIENT, FOOTER);
	stage_expect(s, 1, SIDE_SERVER, ERROR("policy-violation"));
	assert_false(session_has_pair(stage_session(s, 1), SIDE_CLIENT));
}

/* --- dialback --- */

static void dialback_is_not_enough_for_a_strong_peer(void **state)
{
	struct stage *s = *state;
	stage_secure(s, 1, WIRE_OUTSIDE, "b.example", "a.example", "b.example", FEATURES(EXTERNAL DIALBACK));
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(EXTERNAL BIDI));
	stage_say(s, 1, SIDE_CLIENT, "<db:result from='b.example' to='a.example'>k</db:result>");
	stage_expect(s, 1, SIDE_CLIENT,
		"<db:result from='a.example' to='b.example' type='error'><error type='cancel'>"
		"<policy-violation xmlns='" NS_STANZAS "'/></error></db:result>");
	stage_expect(s, 1, SIDE_SERVER, "");
	assert_int_equal(stage_session(s, 1)->state, SESSION_OPEN);
	assert_int_equal(stage_count(s, COUNT_PAIRS_REFUSED), 1);
}

static void dialback_for_pairs_that_may_not(void **state)
{
	struct stage *s = *state;
	static const struct {
		const char *from, *to;
	} pairs[] = {{"evil.example", "a.example"}, {"a.example", "d.example"}, {"d.example", "nobody.example"},
		{"sub.a.example", "a.example"}};
	stage_secure(s, 1, WIRE_OUTSIDE, "d.example", "a.example", "d.example", FEATURES(DIALBACK));
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(DIALBACK BIDI));
	for (unsigned i = 0; i < 4; i++) {
		char text[256], answer[512];
		snprintf(
			text, sizeof(text), "<db:result from='%s' to='%s'>k</db:result>", pairs[i].from, pairs[i].to);
		snprintf(answer, sizeof(answer),
			"<db:result from='%s' to='%s' type='error'><error type='cancel'>"
			"<policy-violation xmlns='" NS_STANZAS "'/></error></db:result>",
			pairs[i].to, pairs[i].from);
		stage_say(s, 1, SIDE_CLIENT, text);
		stage_expect(s, 1, SIDE_CLIENT, answer);
	}
	stage_expect(s, 1, SIDE_SERVER, "");
	assert_int_equal(stage_count(s, COUNT_PAIRS_REFUSED), 4);
	stage_expect_audit(s, "\"alert\":\"pair-refused\"");
}

static void many_pairs_on_one_connection(void **state)
{
	struct stage *s = *state;
	stage_secure(s, 1, WIRE_OUTSIDE, "d.example", "a.example", "d.example", FEATURES(DIALBACK));
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(DIALBACK BIDI));
	stage_say(s, 1, SIDE_CLIENT,
		"<db:result from='d.example' to='a.example'>k1</db:result>"
		"<db:result from='x.d.example' to='a.example'>k2</db:result>"
		"<db:result from='x.d.example' to='sub.a.example'>k3</db:result>");
	stage_expect(s, 1, SIDE_SERVER,
		"<db:result from='d.example' to='a.example'>k1</db:result>"
		"<db:result from='x.d.example' to='a.example'>k2</db:result>"
		"<db:result from='x.d.example' to='sub.a.example'>k3</db:result>");
	stage_say(s, 1, SIDE_SERVER,
		"<db:result from='sub.a.example' to='x.d.example' type='valid'/>"
		"<db:result from='a.example' to='x.d.example' type='invalid'/>");
	stage_expect(s, 1, SIDE_CLIENT,
		"<db:result from='sub.a.example' to='x.d.example' type='valid'/>"
		"<db:result from='a.example' to='x.d.example' type='invalid'/>");
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("u@x.d.example", "v@sub.a.example", "one"));
	stage_expect(s, 1, SIDE_SERVER, MESSAGE("u@x.d.example", "v@sub.a.example", "one"));
	/* the pair that was found invalid, and one that has no answer yet */
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("u@d.example", "v@a.example", "two"));
	stage_expect(s, 1, SIDE_SERVER, FOOTER);
	assert_int_equal(stage_count(s, COUNT_MESSAGE_CLOSE), 1);
}

static void answers_that_nobody_asked_for(void **state)
{
	struct stage *s = *state;
	stage_secure(s, 1, WIRE_OUTSIDE, "d.example", "a.example", "d.example", FEATURES(DIALBACK));
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(DIALBACK BIDI));
	stage_say(s, 1, SIDE_SERVER, "<db:result from='a.example' to='d.example' type='valid'/>"); /* not asked */
	stage_say(
		s, 1, SIDE_CLIENT, "<db:result from='d.example' to='a.example' type='valid'/>"); /* wrong direction */
	stage_say(s, 1, SIDE_CLIENT, "<db:result from='a.example' to='d.example' type='valid'/>"); /* by who asks */
	stage_say(s, 1, SIDE_SERVER, "<db:verify from='a.example' to='d.example' id='x' type='valid'/>");
	stage_say(s, 1, SIDE_SERVER,
		"<db:verify from='a.example' to='d.example' id='x' type='invalid'/>"); /* no alert */
	stage_expect_nothing(s, 1);
	assert_false(session_has_pair(stage_session(s, 1), SIDE_CLIENT));
	assert_int_equal(stage_count(s, COUNT_DIALBACK_ANSWERS_DROPPED), 5);
	assert_int_equal(stage_count(s, COUNT_ALERTS), 4);
	stage_expect_audit(s, "\"alert\":\"dialback-unsolicited\"");
	/* asked on one connection, answered on another: still nobody asked there */
	stage_secure(s, 2, WIRE_OUTSIDE, "d.example", "a.example", "d.example", FEATURES(DIALBACK));
	stage_expect(s, 2, SIDE_CLIENT, FEATURES(DIALBACK BIDI));
	stage_say(s, 2, SIDE_CLIENT, "<db:result from='d.example' to='a.example'>k</db:result>");
	stage_say(s, 1, SIDE_SERVER, "<db:result from='a.example' to='d.example' type='valid'/>");
	stage_expect_nothing(s, 1);
	/* answered twice: the second one was not asked for */
	stage_say(s, 2, SIDE_SERVER, "<db:result from='a.example' to='d.example' type='invalid'/>");
	stage_say(s, 2, SIDE_SERVER, "<db:result from='a.example' to='d.example' type='valid'/>");
	assert_false(session_has_pair(stage_session(s, 2), SIDE_CLIENT));
}

static void dialback_of_the_wrong_shape(void **state)
{
	struct stage *s = *state;
	static const char *const said[] = {
		"<db:result from='d.example'>k</db:result>",
		"<db:result from='d.example' to='a.example'/>",
		"<db:result from='d.example' to='a.example'>k<x/></db:result>",
		"<db:result from='d.example' to='a.example'>&lt;k&gt;</db:result>",
		"<db:result from='d.example' to='a.example' type='maybe'/>",
		"<db:verify from='d.example' to='a.example'>k</db:verify>",
	};
	for (unsigned i = 0; i < 6; i++) {
		stage_secure(s, i + 1, WIRE_OUTSIDE, "d.example", "a.example", "d.example", FEATURES(DIALBACK));
		stage_say(s, i + 1, SIDE_CLIENT, said[i]);
		stage_expect(s, i + 1, SIDE_SERVER, FOOTER);
		assert_int_equal(stage_session(s, i + 1)->state, SESSION_CLOSING);
	}
}

static void dialback_errors_pass_without_their_text(void **state)
{
	struct stage *s = *state;
	stage_secure(s, 1, WIRE_OUTSIDE, "d.example", "a.example", "d.example", FEATURES(DIALBACK));
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(DIALBACK BIDI));
	stage_say(s, 1, SIDE_CLIENT, "<db:result from='d.example' to='a.example'>k</db:result>");
	stage_say(s, 1, SIDE_SERVER,
		"<db:result from='a.example' to='d.example' type='error'><error type='cancel' by='x'>"
		"<remote-server-timeout xmlns='" NS_STANZAS "'/><text xmlns='" NS_STANZAS
		"'>t</text></error></db:result>");
	stage_expect(s, 1, SIDE_CLIENT,
		"<db:result from='a.example' to='d.example' type='error'><error type='cancel'>"
		"<remote-server-timeout xmlns='" NS_STANZAS "'/></error></db:result>");
}

/* --- stanzas and refusals --- */

static void presence_is_folded(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_INSIDE, "a.example", "b.example", FEATURES(EXTERNAL), false);
	stage_say(s, 1, SIDE_CLIENT,
		"<presence from='u@a.example/x' to='v@b.example'><show>dnd</show>"
		"<status>in the bunker</status><priority>5</priority></presence>");
	stage_expect(s, 1, SIDE_SERVER, "<presence from='u@a.example/x' to='v@b.example'/>");
	assert_int_equal(stage_count(s, COUNT_PRESENCE_REWRITTEN), 1);
	stage_expect_audit(s,
		"\"event\":\"verdict\",\"id\":1,\"session\":1,\"direction\":\"outbound\","
		"\"from\":\"u@a.example/x\",\"to\":\"v@b.example\",\"stanza\":\"presence\",\"action\":\"rewritten\"");
	char *audit = stage_audit(s);
	assert_null(strstr(audit, "bunker"));
	free(audit);
}

static void refused_on_bidi_with_the_guard(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_INSIDE, "a.example", "b.example", FEATURES(EXTERNAL), true);
	assert_int_equal(stage_session(s, 1)->bidi, BIDI_WITH_GUARD);
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("u@a.example/x", "v@b.example", "the budget of May"));
	stage_expect(s, 1, SIDE_CLIENT, REFUSED("v@b.example", "u@a.example/x"));
	stage_expect(s, 1, SIDE_SERVER, "");
	assert_int_equal(stage_count(s, COUNT_REFUSALS_BY_BIDI), 1);
	stage_expect_audit(s, "\"rule\":\"content.forbidden-words\"");
	stage_expect_audit(s, "\"delivery\":\"bidi\"");
	/* the server knows nothing of bidi */
	stage_say(s, 1, SIDE_SERVER, MESSAGE("v@b.example", "u@a.example/x", "hello"));
	stage_expect(s, 1, SIDE_SERVER, ERROR("not-authorized"));
}

static void bidi_through(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_INSIDE, "a.example", "b.example", FEATURES(EXTERNAL BIDI), true);
	assert_int_equal(stage_session(s, 1)->bidi, BIDI_WITH_SERVER);
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("u@a.example", "v@b.example", "malware"));
	stage_expect(s, 1, SIDE_SERVER, MESSAGE("u@a.example", "v@b.example", "malware"));
	stage_say(s, 1, SIDE_SERVER, MESSAGE("v@b.example", "u@a.example", "budget"));
	stage_expect(s, 1, SIDE_CLIENT, MESSAGE("v@b.example", "u@a.example", "budget"));
	/* the direction of the policy is that of the stanza */
	stage_say(s, 1, SIDE_SERVER, MESSAGE("v@b.example", "u@a.example", "malware"));
	stage_expect(s, 1, SIDE_SERVER, REFUSED("u@a.example", "v@b.example"));
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("u@a.example", "v@b.example", "budget"));
	stage_expect(s, 1, SIDE_CLIENT, REFUSED("v@b.example", "u@a.example"));
	stage_expect_nothing(s, 1);
	stage_expect_audit(s, "\"direction\":\"inbound\"");
}

static void bidi_after_authentication(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_INSIDE, "a.example", "b.example", FEATURES(EXTERNAL BIDI), false);
	stage_say(s, 1, SIDE_CLIENT, "<bidi xmlns='urn:xmpp:bidi'/>");
	stage_expect(s, 1, SIDE_CLIENT, ERROR("policy-violation"));
}

static void refused_on_the_reverse_stream(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_INSIDE, "a.example", "b.example", FEATURES(EXTERNAL), false);
	stage_external(s, 2, WIRE_OUTSIDE, "b.example", "a.example", FEATURES(EXTERNAL), false);
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("u@a.example/x", "v@b.example", "budget"));
	stage_expect_nothing(s, 1);
	stage_expect(s, 2, SIDE_CLIENT, "");
	stage_expect(s, 2, SIDE_SERVER, REFUSED("v@b.example", "u@a.example/x"));
	assert_int_equal(stage_count(s, COUNT_REFUSALS_BY_REVERSE), 1);
	stage_expect_audit(s, "\"delivery\":\"reverse\"");
}

static void refused_and_queued(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_INSIDE, "a.example", "b.example", FEATURES(EXTERNAL), false);
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("u@a.example/x", "v@b.example", "budget"));
	assert_int_equal(stage_count(s, COUNT_REFUSALS_QUEUED), 1);
	stage_expect_audit(s, "\"delivery\":\"queued\"");
	stage_external(s, 2, WIRE_OUTSIDE, "d.example", "a.example", FEATURES(EXTERNAL), false); /* not the way */
	stage_secure(s, 3, WIRE_OUTSIDE, "b.example", "a.example", "b.example", FEATURES(EXTERNAL));
	stage_say(s, 3, SIDE_CLIENT, "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'>=</auth>");
	stage_say(s, 3, SIDE_SERVER, "<success xmlns='" NS_SASL "'/>");
	stage_say(s, 3, SIDE_CLIENT, ID " from='b.example' to='a.example' version='1.0'>");
	stage_expect(s, 3, SIDE_SERVER,
		"<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'>=</auth><?xml version='1.0'?>" ID
		" from='b.example' to='a.example' version='1.0'>");
	stage_say(s, 3, SIDE_SERVER, ID " from='a.example' id='3' version='1.0'>" FEATURES());
	stage_expect(s, 3, SIDE_SERVER, REFUSED("v@b.example", "u@a.example/x"));
	stage_expect_audit(s, "\"event\":\"refusal\",\"id\":1,\"from\":\"b.example\",\"to\":\"a.example\","
			      "\"delivery\":\"reverse\"");
	assert_int_equal(s->control->refusals.count, 0);
}

static void refusal_that_waited_too_long(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_INSIDE, "a.example", "b.example", FEATURES(EXTERNAL), false);
	for (unsigned i = 0; i < REFUSALS_MAX + 2; i++)
		stage_say(s, 1, SIDE_CLIENT, MESSAGE("u@a.example/x", "v@b.example", "budget"));
	assert_int_equal(s->control->refusals.count, REFUSALS_MAX);
	assert_int_equal(stage_count(s, COUNT_REFUSALS_UNDELIVERABLE), 2);
	stage_wait(s, REFUSAL_MS);
	for (unsigned i = 0; i < REFUSALS_MAX; i++)
		stage_wait(s, 1000);
	assert_int_equal(s->control->refusals.count, 0);
	assert_int_equal(s->control->refusals.bytes, 0);
	assert_int_equal(stage_count(s, COUNT_REFUSALS_UNDELIVERABLE), REFUSALS_MAX + 2);
	stage_expect_audit(s, "\"delivery\":\"undeliverable\"");
}

static void wrong_sender(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_OUTSIDE, "b.example", "a.example", FEATURES(EXTERNAL), false);
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("u@d.example", "v@a.example", "hello"));
	stage_expect(s, 1, SIDE_CLIENT, ERROR("invalid-from"));
	stage_expect(s, 1, SIDE_SERVER, FOOTER);
	expect_ended(s, 1);
	stage_close(s, 1);
	stage_expect_audit(s, "\"action\":\"close\"");
	stage_expect_audit(s, "\"ended\":\"the sender's domain is not of this stream\"");
}

static void stanza_without_addresses(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_OUTSIDE, "b.example", "a.example", FEATURES(EXTERNAL), false);
	stage_say(s, 1, SIDE_CLIENT, "<message><body>x</body></message>");
	stage_expect(s, 1, SIDE_CLIENT, ERROR("improper-addressing"));
}

static void what_is_refused_does_not_stop_what_follows(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_INSIDE, "a.example", "b.example", FEATURES(EXTERNAL), true);
	stage_say(s, 1, SIDE_CLIENT,
		MESSAGE("u@a.example", "v@b.example", "1") MESSAGE("u@a.example", "v@b.example", "budget")
			MESSAGE("u@a.example", "v@b.example", "3"));
	stage_expect(s, 1, SIDE_SERVER,
		MESSAGE("u@a.example", "v@b.example", "1") MESSAGE("u@a.example", "v@b.example", "3"));
	stage_expect(s, 1, SIDE_CLIENT, REFUSED("v@b.example", "u@a.example"));
}

static void broken_xml_after_stanzas(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_OUTSIDE, "b.example", "a.example", FEATURES(EXTERNAL), false);
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("u@b.example", "v@a.example", "1") "<!-- no --><message/>");
	stage_expect(s, 1, SIDE_SERVER, MESSAGE("u@b.example", "v@a.example", "1") FOOTER);
	stage_expect(s, 1, SIDE_CLIENT, ERROR("restricted-xml"));
	assert_int_equal(stage_count(s, COUNT_FAULT_RESTRICTED_XML), 1);
}

static void unknown_elements_close(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_OUTSIDE, "b.example", "a.example", FEATURES(EXTERNAL), false);
	stage_say(s, 1, SIDE_CLIENT, "<message xmlns='jabber:client' from='u@b.example' to='v@a.example'/>");
	stage_expect(s, 1, SIDE_CLIENT, ERROR("unsupported-stanza-type"));
}

/* --- ends --- */

static void footer_comes_after_what_was_before(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_OUTSIDE, "b.example", "a.example", FEATURES(EXTERNAL), false);
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("u@b.example", "v@a.example", "last") FOOTER);
	stage_expect(s, 1, SIDE_SERVER, MESSAGE("u@b.example", "v@a.example", "last") FOOTER);
	assert_false(s->connection[1].side[SIDE_SERVER].ended);
	stage_say(s, 1, SIDE_SERVER, FOOTER);
	stage_expect(s, 1, SIDE_CLIENT, FOOTER);
	expect_ended(s, 1);
	assert_string_equal(stage_session(s, 1)->why, "streams closed");
}

static void end_of_stream_is_passed_on(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_OUTSIDE, "b.example", "a.example", FEATURES(EXTERNAL), false);
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("u@b.example", "v@a.example", "last") "<message from='u@b.exam");
	stage_tell(s, 1, SIDE_CLIENT, MSG_END_OF_STREAM);
	stage_expect(s, 1, SIDE_SERVER, MESSAGE("u@b.example", "v@a.example", "last"));
	assert_true(s->connection[1].side[SIDE_SERVER].ended);
	assert_false(s->connection[1].side[SIDE_CLIENT].ended);
	stage_tell(s, 1, SIDE_SERVER, MSG_END_OF_STREAM);
	assert_true(s->connection[1].side[SIDE_CLIENT].ended);
}

static void reset_is_passed_on(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_OUTSIDE, "b.example", "a.example", FEATURES(EXTERNAL), false);
	stage_tell(s, 1, SIDE_SERVER, MSG_RESET);
	assert_true(s->connection[1].side[SIDE_CLIENT].reset);
	assert_false(s->connection[1].side[SIDE_SERVER].reset);
	stage_close(s, 1);
	stage_expect_audit(s, "\"ended\":\"server reset the connection\"");
}

static void stream_error_is_passed_on_without_its_text(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_OUTSIDE, "b.example", "a.example", FEATURES(EXTERNAL), false);
	stage_say(s, 1, SIDE_SERVER,
		"<stream:error><system-shutdown xmlns='" NS_STREAM_ERRORS "'/><text xmlns='" NS_STREAM_ERRORS
		"'>good night</text></stream:error>" FOOTER);
	stage_expect(s, 1, SIDE_CLIENT, ERROR("system-shutdown"));
	stage_expect(s, 1, SIDE_SERVER, FOOTER);
	expect_ended(s, 1);
}

static void host_unknown_reaches_the_client(void **state)
{
	struct stage *s = *state;
	stage_open(s, 1, WIRE_INSIDE);
	stage_say(s, 1, SIDE_CLIENT, ID " from='a.example' to='b.example' version='1.0'>");
	stage_say(s, 1, SIDE_SERVER,
		ID " from='b.example' id='9' version='1.0'><stream:error><host-unknown xmlns='" NS_STREAM_ERRORS
		   "'/></stream:error></stream:stream>");
	stage_expect(s, 1, SIDE_CLIENT,
		"<?xml version='1.0'?>" ID " from='b.example' id='9' version='1.0'>" ERROR("host-unknown"));
	expect_ended(s, 1);
}

static void keepalives_are_counted_out(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_OUTSIDE, "b.example", "a.example", FEATURES(EXTERNAL), false);
	stage_say(s, 1, SIDE_CLIENT, " ");
	stage_say(s, 1, SIDE_CLIENT, "  \n\t ");
	stage_expect(s, 1, SIDE_SERVER, " ");
	stage_wait(s, KEEPALIVE_MS);
	stage_say(s, 1, SIDE_CLIENT, "\n");
	stage_expect(s, 1, SIDE_SERVER, " ");
	assert_int_equal(stage_count(s, COUNT_KEEPALIVES_PASSED), 2);
	assert_int_equal(stage_count(s, COUNT_KEEPALIVES_DROPPED), 1);
}

static void time_runs_out(void **state)
{
	struct stage *s = *state;
	begin_clear(s, 1);
	stage_external(s, 2, WIRE_OUTSIDE, "b.example", "a.example", FEATURES(EXTERNAL), false);
	stage_wait(s, s->control->conf->negotiation_seconds * 1000 - 1);
	assert_int_equal(stage_session(s, 1)->state, SESSION_OPEN);
	stage_wait(s, 1);
	stage_expect(s, 1, SIDE_CLIENT, ERROR("connection-timeout"));
	stage_expect(s, 1, SIDE_SERVER, ERROR("connection-timeout"));
	expect_ended(s, 1);
	stage_wait(s, LINGER_MS);
	expect_reset(s, 1);
	assert_int_equal(stage_session(s, 2)->state, SESSION_OPEN);
	stage_wait(s, s->control->conf->idle_seconds * 1000ULL);
	stage_expect(s, 2, SIDE_CLIENT, ERROR("connection-timeout"));
}

/* A session that has ended still hands a slow reader what was said to it before. */
static void end_waits_for_a_slow_reader(void **state)
{
	struct stage *s = *state;
	char *text = calloc(1, 600 << 10);
	assert_non_null(text);
	stage_external(s, 1, WIRE_OUTSIDE, "b.example", "a.example", FEATURES(EXTERNAL), false);
	s->miserly = true;
	int len = put_message(text, 500 << 10);
	stage_say_bytes(s, 1, SIDE_CLIENT, text, CHANNEL_WINDOW / 2);
	stage_say_bytes(s, 1, SIDE_CLIENT, text + CHANNEL_WINDOW / 2, (size_t)len - CHANNEL_WINDOW / 2);
	stage_say(s, 1, SIDE_CLIENT, FOOTER);
	stage_say(s, 1, SIDE_SERVER, FOOTER);
	struct stage_side *server = &s->connection[1].side[SIDE_SERVER];
	for (unsigned i = 0; i < 20 && !server->ended; i++) {
		stage_wait(s, LINGER_MS - 1000);
		stage_credit(s, 1, SIDE_SERVER, server->unpaid > 50000 ? 50000 : (uint32_t)server->unpaid);
		stage_turn(s);
	}
	assert_true(server->ended);
	assert_false(server->reset);
	assert_int_equal(buf_len(&server->heard), (size_t)len + strlen(FOOTER));
	stage_wait(s, LINGER_MS); /* and not for ever */
	expect_reset(s, 1);
	free(text);
}

/* --- bounds --- */

static void slow_reader_slows_the_writer(void **state)
{
	struct stage *s = *state;
	char *body = malloc(8001), *text = malloc(9000);
	assert_non_null(body);
	assert_non_null(text);
	stage_external(s, 1, WIRE_OUTSIDE, "b.example", "a.example", FEATURES(EXTERNAL), false);
	s->miserly = true;
	memset(body, 'x', 8000);
	body[8000] = '\0';
	size_t len = (size_t)snprintf(
		text, 9000, "<message from='u@b.example' to='v@a.example'><body>%s</body></message>", body);
	struct stage_side *client = &s->connection[1].side[SIDE_CLIENT],
			  *server = &s->connection[1].side[SIDE_SERVER];
	uint64_t said = 0, credited = client->credited;
	while (said + len + 4096 <= CHANNEL_WINDOW + (client->credited - credited)) {
		stage_say_bytes(s, 1, SIDE_CLIENT, text, len);
		said += len;
	}
	/* a window each for the channel, for what waits to be sent and for what waits to be read: then it stops */
	assert_true(said <= 3 * (uint64_t)CHANNEL_WINDOW + len);
	assert_true(buf_len(&stage_session(s, 1)->stream[SIDE_SERVER].out) < SESSION_OUT_HIGH_BYTES + 2 * len);
	assert_true(buf_len(&server->heard) <= CHANNEL_WINDOW);
	/* and all of it arrives once the reader reads */
	s->miserly = false;
	stage_turn(s);
	assert_int_equal(buf_len(&server->heard), said);
	assert_true(client->credited > credited);
	free(body);
	free(text);
}

static void refusals_are_bounded_by_a_client_that_does_not_read(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_INSIDE, "a.example", "b.example", FEATURES(EXTERNAL), true);
	s->miserly = true;
	const char *text = MESSAGE("u@a.example", "v@b.example", "budget");
	uint64_t said = 0, first = s->connection[1].side[SIDE_CLIENT].credited;
	/* less what was said before and not given back yet */
	while (said + 4096 <= CHANNEL_WINDOW + (s->connection[1].side[SIDE_CLIENT].credited - first)) {
		stage_say(s, 1, SIDE_CLIENT, text);
		said += strlen(text);
		assert_true(buf_len(&stage_session(s, 1)->stream[SIDE_CLIENT].out) < SESSION_OUT_HIGH_BYTES + 1000);
	}
	stage_expect(s, 1, SIDE_SERVER, "");
	assert_false(s->broken);
	s->miserly = false;
	stage_turn(s);
	size_t answer = strlen(REFUSED("v@b.example", "u@a.example"));
	assert_int_equal(buf_len(&s->connection[1].side[SIDE_CLIENT].heard) % answer, 0);
	assert_int_equal(buf_len(&s->connection[1].side[SIDE_CLIENT].heard) / answer, said / strlen(text));
}

static void largest_stanza(void **state)
{
	struct stage *s = *state;
	size_t len = 400 << 10;
	char *body = malloc(len + 1), *text = malloc(len + 200);
	assert_non_null(body);
	assert_non_null(text);
	stage_external(s, 1, WIRE_OUTSIDE, "b.example", "a.example", FEATURES(EXTERNAL), false);
	memset(body, 'y', len);
	body[len] = '\0';
	snprintf(text, len + 200, "<message from='u@b.example' to='v@a.example'><body>%s</body></message>", body);
	stage_say(s, 1, SIDE_CLIENT, text);
	stage_expect(s, 1, SIDE_SERVER, text);
	free(body);
	free(text);
}

/* --- the channel breaks its contract --- */

static void contract_is_kept(void **state)
{
	struct stage *s = *state;
	struct msg_opened bad = {.family = 5};
	player_say(&s->player, MSG_OPENED, SIDE_CLIENT, 1, &bad, sizeof(bad));
	stage_turn(s);
	assert_true(s->broken);
}

static void bytes_of_an_unknown_connection(void **state)
{
	struct stage *s = *state;
	stage_say(s, 3, SIDE_CLIENT, "x");
	assert_true(s->broken);
}

static void secured_without_start_tls(void **state)
{
	struct stage *s = *state;
	begin_clear(s, 1);
	stage_secured(s, 1, SIDE_SERVER, "a.example", "b.example");
	assert_true(s->broken);
}

static void bytes_beyond_the_window(void **state)
{
	struct stage *s = *state;
	char *bytes = calloc(1, CHANNEL_PAYLOAD_MAX);
	assert_non_null(bytes);
	memset(bytes, ' ', CHANNEL_PAYLOAD_MAX);
	begin_clear(s, 1);
	stage_say(s, 1, SIDE_CLIENT,
		MESSAGE("u@b.example", "v@a.example", "x")); /* closes: nothing is parsed any more */
	for (unsigned i = 0; i < 100 && !s->broken; i++)
		stage_say_bytes(s, 1, SIDE_CLIENT, bytes, CHANNEL_PAYLOAD_MAX);
	assert_false(s->broken); /* what is thrown away is given back */
	stage_open(s, 2, WIRE_OUTSIDE);
	stage_say(s, 2, SIDE_CLIENT, ID " from='b.example' to='a.example' version='1.0'>");
	for (unsigned i = 0; i < 5 && !s->broken; i++) /* waits for the server: is not parsed */
		stage_say_bytes(s, 2, SIDE_CLIENT, bytes, CHANNEL_PAYLOAD_MAX);
	assert_true(s->broken);
	free(bytes);
}

static void credit_beyond_the_window(void **state)
{
	struct stage *s = *state;
	stage_open(s, 1, WIRE_OUTSIDE);
	stage_credit(s, 1, SIDE_CLIENT, 1);
	s->connection[1].side[SIDE_CLIENT].unpaid = 0;
	stage_turn(s);
	assert_true(s->broken);
}

static void bytes_after_the_end(void **state)
{
	struct stage *s = *state;
	stage_open(s, 1, WIRE_OUTSIDE);
	stage_tell(s, 1, SIDE_CLIENT, MSG_END_OF_STREAM);
	stage_say(s, 1, SIDE_CLIENT, "x");
	assert_true(s->broken);
}

/* --- the audit --- */

/* Every line is an object, ends with a newline, and has no control character in it. */
static void expect_lines(const char *text)
{
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		const char *end = strchr(line, '\n');
		assert_non_null(end);
		assert_true(*line == '{' && end[-1] == '}');
		for (const char *c = line; c < end; c++)
			assert_true((unsigned char)*c >= ' ');
	}
}

static void audit_escapes(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_OUTSIDE, "b.example", "a.example", FEATURES(EXTERNAL), false);
	stage_say(s, 1, SIDE_CLIENT,
		"<message from='u@b.example/\"\\&#x7f;\xc3\xa9\xf0\x9f\x98\x80' to='v@a.example' "
		"id='a\"&#10;b'><body>malware</body></message>");
	stage_expect_audit(s, "\"from\":\"u@b.example/\\\"\\\\\\u007f\xc3\xa9\xf0\x9f\x98\x80\"");
	stage_expect_audit(s, "\"stanza_id\":\"a\\\"\\u000ab\"");
	char *audit = stage_audit(s);
	expect_lines(audit);
	assert_null(strstr(audit, "malware"));
	free(audit);
}

static void full_disk_stops_everything(void **state)
{
	(void)state;
	struct stage s;
	stage_init_conf(&s, "starttls, mechanisms, bidi", "/dev/full");
	stage_external(&s, 1, WIRE_INSIDE, "a.example", "b.example", FEATURES(EXTERNAL), true);
	stage_say(&s, 1, SIDE_CLIENT, MESSAGE("u@a.example", "v@b.example", "before"));
	stage_expect(&s, 1, SIDE_SERVER, MESSAGE("u@a.example", "v@b.example", "before"));
	/* what would have been rewritten does not pass, nor does anything after it, nor a new connection */
	stage_say(&s, 1, SIDE_CLIENT,
		"<presence from='u@a.example/x' to='v@b.example'><show>dnd</show></presence>" MESSAGE(
			"u@a.example", "v@b.example", "after"));
	stage_expect(&s, 1, SIDE_SERVER, ERROR("internal-server-error"));
	stage_expect(&s, 1, SIDE_CLIENT, ERROR("internal-server-error"));
	expect_ended(&s, 1);
	assert_true(audit_is_failing(&s.control->audit));
	stage_open(&s, 2, WIRE_INSIDE);
	expect_reset(&s, 2);
	assert_true(stage_count(&s, COUNT_AUDIT_FAILURES) > 0);
	stage_fini(&s);
}

static void other_sessions_end_when_the_audit_fails(void **state)
{
	(void)state;
	struct stage s;
	stage_init_conf(&s, "starttls, mechanisms, bidi", "/dev/full");
	stage_external(&s, 1, WIRE_INSIDE, "a.example", "b.example", FEATURES(EXTERNAL), true);
	stage_external(&s, 2, WIRE_OUTSIDE, "b.example", "a.example", FEATURES(EXTERNAL), true);
	stage_say(&s, 1, SIDE_CLIENT, MESSAGE("u@a.example", "v@b.example", "budget"));
	stage_say(&s, 2, SIDE_CLIENT, MESSAGE("u@b.example", "v@a.example", "hello"));
	stage_expect(&s, 2, SIDE_SERVER, ERROR("internal-server-error"));
	expect_ended(&s, 2);
	stage_fini(&s);
}

static void set_file_limit(const struct stage *s, long more)
{
	struct stat st;
	struct rlimit limit;
	assert_int_equal(stat(s->audit, &st), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = more < 0 ? limit.rlim_max : (rlim_t)(st.st_size + more);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void torn_line_is_ended(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_INSIDE, "a.example", "b.example", FEATURES(EXTERNAL), true);
	set_file_limit(s, 10);
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("u@a.example", "v@b.example", "budget"));
	set_file_limit(s, -1);
	assert_true(audit_is_failing(&s->control->audit));
	stage_wait(s, AUDIT_RETRY_MS);
	assert_false(audit_is_failing(&s->control->audit));
	stage_expect_audit(s, "{\"time\":\"2\n{\"time\":\"2023-11-14T22:13:21.123Z\",\"event\":\"guard\"");
	stage_external(s, 2, WIRE_INSIDE, "a.example", "b.example", FEATURES(EXTERNAL), true);
	stage_say(s, 2, SIDE_CLIENT, MESSAGE("u@a.example", "v@b.example", "hello"));
	stage_expect(s, 2, SIDE_SERVER, MESSAGE("u@a.example", "v@b.example", "hello"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
	TEST(external_then_stanzas),
	TEST(dialback_then_stanzas),
	TEST(an_unverified_server),
	TEST(an_unverified_client),
	TEST(everything_byte_by_byte),
	TEST(dialback_byte_by_byte),
	TEST(external_fails_then_dialback),
	TEST(challenge_and_response),
	TEST(header_passes_what_counts),
	TEST(headers_refused),
	TEST(client_without_a_name), TEST(server_that_answers_with_another_name),
	TEST(names_cannot_change_after_tls),
	TEST(not_xmpp),
	TEST(features_are_filtered),
	TEST(lower_limits_stay),
	TEST(limits_of_a_client_by_bidi),
	TEST(the_largest_stanza_is_configured),
	TEST(external_is_not_offered_without_a_certificate),
	TEST(features_not_in_the_configuration),
	TEST(server_without_starttls),
	TEST(a_level_asks_for_starttls),
	TEST(dialback_in_the_clear),
	TEST(nothing_but_dialback_in_the_clear),
	TEST(a_pair_has_its_own_level),
	TEST(starttls_is_left_to_the_server),
	TEST(asked_for_what_was_stripped),
	TEST(injection_after_starttls),
	TEST(nothing_before_tls),
	TEST(tls_refused_by_server),
	TEST(tls_fails),
	TEST(tls_to_somebody_else),
	TEST(server_ends_during_the_handshake),
	TEST(second_starttls_inside_tls),
	TEST(stanzas_before_authentication),
	TEST(stanza_sent_with_auth_waits_for_the_answer),
	TEST(acts_for_another_domain),
	TEST(success_out_of_the_blue),
	TEST(dialback_is_not_enough_for_a_strong_peer),
	TEST(dialback_for_pairs_that_may_not),
	TEST(many_pairs_on_one_connection),
	TEST(answers_that_nobody_asked_for),
	TEST(dialback_of_the_wrong_shape),
	TEST(dialback_errors_pass_without_their_text),
	TEST(presence_is_folded),
	TEST(refused_on_bidi_with_the_guard),
	TEST(bidi_through),
	TEST(bidi_after_authentication),
	TEST(refused_on_the_reverse_stream),
	TEST(refused_and_queued),
	TEST(refusal_that_waited_too_long),
	TEST(wrong_sender),
	TEST(stanza_without_addresses),
	TEST(what_is_refused_does_not_stop_what_follows),
	TEST(broken_xml_after_stanzas),
	TEST(unknown_elements_close),
	TEST(footer_comes_after_what_was_before),
	TEST(end_of_stream_is_passed_on),
	TEST(reset_is_passed_on),
	TEST(stream_error_is_passed_on_without_its_text),
	TEST(host_unknown_reaches_the_client),
	TEST(keepalives_are_counted_out),
	TEST(time_runs_out),
	TEST(end_waits_for_a_slow_reader),
	TEST(slow_reader_slows_the_writer),
	TEST(refusals_are_bounded_by_a_client_that_does_not_read),
	TEST(largest_stanza),
	TEST(contract_is_kept),
	TEST(bytes_of_an_unknown_connection),
	TEST(secured_without_start_tls),
	TEST(bytes_beyond_the_window),
	TEST(credit_beyond_the_window),
	TEST(bytes_after_the_end),
	TEST(audit_escapes),
	TEST(full_disk_stops_everything),
	TEST(other_sessions_end_when_the_audit_fails),
	TEST(torn_line_is_ended),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
