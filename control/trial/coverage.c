/* Which restrictions were tried; see coverage.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/trial/coverage.h"

enum restriction {
	INSIDE_USERS, OUTSIDE_USERS, WEEK_HOURS, FEATURES, PEP_NODES, ENCRYPTION, PRESENCE, TYPES,
	STRIP, SECURITY_LABELS, WORDS, PATTERNS, MAX_BODY, URL_SCHEMES, URL_HOSTS, SCRIPTS, LANGUAGES, BINARIES, RESTRICTIONS
};

/* The key that makes it, and how the rules begin that a verdict names for it, outbound and inbound. */
static const struct {
	const char *key;
	const char *rule[DIRECTIONS];
} rows[RESTRICTIONS] = {
	[INSIDE_USERS] = {"inside-users", {"peering.sender", "peering.receiver"}},
	[OUTSIDE_USERS] = {"outside-users", {"peering.receiver", "peering.sender"}},
	[WEEK_HOURS] = {"hours", {"hours.", "hours."}},
	[FEATURES] = {"features", {"features.", "features."}},
	[PEP_NODES] = {"pep-nodes", {"features.pep-node", "features.pep-node"}},
	[ENCRYPTION] = {"require-encryption", {"features.not-encrypted", "features.not-encrypted"}},
	[PRESENCE] = {"presence", {"presence.", "presence."}},
	[TYPES] = {"message-types", {"message.type", "message.type"}},
	[STRIP] = {"strip", {"message.stripped", "message.stripped"}},
	[SECURITY_LABELS] = {"labels", {"labels.", "labels."}},
	[WORDS] = {"forbidden-words", {"content.forbidden-words", "content.forbidden-words"}},
	[PATTERNS] = {"forbidden-patterns", {"content.forbidden-patterns", "content.forbidden-patterns"}},
	[MAX_BODY] = {"max-body", {"content.max-body", "content.max-body"}},
	[URL_SCHEMES] = {"url-schemes", {"content.url-scheme", "content.url-scheme"}},
	[URL_HOSTS] = {"url-hosts", {"content.url-host", "content.url-host"}},
	[SCRIPTS] = {"scripts", {"content.script", "content.script"}},
	[LANGUAGES] = {"languages", {"content.language", "content.language"}},
	[BINARIES] = {"binaries", {"binary.", "binary."}},
};

/* Lists of users hold for both directions. They are told, and what was seen of them is kept, with the first. */
enum { EITHER_WAY = 1 << INSIDE_USERS | 1 << OUTSIDE_USERS };

static bool only_feature(const struct conf *conf, const struct conf_feature_rules *features, const char *name)
{
	return features->names.count == 1 && !strcmp(conf_list_first(conf, &features->names), name);
}

/* Where single features are named, those without files are the rule: nothing comes as far as what refuses binaries. */
static bool restricts_binaries(const struct conf *conf, const struct conf_profile *profile, enum conf_direction d)
{
	const struct conf_binary_rules *binaries = &profile->binaries[d];
	return binaries->action == BINARIES_REFUSE ? only_feature(conf, &profile->features[d], "all")
						   : binaries->types.count > 0;
}

static bool folds_types(const struct conf_message_rules *messages)
{
	for (unsigned type = 0; type < MESSAGE_TYPES; type++)
		if (messages->fates[type] != MESSAGE_PASSES)
			return true;
	return false;
}

static uint32_t set_of(const bool made[RESTRICTIONS])
{
	uint32_t set = 0;
	for (unsigned i = 0; i < RESTRICTIONS; i++)
		set |= (uint32_t)made[i] << i;
	return set;
}

static uint32_t restrictions_of(const struct conf *conf, const struct conf_profile *profile, enum conf_direction d)
{
	const struct conf_content_rules *content = &profile->content[d];
	const bool made[RESTRICTIONS] = {
		[INSIDE_USERS] = d == OUTBOUND && profile->users[WIRE_INSIDE].count,
		[OUTSIDE_USERS] = d == OUTBOUND && profile->users[WIRE_OUTSIDE].count,
		[WEEK_HOURS] = profile->hours[d].count,
		[FEATURES] = profile->features[d].unknown != UNKNOWN_PASS || !only_feature(conf, &profile->features[d], "all"),
		[PEP_NODES] = profile->features[d].pep_nodes.count,
		[ENCRYPTION] = profile->features[d].requires_encryption,
		[PRESENCE] = profile->presence[d] != PRESENCE_FULL,
		[TYPES] = folds_types(&profile->messages[d]),
		[SECURITY_LABELS] = profile->labels[d].labels != LABELS_IGNORED,
		[STRIP] = profile->messages[d].strip.count,
		[WORDS] = profile->forbidden[d].count,
		[PATTERNS] = content->patterns.count,
		[MAX_BODY] = content->max_body,
		[URL_SCHEMES] = content->url_schemes.count,
		[URL_HOSTS] = content->url_hosts.count || content->forbidden_hosts.count,
		[SCRIPTS] = content->scripts.count,
		[LANGUAGES] = content->languages.count,
		[BINARIES] = restricts_binaries(conf, profile, d),
	};
	return set_of(made);
}

