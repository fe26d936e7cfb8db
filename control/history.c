/* What an operator may look back at; see history.h. */
#include <stdio.h>
#include <string.h>

#include "control/history.h"

#define COPY(to, from) snprintf(to, sizeof(to), "%s", from)

static const char *or_none(const char *value)
{
	return value ? value : "";
}

void history_verdict(struct history *history, uint64_t wall_ms, uint64_t number, uint64_t session,
	enum policy_direction direction, const struct node *stanza, const struct policy_verdict *verdict,
	enum delivery delivery)
{
	struct past_verdict *past = &history->verdict[history->verdicts++ % VERDICTS_KEPT];
	*past = (struct past_verdict){.wall_ms = wall_ms,
		.number = number,
		.session = session,
		.direction = direction,
		.action = verdict->action,
		.delivery = delivery};
	COPY(past->kind, stanza->name);
	COPY(past->from, or_none(node_attribute(stanza, "from")));
	COPY(past->to, or_none(node_attribute(stanza, "to")));
	COPY(past->rule, verdict->rule);
	COPY(past->reason, verdict->reason);
	COPY(past->changed, verdict->changed);
}

static struct shown_certificate *find(struct history *history, enum wire wire, const uint8_t *fingerprint)
{
	for (unsigned i = 0; i < history->certificates; i++) {
		struct shown_certificate *shown = &history->certificate[i];
		if (shown->wire == wire && !memcmp(shown->fingerprint, fingerprint, sizeof(shown->fingerprint)))
			return shown;
	}
	return NULL;
}

/* A free row, or the one that was not shown for the longest time. */
static struct shown_certificate *make_row(struct history *history)
{
	struct shown_certificate *oldest = &history->certificate[0];
	if (history->certificates < CERTIFICATES_KEPT)
		return &history->certificate[history->certificates++];
	for (unsigned i = 1; i < CERTIFICATES_KEPT; i++)
		if (history->certificate[i].last_wall_ms < oldest->last_wall_ms)
			oldest = &history->certificate[i];
	return oldest;
}

static void keep_shown(struct history *history, enum wire wire, const struct msg_secured *secured, uint64_t wall_ms)
{
	struct shown_certificate *shown = find(history, wire, secured->shown_fingerprint);
	if (!shown) {
		shown = make_row(history);
		*shown = (struct shown_certificate){.wire = wire, .not_after = secured->shown_not_after};
		COPY(shown->domain, secured->shown);
		COPY(shown->issuer, secured->shown_issuer);
		memcpy(shown->fingerprint, secured->shown_fingerprint, sizeof(shown->fingerprint));
	}
	COPY(shown->last_to, secured->identity);
	shown->last_wall_ms = wall_ms;
	shown->times++;
}

/* The row of that certificate on that wire, a free one, or the one that was not seen for the longest time. */
static struct seen_certificate *seen_row(struct history *history, enum wire wire, const struct msg_secured *secured)
{
	struct seen_certificate *oldest = &history->seen[0];
	for (unsigned i = 0; i < history->seen_count; i++) {
		struct seen_certificate *seen = &history->seen[i];
		if (seen->wire == wire && !strcmp(seen->domain, secured->identity) &&
			!memcmp(seen->fingerprint, secured->fingerprint, sizeof(seen->fingerprint)))
			return seen;
		oldest = seen->last_wall_ms < oldest->last_wall_ms ? seen : oldest;
	}
	return history->seen_count < CERTIFICATES_KEPT ? &history->seen[history->seen_count++] : oldest;
}

static void keep_seen(struct history *history, enum wire wire, const struct msg_secured *secured, uint64_t wall_ms)
{
	struct seen_certificate *seen = seen_row(history, wire, secured);
	*seen = (struct seen_certificate){.wire = wire, .last_wall_ms = wall_ms};
	COPY(seen->domain, secured->identity);
	memcpy(seen->fingerprint, secured->fingerprint, sizeof(seen->fingerprint));
	memcpy(seen->key_fingerprint, secured->key_fingerprint, sizeof(seen->key_fingerprint));
}

void history_certificate(struct history *history, enum wire wire, const struct msg_secured *secured, uint64_t wall_ms)
{
	if (*secured->shown)
		keep_shown(history, wire, secured, wall_ms);
	if (*secured->identity)
		keep_seen(history, wire, secured, wall_ms);
}
