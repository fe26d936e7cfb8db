/*
 * Two connections over a link that is bad on purpose, on a virtual clock: what the tests of the TCP engine run.
 * All chance comes from a seed, so that a run can be repeated.
 */
#ifndef TCP_LINK_H
#define TCP_LINK_H

#include "dataplane/tcp/tcp.h"

enum { LINK_LEFT, LINK_RIGHT, LINK_ENDS };
enum { LINK_MSS = 1460 };                  /* that of the adoption */

struct link_quality {
	unsigned loss, reorder, duplicate; /* of 1000 segments, each way */
	unsigned overtake;                 /* of 1000, too: these have next to no delay */
	unsigned delay_us;                 /* one way */
	unsigned bytes_per_ms;             /* of the bottleneck; 0: no limit */
	unsigned buffer_bytes;             /* before the bottleneck */
	uint64_t dead_after_us;            /* nothing passes after that; 0: never */
};

struct link_task {
	uint32_t bytes[LINK_ENDS];         /* to send from each end */
	uint32_t write_bytes;              /* at a time */
	uint32_t read_bytes_per_ms;        /* of the right end; 0: reads whatever there is */
	bool close;                        /* FIN after the last byte */
};

struct link_end {
	struct tcp_conn *conn;
	uint32_t written, read;
	uint32_t edge, base;               /* farthest advertised to this end; its first sequence number: of its own bytes */
	unsigned events;
	size_t memory_idle, memory_peak;   /* before the first byte; and beyond that */
	uint64_t sent_bytes;
};

struct link {
	struct link_quality quality;
	struct link_task task;
	struct link_end end[LINK_ENDS];
	uint64_t now, random;
	struct link_way *way[LINK_ENDS];   /* towards each end */
	const char *fault;                 /* the first invariant that did not hold; NULL: none */
};

void link_init(struct link *link, const struct tcp_adoption *common, const struct link_quality *quality,
	const struct link_task *task, uint64_t seed);
void link_fini(struct link *link);

/* Runs until both ends have everything (and are finished, if the task is to close), or the time or an invariant is over.
 * True: all arrived. Checks on the way: bytes are the right ones, nothing is sent beyond the window, memory is bounded. */
bool link_run(struct link *link, uint64_t until_us);

uint8_t link_byte(unsigned end, uint32_t i); /* the i-th byte that an end sends */

#endif
