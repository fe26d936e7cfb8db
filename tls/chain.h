/*
 * What OpenSSL leaves open in the check of a chain (RFC 5280 6.1). A chain here is one that it has verified, from the
 * endpoint's certificate up to the one that is trusted.
 */
#ifndef TLS_CHAIN_H
#define TLS_CHAIN_H

#include <stdbool.h>

#include <openssl/x509v3.h>

enum chain_limits {
	CHAIN_RSA_BITS_MIN = 2048,
	CHAIN_EC_BITS_MIN = 224,
	CHAIN_DIGEST_BYTES_MIN = 28,   /* SHA-224; SHA-1 and MD5 are shorter */
};

/* X509_V_OK, or the X509_V_ERR_ of the certificate at *depth. `of_server`: the endpoint was dialled. */
int chain_fault(const STACK_OF(X509) *chain, bool of_server, int *depth) __attribute__((nonnull));

/* Of the same strength as in a chain: a key, and how something else than a certificate was signed. */
bool chain_key_is_strong(const X509 *certificate) __attribute__((nonnull));
bool chain_signature_is_strong(const X509_ALGOR *algorithm) __attribute__((nonnull));

/*
 * May these CAs speak for this domain? Their name constraints on DNS names bind whatever the name form: OpenSSL applies
 * them to DNS-IDs as written, so neither to SRV-IDs and xmppAddrs (RFC 4985 4) nor to what a wildcard stands for.
 * `domain` is in lower-case A-labels.
 */
bool chain_permits(const STACK_OF(X509) *chain, const char *domain) __attribute__((nonnull));

#endif
