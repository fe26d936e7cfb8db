/* Which kinds of key an endpoint can verify. */
#ifndef TLS_ALGORITHMS_H
#define TLS_ALGORITHMS_H

#include <stdbool.h>

#include <openssl/ssl.h>

/* Would the client take a certificate with an ECDSA key (P-256)? To be asked in the callback of its ClientHello. */
bool takes_client_ecdsa(SSL *ssl) __attribute__((nonnull));
/* Would the server? To be asked in the callback of its CertificateRequest. */
bool takes_server_ecdsa(SSL *ssl) __attribute__((nonnull));

#endif
