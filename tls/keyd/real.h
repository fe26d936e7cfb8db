/* Real certificates: of the domain's owner, by a CA that everybody knows, with a key that is here. */
#ifndef KEYD_REAL_H
#define KEYD_REAL_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "dataplane/base/conf.h"

struct real {
	const struct conf_certificate *conf;
	enum wire wire;                /* where it is shown */
	X509 *certificate;
	EVP_PKEY *key;
	uint32_t chain_len;
	uint8_t *chain;                /* all of it, one DER after the other */
};

/* Loads and checks one of conf->certificates. 0, or -EINVAL with the fault logged, as FILE:LINE: fault (hint). */
int real_init(struct real *real, const struct conf *conf, const struct conf_certificate *own)
	__attribute__((warn_unused_result, nonnull));
void real_fini(struct real *real) __attribute__((nonnull));

/* Tries its key. */
bool real_signs(const struct real *real) __attribute__((warn_unused_result, nonnull));

/* NULL, or why it cannot be shown for `domain` now. */
const char *real_fault(const struct real *real, const char *domain) __attribute__((nonnull));

#endif
