/* What endpoints are shown: real certificates of RSA and EC in the place of ours, RSA for whoever takes nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/x509v3.h>

#include "tls/identity.h"
#include "tls_harness.h"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* --- real certificates --- */

struct own {
	struct pki root, middle, leaf;
};

/* A root that everybody knows, a CA below it, and the domain's certificate with whatever key. */
static struct own own_make(const struct pki_spec *key, const char *domain)
{
	const struct pki_spec middle = {.common_name = "public CA", .is_ca = true};
	struct pki_spec leaf = *key;
	leaf.common_name = domain;
	leaf.names[0] = (struct pki_name){PKI_DNS, domain, 0};
	struct own own = {.root = pki_ca("public root")};
	own.middle = pki_make(&middle, &own.root);
	own.leaf = pki_make(&leaf, &own.middle);
	return own;
}

static void own_free(struct own *own)
{
	pki_free(&own->root);
	pki_free(&own->middle);
	pki_free(&own->leaf);
}

static void append_certificate(const struct pki *pki, const char *path)
{
	char text[PATH_MAX + 8];
	snprintf(text, sizeof(text), "%s.one", path);
	pki_write_certificate(pki, text);
	FILE *from = fopen(text, "re"), *to = fopen(path, "ae");
	assert_non_null(from);
	assert_non_null(to);
	for (int c; (c = fgetc(from)) != EOF;)
		fputc(c, to);
	fclose(from);
	fclose(to);
}

static void configure(struct world *w, const struct own *own, const char *domain)
{
	struct conf_certificate *conf = &w->certificates[w->conf.certificate_count++];
	snprintf(conf->domain, sizeof(conf->domain), "%s", domain);
	char folder[sizeof(w->folder)];
	memcpy(folder, w->folder, sizeof(folder));
	snprintf(conf->chain, sizeof(conf->chain), "%s/real-%u.pem", folder, w->conf.certificate_count);
	snprintf(conf->key, sizeof(conf->key), "%s/real-%u.key", folder, w->conf.certificate_count);
	pki_write_certificate(&own->leaf, conf->chain);
	append_certificate(&own->middle, conf->chain);
	pki_write_key(&own->leaf, conf->key, 0600);
	world_start_keyd(w);
}

static void trust_root(struct world *w, enum conn_side side, const struct own *own, int version)
{
	world_endpoint_tls(w, side, &w->site[side], NULL, version);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(w->endpoint[side].context), own->root.certificate);
}

static void check_whole_chain(const struct world *w, enum conn_side side, const struct own *own)
{
	SSL *ssl = w->endpoint[side].ssl;
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
	int first = side == SIDE_CLIENT ? 1 : 0;       /* a server's view of it is without the client's own */
	assert_int_equal(SSL_get_verify_result(ssl), X509_V_OK);
	assert_int_equal(X509_cmp(SSL_get0_peer_certificate(ssl), own->leaf.certificate), 0);
	assert_int_equal(sk_X509_num(chain), first + 1);
	assert_int_equal(X509_cmp(sk_X509_value(chain, first), own->middle.certificate), 0);
	assert_string_equal(w->told[side].secured.shown_issuer, "public CA");
}

static void shows_the_real_one(void **state)
{
	(void)state;
	static const struct pki_spec keys[] = {{.curve = "P-256"}, {.curve = "P-384"}, {.rsa_bits = 2048}, {.rsa_bits = 4096}};
	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct own outside = own_make(&keys[i], "a.example"), inside = own_make(&keys[i], "b.example");
		for (unsigned v = 0; v < 2; v++) {
			struct world *w = world_new();
			configure(w, &outside, "a.example");
			configure(w, &inside, "b.example");
			world_open(w);
			trust_root(w, SIDE_CLIENT, &inside, versions[v]);
			trust_root(w, SIDE_SERVER, &outside, versions[v]);
			world_start_tls(w, AUTH_STRONG);
			world_settle(w);
			assert_int_equal(w->told[SIDE_CLIENT].secured_count, 1);
			check_whole_chain(w, SIDE_CLIENT, &inside);
			check_whole_chain(w, SIDE_SERVER, &outside);
			world_free(w);
		}
		own_free(&outside);
		own_free(&inside);
	}
}

