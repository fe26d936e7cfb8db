/*
 * The last presence that each showed to each, where it is folded: what is folded to the same again tells only that somebody
 * moved, and is not sent. Few bits of each are kept, in a table with a bound; what falls out of it is shown once more.
 */
#ifndef CONTROL_PRESENCES_H
#define CONTROL_PRESENCES_H

#include <stdbool.h>
#include <stdint.h>

#include "control/hash.h"
#include "policy/element.h"

enum presences_limits { PRESENCES_WAYS = 8, PRESENCES_SETS = 8192 };

struct presences_entry;

struct presences {             /* zero is empty */
	struct presences_entry *entries;       /* NULL until one is needed: sets of PRESENCES_WAYS */
	struct hash_key key;
	uint32_t hand;
};

/* Was just this the last that passed on this connection? Only what goes to a bare address and is of no room can be. */
bool presences_repeats(const struct presences *presences, const struct node *presence, uint64_t session)
	__attribute__((nonnull));

/*
 * For each presence that passes, in either direction. Whatever is not plain presence makes the next one new to both: going,
 * a subscription, an error; a probe to who asks.
 */
void presences_passed(struct presences *presences, const struct node *presence, uint64_t session, bool folds)
	__attribute__((nonnull));
void presences_fini(struct presences *presences) __attribute__((nonnull));

#endif
