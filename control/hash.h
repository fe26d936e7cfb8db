/* Short names of what may be long, for tables that strangers fill: without the key nobody can aim at a place in them. */
#ifndef CONTROL_HASH_H
#define CONTROL_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
	uint64_t k[2];
};

/* 0; -EAGAIN: the kernel has no randomness yet. */
int hash_key_new(struct hash_key *key) __attribute__((warn_unused_result, nonnull));

/* SipHash-2-4. */
uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t len) __attribute__((nonnull));

#endif
