/*
 * A policy is tried on its cases before it is taken ([guard] policy-tests): by another process, unprivileged and in a
 * sandbox, since nobody parses stanzas as root; and within a time, since it may be given anything.
 */
#ifndef DAEMON_TRIAL_H
#define DAEMON_TRIAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum trial_limits { TRIAL_MS = 30000 };

enum trial_state {
	TRIAL_NONE,                    /* nothing is being tried */
	TRIAL_RUNNING,
	TRIAL_PASSED,
	TRIAL_FAILED,                  /* `why` says what; each line of the report is in the log */
};

struct trial {
	enum trial_state state;
	int image;                     /* conf_seal(); the trial's, until trial_take() */
	int pidfd, report;
	int64_t deadline_ms;
	char why[300];
};

void trial_init(struct trial *trial) __attribute__((nonnull));
void trial_fini(struct trial *trial) __attribute__((nonnull)); /* kills what still runs */

/* Takes the image over. Without cases it has passed at once; what cannot be tried has failed. `folder`: of the programs. */
void trial_start(struct trial *trial, int image, const char *folder, int64_t now_ms) __attribute__((nonnull));

/* Readable when it has ended; -1: none runs. When it is late, INT64_MAX if it cannot be. */
int trial_fd(const struct trial *trial) __attribute__((nonnull));
int64_t trial_due(const struct trial *trial) __attribute__((nonnull));

/* To be called when either has come: the state may be another. */
void trial_run(struct trial *trial, int64_t now_ms) __attribute__((nonnull));

/* Of one that has passed or failed: its image, which is the caller's. There is none then. */
int trial_take(struct trial *trial) __attribute__((warn_unused_result, nonnull));

/* The same at the start, when there is nothing else to do: until it has ended. Whether it has passed. */
bool trial_passes(int image, const char *folder) __attribute__((warn_unused_result, nonnull));

#endif
