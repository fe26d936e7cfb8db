#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "channel_harness.h"

/* --- a receiver that notes what it was given --- */

enum { STATE_UNKNOWN, STATE_OPEN, STATE_ENDED };

struct notes {
	unsigned state;                /* of every connection */
	unsigned count;
	struct channel_msg last;
	uint8_t payload[CHANNEL_PAYLOAD_MAX];
	int answer;
};

static unsigned find(void *owner, uint64_t conn, void **object)
{
	struct notes *notes = owner;
	*object = notes;
	return conn == 99 ? STATE_UNKNOWN : notes->state;
}

static int note(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	struct notes *notes = owner;
	assert_ptr_equal(conn, owner);
	notes->count++;
	notes->last = *msg;
	memcpy(notes->payload, payload, msg->length);
	return notes->answer;
}

static const struct channel_verb verbs[MSG_TYPES] = {
	[MSG_OPENED] = {48, 48, 1 << STATE_UNKNOWN, note},
	[MSG_BYTES] = {1, CHANNEL_PAYLOAD_MAX, 1 << STATE_OPEN, note},
	[MSG_CREDIT] = {4, 4, 1 << STATE_OPEN | 1 << STATE_ENDED, note},
	[MSG_CLOSED] = {0, 0, 1 << STATE_OPEN | 1 << STATE_ENDED, note},
};

static struct notes *notes_new(struct channel_receiver *receiver)
{
	struct notes *notes = calloc(1, sizeof(*notes));
	assert_non_null(notes);
	notes->state = STATE_OPEN;
	*receiver = (struct channel_receiver){verbs, find, notes};
	return notes;
}

/* --- both ends honest --- */

static void messages_go_both_ways(void **state)
{
	(void)state;
	struct player p;
	struct channel *ch = player_start(&p, CHANNEL_LOWER);
	struct channel_receiver receiver;
	struct notes *notes = notes_new(&receiver);
	assert_int_equal(channel_send(ch, MSG_BYTES, SIDE_SERVER, 7, "hello", 5), 0);
	player_expect_none(&p); /* not flushed */
	channel_flush(ch);
	player_expect(&p, MSG_BYTES, SIDE_SERVER, 7, "hello", 5);
	player_expect_none(&p);
	player_say(&p, MSG_BYTES, SIDE_CLIENT, 8, "answer", 6);
	player_say(&p, MSG_CLOSED, SIDE_CLIENT, 8, NULL, 0);
	assert_int_equal(channel_dispatch(ch, &receiver, 1), 1);
	assert_int_equal(notes->last.type, MSG_BYTES);
	assert_int_equal(notes->last.conn, 8);
	assert_memory_equal(notes->payload, "answer", 6);
	assert_int_equal(channel_dispatch(ch, &receiver, 10), 1);
	assert_int_equal(notes->last.type, MSG_CLOSED);
	assert_int_equal(channel_dispatch(ch, &receiver, 10), 0);
	assert_false(channel_broken(ch));
	channel_free(ch);
	player_fini(&p);
	free(notes);
}

static void payload_is_aligned_and_padding_is_zero(void **state)
{
	(void)state;
	struct player p;
	struct channel *ch = player_start(&p, CHANNEL_UPPER);
	memset(p.rx.bytes, 0xee, CHANNEL_RING_BYTES);
	uint8_t *to = channel_begin(ch, MSG_BYTES, SIDE_CLIENT, 1, 3);
	assert_int_equal((uintptr_t)to % 16, 0);
	memcpy(to, "abc", 3);
	channel_flush(ch);
	static const uint8_t expect[16] = {'a', 'b', 'c'};
	assert_memory_equal(ring_at(&p.rx, 16), expect, 16);
	channel_free(ch);
	player_fini(&p);
}

