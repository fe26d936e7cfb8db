/*
 * A world around the relay of tls: the dataplane below and control above are played (channel_harness.h), keyd's part is
 * served in the same process, and two endpoints speak TLS with OpenSSL. Everything moves in turns: nothing waits.
 *
 *     client a.example, inside -- wire --+                     +-- wire -- server b.example, outside
 *                                        |  [ relay of tls ]   |
 *                                        +---- "control" ------+
 */
#ifndef TESTS_TLS_HARNESS_H
#define TESTS_TLS_HARNESS_H

#include "channel_harness.h"
#include "dataplane/base/buf.h"
#include "tls/keyd/serve.h"
#include "tls/relay.h"
#include "tls_pki.h"

enum { CONN = 7 };

/* One endpoint, and the wire to it. */
struct endpoint {
	SSL_CTX *context;
	SSL *ssl;                      /* NULL: in plain */
	BIO *in, *out;
	bool frozen;                   /* does not run; what comes for it waits in `in` */
	bool crumbs;                   /* sends single bytes */
	bool slow;                     /* gives no credit for what it gets */
	bool done, failed;
	bool saw_certificate;          /* a Certificate message that was not empty */
	bool saw_close_notify;
	int alert;                     /* fatal, received; -1: none */
	struct buf to_send, got;       /* plaintext */
	uint64_t got_bytes;            /* in all */
	uint32_t credit, owed;
	bool got_end, got_reset;
	uint64_t wire_bytes;           /* that came for it, before it looked at them */
};

/* What control was told of a side. */
struct told {
	struct buf got;
	uint64_t got_bytes;
	uint32_t owed, credit;
	bool slow, ended, reset;
	unsigned secured_count;
	struct msg_secured secured;
};

struct world {
	char folder[64];
	bool inbound;                  /* the other way round: client b.example, outside; server a.example, inside */
	struct pki guard_ca[WIRES], site_ca[WIRES], site[SIDES];
	struct conf conf;
	struct conf_peer peer;
	struct conf_certificate certificates[2];
	struct keyd keyd;
	int keyd_fd;
	bool keyd_held;                /* answers come when it is let go */
	unsigned keyd_requests[KEYD_TYPES];
	struct player lower, upper;
	struct relay *relay;
	uint64_t now_ms;
	int rc;                        /* of the last relay_run() */
	unsigned stirred;              /* something happened in this turn */
	struct endpoint endpoint[SIDES];
	struct told told[SIDES];
	unsigned hellos, readies;      /* MSG_CLIENT_HELLO, MSG_CLIENT_READY heard, the last of them */
	struct msg_client_hello hello;
	struct msg_client_ready ready;
	unsigned failures;             /* MSG_TLS_FAILED heard */
	enum conn_side failed_side;
	struct msg_tls_failed failed;
	bool closed;
	uint64_t earlier;              /* handshakes before world_reopen() */
};

struct world *world_new(void);
void world_free(struct world *w);

/* Once more, with what the configuration has by now. */
void world_start_keyd(struct world *w);

/* Opens CONN. */
void world_open(struct world *w);
/* Ends and closes CONN, and opens another one of the same id. Endpoints keep their contexts, and nothing else. */
void world_reopen(struct world *w);
/* One turn of everybody; world_settle() until nothing moves any more. */
void world_turn(struct world *w);
void world_settle(struct world *w);

/* Puts TLS under both endpoints. A certificate of NULL: it shows none. Version: TLS1_2_VERSION, TLS1_3_VERSION. */
void world_endpoint_tls(struct world *w, enum conn_side side, const struct pki *own, const struct pki *chain, int version);
void world_start_tls(struct world *w, enum auth_level level);
/* Direct TLS: control takes what the ClientHello asks for, and says later who asked. */
void world_start_direct(struct world *w, enum auth_level level);
void world_name_client(struct world *w, const char *name, enum auth_level level);
/* Both endpoints with good certificates; the whole handshake. */
void world_secure(struct world *w, int version);

/* Control sends these to the endpoint on that side. */
void world_control_says(struct world *w, enum conn_side side, const void *bytes, size_t n);

uint64_t world_counter(const struct world *w, enum tls_counter id);

#endif
