/*
 * The barest forwarder that the same ports allow: what comes in at one leaves at the other, and nothing looks at it. Ports,
 * buffers and the rule for sleeping are those of the guard, so that a difference is the guard's own work.
 *
 *     forward ONE OTHER
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "dataplane/base/proc.h"
#include "dataplane/eal.h"
#include "dataplane/sleep.h"
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
	struct worker *worker = calloc(1, sizeof(*worker));
	if (argc != 3 || !conf || !worker)
		errx(2, "usage: forward ONE OTHER");
	int never[2];
	if (pipe(never) || dup2(never[0], PROC_FD_SUPERVISOR) < 0)
		err(1, "pipe");
	conf->memory_mib = 256;
	for (unsigned w = 0; w < WIRES; w++)
		snprintf(conf->wire[w].device, sizeof(conf->wire[w].device), "%s", argv[1 + w]);
	worker_open_ports(worker, conf);
	sleeper_init(&worker->sleeper, 0);
	puts("ready");
	fflush(stdout);
	uint16_t one = worker->port[WIRE_INSIDE].id, other = worker->port[WIRE_OUTSIDE].id;
	for (unsigned empty = 0;;) {
		empty = forward(one, other) + forward(other, one) ? 0 : empty + 1;
		if (empty == WORKER_EMPTY_POLLS) {
			sleeper_wait(&worker->sleeper, -1, UINT64_MAX);
			empty = 0;
		}
	}
}
