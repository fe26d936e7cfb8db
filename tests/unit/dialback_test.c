/*
 * Who may speak for whom, and how it is proved: dialback between several connections at once (XEP-0220, 0288, 0344),
 * and the forms of SASL EXTERNAL (XEP-0178) with dialback after it. The ends of these connections say whatever is asked
 * of them; it is the guard that does not believe it.
 */
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
#define DIALBACK "<dialback xmlns='" NS_DIALBACK_FEATURE "'><errors/></dialback>"
#define BIDI "<bidi xmlns='" NS_BIDI_FEATURE "'/>"
#define FEATURES(...) "<stream:features>" __VA_ARGS__ "</stream:features>"
#define STREAM_ERROR(condition) \
	"<stream:error><" condition " xmlns='" NS_STREAM_ERRORS "'/></stream:error></stream:stream>"
#define FOOTER "</stream:stream>"
#define MESSAGE(from, to) "<message from='" from "' to='" to "'><body>hi</body></message>"

#define RESULT(from, to, key) "<db:result from='" from "' to='" to "'>" key "</db:result>"
#define RESULT_IS(from, to, type) "<db:result from='" from "' to='" to "' type='" type "'/>"
#define VERIFY(from, id, to, key) "<db:verify from='" from "' id='" id "' to='" to "'>" key "</db:verify>"
#define VERIFY_IS(from, id, to, type) "<db:verify from='" from "' id='" id "' to='" to "' type='" type "'/>"
#define WITH_ERROR(open, name, type, condition) \
	open " type='error'><error type='" type "'><" condition " xmlns='" NS_STANZAS "'/></error></db:" name ">"
#define RESULT_ERROR(from, to, condition) \
	WITH_ERROR("<db:result from='" from "' to='" to "'", "result", "cancel", condition)
#define VERIFY_ERROR(from, id, to, condition) \
	WITH_ERROR("<db:verify from='" from "' id='" id "' to='" to "'", "verify", "cancel", condition)

#define AUTH(text) "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'>" text "</auth>"
#define AUTH_EMPTY "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'/>"
#define FAILURE(condition) "<failure xmlns='" NS_SASL "'><" condition "/></failure>"
#define SUCCESS "<success xmlns='" NS_SASL "'/>"

/* Each test has connections with stream ids of their own. */
static int set_up(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));
	if (!s)
		return -1;
	stage_init(s);
	s->own_ids = true;
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	stage_fini(*state);
	free(*state);
	return 0;
}

static void forget_heard(struct stage *s, uint64_t conn)
{
	for (enum conn_side side = SIDE_CLIENT; side < SIDES; side++) {
		struct buf *heard = &s->connection[conn].side[side].heard;
		buf_drop(heard, buf_len(heard));
	}
}

/* Under TLS, with these features of the server, which have been read. */
static void connect_with(struct stage *s, uint64_t conn, const char *client, const char *server, const char *features)
{
	enum wire wire = strstr(client, "a.example") ? WIRE_INSIDE : WIRE_OUTSIDE;
	stage_secure(s, conn, wire, client, server, client, features);
	forget_heard(s, conn);
}

static void connect(struct stage *s, uint64_t conn, const char *client, const char *server)
{
	connect_with(s, conn, client, server, FEATURES(DIALBACK));
}

/* Said by one side, and heard by the other as it was. */
static void cross(struct stage *s, uint64_t conn, enum conn_side side, const char *text)
{
	stage_say(s, conn, side, text);
	stage_expect(s, conn, side_other(side), text);
	stage_expect(s, conn, side, "");
}

/* Said by one side; that is answered, and the other hears nothing. */
static void bounce(struct stage *s, uint64_t conn, enum conn_side side, const char *text, const char *answer)
{
	stage_say(s, conn, side, text);
	stage_expect(s, conn, side, answer);
	stage_expect(s, conn, side_other(side), "");
}

static void swallow(struct stage *s, uint64_t conn, enum conn_side side, const char *text)
{
	bounce(s, conn, side, text, "");
	assert_int_equal(stage_session(s, conn)->state, SESSION_OPEN);
}

/* --- the two connections of dialback --- */

/* Connection 1 shows the key, connection 2 is where the asked server asks back. */
static void show_key(struct stage *s, const char *key)
{
	char text[200];
	connect(s, 1, "a.example", "d.example");
	connect(s, 2, "d.example", "a.example");
	snprintf(text, sizeof(text), "<db:result from='a.example' to='d.example'>%s</db:result>", key);
	cross(s, 1, SIDE_CLIENT, text);
}

static void both_connections_tell_the_same(void **state)
{
	struct stage *s = *state;
	show_key(s, "k1");
	cross(s, 2, SIDE_CLIENT, VERIFY("d.example", "id-102", "a.example", "k1"));
	cross(s, 2, SIDE_SERVER, VERIFY_IS("a.example", "id-102", "d.example", "valid"));
	cross(s, 1, SIDE_SERVER, RESULT_IS("d.example", "a.example", "valid"));
	cross(s, 1, SIDE_CLIENT, MESSAGE("u@a.example", "v@d.example"));
	assert_int_equal(stage_count(s, COUNT_DIALBACK_KEYS_SEEN), 1);
	assert_int_equal(stage_count(s, COUNT_DIALBACK_KEYS_UNSEEN), 0);
	assert_int_equal(stage_count(s, COUNT_DIALBACK_FORGED), 0);
	assert_int_equal(stage_count(s, COUNT_ALERTS), 0);
}

