/* Streams of the guard's own; see own_stream.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/control.h"
#include "control/negotiation.h"
#include "control/own_stream.h"
#include "control/session.h"

/* --- who is called --- */

static struct own_stream *find(struct own_streams *own, enum wire wire, const char *from, const char *to)
{
	for (unsigned i = 0; i < OWN_STREAMS_MAX; i++) {
		struct own_stream *stream = &own->stream[i];
		if (stream->state != OWN_NONE && stream->wire == wire && !strcmp(stream->from, from) && !strcmp(stream->to, to))
			return stream;
	}
	return NULL;
}

static struct own_stream *find_free(struct own_streams *own)
{
	for (unsigned i = 0; i < OWN_STREAMS_MAX; i++)
		if (own->stream[i].state == OWN_NONE)
			return &own->stream[i];
	return NULL;
}

static void set_state(struct control *control, struct own_stream *stream, int state)
{
	stream->state = state;
	stream->since_ms = control->now_ms;
}

static void fail(struct control *control, struct own_stream *stream)
{
	control_count(control, COUNT_OWN_STREAMS_FAILED);
	set_state(control, stream, OWN_FAILED);
}

/* Where the endpoint has been dialled by somebody, as far as that is still so; else where servers usually are. */
static uint16_t port_of(const struct control *control, const struct msg_opened *path)
{
	for (const struct session *session = control->sessions.first; session; session = session->next)
		if (session->opened.family == path->family && session->opened.client_wire == path->client_wire &&
			!session->opened.own &&
			!memcmp(session->opened.server_addr, path->server_addr, sizeof(path->server_addr)))
			return session->opened.server_port;
	return control->conf->ports[0];
}

/* The way back along the connection: from the endpoint that was written to, to the one on `side`. */
static struct msg_opened path_to(const struct control *control, const struct session *session, enum conn_side side)
{
	const struct msg_opened *opened = &session->opened;
	bool to_client = side == SIDE_CLIENT;
	struct msg_opened path = {.family = opened->family, .own = 1,
		.client_wire = (uint8_t)session_wire(session, side_other(side))};
	memcpy(path.client_addr, to_client ? opened->server_addr : opened->client_addr, sizeof(path.client_addr));
	memcpy(path.server_addr, to_client ? opened->client_addr : opened->server_addr, sizeof(path.server_addr));
	path.server_port = port_of(control, &path);
	return path;
}

void own_stream_wanted(struct control *control, const struct session *session, enum conn_side side, const char *from,
	const char *to)
{
	enum wire wire = session_wire(session, side);
	struct own_stream *stream = find(&control->own_streams, wire, from, to);
	if (!control->conf->own_streams || session->state != SESSION_OPEN || stream ||
		!(stream = find_free(&control->own_streams)))
		return;
	*stream = (struct own_stream){.wire = wire, .path = path_to(control, session, side)};
	snprintf(stream->from, sizeof(stream->from), "%s", from);
	snprintf(stream->to, sizeof(stream->to), "%s", to);
	set_state(control, stream, OWN_DIALLED);
	struct msg_dial dial = {stream->path.server_port};
	if (channel_send(control->channel, MSG_DIAL, side, session->id, &dial, sizeof(dial)))
		return; /* the channel is broken, which ends the process */
	control_count(control, COUNT_OWN_STREAMS_DIALLED);
}

/* --- one that was answered --- */

static bool is_path(const struct msg_opened *path, const struct msg_opened *opened)
{
	return path->family == opened->family && path->client_wire == opened->client_wire &&
	       path->server_port == opened->server_port &&
	       !memcmp(path->client_addr, opened->client_addr, sizeof(path->client_addr)) &&
	       !memcmp(path->server_addr, opened->server_addr, sizeof(path->server_addr));
}

