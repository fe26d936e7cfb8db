/* What has to be set on a kernel interface before it can be a port of the guard. */
#ifndef DATAPLANE_INTERFACE_H
#define DATAPLANE_INTERFACE_H

#include <stdint.h>

/*
 * Brings the interface up, turns off what would merge, split or leave unfinished the frames on it, and warns of addresses
 * and IPv6 that would let the guard's own machine speak. What was done is logged. Exits with a hint when it cannot, and on
 * an interface that is not Ethernet, or belongs to a bridge or bond: that would forward frames beside us.
 */
void interface_prepare(const char *name) __attribute__((nonnull));

/* One queue each way, so that an XDP socket on it sees every frame. Exits with a hint when that cannot be. */
void interface_use_one_queue(const char *name) __attribute__((nonnull));

/*
 * Makes it take in every frame for as long as the returned socket is open (so that nothing stays behind, however we
 * end). The socket itself receives nothing. Exits on failure.
 */
int interface_listen_to_all(const char *name) __attribute__((nonnull));

uint16_t interface_mtu(const char *name) __attribute__((nonnull));

#endif
