/* Resumed sessions: never weaker than the handshake that is left out, on either side, and in the same order of things. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tls/handshake.h"
#include "tls_harness.h"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* Servers that give sessions out, and clients that come back with theirs: which of the two is to be seen. */
struct resumer {
	struct world *w;
	int version;
	SSL_SESSION *client_session;   /* that the client was given last */
	bool server_keeps;
};

static const unsigned char server_context[] = "server";

static struct resumer resumer_new(int version, bool server_keeps)
{
	struct resumer r = {.w = world_new(), .version = version, .server_keeps = server_keeps};
	world_open(r.w);
	return r;
}

static void resumer_free(struct resumer *r)
{
	SSL_SESSION_free(r->client_session);
	world_free(r->w);
}

static void put_endpoints(struct resumer *r)
{
	for (unsigned side = 0; side < SIDES; side++)
		world_endpoint_tls(r->w, side, &r->w->site[side], NULL, r->version);
	SSL *client = r->w->endpoint[SIDE_CLIENT].ssl, *server = r->w->endpoint[SIDE_SERVER].ssl;
	SSL_set_session_id_context(server, server_context, sizeof(server_context));
	if (!r->server_keeps) {
		SSL_set_options(server, SSL_OP_NO_TICKET);
		SSL_set_num_tickets(server, 0);
		SSL_CTX_set_session_cache_mode(r->w->endpoint[SIDE_SERVER].context, SSL_SESS_CACHE_OFF);
	}
	if (r->client_session)
		assert_int_equal(SSL_set_session(client, r->client_session), 1);
}

static void expect_done(const struct resumer *r)
{
	struct world *w = r->w;
	if (w->failures || w->told[SIDE_CLIENT].secured_count != 1 || w->told[SIDE_SERVER].secured_count != 1)
		fail_msg("failed, side %d: %s", w->failed_side, w->failed.reason);
}

/* Data both ways, which is also when TLS 1.3 hands out sessions. */
static void exchange(struct resumer *r)
{
	struct world *w = r->w;
	for (unsigned side = 0; side < SIDES; side++) {
		assert_int_equal(buf_put(&w->endpoint[side].to_send, "up", 2), 0);
		world_control_says(w, side, "down", 4);
	}
	world_settle(w);
	for (unsigned side = 0; side < SIDES; side++) {
		assert_int_equal(w->told[side].got_bytes, 2);
		assert_int_equal(w->endpoint[side].got_bytes, 4);
	}
	SSL_SESSION_free(r->client_session);
	r->client_session = SSL_get1_session(w->endpoint[SIDE_CLIENT].ssl);
}

static void connect_as(struct resumer *r, enum auth_level level)
{
	put_endpoints(r);
	world_start_tls(r->w, level);
	world_settle(r->w);
}

static void first(struct resumer *r)
{
	connect_as(r, AUTH_STRONG);
	expect_done(r);
	exchange(r);
	assert_false(SSL_session_reused(r->w->endpoint[SIDE_CLIENT].ssl));
	assert_false(SSL_session_reused(r->w->endpoint[SIDE_SERVER].ssl));
}

static void again(struct resumer *r)
{
	world_reopen(r->w);
	connect_as(r, AUTH_STRONG);
}

static void expect_resumed(const struct resumer *r, bool client, bool server)
{
	struct world *w = r->w;
	assert_int_equal(SSL_session_reused(w->endpoint[SIDE_CLIENT].ssl), client);
	assert_int_equal(SSL_session_reused(w->endpoint[SIDE_SERVER].ssl), server);
	assert_int_equal(w->endpoint[SIDE_CLIENT].saw_certificate, !client);
	assert_int_equal(w->endpoint[SIDE_SERVER].saw_certificate, !server);
}

/* --- what is resumed --- */

