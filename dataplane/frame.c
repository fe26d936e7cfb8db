/* Reading a frame; see frame.h. */
#include <string.h>

#include "checksum.h"
#include "frame.h"

enum ethertype { TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd, TYPE_VLAN = 0x8100, TYPE_QINQ = 0x88a8, TYPE_QINQ_OLD = 0x9100 };
enum ethernet { ETHERNET_BYTES = 14, TYPE_AT = 12, TAG_BYTES = 4 };
enum { PORTS_BYTES = 4, EXTENSION_BYTES_MIN = 8 };

enum next_header {
	NEXT_HOP_BY_HOP = 0,
	NEXT_ROUTING = 43,
	NEXT_FRAGMENT = 44,
	NEXT_AUTHENTICATION = 51,
	NEXT_DESTINATION = 60,
	NEXT_MOBILITY = 135,
	NEXT_HIP = 139,
	NEXT_SHIM6 = 140,
};

static bool is_tag(uint16_t type)
{
	return type == TYPE_VLAN || type == TYPE_QINQ || type == TYPE_QINQ_OLD;
}

/* The ethertype behind the tags, 0 if there is none; *at is moved behind it. */
static uint16_t walk_tags(struct frame *frame, size_t *at)
{
	*at = ETHERNET_BYTES;
	if (frame->len < ETHERNET_BYTES)
		return 0;
	uint16_t type = get16(frame->bytes + TYPE_AT);
	while (is_tag(type) && frame->tags < FRAME_TAGS_WALKED) {
		if (frame->len - *at < TAG_BYTES)
			return 0;
		if (frame->tags < FRAME_TAGS_MAX)
			frame->tag[frame->tags] = (struct frame_tag){type, get16(frame->bytes + *at)};
		type = get16(frame->bytes + *at + 2);
		*at += TAG_BYTES;
		frame->tags++;
	}
	return type;
}

/* May be TCP for its receiver, and on which ports cannot be told. */
static void set_unreadable(struct frame *frame, enum frame_kind kind)
{
	frame->kind = kind == FRAME_FRAGMENT ? FRAME_FRAGMENT : FRAME_UNREADABLE;
	frame->fragment.part = PART_FIRST_UNREADABLE;
}

/* At `at` lie `len` bytes of TCP. A whole segment without its ports is one to nobody, the first fragment of one may be. */
static void read_ports(struct frame *frame, size_t at, size_t len, enum frame_kind kind)
{
	frame->tcp = at;
	frame->tcp_len = len;
	if (len >= PORTS_BYTES) {
		frame->src_port = get16(frame->bytes + at);
		frame->dst_port = get16(frame->bytes + at + 2);
		frame->fragment.part = PART_FIRST;
		frame->kind = kind;
	} else if (kind != FRAME_TCP) {
		set_unreadable(frame, kind);
	}
}

/* Datagrams that are not whole are none of our business. */
static void read_udp(struct frame *frame, size_t at, size_t len, enum frame_kind kind)
{
	if (kind != FRAME_TCP || len < FRAME_UDP_BYTES)
		return;
	read_ports(frame, at, len, FRAME_UDP);
}

/* RFC 792 (type 3, code 4) and RFC 4443 3.2. */
static void read_icmp(struct frame *frame, uint8_t type, uint8_t code, size_t at, size_t len)
{
	const uint8_t *message = frame->bytes + at;
	if (len < FRAME_ICMP_BYTES || message[0] != type || message[1] != code)
		return;
	frame->tcp = at;
	frame->tcp_len = len;
	frame->kind = FRAME_TOO_BIG;
}

static void read_transport(struct frame *frame, uint8_t protocol, size_t at, size_t len, enum frame_kind kind)
{
	if (protocol == FRAME_PROTOCOL_TCP)
		read_ports(frame, at, len, kind);
	else if (kind == FRAME_FRAGMENT)
		frame->kind = kind;
	else if (protocol == FRAME_PROTOCOL_UDP)
		read_udp(frame, at, len, kind);
	else if (protocol == FRAME_PROTOCOL_ICMP && frame->family == FRAME_IPV4 && kind == FRAME_TCP)
		read_icmp(frame, 3, 4, at, len);
	else if (protocol == FRAME_PROTOCOL_ICMPV6 && frame->family == FRAME_IPV6 && kind == FRAME_TCP)
		read_icmp(frame, 2, 0, at, len);
}

