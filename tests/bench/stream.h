/*
 * The two ends of a stream between servers, as plainly as they can be written: blocking, STARTTLS or direct TLS
 * (XEP-0368), certificates of both sides verified, SASL EXTERNAL. For programs that put load on the guard, or on what
 * stands in its place.
 */
#ifndef TESTS_BENCH_STREAM_H
#define TESTS_BENCH_STREAM_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum stream_limits { STREAM_INPUT_BYTES = 64 << 10, STREAM_ARGUMENTS = 7, STREAM_MESSAGE_BYTES = 300 };

#define STREAM_END "</stream:stream>"
#define STREAM_MESSAGE_END "</body></message>"

/* Who speaks, to whom, and where the side that is dialled listens. */
struct party {
	struct sockaddr_storage address;
	const char *domain, *peer;
	SSL_CTX *tls;
	bool direct;                   /* TLS from the first byte; the side that is dialled sees by itself */
	bool both_ways;                /* stanzas go in both directions of one stream (XEP-0288) */
	const void *owner;             /* whatever the program wants to find again */
};

struct end {
	const struct party *party;
	int fd;
	SSL *ssl;
	size_t len;                    /* of what was read and not yet taken; a NUL follows */
	char input[STREAM_INPUT_BYTES + 1];
};

/* From ADDRESS PORT DOMAIN PEER CERT KEY CA; "PORT/tls" is direct TLS. Ends the program when one of them is of no use. */
void party_init(struct party *party, char **arguments);

/* Calls `work` with the party's data in a thread of its own for each connection that comes in. Does not return. */
void party_serve(const struct party *party, void *(*work)(void *end));

/* The stream of a connection that came in, up to where stanzas follow. */
bool end_accept(struct end *e);

/* A stream ready for stanzas, or NULL after saying on stderr why not. */
struct end *end_dial(const struct party *party);

bool end_write(struct end *e, const char *bytes, size_t n);
bool end_say(struct end *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds what has come to the input, waiting for it. False: the connection is over, or the input is full. */
bool end_read(struct end *e);

/* Forgets the first n bytes of the input. */
void end_take(struct end *e, size_t n);

/* Reads up to and with `text`, and forgets it. */
bool end_await(struct end *e, const char *text);

void end_close(struct end *e);

/* A usual message, of exactly that many bytes. */
void stream_message(const char *domain, const char *peer, char out[STREAM_MESSAGE_BYTES + 1]);

/* Seconds of a clock that only goes on. */
double seconds_now(void);

#endif
