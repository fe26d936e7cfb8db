/* What the sender owes to RFC 9293, 6298, 5681, 6582, 6937, 8985, rule by rule. */
#include <errno.h>

#include "tcp_feed.h"

static void bytes_go_at_once(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	assert_int_equal(tcp_write(f.conn, "one", 3), 0);
	expect(&f, AP, 0, 0, "one");
	assert_int_equal(tcp_write(f.conn, "two", 3), 0); /* no Nagle */
	expect(&f, AP, 3, 0, "two");
	expect_none(&f);
	assert_int_equal(tcp_unacked(f.conn), 6);
	feed(&f, A, 0, 6, "");
	assert_int_equal(take_events(&f), TCP_EV_WRITABLE);
	assert_int_equal(tcp_unacked(f.conn), 0);
	assert_int_equal(tcp_next(f.conn), UINT64_MAX);
	feed_fini(&f);
}

static void push_is_on_the_last_segment(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	write_bytes(&f, 2500);
	expect_size(&f, A, 0, 0, 1000);
	expect_size(&f, A, 1000, 0, 1000);
	expect_size(&f, AP, 2000, 0, 500);
	expect_none(&f);
	feed_fini(&f);
}

static void write_is_all_or_nothing(void **state)
{
	(void)state;
	struct feed f;
	static char large[TCP_SEND_BYTES + 1];
	feed_init(&f);
	assert_int_equal(tcp_write(f.conn, large, TCP_SEND_BYTES + 1), -ENOSPC);
	assert_int_equal(tcp_write(f.conn, large, TCP_SEND_BYTES - 1), 0);
	assert_int_equal(tcp_write_room(f.conn), 1);
	assert_int_equal(tcp_write(f.conn, large, 2), -ENOSPC);
	assert_int_equal(tcp_write(f.conn, large, 1), 0);
	assert_int_equal(tcp_write_room(f.conn), 0);
	assert_int_equal(tcp_unacked(f.conn), TCP_SEND_BYTES);
	feed_fini(&f);
}

/* What the path takes soon is no excess, unless memory is short. */
static void excess_is_beyond_twice_the_congestion_window(void **state)
{
	(void)state;
	struct tcp_budget budget = {.max_bytes = 64 << 20};
	struct feed f;
	feed_init_as(&f, (struct tcp_adoption){.snd_wnd = WND, .mss = MSS, .budget = &budget});
	uint32_t cwnd = stats_of(&f).cwnd;
	write_bytes(&f, 2 * cwnd);
	assert_int_equal(tcp_excess(f.conn), 0);
	write_bytes(&f, 500);
	assert_int_equal(tcp_excess(f.conn), 500);
	size_t used = budget.used_bytes;
	budget.used_bytes = budget.max_bytes / 2;
	assert_int_equal(tcp_excess(f.conn), 2 * cwnd + 500);
	budget.used_bytes = used;
	feed_fini(&f);
}

/* --- congestion window --- */

static void expect_flight(struct feed *f, uint32_t from, uint32_t segments)
{
	for (uint32_t i = 0; i < segments; i++)
		expect_size(f, A, from + i * MSS, 0, MSS);
	expect_none(f);
}

static void window_begins_with_ten_segments_and_doubles(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	write_bytes(&f, 200000);
	expect_flight(&f, 0, 10);
	f.now += 100 * MS;
	for (uint32_t i = 1; i <= 10; i++) {
		feed(&f, A, 0, i * MSS, "");
		expect_flight(&f, 10 * MSS + (i - 1) * 2 * MSS, 2);
	}
	feed(&f, A, 0, 30 * MSS, ""); /* one ACK for twenty segments is worth two: RFC 3465 */
	expect_flight(&f, 30 * MSS, 22);
	feed_fini(&f);
}

static void window_restarts_after_a_pause(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	write_bytes(&f, 30000);
	expect_flight(&f, 0, 10);
	for (uint32_t i = 1; i <= 10; i++) {
		feed(&f, A, 0, i * MSS, "");
		while (tcp_output(f.conn, f.now, &f.last, &f.events))
			;
	}
	feed(&f, A, 0, 30000, "");
	assert_in_range(stats_of(&f).cwnd, 20000, 22000);
	f.now += 10 * SECOND;
	f.written = 30000;
	write_bytes(&f, 30000);
	expect_flight(&f, 30000, 10);
	assert_int_equal(stats_of(&f).cwnd, 10000);
	feed_fini(&f);
}

static void window_does_not_grow_unused(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	for (uint32_t i = 0; i < 100; i++) {
		write_bytes(&f, 1000);
		expect_size(&f, AP, i * 1000, 0, 1000);
		feed(&f, A, 0, (i + 1) * 1000, "");
	}
	assert_int_equal(stats_of(&f).cwnd, 10000);
	feed_fini(&f);
}

/* --- the endpoint's window --- */

static void window_is_never_overrun(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	f.window = 2500;
	feed(&f, A, 0, 0, "");
	write_bytes(&f, 5000);
	expect_size(&f, A, 0, 0, 1000);
	expect_size(&f, A, 1000, 0, 1000);
	expect_none(&f); /* 500 would be silly: less than a segment and less than half of the largest window */
	f.window = 3000;
	feed(&f, A, 0, 1000, "");
	expect_size(&f, A, 2000, 0, 1000);
	expect_size(&f, A, 3000, 0, 1000);
	expect_none(&f);
	feed_fini(&f);
}

