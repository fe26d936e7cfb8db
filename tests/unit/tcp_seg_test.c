/* A segment on the wire: what is written is read again, and no damage leads outside the bytes given. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/tcp/tcp.h"

static const uint8_t header[20] = {0x14, 0x95, 0xc0, 0x00, 1, 2, 3, 4, 5, 6, 7, 8, 0x50, 0x18, 0x12, 0x34, 0, 0, 0, 9};

/* A copy of just that size on the heap, so that a sanitizer sees any step outside. */
static int parse(struct tcp_seg *seg, const uint8_t *bytes, size_t n, uint8_t **copy)
{
	*copy = malloc(n ? n : 1);
	if (n)
		memcpy(*copy, bytes, n);
	return tcp_seg_parse(seg, *copy, n);
}

static int parse_options(struct tcp_seg *seg, const uint8_t *options, size_t n)
{
	uint8_t bytes[60] = {0}, *copy;
	memcpy(bytes, header, 20);
	memcpy(bytes + 20, options, n);
	size_t len = 20 + (n + 3) / 4 * 4;
	bytes[12] = (uint8_t)(len / 4 << 4);
	int rc = parse(seg, bytes, len, &copy);
	free(copy);
	return rc;
}

static void fields_are_read(void **state)
{
	(void)state;
	uint8_t bytes[23], *copy;
	struct tcp_seg seg;
	memcpy(bytes, header, 20);
	memcpy(bytes + 20, "abc", 3);
	assert_int_equal(parse(&seg, bytes, sizeof(bytes), &copy), 0);
	assert_int_equal(seg.seq.v, 0x01020304);
	assert_int_equal(seg.ack.v, 0x05060708);
	assert_int_equal(seg.flags, TCP_PSH | TCP_ACK);
	assert_int_equal(seg.window, 0x1234);
	assert_int_equal(seg.urgent, 9);
	assert_int_equal(seg.wscale, TCP_WSCALE_NONE);
	assert_int_equal(seg.mss, 0);
	assert_int_equal(seg.len, 3);
	assert_memory_equal(seg.data, "abc", 3);
	free(copy);
}

static void short_or_bent_headers_are_refused(void **state)
{
	(void)state;
	uint8_t bytes[24], *copy;
	struct tcp_seg seg;
	memcpy(bytes, header, 20);
	for (size_t n = 0; n < 20; n++) {
		assert_int_equal(parse(&seg, bytes, n, &copy), -EINVAL);
		free(copy);
	}
	for (unsigned offset = 0; offset < 16; offset++) {
		bytes[12] = (uint8_t)(offset << 4);
		assert_int_equal(parse(&seg, bytes, 24, &copy), offset == 5 || offset == 6 ? 0 : -EINVAL);
		free(copy);
	}
}

static const uint8_t all_options[40] = {2, 4, 0x05, 0xb4, 1, 3, 3, 7, 4, 2, 1, 1,
	5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xf0, 0, 0, 0, 3, 0, 0, 8, 2, 0, 0};

static void options_are_read(void **state)
{
	(void)state;
	struct tcp_seg seg;
	assert_int_equal(parse_options(&seg, all_options, 32), 0);
	assert_int_equal(seg.mss, 1460);
	assert_int_equal(seg.wscale, 7);
	assert_true(seg.sack_permitted);
	assert_int_equal(seg.sack_count, 2);
	assert_int_equal(seg.sack[0].start.v, 1);
	assert_int_equal(seg.sack[0].end.v, 2);
	assert_int_equal(seg.sack[1].start.v, 0xfffffff0);
	assert_int_equal(seg.sack[1].end.v, 3);
}

/* Cut anywhere, the options before the cut are read, and no more. */
static void options_may_be_cut_anywhere(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 32; n++) {
		struct tcp_seg seg;
		assert_int_equal(parse_options(&seg, all_options, n), 0);
		assert_int_equal(seg.mss, n >= 4 ? 1460 : n == 3 ? 0x0500 : 0); /* the cut is filled with zeros */
		assert_int_equal(seg.wscale, n >= 8 ? 7 : n == 7 ? 0 : TCP_WSCALE_NONE);
		assert_int_equal(seg.sack_permitted, n >= 10);
	}
	for (size_t cut = 20; cut < 52; cut += 4) { /* cut by the data offset */
		uint8_t bytes[52], *copy;
		struct tcp_seg seg;
		memcpy(bytes, header, 20);
		memcpy(bytes + 20, all_options, 32);
		bytes[12] = (uint8_t)(cut / 4 << 4);
		assert_int_equal(parse(&seg, bytes, cut, &copy), 0);
		assert_int_equal(seg.sack_count, 0); /* its length leads beyond the header */
		free(copy);
	}
}

static void options_of_wrong_length_are_skipped(void **state)
{
	(void)state;
	static const struct { uint8_t bytes[12]; uint16_t mss; } rows[] = {
		{{2, 3, 9, 2, 4, 0x05, 0xb4}, 1460},          /* a short MSS, then a good one */
		{{2, 0, 2, 4, 0x05, 0xb4}, 0},                /* length 0: nothing behind it can be found */
		{{2, 1, 2, 4, 0x05, 0xb4}, 0},
		{{254, 4, 1, 1, 2, 4, 0x05, 0xb4}, 1460},     /* unknown */
		{{254, 40, 2, 4, 0x05, 0xb4}, 0},             /* leads outside */
		{{3, 2, 4, 3, 9, 2, 4, 0x05, 0xb4}, 1460},
		{{5, 9, 0, 0, 0, 1, 0, 0, 0}, 0},             /* not a whole block */
		{{1, 1, 0, 2, 4, 0x05, 0xb4}, 0},             /* after the end */
		{{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2}, 0},    /* a kind without its length */
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tcp_seg seg;
		assert_int_equal(parse_options(&seg, rows[i].bytes, 12), 0);
		assert_int_equal(seg.mss, rows[i].mss);
		assert_int_equal(seg.wscale, TCP_WSCALE_NONE);
		assert_false(seg.sack_permitted);
		assert_int_equal(seg.sack_count, 0);
	}
}

