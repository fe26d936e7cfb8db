/* Records and messages after and in the handshake, as nobody well-behaved sends them: sizes, floods, ends, tampering. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "tls_harness.h"

enum { RECORD_MAX = 16384, TAG = 16 };

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* --- records of TLS 1.3 made by hand, as `side` would send them: AES-256-GCM with the keys that it uses --- */

struct sealer {
	uint8_t key[32], iv[12];
	uint64_t sequence;
};

static uint8_t secrets[SIDES][48];

static uint8_t nibble(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* "CLIENT_TRAFFIC_SECRET_0 random secret": each endpoint's own, in hexadecimal digits. */
static void keep_secret(const SSL *ssl, const char *line)
{
	const char *own = SSL_is_server(ssl) ? "SERVER_TRAFFIC_SECRET_0 " : "CLIENT_TRAFFIC_SECRET_0 ";
	if (strncmp(line, own, strlen(own)))
		return;
	const char *hex = strrchr(line, ' ') + 1;
	for (unsigned i = 0; i < 48; i++)
		secrets[SSL_is_server(ssl)][i] = (uint8_t)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
}

/* HKDF-Expand-Label (RFC 8446 7.1). */
static void expand(const uint8_t secret[48], const char *label, uint8_t *out, size_t n)
{
	uint8_t info[32];
	size_t len = strlen(label);
	info[0] = 0, info[1] = (uint8_t)n, info[2] = (uint8_t)(6 + len);
	memcpy(info + 3, "tls13 ", 6);
	memcpy(info + 9, label, len);
	info[9 + len] = 0;
	int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
	char digest[] = "SHA384";
	OSSL_PARAM params[] = {OSSL_PARAM_int(OSSL_KDF_PARAM_MODE, &mode),
		OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret, 48),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_INFO, info, 10 + len), OSSL_PARAM_END};
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
	assert_int_equal(EVP_KDF_derive(context, out, n, params), 1);
	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
}

static struct sealer sealer_of(enum conn_side side)
{
	struct sealer sealer = {.sequence = 0};
	expand(secrets[side], "key", sealer.key, sizeof(sealer.key));
	expand(secrets[side], "iv", sealer.iv, sizeof(sealer.iv));
	return sealer;
}

/* One record of that content, and `padding` bytes of zero behind it (RFC 8446 5.2): its length. */
static size_t seal(struct sealer *sealer, uint8_t type, const void *content, size_t n, size_t padding, uint8_t *record)
{
	static uint8_t inner[RECORD_MAX + 512];
	uint8_t nonce[12];
	int len = 0, total = (int)(n + 1 + padding);
	if (n)
		memcpy(inner, content, n);
	inner[n] = type;
	memset(inner + n + 1, 0, padding);
	record[0] = SSL3_RT_APPLICATION_DATA, record[1] = 3, record[2] = 3;
	record[3] = (uint8_t)((total + TAG) >> 8), record[4] = (uint8_t)(total + TAG);
	memcpy(nonce, sealer->iv, sizeof(nonce));
	for (unsigned i = 0; i < 8; i++)
		nonce[4 + i] ^= (uint8_t)(sealer->sequence >> (8 * (7 - i)));
	sealer->sequence++;
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	assert_int_equal(EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, sealer->key, nonce), 1);
	assert_int_equal(EVP_EncryptUpdate(context, NULL, &len, record, 5), 1);
	assert_int_equal(EVP_EncryptUpdate(context, record + 5, &len, inner, total), 1);
	assert_int_equal(EVP_EncryptFinal_ex(context, record + 5 + total, &len), 1);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG, record + 5 + total), 1);
	EVP_CIPHER_CTX_free(context);
	return (size_t)(5 + total + TAG);
}

static void send_sealed(struct world *w, enum conn_side side, struct sealer *sealer, uint8_t type, const void *content,
	size_t n)
{
	static uint8_t record[RECORD_MAX + 1024];
	size_t len = seal(sealer, type, content, n, 0, record);
	player_say(&w->lower, MSG_BYTES, side, CONN, record, (uint32_t)len);
	w->endpoint[side].credit -= (uint32_t)len;
}

