/*
 * Where a profile that is tried beside another one (`shadow` of a [peer]) would have judged otherwise: how often, by what
 * both said and by peer.
 */
#ifndef CONTROL_SHADOWS_H
#define CONTROL_SHADOWS_H

#include <stdint.h>

#include "policy/policy.h"

enum { SHADOWS_MAX = 128, SHADOW_VERDICT_BYTES = 96, SHADOW_PEER_BYTES = 128 };

struct shadows {
	uint64_t judged, differing, in_no_row;         /* in_no_row: of which there were too many */
	unsigned count;
	struct shadow_row {
		char was[SHADOW_VERDICT_BYTES], would_be[SHADOW_VERDICT_BYTES], peer[SHADOW_PEER_BYTES];
		uint64_t count, last_wall_ms;
	} row[SHADOWS_MAX];
};

/* Of a stanza whose peer, as the policy names it, has one. */
void shadows_count(struct shadows *shadows, const struct policy_verdict *verdict, uint64_t wall_ms)
	__attribute__((nonnull));

#endif
