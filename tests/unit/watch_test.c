/* Connections on ports that are not configured: found by their first bytes, or left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <rte_ring.h>

#include "dataplane/split.h"
#include "dataplane/watch.h"
#include "worker_harness.h"

#define HEADER "<?xml version='1.0'?><stream:stream xmlns='jabber:server' to='b.example'>"

enum { PORT = 443 };

static const uint8_t options[] = {
	2, 4, 5, 0xb4,                 /* MSS 1460 */
	4, 2, 8, 10, 0, 0, 3, 232, 0, 0, 0, 0, /* SACK permitted, timestamps */
	1, 3, 3, 7,                    /* window scale */
	34, 2, 30, 4, 0, 0, 1, 1,      /* a TFO cookie is asked for, and something new */
};
static_assert(sizeof(options) % 4 == 0, "options");
static const uint8_t stamps[] = {1, 1, 8, 10, 0, 0, 3, 240, 0, 0, 3, 232};

static struct made_tcp client(uint32_t seq, uint32_t ack, uint8_t flags, const char *text)
{
	struct made_tcp tcp = from_client(seq, ack, flags);
	tcp.to = PORT;
	tcp.options = flags & TCP_SYN ? options : stamps;
	tcp.options_len = flags & TCP_SYN ? sizeof(options) : sizeof(stamps);
	tcp.data = text;
	tcp.data_len = text ? strlen(text) : 0;
	return tcp;
}

static struct made_tcp server(uint32_t seq, uint32_t ack, uint8_t flags, const char *text)
{
	struct made_tcp tcp = client(seq, ack, flags, text);
	tcp.from = PORT;
	tcp.to = 40000;
	tcp.seq = ISN_SERVER + seq;
	tcp.ack = ISN_CLIENT + ack;
	return tcp;
}

static struct made passes(struct bench *b, enum wire from, const struct made_tcp *tcp)
{
	struct made made = from == WIRE_INSIDE ? make(b, CLIENT, SERVER, tcp) : make(b, SERVER, CLIENT, tcp);
	inject(b, from, &made);
	assert_true(comes_out(b, wire_other(from), &made));
	return made;
}

static struct made is_kept(struct bench *b, const struct made_tcp *tcp)
{
	struct made made = make(b, CLIENT, SERVER, tcp);
	inject(b, WIRE_INSIDE, &made);
	assert_true(nothing_comes_out(b));
	return made;
}

/* The handshake, byte for byte. */
static void shake_hands(struct bench *b)
{
	struct made_tcp syn = client(0, 0, TCP_SYN, NULL), syn_ack = server(0, 1, TCP_SYN | TCP_ACK, NULL),
		ack = client(1, 1, TCP_ACK, NULL);
	passes(b, WIRE_INSIDE, &syn);
	passes(b, WIRE_OUTSIDE, &syn_ack);
	passes(b, WIRE_INSIDE, &ack);
}

static int before(void **state)
{
	struct bench *b = *state;
	b->worker->elsewhere = ELSEWHERE_GUARD;
	b->worker->websocket = ANSWER_ALERT;
	b->worker->quic = ANSWER_ALERT;
	memset(b->worker->notice_limit, 0, sizeof(b->worker->notice_limit));
	return bench_before_each(state);
}

static int after(void **state)
{
	struct bench *b = *state;
	assert_int_equal(bench_after_each(state), 0);
	assert_int_equal(b->worker->held, 0);
	return 0;
}

static void hear_notice(struct bench *b, enum notice_kind kind, bool blocked)
{
	struct channel_msg msg;
	struct msg_notice notice;
	assert_true(player_hear(&b->player, &msg, &notice));
	assert_int_equal(msg.type, MSG_NOTICE);
	assert_int_equal(msg.conn, 0);
	assert_int_equal(notice.kind, kind);
	assert_int_equal(notice.blocked, blocked);
	assert_int_equal(notice.src_port, 40000);
}

static void hear_bytes(struct bench *b, uint64_t conn, const char *text)
{
	player_expect(&b->player, MSG_BYTES, SIDE_CLIENT, conn, text, (uint32_t)strlen(text));
}

/* --- left alone --- */

