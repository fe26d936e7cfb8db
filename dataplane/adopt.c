/* Adoption of a connection; see adopt.h. */
#include <rte_mbuf.h>

#include "adopt.h"
#include "dial.h"
#include "emit.h"
#include "split.h"
#include "stray.h"

enum { WSCALE_MAX = 14 };              /* RFC 7323 2.3 */

static uint16_t mss_limit(const struct worker *worker, const struct frame *frame)
{
	return worker->mss_limit[frame->family == FRAME_IPV6];
}

static void clear_ecn(struct frame *frame)
{
	uint8_t *ip = frame->bytes + frame->ip;
	ip[1] &= (uint8_t)~(frame->family == FRAME_IPV4 ? 0x03 : 0x30);
}

/* Replaces the TCP part of the frame by the header of `edited` and sends it on. */
static void pass_edited(struct worker *worker, struct arrival *arrival, const struct tcp_seg *edited)
{
	struct frame *frame = &arrival->frame;
	struct rte_mbuf *mbuf = arrival->mbuf;
	uint8_t header[TCP_HEADER_MAX];
	size_t len = tcp_seg_write(edited, header);
	if (frame->tcp + len > (size_t)mbuf->data_len + rte_pktmbuf_tailroom(mbuf)) {
		emit_nothing(worker, arrival, COUNT_DROP_NO_BUFFER);
		return;
	}
	put16(header, frame->src_port);
	put16(header + 2, frame->dst_port);
	memcpy(frame->bytes + frame->tcp, header, len);
	clear_ecn(frame);
	mbuf->data_len = (uint16_t)frame_seal(frame, len);
	mbuf->pkt_len = mbuf->data_len;
	emit_frame(worker, wire_other(arrival->wire), mbuf);
}

void adopt_pass_bare(struct worker *worker, struct arrival *arrival)
{
	const struct tcp_seg *seg = &arrival->seg;
	struct tcp_seg bare = {.seq = seg->seq, .ack = seg->ack, .flags = seg->flags & (TCP_RST | TCP_ACK),
		.window = seg->window, .wscale = TCP_WSCALE_NONE};
	pass_edited(worker, arrival, &bare);
}

/* A SYN or SYN-ACK with what both halves can keep: no data, no ECN, only options that the engine knows. */
static struct tcp_seg edit_syn(const struct worker *worker, const struct arrival *arrival)
{
	const struct tcp_seg *seg = &arrival->seg;
	struct tcp_seg edited = {
		.seq = seg->seq, .ack = seg->ack, .flags = seg->flags & (TCP_SYN | TCP_ACK), .window = seg->window,
		.mss = seg->mss, .wscale = seg->wscale, .sack_permitted = seg->sack_permitted && TCP_CAN_SACK};
	if (edited.mss > mss_limit(worker, &arrival->frame))
		edited.mss = mss_limit(worker, &arrival->frame);
	if (edited.wscale != TCP_WSCALE_NONE && edited.wscale > WSCALE_MAX)
		edited.wscale = WSCALE_MAX;
	return edited;
}

static void note(struct worker *worker, struct flow *flow, enum conn_side side, const struct arrival *arrival,
	const struct tcp_seg *edited)
{
	handshake_note(&flow->handshake, side, edited, arrival->frame.family);
	path_of_frame(&flow->path[side_other(side)], &arrival->frame);
	path_link_set(&flow->link[side], &arrival->frame);
	flow->expires = worker->now + ADOPT_HALF_OPEN_US;
	flow_touch(&worker->flows, flow);
}

static void pass_syn(struct worker *worker, struct flow *flow, struct arrival *arrival)
{
	struct tcp_seg edited = edit_syn(worker, arrival);
	struct handshake *handshake = &flow->handshake;
	bool repeated = handshake->syn_at && seq_eq(handshake->isn[SIDE_CLIENT], edited.seq);
	if (!repeated)
		handshake->server_spoke = false;
	handshake->syn_at = repeated ? 0 : worker->now;
	note(worker, flow, SIDE_CLIENT, arrival, &edited);
	count(worker, COUNT_SYNS);
	pass_edited(worker, arrival, &edited);
}

static void evict_oldest(struct worker *worker)
{
	flow_free(&worker->flows, TAILQ_FIRST(&worker->flows.list[FLOW_HALF_OPEN]));
	count(worker, COUNT_HALF_OPEN_EVICTED);
}

static struct flow *new_flow(struct worker *worker, const struct flow_key *key)
{
	struct flow *old = flow_find(&worker->flows, key);
	if (old)
		split_forget(worker, old);
	if (flow_list_is_full(&worker->flows, FLOW_HALF_OPEN))
		evict_oldest(worker);
	return flow_new(&worker->flows, key, FLOW_HALF_OPEN);
}

