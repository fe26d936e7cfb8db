/* The worker: everything that one thread of the dataplane, a lane of it, owns. Passed down; there is nothing else. */
#ifndef DATAPLANE_WORKER_H
#define DATAPLANE_WORKER_H

#include "dataplane/base/channel.h"
#include "dataplane/base/conf.h"
#include "dataplane/base/counters.h"
#include "deadline.h"
#include "drops.h"
#include "flow.h"
#include "fragments.h"
#include "port.h"
#include "sleep.h"

enum worker_limits {
	WORKER_EMPTY_POLLS = 8,        /* then it sleeps */
	WORKER_UPPER_BUDGET = 256,     /* messages from above in one round */
	WORKER_SUPERVISOR_US = 4000,   /* how often sallyportd is heard under load */
	WORKER_STARVED_US = 1000,      /* how soon to look again for room in the channel */
	WORKER_STRAY_RESETS = 1000,    /* a second */
	WORKER_DIALS = 16,             /* connections of our own that wait for an answer */
	WORKER_TCP_BYTES = 512 << 20,  /* what all connections together may keep queued; shared out among the lanes */
};

struct handover;

struct dial {                          /* a SYN of our own that waits for its answer */
	struct flow_key key;
	unsigned tries;                /* SYNs sent; 0: this place is free */
	uint64_t at;                   /* us; when the next is due */
};

/* How often people are told of one kind of thing. */
struct notice_limit {
	uint64_t second;
	uint32_t told, untold;
};

struct worker {
	uint64_t now;                  /* us, monotonic; read once in a round */
	struct proc_lane lane;
	struct handover *handover;     /* to and from the other lanes; NULL: there is one */
	int supervisor;                /* socket to sallyportd, for this lane */
	bool over;                     /* sallyportd is gone */
	struct port port[WIRES];
	struct rte_mempool *buffers;
	struct counters *counters;
	uint64_t guarded[65536 / 64];  /* bit set of TCP ports */
	enum conf_elsewhere elsewhere; /* what is done with XMPP on other ports, */
	enum conf_answer websocket, quic;      /* and with these */
	uint16_t mss_limit[2];         /* by IPv4, IPv6: what fits the smaller of the two ports */
	struct flow_table flows;
	struct deadlines deadlines;
	struct fragments *fragments;
	struct flow_list busy;         /* to be looked at before this round ends */
	struct flow_list starved;      /* have bytes for which the channel had no room */
	struct tcp_budget memory;      /* of all halves */
	bool blocks_alone;             /* nothing at all passes while nobody is above */
	struct channel *channel;       /* NULL: nobody above, guarded connections are refused */
	struct sleeper sleeper;
	uint64_t supervisor_heard_at;
	unsigned held;                 /* segments that wait to be judged */
	struct dial dials[WORKER_DIALS];
	struct notice_limit notice_limit[NOTICE_KINDS];
	bool looks_at_links;           /* some port is not the kernel's */
	uint64_t links_seen_at;
	uint64_t stray_second;         /* for the limit of resets */
	unsigned stray_resets;
};

/* A frame on its way through: who takes it over sends it on or frees it. */
struct arrival {
	struct rte_mbuf *mbuf;
	enum wire wire;
	struct frame frame;
	struct tcp_seg seg;
};

/* A worker for each lane, with the ports that they share. Exits on failure. */
void workers_open(struct worker *workers[PROC_LANES_MAX], const struct conf *conf) __attribute__((nonnull));

/* The rest of a worker that has its lane, ports, buffers and handover. Exits on failure. */
void worker_init(struct worker *worker, const struct conf *conf, struct counters *counters) __attribute__((nonnull));

/* Until sallyportd is gone. */
void worker_run(struct worker *worker) __attribute__((nonnull));

/* One round: receive, hear, time, send. Returns how much there was to do; 0: nothing. */
unsigned worker_round(struct worker *worker) __attribute__((nonnull));

static inline void count(struct worker *worker, enum dataplane_counter which)
{
	counter_add(worker->counters, which, 1);
}

static inline bool is_guarded_port(const struct worker *worker, uint16_t port)
{
	return worker->guarded[port / 64] >> (port % 64) & 1;
}

#endif
