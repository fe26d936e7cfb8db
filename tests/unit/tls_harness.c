#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "tls_harness.h"

enum { QUEUE_MAX = 64 << 20, SETTLE_TURNS = 200000 };

#define COUNTER_NAME(id, name) [id] = name,
static const char *const tls_names[] = {TLS_COUNTERS(COUNTER_NAME)};
static const char *const keyd_names[] = {KEYD_COUNTERS(COUNTER_NAME)};

static struct counters *counters_new(const char *const *names, unsigned count)
{
	int fd = counters_create();
	assert_true(fd >= 0);
	struct counters *counters = counters_open(fd, names, count);
	assert_non_null(counters);
	close(fd);
	return counters;
}

/* --- configuration, CAs, keyd --- */

static void path(const struct world *w, char *to, const char *name, unsigned wire)
{
	snprintf(to, PATH_MAX, "%s/%s-%u.pem", w->folder, name, wire);
}

static void make_wire(struct world *w, unsigned wire)
{
	struct conf_wire *conf = &w->conf.wire[wire];
	w->guard_ca[wire] = pki_ca(wire == WIRE_INSIDE ? "guard CA inside" : "guard CA outside");
	w->site_ca[wire] = pki_ca(wire == WIRE_INSIDE ? "site CA inside" : "site CA outside");
	path(w, conf->trust, "trust", wire);
	conf->life_hours = 720;
	assert_true(conf_tls_builtin("intermediate", &conf->tls));
	path(w, conf->ca_certificate, "ca", wire);
	path(w, conf->ca_key, "key", wire);
	pki_write_certificate(&w->site_ca[wire], conf->trust);
	pki_write_certificate(&w->guard_ca[wire], conf->ca_certificate);
	pki_write_key(&w->guard_ca[wire], conf->ca_key, 0600);
}

void world_start_keyd(struct world *w)
{
	keyd_fini(&w->keyd);
	struct counters *counters = w->keyd.counters ? w->keyd.counters : counters_new(keyd_names, KEYD_COUNTERS_END);
	assert_int_equal(keyd_init(&w->keyd, &w->conf, counters), 0);
}

static void make_conf(struct world *w)
{
	snprintf(w->conf.domains[0], CHANNEL_NAME_MAX, "a.example");
	w->conf.domain_count = 1;
	snprintf(w->peer.domain, CHANNEL_NAME_MAX, "b.example");
	w->conf.peers = &w->peer;
	w->conf.peer_count = 1;
	for (unsigned wire = 0; wire < WIRES; wire++)
		make_wire(w, wire);
	w->conf.certificates = w->certificates;
	world_start_keyd(w);
}

static void make_relay(struct world *w)
{
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	w->keyd_fd = pair[0];
	w->relay = calloc(1, sizeof(*w->relay));
	assert_non_null(w->relay);
	w->relay->lower = player_start(&w->lower, CHANNEL_UPPER);
	w->relay->upper = player_start(&w->upper, CHANNEL_LOWER);
	w->relay->counters = counters_new(tls_names, TLS_COUNTERS_END);
	for (unsigned wire = 0; wire < WIRES; wire++)
		assert_int_equal(trust_init(&w->relay->trust[wire], &w->conf, wire), 0);
	assert_int_equal(relay_init(w->relay, pair[1]), 0);
}

struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));
	assert_non_null(w);
	pki_folder_make(w->folder);
	make_conf(w);
	make_relay(w);
	w->now_ms = 1000;
	w->site[SIDE_CLIENT] = pki_server("a.example", &w->site_ca[WIRE_INSIDE]);
	w->site[SIDE_SERVER] = pki_server("b.example", &w->site_ca[WIRE_OUTSIDE]);
	for (unsigned side = 0; side < SIDES; side++) {
		struct endpoint *e = &w->endpoint[side];
		e->credit = w->told[side].credit = CHANNEL_WINDOW;
		e->alert = -1;
		e->in = BIO_new(BIO_s_mem());
		e->out = BIO_new(BIO_s_mem());
		BIO_set_mem_eof_return(e->in, -1);
		buf_init(&e->to_send, QUEUE_MAX);
		buf_init(&e->got, QUEUE_MAX);
		buf_init(&w->told[side].got, QUEUE_MAX);
	}
	return w;
}

