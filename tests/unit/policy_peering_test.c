#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/stage.h"
#include "tests/unit/policy_harness.h"
#include "tests/unit/xml_harness.h"

#define REFUSED_MESSAGE(from, to)                                                 \
	"<message from='" from "' to='" to "' type='error'><error type='cancel'>" \
	"<not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text "        \
	"xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>"                            \
	"not allowed by policy: peering.allow-list</text></error></message>"
#define OUT POLICY_OUTBOUND
#define IN POLICY_INBOUND

static const struct policy_row rows[] = {
	{"out", OUT, "<message from='a.example' to='b.example'/>", POLICY_PASS, "", "", NULL},
	{"in", IN, "<message from='v@b.example' to='u@a.example/r'/>", POLICY_PASS, "", "", NULL},
		{"another domain of ours", OUT, "<message from='r@conference.a.example/n' to='b.example'/>", POLICY_PASS, "",
		"", NULL},
	{"below a wildcard", OUT, "<message from='a.example' to='x.wild.example'/>", POLICY_PASS, "", "", NULL},

	{"spoofed", IN, "<message from='v@c.example' to='u@a.example'/>", POLICY_CLOSE, "peering.pair",
		"invalid-from", NULL},
	{"spoofed as ours", IN, "<message from='u@a.example' to='u@a.example'/>", POLICY_CLOSE, "peering.pair",
		"improper-addressing", NULL},
	{"to somebody else", IN, "<message from='v@b.example' to='u@c.example'/>", POLICY_CLOSE, "peering.pair",
		"improper-addressing", NULL},
	{"domain with a domain as its user", IN, "<message from='b.example@c.example' to='a.example'/>", POLICY_CLOSE,
		"peering.pair", "invalid-from", NULL},
	{"domain as a resource", IN, "<message from='c.example/b.example' to='a.example'/>", POLICY_CLOSE,
		"peering.pair", "invalid-from", NULL},
	{"longer domain", IN, "<message from='xb.example' to='a.example'/>", POLICY_CLOSE, "peering.pair",
		"invalid-from", NULL},

	{"not a peer", OUT, "<message from='a.example' to='unknown.example'/>", POLICY_REFUSED, "peering.allow-list",
		"not-allowed", REFUSED_MESSAGE("unknown.example", "a.example")},
	{"a wildcard is not its own domain", OUT, "<message from='a.example' to='wild.example'/>", POLICY_REFUSED,
		"peering.allow-list", "not-allowed", REFUSED_MESSAGE("wild.example", "a.example")},
	{"neither is ours", OUT, "<message from='unknown.example' to='b.example'/>", POLICY_REFUSED,
		"peering.allow-list", "not-allowed", REFUSED_MESSAGE("b.example", "unknown.example")},
	{"both are ours", OUT, "<message from='conference.a.example' to='a.example'/>", POLICY_REFUSED,
		"peering.allow-list", "not-allowed", REFUSED_MESSAGE("a.example", "conference.a.example")},
	{"ours from the outside", IN, "<message from='a.example' to='b.example'/>", POLICY_REFUSED,
		"peering.allow-list", "not-allowed", REFUSED_MESSAGE("b.example", "a.example")},
	{"theirs from the inside", OUT, "<message from='b.example' to='a.example'/>", POLICY_REFUSED,
		"peering.allow-list", "not-allowed", REFUSED_MESSAGE("a.example", "b.example")},
	{"presence of no peer", OUT, "<presence from='a.example' to='unknown.example'/>", POLICY_REFUSED,
		"peering.allow-list", "not-allowed", NULL},
	/* The longest match governs: these peers are of another profile than the wildcard around them. */
	{"inner name", OUT, "<presence from='a.example' to='none.wild.example'/>", POLICY_DROPPED, "presence.none",
		"", NULL},
	{"inner wildcard", OUT, "<presence from='a.example' to='x.deep.wild.example'><show>dnd</show></presence>",
		POLICY_REWRITTEN, "presence.fold", "", "<presence from='a.example' to='x.deep.wild.example'/>"},
};

static void judges_peering(void **state)
{
	(void)state;
	check_policy_rows(rows, sizeof(rows) / sizeof(*rows));
}