static void what_is_not_xmpp_is_untouched(void **state)
{
	struct bench *b = *state;
	shake_hands(b);
	struct made_tcp data = client(1, 1, TCP_ACK | TCP_PSH, "SSH-2.0-x\r\n"), ack = server(1, 12, TCP_ACK, NULL),
		more = client(12, 1, TCP_ACK, "<stream:stream>");
	passes(b, WIRE_INSIDE, &data);
	assert_int_equal(b->worker->flows.count[FLOW_JUDGED], 1);
	passes(b, WIRE_INSIDE, &data); /* the same, again */
	passes(b, WIRE_OUTSIDE, &ack);
	assert_int_equal(b->worker->flows.count[FLOW_JUDGED], 0);
	passes(b, WIRE_INSIDE, &more); /* not the first bytes any more */
	player_expect_none(&b->player);
}

static void a_server_may_speak_first(void **state)
{
	struct bench *b = *state;
	shake_hands(b);
	struct made_tcp banner = server(1, 1, TCP_ACK, "220 mail\r\n"), ack = client(1, 11, TCP_ACK, NULL),
		data = client(1, 11, TCP_ACK, "EHLO a\r\n");
	passes(b, WIRE_OUTSIDE, &banner);
	passes(b, WIRE_INSIDE, &ack);
	passes(b, WIRE_INSIDE, &data);
}

static void two_segments_of_one_hello_leave_as_they_came(void **state)
{
	struct bench *b = *state;
	shake_hands(b);
	struct made_tcp first = client(1, 1, TCP_ACK, "GET / HTTP/1.1\r\n"), second = client(17, 1, TCP_ACK, "\r\n");
	struct made held = is_kept(b, &first), last = make(b, CLIENT, SERVER, &second);
	assert_int_equal(b->worker->held, 1);
	inject(b, WIRE_INSIDE, &last);
	assert_true(comes_out(b, WIRE_OUTSIDE, &held));
	assert_true(comes_out(b, WIRE_OUTSIDE, &last));
	assert_int_equal(counted(b, COUNT_RELAYED), 0);
}

static void without_a_handshake_nothing_is_judged(void **state)
{
	struct bench *b = *state;
	struct made_tcp data = client(500, 1, TCP_ACK, HEADER);
	passes(b, WIRE_INSIDE, &data);
}

static void forwarded_unseen_if_so_configured(void **state)
{
	struct bench *b = *state;
	b->worker->elsewhere = ELSEWHERE_FORWARD;
	b->worker->websocket = ANSWER_FORWARD;
	shake_hands(b);
	struct made_tcp data = client(1, 1, TCP_ACK, HEADER);
	passes(b, WIRE_INSIDE, &data);
	assert_int_equal(b->worker->flows.count[FLOW_WATCHED], 0);
}

/* --- found --- */

static void a_header_is_guarded(void **state)
{
	struct bench *b = *state;
	struct msg_opened opened;
	struct seen seen;
	shake_hands(b);
	struct made_tcp data = client(1, 1, TCP_ACK | TCP_PSH, HEADER);
	client_says(b, &data);
	hear_notice(b, NOTICE_ELSEWHERE, false);
	uint64_t conn = hear_opened(b, &opened);
	assert_int_equal(opened.server_port, PORT);
	hear_bytes(b, conn, HEADER);
	assert_true(take(b, WIRE_OUTSIDE, &seen.made)); /* at most the handshake's ACK */
	frame_parse(&seen.frame, seen.made.bytes, seen.made.len);
	assert_int_equal(tcp_seg_parse(&seen.seg, seen.frame.bytes + seen.frame.tcp, seen.frame.tcp_len), 0);
	assert_int_equal(seen.seg.len, 0);
	assert_true(seen.seg.has_timestamps);
	empty(b);
	player_say(&b->player, MSG_BYTES, SIDE_SERVER, conn, "checked", 7);
	bench_run(b);
	see(b, WIRE_OUTSIDE, &seen);
	assert_int_equal(seen.seg.len, 7);
	assert_memory_equal(seen.seg.data, "checked", 7);
	assert_int_equal(seen.seg.seq.v, ISN_CLIENT + 1);
	assert_true(seen.seg.has_timestamps);
	assert_int_equal(seen.seg.ts_ecr, 1000);
	assert_true(nothing_comes_out(b));
}

static void found_in_ipv6_behind_two_tags(void **state)
{
	struct bench *b = *state;
	b->family = 6;
	b->tags = 2;
	a_header_is_guarded(state);
}

