/* The policy itself: copied from its rules, never changed after that; and the walk of a stanza through the stages. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stage.h"

/* Their order is part of what a policy means: shape finds out who speaks and of what, peering which profile holds. */
static const struct stage {
	void (*check)(struct policy_case *c);
	bool by_profile;               /* runs for what may pass so far; the others also find worse in what is refused */
} stages[] = {
	{shape_check, false},
	{peering_check, false},
	{presence_check, true},
	{content_check, true},
	{binary_check, true},
};

enum { STAGES = sizeof(stages) / sizeof(*stages) };

void policy_check(const struct policy *policy, const struct policy_context *context, struct stanza *stanza,
	struct policy_verdict *verdict)
{
	struct policy_case c = {.policy = policy, .context = context, .stanza = stanza, .verdict = verdict};

	*verdict = (struct policy_verdict){.rule = "", .error_condition = "", .error_type = ""};
	for (const struct stage *stage = stages; stage < stages + STAGES; stage++)
		if (verdict->action < (stage->by_profile ? POLICY_REFUSED : POLICY_CLOSE))
			stage->check(&c);
}

/* --- Verdicts --- */

/* The actions stand in their order of tightness, so that a stage cannot loosen what another one found. */
_Static_assert(POLICY_PASS < POLICY_REWRITTEN && POLICY_REWRITTEN < POLICY_REFUSED && POLICY_REFUSED < POLICY_DROPPED &&
	POLICY_DROPPED < POLICY_CLOSE, "each action is tighter than the one before");

void case_find(struct policy_case *c, const struct finding *finding)
{
	struct policy_verdict *v = c->verdict;

	if (finding->action <= v->action)
		return;
	v->action = finding->action;
	v->rule = finding->rule;
	v->error_condition = finding->condition ? finding->condition : "";
	v->error_type = finding->error_type ? finding->error_type : "";
	snprintf(v->reason, sizeof(v->reason), "%s", finding->reason);
}

void case_changed(struct policy_case *c, const char *rule, const char *format, ...)
{
	struct policy_verdict *v = c->verdict;
	size_t len = strlen(v->changed);
	va_list ap;

	if (len && len + 2 < sizeof(v->changed)) {
		memcpy(v->changed + len, "; ", 3);
		len += 2;
	}
	va_start(ap, format);
	vsnprintf(v->changed + len, sizeof(v->changed) - len, format, ap);
	va_end(ap);
	case_find(c, &(struct finding){.action = POLICY_REWRITTEN, .rule = rule, .reason = "changed as the profile says"});
}

void case_no_memory(struct policy_case *c)
{
	case_find(c, &(struct finding){POLICY_REFUSED, "policy.memory", "resource-constraint", "wait",
		"no memory to judge the stanza"});
}

const char *policy_action_name(enum policy_action action)
{
	static const char *const names[] = {
		[POLICY_PASS] = "pass",
		[POLICY_REWRITTEN] = "rewritten",
		[POLICY_REFUSED] = "refused",
		[POLICY_DROPPED] = "dropped",
		[POLICY_CLOSE] = "close",
	};

	return (unsigned)action < sizeof(names) / sizeof(*names) ? names[action] : "?";
}

/* --- The life of a policy --- */

/* A domain, "*.domain" or "*", in lower case. NULL with errno. */
static char *pattern_new(const char *text)
{
	const char *domain = !strncmp(text, "*.", 2) ? text + 2 : text;
	char lower[JID_PART_BYTES + 1], *pattern;

	if (!strcmp(text, "*"))
		return strdup("*");
	if (strpbrk(domain, "@/") || jid_domain(domain, lower, sizeof(lower))) {
		errno = EINVAL;
		return NULL;
	}
	return asprintf(&pattern, "%s%s", domain == text ? "" : "*.", lower) < 0 ? NULL : pattern;
}

