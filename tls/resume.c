/* Sessions that may be resumed; see resume.h. */
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "relay.h"
#include "resume.h"

enum { ID_BYTES = 32, PSK_EXTENSION = 41 };

struct session_kept {
	TAILQ_ENTRY(session_kept) all, same;
	struct session_list *bucket;
	enum conn_side side;           /* of the endpoint that it is shared with */
	enum wire wire;                /* that it is on */
	uint64_t generation;           /* of what that wire trusts */
	uint64_t until_ms;
	char client_name[CHANNEL_NAME_MAX], server_name[CHANNEL_NAME_MAX];
	SSL_SESSION *session;
	STACK_OF(X509) *chain;         /* that the endpoint showed, its own certificate first */
	X509 *shown;                   /* by the guard */
};

static struct conn *conn_of(SSL *ssl)
{
	struct trust_check *check = SSL_get_app_data(ssl);
	return check ? check->owner : NULL;
}

static struct trust *trust_of(const struct conn *conn, enum conn_side side)
{
	return &conn->relay->trust[conn->wire[side]];
}

static void count(const struct conn *conn, enum tls_counter id)
{
	counter_add(conn->relay->counters, id, 1);
}

/* Both ends have to prove themselves by certificate, under names that are known before the handshake: so not in direct
 * TLS. */
static bool is_resumable(const struct conn *conn)
{
	const struct msg_start_tls *start = &conn->start;
	return !conn->own && !start->direct && start->level == AUTH_STRONG && start->client_name[0] && start->server_name[0];
}

/* --- the table --- */

static void session_drop(struct resume *resume, struct session_kept *kept)
{
	TAILQ_REMOVE(&resume->all, kept, all);
	TAILQ_REMOVE(kept->bucket, kept, same);
	resume->count--;
	SSL_SESSION_free(kept->session);
	sk_X509_pop_free(kept->chain, X509_free);
	X509_free(kept->shown);
	free(kept);
}

void resume_init(struct resume *resume)
{
	*resume = (struct resume){.count = 0};
	TAILQ_INIT(&resume->all);
	for (unsigned i = 0; i < RESUME_BUCKETS; i++)
		TAILQ_INIT(&resume->bucket[i]);
}

void resume_fini(struct resume *resume)
{
	for (struct session_kept *kept; (kept = TAILQ_FIRST(&resume->all));)
		session_drop(resume, kept);
}

/* FNV-1a (draft-eastlake-fnv). */
static uint32_t hash(uint32_t from, const void *bytes, size_t len)
{
	for (const uint8_t *at = bytes; len--; at++)
		from = (from ^ *at) * 16777619;
	return from;
}

/* A client names its session by an id that is random; towards a server we look for any of the pair. */
static struct session_list *bucket_of(struct resume *resume, const struct conn *conn, const uint8_t *id, size_t len)
{
	const char *client = conn->start.client_name, *server = conn->start.server_name;
	uint32_t at = 2166136261;
	at = id ? hash(at, id, len) : hash(hash(at, client, strlen(client)), server, strlen(server));
	return &resume->bucket[at % RESUME_BUCKETS];
}

/* All that was true of the connection it was made on must be true of this one. */
static bool is_for(const struct session_kept *kept, const struct conn *conn, enum conn_side side)
{
	return kept->side == side && kept->wire == conn->wire[side] &&
		!strcmp(kept->client_name, conn->start.client_name) && !strcmp(kept->server_name, conn->start.server_name);
}

static bool is_stale(const struct session_kept *kept, const struct conn *conn)
{
	return kept->until_ms <= conn->relay->now_ms || kept->generation != trust_of(conn, kept->side)->generation;
}

static bool has_id(const SSL_SESSION *session, const uint8_t *id, size_t len)
{
	unsigned own_len;
	const uint8_t *own = SSL_SESSION_get_id(session, &own_len);
	return own_len == len && !memcmp(own, id, len);
}

/* The newest for this connection: towards a client the one with that id, towards a server (NULL) any. */
static struct session_kept *session_find(struct conn *conn, enum conn_side side, const uint8_t *id, size_t len)
{
	struct resume *resume = &conn->relay->resume;
	struct session_kept *kept, *next;
	for (kept = TAILQ_FIRST(bucket_of(resume, conn, id, len)); kept; kept = next) {
		next = TAILQ_NEXT(kept, same);
		if (!is_for(kept, conn, side) || (id && !has_id(kept->session, id, len)))
			continue;
		if (!is_stale(kept, conn))
			return kept;
		session_drop(resume, kept);
	}
	return NULL;
}

/* --- keeping --- */

X509 *resume_shown(const struct conn *conn, enum conn_side side)
{
	SSL *ssl = conn->layer[side].ssl;
	return SSL_session_reused(ssl) ? conn->resumed[side].shown : SSL_get_certificate(ssl);
}

