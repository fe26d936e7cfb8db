/* Direct TLS (XEP-0368): the client begins with TLS, and says who it is when its handshake is over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tls_harness.h"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

#define ALPN(list) (const unsigned char *)(list), sizeof(list) - 1

static struct world *world_with(const struct pki *client, const struct pki *server, int version)
{
	struct world *w = world_new();
	world_open(w);
	world_endpoint_tls(w, SIDE_CLIENT, client ? client : &w->site[SIDE_CLIENT], NULL, version);
	world_endpoint_tls(w, SIDE_SERVER, server ? server : &w->site[SIDE_SERVER], NULL, version);
	return w;
}

/* The client has said hello, control lets it ask the server, and the client is done. */
static void get_ready(struct world *w)
{
	world_settle(w);
	world_start_direct(w, AUTH_STRONG);
	world_settle(w);
	assert_int_equal(w->readies, 1);
	assert_true(w->endpoint[SIDE_CLIENT].done);
}

static void expect_failed(const struct world *w, enum conn_side side, enum tls_failure failure)
{
	assert_int_equal(w->failures, 1);
	assert_int_equal(w->failed_side, side);
	assert_int_equal(w->failed.failure, failure);
	assert_int_equal(w->told[SIDE_CLIENT].secured_count + w->told[SIDE_SERVER].secured_count, 0);
}

static void expect_secured(const struct world *w)
{
	assert_int_equal(w->failures, 0);
	assert_int_equal(w->told[SIDE_CLIENT].secured_count, 1);
	assert_int_equal(w->told[SIDE_SERVER].secured_count, 1);
	assert_true(w->endpoint[SIDE_SERVER].done);
}

static void end_down(struct world *w)
{
	for (unsigned side = 0; side < SIDES; side++)
		player_say(&w->upper, MSG_END_OF_STREAM, side, CONN, NULL, 0);
	world_settle(w);
}

/* --- as it should be --- */

static void secures_both_sides(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct world *w = world_with(NULL, NULL, versions[i % 2]);
		w->endpoint[SIDE_CLIENT].crumbs = w->endpoint[SIDE_SERVER].crumbs = i >= 2;
		get_ready(w);
		assert_string_equal(w->hello.server_name, "b.example");
		assert_int_equal(w->hello.alpn, HELLO_ALPN_NONE);
		assert_int_equal(w->ready.certificate, 1);
		world_name_client(w, "a.example", AUTH_STRONG);
		world_settle(w);
		expect_secured(w);
		assert_string_equal(w->told[SIDE_CLIENT].secured.identity, "a.example");
		assert_string_equal(w->told[SIDE_SERVER].secured.identity, "b.example");
		assert_string_equal(w->told[SIDE_SERVER].secured.shown, "a.example");
		assert_int_equal(SSL_get_verify_result(w->endpoint[SIDE_SERVER].ssl), X509_V_OK);
		for (unsigned side = 0; side < SIDES; side++) {
			world_control_says(w, side, "down", 4);
			assert_int_equal(buf_put(&w->endpoint[side].to_send, "up", 2), 0);
		}
		world_settle(w);
		for (unsigned side = 0; side < SIDES; side++) {
			assert_memory_equal(buf_head(&w->endpoint[side].got), "down", 4);
			assert_memory_equal(buf_head(&w->told[side].got), "up", 2);
		}
		assert_int_equal(world_counter(w, TLS_COUNT_STARTED), 1);
		assert_int_equal(world_counter(w, TLS_COUNT_SECURED), 1);
		world_free(w);
	}
}

static void the_server_sees_nobody_before_the_client_is_named(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct world *w = world_with(NULL, NULL, versions[i]);
		assert_int_equal(buf_put(&w->endpoint[SIDE_CLIENT].to_send, "header", 6), 0);
		get_ready(w);
		assert_memory_equal(buf_head(&w->told[SIDE_CLIENT].got), "header", 6);
		assert_false(w->endpoint[SIDE_SERVER].saw_certificate);
		assert_false(w->endpoint[SIDE_SERVER].done);
		assert_int_equal(w->keyd_requests[KEYD_MINT], 1);
		world_name_client(w, "a.example", AUTH_STRONG);
		world_settle(w);
		expect_secured(w);
		assert_true(w->endpoint[SIDE_SERVER].saw_certificate);
		world_free(w);
	}
}