static void endpoint_free(struct endpoint *e)
{
	SSL_free(e->ssl);
	SSL_CTX_free(e->context);
	BIO_free(e->in);
	BIO_free(e->out);
	buf_fini(&e->to_send);
	buf_fini(&e->got);
}

void world_free(struct world *w)
{
	int keyd = keys_fd(w->relay->keys);
	relay_fini(w->relay);
	channel_free(w->relay->lower);
	channel_free(w->relay->upper);
	player_fini(&w->lower);
	player_fini(&w->upper);
	close(keyd);
	close(w->keyd_fd);
	keyd_fini(&w->keyd);
	for (unsigned wire = 0; wire < WIRES; wire++) {
		trust_fini(&w->relay->trust[wire]);
		pki_free(&w->guard_ca[wire]);
		pki_free(&w->site_ca[wire]);
	}
	for (unsigned side = 0; side < SIDES; side++) {
		endpoint_free(&w->endpoint[side]);
		buf_fini(&w->told[side].got);
		pki_free(&w->site[side]);
	}
	free(w->relay);
	pki_folder_remove(w->folder);
	free(w);
}

uint64_t world_counter(const struct world *w, enum tls_counter id)
{
	return atomic_load(&w->relay->counters->table[id].value);
}

/* --- endpoints --- */

/* Certificate is handshake message 11; an empty one has no more than its lengths. */
static void watch(int written, int version, int type, const void *bytes, size_t n, SSL *ssl, void *arg)
{
	struct endpoint *e = arg;
	const uint8_t *message = bytes;
	(void)version, (void)ssl;
	if (written)
		return;
	if (type == SSL3_RT_HANDSHAKE && n > 16 && message[0] == SSL3_MT_CERTIFICATE)
		e->saw_certificate = true;
	if (type == SSL3_RT_ALERT && n == 2 && message[0] == SSL3_AL_FATAL)
		e->alert = message[1];
}

static SSL_CTX *endpoint_context(struct world *w, enum conn_side side, int version)
{
	SSL_CTX *context = SSL_CTX_new(side == SIDE_CLIENT ? TLS_client_method() : TLS_server_method());
	X509_STORE *store = SSL_CTX_get_cert_store(context);
	/* It may hold the weakest of certificates: what the guard says to that is what is tested. */
	SSL_CTX_set_security_level(context, 0);
	assert_int_equal(SSL_CTX_set_min_proto_version(context, version), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(context, version), 1);
	X509_STORE_add_cert(store, w->guard_ca[(side == SIDE_CLIENT) != w->inbound ? WIRE_INSIDE : WIRE_OUTSIDE].certificate);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_msg_callback(context, watch);
	SSL_CTX_set_msg_callback_arg(context, &w->endpoint[side]);
	return context;
}

void world_endpoint_tls(struct world *w, enum conn_side side, const struct pki *own, const struct pki *chain, int version)
{
	struct endpoint *e = &w->endpoint[side];
	if (!e->context)
		e->context = endpoint_context(w, side, version);
	if (own) {
		assert_int_equal(SSL_CTX_use_certificate(e->context, own->certificate), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(e->context, own->key), 1);
	}
	for (; chain && chain->certificate; chain++)
		assert_int_equal(SSL_CTX_add1_chain_cert(e->context, chain->certificate), 1);
	e->ssl = SSL_new(e->context);
	assert_non_null(e->ssl);
	BIO_up_ref(e->in);
	BIO_up_ref(e->out);
	SSL_set_bio(e->ssl, e->in, e->out);
	if (side == SIDE_CLIENT) {
		SSL_set_connect_state(e->ssl);
		SSL_set_tlsext_host_name(e->ssl, "b.example");
	} else {
		SSL_set_accept_state(e->ssl);
	}
}

static void endpoint_shake(struct world *w, struct endpoint *e)
{
	int rc = SSL_do_handshake(e->ssl);
	int error = SSL_get_error(e->ssl, rc);
	if (rc == 1) {
		e->done = true;
		w->stirred++;
	} else if (error != SSL_ERROR_WANT_READ) {
		e->failed = true;
	}
}

