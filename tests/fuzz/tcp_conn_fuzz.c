/*
 * A connection in the hands of a hostile endpoint. The input is a list of steps: segments near what is expected, and what
 * the user of the engine does. Whatever happens: memory stays bounded; bytes that could be read once stay the same; what is
 * sent is what was written, not beyond the window; output comes to an end, and its next deadline lies ahead.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/tcp/tcp.h"

enum { MEMORY_MAX = TCP_SEND_BYTES + TCP_RECV_BYTES_MAX + (256 << 10), DRAIN_MAX = 3000, STEPS_MAX = 400 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *at, *end;
};

struct game {
	struct tcp_conn *conn;
	struct input input;
	uint64_t now;
	struct seq iss, irs, snd_high, rcv_ack, edge;
	uint32_t written;
	uint32_t mss;
	uint8_t snd_wscale;
	bool timestamps, ecn;
	uint32_t ts_theirs, ts_ours;   /* near the last of each */
	unsigned events;
	uint8_t readable[TCP_RECV_BYTES_MAX];
	size_t readable_len;
};

static uint8_t byte(struct input *input) { return input->at < input->end ? *input->at++ : 0; }
static uint32_t word(struct input *input)
{
	uint32_t high = byte(input);
	return high << 8 | byte(input);
}

#define check(holds) check_at(holds, #holds, __LINE__)
static void check_at(bool holds, const char *what, int line)
{
	if (holds)
		return;
	fprintf(stderr, "tcp_conn_fuzz.c:%d: not so: %s\n", line, what);
	abort();
}

/* The bytes of our stream from the i-th on, 64 KiB of them at the least. They repeat after so many. */
static const uint8_t *stream_from(uint32_t i)
{
	enum { PERIOD = 1 << 16 };
	static uint8_t stream[2 * PERIOD];
	if (!stream[1])
		for (uint32_t at = 0; at < sizeof(stream); at++)
			stream[at] = (uint8_t)(at * 7 + (at >> 8));
	return stream + i % PERIOD;
}

/* A number near one that means something, at times any. */
static struct seq near(struct input *input, struct seq base)
{
	uint8_t how = byte(input);
	if (how < 96)
		return base;
	if (how < 160)
		return seq_of(base.v + (how - 128u));
	if (how < 250)
		return seq_of(base.v + (word(input) - 32768u) * (how & 1 ? 1 : 16));
	return seq_of(word(input) << 16 | word(input));
}

static void note_edge(struct game *game, const struct tcp_seg *seg)
{
	struct seq edge = seq_add(seg->ack, (uint32_t)seg->window << game->snd_wscale);
	if (seq_le(game->iss, seg->ack) && seq_le(seg->ack, game->snd_high) && seq_lt(game->edge, edge))
		game->edge = edge;
}

/* Mostly as an honest endpoint would, at times old, from nowhere, or none at all. */
static void stamp(struct game *game, struct tcp_seg *seg)
{
	uint8_t how = byte(&game->input);
	seg->has_timestamps = how < 250;
	seg->ts_val = how < 200 ? game->ts_theirs += how % 8 : near(&game->input, seq_of(game->ts_theirs)).v;
	seg->ts_ecr = how < 220 ? game->ts_ours - how % 4 : near(&game->input, seq_of(game->ts_ours)).v;
}

static void check_stamps(struct game *game, const struct tcp_seg *seg)
{
	check(seg->has_timestamps == game->timestamps);
	check((int32_t)(seg->ts_val - game->ts_ours) >= 0);
	game->ts_ours = seg->ts_val;
}

static void feed(struct game *game)
{
	static uint8_t payload[65536];
	struct input *input = &game->input;
	struct tcp_seg seg = {.wscale = TCP_WSCALE_NONE, .data = payload};
	uint8_t flags = byte(input), how = byte(input);
	seg.flags = flags < 200 ? TCP_ACK | (flags & (TCP_PSH | TCP_URG)) : flags;
	seg.seq = near(input, game->rcv_ack);
	seg.ack = near(input, game->snd_high);
	seg.window = (uint16_t)(how & 1 ? word(input) : how & 2 ? 0xffff : how & 4 ? 0 : 2000);
	seg.len = how < 100 ? 0 : how < 220 ? how % 32 : word(input);
	memset(payload, byte(input), seg.len);
	for (seg.sack_count = how & 8 ? how >> 6 : 0; seg.sack_count && !seg.sack[seg.sack_count - 1].end.v;)
		for (unsigned i = 0; i < seg.sack_count; i++) {
			seg.sack[i].start = near(input, game->snd_high);
			seg.sack[i].end = seq_of(near(input, game->snd_high).v | 1);
		}
	if (game->timestamps)
		stamp(game, &seg);
	seg.ce = how & 16;
	note_edge(game, &seg);
	game->events |= tcp_input(game->conn, game->now, &seg);
}

static void check_payload(const struct game *game, const struct tcp_seg *seg)
{
	uint32_t at = seq_diff(seg->seq, game->iss), len = seg->len + seg->len2;
	uint8_t header[TCP_HEADER_MAX];
	check(at + len <= game->written);
	check(len + tcp_seg_write(seg, header) - 20 <= game->mss);
	check(!seg->len || memcmp(seg->data, stream_from(at), seg->len) == 0);
	check(!seg->len2 || memcmp(seg->data2, stream_from(at + seg->len), seg->len2) == 0);
}

