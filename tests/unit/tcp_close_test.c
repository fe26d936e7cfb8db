/* The end of a connection: FIN each way, resets, TIME-WAIT; and every kind of segment in every state. */
#include <stdio.h>
#include <string.h>

#include "tcp_feed.h"

static void assert_state(const struct feed *f, const char *name) { assert_string_equal(tcp_state_name(f->conn), name); }

static void endpoint_closes_first(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	feed(&f, APF, 0, 0, "bye");
	assert_int_equal(take_events(&f), TCP_EV_READABLE | TCP_EV_FIN);
	expect(&f, A, 0, 4, "");
	assert_state(&f, "close-wait");
	expect_read(&f, "bye");
	assert_int_equal(tcp_write(f.conn, "still here", 10), 0); /* half-closed: we may go on */
	expect(&f, AP, 0, 4, "still here");
	feed(&f, A, 4, 10, "");
	take_events(&f);
	tcp_shutdown(f.conn);
	expect(&f, AF, 10, 4, "");
	assert_state(&f, "last-ack");
	feed(&f, A, 4, 11, "");
	assert_int_equal(take_events(&f), TCP_EV_FINISHED);
	assert_state(&f, "closed");
	assert_int_equal(tcp_next(f.conn), UINT64_MAX);
	expect_none(&f);
	feed_fini(&f);
}

static void we_close_first(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	assert_int_equal(tcp_write(f.conn, "bye", 3), 0);
	tcp_shutdown(f.conn);
	assert_int_equal(tcp_write(f.conn, "x", 1), -32);
	expect(&f, APF, 0, 0, "bye"); /* FIN rides on the last segment */
	assert_state(&f, "fin-wait-1");
	feed(&f, A, 0, 4, "");
	assert_state(&f, "fin-wait-2");
	feed(&f, AP, 0, 4, "more");
	expect_read(&f, "more");
	take_events(&f);
	feed(&f, AF, 4, 4, "");
	assert_int_equal(take_events(&f), TCP_EV_FIN | TCP_EV_FINISHED);
	assert_state(&f, "time-wait");
	expect(&f, A, 4, 5, "");
	wait_us(&f, 900 * MS);
	feed(&f, AF, 4, 4, ""); /* our ACK was lost */
	expect(&f, A, 4, 5, "");
	wait_us(&f, 999 * MS);
	assert_int_equal(wait_next(&f), 1 * MS);
	expect_none(&f);
	assert_state(&f, "closed");
	assert_int_equal(take_events(&f), 0);
	feed(&f, AF, 4, 4, "");
	expect(&f, RA, 4, 5, "");
	feed_fini(&f);
}

static void both_close_at_once(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	tcp_shutdown(f.conn);
	expect(&f, AF, 0, 0, "");
	feed(&f, AF, 0, 0, "");
	assert_state(&f, "closing");
	expect(&f, A, 1, 1, "");
	feed(&f, A, 1, 1, "");
	assert_state(&f, "time-wait");
	assert_int_equal(take_events(&f), TCP_EV_FIN | TCP_EV_FINISHED);
	feed_fini(&f);
}

static void fin_and_its_ack_come_together(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	tcp_shutdown(f.conn);
	expect(&f, AF, 0, 0, "");
	feed(&f, AF, 0, 1, "");
	assert_state(&f, "time-wait");
	expect(&f, A, 1, 1, "");
	feed_fini(&f);
}

static void fin_waits_for_its_turn(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	feed(&f, APF, 3, 0, "def");
	assert_int_equal(take_events(&f), 0);
	expect(&f, A, 0, 0, "");
	feed(&f, AP, 0, 0, "abc");
	assert_int_equal(take_events(&f), TCP_EV_READABLE | TCP_EV_FIN);
	expect(&f, A, 0, 7, "");
	expect_read(&f, "abcdef");
	feed_fini(&f);
}

/* The end stands where it was first announced. */
static void nothing_comes_after_fin(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	feed(&f, AF, 6, 0, "");
	feed(&f, AP, 6, 0, "hidden");
	feed(&f, APF, 0, 0, "abcdefghi");
	expect_read(&f, "abcdef");
	assert_int_equal(take_events(&f), TCP_EV_READABLE | TCP_EV_FIN);
	feed(&f, AP, 7, 0, "more");
	const uint8_t *bytes;
	assert_int_equal(tcp_peek(f.conn, &bytes), 0);
	feed_fini(&f);
	feed_init(&f);
	feed(&f, AP, 5, 0, "fg");
	feed(&f, AF, 3, 0, ""); /* before what is here already: not believed */
	feed(&f, AP, 0, 0, "abcde");
	expect_read(&f, "abcdefg");
	assert_int_equal(take_events(&f), TCP_EV_READABLE);
	feed_fini(&f);
}

