/*
 * OCSP staples (RFC 6066 8, RFC 6960): servers are asked for one. One that comes must be a good answer about the server's
 * certificate, and one must come if the certificate says so (RFC 7633). Clients are not asked: OpenSSL cannot.
 */
#ifndef TLS_STAPLE_H
#define TLS_STAPLE_H

#include <stdbool.h>

#include <openssl/ssl.h>

enum staple_limits {
	STAPLE_CLOCK_SKEW_S = 300,
	STAPLE_AGE_MAX_S = 7 * 86400,  /* of one that does not say until when it is valid */
};

/* For the contexts that dial. SSL_get_app_data() of their SSLs is a struct trust_check, which is told what is wrong. */
void staple_prepare(SSL_CTX *dial) __attribute__((nonnull));

/*
 * Is the staple good, or rightly missing? To be asked when the server's chain is verified and its certificate is about to
 * count as proven: OpenSSL comes to it only at the end of the server's flight, and then says so in its alert, too.
 */
bool staple_is_good(SSL *ssl) __attribute__((nonnull));

#endif
