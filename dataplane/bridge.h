/* What comes in on one wire: bridged to the other as it is, or handed to what guards connections. */
#ifndef DATAPLANE_BRIDGE_H
#define DATAPLANE_BRIDGE_H

#include "worker.h"

/* One burst. Returns how many frames there were. */
unsigned bridge_receive(struct worker *worker, enum wire wire) __attribute__((nonnull));

/* Whether this first fragment (PART_FIRST) may be of a segment that is not to pass as it came. */
bool bridge_wants_whole(const struct worker *worker, const struct frame *frame) __attribute__((nonnull));

#endif
