/* The whole worker, round by round. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "dataplane/upper.h"
#include "dataplane/split.h"
#include "worker_harness.h"

static const uint8_t all_options[] = {
	2, 4, 0x23, 0x28,              /* MSS 9000 */
	4, 2,                          /* SACK permitted */
	8, 10, 1, 2, 3, 4, 0, 0, 0, 0, /* timestamps */
	1, 3, 3, 7,                    /* window scale */
	34, 8, 1, 2, 3, 4, 5, 6,       /* TFO cookie */
	30, 4, 0, 0,                   /* something new */
	1, 1, 1, 0,
};
static_assert(sizeof(all_options) % 4 == 0, "options");

/* --- bridging --- */

static void bridges_what_is_not_guarded(void **state)
{
	struct bench *b = *state;
	struct made_tcp http = {.from = 40000, .to = 8080, .flags = TCP_SYN, .options = all_options,
		.options_len = sizeof(all_options)};
	struct made made = make(b, CLIENT, SERVER, &http);
	made.bytes[made.tcp + 16] ^= 1; /* a wrong checksum is not ours to judge */
	inject(b, WIRE_INSIDE, &made);
	assert_true(comes_out(b, WIRE_OUTSIDE, &made));
	struct made odd = {.len = 61};
	for (unsigned i = 0; i < 100; i++) {
		for (size_t k = 0; k < odd.len; k++)
			odd.bytes[k] = (uint8_t)(i * 31 + k);
		inject(b, WIRE_OUTSIDE, &odd);
		assert_true(comes_out(b, WIRE_INSIDE, &odd));
	}
	assert_int_equal(counted(b, COUNT_FRAMES_TO_OUTSIDE), 1);
	assert_int_equal(counted(b, COUNT_FRAMES_TO_INSIDE), 100);
	assert_true(nothing_comes_out(b));
}

static void drops_what_could_hide_tcp(void **state)
{
	struct bench *b = *state;
	struct made_tcp syn = from_client(0, 0, TCP_SYN);
	struct made made = make(b, CLIENT, SERVER, &syn);
	made.bytes[made.ip + 3] += 1; /* cut off */
	inject(b, WIRE_INSIDE, &made);
	assert_int_equal(counted(b, COUNT_DROP_PART), 1);
	struct made tiny = make(b, CLIENT, SERVER, NULL);
	make_bytes(&tiny, "\x9c\x40\x14", 3);
	tiny.bytes[tiny.ip + 6] |= 0x20;
	make_done(&tiny);
	inject(b, WIRE_INSIDE, &tiny);
	assert_int_equal(counted(b, COUNT_DROP_UNREADABLE), 1);
	made = make(b, CLIENT, SERVER, &syn);
	made.bytes[made.tcp + 4] ^= 1;
	inject(b, WIRE_INSIDE, &made);
	assert_int_equal(counted(b, COUNT_DROP_BAD_CHECKSUM), 1);
	made = make(b, CLIENT, SERVER, &syn);
	made.bytes[0] |= 1;
	inject(b, WIRE_INSIDE, &made);
	assert_int_equal(counted(b, COUNT_DROP_GROUP_ADDRESSED), 1);
	b->tags = 3;
	made = make(b, CLIENT, SERVER, &syn);
	inject(b, WIRE_INSIDE, &made);
	assert_int_equal(counted(b, COUNT_DROP_TOO_MANY_TAGS), 1);
	assert_true(nothing_comes_out(b));
	assert_int_equal(b->worker->flows.count[FLOW_HALF_OPEN], 0);
}

/* --- adoption --- */

static void edits_syn(struct bench *b)
{
	struct made_tcp syn = from_client(0, 0, TCP_SYN | TCP_ECE | TCP_CWR);
	syn.options = all_options;
	syn.options_len = sizeof(all_options);
	syn.data = "early data";
	syn.data_len = 10;
	syn.ack = 0;
	struct made made = make(b, CLIENT, SERVER, &syn);
	made.bytes[made.ip + 1] |= b->family == 4 ? 0x02 : 0x20; /* ECT(0) */
	make_done(&made);
	inject(b, WIRE_INSIDE, &made);
	struct seen seen;
	see(b, WIRE_OUTSIDE, &seen);
	assert_memory_equal(seen.made.bytes, made.bytes, made.ip);
	assert_int_equal(seen.frame.traffic_class, 0);
	assert_int_equal(seen.frame.hops, 64);
	assert_int_equal(seen.seg.flags, TCP_SYN);
	assert_int_equal(seen.seg.seq.v, ISN_CLIENT);
	assert_int_equal(seen.seg.window, 60000);
	assert_int_equal(seen.seg.len, 0);
	assert_int_equal(seen.seg.mss, b->family == 4 ? 1460 : 1440);
	assert_int_equal(seen.seg.wscale, 7);
	assert_int_equal(seen.seg.sack_permitted, TCP_CAN_SACK);
	assert_true(seen.frame.tcp_len <= 20 + 12); /* nothing else is in it */
	assert_true(nothing_comes_out(b));
}

