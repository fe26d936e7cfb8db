/* A split connection; see split.h. */
#include <errno.h>

#include <rte_mbuf.h>

#include "emit.h"
#include "halves.h"
#include "notice.h"
#include "relay.h"
#include "split.h"
#include "stray.h"
#include "watch.h"

/* Whoever has credit finds room in the send queue. */
static_assert((int)CHANNEL_WINDOW <= (int)TCP_SEND_BYTES / 2, "see tcp_excess()");

static struct flow_list *list_of(struct worker *worker, enum flow_turn turn)
{
	return turn == TURN_BUSY ? &worker->busy : &worker->starved;
}

static void set_turn(struct worker *worker, struct flow *flow, enum flow_turn turn)
{
	if (flow->turn == turn)
		return;
	if (flow->turn != TURN_NONE)
		TAILQ_REMOVE(list_of(worker, flow->turn), flow, queue);
	if (turn != TURN_NONE)
		TAILQ_INSERT_TAIL(list_of(worker, turn), flow, queue);
	flow->turn = turn;
}

/* Says something upward. If it cannot be said the channel is broken, which the round finds out at its end. */
static void tell(struct worker *worker, const struct flow *flow, enum msg_type type, enum conn_side side)
{
	if (worker->channel && flow->via == VIA_CHANNEL && channel_send(worker->channel, type, side, flow->id, NULL, 0))
		return;
}

static bool is_by_content(const struct worker *worker, const struct flow *flow)
{
	const struct path *path = &flow->path[SIDE_SERVER];
	return !is_guarded_port(worker, path->dst_port) && !is_guarded_port(worker, path->src_port);
}

void half_discard(struct half *half)
{
	const uint8_t *bytes;
	for (size_t n; (n = tcp_peek(half->conn, &bytes));)
		tcp_consume(half->conn, n);
}

static void let_go(struct worker *worker, struct flow *flow)
{
	halves_free(worker, flow);
	set_turn(worker, flow, TURN_NONE);
	deadline_disarm(&worker->deadlines, flow);
}

/* --- opening --- */

static void set_vlans(uint16_t vlan[2], const struct path_link *link)
{
	for (unsigned i = 0; i < link->tags && i < FRAME_TAGS_MAX; i++)
		vlan[i] = link->tag[i].tci & 0x0fff;
}

static void tell_opened(struct worker *worker, const struct flow *flow)
{
	const struct path *to_server = &flow->path[SIDE_SERVER];
	struct msg_opened opened = {.family = to_server->family, .client_wire = (uint8_t)flow->client_wire,
		.client_port = to_server->src_port, .server_port = to_server->dst_port, .own = flow->own};
	set_vlans(opened.client_vlan, &flow->link[SIDE_CLIENT]);
	set_vlans(opened.server_vlan, &flow->link[SIDE_SERVER]);
	memcpy(opened.client_addr, to_server->src, sizeof(opened.client_addr));
	memcpy(opened.server_addr, to_server->dst, sizeof(opened.server_addr));
	if (channel_send(worker->channel, MSG_OPENED, SIDE_CLIENT, flow->id, &opened, sizeof(opened)))
		return; /* broken: found at the end of the round */
}

void split_into_channel(struct worker *worker, struct flow *flow)
{
	flow->via = VIA_CHANNEL;
	count(worker, COUNT_ADOPTED);
	tell_opened(worker, flow);
}

/* The client is the guard itself: nothing comes from there, and nothing is sent there. */
static void leave_out_client(struct flow *flow)
{
	flow->half[SIDE_CLIENT].over = true;
	flow->half[SIDE_CLIENT].upward = UPWARD_DONE;
	flow->half[SIDE_CLIENT].downward = DOWNWARD_ENDED;
}

bool split_take_over(struct worker *worker, struct flow *flow, enum flow_via via, uint16_t client_window)
{
	struct flow_table *flows = &worker->flows;
	bool has_reader = worker->channel || via != VIA_CHANNEL, has_room = !flow_list_is_full(flows, FLOW_SPLIT);
	if (has_reader && has_room && halves_open(worker, flow, client_window)) {
		flow->via = via;
		flow_set_state(flows, flow, FLOW_SPLIT);
		flow_name(flows, flow);
		if (flow->own)
			leave_out_client(flow);
		if (via == VIA_CHANNEL)
			split_into_channel(worker, flow);
		else
			count(worker, COUNT_RELAYED);
		halves_acknowledge(worker, flow);
		return true;
	}
	count(worker, !has_reader ? COUNT_REFUSED_DETACHED : !has_room ? COUNT_REFUSED_FULL : COUNT_DROP_OUT_OF_MEMORY);
	return false;
}

