/* The receive queue of a connection; see reass.h. */
#include <string.h>

#include "limits.h"
#include "reass.h"

void reass_init(struct reass *reass, struct memory *memory, struct seq next)
{
	*reass = (struct reass){.read = next, .next = next};
	ring_init(&reass->ring, memory, TCP_RECV_BYTES_MAX);
}

static void free_runs(struct reass *reass)
{
	memory_put(reass->ring.memory, reass->runs, RUNS_MAX * sizeof(struct run));
	reass->runs = NULL;
	reass->count = 0;
}

void reass_fini(struct reass *reass)
{
	free_runs(reass);
	ring_fini(&reass->ring);
}

/* One pass over a segment's bytes: writes what is new, compares what is not. */
struct filling {
	struct reass *reass;
	struct seq pos;
	const uint8_t *bytes;          /* of pos */
	struct reass_outcome *outcome;
};

static void step(struct filling *filling, uint32_t n)
{
	filling->pos = seq_add(filling->pos, n);
	filling->bytes += n;
}

static void write_until(struct filling *filling, struct seq end)
{
	if (!seq_lt(filling->pos, end))
		return;
	struct reass *reass = filling->reass;
	uint32_t n = seq_diff(end, filling->pos);
	ring_write(&reass->ring, seq_diff(filling->pos, reass->read), filling->bytes, n);
	step(filling, n);
}

static void note_again(struct reass_outcome *outcome, struct seq start, struct seq end)
{
	if (seq_eq(outcome->again.start, outcome->again.end))
		outcome->again = (struct tcp_sack_block){start, end};
}

static void compare_until(struct filling *filling, struct seq end)
{
	if (!seq_lt(filling->pos, end))
		return;
	const struct reass *reass = filling->reass;
	uint32_t n = seq_diff(end, filling->pos);
	note_again(filling->outcome, filling->pos, end);
	if (!ring_equals(&reass->ring, seq_diff(filling->pos, reass->read), filling->bytes, n))
		filling->outcome->differing = 1;
	step(filling, n);
}

/* What was read already cannot be compared any more, but it is known to have come again. */
static void skip_read(struct filling *filling, struct seq end)
{
	struct seq until = seq_min(filling->reass->read, end);
	if (!seq_lt(filling->pos, until))
		return;
	note_again(filling->outcome, filling->pos, seq_min(filling->reass->next, end));
	step(filling, seq_diff(until, filling->pos));
}

static void fill(struct filling *filling, struct seq end)
{
	const struct reass *reass = filling->reass;
	for (unsigned i = 0; i < reass->count; i++) {
		const struct run *run = &reass->runs[i];
		write_until(filling, seq_min(run->start, end));
		if (seq_le(run->start, filling->pos))
			compare_until(filling, seq_min(run->end, end));
	}
	write_until(filling, end);
}

/* The runs that [start, end) overlaps or touches: from index *from up to the index returned. */
static unsigned touching(const struct reass *reass, struct seq start, struct seq end, unsigned *from)
{
	unsigned i = 0;
	while (i < reass->count && seq_lt(reass->runs[i].end, start))
		i++;
	*from = i;
	while (i < reass->count && seq_le(reass->runs[i].start, end))
		i++;
	return i;
}

static bool has_place(struct reass *reass, struct seq start, struct seq end)
{
	unsigned from;
	if (ring_reserve(&reass->ring, seq_diff(end, reass->read)))
		return false;
	if (seq_eq(start, reass->next) || touching(reass, start, end, &from) > from)
		return true;
	if (!reass->runs)
		reass->runs = memory_get(reass->ring.memory, RUNS_MAX * sizeof(struct run));
	return reass->runs && reass->count < RUNS_MAX;
}

/* Puts one run in the place of those that it touches. */
static void merge(struct reass *reass, struct seq start, struct seq end)
{
	unsigned from, until = touching(reass, start, end, &from);
	if (until > from) {
		start = seq_min(start, reass->runs[from].start);
		end = seq_max(end, reass->runs[until - 1].end);
	}
	bool early = seq_lt(reass->next, start);
	if (!early)
		reass->next = end;
	if (!reass->runs)
		return;
	memmove(reass->runs + from + early, reass->runs + until, (reass->count - until) * sizeof(struct run));
	reass->count = reass->count - (until - from) + early;
	if (early)
		reass->runs[from] = (struct run){start, end, ++reass->clock};
	if (!reass->count)
		free_runs(reass);
}

struct reass_outcome reass_add(struct reass *reass, struct seq seq, const uint8_t *bytes, uint32_t n)
{
	struct reass_outcome outcome = {0};
	struct filling filling = {reass, seq, bytes, &outcome};
	struct seq end = seq_add(seq, n), before = reass->next;
	skip_read(&filling, end);
	compare_until(&filling, seq_min(before, end));
	if (!seq_lt(filling.pos, end))
		return outcome;
	struct seq start = filling.pos;
	if (!has_place(reass, start, end)) {
		outcome.dropped = true;
		return outcome;
	}
	fill(&filling, end);
	merge(reass, start, end);
	outcome.advanced = seq_diff(reass->next, before);
	outcome.held = outcome.advanced == 0;
	return outcome;
}

/* Selects by repeated search for the next younger: there are few blocks and few runs. */
unsigned reass_sack_blocks(const struct reass *reass, struct tcp_sack_block *blocks, unsigned max)
{
	uint32_t below = reass->clock + 1;
	unsigned n = 0;
	for (; n < max && n < reass->count; n++) {
		const struct run *latest = NULL;
		for (unsigned i = 0; i < reass->count; i++) {
			const struct run *run = &reass->runs[i];
			if (run->touched < below && (!latest || run->touched > latest->touched))
				latest = run;
		}
		if (!latest)
			break;
		blocks[n] = (struct tcp_sack_block){latest->start, latest->end};
		below = latest->touched;
	}
	return n;
}

uint32_t reass_peek(const struct reass *reass, const uint8_t **bytes)
{
	return ring_span(&reass->ring, 0, seq_diff(reass->next, reass->read), bytes);
}

uint8_t reass_last(const struct reass *reass)
{
	const uint8_t *last;
	ring_span(&reass->ring, seq_diff(reass->next, reass->read) - 1, 1, &last);
	return *last;
}

void reass_consume(struct reass *reass, uint32_t n)
{
	ring_drop(&reass->ring, n);
	reass->read = seq_add(reass->read, n);
}