static void edits_the_handshake(void **state)
{
	struct bench *b = *state;
	for (b->family = 4; b->family <= 6; b->family += 2) {
		for (b->tags = 0; b->tags <= 2; b->tags++) {
			forget_flows(b);
			edits_syn(b);
			struct made_tcp syn_ack = from_server(0, 1, TCP_SYN | TCP_ACK | TCP_ECE);
			syn_ack.options = all_options;
			syn_ack.options_len = sizeof(all_options);
			server_says(b, &syn_ack);
			struct seen seen;
			see(b, WIRE_INSIDE, &seen);
			assert_int_equal(seen.seg.flags, TCP_SYN | TCP_ACK);
			assert_int_equal(seen.seg.wscale, 7);
			assert_int_equal(seen.seg.mss, b->family == 4 ? 1460 : 1440);
			assert_int_equal(seen.frame.tags, b->tags);
		}
	}
}

/* A server that answers with options that were not offered would be believed by nobody. */
static void takes_out_what_was_not_offered(void **state)
{
	struct bench *b = *state;
	struct made_tcp syn = from_client(0, 0, TCP_SYN), syn_ack = from_server(0, 1, TCP_SYN | TCP_ACK);
	syn_ack.options = all_options;
	syn_ack.options_len = sizeof(all_options);
	client_says(b, &syn);
	server_says(b, &syn_ack);
	struct seen seen;
	see(b, WIRE_INSIDE, &seen);
	assert_int_equal(seen.seg.wscale, TCP_WSCALE_NONE);
	assert_false(seen.seg.sack_permitted);
}

static void splits_with_the_third_segment(void **state)
{
	struct bench *b = *state;
	b->tags = 2;
	struct made_tcp syn = from_client(0, 0, TCP_SYN), syn_ack = from_server(0, 1, TCP_SYN | TCP_ACK),
		ack = from_client(1, 1, TCP_ACK | TCP_PSH);
	client_says(b, &syn);
	client_says(b, &syn); /* sent again */
	server_says(b, &syn_ack);
	server_says(b, &syn_ack);
	struct made made;
	assert_true(take(b, WIRE_OUTSIDE, &made) && take(b, WIRE_OUTSIDE, &made));
	assert_true(take(b, WIRE_INSIDE, &made) && take(b, WIRE_INSIDE, &made));
	player_expect_none(&b->player);
	ack.data = "hello";
	ack.data_len = 5;
	client_says(b, &ack);

	struct msg_opened opened;
	uint64_t id = hear_opened(b, &opened);
	assert_int_equal(opened.family, 4);
	assert_int_equal(opened.client_wire, WIRE_INSIDE);
	assert_int_equal(opened.client_port, 40000);
	assert_int_equal(opened.server_port, 5269);
	assert_int_equal(opened.client_addr[3], CLIENT);
	assert_int_equal(opened.server_addr[3], SERVER);
	assert_int_equal(opened.client_vlan[0], 6);
	assert_int_equal(opened.client_vlan[1], 5);
	player_expect(&b->player, MSG_BYTES, SIDE_CLIENT, id, "hello", 5);

	struct seen seen; /* the server hears of the end of the handshake, and nothing of the bytes */
	see(b, WIRE_OUTSIDE, &seen);
	assert_int_equal(seen.seg.flags, TCP_ACK);
	assert_int_equal(seen.seg.seq.v, ISN_CLIENT + 1);
	assert_int_equal(seen.seg.ack.v, (uint32_t)ISN_SERVER + 1);
	assert_int_equal(seen.seg.len, 0);
	assert_true(rte_ring_empty(b->out[WIRE_OUTSIDE]));
}

static void refuses_a_bad_third_segment(void **state)
{
	struct bench *b = *state;
	struct made_tcp syn = from_client(0, 0, TCP_SYN), syn_ack = from_server(0, 1, TCP_SYN | TCP_ACK);
	client_says(b, &syn);
	struct made_tcp early = from_client(1, 1, TCP_ACK);
	client_says(b, &early);
	assert_int_equal(counted(b, COUNT_DROP_NOT_OF_HANDSHAKE), 1);
	server_says(b, &syn_ack);
	empty(b);
	struct made_tcp bad[] = {from_client(1, 2, TCP_ACK), from_client(0x20000, 1, TCP_ACK), from_client(1, 1, 0)};
	for (unsigned i = 0; i < 3; i++) {
		bad[i].data = "evil";
		bad[i].data_len = 4;
		client_says(b, &bad[i]);
	}
	assert_int_equal(counted(b, COUNT_DROP_NOT_OF_HANDSHAKE), 4);
	struct made_tcp elsewhere = from_client(1, 1, TCP_ACK);
	struct made made = make(b, CLIENT, SERVER, &elsewhere);
	inject(b, WIRE_OUTSIDE, &made);
	assert_int_equal(counted(b, COUNT_DROP_WRONG_WIRE), 1);
	player_expect_none(&b->player);
	assert_true(nothing_comes_out(b));
}

