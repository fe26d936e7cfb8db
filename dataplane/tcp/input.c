/* A segment comes in: RFC 9293 3.10.7.4 from ESTABLISHED on, with the answers of RFC 5961. */
#include "conn.h"

static uint32_t octets(const struct tcp_seg *seg)
{
	return seg->len + !!(seg->flags & TCP_SYN) + !!(seg->flags & TCP_FIN);
}

/* RFC 5961 section 7: so many a second, that two confused endpoints do not keep each other busy. */
static void challenge(struct tcp_conn *conn, uint64_t now)
{
	if (now - conn->challenge_second >= SECOND_US) {
		conn->challenge_second = now;
		conn->challenges = 0;
	}
	if (conn->challenges >= CHALLENGES_PER_SECOND)
		return;
	conn->challenges++;
	conn->stats.challenge_acks++;
	conn->rcv.ack = ACK_NOW;
}

/* A closed connection answers with RST: RFC 9293 3.10.7.1. */
static void refuse(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	if (seg->flags & TCP_RST)
		return;
	conn->stray = true;
	conn->stray_seq = seg->flags & TCP_ACK ? seg->ack : conn->snd.nxt;
}

/* Third table of RFC 9293 3.4; an empty segment may also lie at the window's very end, where an endpoint that has filled
 * the window speaks from. What is sent to a closed window right at its edge still has an acknowledgement to be heard. */
static bool is_in_window(const struct tcp_conn *conn, const struct tcp_seg *seg)
{
	struct seq nxt = conn_rcv_nxt(conn), edge = seq_max(conn->rcv.edge, nxt);
	uint32_t n = octets(seg);
	if (!n || seq_eq(edge, nxt))
		return seq_le(nxt, seg->seq) && seq_le(seg->seq, edge);
	return seq_lt(seg->seq, edge) && seq_lt(nxt, seq_add(seg->seq, n));
}

/* What was received before is acknowledged again; window probes are of that kind, too. */
static void turn_away(struct tcp_conn *conn, uint64_t now, const struct tcp_seg *seg)
{
	struct receiver *rcv = &conn->rcv;
	struct seq end = seq_add(seg->seq, octets(seg));
	conn->stats.out_of_window++;
	if (seg->flags & TCP_RST)
		return;
	if (conn->state == TIME_WAIT && seg->flags & TCP_FIN)
		timer_on_time_wait(conn, now);
	if (seg->flags & TCP_SYN || !octets(seg) || !seq_le(end, conn_rcv_nxt(conn))) {
		challenge(conn, now);
		return;
	}
	rcv->ack = ACK_NOW;
	if (seg->len)
		rcv->again = (struct tcp_sack_block){seg->seq, seq_add(seg->seq, seg->len)};
}

/* RFC 5961 3.2. */
static unsigned take_reset(struct tcp_conn *conn, uint64_t now, const struct tcp_seg *seg)
{
	if (!seq_eq(seg->seq, conn_rcv_nxt(conn))) {
		challenge(conn, now);
		return 0;
	}
	bool over = conn->state == TIME_WAIT;
	unsigned events = conn_step(conn, now, STEP_ABORT);
	return over ? events : events | TCP_EV_RESET;
}

/* RFC 5961 5.2. */
static bool acknowledges_ours(const struct sender *snd, const struct tcp_seg *seg)
{
	struct seq oldest = {snd->una.v - snd->wnd_max};
	return seq_diff(seg->ack, oldest) <= seq_diff(snd->nxt, oldest);
}

/* What is not heard, or not heard to be acknowledged, is sent again, and a closed window is asked about with what came
 * before it: an endpoint may have to say nothing else. */
