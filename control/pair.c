/* Pairs of domains on one connection; see pair.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/keys.h"
#include "control/pair.h"

void pairs_init(struct pairs *pairs, struct keys *keys)
{
	pairs->keys = keys;
}

static void forget_verify(struct pairs *pairs, struct verify **at)
{
	struct verify *verify = *at;
	*at = verify->next;
	pairs->verify_count--;
	explicit_bzero(verify->key, sizeof(verify->key));
	free(verify);
}

void pairs_restart(struct pairs *pairs)
{
	for (struct pair *pair = pairs->first; pair; pair = pair->next)
		pairs_answered(pairs, pair);
	while (pairs->verifies)
		forget_verify(pairs, &pairs->verifies);
	*pairs->stream_id = '\0';
}

void pairs_fini(struct pairs *pairs)
{
	pairs_restart(pairs);
	while (pairs->first) {
		struct pair *pair = pairs->first;
		pairs->first = pair->next;
		free(pair);
	}
}

struct pair *pairs_find(const struct pairs *pairs, enum conn_side side, const char *from, const char *to)
{
	for (struct pair *pair = pairs->first; pair; pair = pair->next)
		if (pair->side == side && !strcmp(pair->from, from) && !strcmp(pair->to, to))
			return pair;
	return NULL;
}

struct pair *pairs_add(struct pairs *pairs, enum conn_side side, const char *from, const char *to)
{
	struct pair *pair = pairs_find(pairs, side, from, to);
	if (pair || pairs->count == SESSION_PAIRS_MAX)
		return pair;
	pair = calloc(1, sizeof(*pair));
	if (!pair)
		return NULL;
	pair->of = pairs;
	pair->side = side;
	snprintf(pair->from, sizeof(pair->from), "%s", from);
	snprintf(pair->to, sizeof(pair->to), "%s", to);
	pair->next = pairs->first;
	pairs->first = pair;
	pairs->count++;
	return pair;
}

void pairs_ask(struct pairs *pairs, struct pair *pair, const char *key)
{
	pairs_answered(pairs, pair);
	snprintf(pair->key, sizeof(pair->key), "%s", key);
	pair->asked = true;
	pair->denied = false;
	keys_add(pairs->keys, pair);
}

void pairs_answered(struct pairs *pairs, struct pair *pair)
{
	if (!pair->asked)
		return;
	keys_del(pairs->keys, pair);
	explicit_bzero(pair->key, sizeof(pair->key));
	pair->asked = false;
}

void pairs_set_state(struct pairs *pairs, struct pair *pair, enum pair_state state)
{
	pairs->valid[pair->side] -= pair->state == PAIR_VALID;
	pair->state = state;
	pairs->valid[pair->side] += state == PAIR_VALID;
}

/* The list is young to old. */
static void forget_oldest_verify(struct pairs *pairs)
{
	struct verify **at = &pairs->verifies;
	while ((*at)->next)
		at = &(*at)->next;
	forget_verify(pairs, at);
}

int pairs_verify_add(struct pairs *pairs, enum conn_side side, const char *from, const char *to, const char *id,
	const char *key)
{
	if (strlen(id) >= STREAM_ID_BYTES || strlen(key) >= DIALBACK_KEY_BYTES)
		return -ENOSPC;
	if (pairs->verify_count == SESSION_VERIFIES_MAX)
		forget_oldest_verify(pairs);
	struct verify *verify = calloc(1, sizeof(*verify));
	if (!verify)
		return -ENOMEM;
	verify->side = side;
	snprintf(verify->from, sizeof(verify->from), "%s", from);
	snprintf(verify->to, sizeof(verify->to), "%s", to);
	snprintf(verify->id, sizeof(verify->id), "%s", id);
	snprintf(verify->key, sizeof(verify->key), "%s", key);
	verify->next = pairs->verifies;
	pairs->verifies = verify;
	pairs->verify_count++;
	return 0;
}

bool pairs_verify_take(struct pairs *pairs, enum conn_side asked, const char *from, const char *to, const char *id,
	char *key)
{
	for (struct verify **at = &pairs->verifies; *at; at = &(*at)->next) {
		const struct verify *verify = *at;
		if (verify->side != asked || strcmp(verify->from, from) || strcmp(verify->to, to) ||
			strcmp(verify->id, id))
			continue;
		memcpy(key, verify->key, sizeof(verify->key));
		forget_verify(pairs, at);
		return true;
	}
	return false;
}

const char *pair_method_name(enum pair_method method)
{
	static const char *const names[PAIR_METHODS] = {"external", "dialback", "link"};
	return names[method];
}
