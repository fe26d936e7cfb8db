/* What the receiver owes to RFC 9293, 5961, 1122 and 5681, rule by rule. */
#include <string.h>

#include "tcp_feed.h"

static void bytes_are_read_in_order(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	feed(&f, AP, 0, 0, "hello ");
	assert_int_equal(take_events(&f), TCP_EV_READABLE);
	feed(&f, AP, 6, 0, "world");
	expect_read(&f, "hello world");
	feed_fini(&f);
}

static void ack_is_delayed_by_40_ms(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	feed(&f, AP, 0, 0, "one");
	wait_us(&f, 39 * MS);
	assert_int_equal(wait_next(&f), 1 * MS);
	expect(&f, A, 0, 3, "");
	expect_none(&f);
	assert_int_equal(tcp_next(f.conn), UINT64_MAX);
	feed_fini(&f);
}

static void every_second_full_segment_is_acknowledged(void **state)
{
	(void)state;
	struct feed f;
	static char full[MSS];
	feed_init(&f);
	for (uint32_t i = 0; i < 6; i++) {
		feed_bytes(&f, A, i * MSS, 0, full, MSS);
		if (i % 2)
			expect(&f, A, 0, (i + 1) * MSS, "");
		expect_none(&f);
	}
	feed_fini(&f);
}

static void data_carries_the_ack(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	feed(&f, AP, 0, 0, "question");
	assert_int_equal(tcp_write(f.conn, "answer", 6), 0);
	expect(&f, AP, 0, 8, "answer");
	expect_none(&f);
	feed(&f, A, 8, 6, "");
	wait_us(&f, SECOND);
	feed_fini(&f);
}

static void early_segment_is_acknowledged_at_once_and_each(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	feed(&f, AP, 0, 0, "ab");
	feed(&f, AP, 4, 0, "ef");
	feed(&f, AP, 6, 0, "gh");
	feed(&f, AP, 8, 0, "ij");
	for (int i = 0; i < 3; i++)
		expect(&f, A, 0, 2, "");
	expect_none(&f);
	feed(&f, AP, 2, 0, "cd");
	expect(&f, A, 0, 10, ""); /* fills the hole: at once */
	expect_none(&f);
	expect_read(&f, "abcdefghij");
	assert_int_equal(stats_of(&f).out_of_order, 3);
	feed_fini(&f);
}

static void repeated_data_is_acknowledged_and_dropped(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	feed(&f, AP, 0, 0, "abcdef");
	wait_next(&f);
	expect(&f, A, 0, 6, "");
	take_events(&f);
	feed(&f, AP, 0, 0, "abcdef");
	expect(&f, A, 0, 6, "");
	feed(&f, AP, 3, 0, "defghi");
	expect(&f, A, 0, 9, "");
	assert_int_equal(take_events(&f), TCP_EV_READABLE);
	expect_read(&f, "abcdefghi");
	feed_fini(&f);
}

static void first_bytes_win(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	feed(&f, AP, 0, 0, "abc");
	feed(&f, AP, 6, 0, "ghi");
	take_events(&f);
	feed(&f, AP, 1, 0, "XcdefgXijk");
	assert_int_equal(take_events(&f), TCP_EV_READABLE | TCP_EV_OVERLAP);
	expect_read(&f, "abcdefghijk");
	assert_int_equal(stats_of(&f).overlaps, 1);
	feed_fini(&f);
}

static void init_scaled(struct feed *f)
{
	feed_init_as(f, (struct tcp_adoption){.snd_wnd = WND, .mss = MSS, .rcv_wscale = 3});
}

static uint32_t advertised(const struct feed *f)
{
	return (uint32_t)f->last.window << 3;
}

/* All of the window but the last `rest` bytes. */
static void fill_but(struct feed *f, uint32_t rest)
{
	static char full[MSS];
	uint32_t size = (256 << 10) - rest;
	for (uint32_t at = 0, n; at < size; at += n) {
		n = size - at < MSS ? size - at : MSS;
		feed_bytes(f, A, at, 0, full, n);
		while (tcp_output(f->conn, f->now, &f->last, &f->events))
			;
	}
}

