/* Congestion avoidance of RFC 5681: a segment more for each window's worth of acknowledged bytes; half on loss. */
#include "cc.h"

static void on_ack(struct cc *cc, uint64_t now, uint32_t acked, uint32_t srtt_us)
{
	(void)now, (void)srtt_us;
	cc->credit += acked;
	if (cc->credit < cc->cwnd)
		return;
	cc->credit -= cc->cwnd;
	cc->cwnd += cc->mss;
}

static uint32_t on_loss(struct cc *cc, uint32_t flight)
{
	(void)cc;
	return flight / 2;
}

const struct cc_ops cc_newreno = {.name = "newreno", .on_ack = on_ack, .on_loss = on_loss};
