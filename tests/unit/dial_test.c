/*
 * Connections of the guard's own: to the client of a guarded connection, which is inside, in the name of its server.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/dial.h"
#include "worker_harness.h"

enum { ISN = 7000 };                   /* of who is dialled */

/* Our SYN: what it must be, and the numbers to answer it by. */
static void dialled(struct bench *b, uint64_t id, struct seen *syn)
{
	const struct msg_dial dial = {5269};
	player_say(&b->player, MSG_DIAL, SIDE_CLIENT, id, &dial, sizeof(dial));
	bench_run(b);
	see(b, WIRE_INSIDE, syn);
	assert_int_equal(syn->seg.flags, TCP_SYN);
	assert_int_equal(syn->frame.dst_port, 5269);
	assert_true(syn->frame.src_port >= 49152);
	assert_int_equal(syn->frame.src[b->family == 4 ? 3 : 15], SERVER);
	assert_int_equal(syn->frame.dst[b->family == 4 ? 3 : 15], CLIENT);
	assert_int_equal(syn->frame.tags, b->tags);
	assert_int_equal(syn->seg.mss, b->family == 4 ? 1460 : 1440);
	assert_true(nothing_comes_out(b));
}

/* What the dialled endpoint says; numbers counted from the ISNs. */
static void answers(struct bench *b, const struct seen *syn, uint32_t seq, uint32_t ack, uint8_t flags, const char *data)
{
	const struct made_tcp tcp = {.from = 5269, .to = syn->frame.src_port, .seq = ISN + seq, .ack = syn->seg.seq.v + ack,
		.flags = flags, .window = 60000, .data = data, .data_len = strlen(data)};
	struct made made = make(b, CLIENT, SERVER, &tcp);
	inject(b, WIRE_INSIDE, &made);
}

static uint64_t established(struct bench *b, struct seen *syn)
{
	struct msg_opened opened;
	struct seen seen;
	dialled(b, open_connection(b), syn);
	answers(b, syn, 0, 1, TCP_SYN | TCP_ACK, "");
	see(b, WIRE_INSIDE, &seen);
	assert_int_equal(seen.seg.flags, TCP_ACK);
	assert_int_equal(seen.seg.ack.v, ISN + 1);
	uint64_t id = hear_opened(b, &opened);
	assert_int_equal(opened.own, 1);
	assert_int_equal(opened.client_wire, WIRE_OUTSIDE);
	assert_int_equal(opened.server_port, 5269);
	assert_int_equal(opened.client_port, syn->frame.src_port);
	assert_int_equal(opened.server_addr[b->family == 4 ? 3 : 15], CLIENT);
	assert_true(nothing_comes_out(b));
	return id;
}

static void speaks_with_one_endpoint(void **state)
{
	struct bench *b = *state;
	for (b->family = 4; b->family <= 6; b->family += 2) {
		struct seen syn, seen;
		b->tags = b->family == 6 ? 2 : 0;
		forget_flows(b);
		uint64_t id = established(b, &syn);
		player_say(&b->player, MSG_BYTES, SIDE_SERVER, id, "header", 6);
		bench_run(b);
		see(b, WIRE_INSIDE, &seen);
		assert_int_equal(seen.seg.seq.v, syn.seg.seq.v + 1);
		assert_int_equal(seen.seg.len, 6);
		answers(b, &syn, 1, 7, TCP_ACK | TCP_PSH, "answer");
		player_expect(&b->player, MSG_BYTES, SIDE_SERVER, id, "answer", 6);
		player_say(&b->player, MSG_END_OF_STREAM, SIDE_SERVER, id, NULL, 0);
		bench_run(b);
		do
			see(b, WIRE_INSIDE, &seen);
		while (!(seen.seg.flags & TCP_FIN));
		answers(b, &syn, 7, 8, TCP_ACK | TCP_FIN, "");
		struct channel_msg msg;
		do
			assert_true(player_hear(&b->player, &msg, NULL));
		while (msg.type != MSG_CLOSED);
		assert_int_equal(msg.conn, id);
		assert_true(rte_ring_empty(b->out[WIRE_OUTSIDE]));     /* whose name it was hears nothing */
		empty(b);
	}
}

