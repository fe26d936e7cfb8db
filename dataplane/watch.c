/* Connections on ports that are not configured; see watch.h. */
#include <stdlib.h>

#include <rte_mbuf.h>

#include "emit.h"
#include "notice.h"
#include "opening.h"
#include "split.h"
#include "stray.h"
#include "watch.h"

enum { WATCH_WINDOW_BYTES = 1 << 20 }; /* how far behind the first byte a first segment can be */

static struct seq first_of_client(const struct flow *flow)
{
	return seq_add(flow->handshake.isn[SIDE_CLIENT], 1);
}

void watch_set_state(struct worker *worker, struct flow *flow, enum flow_state state)
{
	if (flow_list_is_full(&worker->flows, state)) {
		split_forget(worker, TAILQ_FIRST(&worker->flows.list[state]));
		count(worker, COUNT_WATCH_EVICTED);
	}
	flow_set_state(&worker->flows, flow, state);
	flow->expires = UINT64_MAX;
}

/* --- what is held --- */

static void drop_held(struct worker *worker, struct watch *watch, enum dataplane_counter why)
{
	for (unsigned i = 0; i < watch->held_count; i++)
		emit_nothing(worker, &watch->held[i], why);
	worker->held -= watch->held_count;
	watch->held_count = watch->held_bytes = 0;
	free(watch->held);
	watch->held = NULL;
}

/* Hands over what is held, in order; the flow may be gone after the last one. */
static unsigned take_held(struct worker *worker, struct watch *watch, struct arrival held[WATCH_HELD_MAX])
{
	unsigned n = watch->held_count;
	if (n)
		memcpy(held, watch->held, n * sizeof(held[0]));
	worker->held -= n;
	watch->held_count = watch->held_bytes = 0;
	free(watch->held);
	watch->held = NULL;
	return n;
}

static bool hold(struct worker *worker, struct watch *watch, const struct arrival *arrival)
{
	if (watch->held_count == WATCH_HELD_MAX || worker->held >= WATCH_HELD_ALL_MAX / worker->lane.lanes)
		return false;
	if (!watch->held)
		watch->held = calloc(WATCH_HELD_MAX, sizeof(watch->held[0]));
	if (!watch->held)
		return false;
	if (!watch->held_count)
		watch->held_at = worker->now;
	watch->held[watch->held_count++] = *arrival;
	watch->held_bytes += arrival->seg.len;
	worker->held++;
	count(worker, COUNT_WATCH_HELD);
	return true;
}

static size_t gather(const struct watch *watch, uint8_t bytes[OPENING_BYTES_MAX])
{
	size_t n = 0;
	for (unsigned i = 0; i < watch->held_count; i++) {
		memcpy(bytes + n, watch->held[i].seg.data, watch->held[i].seg.len);
		n += watch->held[i].seg.len;
	}
	return n;
}

/* The bytes that were judged, out of the memory that all connections share. False: there is no more. */
static bool keep_judged(struct worker *worker, struct watch *watch, const uint8_t *bytes, size_t len)
{
	struct tcp_budget *memory = &worker->memory;
	watch->judged = len <= memory->max_bytes - memory->used_bytes ? malloc(len) : NULL;
	if (!watch->judged)
		return false;
	memcpy(watch->judged, bytes, len);
	watch->judged_len = (uint32_t)len;
	memory->used_bytes += len;
	return true;
}

void watch_free(struct worker *worker, struct flow *flow)
{
	if (!flow->watch)
		return;
	drop_held(worker, flow->watch, COUNT_DROP_BLOCKED);
	worker->memory.used_bytes -= flow->watch->judged_len;
	free(flow->watch->judged);
	free(flow->watch);
	flow->watch = NULL;
}

/* --- blocked --- */

static void reset_end(struct worker *worker, struct flow *flow, enum conn_side side, struct seq seq, struct seq ack)
{
	const struct tcp_seg reset = {.flags = TCP_RST | TCP_ACK, .seq = seq, .ack = ack, .wscale = TCP_WSCALE_NONE};
	emit_segment(worker, flow_wire(flow, side), &flow->path[side], &reset);
}