static void scale_is_14_at_the_most(void **state)
{
	(void)state;
	static const uint8_t options[] = {3, 3, 200};
	struct tcp_seg seg;
	assert_int_equal(parse_options(&seg, options, 3), 0);
	assert_int_equal(seg.wscale, 14);
}

static void what_is_written_is_read(void **state)
{
	(void)state;
	struct tcp_seg syn = {.seq = seq_of(1), .ack = seq_of(0xfffffffe), .flags = TCP_SYN, .window = 65535, .mss = 1400,
		.wscale = 7, .sack_permitted = true}, data = {.flags = TCP_ACK, .wscale = TCP_WSCALE_NONE, .sack_count = 4}, seg;
	uint8_t bytes[TCP_HEADER_MAX] = {0};
	size_t n = tcp_seg_write(&syn, bytes);
	assert_int_equal(n, 32);
	assert_int_equal(tcp_seg_parse(&seg, bytes, n), 0);
	assert_int_equal(seg.seq.v, 1);
	assert_int_equal(seg.ack.v, 0xfffffffe);
	assert_int_equal(seg.mss, 1400);
	assert_int_equal(seg.wscale, 7);
	assert_true(seg.sack_permitted);
	assert_int_equal(seg.window, 65535);
	for (unsigned i = 0; i < 4; i++)
		data.sack[i] = (struct tcp_sack_block){seq_of(i * 100), seq_of(i * 100 + 50)};
	n = tcp_seg_write(&data, bytes);
	assert_int_equal(n, 56);
	assert_int_equal(tcp_seg_parse(&seg, bytes, n), 0);
	assert_int_equal(seg.sack_count, 4);
	assert_memory_equal(seg.sack, data.sack, sizeof(seg.sack));
	assert_int_equal(seg.len, 0);
}

static const uint8_t stamped_options[] = {1, 1, 8, 10, 0xfe, 0xdc, 0xba, 0x98, 0, 0, 0, 7};

static void timestamps_are_read(void **state)
{
	(void)state;
	struct tcp_seg seg;
	assert_int_equal(parse_options(&seg, stamped_options, 12), 0);
	assert_true(seg.has_timestamps);
	assert_int_equal(seg.ts_val, 0xfedcba98);
	assert_int_equal(seg.ts_ecr, 7);
	for (size_t n = 0; n < 10; n++) { /* cut: what follows is padding, so the length leads outside or nowhere */
		assert_int_equal(parse_options(&seg, stamped_options, n), 0);
		assert_int_equal(seg.has_timestamps, n > 8);
	}
	static const uint8_t wrong[2][12] = {{8, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, {8, 11, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}};
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(parse_options(&seg, wrong[i], 12), 0);
		assert_false(seg.has_timestamps);
	}
}

/* RFC 7323 appendix A: two NOPs, then the option. */
static void timestamps_are_written_aligned(void **state)
{
	(void)state;
	struct tcp_seg ack = {.flags = TCP_ACK, .wscale = TCP_WSCALE_NONE, .has_timestamps = true, .ts_val = 0xfedcba98,
		.ts_ecr = 7, .sack_count = 4}, seg;
	uint8_t bytes[TCP_HEADER_MAX] = {0};
	for (unsigned i = 0; i < 4; i++)
		ack.sack[i] = (struct tcp_sack_block){seq_of(i * 100), seq_of(i * 100 + 50)};
	assert_int_equal(tcp_seg_write(&ack, bytes), 60);
	assert_memory_equal(bytes + 20, stamped_options, 12);
	assert_int_equal(tcp_seg_parse(&seg, bytes, 60), 0);
	assert_int_equal(seg.sack_count, 3); /* there is no room for more */
	assert_memory_equal(seg.sack, ack.sack, 3 * sizeof(seg.sack[0]));
	assert_true(seg.has_timestamps);
	struct tcp_seg syn = {.flags = TCP_SYN, .mss = 1460, .wscale = 7, .sack_permitted = true, .has_timestamps = true,
		.ts_val = 1, .ts_ecr = 2};
	size_t n = tcp_seg_write(&syn, bytes);
	assert_int_equal(n, 44);
	assert_int_equal(tcp_seg_parse(&seg, bytes, n), 0);
	assert_true(seg.has_timestamps && seg.sack_permitted);
	assert_int_equal(seg.ts_ecr, 2);
	assert_int_equal(seg.wscale, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_read),
		cmocka_unit_test(short_or_bent_headers_are_refused),
		cmocka_unit_test(options_are_read),
		cmocka_unit_test(options_may_be_cut_anywhere),
		cmocka_unit_test(options_of_wrong_length_are_skipped),
		cmocka_unit_test(scale_is_14_at_the_most),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(timestamps_are_read),
		cmocka_unit_test(timestamps_are_written_aligned),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
