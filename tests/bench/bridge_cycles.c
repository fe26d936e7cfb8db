/*
 * What bridging costs, without what a port costs: the worker between two of DPDK's null ports, which hand out and take
 * back buffers and do nothing else. One kind of frame at a time lies in every buffer of the pool.
 *
 *     bridge_cycles SECONDS          prints for each kind: its name, cycles a frame, cycles a frame if nobody looks at it
 *
 * Everything in a round is counted: receiving, the decision, sending, the clock, the timers.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "dataplane/base/proc.h"
#include "dataplane/worker.h"
#include "tests/unit/frames.h"

enum { BUFFERS = 4095, FRAME_MAX = 2048, ROUNDS = 16, SAMPLES_MAX = 1 << 16 };
enum { HTTPS = 443, CLIENT = 1, SERVER = 2, UDP = 17, GUARDED = 5269 };

struct kind {
	const char *name;
	uint16_t len;
	unsigned tags;
	uint8_t family, protocol;
};

/* The null port gives frames of one length, so there is a pair of ports for each length. */
static const struct kind kinds[] = {
	{"UDP/IPv4, 64 bytes", 64, 0, 4, UDP},
	{"TCP/IPv4, 64 bytes", 64, 0, 4, 6},
	{"TCP/IPv4, 1500 bytes", 1500, 0, 4, 6},
	{"TCP/IPv4, VLAN, 1500 bytes", 1500, 1, 4, 6},
	{"TCP/IPv6, 1500 bytes", 1500, 0, 6, 6},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static struct made make(const struct kind *kind)
{
	static const uint8_t payload[1500];
	struct made made;
	make_ethernet(&made, CLIENT, SERVER);
	if (kind->tags)
		make_tag(&made, 0x8100, 4);
	if (kind->family == 4)
		make_ipv4(&made, CLIENT, SERVER, kind->protocol);
	else
		make_ipv6(&made, CLIENT, SERVER, kind->protocol);
	struct made_tcp tcp = {.from = 40000, .to = HTTPS, .seq = 1, .ack = 1, .flags = 0x10, .window = 60000,
		.data = payload, .data_len = kind->len - made.len - 20};
	if (kind->protocol == UDP)
		make_bytes(&made, payload, kind->len - made.len);
	else
		make_tcp(&made, &tcp);
	make_done(&made);
	return made;
}

static uint64_t counted(const struct worker *worker)
{
	return atomic_load(&worker->counters->table[COUNT_FRAMES_TO_INSIDE].value) +
		atomic_load(&worker->counters->table[COUNT_FRAMES_TO_OUTSIDE].value);
}

static void fill(struct rte_mempool *pool, void *arg, void *object, unsigned index)
{
	(void)pool, (void)index;
	struct made *made = arg;
	struct rte_mbuf *mbuf = object;
	memcpy((uint8_t *)mbuf->buf_addr + RTE_PKTMBUF_HEADROOM, made->bytes, made->len);
}

static void start_eal(void)
{
	static char words[][64] = {"bridge_cycles", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m", "256",
		"--log-level=*:4", "--lcores=0@(0-1)", "--vdev=net_null0,size=64", "--vdev=net_null1,size=64",
		"--vdev=net_null2,size=1500", "--vdev=net_null3,size=1500"};
	enum { WORDS = sizeof(words) / sizeof(words[0]) };
	char *arguments[WORDS + 1] = {0};
	for (unsigned i = 0; i < WORDS; i++)
		arguments[i] = words[i];
	if (rte_eal_init(WORDS, arguments) < 0)
		errx(1, "DPDK does not start");
}

static void start_ports(struct port ports[WIRES], unsigned first, struct rte_mempool *buffers)
{
	for (unsigned w = 0; w < WIRES; w++) {
		ports[w] = (struct port){.kind = DEVICE_VDEV, .device = "null"};
		snprintf(ports[w].name, sizeof(ports[w].name), "net_null%u", first + w);
		port_start(&ports[w], buffers, 1);
		ports[w].polled = true;
	}
}

/* sallyportd, which has nothing to say. */
static void start_supervisor(void)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) || dup2(pair[1], PROC_FD_SUPERVISOR) < 0)
		err(1, "socketpair");
}