void adopt_syn(struct worker *worker, const struct flow_key *key, bool src_first, struct arrival *arrival)
{
	if (arrival->seg.flags & (TCP_FIN | TCP_RST)) {
		emit_nothing(worker, arrival, COUNT_DROP_BAD_FLAGS);
		return;
	}
	/* To a port that is not guarded, but from one that is: split like all others, so that its segments can be told from
	 * those of connections that we do not hold, and then judged by its first bytes and relayed. */
	if (!worker->channel && is_guarded_port(worker, arrival->frame.dst_port)) {
		stray_refuse(worker, arrival, COUNT_REFUSED_DETACHED);
		return;
	}
	struct flow *flow = new_flow(worker, key);
	if (!flow) {
		emit_nothing(worker, arrival, COUNT_DROP_OUT_OF_MEMORY);
		return;
	}
	flow->client_wire = arrival->wire;
	flow->client_is_first = src_first;
	pass_syn(worker, flow, arrival);
}

/* --- the server's part --- */

struct tcp_seg adopt_note_syn_ack(struct worker *worker, struct flow *flow, const struct arrival *arrival)
{
	struct handshake *handshake = &flow->handshake;
	struct tcp_seg edited = edit_syn(worker, arrival);
	/* What was not offered (or was taken out of the offer) cannot be accepted. */
	if (handshake->wscale[SIDE_CLIENT] == TCP_WSCALE_NONE)
		edited.wscale = TCP_WSCALE_NONE;
	edited.sack_permitted = edited.sack_permitted && handshake->sack[SIDE_CLIENT];
	bool repeated = handshake->server_spoke;
	if (!repeated && handshake->syn_at)
		handshake->rtt_us[SIDE_SERVER] = worker->now - handshake->syn_at;
	handshake->syn_ack_at = repeated ? 0 : worker->now;
	handshake->server_spoke = true;
	handshake->server_window = edited.window;
	note(worker, flow, SIDE_SERVER, arrival, &edited);
	return edited;
}

static void pass_syn_ack(struct worker *worker, struct flow *flow, struct arrival *arrival)
{
	struct tcp_seg edited = adopt_note_syn_ack(worker, flow, arrival);
	pass_edited(worker, arrival, &edited);
}

/* A server that still holds an old connection answers with an ACK that the client resets (RFC 9293 3.5.1): it passes
 * bare, like a refusal. */
static void from_server(struct worker *worker, struct flow *flow, struct arrival *arrival)
{
	const struct tcp_seg *seg = &arrival->seg;
	struct seq expected = seq_add(flow->handshake.isn[SIDE_CLIENT], 1);
	bool acknowledges = (seg->flags & TCP_ACK) && seq_eq(seg->ack, expected);
	if (seg->flags & TCP_RST) {
		if (acknowledges)
			flow_free(&worker->flows, flow);
		adopt_pass_bare(worker, arrival);
	} else if (!(seg->flags & TCP_SYN)) {
		adopt_pass_bare(worker, arrival);
	} else if (!(seg->flags & TCP_ACK)) {
		emit_nothing(worker, arrival, COUNT_DROP_SIMULTANEOUS_OPEN);
	} else if (!acknowledges || (seg->flags & TCP_FIN)) {
		emit_nothing(worker, arrival, COUNT_DROP_NOT_OF_HANDSHAKE);
	} else {
		pass_syn_ack(worker, flow, arrival);
	}
}

/* --- the client's part --- */

/* Within the window that the server's SYN-ACK opened; data may overtake a lost ACK. */
static bool completes(const struct handshake *handshake, const struct tcp_seg *seg)
{
	struct seq first = seq_add(handshake->isn[SIDE_CLIENT], 1);
	return handshake->server_spoke && (seg->flags & TCP_ACK) && !(seg->flags & TCP_SYN) &&
		seq_eq(seg->ack, seq_add(handshake->isn[SIDE_SERVER], 1)) &&
		seq_in(seg->seq, first, (uint32_t)handshake->server_window + 1);
}

static void from_client(struct worker *worker, struct flow *flow, struct arrival *arrival)
{
	struct handshake *handshake = &flow->handshake;
	const struct tcp_seg *seg = &arrival->seg;
	if (seg->flags & TCP_RST) {
		if (seg->seq.v - handshake->isn[SIDE_CLIENT].v <= 1)
			flow_free(&worker->flows, flow);
		adopt_pass_bare(worker, arrival);
	} else if ((seg->flags & (TCP_SYN | TCP_ACK | TCP_FIN)) == TCP_SYN) {
		pass_syn(worker, flow, arrival);
	} else if (!completes(handshake, seg)) {
		emit_nothing(worker, arrival, COUNT_DROP_NOT_OF_HANDSHAKE);
	} else {
		if (handshake->syn_ack_at)
			handshake->rtt_us[SIDE_CLIENT] = worker->now - handshake->syn_ack_at;
		split_open(worker, flow, arrival);
	}
}

void adopt_segment(struct worker *worker, struct flow *flow, enum conn_side side, struct arrival *arrival)
{
	if (flow->own)
		dial_segment(worker, flow, side, arrival);
	else if (side == SIDE_SERVER)
		from_server(worker, flow, arrival);
	else
		from_client(worker, flow, arrival);
}

void adopt_expire(struct worker *worker)
{
	const struct flow_list *half_open = &worker->flows.list[FLOW_HALF_OPEN];
	for (struct flow *flow; (flow = TAILQ_FIRST(half_open)) && flow->expires <= worker->now;) {
		flow_free(&worker->flows, flow);
		count(worker, COUNT_HALF_OPEN_EXPIRED);
	}
}
