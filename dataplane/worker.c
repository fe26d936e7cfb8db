/* The worker's loop; see worker.h. */
#include <stdlib.h>
#include <time.h>

#include "adopt.h"
#include "bridge.h"
#include "dial.h"
#include "dataplane/base/log.h"
#include "eal.h"
#include "emit.h"
#include "handover.h"
#include "link.h"
#include "split.h"
#include "upper.h"
#include "watch.h"
#include "worker.h"

const char *const dataplane_counter_names[DATAPLANE_COUNTERS_END] = {
#define X(name, text) text,
	DATAPLANE_COUNTERS(X)
#undef X
};
static_assert((int)DATAPLANE_COUNTERS_END <= (int)COUNTERS_MAX, "they fit");

enum { IPV4_AND_TCP_BYTES = 40, IPV6_AND_TCP_BYTES = 60 };

static uint64_t clock_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void set_mss_limits(struct worker *worker)
{
	uint16_t inside = worker->port[WIRE_INSIDE].mtu, outside = worker->port[WIRE_OUTSIDE].mtu;
	uint16_t mtu = inside < outside ? inside : outside;
	if (inside != outside)
		log_warnx("ports differ in MTU inside=%u outside=%u (hint: larger frames of one are lost on the other)", inside,
			outside);
	worker->mss_limit[0] = mtu - IPV4_AND_TCP_BYTES;
	worker->mss_limit[1] = mtu - IPV6_AND_TCP_BYTES;
}

static struct worker *worker_new(unsigned lane, const struct conf *conf)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	if (!worker)
		fatalx("out of memory");
	worker->lane = (struct proc_lane){lane, conf->workers};
	return worker;
}

static void open_ports(struct worker *worker, const struct conf *conf)
{
	for (unsigned w = 0; w < WIRES; w++)
		port_plan(&worker->port[w], &conf->wire[w], w);
	eal_start(conf, worker->port);
	worker->buffers = eal_buffers(worker->port, conf->workers);
	for (unsigned w = 0; w < WIRES; w++)
		port_start(&worker->port[w], worker->buffers, conf->workers);
	worker->handover = conf->workers > 1 ? handover_new(conf->workers) : NULL;
}

void workers_open(struct worker *workers[PROC_LANES_MAX], const struct conf *conf)
{
	struct worker *first = worker_new(0, conf);
	open_ports(first, conf);
	workers[0] = first;
	for (unsigned lane = 1; lane < conf->workers; lane++) {
		workers[lane] = worker_new(lane, conf);
		workers[lane]->buffers = first->buffers;
		workers[lane]->handover = first->handover;
	}
	for (unsigned lane = conf->workers; lane-- > 0;)
		for (unsigned w = 0; w < WIRES; w++)
			port_share(&workers[lane]->port[w], &first->port[w], w, workers[lane]->lane);
}

static void init_sleeper(struct worker *worker)
{
	sleeper_init(&worker->sleeper, worker->supervisor, handover_bell(worker));
	bool by_xdp = false;
	for (unsigned w = 0; w < WIRES; w++) {
		const struct port *port = &worker->port[w];
		if (port->polled && port->kind == DEVICE_XDP)
			by_xdp = true;
		else if (port->polled)
			sleeper_add_port(&worker->sleeper, port->if_index);
	}
	if (by_xdp)
		sleeper_add_xdp(&worker->sleeper);
}

void worker_init(struct worker *worker, const struct conf *conf, struct counters *counters)
{
	worker->counters = counters;
	worker->now = clock_us();
	worker->supervisor = dataplane_fd_supervisor(worker->lane.lane);
	worker->blocks_alone = conf->on_failure == ON_FAILURE_BLOCK;
	worker->memory.max_bytes = WORKER_TCP_BYTES / worker->lane.lanes;
	TAILQ_INIT(&worker->busy);
	TAILQ_INIT(&worker->starved);
	for (unsigned i = 0; i < conf->port_count; i++)
		worker->guarded[conf->ports[i] / 64] |= (uint64_t)1 << (conf->ports[i] % 64);
	worker->elsewhere = conf->elsewhere;
	worker->websocket = conf->websocket;
	worker->quic = conf->quic;
	set_mss_limits(worker);
	worker->fragments = fragments_new();
	if (!worker->fragments)
		fatalx("no memory for fragments (hint: raise memory-mib)");
	if (flow_table_init(&worker->flows, worker->lane) || deadlines_init(&worker->deadlines))
		fatalx("no memory for the table of connections (hint: raise memory-mib)");
	init_sleeper(worker);
	link_init(worker);
}

