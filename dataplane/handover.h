/*
 * Handing frames over to the lane that they belong to, where the port could not spread them by itself. Each lane has an
 * inbox with a ring for each wire: any lane puts in, the lane takes out, and a lane that sleeps is woken once for a
 * batch. All frames from one address to another come in at one place and take one way, so that their order is kept.
 */
#ifndef DATAPLANE_HANDOVER_H
#define DATAPLANE_HANDOVER_H

#include "worker.h"

enum handover_limits {
	HANDOVER_FRAMES = 2048,        /* in one ring; those that find no room are dropped and counted */
};

struct handover;                       /* the inboxes of all lanes */

/* Exits on failure. */
struct handover *handover_new(unsigned lanes);
void handover_free(struct handover *handover);

/* Of n frames just received those of other lanes go there. Returns how many are left, in order, at the front. */
unsigned handover_give(struct worker *worker, enum wire wire, struct rte_mbuf **mbufs, unsigned n) __attribute__((nonnull));

/* Takes what others have handed over: at most n. Returns how many. */
unsigned handover_take(struct worker *worker, enum wire wire, struct rte_mbuf **mbufs, unsigned n) __attribute__((nonnull));

/* Readable when a lane that sleeps is wanted. Announce before sleeping (false: there is work, do not), take back after. */
int handover_bell(const struct worker *worker) __attribute__((nonnull));
bool handover_sleep(struct worker *worker) __attribute__((warn_unused_result, nonnull));
void handover_awake(struct worker *worker) __attribute__((nonnull));

#endif
