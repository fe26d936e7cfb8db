/* Repair of loss; see recovery.h. */
#include "conn.h"

enum { DUP_THRESHOLD = 3 };

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }
static uint32_t less(uint32_t a, uint32_t b) { return a > b ? a - b : 0; }
static uint32_t outstanding(const struct tcp_conn *conn) { return seq_diff(conn->snd.nxt, conn->snd.una); }

/* FlightSize of RFC 5681, but no more than was allowed: neither what limited transmit added (RFC 3042), nor what piles up
 * behind a hole that lasts, is something that the network has carried. */
static uint32_t flight(const struct tcp_conn *conn)
{
	return least(outstanding(conn), conn->cc.cwnd);
}

/* Bytes believed to be in the network. Without SACK each duplicate ACK says that some segment has left it. */
static uint32_t pipe(const struct tcp_conn *conn)
{
	return less(conn->snd.sent.bytes[SENT_IN_FLIGHT], conn->recovery.dup_acks * conn->snd.mss);
}

uint32_t recovery_room(const struct tcp_conn *conn)
{
	uint32_t in_network = pipe(conn);
	if (!in_network && conn->cc.cwnd < conn->snd.mss)
		return conn->snd.mss;
	return less(conn->cc.cwnd, in_network);
}

void recovery_on_sent(struct tcp_conn *conn, uint32_t bytes)
{
	conn->recovery.sent += bytes;
}

/* --- regret --- */

static void begin_regret(struct tcp_conn *conn)
{
	conn->recovery.regret.before = conn->cc;
	conn->recovery.regret.repairs = 0;
}

void recovery_on_sent_again(struct tcp_conn *conn, struct seq seq)
{
	struct regret *regret = &conn->recovery.regret;
	if (conn->recovery.phase == PHASE_OPEN || regret->repairs > REPAIRS_MAX)
		return;
	if (regret->repairs < REPAIRS_MAX)
		regret->repair[regret->repairs] = seq;
	regret->repairs++;
}

/* What waits to be sent again may be only late, too. */
static void hope_again(struct sent_list *list)
{
	for (uint32_t i = 0; list->bytes[SENT_LOST]; i++)
		if (sent_entry(list, i)->state == SENT_LOST)
			sent_set_state(list, sent_entry(list, i), SENT_IN_FLIGHT);
}

/* RFC 9438 4.9.1, with the detection of RFC 3708: then the reduction was for nothing. */
static void undo(struct tcp_conn *conn)
{
	struct recovery *recovery = &conn->recovery;
	uint32_t cwnd = conn->cc.cwnd, mss = conn->cc.mss;
	conn->cc = recovery->regret.before;
	conn->cc.mss = mss;
	if (conn->cc.cwnd < cwnd)
		conn->cc.cwnd = cwnd;
	recovery->phase = PHASE_OPEN;
	hope_again(&conn->snd.sent);
	conn->stats.undone++;
}

/* Only of what we sent again: some networks duplicate, too. */
static void note_again(struct tcp_conn *conn, const struct ack_report *report)
{
	struct regret *regret = &conn->recovery.regret;
	if (!report->again || regret->repairs > REPAIRS_MAX)
		return;
	for (uint32_t i = 0; i < regret->repairs; i++) {
		if (!seq_eq(regret->repair[i], report->again_at))
			continue;
		regret->repair[i] = regret->repair[--regret->repairs];
		if (!regret->repairs)
			undo(conn);
		return;
	}
}

/* --- phases --- */

/* RecoverFS as in RFC 9937: what can still be delivered, with what the ACK that brought us here has reported. */
static void enter(struct tcp_conn *conn, uint32_t delivered)
{
	struct recovery *recovery = &conn->recovery;
	recovery->phase = PHASE_RECOVERY;
	recovery->until = conn->snd.nxt;
	recovery->delivered = recovery->sent = 0;
	recovery->flight = outstanding(conn) - conn->snd.sent.bytes[SENT_SACKED] + delivered;
	recovery->probe.kind = TAIL_PROBE_NONE;
	begin_regret(conn);
	cc_on_loss(&conn->cc, flight(conn));
	conn->stats.fast_retransmits++;
}

static void leave(struct tcp_conn *conn)
{
	if (conn->recovery.phase == PHASE_RECOVERY)
		cc_on_recovered(&conn->cc);
	conn->recovery.phase = PHASE_OPEN;
	conn->recovery.dup_acks = 0;
	rack_on_recovered(conn);
}

/* --- what is lost --- */

static void lose_first(struct tcp_conn *conn)
{
	struct sent_list *list = &conn->snd.sent;
	if (list->count && sent_entry(list, 0)->state == SENT_IN_FLIGHT)
		sent_set_state(list, sent_entry(list, 0), SENT_LOST);
}

