/*
 * What every process of the guard has in common: it is started by sallyportd with its descriptors at fixed numbers,
 * reads the configuration that sallyportd has checked, opens what it needs as root, shuts itself into its sandbox,
 * says that it is ready, and ends when sallyportd ends.
 *
 * A lane is one worker thread of the dataplane and its own tls, keyd and control; there are as many lanes as
 * [guard] workers says. A connection belongs to one lane for life, and lanes share nothing.
 *
 * tls, keyd and control of a lane live and die together: a connection is spread over all three, so the death of one ends
 * all its connections anyway, and starting three afresh is simpler than mending two. sallyportd then gives the lane's
 * thread of the dataplane, which goes on bridging, a new channel.
 */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include <stdbool.h>

#include "channel.h"

enum proc_role { PROC_DATAPLANE, PROC_TLS, PROC_KEYD, PROC_CONTROL, PROC_ROLES };

enum proc_limits { PROC_LANES_MAX = 16 };

/* Which lane a process is of. The dataplane is of all of them, and says 0. */
struct proc_lane {
	unsigned lane, lanes;
};

/* What sallyportd tells it in, as LANE/LANES; where it is not there, there is one lane. */
#define PROC_LANE_VARIABLE "SALLYPORT_LANE"

enum proc_fd {
	PROC_FD_SUPERVISOR = 3,        /* SOCK_SEQPACKET to sallyportd; end of file: it is gone, exit at once */
	PROC_FD_CONF = 4,              /* sealed memfd: the configuration file as it was checked */
	PROC_FD_COUNTERS = 5,          /* memfd: the process's own counters */
	PROC_FD_ROLE = 6,              /* from here on by role: */

	DATAPLANE_FD_LANES = 6,        /* for each lane from the second on: supervisor socket, counters */

	TLS_FD_LOWER = 6,              /* 6, 7, 8: channel to dataplane (upper end), order of struct channel_fds */
	TLS_FD_UPPER = 9,              /* 9, 10, 11: channel to control (lower end) */
	TLS_FD_KEYD = 12,              /* SOCK_SEQPACKET */

	KEYD_FD_TLS = 6,               /* SOCK_SEQPACKET */

	CONTROL_FD_LOWER = 6,          /* 6, 7, 8: channel to tls (upper end) */
	CONTROL_FD_ADMIN = 9,          /* listening stream socket for the CLI */
	CONTROL_FD_COUNTERS = 10,      /* for each lane the counters of each enum proc_role, to read (its own among them) */
	PROC_FD_END = CONTROL_FD_COUNTERS + PROC_LANES_MAX * PROC_ROLES
};

/* Of the dataplane's thread for this lane. */
static inline int dataplane_fd_supervisor(unsigned lane)
{
	return lane ? DATAPLANE_FD_LANES + 2 * ((int)lane - 1) : PROC_FD_SUPERVISOR;
}

static inline int dataplane_fd_counters(unsigned lane)
{
	return lane ? DATAPLANE_FD_LANES + 2 * ((int)lane - 1) + 1 : PROC_FD_COUNTERS;
}

/* What passes over PROC_FD_SUPERVISOR: one byte of type, and descriptors by SCM_RIGHTS. The dataplane has one such socket
 * for each lane, on which that lane's channel comes and goes. */
enum supervisor_msg {
	SUPERVISOR_READY = 1,          /* process to sallyportd: initialised and in its sandbox */
	SUPERVISOR_PEER_BROKEN = 2,    /* process to sallyportd: the other end of my channel broke the contract */
	SUPERVISOR_ATTACH = 3,         /* sallyportd to dataplane: three descriptors, the lower end of a new channel */
	SUPERVISOR_DETACH = 4,         /* sallyportd to dataplane: the upper end is dead; reset what is guarded */
	SUPERVISOR_POLICY = 5,         /* sallyportd to tls, keyd, control: one descriptor, see conf_unseal() */
	SUPERVISOR_POLICY_REFUSED = 6, /* sallyportd to control: one descriptor, a text that says why another is not taken */
	SUPERVISOR_SCANNER = 0x10,     /* control to sallyportd: a connection to the scanner is wanted; the answer has it */
	SUPERVISOR_SCANNER_DEAD = 0x11,        /* the answer where there is none to be had */
	SUPERVISOR_CRLS = 0x20,        /* sallyportd to tls: one descriptor, see crl_bundle.h; supervisor_crls() */
	SUPERVISOR_CRLS_TAKEN = 0x28,  /* tls to sallyportd: they are in force, or they are refused and the old ones stay */
	SUPERVISOR_CRLS_REFUSED = 0x30,
	SUPERVISOR_LINK = 0x80,        /* both ways: supervisor_link() */
};

