/* The relay; see relay.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/log.h"
#include "handshake.h"
#include "relay.h"

enum { DISPATCH_BUDGET = 256 };

#define IN(state) (1u << (state))

static void count(const struct relay *relay, enum tls_counter id)
{
	counter_add(relay->counters, id, 1);
}

/* Says something. What cannot be said means that the channel is broken, which the round finds out at its end. */
static void say(struct channel *channel, const struct conn *conn, enum msg_type type, enum conn_side side,
	const void *payload, uint32_t len)
{
	if (channel_send(channel, type, side, conn->id, payload, len))
		return;
}

static struct conn_list *list_of(struct relay *relay, enum conn_turn turn)
{
	return turn == TURN_BUSY ? &relay->busy : &relay->starved;
}

static void set_turn(struct relay *relay, struct conn *conn, enum conn_turn turn)
{
	if (conn->in_turn == turn)
		return;
	if (conn->in_turn != TURN_NONE)
		TAILQ_REMOVE(list_of(relay, conn->in_turn), conn, turn);
	if (turn != TURN_NONE)
		TAILQ_INSERT_TAIL(list_of(relay, turn), conn, turn);
	conn->in_turn = turn;
}

static bool is_shaking(enum conn_state state)
{
	return state >= CONN_HELLO && state <= CONN_NAMED;
}

/* All of a connection's handshakes have one time together. */
static void set_state(struct relay *relay, struct conn *conn, enum conn_state state)
{
	if (is_shaking(conn->state) && !is_shaking(state))
		TAILQ_REMOVE(&relay->shaking, conn, shaking);
	if (!is_shaking(conn->state) && is_shaking(state)) {
		conn->deadline_ms = relay->now_ms + CONN_HANDSHAKE_MS;
		TAILQ_INSERT_TAIL(&relay->shaking, conn, shaking);
	}
	conn->state = state;
}

/* --- failing --- */

static bool has_failed(const struct conn *conn)
{
	return conn->state == CONN_FAILED || conn->state == CONN_DYING;
}

/* The client of direct TLS that is done can still be told why there is nobody to speak to. */
static void set_failed(struct relay *relay, struct conn *conn)
{
	bool client_done = conn->state == CONN_UNNAMED || conn->state == CONN_NAMED;
	set_state(relay, conn, client_done ? CONN_DYING : CONN_FAILED);
}

static void tell_failed(struct relay *relay, struct conn *conn, enum conn_side side, const struct msg_tls_failed *why)
{
	count(relay, TLS_COUNT_FAILED_HANDSHAKE + why->failure);
	set_failed(relay, conn);
	say(relay->upper, conn, MSG_TLS_FAILED, side, why, sizeof(*why));
}

/* In TLS 1.3 an endpoint may refuse the handshake after it was complete for us: it says so with an alert. */
static void record_failed(struct relay *relay, struct conn *conn, enum conn_side side)
{
	struct msg_tls_failed why = {.failure = TLS_FAILED_RECORD};
	if (layer_fault(&conn->layer[side], why.reason))
		why.failure = TLS_FAILED_HANDSHAKE;
	if (conn->state == CONN_DYING) {
		set_state(relay, conn, CONN_FAILED);   /* its last words do not reach it */
		return;
	}
	if (is_shaking(conn->state)) {
		enum conn_side failed;
		handshake_abort(conn, side, why.failure, why.reason);
		if (handshake_run(conn, &failed, &why) != HANDSHAKE_FAILED)
			return;
	}
	tell_failed(relay, conn, side, &why);
}

/* --- upward --- */

/* In large pieces: what is kept back is a small part of the window, and a message for each stanza would cost more. */
static void give_credit(struct channel *channel, const struct conn *conn, enum conn_side side, uint32_t *held,
	const struct buf *unused)
{
	uint32_t bytes = *held - (uint32_t)buf_len(unused);
	if (bytes < LAYER_CREDIT_BYTES)
		return;
	*held -= bytes;
	say(channel, conn, MSG_CREDIT, side, &bytes, sizeof(bytes));
}

