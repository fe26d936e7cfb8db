/* What takes long (RSA, tokens) is done aside, so that whatever is quick never waits for it. */
#ifndef KEYD_SLOW_H
#define KEYD_SLOW_H

#include "serve.h"

enum slow_limits { SLOW_WAITING_MAX = 1024, SLOW_STACK_BYTES = 512 << 10 };

struct slow {
	struct keyd *keyd;
	void (*answer)(const struct keyd_answer *answer);      /* called by the other thread */
	pthread_mutex_t lock;
	pthread_cond_t more;
	unsigned first, count;
	struct keyd_request waiting[SLOW_WAITING_MAX];
};

/* Starts the thread: before the sandbox, which allows none. 0 or -errno. */
int slow_start(struct slow *slow, struct keyd *keyd, void (*answer)(const struct keyd_answer *answer))
	__attribute__((warn_unused_result, nonnull));

/* False: too many wait. */
bool slow_add(struct slow *slow, const struct keyd_request *request) __attribute__((warn_unused_result, nonnull));

#endif