/* Both in TLS 1.3, with AES-256-GCM; no tickets, so that the first record of each is still to come. */
static struct world *sealing_world(void)
{
	struct world *w = world_new();
	world_open(w);
	for (unsigned side = 0; side < SIDES; side++) {
		world_endpoint_tls(w, side, &w->site[side], NULL, TLS1_3_VERSION);
		SSL_CTX_set_keylog_callback(w->endpoint[side].context, keep_secret);
		SSL_set_num_tickets(w->endpoint[side].ssl, 0);
	}
	world_start_tls(w, AUTH_STRONG);
	world_settle(w);
	assert_int_equal(w->told[SIDE_SERVER].secured_count, 1);
	assert_string_equal(w->told[SIDE_CLIENT].secured.cipher, "TLS_AES_256_GCM_SHA384");
	return w;
}

static struct world *secure_world(int version)
{
	struct world *w = world_new();
	world_secure(w, version);
	return w;
}

static void expect_failed(const struct world *w, enum conn_side side, enum tls_failure failure, const char *reason)
{
	if (w->failures != 1 || w->failed_side != side || w->failed.failure != failure || strcmp(w->failed.reason, reason))
		fail_msg("%u failures, side %d, %u \"%s\" instead of \"%s\"", w->failures, w->failed_side, w->failed.failure,
			w->failed.reason, reason);
	assert_int_equal(world_counter(w, TLS_COUNT_FAILED_HANDSHAKE + failure), 1);
}

/* --- sizes --- */

static void send_in_records_of(struct world *w, size_t size, unsigned count)
{
	static uint8_t bytes[RECORD_MAX];
	for (unsigned side = 0; side < SIDES; side++) {
		for (unsigned i = 0; i < count; i++) {
			memset(bytes, (int)(size + i), size);
			assert_int_equal(SSL_write(w->endpoint[side].ssl, bytes, (int)size), (int)size);
			world_control_says(w, side, bytes, size);
		}
	}
	world_settle(w);
	for (unsigned side = 0; side < SIDES; side++)
		for (struct buf *got = &w->told[side].got; got; got = got == &w->told[side].got ? &w->endpoint[side].got : NULL) {
			assert_int_equal(buf_len(got), size * count);
			for (size_t k = 0; k < size * count; k++)
				if (buf_head(got)[k] != (uint8_t)(size + k / size))
					fail_msg("size %zu: byte %zu", size, k);
			buf_drop(got, buf_len(got));
		}
}

static void records_of_every_size(void **state)
{
	(void)state;
	static const size_t more[] = {511, 512, 513, 1023, 1024, 4095, 4096, 8191, 8192, 16383, 16384};
	for (unsigned v = 0; v < 2; v++) {
		struct world *w = secure_world(versions[v]);
		for (size_t size = 1; size <= 260; size++)
			send_in_records_of(w, size, 3);
		for (unsigned i = 0; i < sizeof(more) / sizeof(more[0]); i++)
			send_in_records_of(w, more[i], 3);
		send_in_records_of(w, 1, 500);
		assert_int_equal(w->failures, 0);
		world_free(w);
	}
}

static void padded_records_are_read(void **state)
{
	(void)state;
	static uint8_t record[RECORD_MAX + 1024];
	struct world *w = sealing_world();
	struct sealer client = sealer_of(SIDE_CLIENT);
	static const size_t paddings[] = {0, 1, 255, 4000, RECORD_MAX - 4};
	for (unsigned i = 0; i < 5; i++) {
		size_t n = seal(&client, SSL3_RT_APPLICATION_DATA, "data", 4, paddings[i], record);
		player_say(&w->lower, MSG_BYTES, SIDE_CLIENT, CONN, record, (uint32_t)n);
		w->endpoint[SIDE_CLIENT].credit -= (uint32_t)n;
		world_settle(w);
		assert_int_equal(w->told[SIDE_CLIENT].got_bytes, 4 * (i + 1));
	}
	assert_int_equal(w->failures, 0);
	world_free(w);
}

