/* What every congestion control shares: slow start, and what follows a timeout or a pause. */
#include "cc.h"

/* RFC 6928 section 2. */
static uint32_t initial_window(uint32_t mss)
{
	uint32_t most = 2 * mss > 14600 ? 2 * mss : 14600;
	return 10 * mss < most ? 10 * mss : most;
}

void cc_init(struct cc *cc, enum tcp_cc which, uint32_t mss)
{
	*cc = (struct cc){.ops = which == TCP_CC_NEWRENO ? &cc_newreno : &cc_cubic, .mss = mss,
		.cwnd = initial_window(mss), .ssthresh = UINT32_MAX};
}

void cc_set_mss(struct cc *cc, uint32_t mss)
{
	cc->mss = mss;
	if (cc->cwnd < mss)
		cc->cwnd = mss;
}

/* Slow start counts bytes (RFC 3465), two segments' worth for an ACK at the most; what is left over is for avoidance. */
static uint32_t slow_start(struct cc *cc, uint32_t acked)
{
	uint32_t step = acked < 2 * cc->mss ? acked : 2 * cc->mss;
	if (step > cc->ssthresh - cc->cwnd)
		step = cc->ssthresh - cc->cwnd;
	cc->cwnd += step;
	return cc->cwnd < cc->ssthresh ? 0 : acked - step;
}

void cc_on_ack(struct cc *cc, uint64_t now, uint32_t acked, uint32_t srtt_us)
{
	enum { CWND_MAX = 1 << 30 };
	if (cc->cwnd < cc->ssthresh)
		acked = slow_start(cc, acked);
	if (acked && cc->cwnd < CWND_MAX)
		cc->ops->on_ack(cc, now, acked, srtt_us);
}

void cc_on_loss(struct cc *cc, uint32_t flight)
{
	uint32_t ssthresh = cc->ops->on_loss(cc, flight);
	cc->ssthresh = ssthresh > 2 * cc->mss ? ssthresh : 2 * cc->mss;
	cc->credit = 0;
}

/* RFC 5681 3.1, equation 4: a segment that is lost again does not halve the threshold again. */
void cc_on_timeout(struct cc *cc, uint32_t flight, bool first)
{
	if (first)
		cc_on_loss(cc, flight);
	cc->cwnd = cc->mss;
}

void cc_on_recovered(struct cc *cc)
{
	cc->cwnd = cc->ssthresh;
}

/* RFC 5681 4.1. */
void cc_on_idle(struct cc *cc)
{
	uint32_t restart = initial_window(cc->mss);
	if (cc->cwnd > restart)
		cc->cwnd = restart;
	cc->cubic.epoch = 0;
}
