/* Packets that were too big: what quotes a segment of the guard is heard by the half that sent it, all else passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <rte_ring.h>

#include "worker_harness.h"

enum { ROUTER = 9, BULK = 3000 };

/* From the far end of its path: the segment `quoted` (its frame) was too big. */
struct complaint {
	const struct made *quoted;
	unsigned mtu;
	size_t bytes;                  /* of TCP in the quote */
	unsigned options;              /* bytes of IPv4 options in the quote */
	bool wrong_sum;
};

static size_t quote(uint8_t *to, const struct complaint *complaint, unsigned family)
{
	const uint8_t *ip = complaint->quoted->bytes + complaint->quoted->ip;
	const uint8_t *tcp = complaint->quoted->bytes + complaint->quoted->tcp;
	size_t header = family == 4 ? 20 : 40;
	memcpy(to, ip, header);
	if (family == 4)
		to[0] = (uint8_t)(0x40 | (20 + complaint->options) / 4);
	memset(to + header, 1, complaint->options);
	memcpy(to + header + complaint->options, tcp, complaint->bytes);
	return header + complaint->options + complaint->bytes;
}

/* Summed here and not by what is tested. */
static uint16_t icmpv6_sum(const struct made *made, size_t at)
{
	uint8_t pseudo[2048] = {0};
	size_t len = made->len - at;
	memcpy(pseudo, made->bytes + made->ip + 8, 32);
	pseudo[34] = (uint8_t)(len >> 8);
	pseudo[35] = (uint8_t)len;
	pseudo[39] = 58;
	memcpy(pseudo + 40, made->bytes + at, len);
	return sum_of(pseudo, 40 + len);
}

static struct made make_complaint(const struct bench *b, const struct complaint *complaint)
{
	struct made made = make(b, ROUTER, SERVER, NULL);
	uint8_t message[256] = {b->family == 4 ? 3 : 2, b->family == 4 ? 4 : 0};
	message[6] = (uint8_t)(complaint->mtu >> 8);
	message[7] = (uint8_t)complaint->mtu;
	size_t at = made.len, len = 8 + quote(message + 8, complaint, b->family);
	made.bytes[made.ip + (b->family == 4 ? 9 : 6)] = b->family == 4 ? 1 : 58;
	make_bytes(&made, message, len);
	make_done(&made);
	uint16_t sum = b->family == 4 ? sum_of(made.bytes + at, len) : icmpv6_sum(&made, at);
	sum ^= complaint->wrong_sum;
	made.bytes[at + 2] = (uint8_t)(sum >> 8);
	made.bytes[at + 3] = (uint8_t)sum;
	return made;
}

/* A connection on which the guard has sent its client three segments, of which the first is `first`. */
static void open_and_send(struct bench *b, struct seen *first)
{
	static const uint8_t bulk[BULK], mss_1460[] = {2, 4, 0x05, 0xb4};
	struct made_tcp syn = from_client(0, 0, TCP_SYN), syn_ack = from_server(0, 1, TCP_SYN | TCP_ACK),
		ack = from_client(1, 1, TCP_ACK);
	syn.options = syn_ack.options = mss_1460;
	syn.options_len = syn_ack.options_len = sizeof(mss_1460);
	client_says(b, &syn);
	server_says(b, &syn_ack);
	client_says(b, &ack);
	empty(b);
	struct msg_opened opened;
	uint64_t id = hear_opened(b, &opened);
	player_say(&b->player, MSG_BYTES, SIDE_CLIENT, id, bulk, sizeof(bulk));
	bench_run(b);
	see(b, WIRE_INSIDE, first);
	first->made.ip = first->frame.ip;
	first->made.tcp = first->frame.tcp;
	empty(b);
}

static void close_it(struct bench *b)
{
	bench_detach(b);
	empty(b);
	forget_flows(b);
	bench_attach(b);
}

static uint32_t largest_sent(struct bench *b, bool *may_be_fragmented)
{
	uint32_t largest = 0;
	while (!rte_ring_empty(b->out[WIRE_INSIDE])) {
		struct seen seen;
		see(b, WIRE_INSIDE, &seen);
		largest = seen.seg.len > largest ? seen.seg.len : largest;
		*may_be_fragmented = seen.frame.family == 4 && !(seen.made.bytes[seen.frame.ip + 6] & 0x40);
	}
	return largest;
}

