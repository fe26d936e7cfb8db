/*
 * Repair of loss: when a segment counts as lost, and how much may be sent meanwhile. With SACK: RACK-TLP (RFC 8985);
 * without: three duplicate ACKs and NewReno (RFC 6582). Both: the rate of RFC 6937 (PRR) until the loss is repaired, and
 * the retransmission timeout behind it all.
 */
#ifndef TCP_RECOVERY_H
#define TCP_RECOVERY_H

#include "cc.h"
#include "rack.h"

enum { REPAIRS_MAX = 16 };

struct tcp_conn;

enum phase {
	PHASE_OPEN,
	PHASE_RECOVERY,                /* loss was inferred from what arrived */
	PHASE_LOSS,                    /* the retransmission timer expired */
};

/* What it takes to undo the last reduction, should D-SACKs say of all that was sent again that it had not been lost. */
struct regret {
	struct cc before;
	struct seq repair[REPAIRS_MAX]; /* segments that were sent again, and of which none yet said so */
	uint32_t repairs;              /* how many; more than fit: this is beyond regret */
};

struct recovery {
	enum phase phase;
	struct seq until;              /* acknowledged: the phase is over */
	uint32_t dup_acks;             /* without SACK: segments that left the network, unknown which */
	uint32_t delivered, sent, flight; /* prr_delivered, prr_out, RecoverFS of RFC 6937 */
	struct rack rack;
	struct tail_probe probe;
	struct regret regret;
};

/* What one acknowledgement said. */
struct ack_report {
	struct seq ack;
	uint32_t acked, delivered;     /* bytes: by the cumulative ACK; and all that are known to have arrived newly */
	uint32_t segments;             /* by the cumulative ACK, whole */
	uint64_t newest;               /* when the latest segment that it reports was sent; 0: none */
	bool ambiguous;                /* it reports one that was sent twice: which copy it answers is not known (Karn) */
	bool duplicate, again;         /* of RFC 5681; D-SACK */
	struct seq again_at;           /* what came twice, if it did */
};

void recovery_on_ack(struct tcp_conn *conn, uint64_t now, const struct ack_report *report) __attribute__((nonnull));
void recovery_on_timeout(struct tcp_conn *conn, uint64_t now) __attribute__((nonnull));
void recovery_on_reorder_timer(struct tcp_conn *conn, uint64_t now) __attribute__((nonnull));
void recovery_on_sent(struct tcp_conn *conn, uint32_t bytes) __attribute__((nonnull));
void recovery_on_sent_again(struct tcp_conn *conn, struct seq seq) __attribute__((nonnull));

/* Bytes that the congestion window still takes. */
uint32_t recovery_room(const struct tcp_conn *conn) __attribute__((nonnull));

#endif
