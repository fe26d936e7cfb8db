/*
 * STARTTLS (RFC 6120 5): asked by the client, granted by the server, and then the connection is handed to tls.
 * Between asking and TLS neither side may say anything: what comes there would be read as if it had been protected.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "control/control.h"
#include "control/link.h"
#include "control/negotiation.h"

/* Nothing of what was sent is worth carrying: it is made afresh. */
static void pass_empty(struct stream *stream, struct stanza *stanza, const char *name)
{
	struct node *made = node_new(stanza->arena, NS_TLS, name);
	if (made)
		negotiation_pass(stream, made);
	else
		session_close(stream->session, SIDES, "resource-constraint", "no memory for an element");
}

/* Who was proved in the clear must not be thought proved under TLS. */
void tls_take_starttls(struct stream *stream, struct stanza *stanza)
{
	if (stream->session->pairs.count) {
		negotiation_violated(
			stream, COUNT_FAULT_OUT_OF_PLACE, "policy-violation", "STARTTLS after dialback in the clear");
		return;
	}
	session_set_state(stream->session, SESSION_TLS_ASKED);
	pass_empty(stream, stanza, "starttls");
}

void tls_take_proceed(struct stream *stream, struct stanza *stanza)
{
	session_set_state(stream->session, SESSION_TLS_GRANTED);
	pass_empty(stream, stanza, "proceed");
}

void tls_take_failure(struct stream *stream, struct stanza *stanza)
{
	pass_empty(stream, stanza, "failure");
	session_close(stream->session, SIDES, NULL, "server refused STARTTLS");
}

static bool has_plaintext(const struct stream *stream)
{
	return !stream->secured && buf_len(&stream->in);
}

void tls_check_injection(struct session *session)
{
	bool asked = session->state >= SESSION_TLS_ASKED && session->state <= SESSION_TLS_HANDSHAKE;
	bool granted = asked && session->state != SESSION_TLS_ASKED;
	struct stream *guilty = NULL;
	if (asked && has_plaintext(&session->stream[SIDE_CLIENT]))
		guilty = &session->stream[SIDE_CLIENT];
	else if (granted && has_plaintext(&session->stream[SIDE_SERVER]))
		guilty = &session->stream[SIDE_SERVER];
	if (!guilty)
		return;
	audit_alert(session->control, session, "starttls-injection",
		guilty->side == SIDE_CLIENT ? "client sent more after starttls" : "server sent more after proceed");
	session_reset(session, "plaintext where TLS should begin");
}

/* All that was said in the clear must have left before the bytes of the connection become TLS. */
void tls_advance(struct session *session)
{
	struct msg_start_tls start = {0};
	if (session->state != SESSION_TLS_GRANTED || buf_len(&session->stream[SIDE_CLIENT].out) ||
		buf_len(&session->stream[SIDE_SERVER].out))
		return;
	snprintf(start.client_name, sizeof(start.client_name), "%s", session->client_name);
	snprintf(start.server_name, sizeof(start.server_name), "%s", session->server_name);
	start.level = session_level(session, session->client_name, session->server_name);
	if (channel_send(session->control->channel, MSG_START_TLS, SIDE_CLIENT, session->id, &start, sizeof(start)))
		return; /* the channel is broken, which ends the process */
	session->tls_started = true;
	session_set_state(session, SESSION_TLS_HANDSHAKE);
}

/* --- what tls says --- */

/* Is this the end that the session was promised? tls has checked it; so do we. */
static bool is_who_it_should_be(const struct session *session, enum conn_side side, const struct msg_secured *secured)
{
	const char *name = side == SIDE_CLIENT ? session->client_name : session->server_name;
	if (*secured->identity)
		return !strcasecmp(secured->identity, name);
	bool may_be_nobody = *secured->doubt ? session_wire(session, side) == WIRE_OUTSIDE : side == SIDE_CLIENT;
	return may_be_nobody &&
	       session_level(session, session->client_name, session->server_name) != AUTH_STRONG;
}