/* RFC 7323 2.3: what the endpoint says is in units of what it has announced. */
static void windows_of_the_endpoint_are_scaled(void **state)
{
	(void)state;
	struct feed f;
	feed_init_as(&f, (struct tcp_adoption){.snd_wnd = 5000, .mss = MSS, .snd_wscale = 3});
	write_bytes(&f, 50000);
	expect_flight(&f, 0, 5);
	expect_none(&f);
	f.window = 750; /* 6000 */
	feed(&f, A, 0, 5000, "");
	assert_int_equal(stats_of(&f).snd_wnd, 6000);
	expect_flight(&f, 5000, 6);
	expect_none(&f);
	f.window = 0xffff;
	feed(&f, A, 0, 11000, "");
	assert_int_equal(stats_of(&f).snd_wnd, 0xffff * 8);
	feed_fini(&f);
	feed_init_as(&f, (struct tcp_adoption){.snd_wnd = 5000, .mss = MSS, .snd_wscale = 15}); /* more than 14 is 14 */
	feed(&f, A, 0, 0, "");
	assert_int_equal(stats_of(&f).snd_wnd, WND << 14);
	feed_fini(&f);
}

static void half_of_the_largest_window_is_worth_sending(void **state)
{
	(void)state;
	struct feed f;
	feed_init_as(&f, (struct tcp_adoption){.snd_wnd = 800, .mss = MSS, .rtt_us = 100 * MS});
	write_bytes(&f, 5000);
	expect_size(&f, A, 0, 0, 800);
	expect_none(&f);
	f.window = 399;
	feed(&f, A, 0, 800, "");
	expect_none(&f);
	f.window = 400;
	feed(&f, A, 0, 800, "");
	expect_size(&f, A, 800, 0, 400);
	feed_fini(&f);
}

static void silly_window_is_used_when_nothing_better_comes(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	f.window = 300;
	feed(&f, A, 0, 0, "");
	write_bytes(&f, 5000);
	expect_none(&f);
	assert_int_equal(wait_next(&f), 300 * MS); /* a retransmission timeout */
	expect_size(&f, A, 0, 0, 300);
	expect_none(&f);
	feed_fini(&f);
}

static void closed_window_is_probed_for_ever(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	f.window = 0;
	feed(&f, A, 0, 0, "");
	write_bytes(&f, 5000);
	expect_none(&f);
	uint64_t wait = 300 * MS;
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(wait_next(&f), wait);
		expect_size(&f, A, 0, 0, 1);
		expect_none(&f);
		feed(&f, A, 0, 0, "");
		if (i > 0)
			wait = wait < 30 * SECOND ? wait * 2 : 60 * SECOND;
	}
	assert_int_equal(stats_of(&f).window_probes, 1000);
	assert_int_equal(take_events(&f), 0);
	f.window = WND;
	feed(&f, A, 0, 0, "");
	expect_size(&f, A, 0, 0, 1); /* it was not taken */
	expect_size(&f, A, 1, 0, 1000);
	feed(&f, A, 0, 1001, "");
	assert_true(stats_of(&f).rto_us < SECOND);
	feed_fini(&f);
}

static void probe_that_is_taken_counts(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	f.window = 0;
	feed(&f, A, 0, 0, "");
	write_bytes(&f, 3000);
	expect_none(&f);
	wait_next(&f);
	expect_size(&f, A, 0, 0, 1);
	f.window = 2000;
	feed(&f, A, 0, 1, "");
	expect_size(&f, A, 1, 0, 1000);
	expect_size(&f, A, 1001, 0, 1000);
	expect_none(&f);
	feed_fini(&f);
}

static void closed_window_of_the_dead_is_given_up(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	f.window = 0;
	feed(&f, A, 0, 0, "");
	write_bytes(&f, 5000);
	uint64_t start = f.now;
	expect_none(&f);
	for (unsigned i = 0; i < 30 && !(f.events & TCP_EV_TIMED_OUT); i++) {
		wait_next(&f);
		while (tcp_output(f.conn, f.now, &f.last, &f.events))
			;
	}
	assert_int_equal(take_events(&f), TCP_EV_UNANSWERED | TCP_EV_TIMED_OUT | TCP_EV_FINISHED);
	assert_in_range(f.now - start, 200ull * SECOND, 600ull * SECOND);
	feed_fini(&f);
}

static void old_segment_does_not_move_the_window(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	f.window = 5000;
	feed(&f, AP, 0, 0, "abc");
	f.window = 100;
	feed(&f, A, (uint32_t)0, 0, "");  /* sent before: out of the window */
	assert_int_equal(stats_of(&f).snd_wnd, 5000);
	feed(&f, A, 3, 0, "");
	assert_int_equal(stats_of(&f).snd_wnd, 100);
	feed_fini(&f);
}

