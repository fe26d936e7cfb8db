/* Link state from one side to the other; see link_pair.h. */
#include "link_pair.h"

static const struct link_order nothing = {.deed = LINK_NOTHING};

void link_pair_init(struct link_pair *pair, bool passes, int64_t now_ms)
{
	*pair = (struct link_pair){.passes = passes};
	for (unsigned w = 0; w < WIRES; w++)
		pair->side[w] = (struct link_side){.carrier = true, .settles_ms = now_ms + LINK_SETTLE_MS};
}

static struct link_order lose(struct link_pair *pair, enum wire wire)
{
	enum wire other = wire_other(wire);
	pair->side[wire].lost = true;
	if (!pair->passes)
		return nothing;
	pair->side[other] = (struct link_side){.hold = HOLD_ORDERED};
	return (struct link_order){LINK_HOLD, other};
}

static struct link_order gain(struct link_pair *pair, enum wire wire, int64_t now_ms)
{
	enum wire other = wire_other(wire);
	pair->side[wire].lost = false;
	pair->side[wire].settles_ms = 0;
	if (pair->side[other].hold == HOLD_NONE)
		return nothing;
	pair->side[other] = (struct link_side){.settles_ms = now_ms + LINK_SETTLE_MS};
	return (struct link_order){LINK_RELEASE, other};
}

/* What was on its way when the order was given may still show it up. */
static void see_held(struct link_side *side, bool up, bool carrier)
{
	if (!up)
		side->hold = HOLD_SEEN;
	else if (side->hold == HOLD_SEEN)
		*side = (struct link_side){.carrier = carrier, .lost = !carrier};
}

struct link_order link_pair_see(struct link_pair *pair, enum wire wire, bool up, bool carrier, int64_t now_ms)
{
	struct link_side *side = &pair->side[wire];
	if (side->hold != HOLD_NONE) {
		see_held(side, up, carrier);
		return nothing;
	}
	side->carrier = up && carrier;
	if (side->carrier)
		return gain(pair, wire, now_ms);
	if (side->lost || now_ms < side->settles_ms)
		return nothing;
	return lose(pair, wire);
}

struct link_order link_pair_tick(struct link_pair *pair, int64_t now_ms)
{
	for (unsigned w = 0; w < WIRES; w++) {
		struct link_side *side = &pair->side[w];
		if (!side->settles_ms || now_ms < side->settles_ms)
			continue;
		side->settles_ms = 0;
		if (!side->carrier && !side->lost)
			return lose(pair, w);
	}
	return nothing;
}

int64_t link_pair_due(const struct link_pair *pair)
{
	int64_t due = INT64_MAX;
	for (unsigned w = 0; w < WIRES; w++)
		if (pair->side[w].settles_ms && pair->side[w].settles_ms < due)
			due = pair->side[w].settles_ms;
	return due;
}

enum link_state link_pair_state(const struct link_pair *pair, enum wire wire)
{
	const struct link_side *side = &pair->side[wire];
	return side->hold != HOLD_NONE ? LINK_HELD : side->carrier ? LINK_UP : LINK_LOST;
}
