/*
 * Stanzas that wait for a scanner. A stanza with binaries is held back, and what its sender says after it stays unread, so
 * that order is kept; both sides of every other connection go on. The scanner is asked about one binary after the other,
 * on a connection each, which sallyportd makes: control has no network. Only a clear answer in time lets the stanza pass.
 *
 *      judge -> scan_begin() ... sallyportd -> scans_connected() ... scans_run() -> judge_conclude()
 */
#ifndef CONTROL_SCAN_H
#define CONTROL_SCAN_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "control/transfers.h"
#include "dataplane/base/buf.h"
#include "dataplane/base/conf.h"
#include "policy/policy.h"

struct control;
struct session;
struct stream;

enum scan_answer { SCAN_WAITING, SCAN_CLEAN, SCAN_FOUND, SCAN_UNCLEAR };

enum scan_limits {
	SCAN_NAME_BYTES = 64,
	SCAN_ANSWER_BYTES = 16 << 10,
};

/* How a scanner is spoken with. */
struct scan_protocol {
	/* Writes the question. 0 or -errno. */
	int (*ask)(struct buf *out, const struct conf_scanner *scanner, const uint8_t *bytes, size_t len);
	/* Reads what came so far; `ended`: there will be no more. SCAN_FOUND: `name` says what was. */
	enum scan_answer (*read)(const char *answer, size_t len, bool ended, char name[SCAN_NAME_BYTES]);
};

extern const struct scan_protocol scan_clamd, scan_icap;

struct scan;

struct scans {
	struct scan *first, *last;
	unsigned count;
	struct transfers transfers;
	int (*connect)(void *owner); /* asks for a connection, for scans_connected(). 0 or -errno */
	void *owner;
};

/*
 * A verdict that lets a stanza pass, but for its binaries. True: the stanza waits, and its arena has been taken over.
 * False: the verdict is final, and may have become a refusal.
 */
bool scan_begin(struct stream *stream, struct stanza *stanza, struct policy_verdict *verdict)
	__attribute__((warn_unused_result, nonnull));

/* Its connection is over: what waits is refused, and its sender told by whatever other way there is. */
void scans_abandon(struct session *session) __attribute__((nonnull));

void scans_connected(struct control *control, int fd) __attribute__((nonnull)); /* takes the descriptor */
void scans_unconnected(struct control *control) __attribute__((nonnull));       /* there is no connection to be had */

/* Fills fds, of which there are CONF_SCANS_MAX; how many. */
unsigned scans_poll(const struct scans *scans, struct pollfd *fds) __attribute__((nonnull));
void scans_run(struct control *control) __attribute__((nonnull));  /* does what can be done without waiting */
void scans_tick(struct control *control) __attribute__((nonnull)); /* once a second: who is late */
void scans_fini(struct scans *scans) __attribute__((nonnull));     /* when all sessions are over */

/* Makes a verdict a refusal. The texts are static but for the reason. */
void scan_refuse(struct policy_verdict *verdict, const char *rule, const char *condition, const char *error_type,
	const char *reason) __attribute__((nonnull));

#endif
