/* Two handshakes, one after the other's proof: who sees what when, and what each kind of failure comes to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <openssl/x509v3.h>

#include "tls/pins.h"
#include "tls_harness.h"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* --- success --- */

static void check_shown(const struct world *w, enum conn_side side, const char *domain, const char *issuer)
{
	const struct told *told = &w->told[side];
	uint8_t sha256[32];
	X509 *shown = SSL_get0_peer_certificate(w->endpoint[side].ssl);
	assert_non_null(shown);
	assert_int_equal(SSL_get_verify_result(w->endpoint[side].ssl), X509_V_OK);
	assert_int_equal(X509_check_host(shown, domain, 0, 0, NULL), 1);
	fingerprint(shown, sha256);
	assert_memory_equal(told->secured.shown_fingerprint, sha256, 32);
	assert_string_equal(told->secured.shown, domain);
	assert_string_equal(told->secured.shown_issuer, issuer);
	uint64_t life = told->secured.shown_not_after - (uint64_t)time(NULL);
	assert_true(life <= 86400 && life > 86000); /* never beyond the CA, which has a day */
}

static void check_secured(const struct world *w, enum conn_side side, const char *domain, const char *version)
{
	const struct msg_secured *secured = &w->told[side].secured;
	uint8_t sha256[32];
	fingerprint(w->site[side].certificate, sha256);
	assert_string_equal(secured->identity, domain);
	assert_memory_equal(secured->fingerprint, sha256, 32);
	assert_string_equal(secured->version, version);
	assert_string_equal(secured->cipher, SSL_get_cipher_name(w->endpoint[side].ssl));
}

static void secures_both_sides(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct world *w = world_new();
		world_secure(w, versions[i]);
		check_shown(w, SIDE_CLIENT, "b.example", "guard CA inside");
		check_shown(w, SIDE_SERVER, "a.example", "guard CA outside");
		check_secured(w, SIDE_CLIENT, "a.example", i ? "TLSv1.3" : "TLSv1.2");
		check_secured(w, SIDE_SERVER, "b.example", i ? "TLSv1.3" : "TLSv1.2");
		assert_int_equal(w->keyd_requests[KEYD_MINT], 2);
		assert_int_equal(w->keyd_requests[KEYD_SIGN], 2);
		assert_int_equal(world_counter(w, TLS_COUNT_SECURED), 1);
		world_free(w);
	}
}

static void versions_need_not_be_the_same(void **state)
{
	(void)state;
	struct world *w = world_new();
	world_open(w);
	world_endpoint_tls(w, SIDE_CLIENT, &w->site[SIDE_CLIENT], NULL, TLS1_2_VERSION);
	world_endpoint_tls(w, SIDE_SERVER, &w->site[SIDE_SERVER], NULL, TLS1_3_VERSION);
	world_start_tls(w, AUTH_STRONG);
	world_settle(w);
	check_secured(w, SIDE_CLIENT, "a.example", "TLSv1.2");
	check_secured(w, SIDE_SERVER, "b.example", "TLSv1.3");
	world_free(w);
}

static void sends_plaintext(struct world *w)
{
	const struct conn *conn = conn_find(&w->relay->conns, CONN);
	for (unsigned side = 0; side < SIDES; side++)
		assert_int_equal(SSL_get_mode(conn->layer[side].ssl) & SSL_MODE_ASYNC, 0); /* nothing will be signed */
	for (unsigned side = 0; side < SIDES; side++) {
		assert_int_equal(buf_put(&w->endpoint[side].to_send, "up", 2), 0);
		world_control_says(w, side, "down", 4);
	}
	world_settle(w);
	for (unsigned side = 0; side < SIDES; side++) {
		assert_int_equal(w->told[side].got_bytes, 2);
		assert_memory_equal(buf_head(&w->told[side].got), "up", 2);
		assert_memory_equal(buf_head(&w->endpoint[side].got), "down", 4);
	}
}

static void handshakes_in_crumbs(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct world *w = world_new();
		w->endpoint[SIDE_CLIENT].crumbs = w->endpoint[SIDE_SERVER].crumbs = true;
		world_secure(w, versions[i]);
		sends_plaintext(w);
		world_free(w);
	}
}

/* A group that we do not like best: the client is asked to begin anew (HelloRetryRequest). */
static void asks_for_another_group(void **state)
{
	(void)state;
	struct world *w = world_new();
	world_open(w);
	for (unsigned side = 0; side < SIDES; side++)
		world_endpoint_tls(w, side, &w->site[side], NULL, TLS1_3_VERSION);
	assert_int_equal(SSL_set1_groups_list(w->endpoint[SIDE_CLIENT].ssl, "P-521:P-384"), 1);
	assert_int_equal(SSL_set1_groups_list(w->endpoint[SIDE_SERVER].ssl, "P-384"), 1);
	world_start_tls(w, AUTH_STRONG);
	world_settle(w);
	assert_int_equal(w->told[SIDE_CLIENT].secured_count, 1);
	sends_plaintext(w);
	world_free(w);
}