static void refusals_pass(void **state)
{
	struct bench *b = *state;
	struct made_tcp syn = from_client(0, 0, TCP_SYN), rst = from_server(0, 1, TCP_RST | TCP_ACK);
	client_says(b, &syn);
	empty(b);
	rst.data = "smuggled";
	rst.data_len = 8;
	server_says(b, &rst);
	struct seen seen;
	see(b, WIRE_INSIDE, &seen);
	assert_int_equal(seen.seg.flags, TCP_RST | TCP_ACK);
	assert_int_equal(seen.seg.ack.v, ISN_CLIENT + 1);
	assert_int_equal(seen.seg.len, 0);
	assert_int_equal(b->worker->flows.count[FLOW_HALF_OPEN], 0);
	server_says(b, &rst); /* of no flow: still passes, still bare */
	see(b, WIRE_INSIDE, &seen);
	assert_int_equal(seen.seg.len, 0);
}

/* RFC 9293 3.5 figure 8, as the one sees it whose SYN came first. The other's SYN is not needed: it answers the first. */
static void simultaneous_opens_meet(void **state)
{
	struct bench *b = *state;
	struct made_tcp syn = from_client(0, 0, TCP_SYN), crossing = from_server(0, 0, TCP_SYN),
		syn_ack = from_server(0, 1, TCP_SYN | TCP_ACK), ack = from_client(1, 1, TCP_ACK);
	for (crossing.to = syn.from = 40000;; crossing.to = syn.from = 5270) { /* the second: guarded ports at both ends */
		crossing.ack = 0;
		syn_ack.to = ack.from = syn.from;
		client_says(b, &syn);
		server_says(b, &crossing);
		client_says(b, &syn);  /* sent again, as the crossing one may be: both are in SYN-SENT */
		server_says(b, &crossing);
		assert_true(rte_ring_empty(b->out[WIRE_INSIDE]));
		server_says(b, &syn_ack);      /* SYN-RECEIVED: our SYN has reached it */
		struct seen seen;
		see(b, WIRE_INSIDE, &seen);
		assert_int_equal(seen.seg.flags, TCP_SYN | TCP_ACK);
		client_says(b, &ack);
		empty(b);
		struct msg_opened opened;
		uint64_t id = hear_opened(b, &opened);
		assert_int_equal(opened.client_wire, WIRE_INSIDE);
		struct made_tcp data = ack;
		data.data = "hello";
		data.data_len = 5;
		client_says(b, &data);
		player_expect(&b->player, MSG_BYTES, SIDE_CLIENT, id, "hello", 5);
		player_say(&b->player, MSG_BYTES, SIDE_SERVER, id, "hello", 5);
		empty(b);
		bench_run(b);
		see(b, WIRE_OUTSIDE, &seen);
		assert_int_equal(seen.seg.len, 5);
		assert_int_equal(seen.seg.seq.v, ISN_CLIENT + 1);
		assert_int_equal(seen.seg.ack.v, (uint32_t)ISN_SERVER + 1);
		if (syn.from == 5270)
			break;
	}
	assert_int_equal(counted(b, COUNT_DROP_SIMULTANEOUS_OPEN), 4);
	assert_int_equal(counted(b, COUNT_ADOPTED), 2);
}

/* --- from a guarded port to another one --- */

static struct made_tcp elsewhere(struct made_tcp tcp)
{
	bool is_client = tcp.to == 5269;
	tcp.from = is_client ? 5269 : 8080;
	tcp.to = is_client ? 8080 : 5269;
	return tcp;
}

static void client_says_elsewhere(struct bench *b, struct made_tcp tcp, const char *text)
{
	tcp = elsewhere(tcp);
	tcp.data = text;
	tcp.data_len = strlen(text);
	client_says(b, &tcp);
}

static void server_says_elsewhere(struct bench *b, struct made_tcp tcp, const char *text)
{
	tcp = elsewhere(tcp);
	tcp.data = text;
	tcp.data_len = strlen(text);
	server_says(b, &tcp);
}