static void closes_when_nobody_is_authenticated(void **state)
{
	struct policy *policy = test_policy();
	struct policy_context context = {POLICY_OUTBOUND, NULL, 0};
	struct stanza stanza = stanza_of("<message from='a.example' to='b.example'/>");
	struct policy_verdict verdict;

	(void)state;
	policy_check(policy, &context, &stanza, &verdict);
	assert_int_equal(verdict.action, POLICY_CLOSE);
	assert_string_equal(verdict.error_condition, "invalid-from");
	arena_free(stanza.arena);
	policy_free(policy);
}

static void allows_streams(void **state)
{
	static const struct {
		const char *from, *to;
		bool allowed;
	} pairs[] = {
		{"a.example", "b.example", true},
		{"b.example", "a.example", true},
		{"A.example.", "B.example", true},
		{"conference.a.example", "x.wild.example", true},
		{"a.example", "wild.example", false},
		{"a.example", "c.example", false},
		{"c.example", "b.example", false},
		{"b.example", "full.example", false},
		{"a.example", "conference.a.example", false},
		{"a.example", "a.example", false},
		{"a.example", "", false},
		{"", "", false},
		{"a.example", "u@b.example", false},
		{"a.example", "b.example/r", false},
	};
	struct policy *policy = test_policy();

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		const char *reason = NULL;

		assert_int_equal(
			policy_peering_allows(policy, pairs[i].from, pairs[i].to, &reason), pairs[i].allowed);
		assert_non_null(reason);
		assert_int_equal(*reason == '\0', pairs[i].allowed);
		assert_int_equal(policy_peering_allows(policy, pairs[i].from, pairs[i].to, NULL), pairs[i].allowed);
	}
	policy_free(policy);
}

static void matches_patterns(void **state)
{
	(void)state;
	assert_true(domain_matches("b.example", "b.example") > domain_matches("*.example", "b.example"));
	assert_true(domain_matches("*.example", "b.example") > domain_matches("*", "b.example"));
	assert_true(domain_matches("*", "b.example") > 0);
	assert_true(domain_matches("*.b.example", "a.b.example") > domain_matches("*.example", "a.b.example"));
	assert_int_equal(domain_matches("*.example", "example"), 0);
	assert_int_equal(domain_matches("*.example", ".example"), 0);
	assert_int_equal(domain_matches("*.example", "b.examples"), 0);
	assert_int_equal(domain_matches("*.example", "bexample"), 0);
}

static void refuses_bad_rules(void **state)
{
	static const char *const ours[] = {"a.example", NULL}, *const bad_ours[] = {"u@a.example", NULL},
				 *const words[] = {" ", NULL};
	static const char *const bad_patterns[] = {
		"", "*b.example", "*.", "*.*", "b.*", "b..example", "u@b.example", "b/r", "**"};
	const struct policy_profile_rules profile = {.name = "p"},
					  bad_profile = {.name = "p", .forbidden = {words, NULL}};
	struct policy *policy =
		policy_new(&(struct policy_rules){ours, &profile, 1, &(struct policy_peer_rules){"*", 0}, 1});

	(void)state;
	assert_non_null(policy);
	policy_free(policy);
	errno = 0;
	assert_null(policy_new(&(struct policy_rules){ours, &profile, 1, &(struct policy_peer_rules){"*", 1}, 1}));
	assert_int_equal(errno, EINVAL);
	assert_null(policy_new(&(struct policy_rules){bad_ours, &profile, 1, NULL, 0}));
	assert_null(policy_new(&(struct policy_rules){ours, &bad_profile, 1, NULL, 0}));
	for (size_t i = 0; i < sizeof(bad_patterns) / sizeof(*bad_patterns); i++)
		assert_null(policy_new(&(struct policy_rules){
			ours, &profile, 1, &(struct policy_peer_rules){bad_patterns[i], 0}, 1}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_peering),
		cmocka_unit_test(closes_when_nobody_is_authenticated),
		cmocka_unit_test(allows_streams),
		cmocka_unit_test(matches_patterns),
		cmocka_unit_test(refuses_bad_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