static void wraps_at_every_offset(void **state)
{
	(void)state;
	struct player p;
	struct channel *ch = player_start(&p, CHANNEL_LOWER);
	struct channel_receiver receiver;
	struct notes *notes = notes_new(&receiver);
	static uint8_t payload[200], filler[CHANNEL_PAYLOAD_MAX];
	for (unsigned i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7 + 1);
	for (uint64_t before = 16; before <= 16 + sizeof(payload) + 16; before += 16) {
		/* both rings go on to `before` bytes short of their end */
		while (CHANNEL_RING_BYTES - p.tail % CHANNEL_RING_BYTES != before) {
			uint64_t gap = CHANNEL_RING_BYTES - p.tail % CHANNEL_RING_BYTES;
			gap = gap > before ? gap - before : gap + CHANNEL_RING_BYTES - before;
			uint32_t n = gap - 16 > CHANNEL_PAYLOAD_MAX ? CHANNEL_PAYLOAD_MAX : (uint32_t)gap - 16;
			assert_int_equal(channel_send(ch, MSG_BYTES, SIDE_CLIENT, 1, filler, n ? n : 1), 0);
			channel_flush(ch);
			player_expect(&p, MSG_BYTES, SIDE_CLIENT, 1, NULL, n ? n : 1);
			player_say(&p, MSG_BYTES, SIDE_CLIENT, 1, filler, n ? n : 1);
			assert_int_equal(channel_dispatch(ch, &receiver, 2), 1);
		}
		assert_int_equal(channel_send(ch, MSG_BYTES, SIDE_SERVER, before, payload, sizeof(payload)), 0);
		channel_flush(ch);
		player_expect(&p, MSG_BYTES, SIDE_SERVER, before, payload, sizeof(payload));
		player_say(&p, MSG_BYTES, SIDE_SERVER, before, payload, sizeof(payload));
		assert_int_equal(channel_dispatch(ch, &receiver, 2), 1);
		assert_int_equal(notes->last.conn, before);
		assert_memory_equal(notes->payload, payload, sizeof(payload));
	}
	channel_free(ch);
	player_fini(&p);
	free(notes);
}

/* --- a reader that does not read --- */

static uint32_t size_of(uint64_t i)
{
	return (uint32_t)(1 + i * 7919 % CHANNEL_PAYLOAD_MAX);
}

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	return poll(&p, 1, 0) == 1;
}

static void backlog_keeps_order_and_wakes(void **state)
{
	(void)state;
	struct player p;
	struct channel *ch = player_start(&p, CHANNEL_LOWER);
	enum { MESSAGES = 1000 }; /* about 32 MB, through a ring of 8 */
	for (uint64_t i = 0; i < MESSAGES; i++) {
		uint8_t *to = channel_begin(ch, MSG_BYTES, SIDE_CLIENT, i, size_of(i));
		assert_non_null(to);
		memset(to, (int)i, size_of(i)); /* written before the flush, wherever it lies */
		if (i % 3 == 0)
			channel_flush(ch);
	}
	channel_flush(ch);
	assert_int_equal(channel_room(ch), 0);
	uint8_t *payload = malloc(CHANNEL_PAYLOAD_MAX);
	struct channel_msg msg;
	uint64_t heard = 0, sleeps = 0;
	while (heard < MESSAGES) {
		assert_true(channel_sleep(ch));
		assert_false(readable(channel_wake_fd(ch)));
		sleeps++;
		while (player_hear(&p, &msg, payload)) {
			assert_int_equal(msg.conn, heard);
			assert_int_equal(msg.length, size_of(heard));
			assert_int_equal(payload[0], heard & 0xff);
			assert_int_equal(payload[msg.length - 1], heard & 0xff);
			heard++;
		}
		if (heard < MESSAGES)
			assert_true(readable(channel_wake_fd(ch)));
		channel_awake(ch);
		assert_false(readable(channel_wake_fd(ch)));
		channel_flush(ch);
	}
	assert_true(sleeps > 2);
	assert_true(channel_room(ch) > 0);
	free(payload);
	channel_free(ch);
	player_fini(&p);
}

/* Nothing waits yet, but there is no room for more: whoever reads only where there is room sleeps until there is. */
static void a_full_ring_wakes_too(void **state)
{
	(void)state;
	struct player p;
	struct channel *ch = player_start(&p, CHANNEL_LOWER);
	uint8_t payload[16] = {0};
	struct channel_msg msg;
	while (channel_room(ch)) {
		assert_int_equal(channel_send(ch, MSG_BYTES, SIDE_CLIENT, 1, payload, 16), 0);
		channel_flush(ch);
	}
	assert_true(channel_sleep(ch));
	assert_false(readable(channel_wake_fd(ch)));
	assert_true(player_hear(&p, &msg, payload));
	assert_true(readable(channel_wake_fd(ch)));
	channel_awake(ch);
	assert_true(channel_room(ch) > 0);
	assert_true(channel_sleep(ch));
	assert_true(player_hear(&p, &msg, payload));
	assert_false(readable(channel_wake_fd(ch))); /* it waits for nothing */
	channel_free(ch);
	player_fini(&p);
}

