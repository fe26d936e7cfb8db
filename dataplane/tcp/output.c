/* The next segment to send. What may go first stands first in the table at the end. */
#include "conn.h"

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* RFC 2018 section 3: the option space has no place for four beside timestamps. */
static unsigned sack_blocks_max(const struct tcp_conn *conn)
{
	return conn->timestamps.agreed ? TCP_SACK_BLOCKS - 1 : TCP_SACK_BLOCKS;
}

static void fill_sack(struct tcp_conn *conn, struct tcp_seg *seg)
{
	struct tcp_sack_block *again = &conn->rcv.again;
	if (!conn->sack)
		return;
	if (!seq_eq(again->start, again->end))
		seg->sack[seg->sack_count++] = *again;
	seg->sack_count += (uint8_t)reass_sack_blocks(&conn->rcv.queue, seg->sack + seg->sack_count,
		sack_blocks_max(conn) - seg->sack_count);
	*again = (struct tcp_sack_block){0};
}

/* Every segment acknowledges what has come; so none is owed any more. */
static void fill_ack(struct tcp_conn *conn, uint64_t now, struct tcp_seg *seg, struct seq seq)
{
	struct receiver *rcv = &conn->rcv;
	*seg = (struct tcp_seg){.seq = seq, .ack = conn_rcv_nxt(conn), .flags = TCP_ACK, .wscale = TCP_WSCALE_NONE,
		.window = window_advertise(conn)};
	if (rcv->echoes_ce)
		seg->flags |= TCP_ECE;
	fill_sack(conn, seg);
	timestamps_fill(&conn->timestamps, now, seg);
	rcv->unacked = 0;
	rcv->ack = ACK_NONE;
	timer_on_ack_sent(conn);
}

/* --- reset --- */

static bool is_reset_due(const struct tcp_conn *conn)
{
	if (conn->state == TIME_WAIT || conn->state == CLOSED)
		return false;
	return conn->wish == WISH_RESET || (conn->wish == WISH_RESET_AFTER_DATA && !conn->snd.queue.len);
}

static void fill_reset(struct tcp_conn *conn, uint64_t now, struct tcp_seg *seg, struct seq seq)
{
	*seg = (struct tcp_seg){.seq = seq, .ack = conn_rcv_nxt(conn), .flags = TCP_RST | TCP_ACK,
		.wscale = TCP_WSCALE_NONE};
	timestamps_fill(&conn->timestamps, now, seg);
}

static bool send_reset(struct tcp_conn *conn, uint64_t now, struct tcp_seg *seg, unsigned *events)
{
	if (conn->state == CLOSED && conn->stray) {
		conn->stray = false;
		fill_reset(conn, now, seg, conn->stray_seq);
		return true;
	}
	if (!is_reset_due(conn))
		return false;
	fill_reset(conn, now, seg, conn->snd.nxt);
	*events |= conn_step(conn, now, STEP_ABORT);
	return true;
}

/* --- data --- */

static bool ends_stream(const struct tcp_conn *conn, struct seq end)
{
	return seq_lt(conn_data_end(conn), end);
}

/* RFC 9293 3.7.1: options count against what the endpoint, or the path, takes in a segment. */
static void leave_out_blocks(struct tcp_seg *seg, uint32_t room)
{
	enum { BLOCKS_BYTES = 4, BLOCK_BYTES = 8 };
	uint32_t fit = room < BLOCKS_BYTES ? 0 : (room - BLOCKS_BYTES) / BLOCK_BYTES;
	seg->sack_count = (uint8_t)least(seg->sack_count, fit);
}

