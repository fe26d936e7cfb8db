/* Notices; see notice.h. */
#include <string.h>

#include "notice.h"

/* How many of this kind there were before that nobody was told of; false: too many in this second. */
static bool may_tell(struct worker *worker, enum notice_kind kind, uint32_t *untold)
{
	struct notice_limit *limit = &worker->notice_limit[kind];
	uint64_t second = worker->now / 1000000;
	if (limit->second != second) {
		limit->second = second;
		limit->told = 0;
	}
	if (!worker->channel || limit->told == NOTICES_A_SECOND) {
		limit->untold++;
		return false;
	}
	limit->told++;
	*untold = limit->untold;
	limit->untold = 0;
	return true;
}

void notice(struct worker *worker, enum notice_kind kind, bool blocked, enum wire wire, const struct path *path)
{
	struct msg_notice msg = {.kind = (uint8_t)kind, .blocked = blocked, .family = path->family, .wire = (uint8_t)wire,
		.src_port = path->src_port, .dst_port = path->dst_port};
	count(worker, COUNT_NOTICES);
	if (!may_tell(worker, kind, &msg.untold))
		return;
	memcpy(msg.src, path->src, sizeof(msg.src));
	memcpy(msg.dst, path->dst, sizeof(msg.dst));
	if (channel_send(worker->channel, MSG_NOTICE, SIDE_CLIENT, 0, &msg, sizeof(msg)))
		return; /* broken: found at the end of the round */
}
