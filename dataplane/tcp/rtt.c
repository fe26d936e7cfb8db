/* Round-trip time and retransmission timeout; see rtt.h. */
#include "limits.h"
#include "rtt.h"

void rtt_init(struct rtt *rtt)
{
	*rtt = (struct rtt){.rto_us = RTO_INITIAL_US, .min_us = UINT32_MAX};
}

static uint32_t clamp(uint64_t value, uint32_t min, uint32_t max)
{
	if (value < min)
		return min;
	return value > max ? max : (uint32_t)value;
}

/* Equations 2.2 and 2.3; alpha is 1/8, beta 1/4. The least step of the variance stands for the clock's granularity. */
void rtt_sample(struct rtt *rtt, uint64_t us)
{
	uint32_t sample = clamp(us, 1, RTO_MAX_US);
	if (!rtt->srtt_us) {
		rtt->srtt_us = sample;
		rtt->var_us = sample / 2;
	} else {
		uint32_t error = sample > rtt->srtt_us ? sample - rtt->srtt_us : rtt->srtt_us - sample;
		rtt->var_us = (uint32_t)((3 * (uint64_t)rtt->var_us + error) / 4);
		rtt->srtt_us = (uint32_t)((7 * (uint64_t)rtt->srtt_us + sample) / 8);
	}
	if (sample < rtt->min_us)
		rtt->min_us = sample;
	rtt->rto_us = clamp(rtt->srtt_us + 4 * (uint64_t)rtt->var_us, RTO_MIN_US, RTO_MAX_US);
	rtt->backoff = 0;
}

void rtt_back_off(struct rtt *rtt)
{
	if (rtt_timeout_us(rtt) < RTO_MAX_US)
		rtt->backoff++;
}

uint32_t rtt_timeout_us(const struct rtt *rtt)
{
	return clamp((uint64_t)rtt->rto_us << rtt->backoff, RTO_MIN_US, RTO_MAX_US);
}