static void reset_both_ends(struct worker *worker, struct flow *flow)
{
	const struct watch *watch = flow->watch;
	struct seq client = first_of_client(flow);
	reset_end(worker, flow, SIDE_SERVER, client, watch->server_next);
	reset_end(worker, flow, SIDE_CLIENT, watch->server_acked, seq_add(client, watch->held_bytes));
}

bool watch_block(struct worker *worker, struct flow *flow)
{
	watch_free(worker, flow);
	flow->watch = calloc(1, sizeof(*flow->watch));
	if (!flow->watch) {
		split_forget(worker, flow);
		return false;
	}
	watch_set_state(worker, flow, FLOW_BLOCKED);
	flow->expires = worker->now + WATCH_BLOCKED_US;
	return true;
}

static void block(struct worker *worker, struct flow *flow)
{
	count(worker, COUNT_BLOCKED);
	reset_both_ends(worker, flow);
	if (!watch_block(worker, flow))
		count(worker, COUNT_DROP_OUT_OF_MEMORY);
}

void watch_blocked_segment(struct worker *worker, struct flow *flow, struct arrival *arrival)
{
	flow->expires = worker->now + WATCH_BLOCKED_US;
	flow_touch(&worker->flows, flow);
	stray_segment(worker, arrival);
}

/* --- judged --- */

enum watch_verdict watch_verdict(struct worker *worker, const struct flow *flow, enum opening opening)
{
	bool is_websocket = opening == OPENING_WEBSOCKET;
	bool block, alert;
	if (opening == OPENING_OTHER || opening == OPENING_MORE)
		return WATCH_PASS;
	count(worker, is_websocket ? COUNT_WEBSOCKETS : COUNT_FOUND);
	block = is_websocket ? worker->websocket == ANSWER_BLOCK : worker->elsewhere == ELSEWHERE_BLOCK;
	alert = is_websocket ? worker->websocket != ANSWER_FORWARD : worker->elsewhere != ELSEWHERE_FORWARD;
	if (alert)
		notice(worker, is_websocket ? NOTICE_WEBSOCKET : NOTICE_ELSEWHERE, block, flow->client_wire,
			&flow->path[SIDE_SERVER]);
	if (block)
		return WATCH_BLOCK;
	return !is_websocket && worker->elsewhere == ELSEWHERE_GUARD ? WATCH_GUARD : WATCH_PASS;
}

/* They leave as they came. The bytes are remembered, since what a server has not acknowledged may come anew. */
static void release(struct worker *worker, struct flow *flow)
{
	struct watch *watch = flow->watch;
	struct arrival held[WATCH_HELD_MAX];
	uint8_t bytes[OPENING_BYTES_MAX];
	size_t len = gather(watch, bytes);
	if (!keep_judged(worker, watch, bytes, len)) {
		drop_held(worker, watch, COUNT_DROP_OUT_OF_MEMORY);
		return;
	}
	unsigned n = take_held(worker, watch, held);
	for (unsigned i = 0; i < n; i++)
		emit_as_it_came(worker, &held[i]);
	watch_set_state(worker, flow, FLOW_JUDGED);
}

/* Urgent bytes may be taken out of the stream, which moves those after them. */
static bool is_as_before(const struct flow *flow, const struct tcp_seg *seg)
{
	const struct watch *watch = flow->watch;
	int32_t offset = (int32_t)(seg->seq.v - first_of_client(flow).v);
	int64_t from = offset < 0 ? 0 : offset, to = (int64_t)offset + seg->len;
	if (to > watch->judged_len)
		to = watch->judged_len;
	if (from >= to)
		return true;
	bool is_urgent = (seg->flags & TCP_URG) && offset + (int64_t)seg->urgent <= watch->judged_len;
	return !is_urgent && !memcmp(watch->judged + from, seg->data + (from - offset), (size_t)(to - from));
}

