/* Streams of the guard's own: a refusal that nothing else carries to its sender. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/session_harness.h"

#define EXTERNAL "<mechanisms xmlns='" NS_SASL "'><mechanism>EXTERNAL</mechanism></mechanisms>"
#define STARTTLS "<starttls xmlns='" NS_TLS "'/>"
#define FEATURES(...) "<stream:features>" __VA_ARGS__ "</stream:features>"
#define FOOTER "</stream:stream>"
#define HEADER "<?xml version='1.0'?>" ID " from='b.example' to='a.example' version='1.0'>"
#define ANSWER ID " from='a.example' to='b.example' id='9' version='1.0'>"
#define MESSAGE(text) \
	"<message from='v@a.example' id='m1' to='u@b.example' type='chat'><body>" text "</body></message>"
#define REFUSED                                                                                               \
	"<message from='u@b.example' id='m1' to='v@a.example' type='error'><error type='modify'>"             \
	"<policy-violation xmlns='" NS_STANZAS "'/><text xmlns='" NS_STANZAS                                  \
	"'>not allowed by policy: content.forbidden-words</text></error></message>"

enum { THEIRS = 1, OWN = 2 };          /* connections */

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

/* Our server has sent something to b.example that is refused, and takes nothing on that connection. */
static void refused(struct stage *s)
{
	stage_external(s, THEIRS, WIRE_INSIDE, "a.example", "b.example", FEATURES(EXTERNAL), false);
	stage_say(s, THEIRS, SIDE_CLIENT, MESSAGE("the budget"));
	stage_expect_nothing(s, THEIRS);
}

/* As the dataplane announces it: in the name of the server of that connection, to its client. */
static void answered(struct stage *s)
{
	struct msg_opened opened = {.family = 4,
		.client_wire = WIRE_OUTSIDE,
		.own = 1,
		.client_port = 50000,
		.server_port = 5269,
		.client_addr = {192, 0, 2, 2},
		.server_addr = {192, 0, 2, 1}};
	player_say(&s->player, MSG_OPENED, SIDE_CLIENT, OWN, &opened, sizeof(opened));
	stage_turn(s);
}

static void offered(struct stage *s, const char *features)
{
	stage_expect(s, OWN, SIDE_SERVER, HEADER);
	stage_say(s, OWN, SIDE_SERVER, ANSWER);
	stage_say(s, OWN, SIDE_SERVER, features);
}

static void secured(struct stage *s)
{
	offered(s, FEATURES(STARTTLS));
	stage_expect(s, OWN, SIDE_SERVER, STARTTLS);
	stage_say(s, OWN, SIDE_SERVER, "<proceed xmlns='" NS_TLS "'/>");
	assert_int_equal(s->connection[OWN].start_tls, 1);
	assert_string_equal(s->connection[OWN].tls.client_name, "b.example");
	assert_string_equal(s->connection[OWN].tls.server_name, "a.example");
	stage_secured(s, OWN, SIDE_SERVER, "a.example", "b.example");
}

static void nobody_hears_the_client(const struct stage *s)
{
	const struct stage_side *client = &s->connection[OWN].side[SIDE_CLIENT];
	assert_int_equal(buf_len(&client->heard), 0);
	assert_false(client->ended || client->reset);
	assert_int_equal(client->credited, 0);
}

static void tells_the_sender(void **state)
{
	struct stage *s = *state;
	refused(s);
	assert_int_equal(s->connection[THEIRS].dialled, 1);
	assert_int_equal(s->connection[THEIRS].dialled_side, SIDE_CLIENT);
	assert_int_equal(s->connection[THEIRS].dial.port, 5269);
	stage_say(s, THEIRS, SIDE_CLIENT, MESSAGE("the budget"));
	assert_int_equal(s->connection[THEIRS].dialled, 1); /* one call for all that waits */
	answered(s);
	secured(s);
	offered(s, FEATURES(EXTERNAL));
	stage_expect(s, OWN, SIDE_SERVER, "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'>=</auth>");
	stage_say(s, OWN, SIDE_SERVER, "<success xmlns='" NS_SASL "'/>");
	offered(s, "<stream:features/>");
	stage_expect(s, OWN, SIDE_SERVER, REFUSED REFUSED);
	stage_say(s, THEIRS, SIDE_CLIENT, MESSAGE("the budget again"));
	stage_expect(s, OWN, SIDE_SERVER, REFUSED);
	assert_int_equal(stage_count(s, COUNT_REFUSALS_BY_OWN_STREAM), 3);
	stage_expect_audit(s, "\"delivery\":\"own-stream\"");
	stage_wait(s, OWN_STREAM_IDLE_MS);
	own_streams_tick(s->control);
	stage_turn(s);
	stage_expect(s, OWN, SIDE_SERVER, FOOTER);
	stage_say(s, OWN, SIDE_SERVER, FOOTER);
	assert_true(s->connection[OWN].side[SIDE_SERVER].ended);
	nobody_hears_the_client(s);
	stage_close(s, OWN);
	stage_expect_audit(s, "\"client_is\":\"guard\"");
	stage_say(s, THEIRS, SIDE_CLIENT, MESSAGE("the budget"));
	assert_int_equal(s->connection[THEIRS].dialled, 2); /* it can be called again */
	assert_int_equal(stage_count(s, COUNT_OWN_STREAMS_FAILED), 0);
}

