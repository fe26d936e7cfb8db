/* A worker on a bench; see worker_harness.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "dataplane/base/proc.h"
#include "dataplane/split.h"
#include "dataplane/upper.h"
#include "worker_harness.h"

enum { RING_FRAMES = 1024, ROUNDS = 8 };

static void make_port(struct bench *b, unsigned w)
{
	static const char *const names[WIRES] = {"inside", "outside"};
	char name[32];
	snprintf(name, sizeof(name), "in_%s", names[w]);
	b->in[w] = rte_ring_create(name, RING_FRAMES, SOCKET_ID_ANY, 0);
	snprintf(name, sizeof(name), "out_%s", names[w]);
	b->out[w] = rte_ring_create(name, RING_FRAMES, SOCKET_ID_ANY, 0);
	assert_non_null(b->in[w]);
	assert_non_null(b->out[w]);
	assert_true(rte_eth_from_rings(names[w], &b->in[w], 1, &b->out[w], 1, 0) >= 0);
	struct port *port = &b->worker->port[w];
	port->kind = DEVICE_VDEV;
	port->device = names[w];
	snprintf(port->name, sizeof(port->name), "net_ring_%s", names[w]);
	port_start(port, b->worker->buffers, 1);
	port->mtu = 1500;
}

int bench_start(void **state)
{
	static char words[][20] = {"worker_test", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m", "128",
		"--log-level=*:4"};
	char *eal[sizeof(words) / sizeof(words[0])];
	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		eal[i] = words[i];
	static struct bench bench;
	struct bench *b = &bench;
	*state = b;
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) || dup2(pair[0], SUPERVISOR) < 0 ||
		dup2(pair[1], PROC_FD_SUPERVISOR) < 0)
		return -1;
	if (rte_eal_init(sizeof(eal) / sizeof(eal[0]), eal) < 0)
		return -1;
	b->worker = calloc(1, sizeof(*b->worker));
	b->worker->lane.lanes = 1;
	b->worker->buffers = rte_pktmbuf_pool_create("buffers", 4095, 0, 0, 2048 + 128, SOCKET_ID_ANY);
	assert_non_null(b->worker->buffers);
	for (unsigned w = 0; w < WIRES; w++)
		make_port(b, w);
	const struct conf conf = {.port_count = 2, .ports = {5269, 5270}};
	worker_init(b->worker, &conf, counters_open(counters_create(), dataplane_counter_names, DATAPLANE_COUNTERS_END));
	return 0;
}

int bench_stop(void **state)
{
	struct bench *b = *state;
	deadlines_fini(&b->worker->deadlines);
	flow_table_fini(&b->worker->flows);
	fragments_free(b->worker->fragments);
	free(b->worker);
	return rte_eal_cleanup();
}

void bench_run(struct bench *b)
{
	for (unsigned i = 0; i < ROUNDS; i++)
		worker_round(b->worker);
}

static void send_fds(const struct channel_fds *fds)
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
	assert_int_equal(sendmsg(SUPERVISOR, &msg, 0), 1);
}

void bench_attach(struct bench *b)
{
	player_init(&b->player, CHANNEL_LOWER);
	struct channel_fds fds = player_fds(&b->player);
	send_fds(&fds);
	channel_fds_close(&fds);
	upper_hear_supervisor(b->worker);
	assert_non_null(b->worker->channel);
	b->attached = true;
}

void bench_detach(struct bench *b)
{
	send_fds(NULL);
	upper_hear_supervisor(b->worker);
	assert_null(b->worker->channel);
	if (b->attached)
		player_fini(&b->player);
	b->attached = false;
}

void empty(struct bench *b)
{
	void *mbuf;
	for (unsigned w = 0; w < WIRES; w++)
		while (!rte_ring_dequeue(b->out[w], &mbuf))
			rte_pktmbuf_free(mbuf);
}

void forget_flows(struct bench *b)
{
	struct flow_table *flows = &b->worker->flows;
	for (unsigned state = FLOW_HALF_OPEN; state < FLOW_STATES; state++)
		while (flows->count[state])
			split_forget(b->worker, TAILQ_FIRST(&flows->list[state]));
	for (unsigned i = 0; i < COUNTERS_MAX; i++)
		counter_set(b->worker->counters, i, 0);
}

int bench_before_each(void **state)
{
	struct bench *b = *state;
	b->tags = 0;
	b->family = 4;
	forget_flows(b);
	bench_attach(b);
	return 0;
}

/* After every test all buffers are back where they belong. */
int bench_after_each(void **state)
{
	struct bench *b = *state;
	uint8_t byte;
	bench_detach(b);
	forget_flows(b);
	empty(b);
	while (recv(SUPERVISOR, &byte, 1, MSG_DONTWAIT) == 1)
		;
	assert_int_equal(rte_mempool_in_use_count(b->worker->buffers), 0);
	return 0;
}