static void judged_segment(struct worker *worker, struct flow *flow, enum conn_side side, struct arrival *arrival)
{
	const struct tcp_seg *seg = &arrival->seg;
	struct watch *watch = flow->watch;
	struct seq end = seq_add(first_of_client(flow), watch->judged_len);
	if (side == SIDE_SERVER && (seg->flags & TCP_ACK) && seq_in(seg->ack, end, WATCH_WINDOW_BYTES)) {
		split_forget(worker, flow);
		emit_as_it_came(worker, arrival);
	} else if (side == SIDE_CLIENT && !is_as_before(flow, seg)) {
		notice(worker, NOTICE_CONFLICT, true, flow->client_wire, &flow->path[SIDE_SERVER]);
		emit_nothing(worker, arrival, COUNT_DROP_NOT_AS_BEFORE);
		block(worker, flow);
	} else {
		emit_as_it_came(worker, arrival);
	}
}

/* --- watched --- */

/* Everything that the server said has reached the client: only then can two halves go on from there. */
static bool is_settled(const struct watch *watch)
{
	return !watch->server_ended && seq_eq(watch->server_acked, watch->server_next);
}

static void wait_on(struct worker *worker, struct flow *flow)
{
	if (worker->now - flow->watch->held_at >= WATCH_GIVE_UP_US)
		block(worker, flow);
	else
		deadline_arm(&worker->deadlines, flow, worker->now + WATCH_HOLD_US);
}

/* The connection is split, and what was held is fed to its halves. Takes `odd` too, if there is one. */
static void split_up(struct worker *worker, struct flow *flow, enum flow_via via, struct arrival *odd)
{
	struct arrival held[WATCH_HELD_MAX];
	struct watch *watch = flow->watch;
	flow->handshake.isn[SIDE_SERVER] = seq_add(watch->server_next, (uint32_t)-1);
	if (!split_take_over(worker, flow, via, watch->client_window)) {
		if (odd)
			emit_nothing(worker, odd, COUNT_DROP_BLOCKED);
		block(worker, flow);
		return;
	}
	unsigned n = take_held(worker, watch, held);
	watch_free(worker, flow);
	for (unsigned i = 0; i < n; i++)
		split_segment(worker, flow, SIDE_CLIENT, &held[i]);
	if (odd)
		split_segment(worker, flow, SIDE_CLIENT, odd);
}

static void look(struct worker *worker, struct flow *flow)
{
	struct watch *watch = flow->watch;
	uint8_t bytes[OPENING_BYTES_MAX];
	if (!watch->held_count)
		return;
	enum opening opening = opening_judge(bytes, gather(watch, bytes));
	if (opening == OPENING_OTHER) {
		release(worker, flow);
		return;
	}
	bool is_too_long = worker->now - watch->held_at >= WATCH_HOLD_US;
	if (!is_settled(watch) || (opening == OPENING_MORE && !is_too_long)) {
		wait_on(worker, flow);
		return;
	}
	if (opening == OPENING_MORE) {
		split_up(worker, flow, VIA_JUDGE, NULL);
		return;
	}
	switch (watch_verdict(worker, flow, opening)) {
	case WATCH_PASS:
		release(worker, flow);
		break;
	case WATCH_GUARD:
		split_up(worker, flow, VIA_CHANNEL, NULL);
		break;
	case WATCH_BLOCK:
		block(worker, flow);
		break;
	}
}

void watch_run(struct worker *worker, struct flow *flow)
{
	if (flow->state == FLOW_WATCHED)
		look(worker, flow);
}

