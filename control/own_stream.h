/*
 * Streams of the guard's own: the last way of a refusal to its sender, where no stream carries anything from the domain
 * that was written to, to the domain that wrote. The guard dials the sender's server in the name of the other one, on the
 * path of the connection that the refused stanza came by, authenticates with the guard certificate of that name, as the
 * other server would, says what it has to say, and goes.
 *
 * Such a connection is a session like any other, whose client is played here: what it says is put in where the bytes
 * of a client come in, and goes to the server by the same rules.
 */
#ifndef CONTROL_OWN_STREAM_H
#define CONTROL_OWN_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "control/limits.h"
#include "dataplane/base/channel.h"

struct control;
struct session;

struct own_stream { /* one pair of domains that was, is, or cannot be called */
	enum { OWN_NONE, OWN_DIALLED, OWN_OPEN, OWN_FAILED } state;
	uint64_t since_ms;
	enum wire wire;                                /* that is called */
	char from[DOMAIN_BYTES], to[DOMAIN_BYTES];
	struct msg_opened path;                        /* as it will be announced, but for the client's port */
};

struct own_streams {
	struct own_stream stream[OWN_STREAMS_MAX];
};

/*
 * A refusal from `from` to `to` waits. The stanza came by `session`, from the endpoint on `side`: that one is called, if
 * it is not being called already, nor was in vain a short while ago.
 */
void own_stream_wanted(struct control *control, const struct session *session, enum conn_side side, const char *from,
	const char *to) __attribute__((nonnull));

/* The connection that came of it is there: false if nobody wanted it. */
bool own_stream_opened(struct session *session) __attribute__((warn_unused_result, nonnull));
void own_stream_secured(struct session *session) __attribute__((nonnull)); /* its server is */
void own_stream_pump(struct session *session) __attribute__((nonnull));    /* says what is next */
void own_stream_closed(const struct session *session) __attribute__((nonnull));

/* Once a second: those that did not answer; one that has nothing to say any more is closed. */
void own_streams_tick(struct control *control) __attribute__((nonnull));

#endif
