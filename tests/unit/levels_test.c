/*
 * Levels of authentication: who gets a stanza through to a server that would take it from anybody. The servers of these
 * tests agree to whatever they are asked; it is the guard that does not.
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

#define STARTTLS "<starttls xmlns='" NS_TLS "'/>"
#define EXTERNAL "<mechanisms xmlns='" NS_SASL "'><mechanism>EXTERNAL</mechanism></mechanisms>"
#define DIALBACK "<dialback xmlns='" NS_DIALBACK_FEATURE "'><errors/></dialback>"
#define FEATURES(...) "<stream:features>" __VA_ARGS__ "</stream:features>"

enum how {
	NOTHING,  /* sends stanzas at once */
	BY_DIALBACK,
	BY_EXTERNAL,
};

enum under {
	CLEAR,             /* STARTTLS is not offered */
	CLEAR_THOUGH,      /* it is, and not asked for */
	CLEAR_OLD,         /* headers have no version, so that there are no features */
	GOOD_CERTIFICATES,
	BARE_CLIENT,       /* it shows no certificate */
	DOUBTED_PEER,      /* whose certificate proves nothing; TLS has let it on */
};

enum passes { NEVER, PEER_DIALS = 1, PEER_IS_DIALLED = 2, EITHER = 3 };

static const struct row {
	enum how how;
	enum under under;
	enum passes strong, tls_dialback, none;
} rows[] = {
	{NOTHING, CLEAR, NEVER, NEVER, NEVER},
	{NOTHING, CLEAR_THOUGH, NEVER, NEVER, NEVER},
	{NOTHING, CLEAR_OLD, NEVER, NEVER, NEVER},
	{NOTHING, GOOD_CERTIFICATES, NEVER, NEVER, NEVER},
	{NOTHING, BARE_CLIENT, NEVER, NEVER, NEVER},
	{NOTHING, DOUBTED_PEER, NEVER, NEVER, NEVER},
	{BY_DIALBACK, CLEAR, NEVER, NEVER, EITHER},
	{BY_DIALBACK, CLEAR_THOUGH, NEVER, NEVER, EITHER},
	{BY_DIALBACK, CLEAR_OLD, NEVER, NEVER, EITHER},
	{BY_DIALBACK, GOOD_CERTIFICATES, NEVER, EITHER, EITHER},
	{BY_DIALBACK, BARE_CLIENT, NEVER, EITHER, EITHER},
	{BY_DIALBACK, DOUBTED_PEER, NEVER, EITHER, EITHER},
	{BY_EXTERNAL, CLEAR, NEVER, NEVER, NEVER},
	{BY_EXTERNAL, CLEAR_THOUGH, NEVER, NEVER, NEVER},
	{BY_EXTERNAL, CLEAR_OLD, NEVER, NEVER, NEVER},
	{BY_EXTERNAL, GOOD_CERTIFICATES, EITHER, EITHER, EITHER},
	{BY_EXTERNAL, BARE_CLIENT, NEVER, NEVER, NEVER},
	/* a client with a good certificate may show it to a server that it does not believe */
	{BY_EXTERNAL, DOUBTED_PEER, NEVER, PEER_IS_DIALLED, PEER_IS_DIALLED},
};

struct play {
	struct stage *s;
	const struct row *row;
	const char *client, *server;
	enum wire wire; /* of the client */
};

static void say(const struct play *p, enum conn_side side, const char *text)
{
	if (!p->s->connection[1].side[side].ended && !p->s->connection[1].side[side].reset)
		stage_say(p->s, 1, side, text);
}

static void say_headers(const struct play *p)
{
	const char *version = p->row->under == CLEAR_OLD ? "" : " version='1.0'";
	char text[512];
	snprintf(text, sizeof(text), ID DB " from='%s' to='%s'%s>", p->client, p->server, version);
	say(p, SIDE_CLIENT, text);
	snprintf(text, sizeof(text), ID DB " from='%s' to='%s' id='1'%s>", p->server, p->client, version);
	say(p, SIDE_SERVER, text);
}

static bool is_doubted(const struct play *p, enum conn_side side)
{
	return p->row->under == DOUBTED_PEER && (p->wire == WIRE_OUTSIDE) == (side == SIDE_CLIENT);
}

static void secure(const struct play *p)
{
	bool bare = p->row->under == BARE_CLIENT;
	say(p, SIDE_SERVER, FEATURES(STARTTLS));
	say(p, SIDE_CLIENT, STARTTLS);
	say(p, SIDE_SERVER, "<proceed xmlns='" NS_TLS "'/>");
	assert_int_equal(p->s->connection[1].start_tls, 1);
	stage_secured(p->s, 1, SIDE_SERVER, is_doubted(p, SIDE_SERVER) ? "?expired" : p->server, p->client);
	stage_secured(p->s, 1, SIDE_CLIENT, bare ? "" : is_doubted(p, SIDE_CLIENT) ? "?expired" : p->client, p->server);
	say_headers(p);
	say(p, SIDE_SERVER, FEATURES(EXTERNAL DIALBACK));
}

