#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/policy.h"
#include "tests/unit/xml_harness.h"

#define OUT POLICY_OUTBOUND
#define IN POLICY_INBOUND
#define HM(hours, minutes) ((hours) * 60 + (minutes))
#define MESSAGE "<message from='u@a.example/r' to='v@b.example' type='chat'><body>hi</body></message>"
#define PRESENCE(type) "<presence from='u@a.example/r' to='v@b.example'" type "/>"
#define ERROR "<error type='cancel'><gone xmlns='" NS_STANZAS "'/></error>"
#define IQ(type, content) "<iq from='u@a.example/r' to='v@b.example' id='1' type='" type "'>" content "</iq>"

enum { MON, TUE, WED, THU, FRI, SAT, SUN, WORK = 0x1f, EVERY = 0x7f };

static int at(int day, int hours, int minutes)
{
	return (day * 24 + hours) * 60 + minutes;
}

static struct policy *policy_of(const struct policy_hours *outbound)
{
	static const char *const ours[] = {"a.example", NULL};
	const struct policy_profile_rules profile = {.name = "p", .presence = {POLICY_PRESENCE_FULL, POLICY_PRESENCE_FULL},
		.hours = {*outbound, {0}}};
	struct policy *policy = policy_new(&(struct policy_rules){.domains = ours, .profiles = &profile, .profile_count = 1,
		.peers = &(struct policy_peer_rules){.domain = "b.example"}, .peer_count = 1});

	assert_non_null(policy);
	return policy;
}

static struct policy_verdict judge(const struct policy *policy, enum policy_direction direction, int minute,
	const char *xml)
{
	static const struct policy_pair pairs[] = {{"a.example", "b.example"}, {"b.example", "a.example"}};
	struct policy_context context = {direction, pairs, 2, 0, minute};
	struct stanza stanza = stanza_of(xml);
	struct policy_verdict verdict;

	assert_non_null(stanza.root);
	policy_check(policy, &context, &stanza, &verdict);
	arena_free(stanza.arena);
	return verdict;
}

/* --- when --- */

static const struct policy_hours office = {2, {{WORK, HM(8, 0), HM(18, 0)}, {1 << SAT, HM(9, 30), HM(12, 0)}}};
static const struct policy_hours nights = {1, {{EVERY, HM(22, 0), HM(6, 0)}}};
static const struct policy_hours sunday_night = {1, {{1 << SUN, HM(22, 0), HM(6, 0)}}};
static const struct policy_hours until_midnight = {2, {{1 << MON, HM(12, 0), HM(24, 0)}, {1 << WED, HM(23, 0), 0}}};
static const struct policy_hours sundays = {1, {{1 << SUN, 0, HM(24, 0)}}};
static const struct policy_hours a_minute = {1, {{1 << THU, HM(12, 34), HM(12, 35)}}};
static const struct policy_hours never_off = {1, {{EVERY, 0, HM(24, 0)}}};

static const struct {
	const struct policy_hours *hours;
	int day, hour, minute;
	bool open;
} moments[] = {
	{&office, MON, 7, 59, false},
	{&office, MON, 8, 0, true},
	{&office, FRI, 17, 59, true},
	{&office, FRI, 18, 0, false},
	{&office, SAT, 9, 29, false},
	{&office, SAT, 9, 30, true},
	{&office, SAT, 11, 59, true},
	{&office, SAT, 12, 0, false},
	{&office, SUN, 12, 0, false},
	{&nights, MON, 0, 0, true},
	{&nights, MON, 5, 59, true},
	{&nights, MON, 6, 0, false},
	{&nights, WED, 21, 59, false},
	{&nights, WED, 22, 0, true},
	{&nights, SUN, 23, 59, true},
	{&sunday_night, SUN, 21, 59, false},
	{&sunday_night, SUN, 22, 0, true},
	{&sunday_night, SUN, 23, 59, true},
	{&sunday_night, MON, 0, 0, true},
	{&sunday_night, MON, 5, 59, true},
	{&sunday_night, MON, 6, 0, false},
	{&sunday_night, SUN, 5, 59, false},
	{&sunday_night, MON, 22, 0, false},
	{&until_midnight, MON, 11, 59, false},
	{&until_midnight, MON, 23, 59, true},
	{&until_midnight, TUE, 0, 0, false},
	{&until_midnight, WED, 23, 0, true},
	{&until_midnight, WED, 23, 59, true},
	{&until_midnight, THU, 0, 0, false},
	{&sundays, SAT, 23, 59, false},
	{&sundays, SUN, 0, 0, true},
	{&sundays, SUN, 23, 59, true},
	{&sundays, MON, 0, 0, false},
	{&a_minute, THU, 12, 33, false},
	{&a_minute, THU, 12, 34, true},
	{&a_minute, THU, 12, 35, false},
	{&a_minute, FRI, 12, 34, false},
	{&never_off, MON, 0, 0, true},
	{&never_off, SUN, 23, 59, true},
};

