/*
 * Finding words. Text and words are brought into the same plain form; then, from every place of the text where a word may
 * begin, the text is followed through the sorted words, byte by byte, as long as any of them goes on in the same way: it
 * costs little more with many words than with few. What is all ASCII is compared as it stands.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unictype.h>
#include <unistr.h>
#include <uniwbrk.h>

#include "plain.h"
#include "words.h"

struct words {
	struct plain *words;           /* sorted by their bytes, each once */
	size_t count;
	size_t first[UINT8_MAX + 2];   /* words with first byte b are words[first[b]] to words[first[b + 1] - 1] */
};

/* The words that begin with what has been read of a text: `len` bytes. */
struct reach {
	size_t low, high, len;
};

/* --- Boundaries --- */

enum kind { KIND_LETTER, KIND_DIGIT, KIND_OTHER };

static enum kind kind_of(ucs4_t c)
{
	if (c < 0x80 && c >= '0' && c <= '9')
		return KIND_DIGIT;
	if (c < 0x80)
		return c >= 'a' && c <= 'z' ? KIND_LETTER : KIND_OTHER;
	if (uc_is_property_alphabetic(c) || uc_is_general_category(c, UC_MARK))
		return KIND_LETTER;
	return uc_is_general_category(c, UC_DECIMAL_DIGIT_NUMBER) ? KIND_DIGIT : KIND_OTHER;
}

/* Between characters of one kind, does Unicode see the end of a word? -ENOMEM: cannot tell. */
static int is_break(struct plain *text, size_t at)
{
	if (!text->breaks) {
		text->breaks = malloc(text->len + 1);
		if (!text->breaks)
			return -ENOMEM;
		u8_wordbreaks(text->bytes, text->len, text->breaks);
	}
	return text->breaks[at];
}

/*
 * May a word begin or end before byte `at`? Unicode's rules (UAX 29) know where scripts without spaces have their words;
 * but they keep "end.secret", "x_secret" and "secret2" together, which would be too easy a way to hide. 1, 0 or -ENOMEM.
 */
static int is_boundary(struct plain *text, size_t at)
{
	enum kind before, after;
	const uint8_t *p;
	ucs4_t c;

	if (at == 0 || at == text->len)
		return true;
	p = u8_prev(&c, text->bytes + at, text->bytes);
	if (!p)
		return false;
	before = kind_of(c);
	u8_mbtouc(&c, text->bytes + at, text->len - at);
	after = kind_of(c);
	return before != after || before == KIND_OTHER ? true : is_break(text, at);
}

/* --- Narrowing down which words a text may go on with --- */

/*
 * The first word from `low` on, below `high`, whose byte after `len` is not below `byte`; one that ends there is the first.
 */
