/*
 * Recording: every stanza as it came, and what policy said of it, in a file of cases (trial/cases.h), so that another
 * policy can be tried on it. For a while, and where people know of it: it holds what they wrote. Off unless configured; it
 * ends for good when the file is full or cannot be written, since traffic does not depend on it.
 */
#ifndef CONTROL_RECORD_H
#define CONTROL_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/base/buf.h"
#include "policy/policy.h"

struct record {
	int fd;                        /* -1: off */
	uint64_t bytes, max_bytes;
	struct buf stanza, text;
};

/* Appends to `path`, which is made with mode 0600 if it is new; "": off. 0 or -errno. */
int record_open(struct record *record, const char *path, uint64_t max_bytes) __attribute__((warn_unused_result, nonnull));
void record_close(struct record *record) __attribute__((nonnull));

static inline bool record_is_on(const struct record *record)
{
	return record->fd >= 0;
}

/* Before policy, which edits it. */
void record_stanza(struct record *record, const struct stanza *stanza) __attribute__((nonnull));
/* After it, of the same. 1: written; 0: not, since it could not be written out; negative: recording has ended. */
int record_verdict(struct record *record, const struct policy_context *context, const struct stanza *stanza,
	const struct policy_verdict *verdict, uint64_t wall_ms) __attribute__((warn_unused_result, nonnull));

#endif
