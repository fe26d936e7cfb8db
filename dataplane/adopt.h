/*
 * Adoption: the handshake of a guarded connection passes through between the real endpoints, so that a closed port or a
 * filtered host looks as it does without a guard. It is edited so that both halves can be kept, and noted; with the
 * client's first ACK the connection is split.
 */
#ifndef DATAPLANE_ADOPT_H
#define DATAPLANE_ADOPT_H

#include "worker.h"

enum adopt_limits { ADOPT_HALF_OPEN_US = 60 * 1000000 };

/* All of them take the arrival. */
void adopt_syn(struct worker *worker, const struct flow_key *key, bool src_first, struct arrival *arrival)
	__attribute__((nonnull));
void adopt_segment(struct worker *worker, struct flow *flow, enum conn_side side, struct arrival *arrival)
	__attribute__((nonnull));

/* What a SYN-ACK settles for both halves, noted; returns it as the client may see it. Does not take the arrival. */
struct tcp_seg adopt_note_syn_ack(struct worker *worker, struct flow *flow, const struct arrival *arrival)
	__attribute__((nonnull));

/* Sends on what says something without carrying anything: payload and options are cut off. */
void adopt_pass_bare(struct worker *worker, struct arrival *arrival) __attribute__((nonnull));

/* Forgets handshakes that were not finished in time. */
void adopt_expire(struct worker *worker) __attribute__((nonnull));

#endif