/* Repair under way, and then the window shuts: its probes do not wait for the congestion window. */
static void window_that_shuts_during_recovery_is_probed(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	write_bytes(&f, 50000);
	while (tcp_output(f.conn, f.now, &f.last, &f.events))
		;
	for (int i = 0; i < 3; i++)
		feed(&f, A, 0, 0, "");
	while (tcp_output(f.conn, f.now, &f.last, &f.events))
		;
	f.window = 0;
	feed(&f, A, 0, 1000, "");
	while (tcp_output(f.conn, f.now, &f.last, &f.events))
		;
	for (int i = 0; i < 20; i++) {
		wait_next(&f);
		expect_size(&f, A, 1000, 0, 1000);
		expect_none(&f);
		feed(&f, A, 0, 1000, "");
		while (tcp_output(f.conn, f.now, &f.last, &f.events))
			;
	}
	assert_int_equal(take_events(&f) & TCP_EV_TIMED_OUT, 0);
	feed_fini(&f);
}

/* An ACK that is new, in a segment whose bytes are mostly old, closes the window. */
static void new_ack_brings_its_window(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	f.window = 1000;
	feed(&f, AP, 0, 0, "abc");
	write_bytes(&f, 3000);
	expect_size(&f, A, 0, 3, 1000);
	f.window = 0;
	feed(&f, AP, 1, 1000, "bcd");
	expect(&f, A, 1000, 4, "");
	expect_none(&f);
	feed_fini(&f);
}

/* --- retransmission timeout --- */

static void lost_segment_is_sent_again_with_back_off(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	write_bytes(&f, 10);
	expect_size(&f, AP, 0, 0, 10);
	static const unsigned tenths[] = {3, 6, 12, 24, 48, 96, 192, 384, 600, 600};
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(wait_next(&f), tenths[i] * 100 * MS);
		expect_size(&f, AP, 0, 0, 10);
		expect_none(&f);
	}
	feed(&f, A, 0, 10, "");
	assert_int_equal(stats_of(&f).retransmits, 10);
	assert_int_equal(stats_of(&f).srtt_us, 100 * MS); /* Karn: what was sent twice is not measured */
	assert_int_equal(stats_of(&f).rto_us, 60 * SECOND);
	write_bytes(&f, 10);
	expect_size(&f, AP, 10, 0, 10);
	f.now += 100 * MS;
	feed(&f, A, 0, 20, "");
	assert_in_range(stats_of(&f).rto_us, 200 * MS, 300 * MS);
	feed_fini(&f);
}

static void another_path_is_not_waited_for_as_long(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	write_bytes(&f, 10);
	expect_size(&f, AP, 0, 0, 10);
	for (unsigned i = 0; i < 5; i++) {
		wait_next(&f);
		expect_size(&f, AP, 0, 0, 10);
	}
	tcp_path_changed(f.conn, f.now);
	expect_none(&f);
	assert_int_equal(wait_next(&f), 300 * MS);
	expect_size(&f, AP, 0, 0, 10);
	assert_int_equal(wait_next(&f), 600 * MS);
	expect_size(&f, AP, 0, 0, 10);
	feed(&f, A, 0, 10, "");
	tcp_path_changed(f.conn, f.now); /* nothing is in flight, nothing is due */
	assert_int_equal(tcp_next(f.conn), UINT64_MAX);
	feed_fini(&f);
}

static void silence_is_given_up(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	write_bytes(&f, 10);
	uint64_t start = f.now;
	while (!(f.events & TCP_EV_TIMED_OUT)) {
		while (tcp_output(f.conn, f.now, &f.last, &f.events))
			;
		if (!(f.events & TCP_EV_TIMED_OUT))
			wait_next(&f);
	}
	assert_int_equal(take_events(&f), TCP_EV_UNANSWERED | TCP_EV_TIMED_OUT | TCP_EV_FINISHED);
	assert_in_range(f.now - start, 300ull * SECOND, 400ull * SECOND);
	assert_in_range(stats_of(&f).retransmits, 10, 15);
	feed(&f, A, 0, 10, ""); /* late: nobody is at home */
	expect(&f, RA, 10, 0, "");
	feed_fini(&f);
}

static void timeout_begins_slow_start(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	write_bytes(&f, 20000);
	expect_flight(&f, 0, 10);
	wait_next(&f);
	expect_size(&f, A, 0, 0, 1000);
	expect_none(&f);
	assert_int_equal(stats_of(&f).cwnd, 1000);
	feed(&f, A, 0, 1000, "");
	expect_flight(&f, 1000, 2);
	feed(&f, A, 0, 3000, "");
	expect_flight(&f, 3000, 4);
	feed(&f, A, 0, 7000, "");  /* ssthresh, half of 10 segments, is reached: linear from here on */
	expect_flight(&f, 7000, 5);
	assert_int_equal(stats_of(&f).cwnd, 5000);
	assert_int_equal(stats_of(&f).timeouts, 1);
	feed_fini(&f);
}

static void timer_starts_anew_with_each_ack(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	write_bytes(&f, 2000);
	expect_size(&f, A, 0, 0, 1000);
	expect_size(&f, AP, 1000, 0, 1000);
	wait_us(&f, 250 * MS);
	feed(&f, A, 0, 1000, "");
	uint64_t rto = stats_of(&f).rto_us;
	wait_us(&f, rto - 1);
	assert_int_equal(wait_next(&f), 1);
	expect_size(&f, AP, 1000, 0, 1000);
	feed_fini(&f);
}

/* --- fast retransmit without SACK --- */

