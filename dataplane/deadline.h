/*
 * When connections want to be looked at again: a heap with one entry for each, lazily armed. A deadline that has moved
 * away stays where it is; looking too early costs one look.
 */
#ifndef DATAPLANE_DEADLINE_H
#define DATAPLANE_DEADLINE_H

#include "flow.h"

struct deadlines {
	struct flow **heap;            /* [1..count] */
	unsigned count;
};

int deadlines_init(struct deadlines *deadlines) __attribute__((warn_unused_result, nonnull)); /* 0 or -ENOMEM */
void deadlines_fini(struct deadlines *deadlines) __attribute__((nonnull));

/* `at` in us; UINT64_MAX: no wish. */
void deadline_arm(struct deadlines *deadlines, struct flow *flow, uint64_t at) __attribute__((nonnull));
void deadline_disarm(struct deadlines *deadlines, struct flow *flow) __attribute__((nonnull));

/* Takes out one whose time has come, or returns NULL. */
struct flow *deadline_pop(struct deadlines *deadlines, uint64_t now) __attribute__((nonnull));
uint64_t deadline_next(const struct deadlines *deadlines) __attribute__((nonnull));

#endif