static void sides_are_resumed_each_for_itself(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		bool client = i & 1, server = i & 2;
		struct resumer r = resumer_new(versions[i / 4], server);
		first(&r);
		struct msg_secured before[SIDES] = {r.w->told[0].secured, r.w->told[1].secured};
		if (!client) {
			SSL_SESSION_free(r.client_session);
			r.client_session = NULL;
		}
		again(&r);
		expect_done(&r);
		expect_resumed(&r, client, server);
		assert_int_equal(r.w->keyd_requests[KEYD_SIGN], 2 + !client + !server);
		assert_int_equal(world_counter(r.w, TLS_COUNT_RESUMED_CLIENT), client);
		assert_int_equal(world_counter(r.w, TLS_COUNT_RESUMED_SERVER), server);
		/* Control is told the same as of the full handshake. */
		for (unsigned side = 0; side < SIDES; side++)
			assert_memory_equal(&before[side], &r.w->told[side].secured, sizeof(before[side]));
		exchange(&r);
		resumer_free(&r);
	}
}

static void sessions_of_1_3_are_used_once(void **state)
{
	(void)state;
	struct resumer r = resumer_new(TLS1_3_VERSION, true);
	first(&r);
	SSL_SESSION *old = r.client_session;
	SSL_SESSION_up_ref(old);
	again(&r);
	expect_done(&r);
	expect_resumed(&r, true, true);
	exchange(&r);
	SSL_SESSION_free(r.client_session);
	r.client_session = old;
	again(&r);
	expect_done(&r);
	assert_false(SSL_session_reused(r.w->endpoint[SIDE_CLIENT].ssl));
	resumer_free(&r);
}

/* However often it is resumed, after an hour there is a full handshake. */
static void an_hour_is_all(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct resumer r = resumer_new(versions[i], true);
		first(&r);
		for (unsigned k = 0; k < 3; k++) {
			r.w->now_ms += 19 * 60 * 1000;
			again(&r);
			expect_done(&r);
			expect_resumed(&r, true, true);
			exchange(&r);
		}
		r.w->now_ms += 4 * 60 * 1000;
		again(&r);
		expect_done(&r);
		expect_resumed(&r, false, false);
		resumer_free(&r);
	}
}

/* --- what is not --- */

static void other_names_are_not_resumed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct resumer r = resumer_new(versions[i], true);
		first(&r);
		world_reopen(r.w);
		/* A server that proves both names, so that nothing but the name of the connection is another one. */
		const struct pki_spec both = {.names = {{PKI_DNS, "a.example", 0}, {PKI_DNS, "sub.a.example", 0}}};
		struct pki pki = pki_make(&both, &r.w->site_ca[WIRE_INSIDE]);
		put_endpoints(&r);
		SSL *client = r.w->endpoint[SIDE_CLIENT].ssl;
		assert_int_equal(SSL_use_certificate(client, pki.certificate), 1);
		assert_int_equal(SSL_use_PrivateKey(client, pki.key), 1);
		snprintf(r.w->conf.domains[1], CHANNEL_NAME_MAX, "sub.a.example");
		r.w->conf.domain_count = 2;
		const struct msg_start_tls other = {.client_name = "sub.a.example", .server_name = "b.example"};
		player_say(&r.w->upper, MSG_START_TLS, SIDE_CLIENT, CONN, &other, sizeof(other));
		world_settle(r.w);
		expect_done(&r);
		expect_resumed(&r, false, false);
		assert_string_equal(r.w->told[SIDE_SERVER].secured.shown, "sub.a.example");
		pki_free(&pki);
		resumer_free(&r);
	}
}

/* At a lower level the server must not be shown an old proof of a client that gives none now. */
static void lower_levels_are_not_resumed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct resumer r = resumer_new(versions[i], true);
		first(&r);
		world_reopen(r.w);
		connect_as(&r, AUTH_TLS_DIALBACK);
		expect_done(&r);
		expect_resumed(&r, false, false);
		exchange(&r);
		world_reopen(r.w);                       /* nor is anything kept of that */
		connect_as(&r, AUTH_TLS_DIALBACK);
		expect_done(&r);
		assert_false(SSL_session_reused(r.w->endpoint[SIDE_CLIENT].ssl));
		resumer_free(&r);
	}
}

