/*
 * The barest forwarder that the same ports allow: what comes in at one leaves at the other, and nothing looks at it. Ports,
 * buffers and the rule for sleeping are those of the guard, so that a difference is the guard's own work.
 *
 *     forward ONE OTHER
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "dataplane/worker.h"

static unsigned forward(uint16_t from, uint16_t to)
{
	struct rte_mbuf *frames[PORT_BURST];
	uint16_t sent = 0, n = rte_eth_rx_burst(from, 0, frames, PORT_BURST);
	for (unsigned tries = 0; sent < n && tries < PORT_SEND_TRIES; tries++)
		sent += rte_eth_tx_burst(to, 0, frames + sent, n - sent);
	if (sent < n)
		rte_pktmbuf_free_bulk(frames + sent, n - sent);
	return n;
}

int main(int argc, char **argv)
{
	struct conf *conf = calloc(1, sizeof(*conf));
	struct worker *workers[PROC_LANES_MAX];
	struct sleeper sleeper;
	if (argc != 3 || !conf)
		errx(2, "usage: forward ONE OTHER");
	conf->memory_mib = 256;
	conf->workers = 1;
	for (unsigned w = 0; w < WIRES; w++)
		snprintf(conf->wire[w].device, sizeof(conf->wire[w].device), "%s", argv[1 + w]);
	workers_open(workers, conf);
	struct port *ports = workers[0]->port;
	sleeper_init(&sleeper, -1, -1);
	for (unsigned w = 0; w < WIRES; w++)
		sleeper_add_port(&sleeper, ports[w].if_index);
	uint16_t one = ports[WIRE_INSIDE].id, other = ports[WIRE_OUTSIDE].id;
	for (unsigned empty = 0;;) {
		empty = forward(one, other) + forward(other, one) ? 0 : empty + 1;
		if (empty == WORKER_EMPTY_POLLS) {
			sleeper_wait(&sleeper, -1, UINT64_MAX);
			empty = 0;
		}
	}
}
