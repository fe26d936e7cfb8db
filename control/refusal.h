/*
 * The way of a refusal to the sender of the stanza. Streams between servers run one way, so it may have to travel on
 * another connection: one that carries stanzas from the domain that was written to, to the domain that wrote.
 */
#ifndef CONTROL_REFUSAL_H
#define CONTROL_REFUSAL_H

#include <stddef.h>
#include <stdint.h>

#include "control/limits.h"
#include "dataplane/base/channel.h"

struct control;
struct session;
struct node;

enum delivery {
	DELIVERY_NONE,    /* there was nothing to deliver */
	DELIVERY_NOT_DUE, /* this kind of stanza has no answer */
	DELIVERY_INSTEAD, /* of a result: its asker gets an error in its place */
	DELIVERY_BIDI,    /* on the same connection */
	DELIVERY_REVERSE, /* on another one */
	DELIVERY_OWN_STREAM, /* on one of the guard's own */
	DELIVERY_QUEUED,  /* when there is one */
	DELIVERY_UNDELIVERABLE,
};

struct refusal { /* that waits */
	struct refusal *next;
	uint64_t deadline_ms;
	uint64_t verdict; /* that it tells of */
	enum wire wire;   /* that the sender is on */
	char from[DOMAIN_BYTES], to[DOMAIN_BYTES];
	size_t len;
	char bytes[]; /* as it will be sent, NUL-terminated */
};

struct refusals {
	struct refusal *first, *last;
	unsigned count;
	size_t bytes;
};

/* Tells the sender, who is on `side` of `session`. `answer` NULL: none is due. */
enum delivery refusal_deliver(struct control *control, struct session *session, enum conn_side side,
	const struct node *answer, uint64_t verdict) __attribute__((nonnull(1, 2)));

void refusals_flush(struct control *control, struct session *session)
	__attribute__((nonnull)); /* it may be a way now */
void refusals_tick(struct control *control) __attribute__((nonnull));
void refusals_fini(struct refusals *refusals) __attribute__((nonnull));

const char *delivery_name(enum delivery delivery);

#endif
