/*
 * Acknowledgements of stanzas (XEP-0198 4) in one direction through the guard. A sender counts what it sent, the
 * receiver answers how many it has handled; what the guard keeps back or adds makes these two counts differ:
 *
 *      sent by X        1   2   3   4       5         X is told h=4 ...
 *                       |   |   x   x   +   |
 *      received by Y    1   2           3   4         ... when Y says h=2 or h=3
 *
 * Kept in runs of the same kind, not one by one. No I/O.
 */
#ifndef CONTROL_ACKS_H
#define CONTROL_ACKS_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/base/buf.h"

enum acks_kind {
	ACKS_FORWARDED,
	ACKS_DROPPED,  /* not sent on; the guard answers for it */
	ACKS_INJECTED, /* the guard's own */
};

struct acks {
	struct buf runs;                 /* of what is not acknowledged, the oldest first */
	uint32_t sender_h, receiver_h;   /* acknowledged: to the sender, by the receiver; modulo 2^32 (XEP-0198 4) */
	uint64_t outstanding;            /* sent to the receiver and not acknowledged by it */
};

void acks_init(struct acks *acks) __attribute__((nonnull)); /* both counts are 0 from here on */
void acks_fini(struct acks *acks) __attribute__((nonnull));

/* One stanza more. 0; or -ENOSPC (it was full), -ENOMEM: it is not counted, and the counts are wrong from then on. */
int acks_add(struct acks *acks, enum acks_kind kind) __attribute__((warn_unused_result, nonnull));

/*
 * The receiver has handled `h`; `*translated` is what the sender may be told. Dropped ones directly after the last that
 * is acknowledged are acknowledged with it. False: more than was sent to it, or less than it said before.
 */
bool acks_take(struct acks *acks, uint32_t h, uint32_t *translated) __attribute__((warn_unused_result, nonnull));

uint32_t acks_sent(const struct acks *acks) __attribute__((nonnull)); /* to the receiver, modulo 2^32 */
bool acks_are_many(const struct acks *acks) __attribute__((nonnull)); /* it is time to ask the receiver */
bool acks_are_full(const struct acks *acks) __attribute__((nonnull)); /* nothing more may be added */

#endif
