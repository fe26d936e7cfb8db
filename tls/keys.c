/*
 * Certificates and signatures from keyd; see keys.h. A signature is asked for deep inside OpenSSL, so the handshake runs as
 * an ASYNC job that is paused there. The private key is an EC_KEY or RSA with only its public half and a method of ours:
 * OpenSSL 3.0 keeps such "foreign" keys out of its providers, which is why its older interface is used here.
 */
#define OPENSSL_API_COMPAT 10101
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>

#include <openssl/async.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "dataplane/base/buf.h"
#include "dataplane/base/log.h"
#include "keyd/keyd_msg.h"
#include "keys.h"

struct entry {
	TAILQ_ENTRY(entry) order;      /* most recently used first */
	struct keys_wanted wanted;     /* its domain is the one below */
	char domain[KEYD_DOMAIN_BYTES];
	uint32_t request;              /* 0: none under way */
	bool refused;
	time_t renew_at;
	struct guard_certificate guard;
};

/* On the stack of the paused job. */
struct signature {
	LIST_ENTRY(signature) all;
	uint32_t request;
	uint64_t conn;
	bool answered;
	uint32_t len;
	uint8_t bytes[KEYD_INPUT_MAX];
};

struct key_home {
	struct keys *keys;
	enum wire wire;
	uint32_t number;               /* of the key */
};

struct keys {
	int fd;
	struct counters *counters;
	void (*answered)(void *owner, uint64_t conn);
	void *owner;
	uint32_t last_request;
	uint64_t current;
	uint64_t signatures;           /* made, or given up */
	unsigned outstanding;          /* requests that were not answered */
	bool gone;                     /* keyd is; found while asking */
	struct buf queue;
	TAILQ_HEAD(entry_list, entry) cache;
	unsigned cached;
	LIST_HEAD(signature_list, signature) waiting;
	EC_KEY_METHOD *ec_method;
	RSA_METHOD *rsa_method;
	struct key_home home[WIRES][KEYD_KEYS_MAX];
};

