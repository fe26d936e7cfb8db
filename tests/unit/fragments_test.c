/* Fragments: of guarded connections they become a segment, of all others they leave as they came, in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <rte_ring.h>

#include "worker_harness.h"

enum { WHOLE = 0xffff };
static const char text[] = "The quick brown fox jumps over the lazy dog, and the lazy dog looks on, not greatly amused..";

/* Bytes from..to of what is behind the IP header, as a fragment; `to` WHOLE: to the end, and it is the last. `extensions`
 * of IPv6 are put before the Fragment header. */
static struct made cut(const struct made *whole, size_t from, size_t to, unsigned extensions)
{
	struct made piece = {.ip = whole->ip};
	bool is_ipv4 = whole->bytes[whole->ip] >> 4 == 4, more = to != WHOLE;
	size_t header = is_ipv4 ? 20 : 40, start = whole->ip + header;
	to = more ? to : whole->len - start;
	make_bytes(&piece, whole->bytes, start);
	if (is_ipv4) {
		piece.bytes[piece.ip + 6] = (uint8_t)(more << 5 | from >> 11);
		piece.bytes[piece.ip + 7] = (uint8_t)(from >> 3);
	} else {
		uint8_t next = piece.bytes[piece.ip + 6];
		piece.bytes[piece.ip + 6] = extensions ? 0 : 44;
		for (unsigned i = 0; i < extensions; i++)
			make_extension(&piece, i + 1 < extensions ? 60 : 44, 1 + i);
		make_fragment_header(&piece, next, (unsigned)from >> 3, more);
	}
	make_bytes(&piece, whole->bytes + start + from, to - from);
	make_done(&piece);
	return piece;
}

static struct made cut_between(const struct made *whole, size_t from, size_t to)
{
	return cut(whole, from, to, 0);
}

static void inject_cut(struct bench *b, enum wire wire, const struct made *whole, size_t from, size_t to)
{
	struct made piece = cut_between(whole, from, to);
	inject(b, wire, &piece);
}

/* A segment of the client that follows `seq` bytes, with the text. */
static struct made segment(const struct bench *b, uint32_t seq)
{
	struct made_tcp data = from_client(1 + seq, 1, TCP_ACK);
	data.data = text;
	data.data_len = sizeof(text);
	return make(b, CLIENT, SERVER, &data);
}

/* Nothing of it crossed, and the guard's answer acknowledges what was said up to now. */
static void expect_text(struct bench *b, uint64_t id)
{
	player_expect(&b->player, MSG_BYTES, SIDE_CLIENT, id, text, sizeof(text));
	assert_true(rte_ring_empty(b->out[WIRE_OUTSIDE]));
	empty(b);
}

static void expire(struct bench *b)
{
	struct datagram *datagram;
	TAILQ_FOREACH(datagram, &b->worker->fragments->known, order)
		datagram->expires = 0;
	bench_run(b);
	assert_true(TAILQ_EMPTY(&b->worker->fragments->known));
	assert_int_equal(b->worker->fragments->held, 0);
}

static int after_each(void **state)
{
	expire(*state);
	return bench_after_each(state);
}

/* --- guarded --- */

static void guarded_ones_become_a_segment(void **state)
{
	struct bench *b = *state;
	static const uint8_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	static const size_t ends[] = {0, 8, 48, WHOLE};        /* the TCP header is in the first two */
	for (b->family = 4; b->family <= 6; b->family += 2) {
		for (b->tags = 0; b->tags <= 2; b->tags++) {
			uint64_t id = open_connection(b);
			for (unsigned o = 0; o < 6; o++) {
				struct made whole = segment(b, o * sizeof(text));
				for (unsigned i = 0; i < 3; i++) {
					assert_true(nothing_comes_out(b));
					inject_cut(b, WIRE_INSIDE, &whole, ends[orders[o][i]], ends[orders[o][i] + 1]);
				}
				expect_text(b, id);
			}
			assert_int_equal(counted(b, COUNT_REASSEMBLED), 6);
			bench_detach(b);
			empty(b);
			forget_flows(b);
			bench_attach(b);
		}
	}
}

