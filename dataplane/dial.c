/* Connections of the guard's own; see dial.h. */
#include <sys/random.h>

#include <rte_mbuf.h>

#include "adopt.h"
#include "dial.h"
#include "emit.h"
#include "split.h"

enum { PORT_FIRST = 49152, PORTS = 65536 - PORT_FIRST, PORT_TRIES = 16, WSCALE = 4 };

/* --- SYN --- */

static void send_syn(struct worker *worker, struct flow *flow)
{
	const struct handshake *handshake = &flow->handshake;
	const struct tcp_seg syn = {.seq = handshake->isn[SIDE_CLIENT], .flags = TCP_SYN, .window = UINT16_MAX,
		.mss = handshake->mss[SIDE_CLIENT], .wscale = WSCALE, .sack_permitted = TCP_CAN_SACK};
	emit_segment(worker, flow_wire(flow, SIDE_SERVER), &flow->path[SIDE_SERVER], &syn);
}

static struct dial *find_free(struct worker *worker)
{
	for (unsigned i = 0; i < WORKER_DIALS; i++)
		if (!worker->dials[i].tries)
			return &worker->dials[i];
	return NULL;
}

static bool key_of(struct flow_key *key, const struct path *path)
{
	struct frame frame = {.family = path->family, .src = path->src, .dst = path->dst, .src_port = path->src_port,
		.dst_port = path->dst_port};
	return flow_key_of(key, &frame);
}

/* A port that the endpoint in whose name it is does not use towards the other: as far as we know. False: none was found. */
static bool choose_port(const struct worker *worker, struct path *path, struct flow_key *key, bool *src_first)
{
	for (unsigned i = 0; i < PORT_TRIES; i++) {
		uint16_t random;
		if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
			return false;
		path->src_port = (uint16_t)(PORT_FIRST + random % PORTS);
		*src_first = key_of(key, path);
		if (!is_guarded_port(worker, path->src_port) && !flow_find(&worker->flows, key))
			return true;
	}
	return false;
}

static void note_syn(const struct worker *worker, struct flow *flow, uint32_t isn)
{
	struct handshake *handshake = &flow->handshake;
	const struct tcp_seg syn = {.seq = {isn}, .flags = TCP_SYN, .wscale = WSCALE, .sack_permitted = TCP_CAN_SACK,
		.mss = worker->mss_limit[flow->path[SIDE_SERVER].family == FRAME_IPV6]};
	handshake_note(handshake, SIDE_CLIENT, &syn, flow->path[SIDE_SERVER].family);
	handshake->syn_at = worker->now;
}

void dial_begin(struct worker *worker, const struct flow *flow, enum conn_side side, uint16_t port)
{
	struct path path = flow->path[side];
	struct flow_key key;
	struct flow *own = NULL;
	uint32_t isn;
	bool src_first = false;
	struct dial *dial = find_free(worker);
	path.dst_port = port;
	if (dial && is_guarded_port(worker, port) && getrandom(&isn, sizeof(isn), GRND_NONBLOCK) == sizeof(isn) &&
		choose_port(worker, &path, &key, &src_first) && !flow_list_is_full(&worker->flows, FLOW_HALF_OPEN))
		own = flow_new(&worker->flows, &key, FLOW_HALF_OPEN);
	if (!own) {
		count(worker, COUNT_DIALS_REFUSED);
		return;
	}
	own->own = true;
	own->client_wire = flow_wire(flow, side_other(side));
	own->client_is_first = src_first;
	own->path[SIDE_SERVER] = path;
	own->path[SIDE_CLIENT] = flow->path[side_other(side)];
	own->link[SIDE_CLIENT] = flow->link[side_other(side)];
	own->link[SIDE_SERVER] = flow->link[side];
	own->expires = worker->now + ((uint64_t)DIAL_US << DIAL_TRIES);
	note_syn(worker, own, isn);
	*dial = (struct dial){.key = key, .tries = 1, .at = worker->now + DIAL_US};
	count(worker, COUNT_DIALS);
	send_syn(worker, own);
}

/* --- again --- */

/* NULL: it was answered, evicted or refused in the meantime. */
static struct flow *unanswered(const struct worker *worker, const struct dial *dial)
{
	struct flow *flow = flow_find(&worker->flows, &dial->key);
	return flow && flow->own && flow->state == FLOW_HALF_OPEN ? flow : NULL;
}

static void repeat(struct worker *worker, struct dial *dial)
{
	struct flow *flow = unanswered(worker, dial);
	if (!flow) {
		dial->tries = 0;
	} else if (dial->tries == DIAL_TRIES) {
		flow_free(&worker->flows, flow);
		dial->tries = 0;
	} else {
		dial->at = worker->now + ((uint64_t)DIAL_US << dial->tries++);
		flow->handshake.syn_at = 0;    /* sent more than once: it tells no round trip */
		send_syn(worker, flow);
	}
}

void dial_repeat(struct worker *worker)
{
	for (unsigned i = 0; i < WORKER_DIALS; i++)
		if (worker->dials[i].tries && worker->dials[i].at <= worker->now)
			repeat(worker, &worker->dials[i]);
}

uint64_t dial_next(const struct worker *worker)
{
	uint64_t next = UINT64_MAX;
	for (unsigned i = 0; i < WORKER_DIALS; i++)
		if (worker->dials[i].tries && worker->dials[i].at < next)
			next = worker->dials[i].at;
	return next;
}

/* --- the answer --- */

static void open_own(struct worker *worker, struct flow *flow, struct arrival *arrival)
{
	adopt_note_syn_ack(worker, flow, arrival);
	if (!split_take_over(worker, flow, VIA_CHANNEL, UINT16_MAX))
		split_forget(worker, flow);
	rte_pktmbuf_free(arrival->mbuf);
}

void dial_segment(struct worker *worker, struct flow *flow, enum conn_side side, struct arrival *arrival)
{
	const struct tcp_seg *seg = &arrival->seg;
	bool acknowledges = (seg->flags & TCP_ACK) && seq_eq(seg->ack, seq_add(flow->handshake.isn[SIDE_CLIENT], 1));
	if (side == SIDE_SERVER && acknowledges && (seg->flags & (TCP_SYN | TCP_FIN | TCP_RST)) == TCP_SYN) {
		open_own(worker, flow, arrival);
		return;
	}
	/* Refused; or the one in whose name it is uses this port itself, and will find it free when it tries again. */
	if (side == SIDE_CLIENT || (acknowledges && (seg->flags & TCP_RST)))
		flow_free(&worker->flows, flow);
	emit_nothing(worker, arrival, COUNT_DROP_NOT_OF_HANDSHAKE);
}
