/* The deadlines of a connection; see timer.h. */
#include "conn.h"

void timers_init(struct tcp_conn *conn)
{
	for (unsigned i = 0; i < TIMERS; i++)
		conn->timer[i] = TIMER_OFF;
}

uint64_t tcp_next(const struct tcp_conn *conn)
{
	uint64_t next = conn->rcv.ack == ACK_NOW || conn->stray || conn->keepalive.asking == KEEPALIVE_DUE ? 0 : TIMER_OFF;
	for (unsigned i = 0; i < TIMERS; i++)
		if (conn->timer[i] < next)
			next = conn->timer[i];
	return next;
}

/* --- what happened --- */

/* The endpoint closed its window over bytes that are in flight: the oldest of them serve as window probes. */
static bool window_is_shut(const struct tcp_conn *conn)
{
	return conn->snd.wnd == 0;
}

static void arm_retransmission(struct tcp_conn *conn, uint64_t now)
{
	conn->timer[TIMER_RETRANSMIT] = now + rtt_timeout_us(&conn->rtt);
}

static void arm_tail_probe(struct tcp_conn *conn, uint64_t now)
{
	uint64_t after = rack_probe_after_us(conn);
	bool useful = after && now + after < conn->timer[TIMER_RETRANSMIT];
	conn->timer[TIMER_TAIL_PROBE] = useful ? now + after : TIMER_OFF;
}

void timer_on_sent(struct tcp_conn *conn, uint64_t now)
{
	conn->timer[TIMER_PERSIST] = TIMER_OFF;
	if (conn->timer[TIMER_RETRANSMIT] == TIMER_OFF)
		arm_retransmission(conn, now);
	arm_tail_probe(conn, now);
}

/* RFC 6298 5.2 and 5.3. */
void timer_on_acked(struct tcp_conn *conn, uint64_t now)
{
	conn->timer[TIMER_TAIL_PROBE] = conn->timer[TIMER_RETRANSMIT] = TIMER_OFF;
	if (!conn->snd.sent.count)
		return;
	arm_retransmission(conn, now);
	arm_tail_probe(conn, now);
}

/* The back-off was that of probes to a closed window, and says nothing of the path. */
void timer_on_window_opened(struct tcp_conn *conn, uint64_t now)
{
	conn->rtt.backoff = 0;
	timer_on_acked(conn, now);
}

/* That the endpoint was silent on another path says nothing of this one. */
void tcp_path_changed(struct tcp_conn *conn, uint64_t now)
{
	if (conn->state == CLOSED)
		return;
	conn->rtt.backoff = 0;
	timer_on_acked(conn, now);
}

/* RFC 8985 7.3: behind the probe stands the retransmission timer. */
void timer_on_tail_probe(struct tcp_conn *conn, uint64_t now)
{
	conn->timer[TIMER_TAIL_PROBE] = TIMER_OFF;
	arm_retransmission(conn, now);
}

void timer_on_blocked(struct tcp_conn *conn, uint64_t now)
{
	if (conn->timer[TIMER_PERSIST] == TIMER_OFF && !conn->snd.sent.count)
		conn->timer[TIMER_PERSIST] = now + rtt_timeout_us(&conn->rtt);
}

void timer_on_reordering(struct tcp_conn *conn, uint64_t at)
{
	conn->timer[TIMER_REORDER] = at;
}

void timer_on_ack_wanted(struct tcp_conn *conn, uint64_t now)
{
	if (conn->timer[TIMER_DELAYED_ACK] == TIMER_OFF)
		conn->timer[TIMER_DELAYED_ACK] = now + DELAYED_ACK_US;
}

void timer_on_ack_sent(struct tcp_conn *conn)
{
	conn->timer[TIMER_DELAYED_ACK] = TIMER_OFF;
}

void timer_on_time_wait(struct tcp_conn *conn, uint64_t now)
{
	timers_init(conn);
	conn->timer[TIMER_TIME_WAIT] = now + TIME_WAIT_US;
}

void timer_on_linger(struct tcp_conn *conn, uint64_t at)
{
	conn->timer[TIMER_LINGER] = at;
}

/* --- what is due --- */

static bool gives_up(const struct tcp_conn *conn, uint64_t now)
{
	const struct sender *snd = &conn->snd;
	bool long_ago = snd->unanswered && now - snd->unanswered >= GIVE_UP_US;
	return snd->timeouts >= (long_ago ? RETRANSMITS_MIN : RETRANSMITS_MAX);
}

static unsigned retransmit(struct tcp_conn *conn, uint64_t now)
{
	struct sender *snd = &conn->snd;
	if (gives_up(conn, now))
		return conn_give_up(conn, now);
	if (!snd->unanswered)
		snd->unanswered = now;
	snd->timeouts++;
	rtt_back_off(&conn->rtt);
	if (window_is_shut(conn)) {
		sent_set_state(&snd->sent, sent_entry(&snd->sent, 0), SENT_LOST);
	} else {
		conn->stats.timeouts++;
		recovery_on_timeout(conn, now);
	}
	arm_retransmission(conn, now);
	return snd->timeouts >= UNANSWERED_TIMEOUTS ? TCP_EV_UNANSWERED : 0;
}

static unsigned probe_tail(struct tcp_conn *conn, uint64_t now)
{
	(void)now;
	conn->snd.tail_probe_due = true;
	return 0;
}

static unsigned reorder(struct tcp_conn *conn, uint64_t now)
{
	recovery_on_reorder_timer(conn, now);
	return 0;
}

static unsigned persist(struct tcp_conn *conn, uint64_t now)
{
	(void)now;
	conn->snd.probe_due = true;
	return 0;
}

static unsigned acknowledge(struct tcp_conn *conn, uint64_t now)
{
	(void)now;
	conn->rcv.ack = ACK_NOW;
	return 0;
}

static unsigned end_time_wait(struct tcp_conn *conn, uint64_t now)
{
	return conn_step(conn, now, STEP_EXPIRE);
}

static unsigned end_linger(struct tcp_conn *conn, uint64_t now)
{
	(void)now;
	conn->wish = WISH_RESET;
	return 0;
}

static unsigned (*const due[TIMERS])(struct tcp_conn *conn, uint64_t now) = {
	[TIMER_RETRANSMIT] = retransmit,
	[TIMER_TAIL_PROBE] = probe_tail,
	[TIMER_REORDER] = reorder,
	[TIMER_PERSIST] = persist,
	[TIMER_DELAYED_ACK] = acknowledge,
	[TIMER_TIME_WAIT] = end_time_wait,
	[TIMER_LINGER] = end_linger,
};

void timers_run(struct tcp_conn *conn, uint64_t now, unsigned *events)
{
	for (unsigned i = 0; i < TIMERS; i++) {
		if (conn->timer[i] > now)
			continue;
		conn->timer[i] = TIMER_OFF;
		*events |= due[i](conn, now);
	}
}
