/*
 * What tls gets from keyd: guard certificates, fetched once and cached, and signatures. Neither blocks: a handshake that
 * needs one is suspended, and `answered` is called when it may go on.
 */
#ifndef TLS_KEYS_H
#define TLS_KEYS_H

#include <stdbool.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "count.h"
#include "dataplane/base/channel.h"

enum keys_limits {
	KEYS_CACHE_MAX = 4096,         /* certificates; the one longest unused goes first */
	KEYS_QUEUE_BYTES = 4 << 20,    /* requests that keyd has not taken yet */
};

struct keys;

/* `answered` gets the id of the connection that waits, or 0: whoever waits for a certificate may try again. */
struct keys *keys_new(int keyd_fd, struct counters *counters, void (*answered)(void *owner, uint64_t conn), void *owner)
	__attribute__((warn_unused_result, nonnull));
void keys_free(struct keys *keys);

struct guard_certificate {
	X509 *certificate;
	EVP_PKEY *key;         /* public; its private half signs in keyd */
	STACK_OF(X509) *chain; /* the CAs above it, as far as they are shown */
};

struct keys_wanted {
	enum wire wire;        /* where it is shown */
	const char *domain;
	bool unverified;       /* what it stands for is: one that nobody can verify */
	bool rsa;              /* with an RSA key, unless the domain has a real certificate */
};

enum keys_result { KEYS_READY, KEYS_PENDING, KEYS_REFUSED };

/* The certificate to be shown. It belongs to the cache: take references before returning. */
enum keys_result keys_certificate(struct keys *keys, const struct keys_wanted *wanted,
	const struct guard_certificate **certificate) __attribute__((warn_unused_result, nonnull));

/* Which connection the next signature is for: set before SSL_do_handshake(). Returns how many signatures have come to an
 * end until now. A signature that cannot be had raises an error of ERR_LIB_USER. */
uint64_t keys_set_current(struct keys *keys, uint64_t conn) __attribute__((nonnull));

/* The connection fails: if it waits for a signature, its next SSL_do_handshake() will not get one. */
void keys_abandon(struct keys *keys, uint64_t conn) __attribute__((nonnull));

int keys_fd(const struct keys *keys) __attribute__((nonnull));
bool keys_expects(const struct keys *keys) __attribute__((nonnull)); /* an answer is to come, or keyd is gone */
bool keys_want_write(const struct keys *keys) __attribute__((nonnull));
/* Takes answers and sends what waits. 0, or -EPROTO: keyd is gone or not itself. */
int keys_run(struct keys *keys) __attribute__((warn_unused_result, nonnull));

#endif
