/* What is too much, on whole sessions: refused, dropped, or waited for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/pace.h"
#include "control/policy_change.h"
#include "tests/unit/session_harness.h"

#define FEATURES \
	"<stream:features><mechanisms xmlns='" NS_SASL "'><mechanism>EXTERNAL</mechanism></mechanisms></stream:features>"
#define MESSAGE(from, to, type) "<message from='" from "' id='1' to='" to "' type='" type "'><body>x</body></message>"
#define CHAT MESSAGE("u@a.example/r", "v@b.example", "chat")
#define OTHER MESSAGE("w@a.example/r", "v@b.example", "chat")
#define ANSWER "<iq from='u@a.example/r' id='2' to='v@b.example/x' type='result'/>"
#define WAIT(rule, seconds)                                                                                          \
	"<error type='wait'><resource-constraint xmlns='" NS_STANZAS "'/><text xmlns='" NS_STANZAS "'>too much: " rule     \
	"; try again in " seconds " s</text></error>"
#define OVER(from, to, rule, seconds)                                                                               \
	"<message from='" from "' id='1' to='" to "' type='error'>" WAIT(rule, seconds) "</message>"
#define OVER_ANSWER "<iq from='u@a.example/r' id='2' to='v@b.example/x' type='error'>" WAIT("rates.peer", "1") "</iq>"

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

static void take_policy(struct stage *s)
{
	int fd = conf_seal(s->control->conf);
	assert_true(fd >= 0);
	assert_int_equal(policy_change(s->control, fd), 0);
	close(fd);
}

static struct conf_rates *rates_of(struct stage *s, enum conf_direction direction)
{
	return &s->control->conf->profiles[0].rates[direction];
}

/* With that rate of stanzas outbound. */
static void opened(struct stage *s, enum conf_rate_kind kind, struct conf_rate rate, enum conf_over over)
{
	rates_of(s, OUTBOUND)->stanzas[kind] = rate;
	rates_of(s, OUTBOUND)->over = over;
	take_policy(s);
	stage_external(s, 1, WIRE_INSIDE, "a.example", "b.example", FEATURES, true);
}

static void above_it_the_sender_is_told(void **state)
{
	struct stage *s = *state;
	opened(s, RATE_USER, (struct conf_rate){1, 60, 2}, OVER_REFUSE);
	stage_say(s, 1, SIDE_CLIENT, CHAT CHAT CHAT OTHER);
	stage_expect(s, 1, SIDE_SERVER, CHAT CHAT OTHER);
	stage_expect(s, 1, SIDE_CLIENT, OVER("v@b.example", "u@a.example/r", "rates.user", "60"));
	assert_int_equal(stage_count(s, COUNT_RATES_USER_OVER), 1);
	stage_expect_audit(s, "\"action\":\"refused\",\"rule\":\"rates.user\"");
	stage_wait(s, 60000);
	stage_say(s, 1, SIDE_CLIENT, CHAT);
	stage_expect(s, 1, SIDE_SERVER, CHAT);
	stage_expect_nothing(s, 1);
}

static void all_resources_are_one_user(void **state)
{
	struct stage *s = *state;
	opened(s, RATE_USER, (struct conf_rate){1, 60, 1}, OVER_DROP);
	stage_say(s, 1, SIDE_CLIENT,
		CHAT MESSAGE("u@a.example/other", "v@b.example", "chat") MESSAGE("u@a.example", "w@b.example", "chat"));
	stage_expect(s, 1, SIDE_SERVER, CHAT);
	stage_expect_nothing(s, 1); /* dropped: nobody is told */
	assert_int_equal(stage_count(s, COUNT_MESSAGE_DROPPED), 2);
}

static void what_is_waited_for_is_not_refused(void **state)
{
#define LEAVING "<presence from='u@a.example/r' to='v@b.example' type='unavailable'/>"
	struct stage *s = *state;
	opened(s, RATE_USER, (struct conf_rate){1, 60, 1}, OVER_REFUSE);
	stage_say(s, 1, SIDE_CLIENT, ANSWER ANSWER LEAVING ANSWER CHAT);
	stage_expect(s, 1, SIDE_SERVER, ANSWER ANSWER LEAVING ANSWER);
	stage_expect(s, 1, SIDE_CLIENT, OVER("v@b.example", "u@a.example/r", "rates.user", "120"));
}

