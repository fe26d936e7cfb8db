/* How a verdict came about, and stages that a profile has monitored: what they find is told, and does not count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/policy_harness.h"
#include "tests/unit/xml_harness.h"

static const char *const ours[] = {"a.example", NULL}, *const words[] = {"secret", NULL};
static const struct policy_pair pairs[] = {{"a.example", "x.b.example"}};
static const struct policy_context context = {.direction = POLICY_OUTBOUND, .pairs = pairs, .pair_count = 1};

static struct policy *policy_of(const struct policy_profile_rules *profile, struct policy_fault *fault)
{
	return policy_new(&(struct policy_rules){.domains = ours, .profiles = profile, .profile_count = 1,
		.peers = &(struct policy_peer_rules){.domain = "*.b.example"}, .peer_count = 1, .fault = fault});
}

/* "shape, content! content.forbidden-words": '!' refused, '~' rewritten, '?' before what is only told. */
static void put_steps(const struct policy_verdict *verdict, char *out, size_t size)
{
	size_t len = 0;

	*out = '\0';
	for (unsigned i = 0; i < verdict->step_count; i++) {
		const struct policy_step *step = &verdict->steps[i];

		if (step->action != POLICY_PASS)
			len += (size_t)snprintf(out + len, size - len, "%s%s%s%s", len ? ", " : "", step->only_told ? "?" : "",
				step->rule, step->action == POLICY_REFUSED ? "!" : "~");
	}
}

static void expect(const struct policy_profile_rules *profile, const char *xml, const char *action, const char *steps,
	const char *last, const char *told)
{
	struct policy *policy = policy_of(profile, NULL);
	struct stanza stanza = stanza_of(xml);
	struct policy_verdict verdict;
	struct buf before, after;
	char found[256];

	assert_non_null(policy);
	buf_init(&before, 1 << 16);
	buf_init(&after, 1 << 16);
	assert_int_equal(xml_write_node(&before, stanza.root), 0);
	policy_check(policy, &context, &stanza, &verdict);
	assert_int_equal(xml_write_node(&after, stanza.root), 0);
	put_steps(&verdict, found, sizeof(found));
	assert_string_equal(policy_action_name(verdict.action), action);
	assert_string_equal(found, steps);
	assert_string_equal(verdict.steps[verdict.step_count - 1].stage, last);
	assert_string_equal(verdict.told.rule, told);
	assert_int_equal(*verdict.told.reason != '\0', *told != '\0');
	assert_string_equal(verdict.peer, "*.b.example");
	assert_string_equal(verdict.profile, "p");
	if (verdict.action == POLICY_PASS) {
		assert_int_equal(buf_len(&before), buf_len(&after));
		assert_memory_equal(buf_head(&before), buf_head(&after), buf_len(&before));
	}
	buf_fini(&before);
	buf_fini(&after);
	arena_free(stanza.arena);
	policy_free(policy);
}

#define M(inside) "<message from='u@a.example' to='v@x.b.example' type='chat'>" inside "</message>"
#define NICK "<nick xmlns='http://jabber.org/protocol/nick'>U</nick>"

static void a_verdict_has_its_steps(void **state)
{
	static const char *const basic[] = {"basic", NULL};
	struct policy_profile_rules profile = {.name = "p", .forbidden = {words},
		.features = {{.names = basic, .unknown = POLICY_UNKNOWN_REFUSE}}};

	(void)state;
	expect(&profile, M("<body>hello</body>"), "pass", "", "binary", "");
	expect(&profile, M("<body>hello</body>" NICK), "rewritten", "features.nick~", "binary", "");
	expect(&profile, M("<body>secret</body>" NICK), "refused", "features.nick~, content.forbidden-words!", "content", "");
	expect(&profile, M("<body>secret</body><x xmlns='urn:x'/>"), "refused", "features.unknown!", "features", "");
}

