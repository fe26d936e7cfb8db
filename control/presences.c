/* The last presence of each to each; see presences.h. */
#include <stdlib.h>
#include <string.h>

#include "control/pace.h"
#include "control/presences.h"

struct presences_entry {
	uint64_t pair;                 /* bare addresses, from and to; 0: unused */
	uint64_t resource, show;       /* of the sender; what it said */
	uint64_t session;              /* another connection: the server may be another, or have forgotten */
};

static bool begin(struct presences *presences)
{
	if (presences->entries)
		return true;
	struct presences_entry *entries = calloc((size_t)PRESENCES_SETS * PRESENCES_WAYS, sizeof(*entries));
	if (!entries || hash_key_new(&presences->key)) {
		free(entries);
		return false;
	}
	presences->entries = entries;
	return true;
}

void presences_fini(struct presences *presences)
{
	free(presences->entries);
	*presences = (struct presences){0};
}

/* --- what is the same --- */

static const char *attribute(const struct node *node, const char *name)
{
	const char *value = node_attribute(node, name);
	return value ? value : "";
}

static uint64_t hash_text(const struct presences *presences, const char *text)
{
	return hash_bytes(&presences->key, text, strlen(text));
}

static uint64_t pair_of(const struct presences *presences, const char *from, const char *to)
{
	char bare_from[PACE_NAME_BYTES], bare_to[PACE_NAME_BYTES];
	pace_bare(from, bare_from);
	pace_bare(to, bare_to);
	const uint64_t both[] = {hash_text(presences, bare_from), hash_text(presences, bare_to)};
	return hash_bytes(&presences->key, both, sizeof(both)) | 1;
}

/* Here, to whoever is subscribed (RFC 6121 4.4.2), and all that it says is <show/>. Rooms speak to full addresses. */
static bool is_plain(const struct node *presence)
{
	if (*attribute(presence, "type") || strchr(attribute(presence, "to"), '/'))
		return false;
	for (const struct node *child = presence->first; child; child = child->next)
		if (!node_is(child, NS_SERVER, "show") || child->attributes)
			return false;
	return true;
}

/* An id, or a language without text, tells nothing that is shown. */
static struct presences_entry entry_of(const struct presences *presences, const struct node *presence, uint64_t session)
{
	const char *from = attribute(presence, "from");
	const struct node *show = node_child(presence, NS_SERVER, "show");
	const struct node *text = show ? show->first : NULL;
	return (struct presences_entry){
		.pair = pair_of(presences, from, attribute(presence, "to")),
		.resource = hash_text(presences, from + strcspn(from, "/")),
		.show = text && text->text ? hash_bytes(&presences->key, text->text, text->text_len) : 0,
		.session = session};
}

/* --- the table --- */

static struct presences_entry *set_of(const struct presences *presences, uint64_t pair)
{
	return &presences->entries[(pair >> 20) % PRESENCES_SETS * PRESENCES_WAYS];
}

static struct presences_entry *find(const struct presences *presences, const struct presences_entry *wanted)
{
	struct presences_entry *set = set_of(presences, wanted->pair);
	for (unsigned i = 0; i < PRESENCES_WAYS; i++)
		if (set[i].pair == wanted->pair && set[i].resource == wanted->resource)
			return &set[i];
	return NULL;
}

static void keep(struct presences *presences, const struct presences_entry *entry)
{
	struct presences_entry *at = find(presences, entry), *set = set_of(presences, entry->pair);
	for (unsigned i = 0; i < PRESENCES_WAYS && !at; i++)
		if (!set[i].pair)
			at = &set[i];
	*(at ? at : &set[presences->hand++ % PRESENCES_WAYS]) = *entry;
}

static void forget(struct presences *presences, uint64_t pair)
{
	struct presences_entry *set = set_of(presences, pair);
	for (unsigned i = 0; i < PRESENCES_WAYS; i++)
		if (set[i].pair == pair)
			set[i].pair = 0;
}

bool presences_repeats(const struct presences *presences, const struct node *presence, uint64_t session)
{
	if (!presences->entries || !is_plain(presence))
		return false;
	struct presences_entry entry = entry_of(presences, presence, session);
	const struct presences_entry *last = find(presences, &entry);
	return last && last->show == entry.show && last->session == session;
}

void presences_passed(struct presences *presences, const struct node *presence, uint64_t session, bool folds)
{
	bool is_kept = folds && is_plain(presence);
	if (!presences->entries && (!is_kept || !begin(presences)))
		return;
	if (is_kept) {
		struct presences_entry entry = entry_of(presences, presence, session);
		keep(presences, &entry);
	} else {
		const char *from = attribute(presence, "from"), *to = attribute(presence, "to");
		const char *type = attribute(presence, "type");
		if (strcmp(type, "probe")) /* it asks, and tells nothing (RFC 6121 4.3) */
			forget(presences, pair_of(presences, from, to));
		if (*type)
			forget(presences, pair_of(presences, to, from));
	}
}