uint64_t counted(const struct bench *b, enum dataplane_counter which)
{
	return atomic_load(&b->worker->counters->table[which].value);
}

void inject(struct bench *b, enum wire wire, const struct made *made)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(b->worker->buffers);
	assert_non_null(mbuf);
	memcpy(rte_pktmbuf_append(mbuf, (uint16_t)made->len), made->bytes, made->len);
	assert_int_equal(rte_ring_enqueue(b->in[wire], mbuf), 0);
	bench_run(b);
}

bool take(struct bench *b, enum wire wire, struct made *made)
{
	struct rte_mbuf *mbuf;
	if (rte_ring_dequeue(b->out[wire], (void **)&mbuf))
		return false;
	made->len = rte_pktmbuf_data_len(mbuf);
	memcpy(made->bytes, rte_pktmbuf_mtod(mbuf, void *), made->len);
	rte_pktmbuf_free(mbuf);
	return true;
}

bool comes_out(struct bench *b, enum wire wire, const struct made *expected)
{
	struct made got;
	return take(b, wire, &got) && got.len == expected->len && !memcmp(got.bytes, expected->bytes, got.len);
}

bool nothing_comes_out(struct bench *b)
{
	return rte_ring_empty(b->out[WIRE_INSIDE]) && rte_ring_empty(b->out[WIRE_OUTSIDE]);
}

struct made make(const struct bench *b, uint8_t from, uint8_t to, const struct made_tcp *tcp)
{
	struct made made;
	make_ethernet(&made, from, to);
	for (unsigned i = b->tags; i > 0; i--)
		make_tag(&made, i > 1 ? 0x88a8 : 0x8100, (uint16_t)(0x2000 + 4 + i));
	if (b->family == 4)
		make_ipv4(&made, from, to, 6);
	else
		make_ipv6(&made, from, to, 6);
	if (tcp) {
		make_tcp(&made, tcp);
		make_done(&made);
	}
	return made;
}

void see(struct bench *b, enum wire wire, struct seen *seen)
{
	assert_true(take(b, wire, &seen->made));
	frame_parse(&seen->frame, seen->made.bytes, seen->made.len);
	const struct frame *f = &seen->frame;
	assert_int_equal(f->kind, FRAME_TCP);
	if (f->family == 4)
		assert_int_equal(sum_of(f->bytes + f->ip, 20), 0);
	assert_int_equal(tcp_sum_of(f->bytes + f->ip, f->bytes + f->tcp, f->tcp_len), 0);
	assert_int_equal(tcp_seg_parse(&seen->seg, f->bytes + f->tcp, f->tcp_len), 0);
}

/* --- a connection, client inside --- */

struct made_tcp from_client(uint32_t seq, uint32_t ack, uint8_t flags)
{
	return (struct made_tcp){.from = 40000, .to = 5269, .seq = ISN_CLIENT + seq, .ack = ISN_SERVER + ack, .flags = flags,
		.window = 60000};
}

struct made_tcp from_server(uint32_t seq, uint32_t ack, uint8_t flags)
{
	return (struct made_tcp){.from = 5269, .to = 40000, .seq = ISN_SERVER + seq, .ack = ISN_CLIENT + ack, .flags = flags,
		.window = 50000};
}

void client_says(struct bench *b, const struct made_tcp *tcp)
{
	struct made made = make(b, CLIENT, SERVER, tcp);
	inject(b, WIRE_INSIDE, &made);
}

void server_says(struct bench *b, const struct made_tcp *tcp)
{
	struct made made = make(b, SERVER, CLIENT, tcp);
	inject(b, WIRE_OUTSIDE, &made);
}

uint64_t hear_opened(struct bench *b, struct msg_opened *opened)
{
	struct channel_msg msg;
	assert_true(player_hear(&b->player, &msg, opened));
	assert_int_equal(msg.type, MSG_OPENED);
	assert_int_equal(msg.length, sizeof(*opened));
	return msg.conn;
}

/* Leaves nothing on the wires but what was answered. */
uint64_t open_connection(struct bench *b)
{
	struct msg_opened opened;
	struct made_tcp syn = from_client(0, 0, TCP_SYN), syn_ack = from_server(0, 1, TCP_SYN | TCP_ACK),
		ack = from_client(1, 1, TCP_ACK);
	client_says(b, &syn);
	server_says(b, &syn_ack);
	client_says(b, &ack);
	empty(b);
	return hear_opened(b, &opened);
}