/* --- the order of things --- */

static void client_sees_nothing_before_the_server_is_verified(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct world *w = world_new();
		world_open(w);
		for (unsigned side = 0; side < SIDES; side++)
			world_endpoint_tls(w, side, &w->site[side], NULL, versions[i]);
		w->endpoint[SIDE_SERVER].frozen = true;
		world_start_tls(w, AUTH_STRONG);
		world_settle(w);
		assert_int_equal(w->endpoint[SIDE_CLIENT].wire_bytes, 0);
		assert_int_equal(w->keyd_requests[KEYD_MINT], 0);
		assert_true(w->endpoint[SIDE_SERVER].wire_bytes > 0);
		w->endpoint[SIDE_SERVER].frozen = false;
		world_settle(w);
		assert_int_equal(w->told[SIDE_CLIENT].secured_count, 1);
		world_free(w);
	}
}

static void server_sees_no_certificate_before_the_client_is_verified(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct world *w = world_new();
		world_open(w);
		for (unsigned side = 0; side < SIDES; side++)
			world_endpoint_tls(w, side, &w->site[side], NULL, versions[i]);
		world_start_tls(w, AUTH_STRONG);
		/* The client says hello, and then nothing more. */
		world_turn(w);
		w->endpoint[SIDE_CLIENT].frozen = true;
		world_settle(w);
		assert_true(w->endpoint[SIDE_CLIENT].wire_bytes > 0);
		assert_false(w->endpoint[SIDE_SERVER].saw_certificate);
		assert_false(w->endpoint[SIDE_SERVER].done);
		assert_int_equal(w->keyd_requests[KEYD_MINT], 1);
		w->endpoint[SIDE_CLIENT].frozen = false;
		world_settle(w);
		assert_true(w->endpoint[SIDE_SERVER].saw_certificate);
		assert_int_equal(w->told[SIDE_SERVER].secured_count, 1);
		world_free(w);
	}
}

static void waits_for_keyd_without_harm(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct world *w = world_new();
		w->keyd_held = true;
		world_open(w);
		for (unsigned side = 0; side < SIDES; side++)
			world_endpoint_tls(w, side, &w->site[side], NULL, versions[i]);
		world_start_tls(w, AUTH_STRONG);
		/* Each time it is let go it answers what was asked until then: certificate, signature, and both again. */
		for (unsigned asked = 1; asked <= 4; asked++) {
			world_settle(w);
			assert_int_equal(w->told[SIDE_CLIENT].secured_count, 0);
			w->keyd_held = false;
			world_turn(w);
			w->keyd_held = true;
			assert_int_equal(w->keyd_requests[KEYD_MINT] + w->keyd_requests[KEYD_SIGN], asked);
		}
		world_settle(w);
		assert_int_equal(w->told[SIDE_CLIENT].secured_count, 1);
		sends_plaintext(w);
		world_free(w);
	}
}

/* --- certificates, bad and good --- */

enum who { BY_SITE_CA, BY_STRANGER, BY_ITSELF, NO_CERTIFICATE };

struct row {
	const char *what;
	struct pki_spec spec;          /* %s in names: the domain */
	enum who issuer;
	int failure;                   /* -1: good */
	const char *reason;            /* how it begins */
	int alert;                     /* that its owner gets */
};

#define DNS_OK .names = {{PKI_DNS, "%s", 0}}

