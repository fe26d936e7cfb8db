/*
 * Sessions that may be resumed, of both kinds: where the guard was the server, and where it was the client. They are kept
 * in this process only, for an hour after the full handshake, and are never turned into tickets that somebody else holds.
 *
 * A session is used only for the same two names on the same wires at the level "strong", and only after the chain of the
 * endpoint that is behind it was checked again as if it had been shown now. So what a resumed handshake leaves out is only
 * the proof that the endpoint holds its key, and it holds what was agreed upon when it gave that proof.
 */
#ifndef TLS_RESUME_H
#define TLS_RESUME_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <openssl/ssl.h>

#include "dataplane/base/channel.h"

enum resume_limits {
	RESUME_LIFE_S = 3600,
	RESUME_MAX = 1024,             /* sessions; the oldest goes first */
	RESUME_BUCKETS = 1024,
	RESUME_TICKETS = 1,            /* given to a client in TLS 1.3: each is good for one connection */
};

struct conn;
struct trust;
struct session_kept;

TAILQ_HEAD(session_list, session_kept);

struct resume {
	struct session_list all;       /* newest first */
	struct session_list bucket[RESUME_BUCKETS];    /* the same: a client's by their ids, those with servers by the names */
	unsigned count;
};

/* What one side's handshake stands on, if it is resumed (SSL_session_reused()). */
struct resumed {
	SSL_SESSION *session;          /* that may be */
	uint64_t until_ms;             /* and what comes of it no longer than that */
	X509 *shown;                   /* the guard certificate that the endpoint was shown in the full handshake */
};

void resume_init(struct resume *resume) __attribute__((nonnull));
void resume_fini(struct resume *resume) __attribute__((nonnull));

/* Once for the trust of each wire whose profile has it. */
void resume_prepare(struct trust *trust) __attribute__((nonnull));

/* Before the handshakes: the client's session may be kept; the server is offered one, if there is one. */
void resume_accept(struct conn *conn, SSL *ssl) __attribute__((nonnull));
void resume_dial(struct conn *conn, SSL *ssl) __attribute__((nonnull));

/* In the ClientHello callback, on the stack of the process: looks up and checks the session that the client asks for. */
void resume_on_client_hello(struct conn *conn, SSL *ssl) __attribute__((nonnull));

/* A handshake is done: what it made of a session of TLS 1.2 is kept. */
void resume_on_done(SSL *ssl) __attribute__((nonnull));

/* The server has accepted a resumed session, and must not hear that the handshake is complete before the client is
 * verified: nothing it is to be sent may leave. */
bool resume_holds(const struct conn *conn, enum conn_side side) __attribute__((nonnull));

/* The guard certificate that this side was shown, now or in the handshake that is resumed; NULL: none. */
X509 *resume_shown(const struct conn *conn, enum conn_side side) __attribute__((nonnull));

void resume_release(struct conn *conn) __attribute__((nonnull));       /* the connection is over */

#endif
