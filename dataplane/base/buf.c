/* A bounded queue of bytes; see buf.h.   memory: [ off: taken | len: queued | room to cap ] */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

enum { CAP_MIN = 1024, CAP_KEPT = 16 << 10 };

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

static void release(struct buf *b)
{
	if (b->memory)
		explicit_bzero(b->memory, b->cap);
	free(b->memory);
	b->memory = NULL;
	b->off = b->len = b->cap = 0;
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
	b->len = len;
	b->cap = cap;
	return true;
}

/* Makes n bytes contiguous at the tail. 0, -ENOSPC or -ENOMEM. */
static int make_room(struct buf *b, size_t n)
{
	if (n > buf_room(b))
		return -ENOSPC;
	if (n <= b->cap - b->off - b->len)
		return 0;
	if (n > b->cap - b->len)
		return grow(b, b->len + n) ? 0 : -ENOMEM;
	memmove(b->memory, b->memory + b->off, b->len);
	b->off = 0;
	return 0;
}

int buf_put(struct buf *b, const void *bytes, size_t n)
{
	int rc = make_room(b, n);
	if (rc || n == 0)
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
