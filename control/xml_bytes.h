/* Eight bytes of a stream looked at in one step, since most of what passes is text in which there is nothing to find. */
#ifndef CONTROL_XML_BYTES_H
#define CONTROL_XML_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define WORD_OF(byte) ((byte) * 0x0101010101010101u)
enum { WORD_BYTES = 8 };

static inline uint64_t word_load(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* Is one of its bytes below `limit`, which is at most 128? */
static inline bool word_has_below(uint64_t word, uint8_t limit)
{
	return (word - WORD_OF(limit)) & ~word & WORD_OF(0x80u);
}

static inline bool word_has(uint64_t word, uint8_t byte)
{
	return word_has_below(word ^ WORD_OF(byte), 1);
}

static inline bool word_is_ascii(uint64_t word)
{
	return !(word & WORD_OF(0x80u));
}

#endif
