/*
 * The memory of one stanza: a list of chunks, each twice as large as the one before, that are freed together.
 *
 *     arena -> chunk [used......|free...] -> chunk [full] -> chunk [full]
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "element.h"

enum arena_limits {
	CHUNK_FIRST_BYTES = 1000,      /* a usual stanza fits, and what malloc() keeps at hand for each thread does, too */
	CHUNK_BYTES_MAX = 256 << 10,   /* doubling ends here, so that at most this much is taken in vain */
};

struct chunk {
	struct chunk *next;
	size_t used, size;
	max_align_t bytes[];
};

struct arena {
	struct chunk *chunks;          /* allocation is from the first */
	size_t taken, max;             /* bytes of all chunks */
	bool full;                     /* something did not fit any more */
};

struct arena *arena_new(size_t max_bytes)
{
	struct arena *arena = malloc(sizeof(*arena));

	if (arena)
		*arena = (struct arena){.max = max_bytes};
	return arena;
}

void arena_allow(struct arena *arena, size_t bytes)
{
	arena->max += bytes;
}

bool arena_is_full(const struct arena *arena)
{
	return arena->full;
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	for (struct chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(arena);
}

/* The size of a new chunk in which `bytes` fit; 0 if that is beyond the maximum. */
static size_t chunk_size(const struct arena *arena, size_t bytes)
{
	size_t left = arena->max - arena->taken;
	size_t size = arena->chunks ? arena->chunks->size * 2 : CHUNK_FIRST_BYTES;

	if (bytes > left)
		return 0;
	if (size > CHUNK_BYTES_MAX)
		size = CHUNK_BYTES_MAX;
	if (size > left)
		size = left;
	return size < bytes ? bytes : size;
}

static struct chunk *chunk_add(struct arena *arena, size_t bytes)
{
	size_t size = chunk_size(arena, bytes);
	struct chunk *chunk = size ? malloc(sizeof(*chunk) + size) : NULL;

	arena->full |= !size;
	if (!chunk)
		return NULL;
	*chunk = (struct chunk){.next = arena->chunks, .size = size};
	arena->chunks = chunk;
	arena->taken += size;
	return chunk;
}

static void *bump(struct arena *arena, size_t bytes, size_t align)
{
	struct chunk *chunk = arena->chunks;
	size_t at = chunk ? (chunk->used + align - 1) & ~(align - 1) : 0;

	if (!chunk || at > chunk->size || bytes > chunk->size - at) {
		chunk = chunk_add(arena, bytes);
		at = 0;
	}
	if (!chunk)
		return NULL;
	chunk->used = at + bytes;
	return (uint8_t *)chunk->bytes + at;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	return bump(arena, bytes ? bytes : 1, _Alignof(max_align_t));
}

char *arena_strndup(struct arena *arena, const char *s, size_t n)
{
	char *copy = n < SIZE_MAX ? bump(arena, n + 1, 1) : NULL;

	if (!copy)
		return NULL;
	memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}

char *arena_strdup(struct arena *arena, const char *s)
{
	return arena_strndup(arena, s, strlen(s));
}
