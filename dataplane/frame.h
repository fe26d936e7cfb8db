/*
 * A frame, read: Ethernet, any number of VLAN tags, IPv4 or IPv6 with its extension headers, and where TCP begins.
 * Nothing is copied: pointers lead into the frame. Everything here is hostile.
 */
#ifndef DATAPLANE_FRAME_H
#define DATAPLANE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame_limits {
	FRAME_MAC_BYTES = 6,
	FRAME_TAGS_MAX = 2,            /* in frames of ours; more are walked over, but not adopted */
	FRAME_TAGS_WALKED = 8,
	FRAME_EXTENSIONS_WALKED = 16,
};

enum frame_ip { FRAME_IPV4_BYTES = 20, FRAME_IPV6_BYTES = 40, FRAME_IPV4 = 4, FRAME_IPV6 = 6, FRAME_UDP_BYTES = 8,
	FRAME_ICMP_BYTES = 8, FRAME_TCP_FLAGS_BYTES = 14 };

enum frame_protocol {
	FRAME_PROTOCOL_ICMP = 1,
	FRAME_PROTOCOL_TCP = 6,
	FRAME_PROTOCOL_UDP = 17,
	FRAME_PROTOCOL_ICMPV6 = 58,
};

enum frame_kind {
	FRAME_OTHER,                   /* neither TCP nor UDP over IP, nor is it for any receiver: none of our business */
	FRAME_UDP,                     /* a whole datagram, its header at least; `tcp` and `tcp_len` are those of UDP */
	FRAME_TCP,                     /* a whole TCP segment, its ports at least */
	FRAME_TCP_PART,                /* one that is cut off, which no receiver takes; its ports at least */
	FRAME_FRAGMENT,                /* of an IP datagram that is TCP, or may be */
	FRAME_TOO_BIG,                 /* ICMP or ICMPv6: a packet was too big; `tcp` and `tcp_len` are those of the message */
	FRAME_UNREADABLE,              /* may become TCP for its receiver, but its ports cannot be read here */
};

/* What a fragment tells of its datagram. */
enum frame_part {
	PART_LATER,                    /* nothing: it is not the first */
	PART_FIRST,                    /* TCP, and its ports */
	PART_FIRST_OTHER,              /* not TCP */
	PART_FIRST_UNREADABLE,         /* may be TCP, but its ports are not in its first fragment */
};

struct frame_fragment {
	enum frame_part part;
	bool more;                     /* it is not the last */
	uint32_t id;
	size_t offset;                 /* where it belongs in the datagram, */
	size_t at, len;                /* and where it lies in the frame */
};

struct frame_tag {
	uint16_t tpid, tci;            /* host byte order */
};

struct frame {
	uint8_t *bytes;
	size_t len;
	enum frame_kind kind;
	unsigned tags;                 /* how many there are; may be more than FRAME_TAGS_MAX */
	struct frame_tag tag[FRAME_TAGS_MAX];  /* outermost first; as many as there are */
	/* The rest is set unless kind is FRAME_OTHER. */
	uint8_t family;                /* FRAME_IPV4 or FRAME_IPV6 */
	uint8_t traffic_class;         /* with the ECN bits */
	uint8_t hops;                  /* TTL or hop limit */
	uint32_t flow_label;
	size_t ip, tcp;                /* offsets of the headers */
	size_t tcp_len;                /* bytes of TCP header and payload, padding of the frame excluded */
	const uint8_t *src, *dst;      /* addresses: 4 or 16 bytes */
	struct frame_fragment fragment;        /* FRAME_FRAGMENT; its `tcp` and ports are set for PART_FIRST */
	uint16_t src_port, dst_port;   /* host byte order; of TCP only */
};

/* Reads all of it that can be read. Never looks at a byte beyond len. */
void frame_parse(struct frame *frame, uint8_t *bytes, size_t len) __attribute__((nonnull));

static inline bool frame_is_group_addressed(const struct frame *frame)
{
	return frame->bytes[0] & 1;
}

/* RFC 3168 section 5: a router has marked it instead of dropping it. */
static inline bool frame_met_congestion(const struct frame *frame)
{
	return (frame->traffic_class & 3) == 3;
}

static inline size_t frame_address_bytes(const struct frame *frame)
{
	return frame->family == FRAME_IPV4 ? 4 : 16;
}

/* The TCP flags of a FRAME_TCP or FRAME_TCP_PART that are in `mask`; 0 if it is too short to have any. */
static inline uint8_t frame_tcp_flags(const struct frame *frame, uint8_t mask)
{
	return frame->tcp_len >= FRAME_TCP_FLAGS_BYTES ? frame->bytes[frame->tcp + 13] & mask : 0;
}

/* FRAME_TCP and FRAME_TOO_BIG: are the checksums of IPv4's header, and of TCP or ICMP, right? */
bool frame_has_good_checksums(const struct frame *frame) __attribute__((nonnull));

/* Writes lengths and checksums after TCP header and payload were changed to tcp_len bytes. Returns the frame's length. */
size_t frame_seal(struct frame *frame, size_t tcp_len) __attribute__((nonnull));

static inline uint16_t get16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }

static inline void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline uint32_t get32(const uint8_t *p) { return (uint32_t)get16(p) << 16 | get16(p + 2); }

static inline void put32(uint8_t *p, uint32_t v)
{
	put16(p, (uint16_t)(v >> 16));
	put16(p + 2, (uint16_t)v);
}

#endif
