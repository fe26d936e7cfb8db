/* Keepalives; see keepalive.h. */
#include "conn.h"

/* An octet that came before comes again as it was: then an acknowledgement of ours was lost, and is missed. */
static bool repeats_last(const struct receiver *rcv, const struct tcp_seg *seg)
{
	return rcv->has_last && rcv->fin_state != FIN_TAKEN && seg->len == 1 && seg->data[0] == rcv->last;
}

/* Into a window that is closed, or too small for a segment, the same is sent as a window probe: that one asks for us. */
static bool may_probe_window(const struct tcp_conn *conn)
{
	return window_receive(conn) < conn->rcv.mss;
}

static bool is_keepalive(const struct tcp_conn *conn, const struct tcp_seg *seg)
{
	struct seq before = {conn_rcv_nxt(conn).v - 1};
	unsigned others = TCP_SYN | TCP_FIN | TCP_RST;
	return seq_eq(seg->seq, before) && seg->len <= 1 && (seg->flags & (others | TCP_ACK)) == TCP_ACK &&
		conn->state != TIME_WAIT && !repeats_last(&conn->rcv, seg) && !may_probe_window(conn);
}

unsigned keepalive_take(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	if (!is_keepalive(conn, seg))
		return 0;
	conn->stats.keepalives++;
	conn->keepalive.asked = true;
	return TCP_EV_KEEPALIVE | keepalive_heard(conn);
}

unsigned keepalive_heard(struct tcp_conn *conn)
{
	if (conn->keepalive.asking == KEEPALIVE_NONE)
		return 0;
	conn->keepalive.asking = KEEPALIVE_NONE;
	return TCP_EV_ALIVE;
}

bool keepalive_send(struct tcp_conn *conn, uint64_t now, struct tcp_seg *seg)
{
	if (conn->keepalive.asking != KEEPALIVE_DUE)
		return false;
	conn->keepalive.asking = KEEPALIVE_ASKED;
	*seg = (struct tcp_seg){.seq = {conn->snd.nxt.v - 1}, .ack = conn_rcv_nxt(conn), .flags = TCP_ACK,
		.wscale = TCP_WSCALE_NONE, .window = window_on_wire(conn)};
	timestamps_fill(&conn->timestamps, now, seg);
	return true;
}

/* What is in flight asks by itself. */
bool tcp_keepalive(struct tcp_conn *conn)
{
	if (conn->state == CLOSED || conn->state == TIME_WAIT || conn->wish >= WISH_RESET_AFTER_DATA)
		return false;
	conn->keepalive.asking = conn->snd.sent.count ? KEEPALIVE_ASKED : KEEPALIVE_DUE;
	return true;
}

void tcp_answer(struct tcp_conn *conn)
{
	if (!conn->keepalive.asked || conn->state == CLOSED)
		return;
	conn->keepalive.asked = false;
	conn->rcv.ack = ACK_NOW;
}
