/* Pins; see pins.h. */
#include <stdio.h>
#include <string.h>

#include "pins.h"

enum { HEX_BYTES = 65 };

void fingerprint(const X509 *certificate, uint8_t sha256[32])
{
	unsigned len = 32;
	if (!X509_digest(certificate, EVP_sha256(), sha256, &len))
		memset(sha256, 0, 32);
}

void key_fingerprint(const X509 *certificate, uint8_t sha256[32])
{
	unsigned char *bytes = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &bytes);
	if (n <= 0 || !EVP_Digest(bytes, (size_t)n, sha256, NULL, EVP_sha256(), NULL))
		memset(sha256, 0, 32);
	OPENSSL_free(bytes);
}

/* Peers are outside; an entry such as [peer *] says nothing about our own servers. */
const struct conf_peer *pins_of(const struct conf *conf, enum wire wire, const char *domain)
{
	const struct conf_peer *peer = wire == WIRE_OUTSIDE ? conf_peer_find(conf, domain) : NULL;
	return peer && peer->pin_count ? peer : NULL;
}

static bool is_zero(const uint8_t sha256[32])
{
	static const uint8_t zero[32];
	return memcmp(sha256, zero, sizeof(zero)) == 0;
}

static void put_hex(char hex[HEX_BYTES], const uint8_t sha256[32])
{
	for (unsigned i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", sha256[i]);
}

bool pins_match(const struct conf_peer *peer, const X509 *certificate, char reason[CHANNEL_NAME_MAX])
{
	uint8_t own[32], key[32];
	char own_hex[HEX_BYTES], key_hex[HEX_BYTES];
	fingerprint(certificate, own);
	key_fingerprint(certificate, key);
	for (unsigned i = 0; i < peer->pin_count; i++) {
		const struct conf_pin *pin = &peer->pins[i];
		const uint8_t *shown = pin->of_key ? key : own;
		if (!is_zero(shown) && memcmp(shown, pin->sha256, sizeof(pin->sha256)) == 0)
			return true;
	}
	put_hex(own_hex, own);
	put_hex(key_hex, key);
	snprintf(reason, CHANNEL_NAME_MAX, "it matches no pin: certificate:%s, key:%s", own_hex, key_hex);
	return false;
}
