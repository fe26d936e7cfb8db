/*
 * What is below IP: VLANs, also those that differ by direction, two tags, routers that are replaced in the middle of a
 * connection, jumbo frames.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <rte_ring.h>

#include "worker_harness.h"

enum { NEW_ROUTER = 77, JUMBO_MTU = 1800, PATIENCE_MS = 5000 };

/* What one endpoint's frames look like. */
struct dress {
	unsigned tags;
	uint16_t tpid[2], tci[2];
	uint8_t from_mac, to_mac;
};

static struct made dressed(uint8_t family, const struct dress *dress, uint8_t from, uint8_t to, const struct made_tcp *tcp)
{
	struct made made;
	make_ethernet(&made, dress->from_mac, dress->to_mac);
	for (unsigned i = 0; i < dress->tags; i++)
		make_tag(&made, dress->tpid[i], dress->tci[i]);
	if (family == 4)
		make_ipv4(&made, from, to, 6);
	else
		make_ipv6(&made, from, to, 6);
	make_tcp(&made, tcp);
	make_done(&made);
	return made;
}

static void client_sends(struct bench *b, const struct dress *dress, const struct made_tcp *tcp)
{
	struct made made = dressed(b->family, dress, CLIENT, SERVER, tcp);
	inject(b, WIRE_INSIDE, &made);
}

static void server_sends(struct bench *b, const struct dress *dress, const struct made_tcp *tcp)
{
	struct made made = dressed(b->family, dress, SERVER, CLIENT, tcp);
	inject(b, WIRE_OUTSIDE, &made);
}

static uint64_t open_between(struct bench *b, const struct dress *client, const struct dress *server)
{
	struct made_tcp syn = from_client(0, 0, TCP_SYN), syn_ack = from_server(0, 1, TCP_SYN | TCP_ACK),
		ack = from_client(1, 1, TCP_ACK);
	struct msg_opened opened;
	client_sends(b, client, &syn);
	server_sends(b, server, &syn_ack);
	client_sends(b, client, &ack);
	empty(b);
	return hear_opened(b, &opened);
}

/* Every frame to one endpoint looks like those of the other one, as on a wire. */
static void expect_dress(struct bench *b, enum wire wire, const struct dress *dress)
{
	struct seen seen;
	see(b, wire, &seen);
	assert_int_equal(seen.made.bytes[5], dress->to_mac);
	assert_int_equal(seen.made.bytes[11], dress->from_mac);
	assert_int_equal(seen.frame.tags, dress->tags);
	for (unsigned i = 0; i < dress->tags; i++) {
		assert_int_equal(seen.frame.tag[i].tpid, dress->tpid[i]);
		assert_int_equal(seen.frame.tag[i].tci, dress->tci[i]);
	}
}

static void say_both_ways(struct bench *b, uint64_t id, const struct dress *client, const struct dress *server)
{
	empty(b);
	player_say(&b->player, MSG_BYTES, SIDE_CLIENT, id, "x", 1);
	player_say(&b->player, MSG_BYTES, SIDE_SERVER, id, "y", 1);
	bench_run(b);
	expect_dress(b, WIRE_INSIDE, server);
	expect_dress(b, WIRE_OUTSIDE, client);
}

static void close_it(struct bench *b)
{
	bench_detach(b);
	empty(b);
	forget_flows(b);
	bench_attach(b);
}