static void nothing_is_said_before_control_has_agreed(void **state)
{
	(void)state;
	struct world *w = world_with(NULL, NULL, TLS1_3_VERSION);
	world_settle(w);
	assert_int_equal(w->hellos, 1);
	assert_int_equal(w->endpoint[SIDE_CLIENT].wire_bytes, 0);
	assert_int_equal(w->endpoint[SIDE_SERVER].wire_bytes, 0);
	world_free(w);
}

/* A server that wants no certificate is done early; nothing of it goes up before the client has proved its name. */
static void a_server_that_asks_for_no_certificate_waits(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct world *w = world_with(NULL, NULL, versions[i]);
		SSL_set_verify(w->endpoint[SIDE_SERVER].ssl, SSL_VERIFY_NONE, NULL);
		assert_int_equal(buf_put(&w->endpoint[SIDE_SERVER].to_send, "early", 5), 0);
		get_ready(w);
		assert_int_equal(w->told[SIDE_SERVER].got_bytes, 0);
		world_name_client(w, "a.example", AUTH_STRONG);
		world_settle(w);
		expect_secured(w);
		assert_memory_equal(buf_head(&w->told[SIDE_SERVER].got), "early", 5);
		world_free(w);
	}
}

/* --- ALPN and SNI --- */

static int choose_xmpp(SSL *ssl, const unsigned char **chosen, unsigned char *len, const unsigned char *offered,
	unsigned offered_len, void *seen)
{
	(void)ssl;
	*(unsigned *)seen = offered_len;
	*chosen = offered + 1;
	*len = offered[0];
	return SSL_TLSEXT_ERR_OK;
}

static void alpn_is_what_the_server_chose(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct world *w = world_with(NULL, NULL, versions[i % 2]);
		bool server_chooses = i >= 2;
		unsigned seen = 0, n = 0;
		const unsigned char *chosen;
		SSL_set_alpn_protos(w->endpoint[SIDE_CLIENT].ssl, ALPN("\2h2\xbxmpp-server"));
		if (server_chooses)
			SSL_CTX_set_alpn_select_cb(w->endpoint[SIDE_SERVER].context, choose_xmpp, &seen);
		get_ready(w);
		assert_int_equal(w->hello.alpn, HELLO_ALPN_XMPP);
		assert_int_equal(seen, server_chooses ? 12 : 0);       /* that alone is offered to it */
		SSL_get0_alpn_selected(w->endpoint[SIDE_CLIENT].ssl, &chosen, &n);
		assert_int_equal(n, server_chooses ? 11 : 0);
		if (n)
			assert_memory_equal(chosen, "xmpp-server", 11);
		world_free(w);
	}
}

static int choose_none(SSL *ssl, const unsigned char **chosen, unsigned char *len, const unsigned char *offered,
	unsigned offered_len, void *unused)
{
	(void)ssl, (void)chosen, (void)len, (void)offered, (void)offered_len, (void)unused;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void the_servers_alert_is_the_clients(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct world *w = world_with(NULL, NULL, versions[i]);
		SSL_set_alpn_protos(w->endpoint[SIDE_CLIENT].ssl, ALPN("\xbxmpp-server"));
		SSL_CTX_set_alpn_select_cb(w->endpoint[SIDE_SERVER].context, choose_none, NULL);
		world_settle(w);
		world_start_direct(w, AUTH_STRONG);
		world_settle(w);
		expect_failed(w, SIDE_SERVER, TLS_FAILED_HANDSHAKE);
		assert_int_equal(w->endpoint[SIDE_CLIENT].alert, SSL_AD_NO_APPLICATION_PROTOCOL);
		assert_false(w->endpoint[SIDE_CLIENT].saw_certificate);
		world_free(w);
	}
}

