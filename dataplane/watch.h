/*
 * Connections on ports that are not configured: let through as they are, but watched until the first bytes of the client
 * tell what they are. XMPP between servers is then guarded (or blocked, as configured) whatever the port.
 *
 * The handshake passes untouched, and is noted. The client's first segments are held until they can be judged, mostly with
 * the first one; then they leave as they came, and the connection is forgotten as soon as the server has acknowledged what
 * was judged: until then those bytes may come again, and must be the same. What is sent in any odd way (slowly, out of
 * order, urgent) is put in order by two endpoints of ours (split.h) before it is judged.
 *
 * Nothing here takes a byte from traffic that is not XMPP. What may get by: a connection whose beginning was not seen, and
 * one that is pushed out of the table by FLOWS_WATCHED_MAX others that have not said anything either (counted).
 */
#ifndef DATAPLANE_WATCH_H
#define DATAPLANE_WATCH_H

#include "opening.h"
#include "worker.h"

enum watch_limits {
	WATCH_HELD_MAX = 16,           /* segments of one connection */
	WATCH_HELD_ALL_MAX = 2048,     /* of all; more are not let through, so that they are sent again */
	WATCH_HOLD_US = 50 * 1000,     /* then the connection is split, and the sender gets its ACK */
	WATCH_GIVE_UP_US = 30 * 1000000,       /* held all the time: what hinders is not going to end */
	WATCH_SEEN_US = 60 * 1000000,
	WATCH_BLOCKED_US = 300 * 1000000,      /* after its last segment */
};

struct watch {
	struct handshake again;        /* of a SYN that may or may not begin a new connection on the same ports */
	bool has_again;
	bool server_ended;             /* its FIN has passed */
	struct seq server_next;        /* behind what has passed to the client, */
	struct seq server_acked;       /* of which this was acknowledged */
	uint16_t client_window;        /* as last sent */
	uint64_t held_at;
	unsigned held_count;
	uint32_t held_bytes;
	struct arrival *held;          /* [WATCH_HELD_MAX], in order and without gaps; or NULL */
	uint8_t *judged;               /* FLOW_JUDGED: the bytes that the judgement was about */
	uint32_t judged_len;
};

/* A SYN, whole and with good checksums, of a port that is not guarded; `flow` may be NULL. Takes the arrival. */
void watch_syn(struct worker *worker, struct flow *flow, const struct flow_key *key, bool src_first,
	struct arrival *arrival) __attribute__((nonnull(1, 3, 5)));

void watch_syn_ack(struct worker *worker, struct flow *flow, struct arrival *arrival) __attribute__((nonnull));

/* Any other segment of a flow in FLOW_SEEN to FLOW_BLOCKED, whole and with good checksums. Takes the arrival. */
void watch_segment(struct worker *worker, struct flow *flow, enum conn_side side, struct arrival *arrival)
	__attribute__((nonnull));

/* What was held has waited long enough. */
void watch_run(struct worker *worker, struct flow *flow) __attribute__((nonnull));

/* Nothing of this connection, which is not split (any more), passes for a while. False: there was no memory, and it is
 * forgotten. */
bool watch_block(struct worker *worker, struct flow *flow) __attribute__((warn_unused_result, nonnull));

/* What is done with a connection that begins like this; says so upward where it is configured. */
enum watch_verdict { WATCH_PASS, WATCH_GUARD, WATCH_BLOCK };
enum watch_verdict watch_verdict(struct worker *worker, const struct flow *flow, enum opening opening)
	__attribute__((nonnull));

/* For the two files of this only. The oldest gives way where a state has no more room. */
void watch_set_state(struct worker *worker, struct flow *flow, enum flow_state state) __attribute__((nonnull));
void watch_blocked_segment(struct worker *worker, struct flow *flow, struct arrival *arrival) __attribute__((nonnull));

/* Frees what a flow holds for this. */
void watch_free(struct worker *worker, struct flow *flow) __attribute__((nonnull));

/* Forgets what was not finished in time. */
void watch_expire(struct worker *worker) __attribute__((nonnull));

#endif
