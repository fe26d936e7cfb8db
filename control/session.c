/* One connection; see session.h. What is said on its streams is in negotiation.c and the files it names. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "control/control.h"
#include "control/negotiation.h"
#include "control/session.h"

enum { CLIENT = 1 << SIDE_CLIENT, SERVER = 1 << SIDE_SERVER };

/* The lock-step: who is listened to in which state. What comes from the other waits in `in`. */
static const struct {
	const char *name;
	uint8_t heard;
} states[SESSION_STATES] = {
	[SESSION_UNKNOWN] = {"unknown", 0},
	[SESSION_OPENING] = {"opening", CLIENT},
	[SESSION_ANSWERING] = {"answering", SERVER},
	[SESSION_OFFERING] = {"offering", SERVER},
	[SESSION_OPEN] = {"open", CLIENT | SERVER},
	[SESSION_TLS_ASKED] = {"tls-asked", SERVER},
	[SESSION_TLS_GRANTED] = {"tls-granted", 0},
	[SESSION_TLS_HANDSHAKE] = {"tls-handshake", 0},
	[SESSION_TLS_UNNAMED] = {"tls-unnamed", CLIENT},
	[SESSION_TLS_NAMED] = {"tls-named", 0},
	[SESSION_SASL_ASKED] = {"sasl-asked", SERVER},
	[SESSION_SASL_CHALLENGED] = {"sasl-challenged", CLIENT},
	[SESSION_CLOSING] = {"closing", 0},
};

const char *session_state_name(enum session_state state)
{
	return states[state].name;
}

void session_set_state(struct session *session, enum session_state state)
{
	session->state = state;
}

/* Both outputs must have room: what is read may be answered as well as passed on. */
bool session_hears(const struct session *session, enum conn_side side)
{
	return states[session->state].heard & (1 << side) && session->stream[side].input != INPUT_GONE &&
	       !stream_is_full(&session->stream[SIDE_CLIENT]) && !stream_is_full(&session->stream[SIDE_SERVER]) &&
	       !session->stream[side].scan && !session->stream[side].held_ms && !management_holds(session, side);
}

struct session *session_new(struct control *control, uint64_t id, const struct msg_opened *opened)
{
	struct session *session = calloc(1, sizeof(*session));
	if (!session)
		return NULL;
	session->control = control;
	session->id = id;
	session->opened = *opened;
	session->link = conf_link_find(control->conf, opened);
	session->opened_ms = session->heard_ms = control->now_ms;
	session->opened_wall_ms = control->wall_ms;
	pairs_init(&session->pairs, &control->keys);
	session_set_state(session, SESSION_OPENING);
	management_init(&session->management);
	if (stream_init(&session->stream[SIDE_CLIENT], session, SIDE_CLIENT) ||
		stream_init(&session->stream[SIDE_SERVER], session, SIDE_SERVER)) {
		session_free(session);
		return NULL;
	}
	return session;
}

void session_free(struct session *session)
{
	if (!session)
		return;
	for (unsigned side = 0; side < SIDES; side++)
		stream_fini(&session->stream[side]);
	pairs_fini(&session->pairs);
	management_fini(&session->management);
	free(session);
}

/* --- who may speak to whom --- */

bool session_peering_allows(
	const struct session *session, enum conn_side side, const char *from, const char *to, const char **reason)
{
	const struct conf *conf = session->control->conf;
	bool inside = session_wire(session, side) == WIRE_INSIDE;
	const char *ours = inside ? from : to, *theirs = inside ? to : from;
	if (!*from) {
		*reason = "asked for a domain that may not be spoken to";
		return inside ? !conf_is_ours(conf, to) && conf_peer_find(conf, to) : conf_is_ours(conf, to);
	}
	if (!conf_is_ours(conf, ours)) {
		*reason = inside ? "a server on the inside claims a domain that is not ours"
				 : "asked for a domain that is not ours";
		return false;
	}
	if (conf_is_ours(conf, theirs)) {
		*reason = inside ? "asked for a domain of ours on the outside"
				 : "a server on the outside claims a domain of ours";
		return false;
	}
	return policy_peering_allows(session->control->policy, from, to, reason);
}

enum auth_level session_level(const struct session *session, const char *from, const char *to)
{
	const struct conf *conf = session->control->conf;
	const struct conf_peer *peer = *from ? conf_peer_find(conf, conf_is_ours(conf, from) ? to : from) : NULL;
	return peer ? peer->authentication : AUTH_STRONG;
}

bool session_may_authenticate(const struct session *session)
{
	return session_secured(session) || session_level(session, session->client_name, session->server_name) == AUTH_NONE;
}