/* The stream, its id, and the real question are not harmed by a forged one. */
static void forged_questions(void **state)
{
	struct stage *s = *state;
	show_key(s, "k1");
	bounce(s, 2, SIDE_CLIENT, VERIFY("d.example", "id-102", "a.example", "k2"),
		VERIFY_IS("a.example", "id-102", "d.example", "invalid"));
	bounce(s, 2, SIDE_CLIENT, VERIFY("d.example", "id-101", "a.example", "k1"),
		VERIFY_IS("a.example", "id-101", "d.example", "invalid"));
	assert_int_equal(stage_count(s, COUNT_DIALBACK_FORGED), 2);
	assert_int_equal(stage_count(s, COUNT_ALERTS), 2);
	stage_expect_audit(s, "\"alert\":\"dialback-forged\"");
	stage_expect_audit(s, "\"from\":\"d.example\",\"to\":\"a.example\",\"reason\":\"to be verified: another key");
	/* and its answer was never asked for */
	swallow(s, 2, SIDE_SERVER, VERIFY_IS("a.example", "id-102", "d.example", "valid"));
	cross(s, 2, SIDE_CLIENT, VERIFY("d.example", "id-102", "a.example", "k1"));
	cross(s, 2, SIDE_SERVER, VERIFY_IS("a.example", "id-102", "d.example", "valid"));
	cross(s, 1, SIDE_SERVER, RESULT_IS("d.example", "a.example", "valid"));
}

/* Whoever shows the keys may use one for two streams, or have two streams of one id. */
static void keys_of_several_streams(void **state)
{
	struct stage *s = *state;
	show_key(s, "k1");
	connect(s, 3, "a.example", "d.example");
	cross(s, 3, SIDE_CLIENT, RESULT("a.example", "d.example", "k1"));
	connect(s, 4, "a.example", "d.example");
	cross(s, 4, SIDE_CLIENT, RESULT("a.example", "d.example", "k4"));
	cross(s, 2, SIDE_CLIENT, VERIFY("d.example", "id-102", "a.example", "k1"));
	cross(s, 2, SIDE_CLIENT, VERIFY("d.example", "id-302", "a.example", "k1"));
	cross(s, 2, SIDE_CLIENT, VERIFY("d.example", "id-402", "a.example", "k4"));
	bounce(s, 2, SIDE_CLIENT, VERIFY("d.example", "id-402", "a.example", "k1"),
		VERIFY_IS("a.example", "id-402", "d.example", "invalid"));
	assert_int_equal(stage_count(s, COUNT_DIALBACK_KEYS_SEEN), 3);
	assert_int_equal(stage_count(s, COUNT_DIALBACK_FORGED), 1);
}

/* Of another lane, of a connection that is over, of one that was answered already. */
static void questions_about_what_was_not_seen(void **state)
{
	struct stage *s = *state;
	show_key(s, "k1");
	cross(s, 2, SIDE_CLIENT, VERIFY("d.example", "elsewhere", "a.example", "k9"));
	cross(s, 2, SIDE_CLIENT, VERIFY("d.example", "id-102", "sub.a.example", "k9")); /* another pair */
	cross(s, 1, SIDE_SERVER, RESULT_IS("d.example", "a.example", "invalid"));
	cross(s, 2, SIDE_CLIENT, VERIFY("d.example", "id-102", "a.example", "k9"));
	connect(s, 3, "a.example", "d.example");
	cross(s, 3, SIDE_CLIENT, RESULT("a.example", "d.example", "k3"));
	stage_close(s, 3);
	cross(s, 2, SIDE_CLIENT, VERIFY("d.example", "id-302", "a.example", "k9"));
	assert_int_equal(stage_count(s, COUNT_DIALBACK_KEYS_UNSEEN), 4);
	assert_int_equal(stage_count(s, COUNT_ALERTS), 0);
}

static void valid_after_invalid(void **state)
{
	struct stage *s = *state;
	show_key(s, "k1");
	cross(s, 2, SIDE_CLIENT, VERIFY("d.example", "id-102", "a.example", "k1"));
	cross(s, 2, SIDE_SERVER, VERIFY_IS("a.example", "id-102", "d.example", "invalid"));
	stage_say(s, 1, SIDE_SERVER, RESULT_IS("d.example", "a.example", "valid"));
	stage_expect(s, 1, SIDE_CLIENT, RESULT_ERROR("d.example", "a.example", "forbidden"));
	assert_int_equal(stage_count(s, COUNT_DIALBACK_FORGED), 1);
	assert_int_equal(stage_count(s, COUNT_PAIRS_DIALBACK), 0);
	stage_expect_audit(s, "\"alert\":\"dialback-forged\"");
	assert_false(session_has_pair(stage_session(s, 1), SIDE_CLIENT));
	/* asked anew it is another question */
	cross(s, 1, SIDE_CLIENT, RESULT("a.example", "d.example", "k2"));
	cross(s, 2, SIDE_CLIENT, VERIFY("d.example", "id-102", "a.example", "k2"));
	cross(s, 2, SIDE_SERVER, VERIFY_IS("a.example", "id-102", "d.example", "valid"));
	cross(s, 1, SIDE_SERVER, RESULT_IS("d.example", "a.example", "valid"));
	assert_true(session_has_pair(stage_session(s, 1), SIDE_CLIENT));
}

