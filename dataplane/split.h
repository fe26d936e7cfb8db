/*
 * A split connection: two TCP endpoints of ours, each facing a real one, and between them only what comes down the
 * channel.
 *
 *     client ==frames== half[SIDE_CLIENT] --bytes up-->  channel  --bytes down--> half[SIDE_SERVER] ==frames== server
 *
 * What arrives marks the flow busy; split_run_busy() then does once, for all that arrived in the round, what has to be
 * done: bytes up while there is credit and room, segments out, credit back, the next deadline.
 */
#ifndef DATAPLANE_SPLIT_H
#define DATAPLANE_SPLIT_H

#include "worker.h"

enum split_limits {
	SPLIT_OVER_US = 3 * 1000000,   /* how long a finished connection still answers what is repeated */
	SPLIT_RESET_LINGER_US = 10 * 1000000,  /* how long a reset waits for bytes before it to be acknowledged */
	SPLIT_CREDIT_BYTES = CHANNEL_WINDOW / 4,       /* given back at once, or when all is acknowledged */
};

/*
 * Two halves for a flow whose handshake is noted, from the next byte of each side on; the client's window is as it was
 * on the wire. For VIA_CHANNEL it is announced upward. False, and counted: there is no room, no memory, or nobody above.
 */
bool split_take_over(struct worker *worker, struct flow *flow, enum flow_via via, uint16_t client_window)
	__attribute__((warn_unused_result, nonnull));

/* From now on it is guarded: it is announced upward. */
void split_into_channel(struct worker *worker, struct flow *flow) __attribute__((nonnull));

/* The client's ACK completed the handshake. Takes the arrival. */
void split_open(struct worker *worker, struct flow *flow, struct arrival *arrival) __attribute__((nonnull));

/* A segment of a split connection, or of one that is over. Takes the arrival. */
void split_segment(struct worker *worker, struct flow *flow, enum conn_side side, struct arrival *arrival)
	__attribute__((nonnull));

/* The path to this endpoint takes no segments with more than `mss` bytes, said who quoted one of ours. True if it was to
 * be believed, and new. */
bool split_too_big(struct worker *worker, struct flow *flow, enum conn_side side, struct seq quoted, uint16_t mss)
	__attribute__((nonnull));

/* What comes down the channel for one side. 0 or -EPROTO. */
int split_bytes(struct worker *worker, struct flow *flow, enum conn_side side, const uint8_t *bytes, uint32_t n)
	__attribute__((warn_unused_result, nonnull));
int split_end_of_stream(struct worker *worker, struct flow *flow, enum conn_side side)
	__attribute__((warn_unused_result, nonnull));
void split_reset(struct worker *worker, struct flow *flow, enum conn_side side) __attribute__((nonnull));
int split_credit(struct worker *worker, struct flow *flow, enum conn_side side, uint32_t bytes)
	__attribute__((warn_unused_result, nonnull));

/* Bytes that nobody will read any more must not close the endpoint's window. */
void half_discard(struct half *half) __attribute__((nonnull));

/* Time has come for some. Returns how many. */
unsigned split_run_deadlines(struct worker *worker) __attribute__((nonnull));
void split_run_busy(struct worker *worker) __attribute__((nonnull));
void split_expire(struct worker *worker) __attribute__((nonnull));

/* Those that waited for room in the channel are looked at again if there is some now. */
void split_feed_starved(struct worker *worker) __attribute__((nonnull));

/* Ends a FLOW_OVER whose ports are used again, not being configured ones. False: no memory, the flow is forgotten. */
bool split_end(struct worker *worker, struct flow *flow) __attribute__((warn_unused_result, nonnull));

/* Frees a flow of any state, without a word to anybody. */
void split_forget(struct worker *worker, struct flow *flow) __attribute__((nonnull));

/* Nobody is above any more: every guarded connection is reset towards both ends, and passes nothing any more. */
void split_reset_all(struct worker *worker) __attribute__((nonnull));

#endif
