/* Certificates and keys that a peer is known by: `pin` of its section. */
#ifndef TLS_PINS_H
#define TLS_PINS_H

#include <stdbool.h>

#include <openssl/x509.h>

#include "dataplane/base/conf.h"

/* SHA-256 of the certificate, and of its SubjectPublicKeyInfo, which outlives renewals that keep the key. All zero if
 * there is no memory: that matches no pin. */
void fingerprint(const X509 *certificate, uint8_t sha256[32]) __attribute__((nonnull));
void key_fingerprint(const X509 *certificate, uint8_t sha256[32]) __attribute__((nonnull));

/* The peer whose pins hold for a domain on this wire; NULL: it has none, and any verified certificate will do. */
const struct conf_peer *pins_of(const struct conf *conf, enum wire wire, const char *domain) __attribute__((nonnull));

/* Is it one of the pins of this peer? If not, `reason` tells what it is. */
bool pins_match(const struct conf_peer *peer, const X509 *certificate, char reason[CHANNEL_NAME_MAX])
	__attribute__((nonnull));

#endif