static void window_is_what_the_queue_can_hold(void **state)
{
	(void)state;
	struct feed f;
	static char full[MSS];
	feed_init(&f);
	feed_bytes(&f, A, 0, 0, full, MSS);
	feed_bytes(&f, A, MSS, 0, full, MSS);
	expect(&f, A, 0, 2 * MSS, "");
	assert_int_equal(f.last.window, 65535); /* no more can be said without scaling */
	feed_fini(&f);
	init_scaled(&f);
	feed_bytes(&f, A, 0, 0, full, MSS);
	feed_bytes(&f, A, MSS, 0, full, MSS);
	expect(&f, A, 0, 2 * MSS, "");
	assert_int_equal(advertised(&f), (256 << 10) - 2 * MSS);
	feed_fini(&f);
}

/* So many bytes in, each read at once, in so many microseconds. Returns the window that is advertised then. */
static uint32_t window_after(struct feed *f, uint32_t *at, uint32_t bytes, uint64_t us)
{
	static char full[MSS];
	for (uint32_t end = *at + bytes; *at < end; *at += MSS) {
		feed_bytes(f, A, *at, 0, full, MSS);
		tcp_consume(f->conn, MSS);
		while (tcp_output(f->conn, f->now, &f->last, &f->events))
			;
		f->now += us * MSS / bytes;
	}
	return advertised(f);
}

static void window_grows_where_the_round_trip_needs_it(void **state)
{
	(void)state;
	struct tcp_budget budget = {.max_bytes = 1 << 20};
	struct tcp_adoption adoption = {.snd_wnd = WND, .mss = MSS, .rcv_wscale = 7, .rtt_us = 40 * MS, .budget = &budget};
	struct feed f;
	uint32_t at = 0, start = TCP_RECV_BYTES, all = 8 * TCP_RECV_BYTES;
	feed_init_as(&f, adoption);
	window_after(&f, &at, all, 8 * 200 * MS); /* a window in five round trips: the endpoint has no more to say */
	assert_in_range((uint32_t)f.last.window << 7, start - 3 * MSS, start);
	window_after(&f, &at, all, 8 * 40 * MS);
	assert_true((uint32_t)f.last.window << 7 > 4 * start - 3 * MSS);
	window_after(&f, &at, 100 * all, 100 * 40 * MS);
	assert_in_range((uint32_t)f.last.window << 7, TCP_RECV_BYTES_MAX - 3 * MSS, TCP_RECV_BYTES_MAX);
	feed_fini(&f);
	feed_init_as(&f, adoption);
	at = 0;
	budget.used_bytes += budget.max_bytes / 2; /* others have it */
	window_after(&f, &at, all, 8 * 40 * MS);
	assert_in_range((uint32_t)f.last.window << 7, start - 3 * MSS, start);
	feed_fini(&f);
}

static void window_follows_the_reader(void **state)
{
	(void)state;
	struct feed f;
	static char full[MSS];
	init_scaled(&f);
	fill_but(&f, 1000);
	feed_bytes(&f, A, (256 << 10) - 1000, 0, full, 1000);
	wait_next(&f);
	expect(&f, A, 0, 256 << 10, "");
	assert_int_equal(f.last.window, 0);
	feed_bytes(&f, A, 256 << 10, 0, full, 1); /* a window probe */
	expect(&f, A, 0, 256 << 10, "");
	assert_int_equal(f.last.window, 0);
	tcp_consume(f.conn, 1999); /* less than two segments: silly */
	expect_none(&f);
	tcp_consume(f.conn, 1);
	expect(&f, A, 0, 256 << 10, "");
	assert_int_equal(advertised(&f), 2000);
	tcp_consume(f.conn, 10000);
	expect_none(&f);           /* it has not used what it was given */
	feed_bytes(&f, A, 256 << 10, 0, full, 1000);
	expect(&f, A, 0, (256 << 10) + 1000, "");
	assert_int_equal(advertised(&f), 11000);
	expect_none(&f);
	feed_fini(&f);
}

