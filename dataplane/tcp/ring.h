/*
 * Bytes in a circle, addressed by their distance from the first. Grows by doubling up to `max` (a power of two) and is
 * freed when it runs empty after having been large. Bytes may be written beyond the end: what lies between is undefined
 * until it is written too, which is how the receive queue holds segments that came early.
 */
#ifndef TCP_RING_H
#define TCP_RING_H

#include "memory.h"

struct ring {
	struct memory *memory;
	uint8_t *bytes;
	uint32_t cap, head, len, max;
};

void ring_init(struct ring *ring, struct memory *memory, uint32_t max) __attribute__((nonnull));
void ring_fini(struct ring *ring) __attribute__((nonnull));

/* Room for `size` bytes from the head on. 0, -ENOSPC (more than max) or -ENOMEM. */
int ring_reserve(struct ring *ring, uint32_t size) __attribute__((warn_unused_result, nonnull));

/* Into room that was reserved. */
void ring_write(struct ring *ring, uint32_t offset, const uint8_t *bytes, uint32_t n) __attribute__((nonnull(1)));

/* The contiguous part of the n bytes at offset: its length. */
uint32_t ring_span(const struct ring *ring, uint32_t offset, uint32_t n, const uint8_t **bytes)
	__attribute__((nonnull));

bool ring_equals(const struct ring *ring, uint32_t offset, const uint8_t *bytes, uint32_t n)
	__attribute__((nonnull(1)));

void ring_drop(struct ring *ring, uint32_t n) __attribute__((nonnull)); /* the first n; n <= len */

#endif
