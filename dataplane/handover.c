/* From lane to lane; see handover.h. */
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "dataplane/base/log.h"
#include "emit.h"
#include "handover.h"
#include "lane.h"

struct inbox {
	struct rte_ring *ring[WIRES];
	int bell;                      /* eventfd */
	_Atomic uint32_t sleeps;
} __rte_cache_aligned;

struct handover {
	unsigned lanes;
	struct inbox inboxes[PROC_LANES_MAX];
};

static void make_inbox(struct inbox *inbox, unsigned lane)
{
	for (unsigned w = 0; w < WIRES; w++) {
		char name[32];
		snprintf(name, sizeof(name), "lane-%u-%u", lane, w);
		inbox->ring[w] = rte_ring_create(name, HANDOVER_FRAMES, SOCKET_ID_ANY, RING_F_SC_DEQ);
		if (!inbox->ring[w])
			fatalx("no memory to hand frames over lane=%u reason=\"%s\" (hint: raise memory-mib)", lane,
				rte_strerror(rte_errno));
	}
	inbox->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (inbox->bell < 0)
		fatal("eventfd");
}

struct handover *handover_new(unsigned lanes)
{
	struct handover *handover = aligned_alloc(_Alignof(struct handover), sizeof(*handover));
	if (!handover)
		fatalx("out of memory");
	memset(handover, 0, sizeof(*handover));
	handover->lanes = lanes;
	for (unsigned lane = 0; lane < lanes; lane++)
		make_inbox(&handover->inboxes[lane], lane);
	return handover;
}

void handover_free(struct handover *handover)
{
	for (unsigned lane = 0; handover && lane < handover->lanes; lane++) {
		for (unsigned w = 0; w < WIRES; w++)
			rte_ring_free(handover->inboxes[lane].ring[w]);
		close(handover->inboxes[lane].bell);
	}
	free(handover);
}

/* Called after frames were put in. The fence pairs with that of handover_sleep(): either we see that the lane sleeps, or it
 * sees the frames. */
static void ring_bell(struct worker *worker, struct inbox *inbox)
{
	const uint64_t one = 1;
	atomic_thread_fence(memory_order_seq_cst);
	if (!atomic_load_explicit(&inbox->sleeps, memory_order_relaxed) || !atomic_exchange(&inbox->sleeps, 0))
		return;
	/* It fails only when the bell rings already. */
	if (write(inbox->bell, &one, sizeof(one)) == sizeof(one))
		count(worker, COUNT_LANE_WAKEUPS);
}

static unsigned put(struct worker *worker, struct inbox *inbox, enum wire wire, struct rte_mbuf **mbufs, unsigned n)
{
	unsigned taken = rte_ring_enqueue_burst(inbox->ring[wire], (void **)mbufs, n, NULL);
	if (taken)
		ring_bell(worker, inbox);
	return taken;
}

/* A lane whose ring is full may wait for this very CPU: so it gets it, once. */
static void give(struct worker *worker, unsigned lane, enum wire wire, struct rte_mbuf **mbufs, unsigned n)
{
	struct inbox *inbox = &worker->handover->inboxes[lane];
	unsigned taken = put(worker, inbox, wire, mbufs, n);
	if (taken < n) {
		sched_yield();
		taken += put(worker, inbox, wire, mbufs + taken, n - taken);
	}
	counter_add(worker->counters, COUNT_FRAMES_HANDED_OVER, taken);
	if (taken == n)
		return;
	counter_add(worker->counters, COUNT_DROP_LANE_FULL, n - taken);
	rte_pktmbuf_free_bulk(mbufs + taken, n - taken);
}

/* Moves the frames of this lane out of mbufs into `some`, and closes the gaps. Returns how many are left. */
static unsigned pick(struct rte_mbuf **mbufs, uint8_t *lanes, unsigned n, unsigned lane, struct rte_mbuf **some)
{
	unsigned left = 0, picked = 0;
	for (unsigned i = 0; i < n; i++) {
		if (lanes[i] == lane) {
			some[picked++] = mbufs[i];
			continue;
		}
		lanes[left] = lanes[i];
		mbufs[left++] = mbufs[i];
	}
	return left;
}

unsigned handover_give(struct worker *worker, enum wire wire, struct rte_mbuf **mbufs, unsigned n)
{
	struct rte_mbuf *some[PORT_BURST];
	uint8_t lanes[PORT_BURST];
	uint32_t others = 0;
	for (unsigned i = 0; i < n; i++) {
		unsigned lane = lane_of(rte_pktmbuf_mtod(mbufs[i], const uint8_t *), mbufs[i]->data_len, worker->lane.lanes);
		lanes[i] = (uint8_t)lane;
		others |= (uint32_t)1 << lane;
	}
	others &= ~((uint32_t)1 << worker->lane.lane);
	for (unsigned lane = 0; others; lane++, others >>= 1) {
		if (!(others & 1))
			continue;
		unsigned left = pick(mbufs, lanes, n, lane, some);
		give(worker, lane, wire, some, n - left);
		n = left;
	}
	return n;
}

unsigned handover_take(struct worker *worker, enum wire wire, struct rte_mbuf **mbufs, unsigned n)
{
	return rte_ring_sc_dequeue_burst(worker->handover->inboxes[worker->lane.lane].ring[wire], (void **)mbufs, n, NULL);
}

int handover_bell(const struct worker *worker)
{
	return worker->handover ? worker->handover->inboxes[worker->lane.lane].bell : -1;
}

bool handover_sleep(struct worker *worker)
{
	if (!worker->handover)
		return true;
	struct inbox *inbox = &worker->handover->inboxes[worker->lane.lane];
	atomic_store_explicit(&inbox->sleeps, 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	if (rte_ring_empty(inbox->ring[WIRE_INSIDE]) && rte_ring_empty(inbox->ring[WIRE_OUTSIDE]))
		return true;
	atomic_store_explicit(&inbox->sleeps, 0, memory_order_relaxed);
	return false;
}

void handover_awake(struct worker *worker)
{
	if (!worker->handover)
		return;
	struct inbox *inbox = &worker->handover->inboxes[worker->lane.lane];
	atomic_store_explicit(&inbox->sleeps, 0, memory_order_relaxed);
	uint64_t rung;
	if (read(inbox->bell, &rung, sizeof(rung)) < 0 && errno != EAGAIN)
		log_warn("bell lane=%u", worker->lane.lane);
}
