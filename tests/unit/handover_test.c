/*
 * Two lanes between two ports that are rings: frames come in at whichever lane polls the port, and go out by the lane that
 * they belong to. A player above each lane. Most tests run the lanes by turns; one has threads.
 */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <rte_bus_vdev.h>
#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "channel_harness.h"
#include "dataplane/base/proc.h"
#include "dataplane/handover.h"
#include "dataplane/lane.h"
#include "dataplane/upper.h"
#include "dataplane/worker.h"
#include "frames.h"

enum { LANES = 2, RING_FRAMES = 8192, BUFFERS = 16383, SUPERVISOR = 100, CLIENT = 1 };

struct lanes {
	struct worker *worker[LANES];
	struct rte_ring *in[WIRES], *out[WIRES];
	struct player player[LANES];
};

/* --- the bench --- */

static void make_port(struct lanes *b, unsigned w)
{
	static const char *const names[WIRES] = {"inside", "outside"}, *const in[WIRES] = {"in_i", "in_o"},
		*const out[WIRES] = {"out_i", "out_o"};
	b->in[w] = rte_ring_create(in[w], RING_FRAMES, SOCKET_ID_ANY, 0);
	b->out[w] = rte_ring_create(out[w], RING_FRAMES, SOCKET_ID_ANY, 0);
	assert_true(rte_eth_from_rings(names[w], &b->in[w], 1, &b->out[w], 1, 0) >= 0);
	struct port *port = &b->worker[0]->port[w];
	port->kind = DEVICE_VDEV;
	port->device = names[w];
	snprintf(port->name, sizeof(port->name), "net_ring_%s", names[w]);
	port_start(port, b->worker[0]->buffers, LANES);
	port->mtu = 1500;
	assert_int_equal(port->rx_queues, 1);
	assert_non_null(port->tx_lock);
}

static int start_eal(void)
{
	static char words[][20] = {"handover_test", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m", "200",
		"--log-level=*:4"};
	char *eal[sizeof(words) / sizeof(words[0])];
	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		eal[i] = words[i];
	return rte_eal_init(sizeof(eal) / sizeof(eal[0]), eal);
}

static int open_supervisors(void)
{
	for (unsigned lane = 0; lane < LANES; lane++) {
		int pair[2];
		if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) || dup2(pair[0], SUPERVISOR + (int)lane) < 0 ||
			dup2(pair[1], SUPERVISOR + LANES + (int)lane) < 0)
			return -1;
		close(pair[0]);
		close(pair[1]);
	}
	for (unsigned lane = 0; lane < LANES; lane++)
		if (dup2(SUPERVISOR + LANES + (int)lane, dataplane_fd_supervisor(lane)) < 0)
			return -1;
	return 0;
}

static int start(void **state)
{
	static struct lanes bench;
	struct lanes *b = &bench;
	*state = b;
	if (open_supervisors() || start_eal() < 0)
		return -1;
	struct rte_mempool *buffers = rte_pktmbuf_pool_create("buffers", BUFFERS, 0, 0, 2048 + 128, SOCKET_ID_ANY);
	assert_non_null(buffers);
	struct handover *handover = handover_new(LANES);
	for (unsigned lane = 0; lane < LANES; lane++) {
		b->worker[lane] = calloc(1, sizeof(*b->worker[lane]));
		b->worker[lane]->lane = (struct proc_lane){lane, LANES};
		b->worker[lane]->buffers = buffers;
		b->worker[lane]->handover = handover;
	}
	for (unsigned w = 0; w < WIRES; w++)
		make_port(b, w);
	const struct conf conf = {.workers = LANES, .port_count = 1, .ports = {5269}};
	for (unsigned lane = LANES; lane-- > 0;) {
		for (unsigned w = 0; w < WIRES; w++)
			port_share(&b->worker[lane]->port[w], &b->worker[0]->port[w], w, b->worker[lane]->lane);
		worker_init(b->worker[lane], &conf,
			counters_open(counters_create(), dataplane_counter_names, DATAPLANE_COUNTERS_END));
	}
	return 0;
}

static int stop(void **state)
{
	struct lanes *b = *state;
	handover_free(b->worker[0]->handover);
	for (unsigned lane = 0; lane < LANES; lane++) {
		deadlines_fini(&b->worker[lane]->deadlines);
		flow_table_fini(&b->worker[lane]->flows);
		fragments_free(b->worker[lane]->fragments);
		free(b->worker[lane]);
	}
	return rte_eal_cleanup();
}