static void window_moves_in_steps_of_a_segment(void **state)
{
	(void)state;
	struct feed f;
	init_scaled(&f);
	fill_but(&f, 5000);
	tcp_consume(f.conn, 992);
	feed(&f, A, (256 << 10) - 5000, 0, "12345678");
	wait_next(&f);
	expect(&f, A, 0, (256 << 10) - 4992, "");
	assert_int_equal(advertised(&f), 4992);
	tcp_consume(f.conn, 8);
	feed(&f, A, (256 << 10) - 4992, 0, "12345678");
	wait_next(&f);
	expect(&f, A, 0, (256 << 10) - 4984, "");
	assert_int_equal(advertised(&f), 4984 + 1000);
	feed_fini(&f);
}

/* An endpoint whose frames are merged on the way to us (GRO): each update is sent once. */
static void giant_segments_do_not_repeat_the_update(void **state)
{
	(void)state;
	struct feed f;
	static char giant[35000];
	feed_init(&f);
	feed_bytes(&f, A, 0, 0, giant, sizeof(giant));
	expect(&f, A, 0, 35000, "");
	expect_none(&f);
	read_all(&f);
	expect_none(&f);
	feed_fini(&f);
}

static void window_is_scaled_and_never_shrinks(void **state)
{
	(void)state;
	struct feed f;
	feed_init_as(&f, (struct tcp_adoption){.snd_wnd = WND, .mss = MSS, .rcv_wscale = 7});
	uint32_t edge = 0;
	for (uint32_t at = 0; at < 250000; at += 777) {
		static char some[777];
		feed_bytes(&f, A, at, 0, some, 777);
		wait_next(&f);
		while (tcp_output(f.conn, f.now, &f.last, &f.events)) {
			uint32_t told = at + 777 + (uint32_t)f.last.window * 128;
			assert_true(told + 127 >= edge); /* but for rounding: RFC 7323 2.4 */
			edge = told > edge ? told : edge;
		}
	}
	assert_in_range(edge, (256 << 10) - 127, 256 << 10);
	feed_fini(&f);
}

static void what_was_promised_is_taken(void **state)
{
	(void)state;
	struct feed f;
	static char large[60000];
	feed_init_as(&f, (struct tcp_adoption){.snd_wnd = WND, .mss = MSS, .rcv_wscale = 14});
	feed(&f, A, 0, 0, "x");
	wait_next(&f);
	expect(&f, A, 0, 1, "");
	assert_int_equal(f.last.window, 15); /* one byte less than 16 units */
	for (uint32_t at = 1; at < 256 << 10;) {
		uint32_t n = (256u << 10) - at < sizeof(large) ? (256u << 10) - at : sizeof(large);
		feed_bytes(&f, A, at, 0, large, n);
		at += n;
	}
	expect(&f, A, 0, 256 << 10, "");
	feed_fini(&f);
}

static void beyond_the_window_is_cut(void **state)
{
	(void)state;
	struct feed f;
	static char large[65535 + 100];
	feed_init(&f);
	feed_bytes(&f, A, 100, 0, large, 65535);
	expect(&f, A, 0, 0, "");
	feed_bytes(&f, A, 0, 0, large, 100);
	expect(&f, A, 0, 65535, "");
	feed_bytes(&f, AF, 65535 + 65535, 0, large, 1); /* outside altogether */
	expect(&f, A, 0, 65535, "");
	assert_int_equal(stats_of(&f).out_of_window, 1);
	feed_fini(&f);
}

static bool believed(struct feed *f, unsigned flags, uint32_t seq, uint32_t ack, uint32_t n)
{
	static const uint8_t bytes[100];
	const struct tcp_seg seg = {.seq = {f->irs + seq}, .ack = {f->iss + ack}, .flags = (uint8_t)flags, .data = bytes,
		.len = n, .window = WND, .wscale = TCP_WSCALE_NONE};
	return tcp_believes(f->conn, f->now, &seg);
}

