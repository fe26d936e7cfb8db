/*
 * Finding words. Text and words are brought into the same plain form; then, at every place of the text where a word may
 * begin, the words with that first byte are compared. What is all ASCII is compared as it stands.
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
	struct plain *words;           /* sorted by first byte */
	size_t count;
	size_t first[UINT8_MAX + 2];   /* words with first byte b are words[first[b]] to words[first[b + 1] - 1] */
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

static int is_at(struct plain *text, size_t at, const struct plain *word)
{
	int found = word->len <= text->len - at && !memcmp(text->bytes + at, word->bytes, word->len);

	if (found == 1)
		found = is_boundary(text, at);
	return found == 1 ? is_boundary(text, at + word->len) : found;
}

static int find(const struct words *words, struct plain *text)
{
	int found = 0;

	for (size_t at = 0; at < text->len && !found; at++) {
		uint8_t byte = text->bytes[at];

		if ((byte & 0xc0) == 0x80)
			continue;      /* the inside of a character is no place to begin */
		for (size_t i = words->first[byte]; i < words->first[byte + 1] && !found; i++)
			found = is_at(text, at, &words->words[i]);
	}
	return found;
}

/* --- Text that is all ASCII --- */

static bool is_ascii_boundary(const uint8_t *text, size_t at)
{
	enum kind before = kind_of(plain_byte(text[at - 1])), after = kind_of(plain_byte(text[at]));

	return before != after || before == KIND_OTHER;
}

/* White space of the text counts once. */
static bool is_at_ascii(const uint8_t *text, size_t len, size_t at, const struct plain *word)
{
	size_t end = at, matched = 0;

	for (; matched < word->len && end < len && plain_byte(text[end]) == word->bytes[matched]; matched++, end++)
		while (word->bytes[matched] == ' ' && end + 1 < len && plain_byte(text[end + 1]) == ' ')
			end++;
	return matched == word->len && (at == 0 || is_ascii_boundary(text, at)) &&
		(end == len || is_ascii_boundary(text, end));
}

static bool find_ascii(const struct words *words, const uint8_t *text, size_t len)
{
	for (size_t at = 0; at < len; at++) {
		uint8_t byte = plain_byte(text[at]);

		for (size_t i = words->first[byte]; i < words->first[byte + 1]; i++)
			if (is_at_ascii(text, len, at, &words->words[i]))
				return true;
	}
	return false;
}

int words_find(const struct words *words, const char *text, size_t len)
{
	struct plain plain;
	int found;

	if (!words->count)
		return 0;
	if (plain_is_ascii(text, len))
		return find_ascii(words, (const uint8_t *)text, len);
	found = plain_init(&plain, text, len);
	if (!found)
		found = find(words, &plain);
	plain_fini(&plain);
	return found;
}

/* --- The list --- */

static int first_byte_order(const void *a, const void *b)
{
	const struct plain *x = a, *y = b;

	return x->bytes[0] - y->bytes[0];
}

static void index_words(struct words *words)
{
	size_t i = 0;

	if (words->count)
		qsort(words->words, words->count, sizeof(*words->words), first_byte_order);
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