static void check_sent(struct game *game, const struct tcp_seg *seg)
{
	uint32_t len = seg->len + seg->len2;
	struct seq end = seq_add(seg->seq, len + !!(seg->flags & TCP_FIN));
	check(seg->sack_count <= (game->timestamps ? 3 : 4));
	check(game->ecn || !(seg->flags & TCP_ECE));
	check_stamps(game, seg);
	if (len)
		check_payload(game, seg);
	if (len > 1 && !(seg->flags & TCP_RST))
		check(seq_le(end, game->edge));
	if (!(seg->flags & TCP_RST)) {
		game->snd_high = seq_max(game->snd_high, end);
		check(seq_le(game->rcv_ack, seg->ack));
		game->rcv_ack = seg->ack;
	}
}

static void drain(struct game *game)
{
	struct tcp_seg seg;
	unsigned n = 0;
	for (; tcp_output(game->conn, game->now, &seg, &game->events); n++) {
		check(n < DRAIN_MAX);
		check_sent(game, &seg);
	}
	check(tcp_next(game->conn) > game->now);
}

static void write_some(struct game *game)
{
	uint8_t how = byte(&game->input);
	uint32_t n = how < 128 ? how : word(&game->input);
	if (!tcp_write(game->conn, stream_from(game->written), n))
		game->written += n;
}

static void consume_some(struct game *game)
{
	const uint8_t *bytes;
	uint32_t want = word(&game->input);
	size_t n = tcp_peek(game->conn, &bytes);
	n = want < n ? want : n;
	tcp_consume(game->conn, n);
	game->readable_len = game->readable_len > n ? game->readable_len - n : 0;
	memmove(game->readable, game->readable + n, game->readable_len);
}

static void pass_time(struct game *game)
{
	uint8_t how = byte(&game->input);
	uint64_t next = tcp_next(game->conn);
	if (how < 128 && next != UINT64_MAX && next > game->now)
		game->now = next;
	else
		game->now += how * 1000u;
}

static void check_all(struct game *game)
{
	struct tcp_stats stats;
	const uint8_t *bytes;
	tcp_stats(game->conn, &stats);
	check(stats.memory_bytes <= MEMORY_MAX);
	check(tcp_unacked(game->conn) <= game->written);
	size_t n = tcp_peek(game->conn, &bytes), same = n < game->readable_len ? n : game->readable_len;
	check(same == 0 || memcmp(bytes, game->readable, same) == 0);
	if (n > game->readable_len) {
		memcpy(game->readable + same, bytes + same, n - same);
		game->readable_len = n;
	}
	check(strlen(tcp_state_name(game->conn)) > 0);
}

static void step(struct game *game)
{
	uint8_t what = byte(&game->input);
	if (what < 150)
		feed(game);
	else if (what < 180)
		write_some(game);
	else if (what < 210)
		consume_some(game);
	else if (what < 240)
		pass_time(game);
	else if (what < 245)
		tcp_shutdown(game->conn);
	else if (what < 247)
		tcp_reset(game->conn, game->now, what == 245 ? 0 : 500000);
	else if (what < 251)
		check(!tcp_keepalive(game->conn) || strcmp(tcp_state_name(game->conn), "closed"));
	else if (what < 253)
		tcp_answer(game->conn);
	else
		tcp_path_mss(game->conn, near(&game->input, game->snd_high), (uint16_t)word(&game->input));
	if (what & 1)
		drain(game);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct game game;
	memset(&game, 0, offsetof(struct game, readable));
	game.readable_len = 0;
	game.input = (struct input){data, data + size};
	uint8_t how = byte(&game.input), scales = byte(&game.input);
	struct tcp_budget budget = {.max_bytes = how & 4 ? 100000 : SIZE_MAX};
	struct tcp_adoption adoption = {.snd_nxt = seq_of(how & 8 ? 0xffffff00 : 5),
		.rcv_nxt = seq_of(how & 16 ? 0xffffff80 : 9), .snd_wnd = how & 32 ? 65535 : 1000,
		.mss = how & 64 ? 1460 : 100, .sack = how & 1, .rtt_us = how & 128 ? 20000 : 0,
		.timestamps = (scales & 15) == 9, .ts_recent = 0x7fffff00, .ts_val = 0xffffff00, .ecn = scales >> 4 == 9,
		.cc = how & 2 ? TCP_CC_CUBIC : TCP_CC_NEWRENO, .snd_wscale = scales & 15, .rcv_wscale = scales >> 4,
		.budget = &budget};
	game.now = 1000000;
	game.mss = adoption.mss;
	game.timestamps = adoption.timestamps;
	game.ecn = adoption.ecn;
	game.ts_theirs = adoption.ts_recent;
	game.ts_ours = adoption.ts_val;
	game.iss = game.snd_high = adoption.snd_nxt;
	game.irs = game.rcv_ack = adoption.rcv_nxt;
	game.edge = seq_add(game.iss, adoption.snd_wnd);
	game.snd_wscale = adoption.snd_wscale > 14 ? 14 : adoption.snd_wscale;
	game.conn = tcp_new(&adoption, game.now);
	check(game.conn != NULL);
	for (unsigned i = 0; i < STEPS_MAX && game.input.at < game.input.end; i++) {
		step(&game);
		check_all(&game);
	}
	drain(&game);
	tcp_free(game.conn);
	check(budget.used_bytes == 0);
	return 0;
}
