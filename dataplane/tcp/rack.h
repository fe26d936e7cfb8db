/* RACK-TLP, RFC 8985: loss by time, and a probe for what was lost at the tail. */
#ifndef TCP_RACK_H
#define TCP_RACK_H

#include "sent.h"

struct tcp_conn;
struct ack_report;

struct rack {
	uint64_t time;                 /* transmission of the segment sent last of those that arrived; 0: none yet */
	struct seq end, forward;       /* its end; the highest end that arrived */
	struct seq round;              /* of the D-SACK that widened the window */
	uint32_t rtt_us;
	uint8_t widening;              /* reo_wnd_mult - 1 */
	uint8_t persist;               /* recoveries until it is narrow again */
	bool reordering;
};

struct tail_probe {
	enum { TAIL_PROBE_NONE, TAIL_PROBE_NEW, TAIL_PROBE_AGAIN } kind;
	struct seq end;
};

void rack_on_delivered(struct tcp_conn *conn, uint64_t now, const struct sent *sent) __attribute__((nonnull));
void rack_on_ack(struct tcp_conn *conn, const struct ack_report *report) __attribute__((nonnull));
void rack_on_recovered(struct tcp_conn *conn) __attribute__((nonnull));

/* Marks what is lost. When to look again, UINT64_MAX: not by time. */
uint64_t rack_detect(struct tcp_conn *conn, uint64_t now) __attribute__((nonnull));
void rack_detect_on_timeout(struct tcp_conn *conn, uint64_t now) __attribute__((nonnull));

/* Time to wait for an ACK before a probe is due; 0: no probe. */
uint64_t rack_probe_after_us(const struct tcp_conn *conn) __attribute__((nonnull));
void rack_probe_on_ack(struct tcp_conn *conn, const struct ack_report *report) __attribute__((nonnull));

#endif