static void open_elsewhere(struct bench *b)
{
	client_says_elsewhere(b, from_client(0, 0, TCP_SYN), "");
	server_says_elsewhere(b, from_server(0, 1, TCP_SYN | TCP_ACK), "");
	struct seen seen;
	see(b, WIRE_INSIDE, &seen);
	assert_int_equal(seen.seg.flags, TCP_SYN | TCP_ACK);
	client_says_elsewhere(b, from_client(1, 1, TCP_ACK), "");
	empty(b);
}

static void expect_bytes(struct bench *b, enum wire wire, const char *text)
{
	struct seen seen;
	do
		see(b, wire, &seen);
	while (!seen.seg.len);
	assert_int_equal(seen.seg.len, strlen(text));
	assert_memory_equal(seen.seg.data, text, strlen(text));
	empty(b);
}

/* It needs nobody above, who never hears of it. */
static void relays_what_comes_from_a_guarded_port(void **state)
{
	struct bench *b = *state;
	for (unsigned attached = 0; attached <= 1; attached++) {
		for (b->family = 4; b->family <= 6; b->family += 2) {
			if (!attached)
				bench_detach(b);
			open_elsewhere(b);
			server_says_elsewhere(b, from_server(1, 1, TCP_ACK | TCP_PSH), "220 who speaks first");
			expect_bytes(b, WIRE_INSIDE, "220 who speaks first");
			client_says_elsewhere(b, from_client(1, 21, TCP_ACK | TCP_PSH), "EHLO me\r\n");
			expect_bytes(b, WIRE_OUTSIDE, "EHLO me\r\n");
			struct made_tcp reverse = elsewhere(from_server(1000, 0, TCP_SYN));
			server_says(b, &reverse);      /* not a new connection */
			assert_int_equal(b->worker->flows.count[FLOW_SPLIT], 1);
			empty(b);
			client_says_elsewhere(b, from_client(10, 21, TCP_ACK | TCP_FIN), "");
			struct seen seen;
			do
				see(b, WIRE_OUTSIDE, &seen);
			while (!(seen.seg.flags & TCP_FIN));
			server_says_elsewhere(b, from_server(21, 11, TCP_ACK | TCP_FIN), "");
			client_says_elsewhere(b, from_client(11, 22, TCP_ACK), "");
			assert_int_equal(b->worker->flows.count[FLOW_OVER], 1);
			empty(b);
			open_elsewhere(b);     /* the same ports again */
			if (attached) {
				player_expect_none(&b->player);
				bench_detach(b);
			}
			while (b->worker->flows.count[FLOW_SPLIT])
				split_forget(b->worker, TAILQ_FIRST(&b->worker->flows.list[FLOW_SPLIT]));
			empty(b);
			forget_flows(b);
			bench_attach(b);
		}
	}
}

/* XMPP is XMPP from any port to any other. */
static void guards_xmpp_from_a_guarded_port(void **state)
{
	struct bench *b = *state;
	static const char header[] = "<?xml version='1.0'?><stream:stream xmlns='jabber:server' "
		"xmlns:stream='http://etherx.jabber.org/streams' to='b.example' from='a.example' version='1.0'>";
	b->worker->elsewhere = ELSEWHERE_GUARD;
	open_elsewhere(b);
	client_says_elsewhere(b, from_client(1, 1, TCP_ACK | TCP_PSH), header);
	struct channel_msg msg;
	uint8_t payload[CHANNEL_PAYLOAD_MAX];
	bool opened = false, heard = false;
	while (player_hear(&b->player, &msg, payload)) {
		opened |= msg.type == MSG_OPENED;
		heard |= msg.type == MSG_BYTES && msg.length == strlen(header) && !memcmp(payload, header, msg.length);
	}
	assert_true(opened && heard);
	struct seen seen;
	while (!rte_ring_empty(b->out[WIRE_OUTSIDE])) {
		see(b, WIRE_OUTSIDE, &seen);
		assert_int_equal(seen.seg.len, 0);
	}
	b->worker->elsewhere = ELSEWHERE_FORWARD;
}

static void bounds_half_open(void **state)
{
	struct bench *b = *state;
	enum { MORE = 100 };
	for (unsigned i = 0; i < FLOWS_HALF_OPEN_MAX + MORE; i++) {
		struct made_tcp syn = from_client(i, 0, TCP_SYN);
		syn.from = (uint16_t)i;
		struct made made = make(b, (uint8_t)(3 + i / 65536), SERVER, &syn);
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(b->worker->buffers);
		memcpy(rte_pktmbuf_append(mbuf, (uint16_t)made.len), made.bytes, made.len);
		assert_int_equal(rte_ring_enqueue(b->in[WIRE_OUTSIDE], mbuf), 0);
		worker_round(b->worker);
		if (i % 256 == 0)
			empty(b);
	}
	empty(b);
	assert_int_equal(b->worker->flows.count[FLOW_HALF_OPEN], FLOWS_HALF_OPEN_MAX);
	assert_int_equal(counted(b, COUNT_HALF_OPEN_EVICTED), MORE);
	TAILQ_FIRST(&b->worker->flows.list[FLOW_HALF_OPEN])->expires = 0;
	bench_run(b);
	assert_int_equal(counted(b, COUNT_HALF_OPEN_EXPIRED), 1);
}

