/* keyd: what it signs and for whom, what it refuses, and which keys it takes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "tls/identity.h"
#include "tls/keyd/serve.h"
#include "tls_pki.h"

#define COUNTER_NAME(id, name) [id] = name,
static const char *const names[] = {KEYD_COUNTERS(COUNTER_NAME)};

enum { LIFE_HOURS = 48, LIFE_S = LIFE_HOURS * 3600 };

static char folder[64];                /* one test at a time */

struct fixture {
	struct pki ca[WIRES];
	struct conf conf;
	struct conf_peer peers[2];
	struct conf_certificate certificates[3];
	struct keyd keyd;
};

static void write_files(struct fixture *f, unsigned wire)
{
	struct conf_wire *conf = &f->conf.wire[wire];
	snprintf(conf->ca_certificate, sizeof(conf->ca_certificate), "%s/ca-%u.pem", folder, wire);
	snprintf(conf->ca_key, sizeof(conf->ca_key), "%s/ca-%u.key", folder, wire);
	pki_write_certificate(&f->ca[wire], conf->ca_certificate);
	pki_write_key(&f->ca[wire], conf->ca_key, 0600);
	conf->life_hours = LIFE_HOURS;
}

/* Inside an RSA guard CA that lasts long, outside one of P-256 that ends soon. */
static int set_up(void **state)
{
	static const struct pki_spec specs[WIRES] = {
		{.common_name = "guard CA inside", .is_ca = true, .rsa_bits = 2048, .to_s = 365 * 86400},
		{.common_name = "guard CA outside", .is_ca = true, .to_s = 7200},
	};
	struct fixture *f = calloc(1, sizeof(*f));
	int fd = counters_create();
	if (!f || fd < 0)
		return -1;
	pki_folder_make(folder);
	snprintf(f->conf.domains[0], CHANNEL_NAME_MAX, "a.example");
	f->conf.domain_count = 1;
	snprintf(f->peers[0].domain, CHANNEL_NAME_MAX, "*.c.example");
	snprintf(f->peers[1].domain, CHANNEL_NAME_MAX, "b.example");
	f->conf.peers = f->peers;
	f->conf.peer_count = 2;
	for (unsigned wire = 0; wire < WIRES; wire++) {
		f->ca[wire] = pki_make(&specs[wire], NULL);
		write_files(f, wire);
	}
	struct counters *counters = counters_open(fd, names, KEYD_COUNTERS_END);
	assert_non_null(counters);
	f->conf.certificates = f->certificates;
	assert_int_equal(keyd_init(&f->keyd, &f->conf, counters), 0);
	close(fd);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	keyd_fini(&f->keyd);
	for (unsigned wire = 0; wire < WIRES; wire++)
		pki_free(&f->ca[wire]);
	pki_folder_remove(folder);
	free(f);
	return 0;
}

static uint64_t counted(const struct fixture *f, enum keyd_counter id)
{
	return atomic_load(&f->keyd.counters->table[id].value);
}

/* --- minting --- */

static enum keyd_status mint(struct fixture *f, enum wire wire, const char *domain, struct keyd_answer *answer)
{
	struct keyd_request request = {.version = KEYD_VERSION, .type = KEYD_MINT, .id = 77, .wire = wire};
	snprintf(request.domain, sizeof(request.domain), "%s", domain);
	assert_int_equal(keyd_serve(&f->keyd, &request, sizeof(request), answer), 0);
	assert_int_equal(answer->version, KEYD_VERSION);
	assert_int_equal(answer->type, KEYD_MINT);
	assert_int_equal(answer->id, 77);
	assert_int_equal(answer->status == KEYD_OK, answer->len > 0);
	return answer->status;
}

static X509 *minted(struct fixture *f, enum wire wire, const char *domain)
{
	struct keyd_answer answer;
	assert_int_equal(mint(f, wire, domain, &answer), KEYD_OK);
	const uint8_t *at = answer.bytes;
	X509 *certificate = d2i_X509(NULL, &at, (long)answer.len);
	assert_non_null(certificate);
	assert_ptr_equal(at, answer.bytes + answer.len);
	return certificate;
}

static time_t seconds_of(const ASN1_TIME *t)
{
	struct tm tm;
	assert_int_equal(ASN1_TIME_to_tm(t, &tm), 1);
	return timegm(&tm);
}

