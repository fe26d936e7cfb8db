/*
 * A control process without the process: its sessions, policy and audit, with a channel whose other end is played by
 * the test. The test says what the endpoints of connections send, in the order in which it happens, and expects to
 * the byte what each of them is sent.
 */
#ifndef TESTS_SESSION_HARNESS_H
#define TESTS_SESSION_HARNESS_H

#include "control/control.h"
#include "control/session.h"
#include "tests/unit/channel_harness.h"

enum { STAGE_CONNECTIONS = 8 };

struct stage_side {
	struct buf heard; /* what the endpoint was sent and no expectation has taken yet */
	bool ended, reset;
	uint64_t credited; /* bytes of credit that were given back */
	uint64_t unpaid;   /* bytes heard for which no credit was given */
};

struct stage_connection {
	struct stage_side side[SIDES];
	unsigned start_tls, named, dialled;
	enum conn_side dialled_side;
	struct msg_dial dial;
	struct msg_start_tls tls;
	struct msg_name_client name;
};

struct stage {
	struct control *control;
	struct player player;
	struct stage_connection *connection; /* by id */
	bool miserly;                        /* the endpoints give no credit back */
	bool in_pieces;                      /* bytes are fed one by one */
	bool doubted_server;                 /* of stage_secure(): its certificate proves nothing */
	bool own_ids;                        /* each connection has stream ids of its own: id-102, id-202 */
	bool broken;                         /* control found the channel broken */
	char audit[64];                      /* path */
};

#define ID "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'"
#define DB " xmlns:db='jabber:server:dialback'"

/* A guard between a.example and sub.a.example (inside) and b.example (strong), d.example (tls-dialback),
 * e.example (none); pin.d.example is pinned to the certificate that everybody shows, other-pin.d.example to another. */
void stage_init(struct stage *s);
void stage_init_conf(struct stage *s, const char *features, const char *audit);
void stage_fini(struct stage *s);

void stage_turn(struct stage *s);              /* control does what there is to do, and what it says is heard */
void stage_wait(struct stage *s, uint64_t ms); /* time passes, with ticks */

void stage_open(struct stage *s, uint64_t conn, enum wire client_wire);
void stage_say(struct stage *s, uint64_t conn, enum conn_side side, const char *text);
void stage_say_bytes(struct stage *s, uint64_t conn, enum conn_side side, const void *bytes, size_t len);
void stage_tell(struct stage *s, uint64_t conn, enum conn_side side, enum msg_type type);
void stage_credit(struct stage *s, uint64_t conn, enum conn_side side, uint32_t bytes);
/* An identity of "?why": a certificate that proves nothing. */
void stage_secured(struct stage *s, uint64_t conn, enum conn_side side, const char *identity, const char *shown);
void stage_hello(struct stage *s, uint64_t conn, const char *server_name, enum hello_alpn alpn);
void stage_ready(struct stage *s, uint64_t conn, bool certificate);
void stage_tls_failed(struct stage *s, uint64_t conn, enum conn_side side, enum tls_failure failure, const char *reason);
void stage_close(struct stage *s, uint64_t conn); /* both ends are gone: MSG_CLOSED */

/* Exactly this was sent, all of it. */
void stage_expect(struct stage *s, uint64_t conn, enum conn_side side, const char *text);
void stage_expect_nothing(struct stage *s, uint64_t conn);
struct session *stage_session(struct stage *s, uint64_t conn);

/* The client dials from `wire`: headers, STARTTLS, TLS, headers again. `features` are what the server then offers;
 * both sides stand behind the features. Names: of the client, of the server. */
void stage_secure(struct stage *s, uint64_t conn, enum wire wire, const char *client, const char *server,
	const char *client_identity, const char *features);
/* By direct TLS, up to the answer to the first header. */
void stage_direct(struct stage *s, uint64_t conn, enum wire wire, const char *client, const char *server,
	bool certificate);
/* stage_secure() with EXTERNAL, up to its success: headers come next. */
void stage_authenticated(struct stage *s, uint64_t conn, enum wire wire, const char *client, const char *server,
	const char *features, bool bidi);
/* All of that, up to where stanzas may flow. */
void stage_external(struct stage *s, uint64_t conn, enum wire wire, const char *client, const char *server,
	const char *features, bool bidi);

uint64_t stage_count(const struct stage *s, enum control_counter id);

/* The audit so far, NUL-terminated; free() it. */
char *stage_audit(const struct stage *s);
void stage_expect_audit(const struct stage *s, const char *needle);

#endif
