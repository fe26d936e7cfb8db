/*
 * A bounded queue of bytes: put at the tail, taken from the head. Grows by doubling up to `max`, and never beyond, from
 * small to large in one step; frees its memory when it runs empty after having been large, so that an idle connection
 * costs little. What was in it is wiped.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
	uint8_t *memory;
	size_t off, len, cap, max;
	size_t touched;                /* of the memory: nothing was ever written beyond */
};

void buf_init(struct buf *b, size_t max) __attribute__((nonnull));
void buf_fini(struct buf *b) __attribute__((nonnull)); /* wipes, frees; may be used again after buf_init() */

static inline size_t buf_len(const struct buf *b) { return b->len; }
static inline size_t buf_room(const struct buf *b) { return b->max - b->len; }
static inline const uint8_t *buf_head(const struct buf *b) { return b->memory + b->off; }

/* buf_put() where there is no room at the tail yet. */
int buf_grow_put(struct buf *b, const void *bytes, size_t n) __attribute__((warn_unused_result, nonnull(1)));

/* All of it or nothing. 0, -ENOSPC (more than max) or -ENOMEM. A stanza is written in fifty pieces: so it is here. */
__attribute__((warn_unused_result, nonnull(1))) static inline int buf_put(struct buf *b, const void *bytes, size_t n)
{
	if (n == 0)
		return 0;
	if (n > b->cap - b->off - b->len)
		return buf_grow_put(b, bytes, n);
	memcpy(b->memory + b->off + b->len, bytes, n);
	b->len += n;
	if (b->touched < b->off + b->len)
		b->touched = b->off + b->len;
	return 0;
}

int buf_printf(struct buf *b, const char *format, ...)
	__attribute__((warn_unused_result, nonnull(1, 2), format(printf, 2, 3)));

/* Room for n bytes at the tail to write into, NULL if beyond max; buf_commit() then adds the first k <= n of them. */
uint8_t *buf_reserve(struct buf *b, size_t n) __attribute__((warn_unused_result, nonnull));
void buf_commit(struct buf *b, size_t k) __attribute__((nonnull));

void buf_drop(struct buf *b, size_t n) __attribute__((nonnull)); /* the first n bytes; n <= buf_len() */

#endif
