/*
 * The first decision about a frame; see bridge.h. What is neither TCP nor QUIC leaves as it came. What may be TCP of a
 * guarded port but cannot be read with certainty goes nowhere: somebody else might read it.
 */
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "adopt.h"
#include "bridge.h"
#include "emit.h"
#include "handover.h"
#include "icmp.h"
#include "notice.h"
#include "opening.h"
#include "split.h"
#include "stray.h"
#include "watch.h"

enum { WEB_PORT = 443, PREFETCH_AHEAD = 4 };

static bool is_guarded(const struct worker *worker, const struct frame *frame)
{
	return is_guarded_port(worker, frame->src_port) || is_guarded_port(worker, frame->dst_port);
}

static enum dataplane_counter segment_fault(struct arrival *arrival)
{
	const struct frame *frame = &arrival->frame;
	if (frame_is_group_addressed(frame))
		return COUNT_DROP_GROUP_ADDRESSED;
	if (frame->tags > FRAME_TAGS_MAX)
		return COUNT_DROP_TOO_MANY_TAGS;
	if (!frame_has_good_checksums(frame))
		return COUNT_DROP_BAD_CHECKSUM;
	if (tcp_seg_parse(&arrival->seg, frame->bytes + frame->tcp, frame->tcp_len))
		return COUNT_DROP_MALFORMED;
	arrival->seg.ce = frame_met_congestion(frame);
	if (!memcmp(frame->src, frame->dst, frame_address_bytes(frame)) && frame->src_port == frame->dst_port)
		return COUNT_DROP_TO_ITSELF;
	return DATAPLANE_COUNTERS_END;
}