/* Bytes up as far as credit and room allow. 0: all that can be read was; 1: there is more; negative: as layer_read(). */
static int read_up(struct relay *relay, struct conn *conn, enum conn_side side)
{
	struct layer *layer = &conn->layer[side];
	while (layer->credit_up) {
		size_t size = channel_room(relay->upper);
		if (!size) {
			set_turn(relay, conn, TURN_STARVED);
			return 1;
		}
		size = size < layer->credit_up ? size : layer->credit_up;
		size = size < sizeof(relay->scratch) ? size : sizeof(relay->scratch);
		int n = layer_read(layer, relay->scratch, size);
		if (n <= 0)
			return n;
		say(relay->upper, conn, MSG_BYTES, side, relay->scratch, (uint32_t)n);
		layer->credit_up -= (uint32_t)n;
		counter_add(relay->counters, TLS_COUNT_PLAIN_BYTES_UP, (uint64_t)n);
	}
	return 1;
}

static void end_up(struct relay *relay, struct conn *conn, enum conn_side side)
{
	struct layer *layer = &conn->layer[side];
	layer->truncated = layer->ssl && !layer->close_notify_seen;
	if (layer->truncated)
		count(relay, TLS_COUNT_TRUNCATED);
	say(relay->upper, conn, MSG_END_OF_STREAM, side, NULL, 0);
	layer->up = END_STREAM_DONE;
}

/* After a close_notify nothing more is read, though the endpoint may still send, end and reset. */
static bool is_over_up(const struct layer *layer)
{
	return layer->up == END_STREAM_DONE || layer->up == END_RESET_DONE;
}

/* Is what this endpoint sends plaintext now, or in a TLS that is done? */
static bool is_open(const struct conn *conn, enum conn_side side)
{
	if (conn->state == CONN_HELLO || conn->state == CONN_ASKED)
		return side == SIDE_SERVER;
	if (conn->state == CONN_UNNAMED || conn->state == CONN_NAMED || conn->state == CONN_DYING)
		return side == SIDE_CLIENT;
	return conn->state == CONN_OPENING || conn->state == CONN_PLAIN || conn->state == CONN_SECURED;
}

/* Whoever was left without an end, because the other endpoint was, may complain of it: that is no failure of its own. */
static bool is_complaint(const struct conn *conn, enum conn_side side)
{
	char reason[CHANNEL_NAME_MAX];
	return conn->layer[side_other(side)].truncated && conn->layer[side].down == END_STREAM_DONE &&
		layer_fault(&conn->layer[side], reason);
}

/* Reads what there is. True: nothing more will come. */
static bool drain_up(struct relay *relay, struct conn *conn, enum conn_side side)
{
	struct layer *layer = &conn->layer[side];
	if (has_failed(conn))
		return layer->up != END_NONE;
	if (!is_open(conn, side))
		return false;
	int rc = read_up(relay, conn, side);
	if (rc == -EPROTO && is_complaint(conn, side))
		return true;
	if (rc == -EPROTO)
		record_failed(relay, conn, side);
	return rc == -EPIPE || (rc == 0 && layer->up != END_NONE);
}

static void pump_up(struct relay *relay, struct conn *conn, enum conn_side side)
{
	struct layer *layer = &conn->layer[side];
	if (!is_over_up(layer) && drain_up(relay, conn, side) && layer->up != END_RESET)
		end_up(relay, conn, side);
	if (layer->up == END_RESET) {
		say(relay->upper, conn, MSG_RESET, side, NULL, 0);
		layer->up = END_RESET_DONE;
	}
	/* What a failed connection still sends is of no use to anyone. */
	if (has_failed(conn) || is_over_up(layer))
		buf_drop(&layer->from_wire, buf_len(&layer->from_wire));
	give_credit(relay->lower, conn, side, &layer->held_wire, &layer->from_wire);
}

/* --- downward --- */

static bool is_over_down(const struct layer *layer)
{
	return layer->down == END_STREAM_DONE || layer->down == END_RESET_DONE;
}

