/* Peering: may these two domains speak, on this stream, in this direction? And by which profile? */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "stage.h"

static bool is_ours(const struct policy *policy, const char *domain)
{
	return names_find_domain(&policy->domains, domain);
}

static const struct peer *find_peer(const struct policy *policy, const char *domain)
{
	const struct name *name = names_find_domain(&policy->peer_names, domain);

	return name ? &policy->peers[name->value] : NULL;
}

/* The peer of two lower-case domains, one of which is ours; else NULL and why. */
static const struct peer *peering_find(const struct policy *policy, const char *from, const char *to, const char **reason)
{
	bool from_ours = is_ours(policy, from), to_ours = is_ours(policy, to);
	const struct peer *peer;

	*reason = from_ours ? "both domains are ours" : "neither domain is ours";
	if (from_ours == to_ours)
		return NULL;
	peer = find_peer(policy, from_ours ? to : from);
	*reason = "";
	if (!peer)
		*reason = "the other domain is not a peer";
	else if (peer->way == POLICY_NO_WAY)
		*reason = "the other domain is one that nobody may speak with";
	else if (peer->inside.count && !names_find_domain(&peer->inside, from_ours ? from : to))
		*reason = "the other domain is a peer, but not of this domain of ours";
	return **reason ? NULL : peer;
}

bool policy_peering_allows(const struct policy *policy, const char *from, const char *to, const char **reason)
{
	char from_domain[JID_PART_BYTES + 1], to_domain[JID_PART_BYTES + 1];
	const char *why = "not a domain";
	bool valid = !strpbrk(from, "@/") && !strpbrk(to, "@/") && !jid_domain(from, from_domain, sizeof(from_domain)) &&
		!jid_domain(to, to_domain, sizeof(to_domain));
	bool allowed = valid && peering_find(policy, from_domain, to_domain, &why);

	if (reason)
		*reason = allowed ? "" : why;
	return allowed;
}

/* RFC 6120 4.9.3.9: who was not authenticated on this stream does not speak on it. */
static void check_pair(struct policy_case *c)
{
	bool from_known = false;

	for (unsigned i = 0; i < c->context->pair_count; i++) {
		const struct policy_pair *pair = &c->context->pairs[i];

		if (strcasecmp(pair->from, c->from))
			continue;
		from_known = true;
		if (!strcasecmp(pair->to, c->to))
			return;
	}
	case_find(c, &(struct finding){POLICY_CLOSE, "peering.pair", from_known ? "improper-addressing" : "invalid-from",
		NULL, from_known ? "the receiver's domain is not of this stream" : "the sender's domain is not of this stream"});
}

bool case_is_answer(const struct policy_case *c)
{
	if (!strcmp(c->type, "error"))
		return true;
	if (c->kind == STANZA_IQ)
		return !strcmp(c->type, "result");
	return c->kind == STANZA_PRESENCE && (!strcmp(c->type, "subscribed") || !strcmp(c->type, "unsubscribed"));
}

static void check_way(struct policy_case *c, const struct peer *peer)
{
	enum policy_way only = c->context->direction == POLICY_OUTBOUND ? POLICY_ONLY_INBOUND : POLICY_ONLY_OUTBOUND;

	if (peer->way == only && !case_is_answer(c))
		case_find(c, &(struct finding){POLICY_REFUSED, "peering.direction", "not-allowed", "cancel",
			"only the other side may begin to speak"});
}

static bool is_listed(const struct names *users, const char *address, const char *domain)
{
	struct jid jid;

	if (!users->count)
		return true;
	/* Whatever shape found of it, it is no listed one then. */
	return !jid_parse(&jid, address) && names_have_user(users, jid.local_len ? jid.local : "", jid.local_len, domain);
}

/* Errors too: nothing of who is not listed has crossed that one could be about. */
static void check_users(struct policy_case *c)
{
	bool outbound = c->context->direction == POLICY_OUTBOUND;
	const struct names *senders = outbound ? &c->profile->inside_users : &c->profile->outside_users;
	const struct names *receivers = outbound ? &c->profile->outside_users : &c->profile->inside_users;

	if (!is_listed(senders, node_attribute(c->stanza->root, "from"), c->from))
		case_find(c, &(struct finding){POLICY_REFUSED, "peering.sender", "not-allowed", "cancel",
			"the sender is not one of the users that may speak"});
	else if (!is_listed(receivers, node_attribute(c->stanza->root, "to"), c->to))
		case_find(c, &(struct finding){POLICY_REFUSED, "peering.receiver", "not-allowed", "cancel",
			"the receiver is not one of the users that may be spoken to"});
}

void peering_check(struct policy_case *c)
{
	bool outbound = c->context->direction == POLICY_OUTBOUND;
	const struct peer *peer;
	const char *reason;

	check_pair(c);
	peer = peering_find(c->policy, c->from, c->to, &reason);
	if (peer && is_ours(c->policy, outbound ? c->from : c->to)) {
		c->profile = &c->policy->profiles[peer->profile];
		c->peer = peer;
		c->verdict->peer = peer->name;
		check_way(c, peer);
		check_users(c);
		return;
	}
	case_find(c, &(struct finding){POLICY_REFUSED, "peering.allow-list", "not-allowed", "cancel",
		peer ? "the domains do not belong on these sides" : reason});
}
