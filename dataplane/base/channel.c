/*
 * One end of a channel; see channel.h. The truth about how far this end has come is kept in private memory and only
 * written to shared memory; what the other end writes there is read once, checked, and then kept privately too.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "channel_ring.h"
#include "log.h"

enum { CHUNK_BYTES = 256 << 10 };

/* Messages that wait for room in the ring. They stay in place until moved, since their payload may still be written. */
struct chunk {
	struct chunk *next;
	uint32_t used, taken;          /* bytes */
	_Alignas(CHANNEL_ALIGN) uint8_t bytes[CHUNK_BYTES];
};
static_assert(CHUNK_BYTES >= CHANNEL_PAYLOAD_MAX + CHANNEL_ALIGN, "the largest message fits");

struct channel {
	struct ring_map tx, rx;
	uint64_t tx_head;              /* begun */
	uint64_t tx_published;
	uint64_t tx_tail;              /* as last seen */
	uint64_t rx_tail;              /* used up */
	uint64_t rx_head;              /* as last seen */
	struct chunk *first, *last;    /* backlog */
	size_t backlog_bytes;
	struct channel_fds fds;
	int wake_self, wake_other;
	bool broken;
};

static void set_broken(struct channel *ch, const char *why)
{
	if (!ch->broken)
		log_warnx("channel broken reason=%s", why);
	ch->broken = true;
}

bool channel_broken(const struct channel *ch)
{
	return ch->broken;
}

static struct channel *attach(struct channel_fds fds, enum channel_end end)
{
	struct channel *ch = calloc(1, sizeof(*ch));
	if (!ch)
		return NULL;
	bool lower = end == CHANNEL_LOWER;
	ch->fds = (struct channel_fds){-1, -1, -1};
	int rc = ring_map(&ch->tx, fds.memory, lower ? RING_UP : RING_DOWN);
	if (!rc)
		rc = ring_map(&ch->rx, fds.memory, lower ? RING_DOWN : RING_UP);
	if (rc) {
		channel_free(ch);
		errno = -rc;
		return NULL;
	}
	ch->fds = fds;
	ch->wake_self = lower ? fds.wake_lower : fds.wake_upper;
	ch->wake_other = lower ? fds.wake_upper : fds.wake_lower;
	return ch;
}

struct channel *channel_attach(struct channel_fds fds, enum channel_end end)
{
	struct channel *ch = attach(fds, end);
	if (!ch) {
		int error = errno;
		channel_fds_close(&fds);
		errno = error;
	}
	return ch;
}

static void backlog_pop(struct channel *ch)
{
	struct chunk *chunk = ch->first;
	ch->first = chunk->next;
	if (!ch->first)
		ch->last = NULL;
	explicit_bzero(chunk->bytes, chunk->used);
	free(chunk);
}

void channel_free(struct channel *ch)
{
	if (!ch)
		return;
	while (ch->first)
		backlog_pop(ch);
	ring_unmap(&ch->tx);
	ring_unmap(&ch->rx);
	channel_fds_close(&ch->fds);
	free(ch);
}

/* --- sending --- */

/* Is what the other end says it has used up between what it said before and what was published to it? */
static bool is_tail_sane(const struct channel *ch, uint64_t tail)
{
	return tail % CHANNEL_ALIGN == 0 && ch->tx_published - tail <= ch->tx_published - ch->tx_tail;
}

static void refresh_tail(struct channel *ch)
{
	uint64_t tail = atomic_load_explicit(&ch->tx.indexes->tail, memory_order_acquire);
	if (!is_tail_sane(ch, tail)) {
		set_broken(ch, "bad-consumer-index");
		return;
	}
	ch->tx_tail = tail;
}

static uint64_t tx_free(const struct channel *ch)
{
	return CHANNEL_RING_BYTES - (ch->tx_head - ch->tx_tail);
}

/* Room in the ring for one message, or NULL. */
static uint8_t *ring_take(struct channel *ch, uint64_t bytes)
{
	if (tx_free(ch) < bytes)
		refresh_tail(ch);
	if (ch->broken || tx_free(ch) < bytes)
		return NULL;
	uint8_t *at = ring_at(&ch->tx, ch->tx_head);
	ch->tx_head += bytes;
	return at;
}

static uint8_t *backlog_take(struct channel *ch, uint64_t bytes)
{
	if (ch->backlog_bytes + bytes > CHANNEL_BACKLOG_MAX) {
		set_broken(ch, "backlog-full");
		return NULL;
	}
	if (!ch->last || CHUNK_BYTES - ch->last->used < bytes) {
		struct chunk *chunk = malloc(sizeof(*chunk));
		if (!chunk) {
			set_broken(ch, "out-of-memory");
			return NULL;
		}
		chunk->next = NULL;
		chunk->used = chunk->taken = 0;
		*(ch->last ? &ch->last->next : &ch->first) = chunk;
		ch->last = chunk;
	}
	uint8_t *at = ch->last->bytes + ch->last->used;
	ch->last->used += (uint32_t)bytes;
	ch->backlog_bytes += bytes;
	return at;
}

