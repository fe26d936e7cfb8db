/*
 * One endpoint of a session: the stream that it sends (read by a parser) and the stream that it is sent (a bounded
 * queue of whole elements).
 */
#ifndef CONTROL_STREAM_H
#define CONTROL_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "control/limits.h"
#include "control/xml.h"
#include "dataplane/base/buf.h"
#include "dataplane/base/channel.h"

struct scan;
struct session;

enum stream_input {
	INPUT_OPEN,
	INPUT_FOOTER, /* </stream:stream> has been read */
	INPUT_ENDED,  /* end of stream; what came before may still wait in `in` */
	INPUT_GONE,   /* ended, and all of it read; or reset */
};

enum stream_output {
	OUTPUT_SILENT, /* no stream header has been sent since the connection or its last restart began */
	OUTPUT_OPEN,
	OUTPUT_FOOTER, /* </stream:stream> has been put into `out` */
	OUTPUT_ENDING, /* end of stream follows what is in `out` */
	OUTPUT_ENDED,  /* nothing more may be sent */
	OUTPUT_RESET,  /* nothing more may be said */
};

struct stream {
	struct session *session;
	enum conn_side side;
	enum stream_input input;
	enum stream_output output;
	struct xml_parser *parser;
	struct buf in;               /* received, not parsed yet */
	uint32_t window;             /* bytes that the endpoint may still send us */
	uint32_t owed;               /* parsed, credit for it not given back yet */
	struct buf out;              /* to be sent */
	uint32_t credit;             /* bytes that may be sent now */
	bool restart;                /* a new header is expected; the parser learns of it outside of its handlers */
	bool dialback;               /* its header declares the prefix db: */
	bool old;                    /* its header has no version */
	struct msg_secured *secured; /* NULL: not under TLS (yet) */
	struct scan *scan;           /* its last stanza waits for a scanner: nothing more is read; NULL: none does */
	uint64_t held_ms;            /* a rate holds it: nothing is read until then; 0: none does */
	uint64_t keepalive_ms;       /* last one passed on */
	uint64_t bytes_in, bytes_out;
};

int stream_init(struct stream *stream, struct session *session, enum conn_side side)
	__attribute__((warn_unused_result, nonnull));
void stream_fini(struct stream *stream) __attribute__((nonnull));

/* Takes bytes of the endpoint. -EPROTO: more than its window, or after its end; -ENOMEM. */
int stream_receive(struct stream *stream, const uint8_t *bytes, uint32_t len)
	__attribute__((warn_unused_result, nonnull));

/* Parses what may be parsed now; true if it took anything. */
bool stream_parse(struct stream *stream) __attribute__((nonnull));
void stream_discard(struct stream *stream) __attribute__((nonnull)); /* all that was received */

/* Sends what credit allows, and the end of the stream when it is due. Gives credit back. */
void stream_flush(struct stream *stream) __attribute__((nonnull));
void stream_end(struct stream *stream) __attribute__((nonnull));   /* when all in `out` has been sent */
void stream_reset(struct stream *stream) __attribute__((nonnull)); /* now */

/* Queue for the endpoint. 0; or -ENOMEM, -ENOSPC, -EPIPE with nothing queued. */
int stream_put_header(struct stream *stream, const struct xml_header *header)
	__attribute__((warn_unused_result, nonnull));
int stream_put_node(struct stream *stream, const struct node *node) __attribute__((warn_unused_result, nonnull));
int stream_put_text(struct stream *stream, const char *text) __attribute__((warn_unused_result, nonnull));
int stream_put_footer(struct stream *stream) __attribute__((warn_unused_result, nonnull));
int stream_put_error(struct stream *stream, const char *condition) __attribute__((warn_unused_result, nonnull));

static inline bool stream_is_full(const struct stream *stream)
{
	return buf_len(&stream->out) >= SESSION_OUT_HIGH_BYTES;
}

#endif