/* A handshake of fragments is a handshake. */
static void a_syn_in_fragments_is_one(void **state)
{
	struct bench *b = *state;
	for (b->family = 4; b->family <= 6; b->family += 2) {
		struct made_tcp syn = from_client(0, 0, TCP_SYN);
		syn.options = (const uint8_t[]){2, 4, 0x05, 0xb4};
		syn.options_len = 4;
		struct made whole = make(b, CLIENT, SERVER, &syn);
		for (unsigned extensions = 0; extensions <= (b->family == 6 ? 3 : 0); extensions++) {
			struct made first = cut(&whole, 0, 8, extensions), second = cut(&whole, 8, WHOLE, extensions);
			inject(b, WIRE_INSIDE, &first);
			inject(b, WIRE_INSIDE, &second);
			struct seen seen;
			see(b, WIRE_OUTSIDE, &seen);
			assert_int_equal(seen.seg.flags, TCP_SYN);
			assert_int_equal(seen.seg.mss, b->family == 4 ? 1460 : 1440);
			assert_int_equal(seen.frame.tcp - seen.frame.ip, b->family == 4 ? 20 : 40);
			assert_true(nothing_comes_out(b));
		}
		forget_flows(b);
	}
}

/* Fragments on a wire with short frames are padded. */
static void padding_is_no_part(void **state)
{
	struct bench *b = *state;
	uint64_t id = open_connection(b);
	struct made whole = segment(b, 0);
	for (size_t at = 0; at < 104; at += 24) {
		struct made piece = cut_between(&whole, at, at + 24 < 104 ? at + 24 : WHOLE);
		while (piece.len < 60)
			make_bytes(&piece, "p", 1);
		inject(b, WIRE_INSIDE, &piece);
	}
	expect_text(b, id);
}

static void the_wire_may_double_them(void **state)
{
	struct bench *b = *state;
	for (b->family = 4; b->family <= 6; b->family += 2) {
		uint64_t id = open_connection(b);
		struct made whole = segment(b, 0);
		inject_cut(b, WIRE_INSIDE, &whole, 40, 80);
		inject_cut(b, WIRE_INSIDE, &whole, 40, 80);
		inject_cut(b, WIRE_INSIDE, &whole, 0, 40);
		inject_cut(b, WIRE_INSIDE, &whole, 0, 40);
		inject_cut(b, WIRE_INSIDE, &whole, 80, WHOLE);
		expect_text(b, id);
		assert_int_equal(counted(b, COUNT_DROP_FRAGMENT_REPEATED), 2);
		bench_detach(b);
		empty(b);
		forget_flows(b);
		bench_attach(b);
	}
}

static void congestion_of_one_is_of_all(void **state)
{
	struct bench *b = *state;
	struct made_tcp syn = from_client(0, 0, TCP_SYN);
	syn.from = 40001;
	for (b->family = 4; b->family <= 6; b->family += 2) {
		struct made whole = make(b, CLIENT, SERVER, &syn), first = cut_between(&whole, 0, 8),
			second = cut_between(&whole, 8, WHOLE);
		second.bytes[second.ip + 1] |= b->family == 4 ? 3 : 0x30;
		make_done(&second);
		inject(b, WIRE_INSIDE, &first);
		inject(b, WIRE_INSIDE, &second);
		assert_int_equal(counted(b, COUNT_REASSEMBLED), b->family / 2 - 1);
	}
	empty(b);
}

/* RFC 6946: that it could have been one says nothing. */
static void an_atomic_fragment_is_whole(void **state)
{
	struct bench *b = *state;
	b->family = 6;
	uint64_t id = open_connection(b);
	struct made whole = segment(b, 0), atomic = cut_between(&whole, 0, WHOLE);
	inject(b, WIRE_INSIDE, &atomic);
	expect_text(b, id);
	assert_int_equal(counted(b, COUNT_REASSEMBLED), 0);
}

/* --- refused --- */

static void nothing_of_it_is_heard(struct bench *b, uint64_t id, enum dataplane_counter why, unsigned frames)
{
	(void)id;
	assert_int_equal(counted(b, why), frames);
	player_expect_none(&b->player);
	assert_true(nothing_comes_out(b));
	expire(b);
	counter_set(b->worker->counters, why, 0);
}

