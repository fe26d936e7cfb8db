/*
 * The parser and the writer. The first byte of an input says how to cut the rest. In whatever pieces a stream comes,
 * and though it is stopped after each element, the same comes out; what the writer makes of that reads back as the
 * same trees, and is written the same again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/xml_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FLAG_WITH_HEADER = 0x80, FLAG_STOP = 0x40, CHUNK_MASK = 0x3f };

struct reading {
	struct stream_log log;
	struct buf written, trees;
};

static void reading_init(struct reading *r)
{
	stream_log_init(&r->log);
	buf_init(&r->written, 64 << 20);
	buf_init(&r->trees, 64 << 20);
	r->log.written = &r->written;
	r->log.trees = &r->trees;
}

static void reading_fini(struct reading *r)
{
	stream_log_fini(&r->log);
	buf_fini(&r->written);
	buf_fini(&r->trees);
}

static void must(bool fact, const char *what)
{
	if (fact)
		return;
	fprintf(stderr, "not true: %s\n", what);
	abort();
}

static bool same_bytes(const struct buf *a, const struct buf *b)
{
	return buf_len(a) == buf_len(b) && (!buf_len(a) || !memcmp(buf_head(a), buf_head(b), buf_len(a)));
}

/* Through the writer and back. */
static void check_writing(struct reading *first)
{
	struct reading second;
	struct buf stream;

	if (first->log.write_failed || !first->log.elements)
		return;
	buf_init(&stream, 64 << 20);
	must(!buf_put(&stream, STREAM_HEADER, strlen(STREAM_HEADER)), "room for the header");
	must(!buf_put(&stream, buf_head(&first->written), buf_len(&first->written)), "room for the stream");
	reading_init(&second);
	if (stream_read(&second.log, buf_head(&stream), buf_len(&stream), 0)) {
		must(first->log.elements == second.log.elements, "as many elements");
		must(same_bytes(&first->written, &second.written), "written the same again");
		must(same_bytes(&first->trees, &second.trees), "the same trees");
	} else {
		/* Namespaces that prefixes made short stand at each element now: it may have grown beyond a limit,
		 * not more. */
		must(strstr(stream_log_text(&second.log), "fault policy-violation"), "what is written is read");
	}
	buf_fini(&stream);
	reading_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t flags = size ? data[0] : 0;
	struct reading whole, cut;
	struct buf stream;

	if (!size)
		return 0;
	buf_init(&stream, 64 << 20);
	if (flags & FLAG_WITH_HEADER)
		must(!buf_put(&stream, STREAM_HEADER, strlen(STREAM_HEADER)), "room for the header");
	must(!buf_put(&stream, data + 1, size - 1), "room for the stream");
	reading_init(&whole);
	reading_init(&cut);
	cut.log.answer = flags & FLAG_STOP ? XML_STOP : XML_GO_ON;
	cut.log.resume = true;
	if (buf_len(&stream)) {
		stream_read(&whole.log, buf_head(&stream), buf_len(&stream), 0);
		stream_read(&cut.log, buf_head(&stream), buf_len(&stream), 1 + (flags & CHUNK_MASK));
	}
	must(!strcmp(stream_log_text(&whole.log), stream_log_text(&cut.log)), "whole and in pieces");
	must(same_bytes(&whole.written, &cut.written), "written the same");
	check_writing(&whole);
	reading_fini(&whole);
	reading_fini(&cut);
	buf_fini(&stream);
	return 0;
}