static void fin_is_retransmitted(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	assert_int_equal(tcp_write(f.conn, "abc", 3), 0);
	expect(&f, AP, 0, 0, "abc");
	tcp_shutdown(f.conn);
	expect(&f, AF, 3, 0, "");
	feed(&f, A, 0, 3, "");
	assert_int_equal(tcp_unacked(f.conn), 0);
	wait_next(&f);
	expect(&f, AF, 3, 0, "");
	wait_next(&f);
	expect(&f, AF, 3, 0, "");
	feed(&f, A, 0, 4, "");
	assert_state(&f, "fin-wait-2");
	assert_int_equal(tcp_next(f.conn), UINT64_MAX);
	feed_fini(&f);
}

static void fin_waits_for_the_window(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	f.window = 3;
	feed(&f, A, 0, 0, "");
	assert_int_equal(tcp_write(f.conn, "abc", 3), 0);
	tcp_shutdown(f.conn);
	expect(&f, AP, 0, 0, "abc");
	expect_none(&f);
	f.window = 0;
	feed(&f, A, 0, 3, "");
	expect_none(&f);
	wait_next(&f);
	expect(&f, AF, 3, 0, ""); /* probes the closed window */
	f.window = 100;
	feed(&f, A, 0, 3, "");
	expect(&f, AF, 3, 0, "");
	feed(&f, A, 0, 4, "");
	assert_state(&f, "fin-wait-2");
	feed_fini(&f);
}

static void fin_into_a_closed_window_waits(void **state)
{
	(void)state;
	struct feed f;
	static char all[65535];
	feed_init(&f);
	feed_bytes(&f, AF, 0, 0, all, 65535); /* the window ends before FIN */
	expect(&f, A, 0, 65535, "");
	assert_int_equal(take_events(&f), TCP_EV_READABLE);
	feed(&f, AF, 65535, 0, "");
	assert_int_equal(take_events(&f), TCP_EV_FIN);
	feed_fini(&f);
}

/* --- tcp_reset() --- */

static void reset_is_sent_at_once(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	assert_int_equal(tcp_write(f.conn, "abc", 3), 0);
	expect(&f, AP, 0, 0, "abc");
	assert_int_equal(tcp_write(f.conn, "def", 3), 0);
	tcp_reset(f.conn, f.now, 0);
	expect(&f, RA, 3, 0, "");
	assert_int_equal(take_events(&f), TCP_EV_FINISHED);
	expect_none(&f);
	feed(&f, A, 0, 3, "late");
	expect(&f, RA, 3, 0, ""); /* the reset was lost: exactly where the endpoint expects it */
	feed(&f, RA, 0, 3, "");
	expect_none(&f);
	feed_fini(&f);
}

static void reset_waits_for_what_is_queued(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	assert_int_equal(tcp_write(f.conn, "</stream>", 9), 0);
	tcp_reset(f.conn, f.now, 2 * SECOND);
	assert_int_equal(tcp_write(f.conn, "x", 1), -32);
	expect(&f, AP, 0, 0, "</stream>");
	expect_none(&f);
	feed(&f, A, 0, 9, "");
	expect(&f, RA, 9, 0, "");
	assert_int_equal(take_events(&f) & TCP_EV_FINISHED, TCP_EV_FINISHED);
	feed_fini(&f);
}

static void reset_does_not_wait_for_ever(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	assert_int_equal(tcp_write(f.conn, "</stream>", 9), 0);
	uint64_t start = f.now;
	tcp_reset(f.conn, f.now, 2 * SECOND);
	unsigned sent = 0;
	while (!(f.events & TCP_EV_FINISHED)) {
		while (tcp_output(f.conn, f.now, &f.last, &f.events))
			sent++;
		if (!(f.events & TCP_EV_FINISHED))
			wait_next(&f);
	}
	assert_int_equal(f.now - start, 2 * SECOND);
	assert_int_equal(f.last.flags, RA);
	assert_in_range(sent, 3, 5);
	feed_fini(&f);
}

static void reset_after_both_fins_is_silent(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	tcp_shutdown(f.conn);
	expect(&f, AF, 0, 0, "");
	feed(&f, AF, 0, 1, "");
	expect(&f, A, 1, 1, "");
	tcp_reset(f.conn, f.now, 0);
	expect_none(&f);
	feed_fini(&f);
}

/* --- every state, every kind of segment --- */

enum kind { KIND_DATA, KIND_ACK, KIND_FIN, KIND_RST, KIND_RST_OFF, KIND_SYN, KINDS };

