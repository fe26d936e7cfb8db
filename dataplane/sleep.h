/*
 * Sleeping when there is nothing to do. DPDK offers no interrupt for its packet and XDP sockets, but they can be polled
 * like any other: so they are looked for among our own descriptors. Devices without one are looked at again after a nap.
 */
#ifndef DATAPLANE_SLEEP_H
#define DATAPLANE_SLEEP_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

enum sleep_limits {
	SLEEP_SOCKETS_MAX = 8,
	SLEEP_NAP_MIN_US = 50,
	SLEEP_NAP_MAX_US = 200,        /* what a frame may wait for when all was quiet; shorter costs more of an idle core */
};

struct sleeper {
	struct pollfd fds[SLEEP_SOCKETS_MAX + 3];      /* supervisor, channel, bell, then packet sockets */
	unsigned sockets;
	bool naps;                     /* some port cannot be slept on */
	uint64_t nap_us;               /* the next one; longer each time, until there was something to do */
};

/* `bell` wakes too, -1: none. */
void sleeper_init(struct sleeper *sleeper, int supervisor, int bell) __attribute__((nonnull));

/* A port that has to be looked at: finds the packet sockets of this interface (0: it is not one). */
void sleeper_add_port(struct sleeper *sleeper, unsigned if_index) __attribute__((nonnull));

/* The same for XDP sockets, of which nothing tells whose they are: all of them. */
void sleeper_add_xdp(struct sleeper *sleeper) __attribute__((nonnull));

/* There was something to do. */
static inline void sleeper_worked(struct sleeper *sleeper) { sleeper->nap_us = SLEEP_NAP_MIN_US; }

/* At most `us` (UINT64_MAX: as long as nothing happens); channel_fd -1: none. Returns packet sockets in error. */
unsigned sleeper_wait(struct sleeper *sleeper, int channel_fd, uint64_t us) __attribute__((nonnull));

#endif