bool tcp_believes(const struct tcp_conn *conn, uint64_t now, const struct tcp_seg *seg)
{
	struct seq nxt = conn_rcv_nxt(conn), oldest = {nxt.v - TCP_RECV_BYTES_MAX};
	bool again = seq_le(oldest, seg->seq) && seq_lt(seg->seq, nxt);
	bool stamped = !conn->timestamps.agreed || seg->has_timestamps;
	return conn->state != CLOSED && (seg->flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_ACK &&
		acknowledges_ours(&conn->snd, seg) && (again || is_in_window(conn, seg)) && stamped &&
		!timestamps_is_outdated(&conn->timestamps, now, seg);
}

/* --- text and FIN --- */

struct text {
	struct seq seq;
	const uint8_t *bytes;
	uint32_t len;
	bool fin;
};

static void cut(struct text *text, struct seq end)
{
	uint32_t room = seq_lt(text->seq, end) ? seq_diff(end, text->seq) : 0;
	if (text->len > room) {
		text->len = room;
		text->fin = false;
	}
}

/* FIN stands where it was first seen: nothing comes after it, and no other FIN counts. */
static void note_fin(struct tcp_conn *conn, const struct text *text)
{
	struct receiver *rcv = &conn->rcv;
	struct seq at = seq_add(text->seq, text->len);
	if (!text->fin || rcv->fin_state != FIN_UNKNOWN || seq_lt(at, rcv->queue.next))
		return;
	for (unsigned i = 0; i < rcv->queue.count; i++)
		if (seq_lt(at, rcv->queue.runs[i].end))
			return;
	rcv->fin = at;
	rcv->fin_state = FIN_NOTED;
}

static unsigned reach_fin(struct tcp_conn *conn, uint64_t now)
{
	struct receiver *rcv = &conn->rcv;
	if (rcv->fin_state != FIN_NOTED || !seq_eq(rcv->queue.next, rcv->fin))
		return 0;
	rcv->fin_state = FIN_TAKEN;
	rcv->ack = ACK_NOW;
	return conn_step(conn, now, STEP_FIN_TAKEN) | TCP_EV_FIN;
}

/* RFC 5681 4.2: at once for what comes early or fills a hole, else for every second full segment. */
static void plan_ack(struct tcp_conn *conn, uint64_t now, const struct reass_outcome *outcome, bool filled)
{
	struct receiver *rcv = &conn->rcv;
	rcv->unacked += outcome->advanced;
	if ((outcome->held || outcome->dropped) && rcv->duplicates < UINT8_MAX)
		rcv->duplicates++;
	if (filled || rcv->unacked >= 2u * rcv->mss || !seq_eq(outcome->again.start, outcome->again.end))
		rcv->ack = ACK_NOW;
	if (outcome->advanced && rcv->ack == ACK_NONE) {
		rcv->ack = ACK_DELAYED;
		timer_on_ack_wanted(conn, now);
	}
}

static void note_last(struct receiver *rcv, const struct reass_outcome *outcome)
{
	if (!outcome->advanced)
		return;
	rcv->last = reass_last(&rcv->queue);
	rcv->has_last = true;
}

static unsigned take_bytes(struct tcp_conn *conn, uint64_t now, const struct text *text)
{
	struct receiver *rcv = &conn->rcv;
	if (!text->len)
		return 0;
	bool had_holes = rcv->queue.count > 0;
	struct reass_outcome outcome = reass_add(&rcv->queue, text->seq, text->bytes, text->len);
	if (!seq_eq(outcome.again.start, outcome.again.end))
		rcv->again = outcome.again;
	if (text->len > rcv->mss)
		rcv->mss = text->len < MSS_SEEN_MAX ? (uint16_t)text->len : MSS_SEEN_MAX;
	note_last(rcv, &outcome);
	if (outcome.advanced)
		window_grow(conn, now);
	conn->stats.out_of_order += outcome.held;
	conn->stats.unkept += outcome.dropped;
	conn->stats.overlaps += outcome.differing;
	plan_ack(conn, now, &outcome, had_holes && outcome.advanced);
	return (outcome.advanced ? TCP_EV_READABLE : 0) | (outcome.differing ? TCP_EV_OVERLAP : 0);
}

static unsigned take_text(struct tcp_conn *conn, uint64_t now, const struct tcp_seg *seg)
{
	struct receiver *rcv = &conn->rcv;
	struct text text = {seg->seq, seg->data, seg->len, seg->flags & TCP_FIN};
	if (!octets(seg))
		return 0;
	cut(&text, rcv->edge);
	if (text.fin && !seq_lt(seq_add(text.seq, text.len), rcv->edge))
		text.fin = false; /* there is no room for it in the window */
	if (rcv->fin_state != FIN_UNKNOWN) {
		cut(&text, rcv->fin);
		text.fin = text.fin && seq_eq(seq_add(text.seq, text.len), rcv->fin);
	}
	if (text.len + text.fin < octets(seg))
		rcv->ack = ACK_NOW;
	unsigned events = take_bytes(conn, now, &text);
	note_fin(conn, &text);
	return events | reach_fin(conn, now);
}

/* RFC 3168 6.1.3: every ACK says so until the endpoint says that it has heard. What carries no data is not marked. */
static void note_congestion(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	struct receiver *rcv = &conn->rcv;
	if (!conn->ecn)
		return;
	if (seg->flags & TCP_CWR)
		rcv->echoes_ce = false;
	if (seg->ce && seg->len)
		rcv->echoes_ce = true;
}

unsigned tcp_input(struct tcp_conn *conn, uint64_t now, const struct tcp_seg *seg)
{
	conn->stats.segs_in++;
	if (conn->state == CLOSED) {
		refuse(conn, seg);
		return 0;
	}
	if (conn->timestamps.agreed && !seg->has_timestamps && !(seg->flags & TCP_RST)) {
		conn->stats.malformed++;
		return 0; /* RFC 7323 3.2: silently */
	}
	if (timestamps_is_outdated(&conn->timestamps, now, seg)) {
		conn->stats.outdated++;
		turn_away(conn, now, seg);
		return 0;
	}
	unsigned events = acknowledges_ours(&conn->snd, seg) ? keepalive_take(conn, seg) : 0;
	if (events)
		return events;
	if (!is_in_window(conn, seg)) {
		turn_away(conn, now, seg);
		return 0;
	}
	if (seg->flags & TCP_RST)
		return take_reset(conn, now, seg);
	if (seg->flags & TCP_SYN || (seg->flags & TCP_ACK && !acknowledges_ours(&conn->snd, seg))) {
		challenge(conn, now);
		return 0;
	}
	if (!(seg->flags & TCP_ACK)) {
		conn->stats.malformed++;
		return 0;
	}
	conn->stats.urgent += !!(seg->flags & TCP_URG); /* its bytes stay in the stream, as RFC 6093 would have it */
	timestamps_take(&conn->timestamps, now, seg);
	note_congestion(conn, seg);
	events = keepalive_heard(conn) | ack_take(conn, now, seg);
	return conn->state == CLOSED ? events : events | take_text(conn, now, seg);
}
