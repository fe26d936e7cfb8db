/* Checking a configuration; see check.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/policy_load.h"
#include "control/trial/check.h"
#include "policy/plain.h"

enum { WARNINGS_MAX = 10 };            /* of one list */

struct check {
	const struct conf *conf;
	const char *path;
	FILE *out;
};

/* --- words that are never what is found --- */

static const char *const direction_names[] = {[OUTBOUND] = "outbound", [INBOUND] = "inbound"};

static int compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
	return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int word_order(const void *a, const void *b)
{
	const struct plain *x = a, *y = b;
	return compare(x->bytes, x->len, y->bytes, y->len);
}

struct word_list {
	struct plain *words;           /* sorted */
	size_t count;
};

static bool is_listed(const struct word_list *list, const uint8_t *bytes, size_t len)
{
	const struct plain wanted = {.bytes = (uint8_t *)bytes, .len = len};
	return bsearch(&wanted, list->words, list->count, sizeof(wanted), word_order);
}

/* The words in a row, of those that make up the phrase, that are in the list by themselves: the first such. 0: none are. */
static size_t listed_part(const struct word_list *list, const struct plain *phrase, size_t *at)
{
	for (*at = 0; *at < phrase->len; ++*at) {
		if (*at && phrase->bytes[*at - 1] != ' ')
			continue;
		for (size_t end = *at + 1; end <= phrase->len; end++)
			if ((end == phrase->len || phrase->bytes[end] == ' ') && end - *at < phrase->len &&
				is_listed(list, phrase->bytes + *at, end - *at))
				return end - *at;
	}
	return 0;
}

static void warn_of_words(const struct check *check, const struct conf_profile *profile, enum conf_direction direction,
	const struct word_list *list)
{
	unsigned warnings = 0;
	for (size_t i = 0; i < list->count && warnings < WARNINGS_MAX; i++) {
		const struct plain *word = &list->words[i];
		size_t at, part = listed_part(list, word, &at);
		bool twice = i && !word_order(word, word - 1);
		if (twice)
			fprintf(check->out, "%s:%d: warning: %s-forbidden-words: \"%.*s\" is there twice (hint: once)\n", check->path,
				profile->line, direction_names[direction], (int)word->len, (const char *)word->bytes);
		else if (part)
			fprintf(check->out, "%s:%d: warning: %s-forbidden-words: \"%.*s\" has no effect, since \"%.*s\" is "
				"forbidden by itself (hint: take one of them out)\n", check->path, profile->line,
				direction_names[direction], (int)word->len, (const char *)word->bytes, (int)part,
				(const char *)word->bytes + at);
		warnings += twice || part;
	}
}

/* As policy compares them. What cannot be a word is left to it, too. */
static void list_words(struct word_list *list, const struct conf *conf, const struct conf_list *items)
{
	const char *item = items->count ? conf_list_first(conf, items) : NULL;
	for (unsigned i = 0; i < items->count; i++, item = conf_list_next(item)) {
		struct plain *word = &list->words[list->count];
		if (plain_init(word, item, strlen(item)) || !word->len)
			plain_fini(word);
		else
			list->count++;
	}
	qsort(list->words, list->count, sizeof(*list->words), word_order);
}

static void check_words(const struct check *check, const struct conf_profile *profile, enum conf_direction direction)
{
	const struct conf_list *items = &profile->forbidden[direction];
	struct word_list list = {.words = calloc(items->count + 1, sizeof(*list.words))};
	if (!list.words)
		return;
	list_words(&list, check->conf, items);
	warn_of_words(check, profile, direction, &list);
	for (size_t i = 0; i < list.count; i++)
		plain_fini(&list.words[i]);
	free(list.words);
}

/* Where words are taken out, a phrase takes out more than a word of it. What a peer has made tighter is a copy. */
static void check_profiles(const struct check *check)
{
	const struct conf *conf = check->conf;
	for (unsigned i = 0; i < conf->profile_count; i++) {
		bool is_copy = false;
		for (unsigned p = 0; p < i && !is_copy; p++)
			is_copy = !strcmp(conf->profiles[p].name, conf->profiles[i].name);
		for (enum conf_direction d = OUTBOUND; d < DIRECTIONS && !is_copy; d++)
			if (!conf->profiles[i].content[d].redacts)
				check_words(check, &conf->profiles[i], d);
	}
}

/* --- peers --- */

/* Is there a wider peer, which governs its neighbours? None of them is called "_". */
static bool shuts_out(const struct conf *conf, const struct conf_peer *peer)
{
	const char *dot = strchr(peer->domain, '.');
	char neighbour[CHANNEL_NAME_MAX + 1];
	if (dot && peer->domain[0] == '*')
		dot = strchr(dot + 1, '.');
	snprintf(neighbour, sizeof(neighbour), "_%s", dot ? dot : "");
	return strcmp(peer->domain, "*") && conf_peer_find(conf, neighbour);
}

static void check_peers(const struct check *check)
{
	const struct conf *conf = check->conf;
	for (unsigned i = 0; i < conf->peer_count; i++) {
		const struct conf_peer *peer = &conf->peers[i];
		if (peer->way == WAY_NONE && !shuts_out(conf, peer))
			fprintf(check->out, "%s:%d: warning: [peer %s] has no effect: nothing passes without it either (hint: it is "
				"an exception from a wider peer, such as [peer *])\n", check->path, peer->line, peer->domain);
		if (peer->authentication == AUTH_NONE)
			fprintf(check->out, "%s:%d: warning: [peer %s]: streams may be neither encrypted nor authenticated (hint: "
				"authentication = tls-dialback)\n", check->path, peer->line, peer->domain);
	}
}

/* --- the whole --- */

/* An error is told as the fault as well. */
static void tell_document(void *owner, const char *text)
{
	const struct check *check = owner;
	if (strstr(text, ": warning: "))
		fprintf(check->out, "%s\n", text);
}

/* What only policy can tell. */
static int check_policy(const struct check *check)
{
	struct policy_fault fault = {.line = 1, .text = "out of memory (hint: shorter lists)"};
	const struct policy_telling telling = {tell_document, (void *)check};
	struct policy *policy = policy_load_telling(check->conf, &fault, &telling);
	if (!policy)
		fprintf(check->out, "%s:%d: %s\n", check->path, fault.line ? fault.line : 1, fault.text);
	policy_free(policy);
	return policy ? 0 : -EINVAL;
}

struct conf *policy_read(const char *path, FILE *out)
{
	struct check check = {.conf = conf_load(path, path, out), .path = path, .out = out};
	if (!check.conf)
		return NULL;
	if (conf_check_files(check.conf, path, out) || check_policy(&check)) {
		conf_free((struct conf *)check.conf);
		return NULL;
	}
	check_profiles(&check);
	check_peers(&check);
	return (struct conf *)check.conf;
}
