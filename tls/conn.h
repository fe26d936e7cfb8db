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

/* Bit numbers in the dispatch tables. */
enum conn_state { CONN_UNKNOWN = 0, CONN_PLAIN, CONN_HANDSHAKE, CONN_SECURED, CONN_FAILED };

struct relay;

struct conn {
	LIST_ENTRY(conn) bucket;
	TAILQ_ENTRY(conn) turn;        /* in relay.busy or relay.starved while in_turn is not TURN_NONE */
	TAILQ_ENTRY(conn) shaking;     /* in relay.shaking while in CONN_HANDSHAKE */
	enum conn_turn { TURN_NONE, TURN_BUSY, TURN_STARVED } in_turn;
	enum conn_state state;
	uint64_t id;
	enum wire wire[SIDES];         /* that each endpoint is on */
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
