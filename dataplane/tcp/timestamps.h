/* Timestamps, RFC 7323: ours count milliseconds; the endpoint's tell old duplicates. Nothing happens if not agreed. */
#ifndef TCP_TIMESTAMPS_H
#define TCP_TIMESTAMPS_H

#include "tcp.h"

struct timestamps {
	bool agreed;
	uint32_t first;                /* our TSval at `start` */
	uint64_t start;
	uint32_t recent;               /* TS.Recent: what we echo */
	uint64_t recent_at;            /* when it came */
	struct seq last_ack;           /* Last.ACK.sent */
};

void timestamps_init(struct timestamps *timestamps, const struct tcp_adoption *adoption, uint64_t now)
	__attribute__((nonnull));

/* Octets that they take of each segment. */
unsigned timestamps_size(const struct timestamps *timestamps) __attribute__((nonnull));

/* Into a segment whose ACK is set already. */
void timestamps_fill(struct timestamps *timestamps, uint64_t now, struct tcp_seg *seg) __attribute__((nonnull));

/* PAWS. A segment that has none of them is not outdated. */
bool timestamps_is_outdated(const struct timestamps *timestamps, uint64_t now, const struct tcp_seg *seg)
	__attribute__((nonnull));
void timestamps_take(struct timestamps *timestamps, uint64_t now, const struct tcp_seg *seg) __attribute__((nonnull));

/* Does this segment, which acknowledges something new, echo what was sent at `sent` or later? */
bool timestamps_answer(const struct timestamps *timestamps, uint64_t now, uint64_t sent, const struct tcp_seg *seg)
	__attribute__((nonnull));

#endif
