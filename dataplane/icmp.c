/* Packets that were too big; see icmp.h. */
#include "emit.h"
#include "icmp.h"
#include "split.h"

enum {
	TCP_HEADER_BYTES = 20,
	QUOTED_TCP_BYTES = 8,          /* ports and sequence number: all that RFC 792 promises */
	MTU_LEAST_IPV4 = 576,          /* what every host can put together (RFC 791 3.2) */
	MTU_LEAST_IPV6 = 1280,
};

/* The packet that was too big, as far as it was quoted. */
struct quote {
	struct frame frame;            /* addresses and ports; the rest is not set */
	struct seq seq;
	uint16_t total;                /* its length, for IPv4 */
};

static void take_tcp(struct quote *quote, const uint8_t *tcp)
{
	quote->frame.src_port = get16(tcp);
	quote->frame.dst_port = get16(tcp + 2);
	quote->seq = seq_of(get32(tcp + 4));
}

static bool read_ipv4(struct quote *quote, const uint8_t *ip, size_t len)
{
	if (len < FRAME_IPV4_BYTES + QUOTED_TCP_BYTES || ip[0] >> 4 != 4 || ip[9] != FRAME_PROTOCOL_TCP)
		return false;
	size_t header = (size_t)(ip[0] & 0x0f) * 4;
	bool is_first = !(get16(ip + 6) & 0x1fff);
	if (!is_first || header < FRAME_IPV4_BYTES || len < header + QUOTED_TCP_BYTES)
		return false;
	quote->frame = (struct frame){.family = FRAME_IPV4, .src = ip + 12, .dst = ip + 16};
	quote->total = get16(ip + 2);
	take_tcp(quote, ip + header);
	return true;
}

/* Segments of ours have no extension headers. */
static bool read_ipv6(struct quote *quote, const uint8_t *ip, size_t len)
{
	if (len < FRAME_IPV6_BYTES + QUOTED_TCP_BYTES || ip[0] >> 4 != 6 || ip[6] != FRAME_PROTOCOL_TCP)
		return false;
	quote->frame = (struct frame){.family = FRAME_IPV6, .src = ip + 8, .dst = ip + 24};
	take_tcp(quote, ip + FRAME_IPV6_BYTES);
	return true;
}

static bool read_quote(struct quote *quote, const struct frame *message)
{
	const uint8_t *ip = message->bytes + message->tcp + FRAME_ICMP_BYTES;
	size_t len = message->tcp_len - FRAME_ICMP_BYTES;
	return message->family == FRAME_IPV4 ? read_ipv4(quote, ip, len) : read_ipv6(quote, ip, len);
}

/* Routers older than RFC 1191 tell no MTU: then it is guessed, as its section 7.1 says, from what links have. */
static uint16_t guess_mtu(uint16_t total)
{
	static const uint16_t plateaus[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006};
	for (unsigned i = 0; i < sizeof(plateaus) / sizeof(plateaus[0]); i++)
		if (plateaus[i] < total)
			return plateaus[i];
	return MTU_LEAST_IPV4;
}

static uint16_t told_mtu(const struct frame *message, const struct quote *quote)
{
	const uint8_t *icmp = message->bytes + message->tcp;
	if (message->family == FRAME_IPV4)
		return get16(icmp + 6) ? get16(icmp + 6) : guess_mtu(quote->total);
	uint32_t mtu = get32(icmp + 4);
	return mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)mtu;
}

/*
 * An IPv6 path takes at least 1280 (RFC 8201 4 has less discarded). Of IPv4 it may be less than 576; rather than tiny
 * segments, which anybody could talk us into, routers are then allowed to make fragments.
 */
static bool heed(struct worker *worker, struct flow *flow, enum conn_side side, const struct frame *message,
	const struct quote *quote)
{
	uint16_t mtu = told_mtu(message, quote);
	if (message->family == FRAME_IPV6)
		return mtu >= MTU_LEAST_IPV6 &&
			split_too_big(worker, flow, side, quote->seq, mtu - FRAME_IPV6_BYTES - TCP_HEADER_BYTES);
	if (mtu < MTU_LEAST_IPV4) {
		mtu = MTU_LEAST_IPV4;
		flow->path[side].may_be_fragmented = true;
	}
	return split_too_big(worker, flow, side, quote->seq, mtu - FRAME_IPV4_BYTES - TCP_HEADER_BYTES);
}

/* What is said about a segment comes back from where it was sent to. */
static void hear(struct worker *worker, struct flow *flow, enum conn_side side, struct arrival *arrival,
	const struct quote *quote)
{
	bool heeded = arrival->wire == flow_wire(flow, side) && heed(worker, flow, side, &arrival->frame, quote);
	emit_nothing(worker, arrival, heeded ? COUNT_TOO_BIG_HEEDED : COUNT_DROP_TOO_BIG);
}

void icmp_too_big(struct worker *worker, struct arrival *arrival)
{
	struct quote quote;
	struct flow *flow = NULL;
	bool src_first = false;
	if (read_quote(&quote, &arrival->frame) && frame_has_good_checksums(&arrival->frame)) {
		struct flow_key key;
		src_first = flow_key_of(&key, &quote.frame);
		flow = flow_find(&worker->flows, &key);
	}
	if (flow && (flow->state == FLOW_SPLIT || flow->state == FLOW_OVER))
		hear(worker, flow, src_first == flow->client_is_first ? SIDE_SERVER : SIDE_CLIENT, arrival, &quote);
	else
		emit_as_it_came(worker, arrival);
}