static void what_was_trusted_before_is_not_resumed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		enum wire wire = i & 1;
		struct resumer r = resumer_new(versions[i / 2], true);
		first(&r);
		r.w->relay->trust[wire].generation++;
		again(&r);
		expect_done(&r);
		expect_resumed(&r, wire == WIRE_OUTSIDE, wire == WIRE_INSIDE);
		resumer_free(&r);
	}
}

/* A certificate that has expired since, and a CA that is not trusted any more: a full handshake, and that fails. */
static void expire(struct resumer *r, enum conn_side side)
{
	struct world *w = r->w;
	X509_STORE *nobody = X509_STORE_new();
	SSL_CTX *contexts[] = {w->relay->trust[WIRE_INSIDE].accept, w->relay->trust[WIRE_OUTSIDE].dial};
	SSL_CTX_set_cert_store(contexts[side], nobody);
}

static void what_is_not_good_any_more_is_not_resumed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		enum conn_side side = i & 1;
		struct resumer r = resumer_new(versions[i / 2], true);
		first(&r);
		expire(&r, side);
		again(&r);
		assert_int_equal(r.w->failures, 1);
		assert_int_equal(r.w->failed_side, side);
		assert_int_equal(r.w->failed.failure, TLS_FAILED_CERTIFICATE);
		assert_int_equal(world_counter(r.w, TLS_COUNT_SESSIONS_REFUSED), 1);
		assert_int_equal(r.w->told[SIDE_CLIENT].secured_count + r.w->told[SIDE_SERVER].secured_count, 0);
		assert_false(r.w->endpoint[side_other(side)].done);
		resumer_free(&r);
	}
}

/* --- the order of things --- */

/* The client is told nothing, not even by a resumed session, before the server has proved itself by its own. */
static void client_sees_nothing_before_the_server_is_proven(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct resumer r = resumer_new(versions[i], true);
		first(&r);
		world_reopen(r.w);
		put_endpoints(&r);
		r.w->endpoint[SIDE_SERVER].frozen = true;
		world_start_tls(r.w, AUTH_STRONG);
		world_settle(r.w);
		assert_int_equal(r.w->endpoint[SIDE_CLIENT].wire_bytes, 0);
		r.w->endpoint[SIDE_SERVER].frozen = false;
		world_settle(r.w);
		expect_done(&r);
		expect_resumed(&r, true, true);
		resumer_free(&r);
	}
}

/* The server's handshake is not complete, by the client's last message, before the client is verified. */
static void server_is_not_done_before_the_client_is(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		bool resumes = i & 1;
		struct resumer r = resumer_new(versions[i / 2], true);
		first(&r);
		world_reopen(r.w);
		put_endpoints(&r);
		if (!resumes)
			SSL_set_session(r.w->endpoint[SIDE_CLIENT].ssl, NULL);
		world_start_tls(r.w, AUTH_STRONG);
		world_turn(r.w);                         /* the client says hello, and then nothing more */
		r.w->endpoint[SIDE_CLIENT].frozen = true;
		world_settle(r.w);
		assert_true(r.w->endpoint[SIDE_CLIENT].wire_bytes > 0);
		assert_true(SSL_session_reused(r.w->endpoint[SIDE_SERVER].ssl));
		assert_false(r.w->endpoint[SIDE_SERVER].done);
		r.w->endpoint[SIDE_CLIENT].frozen = false;
		world_settle(r.w);
		expect_done(&r);
		expect_resumed(&r, resumes, true);
		exchange(&r);
		resumer_free(&r);
	}
}

/* The client turns out to be bad, or says nothing more, or leaves: the server, which resumed A's session, never hears that
 * it was A. */