static void what_the_endpoint_may_say_is_believed(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	feed(&f, A, 0, 0, "0123456789");
	read_all(&f);
	write_bytes(&f, 10);
	expect_size(&f, AP, 0, 10, 10);
	assert_true(believed(&f, A, 10, 0, 0));
	assert_true(believed(&f, A, 10, 10, 50));
	assert_true(believed(&f, A, 9, 10, 0));          /* a keepalive, or a probe of our window */
	assert_true(believed(&f, AF, 0, 0, 10));         /* repeated */
	assert_true(believed(&f, A, 60000, 10, 10));
	assert_false(believed(&f, A, 10 + (1 << 20), 10, 10));
	assert_false(believed(&f, A, 9 - TCP_RECV_BYTES_MAX, 10, 10));
	assert_false(believed(&f, A, 10, 11, 10));       /* acknowledges what was not sent */
	assert_false(believed(&f, A, 10, (uint32_t)-200000, 10));
	assert_false(believed(&f, RA, 10, 10, 0));
	assert_false(believed(&f, SA, 10, 10, 0));
	assert_false(believed(&f, 0, 10, 10, 10));
	assert_int_equal(stats_of(&f).segs_in, 1);
	feed_fini(&f);
}

/* RFC 9293 3.4: what lies in the window, by length and window. The offset counts from the window's left edge, or from its
 * right one. */
static void acceptability_is_that_of_the_table(void **state)
{
	(void)state;
	enum from { LEFT, RIGHT };
	static const struct { bool closed; enum from from; int offset; uint32_t len; bool accepted; } rows[] = {
		{true, LEFT, 0, 0, true}, {true, LEFT, 1, 0, false}, {true, LEFT, -2, 0, false},
		{true, LEFT, 1, 1, false}, {true, LEFT, -3, 2, false},
		{false, LEFT, 0, 0, true}, {false, LEFT, -2, 0, false}, {false, RIGHT, -1, 0, true}, {false, RIGHT, 1, 0, false},
		{false, LEFT, 0, 5, true}, {false, LEFT, -5, 5, false}, {false, LEFT, -5, 6, true}, {false, LEFT, -1, 700, true},
		{false, RIGHT, -1, 1, true}, {false, RIGHT, -1, 9, true}, {false, RIGHT, 0, 1, false},
		{false, RIGHT, 0x40000000, 9, false},
	};
	static char bytes[1000];
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct feed f;
		init_scaled(&f);
		fill_but(&f, rows[i].closed ? 0 : 20000);
		uint32_t left = (256 << 10) - (rows[i].closed ? 0 : 20000), window = stats_of(&f).rcv_wnd;
		uint32_t seq = (rows[i].from == LEFT ? left : left + window) + (uint32_t)rows[i].offset;
		assert_int_equal(window, rows[i].closed ? 0 : 20000);
		feed_bytes(&f, A, seq, 0, bytes, rows[i].len);
		assert_int_equal(stats_of(&f).out_of_window, !rows[i].accepted);
		if (!rows[i].accepted)
			expect(&f, A, 0, left, ""); /* says where it should have been */
		feed_fini(&f);
	}
}

static void urgent_bytes_stay_in_line(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	feed(&f, AP | TCP_URG, 0, 0, "abc");
	expect_read(&f, "abc");
	assert_int_equal(stats_of(&f).urgent, 1);
	feed_fini(&f);
}

static void segment_without_ack_is_dropped(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	feed(&f, TCP_PSH, 0, 0, "abc");
	feed(&f, 0, 0, 0, "abc");
	feed(&f, TCP_FIN, 0, 0, "");
	expect_none(&f);
	const uint8_t *bytes;
	assert_int_equal(tcp_peek(f.conn, &bytes), 0);
	assert_int_equal(stats_of(&f).malformed, 3);
	feed_fini(&f);
}

/* --- RFC 5961 --- */