static void a_header_in_single_bytes_is_guarded(void **state)
{
	struct bench *b = *state;
	struct msg_opened opened;
	char text[sizeof(HEADER)] = HEADER, byte[2] = "";
	shake_hands(b);
	for (unsigned i = 0; text[i]; i++) {
		byte[0] = text[i];
		struct made_tcp data = client(1 + i, 1, TCP_ACK, byte);
		client_says(b, &data);
		struct made made;
		while (take(b, WIRE_OUTSIDE, &made)) {
			struct frame frame;
			struct tcp_seg seg;
			frame_parse(&frame, made.bytes, made.len);
			assert_int_equal(tcp_seg_parse(&seg, frame.bytes + frame.tcp, frame.tcp_len), 0);
			assert_int_equal(seg.len, 0);
		}
	}
	assert_int_equal(counted(b, COUNT_RELAYED), 1);
	hear_notice(b, NOTICE_ELSEWHERE, false);
	uint64_t conn = hear_opened(b, &opened);
	hear_bytes(b, conn, HEADER);
	empty(b);
}

/* Its sender waits for the ACK of the first byte (RFC 9293 3.7.4) before it sends the next. */
static void who_waits_for_an_ack_gets_one(void **state)
{
	struct bench *b = *state;
	struct seen seen;
	shake_hands(b);
	struct made_tcp data = client(1, 1, TCP_ACK, "<");
	is_kept(b, &data);
	usleep(WATCH_HOLD_US + 20000);
	bench_run(b);
	assert_int_equal(b->worker->flows.count[FLOW_SPLIT], 1);
	empty(b); /* the handshake's ACK to the server */
	usleep(60000);
	bench_run(b);
	see(b, WIRE_INSIDE, &seen);
	assert_int_equal(seen.seg.ack.v, ISN_CLIENT + 2);
	assert_true(nothing_comes_out(b));
}

static void a_trickle_of_others_is_relayed(void **state)
{
	struct bench *b = *state;
	struct seen seen;
	shake_hands(b);
	struct made_tcp first = client(1, 1, TCP_ACK, "<"), second = client(2, 1, TCP_ACK, "html>"),
		answer = server(1, 7, TCP_ACK, "<ok/>"), end = client(7, 6, TCP_ACK | TCP_FIN, NULL);
	is_kept(b, &first);
	usleep(WATCH_HOLD_US + 20000);
	bench_run(b);
	empty(b);
	client_says(b, &second);
	see(b, WIRE_OUTSIDE, &seen);
	assert_int_equal(seen.seg.len, 6);
	assert_memory_equal(seen.seg.data, "<html>", 6);
	assert_int_equal(seen.seg.seq.v, ISN_CLIENT + 1);
	empty(b);
	server_says(b, &answer);
	see(b, WIRE_INSIDE, &seen);
	assert_memory_equal(seen.seg.data, "<ok/>", 5);
	empty(b);
	client_says(b, &end);
	see(b, WIRE_OUTSIDE, &seen);
	assert_true(seen.seg.flags & TCP_FIN);
	empty(b);
	player_expect_none(&b->player);
	struct made_tcp reset = server(6, 8, TCP_RST | TCP_ACK, NULL);
	server_says(b, &reset);
	see(b, WIRE_INSIDE, &seen);
	while (!(seen.seg.flags & TCP_RST))
		see(b, WIRE_INSIDE, &seen);
	empty(b);
}

static void a_relay_outlives_those_above(void **state)
{
	struct bench *b = *state;
	struct seen seen;
	shake_hands(b);
	struct made_tcp first = client(1, 1, TCP_ACK, "<"), second = client(2, 1, TCP_ACK, "html>");
	is_kept(b, &first);
	usleep(WATCH_HOLD_US + 20000);
	bench_run(b);
	bench_detach(b);
	bench_run(b);
	empty(b);
	client_says(b, &second);
	see(b, WIRE_OUTSIDE, &seen);
	assert_memory_equal(seen.seg.data, "<html>", 6);
	empty(b);
}

/* --- blocked --- */

static void expect_resets(struct bench *b)
{
	struct seen seen;
	see(b, WIRE_OUTSIDE, &seen);
	assert_true(seen.seg.flags & TCP_RST);
	assert_int_equal(seen.seg.seq.v, ISN_CLIENT + 1);
	see(b, WIRE_INSIDE, &seen);
	assert_true(seen.seg.flags & TCP_RST);
	assert_int_equal(seen.seg.seq.v, (uint32_t)ISN_SERVER + 1);
	assert_true(nothing_comes_out(b));
}