static void send_down(struct relay *relay, struct conn *conn, enum conn_side side)
{
	struct layer *layer = &conn->layer[side];
	if (resume_holds(conn, side))
		return;
	if (is_over_down(layer))
		buf_drop(&layer->to_wire, buf_len(&layer->to_wire));   /* TLS has something to say to nobody */
	for (size_t n; layer->credit_down && (n = buf_len(&layer->to_wire));) {
		size_t room = channel_room(relay->lower);
		if (!room) {
			set_turn(relay, conn, TURN_STARVED);
			return;
		}
		n = n < room ? n : room;
		n = n < layer->credit_down ? n : layer->credit_down;
		n = n < CHANNEL_PAYLOAD_MAX ? n : CHANNEL_PAYLOAD_MAX;
		say(relay->lower, conn, MSG_BYTES, side, buf_head(&layer->to_wire), (uint32_t)n);
		buf_drop(&layer->to_wire, n);
		layer->credit_down -= (uint32_t)n;
	}
}

static void write_down(struct relay *relay, struct conn *conn, enum conn_side side)
{
	struct layer *layer = &conn->layer[side];
	size_t before;
	do {
		before = buf_len(&layer->from_above);
		if (is_open(conn, side) && before && layer_write(layer))
			record_failed(relay, conn, side);
		counter_add(relay->counters, TLS_COUNT_PLAIN_BYTES_DOWN, before - buf_len(&layer->from_above));
		send_down(relay, conn, side);
	} while (is_open(conn, side) && buf_len(&layer->from_above) && buf_len(&layer->from_above) < before);
}

/* What the other endpoint left without an end looks so here, too: nobody is told that it was the whole (RFC 8446 6.1). */
static bool may_close(const struct conn *conn, enum conn_side side)
{
	return is_open(conn, side) && !conn->layer[side_other(side)].truncated;
}

/* A reset does not wait for an endpoint that does not read: what has no credit by then is not sent. */
static void end_down(struct relay *relay, struct conn *conn, enum conn_side side)
{
	struct layer *layer = &conn->layer[side];
	if (layer->down == END_RESET) {
		say(relay->lower, conn, MSG_RESET, side, NULL, 0);
		layer->down = END_RESET_DONE;
		buf_drop(&layer->to_wire, buf_len(&layer->to_wire));
		buf_drop(&layer->from_above, buf_len(&layer->from_above));
	} else if (layer->down == END_STREAM && !buf_len(&layer->from_above)) {
		if (may_close(conn, side))
			layer_close(layer);
		send_down(relay, conn, side);
		if (buf_len(&layer->to_wire))
			return;
		say(relay->lower, conn, MSG_END_OF_STREAM, side, NULL, 0);
		layer->down = END_STREAM_DONE;
	}
}

static void pump_down(struct relay *relay, struct conn *conn, enum conn_side side)
{
	struct layer *layer = &conn->layer[side];
	write_down(relay, conn, side);
	if (has_failed(conn) && !is_open(conn, side))
		buf_drop(&layer->from_above, buf_len(&layer->from_above));
	end_down(relay, conn, side);
	give_credit(relay->upper, conn, side, &layer->held_above, &layer->from_above);
}

/* --- handshakes --- */

static void tell_secured(struct relay *relay, struct conn *conn)
{
	set_state(relay, conn, CONN_SECURED);
	count(relay, TLS_COUNT_SECURED);
	for (unsigned side = conn->own ? SIDE_SERVER : SIDE_CLIENT; side < SIDES; side++) {
		struct msg_secured secured;
		handshake_describe(conn, side, &secured);
		if (SSL_session_reused(conn->layer[side].ssl))
			count(relay, side == SIDE_CLIENT ? TLS_COUNT_RESUMED_CLIENT : TLS_COUNT_RESUMED_SERVER);
		say(relay->upper, conn, MSG_SECURED, side, &secured, sizeof(secured));
	}
}

