/* Trust stores, and how a chain is checked; see trust.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "dataplane/base/log.h"
#include "chain.h"
#include "context.h"
#include "identity.h"
#include "pins.h"
#include "reason.h"
#include "revocation.h"
#include "staple.h"
#include "trust.h"

static const char *openssl_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	return reason ? reason : "unknown";
}

/* Is it revoked, too? OpenSSL looks at strength first, and then no further. Who is weak may be tolerated, who is revoked
 * may not. */
static bool is_revoked_besides(const struct trust *trust, X509_STORE_CTX *store, int *depth)
{
	enum conf_crl_check crl_check = trust->conf->wire[trust->wire].crl_check;
	X509_STORE_CTX *again = trust->crl_count && crl_check != CRL_CHECK_NONE ? X509_STORE_CTX_new() : NULL;
	if (!again || !X509_STORE_CTX_init(again, trust->store, X509_STORE_CTX_get0_cert(store),
			X509_STORE_CTX_get0_untrusted(store))) {
		X509_STORE_CTX_free(again);
		return false;
	}
	X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(again), 0);
	X509_VERIFY_PARAM_set_purpose(X509_STORE_CTX_get0_param(again), X509_PURPOSE_ANY);
	revocation_ask(again, CRL_CHECK_IF_PRESENT);
	bool revoked = X509_verify_cert(again) != 1 && X509_STORE_CTX_get_error(again) == X509_V_ERR_CERT_REVOKED;
	*depth = X509_STORE_CTX_get_error_depth(again);
	X509_STORE_CTX_free(again);
	return revoked;
}

static int at_depth(X509_STORE_CTX *store, int error, int depth)
{
	X509_STORE_CTX_set_error_depth(store, depth);
	X509_STORE_CTX_set_current_cert(store, sk_X509_value(X509_STORE_CTX_get0_chain(store), depth));
	return error;
}

/* What OpenSSL does with it: X509_V_OK or the error that stands in `store`, with the certificate that it is about. */
static int chain_error(const struct trust *trust, X509_STORE_CTX *store, bool of_server)
{
	int depth;
	if (trust->crl_count || trust->conf->wire[trust->wire].crl_check == CRL_CHECK_REQUIRED)
		revocation_ask(store, trust->conf->wire[trust->wire].crl_check);
	/* Whom it is for, is for chain_fault() to say, which knows that servers dial, too. */
	X509_VERIFY_PARAM_set_purpose(X509_STORE_CTX_get0_param(store), X509_PURPOSE_ANY);
	if (X509_verify_cert(store) != 1) {
		int error = X509_STORE_CTX_get_error(store);
		if (error != X509_V_ERR_CERT_REVOKED && is_revoked_besides(trust, store, &depth))
			return at_depth(store, X509_V_ERR_CERT_REVOKED, depth);
		return error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error;
	}
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store);
	int error = chain_fault(chain, of_server, &depth);
	return error == X509_V_OK ? error : at_depth(store, error, depth);
}

/* RFC 6120 13.7.1.2, of a chain that is good, and what the peer is pinned to. */
static int proves(const struct trust *trust, X509 *certificate, STACK_OF(X509) *chain, struct trust_check *check)
{
	check->failure = TLS_FAILED_NAME;
	if (!identity_proves(certificate, check->domain)) {
		reason_of_names(check->reason, certificate, check->domain);
		return X509_V_ERR_HOSTNAME_MISMATCH;
	}
	if (!chain_permits(chain, check->domain)) {
		snprintf(check->reason, sizeof(check->reason), "its CA may not certify %.200s (name constraints)",
			check->domain);
		return X509_V_ERR_PERMITTED_VIOLATION;
	}
	const struct conf_peer *pinned = pins_of(trust->conf, trust->wire, check->domain);
	if (pinned && !pins_match(pinned, certificate, check->reason)) {
		check->failure = TLS_FAILED_PIN;
		return X509_V_ERR_CERT_UNTRUSTED;
	}
	return X509_V_OK;
}

/* Not what is known to be bad: a revoked certificate, or another one than the peer is pinned to. */
static bool may_be_doubted(const struct trust *trust, const struct trust_check *check, int error)
{
	return check->tolerant && error != X509_V_ERR_CERT_REVOKED && !pins_of(trust->conf, trust->wire, check->domain);
}

/* The error, or X509_V_OK: then it is a doubt instead. */
static int doubt(const struct trust *trust, struct trust_check *check, int error)
{
	if (error == X509_V_OK || !may_be_doubted(trust, check, error))
		return error;
	memcpy(check->doubt, check->reason, sizeof(check->doubt));
	check->reason[0] = '\0';
	return X509_V_OK;
}

bool trust_names(const struct trust *trust, SSL *ssl, struct trust_check *check)
{
	check->unnamed = false;
	if (check->doubt[0]) {
		bool tolerated = may_be_doubted(trust, check, X509_V_ERR_UNSPECIFIED);
		check->failure = TLS_FAILED_CERTIFICATE;
		if (!tolerated)
			memcpy(check->reason, check->doubt, sizeof(check->reason));
		return tolerated;
	}
	int error = proves(trust, SSL_get0_peer_certificate(ssl), SSL_get0_verified_chain(ssl), check);
	return doubt(trust, check, error) == X509_V_OK;
}

