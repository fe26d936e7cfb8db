/* Profiles tried beside others; see shadows.h. */
#include <stdio.h>
#include <string.h>

#include "control/shadows.h"

static void name(char *out, size_t size, enum policy_action action, const char *rule)
{
	snprintf(out, size, "%s%s%s", policy_action_name(action), *rule ? " by " : "", rule);
}

static struct shadow_row *find(struct shadows *shadows, const struct shadow_row *like)
{
	for (struct shadow_row *row = shadows->row; row < shadows->row + shadows->count; row++)
		if (!strcmp(row->peer, like->peer) && !strcmp(row->was, like->was) && !strcmp(row->would_be, like->would_be))
			return row;
	if (shadows->count == SHADOWS_MAX)
		return NULL;
	shadows->row[shadows->count] = *like;
	return &shadows->row[shadows->count++];
}

void shadows_count(struct shadows *shadows, const struct policy_verdict *verdict, uint64_t wall_ms)
{
	struct shadow_row like = {.count = 0}, *row;
	shadows->judged++;
	if (!verdict->shadow.differs)
		return;
	shadows->differing++;
	name(like.was, sizeof(like.was), verdict->action, verdict->rule);
	name(like.would_be, sizeof(like.would_be), verdict->shadow.action, verdict->shadow.rule);
	snprintf(like.peer, sizeof(like.peer), "%s", verdict->peer);
	row = find(shadows, &like);
	if (!row) {
		shadows->in_no_row++;
		return;
	}
	row->count++;
	row->last_wall_ms = wall_ms;
}
