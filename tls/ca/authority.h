/* Guard CAs: what a CA's certificate looks like. Keys and files are others' business. */
#ifndef CA_AUTHORITY_H
#define CA_AUTHORITY_H

#include <openssl/evp.h>
#include <openssl/x509.h>

enum authority_limits {
	AUTHORITY_YEARS = 10,
	AUTHORITY_WARN_DAYS = 90,      /* before it ends */
};

/* A self-signed CA certificate of the key, from now on. The subject is that of `as`, so that whoever trusts that one may
 * trust this one, or if it is NULL a fresh one with `name` in it. The caller frees; NULL: OpenSSL failed. */
X509 *authority_certificate(EVP_PKEY *key, const char *name, const X509 *as)
	__attribute__((warn_unused_result, nonnull(1, 2)));

/* A fresh key (P-256). The caller frees; NULL: OpenSSL failed. */
EVP_PKEY *authority_key(void) __attribute__((warn_unused_result));

#endif
