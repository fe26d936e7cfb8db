/* SipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012). */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "control/hash.h"

int hash_key_new(struct hash_key *key)
{
	return getrandom(key, sizeof(*key), GRND_NONBLOCK) == sizeof(*key) ? 0 : -EAGAIN;
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void mix(uint64_t v[4], unsigned rounds)
{
	while (rounds--) {
		v[0] += v[1];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[0] = rotate(v[0], 32);
		v[2] += v[3];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[2] = rotate(v[2], 32);
	}
}

static void take(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	mix(v, 2);
	v[0] ^= word;
}

uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t len)
{
	uint64_t v[4] = {key->k[0] ^ 0x736f6d6570736575, key->k[1] ^ 0x646f72616e646f6d, key->k[0] ^ 0x6c7967656e657261,
		key->k[1] ^ 0x7465646279746573};
	uint64_t word;
	const uint8_t *at = bytes;
	size_t rest = len;
	for (; rest >= sizeof(word); at += sizeof(word), rest -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		take(v, le64toh(word));
	}
	word = 0;
	memcpy(&word, at, rest);
	take(v, le64toh(word) | (uint64_t)len << 56);
	v[2] ^= 0xff;
	mix(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