static void a_record_that_is_too_long(void **state)
{
	(void)state;
	static const uint8_t header[] = {23, 3, 3, 0x41, 0x01};        /* 16384 + 257: one too many (RFC 8446 5.2) */
	struct world *w = secure_world(TLS1_3_VERSION);
	player_say(&w->lower, MSG_BYTES, SIDE_CLIENT, CONN, header, sizeof(header));
	world_settle(w);
	expect_failed(w, SIDE_CLIENT, TLS_FAILED_RECORD, "encrypted length too long");
	assert_int_equal(w->endpoint[SIDE_CLIENT].alert, SSL_AD_RECORD_OVERFLOW);
	world_free(w);
}

/* A record of the first direction comes once more, or with one bit changed, in its place and in that of the header. */
static void a_record_that_was_changed_or_repeated(void **state)
{
	(void)state;
	for (unsigned way = 0; way < 3; way++) {
		uint8_t record[64];
		struct world *w = sealing_world();
		struct sealer client = sealer_of(SIDE_CLIENT);
		size_t n = seal(&client, SSL3_RT_APPLICATION_DATA, "data", 4, 0, record);
		if (way == 0)
			player_say(&w->lower, MSG_BYTES, SIDE_CLIENT, CONN, record, (uint32_t)n);
		else
			record[way == 1 ? 2 : 8] ^= 1;
		player_say(&w->lower, MSG_BYTES, SIDE_CLIENT, CONN, record, (uint32_t)n);
		world_settle(w);
		assert_int_equal(w->failures, 1);
		assert_int_equal(w->failed.failure, TLS_FAILED_RECORD);
		assert_int_equal(w->told[SIDE_CLIENT].got_bytes, way == 0 ? 4 : 0);
		assert_int_equal(w->endpoint[SIDE_SERVER].got_bytes, 0);
		world_free(w);
	}
}

/* --- floods --- */

static void empty_records_are_bounded(void **state)
{
	(void)state;
	for (enum conn_side side = SIDE_CLIENT; side < SIDES; side++) {
		struct world *w = sealing_world();
		struct sealer sealer = sealer_of(side);
		for (unsigned i = 0; i < 20; i++)
			send_sealed(w, side, &sealer, SSL3_RT_APPLICATION_DATA, NULL, 0);
		send_sealed(w, side, &sealer, SSL3_RT_APPLICATION_DATA, "data", 4);
		world_settle(w);
		assert_int_equal(w->failures, 0);
		assert_int_equal(w->told[side].got_bytes, 4);
		for (unsigned i = 0; i < 100; i++)
			send_sealed(w, side, &sealer, SSL3_RT_APPLICATION_DATA, NULL, 0);
		world_settle(w);
		expect_failed(w, side, TLS_FAILED_RECORD, "record too small");
		world_free(w);
	}
}

static void update_keys(struct world *w, enum conn_side side, unsigned count, int kind)
{
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(SSL_key_update(w->endpoint[side].ssl, kind), 1);
		assert_int_equal(SSL_do_handshake(w->endpoint[side].ssl), 1);
	}
	world_settle(w);
}

/* Any number, as long as data comes between them. */
static void key_updates_without_data_are_bounded(void **state)
{
	(void)state;
	static const int kinds[] = {SSL_KEY_UPDATE_REQUESTED, SSL_KEY_UPDATE_NOT_REQUESTED};
	for (unsigned i = 0; i < 4; i++) {
		enum conn_side side = i / 2;
		struct world *w = secure_world(TLS1_3_VERSION);
		for (unsigned round = 0; round < 5; round++) {
			update_keys(w, side, LAYER_IDLE_TALK_MAX - 4, kinds[i % 2]);
			assert_int_equal(buf_put(&w->endpoint[side].to_send, "data", 4), 0);
			world_settle(w);
			world_control_says(w, side, "down", 4);
			world_settle(w);
		}
		assert_int_equal(w->failures, 0);
		assert_int_equal(w->told[side].got_bytes, 5 * 4);
		assert_int_equal(w->endpoint[side].got_bytes, 5 * 4);
		update_keys(w, side, LAYER_IDLE_TALK_MAX + 1, kinds[i % 2]);
		expect_failed(w, side, TLS_FAILED_RECORD, "many messages of TLS and no data");
		assert_int_equal(w->endpoint[side_other(side)].got_bytes, 0);
		world_free(w);
	}
}

