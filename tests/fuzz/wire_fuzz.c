/*
 * The whole worker between two wires, with a connection that is guarded: hostile frames, fragments cut anyhow from segments
 * of that connection and of others, and complaints about what the guard sent. Whatever comes: on a guarded port nothing
 * leaves but what the upper end said, no fragment of one leaves at all, and in the end every buffer is back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_mempool.h>
#include <rte_ring.h>

#include "tests/unit/worker_harness.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PASSED = 'D', EVIL = 'E', BLOCK = 200, STEPS_MAX = 200 };

struct game {
	struct bench *b;
	const uint8_t *at;
	size_t left;
	uint64_t id;
	struct made sent;              /* the last segment of the guard to the client */
	uint32_t sent_bytes;
};

static struct bench *bench;

static void require(int truth)
{
	if (!truth)
		abort();
}

static unsigned byte(struct game *game)
{
	if (!game->left)
		return 0;
	game->left--;
	return *game->at++;
}

/* One byte anywhere is changed, or none. */
static void damage(struct game *game, struct made *made)
{
	unsigned place = byte(game), by = byte(game);
	if (place < made->len)
		made->bytes[place] ^= (uint8_t)by;
}

/* --- what may leave --- */

static bool is_guarded(const struct frame *frame)
{
	return frame->src_port == 5269 || frame->dst_port == 5269 || frame->src_port == 5270 || frame->dst_port == 5270;
}

static void check_segment(struct game *game, const struct frame *frame)
{
	struct tcp_seg seg;
	if (!is_guarded(frame) || tcp_seg_parse(&seg, frame->bytes + frame->tcp, frame->tcp_len))
		return;
	require(frame_has_good_checksums(frame));
	for (uint32_t i = 0; i < seg.len; i++)
		require(seg.data[i] == PASSED);
	if (seg.len && frame->dst_port == 40000) {
		memcpy(game->sent.bytes, frame->bytes, frame->len);
		game->sent.len = frame->len;
		game->sent.ip = frame->ip;
		game->sent.tcp = frame->tcp;
	}
}

static void check_leaving(struct game *game)
{
	struct made made;
	for (unsigned wire = 0; wire < WIRES; wire++) {
		while (take(game->b, wire, &made)) {
			struct frame frame;
			frame_parse(&frame, made.bytes, made.len);
			require(frame.kind != FRAME_UNREADABLE);
			if (frame.kind == FRAME_TCP)
				check_segment(game, &frame);
			if (frame.kind == FRAME_FRAGMENT && frame.fragment.part == PART_FIRST)
				require(!is_guarded(&frame));
			if (frame.kind == FRAME_TCP_PART)
				require(!is_guarded(&frame));
		}
	}
	require(game->b->worker->fragments->held <= FRAGMENTS_HELD);
}

static void put(struct game *game, enum wire wire, const struct made *made)
{
	inject(game->b, wire, made);
	check_leaving(game);
}

/* --- moves --- */

static void send_anything(struct game *game)
{
	struct made made = {0};
	enum wire wire = byte(game) & 1;
	size_t n = byte(game);
	if (n > game->left)
		n = game->left;
	make_bytes(&made, game->at, n);
	game->at += n;
	game->left -= n;
	put(game, wire, &made);
}

/* What fragments are cut from: a segment of the connection, of another, something behind options, a datagram. */
static struct made make_whole(struct game *game, unsigned kind)
{
	static const uint8_t evil[BLOCK] = {[0 ... BLOCK - 1] = EVIL};
	struct made_tcp tcp = from_client(1, 1, TCP_ACK);
	tcp.data = evil;
	tcp.data_len = sizeof(evil);
	if (kind == 1)
		tcp.to = 8080;
	if (kind < 2)
		return make(game->b, CLIENT, SERVER, &tcp);
	struct made made = make(game->b, CLIENT, SERVER, NULL);
	if (game->b->family == 6) {
		made.bytes[made.ip + 6] = 60;
		make_extension(&made, kind == 2 ? 6 : 17, 1 + kind % 2);
	} else {
		made.bytes[made.ip + 9] = kind == 2 ? 6 : 17;
	}
	make_tcp(&made, &tcp);
	make_done(&made);
	return made;
}

