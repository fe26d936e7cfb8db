/*
 * The first bytes that a client sends on a connection, judged: is this XMPP between servers, whatever the port? Pure, and
 * hostile input: asked anew with all that is known whenever there is more.
 */
#ifndef DATAPLANE_OPENING_H
#define DATAPLANE_OPENING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum opening_limits {
	OPENING_BYTES_MAX = 16384,     /* nothing that is honest is undecided after so many */
	QUIC_DATAGRAM_BYTES_MIN = 1200,        /* of a first one: RFC 9000 14.1 */
};

enum opening {
	OPENING_MORE,                  /* the beginning of what may be XMPP */
	OPENING_OTHER,                 /* anything else */
	OPENING_STREAM,                /* a stream header that is not one of a client (RFC 6120 4.8) */
	OPENING_TLS,                   /* a ClientHello with ALPN "xmpp-server" (XEP-0368) */
	OPENING_WEBSOCKET,             /* an upgrade of HTTP to WebSocket with the sub-protocol "xmpp" (RFC 7395) */
};

/* `len` bytes from the first one on. Never OPENING_MORE for OPENING_BYTES_MAX of them. */
enum opening opening_judge(const uint8_t *bytes, size_t len) __attribute__((nonnull));

/* Is this payload of UDP the first packet of a QUIC connection (RFC 9000 17.2.2, RFC 9369)? */
bool opening_is_quic(const uint8_t *payload, size_t len, bool to_web_port) __attribute__((nonnull));

#endif