/* A server may hand out as many tickets as it likes, within the same bound. None is kept for a connection that is over. */
static void tickets_are_bounded(void **state)
{
	(void)state;
	struct world *w = secure_world(TLS1_3_VERSION);
	SSL *server = w->endpoint[SIDE_SERVER].ssl;
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(SSL_new_session_ticket(server), 1);
	assert_int_equal(SSL_do_handshake(server), 1);
	world_settle(w);
	assert_int_equal(w->failures, 0);
	for (unsigned i = 0; i < LAYER_IDLE_TALK_MAX; i++) {
		assert_int_equal(SSL_new_session_ticket(server), 1);
		assert_int_equal(SSL_do_handshake(server), 1);
	}
	world_settle(w);
	expect_failed(w, SIDE_SERVER, TLS_FAILED_RECORD, "many messages of TLS and no data");
	world_free(w);
}

static void warnings_end_a_connection_of_1_3(void **state)
{
	(void)state;
	static const uint8_t warning[] = {SSL3_AL_WARNING, SSL_AD_CERTIFICATE_UNKNOWN};
	struct world *w = sealing_world();
	struct sealer client = sealer_of(SIDE_CLIENT);
	send_sealed(w, SIDE_CLIENT, &client, SSL3_RT_ALERT, warning, sizeof(warning));
	world_settle(w);
	/* All but two alerts are errors, whatever their level (RFC 8446 6). */
	expect_failed(w, SIDE_CLIENT, TLS_FAILED_HANDSHAKE, "sslv3 alert certificate unknown");
	world_free(w);

	static const uint8_t cancelled[] = {SSL3_AL_WARNING, SSL_AD_USER_CANCELLED};
	w = sealing_world();
	client = sealer_of(SIDE_CLIENT);
	for (unsigned i = 0; i < 10; i++)
		send_sealed(w, SIDE_CLIENT, &client, SSL3_RT_ALERT, cancelled, sizeof(cancelled));
	world_settle(w);
	expect_failed(w, SIDE_CLIENT, TLS_FAILED_RECORD, "too many warn alerts");
	world_free(w);
}

/* --- what is never done --- */

static void watch_alerts(int written, int version, int type, const void *bytes, size_t n, SSL *ssl, void *refused)
{
	const uint8_t *alert = bytes;
	(void)version, (void)ssl;
	if (!written && type == SSL3_RT_ALERT && n == 2 && alert[0] == SSL3_AL_WARNING && alert[1] == SSL_AD_NO_RENEGOTIATION)
		*(bool *)refused = true;
}

/* Refused with a warning (RFC 5246 7.2.2). Whether they go on without is theirs to decide; OpenSSL does not. */
static void nobody_renegotiates(void **state)
{
	(void)state;
	for (enum conn_side side = SIDE_CLIENT; side < SIDES; side++) {
		struct world *w = secure_world(TLS1_2_VERSION);
		SSL *ssl = w->endpoint[side].ssl;
		bool refused = false;
		SSL_set_msg_callback(ssl, watch_alerts);
		SSL_set_msg_callback_arg(ssl, &refused);
		assert_int_equal(SSL_renegotiate(ssl), 1);
		SSL_do_handshake(ssl);
		world_settle(w);
		assert_true(refused);
		expect_failed(w, side, TLS_FAILED_HANDSHAKE, "sslv3 alert handshake failure");
		assert_int_equal(w->told[side].secured_count, 1);
		assert_int_equal(w->keyd_requests[KEYD_SIGN], 2);      /* those of the first handshakes */
		world_free(w);
	}
}

