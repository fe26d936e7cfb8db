/* Real certificates; see real.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "dataplane/base/log.h"
#include "keyd_msg.h"
#include "private_key.h"
#include "real.h"
#include "tls/identity.h"

static int fault(const struct conf_certificate *own, const char *text)
{
	const char *file = getenv(CONF_NAME_VARIABLE);
	log_warnx("%s:%d: [certificate %s]: %s", file ? file : "configuration", own->line, own->domain, text);
	return -EINVAL;
}

/* --- the chain --- */

static const char *add_to_chain(struct real *real, X509 *certificate, X509 *below)
{
	uint8_t *at = real->chain + real->chain_len;
	int len = i2d_X509(certificate, NULL);
	if (len <= 0 || real->chain_len + (uint32_t)len > KEYD_ANSWER_MAX)
		return "chain: longer than 16 KiB (hint: its own certificate and the CAs above it)";
	if (below && X509_check_issued(certificate, below) != X509_V_OK)
		return "chain: out of order (hint: its own certificate first, then each followed by the CA that signed it)";
	real->chain_len += (uint32_t)i2d_X509(certificate, &at);
	return NULL;
}

static const char *read_chain(struct real *real, FILE *file)
{
	const char *why = NULL;
	X509 *below = NULL, *next;
	while (!why && (next = PEM_read_X509(file, NULL, NULL, NULL))) {
		why = add_to_chain(real, next, below);
		if (below != real->certificate)
			X509_free(below);
		below = next;
		if (!real->certificate)
			real->certificate = next;
	}
	if (below != real->certificate)
		X509_free(below);
	if (!why && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		why = "chain: not PEM certificates (hint: -----BEGIN CERTIFICATE-----)";
	ERR_clear_error();
	return why || real->certificate ? why : "chain: no certificate in it (hint: -----BEGIN CERTIFICATE-----)";
}

static const char *load_chain(struct real *real)
{
	FILE *file = fopen(real->conf->chain, "re");
	real->chain = malloc(KEYD_ANSWER_MAX);
	const char *why = "chain: cannot be opened (hint: relative to the folder of this file)";
	if (file && real->chain) {
		ERR_clear_error();
		why = read_chain(real, file);
	}
	if (file)
		fclose(file);
	return why;
}

/* --- what it has to be --- */

/* The signatures that TLS and our profiles know (RFC 8446 4.2.3). */
static bool is_usable(const EVP_PKEY *key)
{
	char curve[32];
	if (EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) == 1)
		return !strcmp(curve, "prime256v1") || !strcmp(curve, "secp384r1") || !strcmp(curve, "secp521r1");
	int bits = EVP_PKEY_get_bits(key);
	return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && bits >= 2048 && bits <= 8 * KEYD_INPUT_MAX && bits % 8 == 0;
}

const char *real_fault(const struct real *real, const char *domain)
{
	if (X509_cmp_current_time(X509_get0_notAfter(real->certificate)) < 0)
		return "chain: the certificate has expired (hint: get a new one)";
	if (X509_cmp_current_time(X509_get0_notBefore(real->certificate)) > 0)
		return "chain: the certificate is not valid yet (hint: is the clock right)";
	if (!identity_proves(real->certificate, domain))
		return "chain: the certificate is of another domain (hint: it has to name this one as DNS-ID or SRV-ID)";
	return NULL;
}

/* Of a pattern the names are looked at when somebody asks. */
static const char *check(const struct real *real)
{
	const char *domain = real->conf->domain;
	if (!is_usable(X509_get0_pubkey(real->certificate)))
		return "chain: its kind of key cannot be used (hint: RSA of 2048 to 4096 bits, or EC P-256, P-384 or P-521)";
	if (X509_check_ca(real->certificate) == 1)
		return "chain: begins with a CA (hint: the certificate of the domain first)";
	if (EVP_PKEY_eq(X509_get0_pubkey(real->certificate), real->key) != 1)
		return "key: does not belong to the certificate (hint: are both of the same renewal)";
	if (!strncmp(domain, "*.", 2))
		return X509_cmp_current_time(X509_get0_notAfter(real->certificate)) < 0
			? "chain: the certificate has expired (hint: get a new one)" : NULL;
	return real_fault(real, domain);
}

int real_init(struct real *real, const struct conf *conf, const struct conf_certificate *own)
{
	*real = (struct real){.conf = own, .wire = conf_is_ours(conf, own->domain) ? WIRE_OUTSIDE : WIRE_INSIDE};
	const char *why = load_chain(real);
	if (why)
		return fault(own, why);
	real->key = private_key_load(own->key, "key");
	if (!real->key)
		return fault(own, "key: cannot be used (hint: see above)");
	why = check(real);
	return why ? fault(own, why) : 0;
}

bool real_signs(const struct real *real)
{
	uint8_t digest[32] = {0}, signature[KEYD_INPUT_MAX];
	size_t len = sizeof(signature);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(real->key, NULL);
	bool ok = context && EVP_PKEY_sign_init(context) == 1 &&
		EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
		EVP_PKEY_sign(context, signature, &len, digest, sizeof(digest)) == 1;
	EVP_PKEY_CTX_free(context);
	return ok;
}

void real_fini(struct real *real)
{
	X509_free(real->certificate);
	EVP_PKEY_free(real->key);
	free(real->chain);
	*real = (struct real){0};
}
