/*
 * Base64, read strictly; see base64.h. White space between the digits is what servers and clients break lines with, and
 * no decoder reads it as anything else; other characters, missing padding, anything after it and bits that are not zero
 * under it (RFC 4648 3.2, 3.3, 3.5) are errors: some decoders take them, and each to its own result.
 */
#include <string.h>

#include "base64.h"

static int digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

static void put(struct base64 *decoder, uint32_t bits, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		decoder->out[decoder->len++] = (uint8_t)(bits >> (16 - 8 * i));
}

static void end_group(struct base64 *decoder)
{
	unsigned bytes = 3 - decoder->pads;
	uint32_t bits = decoder->bits << (6 * decoder->pads);

	decoder->broken |= (bits & ((1U << (8 * decoder->pads)) - 1)) != 0;
	put(decoder, bits, bytes);
	decoder->digits = 0;
	decoder->bits = 0;
}

static void take(struct base64 *decoder, char c)
{
	int value = digit(c);

	if (c == '=' && decoder->digits >= 2) {
		decoder->pads++;
	} else if (value >= 0 && !decoder->pads) {
		decoder->bits = decoder->bits << 6 | (uint32_t)value;
		decoder->digits++;
	} else {
		decoder->broken = true;
		return;
	}
	if (decoder->digits + decoder->pads == 4)
		end_group(decoder);
}

void base64_feed(struct base64 *decoder, const char *text, size_t len)
{
	for (size_t i = 0; i < len && !decoder->broken; i++)
		if (!text[i] || !strchr(" \t\r\n", text[i]))
			take(decoder, text[i]);
}

bool base64_end(struct base64 *decoder)
{
	return !decoder->broken && !decoder->digits;
}

void base64_encode(char *text, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		uint32_t bits = (uint32_t)bytes[i] << 16 | (i + 1 < len ? (uint32_t)bytes[i + 1] << 8 : 0) |
			(i + 2 < len ? bytes[i + 2] : 0);

		*text++ = digits[bits >> 18];
		*text++ = digits[bits >> 12 & 63];
		*text++ = i + 1 < len ? digits[bits >> 6 & 63] : '=';
		*text++ = i + 2 < len ? digits[bits & 63] : '=';
	}
	*text = '\0';
}
