/*
 * The links of the two ports. sallyportd knows which of them are up, and decides (link_pair.h): here a port without a link
 * is sent nothing, and devices that the kernel does not know are looked at, taken down and taken up.
 */
#ifndef DATAPLANE_LINK_H
#define DATAPLANE_LINK_H

#include "worker.h"

enum link_limits { LINK_LOOK_US = 200000 };

void link_init(struct worker *worker) __attribute__((nonnull));

/* sallyportd said so. */
void link_told(struct worker *worker, enum wire wire, enum link_state state) __attribute__((nonnull));

/* Looks at those that are ours to look at, if it is time, and tells sallyportd what has changed. */
void link_look(struct worker *worker) __attribute__((nonnull));

/* When it will be time, by worker->now; UINT64_MAX: never. */
static inline uint64_t link_due(const struct worker *worker)
{
	return worker->looks_at_links ? worker->links_seen_at + LINK_LOOK_US : UINT64_MAX;
}

#endif