void *channel_begin(struct channel *ch, enum msg_type type, enum conn_side side, uint64_t conn, uint32_t length)
{
	if (ch->broken)
		return NULL;
	if (length > CHANNEL_PAYLOAD_MAX) {
		set_broken(ch, "own-message-too-long");
		return NULL;
	}
	uint64_t bytes = message_bytes(length);
	uint8_t *at = ch->first ? NULL : ring_take(ch, bytes);
	if (!at && !ch->broken)
		at = backlog_take(ch, bytes);
	if (!at)
		return NULL;
	struct channel_msg msg = {
		.version = CHANNEL_VERSION, .type = (uint8_t)type, .side = (uint8_t)side, .length = length, .conn = conn};
	memcpy(at, &msg, sizeof(msg));
	/* What pads the payload is sent too: it must not be what lay there before. */
	memset(at + sizeof(msg) + length, 0, bytes - sizeof(msg) - length);
	return at + sizeof(msg);
}

int channel_send(struct channel *ch, enum msg_type type, enum conn_side side, uint64_t conn, const void *payload,
	uint32_t length)
{
	void *to = channel_begin(ch, type, side, conn, length);
	if (!to)
		return -EPIPE;
	if (length)
		memcpy(to, payload, length);
	return 0;
}

/* Free bytes of the ring less a header for each message that it takes to fill them. */
static size_t payload_room(uint64_t bytes)
{
	uint64_t largest = message_bytes(CHANNEL_PAYLOAD_MAX);
	uint64_t rest = bytes % largest;
	return (bytes / largest) * CHANNEL_PAYLOAD_MAX + (rest > CHANNEL_ALIGN ? rest - CHANNEL_ALIGN : 0);
}

size_t channel_room(const struct channel *ch)
{
	if (ch->broken || ch->first)
		return 0;
	uint64_t tail = atomic_load_explicit(&ch->tx.indexes->tail, memory_order_acquire);
	return is_tail_sane(ch, tail) ? payload_room(CHANNEL_RING_BYTES - (ch->tx_head - tail)) : 0;
}

/* Moves waiting messages into the ring. The header in the backlog is our own memory and may be trusted. */
static void move_backlog(struct channel *ch)
{
	while (ch->first) {
		struct chunk *chunk = ch->first;
		const struct channel_msg *msg = (const void *)(chunk->bytes + chunk->taken);
		uint64_t bytes = message_bytes(msg->length);
		uint8_t *to = ring_take(ch, bytes);
		if (!to)
			return;
		memcpy(to, msg, bytes);
		chunk->taken += (uint32_t)bytes;
		ch->backlog_bytes -= bytes;
		if (chunk->taken == chunk->used)
			backlog_pop(ch);
	}
}

static void wake_other(struct channel *ch)
{
	uint64_t one = 1;
	/* EAGAIN: the counter is at its maximum, so that the other end is awake anyway. */
	if (write(ch->wake_other, &one, sizeof(one)) < 0 && errno != EAGAIN)
		set_broken(ch, "wake-up-failed");
}

/* Called after an index was published. The fence pairs with that of channel_sleep(): either we see that the other end
 * sleeps, or it sees what we published. */
static void wake_if_asleep(struct channel *ch, _Atomic uint32_t *sleeps)
{
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load_explicit(sleeps, memory_order_relaxed) && atomic_exchange(sleeps, 0))
		wake_other(ch);
}

void channel_flush(struct channel *ch)
{
	if (ch->broken)
		return;
	move_backlog(ch);
	if (ch->tx_published == ch->tx_head)
		return;
	ch->tx_published = ch->tx_head;
	atomic_store_explicit(&ch->tx.indexes->head, ch->tx_head, memory_order_release);
	wake_if_asleep(ch, &ch->tx.indexes->consumer_sleeps);
}

/* --- receiving --- */

static void refresh_head(struct channel *ch)
{
	uint64_t head = atomic_load_explicit(&ch->rx.indexes->head, memory_order_acquire);
	uint64_t ahead = head - ch->rx_tail;
	if (head % CHANNEL_ALIGN || ahead > CHANNEL_RING_BYTES || ahead < ch->rx_head - ch->rx_tail)
		set_broken(ch, "bad-producer-index");
	else
		ch->rx_head = head;
}