static void empty(struct lanes *b)
{
	void *mbuf;
	for (unsigned w = 0; w < WIRES; w++)
		while (!rte_ring_dequeue(b->out[w], &mbuf))
			rte_pktmbuf_free(mbuf);
}

static int before_each(void **state)
{
	struct lanes *b = *state;
	for (unsigned lane = 0; lane < LANES; lane++)
		for (unsigned i = 0; i < COUNTERS_MAX; i++)
			counter_set(b->worker[lane]->counters, i, 0);
	return 0;
}

static int after_each(void **state)
{
	struct lanes *b = *state;
	empty(b);
	assert_int_equal(rte_mempool_in_use_count(b->worker[0]->buffers), 0);
	return 0;
}

static uint64_t counted(const struct lanes *b, unsigned lane, enum dataplane_counter which)
{
	return atomic_load(&b->worker[lane]->counters->table[which].value);
}

static void send_to(struct lanes *b, enum wire wire, const struct made *made)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(b->worker[0]->buffers);
	assert_non_null(mbuf);
	memcpy(rte_pktmbuf_append(mbuf, (uint16_t)made->len), made->bytes, made->len);
	assert_int_equal(rte_ring_enqueue(b->in[wire], mbuf), 0);
}

static bool take(struct lanes *b, enum wire wire, struct made *made)
{
	struct rte_mbuf *mbuf;
	if (rte_ring_dequeue(b->out[wire], (void **)&mbuf))
		return false;
	made->len = rte_pktmbuf_data_len(mbuf);
	memcpy(made->bytes, rte_pktmbuf_mtod(mbuf, void *), made->len);
	rte_pktmbuf_free(mbuf);
	return true;
}

static void run(struct lanes *b, unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++)
		for (unsigned lane = 0; lane < LANES; lane++)
			worker_round(b->worker[lane]);
}

/* A server whose traffic with CLIENT is of this lane. */
static uint8_t server_of(unsigned lane)
{
	for (uint8_t to = CLIENT + 1; to; to++) {
		struct made made;
		make_ethernet(&made, CLIENT, to);
		make_ipv4(&made, CLIENT, to, 17);
		if (lane_of(made.bytes, made.len, LANES) == lane)
			return to;
	}
	fail();
	return 0;
}

/* --- bridging --- */

static struct made numbered(uint8_t from, uint8_t to, uint32_t number)
{
	struct made made;
	make_ethernet(&made, from, to);
	if (to == 0) /* not IP */
		make_tag(&made, 0x88b5, 0);
	else
		make_ipv4(&made, from, to, 17);
	make_bytes(&made, &number, sizeof(number));
	made.tcp = 0;
	if (to)
		make_done(&made);
	return made;
}

static uint32_t number_of(const struct made *made)
{
	uint32_t number;
	memcpy(&number, made->bytes + made->len - sizeof(number), sizeof(number));
	return number;
}

/* On each wire: by the destination's (or, backwards, the source's) address its frames keep their order. */
static unsigned expect_order(struct lanes *b, enum wire wire)
{
	uint32_t next[256] = {0};
	unsigned seen = 0;
	for (struct made made; take(b, wire, &made); seen++) {
		uint8_t peer = made.bytes[wire == WIRE_OUTSIDE ? 5 : 11];
		assert_int_equal(number_of(&made), next[peer]++);
	}
	return seen;
}

