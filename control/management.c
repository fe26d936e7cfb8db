/* Stream management (XEP-0198); see management.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/control.h"
#include "control/negotiation.h"

void management_init(struct management *management)
{
	*management = (struct management){.state = MANAGEMENT_OFF};
	for (unsigned side = 0; side < SIDES; side++)
		acks_init(&management->acks[side]);
}

void management_fini(struct management *management)
{
	for (unsigned side = 0; side < SIDES; side++)
		acks_fini(&management->acks[side]);
}

const char *management_name(const struct management *management)
{
	return management->state == MANAGEMENT_ON ? management->ns : "no";
}

/* --- counting --- */

/* The server counts from <enable/> on, the client from <enabled/> on. */
static bool is_counted(const struct management *management, enum conn_side from)
{
	return management->state >= (from == SIDE_CLIENT ? MANAGEMENT_ASKED : MANAGEMENT_ON);
}

/* A server that asks seldom would have the guard remember ever more. */
static void ask(struct session *session, enum conn_side side)
{
	char text[64];
	struct management *management = &session->management;
	snprintf(text, sizeof(text), "<r xmlns='%s'/>", management->ns);
	if (management->asked[side] || stream_put_text(&session->stream[side], text))
		return;
	management->asked[side] = true;
	control_count(session->control, COUNT_ACKS_ASKED);
}

void management_count(struct session *session, enum conn_side from, enum acks_kind kind)
{
	struct acks *acks = &session->management.acks[from];
	if (session->state == SESSION_CLOSING || !is_counted(&session->management, from))
		return;
	if (acks_add(acks, kind))
		session_close(session, SIDES, "resource-constraint", "no room to count stanzas");
	else if (acks_are_many(acks))
		ask(session, side_other(from));
}

bool management_holds(const struct session *session, enum conn_side side)
{
	return acks_are_full(&session->management.acks[side]);
}

bool management_is_late(struct session *session)
{
	struct management *management = &session->management;
	bool full = management_holds(session, SIDE_CLIENT) || management_holds(session, SIDE_SERVER);
	if (full && !management->full_ms)
		management->full_ms = session->control->now_ms;
	return full && session->control->now_ms - management->full_ms >= ACKS_MS;
}

/* --- what is said of it --- */

static const char *version_of(const struct node *node)
{
	return !strcmp(node->ns, NS_SM3) ? NS_SM3 : NS_SM2;
}

static bool is_version(const struct stream *stream, const struct node *node)
{
	const char *ns = stream->session->management.ns;
	return ns && !strcmp(ns, version_of(node));
}

static struct node *make_failed(struct stanza *stanza, const char *condition)
{
	struct node *failed = node_new(stanza->arena, version_of(stanza->root), "failed");
	struct node *child = node_new(stanza->arena, NS_STANZAS, condition);
	if (!failed || !child)
		return NULL;
	node_append(failed, child);
	return failed;
}

static void answer_failed(struct stream *stream, struct stanza *stanza, const char *condition)
{
	control_count(stream->session->control, COUNT_MANAGEMENT_REFUSED);
	negotiation_answer(stream, make_failed(stanza, condition));
}

/* An element of this version without any of its attributes but `h` (NULL: none), to the other side. */
static void pass(struct stream *stream, struct stanza *stanza, const char *name, const char *h)
{
	struct node *made = node_new(stanza->arena, version_of(stanza->root), name);
	if (!made || (h && node_set_attribute(stanza->arena, made, "h", h)))
		session_close(stream->session, SIDES, "resource-constraint", "no memory for an element");
	else
		negotiation_pass(stream, made);
}

/* Without `resume`: it could be taken up again by another connection, of which these counts know nothing. */
void management_take_enable(struct stream *stream, struct stanza *stanza)
{
	struct session *session = stream->session;
	struct management *management = &session->management;
	if (!features_allow(session, "sm")) {
		answer_failed(stream, stanza, "feature-not-implemented");
	} else if (management->state != MANAGEMENT_OFF || stream->side != SIDE_CLIENT ||
		   !session_has_pair(session, SIDE_CLIENT)) {
		answer_failed(stream, stanza, "unexpected-request");
	} else {
		pass(stream, stanza, "enable", NULL);
		management->ns = version_of(stanza->root);
		management->state = MANAGEMENT_ASKED;
	}
}

