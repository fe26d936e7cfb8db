/*
 * A connection on a port that is not configured, split before it was known what it is (watch.h): the client's first bytes
 * are judged in the half that has put them in order, and what is not XMPP goes from half to half from then on.
 */
#ifndef DATAPLANE_RELAY_H
#define DATAPLANE_RELAY_H

#include "worker.h"

/* Of a split flow: nothing is done VIA_CHANNEL, and what is XMPP is VIA_CHANNEL afterwards. */
void relay_run(struct worker *worker, struct flow *flow) __attribute__((nonnull));

#endif