/* CertificateRequest with an empty context and one signature algorithm: we never said that we take one (RFC 8446 4.6.2). */
static void no_authentication_after_the_handshake(void **state)
{
	(void)state;
	static const uint8_t request[] = {13, 0, 0, 11, 0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3};
	struct world *w = sealing_world();
	struct sealer server = sealer_of(SIDE_SERVER);
	send_sealed(w, SIDE_SERVER, &server, SSL3_RT_HANDSHAKE, request, sizeof(request));
	world_settle(w);
	expect_failed(w, SIDE_SERVER, TLS_FAILED_RECORD, "unexpected message");
	assert_int_equal(w->endpoint[SIDE_SERVER].alert, SSL_AD_UNEXPECTED_MESSAGE);
	world_free(w);
}

static void nothing_is_compressed_and_secrets_are_extended(void **state)
{
	(void)state;
	struct world *w = secure_world(TLS1_2_VERSION);
	for (unsigned side = 0; side < SIDES; side++) {
		assert_null(SSL_get_current_compression(w->endpoint[side].ssl));
		assert_int_equal(SSL_get_extms_support(w->endpoint[side].ssl), 1);
		assert_int_equal(SSL_get_secure_renegotiation_support(w->endpoint[side].ssl), 1);
	}
	for (unsigned wire = 0; wire < WIRES; wire++) {
		uint64_t options = SSL_CTX_get_options(w->relay->trust[wire].dial);
		assert_int_equal(options & (SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION), 0);
		assert_int_equal(options & SSL_OP_NO_COMPRESSION, SSL_OP_NO_COMPRESSION);
	}
	world_free(w);
}

/* --- ends --- */

/* Who is cut off in the middle must not look as if it had said all: the other endpoint sees no close_notify either. */
static void truncation_is_passed_on(void **state)
{
	(void)state;
	for (unsigned v = 0; v < 4; v++) {
		enum conn_side side = v / 2;
		struct world *w = secure_world(versions[v % 2]);
		assert_int_equal(buf_put(&w->endpoint[side].to_send, "not all of", 10), 0);
		world_settle(w);
		player_say(&w->lower, MSG_END_OF_STREAM, side, CONN, NULL, 0);
		world_settle(w);
		assert_true(w->told[side].ended);
		assert_int_equal(world_counter(w, TLS_COUNT_TRUNCATED), 1);
		world_control_says(w, side_other(side), "not all of", 10);
		for (unsigned s = 0; s < SIDES; s++)
			player_say(&w->upper, MSG_END_OF_STREAM, s, CONN, NULL, 0);
		world_settle(w);
		const struct endpoint *other = &w->endpoint[side_other(side)];
		assert_int_equal(other->got_bytes, 10);
		assert_true(other->got_end);
		assert_false(other->saw_close_notify);
		assert_true(w->endpoint[side].saw_close_notify);
		world_free(w);
	}
}

/* OpenSSL answers an end without close_notify with decode_error: whose fault that is, is known. */
static void a_complaint_is_no_failure(void **state)
{
	(void)state;
	static const uint8_t alert[] = {SSL3_AL_FATAL, SSL_AD_DECODE_ERROR};
	for (unsigned truncated = 0; truncated < 2; truncated++) {
		struct world *w = sealing_world();
		struct sealer server = sealer_of(SIDE_SERVER);
		if (!truncated)
			SSL_shutdown(w->endpoint[SIDE_CLIENT].ssl);
		world_settle(w);
		player_say(&w->lower, MSG_END_OF_STREAM, SIDE_CLIENT, CONN, NULL, 0);
		player_say(&w->upper, MSG_END_OF_STREAM, SIDE_SERVER, CONN, NULL, 0);
		world_settle(w);
		send_sealed(w, SIDE_SERVER, &server, SSL3_RT_ALERT, alert, sizeof(alert));
		world_settle(w);
		assert_int_equal(w->failures, !truncated);
		assert_true(w->told[SIDE_SERVER].ended || !truncated);
		world_free(w);
	}
}

