/* The requests that keyd serves; see serve.h. */
#include <errno.h>
#include <string.h>

#include <openssl/rsa.h>

#include "dataplane/base/log.h"
#include "private_key.h"
#include "pss.h"
#include "serve.h"

/* --- keys by number: first the leaf keys of the wires, then those of real certificates --- */

enum { REAL_KEYS = WIRES * KEYD_LEAVES };

static uint32_t leaf_number(uint32_t wire, uint32_t leaf)
{
	return wire * KEYD_LEAVES + leaf;
}

static const struct real *real_of_number(const struct keyd *keyd, uint32_t number)
{
	return number >= REAL_KEYS && number - REAL_KEYS < keyd->real_count ? &keyd->real[number - REAL_KEYS] : NULL;
}

/* NULL: that wire has no such key. */
static EVP_PKEY *key_find(const struct keyd *keyd, uint32_t number, uint32_t wire)
{
	const struct real *real = real_of_number(keyd, number);
	if (real)
		return real->wire == wire ? real->key : NULL;
	return number < REAL_KEYS && number / KEYD_LEAVES == wire ? keyd->mint[wire].leaf_key[number % KEYD_LEAVES] : NULL;
}

static bool key_is_slow(const struct keyd *keyd, uint32_t number)
{
	const struct real *real = real_of_number(keyd, number);
	return real ? private_key_is_slow(real->key, real->conf->key) : number % KEYD_LEAF_UNVERIFIED == KEYD_LEAF_RSA;
}

/* --- certificates --- */

static time_t now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Under the lock. [peer *] is for any name in the world: there, a broken tls gets no more of them than the world has
 * servers. */
static bool is_one_too_many(struct keyd *keyd, const struct keyd_request *request)
{
	const struct conf_peer *peer = request->wire == WIRE_INSIDE ? conf_peer_find(keyd->conf, request->domain) : NULL;
	if (!peer || strcmp(peer->domain, "*") != 0)
		return false;
	time_t now = now_s();
	if (now - keyd->minute >= SERVE_STRANGERS_S) {
		keyd->minute = now;
		keyd->strangers = 0;
	}
	bool too_many = keyd->strangers >= SERVE_STRANGERS_MAX;
	if (!too_many)
		keyd->strangers++;
	return too_many;
}

static void log_refused(const struct keyd_request *request, const char *why)
{
	static struct log_limit limit = {.burst = 5};
	if (log_allowed(&limit))
		log_warnx("refused domain=%.255s wire=%s reason=%s", request->domain,
			request->wire == WIRE_INSIDE ? "inside" : "outside", why);
}

static enum keyd_status put(struct keyd_answer *answer, X509 *certificate)
{
	int len = certificate ? i2d_X509(certificate, NULL) : -1;
	if (len <= 0 || answer->len + (uint32_t)len > KEYD_ANSWER_MAX)
		return KEYD_FAILED;
	uint8_t *at = answer->bytes + answer->len;
	answer->len += (uint32_t)i2d_X509(certificate, &at);
	return KEYD_OK;
}

/* A self-signed guard CA is in the endpoint's trust store or nowhere; one that another CA signed completes the chain. */
static enum keyd_status mint(struct keyd *keyd, const struct keyd_request *request, struct keyd_answer *answer)
{
	struct mint *mint = &keyd->mint[request->wire];
	bool verified = request->type == KEYD_MINT;
	uint32_t leaf = request->leaf + (verified ? 0 : KEYD_LEAF_UNVERIFIED);
	X509 *certificate = (verified ? mint_certificate : mint_unverified)(mint, leaf, request->domain);
	enum keyd_status status = put(answer, certificate);
	if (status == KEYD_OK && verified && X509_self_signed(mint->ca, 0) != 1)
		status = put(answer, mint->ca);
	X509_free(certificate);
	answer->key = leaf_number(request->wire, leaf);
	if (status == KEYD_OK)
		counter_add(keyd->counters, KEYD_COUNT_MINTED, 1);
	else
		answer->len = 0;
	return status;
}

