#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "tls_pki.h"

static GENERAL_NAME *other_name(int nid, int type, const struct pki_name *name, int len)
{
	GENERAL_NAME *general = GENERAL_NAME_new();
	ASN1_TYPE *value = ASN1_TYPE_new();
	ASN1_STRING *string = ASN1_STRING_type_new(type);
	assert_true(ASN1_STRING_set(string, name->bytes, len));
	ASN1_TYPE_set(value, type, string);
	assert_true(GENERAL_NAME_set0_othername(general, OBJ_nid2obj(nid), value));
	return general;
}

static GENERAL_NAME *plain_name(int kind, const struct pki_name *name, int len)
{
	GENERAL_NAME *general = GENERAL_NAME_new();
	ASN1_IA5STRING *string = ASN1_IA5STRING_new();
	assert_true(ASN1_STRING_set(string, name->bytes, len));
	GENERAL_NAME_set0_value(general, kind, string);
	return general;
}

static GENERAL_NAME *general_name(const struct pki_name *name)
{
	int len = name->len ? name->len : (int)strlen(name->bytes);
	switch (name->kind) {
	case PKI_SRV:
		return other_name(NID_SRVName, V_ASN1_IA5STRING, name, len);
	case PKI_SRV_UTF8:
		return other_name(NID_SRVName, V_ASN1_UTF8STRING, name, len);
	case PKI_XMPP:
		return other_name(NID_XmppAddr, V_ASN1_UTF8STRING, name, len);
	case PKI_URI:
		return plain_name(GEN_URI, name, len);
	default:
		return plain_name(GEN_DNS, name, len);
	}
}

static void add_names(X509 *certificate, const struct pki_spec *spec)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	for (unsigned i = 0; i < PKI_NAMES_MAX && spec->names[i].kind; i++)
		sk_GENERAL_NAME_push(names, general_name(&spec->names[i]));
	if (sk_GENERAL_NAME_num(names))
		assert_int_equal(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0), 1);
	GENERAL_NAMES_free(names);
}

static void add_extension(X509 *certificate, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	assert_non_null(extension);
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
}

static void add_padding(X509 *certificate, int bytes)
{
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	uint8_t *random = malloc((size_t)bytes);
	assert_int_equal(RAND_bytes(random, bytes), 1);
	ASN1_OCTET_STRING_set(octets, random, bytes);
	ASN1_OBJECT *unknown = OBJ_txt2obj("1.3.6.1.4.1.99999.1", 1);
	X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, unknown, 0, octets);
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
	ASN1_OBJECT_free(unknown);
	ASN1_OCTET_STRING_free(octets);
	free(random);
}

static void add_text(X509 *certificate, int nid, const char *value, const char *usual)
{
	value = value ? value : usual;
	if (*value)
		add_extension(certificate, nid, value);
}

static void add_extensions(X509 *certificate, const struct pki_spec *spec)
{
	add_text(certificate, NID_basic_constraints, spec->basic, spec->is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	add_text(certificate, NID_key_usage, spec->key_usage,
		spec->is_ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
	add_extension(certificate, NID_subject_key_identifier, "hash");
	add_text(certificate, NID_ext_key_usage, spec->usage, spec->is_ca ? "" : "serverAuth,clientAuth");
	add_text(certificate, NID_name_constraints, spec->constraints, "");
	add_text(certificate, NID_tlsfeature, spec->features, "");
	if (spec->padding_bytes)
		add_padding(certificate, spec->padding_bytes);
	add_names(certificate, spec);
}

static EVP_PKEY *make_key(const struct pki_spec *spec)
{
	if (spec->rsa_bits)
		return EVP_RSA_gen((unsigned)spec->rsa_bits);
	return EVP_EC_gen(spec->curve ? spec->curve : "P-256");
}

struct pki pki_make(const struct pki_spec *spec, const struct pki *issuer)
{
	struct pki pki = {X509_new(), make_key(spec)};
	assert_non_null(pki.certificate);
	assert_non_null(pki.key);
	const char *name = spec->common_name ? spec->common_name : "test";
	uint64_t serial;
	RAND_bytes((void *)&serial, sizeof(serial));
	X509_set_version(pki.certificate, X509_VERSION_3);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(pki.certificate), serial >> 1);
	X509_gmtime_adj(X509_getm_notBefore(pki.certificate), spec->from_s ? spec->from_s : -3600);
	X509_gmtime_adj(X509_getm_notAfter(pki.certificate), spec->to_s ? spec->to_s : 86400);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(pki.certificate), "CN", MBSTRING_UTF8, (const void *)name, -1, -1, 0);
	X509_set_issuer_name(pki.certificate, X509_get_subject_name(issuer ? issuer->certificate : pki.certificate));
	X509_set_pubkey(pki.certificate, pki.key);
	add_extensions(pki.certificate, spec);
	const EVP_MD *digest = spec->digest ? EVP_get_digestbyname(spec->digest) : EVP_sha256();
	assert_true(X509_sign(pki.certificate, issuer ? issuer->key : pki.key, digest) > 0);
	return pki;
}

struct pki pki_ca(const char *name)
{
	const struct pki_spec spec = {.common_name = name, .is_ca = true};
	return pki_make(&spec, NULL);
}

struct pki pki_server(const char *domain, const struct pki *issuer)
{
	char srv[300];
	snprintf(srv, sizeof(srv), "_xmpp-server.%s", domain);
	const struct pki_spec spec = {.common_name = domain, .names = {{PKI_DNS, domain, 0}, {PKI_SRV, srv, 0}}};
	return pki_make(&spec, issuer);
}

X509_CRL *pki_crl(const struct pki *issuer, const struct pki *revoked, long from_s, long to_s, const char *digest)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *time = ASN1_TIME_new();
	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->certificate));
	X509_CRL_set1_lastUpdate(crl, X509_gmtime_adj(time, from_s ? from_s : -3600));
	X509_CRL_set1_nextUpdate(crl, X509_gmtime_adj(time, to_s ? to_s : 86400));
	if (revoked) {
		X509_REVOKED *entry = X509_REVOKED_new();
		X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked->certificate));
		X509_REVOKED_set_revocationDate(entry, X509_gmtime_adj(time, -60));
		assert_int_equal(X509_CRL_add0_revoked(crl, entry), 1);
	}
	ASN1_TIME_free(time);
	X509_CRL_sort(crl);
	assert_true(X509_CRL_sign(crl, issuer->key, digest ? EVP_get_digestbyname(digest) : EVP_sha256()) > 0);
	return crl;
}

void pki_free(struct pki *pki)
{
	X509_free(pki->certificate);
	EVP_PKEY_free(pki->key);
	*pki = (struct pki){NULL, NULL};
}

void pki_write_certificate(const struct pki *pki, const char *path)
{
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, pki->certificate), 1);
	fclose(file);
}

void pki_write_key(const struct pki *pki, const char *path, unsigned mode)
{
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fchmod(fileno(file), mode), 0);
	assert_int_equal(PEM_write_PrivateKey(file, pki->key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(file);
}

void pki_folder_make(char folder[64])
{
	snprintf(folder, 64, "/tmp/sallyport-tls-XXXXXX");
	assert_non_null(mkdtemp(folder));
}

void pki_folder_remove(const char *folder)
{
	DIR *listing = opendir(folder);
	assert_non_null(listing);
	for (struct dirent *entry; (entry = readdir(listing));)
		unlinkat(dirfd(listing), entry->d_name, 0);
	closedir(listing);
	assert_int_equal(rmdir(folder), 0);
}