/* Without an extended master secret a session of TLS 1.2 is not bound to its handshake (RFC 7627 5.3). */
static bool is_worth_keeping(SSL *ssl, const struct conn *conn, enum conn_side side)
{
	bool doubted = conn->check[SIDE_CLIENT].doubt[0] || conn->check[SIDE_SERVER].doubt[0];
	return is_resumable(conn) && !doubted && SSL_get0_peer_certificate(ssl) && resume_shown(conn, side) &&
		(SSL_version(ssl) >= TLS1_3_VERSION || SSL_get_extms_support(ssl) == 1);
}

static bool add(STACK_OF(X509) *chain, X509 *certificate)
{
	return X509_up_ref(certificate) && sk_X509_push(chain, certificate);
}

/* The endpoint's own certificate, which OpenSSL leaves out where it is a client's, and those that came with it. */
static STACK_OF(X509) *chain_of(SSL *ssl)
{
	STACK_OF(X509) *chain = sk_X509_new_null(), *others = SSL_get_peer_cert_chain(ssl);
	X509 *own = SSL_get0_peer_certificate(ssl);
	bool whole = chain && add(chain, own);
	for (int i = 0; whole && i < sk_X509_num(others); i++)
		if (sk_X509_value(others, i) != own)
			whole = add(chain, sk_X509_value(others, i));
	if (whole)
		return chain;
	sk_X509_pop_free(chain, X509_free);
	return NULL;
}

/* An hour from the full handshake, however late the session comes, and whatever was resumed between. */
static uint64_t until_ms(const struct conn *conn, enum conn_side side)
{
	if (SSL_session_reused(conn->layer[side].ssl))
		return conn->resumed[side].until_ms;
	return conn->deadline_ms - CONN_HANDSHAKE_MS + RESUME_LIFE_S * 1000;
}

static struct session_kept *session_new(SSL *ssl, const struct conn *conn, enum conn_side side)
{
	STACK_OF(X509) *chain = chain_of(ssl);
	struct session_kept *kept = chain ? calloc(1, sizeof(*kept)) : NULL;
	if (!kept) {
		sk_X509_pop_free(chain, X509_free);
		return NULL;
	}
	*kept = (struct session_kept){.side = side, .wire = conn->wire[side], .chain = chain,
		.generation = trust_of(conn, side)->generation, .until_ms = until_ms(conn, side),
		.shown = resume_shown(conn, side)};
	X509_up_ref(kept->shown);
	memcpy(kept->client_name, conn->start.client_name, sizeof(kept->client_name));
	memcpy(kept->server_name, conn->start.server_name, sizeof(kept->server_name));
	return kept;
}

/* Takes `session` over, if it is true. */
static bool session_keep(SSL *ssl, SSL_SESSION *session)
{
	struct conn *conn = conn_of(ssl);
	enum conn_side side = SSL_is_server(ssl) ? SIDE_CLIENT : SIDE_SERVER;
	struct session_kept *kept = is_worth_keeping(ssl, conn, side) ? session_new(ssl, conn, side) : NULL;
	if (!kept)
		return false;
	struct resume *resume = &conn->relay->resume;
	unsigned len;
	const uint8_t *id = SSL_SESSION_get_id(session, &len);
	kept->session = session;
	kept->bucket = bucket_of(resume, conn, side == SIDE_CLIENT ? id : NULL, len);
	TAILQ_INSERT_HEAD(&resume->all, kept, all);
	TAILQ_INSERT_HEAD(kept->bucket, kept, same);
	if (++resume->count > RESUME_MAX)
		session_drop(resume, TAILQ_LAST(&resume->all, session_list));
	count(conn, TLS_COUNT_SESSIONS_KEPT);
	return true;
}

/* 1: the session is ours now. In TLS 1.2 it comes before the end of the handshake, which is too early. */
static int on_new_session(SSL *ssl, SSL_SESSION *session)
{
	return SSL_version(ssl) >= TLS1_3_VERSION && conn_of(ssl) && session_keep(ssl, session);
}

void resume_on_done(SSL *ssl)
{
	bool kept_here = SSL_CTX_sess_get_new_cb(SSL_get_SSL_CTX(ssl)) == on_new_session;
	if (!kept_here || SSL_version(ssl) >= TLS1_3_VERSION || SSL_session_reused(ssl))
		return;
	SSL_SESSION *session = SSL_get1_session(ssl);
	if (session && (!SSL_SESSION_is_resumable(session) || !session_keep(ssl, session)))
		SSL_SESSION_free(session);
}

/* --- using --- */

/* What the handshake will stand on. In TLS 1.3 a session is used once, and leaves the table. */
static void session_use(struct conn *conn, struct session_kept *kept)
{
	struct resumed *resumed = &conn->resumed[kept->side];
	SSL_SESSION_up_ref(kept->session);
	X509_up_ref(kept->shown);
	*resumed = (struct resumed){.session = kept->session, .until_ms = kept->until_ms, .shown = kept->shown};
	if (SSL_SESSION_get_protocol_version(kept->session) >= TLS1_3_VERSION)
		session_drop(&conn->relay->resume, kept);
}

static void release_side(struct conn *conn, enum conn_side side)
{
	SSL_SESSION_free(conn->resumed[side].session);
	X509_free(conn->resumed[side].shown);
	conn->resumed[side] = (struct resumed){.session = NULL};
}

