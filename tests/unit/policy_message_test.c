#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/policy.h"
#include "tests/unit/xml_harness.h"

#define M(attributes) "<message from='u@a.example/r' to='v@b.example'" attributes ">"
#define CHAT M(" type='chat'")
#define END "</message>"
#define BODY "<body>hi</body>"
#define ACTIVE "<active xmlns='http://jabber.org/protocol/chatstates'/>"
#define REQUEST "<request xmlns='urn:xmpp:receipts'/>"
#define RECEIVED "<received id='1' xmlns='urn:xmpp:receipts'/>"
#define STORE "<store xmlns='urn:xmpp:hints'/>"
#define ERROR "<error type='cancel'><gone xmlns='" NS_STANZAS "'/></error>"
#define FORWARD(content) "<forwarded xmlns='urn:xmpp:forward:0'>" content "</forwarded>"
#define INNER(content) "<message xmlns='jabber:client' type='headline'>" content END
#define P(content) "<presence from='u@a.example/r' to='v@b.example'>" content "</presence>"
#define IQ(content) "<iq from='u@a.example/r' id='1' to='v@b.example' type='set'>" content "</iq>"

static const char *const strip[] = {"{urn:xmpp:hints}store", "{http://jabber.org/protocol/chatstates}", "{urn:z}z",
	"{urn:xmpp:hints}no-copy", "{urn:xmpp:receipts}received", NULL};
static const char *const no_receipts[] = {"basic", "headline", "forwarded", "-receipts", NULL};

#define FULL .presence = {POLICY_PRESENCE_FULL, POLICY_PRESENCE_FULL}
static const struct policy_profile_rules folding = {.name = "folding", FULL,
	.messages = {{.fates = {POLICY_MESSAGE_TO_CHAT, POLICY_MESSAGE_PASSES, POLICY_MESSAGE_TO_NORMAL,
		POLICY_MESSAGE_REFUSED}, .strip = strip}}};
static const struct policy_profile_rules featured = {.name = "featured", FULL,
	.features = {{.names = no_receipts, .unknown = POLICY_UNKNOWN_PASS}},
	.messages = {{.fates = {[POLICY_MESSAGE_HEADLINE] = POLICY_MESSAGE_REFUSED}}}};

static struct policy *policy_of(const struct policy_profile_rules *profile, struct policy_fault *fault)
{
	static const char *const ours[] = {"a.example", NULL};

	return policy_new(&(struct policy_rules){.domains = ours, .profiles = profile, .profile_count = 1,
		.peers = &(struct policy_peer_rules){.domain = "b.example"}, .peer_count = 1, .fault = fault});
}