static void a_refusal_ends_here(void **state)
{
	struct bench *b = *state;
	struct seen syn;
	dialled(b, open_connection(b), &syn);
	answers(b, &syn, 0, 1, TCP_RST | TCP_ACK, "");
	assert_true(nothing_comes_out(b));
	assert_int_equal(b->worker->flows.count[FLOW_HALF_OPEN], 0);
	player_expect_none(&b->player);
	b->worker->now += DIAL_US;
	dial_repeat(b->worker);
	assert_int_equal(dial_next(b->worker), UINT64_MAX);
}

static void no_answer_is_not_waited_for(void **state)
{
	struct bench *b = *state;
	struct seen syn, seen;
	dialled(b, open_connection(b), &syn);
	for (unsigned i = 1; i < DIAL_TRIES; i++) {
		b->worker->now = dial_next(b->worker);
		dial_repeat(b->worker);
		bench_run(b);
		see(b, WIRE_INSIDE, &seen);
		assert_int_equal(seen.seg.flags, TCP_SYN);
		assert_int_equal(seen.seg.seq.v, syn.seg.seq.v);
		assert_int_equal(seen.frame.src_port, syn.frame.src_port);
	}
	b->worker->now = dial_next(b->worker);
	dial_repeat(b->worker);
	bench_run(b);
	assert_true(nothing_comes_out(b));
	assert_int_equal(b->worker->flows.count[FLOW_HALF_OPEN], 0);
	assert_int_equal(dial_next(b->worker), UINT64_MAX);
	player_expect_none(&b->player);
}

/* The one in whose name it is dials from the very port itself: it comes first. */
static void the_real_one_comes_first(void **state)
{
	struct bench *b = *state;
	struct seen syn, seen;
	dialled(b, open_connection(b), &syn);
	const struct made_tcp real = {.from = syn.frame.src_port, .to = 5269, .seq = 99, .flags = TCP_SYN, .window = 1000};
	for (unsigned i = 0; i < 2; i++) {
		struct made made = make(b, SERVER, CLIENT, &real);
		inject(b, WIRE_OUTSIDE, &made);
	}
	see(b, WIRE_INSIDE, &seen);    /* when it is repeated */
	assert_int_equal(seen.seg.seq.v, 99);
	assert_true(nothing_comes_out(b));
}

static void not_everywhere_and_not_without_end(void **state)
{
	struct bench *b = *state;
	memset(b->worker->dials, 0, sizeof(b->worker->dials));
	uint64_t id = open_connection(b);
	struct msg_dial dial = {8080};
	player_say(&b->player, MSG_DIAL, SIDE_CLIENT, id, &dial, sizeof(dial));
	bench_run(b);
	assert_true(nothing_comes_out(b));
	assert_int_equal(counted(b, COUNT_DIALS_REFUSED), 1);
	dial.port = 5269;
	for (unsigned i = 0; i < WORKER_DIALS + 1; i++)
		player_say(&b->player, MSG_DIAL, SIDE_CLIENT, id, &dial, sizeof(dial));
	bench_run(b);
	assert_int_equal(counted(b, COUNT_DIALS), WORKER_DIALS);
	assert_int_equal(counted(b, COUNT_DIALS_REFUSED), 2);
	empty(b);
	memset(b->worker->dials, 0, sizeof(b->worker->dials));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_before_each, bench_after_each)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(speaks_with_one_endpoint),
		TEST(a_refusal_ends_here),
		TEST(no_answer_is_not_waited_for),
		TEST(the_real_one_comes_first),
		TEST(not_everywhere_and_not_without_end),
	};
	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