static void tell_hello(struct relay *relay, struct conn *conn)
{
	set_state(relay, conn, CONN_ASKED);
	say(relay->upper, conn, MSG_CLIENT_HELLO, SIDE_CLIENT, &conn->hello, sizeof(conn->hello));
}

static void tell_ready(struct relay *relay, struct conn *conn)
{
	struct msg_client_ready ready = {SSL_get0_peer_certificate(conn->layer[SIDE_CLIENT].ssl) != NULL};
	set_state(relay, conn, CONN_UNNAMED);
	say(relay->upper, conn, MSG_CLIENT_READY, SIDE_CLIENT, &ready, sizeof(ready));
}

/* An endpoint that left will not finish its handshake. What it said before has been read, as far as it was its turn. */
static bool has_left(const struct conn *conn, enum conn_side side)
{
	enum layer_end up = conn->layer[side].up;
	return up == END_RESET || up == END_RESET_DONE || (up == END_STREAM && !conn->done[side]);
}

/* Nobody is told but the endpoints: control knows. */
static void give_up(struct relay *relay, struct conn *conn, enum conn_side side)
{
	enum conn_side failed;
	struct msg_tls_failed why;
	handshake_abort(conn, side, TLS_FAILED_HANDSHAKE, "control ended the connection");
	if (handshake_run(conn, &failed, &why) == HANDSHAKE_FAILED)
		set_failed(relay, conn);
}

static void run_handshake(struct relay *relay, struct conn *conn)
{
	enum conn_side failed = SIDE_CLIENT;
	struct msg_tls_failed why;
	enum handshake_result result = handshake_run(conn, &failed, &why);
	for (unsigned side = 0; result == HANDSHAKE_WAITS && side < SIDES; side++) {
		if (!has_left(conn, side))
			continue;
		handshake_abort(conn, side, TLS_FAILED_HANDSHAKE, "the peer left during the handshake");
		result = handshake_run(conn, &failed, &why);
	}
	if (result == HANDSHAKE_DONE)
		tell_secured(relay, conn);
	else if (result == HANDSHAKE_FAILED)
		tell_failed(relay, conn, failed, &why);
	else if (conn->state == CONN_HELLO && conn->hello_read)
		tell_hello(relay, conn);
	else if (conn->state == CONN_HANDSHAKE && conn->start.direct && conn->done[SIDE_CLIENT])
		tell_ready(relay, conn);
}

static void run(struct relay *relay, struct conn *conn)
{
	for (unsigned side = 0; side < SIDES; side++)
		if (is_shaking(conn->state) && conn->layer[side].down != END_NONE)
			give_up(relay, conn, side);
	for (unsigned side = 0; side < SIDES; side++)
		pump_down(relay, conn, side);
	if (is_shaking(conn->state))
		run_handshake(relay, conn);
	for (unsigned side = 0; side < SIDES; side++)
		pump_up(relay, conn, side);
	/* What reading and handshakes have to say to the wire. */
	for (unsigned side = 0; side < SIDES; side++)
		send_down(relay, conn, side);
}

/* keyd answered: one connection has its signature, or (0) whoever waits for a certificate may find it there. */
static void on_answer(void *owner, uint64_t id)
{
	struct relay *relay = owner;
	struct conn *conn = id ? conn_find(&relay->conns, id) : NULL;
	if (conn)
		set_turn(relay, conn, TURN_BUSY);
	if (!id)
		TAILQ_FOREACH(conn, &relay->shaking, shaking)
			set_turn(relay, conn, TURN_BUSY);
}

/* The server has its turn until it is proven, and again when it can know who dials. */
static enum conn_side waited_for(const struct conn *conn)
{
	if (conn->state == CONN_HELLO || conn->state == CONN_UNNAMED)
		return SIDE_CLIENT;
	return conn->server_proven && !conn->done[SIDE_CLIENT] ? SIDE_CLIENT : SIDE_SERVER;
}

