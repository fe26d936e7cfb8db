/* Timestamps; see timestamps.h. Sections are those of RFC 7323. */
#include "limits.h"
#include "timestamps.h"

enum { OPTION_BYTES = 12, TICK_US = 1000 };

/* Section 5.5: on a connection idle for longer than this, the endpoint's clock may have gone half around. */
static const uint64_t RECENT_US = 24ull * 24 * 3600 * SECOND_US;

void timestamps_init(struct timestamps *timestamps, const struct tcp_adoption *adoption, uint64_t now)
{
	*timestamps = (struct timestamps){.agreed = adoption->timestamps, .first = adoption->ts_val, .start = now,
		.recent = adoption->ts_recent, .recent_at = now, .last_ack = adoption->rcv_nxt};
}

unsigned timestamps_size(const struct timestamps *timestamps)
{
	return timestamps->agreed ? OPTION_BYTES : 0;
}

static uint32_t clock_at(const struct timestamps *timestamps, uint64_t now)
{
	return timestamps->first + (uint32_t)((now - timestamps->start) / TICK_US);
}

/* Section 3.2: in every segment, RST included. */
void timestamps_fill(struct timestamps *timestamps, uint64_t now, struct tcp_seg *seg)
{
	timestamps->last_ack = seg->ack;
	seg->has_timestamps = timestamps->agreed;
	if (!timestamps->agreed)
		return;
	seg->ts_val = clock_at(timestamps, now);
	seg->ts_ecr = timestamps->recent;
}

static bool is_before(uint32_t a, uint32_t b) { return (int32_t)(a - b) < 0; }

/* Section 5.3, R1. A reset is never judged by its timestamp. */
bool timestamps_is_outdated(const struct timestamps *timestamps, uint64_t now, const struct tcp_seg *seg)
{
	return timestamps->agreed && seg->has_timestamps && !(seg->flags & TCP_RST) &&
		is_before(seg->ts_val, timestamps->recent) && now - timestamps->recent_at <= RECENT_US;
}

/* Section 5.3, R3: only what stands at the left edge is echoed, so that delayed ACKs count into the round trip. */
void timestamps_take(struct timestamps *timestamps, uint64_t now, const struct tcp_seg *seg)
{
	if (!timestamps->agreed || !seg->has_timestamps || !seq_le(seg->seq, timestamps->last_ack))
		return;
	timestamps->recent = seg->ts_val;
	timestamps->recent_at = now;
}

bool timestamps_answer(const struct timestamps *timestamps, uint64_t now, uint64_t sent, const struct tcp_seg *seg)
{
	return timestamps->agreed && !is_before(seg->ts_ecr, clock_at(timestamps, sent)) &&
		!is_before(clock_at(timestamps, now), seg->ts_ecr);
}