/* Control refuses by ending the connection: the alert says why. */
static void refused_hellos_get_their_alert(void **state)
{
	(void)state;
	static const struct {
		const char *server_name, *alpn;
		enum hello_alpn told;
		int alert;
	} cases[] = {
		{"c.example", NULL, HELLO_ALPN_NONE, SSL_AD_UNRECOGNIZED_NAME},
		{NULL, NULL, HELLO_ALPN_NONE, SSL_AD_UNRECOGNIZED_NAME},
		{NULL, "\xbxmpp-server", HELLO_ALPN_XMPP, SSL_AD_UNRECOGNIZED_NAME},
		{"b.example", "\2h2\xbxmpp-client", HELLO_ALPN_OTHER, SSL_AD_NO_APPLICATION_PROTOCOL},
	};
	for (unsigned i = 0; i < 2 * sizeof(cases) / sizeof(*cases); i++) {
		struct world *w = world_with(NULL, NULL, versions[i % 2]);
		SSL *ssl = w->endpoint[SIDE_CLIENT].ssl;
		SSL_set_tlsext_host_name(ssl, cases[i / 2].server_name);
		if (cases[i / 2].alpn)
			SSL_set_alpn_protos(ssl, (const unsigned char *)cases[i / 2].alpn, (unsigned)strlen(cases[i / 2].alpn));
		world_settle(w);
		assert_string_equal(w->hello.server_name, cases[i / 2].server_name ? cases[i / 2].server_name : "");
		assert_int_equal(w->hello.alpn, cases[i / 2].told);
		end_down(w);
		assert_int_equal(w->endpoint[SIDE_CLIENT].alert, cases[i / 2].alert);
		assert_true(w->endpoint[SIDE_CLIENT].got_end);
		assert_false(w->endpoint[SIDE_CLIENT].saw_certificate);
		assert_int_equal(w->endpoint[SIDE_SERVER].wire_bytes, 0);
		assert_true(w->endpoint[SIDE_SERVER].got_end);
		world_free(w);
	}
}

/* --- a ClientHello as it comes --- */

/* What a client of OpenSSL sends first: one record. */
static size_t make_hello(uint8_t *record, size_t size)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(context);
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	SSL_set_bio(ssl, in, out);
	SSL_set_tlsext_host_name(ssl, "b.example");
	SSL_set_alpn_protos(ssl, ALPN("\xbxmpp-server"));
	SSL_connect(ssl);
	int n = BIO_read(out, record, (int)size);
	assert_true(n > 100);
	SSL_free(ssl);
	SSL_CTX_free(context);
	return (size_t)n;
}

static void a_hello_in_many_records_and_segments(void **state)
{
	(void)state;
	uint8_t record[2048];
	size_t n = make_hello(record, sizeof(record));
	struct world *w = world_new();
	world_open(w);
	/* Each byte of the message in a record of its own, each byte of which in a segment. */
	for (size_t i = 5; i < n; i++) {
		const uint8_t small[] = {0x16, 3, 1, 0, 1, record[i]};
		for (unsigned j = 0; j < sizeof(small); j++)
			player_say(&w->lower, MSG_BYTES, SIDE_CLIENT, CONN, &small[j], 1);
		world_settle(w);
		assert_int_equal(w->hellos, i == n - 1);
		assert_int_equal(w->told[SIDE_CLIENT].got_bytes, 0);
	}
	assert_string_equal(w->hello.server_name, "b.example");
	assert_int_equal(w->hello.alpn, HELLO_ALPN_XMPP);
	world_free(w);
}

static void broken_hellos_fail(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		unsigned len;
	} cases[] = {
		{"\x16\x03\x01\x02", 4}, {"\x16\x03\x01\x00\x05<xml>", 10}, {"\x16stream", 7},
		{"\x16\x03\x01\x00\x04\x01\x00\x00\x00", 9}, {"\x16\x03\x01\xff\xff\x01", 6},
		{"\x16\x03\x01\x00\x04\x02\x00\x00\x00", 9},
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct world *w = world_new();
		world_open(w);
		player_say(&w->lower, MSG_BYTES, SIDE_CLIENT, CONN, cases[i].bytes, cases[i].len);
		world_settle(w);
		if (!i) { /* there may be more */
			assert_int_equal(w->failures, 0);
			w->now_ms += CONN_HANDSHAKE_MS;
			world_settle(w);
		}
		expect_failed(w, SIDE_CLIENT, i ? TLS_FAILED_HANDSHAKE : TLS_FAILED_TIMEOUT);
		assert_int_equal(w->hellos, 0);
		assert_int_equal(w->told[SIDE_CLIENT].got_bytes, 0);
		world_free(w);
	}
}