static void overlaps_are_refused(void **state)
{
	struct bench *b = *state;
	static const struct row {
		size_t piece[4][2];
		unsigned changed;      /* the piece with other bytes, or 4 */
	} rows[] = {
		{{{0, 48}, {40, WHOLE}}, 4},
		{{{0, 8}, {48, WHOLE}, {8, 56}}, 4},
		{{{0, 8}, {8, 48}, {8, 48}, {48, WHOLE}}, 2},          /* RFC 3128: flags written over */
		{{{8, 48}, {0, 8}, {8, 48}, {48, WHOLE}}, 2},
		{{{8, 48}, {8, 48}, {0, 8}, {48, WHOLE}}, 1},
		{{{0, 16}, {8, 16}, {16, WHOLE}}, 4},
		{{{0, 8}, {0, 16}, {16, WHOLE}}, 4},
		{{{0, 8}, {0, 8}, {8, WHOLE}}, 1},                     /* other ports */
	};
	for (b->family = 4; b->family <= 6; b->family += 2) {
		uint64_t id = open_connection(b);
		for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			struct made whole = segment(b, 0);
			unsigned n = 0;
			for (; n < 4 && rows[i].piece[n][1]; n++) {
				struct made piece = cut_between(&whole, rows[i].piece[n][0], rows[i].piece[n][1]);
				piece.bytes[piece.len - 2] ^= n == rows[i].changed;
				inject(b, WIRE_INSIDE, &piece);
			}
			nothing_of_it_is_heard(b, id, COUNT_DROP_FRAGMENT_OVERLAP, n);
		}
		assert_int_equal(counted(b, COUNT_REASSEMBLED), 0);
	}
}

/* Pieces behind the end, and two ends. */
static void ends_at_odds_are_refused(void **state)
{
	struct bench *b = *state;
	uint64_t id = open_connection(b);
	struct made whole = segment(b, 0), shorter = whole;
	shorter.len -= 32;
	make_done(&shorter);
	inject_cut(b, WIRE_INSIDE, &whole, 0, 8);
	inject_cut(b, WIRE_INSIDE, &shorter, 40, WHOLE);
	inject_cut(b, WIRE_INSIDE, &whole, 96, 104);
	nothing_of_it_is_heard(b, id, COUNT_DROP_FRAGMENT_OVERLAP, 3);
	inject_cut(b, WIRE_INSIDE, &whole, 0, 8);
	inject_cut(b, WIRE_INSIDE, &shorter, 40, WHOLE);
	inject_cut(b, WIRE_INSIDE, &whole, 96, WHOLE);
	nothing_of_it_is_heard(b, id, COUNT_DROP_FRAGMENT_OVERLAP, 3);
}

static void wrong_sums_are_refused(void **state)
{
	struct bench *b = *state;
	open_connection(b);
	struct made whole = segment(b, 0);
	whole.bytes[whole.tcp + 40] ^= 1;
	inject_cut(b, WIRE_INSIDE, &whole, 0, 48);
	inject_cut(b, WIRE_INSIDE, &whole, 48, WHOLE);
	assert_int_equal(counted(b, COUNT_DROP_BAD_CHECKSUM), 1);
	struct made first = cut_between(&whole, 0, 48); /* the IP header's */
	first.bytes[first.ip + 8]--;
	inject(b, WIRE_INSIDE, &first);
	assert_int_equal(counted(b, COUNT_DROP_BAD_CHECKSUM), 2);
	assert_true(TAILQ_EMPTY(&b->worker->fragments->known));
	player_expect_none(&b->player);
	assert_true(nothing_comes_out(b));
}

/* RFC 1858: the whole datagram, whether its ports come in time or not. */
static void first_ones_without_ports_are_refused(void **state)
{
	struct bench *b = *state;
	uint64_t id = open_connection(b);
	struct made whole = segment(b, 0), tiny = cut_between(&whole, 0, 8);
	tiny.len -= 6;
	make_done(&tiny);
	inject_cut(b, WIRE_INSIDE, &whole, 8, WHOLE);
	inject(b, WIRE_INSIDE, &tiny);
	inject_cut(b, WIRE_INSIDE, &whole, 0, 8);
	nothing_of_it_is_heard(b, id, COUNT_DROP_UNREADABLE, 3);
	b->family = 6;
	id = open_connection(b);
	whole = make(b, CLIENT, SERVER, NULL);
	whole.bytes[whole.ip + 6] = 60;
	make_extension(&whole, 6, 2);
	make_bytes(&whole, text, sizeof(text));
	inject_cut(b, WIRE_INSIDE, &whole, 0, 16); /* RFC 7112 */
	inject_cut(b, WIRE_INSIDE, &whole, 16, WHOLE);
	nothing_of_it_is_heard(b, id, COUNT_DROP_UNREADABLE, 2);
}

