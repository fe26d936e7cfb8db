/*
 * Kernel interfaces watched and taken up and down, by netlink. What changes is told as it happens: nothing is polled.
 */
#ifndef DAEMON_LINK_KERNEL_H
#define DAEMON_LINK_KERNEL_H

#include <sys/socket.h>

#include <linux/if.h>

#include "dataplane/base/proc.h"

struct nl_sock;

typedef void (*link_seen_fn)(void *owner, enum wire wire, bool up, bool carrier);

struct link_kernel {
	struct nl_sock *events;        /* NULL: no side is an interface */
	struct nl_sock *requests;
	char name[WIRES][IFNAMSIZ];    /* "": that side is no interface */
	int index[WIRES];              /* 0: it is gone */
	link_seen_fn seen;
	void *owner;
};

/* 0, or -1 after a line in the log. The names are taken from `kernel`. */
int link_kernel_open(struct link_kernel *kernel) __attribute__((nonnull, warn_unused_result));
void link_kernel_close(struct link_kernel *kernel) __attribute__((nonnull));

int link_kernel_fd(const struct link_kernel *kernel) __attribute__((nonnull));  /* readable: events; -1: none */

/* Tells what has changed; never blocks. */
void link_kernel_read(struct link_kernel *kernel) __attribute__((nonnull));

/* Finds the interfaces by name and tells how each is now. */
void link_kernel_look(struct link_kernel *kernel) __attribute__((nonnull));

/* Takes it up or down. A failure is logged. */
void link_kernel_set(const struct link_kernel *kernel, enum wire wire, bool up) __attribute__((nonnull));

/* Takes away the XDP program that a dataplane left on it. A failure is logged. */
void link_kernel_take_xdp_off(const struct link_kernel *kernel, enum wire wire) __attribute__((nonnull));

#endif
