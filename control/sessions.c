/* All sessions, and what the channel to tls may say of them; see sessions.h. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "control/control.h"
#include "control/link.h"
#include "control/session.h"
#include "dataplane/base/log.h"

/* --- the table --- */

/* Ids are counted upwards by the dataplane. */
static struct session **bucket_of(struct sessions *sessions, uint64_t id)
{
	return &sessions->bucket[(id * 0x9e3779b97f4a7c15ULL >> 32) % SESSION_BUCKETS];
}

static struct session *find(struct sessions *sessions, uint64_t id)
{
	struct session *session = *bucket_of(sessions, id);
	while (session && session->id != id)
		session = session->next_in_bucket;
	return session;
}

static void add(struct sessions *sessions, struct session *session)
{
	struct session **bucket = bucket_of(sessions, session->id);
	session->next_in_bucket = *bucket;
	*bucket = session;
	session->previous = sessions->last;
	*(sessions->last ? &sessions->last->next : &sessions->first) = session;
	sessions->last = session;
	sessions->count++;
}

static void del(struct sessions *sessions, struct session *session)
{
	struct session **at = bucket_of(sessions, session->id);
	while (*at != session)
		at = &(*at)->next_in_bucket;
	*at = session->next_in_bucket;
	*(session->previous ? &session->previous->next : &sessions->first) = session->next;
	*(session->next ? &session->next->previous : &sessions->last) = session->previous;
	sessions->count--;
}

/* --- what the channel may say, and in which states of a session --- */

#define STATE(state) (1u << (state))
#define LIVE (STATE(SESSION_STATES) - 1 - STATE(SESSION_UNKNOWN))
#define CLOSING STATE(SESSION_CLOSING)
#define HANDSHAKE STATE(SESSION_TLS_HANDSHAKE)
#define NAMED STATE(SESSION_TLS_NAMED)
#define UNDER_TLS (LIVE & ~(STATE(SESSION_TLS_ASKED) | STATE(SESSION_TLS_GRANTED)))

static bool is_sane(const struct msg_opened *opened)
{
	return (opened->family == 4 || opened->family == 6) && opened->client_wire < WIRES;
}

static void refuse(struct control *control, struct session *session, const char *why)
{
	control_count(control, COUNT_SESSIONS_REFUSED);
	session_reset(session, why);
}

/* Even a connection that is refused has a session, since it lives until it is closed. */
static int on_opened(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	struct control *control = owner;
	struct msg_opened opened;
	(void)conn;
	memcpy(&opened, payload, sizeof(opened));
	if (!is_sane(&opened))
		return -EPROTO;
	struct session *session = session_new(control, msg->conn, &opened);
	if (!session) {
		log_warnx("no memory for a session");
		return -EPROTO;
	}
	add(&control->sessions, session);
	control_count(control, COUNT_SESSIONS_OPENED);
	if (control->sessions.count > SESSIONS_MAX)
		refuse(control, session, "too many sessions");
	else if (audit_is_failing(&control->audit))
		refuse(control, session, "the audit cannot be written");
	else if (opened.own && !own_stream_opened(session))
		refuse(control, session, "nobody was called there");
	else if (session->link && !session->link->tls)
		link_begin(session);
	return 0;
}

static int on_bytes(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	(void)owner;
	return session_on_bytes(conn, (enum conn_side)msg->side, payload, msg->length);
}

static int on_end_of_stream(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	(void)owner, (void)payload;
	return session_on_end(conn, (enum conn_side)msg->side);
}

static int on_reset(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	(void)owner, (void)payload;
	return session_on_reset(conn, (enum conn_side)msg->side);
}

static int on_credit(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	struct msg_credit credit;
	(void)owner;
	memcpy(&credit, payload, sizeof(credit));
	return session_on_credit(conn, (enum conn_side)msg->side, credit.bytes);
}

static int on_closed(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	struct control *control = owner;
	struct session *session = conn;
	(void)msg, (void)payload;
	session_on_closed(session);
	del(&control->sessions, session);
	session_free(session);
	return 0;
}

static int on_secured(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	struct msg_secured secured;
	(void)owner;
	memcpy(&secured, payload, sizeof(secured));
	return session_on_secured(conn, (enum conn_side)msg->side, &secured);
}