/* --- the pump --- */

/* Everything of this side has been read, and it will say no more: the other side is told after all of it. */
static void pass_end(struct session *session, enum conn_side side)
{
	struct stream *stream = &session->stream[side];
	if (stream->input != INPUT_ENDED || buf_len(&stream->in) || stream->scan)
		return;
	stream->input = INPUT_GONE;
	session->closing_ms = session->control->now_ms;
	stream_end(&session->stream[side_other(side)]);
}

/* When both sides have had their footer the session is over, whoever is first to close its connection. */
static void end_when_said(struct session *session)
{
	struct stream *client = &session->stream[SIDE_CLIENT], *server = &session->stream[SIDE_SERVER];
	if (session->state == SESSION_CLOSING || client->output < OUTPUT_FOOTER || server->output < OUTPUT_FOOTER)
		return;
	if (!*session->why)
		snprintf(session->why, sizeof(session->why), "streams closed");
	session->closing_ms = session->control->now_ms;
	session_set_state(session, SESSION_CLOSING);
	stream_end(client);
	stream_end(server);
}

void session_pump(struct session *session)
{
	struct stream *client = &session->stream[SIDE_CLIENT], *server = &session->stream[SIDE_SERVER];
	bool moved = true;
	while (moved) {
		moved = stream_parse(client);
		moved |= stream_parse(server);
		stream_flush(client);
		stream_flush(server);
	}
	tls_check_injection(session);
	tls_advance(session);
	pass_end(session, SIDE_CLIENT);
	pass_end(session, SIDE_SERVER);
	end_when_said(session);
	if (session->state == SESSION_CLOSING) {
		stream_discard(client);
		stream_discard(server);
	}
	stream_flush(client);
	stream_flush(server);
	if (session->own)
		own_stream_pump(session);
}

/* --- the end --- */

/* Of direct TLS the client's half is done first: it can be told something. */
static bool is_in_handshake(const struct session *session)
{
	return session->tls_started && !session_secured(session) && !direct_client_is_ready(session);
}

static void set_closing(struct session *session, const char *why)
{
	session->closing_ms = session->control->now_ms;
	session_set_state(session, SESSION_CLOSING);
	snprintf(session->why, sizeof(session->why), "%s", why);
}

/* A client that was told nothing yet needs a header before an error can be said (RFC 6120 4.9.1.2). */
static void open_for_error(struct session *session)
{
	struct xml_header header = {.version = "1.0"};
	uint64_t id;
	if (getrandom(&id, sizeof(id), GRND_NONBLOCK) != sizeof(id))
		return;
	snprintf(header.id, sizeof(header.id), "%016llx", (unsigned long long)id);
	snprintf(header.from, sizeof(header.from), "%s", session->server_name);
	snprintf(header.to, sizeof(header.to), "%s", session->client_name);
	if (stream_put_header(&session->stream[SIDE_CLIENT], &header))
		return; /* no memory: it only learns that the connection ends */
}

static void end_side(struct session *session, enum conn_side side, const char *condition)
{
	struct stream *stream = &session->stream[side];
	if (condition && side == SIDE_CLIENT && stream->output == OUTPUT_SILENT && !session->link)
		open_for_error(session);
	int rc = condition ? stream_put_error(stream, condition) : stream_put_footer(stream);
	(void)rc; /* if it cannot be said, the end of the connection says it */
	stream_end(stream);
}

void session_close(struct session *session, enum conn_side offender, const char *condition, const char *why)
{
	if (session->state == SESSION_CLOSING)
		return;
	if (is_in_handshake(session)) {
		session_reset(session, why);
		return;
	}
	set_closing(session, why);
	for (enum conn_side side = SIDE_CLIENT; side < SIDES; side++)
		end_side(session, side, offender == SIDES || offender == side ? condition : NULL);
}

void session_reset(struct session *session, const char *why)
{
	if (session->state != SESSION_CLOSING)
		set_closing(session, why);
	stream_reset(&session->stream[SIDE_CLIENT]);
	stream_reset(&session->stream[SIDE_SERVER]);
}

void session_finish(struct session *session, const char *why)
{
	if (session->state != SESSION_CLOSING)
		set_closing(session, why);
	stream_end(&session->stream[SIDE_CLIENT]);
	stream_end(&session->stream[SIDE_SERVER]);
	session_pump(session);
}