static bool is_syn(const struct tcp_seg *seg)
{
	return (seg->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

static void guard_flow(struct worker *worker, struct flow *flow, enum conn_side side, struct arrival *arrival)
{
	if (arrival->wire != flow_wire(flow, side))
		emit_nothing(worker, arrival, COUNT_DROP_WRONG_WIRE);
	else if (flow->state == FLOW_HALF_OPEN)
		adopt_segment(worker, flow, side, arrival);
	else
		split_segment(worker, flow, side, arrival);
}

static void guard(struct worker *worker, struct arrival *arrival)
{
	enum dataplane_counter fault = segment_fault(arrival);
	if (fault != DATAPLANE_COUNTERS_END) {
		emit_nothing(worker, arrival, fault);
		return;
	}
	struct flow_key key;
	bool src_first = flow_key_of(&key, &arrival->frame);
	struct flow *flow = flow_find(&worker->flows, &key);
	if (is_syn(&arrival->seg) && (!flow || flow->state == FLOW_OVER))
		adopt_syn(worker, &key, src_first, arrival);
	else if (flow)
		guard_flow(worker, flow, src_first == flow->client_is_first ? SIDE_CLIENT : SIDE_SERVER, arrival);
	else
		stray_segment(worker, arrival);
}

/* --- ports that are not guarded --- */

/* Bridged, unless it belongs to a connection that is watched, or guarded after all. What has a fault its receiver does not
 * take either. */
static void look(struct worker *worker, struct flow *flow, const struct flow_key *key, bool src_first,
	struct arrival *arrival)
{
	bool is_split = flow && (flow->state == FLOW_SPLIT || flow->state == FLOW_OVER);
	enum dataplane_counter fault = segment_fault(arrival);
	enum conn_side side = flow && src_first == flow->client_is_first ? SIDE_CLIENT : SIDE_SERVER;
	if (fault != DATAPLANE_COUNTERS_END && is_split)
		emit_nothing(worker, arrival, fault);
	else if (fault != DATAPLANE_COUNTERS_END)
		emit_as_it_came(worker, arrival);
	else if (is_syn(&arrival->seg) && (!flow || flow->state != FLOW_SPLIT))
		watch_syn(worker, flow, key, src_first, arrival);
	else if (!flow)
		emit_as_it_came(worker, arrival);
	else if (is_split)
		guard_flow(worker, flow, side, arrival);
	else
		watch_segment(worker, flow, side, arrival);
}

static bool watches(const struct worker *worker)
{
	return worker->elsewhere != ELSEWHERE_FORWARD || worker->websocket != ANSWER_FORWARD;
}

static void tcp_elsewhere(struct worker *worker, struct arrival *arrival)
{
	const struct frame *frame = &arrival->frame;
	bool may_begin = frame_tcp_flags(frame, TCP_SYN | TCP_ACK) == TCP_SYN;
	struct flow_key key;
	if (!watches(worker) || (!may_begin && !flow_may_exist(&worker->flows, frame))) {
		emit_as_it_came(worker, arrival);
		return;
	}
	bool src_first = flow_key_of(&key, frame);
	struct flow *flow = flow_find(&worker->flows, &key);
	if (!flow && (!may_begin || frame->kind == FRAME_TCP_PART))
		emit_as_it_came(worker, arrival);
	else if (frame->kind == FRAME_TCP_PART)
		emit_nothing(worker, arrival, COUNT_DROP_PART);
	else
		look(worker, flow, &key, src_first, arrival);
}

/* One too short to show its flags may be a SYN. */
bool bridge_wants_whole(const struct worker *worker, const struct frame *frame)
{
	struct flow_key key;
	if (is_guarded(worker, frame))
		return true;
	if (!watches(worker))
		return false;
	if (frame->tcp_len < FRAME_TCP_FLAGS_BYTES || frame_tcp_flags(frame, TCP_SYN))
		return true;
	flow_key_of(&key, frame);
	return flow_may_exist(&worker->flows, frame) && flow_find(&worker->flows, &key);
}

static void datagram(struct worker *worker, struct arrival *arrival)
{
	const struct frame *frame = &arrival->frame;
	const uint8_t *payload = frame->bytes + frame->tcp + FRAME_UDP_BYTES;
	bool is_of_web = frame->src_port == WEB_PORT || frame->dst_port == WEB_PORT;
	if (worker->quic == ANSWER_FORWARD || !opening_is_quic(payload, frame->tcp_len - FRAME_UDP_BYTES, is_of_web)) {
		emit_as_it_came(worker, arrival);
		return;
	}
	struct path path;
	path_of_frame(&path, frame);
	count(worker, COUNT_QUIC);
	notice(worker, NOTICE_QUIC, worker->quic == ANSWER_BLOCK, arrival->wire, &path);
	if (worker->quic == ANSWER_BLOCK)
		emit_nothing(worker, arrival, COUNT_DROP_QUIC);
	else
		emit_as_it_came(worker, arrival);
}

/* --- */

static void decide_whole(struct worker *worker, struct arrival *arrival)
{
	const struct frame *frame = &arrival->frame;
	if (!is_guarded(worker, frame))
		tcp_elsewhere(worker, arrival);
	else if (frame->kind == FRAME_TCP_PART)
		emit_nothing(worker, arrival, COUNT_DROP_PART);
	else
		guard(worker, arrival);
}

static void parse(struct arrival *arrival)
{
	frame_parse(&arrival->frame, rte_pktmbuf_mtod(arrival->mbuf, uint8_t *), arrival->mbuf->data_len);
}

static void decide_fragment(struct worker *worker, struct arrival *arrival)
{
	if (!fragments_arrive(worker, arrival))
		return;
	parse(arrival);
	if (arrival->frame.kind == FRAME_TCP)
		decide_whole(worker, arrival);
	else
		emit_nothing(worker, arrival, COUNT_DROP_UNREADABLE);
}

static void decide(struct worker *worker, struct arrival *arrival)
{
	struct rte_mbuf *mbuf = arrival->mbuf;
	if (worker->blocks_alone && !worker->channel) {
		emit_nothing(worker, arrival, COUNT_DROP_NOBODY_ABOVE);
		return;
	}
	if (mbuf->nb_segs > 1 && rte_pktmbuf_linearize(mbuf)) {
		emit_nothing(worker, arrival, COUNT_DROP_SCATTERED);
		return;
	}
	const struct frame *frame = &arrival->frame;
	parse(arrival);
	if (frame->kind == FRAME_UNREADABLE)
		emit_nothing(worker, arrival, COUNT_DROP_UNREADABLE);
	else if (frame->kind == FRAME_TOO_BIG)
		icmp_too_big(worker, arrival);
	else if (frame->kind == FRAME_OTHER)
		emit_as_it_came(worker, arrival);
	else if (frame->kind == FRAME_UDP)
		datagram(worker, arrival);
	else if (frame->kind == FRAME_FRAGMENT)
		decide_fragment(worker, arrival);
	else
		decide_whole(worker, arrival);
}

static void decide_all(struct worker *worker, enum wire wire, struct rte_mbuf *const *mbufs, unsigned n)
{
	struct arrival arrival;
	arrival.wire = wire;
	for (unsigned i = 0; i < n; i++) {
		if (i + PREFETCH_AHEAD < n)    /* a NIC writes to memory, not to our caches */
			rte_prefetch0(rte_pktmbuf_mtod(mbufs[i + PREFETCH_AHEAD], void *));
		arrival.mbuf = mbufs[i];
		decide(worker, &arrival);
	}
}

unsigned bridge_receive(struct worker *worker, enum wire wire)
{
	struct rte_mbuf *mbufs[PORT_BURST];
	const struct port *port = &worker->port[wire];
	unsigned handed = worker->handover ? handover_take(worker, wire, mbufs, PORT_BURST) : 0;
	decide_all(worker, wire, mbufs, handed);
	if (!port->polled)
		return handed;
	unsigned n = rte_eth_rx_burst(port->id, port->rx_queue, mbufs, PORT_BURST);
	decide_all(worker, wire, mbufs, worker->handover && n ? handover_give(worker, wire, mbufs, n) : n);
	return handed + n;
}
