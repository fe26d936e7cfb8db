/* From half to half; see relay.h. */
#include "opening.h"
#include "relay.h"
#include "split.h"
#include "watch.h"

static void relay_end(struct worker *worker, const struct half *from, struct half *to)
{
	if (from->over && to->downward == DOWNWARD_OPEN) {
		to->downward = DOWNWARD_RESET;
		tcp_reset(to->conn, worker->now, SPLIT_RESET_LINGER_US);
	} else if (from->upward == UPWARD_FIN_SEEN && to->downward == DOWNWARD_OPEN) {
		to->downward = DOWNWARD_ENDED;
		tcp_shutdown(to->conn);
	}
}

/* What does not fit stays, and closes the sender's window. */
static void relay(struct worker *worker, struct half *from, struct half *to)
{
	const uint8_t *bytes;
	for (size_t n; (n = tcp_peek(from->conn, &bytes));) {
		size_t room = tcp_excess(to->conn) ? 0 : tcp_write_room(to->conn);
		n = n < room ? n : room;
		if (!n)
			return;
		if (tcp_write(to->conn, bytes, n)) {
			half_discard(from);
			break;
		}
		counter_add(worker->counters, COUNT_BYTES_RELAYED, n);
		tcp_consume(from->conn, n);
	}
	relay_end(worker, from, to);
	if (from->upward == UPWARD_FIN_SEEN)
		from->upward = UPWARD_DONE;
}

/* The far half's own side is done with, too: it has nothing to say to somebody who was reset. */
static void refuse_found(struct worker *worker, struct flow *flow)
{
	count(worker, COUNT_BLOCKED);
	for (unsigned side = 0; side < SIDES; side++) {
		split_reset(worker, flow, side);
		tcp_reset(flow->half[side].conn, worker->now, 0);
	}
	flow->via = VIA_RELAY;
}

/* By the first bytes of the client, which its half has put in order. */
static void judge(struct worker *worker, struct flow *flow)
{
	struct half *client = &flow->half[SIDE_CLIENT];
	const uint8_t *bytes;
	size_t n = tcp_peek(client->conn, &bytes);
	enum opening opening = n ? opening_judge(bytes, n) : OPENING_MORE;
	if (opening == OPENING_MORE && client->upward == UPWARD_OPEN)
		return;
	enum watch_verdict verdict = watch_verdict(worker, flow, opening);
	if (verdict == WATCH_PASS)
		flow->via = VIA_RELAY;
	else if (verdict == WATCH_BLOCK || !worker->channel)
		refuse_found(worker, flow);
	else
		split_into_channel(worker, flow);
}

void relay_run(struct worker *worker, struct flow *flow)
{
	struct half *client = &flow->half[SIDE_CLIENT], *server = &flow->half[SIDE_SERVER];
	if (flow->state == FLOW_SPLIT && flow->via == VIA_JUDGE)
		judge(worker, flow);
	if (flow->via == VIA_CHANNEL)
		return;
	relay(worker, server, client);
	if (flow->via == VIA_RELAY)
		relay(worker, client, server);
}
