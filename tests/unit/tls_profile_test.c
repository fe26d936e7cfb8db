/* TLS profiles: what the guard offers and accepts by each, as the other end sees it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tls/context.h"
#include "tls/handshake.h"
#include "tls_harness.h"

static void use_profile(struct world *w, enum wire wire, const struct conf_tls *profile)
{
	struct conf_wire *conf = &w->conf.wire[wire];
	conf->tls = *profile;
	trust_fini(&w->relay->trust[wire]);
	assert_int_equal(trust_init(&w->relay->trust[wire], &w->conf, wire), 0);
	handshake_prepare(&w->relay->trust[wire]);
}

static struct world *world_of(const char *inside, const char *outside)
{
	struct conf_tls profile;
	struct world *w = world_new();
	assert_true(conf_tls_builtin(inside, &profile));
	use_profile(w, WIRE_INSIDE, &profile);
	assert_true(conf_tls_builtin(outside, &profile));
	use_profile(w, WIRE_OUTSIDE, &profile);
	return w;
}

/* --- OpenSSL knows every name that may stand in a profile --- */

#define ALL_GROUPS "X25519:X448:P-256:P-384:P-521"
#define ALL_CIPHERS \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:" \
	"ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
#define ALL_CIPHERSUITES "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"
#define ALL_SIGNATURES \
	"ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:ed25519:ed448:rsa_pss_rsae_sha256:" \
	"rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:" \
	"rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512"

static const struct conf_tls everything = {.name = "everything", .versions = "1.2:1.3", .groups = ALL_GROUPS,
	.ciphers = ALL_CIPHERS, .ciphersuites = ALL_CIPHERSUITES, .signatures = ALL_SIGNATURES};

/* The profile with nothing but the n-th name in one of its lists. False: there is no n-th. */
static bool only_nth(struct conf_tls *profile, size_t list, unsigned n)
{
	char *text = (char *)profile + list;
	while (n-- && text)
		text = strchr(text, ':') ? strchr(text, ':') + 1 : NULL;
	if (!text)
		return false;
	size_t len = strcspn(text, ":");
	memmove((char *)profile + list, text, len);
	((char *)profile + list)[len] = 0;
	return true;
}

static unsigned cipher_count(const SSL_CTX *context)
{
	return (unsigned)sk_SSL_CIPHER_num(SSL_CTX_get_ciphers(context));
}

static void every_name_is_known(void **state)
{
	(void)state;
	static const size_t lists[] = {offsetof(struct conf_tls, groups), offsetof(struct conf_tls, ciphers),
		offsetof(struct conf_tls, ciphersuites), offsetof(struct conf_tls, signatures)};
	static const unsigned names[] = {5, 6, 3, 14};
	X509_STORE *store = X509_STORE_new();
	for (unsigned i = 0; i < 4; i++) {
		unsigned n = 0;
		for (;; n++) {
			struct conf_tls profile = everything;
			if (!only_nth(&profile, lists[i], n))
				break;
			SSL_CTX *context = context_new(TLS_method(), store, &profile);
			if (!context)
				fail_msg("OpenSSL does not know %s", (char *)&profile + lists[i]);
			assert_int_equal(cipher_count(context), i == 1 ? 3 + 1 : i == 2 ? 1 + 6 : 9);
			SSL_CTX_free(context);
		}
		assert_int_equal(n, names[i]);
	}
	struct conf_tls unknown = everything;
	snprintf(unknown.groups, sizeof(unknown.groups), "P-257");
	assert_null(context_new(TLS_method(), store, &unknown));
	X509_STORE_free(store);
}

/* --- what the guard says as a client --- */

struct hello {
	uint8_t bytes[4096];
	size_t len;
	const uint8_t *ciphers, *compressions, *extensions;
	size_t ciphers_len, compressions_len, extensions_len;
};

static unsigned get16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

