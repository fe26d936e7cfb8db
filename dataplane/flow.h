/*
 * The connections that are guarded, or watched until it is known whether they are to be; found by their two endpoints from
 * either direction. On a guarded port:
 *
 *     FLOW_HALF_OPEN --client's ACK--> FLOW_SPLIT --both halves finished--> FLOW_OVER --a little later--> FLOW_FREE
 *
 * On any other port (watch.h):
 *
 *     FLOW_SEEN --SYN-ACK--> FLOW_WATCHED --first bytes of others--> FLOW_JUDGED --acknowledged--> FLOW_FREE
 *                                  |------XMPP between servers-----> FLOW_SPLIT --> FLOW_OVER --> FLOW_BLOCKED
 *                                  '------the same, not wanted-----> FLOW_BLOCKED --a while later--> FLOW_FREE
 *
 * A flow is in exactly one list, that of its state, oldest first.
 */
#ifndef DATAPLANE_FLOW_H
#define DATAPLANE_FLOW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "dataplane/base/proc.h"
#include "dataplane/tcp/tcp.h"
#include "path.h"

enum flow_limits {
	/* of all lanes together, which have an equal share each */
	FLOWS_HALF_OPEN_MAX = 65536,
	FLOWS_SPLIT_MAX = 16384,       /* with those that are over */
	FLOWS_SEEN_MAX = 32768,
	FLOWS_WATCHED_MAX = 32768,     /* each of FLOW_WATCHED and FLOW_JUDGED */
	FLOWS_BLOCKED_MAX = 4096,
	FLOWS_MAX = FLOWS_HALF_OPEN_MAX + FLOWS_SPLIT_MAX + FLOWS_SEEN_MAX + 2 * FLOWS_WATCHED_MAX + FLOWS_BLOCKED_MAX,
	FLOW_FILTER_SLOTS = 1 << 15,
};

enum flow_state { FLOW_FREE, FLOW_HALF_OPEN, FLOW_SPLIT, FLOW_OVER, FLOW_SEEN, FLOW_WATCHED, FLOW_JUDGED, FLOW_BLOCKED,
	FLOW_STATES };

/* Where the bytes of a split connection go. */
enum flow_via {
	VIA_CHANNEL,                   /* up, and what comes down for the other half */
	VIA_JUDGE,                     /* the client's are collected until its first ones can be judged */
	VIA_RELAY,                     /* from half to half: not XMPP, but sent in a way that had to be put in order */
};

/* The lesser endpoint first, so that both directions have the same key. */
struct flow_key {
	uint8_t addr[2][16];
	uint16_t port[2];
	uint32_t family;
};
static_assert(sizeof(struct flow_key) == 40, "no padding: it is hashed");

/* What SYN and SYN-ACK have settled, by the side that said it. */
struct handshake {
	bool server_spoke;             /* a good SYN-ACK was seen */
	bool is_doubtful;              /* there were several SYNs that differ: the SYN-ACK tells which one counts */
	uint16_t syn_bytes;            /* of data that passed with the SYN */
	struct seq isn[SIDES];
	uint16_t mss[SIDES];
	uint8_t wscale[SIDES];         /* TCP_WSCALE_NONE: not offered */
	bool sack[SIDES];
	bool ecn[SIDES];               /* as offered and as accepted (RFC 3168 6.1.1); only in what was not edited, */
	bool timestamps[SIDES];        /* as these */
	uint32_t ts_val[SIDES];        /* the last one of this side */
	uint16_t server_window;
	uint64_t syn_at, syn_ack_at;   /* us; 0: sent more than once, tells no round trip */
	uint64_t rtt_us[SIDES];
};

/* Waiting to be looked at: before this round ends, or when the channel has room again. */
enum flow_turn { TURN_NONE, TURN_BUSY, TURN_STARVED };

/* How far what an endpoint sends has been told upward. */
enum upward { UPWARD_OPEN, UPWARD_FIN_SEEN, UPWARD_DONE };

/* What may still come downward for an endpoint. */
enum downward { DOWNWARD_OPEN, DOWNWARD_ENDED, DOWNWARD_RESET };