/* If it is refused, the server has a connection by now, or thinks so: it is told as well as the client. */
void split_open(struct worker *worker, struct flow *flow, struct arrival *arrival)
{
	bool is_to_guarded = is_guarded_port(worker, flow->path[SIDE_SERVER].dst_port);
	if (split_take_over(worker, flow, is_to_guarded ? VIA_CHANNEL : VIA_JUDGE, arrival->seg.window)) {
		split_segment(worker, flow, SIDE_CLIENT, arrival);
	} else {
		split_forget(worker, flow);
		stray_segment(worker, arrival);
	}
}

/* --- from the wire --- */

/* An endpoint hears from us that the other one is alive only when that one has said so. */
static void ask_other(struct flow *flow, enum conn_side side)
{
	if (flow->own || !tcp_keepalive(flow->half[side_other(side)].conn))
		tcp_answer(flow->half[side].conn);
}

/* A router may have been replaced, and said so to the other endpoint while that one had nothing to send. When it speaks,
 * its frames show where those to this endpoint go by now. */
static void look_for_the_way(struct flow *flow, enum conn_side side)
{
	if (flow->own || !tcp_keepalive(flow->half[side_other(side)].conn))
		return; /* it is gone, and shows nothing any more */
}

static void note_events(struct worker *worker, struct flow *flow, enum conn_side side, unsigned events)
{
	struct half *half = &flow->half[side];
	if (events & TCP_EV_OVERLAP) {
		count(worker, COUNT_OVERLAPS);
		notice(worker, NOTICE_CONFLICT, true, flow_wire(flow, side), &flow->path[side_other(side)]);
	}
	if (events & TCP_EV_UNANSWERED)
		look_for_the_way(flow, side);
	if (events & TCP_EV_TIMED_OUT)
		count(worker, COUNT_CONNECTIONS_TIMED_OUT);
	if (events & TCP_EV_KEEPALIVE)
		ask_other(flow, side);
	if (events & TCP_EV_ALIVE)
		tcp_answer(flow->half[side_other(side)].conn);
	if ((events & TCP_EV_FIN) && half->upward == UPWARD_OPEN)
		half->upward = UPWARD_FIN_SEEN;
	if ((events & (TCP_EV_RESET | TCP_EV_TIMED_OUT)) && !half->over) {
		if (half->downward != DOWNWARD_RESET)
			tell(worker, flow, MSG_RESET, side);
		count(worker, COUNT_CONNECTIONS_RESET);
		half->upward = UPWARD_DONE;
	}
	if (events & (TCP_EV_FINISHED | TCP_EV_RESET | TCP_EV_TIMED_OUT))
		half->over = true;
}

/* To another address or VLAN a connection is moved only by what its endpoint may have said. */
static void follow(struct worker *worker, struct flow *flow, enum conn_side side, const struct arrival *arrival)
{
	if (!path_link_differs(&flow->link[side], &arrival->frame) ||
		!tcp_believes(flow->half[side].conn, worker->now, &arrival->seg))
		return;
	path_follow(&flow->path[side_other(side)], &flow->path[side], &flow->link[side], &arrival->frame);
	for (unsigned end = 0; end < SIDES; end++)
		tcp_path_changed(flow->half[end].conn, worker->now);
}

void split_segment(struct worker *worker, struct flow *flow, enum conn_side side, struct arrival *arrival)
{
	if (flow->own && side == SIDE_CLIENT) {
		emit_nothing(worker, arrival, COUNT_DROP_NOT_OF_HANDSHAKE);
		return;
	}
	count(worker, COUNT_SEGMENTS_IN);
	follow(worker, flow, side, arrival);
	note_events(worker, flow, side, tcp_input(flow->half[side].conn, worker->now, &arrival->seg));
	set_turn(worker, flow, TURN_BUSY);
	rte_pktmbuf_free(arrival->mbuf);
}

bool split_too_big(struct worker *worker, struct flow *flow, enum conn_side side, struct seq quoted, uint16_t mss)
{
	bool believed = tcp_path_mss(flow->half[side].conn, quoted, mss);
	if (believed)
		set_turn(worker, flow, TURN_BUSY);
	return believed;
}

/* --- upward --- */