static void a_peer_is_everybody_there(void **state)
{
	struct stage *s = *state;
	opened(s, RATE_PEER, (struct conf_rate){1, 1, 3}, OVER_REFUSE);
	stage_say(s, 1, SIDE_CLIENT, CHAT OTHER ANSWER ANSWER CHAT);
	/* whoever waits for an answer is not left waiting */
	stage_expect(s, 1, SIDE_SERVER, CHAT OTHER ANSWER OVER_ANSWER);
	stage_expect(s, 1, SIDE_CLIENT, OVER("v@b.example", "u@a.example/r", "rates.peer", "1"));
	assert_int_equal(stage_count(s, COUNT_RATES_PEER_OVER), 2);
}

static void a_room_is_of_everybody_in_it(void **state)
{
#define SAID(from) MESSAGE(from, "room@b.example", "groupchat")
	struct stage *s = *state;
	opened(s, RATE_ROOM, (struct conf_rate){1, 1, 2}, OVER_REFUSE);
	stage_say(s, 1, SIDE_CLIENT, SAID("u@a.example/r") SAID("w@a.example/r") SAID("x@a.example/r") CHAT);
	stage_expect(s, 1, SIDE_SERVER, SAID("u@a.example/r") SAID("w@a.example/r") CHAT);
	stage_expect(s, 1, SIDE_CLIENT, OVER("room@b.example", "x@a.example/r", "rates.room", "1"));
}

/* A room says what is said in it to each that is there: with a rate for rooms, that is not the rate of one user. */
static void out_of_a_room(void **state)
{
#define COPY(to) MESSAGE("room@sub.a.example/nick", to, "groupchat")
	struct stage *s = *state;
	rates_of(s, OUTBOUND)->stanzas[RATE_ROOM] = (struct conf_rate){1, 60, 3};
	rates_of(s, OUTBOUND)->stanzas[RATE_USER] = (struct conf_rate){1, 60, 1};
	rates_of(s, OUTBOUND)->over = OVER_DROP;
	take_policy(s);
	stage_external(s, 1, WIRE_INSIDE, "sub.a.example", "b.example", FEATURES, true);
	stage_say(s, 1, SIDE_CLIENT, COPY("v@b.example/1") COPY("v@b.example/2") COPY("v@b.example/3") COPY("v@b.example/4"));
	stage_expect(s, 1, SIDE_SERVER, COPY("v@b.example/1") COPY("v@b.example/2") COPY("v@b.example/3"));
	assert_int_equal(stage_count(s, COUNT_RATES_ROOM_OVER), 1);
}

static void bytes_are_those_that_came(void **state)
{
	struct stage *s = *state;
	rates_of(s, OUTBOUND)->bytes[RATE_USER] = (struct conf_rate){1, 3600, 2 * sizeof(CHAT) - 3};
	opened(s, RATE_USER, (struct conf_rate){0, 0, 0}, OVER_REFUSE);
	stage_say(s, 1, SIDE_CLIENT, CHAT CHAT); /* one byte short: 3600 s */
	stage_expect(s, 1, SIDE_SERVER, CHAT);
	stage_expect(s, 1, SIDE_CLIENT, OVER("v@b.example", "u@a.example/r", "rates.user", "3600"));
}

static void each_direction_has_its_own(void **state)
{
#define BACK "<message from='v@b.example' id='1' to='u@a.example/r' type='chat'><body>x</body></message>"
	struct stage *s = *state;
	opened(s, RATE_USER, (struct conf_rate){1, 60, 1}, OVER_DROP);
	stage_external(s, 2, WIRE_OUTSIDE, "b.example", "a.example", FEATURES, true);
	stage_say(s, 2, SIDE_CLIENT, BACK BACK BACK);
	stage_expect(s, 2, SIDE_SERVER, BACK BACK BACK);
	stage_say(s, 1, SIDE_CLIENT, CHAT CHAT);
	stage_expect(s, 1, SIDE_SERVER, CHAT);
}