struct half {
	struct tcp_conn *conn;
	enum upward upward;
	enum downward downward;
	bool over;                     /* the endpoint is done with us */
	uint32_t credit;               /* bytes that may still be sent up */
	uint32_t queued;               /* bytes that came down and whose credit was not given back */
};

struct flow {
	TAILQ_ENTRY(flow) order;       /* in the list of its state */
	TAILQ_ENTRY(flow) queue;       /* in the list of its turn */
	struct flow_key key;
	enum flow_state state;
	enum wire client_wire;
	bool client_is_first;          /* in the key */
	bool own;                      /* the client is the guard itself (dial.h) */
	enum flow_turn turn;
	enum flow_via via;
	struct watch *watch;           /* FLOW_SEEN to FLOW_BLOCKED, and while VIA_JUDGE */
	uint64_t id;
	uint64_t expires;              /* us; FLOW_HALF_OPEN, FLOW_OVER, FLOW_SEEN and FLOW_BLOCKED; else UINT64_MAX */
	uint64_t deadline;             /* us; of the earliest timer of the halves, as armed */
	unsigned deadline_at;          /* place in the heap, 0: not armed */
	struct handshake handshake;
	struct path path[SIDES];       /* to this endpoint */
	struct path_link link[SIDES];  /* as seen from this endpoint */
	struct half half[SIDES];
};

/* Notes what a SYN (of the client) or SYN-ACK (of the server) says. */
void handshake_note(struct handshake *handshake, enum conn_side side, const struct tcp_seg *seg, uint8_t family)
	__attribute__((nonnull));

TAILQ_HEAD(flow_list, flow);

struct flow_table {
	struct rte_hash *hash;
	struct flow *flows;            /* [FLOWS_MAX], touched as needed */
	struct proc_lane lane;
	unsigned max[FLOW_STATES];     /* the lane's share; FLOW_SPLIT with those that are over */
	unsigned fresh;                /* flows from here on were never used */
	uint64_t serial;               /* of the next connection id; lanes count in steps, so that they share none */
	struct flow_list list[FLOW_STATES];
	unsigned count[FLOW_STATES];
	uint32_t filter[FLOW_FILTER_SLOTS];    /* how many flows have a key of this kind */
};

static inline enum wire flow_wire(const struct flow *flow, enum conn_side side)
{
	return side == SIDE_CLIENT ? flow->client_wire : wire_other(flow->client_wire);
}

/* 0 or -ENOMEM. */
int flow_table_init(struct flow_table *table, struct proc_lane lane) __attribute__((warn_unused_result, nonnull));
void flow_table_fini(struct flow_table *table) __attribute__((nonnull));

/* Fills the key of a FRAME_TCP; true if its sender is the first endpoint. */
bool flow_key_of(struct flow_key *key, const struct frame *frame) __attribute__((nonnull));

struct flow *flow_find(const struct flow_table *table, const struct flow_key *key) __attribute__((nonnull));

/* False: there is no flow for this FRAME_TCP or FRAME_TCP_PART, which costs less than looking. True: there may be one. */
bool flow_may_exist(const struct flow_table *table, const struct frame *frame) __attribute__((nonnull));

/* A flow in this state, zeroed but for its key. NULL if there is no room: its state's list is full (then evict first) or
 * memory is short. */
struct flow *flow_new(struct flow_table *table, const struct flow_key *key, enum flow_state state)
	__attribute__((nonnull));
bool flow_list_is_full(const struct flow_table *table, enum flow_state state) __attribute__((nonnull));
void flow_set_state(struct flow_table *table, struct flow *flow, enum flow_state state) __attribute__((nonnull));
void flow_free(struct flow_table *table, struct flow *flow) __attribute__((nonnull)); /* not the tcp_conns */

/* To the end of its list: it is the youngest again. */
void flow_touch(struct flow_table *table, struct flow *flow) __attribute__((nonnull));

/* Gives it an id that was never used. */
void flow_name(struct flow_table *table, struct flow *flow) __attribute__((nonnull));
bool flow_was_named(const struct flow_table *table, uint64_t id) __attribute__((nonnull));
struct flow *flow_by_id(const struct flow_table *table, uint64_t id) __attribute__((nonnull)); /* FLOW_SPLIT, or NULL */

#endif