static void ill_formed_ones_are_refused(void **state)
{
	struct bench *b = *state;
	uint64_t id = open_connection(b);
	struct made whole = segment(b, 0), odd = cut_between(&whole, 8, 16);
	odd.len -= 1;
	make_done(&odd);
	inject_cut(b, WIRE_INSIDE, &whole, 0, 8);
	inject(b, WIRE_INSIDE, &odd);
	nothing_of_it_is_heard(b, id, COUNT_DROP_MALFORMED, 2);
	struct made beyond = cut_between(&whole, 0, WHOLE); /* of 65535 bytes */
	beyond.bytes[beyond.ip + 6] = 0x1f;
	beyond.bytes[beyond.ip + 7] = 0xff;
	make_done(&beyond);
	inject_cut(b, WIRE_INSIDE, &whole, 0, 8);
	inject(b, WIRE_INSIDE, &beyond);
	nothing_of_it_is_heard(b, id, COUNT_DROP_MALFORMED, 2);
}

static void too_many_are_refused(void **state)
{
	struct bench *b = *state;
	uint64_t id = open_connection(b);
	struct made whole = segment(b, 0);
	for (unsigned i = 0; i < 9; i++)
		inject_cut(b, WIRE_INSIDE, &whole, i * 8, i * 8 + 8);
	nothing_of_it_is_heard(b, id, COUNT_DROP_FRAGMENT_EXCESS, 9);
	for (unsigned i = 1; i <= FRAGMENTS_OF_ONE + 1; i++)
		inject_cut(b, WIRE_INSIDE, &whole, 8, 16);
	nothing_of_it_is_heard(b, id, COUNT_DROP_FRAGMENT_EXCESS, FRAGMENTS_OF_ONE + 1);
}

/* More than a buffer holds: no frame of this port was ever so large. */
static void too_much_is_refused(void **state)
{
	struct bench *b = *state;
	uint64_t id = open_connection(b);
	static const uint8_t block[1600];
	struct made_tcp data = from_client(1, 1, TCP_ACK);
	data.data = block;
	data.data_len = sizeof(block);
	struct made whole = make(b, CLIENT, SERVER, &data), last = cut_between(&whole, 1600, WHOLE);
	inject_cut(b, WIRE_INSIDE, &whole, 0, 1600);
	make_bytes(&last, block, 500);
	make_done(&last);
	inject(b, WIRE_INSIDE, &last);
	nothing_of_it_is_heard(b, id, COUNT_DROP_FRAGMENT_EXCESS, 2);
}

static void what_does_not_become_whole_is_forgotten(void **state)
{
	struct bench *b = *state;
	uint64_t id = open_connection(b);
	struct made whole = segment(b, 0);
	inject_cut(b, WIRE_INSIDE, &whole, 48, WHOLE);
	inject_cut(b, WIRE_INSIDE, &whole, 0, 40);
	assert_int_equal(b->worker->fragments->held, 2);
	expire(b);
	assert_int_equal(counted(b, COUNT_DROP_FRAGMENT_EXPIRED), 2);
	inject_cut(b, WIRE_INSIDE, &whole, 40, 48); /* of another one, for all we know */
	expire(b);
	nothing_of_it_is_heard(b, id, COUNT_DROP_FRAGMENT_EXPIRED, 3);
	inject_cut(b, WIRE_INSIDE, &whole, 0, 48); /* and then it is sent again */
	inject_cut(b, WIRE_INSIDE, &whole, 48, WHOLE);
	expect_text(b, id);
}

