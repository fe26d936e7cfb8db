/* The life of a connection: made at adoption, moved by one table, ended by both FINs, a reset or silence. */
#include <errno.h>
#include <stdlib.h>

#include "conn.h"

static const struct {
	const char *name;
	bool fin_sent, fin_taken;
} states[TCP_STATES] = {
	[ESTABLISHED] = {"established", false, false},
	[FIN_WAIT_1] = {"fin-wait-1", true, false},
	[FIN_WAIT_2] = {"fin-wait-2", true, false},
	[CLOSING] = {"closing", true, true},
	[TIME_WAIT] = {"time-wait", true, true},
	[CLOSE_WAIT] = {"close-wait", false, true},
	[LAST_ACK] = {"last-ack", true, true},
	[CLOSED] = {"closed", true, true},
};

/* RFC 9293 3.3.2. What is not in the table changes nothing; ESTABLISHED, which is 0, is never entered. */
static const uint8_t table[TCP_STATES][TCP_STEPS] = {
	[ESTABLISHED] = {[STEP_FIN_SENT] = FIN_WAIT_1, [STEP_FIN_TAKEN] = CLOSE_WAIT, [STEP_ABORT] = CLOSED},
	[FIN_WAIT_1] = {[STEP_FIN_ACKED] = FIN_WAIT_2, [STEP_FIN_TAKEN] = CLOSING, [STEP_ABORT] = CLOSED},
	[FIN_WAIT_2] = {[STEP_FIN_TAKEN] = TIME_WAIT, [STEP_ABORT] = CLOSED},
	[CLOSING] = {[STEP_FIN_ACKED] = TIME_WAIT, [STEP_ABORT] = CLOSED},
	[TIME_WAIT] = {[STEP_EXPIRE] = CLOSED, [STEP_ABORT] = CLOSED},
	[CLOSE_WAIT] = {[STEP_FIN_SENT] = LAST_ACK, [STEP_ABORT] = CLOSED},
	[LAST_ACK] = {[STEP_FIN_ACKED] = CLOSED, [STEP_ABORT] = CLOSED},
};

static void forget_what_was_sent(struct tcp_conn *conn)
{
	struct sender *snd = &conn->snd;
	sent_fini(&snd->sent);
	sent_init(&snd->sent, &conn->memory);
	ring_fini(&snd->queue);
}

static unsigned entered(struct tcp_conn *conn, uint64_t now)
{
	if (conn->state == TIME_WAIT || conn->state == CLOSED)
		conn->keepalive = (struct keepalive){0}; /* neither end has anything more to ask */
	if (conn->state == TIME_WAIT) {
		timer_on_time_wait(conn, now);
		return TCP_EV_FINISHED;
	}
	if (conn->state != CLOSED)
		return 0;
	timers_init(conn);
	forget_what_was_sent(conn);
	conn->rcv.ack = ACK_NONE;
	conn->rcv.duplicates = 0;
	return TCP_EV_FINISHED;
}

unsigned conn_step(struct tcp_conn *conn, uint64_t now, enum tcp_step step)
{
	uint8_t next = table[conn->state][step];
	if (!next)
		return 0;
	bool was_over = conn->state == TIME_WAIT;
	conn->state = next;
	unsigned events = entered(conn, now);
	return was_over ? 0 : events;
}

unsigned conn_give_up(struct tcp_conn *conn, uint64_t now)
{
	return conn_step(conn, now, STEP_ABORT) | TCP_EV_TIMED_OUT;
}

bool conn_fin_sent(const struct tcp_conn *conn) { return states[conn->state].fin_sent; }
bool conn_fin_taken(const struct tcp_conn *conn) { return states[conn->state].fin_taken; }
const char *tcp_state_name(const struct tcp_conn *conn) { return states[conn->state].name; }

struct seq conn_rcv_nxt(const struct tcp_conn *conn)
{
	return seq_add(conn->rcv.queue.next, conn->rcv.fin_state == FIN_TAKEN);
}

struct seq conn_data_end(const struct tcp_conn *conn)
{
	return seq_add(conn->snd.queue_seq, conn->snd.queue.len);
}

/* --- made and freed --- */

/* Of a segment that the endpoint, or the path, takes: what options leave for payload. */
static uint16_t payload_max(const struct tcp_conn *conn, uint16_t mss)
{
	unsigned options = timestamps_size(&conn->timestamps);
	return (uint16_t)(mss < MSS_MIN + options ? MSS_MIN : mss - options);
}

static void init_sender(struct tcp_conn *conn, const struct tcp_adoption *adoption)
{
	struct sender *snd = &conn->snd;
	*snd = (struct sender){.una = adoption->snd_nxt, .nxt = adoption->snd_nxt, .queue_seq = adoption->snd_nxt,
		.wnd = adoption->snd_wnd, .wnd_max = adoption->snd_wnd, .wl1 = adoption->rcv_nxt, .wl2 = adoption->snd_nxt,
		.mss = payload_max(conn, adoption->mss ? adoption->mss : MSS_DEFAULT),
		.wscale = adoption->snd_wscale > 14 ? 14 : adoption->snd_wscale};
	ring_init(&snd->queue, &conn->memory, TCP_SEND_BYTES);
	sent_init(&snd->sent, &conn->memory);
}

