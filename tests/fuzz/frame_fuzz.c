/*
 * The frame parser: whatever it says must be true of the bytes. A frame that it takes for a whole segment is one that the
 * checksums can be computed over, and that can be sealed anew and read again with the same result.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/frame.h"
#include "dataplane/lane.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
	if (!truth)
		abort();
}

static void check_tcp(const struct frame *frame)
{
	require(frame->family == FRAME_IPV4 || frame->family == FRAME_IPV6);
	require(frame->tcp_len >= 4 && frame->tcp + frame->tcp_len <= frame->len && frame->ip < frame->tcp);
	require(frame->src_port == get16(frame->bytes + frame->tcp));
	require(frame->src == frame->bytes + frame->ip + (frame->family == FRAME_IPV4 ? 12 : 8));
}

static void check_sealed(struct frame *frame)
{
	size_t tcp_len = frame->tcp_len;
	require(frame_seal(frame, tcp_len) == frame->tcp + tcp_len);
	struct frame again;
	frame_parse(&again, frame->bytes, frame->len);
	require(again.kind == FRAME_TCP && again.tcp == frame->tcp && again.tcp_len == tcp_len);
	require(again.tags == frame->tags && again.dst_port == frame->dst_port);
	require(frame_has_good_checksums(&again));
}

static void check_fragment(const struct frame *frame)
{
	const struct frame_fragment *fragment = &frame->fragment;
	require(frame->ip < fragment->at && fragment->at + fragment->len <= frame->len);
	require(fragment->offset % 8 == 0 && fragment->offset <= 0xfff8 && (fragment->offset || fragment->more));
	require((fragment->part == PART_LATER) == (fragment->offset != 0));
	if (fragment->part == PART_FIRST)
		check_tcp(frame);
}

static void check_too_big(const struct frame *frame)
{
	require(frame->tcp_len >= 8 && frame->tcp + frame->tcp_len <= frame->len && frame->ip < frame->tcp);
	(void)!frame_has_good_checksums(frame);
}

static void swap(uint8_t *a, uint8_t *b, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		uint8_t kept = a[i];
		a[i] = b[i];
		b[i] = kept;
	}
}

/* Both directions of what is guarded are of one lane. */
static void check_lane(const struct frame *frame)
{
	size_t bytes = frame_address_bytes(frame), at = frame->ip + (frame->family == FRAME_IPV4 ? 12 : 8);
	unsigned slot = lane_slot(frame->bytes, frame->len);
	swap(frame->bytes + at, frame->bytes + at + bytes, bytes);
	require(lane_slot(frame->bytes, frame->len) == slot);
	swap(frame->bytes + at, frame->bytes + at + bytes, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + !size);
	require(copy != NULL);
	memcpy(copy, data, size);
	struct frame frame;
	frame_parse(&frame, copy, size);
	require(!memcmp(copy, data, size));
	require(lane_slot(copy, size) < LANE_SLOTS);
	if (frame.kind == FRAME_TCP || frame.kind == FRAME_TCP_PART || frame.kind == FRAME_FRAGMENT)
		check_lane(&frame);
	if (frame.kind == FRAME_TCP || frame.kind == FRAME_TCP_PART)
		check_tcp(&frame);
	if (frame.kind == FRAME_FRAGMENT)
		check_fragment(&frame);
	if (frame.kind == FRAME_TOO_BIG)
		check_too_big(&frame);
	if (frame.kind == FRAME_TCP && frame.tcp_len >= 20) {
		(void)!frame_has_good_checksums(&frame);
		check_sealed(&frame);
	}
	free(copy);
	return 0;
}