bool own_stream_opened(struct session *session)
{
	struct control *control = session->control;
	for (unsigned i = 0; i < OWN_STREAMS_MAX; i++) {
		struct own_stream *stream = &control->own_streams.stream[i];
		if (stream->state != OWN_DIALLED || !is_path(&stream->path, &session->opened))
			continue;
		set_state(control, stream, OWN_OPEN);
		session->own = stream;
		session_pump(session);
		return true;
	}
	return false;
}

/* Where a client's certificate would be: the guard shows one of that name, and speaks only for whom it has heard. */
void own_stream_secured(struct session *session)
{
	struct stream *client = &session->stream[SIDE_CLIENT];
	struct msg_secured *secured = calloc(1, sizeof(*secured));
	if (!secured) {
		session_reset(session, "no memory");
		return;
	}
	snprintf(secured->version, sizeof(secured->version), "%s", session->stream[SIDE_SERVER].secured->version);
	snprintf(secured->identity, sizeof(secured->identity), "%s", session->own->from);
	client->secured = secured;
	session->spoken_ms = session->control->now_ms;
}

/* --- what its client says --- */

static void say(struct session *session, const char *text)
{
	if (stream_receive(&session->stream[SIDE_CLIENT], (const uint8_t *)text, (uint32_t)strlen(text)))
		session_close(session, SIDES, NULL, "no memory");
	else
		session_pump(session);
}

static void say_header(struct session *session)
{
	char text[2 * DOMAIN_BYTES + 256];
	snprintf(text, sizeof(text),
		"<stream:stream xmlns='" NS_SERVER "' xmlns:stream='" NS_STREAMS "' from='%s' to='%s' version='1.0'>",
		session->own->from, session->own->to);
	say(session, text);
}

/* What the server has offered is known when its features have passed. */
static void say_next(struct session *session)
{
	if (session_has_pair(session, SIDE_CLIENT))
		return;
	if (!session_secured(session) && session->offered.starttls)
		say(session, "<starttls xmlns='" NS_TLS "'/>");
	else if (session_secured(session) && session->offered.external && !session->offered.refused)
		say(session, "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'>=</auth>");
	else
		say(session, "</stream:stream>");
}

void own_stream_pump(struct session *session)
{
	const struct stream *client = &session->stream[SIDE_CLIENT];
	if (session->state == SESSION_CLOSING)
		return;
	if (session->stream[SIDE_SERVER].input == INPUT_GONE)
		session_finish(session, "the server ended the connection");
	else if (client->input != INPUT_OPEN || buf_len(&client->in))
		return;
	else if (session->state == SESSION_OPENING)
		say_header(session);
	else if (session->state == SESSION_OPEN)
		say_next(session);
}

/* --- its end --- */

void own_stream_closed(const struct session *session)
{
	struct own_stream *stream = session->own;
	if (!stream)
		return;
	if (session->pairs.valid[SIDE_CLIENT])
		stream->state = OWN_NONE;
	else
		fail(session->control, stream);
}

static void close_idle(struct control *control, const struct own_stream *stream)
{
	for (struct session *session = control->sessions.first; session; session = session->next) {
		if (session->own != stream || session->state != SESSION_OPEN || !session_has_pair(session, SIDE_CLIENT) ||
			control->now_ms - session->spoken_ms < OWN_STREAM_IDLE_MS)
			continue;
		say(session, "</stream:stream>");
		return;
	}
}

void own_streams_tick(struct control *control)
{
	for (unsigned i = 0; i < OWN_STREAMS_MAX; i++) {
		struct own_stream *stream = &control->own_streams.stream[i];
		uint64_t age = control->now_ms - stream->since_ms;
		if (stream->state == OWN_DIALLED && age >= OWN_STREAM_DIAL_MS)
			fail(control, stream);
		else if (stream->state == OWN_FAILED && age >= OWN_STREAM_AGAIN_MS)
			stream->state = OWN_NONE;
		else if (stream->state == OWN_OPEN)
			close_idle(control, stream);
	}
}
