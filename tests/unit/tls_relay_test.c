/* The pump: bytes in plain and through TLS, credit, ends, and messages that have no business to be there. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tls_harness.h"

enum { BULK_BYTES = 10 << 20 };

static uint8_t pattern(uint64_t at)
{
	return (uint8_t)(at ^ at >> 8 ^ at >> 16);
}

static void put_pattern(struct buf *to, size_t n)
{
	uint8_t *bytes = buf_reserve(to, n);
	assert_non_null(bytes);
	for (size_t i = 0; i < n; i++)
		bytes[i] = pattern(i);
	buf_commit(to, n);
}

static void check_pattern(const struct buf *got, size_t n)
{
	assert_int_equal(buf_len(got), n);
	for (size_t i = 0; i < n; i++)
		if (buf_head(got)[i] != pattern(i))
			fail_msg("byte %zu of %zu", i, n);
}

static struct world *plain_world(void)
{
	struct world *w = world_new();
	world_open(w);
	return w;
}

static struct world *secure_world(int version)
{
	struct world *w = world_new();
	world_secure(w, version);
	return w;
}

/* What the relay holds for one side, and may hold at most. */
static void check_bounds(const struct world *w)
{
	struct conn *conn = conn_find(&w->relay->conns, CONN);
	for (unsigned side = 0; conn && side < SIDES; side++) {
		assert_true(buf_len(&conn->layer[side].from_wire) <= CHANNEL_WINDOW);
		assert_true(buf_len(&conn->layer[side].from_above) <= CHANNEL_WINDOW);
		assert_true(buf_len(&conn->layer[side].to_wire) <= LAYER_TO_WIRE_BYTES);
	}
}

/* --- bytes --- */

static void plain_bytes_pass_as_they_are(void **state)
{
	(void)state;
	struct world *w = plain_world();
	for (unsigned side = 0; side < SIDES; side++) {
		assert_int_equal(buf_put(&w->endpoint[side].to_send, "\0<stream>\xff", 10), 0);
		world_control_says(w, side, "answer", 6);
	}
	world_settle(w);
	for (unsigned side = 0; side < SIDES; side++) {
		assert_int_equal(w->told[side].got_bytes, 10);
		assert_memory_equal(buf_head(&w->told[side].got), "\0<stream>\xff", 10);
		assert_memory_equal(buf_head(&w->endpoint[side].got), "answer", 6);
	}
	world_free(w);
}

/* All that credit allows is sent down, and more when it comes back. */
static void say_pattern(struct world *w, enum conn_side side, uint64_t *said, uint64_t total)
{
	static uint8_t bytes[CHANNEL_PAYLOAD_MAX];
	struct told *told = &w->told[side];
	while (*said < total && told->credit) {
		size_t n = total - *said < sizeof(bytes) ? total - *said : sizeof(bytes);
		n = n < told->credit ? n : told->credit;
		for (size_t i = 0; i < n; i++)
			bytes[i] = pattern(*said + i);
		world_control_says(w, side, bytes, n);
		*said += n;
	}
}

static void bulk(struct world *w)
{
	uint64_t said[SIDES] = {0, 0};
	for (unsigned side = 0; side < SIDES; side++)
		put_pattern(&w->endpoint[side].to_send, BULK_BYTES);
	for (unsigned turn = 0; turn < 100000; turn++) {
		for (unsigned side = 0; side < SIDES; side++)
			say_pattern(w, side, &said[side], BULK_BYTES);
		world_turn(w);
		assert_true(w->rc >= 0);
		check_bounds(w);
		if (w->told[0].got_bytes + w->told[1].got_bytes + w->endpoint[0].got_bytes + w->endpoint[1].got_bytes ==
			4 * (uint64_t)BULK_BYTES)
			break;
	}
	for (unsigned side = 0; side < SIDES; side++) {
		check_pattern(&w->told[side].got, BULK_BYTES);
		check_pattern(&w->endpoint[side].got, BULK_BYTES);
	}
}