void session_restart(struct session *session)
{
	pairs_restart(&session->pairs);
	for (unsigned side = 0; side < SIDES; side++) {
		session->stream[side].restart = true;
		if (session->stream[side].output == OUTPUT_OPEN) /* what has ended does not begin again */
			session->stream[side].output = OUTPUT_SILENT;
	}
	management_fini(&session->management); /* it was of the stream that is over */
	management_init(&session->management);
	session_set_state(session, SESSION_OPENING);
}

/* By peering and level as they are now. */
static bool may_stay(const struct session *session, const struct pair *pair)
{
	const char *reason;
	enum auth_level level = session_level(session, pair->from, pair->to);
	return session_peering_allows(session, pair->side, pair->from, pair->to, &reason) &&
		(level != AUTH_STRONG || pair->method != PAIR_DIALBACK) && (level == AUTH_NONE || session_secured(session));
}

void session_on_policy(struct session *session)
{
	for (const struct pair *pair = session->pairs.first; pair; pair = pair->next)
		if (pair->state == PAIR_VALID && !may_stay(session, pair)) {
			session_close(session, SIDES, "policy-violation", "the policy has changed");
			session_pump(session);
			return;
		}
}

/* --- what the channel says --- */

static int no_memory(struct session *session)
{
	session_close(session, SIDES, "resource-constraint", "no memory");
	session_pump(session);
	return 0;
}

int session_on_bytes(struct session *session, enum conn_side side, const uint8_t *bytes, uint32_t len)
{
	int rc = stream_receive(&session->stream[side], bytes, len);
	if (rc == -EPROTO)
		return rc;
	session->heard_ms = session->control->now_ms;
	if (rc)
		return no_memory(session);
	if (side == SIDE_SERVER && session->state == SESSION_OPENING && !*session->server_name)
		negotiation_not_xmpp(session, "the server speaks first");
	session_pump(session);
	return 0;
}

int session_on_credit(struct session *session, enum conn_side side, uint32_t bytes)
{
	struct stream *stream = &session->stream[side];
	if (bytes > CHANNEL_WINDOW - stream->credit)
		return -EPROTO;
	stream->credit += bytes;
	if (session->state == SESSION_CLOSING)
		session->closing_ms = session->control->now_ms; /* a slow reader still gets what was said to it */
	session_pump(session);
	return 0;
}

int session_on_end(struct session *session, enum conn_side side)
{
	struct stream *stream = &session->stream[side];
	if (stream->input >= INPUT_ENDED)
		return -EPROTO;
	if (!*session->why)
		snprintf(session->why, sizeof(session->why), "%s ended the connection",
			side == SIDE_CLIENT ? "client" : "server");
	stream->input = INPUT_ENDED;
	session_pump(session);
	return 0;
}

/* What had been checked before goes out as far as it can at once. */
int session_on_reset(struct session *session, enum conn_side side)
{
	session_pump(session);
	if (session->state != SESSION_CLOSING)
		set_closing(
			session, side == SIDE_CLIENT ? "client reset the connection" : "server reset the connection");
	session->stream[side].input = INPUT_GONE;
	session->stream[side].output = OUTPUT_RESET;
	stream_reset(&session->stream[side_other(side)]);
	return 0;
}

/* NULL: it may live on. */
static const char *timeout_of(struct session *session)
{
	const struct conf *conf = session->control->conf;
	uint64_t now = session->control->now_ms;
	bool half_closed =
		session->stream[SIDE_CLIENT].input == INPUT_GONE || session->stream[SIDE_SERVER].input == INPUT_GONE;
	if (half_closed && now - session->closing_ms >= HALF_CLOSED_MS)
		return "one side ended, the other did not";
	if (!session->pairs.valid[SIDE_CLIENT] && now - session->opened_ms >= conf->negotiation_seconds * 1000ULL)
		return "negotiation took too long";
	if (management_is_late(session))
		return "too much was not acknowledged for too long";
	return now - session->heard_ms >= conf->idle_seconds * 1000ULL ? "idle" : NULL;
}

void session_on_tick(struct session *session)
{
	if (session->state == SESSION_CLOSING) {
		if (session->control->now_ms - session->closing_ms >= LINGER_MS)
			session_reset(session, session->why);
		return;
	}
	const char *why = timeout_of(session);
	if (!why)
		return;
	control_count(session->control, COUNT_SESSIONS_TIMED_OUT);
	session_close(session, SIDES, "connection-timeout", why);
	session_pump(session);
}

void session_on_closed(struct session *session)
{
	if (!*session->why)
		snprintf(session->why, sizeof(session->why), "connection closed");
	session_set_state(session, SESSION_CLOSING);
	scans_abandon(session);
	own_stream_closed(session);
	control_count(session->control, COUNT_SESSIONS_CLOSED);
	audit_session(session->control, session);
}
