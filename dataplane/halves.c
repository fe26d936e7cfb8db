/* Two halves; see halves.h. */
#include "emit.h"
#include "halves.h"

static uint8_t agreed_wscale(const struct handshake *handshake, enum conn_side side)
{
	bool agreed = handshake->wscale[SIDE_CLIENT] != TCP_WSCALE_NONE && handshake->wscale[SIDE_SERVER] != TCP_WSCALE_NONE;
	return agreed ? handshake->wscale[side] : 0;
}

static bool has_timestamps(const struct handshake *handshake)
{
	return handshake->timestamps[SIDE_CLIENT] && handshake->timestamps[SIDE_SERVER];
}

/* Each half stands in for the far endpoint: it goes on from that one's sequence numbers. */
static struct tcp_conn *open_half(struct worker *worker, const struct flow *flow, enum conn_side near,
	uint32_t window)
{
	const struct handshake *handshake = &flow->handshake;
	enum conn_side far = side_other(near);
	uint16_t mss_max = worker->mss_limit[flow->path[near].family == FRAME_IPV6];
	const struct tcp_adoption adoption = {
		.snd_nxt = seq_add(handshake->isn[far], 1),
		.rcv_nxt = seq_add(handshake->isn[near], 1),
		.snd_wnd = window,
		.mss = handshake->mss[near] < mss_max ? handshake->mss[near] : mss_max,
		.snd_wscale = agreed_wscale(handshake, near),
		.rcv_wscale = agreed_wscale(handshake, far),
		.sack = handshake->sack[SIDE_CLIENT] && handshake->sack[SIDE_SERVER],
		.timestamps = has_timestamps(handshake),
		.ts_recent = handshake->ts_val[near],
		.ts_val = handshake->ts_val[far],
		.ecn = handshake->ecn[SIDE_CLIENT] && handshake->ecn[SIDE_SERVER],
		.rtt_us = handshake->rtt_us[near],
		.cc = TCP_CC_CUBIC,
		.budget = &worker->memory,
	};
	return tcp_new(&adoption, worker->now);
}

static void sum_up(struct worker *worker, const struct tcp_conn *conn)
{
	struct tcp_stats stats;
	tcp_stats(conn, &stats);
	counter_add(worker->counters, COUNT_RETRANSMITS, stats.retransmits);
	counter_add(worker->counters, COUNT_FAST_RETRANSMITS, stats.fast_retransmits);
	counter_add(worker->counters, COUNT_TIMEOUTS, stats.timeouts);
	counter_add(worker->counters, COUNT_OUT_OF_ORDER, stats.out_of_order);
	counter_add(worker->counters, COUNT_OUT_OF_WINDOW, stats.out_of_window);
	counter_add(worker->counters, COUNT_CHALLENGE_ACKS, stats.challenge_acks);
	counter_add(worker->counters, COUNT_WINDOW_PROBES, stats.window_probes);
	counter_add(worker->counters, COUNT_URGENT, stats.urgent);
	counter_add(worker->counters, COUNT_UNKEPT, stats.unkept);
}

void halves_free(struct worker *worker, struct flow *flow)
{
	for (unsigned side = 0; side < SIDES; side++) {
		struct half *half = &flow->half[side];
		if (half->conn)
			sum_up(worker, half->conn);
		tcp_free(half->conn);
		*half = (struct half){0};
	}
}

bool halves_open(struct worker *worker, struct flow *flow, uint16_t client_window)
{
	uint32_t window = (uint32_t)client_window << agreed_wscale(&flow->handshake, SIDE_CLIENT);
	flow->half[SIDE_CLIENT] = (struct half){.credit = CHANNEL_WINDOW};
	flow->half[SIDE_SERVER] = (struct half){.credit = CHANNEL_WINDOW};
	flow->half[SIDE_CLIENT].conn = open_half(worker, flow, SIDE_CLIENT, window);
	flow->half[SIDE_SERVER].conn = open_half(worker, flow, SIDE_SERVER, flow->handshake.server_window);
	if (flow->half[SIDE_CLIENT].conn && flow->half[SIDE_SERVER].conn)
		return true;
	halves_free(worker, flow);
	return false;
}

/* The ACK that the server waits for, with our window. Should it be lost, the answer to the repeated SYN-ACK replaces it. */
void halves_acknowledge(struct worker *worker, struct flow *flow)
{
	const struct handshake *handshake = &flow->handshake;
	uint32_t window = TCP_RECV_BYTES >> agreed_wscale(handshake, SIDE_CLIENT);
	struct tcp_seg ack = {
		.flags = TCP_ACK, .wscale = TCP_WSCALE_NONE, .window = window > UINT16_MAX ? UINT16_MAX : (uint16_t)window,
		.seq = seq_add(handshake->isn[SIDE_CLIENT], 1), .ack = seq_add(handshake->isn[SIDE_SERVER], 1),
		.has_timestamps = has_timestamps(handshake), .ts_val = handshake->ts_val[SIDE_CLIENT],
		.ts_ecr = handshake->ts_val[SIDE_SERVER]};
	emit_segment(worker, flow_wire(flow, SIDE_SERVER), &flow->path[SIDE_SERVER], &ack);
}