static bool is_transport(uint8_t protocol)
{
	return protocol == FRAME_PROTOCOL_TCP || protocol == FRAME_PROTOCOL_UDP || protocol == FRAME_PROTOCOL_ICMP;
}

/* Takes note of a fragment of what may be TCP; true if there are headers in it to be read. One that is cut off is put
 * together by nobody: only if it is the first, its ports are looked at. */
static bool begin_fragment(struct frame *frame, const struct frame_fragment *fragment, enum frame_kind *kind)
{
	frame->fragment = *fragment;
	if (*kind == FRAME_TCP)
		*kind = FRAME_FRAGMENT;
	if (!fragment->offset) {
		frame->fragment.part = PART_FIRST_OTHER; /* unless TCP is found */
		return true;
	}
	if (*kind == FRAME_FRAGMENT)
		frame->kind = FRAME_FRAGMENT;
	return false;
}

static void read_ipv4(struct frame *frame, size_t at)
{
	const uint8_t *ip = frame->bytes + at;
	size_t available = frame->len - at;
	if (available < FRAME_IPV4_BYTES || ip[0] >> 4 != 4 || !is_transport(ip[9]))
		return;
	size_t header = (size_t)(ip[0] & 0x0f) * 4, total = get16(ip + 2);
	uint16_t field = get16(ip + 6);
	bool is_whole = !(field & 0x3fff);
	if ((!is_whole && ip[9] != FRAME_PROTOCOL_TCP) || header < FRAME_IPV4_BYTES || header > total || header > available)
		return;
	frame->family = FRAME_IPV4;
	frame->traffic_class = ip[1];
	frame->flow_label = 0;
	frame->hops = ip[8];
	frame->ip = at;
	frame->src = ip + 12;
	frame->dst = ip + 16;
	enum frame_kind kind = total <= available ? FRAME_TCP : FRAME_TCP_PART;
	size_t len = (total <= available ? total : available) - header;
	const struct frame_fragment fragment = {.id = get16(ip + 4), .offset = (size_t)(field & 0x1fff) * 8,
		.more = field & 0x2000, .at = at + header, .len = len};
	if (is_whole || begin_fragment(frame, &fragment, &kind))
		read_transport(frame, ip[9], at + header, len, kind);
}

/* Bytes of the extension header of this type at p, which has EXTENSION_BYTES_MIN of them; 0: not one. */
static size_t extension_bytes(uint8_t type, const uint8_t *p)
{
	switch (type) {
	case NEXT_HOP_BY_HOP:
	case NEXT_ROUTING:
	case NEXT_DESTINATION:
	case NEXT_MOBILITY:
	case NEXT_HIP:
	case NEXT_SHIM6:
		return ((size_t)p[1] + 1) * 8;
	case NEXT_FRAGMENT:
		return 8;
	case NEXT_AUTHENTICATION:
		return ((size_t)p[1] + 2) * 4; /* RFC 4302 2.2 */
	default:
		return 0;
	}
}

static bool is_extension(uint8_t type)
{
	static const uint8_t any[EXTENSION_BYTES_MIN];
	return extension_bytes(type, any) != 0;
}

/* Of the Fragment header at p, with what is behind it from `at` on. */
static struct frame_fragment read_fragment_header(const uint8_t *p, size_t at, size_t end)
{
	uint16_t field = get16(p + 2);
	return (struct frame_fragment){.id = get32(p + 4), .offset = field & 0xfff8, .more = field & 1, .at = at,
		.len = end - at};
}

/* Walks from header to header. A chain that goes on in another fragment (RFC 7112), or too long, may lead to TCP. A
 * "fragment" that is all there is is none (RFC 6946), and fragments of fragments nobody makes. */
