/* Keys that wait, of all connections; see keys.h. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "control/keys.h"
#include "control/pair.h"

static uint64_t mix(uint64_t hash, const char *text)
{
	do
		hash = (hash ^ (uint8_t)*text) * 0x100000001b3ULL; /* FNV-1a, with the NUL as the end of each name */
	while (*text++);
	return hash;
}

static unsigned bucket_of(const char *from, const char *to)
{
	return (unsigned)((mix(mix(0xcbf29ce484222325ULL, from), to) >> 20) % KEY_BUCKETS);
}

void keys_add(struct keys *keys, struct pair *pair)
{
	struct pair **bucket = &keys->bucket[bucket_of(pair->from, pair->to)];
	pair->next_key = *bucket;
	*bucket = pair;
}

void keys_del(struct keys *keys, struct pair *pair)
{
	struct pair **at = &keys->bucket[bucket_of(pair->from, pair->to)];
	while (*at != pair)
		at = &(*at)->next_key;
	*at = pair->next_key;
}

static bool is_of(const struct pair *pair, const char *from, const char *to)
{
	return !strcmp(pair->from, from) && !strcmp(pair->to, to);
}

struct pair *keys_find(const struct keys *keys, const char *from, const char *to, const char *id, const char *key)
{
	for (struct pair *pair = keys->bucket[bucket_of(from, to)]; pair; pair = pair->next_key)
		if (is_of(pair, from, to) && !strcmp(pair->of->stream_id, id) && !strcmp(pair->key, key))
			return pair;
	return NULL;
}

/* The exact one first: a server may have two streams of one id, or use one key for two streams. */
enum key_match keys_match(const struct keys *keys, const char *from, const char *to, const char *id, const char *key)
{
	if (keys_find(keys, from, to, id, key))
		return KEY_SEEN;
	for (const struct pair *pair = keys->bucket[bucket_of(from, to)]; pair; pair = pair->next_key)
		if (is_of(pair, from, to) && (!strcmp(pair->of->stream_id, id) || !strcmp(pair->key, key)))
			return KEY_FORGED;
	return KEY_UNSEEN;
}