static const struct row rows[] = {
	{"DNS-ID", {DNS_OK}, BY_SITE_CA, -1, NULL, -1},
	{"SRV-ID", {.names = {{PKI_SRV, "_xmpp-server.%s", 0}}}, BY_SITE_CA, -1, NULL, -1},
	{"xmppAddr", {.names = {{PKI_XMPP, "%s", 0}}}, BY_SITE_CA, -1, NULL, -1},
	{"RSA 2048", {.rsa_bits = 2048, DNS_OK}, BY_SITE_CA, -1, NULL, -1},
	{"server only", {.usage = "serverAuth", DNS_OK}, BY_SITE_CA, -1, NULL, -1},
	{"big", {.padding_bytes = 20000, DNS_OK}, BY_SITE_CA, -1, NULL, -1},
	{"expired", {.from_s = -7200, .to_s = -60, DNS_OK}, BY_SITE_CA, TLS_FAILED_CERTIFICATE, "the certificate expired 20",
		SSL_AD_CERTIFICATE_EXPIRED},
	{"not yet valid", {.from_s = 600, DNS_OK}, BY_SITE_CA, TLS_FAILED_CERTIFICATE, "the certificate is not valid before 20",
		SSL_AD_BAD_CERTIFICATE},
	{"unknown CA", {DNS_OK}, BY_STRANGER, TLS_FAILED_CERTIFICATE, "the certificate is signed by 'stranger', ",
		SSL_AD_UNKNOWN_CA},
	{"self-signed", {DNS_OK}, BY_ITSELF, TLS_FAILED_CERTIFICATE, "the certificate is self-signed", SSL_AD_UNKNOWN_CA},
	{"RSA 1024", {.rsa_bits = 1024, DNS_OK}, BY_SITE_CA, TLS_FAILED_CERTIFICATE, "the certificate has a weak key",
		SSL_AD_BAD_CERTIFICATE},
	{"SHA-1", {.digest = "SHA1", DNS_OK}, BY_SITE_CA, TLS_FAILED_CERTIFICATE, "the certificate has a weak signature",
		SSL_AD_BAD_CERTIFICATE},
	{"for code", {.usage = "codeSigning", DNS_OK}, BY_SITE_CA, TLS_FAILED_CERTIFICATE, "the certificate is not for ",
		SSL_AD_UNSUPPORTED_CERTIFICATE},
	{"wrong name", {.names = {{PKI_DNS, "c.example", 0}}}, BY_SITE_CA, TLS_FAILED_NAME,
		"the certificate is for c.example, not for ", SSL_AD_BAD_CERTIFICATE},
	{"wildcard above", {.names = {{PKI_DNS, "*.%s", 0}}}, BY_SITE_CA, TLS_FAILED_NAME,
		"the certificate is for *.", SSL_AD_BAD_CERTIFICATE},
	{"only a common name", {.common_name = "%s"}, BY_SITE_CA, TLS_FAILED_NAME, "the certificate is for nobody, not for ",
		SSL_AD_BAD_CERTIFICATE},
	{"none", {.common_name = NULL}, NO_CERTIFICATE, TLS_FAILED_NO_CERTIFICATE, "the peer showed no certificate", -2},
};

static void put_domain(char *to, size_t size, const char *pattern, const char *domain)
{
	const char *at = strstr(pattern, "%s");
	if (at)
		snprintf(to, size, "%.*s%s", (int)(at - pattern), pattern, domain);
	else
		snprintf(to, size, "%s", pattern);
}

static struct pki make_row(const struct world *w, const struct row *row, enum conn_side side)
{
	static char names[PKI_NAMES_MAX][300], common_name[300];
	const char *domain = side == SIDE_CLIENT ? "a.example" : "b.example";
	struct pki_spec spec = row->spec;
	for (unsigned i = 0; i < PKI_NAMES_MAX && spec.names[i].kind; i++) {
		put_domain(names[i], sizeof(names[i]), spec.names[i].bytes, domain);
		spec.names[i].bytes = names[i];
	}
	put_domain(common_name, sizeof(common_name), spec.common_name ? spec.common_name : "test", domain);
	spec.common_name = common_name;
	struct pki stranger = pki_ca("stranger");
	const struct pki *site = &w->site_ca[side == SIDE_CLIENT ? WIRE_INSIDE : WIRE_OUTSIDE];
	struct pki pki =
		pki_make(&spec, row->issuer == BY_ITSELF ? NULL : row->issuer == BY_STRANGER ? &stranger : site);
	pki_free(&stranger);
	return pki;
}

static void expect_good(const struct world *w, const struct row *row)
{
	if (w->failures || w->told[SIDE_CLIENT].secured_count != 1 || w->told[SIDE_SERVER].secured_count != 1)
		fail_msg("%s: failed: %s", row->what, w->failed.reason);
}

static void expect_bad(const struct world *w, const struct row *row, enum conn_side bad, int version)
{
	const struct endpoint *owner = &w->endpoint[bad], *other = &w->endpoint[side_other(bad)];
	if (w->failures != 1 || (int)w->failed.failure != row->failure || w->failed_side != bad ||
		strncmp(w->failed.reason, row->reason, strlen(row->reason)))
		fail_msg("%s, side %d: %u failures, side %d, %u \"%s\"", row->what, bad, w->failures, w->failed_side,
			w->failed.failure, w->failed.reason);
	assert_int_equal(w->told[SIDE_CLIENT].secured_count + w->told[SIDE_SERVER].secured_count, 0);
	int alert = row->alert != -2 ? row->alert
				     : version == TLS1_3_VERSION ? SSL_AD_CERTIFICATE_REQUIRED : SSL_AD_HANDSHAKE_FAILURE;
	if (owner->alert != alert)
		fail_msg("%s, side %d: alert %d instead of %d", row->what, bad, owner->alert, alert);
	/* The other one: no certificate of the guard, and a failed handshake. */
	assert_false(other->saw_certificate);
	assert_int_equal(other->alert, bad == SIDE_SERVER ? SSL_AD_HANDSHAKE_FAILURE : SSL_AD_INTERNAL_ERROR);
	assert_true(other->failed);
}