static bool begins(const char *rule, const char *with)
{
	return !strncmp(rule, with, strlen(with));
}

/* Whatever the words or patterns were, taking them out is one rule; rules about features with a key of their own are not
 * about which of them may cross. */
static uint32_t restrictions_by(const char *rule, enum conf_direction d)
{
	bool made[RESTRICTIONS];
	for (unsigned i = 0; i < RESTRICTIONS; i++)
		made[i] = begins(rule, rows[i].rule[d]);
	made[FEATURES] = made[FEATURES] && !made[PEP_NODES] && !made[ENCRYPTION];
	made[WORDS] = made[WORDS] || !strcmp(rule, "content.redacted");
	made[PATTERNS] = made[PATTERNS] || !strcmp(rule, "content.redacted");
	return set_of(made);
}

/* --- noting --- */

int coverage_init(struct coverage *coverage, const struct conf *conf)
{
	coverage->conf = conf;
	for (unsigned d = 0; d < DIRECTIONS; d++)
		coverage->seen[d] = calloc(conf->profile_count + 1, sizeof(*coverage->seen[d]));
	if (coverage->seen[OUTBOUND] && coverage->seen[INBOUND])
		return 0;
	coverage_fini(coverage);
	return -ENOMEM;
}

void coverage_fini(struct coverage *coverage)
{
	for (unsigned d = 0; d < DIRECTIONS; d++)
		free(coverage->seen[d]);
}

void coverage_note(struct coverage *coverage, const struct test_case *one, const char *rule)
{
	enum conf_direction direction = one->direction == POLICY_OUTBOUND ? OUTBOUND : INBOUND;
	const char *outside = direction == OUTBOUND ? one->to : one->from;
	const struct conf_peer *peer = conf_peer_find(coverage->conf, outside);
	if (!peer)
		return;
	uint32_t by = restrictions_by(rule, direction);
	coverage->seen[direction][peer->profile] |= by & ~(uint32_t)EITHER_WAY;
	coverage->seen[OUTBOUND][peer->profile] |= by & EITHER_WAY;
}

/* --- reporting --- */

/* A peer that is tighter than its profile has a copy of it, of the same name. */
static unsigned named_profile(const struct conf *conf, unsigned profile)
{
	unsigned first = 0;
	while (strcmp(conf->profiles[first].name, conf->profiles[profile].name))
		first++;
	return first;
}

static bool is_used(const struct conf *conf, unsigned profile)
{
	if (named_profile(conf, profile) != profile)
		return true;
	for (unsigned i = 0; i < conf->peer_count; i++)
		if (named_profile(conf, conf->peers[i].profile) == profile)
			return true;
	return false;
}

/* What was seen in a profile and its copies. */
static uint32_t seen_in(const struct coverage *coverage, unsigned profile, enum conf_direction d)
{
	uint32_t seen = coverage->seen[d][profile];
	for (unsigned i = profile + 1; i < coverage->conf->profile_count; i++)
		if (named_profile(coverage->conf, i) == profile)
			seen |= coverage->seen[d][i];
	return seen;
}

static void report(const struct coverage *coverage, unsigned profile, enum conf_direction d, const char *path, FILE *out)
{
	static const char *const prefixes[] = {[OUTBOUND] = "outbound-", [INBOUND] = "inbound-"};
	const struct conf *conf = coverage->conf;
	unsigned named = named_profile(conf, profile);
	uint32_t left = restrictions_of(conf, &conf->profiles[profile], d);
	if (named != profile)
		left &= ~restrictions_of(conf, &conf->profiles[named], d) & ~coverage->seen[d][profile];
	else
		left &= ~seen_in(coverage, profile, d);
	for (unsigned i = 0; i < RESTRICTIONS; i++)
		if (left & 1U << i)
			fprintf(out, "%s:%d: %s%s of profile %s: no case is judged by it\n", path, conf->profiles[profile].line,
				EITHER_WAY & 1U << i ? "" : prefixes[d], rows[i].key,
				conf->profiles[profile].name);
}

void coverage_report(const struct coverage *coverage, const char *path, FILE *out)
{
	for (unsigned i = 0; i < coverage->conf->profile_count; i++)
		for (enum conf_direction d = OUTBOUND; d < DIRECTIONS; d++)
			if (is_used(coverage->conf, i))
				report(coverage, i, d, path, out);
}
