/*
 * One side of a connection: the bytes between the wire below and control above, with or without TLS between them.
 *
 *     wire  -> from_wire  -> [TLS] -> up       control
 *     wire  <- to_wire    <- [TLS] <- from_above
 *
 * Before TLS the bytes are passed as they are; TLS is put under the same queues and nothing else changes. Every queue is
 * bounded by the credit that was given for it.
 */
#ifndef TLS_LAYER_H
#define TLS_LAYER_H

#include <stdbool.h>

#include <openssl/ssl.h>

#include "dataplane/base/buf.h"
#include "dataplane/base/channel.h"

enum layer_limits {
	LAYER_TO_WIRE_BYTES = CHANNEL_WINDOW + (128 << 10),    /* what is queued in plain when TLS starts, and records */
	LAYER_RECORD_BYTES = 16 << 10,
	LAYER_CREDIT_BYTES = 32 << 10, /* given back in no smaller pieces */
	LAYER_IDLE_TALK_MAX = 64,      /* key updates, tickets and the like without a byte of data between them */
};

/* What was said upward of this endpoint, and what was asked downward for it. */
enum layer_end { END_NONE, END_STREAM, END_STREAM_DONE, END_RESET, END_RESET_DONE };

struct layer {
	SSL *ssl;                      /* NULL: in plain */
	struct buf from_wire, to_wire, from_above;
	uint32_t credit_up, credit_down;       /* bytes that we may send to control, to the wire */
	uint32_t held_wire, held_above;        /* bytes that came and for which credit was not given back */
	enum layer_end up, down;
	bool close_notify_seen, truncated;     /* how the endpoint ended: with it, or without */
	bool reads_data;               /* the handshake is over */
	unsigned idle_talk;            /* messages of TLS itself since then, or the last data */
};

void layer_init(struct layer *layer) __attribute__((nonnull));
void layer_fini(struct layer *layer) __attribute__((nonnull));

/* Puts TLS under the queues; takes `ssl` over. What is still to be sent in plain goes out before it. 0, -ENOMEM, or
 * -ENOSPC: it was too much for that. */
int layer_start_tls(struct layer *layer, SSL *ssl) __attribute__((warn_unused_result, nonnull));

/* Next bytes for control, at most `size`: how many, 0 none now, -EPIPE the endpoint closed, -EPROTO a broken record. */
int layer_read(struct layer *layer, uint8_t *bytes, size_t size) __attribute__((warn_unused_result, nonnull));

/* Moves bytes of control towards the wire, as far as there is room. 0 or -EPROTO. */
int layer_write(struct layer *layer) __attribute__((warn_unused_result, nonnull));

/* Why the last layer_read() or layer_write() came to -EPROTO, for people. True: the endpoint said so, by an alert. */
bool layer_fault(const struct layer *layer, char reason[CHANNEL_NAME_MAX]) __attribute__((nonnull));

/* Ends TLS towards the endpoint (close_notify), if it was begun. */
void layer_close(struct layer *layer) __attribute__((nonnull));

#endif