static void ten_megabytes_all_ways(void **state)
{
	(void)state;
	struct world *w = plain_world();
	bulk(w);
	world_free(w);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		w = secure_world(version);
		bulk(w);
		world_free(w);
	}
}

/* The window of the reader, the one below it, and a record on its way: no more is taken from who sends. */
static void a_slow_reader_slows_its_writer(void **state)
{
	(void)state;
	struct world *w = secure_world(TLS1_3_VERSION);
	w->told[SIDE_CLIENT].slow = true;
	put_pattern(&w->endpoint[SIDE_CLIENT].to_send, BULK_BYTES);
	world_settle(w);
	check_bounds(w);
	assert_int_equal(w->told[SIDE_CLIENT].got_bytes, CHANNEL_WINDOW);
	assert_int_equal(w->endpoint[SIDE_CLIENT].credit, 0);

	w->endpoint[SIDE_SERVER].slow = true;
	uint64_t said = 0;
	for (unsigned i = 0; i < 20; i++) {
		say_pattern(w, SIDE_SERVER, &said, BULK_BYTES);
		world_settle(w);
	}
	check_bounds(w);
	assert_int_equal(w->told[SIDE_SERVER].credit, 0);
	assert_true(said < 2 * CHANNEL_WINDOW + LAYER_TO_WIRE_BYTES);
	assert_int_equal(w->endpoint[SIDE_SERVER].owed, CHANNEL_WINDOW);

	/* The other directions are not hindered, and nothing was lost. */
	world_control_says(w, SIDE_CLIENT, "down", 4);
	assert_int_equal(buf_put(&w->endpoint[SIDE_SERVER].to_send, "up", 2), 0);
	world_settle(w);
	assert_int_equal(w->endpoint[SIDE_CLIENT].got_bytes, 4);
	assert_int_equal(w->told[SIDE_SERVER].got_bytes, 2);
	w->told[SIDE_CLIENT].slow = w->endpoint[SIDE_SERVER].slow = false;
	for (unsigned i = 0; i < 100 && said < BULK_BYTES; i++) {
		say_pattern(w, SIDE_SERVER, &said, BULK_BYTES);
		world_settle(w);
	}
	check_pattern(&w->told[SIDE_CLIENT].got, BULK_BYTES);
	check_pattern(&w->endpoint[SIDE_SERVER].got, BULK_BYTES);
	world_free(w);
}

static void key_updates_are_answered(void **state)
{
	(void)state;
	struct world *w = secure_world(TLS1_3_VERSION);
	for (unsigned i = 0; i < 3; i++) {
		for (unsigned side = 0; side < SIDES; side++) {
			assert_int_equal(SSL_key_update(w->endpoint[side].ssl, SSL_KEY_UPDATE_REQUESTED), 1);
			assert_int_equal(buf_put(&w->endpoint[side].to_send, "up", 2), 0);
		}
		world_settle(w);
		for (unsigned side = 0; side < SIDES; side++)
			world_control_says(w, side, "down", 4);
		world_settle(w);
	}
	for (unsigned side = 0; side < SIDES; side++) {
		assert_int_equal(w->told[side].got_bytes, 6);
		assert_int_equal(w->endpoint[side].got_bytes, 12);
	}
	world_free(w);
}

/* The client is ready long before the server: what it says waits until both are verified (the harness asserts it). */
static void early_plaintext_waits_for_both(void **state)
{
	(void)state;
	struct world *w = world_new();
	world_open(w);
	for (unsigned side = 0; side < SIDES; side++)
		world_endpoint_tls(w, side, &w->site[side], NULL, TLS1_3_VERSION);
	assert_int_equal(buf_put(&w->endpoint[SIDE_CLIENT].to_send, "early", 5), 0);
	world_start_tls(w, AUTH_STRONG);
	for (unsigned i = 0; i < 200 && !w->endpoint[SIDE_CLIENT].done; i++)
		world_turn(w);
	w->endpoint[SIDE_SERVER].frozen = true;
	world_settle(w);
	uint64_t before = w->told[SIDE_CLIENT].got_bytes;
	assert_int_equal(before, w->told[SIDE_SERVER].secured_count ? 5 : 0);
	w->endpoint[SIDE_SERVER].frozen = false;
	world_settle(w);
	assert_int_equal(w->told[SIDE_CLIENT].got_bytes, 5);
	world_free(w);
}