static void waiting_holds_the_stream(void **state)
{
	struct stage *s = *state;
	opened(s, RATE_USER, (struct conf_rate){10, 1, 2}, OVER_WAIT);
	stage_say(s, 1, SIDE_CLIENT, CHAT CHAT CHAT CHAT OTHER CHAT);
	stage_expect(s, 1, SIDE_SERVER, CHAT CHAT CHAT);
	stage_wait(s, 99);
	stage_expect_nothing(s, 1);
	stage_wait(s, 1);
	stage_expect(s, 1, SIDE_SERVER, CHAT);
	stage_wait(s, 100);
	stage_expect(s, 1, SIDE_SERVER, OTHER CHAT);
	stage_expect_nothing(s, 1);
	assert_int_equal(stage_count(s, COUNT_RATES_HELD), 3);
	assert_int_equal(stage_count(s, COUNT_MESSAGE_PASS), 6);
}

/* The sender gets no credit back for what is not read: its window, and no more, is what it can still send. */
static void waiting_is_back_pressure(void **state)
{
	struct stage *s = *state;
	opened(s, RATE_USER, (struct conf_rate){1, 1, 1}, OVER_WAIT);
	stage_say(s, 1, SIDE_CLIENT, CHAT CHAT);
	uint64_t credited = s->connection[1].side[SIDE_CLIENT].credited;
	const struct stream *stream = &stage_session(s, 1)->stream[SIDE_CLIENT];
	while (stream->window >= sizeof(CHAT))
		stage_say(s, 1, SIDE_CLIENT, CHAT);
	assert_int_equal(s->connection[1].side[SIDE_CLIENT].credited, credited);
	stage_expect(s, 1, SIDE_SERVER, CHAT CHAT);
	stage_wait(s, 1000);
	stage_expect(s, 1, SIDE_SERVER, CHAT);
}

static void what_was_held_is_not_lost_at_the_end(void **state)
{
	struct stage *s = *state;
	opened(s, RATE_USER, (struct conf_rate){10, 1, 1}, OVER_WAIT);
	stage_say(s, 1, SIDE_CLIENT, CHAT CHAT CHAT "</stream:stream>");
	stage_tell(s, 1, SIDE_CLIENT, MSG_END_OF_STREAM);
	stage_expect(s, 1, SIDE_SERVER, CHAT CHAT);
	stage_wait(s, 100);
	stage_expect(s, 1, SIDE_SERVER, CHAT);
	assert_false(s->connection[1].side[SIDE_SERVER].ended);
	stage_wait(s, 100);
	stage_expect(s, 1, SIDE_SERVER, "</stream:stream>");
	assert_true(s->connection[1].side[SIDE_SERVER].ended);
}

static void another_policy_forgets(void **state)
{
	struct stage *s = *state;
	opened(s, RATE_USER, (struct conf_rate){1, 3600, 1}, OVER_WAIT);
	stage_say(s, 1, SIDE_CLIENT, CHAT CHAT CHAT CHAT CHAT);
	stage_expect(s, 1, SIDE_SERVER, CHAT CHAT);
	rates_of(s, OUTBOUND)->stanzas[RATE_USER] = (struct conf_rate){100, 1, 100};
	take_policy(s);
	stage_wait(s, 1);
	stage_expect(s, 1, SIDE_SERVER, CHAT CHAT CHAT);
}

