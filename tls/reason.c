/* Why a certificate was refused; see reason.h. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/x509v3.h>

#include "identity.h"
#include "reason.h"

enum { NAME_BYTES = 80, DATE_BYTES = 24 };

/* Strangers' names: nothing but what can be printed and needs no quoting. */
static void tame(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~' || *text == '"' || *text == '\'' || *text == '\\')
			*text = '?';
}

/* The common name, or failing that the whole name on one line. */
static void name_text(char text[NAME_BYTES], const X509_NAME *name)
{
	int n = X509_NAME_get_text_by_NID(name, NID_commonName, text, NAME_BYTES);
	if (n <= 0 || strlen(text) != (size_t)n)
		X509_NAME_oneline(name, text, NAME_BYTES);
	tame(text);
}

static void date_text(char text[DATE_BYTES], const ASN1_TIME *time)
{
	struct tm tm;
	if (!ASN1_TIME_to_tm(time, &tm) || !strftime(text, DATE_BYTES, "%Y-%m-%d %H:%M UTC", &tm))
		snprintf(text, DATE_BYTES, "an unreadable date");
}

/* "the certificate", "the CA certificate \"X\"" */
static void whose(char *text, size_t size, const X509 *certificate, int depth)
{
	char name[NAME_BYTES];
	if (depth <= 0 || !certificate) {
		snprintf(text, size, "the certificate");
		return;
	}
	name_text(name, X509_get_subject_name(certificate));
	snprintf(text, size, "the CA certificate '%s'", name);
}

static void without_issuer(char reason[CHANNEL_NAME_MAX], const X509 *certificate, const char *which)
{
	char name[NAME_BYTES];
	name_text(name, X509_get_issuer_name(certificate));
	snprintf(reason, CHANNEL_NAME_MAX, "%s is signed by '%s', which is not trusted here", which, name);
}

static bool is_without_issuer(int error)
{
	return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY || error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
		error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;
}

static const char *verb_of(int error)
{
	switch (error) {
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		return "is self-signed";
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		return "is self-signed and not trusted here";
	case X509_V_ERR_EE_KEY_TOO_SMALL:
	case X509_V_ERR_CA_KEY_TOO_SMALL:
		return "has a weak key";
	case X509_V_ERR_CA_MD_TOO_WEAK:
		return "has a weak signature";
	case X509_V_ERR_INVALID_PURPOSE:
		return "is not for TLS of servers (extended key usage)";
	case X509_V_ERR_INVALID_CA:
		return "is not that of a CA";
	case X509_V_ERR_PERMITTED_VIOLATION:
	case X509_V_ERR_EXCLUDED_VIOLATION:
		return "has a name that its CA may not certify (name constraints)";
	default:
		return NULL;
	}
}

static void revocation_date(char date[DATE_BYTES], X509_STORE_CTX *store, X509 *certificate)
{
	STACK_OF(X509_CRL) *crls = X509_STORE_CTX_get1_crls(store, X509_get_issuer_name(certificate));
	for (int i = 0; i < sk_X509_CRL_num(crls); i++) {
		X509_REVOKED *entry = NULL;
		if (X509_CRL_get0_by_cert(sk_X509_CRL_value(crls, i), &entry, certificate) && entry)
			date_text(date, X509_REVOKED_get0_revocationDate(entry));
	}
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
}

static void revoked(char reason[CHANNEL_NAME_MAX], const char *which, X509_STORE_CTX *store, X509 *certificate)
{
	char name[NAME_BYTES], date[DATE_BYTES] = "";
	revocation_date(date, store, certificate);
	name_text(name, X509_get_issuer_name(certificate));
	snprintf(reason, CHANNEL_NAME_MAX, "%s was revoked by '%s' %s", which, name, date);
}

/* Of the CRL about this certificate. */
static const char *crl_fault(int error)
{
	switch (error) {
	case X509_V_ERR_UNABLE_TO_GET_CRL:
		return "is not at hand";
	case X509_V_ERR_CRL_HAS_EXPIRED:
		return "is out of date";
	case X509_V_ERR_CRL_NOT_YET_VALID:
		return "is not valid yet";
	case X509_V_ERR_CRL_SIGNATURE_FAILURE:
		return "has a bad signature";
	default:
		return NULL;
	}
}

static void of_dates(char reason[CHANNEL_NAME_MAX], const char *which, int error, const X509 *certificate)
{
	char date[DATE_BYTES];
	bool expired = error == X509_V_ERR_CERT_HAS_EXPIRED;
	date_text(date, expired ? X509_get0_notAfter(certificate) : X509_get0_notBefore(certificate));
	snprintf(reason, CHANNEL_NAME_MAX, "%s %s %s", which, expired ? "expired" : "is not valid before", date);
}

static void of_crl(char reason[CHANNEL_NAME_MAX], const char *which, int error, const X509 *certificate)
{
	char name[NAME_BYTES];
	name_text(name, X509_get_issuer_name(certificate));
	snprintf(reason, CHANNEL_NAME_MAX, "whether %s was revoked is not known: the CRL of '%s' %s", which, name,
		crl_fault(error));
}

void reason_of_error(char reason[CHANNEL_NAME_MAX], int error, X509_STORE_CTX *store)
{
	char which[NAME_BYTES + 32];
	const char *verb = verb_of(error);
	X509 *certificate = X509_STORE_CTX_get_current_cert(store);
	whose(which, sizeof(which), certificate, X509_STORE_CTX_get_error_depth(store));
	if (verb)
		snprintf(reason, CHANNEL_NAME_MAX, "%s %s", which, verb);
	else if (!certificate)
		snprintf(reason, CHANNEL_NAME_MAX, "%s", X509_verify_cert_error_string(error));
	else if (error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID)
		of_dates(reason, which, error, certificate);
	else if (error == X509_V_ERR_CERT_REVOKED)
		revoked(reason, which, store, certificate);
	else if (crl_fault(error))
		of_crl(reason, which, error, certificate);
	else if (is_without_issuer(error))
		without_issuer(reason, certificate, which);
	else
		snprintf(reason, CHANNEL_NAME_MAX, "%s: %s", which, X509_verify_cert_error_string(error));
}

void reason_of_names(char reason[CHANNEL_NAME_MAX], const X509 *certificate, const char *domain)
{
	char names[120];
	identity_list(certificate, names, sizeof(names));
	tame(names);
	snprintf(reason, CHANNEL_NAME_MAX, "the certificate is for %s, not for %.100s", *names ? names : "nobody", domain);
}