/* A flood costs the table and no more: the oldest go. */
static void bounds_what_is_held(void **state)
{
	struct bench *b = *state;
	enum { MORE = 100 };
	uint64_t id = open_connection(b);
	struct made whole = segment(b, 0);
	for (unsigned i = 0; i < FRAGMENTS_DATAGRAMS + MORE; i++) {
		struct made piece = cut_between(&whole, 8, 16);
		piece.bytes[piece.ip + 4] = (uint8_t)(i >> 8);
		piece.bytes[piece.ip + 5] = (uint8_t)i;
		make_done(&piece);
		inject(b, WIRE_INSIDE, &piece);
	}
	assert_int_equal(counted(b, COUNT_DROP_FRAGMENT_EVICTED), FRAGMENTS_DATAGRAMS + MORE - FRAGMENTS_HELD);
	assert_int_equal(b->worker->fragments->held, FRAGMENTS_HELD);
	inject_cut(b, WIRE_INSIDE, &whole, 0, 48);     /* evicts one, and finds its place */
	inject_cut(b, WIRE_INSIDE, &whole, 48, WHOLE);
	expect_text(b, id);
}

/* --- bridged --- */

static struct made elsewhere(const struct bench *b)
{
	struct made_tcp data = {.from = 40000, .to = 8080, .seq = 1, .ack = 1, .flags = TCP_ACK, .window = 1000, .data = text,
		.data_len = sizeof(text)};
	return make(b, CLIENT, SERVER, &data);
}

/* However many datagrams of others there are at once: all of it passes, and the table is no larger. */
static void bounds_what_is_known(void **state)
{
	struct bench *b = *state;
	struct made whole = elsewhere(b);
	for (unsigned i = 0; i < FRAGMENTS_DATAGRAMS + 100; i++) {
		struct made pieces[] = {cut_between(&whole, 0, 16), cut_between(&whole, 16, WHOLE)};
		for (unsigned k = 0; k < 2; k++) {
			pieces[k].bytes[pieces[k].ip + 4] = (uint8_t)(i >> 8);
			pieces[k].bytes[pieces[k].ip + 5] = (uint8_t)i;
			make_done(&pieces[k]);
			inject(b, WIRE_INSIDE, &pieces[k]);
			assert_true(comes_out(b, WIRE_OUTSIDE, &pieces[k]));
		}
	}
	assert_true(TAILQ_EMPTY(&b->worker->fragments->idle));
	assert_int_equal(counted(b, COUNT_DROP_FRAGMENT_EVICTED), 0); /* nothing was held */
}

static void others_leave_as_they_came_in_order(void **state)
{
	struct bench *b = *state;
	for (b->family = 4; b->family <= 6; b->family += 2) {
		struct made whole = elsewhere(b);
		struct made pieces[] = {cut_between(&whole, 48, 56), cut_between(&whole, 40, WHOLE), /* overlaps are their own */
			cut_between(&whole, 40, WHOLE), cut_between(&whole, 0, 40), cut_between(&whole, 8, 48)};
		for (unsigned i = 0; i < 3; i++) {
			inject(b, WIRE_OUTSIDE, &pieces[i]);
			assert_true(nothing_comes_out(b));
		}
		inject(b, WIRE_OUTSIDE, &pieces[3]);
		for (unsigned i = 0; i < 4; i++)
			assert_true(comes_out(b, WIRE_INSIDE, &pieces[i]));
		inject(b, WIRE_OUTSIDE, &pieces[4]);
		assert_true(comes_out(b, WIRE_INSIDE, &pieces[4]));
		assert_true(nothing_comes_out(b));
		assert_int_equal(b->worker->fragments->held, 0);
	}
}

static void what_is_not_tcp_is_never_held(void **state)
{
	struct bench *b = *state;
	for (b->family = 4; b->family <= 6; b->family += 2) {
		static const uint8_t protocols[] = {17, 1, 58, 50, 132};
		for (unsigned i = 0; i < sizeof(protocols); i++) {
			struct made whole = make(b, CLIENT, SERVER, NULL);
			whole.bytes[whole.ip + (b->family == 4 ? 9 : 6)] = protocols[i];
			make_bytes(&whole, text, sizeof(text));
			make_done(&whole);
			struct made first = cut_between(&whole, 0, 40), last = cut_between(&whole, 40, WHOLE);
			inject(b, WIRE_INSIDE, &last);
			assert_true(comes_out(b, WIRE_OUTSIDE, &last));
			inject(b, WIRE_INSIDE, &first);
			assert_true(comes_out(b, WIRE_OUTSIDE, &first));
		}
	}
	assert_true(TAILQ_EMPTY(&b->worker->fragments->known));
}

