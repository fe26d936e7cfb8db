/* Interleaved handshakes; see handshake.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "algorithms.h"
#include "client_hello.h"
#include "handshake.h"
#include "pins.h"
#include "relay.h"
#include "staple.h"

static void blame(struct conn *conn, enum conn_side side, enum tls_failure failure, const char *reason)
{
	struct trust_check *check = &conn->check[side];
	if (check->reason[0])
		return;
	check->failure = failure;
	snprintf(check->reason, sizeof(check->reason), "%s", reason);
}

static bool is_blamed(const struct conn *conn)
{
	return conn->check[SIDE_CLIENT].reason[0] || conn->check[SIDE_SERVER].reason[0];
}

static struct trust *trust_of(const struct conn *conn, enum conn_side side)
{
	return &conn->relay->trust[conn->wire[side]];
}

static bool is_doubted(const struct conn *conn, enum conn_side side)
{
	return conn->check[side].doubt[0];
}

static bool use_certificate(SSL *ssl, const struct guard_certificate *guard)
{
	return SSL_use_cert_and_key(ssl, guard->certificate, guard->key, guard->chain, 1) == 1;
}

/* Does that endpoint take nothing but RSA? */
static bool wants_rsa(const struct conn *conn, enum conn_side side)
{
	enum conf_leaf leaf = trust_of(conn, side)->conf->wire[conn->wire[side]].leaf_key;
	if (leaf != LEAF_AUTO)
		return leaf == LEAF_RSA;
	SSL *ssl = conn->layer[side].ssl;
	return side == SIDE_CLIENT ? !takes_client_ecdsa(ssl) : !takes_server_ecdsa(ssl);
}

/* Shows `side` the guard certificate of the other endpoint. */
static enum keys_result show(struct conn *conn, enum conn_side side, const char *domain)
{
	const struct guard_certificate *guard;
	const struct keys_wanted wanted = {.wire = conn->wire[side], .domain = domain,
		.unverified = is_doubted(conn, side_other(side)), .rsa = wants_rsa(conn, side)};
	enum keys_result result = keys_certificate(conn->relay->keys, &wanted, &guard);
	if (result == KEYS_READY && !use_certificate(conn->layer[side].ssl, guard))
		result = KEYS_REFUSED;
	if (result == KEYS_REFUSED)
		blame(conn, side, TLS_FAILED_KEYD, "no guard certificate");
	return result;
}

/* --- towards the client --- */

/* The alert for a client that is told nothing else: what the server itself said, or the reason why none was asked
 * (RFC 6066 3, RFC 7301 3.2). */
static int alert_for_client(const struct conn *conn)
{
	if (conn->server_alert)
		return conn->server_alert;
	if (conn->layer[SIDE_SERVER].ssl || !conn->hello_read)
		return SSL_AD_HANDSHAKE_FAILURE;
	return conn->hello.alpn == HELLO_ALPN_OTHER ? SSL_AD_NO_APPLICATION_PROTOCOL : SSL_AD_UNRECOGNIZED_NAME;
}

/* Suspends at the ClientHello, which is before anything was said to the client. */
static int on_client_hello(SSL *ssl, int *alert, void *unused)
{
	(void)unused;
	struct conn *conn = ((struct trust_check *)SSL_get_app_data(ssl))->owner;
	*alert = alert_for_client(conn);
	if (is_blamed(conn))
		return SSL_CLIENT_HELLO_ERROR;
	if (conn->state == CONN_HELLO && !conn->hello_read) {
		client_hello_read(ssl, &conn->hello);
		conn->hello_read = true;
	}
	if (!conn->server_proven)
		return SSL_CLIENT_HELLO_RETRY;
	if (!conn->hello_judged) {
		resume_on_client_hello(conn, ssl);
		conn->hello_judged = true;
		SSL_set_mode(ssl, SSL_MODE_ASYNC);
		return SSL_CLIENT_HELLO_RETRY;
	}
	switch (show(conn, SIDE_CLIENT, conn->start.server_name)) {
	case KEYS_READY:
		return SSL_CLIENT_HELLO_SUCCESS;
	case KEYS_PENDING:
		return SSL_CLIENT_HELLO_RETRY;
	default:
		return SSL_CLIENT_HELLO_ERROR;
	}
}