/* --- ends --- */

static void ends_in_plain(void **state)
{
	(void)state;
	struct world *w = plain_world();
	assert_int_equal(buf_put(&w->endpoint[SIDE_CLIENT].to_send, "last", 4), 0);
	world_turn(w);
	player_say(&w->lower, MSG_END_OF_STREAM, SIDE_CLIENT, CONN, NULL, 0);
	world_control_says(w, SIDE_CLIENT, "bye", 3);
	player_say(&w->upper, MSG_END_OF_STREAM, SIDE_CLIENT, CONN, NULL, 0);
	world_settle(w);
	assert_true(w->told[SIDE_CLIENT].ended);
	assert_int_equal(w->told[SIDE_CLIENT].got_bytes, 4);
	assert_true(w->endpoint[SIDE_CLIENT].got_end);
	assert_memory_equal(buf_head(&w->endpoint[SIDE_CLIENT].got), "bye", 3);
	assert_int_equal(world_counter(w, TLS_COUNT_TRUNCATED), 0);
	world_free(w);
}

static void close_notify_is_an_end(void **state)
{
	(void)state;
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct world *w = secure_world(version);
		assert_int_equal(buf_put(&w->endpoint[SIDE_CLIENT].to_send, "last", 4), 0);
		world_settle(w);
		SSL_shutdown(w->endpoint[SIDE_CLIENT].ssl);
		world_settle(w);
		assert_int_equal(w->told[SIDE_CLIENT].got_bytes, 4);
		assert_true(w->told[SIDE_CLIENT].ended);
		/* The FIN that follows is no second end. */
		player_say(&w->lower, MSG_END_OF_STREAM, SIDE_CLIENT, CONN, NULL, 0);
		world_settle(w);
		assert_int_equal(world_counter(w, TLS_COUNT_TRUNCATED), 0);
		/* The other direction is open until control ends it. */
		world_control_says(w, SIDE_CLIENT, "still", 5);
		player_say(&w->upper, MSG_END_OF_STREAM, SIDE_CLIENT, CONN, NULL, 0);
		world_settle(w);
		assert_true(w->endpoint[SIDE_CLIENT].got_end);
		world_free(w);
	}
}

static void control_ends_with_close_notify(void **state)
{
	(void)state;
	struct world *w = secure_world(TLS1_3_VERSION);
	world_control_says(w, SIDE_SERVER, "last", 4);
	player_say(&w->upper, MSG_END_OF_STREAM, SIDE_SERVER, CONN, NULL, 0);
	world_settle(w);
	assert_memory_equal(buf_head(&w->endpoint[SIDE_SERVER].got), "last", 4);
	assert_true(w->endpoint[SIDE_SERVER].saw_close_notify);
	assert_true(w->endpoint[SIDE_SERVER].got_end);
	/* It may answer to the end. */
	assert_int_equal(buf_put(&w->endpoint[SIDE_SERVER].to_send, "after", 5), 0);
	world_settle(w);
	assert_int_equal(w->told[SIDE_SERVER].got_bytes, 5);
	world_free(w);
}

/* The end waits behind a reader that is slow. */
static void an_end_overtakes_nothing(void **state)
{
	(void)state;
	struct world *w = secure_world(TLS1_3_VERSION);
	uint64_t said = 0, total = CHANNEL_WINDOW + 100000;
	w->endpoint[SIDE_CLIENT].slow = true;
	for (unsigned i = 0; i < 10; i++) {
		say_pattern(w, SIDE_CLIENT, &said, total);
		world_settle(w);
	}
	assert_int_equal(said, total);
	player_say(&w->upper, MSG_END_OF_STREAM, SIDE_CLIENT, CONN, NULL, 0);
	world_settle(w);
	assert_false(w->endpoint[SIDE_CLIENT].got_end);
	w->endpoint[SIDE_CLIENT].slow = false;
	world_settle(w);
	check_pattern(&w->endpoint[SIDE_CLIENT].got, total);
	assert_true(w->endpoint[SIDE_CLIENT].got_end);
	world_free(w);
}

