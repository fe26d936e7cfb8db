/*
 * Direct TLS (XEP-0368): the client begins with TLS, and says in it whom it asks for, by SNI; who it is, only in the
 * stream header inside. So the server is asked for and proven first; then the client's half is finished and its header
 * read; and when its certificate has proved the name in there, the server is shown who dials, and is sent that header.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "control/control.h"
#include "control/link.h"
#include "control/negotiation.h"

bool direct_client_is_ready(const struct session *session)
{
	return session->direct >= DIRECT_WITHOUT_CERTIFICATE;
}

/* Nobody has said anything on this connection. */
static bool is_fresh(const struct session *session)
{
	if (session->direct || session->stream[SIDE_CLIENT].bytes_in)
		return false;
	bool begins_open = session->link && !session->link->tls;
	return begins_open || (session->state == SESSION_OPENING && !*session->server_name);
}

bool direct_hello_failed(struct session *session)
{
	if (session->state == SESSION_CLOSING)
		return true;
	if (!is_fresh(session))
		return false;
	session->direct = DIRECT_TLS;
	return true;
}

/* --- the ClientHello --- */

/* On a link it is known who is asked; a name that is said must be that one. */
static const char *link_hello_fault(struct session *session, const struct msg_client_hello *hello)
{
	if (!session->link->tls)
		return "TLS on a link that is configured without";
	link_name(session);
	return *hello->server_name && strcasecmp(hello->server_name, session->server_name)
		       ? "TLS for another name (SNI) than that of the link"
		       : NULL;
}

/* NULL: the server may be asked. */
static const char *why_not(struct session *session, const struct msg_client_hello *hello)
{
	const char *reason = "peering";
	if (session->link)
		return link_hello_fault(session, hello);
	if (!*hello->server_name)
		return "direct TLS without a server name (SNI)";
	if (hello->alpn == HELLO_ALPN_OTHER)
		return "direct TLS for another protocol than xmpp-server (ALPN)";
	if (strpbrk(hello->server_name, "@/") ||
		jid_domain(hello->server_name, session->server_name, sizeof(session->server_name)))
		return "direct TLS with a server name (SNI) that is no domain";
	return session_peering_allows(session, SIDE_CLIENT, "", session->server_name, &reason) ? NULL : reason;
}

/* Whom the client asks for outside is known; who dials from there could be any peer, and must be one that a bad
 * certificate is tolerated of. What its own level is, is found when it is named. */
static enum auth_level level_before_names(const struct session *session)
{
	const struct conf *conf = session->control->conf;
	const struct conf_peer *asked = conf_peer_find(conf, session->server_name);
	if (session_wire(session, SIDE_CLIENT) == WIRE_INSIDE)
		return asked ? asked->authentication : AUTH_STRONG;
	enum auth_level weakest = AUTH_STRONG;
	for (unsigned i = 0; i < conf->peer_count; i++)
		if (conf->peers[i].authentication > weakest)
			weakest = conf->peers[i].authentication;
	return weakest;
}

static void start_tls(struct session *session)
{
	struct msg_start_tls start = {.level = level_before_names(session), .direct = 1};
	snprintf(start.server_name, sizeof(start.server_name), "%s", session->server_name);
	if (channel_send(session->control->channel, MSG_START_TLS, SIDE_CLIENT, session->id, &start, sizeof(start)))
		return; /* the channel is broken, which ends the process */
	session->tls_started = true;
	session_set_state(session, SESSION_TLS_HANDSHAKE);
}

/* A refusal is an alert of TLS, which tls finds when it is told that the connection ends. */
int session_on_client_hello(struct session *session, const struct msg_client_hello *hello)
{
	if (!memchr(hello->server_name, '\0', sizeof(hello->server_name)) || hello->alpn >= HELLO_ALPNS)
		return -EPROTO;
	if (session->state == SESSION_CLOSING)
		return 0;
	if (!is_fresh(session))
		return -EPROTO;
	session->direct = DIRECT_TLS;
	control_count(session->control, COUNT_SESSIONS_DIRECT);
	session->heard_ms = session->control->now_ms;
	const char *why = why_not(session, hello);
	if (why) {
		control_count(session->control, COUNT_SESSIONS_REFUSED);
		audit_alert(session->control, session, "peering-refused", why);
		session_finish(session, why);
	} else if (session->stream[SIDE_SERVER].input != INPUT_OPEN) {
		session_finish(session, "server ended the connection");
	} else {
		start_tls(session);
	}
	session_pump(session);
	return 0;
}

/* --- the header inside --- */

/* It sends no header that would have to be read first. */
static void name_client_of_link(struct session *session)
{
	if (session->direct == DIRECT_WITHOUT_CERTIFICATE &&
		session_level(session, session->client_name, session->server_name) == AUTH_STRONG) {
		static const char why[] = "the client showed no certificate";
		control_count(session->control, COUNT_SESSIONS_REFUSED);
		audit_alert(session->control, session, "peering-refused", why);
		session_finish(session, why);
		return;
	}
	session_set_state(session, SESSION_TLS_NAMED);
	direct_name_client(session);
}

int session_on_client_ready(struct session *session, const struct msg_client_ready *ready)
{
	if (ready->certificate > 1)
		return -EPROTO;
	if (session->state == SESSION_CLOSING)
		return 0;
	if (session->direct != DIRECT_TLS)
		return -EPROTO;
	session->direct = ready->certificate ? DIRECT_WITH_CERTIFICATE : DIRECT_WITHOUT_CERTIFICATE;
	session_set_state(session, SESSION_TLS_UNNAMED);
	if (session->link)
		name_client_of_link(session);
	session_pump(session);
	return 0;
}

static void refuse(struct stream *stream, const char *condition, const char *reason)
{
	control_count(stream->session->control, COUNT_SESSIONS_REFUSED);
	negotiation_alarmed(stream, "peering-refused", condition, reason);
}

bool direct_names_ok(struct stream *stream, const char *from, const char *to)
{
	struct session *session = stream->session;
	const char *reason = "peering";
	snprintf(session->client_name, sizeof(session->client_name), "%s", from);
	if (strcmp(session->server_name, to))
		negotiation_violated(stream, COUNT_FAULT_ADDRESSING, "host-unknown",
			"asks for another domain than its TLS did");
	else if (!*from) /* RFC 6120 4.7.1: under TLS it must be said */
		negotiation_violated(stream, COUNT_FAULT_ADDRESSING, "improper-addressing",
			"stream header in TLS without a domain that it is from");
	else if (!session_peering_allows(session, SIDE_CLIENT, from, to, &reason))
		refuse(stream, "policy-violation", reason);
	else if (session->direct == DIRECT_WITHOUT_CERTIFICATE && session_level(session, from, to) == AUTH_STRONG)
		refuse(stream, "not-authorized", "the client showed no certificate");
	return session->state != SESSION_CLOSING;
}

void direct_name_client(struct session *session)
{
	struct msg_name_client name = {.level = session_level(session, session->client_name, session->server_name)};
	snprintf(name.client_name, sizeof(name.client_name), "%s", session->client_name);
	if (channel_send(session->control->channel, MSG_NAME_CLIENT, SIDE_CLIENT, session->id, &name, sizeof(name)))
		return; /* the channel is broken, which ends the process */
}
