/* What a segment tells the sender: acknowledgement, SACK blocks, window. RFC 9293 3.10.7.4, fifth. */
#include "conn.h"

static void deliver(struct tcp_conn *conn, uint64_t now, const struct sent *sent, struct ack_report *report)
{
	if (sent->state == SENT_SACKED)
		return; /* was reported when it was */
	report->delivered += sent_size(sent);
	report->ambiguous |= sent->transmissions > 1;
	if (sent->time > report->newest)
		report->newest = sent->time;
	rack_on_delivered(conn, now, sent);
}

static void take_sent(struct tcp_conn *conn, uint64_t now, struct ack_report *report)
{
	struct sent_list *list = &conn->snd.sent;
	while (list->count && seq_lt(sent_entry(list, 0)->seq, report->ack)) {
		const struct sent *sent = sent_entry(list, 0);
		if (seq_le(sent->end, report->ack)) {
			deliver(conn, now, sent, report);
			report->segments++;
		} else if (sent->state != SENT_SACKED) {
			report->delivered += seq_diff(report->ack, sent->seq);
		}
		sent_take(list, report->ack);
	}
}

static void take_cumulative(struct tcp_conn *conn, uint64_t now, struct ack_report *report)
{
	struct sender *snd = &conn->snd;
	if (!seq_lt(snd->una, report->ack))
		return;
	report->acked = seq_diff(report->ack, snd->una);
	take_sent(conn, now, report);
	snd->una = report->ack;
	uint32_t data = seq_diff(seq_min(snd->una, conn_data_end(conn)), snd->queue_seq);
	ring_drop(&snd->queue, data);
	snd->queue_seq = seq_add(snd->queue_seq, data);
}

/* RFC 2883 4.1 and 4.2: the first block repeats what is acknowledged, or lies inside the second. */
static bool is_again(const struct tcp_seg *seg)
{
	const struct tcp_sack_block *first = &seg->sack[0], *second = &seg->sack[1];
	if (!seg->sack_count)
		return false;
	return seq_le(first->end, seg->ack) ||
		(seg->sack_count > 1 && seq_le(second->start, first->start) && seq_le(first->end, second->end));
}

static bool is_plausible(const struct sender *snd, const struct tcp_sack_block *block)
{
	return seq_lt(block->start, block->end) && seq_le(snd->una, block->start) && seq_le(block->end, snd->nxt);
}

static void take_sack(struct tcp_conn *conn, uint64_t now, const struct tcp_seg *seg, struct ack_report *report)
{
	struct sent_list *list = &conn->snd.sent;
	report->again = is_again(seg);
	report->again_at = seg->sack[0].start;
	for (unsigned b = 0; b < seg->sack_count; b++) {
		const struct tcp_sack_block *block = &seg->sack[b];
		if (!is_plausible(&conn->snd, block))
			continue;
		for (uint32_t i = sent_find(list, block->start); i < list->count; i++) {
			struct sent *sent = sent_entry(list, i);
			if (seq_lt(block->end, sent->end))
				break;
			if (seq_lt(sent->seq, block->start) || sent->state == SENT_SACKED)
				continue;
			deliver(conn, now, sent, report);
			sent_set_state(list, sent, SENT_SACKED);
		}
	}
}

/* RFC 5681 section 2. */
static bool is_duplicate(const struct tcp_conn *conn, const struct tcp_seg *seg)
{
	const struct sender *snd = &conn->snd;
	return snd->sent.count && !seg->len && !(seg->flags & (TCP_SYN | TCP_FIN)) && seq_eq(seg->ack, snd->una) &&
		((uint32_t)seg->window << snd->wscale) == snd->wnd;
}

/* RFC 9293 3.10.7.4 looks only at wl1 and wl2; but an ACK that is new brings its window even with old bytes, or its
 * right edge would be guessed from an older one. A window that opens shows that what was sent into the closed one was
 * not taken. */
static void take_window(struct tcp_conn *conn, uint64_t now, const struct tcp_seg *seg, bool is_new)
{
	struct sender *snd = &conn->snd;
	if (!is_new && !seq_lt(snd->wl1, seg->seq) && !(seq_eq(snd->wl1, seg->seq) && seq_le(snd->wl2, seg->ack)))
		return;
	uint32_t before = snd->wnd;
	snd->wnd = (uint32_t)seg->window << snd->wscale;
	snd->wl1 = seq_max(snd->wl1, seg->seq);
	snd->wl2 = seg->ack;
	if (snd->wnd > snd->wnd_max)
		snd->wnd_max = snd->wnd;
	if (before || !snd->wnd)
		return;
	if (snd->sent.count && sent_entry(&snd->sent, 0)->state == SENT_IN_FLIGHT)
		sent_set_state(&snd->sent, sent_entry(&snd->sent, 0), SENT_LOST);
	timer_on_window_opened(conn, now);
}

/* An endpoint that answers with a closed window is alive: it is never given up (RFC 9293 3.8.6.1). */
static void note_alive(struct tcp_conn *conn, const struct ack_report *report)
{
	if (!report->acked && conn->snd.wnd)
		return;
	conn->snd.timeouts = 0;
	conn->snd.unanswered = 0;
}

/* Karn's rule, for the whole report: what was sent once may have arrived long before, and its ACK been lost. Only an echoed
 * timestamp can tell that it is the last copy that is answered: RFC 7323 4.1. */
static void take_round_trip(struct tcp_conn *conn, uint64_t now, const struct tcp_seg *seg,
	const struct ack_report *report)
{
	if (!report->newest)
		return;
	if (report->ambiguous && !(report->acked && timestamps_answer(&conn->timestamps, now, report->newest, seg)))
		return;
	rtt_sample(&conn->rtt, now - report->newest);
}

unsigned ack_take(struct tcp_conn *conn, uint64_t now, const struct tcp_seg *seg)
{
	struct ack_report report = {.ack = seg->ack};
	if (seq_lt(seg->ack, conn->snd.una))
		return 0; /* an old one says nothing new, not even of the window */
	report.duplicate = is_duplicate(conn, seg);
	conn->stats.dup_acks += report.duplicate;
	uint32_t queued = conn->snd.queue.len;
	take_cumulative(conn, now, &report);
	if (conn->sack)
		take_sack(conn, now, seg, &report);
	take_window(conn, now, seg, report.acked > 0);
	note_alive(conn, &report);
	take_round_trip(conn, now, seg, &report);
	recovery_on_ack(conn, now, &report);
	if (report.acked)
		timer_on_acked(conn, now);
	unsigned events = conn->snd.queue.len < queued ? TCP_EV_WRITABLE : 0;
	if (conn_fin_sent(conn) && seq_eq(conn->snd.una, conn->snd.nxt))
		events |= conn_step(conn, now, STEP_FIN_ACKED);
	return events;
}