/* Brings a fresh connection into a state; what is unacknowledged at our side then is our FIN at most. */
static void bring_into(struct feed *f, const char *name)
{
	bool closing = !strcmp(name, "closing"), wait = !strcmp(name, "time-wait"), last = !strcmp(name, "last-ack");
	feed_init(f);
	if (!strcmp(name, "close-wait") || last)
		feed(f, AF, 0, 0, "");
	if (!strncmp(name, "fin-wait", 8) || closing || wait || last)
		tcp_shutdown(f->conn);
	if (!strcmp(name, "closed"))
		tcp_reset(f->conn, f->now, 0);
	while (tcp_output(f->conn, f->now, &f->last, &f->events))
		;
	if (!strcmp(name, "fin-wait-2"))
		feed(f, A, 0, 1, "");
	if (closing)
		feed(f, AF, 0, 0, "");
	if (wait)
		feed(f, AF, 0, 1, "");
	while (tcp_output(f->conn, f->now, &f->last, &f->events))
		;
	assert_state(f, name);
	take_events(f);
}

static void feed_kind(struct feed *f, enum kind kind, uint32_t seq, uint32_t ack)
{
	static const unsigned flags[KINDS] = {AP, A, AF, R, R, S};
	feed(f, flags[kind], kind == KIND_RST_OFF ? seq + 100 : seq, ack, kind == KIND_DATA ? "data" : "");
}

/* In each cell the state that follows, and the answer: a an ACK, r a reset, . none; after it + if bytes can be read. The
 * segment acknowledges all that we sent, and begins where it should. */
static const struct {
	const char *state;
	uint32_t seq, ack;
	const char *cell[KINDS];
} rows[] = {
	{"established", 0, 0, {"established d+", "established .", "close-wait a",
		"closed .", "established a", "established a"}},
	{"fin-wait-1", 0, 1, {"fin-wait-2 d+", "fin-wait-2 .", "time-wait a",
		"closed .", "fin-wait-1 a", "fin-wait-1 a"}},
	{"fin-wait-2", 0, 1, {"fin-wait-2 d+", "fin-wait-2 .", "time-wait a",
		"closed .", "fin-wait-2 a", "fin-wait-2 a"}},
	{"closing", 1, 1, {"time-wait a", "time-wait .", "time-wait a",
		"closed .", "closing a", "closing a"}},
	{"time-wait", 1, 1, {"time-wait a", "time-wait .", "time-wait a",
		"closed .", "time-wait a", "time-wait a"}},
	{"close-wait", 1, 0, {"close-wait a", "close-wait .", "close-wait a",
		"closed .", "close-wait a", "close-wait a"}},
	{"last-ack", 1, 1, {"closed .", "closed .", "closed .",
		"closed .", "last-ack a", "last-ack a"}},
	{"closed", 0, 0, {"closed r", "closed r", "closed r",
		"closed .", "closed .", "closed r"}},
};

static char answer_of(struct feed *f)
{
	struct tcp_seg seg;
	if (!tcp_output(f->conn, f->now, &seg, &f->events))
		return tcp_next(f->conn) == f->now + 40 * MS ? 'd' : '.';
	assert_int_equal(seg.len, 0);
	assert_false(tcp_output(f->conn, f->now, &seg, &f->events));
	return seg.flags & TCP_RST ? 'r' : 'a';
}

static void every_kind_in_every_state(void **state)
{
	(void)state;
	for (unsigned row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
		for (enum kind kind = 0; kind < KINDS; kind++) {
			struct feed f;
			const uint8_t *bytes;
			char is[64];
			bring_into(&f, rows[row].state);
			feed_kind(&f, kind, rows[row].seq, rows[row].ack);
			char answer = answer_of(&f);
			snprintf(is, sizeof(is), "%s %c%s", tcp_state_name(f.conn), answer,
				tcp_peek(f.conn, &bytes) ? "+" : "");
			if (strcmp(is, rows[row].cell[kind]))
				print_error("%s, kind %d:\n", rows[row].state, kind);
			assert_string_equal(is, rows[row].cell[kind]);
			bool ended = !strcmp(tcp_state_name(f.conn), "closed") && strcmp(rows[row].state, "closed") &&
				strcmp(rows[row].state, "time-wait");
			assert_int_equal(!!(f.events & TCP_EV_FINISHED), ended ||
				(!strcmp(tcp_state_name(f.conn), "time-wait") && strcmp(rows[row].state, "time-wait")));
			feed_fini(&f);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endpoint_closes_first),
		cmocka_unit_test(we_close_first),
		cmocka_unit_test(both_close_at_once),
		cmocka_unit_test(fin_and_its_ack_come_together),
		cmocka_unit_test(fin_waits_for_its_turn),
		cmocka_unit_test(nothing_comes_after_fin),
		cmocka_unit_test(fin_is_retransmitted),
		cmocka_unit_test(fin_waits_for_the_window),
		cmocka_unit_test(fin_into_a_closed_window_waits),
		cmocka_unit_test(reset_is_sent_at_once),
		cmocka_unit_test(reset_waits_for_what_is_queued),
		cmocka_unit_test(reset_does_not_wait_for_ever),
		cmocka_unit_test(reset_after_both_fins_is_silent),
		cmocka_unit_test(every_kind_in_every_state),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
