/* The answer to a sender whose stanza was refused (RFC 6120 8.3). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "stage.h"

enum { REFUSAL_BYTES = 80 << 10 };     /* room in any arena: the attributes of a stanza are of one tag, 64 KiB at most */

static int copy_attribute(struct arena *arena, struct node *answer, const char *name, const char *value)
{
	return value ? node_set_attribute(arena, answer, name, value) : 0;
}

/* Who was written to answers; for an address that is none, its domain does, since a server would take offence at it. */
static const char *answerer(const char *to, char *domain, size_t size)
{
	struct jid jid;
	int err = jid_parse(&jid, to);

	return (!err || err == -ENOTUNIQ) || jid_domain(to, domain, size) ? to : domain;
}

/* Same kind, same id, back to where it came from; nothing of the content (XEP-0258 5). */
static struct node *answer_new(struct arena *arena, const struct node *stanza, const char *type)
{
	struct node *answer = node_new(arena, NS_SERVER, stanza->name);
	char domain[JID_PART_BYTES + 1];

	if (!answer ||
		copy_attribute(arena, answer, "from", answerer(node_attribute(stanza, "to"), domain, sizeof(domain))) ||
		copy_attribute(arena, answer, "to", node_attribute(stanza, "from")) ||
		copy_attribute(arena, answer, "id", node_attribute(stanza, "id")) ||
		copy_attribute(arena, answer, "type", type))
		return NULL;
	return answer;
}

static struct node *add_child(struct arena *arena, struct node *parent, const char *ns, const char *name)
{
	struct node *child = node_new(arena, ns, name);

	if (child)
		node_append(parent, child);
	return child;
}

/* The text names the rule, and nothing of the stanza or of the configuration. */
static struct node *add_error(struct arena *arena, struct node *answer, const struct policy_verdict *verdict)
{
	struct node *error = answer ? add_child(arena, answer, NS_SERVER, "error") : NULL;
	struct node *text;
	char words[128];

	if (!error || node_set_attribute(arena, error, "type", verdict->error_type) ||
		!add_child(arena, error, NS_STANZAS, verdict->error_condition))
		return NULL;
	if (verdict->retry_seconds)
		snprintf(words, sizeof(words), "too much: %s; try again in %u s", verdict->rule, verdict->retry_seconds);
	else
		snprintf(words, sizeof(words), "not allowed by policy: %s", verdict->rule);
	text = add_child(arena, error, NS_STANZAS, "text");
	return text && !node_add_text(arena, text, words, strlen(words)) ? answer : NULL;
}

static bool is_type(const struct node *stanza, const char *type)
{
	const char *value = node_attribute(stanza, "type");

	return value && !strcmp(value, type);
}

/*
 * RFC 6120 8.2.3: a request is always answered, even one of a type that nobody knows; 8.3.1: an error never is, since two
 * servers could keep each other busy for ever. A presence vanishes, but who asked to subscribe is told (RFC 6121 3.1.3).
 */
struct node *policy_refusal(const struct stanza *stanza, const struct policy_verdict *verdict)
{
	const struct node *root = stanza->root;
	bool has_addresses = node_attribute(root, "from") && node_attribute(root, "to");

	if (verdict->action != POLICY_REFUSED || !has_addresses || is_type(root, "error"))
		return NULL;
	arena_allow(stanza->arena, REFUSAL_BYTES);
	if (node_is(root, NS_SERVER, "message"))
		return add_error(stanza->arena, answer_new(stanza->arena, root, "error"), verdict);
	if (node_is(root, NS_SERVER, "presence") && is_type(root, "subscribe"))
		return answer_new(stanza->arena, root, "unsubscribed");
	if (node_is(root, NS_SERVER, "iq") && node_attribute(root, "id") && !is_type(root, "result"))
		return add_error(stanza->arena, answer_new(stanza->arena, root, "error"), verdict);
	return NULL;
}

/* RFC 6120 8.2.3: whoever asked waits for an answer, whichever it is. */
struct node *policy_refused_result(const struct stanza *stanza, const struct policy_verdict *verdict)
{
	const struct node *root = stanza->root;
	struct arena *arena = stanza->arena;
	struct node *error;

	if (verdict->action != POLICY_REFUSED || !*verdict->profile || !node_is(root, NS_SERVER, "iq") ||
		!is_type(root, "result") || !strncmp(verdict->rule, "shape.", 6) || !strncmp(verdict->rule, "peering.", 8))
		return NULL;
	arena_allow(arena, REFUSAL_BYTES);
	error = node_new(arena, NS_SERVER, "iq");
	if (!error || copy_attribute(arena, error, "from", node_attribute(root, "from")) ||
		copy_attribute(arena, error, "to", node_attribute(root, "to")) ||
		copy_attribute(arena, error, "id", node_attribute(root, "id")) || copy_attribute(arena, error, "type", "error"))
		return NULL;
	return add_error(arena, error, verdict);
}
