/* Guard certificates; see mint.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "dataplane/base/domain.h"
#include "dataplane/base/log.h"
#include "keyd_msg.h"
#include "mint.h"
#include "private_key.h"

static const char *openssl_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	return reason ? reason : "unknown";
}

static X509 *load_certificate(const char *path)
{
	FILE *file = fopen(path, "re");
	if (!file) {
		log_warn("cannot open ca-certificate file=%s", path);
		return NULL;
	}
	X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
	if (!certificate)
		log_warnx("ca-certificate is not a PEM certificate file=%s reason=%s", path, openssl_reason());
	fclose(file);
	return certificate;
}

static const char *ca_fault(const struct mint *mint)
{
	if (X509_check_ca(mint->ca) != 1)
		return "ca-certificate is not a CA (basicConstraints CA:TRUE)";
	if (!X509_check_private_key(mint->ca, mint->ca_key))
		return "ca-key does not belong to ca-certificate";
	if (X509_cmp_current_time(X509_get0_notAfter(mint->ca)) < 0)
		return "ca-certificate has expired";
	return NULL;
}

int mint_init(struct mint *mint, const struct conf_wire *wire)
{
	*mint = (struct mint){0};
	mint->ca = load_certificate(wire->ca_certificate);
	mint->ca_key = mint->ca ? private_key_load(wire->ca_key, "ca-key") : NULL;
	if (!mint->ca_key)
		return -EINVAL;
	const char *fault = ca_fault(mint);
	if (fault) {
		log_warnx("%s file=%s", fault, wire->ca_certificate);
		return -EINVAL;
	}
	mint->xmpp_addr = wire->xmpp_addr;
	mint->life_s = wire->life_hours * 3600l;
	mint->is_slow = private_key_is_slow(mint->ca_key, wire->ca_key);
	bool made = mint_leaf_key(mint, KEYD_LEAF_ECDSA) && mint_leaf_key(mint, KEYD_LEAF_UNVERIFIED + KEYD_LEAF_ECDSA);
	return made ? 0 : -EINVAL;
}

/* An RSA key takes a while: most wires never need one. */
EVP_PKEY *mint_leaf_key(struct mint *mint, enum keyd_leaf leaf)
{
	if (!mint->leaf_key[leaf])
		mint->leaf_key[leaf] = leaf % KEYD_LEAF_UNVERIFIED == KEYD_LEAF_RSA ? EVP_RSA_gen(MINT_RSA_BITS)
										     : EVP_EC_gen("P-256");
	return mint->leaf_key[leaf];
}

void mint_fini(struct mint *mint)
{
	X509_free(mint->ca);
	EVP_PKEY_free(mint->ca_key);
	for (unsigned leaf = 0; leaf < KEYD_LEAVES; leaf++)
		EVP_PKEY_free(mint->leaf_key[leaf]);
	*mint = (struct mint){0};
}

/* Lower-case letters, digits, hyphens and dots: nothing that could be syntax where the name is put into a certificate. */
static bool is_host_name(const char *domain)
{
	size_t len = strlen(domain);
	return len > 0 && len <= 253 && domain[0] != '.' && domain[len - 1] != '.' && !strstr(domain, "..") &&
		strspn(domain, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len;
}

bool mint_is_for(const struct conf *conf, enum wire wire, const char *domain)
{
	if (!is_host_name(domain))
		return false;
	bool ours = conf_is_ours(conf, domain);
	return wire == WIRE_OUTSIDE ? ours : !ours && conf_peer_find(conf, domain);
}

static bool set_serial(X509 *certificate)
{
	unsigned char bytes[16];
	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return false;
	bytes[0] = (bytes[0] & 0x3f) | 0x40;   /* positive, and of one length (RFC 5280 4.1.2.2) */
	BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	bool ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
	BN_free(number);
	return ok;
}

static bool set_validity(X509 *certificate, const struct mint *mint)
{
	time_t now = time(NULL), end = now + mint->life_s;
	const ASN1_TIME *limit = X509_get0_notAfter(mint->ca);
	if (!ASN1_TIME_set(X509_getm_notBefore(certificate), now - MINT_BACKDATE_S))
		return false;
	if (ASN1_TIME_cmp_time_t(limit, end) < 0)
		return X509_set1_notAfter(certificate, limit);
	return ASN1_TIME_set(X509_getm_notAfter(certificate), end) != NULL;
}

static bool add_extension(X509 *certificate, X509 *ca, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, ca, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	bool ok = extension && X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
	return ok;
}

static bool push_name(GENERAL_NAMES *names, GENERAL_NAME *name, bool filled)
{
	if (name && filled && sk_GENERAL_NAME_push(names, name) > 0)
		return true;
	GENERAL_NAME_free(name);
	return false;
}

static bool push_dns_id(GENERAL_NAMES *names, const char *domain)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();
	if (!name || !text || !ASN1_STRING_set(text, domain, -1)) {
		ASN1_IA5STRING_free(text);
		return push_name(names, name, false);
	}
	GENERAL_NAME_set0_value(name, GEN_DNS, text);
	return push_name(names, name, true);
}