static void verify(struct fixture *f, enum wire wire, X509 *certificate, int purpose)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	X509_STORE_add_cert(store, f->ca[wire].certificate);
	assert_int_equal(X509_STORE_CTX_init(context, store, certificate, NULL), 1);
	X509_STORE_CTX_set_purpose(context, purpose);
	X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(context), 2);
	X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context), X509_V_FLAG_X509_STRICT);
	if (X509_verify_cert(context) != 1)
		fail_msg("%s", X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
}

static void makes_certificates(void **state)
{
	struct fixture *f = *state;
	X509 *certificate = minted(f, WIRE_INSIDE, "b.example");
	time_t now = time(NULL), from = seconds_of(X509_get0_notBefore(certificate)),
	       to = seconds_of(X509_get0_notAfter(certificate));
	assert_true(from <= now - MINT_BACKDATE_S && from > now - MINT_BACKDATE_S - 60);
	assert_true(to <= now + LIFE_S && to > now + LIFE_S - 60);
	verify(f, WIRE_INSIDE, certificate, X509_PURPOSE_SSL_SERVER);
	verify(f, WIRE_INSIDE, certificate, X509_PURPOSE_SSL_CLIENT);
	assert_int_equal(X509_check_ca(certificate), 0);
	assert_int_equal(X509_get_key_usage(certificate), KU_DIGITAL_SIGNATURE);
	assert_int_equal(EVP_PKEY_get_base_id(X509_get0_pubkey(certificate)), EVP_PKEY_EC);
	assert_non_null(X509_get0_authority_key_id(certificate));
	X509_free(certificate);
	assert_int_equal(counted(f, KEYD_COUNT_MINTED), 1);
}

/* Each of the two names alone is there: DNS-ID, and SRV-ID (Prosody looks for that only). */
static void names_it_both_ways(void **state)
{
	X509 *certificate = minted(*state, WIRE_INSIDE, "b.example");
	assert_int_equal(X509_check_host(certificate, "b.example", 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL), 1);
	GENERAL_NAMES *all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	assert_int_equal(sk_GENERAL_NAME_num(all), 2);
	const GENERAL_NAME *srv = sk_GENERAL_NAME_value(all, 1);
	assert_int_equal(srv->type, GEN_OTHERNAME);
	assert_int_equal(OBJ_obj2nid(srv->d.otherName->type_id), NID_SRVName);
	const ASN1_STRING *text = srv->d.otherName->value->value.ia5string;
	assert_int_equal(ASN1_STRING_length(text), 22);
	assert_memory_equal(ASN1_STRING_get0_data(text), "_xmpp-server.b.example", 22);
	GENERAL_NAMES_free(all);
	X509_free(certificate);
}

static void never_outlives_its_ca(void **state)
{
	struct fixture *f = *state;
	X509 *certificate = minted(f, WIRE_OUTSIDE, "a.example");
	const ASN1_TIME *end_of_ca = X509_get0_notAfter(f->ca[WIRE_OUTSIDE].certificate);
	assert_int_equal(ASN1_TIME_compare(X509_get0_notAfter(certificate), end_of_ca), 0);
	verify(f, WIRE_OUTSIDE, certificate, X509_PURPOSE_SSL_SERVER);
	X509_free(certificate);
}

static void serial_numbers_are_random(void **state)
{
	X509 *first = minted(*state, WIRE_INSIDE, "b.example"), *second = minted(*state, WIRE_INSIDE, "b.example");
	assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(first), X509_get0_serialNumber(second)), 0);
	assert_int_equal(ASN1_STRING_length(X509_get0_serialNumber(first)), 16);
	/* One leaf key for each wire. */
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(first), X509_get0_pubkey(second)), 1);
	X509 *outside = minted(*state, WIRE_OUTSIDE, "a.example");
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(first), X509_get0_pubkey(outside)), 0);
	X509_free(first);
	X509_free(second);
	X509_free(outside);
}

static void long_names_fit(void **state)
{
	char domain[256] = "";
	for (unsigned i = 0; i < 60; i++)
		memcpy(domain + 4 * i, "abc.", 5);
	memcpy(domain + 240, "c.example", 10);
	X509 *certificate = minted(*state, WIRE_INSIDE, domain);
	assert_true(identity_proves(certificate, domain));
	X509_free(certificate);
}