static void a_bad_client_leaves_the_server_undone(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		struct resumer r = resumer_new(versions[i & 1], true);
		struct pki stranger = pki_ca("stranger"), bad = pki_server("a.example", &stranger);
		first(&r);
		SSL_SESSION_free(r.client_session);
		r.client_session = NULL;
		world_reopen(r.w);
		put_endpoints(&r);
		SSL *client = r.w->endpoint[SIDE_CLIENT].ssl;
		SSL_use_certificate(client, bad.certificate);
		SSL_use_PrivateKey(client, bad.key);
		world_start_tls(r.w, AUTH_STRONG);
		world_turn(r.w);
		r.w->endpoint[SIDE_CLIENT].frozen = i / 2;
		world_settle(r.w);
		if (i / 2 == 1)
			r.w->now_ms += CONN_HANDSHAKE_MS;
		else if (i / 2 == 2)
			player_say(&r.w->lower, MSG_END_OF_STREAM, SIDE_CLIENT, CONN, NULL, 0);
		world_settle(r.w);
		assert_int_equal(r.w->failures, 1);
		assert_int_equal(r.w->failed_side, SIDE_CLIENT);
		static const enum tls_failure failures[] = {TLS_FAILED_CERTIFICATE, TLS_FAILED_TIMEOUT, TLS_FAILED_HANDSHAKE};
		assert_int_equal(r.w->failed.failure, failures[i / 2]);
		for (unsigned side = 0; side < SIDES; side++)
			player_say(&r.w->upper, MSG_END_OF_STREAM, side, CONN, NULL, 0);
		world_settle(r.w);
		assert_true(SSL_session_reused(r.w->endpoint[SIDE_SERVER].ssl));
		assert_false(r.w->endpoint[SIDE_SERVER].done);
		assert_true(r.w->endpoint[SIDE_SERVER].got_end);
		pki_free(&stranger);
		pki_free(&bad);
		resumer_free(&r);
	}
}

/* --- hostile clients --- */

/* A session that was changed, of another's making, or with a wrong key behind it. */
static void foreign_sessions_are_not_resumed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct resumer r = resumer_new(versions[i], false), other = resumer_new(versions[i], false);
		first(&r);
		first(&other);
		SSL_SESSION_free(r.client_session);
		r.client_session = SSL_SESSION_dup(other.client_session);
		again(&r);
		expect_done(&r);
		expect_resumed(&r, false, false);
		resumer_free(&other);
		resumer_free(&r);
	}
}

/* The right name of a session with the wrong secret: the binder (1.3) or the Finished (1.2) gives it away. */
static void a_stolen_name_is_not_enough(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct resumer r = resumer_new(versions[i], false);
		first(&r);
		static const unsigned char wrong[48] = {1, 2, 3};
		SSL_SESSION *forged = SSL_SESSION_dup(r.client_session);
		assert_int_equal(SSL_SESSION_set1_master_key(forged, wrong, sizeof(wrong)), 1);
		SSL_SESSION_free(r.client_session);
		r.client_session = forged;
		again(&r);
		assert_int_equal(r.w->told[SIDE_CLIENT].secured_count, 0);
		assert_false(r.w->endpoint[SIDE_CLIENT].done);
		assert_false(r.w->endpoint[SIDE_SERVER].done);
		assert_false(r.w->endpoint[SIDE_SERVER].saw_certificate);
		resumer_free(&r);
	}
}

/* A ClientHello that asks for a session, taken from a client before it is sent. */
static size_t hello_of(struct resumer *r, uint8_t *hello, size_t size)
{
	world_reopen(r->w);
	put_endpoints(r);
	assert_int_equal(SSL_do_handshake(r->w->endpoint[SIDE_CLIENT].ssl), -1);
	int n = BIO_read(r->w->endpoint[SIDE_CLIENT].out, hello, (int)size);
	assert_true(n > 100 && (size_t)n < size);
	return (size_t)n;
}

