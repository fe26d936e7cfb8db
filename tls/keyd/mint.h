/* Guard certificates and their keys, for one wire. */
#ifndef KEYD_MINT_H
#define KEYD_MINT_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "dataplane/base/conf.h"
#include "keyd_msg.h"

enum mint_limits {
	MINT_BACKDATE_S = 3600,        /* for servers whose clock is behind */
	MINT_RSA_BITS = 2048,
};

struct mint {
	X509 *ca;
	EVP_PKEY *ca_key;
	bool is_slow;          /* to sign with that */
	bool xmpp_addr;
	long life_s;
	EVP_PKEY *leaf_key[KEYD_LEAVES];       /* never leave this process; made when first needed, those of P-256 at start */
};

/* Loads the CA of a wire and makes its leaf key. 0, or -EINVAL with the fault logged. */
int mint_init(struct mint *mint, const struct conf_wire *wire) __attribute__((warn_unused_result, nonnull));
void mint_fini(struct mint *mint) __attribute__((nonnull));

/* A leaf key of this wire, made if it is not there yet; the mint's. NULL if OpenSSL failed. */
EVP_PKEY *mint_leaf_key(struct mint *mint, enum keyd_leaf leaf) __attribute__((warn_unused_result, nonnull));

/* A fresh certificate for the domain. Caller frees; NULL if OpenSSL failed. */
X509 *mint_certificate(struct mint *mint, enum keyd_leaf leaf, const char *domain)
	__attribute__((warn_unused_result, nonnull));

/* The same, self-signed, by a key of its own: nobody can verify it, as nobody could verify the server that it stands for,
 * not even by a key that was seen before. */
X509 *mint_unverified(struct mint *mint, enum keyd_leaf leaf, const char *domain)
	__attribute__((warn_unused_result, nonnull));

/* May a certificate for `domain` be shown on `wire`? Ours are shown outside, the peers' inside. */
bool mint_is_for(const struct conf *conf, enum wire wire, const char *domain) __attribute__((nonnull));

#endif
