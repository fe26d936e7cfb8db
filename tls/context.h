/* How TLS is spoken on a wire: the contexts that its connections are made from, by its TLS profile. */
#ifndef TLS_CONTEXT_H
#define TLS_CONTEXT_H

#include <openssl/ssl.h>

#include "dataplane/base/conf.h"

enum context_limits {
	CONTEXT_SECURITY_LEVEL = 2,            /* 112 bits: RSA from 2048, no SHA-1 signatures */
	CONTEXT_CHAIN_DEPTH_MAX = 8,           /* CAs between a certificate and the one that is trusted */
	CONTEXT_CHAIN_BYTES_MAX = 64 << 10,    /* of all certificates that an endpoint shows */
};

/* Of TLS_server_method() or TLS_client_method(); peers are verified against `store`, which it takes a reference of.
 * NULL: OpenSSL's error queue says why. */
SSL_CTX *context_new(const SSL_METHOD *method, X509_STORE *store, const struct conf_tls *profile)
	__attribute__((warn_unused_result, nonnull));

#endif