/* The same with each byte changed, and cut after it: nobody is let in, and nothing breaks (the sanitizers look on). */
static void changed_hellos_are_refused(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		uint8_t hello[2048], changed[2048];
		struct resumer r = resumer_new(versions[i], false);
		first(&r);
		size_t n = hello_of(&r, hello, sizeof(hello));
		for (size_t at = 0; at < n; at++) {
			bool cut = at % 2;
			memcpy(changed, hello, n);
			changed[at] ^= (uint8_t)(at % 3 ? 0x80 : 0x01);
			world_reopen(r.w);
			world_endpoint_tls(r.w, SIDE_SERVER, &r.w->site[SIDE_SERVER], NULL, r.version);
			world_start_tls(r.w, AUTH_STRONG);
			player_say(&r.w->lower, MSG_BYTES, SIDE_CLIENT, CONN, changed, (uint32_t)(cut ? at + 1 : n));
			player_say(&r.w->lower, MSG_END_OF_STREAM, SIDE_CLIENT, CONN, NULL, 0);
			world_settle(r.w);
			assert_int_equal(r.w->failures, 1);
			assert_int_equal(r.w->told[SIDE_CLIENT].secured_count + r.w->told[SIDE_SERVER].secured_count, 0);
			assert_false(r.w->endpoint[SIDE_SERVER].saw_certificate);
		}
		assert_int_equal(world_counter(r.w, TLS_COUNT_RESUMED_CLIENT), 0);
		resumer_free(&r);
	}
}

/* --- bounds --- */

static void the_table_is_bounded(void **state)
{
	(void)state;
	struct resumer r = resumer_new(TLS1_3_VERSION, true);
	first(&r);
	SSL *server = r.w->endpoint[SIDE_SERVER].ssl;
	for (unsigned i = 0; i < RESUME_MAX + 100; i++) {
		assert_int_equal(SSL_new_session_ticket(server), 1);
		assert_int_equal(SSL_do_handshake(server), 1);
		assert_int_equal(buf_put(&r.w->endpoint[SIDE_SERVER].to_send, "up", 2), 0);
		world_settle(r.w);
	}
	assert_int_equal(r.w->failures, 0);
	assert_true(world_counter(r.w, TLS_COUNT_SESSIONS_KEPT) > RESUME_MAX);
	assert_int_equal(r.w->relay->resume.count, RESUME_MAX);
	resumer_free(&r);
}

static void a_profile_may_leave_it_out(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct resumer r = resumer_new(versions[i], true);
		for (unsigned wire = 0; wire < WIRES; wire++) {
			struct trust *trust = &r.w->relay->trust[wire];
			r.w->conf.wire[wire].tls.resumption = false;
			trust_fini(trust);
			assert_int_equal(trust_init(trust, &r.w->conf, wire), 0);
			handshake_prepare(trust);
		}
		first(&r);
		again(&r);
		expect_done(&r);
		expect_resumed(&r, false, false);
		assert_int_equal(world_counter(r.w, TLS_COUNT_SESSIONS_KEPT), 0);
		resumer_free(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sides_are_resumed_each_for_itself),
		cmocka_unit_test(sessions_of_1_3_are_used_once),
		cmocka_unit_test(an_hour_is_all),
		cmocka_unit_test(other_names_are_not_resumed),
		cmocka_unit_test(lower_levels_are_not_resumed),
		cmocka_unit_test(what_was_trusted_before_is_not_resumed),
		cmocka_unit_test(what_is_not_good_any_more_is_not_resumed),
		cmocka_unit_test(client_sees_nothing_before_the_server_is_proven),
		cmocka_unit_test(server_is_not_done_before_the_client_is),
		cmocka_unit_test(a_bad_client_leaves_the_server_undone),
		cmocka_unit_test(foreign_sessions_are_not_resumed),
		cmocka_unit_test(a_stolen_name_is_not_enough),
		cmocka_unit_test(changed_hellos_are_refused),
		cmocka_unit_test(the_table_is_bounded),
		cmocka_unit_test(a_profile_may_leave_it_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