/* One record with a ClientHello in it (RFC 8446 4.1.2), as it stands in the queue of a server that does not look. */
static void hello_to_server(const struct conf_tls *profile, struct hello *hello)
{
	struct world *w = world_new();
	use_profile(w, WIRE_OUTSIDE, profile);
	world_open(w);
	world_endpoint_tls(w, SIDE_SERVER, &w->site[SIDE_SERVER], NULL, TLS1_3_VERSION);
	w->endpoint[SIDE_SERVER].frozen = true;
	world_start_tls(w, AUTH_STRONG);
	world_settle(w);
	hello->len = (size_t)BIO_read(w->endpoint[SIDE_SERVER].in, hello->bytes, sizeof(hello->bytes));
	world_free(w);
	const uint8_t *at = hello->bytes;
	assert_true(hello->len > 50 && at[0] == SSL3_RT_HANDSHAKE && at[5] == SSL3_MT_CLIENT_HELLO);
	assert_int_equal(get16(at + 3) + 5, hello->len);
	at += 5 + 4 + 2 + 32;
	at += 1 + at[0];                       /* the session id of middlebox compatibility */
	hello->ciphers_len = get16(at), hello->ciphers = at + 2;
	at = hello->ciphers + hello->ciphers_len;
	hello->compressions_len = at[0], hello->compressions = at + 1;
	at = hello->compressions + hello->compressions_len;
	hello->extensions_len = get16(at), hello->extensions = at + 2;
	assert_ptr_equal(hello->extensions + hello->extensions_len, hello->bytes + hello->len);
}

/* NULL: it is not there. */
static const uint8_t *extension(const struct hello *hello, unsigned type, size_t *len)
{
	const uint8_t *at = hello->extensions, *end = at + hello->extensions_len;
	for (; at < end; at += 4 + get16(at + 2)) {
		*len = get16(at + 2);
		if (get16(at) == type)
			return at + 4;
	}
	return NULL;
}

static void expect_extension(const struct hello *hello, unsigned type, const char *expected, size_t n)
{
	size_t len = 0;
	const uint8_t *at = extension(hello, type, &len);
	if (!at || len != n || memcmp(at, expected, n))
		fail_msg("extension %u: %zu bytes, not as expected", type, len);
}

#define EXPECT_EXTENSION(hello, type, bytes) expect_extension(hello, type, bytes, sizeof(bytes) - 1)

/* 1.2: six ciphers, as configured, behind three of 1.3, and the sign of secure renegotiation (RFC 5746 3.3). */
static void intermediate_hello(void **state)
{
	(void)state;
	struct conf_tls profile;
	assert_true(conf_tls_builtin("intermediate", &profile));
	struct hello hello;
	hello_to_server(&profile, &hello);
	static const char ciphers[] = "\x13\x02\x13\x03\x13\x01"
		"\xc0\x2c\xc0\x30\xcc\xa9\xcc\xa8\xc0\x2b\xc0\x2f\x00\xff";
	assert_int_equal(hello.ciphers_len, sizeof(ciphers) - 1);
	assert_memory_equal(hello.ciphers, ciphers, hello.ciphers_len);
	EXPECT_EXTENSION(&hello, 43, "\x04\x03\x04\x03\x03");                          /* versions */
	EXPECT_EXTENSION(&hello, 10, "\x00\x06\x00\x1d\x00\x17\x00\x18");              /* groups */
	EXPECT_EXTENSION(&hello, 13,                                                   /* signatures */
		"\x00\x14\x04\x03\x05\x03\x06\x03\x08\x07\x08\x04\x08\x05\x08\x06\x04\x01\x05\x01\x06\x01");
	EXPECT_EXTENSION(&hello, 23, "");                                              /* extended master secret */
}

