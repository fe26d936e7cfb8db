/* From the configuration to a policy; see policy_load.h. policy_new() copies: all that is made here is freed here. */
#include <stdlib.h>

#include "control/policy_load.h"

static const enum policy_presence presences[] = {
	[PRESENCE_NONE] = POLICY_PRESENCE_NONE,
	[PRESENCE_ONLINE] = POLICY_PRESENCE_ONLINE,
	[PRESENCE_SHOW] = POLICY_PRESENCE_SHOW,
	[PRESENCE_FULL] = POLICY_PRESENCE_FULL,
};

static_assert(
	(int)OUTBOUND == (int)POLICY_OUTBOUND && (int)INBOUND == (int)POLICY_INBOUND, "one order of directions");

struct draft {
	struct policy_profile_rules *profiles;
	struct policy_peer_rules *peers;
	const char **domains;
	const char *(*words)[DIRECTIONS][CONF_WORDS_MAX + 1]; /* of each profile */
};

static void draft_profile(const struct conf_profile *profile, const char *words[DIRECTIONS][CONF_WORDS_MAX + 1],
	struct policy_profile_rules *rules)
{
	rules->name = profile->name;
	for (unsigned d = 0; d < DIRECTIONS; d++) {
		rules->presence[d] = presences[profile->presence[d]];
		for (unsigned w = 0; w < profile->forbidden[d].count; w++)
			words[d][w] = profile->forbidden[d].word[w];
		rules->forbidden[d] = words[d];
	}
}

static void draft_fill(struct draft *draft, const struct conf *conf)
{
	for (unsigned i = 0; i < conf->domain_count; i++)
		draft->domains[i] = conf->domains[i];
	for (unsigned i = 0; i < conf->profile_count; i++)
		draft_profile(&conf->profiles[i], draft->words[i], &draft->profiles[i]);
	for (unsigned i = 0; i < conf->peer_count; i++)
		draft->peers[i] = (struct policy_peer_rules){conf->peers[i].domain, conf->peers[i].profile};
}

struct policy *policy_load(const struct conf *conf)
{
	struct draft draft = {
		.profiles = calloc(conf->profile_count + 1, sizeof(*draft.profiles)),
		.peers = calloc(conf->peer_count + 1, sizeof(*draft.peers)),
		.domains = calloc(conf->domain_count + 1, sizeof(*draft.domains)),
		.words = calloc(conf->profile_count + 1, sizeof(*draft.words)),
	};
	struct policy *policy = NULL;
	if (draft.profiles && draft.peers && draft.domains && draft.words) {
		draft_fill(&draft, conf);
		struct policy_rules rules = {.domains = draft.domains,
			.profiles = draft.profiles,
			.profile_count = conf->profile_count,
			.peers = draft.peers,
			.peer_count = conf->peer_count};
		policy = policy_new(&rules);
	}
	free(draft.profiles);
	free(draft.peers);
	free(draft.domains);
	free(draft.words);
	return policy;
}