static void blocked_if_so_configured(void **state)
{
	struct bench *b = *state;
	b->worker->elsewhere = ELSEWHERE_BLOCK;
	shake_hands(b);
	struct made_tcp data = client(1, 1, TCP_ACK, HEADER), retry = client(1, 1, TCP_ACK, "GET");
	client_says(b, &data);
	expect_resets(b);
	hear_notice(b, NOTICE_ELSEWHERE, true);
	client_says(b, &retry);
	expect_resets(b);
	client_says(b, &data);
	expect_resets(b);
}

static void a_new_connection_may_follow_a_blocked_one(void **state)
{
	struct bench *b = *state;
	blocked_if_so_configured(state);
	struct made_tcp syn = client(5000, 0, TCP_SYN, NULL), syn_ack = server(5000, 5001, TCP_SYN | TCP_ACK, NULL),
		data = client(5001, 5001, TCP_ACK, "SSH"), old = client(1, 1, TCP_ACK, HEADER);
	passes(b, WIRE_INSIDE, &syn);
	client_says(b, &old);
	expect_resets(b);
	passes(b, WIRE_OUTSIDE, &syn_ack);
	passes(b, WIRE_INSIDE, &data);
}

static void guarded_needs_somebody_above(void **state)
{
	struct bench *b = *state;
	bench_detach(b);
	shake_hands(b);
	struct made_tcp data = client(1, 1, TCP_ACK, HEADER);
	client_says(b, &data);
	expect_resets(b);
	assert_int_equal(counted(b, COUNT_REFUSED_DETACHED), 1);
}

static void who_was_guarded_does_not_go_on_alone(void **state)
{
	struct bench *b = *state;
	shake_hands(b);
	struct made_tcp data = client(1, 1, TCP_ACK, HEADER), more = client(74, 1, TCP_ACK, "<message/>");
	client_says(b, &data);
	bench_detach(b);
	bench_run(b);
	empty(b);
	client_says(b, &more);
	struct seen seen;
	see(b, WIRE_OUTSIDE, &seen);
	assert_true(seen.seg.flags & TCP_RST);
	assert_int_equal(seen.seg.len, 0);
	empty(b);
}

/* --- tricks --- */

/* A decoy that never reaches the server (for its hop limit), and then the real thing. */
static void first_bytes_may_not_change(void **state)
{
	struct bench *b = *state;
	shake_hands(b);
	struct made_tcp decoy = client(1, 1, TCP_ACK, "HELO x"), real = client(1, 1, TCP_ACK, HEADER);
	passes(b, WIRE_INSIDE, &decoy);
	client_says(b, &real);
	expect_resets(b);
	hear_notice(b, NOTICE_CONFLICT, true);
}

static void a_decoy_with_a_bad_checksum_is_not_judged(void **state)
{
	struct bench *b = *state;
	struct msg_opened opened;
	shake_hands(b);
	struct made_tcp decoy = client(1, 1, TCP_ACK, "HELO x"), real = client(1, 1, TCP_ACK, HEADER);
	struct made made = make(b, CLIENT, SERVER, &decoy);
	made.bytes[made.tcp + 16] ^= 1;
	inject(b, WIRE_INSIDE, &made);
	assert_true(comes_out(b, WIRE_OUTSIDE, &made));
	client_says(b, &real);
	hear_notice(b, NOTICE_ELSEWHERE, false);
	hear_opened(b, &opened);
	empty(b);
}

static void a_decoy_of_a_syn_does_not_count(void **state)
{
	struct bench *b = *state;
	struct msg_opened opened;
	struct made_tcp syn = client(0, 0, TCP_SYN, NULL), decoy = client(77, 0, TCP_SYN, "HELO"),
		syn_ack = server(0, 1, TCP_SYN | TCP_ACK, NULL), data = client(1, 1, TCP_ACK, HEADER);
	passes(b, WIRE_INSIDE, &syn);
	passes(b, WIRE_INSIDE, &decoy);
	passes(b, WIRE_OUTSIDE, &syn_ack);
	decoy.seq = ISN_CLIENT - 3;
	passes(b, WIRE_INSIDE, &decoy);
	passes(b, WIRE_OUTSIDE, &syn_ack);
	client_says(b, &data);
	hear_notice(b, NOTICE_ELSEWHERE, false);
	hear_opened(b, &opened);
	empty(b);
}

