/* The deadlines of a connection: one for each cause. What it means for them that something happened is known only here. */
#ifndef TCP_TIMER_H
#define TCP_TIMER_H

#include <stdint.h>

struct tcp_conn;

#define TIMER_OFF UINT64_MAX

enum timer {
	TIMER_RETRANSMIT,              /* RFC 6298 */
	TIMER_TAIL_PROBE,              /* RFC 8985 section 7 */
	TIMER_REORDER,                 /* RFC 8985 section 6: a segment may be late, or lost */
	TIMER_PERSIST,                 /* bytes wait, nothing is in flight, and the window does not take them */
	TIMER_DELAYED_ACK,
	TIMER_TIME_WAIT,
	TIMER_LINGER,                  /* of tcp_reset() */
	TIMERS,
};

void timers_init(struct tcp_conn *conn) __attribute__((nonnull));
void timers_run(struct tcp_conn *conn, uint64_t now, unsigned *events) __attribute__((nonnull));

void timer_on_sent(struct tcp_conn *conn, uint64_t now) __attribute__((nonnull));
void timer_on_acked(struct tcp_conn *conn, uint64_t now) __attribute__((nonnull));
void timer_on_window_opened(struct tcp_conn *conn, uint64_t now) __attribute__((nonnull));
void timer_on_tail_probe(struct tcp_conn *conn, uint64_t now) __attribute__((nonnull));
void timer_on_blocked(struct tcp_conn *conn, uint64_t now) __attribute__((nonnull)); /* by the endpoint's window */
void timer_on_reordering(struct tcp_conn *conn, uint64_t at) __attribute__((nonnull));
void timer_on_ack_wanted(struct tcp_conn *conn, uint64_t now) __attribute__((nonnull));
void timer_on_ack_sent(struct tcp_conn *conn) __attribute__((nonnull));
void timer_on_time_wait(struct tcp_conn *conn, uint64_t now) __attribute__((nonnull));
void timer_on_linger(struct tcp_conn *conn, uint64_t at) __attribute__((nonnull));

#endif
