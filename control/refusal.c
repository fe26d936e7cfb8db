/* The way of a refusal to its sender; see refusal.h. */
#include <stdlib.h>
#include <string.h>

#include "control/control.h"
#include "control/session.h"
#include "policy/policy.h"

enum { TRIED_PER_TICK = 64 };

const char *delivery_name(enum delivery delivery)
{
	static const char *const names[] = {[DELIVERY_NONE] = "none",
		[DELIVERY_NOT_DUE] = "not-due",
		[DELIVERY_INSTEAD] = "instead",
		[DELIVERY_BIDI] = "bidi",
		[DELIVERY_REVERSE] = "reverse",
		[DELIVERY_OWN_STREAM] = "own-stream",
		[DELIVERY_QUEUED] = "queued",
		[DELIVERY_UNDELIVERABLE] = "undeliverable"};
	return names[delivery];
}

static bool is_pair(const struct session *session, enum conn_side side, const char *from, const char *to)
{
	const struct pair *pair = pairs_find(&session->pairs, side, from, to);
	return pair && pair->state == PAIR_VALID;
}

/* Would the endpoint on this side take a stanza from `from` to `to` on this connection, now? */
static bool is_way(const struct session *session, enum conn_side side, const char *from, const char *to)
{
	const struct stream *stream = &session->stream[side];
	if (session->state != SESSION_OPEN || stream->output != OUTPUT_OPEN || stream_is_full(stream) ||
		management_holds(session, side_other(side)))
		return false;
	if (is_pair(session, side_other(side), from, to))
		return true;
	bool bidi = session->bidi == BIDI_WITH_SERVER || (session->bidi == BIDI_WITH_GUARD && side == SIDE_CLIENT);
	return bidi && is_pair(session, side, to, from);
}

/* The endpoint of this session that takes it and is on this wire; NULL: none. */
static struct stream *way_on(struct session *session, enum wire wire, const char *from, const char *to)
{
	enum conn_side side = session_wire(session, SIDE_CLIENT) == wire ? SIDE_CLIENT : SIDE_SERVER;
	return is_way(session, side, from, to) ? &session->stream[side] : NULL;
}

static struct stream *way_anywhere(struct control *control, enum wire wire, const char *from, const char *to)
{
	for (struct session *session = control->sessions.first; session; session = session->next) {
		struct stream *stream = way_on(session, wire, from, to);
		if (stream)
			return stream;
	}
	return NULL;
}

/* --- the queue --- */

static bool queue_push(struct control *control, const struct refusal *about, const char *bytes, size_t len)
{
	struct refusals *queue = &control->refusals;
	if (queue->count == REFUSALS_MAX || queue->bytes + len > REFUSALS_BYTES_MAX)
		return false;
	struct refusal *refusal = malloc(sizeof(*refusal) + len + 1);
	if (!refusal)
		return false;
	*refusal = *about;
	refusal->next = NULL;
	refusal->deadline_ms = control->now_ms + REFUSAL_MS;
	refusal->len = len;
	memcpy(refusal->bytes, bytes, len);
	refusal->bytes[len] = '\0';
	*(queue->last ? &queue->last->next : &queue->first) = refusal;
	queue->last = refusal;
	queue->count++;
	queue->bytes += len;
	return true;
}

static void queue_remove(struct refusals *queue, struct refusal **at, struct refusal *before)
{
	struct refusal *refusal = *at;
	*at = refusal->next;
	if (queue->last == refusal)
		queue->last = before;
	queue->count--;
	queue->bytes -= refusal->len;
	free(refusal);
}

static enum delivery enqueue(struct control *control, const struct refusal *about, const struct node *answer)
{
	struct buf out;
	buf_init(&out, XML_STANZA_BYTES);
	bool queued = !xml_write_node(&out, answer) &&
		      queue_push(control, about, (const char *)buf_head(&out), buf_len(&out));
	buf_fini(&out);
	return queued ? DELIVERY_QUEUED : DELIVERY_UNDELIVERABLE;
}

/* --- delivering --- */