static void urgent_bytes_are_put_in_line(void **state)
{
	struct bench *b = *state;
	struct seen seen;
	shake_hands(b);
	struct made_tcp data = client(1, 1, TCP_ACK | TCP_URG, "x" HEADER);
	client_says(b, &data);
	see(b, WIRE_OUTSIDE, &seen);
	while (!seen.seg.len)
		see(b, WIRE_OUTSIDE, &seen);
	assert_false(seen.seg.flags & TCP_URG);
	assert_memory_equal(seen.seg.data, "x<?xml", 6);
	empty(b);
}

static void what_comes_out_of_order_is_put_in_order(void **state)
{
	struct bench *b = *state;
	struct msg_opened opened;
	shake_hands(b);
	struct made_tcp second = client(6, 1, TCP_ACK, &HEADER[5]), first = client(1, 1, TCP_ACK, "<?xml");
	client_says(b, &second);
	client_says(b, &first);
	hear_notice(b, NOTICE_ELSEWHERE, false);
	uint64_t conn = hear_opened(b, &opened);
	hear_bytes(b, conn, HEADER);
	empty(b);
}

static void data_of_a_syn_are_cut_if_they_may_be_xmpp(void **state)
{
	struct bench *b = *state;
	struct made_tcp syn = client(0, 0, TCP_SYN, HEADER), bare = client(0, 0, TCP_SYN, NULL);
	struct made made = make(b, CLIENT, SERVER, &syn), expected = make(b, CLIENT, SERVER, &bare);
	inject(b, WIRE_INSIDE, &made);
	assert_true(comes_out(b, WIRE_OUTSIDE, &expected));
	struct made_tcp other = client(0, 0, TCP_SYN, "HELO"), syn_ack = server(0, 5, TCP_SYN | TCP_ACK, NULL);
	forget_flows(b);
	passes(b, WIRE_INSIDE, &other);
	passes(b, WIRE_OUTSIDE, &syn_ack); /* the server took them */
	assert_int_equal(b->worker->flows.count[FLOW_SEEN] + b->worker->flows.count[FLOW_WATCHED], 0);
}

/* Two halves could not go on from where the server is, while the client has not heard all of it. */
static void waits_until_the_client_has_heard_the_server(void **state)
{
	struct bench *b = *state;
	struct msg_opened opened;
	shake_hands(b);
	struct made_tcp blank = server(1, 1, TCP_ACK, " "), data = client(1, 1, TCP_ACK, HEADER),
		ack = client(74, 2, TCP_ACK, NULL);
	passes(b, WIRE_OUTSIDE, &blank);
	is_kept(b, &data);
	client_says(b, &ack);
	hear_notice(b, NOTICE_ELSEWHERE, false);
	hear_opened(b, &opened);
	empty(b);
}

static void what_is_held_is_bounded(void **state)
{
	struct bench *b = *state;
	b->worker->held = WATCH_HELD_ALL_MAX;
	shake_hands(b);
	struct made_tcp data = client(1, 1, TCP_ACK, "<"), blank = server(1, 1, TCP_ACK, " ");
	passes(b, WIRE_OUTSIDE, &blank);
	is_kept(b, &data);
	assert_int_equal(counted(b, COUNT_DROP_HELD_TOO_MUCH), 1);
	b->worker->held = 0;
}

/* What is not let through is sent again, and passes when there is memory. */
static void what_was_judged_is_drawn_from_the_budget(void **state)
{
	struct bench *b = *state;
	struct tcp_budget *memory = &b->worker->memory;
	size_t used = memory->used_bytes;
	shake_hands(b);
	struct made_tcp data = client(1, 1, TCP_ACK, "SSH-2.0-x\r\n"), ack = server(1, 12, TCP_ACK, NULL);
	memory->used_bytes = memory->max_bytes - 5;
	is_kept(b, &data);
	assert_int_equal(counted(b, COUNT_DROP_OUT_OF_MEMORY), 1);
	memory->used_bytes = used;
	passes(b, WIRE_INSIDE, &data);
	assert_int_equal(memory->used_bytes, used + 11);
	passes(b, WIRE_OUTSIDE, &ack);
	assert_int_equal(memory->used_bytes, used);
}