/* So many versions of a wire's CRLs can be told apart, to know which one an answer is about. */
enum { SUPERVISOR_CRL_VERSIONS = 4 };

/* SUPERVISOR_CRLS and the answers to it, of a wire and version. */
static inline enum supervisor_msg supervisor_crls(enum supervisor_msg kind, enum wire wire, unsigned version)
{
	return (enum supervisor_msg)(kind | (version % SUPERVISOR_CRL_VERSIONS) << 1 | wire);
}

enum { SUPERVISOR_CRL_DETAIL = 2 * SUPERVISOR_CRL_VERSIONS - 1 };      /* the bits for wire and version */

/* Is it an answer? */
static inline bool supervisor_told_of_crls(int msg, enum wire *wire, bool *taken)
{
	*wire = (enum wire)(msg & 1);
	*taken = (msg & ~SUPERVISOR_CRL_DETAIL) == SUPERVISOR_CRLS_TAKEN;
	return *taken || (msg & ~SUPERVISOR_CRL_DETAIL) == SUPERVISOR_CRLS_REFUSED;
}

/* Are they here? */
static inline bool supervisor_told_crls(int msg)
{
	return msg >= SUPERVISOR_CRLS && msg < SUPERVISOR_CRLS_TAKEN;
}

/*
 * How a port's link is. Told by sallyportd to each thread of the dataplane, and by the first thread to sallyportd about
 * devices that the kernel does not know (never LINK_HELD).
 */
enum link_state {
	LINK_UP,
	LINK_LOST,                     /* no carrier, or taken down by somebody else */
	LINK_HELD,                     /* taken down by the guard, since the link on the other side is lost */
	LINK_STATES
};

enum { SUPERVISOR_LINK_SIDE_BITS = 4 };

static inline enum supervisor_msg supervisor_link(enum wire wire, enum link_state state)
{
	return (enum supervisor_msg)(SUPERVISOR_LINK | wire << SUPERVISOR_LINK_SIDE_BITS | state);
}

/* Is it one of those? */
static inline bool supervisor_told_link(int msg, enum wire *wire, enum link_state *state)
{
	if (msg < SUPERVISOR_LINK)
		return false;
	*wire = (enum wire)((msg - SUPERVISOR_LINK) >> SUPERVISOR_LINK_SIDE_BITS);
	*state = (enum link_state)(msg & ((1 << SUPERVISOR_LINK_SIDE_BITS) - 1));
	return *wire < WIRES && *state < LINK_STATES;
}

/* Names the log, checks that the descriptors are there and closes any other above them, ignores SIGPIPE, asks to be
 * killed with sallyportd. Exits with a hint when started by hand. */
struct proc_lane proc_init(enum proc_role role);

/* Sends one byte, never blocks. 0 or -errno. */
int supervisor_tell(int socket, enum supervisor_msg type) __attribute__((warn_unused_result));

/* Takes one message, never blocks: its type, 0 if none, -EPIPE if sallyportd is gone. *fds is filled for ATTACH,
 * and fds->memory for CRLS, POLICY, POLICY_REFUSED and SCANNER: the caller closes them. */
int supervisor_hear(int socket, struct channel_fds *fds) __attribute__((warn_unused_result, nonnull));

/* The same on PROC_FD_SUPERVISOR. */
int proc_tell(enum supervisor_msg type) __attribute__((warn_unused_result));
int proc_hear(struct channel_fds *fds) __attribute__((warn_unused_result, nonnull));

const char *proc_role_name(enum proc_role role); /* "dataplane", "tls", "keyd", "control" */
int proc_fd_end(enum proc_role role, unsigned lanes); /* the first number above its descriptors */

#endif