static void a_monitored_stage_changes_nothing(void **state)
{
	static const char *const basic[] = {"basic", NULL}, *const content[] = {"content", NULL}, *const all[] = {"all", NULL};
	struct policy_profile_rules profile = {.name = "p", .forbidden = {words}, .monitored = {content},
		.features = {{.names = basic, .unknown = POLICY_UNKNOWN_REFUSE}}, .content = {{.redacts = true}}};

	(void)state;
	expect(&profile, M("<body>a secret</body>"), "pass", "?content.redacted~", "binary", "content.redacted");
	expect(&profile, M("<body>a secret</body><x xmlns='urn:x'/>"), "refused", "features.unknown!", "features", "");
	profile.monitored[POLICY_OUTBOUND] = all;
	profile.content[POLICY_OUTBOUND].redacts = false;
	expect(&profile, M("<body>secret</body>" NICK), "pass", "?features.nick~, ?content.forbidden-words!", "binary",
		"content.forbidden-words");
	expect(&profile, M("<body>hello</body>"), "pass", "", "binary", "");
}

/* A second profile is tried on the stanza as it came, and changes nothing. */
static void a_shadow_judges_the_same_stanza(void **state)
{
	static const char *const basic[] = {"basic", NULL};
	static const struct policy_profile_rules profiles[] = {
		{.name = "p", .features = {{basic, POLICY_UNKNOWN_REFUSE, false, NULL, NULL}}},
		{.name = "q", .forbidden = {words}, .features = {{basic, POLICY_UNKNOWN_STRIP, false, NULL, NULL}}},
	};
	static const struct {
		const char *xml, *action, *shadow_action, *shadow_rule;
		bool differs;
	} rows[] = {
		{M("<body>hello</body>"), "pass", "pass", "", false},
		{M("<body>hello</body>" NICK), "rewritten", "rewritten", "features.nick", false},
		{M("<body>secret</body>"), "pass", "refused", "content.forbidden-words", true},
		{M("<body>secret</body>" NICK), "rewritten", "refused", "content.forbidden-words", true},
		{M("<body>hello</body><x xmlns='urn:x'/>"), "refused", "rewritten", "features.unknown", true},
	};
	struct policy *policy = policy_new(&(struct policy_rules){.domains = ours, .profiles = profiles, .profile_count = 2,
		.peers = &(struct policy_peer_rules){.domain = "*.b.example", .shadow = 2}, .peer_count = 1});

	(void)state;
	assert_non_null(policy);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct stanza stanza = stanza_of(rows[i].xml);
		struct policy_verdict verdict;

		policy_check(policy, &context, &stanza, &verdict);
		assert_string_equal(policy_action_name(verdict.action), rows[i].action);
		assert_true(verdict.shadow.is_there);
		assert_string_equal(policy_action_name(verdict.shadow.action), rows[i].shadow_action);
		assert_string_equal(verdict.shadow.rule, rows[i].shadow_rule);
		assert_int_equal(verdict.shadow.differs, rows[i].differs);
		arena_free(stanza.arena);
	}
	policy_free(policy);
	assert_null(policy_new(&(struct policy_rules){.domains = ours, .profiles = profiles, .profile_count = 2,
		.peers = &(struct policy_peer_rules){.domain = "*.b.example", .shadow = 3}, .peer_count = 1}));
}

static void only_stages_of_a_profile_are_monitored(void **state)
{
	static const char *const bad[][2] = {{"peering", NULL}, {"contents", NULL}};
	static const char *const twice[] = {"content", "content", NULL};
	struct policy_fault fault = {0};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		assert_null(policy_of(&(struct policy_profile_rules){.name = "p", .monitored = {bad[i]}, .line = 3}, &fault));
		assert_non_null(strstr(fault.text, bad[i][0]));
		assert_int_equal(fault.line, 3);
	}
	assert_null(policy_of(&(struct policy_profile_rules){.name = "p", .monitored = {twice}, .line = 3}, &fault));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_verdict_has_its_steps),
		cmocka_unit_test(a_monitored_stage_changes_nothing),
		cmocka_unit_test(a_shadow_judges_the_same_stanza),
		cmocka_unit_test(only_stages_of_a_profile_are_monitored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