static void a_fin_without_close_notify_is_counted(void **state)
{
	(void)state;
	struct world *w = secure_world(TLS1_3_VERSION);
	assert_int_equal(buf_put(&w->endpoint[SIDE_SERVER].to_send, "last", 4), 0);
	world_settle(w);
	/* A record that is cut, and the end. */
	static const uint8_t piece[] = {23, 3, 3, 1, 0, 1, 2, 3};
	player_say(&w->lower, MSG_BYTES, SIDE_SERVER, CONN, piece, sizeof(piece));
	player_say(&w->lower, MSG_END_OF_STREAM, SIDE_SERVER, CONN, NULL, 0);
	world_settle(w);
	assert_int_equal(w->told[SIDE_SERVER].got_bytes, 4);
	assert_true(w->told[SIDE_SERVER].ended);
	assert_int_equal(w->failures, 0);
	assert_int_equal(world_counter(w, TLS_COUNT_TRUNCATED), 1);
	world_free(w);
}

static void resets_pass_both_ways(void **state)
{
	(void)state;
	struct world *w = secure_world(TLS1_3_VERSION);
	world_control_says(w, SIDE_CLIENT, "last", 4);
	player_say(&w->upper, MSG_RESET, SIDE_CLIENT, CONN, NULL, 0);
	player_say(&w->lower, MSG_RESET, SIDE_SERVER, CONN, NULL, 0);
	world_settle(w);
	assert_memory_equal(buf_head(&w->endpoint[SIDE_CLIENT].got), "last", 4);
	assert_true(w->endpoint[SIDE_CLIENT].got_reset);
	assert_false(w->endpoint[SIDE_CLIENT].saw_close_notify);
	assert_true(w->told[SIDE_SERVER].reset);
	world_free(w);
}

/* How a server that is stopped leaves: close_notify, end, and a reset for what still came for it. */
static void each_end_is_said_once(void **state)
{
	(void)state;
	static const enum msg_type ways[][2] = {
		{MSG_END_OF_STREAM, MSG_RESET}, {MSG_RESET, MSG_NONE}, {MSG_END_OF_STREAM, MSG_NONE}};
	for (unsigned i = 0; i < 6; i++) {
		struct world *w = secure_world(TLS1_3_VERSION);
		assert_int_equal(buf_put(&w->endpoint[SIDE_SERVER].to_send, "last", 4), 0);
		world_turn(w);
		SSL_shutdown(w->endpoint[SIDE_SERVER].ssl);
		if (i < 3)
			world_settle(w);
		else
			world_turn(w);
		for (unsigned k = 0; k < 2 && ways[i % 3][k]; k++)
			player_say(&w->lower, ways[i % 3][k], SIDE_SERVER, CONN, NULL, 0);
		world_settle(w); /* the harness asserts that nothing comes twice */
		assert_int_equal(w->told[SIDE_SERVER].got_bytes, 4);
		assert_int_equal(w->told[SIDE_SERVER].reset, i % 3 < 2);
		assert_true(w->told[SIDE_SERVER].ended || w->told[SIDE_SERVER].reset);
		assert_int_equal(world_counter(w, TLS_COUNT_TRUNCATED), 0);
		world_free(w);
	}
}

