/* Signature algorithms that endpoints offer; see algorithms.h. OpenSSL looks at them only when it has a certificate. */
#include <stdint.h>

#include "algorithms.h"

enum {
	ECDSA_P256_SHA256 = 0x0403,    /* the only one with that curve in TLS 1.3 (RFC 8446 4.2.3) */
	CERTIFICATE_TYPE_ECDSA = 64,   /* RFC 8422 5.5 */
};

/* Is it in a list with two bytes each, after so many bytes of length? */
static bool lists(const unsigned char *bytes, size_t len, size_t header, unsigned wanted)
{
	for (size_t i = header; i + 2 <= len; i += 2)
		if ((unsigned)(bytes[i] << 8 | bytes[i + 1]) == wanted)
			return true;
	return false;
}

static bool offers_1_3(SSL *ssl)
{
	const unsigned char *bytes;
	size_t len;
	return SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_supported_versions, &bytes, &len) == 1 &&
		lists(bytes, len, 1, TLS1_3_VERSION);
}

/* In TLS 1.2 a cipher names the kind of key (RFC 5289, 7905); these are all that our profiles know. */
static bool offers_ecdsa_cipher(SSL *ssl)
{
	static const unsigned ciphers[] = {0xc02b, 0xc02c, 0xcca9};
	const unsigned char *bytes;
	size_t len = SSL_client_hello_get0_ciphers(ssl, &bytes);
	for (unsigned i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++)
		if (lists(bytes, len, 0, ciphers[i]))
			return true;
	return false;
}

bool takes_client_ecdsa(SSL *ssl)
{
	const unsigned char *bytes;
	size_t len;
	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_signature_algorithms, &bytes, &len) != 1)
		return true;           /* nothing that we could sign with */
	if (!lists(bytes, len, 2, ECDSA_P256_SHA256))
		return false;
	bool with_1_3 = offers_1_3(ssl) && SSL_get_max_proto_version(ssl) >= TLS1_3_VERSION;
	return with_1_3 || offers_ecdsa_cipher(ssl);
}

static bool lists_certificate_type(SSL *ssl)
{
	const uint8_t *types;
	size_t count = SSL_get0_certificate_types(ssl, &types);
	for (size_t i = 0; i < count; i++)
		if (types[i] == CERTIFICATE_TYPE_ECDSA)
			return true;
	return SSL_version(ssl) >= TLS1_3_VERSION;
}

bool takes_server_ecdsa(SSL *ssl)
{
	unsigned char signature, hash;
	int count = SSL_get_sigalgs(ssl, 0, NULL, NULL, NULL, NULL, NULL);
	for (int i = 0; i < count; i++)
		if (SSL_get_sigalgs(ssl, i, NULL, NULL, NULL, &signature, &hash) > 0 &&
			(unsigned)(hash << 8 | signature) == ECDSA_P256_SHA256)
			return lists_certificate_type(ssl);
	return count <= 0;
}