static void time_out(struct relay *relay)
{
	for (struct conn *conn; (conn = TAILQ_FIRST(&relay->shaking)) && conn->deadline_ms <= relay->now_ms;) {
		enum conn_side failed;
		struct msg_tls_failed why;
		handshake_abort(conn, waited_for(conn), TLS_FAILED_TIMEOUT, "the handshake took too long");
		if (handshake_run(conn, &failed, &why) == HANDSHAKE_FAILED)
			tell_failed(relay, conn, failed, &why);
		set_turn(relay, conn, TURN_BUSY);
	}
}

/* --- messages from the dataplane --- */

static int on_opened(void *owner, void *object, const struct channel_msg *msg, const uint8_t *payload)
{
	struct relay *relay = owner;
	struct msg_opened opened;
	(void)object;
	memcpy(&opened, payload, sizeof(opened));
	if (opened.client_wire >= WIRES || opened.own > 1)
		return -EPROTO;
	struct conn *conn = conn_new(&relay->conns, msg->conn);
	if (!conn)
		fatalx("out of memory");
	conn->relay = relay;
	conn->wire[SIDE_CLIENT] = opened.client_wire;
	conn->wire[SIDE_SERVER] = wire_other(opened.client_wire);
	conn->own = opened.own == 1;
	count(relay, TLS_COUNT_OPENED);
	say(relay->upper, conn, MSG_OPENED, SIDE_CLIENT, &opened, sizeof(opened));
	return 0;
}

/* Of no connection: handed on, for control to judge. */
static int on_notice(void *owner, void *object, const struct channel_msg *msg, const uint8_t *payload)
{
	struct relay *relay = owner;
	(void)object;
	if (msg->conn)
		return -EPROTO;
	if (channel_send(relay->upper, MSG_NOTICE, SIDE_CLIENT, 0, payload, msg->length))
		return 0; /* broken, which the round finds out at its end */
	return 0;
}

/* The first byte decides: a record of a handshake (RFC 8446 5.1) is never the beginning of XML. */
static void begin(struct relay *relay, struct conn *conn, uint8_t first)
{
	if (first != SSL3_RT_HANDSHAKE) {
		set_state(relay, conn, CONN_PLAIN);
		return;
	}
	if (handshake_accept(conn) == -ENOMEM)
		fatalx("out of memory");
	count(relay, TLS_COUNT_STARTED);
	set_state(relay, conn, CONN_HELLO);
}

static int on_wire_bytes(void *owner, void *object, const struct channel_msg *msg, const uint8_t *payload)
{
	struct conn *conn = object;
	struct layer *layer = &conn->layer[msg->side];
	if (layer->up != END_NONE && layer->up != END_STREAM_DONE)
		return -EPROTO;
	if (msg->length > CHANNEL_WINDOW - layer->held_wire)
		return -EPROTO;
	layer->held_wire += msg->length;
	if (buf_put(&layer->from_wire, payload, msg->length))
		fatalx("out of memory");
	if (conn->state == CONN_OPENING && msg->side == SIDE_CLIENT)
		begin(owner, conn, payload[0]);
	set_turn(owner, conn, TURN_BUSY);
	return 0;
}

/* END_STREAM_DONE may have come by close_notify before. */
static int on_wire_end(void *owner, void *object, const struct channel_msg *msg, const uint8_t *payload)
{
	struct conn *conn = object;
	struct layer *layer = &conn->layer[msg->side];
	(void)payload;
	if (layer->up == END_NONE)
		layer->up = END_STREAM;
	else if (layer->up != END_STREAM_DONE)
		return -EPROTO;
	set_turn(owner, conn, TURN_BUSY);
	return 0;
}

static int on_wire_reset(void *owner, void *object, const struct channel_msg *msg, const uint8_t *payload)
{
	struct conn *conn = object;
	struct layer *layer = &conn->layer[msg->side];
	(void)payload;
	if (layer->up == END_RESET || layer->up == END_RESET_DONE)
		return -EPROTO;
	layer->up = END_RESET;
	set_turn(owner, conn, TURN_BUSY);
	return 0;
}