static bool push_other_name(GENERAL_NAMES *names, int nid, int type, const char *bytes)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_TYPE *value = ASN1_TYPE_new();
	ASN1_STRING *text = ASN1_STRING_type_new(type);
	if (!name || !value || !text || !ASN1_STRING_set(text, bytes, -1)) {
		ASN1_TYPE_free(value);
		ASN1_STRING_free(text);
		return push_name(names, name, false);
	}
	ASN1_TYPE_set(value, type, text);
	return push_name(names, name, GENERAL_NAME_set0_othername(name, OBJ_nid2obj(nid), value) == 1);
}

/* DNS-ID and SRV-ID have A-labels (RFC 6120 13.7.1.2.1), the address U-labels (13.7.1.4). */
static bool push_names(GENERAL_NAMES *names, const struct mint *mint, const char *domain)
{
	char srv[KEYD_DOMAIN_BYTES + 16], address[DOMAIN_TEXT_BYTES];
	snprintf(srv, sizeof(srv), "_xmpp-server.%s", domain);
	if (!push_dns_id(names, domain) || !push_other_name(names, NID_SRVName, V_ASN1_IA5STRING, srv))
		return false;
	if (!mint->xmpp_addr)
		return true;
	domain_to_u_labels(address, sizeof(address), domain);
	return push_other_name(names, NID_XmppAddr, V_ASN1_UTF8STRING, address);
}

static bool add_names(X509 *certificate, const struct mint *mint, const char *domain)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	bool ok = names && push_names(names, mint, domain) &&
		X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;
	GENERAL_NAMES_free(names);
	return ok;
}

static bool set_subject(X509 *certificate, const char *name)
{
	return X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
		(const unsigned char *)name, -1, -1, 0);
}

static bool fill(X509 *certificate, const struct mint *mint, X509 *issuer, EVP_PKEY *key, const char *domain)
{
	return X509_set_version(certificate, X509_VERSION_3) && set_serial(certificate) &&
		set_validity(certificate, mint) &&
		X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) &&
		X509_set_pubkey(certificate, key) &&
		add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
		add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature") &&
		add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth,clientAuth") &&
		add_extension(certificate, issuer, NID_subject_key_identifier, "hash") &&
		add_extension(certificate, issuer, NID_authority_key_identifier, "keyid,issuer") &&
		add_names(certificate, mint, domain);
}

static X509 *no_certificate(X509 *unfinished, const char *domain)
{
	log_warnx("cannot make a certificate domain=%s reason=%s", domain, openssl_reason());
	X509_free(unfinished);
	return NULL;
}

/* A common name is at most 64 characters (RFC 5280 appendix A); the SAN is what counts. */
X509 *mint_certificate(struct mint *mint, enum keyd_leaf leaf, const char *domain)
{
	X509 *certificate = X509_new();
	EVP_PKEY *key = mint_leaf_key(mint, leaf);
	if (certificate && key && set_subject(certificate, strlen(domain) <= 64 ? domain : "XMPP server") &&
		fill(certificate, mint, mint->ca, key, domain) && X509_sign(certificate, mint->ca_key, EVP_sha256()))
		return certificate;
	return no_certificate(certificate, domain);
}

X509 *mint_unverified(struct mint *mint, enum keyd_leaf leaf, const char *domain)
{
	X509 *certificate = X509_new();
	EVP_PKEY *key = mint_leaf_key(mint, leaf);
	if (certificate && key && set_subject(certificate, "could not be verified by the guard") &&
		fill(certificate, mint, certificate, key, domain) && X509_sign(certificate, key, EVP_sha256()))
		return certificate;
	return no_certificate(certificate, domain);
}
