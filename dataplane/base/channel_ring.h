/*
 * What lies in the shared memory of a channel. Private to channel.c and to the tests that play the other side badly.
 *
 *     page 0: indexes of the up ring | page 1: indexes of the down ring | bytes of the up ring | bytes of the down ring
 *
 * Indexes run freely (they are never reduced modulo the ring) and are multiples of CHANNEL_ALIGN. Each end maps the bytes
 * of a ring twice, back to back, so that a message that runs over the end is contiguous all the same.
 */
#ifndef BASE_CHANNEL_RING_H
#define BASE_CHANNEL_RING_H

#include <stdatomic.h>
#include <stddef.h>

#include "channel.h"

enum { CHANNEL_ALIGN = 16, CHANNEL_PAGE = 4096, CHANNEL_FILE_BYTES = 2 * CHANNEL_PAGE + 2 * CHANNEL_RING_BYTES };
enum channel_ring { RING_UP, RING_DOWN, RINGS };

struct ring_indexes {
	_Atomic uint64_t head;         /* written by the producer: bytes published */
	_Atomic uint32_t producer_sleeps;      /* waits for room */
	uint8_t pad_head[64 - 12];
	_Atomic uint64_t tail;         /* written by the consumer: bytes used up */
	_Atomic uint32_t consumer_sleeps;      /* waits for messages */
	uint8_t pad_tail[64 - 12];
};
static_assert(sizeof(struct ring_indexes) == 128 && offsetof(struct ring_indexes, tail) == 64, "a cache line each");
static_assert(sizeof(struct channel_msg) == CHANNEL_ALIGN, "header keeps payload aligned");
static_assert((CHANNEL_RING_BYTES & (CHANNEL_RING_BYTES - 1)) == 0 && CHANNEL_RING_BYTES % CHANNEL_PAGE == 0, "ring");

static inline uint64_t message_bytes(uint32_t length)
{
	return sizeof(struct channel_msg) + (((uint64_t)length + CHANNEL_ALIGN - 1) & ~(uint64_t)(CHANNEL_ALIGN - 1));
}

/* One ring as mapped by one end. */
struct ring_map {
	struct ring_indexes *indexes;
	uint8_t *bytes;                /* 2 * CHANNEL_RING_BYTES of address space */
};

static inline uint8_t *ring_at(const struct ring_map *map, uint64_t index)
{
	return map->bytes + (index & (CHANNEL_RING_BYTES - 1));
}

/* 0 or -errno; ring_unmap() may be called after a failure. */
int ring_map(struct ring_map *map, int memory, enum channel_ring ring) __attribute__((warn_unused_result, nonnull));
void ring_unmap(struct ring_map *map) __attribute__((nonnull));

#endif
