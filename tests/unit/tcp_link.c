/* Two connections over a bad link; see tcp_link.h. */
#include <stdlib.h>
#include <string.h>

#include "tcp_link.h"

enum {
	PACKETS_MAX = 4096, PACKET_MAX = 2048, SEGMENT_MAX = PACKET_MAX,
	MEMORY_MAX = TCP_SEND_BYTES + TCP_RECV_BYTES_MAX + (256 << 10),
	START_US = 1000000, OVERTAKER_US = 100,
};

struct packet {
	uint64_t at;
	uint16_t len;
	uint8_t bytes[PACKET_MAX];
};

/* Packets that are under way, in no order: the earliest is searched for. */
struct link_way {
	struct packet packet[PACKETS_MAX];
	unsigned count;
	uint64_t free_at;              /* when the bottleneck has sent what it has */
};

/* xorshift64* */
static uint32_t chance(struct link *link)
{
	link->random ^= link->random >> 12;
	link->random ^= link->random << 25;
	link->random ^= link->random >> 27;
	return (uint32_t)(link->random * 2685821657736338717ull >> 32);
}

static bool happens(struct link *link, unsigned of_1000) { return chance(link) % 1000 < of_1000; }

uint8_t link_byte(unsigned end, uint32_t i)
{
	uint32_t x = (i + end * 77777u) * 2654435761u;
	return (uint8_t)(x >> 24 ^ x >> 11);
}

static void fail(struct link *link, const char *fault)
{
	if (!link->fault)
		link->fault = fault;
}

void link_init(struct link *link, const struct tcp_adoption *common, const struct link_quality *quality,
	const struct link_task *task, uint64_t seed)
{
	*link = (struct link){.quality = *quality, .task = *task, .now = START_US, .random = seed * 2 + 1};
	uint32_t isn[LINK_ENDS] = {0xffff0000u + chance(link) % 0x10000, chance(link)}; /* one of them wraps soon */
	for (unsigned e = 0; e < LINK_ENDS; e++) {
		struct tcp_adoption adoption = *common;
		adoption.snd_nxt = seq_of(isn[e]);
		adoption.rcv_nxt = seq_of(isn[!e]);
		adoption.snd_wnd = 0xffff;
		adoption.ts_recent = isn[!e] * 3;
		adoption.ts_val = isn[e] * 3;
		struct link_end *end = &link->end[e];
		*end = (struct link_end){.conn = tcp_new(&adoption, link->now), .base = isn[e], .edge = isn[e] + 0xffff};
		struct tcp_stats stats;
		tcp_stats(end->conn, &stats);
		end->memory_idle = stats.memory_bytes;
		link->way[e] = calloc(1, sizeof(*link->way[e]));
	}
}

void link_fini(struct link *link)
{
	for (unsigned e = 0; e < LINK_ENDS; e++) {
		tcp_free(link->end[e].conn);
		free(link->way[e]);
	}
}

/* --- the wire --- */

static void put(struct link *link, struct link_way *way, const struct packet *packet, uint64_t at)
{
	if (way->count == PACKETS_MAX) {
		fail(link, "too many segments under way");
		return;
	}
	way->packet[way->count] = *packet;
	way->packet[way->count++].at = at;
}

/* When the bottleneck has sent it; 0: no room in its buffer. */
static uint64_t pass_bottleneck(const struct link *link, struct link_way *way, unsigned len)
{
	const struct link_quality *quality = &link->quality;
	if (!quality->bytes_per_ms)
		return link->now;
	uint64_t start = way->free_at > link->now ? way->free_at : link->now;
	if ((start - link->now) * quality->bytes_per_ms / 1000 + len > quality->buffer_bytes)
		return 0;
	way->free_at = start + (len + 40) * 1000ull / quality->bytes_per_ms;
	return way->free_at;
}

static void carry(struct link *link, unsigned to, const struct packet *packet)
{
	const struct link_quality *quality = &link->quality;
	struct link_way *way = link->way[to];
	if (quality->dead_after_us && link->now >= START_US + quality->dead_after_us)
		return;
	uint64_t at = pass_bottleneck(link, way, packet->len);
	if (!at || happens(link, quality->loss))
		return;
	bool overtakes = quality->overtake && happens(link, quality->overtake);
	at += overtakes ? OVERTAKER_US : quality->delay_us;
	if (happens(link, quality->reorder))
		at += quality->delay_us / 4 + chance(link) % (quality->delay_us + 1);
	put(link, way, packet, at);
	if (happens(link, quality->duplicate))
		put(link, way, packet, at + chance(link) % (quality->delay_us + 1));
}

/* --- an end --- */

static void check_sent(struct link *link, struct link_end *end, const struct tcp_seg *seg)
{
	struct tcp_stats stats;
	tcp_stats(end->conn, &stats);
	if (stats.memory_bytes > end->memory_idle + end->memory_peak)
		end->memory_peak = stats.memory_bytes - end->memory_idle;
	if (stats.memory_bytes > MEMORY_MAX)
		fail(link, "memory");
	uint32_t len = seg->len + seg->len2;
	struct seq last = seq_add(seg->seq, len + !!(seg->flags & TCP_FIN));
	if (!seq_le(last, seq_of(end->edge)) && len > 1)
		fail(link, "sent beyond the window");
	end->sent_bytes += len;
}