/* Sends up what was read, as far as credit and room allow; false: there was no room. */
static bool send_up(struct worker *worker, const struct flow *flow, enum conn_side side, struct half *half)
{
	const uint8_t *bytes;
	for (size_t n; half->credit && (n = tcp_peek(half->conn, &bytes));) {
		size_t room = channel_room(worker->channel);
		if (!room)
			return false;
		if (n > half->credit)
			n = half->credit;
		if (n > CHANNEL_PAYLOAD_MAX)
			n = CHANNEL_PAYLOAD_MAX;
		if (n > room)
			n = room;
		if (channel_send(worker->channel, MSG_BYTES, side, flow->id, bytes, (uint32_t)n))
			return true; /* broken */
		counter_add(worker->counters, COUNT_BYTES_UP, n);
		half->credit -= (uint32_t)n;
		tcp_consume(half->conn, n);
	}
	return true;
}

static bool pump_up(struct worker *worker, struct flow *flow, enum conn_side side)
{
	struct half *half = &flow->half[side];
	const uint8_t *bytes;
	if (half->upward == UPWARD_DONE || flow->state == FLOW_OVER || !worker->channel) {
		half_discard(half);
		return true;
	}
	bool had_room = send_up(worker, flow, side, half);
	if (half->upward == UPWARD_FIN_SEEN && !tcp_peek(half->conn, &bytes)) {
		tell(worker, flow, MSG_END_OF_STREAM, side);
		half->upward = UPWARD_DONE;
	}
	return had_room;
}

int split_credit(struct worker *worker, struct flow *flow, enum conn_side side, uint32_t bytes)
{
	struct half *half = &flow->half[side];
	if (bytes > CHANNEL_WINDOW - half->credit)
		return -EPROTO;
	half->credit += bytes;
	set_turn(worker, flow, TURN_BUSY);
	return 0;
}

/* --- downward --- */

int split_bytes(struct worker *worker, struct flow *flow, enum conn_side side, const uint8_t *bytes, uint32_t n)
{
	struct half *half = &flow->half[side];
	if (half->downward != DOWNWARD_OPEN || n > CHANNEL_WINDOW - half->queued)
		return -EPROTO;
	half->queued += n;
	counter_add(worker->counters, COUNT_BYTES_DOWN, n);
	set_turn(worker, flow, TURN_BUSY);
	int rc = tcp_write(half->conn, bytes, n);
	if (rc == -EPIPE)
		return 0; /* the endpoint is gone, which was said or will be */
	if (rc) {
		count(worker, COUNT_DROP_OUT_OF_MEMORY);
		tcp_reset(half->conn, worker->now, 0);
		note_events(worker, flow, side, TCP_EV_RESET);
	}
	return 0;
}

int split_end_of_stream(struct worker *worker, struct flow *flow, enum conn_side side)
{
	struct half *half = &flow->half[side];
	if (half->downward != DOWNWARD_OPEN)
		return -EPROTO;
	half->downward = DOWNWARD_ENDED;
	tcp_shutdown(half->conn);
	set_turn(worker, flow, TURN_BUSY);
	return 0;
}

/* Whoever resets an endpoint does not want to hear of it again. */
void split_reset(struct worker *worker, struct flow *flow, enum conn_side side)
{
	struct half *half = &flow->half[side];
	half->downward = DOWNWARD_RESET;
	half->upward = UPWARD_DONE;
	tcp_reset(half->conn, worker->now, SPLIT_RESET_LINGER_US);
	set_turn(worker, flow, TURN_BUSY);
}

/* What the path can take soon needs no credit any more: so long round trips are filled. */
static void give_credit(struct worker *worker, const struct flow *flow, enum conn_side side, struct half *half)
{
	size_t excess = tcp_excess(half->conn);
	if (half->over || half->queued <= excess)
		return;
	struct msg_credit credit = {half->queued - (uint32_t)excess};
	if (credit.bytes < SPLIT_CREDIT_BYTES && tcp_unacked(half->conn))
		return;
	half->queued = (uint32_t)excess;
	if (channel_send(worker->channel, MSG_CREDIT, side, flow->id, &credit, sizeof(credit)))
		return; /* broken */
}

static void send_segments(struct worker *worker, struct flow *flow, enum conn_side side)
{
	struct tcp_seg seg;
	unsigned events = 0;
	if (flow->own && side == SIDE_CLIENT)
		return;
	while (tcp_output(flow->half[side].conn, worker->now, &seg, &events))
		emit_segment(worker, flow_wire(flow, side), &flow->path[side], &seg);
	note_events(worker, flow, side, events);
}