static void lose_first_of_ten(struct feed *f)
{
	write_bytes(f, 50000);
	expect_flight(f, 0, 10);
	f->now += 100 * MS;
}

static void third_duplicate_repairs(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	lose_first_of_ten(&f);
	feed(&f, A, 0, 0, "");
	expect_size(&f, A, 10000, 0, 1000); /* limited transmit: RFC 3042 */
	feed(&f, A, 0, 0, "");
	expect_size(&f, A, 11000, 0, 1000);
	expect_none(&f);
	feed(&f, A, 0, 0, "");
	expect_size(&f, A, 0, 0, 1000);
	expect_none(&f);
	assert_int_equal(stats_of(&f).fast_retransmits, 1);
	for (int i = 0; i < 8; i++) {
		feed(&f, A, 0, 0, "");
		while (tcp_output(f.conn, f.now, &f.last, &f.events))
			assert_true((f.last.seq.v - f.iss) >= 12000); /* the hole is repaired once only */
	}
	feed(&f, A, 0, 12000, "");
	assert_int_equal(stats_of(&f).cwnd, 5000); /* half, what limited transmit added not counted */
	assert_int_equal(stats_of(&f).timeouts, 0);
	feed_fini(&f);
}

static void partial_ack_repairs_the_next_hole(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	lose_first_of_ten(&f);
	for (int i = 0; i < 7; i++)
		feed(&f, A, 0, 0, "");
	expect_size(&f, A, 0, 0, 1000);
	while (tcp_output(f.conn, f.now, &f.last, &f.events))
		;
	f.now += 100 * MS;
	feed(&f, A, 0, 4000, "");
	expect_size(&f, A, 4000, 0, 1000);
	while (tcp_output(f.conn, f.now, &f.last, &f.events))
		;
	f.now += 100 * MS;
	feed(&f, A, 0, 7000, "");
	expect_size(&f, A, 7000, 0, 1000);
	assert_int_equal(stats_of(&f).fast_retransmits, 1);
	assert_int_equal(stats_of(&f).timeouts, 0);
	feed_fini(&f);
}

static void data_and_window_updates_are_no_duplicates(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	lose_first_of_ten(&f);
	for (uint32_t i = 0; i < 5; i++)
		feed(&f, AP, i, 0, "x");
	for (int i = 0; i < 5; i++) {
		f.window -= 100;
		feed(&f, A, 5, 0, "");
	}
	assert_int_equal(stats_of(&f).dup_acks, 0);
	assert_int_equal(stats_of(&f).fast_retransmits, 0);
	feed_fini(&f);
}

static void duplicates_after_a_timeout_do_not_reduce_twice(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	lose_first_of_ten(&f);
	wait_next(&f);
	expect_size(&f, A, 0, 0, 1000);
	for (int i = 0; i < 9; i++)
		feed(&f, A, 0, 0, "");
	expect_none(&f);
	assert_int_equal(stats_of(&f).fast_retransmits, 0);
	feed_fini(&f);
}

/* --- SACK: RACK-TLP --- */

static void init_sack(struct feed *f)
{
	feed_init_as(f, (struct tcp_adoption){.snd_wnd = WND, .mss = MSS, .sack = true, .rtt_us = 100 * MS,
		.cc = TCP_CC_NEWRENO});
}

static void holes_between_blocks_are_repaired_in_one_round(void **state)
{
	(void)state;
	struct feed f;
	init_sack(&f);
	lose_first_of_ten(&f);
	feed_sack(&f, 1000, 3000);
	feed(&f, A, 0, 0, "");
	feed_sack(&f, 4000, 7000);
	feed_sack(&f, 1000, 3000);
	feed(&f, A, 0, 0, "");
	expect_size(&f, A, 0, 0, 1000);
	expect_size(&f, A, 3000, 0, 1000);
	feed_sack(&f, 8000, 10000);
	feed_sack(&f, 4000, 7000);
	feed_sack(&f, 1000, 3000);
	feed(&f, A, 0, 0, "");
	expect_size(&f, A, 7000, 0, 1000);
	while (tcp_output(f.conn, f.now, &f.last, &f.events))
		assert_true(f.last.seq.v - f.iss >= 10000);
	assert_int_equal(stats_of(&f).retransmits, 3);
	assert_int_equal(stats_of(&f).fast_retransmits, 1);
	feed(&f, A, 0, 10000, "");
	assert_int_equal(stats_of(&f).cwnd, 5000);
	feed_fini(&f);
}

/* RFC 6937 section 3.1: while more is in the network than will be allowed, for each two segments that arrive one is sent;
 * then one for one, and never a burst. */
