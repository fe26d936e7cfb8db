/*
 * Finding words. Text and words are brought into the same plain form; then, at every place of the text where a word may
 * begin, the words with that first byte are compared.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>
#include <uniwbrk.h>

#include "words.h"

struct plain {                         /* text in plain form */
	uint8_t *bytes;
	size_t len;
	char *breaks;                  /* 1 before which byte Unicode sees a word boundary; NULL if all is ASCII */
};

struct words {
	struct plain *words;           /* sorted by first byte */
	size_t count;
	size_t first[UINT8_MAX + 2];   /* words with first byte b are words[first[b]] to words[first[b + 1] - 1] */
};

/* --- Plain form --- */

static bool is_ascii(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] >= 0x80)
			return false;
	return true;
}

/* What is left of a character: white space of all kinds becomes a space, the invisible vanishes. */
static ucs4_t plain_character(ucs4_t c)
{
	if (uc_is_property_white_space(c))
		return ' ';
	return uc_is_property_default_ignorable_code_point(c) ? 0 : c;
}

/* In place, since no character gets longer: one space for any white space, none at the ends. */
static size_t squeeze(uint8_t *bytes, size_t len)
{
	size_t at = 0, end = 0;

	while (at < len) {
		ucs4_t c;

		at += (size_t)u8_mbtouc(&c, bytes + at, len - at);
		c = plain_character(c);
		if (c == 0 || (c == ' ' && (end == 0 || bytes[end - 1] == ' ')))
			continue;
		end += (size_t)u8_uctomb(bytes + end, c, (ptrdiff_t)(len - end));
	}
	return end && bytes[end - 1] == ' ' ? end - 1 : end;
}

static int plain_ascii(struct plain *plain, const char *text, size_t len)
{
	plain->bytes = malloc(len + 1);
	if (!plain->bytes)
		return -ENOMEM;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c >= '\t' && c <= '\r')
			c = ' ';
		if (c == ' ' && (plain->len == 0 || plain->bytes[plain->len - 1] == ' '))
			continue;
		plain->bytes[plain->len++] = (uint8_t)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
	}
	if (plain->len && plain->bytes[plain->len - 1] == ' ')
		plain->len--;
	return 0;
}

/*
 * The invisible is taken out twice: before folding, so that it does not keep characters from being composed, and after it,
 * because some compatibility characters fold to something invisible.
 */
static int plain_unicode(struct plain *plain, const char *text, size_t len)
{
	uint8_t *visible = malloc(len);
	size_t n;

	if (!visible)
		return -ENOMEM;
	memcpy(visible, text, len);
	n = squeeze(visible, len);
	/* libunistring takes NULL for a failure: nothing left is not one. */
	plain->bytes = n ? u8_casefold(visible, n, NULL, UNINORM_NFKC, NULL, &plain->len) : malloc(1);
	free(visible);
	if (!plain->bytes)
		return -ENOMEM;
	plain->len = squeeze(plain->bytes, plain->len);
	plain->breaks = malloc(plain->len + 1);
	if (!plain->breaks)
		return -ENOMEM;
	u8_wordbreaks(plain->bytes, plain->len, plain->breaks);
	return 0;
}

static void plain_fini(struct plain *plain)
{
	free(plain->bytes);
	free(plain->breaks);
}

/* 0, -ENOMEM or -EINVAL; to be ended by plain_fini() in any case. */
static int plain_init(struct plain *plain, const char *text, size_t len)
{
	*plain = (struct plain){0};
	if (is_ascii(text, len))
		return plain_ascii(plain, text, len);
	if (u8_check((const uint8_t *)text, len))
		return -EINVAL;
	return plain_unicode(plain, text, len);
}

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

/*
 * May a word begin or end before byte `at`? Unicode's rules (UAX 29) know where scripts without spaces have their words;
 * but they keep "end.secret", "x_secret" and "secret2" together, which would be too easy a way to hide.
 */
static bool is_boundary(const struct plain *text, size_t at)
{
	enum kind before, after;
	const uint8_t *p;
	ucs4_t c;

	if (at == 0 || at == text->len || (text->breaks && text->breaks[at]))
		return true;
	p = u8_prev(&c, text->bytes + at, text->bytes);
	if (!p)
		return false;
	before = kind_of(c);
	u8_mbtouc(&c, text->bytes + at, text->len - at);
	after = kind_of(c);
	return before != after || before == KIND_OTHER;
}

static bool is_at(const struct plain *text, size_t at, const struct plain *word)
{
	return word->len <= text->len - at && !memcmp(text->bytes + at, word->bytes, word->len) &&
		is_boundary(text, at + word->len);
}

static bool find(const struct words *words, const struct plain *text)
{
	for (size_t at = 0; at < text->len; at++) {
		uint8_t byte = text->bytes[at];
		size_t first = words->first[byte], end = words->first[byte + 1];

		/* The inside of a character is no place to begin. */
		if (first == end || (byte & 0xc0) == 0x80 || !is_boundary(text, at))
			continue;
		for (size_t i = first; i < end; i++)
			if (is_at(text, at, &words->words[i]))
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
