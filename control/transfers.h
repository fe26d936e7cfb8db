/*
 * In-band transfers (XEP-0047): what has come of each so far. Chunks have to go on so that they are acknowledged, so each
 * is judged with all that came before it, and the one that completes something bad is the one that does not pass.
 */
#ifndef CONTROL_TRANSFERS_H
#define CONTROL_TRANSFERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

struct control;
struct transfer;

struct transfers {
	struct transfer *first;
	unsigned count;
	size_t bytes; /* that all of them hold */
};

/*
 * Adds a chunk of a stanza to its transfer; *whole becomes all of it, in memory of the transfer that the next call may
 * change. False: it has no place in one, and the verdict is a refusal.
 */
bool transfers_add(struct control *control, const struct stanza *stanza, const struct policy_binary *chunk,
	const struct policy_binary_rules *rules, struct policy_binary *whole, struct policy_verdict *verdict)
	__attribute__((warn_unused_result, nonnull));

/* Forgets the transfers that a stanza is about: one of its chunks was refused. What comes after it has no place. */
void transfers_refuse(struct control *control, const struct stanza *stanza) __attribute__((nonnull));

/* Looks at a stanza that may pass: does it open or close a transfer? */
void transfers_look(struct control *control, const struct stanza *stanza) __attribute__((nonnull));

void transfers_tick(struct control *control) __attribute__((nonnull)); /* forgets those that rest for too long */
void transfers_fini(struct transfers *transfers) __attribute__((nonnull));

#endif