static void walk_extensions(struct frame *frame, size_t at, size_t end, enum frame_kind kind)
{
	uint8_t next = frame->bytes[frame->ip + 6];
	for (unsigned walked = 0; is_extension(next); walked++) {
		const uint8_t *p = frame->bytes + at;
		bool cut_off = end - at < EXTENSION_BYTES_MIN || extension_bytes(next, p) > end - at;
		if (cut_off && kind == FRAME_TCP)
			return;
		if (cut_off || walked == FRAME_EXTENSIONS_WALKED) {
			set_unreadable(frame, kind);
			return;
		}
		at += extension_bytes(next, p);
		if (next == NEXT_FRAGMENT && get16(p + 2) & 0xfff9) {
			const struct frame_fragment fragment = read_fragment_header(p, at, end);
			if (kind == FRAME_FRAGMENT) {
				set_unreadable(frame, kind);
				return;
			}
			if ((p[0] != FRAME_PROTOCOL_TCP && !is_extension(p[0])) || !begin_fragment(frame, &fragment, &kind))
				return;
		}
		next = p[0];
	}
	read_transport(frame, next, at, end - at, kind);
}

static void read_ipv6(struct frame *frame, size_t at)
{
	const uint8_t *ip = frame->bytes + at;
	size_t available = frame->len - at;
	if (available < FRAME_IPV6_BYTES || ip[0] >> 4 != 6)
		return;
	uint32_t first = get32(ip);
	frame->family = FRAME_IPV6;
	frame->traffic_class = (uint8_t)(first >> 20);
	frame->flow_label = first & 0xfffff;
	frame->hops = ip[7];
	frame->ip = at;
	frame->src = ip + 8;
	frame->dst = ip + 24;
	size_t payload = get16(ip + 4), room = available - FRAME_IPV6_BYTES;
	bool whole = payload <= room;
	at += FRAME_IPV6_BYTES;
	walk_extensions(frame, at, at + (whole ? payload : room), whole ? FRAME_TCP : FRAME_TCP_PART);
}

void frame_parse(struct frame *frame, uint8_t *bytes, size_t len)
{
	frame->bytes = bytes;          /* not the whole struct: this is done for every frame */
	frame->len = len;
	frame->kind = FRAME_OTHER;
	frame->tags = 0;
	size_t at;
	uint16_t type = walk_tags(frame, &at);
	if (type == TYPE_IPV4)
		read_ipv4(frame, at);
	else if (type == TYPE_IPV6)
		read_ipv6(frame, at);
}

static uint32_t pseudo_sum(const struct frame *frame, size_t len)
{
	bool is_icmp = frame->kind == FRAME_TOO_BIG;
	if (is_icmp && frame->family == FRAME_IPV4)
		return 0;
	return checksum_pseudo(frame->src, frame->dst, frame_address_bytes(frame), len,
		is_icmp ? FRAME_PROTOCOL_ICMPV6 : FRAME_PROTOCOL_TCP);
}

bool frame_has_good_checksums(const struct frame *frame)
{
	const uint8_t *ip = frame->bytes + frame->ip;
	if (frame->family == FRAME_IPV4 && checksum_fold(checksum_add(0, ip, (size_t)(ip[0] & 0x0f) * 4)) != 0xffff)
		return false;
	uint32_t sum = pseudo_sum(frame, frame->tcp_len);
	return checksum_fold(checksum_add(sum, frame->bytes + frame->tcp, frame->tcp_len)) == 0xffff;
}

size_t frame_seal(struct frame *frame, size_t tcp_len)
{
	uint8_t *ip = frame->bytes + frame->ip, *tcp = frame->bytes + frame->tcp;
	frame->tcp_len = tcp_len;
	if (frame->family == FRAME_IPV4) {
		put16(ip + 2, (uint16_t)(frame->tcp - frame->ip + tcp_len));
		put16(ip + 10, 0);
		put16(ip + 10, (uint16_t)~checksum_fold(checksum_add(0, ip, frame->tcp - frame->ip)));
	} else {
		put16(ip + 4, (uint16_t)(frame->tcp - frame->ip - FRAME_IPV6_BYTES + tcp_len));
	}
	put16(tcp + 16, 0);
	uint32_t sum = pseudo_sum(frame, tcp_len);
	put16(tcp + 16, (uint16_t)~checksum_fold(checksum_add(sum, tcp, tcp_len)));
	frame->len = frame->tcp + tcp_len;
	return frame->len;
}