/* --- split connections --- */

static void carries_bytes_both_ways(void **state)
{
	struct bench *b = *state;
	uint64_t id = open_connection(b);
	struct made_tcp data = from_server(1, 1, TCP_ACK);
	data.data = "greeting";
	data.data_len = 8;
	server_says(b, &data);
	player_expect(&b->player, MSG_BYTES, SIDE_SERVER, id, "greeting", 8);
	player_expect_none(&b->player);
	player_say(&b->player, MSG_BYTES, SIDE_CLIENT, id, "checked greeting", 16);
	bench_run(b);
	struct seen seen;
	see(b, WIRE_INSIDE, &seen);
	assert_int_equal(seen.seg.seq.v, (uint32_t)ISN_SERVER + 1);
	assert_int_equal(seen.seg.ack.v, ISN_CLIENT + 1);
	assert_int_equal(seen.seg.len, 16);
	assert_memory_equal(seen.seg.data, "checked greeting", 16);
	assert_int_equal(seen.made.bytes[5], CLIENT);
	assert_int_equal(seen.made.bytes[11], SERVER);
	assert_int_equal(seen.frame.src[3], SERVER);
	assert_int_equal(seen.frame.src_port, 5269);
	struct made_tcp ack = from_client(1, 17, TCP_ACK);
	client_says(b, &ack);
	const struct msg_credit credit = {16};
	player_expect(&b->player, MSG_CREDIT, SIDE_CLIENT, id, &credit, sizeof(credit));
}

static void follows_macs_tags_and_hops(void **state)
{
	struct bench *b = *state;
	uint64_t id = open_connection(b);
	b->tags = 1;
	struct made_tcp data = from_server(1, 1, TCP_ACK);
	data.data = "x";
	data.data_len = 1;
	struct made made = make(b, SERVER, CLIENT, &data);
	made.bytes[11] = 77; /* a router has taken over */
	made.bytes[made.ip + 8] = 9;
	make_done(&made);
	inject(b, WIRE_OUTSIDE, &made);
	player_expect(&b->player, MSG_BYTES, SIDE_SERVER, id, "x", 1);
	empty(b);
	player_say(&b->player, MSG_BYTES, SIDE_CLIENT, id, "y", 1);
	player_say(&b->player, MSG_BYTES, SIDE_SERVER, id, "z", 1);
	bench_run(b);
	struct seen seen;
	see(b, WIRE_INSIDE, &seen);
	assert_int_equal(seen.made.bytes[11], 77);
	assert_int_equal(seen.frame.tags, 1);
	assert_int_equal(seen.frame.hops, 9);
	see(b, WIRE_OUTSIDE, &seen);
	assert_int_equal(seen.made.bytes[5], 77);
	assert_int_equal(seen.frame.tags, 0);
	struct made_tcp far_off = from_server(0x40000000, 1, TCP_ACK); /* out of the window: not believed */
	made = make(b, SERVER, CLIENT, &far_off);
	made.bytes[11] = 66;
	inject(b, WIRE_OUTSIDE, &made);
	empty(b);
	player_say(&b->player, MSG_BYTES, SIDE_SERVER, id, "z", 1);
	bench_run(b);
	see(b, WIRE_OUTSIDE, &seen);
	assert_int_equal(seen.made.bytes[5], 77);
	made = make(b, SERVER, CLIENT, &data); /* said again, since our answer went to the router that has failed */
	made.bytes[11] = 78;
	inject(b, WIRE_OUTSIDE, &made);
	empty(b);
	player_say(&b->player, MSG_BYTES, SIDE_SERVER, id, "z", 1);
	bench_run(b);
	see(b, WIRE_OUTSIDE, &seen);
	assert_int_equal(seen.made.bytes[5], 78);
}

