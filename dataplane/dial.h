/*
 * Connections of the guard's own. What the server on one side should hear, and no connection carries to it, control says on
 * one that the guard dials: to an endpoint of a connection that is guarded now, in the name of its other endpoint, on the
 * same path. Of the two endpoints only the dialled one is there (flow->own); what it sends ends here. So all that is known
 * of it to others is that a server was called by its peer.
 */
#ifndef DATAPLANE_DIAL_H
#define DATAPLANE_DIAL_H

#include "worker.h"

enum dial_limits {
	DIAL_TRIES = 4,                /* SYNs, a second apart and then twice that, and so on (RFC 6298 5) */
	DIAL_US = 1000000,
};

/*
 * Dials `port`, a guarded one, of the endpoint on `side` of the flow. If it answers, the connection is announced upward
 * like any other, but as of our own; if not, nobody hears of it. Too many at once are counted, and not dialled.
 */
void dial_begin(struct worker *worker, const struct flow *flow, enum conn_side side, uint16_t port)
	__attribute__((nonnull));

/* A segment for one that has not been answered yet. Takes the arrival. */
void dial_segment(struct worker *worker, struct flow *flow, enum conn_side side, struct arrival *arrival)
	__attribute__((nonnull));

/* SYNs that are due again; when the next one is (us). */
void dial_repeat(struct worker *worker) __attribute__((nonnull));
uint64_t dial_next(const struct worker *worker) __attribute__((nonnull));

#endif
