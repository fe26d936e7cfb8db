/* The requests that keyd serves. */
#ifndef KEYD_SERVE_H
#define KEYD_SERVE_H

#include <pthread.h>
#include <time.h>

#include "dataplane/base/counters.h"
#include "keyd_msg.h"
#include "mint.h"
#include "real.h"

#define KEYD_COUNTERS(X) \
	X(KEYD_COUNT_MINTED, "keyd-certificates-minted") \
	X(KEYD_COUNT_REAL, "keyd-certificates-real") \
	X(KEYD_COUNT_SIGNED, "keyd-signatures") \
	X(KEYD_COUNT_SLOW, "keyd-slow-requests") \
	X(KEYD_COUNT_NOT_OURS, "keyd-refused-not-ours") \
	X(KEYD_COUNT_TOO_MANY, "keyd-refused-too-many") \
	X(KEYD_COUNT_NO_KEY, "keyd-refused-no-such-key") \
	X(KEYD_COUNT_NO_BLOCK, "keyd-refused-no-such-block") \
	X(KEYD_COUNT_FAILED, "keyd-failed")

#define KEYD_COUNTER_ENUM(id, name) id,
enum keyd_counter { KEYD_COUNTERS(KEYD_COUNTER_ENUM) KEYD_COUNTERS_END };
#undef KEYD_COUNTER_ENUM

enum serve_limits {
	SERVE_STRANGERS_MAX = 600,     /* certificates a minute for peers that only [peer *] is for */
	SERVE_STRANGERS_S = 60,
};

static_assert((unsigned)WIRES * KEYD_LEAVES + CONF_CERTIFICATES_MAX == KEYD_KEYS_MAX, "keys");

struct keyd {
	struct conf *conf;             /* its peers under the lock */
	struct counters *counters;
	struct mint mint[WIRES];
	unsigned real_count;
	struct real real[CONF_CERTIFICATES_MAX];       /* in the order of conf->certificates */
	pthread_mutex_t lock;          /* of peers, and of what follows */
	time_t minute;                 /* began then, by the monotonic clock */
	unsigned strangers;            /* in it */
};

/* Loads all keys and certificates of the configuration. 0, or -EINVAL with the fault logged. */
int keyd_init(struct keyd *keyd, struct conf *conf, struct counters *counters)
	__attribute__((warn_unused_result, nonnull));
/* conf_take_policy(), whatever the other thread does. */
void keyd_take_policy(struct keyd *keyd, struct conf *fresh) __attribute__((nonnull));
void keyd_fini(struct keyd *keyd) __attribute__((nonnull));

/*
 * Would it keep others waiting? Requests that do may be served by one other thread at the same time, no more: it alone uses
 * RSA leaf keys and tokens. What is no request is not slow.
 */
bool keyd_is_slow(const struct keyd *keyd, const void *bytes, size_t len) __attribute__((nonnull));

/* Answers one request of `len` bytes. 0, or -EPROTO if it is not a request: the caller ends the conversation. */
int keyd_serve(struct keyd *keyd, const void *bytes, size_t len, struct keyd_answer *answer)
	__attribute__((warn_unused_result, nonnull));

/* The answer to a request (one that is well-formed) that there is no room for. */
void keyd_refuse(struct keyd *keyd, const void *bytes, struct keyd_answer *answer) __attribute__((nonnull));

#endif