static void ends_from_both_sides(void **state)
{
	struct bench *b = *state;
	uint64_t id = open_connection(b);
	struct made_tcp fin = from_client(1, 1, TCP_FIN | TCP_ACK);
	client_says(b, &fin);
	player_expect(&b->player, MSG_END_OF_STREAM, SIDE_CLIENT, id, NULL, 0);
	player_say(&b->player, MSG_END_OF_STREAM, SIDE_SERVER, id, NULL, 0);
	empty(b);
	bench_run(b);
	struct seen seen;
	see(b, WIRE_OUTSIDE, &seen);
	assert_int_equal(seen.seg.flags & TCP_FIN, TCP_FIN);
	struct made_tcp fin_back = from_server(1, 2, TCP_FIN | TCP_ACK);
	server_says(b, &fin_back);
	player_expect(&b->player, MSG_END_OF_STREAM, SIDE_SERVER, id, NULL, 0);
	player_say(&b->player, MSG_END_OF_STREAM, SIDE_CLIENT, id, NULL, 0);
	bench_run(b);
	struct made_tcp last = from_client(2, 2, TCP_ACK);
	client_says(b, &last);
	player_expect(&b->player, MSG_CLOSED, SIDE_CLIENT, id, NULL, 0);
	player_say(&b->player, MSG_RESET, SIDE_CLIENT, id, NULL, 0); /* crossed MSG_CLOSED: ignored */
	bench_run(b);
	assert_non_null(b->worker->channel);
	empty(b);
	server_says(b, &fin_back); /* our last ACK was lost: it is still answered */
	see(b, WIRE_OUTSIDE, &seen);
	assert_int_equal(seen.seg.flags, TCP_ACK);
	assert_int_equal(b->worker->flows.count[FLOW_OVER], 1);
	TAILQ_FIRST(&b->worker->flows.list[FLOW_OVER])->expires = 0;
	bench_run(b);
	assert_int_equal(b->worker->flows.count[FLOW_OVER], 0);
}

static void resets_pass_through_above(void **state)
{
	struct bench *b = *state;
	uint64_t id = open_connection(b);
	struct made_tcp rst = from_server(1, 1, TCP_RST);
	server_says(b, &rst);
	player_expect(&b->player, MSG_RESET, SIDE_SERVER, id, NULL, 0);
	assert_true(nothing_comes_out(b)); /* until it was decided above */
	player_say(&b->player, MSG_RESET, SIDE_CLIENT, id, NULL, 0);
	bench_run(b);
	struct seen seen;
	see(b, WIRE_INSIDE, &seen);
	assert_int_equal(seen.seg.flags & TCP_RST, TCP_RST);
	assert_int_equal(seen.seg.seq.v, (uint32_t)ISN_SERVER + 1);
	player_expect(&b->player, MSG_CLOSED, SIDE_CLIENT, id, NULL, 0);
}

static void expect_keepalive(struct bench *b, enum wire wire, uint32_t seq, uint32_t ack)
{
	struct seen seen;
	see(b, wire, &seen);
	assert_int_equal(seen.seg.flags, TCP_ACK);
	assert_int_equal(seen.seg.len, 0);
	assert_int_equal(seen.seg.seq.v, seq);
	assert_int_equal(seen.seg.ack.v, ack);
	assert_true(nothing_comes_out(b));
}

/* Whether the client's question is answered is for the server to say; a dead one leaves it open, as on a plain wire. */
static void keepalives_pass_through(void **state)
{
	struct bench *b = *state;
	open_connection(b);
	struct made_tcp question = from_client(0, 1, TCP_ACK), answer = from_server(1, 1, TCP_ACK);
	for (int i = 0; i < 3; i++) {
		client_says(b, &question);
		expect_keepalive(b, WIRE_OUTSIDE, ISN_CLIENT, (uint32_t)ISN_SERVER + 1);
	}
	server_says(b, &answer);
	expect_keepalive(b, WIRE_INSIDE, (uint32_t)ISN_SERVER + 1, ISN_CLIENT + 1); /* the answer */
	server_says(b, &answer);
	assert_true(nothing_comes_out(b));
	player_expect_none(&b->player);
}

/* Both ask at the same time: each question is the answer to the other, and what was already asked is answered besides. */
static void keepalives_cross(void **state)
{
	struct bench *b = *state;
	open_connection(b);
	struct made_tcp of_client = from_client(0, 1, TCP_ACK), of_server = from_server(0, 1, TCP_ACK),
		answer = from_client(1, 1, TCP_ACK);
	client_says(b, &of_client);
	expect_keepalive(b, WIRE_OUTSIDE, ISN_CLIENT, (uint32_t)ISN_SERVER + 1);
	server_says(b, &of_server);
	struct seen seen;
	see(b, WIRE_INSIDE, &seen); /* the answer */
	assert_int_equal(seen.seg.seq.v, (uint32_t)ISN_SERVER + 1);
	expect_keepalive(b, WIRE_INSIDE, (uint32_t)ISN_SERVER, ISN_CLIENT + 1);
	client_says(b, &answer);
	expect_keepalive(b, WIRE_OUTSIDE, ISN_CLIENT + 1, (uint32_t)ISN_SERVER + 1);
}

