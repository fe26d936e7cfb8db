/* Who is above; see upper.h. */
#include <errno.h>
#include <string.h>

#include "dataplane/base/log.h"
#include "dataplane/base/proc.h"
#include "dial.h"
#include "emit.h"
#include "link.h"
#include "split.h"
#include "upper.h"

/* States of a connection as the channel's dispatch knows them; 0 is an id that was never given. */
enum { CONNECTION_OPEN = 1, CONNECTION_PAST = 2, IN_ANY = 1 << CONNECTION_OPEN | 1 << CONNECTION_PAST };

/* What was said before MSG_CLOSED was heard comes without an object, and is ignored. */
static unsigned find_connection(void *owner, uint64_t id, void **object)
{
	const struct worker *worker = owner;
	struct flow *flow = flow_by_id(&worker->flows, id);
	if (flow && flow->via != VIA_CHANNEL)
		return 0;
	*object = flow;
	if (flow)
		return CONNECTION_OPEN;
	return flow_was_named(&worker->flows, id) ? CONNECTION_PAST : 0;
}

static int on_bytes(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	return conn ? split_bytes(owner, conn, msg->side, payload, msg->length) : 0;
}

static int on_end_of_stream(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	(void)payload;
	return conn ? split_end_of_stream(owner, conn, msg->side) : 0;
}

static int on_reset(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	(void)payload;
	if (conn)
		split_reset(owner, conn, msg->side);
	return 0;
}

static int on_credit(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	struct msg_credit credit;
	memcpy(&credit, payload, sizeof(credit));
	return conn ? split_credit(owner, conn, msg->side, credit.bytes) : 0;
}

/* Only to where a guarded connection leads at this moment. */
static int on_dial(void *owner, void *conn, const struct channel_msg *msg, const uint8_t *payload)
{
	struct msg_dial dial;
	memcpy(&dial, payload, sizeof(dial));
	if (!dial.port || dial.port > UINT16_MAX)
		return -EPROTO;
	if (conn)
		dial_begin(owner, conn, msg->side, (uint16_t)dial.port);
	return 0;
}

static const struct channel_verb verbs[MSG_TYPES] = {
	[MSG_BYTES] = {1, CHANNEL_PAYLOAD_MAX, IN_ANY, on_bytes},
	[MSG_END_OF_STREAM] = {0, 0, IN_ANY, on_end_of_stream},
	[MSG_RESET] = {0, 0, IN_ANY, on_reset},
	[MSG_CREDIT] = {sizeof(struct msg_credit), sizeof(struct msg_credit), IN_ANY, on_credit},
	[MSG_DIAL] = {sizeof(struct msg_dial), sizeof(struct msg_dial), IN_ANY, on_dial},
};

/* --- coming and going --- */

static void detach(struct worker *worker)
{
	if (!worker->channel)
		return;
	channel_free(worker->channel);
	worker->channel = NULL;
	count(worker, COUNT_UPPER_DETACHED);
	split_reset_all(worker);
	emit_flush(worker);
}

static void attach(struct worker *worker, struct channel_fds fds)
{
	detach(worker);
	worker->channel = channel_attach(fds, CHANNEL_LOWER);
	if (worker->channel)
		count(worker, COUNT_UPPER_ATTACHED);
	else
		log_warn("channel cannot be attached");
}

static void let_go_if_broken(struct worker *worker)
{
	if (!channel_broken(worker->channel))
		return;
	if (supervisor_tell(worker->supervisor, SUPERVISOR_PEER_BROKEN))
		log_warnx("sallyportd cannot be told of a broken channel");
	detach(worker);
}

unsigned upper_receive(struct worker *worker)
{
	if (!worker->channel)
		return 0;
	const struct channel_receiver receiver = {verbs, find_connection, worker};
	int n = channel_dispatch(worker->channel, &receiver, WORKER_UPPER_BUDGET);
	let_go_if_broken(worker);
	return n > 0 ? (unsigned)n : 0;
}

void upper_flush(struct worker *worker)
{
	if (!worker->channel)
		return;
	channel_flush(worker->channel);
	let_go_if_broken(worker);
}

void upper_hear_supervisor(struct worker *worker)
{
	struct channel_fds fds;
	enum wire wire;
	enum link_state state;
	worker->supervisor_heard_at = worker->now;
	for (int heard; !worker->over && (heard = supervisor_hear(worker->supervisor, &fds));) {
		if (heard == SUPERVISOR_ATTACH)
			attach(worker, fds);
		else if (heard == SUPERVISOR_DETACH)
			detach(worker);
		else if (supervisor_told_link(heard, &wire, &state))
			link_told(worker, wire, state);
		else if (heard == -EPIPE)
			worker->over = true;
		else
			fatalx("sallyportd said what it may not say type=%d", heard);
	}
}
