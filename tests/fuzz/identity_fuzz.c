/* Certificates of strangers against the rules of identity and chains: first byte a domain to look for, the rest DER. */
#include <stdlib.h>
#include <string.h>

#include "tls/chain.h"
#include "tls/identity.h"
#include "tls/reason.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As a leaf, and as the CA above it; what is said of it is fit to be printed. */
static void judge_and_tell(X509 *certificate, const char *domain)
{
	char reason[CHANNEL_NAME_MAX];
	int depth;
	STACK_OF(X509) *chain = sk_X509_new_null();
	if (!chain || !sk_X509_push(chain, certificate) || !sk_X509_push(chain, certificate))
		abort();
	(void)chain_fault(chain, true, &depth);
	(void)chain_permits(chain, domain);
	sk_X509_free(chain);
	reason_of_names(reason, certificate, domain);
	for (const char *at = reason; *at; at++)
		if (*at < ' ' || *at > '~')
			abort();
}

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
	judge_and_tell(certificate, domain);
	X509_free(certificate);
	return 0;
}