/* The same with an end as it should be. */
static void close_notify_is_passed_on(void **state)
{
	(void)state;
	for (unsigned v = 0; v < 4; v++) {
		enum conn_side side = v / 2;
		struct world *w = secure_world(versions[v % 2]);
		SSL_shutdown(w->endpoint[side].ssl);
		world_settle(w);
		player_say(&w->lower, MSG_END_OF_STREAM, side, CONN, NULL, 0);
		for (unsigned s = 0; s < SIDES; s++)
			player_say(&w->upper, MSG_END_OF_STREAM, s, CONN, NULL, 0);
		world_settle(w);
		assert_true(w->endpoint[side_other(side)].saw_close_notify);
		assert_true(w->endpoint[side_other(side)].got_end);
		assert_int_equal(world_counter(w, TLS_COUNT_TRUNCATED), 0);
		world_free(w);
	}
}

/* --- in the handshake --- */

static void start(struct world *w, int client_version, int server_version)
{
	world_open(w);
	world_endpoint_tls(w, SIDE_CLIENT, &w->site[SIDE_CLIENT], NULL, client_version);
	world_endpoint_tls(w, SIDE_SERVER, &w->site[SIDE_SERVER], NULL, server_version);
	world_start_tls(w, AUTH_STRONG);
}

/* A byte now and then keeps no handshake alive: it has its time as a whole. */
static void a_handshake_in_drops_has_the_same_time(void **state)
{
	(void)state;
	for (enum conn_side side = SIDE_CLIENT; side < SIDES; side++) {
		struct world *w = world_new();
		w->endpoint[side].crumbs = true;
		start(w, TLS1_3_VERSION, TLS1_3_VERSION);
		uint64_t end = w->now_ms + CONN_HANDSHAKE_MS;
		while (w->now_ms < end && !w->failures) {
			for (unsigned i = 0; i < 4; i++)
				world_turn(w);
			w->now_ms += 2000;
		}
		world_settle(w);
		expect_failed(w, side, TLS_FAILED_TIMEOUT, "the handshake took too long");
		assert_true(w->now_ms < end + 2000);
		assert_false(w->endpoint[side_other(side)].saw_certificate && side == SIDE_SERVER);
		world_free(w);
	}
}

/* Changes two bytes of what waits for the server: the first place where `from` stands. */
static void tamper(struct endpoint *e, const uint8_t *from, size_t len, size_t at, uint8_t to)
{
	static uint8_t bytes[16384];
	int n = BIO_read(e->in, bytes, sizeof(bytes));
	for (int i = 0; i + (int)len <= n; i++)
		if (!memcmp(bytes + i, from, len)) {
			bytes[i + (int)at] = to;
			assert_int_equal(BIO_write(e->in, bytes, n), n);
			return;
		}
	fail_msg("there is no such extension in %d bytes", n);
}

/* Somebody on the wire takes 1.3 out of our offer: the server's random number gives that away (RFC 8446 4.1.3). */
static void a_downgrade_is_seen(void **state)
{
	(void)state;
	static const uint8_t offered[] = {0, 43, 0, 5, 4, 3, 4, 3, 3};
	struct world *w = world_new();
	start(w, TLS1_3_VERSION, TLS1_2_VERSION);
	assert_int_equal(SSL_set_max_proto_version(w->endpoint[SIDE_SERVER].ssl, TLS1_3_VERSION), 1);
	w->endpoint[SIDE_SERVER].frozen = true;
	world_settle(w);
	tamper(&w->endpoint[SIDE_SERVER], offered, sizeof(offered), 6, 3);
	w->endpoint[SIDE_SERVER].frozen = false;
	world_settle(w);
	expect_failed(w, SIDE_SERVER, TLS_FAILED_HANDSHAKE, "inappropriate fallback");
	assert_int_equal(w->endpoint[SIDE_SERVER].alert, SSL_AD_ILLEGAL_PARAMETER);
	assert_false(w->endpoint[SIDE_CLIENT].saw_certificate);
	world_free(w);
}