/* The client gets the protocol that the server chose of those that it was offered, which is one or none. */
static int on_alpn(SSL *ssl, const unsigned char **chosen, unsigned char *len, const unsigned char *offered,
	unsigned offered_len, void *unused)
{
	(void)offered, (void)offered_len, (void)unused;
	const struct conn *conn = ((struct trust_check *)SSL_get_app_data(ssl))->owner;
	const unsigned char *of_server;
	unsigned n = 0;
	if (conn->hello.alpn == HELLO_ALPN_XMPP)
		SSL_get0_alpn_selected(conn->layer[SIDE_SERVER].ssl, &of_server, &n);
	*chosen = (const unsigned char *)CLIENT_HELLO_ALPN + 1;
	*len = sizeof(CLIENT_HELLO_ALPN) - 2;
	return n ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

void handshake_prepare(struct trust *trust)
{
	SSL_CTX_set_client_hello_cb(trust->accept, on_client_hello, NULL);
	SSL_CTX_set_alpn_select_cb(trust->accept, on_alpn, NULL);
	if (trust->conf->wire[trust->wire].tls.resumption)
		resume_prepare(trust);
}

/* Of the client that conn->start names: it is strong, or pinned. */
static bool is_certificate_demanded(const struct conn *conn, uint32_t level)
{
	const struct trust *trust = trust_of(conn, SIDE_CLIENT);
	return level == AUTH_STRONG || pins_of(trust->conf, trust->wire, conn->start.client_name);
}

static SSL *accept_new(struct conn *conn, bool demands_certificate)
{
	SSL *ssl = SSL_new(trust_of(conn, SIDE_CLIENT)->accept);
	if (!ssl)
		return NULL;
	SSL_set_accept_state(ssl);
	if (demands_certificate)
		SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return ssl;
}

/* --- towards the server --- */

/* The guard itself is whom it says it speaks for: it speaks only for whom it has heard. */
static bool is_verified(const struct conn *conn, enum conn_side side)
{
	if (conn->own && side == SIDE_CLIENT)
		return true;
	return SSL_get0_peer_certificate(conn->layer[side].ssl) && !is_doubted(conn, side);
}

/* By STARTTLS it said it before. */
static bool is_client_named(const struct conn *conn)
{
	return !conn->start.direct || conn->client_named;
}

static void set_server_proven(struct conn *conn)
{
	if (conn->server_proven)
		return;
	conn->server_proven = true;
	SSL_set_mode(conn->layer[SIDE_SERVER].ssl, SSL_MODE_ASYNC);
}

/* OpenSSL asks for our certificate when the server's part is complete: its certificate was verified, and its signature
 * with it (RFC 8446 4.4.3; in TLS 1.2 the one in ServerKeyExchange). 1: go on, 0: fail, -1: suspend. */
static int on_certificate_request(SSL *ssl, void *owner)
{
	struct conn *conn = owner;
	if (!staple_is_good(ssl))
		return 1; /* nothing is shown, and OpenSSL refuses it by the right alert */
	bool is_first = !conn->server_proven;
	set_server_proven(conn);
	if (is_blamed(conn))
		return 0;
	if (conn->own && is_first)
		return -1; /* it signs as an ASYNC job, which begins with the handshake's next step */
	if (!conn->done[SIDE_CLIENT] || !is_client_named(conn))
		return -1;
	if (!is_verified(conn, SIDE_CLIENT))
		return 1;
	switch (show(conn, SIDE_SERVER, conn->start.client_name)) {
	case KEYS_READY:
		return 1;
	case KEYS_PENDING:
		return -1;
	default:
		return 0;
	}
}

static SSL *dial_new(struct conn *conn)
{
	static const unsigned char alpn[] = CLIENT_HELLO_ALPN;
	SSL *ssl = SSL_new(trust_of(conn, SIDE_SERVER)->dial);
	bool with_alpn = conn->hello.alpn == HELLO_ALPN_XMPP;
	if (!ssl || SSL_set_tlsext_host_name(ssl, conn->start.server_name) != 1 ||
		(with_alpn && SSL_set_alpn_protos(ssl, alpn, sizeof(alpn) - 1))) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_connect_state(ssl);
	SSL_set_cert_cb(ssl, on_certificate_request, conn);
	return ssl;
}

/* --- both --- */

/* The level is the peer's; our own servers prove who they are. */
static bool is_tolerated(const struct conn *conn, enum conn_side side)
{
	return conn->start.level != AUTH_STRONG && conn->wire[side] == WIRE_OUTSIDE;
}

/* Takes `ssl` over. */
static int put_under(struct conn *conn, enum conn_side side, SSL *ssl, bool unnamed)
{
	if (!ssl)
		return -ENOMEM;
	conn->check[side] = (struct trust_check){.owner = conn, .unnamed = unnamed,
		.tolerant = is_tolerated(conn, side),
		.domain = side == SIDE_CLIENT ? conn->start.client_name : conn->start.server_name};
	SSL_set_app_data(ssl, &conn->check[side]);
	if (side == SIDE_CLIENT)
		resume_accept(conn, ssl);
	else
		resume_dial(conn, ssl);
	return layer_start_tls(&conn->layer[side], ssl);
}

int handshake_accept(struct conn *conn)
{
	return put_under(conn, SIDE_CLIENT, accept_new(conn, false), true);
}

int handshake_start(struct conn *conn)
{
	bool demanded = is_certificate_demanded(conn, conn->start.level), shakes = !conn->start.direct && !conn->own;
	int client = shakes ? put_under(conn, SIDE_CLIENT, accept_new(conn, demanded), false) : 0;
	if (conn->own) {
		conn->check[SIDE_CLIENT].domain = conn->start.client_name;
		conn->done[SIDE_CLIENT] = true;
	}
	conn->check[SIDE_CLIENT].tolerant = is_tolerated(conn, SIDE_CLIENT);
	int server = put_under(conn, SIDE_SERVER, dial_new(conn), false);
	return client ? client : server;
}

void handshake_name(struct conn *conn, const struct msg_name_client *name)
{
	SSL *ssl = conn->layer[SIDE_CLIENT].ssl;
	bool showed = SSL_get0_peer_certificate(ssl) != NULL;
	struct trust_check *check = &conn->check[SIDE_CLIENT];
	memcpy(conn->start.client_name, name->client_name, sizeof(conn->start.client_name));
	conn->start.level = name->level;
	check->tolerant = is_tolerated(conn, SIDE_CLIENT);
	conn->client_named = true;
	if (!showed && is_certificate_demanded(conn, name->level))
		blame(conn, SIDE_CLIENT, TLS_FAILED_NO_CERTIFICATE, "the peer showed no certificate");
	else if (showed && !trust_names(trust_of(conn, SIDE_CLIENT), ssl, check))
		blame(conn, SIDE_CLIENT, TLS_FAILED_NAME, "the certificate is for another name");
}

/* OpenSSL numbers an alert that was received by its code above SSL_AD_REASON_OFFSET. Those that say something of the one
 * who sent them mean the same to the other. */
static int alert_received(unsigned long error)
{
	int alert = ERR_GET_REASON(error) - SSL_AD_REASON_OFFSET;
	switch (alert) {
	case SSL_AD_PROTOCOL_VERSION:
	case SSL_AD_INSUFFICIENT_SECURITY:
	case SSL_AD_UNRECOGNIZED_NAME:
	case SSL_AD_NO_APPLICATION_PROTOCOL:
	case SSL_AD_INTERNAL_ERROR:
	case SSL_AD_ACCESS_DENIED:
		return alert;
	default:
		return 0;
	}
}

static void blame_error(struct conn *conn, enum conn_side side)
{
	unsigned long error = ERR_peek_error();
	const char *reason = error ? ERR_reason_error_string(error) : NULL;
	if (side == SIDE_SERVER && !is_blamed(conn))
		conn->server_alert = alert_received(error);
	if (ERR_GET_LIB(error) == ERR_LIB_USER)
		blame(conn, side, TLS_FAILED_KEYD, "no signature");
	else if (ERR_GET_REASON(error) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
		blame(conn, side, TLS_FAILED_NO_CERTIFICATE, "the peer showed no certificate");
	else if (ERR_GET_REASON(error) == SSL_R_EXCESSIVE_MESSAGE_SIZE)
		blame(conn, side, TLS_FAILED_HANDSHAKE, "a message is too long: of certificates, 64 KiB are read");
	else if (!is_blamed(conn))
		blame(conn, side, TLS_FAILED_HANDSHAKE, reason ? reason : "the handshake failed");
}

/* Each side signs once, when the server has proved itself. Until then, and after it, the handshake is no ASYNC job: what
 * endpoints send, their certificates above all, is parsed on a stack that has a guard page. */
static int shake(struct conn *conn, SSL *ssl)
{
	struct keys *keys = conn->relay->keys;
	uint64_t signatures = keys_set_current(keys, conn->id);
	ERR_clear_error();
	int rc = SSL_do_handshake(ssl);
	if (keys_set_current(keys, 0) != signatures)
		SSL_clear_mode(ssl, SSL_MODE_ASYNC);
	return rc == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl, rc);
}

/* False: it failed. */
static bool advance(struct conn *conn, enum conn_side side)
{
	SSL *ssl = conn->layer[side].ssl;
	if (conn->done[side] || !ssl)
		return true;
	switch (shake(conn, ssl)) {
	case SSL_ERROR_NONE:
		conn->done[side] = true;
		if (side == SIDE_SERVER)
			set_server_proven(conn);
		resume_on_done(ssl);
		SSL_clear_mode(ssl, SSL_MODE_ASYNC);   /* a side that was not asked for a certificate never signs */
		return true;
	case SSL_ERROR_WANT_ASYNC:
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
	case SSL_ERROR_WANT_X509_LOOKUP:
	case SSL_ERROR_WANT_CLIENT_HELLO_CB:
		return true;
	default:
		blame_error(conn, side);
		return false;
	}
}

static unsigned progress(const struct conn *conn)
{
	return conn->done[SIDE_CLIENT] | conn->done[SIDE_SERVER] << 1 | conn->server_proven << 2 | conn->hello_judged << 3;
}

/* By words, from control, in its TLS. */
static bool may_be_told(const struct conn *conn, enum conn_side side)
{
	return side == SIDE_CLIENT && (conn->state == CONN_UNNAMED || conn->state == CONN_NAMED);
}

/* Whoever waits for the other side is woken to find that it failed, which queues its alert; whoever is done is told that
 * nothing will follow. */
static void fail_both(struct conn *conn)
{
	keys_abandon(conn->relay->keys, conn->id);
	for (unsigned side = 0; side < SIDES; side++) {
		if (resume_holds(conn, side))
			buf_drop(&conn->layer[side].to_wire, buf_len(&conn->layer[side].to_wire));
		else if (conn->done[side] && may_be_told(conn, side))
			continue;
		else if (conn->done[side])
			layer_close(&conn->layer[side]);
		else
			(void)advance(conn, side);
	}
}

static enum conn_side blamed_side(const struct conn *conn)
{
	return conn->check[SIDE_SERVER].reason[0] ? SIDE_SERVER : SIDE_CLIENT;
}

static enum handshake_result fail(struct conn *conn, enum conn_side *failed, struct msg_tls_failed *why)
{
	*failed = blamed_side(conn);
	const struct trust_check *check = &conn->check[*failed];
	memset(why, 0, sizeof(*why));
	why->failure = check->failure;
	memcpy(why->reason, check->reason, sizeof(why->reason));
	return HANDSHAKE_FAILED;
}

enum handshake_result handshake_run(struct conn *conn, enum conn_side *failed, struct msg_tls_failed *why)
{
	unsigned before;
	bool fine = !is_blamed(conn);
	do {
		before = progress(conn);
		fine = fine && advance(conn, SIDE_SERVER) && advance(conn, SIDE_CLIENT);
	} while (fine && progress(conn) != before);
	if (!fine) {
		fail_both(conn);
		return fail(conn, failed, why);
	}
	if (!conn->done[SIDE_CLIENT] || !conn->done[SIDE_SERVER] || !is_client_named(conn))
		return HANDSHAKE_WAITS;
	return HANDSHAKE_DONE;
}

void handshake_abort(struct conn *conn, enum conn_side side, enum tls_failure failure, const char *reason)
{
	blame(conn, side, failure, reason);
}

static void copy_text(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}

void handshake_describe(const struct conn *conn, enum conn_side side, struct msg_secured *secured)
{
	SSL *ssl = conn->layer[side].ssl;
	X509 *theirs = SSL_get0_peer_certificate(ssl), *shown = resume_shown(conn, side);
	struct tm end;
	memset(secured, 0, sizeof(*secured));
	copy_text(secured->version, sizeof(secured->version), SSL_get_version(ssl));
	copy_text(secured->cipher, sizeof(secured->cipher), SSL_get_cipher_name(ssl));
	if (is_verified(conn, side))
		copy_text(secured->identity, sizeof(secured->identity), conn->check[side].domain);
	copy_text(secured->doubt, sizeof(secured->doubt), conn->check[side].doubt);
	if (theirs) {
		fingerprint(theirs, secured->fingerprint);
		key_fingerprint(theirs, secured->key_fingerprint);
	}
	if (!shown)
		return;
	copy_text(secured->shown, sizeof(secured->shown), conn->check[side_other(side)].domain);
	fingerprint(shown, secured->shown_fingerprint);
	if (ASN1_TIME_to_tm(X509_get0_notAfter(shown), &end))
		secured->shown_not_after = (uint64_t)timegm(&end);
	if (is_doubted(conn, side_other(side)))
		copy_text(secured->shown_issuer, sizeof(secured->shown_issuer), "nobody");
	else
		trust_name_ca(X509_get_issuer_name(shown), secured->shown_issuer);
}