/* In the place of OpenSSL's own check of a chain. The error becomes the alert that the endpoint gets. */
static int verify(X509_STORE_CTX *store, void *trust)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct trust_check *check = SSL_get_app_data(ssl);
	check->failure = TLS_FAILED_CERTIFICATE;
	int error = chain_error(trust, store, !SSL_is_server(ssl));
	if (error != X509_V_OK) {
		reason_of_error(check->reason, error, store);
	} else if (!check->unnamed) {
		error = proves(trust, X509_STORE_CTX_get0_cert(store), X509_STORE_CTX_get0_chain(store), check);
	}
	error = doubt(trust, check, error);
	X509_STORE_CTX_set_error(store, error);
	return error == X509_V_OK;
}

/* As OpenSSL sets it up. */
static bool set_up(X509_STORE_CTX *store, SSL *ssl, STACK_OF(X509) *chain)
{
	if (!X509_STORE_CTX_init(store, SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl)), sk_X509_value(chain, 0), chain))
		return false;
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(store);
	X509_VERIFY_PARAM_set_auth_level(param, SSL_get_security_level(ssl));
	return X509_STORE_CTX_set_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx(), ssl) &&
		X509_STORE_CTX_set_default(store, SSL_is_server(ssl) ? "ssl_client" : "ssl_server") &&
		X509_VERIFY_PARAM_set1(param, SSL_get0_param(ssl));
}

bool trust_checks_again(struct trust *trust, SSL *ssl, STACK_OF(X509) *chain)
{
	struct trust_check *check = SSL_get_app_data(ssl), before = *check;
	X509_STORE_CTX *store = X509_STORE_CTX_new();
	bool good = store && set_up(store, ssl, chain) && verify(store, trust) == 1 && !check->doubt[0];
	X509_STORE_CTX_free(store);
	*check = before;
	return good;
}

static X509_STORE *load_store(const char *path)
{
	X509_STORE *store = X509_STORE_new();
	if (store && X509_STORE_load_file(store, path) == 1) {
		/* For whoever signs OCSP answers; for chains of endpoints it is the context that says so. */
		X509_VERIFY_PARAM_set_auth_level(X509_STORE_get0_param(store), CONTEXT_SECURITY_LEVEL);
		return store;
	}
	log_warnx("trust is not a file of PEM certificates file=%s reason=%s", path, openssl_reason());
	X509_STORE_free(store);
	return NULL;
}

void trust_name_ca(const X509_NAME *ca, char name[CHANNEL_NAME_MAX])
{
	if (X509_NAME_get_text_by_NID(ca, NID_commonName, name, CHANNEL_NAME_MAX) < 0)
		X509_NAME_oneline(ca, name, CHANNEL_NAME_MAX);
}

static X509 *load_guard_ca(const char *path)
{
	FILE *file = fopen(path, "re");
	X509 *ca = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	if (file)
		fclose(file);
	if (!ca)
		log_warnx("ca-certificate is not a PEM certificate file=%s", path);
	return ca;
}

int trust_init(struct trust *trust, const struct conf *all, enum wire number)
{
	const struct conf_wire *wire = &all->wire[number];
	*trust = (struct trust){.conf = all, .wire = number};
	trust->guard_ca = load_guard_ca(wire->ca_certificate);
	trust->store = trust->guard_ca ? load_store(wire->trust) : NULL;
	if (!trust->store)
		return -EINVAL;
	trust->accept = context_new(TLS_server_method(), trust->store, &wire->tls);
	trust->dial = context_new(TLS_client_method(), trust->store, &wire->tls);
	if (!trust->accept || !trust->dial) {
		log_warnx("TLS cannot be set up reason=%s", openssl_reason());
		return -EINVAL;
	}
	SSL_CTX_set_cert_verify_callback(trust->accept, verify, trust);
	SSL_CTX_set_cert_verify_callback(trust->dial, verify, trust);
	staple_prepare(trust->dial);
	return 0;
}

void trust_fini(struct trust *trust)
{
	SSL_CTX_free(trust->accept);
	SSL_CTX_free(trust->dial);
	X509_STORE_free(trust->store);
	X509_free(trust->guard_ca);
	*trust = (struct trust){0};
}

static void use_store(struct trust *trust, X509_STORE *store, unsigned crl_count)
{
	X509_STORE_free(trust->store);
	trust->store = store;
	trust->crl_count = crl_count;
	trust->generation++;
	SSL_CTX_set1_cert_store(trust->accept, store);
	SSL_CTX_set1_cert_store(trust->dial, store);
}

int trust_take_crls(struct trust *trust, int bundle, struct msg_crls *told)
{
	unsigned count = 0;
	*told = (struct msg_crls){.wire = trust->wire};
	X509_STORE *store = revocation_store(trust->store, bundle, &count, told->reason);
	told->refused = !store;
	if (store)
		use_store(trust, store, count);
	told->count = trust->crl_count;
	return store ? 0 : -EINVAL;
}