static void exact_reset_ends_it(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	feed(&f, AP, 0, 0, "abc");
	take_events(&f);
	feed(&f, R, 3, 0, "");
	assert_int_equal(take_events(&f), TCP_EV_RESET | TCP_EV_FINISHED);
	expect_none(&f);
	assert_int_equal(tcp_next(f.conn), UINT64_MAX);
	assert_string_equal(tcp_state_name(f.conn), "closed");
	assert_int_equal(tcp_write(f.conn, "x", 1), -32);
	expect_read(&f, "abc");
	feed_fini(&f);
}

static void other_reset_in_the_window_is_challenged(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	feed(&f, R, 1, 0, "");
	expect(&f, A, 0, 0, "");
	feed(&f, R, 65534, 0, "");
	expect(&f, A, 0, 0, "");
	assert_int_equal(stats_of(&f).challenge_acks, 2);
	feed(&f, R, 70000, 0, "");
	feed(&f, R, (uint32_t)-1, 0, "");
	expect_none(&f);
	assert_int_equal(take_events(&f), 0);
	feed_fini(&f);
}

static void syn_is_challenged(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	feed(&f, S, 5, 0, "");
	expect(&f, A, 0, 0, "");
	feed(&f, SA, (uint32_t)-1, 0, ""); /* the SYN-ACK again, since our ACK of it was lost */
	expect(&f, A, 0, 0, "");
	feed(&f, S, 0x40000000, 0, "");
	expect(&f, A, 0, 0, "");
	assert_int_equal(take_events(&f), 0);
	feed_fini(&f);
}

static void ack_out_of_range_is_challenged(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	write_bytes(&f, 100);
	expect_size(&f, AP, 0, 0, 100);
	feed(&f, A, 0, 101, "evil");
	expect(&f, A, 100, 0, "");
	feed(&f, A, 0, (uint32_t)-WND - 1, "evil");
	expect(&f, A, 100, 0, "");
	const uint8_t *bytes;
	assert_int_equal(tcp_peek(f.conn, &bytes), 0);
	feed(&f, A, 0, (uint32_t)-WND, "fine");
	expect_read(&f, "fine");
	assert_int_equal(tcp_unacked(f.conn), 100);
	feed_fini(&f);
}

static void challenges_are_limited(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	for (int second = 0; second < 3; second++) {
		unsigned sent = 0;
		for (int i = 0; i < 100; i++) {
			feed(&f, S, 5, 0, "");
			sent += tcp_output(f.conn, f.now, &f.last, &f.events);
		}
		assert_int_equal(sent, 10);
		f.now += SECOND;
	}
	feed_fini(&f);
}

/* --- SACK, receiver's side: RFC 2018, 2883 --- */

static void init_sack(struct feed *f)
{
	feed_init_as(f, (struct tcp_adoption){.snd_wnd = WND, .mss = MSS, .sack = true, .rtt_us = 100 * MS});
}

static void expect_block(const struct feed *f, unsigned i, uint32_t start, uint32_t end)
{
	assert_true(i < f->last.sack_count);
	assert_int_equal(f->last.sack[i].start.v - f->irs, start);
	assert_int_equal(f->last.sack[i].end.v - f->irs, end);
}

static void latest_block_comes_first(void **state)
{
	(void)state;
	struct feed f;
	init_sack(&f);
	static const uint32_t starts[] = {10, 30, 20, 50, 40};
	for (unsigned i = 0; i < 5; i++) {
		feed(&f, AP, starts[i], 0, "12345");
		expect(&f, A, 0, 0, "");
		expect_block(&f, 0, starts[i], starts[i] + 5);
	}
	assert_int_equal(f.last.sack_count, 4);
	expect_block(&f, 1, 50, 55);
	expect_block(&f, 2, 20, 25);
	expect_block(&f, 3, 30, 35);
	feed(&f, AP, 15, 0, "12345"); /* joins 10 and 20 */
	expect(&f, A, 0, 0, "");
	expect_block(&f, 0, 10, 25);
	feed(&f, AP, 0, 0, "1234512345");
	expect(&f, A, 0, 25, "");
	assert_int_equal(f.last.sack_count, 3);
	feed_fini(&f);
}

