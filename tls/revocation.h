/* Lists of revoked certificates (CRLs, RFC 5280 5). */
#ifndef TLS_REVOCATION_H
#define TLS_REVOCATION_H

#include <openssl/x509.h>

#include "dataplane/base/channel.h"
#include "dataplane/base/conf.h"

/*
 * A store with the certificates of `trusted` and the CRLs of a bundle (crl_bundle.h), `count` of them. NULL: one of the
 * files is no CRL, or signed by what is weak, or not by the trusted CA that it names; `reason` tells which and why.
 */
X509_STORE *revocation_store(X509_STORE *trusted, int bundle, unsigned *count, char reason[CHANNEL_NAME_MAX])
	__attribute__((warn_unused_result, nonnull));

/*
 * Has the check of a chain ask the CRLs of its store about every certificate but the trusted one, whose CA is itself.
 * With CRL_CHECK_IF_PRESENT a missing or outdated CRL is no fault, and what an outdated one says still holds.
 */
void revocation_ask(X509_STORE_CTX *store, enum conf_crl_check check) __attribute__((nonnull));

#endif
