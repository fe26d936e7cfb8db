/*
 * The two handshakes of a connection, interleaved so that no endpoint sees a guard certificate before the one that it
 * stands for has been verified:
 *
 *     1. towards the server we are a client; its certificate is verified, and that it holds the key
 *     2. towards the client we are a server, waiting since its ClientHello; it is shown the guard certificate for the
 *        server, and its own is verified
 *     3. the server, waiting since its CertificateRequest, is shown the guard certificate for the client
 *
 * What fails on one side fails on the other.
 *
 * In direct TLS the client says who it is only when its handshake is done: between 2 and 3 the server waits for control to
 * read that, and for the client's certificate to prove it.
 */
#ifndef TLS_HANDSHAKE_H
#define TLS_HANDSHAKE_H

#include "conn.h"
#include "keys.h"

/* Once for the trust of each wire. */
void handshake_prepare(struct trust *trust) __attribute__((nonnull));

/* Direct TLS: puts TLS under the client, whose ClientHello is then read into conn->hello. 0 or -errno. */
int handshake_accept(struct conn *conn) __attribute__((warn_unused_result, nonnull));

/* Puts TLS under both sides, or under the server if the client has it; conn->start is filled. 0 or -errno. */
int handshake_start(struct conn *conn) __attribute__((warn_unused_result, nonnull));

/* Direct TLS: who the client says it is, after its handshake. Unless it has proved it, the next handshake_run() fails. */
void handshake_name(struct conn *conn, const struct msg_name_client *name) __attribute__((nonnull));

enum handshake_result { HANDSHAKE_WAITS, HANDSHAKE_DONE, HANDSHAKE_FAILED };

/* Goes on as far as possible. When it failed, alerts are queued towards both, and *failed says whose check it was. */
enum handshake_result handshake_run(struct conn *conn, enum conn_side *failed, struct msg_tls_failed *why)
	__attribute__((warn_unused_result, nonnull));

/* Ends it from outside: time-out, an endpoint that left. */
void handshake_abort(struct conn *conn, enum conn_side side, enum tls_failure failure, const char *reason)
	__attribute__((nonnull));

/* What control is told about a side when both are done. */
void handshake_describe(const struct conn *conn, enum conn_side side, struct msg_secured *secured)
	__attribute__((nonnull));

#endif