static void try_row(const struct row *row, enum conn_side side, int version, enum auth_level level)
{
	struct world *w = world_new();
	struct pki pki = make_row(w, row, side);
	world_open(w);
	world_endpoint_tls(w, side, row->issuer == NO_CERTIFICATE ? NULL : &pki, NULL, version);
	world_endpoint_tls(w, side_other(side), &w->site[side_other(side)], NULL, version);
	world_start_tls(w, level);
	world_settle(w);
	if (row->failure < 0)
		expect_good(w, row);
	else
		expect_bad(w, row, side, version);
	pki_free(&pki);
	world_free(w);
}

static void certificates_of_the_client(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (unsigned v = 0; v < 2; v++)
			try_row(&rows[i], SIDE_CLIENT, versions[v], AUTH_STRONG);
}

static void certificates_of_the_server(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (unsigned v = 0; v < 2; v++)
			if (rows[i].issuer != NO_CERTIFICATE)
				try_row(&rows[i], SIDE_SERVER, versions[v], AUTH_STRONG);
}

/* Whoever can do without is carried, but what it shows is believed by nobody. */
static void expect_doubted(const struct world *w, const struct row *row, enum conn_side bad)
{
	const struct msg_secured *secured = &w->told[bad].secured;
	if (w->failures || !w->told[bad].secured_count || strncmp(secured->doubt, row->reason, strlen(row->reason)))
		fail_msg("%s: %u failures \"%s\", doubt \"%s\"", row->what, w->failures, w->failed.reason, secured->doubt);
	assert_string_equal(secured->identity, "");
	assert_string_equal(w->told[side_other(bad)].secured.doubt, "");
	assert_int_equal(w->keyd_requests[KEYD_MINT], 1);      /* for the good one */
}

static void a_peer_may_be_unverified_server(const struct row *row, int version)
{
	struct world *w = world_new();
	struct pki pki = make_row(w, row, SIDE_SERVER);
	world_open(w);
	world_endpoint_tls(w, SIDE_SERVER, &pki, NULL, version);
	world_endpoint_tls(w, SIDE_CLIENT, &w->site[SIDE_CLIENT], NULL, version);
	SSL_set_verify(w->endpoint[SIDE_CLIENT].ssl, SSL_VERIFY_NONE, NULL);
	world_start_tls(w, AUTH_TLS_DIALBACK);
	world_settle(w);
	expect_doubted(w, row, SIDE_SERVER);
	assert_int_equal(SSL_get_verify_result(w->endpoint[SIDE_CLIENT].ssl), X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
	assert_string_equal(w->told[SIDE_CLIENT].secured.shown_issuer, "nobody");
	assert_int_equal(w->keyd_requests[KEYD_MINT_UNVERIFIED], 1);
	assert_int_equal(SSL_get_verify_result(w->endpoint[SIDE_SERVER].ssl), X509_V_OK);
	assert_string_equal(w->told[SIDE_CLIENT].secured.identity, "a.example");
	sends_plaintext(w);
	pki_free(&pki);
	world_free(w);
}

static void a_peer_may_be_unverified_client(const struct row *row, int version)
{
	struct world *w = world_new();
	w->inbound = true;
	struct pki pki = make_row(w, row, SIDE_SERVER);        /* of b.example */
	world_open(w);
	world_endpoint_tls(w, SIDE_CLIENT, &pki, NULL, version);
	world_endpoint_tls(w, SIDE_SERVER, &w->site[SIDE_CLIENT], NULL, version);
	world_start_tls(w, AUTH_TLS_DIALBACK);
	world_settle(w);
	expect_doubted(w, row, SIDE_CLIENT);
	assert_false(w->endpoint[SIDE_SERVER].saw_certificate);
	assert_int_equal(w->keyd_requests[KEYD_MINT_UNVERIFIED], 0);
	pki_free(&pki);
	world_free(w);
}

static void at_tls_dialback_a_peer_may_be_unverified(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (unsigned v = 0; v < 2; v++) {
			if (rows[i].failure < 0 || rows[i].issuer == NO_CERTIFICATE)
				continue;
			a_peer_may_be_unverified_server(&rows[i], versions[v]);
			a_peer_may_be_unverified_client(&rows[i], versions[v]);
		}
}

/* It would have refused the server itself, and so it does. */
static void who_verifies_refuses_an_unverified_server(void **state)
{
	(void)state;
	for (unsigned v = 0; v < 2; v++) {
		struct world *w = world_new();
		struct pki pki = pki_server("b.example", NULL);
		world_open(w);
		world_endpoint_tls(w, SIDE_SERVER, &pki, NULL, versions[v]);
		world_endpoint_tls(w, SIDE_CLIENT, &w->site[SIDE_CLIENT], NULL, versions[v]);
		world_start_tls(w, AUTH_TLS_DIALBACK);
		world_settle(w);
		assert_int_equal(w->failures, 1);
		assert_int_equal(w->failed_side, SIDE_CLIENT);
		assert_true(w->endpoint[SIDE_CLIENT].failed && w->endpoint[SIDE_SERVER].failed);
		assert_false(w->endpoint[SIDE_SERVER].saw_certificate);
		pki_free(&pki);
		world_free(w);
	}
}

static void a_bad_certificate_of_ours_is_bad_at_any_level(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].issuer != NO_CERTIFICATE)
			try_row(&rows[i], SIDE_CLIENT, TLS1_3_VERSION, AUTH_TLS_DIALBACK);
}

