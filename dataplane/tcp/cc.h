/* Congestion control: how much may be in flight. Bytes throughout. */
#ifndef TCP_CC_H
#define TCP_CC_H

#include <stdint.h>

#include "tcp.h"

struct cc;

struct cc_ops {
	const char *name;
	void (*on_ack)(struct cc *cc, uint64_t now, uint32_t acked, uint32_t srtt_us); /* congestion avoidance only */
	uint32_t (*on_loss)(struct cc *cc, uint32_t flight);                           /* the new slow start threshold */
};

struct cubic {
	uint64_t epoch;                /* when congestion avoidance began; 0: not yet */
	uint32_t max, estimate;        /* W_max; W_est of RFC 9438 4.3 */
	uint32_t k_ms, start;          /* K; cwnd at the beginning of the epoch */
};

struct cc {
	const struct cc_ops *ops;
	uint32_t mss, cwnd, ssthresh;
	uint32_t credit;               /* bytes acknowledged that have not yet been worth a segment */
	struct cubic cubic;
};

void cc_init(struct cc *cc, enum tcp_cc which, uint32_t mss) __attribute__((nonnull));
void cc_set_mss(struct cc *cc, uint32_t mss) __attribute__((nonnull));

/* Bytes were acknowledged while the window was what limited sending. */
void cc_on_ack(struct cc *cc, uint64_t now, uint32_t acked, uint32_t srtt_us) __attribute__((nonnull));

/* Loss was inferred: sets the threshold; the window during recovery is recovery's. */
void cc_on_loss(struct cc *cc, uint32_t flight) __attribute__((nonnull));
void cc_on_timeout(struct cc *cc, uint32_t flight, bool first) __attribute__((nonnull));
void cc_on_recovered(struct cc *cc) __attribute__((nonnull));
void cc_on_idle(struct cc *cc) __attribute__((nonnull)); /* nothing was sent for a retransmission timeout */

extern const struct cc_ops cc_newreno, cc_cubic;

#endif
