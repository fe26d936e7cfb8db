/* Bytes in a circle; see ring.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ring.h"

enum { CAP_MIN = 2 << 10, CAP_KEPT = 16 << 10 };

void ring_init(struct ring *ring, struct memory *memory, uint32_t max)
{
	*ring = (struct ring){.memory = memory, .max = max};
}

static void release(struct ring *ring)
{
	memory_put(ring->memory, ring->bytes, ring->cap);
	ring->bytes = NULL;
	ring->cap = ring->head = 0;
}

void ring_fini(struct ring *ring)
{
	release(ring);
	ring->len = 0;
}

int ring_reserve(struct ring *ring, uint32_t size)
{
	if (size <= ring->cap)
		return 0;
	if (size > ring->max)
		return -ENOSPC;
	uint32_t cap = ring->cap ? ring->cap : CAP_MIN;
	while (cap < size)
		cap *= 2;
	uint8_t *bytes = memory_get(ring->memory, cap);
	if (!bytes)
		return -ENOMEM;
	for (uint32_t done = 0, n; ring->cap && done < ring->len; done += n) {
		const uint8_t *from;
		n = ring_span(ring, done, ring->len - done, &from);
		memcpy(bytes + done, from, n); /* NOLINT: ring_span() never says NULL for bytes that are there */
	}
	release(ring);
	ring->bytes = bytes;
	ring->cap = cap;
	return 0;
}

void ring_write(struct ring *ring, uint32_t offset, const uint8_t *bytes, uint32_t n)
{
	if (!n)
		return;
	if (offset + n > ring->cap)
		abort();
	uint32_t at = (ring->head + offset) & (ring->cap - 1);
	uint32_t first = ring->cap - at < n ? ring->cap - at : n;
	memcpy(ring->bytes + at, bytes, first);
	memcpy(ring->bytes, bytes + first, n - first);
	if (offset + n > ring->len)
		ring->len = offset + n;
}

uint32_t ring_span(const struct ring *ring, uint32_t offset, uint32_t n, const uint8_t **bytes)
{
	if (!n) {
		*bytes = NULL;
		return 0;
	}
	uint32_t at = (ring->head + offset) & (ring->cap - 1);
	*bytes = ring->bytes + at;
	return ring->cap - at < n ? ring->cap - at : n;
}

bool ring_equals(const struct ring *ring, uint32_t offset, const uint8_t *bytes, uint32_t n)
{
	for (uint32_t done = 0, part; done < n; done += part) {
		const uint8_t *held;
		part = ring_span(ring, offset + done, n - done, &held);
		if (!held || memcmp(held, bytes + done, part))
			return false;
	}
	return true;
}

void ring_drop(struct ring *ring, uint32_t n)
{
	if (n > ring->len)
		abort();
	ring->len -= n;
	if (ring->len)
		ring->head = (ring->head + n) & (ring->cap - 1);
	else if (ring->cap > CAP_KEPT)
		release(ring);
	else
		ring->head = 0;
}
