#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "channel_harness.h"

static int duplicate(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 32);
	assert_true(copy >= 0);
	return copy;
}

struct channel_fds player_fds(const struct player *p)
{
	return (struct channel_fds){
		duplicate(p->fds.memory), duplicate(p->fds.wake_upper), duplicate(p->fds.wake_lower)};
}

void player_init(struct player *p, enum channel_end subject)
{
	*p = (struct player){.head = 0};
	assert_int_equal(channel_create(&p->fds), 0);
	bool upper = subject == CHANNEL_LOWER; /* the player's own end */
	assert_int_equal(ring_map(&p->tx, p->fds.memory, upper ? RING_DOWN : RING_UP), 0);
	assert_int_equal(ring_map(&p->rx, p->fds.memory, upper ? RING_UP : RING_DOWN), 0);
	p->wake_subject = upper ? p->fds.wake_lower : p->fds.wake_upper;
	p->wake_player = upper ? p->fds.wake_upper : p->fds.wake_lower;
}

struct channel *player_start(struct player *p, enum channel_end subject)
{
	player_init(p, subject);
	struct channel *ch = channel_attach(player_fds(p), subject);
	assert_non_null(ch);
	return ch;
}

void player_fini(struct player *p)
{
	ring_unmap(&p->tx);
	ring_unmap(&p->rx);
	channel_fds_close(&p->fds);
}

void player_wake(struct player *p)
{
	uint64_t one = 1;
	assert_int_equal(write(p->wake_subject, &one, sizeof(one)), sizeof(one));
}

void player_put(struct player *p, const struct channel_msg *msg, const void *payload, size_t payload_bytes,
	uint64_t advance)
{
	uint8_t *at = ring_at(&p->tx, p->head);
	memcpy(at, msg, sizeof(*msg));
	if (payload_bytes)
		memcpy(at + sizeof(*msg), payload, payload_bytes);
	p->head += advance;
}

void player_set_head(struct player *p, uint64_t head)
{
	p->head = head;
	atomic_store(&p->tx.indexes->head, head);
}

void player_set_tail(struct player *p, uint64_t tail)
{
	p->tail = tail;
	atomic_store(&p->rx.indexes->tail, tail);
}

void player_publish(struct player *p)
{
	player_set_head(p, p->head);
}

void player_say(struct player *p, enum msg_type type, enum conn_side side, uint64_t conn, const void *payload,
	uint32_t length)
{
	struct channel_msg msg = {
		.version = CHANNEL_VERSION, .type = (uint8_t)type, .side = (uint8_t)side, .length = length, .conn = conn};
	uint64_t ahead = p->head + message_bytes(length) - atomic_load(&p->tx.indexes->tail);
	assert_true(ahead <= CHANNEL_RING_BYTES);
	player_put(p, &msg, payload, length, message_bytes(length));
	player_publish(p);
	if (atomic_exchange(&p->tx.indexes->consumer_sleeps, 0))
		player_wake(p);
}

bool player_hear(struct player *p, struct channel_msg *msg, void *payload)
{
	if (atomic_load(&p->rx.indexes->head) == p->tail)
		return false;
	const uint8_t *at = ring_at(&p->rx, p->tail);
	memcpy(msg, at, sizeof(*msg));
	assert_true(msg->length <= CHANNEL_PAYLOAD_MAX);
	if (payload)
		memcpy(payload, at + sizeof(*msg), msg->length);
	player_set_tail(p, p->tail + message_bytes(msg->length));
	if (atomic_exchange(&p->rx.indexes->producer_sleeps, 0))
		player_wake(p);
	return true;
}

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool player_await(struct player *p, struct channel_msg *msg, void *payload, int timeout_ms)
{
	for (int64_t deadline = now_ms() + timeout_ms;;) {
		atomic_store(&p->rx.indexes->consumer_sleeps, 1);
		if (player_hear(p, msg, payload))
			return true;
		int64_t left = deadline - now_ms();
		if (left <= 0)
			return false;
		struct pollfd wake = {.fd = p->wake_player, .events = POLLIN};
		if (poll(&wake, 1, (int)left) == 1) {
			uint64_t count;
			if (read(p->wake_player, &count, sizeof(count)) < 0)
				assert_int_equal(errno, EAGAIN);
		}
	}
}

void player_expect(struct player *p, enum msg_type type, enum conn_side side, uint64_t conn, const void *payload,
	uint32_t length)
{
	uint8_t *heard = malloc(CHANNEL_PAYLOAD_MAX);
	struct channel_msg msg;
	assert_non_null(heard);
	assert_true(player_hear(p, &msg, heard));
	assert_string_equal(msg_type_name(msg.type), msg_type_name(type));
	assert_int_equal(msg.version, CHANNEL_VERSION);
	assert_int_equal(msg.side, side);
	assert_int_equal(msg.conn, conn);
	assert_int_equal(msg.length, length);
	if (length && payload)
		assert_memory_equal(heard, payload, length);
	free(heard);
}

void player_expect_none(struct player *p)
{
	struct channel_msg msg;
	assert_false(player_hear(p, &msg, NULL));
}
