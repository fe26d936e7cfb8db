/* Round-trip time against RFC 6298, congestion windows against RFC 5681, 6928 and 9438: numbers worked out by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dataplane/tcp/cc.h"
#include "dataplane/tcp/rtt.h"

enum { MSS = 1000, MS = 1000, SECOND = 1000 * MS };

static void first_sample_sets_the_timeout(void **state)
{
	(void)state;
	struct rtt rtt;
	rtt_init(&rtt);
	assert_int_equal(rtt_timeout_us(&rtt), SECOND);
	rtt_sample(&rtt, 100 * MS);
	assert_int_equal(rtt.srtt_us, 100 * MS);
	assert_int_equal(rtt.var_us, 50 * MS);
	assert_int_equal(rtt_timeout_us(&rtt), 300 * MS);
	rtt_sample(&rtt, 200 * MS);
	assert_int_equal(rtt.srtt_us, 112500);
	assert_int_equal(rtt.var_us, 62500);
	assert_int_equal(rtt_timeout_us(&rtt), 362500);
	assert_int_equal(rtt.min_us, 100 * MS);
}

static void timeout_has_bounds(void **state)
{
	(void)state;
	struct rtt rtt;
	rtt_init(&rtt);
	for (int i = 0; i < 100; i++)
		rtt_sample(&rtt, 0);
	assert_int_equal(rtt_timeout_us(&rtt), 200 * MS);
	rtt_init(&rtt);
	rtt_sample(&rtt, UINT64_MAX);
	assert_int_equal(rtt_timeout_us(&rtt), 60 * SECOND);
	for (int i = 0; i < 1000; i++)
		rtt_back_off(&rtt);
	assert_int_equal(rtt_timeout_us(&rtt), 60 * SECOND);
}

static void back_off_ends_with_a_sample(void **state)
{
	(void)state;
	struct rtt rtt;
	rtt_init(&rtt);
	rtt_sample(&rtt, 100 * MS);
	rtt_back_off(&rtt);
	rtt_back_off(&rtt);
	assert_int_equal(rtt_timeout_us(&rtt), 1200 * MS);
	rtt_sample(&rtt, 100 * MS);
	assert_in_range(rtt_timeout_us(&rtt), 200 * MS, 300 * MS);
}

static void initial_window_is_that_of_rfc_6928(void **state)
{
	(void)state;
	static const struct { uint32_t mss, window; } rows[] = {
		{536, 5360}, {1000, 10000}, {1460, 14600}, {2000, 14600}, {8960, 17920}};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cc cc;
		cc_init(&cc, TCP_CC_CUBIC, rows[i].mss);
		assert_int_equal(cc.cwnd, rows[i].window);
	}
}

static void reno_adds_a_segment_for_each_window(void **state)
{
	(void)state;
	struct cc cc;
	cc_init(&cc, TCP_CC_NEWRENO, MSS);
	cc_on_loss(&cc, 20000);
	cc_on_recovered(&cc);
	assert_int_equal(cc.cwnd, 10000);
	for (int i = 0; i < 9; i++)
		cc_on_ack(&cc, SECOND, MSS, 0);
	assert_int_equal(cc.cwnd, 10000);
	cc_on_ack(&cc, SECOND, MSS, 0);
	assert_int_equal(cc.cwnd, 11000);
	for (int i = 0; i < 11; i++)
		cc_on_ack(&cc, SECOND, MSS, 0);
	assert_int_equal(cc.cwnd, 12000);
}

static void threshold_is_two_segments_at_least(void **state)
{
	(void)state;
	for (enum tcp_cc which = TCP_CC_CUBIC; which <= TCP_CC_NEWRENO; which++) {
		struct cc cc;
		cc_init(&cc, which, MSS);
		cc_on_loss(&cc, 1000);
		assert_int_equal(cc.ssthresh, 2000);
		cc_on_timeout(&cc, 50000, false); /* again for the same segment */
		assert_int_equal(cc.ssthresh, 2000);
		assert_int_equal(cc.cwnd, 1000);
	}
}

/* ACKs that come as fast as a constant round trip of 100 ms and the window let them, for so long. */
static uint64_t acknowledge_for(struct cc *cc, uint64_t now, uint64_t us)
{
	for (uint64_t end = now + us; now < end;) {
		now += 100ull * MS * MSS / cc->cwnd;
		cc_on_ack(cc, now, MSS, 100 * MS);
	}
	return now;
}

static void cubic_follows_its_curve(void **state)
{
	(void)state;
	struct cc cc;
	cc_init(&cc, TCP_CC_CUBIC, MSS);
	cc.cwnd = 400000;
	cc_on_loss(&cc, 400000);
	cc_on_recovered(&cc);
	assert_int_equal(cc.cwnd, 280000);
	uint64_t start = 5 * SECOND, now = start;
	double k = cbrt((400 - 280) / 0.4); /* 6.69 s */
	for (int second = 1; second <= 10; second++) {
		now = acknowledge_for(&cc, now, SECOND);
		double t = (double)(now - start) / SECOND + 0.1, curve = 0.4 * pow(t - k, 3) + 400;
		assert_true(fabs(cc.cwnd / 1000.0 - curve) < 4);
	}
	assert_in_range(cc.cwnd, 410000, 425000);
}

/* With a small window and a short round trip CUBIC is no slower than Reno of the same decrease. */
static void cubic_is_friendly(void **state)
{
	(void)state;
	struct cc cc;
	cc_init(&cc, TCP_CC_CUBIC, MSS);
	cc.cwnd = 20000;
	cc_on_loss(&cc, 20000);
	cc_on_recovered(&cc);
	acknowledge_for(&cc, 5 * SECOND, 1 * SECOND);
	assert_in_range(cc.cwnd, 14000 + 10 * 529 - 500, 14000 + 10 * 529 + 1500);
}

static void cubic_converges_fast(void **state)
{
	(void)state;
	struct cc cc;
	cc_init(&cc, TCP_CC_CUBIC, MSS);
	cc.cwnd = 100000;
	cc_on_loss(&cc, 100000);
	cc_on_recovered(&cc);
	assert_int_equal(cc.cubic.max, 100000);
	cc.cwnd = 80000;
	cc_on_loss(&cc, 80000); /* lost again below the last maximum: another flow wants its share */
	assert_int_equal(cc.cubic.max, 68000);
	assert_int_equal(cc.ssthresh, 56000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_sample_sets_the_timeout),
		cmocka_unit_test(timeout_has_bounds),
		cmocka_unit_test(back_off_ends_with_a_sample),
		cmocka_unit_test(initial_window_is_that_of_rfc_6928),
		cmocka_unit_test(reno_adds_a_segment_for_each_window),
		cmocka_unit_test(threshold_is_two_segments_at_least),
		cmocka_unit_test(cubic_follows_its_curve),
		cmocka_unit_test(cubic_is_friendly),
		cmocka_unit_test(cubic_converges_fast),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
