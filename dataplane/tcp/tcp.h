/*
 * One half of a split TCP connection: an endpoint of ours that talks to one real endpoint. No I/O, no clock, no DPDK:
 * a segment and the time go in; segments, readable bytes and the next deadline come out.
 *
 *     tcp_input(conn, now, seg)    one segment in; never sends
 *     tcp_output(conn, now, &seg)  the next segment to send, or none; the caller loops and transmits
 *     tcp_next(conn)               when to call tcp_output() again even if nothing happened
 *     tcp_peek / tcp_consume       the bytes received, in order; the advertised window follows consumption
 *     tcp_write / tcp_shutdown     the bytes to send; FIN after them
 *
 * Times are microseconds of a monotonic clock, read once per loop by the caller.
 */
#ifndef TCP_TCP_H
#define TCP_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "seq.h"

enum tcp_flags {
	TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_PSH = 0x08, TCP_ACK = 0x10, TCP_URG = 0x20,
	TCP_ECE = 0x40, TCP_CWR = 0x80,
};

/* Whether a SACK-permitted option may be left in the handshake: both halves can then be asked to honour it. */
#define TCP_CAN_SACK 1

enum tcp_limits {
	TCP_SACK_BLOCKS = 4,           /* in one segment; 3 beside timestamps */
	TCP_WSCALE_NONE = 0xff,
	TCP_HEADER_MAX = 60,
	TCP_SEND_BYTES = 4 << 20,      /* send queue; see tcp_excess() */
	TCP_RECV_BYTES = 256 << 10,    /* receive queue, in-order and not, together: the window to begin with, */
	TCP_RECV_BYTES_MAX = 4 << 20,  /* and what it grows to where the round trip needs it */
};

struct tcp_sack_block {
	struct seq start, end;
};

/* A segment, parsed or to be written. Host byte order; the window is as on the wire (not scaled). */
struct tcp_seg {
	struct seq seq, ack;
	uint8_t flags;
	uint16_t window;
	uint16_t urgent;
	uint16_t mss;                  /* 0: no option */
	uint8_t wscale;                /* TCP_WSCALE_NONE: no option */
	bool sack_permitted;
	uint8_t sack_count;
	struct tcp_sack_block sack[TCP_SACK_BLOCKS];
	bool has_timestamps;
	uint32_t ts_val, ts_ecr;       /* RFC 7323 3.2 */
	bool ce;                       /* of the IP header, which the caller has read: congestion was met (RFC 3168) */
	/* Payload; to send, it may lie in two pieces (the send queue is a ring). */
	const uint8_t *data, *data2;
	uint32_t len, len2;
};

/* Parses a TCP header with options and what follows. -EINVAL if it is not a segment (short, bad offset). Unknown and
 * ill-formed options are skipped as RFC 9293 3.1 asks. Checksums are the caller's. */
int tcp_seg_parse(struct tcp_seg *seg, const uint8_t *bytes, size_t len) __attribute__((warn_unused_result, nonnull));

/* Writes header and options (not ports, not checksum, not payload) and returns their length, a multiple of 4. */
size_t tcp_seg_write(const struct tcp_seg *seg, uint8_t header[TCP_HEADER_MAX]) __attribute__((nonnull));

struct tcp_conn;

/* Memory that many connections share. One that finds nothing left drops what it cannot keep (the endpoint sends it
 * again), and refuses to queue. */
struct tcp_budget {
	size_t used_bytes, max_bytes;
};

enum tcp_cc {
	TCP_CC_CUBIC,                  /* RFC 9438 */
	TCP_CC_NEWRENO,                /* RFC 5681 */
};

/* What the handshake, which passed through between the real endpoints, has settled for this half. */
struct tcp_adoption {
	struct seq snd_nxt;            /* first sequence number that we send: ISN of the far endpoint + 1 */
	struct seq rcv_nxt;            /* first that we expect: ISN of the near endpoint + 1 */
	uint32_t snd_wnd;              /* its window, already scaled */
	uint16_t mss;                  /* what its SYN announced: the largest payload, with options (RFC 9293 3.7.1) */
	uint8_t snd_wscale;            /* shift for windows that it sends; 0 if window scaling was not agreed */
	uint8_t rcv_wscale;            /* shift for windows that we send: what the far endpoint's SYN announced */
	bool sack;                     /* agreed by both */
	bool timestamps;               /* agreed by both */
	uint32_t ts_recent;            /* TSval that the near endpoint sent last */
	uint32_t ts_val;               /* TSval that the far endpoint sent last: ours go on from there, a tick a millisecond */
	bool ecn;                      /* agreed by both: marks are echoed; we send nothing that could be marked */
	uint64_t rtt_us;               /* of the handshake, 0 if unknown */
	enum tcp_cc cc;
	struct tcp_budget *budget;     /* NULL: none; outlives the connection */
};

/* NULL if out of memory. A connection costs little until bytes are queued. */
struct tcp_conn *tcp_new(const struct tcp_adoption *adoption, uint64_t now) __attribute__((warn_unused_result, nonnull));
void tcp_free(struct tcp_conn *conn);