/* What is not good any more is not replaced by one of ours: its owner would never hear of it. */
static enum keyd_status show(struct keyd *keyd, const struct real *real, const char *domain, struct keyd_answer *answer)
{
	static struct log_limit limit = {.burst = 5};
	const char *fault = real_fault(real, domain);
	if (fault) {
		if (log_allowed(&limit))
			log_warnx("[certificate %s]: domain=%.255s %s", real->conf->domain, domain, fault);
		return KEYD_FAILED;
	}
	memcpy(answer->bytes, real->chain, real->chain_len);
	answer->len = real->chain_len;
	answer->key = (uint32_t)(REAL_KEYS + (real - keyd->real));
	counter_add(keyd->counters, KEYD_COUNT_REAL, 1);
	return KEYD_OK;
}

static const struct real *real_find(const struct keyd *keyd, const struct keyd_request *request)
{
	const struct conf_certificate *own =
		request->type == KEYD_MINT ? conf_certificate_find(keyd->conf, request->domain) : NULL;
	for (unsigned i = 0; own && i < keyd->real_count; i++)
		if (keyd->real[i].conf == own)
			return &keyd->real[i];
	return NULL;
}

static enum keyd_status certify(struct keyd *keyd, const struct keyd_request *request, struct keyd_answer *answer)
{
	pthread_mutex_lock(&keyd->lock);
	bool ours = mint_is_for(keyd->conf, request->wire, request->domain);
	const struct real *real = ours ? real_find(keyd, request) : NULL;
	bool too_many = ours && !real && is_one_too_many(keyd, request);
	pthread_mutex_unlock(&keyd->lock);
	if (!ours) {
		log_refused(request, "not-ours");
		counter_add(keyd->counters, KEYD_COUNT_NOT_OURS, 1);
		return KEYD_NOT_OURS;
	}
	if (real)
		return show(keyd, real, request->domain, answer);
	if (too_many) {
		log_refused(request, "too-many");
		counter_add(keyd->counters, KEYD_COUNT_TOO_MANY, 1);
		return KEYD_TOO_MANY;
	}
	return mint(keyd, request, answer);
}

/* --- signatures --- */

static const EVP_MD *digest_of(uint32_t len)
{
	return len == 32 ? EVP_sha256() : len == 48 ? EVP_sha384() : EVP_sha512();
}

static bool set_scheme(EVP_PKEY_CTX *context, const struct keyd_request *request)
{
	switch (request->scheme) {
	case KEYD_PKCS1:
		return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
			EVP_PKEY_CTX_set_signature_md(context, digest_of(request->input_len)) == 1;
	case KEYD_PSS:
		return EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) == 1;
	default:
		return true;
	}
}

/* Does the key sign so? */
static bool fits(const EVP_PKEY *key, const struct keyd_request *request)
{
	if (request->scheme == KEYD_ECDSA)
		return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC;
	return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
		(request->scheme != KEYD_PSS ||
			pss_is_block(request->input, request->input_len, (unsigned)EVP_PKEY_get_bits(key)));
}

static enum keyd_status sign(struct keyd *keyd, const struct keyd_request *request, struct keyd_answer *answer)
{
	EVP_PKEY *key = key_find(keyd, request->key, request->wire);
	if (!key || !fits(key, request)) {
		counter_add(keyd->counters, key ? KEYD_COUNT_NO_BLOCK : KEYD_COUNT_NO_KEY, 1);
		return KEYD_NOT_OURS;
	}
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	size_t len = sizeof(answer->bytes);
	bool ok = context && EVP_PKEY_sign_init(context) == 1 && set_scheme(context, request) &&
		EVP_PKEY_sign(context, answer->bytes, &len, request->input, request->input_len) == 1;
	EVP_PKEY_CTX_free(context);
	if (!ok)
		return KEYD_FAILED;
	answer->len = (uint32_t)len;
	counter_add(keyd->counters, KEYD_COUNT_SIGNED, 1);
	return KEYD_OK;
}