/* In lower case, in one allocation that holds the pointers and the texts. NULL: no memory. */
static const char *const *types_copy(const char *const *list)
{
	size_t count = 0, bytes = 0;
	const char **copy;
	char *text;

	for (; list && list[count]; count++)
		bytes += strlen(list[count]) + 1;
	copy = malloc((count + 1) * sizeof(*copy) + bytes);
	if (!copy)
		return NULL;
	text = (char *)(copy + count + 1);
	for (size_t i = 0; i < count; i++) {
		copy[i] = text;
		for (const char *c = list[i]; *c; c++)
			*text++ = (char)tolower((unsigned char)*c);
		*text++ = '\0';
	}
	copy[count] = NULL;
	return copy;
}

static int profile_init(struct profile *profile, const struct policy_profile_rules *rules)
{
	profile->name = strdup(rules->name);
	if (!profile->name)
		return -ENOMEM;
	for (int d = 0; d < POLICY_DIRECTIONS; d++) {
		profile->presence[d] = rules->presence[d];
		profile->binaries[d] = rules->binaries[d];
		profile->binaries[d].types = types_copy(rules->binaries[d].types);
		if (!profile->binaries[d].types)
			return -ENOMEM;
		if (!rules->forbidden[d])
			continue;
		profile->forbidden[d] = words_new(rules->forbidden[d]);
		if (!profile->forbidden[d])
			return -errno;
	}
	return 0;
}

static int add_domains(struct policy *policy, const char *const *domains)
{
	size_t count = 0;

	while (domains[count])
		count++;
	policy->domains = calloc(count + 1, sizeof(*policy->domains));
	if (!policy->domains)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		policy->domains[policy->domain_count] = pattern_new(domains[i]);
		if (!policy->domains[policy->domain_count++])
			return -errno;
	}
	return 0;
}

static int add_profiles(struct policy *policy, const struct policy_rules *rules)
{
	policy->profiles = calloc(rules->profile_count + 1, sizeof(*policy->profiles));
	if (!policy->profiles)
		return -ENOMEM;
	for (unsigned i = 0; i < rules->profile_count; i++) {
		int err = profile_init(&policy->profiles[policy->profile_count++], &rules->profiles[i]);

		if (err)
			return err;
	}
	return 0;
}

static int add_peers(struct policy *policy, const struct policy_rules *rules)
{
	policy->peers = calloc(rules->peer_count + 1, sizeof(*policy->peers));
	if (!policy->peers)
		return -ENOMEM;
	for (unsigned i = 0; i < rules->peer_count; i++) {
		struct peer *peer = &policy->peers[policy->peer_count++];

		if (rules->peers[i].profile >= rules->profile_count)
			return -EINVAL;
		peer->profile = rules->peers[i].profile;
		peer->pattern = pattern_new(rules->peers[i].domain);
		if (!peer->pattern)
			return -errno;
	}
	return 0;
}

struct policy *policy_new(const struct policy_rules *rules)
{
	struct policy *policy = calloc(1, sizeof(*policy));
	int err = policy ? add_domains(policy, rules->domains) : -ENOMEM;

	if (!err)
		err = add_profiles(policy, rules);
	if (!err)
		err = add_peers(policy, rules);
	if (!err)
		return policy;
	policy_free(policy);
	errno = -err;
	return NULL;
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	for (unsigned i = 0; i < policy->domain_count; i++)
		free(policy->domains[i]);
	for (unsigned i = 0; i < policy->peer_count; i++)
		free(policy->peers[i].pattern);
	for (unsigned i = 0; i < policy->profile_count; i++) {
		free(policy->profiles[i].name);
		for (int d = 0; d < POLICY_DIRECTIONS; d++) {
			words_free(policy->profiles[i].forbidden[d]);
			free((void *)policy->profiles[i].binaries[d].types);
		}
	}
	free(policy->domains);
	free(policy->peers);
	free(policy->profiles);
	free(policy);
}
