/*
 * A channel: how two processes of the guard hand each other the bytes of connections.
 *
 *     dataplane  ==channel==  tls  ==channel==  control
 *     lower end               upper end of one, lower end of the next
 *
 * One memfd holds two single-producer single-consumer rings of variable-length messages, one up (towards control) and
 * one down (towards the wire); an eventfd each way wakes a sleeper. This header and
 * channel_msg.h, which says what is said, are the whole contract: whoever is on the other side is not trusted further
 * than what is written here.
 *
 * Life of a connection. The lower end names it with MSG_OPENED, a 64-bit id that is never used again, and ends it with
 * MSG_CLOSED; between the two both ends may speak of it. After MSG_CLOSED the upper end says no more, and what it had
 * already said is ignored. Everything in between belongs to one side of the connection (client: who dialled).
 *
 * Credit. Each end may have CHANNEL_WINDOW bytes of MSG_BYTES outstanding for each side of each connection; the
 * receiver gives them back with MSG_CREDIT when it has used them up. Exceeding it is a protocol error. So memory is
 * bounded, a slow reader slows its writer, and nothing is ever dropped for lack of room.
 */
#ifndef BASE_CHANNEL_H
#define BASE_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channel_msg.h"

/* The memfd and its two eventfds. Whoever holds all three is one of the channel's ends. */
struct channel_fds {
	int memory;
	int wake_upper;        /* written by the lower end, read by the upper */
	int wake_lower;
};

enum channel_end { CHANNEL_LOWER, CHANNEL_UPPER };

struct channel;

/* Makes a fresh channel (memfd sealed against resizing). Returns 0 or -errno. Caller closes the fds. */
int channel_create(struct channel_fds *fds) __attribute__((warn_unused_result, nonnull));

void channel_fds_close(struct channel_fds *fds) __attribute__((nonnull));

/* Maps one end. Takes the fds over, also on failure. NULL with errno set. */
struct channel *channel_attach(struct channel_fds fds, enum channel_end end) __attribute__((warn_unused_result));

void channel_free(struct channel *ch);

/*
 * Appends a message and returns where its `length` payload bytes go, contiguous and 16-byte aligned; the caller fills
 * them before channel_flush(). Never fails for lack of room in the ring: the message then waits, in order, in a backlog
 * of the sender, and channel_flush() moves it on. Credit bounds that backlog; beyond CHANNEL_BACKLOG_MAX (a bug, or
 * thousands of connections opened at once onto a dead reader) the result is NULL and channel_broken() is true for good.
 */
void *channel_begin(struct channel *ch, enum msg_type type, enum conn_side side, uint64_t conn, uint32_t length)
	__attribute__((warn_unused_result, nonnull));

/* channel_begin() and a copy. */
int channel_send(struct channel *ch, enum msg_type type, enum conn_side side, uint64_t conn, const void *payload,
	uint32_t length) __attribute__((warn_unused_result, nonnull(1)));

/* Bytes of MSG_BYTES payload that would go into the ring at once. Bulk senders ask first and leave data where it is. */
size_t channel_room(const struct channel *ch) __attribute__((nonnull));

/* Publishes everything begun since the last flush, and wakes the other end if it sleeps: one wake-up at most. */
void channel_flush(struct channel *ch) __attribute__((nonnull));

/*
 * Receiving. `verbs` is indexed by enum msg_type; a row without handler is an unknown message. `find` gives the
 * receiver's own state of a connection as a bit number (0: id not known) and its object; a verb is dispatched only in
 * the states of its row. The header is copied out of shared memory before it is checked; the payload is not, so that
 * a handler copies what it will look at twice. A handler returns 0 or -EPROTO.
 */
struct channel_verb {
	uint32_t size_min, size_max;
	uint32_t states;               /* bit set */
	int (*handler)(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload);
};

struct channel_receiver {
	const struct channel_verb *verbs;      /* [MSG_TYPES] */
	unsigned (*find)(void *owner, uint64_t conn, void **object);
	void *owner;
};

/*
 * Handles at most `budget` messages and gives their room back. Returns how many, or -EPROTO when the other end broke the
 * contract: from then on the channel is broken, and its user reports the other end to sallyportd.
 */
int channel_dispatch(struct channel *ch, const struct channel_receiver *receiver, unsigned budget)
	__attribute__((warn_unused_result, nonnull));

bool channel_broken(const struct channel *ch) __attribute__((nonnull));

/*
 * Sleeping. channel_sleep() announces it and returns true if it is safe to wait on channel_wake_fd() (false: a message is
 * there, do not sleep). channel_awake() takes the announcement back and empties the eventfd.
 * A sender with a backlog, or whose ring is full, also wants to be woken: the receiver's progress wakes it.
 */
bool channel_sleep(struct channel *ch) __attribute__((warn_unused_result, nonnull));
void channel_awake(struct channel *ch) __attribute__((nonnull));
int channel_wake_fd(const struct channel *ch) __attribute__((nonnull));

const char *msg_type_name(enum msg_type type);

#endif
