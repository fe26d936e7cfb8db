/* One process that sallyportd started. */
#ifndef DAEMON_CHILD_H
#define DAEMON_CHILD_H

#include <stdint.h>
#include <sys/types.h>

#include "dataplane/base/proc.h"

enum child_state { CHILD_DOWN, CHILD_STARTING, CHILD_READY };

struct child {
	enum proc_role role;
	struct proc_lane lane;
	char name[24];                 /* for the log: "tls", of several lanes "tls/1" */
	enum child_state state;
	pid_t pid;
	int pidfd;                     /* readable when it is dead; -1 while down */
	int socket;                    /* our end of its PROC_FD_SUPERVISOR; -1 while down */
	int64_t started_ms;
};

/* Where its program is, and the name of the configuration for its environment. */
struct child_program {
	const char *folder;
	const char *conf_name;
};

void child_init(struct child *child, enum proc_role role, struct proc_lane lane) __attribute__((nonnull));

/*
 * Starts it with fds[i] at descriptor PROC_FD_CONF + i (they stay the caller's), /dev/null for input, our standard error
 * for its output, no other descriptor and an environment that holds only the configuration's name, its lane and what its
 * role needs of ours. 0 or -errno; that the program cannot be executed shows as its death.
 */
int child_start(struct child *child, const struct child_program *program, const int *fds, unsigned count, int64_t now_ms)
	__attribute__((warn_unused_result, nonnull));

/* Kills it if it still lives, and waits for its end. */
void child_kill(struct child *child) __attribute__((nonnull));

/* Kills it, if it is not dying already by itself: child_reap() then tells of what. */
void child_doom(struct child *child) __attribute__((nonnull));

/* Closes our end of its socket: it ends by itself. */
void child_ask_to_end(struct child *child) __attribute__((nonnull));

/* Has it ended? Then it is reaped and down; how it ended is logged unless it was expected. */
bool child_reap(struct child *child, bool expected) __attribute__((nonnull));

/* Over a socket to a child: sends a message, with descriptors if fds is not NULL. Never blocks. 0 or -errno. */
int child_tell(int socket, enum supervisor_msg type, const struct channel_fds *fds)
	__attribute__((warn_unused_result));

/* The same with `count` descriptors, at most three. */
int child_tell_files(int socket, enum supervisor_msg type, const int *files, unsigned count)
	__attribute__((warn_unused_result));

/* Takes one message: its type, 0 if there is none, -EPIPE if the child closed its end. */
int child_hear(int socket) __attribute__((warn_unused_result));

#endif