static void init_receiver(struct tcp_conn *conn, const struct tcp_adoption *adoption)
{
	conn->rcv = (struct receiver){.mss = MSS_DEFAULT, .space = TCP_RECV_BYTES, .round = adoption->rcv_nxt,
		.wscale = adoption->rcv_wscale > 14 ? 14 : adoption->rcv_wscale};
	reass_init(&conn->rcv.queue, &conn->memory, adoption->rcv_nxt);
	conn->rcv.edge = window_first_edge(conn);
}

struct tcp_conn *tcp_new(const struct tcp_adoption *adoption, uint64_t now)
{
	struct memory memory = {.budget = adoption->budget};
	struct tcp_conn *conn = memory_get(&memory, sizeof(*conn));
	if (!conn)
		return NULL;
	*conn = (struct tcp_conn){.state = ESTABLISHED, .sack = adoption->sack, .ecn = adoption->ecn,
		.memory = memory};
	timers_init(conn);
	rtt_init(&conn->rtt);
	if (adoption->rtt_us)
		rtt_sample(&conn->rtt, adoption->rtt_us);
	timestamps_init(&conn->timestamps, adoption, now);
	init_sender(conn, adoption);
	init_receiver(conn, adoption);
	cc_init(&conn->cc, adoption->cc, conn->snd.mss);
	conn->snd.last = now;
	conn->recovery.until = conn->recovery.rack.forward = adoption->snd_nxt;
	return conn;
}

void tcp_free(struct tcp_conn *conn)
{
	if (!conn)
		return;
	forget_what_was_sent(conn);
	reass_fini(&conn->rcv.queue);
	struct memory memory = conn->memory;
	memory_put(&memory, conn, sizeof(*conn));
}

/* --- the user's side --- */

size_t tcp_peek(const struct tcp_conn *conn, const uint8_t **bytes)
{
	return reass_peek(&conn->rcv.queue, bytes);
}

void tcp_consume(struct tcp_conn *conn, size_t n)
{
	struct reass *queue = &conn->rcv.queue;
	if (n > seq_diff(queue->next, queue->read))
		abort();
	reass_consume(queue, (uint32_t)n);
}

int tcp_write(struct tcp_conn *conn, const void *bytes, size_t n)
{
	struct ring *queue = &conn->snd.queue;
	if (conn->wish != WISH_SEND || conn_fin_sent(conn))
		return -EPIPE;
	if (n > tcp_write_room(conn))
		return -ENOSPC;
	int rc = ring_reserve(queue, queue->len + (uint32_t)n);
	if (rc)
		return rc;
	ring_write(queue, queue->len, bytes, (uint32_t)n);
	return 0;
}

size_t tcp_write_room(const struct tcp_conn *conn)
{
	return TCP_SEND_BYTES - conn->snd.queue.len;
}

size_t tcp_unacked(const struct tcp_conn *conn)
{
	return conn->snd.queue.len;
}

size_t tcp_excess(const struct tcp_conn *conn)
{
	size_t queued = conn->snd.queue.len, useful = 2 * (size_t)conn->cc.cwnd;
	if (useful > TCP_SEND_BYTES / 2)
		useful = TCP_SEND_BYTES / 2;
	if (memory_is_short(&conn->memory))
		useful = 0;
	return queued > useful ? queued - useful : 0;
}

void tcp_shutdown(struct tcp_conn *conn)
{
	if (conn->wish == WISH_SEND)
		conn->wish = WISH_END;
}

/* Where both FINs are acknowledged there is nobody left to tell. */
void tcp_reset(struct tcp_conn *conn, uint64_t now, uint64_t linger_us)
{
	if (conn->state == CLOSED || conn->state == TIME_WAIT)
		return;
	conn->wish = linger_us ? WISH_RESET_AFTER_DATA : WISH_RESET;
	if (linger_us)
		timer_on_linger(conn, now + linger_us);
}

/* RFC 1191 6.3: what was too big is sent again in pieces; that is no sign of congestion. */
bool tcp_path_mss(struct tcp_conn *conn, struct seq quoted, uint16_t mss)
{
	struct sender *snd = &conn->snd;
	uint16_t least = payload_max(conn, mss);
	if (least >= snd->mss || !seq_in(quoted, snd->una, seq_diff(snd->nxt, snd->una)))
		return false;
	snd->mss = least;
	cc_set_mss(&conn->cc, least);
	for (uint32_t i = 0; i < snd->sent.count; i++) {
		struct sent *sent = sent_entry(&snd->sent, i);
		if (sent->state == SENT_IN_FLIGHT && sent_size(sent) > least)
			sent_set_state(&snd->sent, sent, SENT_LOST);
	}
	return true;
}

void tcp_stats(const struct tcp_conn *conn, struct tcp_stats *stats)
{
	*stats = conn->stats;
	stats->srtt_us = conn->rtt.srtt_us;
	stats->rto_us = rtt_timeout_us(&conn->rtt);
	stats->cwnd = conn->cc.cwnd;
	stats->snd_wnd = conn->snd.wnd;
	stats->rcv_wnd = window_receive(conn);
	stats->memory_bytes = conn->memory.used;
}
