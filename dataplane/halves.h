/* The two TCP endpoints of a split connection: made from its handshake, and gone again. */
#ifndef DATAPLANE_HALVES_H
#define DATAPLANE_HALVES_H

#include "worker.h"

/* Each stands in for the far endpoint, from the next byte of each side on; the client's window is as it was on the wire.
 * False: no memory. */
bool halves_open(struct worker *worker, struct flow *flow, uint16_t client_window)
	__attribute__((warn_unused_result, nonnull));

/* The server's SYN-ACK is answered, with our window. */
void halves_acknowledge(struct worker *worker, struct flow *flow) __attribute__((nonnull));

/* Without a word to anybody; what they have counted is added up. */
void halves_free(struct worker *worker, struct flow *flow) __attribute__((nonnull));

#endif