/* RFC 6582 3.2: the third duplicate shows a hole, and during recovery each partial ACK shows the next. */
static void detect_by_duplicates(struct tcp_conn *conn, const struct ack_report *report)
{
	struct recovery *recovery = &conn->recovery;
	if (recovery->phase == PHASE_LOSS)
		return;
	if (report->duplicate && recovery->dup_acks < conn->snd.sent.count)
		recovery->dup_acks++;
	if (report->acked && recovery->phase == PHASE_RECOVERY) {
		recovery->dup_acks = less(recovery->dup_acks, less(report->segments, 1));
		lose_first(conn);
	} else if (report->acked) {
		recovery->dup_acks = 0;
	} else if (report->duplicate && recovery->phase == PHASE_OPEN && recovery->dup_acks >= DUP_THRESHOLD) {
		lose_first(conn);
	}
}

static void detect_by_time(struct tcp_conn *conn, uint64_t now)
{
	const struct sent_list *list = &conn->snd.sent;
	if (conn->recovery.phase == PHASE_OPEN && !list->bytes[SENT_SACKED])
		timer_on_reordering(conn, TIMER_OFF);
	else
		timer_on_reordering(conn, rack_detect(conn, now));
}

/* --- how fast --- */

/* RFC 6937 section 3.1 with the slow start bound; the first retransmission is always free to go. */
static void reduce(struct tcp_conn *conn, uint32_t delivered)
{
	struct recovery *recovery = &conn->recovery;
	uint32_t in_network = pipe(conn), ssthresh = conn->cc.ssthresh, allowed;
	recovery->delivered += delivered;
	if (in_network > ssthresh) {
		uint64_t share = (uint64_t)recovery->delivered * ssthresh;
		allowed = less((uint32_t)((share + recovery->flight - 1) / recovery->flight), recovery->sent);
	} else {
		uint32_t owed = less(recovery->delivered, recovery->sent);
		allowed = least(ssthresh - in_network, (owed > delivered ? owed : delivered) + conn->snd.mss);
	}
	if (!recovery->sent && allowed < conn->snd.mss)
		allowed = conn->snd.mss;
	conn->cc.cwnd = in_network + allowed;
}

/* The ACK that ends a recovery does not let the window grow besides. */
static void set_rate(struct tcp_conn *conn, uint64_t now, const struct ack_report *report, bool ended)
{
	struct recovery *recovery = &conn->recovery;
	if (recovery->phase == PHASE_OPEN && conn->snd.sent.bytes[SENT_LOST] && (report->delivered || report->duplicate))
		enter(conn, report->delivered);
	if (recovery->phase == PHASE_RECOVERY)
		reduce(conn, report->delivered ? report->delivered : (report->duplicate ? conn->snd.mss : 0));
	else if (report->acked && conn->snd.cwnd_full && !ended)
		cc_on_ack(&conn->cc, now, report->acked, conn->rtt.srtt_us);
}

void recovery_on_ack(struct tcp_conn *conn, uint64_t now, const struct ack_report *report)
{
	struct recovery *recovery = &conn->recovery;
	bool ends = recovery->phase != PHASE_OPEN && seq_le(recovery->until, report->ack);
	if (ends)
		leave(conn);
	if (conn->sack) {
		note_again(conn, report);
		rack_on_ack(conn, report);
		rack_probe_on_ack(conn, report);
		detect_by_time(conn, now);
	} else {
		detect_by_duplicates(conn, report);
	}
	set_rate(conn, now, report, ends);
}

void recovery_on_reorder_timer(struct tcp_conn *conn, uint64_t now)
{
	timer_on_reordering(conn, rack_detect(conn, now));
	if (conn->recovery.phase == PHASE_OPEN && conn->snd.sent.bytes[SENT_LOST])
		enter(conn, 0);
	if (conn->recovery.phase == PHASE_RECOVERY)
		reduce(conn, 0);
}

/* --- the timeout --- */

/* What the endpoint said to have it may have thrown away again, if it does not acknowledge it: RFC 2018 section 8. */
static void distrust_sack(struct sent_list *list)
{
	if (sent_entry(list, 0)->state != SENT_SACKED)
		return;
	for (uint32_t i = 0; i < list->count; i++)
		sent_set_state(list, sent_entry(list, i), SENT_LOST);
}

void recovery_on_timeout(struct tcp_conn *conn, uint64_t now)
{
	struct recovery *recovery = &conn->recovery;
	struct sent_list *list = &conn->snd.sent;
	if (recovery->phase == PHASE_OPEN)
		begin_regret(conn);
	cc_on_timeout(&conn->cc, flight(conn), conn->snd.timeouts == 1 && recovery->phase != PHASE_LOSS);
	recovery->dup_acks = 0;
	distrust_sack(list);
	if (conn->sack)
		rack_detect_on_timeout(conn, now);
	for (uint32_t i = 0; i < list->count && !conn->sack; i++)
		sent_set_state(list, sent_entry(list, i), SENT_LOST);
	conn->cc.cwnd += pipe(conn); /* what may yet arrive does not keep the first one from going */
	recovery->phase = PHASE_LOSS;
	recovery->until = conn->snd.nxt;
	recovery->probe.kind = TAIL_PROBE_NONE;
	timer_on_reordering(conn, TIMER_OFF);
}