/* A client that was made to try with less says so (RFC 7507). */
static void a_fallback_is_refused(void **state)
{
	(void)state;
	struct world *w = world_new();
	start(w, TLS1_2_VERSION, TLS1_3_VERSION);
	SSL_set_mode(w->endpoint[SIDE_CLIENT].ssl, SSL_MODE_SEND_FALLBACK_SCSV);
	world_settle(w);
	expect_failed(w, SIDE_CLIENT, TLS_FAILED_HANDSHAKE, "inappropriate fallback");
	assert_int_equal(w->endpoint[SIDE_CLIENT].alert, SSL_AD_INAPPROPRIATE_FALLBACK);
	assert_false(w->endpoint[SIDE_SERVER].saw_certificate);
	world_free(w);
}

/* ChangeCipherSpec means nothing in TLS 1.3 and is let pass once (RFC 8446 5). */
static void change_cipher_specs_are_bounded(void **state)
{
	(void)state;
	static const uint8_t change[] = {20, 3, 3, 0, 1, 1};
	struct world *w = world_new();
	start(w, TLS1_3_VERSION, TLS1_3_VERSION);
	w->endpoint[SIDE_SERVER].frozen = true;
	world_settle(w);
	for (unsigned i = 0; i < 100; i++)
		player_say(&w->lower, MSG_BYTES, SIDE_SERVER, CONN, change, sizeof(change));
	world_settle(w);
	assert_int_equal(w->failures, 1);
	assert_int_equal(w->failed_side, SIDE_SERVER);
	assert_int_equal(w->failed.failure, TLS_FAILED_HANDSHAKE);
	assert_false(w->endpoint[SIDE_CLIENT].saw_certificate);
	world_free(w);
}

/* 60 KiB of certificates are read, 70 are not, from either. */
static void chains_have_at_most_64_kib(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		enum conn_side side = i & 1;
		bool fits = i & 2;
		struct world *w = world_new();
		struct pki_spec spec = {.names = {{PKI_DNS, side == SIDE_CLIENT ? "a.example" : "b.example", 0}},
			.padding_bytes = fits ? 60000 : 70000};
		struct pki big = pki_make(&spec, &w->site_ca[side == SIDE_CLIENT ? WIRE_INSIDE : WIRE_OUTSIDE]);
		world_open(w);
		world_endpoint_tls(w, side, &big, NULL, versions[i / 4]);
		world_endpoint_tls(w, side_other(side), &w->site[side_other(side)], NULL, TLS1_3_VERSION);
		world_start_tls(w, AUTH_STRONG);
		world_settle(w);
		if (fits)
			assert_int_equal(w->told[side].secured_count, 1);
		else
			expect_failed(w, side, TLS_FAILED_HANDSHAKE, "a message is too long: of certificates, 64 KiB are read");
		assert_true(fits || !w->endpoint[side_other(side)].saw_certificate);
		pki_free(&big);
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_of_every_size),
		cmocka_unit_test(padded_records_are_read),
		cmocka_unit_test(a_record_that_is_too_long),
		cmocka_unit_test(a_record_that_was_changed_or_repeated),
		cmocka_unit_test(empty_records_are_bounded),
		cmocka_unit_test(key_updates_without_data_are_bounded),
		cmocka_unit_test(tickets_are_bounded),
		cmocka_unit_test(warnings_end_a_connection_of_1_3),
		cmocka_unit_test(nobody_renegotiates),
		cmocka_unit_test(no_authentication_after_the_handshake),
		cmocka_unit_test(nothing_is_compressed_and_secrets_are_extended),
		cmocka_unit_test(truncation_is_passed_on),
		cmocka_unit_test(a_complaint_is_no_failure),
		cmocka_unit_test(close_notify_is_passed_on),
		cmocka_unit_test(a_handshake_in_drops_has_the_same_time),
		cmocka_unit_test(a_downgrade_is_seen),
		cmocka_unit_test(a_fallback_is_refused),
		cmocka_unit_test(change_cipher_specs_are_bounded),
		cmocka_unit_test(chains_have_at_most_64_kib),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
