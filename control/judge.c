/* The way of a stanza: policy looks at it, the audit notes it, and what may pass is written to the other side. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "control/control.h"
#include "control/negotiation.h"
#include "control/pace.h"
#include "dataplane/base/log.h"

static const struct {
	const char *kind;
	enum control_counter action[POLICY_CLOSE + 1];
} counters[] = {
	{"message", {COUNT_MESSAGE_PASS, COUNT_MESSAGE_REWRITTEN, COUNT_MESSAGE_REFUSED, COUNT_MESSAGE_DROPPED,
			COUNT_MESSAGE_CLOSE}},
	{"presence", {COUNT_PRESENCE_PASS, COUNT_PRESENCE_REWRITTEN, COUNT_PRESENCE_REFUSED, COUNT_PRESENCE_DROPPED,
			COUNT_PRESENCE_CLOSE}},
	{"iq", {COUNT_IQ_PASS, COUNT_IQ_REWRITTEN, COUNT_IQ_REFUSED, COUNT_IQ_DROPPED,
			COUNT_IQ_CLOSE}},
};

static void count(struct session *session, const struct node *root, enum policy_action action)
{
	session->stanzas[action]++;
	for (unsigned i = 0; i < sizeof(counters) / sizeof(*counters); i++)
		if (!strcmp(counters[i].kind, root->name))
			control_count(session->control, counters[i].action[action]);
}

/* Pairs whose stanzas may come from this side; with bidi, those of the other side turned round too. */
static unsigned collect_pairs(const struct session *session, enum conn_side side, struct policy_pair *pairs)
{
	unsigned count = 0;
	for (const struct pair *pair = session->pairs.first; pair; pair = pair->next) {
		if (pair->state != PAIR_VALID)
			continue;
		if (pair->side == side)
			pairs[count++] = (struct policy_pair){pair->from, pair->to};
		else if (session->bidi == BIDI_WITH_SERVER)
			pairs[count++] = (struct policy_pair){pair->to, pair->from};
	}
	return count;
}

static void record(struct control *control, const struct policy_context *context, const struct stanza *stanza,
	const struct policy_verdict *verdict)
{
	int rc = record_verdict(&control->record, context, stanza, verdict, control->wall_ms);
	if (rc > 0)
		control_count(control, COUNT_RECORDED);
	if (rc >= 0)
		return;
	errno = -rc;
	log_warn("recording has ended file=%s", control->conf->record);
	audit_guard(control, "recording ended");
}

/* The zone was read before the sandbox: localtime_r() takes what is there. 0: there is no clock, and no time is known. */
static int minute_of_week(struct control *control)
{
	uint64_t minute = control->wall_ms / 60000;
	if (!minute)
		return POLICY_MINUTE_UNKNOWN;
	if (minute != control->local.minute) {
		time_t seconds = (time_t)(minute * 60);
		struct tm local;
		control->local.minute = minute;
		control->local.of_week = POLICY_MINUTE_UNKNOWN;
		if (localtime_r(&seconds, &local))
			control->local.of_week = ((local.tm_wday + 6) % 7 * 24 + local.tm_hour) * 60 + local.tm_min;
	}
	return control->local.of_week;
}

static struct policy_context context_of(const struct stream *stream, struct policy_pair pairs[SESSION_PAIRS_MAX])
{
	const struct session *session = stream->session;
	return (struct policy_context){.direction = session_direction(session, stream->side),
		.pairs = pairs,
		.pair_count = collect_pairs(session, stream->side, pairs),
		.now = (int64_t)(session->control->wall_ms / 1000),
		.minute_of_week = minute_of_week(session->control)};
}

static void check(struct stream *stream, struct stanza *stanza, struct policy_verdict *verdict)
{
	const struct session *session = stream->session;
	bool is_recorded = record_is_on(&session->control->record);
	struct policy_pair pairs[SESSION_PAIRS_MAX];
	struct policy_context context = context_of(stream, pairs);
	if (is_recorded)
		record_stanza(&session->control->record, stanza);
	policy_check(session->control->policy, &context, stanza, verdict);
	if (verdict->shadow.is_there)
		shadows_count(&session->control->shadows, verdict, session->control->wall_ms);
	if (is_recorded)
		record(session->control, &context, stanza, verdict);
}

