/*
 * Stream features: an allow-list. Each that passes is made afresh by its row; what has no row, or is not in the
 * configuration, is not offered to the client.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/control.h"
#include "control/negotiation.h"

struct feature {
	const char *name; /* in the configuration */
	const char *ns, *element;
	struct node *(*make)(struct stream *stream, struct arena *arena, const struct node *offered);
};

static struct node *with_child(
	struct arena *arena, struct node *parent, const char *ns, const char *name, const char *text)
{
	struct node *child = node_new(arena, ns, name);
	if (!parent || !child || (text && node_add_text(arena, child, text, strlen(text))))
		return NULL;
	node_append(parent, child);
	return parent;
}

/* The guard wants TLS whatever the server says, unless the level does without. */
static struct node *make_starttls(struct stream *stream, struct arena *arena, const struct node *offered)
{
	if (session_secured(stream->session))
		return NULL;
	struct node *made = node_new(arena, NS_TLS, "starttls");
	stream->session->offered.starttls = true;
	if (session_may_authenticate(stream->session) && !node_child(offered, NS_TLS, "required"))
		return made;
	return with_child(arena, made, NS_TLS, "required", NULL);
}

static bool offers_external(struct arena *arena, const struct node *offered)
{
	for (const struct node *child = offered->first; child; child = child->next) {
		const char *text =
			child->name && node_is(child, NS_SASL, "mechanism") ? node_text(child, arena) : NULL;
		if (text && !strcmp(text, "EXTERNAL"))
			return true;
	}
	return false;
}

/* Nothing but EXTERNAL, and that only for a client whose certificate was verified. */
static struct node *make_mechanisms(struct stream *stream, struct arena *arena, const struct node *offered)
{
	const struct msg_secured *client = stream->session->stream[SIDE_CLIENT].secured;
	if (!session_secured(stream->session) || !*client->identity || !offers_external(arena, offered))
		return NULL;
	stream->session->offered.external = true;
	return with_child(arena, node_new(arena, NS_SASL, "mechanisms"), NS_SASL, "mechanism", "EXTERNAL");
}

/* Not to those who would be refused it. */
static struct node *make_dialback(struct stream *stream, struct arena *arena, const struct node *offered)
{
	const struct session *session = stream->session;
	if (!session_may_authenticate(session) ||
		session_level(session, session->client_name, session->server_name) == AUTH_STRONG)
		return NULL;
	struct node *made = node_new(arena, NS_DIALBACK_FEATURE, "dialback");
	if (made && node_child(offered, NS_DIALBACK_FEATURE, "errors"))
		made = with_child(arena, made, NS_DIALBACK_FEATURE, "errors", NULL);
	return made;
}

/* By bidi a server speaks for itself, and only its certificate says who it is (XEP-0288). */
static struct node *make_bidi(struct stream *stream, struct arena *arena, const struct node *offered)
{
	struct session *session = stream->session;
	(void)offered;
	if (!session_secured(session) || !*session->stream[SIDE_SERVER].secured->identity ||
		session->bidi == BIDI_WITH_SERVER || session->bidi == BIDI_WITH_GUARD)
		return NULL;
	session->bidi = BIDI_OFFERED_BY_SERVER;
	return node_new(arena, NS_BIDI_FEATURE, "bidi");
}

static bool read_number(struct arena *arena, const struct node *parent, const char *name, unsigned long *value)
{
	const struct node *child = node_child(parent, NS_LIMITS, name);
	const char *text = child ? node_text(child, arena) : NULL;
	if (!text || !*text || strlen(text) > 9 || text[strspn(text, "0123456789")])
		return false;
	*value = strtoul(text, NULL, 10);
	return true;
}

static struct node *with_limit(struct arena *arena, struct node *made, const struct node *offered, const char *name,
	unsigned long most)
{
	unsigned long value;
	char text[24];
	if (!offered || !read_number(arena, offered, name, &value) || value > most)
		value = most;
	snprintf(text, sizeof(text), "%lu", value);
	return with_child(arena, made, NS_LIMITS, name, text);
}

/* XEP-0478: not more than the guard itself takes, nor longer than it waits. `offered` NULL: only that. */
static struct node *make_limits(struct stream *stream, struct arena *arena, const struct node *offered)
{
	const struct conf *conf = stream->session->control->conf;
	struct node *made = node_new(arena, NS_LIMITS, "limits");
	made = with_limit(arena, made, offered, "max-bytes", conf->stanza_bytes);
	return with_limit(arena, made, offered, "idle-seconds", conf->idle_seconds);
}

/* Both versions are made the same way. What it offers of resumption is not passed on. */
static struct node *make_sm(struct stream *stream, struct arena *arena, const struct node *offered)
{
	struct node *made = node_new(arena, offered->ns, "sm");
	(void)stream;
	if (node_child(offered, offered->ns, "required"))
		return with_child(arena, made, offered->ns, "required", NULL);
	return node_child(offered, offered->ns, "optional") ? with_child(arena, made, offered->ns, "optional", NULL) : made;
}