static void endpoint_read(struct world *w, struct endpoint *e)
{
	static uint8_t bytes[32 << 10];
	size_t n;
	for (int rc; (rc = SSL_read_ex(e->ssl, bytes, sizeof(bytes), &n)) || true;) {
		if (rc != 1) {
			int error = SSL_get_error(e->ssl, rc);
			e->saw_close_notify |= error == SSL_ERROR_ZERO_RETURN;
			e->failed |= error == SSL_ERROR_SSL;
			return;
		}
		assert_int_equal(buf_put(&e->got, bytes, n), 0);
		e->got_bytes += n;
		w->stirred++;
	}
}

/* No more than the wire takes: what cannot be sent is not encrypted. */
static void endpoint_write(struct endpoint *e)
{
	while (buf_len(&e->to_send) && (size_t)BIO_pending(e->out) < CHANNEL_WINDOW) {
		size_t n = buf_len(&e->to_send) < 16384 ? buf_len(&e->to_send) : 16384, written;
		assert_int_equal(SSL_write_ex(e->ssl, buf_head(&e->to_send), n, &written), 1);
		buf_drop(&e->to_send, written);
	}
}

static void endpoint_plain(struct world *w, struct endpoint *e)
{
	static uint8_t bytes[32 << 10];
	for (int n; (n = BIO_read(e->in, bytes, sizeof(bytes))) > 0;) {
		assert_int_equal(buf_put(&e->got, bytes, (size_t)n), 0);
		e->got_bytes += (uint64_t)n;
		w->stirred++;
	}
	size_t n = buf_len(&e->to_send) < CHANNEL_WINDOW ? buf_len(&e->to_send) : CHANNEL_WINDOW;
	if ((size_t)BIO_pending(e->out) < CHANNEL_WINDOW && n) {
		BIO_write(e->out, buf_head(&e->to_send), (int)n);
		buf_drop(&e->to_send, n);
	}
}

static void endpoint_run(struct world *w, struct endpoint *e)
{
	ERR_clear_error();
	if (!e->ssl) {
		endpoint_plain(w, e);
		return;
	}
	if (!e->done && !e->failed)
		endpoint_shake(w, e);
	if (e->done && !e->failed) {
		endpoint_read(w, e);
		endpoint_write(e);
	}
}

static void endpoint_send(struct world *w, enum conn_side side)
{
	static uint8_t bytes[CHANNEL_PAYLOAD_MAX];
	struct endpoint *e = &w->endpoint[side];
	for (unsigned i = 0; i < 4 && e->credit; i++) {
		uint32_t most = e->crumbs ? 1 : sizeof(bytes);
		int n = BIO_read(e->out, bytes, (int)(most < e->credit ? most : e->credit));
		if (n <= 0)
			return;
		player_say(&w->lower, MSG_BYTES, side, CONN, bytes, (uint32_t)n);
		e->credit -= (uint32_t)n;
		w->stirred++;
	}
}

/* --- the played ends --- */

static void give(struct player *player, enum conn_side side, uint32_t *owed)
{
	if (!*owed)
		return;
	player_say(player, MSG_CREDIT, side, CONN, owed, sizeof(*owed));
	*owed = 0;
}

static void wire_hears(struct world *w, const struct channel_msg *msg, const uint8_t *payload)
{
	struct endpoint *e = &w->endpoint[msg->side];
	assert_int_equal(msg->conn, CONN);
	assert_false(w->closed);
	switch (msg->type) {
	case MSG_BYTES:
		assert_false(e->got_end || e->got_reset);
		BIO_write(e->in, payload, (int)msg->length);
		e->wire_bytes += msg->length;
		e->owed += msg->length;
		assert_true(e->owed <= CHANNEL_WINDOW);
		break;
	case MSG_CREDIT:
		e->credit += ((const struct msg_credit *)(const void *)payload)->bytes;
		assert_true(e->credit <= CHANNEL_WINDOW);
		break;
	case MSG_END_OF_STREAM:
		assert_false(e->got_end || e->got_reset);
		e->got_end = true;
		break;
	case MSG_RESET:
		assert_false(e->got_reset);
		e->got_reset = true;
		break;
	default:
		fail_msg("the dataplane hears %s", msg_type_name(msg->type));
	}
}

