/* From the configuration to a policy; see policy_load.h. policy_new() copies: all that is made here is freed here. */
#include <stdlib.h>

#include "control/policy_load.h"

static const enum policy_presence presences[] = {
	[PRESENCE_NONE] = POLICY_PRESENCE_NONE,
	[PRESENCE_ONLINE] = POLICY_PRESENCE_ONLINE,
	[PRESENCE_SHOW] = POLICY_PRESENCE_SHOW,
	[PRESENCE_FULL] = POLICY_PRESENCE_FULL,
};

static const enum policy_binaries binaries[] = {
	[BINARIES_REFUSE] = POLICY_BINARIES_REFUSE,
	[BINARIES_SCAN] = POLICY_BINARIES_SCAN,
	[BINARIES_PASS] = POLICY_BINARIES_PASS,
};

static const enum policy_over overs[] = {
	[OVER_REFUSE] = POLICY_OVER_REFUSE,
	[OVER_DROP] = POLICY_OVER_DROP,
	[OVER_WAIT] = POLICY_OVER_WAIT,
};

static_assert((int)RATE_USER == (int)POLICY_RATE_USER && (int)RATE_PEER == (int)POLICY_RATE_PEER &&
	(int)RATE_ROOM == (int)POLICY_RATE_ROOM, "one order of what is counted");

static_assert(
	(int)OUTBOUND == (int)POLICY_OUTBOUND && (int)INBOUND == (int)POLICY_INBOUND, "one order of directions");
static_assert((int)WAY_BOTH == (int)POLICY_BOTH_WAYS && (int)WAY_OUTBOUND == (int)POLICY_ONLY_OUTBOUND &&
	(int)WAY_INBOUND == (int)POLICY_ONLY_INBOUND && (int)WAY_NONE == (int)POLICY_NO_WAY, "one order of ways");
static_assert((int)UNKNOWN_PASS == (int)POLICY_UNKNOWN_PASS && (int)UNKNOWN_STRIP == (int)POLICY_UNKNOWN_STRIP &&
	(int)UNKNOWN_REFUSE == (int)POLICY_UNKNOWN_REFUSE, "one order of what becomes of the unknown");
static_assert((int)WIRES == (int)DIRECTIONS, "lists of users are counted with those of directions");

static_assert((int)LABELS_IGNORED == (int)POLICY_LABELS_IGNORED && (int)LABELS_DEFAULT == (int)POLICY_LABELS_DEFAULT &&
	(int)LABELS_REQUIRED == (int)POLICY_LABELS_REQUIRED && (int)ORIGINAL_KEEP == (int)POLICY_ORIGINAL_KEEP &&
	(int)ORIGINAL_SWAP == (int)POLICY_ORIGINAL_SWAP && (int)ORIGINAL_DROP == (int)POLICY_ORIGINAL_DROP,
	"one order of labels");

/* What policy_new() is given. All pointers to items stand in one array, list after list, each ended by NULL. */
struct draft {
	const struct conf *conf;
	struct policy_profile_rules *profiles;
	struct policy_peer_rules *peers;
	struct policy_document *documents;
	struct policy_clearance_rules *clearances;
	const char **domains, **items, **end;
};

static const char *const *draft_list(struct draft *draft, const struct conf_list *list)
{
	const char **first = draft->end, *item = list->count ? conf_list_first(draft->conf, list) : NULL;
	for (unsigned i = 0; i < list->count; i++, item = conf_list_next(item))
		*draft->end++ = item;
	*draft->end++ = NULL;
	return first;
}

static size_t content_items(const struct conf_content_rules *content)
{
	return content->patterns.count + content->url_schemes.count + content->url_hosts.count +
		content->forbidden_hosts.count + content->scripts.count + content->languages.count + 6;
}

static size_t features_items(const struct conf_feature_rules *features)
{
	return features->names.count + features->pep_nodes.count + features->within.count + 3;
}

static size_t items_of(const struct conf *conf)
{
	size_t count = 0;
	for (unsigned i = 0; i < conf->profile_count; i++)
		for (unsigned d = 0; d < DIRECTIONS; d++)
			count += conf->profiles[i].forbidden[d].count + conf->profiles[i].users[d].count +
				conf->profiles[i].binaries[d].types.count +
				features_items(&conf->profiles[i].features[d]) + content_items(&conf->profiles[i].content[d]) +
				conf->profiles[i].messages[d].strip.count +
				conf->profiles[i].monitored[d].count + 6;
	for (unsigned i = 0; i < conf->peer_count; i++)
		count += conf->peers[i].inside.count + 1;
	for (unsigned i = 0; i < conf->clearance_count; i++)
		count += conf->clearances[i].users.count + 1;
	return count;
}

