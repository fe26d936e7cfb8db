/* The check of RFC 8017 9.1.2 up to the step that wants the digest; see pss.h. */
#include <string.h>

#include <openssl/evp.h>

#include "keyd_msg.h"
#include "pss.h"

/* MGF1 (RFC 8017 B.2.1), laid over `bytes`. */
static bool unmask(uint8_t *bytes, size_t len, const uint8_t *seed, size_t seed_len, const EVP_MD *digest)
{
	uint8_t input[EVP_MAX_MD_SIZE + 4], mask[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	memcpy(input, seed, seed_len);
	for (uint32_t counter = 0; len; counter++) {
		for (unsigned i = 0; i < 4; i++)
			input[seed_len + i] = (uint8_t)(counter >> (24 - 8 * i));
		if (EVP_Digest(input, seed_len + 4, mask, &n, digest, NULL) != 1)
			return false;
		for (unsigned i = 0; i < n && len; i++, len--)
			*bytes++ ^= mask[i];
	}
	return true;
}

/* DB is zeros, one, and the salt. */
static bool is_padded(const uint8_t *db, size_t len, size_t salt)
{
	for (size_t i = 0; i < len - salt - 1; i++)
		if (db[i])
			return false;
	return db[len - salt - 1] == 1;
}

static bool is_block_of(const uint8_t *block, size_t len, unsigned spare_bits, const EVP_MD *digest)
{
	uint8_t db[KEYD_INPUT_MAX];
	size_t hash = (size_t)EVP_MD_get_size(digest), db_len = len - hash - 1;
	if (len < 2 * hash + 2 || block[len - 1] != 0xbc || block[0] >> (8 - spare_bits))
		return false;
	memcpy(db, block, db_len);
	if (!unmask(db, db_len, block + db_len, hash, digest))
		return false;
	db[0] &= (uint8_t)(0xff >> spare_bits);
	return is_padded(db, db_len, hash);
}

/* The block has one bit less than the modulus (RFC 8017 8.1.1): of a modulus of whole bytes, its highest bit is zero. */
bool pss_is_block(const uint8_t *block, size_t len, unsigned bits)
{
	if (len > KEYD_INPUT_MAX || len * 8 != bits)
		return false;
	return is_block_of(block, len, 1, EVP_sha256()) || is_block_of(block, len, 1, EVP_sha384()) ||
		is_block_of(block, len, 1, EVP_sha512());
}