static void modern_and_high_hello(void **state)
{
	(void)state;
	struct conf_tls profile;
	assert_true(conf_tls_builtin("modern", &profile));
	struct hello hello;
	hello_to_server(&profile, &hello);
	assert_int_equal(hello.ciphers_len, 8);
	assert_memory_equal(hello.ciphers, "\x13\x02\x13\x03\x13\x01\x00\xff", 8);
	EXPECT_EXTENSION(&hello, 43, "\x02\x03\x04");
	assert_true(conf_tls_builtin("high", &profile));
	hello_to_server(&profile, &hello);
	assert_int_equal(hello.ciphers_len, 4);
	assert_memory_equal(hello.ciphers, "\x13\x02\x00\xff", 4);
	EXPECT_EXTENSION(&hello, 43, "\x02\x03\x04");
	EXPECT_EXTENSION(&hello, 10, "\x00\x04\x00\x18\x00\x19");
}

static void no_hello_offers_what_is_never_done(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		unsigned type;
	} never[] = {{"early data", 42}, {"authentication after the handshake", 49}, {"heartbeat", 15},
		{"truncated HMAC", 4}, {"next protocol", 13172}};
	for (const char *const *name = (const char *const[]){"intermediate", "modern", "high", NULL}; *name; name++) {
		struct conf_tls profile;
		assert_true(conf_tls_builtin(*name, &profile));
		struct hello hello;
		hello_to_server(&profile, &hello);
		size_t len;
		assert_int_equal(hello.compressions_len, 1);
		assert_int_equal(hello.compressions[0], 0);
		for (unsigned i = 0; i < sizeof(never) / sizeof(never[0]); i++)
			if (extension(&hello, never[i].type, &len))
				fail_msg("%s: offers %s", *name, never[i].what);
		assert_non_null(extension(&hello, 0, &len)); /* the server's name */
		assert_int_equal(len, 5 + strlen("b.example"));
		if (extension(&hello, 45, &len))        /* never a key exchange by a shared key alone */
			EXPECT_EXTENSION(&hello, 45, "\x01\x01");
	}
}

/* --- what it accepts --- */

