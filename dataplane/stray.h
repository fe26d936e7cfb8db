/*
 * Segments on a guarded port that belong to no connection that we hold: it is older than the guard, or was reset by it, or
 * nobody ever opened it. Their bytes pass nowhere. Both ends are told, so that servers reconnect through the guard.
 */
#ifndef DATAPLANE_STRAY_H
#define DATAPLANE_STRAY_H

#include "worker.h"

/* Takes the arrival. A reset passes (without payload): so a closed port answers as it does without a guard. */
void stray_segment(struct worker *worker, struct arrival *arrival) __attribute__((nonnull));

/* Answers a SYN as a closed port does, and takes the arrival. */
void stray_refuse(struct worker *worker, struct arrival *arrival, enum dataplane_counter why) __attribute__((nonnull));

#endif