static void is_heeded_by_the_half_that_sent(void **state)
{
	struct bench *b = *state;
	static const struct row {
		uint8_t family, tags;
		unsigned mtu;
		uint32_t expected;     /* 0: not heeded */
		unsigned options;
		bool may_be_fragmented;
	} rows[] = {
		{4, 0, 1000, 960, 0, false},
		{4, 2, 1200, 1160, 0, false},
		{4, 0, 1000, 960, 12, false},
		{4, 0, 576, 536, 0, false},
		{4, 0, 300, 536, 0, true},
		{4, 0, 0, 1452, 0, false},     /* not told: the plateau below 1500 */
		{4, 0, 1500, 0, 0, false},
		{6, 0, 1280, 1220, 0, false},
		{6, 1, 1400, 1340, 0, false},
		{6, 0, 1279, 0, 0, false},
		{6, 0, 0, 0, 0, false},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct seen first;
		b->family = row->family;
		b->tags = row->tags;
		open_and_send(b, &first);
		assert_int_equal(first.seg.len, row->family == 4 ? 1460 : 1440);
		struct complaint complaint = {.quoted = &first.made, .mtu = row->mtu, .bytes = 8 + i % 2 * 12,
			.options = row->options};
		struct made made = make_complaint(b, &complaint);
		inject(b, WIRE_INSIDE, &made);
		assert_true(rte_ring_empty(b->out[WIRE_OUTSIDE]));
		assert_int_equal(counted(b, COUNT_TOO_BIG_HEEDED), row->expected != 0);
		assert_int_equal(counted(b, COUNT_DROP_TOO_BIG), row->expected == 0);
		bool may_be_fragmented = false;
		assert_int_equal(largest_sent(b, &may_be_fragmented), row->expected);
		assert_int_equal(may_be_fragmented, row->may_be_fragmented);
		close_it(b);
	}
}

/* RFC 5927: from the wrong wire, or about what is not in flight; the connection is guarded, so neither goes anywhere. */
static void is_not_believed_from_strangers(void **state)
{
	struct bench *b = *state;
	struct seen first;
	open_and_send(b, &first);
	struct complaint complaint = {.quoted = &first.made, .mtu = 700, .bytes = 8};
	struct made made = make_complaint(b, &complaint);
	inject(b, WIRE_OUTSIDE, &made);
	assert_int_equal(counted(b, COUNT_DROP_TOO_BIG), 1);
	first.made.bytes[first.made.tcp + 5] ^= 0x40;
	made = make_complaint(b, &complaint);
	inject(b, WIRE_INSIDE, &made);
	assert_int_equal(counted(b, COUNT_DROP_TOO_BIG), 2);
	assert_true(nothing_comes_out(b));
	assert_int_equal(counted(b, COUNT_TOO_BIG_HEEDED), 0);
}

static void passes_byte_for_byte(struct bench *b, const struct complaint *complaint)
{
	struct made made = make_complaint(b, complaint);
	inject(b, WIRE_INSIDE, &made);
	assert_true(comes_out(b, WIRE_OUTSIDE, &made));
	assert_true(nothing_comes_out(b));
}

static void others_pass(void **state)
{
	struct bench *b = *state;
	for (b->family = 4; b->family <= 6; b->family += 2) {
		struct seen first;
		open_and_send(b, &first);
		struct complaint complaint = {.quoted = &first.made, .mtu = 1300, .bytes = 8, .wrong_sum = true};
		passes_byte_for_byte(b, &complaint);
		complaint.wrong_sum = false;
		complaint.bytes = 7;           /* no sequence number */
		passes_byte_for_byte(b, &complaint);
		complaint.bytes = 8;
		first.made.bytes[first.made.tcp + 2] ^= 1;     /* of no connection of ours */
		passes_byte_for_byte(b, &complaint);
		first.made.bytes[first.made.tcp + 2] ^= 1;
		size_t protocol = first.made.ip + (b->family == 4 ? 9 : 6);
		first.made.bytes[protocol] = 17;
		passes_byte_for_byte(b, &complaint);
		first.made.bytes[protocol] = 6;
		if (b->family == 4) {
			complaint.options = 12;
			complaint.bytes = 0;
			passes_byte_for_byte(b, &complaint);
		}
		struct made echo = make_complaint(b, &complaint);
		echo.bytes[echo.ip + (b->family == 4 ? 20 : 40)] = b->family == 4 ? 8 : 128;
		inject(b, WIRE_INSIDE, &echo);
		assert_true(comes_out(b, WIRE_OUTSIDE, &echo));
		assert_int_equal(counted(b, COUNT_TOO_BIG_HEEDED) + counted(b, COUNT_DROP_TOO_BIG), 0);
		close_it(b);
	}
}

/* While the handshake passes through, its segments are the endpoints' own. */
static void of_a_handshake_passes(void **state)
{
	struct bench *b = *state;
	struct made_tcp syn = from_client(0, 0, TCP_SYN), syn_ack = from_server(0, 1, TCP_SYN | TCP_ACK);
	client_says(b, &syn);
	server_says(b, &syn_ack);
	struct seen seen;
	see(b, WIRE_INSIDE, &seen);
	empty(b);
	seen.made.ip = seen.frame.ip;
	seen.made.tcp = seen.frame.tcp;
	struct complaint complaint = {.quoted = &seen.made, .mtu = 1300, .bytes = 8};
	passes_byte_for_byte(b, &complaint);
}

/* What Linux does with TCP: so a path that takes less says so. */
static void segments_forbid_fragments(void **state)
{
	struct bench *b = *state;
	struct seen first;
	open_and_send(b, &first);
	assert_int_equal(first.made.bytes[first.frame.ip + 6], 0x40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, bench_before_each, bench_after_each)
		T(is_heeded_by_the_half_that_sent),
		T(is_not_believed_from_strangers),
		T(others_pass),
		T(of_a_handshake_passes),
		T(segments_forbid_fragments),
	};
	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