static const struct row {
	const char *stanza;
	enum policy_action action;
	const char *rule, *changed;
	const char *text;              /* what is sent; NULL: it is not, or as it was */
} rows[] = {
	/* types */
	{CHAT BODY END, POLICY_PASS, "", "", NULL},
	{M("") BODY END, POLICY_REWRITTEN, "message.type-mapped", "normal became chat", CHAT BODY END},
	{M(" type='normal'") BODY END, POLICY_REWRITTEN, "message.type-mapped", "normal became chat", CHAT BODY END},
	{M(" type='headline'") BODY END, POLICY_REWRITTEN, "message.type-mapped", "headline became normal",
		M(" type='normal'") BODY END},
	{M(" type='groupchat'") BODY END, POLICY_REFUSED, "message.type", "", NULL},
	{M(" type='error'") ERROR END, POLICY_PASS, "", "", NULL},
	{"<presence from='u@a.example/r' to='v@b.example'/>", POLICY_PASS, "", "", NULL},
	{IQ("<x xmlns='urn:x'/>"), POLICY_PASS, "", "", NULL},

	/* elements */
	{CHAT BODY STORE REQUEST END, POLICY_REWRITTEN, "message.stripped", "1 element taken out", CHAT BODY REQUEST END},
	{CHAT STORE BODY ACTIVE STORE END, POLICY_REWRITTEN, "message.stripped", "3 elements taken out", CHAT BODY END},
	{CHAT BODY "<no-store xmlns='urn:xmpp:hints'/>" END, POLICY_PASS, "", "", NULL},
	{CHAT BODY "<store xmlns='urn:other'/>" END, POLICY_PASS, "", "", NULL},
	{CHAT BODY "<z xmlns='urn:zz'/><zz xmlns='urn:z'/>" END, POLICY_PASS, "", "", NULL},
	{CHAT BODY "<z xmlns='urn:z'><store xmlns='urn:xmpp:hints'/></z>" END, POLICY_REWRITTEN, "message.stripped",
		"1 element taken out", CHAT BODY END},
	{CHAT BODY "<x xmlns='urn:x'><store xmlns='urn:xmpp:hints'/></x>" END, POLICY_PASS, "", "", NULL},
	{P("<show>away</show>" STORE), POLICY_REWRITTEN, "message.stripped", "1 element taken out", P("<show>away</show>")},
	{P(STORE), POLICY_REWRITTEN, "message.stripped", "1 element taken out",
		"<presence from='u@a.example/r' to='v@b.example'/>"},
	{M(" type='error'") STORE ERROR END, POLICY_REWRITTEN, "message.stripped", "1 element taken out",
		M(" type='error'") ERROR END},

	/* forwarded ones, whose types stay */
	{CHAT FORWARD(INNER(BODY STORE ACTIVE)) STORE END, POLICY_REWRITTEN, "message.stripped", "3 elements taken out",
		CHAT FORWARD(INNER(BODY)) END},
	{CHAT "<sent xmlns='urn:xmpp:carbons:2'>" FORWARD(INNER(FORWARD(INNER(STORE BODY)))) "</sent>" END, POLICY_REWRITTEN,
		"message.stripped", "1 element taken out",
		CHAT "<sent xmlns='urn:xmpp:carbons:2'>" FORWARD(INNER(FORWARD(INNER(BODY)))) "</sent>" END},
	{CHAT FORWARD(INNER("<x xmlns='urn:x'><store xmlns='urn:xmpp:hints'/></x>")) END, POLICY_PASS, "", "", NULL},
	{IQ(STORE), POLICY_PASS, "", "", NULL},
	{IQ(FORWARD(INNER(BODY STORE))), POLICY_REWRITTEN, "message.stripped", "1 element taken out",
		IQ(FORWARD(INNER(BODY)))},

	/* nothing left */
	{CHAT ACTIVE END, POLICY_DROPPED, "message.empty", "1 element taken out", NULL},
	{M(" type='groupchat'") STORE ACTIVE END, POLICY_DROPPED, "message.empty", "2 elements taken out", NULL},
	{CHAT ACTIVE "<thread>t</thread>" END, POLICY_REWRITTEN, "message.stripped", "1 element taken out",
		CHAT "<thread>t</thread>" END},
	{"<message from='u@a.example/r' to='v@b.example' type='chat'/>", POLICY_PASS, "", "", NULL},
	{"<message from='u@a.example/r' to='v@b.example'/>", POLICY_REWRITTEN, "message.type-mapped", "normal became chat",
		"<message from='u@a.example/r' to='v@b.example' type='chat'/>"},

	/* both */
	{M("") BODY STORE END, POLICY_REWRITTEN, "message.stripped", "1 element taken out; normal became chat", CHAT BODY END},
}, featured_rows[] = {
	{CHAT BODY STORE ACTIVE END, POLICY_PASS, "", "", NULL},
	{M(" type='headline'") BODY END, POLICY_REFUSED, "message.type", "", NULL},
	{M("") BODY REQUEST END, POLICY_REWRITTEN, "features.receipts", "without receipts", M("") BODY END},
	{M("") RECEIVED END, POLICY_DROPPED, "message.empty", "without receipts", NULL},
	{"<message from='u@a.example/r' to='v@b.example'/>", POLICY_PASS, "", "", NULL},
};

static char *written(const struct node *node)
{
	struct buf out;
	char *text;

	buf_init(&out, 1 << 20);
	assert_int_equal(xml_write_node(&out, node), 0);
	text = strndup((const char *)buf_head(&out), buf_len(&out));
	buf_fini(&out);
	return text;
}