/* Outward the owner's, inward the guard CA: what most will have. */
static void the_other_side_sees_the_guard(void **state)
{
	(void)state;
	const struct pki_spec rsa = {.rsa_bits = 2048};
	struct own own = own_make(&rsa, "a.example");
	struct world *w = world_new();
	configure(w, &own, "a.example");
	world_open(w);
	world_endpoint_tls(w, SIDE_CLIENT, &w->site[SIDE_CLIENT], NULL, TLS1_3_VERSION);
	trust_root(w, SIDE_SERVER, &own, TLS1_3_VERSION);
	world_start_tls(w, AUTH_STRONG);
	world_settle(w);
	check_whole_chain(w, SIDE_SERVER, &own);
	assert_string_equal(w->told[SIDE_CLIENT].secured.shown_issuer, "guard CA inside");
	world_free(w);
	own_free(&own);
}

/* Nobody is told that it is good, and nobody gets one of ours in its place. */
static void what_has_expired_meanwhile_is_not_shown(void **state)
{
	(void)state;
	const struct pki_spec brief = {.to_s = 1};
	struct own own = own_make(&brief, "a.example");
	struct world *w = world_new();
	configure(w, &own, "a.example");
	sleep(2);
	world_open(w);
	world_endpoint_tls(w, SIDE_CLIENT, &w->site[SIDE_CLIENT], NULL, TLS1_3_VERSION);
	trust_root(w, SIDE_SERVER, &own, TLS1_3_VERSION);
	world_start_tls(w, AUTH_STRONG);
	world_settle(w);
	assert_int_equal(w->failures, 1);
	assert_int_equal(w->failed.failure, TLS_FAILED_KEYD);
	assert_false(w->endpoint[SIDE_SERVER].saw_certificate);
	world_free(w);
	own_free(&own);
}

/* --- kinds of leaf keys --- */

static int kind_shown(const struct world *w, enum conn_side side)
{
	assert_int_equal(w->told[side].secured_count, 1);
	assert_int_equal(SSL_get_verify_result(w->endpoint[side].ssl), X509_V_OK);
	return EVP_PKEY_get_base_id(X509_get0_pubkey(SSL_get0_peer_certificate(w->endpoint[side].ssl)));
}

static void secure_with(struct world *w, int version, const char *algorithms, const char *ciphers)
{
	world_open(w);
	for (unsigned side = 0; side < SIDES; side++) {
		world_endpoint_tls(w, side, &w->site[side], NULL, version);
		if (algorithms)
			assert_int_equal(SSL_set1_sigalgs_list(w->endpoint[side].ssl, algorithms), 1);
		if (ciphers && side == SIDE_CLIENT)
			assert_int_equal(SSL_set_cipher_list(w->endpoint[side].ssl, ciphers), 1);
	}
	/* What verifies the sites' own certificates, which are ECDSA, is another matter than what they sign with. */
	world_start_tls(w, AUTH_STRONG);
	world_settle(w);
}

static void rsa_for_who_takes_nothing_else(void **state)
{
	(void)state;
	static const char rsa_only[] = "rsa_pss_rsae_sha256:rsa_pkcs1_sha256";
	for (unsigned v = 0; v < 2; v++) {
		struct world *w = world_new();
		const struct pki_spec keys = {.rsa_bits = 2048, .common_name = "a.example",
			.names = {{PKI_DNS, "a.example", 0}}};
		const struct pki_spec server = {.rsa_bits = 2048, .common_name = "b.example",
			.names = {{PKI_DNS, "b.example", 0}}};
		pki_free(&w->site[SIDE_CLIENT]);
		pki_free(&w->site[SIDE_SERVER]);
		w->site[SIDE_CLIENT] = pki_make(&keys, &w->site_ca[WIRE_INSIDE]);
		w->site[SIDE_SERVER] = pki_make(&server, &w->site_ca[WIRE_OUTSIDE]);
		secure_with(w, versions[v], rsa_only, NULL);
		assert_int_equal(kind_shown(w, SIDE_CLIENT), EVP_PKEY_RSA);
		assert_int_equal(kind_shown(w, SIDE_SERVER), EVP_PKEY_RSA);
		world_free(w);
	}
}

