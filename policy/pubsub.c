/*
 * Publish-subscribe (XEP-0060), which is of services, and of accounts (PEP, XEP-0163): whose address has a localpart. What
 * a node of either is of, its name tells; which of those of accounts may be spoken of at all, the profile lists.
 */
#include <string.h>

#include "children.h"
#include "features.h"

#define F(id) (UINT64_C(1) << FEATURE_##id)
#define NS_EVENT "http://jabber.org/protocol/pubsub#event"

/* The stanza that it stands in, which may be one within another. */
static const struct node *stanza_of(const struct node *node)
{
	while (node->parent && !is_of_stanza(node))
		node = node->parent;
	return node;
}

/* Whose nodes these are: who is asked, and else who answers or tells; errors go back to those. */
static bool is_of_account(const struct node *node)
{
	const struct node *stanza = stanza_of(node);
	const char *type = node_attribute(stanza, "type"), *address;
	bool error = type && !strcmp(type, "error"), asks = type && (!strcmp(type, "get") || !strcmp(type, "set"));
	struct jid jid;

	address = node_attribute(stanza, asks || (error && !strcmp(stanza->name, "message")) ? "to" : "from");
	return address && !jid_parse(&jid, address) && jid.local_len;
}

/* What its nodes are of, if they all are of something; else 0. */
static uint64_t nodes_are_of(const struct feature_use *use, const struct node *pubsub)
{
	uint64_t any = 0;

	for (const struct node *child = pubsub->first; child; child = child->next) {
		const char *name = child->name ? node_attribute(child, "node") : NULL;
		const struct feature_place *place = name ? feature_place_named(name) : NULL;

		if (name && (!place || !feature_is_allowed(use, place->any)))
			return 0;
		any |= name ? place->any : 0;
	}
	return any;
}

uint64_t pubsub_any(const struct feature_use *use, const struct node *pubsub)
{
	return is_of_account(pubsub) ? F(PERSONAL) | nodes_are_of(use, pubsub) : F(PUBSUB);
}

/* Elements that belong to another one beside them, or are of all nodes and name them inside. */
static bool may_lack_node(const struct node *node)
{
	static const char *const names[] = {"configure", "options", "publish-options", "subscriptions", "affiliations",
		"item"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(node->name, names[i]))
			return true;
	return false;
}

static bool is_listed(const char *const *list, const char *name)
{
	for (; *list; list++) {
		size_t n = strlen(*list);

		if (n && (*list)[n - 1] == '*' ? !strncmp(*list, name, n - 1) : !strcmp(*list, name))
			return true;
	}
	return false;
}

/* Nobody waits for an answer to an event, nor for what is left of an error. */
static bool find_unlisted(struct feature_use *use, struct node *node, struct node *pubsub)
{
	bool event = pubsub->parent == use->c->stanza->root && !strcmp(pubsub->ns, NS_EVENT);

	if (use->lenient) {
		case_changed(use->c, "features.pep-node", "without a node that is not listed");
		node_remove(node);
		return true;
	}
	case_find(use->c, &(struct finding){event ? POLICY_DROPPED : POLICY_REFUSED, "features.pep-node", "policy-violation",
		"modify", "the profile does not list this node of an account"});
	return false;
}

static void check_nodes(struct feature_use *use, struct node *pubsub, struct node *above, bool account)
{
	const char *const *listed = use->rules->pep_nodes;
	struct node *next;

	for (struct node *child = above->first; child; child = next) {
		const char *name = child->name ? node_attribute(child, "node") : NULL;
		const struct feature_place *place = name ? feature_place_named(name) : NULL;

		next = child->next;
		if (!child->name || strcmp(child->ns, pubsub->ns) != 0)
			continue;
		if (account && *listed && (name || (above == pubsub && !may_lack_node(child))) &&
			!is_listed(listed, name ? name : "") && find_unlisted(use, child, pubsub))
			continue;
		if (place && !feature_is_allowed(use, place->any) && use->lenient) {
			feature_strip(use, child, feature_first(place->any));
			continue;
		}
		if (place && !feature_is_allowed(use, place->any))
			feature_refuse(use, feature_first(place->any));
		check_nodes(use, pubsub, child, account);
	}
}

void pubsub_check(struct feature_use *use, struct node *pubsub)
{
	check_nodes(use, pubsub, pubsub, is_of_account(pubsub));
}
