/* Keepalives, RFC 9293 3.8.4: whose question it is, and when it is answered. */
#include <string.h>

#include "tcp_feed.h"

static void init(struct feed *f)
{
	feed_init(f);
	feed(f, AP, 0, 0, "abc");
	wait_next(f);
	expect(f, A, 0, 3, "");
	read_all(f);
	take_events(f);
}

/* With the garbage octet of RFC 1122 4.2.3.6 and without. */
static void the_question_is_reported_and_not_answered(void **state)
{
	(void)state;
	static const char *const garbage[] = {"", "?"};
	for (unsigned i = 0; i < 2; i++) {
		struct feed f;
		init(&f);
		feed(&f, A, 2, 0, garbage[i]);
		assert_int_equal(take_events(&f), TCP_EV_KEEPALIVE);
		expect_none(&f);
		assert_int_equal(tcp_next(f.conn), UINT64_MAX);
		tcp_answer(f.conn);
		assert_int_equal(tcp_next(f.conn), 0);
		expect(&f, A, 0, 3, "");
		expect_none(&f);
		tcp_answer(f.conn); /* once is enough */
		expect_none(&f);
		assert_int_equal(stats_of(&f).keepalives, 1);
		assert_int_equal(stats_of(&f).out_of_window, 0);
		feed_fini(&f);
	}
}

static void nothing_was_ever_sent_by_who_asks(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	feed(&f, A, (uint32_t)-1, 0, "\0");
	feed_bytes(&f, A, (uint32_t)-1, 0, "", 1);
	assert_int_equal(take_events(&f), TCP_EV_KEEPALIVE);
	assert_int_equal(stats_of(&f).keepalives, 2);
	expect_none(&f);
	feed_fini(&f);
}

/* Then it is the octet that came last again, and its ACK was lost. */
static void a_repeated_octet_is_no_question(void **state)
{
	(void)state;
	struct feed f;
	init(&f);
	feed(&f, AP, 2, 0, "c");
	assert_int_equal(take_events(&f), 0);
	expect(&f, A, 0, 3, "");
	expect_none(&f);
	feed_fini(&f);
}

/* What only looks like one: other numbers, other flags, more octets. */
static void nothing_else_is_a_question(void **state)
{
	(void)state;
	static const struct { unsigned flags; uint32_t seq, ack; const char *text; } rows[] = {
		{A, 1, 0, ""}, {A, 3, 0, ""}, {A, 4, 0, ""}, {A, 1, 0, "bc"}, {A, 2, 0, "??"}, {AF, 2, 0, ""}, {S, 2, 0, ""},
		{SA, 2, 0, ""}, {R, 2, 0, ""}, {TCP_PSH, 2, 0, ""}, {A, 2, 1, ""}, {A, 2, (uint32_t)-WND - 1, ""},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct feed f;
		init(&f);
		feed(&f, rows[i].flags, rows[i].seq, rows[i].ack, rows[i].text);
		assert_int_equal(take_events(&f) & TCP_EV_KEEPALIVE, 0);
		assert_int_equal(stats_of(&f).keepalives, 0);
		feed_fini(&f);
	}
}

/* Into a closed window, or one that is too small for a segment, some send window probes that look just so. */
static void a_window_probe_is_answered_at_once(void **state)
{
	(void)state;
	static const char full[MSS];
	for (uint32_t room = 0; room < 2 * MSS; room += MSS - 1) {
		struct feed f;
		feed_init(&f);
		uint32_t at = 0;
		for (uint32_t n; (n = stats_of(&f).rcv_wnd - room); at += n) {
			n = n < MSS ? n : MSS;
			feed_bytes(&f, A, at, 0, full, n);
			while (tcp_output(f.conn, f.now, &f.last, &f.events))
				;
		}
		take_events(&f);
		feed(&f, A, at - 1, 0, "");
		if (room < MSS) {
			assert_int_equal(take_events(&f), 0);
			expect(&f, A, 0, at, "");
		} else {
			assert_int_equal(take_events(&f), TCP_EV_KEEPALIVE);
			expect_none(&f);
		}
		feed_fini(&f);
	}
}

static void a_closing_end_may_ask(void **state)
{
	(void)state;
	struct feed f;
	init(&f);
	feed(&f, AF, 3, 0, "");
	expect(&f, A, 0, 4, "");
	take_events(&f);
	feed(&f, A, 3, 0, "");
	assert_int_equal(take_events(&f), TCP_EV_KEEPALIVE);
	expect_none(&f);
	tcp_shutdown(f.conn);
	expect(&f, AF, 0, 4, "");
	feed(&f, A, 4, 1, "");
	assert_string_equal(tcp_state_name(f.conn), "closed");
	tcp_answer(f.conn);
	expect_none(&f);
	feed_fini(&f);
}

static void time_wait_answers_itself(void **state)
{
	(void)state;
	struct feed f;
	init(&f);
	tcp_shutdown(f.conn);
	expect(&f, AF, 0, 3, "");
	feed(&f, AF, 3, 1, "");
	expect(&f, A, 1, 4, "");
	assert_string_equal(tcp_state_name(f.conn), "time-wait");
	take_events(&f);
	feed(&f, A, 3, 1, "");
	assert_int_equal(take_events(&f), 0);
	expect(&f, A, 1, 4, "");
	assert_false(tcp_keepalive(f.conn));
	feed_fini(&f);
}