static void backlog_is_bounded(void **state)
{
	(void)state;
	struct player p;
	struct channel *ch = player_start(&p, CHANNEL_LOWER);
	uint64_t sent = 0;
	while (channel_begin(ch, MSG_BYTES, SIDE_CLIENT, 1, CHANNEL_PAYLOAD_MAX))
		sent += message_bytes(CHANNEL_PAYLOAD_MAX);
	assert_true(sent <= (uint64_t)CHANNEL_BACKLOG_MAX + CHANNEL_RING_BYTES);
	assert_true(sent > (uint64_t)CHANNEL_BACKLOG_MAX);
	assert_true(channel_broken(ch));
	assert_null(channel_begin(ch, MSG_CLOSED, SIDE_CLIENT, 1, 0));
	channel_free(ch);
	player_fini(&p);
}

static void room_is_what_goes_in(void **state)
{
	(void)state;
	struct player p;
	struct channel *ch = player_start(&p, CHANNEL_LOWER);
	static const uint8_t filler[CHANNEL_PAYLOAD_MAX];
	size_t room = channel_room(ch);
	uint64_t sent = 0;
	assert_true(room > CHANNEL_RING_BYTES - 130 * 16);
	while (room) {
		uint32_t n = room > CHANNEL_PAYLOAD_MAX ? CHANNEL_PAYLOAD_MAX : (uint32_t)room;
		assert_int_equal(channel_send(ch, MSG_BYTES, SIDE_CLIENT, 1, filler, n), 0);
		sent += message_bytes(n);
		room -= n;
	}
	channel_flush(ch);
	assert_true(channel_room(ch) < 16);
	assert_int_equal(atomic_load(&p.rx.indexes->head), sent); /* nothing waits: all of it went into the ring */
	channel_free(ch);
	player_fini(&p);
}

static void one_wake_up_for_a_batch_and_none_when_busy(void **state)
{
	(void)state;
	struct player p;
	struct channel *ch = player_start(&p, CHANNEL_LOWER);
	assert_int_equal(channel_send(ch, MSG_CLOSED, SIDE_CLIENT, 1, NULL, 0), 0);
	channel_flush(ch);
	assert_false(readable(p.wake_player)); /* it does not sleep */
	atomic_store(&p.rx.indexes->consumer_sleeps, 1);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(channel_send(ch, MSG_CLOSED, SIDE_CLIENT, 1, NULL, 0), 0);
		channel_flush(ch);
	}
	uint64_t count;
	assert_int_equal(read(p.wake_player, &count, sizeof(count)), sizeof(count));
	assert_int_equal(count, 1);
	player_say(&p, MSG_CLOSED, SIDE_CLIENT, 1, NULL, 0);
	assert_false(channel_sleep(ch)); /* a message is there */
	assert_false(readable(channel_wake_fd(ch)));
	channel_free(ch);
	player_fini(&p);
}

/* --- the other end plays badly --- */