static void keepalives_are_answered_for_who_is_gone(void **state)
{
	struct bench *b = *state;
	uint64_t id = open_connection(b);
	struct made_tcp rst = from_server(1, 1, TCP_RST), question = from_client(0, 1, TCP_ACK);
	server_says(b, &rst);
	player_expect(&b->player, MSG_RESET, SIDE_SERVER, id, NULL, 0);
	client_says(b, &question); /* what is told the client has not been decided above */
	expect_keepalive(b, WIRE_INSIDE, (uint32_t)ISN_SERVER + 1, ISN_CLIENT + 1);
}

/* A window's worth goes up without credit, and not a byte more. */
static void waits_for_credit(void **state)
{
	struct bench *b = *state;
	uint64_t id = open_connection(b), heard = 0;
	uint8_t block[1024] = {0}, payload[CHANNEL_PAYLOAD_MAX];
	struct channel_msg msg;
	for (uint32_t sent = 0; sent < CHANNEL_WINDOW + 8 * sizeof(block); sent += sizeof(block)) {
		struct made_tcp data = from_client(1 + sent, 1, TCP_ACK);
		data.data = block;
		data.data_len = sizeof(block);
		client_says(b, &data);
		while (player_hear(&b->player, &msg, payload))
			heard += msg.length;
		empty(b);
	}
	assert_int_equal(heard, CHANNEL_WINDOW);
	player_say(&b->player, MSG_CREDIT, SIDE_CLIENT, id, &(struct msg_credit){1}, sizeof(struct msg_credit));
	bench_run(b);
	player_expect(&b->player, MSG_BYTES, SIDE_CLIENT, id, block, 1);
	player_expect_none(&b->player);
}

/* --- above --- */

static void expect_broken(struct bench *b)
{
	uint8_t byte = 0;
	bench_run(b);
	assert_int_equal(recv(SUPERVISOR, &byte, 1, MSG_DONTWAIT), 1);
	assert_int_equal(byte, SUPERVISOR_PEER_BROKEN);
	assert_null(b->worker->channel);
	struct seen seen;
	see(b, WIRE_INSIDE, &seen);
	assert_int_equal(seen.seg.flags & TCP_RST, TCP_RST);
	assert_int_equal(seen.seg.seq.v, (uint32_t)ISN_SERVER + 1);
	see(b, WIRE_OUTSIDE, &seen);
	assert_int_equal(seen.seg.flags & TCP_RST, TCP_RST);
	assert_int_equal(seen.seg.seq.v, ISN_CLIENT + 1);
	assert_int_equal(b->worker->flows.count[FLOW_SPLIT], 0);
}

static void lets_go_of_who_breaks_the_contract(void **state)
{
	struct bench *b = *state;
	static const uint8_t block[CHANNEL_PAYLOAD_MAX];
	enum { UNKNOWN_ID, TOO_MUCH_CREDIT, TOO_MANY_BYTES, BYTES_AFTER_END, WRONG_VERB, CASES };
	for (unsigned fault = 0; fault < CASES; fault++) {
		uint64_t id = open_connection(b);
		if (fault == UNKNOWN_ID) {
			player_say(&b->player, MSG_BYTES, SIDE_CLIENT, id + ((uint64_t)1 << 40), "x", 1);
		} else if (fault == TOO_MUCH_CREDIT) {
			player_say(&b->player, MSG_CREDIT, SIDE_CLIENT, id, &(struct msg_credit){1}, 4);
		} else if (fault == TOO_MANY_BYTES) {
			b->worker->flows.list[FLOW_SPLIT].tqh_first->half[SIDE_CLIENT].queued = CHANNEL_WINDOW - 10;
			player_say(&b->player, MSG_BYTES, SIDE_CLIENT, id, block, 11);
		} else if (fault == BYTES_AFTER_END) {
			player_say(&b->player, MSG_RESET, SIDE_CLIENT, id, NULL, 0);
			player_say(&b->player, MSG_BYTES, SIDE_CLIENT, id, "x", 1);
		} else {
			player_say(&b->player, MSG_CLOSED, SIDE_CLIENT, id, NULL, 0);
		}
		expect_broken(b);
		player_fini(&b->player);
		empty(b);
		bench_attach(b);
	}
}

static void refuses_without_an_upper_end(void **state)
{
	struct bench *b = *state;
	bench_detach(b);
	struct made_tcp syn = from_client(0, 0, TCP_SYN);
	client_says(b, &syn);
	struct seen seen;
	see(b, WIRE_INSIDE, &seen);
	assert_int_equal(seen.seg.flags, TCP_RST | TCP_ACK);
	assert_int_equal(seen.seg.ack.v, ISN_CLIENT + 1);
	assert_int_equal(seen.seg.seq.v, 0);
	assert_true(nothing_comes_out(b));
	assert_int_equal(counted(b, COUNT_REFUSED_DETACHED), 1);
}