/* The last answer about a key counts; an error is none. */
static void the_last_word_about_a_key(void **state)
{
	struct stage *s = *state;
	show_key(s, "k1");
	cross(s, 2, SIDE_CLIENT, VERIFY("d.example", "id-102", "a.example", "k1"));
	cross(s, 2, SIDE_SERVER, VERIFY_IS("a.example", "id-102", "d.example", "invalid"));
	cross(s, 2, SIDE_CLIENT, VERIFY("d.example", "id-102", "a.example", "k1"));
	cross(s, 2, SIDE_SERVER, VERIFY_IS("a.example", "id-102", "d.example", "valid"));
	cross(s, 2, SIDE_CLIENT, VERIFY("d.example", "id-102", "a.example", "k1"));
	cross(s, 2, SIDE_SERVER, VERIFY_ERROR("a.example", "id-102", "d.example", "item-not-found"));
	cross(s, 1, SIDE_SERVER, RESULT_IS("d.example", "a.example", "valid"));
	assert_int_equal(stage_count(s, COUNT_ALERTS), 0);
}

/* A question that was passed on before the key was seen has nothing to say about that key. */
static void a_denial_of_another_key(void **state)
{
	struct stage *s = *state;
	connect(s, 1, "a.example", "d.example");
	connect(s, 2, "d.example", "a.example");
	cross(s, 2, SIDE_CLIENT, VERIFY("d.example", "id-102", "a.example", "guessed"));
	cross(s, 1, SIDE_CLIENT, RESULT("a.example", "d.example", "k1"));
	cross(s, 2, SIDE_SERVER, VERIFY_IS("a.example", "id-102", "d.example", "invalid"));
	cross(s, 1, SIDE_SERVER, RESULT_IS("d.example", "a.example", "valid"));
	assert_int_equal(stage_count(s, COUNT_ALERTS), 0);
}

static void a_key_on_a_line_of_its_own(void **state)
{
	struct stage *s = *state;
	connect(s, 1, "a.example", "d.example");
	stage_say(s, 1, SIDE_CLIENT, RESULT("a.example", "d.example", "\n   k1\n  "));
	stage_expect(s, 1, SIDE_SERVER, RESULT("a.example", "d.example", "k1"));
}

/* --- who may be asked --- */

static void questions_to_the_wrong_server(void **state)
{
	struct stage *s = *state;
	connect(s, 1, "d.example", "a.example");
	/* it would be the answer of a.example about sub.a.example: a name below its own; but not the other way round */
	cross(s, 1, SIDE_CLIENT, VERIFY("d.example", "i", "sub.a.example", "k"));
	connect(s, 2, "d.example", "sub.a.example");
	bounce(s, 2, SIDE_CLIENT, VERIFY("d.example", "i", "a.example", "k"),
		VERIFY_ERROR("a.example", "i", "d.example", "policy-violation"));
	bounce(s, 2, SIDE_CLIENT, RESULT("d.example", "a.example", "k"),
		RESULT_ERROR("a.example", "d.example", "policy-violation"));
	stage_expect_audit(s, "the other side has not proved to be the asked domain");
	/* without bidi the server does not ask */
	stage_say(s, 1, SIDE_SERVER, VERIFY("a.example", "i", "d.example", "k"));
	stage_expect(s, 1, SIDE_SERVER, STREAM_ERROR("policy-violation"));
	stage_expect(s, 1, SIDE_CLIENT, FOOTER);
}

/* Not on a connection of another peer, unless the certificate there is the one that it is known by. */
static void pinned_peers(void **state)
{
	struct stage *s = *state;
	connect(s, 1, "d.example", "a.example");
	connect(s, 2, "a.example", "d.example");
	cross(s, 1, SIDE_CLIENT, RESULT("pin.d.example", "a.example", "k"));
	cross(s, 2, SIDE_CLIENT, RESULT("a.example", "pin.d.example", "k"));
	cross(s, 2, SIDE_CLIENT, VERIFY("a.example", "i", "pin.d.example", "v"));
	bounce(s, 1, SIDE_CLIENT, RESULT("other-pin.d.example", "a.example", "k"),
		RESULT_ERROR("a.example", "other-pin.d.example", "policy-violation"));
	bounce(s, 2, SIDE_CLIENT, RESULT("a.example", "other-pin.d.example", "k"),
		RESULT_ERROR("other-pin.d.example", "a.example", "policy-violation"));
	bounce(s, 2, SIDE_CLIENT, VERIFY("a.example", "i", "other-pin.d.example", "k"),
		VERIFY_ERROR("other-pin.d.example", "i", "a.example", "policy-violation"));
	stage_expect_audit(s, "this connection does not show the certificate that the peer is pinned to");
}

