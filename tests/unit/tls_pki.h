/* Certificates made for a test: good ones, and every kind of bad one. cmocka assertions fail if one cannot be made. */
#ifndef TESTS_TLS_PKI_H
#define TESTS_TLS_PKI_H

#include <stdbool.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

enum pki_kind { PKI_NO_NAME, PKI_DNS, PKI_SRV, PKI_XMPP, PKI_SRV_UTF8, PKI_URI };
enum pki_limits { PKI_NAMES_MAX = 4 };

struct pki_name {
	enum pki_kind kind;
	const char *bytes;
	int len;                       /* 0: up to the NUL */
};

struct pki_spec {
	struct pki_name names[PKI_NAMES_MAX];
	const char *common_name;
	long from_s, to_s;             /* from now; 0: since an hour, for a day */
	int rsa_bits;                  /* 0: P-256 */
	const char *curve;             /* NULL: P-256 */
	const char *digest;            /* of the signature; NULL: SHA-256 */
	bool is_ca;
	const char *basic;             /* basicConstraints, keyUsage; NULL: as usual, "": none */
	const char *key_usage;
	const char *usage;             /* extendedKeyUsage; NULL: both, or of a CA none; "": none */
	const char *constraints;       /* nameConstraints; NULL: none */
	const char *features;          /* tlsfeature; NULL: none */
	int padding_bytes;             /* of an extension that nobody knows */
};

struct pki {
	X509 *certificate;
	EVP_PKEY *key;
};

/* Signed by `issuer`, or by itself. */
struct pki pki_make(const struct pki_spec *spec, const struct pki *issuer);
struct pki pki_ca(const char *name);
/* As a server has it: DNS-ID and SRV-ID of the domain. */
struct pki pki_server(const char *domain, const struct pki *issuer);
/* A CRL of `issuer` that has `revoked`, or nobody. Its time in seconds from now as in struct pki_spec; the caller's. */
X509_CRL *pki_crl(const struct pki *issuer, const struct pki *revoked, long from_s, long to_s, const char *digest);
void pki_free(struct pki *pki);

void pki_write_certificate(const struct pki *pki, const char *path);
void pki_write_key(const struct pki *pki, const char *path, unsigned mode);

/* A folder for the files of a test, with a name of its own; pki_folder_remove() takes it away with all that is in it. */
void pki_folder_make(char folder[64]);
void pki_folder_remove(const char *folder);

#endif