/* Two single loads: the other end may write there while we look, so nothing is looked at twice. */
static struct channel_msg copy_header(const uint8_t *at)
{
	const _Atomic uint64_t *words = (const void *)at;
	uint64_t copy[2] = {atomic_load_explicit(&words[0], memory_order_relaxed),
		atomic_load_explicit(&words[1], memory_order_relaxed)};
	struct channel_msg msg;
	memcpy(&msg, copy, sizeof(msg));
	return msg;
}

static const char *header_fault(const struct channel_msg *msg, const struct channel_verb *verbs, uint64_t available)
{
	if (msg->version != CHANNEL_VERSION)
		return "bad-version";
	if (msg->type >= MSG_TYPES || !verbs[msg->type].handler)
		return "unknown-type";
	if (msg->side >= SIDES || msg->zero)
		return "bad-side";
	const struct channel_verb *verb = &verbs[msg->type];
	if (msg->length > CHANNEL_PAYLOAD_MAX || msg->length < verb->size_min || msg->length > verb->size_max)
		return "bad-length";
	if (message_bytes(msg->length) > available)
		return "past-the-end";
	return NULL;
}

static void dispatch_one(struct channel *ch, const struct channel_receiver *receiver)
{
	const uint8_t *at = ring_at(&ch->rx, ch->rx_tail);
	struct channel_msg msg = copy_header(at);
	const char *fault = header_fault(&msg, receiver->verbs, ch->rx_head - ch->rx_tail);
	if (fault) {
		set_broken(ch, fault);
		return;
	}
	const struct channel_verb *verb = &receiver->verbs[msg.type];
	void *conn = NULL;
	unsigned state = receiver->find(receiver->owner, msg.conn, &conn);
	if (state >= 32 || !(verb->states & (1u << state))) {
		log_warnx("channel message out of place type=%s state=%u", msg_type_name(msg.type), state);
		set_broken(ch, "not-in-this-state");
		return;
	}
	if (verb->handler(receiver->owner, conn, &msg, at + sizeof(msg))) {
		log_warnx("channel message refused type=%s", msg_type_name(msg.type));
		set_broken(ch, "refused-by-handler");
		return;
	}
	ch->rx_tail += message_bytes(msg.length);
}

int channel_dispatch(struct channel *ch, const struct channel_receiver *receiver, unsigned budget)
{
	if (!ch->broken)
		refresh_head(ch);
	unsigned handled = 0;
	while (!ch->broken && handled < budget && ch->rx_tail != ch->rx_head) {
		dispatch_one(ch, receiver);
		handled++;
	}
	if (ch->broken)
		return -EPROTO;
	if (handled) {
		atomic_store_explicit(&ch->rx.indexes->tail, ch->rx_tail, memory_order_release);
		wake_if_asleep(ch, &ch->rx.indexes->producer_sleeps);
	}
	return (int)handled;
}

/* --- sleeping --- */

/* Free bytes of the ring that it takes to go on: for the first message that waits, or, where the ring is full, for any. */
static uint64_t awaited_bytes(const struct channel *ch)
{
	if (!ch->first)
		return payload_room(tx_free(ch)) ? 0 : message_bytes(1);
	const struct channel_msg *msg = (const void *)(ch->first->bytes + ch->first->taken);
	return message_bytes(msg->length);
}

static void announce(struct channel *ch, uint32_t sleeping)
{
	atomic_store_explicit(&ch->rx.indexes->consumer_sleeps, sleeping, memory_order_relaxed);
	if (!sleeping || awaited_bytes(ch))
		atomic_store_explicit(&ch->tx.indexes->producer_sleeps, sleeping, memory_order_relaxed);
}

bool channel_sleep(struct channel *ch)
{
	if (ch->broken)
		return true;
	refresh_tail(ch);
	uint64_t awaited = awaited_bytes(ch);
	announce(ch, 1);
	atomic_thread_fence(memory_order_seq_cst);
	refresh_head(ch);
	refresh_tail(ch);
	if (ch->broken)
		return false; /* its user learns of it in the next channel_dispatch() */
	bool work = ch->rx_head != ch->rx_tail || (awaited && tx_free(ch) >= awaited);
	if (work)
		announce(ch, 0);
	return !work;
}

void channel_awake(struct channel *ch)
{
	announce(ch, 0);
	uint64_t count;
	if (read(ch->wake_self, &count, sizeof(count)) < 0 && errno != EAGAIN && errno != EINTR)
		set_broken(ch, "wake-up-failed");
}

int channel_wake_fd(const struct channel *ch)
{
	return ch->wake_self;
}

const char *msg_type_name(enum msg_type type)
{
	static const char *const names[MSG_TYPES] = {"none", "opened", "bytes", "end-of-stream", "reset", "credit", "closed",
		"start-tls", "secured", "tls-failed", "notice", "crls", "client-hello", "client-ready", "name-client"};
	return (unsigned)type < MSG_TYPES ? names[type] : "unknown";
}
