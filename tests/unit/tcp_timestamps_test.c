/* Timestamps, rule by rule of RFC 7323, for connections whose handshake agreed on them. */
#include <string.h>

#include "tcp_feed.h"

enum { THEIRS = 0x7ffffff0, OURS = 0xfffffffb, SOME = 988 }; /* both clocks wrap soon; MSS less the option */

static void init(struct feed *f)
{
	feed_init_as(f, (struct tcp_adoption){.snd_wnd = WND, .mss = MSS, .cc = TCP_CC_NEWRENO, .rtt_us = 100 * MS,
		.sack = true, .timestamps = true, .ts_recent = (uint32_t)THEIRS, .ts_val = (uint32_t)OURS});
	f->stamped = true;
	f->ts_val = THEIRS;
	f->ts_ecr = (uint32_t)OURS;
}

static void expect_stamps(const struct feed *f, uint32_t ours, uint32_t theirs)
{
	assert_true(f->last.has_timestamps);
	assert_int_equal(f->last.ts_val, (uint32_t)(OURS + ours));
	assert_int_equal(f->last.ts_ecr, (uint32_t)(THEIRS + theirs));
}

/* Section 3.2. */
static void every_segment_has_them(void **state)
{
	(void)state;
	struct feed f;
	init(&f);
	write_bytes(&f, 10);
	expect_size(&f, AP, 0, 0, 10);
	expect_stamps(&f, 0, 0);
	f.ts_val += 3;
	feed(&f, AP, 0, 10, "ab");
	assert_int_equal(wait_next(&f), 40 * MS);
	expect(&f, A, 10, 2, "");
	expect_stamps(&f, 40, 3);
	tcp_shutdown(f.conn);
	expect(&f, AF, 10, 2, "");
	expect_stamps(&f, 40, 3);
	tcp_reset(f.conn, f.now, 0);
	expect(&f, RA, 11, 2, "");
	expect_stamps(&f, 40, 3);
	feed(&f, AP, 2, 11, "late");
	expect(&f, RA, 11, 2, "");
	expect_stamps(&f, 40, 3);
	feed_fini(&f);
}

static void none_has_them_unless_agreed(void **state)
{
	(void)state;
	struct feed f;
	feed_init(&f);
	f.stamped = true;
	feed(&f, AP, 0, 0, "ab");
	wait_next(&f);
	expect(&f, A, 0, 2, "");
	assert_false(f.last.has_timestamps);
	f.ts_val -= 5;
	feed(&f, AP, 2, 0, "cd");
	expect_read(&f, "abcd");
	feed_fini(&f);
}

/* Section 5.4: a tick in a millisecond. */
static void our_clock_goes_on_from_the_far_one(void **state)
{
	(void)state;
	struct feed f;
	init(&f);
	f.now += 999;
	write_bytes(&f, 1);
	expect_size(&f, AP, 0, 0, 1);
	expect_stamps(&f, 0, 0);
	f.now += 1;
	write_bytes(&f, 1);
	expect_size(&f, AP, 1, 0, 1);
	expect_stamps(&f, 1, 0);
	f.now += 100 * SECOND;
	feed(&f, AP, 0, 2, "x");
	f.now += 40 * MS;
	expect(&f, A, 2, 1, "");
	expect_stamps(&f, 100041, 0);
	feed_fini(&f);
}

/* Section 3.2: silently; and a reset is taken without. */
static void a_segment_without_them_is_dropped(void **state)
{
	(void)state;
	struct feed f;
	init(&f);
	f.stamped = false;
	feed(&f, AP, 0, 0, "ab");
	expect_none(&f);
	assert_int_equal(take_events(&f), 0);
	assert_int_equal(stats_of(&f).malformed, 1);
	assert_int_equal(tcp_next(f.conn), UINT64_MAX);
	feed(&f, R, 0, 0, "");
	assert_int_equal(take_events(&f), TCP_EV_RESET | TCP_EV_FINISHED);
	feed_fini(&f);
}

