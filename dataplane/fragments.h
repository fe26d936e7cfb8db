/*
 * Fragments of IP datagrams that are, or may be, TCP. The first one tells of which connection they are; those that come
 * before it are held until then. What may be of a guarded connection is put together (rte_ip_frag), and is a segment like
 * any other. All the rest leaves as it came, in order.
 *
 *     DATAGRAM_UNDECIDED --first fragment, of others--> DATAGRAM_BRIDGED
 *              |---------first fragment, guarded------> DATAGRAM_GUARDED --all there--> a segment
 *              '---------ports not in it, overlap-----> DATAGRAM_REFUSED
 *
 * rte_ip_frag takes any fragments that fill a datagram, whether or not they overlap, and at most
 * RTE_LIBRTE_IP_FRAG_MAX_FRAG of them: so they are given to it only when all are there and have been checked.
 */
#ifndef DATAPLANE_FRAGMENTS_H
#define DATAPLANE_FRAGMENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <rte_ip_frag.h>

#include "drops.h"
#include "frame.h"

struct worker;
struct arrival;

enum fragments_limits {
	FRAGMENTS_DATAGRAMS = 1024,    /* known at once; then the oldest is forgotten */
	FRAGMENTS_OF_ONE = 32,         /* held of one datagram, */
	FRAGMENTS_HELD = 512,          /* and of all, in all lanes: each is a buffer */
	FRAGMENTS_US = 2 * 1000000,    /* after which a datagram is forgotten */
};

struct datagram_key {
	uint8_t src[16], dst[16];
	uint32_t id;
	uint16_t family, wire;
};
static_assert(sizeof(struct datagram_key) == 40, "no padding: it is hashed");

/* A fragment that is held. */
struct piece {
	struct rte_mbuf *mbuf;
	uint16_t ip, at;               /* in the frame: the IP header, and what this fragment has of the datagram: */
	uint16_t offset, len;
	bool more, met_congestion;
};

enum datagram_state { DATAGRAM_UNDECIDED, DATAGRAM_BRIDGED, DATAGRAM_GUARDED, DATAGRAM_REFUSED };

struct datagram {
	TAILQ_ENTRY(datagram) order;
	SLIST_ENTRY(datagram) chain;
	struct datagram_key key;
	enum datagram_state state;
	enum dataplane_counter why;    /* DATAGRAM_REFUSED */
	uint64_t expires;              /* us */
	unsigned count;
	struct piece piece[FRAGMENTS_OF_ONE];  /* in the order in which they came */
};

SLIST_HEAD(datagram_chain, datagram);
TAILQ_HEAD(datagram_list, datagram);

struct fragments {
	struct datagram *datagrams;    /* [FRAGMENTS_DATAGRAMS] */
	struct datagram_list idle, known;      /* known: the oldest first */
	struct datagram_chain bucket[FRAGMENTS_DATAGRAMS];
	uint32_t seed;                 /* so that nobody can aim at one bucket */
	unsigned held;                 /* buffers */
	struct rte_ip_frag_tbl *table;
	struct rte_ip_frag_death_row dead;
};

/* NULL: no memory. */
struct fragments *fragments_new(void) __attribute__((warn_unused_result));
void fragments_free(struct fragments *fragments);

/* A FRAME_FRAGMENT has come. True: with it a datagram is whole, which the arrival is now, not yet parsed. False: the
 * arrival was taken. */
bool fragments_arrive(struct worker *worker, struct arrival *arrival) __attribute__((warn_unused_result, nonnull));

/* Forgets datagrams of which not all came in time. When the next one is to be: us; UINT64_MAX: there is none. */
void fragments_expire(struct worker *worker) __attribute__((nonnull));
uint64_t fragments_next(const struct fragments *fragments) __attribute__((nonnull));

#endif
