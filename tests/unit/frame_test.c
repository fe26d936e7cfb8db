#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/frame.h"
#include "frames.h"

static const struct made_tcp segment = {.from = 40000, .to = 5269, .seq = 1, .ack = 2, .flags = 0x18, .window = 9,
	.data = "hello", .data_len = 5};

static struct frame parse(struct made *made)
{
	struct frame frame;
	frame_parse(&frame, made->bytes, made->len);
	return frame;
}

static void start(struct made *made)
{
	make_ethernet(made, 1, 2);
}

static void reads_ipv4(void **state)
{
	(void)state;
	struct made made;
	start(&made);
	make_ipv4(&made, 1, 2, 6);
	make_tcp(&made, &segment);
	make_done(&made);
	struct frame frame = parse(&made);
	assert_int_equal(frame.kind, FRAME_TCP);
	assert_int_equal(frame.family, 4);
	assert_int_equal(frame.tags, 0);
	assert_int_equal(frame.hops, 64);
	assert_int_equal(frame.src[3], 1);
	assert_int_equal(frame.dst[3], 2);
	assert_int_equal(frame.src_port, 40000);
	assert_int_equal(frame.dst_port, 5269);
	assert_int_equal(frame.tcp_len, 25);
	assert_true(frame_has_good_checksums(&frame));
}

/* What pads a short frame is not TCP. */
static void leaves_padding_out(void **state)
{
	(void)state;
	struct made made;
	start(&made);
	make_ipv4(&made, 1, 2, 6);
	make_tcp(&made, &segment);
	make_done(&made);
	make_bytes(&made, "padding", 7);
	struct frame frame = parse(&made);
	assert_int_equal(frame.kind, FRAME_TCP);
	assert_int_equal(frame.tcp_len, 25);
	assert_true(frame_has_good_checksums(&frame));
}

static void walks_over_tags(void **state)
{
	(void)state;
	for (unsigned tags = 0; tags <= FRAME_TAGS_WALKED + 1; tags++) {
		struct made made;
		start(&made);
		for (unsigned i = 0; i < tags; i++)
			make_tag(&made, i ? 0x8100 : 0x88a8, (uint16_t)(0xe000 + i));
		make_ipv4(&made, 1, 2, 6);
		make_tcp(&made, &segment);
		make_done(&made);
		struct frame frame = parse(&made);
		assert_int_equal(frame.kind, tags <= FRAME_TAGS_WALKED ? FRAME_TCP : FRAME_OTHER);
		if (tags > FRAME_TAGS_WALKED)
			continue;
		assert_int_equal(frame.tags, tags);
		if (tags >= 2) {
			assert_int_equal(frame.tag[0].tpid, 0x88a8);
			assert_int_equal(frame.tag[1].tpid, 0x8100);
			assert_int_equal(frame.tag[1].tci, 0xe001);
		}
	}
}

static void reads_ipv6_behind_extensions(void **state)
{
	(void)state;
	static const uint8_t walked[] = {0, 43, 60, 135, 139, 140};
	for (unsigned i = 0; i < sizeof(walked); i++) {
		struct made made;
		start(&made);
		make_ipv6(&made, 1, 2, walked[i]);
		make_extension(&made, 60, 3);
		make_extension(&made, 6, 1);
		make_tcp(&made, &segment);
		make_done(&made);
		struct frame frame = parse(&made);
		assert_int_equal(frame.kind, FRAME_TCP);
		assert_int_equal(frame.family, 6);
		assert_int_equal(frame.tcp - frame.ip, 40 + 24 + 8);
		assert_int_equal(frame.dst_port, 5269);
		assert_true(frame_has_good_checksums(&frame));
	}
}

/* AH counts in units of 4 bytes, less 2 (RFC 4302 2.2). */
static void reads_ipv6_behind_authentication(void **state)
{
	(void)state;
	struct made made;
	start(&made);
	make_ipv6(&made, 1, 2, 51);
	make_bytes(&made, (uint8_t[24]){6, 4}, 24);
	make_tcp(&made, &segment);
	make_done(&made);
	struct frame frame = parse(&made);
	assert_int_equal(frame.kind, FRAME_TCP);
	assert_int_equal(frame.tcp - frame.ip, 40 + 24);
}