/* Every byte of a real one turned over: it fails or is read, and never goes up as plaintext. */
static void damaged_hellos_do_no_harm(void **state)
{
	(void)state;
	uint8_t record[2048];
	size_t n = make_hello(record, sizeof(record));
	struct world *w = world_new();
	for (size_t i = 1; i < n; i += 1) {
		const struct msg_opened opened = {.family = 4};
		record[i] ^= 0xff;
		w->hellos = w->failures = 0;
		player_say(&w->lower, MSG_OPENED, SIDE_CLIENT, CONN, &opened, sizeof(opened));
		player_say(&w->lower, MSG_BYTES, SIDE_CLIENT, CONN, record, (uint32_t)n);
		w->closed = false;
		world_settle(w);
		assert_int_equal(w->told[SIDE_CLIENT].got_bytes, 0);
		assert_true(w->hellos + w->failures <= 2);
		player_say(&w->lower, MSG_CLOSED, SIDE_CLIENT, CONN, NULL, 0);
		world_settle(w);
		assert_true(w->closed);
		record[i] ^= 0xff;
	}
	world_free(w);
}

/* --- the client and its name --- */

/* The client is told in its TLS; the server sees no certificate, and its handshake fails. */
static void expect_told(struct world *w)
{
	assert_false(w->endpoint[SIDE_SERVER].saw_certificate);
	assert_true(w->endpoint[SIDE_SERVER].failed);
	assert_int_equal(w->endpoint[SIDE_SERVER].alert, SSL_AD_INTERNAL_ERROR);
	assert_false(w->endpoint[SIDE_CLIENT].saw_close_notify);
	world_control_says(w, SIDE_CLIENT, "no", 2);
	end_down(w);
	assert_memory_equal(buf_head(&w->endpoint[SIDE_CLIENT].got), "no", 2);
	assert_true(w->endpoint[SIDE_CLIENT].saw_close_notify);
	assert_true(w->endpoint[SIDE_CLIENT].got_end && w->endpoint[SIDE_SERVER].got_end);
}

static void a_name_that_is_not_proved(void **state)
{
	(void)state;
	static const char *const names[] = {"c.example", "x.a.example", "b.example", "example"};
	for (unsigned i = 0; i < 2 * sizeof(names) / sizeof(*names); i++) {
		struct world *w = world_with(NULL, NULL, versions[i % 2]);
		get_ready(w);
		world_name_client(w, names[i / 2], i % 3 ? AUTH_STRONG : AUTH_TLS_DIALBACK);
		world_settle(w);
		expect_failed(w, SIDE_CLIENT, TLS_FAILED_NAME);
		expect_told(w);
		assert_int_equal(world_counter(w, TLS_COUNT_FAILED_NAME), 1);
		assert_int_equal(w->keyd_requests[KEYD_MINT], 1);
		world_free(w);
	}
}

static void a_client_without_a_certificate(void **state)
{
	(void)state;
	static const struct pki none = {0};
	for (unsigned i = 0; i < 4; i++) {
		struct world *w = world_new();
		bool strong = i >= 2;
		world_open(w);
		world_endpoint_tls(w, SIDE_CLIENT, NULL, NULL, versions[i % 2]);
		world_endpoint_tls(w, SIDE_SERVER, &w->site[SIDE_SERVER], &none, versions[i % 2]);
		get_ready(w);
		assert_int_equal(w->ready.certificate, 0);
		world_name_client(w, "a.example", strong ? AUTH_STRONG : AUTH_TLS_DIALBACK);
		world_settle(w);
		if (strong) {
			expect_failed(w, SIDE_CLIENT, TLS_FAILED_NO_CERTIFICATE);
			expect_told(w);
		} else {
			expect_secured(w);
			assert_string_equal(w->told[SIDE_CLIENT].secured.identity, "");
			assert_false(w->endpoint[SIDE_SERVER].saw_certificate);
		}
		world_free(w);
	}
}