static void connect_with_bidi(struct stage *s, const char *client_identity)
{
	stage_secure(s, 1, WIRE_INSIDE, "a.example", "d.example", client_identity, FEATURES(DIALBACK BIDI));
	forget_heard(s, 1);
	cross(s, 1, SIDE_CLIENT, "<bidi xmlns='" NS_BIDI "'/>");
}

/* XEP-0288 2.2 */
static void who_shows_a_key_is_not_asked(void **state)
{
	struct stage *s = *state;
	connect_with_bidi(s, "a.example");
	cross(s, 1, SIDE_CLIENT, RESULT("a.example", "d.example", "k1"));
	bounce(s, 1, SIDE_SERVER, VERIFY("d.example", "id-102", "a.example", "k1"),
		VERIFY_ERROR("a.example", "id-102", "d.example", "policy-violation"));
	stage_expect_audit(s, "whoever shows a key cannot be asked whether it is good");
}

static void bidi_with_several_domains(void **state)
{
	struct stage *s = *state;
	connect_with_bidi(s, "a.example");
	cross(s, 1, SIDE_CLIENT, RESULT("a.example", "d.example", "k1"));
	cross(s, 1, SIDE_SERVER, RESULT_IS("d.example", "a.example", "valid"));
	cross(s, 1, SIDE_SERVER, RESULT("x.d.example", "a.example", "k2"));
	swallow(s, 1, SIDE_SERVER, RESULT_IS("a.example", "x.d.example", "valid")); /* of its own question */
	cross(s, 1, SIDE_CLIENT, RESULT_IS("a.example", "x.d.example", "valid"));
	cross(s, 1, SIDE_CLIENT, RESULT("sub.a.example", "y.d.example", "k3"));
	cross(s, 1, SIDE_SERVER, RESULT_IS("y.d.example", "sub.a.example", "valid"));
	cross(s, 1, SIDE_CLIENT, MESSAGE("u@a.example", "v@d.example"));
	cross(s, 1, SIDE_SERVER, MESSAGE("v@d.example", "u@a.example"));
	cross(s, 1, SIDE_SERVER, MESSAGE("v@x.d.example", "u@a.example"));
	cross(s, 1, SIDE_CLIENT, MESSAGE("u@a.example", "v@x.d.example"));
	cross(s, 1, SIDE_CLIENT, MESSAGE("u@sub.a.example", "v@y.d.example"));
	cross(s, 1, SIDE_SERVER, MESSAGE("v@y.d.example", "u@sub.a.example"));
	assert_int_equal(stage_count(s, COUNT_PAIRS_DIALBACK), 3);
	/* of two pairs no third one can be made */
	stage_say(s, 1, SIDE_SERVER, MESSAGE("v@y.d.example", "u@a.example"));
	stage_expect(s, 1, SIDE_CLIENT, FOOTER);
	assert_int_equal(stage_count(s, COUNT_MESSAGE_CLOSE), 1);
}

/* What a client has not proved cannot be reached through it. */
static void bidi_with_a_client_that_proves_little(void **state)
{
	struct stage *s = *state;
	connect_with_bidi(s, "");
	bounce(s, 1, SIDE_SERVER, RESULT("x.d.example", "a.example", "k"),
		RESULT_ERROR("a.example", "x.d.example", "policy-violation"));
	cross(s, 1, SIDE_CLIENT, RESULT("a.example", "d.example", "k1"));
	cross(s, 1, SIDE_SERVER, RESULT_IS("d.example", "a.example", "valid"));
	cross(s, 1, SIDE_SERVER, RESULT("x.d.example", "a.example", "k"));
	bounce(s, 1, SIDE_SERVER, RESULT("x.d.example", "sub.a.example", "k"),
		RESULT_ERROR("sub.a.example", "x.d.example", "policy-violation"));
}

/* --- many pairs --- */

static void three_senders_and_three_targets(void **state)
{
	struct stage *s = *state;
	static const char *const domains[] = {"d.example", "x.d.example", "y.d.example"};
	connect(s, 1, "a.example", "d.example");
	connect(s, 2, "d.example", "a.example");
	for (unsigned i = 0; i < 3; i++) {
		char text[256];
		snprintf(text, sizeof(text), "<db:result from='a.example' to='%s'>k%u</db:result>", domains[i], i);
		cross(s, 1, SIDE_CLIENT, text);
		snprintf(text, sizeof(text), "<db:result from='%s' to='a.example'>r%u</db:result>", domains[i], i);
		cross(s, 2, SIDE_CLIENT, text);
	}
	/* answers in another order; one pair is refused, which harms no other */
	cross(s, 1, SIDE_SERVER, RESULT_IS("y.d.example", "a.example", "valid"));
	cross(s, 1, SIDE_SERVER, RESULT_ERROR("x.d.example", "a.example", "item-not-found"));
	cross(s, 1, SIDE_SERVER, RESULT_IS("d.example", "a.example", "valid"));
	cross(s, 2, SIDE_SERVER, RESULT_IS("a.example", "x.d.example", "valid"));
	cross(s, 1, SIDE_CLIENT, MESSAGE("u@a.example", "v@d.example"));
	cross(s, 1, SIDE_CLIENT, MESSAGE("u@a.example", "v@y.d.example"));
	cross(s, 2, SIDE_CLIENT, MESSAGE("v@x.d.example", "u@a.example"));
	/* proved on the other connection, in the other direction, or not at all: never here */
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("u@a.example", "v@x.d.example"));
	stage_expect(s, 1, SIDE_SERVER, FOOTER);
	stage_say(s, 2, SIDE_CLIENT, MESSAGE("v@y.d.example", "u@a.example"));
	stage_expect(s, 2, SIDE_SERVER, FOOTER);
	assert_int_equal(stage_count(s, COUNT_MESSAGE_PASS), 3);
	assert_int_equal(stage_count(s, COUNT_MESSAGE_CLOSE), 2);
	stage_close(s, 1);
	stage_expect_audit(s, "\"pairs\":[{\"from\":\"a.example\",\"to\":\"y.d.example\",\"method\":\"dialback\"},"
			      "{\"from\":\"a.example\",\"to\":\"d.example\",\"method\":\"dialback\"}]");
}

