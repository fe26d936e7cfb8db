/* Certificates of guard CAs; see authority.h. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "authority.h"

enum {
	SERIAL_BYTES = 16,
	NAME_BYTES = 65,               /* RFC 5280 A.1: ub-common-name, and a NUL */
	BACKDATE_S = 3600,
	YEAR_DAYS = 365,
};

EVP_PKEY *authority_key(void)
{
	return EVP_EC_gen("P-256");
}

/* Positive, and of one length (RFC 5280 4.1.2.2). */
static bool set_serial(X509 *certificate)
{
	unsigned char bytes[SERIAL_BYTES];
	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return false;
	bytes[0] = (bytes[0] & 0x3f) | 0x40;
	BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	bool ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
	BN_free(number);
	return ok;
}

/* Two CAs of one name but different keys would be taken for each other: no two have the same. */
static bool set_fresh_name(X509 *certificate, const char *name)
{
	char text[NAME_BYTES];
	uint8_t mark[3];
	if (RAND_bytes(mark, sizeof(mark)) != 1)
		return false;
	snprintf(text, sizeof(text), "Guard CA %.40s %02x%02x%02x", name, mark[0], mark[1], mark[2]);
	X509_NAME *subject = X509_get_subject_name(certificate);
	return X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8, (const unsigned char *)"Sallyport", -1, -1, 0) &&
		X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0);
}

static bool set_validity(X509 *certificate)
{
	time_t now = time(NULL);
	return ASN1_TIME_set(X509_getm_notBefore(certificate), now - BACKDATE_S) &&
		ASN1_TIME_adj(X509_getm_notAfter(certificate), now, AUTHORITY_YEARS * YEAR_DAYS, 0);
}

static bool add_extension(X509 *certificate, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	bool ok = extension && X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
	return ok;
}

X509 *authority_certificate(EVP_PKEY *key, const char *name, const X509 *as)
{
	X509 *made = X509_new();
	if (made && X509_set_version(made, X509_VERSION_3) && set_serial(made) && set_validity(made) &&
		(as ? X509_set_subject_name(made, X509_get_subject_name(as)) : set_fresh_name(made, name)) &&
		X509_set_issuer_name(made, X509_get_subject_name(made)) && X509_set_pubkey(made, key) &&
		add_extension(made, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
		add_extension(made, NID_key_usage, "critical,keyCertSign,cRLSign") &&
		add_extension(made, NID_subject_key_identifier, "hash") &&
		X509_sign(made, key, EVP_sha256()))
		return made;
	X509_free(made);
	return NULL;
}
