/*
 * ICMP "fragmentation needed" and ICMPv6 "packet too big". The segments of a guarded connection are ours: its endpoints
 * never sent them, and whoever complains about one is heard here.
 */
#ifndef DATAPLANE_ICMP_H
#define DATAPLANE_ICMP_H

#include "worker.h"

/* A FRAME_TOO_BIG; takes the arrival. What quotes no segment of a guarded connection passes. */
void icmp_too_big(struct worker *worker, struct arrival *arrival) __attribute__((nonnull));

#endif
