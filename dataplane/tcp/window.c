/* The window that we advertise: it follows the reader, moves in steps worth a segment, and is never taken back. */
#include "conn.h"

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* How far the queue, and the 16 bits on the wire, would let it be. */
static struct seq possible_edge(const struct tcp_conn *conn)
{
	const struct reass *queue = &conn->rcv.queue;
	struct seq by_queue = seq_add(queue->read, conn->rcv.space);
	return seq_min(by_queue, seq_add(queue->next, (uint32_t)UINT16_MAX << conn->rcv.wscale));
}

static uint32_t possible_gain(const struct tcp_conn *conn)
{
	struct seq edge = possible_edge(conn);
	return seq_lt(conn->rcv.edge, edge) ? seq_diff(edge, conn->rcv.edge) : 0;
}

struct seq window_first_edge(const struct tcp_conn *conn)
{
	return possible_edge(conn);
}

uint32_t window_receive(const struct tcp_conn *conn)
{
	struct seq nxt = conn_rcv_nxt(conn);
	return seq_lt(nxt, conn->rcv.edge) ? seq_diff(conn->rcv.edge, nxt) : 0;
}

/* The largest window that can be advertised. */
static uint32_t whole(const struct tcp_conn *conn)
{
	return least(conn->rcv.space, (uint32_t)UINT16_MAX << conn->rcv.wscale);
}

uint16_t window_on_wire(const struct tcp_conn *conn)
{
	return (uint16_t)least(window_receive(conn) >> conn->rcv.wscale, UINT16_MAX);
}

/* A window that is read empty within two round trips was what the endpoint waited for. While memory is short no window
 * grows: slow readers must not take it from others. */
void window_grow(struct tcp_conn *conn, uint64_t now)
{
	struct receiver *rcv = &conn->rcv;
	if (seq_lt(rcv->queue.read, rcv->round))
		return;
	bool is_fast = rcv->round_at && now - rcv->round_at <= 2ull * conn->rtt.srtt_us;
	if (is_fast && rcv->space < TCP_RECV_BYTES_MAX && !memory_is_short(&conn->memory))
		rcv->space *= 2;
	rcv->round = seq_add(rcv->queue.read, rcv->space);
	rcv->round_at = now;
}

/* RFC 9293 3.8.6.2.2. On the wire the window is rounded down, so the endpoint may see less than a unit of the scale
 * retracted; what it was promised is taken all the same, as RFC 7323 2.4 demands. */
uint16_t window_advertise(struct tcp_conn *conn)
{
	struct receiver *rcv = &conn->rcv;
	uint32_t gain = possible_gain(conn);
	if (gain >= least(whole(conn) / 4, rcv->mss))
		rcv->edge = seq_add(rcv->edge, gain);
	return window_on_wire(conn);
}

/* An ACK by itself is worth it when the endpoint had to stop, or will have to soon. */
bool window_update_due(const struct tcp_conn *conn)
{
	const struct receiver *rcv = &conn->rcv;
	if (conn_fin_taken(conn))
		return false;
	uint32_t gain = possible_gain(conn), enough = least(whole(conn) / 2, 2 * rcv->mss);
	return gain >= whole(conn) / 4 || (gain >= enough && window_receive(conn) < enough);
}