static void signs_for_nobody_else(void **state)
{
	static const struct {
		enum wire wire;
		const char *domain;
		bool good;
	} rows[] = {
		{WIRE_OUTSIDE, "a.example", true},
		{WIRE_INSIDE, "b.example", true},
		{WIRE_INSIDE, "x.c.example", true},
		{WIRE_INSIDE, "y.x.c.example", true},
		{WIRE_INSIDE, "a.example", false},     /* ours are never shown to ours */
		{WIRE_OUTSIDE, "b.example", false},
		{WIRE_OUTSIDE, "x.a.example", false},
		{WIRE_INSIDE, "c.example", false},
		{WIRE_INSIDE, "B.example", false},
		{WIRE_INSIDE, "bank.example", false},
		{WIRE_INSIDE, "xb.example", false},
		{WIRE_INSIDE, "b.example.", false},
		{WIRE_INSIDE, "*.c.example", false},
		{WIRE_INSIDE, ".c.example", false},
		{WIRE_INSIDE, "x..c.example", false},
		{WIRE_INSIDE, "bank.example,DNS:x.c.example", false},
		{WIRE_INSIDE, "bank.example\n.c.example", false},
		{WIRE_INSIDE, "\xc3\xbc.c.example", false},
		{WIRE_INSIDE, "a b.c.example", false},
		{WIRE_INSIDE, "*", false},
	};
	struct fixture *f = *state;
	struct keyd_answer answer;
	uint64_t refused = 0;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		enum keyd_status status = mint(f, rows[i].wire, rows[i].domain, &answer);
		if (status != (rows[i].good ? KEYD_OK : KEYD_NOT_OURS))
			fail_msg("%s on wire %d: status %d", rows[i].domain, rows[i].wire, status);
		refused += !rows[i].good;
	}
	assert_int_equal(counted(f, KEYD_COUNT_NOT_OURS), refused);
}

/* Even where any peer is welcome. */
static void a_wildcard_for_all_is_not_for_ours(void **state)
{
	struct fixture *f = *state;
	struct keyd_answer answer;
	snprintf(f->peers[0].domain, CHANNEL_NAME_MAX, "*");
	assert_int_equal(mint(f, WIRE_INSIDE, "any.example", &answer), KEYD_OK);
	assert_int_equal(mint(f, WIRE_INSIDE, "a.example", &answer), KEYD_NOT_OURS);
	assert_int_equal(mint(f, WIRE_INSIDE, "x.example,DNS:a.example", &answer), KEYD_NOT_OURS);
	assert_int_equal(mint(f, WIRE_OUTSIDE, "any.example", &answer), KEYD_NOT_OURS);
}

/* --- signing --- */

static void signs_digests(void **state)
{
	struct fixture *f = *state;
	for (unsigned wire = 0; wire < WIRES; wire++) {
		X509 *certificate = minted(f, wire, wire == WIRE_INSIDE ? "b.example" : "a.example");
		EVP_PKEY_CTX *check = EVP_PKEY_CTX_new(X509_get0_pubkey(certificate), NULL);
		assert_int_equal(EVP_PKEY_verify_init(check), 1);
		for (uint32_t len = 32; len <= 64; len += 16) {
			struct keyd_request request = {
				.version = KEYD_VERSION, .type = KEYD_SIGN, .id = 5, .wire = wire, .key = KEYD_LEAVES * wire,
				.input_len = len};
			struct keyd_answer answer;
			memset(request.input, 0x5a, len);
			assert_int_equal(keyd_serve(&f->keyd, &request, sizeof(request), &answer), 0);
			assert_int_equal(answer.status, KEYD_OK);
			assert_int_equal(answer.id, 5);
			assert_int_equal(EVP_PKEY_verify(check, answer.bytes, answer.len, request.input, len), 1);
		}
		EVP_PKEY_CTX_free(check);
		X509_free(certificate);
	}
	assert_int_equal(counted(f, KEYD_COUNT_SIGNED), 6);
}

static enum keyd_status ask_to_sign(struct fixture *f, struct keyd_request *request, struct keyd_answer *answer)
{
	request->version = KEYD_VERSION;
	request->type = KEYD_SIGN;
	assert_int_equal(keyd_serve(&f->keyd, request, sizeof(*request), answer), 0);
	return answer->status;
}

static EVP_PKEY *rsa_leaf(struct fixture *f)
{
	EVP_PKEY *key = mint_leaf_key(&f->keyd.mint[WIRE_INSIDE], KEYD_LEAF_RSA);
	assert_non_null(key);
	return key;
}