static void send_all(struct link *link, unsigned e)
{
	struct link_end *end = &link->end[e];
	struct tcp_seg seg;
	for (unsigned n = 0; tcp_output(end->conn, link->now, &seg, &end->events); n++) {
		struct packet packet;
		size_t header = tcp_seg_write(&seg, packet.bytes);
		memset(packet.bytes, 0, 4);
		if (header + seg.len + seg.len2 > PACKET_MAX || n > 4096) {
			fail(link, "output without end");
			return;
		}
		if (seg.len)
			memcpy(packet.bytes + header, seg.data, seg.len);
		if (seg.len2)
			memcpy(packet.bytes + header + seg.len, seg.data2, seg.len2);
		packet.len = (uint16_t)(header + seg.len + seg.len2);
		if (packet.len > 20 + LINK_MSS)
			fail(link, "more than the endpoint takes");
		check_sent(link, end, &seg);
		carry(link, !e, &packet);
	}
}

static void receive(struct link *link, unsigned e, const struct packet *packet)
{
	struct link_end *end = &link->end[e];
	struct tcp_seg seg;
	if (tcp_seg_parse(&seg, packet->bytes, packet->len)) {
		fail(link, "an ill-formed segment");
		return;
	}
	struct seq edge = seq_add(seg.ack, (uint32_t)seg.window << 7);
	if (!(seg.flags & TCP_RST))
		end->edge = seq_max(edge, seq_of(end->edge)).v;
	end->events |= tcp_input(end->conn, link->now, &seg);
}

static void write_some(struct link *link, unsigned e)
{
	struct link_end *end = &link->end[e];
	uint8_t bytes[4096];
	for (uint32_t left; (left = link->task.bytes[e] - end->written);) {
		uint32_t n = link->task.write_bytes < left ? link->task.write_bytes : left;
		if (tcp_write_room(end->conn) < n)
			return;
		for (uint32_t i = 0; i < n; i++)
			bytes[i] = link_byte(e, end->written + i);
		if (tcp_write(end->conn, bytes, n))
			return;
		end->written += n;
	}
	if (link->task.close)
		tcp_shutdown(end->conn);
}

static void read_some(struct link *link, unsigned e)
{
	struct link_end *end = &link->end[e];
	uint64_t allowed = UINT64_MAX;
	if (e == LINK_RIGHT && link->task.read_bytes_per_ms)
		allowed = (link->now - START_US) / 1000 * link->task.read_bytes_per_ms;
	const uint8_t *bytes;
	for (size_t n; end->read < allowed && (n = tcp_peek(end->conn, &bytes));) {
		if (n > allowed - end->read)
			n = (size_t)(allowed - end->read);
		for (size_t i = 0; i < n; i++)
			if (bytes[i] != link_byte(!e, end->read + (uint32_t)i))
				fail(link, "a wrong byte");
		end->read += (uint32_t)n;
		tcp_consume(end->conn, n);
	}
	if (end->read > link->task.bytes[!e])
		fail(link, "more bytes than were sent");
}

/* --- time --- */

static bool is_done(const struct link *link)
{
	bool done = true;
	for (unsigned e = 0; e < LINK_ENDS; e++) {
		const struct link_end *end = &link->end[e];
		done &= end->read == link->task.bytes[!e] && tcp_unacked(end->conn) == 0 &&
			end->written == link->task.bytes[e];
		done &= !link->task.close || ((end->events & TCP_EV_FINISHED) && (end->events & TCP_EV_FIN));
	}
	return done;
}

static uint64_t next_time(const struct link *link)
{
	uint64_t next = UINT64_MAX;
	for (unsigned e = 0; e < LINK_ENDS; e++) {
		uint64_t at = tcp_next(link->end[e].conn);
		next = at < next ? at : next;
		for (unsigned i = 0; i < link->way[e]->count; i++)
			next = link->way[e]->packet[i].at < next ? link->way[e]->packet[i].at : next;
	}
	if (link->task.read_bytes_per_ms && next > link->now + 1000)
		next = link->now + 1000;
	return next > link->now ? next : link->now;
}

/* In the order of their time; of the same time, in the order in which they were sent. */
static void receive_due(struct link *link, unsigned e)
{
	struct link_way *way = link->way[e];
	for (;;) {
		unsigned first = PACKETS_MAX;
		for (unsigned i = 0; i < way->count; i++)
			if (way->packet[i].at <= link->now &&
				(first == PACKETS_MAX || way->packet[i].at < way->packet[first].at))
				first = i;
		if (first == PACKETS_MAX)
			return;
		static struct packet packet;
		packet = way->packet[first];
		memmove(&way->packet[first], &way->packet[first + 1], (--way->count - first) * sizeof(packet));
		receive(link, e, &packet);
		read_some(link, e);
		send_all(link, e);
	}
}

bool link_run(struct link *link, uint64_t until_us)
{
	uint64_t until = START_US + until_us;
	for (unsigned idle = 0; !link->fault && idle < 1000;) {
		uint64_t before = link->now;
		for (unsigned e = 0; e < LINK_ENDS; e++) {
			receive_due(link, e);
			write_some(link, e);
			read_some(link, e);
			send_all(link, e);
		}
		if (is_done(link))
			return !link->fault;
		uint64_t next = next_time(link);
		if (next > until)
			return false;
		link->now = next;
		idle = next == before ? idle + 1 : 0;
	}
	fail(link, "time does not go on");
	return false;
}