static void a_client_whose_chain_is_bad(void **state)
{
	(void)state;
	struct pki stranger = pki_ca("stranger"), bad = pki_server("a.example", &stranger);
	for (unsigned i = 0; i < 2; i++) {
		struct world *w = world_with(&bad, NULL, versions[i]);
		world_settle(w);
		world_start_direct(w, AUTH_STRONG);
		world_settle(w);
		expect_failed(w, SIDE_CLIENT, TLS_FAILED_CERTIFICATE);
		assert_int_equal(w->endpoint[SIDE_CLIENT].alert, SSL_AD_UNKNOWN_CA);
		assert_false(w->endpoint[SIDE_SERVER].saw_certificate);
		assert_int_equal(w->readies, 0);
		world_free(w);
	}
	pki_free(&bad);
	pki_free(&stranger);
}

static void a_server_that_cannot_be_verified(void **state)
{
	(void)state;
	struct pki stranger = pki_ca("stranger"), bad = pki_server("b.example", &stranger);
	for (unsigned i = 0; i < 2; i++) {
		struct world *w = world_with(NULL, &bad, versions[i]);
		world_settle(w);
		world_start_direct(w, AUTH_STRONG);
		world_settle(w);
		expect_failed(w, SIDE_SERVER, TLS_FAILED_CERTIFICATE);
		assert_int_equal(w->endpoint[SIDE_SERVER].alert, SSL_AD_UNKNOWN_CA);
		assert_int_equal(w->endpoint[SIDE_CLIENT].alert, SSL_AD_HANDSHAKE_FAILURE);
		assert_false(w->endpoint[SIDE_CLIENT].saw_certificate);
		assert_int_equal(w->keyd_requests[KEYD_MINT], 0);
		world_free(w);
	}
	pki_free(&bad);
	pki_free(&stranger);
}

/* --- who may come unverified --- */

/* b.example dials from outside: self-signed, or with a good certificate for another name. */
static void try_doubted(bool self_signed, enum auth_level level, int version)
{
	struct world *w = world_new();
	struct pki bad = self_signed ? pki_server("b.example", NULL) : pki_server("c.example", &w->site_ca[WIRE_OUTSIDE]);
	w->inbound = true;
	world_open(w);
	world_endpoint_tls(w, SIDE_CLIENT, &bad, NULL, version);
	world_endpoint_tls(w, SIDE_SERVER, &w->site[SIDE_CLIENT], NULL, version);
	SSL_set_tlsext_host_name(w->endpoint[SIDE_CLIENT].ssl, "a.example");
	world_settle(w);
	world_start_direct(w, AUTH_TLS_DIALBACK);      /* there is a peer of that level */
	world_settle(w);
	assert_int_equal(w->readies, 1);
	world_name_client(w, "b.example", level);
	world_settle(w);
	assert_false(w->endpoint[SIDE_SERVER].saw_certificate);
	if (level == AUTH_STRONG) {
		expect_failed(w, SIDE_CLIENT, self_signed ? TLS_FAILED_CERTIFICATE : TLS_FAILED_NAME);
		expect_told(w);
	} else {
		expect_secured(w);
		assert_string_equal(w->told[SIDE_CLIENT].secured.identity, "");
		assert_true(w->told[SIDE_CLIENT].secured.doubt[0]);
	}
	pki_free(&bad);
	world_free(w);
}

static void a_client_that_is_doubted(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++)
		try_doubted(i & 2, i & 4 ? AUTH_STRONG : AUTH_TLS_DIALBACK, versions[i % 2]);
}

static void a_server_that_is_doubted(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct pki bad = pki_server("b.example", NULL);
		struct world *w = world_with(NULL, &bad, versions[i]);
		SSL_set_verify(w->endpoint[SIDE_CLIENT].ssl, SSL_VERIFY_NONE, NULL);
		world_settle(w);
		world_start_direct(w, AUTH_TLS_DIALBACK);
		world_settle(w);
		assert_int_equal(w->readies, 1);
		world_name_client(w, "a.example", AUTH_TLS_DIALBACK);
		world_settle(w);
		expect_secured(w);
		assert_true(w->told[SIDE_SERVER].secured.doubt[0]);
		assert_string_equal(w->told[SIDE_CLIENT].secured.shown_issuer, "nobody");
		assert_int_equal(w->keyd_requests[KEYD_MINT_UNVERIFIED], 1);
		assert_string_equal(w->told[SIDE_CLIENT].secured.identity, "a.example");
		world_free(w);
		pki_free(&bad);
	}
}

