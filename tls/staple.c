/* OCSP staples; see staple.h. */
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "chain.h"
#include "staple.h"
#include "trust.h"

enum { FEATURE_STATUS_REQUEST = 5 };   /* RFC 7633 4.2.2, RFC 6066 1.1 */

static bool demands_staple(const X509 *certificate)
{
	TLS_FEATURE *features = X509_get_ext_d2i(certificate, NID_tlsfeature, NULL, NULL);
	bool demanded = false;
	for (int i = 0; i < sk_ASN1_INTEGER_num(features); i++)
		demanded |= ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == FEATURE_STATUS_REQUEST;
	TLS_FEATURE_free(features);
	return demanded;
}

/* Responders choose the digest that a certificate is named by: most use SHA-1, which does no harm there. */
static bool is_about(const OCSP_SINGLERESP *single, X509 *certificate, X509 *issuer)
{
	ASN1_OBJECT *digest = NULL;
	const OCSP_CERTID *id = OCSP_SINGLERESP_get0_id(single);
	OCSP_id_get0_info(NULL, &digest, NULL, NULL, (OCSP_CERTID *)id);
	const EVP_MD *md = digest ? EVP_get_digestbyobj(digest) : NULL;
	OCSP_CERTID *own = md ? OCSP_cert_to_id(md, certificate, issuer) : NULL;
	bool same = own && OCSP_id_cmp(own, id) == 0;
	OCSP_CERTID_free(own);
	return same;
}

/* What one answer says: NULL if all is well, or the fault. */
static const char *judge_single(OCSP_SINGLERESP *single)
{
	ASN1_GENERALIZEDTIME *from, *until;
	int status = OCSP_single_get0_status(single, NULL, NULL, &from, &until);
	if (status == V_OCSP_CERTSTATUS_REVOKED)
		return "the certificate was revoked, says its OCSP staple";
	if (status != V_OCSP_CERTSTATUS_GOOD)
		return "the certificate is unknown to its CA, says its OCSP staple";
	if (!OCSP_check_validity(from, until, STAPLE_CLOCK_SKEW_S, until ? -1 : STAPLE_AGE_MAX_S))
		return "the OCSP staple is out of date";
	return NULL;
}

/* Was it signed by who may, and with what is strong? That may be the CA itself, or whoever it certified for that. */
static bool is_signed(OCSP_BASICRESP *answer, STACK_OF(X509) *chain, X509_STORE *store)
{
	X509 *signer = NULL;
	const X509_ALGOR *algorithm = OCSP_resp_get0_tbs_sigalg(answer);
	return chain_signature_is_strong(algorithm) &&
		OCSP_basic_verify(answer, chain, store, 0) == 1 &&
		OCSP_resp_get0_signer(answer, &signer, chain) == 1 && chain_key_is_strong(signer);
}

static const char *judge_answer(OCSP_BASICRESP *answer, STACK_OF(X509) *chain, X509_STORE *store)
{
	bool found = false;
	if (!is_signed(answer, chain, store))
		return "the OCSP staple has no good signature";
	for (int i = 0; i < OCSP_resp_count(answer); i++) {
		OCSP_SINGLERESP *single = OCSP_resp_get0(answer, i);
		if (!is_about(single, sk_X509_value(chain, 0), sk_X509_value(chain, 1)))
			continue;
		const char *fault = judge_single(single);
		if (fault)
			return fault;
		found = true;
	}
	return found ? NULL : "the OCSP staple is about another certificate";
}

static const char *judge_bytes(const unsigned char *bytes, long n, STACK_OF(X509) *chain, X509_STORE *store)
{
	const unsigned char *at = bytes;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, n);
	OCSP_BASICRESP *answer = response && at == bytes + n && sk_X509_num(chain) > 1 &&
			OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL
		? OCSP_response_get1_basic(response)
		: NULL;
	const char *fault = answer ? judge_answer(answer, chain, store) : "the OCSP staple is no answer";
	OCSP_BASICRESP_free(answer);
	OCSP_RESPONSE_free(response);
	return fault;
}

/* NULL if all is well, or the fault. */
static const char *judge(SSL *ssl, STACK_OF(X509) *chain)
{
	const unsigned char *bytes = NULL;
	long n = SSL_get_tlsext_status_ocsp_resp(ssl, &bytes);
	if (bytes && n > 0)
		return judge_bytes(bytes, n, chain, SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl)));
	return demands_staple(sk_X509_value(chain, 0)) ? "the certificate demands an OCSP staple, and none came" : NULL;
}

bool staple_is_good(SSL *ssl)
{
	struct trust_check *check = SSL_get_app_data(ssl);
	STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
	if (check->staple_judged)
		return !check->reason[0];
	/* A resumed session was judged when it began, and a certificate that is not verified proves nothing anyway. */
	if (SSL_session_reused(ssl) || check->doubt[0] || sk_X509_num(chain) < 1)
		return true;
	const char *fault = judge(ssl, chain);
	ERR_clear_error();
	check->staple_judged = true;
	if (!fault)
		return true;
	check->failure = TLS_FAILED_CERTIFICATE;
	snprintf(check->reason, sizeof(check->reason), "%s", fault);
	return false;
}

static int on_staple(SSL *ssl, void *unused)
{
	(void)unused;
	return staple_is_good(ssl);
}

void staple_prepare(SSL_CTX *dial)
{
	SSL_CTX_set_tlsext_status_type(dial, TLSEXT_STATUSTYPE_ocsp);
	SSL_CTX_set_tlsext_status_cb(dial, on_staple);
}