/* The octets [seq, end), of which the last may be FIN. */
static void fill_data(struct tcp_conn *conn, uint64_t now, struct tcp_seg *seg, struct seq seq, struct seq end)
{
	struct sender *snd = &conn->snd;
	bool fin = ends_stream(conn, end);
	uint32_t offset = seq_diff(seq, snd->queue_seq), len = seq_diff(end, seq) - fin;
	fill_ack(conn, now, seg, seq);
	leave_out_blocks(seg, snd->mss - len);
	if (len && offset + len == snd->queue.len)
		seg->flags |= TCP_PSH;
	if (fin)
		seg->flags |= TCP_FIN;
	seg->len = ring_span(&snd->queue, offset, len, &seg->data);
	seg->len2 = ring_span(&snd->queue, offset + seg->len, len - seg->len, &seg->data2);
	snd->last = now;
	recovery_on_sent(conn, seq_diff(end, seq));
	timer_on_sent(conn, now);
}

static void send_again(struct tcp_conn *conn, uint64_t now, struct tcp_seg *seg, uint32_t i)
{
	struct sent *sent = sent_entry(&conn->snd.sent, i);
	struct seq start = sent->seq, end = sent->end;
	sent_again(&conn->snd.sent, sent, now);
	recovery_on_sent_again(conn, start);
	if (conn->snd.wnd)
		conn->stats.retransmits++;
	else
		conn->stats.window_probes++;
	fill_data(conn, now, seg, start, end);
}

static bool fits_window(const struct sender *snd, struct seq end)
{
	return seq_le(end, seq_add(snd->una, snd->wnd));
}

/* The oldest segment goes whatever the window says: RFC 9293 3.8.6. */
static bool send_lost(struct tcp_conn *conn, uint64_t now, struct tcp_seg *seg, unsigned *events)
{
	struct sender *snd = &conn->snd;
	uint32_t i = sent_first_lost(&snd->sent);
	(void)events;
	if (i == snd->sent.count)
		return false;
	if (sent_size(sent_entry(&snd->sent, i)) > snd->mss && sent_split(&snd->sent, i, snd->mss))
		return false;
	const struct sent *sent = sent_entry(&snd->sent, i);
	if (i > 0 && !fits_window(snd, sent->end))
		return false;
	bool probes_window = i == 0 && !snd->wnd;
	if (recovery_room(conn) < sent_size(sent) && snd->sent.bytes[SENT_IN_FLIGHT] && !probes_window) {
		snd->cwnd_full = true;
		return false;
	}
	send_again(conn, now, seg, i);
	return true;
}

/* How many octets, FIN included, may go now. RFC 9293 3.8.6.2.1 without Nagle's rule: what there is goes at once, and
 * waits only if the window has no place for it. */
static uint32_t octets_for_window(struct tcp_conn *conn, uint64_t now)
{
	struct sender *snd = &conn->snd;
	uint32_t data = least(seq_diff(conn_data_end(conn), snd->nxt), snd->mss);
	struct seq end = seq_add(snd->nxt, data);
	uint32_t want = data + (conn->wish == WISH_END && seq_eq(end, conn_data_end(conn)));
	struct seq edge = seq_add(snd->una, snd->wnd);
	uint32_t room = seq_lt(snd->nxt, edge) ? seq_diff(edge, snd->nxt) : 0;
	if (want <= room || (data && data <= room))
		return least(want, room);
	if (room && room >= snd->wnd_max / 2)
		return room;
	if (snd->probe_due)
		return room ? room : 1;
	timer_on_blocked(conn, now);
	return 0;
}

static bool is_sending_over(const struct tcp_conn *conn)
{
	bool fin_waits = conn->wish == WISH_END;
	return conn_fin_sent(conn) || (seq_eq(conn->snd.nxt, conn_data_end(conn)) && !fin_waits);
}

static void push(struct tcp_conn *conn, uint64_t now, struct tcp_seg *seg, uint32_t octets)
{
	struct sender *snd = &conn->snd;
	struct seq start = snd->nxt;
	snd->nxt = seq_add(start, octets);
	snd->probe_due = false;
	sent_push(&snd->sent, start, snd->nxt, now);
	fill_data(conn, now, seg, start, snd->nxt);
}

static void note_idle(struct tcp_conn *conn, uint64_t now)
{
	if (!conn->snd.sent.count && now - conn->snd.last > rtt_timeout_us(&conn->rtt))
		cc_on_idle(&conn->cc);
}