static void dialback_needs_no_client_certificate(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct world *w = world_new();
		world_open(w);
		world_endpoint_tls(w, SIDE_CLIENT, NULL, NULL, versions[i]);
		world_endpoint_tls(w, SIDE_SERVER, &w->site[SIDE_SERVER], NULL, versions[i]);
		world_start_tls(w, AUTH_TLS_DIALBACK);
		world_settle(w);
		assert_int_equal(w->failures, 0);
		assert_string_equal(w->told[SIDE_CLIENT].secured.identity, "");
		assert_string_equal(w->told[SIDE_SERVER].secured.identity, "b.example");
		assert_string_equal(w->told[SIDE_SERVER].secured.shown, "");
		assert_false(w->endpoint[SIDE_SERVER].saw_certificate);
		assert_int_equal(w->keyd_requests[KEYD_MINT], 1);
		sends_plaintext(w);
		world_free(w);
	}
}

/* The client chain: leaf, and this many CAs above it up to the one that the site trusts. */
static void chain_of(struct world *w, unsigned length, bool expect_success)
{
	struct pki chain[16] = {{NULL, NULL}};
	const struct pki *issuer = &w->site_ca[WIRE_INSIDE];
	for (unsigned i = length; i-- > 0; issuer = &chain[i]) {
		char name[32];
		snprintf(name, sizeof(name), "CA %u", i);
		const struct pki_spec spec = {.common_name = name, .is_ca = true, .padding_bytes = 1000};
		chain[i] = pki_make(&spec, issuer);
	}
	struct pki leaf = pki_server("a.example", issuer);
	world_open(w);
	world_endpoint_tls(w, SIDE_CLIENT, &leaf, chain, TLS1_3_VERSION);
	world_endpoint_tls(w, SIDE_SERVER, &w->site[SIDE_SERVER], NULL, TLS1_3_VERSION);
	world_start_tls(w, AUTH_STRONG);
	world_settle(w);
	assert_int_equal(w->told[SIDE_CLIENT].secured_count, expect_success);
	assert_int_equal(w->failures, !expect_success);
	for (unsigned i = 0; i < length; i++)
		pki_free(&chain[i]);
	pki_free(&leaf);
}

static void chains_are_followed_and_bounded(void **state)
{
	(void)state;
	struct world *w = world_new();
	chain_of(w, 5, true);
	world_free(w);
	w = world_new();
	chain_of(w, 12, false);
	assert_int_equal(w->failed.failure, TLS_FAILED_CERTIFICATE);
	world_free(w);
}

static void too_much_certificate(void **state)
{
	(void)state;
	struct world *w = world_new();
	const struct pki_spec spec = {.names = {{PKI_DNS, "b.example", 0}}, .padding_bytes = 150000};
	struct pki huge = pki_make(&spec, &w->site_ca[WIRE_OUTSIDE]);
	world_open(w);
	world_endpoint_tls(w, SIDE_CLIENT, &w->site[SIDE_CLIENT], NULL, TLS1_3_VERSION);
	world_endpoint_tls(w, SIDE_SERVER, &huge, NULL, TLS1_3_VERSION);
	world_start_tls(w, AUTH_STRONG);
	world_settle(w);
	assert_int_equal(w->failures, 1);
	assert_int_equal(w->failed.failure, TLS_FAILED_HANDSHAKE);
	assert_string_equal(w->failed.reason, "a message is too long: of certificates, 64 KiB are read");
	assert_false(w->endpoint[SIDE_CLIENT].saw_certificate);
	pki_free(&huge);
	world_free(w);
}