static const struct bad_message {
	const char *what;
	struct channel_msg msg;
	uint64_t advance;              /* 0: what the length says */
	unsigned state;
} bad_messages[] = {
	{"version", {.version = 2, .type = MSG_CLOSED}, 16, STATE_OPEN},
	{"type none", {.version = 1, .type = MSG_NONE}, 16, STATE_OPEN},
	{"type without handler", {.version = 1, .type = MSG_RESET}, 16, STATE_OPEN},
	{"type beyond the last", {.version = 1, .type = MSG_TYPES}, 16, STATE_OPEN},
	{"type 255", {.version = 1, .type = 255}, 16, STATE_OPEN},
	{"side", {.version = 1, .type = MSG_CLOSED, .side = 2}, 16, STATE_OPEN},
	{"zero byte", {.version = 1, .type = MSG_CLOSED, .zero = 1}, 16, STATE_OPEN},
	{"length 0 of bytes", {.version = 1, .type = MSG_BYTES}, 16, STATE_OPEN},
	{"length of closed", {.version = 1, .type = MSG_CLOSED, .length = 1}, 32, STATE_OPEN},
	{"length of credit, short", {.version = 1, .type = MSG_CREDIT, .length = 3}, 32, STATE_OPEN},
	{"length of credit, long", {.version = 1, .type = MSG_CREDIT, .length = 5}, 32, STATE_OPEN},
	{"length over the maximum", {.version = 1, .type = MSG_BYTES, .length = CHANNEL_PAYLOAD_MAX + 1}, 0, STATE_OPEN},
	{"length huge", {.version = 1, .type = MSG_BYTES, .length = UINT32_MAX}, 64, STATE_OPEN},
	{"length almost 2^32", {.version = 1, .type = MSG_BYTES, .length = UINT32_MAX - 14}, 64, STATE_OPEN},
	{"payload past what is published", {.version = 1, .type = MSG_BYTES, .length = 17}, 32, STATE_OPEN},
	{"header only", {.version = 1, .type = MSG_BYTES, .length = 1}, 16, STATE_OPEN},
	{"bytes after the end", {.version = 1, .type = MSG_BYTES, .length = 1}, 0, STATE_ENDED},
	{"opened twice", {.version = 1, .type = MSG_OPENED, .length = 48}, 0, STATE_OPEN},
	{"unknown connection", {.version = 1, .type = MSG_CLOSED, .conn = 99}, 16, STATE_OPEN},
	{"state out of range", {.version = 1, .type = MSG_CLOSED}, 16, 77},
};

static void every_bad_message_breaks_the_channel(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(bad_messages) / sizeof(bad_messages[0]); i++) {
		const struct bad_message *bad = &bad_messages[i];
		struct player p;
		struct channel *ch = player_start(&p, CHANNEL_UPPER);
		struct channel_receiver receiver;
		struct notes *notes = notes_new(&receiver);
		player_say(&p, MSG_CREDIT, SIDE_SERVER, 5, "1234", 4);
		player_put(&p, &bad->msg, NULL, 0, bad->advance ? bad->advance : message_bytes(bad->msg.length));
		player_publish(&p);
		assert_int_equal(channel_dispatch(ch, &receiver, 1), 1); /* the good one before it */
		notes->state = bad->state;
		if (channel_dispatch(ch, &receiver, 1) != -EPROTO || !channel_broken(ch))
			fail_msg("taken: %s", bad->what);
		assert_int_equal(notes->count, 1);
		/* for good */
		notes->state = STATE_OPEN;
		assert_int_equal(channel_dispatch(ch, &receiver, 1), -EPROTO);
		assert_null(channel_begin(ch, MSG_CLOSED, SIDE_CLIENT, 1, 0));
		assert_int_equal(channel_room(ch), 0);
		channel_flush(ch);
		player_expect_none(&p);
		channel_free(ch);
		player_fini(&p);
		free(notes);
	}
}

static void handler_may_refuse(void **state)
{
	(void)state;
	struct player p;
	struct channel *ch = player_start(&p, CHANNEL_UPPER);
	struct channel_receiver receiver;
	struct notes *notes = notes_new(&receiver);
	notes->answer = -EPROTO;
	player_say(&p, MSG_CLOSED, SIDE_CLIENT, 1, NULL, 0);
	assert_int_equal(channel_dispatch(ch, &receiver, 5), -EPROTO);
	assert_true(channel_broken(ch));
	channel_free(ch);
	player_fini(&p);
	free(notes);
}

static const struct bad_index {
	const char *what;
	uint64_t before, then;         /* published: honest, then not */
} bad_heads[] = {
	{"misaligned", 0, 8},
	{"one byte", 16, 17},
	{"backwards", 64, 48},
	{"below zero", 0, (uint64_t)-16},
	{"too far", 0, CHANNEL_RING_BYTES + 16},
	{"far too far", 16, UINT64_MAX - 15},
	{"half of everything", 16, 1ULL << 63},
};