static void asked_again(void **state)
{
	struct stage *s = *state;
	connect(s, 1, "a.example", "d.example");
	cross(s, 1, SIDE_CLIENT, RESULT("a.example", "d.example", "k1"));
	swallow(s, 1, SIDE_CLIENT, RESULT("a.example", "d.example", "k1"));
	assert_int_equal(stage_count(s, COUNT_DIALBACK_REPEATED), 1);
	bounce(s, 1, SIDE_CLIENT, RESULT("a.example", "d.example", "k2"),
		RESULT_ERROR("d.example", "a.example", "policy-violation"));
	cross(s, 1, SIDE_SERVER, RESULT_IS("d.example", "a.example", "valid"));
	/* a pair that is valid stays so until its server takes it back */
	cross(s, 1, SIDE_CLIENT, RESULT("a.example", "d.example", "k3"));
	cross(s, 1, SIDE_CLIENT, MESSAGE("u@a.example", "v@d.example"));
	cross(s, 1, SIDE_SERVER, RESULT_IS("d.example", "a.example", "valid"));
	assert_int_equal(stage_count(s, COUNT_PAIRS_DIALBACK), 1);
	cross(s, 1, SIDE_CLIENT, RESULT("a.example", "d.example", "k4"));
	cross(s, 1, SIDE_SERVER, RESULT_ERROR("d.example", "a.example", "not-authorized"));
	assert_false(session_has_pair(stage_session(s, 1), SIDE_CLIENT));
}

static void too_many_pairs(void **state)
{
	struct stage *s = *state;
	char text[256], answer[512];
	connect(s, 1, "d.example", "a.example");
	for (unsigned i = 0; i < SESSION_PAIRS_MAX; i++) {
		snprintf(text, sizeof(text), "<db:result from='p%u.d.example' to='a.example'>k</db:result>", i);
		cross(s, 1, SIDE_CLIENT, text);
	}
	snprintf(answer, sizeof(answer), RESULT_ERROR("a.example", "d.example", "resource-constraint"));
	bounce(s, 1, SIDE_CLIENT, RESULT("d.example", "a.example", "k"), answer);
	cross(s, 1, SIDE_SERVER, RESULT_IS("a.example", "p7.d.example", "valid"));
	cross(s, 1, SIDE_CLIENT, MESSAGE("v@p7.d.example", "u@a.example"));
}

/* --- answers that nobody asked for --- */

static void verify_answers(void **state)
{
	struct stage *s = *state;
	connect(s, 1, "d.example", "a.example");
	connect(s, 2, "d.example", "a.example");
	cross(s, 1, SIDE_CLIENT, VERIFY("d.example", "i", "a.example", "k"));
	swallow(s, 1, SIDE_SERVER, VERIFY_IS("a.example", "j", "d.example", "valid"));     /* another id */
	swallow(s, 1, SIDE_SERVER, VERIFY_IS("sub.a.example", "i", "d.example", "valid")); /* another name */
	swallow(s, 1, SIDE_CLIENT, VERIFY_IS("a.example", "i", "d.example", "valid"));     /* the asker's own answer */
	swallow(s, 2, SIDE_SERVER, VERIFY_IS("a.example", "i", "d.example", "valid"));     /* another stream */
	swallow(s, 1, SIDE_SERVER, RESULT_IS("a.example", "d.example", "valid"));          /* of the other form */
	cross(s, 1, SIDE_SERVER, VERIFY_IS("a.example", "i", "d.example", "valid"));
	swallow(s, 1, SIDE_SERVER, VERIFY_IS("a.example", "i", "d.example", "valid"));     /* once more */
	swallow(s, 1, SIDE_SERVER, VERIFY_IS("a.example", "i", "d.example", "invalid"));   /* harmless: no alert */
	assert_int_equal(stage_count(s, COUNT_DIALBACK_ANSWERS_DROPPED), 7);
	assert_int_equal(stage_count(s, COUNT_ALERTS), 6);
	stage_expect_audit(s, "\"alert\":\"dialback-unsolicited\"");
	cross(s, 1, SIDE_CLIENT, RESULT("d.example", "a.example", "k"));
	cross(s, 1, SIDE_SERVER, RESULT_IS("a.example", "d.example", "valid"));
	swallow(s, 1, SIDE_SERVER, RESULT_IS("a.example", "d.example", "valid"));
	cross(s, 1, SIDE_CLIENT, MESSAGE("v@d.example", "u@a.example"));
}

