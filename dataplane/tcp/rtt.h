/* Round-trip time and retransmission timeout: RFC 6298. */
#ifndef TCP_RTT_H
#define TCP_RTT_H

#include <stdint.h>

struct rtt {
	uint32_t srtt_us, var_us, rto_us; /* srtt_us 0: not measured yet */
	uint32_t min_us;                  /* least of all samples; UINT32_MAX: none */
	uint8_t backoff;
};

void rtt_init(struct rtt *rtt) __attribute__((nonnull));
void rtt_sample(struct rtt *rtt, uint64_t us) __attribute__((nonnull)); /* ends the back-off: Karn's rule */
void rtt_back_off(struct rtt *rtt) __attribute__((nonnull));
uint32_t rtt_timeout_us(const struct rtt *rtt) __attribute__((nonnull));

#endif
