/*
 * What may be said on a stream besides stanzas, by whom and when: stream headers, features, STARTTLS, SASL, bidi,
 * stream errors. The table of top-level elements is in elements.c; dialback has its own file.
 */
#ifndef CONTROL_NEGOTIATION_H
#define CONTROL_NEGOTIATION_H

#include <stdint.h>

#include "control/count.h"
#include "control/session.h"
#include "control/xml.h"

/* For the parser of a stream; the owner is the struct stream. */
extern const struct xml_handlers negotiation_handlers;

/* The parser of this stream is broken: ends the session. */
void negotiation_fault(struct stream *stream, enum xml_fault fault) __attribute__((nonnull));
/* The same where somebody would do without the TLS that the level asks for; it is an alert. */
void negotiation_downgraded(struct session *session, enum conn_side offender, const char *condition, const char *why)
	__attribute__((nonnull(1, 3, 4)));
void negotiation_not_xmpp(struct session *session, const char *why) __attribute__((nonnull)); /* cuts, audits */

/* Ends the session because the endpoint of `stream` broke a rule; counts it, or raises an alert. */
void negotiation_violated(struct stream *stream, enum control_counter count, const char *condition, const char *why)
	__attribute__((nonnull));
void negotiation_alarmed(struct stream *stream, const char *alert, const char *condition, const char *why)
	__attribute__((nonnull));

/* Passes an element on to the other side; a failure (no memory, no room) ends the session. */
void negotiation_pass(struct stream *stream, const struct node *node) __attribute__((nonnull));
/* Answers the side that spoke. */
void negotiation_answer(struct stream *stream, const struct node *node) __attribute__((nonnull(1)));

/*
 * One top-level element of `stream`, which came in a place where the table allows it. A handler answers it, passes it
 * on, or closes the session.
 */
typedef void (*element_handler)(struct stream *stream, struct stanza *stanza);

struct element_row {
	const char *ns, *name; /* ns NULL: jabber:server */
	uint8_t sides;         /* bit set of enum conn_side that may say it */
	uint16_t states;       /* bit set of enum session_state in which */
	enum element_need { NEED_NOTHING, NEED_CLEAR, NEED_LEVEL, NEED_TLS, NEED_PAIR } need;
	element_handler handler;
};

/* NULL: no such element. */
const struct element_row *element_find(const struct node *node) __attribute__((nonnull));

bool features_allow(const struct session *session, const char *name) __attribute__((nonnull)); /* configured? */

/* --- handlers, by file --- */
void features_take(struct stream *stream, struct stanza *stanza); /* features.c */

void tls_take_starttls(struct stream *stream, struct stanza *stanza); /* starttls.c */
void tls_take_proceed(struct stream *stream, struct stanza *stanza);
void tls_take_failure(struct stream *stream, struct stanza *stanza);
void tls_check_injection(struct session *session); /* plaintext where TLS should begin */
void tls_advance(struct session *session);         /* hands the connection over when <proceed/> has been sent */

bool direct_hello_failed(struct session *session); /* no ClientHello came of it; false: this cannot be */
bool direct_client_is_ready(const struct session *session); /* direct_tls.c: its half of the handshake is over */
/* May the client of direct TLS be who its header says, on the connection that its ClientHello asked for? If not, the
 * session is closed. */
bool direct_names_ok(struct stream *stream, const char *from, const char *to);
void direct_name_client(struct session *session); /* its header has been read: tls may show it to the server */

void sasl_take_auth(struct stream *stream, struct stanza *stanza); /* sasl.c */
void sasl_take_challenge(struct stream *stream, struct stanza *stanza);
void sasl_take_response(struct stream *stream, struct stanza *stanza);
void sasl_take_abort(struct stream *stream, struct stanza *stanza);
void sasl_take_success(struct stream *stream, struct stanza *stanza);
void sasl_take_failure(struct stream *stream, struct stanza *stanza);

void dialback_take_result(struct stream *stream, struct stanza *stanza); /* dialback.c */
void dialback_take_verify(struct stream *stream, struct stanza *stanza);

void bidi_take(struct stream *stream, struct stanza *stanza);         /* features.c */
void stream_error_take(struct stream *stream, struct stanza *stanza); /* negotiation.c */
void compress_take(struct stream *stream, struct stanza *stanza);

void management_take_enable(struct stream *stream, struct stanza *stanza); /* management.c */
void management_take_enabled(struct stream *stream, struct stanza *stanza);
void management_take_failed(struct stream *stream, struct stanza *stanza);
void management_take_resume(struct stream *stream, struct stanza *stanza);
void management_take_request(struct stream *stream, struct stanza *stanza);
void management_take_answer(struct stream *stream, struct stanza *stanza);

void judge_take_stanza(struct stream *stream, struct stanza *stanza); /* judge.c */
/* What becomes of a stanza whose verdict is final. */
void judge_conclude(struct stream *stream, struct stanza *stanza, const struct policy_verdict *verdict)
	__attribute__((nonnull));

#define NS_COMPRESS "http://jabber.org/protocol/compress"

/* The condition that `error` holds in `ns`, if RFC 6120 defines one of that name; else `otherwise`. Static. */
const char *condition_of(const struct node *error, const char *ns, const char *otherwise) __attribute__((nonnull));

/* A pair has been authenticated: its stanzas may pass, and refusals that wait for it are sent. */
void negotiation_pair_valid(struct session *session, struct pair *pair, enum pair_method method)
	__attribute__((nonnull));

#endif
