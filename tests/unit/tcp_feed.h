/*
 * One connection of the engine on a virtual clock: a test feeds segments and expects exactly those that answer.
 * Sequence numbers count from the first byte of each direction; both wrap at 2^32 within the first bytes.
 */
#ifndef TCP_FEED_H
#define TCP_FEED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dataplane/tcp/tcp.h"

enum { A = TCP_ACK, AP = TCP_ACK | TCP_PSH, AF = TCP_ACK | TCP_FIN, APF = TCP_ACK | TCP_PSH | TCP_FIN, R = TCP_RST,
	RA = TCP_RST | TCP_ACK, S = TCP_SYN, SA = TCP_SYN | TCP_ACK };

enum { MS = 1000, SECOND = 1000 * MS, MSS = 1000, WND = 60000 };

struct feed {
	struct tcp_conn *conn;
	uint64_t now;
	unsigned events;               /* of all calls since they were last taken */
	uint32_t iss, irs;             /* of the first bytes */
	uint32_t written;              /* by write_bytes() */
	struct tcp_seg last;           /* that was expected last */
	uint16_t window;               /* that the endpoint advertises with its next segment */
	bool stamped;                  /* segments fed have timestamps: these */
	uint32_t ts_val, ts_ecr;
	bool ce;                       /* of the next segment fed */
	uint8_t sack_count;            /* of the next segment fed */
	struct tcp_sack_block sack[TCP_SACK_BLOCKS];
};

void feed_init(struct feed *f);                                    /* no SACK, NewReno, no scaling, handshake of 100 ms */
void feed_init_as(struct feed *f, struct tcp_adoption adoption);   /* sequence numbers are filled in */
void feed_fini(struct feed *f);

/* One segment in. */
void feed(struct feed *f, unsigned flags, uint32_t seq, uint32_t ack, const char *text);
void feed_bytes(struct feed *f, unsigned flags, uint32_t seq, uint32_t ack, const void *bytes, uint32_t n);
void feed_sack(struct feed *f, uint32_t start, uint32_t end);      /* a block of the next segment */

/* The next segment out is exactly this; expect_none: there is none. */
#define expect(f, flags, seq, ack, text) expect_at(f, flags, seq, ack, text, __FILE__, __LINE__)
#define expect_size(f, flags, seq, ack, n) expect_size_at(f, flags, seq, ack, n, __FILE__, __LINE__)
#define expect_none(f) expect_none_at(f, __FILE__, __LINE__)
void expect_at(struct feed *f, unsigned flags, uint32_t seq, uint32_t ack, const char *text, const char *file, int line);
void expect_size_at(struct feed *f, unsigned flags, uint32_t seq, uint32_t ack, uint32_t n, const char *file, int line);
void expect_none_at(struct feed *f, const char *file, int line);

unsigned take_events(struct feed *f);
void wait_us(struct feed *f, uint64_t us);                         /* nothing may become due before */
uint64_t wait_next(struct feed *f);                                /* until something is due; how long that was */

void write_bytes(struct feed *f, uint32_t n);                      /* 'a', 'b', ... in turn, by position in the stream */
void expect_read(struct feed *f, const char *text);                /* reads and consumes exactly this */
void read_all(struct feed *f);

struct tcp_stats stats_of(const struct feed *f);

#endif