/* An error for the one who waits for a refused result; NULL: there is none, or it may not pass either. */
static struct node *instead_of_result(struct stream *stream, const struct stanza *stanza,
	const struct policy_verdict *verdict)
{
	struct stanza instead = {stanza->arena, policy_refused_result(stanza, verdict)};
	struct policy_pair pairs[SESSION_PAIRS_MAX];
	struct policy_context context = context_of(stream, pairs);
	struct policy_verdict of_it;
	if (!instead.root)
		return NULL;
	policy_check(stream->session->control->policy, &context, &instead, &of_it);
	return of_it.action == POLICY_PASS ? instead.root : NULL;
}

/* Something crosses only after its line stands in the audit. Whether something does. */
static bool act(struct stream *stream, struct stanza *stanza, const struct policy_verdict *verdict)
{
	struct session *session = stream->session;
	struct control *control = session->control;
	uint64_t number = audit_next_verdict(&control->audit);
	enum delivery delivery = DELIVERY_NONE;
	const struct node *onward = instead_of_result(stream, stanza, verdict);
	if (verdict->action == POLICY_REWRITTEN)
		onward = stanza->root;
	if (onward && verdict->action == POLICY_REFUSED) {
		delivery = DELIVERY_INSTEAD;
		control_count(control, COUNT_REFUSALS_INSTEAD);
	} else if (verdict->action == POLICY_REFUSED)
		delivery = refusal_deliver(control, session, stream->side, policy_refusal(stanza, verdict), number);
	int rc = audit_verdict(control, stream, stanza->root, verdict, number, delivery);
	if (verdict->action == POLICY_CLOSE)
		session_close(session, stream->side, verdict->error_condition, verdict->reason);
	else if (rc)
		session_close(session, SIDES, "internal-server-error", "the audit cannot be written");
	else if (onward)
		negotiation_pass(stream, onward);
	return onward;
}

static bool passes(const struct policy_verdict *verdict)
{
	return verdict->action == POLICY_PASS || verdict->action == POLICY_REWRITTEN;
}

/* Nothing new is not sent; more than the rate is not either. What passes here may still wait for a scanner. */
static void check_against_before(struct stream *stream, const struct stanza *stanza, struct policy_verdict *verdict)
{
	struct control *control = stream->session->control;
	uint64_t session = stream->session->id;
	bool is_presence = !strcmp(stanza->root->name, "presence");
	if (!passes(verdict))
		return;
	if (is_presence && verdict->presence_folds && presences_repeats(&control->presences, stanza->root, session)) {
		control_count(control, COUNT_PRESENCE_DUPLICATES);
		policy_tighten(verdict, POLICY_DROPPED, "presence.duplicate", "", "", "the same presence was shown before");
		return;
	}
	pace_check(stream, stanza, verdict);
	if (is_presence && passes(verdict))
		presences_passed(&control->presences, stanza->root, session, verdict->presence_folds);
}

/* 0 or -errno, after the session was closed. */
static int tell_of_monitored(struct stream *stream, const struct stanza *stanza, const struct policy_verdict *verdict)
{
	struct control *control = stream->session->control;
	int rc = audit_monitor(control, stream, stanza->root, verdict, audit_next_verdict(&control->audit));
	control_count(control, COUNT_MONITORED);
	if (rc)
		session_close(stream->session, SIDES, "internal-server-error", "the audit cannot be written");
	return rc;
}

void judge_conclude(struct stream *stream, struct stanza *stanza, const struct policy_verdict *verdict)
{
	struct session *session = stream->session;
	bool crosses = true;
	count(session, stanza->root, verdict->action);
	if (verdict->told.action != POLICY_PASS && tell_of_monitored(stream, stanza, verdict))
		return;
	if (verdict->action == POLICY_PASS)
		negotiation_pass(stream, stanza->root);
	else
		crosses = act(stream, stanza, verdict);
	if (passes(verdict))
		transfers_look(session->control, stanza);
	management_count(session, stream->side, crosses ? ACKS_FORWARDED : ACKS_DROPPED);
}

void judge_take_stanza(struct stream *stream, struct stanza *stanza)
{
	struct session *session = stream->session;
	struct policy_verdict verdict = {.action = POLICY_DROPPED, .rule = "", .reason = ""};
	if (audit_is_failing(&session->control->audit)) {
		session_close(session, SIDES, "internal-server-error", "the audit cannot be written");
		return;
	}
	check(stream, stanza, &verdict);
	check_against_before(stream, stanza, &verdict);
	if (passes(&verdict) && verdict.binaries && scan_begin(stream, stanza, &verdict))
		return;
	judge_conclude(stream, stanza, &verdict);
}
