/*
 * Certificates and signatures from keyd; see keys.h. A signature is asked for deep inside OpenSSL, so the handshake runs as
 * an ASYNC job that is paused there. The private key is an EC_KEY with only its public half and a sign method of ours:
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

#include "dataplane/base/buf.h"
#include "dataplane/base/log.h"
#include "keyd/keyd_msg.h"
#include "keys.h"

struct entry {
	TAILQ_ENTRY(entry) order;      /* most recently used first */
	enum wire wire;
	bool verified;
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
	uint8_t bytes[256];
};

struct key_home {
	struct keys *keys;
	enum wire wire;
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
	EC_KEY_METHOD *method;
	struct key_home home[WIRES];
};

/* OpenSSL hands out such numbers once and for all, and calls sign() with nothing but the key. */
static int home_index(void)
{
	static int index = -1;
	if (index < 0)
		index = EC_KEY_get_ex_new_index(0, NULL, NULL, NULL, NULL);
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

/* ECDSA as asked by EC_KEY; returns 1, or 0: the handshake fails. */
static int sign(int type, const unsigned char *digest, int digest_len, unsigned char *out, unsigned *out_len,
	const BIGNUM *kinv, const BIGNUM *r, EC_KEY *key)
{
	(void)type, (void)kinv, (void)r;
	struct key_home *home = EC_KEY_get_ex_data(key, home_index());
	struct signature signature = {.len = 0};
	if (home && ASYNC_get_current_job() && digest_len > 0 && digest_len <= KEYD_DIGEST_MAX) {
		struct keyd_request request = {.type = KEYD_SIGN, .wire = home->wire, .digest_len = (uint32_t)digest_len};
		memcpy(request.digest, digest, (size_t)digest_len);
		wait_for_signature(home->keys, &request, &signature);
		home->keys->signatures++;
	}
	if (!signature.len || signature.len > (unsigned)ECDSA_size(key)) {
		ERR_raise(ERR_LIB_USER, ERR_R_OPERATION_FAIL);
		return 0;
	}
	memcpy(out, signature.bytes, signature.len);
	*out_len = signature.len;
	return 1;
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

static void entry_free(struct keys *keys, struct entry *entry)
{
	TAILQ_REMOVE(&keys->cache, entry, order);
	keys->cached--;
	X509_free(entry->guard.certificate);
	EVP_PKEY_free(entry->guard.key);
	free(entry);
}

static struct entry *entry_find(struct keys *keys, enum wire wire, const char *domain, bool verified)
{
	struct entry *entry;
	TAILQ_FOREACH(entry, &keys->cache, order) {
		if (entry->wire != wire || entry->verified != verified || strcmp(entry->domain, domain) != 0)
			continue;
		TAILQ_REMOVE(&keys->cache, entry, order);
		TAILQ_INSERT_HEAD(&keys->cache, entry, order);
		return entry;
	}
	return NULL;
}

static struct entry *entry_new(struct keys *keys, enum wire wire, const char *domain, bool verified)
{
	size_t len = strlen(domain);
	struct entry *entry = len && len < KEYD_DOMAIN_BYTES ? calloc(1, sizeof(*entry)) : NULL;
	if (!entry)
		return NULL;
	entry->wire = wire;
	entry->verified = verified;
	memcpy(entry->domain, domain, len + 1);
	TAILQ_INSERT_HEAD(&keys->cache, entry, order);
	if (++keys->cached > KEYS_CACHE_MAX)
		entry_free(keys, TAILQ_LAST(&keys->cache, entry_list));
	return entry;
}

static void entry_ask(struct keys *keys, struct entry *entry)
{
	struct keyd_request request = {
		.type = entry->verified ? KEYD_MINT : KEYD_MINT_UNVERIFIED, .wire = entry->wire};
	memcpy(request.domain, entry->domain, sizeof(request.domain));
	entry->request = ask(keys, &request);
	entry->refused = !entry->request;
}

enum keys_result keys_certificate(struct keys *keys, enum wire wire, const char *domain, bool verified,
	const struct guard_certificate **certificate)
{
	struct entry *entry = entry_find(keys, wire, domain, verified);
	if (!entry)
		entry = entry_new(keys, wire, domain, verified);
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

/* The public half of the certificate's key, with our sign method in the place of the private half. */
static EVP_PKEY *remote_key(struct keys *keys, enum wire wire, X509 *certificate)
{
	EVP_PKEY *public = X509_get0_pubkey(certificate), *key = EVP_PKEY_new();
	const EC_KEY *from = public ? EVP_PKEY_get0_EC_KEY(public) : NULL;
	EC_KEY *ec = from ? EC_KEY_new() : NULL;
	if (key && ec && EC_KEY_set_method(ec, keys->method) == 1 &&
		EC_KEY_set_group(ec, EC_KEY_get0_group(from)) == 1 &&
		EC_KEY_set_public_key(ec, EC_KEY_get0_public_key(from)) == 1 &&
		EC_KEY_set_ex_data(ec, home_index(), &keys->home[wire]) == 1 && EVP_PKEY_assign_EC_KEY(key, ec) == 1)
		return key;
	EC_KEY_free(ec);
	EVP_PKEY_free(key);
	return NULL;
}

static bool entry_fill(struct keys *keys, struct entry *entry, const struct keyd_answer *answer)
{
	const uint8_t *at = answer->bytes;
	struct tm end;
	X509 *certificate = d2i_X509(NULL, &at, (long)answer->len);
	EVP_PKEY *key = certificate ? remote_key(keys, entry->wire, certificate) : NULL;
	if (!key || !ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end)) {
		X509_free(certificate);
		EVP_PKEY_free(key);
		return false;
	}
	X509_free(entry->guard.certificate);
	EVP_PKEY_free(entry->guard.key);
	entry->guard = (struct guard_certificate){certificate, key};
	time_t not_after = timegm(&end), now = time(NULL);
	/* A CA that ends soon makes short certificates: then at half of what is left. */
	entry->renew_at = not_after - now > 2 * KEYS_RENEW_S ? not_after - KEYS_RENEW_S : now + (not_after - now) / 2;
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
			log_warnx("keyd makes no certificate wire=%d status=%u", entry->wire, answer->status);
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
		keys->home[wire] = (struct key_home){keys, wire};
	keys->method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
	if (home_index() < 0 || !keys->method) {
		keys_free(keys);
		return NULL;
	}
	EC_KEY_METHOD_set_sign(keys->method, sign, NULL, NULL);
	return keys;
}

void keys_free(struct keys *keys)
{
	if (!keys)
		return;
	while (!TAILQ_EMPTY(&keys->cache))
		entry_free(keys, TAILQ_FIRST(&keys->cache));
	if (keys->method)
		EC_KEY_METHOD_free(keys->method);
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