/* Behind options it is seen only in the first one. */
static void datagrams_behind_options_are_held_until_known(void **state)
{
	struct bench *b = *state;
	b->family = 6;
	struct made whole = make(b, CLIENT, SERVER, NULL);
	whole.bytes[whole.ip + 6] = 60;
	make_extension(&whole, 17, 1);
	make_bytes(&whole, text, sizeof(text));
	make_done(&whole);
	struct made first = cut_between(&whole, 0, 40), last = cut_between(&whole, 40, WHOLE);
	inject(b, WIRE_INSIDE, &last);
	assert_true(nothing_comes_out(b));
	inject(b, WIRE_INSIDE, &first);
	assert_true(comes_out(b, WIRE_OUTSIDE, &last));
	assert_true(comes_out(b, WIRE_OUTSIDE, &first));
}

/* A receiver that takes the newer bytes of an overlap would put together what was never seen here. */
static void ports_are_not_written_over(void **state)
{
	struct bench *b = *state;
	open_connection(b);
	for (b->family = 4; b->family <= 6; b->family += 2) {
		struct made other = elsewhere(b), whole = segment(b, 0), first = cut_between(&other, 0, 8);
		inject(b, WIRE_INSIDE, &first);
		assert_true(comes_out(b, WIRE_OUTSIDE, &first));
		inject_cut(b, WIRE_INSIDE, &whole, 0, 8);
		inject_cut(b, WIRE_INSIDE, &whole, 8, WHOLE);
		assert_int_equal(counted(b, COUNT_DROP_FRAGMENT_OVERLAP), b->family - 2);
		assert_true(nothing_comes_out(b));
	}
	player_expect_none(&b->player);
}

/* What no receiver takes is not ours to judge, and tells nothing. */
static void damaged_ones_decide_nothing(void **state)
{
	struct bench *b = *state;
	struct made other = elsewhere(b), first = cut_between(&other, 0, 8), last = cut_between(&other, 8, WHOLE);
	inject(b, WIRE_INSIDE, &last);
	first.bytes[first.ip + 8]--;
	inject(b, WIRE_INSIDE, &first);
	assert_true(comes_out(b, WIRE_OUTSIDE, &first));
	assert_true(nothing_comes_out(b));
	assert_int_equal(b->worker->fragments->held, 1);
}

/* Where XMPP is looked for on any port, a SYN in fragments is looked at as well. */
static void a_syn_elsewhere_is_put_together_to_be_watched(void **state)
{
	struct bench *b = *state;
	b->worker->elsewhere = ELSEWHERE_GUARD;
	for (b->family = 4; b->family <= 6; b->family += 2) {
		struct made_tcp syn = {.from = 40000, .to = 8080, .seq = 1, .flags = TCP_SYN, .window = 1000};
		struct made whole = make(b, CLIENT, SERVER, &syn);
		inject_cut(b, WIRE_INSIDE, &whole, 0, 8);
		inject_cut(b, WIRE_INSIDE, &whole, 8, WHOLE);
		struct seen seen;
		see(b, WIRE_OUTSIDE, &seen);
		assert_int_equal(seen.seg.flags, TCP_SYN);
		assert_int_equal(b->worker->flows.count[FLOW_SEEN], b->family / 2 - 1);
	}
	b->worker->elsewhere = ELSEWHERE_FORWARD;
	while (b->worker->flows.count[FLOW_SEEN])
		flow_free(&b->worker->flows, TAILQ_FIRST(&b->worker->flows.list[FLOW_SEEN]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, bench_before_each, after_each)
		T(guarded_ones_become_a_segment),
		T(a_syn_in_fragments_is_one),
		T(padding_is_no_part),
		T(the_wire_may_double_them),
		T(congestion_of_one_is_of_all),
		T(an_atomic_fragment_is_whole),
		T(overlaps_are_refused),
		T(ends_at_odds_are_refused),
		T(wrong_sums_are_refused),
		T(first_ones_without_ports_are_refused),
		T(ill_formed_ones_are_refused),
		T(too_many_are_refused),
		T(too_much_is_refused),
		T(what_does_not_become_whole_is_forgotten),
		T(bounds_what_is_held),
		T(bounds_what_is_known),
		T(others_leave_as_they_came_in_order),
		T(what_is_not_tcp_is_never_held),
		T(datagrams_behind_options_are_held_until_known),
		T(ports_are_not_written_over),
		T(damaged_ones_decide_nothing),
		T(a_syn_elsewhere_is_put_together_to_be_watched),
	};
	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
