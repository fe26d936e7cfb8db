/*
 * The guarded connections, found by their two endpoints from either direction.
 *
 *     FLOW_HALF_OPEN --client's ACK--> FLOW_SPLIT --both halves finished--> FLOW_OVER --a little later--> FLOW_FREE
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
	FLOWS_MAX = FLOWS_HALF_OPEN_MAX + FLOWS_SPLIT_MAX,
};

enum flow_state { FLOW_FREE, FLOW_HALF_OPEN, FLOW_SPLIT, FLOW_OVER, FLOW_STATES };

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
	struct seq isn[SIDES];
	uint16_t mss[SIDES];
	uint8_t wscale[SIDES];         /* TCP_WSCALE_NONE: not offered */
	bool sack[SIDES];
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
	enum flow_turn turn;
	uint64_t id;
	uint64_t expires;              /* us; FLOW_HALF_OPEN and FLOW_OVER */
	uint64_t deadline;             /* us; of the earliest timer of the halves, as armed */
	unsigned deadline_at;          /* place in the heap, 0: not armed */
	struct handshake handshake;
	struct path path[SIDES];       /* to this endpoint */
	struct path_link link[SIDES];  /* as seen from this endpoint */
	struct half half[SIDES];
};

TAILQ_HEAD(flow_list, flow);

struct flow_table {
	struct rte_hash *hash;
	struct flow *flows;            /* [FLOWS_MAX], touched as needed */
	struct proc_lane lane;
	unsigned half_open_max, split_max;     /* the lane's share; split with those that are over */
	unsigned fresh;                /* flows from here on were never used */
	uint64_t serial;               /* of the next connection id; lanes count in steps, so that they share none */
	struct flow_list list[FLOW_STATES];
	unsigned count[FLOW_STATES];
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

/* A half-open flow, zeroed but for key and state. NULL if there is no room: then evict first. */
struct flow *flow_new(struct flow_table *table, const struct flow_key *key) __attribute__((nonnull));
void flow_set_state(struct flow_table *table, struct flow *flow, enum flow_state state) __attribute__((nonnull));
void flow_free(struct flow_table *table, struct flow *flow) __attribute__((nonnull)); /* not the tcp_conns */

/* To the end of its list: it is the youngest again. */
void flow_touch(struct flow_table *table, struct flow *flow) __attribute__((nonnull));

/* Gives it an id that was never used. */
void flow_name(struct flow_table *table, struct flow *flow) __attribute__((nonnull));
bool flow_was_named(const struct flow_table *table, uint64_t id) __attribute__((nonnull));
struct flow *flow_by_id(const struct flow_table *table, uint64_t id) __attribute__((nonnull)); /* FLOW_SPLIT, or NULL */

#endif