static void first_bytes(struct worker *worker, struct flow *flow, struct arrival *arrival)
{
	struct watch *watch = flow->watch;
	const struct tcp_seg *seg = &arrival->seg;
	struct seq first = first_of_client(flow);
	bool has_ended = watch->held_count && (watch->held[watch->held_count - 1].seg.flags & TCP_FIN);
	bool is_next = seq_eq(seg->seq, seq_add(first, watch->held_bytes)) && !(seg->flags & TCP_URG) && !has_ended &&
		watch->held_bytes + seg->len <= OPENING_BYTES_MAX;
	if (!seq_in(seg->seq, first, WATCH_WINDOW_BYTES))
		emit_nothing(worker, arrival, COUNT_DROP_NOT_OF_HANDSHAKE);
	else if (is_next && hold(worker, watch, arrival))
		look(worker, flow);
	else if (is_settled(watch))
		split_up(worker, flow, VIA_JUDGE, arrival);
	else
		emit_nothing(worker, arrival, COUNT_DROP_HELD_TOO_MUCH);
}

static void note_client(struct flow *flow, const struct tcp_seg *seg)
{
	struct watch *watch = flow->watch;
	if (!(seg->flags & TCP_ACK))
		return;
	if (seq_lt(watch->server_acked, seg->ack) && seq_le(seg->ack, watch->server_next))
		watch->server_acked = seg->ack;
	watch->client_window = seg->window;
	if (seg->has_timestamps)
		flow->handshake.ts_val[SIDE_CLIENT] = seg->ts_val;
}

/* A probe (RFC 9293 3.8.4) repeats the byte before the first one, which is none. */
static bool has_bytes(const struct flow *flow, const struct tcp_seg *seg)
{
	bool is_probe = seg->len == 1 && seq_eq(seg->seq, flow->handshake.isn[SIDE_CLIENT]);
	return (seg->len && !is_probe) || ((seg->flags & TCP_FIN) && flow->watch->held_count);
}

static void client_segment(struct worker *worker, struct flow *flow, struct arrival *arrival)
{
	const struct tcp_seg *seg = &arrival->seg;
	note_client(flow, seg);
	if (has_bytes(flow, seg) && !(seg->flags & TCP_RST)) {
		first_bytes(worker, flow, arrival);
	} else {
		emit_as_it_came(worker, arrival);
		look(worker, flow);
	}
}

static void server_segment(struct worker *worker, struct flow *flow, struct arrival *arrival)
{
	struct watch *watch = flow->watch;
	const struct tcp_seg *seg = &arrival->seg;
	watch->server_next = seq_max(watch->server_next, seq_add(seg->seq, seg->len));
	watch->server_ended |= seg->flags & TCP_FIN;
	if (seg->has_timestamps)
		flow->handshake.ts_val[SIDE_SERVER] = seg->ts_val;
	emit_as_it_came(worker, arrival);
}

/* --- */

void watch_segment(struct worker *worker, struct flow *flow, enum conn_side side, struct arrival *arrival)
{
	if (arrival->wire != flow_wire(flow, side)) {
		emit_as_it_came(worker, arrival);
		return;
	}
	if (side == SIDE_SERVER && (arrival->seg.flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK)) {
		watch_syn_ack(worker, flow, arrival);
		return;
	}
	switch (flow->state) {
	case FLOW_WATCHED:
		if (side == SIDE_CLIENT)
			client_segment(worker, flow, arrival);
		else
			server_segment(worker, flow, arrival);
		break;
	case FLOW_JUDGED:
		judged_segment(worker, flow, side, arrival);
		break;
	case FLOW_BLOCKED:
		watch_blocked_segment(worker, flow, arrival);
		break;
	default: /* FLOW_SEEN: whoever is meant by it does not take it before its handshake */
		emit_as_it_came(worker, arrival);
	}
}

void watch_expire(struct worker *worker)
{
	static const enum flow_state states[] = {FLOW_SEEN, FLOW_BLOCKED};
	for (unsigned i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		const struct flow_list *list = &worker->flows.list[states[i]];
		for (struct flow *flow; (flow = TAILQ_FIRST(list)) && flow->expires <= worker->now;)
			split_forget(worker, flow);
	}
}