static struct policy_rate draft_rate(const struct conf_rate *rate)
{
	return (struct policy_rate){rate->count, rate->seconds, rate->burst};
}

static struct policy_rates draft_rates(const struct conf_rates *rates)
{
	struct policy_rates draft = {.over = overs[rates->over]};
	for (unsigned kind = 0; kind < RATE_KINDS; kind++) {
		draft.stanzas[kind] = draft_rate(&rates->stanzas[kind]);
		draft.bytes[kind] = draft_rate(&rates->bytes[kind]);
	}
	return draft;
}

static struct policy_content_rules draft_content(struct draft *draft, const struct conf_content_rules *content)
{
	return (struct policy_content_rules){.patterns = draft_list(draft, &content->patterns),
		.redacts = content->redacts,
		.max_body = content->max_body,
		.url_schemes = draft_list(draft, &content->url_schemes),
		.url_hosts = draft_list(draft, &content->url_hosts),
		.forbidden_hosts = draft_list(draft, &content->forbidden_hosts),
		.scripts = draft_list(draft, &content->scripts),
		.languages = draft_list(draft, &content->languages)};
}

static_assert((int)CONF_SPANS_MAX == (int)POLICY_SPANS_MAX, "one bound of times");

static struct policy_hours draft_hours(const struct conf_hours *hours)
{
	struct policy_hours draft = {.count = hours->count};
	for (unsigned i = 0; i < hours->count; i++)
		draft.spans[i] = (struct policy_span){hours->spans[i].days, hours->spans[i].from, hours->spans[i].to};
	return draft;
}

static struct policy_feature_names draft_features(struct draft *draft, const struct conf_feature_rules *features)
{
	return (struct policy_feature_names){.names = draft_list(draft, &features->names),
		.unknown = (enum policy_unknown)features->unknown,
		.requires_encryption = features->requires_encryption,
		.pep_nodes = draft_list(draft, &features->pep_nodes),
		.within = features->of_peer ? draft_list(draft, &features->within) : NULL};
}

static_assert((int)MESSAGE_TYPES == (int)POLICY_MESSAGE_TYPES && (int)MESSAGE_NORMAL == (int)POLICY_MESSAGE_NORMAL &&
	(int)MESSAGE_CHAT == (int)POLICY_MESSAGE_CHAT && (int)MESSAGE_HEADLINE == (int)POLICY_MESSAGE_HEADLINE &&
	(int)MESSAGE_GROUPCHAT == (int)POLICY_MESSAGE_GROUPCHAT, "one order of types");
static_assert((int)MESSAGE_PASSES == (int)POLICY_MESSAGE_PASSES && (int)MESSAGE_REFUSED == (int)POLICY_MESSAGE_REFUSED &&
	(int)MESSAGE_TO_NORMAL == (int)POLICY_MESSAGE_TO_NORMAL && (int)MESSAGE_TO_CHAT == (int)POLICY_MESSAGE_TO_CHAT &&
	(int)MESSAGE_TO_HEADLINE == (int)POLICY_MESSAGE_TO_HEADLINE, "one order of what becomes of them");

static struct policy_message_rules draft_messages(struct draft *draft, const struct conf_message_rules *messages)
{
	struct policy_message_rules rules = {.strip = draft_list(draft, &messages->strip)};
	for (unsigned type = 0; type < MESSAGE_TYPES; type++)
		rules.fates[type] = (enum policy_message_fate)messages->fates[type];
	return rules;
}

/* A path and what was in the file, or nothing. */
static struct policy_document draft_document(const struct conf *conf, const struct conf_list *list)
{
	const char *path = list->count ? conf_list_first(conf, list) : NULL;
	return (struct policy_document){path, path ? conf_list_next(path) : NULL};
}

static struct policy_label_rules draft_labels(const struct conf *conf, const struct conf_label_rules *labels)
{
	return (struct policy_label_rules){.labels = (enum policy_labels)labels->labels,
		.clearance = draft_document(conf, &labels->clearance),
		.default_label = draft_document(conf, &labels->default_label),
		.map_to = labels->map_to,
		.original = (enum policy_original)labels->original,
		.refuses_marking = labels->refuses_marking,
		.marks_first_line = labels->marks_first_line,
		.filters_catalogs = labels->filters_catalogs};
}