static void every_bad_producer_index_breaks_the_channel(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(bad_heads) / sizeof(bad_heads[0]); i++) {
		struct player p;
		struct channel *ch = player_start(&p, CHANNEL_UPPER);
		struct channel_receiver receiver;
		struct notes *notes = notes_new(&receiver);
		while (p.head < bad_heads[i].before)
			player_say(&p, MSG_CLOSED, SIDE_CLIENT, 1, NULL, 0);
		assert_true(channel_dispatch(ch, &receiver, 1) >= 0); /* it has seen the honest index */
		player_set_head(&p, bad_heads[i].then);
		if (channel_dispatch(ch, &receiver, 100) != -EPROTO)
			fail_msg("taken: %s", bad_heads[i].what);
		channel_free(ch);
		player_fini(&p);
		free(notes);
	}
}

static void every_bad_consumer_index_breaks_the_channel(void **state)
{
	(void)state;
	static const uint64_t bad[] = {8, 17, 112, 128, 16, (uint64_t)-16, 1ULL << 63}; /* of 96 published, 32 used */
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct player p;
		struct channel *ch = player_start(&p, CHANNEL_LOWER);
		for (int n = 0; n < 6; n++)
			assert_int_equal(channel_send(ch, MSG_CLOSED, SIDE_CLIENT, 1, NULL, 0), 0);
		channel_flush(ch);
		player_set_tail(&p, 32);
		assert_true(channel_sleep(ch)); /* it has seen the honest index */
		channel_awake(ch);
		player_set_tail(&p, bad[i]);
		assert_int_equal(channel_room(ch), 0);
		assert_false(channel_sleep(ch));
		assert_true(channel_broken(ch));
		channel_free(ch);
		player_fini(&p);
	}
}

static void empty_or_unsealed_memory_is_refused(void **state)
{
	(void)state;
	struct channel_fds fds;
	assert_int_equal(channel_create(&fds), 0);
	close(fds.memory);
	fds.memory = memfd_create("channel-test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(fds.memory, CHANNEL_FILE_BYTES), 0);
	assert_null(channel_attach(fds, CHANNEL_LOWER));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(write(fds.wake_upper, "12345678", 8), -1); /* taken over, closed */
}

/* The other end rewrites the header all the time while it is read. Whatever the receiver sees, the message that a handler
 * gets was checked as it is: a length never exceeds what its verb allows. */
struct rewriter {
	struct player *p;
	_Atomic bool stop;
};

static void *rewrite(void *argument)
{
	struct rewriter *r = argument;
	_Atomic uint64_t *word = (void *)ring_at(&r->p->tx, 0);
	struct channel_msg good = {.version = 1, .type = MSG_CREDIT, .length = 4}, bad = good;
	bad.length = 0x7fffffff;
	uint64_t words[2];
	memcpy(&words[0], &good, 8);
	memcpy(&words[1], &bad, 8);
	for (unsigned i = 0; !atomic_load(&r->stop); i++)
		atomic_store_explicit(word, words[i & 1], memory_order_relaxed);
	return NULL;
}

static int check_credit(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	(void)conn;
	(void)payload;
	assert_int_equal(msg->length, 4);
	((struct notes *)owner)->count++;
	return 0;
}

static void header_is_read_once(void **state)
{
	(void)state;
	static const struct channel_verb credit_only[MSG_TYPES] = {[MSG_CREDIT] = {4, 4, 1 << STATE_OPEN, check_credit}};
	struct player p;
	player_init(&p, CHANNEL_UPPER);
	struct channel_receiver receiver;
	struct notes *notes = notes_new(&receiver);
	receiver.verbs = credit_only;
	struct rewriter r = {.p = &p};
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, rewrite, &r), 0);
	unsigned broken = 0;
	for (int i = 0; i < 300 || (i < 20000 && (!broken || !notes->count)); i++) {
		atomic_store(&p.tx.indexes->tail, 0);
		player_set_head(&p, 32);
		struct channel *ch = channel_attach(player_fds(&p), CHANNEL_UPPER);
		broken += channel_dispatch(ch, &receiver, 1) == -EPROTO;
		channel_free(ch);
	}
	atomic_store(&r.stop, true);
	pthread_join(thread, NULL);
	assert_true(broken > 0 && notes->count > 0); /* it met both */
	player_fini(&p);
	free(notes);
}

/* --- two threads --- */

enum { MILLION = 1000000 };

struct runner {
	struct channel *ch;
	uint64_t next;                 /* expected by the receiver */
};

