/* What an operator may look back at: the last verdicts other than a plain pass, and the guard certificates shown. */
#ifndef CONTROL_HISTORY_H
#define CONTROL_HISTORY_H

#include <stdint.h>

#include "control/limits.h"
#include "control/refusal.h"
#include "dataplane/base/channel.h"
#include "policy/policy.h"

struct past_verdict {
	uint64_t wall_ms, number, session;
	enum policy_direction direction;
	enum policy_action action;
	enum delivery delivery;
	char kind[16], from[128], to[128], rule[64], reason[160], changed[160];
};

struct shown_certificate {
	enum wire wire; /* on which it was shown */
	char domain[CHANNEL_NAME_MAX], issuer[CHANNEL_NAME_MAX];
	char last_to[CHANNEL_NAME_MAX]; /* who saw it last; "": showed no certificate itself */
	uint8_t fingerprint[32];
	uint64_t not_after, times, last_wall_ms;
};

struct seen_certificate {
	enum wire wire;
	char domain[CHANNEL_NAME_MAX]; /* that it proves */
	uint8_t fingerprint[32], key_fingerprint[32];
	uint64_t last_wall_ms;
};

struct history {
	uint64_t verdicts; /* so far; the last VERDICTS_KEPT of them are kept */
	struct past_verdict verdict[VERDICTS_KEPT];
	unsigned certificates;
	struct shown_certificate certificate[CERTIFICATES_KEPT];
	unsigned seen_count;
	struct seen_certificate seen[CERTIFICATES_KEPT]; /* of servers */
};

void history_verdict(struct history *history, uint64_t wall_ms, uint64_t number, uint64_t session,
	enum policy_direction direction, const struct node *stanza, const struct policy_verdict *verdict,
	enum delivery delivery) __attribute__((nonnull));
/* The strings of `secured` end with a NUL. */
void history_certificate(struct history *history, enum wire wire, const struct msg_secured *secured, uint64_t wall_ms)
	__attribute__((nonnull));

#endif