static void keeps_the_order_of_each_pair(void **state)
{
	struct lanes *b = *state;
	enum { EACH = 100, PEERS = 30, ALL = EACH * PEERS };
	unsigned seed = 1, out = 0, in = 0;
	for (uint32_t i = 0; i < EACH; i++) {
		for (uint8_t peer = 0; peer < PEERS; peer++) {
			struct made there = numbered(200, peer, i), back = numbered(peer, 200, i);
			if (!peer)
				back = numbered(0, 0, i);
			send_to(b, WIRE_INSIDE, &there);
			send_to(b, WIRE_OUTSIDE, &back);
		}
		if (rand_r(&seed) % 3 == 0)
			worker_round(b->worker[rand_r(&seed) % LANES]);
	}
	run(b, ALL / PORT_BURST + 8);
	out = expect_order(b, WIRE_OUTSIDE);
	in = expect_order(b, WIRE_INSIDE);
	assert_int_equal(out, ALL);
	assert_int_equal(in, ALL);
	/* One lane polls the inside, the other the outside; each kept its own and gave away the others'. */
	uint64_t carried[LANES];
	for (unsigned lane = 0; lane < LANES; lane++) {
		carried[lane] = counted(b, lane, COUNT_FRAMES_TO_INSIDE) + counted(b, lane, COUNT_FRAMES_TO_OUTSIDE);
		assert_true(counted(b, lane, COUNT_FRAMES_HANDED_OVER) > EACH);
		assert_int_equal(carried[lane] % (2 * EACH), 0); /* whole pairs */
	}
	assert_int_equal(carried[0] + carried[1], 2 * ALL);
	assert_int_equal(counted(b, 0, COUNT_FRAMES_HANDED_OVER), carried[1] / 2);
	assert_int_equal(counted(b, 1, COUNT_FRAMES_HANDED_OVER), carried[0] / 2);
}

static void what_finds_no_room_is_counted(void **state)
{
	struct lanes *b = *state;
	enum { MORE = 500, ALL = HANDOVER_FRAMES + MORE };
	uint8_t to = server_of(1);
	for (uint32_t i = 0; i < ALL; i++) {
		struct made made = numbered(CLIENT, to, i);
		send_to(b, WIRE_INSIDE, &made);
	}
	for (unsigned i = 0; i < ALL / PORT_BURST + 1; i++)
		worker_round(b->worker[0]);
	uint64_t lost = counted(b, 0, COUNT_DROP_LANE_FULL);
	assert_in_range(lost, MORE, MORE + 1);
	assert_true(take(b, WIRE_OUTSIDE, &(struct made){.len = 0}) == false);
	run(b, HANDOVER_FRAMES / PORT_BURST + 1);
	assert_int_equal(expect_order(b, WIRE_OUTSIDE), ALL - lost);
}

static bool rings(const struct worker *worker)
{
	struct pollfd p = {.fd = handover_bell(worker), .events = POLLIN};
	return poll(&p, 1, 0) == 1;
}

static void a_sleeper_is_woken_once_for_a_batch(void **state)
{
	struct lanes *b = *state;
	struct made made = numbered(CLIENT, server_of(1), 0);
	assert_true(handover_sleep(b->worker[1]));
	assert_false(rings(b->worker[1]));
	for (unsigned i = 0; i < 3 * PORT_BURST; i++)
		send_to(b, WIRE_INSIDE, &made);
	for (unsigned i = 0; i < 3; i++)
		worker_round(b->worker[0]);
	assert_true(rings(b->worker[1]));
	assert_int_equal(counted(b, 0, COUNT_LANE_WAKEUPS), 1);
	handover_awake(b->worker[1]);
	assert_false(rings(b->worker[1]));
	assert_false(handover_sleep(b->worker[1])); /* there is work */
	send_to(b, WIRE_INSIDE, &made);
	worker_round(b->worker[0]);
	assert_false(rings(b->worker[1])); /* it does not sleep */
	run(b, 8);
	assert_true(handover_sleep(b->worker[1]));
	handover_awake(b->worker[1]);
}

/* --- two threads --- */

enum { THROUGH = 100000, WAIT_MS = 5000, NUMBER_AT = 14 + 20 };

struct receiver {
	struct worker *worker;
	unsigned got, sleeps;
	bool late, disordered;
};

static void *receive(void *argument)
{
	struct receiver *r = argument;
	struct rte_mbuf *mbufs[PORT_BURST];
	while (r->got < THROUGH && !r->late) {
		unsigned n = handover_take(r->worker, WIRE_INSIDE, mbufs, PORT_BURST);
		for (unsigned i = 0; i < n; i++, r->got++)
			r->disordered |= memcmp(rte_pktmbuf_mtod_offset(mbufs[i], uint8_t *, NUMBER_AT), &r->got, 4) != 0;
		rte_pktmbuf_free_bulk(mbufs, n);
		if (n || !handover_sleep(r->worker))
			continue;
		struct pollfd p = {.fd = handover_bell(r->worker), .events = POLLIN};
		r->sleeps++;
		r->late = poll(&p, 1, WAIT_MS) != 1;
		handover_awake(r->worker);
	}
	return NULL;
}

