/* All sessions by the id of their connection, and what the channel may say of them. */
#ifndef CONTROL_SESSIONS_H
#define CONTROL_SESSIONS_H

#include <stdint.h>

#include "dataplane/base/channel.h"

struct control;
struct session;

enum { SESSION_BUCKETS = 8192 };

struct sessions {
	struct session *bucket[SESSION_BUCKETS];
	struct session *first, *last; /* in the order of their opening */
	unsigned count;
};

/* The receiver's side of the channel to tls. */
struct channel_receiver sessions_receiver(struct control *control) __attribute__((nonnull));

/* Once a second: timeouts, and sessions ended while the audit cannot be written. */
void sessions_tick(struct control *control) __attribute__((nonnull));

/* After the policy has changed: whoever could not speak by the new one does not go on. */
void sessions_on_policy(struct control *control) __attribute__((nonnull));

/* Ends every session with a line in the audit; for the end of the process. */
void sessions_fini(struct control *control) __attribute__((nonnull));

#endif
