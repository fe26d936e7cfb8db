/* Times of the week: "Mon-Fri 08:00-18:00, Sat 09:00-12:00". */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "conf_table.h"

#define FAULT(v, format, ...) conf_fault((v)->faults, (v)->line, "%s: " format, (v)->key->name, ##__VA_ARGS__)

enum { DAYS = 7, DAY_MINUTES = 24 * 60, WEEK_MINUTES = DAYS * DAY_MINUTES, EVERY_DAY = (1 << DAYS) - 1 };

/* --- a span --- */

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

/* Behind its name, or NULL. */
static const char *take_day(const char *text, unsigned *day)
{
	static const char *const names[DAYS] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
	for (*day = 0; *day < DAYS; ++*day)
		if (!strncasecmp(text, names[*day], strlen(names[*day])))
			return text + strlen(names[*day]);
	return NULL;
}

/* One day, or a range that may go over the end of the week; behind the blank after it, or NULL. */
static const char *take_days(const char *text, uint8_t *days)
{
	unsigned first, last;
	const char *at = take_day(text, &first);
	last = first;
	if (at && *at == '-') {
		at = take_day(at + 1, &last);
		if (at && last == first)
			return NULL;
	}
	if (!at || !isblank((unsigned char)*at))
		return NULL;
	*days = (uint8_t)(1 << last);
	for (unsigned day = first; day != last; day = (day + 1) % DAYS)
		*days |= (uint8_t)(1 << day);
	return skip_blanks(at);
}

static bool are_digits(const char *text)
{
	return isdigit((unsigned char)text[0]) && isdigit((unsigned char)text[1]);
}

/* HH:MM, to 24:00; behind it, or NULL. */
static const char *take_time(const char *text, uint16_t *minute)
{
	if (!are_digits(text) || text[2] != ':' || !are_digits(text + 3))
		return NULL;
	int hours = (text[0] - '0') * 10 + text[1] - '0', minutes = (text[3] - '0') * 10 + text[4] - '0';
	*minute = (uint16_t)(hours * 60 + minutes);
	return minutes < 60 && *minute <= DAY_MINUTES ? text + 5 : NULL;
}

static bool parse_span(const char *text, struct conf_span *span)
{
	const char *at = text;
	span->days = EVERY_DAY;
	if (isalpha((unsigned char)*at))
		at = take_days(at, &span->days);
	at = at ? take_time(at, &span->from) : NULL;
	at = at && *at == '-' ? take_time(at + 1, &span->to) : NULL;
	return at && !*at && span->from < DAY_MINUTES && span->from != span->to;
}

/* --- a week --- */

struct week {
	bool open[WEEK_MINUTES];
};

/* False: some of it was open already. */
static bool week_open(struct week *week, const struct conf_span *span)
{
	unsigned minutes = (unsigned)(span->to + (span->to < span->from ? DAY_MINUTES : 0) - span->from);
	bool was_closed = true;
	for (unsigned day = 0; day < DAYS; day++)
		for (unsigned i = 0; i < minutes && span->days & 1 << day; i++) {
			bool *open = &week->open[(day * DAY_MINUTES + span->from + i) % WEEK_MINUTES];
			was_closed &= !*open;
			*open = true;
		}
	return was_closed;
}

static void week_fill(struct week *week, const struct conf_hours *hours)
{
	memset(week, 0, sizeof(*week));
	for (unsigned i = 0; i < hours->count; i++)
		week_open(week, &hours->spans[i]);
}

bool conf_hours_within(const struct conf_hours *hours, const struct conf_hours *wider)
{
	struct week week, wider_week;
	if (!wider->count || !hours->count)
		return !wider->count;
	week_fill(&week, hours);
	week_fill(&wider_week, wider);
	for (unsigned i = 0; i < WEEK_MINUTES; i++)
		if (week.open[i] && !wider_week.open[i])
			return false;
	return true;
}

/* --- the list --- */

static void add_span(const struct conf_value *v, const char *item, void *owner)
{
	struct conf_hours *hours = owner;
	struct conf_span span;
	struct week week;
	week_fill(&week, hours);
	if (!parse_span(item, &span))
		FAULT(v, "\"%.40s\" is not a time of the week (hint: Mon-Fri 08:00-18:00, Sat 09:00-12:00, 22:00-06:00, "
			 "00:00-24:00)", item);
	else if (hours->count == CONF_SPANS_MAX)
		FAULT(v, "too many times (hint: at most %d)", CONF_SPANS_MAX);
	else if (!week_open(&week, &span))
		FAULT(v, "\"%.40s\" overlaps one before it (hint: a time over midnight is of the day that it begins on)", item);
	else
		hours->spans[hours->count++] = span;
}

void set_hours(const struct conf_value *v, void *field)
{
	unsigned before = v->faults->count;
	struct conf_hours *hours = field;
	memset(hours, 0, sizeof(*hours));
	each_item(v, false, add_span, hours);
	if (*v->text && !hours->count && v->faults->count == before)
		FAULT(v, "nothing is in it (hint: %s = \"\" for always)", v->key->name);
}
