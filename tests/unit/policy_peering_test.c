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
	struct policy_context context = {POLICY_OUTBOUND, NULL, 0, 0, 0};
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

/* --- names --- */

static void the_longest_match_governs(void **state)
{
	static const char *const all[] = {"*.example", "b.example", "*.b.example", "x.y.b.example", "*.d.e.f.example"};
	static const struct {
		const char *domain;
		int index;             /* -1: none */
	} wanted[] = {{"b.example", 1}, {"c.example", 0}, {"a.b.example", 2}, {"y.b.example", 2}, {"x.y.b.example", 3},
		{"z.y.b.example", 2}, {"d.e.f.example", 0}, {"c.d.e.f.example", 4}, {"example", -1}, {".example", -1},
		{"b.examples", -1}, {"bexample", -1}, {"", -1}, {"x.", -1}, {"*.b.example", 2}};
	struct names names = {0};

	(void)state;
	for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++)
		assert_int_equal(names_add(&names, all[i], i, false), 0);
	assert_null(names_sort(&names));
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		const struct name *name = names_find_domain(&names, wanted[i].domain);

		assert_int_equal(name ? (int)name->value : -1, wanted[i].index);
	}
	assert_int_equal(names_add(&names, "*", 9, false), 0);
	assert_null(names_sort(&names));
	assert_int_equal(names_find_domain(&names, "org")->value, 9);
	assert_int_equal(names_find_domain(&names, "q.example")->value, 0);
	assert_int_equal(names_add(&names, "B.example.", 10, false), 0);
	assert_string_equal(names_sort(&names), "b.example");
	names_fini(&names);
	assert_null(names_find_domain(&names, "b.example"));
}

/* --- who may begin to speak, and who may at all --- */

static const struct {
	const char *name;
	enum policy_direction direction;
	const char *stanza, *rule;     /* "": passes */
} users_rows[] = {
	{"both listed", OUT, "<message from='alice@a.example/r' to='bob@b.example'/>", ""},
	{"all of a domain", OUT, "<message from='room@conference.a.example/n' to='bob@b.example/x'/>", ""},
	{"a domain itself", IN, "<iq id='1' type='get' from='bob@b.example' to='conference.a.example'><q xmlns='u:x'/></iq>",
		""},
	{"below a listed domain", IN, "<message from='x@deep.b.example' to='alice@a.example'/>", ""},
	{"the sender is not", OUT, "<message from='carol@a.example' to='bob@b.example'/>", "peering.sender"},
	{"nor inbound", IN, "<message from='eve@b.example' to='alice@a.example'/>", "peering.sender"},
	{"a server is no user of its own", OUT, "<message from='a.example' to='bob@b.example'/>", "peering.sender"},
	{"the receiver is not", IN, "<message from='bob@b.example' to='carol@a.example'/>", "peering.receiver"},
	{"nor outbound", OUT, "<message from='alice@a.example' to='eve@b.example/bob@b.example'/>", "peering.receiver"},
	{"not even by an error", OUT, "<message from='carol@a.example' to='bob@b.example' type='error'><error type='cancel'>"
		"<gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>", "peering.sender"},
	{"a longer name", OUT, "<message from='alice2@a.example' to='bob@b.example'/>", "peering.sender"},

	{"they may not begin", IN, "<message from='v@out.example' to='alice@a.example'/>", "peering.direction"},
	{"nor ask", IN, "<iq id='1' type='set' from='v@out.example' to='alice@a.example'><q xmlns='u:x'/></iq>",
		"peering.direction"},
	{"nor show themselves", IN, "<presence from='v@out.example' to='alice@a.example'/>", "peering.direction"},
	{"but answer", IN, "<iq id='1' type='result' from='v@out.example' to='alice@a.example'/>", ""},
	{"in presence too", IN, "<presence type='subscribed' from='v@out.example' to='alice@a.example'/>", ""},
	{"with errors", IN, "<message from='v@out.example' to='alice@a.example' type='error'><error type='cancel'>"
		"<gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>", ""},
	{"ours may begin", OUT, "<message from='alice@a.example' to='v@out.example'/>", ""},
	{"only theirs may begin", OUT, "<message from='alice@a.example' to='v@in.example'/>", "peering.direction"},
	{"and do", IN, "<message from='v@in.example' to='alice@a.example'/>", ""},
	{"nobody may", OUT, "<message from='alice@a.example' to='v@no.example'/>", "peering.allow-list"},
	{"not of this domain of ours", OUT, "<message from='r@conference.a.example/n' to='v@some.example'/>",
		"peering.allow-list"},
	{"of this one", OUT, "<message from='alice@a.example' to='v@some.example'/>", ""},
};