static bool is_terminated(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static int keep_secured(struct stream *stream, const struct msg_secured *secured)
{
	struct msg_secured *copy = malloc(sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	memcpy(copy, secured, sizeof(*copy));
	stream->secured = copy;
	if (is_terminated(copy->version, sizeof(copy->version)) &&
		is_terminated(copy->cipher, sizeof(copy->cipher)) &&
		is_terminated(copy->identity, sizeof(copy->identity)) &&
		is_terminated(copy->doubt, sizeof(copy->doubt)) &&
		is_terminated(copy->shown, sizeof(copy->shown)) &&
		is_terminated(copy->shown_issuer, sizeof(copy->shown_issuer)))
		return 0;
	return -EPROTO;
}

/* In direct TLS the client must have been named. */
static bool is_too_early(const struct session *session)
{
	return session->state != SESSION_CLOSING &&
	       session->state != (session->direct ? SESSION_TLS_NAMED : SESSION_TLS_HANDSHAKE);
}

int session_on_secured(struct session *session, enum conn_side side, const struct msg_secured *secured)
{
	struct stream *stream = &session->stream[side];
	if (!session->tls_started || stream->secured || is_too_early(session))
		return -EPROTO;
	int rc = keep_secured(stream, secured);
	if (rc == -EPROTO)
		return rc;
	if (session->state == SESSION_CLOSING)
		return 0;
	if (rc) {
		session_reset(session, "no memory");
		return 0;
	}
	history_certificate(
		&session->control->history, session_wire(session, side), stream->secured, session->control->wall_ms);
	if (!is_who_it_should_be(session, side, stream->secured)) {
		audit_alert(session->control, session, "tls-identity", "certificate for another name came through");
		session_reset(session, "certificate for another name");
		return 0;
	}
	if (session->own)
		own_stream_secured(session);
	if (session_secured(session)) {
		control_count(session->control, COUNT_SESSIONS_SECURED);
		if (session->link)
			link_begin(session);
		else if (session->direct)
			session_set_state(session, SESSION_ANSWERING);
		else
			session_restart(session); /* RFC 6120 5.4.3.3 */
	}
	session_pump(session);
	return 0;
}

static const char *failure_name(uint32_t failure)
{
	static const char *const names[] = {[TLS_FAILED_HANDSHAKE] = "handshake",
		[TLS_FAILED_CERTIFICATE] = "certificate",
		[TLS_FAILED_NAME] = "name",
		[TLS_FAILED_NO_CERTIFICATE] = "no certificate",
		[TLS_FAILED_TIMEOUT] = "timeout",
		[TLS_FAILED_KEYD] = "no guard certificate",
		[TLS_FAILED_RECORD] = "record",
		[TLS_FAILED_PIN] = "pin"};
	return failure < sizeof(names) / sizeof(*names) ? names[failure] : "unknown";
}

/* What a server says on a stream that it cannot go on with (RFC 6120 4.9.3). */
static const char *condition_for_client(enum conn_side side, uint32_t failure)
{
	if (side == SIDE_SERVER || failure == TLS_FAILED_KEYD)
		return "remote-connection-failed";
	return failure == TLS_FAILED_TIMEOUT ? "connection-timeout" : "not-authorized";
}

/* tls has told both sides by its alerts, but for a client that was done: that is told by a stream error. What is left
 * is to end their connections. */
int session_on_tls_failed(struct session *session, enum conn_side side, const struct msg_tls_failed *failed)
{
	char reason[sizeof(failed->reason)], why[sizeof(session->why)];
	if (!session->tls_started && !direct_hello_failed(session))
		return -EPROTO;
	memcpy(reason, failed->reason, sizeof(reason));
	reason[sizeof(reason) - 1] = '\0';
	snprintf(why, sizeof(why), "TLS with %s failed, %s: %s", side == SIDE_CLIENT ? "client" : "server",
		failure_name(failed->failure), reason);
	control_count(session->control, COUNT_TLS_FAILURES);
	if (failed->failure == TLS_FAILED_PIN)
		audit_pin(session->control, session, side == SIDE_CLIENT ? session->client_name : session->server_name, reason);
	audit_alert(session->control, session, "tls-failed", why);
	if (direct_client_is_ready(session) && !session_secured(session))
		session_close(session, SIDE_CLIENT, condition_for_client(side, failed->failure), why);
	session_finish(session, why);
	return 0;
}