static void control_hears_bytes(struct world *w, struct told *told, const struct channel_msg *msg, const uint8_t *payload)
{
	assert_false(told->ended || told->reset || w->failures);
	if (w->readies && told == &w->told[SIDE_CLIENT] && !told->secured_count) {
		assert_int_equal(buf_put(&told->got, payload, msg->length), 0);
		told->got_bytes += msg->length;
		told->owed += msg->length;
		return;
	}
	/* In TLS nothing comes before both sides are secured. */
	assert_int_equal(w->told[SIDE_CLIENT].secured_count, w->told[SIDE_SERVER].secured_count);
	assert_true(!w->relay || world_counter(w, TLS_COUNT_STARTED) - w->earlier == told->secured_count);
	assert_int_equal(buf_put(&told->got, payload, msg->length), 0);
	told->got_bytes += msg->length;
	told->owed += msg->length;
	assert_true(told->owed <= CHANNEL_WINDOW);
}

static void control_hears(struct world *w, const struct channel_msg *msg, const uint8_t *payload)
{
	struct told *told = &w->told[msg->side];
	assert_int_equal(msg->conn, CONN);
	assert_false(w->closed);
	switch (msg->type) {
	case MSG_OPENED:
		break;
	case MSG_BYTES:
		control_hears_bytes(w, told, msg, payload);
		break;
	case MSG_CREDIT:
		told->credit += ((const struct msg_credit *)(const void *)payload)->bytes;
		assert_true(told->credit <= CHANNEL_WINDOW);
		break;
	case MSG_SECURED:
		assert_int_equal(msg->length, sizeof(told->secured));
		memcpy(&told->secured, payload, sizeof(told->secured));
		told->secured_count++;
		break;
	case MSG_CLIENT_HELLO:
		assert_int_equal(msg->length, sizeof(w->hello));
		memcpy(&w->hello, payload, sizeof(w->hello));
		w->hellos++;
		break;
	case MSG_CLIENT_READY:
		assert_int_equal(msg->length, sizeof(w->ready));
		memcpy(&w->ready, payload, sizeof(w->ready));
		w->readies++;
		break;
	case MSG_TLS_FAILED:
		w->failures++;
		w->failed_side = msg->side;
		memcpy(&w->failed, payload, sizeof(w->failed));
		break;
	case MSG_END_OF_STREAM:
		assert_false(told->ended || told->reset);
		told->ended = true;
		break;
	case MSG_RESET:
		assert_false(told->reset);
		told->reset = true;
		break;
	case MSG_CLOSED:
		w->closed = true;
		break;
	default:
		fail_msg("control hears %s", msg_type_name(msg->type));
	}
}

static void hear(struct world *w)
{
	static _Alignas(16) uint8_t payload[CHANNEL_PAYLOAD_MAX];
	struct channel_msg msg;
	for (; player_hear(&w->lower, &msg, payload); w->stirred++)
		wire_hears(w, &msg, payload);
	for (; player_hear(&w->upper, &msg, payload); w->stirred++)
		control_hears(w, &msg, payload);
	for (unsigned side = 0; side < SIDES && !w->closed; side++) {
		if (!w->endpoint[side].slow)
			give(&w->lower, side, &w->endpoint[side].owed);
		if (!w->told[side].slow)
			give(&w->upper, side, &w->told[side].owed);
	}
}

static void serve_keyd(struct world *w)
{
	struct keyd_request request;
	struct keyd_answer answer;
	while (!w->keyd_held && recv(w->keyd_fd, &request, sizeof(request), MSG_DONTWAIT) > 0) {
		assert_int_equal(keyd_serve(&w->keyd, &request, sizeof(request), &answer), 0);
		w->keyd_requests[request.type]++;
		size_t n = offsetof(struct keyd_answer, bytes) + answer.len;
		assert_int_equal(send(w->keyd_fd, &answer, n, MSG_NOSIGNAL), n);
		w->stirred++;
	}
}

/* --- turns --- */

void world_turn(struct world *w)
{
	for (unsigned side = 0; side < SIDES && !w->closed; side++) {
		if (!w->endpoint[side].frozen)
			endpoint_run(w, &w->endpoint[side]);
		endpoint_send(w, side);
	}
	ERR_clear_error();
	w->relay->now_ms = w->now_ms;
	w->rc = relay_run(w->relay);
	serve_keyd(w);
	hear(w);
}

