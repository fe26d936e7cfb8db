/* Spreading frames; see lane.h. Of a frame no more is read than its tags and addresses, and what ICMP quotes. */
#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "frame.h"
#include "lane.h"

enum { TYPE_AT = 12, TAG_BYTES = 4, SLOT_BITS = 6 };
enum { SOURCE_AT_IPV4 = 12, SOURCE_AT_IPV6 = 8, ADDRESSES_IPV4 = 8, ADDRESSES_IPV6 = 32 };
static_assert(1 << SLOT_BITS == LANE_SLOTS, "a bit of the sum each");

static bool is_tag(uint16_t type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100;
}

/* All 16-bit words of both addresses, added without carry: the order of the words does not matter to the key. */
static uint16_t fold_addresses(const uint8_t *addresses, size_t bytes)
{
	uint64_t sum = 0, word;
	for (size_t at = 0; at < bytes; at += sizeof(word)) {
		memcpy(&word, addresses + at, sizeof(word));
		sum ^= word;
	}
	sum ^= sum >> 32;
	sum ^= sum >> 16;
	uint16_t folded = (uint16_t)sum;
	return get16((const uint8_t *)&folded);
}

/* Bit b of Toeplitz' sum is the parity of those input bits that the key, moved along, has set. */
static unsigned slot_of(uint16_t folded)
{
	unsigned slot = 0;
	for (unsigned b = 0; b < SLOT_BITS; b++) {
		uint16_t key = (uint16_t)(LANE_KEY << (15 - b) | LANE_KEY >> (1 + b));
		slot |= (unsigned)__builtin_parity(folded & key) << b;
	}
	return slot;
}

/* The packet that an ICMP error quotes, if its addresses are there; else NULL. */
static const uint8_t *quoted_ipv4(const uint8_t *ip, size_t len)
{
	size_t message = (size_t)(ip[0] & 0x0f) * 4, quote = message + FRAME_ICMP_BYTES;
	bool is_later_fragment = get16(ip + 6) & 0x1fff;
	if (ip[9] != FRAME_PROTOCOL_ICMP || is_later_fragment || len < quote + FRAME_IPV4_BYTES)
		return NULL;
	uint8_t type = ip[message];
	bool is_error = (type >= 3 && type <= 5) || type == 11 || type == 12; /* RFC 1122 3.2.2 */
	return is_error && ip[quote] >> 4 == 4 ? ip + quote : NULL;
}

/* Without extension headers, as routers send them. */
static const uint8_t *quoted_ipv6(const uint8_t *ip, size_t len)
{
	size_t quote = FRAME_IPV6_BYTES + FRAME_ICMP_BYTES;
	if (ip[6] != FRAME_PROTOCOL_ICMPV6 || len < quote + FRAME_IPV6_BYTES)
		return NULL;
	bool is_error = ip[FRAME_IPV6_BYTES] < 128; /* RFC 4443 2.1 */
	return is_error && ip[quote] >> 4 == 6 ? ip + quote : NULL;
}

static unsigned slot_of_ipv4(const uint8_t *ip, size_t len)
{
	const uint8_t *quoted = quoted_ipv4(ip, len);
	return slot_of(fold_addresses((quoted ? quoted : ip) + SOURCE_AT_IPV4, ADDRESSES_IPV4));
}

static unsigned slot_of_ipv6(const uint8_t *ip, size_t len)
{
	const uint8_t *quoted = quoted_ipv6(ip, len);
	return slot_of(fold_addresses((quoted ? quoted : ip) + SOURCE_AT_IPV6, ADDRESSES_IPV6));
}

unsigned lane_slot(const uint8_t *frame, size_t len)
{
	size_t at = TYPE_AT;
	if (len < at + 2)
		return 0;
	while (is_tag(get16(frame + at)) && len >= at + TAG_BYTES + 2)
		at += TAG_BYTES;
	uint16_t type = get16(frame + at);
	at += 2;
	if (type == 0x0800 && len - at >= FRAME_IPV4_BYTES)
		return slot_of_ipv4(frame + at, len - at);
	if (type == 0x86dd && len - at >= FRAME_IPV6_BYTES)
		return slot_of_ipv6(frame + at, len - at);
	return 0;
}