/* One VLAN towards the server and another one back; priorities, and tags in one direction only. */
static void each_direction_has_its_own_tags(void **state)
{
	struct bench *b = *state;
	static const struct dress rows[][2] = {
		{{1, {0x8100}, {10}, CLIENT, SERVER}, {1, {0x8100}, {20}, SERVER, CLIENT}},
		{{1, {0x8100}, {0xa00a}, CLIENT, SERVER}, {0, {0}, {0}, SERVER, CLIENT}},
		{{2, {0x88a8, 0x8100}, {100, 10}, CLIENT, SERVER}, {2, {0x88a8, 0x8100}, {100, 20}, SERVER, CLIENT}},
		{{2, {0x8100, 0x8100}, {100, 10}, CLIENT, SERVER}, {1, {0x88a8}, {20}, SERVER, CLIENT}},
		{{2, {0x9100, 0x8100}, {100, 10}, CLIENT, SERVER}, {2, {0x9100, 0x8100}, {101, 10}, SERVER, CLIENT}},
		{{0, {0}, {0}, CLIENT, 50}, {0, {0}, {0}, 51, CLIENT}},       /* two routers, one for each direction */
	};
	for (b->family = 4; b->family <= 6; b->family += 2) {
		for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			const struct dress *client = &rows[i][0], *server = &rows[i][1];
			uint64_t id = open_between(b, client, server);
			say_both_ways(b, id, client, server);
			struct made_tcp data = from_server(1, 1, TCP_ACK);
			data.data = "more";
			data.data_len = 4;
			server_sends(b, server, &data);
			player_expect(&b->player, MSG_BYTES, SIDE_SERVER, id, "more", 4);
			close_it(b);
		}
	}
}

/* The reset that a stranger's segment gets comes in his own dress. */
static void strays_are_answered_in_their_vlan(void **state)
{
	struct bench *b = *state;
	static const struct dress client = {2, {0x88a8, 0x8100}, {100, 10}, CLIENT, SERVER}, back = {2, {0x88a8, 0x8100},
		{100, 10}, SERVER, CLIENT};
	struct made_tcp data = from_client(1, 1, TCP_ACK);
	client_sends(b, &client, &data);
	expect_dress(b, WIRE_INSIDE, &back);
	expect_dress(b, WIRE_OUTSIDE, &client);
}

/* In mid-connection, on another VLAN too; first heard, then spoken to, or the other way round. */
static void a_new_router_is_followed(void **state)
{
	struct bench *b = *state;
	static const struct dress client = {1, {0x8100}, {10}, CLIENT, SERVER}, server = {1, {0x8100}, {20}, SERVER, CLIENT},
		to_new = {1, {0x8100}, {11}, CLIENT, NEW_ROUTER}, from_new = {1, {0x8100}, {21}, NEW_ROUTER, CLIENT};
	for (b->family = 4; b->family <= 6; b->family += 2) {
		for (unsigned heard_first = 0; heard_first <= 1; heard_first++) {
			uint64_t id = open_between(b, &client, &server);
			struct made_tcp up = from_client(1, 1, TCP_ACK), down = from_server(1, 1, TCP_ACK);
			up.data = down.data = "z";
			up.data_len = down.data_len = 1;
			if (heard_first)
				server_sends(b, &from_new, &down);
			else
				client_sends(b, &to_new, &up);
			player_expect(&b->player, MSG_BYTES, heard_first ? SIDE_SERVER : SIDE_CLIENT, id, "z", 1);
			empty(b);
			player_say(&b->player, MSG_BYTES, SIDE_SERVER, id, "y", 1);
			bench_run(b);
			struct dress expected = heard_first ? client : to_new;
			expected.to_mac = NEW_ROUTER;  /* its VLAN for us shows only when the client uses it */
			expect_dress(b, WIRE_OUTSIDE, &expected);
			if (heard_first)
				client_sends(b, &to_new, &up);
			else
				server_sends(b, &from_new, &down);
			say_both_ways(b, id, &to_new, &from_new);
			close_it(b);
		}
	}
}

/*
 * The client has heard from the new router (gratuitous ARP, RFC 5227 3, or a neighbour advertisement), which is none of our
 * business, and has nothing to say: what is on its way to the server goes to the old one. Then the client is made to speak.
 */