static void repeated_bytes_are_reported_once(void **state)
{
	(void)state;
	struct feed f;
	init_sack(&f);
	feed(&f, AP, 0, 0, "0123456789");
	wait_next(&f);
	expect(&f, A, 0, 10, "");
	assert_int_equal(f.last.sack_count, 0);
	feed(&f, AP, 2, 0, "2345");
	expect(&f, A, 0, 10, "");
	assert_int_equal(f.last.sack_count, 1);
	expect_block(&f, 0, 2, 6);
	feed(&f, AP, 20, 0, "01234");
	expect(&f, A, 0, 10, "");
	assert_int_equal(f.last.sack_count, 1);
	feed(&f, AP, 21, 0, "12");
	expect(&f, A, 0, 10, "");
	assert_int_equal(f.last.sack_count, 2);
	expect_block(&f, 0, 21, 23);
	expect_block(&f, 1, 20, 25);
	feed_fini(&f);
}

/* --- ECN: RFC 3168 6.1.3 --- */

static void init_ecn(struct feed *f)
{
	feed_init_as(f, (struct tcp_adoption){.snd_wnd = WND, .mss = MSS, .ecn = true});
}

static void congestion_is_echoed_until_it_was_heard(void **state)
{
	(void)state;
	struct feed f;
	init_ecn(&f);
	feed(&f, AP, 0, 0, "ab");
	wait_next(&f);
	expect(&f, A, 0, 2, "");
	f.ce = true;
	feed(&f, AP, 2, 0, "cd");
	wait_next(&f);
	expect(&f, A | TCP_ECE, 0, 4, "");
	feed(&f, AP, 4, 0, "ef");
	write_bytes(&f, 5);
	expect_size(&f, AP | TCP_ECE, 0, 6, 5);
	feed(&f, AP | TCP_CWR, 6, 5, "gh");
	wait_next(&f);
	expect(&f, A, 5, 8, "");
	f.ce = true;
	feed(&f, AP | TCP_CWR, 8, 5, "ij"); /* the answer to the last mark is marked itself */
	wait_next(&f);
	expect(&f, A | TCP_ECE, 5, 10, "");
	feed_fini(&f);
}

static void only_accepted_data_is_marked(void **state)
{
	(void)state;
	struct feed f;
	init_ecn(&f);
	f.ce = true;
	feed(&f, A, 0, 0, "");
	f.ce = true;
	feed(&f, AP, 70000, 0, "far beyond the window");
	expect(&f, A, 0, 0, "");
	f.ce = true;
	feed(&f, AP, 0, 5, "acknowledges what was not sent");
	expect(&f, A, 0, 0, "");
	feed_fini(&f);
}

static void congestion_is_not_echoed_unless_agreed(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	f.ce = true;
	feed(&f, AP, 0, 0, "ab");
	wait_next(&f);
	expect(&f, A, 0, 2, "");
	feed_fini(&f);
}

/* --- memory --- */

static void holes_are_bounded(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	for (uint32_t i = 0; i < 400; i++)
		feed(&f, AP, 2 + i * 2, 0, "x");
	assert_int_equal(stats_of(&f).unkept, 400 - 256);
	for (uint32_t i = 0; i < 300; i++)
		feed(&f, AP, 1 + i * 2, 0, "y");
	feed(&f, AP, 0, 0, "y");
	assert_true(stats_of(&f).rcv_wnd > 0);
	const uint8_t *bytes;
	assert_int_equal(tcp_peek(f.conn, &bytes), 257 * 2);
	assert_memory_equal(bytes, "yyxyxyxyxy", 10);
	feed_fini(&f);
}