/* A server that does not like the guard's certificate for the client says so in its handshake. */
static void a_server_that_refuses_the_client(void **state)
{
	(void)state;
	struct world *w = world_with(NULL, NULL, TLS1_2_VERSION);
	SSL_CTX_set_cert_store(w->endpoint[SIDE_SERVER].context, X509_STORE_new());
	get_ready(w);
	world_name_client(w, "a.example", AUTH_STRONG);
	world_settle(w);
	expect_failed(w, SIDE_SERVER, TLS_FAILED_HANDSHAKE);
	world_control_says(w, SIDE_CLIENT, "no", 2);
	end_down(w);
	assert_memory_equal(buf_head(&w->endpoint[SIDE_CLIENT].got), "no", 2);
	assert_true(w->endpoint[SIDE_CLIENT].saw_close_notify);
	world_free(w);
}

/* What a server sends in plain where its TLS should begin is no TLS. */
static void a_server_that_speaks_out_of_turn(void **state)
{
	(void)state;
	struct world *w = world_new();
	world_open(w);
	world_endpoint_tls(w, SIDE_CLIENT, &w->site[SIDE_CLIENT], NULL, TLS1_3_VERSION);
	world_settle(w);
	world_start_direct(w, AUTH_STRONG);
	assert_int_equal(buf_put(&w->endpoint[SIDE_SERVER].to_send, "<stream:stream>", 15), 0);
	world_settle(w);
	expect_failed(w, SIDE_SERVER, TLS_FAILED_HANDSHAKE);
	assert_int_equal(w->endpoint[SIDE_CLIENT].alert, SSL_AD_HANDSHAKE_FAILURE);
	assert_int_equal(w->told[SIDE_SERVER].got_bytes, 0);
	world_free(w);
}

/* --- time, and ends --- */

static void whoever_is_silent_is_out_of_time(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct world *w = world_with(NULL, NULL, TLS1_2_VERSION);
		w->endpoint[SIDE_SERVER].frozen = i == 0;
		world_settle(w);
		w->now_ms += CONN_HANDSHAKE_MS / 2;
		world_start_direct(w, AUTH_STRONG);
		world_settle(w);
		w->endpoint[SIDE_SERVER].frozen = true;
		if (i == 2)
			world_name_client(w, "a.example", AUTH_STRONG);
		w->now_ms += CONN_HANDSHAKE_MS / 2 - 1;
		world_settle(w);
		assert_int_equal(w->failures, 0);
		w->now_ms += 1;                        /* since the first byte of the ClientHello */
		world_settle(w);
		expect_failed(w, i == 1 ? SIDE_CLIENT : SIDE_SERVER, TLS_FAILED_TIMEOUT);
		world_free(w);
	}
}

static void server_leaves(struct world *w)
{
	player_say(&w->lower, MSG_RESET, SIDE_SERVER, CONN, NULL, 0);
	world_settle(w);
}

/* Control may answer after the connection has failed here. */
static void answers_that_come_too_late(void **state)
{
	(void)state;
	struct world *w = world_with(NULL, NULL, TLS1_3_VERSION);
	world_settle(w);
	w->now_ms += CONN_HANDSHAKE_MS;
	world_settle(w);
	assert_int_equal(w->failures, 1);
	world_start_direct(w, AUTH_STRONG);
	world_settle(w);
	world_free(w);

	w = world_with(NULL, NULL, TLS1_3_VERSION);
	get_ready(w);
	server_leaves(w);
	expect_failed(w, SIDE_SERVER, TLS_FAILED_HANDSHAKE);
	world_name_client(w, "a.example", AUTH_STRONG);
	world_settle(w);
	world_free(w);
}