enum tcp_event {
	TCP_EV_READABLE = 1,           /* tcp_peek() has more */
	TCP_EV_WRITABLE = 2,           /* bytes were acknowledged: tcp_write_room() grew */
	TCP_EV_FIN = 4,                /* the endpoint's FIN was reached, in order: no more will be readable after what is */
	TCP_EV_RESET = 8,              /* a valid RST */
	TCP_EV_FINISHED = 16,          /* both directions are over and acknowledged, or tcp_reset() was sent, or it gave up */
	TCP_EV_OVERLAP = 32,           /* bytes came again with different content; the first ones were kept */
	TCP_EV_KEEPALIVE = 128,        /* the endpoint asks whether the other end is alive: tcp_answer() is owed */
	TCP_EV_ALIVE = 256,            /* the endpoint has spoken since tcp_keepalive() */
	TCP_EV_UNANSWERED = 512,       /* retransmissions were not answered, twice or more: is this still the way to it? */
	TCP_EV_TIMED_OUT = 64,         /* the endpoint did not answer retransmissions: as good as TCP_EV_RESET */
};

/* Returns a set of enum tcp_event. */
unsigned tcp_input(struct tcp_conn *conn, uint64_t now, const struct tcp_seg *seg)
	__attribute__((warn_unused_result, nonnull));

/* Whether the numbers of a segment, not yet fed, are those of the endpoint: in the window, or repeated from before it. */
bool tcp_believes(const struct tcp_conn *conn, uint64_t now, const struct tcp_seg *seg)
	__attribute__((warn_unused_result, nonnull));

/* True and *seg filled: send it and call again. Payload pointers are valid until the next call of any function on conn.
 * Ports and addresses are the caller's. *events (a set) is added to when a timer ended the connection. */
bool tcp_output(struct tcp_conn *conn, uint64_t now, struct tcp_seg *seg, unsigned *events)
	__attribute__((warn_unused_result, nonnull));

/* When tcp_output() must be called again at the latest; UINT64_MAX: only after something else has happened. */
uint64_t tcp_next(const struct tcp_conn *conn) __attribute__((nonnull));

/* Contiguous readable bytes (0: none; there may be more after consuming these), and taking them. */
size_t tcp_peek(const struct tcp_conn *conn, const uint8_t **bytes) __attribute__((nonnull));
void tcp_consume(struct tcp_conn *conn, size_t n) __attribute__((nonnull));

/* Queues bytes: all of them, or -ENOSPC (more than tcp_write_room()), -ENOMEM, -EPIPE (after shutdown or reset). */
int tcp_write(struct tcp_conn *conn, const void *bytes, size_t n) __attribute__((warn_unused_result, nonnull));
size_t tcp_write_room(const struct tcp_conn *conn) __attribute__((nonnull));
size_t tcp_unacked(const struct tcp_conn *conn) __attribute__((nonnull));  /* bytes queued and not yet acknowledged */

/* Of these, the bytes that the path could not take soon: more than twice its congestion window, or half of
 * TCP_SEND_BYTES; all of them while memory is short. Who queues at most half of TCP_SEND_BYTES more finds room. */
size_t tcp_excess(const struct tcp_conn *conn) __attribute__((nonnull));

void tcp_shutdown(struct tcp_conn *conn) __attribute__((nonnull));         /* FIN after what is queued */

/* RST: after what is queued has been acknowledged (but `linger_us` at the most), or at once with linger_us 0. */
void tcp_reset(struct tcp_conn *conn, uint64_t now, uint64_t linger_us) __attribute__((nonnull));

/* The path takes no segment of more than `mss` bytes of payload and options, says an ICMP message that quotes a segment
 * of ours with this sequence number. False if it is not to be believed (nothing of the kind is in flight: RFC 5927) or
 * nothing new. */
bool tcp_path_mss(struct tcp_conn *conn, struct seq quoted, uint16_t mss) __attribute__((nonnull));

/* Segments reach the endpoint another way from now on: what is in flight is not waited for as long as on the old one. */
void tcp_path_changed(struct tcp_conn *conn, uint64_t now) __attribute__((nonnull));

/* Asks the endpoint whether it is alive, on behalf of the other one: TCP_EV_ALIVE follows, or nothing, if it is dead.
 * False: there is nobody to ask any more. */
bool tcp_keepalive(struct tcp_conn *conn) __attribute__((warn_unused_result, nonnull));

/* Answers the endpoint's keepalive, if there was one. */
void tcp_answer(struct tcp_conn *conn) __attribute__((nonnull));

/* For counters and `show`. */
struct tcp_stats {
	uint64_t segs_in, segs_out, retransmits, fast_retransmits, timeouts, dup_acks, out_of_order, out_of_window,
		overlaps, challenge_acks, window_probes, tail_probes, urgent, unkept, malformed, outdated, keepalives, undone;
	uint32_t srtt_us, rto_us, cwnd, snd_wnd, rcv_wnd;
	size_t memory_bytes;
};
void tcp_stats(const struct tcp_conn *conn, struct tcp_stats *stats) __attribute__((nonnull));
const char *tcp_state_name(const struct tcp_conn *conn);

#endif