/* In TLS 1.2 the ciphers say it. */
static void rsa_for_clients_with_such_ciphers(void **state)
{
	(void)state;
	struct world *w = world_new();
	secure_with(w, TLS1_2_VERSION, NULL, "ECDHE-RSA-AES128-GCM-SHA256");
	assert_int_equal(kind_shown(w, SIDE_CLIENT), EVP_PKEY_RSA);
	assert_int_equal(kind_shown(w, SIDE_SERVER), EVP_PKEY_EC);
	world_free(w);
}

static void as_configured(void **state)
{
	(void)state;
	for (unsigned v = 0; v < 2; v++) {
		struct world *w = world_new();
		w->conf.wire[WIRE_INSIDE].leaf_key = LEAF_RSA;
		w->conf.wire[WIRE_OUTSIDE].leaf_key = LEAF_ECDSA;
		secure_with(w, versions[v], NULL, NULL);
		assert_int_equal(kind_shown(w, SIDE_CLIENT), EVP_PKEY_RSA);
		assert_int_equal(kind_shown(w, SIDE_SERVER), EVP_PKEY_EC);
		world_free(w);
	}
}

/* A CA that somebody else signed completes the chain. */
static void shows_a_ca_that_is_not_a_root(void **state)
{
	(void)state;
	struct world *w = world_new();
	const struct pki_spec below = {.common_name = "guard CA below", .is_ca = true};
	struct pki ca = pki_make(&below, &w->guard_ca[WIRE_OUTSIDE]);
	pki_write_certificate(&ca, w->conf.wire[WIRE_OUTSIDE].ca_certificate);
	pki_write_key(&ca, w->conf.wire[WIRE_OUTSIDE].ca_key, 0600);
	world_start_keyd(w);
	world_secure(w, TLS1_3_VERSION);
	assert_int_equal(SSL_get_verify_result(w->endpoint[SIDE_SERVER].ssl), X509_V_OK);
	assert_string_equal(w->told[SIDE_SERVER].secured.shown_issuer, "guard CA below");
	world_free(w);
	pki_free(&ca);
}

/* --- renewal --- */

/* A certificate that lasts for seconds is made anew after some of them, and a handshake never gets one that is over. */
static void is_renewed_before_it_ends(void **state)
{
	(void)state;
	const struct pki_spec brief = {.common_name = "brief CA", .is_ca = true, .to_s = 4};
	struct world *w = world_new();
	pki_free(&w->guard_ca[WIRE_OUTSIDE]);
	w->guard_ca[WIRE_OUTSIDE] = pki_make(&brief, NULL);
	pki_write_certificate(&w->guard_ca[WIRE_OUTSIDE], w->conf.wire[WIRE_OUTSIDE].ca_certificate);
	pki_write_key(&w->guard_ca[WIRE_OUTSIDE], w->conf.wire[WIRE_OUTSIDE].ca_key, 0600);
	world_start_keyd(w);
	const struct guard_certificate *guard;
	const struct keys_wanted wanted = {.wire = WIRE_OUTSIDE, .domain = "a.example"};
	for (time_t end = time(NULL) + 3; time(NULL) < end; usleep(50000)) {
		for (unsigned i = 0; i < 4; i++)
			world_turn(w);
		if (keys_certificate(w->relay->keys, &wanted, &guard) == KEYS_READY)
			assert_true(X509_cmp_current_time(X509_get0_notAfter(guard->certificate)) > 0);
	}
	assert_in_range(w->keyd_requests[KEYD_MINT], 2, 8); /* at half of what is left, again and again */
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_the_real_one),
		cmocka_unit_test(the_other_side_sees_the_guard),
		cmocka_unit_test(what_has_expired_meanwhile_is_not_shown),
		cmocka_unit_test(rsa_for_who_takes_nothing_else),
		cmocka_unit_test(rsa_for_clients_with_such_ciphers),
		cmocka_unit_test(as_configured),
		cmocka_unit_test(shows_a_ca_that_is_not_a_root),
		cmocka_unit_test(is_renewed_before_it_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
