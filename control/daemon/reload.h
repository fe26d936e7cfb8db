/*
 * The configuration file, read by sallyportd: when the guard starts, and again when it is told to (SIGHUP). What passes is
 * changed at once, without a stream being lost; anything else waits for the next start, and is said to.
 */
#ifndef DAEMON_RELOAD_H
#define DAEMON_RELOAD_H

#include "dataplane/base/conf.h"

/*
 * What the file says now, as an image (conf_seal()) for the processes of a guard that runs with `running`: the caller's,
 * who still has to try it on its cases (trial.h). -1 after a line in the log.
 */
int reload_policy(const char *path, const struct conf *running) __attribute__((warn_unused_result, nonnull));

#endif