/* Section 5.3, R1: answered by an ACK, of which there are not too many. */
static void outdated_segments_are_acknowledged_and_dropped(void **state)
{
	(void)state;
	struct feed f;
	init(&f);
	f.ts_val = THEIRS - 1;
	feed(&f, AP, 0, 0, "old");
	expect(&f, A, 0, 0, "");
	expect_stamps(&f, 0, 0);
	assert_int_equal(take_events(&f), 0);
	assert_int_equal(stats_of(&f).outdated, 1);
	f.ts_val = THEIRS;
	feed(&f, AP, 0, 0, "new");
	expect_read(&f, "new");
	wait_next(&f);
	expect(&f, A, 0, 3, "");
	f.now += SECOND;
	f.ts_val = (uint32_t)THEIRS + 0x7fffffff; /* the farthest that is still later */
	feed(&f, AP, 3, 0, "er");
	expect_read(&f, "er");
	wait_next(&f);
	expect(&f, A, 0, 5, "");
	unsigned sent = 0;
	for (int i = 0; i < 100; i++) {
		f.ts_val = THEIRS;
		feed(&f, AP, 5, 0, "old");
		sent += tcp_output(f.conn, f.now, &f.last, &f.events);
	}
	assert_int_equal(sent, 10);
	feed_fini(&f);
}

static void an_outdated_reset_is_a_reset(void **state)
{
	(void)state;
	struct feed f;
	init(&f);
	f.ts_val = THEIRS - 1000;
	feed(&f, R, 1, 0, "");
	expect(&f, A, 0, 0, ""); /* a challenge: its number is wrong */
	expect_stamps(&f, 0, 0);
	feed(&f, R, 0, 0, "");
	assert_int_equal(take_events(&f), TCP_EV_RESET | TCP_EV_FINISHED);
	feed_fini(&f);
}

/* Section 5.3, R3, and 4.3: a hole, or an ACK that is delayed, is not echoed by what came after it. */
static void the_earliest_unacknowledged_is_echoed(void **state)
{
	(void)state;
	struct feed f;
	static char full[SOME];
	init(&f);
	f.ts_val = THEIRS + 1;
	feed(&f, AP, 0, 0, "ab");
	f.ts_val = THEIRS + 2;
	feed(&f, AP, 2, 0, "cd");
	wait_next(&f);
	expect(&f, A, 0, 4, "");
	expect_stamps(&f, 40, 1); /* that of the first of two */
	f.ts_val = THEIRS + 4;
	feed(&f, AP, 6, 0, "gh"); /* beyond a hole */
	expect(&f, A, 0, 4, "");
	expect_stamps(&f, 40, 1);
	f.ts_val = THEIRS + 5;
	feed(&f, AP, 4, 0, "ef"); /* fills it: its own is echoed, also when it was sent later */
	expect(&f, A, 0, 8, "");
	expect_stamps(&f, 40, 5);
	f.ts_val = THEIRS + 9;
	feed_bytes(&f, AP, 70000, 0, full, SOME); /* outside the window */
	expect(&f, A, 0, 8, "");
	expect_stamps(&f, 40, 5);
	feed(&f, AP, 8, 1, "acknowledges what was not sent");
	expect(&f, A, 0, 8, "");
	expect_stamps(&f, 40, 5);
	feed_fini(&f);
}

/* Section 5.5. */
static void after_24_days_any_is_new(void **state)
{
	(void)state;
	struct feed f;
	init(&f);
	f.ts_val = THEIRS - 1;
	f.now += 24ull * 24 * 3600 * SECOND;
	feed(&f, AP, 0, 0, "old");
	expect(&f, A, 0, 0, "");
	f.now += 1;
	feed(&f, AP, 0, 0, "new");
	expect_read(&f, "new");
	f.now += 40 * MS;
	expect(&f, A, 0, 3, "");
	assert_int_equal(f.last.ts_ecr, THEIRS - 1);
	feed_fini(&f);
}