/* --- other failures --- */

static void expect_failure(const struct world *w, enum conn_side side, enum tls_failure failure, const char *reason)
{
	assert_int_equal(w->failures, 1);
	assert_int_equal(w->failed_side, side);
	assert_int_equal(w->failed.failure, failure);
	assert_string_equal(w->failed.reason, reason);
	assert_int_equal(world_counter(w, TLS_COUNT_FAILED_HANDSHAKE + failure), 1);
}

static void a_silent_server_is_a_time_out(void **state)
{
	(void)state;
	struct world *w = world_new();
	world_open(w);
	world_endpoint_tls(w, SIDE_CLIENT, &w->site[SIDE_CLIENT], NULL, TLS1_3_VERSION);
	world_start_tls(w, AUTH_STRONG);
	world_settle(w);
	assert_int_equal(relay_timeout_ms(w->relay), CONN_HANDSHAKE_MS);
	w->now_ms += CONN_HANDSHAKE_MS - 1;
	world_settle(w);
	assert_int_equal(w->failures, 0);
	w->now_ms++;
	world_settle(w);
	expect_failure(w, SIDE_SERVER, TLS_FAILED_TIMEOUT, "the handshake took too long");
	assert_int_equal(w->endpoint[SIDE_CLIENT].alert, SSL_AD_HANDSHAKE_FAILURE);
	assert_int_equal(relay_timeout_ms(w->relay), -1);
	world_free(w);
}

static void a_silent_client_is_a_time_out(void **state)
{
	(void)state;
	struct world *w = world_new();
	world_open(w);
	world_endpoint_tls(w, SIDE_SERVER, &w->site[SIDE_SERVER], NULL, TLS1_3_VERSION);
	world_start_tls(w, AUTH_STRONG);
	world_settle(w);
	w->now_ms += CONN_HANDSHAKE_MS;
	world_settle(w);
	expect_failure(w, SIDE_CLIENT, TLS_FAILED_TIMEOUT, "the handshake took too long");
	assert_int_equal(w->endpoint[SIDE_SERVER].alert, SSL_AD_INTERNAL_ERROR);
	assert_false(w->endpoint[SIDE_SERVER].saw_certificate);
	world_free(w);
}

static void keep_no_session(struct endpoint *e)
{
	SSL_CTX_set_session_cache_mode(e->context, SSL_SESS_CACHE_OFF);
	SSL_set_options(e->ssl, SSL_OP_NO_TICKET);
	SSL_set_num_tickets(e->ssl, 0);
}

/* Each costs two changes of process: a signature for each side that signs, and nothing else after the first time. */
static void asks_keyd_for_no_more_than_signatures(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct world *w = world_new();
		world_open(w);
		for (unsigned connections = 1; connections < 5; connections++) {
			for (unsigned side = 0; side < SIDES; side++)
				world_endpoint_tls(w, side, &w->site[side], NULL, versions[i]);
			keep_no_session(&w->endpoint[SIDE_SERVER]);
			world_start_tls(w, AUTH_STRONG);
			world_settle(w);
			assert_int_equal(world_counter(w, TLS_COUNT_SECURED), connections);
			assert_int_equal(w->keyd_requests[KEYD_SIGN], 2 * connections);
			assert_int_equal(w->keyd_requests[KEYD_MINT], 2);
			world_reopen(w);
		}
		world_free(w);
	}
}

/* A stopped keyd: the job that waits is brought to its end, and its late answer hits nobody. */
static void keyd_does_not_answer(void **state)
{
	(void)state;
	struct world *w = world_new();
	world_open(w);
	for (unsigned side = 0; side < SIDES; side++)
		world_endpoint_tls(w, side, &w->site[side], NULL, TLS1_3_VERSION);
	world_start_tls(w, AUTH_STRONG);
	for (unsigned i = 0; i < 100 && !w->keyd_requests[KEYD_MINT]; i++)
		world_turn(w);
	w->keyd_held = true;
	world_settle(w);
	assert_int_equal(world_counter(w, TLS_COUNT_SIGNATURES), 1);
	w->now_ms += CONN_HANDSHAKE_MS;
	world_settle(w);
	assert_int_equal(w->failures, 1);
	assert_int_equal(w->failed.failure, TLS_FAILED_TIMEOUT);
	assert_int_equal(w->endpoint[SIDE_CLIENT].alert, SSL_AD_INTERNAL_ERROR);
	assert_false(w->endpoint[SIDE_CLIENT].done);
	w->keyd_held = false;
	world_settle(w);
	assert_int_equal(w->keyd_requests[KEYD_SIGN], 1);
	assert_int_equal(w->failures, 1);
	world_free(w);
}

