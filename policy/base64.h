/* Base64 (RFC 4648 4), read strictly: what two decoders could read in two ways is an error. */
#ifndef POLICY_BASE64_H
#define POLICY_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A decoder that is fed in pieces. Zero is its beginning; `out` needs three bytes of room for every four of text. */
struct base64 {
	uint8_t *out;
	size_t len;                    /* bytes that are in out */
	uint32_t bits;                 /* of the group of four that is begun */
	unsigned digits, pads;         /* in that group */
	bool broken;
};

void base64_feed(struct base64 *decoder, const char *text, size_t len) __attribute__((nonnull));

/* Was all of it base64, and is it whole? */
bool base64_end(struct base64 *decoder) __attribute__((warn_unused_result, nonnull));

/* Writes base64_text_room(len) characters at most, with the NUL. */
void base64_encode(char *text, const uint8_t *bytes, size_t len) __attribute__((nonnull));

static inline size_t base64_text_room(size_t len)
{
	return (len + 2) / 3 * 4 + 1;
}

static inline size_t base64_room(size_t text_len)
{
	return text_len / 4 * 3 + 3;
}

#endif
