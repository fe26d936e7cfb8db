/* What a connection may take, in counts and in time. The sizes of its queues are in tcp.h. */
#ifndef TCP_LIMITS_H
#define TCP_LIMITS_H

enum {
	RUNS_MAX = 256,                /* holes in the receive queue */
	SENT_MAX = 4096,               /* segments in flight; as many again may come of splitting them for a smaller MSS */
	MSS_MIN = 48,                  /* less is taken for an attack on our header overhead */
	MSS_SEEN_MAX = 8960,           /* more are frames merged on their way here, and no measure for ACKs and windows */
	MSS_DEFAULT = 536,             /* RFC 9293 3.7.1 */
	CHALLENGES_PER_SECOND = 10,    /* RFC 5961 section 7 */
	RETRANSMITS_MAX = 15,          /* R2 of RFC 9293 3.8.3: so many without an answer */
	RETRANSMITS_MIN = 8,           /* or so many and GIVE_UP_US */
	UNANSWERED_TIMEOUTS = 2,       /* in a row, and it is said: the way to the endpoint may have changed */
};

enum {
	SECOND_US = 1000000,
	GIVE_UP_US = 300 * SECOND_US,
	RTO_MIN_US = 200000,
	RTO_INITIAL_US = 1 * SECOND_US, /* RFC 6298 2.1 */
	RTO_MAX_US = 60 * SECOND_US,    /* RFC 6298 2.4 */
	DELAYED_ACK_US = 40000,
	PEER_DELAYED_ACK_US = 200000,   /* WCDelAckT of RFC 8985 7.2: what we allow the endpoint */
	TIME_WAIT_US = 1 * SECOND_US,
};

#endif
