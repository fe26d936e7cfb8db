/*
 * Dialback (XEP-0220). On one connection a server asks for pairs of domains by db:result with a key; on another one
 * the asked server has the key verified by db:verify. The keys are made of the stream id, which passes unchanged. The
 * guard sees to it that answers are given to those who asked, and that both connections tell the same story (keys.h).
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

/* XEP-0220 shows keys on lines of their own. */
static const char *trimmed(struct arena *arena, const char *text)
{
	static const char spaces[] = " \t\r\n";
	if (!text)
		return NULL;
	text += strspn(text, spaces);
	size_t len = strlen(text);
	while (len && strchr(spaces, text[len - 1]))
		len--;
	return arena_strndup(arena, text, len);
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
		q->key = trimmed(stanza->arena, node_text(stanza->root, stanza->arena));
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

static struct node *make_error(struct arena *arena, struct node *parent, const char *type, const char *condition)
{
	struct node *error = node_new(arena, NS_SERVER, "error");
	struct node *child = node_new(arena, NS_STANZAS, condition);
	if (!parent || !error || !child || node_set_attribute(arena, error, "type", type))
		return NULL;
	node_append(error, child);
	node_append(parent, error);
	return parent;
}

/* RFC 6120 8.3.2; in XEP-0220 it is most often cancel. */
static const char *error_type(const struct node *error)
{
	static const char *const types[] = {"auth", "cancel", "continue", "modify", "wait"};
	const char *said = node_attribute(error, "type");
	for (unsigned i = 0; said && i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(types[i], said))
			return types[i];
	return "cancel";
}

/* Its type and condition pass, its text does not. */
static struct node *copy_error(struct stanza *stanza, struct node *made)
{
	const struct node *error = node_child(stanza->root, NS_SERVER, "error");
	if (!error)
		return make_error(stanza->arena, made, "cancel", "undefined-condition");
	return make_error(stanza->arena, made, error_type(error),
		condition_of(error, NS_STANZAS, "undefined-condition"));
}

static void pass(struct stream *stream, struct stanza *stanza, const struct question *q)
{
	struct arena *arena = stanza->arena;
	struct node *made = make(arena, stanza->root->name, q->from, q->to, q->id, q->type);
	if (made && q->key && node_add_text(arena, made, q->key, strlen(q->key)))
		made = NULL;
	if (made && q->type && !strcmp(q->type, "error"))
		made = copy_error(stanza, made);
	if (made)
		negotiation_pass(stream, made);
	else
		session_close(stream->session, SIDES, "resource-constraint", "no memory for an element");
}

/* After so many on one connection they are only counted. */
static void alert(struct stream *stream, const char *name, const struct question *q, const char *why)
{
	struct session *session = stream->session;
	if (session->pairs.alerts < SESSION_DIALBACK_ALERTS_MAX)
		audit_pair(session->control, session, name, q->from_domain, q->to_domain, why);
	else
		control_count(session->control, COUNT_ALERTS);
	session->pairs.alerts++;
}

/* An error: the stream may carry other pairs, so it lives on (XEP-0220 2.4.2). Where the other side has not declared
 * dialback there is no prefix to say it with, and the stream ends, as it did before there were errors. */
static void refuse(struct stream *stream, struct stanza *stanza, const struct question *q, const char *condition,
	const char *why)
{
	struct session *session = stream->session;
	control_count(session->control, COUNT_PAIRS_REFUSED);
	alert(stream, "pair-refused", q, why);
	if (!session->stream[side_other(stream->side)].dialback) {
		session_close(session, stream->side, "policy-violation", why);
		return;
	}
	struct node *answer = make(stanza->arena, stanza->root->name, q->to, q->from, q->id, "error");
	negotiation_answer(stream, make_error(stanza->arena, answer, "cancel", condition));
}

/* Without bidi only the client asks (XEP-0220 2.2). */
static bool may_ask(struct stream *stream)
{
	if (stream->side == SIDE_CLIENT || stream->session->bidi == BIDI_WITH_SERVER)
		return true;
	negotiation_violated(stream, COUNT_FAULT_OUT_OF_PLACE, "policy-violation", "dialback against the stream");
	return false;
}

/* --- who may be asked --- */

static bool is_or_is_below(const char *domain, const char *name)
{
	size_t len = strlen(domain), below = strlen(name);
	if (len <= below)
		return !strcmp(domain, name);
	return below && domain[len - below - 1] == '.' && !strcmp(domain + len - below, name);
}

static bool has_pair_from(const struct session *session, enum conn_side side, const char *domain)
{
	for (const struct pair *pair = session->pairs.first; pair; pair = pair->next)
		if (pair->side == side && pair->state == PAIR_VALID && !strcmp(pair->from, domain))
			return true;
	return false;
}

/*
 * May this domain be reached through the connection of that side? If it has proved on it to be that domain; or if it
 * is the name that the side goes by, or one below it. For a server its level has been seen to before this; a client
 * may be anybody until its certificate was verified (XEP-0288 2.2).
 */
static bool is_served_by(const struct session *session, enum conn_side side, const char *domain)
{
	const struct msg_secured *secured = session->stream[side].secured;
	if (has_pair_from(session, side, domain))
		return true;
	if (side == SIDE_SERVER)
		return is_or_is_below(domain, session->server_name);
	return secured && *secured->identity && is_or_is_below(domain, session->client_name);
}

/* The level of the pair may be another than that of the connection. */
static bool is_short_of_tls(const struct session *session, const struct question *q)
{
	return !session_secured(session) && session_level(session, q->from_domain, q->to_domain) != AUTH_NONE;
}

static bool is_pin(const struct conf_pin *pin, const struct msg_secured *secured)
{
	static const uint8_t none[sizeof(pin->sha256)];
	const uint8_t *shown = pin->of_key ? secured->key_fingerprint : secured->fingerprint;
	return memcmp(shown, none, sizeof(none)) && !memcmp(shown, pin->sha256, sizeof(pin->sha256));
}

/* A peer that is known by its certificate has to show it wherever it is spoken for, not only where the connection has
 * its name: on one that was dialled for another peer, tls has not looked for it. */
static bool shows_its_pin(const struct session *session, const struct question *q)
{
	const struct conf *conf = session->control->conf;
	const struct conf_peer *peer =
		conf_peer_find(conf, conf_is_ours(conf, q->from_domain) ? q->to_domain : q->from_domain);
	enum conn_side outside = session_wire(session, SIDE_CLIENT) == WIRE_OUTSIDE ? SIDE_CLIENT : SIDE_SERVER;
	const struct msg_secured *secured = session->stream[outside].secured;
	for (unsigned i = 0; peer && secured && i < peer->pin_count; i++)
		if (is_pin(&peer->pins[i], secured))
			return true;
	return !peer || !peer->pin_count;
}

static const char not_pinned[] = "this connection does not show the certificate that the peer is pinned to";
static const char not_proved[] = "the other side has not proved to be the asked domain";

/* --- db:result --- */

static const char *why_not(const struct stream *stream, const struct question *q)
{
	const struct session *session = stream->session;
	const char *reason = NULL;
	if (!session_peering_allows(session, stream->side, q->from_domain, q->to_domain, &reason))
		return reason;
	if (session_level(session, q->from_domain, q->to_domain) == AUTH_STRONG)
		return "dialback is not enough for this peer";
	if (is_short_of_tls(session, q))
		return "dialback without TLS is not enough for this peer";
	if (!shows_its_pin(session, q))
		return not_pinned;
	return is_served_by(session, side_other(stream->side), q->to_domain) ? NULL : not_proved;
}

static void ask_result(struct stream *stream, struct stanza *stanza, const struct question *q)
{
	struct session *session = stream->session;
	const char *why = why_not(stream, q);
	if (why) {
		refuse(stream, stanza, q, "policy-violation", why);
		return;
	}
	struct pair *pair = pairs_add(&session->pairs, stream->side, q->from_domain, q->to_domain);
	if (!pair) {
		refuse(stream, stanza, q, "resource-constraint", "too many pairs of domains");
	} else if (pair->asked && strcmp(pair->key, q->key)) {
		refuse(stream, stanza, q, "policy-violation", "another key while the first one waits for its answer");
	} else if (pair->asked) {
		control_count(session->control, COUNT_DIALBACK_REPEATED); /* there will be one answer */
	} else {
		pairs_ask(&session->pairs, pair, q->key);
		pass(stream, stanza, q);
	}
}

/* An answer that nobody asked for was a way into several servers (XEP-0220 3.1). */
static void drop_answer(struct stream *stream, const struct question *q)
{
	control_count(stream->session->control, COUNT_DIALBACK_ANSWERS_DROPPED);
	if (!strcmp(q->type, "valid"))
		alert(stream, "dialback-unsolicited", q, "dialback answer that nobody asked for");
}

/* The asked server says that a key is valid which its own server has denied: one of them lies, or somebody between
 * them does. Who asked is told what the owner of the name said, by the error that costs only this pair. */
static void contradict(struct stream *stream, struct stanza *stanza, const struct question *q)
{
	struct node *made = make(stanza->arena, "result", q->from, q->to, NULL, "error");
	made = make_error(stanza->arena, made, "cancel", "forbidden");
	control_count(stream->session->control, COUNT_DIALBACK_FORGED);
	alert(stream, "dialback-forged", q, "a key is said to be valid that its server has called invalid");
	if (made)
		negotiation_pass(stream, made);
	else
		session_close(stream->session, SIDES, "resource-constraint", "no memory for an element");
}

static void answer_result(struct stream *stream, struct stanza *stanza, const struct question *q)
{
	struct session *session = stream->session;
	struct pair *pair = pairs_find(&session->pairs, side_other(stream->side), q->to_domain, q->from_domain);
	if (!pair || !pair->asked) {
		drop_answer(stream, q);
		return;
	}
	bool valid = !strcmp(q->type, "valid"), contradicted = valid && pair->denied;
	pairs_answered(&session->pairs, pair);
	(contradicted ? contradict : pass)(stream, stanza, q);
	if (session->state == SESSION_CLOSING)
		return;
	if (!valid || contradicted)
		pairs_set_state(&session->pairs, pair, PAIR_INVALID);
	else if (pair->state != PAIR_VALID)
		negotiation_pair_valid(session, pair, PAIR_DIALBACK);
}

void dialback_take_result(struct stream *stream, struct stanza *stanza)
{
	struct question q;
	if (!read_question(stream, stanza, false, &q))
		return;
	if (q.type)
		answer_result(stream, stanza, &q);
	else if (may_ask(stream))
		ask_result(stream, stanza, &q);
}

/* --- db:verify --- */

static const char *why_not_verify(const struct stream *stream, const struct question *q)
{
	const struct session *session = stream->session;
	const char *reason = NULL;
	if (!session_peering_allows(session, stream->side, q->from_domain, q->to_domain, &reason))
		return reason;
	if (is_short_of_tls(session, q))
		return "dialback without TLS is not enough for this peer";
	if (!shows_its_pin(session, q))
		return not_pinned;
	if (!is_served_by(session, side_other(stream->side), q->to_domain))
		return not_proved; /* its answer would prove the name of another */
	const struct pair *pair = keys_find(&session->control->keys, q->to_domain, q->from_domain, q->id, q->key);
	if (pair && pair->of == &session->pairs)
		return "whoever shows a key cannot be asked whether it is good"; /* XEP-0288 2.2 */
	return NULL;
}

/*
 * The stream and the key must be those that were seen. Where nothing was seen the asked server alone decides: the
 * connection on which the key was shown may be in another lane, may have ended meanwhile, or does not pass the guard
 * (a key of a server that dialled another way is no business of ours); without the pair on a connection through the
 * guard no stanza of it passes, whatever the answer is.
 */
static bool is_forged(struct stream *stream, const struct question *q)
{
	static const enum control_counter counters[] = {[KEY_UNSEEN] = COUNT_DIALBACK_KEYS_UNSEEN,
		[KEY_SEEN] = COUNT_DIALBACK_KEYS_SEEN,
		[KEY_FORGED] = COUNT_DIALBACK_FORGED};
	struct control *control = stream->session->control;
	enum key_match match = keys_match(&control->keys, q->to_domain, q->from_domain, q->id, q->key);
	control_count(control, counters[match]);
	return match == KEY_FORGED;
}

/* What the server would say to a key that it has not made for this stream. */
static void deny(struct stream *stream, struct stanza *stanza, const struct question *q)
{
	alert(stream, "dialback-forged", q, "to be verified: another key or stream id than the one that was shown");
	negotiation_answer(stream, make(stanza->arena, "verify", q->to, q->from, q->id, "invalid"));
}

static void ask_verify(struct stream *stream, struct stanza *stanza, const struct question *q)
{
	struct session *session = stream->session;
	const char *why = why_not_verify(stream, q);
	if (why)
		refuse(stream, stanza, q, "policy-violation", why);
	else if (is_forged(stream, q))
		deny(stream, stanza, q);
	else if (pairs_verify_add(&session->pairs, stream->side, q->from_domain, q->to_domain, q->id, q->key))
		session_close(session, SIDES, "resource-constraint", "no memory for a dialback question");
	else
		pass(stream, stanza, q);
}

/* The last word of the server of the name about the key; an error is none. */
static void note_denial(struct stream *stream, const struct question *q, const char *key)
{
	struct keys *keys = &stream->session->control->keys;
	struct pair *pair = keys_find(keys, q->from_domain, q->to_domain, q->id, key);
	if (pair && strcmp(q->type, "error"))
		pair->denied = !strcmp(q->type, "invalid");
}

static void answer_verify(struct stream *stream, struct stanza *stanza, const struct question *q)
{
	enum conn_side asked = side_other(stream->side);
	char key[DIALBACK_KEY_BYTES];
	if (!pairs_verify_take(&stream->session->pairs, asked, q->to_domain, q->from_domain, q->id, key)) {
		drop_answer(stream, q);
		return;
	}
	note_denial(stream, q, key);
	explicit_bzero(key, sizeof(key));
	pass(stream, stanza, q);
}

void dialback_take_verify(struct stream *stream, struct stanza *stanza)
{
	struct question q;
	if (!read_question(stream, stanza, true, &q))
		return;
	if (q.type)
		answer_verify(stream, stanza, &q);
	else if (may_ask(stream))
		ask_verify(stream, stanza, &q);
}
