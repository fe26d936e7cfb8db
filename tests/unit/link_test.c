/* The worker and the links of its ports, which sallyportd tells of and asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <rte_ethdev.h>

#include "dataplane/base/proc.h"
#include "dataplane/link.h"
#include "dataplane/upper.h"
#include "worker_harness.h"

static void tell_link(struct bench *b, enum wire wire, enum link_state state)
{
	assert_int_equal(supervisor_tell(SUPERVISOR, supervisor_link(wire, state)), 0);
	upper_hear_supervisor(b->worker);
}

static bool device_is_up(const struct bench *b, enum wire wire)
{
	struct rte_eth_link link;
	return !rte_eth_link_get_nowait(b->worker->port[wire].id, &link) && link.link_status == RTE_ETH_LINK_UP;
}

/* What is said to sallyportd when the time has come to look; 0: nothing. */
static uint8_t look_at_links(struct bench *b)
{
	uint8_t byte = 0;
	b->worker->links_seen_at = 0;
	link_look(b->worker);
	return recv(SUPERVISOR, &byte, 1, MSG_DONTWAIT) == 1 ? byte : 0;
}

static void a_port_without_a_link_is_sent_nothing(void **state)
{
	struct bench *b = *state;
	struct made_tcp http = {.from = 40000, .to = 8080, .flags = TCP_ACK};
	struct made made = make(b, CLIENT, SERVER, &http);
	for (enum link_state link = LINK_LOST; link <= LINK_HELD; link++) {
		tell_link(b, WIRE_OUTSIDE, link);
		inject(b, WIRE_INSIDE, &made);
		assert_true(nothing_comes_out(b));
		assert_int_equal(counted(b, COUNT_DROP_LINK_DOWN), link);
		assert_int_equal(counted(b, COUNT_LINK_OUTSIDE), 0);
		assert_int_equal(counted(b, COUNT_LINK_OUTSIDE_HELD), link == LINK_HELD);
		inject(b, WIRE_OUTSIDE, &made); /* the other direction */
		assert_true(comes_out(b, WIRE_INSIDE, &made));
	}
	tell_link(b, WIRE_OUTSIDE, LINK_UP);
	inject(b, WIRE_INSIDE, &made);
	assert_true(comes_out(b, WIRE_OUTSIDE, &made));
	assert_int_equal(counted(b, COUNT_LINK_OUTSIDE), 1);
	look_at_links(b);
}

static void a_device_that_is_held_is_down(void **state)
{
	struct bench *b = *state;
	assert_int_equal(look_at_links(b), 0);
	tell_link(b, WIRE_INSIDE, LINK_HELD);
	assert_false(device_is_up(b, WIRE_INSIDE));
	assert_int_equal(look_at_links(b), 0); /* what is held says nothing of its cable */
	tell_link(b, WIRE_INSIDE, LINK_LOST);
	assert_true(device_is_up(b, WIRE_INSIDE));
	assert_int_equal(look_at_links(b), supervisor_link(WIRE_INSIDE, LINK_UP));
	assert_int_equal(look_at_links(b), 0);
	tell_link(b, WIRE_INSIDE, LINK_UP);
}

static void a_device_that_loses_its_link_is_told_of_once(void **state)
{
	struct bench *b = *state;
	uint16_t id = b->worker->port[WIRE_OUTSIDE].id;
	assert_int_equal(rte_eth_dev_set_link_down(id), 0);
	assert_int_equal(look_at_links(b), supervisor_link(WIRE_OUTSIDE, LINK_LOST));
	assert_int_equal(look_at_links(b), 0);
	assert_int_equal(rte_eth_dev_set_link_up(id), 0);
	assert_int_equal(look_at_links(b), supervisor_link(WIRE_OUTSIDE, LINK_UP));
	uint64_t seen = b->worker->links_seen_at;
	b->worker->now = seen + LINK_LOOK_US - 1;
	link_look(b->worker);
	assert_int_equal(b->worker->links_seen_at, seen); /* not yet */
}

/* A connection outlives it: nobody is reset. */
static void a_connection_outlives_a_lost_link(void **state)
{
	struct bench *b = *state;
	open_connection(b);
	tell_link(b, WIRE_INSIDE, LINK_LOST);
	tell_link(b, WIRE_OUTSIDE, LINK_HELD);
	bench_run(b);
	tell_link(b, WIRE_OUTSIDE, LINK_LOST);
	tell_link(b, WIRE_INSIDE, LINK_UP);
	tell_link(b, WIRE_OUTSIDE, LINK_UP);
	assert_int_equal(b->worker->flows.count[FLOW_SPLIT], 1);
	struct made_tcp data = from_client(1, 1, TCP_ACK);
	data.data = "12345";
	data.data_len = 5;
	client_says(b, &data);
	struct channel_msg msg;
	char bytes[CHANNEL_PAYLOAD_MAX];
	assert_true(player_hear(&b->player, &msg, bytes));
	assert_int_equal(msg.type, MSG_BYTES);
	assert_memory_equal(bytes, "12345", msg.length);
}

#define T(name) cmocka_unit_test_setup_teardown(name, bench_before_each, bench_after_each)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_port_without_a_link_is_sent_nothing),
		T(a_device_that_is_held_is_down),
		T(a_device_that_loses_its_link_is_told_of_once),
		T(a_connection_outlives_a_lost_link),
	};
	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
