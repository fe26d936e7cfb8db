/* Frames on their way out: those of others as they came, and those that we make. */
#ifndef DATAPLANE_EMIT_H
#define DATAPLANE_EMIT_H

#include "worker.h"

/* Takes the buffer. Sent in order with everything else for this wire, at the latest by emit_flush(). */
void emit_frame(struct worker *worker, enum wire wire, struct rte_mbuf *mbuf) __attribute__((nonnull));

/* Bridges an arrival: it leaves by the other wire as it came. */
void emit_as_it_came(struct worker *worker, struct arrival *arrival) __attribute__((nonnull));

/* A segment of ours, to the endpoint that `path` leads to. */
void emit_segment(struct worker *worker, enum wire wire, struct path *path, const struct tcp_seg *seg)
	__attribute__((nonnull));

void emit_flush(struct worker *worker) __attribute__((nonnull));

/* Frees an arrival that goes no further, and says why. */
void emit_nothing(struct worker *worker, struct arrival *arrival, enum dataplane_counter why) __attribute__((nonnull));

#endif