static void knows_fragments_of_ipv4(void **state)
{
	(void)state;
	struct made made;
	start(&made);
	make_ipv4(&made, 1, 2, 6);
	make_tcp(&made, &segment);
	made.bytes[made.ip + 6] = 0x20;
	make_done(&made);
	struct frame frame = parse(&made);
	assert_int_equal(frame.kind, FRAME_FRAGMENT);
	assert_int_equal(frame.fragment.part, PART_FIRST);
	assert_int_equal(frame.dst_port, 5269);
	assert_int_equal(frame.fragment.id, 0x1234);
	assert_int_equal(frame.fragment.at - frame.ip, 20);
	assert_int_equal(frame.fragment.len, 25);
	made.bytes[made.ip + 7] = 1; /* not the first */
	frame = parse(&made);
	assert_int_equal(frame.kind, FRAME_FRAGMENT);
	assert_int_equal(frame.fragment.part, PART_LATER);
	assert_int_equal(frame.fragment.offset, 8);
	assert_true(frame.fragment.more);
	made.bytes[made.ip + 6] = 0x1f; /* the last */
	made.bytes[made.ip + 7] = 0xff;
	frame = parse(&made);
	assert_int_equal(frame.kind, FRAME_FRAGMENT);
	assert_int_equal(frame.fragment.offset, 0xfff8);
	assert_false(frame.fragment.more);
	made.bytes[made.ip + 9] = 17;
	assert_int_equal(parse(&made).kind, FRAME_OTHER);
	made.bytes[made.ip + 9] = 6;
	made.bytes[made.ip + 3] += 1; /* cut off: nobody takes it */
	assert_int_equal(parse(&made).kind, FRAME_OTHER);
	made.bytes[made.ip + 6] = 0x20;
	made.bytes[made.ip + 7] = 0;
	assert_int_equal(parse(&made).kind, FRAME_TCP_PART);
}

static void refuses_first_fragments_without_ports(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 4; n++) {
		struct made made;
		start(&made);
		make_ipv4(&made, 1, 2, 6);
		make_bytes(&made, "\x14\x95\x14\x95", n);
		made.bytes[made.ip + 6] = 0x20;
		make_done(&made);
		assert_int_equal(parse(&made).kind, FRAME_FRAGMENT);
		assert_int_equal(parse(&made).fragment.part, n < 4 ? PART_FIRST_UNREADABLE : PART_FIRST);
		made.bytes[made.ip + 6] = 0;
		assert_int_equal(parse(&made).kind, n < 4 ? FRAME_OTHER : FRAME_TCP);
	}
}

static void knows_fragments_of_ipv6(void **state)
{
	(void)state;
	struct made made;
	start(&made);
	make_ipv6(&made, 1, 2, 44);
	make_fragment_header(&made, 6, 0, 1);
	make_tcp(&made, &segment);
	make_done(&made);
	assert_int_equal(parse(&made).kind, FRAME_FRAGMENT);
	assert_int_equal(parse(&made).fragment.part, PART_FIRST);
	assert_int_equal(parse(&made).fragment.id, 0x01020304);
	assert_int_equal(parse(&made).fragment.len, 25);
	made.bytes[made.ip + 40] = 17;
	assert_int_equal(parse(&made).kind, FRAME_OTHER);
	start(&made);
	make_ipv6(&made, 1, 2, 44);
	make_fragment_header(&made, 6, 1, 1);
	make_tcp(&made, &segment);
	make_done(&made);
	assert_int_equal(parse(&made).kind, FRAME_FRAGMENT);
	assert_int_equal(parse(&made).fragment.part, PART_LATER);
	assert_int_equal(parse(&made).fragment.offset, 8);
}

/* What is behind options is seen in the first one only. */
static void knows_fragments_with_options(void **state)
{
	(void)state;
	static const struct {
		uint8_t next;
		enum frame_part part;
	} rows[] = {{6, PART_FIRST}, {17, PART_FIRST_OTHER}, {50, PART_FIRST_OTHER}, {59, PART_FIRST_OTHER},
		{44, PART_FIRST_UNREADABLE}};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct made made;
		start(&made);
		make_ipv6(&made, 1, 2, 0);
		make_extension(&made, 44, 2);
		make_fragment_header(&made, 60, 0, 1);
		make_extension(&made, rows[i].next, 1);
		make_tcp(&made, &segment);
		make_done(&made);
		struct frame frame = parse(&made);
		assert_int_equal(frame.kind, FRAME_FRAGMENT);
		assert_int_equal(frame.fragment.part, rows[i].part);
		assert_int_equal(frame.fragment.at - frame.ip, 40 + 16 + 8);
	}
}

/* RFC 6946: it is alone. */
static void atomic_fragments_are_whole(void **state)
{
	(void)state;
	struct made made;
	start(&made);
	make_ipv6(&made, 1, 2, 44);
	make_fragment_header(&made, 6, 0, 0);
	make_tcp(&made, &segment);
	make_done(&made);
	struct frame frame = parse(&made);
	assert_int_equal(frame.kind, FRAME_TCP);
	assert_int_equal(frame.tcp - frame.ip, 48);
	assert_true(frame_has_good_checksums(&frame));
}

/* TCP may begin in the second fragment: RFC 7112 forbids it, receivers may take it. */
static void refuses_chains_that_go_on_in_another_fragment(void **state)
{
	(void)state;
	struct made made;
	start(&made);
	make_ipv6(&made, 1, 2, 44);
	make_fragment_header(&made, 60, 0, 1);
	make_bytes(&made, (uint8_t[8]){6, 1}, 8);
	make_done(&made);
	assert_int_equal(parse(&made).kind, FRAME_FRAGMENT);
	assert_int_equal(parse(&made).fragment.part, PART_FIRST_UNREADABLE);
}