/* RFC 9293 3.7.1: what options take, payload lacks. */
static void payload_leaves_room_for_them(void **state)
{
	(void)state;
	struct feed f;
	init(&f);
	write_bytes(&f, 2 * SOME + 1);
	expect_size(&f, A, 0, 0, SOME);
	expect_size(&f, A, SOME, 0, SOME);
	expect_size(&f, AP, 2 * SOME, 0, 1);
	assert_true(tcp_path_mss(f.conn, seq_of(f.iss), 512));
	expect_size(&f, A, 0, 0, 500);
	expect_size(&f, A, 500, 0, SOME - 500);
	feed_fini(&f);
}

/* RFC 2018 section 3. */
static void three_blocks_fit_beside_them(void **state)
{
	(void)state;
	struct feed f;
	init(&f);
	for (uint32_t i = 1; i < 6; i++) {
		feed(&f, AP, i * 10, 0, "12345");
		expect(&f, A, 0, 0, "");
		assert_int_equal(f.last.sack_count, i < 3 ? i : 3);
	}
	uint8_t header[TCP_HEADER_MAX];
	assert_int_equal(tcp_seg_write(&f.last, header), TCP_HEADER_MAX);
	feed_fini(&f);
}

/* Section 4.1: of a segment that was sent twice, the echo tells which copy was answered, and ends the back-off. */
static void retransmissions_are_timed(void **state)
{
	(void)state;
	struct feed f;
	init(&f);
	write_bytes(&f, 10);
	expect_size(&f, AP, 0, 0, 10);
	wait_next(&f);
	expect_size(&f, AP, 0, 0, 10); /* the timeout */
	uint32_t sent = f.last.ts_val;
	assert_int_equal(stats_of(&f).timeouts, 1);
	f.now += 20 * MS;
	f.ts_ecr = sent;
	feed(&f, A, 0, 10, "");
	assert_in_range(stats_of(&f).srtt_us, 89 * MS, 91 * MS); /* 7/8 of 100 and 1/8 of 20 */
	assert_true(stats_of(&f).rto_us <= 400 * MS);
	feed_fini(&f);
}

/* Neither what the far endpoint sent before us, nor the first copy (its ACK may have been lost), nor what is to come. */
static void other_echoes_time_nothing(void **state)
{
	(void)state;
	static const uint32_t echoes[] = {(uint32_t)OURS - 1, (uint32_t)OURS, (uint32_t)OURS + 100000, 0x12345678};
	for (unsigned i = 0; i < sizeof(echoes) / sizeof(echoes[0]); i++) {
		struct feed f;
		init(&f);
		write_bytes(&f, 10);
		expect_size(&f, AP, 0, 0, 10);
		wait_next(&f);
		expect_size(&f, AP, 0, 0, 10);
		f.ts_ecr = echoes[i];
		feed(&f, A, 0, 10, "");
		assert_int_equal(stats_of(&f).srtt_us, 100 * MS);
		feed_fini(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_segment_has_them),
		cmocka_unit_test(none_has_them_unless_agreed),
		cmocka_unit_test(our_clock_goes_on_from_the_far_one),
		cmocka_unit_test(a_segment_without_them_is_dropped),
		cmocka_unit_test(outdated_segments_are_acknowledged_and_dropped),
		cmocka_unit_test(an_outdated_reset_is_a_reset),
		cmocka_unit_test(the_earliest_unacknowledged_is_echoed),
		cmocka_unit_test(after_24_days_any_is_new),
		cmocka_unit_test(payload_leaves_room_for_them),
		cmocka_unit_test(three_blocks_fit_beside_them),
		cmocka_unit_test(retransmissions_are_timed),
		cmocka_unit_test(other_echoes_time_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