static void asking_is_one_empty_segment_before_the_next(void **state)
{
	(void)state;
	struct feed f;
	init(&f);
	write_bytes(&f, 5);
	expect_size(&f, AP, 0, 3, 5);
	feed(&f, A, 3, 5, "");
	take_events(&f);
	assert_true(tcp_keepalive(f.conn));
	assert_int_equal(tcp_next(f.conn), 0);
	expect(&f, A, 4, 3, "");
	assert_int_equal(f.last.window, 65535 - 3); /* as said before: a new promise might not be read */
	expect_none(&f);
	assert_int_equal(tcp_next(f.conn), UINT64_MAX);
	feed(&f, A, 3, 5, "");
	assert_int_equal(take_events(&f), TCP_EV_ALIVE);
	feed(&f, A, 3, 5, "");
	assert_int_equal(take_events(&f), 0); /* said once */
	feed_fini(&f);
}

/* What lies before the window is not read: an ACK that is owed goes in a segment of its own. */
static void asking_acknowledges_nothing(void **state)
{
	(void)state;
	struct feed f;
	init(&f);
	feed(&f, AP, 3, 0, "def");
	assert_true(tcp_keepalive(f.conn));
	expect(&f, A, (uint32_t)-1, 6, "");
	assert_int_equal(wait_next(&f), 40 * MS);
	expect(&f, A, 0, 6, "");
	feed_fini(&f);
}

static void data_in_flight_asks_by_itself(void **state)
{
	(void)state;
	struct feed f;
	init(&f);
	write_bytes(&f, 5);
	expect_size(&f, AP, 0, 3, 5);
	assert_true(tcp_keepalive(f.conn));
	expect_none(&f);
	feed(&f, A, 3, 5, "");
	assert_int_equal(take_events(&f), TCP_EV_ALIVE | TCP_EV_WRITABLE);
	feed_fini(&f);
}

/* Only what is surely of the endpoint shows that it is alive; its own question does, too. */
static void who_is_alive_has_said_something_good(void **state)
{
	(void)state;
	struct feed f;
	init(&f);
	assert_true(tcp_keepalive(f.conn));
	expect(&f, A, (uint32_t)-1, 3, "");
	feed(&f, A, 70000, 0, "");
	feed(&f, S, 3, 0, "");
	feed(&f, A, 3, 1, "");
	assert_int_equal(take_events(&f), 0);
	feed(&f, A, 2, 0, "");
	assert_int_equal(take_events(&f), TCP_EV_KEEPALIVE | TCP_EV_ALIVE);
	feed_fini(&f);
}

/* Each time the other one asks: the first may have been lost. */
static void asking_again_sends_again(void **state)
{
	(void)state;
	struct feed f;
	init(&f);
	for (int i = 0; i < 3; i++) {
		assert_true(tcp_keepalive(f.conn));
		expect(&f, A, (uint32_t)-1, 3, "");
		expect_none(&f);
	}
	feed(&f, A, 3, 0, "");
	assert_int_equal(take_events(&f), TCP_EV_ALIVE);
	feed_fini(&f);
}

static void nobody_is_asked_who_is_gone_or_going(void **state)
{
	(void)state;
	struct feed f;
	init(&f);
	assert_true(tcp_keepalive(f.conn));
	tcp_reset(f.conn, f.now, SECOND);
	assert_false(tcp_keepalive(f.conn));
	feed(&f, R, 3, 0, "");
	assert_false(tcp_keepalive(f.conn));
	assert_int_equal(tcp_next(f.conn), UINT64_MAX);
	expect_none(&f);
	feed_fini(&f);
}

/* PAWS comes first: an old duplicate asks nothing. */
static void an_outdated_one_is_no_question(void **state)
{
	(void)state;
	struct feed f;
	feed_init_as(&f, (struct tcp_adoption){.snd_wnd = WND, .mss = MSS, .timestamps = true, .ts_recent = 100});
	f.stamped = true;
	f.ts_val = 99;
	feed(&f, A, (uint32_t)-1, 0, "");
	assert_int_equal(take_events(&f), 0);
	f.ts_val = 100;
	feed(&f, A, (uint32_t)-1, 0, "");
	assert_int_equal(take_events(&f), TCP_EV_KEEPALIVE);
	feed_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_question_is_reported_and_not_answered),
		cmocka_unit_test(nothing_was_ever_sent_by_who_asks),
		cmocka_unit_test(a_repeated_octet_is_no_question),
		cmocka_unit_test(nothing_else_is_a_question),
		cmocka_unit_test(a_window_probe_is_answered_at_once),
		cmocka_unit_test(a_closing_end_may_ask),
		cmocka_unit_test(time_wait_answers_itself),
		cmocka_unit_test(asking_is_one_empty_segment_before_the_next),
		cmocka_unit_test(asking_acknowledges_nothing),
		cmocka_unit_test(data_in_flight_asks_by_itself),
		cmocka_unit_test(who_is_alive_has_said_something_good),
		cmocka_unit_test(asking_again_sends_again),
		cmocka_unit_test(nobody_is_asked_who_is_gone_or_going),
		cmocka_unit_test(an_outdated_one_is_no_question),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