static void a_bad_record_fails_the_connection(void **state)
{
	(void)state;
	struct world *w = secure_world(TLS1_3_VERSION);
	static const uint8_t bad[] = {23, 3, 3, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};
	player_say(&w->lower, MSG_BYTES, SIDE_CLIENT, CONN, bad, sizeof(bad));
	world_settle(w);
	assert_int_equal(w->failures, 1);
	assert_int_equal(w->failed_side, SIDE_CLIENT);
	assert_int_equal(w->failed.failure, TLS_FAILED_RECORD);
	assert_string_equal(w->failed.reason, "decryption failed or bad record mac");
	assert_int_equal(w->endpoint[SIDE_CLIENT].alert, SSL_AD_BAD_RECORD_MAC);
	/* What comes after it, from all sides, comes to nothing but the end. */
	player_say(&w->lower, MSG_BYTES, SIDE_CLIENT, CONN, bad, sizeof(bad));
	assert_int_equal(buf_put(&w->endpoint[SIDE_SERVER].to_send, "more", 4), 0);
	world_control_says(w, SIDE_SERVER, "late", 4);
	world_settle(w);
	for (unsigned side = 0; side < SIDES; side++)
		player_say(&w->upper, MSG_END_OF_STREAM, side, CONN, NULL, 0);
	world_settle(w);
	assert_true(w->endpoint[SIDE_CLIENT].got_end && w->endpoint[SIDE_SERVER].got_end);
	assert_int_equal(w->endpoint[SIDE_SERVER].got_bytes, 0);
	assert_int_equal(w->failures, 1);
	world_free(w);
}

static void an_id_ends_with_its_connection(void **state)
{
	(void)state;
	struct world *w = secure_world(TLS1_3_VERSION);
	player_say(&w->lower, MSG_CLOSED, SIDE_CLIENT, CONN, NULL, 0);
	/* Control had not heard yet. */
	world_control_says(w, SIDE_CLIENT, "late", 4);
	player_say(&w->upper, MSG_END_OF_STREAM, SIDE_CLIENT, CONN, NULL, 0);
	player_say(&w->upper, MSG_RESET, SIDE_SERVER, CONN, NULL, 0);
	world_settle(w);
	assert_true(w->closed);
	const struct msg_credit credit = {5};
	player_say(&w->upper, MSG_CREDIT, SIDE_CLIENT, CONN, &credit, sizeof(credit));
	world_start_tls(w, AUTH_STRONG);
	world_settle(w);
	assert_null(conn_find(&w->relay->conns, CONN));
	assert_int_equal(world_counter(w, TLS_COUNT_CLOSED), 1);
	world_free(w);
}

/* More plaintext on its way than can stand before the first record: not what a server does before TLS. */
static void too_much_plaintext_before_tls(void **state)
{
	(void)state;
	struct world *w = plain_world();
	uint64_t said = 0;
	w->endpoint[SIDE_CLIENT].slow = true;
	for (unsigned i = 0; i < 20; i++) {
		say_pattern(w, SIDE_CLIENT, &said, BULK_BYTES);
		world_settle(w);
	}
	world_start_tls(w, AUTH_STRONG);
	world_settle(w);
	assert_int_equal(w->failures, 1);
	assert_string_equal(w->failed.reason, "too much plaintext waits to be sent before TLS");
	world_free(w);
}

/* --- what breaks the contract --- */

typedef void (*deed)(struct world *w);

static void say_up(struct world *w, enum msg_type type, const void *payload, uint32_t n)
{
	player_say(&w->lower, type, SIDE_CLIENT, CONN, payload, n);
}

static void say_down(struct world *w, enum msg_type type, const void *payload, uint32_t n)
{
	player_say(&w->upper, type, SIDE_CLIENT, CONN, payload, n);
}

static void start_twice(struct world *w)
{
	world_start_tls(w, AUTH_STRONG);
	world_start_tls(w, AUTH_STRONG);
}

static void start_unterminated(struct world *w)
{
	struct msg_start_tls start = {.level = AUTH_STRONG};
	memset(start.client_name, 'a', sizeof(start.client_name));
	memcpy(start.server_name, "b.example", 10);
	say_down(w, MSG_START_TLS, &start, sizeof(start));
}

static void start_at_no_level(struct world *w)
{
	world_start_tls(w, 7);
}