static void detaching_resets_both_ends(void **state)
{
	struct bench *b = *state;
	open_connection(b);
	struct made_tcp data = from_client(1, 1, TCP_ACK);
	data.data = "12345";
	data.data_len = 5;
	client_says(b, &data);
	empty(b);
	bench_detach(b);
	struct seen seen;
	see(b, WIRE_INSIDE, &seen);
	assert_int_equal(seen.seg.flags & TCP_RST, TCP_RST);
	assert_int_equal(seen.seg.seq.v, (uint32_t)ISN_SERVER + 1);
	see(b, WIRE_OUTSIDE, &seen);
	assert_int_equal(seen.seg.flags & TCP_RST, TCP_RST);
	assert_int_equal(seen.seg.seq.v, ISN_CLIENT + 1);
	assert_true(nothing_comes_out(b));
	assert_int_equal(b->worker->flows.count[FLOW_SPLIT], 0);
}

/* What is bridged goes on, or does not, as configured; and it comes back with who is above. */
static void blocks_or_bridges_without_an_upper_end(void **state)
{
	struct bench *b = *state;
	struct made_tcp http = {.from = 40000, .to = 8080, .flags = TCP_ACK};
	struct made made = make(b, CLIENT, SERVER, &http);
	bench_detach(b);
	inject(b, WIRE_INSIDE, &made);
	assert_true(comes_out(b, WIRE_OUTSIDE, &made));
	assert_int_equal(counted(b, COUNT_DROP_NOBODY_ABOVE), 0);
	b->worker->blocks_alone = true;
	inject(b, WIRE_INSIDE, &made);
	inject(b, WIRE_OUTSIDE, &made);
	struct made_tcp syn = from_client(0, 0, TCP_SYN);
	client_says(b, &syn);
	assert_true(nothing_comes_out(b));
	assert_int_equal(counted(b, COUNT_DROP_NOBODY_ABOVE), 3);
	bench_attach(b);
	inject(b, WIRE_INSIDE, &made);
	assert_true(comes_out(b, WIRE_OUTSIDE, &made));
	open_connection(b);
	bench_detach(b); /* what was guarded is reset all the same */
	assert_false(rte_ring_empty(b->out[WIRE_INSIDE]));
	assert_false(rte_ring_empty(b->out[WIRE_OUTSIDE]));
	b->worker->blocks_alone = false;
}

static void strays_are_reset_towards_both_ends(void **state)
{
	struct bench *b = *state;
	struct made_tcp data = from_server(100, 200, TCP_ACK | TCP_PSH);
	data.data = "unchecked";
	data.data_len = 9;
	server_says(b, &data);
	struct seen seen;
	see(b, WIRE_OUTSIDE, &seen);
	assert_int_equal(seen.seg.flags, TCP_RST);
	assert_int_equal(seen.seg.seq.v, ISN_CLIENT + 200);
	see(b, WIRE_INSIDE, &seen);
	assert_int_equal(seen.seg.flags & TCP_RST, TCP_RST);
	assert_int_equal(seen.seg.seq.v, (uint32_t)ISN_SERVER + 100);
	assert_int_equal(seen.seg.len, 0);
	assert_true(nothing_comes_out(b));
	b->worker->stray_resets = WORKER_STRAY_RESETS;
	b->worker->stray_second = (uint64_t)-1; /* a new second: it may speak again */
	server_says(b, &data);
	assert_false(nothing_comes_out(b));
	empty(b);
	b->worker->stray_resets = 1u << 30;
	b->worker->stray_second = b->worker->now / 1000000;
	server_says(b, &data);
	assert_int_equal(counted(b, COUNT_DROP_STRAY), 3);
	assert_int_equal(counted(b, COUNT_STRAY_RESETS) + counted(b, COUNT_STRAY_RESETS_HELD), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, bench_before_each, bench_after_each)
		T(bridges_what_is_not_guarded),
		T(drops_what_could_hide_tcp),
		T(edits_the_handshake),
		T(takes_out_what_was_not_offered),
		T(splits_with_the_third_segment),
		T(refuses_a_bad_third_segment),
		T(refusals_pass),
		T(simultaneous_opens_meet),
		T(relays_what_comes_from_a_guarded_port),
		T(guards_xmpp_from_a_guarded_port),
		T(bounds_half_open),
		T(carries_bytes_both_ways),
		T(follows_macs_tags_and_hops),
		T(ends_from_both_sides),
		T(resets_pass_through_above),
		T(keepalives_pass_through),
		T(keepalives_cross),
		T(keepalives_are_answered_for_who_is_gone),
		T(waits_for_credit),
		T(lets_go_of_who_breaks_the_contract),
		T(refuses_without_an_upper_end),
		T(detaching_resets_both_ends),
		T(blocks_or_bridges_without_an_upper_end),
		T(strays_are_reset_towards_both_ends),
	};
	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