static const struct feature features[] = {
	{"starttls", NS_TLS, "starttls", make_starttls},
	{"mechanisms", NS_SASL, "mechanisms", make_mechanisms},
	{"dialback", NS_DIALBACK_FEATURE, "dialback", make_dialback},
	{"bidi", NS_BIDI_FEATURE, "bidi", make_bidi},
	{"limits", NS_LIMITS, "limits", make_limits},
	{"sm", NS_SM2, "sm", make_sm},
	{"sm", NS_SM3, "sm", make_sm},
};
enum { FEATURES = sizeof(features) / sizeof(*features) };

bool features_allow(const struct session *session, const char *name)
{
	const struct conf *conf = session->control->conf;
	for (unsigned i = 0; i < conf->feature_count; i++)
		if (!strcmp(conf->features[i], name))
			return true;
	return false;
}

/* In the order of the table, each once. */
static struct node *filter(struct stream *stream, struct stanza *stanza)
{
	struct node *made = node_new(stanza->arena, NS_STREAMS, "features");
	for (unsigned i = 0; made && i < FEATURES; i++) {
		const struct node *offered = node_child(stanza->root, features[i].ns, features[i].element);
		if (!offered || !features_allow(stream->session, features[i].name))
			continue;
		struct node *feature = features[i].make(stream, stanza->arena, offered);
		if (feature)
			node_append(made, feature);
	}
	return made;
}

/* If the server does not speak bidi, the guard does: so that what it refuses can be told on the same connection. */
static void offer_bidi(struct session *session, struct arena *arena, struct node *features_made)
{
	if (session->bidi != BIDI_NONE || !session_secured(session) || session_has_pair(session, SIDE_CLIENT) ||
		!features_allow(session, "bidi"))
		return;
	struct node *bidi = node_new(arena, NS_BIDI_FEATURE, "bidi");
	if (!bidi)
		return; /* an extra that can be done without */
	node_append(features_made, bidi);
	session->bidi = BIDI_OFFERED_BY_GUARD;
}

/* Who does not say what it takes is believed to take what servers do. Where the guard takes less, that is said for it. */
static void announce_limits(struct stream *stream, struct arena *arena, struct node *features_made)
{
	const struct session *session = stream->session;
	const struct conf *conf = session->control->conf;
	if (conf->stanza_bytes == CONF_STANZA_BYTES_MAX || !session_may_authenticate(session) ||
		!features_allow(session, "limits") || node_child(features_made, NS_LIMITS, "limits"))
		return;
	struct node *limits = make_limits(stream, arena, NULL);
	if (limits)
		node_append(features_made, limits);
}

static void count_children(const struct stream *stream, const struct node *offered, const struct node *made)
{
	unsigned before = 0, after = 0;
	for (const struct node *child = offered->first; child; child = child->next)
		before += child->name != NULL;
	for (const struct node *child = made->first; child; child = child->next)
		after++;
	counter_add(stream->session->control->counters, COUNT_FEATURES_PASSED, after);
	counter_add(stream->session->control->counters, COUNT_FEATURES_STRIPPED, before > after ? before - after : 0);
}

void features_take(struct stream *stream, struct stanza *stanza)
{
	struct session *session = stream->session;
	session->offered.starttls = session->offered.external = false;
	struct node *made = filter(stream, stanza);
	if (!made) {
		session_close(session, SIDES, "resource-constraint", "no memory for features");
		return;
	}
	if (!session_may_authenticate(session) && !node_child(made, NS_TLS, "starttls")) {
		negotiation_downgraded(session, SIDES, "policy-violation", "server does not offer STARTTLS");
		return;
	}
	count_children(stream, stanza->root, made);
	offer_bidi(session, stanza->arena, made);
	announce_limits(stream, stanza->arena, made);
	negotiation_pass(stream, made);
	if (session->state == SESSION_OFFERING)
		session_set_state(session, SESSION_OPEN);
	refusals_flush(session->control, session);
}

/* --- <bidi/> --- */

/* With the limits of the client, which sends no features (XEP-0478 2.2). */
static struct node *with_own_limits(struct stream *stream, const struct stanza *stanza)
{
	struct node *bidi = node_new(stanza->arena, NS_BIDI, "bidi");
	const struct node *offered = node_child(stanza->root, NS_LIMITS, "limits");
	if (!bidi || !offered || !features_allow(stream->session, "limits"))
		return bidi;
	struct node *limits = make_limits(stream, stanza->arena, offered);
	if (!limits)
		return NULL;
	node_append(bidi, limits);
	return bidi;
}

void bidi_take(struct stream *stream, struct stanza *stanza)
{
	struct session *session = stream->session;
	bool too_late = session_has_pair(session, SIDE_CLIENT);
	if (session->bidi == BIDI_OFFERED_BY_GUARD && !too_late) {
		session->bidi = BIDI_WITH_GUARD;
		return;
	}
	if (session->bidi != BIDI_OFFERED_BY_SERVER || too_late) {
		negotiation_violated(
			stream, COUNT_FAULT_OUT_OF_PLACE, "policy-violation", "bidi was not offered, or comes late");
		return;
	}
	struct node *bidi = with_own_limits(stream, stanza);
	if (!bidi) {
		session_close(session, SIDES, "resource-constraint", "no memory for an element");
		return;
	}
	negotiation_pass(stream, bidi);
	session->bidi = BIDI_WITH_SERVER;
}
