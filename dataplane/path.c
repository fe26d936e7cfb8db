/* The way to an endpoint; see path.h. */
#include <string.h>

#include "path.h"

enum { ETHERTYPE_IPV4 = 0x0800, ETHERTYPE_IPV6 = 0x86dd, ECN_BITS = 0x03, DONT_FRAGMENT = 0x40 };

static void take_link(struct path *path, const struct frame *frame)
{
	path->tags = frame->tags;
	memcpy(path->tag, frame->tag, sizeof(path->tag));
	path->hops = frame->hops;
	path->traffic_class = frame->traffic_class & (uint8_t)~ECN_BITS;
	path->flow_label = frame->flow_label;
}

void path_of_frame(struct path *path, const struct frame *frame)
{
	*path = (struct path){.family = frame->family, .dst_port = frame->dst_port, .src_port = frame->src_port};
	memcpy(path->dst_mac, frame->bytes, FRAME_MAC_BYTES);
	memcpy(path->src_mac, frame->bytes + FRAME_MAC_BYTES, FRAME_MAC_BYTES);
	memcpy(path->dst, frame->dst, frame_address_bytes(frame));
	memcpy(path->src, frame->src, frame_address_bytes(frame));
	take_link(path, frame);
}

void path_back(struct path *back, const struct frame *frame)
{
	*back = (struct path){.family = frame->family, .dst_port = frame->src_port, .src_port = frame->dst_port};
	memcpy(back->dst_mac, frame->bytes + FRAME_MAC_BYTES, FRAME_MAC_BYTES);
	memcpy(back->src_mac, frame->bytes, FRAME_MAC_BYTES);
	memcpy(back->dst, frame->src, frame_address_bytes(frame));
	memcpy(back->src, frame->dst, frame_address_bytes(frame));
	take_link(back, frame);
	back->hops = 64;
	back->flow_label = 0;
}

bool path_link_differs(const struct path_link *link, const struct frame *frame)
{
	return memcmp(link->dst, frame->bytes, FRAME_MAC_BYTES) ||
		memcmp(link->src, frame->bytes + FRAME_MAC_BYTES, FRAME_MAC_BYTES) || link->tags != frame->tags ||
		memcmp(link->tag, frame->tag, sizeof(link->tag));
}

void path_link_set(struct path_link *link, const struct frame *frame)
{
	memcpy(link->dst, frame->bytes, FRAME_MAC_BYTES);
	memcpy(link->src, frame->bytes + FRAME_MAC_BYTES, FRAME_MAC_BYTES);
	link->tags = frame->tags;
	memcpy(link->tag, frame->tag, sizeof(link->tag));
}

void path_follow(struct path *onward, struct path *back, struct path_link *from, const struct frame *frame)
{
	const uint8_t *dst = frame->bytes, *src = frame->bytes + FRAME_MAC_BYTES;
	if (memcmp(from->dst, dst, FRAME_MAC_BYTES))
		memcpy(onward->dst_mac, dst, FRAME_MAC_BYTES);
	if (memcmp(from->src, src, FRAME_MAC_BYTES))
		memcpy(back->dst_mac, src, FRAME_MAC_BYTES);
	memcpy(onward->src_mac, src, FRAME_MAC_BYTES);
	take_link(onward, frame);
	path_link_set(from, frame);
}

static uint8_t *write_ethernet(const struct path *path, uint8_t *to)
{
	memcpy(to, path->dst_mac, FRAME_MAC_BYTES);
	memcpy(to + FRAME_MAC_BYTES, path->src_mac, FRAME_MAC_BYTES);
	to += 2 * FRAME_MAC_BYTES;
	for (unsigned i = 0; i < path->tags && i < FRAME_TAGS_MAX; i++, to += 4) {
		put16(to, path->tag[i].tpid);
		put16(to + 2, path->tag[i].tci);
	}
	put16(to, path->family == FRAME_IPV4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6);
	return to + 2;
}

static uint8_t *write_ipv4(struct path *path, uint8_t *to)
{
	const uint8_t header[12] = {0x45, path->traffic_class, 0, 0, (uint8_t)(path->ip_id >> 8), (uint8_t)path->ip_id,
		path->may_be_fragmented ? 0 : DONT_FRAGMENT, 0, path->hops, FRAME_PROTOCOL_TCP};
	path->ip_id++;
	memcpy(to, header, sizeof(header));
	memcpy(to + 12, path->src, 4);
	memcpy(to + 16, path->dst, 4);
	return to + FRAME_IPV4_BYTES;
}

static uint8_t *write_ipv6(const struct path *path, uint8_t *to)
{
	put32(to, 6u << 28 | (uint32_t)path->traffic_class << 20 | path->flow_label);
	to[6] = FRAME_PROTOCOL_TCP;
	to[7] = path->hops;
	memcpy(to + 8, path->src, 16);
	memcpy(to + 24, path->dst, 16);
	return to + FRAME_IPV6_BYTES;
}

size_t path_write(struct path *path, const struct tcp_seg *seg, uint8_t *to)
{
	uint8_t *ip = write_ethernet(path, to);
	uint8_t *tcp = path->family == FRAME_IPV4 ? write_ipv4(path, ip) : write_ipv6(path, ip);
	size_t header = tcp_seg_write(seg, tcp);
	put16(tcp, path->src_port);
	put16(tcp + 2, path->dst_port);
	if (seg->len)
		memcpy(tcp + header, seg->data, seg->len);
	if (seg->len2)
		memcpy(tcp + header + seg->len, seg->data2, seg->len2);
	struct frame frame = {.bytes = to, .family = path->family, .ip = (size_t)(ip - to), .tcp = (size_t)(tcp - to),
		.src = path->src, .dst = path->dst};
	return frame_seal(&frame, header + seg->len + seg->len2);
}
