/* Why a certificate was refused, in words for people: for the audit, where strangers' bytes must do no harm. */
#ifndef TLS_REASON_H
#define TLS_REASON_H

#include <openssl/x509.h>

#include "dataplane/base/channel.h"

/* What X509_V_ERR_ `error` means for the certificate that `store` looked at last. */
void reason_of_error(char reason[CHANNEL_NAME_MAX], int error, X509_STORE_CTX *store) __attribute__((nonnull));

/* The certificate is good, but its names are others. */
void reason_of_names(char reason[CHANNEL_NAME_MAX], const X509 *certificate, const char *domain)
	__attribute__((nonnull));

#endif
