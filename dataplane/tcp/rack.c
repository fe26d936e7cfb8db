/* RACK-TLP; see rack.h. Sections are those of RFC 8985. */
#include "conn.h"

enum { DUP_THRESHOLD = 3, PERSIST_RECOVERIES = 16 };

static bool sent_after(uint64_t time, struct seq end, uint64_t other_time, struct seq other_end)
{
	return time > other_time || (time == other_time && seq_lt(other_end, end));
}

/* Section 6.2, step 2: of a segment that was sent twice, an answer faster than any is to the first copy. The least round
 * trip says little where some frames overtake others by more than that: so one that is much faster than most, too. */
static bool answers_first_copy(const struct tcp_conn *conn, const struct sent *sent, uint64_t rtt)
{
	return sent->transmissions > 1 && (rtt < conn->rtt.min_us || rtt < conn->rtt.srtt_us / 2);
}

/* Section 6.2, steps 2 and 3. */
void rack_on_delivered(struct tcp_conn *conn, uint64_t now, const struct sent *sent)
{
	struct rack *rack = &conn->recovery.rack;
	uint64_t rtt = now - sent->time;
	if (seq_lt(rack->forward, sent->end))
		rack->forward = sent->end;
	else if (sent->transmissions == 1 && seq_lt(sent->end, rack->forward))
		rack->reordering = true;
	if (answers_first_copy(conn, sent, rtt))
		return;
	if (rack->time && !sent_after(sent->time, sent->end, rack->time, rack->end))
		return; /* it may have arrived long ago */
	rack->rtt_us = (uint32_t)(rtt < RTO_MAX_US ? rtt : RTO_MAX_US);
	rack->time = sent->time;
	rack->end = sent->end;
}

/* Section 6.2, step 4: each round trip with a D-SACK, which says that we repaired what was only late, widens it. */
void rack_on_ack(struct tcp_conn *conn, const struct ack_report *report)
{
	struct rack *rack = &conn->recovery.rack;
	if (!report->again || (rack->persist && seq_lt(report->ack, rack->round)))
		return;
	rack->round = conn->snd.nxt;
	rack->persist = PERSIST_RECOVERIES;
	if (rack->widening < UINT8_MAX)
		rack->widening++;
}

void rack_on_recovered(struct tcp_conn *conn)
{
	struct rack *rack = &conn->recovery.rack;
	if (rack->persist && --rack->persist == 0)
		rack->widening = 0;
}

/* Section 6.2, step 4, but each step of widening, for which there was proof, is worth a quarter of the mean round trip: the
 * least may be that of a frame that has overtaken all others. */
static uint32_t reordering_window_us(const struct tcp_conn *conn)
{
	const struct rack *rack = &conn->recovery.rack;
	bool many = conn->recovery.phase != PHASE_OPEN || conn->snd.sent.segments[SENT_SACKED] >= DUP_THRESHOLD;
	if (!rack->reordering && many)
		return 0;
	uint64_t window = ((uint64_t)conn->rtt.min_us + (uint64_t)rack->widening * conn->rtt.srtt_us) / 4;
	return window < conn->rtt.srtt_us ? (uint32_t)window : conn->rtt.srtt_us;
}

/* Section 6.2, step 5. */
uint64_t rack_detect(struct tcp_conn *conn, uint64_t now)
{
	const struct rack *rack = &conn->recovery.rack;
	struct sent_list *list = &conn->snd.sent;
	uint64_t patience = (uint64_t)rack->rtt_us + reordering_window_us(conn), again = UINT64_MAX;
	if (!rack->time)
		return again;
	for (uint32_t i = 0; i < list->count; i++) {
		struct sent *sent = sent_entry(list, i);
		if (sent->state != SENT_IN_FLIGHT || !sent_after(rack->time, rack->end, sent->time, sent->end))
			continue;
		uint64_t until = sent->time + patience;
		if (until <= now)
			sent_set_state(list, sent, SENT_LOST);
		else if (again == UINT64_MAX || until > again)
			again = until;
	}
	return again;
}

/* Section 6.3: the oldest is lost, and what was sent about when it was. */
void rack_detect_on_timeout(struct tcp_conn *conn, uint64_t now)
{
	struct sent_list *list = &conn->snd.sent;
	uint64_t patience = (uint64_t)conn->recovery.rack.rtt_us + reordering_window_us(conn);
	for (uint32_t i = 0; i < list->count; i++) {
		struct sent *sent = sent_entry(list, i);
		if (sent->state == SENT_IN_FLIGHT && (i == 0 || sent->time + patience <= now))
			sent_set_state(list, sent, SENT_LOST);
	}
}

/* Section 7.2. */
uint64_t rack_probe_after_us(const struct tcp_conn *conn)
{
	const struct sent_list *list = &conn->snd.sent;
	if (!conn->sack || conn->recovery.phase != PHASE_OPEN || conn->recovery.probe.kind != TAIL_PROBE_NONE ||
		!list->segments[SENT_IN_FLIGHT] || list->bytes[SENT_SACKED] || list->bytes[SENT_LOST] || !conn->snd.wnd)
		return 0;
	if (!conn->rtt.srtt_us)
		return SECOND_US;
	return 2ull * conn->rtt.srtt_us + (list->count == 1 ? PEER_DELAYED_ACK_US : 0) + 1;
}

/* Section 7.4: if the probe repaired a loss that nothing else had shown, that loss is answered for. */
void rack_probe_on_ack(struct tcp_conn *conn, const struct ack_report *report)
{
	struct tail_probe *probe = &conn->recovery.probe;
	if (probe->kind == TAIL_PROBE_NONE || seq_lt(report->ack, probe->end))
		return;
	bool repaired = probe->kind == TAIL_PROBE_AGAIN && !report->again && !seq_eq(report->ack, probe->end);
	bool stands = probe->kind == TAIL_PROBE_AGAIN && seq_eq(report->ack, probe->end) && !report->again &&
		!report->duplicate;
	if (stands)
		return; /* both copies may have arrived, and then a D-SACK follows */
	probe->kind = TAIL_PROBE_NONE;
	if (!repaired || conn->recovery.phase != PHASE_OPEN)
		return;
	cc_on_loss(&conn->cc, conn->cc.cwnd);
	cc_on_recovered(&conn->cc);
}