static void a_new_router_is_found_for_a_silent_client(void **state)
{
	struct bench *b = *state;
	static const struct dress client = {0, {0}, {0}, CLIENT, SERVER}, server = {0, {0}, {0}, SERVER, CLIENT},
		to_new = {1, {0x8100}, {7}, CLIENT, NEW_ROUTER};
	uint64_t id = open_between(b, &client, &server);
	player_say(&b->player, MSG_BYTES, SIDE_SERVER, id, "lost on its way", 15);
	bench_run(b);
	struct seen seen;
	see(b, WIRE_OUTSIDE, &seen);
	assert_int_equal(seen.made.bytes[5], SERVER);
	unsigned ms = 0;
	for (; rte_ring_empty(b->out[WIRE_INSIDE]) && ms < PATIENCE_MS; ms += 10) {
		usleep(10000);
		bench_run(b);
	}
	see(b, WIRE_INSIDE, &seen);    /* a keepalive: RFC 9293 3.8.4 */
	assert_int_equal(seen.seg.seq.v, (uint32_t)ISN_SERVER);
	assert_int_equal(seen.seg.len, 0);
	empty(b);
	struct made_tcp answer = from_client(1, 1, TCP_ACK);
	client_sends(b, &to_new, &answer);
	empty(b);
	for (ms = 0; rte_ring_empty(b->out[WIRE_OUTSIDE]) && ms < PATIENCE_MS; ms += 10) {
		usleep(10000);
		bench_run(b);
	}
	expect_dress(b, WIRE_OUTSIDE, &to_new);
	player_expect_none(&b->player);
}

/* On ports with such an MTU. The bench's buffers hold 2 KiB. */
static void jumbo_frames_are_as_large_as_the_port_takes(void **state)
{
	struct bench *b = *state;
	static const uint8_t block[2 * JUMBO_MTU], mss_9000[] = {2, 4, 0x23, 0x28};
	b->worker->mss_limit[0] = JUMBO_MTU - 40;
	b->worker->mss_limit[1] = JUMBO_MTU - 60;
	for (b->family = 4; b->family <= 6; b->family += 2) {
		for (b->tags = 0; b->tags <= 2; b->tags += 2) {
			uint16_t mss = b->worker->mss_limit[b->family == 6];
			struct made_tcp syn = from_client(0, 0, TCP_SYN), syn_ack = from_server(0, 1, TCP_SYN | TCP_ACK),
				ack = from_client(1, 1, TCP_ACK);
			syn.options = syn_ack.options = mss_9000;
			syn.options_len = syn_ack.options_len = sizeof(mss_9000);
			client_says(b, &syn);
			struct seen seen;
			see(b, WIRE_OUTSIDE, &seen);
			assert_int_equal(seen.seg.mss, mss);
			server_says(b, &syn_ack);
			client_says(b, &ack);
			empty(b);
			struct msg_opened opened;
			uint64_t id = hear_opened(b, &opened);
			struct made_tcp data = from_client(1, 1, TCP_ACK);
			data.data = block;
			data.data_len = mss;
			client_says(b, &data);
			player_expect(&b->player, MSG_BYTES, SIDE_CLIENT, id, block, mss);
			empty(b);
			player_say(&b->player, MSG_BYTES, SIDE_SERVER, id, block, sizeof(block));
			bench_run(b);
			see(b, WIRE_OUTSIDE, &seen);
			assert_int_equal(seen.seg.len, mss);
			assert_int_equal(seen.frame.len, 14 + 4u * b->tags + JUMBO_MTU);
			close_it(b);
		}
	}
	b->worker->mss_limit[0] = 1460;
	b->worker->mss_limit[1] = 1440;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, bench_before_each, bench_after_each)
		T(each_direction_has_its_own_tags),
		T(strays_are_answered_in_their_vlan),
		T(a_new_router_is_followed),
		T(a_new_router_is_found_for_a_silent_client),
		T(jumbo_frames_are_as_large_as_the_port_takes),
	};
	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