static void a_full_table_is_told_once(void **state)
{
	struct stage *s = *state;
	opened(s, RATE_USER, (struct conf_rate){1, 3600, 2}, OVER_WAIT);
	for (unsigned i = 0; i < RATES_MAX; i++) {
		char user[32];
		int len = snprintf(user, sizeof(user), "%u", i);
		struct rates_claim claim = {.name = {{user, (size_t)len}}, .bytes = 1};
		struct policy_rates limits = {.stanzas = {{1, 3600, 2}}};
		assert_int_equal(rates_take(&s->control->rates, &limits, &claim, s->control->now_ms).result, RATES_WITHIN);
	}
	stage_say(s, 1, SIDE_CLIENT, CHAT CHAT CHAT);
	stage_expect(s, 1, SIDE_SERVER, "");
	assert_int_equal(stage_count(s, COUNT_RATES_FULL), 3);
	assert_int_equal(stage_count(s, COUNT_ALERTS), 1);
	stage_expect_audit(s, "\"rates-full\"");
}

/* --- presence that says nothing new; the profile folds to online outbound, to show inbound --- */

#define HERE(from, to, inner) "<presence from='" from "' to='" to "'>" inner "</presence>"
#define SHOWN(from, to) "<presence from='" from "' to='" to "'/>"
#define OUT(inner) HERE("u@a.example/r", "v@b.example", inner)
#define OUT_SHOWN SHOWN("u@a.example/r", "v@b.example")
#define TYPED(from, to, type) "<presence from='" from "' to='" to "' type='" type "'/>"

static void presence_is_shown_once(void **state)
{
	struct stage *s = *state;
	stage_external(s, 1, WIRE_INSIDE, "a.example", "b.example", FEATURES, true);
	stage_say(s, 1, SIDE_CLIENT, OUT("<show>dnd</show>") OUT("<status>x</status>") OUT("<priority>1</priority>"));
	stage_expect(s, 1, SIDE_SERVER, OUT_SHOWN);
	stage_say(s, 1, SIDE_CLIENT, HERE("u@a.example/other", "v@b.example", "") HERE("u@a.example/r", "w@b.example", ""));
	stage_expect(s, 1, SIDE_SERVER, SHOWN("u@a.example/other", "v@b.example") SHOWN("u@a.example/r", "w@b.example"));
	stage_expect_nothing(s, 1);
	assert_int_equal(stage_count(s, COUNT_PRESENCE_DUPLICATES), 2);
	stage_expect_audit(s, "\"action\":\"dropped\",\"rule\":\"presence.duplicate\"");
}

static void what_shows_more_passes(void **state)
{
#define BACK_SHOWN(inner) HERE("v@b.example/r", "u@a.example", inner)
	struct stage *s = *state;
	stage_external(s, 1, WIRE_OUTSIDE, "b.example", "a.example", FEATURES, true);
	stage_say(s, 1, SIDE_CLIENT, BACK_SHOWN("<show>dnd</show>") BACK_SHOWN("<show>away</show>")
		BACK_SHOWN("<show>away</show>")
		SHOWN("v@b.example/r", "u@a.example") BACK_SHOWN("<show>dnd</show>"));
	stage_expect(s, 1, SIDE_SERVER, BACK_SHOWN("<show>dnd</show>") BACK_SHOWN("<show>away</show>")
		SHOWN("v@b.example/r", "u@a.example") BACK_SHOWN("<show>dnd</show>"));
}