/* A server that does not take the guard's certificate, or has no EXTERNAL: it is not asked again for a while. */
static void a_server_that_will_not_listen(void **state)
{
	struct stage *s = *state;
	refused(s);
	answered(s);
	secured(s);
	offered(s, FEATURES(EXTERNAL));
	stage_expect(s, OWN, SIDE_SERVER, "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'>=</auth>");
	stage_say(s, OWN, SIDE_SERVER, "<failure xmlns='" NS_SASL "'><not-authorized/></failure>");
	stage_expect(s, OWN, SIDE_SERVER, FOOTER);
	stage_say(s, OWN, SIDE_SERVER, FOOTER);
	assert_true(s->connection[OWN].side[SIDE_SERVER].ended);
	nobody_hears_the_client(s);
	stage_close(s, OWN);
	assert_int_equal(stage_count(s, COUNT_OWN_STREAMS_FAILED), 1);
	stage_say(s, THEIRS, SIDE_CLIENT, MESSAGE("the budget"));
	assert_int_equal(s->connection[THEIRS].dialled, 1);
	stage_wait(s, OWN_STREAM_AGAIN_MS);
	own_streams_tick(s->control);
	stage_say(s, THEIRS, SIDE_CLIENT, MESSAGE("the budget"));
	assert_int_equal(s->connection[THEIRS].dialled, 2);
}

static void no_answer(void **state)
{
	struct stage *s = *state;
	refused(s);
	stage_wait(s, OWN_STREAM_DIAL_MS);
	own_streams_tick(s->control);
	assert_int_equal(stage_count(s, COUNT_OWN_STREAMS_FAILED), 1);
	answered(s);                   /* too late: nobody waits for it */
	assert_true(s->connection[OWN].side[SIDE_SERVER].reset || s->connection[OWN].side[SIDE_SERVER].ended);
	assert_false(s->broken);
}

static void tls_fails(void **state)
{
	struct stage *s = *state;
	refused(s);
	answered(s);
	offered(s, FEATURES(STARTTLS));
	stage_expect(s, OWN, SIDE_SERVER, STARTTLS);
	stage_say(s, OWN, SIDE_SERVER, "<proceed xmlns='" NS_TLS "'/>");
	stage_tls_failed(s, OWN, SIDE_SERVER, TLS_FAILED_CERTIFICATE, "expired");
	nobody_hears_the_client(s);
	stage_close(s, OWN);
	assert_int_equal(stage_count(s, COUNT_OWN_STREAMS_FAILED), 1);
}

static void the_server_leaves(void **state)
{
	struct stage *s = *state;
	refused(s);
	answered(s);
	stage_expect(s, OWN, SIDE_SERVER, HEADER);
	stage_tell(s, OWN, SIDE_SERVER, MSG_END_OF_STREAM);
	assert_true(s->connection[OWN].side[SIDE_SERVER].ended);
	nobody_hears_the_client(s);
	stage_close(s, OWN);
	assert_int_equal(stage_count(s, COUNT_OWN_STREAMS_FAILED), 1);
}

static void not_where_it_is_switched_off(void **state)
{
	struct stage *s = *state;
	((struct conf *)s->control->conf)->own_streams = false;
	refused(s);
	assert_int_equal(s->connection[THEIRS].dialled, 0);
	answered(s);                   /* and no dataplane can talk it into one */
	assert_false(s->broken);
	stage_expect(s, OWN, SIDE_SERVER, "");
}

/* A server says nothing on it that could go anywhere. */
static void nothing_comes_back_on_it(void **state)
{
	struct stage *s = *state;
	refused(s);
	answered(s);
	secured(s);
	offered(s, FEATURES(EXTERNAL));
	stage_say(s, OWN, SIDE_SERVER, "<success xmlns='" NS_SASL "'/>");
	stage_expect(s, OWN, SIDE_SERVER, "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'>=</auth>" HEADER);
	stage_say(s, OWN, SIDE_SERVER, ANSWER "<stream:features/>");
	stage_expect(s, OWN, SIDE_SERVER, REFUSED);
	stage_say(s, OWN, SIDE_SERVER, MESSAGE("by the back door"));
	assert_int_equal(stage_session(s, OWN)->state, SESSION_CLOSING);
	nobody_hears_the_client(s);
	assert_int_equal(stage_count(s, COUNT_MESSAGE_PASS), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tells_the_sender),
		TEST(a_server_that_will_not_listen),
		TEST(no_answer),
		TEST(tls_fails),
		TEST(the_server_leaves),
		TEST(not_where_it_is_switched_off),
		TEST(nothing_comes_back_on_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
