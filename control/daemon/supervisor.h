/*
 * Keeps the processes alive. The dataplane stands alone; the tls, keyd and control of each lane are a group: the death of
 * one of the three ends them all, and the lane's thread of the dataplane, which goes on bridging, is told to reset what
 * is guarded and later given a fresh channel. Other lanes do not notice. The death of the dataplane ends all.
 */
#ifndef DAEMON_SUPERVISOR_H
#define DAEMON_SUPERVISOR_H

#include "child.h"
#include "dataplane/base/conf.h"
#include "wiring.h"

enum supervisor_limits {
	READY_MS = 10000,              /* not ready after this: counts as dead */
	CALM_MS = 10000,               /* lived so long: its death is a first one again */
	DELAY_MIN_MS = 100,            /* before the second restart; doubles up to */
	DELAY_MAX_MS = 2000,
	STOP_MS = 2000,                /* to end by themselves when asked to */
};

/* Runs until SIGTERM or SIGINT (0), or until one dies before the guard was ready for the first time (1). The signals must
 * be blocked. Everything that it started has ended when it returns. */
int supervise(const struct conf *conf, struct wiring *wiring, const struct child_program *program)
	__attribute__((warn_unused_result, nonnull));

#endif