/* After these, from here or from there, the other one may know nothing; but who asks has told nothing. */
static void it_is_new_again(void **state)
{
	static const char *const ours[] = {"unavailable", "probe", "subscribe", "subscribed", "unsubscribe", "unsubscribed"};
	struct stage *s = *state;
	char text[256];
	stage_external(s, 1, WIRE_INSIDE, "a.example", "b.example", FEATURES, true);
	stage_external(s, 2, WIRE_OUTSIDE, "b.example", "a.example", FEATURES, true);
	stage_say(s, 1, SIDE_CLIENT, OUT(""));
	stage_expect(s, 1, SIDE_SERVER, OUT_SHOWN);
	for (unsigned i = 0; i < sizeof(ours) / sizeof(*ours); i++) {
		snprintf(text, sizeof(text), TYPED("u@a.example/r", "v@b.example", "%s"), ours[i]);
		stage_say(s, 1, SIDE_CLIENT, text);
		stage_expect(s, 1, SIDE_SERVER, text);
		stage_say(s, 1, SIDE_CLIENT, OUT("") OUT(""));
		stage_expect(s, 1, SIDE_SERVER, strcmp(ours[i], "probe") ? OUT_SHOWN : "");
		snprintf(text, sizeof(text), TYPED("v@b.example", "u@a.example", "%s"), ours[i]);
		stage_say(s, 2, SIDE_CLIENT, text);
		stage_expect(s, 2, SIDE_SERVER, text);
		stage_say(s, 1, SIDE_CLIENT, OUT("") OUT(""));
		stage_expect(s, 1, SIDE_SERVER, OUT_SHOWN);
	}
	stage_say(s, 2, SIDE_CLIENT, "<presence from='v@b.example/x' to='u@a.example/r'/>");
	stage_expect(s, 2, SIDE_SERVER, "<presence from='v@b.example/x' to='u@a.example/r'/>");
	stage_say(s, 1, SIDE_CLIENT, OUT("")); /* that told nothing of the other direction */
	stage_expect(s, 1, SIDE_SERVER, "");
	stage_external(s, 3, WIRE_INSIDE, "a.example", "b.example", FEATURES, true);
	stage_say(s, 3, SIDE_CLIENT, OUT("") OUT(""));
	stage_expect(s, 3, SIDE_SERVER, OUT_SHOWN);
}

static void rooms_and_full_addresses_are_left_alone(void **state)
{
#define JOIN HERE("u@a.example/r", "room@b.example/nick", "<x xmlns='http://jabber.org/protocol/muc'/>")
#define AT_ROOM HERE("u@a.example/r", "room@b.example", "<x xmlns='http://jabber.org/protocol/muc'/>")
	struct stage *s = *state;
	stage_external(s, 1, WIRE_INSIDE, "a.example", "b.example", FEATURES, true);
	stage_say(s, 1, SIDE_CLIENT,
		JOIN JOIN AT_ROOM AT_ROOM SHOWN("u@a.example/r", "v@b.example/x") SHOWN("u@a.example/r", "v@b.example/x"));
	stage_expect(s, 1, SIDE_SERVER,
		JOIN JOIN AT_ROOM AT_ROOM SHOWN("u@a.example/r", "v@b.example/x") SHOWN("u@a.example/r", "v@b.example/x"));
}

/* More than there is room for: what falls out is shown once more, and nothing is lost that is new. */
static void the_table_has_a_bound(void **state)
{
	struct stage *s = *state;
	char text[256];
	stage_external(s, 1, WIRE_INSIDE, "a.example", "b.example", FEATURES, true);
	for (unsigned i = 0; i < 4 * PRESENCES_WAYS; i++) {
		snprintf(text, sizeof(text), "<presence from='u@a.example/%u' to='v@b.example'/>", i);
		stage_say(s, 1, SIDE_CLIENT, text);
		stage_expect(s, 1, SIDE_SERVER, text);
	}
	stage_say(s, 1, SIDE_CLIENT, text);
	stage_expect(s, 1, SIDE_SERVER, "");
	stage_say(s, 1, SIDE_CLIENT, "<presence from='u@a.example/0' to='v@b.example'/>");
	stage_expect(s, 1, SIDE_SERVER, "<presence from='u@a.example/0' to='v@b.example'/>");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(above_it_the_sender_is_told),
		TEST(all_resources_are_one_user),
		TEST(what_is_waited_for_is_not_refused),
		TEST(a_peer_is_everybody_there),
		TEST(a_room_is_of_everybody_in_it),
		TEST(out_of_a_room),
		TEST(bytes_are_those_that_came),
		TEST(each_direction_has_its_own),
		TEST(waiting_holds_the_stream),
		TEST(waiting_is_back_pressure),
		TEST(what_was_held_is_not_lost_at_the_end),
		TEST(another_policy_forgets),
		TEST(a_full_table_is_told_once),
		TEST(presence_is_shown_once),
		TEST(what_shows_more_passes),
		TEST(it_is_new_again),
		TEST(rooms_and_full_addresses_are_left_alone),
		TEST(the_table_has_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