static void closed_while_keyd_signs(void **state)
{
	(void)state;
	struct world *w = world_new();
	world_open(w);
	for (unsigned side = 0; side < SIDES; side++)
		world_endpoint_tls(w, side, &w->site[side], NULL, TLS1_2_VERSION);
	world_start_tls(w, AUTH_STRONG);
	for (unsigned i = 0; i < 100 && !w->keyd_requests[KEYD_MINT]; i++)
		world_turn(w);
	w->keyd_held = true;
	world_settle(w);
	assert_int_equal(world_counter(w, TLS_COUNT_SIGNATURES), 1);
	player_say(&w->lower, MSG_CLOSED, SIDE_CLIENT, CONN, NULL, 0);
	world_settle(w);
	assert_true(w->closed);
	w->keyd_held = false;
	world_settle(w);
	assert_int_equal(w->keyd_requests[KEYD_SIGN], 1);
	world_free(w);
}

static void keyd_refuses(void **state)
{
	(void)state;
	struct world *w = world_new();
	snprintf(w->peer.domain, sizeof(w->peer.domain), "c.example");
	world_open(w);
	for (unsigned side = 0; side < SIDES; side++)
		world_endpoint_tls(w, side, &w->site[side], NULL, TLS1_3_VERSION);
	world_start_tls(w, AUTH_STRONG);
	world_settle(w);
	expect_failure(w, SIDE_CLIENT, TLS_FAILED_KEYD, "no guard certificate");
	assert_int_equal(w->endpoint[SIDE_CLIENT].alert, SSL_AD_HANDSHAKE_FAILURE);
	world_free(w);
}

static void garbage_instead_of_a_hello(void **state)
{
	(void)state;
	for (enum conn_side side = SIDE_CLIENT; side < SIDES; side++) {
		struct world *w = world_new();
		world_open(w);
		world_endpoint_tls(w, side_other(side), &w->site[side_other(side)], NULL, TLS1_3_VERSION);
		world_start_tls(w, AUTH_STRONG);
		assert_int_equal(buf_printf(&w->endpoint[side].to_send, "<presence from='a.example'/> and more of it"), 0);
		world_settle(w);
		assert_int_equal(w->failures, 1);
		assert_int_equal(w->failed_side, side);
		assert_int_equal(w->failed.failure, TLS_FAILED_HANDSHAKE);
		assert_false(w->endpoint[side_other(side)].saw_certificate);
		world_free(w);
	}
}

static void an_old_version_is_refused(void **state)
{
	(void)state;
	struct world *w = world_new();
	world_open(w);
	world_endpoint_tls(w, SIDE_CLIENT, &w->site[SIDE_CLIENT], NULL, TLS1_1_VERSION);
	SSL_set_cipher_list(w->endpoint[SIDE_CLIENT].ssl, "ALL:@SECLEVEL=0");
	world_endpoint_tls(w, SIDE_SERVER, &w->site[SIDE_SERVER], NULL, TLS1_3_VERSION);
	world_start_tls(w, AUTH_STRONG);
	world_settle(w);
	expect_failure(w, SIDE_CLIENT, TLS_FAILED_HANDSHAKE, "unsupported protocol");
	assert_int_equal(w->endpoint[SIDE_CLIENT].alert, SSL_AD_PROTOCOL_VERSION);
	assert_false(w->endpoint[SIDE_SERVER].saw_certificate);
	world_free(w);
}

/* The server does not trust the guard CA. In TLS 1.3 the handshake is over for us when it says so. */
static void the_server_refuses_the_guard(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct world *w = world_new();
		world_open(w);
		for (unsigned side = 0; side < SIDES; side++)
			world_endpoint_tls(w, side, &w->site[side], NULL, versions[i]);
		X509_STORE *nobody = X509_STORE_new();
		SSL_set1_verify_cert_store(w->endpoint[SIDE_SERVER].ssl, nobody);
		X509_STORE_free(nobody);
		world_start_tls(w, AUTH_STRONG);
		world_settle(w);
		expect_failure(w, SIDE_SERVER, TLS_FAILED_HANDSHAKE, "tlsv1 alert unknown ca");
		world_free(w);
	}
}