/* What testpmd's io forwarding does, here. */
static unsigned forward(struct worker *worker)
{
	struct rte_mbuf *mbufs[PORT_BURST];
	unsigned done = 0;
	for (unsigned w = 0; w < WIRES; w++) {
		uint16_t n = rte_eth_rx_burst(worker->port[w].id, 0, mbufs, PORT_BURST);
		done += rte_eth_tx_burst(worker->port[wire_other(w)].id, 0, mbufs, n);
	}
	return done;
}

static double cycles_of_some(struct worker *worker, unsigned (*round)(struct worker *))
{
	unsigned frames = 0;
	uint64_t start = rte_rdtsc();
	for (unsigned i = 0; i < ROUNDS; i++)
		frames += round(worker);
	return (double)(rte_rdtsc() - start) / frames;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double tenth(double *values, unsigned n)
{
	qsort(values, n, sizeof(*values), compare);
	return values[n / 10];
}

/* In turn, and of each the value that a tenth is below: what else runs on the machine is not counted. */
static void measure(struct worker *worker, const struct kind *kind, double seconds)
{
	static double bridged[SAMPLES_MAX], forwarded[SAMPLES_MAX];
	struct made made = make(kind);
	rte_mempool_obj_iter(worker->buffers, fill, &made);
	uint64_t before = counted(worker), end = rte_rdtsc() + (uint64_t)(seconds * (double)rte_get_tsc_hz());
	unsigned n = 0;
	for (; n < SAMPLES_MAX && rte_rdtsc() < end; n++) {
		forwarded[n] = cycles_of_some(worker, forward);
		bridged[n] = cycles_of_some(worker, worker_round);
	}
	if (counted(worker) - before != (uint64_t)n * ROUNDS * PORT_BURST * WIRES)
		errx(1, "%s: not every frame was bridged", kind->name);
	printf("%s\t%.1f\t%.1f\n", kind->name, tenth(bridged, n), tenth(forwarded, n));
}

int main(int argc, char **argv)
{
	double seconds = argc == 2 ? strtod(argv[1], NULL) : 0;
	if (seconds <= 0)
		errx(2, "usage: bridge_cycles SECONDS");
	for (int fd = 0; fd <= PROC_FD_SUPERVISOR; fd++) /* so that it is nobody else's */
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", O_RDONLY);
	start_supervisor();
	start_eal();
	struct worker *worker = calloc(1, sizeof(*worker));
	struct port ports[2][WIRES];
	if (!worker)
		err(1, "memory");
	worker->buffers = rte_pktmbuf_pool_create("frames", BUFFERS, 256, 0, FRAME_MAX + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	if (!worker->buffers)
		errx(1, "no memory for buffers");
	for (unsigned i = 0; i < 2; i++)
		start_ports(ports[i], i * WIRES, worker->buffers);
	memcpy(worker->port, ports[0], sizeof(worker->port));
	worker->lane.lanes = 1;
	/* Every frame is looked at as closely as can be configured. */
	const struct conf conf = {.port_count = 1, .ports = {GUARDED}, .elsewhere = ELSEWHERE_GUARD,
		.websocket = ANSWER_ALERT, .quic = ANSWER_ALERT};
	worker_init(worker, &conf, counters_open(counters_create(), dataplane_counter_names, DATAPLANE_COUNTERS_END));
	for (unsigned i = 0; i < KINDS; i++) {
		memcpy(worker->port, ports[kinds[i].len > 64], sizeof(worker->port));
		measure(worker, &kinds[i], seconds);
	}
	return 0;
}
