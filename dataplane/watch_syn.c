/* The handshakes of connections that are watched; see watch.h. */
#include <stdlib.h>

#include <rte_mbuf.h>

#include "emit.h"
#include "opening.h"
#include "split.h"
#include "watch.h"

static void begin_watch(struct worker *worker, struct flow *flow, const struct arrival *arrival)
{
	struct watch *watch = flow->watch;
	path_of_frame(&flow->path[SIDE_CLIENT], &arrival->frame);
	path_link_set(&flow->link[SIDE_SERVER], &arrival->frame);
	handshake_note(&flow->handshake, SIDE_SERVER, &arrival->seg, arrival->frame.family);
	if (flow->handshake.syn_at)
		flow->handshake.rtt_us[SIDE_SERVER] = worker->now - flow->handshake.syn_at;
	flow->handshake.server_spoke = true;
	flow->handshake.server_window = arrival->seg.window;
	watch->server_next = watch->server_acked = seq_add(arrival->seg.seq, 1);
	watch->server_ended = false;
	watch_set_state(worker, flow, FLOW_WATCHED);
}

/* Of several SYNs the server knows which one has reached it. */
static bool answers(struct handshake *handshake, const struct tcp_seg *seg)
{
	if (handshake->is_doubtful)
		handshake->isn[SIDE_CLIENT] = seq_add(seg->ack, (uint32_t)-1);
	return seq_eq(seg->ack, seq_add(handshake->isn[SIDE_CLIENT], 1));
}

/* The server has taken data of the SYN (RFC 7413), which were judged when they passed. */
static bool takes_data(const struct handshake *handshake, const struct tcp_seg *seg)
{
	return seq_in(seg->ack, seq_add(handshake->isn[SIDE_CLIENT], 2), handshake->syn_bytes);
}

static void first_answer(struct worker *worker, struct flow *flow, const struct arrival *arrival)
{
	if (answers(&flow->handshake, &arrival->seg)) {
		flow->watch = calloc(1, sizeof(*flow->watch));
		if (flow->watch)
			begin_watch(worker, flow, arrival);
		else
			split_forget(worker, flow);
	} else if (takes_data(&flow->handshake, &arrival->seg)) {
		split_forget(worker, flow);
	}
}

/* A new connection on the same ports begins, once it is answered. */
static bool begins_again(struct worker *worker, struct flow *flow, const struct arrival *arrival)
{
	struct watch *watch = flow->watch;
	bool is_repeated = flow->state != FLOW_BLOCKED &&
		seq_eq(arrival->seg.ack, seq_add(flow->handshake.isn[SIDE_CLIENT], 1));
	if (!watch || !watch->has_again || is_repeated || !answers(&watch->again, &arrival->seg))
		return false;
	struct handshake handshake = watch->again;
	watch_free(worker, flow);
	flow->watch = calloc(1, sizeof(*flow->watch));
	if (!flow->watch)
		return false;
	flow->handshake = handshake;
	begin_watch(worker, flow, arrival);
	return true;
}

void watch_syn_ack(struct worker *worker, struct flow *flow, struct arrival *arrival)
{
	if (flow->state == FLOW_SEEN) {
		first_answer(worker, flow, arrival);
	} else if (!begins_again(worker, flow, arrival) && flow->state == FLOW_BLOCKED) {
		watch_blocked_segment(worker, flow, arrival);
		return;
	}
	emit_as_it_came(worker, arrival);
}

static struct flow *see(struct worker *worker, const struct flow_key *key, bool src_first, const struct arrival *arrival)
{
	struct flow_table *flows = &worker->flows;
	if (flow_list_is_full(flows, FLOW_SEEN)) {
		split_forget(worker, TAILQ_FIRST(&flows->list[FLOW_SEEN]));
		count(worker, COUNT_WATCH_EVICTED);
	}
	struct flow *flow = flow_new(flows, key, FLOW_SEEN);
	if (!flow)
		return NULL;
	flow->client_wire = arrival->wire;
	flow->client_is_first = src_first;
	path_of_frame(&flow->path[SIDE_SERVER], &arrival->frame);
	path_link_set(&flow->link[SIDE_CLIENT], &arrival->frame);
	return flow;
}

/* One that differs from the one before may be a decoy that the server never sees. */
static void note_syn(struct worker *worker, struct handshake *handshake, bool is_first, const struct arrival *arrival)
{
	bool repeated = !is_first && seq_eq(handshake->isn[SIDE_CLIENT], arrival->seg.seq);
	*handshake = (struct handshake){.syn_at = is_first ? worker->now : 0,
		.is_doubtful = !is_first && (handshake->is_doubtful || !repeated), .syn_bytes = (uint16_t)arrival->seg.len};
	handshake_note(handshake, SIDE_CLIENT, &arrival->seg, arrival->frame.family);
}

/* What may become XMPP is cut off a SYN; it is sent again after the handshake. */
static void cut_data(struct arrival *arrival)
{
	struct tcp_seg *seg = &arrival->seg;
	if (!seg->len || opening_judge(seg->data, seg->len) == OPENING_OTHER)
		return;
	arrival->mbuf->data_len = (uint16_t)frame_seal(&arrival->frame, arrival->frame.tcp_len - seg->len);
	arrival->mbuf->pkt_len = arrival->mbuf->data_len;
	seg->len = 0;
}

/* Of a connection that we know: it may be about to be replaced by a new one, which its answer will tell. */
static void syn_again(struct worker *worker, struct flow *flow, bool is_new, const struct arrival *arrival)
{
	if (flow->state == FLOW_SEEN) {
		note_syn(worker, &flow->handshake, is_new, arrival);
		flow->expires = worker->now + WATCH_SEEN_US;
		flow_touch(&worker->flows, flow);
	} else if (flow->watch) {
		note_syn(worker, &flow->watch->again, !flow->watch->has_again, arrival);
		flow->watch->has_again = true;
	}
}

void watch_syn(struct worker *worker, struct flow *flow, const struct flow_key *key, bool src_first,
	struct arrival *arrival)
{
	bool is_new = !flow;
	cut_data(arrival);
	if (flow && flow->state == FLOW_OVER && !split_end(worker, flow)) {
		emit_nothing(worker, arrival, COUNT_DROP_OUT_OF_MEMORY);
		return;
	}
	if (!flow) {
		flow = see(worker, key, src_first, arrival);
		if (!flow) {
			emit_nothing(worker, arrival, COUNT_DROP_OUT_OF_MEMORY);
			return;
		}
	}
	if (flow->client_is_first == src_first && flow->client_wire == arrival->wire)
		syn_again(worker, flow, is_new, arrival);
	emit_as_it_came(worker, arrival);
}