static void memory_is_little_when_idle_and_given_back(void **state)
{
	(void)state;
	struct feed f;
	static char large[60000];
	feed_init(&f);
	size_t idle = stats_of(&f).memory_bytes;
	assert_true(idle < 2048);
	feed_bytes(&f, A, 0, 0, large, sizeof(large));
	assert_in_range(stats_of(&f).memory_bytes, 60000, 140000);
	read_all(&f);
	assert_int_equal(stats_of(&f).memory_bytes, idle);
	write_bytes(&f, 30000);
	while (tcp_output(f.conn, f.now, &f.last, &f.events))
		;
	assert_true(stats_of(&f).memory_bytes > 30000);
	for (uint32_t at = 1; at < 30; at++) {
		feed(&f, A, 60000, at * 1000, "");
		while (tcp_output(f.conn, f.now, &f.last, &f.events))
			;
	}
	feed(&f, A, 60000, 30000, "");
	assert_in_range(stats_of(&f).memory_bytes, idle, idle + 2048);
	feed_fini(&f);
}

static void budget_is_shared(void **state)
{
	(void)state;
	struct feed f;
	static char large[60000];
	struct tcp_budget budget = {.max_bytes = 40000};
	feed_init_as(&f, (struct tcp_adoption){.snd_wnd = WND, .mss = MSS, .budget = &budget});
	feed_bytes(&f, A, 0, 0, large, sizeof(large));
	expect(&f, A, 0, 0, "");
	assert_int_equal(stats_of(&f).unkept, 1);
	feed_bytes(&f, A, 0, 0, large, 20000);
	expect(&f, A, 0, 20000, "");
	assert_int_equal(tcp_write(f.conn, large, sizeof(large)), -12);
	assert_int_equal(budget.used_bytes, stats_of(&f).memory_bytes);
	const struct tcp_adoption other = {.mss = MSS, .budget = &budget};
	budget.max_bytes = budget.used_bytes + 100;
	assert_null(tcp_new(&other, 1));
	feed_fini(&f);
	assert_int_equal(budget.used_bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_read_in_order),
		cmocka_unit_test(ack_is_delayed_by_40_ms),
		cmocka_unit_test(every_second_full_segment_is_acknowledged),
		cmocka_unit_test(data_carries_the_ack),
		cmocka_unit_test(early_segment_is_acknowledged_at_once_and_each),
		cmocka_unit_test(repeated_data_is_acknowledged_and_dropped),
		cmocka_unit_test(first_bytes_win),
		cmocka_unit_test(window_is_what_the_queue_can_hold),
		cmocka_unit_test(window_grows_where_the_round_trip_needs_it),
		cmocka_unit_test(window_follows_the_reader),
		cmocka_unit_test(window_moves_in_steps_of_a_segment),
		cmocka_unit_test(giant_segments_do_not_repeat_the_update),
		cmocka_unit_test(window_is_scaled_and_never_shrinks),
		cmocka_unit_test(what_was_promised_is_taken),
		cmocka_unit_test(beyond_the_window_is_cut),
		cmocka_unit_test(what_the_endpoint_may_say_is_believed),
		cmocka_unit_test(acceptability_is_that_of_the_table),
		cmocka_unit_test(urgent_bytes_stay_in_line),
		cmocka_unit_test(segment_without_ack_is_dropped),
		cmocka_unit_test(exact_reset_ends_it),
		cmocka_unit_test(other_reset_in_the_window_is_challenged),
		cmocka_unit_test(syn_is_challenged),
		cmocka_unit_test(ack_out_of_range_is_challenged),
		cmocka_unit_test(challenges_are_limited),
		cmocka_unit_test(latest_block_comes_first),
		cmocka_unit_test(repeated_bytes_are_reported_once),
		cmocka_unit_test(congestion_is_echoed_until_it_was_heard),
		cmocka_unit_test(only_accepted_data_is_marked),
		cmocka_unit_test(congestion_is_not_echoed_unless_agreed),
		cmocka_unit_test(holes_are_bounded),
		cmocka_unit_test(memory_is_little_when_idle_and_given_back),
		cmocka_unit_test(budget_is_shared),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
