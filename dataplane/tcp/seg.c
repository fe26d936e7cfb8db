/* A segment's header and options on the wire. */
#include <errno.h>

#include "tcp.h"

enum { HEADER_MIN = 20 };
enum option {
	OPTION_END = 0, OPTION_NOP = 1, OPTION_MSS = 2, OPTION_WSCALE = 3, OPTION_SACK_PERMITTED = 4, OPTION_SACK = 5,
	OPTION_TIMESTAMPS = 8,
};
enum { OPTION_MSS_LEN = 4, OPTION_WSCALE_LEN = 3, OPTION_SACK_PERMITTED_LEN = 2, SACK_BLOCK_LEN = 8,
	OPTION_TIMESTAMPS_LEN = 10 };

static uint16_t get16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static uint32_t get32(const uint8_t *p) { return (uint32_t)get16(p) << 16 | get16(p + 2); }

static uint8_t *put8(uint8_t *p, unsigned v)
{
	*p = (uint8_t)v;
	return p + 1;
}

static uint8_t *put16(uint8_t *p, unsigned v) { return put8(put8(p, v >> 8), v); }
static uint8_t *put32(uint8_t *p, uint32_t v) { return put16(put16(p, v >> 16), v & 0xffff); }

static void parse_sack(struct tcp_seg *seg, const uint8_t *value, size_t len)
{
	for (; len >= SACK_BLOCK_LEN && seg->sack_count < TCP_SACK_BLOCKS; len -= SACK_BLOCK_LEN, value += SACK_BLOCK_LEN)
		seg->sack[seg->sack_count++] = (struct tcp_sack_block){seq_of(get32(value)), seq_of(get32(value + 4))};
}

static void parse_timestamps(struct tcp_seg *seg, const uint8_t *value)
{
	seg->has_timestamps = true;
	seg->ts_val = get32(value);
	seg->ts_ecr = get32(value + 4);
}

/* `len` is that of the whole option. One of another length than it must have is skipped. */
static void parse_option(struct tcp_seg *seg, uint8_t kind, const uint8_t *value, size_t len)
{
	if (kind == OPTION_MSS && len == OPTION_MSS_LEN)
		seg->mss = get16(value);
	else if (kind == OPTION_WSCALE && len == OPTION_WSCALE_LEN)
		seg->wscale = value[0] > 14 ? 14 : value[0]; /* RFC 7323 2.3 */
	else if (kind == OPTION_SACK_PERMITTED && len == OPTION_SACK_PERMITTED_LEN)
		seg->sack_permitted = true;
	else if (kind == OPTION_SACK && (len - 2) % SACK_BLOCK_LEN == 0)
		parse_sack(seg, value, len - 2);
	else if (kind == OPTION_TIMESTAMPS && len == OPTION_TIMESTAMPS_LEN)
		parse_timestamps(seg, value);
}

static void parse_options(struct tcp_seg *seg, const uint8_t *p, const uint8_t *end)
{
	while (p < end && *p != OPTION_END) {
		if (*p == OPTION_NOP) {
			p++;
			continue;
		}
		if (end - p < 2 || p[1] < 2 || p[1] > end - p)
			return; /* nothing behind an option of a wrong length can be told apart */
		parse_option(seg, p[0], p + 2, p[1]);
		p += p[1];
	}
}

int tcp_seg_parse(struct tcp_seg *seg, const uint8_t *bytes, size_t len)
{
	if (len < HEADER_MIN || len > UINT16_MAX)
		return -EINVAL;
	size_t header = (size_t)(bytes[12] >> 4) * 4;
	if (header < HEADER_MIN || header > len)
		return -EINVAL;
	*seg = (struct tcp_seg){.seq = seq_of(get32(bytes + 4)), .ack = seq_of(get32(bytes + 8)), .flags = bytes[13],
		.window = get16(bytes + 14), .urgent = get16(bytes + 18), .wscale = TCP_WSCALE_NONE,
		.data = bytes + header, .len = (uint32_t)(len - header)};
	parse_options(seg, bytes + HEADER_MIN, bytes + header);
	return 0;
}

/* The two octets before them align the numbers: appendix A of RFC 7323, appendix of RFC 2018. */
static uint8_t *write_timestamps(const struct tcp_seg *seg, uint8_t *p)
{
	p = put8(put8(p, OPTION_NOP), OPTION_NOP);
	p = put8(put8(p, OPTION_TIMESTAMPS), OPTION_TIMESTAMPS_LEN);
	return put32(put32(p, seg->ts_val), seg->ts_ecr);
}

static uint8_t *write_sack(const struct tcp_seg *seg, uint8_t *p, size_t room)
{
	size_t count = room < 4 ? 0 : (room - 4) / SACK_BLOCK_LEN;
	if (count > seg->sack_count)
		count = seg->sack_count;
	if (!count)
		return p;
	p = put8(put8(p, OPTION_NOP), OPTION_NOP);
	p = put8(put8(p, OPTION_SACK), (unsigned)(2 + count * SACK_BLOCK_LEN));
	for (size_t i = 0; i < count; i++)
		p = put32(put32(p, seg->sack[i].start.v), seg->sack[i].end.v);
	return p;
}

static uint8_t *write_options(const struct tcp_seg *seg, uint8_t *p)
{
	const uint8_t *end = p + TCP_HEADER_MAX - HEADER_MIN;
	if (seg->mss)
		p = put16(put8(put8(p, OPTION_MSS), OPTION_MSS_LEN), seg->mss);
	if (seg->sack_permitted)
		p = put8(put8(p, OPTION_SACK_PERMITTED), OPTION_SACK_PERMITTED_LEN);
	if (seg->wscale != TCP_WSCALE_NONE)
		p = put8(put8(put8(p, OPTION_WSCALE), OPTION_WSCALE_LEN), seg->wscale);
	if (seg->has_timestamps)
		p = write_timestamps(seg, p);
	if (!(seg->flags & TCP_SYN))
		p = write_sack(seg, p, (size_t)(end - p));
	return p;
}

size_t tcp_seg_write(const struct tcp_seg *seg, uint8_t header[TCP_HEADER_MAX])
{
	uint8_t *end = write_options(seg, header + HEADER_MIN);
	while ((end - header) % 4)
		end = put8(end, OPTION_NOP);
	size_t len = (size_t)(end - header);
	uint8_t *p = put32(put32(header + 4, seg->seq.v), seg->ack.v);
	p = put8(put8(p, (unsigned)(len / 4) << 4), seg->flags);
	put16(put16(put16(p, seg->window), 0), seg->urgent);
	return len;
}