static void begin(const struct play *p)
{
	stage_open(p->s, 1, p->wire);
	say_headers(p);
	if (p->row->under >= GOOD_CERTIFICATES)
		secure(p);
	else if (p->row->under == CLEAR_THOUGH)
		say(p, SIDE_SERVER, FEATURES(STARTTLS EXTERNAL DIALBACK));
	else if (p->row->under == CLEAR)
		say(p, SIDE_SERVER, FEATURES(EXTERNAL DIALBACK));
}

static void authenticate(const struct play *p)
{
	char text[256];
	if (p->row->how == BY_DIALBACK) {
		snprintf(text, sizeof(text), "<db:result from='%s' to='%s'>k</db:result>", p->client, p->server);
		say(p, SIDE_CLIENT, text);
		snprintf(text, sizeof(text), "<db:result from='%s' to='%s' type='valid'/>", p->server, p->client);
		say(p, SIDE_SERVER, text);
	} else if (p->row->how == BY_EXTERNAL) {
		say(p, SIDE_CLIENT, "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'>=</auth>");
		if (stage_session(p->s, 1)->state != SESSION_SASL_ASKED)
			return;
		say(p, SIDE_SERVER, "<success xmlns='" NS_SASL "'/>");
		say_headers(p);
		say(p, SIDE_SERVER, FEATURES());
	}
}

static bool is_heard(struct stage *s, enum conn_side side, const char *needle)
{
	const struct buf *heard = &s->connection[1].side[side].heard;
	return buf_len(heard) && memmem(buf_head(heard), buf_len(heard), needle, strlen(needle));
}

static bool gets_through(const struct row *row, const char *peer, enum wire wire)
{
	struct stage s;
	struct play p = {&s, row, wire == WIRE_OUTSIDE ? peer : "a.example", wire == WIRE_OUTSIDE ? "a.example" : peer, wire};
	char text[256];
	stage_init(&s);
	begin(&p);
	authenticate(&p);
	snprintf(text, sizeof(text), "<message from='u@%s' to='v@%s'><body>hello</body></message>", p.client, p.server);
	say(&p, SIDE_CLIENT, text);
	bool heard = is_heard(&s, SIDE_SERVER, "hello");
	/* what is refused ends the stream, and is an alert: neither goes unseen */
	assert_int_equal(stage_session(&s, 1)->state, heard ? SESSION_OPEN : SESSION_CLOSING);
	assert_int_equal(stage_count(&s, COUNT_ALERTS) > 0, !heard);
	assert_false(s.broken);
	stage_fini(&s);
	return heard;
}

static void expect_passes(const struct row *row, const char *peer, enum passes passes)
{
	for (enum wire wire = WIRE_INSIDE; wire < WIRES; wire++) {
		bool expected = passes & (wire == WIRE_OUTSIDE ? PEER_DIALS : PEER_IS_DIALLED);
		if (gets_through(row, peer, wire) != expected)
			fail_msg("row %d, %s, client on wire %d: expected %d", (int)(row - rows), peer, (int)wire, (int)expected);
	}
}

static void every_level_by_every_method(void **state)
{
	(void)state;
	for (const struct row *row = rows; row < rows + sizeof(rows) / sizeof(*rows); row++) {
		expect_passes(row, "b.example", row->strong);
		expect_passes(row, "d.example", row->tls_dialback);
		expect_passes(row, "e.example", row->none);
	}
}

/* --- what is offered, and what is said of it --- */

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

/* A connection from outside in the clear, on which the server has said its header. */
static void begin_clear(struct stage *s, const char *client)
{
	char text[400];
	stage_open(s, 1, WIRE_OUTSIDE);
	snprintf(text, sizeof(text), ID DB " from='%s' to='a.example' version='1.0'>", client);
	stage_say(s, 1, SIDE_CLIENT, text);
	stage_say(s, 1, SIDE_SERVER, ID DB " from='a.example' id='1' version='1.0'>");
	for (enum conn_side side = SIDE_CLIENT; side < SIDES; side++)
		buf_drop(&s->connection[1].side[side].heard, buf_len(&s->connection[1].side[side].heard));
}

static void a_stripped_offer_is_a_downgrade(void **state)
{
	struct stage *s = *state;
	begin_clear(s, "b.example");
	stage_say(s, 1, SIDE_SERVER, FEATURES(DIALBACK));
	assert_true(is_heard(s, SIDE_CLIENT, "<policy-violation "));
	assert_true(is_heard(s, SIDE_SERVER, "<policy-violation "));
	assert_int_equal(stage_count(s, COUNT_DOWNGRADES), 1);
	stage_expect_audit(s, "\"alert\":\"downgrade\"");
	stage_expect_audit(s, "server does not offer STARTTLS");
}