static void recovery_sends_in_proportion(void **state)
{
	(void)state;
	struct feed f;
	init_sack(&f);
	write_bytes(&f, 100000);
	expect_flight(&f, 0, 10);
	f.now += 100 * MS;
	for (uint32_t i = 1; i <= 10; i++) { /* to a window of twenty segments */
		feed(&f, A, 0, i * 1000, "");
		while (tcp_output(f.conn, f.now, &f.last, &f.events))
			;
	}
	assert_int_equal(stats_of(&f).cwnd, 20000);
	f.now += 100 * MS;
	uint32_t sent = 0;
	for (uint32_t arrived = 3000; arrived < 20000; arrived += 1000) { /* all but the first */
		feed_sack(&f, 11000, 11000 + arrived);
		feed(&f, A, 0, 10000, "");
		uint32_t before = sent;
		while (tcp_output(f.conn, f.now, &f.last, &f.events))
			sent += f.last.len + f.last.len2;
		uint32_t in_network = 20000 - 1000 - arrived + sent;
		assert_true(sent - before <= (arrived == 3000 ? 2000u : 1000u));
		if (in_network > 10000)
			assert_in_range(sent, arrived / 2 - 500, arrived / 2 + 500);
		else
			assert_int_equal(in_network, 10000);
	}
	assert_int_equal(stats_of(&f).retransmits, 1);
	feed(&f, A, 0, 30000, "");
	assert_int_equal(stats_of(&f).cwnd, 10000);
	feed_fini(&f);
}

static void lost_retransmission_is_found_without_timeout(void **state)
{
	(void)state;
	struct feed f;
	init_sack(&f);
	lose_first_of_ten(&f);
	feed_sack(&f, 1000, 10000);
	feed(&f, A, 0, 0, "");
	expect_size(&f, A, 0, 0, 1000);
	f.now += 1 * MS;
	feed_sack(&f, 1000, 10000);
	feed(&f, A, 0, 0, "");
	while (tcp_output(f.conn, f.now, &f.last, &f.events))
		assert_true(f.last.seq.v - f.iss >= 10000);
	uint32_t sent = f.last.seq.v - f.iss + MSS;
	assert_true(sent > 10000);
	f.now += 100 * MS;
	feed_sack(&f, 10000, sent); /* sent after the retransmission, and here first */
	feed_sack(&f, 1000, 10000);
	feed(&f, A, 0, 0, "");
	expect_size(&f, A, 0, 0, 1000);
	assert_int_equal(stats_of(&f).timeouts, 0);
	feed_fini(&f);
}

/* The fourth segment overtook the third by less than the reordering window: nothing is sent again. */
static void reordering_is_waited_for(void **state)
{
	(void)state;
	struct feed f;
	init_sack(&f);
	lose_first_of_ten(&f);
	feed(&f, A, 0, 2000, "");
	feed_sack(&f, 3000, 4000);
	feed(&f, A, 0, 2000, "");
	while (tcp_output(f.conn, f.now, &f.last, &f.events))
		assert_true(f.last.seq.v - f.iss >= 10000);
	f.now += 20 * MS;
	feed(&f, A, 0, 4000, "");
	while (tcp_output(f.conn, f.now, &f.last, &f.events))
		;
	assert_int_equal(stats_of(&f).retransmits, 0);
	feed(&f, A, 0, 5000, "");
	feed_sack(&f, 6000, 7000);
	feed(&f, A, 0, 5000, "");
	while (tcp_output(f.conn, f.now, &f.last, &f.events))
		;
	uint64_t wait = wait_next(&f); /* and here it never comes */
	assert_in_range(wait, 1 * MS, 30 * MS);
	expect_size(&f, A, 5000, 0, 1000);
	feed_fini(&f);
}

/* The first of ten is only late: sent again, and then its first copy arrives. */
static void repair_what_is_late(struct feed *f, uint32_t holes)
{
	init_sack(f);
	lose_first_of_ten(f);
	assert_int_equal(stats_of(f).cwnd, 10000);
	if (holes == 2)
		feed_sack(f, 1000, 4000);
	feed_sack(f, holes == 2 ? 5000 : 1000, 10000);
	feed(f, A, 0, 0, "");
	expect_size(f, A, 0, 0, 1000);
	f->now += 5 * MS;
	feed_sack(f, holes == 2 ? 5000 : 1000, 10000);
	feed(f, A, 0, holes == 2 ? 4000 : 0, "");
	if (holes == 2)
		expect_size(f, A, 4000, 0, 1000);
	while (tcp_output(f->conn, f->now, &f->last, &f->events))
		assert_true(f->last.seq.v - f->iss >= 10000);
	feed(f, A, 0, 10000, "");
	assert_true(stats_of(f).cwnd < 10000);
	f->now += 95 * MS;
}

/* RFC 9438 4.9.1, RFC 3708. */
static void reduction_for_nothing_is_undone(void **state)
{
	(void)state;
	struct feed f;
	repair_what_is_late(&f, 1);
	feed_sack(&f, 0, 1000); /* D-SACK: the copy was one too many */
	feed(&f, A, 0, 10000, "");
	assert_int_equal(stats_of(&f).cwnd, 10000);
	assert_int_equal(stats_of(&f).undone, 1);
	feed_sack(&f, 0, 1000); /* the network has doubled that ACK's cause */
	feed(&f, A, 0, 10000, "");
	assert_int_equal(stats_of(&f).undone, 1);
	feed_fini(&f);
}

static void a_true_loss_is_not_undone(void **state)
{
	(void)state;
	struct feed f;
	repair_what_is_late(&f, 1);
	feed_sack(&f, 3000, 4000); /* the network sent this twice, not we */
	feed(&f, A, 0, 10000, "");
	assert_true(stats_of(&f).cwnd < 10000);
	feed_fini(&f);
	repair_what_is_late(&f, 2);
	feed_sack(&f, 0, 1000); /* one of two was late, but the other one was lost */
	feed(&f, A, 0, 10000, "");
	assert_true(stats_of(&f).cwnd < 10000);
	assert_int_equal(stats_of(&f).undone, 0);
	feed_sack(&f, 4000, 5000); /* no, it was late too */
	feed(&f, A, 0, 10000, "");
	assert_int_equal(stats_of(&f).cwnd, 10000);
	feed_fini(&f);
}

