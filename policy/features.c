/*
 * Features: what a stanza uses, and whether the profile allows it. A stanza uses what its type says and what its elements
 * of other namespaces are of, at any depth: what is forwarded is judged as if it had been sent. What a stanza means the
 * same without is taken out; a stanza that needs what is not allowed is refused.
 */
#include <stdio.h>
#include <string.h>

#include "children.h"
#include "features.h"

#define NS_DISCO_INFO "http://jabber.org/protocol/disco#info"
#define NS_MUC "http://jabber.org/protocol/muc"
#define NS_MUC_USER "http://jabber.org/protocol/muc#user"
#define F(id) (UINT64_C(1) << FEATURE_##id)

static const uint64_t every_feature = (UINT64_C(1) << FEATURES) - 1;

void feature_refuse(struct feature_use *use, enum feature feature)
{
	case_find(use->c, &(struct finding){POLICY_REFUSED, feature_rule(feature), "policy-violation", "modify",
		feature < FEATURES ? "the profile does not allow this feature"
				   : "something that no feature of the profile is"});
}

bool feature_is_allowed(const struct feature_use *use, uint64_t any)
{
	return (use->rules->allowed & any) != 0;
}

/* Only the content of an iq is what it is about: without it nothing is left. */
static bool may_strip(const struct feature_use *use, const struct node *node, bool addition)
{
	bool of_iq = node->parent == use->c->stanza->root && use->c->kind == STANZA_IQ;

	return use->lenient || (addition && !of_iq);
}

void feature_strip(struct feature_use *use, struct node *node, enum feature feature)
{
	case_changed(use->c, feature_rule(feature), "without %s", feature_name(feature));
	node_remove(node);
}

/* --- types of stanzas --- */

static const struct {
	enum stanza_kind kind;
	const char *type;
	uint64_t feature;
} types[] = {
	{STANZA_MESSAGE, "chat", F(CHAT)},
	{STANZA_MESSAGE, "groupchat", F(GROUPCHAT)},
	{STANZA_MESSAGE, "headline", F(HEADLINE)},
	{STANZA_MESSAGE, "normal", F(NORMAL)},
	{STANZA_MESSAGE, "", F(NORMAL)},
	{STANZA_PRESENCE, "", F(PRESENCE)},
	{STANZA_PRESENCE, "unavailable", F(PRESENCE) | F(MUC)},
	{STANZA_PRESENCE, "probe", F(PRESENCE)},
	{STANZA_PRESENCE, "subscribe", F(SUBSCRIPTIONS)},
	{STANZA_PRESENCE, "subscribed", F(SUBSCRIPTIONS)},
	{STANZA_PRESENCE, "unsubscribe", F(SUBSCRIPTIONS)},
	{STANZA_PRESENCE, "unsubscribed", F(SUBSCRIPTIONS)},
};

static void check_type(struct feature_use *use, enum stanza_kind kind, const char *type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (types[i].kind == kind && !strcmp(types[i].type, type) && !feature_is_allowed(use, types[i].feature))
			feature_refuse(use, feature_first(types[i].feature));
}

/* Being in a room is presence, too (XEP-0045 7.2). */
static bool is_in_room(const struct node *presence)
{
	for (const struct node *child = presence->first; child; child = child->next)
		if (child->name && !strncmp(child->ns, NS_MUC, strlen(NS_MUC)))
			return true;
	return false;
}

static bool is_stanzas(const char *ns)
{
	return !strcmp(ns, NS_SERVER) || !strcmp(ns, NS_CLIENT) || !strcmp(ns, NS_STANZAS);
}

/* A message or presence within another one; see RFC 6121 for types that are not known, which are normal. */
static void check_inner_type(struct feature_use *use, const struct node *node)
{
	const char *type = node_attribute(node, "type");

	if (strcmp(node->ns, NS_SERVER) != 0 && strcmp(node->ns, NS_CLIENT) != 0)
		return;
	if (!strcmp(node->name, "message"))
		check_type(use, STANZA_MESSAGE, type ? type : "");
	if (!strcmp(node->name, "presence") && !(is_in_room(node) && feature_is_allowed(use, F(MUC))))
		check_type(use, STANZA_PRESENCE, type ? type : "");
}

/* --- elements --- */

/*
 * Which features let it cross, where the namespace alone does not tell: invitations are of that of rooms (XEP-0045 7.8);
 * what is forwarded is of carbons or archives only inside of them.
 */
static uint64_t any_of(const struct feature_use *use, const struct feature_place *place, const struct node *node)
{
	if (!strcmp(node->ns, NS_MUC_USER) && (node_child(node, NULL, "invite") || node_child(node, NULL, "decline")))
		return F(MUC_INVITE);
	if (place->any & F(FORWARDED) && is_of_stanza(node->parent))
		return F(FORWARDED);
	return place->any & F(PUBSUB) ? pubsub_any(use, node) : place->any;
}