static void count(struct control *control, enum delivery delivery)
{
	static const enum control_counter counters[] = {[DELIVERY_NOT_DUE] = COUNT_REFUSALS_NOT_DUE,
		[DELIVERY_BIDI] = COUNT_REFUSALS_BY_BIDI,
		[DELIVERY_REVERSE] = COUNT_REFUSALS_BY_REVERSE,
		[DELIVERY_OWN_STREAM] = COUNT_REFUSALS_BY_OWN_STREAM,
		[DELIVERY_QUEUED] = COUNT_REFUSALS_QUEUED,
		[DELIVERY_UNDELIVERABLE] = COUNT_REFUSALS_UNDELIVERABLE};
	control_count(control, counters[delivery]);
}

/* It has been put into the stream. */
static void send_off(struct stream *way)
{
	management_count(way->session, side_other(way->side), ACKS_INJECTED);
	way->session->spoken_ms = way->session->control->now_ms;
	stream_flush(way);
}

static enum delivery delivery_on(const struct stream *way)
{
	return way->session->own ? DELIVERY_OWN_STREAM : DELIVERY_REVERSE;
}

static enum delivery deliver(struct control *control, struct session *session, enum conn_side side,
	const struct node *answer, uint64_t verdict)
{
	struct refusal about = {.verdict = verdict, .wire = session_wire(session, side)};
	const char *from = node_attribute(answer, "from"), *to = node_attribute(answer, "to");
	if (!from || !to || jid_domain(from, about.from, sizeof(about.from)) ||
		jid_domain(to, about.to, sizeof(about.to)))
		return DELIVERY_UNDELIVERABLE;
	bool here = is_way(session, side, about.from, about.to);
	struct stream *way = here ? &session->stream[side] : way_anywhere(control, about.wire, about.from, about.to);
	if (!way || stream_put_node(way, answer)) {
		enum delivery delivery = enqueue(control, &about, answer);
		if (!way && delivery == DELIVERY_QUEUED)
			own_stream_wanted(control, session, side, about.from, about.to);
		return delivery;
	}
	send_off(way);
	return here ? DELIVERY_BIDI : delivery_on(way);
}

enum delivery refusal_deliver(struct control *control, struct session *session, enum conn_side side,
	const struct node *answer, uint64_t verdict)
{
	enum delivery delivery = answer ? deliver(control, session, side, answer, verdict) : DELIVERY_NOT_DUE;
	count(control, delivery);
	return delivery;
}

static bool try_on(struct control *control, struct stream *way, const struct refusal *refusal)
{
	if (!way || stream_put_text(way, refusal->bytes))
		return false;
	send_off(way);
	count(control, delivery_on(way));
	audit_refusal(control, refusal, delivery_on(way));
	return true;
}

void refusals_flush(struct control *control, struct session *session)
{
	struct refusal *before = NULL;
	for (struct refusal **at = &control->refusals.first; *at;) {
		const struct refusal *refusal = *at;
		struct stream *way = way_on(session, refusal->wire, refusal->from, refusal->to);
		if (try_on(control, way, refusal)) {
			queue_remove(&control->refusals, at, before);
		} else {
			before = *at;
			at = &(*at)->next;
		}
	}
}

/* A stream that was full when the refusal was due may have room now; the first few are tried. */
void refusals_tick(struct control *control)
{
	struct refusal *before = NULL;
	unsigned tried = 0;
	for (struct refusal **at = &control->refusals.first; *at && tried < TRIED_PER_TICK; tried++) {
		const struct refusal *refusal = *at;
		bool late = control->now_ms >= refusal->deadline_ms;
		if (late) {
			count(control, DELIVERY_UNDELIVERABLE);
			audit_refusal(control, refusal, DELIVERY_UNDELIVERABLE);
		}
		if (late ||
			try_on(control, way_anywhere(control, refusal->wire, refusal->from, refusal->to), refusal)) {
			queue_remove(&control->refusals, at, before);
		} else {
			before = *at;
			at = &(*at)->next;
		}
	}
}

void refusals_fini(struct refusals *refusals)
{
	while (refusals->first)
		queue_remove(refusals, &refusals->first, NULL);
}
