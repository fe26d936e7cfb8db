/* Private keys: from files that nobody else can read, or in a token. */
#ifndef KEYD_PRIVATE_KEY_H
#define KEYD_PRIVATE_KEY_H

#include <stdbool.h>

#include <openssl/evp.h>

/* `place` is a path or a pkcs11: URI, `name` what the configuration calls it. NULL with the fault logged. */
EVP_PKEY *private_key_load(const char *place, const char *name) __attribute__((warn_unused_result, nonnull));

/* The key of a pkcs11: URI (RFC 7512). Its private half stays in the token. NULL with the fault logged. */
EVP_PKEY *token_key_load(const char *uri, const char *name) __attribute__((warn_unused_result, nonnull));

/* Would a signature by it keep others waiting? RSA does, and whatever is in a token. */
bool private_key_is_slow(const EVP_PKEY *key, const char *place) __attribute__((nonnull));

#endif
