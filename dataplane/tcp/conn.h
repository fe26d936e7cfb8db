/* A connection's insides, for the files of this folder only. */
#ifndef TCP_CONN_H
#define TCP_CONN_H

#include "keepalive.h"
#include "limits.h"
#include "reass.h"
#include "recovery.h"
#include "rtt.h"
#include "sent.h"
#include "timer.h"
#include "timestamps.h"

/* RFC 9293 3.3.2, from ESTABLISHED on: the handshake passed through. */
enum tcp_state {
	ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, CLOSING, TIME_WAIT, CLOSE_WAIT, LAST_ACK, CLOSED,
	TCP_STATES,
};

enum tcp_step {
	STEP_FIN_SENT, STEP_FIN_ACKED, STEP_FIN_TAKEN, STEP_ABORT, STEP_EXPIRE,
	TCP_STEPS,
};

/* How far the user has gone. */
enum wish {
	WISH_SEND, WISH_END, WISH_RESET_AFTER_DATA, WISH_RESET,
};

enum ack_due {
	ACK_NONE, ACK_DELAYED, ACK_NOW,
};

struct sender {
	struct seq una, nxt;
	uint32_t wnd, wnd_max;
	struct seq wl1, wl2;           /* segment of the last window update: RFC 9293 3.3.1 */
	struct ring queue;             /* byte 0 is that of queue_seq */
	struct seq queue_seq;          /* una, until FIN is acknowledged */
	struct sent_list sent;
	uint64_t last;                 /* when data was last sent */
	uint64_t unanswered;           /* the first timeout since the endpoint was heard; 0: none */
	uint16_t mss;
	uint8_t wscale, timeouts;
	bool cwnd_full;                /* output stopped last because of the congestion window */
	bool probe_due;                /* the window's will may be ignored for one octet */
	bool tail_probe_due;
};

struct receiver {
	struct reass queue;
	uint32_t space;                /* what the queue may hold */
	struct seq round;              /* when this has been read, */
	uint64_t round_at;             /* since then, it is known how fast the window is used up */
	struct seq edge;               /* right edge of the window: the farthest that was ever advertised */
	struct seq fin;                /* where it is, if noted */
	enum { FIN_UNKNOWN, FIN_NOTED, FIN_TAKEN } fin_state;
	uint32_t unacked;              /* bytes since the last ACK */
	uint16_t mss;                  /* the largest payload seen */
	uint8_t wscale;
	uint8_t last;                  /* octet before the next, if there was one */
	bool has_last;
	uint8_t duplicates;            /* duplicate ACKs owed: one for each segment that came early */
	enum ack_due ack;
	struct tcp_sack_block again;   /* for D-SACK; empty if start = end */
	bool echoes_ce;                /* congestion was met on the way to us, and the endpoint has not yet answered */
};

struct tcp_conn {
	enum tcp_state state;
	enum wish wish;
	bool sack, ecn;
	bool stray;                    /* closed: the next thing to send is RST at stray_seq */
	struct seq stray_seq;
	struct sender snd;
	struct receiver rcv;
	struct rtt rtt;
	struct timestamps timestamps;
	struct keepalive keepalive;
	struct cc cc;
	struct recovery recovery;
	uint64_t timer[TIMERS];
	uint64_t challenge_second;     /* when the present second of challenge ACKs began */
	unsigned challenges;           /* in it */
	struct memory memory;
	struct tcp_stats stats;
};

/* conn.c: the only writer of the state. Returns the events that follow. */
unsigned conn_step(struct tcp_conn *conn, uint64_t now, enum tcp_step step) __attribute__((nonnull));
unsigned conn_give_up(struct tcp_conn *conn, uint64_t now) __attribute__((nonnull)); /* nobody answers */
bool conn_fin_sent(const struct tcp_conn *conn) __attribute__((nonnull));
bool conn_fin_taken(const struct tcp_conn *conn) __attribute__((nonnull));
struct seq conn_rcv_nxt(const struct tcp_conn *conn) __attribute__((nonnull));
struct seq conn_data_end(const struct tcp_conn *conn) __attribute__((nonnull)); /* of what is queued to send */

/* window.c */
struct seq window_first_edge(const struct tcp_conn *conn) __attribute__((nonnull));
uint32_t window_receive(const struct tcp_conn *conn) __attribute__((nonnull));
uint16_t window_on_wire(const struct tcp_conn *conn) __attribute__((nonnull)); /* as advertised before */
uint16_t window_advertise(struct tcp_conn *conn) __attribute__((nonnull));
bool window_update_due(const struct tcp_conn *conn) __attribute__((nonnull));
void window_grow(struct tcp_conn *conn, uint64_t now) __attribute__((nonnull));      /* if that is what is slow */

/* ack.c: what a segment's acknowledgement, SACK blocks and window mean. It is in range. */
unsigned ack_take(struct tcp_conn *conn, uint64_t now, const struct tcp_seg *seg) __attribute__((nonnull));

#endif