static struct policy *users_policy(void)
{
	static const char *const ours[] = {"a.example", "conference.a.example", NULL},
		*const inside[] = {"alice@a.example", "conference.a.example", NULL},
		*const outside[] = {"bob@b.example", "*.b.example", NULL}, *const some[] = {"a.example", NULL};
	static const struct policy_profile_rules profiles[] = {
		{.name = "listed", .inside_users = inside, .outside_users = outside, .presence = {POLICY_PRESENCE_FULL,
			POLICY_PRESENCE_FULL}},
		{.name = "all", .presence = {POLICY_PRESENCE_FULL, POLICY_PRESENCE_FULL}}};
	static const struct policy_peer_rules peers[] = {{.domain = "*.b.example"}, {.domain = "b.example"},
		{.domain = "out.example", .profile = 1, .way = POLICY_ONLY_OUTBOUND},
		{.domain = "in.example", .profile = 1, .way = POLICY_ONLY_INBOUND},
		{.domain = "no.example", .profile = 1, .way = POLICY_NO_WAY},
		{.domain = "some.example", .profile = 1, .inside = some}, {.domain = "*", .profile = 1}};

	return policy_new(&(struct policy_rules){.domains = ours, .profiles = profiles, .profile_count = 2, .peers = peers,
		.peer_count = sizeof(peers) / sizeof(*peers)});
}

static void judges_users_and_directions(void **state)
{
	static const char *const theirs[] = {"b.example", "deep.b.example", "out.example", "in.example", "no.example",
		"some.example"};
	static const char *const ours[] = {"a.example", "conference.a.example"};
	struct policy *policy = users_policy();
	struct policy_pair pairs[24];
	unsigned count = 0;

	(void)state;
	assert_non_null(policy);
	for (size_t t = 0; t < sizeof(theirs) / sizeof(*theirs); t++)
		for (size_t o = 0; o < 2; o++) {
			pairs[count++] = (struct policy_pair){ours[o], theirs[t]};
			pairs[count++] = (struct policy_pair){theirs[t], ours[o]};
		}
	for (size_t i = 0; i < sizeof(users_rows) / sizeof(*users_rows); i++) {
		struct policy_context context = {users_rows[i].direction, pairs, count, 0, 0};
		struct stanza stanza = stanza_of(users_rows[i].stanza);
		struct policy_verdict verdict;

		policy_check(policy, &context, &stanza, &verdict);
		if (strcmp(verdict.rule, users_rows[i].rule) != 0)
			print_error("%s\n", users_rows[i].name);
		assert_string_equal(verdict.rule, users_rows[i].rule);
		assert_string_equal(policy_action_name(verdict.action), *users_rows[i].rule ? "refused" : "pass");
		arena_free(stanza.arena);
	}
	assert_false(policy_peering_allows(policy, "a.example", "no.example", NULL));
	assert_false(policy_peering_allows(policy, "some.example", "conference.a.example", NULL));
	assert_true(policy_peering_allows(policy, "some.example", "a.example", NULL));
	policy_free(policy);
}

