/* What the whole process shares, passed down to everything in it. */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include <stdint.h>

#include "control/audit.h"
#include "control/count.h"
#include "control/history.h"
#include "control/keys.h"
#include "control/limits.h"
#include "control/own_stream.h"
#include "control/presences.h"
#include "control/rates.h"
#include "control/record.h"
#include "control/refusal.h"
#include "control/scan.h"
#include "control/sessions.h"
#include "control/shadows.h"
#include "dataplane/base/channel.h"
#include "dataplane/base/conf.h"
#include "dataplane/base/counters.h"
#include "policy/policy.h"

struct control {
	struct conf *conf;
	struct policy *policy;
	struct channel *channel;   /* to tls; control is its upper end */
	struct counters *counters; /* control's own */
	struct sessions sessions;
	struct refusals refusals;
	struct own_streams own_streams;
	struct keys keys;
	struct scans scans;
	struct rates rates;
	struct presences presences;
	struct audit audit;
	struct record record;
	struct shadows shadows;
	struct history history; /* what the operator may look back at */
	uint64_t now_ms;        /* monotonic; read once a turn of the loop */
	uint64_t wall_ms;       /* since 1970; the same */
	struct {
		uint64_t minute; /* since 1970 */
		int of_week;     /* what it is in local time; see struct policy_context */
	} local;
};

static inline void control_count(struct control *control, enum control_counter id)
{
	counter_add(control->counters, id, 1);
}

#endif