static void refuses_chains_without_end(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= FRAME_EXTENSIONS_WALKED + 1; n++) {
		struct made made;
		start(&made);
		make_ipv6(&made, 1, 2, 60);
		for (unsigned i = 1; i < n; i++)
			make_extension(&made, 60, 1);
		make_extension(&made, 6, 1);
		make_tcp(&made, &segment);
		make_done(&made);
		assert_int_equal(parse(&made).kind, n <= FRAME_EXTENSIONS_WALKED ? FRAME_TCP : FRAME_UNREADABLE);
	}
}

/* A datagram whose lengths contradict each other is taken by no receiver; if its ports can be read they count. */
static void malformed_is_other_or_part(void **state)
{
	(void)state;
	struct made made;
	start(&made);
	make_ipv4(&made, 1, 2, 6);
	make_tcp(&made, &segment);
	make_done(&made);
	made.bytes[made.ip + 2] = 0xff;
	assert_int_equal(parse(&made).kind, FRAME_TCP_PART);
	made.bytes[made.ip + 2] = 0;
	made.bytes[made.ip] = 0x44;
	assert_int_equal(parse(&made).kind, FRAME_OTHER);
	made.bytes[made.ip] = 0x65;
	assert_int_equal(parse(&made).kind, FRAME_OTHER);
	start(&made);
	make_ipv6(&made, 1, 2, 6);
	make_tcp(&made, &segment);
	make_done(&made);
	made.bytes[made.ip + 4] = 0xff;
	assert_int_equal(parse(&made).kind, FRAME_TCP_PART);
}

/* Cut anywhere, in a buffer of just that size: nothing is read beyond it (the sanitizer sees it), and it is never taken for
 * a whole segment. */
static void survives_truncation(void **state)
{
	(void)state;
	for (unsigned version = 4; version <= 6; version += 2) {
		struct made made;
		start(&made);
		make_tag(&made, 0x8100, 5);
		if (version == 4)
			make_ipv4(&made, 1, 2, 6);
		else
			make_ipv6(&made, 1, 2, 60);
		if (version == 6)
			make_extension(&made, 6, 2);
		make_tcp(&made, &segment);
		make_done(&made);
		for (size_t n = 0; n < made.len; n++) {
			uint8_t *copy = malloc(n + !n);
			assert_non_null(copy);
			memcpy(copy, made.bytes, n);
			struct frame frame;
			frame_parse(&frame, copy, n);
			assert_int_not_equal(frame.kind, FRAME_TCP);
			free(copy);
		}
	}
}

/* Every flipped bit that a checksum covers is found. */
static void finds_bad_checksums(void **state)
{
	(void)state;
	struct made made;
	start(&made);
	make_ipv4(&made, 1, 2, 6);
	make_tcp(&made, &segment);
	make_done(&made);
	unsigned found = 0;
	for (size_t bit = made.ip * 8; bit < made.len * 8; bit++) {
		made.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		struct frame frame = parse(&made);
		if (frame.kind == FRAME_TCP) {
			assert_false(frame_has_good_checksums(&frame));
			found++;
		}
		made.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_true(found > 8 * 30);
}

static void seals(void **state)
{
	(void)state;
	for (unsigned version = 4; version <= 6; version += 2) {
		for (size_t data = 0; data < 5; data++) {
			struct made made;
			start(&made);
			if (version == 4)
				make_ipv4(&made, 1, 2, 6);
			else
				make_ipv6(&made, 1, 2, 60);
			if (version == 6)
				make_extension(&made, 6, 1);
			make_tcp(&made, &segment);
			make_done(&made);
			struct frame frame = parse(&made);
			assert_int_equal(frame_seal(&frame, 20 + data), made.tcp + 20 + data);
			made.len = frame.len;
			const uint8_t *ip = made.bytes + made.ip;
			if (version == 4)
				assert_int_equal(sum_of(ip, 20), 0);
			assert_int_equal(tcp_sum_of(ip, made.bytes + made.tcp, 20 + data), 0);
			frame = parse(&made);
			assert_int_equal(frame.kind, FRAME_TCP);
			assert_int_equal(frame.tcp_len, 20 + data);
			assert_true(frame_has_good_checksums(&frame));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_ipv4),
		cmocka_unit_test(leaves_padding_out),
		cmocka_unit_test(walks_over_tags),
		cmocka_unit_test(reads_ipv6_behind_extensions),
		cmocka_unit_test(reads_ipv6_behind_authentication),
		cmocka_unit_test(knows_fragments_of_ipv4),
		cmocka_unit_test(refuses_first_fragments_without_ports),
		cmocka_unit_test(knows_fragments_of_ipv6),
		cmocka_unit_test(knows_fragments_with_options),
		cmocka_unit_test(atomic_fragments_are_whole),
		cmocka_unit_test(refuses_chains_that_go_on_in_another_fragment),
		cmocka_unit_test(refuses_chains_without_end),
		cmocka_unit_test(malformed_is_other_or_part),
		cmocka_unit_test(survives_truncation),
		cmocka_unit_test(finds_bad_checksums),
		cmocka_unit_test(seals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
