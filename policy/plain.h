/*
 * Text in plain form, in which what people read as the same is the same: small letters (full case folding), compatibility
 * characters as what they stand for (NFKC), nothing invisible, one space for any white space and none at the ends, letters
 * and digits of ASCII for what looks like them.
 */
#ifndef POLICY_PLAIN_H
#define POLICY_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plain {
	uint8_t *bytes;
	size_t len;
	bool has_capitals;             /* the text has some that look like other letters than their small ones do */
	char *breaks;                  /* 1 before which byte Unicode sees a word boundary; NULL: nobody has asked yet */
};

/* 0, -ENOMEM or -EINVAL (not UTF-8); to be ended by plain_fini() in any case. */
int plain_init(struct plain *plain, const char *text, size_t len) __attribute__((warn_unused_result, nonnull));
/* The same with these capitals taken for what they look like. Words are in the form above: text may be in both. */
int plain_init_capitals(struct plain *plain, const char *text, size_t len) __attribute__((warn_unused_result, nonnull));
void plain_fini(struct plain *plain) __attribute__((nonnull));

bool plain_is_ascii(const char *text, size_t len) __attribute__((nonnull));

/* Of ASCII: white space of all kinds becomes a space, a capital a small letter. */
static inline uint8_t plain_byte(uint8_t c)
{
	if (c >= '\t' && c <= '\r')
		return ' ';
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

#endif