/* Every frame wakes who sleeps: if one wake-up is lost, the receiver waits in vain. */
static void no_wake_up_is_lost(void **state)
{
	struct lanes *b = *state;
	struct receiver r = {.worker = b->worker[1]};
	struct made made = numbered(CLIENT, server_of(1), 0);
	assert_int_equal(made.len, NUMBER_AT + 4);
	pthread_t thread;
	unsigned seed = 1;
	assert_int_equal(pthread_create(&thread, NULL, receive, &r), 0);
	for (uint32_t i = 0; i < THROUGH;) {
		struct rte_mbuf *mbufs[4];
		unsigned n = 1 + (unsigned)rand_r(&seed) % 4;
		n = n < THROUGH - i ? n : THROUGH - i;
		if (rte_mempool_avail_count(b->worker[0]->buffers) < BUFFERS - HANDOVER_FRAMES / 2)
			continue;
		for (unsigned k = 0; k < n; k++, i++) {
			mbufs[k] = rte_pktmbuf_alloc(b->worker[0]->buffers);
			memcpy(rte_pktmbuf_append(mbufs[k], (uint16_t)made.len), made.bytes, made.len);
			memcpy(rte_pktmbuf_mtod_offset(mbufs[k], uint8_t *, NUMBER_AT), &i, 4);
		}
		assert_int_equal(handover_give(b->worker[0], WIRE_INSIDE, mbufs, n), 0);
		for (unsigned pause = (unsigned)rand_r(&seed) % 200; pause > 0; pause--)
			__asm__ volatile("");
	}
	pthread_join(thread, NULL);
	assert_false(r.late);
	assert_false(r.disordered);
	assert_int_equal(r.got, THROUGH);
	assert_int_equal(counted(b, 0, COUNT_DROP_LANE_FULL), 0);
	print_message("slept %u times\n", r.sleeps);
}

/* --- guarded connections --- */

static void tell_supervisor_of(unsigned lane, const struct channel_fds *fds)
{
	uint8_t byte = fds ? SUPERVISOR_ATTACH : SUPERVISOR_DETACH;
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(3 * sizeof(int))];
	} control = {0};
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	if (fds) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(3 * sizeof(int));
		memcpy(CMSG_DATA(&control.header), (int[]){fds->memory, fds->wake_upper, fds->wake_lower}, 3 * sizeof(int));
	}
	assert_int_equal(sendmsg(SUPERVISOR + (int)lane, &msg, 0), 1);
}

static void attach(struct lanes *b, unsigned lane)
{
	player_init(&b->player[lane], CHANNEL_LOWER);
	struct channel_fds fds = player_fds(&b->player[lane]);
	tell_supervisor_of(lane, &fds);
	channel_fds_close(&fds);
	upper_hear_supervisor(b->worker[lane]);
	assert_non_null(b->worker[lane]->channel);
}

static void detach(struct lanes *b, unsigned lane)
{
	tell_supervisor_of(lane, NULL);
	upper_hear_supervisor(b->worker[lane]);
	assert_null(b->worker[lane]->channel);
	player_fini(&b->player[lane]);
}

static void say(struct lanes *b, enum wire wire, uint8_t from, uint8_t to, const struct made_tcp *tcp)
{
	struct made made;
	make_ethernet(&made, from, to);
	make_ipv4(&made, from, to, 6);
	make_tcp(&made, tcp);
	make_done(&made);
	send_to(b, wire, &made);
	run(b, 4);
}

static uint64_t open_connection(struct lanes *b, unsigned lane, uint16_t port)
{
	uint8_t server = server_of(lane);
	struct made_tcp syn = {.from = port, .to = 5269, .seq = 99, .flags = TCP_SYN, .window = 60000};
	struct made_tcp syn_ack = {
		.from = 5269, .to = port, .seq = 499, .ack = 100, .flags = TCP_SYN | TCP_ACK, .window = 60000};
	struct made_tcp ack = {.from = port, .to = 5269, .seq = 100, .ack = 500, .flags = TCP_ACK, .window = 60000};
	say(b, WIRE_INSIDE, CLIENT, server, &syn);
	say(b, WIRE_OUTSIDE, server, CLIENT, &syn_ack);
	say(b, WIRE_INSIDE, CLIENT, server, &ack);
	empty(b);
	struct channel_msg msg;
	assert_true(player_hear(&b->player[lane], &msg, NULL));
	assert_int_equal(msg.type, MSG_OPENED);
	return msg.conn;
}

