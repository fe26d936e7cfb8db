/*
 * Taking forbidden words out of a text. Words are found in plain form, which has other places than the text has; so what is
 * narrowed down is the text: the shortest beginning of it that holds a word, and of that the shortest end. Between them
 * stands the word, with what touches it.
 */
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "redact.h"

enum { REDACTIONS_MAX = 32 };          /* in one text; with more it is no text that somebody would miss */

static const char mark[] = "***";

/* Between ASCII characters that no word is made of, a text can be cut: words begin and end there. */
static bool is_cut(const struct node *node, size_t at)
{
	uint8_t before, after;

	if (at == 0 || at == node->text_len)
		return true;
	before = (uint8_t)node->text[at - 1];
	after = (uint8_t)node->text[at];
	return (before < 0x80 && !isalnum(before)) || (after < 0x80 && !isalnum(after));
}

static size_t cut_after(const struct node *node, size_t at)
{
	while (!is_cut(node, at))
		at++;
	return at;
}

static size_t cut_before(const struct node *node, size_t at)
{
	while (!is_cut(node, at))
		at--;
	return at;
}

/* Halves what is left between two cuts until they are neighbours. The word is known to be before `end`. */
static int narrow(const struct words *words, const struct node *node, size_t *first, size_t *end)
{
	size_t low = 0, high = *end;
	int found;

	while (low < high) {
		size_t middle = cut_before(node, low + (high - low) / 2);

		if (middle <= low)
			middle = cut_after(node, low + 1);
		if (middle >= high)
			break;
		found = words_find(words, node->text, middle);
		if (found < 0)
			return found;
		*(found ? &high : &low) = middle;
	}
	*end = high;
	for (low = 0; low < high;) {
		size_t middle = cut_after(node, low + (high - low + 1) / 2);

		if (middle >= high)
			middle = cut_before(node, high - 1);
		if (middle <= low)
			break;
		found = words_find(words, node->text + middle, *end - middle);
		if (found < 0)
			return found;
		*(found ? &low : &high) = middle;
	}
	*first = low;
	return 0;
}

int redact_range(struct arena *arena, struct node *node, size_t first, size_t end)
{
	size_t len = first + sizeof(mark) - 1 + (node->text_len - end);
	char *text = arena_alloc(arena, len + 1);

	if (!text)
		return -ENOMEM;
	memcpy(text, node->text, first);
	memcpy(text + first, mark, sizeof(mark) - 1);
	memcpy(text + first + sizeof(mark) - 1, node->text + end, node->text_len - end);
	text[len] = '\0';
	node->text = text;
	node->text_len = len;
	return 0;
}

int redact_words(struct arena *arena, const struct words *words, struct node *node)
{
	for (unsigned n = 0;; n++) {
		size_t first = 0, end = node->text_len;
		int found = words_find(words, node->text, node->text_len);

		if (found <= 0)
			return found;
		if (n == REDACTIONS_MAX)
			return -ELOOP;
		found = narrow(words, node, &first, &end);
		if (!found)
			found = redact_range(arena, node, first, end);
		if (found)
			return found;
	}
}
