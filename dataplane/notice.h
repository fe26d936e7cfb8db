/* What the dataplane has seen on the wire and wants people to hear of: it goes up to control, which writes it down. */
#ifndef DATAPLANE_NOTICE_H
#define DATAPLANE_NOTICE_H

#include "worker.h"

enum notice_limits { NOTICES_A_SECOND = 5 };   /* of each kind; the next one tells how many there were */

/* From the endpoint `path` leads from, to the one it leads to; `wire` is where the former is. */
void notice(struct worker *worker, enum notice_kind kind, bool blocked, enum wire wire, const struct path *path)
	__attribute__((nonnull));

#endif