static void show_gauges(struct worker *worker)
{
	counter_set(worker->counters, COUNT_CONNECTIONS_OPEN, worker->flows.count[FLOW_SPLIT]);
	counter_set(worker->counters, COUNT_HALF_OPEN, worker->flows.count[FLOW_HALF_OPEN]);
	counter_set(worker->counters, COUNT_WATCHED, worker->flows.count[FLOW_WATCHED]);
	counter_set(worker->counters, COUNT_BYTES_KEPT, worker->memory.used_bytes);
}

unsigned worker_round(struct worker *worker)
{
	worker->now = clock_us();
	unsigned work = bridge_receive(worker, WIRE_INSIDE) + bridge_receive(worker, WIRE_OUTSIDE);
	work += upper_receive(worker);
	work += split_run_deadlines(worker);
	split_feed_starved(worker);
	split_run_busy(worker);
	split_expire(worker);
	adopt_expire(worker);
	dial_repeat(worker);
	watch_expire(worker);
	fragments_expire(worker);
	emit_flush(worker);
	upper_flush(worker);
	if (worker->now - worker->supervisor_heard_at >= WORKER_SUPERVISOR_US) {
		upper_hear_supervisor(worker);
		link_look(worker);
		show_gauges(worker);
	}
	return work;
}

static uint64_t earliest(const struct worker *worker)
{
	uint64_t at = deadline_next(&worker->deadlines);
	for (unsigned state = FLOW_HALF_OPEN; state < FLOW_STATES; state++) {
		const struct flow *first = TAILQ_FIRST(&worker->flows.list[state]);
		if (first && state != FLOW_SPLIT && first->expires < at)
			at = first->expires;
	}
	if (dial_next(worker) < at)
		at = dial_next(worker);
	if (fragments_next(worker->fragments) < at)
		at = fragments_next(worker->fragments);
	if (!TAILQ_EMPTY(&worker->starved) && worker->now + WORKER_STARVED_US < at)
		at = worker->now + WORKER_STARVED_US;
	return link_due(worker) < at ? link_due(worker) : at;
}

static void sleep_until(struct worker *worker, uint64_t at)
{
	if (at <= worker->now)
		return;
	if (!handover_sleep(worker))
		return;
	if (worker->channel && !channel_sleep(worker->channel)) {
		handover_awake(worker);
		return;
	}
	count(worker, COUNT_SLEEPS);
	uint64_t us = at == UINT64_MAX ? UINT64_MAX : at - worker->now;
	unsigned errors = sleeper_wait(&worker->sleeper, worker->channel ? channel_wake_fd(worker->channel) : -1, us);
	if (worker->channel)
		channel_awake(worker->channel);
	handover_awake(worker);
	counter_add(worker->counters, COUNT_PORT_ERRORS, errors);
	worker->now = clock_us();
	upper_hear_supervisor(worker);
}

void worker_run(struct worker *worker)
{
	for (unsigned empty = 0; !worker->over;) {
		empty++;
		if (worker_round(worker)) {
			sleeper_worked(&worker->sleeper);
			empty = 0;
		}
		if (empty < WORKER_EMPTY_POLLS)
			continue;
		show_gauges(worker);
		sleep_until(worker, earliest(worker));
		/* A nap ends without anything having happened: then one look is enough. */
		empty = worker->sleeper.naps ? WORKER_EMPTY_POLLS - 1 : 0;
	}
}