static void dialback_in_the_clear_is_a_downgrade(void **state)
{
	struct stage *s = *state;
	begin_clear(s, "d.example");
	stage_say(s, 1, SIDE_SERVER, FEATURES(STARTTLS));
	stage_say(s, 1, SIDE_CLIENT, "<db:result from='d.example' to='a.example'>k</db:result>");
	assert_true(is_heard(s, SIDE_CLIENT, "<policy-violation "));
	assert_false(is_heard(s, SIDE_SERVER, "db:result"));
	assert_int_equal(stage_count(s, COUNT_DOWNGRADES), 1);
	stage_expect_audit(s, "\"reason\":\"said before TLS\"");
}

/* Nothing of dialback is offered to whom it would be refused. */
static void dialback_is_not_offered_to_strong_peers(void **state)
{
	struct stage *s = *state;
	stage_secure(s, 1, WIRE_OUTSIDE, "b.example", "a.example", "b.example", FEATURES(EXTERNAL DIALBACK));
	assert_true(is_heard(s, SIDE_CLIENT, "EXTERNAL"));
	assert_false(is_heard(s, SIDE_CLIENT, NS_DIALBACK_FEATURE));
}

/* A key of a pair is not asked for in the clear either, where its own level wants TLS; the stream goes on. */
static void a_key_is_asked_for_at_the_level_of_its_pair(void **state)
{
	struct stage *s = *state;
	begin_clear(s, "e.example");
	stage_say(s, 1, SIDE_SERVER, FEATURES(DIALBACK));
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(DIALBACK));
	stage_say(s, 1, SIDE_CLIENT, "<db:verify from='d.example' to='a.example' id='i'>k</db:verify>");
	stage_expect(s, 1, SIDE_SERVER, "");
	stage_expect(s, 1, SIDE_CLIENT,
		"<db:verify from='a.example' id='i' to='d.example' type='error'><error type='cancel'>"
		"<policy-violation xmlns='" NS_STANZAS "'/></error></db:verify>");
	stage_say(s, 1, SIDE_CLIENT, "<db:verify from='e.example' to='a.example' id='i'>k</db:verify>");
	stage_expect(s, 1, SIDE_SERVER, "<db:verify from='e.example' id='i' to='a.example'>k</db:verify>");
	stage_expect_audit(s, "dialback without TLS is not enough for this peer");
}

static void tls_does_not_come_after_dialback(void **state)
{
	struct stage *s = *state;
	begin_clear(s, "e.example");
	stage_say(s, 1, SIDE_SERVER, FEATURES(STARTTLS DIALBACK));
	stage_say(s, 1, SIDE_CLIENT, "<db:result from='e.example' to='a.example'>k</db:result>" STARTTLS);
	assert_true(is_heard(s, SIDE_CLIENT, "<policy-violation "));
	assert_false(is_heard(s, SIDE_SERVER, "starttls"));
	assert_int_equal(s->connection[1].start_tls, 0);
}

/* RFC 6120 4.7.5: such a stream has no version and no features, in either direction. */
static void an_old_peer_gets_an_old_stream(void **state)
{
	struct stage *s = *state;
	stage_open(s, 1, WIRE_OUTSIDE);
	stage_say(s, 1, SIDE_CLIENT, ID DB " from='e.example' to='a.example'>");
	stage_expect(s, 1, SIDE_SERVER, "<?xml version='1.0'?>" ID DB " from='e.example' to='a.example'>");
	stage_say(s, 1, SIDE_SERVER, ID DB " from='a.example' id='1' version='1.0'>");
	stage_expect(s, 1, SIDE_CLIENT, "<?xml version='1.0'?>" ID DB " from='a.example' id='1' version='1.0'>");
	assert_int_equal(stage_session(s, 1)->state, SESSION_OPEN);
	stage_open(s, 2, WIRE_OUTSIDE);
	stage_say(s, 2, SIDE_CLIENT, ID DB " from='e.example' to='a.example' version='0.9'>");
	assert_int_equal(stage_session(s, 2)->state, SESSION_CLOSING);
	assert_string_equal(stage_session(s, 2)->why, "stream of an unknown version");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(every_level_by_every_method),
	TEST(a_stripped_offer_is_a_downgrade),
	TEST(dialback_in_the_clear_is_a_downgrade),
	TEST(dialback_is_not_offered_to_strong_peers),
	TEST(a_key_is_asked_for_at_the_level_of_its_pair),
	TEST(tls_does_not_come_after_dialback),
	TEST(an_old_peer_gets_an_old_stream),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
