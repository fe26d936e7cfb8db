/* Text in plain form; see plain.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "lookalikes.h"
#include "plain.h"

/* What is left of a character: the same, and the invisible vanishes, and so does what strikes letters through. */
static ucs4_t plain_character(ucs4_t c)
{
	if (c < 0x80)
		return c >= '\t' && c <= '\r' ? ' ' : c;
	if (uc_is_property_white_space(c))
		return ' ';
	if (uc_combining_class(c) == UC_CCC_OV)
		return 0;
	return uc_is_property_default_ignorable_code_point(c) ? 0 : c;
}

/* Digits of all scripts are digits, whatever else they look like. */
static ucs4_t look(ucs4_t c)
{
	int digit = uc_decimal_value(c);
	char ascii = digit < 0 ? lookalike(c) : (char)('0' + digit);

	return ascii ? (ucs4_t)ascii : c;
}

/* In place, since no character gets longer: one space for any white space, none at the ends. */
static size_t squeeze(uint8_t *bytes, size_t len, bool lookalikes)
{
	size_t at = 0, end = 0;

	while (at < len) {
		ucs4_t c;

		at += (size_t)u8_mbtouc(&c, bytes + at, len - at);
		c = plain_character(c);
		if (lookalikes && c >= 0x80)
			c = look(c);
		if (c == 0 || (c == ' ' && (end == 0 || bytes[end - 1] == ' ')))
			continue;
		end += (size_t)u8_uctomb(bytes + end, c, (ptrdiff_t)(len - end));
	}
	return end && bytes[end - 1] == ' ' ? end - 1 : end;
}

/* A capital that looks like one of ASCII, while its small letter does not: 0x412 is B, 0x432 is none. 0: it is not. */
static char capital_lookalike(ucs4_t c)
{
	return c >= 0x80 && uc_is_upper(c) && !lookalike(uc_tolower(c)) ? lookalike(c) : 0;
}

/* In place. Whether there were any. */
static bool replace_capitals(uint8_t *bytes, size_t *len, bool replace)
{
	size_t at = 0, end = 0;
	bool found = false;

	while (at < *len) {
		ucs4_t c;
		char ascii;

		at += (size_t)u8_mbtouc(&c, bytes + at, *len - at);
		ascii = capital_lookalike(c);
		found |= ascii != 0;
		if (replace)
			end += (size_t)u8_uctomb(bytes + end, ascii ? (ucs4_t)ascii : c, (ptrdiff_t)(*len - end));
	}
	if (replace)
		*len = end;
	return found;
}

static void plain_add_ascii(struct plain *plain, const uint8_t *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		plain->bytes[plain->len++] = plain_byte(text[i]);
}

/* Folds a run, and makes room for it and for `after` bytes that follow. */
static int plain_add_folded(struct plain *plain, const uint8_t *run, size_t len, size_t after)
{
	size_t folded_len;
	uint8_t *folded = u8_casefold(run, len, NULL, UNINORM_NFKC, NULL, &folded_len), *grown;

	if (!folded)
		return -ENOMEM;
	grown = folded_len > len ? realloc(plain->bytes, plain->len + folded_len + after + 1) : plain->bytes;
	if (grown) {
		plain->bytes = grown;
		memcpy(plain->bytes + plain->len, folded, folded_len);
		plain->len += folded_len;
	}
	free(folded);
	return grown ? 0 : -ENOMEM;
}

static size_t ascii_run(const uint8_t *bytes, size_t len, bool ascii)
{
	size_t n = 0;

	while (n < len && (bytes[n] < 0x80) == ascii)
		n++;
	return n;
}

/*
 * Folding costs a hundred times what ASCII does, so it sees only what is not ASCII, with the character before, onto which
 * the first may be composed. Nothing is composed with an ASCII character after it (UAX 15 9.1: all of them are starters).
 */
static int plain_fold(struct plain *plain, const uint8_t *text, size_t len)
{
	int err = 0;

	plain->bytes = malloc(len + 1);
	if (!plain->bytes)
		return -ENOMEM;
	for (size_t at = 0; at < len && !err;) {
		size_t ascii = ascii_run(text + at, len - at, true);
		size_t other = ascii_run(text + at + ascii, len - at - ascii, false);
		size_t joined = ascii && other;        /* the last of the ASCII characters */

		plain_add_ascii(plain, text + at, ascii - joined);
		at += ascii + other;
		if (other)
			err = plain_add_folded(plain, text + at - other - joined, other + joined, len - at);
	}
	return err;
}

bool plain_is_ascii(const char *text, size_t len)
{
	return ascii_run((const uint8_t *)text, len, true) == len;
}

/*
 * The invisible is taken out twice: before folding, so that it does not keep characters from being composed, and after it,
 * because some compatibility characters fold to something invisible.
 */
static int init(struct plain *plain, const char *text, size_t len, bool capitals)
{
	uint8_t *visible;
	int err;

	*plain = (struct plain){0};
	if (u8_check((const uint8_t *)text, len))
		return -EINVAL;
	visible = malloc(len + 1);
	if (!visible)
		return -ENOMEM;
	memcpy(visible, text, len);
	len = squeeze(visible, len, false);
	plain->has_capitals = replace_capitals(visible, &len, capitals);
	err = plain_fold(plain, visible, len);
	free(visible);
	if (!err)
		plain->len = squeeze(plain->bytes, plain->len, true);
	return err;
}

int plain_init(struct plain *plain, const char *text, size_t len)
{
	return init(plain, text, len, false);
}

int plain_init_capitals(struct plain *plain, const char *text, size_t len)
{
	return init(plain, text, len, true);
}

void plain_fini(struct plain *plain)
{
	free(plain->bytes);
	free(plain->breaks);
}