/* --- requests --- */

static bool is_input(const struct keyd_request *request)
{
	uint32_t len = request->input_len;
	if (request->scheme == KEYD_PSS)
		return len >= 256 && len <= KEYD_INPUT_MAX;
	return request->scheme < KEYD_SCHEMES && (len == 32 || len == 48 || len == 64);
}

static bool is_mint(const struct keyd_request *request)
{
	return request->type == KEYD_MINT || request->type == KEYD_MINT_UNVERIFIED;
}

static bool is_well_formed(const struct keyd_request *request)
{
	if (request->version != KEYD_VERSION || request->wire >= WIRES)
		return false;
	if (is_mint(request))
		return request->leaf < KEYD_LEAF_UNVERIFIED && request->domain[0] &&
			memchr(request->domain, 0, sizeof(request->domain));
	return request->type == KEYD_SIGN && request->key < KEYD_KEYS_MAX && is_input(request);
}

static bool copy_request(struct keyd_request *request, const void *bytes, size_t len)
{
	if (len != sizeof(*request))
		return false;
	memcpy(request, bytes, sizeof(*request));
	return is_well_formed(request);
}

static void begin_answer(struct keyd_answer *answer, const struct keyd_request *request)
{
	memset(answer, 0, offsetof(struct keyd_answer, bytes));
	answer->version = KEYD_VERSION;
	answer->type = request->type;
	answer->id = request->id;
}

bool keyd_is_slow(const struct keyd *keyd, const void *bytes, size_t len)
{
	struct keyd_request request;
	if (!copy_request(&request, bytes, len))
		return false;
	if (is_mint(&request))
		return request.leaf == KEYD_LEAF_RSA || keyd->mint[request.wire].is_slow;
	return key_is_slow(keyd, request.key);
}

int keyd_serve(struct keyd *keyd, const void *bytes, size_t len, struct keyd_answer *answer)
{
	struct keyd_request request;
	if (!copy_request(&request, bytes, len))
		return -EPROTO;
	begin_answer(answer, &request);
	answer->status = is_mint(&request) ? certify(keyd, &request, answer) : sign(keyd, &request, answer);
	if (answer->status == KEYD_FAILED)
		counter_add(keyd->counters, KEYD_COUNT_FAILED, 1);
	return 0;
}

void keyd_refuse(struct keyd *keyd, const void *bytes, struct keyd_answer *answer)
{
	struct keyd_request request;
	memcpy(&request, bytes, sizeof(request));
	begin_answer(answer, &request);
	answer->status = KEYD_TOO_MANY;
	counter_add(keyd->counters, KEYD_COUNT_TOO_MANY, 1);
}

/* --- all that is needed for it --- */

int keyd_init(struct keyd *keyd, struct conf *conf, struct counters *counters)
{
	*keyd = (struct keyd){.conf = conf, .counters = counters, .lock = PTHREAD_MUTEX_INITIALIZER};
	for (unsigned wire = 0; wire < WIRES; wire++)
		if (mint_init(&keyd->mint[wire], &conf->wire[wire])) {
			log_warnx("no guard CA wire=%s", wire == WIRE_INSIDE ? "inside" : "outside");
			return -EINVAL;
		}
	for (unsigned i = 0; i < conf->certificate_count; i++)
		if (real_init(&keyd->real[keyd->real_count++], conf, &conf->certificates[i]))
			return -EINVAL;
	return 0;
}

void keyd_take_policy(struct keyd *keyd, struct conf *fresh)
{
	pthread_mutex_lock(&keyd->lock);
	conf_take_policy(keyd->conf, fresh);
	pthread_mutex_unlock(&keyd->lock);
}

void keyd_fini(struct keyd *keyd)
{
	for (unsigned wire = 0; wire < WIRES; wire++)
		mint_fini(&keyd->mint[wire]);
	while (keyd->real_count)
		real_fini(&keyd->real[--keyd->real_count]);
}
