/* Files of a CA: whole or not there, never overwritten by accident. */
#ifndef CA_FILE_H
#define CA_FILE_H

#include <stdbool.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

enum file_way {
	FILE_NEW,              /* must not be there */
	FILE_REPLACE,          /* what is there is kept as PATH.previous */
};

/* As PEM, on the disk when it returns. 0 or -errno. */
int file_write_certificate(const char *path, X509 *certificate, enum file_way way)
	__attribute__((warn_unused_result, nonnull));
/* The same of a private key, which nobody but its owner can read at any time. */
int file_write_key(const char *path, EVP_PKEY *key, enum file_way way) __attribute__((warn_unused_result, nonnull));

/* The caller frees; NULL: there is none, or it is no certificate (logged). */
X509 *file_read_certificate(const char *path) __attribute__((warn_unused_result, nonnull));

#endif