void world_settle(struct world *w)
{
	unsigned quiet = 0;
	for (unsigned i = 0; i < SETTLE_TURNS && quiet < 4; i++) {
		w->stirred = 0;
		world_turn(w);
		assert_true(w->rc >= 0);
		quiet = w->stirred ? 0 : quiet + 1;
	}
	assert_int_equal(quiet, 4);
}

void world_open(struct world *w)
{
	const struct msg_opened opened = {.family = 4, .client_wire = w->inbound ? WIRE_OUTSIDE : WIRE_INSIDE,
		.client_port = 40000, .server_port = 5269};
	player_say(&w->lower, MSG_OPENED, SIDE_CLIENT, CONN, &opened, sizeof(opened));
	world_settle(w);
}

static void endpoint_reset(struct endpoint *e)
{
	if (e->ssl)
		SSL_set_shutdown(e->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);   /* or it would drop the session */
	SSL_free(e->ssl);
	buf_drop(&e->to_send, buf_len(&e->to_send));
	buf_drop(&e->got, buf_len(&e->got));
	BIO_reset(e->in);
	BIO_reset(e->out);
	*e = (struct endpoint){.context = e->context, .in = e->in, .out = e->out, .to_send = e->to_send, .got = e->got,
		.alert = -1, .credit = CHANNEL_WINDOW};
}

void world_reopen(struct world *w)
{
	for (unsigned side = 0; side < SIDES; side++)
		player_say(&w->upper, MSG_END_OF_STREAM, side, CONN, NULL, 0);
	world_settle(w);
	player_say(&w->lower, MSG_CLOSED, SIDE_CLIENT, CONN, NULL, 0);
	world_settle(w);
	assert_true(w->closed);
	w->closed = false;
	w->failures = 0;
	w->earlier = world_counter(w, TLS_COUNT_STARTED);
	for (unsigned side = 0; side < SIDES; side++) {
		struct told *told = &w->told[side];
		endpoint_reset(&w->endpoint[side]);
		buf_drop(&told->got, buf_len(&told->got));
		*told = (struct told){.got = told->got, .credit = CHANNEL_WINDOW};
	}
	world_open(w);
}

void world_start_tls(struct world *w, enum auth_level level)
{
	const struct msg_start_tls outbound = {.client_name = "a.example", .server_name = "b.example", .level = level};
	const struct msg_start_tls inbound = {.client_name = "b.example", .server_name = "a.example", .level = level};
	const struct msg_start_tls start = w->inbound ? inbound : outbound;
	player_say(&w->upper, MSG_START_TLS, SIDE_CLIENT, CONN, &start, sizeof(start));
}

void world_start_direct(struct world *w, enum auth_level level)
{
	struct msg_start_tls start = {.level = level, .direct = 1};
	assert_int_equal(w->hellos, 1);
	memcpy(start.server_name, w->hello.server_name, sizeof(start.server_name));
	player_say(&w->upper, MSG_START_TLS, SIDE_CLIENT, CONN, &start, sizeof(start));
}

void world_name_client(struct world *w, const char *name, enum auth_level level)
{
	struct msg_name_client named = {.level = level};
	snprintf(named.client_name, sizeof(named.client_name), "%s", name);
	player_say(&w->upper, MSG_NAME_CLIENT, SIDE_CLIENT, CONN, &named, sizeof(named));
}

void world_secure(struct world *w, int version)
{
	world_open(w);
	for (unsigned side = 0; side < SIDES; side++)
		world_endpoint_tls(w, side, &w->site[side], NULL, version);
	world_start_tls(w, AUTH_STRONG);
	world_settle(w);
	assert_int_equal(w->failures, 0);
	assert_int_equal(w->told[SIDE_CLIENT].secured_count, 1);
	assert_int_equal(w->told[SIDE_SERVER].secured_count, 1);
}

void world_control_says(struct world *w, enum conn_side side, const void *bytes, size_t n)
{
	struct told *told = &w->told[side];
	assert_true(n <= told->credit && n <= CHANNEL_PAYLOAD_MAX);
	player_say(&w->upper, MSG_BYTES, side, CONN, bytes, (uint32_t)n);
	told->credit -= (uint32_t)n;
}