/* RFC 8985 6.2, step 4. Of ten frames one goes by a way without delay: the least round trip says nothing of the others. */
static void reordering_window_widens_with_proof(void **state)
{
	(void)state;
	struct feed f;
	uint64_t waited[3];
	init_sack(&f);
	write_bytes(&f, 200000);
	for (unsigned round = 0; round < 3; round++) {
		while (tcp_output(f.conn, f.now, &f.last, &f.events))
			;
		uint32_t una = f.written - (uint32_t)tcp_unacked(f.conn), nxt = f.last.seq.v - f.iss + f.last.len + f.last.len2;
		if (!round) {
			f.now += 1 * MS; /* the least round trip is short, and there is reordering */
			feed_sack(&f, una + 1000, una + 2000);
			feed(&f, A, 0, una, "");
			f.now += 98 * MS;
			feed(&f, A, 0, una + 2000, "");
			una += 2000;
		}
		f.now += 1 * MS;
		feed_sack(&f, una + 1000, una + 2000);
		feed(&f, A, 0, una, "");
		uint64_t before = f.now;
		while (!(tcp_output(f.conn, f.now, &f.last, &f.events) && f.last.seq.v - f.iss == una))
			if (tcp_next(f.conn) > f.now)
				wait_next(&f);
		waited[round] = f.now - before;
		f.now += 1 * MS;
		feed(&f, A, 0, nxt, "");
		while (tcp_output(f.conn, f.now, &f.last, &f.events))
			;
		f.now += 100 * MS;
		feed_sack(&f, una, una + 1000);
		feed(&f, A, 0, f.last.seq.v - f.iss + f.last.len + f.last.len2, "");
	}
	assert_true(waited[0] < 5 * MS);
	assert_true(waited[1] > 10 * MS && waited[2] > waited[1] + 10 * MS);
	feed_fini(&f);
}

static void tail_is_probed(void **state)
{
	(void)state;
	struct feed f;
	init_sack(&f);
	write_bytes(&f, 3000);
	expect_size(&f, A, 0, 0, 1000);
	expect_size(&f, A, 1000, 0, 1000);
	expect_size(&f, AP, 2000, 0, 1000);
	f.now += 100 * MS;
	feed(&f, A, 0, 1000, "");
	expect_none(&f);
	assert_int_equal(wait_next(&f), 200 * MS + 1); /* two round trips */
	expect_size(&f, AP, 2000, 0, 1000);
	expect_none(&f);
	assert_int_equal(stats_of(&f).tail_probes, 1);
	f.now += 100 * MS;
	feed_sack(&f, 2000, 3000);
	feed(&f, A, 0, 1000, "");
	expect_size(&f, A, 1000, 0, 1000); /* the probe's answer shows the hole */
	feed(&f, A, 0, 3000, "");
	assert_int_equal(stats_of(&f).timeouts, 0);
	assert_int_equal(tcp_next(f.conn), UINT64_MAX);
	feed_fini(&f);
}

static void probe_prefers_new_data(void **state)
{
	(void)state;
	struct feed f;
	init_sack(&f);
	write_bytes(&f, 20000);
	expect_flight(&f, 0, 10);
	wait_next(&f);
	expect_size(&f, A, 10000, 0, 1000);
	expect_none(&f);
	wait_next(&f); /* one probe only; then the timer */
	expect_size(&f, A, 0, 0, 1000);
	assert_int_equal(stats_of(&f).timeouts, 1);
	feed_fini(&f);
}

static void loss_repaired_by_the_probe_is_answered_for(void **state)
{
	(void)state;
	struct feed f;
	init_sack(&f);
	write_bytes(&f, 10000);
	for (uint32_t i = 0; i < 9; i++)
		expect_size(&f, A, i * 1000, 0, 1000);
	expect_size(&f, AP, 9000, 0, 1000);
	f.now += 100 * MS;
	feed(&f, A, 0, 9000, "");
	wait_next(&f);
	expect_size(&f, AP, 9000, 0, 1000);
	f.now += 100 * MS;
	feed(&f, A, 0, 10000, "");
	write_bytes(&f, 1000);
	expect_size(&f, AP, 10000, 0, 1000);
	f.now += 100 * MS;
	feed(&f, A, 0, 11000, ""); /* no D-SACK came: the first copy was lost */
	assert_true(stats_of(&f).cwnd < 10000);
	feed_fini(&f);
}

static void blocks_from_nowhere_are_ignored(void **state)
{
	(void)state;
	struct feed f;
	init_sack(&f);
	lose_first_of_ten(&f);
	feed_sack(&f, 5000, 20000);
	feed_sack(&f, 4000, 3000);
	feed_sack(&f, (uint32_t)-3000, 2000);
	feed_sack(&f, 100, 900);
	feed(&f, A, 0, 0, "");
	expect_none(&f);
	assert_int_equal(stats_of(&f).retransmits, 0);
	feed(&f, A, 0, 10000, "");
	expect_size(&f, A, 10000, 0, 1000);
	feed_fini(&f);
}

