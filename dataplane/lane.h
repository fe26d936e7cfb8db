/*
 * Which lane a frame belongs to. All frames between two IP addresses are of one lane, whichever of the two sent them: so
 * both directions of a connection, its fragments, and all connections of two servers come together; and what a router
 * says by ICMP about a packet goes where that packet belongs. The sum is that of receive-side scaling with a key that
 * repeats itself every 16 bits, which cannot tell source from destination: a device that has it can spread frames just
 * so. Frames without IP are of the first lane.
 */
#ifndef DATAPLANE_LANE_H
#define DATAPLANE_LANE_H

#include <stddef.h>
#include <stdint.h>

enum lane_limits {
	LANE_KEY = 0x6d5a,             /* repeated: the symmetric key */
	LANE_SLOTS = 64,               /* of a device's table, which repeats itself too */
};

/* 0..LANE_SLOTS-1: the sum's low bits. 0 for a frame without IP. */
unsigned lane_slot(const uint8_t *frame, size_t len) __attribute__((nonnull));

static inline unsigned lane_of_slot(unsigned slot, unsigned lanes) { return slot % LANE_SLOTS % lanes; }

static inline unsigned lane_of(const uint8_t *frame, size_t len, unsigned lanes)
{
	return lane_of_slot(lane_slot(frame, len), lanes);
}

#endif
