/* Guard certificates and their keys, for one wire. */
#ifndef KEYD_MINT_H
#define KEYD_MINT_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "dataplane/base/conf.h"

enum mint_limits {
	MINT_LIFE_S = 30 * 24 * 3600,
	MINT_BACKDATE_S = 3600,        /* for servers whose clock is behind */
};

struct mint {
	X509 *ca;
	EVP_PKEY *ca_key;
	EVP_PKEY *leaf_key;    /* made at start, P-256, never leaves this process */
};

/* Loads the CA of a wire and makes its leaf key. 0, or -EINVAL with the fault logged. */
int mint_init(struct mint *mint, const struct conf_wire *wire) __attribute__((warn_unused_result, nonnull));
void mint_fini(struct mint *mint) __attribute__((nonnull));

/* A fresh certificate for the domain. Caller frees; NULL if OpenSSL failed. */
X509 *mint_certificate(const struct mint *mint, const char *domain) __attribute__((warn_unused_result, nonnull));

/* The same, self-signed: nobody can verify it, as nobody could verify the server that it stands for. */
X509 *mint_unverified(const struct mint *mint, const char *domain) __attribute__((warn_unused_result, nonnull));

/* May a certificate for `domain` be shown on `wire`? Ours are shown outside, the peers' inside. */
bool mint_is_for(const struct conf *conf, enum wire wire, const char *domain) __attribute__((nonnull));

#endif
