/* Hours: may anything be said now? Who waits for an answer gets it at any time, and who goes away is seen to. */
#include <string.h>

#include "stage.h"

enum { DAYS = 7, DAY_MINUTES = 24 * 60, WEEK_MINUTES = DAYS * DAY_MINUTES };

/* Does the span that begins on this day hold the minute? It may go on after the end of the week. */
static bool holds(const struct policy_span *span, int day, int minute)
{
	int begin = day * DAY_MINUTES + span->from, length = span->to - span->from;

	if (length < 0)
		length += DAY_MINUTES;
	return (minute - begin + WEEK_MINUTES) % WEEK_MINUTES < length;
}

static bool are_open(const struct policy_hours *hours, int minute)
{
	if (minute < 0 || minute >= WEEK_MINUTES)
		return false;
	for (unsigned i = 0; i < hours->count; i++)
		for (int day = 0; day < DAYS; day++)
			if (hours->spans[i].days & 1 << day && holds(&hours->spans[i], day, minute))
				return true;
	return false;
}

static bool is_going(const struct policy_case *c)
{
	return c->kind == STANZA_PRESENCE && !strcmp(c->type, "unavailable");
}

void hours_check(struct policy_case *c)
{
	const struct policy_hours *hours = &c->profile->hours[c->context->direction];

	if (!hours->count || are_open(hours, c->context->minute_of_week) || case_is_answer(c) || is_going(c))
		return;
	case_find(c, &(struct finding){POLICY_REFUSED, "hours.closed", "policy-violation", "wait",
		"it is not one of the hours in which this may pass"});
}