static size_t lower_bound(const struct words *words, const struct reach *reach, unsigned byte)
{
	size_t low = reach->low, high = reach->high;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct plain *word = &words->words[middle];

		if (word->len == reach->len || word->bytes[reach->len] < byte)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct reach reach_from(const struct words *words, uint8_t byte)
{
	return (struct reach){words->first[byte], words->first[byte + 1], 1};
}

static void reach_on(const struct words *words, struct reach *reach, uint8_t byte)
{
	size_t low = lower_bound(words, reach, byte);

	reach->high = byte == UINT8_MAX ? reach->high : lower_bound(words, reach, byte + 1u);
	reach->low = low;
	reach->len++;
}

static bool reach_is_empty(const struct reach *reach)
{
	return reach->low >= reach->high;
}

/* Is what has been read a word? It is the first of those that begin with it. */
static bool reach_has_word(const struct words *words, const struct reach *reach)
{
	return !reach_is_empty(reach) && words->words[reach->low].len == reach->len;
}

/* --- Text in plain form --- */

/* 1, 0 or -ENOMEM. */
static int is_at(const struct words *words, struct plain *text, size_t at)
{
	struct reach reach = reach_from(words, text->bytes[at]);
	int found = 0;

	for (size_t end = at + 1; !reach_is_empty(&reach) && !found; end++) {
		if (reach_has_word(words, &reach)) {
			found = is_boundary(text, at);
			if (found != 1)
				return found;
			found = is_boundary(text, end);
		}
		if (end == text->len)
			break;
		reach_on(words, &reach, text->bytes[end]);
	}
	return found;
}

static int find(const struct words *words, struct plain *text)
{
	int found = 0;

	for (size_t at = 0; at < text->len && !found; at++)
		if ((text->bytes[at] & 0xc0) != 0x80)  /* the inside of a character is no place to begin */
			found = is_at(words, text, at);
	return found;
}

/* --- Text that is all ASCII --- */

static bool is_ascii_boundary(const uint8_t *text, size_t len, size_t at)
{
	enum kind before, after;

	if (at == 0 || at == len)
		return true;
	before = kind_of(plain_byte(text[at - 1]));
	after = kind_of(plain_byte(text[at]));
	return before != after || before == KIND_OTHER;
}

/* White space of the text counts once. */
static bool is_at_ascii(const struct words *words, const uint8_t *text, size_t len, size_t at)
{
	struct reach reach = reach_from(words, plain_byte(text[at]));

	for (size_t end = at + 1; !reach_is_empty(&reach); end++) {
		if (reach_has_word(words, &reach) && is_ascii_boundary(text, len, end))
			return true;
		while (plain_byte(text[end - 1]) == ' ' && end < len && plain_byte(text[end]) == ' ')
			end++;
		if (end == len)
			return false;
		reach_on(words, &reach, plain_byte(text[end]));
	}
	return false;
}

static bool find_ascii(const struct words *words, const uint8_t *text, size_t len)
{
	for (size_t at = 0; at < len; at++)
		if (is_ascii_boundary(text, len, at) && is_at_ascii(words, text, len, at))
			return true;
	return false;
}

static int find_plain(const struct words *words, const char *text, size_t len, bool *has_capitals)
{
	struct plain plain;
	int found = *has_capitals ? plain_init_capitals(&plain, text, len) : plain_init(&plain, text, len);

	if (!found)
		found = find(words, &plain);
	*has_capitals = plain.has_capitals;
	plain_fini(&plain);
	return found;
}

int words_find(const struct words *words, const char *text, size_t len)
{
	bool has_capitals = false;
	int found;

	if (!words->count)
		return 0;
	if (plain_is_ascii(text, len))
		return find_ascii(words, (const uint8_t *)text, len);
	found = find_plain(words, text, len, &has_capitals);
	return found || !has_capitals ? found : find_plain(words, text, len, &has_capitals);
}

/* --- The list --- */

static int byte_order(const void *a, const void *b)
{
	const struct plain *x = a, *y = b;
	int order = memcmp(x->bytes, y->bytes, x->len < y->len ? x->len : y->len);

	return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* A word may be there twice: once of a peer, and once of its profile. */
static void drop_doubles(struct words *words)
{
	size_t kept = 0;

	for (size_t i = 0; i < words->count; i++)
		if (kept && !byte_order(&words->words[kept - 1], &words->words[i]))
			plain_fini(&words->words[i]);
		else
			words->words[kept++] = words->words[i];
	words->count = kept;
}

static void index_words(struct words *words)
{
	size_t i = 0;

	if (words->count)
		qsort(words->words, words->count, sizeof(*words->words), byte_order);
	drop_doubles(words);
	for (size_t byte = 0; byte <= UINT8_MAX + 1; byte++) {
		while (i < words->count && words->words[i].bytes[0] < byte)
			i++;
		words->first[byte] = i;
	}
}

static int add_word(struct words *words, const char *word)
{
	struct plain *plain = &words->words[words->count++];
	int err = plain_init(plain, word, strlen(word));

	return err || plain->len ? err : -EINVAL;
}

static size_t list_length(const char *const *list)
{
	size_t n = 0;

	while (list[n])
		n++;
	return n;
}

struct words *words_new(const char *const *list)
{
	struct words *words = calloc(1, sizeof(*words));
	int err;

	if (!words)
		return NULL;
	words->words = calloc(list_length(list) + 1, sizeof(*words->words));
	err = words->words ? 0 : -ENOMEM;
	for (size_t i = 0; !err && list[i]; i++)
		err = add_word(words, list[i]);
	if (err) {
		words_free(words);
		errno = -err;
		return NULL;
	}
	index_words(words);
	return words;
}

void words_free(struct words *words)
{
	if (!words)
		return;
	for (size_t i = 0; i < words->count; i++)
		plain_fini(&words->words[i]);
	free(words->words);
	free(words);
}
