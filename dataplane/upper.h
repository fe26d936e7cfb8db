/* Who is above: the channel to tls, which comes and goes, and what sallyportd says about it. */
#ifndef DATAPLANE_UPPER_H
#define DATAPLANE_UPPER_H

#include "worker.h"

/* Handles what has come down. Returns how many messages. */
unsigned upper_receive(struct worker *worker) __attribute__((nonnull));

/* Publishes what was said in this round. A broken channel is reported and let go. */
void upper_flush(struct worker *worker) __attribute__((nonnull));

/* Hears sallyportd; the worker is over when it is gone. */
void upper_hear_supervisor(struct worker *worker) __attribute__((nonnull));

#endif
