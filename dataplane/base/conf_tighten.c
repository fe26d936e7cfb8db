/*
 * Peers that are tighter than their profile: keys of a profile that stand in a [peer] hold for that peer, and may only take
 * away. Such a peer gets a profile of its own, a copy of the one that it names with these keys changed, so that nothing
 * after this knows of them. What "tighter" is differs from key to key: a new one is a row of the table below.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "conf_table.h"

#define FAULT(v, format, ...) conf_fault((v)->faults, (v)->line, "%s: " format, (v)->key->name, ##__VA_ARGS__)

/* `field` is what the peer says, `profile` what its profile does. It is made what holds, or a fault is added. */
typedef void (*tighten_fn)(const struct conf_value *v, const struct conf_profile *profile, void *field);

static const void *field_of(const struct conf_profile *profile, const struct conf_key *key)
{
	return (const char *)profile + key->offset;
}

static void looser(const struct conf_value *v, const struct conf_profile *profile)
{
	FAULT(v, "looser than [profile %s] in line %d has it (hint: a peer can only take away; loosen the profile, or name "
		 "another)", profile->name, profile->line);
}

static_assert(sizeof(enum conf_presence) == sizeof(unsigned) && sizeof(enum conf_binaries) == sizeof(unsigned) &&
	PRESENCE_NONE < PRESENCE_FULL && BINARIES_REFUSE < BINARIES_SCAN && BINARIES_SCAN < BINARIES_PASS,
	"levels are numbers, and less of them is tighter");

static void tighten_number(const struct conf_value *v, const struct conf_profile *profile, void *field)
{
	unsigned peers, profiles;
	memcpy(&peers, field, sizeof(peers));
	memcpy(&profiles, field_of(profile, v->key), sizeof(profiles));
	if (peers > profiles)
		looser(v, profile);
}

/* Those of the profile come after those of the peer. Texts move as they grow, so each item is copied first. */
static void tighten_words(const struct conf_value *v, const struct conf_profile *profile, void *field)
{
	const struct conf_list *words = field_of(profile, v->key);
	uint32_t at = words->at;
	for (unsigned i = 0; i < words->count; i++) {
		char word[CONF_ITEM_BYTES];
		if (!put_text(word, sizeof(word), v->conf->texts + at))
			return;
		at += (uint32_t)strlen(word) + 1;
		list_add(v, word, field);
	}
}

static bool type_is_within(const char *type, const char *wider)
{
	size_t n = strlen(wider);
	if (n && wider[n - 1] == '*')
		return !strncasecmp(type, wider, n - 1);
	return !strcasecmp(type, wider);
}

static bool type_is_listed(const struct conf *conf, const char *type, const struct conf_list *list)
{
	const char *item = conf_list_first(conf, list);
	for (unsigned i = 0; i < list->count; i++, item = conf_list_next(item))
		if (type_is_within(type, item))
			return true;
	return false;
}

/* No items at all means every one. */
static void tighten_items(const struct conf_value *v, const struct conf_profile *profile, void *field)
{
	const struct conf_list *peers = field, *profiles = field_of(profile, v->key);
	bool within = !profiles->count || peers->count;
	if (!profiles->count || !within) {
		if (!within)
			looser(v, profile);
		return;
	}
	const char *type = conf_list_first(v->conf, peers);
	for (unsigned i = 0; i < peers->count && within; i++, type = conf_list_next(type))
		within = type_is_listed(v->conf, type, profiles);
	if (!within)
		looser(v, profile);
}

/* Taking a word out lets more through than refusing the text. */
static void tighten_redaction(const struct conf_value *v, const struct conf_profile *profile, void *field)
{
	if (*(bool *)field && !*(const bool *)field_of(profile, v->key))
		looser(v, profile);
}

/* No characters at all means any number of them. */
static void tighten_length(const struct conf_value *v, const struct conf_profile *profile, void *field)
{
	unsigned peers = *(unsigned *)field, profiles = *(const unsigned *)field_of(profile, v->key);
	if (profiles && (!peers || peers > profiles))
		looser(v, profile);
}

/* A type that the peer does not name is what the profile makes of it. */
static void tighten_message_types(const struct conf_value *v, const struct conf_profile *profile, void *field)
{
	enum conf_message_fate *peers = field;
	const enum conf_message_fate *profiles = field_of(profile, v->key);
	bool tighter = true;
	for (unsigned type = 0; type < MESSAGE_TYPES; type++) {
		if (peers[type] == MESSAGE_PASSES)
			peers[type] = profiles[type];
		tighter &= peers[type] == MESSAGE_REFUSED || profiles[type] == MESSAGE_PASSES || peers[type] == profiles[type];
	}
	if (!tighter)
		looser(v, profile);
}

static void tighten_hours(const struct conf_value *v, const struct conf_profile *profile, void *field)
{
	if (!conf_hours_within(field, field_of(profile, v->key)))
		looser(v, profile);
}

