/* A binary heap of connections by deadline; see deadline.h. */
#include <errno.h>
#include <stdlib.h>

#include "deadline.h"

int deadlines_init(struct deadlines *deadlines)
{
	deadlines->count = 0;
	deadlines->heap = calloc(FLOWS_MAX + 1, sizeof(deadlines->heap[0]));
	return deadlines->heap ? 0 : -ENOMEM;
}

void deadlines_fini(struct deadlines *deadlines)
{
	free(deadlines->heap);
	*deadlines = (struct deadlines){0};
}

static void place(struct deadlines *deadlines, unsigned at, struct flow *flow)
{
	deadlines->heap[at] = flow;
	flow->deadline_at = at;
}

static void sift_up(struct deadlines *deadlines, struct flow *flow)
{
	unsigned at = flow->deadline_at;
	for (; at > 1 && deadlines->heap[at / 2]->deadline > flow->deadline; at /= 2)
		place(deadlines, at, deadlines->heap[at / 2]);
	place(deadlines, at, flow);
}

static void sift_down(struct deadlines *deadlines, struct flow *flow)
{
	unsigned at = flow->deadline_at;
	for (unsigned child; (child = 2 * at) <= deadlines->count; at = child) {
		if (child < deadlines->count && deadlines->heap[child + 1]->deadline < deadlines->heap[child]->deadline)
			child++;
		if (deadlines->heap[child]->deadline >= flow->deadline)
			break;
		place(deadlines, at, deadlines->heap[child]);
	}
	place(deadlines, at, flow);
}

void deadline_arm(struct deadlines *deadlines, struct flow *flow, uint64_t at)
{
	if (at == UINT64_MAX || (flow->deadline_at && flow->deadline <= at))
		return;
	flow->deadline = at;
	if (!flow->deadline_at)
		place(deadlines, ++deadlines->count, flow);
	sift_up(deadlines, flow);
}

void deadline_disarm(struct deadlines *deadlines, struct flow *flow)
{
	unsigned at = flow->deadline_at;
	if (!at)
		return;
	struct flow *last = deadlines->heap[deadlines->count--];
	flow->deadline_at = 0;
	if (last == flow)
		return;
	place(deadlines, at, last);
	sift_up(deadlines, last);
	sift_down(deadlines, last);
}

struct flow *deadline_pop(struct deadlines *deadlines, uint64_t now)
{
	if (deadline_next(deadlines) > now)
		return NULL;
	struct flow *flow = deadlines->heap[1];
	deadline_disarm(deadlines, flow);
	return flow;
}

uint64_t deadline_next(const struct deadlines *deadlines)
{
	return deadlines->count ? deadlines->heap[1]->deadline : UINT64_MAX;
}
