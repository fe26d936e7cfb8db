/*
 * The admin socket: a client connects, says one line, gets its answer and end of file. Only root, or whoever runs
 * sallyportd, may ask. An answer is made at once and sent as fast as it is read, so that nobody who does not read
 * holds up the guard; clients and answers are bounded. Of several lanes each control has its own socket and tells of its
 * own lane; what concerns the guard as a whole is told by the first, the others then answer nothing.
 */
#ifndef CONTROL_ADMIN_H
#define CONTROL_ADMIN_H

#include <poll.h>
#include <stdint.h>
#include <sys/types.h>

#include "control/limits.h"
#include "dataplane/base/buf.h"
#include "dataplane/base/counters.h"
#include "dataplane/base/proc.h"

struct control;

struct admin_client {
	int fd; /* -1: free */
	uint64_t since_ms;
	struct buf request, answer;
	enum { ADMIN_ASKING, ADMIN_ANSWERING } state;
};

struct admin {
	int listener;
	uid_t uid;                                   /* that may ask, besides root */
	struct proc_lane lane;                       /* that this control is of */
	const struct counters *counters[PROC_LANES_MAX][PROC_ROLES]; /* to read; NULL: not there */
	struct admin_client client[ADMIN_CLIENTS_MAX];
};

void admin_init(struct admin *admin, int listener, uid_t uid) __attribute__((nonnull));
void admin_fini(struct admin *admin) __attribute__((nonnull));

/* What to poll for: fills at most ADMIN_CLIENTS_MAX + 1 entries, returns how many. */
unsigned admin_poll(const struct admin *admin, struct pollfd *fds) __attribute__((nonnull));

/* Accepts, reads, answers, writes; never blocks. */
void admin_run(struct admin *admin, struct control *control) __attribute__((nonnull));

/* --- show.c --- */
/* Answers one request line into `out`; an unknown one by a line that begins with "error: ". 0, or -ENOSPC if the
 * answer was cut. */
int show_answer(const struct admin *admin, const struct control *control, const char *request, struct buf *out)
	__attribute__((nonnull));

#endif