/* Of connections of the second lane, and no more. */
static void expect_resets(struct lanes *b, enum wire wire, unsigned count)
{
	struct made made;
	for (unsigned i = 0; i < count; i++) {
		assert_true(take(b, wire, &made));
		assert_int_equal(made.bytes[14 + 20 + 13] & TCP_RST, TCP_RST);
		assert_int_equal(lane_of(made.bytes, made.len, LANES), 1);
	}
	assert_false(take(b, wire, &made));
}

static void a_connection_is_of_one_lane(void **state)
{
	struct lanes *b = *state;
	enum { EACH = 5 };
	uint64_t ids[LANES * EACH];
	for (unsigned lane = 0; lane < LANES; lane++)
		attach(b, lane);
	for (unsigned i = 0; i < LANES * EACH; i++) {
		ids[i] = open_connection(b, i % LANES, (uint16_t)(40000 + i));
		for (unsigned k = 0; k < i; k++)
			assert_true(ids[i] != ids[k]); /* an id is of the guard, not of a lane */
		assert_true(flow_by_id(&b->worker[i % LANES]->flows, ids[i]) != NULL);
		assert_false(flow_was_named(&b->worker[1 - i % LANES]->flows, ids[i]));
	}
	/* What happens to the upper end of one lane is not felt in the other. */
	detach(b, 1);
	assert_int_equal(b->worker[1]->flows.count[FLOW_SPLIT], 0);
	assert_int_equal(b->worker[0]->flows.count[FLOW_SPLIT], EACH);
	expect_resets(b, WIRE_INSIDE, EACH);
	expect_resets(b, WIRE_OUTSIDE, EACH);
	struct made_tcp data = {.from = 40000, .to = 5269, .seq = 100, .ack = 500, .flags = TCP_ACK | TCP_PSH,
		.window = 60000, .data = "still here", .data_len = 10};
	say(b, WIRE_INSIDE, CLIENT, server_of(0), &data);
	player_expect(&b->player[0], MSG_BYTES, SIDE_CLIENT, ids[0], "still here", 10);
	detach(b, 0);
}

/* All lanes together have the memory and the places that one lane had. */
static void bounds_are_shared_out(void **state)
{
	struct lanes *b = *state;
	const struct flow_table *flows = &b->worker[1]->flows;
	assert_int_equal(flows->max[FLOW_HALF_OPEN], FLOWS_HALF_OPEN_MAX / LANES);
	assert_int_equal(flows->max[FLOW_SPLIT], FLOWS_SPLIT_MAX / LANES);
	assert_int_equal(b->worker[1]->memory.max_bytes, WORKER_TCP_BYTES / LANES);
}

/* --- a device that spreads by itself --- */

static void a_device_with_queues_is_told_how_to_spread(void **state)
{
	struct lanes *b = *state;
	struct port port = {.kind = DEVICE_VDEV, .device = "null", .name = "net_null0"}, other;
	assert_int_equal(rte_vdev_init("net_null0", "no-rx=1"), 0);
	port_start(&port, b->worker[0]->buffers, LANES);
	assert_int_equal(port.rx_queues, LANES);
	assert_null(port.tx_lock);
	port_share(&other, &port, WIRE_INSIDE, (struct proc_lane){1, LANES});
	assert_true(other.polled);
	assert_int_equal(other.rx_queue, 1);
	assert_int_equal(other.tx_queue, 1);
	struct rte_eth_dev_info info;
	struct rte_eth_rss_reta_entry64 table[8] = {0};
	assert_int_equal(rte_eth_dev_info_get(port.id, &info), 0);
	for (unsigned i = 0; i < info.reta_size / 64; i++)
		table[i].mask = UINT64_MAX;
	assert_int_equal(rte_eth_dev_rss_reta_query(port.id, table, info.reta_size), 0);
	for (unsigned i = 0; i < info.reta_size; i++)
		assert_int_equal(table[i / 64].reta[i % 64], lane_of_slot(i, LANES));
	rte_eth_dev_stop(port.id);
	rte_eth_dev_close(port.id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, before_each, after_each)
		T(keeps_the_order_of_each_pair),
		T(what_finds_no_room_is_counted),
		T(a_sleeper_is_woken_once_for_a_batch),
		T(no_wake_up_is_lost),
		T(a_connection_is_of_one_lane),
		T(bounds_are_shared_out),
		T(a_device_with_queues_is_told_how_to_spread),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