static void start_with_nobody(struct world *w)
{
	const struct msg_start_tls start = {.client_name = "a.example"};
	say_down(w, MSG_START_TLS, &start, sizeof(start));
}

static void speak_in_the_handshake(struct world *w)
{
	world_start_tls(w, AUTH_STRONG);
	say_down(w, MSG_BYTES, "x", 1);
}

static void control_opens(struct world *w)
{
	const struct msg_opened opened = {.family = 4};
	say_down(w, MSG_OPENED, &opened, sizeof(opened));
}

static void control_ends_twice(struct world *w)
{
	say_down(w, MSG_END_OF_STREAM, NULL, 0);
	say_down(w, MSG_END_OF_STREAM, NULL, 0);
}

static void control_speaks_after_the_end(struct world *w)
{
	say_down(w, MSG_END_OF_STREAM, NULL, 0);
	say_down(w, MSG_BYTES, "x", 1);
}

static void control_gives_too_much_credit(struct world *w)
{
	const struct msg_credit credit = {1};
	say_down(w, MSG_CREDIT, &credit, sizeof(credit));
}

static void control_sends_too_much(struct world *w)
{
	static const uint8_t bytes[CHANNEL_PAYLOAD_MAX];
	w->endpoint[SIDE_CLIENT].slow = true;
	for (unsigned i = 0; i <= CHANNEL_WINDOW / sizeof(bytes); i++)
		say_down(w, MSG_BYTES, bytes, sizeof(bytes));
}

static void opened_twice(struct world *w)
{
	const struct msg_opened opened = {.family = 4};
	say_up(w, MSG_OPENED, &opened, sizeof(opened));
}

static void opened_on_no_wire(struct world *w)
{
	const struct msg_opened opened = {.family = 4, .client_wire = WIRES};
	player_say(&w->lower, MSG_OPENED, SIDE_CLIENT, CONN + 1, &opened, sizeof(opened));
}

static void bytes_of_nobody(struct world *w)
{
	player_say(&w->lower, MSG_BYTES, SIDE_CLIENT, CONN + 1, "x", 1);
}

static void end_of_nobody(struct world *w)
{
	player_say(&w->lower, MSG_CLOSED, SIDE_CLIENT, CONN + 1, NULL, 0);
}

static void wire_ends_and_speaks(struct world *w)
{
	w->told[SIDE_CLIENT].slow = true;
	say_up(w, MSG_RESET, NULL, 0);
	say_up(w, MSG_BYTES, "x", 1);
}

static void wire_gives_too_much_credit(struct world *w)
{
	const struct msg_credit credit = {UINT32_MAX};
	say_up(w, MSG_CREDIT, &credit, sizeof(credit));
}

static void wire_sends_too_much(struct world *w)
{
	static const uint8_t bytes[CHANNEL_PAYLOAD_MAX];
	for (unsigned i = 0; i <= CHANNEL_WINDOW / sizeof(bytes); i++)
		say_up(w, MSG_BYTES, bytes, sizeof(bytes));
}

static void dataplane_says_secured(struct world *w)
{
	const struct msg_secured secured = {.version = "TLSv1.3"};
	say_up(w, MSG_SECURED, &secured, sizeof(secured));
}

static void keyd_goes(struct world *w)
{
	close(w->keyd_fd);
	w->keyd_fd = -1;
	w->keyd_held = true;
	for (unsigned side = 0; side < SIDES; side++)
		world_endpoint_tls(w, side, &w->site[side], NULL, TLS1_3_VERSION);
	world_start_tls(w, AUTH_STRONG);
	for (unsigned i = 0; i < 20 && w->rc >= 0; i++)
		world_turn(w);
}

static void keyd_answers_nonsense(struct world *w)
{
	for (unsigned side = 0; side < SIDES; side++)
		world_endpoint_tls(w, side, &w->site[side], NULL, TLS1_3_VERSION);
	w->keyd_held = true;
	world_start_tls(w, AUTH_STRONG);
	for (unsigned i = 0; i < 20 && !keys_expects(w->relay->keys); i++)
		world_turn(w);
	const struct keyd_answer answer = {.version = KEYD_VERSION, .type = KEYD_MINT, .id = 1, .len = 500};
	assert_int_equal(send(w->keyd_fd, &answer, 30, 0), 30);
	world_turn(w);
}

