/* Peering: may these two domains speak, on this stream, in this direction? And by which profile? */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "stage.h"

/* "*" matches all, "*.b.example" what ends in ".b.example" and has more before it, anything else itself. */
size_t domain_matches(const char *pattern, const char *domain)
{
	size_t tail = strlen(pattern) - 1, len = strlen(domain);

	if (pattern[0] != '*')
		return strcmp(pattern, domain) ? 0 : len + 2;
	return len > tail && !strcmp(domain + len - tail, pattern + 1) ? tail + 1 : 0;
}

static bool is_ours(const struct policy *policy, const char *domain)
{
	for (unsigned i = 0; i < policy->domain_count; i++)
		if (domain_matches(policy->domains[i], domain))
			return true;
	return false;
}

/* The longest match governs; of equal ones, the first. NULL: not a peer. */
static const struct peer *find_peer(const struct policy *policy, const char *domain)
{
	const struct peer *best = NULL;
	size_t longest = 0;

	for (unsigned i = 0; i < policy->peer_count; i++) {
		size_t length = domain_matches(policy->peers[i].pattern, domain);

		if (length <= longest)
			continue;
		longest = length;
		best = &policy->peers[i];
	}
	return best;
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
	*reason = peer ? "" : "the other domain is not a peer";
	return peer;
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

void peering_check(struct policy_case *c)
{
	bool outbound = c->context->direction == POLICY_OUTBOUND;
	const struct peer *peer;
	const char *reason;

	check_pair(c);
	peer = peering_find(c->policy, c->from, c->to, &reason);
	if (peer && is_ours(c->policy, outbound ? c->from : c->to)) {
		c->profile = &c->policy->profiles[peer->profile];
		return;
	}
	case_find(c, &(struct finding){POLICY_REFUSED, "peering.allow-list", "not-allowed", "cancel",
		peer ? "the domains do not belong on these sides" : reason});
}