static void signs_with_rsa(void **state)
{
	struct fixture *f = *state;
	struct keyd_answer answer;
	EVP_PKEY_CTX *check = EVP_PKEY_CTX_new(rsa_leaf(f), NULL);
	const EVP_MD *digests[] = {EVP_sha256(), EVP_sha384(), EVP_sha512()};
	for (uint32_t i = 0; i < 3; i++) {
		struct keyd_request request = {.wire = WIRE_INSIDE, .key = KEYD_LEAF_RSA, .scheme = KEYD_PKCS1,
			.input_len = 32 + 16 * i};
		memset(request.input, 0x5a, request.input_len);
		assert_int_equal(ask_to_sign(f, &request, &answer), KEYD_OK);
		assert_int_equal(EVP_PKEY_verify_init(check), 1);
		assert_int_equal(EVP_PKEY_CTX_set_signature_md(check, digests[i]), 1);
		assert_int_equal(EVP_PKEY_verify(check, answer.bytes, answer.len, request.input, request.input_len), 1);
	}
	EVP_PKEY_CTX_free(check);
}

/* The block of a PSS signature that somebody else made: EMSA-PSS, as OpenSSL would hand it to keyd. */
static void pss_block(EVP_PKEY *key, const EVP_MD *digest, int salt, uint8_t *block)
{
	uint8_t hash[64] = {7}, signature[256];
	size_t len = sizeof(signature), block_len = 256;
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	assert_int_equal(EVP_PKEY_sign_init(context), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING), 1);
	assert_int_equal(EVP_PKEY_CTX_set_signature_md(context, digest), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt), 1);
	assert_int_equal(EVP_PKEY_sign(context, signature, &len, hash, (size_t)EVP_MD_get_size(digest)), 1);
	EVP_PKEY_CTX_free(context);
	context = EVP_PKEY_CTX_new(key, NULL);
	assert_int_equal(EVP_PKEY_encrypt_init(context), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING), 1);
	assert_int_equal(EVP_PKEY_encrypt(context, block, &block_len, signature, len), 1);
	EVP_PKEY_CTX_free(context);
}

/* Each bit that is not the digest's own matters; and nothing that could be a PKCS #1 signature or a ciphertext passes. */
static void signs_only_whole_blocks(void **state)
{
	struct fixture *f = *state;
	struct keyd_answer answer;
	struct keyd_request request = {.wire = WIRE_INSIDE, .key = KEYD_LEAF_RSA, .scheme = KEYD_PSS, .input_len = 256};
	const EVP_MD *digests[] = {EVP_sha256(), EVP_sha384(), EVP_sha512()};
	unsigned refused = 0;
	for (unsigned i = 0; i < 3; i++) {
		pss_block(rsa_leaf(f), digests[i], EVP_MD_get_size(digests[i]), request.input);
		assert_int_equal(ask_to_sign(f, &request, &answer), KEYD_OK);
		assert_int_equal(answer.len, 256);
		for (unsigned bit = 0; bit < 8 * 256; bit += 37) {
			size_t digest = (size_t)EVP_MD_get_size(digests[i]), at = bit / 8;
			bool of_salt = at >= 255 - 2 * digest && at < 255 - digest;
			request.input[at] ^= (uint8_t)(1 << bit % 8);
			if (!of_salt) {
				assert_int_equal(ask_to_sign(f, &request, &answer), KEYD_NOT_OURS);
				refused++;
			}
			request.input[at] ^= (uint8_t)(1 << bit % 8);
		}
	}
	pss_block(rsa_leaf(f), EVP_sha256(), 20, request.input);
	assert_int_equal(ask_to_sign(f, &request, &answer), KEYD_NOT_OURS);
	memset(request.input, 0xff, 256);
	request.input[0] = 0, request.input[1] = 1;    /* PKCS #1, of any bytes at all */
	assert_int_equal(ask_to_sign(f, &request, &answer), KEYD_NOT_OURS);
	memset(request.input, 0, 256);
	assert_int_equal(ask_to_sign(f, &request, &answer), KEYD_NOT_OURS);
	assert_int_equal(counted(f, KEYD_COUNT_NO_BLOCK), refused + 3);
}

