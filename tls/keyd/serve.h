/* The requests that keyd serves. */
#ifndef KEYD_SERVE_H
#define KEYD_SERVE_H

#include "dataplane/base/counters.h"
#include "keyd_msg.h"
#include "mint.h"

#define KEYD_COUNTERS(X) \
	X(KEYD_COUNT_MINTED, "keyd-certificates-minted") \
	X(KEYD_COUNT_SIGNED, "keyd-signatures") \
	X(KEYD_COUNT_NOT_OURS, "keyd-refused-not-ours") \
	X(KEYD_COUNT_FAILED, "keyd-failed")

#define KEYD_COUNTER_ENUM(id, name) id,
enum keyd_counter { KEYD_COUNTERS(KEYD_COUNTER_ENUM) KEYD_COUNTERS_END };
#undef KEYD_COUNTER_ENUM

struct keyd {
	const struct conf *conf;
	struct counters *counters;
	struct mint mint[WIRES];
};

/* Answers one request of `len` bytes. 0, or -EPROTO if it is not a request: the caller ends the conversation. */
int keyd_serve(struct keyd *keyd, const void *bytes, size_t len, struct keyd_answer *answer)
	__attribute__((warn_unused_result, nonnull));

#endif