static int on_tls_failed(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	struct msg_tls_failed failed;
	(void)owner;
	memcpy(&failed, payload, sizeof(failed));
	return session_on_tls_failed(conn, (enum conn_side)msg->side, &failed);
}

static int on_client_hello(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	struct msg_client_hello hello;
	(void)owner, (void)msg;
	memcpy(&hello, payload, sizeof(hello));
	return session_on_client_hello(conn, &hello);
}

static int on_client_ready(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	struct msg_client_ready ready;
	(void)owner, (void)msg;
	memcpy(&ready, payload, sizeof(ready));
	return session_on_client_ready(conn, &ready);
}

static int on_notice(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	struct msg_notice notice;
	(void)conn;
	memcpy(&notice, payload, sizeof(notice));
	bool is_sane = (notice.family == 4 || notice.family == 6) && notice.wire < WIRES && notice.kind < NOTICE_KINDS &&
		notice.blocked <= 1 && !msg->conn;
	if (!is_sane)
		return -EPROTO;
	audit_notice(owner, &notice);
	return 0;
}

static int on_crls(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	struct msg_crls crls;
	(void)conn;
	memcpy(&crls, payload, sizeof(crls));
	if (crls.wire >= WIRES || crls.refused > 1 || !memchr(crls.reason, 0, sizeof(crls.reason)) || msg->conn)
		return -EPROTO;
	audit_crls(owner, &crls);
	return 0;
}

static const struct channel_verb verbs[MSG_TYPES] = {
	[MSG_OPENED] = {sizeof(struct msg_opened), sizeof(struct msg_opened), STATE(SESSION_UNKNOWN), on_opened},
	[MSG_BYTES] = {1, CHANNEL_PAYLOAD_MAX, LIVE, on_bytes},
	[MSG_END_OF_STREAM] = {0, 0, LIVE, on_end_of_stream},
	[MSG_RESET] = {0, 0, LIVE, on_reset},
	[MSG_CREDIT] = {sizeof(struct msg_credit), sizeof(struct msg_credit), LIVE, on_credit},
	[MSG_CLOSED] = {0, 0, LIVE, on_closed},
	[MSG_SECURED] = {sizeof(struct msg_secured), sizeof(struct msg_secured), HANDSHAKE | NAMED | CLOSING, on_secured},
	[MSG_TLS_FAILED] = {sizeof(struct msg_tls_failed), sizeof(struct msg_tls_failed), UNDER_TLS, on_tls_failed},
	[MSG_CLIENT_HELLO] = {sizeof(struct msg_client_hello), sizeof(struct msg_client_hello),
		STATE(SESSION_OPENING) | STATE(SESSION_OPEN) | CLOSING, on_client_hello}, /* a link begins open */
	[MSG_CLIENT_READY] = {sizeof(struct msg_client_ready), sizeof(struct msg_client_ready), HANDSHAKE | CLOSING,
		on_client_ready},
	[MSG_NOTICE] = {sizeof(struct msg_notice), sizeof(struct msg_notice), STATE(SESSION_UNKNOWN), on_notice},
	[MSG_CRLS] = {sizeof(struct msg_crls), sizeof(struct msg_crls), STATE(SESSION_UNKNOWN), on_crls},
};

static unsigned state_of(void *owner, uint64_t id, void **object)
{
	struct control *control = owner;
	struct session *session = find(&control->sessions, id);
	*object = session;
	return session ? session->state : SESSION_UNKNOWN;
}

struct channel_receiver sessions_receiver(struct control *control)
{
	return (struct channel_receiver){verbs, state_of, control};
}

/* --- all of them --- */

void sessions_tick(struct control *control)
{
	for (struct session *session = control->sessions.first; session; session = session->next) {
		if (audit_is_failing(&control->audit)) {
			session_close(session, SIDES, "internal-server-error", "the audit cannot be written");
			session_pump(session);
		}
		session_on_tick(session);
	}
}

void sessions_on_policy(struct control *control)
{
	for (struct session *session = control->sessions.first; session; session = session->next)
		session_on_policy(session);
}

void sessions_fini(struct control *control)
{
	struct sessions *sessions = &control->sessions;
	while (sessions->first) {
		struct session *session = sessions->first;
		session_on_closed(session);
		del(sessions, session);
		session_free(session);
	}
}