static void send_fragment(struct game *game)
{
	unsigned flags = byte(game), id = byte(game) & 3, from = byte(game) * 8, n = byte(game);
	struct made whole = make_whole(game, flags & 3), piece = {.ip = whole.ip};
	bool more = flags & 4;
	size_t header = game->b->family == 4 ? 20 : 40, start = whole.ip + header, all = whole.len - start;
	if (from > all)
		from = all & ~7u;
	if (from + n > all)
		n = (unsigned)all - from;
	make_bytes(&piece, whole.bytes, start);
	if (game->b->family == 4) {
		piece.bytes[piece.ip + 5] = (uint8_t)id;
		piece.bytes[piece.ip + 6] = (uint8_t)(more << 5 | from >> 11);
		piece.bytes[piece.ip + 7] = (uint8_t)(from >> 3);
	} else {
		uint8_t next = piece.bytes[piece.ip + 6];
		piece.bytes[piece.ip + 6] = flags & 8 ? 0 : 44;
		if (flags & 8)
			make_extension(&piece, 44, 1 + (flags >> 4 & 3));
		make_fragment_header(&piece, next, from >> 3, more);
		piece.bytes[piece.len - 1] = (uint8_t)id;
	}
	make_bytes(&piece, whole.bytes + start + from, n);
	make_done(&piece);
	damage(game, &piece);
	if (flags & 0x80)
		make_done(&piece);
	put(game, flags >> 6 & 1, &piece);
}

static void say_down(struct game *game)
{
	uint8_t passed[256];
	unsigned n = 1 + byte(game);
	memset(passed, PASSED, sizeof(passed));
	if (!game->b->worker->channel || game->sent_bytes + n > CHANNEL_WINDOW / 2)
		return;
	game->sent_bytes += n;
	player_say(&game->b->player, MSG_BYTES, SIDE_CLIENT, game->id, passed, n);
	bench_run(game->b);
	check_leaving(game);
}

static uint16_t message_sum(const struct made *made, size_t at)
{
	uint8_t all[MADE_MAX] = {0};
	size_t len = made->len - at, pseudo = made->bytes[made->ip] >> 4 == 4 ? 0 : 40;
	if (pseudo) {
		memcpy(all, made->bytes + made->ip + 8, 32);
		all[35] = (uint8_t)len;
		all[39] = 58;
	}
	memcpy(all + pseudo, made->bytes + at, len);
	return sum_of(all, pseudo + len);
}

static void complain(struct game *game)
{
	unsigned flags = byte(game), n = byte(game) & 0x7f;
	bool is_ipv4 = game->b->family == 4;
	uint8_t message[8] = {is_ipv4 ? 3 : 2, is_ipv4 ? 4 : 0, 0, 0, 0, 0, (uint8_t)byte(game), (uint8_t)byte(game)};
	if (!game->sent.len)
		return;
	struct made made = make(game->b, 9, SERVER, NULL), quoted = game->sent;
	damage(game, &quoted);
	made.bytes[made.ip + (is_ipv4 ? 9 : 6)] = is_ipv4 ? 1 : 58;
	size_t at = made.len;
	make_bytes(&made, message, sizeof(message));
	if (n > quoted.len - quoted.ip)
		n = (unsigned)(quoted.len - quoted.ip);
	make_bytes(&made, quoted.bytes + quoted.ip, n);
	made.tcp = 0;
	make_done(&made);
	uint16_t sum = message_sum(&made, at);
	made.bytes[at + 2] = (uint8_t)(sum >> 8);
	made.bytes[at + 3] = (uint8_t)sum;
	put(game, flags & 1, &made);
}

static void expire(struct game *game)
{
	struct datagram *datagram;
	TAILQ_FOREACH(datagram, &game->b->worker->fragments->known, order)
		datagram->expires = 0;
	bench_run(game->b);
	check_leaving(game);
	require(game->b->worker->fragments->held == 0);
}

static void move(struct game *game)
{
	static void (*const moves[])(struct game *) = {send_fragment, complain, say_down, send_anything, expire, send_fragment,
		send_fragment, complain};
	moves[byte(game) & 7](game);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	void *state;
	(void)argc;
	(void)argv;
	require(bench_start(&state) == 0);
	bench = state;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct game game = {.b = bench, .at = data, .left = size};
	void *state = bench;
	bench_before_each(&state);
	unsigned how = byte(&game);
	bench->family = how & 1 ? 6 : 4;
	bench->tags = how >> 1 & 3;
	if (bench->tags == 3)
		bench->tags = 0;
	game.id = open_connection(bench);
	for (unsigned steps = 0; game.left && steps < STEPS_MAX; steps++)
		move(&game);
	expire(&game);
	bench_detach(bench);
	empty(bench);
	forget_flows(bench);
	require(rte_mempool_in_use_count(bench->worker->buffers) == 0);
	return 0;
}