static void withdrawn_blocks_are_sent_again(void **state)
{
	(void)state;
	struct feed f;
	init_sack(&f);
	write_bytes(&f, 3000);
	for (uint32_t i = 0; i < 3; i++)
		expect_size(&f, i == 2 ? AP : A, i * 1000, 0, 1000);
	f.now += 100 * MS;
	feed_sack(&f, 1000, 3000);
	feed(&f, A, 0, 0, "");
	f.now += 30 * MS;
	expect_size(&f, A, 0, 0, 1000);
	feed(&f, A, 0, 1000, ""); /* and yet it has thrown the rest away */
	wait_next(&f);
	expect_size(&f, A, 1000, 0, 1000);
	feed(&f, A, 0, 2000, "");
	expect_size(&f, AP, 2000, 0, 1000);
	feed_fini(&f);
}

/* The timer expires for the first segment while the second, sent much later, may well arrive: both count. */
static void timeout_sends_the_first_whatever_is_in_flight(void **state)
{
	(void)state;
	struct feed f;
	feed_init_as(&f, (struct tcp_adoption){.snd_wnd = WND, .mss = MSS, .sack = true, .rtt_us = 190 * MS});
	for (uint32_t i = 0; i < 30; i++) {
		write_bytes(&f, 1000);
		expect_size(&f, AP, i * 1000, 0, 1000);
		f.now += 190 * MS;
		feed(&f, A, 0, (i + 1) * 1000, "");
	}
	assert_int_equal(stats_of(&f).rto_us, 200 * MS);
	write_bytes(&f, 1000);
	expect_size(&f, AP, 30000, 0, 1000);
	wait_us(&f, 150 * MS);
	write_bytes(&f, 1000);
	expect_size(&f, AP, 31000, 0, 1000);
	assert_int_equal(wait_next(&f), 50 * MS);
	expect_size(&f, A, 30000, 0, 1000);
	expect_none(&f);
	assert_int_equal(stats_of(&f).timeouts, 1);
	feed_fini(&f);
}

/* Karn's rule is for all that one ACK reports: the second, sent once, has arrived long before, but its ACK was lost. */
static void what_comes_with_a_repeated_one_times_nothing(void **state)
{
	(void)state;
	for (unsigned sack = 0; sack < 2; sack++) {
		struct feed f;
		feed_init_as(&f, (struct tcp_adoption){.snd_wnd = WND, .mss = MSS, .sack = sack, .rtt_us = 100 * MS});
		write_bytes(&f, 2000);
		expect_size(&f, A, 0, 0, 1000);
		expect_size(&f, AP, 1000, 0, 1000);
		while (!stats_of(&f).timeouts) {
			wait_next(&f);
			while (tcp_output(f.conn, f.now, &f.last, &f.events))
				;
		}
		uint32_t rto = stats_of(&f).rto_us;
		f.now += 20 * MS;
		feed(&f, A, 0, 2000, "");
		assert_int_equal(stats_of(&f).srtt_us, 100 * MS);
		assert_int_equal(stats_of(&f).rto_us, rto); /* still backed off: RFC 6298 5.7 */
		write_bytes(&f, 10);
		expect_size(&f, AP, 2000, 0, 10);
		f.now += 20 * MS;
		feed(&f, A, 0, 2010, "");
		assert_int_equal(stats_of(&f).srtt_us, 90 * MS);
		assert_true(stats_of(&f).rto_us < rto);
		feed_fini(&f);
	}
}

/* RFC 9293 3.7.1: options take their room from the payload. Here the payload is full, and the blocks go before it. */
static void full_segments_have_no_room_for_blocks(void **state)
{
	(void)state;
	struct feed f;
	init_sack(&f);
	feed(&f, AP, 10, 0, "early");
	feed(&f, AP, 20, 0, "earlier");
	write_bytes(&f, 1972);
	expect(&f, A, 0, 0, "");
	expect(&f, A, 0, 0, "");
	assert_int_equal(f.last.sack_count, 2);
	expect_size(&f, A, 0, 0, 1000);
	assert_int_equal(f.last.sack_count, 0);
	expect_size(&f, AP, 1000, 0, 972);
	assert_int_equal(f.last.sack_count, 2);
	write_bytes(&f, 1000);
	feed(&f, AP, 10, 0, "early"); /* again: a D-SACK is owed */
	expect(&f, A, 1972, 0, "");
	assert_int_equal(f.last.sack_count, 3);
	assert_int_equal(f.last.sack[0].start.v - f.irs, 10);
	expect_size(&f, AP, 1972, 0, 1000);
	feed_fini(&f);
}

/* --- path MTU --- */

