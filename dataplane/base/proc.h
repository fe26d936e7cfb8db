/*
 * What every process of the guard has in common: it is started by sallyportd with its descriptors at fixed numbers,
 * reads the configuration that sallyportd has checked, opens what it needs as root, shuts itself into its sandbox,
 * says that it is ready, and ends when sallyportd ends.
 *
 * tls, keyd and control live and die together: a connection is spread over all three, so the death of one ends all
 * connections anyway, and starting three afresh is simpler than mending two. sallyportd then gives the dataplane, which
 * goes on bridging, a new channel.
 */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include "channel.h"

enum proc_role { PROC_DATAPLANE, PROC_TLS, PROC_KEYD, PROC_CONTROL, PROC_ROLES };

enum proc_fd {
	PROC_FD_SUPERVISOR = 3,        /* SOCK_SEQPACKET to sallyportd; end of file: it is gone, exit at once */
	PROC_FD_CONF = 4,              /* sealed memfd: the configuration file as it was checked */
	PROC_FD_COUNTERS = 5,          /* memfd: the process's own counters */
	PROC_FD_ROLE = 6,              /* from here on by role: */

	TLS_FD_LOWER = 6,              /* 6, 7, 8: channel to dataplane (upper end), order of struct channel_fds */
	TLS_FD_UPPER = 9,              /* 9, 10, 11: channel to control (lower end) */
	TLS_FD_KEYD = 12,              /* SOCK_SEQPACKET */

	KEYD_FD_TLS = 6,               /* SOCK_SEQPACKET */

	CONTROL_FD_LOWER = 6,          /* 6, 7, 8: channel to tls (upper end) */
	CONTROL_FD_ADMIN = 9,          /* listening stream socket for the CLI */
	CONTROL_FD_COUNTERS = 10,      /* 10..13: the counters of each enum proc_role, to read (its own among them) */
	PROC_FD_END = 16
};

/* What passes over PROC_FD_SUPERVISOR: one byte of type, and descriptors by SCM_RIGHTS. */
enum supervisor_msg {
	SUPERVISOR_READY = 1,          /* process to sallyportd: initialised and in its sandbox */
	SUPERVISOR_PEER_BROKEN = 2,    /* process to sallyportd: the other end of my channel broke the contract */
	SUPERVISOR_ATTACH = 3,         /* sallyportd to dataplane: three descriptors, the lower end of a new channel */
	SUPERVISOR_DETACH = 4,         /* sallyportd to dataplane: the upper end is dead; reset what is guarded */
};

/* Names the log, checks that the descriptors are there and closes any other above them, ignores SIGPIPE, asks to be
 * killed with sallyportd. Exits with a hint when started by hand. */
void proc_init(enum proc_role role);

/* Sends one byte, never blocks. 0 or -errno. */
int proc_tell(enum supervisor_msg type) __attribute__((warn_unused_result));

/* Takes one message, never blocks: its type, 0 if none, -EPIPE if sallyportd is gone. *fds is filled for ATTACH. */
int proc_hear(struct channel_fds *fds) __attribute__((warn_unused_result, nonnull));

const char *proc_role_name(enum proc_role role); /* "dataplane", "tls", "keyd", "control" */
int proc_fd_end(enum proc_role role); /* the first number above its descriptors */

#endif