/* Names of features stand for others; policy knows which, and compares. */
static void tighten_features(const struct conf_value *v, const struct conf_profile *profile, void *field)
{
	struct conf_feature_rules *own =
		(struct conf_feature_rules *)((char *)field - offsetof(struct conf_feature_rules, names));
	own->of_peer = true;
	own->within = *(const struct conf_list *)field_of(profile, v->key);
}

static void tighten_unknown(const struct conf_value *v, const struct conf_profile *profile, void *field)
{
	if (*(enum conf_unknown *)field < *(const enum conf_unknown *)field_of(profile, v->key))
		looser(v, profile);
}

static void tighten_demand(const struct conf_value *v, const struct conf_profile *profile, void *field)
{
	if (!*(bool *)field && *(const bool *)field_of(profile, v->key))
		looser(v, profile);
}

static const struct {
	const char *key;               /* behind its direction */
	tighten_fn tighten;
} rows[] = {
	{"features", tighten_features},
	{"unknown", tighten_unknown},
	{"require-encryption", tighten_demand},
	{"presence", tighten_number},
	{"forbidden-words", tighten_words},
	{"forbidden-patterns", tighten_words},
	{"on-match", tighten_redaction},
	{"max-body", tighten_length},
	{"url-schemes", tighten_items},
	{"url-hosts", tighten_items},
	{"forbidden-url-hosts", tighten_words},
	{"scripts", tighten_items},
	{"languages", tighten_items},
	{"hours", tighten_hours},
	{"message-types", tighten_message_types},
	{"strip", tighten_words},
	{"binaries", tighten_number},
	{"max-binary", tighten_number},
	{"binary-types", tighten_items},
};

static tighten_fn tighten_find(const char *key)
{
	const char *dash = strchr(key, '-');
	size_t n = dash ? (size_t)(dash - key) : 0;
	if (n != strlen("outbound") && n != strlen("inbound"))
		return NULL;
	if (strncmp(key, "outbound", n) && strncmp(key, "inbound", n))
		return NULL;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(rows[i].key, dash + 1))
			return rows[i].tighten;
	return NULL;
}

bool conf_may_tighten(const char *key)
{
	return tighten_find(key);
}

/* --- peers --- */

static void tighten_key(struct conf *conf, struct conf_faults *faults, const struct ini_entry *entry,
	const struct conf_profile *profile, struct conf_profile *own)
{
	for (const struct conf_key *key = conf_keys; key->name; key++) {
		if (strcmp(key->section, "profile") || strcmp(key->name, entry->key))
			continue;
		struct conf_value value = {.faults = faults, .conf = conf, .key = key, .text = entry->value, .line = entry->line};
		void *field = (char *)own + key->offset;
		unsigned before = faults->count;
		key->set(&value, field);
		if (faults->count == before)
			tighten_find(key->name)(&value, profile, field);
	}
}

static bool is_tightened(const struct ini_section *section)
{
	for (const struct ini_entry *entry = section->first; entry; entry = entry->next)
		if (conf_may_tighten(entry->key))
			return true;
	return false;
}

static void tighten_peer(struct conf *conf, struct conf_faults *faults, const struct ini_section *section,
	struct conf_peer *peer)
{
	const struct conf_profile *profile = &conf->profiles[peer->profile];
	const struct ini_entry *named = ini_entry_find(section, "profile");
	if (!named || strcasecmp(named->value, profile->name))
		return; /* a fault, of which was told */
	if (peer->way == WAY_NONE) {
		conf_fault(faults, section->line, "[%s]: nothing passes, and keys say what may (hint: directions, or leave them "
			"out)", section->name);
		return;
	}
	struct conf_profile *own = &conf->profiles[conf->profile_count];
	*own = *profile;
	own->line = section->line;
	for (const struct ini_entry *entry = section->first; entry; entry = entry->next)
		if (conf_may_tighten(entry->key))
			tighten_key(conf, faults, entry, profile, own);
	peer->profile = conf->profile_count++;
}

/* Peers are in the order of their sections, some of which may have been no peers. */
static const struct ini_section *section_of(const struct ini_section *section, const struct conf_peer *peer)
{
	while (section->line != peer->line)
		section = section->next;
	return section;
}

void conf_tighten_peers(struct conf *conf, const struct ini *ini, struct conf_faults *faults)
{
	const struct ini_section *section = ini->first;
	struct conf_profile *grown =
		realloc(conf->profiles, (conf->profile_count + conf->peer_count + 1) * sizeof(*conf->profiles));
	if (!grown) {
		conf_fault(faults, 1, "out of memory (hint: a few MiB are needed)");
		return;
	}
	conf->profiles = grown;
	for (unsigned i = 0; i < conf->peer_count; i++) {
		section = section_of(section, &conf->peers[i]);
		if (is_tightened(section))
			tighten_peer(conf, faults, section, &conf->peers[i]);
	}
}