static void judge_row(const struct policy *policy, const struct row *row)
{
	static const struct policy_pair pair = {"a.example", "b.example"};
	struct policy_context context = {POLICY_OUTBOUND, &pair, 1, 0, 0};
	struct stanza stanza = stanza_of(row->stanza);
	struct policy_verdict verdict;
	char *text;

	assert_non_null(stanza.root);
	policy_check(policy, &context, &stanza, &verdict);
	text = written(stanza.root);
	if (strcmp(verdict.rule, row->rule) != 0)
		print_error("%s\n", row->stanza);
	assert_string_equal(policy_action_name(verdict.action), policy_action_name(row->action));
	assert_string_equal(verdict.rule, row->rule);
	assert_string_equal(verdict.changed, row->changed);
	if (row->action <= POLICY_REWRITTEN)
		assert_string_equal(text, row->text ? row->text : row->stanza);
	if (row->action == POLICY_REFUSED) {
		assert_string_equal(verdict.error_condition, "policy-violation");
		assert_string_equal(verdict.error_type, "modify");
	}
	if (row->action == POLICY_DROPPED)
		assert_null(policy_refusal(&stanza, &verdict));
	free(text);
	arena_free(stanza.arena);
}

static void folds_types_and_elements(void **state)
{
	struct policy *policy = policy_of(&folding, NULL);

	(void)state;
	assert_non_null(policy);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		judge_row(policy, &rows[i]);
	policy_free(policy);
}

/* What features took out is gone, too. */
static void drops_what_features_left_empty(void **state)
{
	struct policy *policy = policy_of(&featured, NULL);

	(void)state;
	assert_non_null(policy);
	for (size_t i = 0; i < sizeof(featured_rows) / sizeof(*featured_rows); i++)
		judge_row(policy, &featured_rows[i]);
	policy_free(policy);
}

/* An attribute that has no room is no reason to send the stanza as it was. */
static void refuses_when_the_arena_is_full(void **state)
{
	static const struct policy_pair pair = {"a.example", "b.example"};
	struct policy_context context = {POLICY_OUTBOUND, &pair, 1, 0, 0};
	struct policy *policy = policy_of(&folding, NULL);
	struct stanza stanza = stanza_of(M("") BODY END);
	struct policy_verdict verdict;

	(void)state;
	while (arena_alloc(stanza.arena, 1))
		;
	policy_check(policy, &context, &stanza, &verdict);
	assert_int_equal(verdict.action, POLICY_REFUSED);
	assert_string_equal(verdict.rule, "policy.memory");
	arena_free(stanza.arena);
	policy_free(policy);
}

static void elements_that_cannot_be_named_are_faults(void **state)
{
	static const char *const bad[] = {"store", "", "{", "{}", "{}store", "{urn:x", "{urn:x}a b", "{urn:x}a>", "{urn:x}x:y",
		"{{urn:x}}y", "{urn x}y", " {urn:x}y", "{jabber:server}body", "{jabber:client}", "{jabber:client}subject",
		"{jabber:server}error", "urn:x}y"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const char *const list[] = {"{urn:x}y", bad[i], NULL};
		struct policy_profile_rules profile = {.name = "p", .line = 7, .messages = {{{0}, NULL}, {.strip = list}}};
		struct policy_fault fault = {.line = -1};
		char text[200];

		snprintf(text, sizeof(text), "strip: \"%s\" is no element that can be taken out (hint: {urn:xmpp:hints}store, "
			"{urn:xmpp:hints}, not of jabber:server or jabber:client)", bad[i]);
		errno = 0;
		assert_null(policy_of(&profile, &fault));
		assert_int_equal(errno, EINVAL);
		assert_string_equal(fault.text, text);
		assert_int_equal(fault.line, 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folds_types_and_elements),
		cmocka_unit_test(drops_what_features_left_empty),
		cmocka_unit_test(refuses_when_the_arena_is_full),
		cmocka_unit_test(elements_that_cannot_be_named_are_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
