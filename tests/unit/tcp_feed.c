/* One connection on a virtual clock; see tcp_feed.h. */
#include <stdio.h>
#include <string.h>

#include "tcp_feed.h"

enum { ISS = 0xfffffff0u, IRS = 0xfffffffau };

void feed_init_as(struct feed *f, struct tcp_adoption adoption)
{
	*f = (struct feed){.now = 10 * SECOND, .iss = ISS, .irs = IRS, .window = WND};
	adoption.snd_nxt = seq_of(ISS);
	adoption.rcv_nxt = seq_of(IRS);
	f->conn = tcp_new(&adoption, f->now);
	assert_non_null(f->conn);
}

void feed_init(struct feed *f)
{
	feed_init_as(f, (struct tcp_adoption){.snd_wnd = WND, .mss = MSS, .cc = TCP_CC_NEWRENO, .rtt_us = 100 * MS});
}

void feed_fini(struct feed *f)
{
	tcp_free(f->conn);
}

void feed_bytes(struct feed *f, unsigned flags, uint32_t seq, uint32_t ack, const void *bytes, uint32_t n)
{
	struct tcp_seg seg = {.seq = seq_of(f->irs + seq), .ack = seq_of(f->iss + ack), .flags = (uint8_t)flags,
		.window = f->window, .wscale = TCP_WSCALE_NONE, .sack_count = f->sack_count, .data = bytes, .len = n,
		.has_timestamps = f->stamped, .ts_val = f->ts_val, .ts_ecr = f->ts_ecr, .ce = f->ce};
	memcpy(seg.sack, f->sack, sizeof(seg.sack));
	f->sack_count = 0;
	f->ce = false;
	f->events |= tcp_input(f->conn, f->now, &seg);
}

void feed(struct feed *f, unsigned flags, uint32_t seq, uint32_t ack, const char *text)
{
	feed_bytes(f, flags, seq, ack, text, (uint32_t)strlen(text));
}

void feed_sack(struct feed *f, uint32_t start, uint32_t end)
{
	f->sack[f->sack_count++] = (struct tcp_sack_block){seq_of(f->iss + start), seq_of(f->iss + end)};
}

static void show(const struct feed *f, const char *what, const struct tcp_seg *seg)
{
	print_error("%s: flags %02x seq %u ack %u len %u window %u\n", what, seg->flags, seg->seq.v - f->iss,
		seg->ack.v - f->irs, seg->len + seg->len2, seg->window);
}

static void next(struct feed *f, unsigned flags, uint32_t seq, uint32_t ack, uint32_t n, const char *file, int line)
{
	struct tcp_seg want = {.flags = (uint8_t)flags, .seq = seq_of(f->iss + seq), .ack = seq_of(f->irs + ack), .len = n};
	bool any = tcp_output(f->conn, f->now, &f->last, &f->events);
	if (!any)
		show(f, "nothing was sent instead of", &want);
	_assert_true(any, "a segment", file, line);
	bool same = f->last.flags == want.flags && seq_eq(f->last.seq, want.seq) && seq_eq(f->last.ack, want.ack) &&
		f->last.len + f->last.len2 == n;
	if (!same) {
		show(f, "expected", &want);
		show(f, "was sent", &f->last);
	}
	_assert_true(same, "the segment expected", file, line);
}

void expect_at(struct feed *f, unsigned flags, uint32_t seq, uint32_t ack, const char *text, const char *file, int line)
{
	char bytes[2048];
	next(f, flags, seq, ack, (uint32_t)strlen(text), file, line);
	if (f->last.len)
		memcpy(bytes, f->last.data, f->last.len);
	if (f->last.len2)
		memcpy(bytes + f->last.len, f->last.data2, f->last.len2);
	_assert_memory_equal(bytes, text, strlen(text), file, line);
}

void expect_size_at(struct feed *f, unsigned flags, uint32_t seq, uint32_t ack, uint32_t n, const char *file, int line)
{
	next(f, flags, seq, ack, n, file, line);
	for (uint32_t i = 0; i < f->last.len; i++)
		_assert_int_equal(f->last.data[i], 'a' + (seq + i) % 26, file, line);
	for (uint32_t i = 0; i < f->last.len2; i++)
		_assert_int_equal(f->last.data2[i], 'a' + (seq + f->last.len + i) % 26, file, line);
}

void expect_none_at(struct feed *f, const char *file, int line)
{
	struct tcp_seg seg;
	bool any = tcp_output(f->conn, f->now, &seg, &f->events);
	if (any)
		show(f, "was sent, and nothing expected", &seg);
	_assert_true(!any, "nothing to send", file, line);
}

unsigned take_events(struct feed *f)
{
	unsigned events = f->events;
	f->events = 0;
	return events;
}

void wait_us(struct feed *f, uint64_t us)
{
	assert_true(tcp_next(f->conn) > f->now + us);
	f->now += us;
	expect_none(f);
}

uint64_t wait_next(struct feed *f)
{
	uint64_t at = tcp_next(f->conn), before = f->now;
	assert_true(at != UINT64_MAX);
	if (at > f->now)
		f->now = at;
	return f->now - before;
}

void write_bytes(struct feed *f, uint32_t n)
{
	static uint8_t bytes[TCP_SEND_BYTES];
	for (uint32_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)('a' + (f->written + i) % 26);
	f->written += n;
	assert_int_equal(tcp_write(f->conn, bytes, n), 0);
}

void expect_read(struct feed *f, const char *text)
{
	while (*text) {
		const uint8_t *bytes;
		size_t n = tcp_peek(f->conn, &bytes);
		assert_int_not_equal(n, 0);
		assert_true(n <= strlen(text));
		assert_memory_equal(bytes, text, n);
		tcp_consume(f->conn, n);
		text += n;
	}
	const uint8_t *bytes;
	assert_int_equal(tcp_peek(f->conn, &bytes), 0);
}

void read_all(struct feed *f)
{
	const uint8_t *bytes;
	for (size_t n; (n = tcp_peek(f->conn, &bytes));)
		tcp_consume(f->conn, n);
}

struct tcp_stats stats_of(const struct feed *f)
{
	struct tcp_stats stats;
	tcp_stats(f->conn, &stats);
	return stats;
}