static int take_credit(uint32_t *credit, const uint8_t *payload)
{
	struct msg_credit given;
	memcpy(&given, payload, sizeof(given));
	if (given.bytes > CHANNEL_WINDOW - *credit)
		return -EPROTO;
	*credit += given.bytes;
	return 0;
}

static int on_wire_credit(void *owner, void *object, const struct channel_msg *msg, const uint8_t *payload)
{
	struct conn *conn = object;
	set_turn(owner, conn, TURN_BUSY);
	return take_credit(&conn->layer[msg->side].credit_down, payload);
}

static void forget(struct relay *relay, struct conn *conn)
{
	set_turn(relay, conn, TURN_NONE);
	if (is_shaking(conn->state))
		give_up(relay, conn, SIDE_CLIENT);     /* OpenSSL cannot be left alone in the middle of a job */
	conn_free(conn);
}

static int on_closed(void *owner, void *object, const struct channel_msg *msg, const uint8_t *payload)
{
	struct relay *relay = owner;
	struct conn *conn = object;
	(void)msg, (void)payload;
	/* What the wire had said before still goes up. */
	if (conn->in_turn != TURN_NONE)
		run(relay, conn);
	say(relay->upper, conn, MSG_CLOSED, SIDE_CLIENT, NULL, 0);
	count(relay, TLS_COUNT_CLOSED);
	forget(relay, conn);
	return 0;
}

/* --- messages from control --- */

static int ignore(void)
{
	return 0; /* it had not heard yet that the connection is over */
}

static int on_above_bytes(void *owner, void *object, const struct channel_msg *msg, const uint8_t *payload)
{
	struct conn *conn = object;
	if (!conn)
		return ignore();
	if (conn->own && msg->side == SIDE_CLIENT)
		return -EPROTO;
	struct layer *layer = &conn->layer[msg->side];
	if (layer->down != END_NONE || msg->length > CHANNEL_WINDOW - layer->held_above)
		return -EPROTO;
	if ((conn->state == CONN_UNNAMED || conn->state == CONN_NAMED) && msg->side == SIDE_SERVER)
		return -EPROTO;
	layer->held_above += msg->length;
	if (buf_put(&layer->from_above, payload, msg->length))
		fatalx("out of memory");
	set_turn(owner, conn, TURN_BUSY);
	return 0;
}

static int on_above_end(void *owner, void *object, const struct channel_msg *msg, const uint8_t *payload)
{
	struct conn *conn = object;
	(void)payload;
	if (!conn)
		return ignore();
	if (conn->layer[msg->side].down != END_NONE)
		return -EPROTO;
	conn->layer[msg->side].down = END_STREAM;
	set_turn(owner, conn, TURN_BUSY);
	return 0;
}

static int on_above_reset(void *owner, void *object, const struct channel_msg *msg, const uint8_t *payload)
{
	struct conn *conn = object;
	(void)payload;
	if (!conn)
		return ignore();
	if (conn->layer[msg->side].down == END_RESET || conn->layer[msg->side].down == END_RESET_DONE)
		return -EPROTO;
	conn->layer[msg->side].down = END_RESET;
	set_turn(owner, conn, TURN_BUSY);
	return 0;
}

static int on_above_credit(void *owner, void *object, const struct channel_msg *msg, const uint8_t *payload)
{
	struct conn *conn = object;
	if (!conn)
		return ignore();
	set_turn(owner, conn, TURN_BUSY);
	return take_credit(&conn->layer[msg->side].credit_up, payload);
}

static bool is_name(const char name[CHANNEL_NAME_MAX])
{
	return memchr(name, 0, CHANNEL_NAME_MAX) != NULL;
}

/* The client of direct TLS has no name yet. */
static bool is_start(const struct conn *conn)
{
	const struct msg_start_tls *start = &conn->start;
	return is_name(start->client_name) && is_name(start->server_name) && start->server_name[0] &&
		start->level <= AUTH_NONE && start->direct == (conn->state == CONN_ASKED) &&
		!(conn->own && !start->client_name[0]) &&
		!(start->direct && start->client_name[0]);
}