static void the_table_is_bounded(void **state)
{
	struct bench *b = *state;
	struct made_tcp syn = client(0, 0, TCP_SYN, NULL);
	for (unsigned i = 0; i < FLOWS_SEEN_MAX + 10; i++) {
		syn.from = (uint16_t)(10000 + i % 50000);
		struct made made = make(b, (uint8_t)(10 + i / 50000), SERVER, &syn);
		inject(b, WIRE_INSIDE, &made);
		empty(b);
	}
	assert_int_equal(b->worker->flows.count[FLOW_SEEN], FLOWS_SEEN_MAX);
	assert_int_equal(counted(b, COUNT_WATCH_EVICTED), 10);
}

/* --- other ways around --- */

static void websockets_are_told_of_or_blocked(void **state)
{
	struct bench *b = *state;
	shake_hands(b);
	struct made_tcp data = client(1, 1, TCP_ACK, "GET / HTTP/1.1\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n");
	passes(b, WIRE_INSIDE, &data);
	hear_notice(b, NOTICE_WEBSOCKET, false);
	forget_flows(b);
	b->worker->websocket = ANSWER_BLOCK;
	shake_hands(b);
	client_says(b, &data);
	hear_notice(b, NOTICE_WEBSOCKET, true);
	expect_resets(b);
}

static struct made quic(struct bench *b)
{
	uint8_t payload[1208] = {0x9c, 0x40, 1, 0xbb, 4, 0xb8, 0, 0, 0xc3, 0, 0, 0, 1, 8};
	struct made made = make(b, CLIENT, SERVER, NULL);
	made.bytes[made.ip + (b->family == 4 ? 9 : 6)] = 17;
	make_bytes(&made, payload, sizeof(payload));
	make_done(&made);
	return made;
}

static void quic_is_told_of_or_blocked(void **state)
{
	struct bench *b = *state;
	for (b->family = 4; b->family <= 6; b->family += 2) {
		struct made made = quic(b);
		b->worker->quic = ANSWER_FORWARD;
		inject(b, WIRE_INSIDE, &made);
		assert_true(comes_out(b, WIRE_OUTSIDE, &made));
		player_expect_none(&b->player);
		b->worker->quic = ANSWER_ALERT;
		inject(b, WIRE_INSIDE, &made);
		assert_true(comes_out(b, WIRE_OUTSIDE, &made));
		hear_notice(b, NOTICE_QUIC, false);
		b->worker->quic = ANSWER_BLOCK;
		inject(b, WIRE_INSIDE, &made);
		assert_true(nothing_comes_out(b));
		hear_notice(b, NOTICE_QUIC, true);
	}
	assert_int_equal(counted(b, COUNT_DROP_QUIC), 2);
	for (unsigned i = 0; i < 20; i++) {
		struct made made = quic(b);
		inject(b, WIRE_INSIDE, &made);
	}
	assert_true(b->worker->notice_limit[NOTICE_QUIC].untold > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, before, after)
		T(what_is_not_xmpp_is_untouched),
		T(a_server_may_speak_first),
		T(two_segments_of_one_hello_leave_as_they_came),
		T(without_a_handshake_nothing_is_judged),
		T(forwarded_unseen_if_so_configured),
		T(a_header_is_guarded),
		T(found_in_ipv6_behind_two_tags),
		T(a_header_in_single_bytes_is_guarded),
		T(who_waits_for_an_ack_gets_one),
		T(a_trickle_of_others_is_relayed),
		T(a_relay_outlives_those_above),
		T(blocked_if_so_configured),
		T(a_new_connection_may_follow_a_blocked_one),
		T(guarded_needs_somebody_above),
		T(who_was_guarded_does_not_go_on_alone),
		T(first_bytes_may_not_change),
		T(a_decoy_with_a_bad_checksum_is_not_judged),
		T(a_decoy_of_a_syn_does_not_count),
		T(urgent_bytes_are_put_in_line),
		T(what_comes_out_of_order_is_put_in_order),
		T(data_of_a_syn_are_cut_if_they_may_be_xmpp),
		T(waits_until_the_client_has_heard_the_server),
		T(what_is_held_is_bounded),
		T(what_was_judged_is_drawn_from_the_budget),
		T(the_table_is_bounded),
		T(websockets_are_told_of_or_blocked),
		T(quic_is_told_of_or_blocked),
	};
	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