/* OpenSSL hands out such numbers once and for all, and calls sign() with nothing but the key. */
static int home_index(void)
{
	static int index = -1;
	if (index < 0)
		index = EC_KEY_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

static int rsa_home_index(void)
{
	static int index = -1;
	if (index < 0)
		index = RSA_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

/* --- asking --- */

static int send_queue(struct keys *keys)
{
	while (buf_len(&keys->queue)) {
		ssize_t n = send(keys->fd, buf_head(&keys->queue), sizeof(struct keyd_request), MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n != sizeof(struct keyd_request)) {
			keys->gone = true;
			return -EPROTO;
		}
		buf_drop(&keys->queue, sizeof(struct keyd_request));
	}
	return 0;
}

/* The request's number, or 0 if it could not be queued. */
static uint32_t ask(struct keys *keys, struct keyd_request *request)
{
	if (!++keys->last_request)
		keys->last_request = 1;
	request->version = KEYD_VERSION;
	request->id = keys->last_request;
	if (buf_put(&keys->queue, request, sizeof(*request)) || send_queue(keys))
		return 0;
	keys->outstanding++;
	return request->id;
}

/* --- signatures --- */

/* Asks, and comes back when keyd has answered or the connection was given up. */
static void wait_for_signature(struct keys *keys, struct keyd_request *request, struct signature *signature)
{
	signature->conn = keys->current;
	signature->request = ask(keys, request);
	if (!signature->request)
		return;
	counter_add(keys->counters, TLS_COUNT_SIGNATURES, 1);
	LIST_INSERT_HEAD(&keys->waiting, signature, all);
	while (!signature->answered)
		if (!ASYNC_pause_job())
			break;
	LIST_REMOVE(signature, all);
}

/* False: the handshake fails. `signature` may have been given up, or refused. */
static bool sign(const struct key_home *home, enum keyd_scheme scheme, const unsigned char *input, size_t input_len,
	struct signature *signature, size_t most)
{
	signature->len = 0;
	signature->answered = false;
	if (home && ASYNC_get_current_job() && input_len > 0 && input_len <= KEYD_INPUT_MAX) {
		struct keyd_request request = {.type = KEYD_SIGN, .wire = home->wire, .key = home->number, .scheme = scheme,
			.input_len = (uint32_t)input_len};
		memcpy(request.input, input, input_len);
		wait_for_signature(home->keys, &request, signature);
		home->keys->signatures++;
	}
	if (signature->len && signature->len <= most)
		return true;
	ERR_raise(ERR_LIB_USER, ERR_R_OPERATION_FAIL);
	return false;
}

/* As asked by EC_KEY; returns 1 or 0. */
static int sign_ecdsa(int type, const unsigned char *digest, int digest_len, unsigned char *out, unsigned *out_len,
	const BIGNUM *kinv, const BIGNUM *r, EC_KEY *key)
{
	(void)type, (void)kinv, (void)r;
	struct signature signature;
	if (digest_len < 0 || !sign(EC_KEY_get_ex_data(key, home_index()), KEYD_ECDSA, digest, (size_t)digest_len, &signature,
				      (size_t)ECDSA_size(key)))
		return 0;
	memcpy(out, signature.bytes, signature.len);
	*out_len = signature.len;
	return 1;
}

/* As asked by RSA for PKCS #1; returns 1 or 0. Which digest, keyd knows by its length; MD5 with SHA-1 is none of them. */
static int sign_pkcs1(int type, const unsigned char *digest, unsigned digest_len, unsigned char *out, unsigned *out_len,
	const RSA *key)
{
	struct signature signature;
	bool known = type == NID_sha256 || type == NID_sha384 || type == NID_sha512;
	if (!sign(known ? RSA_get_ex_data(key, rsa_home_index()) : NULL, KEYD_PKCS1, digest, digest_len, &signature,
		    (size_t)RSA_size(key)))
		return 0;
	memcpy(out, signature.bytes, signature.len);
	*out_len = signature.len;
	return 1;
}

/* As asked by RSA for what is padded already, which here is PSS; returns the length or -1. */
static int sign_block(int len, const unsigned char *block, unsigned char *out, RSA *key, int padding)
{
	struct signature signature;
	bool whole = padding == RSA_NO_PADDING && len == RSA_size(key);
	if (!sign(whole ? RSA_get_ex_data(key, rsa_home_index()) : NULL, KEYD_PSS, block, whole ? (size_t)len : 0, &signature,
		    (size_t)RSA_size(key)))
		return -1;
	memcpy(out, signature.bytes, signature.len);
	return (int)signature.len;
}

static void signature_answered(struct keys *keys, const struct keyd_answer *answer)
{
	struct signature *signature;
	LIST_FOREACH(signature, &keys->waiting, all) {
		if (signature->request != answer->id)
			continue;
		signature->answered = true;
		if (answer->status == KEYD_OK && answer->len <= sizeof(signature->bytes)) {
			memcpy(signature->bytes, answer->bytes, answer->len);
			signature->len = answer->len;
		}
		keys->answered(keys->owner, signature->conn);
		return;
	}
}

/* A job that is not brought to its end is lost with its stack: it goes on, and finds that there is no signature. */
void keys_abandon(struct keys *keys, uint64_t conn)
{
	struct signature *signature;
	LIST_FOREACH(signature, &keys->waiting, all)
		if (signature->conn == conn)
			signature->answered = true;
}

/* --- certificates --- */

static void guard_fini(struct guard_certificate *guard)
{
	X509_free(guard->certificate);
	EVP_PKEY_free(guard->key);
	sk_X509_pop_free(guard->chain, X509_free);
	*guard = (struct guard_certificate){NULL, NULL, NULL};
}

static void entry_free(struct keys *keys, struct entry *entry)
{
	TAILQ_REMOVE(&keys->cache, entry, order);
	keys->cached--;
	guard_fini(&entry->guard);
	free(entry);
}

static bool is_wanted(const struct entry *entry, const struct keys_wanted *wanted)
{
	return entry->wanted.wire == wanted->wire && entry->wanted.unverified == wanted->unverified &&
		entry->wanted.rsa == wanted->rsa && strcmp(entry->domain, wanted->domain) == 0;
}

static struct entry *entry_find(struct keys *keys, const struct keys_wanted *wanted)
{
	struct entry *entry;
	TAILQ_FOREACH(entry, &keys->cache, order) {
		if (!is_wanted(entry, wanted))
			continue;
		TAILQ_REMOVE(&keys->cache, entry, order);
		TAILQ_INSERT_HEAD(&keys->cache, entry, order);
		return entry;
	}
	return NULL;
}

static struct entry *entry_new(struct keys *keys, const struct keys_wanted *wanted)
{
	size_t len = strlen(wanted->domain);
	struct entry *entry = len && len < KEYD_DOMAIN_BYTES ? calloc(1, sizeof(*entry)) : NULL;
	if (!entry)
		return NULL;
	entry->wanted = *wanted;
	memcpy(entry->domain, wanted->domain, len + 1);
	entry->wanted.domain = entry->domain;
	TAILQ_INSERT_HEAD(&keys->cache, entry, order);
	if (++keys->cached > KEYS_CACHE_MAX)
		entry_free(keys, TAILQ_LAST(&keys->cache, entry_list));
	return entry;
}

static void entry_ask(struct keys *keys, struct entry *entry)
{
	struct keyd_request request = {
		.type = entry->wanted.unverified ? KEYD_MINT_UNVERIFIED : KEYD_MINT, .wire = entry->wanted.wire,
		.leaf = entry->wanted.rsa ? KEYD_LEAF_RSA : KEYD_LEAF_ECDSA};
	memcpy(request.domain, entry->domain, sizeof(request.domain));
	entry->request = ask(keys, &request);
	entry->refused = !entry->request;
}

enum keys_result keys_certificate(struct keys *keys, const struct keys_wanted *wanted,
	const struct guard_certificate **certificate)
{
	struct entry *entry = entry_find(keys, wanted);
	if (!entry)
		entry = entry_new(keys, wanted);
	if (!entry)
		return KEYS_REFUSED;
	bool fresh = entry->guard.certificate && time(NULL) < entry->renew_at;
	if (!fresh && !entry->request && !entry->refused)
		entry_ask(keys, entry);
	if (entry->refused) {
		entry_free(keys, entry);       /* asked anew the next time */
		return KEYS_REFUSED;
	}
	if (!fresh)
		return KEYS_PENDING;
	counter_add(keys->counters, TLS_COUNT_CACHE_HITS, 1);
	*certificate = &entry->guard;
	return KEYS_READY;
}

/* The public half of a certificate's key, with our sign method in the place of the private half. */
static EVP_PKEY *remote_ec_key(struct keys *keys, struct key_home *home, EVP_PKEY *public)
{
	EVP_PKEY *key = EVP_PKEY_new();
	const EC_KEY *from = EVP_PKEY_get0_EC_KEY(public);
	EC_KEY *ec = from ? EC_KEY_new() : NULL;
	if (key && ec && EC_KEY_set_method(ec, keys->ec_method) == 1 &&
		EC_KEY_set_group(ec, EC_KEY_get0_group(from)) == 1 &&
		EC_KEY_set_public_key(ec, EC_KEY_get0_public_key(from)) == 1 &&
		EC_KEY_set_ex_data(ec, home_index(), home) == 1 && EVP_PKEY_assign_EC_KEY(key, ec) == 1)
		return key;
	EC_KEY_free(ec);
	EVP_PKEY_free(key);
	return NULL;
}

static bool set_public(RSA *rsa, const RSA *from)
{
	BIGNUM *n = BN_dup(RSA_get0_n(from)), *e = BN_dup(RSA_get0_e(from));
	if (n && e && RSA_set0_key(rsa, n, e, NULL) == 1)
		return true;
	BN_free(n);
	BN_free(e);
	return false;
}

static EVP_PKEY *remote_rsa_key(struct keys *keys, struct key_home *home, EVP_PKEY *public)
{
	EVP_PKEY *key = EVP_PKEY_new();
	const RSA *from = EVP_PKEY_get0_RSA(public);
	RSA *rsa = from ? RSA_new() : NULL;
	if (key && rsa && RSA_set_method(rsa, keys->rsa_method) == 1 && set_public(rsa, from) &&
		RSA_set_ex_data(rsa, rsa_home_index(), home) == 1 && EVP_PKEY_assign_RSA(key, rsa) == 1)
		return key;
	RSA_free(rsa);
	EVP_PKEY_free(key);
	return NULL;
}

static EVP_PKEY *remote_key(struct keys *keys, enum wire wire, uint32_t number, X509 *certificate)
{
	EVP_PKEY *public = X509_get0_pubkey(certificate);
	if (!public || number >= KEYD_KEYS_MAX)
		return NULL;
	struct key_home *home = &keys->home[wire][number];
	return EVP_PKEY_get_base_id(public) == EVP_PKEY_RSA ? remote_rsa_key(keys, home, public)
							     : remote_ec_key(keys, home, public);
}

/* All that the answer has, to its last byte. */
static bool read_chain(struct guard_certificate *guard, const struct keyd_answer *answer)
{
	const uint8_t *at = answer->bytes, *end = answer->bytes + answer->len;
	guard->certificate = d2i_X509(NULL, &at, end - at);
	guard->chain = sk_X509_new_null();
	bool fine = guard->certificate && guard->chain;
	while (fine && at < end) {
		X509 *above = d2i_X509(NULL, &at, end - at);
		fine = above && sk_X509_push(guard->chain, above) > 0;
		if (!fine)
			X509_free(above);
	}
	return fine;
}

/* When a third of its life is left; if less is, at half of that. 0: it is over. */
static time_t renewal(const X509 *certificate)
{
	struct tm from, to;
	time_t now = time(NULL);
	if (!ASN1_TIME_to_tm(X509_get0_notBefore(certificate), &from) ||
		!ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &to))
		return 0;
	time_t begin = timegm(&from), end = timegm(&to), left = end - now, wait = left - (end - begin) / 3;
	if (left <= 0)
		return 0;
	wait = wait > left / 2 ? wait : left / 2;
	return now + (wait > 0 ? wait : 1);
}

static bool entry_fill(struct keys *keys, struct entry *entry, const struct keyd_answer *answer)
{
	struct guard_certificate guard = {NULL, NULL, NULL};
	bool fine = read_chain(&guard, answer);
	guard.key = fine ? remote_key(keys, entry->wanted.wire, answer->key, guard.certificate) : NULL;
	time_t renew_at = guard.key ? renewal(guard.certificate) : 0;
	if (!renew_at) {
		guard_fini(&guard);
		return false;
	}
	guard_fini(&entry->guard);
	entry->guard = guard;
	entry->renew_at = renew_at;
	counter_add(keys->counters, TLS_COUNT_CERTIFICATES, 1);
	return true;
}

static void certificate_answered(struct keys *keys, const struct keyd_answer *answer)
{
	static struct log_limit limit = {.burst = 5};
	struct entry *entry;
	TAILQ_FOREACH(entry, &keys->cache, order) {
		if (entry->request != answer->id)
			continue;
		entry->request = 0;
		entry->refused = answer->status != KEYD_OK || !entry_fill(keys, entry, answer);
		if (entry->refused && log_allowed(&limit))
			log_warnx("keyd makes no certificate wire=%d status=%u", entry->wanted.wire, answer->status);
		break;
	}
	keys->answered(keys->owner, 0);
}

/* --- the conversation --- */

static bool is_well_formed(const struct keyd_answer *answer, size_t n)
{
	return n >= offsetof(struct keyd_answer, bytes) && answer->version == KEYD_VERSION &&
		answer->len <= KEYD_ANSWER_MAX && n == offsetof(struct keyd_answer, bytes) + answer->len &&
		(answer->type == KEYD_MINT || answer->type == KEYD_MINT_UNVERIFIED || answer->type == KEYD_SIGN);
}

int keys_run(struct keys *keys)
{
	struct keyd_answer answer;
	for (;;) {
		ssize_t n = recv(keys->fd, &answer, sizeof(answer), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return send_queue(keys);
		if (n <= 0 || !is_well_formed(&answer, (size_t)n) || !keys->outstanding)
			return -EPROTO;
		keys->outstanding--;
		if (answer.type == KEYD_SIGN)
			signature_answered(keys, &answer);
		else
			certificate_answered(keys, &answer);
	}
}

struct keys *keys_new(int keyd_fd, struct counters *counters, void (*answered)(void *owner, uint64_t conn), void *owner)
{
	struct keys *keys = calloc(1, sizeof(*keys));
	if (!keys)
		return NULL;
	*keys = (struct keys){.fd = keyd_fd, .counters = counters, .answered = answered, .owner = owner};
	TAILQ_INIT(&keys->cache);
	LIST_INIT(&keys->waiting);
	buf_init(&keys->queue, KEYS_QUEUE_BYTES);
	for (unsigned wire = 0; wire < WIRES; wire++)
		for (uint32_t number = 0; number < KEYD_KEYS_MAX; number++)
			keys->home[wire][number] = (struct key_home){keys, wire, number};
	keys->ec_method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
	keys->rsa_method = RSA_meth_dup(RSA_PKCS1_OpenSSL());
	if (home_index() < 0 || rsa_home_index() < 0 || !keys->ec_method || !keys->rsa_method) {
		keys_free(keys);
		return NULL;
	}
	EC_KEY_METHOD_set_sign(keys->ec_method, sign_ecdsa, NULL, NULL);
	RSA_meth_set_sign(keys->rsa_method, sign_pkcs1);
	RSA_meth_set_priv_enc(keys->rsa_method, sign_block);
	return keys;
}

void keys_free(struct keys *keys)
{
	if (!keys)
		return;
	while (!TAILQ_EMPTY(&keys->cache))
		entry_free(keys, TAILQ_FIRST(&keys->cache));
	if (keys->ec_method)
		EC_KEY_METHOD_free(keys->ec_method);
	RSA_meth_free(keys->rsa_method);
	buf_fini(&keys->queue);
	free(keys);
}

uint64_t keys_set_current(struct keys *keys, uint64_t conn)
{
	keys->current = conn;
	return keys->signatures;
}

bool keys_expects(const struct keys *keys)
{
	return keys->outstanding > 0 || keys->gone;
}

int keys_fd(const struct keys *keys)
{
	return keys->fd;
}

bool keys_want_write(const struct keys *keys)
{
	return buf_len(&keys->queue) > 0;
}