static void too_big_is_sent_in_pieces(void **state)
{
	(void)state;
	struct feed f;
	init_sack(&f);
	write_bytes(&f, 2000);
	expect_size(&f, A, 0, 0, 1000);
	expect_size(&f, AP, 1000, 0, 1000);
	assert_false(tcp_path_mss(f.conn, seq_of(f.iss + 2000), 600)); /* quotes what was never sent */
	assert_false(tcp_path_mss(f.conn, seq_of(f.iss), 1000));
	expect_none(&f);
	assert_true(tcp_path_mss(f.conn, seq_of(f.iss), 600));
	expect_size(&f, A, 0, 0, 600);
	expect_size(&f, A, 600, 0, 400);
	expect_size(&f, A, 1000, 0, 600);
	expect_size(&f, AP, 1600, 0, 400);
	write_bytes(&f, 700);
	expect_size(&f, A, 2000, 0, 600);
	expect_size(&f, AP, 2600, 0, 100);
	f.now += 50 * MS;
	feed(&f, A, 0, 2700, "");
	assert_int_equal(tcp_unacked(f.conn), 0);
	feed_fini(&f);
}

/* RFC 5927: less than 48 would be an attack on what headers cost; what does not quote something in flight is no report. */
static void tiny_paths_are_not_believed(void **state)
{
	(void)state;
	struct feed f;
	init_sack(&f);
	assert_false(tcp_path_mss(f.conn, seq_of(f.iss), 500)); /* nothing is in flight */
	write_bytes(&f, 100);
	expect_size(&f, AP, 0, 0, 100);
	assert_false(tcp_path_mss(f.conn, seq_of(f.iss - 1), 500));
	assert_true(tcp_path_mss(f.conn, seq_of(f.iss + 99), 1));
	expect_size(&f, A, 0, 0, 48);
	expect_size(&f, A, 48, 0, 48);
	expect_size(&f, AP, 96, 0, 4);
	assert_false(tcp_path_mss(f.conn, seq_of(f.iss), 1)); /* nothing new */
	feed(&f, A, 0, 100, "");
	assert_int_equal(tcp_unacked(f.conn), 0);
	feed_fini(&f);
}

static void small_segments_in_flight_are_bounded(void **state)
{
	(void)state;
	struct feed f;
	feed_init_as(&f, (struct tcp_adoption){.snd_wnd = WND, .mss = MSS});
	unsigned sent = 0;
	for (int i = 0; i < 6000; i++) {
		write_bytes(&f, 1);
		sent += tcp_output(f.conn, f.now, &f.last, &f.events);
	}
	assert_int_equal(sent, 4096);
	feed(&f, A, 0, 4096, "");
	expect_size(&f, A, 4096, 0, 1000);
	expect_size(&f, AP, 5096, 0, 904);
	feed_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_go_at_once),
		cmocka_unit_test(push_is_on_the_last_segment),
		cmocka_unit_test(write_is_all_or_nothing),
		cmocka_unit_test(excess_is_beyond_twice_the_congestion_window),
		cmocka_unit_test(window_begins_with_ten_segments_and_doubles),
		cmocka_unit_test(window_restarts_after_a_pause),
		cmocka_unit_test(window_does_not_grow_unused),
		cmocka_unit_test(window_is_never_overrun),
		cmocka_unit_test(windows_of_the_endpoint_are_scaled),
		cmocka_unit_test(half_of_the_largest_window_is_worth_sending),
		cmocka_unit_test(silly_window_is_used_when_nothing_better_comes),
		cmocka_unit_test(closed_window_is_probed_for_ever),
		cmocka_unit_test(probe_that_is_taken_counts),
		cmocka_unit_test(closed_window_of_the_dead_is_given_up),
		cmocka_unit_test(old_segment_does_not_move_the_window),
		cmocka_unit_test(window_that_shuts_during_recovery_is_probed),
		cmocka_unit_test(new_ack_brings_its_window),
		cmocka_unit_test(lost_segment_is_sent_again_with_back_off),
		cmocka_unit_test(another_path_is_not_waited_for_as_long),
		cmocka_unit_test(silence_is_given_up),
		cmocka_unit_test(timeout_begins_slow_start),
		cmocka_unit_test(timer_starts_anew_with_each_ack),
		cmocka_unit_test(third_duplicate_repairs),
		cmocka_unit_test(partial_ack_repairs_the_next_hole),
		cmocka_unit_test(data_and_window_updates_are_no_duplicates),
		cmocka_unit_test(duplicates_after_a_timeout_do_not_reduce_twice),
		cmocka_unit_test(holes_between_blocks_are_repaired_in_one_round),
		cmocka_unit_test(recovery_sends_in_proportion),
		cmocka_unit_test(lost_retransmission_is_found_without_timeout),
		cmocka_unit_test(reordering_is_waited_for),
		cmocka_unit_test(reduction_for_nothing_is_undone),
		cmocka_unit_test(a_true_loss_is_not_undone),
		cmocka_unit_test(reordering_window_widens_with_proof),
		cmocka_unit_test(tail_is_probed),
		cmocka_unit_test(probe_prefers_new_data),
		cmocka_unit_test(loss_repaired_by_the_probe_is_answered_for),
		cmocka_unit_test(blocks_from_nowhere_are_ignored),
		cmocka_unit_test(withdrawn_blocks_are_sent_again),
		cmocka_unit_test(timeout_sends_the_first_whatever_is_in_flight),
		cmocka_unit_test(what_comes_with_a_repeated_one_times_nothing),
		cmocka_unit_test(full_segments_have_no_room_for_blocks),
		cmocka_unit_test(too_big_is_sent_in_pieces),
		cmocka_unit_test(tiny_paths_are_not_believed),
		cmocka_unit_test(small_segments_in_flight_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
