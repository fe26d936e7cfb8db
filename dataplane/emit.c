/* Frames on their way out; see emit.h. */
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "emit.h"

/* What waits for a link would leave when it is back, long after its time. */
static void let_fall(struct worker *worker, struct port *port)
{
	counter_add(worker->counters, COUNT_DROP_LINK_DOWN, port->waiting);
	rte_pktmbuf_free_bulk(port->frames, port->waiting);
	port->waiting = 0;
}

static void flush(struct worker *worker, struct port *port)
{
	if (port->link != LINK_UP) {
		let_fall(worker, port);
		return;
	}
	unsigned sent = 0;
	if (port->tx_lock)
		pthread_mutex_lock(port->tx_lock);
	for (unsigned tries = 0; sent < port->waiting && tries < PORT_SEND_TRIES; tries++)
		sent += rte_eth_tx_burst(port->id, port->tx_queue, port->frames + sent, (uint16_t)(port->waiting - sent));
	if (port->tx_lock)
		pthread_mutex_unlock(port->tx_lock);
	if (sent < port->waiting) {
		counter_add(worker->counters, COUNT_DROP_PORT_FULL, port->waiting - sent);
		rte_pktmbuf_free_bulk(port->frames + sent, port->waiting - sent);
	}
	port->waiting = 0;
}

void emit_frame(struct worker *worker, enum wire wire, struct rte_mbuf *mbuf)
{
	struct port *port = &worker->port[wire];
	port->frames[port->waiting++] = mbuf;
	if (port->waiting == PORT_BURST)
		flush(worker, port);
}

void emit_as_it_came(struct worker *worker, struct arrival *arrival)
{
	struct port *port = &worker->port[wire_other(arrival->wire)];
	port->bridged_frames++;
	port->bridged_bytes += arrival->mbuf->pkt_len;
	emit_frame(worker, wire_other(arrival->wire), arrival->mbuf);
}

void emit_segment(struct worker *worker, enum wire wire, struct path *path, const struct tcp_seg *seg)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(worker->buffers);
	if (!mbuf || rte_pktmbuf_tailroom(mbuf) < PATH_HEADERS_MAX + (size_t)seg->len + seg->len2) {
		rte_pktmbuf_free(mbuf);
		count(worker, COUNT_DROP_NO_BUFFER);
		return;
	}
	size_t len = path_write(path, seg, rte_pktmbuf_mtod(mbuf, uint8_t *));
	mbuf->data_len = (uint16_t)len;
	mbuf->pkt_len = (uint32_t)len;
	count(worker, COUNT_SEGMENTS_OUT);
	emit_frame(worker, wire, mbuf);
}

/* The counters are shared memory, and atomic: so they hear of whole bursts. */
static void count_bridged(struct worker *worker, enum wire wire)
{
	struct port *port = &worker->port[wire];
	bool outward = wire == WIRE_OUTSIDE;
	counter_add(worker->counters, outward ? COUNT_FRAMES_TO_OUTSIDE : COUNT_FRAMES_TO_INSIDE, port->bridged_frames);
	counter_add(worker->counters, outward ? COUNT_BYTES_TO_OUTSIDE : COUNT_BYTES_TO_INSIDE, port->bridged_bytes);
	port->bridged_frames = port->bridged_bytes = 0;
}

void emit_flush(struct worker *worker)
{
	for (unsigned w = 0; w < WIRES; w++) {
		if (worker->port[w].bridged_frames)
			count_bridged(worker, w);
		if (worker->port[w].waiting)
			flush(worker, &worker->port[w]);
	}
}

void emit_nothing(struct worker *worker, struct arrival *arrival, enum dataplane_counter why)
{
	count(worker, why);
	rte_pktmbuf_free(arrival->mbuf);
}
