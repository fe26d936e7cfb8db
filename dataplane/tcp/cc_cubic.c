/* CUBIC, RFC 9438: the window is a cubic function of the time since the last loss. Integers only: the same everywhere. */
#include "cc.h"

/* The largest r with r^3 <= v. */
static uint32_t cube_root(uint64_t v)
{
	uint64_t root = 0;
	for (uint64_t bit = 1 << 21; bit; bit >>= 1) {
		uint64_t r = root | bit;
		if (r * r * r <= v)
			root = r;
	}
	return (uint32_t)root;
}

/* Section 4.2: K = cbrt((W_max - cwnd_epoch) / C), with C = 0.4 segments per cubic second. */
static void begin_epoch(struct cc *cc, uint64_t now)
{
	struct cubic *cubic = &cc->cubic;
	cubic->epoch = now;
	cubic->start = cubic->estimate = cc->cwnd;
	cubic->k_ms = 0;
	cc->credit = 0;
	if (cubic->max > cc->cwnd)
		cubic->k_ms = cube_root((uint64_t)(cubic->max - cc->cwnd) * 2500000000u / cc->mss);
	else
		cubic->max = cc->cwnd;
}

/* W_cubic(t) = C * (t - K)^3 + W_max. */
static uint64_t target_at(const struct cc *cc, uint64_t t_ms)
{
	enum { FARTHEST_MS = 60000 };
	const struct cubic *cubic = &cc->cubic;
	bool before = t_ms < cubic->k_ms;
	uint64_t distance = before ? cubic->k_ms - t_ms : t_ms - cubic->k_ms;
	if (distance > FARTHEST_MS)
		distance = FARTHEST_MS;
	uint64_t bytes = distance * distance * distance / 1000000 * cc->mss / 2500;
	if (before)
		return bytes < cubic->max ? cubic->max - bytes : 0;
	return cubic->max + bytes;
}

/* Section 4.3: what Reno with the same decrease would have: alpha = 3 * (1 - 0.7) / (1 + 0.7), one above W_max. */
static void follow_reno(struct cc *cc, uint32_t acked)
{
	struct cubic *cubic = &cc->cubic;
	uint64_t alpha_1000 = cubic->estimate < cubic->max ? 529 : 1000;
	cubic->estimate += (uint32_t)(alpha_1000 * acked * cc->mss / cc->cwnd / 1000);
}

/* Sections 4.4 and 4.5: towards the target a round trip ahead, by at most half a window in a round trip. */
static void on_ack(struct cc *cc, uint64_t now, uint32_t acked, uint32_t srtt_us)
{
	struct cubic *cubic = &cc->cubic;
	if (!cubic->epoch)
		begin_epoch(cc, now);
	follow_reno(cc, acked);
	uint64_t target = target_at(cc, (now - cubic->epoch + srtt_us) / 1000);
	if (target > cc->cwnd + cc->cwnd / 2)
		target = cc->cwnd + cc->cwnd / 2;
	if (target < cubic->estimate)
		target = cubic->estimate;
	if (target <= cc->cwnd)
		return;
	uint64_t growth = (target - cc->cwnd) * acked + cc->credit;
	cc->credit = (uint32_t)(growth % cc->cwnd);
	cc->cwnd += (uint32_t)(growth / cc->cwnd);
}

/* Section 4.6, and fast convergence of 4.7. */
static uint32_t on_loss(struct cc *cc, uint32_t flight)
{
	struct cubic *cubic = &cc->cubic;
	cubic->max = cc->cwnd < cubic->max ? (uint32_t)(cc->cwnd * 17ull / 20) : cc->cwnd;
	cubic->epoch = 0;
	return (uint32_t)(flight * 7ull / 10);
}

const struct cc_ops cc_cubic = {.name = "cubic", .on_ack = on_ack, .on_loss = on_loss};