static void out_of_place(struct stream *stream)
{
	negotiation_violated(stream, COUNT_FAULT_OUT_OF_PLACE, "policy-violation",
		"answer of stream management that was not asked for");
}

void management_take_enabled(struct stream *stream, struct stanza *stanza)
{
	struct session *session = stream->session;
	if (session->management.state != MANAGEMENT_ASKED || !is_version(stream, stanza->root)) {
		out_of_place(stream);
		return;
	}
	pass(stream, stanza, "enabled", NULL);
	session->management.state = MANAGEMENT_ON;
	control_count(session->control, COUNT_STREAMS_MANAGED);
}

void management_take_failed(struct stream *stream, struct stanza *stanza)
{
	struct session *session = stream->session;
	if (session->management.state != MANAGEMENT_ASKED || !is_version(stream, stanza->root)) {
		out_of_place(stream);
		return;
	}
	struct node *failed = make_failed(stanza, condition_of(stanza->root, NS_STANZAS, "undefined-condition"));
	if (!failed) {
		session_close(session, SIDES, "resource-constraint", "no memory for an element");
		return;
	}
	negotiation_pass(stream, failed);
	management_fini(&session->management);
	management_init(&session->management);
}

void management_take_resume(struct stream *stream, struct stanza *stanza)
{
	bool allowed = features_allow(stream->session, "sm");
	answer_failed(stream, stanza, allowed ? "item-not-found" : "feature-not-implemented");
}

static bool is_on(const struct stream *stream, const struct node *node)
{
	return is_counted(&stream->session->management, stream->side) && is_version(stream, node);
}

void management_take_request(struct stream *stream, struct stanza *stanza)
{
	if (is_on(stream, stanza->root))
		pass(stream, stanza, "r", NULL);
	else
		answer_failed(stream, stanza, "unexpected-request");
}

static bool read_count(const struct node *node, uint32_t *count)
{
	const char *text = node_attribute(node, "h");
	if (!text || !*text || strlen(text) > 10 || text[strspn(text, "0123456789")])
		return false;
	uint64_t value = strtoull(text, NULL, 10);
	*count = (uint32_t)value;
	return value <= UINT32_MAX;
}

/* XEP-0198 6. The other server did nothing wrong, and is only told that the stream ends. */
static void refuse_count(struct stream *stream, struct stanza *stanza, uint32_t h, uint32_t sent)
{
	char said[16], counted[16];
	struct session *session = stream->session;
	struct node *error = node_new(stanza->arena, NS_STREAMS, "error");
	struct node *condition = node_new(stanza->arena, NS_STREAM_ERRORS, "undefined-condition");
	struct node *detail = node_new(stanza->arena, version_of(stanza->root), "handled-count-too-high");
	snprintf(said, sizeof(said), "%" PRIu32, h);
	snprintf(counted, sizeof(counted), "%" PRIu32, sent);
	control_count(session->control, COUNT_FAULT_HANDLED_COUNT);
	if (error && condition && detail && !node_set_attribute(stanza->arena, detail, "h", said) &&
		!node_set_attribute(stanza->arena, detail, "send-count", counted)) {
		node_append(error, condition);
		node_append(error, detail);
		negotiation_answer(stream, error);
	}
	session_close(session, stream->side, NULL, "acknowledges stanzas that it was not sent");
}

void management_take_answer(struct stream *stream, struct stanza *stanza)
{
	struct session *session = stream->session;
	struct management *management = &session->management;
	struct acks *acks = &management->acks[side_other(stream->side)];
	uint32_t h, translated;
	char text[16];
	if (!is_counted(management, side_other(stream->side)) || !is_version(stream, stanza->root)) {
		answer_failed(stream, stanza, "unexpected-request");
	} else if (!read_count(stanza->root, &h)) {
		negotiation_violated(stream, COUNT_FAULT_OUT_OF_PLACE, "invalid-xml", "acknowledgement without a count");
	} else if (!acks_take(acks, h, &translated)) {
		refuse_count(stream, stanza, h, acks_sent(acks));
	} else {
		management->asked[stream->side] = false;
		if (!acks_are_full(acks))
			management->full_ms = 0;
		snprintf(text, sizeof(text), "%" PRIu32, translated);
		pass(stream, stanza, "a", text);
		control_count(session->control, COUNT_ACKS_PASSED);
	}
}
