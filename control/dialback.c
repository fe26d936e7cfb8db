/*
 * Dialback (XEP-0220). On one connection a server asks for pairs of domains by db:result with a key; on another one
 * the asked server has the key verified by db:verify. The keys are made of the stream id, which passes unchanged, so
 * the guard only has to see to it that answers are given to those who asked.
 */
#include <stdio.h>
#include <string.h>

#include "control/control.h"
#include "control/negotiation.h"

/* What a db: element says. Names as written (keys are made of them), and in lower case to compare. */
struct question {
	const char *from, *to, *id, *type, *key;
	char from_domain[DOMAIN_BYTES], to_domain[DOMAIN_BYTES];
};

static bool read_domain(const char *attribute, char *domain)
{
	return attribute && !strpbrk(attribute, "@/") && !jid_domain(attribute, domain, DOMAIN_BYTES);
}

static bool is_key(const struct stanza *stanza, const char *key)
{
	for (const struct node *child = stanza->root->first; child; child = child->next)
		if (child->name)
			return false;
	return key && *key && strlen(key) < DIALBACK_KEY_BYTES &&
	       !key[strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-.:")];
}

static bool is_type(const char *type)
{
	return !strcmp(type, "valid") || !strcmp(type, "invalid") || !strcmp(type, "error");
}

/* False, and the session is closed, if the element is not as XEP-0220 has it. */
static bool read_question(struct stream *stream, struct stanza *stanza, bool with_id, struct question *q)
{
	const struct node *root = stanza->root;
	*q = (struct question){.from = node_attribute(root, "from"),
		.to = node_attribute(root, "to"),
		.id = with_id ? node_attribute(root, "id") : NULL,
		.type = node_attribute(root, "type")};
	if (!read_domain(q->from, q->from_domain) || !read_domain(q->to, q->to_domain)) {
		negotiation_violated(
			stream, COUNT_FAULT_ADDRESSING, "improper-addressing", "dialback without two domains");
		return false;
	}
	if (!q->type)
		q->key = node_text(stanza->root, stanza->arena);
	bool ok = q->type ? is_type(q->type) : is_key(stanza, q->key);
	if (!ok || (with_id && (!q->id || !*q->id || strlen(q->id) >= STREAM_ID_BYTES)))
		negotiation_violated(stream, COUNT_FAULT_OUT_OF_PLACE, "bad-format", "ill-formed dialback");
	return stream->session->state != SESSION_CLOSING;
}

/* --- writing --- */

static struct node *make(
	struct arena *arena, const char *name, const char *from, const char *to, const char *id, const char *type)
{
	struct node *made = node_new(arena, NS_DIALBACK, name);
	if (!made || node_set_attribute(arena, made, "from", from) || node_set_attribute(arena, made, "to", to) ||
		(id && node_set_attribute(arena, made, "id", id)) ||
		(type && node_set_attribute(arena, made, "type", type)))
		return NULL;
	return made;
}

static struct node *make_error(struct arena *arena, struct node *parent, const char *condition)
{
	struct node *error = node_new(arena, NS_SERVER, "error");
	struct node *child = node_new(arena, NS_STANZAS, condition);
	if (!parent || !error || !child || node_set_attribute(arena, error, "type", "cancel"))
		return NULL;
	node_append(error, child);
	node_append(parent, error);
	return parent;
}

static void pass(struct stream *stream, struct stanza *stanza, const struct question *q)
{
	struct arena *arena = stanza->arena;
	struct node *made = make(arena, stanza->root->name, q->from, q->to, q->id, q->type);
	if (made && q->key && node_add_text(arena, made, q->key, strlen(q->key)))
		made = NULL;
	if (made && q->type && !strcmp(q->type, "error")) {
		const struct node *error = node_child(stanza->root, NS_SERVER, "error");
		made = make_error(arena, made,
			error ? condition_of(error, NS_STANZAS, "undefined-condition") : "undefined-condition");
	}
	if (made)
		negotiation_pass(stream, made);
	else
		session_close(stream->session, SIDES, "resource-constraint", "no memory for an element");
}

/* The stream may carry other pairs, so it lives on (XEP-0220 2.5). */
static void refuse(struct stream *stream, struct stanza *stanza, const struct question *q, const char *condition,
	const char *why)
{
	struct session *session = stream->session;
	control_count(session->control, COUNT_PAIRS_REFUSED);
	audit_pair_refused(session->control, session, q->from_domain, q->to_domain, why);
	if (!session->stream[side_other(stream->side)].dialback) {
		session_close(session, stream->side, "policy-violation", why);
		return;
	}
	struct node *answer = make(stanza->arena, stanza->root->name, q->to, q->from, q->id, "error");
	negotiation_answer(stream, make_error(stanza->arena, answer, condition));
}

/* --- db:result --- */

/* Only the name that a side has proved, or one below it, may be reached through its connection. */
static bool is_served_by(const char *domain, const char *proved)
{
	size_t len = strlen(domain), below = strlen(proved);
	if (len <= below)
		return !strcmp(domain, proved);
	return below && domain[len - below - 1] == '.' && !strcmp(domain + len - below, proved);
}

/* The level of the pair may be another than that of the connection. */
static bool is_short_of_tls(const struct session *session, const struct question *q)
{
	return !session_secured(session) && session_level(session, q->from_domain, q->to_domain) != AUTH_NONE;
}

static const char *why_not(const struct stream *stream, const struct question *q)
{
	const struct session *session = stream->session;
	const char *reason = NULL;
	const char *proved = stream->side == SIDE_CLIENT ? session->server_name : session->client_name;
	if (!session_peering_allows(session, stream->side, q->from_domain, q->to_domain, &reason))
		return reason;
	if (session_level(session, q->from_domain, q->to_domain) == AUTH_STRONG)
		return "dialback is not enough for this peer";
	if (is_short_of_tls(session, q))
		return "dialback without TLS is not enough for this peer";
	return is_served_by(q->to_domain, proved) ? NULL : "the other side has not proved to be the asked domain";
}

static void ask_result(struct stream *stream, struct stanza *stanza, const struct question *q)
{
	struct session *session = stream->session;
	if (stream->side == SIDE_SERVER && session->bidi != BIDI_WITH_SERVER) {
		negotiation_violated(
			stream, COUNT_FAULT_OUT_OF_PLACE, "policy-violation", "dialback against the stream");
		return;
	}
	const char *why = why_not(stream, q);
	if (why) {
		refuse(stream, stanza, q, "policy-violation", why);
		return;
	}
	struct pair *pair = pairs_add(&session->pairs, stream->side, q->from_domain, q->to_domain);
	if (!pair) {
		refuse(stream, stanza, q, "resource-constraint", "too many pairs of domains");
		return;
	}
	pairs_set_state(&session->pairs, pair, PAIR_REQUESTED);
	snprintf(pair->key, sizeof(pair->key), "%s", q->key);
	pass(stream, stanza, q);
}

/* An answer that nobody asked for was a way into several servers (XEP-0220 3.1). */
static void drop_answer(struct stream *stream, const struct question *q)
{
	control_count(stream->session->control, COUNT_DIALBACK_ANSWERS_DROPPED);
	if (!strcmp(q->type, "valid"))
		audit_alert(stream->session->control, stream->session, "dialback-unsolicited",
			"dialback answer that nobody asked for");
}

static void answer_result(struct stream *stream, struct stanza *stanza, const struct question *q)
{
	struct session *session = stream->session;
	struct pair *pair = pairs_find(&session->pairs, side_other(stream->side), q->to_domain, q->from_domain);
	if (!pair || pair->state != PAIR_REQUESTED) {
		drop_answer(stream, q);
		return;
	}
	pass(stream, stanza, q);
	if (session->state == SESSION_CLOSING)
		return;
	if (!strcmp(q->type, "valid"))
		negotiation_pair_valid(session, pair, PAIR_DIALBACK);
	else
		pairs_set_state(&session->pairs, pair, PAIR_INVALID);
}

void dialback_take_result(struct stream *stream, struct stanza *stanza)
{
	struct question q;
	if (read_question(stream, stanza, false, &q))
		(q.type ? answer_result : ask_result)(stream, stanza, &q);
}

/* --- db:verify --- */

static void ask_verify(struct stream *stream, struct stanza *stanza, const struct question *q)
{
	struct session *session = stream->session;
	const char *why = NULL;
	if (!session_peering_allows(session, stream->side, q->from_domain, q->to_domain, &why))
		refuse(stream, stanza, q, "policy-violation", why);
	else if (is_short_of_tls(session, q))
		refuse(stream, stanza, q, "policy-violation", "dialback without TLS is not enough for this peer");
	else if (pairs_verify_add(&session->pairs, stream->side, q->from_domain, q->to_domain, q->id))
		session_close(session, SIDES, "resource-constraint", "no memory for a dialback question");
	else
		pass(stream, stanza, q);
}

static void answer_verify(struct stream *stream, struct stanza *stanza, const struct question *q)
{
	enum conn_side asked = side_other(stream->side);
	if (pairs_verify_take(&stream->session->pairs, asked, q->to_domain, q->from_domain, q->id))
		pass(stream, stanza, q);
	else
		drop_answer(stream, q);
}

void dialback_take_verify(struct stream *stream, struct stanza *stanza)
{
	struct question q;
	if (read_question(stream, stanza, true, &q))
		(q.type ? answer_verify : ask_verify)(stream, stanza, &q);
}