static void keys_are_of_their_wire_and_kind(void **state)
{
	static const struct {
		uint32_t wire, key, scheme;
	} rows[] = {
		{WIRE_OUTSIDE, 0, KEYD_ECDSA},         /* the other wire's */
		{WIRE_INSIDE, KEYD_LEAVES, KEYD_ECDSA},
		{WIRE_INSIDE, 1, KEYD_PKCS1},          /* not made yet */
		{WIRE_INSIDE, 0, KEYD_PKCS1},          /* another kind */
		{WIRE_INSIDE, WIRES * KEYD_LEAVES, KEYD_ECDSA}, /* no such */
		{WIRE_INSIDE, KEYD_KEYS_MAX - 1, KEYD_ECDSA},
	};
	struct fixture *f = *state;
	struct keyd_answer answer;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct keyd_request request = {
			.wire = rows[i].wire, .key = rows[i].key, .scheme = rows[i].scheme, .input_len = 32};
		assert_int_equal(ask_to_sign(f, &request, &answer), KEYD_NOT_OURS);
		assert_int_equal(answer.len, 0);
	}
	assert_int_equal(counted(f, KEYD_COUNT_SIGNED), 0);
	assert_int_equal(counted(f, KEYD_COUNT_NO_KEY) + counted(f, KEYD_COUNT_NO_BLOCK), 6);
}

/* --- names --- */

static const ASN1_STRING *address_in(X509 *certificate, GENERAL_NAMES **all)
{
	*all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	assert_int_equal(sk_GENERAL_NAME_num(*all), 3);
	const GENERAL_NAME *name = sk_GENERAL_NAME_value(*all, 2);
	assert_int_equal(OBJ_obj2nid(name->d.otherName->type_id), NID_XmppAddr);
	assert_int_equal(name->d.otherName->value->type, V_ASN1_UTF8STRING);
	return name->d.otherName->value->value.utf8string;
}

/* An address has U-labels where DNS has A-labels. */
static void names_addresses_where_they_are_wanted(void **state)
{
	static const struct {
		const char *domain, *address;
	} rows[] = {
		{"b.example", "b.example"},
		{"xn--bcher-kva.c.example", "b\xc3\xbc" "cher.c.example"},
		{"xn--0000000.c.example", "xn--0000000.c.example"},     /* no A-label: left as it is */
	};
	struct fixture *f = *state;
	f->keyd.mint[WIRE_INSIDE].xmpp_addr = true;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		GENERAL_NAMES *all;
		X509 *certificate = minted(f, WIRE_INSIDE, rows[i].domain);
		const ASN1_STRING *address = address_in(certificate, &all);
		assert_int_equal(ASN1_STRING_length(address), strlen(rows[i].address));
		assert_memory_equal(ASN1_STRING_get0_data(address), rows[i].address, strlen(rows[i].address));
		assert_true(identity_proves(certificate, rows[i].domain));
		GENERAL_NAMES_free(all);
		X509_free(certificate);
	}
}

/* Those that the configuration has as a pattern, and no others. */
static void makes_certificates_for_subdomains(void **state)
{
	struct fixture *f = *state;
	struct keyd_answer answer;
	assert_int_equal(mint(f, WIRE_OUTSIDE, "conference.a.example", &answer), KEYD_NOT_OURS);
	snprintf(f->conf.domains[1], CHANNEL_NAME_MAX, "*.a.example");
	f->conf.domain_count = 2;
	assert_int_equal(mint(f, WIRE_OUTSIDE, "conference.a.example", &answer), KEYD_OK);
	assert_int_equal(mint(f, WIRE_OUTSIDE, "x.pubsub.a.example", &answer), KEYD_OK);
	assert_int_equal(mint(f, WIRE_INSIDE, "conference.a.example", &answer), KEYD_NOT_OURS);
	assert_int_equal(mint(f, WIRE_OUTSIDE, "xa.example", &answer), KEYD_NOT_OURS);
	assert_int_equal(mint(f, WIRE_OUTSIDE, "*.a.example", &answer), KEYD_NOT_OURS);
	snprintf(f->peers[0].domain, CHANNEL_NAME_MAX, "*");
	assert_int_equal(mint(f, WIRE_INSIDE, "conference.a.example", &answer), KEYD_NOT_OURS);
}

/* A broken tls cannot have the whole world where any peer is welcome; those that are named are not held up by it. */
static void makes_no_more_for_strangers_than_it_should(void **state)
{
	struct fixture *f = *state;
	struct keyd_answer answer;
	char domain[32];
	snprintf(f->peers[0].domain, CHANNEL_NAME_MAX, "*");
	for (unsigned i = 0; i < SERVE_STRANGERS_MAX + 10; i++) {
		snprintf(domain, sizeof(domain), "s%u.example", i);
		assert_int_equal(mint(f, WIRE_INSIDE, domain, &answer), i < SERVE_STRANGERS_MAX ? KEYD_OK : KEYD_TOO_MANY);
	}
	assert_int_equal(counted(f, KEYD_COUNT_TOO_MANY), 10);
	assert_int_equal(mint(f, WIRE_INSIDE, "b.example", &answer), KEYD_OK);
	assert_int_equal(mint(f, WIRE_OUTSIDE, "a.example", &answer), KEYD_OK);
	f->keyd.minute -= SERVE_STRANGERS_S;
	assert_int_equal(mint(f, WIRE_INSIDE, "late.example", &answer), KEYD_OK);
}