static int on_start_tls(void *owner, void *object, const struct channel_msg *msg, const uint8_t *payload)
{
	struct relay *relay = owner;
	struct conn *conn = object;
	(void)msg;
	if (!conn || has_failed(conn))
		return ignore();
	memcpy(&conn->start, payload, sizeof(conn->start));
	if (!is_start(conn))
		return -EPROTO;
	int rc = handshake_start(conn);
	if (rc == -ENOMEM)
		fatalx("out of memory");
	if (!conn->start.direct)
		count(relay, TLS_COUNT_STARTED);
	set_state(relay, conn, CONN_HANDSHAKE);
	if (rc)
		handshake_abort(conn, SIDE_CLIENT, TLS_FAILED_HANDSHAKE, "too much plaintext waits to be sent before TLS");
	set_turn(relay, conn, TURN_BUSY);
	return 0;
}

/* Once more, to an endpoint of a connection that is there: the dataplane knows where that is. */
static int on_dial(void *owner, void *object, const struct channel_msg *msg, const uint8_t *payload)
{
	struct relay *relay = owner;
	struct conn *conn = object;
	struct msg_dial dial;
	if (!conn)
		return ignore();
	memcpy(&dial, payload, sizeof(dial));
	say(relay->lower, conn, MSG_DIAL, (enum conn_side)msg->side, &dial, sizeof(dial));
	return 0;
}

static int on_name_client(void *owner, void *object, const struct channel_msg *msg, const uint8_t *payload)
{
	struct conn *conn = object;
	struct msg_name_client name;
	(void)msg;
	if (!conn || has_failed(conn))
		return ignore();
	memcpy(&name, payload, sizeof(name));
	if (!is_name(name.client_name) || !name.client_name[0] || name.level > AUTH_NONE)
		return -EPROTO;
	handshake_name(conn, &name);
	set_state(owner, conn, CONN_NAMED);
	set_turn(owner, conn, TURN_BUSY);
	return 0;
}

/* --- dispatch --- */

enum {
	ANY = (1u << (CONN_FAILED + 1)) - 1 - IN(CONN_UNKNOWN),
	ANY_OR_OVER = ANY | IN(CONN_UNKNOWN),
	OVER = IN(CONN_UNKNOWN) | IN(CONN_DYING) | IN(CONN_FAILED),    /* control may not have heard of it yet */
};

static const struct channel_verb from_dataplane[MSG_TYPES] = {
	[MSG_OPENED] = {sizeof(struct msg_opened), sizeof(struct msg_opened), IN(CONN_UNKNOWN), on_opened},
	[MSG_BYTES] = {1, CHANNEL_PAYLOAD_MAX, ANY, on_wire_bytes},
	[MSG_END_OF_STREAM] = {0, 0, ANY, on_wire_end},
	[MSG_RESET] = {0, 0, ANY, on_wire_reset},
	[MSG_CREDIT] = {sizeof(struct msg_credit), sizeof(struct msg_credit), ANY, on_wire_credit},
	[MSG_CLOSED] = {0, 0, ANY, on_closed},
	[MSG_NOTICE] = {sizeof(struct msg_notice), sizeof(struct msg_notice), IN(CONN_UNKNOWN), on_notice},
};

/* In the handshake control has nothing to say to the endpoints, but it may end them. What it said in plain before it
 * heard of direct TLS goes nowhere; where the client is done, it may be told something, and the server nothing. */
static const struct channel_verb from_control[MSG_TYPES] = {
	[MSG_BYTES] = {1, CHANNEL_PAYLOAD_MAX, ANY_OR_OVER & ~IN(CONN_HANDSHAKE), on_above_bytes},
	[MSG_END_OF_STREAM] = {0, 0, ANY_OR_OVER, on_above_end},
	[MSG_RESET] = {0, 0, ANY_OR_OVER, on_above_reset},
	[MSG_CREDIT] = {sizeof(struct msg_credit), sizeof(struct msg_credit), ANY_OR_OVER, on_above_credit},
	[MSG_START_TLS] = {sizeof(struct msg_start_tls), sizeof(struct msg_start_tls),
		IN(CONN_OPENING) | IN(CONN_PLAIN) | IN(CONN_ASKED) | OVER, on_start_tls},
	[MSG_NAME_CLIENT] = {sizeof(struct msg_name_client), sizeof(struct msg_name_client),
		IN(CONN_UNNAMED) | OVER, on_name_client},
	[MSG_DIAL] = {sizeof(struct msg_dial), sizeof(struct msg_dial), ANY_OR_OVER, on_dial},
};

