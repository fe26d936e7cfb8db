/* Does a certificate prove an XMPP domain? */
#ifndef TLS_IDENTITY_H
#define TLS_IDENTITY_H

#include <stdbool.h>

#include <openssl/x509.h>

/*
 * RFC 6120 13.7.1.2 with RFC 9525: an SRV-ID _xmpp-server.DOMAIN, an xmppAddr DOMAIN, or a DNS-ID, which alone may have
 * a wildcard as its whole left-most label. Common names are not looked at. An xmppAddr
 * may be in U-labels. `domain` is lower case, in A-labels.
 */
bool identity_proves(const X509 *certificate, const char *domain) __attribute__((nonnull));

/* Its names, separated by commas, as far as they fit, as they are: strangers chose them. */
void identity_list(const X509 *certificate, char *text, size_t size) __attribute__((nonnull));

#endif