/* As if it had been shown now. One that does not pass is not told of here: the full handshake that follows will. */
static bool is_still_good(struct conn *conn, SSL *ssl, struct session_kept *kept)
{
	if (trust_checks_again(trust_of(conn, kept->side), ssl, kept->chain))
		return true;
	count(conn, TLS_COUNT_SESSIONS_REFUSED);
	session_drop(&conn->relay->resume, kept);
	return false;
}

void resume_dial(struct conn *conn, SSL *ssl)
{
	struct session_kept *kept = is_resumable(conn) ? session_find(conn, SIDE_SERVER, NULL, 0) : NULL;
	if (!kept || !is_still_good(conn, ssl, kept))
		return;
	session_use(conn, kept);
	if (SSL_set_session(ssl, conn->resumed[SIDE_SERVER].session) != 1)
		release_side(conn, SIDE_SERVER);
}

/* The session is for this pair of names on this wire, and OpenSSL is told so in its own way, too. */
void resume_accept(struct conn *conn, SSL *ssl)
{
	uint8_t text[2 * CHANNEL_NAME_MAX + 1], sha256[SHA256_DIGEST_LENGTH];
	memcpy(text, conn->start.client_name, CHANNEL_NAME_MAX);
	memcpy(text + CHANNEL_NAME_MAX, conn->start.server_name, CHANNEL_NAME_MAX);
	text[2 * CHANNEL_NAME_MAX] = (uint8_t)conn->wire[SIDE_CLIENT];
	SHA256(text, sizeof(text), sha256);
	if (is_resumable(conn) && SSL_set_session_id_context(ssl, sha256, sizeof(sha256)) == 1)
		SSL_set_num_tickets(ssl, RESUME_TICKETS);
}

/* The next identity of a pre_shared_key extension (RFC 8446 4.2.11): its length, 0 at the end or where it is ill-formed. */
static size_t next_identity(const uint8_t **at, const uint8_t *end, const uint8_t **identity)
{
	if (end - *at < 2)
		return 0;
	size_t len = (size_t)((*at)[0] << 8 | (*at)[1]);
	if ((size_t)(end - *at) < 2 + len + 4)
		return 0;
	*identity = *at + 2;
	*at += 2 + len + 4;
	return len;
}

/* TLS 1.3: what we gave out as a ticket is nothing but the id of a session. */
static struct session_kept *find_by_psk(struct conn *conn, SSL *ssl)
{
	const uint8_t *at, *end, *identity;
	size_t len;
	if (!SSL_client_hello_get0_ext(ssl, PSK_EXTENSION, &at, &len) || len < 2 || len > UINT16_MAX)
		return NULL;
	size_t identities = (size_t)(at[0] << 8 | at[1]);
	if (identities > len - 2)
		return NULL;
	end = at + 2 + identities;
	at += 2;
	while ((len = next_identity(&at, end, &identity))) {
		struct session_kept *kept = len == ID_BYTES ? session_find(conn, SIDE_CLIENT, identity, len) : NULL;
		if (kept)
			return kept;
	}
	return NULL;
}

void resume_on_client_hello(struct conn *conn, SSL *ssl)
{
	const uint8_t *id;
	size_t len = SSL_client_hello_get0_session_id(ssl, &id);
	if (!is_resumable(conn))
		return;
	struct session_kept *kept = find_by_psk(conn, ssl);
	if (!kept && len == ID_BYTES)
		kept = session_find(conn, SIDE_CLIENT, id, len);
	if (kept && is_still_good(conn, ssl, kept))
		session_use(conn, kept);
}

/* OpenSSL's question is answered with what was found good before. */
static SSL_SESSION *on_get_session(SSL *ssl, const unsigned char *id, int len, int *copy)
{
	struct conn *conn = conn_of(ssl);
	SSL_SESSION *session = conn ? conn->resumed[SIDE_CLIENT].session : NULL;
	*copy = 1;
	return session && has_id(session, id, (size_t)len) ? session : NULL;
}

void resume_prepare(struct trust *trust)
{
	SSL_CTX *both[] = {trust->accept, trust->dial};
	for (unsigned i = 0; i < 2; i++) {
		SSL_CTX_set_session_cache_mode(both[i],
			(i ? SSL_SESS_CACHE_CLIENT : SSL_SESS_CACHE_SERVER) | SSL_SESS_CACHE_NO_INTERNAL);
		SSL_CTX_set_timeout(both[i], RESUME_LIFE_S);
		SSL_CTX_sess_set_new_cb(both[i], on_new_session);
	}
	SSL_CTX_sess_set_get_cb(trust->accept, on_get_session);
	SSL_CTX_clear_options(trust->dial, SSL_OP_NO_TICKET);
}

bool resume_holds(const struct conn *conn, enum conn_side side)
{
	return side == SIDE_SERVER && conn->state == CONN_HANDSHAKE && !conn->done[SIDE_CLIENT] &&
		SSL_session_reused(conn->layer[SIDE_SERVER].ssl);
}

void resume_release(struct conn *conn)
{
	for (unsigned side = 0; side < SIDES; side++)
		release_side(conn, side);
}