static unsigned find(void *owner, uint64_t id, void **object)
{
	struct relay *relay = owner;
	struct conn *conn = conn_find(&relay->conns, id);
	*object = conn;
	return conn ? conn->state : CONN_UNKNOWN;
}

/* --- a round --- */

static void run_busy(struct relay *relay)
{
	for (struct conn *conn; (conn = TAILQ_FIRST(&relay->busy));) {
		set_turn(relay, conn, TURN_NONE);
		run(relay, conn);
	}
}

static void wake_starved(struct relay *relay)
{
	if (TAILQ_EMPTY(&relay->starved) || !channel_room(relay->lower) || !channel_room(relay->upper))
		return;
	for (struct conn *conn; (conn = TAILQ_FIRST(&relay->starved));)
		set_turn(relay, conn, TURN_BUSY);
}

int relay_run(struct relay *relay)
{
	const struct channel_receiver below = {from_dataplane, find, relay}, above = {from_control, find, relay};
	/* Control first: an endpoint that was told to begin TLS may answer before we have heard of it ourselves. */
	int n = channel_dispatch(relay->upper, &above, DISPATCH_BUDGET);
	int m = n < 0 ? n : channel_dispatch(relay->lower, &below, DISPATCH_BUDGET);
	if (m < 0 || (keys_expects(relay->keys) && keys_run(relay->keys)))
		return -EPROTO;
	time_out(relay);
	wake_starved(relay);
	run_busy(relay);
	channel_flush(relay->lower);
	channel_flush(relay->upper);
	return channel_broken(relay->lower) || channel_broken(relay->upper) ? -EPROTO : n + m;
}

int relay_take_crls(struct relay *relay, enum wire wire, int bundle)
{
	struct msg_crls told;
	int rc = trust_take_crls(&relay->trust[wire], bundle, &told);
	count(relay, rc ? TLS_COUNT_CRLS_REFUSED : TLS_COUNT_CRLS_TAKEN);
	if (rc)
		log_warnx("CRLs are refused wire=%s reason=\"%s\"", wire == WIRE_INSIDE ? "inside" : "outside", told.reason);
	if (channel_send(relay->upper, MSG_CRLS, SIDE_CLIENT, 0, &told, sizeof(told)))
		return rc; /* broken, which the round finds out */
	return rc;
}

int relay_timeout_ms(const struct relay *relay)
{
	const struct conn *oldest = TAILQ_FIRST(&relay->shaking);
	if (!TAILQ_EMPTY(&relay->starved))
		return 1;
	if (!oldest)
		return -1;
	return oldest->deadline_ms <= relay->now_ms ? 0 : (int)(oldest->deadline_ms - relay->now_ms);
}

int relay_init(struct relay *relay, int keyd_fd)
{
	TAILQ_INIT(&relay->busy);
	TAILQ_INIT(&relay->starved);
	TAILQ_INIT(&relay->shaking);
	resume_init(&relay->resume);
	for (unsigned wire = 0; wire < WIRES; wire++)
		handshake_prepare(&relay->trust[wire]);
	relay->keys = keys_new(keyd_fd, relay->counters, on_answer, relay);
	return relay->keys ? 0 : -ENOMEM;
}

void relay_fini(struct relay *relay)
{
	for (unsigned i = 0; i < CONN_BUCKETS; i++)
		for (struct conn *conn; (conn = LIST_FIRST(&relay->conns.bucket[i]));)
			forget(relay, conn);
	resume_fini(&relay->resume);
	keys_free(relay->keys);
}