static const struct offer {
	const char *what, *profile;
	int version;
	const char *ciphers, *groups, *signatures;
	const char *reason;            /* NULL: accepted */
	int alert;
} offers[] = {
	{"1.3 by modern", "modern", TLS1_3_VERSION, NULL, NULL, NULL, NULL, -1},
	{"1.2 by modern", "modern", TLS1_2_VERSION, NULL, NULL, NULL, "unsupported protocol", SSL_AD_PROTOCOL_VERSION},
	{"1.2 by high", "high", TLS1_2_VERSION, NULL, NULL, NULL, "unsupported protocol", SSL_AD_PROTOCOL_VERSION},
	{"P-384 by high", "high", TLS1_3_VERSION, NULL, "P-384", NULL, NULL, -1},
	{"X25519 by high", "high", TLS1_3_VERSION, NULL, "X25519", NULL, "no suitable key share", SSL_AD_HANDSHAKE_FAILURE},
	{"1.1", "intermediate", TLS1_1_VERSION, "ALL", NULL, NULL, "unsupported protocol", SSL_AD_PROTOCOL_VERSION},
	{"1.0", "intermediate", TLS1_VERSION, "ALL", NULL, NULL, "unsupported protocol", SSL_AD_PROTOCOL_VERSION},
	{"CBC", "intermediate", TLS1_2_VERSION, "ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA", NULL, NULL,
		"no shared cipher", SSL_AD_HANDSHAKE_FAILURE},
	{"no forward secrecy", "intermediate", TLS1_2_VERSION, "AES256-GCM-SHA384", NULL, NULL, "no shared cipher",
		SSL_AD_HANDSHAKE_FAILURE},
	{"no encryption", "intermediate", TLS1_2_VERSION, "NULL", NULL, NULL, "no shared cipher", SSL_AD_HANDSHAKE_FAILURE},
	{"nobody authenticated", "intermediate", TLS1_2_VERSION, "AECDH-AES128-SHA:ADH-AES256-GCM-SHA384", NULL, NULL,
		"no shared cipher", SSL_AD_HANDSHAKE_FAILURE},
	{"a small finite field", "intermediate", TLS1_2_VERSION, "DHE-RSA-AES256-GCM-SHA384", NULL, NULL,
		"no shared cipher", SSL_AD_HANDSHAKE_FAILURE},
	{"1.2 with AES-128", "intermediate", TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", NULL, NULL, NULL, -1},
	{"1.2 with ChaCha20", "intermediate", TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305", NULL, NULL, NULL, -1},
	{"SHA-1 signatures", "intermediate", TLS1_2_VERSION, NULL, NULL, "ECDSA+SHA1:RSA+SHA1",
		"no shared signature algorithms", SSL_AD_HANDSHAKE_FAILURE},
};

static void limit(SSL *ssl, const struct offer *offer)
{
	if (offer->ciphers)
		assert_int_equal(SSL_set_cipher_list(ssl, offer->ciphers), 1);
	if (offer->groups)
		assert_int_equal(SSL_set1_groups_list(ssl, offer->groups), 1);
	if (offer->signatures)
		assert_int_equal(SSL_set1_sigalgs_list(ssl, offer->signatures), 1);
}

/* The client comes with this offer, and the server is fine; or the other way round. */
static void try_offer(const struct offer *offer, enum conn_side side)
{
	struct world *w = side == SIDE_CLIENT ? world_of(offer->profile, "intermediate")
					      : world_of("intermediate", offer->profile);
	world_open(w);
	world_endpoint_tls(w, side, &w->site[side], NULL, offer->version);
	limit(w->endpoint[side].ssl, offer);
	world_endpoint_tls(w, side_other(side), &w->site[side_other(side)], NULL, TLS1_3_VERSION);
	world_start_tls(w, AUTH_STRONG);
	world_settle(w);
	if (!offer->reason) {
		if (w->failures || w->told[side].secured_count != 1)
			fail_msg("%s, side %d: %s", offer->what, side, w->failed.reason);
	} else {
		assert_int_equal(w->failures, 1);
		assert_int_equal(w->failed_side, side);
		assert_int_equal(w->failed.failure, TLS_FAILED_HANDSHAKE);
		assert_false(w->endpoint[side_other(side)].saw_certificate);
		if (side == SIDE_CLIENT && strcmp(w->failed.reason, offer->reason))
			fail_msg("%s: \"%s\"", offer->what, w->failed.reason);
		if (side == SIDE_CLIENT && w->endpoint[side].alert != offer->alert)
			fail_msg("%s: alert %d", offer->what, w->endpoint[side].alert);
	}
	world_free(w);
}

static void clients_by_profile(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(offers) / sizeof(offers[0]); i++)
		try_offer(&offers[i], SIDE_CLIENT);
}

static void servers_by_profile(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(offers) / sizeof(offers[0]); i++)
		try_offer(&offers[i], SIDE_SERVER);
}

static void each_side_has_its_own(void **state)
{
	(void)state;
	struct world *w = world_of("intermediate", "high");
	world_open(w);
	for (unsigned side = 0; side < SIDES; side++)
		world_endpoint_tls(w, side, &w->site[side], NULL, side == SIDE_CLIENT ? TLS1_2_VERSION : TLS1_3_VERSION);
	world_start_tls(w, AUTH_STRONG);
	world_settle(w);
	assert_int_equal(w->failures, 0);
	assert_string_equal(w->told[SIDE_CLIENT].secured.version, "TLSv1.2");
	assert_string_equal(w->told[SIDE_SERVER].secured.cipher, "TLS_AES_256_GCM_SHA384");
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_is_known),
		cmocka_unit_test(intermediate_hello),
		cmocka_unit_test(modern_and_high_hello),
		cmocka_unit_test(no_hello_offers_what_is_never_done),
		cmocka_unit_test(clients_by_profile),
		cmocka_unit_test(servers_by_profile),
		cmocka_unit_test(each_side_has_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