static void tells_what_is_wrong(void **state)
{
	static const char *const ours[] = {"a.example", NULL}, *const capital[] = {"Alice@a.example", NULL},
		*const resource[] = {"alice@a.example/r", NULL}, *const twice[] = {"a@a.example", "b.org", "a@a.example", NULL},
		*const no_domain[] = {"a..b", NULL}, *const unseen[] = {"\u200b", NULL};
	static const struct {
		struct policy_profile_rules profile;
		struct policy_peer_rules peer;
		int line;
		const char *text;
	} faults[] = {
		{{.name = "p", .line = 7, .inside_users = capital}, {.domain = "*"}, 7,
			"inside-users: \"Alice@a.example\" is no user or domain in its normal form (hint: user@b.example, b.example, "
			"*.b.example)"},
		{{.name = "p", .line = 7, .outside_users = resource}, {.domain = "*"}, 7, "outside-users: \"alice@a.example/r\" "
			"is no user or domain in its normal form (hint: user@b.example, b.example, *.b.example)"},
		{{.name = "p", .line = 8, .inside_users = twice}, {.domain = "*"}, 8,
			"inside-users: a@a.example is there twice (hint: once)"},
		{{.name = "p", .line = 8, .forbidden = {unseen, NULL}}, {.domain = "*"}, 8,
			"forbidden-words: one that nobody can see (hint: letters)"},
		{{.name = "p", .line = 8}, {.domain = "*", .inside = no_domain, .line = 12}, 12,
			"inside: \"a..b\" is no domain in its normal form (hint: b.example, *.b.example)"},
		{{.name = "p", .line = 8}, {.domain = "u@x", .line = 12}, 12, "\"u@x\" is no domain"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
		struct policy_fault fault = {.line = -1};

		errno = 0;
		assert_null(policy_new(&(struct policy_rules){.domains = ours, .profiles = &faults[i].profile, .profile_count = 1,
			.peers = &faults[i].peer, .peer_count = 1, .fault = &fault}));
		assert_int_equal(errno, EINVAL);
		assert_string_equal(fault.text, faults[i].text);
		assert_int_equal(fault.line, faults[i].line);
	}
}

static struct policy *policy_of(const char *const *ours, const struct policy_profile_rules *profile, const char *peer,
	unsigned index)
{
	const struct policy_peer_rules rules = {.domain = peer, .profile = index};

	errno = 0;
	return policy_new(&(struct policy_rules){.domains = ours, .profiles = profile, .profile_count = 1, .peers = &rules,
		.peer_count = 1});
}

static void refuses_bad_rules(void **state)
{
	static const char *const ours[] = {"a.example", NULL}, *const bad_ours[] = {"u@a.example", NULL},
				 *const words[] = {" ", NULL};
	static const char *const bad_patterns[] = {
		"", "*b.example", "*.", "*.*", "b.*", "b..example", "u@b.example", "b/r", "**"};
	const struct policy_profile_rules profile = {.name = "p"}, bad_profile = {.name = "p", .forbidden = {words, NULL}};
	struct policy *policy = policy_of(ours, &profile, "*", 0);

	(void)state;
	assert_non_null(policy);
	policy_free(policy);
	assert_null(policy_of(ours, &profile, "*", 1));
	assert_int_equal(errno, EINVAL);
	assert_null(policy_of(bad_ours, &profile, "*", 0));
	assert_null(policy_of(ours, &bad_profile, "*", 0));
	for (size_t i = 0; i < sizeof(bad_patterns) / sizeof(*bad_patterns); i++)
		assert_null(policy_of(ours, &profile, bad_patterns[i], 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_peering),
		cmocka_unit_test(closes_when_nobody_is_authenticated),
		cmocka_unit_test(allows_streams),
		cmocka_unit_test(the_longest_match_governs),
		cmocka_unit_test(judges_users_and_directions),
		cmocka_unit_test(tells_what_is_wrong),
		cmocka_unit_test(refuses_bad_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
