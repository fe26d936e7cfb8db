/*
 * Plays the other end of a channel, honestly or not: it writes and reads the shared memory itself, with none of the
 * checks of channel.c. A test gives the subject one end (player_start() or player_fds()) and plays the other one.
 */
#ifndef TESTS_CHANNEL_HARNESS_H
#define TESTS_CHANNEL_HARNESS_H

#include "dataplane/base/channel_ring.h"

struct player {
	struct channel_fds fds;
	struct ring_map tx, rx;        /* tx: what the player writes */
	uint64_t head, tail;           /* of tx as written (perhaps not yet published), of rx as used up */
	int wake_subject, wake_player;
};

/* Makes a channel; the player takes the end that is not `subject`. player_start() also attaches the subject's end. */
void player_init(struct player *p, enum channel_end subject);
struct channel *player_start(struct player *p, enum channel_end subject);
void player_fini(struct player *p);

/* Descriptors of the same channel to hand to a subject (a process, or channel_attach()), which owns them. */
struct channel_fds player_fds(const struct player *p);

/* A well-formed message, published, with a wake-up. Waits for nothing: the test must leave room in the ring. */
void player_say(struct player *p, enum msg_type type, enum conn_side side, uint64_t conn, const void *payload,
	uint32_t length);

/* Any header and any bytes at the player's head, which moves on by `advance` bytes; published by player_publish(). */
void player_put(struct player *p, const struct channel_msg *msg, const void *payload, size_t payload_bytes,
	uint64_t advance);
void player_publish(struct player *p);
void player_set_head(struct player *p, uint64_t head);        /* raw; published at once */
void player_set_tail(struct player *p, uint64_t tail);        /* raw; published at once */
void player_wake(struct player *p);

/* The next message that the subject flushed; false if there is none. Gives its room back, with a wake-up when the subject
 * waits for room. `payload` has room for CHANNEL_PAYLOAD_MAX bytes or is NULL. */
bool player_hear(struct player *p, struct channel_msg *msg, void *payload);

/* The same, waiting up to `timeout_ms` for it: for subjects that run in a process or thread of their own. */
bool player_await(struct player *p, struct channel_msg *msg, void *payload, int timeout_ms);

/* cmocka assertions: the next message is this one; there is none. */
void player_expect(struct player *p, enum msg_type type, enum conn_side side, uint64_t conn, const void *payload,
	uint32_t length);
void player_expect_none(struct player *p);

#endif
