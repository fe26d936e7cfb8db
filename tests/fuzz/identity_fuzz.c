/* Certificates of strangers against the rules of identity: first byte a domain to look for, the rest DER. */
#include <stdlib.h>
#include <string.h>

#include "tls/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const domains[] = {"a.example", "x.a.example", "", "example", "xn--mnchen-3ya.example"};
	if (size < 2)
		return 0;
	const uint8_t *at = data + 1;
	X509 *certificate = d2i_X509(NULL, &at, (long)(size - 1));
	if (!certificate)
		return 0;
	const char *domain = domains[data[0] % (sizeof(domains) / sizeof(*domains))];
	/* What is proved is proved by a name that is there, and nothing proves "". */
	if (identity_proves(certificate, domain) &&
		(!*domain || X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1) < 0))
		abort();
	X509_free(certificate);
	return 0;
}
