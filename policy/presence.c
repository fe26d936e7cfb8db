/*
 * Presence folding: what a peer may learn of who is there. The levels, each of which shows less than the next:
 *
 *     none     nothing: being here and going away are dropped
 *     online   here or away
 *     show     and <show/>, one of its four words
 *     full     all of it
 *
 * Below full, a presence of any type keeps only what rooms need (XEP-0045), and its error if it is one. A room is entered
 * and left at any level, since that presence is directed and wanted. At none, a change of nick is not seen in the room: it
 * has nothing that tells it from being here.
 */
#include <stdio.h>
#include <string.h>

#include "stage.h"

/* What the fold took away. The names are ours: those of the sender are not for the audit. */
struct fold {
	unsigned show, status, priority, elements, text;
};

static bool is_of_room(const struct node *node)
{
	static const char *const namespaces[] = {
		"http://jabber.org/protocol/muc",
		"http://jabber.org/protocol/muc#user",
		"http://isode.com/protocol/fmuc",
	};

	for (size_t i = 0; i < sizeof(namespaces) / sizeof(*namespaces); i++)
		if (node->name && !strcmp(node->ns, namespaces[i]))
			return true;
	return false;
}

static bool has_room(const struct node *presence)
{
	for (const struct node *child = presence->first; child; child = child->next)
		if (is_of_room(child))
			return true;
	return false;
}

/* Its word and nothing else; which words there are is a matter of shape, and that there is one <show/> at most. */
static bool is_plain_show(const struct node *show)
{
	return show->first && !show->attributes;
}

static bool is_kept(const struct policy_case *c, enum policy_presence level, const struct node *child)
{
	if (node_is(child, NS_SERVER, "show"))
		return level == POLICY_PRESENCE_SHOW && !*c->type && is_plain_show(child);
	if (node_is(child, NS_SERVER, "error"))
		return !strcmp(c->type, "error");
	return is_of_room(child);
}

static void count(struct fold *fold, const struct node *child)
{
	if (!child->name)
		fold->text++;
	else if (node_is(child, NS_SERVER, "show"))
		fold->show++;
	else if (node_is(child, NS_SERVER, "status"))
		fold->status++;
	else if (node_is(child, NS_SERVER, "priority"))
		fold->priority++;
	else
		fold->elements++;
}

/* Takes all children out and puts back those that may stay. */
static void fold_children(struct policy_case *c, enum policy_presence level, struct fold *fold)
{
	struct node *presence = c->stanza->root, *child = presence->first, *next;

	presence->first = presence->last = NULL;
	for (; child; child = next) {
		next = child->next;
		if (is_kept(c, level, child))
			node_append(presence, child);
		else
			count(fold, child);
	}
}

static void tell(struct policy_case *c, const struct fold *fold)
{
	const struct {
		const char *name;
		unsigned count;
	} parts[] = {
		{"show", fold->show},
		{"status", fold->status},
		{"priority", fold->priority},
		{"other elements", fold->elements},
		{"white space", fold->text},
	};
	char taken[sizeof(c->verdict->changed)] = "";
	size_t len = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (parts[i].count)
			len += (size_t)snprintf(taken + len, sizeof(taken) - len, "%s%s", len ? ", " : "", parts[i].name);
	if (len)
		case_changed(c, "presence.fold", "presence folded: without %s", taken);
}

/*
 * At level none: rooms pass. So does going away from a full address, since leaving a room looks like that and has no other
 * mark; what is sent to subscribers goes to bare addresses (RFC 6121 4.4.2, 4.5.2).
 */
static bool is_hidden(const struct policy_case *c)
{
	bool available = !*c->type, unavailable = !strcmp(c->type, "unavailable");
	struct jid to;

	if (!available && !unavailable)
		return false;
	if (has_room(c->stanza->root))
		return false;
	return available || jid_parse(&to, node_attribute(c->stanza->root, "to")) || !to.resource_len;
}

void presence_check(struct policy_case *c)
{
	enum policy_presence level = c->profile->presence[c->context->direction];
	struct fold fold = {0};

	if (c->kind != STANZA_PRESENCE || level == POLICY_PRESENCE_FULL)
		return;
	if (level == POLICY_PRESENCE_NONE && is_hidden(c)) {
		case_find(c, &(struct finding){.action = POLICY_DROPPED, .rule = "presence.none",
			.reason = "presence is not shown to this peer"});
		return;
	}
	fold_children(c, level, &fold);
	tell(c, &fold);
}
