/*
 * The audit: a file of JSON lines, appended to. One line for each verdict that is not a plain pass, one for each
 * session when it ends, one for each alert, one for each refusal that had to wait. Never the content of a stanza.
 *
 * Fail closed: while a line cannot be written nothing passes. A line that was torn is ended before the next one.
 */
#ifndef CONTROL_AUDIT_H
#define CONTROL_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "control/refusal.h"
#include "dataplane/base/buf.h"
#include "dataplane/base/channel.h"
#include "dataplane/base/proc.h"
#include "policy/policy.h"

struct control;
struct session;
struct stream;

struct audit {
	int fd;
	struct buf line;
	struct proc_lane lane; /* lanes write to one file, and share out the numbers of verdicts */
	uint64_t verdicts;     /* numbers given so far */
	uint64_t tried_ms; /* while failing: when it was tried last */
	bool failing, torn;
};

/* Opens the file for appending; made with mode 0640 if it is new. 0 or -errno. */
int audit_open(struct audit *audit, const char *path, struct proc_lane lane) __attribute__((warn_unused_result, nonnull));
void audit_close(struct audit *audit) __attribute__((nonnull));

static inline uint64_t audit_next_verdict(struct audit *audit)
{
	return audit->verdicts++ * audit->lane.lanes + audit->lane.lane + 1;
}

static inline bool audit_is_failing(const struct audit *audit)
{
	return audit->failing;
}

/* Each writes one line. 0 or -errno, of which only audit_verdict()'s decides about something. */
int audit_verdict(struct control *control, const struct stream *stream, const struct node *stanza,
	const struct policy_verdict *verdict, uint64_t number, enum delivery delivery)
	__attribute__((warn_unused_result, nonnull));
/* What the stages that are monitored would have done. 0 or -errno, and nothing crosses without it. */
int audit_monitor(struct control *control, const struct stream *stream, const struct node *stanza,
	const struct policy_verdict *verdict, uint64_t number) __attribute__((warn_unused_result, nonnull));
void audit_session(struct control *control, const struct session *session) __attribute__((nonnull));
void audit_refusal(struct control *control, const struct refusal *refusal, enum delivery delivery)
	__attribute__((nonnull));
void audit_alert(struct control *control, const struct session *session, const char *alert, const char *why)
	__attribute__((nonnull(1, 3, 4)));
void audit_notice(struct control *control, const struct msg_notice *notice) __attribute__((nonnull));
/* What `peer` is pinned to, and what it showed instead. */
void audit_pin(struct control *control, const struct session *session, const char *peer, const char *shown)
	__attribute__((nonnull));
void audit_crls(struct control *control, const struct msg_crls *crls) __attribute__((nonnull));
/* An alert about a pair of domains. */
void audit_pair(struct control *control, const struct session *session, const char *alert, const char *from,
	const char *to, const char *why) __attribute__((nonnull));
void audit_guard(struct control *control, const char *what) __attribute__((nonnull)); /* "started", "stopped" */

/* While failing: tries again, once a second. */
void audit_tick(struct control *control) __attribute__((nonnull));

/* "2024-05-06T07:08:09.123Z"; room for 32 bytes. */
void audit_time(uint64_t wall_ms, char *out) __attribute__((nonnull));
void audit_address(const struct session *session, enum conn_side side, char *out, size_t size)
	__attribute__((nonnull));

#endif