static void draft_profile(struct draft *draft, const struct conf_profile *profile, struct policy_profile_rules *rules)
{
	rules->name = profile->name;
	for (unsigned d = 0; d < DIRECTIONS; d++) {
		rules->presence[d] = presences[profile->presence[d]];
		rules->rates[d] = draft_rates(&profile->rates[d]);
		rules->messages[d] = draft_messages(draft, &profile->messages[d]);
		rules->labels[d] = draft_labels(draft->conf, &profile->labels[d]);
		rules->hours[d] = draft_hours(&profile->hours[d]);
		rules->forbidden[d] = draft_list(draft, &profile->forbidden[d]);
		rules->content[d] = draft_content(draft, &profile->content[d]);
		rules->features[d] = draft_features(draft, &profile->features[d]);
		rules->monitored[d] = draft_list(draft, &profile->monitored[d]);
		rules->binaries[d] = (struct policy_binary_rules){binaries[profile->binaries[d].action],
			profile->binaries[d].max_bytes, draft_list(draft, &profile->binaries[d].types)};
	}
	rules->inside_users = draft_list(draft, &profile->users[WIRE_INSIDE]);
	rules->outside_users = draft_list(draft, &profile->users[WIRE_OUTSIDE]);
	rules->line = profile->line;
}

static struct policy_peer_rules draft_peer(struct draft *draft, const struct conf_peer *peer)
{
	return (struct policy_peer_rules){.domain = peer->domain,
		.profile = peer->profile,
		.shadow = peer->shadow,
		.way = (enum policy_way)peer->way,
		.inside = draft_list(draft, &peer->inside),
		.line = peer->line};
}

static void draft_fill(struct draft *draft)
{
	const struct conf *conf = draft->conf;
	for (unsigned i = 0; i < conf->domain_count; i++)
		draft->domains[i] = conf->domains[i];
	for (unsigned i = 0; i < conf->profile_count; i++)
		draft_profile(draft, &conf->profiles[i], &draft->profiles[i]);
	for (unsigned i = 0; i < conf->peer_count; i++)
		draft->peers[i] = draft_peer(draft, &conf->peers[i]);
	const char *text = conf->labels.policies.count ? conf_list_first(conf, &conf->labels.policies) : NULL;
	for (unsigned i = 0; i < conf->labels.policies.count / 2; i++, text = conf_list_next(text)) {
		draft->documents[i].path = text;
		draft->documents[i].text = text = conf_list_next(text);
	}
	for (unsigned i = 0; i < conf->clearance_count; i++)
		draft->clearances[i] = (struct policy_clearance_rules){draft_document(conf, &conf->clearances[i].file),
			draft_list(draft, &conf->clearances[i].users), conf->clearances[i].line};
}

static struct policy_labels_rules draft_labels_section(const struct draft *draft, const struct policy_telling *telling)
{
	const struct conf_labels_section *labels = &draft->conf->labels;
	return (struct policy_labels_rules){.policies = draft->documents,
		.policy_count = labels->policies.count / 2,
		.clearances = draft->clearances,
		.clearance_count = draft->conf->clearance_count,
		.refuses_obsolete = labels->refuses_obsolete,
		.refuses_ambiguous = labels->refuses_ambiguous,
		.takes_ber = labels->takes_ber,
		.language = labels->language,
		.tell = telling ? telling->tell : NULL,
		.owner = telling ? telling->owner : NULL};
}

struct policy *policy_load(const struct conf *conf, struct policy_fault *fault)
{
	return policy_load_telling(conf, fault, NULL);
}

struct policy *policy_load_telling(const struct conf *conf, struct policy_fault *fault,
	const struct policy_telling *telling)
{
	struct draft draft = {
		.conf = conf,
		.profiles = calloc(conf->profile_count + 1, sizeof(*draft.profiles)),
		.peers = calloc(conf->peer_count + 1, sizeof(*draft.peers)),
		.domains = calloc(conf->domain_count + 1, sizeof(*draft.domains)),
		.items = calloc(items_of(conf) + 1, sizeof(*draft.items)),
		.documents = calloc(conf->labels.policies.count / 2 + 1, sizeof(*draft.documents)),
		.clearances = calloc(conf->clearance_count + 1, sizeof(*draft.clearances)),
	};
	struct policy *policy = NULL;
	draft.end = draft.items;
	if (draft.profiles && draft.peers && draft.domains && draft.items && draft.documents && draft.clearances) {
		draft_fill(&draft);
		struct policy_rules rules = {.domains = draft.domains,
			.profiles = draft.profiles,
			.profile_count = conf->profile_count,
			.peers = draft.peers,
			.peer_count = conf->peer_count,
			.labels = draft_labels_section(&draft, telling),
			.fault = fault};
		policy = policy_new(&rules);
	}
	free(draft.profiles);
	free(draft.peers);
	free(draft.domains);
	free(draft.items);
	free(draft.documents);
	free(draft.clearances);
	return policy;
}