/* --- real certificates --- */

static int init_real(struct fixture *f, const char *domain, const struct pki *chain, const struct pki *key)
{
	struct conf_certificate own = {.line = 30};
	struct real real;
	snprintf(own.domain, sizeof(own.domain), "%s", domain);
	snprintf(own.chain, sizeof(own.chain), "%s/real.pem", folder);
	snprintf(own.key, sizeof(own.key), "%s/real.key", folder);
	if (chain)
		pki_write_certificate(chain, own.chain);
	if (key)
		pki_write_key(key, own.key, 0600);
	int rc = real_init(&real, &f->conf, &own);
	real_fini(&real);
	return rc;
}

static void wants_real_certificates_good(void **state)
{
	static const struct pki_spec bad[] = {
		{.names = {{PKI_DNS, "b.example", 0}}},                                /* of another */
		{.names = {{PKI_DNS, "a.example", 0}}, .from_s = -7200, .to_s = -60},  /* expired */
		{.names = {{PKI_DNS, "a.example", 0}}, .from_s = 3600},                /* not yet */
		{.names = {{PKI_DNS, "a.example", 0}}, .rsa_bits = 1024},
		{.names = {{PKI_DNS, "a.example", 0}}, .curve = "secp256k1", .common_name = "no such curve in TLS"},
		{.names = {{PKI_DNS, "a.example", 0}}, .is_ca = true},
	};
	struct fixture *f = *state;
	struct pki good = pki_server("a.example", NULL), other = pki_server("a.example", NULL);
	assert_int_equal(init_real(f, "a.example", &good, &good), 0);
	assert_int_equal(init_real(f, "a.example", NULL, &other), -EINVAL);    /* not its key */
	assert_int_equal(init_real(f, "sub.a.example", &good, &good), -EINVAL);
	assert_int_equal(init_real(f, "*.a.example", &good, &good), 0);        /* its names are looked at later */
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pki pki = pki_make(&bad[i], NULL);
		if (init_real(f, "a.example", &pki, &pki) != -EINVAL)
			fail_msg("row %u", i);
		pki_free(&pki);
	}
	char path[128];
	snprintf(path, sizeof(path), "%s/real.pem", folder);
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(init_real(f, "a.example", NULL, &good), -EINVAL);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(init_real(f, "a.example", NULL, &good), -EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(init_real(f, "a.example", NULL, &good), -EINVAL);
	pki_free(&good);
	pki_free(&other);
}

/* Whose key signs is keyd's to say; the name of a pattern's certificate is looked at each time. */
static void shows_real_certificates(void **state)
{
	struct fixture *f = *state;
	struct keyd_answer answer;
	struct conf_certificate *own = &f->certificates[0];
	struct pki good = pki_server("x.c.example", NULL);
	snprintf(own->domain, sizeof(own->domain), "*.c.example");
	snprintf(own->chain, sizeof(own->chain), "%s/real.pem", folder);
	snprintf(own->key, sizeof(own->key), "%s/real.key", folder);
	pki_write_certificate(&good, own->chain);
	pki_write_key(&good, own->key, 0600);
	f->conf.certificate_count = 1;
	struct counters *counters = f->keyd.counters;
	keyd_fini(&f->keyd);
	assert_int_equal(keyd_init(&f->keyd, &f->conf, counters), 0);
	X509 *shown = minted(f, WIRE_INSIDE, "x.c.example");
	assert_int_equal(X509_cmp(shown, good.certificate), 0);
	X509_free(shown);
	assert_int_equal(mint(f, WIRE_INSIDE, "y.c.example", &answer), KEYD_FAILED);
	struct keyd_request request = {.wire = WIRE_INSIDE, .key = WIRES * KEYD_LEAVES, .input_len = 32};
	assert_int_equal(ask_to_sign(f, &request, &answer), KEYD_OK);
	request.wire = WIRE_OUTSIDE;
	assert_int_equal(ask_to_sign(f, &request, &answer), KEYD_NOT_OURS);
	request.key = WIRES * KEYD_LEAVES + 1;
	assert_int_equal(ask_to_sign(f, &request, &answer), KEYD_NOT_OURS);
	assert_int_equal(counted(f, KEYD_COUNT_REAL), 1);
	pki_free(&good);
}

