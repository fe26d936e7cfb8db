/* Segments without a connection; see stray.h. */
#include "adopt.h"
#include "emit.h"
#include "stray.h"

/* What the sequence number after this segment is. */
static struct seq seq_after(const struct tcp_seg *seg)
{
	return seq_add(seg->seq, seg->len + !!(seg->flags & TCP_SYN) + !!(seg->flags & TCP_FIN));
}

/* RFC 9293 3.5.2: how an endpoint without a connection answers. */
static void reset_sender(struct worker *worker, const struct arrival *arrival)
{
	const struct tcp_seg *seg = &arrival->seg;
	struct tcp_seg reset = {.flags = TCP_RST, .seq = seg->ack, .wscale = TCP_WSCALE_NONE};
	if (!(seg->flags & TCP_ACK)) {
		reset.flags = TCP_RST | TCP_ACK;
		reset.seq = seq_of(0);
		reset.ack = seq_after(seg);
	}
	struct path back;
	path_back(&back, &arrival->frame);
	emit_segment(worker, arrival->wire, &back, &reset);
}

/* Where the segment would have been the next one: if it is not, the receiver's challenge ACK (RFC 5961 3.2) comes to us and
 * is answered with the number that it asks for. */
static void reset_receiver(struct worker *worker, const struct arrival *arrival)
{
	const struct tcp_seg *seg = &arrival->seg;
	struct tcp_seg reset = {.flags = TCP_RST | (seg->flags & TCP_ACK), .seq = seg->seq, .ack = seg->ack,
		.wscale = TCP_WSCALE_NONE};
	struct path onward;
	path_of_frame(&onward, &arrival->frame);
	emit_segment(worker, wire_other(arrival->wire), &onward, &reset);
}

static bool may_reset(struct worker *worker)
{
	uint64_t second = worker->now / 1000000;
	if (second != worker->stray_second) {
		worker->stray_second = second;
		worker->stray_resets = 0;
	}
	return worker->stray_resets++ < WORKER_STRAY_RESETS;
}

void stray_segment(struct worker *worker, struct arrival *arrival)
{
	if (arrival->seg.flags & TCP_RST) {
		adopt_pass_bare(worker, arrival);
		return;
	}
	if (may_reset(worker)) {
		reset_sender(worker, arrival);
		reset_receiver(worker, arrival);
		count(worker, COUNT_STRAY_RESETS);
	} else {
		count(worker, COUNT_STRAY_RESETS_HELD);
	}
	emit_nothing(worker, arrival, COUNT_DROP_STRAY);
}

void stray_refuse(struct worker *worker, struct arrival *arrival, enum dataplane_counter why)
{
	reset_sender(worker, arrival);
	emit_nothing(worker, arrival, why);
}