static void opens_and_closes_to_the_minute(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(moments) / sizeof(*moments); i++) {
		struct policy *policy = policy_of(moments[i].hours);
		int minute = at(moments[i].day, moments[i].hour, moments[i].minute);
		struct policy_verdict verdict = judge(policy, OUT, minute, MESSAGE);

		if ((verdict.action == POLICY_PASS) != moments[i].open)
			print_error("row %zu: day %d %02d:%02d\n", i, moments[i].day, moments[i].hour, moments[i].minute);
		assert_int_equal(verdict.action, moments[i].open ? POLICY_PASS : POLICY_REFUSED);
		assert_string_equal(verdict.rule, moments[i].open ? "" : "hours.closed");
		policy_free(policy);
	}
}

/* How many minutes of a week are open is what the spans add up to: none is counted twice, or lost at an edge. */
static void a_week_has_as_many_minutes_as_its_spans(void **state)
{
	static const struct {
		const struct policy_hours *hours;
		int minutes;
	} weeks[] = {{&office, 5 * 600 + 150}, {&nights, 7 * 480}, {&sunday_night, 480}, {&until_midnight, 720 + 60},
		{&sundays, 1440}, {&a_minute, 1}, {&never_off, 7 * 1440}};

	(void)state;
	for (size_t i = 0; i < sizeof(weeks) / sizeof(*weeks); i++) {
		struct policy *policy = policy_of(weeks[i].hours);
		int open = 0;

		for (int minute = 0; minute < 7 * 1440; minute++)
			open += judge(policy, OUT, minute, PRESENCE("")).action == POLICY_PASS;
		assert_int_equal(open, weeks[i].minutes);
		policy_free(policy);
	}
}

static void a_time_that_is_not_known_is_in_no_hours(void **state)
{
	static const int unknown[] = {POLICY_MINUTE_UNKNOWN, -7 * 1440, 7 * 1440, 1 << 30};
	struct policy *policy = policy_of(&never_off), *always = policy_of(&(struct policy_hours){0});

	(void)state;
	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
		assert_string_equal(judge(policy, OUT, unknown[i], MESSAGE).rule, "hours.closed");
		assert_int_equal(judge(always, OUT, unknown[i], MESSAGE).action, POLICY_PASS);
	}
	policy_free(policy);
	policy_free(always);
}

/* --- what --- */

static const struct {
	const char *stanza;
	bool passes;
} stanzas[] = {
	{MESSAGE, false},
	{"<message from='u@a.example/r' to='v@b.example' type='error'>" ERROR "</message>", true},
	{PRESENCE(""), false},
	{PRESENCE(" type='unavailable'"), true},
	{PRESENCE(" type='probe'"), false},
	{PRESENCE(" type='subscribe'"), false},
	{PRESENCE(" type='unsubscribe'"), false},
	{PRESENCE(" type='subscribed'"), true},
	{PRESENCE(" type='unsubscribed'"), true},
	{IQ("get", "<ping xmlns='urn:xmpp:ping'/>"), false},
	{IQ("set", "<x xmlns='urn:x'/>"), false},
	{IQ("result", ""), true},
	{IQ("error", ERROR), true},
};

static void answers_pass_at_any_time(void **state)
{
	struct policy *policy = policy_of(&office);

	(void)state;
	for (size_t i = 0; i < sizeof(stanzas) / sizeof(*stanzas); i++) {
		struct policy_verdict verdict = judge(policy, OUT, at(SUN, 12, 0), stanzas[i].stanza);

		if ((verdict.action == POLICY_PASS) != stanzas[i].passes)
			print_error("%s\n", stanzas[i].stanza);
		assert_int_equal(verdict.action, stanzas[i].passes ? POLICY_PASS : POLICY_REFUSED);
		if (!stanzas[i].passes) {
			assert_string_equal(verdict.error_condition, "policy-violation");
			assert_string_equal(verdict.error_type, "wait");
		}
		assert_int_equal(judge(policy, OUT, at(MON, 12, 0), stanzas[i].stanza).action, POLICY_PASS);
	}
	policy_free(policy);
}

static void each_direction_has_its_own(void **state)
{
	struct policy *policy = policy_of(&office);

	(void)state;
	assert_int_equal(judge(policy, IN, at(SUN, 12, 0),
		"<message from='v@b.example' to='u@a.example'><body>hi</body></message>").action, POLICY_PASS);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_and_closes_to_the_minute),
		cmocka_unit_test(a_week_has_as_many_minutes_as_its_spans),
		cmocka_unit_test(a_time_that_is_not_known_is_in_no_hours),
		cmocka_unit_test(answers_pass_at_any_time),
		cmocka_unit_test(each_direction_has_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