static void say_restart(struct stage *s)
{
	stage_say(s, 1, SIDE_CLIENT, ID DB " from='d.example' to='a.example' version='1.0'>");
	stage_say(s, 1, SIDE_SERVER, ID DB " from='a.example' id='after &amp; new' version='1.0'>" FEATURES());
	forget_heard(s, 1);
}

static void answers_after_a_restart(void **state)
{
	struct stage *s = *state;
	connect_with(s, 1, "d.example", "a.example", FEATURES(EXTERNAL DIALBACK));
	cross(s, 1, SIDE_CLIENT, RESULT("x.d.example", "a.example", "k1"));
	cross(s, 1, SIDE_CLIENT, VERIFY("d.example", "i", "a.example", "k2"));
	cross(s, 1, SIDE_CLIENT, AUTH("="));
	cross(s, 1, SIDE_SERVER, SUCCESS);
	say_restart(s);
	swallow(s, 1, SIDE_SERVER, RESULT_IS("a.example", "x.d.example", "valid"));
	swallow(s, 1, SIDE_SERVER, VERIFY_IS("a.example", "i", "d.example", "valid"));
	assert_int_equal(stage_count(s, COUNT_DIALBACK_ANSWERS_DROPPED), 2);
	/* the key of the stream that is no more is not known; and the new id is */
	connect(s, 2, "a.example", "d.example");
	cross(s, 2, SIDE_CLIENT, VERIFY("a.example", "id-102", "x.d.example", "k9"));
	assert_int_equal(stage_count(s, COUNT_DIALBACK_KEYS_UNSEEN), 2);
	cross(s, 1, SIDE_CLIENT, RESULT("x.d.example", "a.example", "k3"));
	cross(s, 2, SIDE_CLIENT, VERIFY("a.example", "after &amp; new", "x.d.example", "k3"));
	assert_int_equal(stage_count(s, COUNT_DIALBACK_KEYS_SEEN), 1);
	cross(s, 1, SIDE_SERVER, RESULT_IS("a.example", "x.d.example", "valid"));
	cross(s, 1, SIDE_CLIENT, MESSAGE("v@d.example", "u@a.example"));
	cross(s, 1, SIDE_CLIENT, MESSAGE("v@x.d.example", "u@a.example"));
}

/* A liar does not fill the audit, but is counted. */
static void very_many_answers(void **state)
{
	struct stage *s = *state;
	unsigned lines = 0;
	connect(s, 1, "d.example", "a.example");
	for (unsigned i = 0; i < 3 * SESSION_DIALBACK_ALERTS_MAX; i++)
		swallow(s, 1, SIDE_SERVER, RESULT_IS("a.example", "d.example", "valid"));
	assert_int_equal(stage_count(s, COUNT_ALERTS), 3 * SESSION_DIALBACK_ALERTS_MAX);
	char *audit = stage_audit(s);
	for (const char *at = audit; (at = strstr(at, "dialback-unsolicited")); at++)
		lines++;
	free(audit);
	assert_int_equal(lines, SESSION_DIALBACK_ALERTS_MAX);
}

/* --- errors --- */

static void errors_of_every_kind(void **state)
{
	struct stage *s = *state;
	static const char *const conditions[] = {"item-not-found", "remote-connection-failed", "remote-server-not-found",
		"remote-server-timeout", "policy-violation", "not-authorized", "forbidden", "not-acceptable",
		"resource-constraint", "internal-server-error", "not-allowed", "service-unavailable", "bad-request",
		"undefined-condition"};
	static const char *const types[] = {"cancel", "auth", "wait", "modify", "continue"};
	connect(s, 1, "d.example", "a.example");
	for (unsigned i = 0; i < sizeof(conditions) / sizeof(*conditions); i++) {
		char text[512];
		cross(s, 1, SIDE_CLIENT, RESULT("d.example", "a.example", "k"));
		snprintf(text, sizeof(text), WITH_ERROR("<db:result from='a.example' to='d.example'", "result", "%s", "%s"),
			types[i % 5], conditions[i]);
		cross(s, 1, SIDE_SERVER, text);
		cross(s, 1, SIDE_CLIENT, VERIFY("d.example", "i", "a.example", "k"));
		snprintf(text, sizeof(text),
			WITH_ERROR("<db:verify from='a.example' id='i' to='d.example'", "verify", "%s", "%s"),
			types[i % 5], conditions[i]);
		cross(s, 1, SIDE_SERVER, text);
	}
	/* what would send the server elsewhere does not pass, and what is no condition neither */
	cross(s, 1, SIDE_CLIENT, RESULT("d.example", "a.example", "k"));
	stage_say(s, 1, SIDE_SERVER, "<db:result from='a.example' to='d.example' type='error'><error type='often'>"
				     "<gone xmlns='" NS_STANZAS "'>xmpp:evil.example</gone></error></db:result>");
	stage_expect(s, 1, SIDE_CLIENT, RESULT_ERROR("a.example", "d.example", "gone"));
	cross(s, 1, SIDE_CLIENT, RESULT("d.example", "a.example", "k"));
	stage_say(s, 1, SIDE_SERVER, RESULT_ERROR("a.example", "d.example", "not-today"));
	stage_expect(s, 1, SIDE_CLIENT, RESULT_ERROR("a.example", "d.example", "undefined-condition"));
	cross(s, 1, SIDE_CLIENT, RESULT("d.example", "a.example", "k"));
	stage_say(s, 1, SIDE_SERVER, RESULT_IS("a.example", "d.example", "error")); /* says nothing more */
	stage_expect(s, 1, SIDE_CLIENT, RESULT_ERROR("a.example", "d.example", "undefined-condition"));
	assert_int_equal(stage_count(s, COUNT_ALERTS), 0);
	assert_false(session_has_pair(stage_session(s, 1), SIDE_CLIENT));
	cross(s, 1, SIDE_CLIENT, RESULT("d.example", "a.example", "k"));
	cross(s, 1, SIDE_SERVER, RESULT_IS("a.example", "d.example", "valid"));
	cross(s, 1, SIDE_CLIENT, MESSAGE("v@d.example", "u@a.example"));
}