/* --- closing --- */

void split_forget(struct worker *worker, struct flow *flow)
{
	let_go(worker, flow);
	watch_free(worker, flow);
	flow_free(&worker->flows, flow);
}

/* On a port that is not configured nothing would stop an end that did not hear of it: so it is not just forgotten. */
bool split_end(struct worker *worker, struct flow *flow)
{
	let_go(worker, flow);
	return watch_block(worker, flow);
}

static void end(struct worker *worker, struct flow *flow)
{
	if (!is_by_content(worker, flow))
		split_forget(worker, flow);
	else if (!split_end(worker, flow))
		count(worker, COUNT_DROP_OUT_OF_MEMORY);
}

static bool is_finished(const struct half *half)
{
	return half->over && half->upward == UPWARD_DONE;
}

/* The halves are kept for a while, to answer whoever did not hear our last word. */
static void close_if_finished(struct worker *worker, struct flow *flow)
{
	if (flow->state == FLOW_OVER || !is_finished(&flow->half[SIDE_CLIENT]) || !is_finished(&flow->half[SIDE_SERVER]))
		return;
	tell(worker, flow, MSG_CLOSED, SIDE_CLIENT);
	if (flow->via == VIA_CHANNEL)
		count(worker, COUNT_CLOSED);
	flow_set_state(&worker->flows, flow, FLOW_OVER);
	flow->expires = worker->now + SPLIT_OVER_US;
}

void split_expire(struct worker *worker)
{
	const struct flow_list *over = &worker->flows.list[FLOW_OVER];
	for (struct flow *flow; (flow = TAILQ_FIRST(over)) && flow->expires <= worker->now;)
		end(worker, flow);
}

void split_reset_all(struct worker *worker)
{
	const struct flow_list *split = &worker->flows.list[FLOW_SPLIT], *over = &worker->flows.list[FLOW_OVER];
	for (struct flow *flow = TAILQ_FIRST(split), *next; flow; flow = next) {
		next = TAILQ_NEXT(flow, order);
		if (flow->via != VIA_CHANNEL)
			continue;
		for (unsigned side = 0; side < SIDES; side++) {
			tcp_reset(flow->half[side].conn, worker->now, 0);
			send_segments(worker, flow, side);
		}
		count(worker, COUNT_CLOSED);
		end(worker, flow);
	}
	for (struct flow *flow; (flow = TAILQ_FIRST(over));)
		end(worker, flow);
}

/* --- once for all that happened in a round --- */

static void run(struct worker *worker, struct flow *flow)
{
	bool starved = false;
	relay_run(worker, flow);
	for (unsigned side = 0; side < SIDES; side++) {
		starved |= flow->via == VIA_CHANNEL && !pump_up(worker, flow, side);
		send_segments(worker, flow, side);
		if (worker->channel && flow->state == FLOW_SPLIT && flow->via == VIA_CHANNEL)
			give_credit(worker, flow, side, &flow->half[side]);
	}
	close_if_finished(worker, flow);
	uint64_t next[SIDES] = {flow->own ? UINT64_MAX : tcp_next(flow->half[SIDE_CLIENT].conn),
		tcp_next(flow->half[SIDE_SERVER].conn)};
	deadline_arm(&worker->deadlines, flow, next[0] < next[1] ? next[0] : next[1]);
	if (starved)
		set_turn(worker, flow, TURN_STARVED);
}

void split_run_busy(struct worker *worker)
{
	for (struct flow *flow; (flow = TAILQ_FIRST(&worker->busy));) {
		set_turn(worker, flow, TURN_NONE);
		if (flow->state == FLOW_SPLIT || flow->state == FLOW_OVER)
			run(worker, flow);
		else
			watch_run(worker, flow);
	}
}

void split_feed_starved(struct worker *worker)
{
	if (TAILQ_EMPTY(&worker->starved) || (worker->channel && !channel_room(worker->channel)))
		return;
	for (struct flow *flow; (flow = TAILQ_FIRST(&worker->starved));)
		set_turn(worker, flow, TURN_BUSY);
}

unsigned split_run_deadlines(struct worker *worker)
{
	unsigned n = 0;
	for (struct flow *flow; (flow = deadline_pop(&worker->deadlines, worker->now)); n++)
		set_turn(worker, flow, TURN_BUSY);
	return n;
}
