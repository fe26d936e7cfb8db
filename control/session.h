/*
 * A session: one guarded connection, which is two streams held in lock-step.
 *
 *      client  --- in -->  [ parser ] -> table of elements -> judge -> [ writer ]  --- out -->  server
 *      client  <-- out --  [ writer ] <- judge <- table of elements <- [ parser ]  <-- in ---   server
 *
 * The guard says nothing of its own but refusals: what one side is told is what the other side said, checked and
 * written afresh. Who may speak is told by the state of the session, so that headers, features and restarts of the
 * two sides stay in step, and what comes too early waits unread.
 */
#ifndef CONTROL_SESSION_H
#define CONTROL_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "control/limits.h"
#include "control/management.h"
#include "control/pair.h"
#include "control/stream.h"
#include "dataplane/base/channel.h"
#include "policy/policy.h"

struct control;

enum session_state {
	SESSION_UNKNOWN,         /* to the channel */
	SESSION_OPENING,         /* the client's stream header is awaited */
	SESSION_ANSWERING,       /* the server's */
	SESSION_OFFERING,        /* the server's features */
	SESSION_OPEN,            /* both may speak: to negotiate further, or stanzas once a pair is authenticated */
	SESSION_TLS_ASKED,       /* <starttls/> was passed on */
	SESSION_TLS_GRANTED,     /* <proceed/> is on its way to the client */
	SESSION_TLS_HANDSHAKE,   /* tls has the word */
	SESSION_TLS_UNNAMED,     /* direct TLS: the client's header is awaited, inside of its TLS */
	SESSION_TLS_NAMED,       /* tls has the word again: the client is to prove its name, the server to take it */
	SESSION_SASL_ASKED,      /* <auth/> or <response/> was passed on */
	SESSION_SASL_CHALLENGED, /* <challenge/> was */
	SESSION_CLOSING,         /* all has been said; what waits for a side still goes out */
	SESSION_STATES
};

/* XEP-0288, by who ends it */
enum session_bidi {
	BIDI_NONE,
	BIDI_OFFERED_BY_SERVER,
	BIDI_OFFERED_BY_GUARD, /* so that refusals have a way back to the client */
	BIDI_WITH_SERVER,      /* stanzas both ways */
	BIDI_WITH_GUARD,       /* only the guard's refusals come back */
};

struct session {
	struct control *control;
	struct session *next, *previous; /* of all */
	struct session *next_in_bucket;
	uint64_t id; /* of the connection */
	struct msg_opened opened;
	const struct conf_link *link; /* NULL: of none */
	struct own_stream *own;       /* the guard itself is the client; else NULL */
	uint64_t spoken_ms;           /* when the last refusal was put into it */
	struct {
		bool starttls, external, refused; /* by the server's last features; and by its answer to EXTERNAL */
	} offered;
	enum session_state state;
	enum session_bidi bidi;
	struct stream stream[SIDES];
	char client_name[DOMAIN_BYTES],
		server_name[DOMAIN_BYTES]; /* of the client's header, lower case; "": none yet */
	struct pairs pairs;
	struct management management;
	uint64_t opened_ms, opened_wall_ms, heard_ms, closing_ms;
	uint64_t stanzas[POLICY_CLOSE + 1]; /* by verdict */
	bool tls_started;
	enum session_direct {
		DIRECT_NO,
		DIRECT_TLS,                /* XEP-0368 */
		DIRECT_WITHOUT_CERTIFICATE, /* the client showed none */
		DIRECT_WITH_CERTIFICATE,
	} direct;
	char why[320]; /* why it ended; "" while it lives */
};

struct session *session_new(struct control *control, uint64_t id, const struct msg_opened *opened)
	__attribute__((warn_unused_result, nonnull)); /* NULL: no memory */
void session_free(struct session *session);

/* The only writer of the state. */
void session_set_state(struct session *session, enum session_state state) __attribute__((nonnull));

/* May the parser of this side go on now? */
bool session_hears(const struct session *session, enum conn_side side) __attribute__((nonnull));

/* Parses, answers and sends as far as state, credit and bounds allow. */
void session_pump(struct session *session) __attribute__((nonnull));

/*
 * Ends the session: `offender` (SIDES: both) is told the stream error `condition` (NULL: none), the other side gets
 * the end of its stream. Before a side has a stream header, or while TLS is being set up, it is told nothing. `why`
 * is for people.
 */
void session_close(struct session *session, enum conn_side offender, const char *condition, const char *why)
	__attribute__((nonnull(1, 4)));
void session_reset(struct session *session, const char *why) __attribute__((nonnull)); /* cuts both sides at once */
void session_finish(struct session *session, const char *why)
	__attribute__((nonnull)); /* ends both connections, says nothing */

/* Both streams begin anew, with a header each, on the same connection (after TLS, after SASL). */
void session_restart(struct session *session) __attribute__((nonnull));

/* What the channel says. 0 or -EPROTO. */
int session_on_bytes(struct session *session, enum conn_side side, const uint8_t *bytes, uint32_t len);
int session_on_credit(struct session *session, enum conn_side side, uint32_t bytes);
int session_on_end(struct session *session, enum conn_side side);
int session_on_reset(struct session *session, enum conn_side side);
int session_on_secured(struct session *session, enum conn_side side, const struct msg_secured *secured);
int session_on_client_hello(struct session *session, const struct msg_client_hello *hello);
int session_on_client_ready(struct session *session, const struct msg_client_ready *ready);
int session_on_tls_failed(struct session *session, enum conn_side side, const struct msg_tls_failed *failed);
void session_on_closed(struct session *session); /* writes its line; the caller frees it */
void session_on_tick(struct session *session);
void session_on_policy(struct session *session) __attribute__((nonnull)); /* closes who could not be any more */

static inline bool session_secured(const struct session *session)
{
	return session->stream[SIDE_CLIENT].secured && session->stream[SIDE_SERVER].secured;
}

static inline enum wire session_wire(const struct session *session, enum conn_side side)
{
	enum wire wire = (enum wire)session->opened.client_wire;
	return side == SIDE_CLIENT ? wire : wire_other(wire);
}

static inline enum policy_direction session_direction(const struct session *session, enum conn_side from)
{
	return session_wire(session, from) == WIRE_INSIDE ? POLICY_OUTBOUND : POLICY_INBOUND;
}

/* May `from`, which is on this side, and `to`, which is on the other, speak at all? Domains in lower case; `from` may
 * be "" (not said): then only whom it asks for is looked at. */
bool session_peering_allows(const struct session *session, enum conn_side side, const char *from, const char *to,
	const char **reason) __attribute__((warn_unused_result, nonnull));

/* May this side send stanzas at all? With bidi a pair counts for both directions. */
bool session_has_pair(const struct session *session, enum conn_side side) __attribute__((nonnull));

/* The level of authentication that the configuration asks for between these two; strong for whoever does not say its
 * name. */
enum auth_level session_level(const struct session *session, const char *from, const char *to)
	__attribute__((nonnull));

/* May domains prove themselves on this connection as it is? Not in the clear, unless the level does without TLS. */
bool session_may_authenticate(const struct session *session) __attribute__((nonnull));

const char *session_state_name(enum session_state state);

#endif