/* A server that has not declared the prefix can be told nothing with it: as before there were errors, the stream ends. */
static void refused_without_a_prefix(void **state)
{
	struct stage *s = *state;
	stage_open(s, 1, WIRE_INSIDE);
	stage_say(s, 1, SIDE_CLIENT, ID DB " from='a.example' to='e.example'>");
	stage_say(s, 1, SIDE_SERVER, ID " from='e.example' id='1'>");
	forget_heard(s, 1);
	cross(s, 1, SIDE_CLIENT, RESULT("a.example", "e.example", "k"));
	stage_say(s, 1, SIDE_CLIENT, RESULT("a.example", "nobody.example", "k"));
	stage_expect(s, 1, SIDE_CLIENT, STREAM_ERROR("policy-violation"));
	stage_expect(s, 1, SIDE_SERVER, FOOTER);
	assert_int_equal(stage_count(s, COUNT_PAIRS_REFUSED), 1);
}

/* --- EXTERNAL --- */

static void names_to_act_as(void **state)
{
	struct stage *s = *state;
	static const struct {
		const char *said, *condition; /* NULL: passes */
	} rows[] = {
		{AUTH_EMPTY, NULL},
		{AUTH("="), NULL},
		{AUTH("Yi5leGFtcGxl"), NULL},
		{AUTH("Qi5FWEFNUExF"), NULL},                    /* B.EXAMPLE: the same name */
		{AUTH("ZC5leGFtcGxl"), "invalid-authzid"},       /* d.example */
		{AUTH("dUBiLmV4YW1wbGU="), "invalid-authzid"},   /* u@b.example */
		{AUTH("Yi5leGFtcGxlAGE="), "invalid-authzid"},   /* b.example NUL a */
		{AUTH("Yi5leGFtcGxl="), "invalid-authzid"},
		{AUTH("b.example"), "invalid-authzid"},
		{AUTH("=="), "invalid-authzid"},
		{AUTH("<x/>"), "invalid-authzid"},
		{"<auth xmlns='" NS_SASL "' mechanism='PLAIN'>AGIAYg==</auth>", "invalid-mechanism"},
		{"<auth xmlns='" NS_SASL "'>=</auth>", "invalid-mechanism"},
	};
	unsigned refused = 0;
	connect_with(s, 1, "b.example", "a.example", FEATURES(EXTERNAL));
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char failure[200];
		snprintf(failure, sizeof(failure), FAILURE("%s"), rows[i].condition ? rows[i].condition : "not-authorized");
		if (rows[i].condition) {
			bounce(s, 1, SIDE_CLIENT, rows[i].said, failure);
			refused++;
		} else {
			cross(s, 1, SIDE_CLIENT, rows[i].said);
			cross(s, 1, SIDE_SERVER, failure);
		}
		assert_int_equal(stage_count(s, COUNT_SASL_REFUSED), refused);
		assert_int_equal(stage_session(s, 1)->state, SESSION_OPEN);
	}
	assert_false(session_has_pair(stage_session(s, 1), SIDE_CLIENT));
}

static void challenged_and_aborted(void **state)
{
	struct stage *s = *state;
	connect_with(s, 1, "b.example", "a.example", FEATURES(EXTERNAL));
	cross(s, 1, SIDE_CLIENT, AUTH_EMPTY);
	cross(s, 1, SIDE_SERVER, "<challenge xmlns='" NS_SASL "'/>");
	cross(s, 1, SIDE_CLIENT, "<abort xmlns='" NS_SASL "'/>");
	cross(s, 1, SIDE_SERVER, FAILURE("aborted"));
	cross(s, 1, SIDE_CLIENT, AUTH_EMPTY);
	cross(s, 1, SIDE_SERVER, "<challenge xmlns='" NS_SASL "'/>");
	cross(s, 1, SIDE_CLIENT, "<response xmlns='" NS_SASL "'>Yi5leGFtcGxl</response>");
	cross(s, 1, SIDE_SERVER, SUCCESS);
	assert_true(session_has_pair(stage_session(s, 1), SIDE_CLIENT));
}