static const struct {
	const char *what;
	deed deed;
} deeds[] = {
	{"START_TLS twice", start_twice},
	{"a name without end", start_unterminated},
	{"an unknown level", start_at_no_level},
	{"no server name", start_with_nobody},
	{"bytes in the handshake", speak_in_the_handshake},
	{"control opens", control_opens},
	{"control ends twice", control_ends_twice},
	{"control speaks after the end", control_speaks_after_the_end},
	{"control gives too much credit", control_gives_too_much_credit},
	{"control sends too much", control_sends_too_much},
	{"opened twice", opened_twice},
	{"opened on no wire", opened_on_no_wire},
	{"bytes of nobody", bytes_of_nobody},
	{"end of nobody", end_of_nobody},
	{"bytes after a reset", wire_ends_and_speaks},
	{"the dataplane gives too much credit", wire_gives_too_much_credit},
	{"the dataplane sends too much", wire_sends_too_much},
	{"the dataplane says secured", dataplane_says_secured},
	{"keyd is gone", keyd_goes},
	{"keyd answers nonsense", keyd_answers_nonsense},
};

static void the_contract_is_kept_or_it_is_over(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(deeds) / sizeof(*deeds); i++) {
		struct world *w = plain_world();
		deeds[i].deed(w);
		if (w->rc >= 0)
			world_turn(w);
		if (w->rc != -EPROTO)
			fail_msg("%s: rc %d", deeds[i].what, w->rc);
		world_free(w);
	}
}

/* --- many at once --- */

static void certificates_are_made_once(void **state)
{
	(void)state;
	struct world *w = secure_world(TLS1_3_VERSION);
	const struct guard_certificate *first, *again;
	const struct keys_wanted inside = {.wire = WIRE_INSIDE, .domain = "b.example"},
				 outside = {.wire = WIRE_OUTSIDE, .domain = "b.example"};
	assert_int_equal(keys_certificate(w->relay->keys, &inside, &first), KEYS_READY);
	assert_int_equal(keys_certificate(w->relay->keys, &inside, &again), KEYS_READY);
	assert_ptr_equal(first, again);
	assert_int_equal(w->keyd_requests[KEYD_MINT], 2);
	assert_int_equal(world_counter(w, TLS_COUNT_CERTIFICATES), 2);
	/* Another name, another wire: not the same one. Refused is not remembered. */
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(keys_certificate(w->relay->keys, &outside, &again), KEYS_PENDING);
		world_settle(w);
		assert_int_equal(keys_certificate(w->relay->keys, &outside, &again), KEYS_REFUSED);
	}
	assert_int_equal(w->keyd_requests[KEYD_MINT], 4);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_bytes_pass_as_they_are),
		cmocka_unit_test(ten_megabytes_all_ways),
		cmocka_unit_test(a_slow_reader_slows_its_writer),
		cmocka_unit_test(key_updates_are_answered),
		cmocka_unit_test(early_plaintext_waits_for_both),
		cmocka_unit_test(ends_in_plain),
		cmocka_unit_test(close_notify_is_an_end),
		cmocka_unit_test(control_ends_with_close_notify),
		cmocka_unit_test(an_end_overtakes_nothing),
		cmocka_unit_test(a_fin_without_close_notify_is_counted),
		cmocka_unit_test(resets_pass_both_ways),
		cmocka_unit_test(each_end_is_said_once),
		cmocka_unit_test(a_bad_record_fails_the_connection),
		cmocka_unit_test(an_id_ends_with_its_connection),
		cmocka_unit_test(too_much_plaintext_before_tls),
		cmocka_unit_test(the_contract_is_kept_or_it_is_over),
		cmocka_unit_test(certificates_are_made_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
