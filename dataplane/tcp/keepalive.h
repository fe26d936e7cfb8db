/*
 * Keepalives, RFC 9293 3.8.4. The two ends of a split connection ask each other, not us, whether they are alive: one that
 * asks is answered when the other has answered.
 */
#ifndef TCP_KEEPALIVE_H
#define TCP_KEEPALIVE_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_conn;
struct tcp_seg;

struct keepalive {
	enum { KEEPALIVE_NONE, KEEPALIVE_DUE, KEEPALIVE_ASKED } asking;   /* the endpoint, for the other one */
	bool asked;                    /* by the endpoint, and not answered yet */
};

/* Takes a keepalive: TCP_EV_KEEPALIVE; 0: it is not one, and not dealt with. */
unsigned keepalive_take(struct tcp_conn *conn, const struct tcp_seg *seg) __attribute__((nonnull));

/* A good segment came: TCP_EV_ALIVE if that was asked for. */
unsigned keepalive_heard(struct tcp_conn *conn) __attribute__((nonnull));

/* One is to be sent: fills it. It settles nothing else: what lies outside the window is not read by who receives it. */
bool keepalive_send(struct tcp_conn *conn, uint64_t now, struct tcp_seg *seg) __attribute__((nonnull));

#endif