/* What stands for a server that could not be verified, nobody can verify: not with any CA of ours. */
static void mints_what_nobody_can_verify(void **state)
{
	struct fixture *f = *state;
	struct keyd_answer answer;
	struct keyd_request request = {.version = KEYD_VERSION, .type = KEYD_MINT_UNVERIFIED, .id = 8, .wire = WIRE_INSIDE,
		.domain = "b.example"};
	assert_int_equal(keyd_serve(&f->keyd, &request, sizeof(request), &answer), 0);
	assert_int_equal(answer.status, KEYD_OK);
	const uint8_t *at = answer.bytes;
	X509 *certificate = d2i_X509(NULL, &at, answer.len);
	assert_non_null(certificate);
	assert_int_equal(X509_self_signed(certificate, 1), 1);
	for (unsigned wire = 0; wire < WIRES; wire++)
		assert_int_not_equal(X509_check_issued(f->keyd.mint[wire].ca, certificate), X509_V_OK);
	/* nor by a key that good certificates have */
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(certificate), f->keyd.mint[WIRE_INSIDE].leaf_key[KEYD_LEAF_ECDSA]), 0);
	assert_int_equal(answer.key, KEYD_LEAF_UNVERIFIED + KEYD_LEAF_ECDSA);
	X509_free(certificate);
	request.type = KEYD_MINT, request.leaf = KEYD_LEAF_UNVERIFIED;
	assert_int_equal(keyd_serve(&f->keyd, &request, sizeof(request), &answer), -EPROTO);
	request.type = KEYD_MINT_UNVERIFIED, request.leaf = 0;
	memcpy(request.domain, "other.example", sizeof("other.example"));
	assert_int_equal(keyd_serve(&f->keyd, &request, sizeof(request), &answer), 0);
	assert_int_equal(answer.status, KEYD_NOT_OURS);
}

/* --- ill-formed --- */

static const struct keyd_request good = {.version = KEYD_VERSION, .type = KEYD_MINT, .domain = "b.example"};

static void expect_refused(struct fixture *f, const void *bytes, size_t n)
{
	struct keyd_answer answer;
	assert_int_equal(keyd_serve(&f->keyd, bytes, n, &answer), -EPROTO);
}

static void takes_nothing_else(void **state)
{
	struct fixture *f = *state;
	struct keyd_request request;
	uint8_t longer[sizeof(request) + 1] = {0};
	memcpy(longer, &good, sizeof(good));
	for (size_t n = 0; n < sizeof(good); n++)
		expect_refused(f, &good, n);
	expect_refused(f, longer, sizeof(longer));
	request = good, request.version++;
	expect_refused(f, &request, sizeof(request));
	request = good, request.type = 0;
	expect_refused(f, &request, sizeof(request));
	request = good, request.type = KEYD_TYPES;
	expect_refused(f, &request, sizeof(request));
	request = good, request.wire = WIRES;
	expect_refused(f, &request, sizeof(request));
	request = good, request.domain[0] = 0;
	expect_refused(f, &request, sizeof(request));
	request = good, memset(request.domain, 'b', sizeof(request.domain));
	expect_refused(f, &request, sizeof(request));
	request = good, request.type = KEYD_SIGN;
	for (uint32_t len = 0; len < 200; len++) {
		request.input_len = len;
		if (len != 32 && len != 48 && len != 64)
			expect_refused(f, &request, sizeof(request));
	}
	request.input_len = UINT32_MAX;
	expect_refused(f, &request, sizeof(request));
	request.scheme = KEYD_PSS;
	for (uint32_t len = 0; len < 600; len++) {
		request.input_len = len;
		if (len < 256 || len > KEYD_INPUT_MAX)
			expect_refused(f, &request, sizeof(request));
	}
	request.input_len = 32, request.scheme = KEYD_SCHEMES;
	expect_refused(f, &request, sizeof(request));
	request.scheme = KEYD_ECDSA, request.key = KEYD_KEYS_MAX;
	expect_refused(f, &request, sizeof(request));
	request = good, request.leaf = KEYD_LEAVES;
	expect_refused(f, &request, sizeof(request));
}

/* --- keys --- */