/* True: it is gone. */
static bool check_known(struct feature_use *use, struct node *node, const struct feature_place *place)
{
	uint64_t any = any_of(use, place, node);

	if (feature_is_allowed(use, any)) {
		if (place->any & F(PUBSUB))
			pubsub_check(use, node);
		return false;
	}
	if (may_strip(use, node, place->traits & PLACE_ADDITION)) {
		feature_strip(use, node, feature_first(any));
		return true;
	}
	feature_refuse(use, feature_first(any));
	return false;
}

static bool check_unknown(struct feature_use *use, struct node *node)
{
	if (use->rules->unknown == POLICY_UNKNOWN_PASS)
		return false;
	if (may_strip(use, node, use->rules->unknown == POLICY_UNKNOWN_STRIP)) {
		feature_strip(use, node, FEATURES);
		return true;
	}
	feature_refuse(use, FEATURES);
	return false;
}

/* A form or page of results is what its place makes of it; that is allowed, or it would not be there any more. */
static bool is_part(const struct feature_use *use, const struct node *node)
{
	return node->parent != use->c->stanza->root && !is_stanzas(node->parent->ns) &&
		(!strcmp(node->ns, NS_DATA_FORM) || !strcmp(node->ns, NS_RESULT_SET));
}

/* Elements of one namespace inside of one another are of one feature. */
static void check_below(struct feature_use *use, struct node *node)
{
	struct node *next;

	for (struct node *child = node->first; child; child = next) {
		const struct feature_place *place;

		next = child->next;
		if (!child->name)
			continue;
		check_inner_type(use, child);
		if (!is_stanzas(child->ns) && !is_part(use, child) && (strcmp(child->ns, node->ns) != 0 ||
			 node == use->c->stanza->root)) {
			place = feature_place_of(child->ns);
			if (place ? check_known(use, child, place) : check_unknown(use, child))
				continue;
		}
		check_below(use, child);
	}
}

/* --- what others are told --- */

static bool may_offer(const struct policy_feature_rules *rules, const char *var)
{
	const struct feature_place *place = feature_place_named(var);

	return place ? (rules->allowed & place->any) != 0 : rules->unknown == POLICY_UNKNOWN_PASS;
}

/* What is said to be understood is what the other side may then send: the rules of the other direction. */
static void filter_disco(struct feature_use *use, const struct policy_feature_rules *other)
{
	struct node *query = node_child(use->c->stanza->root, NS_DISCO_INFO, "query"), *next;
	unsigned taken = 0;

	if (use->c->kind != STANZA_IQ || strcmp(use->c->type, "result") != 0 || !query)
		return;
	for (struct node *child = query->first; child; child = next) {
		const char *var = child->name && !strcmp(child->name, "feature") ? node_attribute(child, "var") : NULL;

		next = child->next;
		if (!var || may_offer(other, var))
			continue;
		node_remove(child);
		taken++;
	}
	if (taken)
		case_changed(use->c, "features.disco", "%u features not offered", taken);
}

/* A hash of what is offered (XEP-0115, XEP-0390) is wrong when something of it is not. */
static void drop_caps(struct feature_use *use, struct node *node)
{
	struct node *next;

	for (struct node *child = node->first; child; child = next) {
		const struct feature_place *place = child->name ? feature_place_of(child->ns) : NULL;

		next = child->next;
		if (place && (place->any & F(CAPS)) && !(use->c->kind == STANZA_IQ && node == use->c->stanza->root))
			feature_strip(use, child, FEATURE_CAPS);
		else
			drop_caps(use, child);
	}
}

static bool allows_all(const struct policy_feature_rules *rules)
{
	return rules->allowed == every_feature && rules->unknown == POLICY_UNKNOWN_PASS && !*rules->pep_nodes;
}

void features_check(struct policy_case *c)
{
	const struct policy_feature_rules *rules = &c->profile->features[c->context->direction];
	const struct policy_feature_rules *other = &c->profile->features[!c->context->direction];
	struct feature_use use = {.c = c, .rules = rules, .lenient = c->kind == STANZA_PRESENCE || !strcmp(c->type, "error")};

	if (!allows_all(other)) {
		filter_disco(&use, other);
		drop_caps(&use, c->stanza->root);
	}
	if (allows_all(rules) && !rules->requires_encryption)
		return;
	if (c->kind == STANZA_MESSAGE || (c->kind == STANZA_PRESENCE && !(is_in_room(c->stanza->root) &&
		feature_is_allowed(&use, F(MUC)))))
		check_type(&use, c->kind, c->type);
	check_below(&use, c->stanza->root);
	encryption_check(&use);
}
