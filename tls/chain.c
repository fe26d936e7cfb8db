/* What OpenSSL leaves open in the check of a chain; see chain.h. */
#include <string.h>
#include <strings.h>

#include <openssl/rsa.h>

#include "chain.h"

/* --- purpose --- */

static int misfit(const STACK_OF(X509) *chain, int purpose)
{
	for (int i = 0; i < sk_X509_num(chain); i++)
		if (X509_check_purpose(sk_X509_value(chain, i), purpose, i > 0) <= 0)
			return i;
	return -1;
}

/* A server's certificate is for serverAuth. So it may be when it dials: public CAs issue nothing else any more. */
static bool has_purpose(const STACK_OF(X509) *chain, bool of_server, int *depth)
{
	*depth = misfit(chain, X509_PURPOSE_SSL_SERVER);
	return *depth < 0 || (!of_server && misfit(chain, X509_PURPOSE_SSL_CLIENT) < 0);
}

/* Without X509_V_FLAG_X509_STRICT, OpenSSL takes a certificate without basicConstraints for a CA if its keyUsage looks like
 * it. RFC 5280 6.1.4 (k) does not. The trusted one, the last, is trusted as it is. */
static bool has_certified_cas(const STACK_OF(X509) *chain, int *depth)
{
	for (*depth = 1; *depth < sk_X509_num(chain) - 1; ++*depth)
		if (X509_check_ca(sk_X509_value(chain, *depth)) != 1)
			return false;
	return true;
}

/* --- keys --- */

/* OpenSSL's security level counts bits of strength, and rounds: an RSA key of 2040 bits passes for 2048. */
bool chain_key_is_strong(const X509 *certificate)
{
	const EVP_PKEY *key = X509_get0_pubkey(certificate);
	switch (key ? EVP_PKEY_get_base_id(key) : EVP_PKEY_NONE) {
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA_PSS:
		return EVP_PKEY_get_bits(key) >= CHAIN_RSA_BITS_MIN;
	case EVP_PKEY_EC:
		return EVP_PKEY_get_bits(key) >= CHAIN_EC_BITS_MIN;
	case EVP_PKEY_ED25519:
	case EVP_PKEY_ED448:
		return true;
	default:
		return false;
	}
}

static bool is_strong_digest(const EVP_MD *digest)
{
	return digest && EVP_MD_get_size(digest) >= CHAIN_DIGEST_BYTES_MIN;
}

/* RFC 4055 3.1: the digest is a parameter, and SHA-1 where it is left out. */
static bool is_strong_pss(const X509_ALGOR *algorithm)
{
	RSA_PSS_PARAMS *parameters = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(RSA_PSS_PARAMS), algorithm->parameter);
	bool strong = parameters && parameters->hashAlgorithm &&
		is_strong_digest(EVP_get_digestbyobj(parameters->hashAlgorithm->algorithm));
	RSA_PSS_PARAMS_free(parameters);
	return strong;
}

bool chain_signature_is_strong(const X509_ALGOR *algorithm)
{
	int digest, key, nid = OBJ_obj2nid(algorithm->algorithm);
	if (nid == NID_ED25519 || nid == NID_ED448)
		return true;
	if (nid == NID_rsassaPss)
		return is_strong_pss(algorithm);
	return OBJ_find_sigid_algs(nid, &digest, &key) && is_strong_digest(EVP_get_digestbynid(digest));
}

static bool has_strong_keys(const STACK_OF(X509) *chain, int *depth)
{
	for (*depth = 0; *depth < sk_X509_num(chain); ++*depth)
		if (!chain_key_is_strong(sk_X509_value(chain, *depth)))
			return false;
	return true;
}

int chain_fault(const STACK_OF(X509) *chain, bool of_server, int *depth)
{
	if (!has_purpose(chain, of_server, depth))
		return X509_V_ERR_INVALID_PURPOSE;
	if (!has_certified_cas(chain, depth))
		return X509_V_ERR_INVALID_CA;
	if (!has_strong_keys(chain, depth))
		return *depth ? X509_V_ERR_CA_KEY_TOO_SMALL : X509_V_ERR_EE_KEY_TOO_SMALL;
	return X509_V_OK;
}

/* --- name constraints --- */

/* RFC 5280 4.2.1.10: the name itself and all below it; with a leading dot, which is not in the RFC, only what is below. */
static bool is_within(const char *domain, const ASN1_IA5STRING *base)
{
	const char *tree = (const char *)ASN1_STRING_get0_data(base);
	size_t size = (size_t)ASN1_STRING_length(base), n = strlen(domain);
	if (!size)
		return true;
	if (size > n || strncasecmp(domain + n - size, tree, size) != 0)
		return false;
	return tree[0] == '.' ? n > size : n == size || domain[n - size - 1] == '.';
}

/* RFC 5280 has no use for minimum and maximum. Who sets them means something that is not understood here. */
static bool is_understood(const GENERAL_SUBTREE *tree)
{
	return !tree->maximum && (!tree->minimum || (ASN1_INTEGER_get(tree->minimum) == 0));
}

enum verdict { SAYS_NOTHING, IS_WITHIN, IS_OUTSIDE, NOT_UNDERSTOOD };

static enum verdict judge(const STACK_OF(GENERAL_SUBTREE) *trees, const char *domain)
{
	enum verdict verdict = SAYS_NOTHING;
	for (int i = 0; i < sk_GENERAL_SUBTREE_num(trees); i++) {
		const GENERAL_SUBTREE *tree = sk_GENERAL_SUBTREE_value(trees, i);
		if (tree->base->type != GEN_DNS)
			continue;
		if (!is_understood(tree))
			return NOT_UNDERSTOOD;
		if (is_within(domain, tree->base->d.dNSName))
			verdict = IS_WITHIN;
		else if (verdict == SAYS_NOTHING)
			verdict = IS_OUTSIDE;
	}
	return verdict;
}

static bool ca_permits(X509 *ca, const char *domain)
{
	int critical;
	NAME_CONSTRAINTS *limits = X509_get_ext_d2i(ca, NID_name_constraints, &critical, NULL);
	if (!limits)
		return critical == -1;         /* not there; anything else cannot be read, or is there twice */
	enum verdict permitted = judge(limits->permittedSubtrees, domain);
	enum verdict excluded = judge(limits->excludedSubtrees, domain);
	NAME_CONSTRAINTS_free(limits);
	return (permitted == SAYS_NOTHING || permitted == IS_WITHIN) &&
		(excluded == SAYS_NOTHING || excluded == IS_OUTSIDE);
}

bool chain_permits(const STACK_OF(X509) *chain, const char *domain)
{
	for (int i = 1; i < sk_X509_num(chain); i++)
		if (!ca_permits(sk_X509_value(chain, i), domain))
			return false;
	return true;
}
