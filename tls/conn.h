/* A connection in tls: its two layers, and the table of all of them. */
#ifndef TLS_CONN_H
#define TLS_CONN_H

#include <sys/queue.h>

#include "layer.h"
#include "resume.h"
#include "trust.h"

enum conn_limits {
	CONN_BUCKETS = 4096,
	CONN_HANDSHAKE_MS = 30 * 1000,
};

/*
 * Bit numbers in the dispatch tables.
 *
 *     OPENING -> PLAIN -------------> HANDSHAKE ---------------------> SECURED     STARTTLS
 *     OPENING -> HELLO -> ASKED ----> HANDSHAKE -> UNNAMED -> NAMED -> SECURED     direct TLS
 */
enum conn_state {
	CONN_UNKNOWN = 0,
	CONN_OPENING,          /* the client has said nothing yet */
	CONN_PLAIN,
	CONN_HELLO,            /* direct TLS: the ClientHello is being read */
	CONN_ASKED,            /* control was told of it */
	CONN_HANDSHAKE,
	CONN_UNNAMED,          /* the client is done and may speak; the server is proven, and waits for who dials */
	CONN_NAMED,            /* control has said it, and the client proved it */
	CONN_SECURED,
	CONN_DYING,            /* the server's half of direct TLS failed: the client, which is done, may be told so */
	CONN_FAILED,
};

struct relay;

struct conn {
	LIST_ENTRY(conn) bucket;
	TAILQ_ENTRY(conn) turn;        /* in relay.busy or relay.starved while in_turn is not TURN_NONE */
	TAILQ_ENTRY(conn) shaking;     /* in relay.shaking while a handshake is on: from CONN_HELLO to CONN_NAMED */
	enum conn_turn { TURN_NONE, TURN_BUSY, TURN_STARVED } in_turn;
	enum conn_state state;
	uint64_t id;
	enum wire wire[SIDES];         /* that each endpoint is on */
	bool own;                      /* the guard itself dialled: there is no client, and no layer of one is used */
	struct layer layer[SIDES];

	/* the handshakes */
	struct relay *relay;
	struct trust_check check[SIDES];
	struct msg_start_tls start;
	uint64_t deadline_ms;
	bool done[SIDES];
	bool server_proven;            /* it holds the key of the certificate that was verified */
	bool hello_judged;             /* the client's: which session it may resume */
	struct resumed resumed[SIDES];
	int server_alert;              /* fatal, that it sent in the handshake; 0: none */
	/* direct TLS */
	struct msg_client_hello hello;
	bool hello_read, client_named;
};

LIST_HEAD(conn_bucket, conn);
TAILQ_HEAD(conn_list, conn);

struct conn_table {
	struct conn_bucket bucket[CONN_BUCKETS];
};

struct conn *conn_find(struct conn_table *table, uint64_t id) __attribute__((nonnull));
/* NULL: no memory */
struct conn *conn_new(struct conn_table *table, uint64_t id) __attribute__((warn_unused_result, nonnull));
void conn_free(struct conn *conn) __attribute__((nonnull));    /* takes it out of the table; it is in no list */

#endif