static bool send_new(struct tcp_conn *conn, uint64_t now, struct tcp_seg *seg, unsigned *events)
{
	struct sender *snd = &conn->snd;
	if (is_sending_over(conn)) {
		snd->cwnd_full = snd->probe_due = false;
		return false;
	}
	uint32_t octets = octets_for_window(conn, now);
	if (!octets) {
		snd->cwnd_full = false;
		return false;
	}
	note_idle(conn, now);
	if (recovery_room(conn) < octets && !snd->tail_probe_due) {
		snd->cwnd_full = true;
		return false;
	}
	if (sent_reserve(&snd->sent, SENT_MAX)) {
		timer_on_blocked(conn, now); /* no memory: if nothing is in flight, nothing else will bring us back */
		return false;
	}
	if (!fits_window(snd, seq_add(snd->nxt, octets)))
		conn->stats.window_probes++;
	push(conn, now, seg, octets);
	if (ends_stream(conn, snd->nxt))
		*events |= conn_step(conn, now, STEP_FIN_SENT);
	return true;
}

/* RFC 8985 7.3: something new if there is, else the last segment again. */
static bool send_tail_probe(struct tcp_conn *conn, uint64_t now, struct tcp_seg *seg, unsigned *events)
{
	struct sender *snd = &conn->snd;
	struct tail_probe *probe = &conn->recovery.probe;
	if (!snd->tail_probe_due)
		return false;
	bool due = snd->sent.count && conn->recovery.phase == PHASE_OPEN && !snd->sent.bytes[SENT_LOST];
	bool sent = due && send_new(conn, now, seg, events);
	snd->tail_probe_due = false;
	if (!due)
		return false;
	probe->kind = sent ? TAIL_PROBE_NEW : TAIL_PROBE_AGAIN;
	probe->end = snd->nxt;
	if (!sent)
		send_again(conn, now, seg, snd->sent.count - 1);
	conn->stats.tail_probes++;
	timer_on_tail_probe(conn, now);
	return true;
}

/* --- acknowledgements --- */

static bool send_duplicate_ack(struct tcp_conn *conn, uint64_t now, struct tcp_seg *seg, unsigned *events)
{
	(void)events;
	if (!conn->rcv.duplicates)
		return false;
	conn->rcv.duplicates--;
	fill_ack(conn, now, seg, conn->snd.nxt);
	return true;
}

/* What is to be said about holes is said before data, which may have no room for it. */
static bool send_blocks(struct tcp_conn *conn, uint64_t now, struct tcp_seg *seg, unsigned *events)
{
	const struct receiver *rcv = &conn->rcv;
	(void)events;
	if (!conn->sack || rcv->ack != ACK_NOW || (seq_eq(rcv->again.start, rcv->again.end) && !rcv->queue.count))
		return false;
	fill_ack(conn, now, seg, conn->snd.nxt);
	return true;
}

static bool send_ack(struct tcp_conn *conn, uint64_t now, struct tcp_seg *seg, unsigned *events)
{
	(void)events;
	if (conn->rcv.ack != ACK_NOW && !window_update_due(conn))
		return false;
	fill_ack(conn, now, seg, conn->snd.nxt);
	return true;
}

static bool send_keepalive(struct tcp_conn *conn, uint64_t now, struct tcp_seg *seg, unsigned *events)
{
	(void)events;
	return keepalive_send(conn, now, seg);
}

static bool (*const senders[])(struct tcp_conn *conn, uint64_t now, struct tcp_seg *seg, unsigned *events) = {
	send_duplicate_ack, send_blocks, send_lost, send_tail_probe, send_new, send_ack, send_keepalive,
};

bool tcp_output(struct tcp_conn *conn, uint64_t now, struct tcp_seg *seg, unsigned *events)
{
	timers_run(conn, now, events);
	bool any = send_reset(conn, now, seg, events);
	for (unsigned i = 0; !any && conn->state != CLOSED && i < sizeof(senders) / sizeof(senders[0]); i++)
		any = senders[i](conn, now, seg, events);
	conn->stats.segs_out += any;
	return any;
}