static uint32_t random_size(uint64_t i)
{
	uint64_t x = (i + 1) * 0x9e3779b97f4a7c15ULL;
	x ^= x >> 31;
	return x % 1000 == 0 ? (uint32_t)(1 + (x >> 20) % CHANNEL_PAYLOAD_MAX) : (uint32_t)(1 + (x >> 20) % 400);
}

static unsigned find_runner(void *owner, uint64_t conn, void **object)
{
	(void)conn;
	*object = owner;
	return 1;
}

static int check_in_order(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	(void)conn;
	struct runner *runner = owner;
	if (msg->conn != runner->next || msg->length != random_size(msg->conn) || payload[0] != (uint8_t)msg->conn ||
		payload[msg->length - 1] != (uint8_t)(msg->length == 1 ? msg->conn : ~msg->conn))
		return -EPROTO;
	runner->next++;
	return 0;
}

static const struct channel_verb runner_verbs[MSG_TYPES] = {[MSG_BYTES] = {1, CHANNEL_PAYLOAD_MAX, 2, check_in_order}};

static void sleep_for_work(struct channel *ch)
{
	if (channel_sleep(ch)) {
		struct pollfd wake = {.fd = channel_wake_fd(ch), .events = POLLIN};
		if (poll(&wake, 1, 10000) == 0)
			abort(); /* a wake-up was lost */
	}
	channel_awake(ch);
}

static void *receive_all(void *argument)
{
	struct runner *runner = argument;
	struct channel_receiver receiver = {runner_verbs, find_runner, runner};
	while (runner->next < MILLION) {
		int handled = channel_dispatch(runner->ch, &receiver, 64);
		if (handled < 0)
			break;
		if (handled == 0)
			sleep_for_work(runner->ch);
	}
	return NULL;
}

static void send_one(struct channel *ch, uint64_t i)
{
	uint32_t size = random_size(i);
	uint8_t *to = channel_begin(ch, MSG_BYTES, SIDE_CLIENT, i, size);
	assert_non_null(to);
	to[0] = (uint8_t)i;
	if (size > 1)
		to[size - 1] = (uint8_t)~i;
}

static void a_million_messages_between_threads(void **state)
{
	(void)state;
	struct channel_fds fds;
	assert_int_equal(channel_create(&fds), 0);
	struct player other = {.fds = fds};
	struct runner runner = {.ch = channel_attach(player_fds(&other), CHANNEL_UPPER)};
	struct channel *ch = channel_attach(fds, CHANNEL_LOWER);
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, receive_all, &runner), 0);
	for (uint64_t i = 0; i < MILLION; i++) {
		send_one(ch, i);
		if (i % 32 == 31 || i == MILLION - 1)
			channel_flush(ch);
		while (i % 32 == 31 && channel_room(ch) == 0) { /* full: sleep until the receiver has used some */
			sleep_for_work(ch);
			channel_flush(ch);
		}
		if (i % 50000 == 0)
			usleep(2000); /* let the receiver fall asleep */
	}
	for (channel_flush(ch); channel_room(ch) == 0; channel_flush(ch))
		usleep(100);
	pthread_join(thread, NULL);
	assert_int_equal(runner.next, MILLION);
	assert_false(channel_broken(ch));
	channel_free(ch);
	channel_free(runner.ch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_go_both_ways),
		cmocka_unit_test(payload_is_aligned_and_padding_is_zero),
		cmocka_unit_test(wraps_at_every_offset),
		cmocka_unit_test(backlog_keeps_order_and_wakes),
		cmocka_unit_test(a_full_ring_wakes_too),
		cmocka_unit_test(backlog_is_bounded),
		cmocka_unit_test(room_is_what_goes_in),
		cmocka_unit_test(one_wake_up_for_a_batch_and_none_when_busy),
		cmocka_unit_test(every_bad_message_breaks_the_channel),
		cmocka_unit_test(handler_may_refuse),
		cmocka_unit_test(every_bad_producer_index_breaks_the_channel),
		cmocka_unit_test(every_bad_consumer_index_breaks_the_channel),
		cmocka_unit_test(empty_or_unsealed_memory_is_refused),
		cmocka_unit_test(header_is_read_once),
		cmocka_unit_test(a_million_messages_between_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