static int init_with(struct fixture *f)
{
	struct mint fresh;
	int rc = mint_init(&fresh, &f->conf.wire[WIRE_OUTSIDE]);
	mint_fini(&fresh);
	return rc;
}

static void wants_its_key_private(void **state)
{
	struct fixture *f = *state;
	const char *key = f->conf.wire[WIRE_OUTSIDE].ca_key;
	for (unsigned mode = 0; mode <= 0777; mode++) {
		assert_int_equal(chmod(key, mode), 0);
		assert_int_equal(init_with(f), mode & 077 ? -EINVAL : 0); /* root may read it whatever its mode */
	}
}

static void wants_its_key_in_a_file_of_its_own(void **state)
{
	struct fixture *f = *state;
	struct conf_wire *conf = &f->conf.wire[WIRE_OUTSIDE];
	char link[PATH_MAX + 8];
	snprintf(link, sizeof(link), "%s.link", conf->ca_key);
	assert_int_equal(symlink(conf->ca_key, link), 0);
	assert_int_equal(chown(conf->ca_key, 12345, 0), 0);
	assert_int_equal(init_with(f), -EINVAL);               /* another user could write it */
	assert_int_equal(chown(conf->ca_key, 0, 0), 0);
	assert_int_equal(init_with(f), 0);
	memcpy(conf->ca_key, link, strlen(link) + 1);
	assert_int_equal(init_with(f), -EINVAL);
	assert_int_equal(unlink(link), 0);
	memcpy(conf->ca_key, folder, sizeof(folder));
	assert_int_equal(init_with(f), -EINVAL);
	assert_int_equal(mkfifo(link, 0600), 0);
	memcpy(conf->ca_key, link, strlen(link) + 1);
	assert_int_equal(init_with(f), -EINVAL);               /* and does not wait for a writer */
}

static void wants_a_ca_and_its_key(void **state)
{
	struct fixture *f = *state;
	struct conf_wire *conf = &f->conf.wire[WIRE_OUTSIDE];
	struct pki leaf = pki_server("b.example", NULL);
	assert_int_equal(init_with(f), 0);
	pki_write_key(&leaf, conf->ca_key, 0600);
	assert_int_equal(init_with(f), -EINVAL);       /* another key */
	pki_write_certificate(&leaf, conf->ca_certificate);
	assert_int_equal(init_with(f), -EINVAL);       /* not a CA */
	const struct pki_spec old = {.common_name = "old CA", .is_ca = true, .from_s = -7200, .to_s = -60};
	struct pki expired = pki_make(&old, NULL);
	pki_write_key(&expired, conf->ca_key, 0600);
	pki_write_certificate(&expired, conf->ca_certificate);
	assert_int_equal(init_with(f), -EINVAL);
	assert_int_equal(truncate(conf->ca_key, 20), 0);
	assert_int_equal(init_with(f), -EINVAL);
	assert_int_equal(unlink(conf->ca_key), 0);
	assert_int_equal(init_with(f), -EINVAL);
	write_files(f, WIRE_OUTSIDE);
	assert_int_equal(init_with(f), 0);
	pki_free(&leaf);
	pki_free(&expired);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(makes_certificates, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_it_both_ways, set_up, tear_down),
		cmocka_unit_test_setup_teardown(never_outlives_its_ca, set_up, tear_down),
		cmocka_unit_test_setup_teardown(serial_numbers_are_random, set_up, tear_down),
		cmocka_unit_test_setup_teardown(long_names_fit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(signs_for_nobody_else, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_wildcard_for_all_is_not_for_ours, set_up, tear_down),
		cmocka_unit_test_setup_teardown(signs_digests, set_up, tear_down),
		cmocka_unit_test_setup_teardown(signs_with_rsa, set_up, tear_down),
		cmocka_unit_test_setup_teardown(signs_only_whole_blocks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keys_are_of_their_wire_and_kind, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_addresses_where_they_are_wanted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(makes_certificates_for_subdomains, set_up, tear_down),
		cmocka_unit_test_setup_teardown(makes_no_more_for_strangers_than_it_should, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wants_real_certificates_good, set_up, tear_down),
		cmocka_unit_test_setup_teardown(shows_real_certificates, set_up, tear_down),
		cmocka_unit_test_setup_teardown(mints_what_nobody_can_verify, set_up, tear_down),
		cmocka_unit_test_setup_teardown(takes_nothing_else, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wants_its_key_private, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wants_its_key_in_a_file_of_its_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wants_a_ca_and_its_key, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
