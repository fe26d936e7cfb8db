/* Why a certificate was refused; see reason.h. */
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
		if (*text < ' ' || *text > '~' || *text == '"' || *text == '\\')
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
	snprintf(text, size, "the CA certificate \"%s\"", name);
}

static void without_issuer(char reason[CHANNEL_NAME_MAX], const X509 *certificate, const char *which)
{
	char name[NAME_BYTES];
	name_text(name, X509_get_issuer_name(certificate));
	snprintf(reason, CHANNEL_NAME_MAX, "%s is signed by \"%s\", which is not trusted here", which, name);
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
	case X509_V_ERR_CERT_REVOKED:
		return "was revoked";
	default:
		return NULL;
	}
}

void reason_of_error(char reason[CHANNEL_NAME_MAX], int error, const X509 *certificate, int depth)
{
	char which[NAME_BYTES + 32], date[DATE_BYTES];
	const char *verb = verb_of(error);
	whose(which, sizeof(which), certificate, depth);
	if (verb) {
		snprintf(reason, CHANNEL_NAME_MAX, "%s %s", which, verb);
	} else if (certificate && error == X509_V_ERR_CERT_HAS_EXPIRED) {
		date_text(date, X509_get0_notAfter(certificate));
		snprintf(reason, CHANNEL_NAME_MAX, "%s expired %s", which, date);
	} else if (certificate && error == X509_V_ERR_CERT_NOT_YET_VALID) {
		date_text(date, X509_get0_notBefore(certificate));
		snprintf(reason, CHANNEL_NAME_MAX, "%s is not valid before %s", which, date);
	} else if (certificate && (error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
					  error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
					  error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT)) {
		without_issuer(reason, certificate, which);
	} else {
		snprintf(reason, CHANNEL_NAME_MAX, "%s: %s", which, X509_verify_cert_error_string(error));
	}
}

void reason_of_names(char reason[CHANNEL_NAME_MAX], const X509 *certificate, const char *domain)
{
	char names[120];
	identity_list(certificate, names, sizeof(names));
	tame(names);
	snprintf(reason, CHANNEL_NAME_MAX, "the certificate is for %s, not for %.100s", *names ? names : "nobody", domain);
}