static void ends_at_any_time(void **state)
{
	(void)state;
	for (unsigned stage = 0; stage < 5; stage++) {
		for (unsigned how = 0; how < 4; how++) {
			struct world *w = world_with(NULL, NULL, TLS1_3_VERSION);
			w->keyd_held = stage == 3;
			if (stage > 0)
				world_settle(w);
			if (stage > 1)
				world_start_direct(w, AUTH_STRONG);
			if (stage > 1)
				world_settle(w);
			if (stage == 4)
				world_name_client(w, "a.example", AUTH_STRONG);
			for (unsigned side = 0; side < SIDES; side++) {
				w->endpoint[side].frozen = true;
				(void)BIO_reset(w->endpoint[side].out);
			}
			if (how == 0)
				player_say(&w->lower, MSG_CLOSED, SIDE_CLIENT, CONN, NULL, 0);
			else if (how == 1)
				player_say(&w->upper, MSG_RESET, SIDE_CLIENT, CONN, NULL, 0);
			else
				player_say(&w->lower, how == 2 ? MSG_RESET : MSG_END_OF_STREAM, SIDE_CLIENT, CONN, NULL, 0);
			w->keyd_held = false;
			world_turn(w);
			assert_true(w->rc >= 0);
			for (unsigned i = 0; i < 20 && !w->closed && how < 2; i++)
				world_turn(w);
			world_free(w);
		}
	}
}

/* --- the contract --- */

static void expect_broken(struct world *w)
{
	for (unsigned i = 0; i < 4 && w->rc >= 0; i++)
		world_turn(w);
	assert_true(w->rc < 0);
	world_free(w);
}

static void the_contract_is_kept_or_it_is_over(void **state)
{
	(void)state;
	struct world *w = world_with(NULL, NULL, TLS1_3_VERSION);      /* START_TLS of STARTTLS */
	world_settle(w);
	world_start_tls(w, AUTH_STRONG);
	expect_broken(w);
	w = world_new();                                               /* direct, without a ClientHello */
	world_open(w);
	snprintf(w->hello.server_name, sizeof(w->hello.server_name), "b.example");
	w->hellos = 1;
	world_start_direct(w, AUTH_STRONG);
	expect_broken(w);
	w = world_with(NULL, NULL, TLS1_3_VERSION);                    /* a name before the client is done */
	world_settle(w);
	world_name_client(w, "a.example", AUTH_STRONG);
	expect_broken(w);
	w = world_with(NULL, NULL, TLS1_3_VERSION);                    /* no name */
	get_ready(w);
	world_name_client(w, "", AUTH_STRONG);
	expect_broken(w);
	w = world_with(NULL, NULL, TLS1_3_VERSION);                    /* two names */
	get_ready(w);
	world_name_client(w, "a.example", AUTH_STRONG);
	world_name_client(w, "a.example", AUTH_STRONG);
	expect_broken(w);
	w = world_with(NULL, NULL, TLS1_3_VERSION);                    /* words for a server in its handshake */
	get_ready(w);
	player_say(&w->upper, MSG_BYTES, SIDE_SERVER, CONN, "x", 1);
	expect_broken(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secures_both_sides),
		cmocka_unit_test(the_server_sees_nobody_before_the_client_is_named),
		cmocka_unit_test(nothing_is_said_before_control_has_agreed),
		cmocka_unit_test(a_server_that_asks_for_no_certificate_waits),
		cmocka_unit_test(alpn_is_what_the_server_chose),
		cmocka_unit_test(the_servers_alert_is_the_clients),
		cmocka_unit_test(refused_hellos_get_their_alert),
		cmocka_unit_test(a_hello_in_many_records_and_segments),
		cmocka_unit_test(broken_hellos_fail),
		cmocka_unit_test(damaged_hellos_do_no_harm),
		cmocka_unit_test(a_name_that_is_not_proved),
		cmocka_unit_test(a_client_without_a_certificate),
		cmocka_unit_test(a_client_whose_chain_is_bad),
		cmocka_unit_test(a_server_that_cannot_be_verified),
		cmocka_unit_test(a_client_that_is_doubted),
		cmocka_unit_test(a_server_that_is_doubted),
		cmocka_unit_test(a_server_that_refuses_the_client),
		cmocka_unit_test(a_server_that_speaks_out_of_turn),
		cmocka_unit_test(whoever_is_silent_is_out_of_time),
		cmocka_unit_test(answers_that_come_too_late),
		cmocka_unit_test(ends_at_any_time),
		cmocka_unit_test(the_contract_is_kept_or_it_is_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
