/*
 * Link state passed from one port to the other, as a pure machine: what was seen and the time go in, what is to be done
 * comes out. When the link on one side is lost, the other side is held: its port is taken down, so that what is connected
 * there sees a dead cable, as it would if the guard were a wire. When the link is back, the other side is released.
 *
 *     inside    outside
 *     up        up
 *     lost      held          never both: a port that is held cannot tell of its own cable
 *     up        settling      released; its link needs some time to come up, and that is not a loss
 *     up        up            or, if it does not come up:
 *     held      lost
 *
 * Who was held and is taken up by somebody else is left alone (an administrator knows best) until the lost link has come
 * and gone once more. A side that somebody takes down counts as lost.
 */
#ifndef DAEMON_LINK_PAIR_H
#define DAEMON_LINK_PAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/base/proc.h"

enum link_limits { LINK_SETTLE_MS = 5000 };    /* a link that has just been taken up may be without carrier for so long */

enum link_hold { HOLD_NONE, HOLD_ORDERED, HOLD_SEEN };         /* seen: it was down since */

struct link_side {
	bool carrier;
	bool lost;                     /* it is known to be, and the other side was held for it */
	enum link_hold hold;
	int64_t settles_ms;            /* until then no carrier is no loss; 0: over */
};

struct link_pair {
	bool passes;                   /* otherwise only the states are kept */
	struct link_side side[WIRES];
};

/* What is to be done, and with which side. */
enum link_deed { LINK_NOTHING, LINK_HOLD, LINK_RELEASE };

struct link_order {
	enum link_deed deed;
	enum wire wire;
};

/* Both sides are taken to be up, and settle first. */
void link_pair_init(struct link_pair *pair, bool passes, int64_t now_ms) __attribute__((nonnull));

/* A side was seen: taken up or not (administratively), with a carrier or without. */
struct link_order link_pair_see(struct link_pair *pair, enum wire wire, bool up, bool carrier, int64_t now_ms)
	__attribute__((nonnull, warn_unused_result));

/* To be called when link_pair_due() has come (INT64_MAX: never). */
struct link_order link_pair_tick(struct link_pair *pair, int64_t now_ms) __attribute__((nonnull, warn_unused_result));
int64_t link_pair_due(const struct link_pair *pair) __attribute__((nonnull));

enum link_state link_pair_state(const struct link_pair *pair, enum wire wire) __attribute__((nonnull));

#endif