static void an_endpoint_leaves(void **state)
{
	(void)state;
	static const enum msg_type ways[] = {MSG_END_OF_STREAM, MSG_RESET};
	for (unsigned i = 0; i < 4; i++) {
		enum conn_side leaver = i / 2;
		struct world *w = world_new();
		world_open(w);
		world_endpoint_tls(w, side_other(leaver), &w->site[side_other(leaver)], NULL, TLS1_3_VERSION);
		world_start_tls(w, AUTH_STRONG);
		world_settle(w);
		player_say(&w->lower, ways[i % 2], leaver, CONN, NULL, 0);
		world_settle(w);
		expect_failure(w, leaver, TLS_FAILED_HANDSHAKE, "the peer left during the handshake");
		assert_true(ways[i % 2] == MSG_RESET ? w->told[leaver].reset : w->told[leaver].ended);
		assert_false(w->endpoint[side_other(leaver)].saw_certificate);
		world_free(w);
	}
}

/* An alert of the server while it waits for the client is found when it leaves. */
static void the_server_leaves_while_it_waits(void **state)
{
	(void)state;
	struct world *w = world_new();
	world_open(w);
	world_endpoint_tls(w, SIDE_SERVER, &w->site[SIDE_SERVER], NULL, TLS1_3_VERSION);
	world_start_tls(w, AUTH_STRONG);
	world_settle(w);
	static const uint8_t more[] = {23, 3, 3, 0, 1, 0};
	player_say(&w->lower, MSG_BYTES, SIDE_SERVER, CONN, more, sizeof(more));
	player_say(&w->lower, MSG_END_OF_STREAM, SIDE_SERVER, CONN, NULL, 0);
	world_settle(w);
	expect_failure(w, SIDE_SERVER, TLS_FAILED_HANDSHAKE, "the peer left during the handshake");
	world_free(w);
}

static void control_ends_it(void **state)
{
	(void)state;
	struct world *w = world_new();
	world_open(w);
	for (unsigned side = 0; side < SIDES; side++)
		world_endpoint_tls(w, side, &w->site[side], NULL, TLS1_3_VERSION);
	w->endpoint[SIDE_SERVER].frozen = true;
	world_start_tls(w, AUTH_STRONG);
	world_settle(w);
	for (unsigned side = 0; side < SIDES; side++)
		player_say(&w->upper, MSG_RESET, side, CONN, NULL, 0);
	w->endpoint[SIDE_SERVER].frozen = false;
	world_settle(w);
	w->now_ms += CONN_HANDSHAKE_MS;
	world_settle(w);
	assert_int_equal(w->failures, 0); /* control knows */
	assert_int_equal(w->told[SIDE_CLIENT].secured_count, 0);
	assert_true(w->endpoint[SIDE_CLIENT].got_reset && w->endpoint[SIDE_SERVER].got_reset);
	assert_false(w->endpoint[SIDE_CLIENT].saw_certificate);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secures_both_sides),
		cmocka_unit_test(versions_need_not_be_the_same),
		cmocka_unit_test(handshakes_in_crumbs),
		cmocka_unit_test(asks_for_another_group),
		cmocka_unit_test(client_sees_nothing_before_the_server_is_verified),
		cmocka_unit_test(server_sees_no_certificate_before_the_client_is_verified),
		cmocka_unit_test(waits_for_keyd_without_harm),
		cmocka_unit_test(certificates_of_the_client),
		cmocka_unit_test(certificates_of_the_server),
		cmocka_unit_test(a_bad_certificate_of_ours_is_bad_at_any_level),
		cmocka_unit_test(at_tls_dialback_a_peer_may_be_unverified),
		cmocka_unit_test(who_verifies_refuses_an_unverified_server),
		cmocka_unit_test(dialback_needs_no_client_certificate),
		cmocka_unit_test(chains_are_followed_and_bounded),
		cmocka_unit_test(too_much_certificate),
		cmocka_unit_test(a_silent_server_is_a_time_out),
		cmocka_unit_test(a_silent_client_is_a_time_out),
		cmocka_unit_test(asks_keyd_for_no_more_than_signatures),
		cmocka_unit_test(keyd_does_not_answer),
		cmocka_unit_test(closed_while_keyd_signs),
		cmocka_unit_test(keyd_refuses),
		cmocka_unit_test(garbage_instead_of_a_hello),
		cmocka_unit_test(an_old_version_is_refused),
		cmocka_unit_test(the_server_refuses_the_guard),
		cmocka_unit_test(an_endpoint_leaves),
		cmocka_unit_test(the_server_leaves_while_it_waits),
		cmocka_unit_test(control_ends_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
