/* Who a stanza counts for, and what becomes of it, or of its stream, when that is more than the rate (rates.h). */
#ifndef CONTROL_PACE_H
#define CONTROL_PACE_H

#include <stdint.h>

#include "policy/jid.h"
#include "policy/policy.h"

enum { PACE_NAME_BYTES = 2 * JID_PART_BYTES + 2 };

struct control;
struct stream;

/* The address without its resource, its domain in one form; "" where there is none. Room for PACE_NAME_BYTES. */
void pace_bare(const char *jid, char *out) __attribute__((nonnull));

/*
 * For what policy lets pass, once for each stanza: counts it, and makes the verdict tighter, or holds the stream, where
 * it is too much. Errors, results of iq and going away count, but no user's rate refuses them: nobody asks for them again.
 */
void pace_check(struct stream *stream, const struct stanza *stanza, struct policy_verdict *verdict)
	__attribute__((nonnull));

/* Goes on with streams that were held for long enough. */
void pace_run(struct control *control) __attribute__((nonnull));
uint64_t pace_rest_ms(const struct control *control, uint64_t most_ms) __attribute__((nonnull)); /* until then */

/* Before the policy goes: its buckets are forgotten, its streams held no longer. */
void pace_forget(struct control *control) __attribute__((nonnull));

#endif
