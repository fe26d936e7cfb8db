/* Acknowledgements of stanzas in one direction; see acks.h. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "control/acks.h"
#include "control/limits.h"

struct run {
	uint32_t kind; /* enum acks_kind */
	uint32_t count;
};

static_assert(sizeof(struct run) == 8, "runs stand in the buffer without a gap");

void acks_init(struct acks *acks)
{
	*acks = (struct acks){0};
	buf_init(&acks->runs, ACKS_RUNS_MAX * sizeof(struct run));
}

void acks_fini(struct acks *acks)
{
	buf_fini(&acks->runs);
}

/* Whole runs only are put and dropped. NULL: there is none. */
static struct run *run_at(struct acks *acks, size_t offset)
{
	return offset < buf_len(&acks->runs) ? (struct run *)(void *)(acks->runs.memory + acks->runs.off + offset) : NULL;
}

static struct run *last_run(struct acks *acks)
{
	return buf_len(&acks->runs) ? run_at(acks, buf_len(&acks->runs) - sizeof(struct run)) : NULL;
}

int acks_add(struct acks *acks, enum acks_kind kind)
{
	struct run *last = last_run(acks), one = {kind, 1};
	bool longer = last && last->kind == kind && last->count < UINT32_MAX;
	int rc = longer ? 0 : buf_put(&acks->runs, &one, sizeof(one));
	if (rc)
		return rc;
	if (longer)
		last->count++;
	acks->outstanding += kind != ACKS_DROPPED;
	return 0;
}

/* What of the oldest run is acknowledged when the receiver has handled `handled` more. */
static uint32_t acknowledged_of(const struct run *run, uint32_t handled)
{
	return run->kind == ACKS_DROPPED || run->count < handled ? run->count : handled;
}

bool acks_take(struct acks *acks, uint32_t h, uint32_t *translated)
{
	uint32_t handled = h - acks->receiver_h;
	if (handled > acks->outstanding)
		return false;
	acks->receiver_h = h;
	acks->outstanding -= handled;
	struct run *run;
	while ((run = run_at(acks, 0))) {
		uint32_t n = acknowledged_of(run, handled);
		if (!n)
			break;
		acks->sender_h += run->kind != ACKS_INJECTED ? n : 0;
		handled -= run->kind != ACKS_DROPPED ? n : 0;
		run->count -= n;
		if (run->count)
			break;
		buf_drop(&acks->runs, sizeof(*run));
	}
	*translated = acks->sender_h;
	return true;
}

uint32_t acks_sent(const struct acks *acks)
{
	return acks->receiver_h + (uint32_t)acks->outstanding;
}

bool acks_are_many(const struct acks *acks)
{
	return buf_len(&acks->runs) >= ACKS_RUNS_MANY * sizeof(struct run);
}

bool acks_are_full(const struct acks *acks)
{
	return buf_room(&acks->runs) < sizeof(struct run);
}