static void a_response_for_another_domain(void **state)
{
	struct stage *s = *state;
	connect_with(s, 1, "b.example", "a.example", FEATURES(EXTERNAL));
	cross(s, 1, SIDE_CLIENT, AUTH_EMPTY);
	cross(s, 1, SIDE_SERVER, "<challenge xmlns='" NS_SASL "'/>");
	stage_say(s, 1, SIDE_CLIENT, "<response xmlns='" NS_SASL "'>ZC5leGFtcGxl</response>");
	stage_expect(s, 1, SIDE_CLIENT, STREAM_ERROR("policy-violation"));
	stage_expect(s, 1, SIDE_SERVER, FOOTER);
}

/* At strong nothing else will do; what will do may be tried again. */
static void failed_then_dialback_at_strong(void **state)
{
	struct stage *s = *state;
	connect_with(s, 1, "b.example", "a.example", FEATURES(EXTERNAL DIALBACK));
	cross(s, 1, SIDE_CLIENT, AUTH("="));
	cross(s, 1, SIDE_SERVER, FAILURE("temporary-auth-failure"));
	bounce(s, 1, SIDE_CLIENT, RESULT("b.example", "a.example", "k"),
		RESULT_ERROR("a.example", "b.example", "policy-violation"));
	stage_expect_audit(s, "dialback is not enough for this peer");
	cross(s, 1, SIDE_CLIENT, AUTH("="));
	cross(s, 1, SIDE_SERVER, SUCCESS);
	assert_int_equal(stage_count(s, COUNT_PAIRS_EXTERNAL), 1);
}

/* Believed at once, by the certificate (XEP-0344): nobody dials back. */
static void failed_then_dialback_without_dialling_back(void **state)
{
	struct stage *s = *state;
	connect_with(s, 1, "d.example", "a.example", FEATURES(EXTERNAL DIALBACK));
	cross(s, 1, SIDE_CLIENT, AUTH("="));
	cross(s, 1, SIDE_SERVER, FAILURE("not-authorized"));
	cross(s, 1, SIDE_CLIENT, RESULT("d.example", "a.example", "k"));
	cross(s, 1, SIDE_SERVER, RESULT_IS("a.example", "d.example", "valid"));
	cross(s, 1, SIDE_CLIENT, MESSAGE("v@d.example", "u@a.example"));
	assert_int_equal(stage_count(s, COUNT_PAIRS_DIALBACK), 1);
	stage_close(s, 1);
	stage_expect_audit(s, "\"pairs\":[{\"from\":\"d.example\",\"to\":\"a.example\",\"method\":\"dialback\"}]");
}

static void authenticated_twice(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_OUTSIDE, "b.example", "a.example", FEATURES(EXTERNAL), false);
	stage_say(s, 1, SIDE_CLIENT, AUTH("ZC5leGFtcGxl"));
	stage_expect(s, 1, SIDE_CLIENT, STREAM_ERROR("policy-violation"));
	stage_expect(s, 1, SIDE_SERVER, FOOTER);
}

/* Whoever has proved itself by EXTERNAL may ask for more by dialback, where that is enough. */
static void dialback_after_external(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_OUTSIDE, "d.example", "a.example", FEATURES(EXTERNAL DIALBACK), false);
	cross(s, 1, SIDE_CLIENT, RESULT("x.d.example", "sub.a.example", "k"));
	cross(s, 1, SIDE_SERVER, RESULT_IS("sub.a.example", "x.d.example", "valid"));
	cross(s, 1, SIDE_CLIENT, MESSAGE("v@d.example", "u@a.example"));
	cross(s, 1, SIDE_CLIENT, MESSAGE("v@x.d.example", "u@sub.a.example"));
	/* and is not thought to have proved it by the weaker of both */
	cross(s, 1, SIDE_CLIENT, RESULT("d.example", "a.example", "k"));
	cross(s, 1, SIDE_SERVER, RESULT_IS("a.example", "d.example", "valid"));
	stage_close(s, 1);
	stage_expect_audit(s, "{\"from\":\"d.example\",\"to\":\"a.example\",\"method\":\"external\"}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_connections_tell_the_same),
		TEST(forged_questions),
		TEST(keys_of_several_streams),
		TEST(questions_about_what_was_not_seen),
		TEST(valid_after_invalid),
		TEST(the_last_word_about_a_key),
		TEST(a_denial_of_another_key),
		TEST(a_key_on_a_line_of_its_own),
		TEST(questions_to_the_wrong_server),
		TEST(pinned_peers),
		TEST(who_shows_a_key_is_not_asked),
		TEST(bidi_with_several_domains),
		TEST(bidi_with_a_client_that_proves_little),
		TEST(three_senders_and_three_targets),
		TEST(asked_again),
		TEST(too_many_pairs),
		TEST(verify_answers),
		TEST(answers_after_a_restart),
		TEST(very_many_answers),
		TEST(errors_of_every_kind),
		TEST(refused_without_a_prefix),
		TEST(names_to_act_as),
		TEST(challenged_and_aborted),
		TEST(a_response_for_another_domain),
		TEST(failed_then_dialback_at_strong),
		TEST(failed_then_dialback_without_dialling_back),
		TEST(authenticated_twice),
		TEST(dialback_after_external),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
