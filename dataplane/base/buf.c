/* A bounded queue of bytes; see buf.h.   memory: [ off: taken | len: queued | room to cap ] */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

/* Between small and large there is nothing: every step costs a copy and a wipe, memory that is not touched nothing. */
enum { CAP_MIN = 1024, CAP_KEPT = 16 << 10, CAP_LARGE = 256 << 10 };

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

static void release(struct buf *b)
{
	if (b->memory)
		explicit_bzero(b->memory, b->touched);
	free(b->memory);
	b->memory = NULL;
	b->off = b->len = b->cap = b->touched = 0;
}

void buf_fini(struct buf *b)
{
	release(b);
	b->max = 0;
}

/* Not realloc(): the old copy may hold plaintext and is wiped. */
static bool grow(struct buf *b, size_t need)
{
	size_t cap = b->cap ? b->cap : CAP_MIN;
	if (need > CAP_KEPT && cap < CAP_LARGE)
		cap = CAP_LARGE;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	if (cap > b->max)
		cap = b->max;
	uint8_t *memory = malloc(cap);
	if (!memory)
		return false;
	if (b->len)
		memcpy(memory, b->memory + b->off, b->len);
	size_t len = b->len;
	release(b);
	b->memory = memory;
	b->len = b->touched = len;
	b->cap = cap;
	return true;
}

/* Makes n bytes contiguous at the tail, which may be written then. 0, -ENOSPC or -ENOMEM. */
static int make_room(struct buf *b, size_t n)
{
	if (n > buf_room(b))
		return -ENOSPC;
	if (n > b->cap - b->len) {
		if (!grow(b, b->len + n))
			return -ENOMEM;
	} else if (n > b->cap - b->off - b->len) {
		memmove(b->memory, b->memory + b->off, b->len);
		b->off = 0;
	}
	size_t end = b->off + b->len + n;
	if (b->touched < end)
		b->touched = end;
	return 0;
}

int buf_grow_put(struct buf *b, const void *bytes, size_t n)
{
	int rc = make_room(b, n);
	if (rc)
		return rc;
	memcpy(b->memory + b->off + b->len, bytes, n);
	b->len += n;
	return 0;
}

int buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = NULL;
	int n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		return -ENOMEM;
	int rc = buf_put(b, text, (size_t)n);
	explicit_bzero(text, (size_t)n);
	free(text);
	return rc;
}

uint8_t *buf_reserve(struct buf *b, size_t n)
{
	if (make_room(b, n ? n : 1))
		return NULL;
	return b->memory + b->off + b->len;
}

void buf_commit(struct buf *b, size_t k)
{
	if (k > b->cap - b->off - b->len)
		abort();
	b->len += k;
}

void buf_drop(struct buf *b, size_t n)
{
	if (n > b->len)
		abort();
	b->off += n;
	b->len -= n;
	if (b->len)
		return;
	b->off = 0;
	if (b->cap > CAP_KEPT)
		release(b);
}
