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

#define OUT POLICY_OUTBOUND
#define IN POLICY_INBOUND
#define M "<message from='u@a.example/r' to='v@b.example' id='1' type='chat'>"
#define END "</message>"
#define ERROR                                                                                  \
	"<error type='modify'><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" \
	"<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>not allowed by policy: "            \
	"content.forbidden-words</text></error>"
#define ANSWER "<message from='v@b.example' id='1' to='u@a.example/r' type='error'>" ERROR END
#define PASSES(name, content)                                       \
	{                                                           \
		name, OUT, M content END, POLICY_PASS, "", "", NULL \
	}
#define REFUSES(name, content)                                                                                  \
	{                                                                                                       \
		name, OUT, M content END, POLICY_REFUSED, "content.forbidden-words", "policy-violation", ANSWER \
	}

static const struct policy_row rows[] = {
	PASSES("harmless", "<body>hello</body>"),
	PASSES("no body", "<active xmlns='http://jabber.org/protocol/chatstates'/>"),
	PASSES("empty body", "<body/><body xml:lang='de'></body>"),
	PASSES("part of a word", "<body>my secretary</body>"),
	PASSES("what is an address", "<x xmlns='jabber:x:conference' jid='secret@conference.b.example'/>"),
	PASSES("the other direction's word", "<body>virus</body>"),
	REFUSES("body", "<body>it is SECRET</body>"),
	REFUSES("phrase", "<body>top\n priority</body>"),
	REFUSES("subject", "<subject>Secret</subject><body>x</body>"),
	REFUSES("second language", "<body>x</body><body xml:lang='de'>secret</body>"),
	REFUSES("by references and CDATA", "<body>s&#101;c<![CDATA[ret]]></body>"),
	REFUSES("hidden by an invisible character", "<body>sec\u200bret</body>"),
	REFUSES("forwarded", "<body>fwd</body><forwarded xmlns='urn:xmpp:forward:0'><message "
			     "xmlns='jabber:client'><body>secret</body>"
			     "</message></forwarded>"),
	REFUSES("forwarded twice", "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'>"
				   "<forwarded xmlns='urn:xmpp:forward:0'><message "
				   "xmlns='jabber:client'><subject>secret</subject></message></forwarded>"
				   "</message></forwarded>"),
	REFUSES("XHTML", "<body>x</body><html xmlns='http://jabber.org/protocol/xhtml-im'><body "
			 "xmlns='http://www.w3.org/1999/xhtml'>"
			 "<p>a <b>secret</b></p></body></html>"),
	REFUSES("split by markup",
		"<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>"
		"sec<b>ret</b></body></html>"),
	REFUSES("between paragraphs",
		"<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>"
		"<p>one</p><p>secret</p><p>two</p></body></html>"),
	REFUSES("in a thread", "<thread>secret</thread>"),
	REFUSES("in an attribute", "<x xmlns='urn:x' label='a secret'/>"),
	REFUSES("in an attribute of another namespace", "<x xmlns='urn:x' xmlns:y='urn:y' y:to='secret'/>"),
	REFUSES("in a form", "<x xmlns='jabber:x:data' type='submit'><field var='a'><value>a secret</value></field></x>"),
	REFUSES("in a nick", "<nick xmlns='http://jabber.org/protocol/nick'>Top Secret</nick>"),
	REFUSES("in an invitation", "<x xmlns='http://jabber.org/protocol/muc#user'><invite to='c@b.example'>"
				    "<reason>the secret</reason></invite></x>"),
	REFUSES("split by an element that is not XHTML", "<x xmlns='urn:x'>sec<y/>ret</x>"),
	PASSES("in two fields", "<x xmlns='urn:x'><a>sec</a><b>ret</b></x>"),
	REFUSES("body in a body", "<x xmlns='urn:x'><body><y><body>secret</body></y></body></x>"),

	{"inbound", IN, "<message from='v@b.example' to='u@a.example/r' id='1'><body>a virus</body></message>",
		POLICY_REFUSED, "content.forbidden-words", "policy-violation",
		"<message from='u@a.example/r' id='1' to='v@b.example' type='error'>" ERROR END},
	{"inbound, our word", IN, "<message from='v@b.example' to='u@a.example'><body>secret</body></message>",
		POLICY_PASS, "", "", NULL},
	{"no words for this peer", OUT, "<message from='a.example' to='none.example'><body>secret</body></message>",
		POLICY_PASS, "", "", NULL},
	{"errors are looked at and not answered", OUT,
		"<message from='a.example' to='b.example' type='error'><body>secret</body><error type='cancel'>"
		"<gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>", POLICY_REFUSED,
		"content.forbidden-words", "policy-violation", NULL},
	{"an archive in an iq", OUT,
		"<iq from='a.example' to='b.example' id='1' type='set'><x xmlns='urn:x'><message><body>secret</body>"
		"</message></x></iq>",
		POLICY_REFUSED, "content.forbidden-words", "policy-violation",
		"<iq from='b.example' id='1' to='a.example' type='error'>" ERROR "</iq>"},
	{"folded and then refused", OUT,
		"<presence from='a.example' to='show.example' type='subscribe'>"
		"<x xmlns='http://jabber.org/protocol/muc#user'><body>secret</body></x></presence>",
		POLICY_REFUSED, "content.forbidden-words", "policy-violation",
		"<presence from='show.example' to='a.example' type='unsubscribed'/>"},
};

static void refuses_words(void **state)
{
	(void)state;
	check_policy_rows(rows, sizeof(rows) / sizeof(*rows));
}

static void never_says_the_word(void **state)
{
	struct policy *policy = test_policy();
	struct policy_context context = {POLICY_OUTBOUND, test_pairs, test_pair_count, 0, 0};
	struct stanza stanza = stanza_of(M "<body>secret</body>" END);
	struct policy_verdict verdict;

	(void)state;
	policy_check(policy, &context, &stanza, &verdict);
	assert_int_equal(verdict.action, POLICY_REFUSED);
	assert_string_equal(verdict.error_type, "modify");
	assert_null(strstr(verdict.reason, "secret"));
	assert_string_equal(verdict.changed, "");
	arena_free(stanza.arena);
	policy_free(policy);
}

/* Markup is put together in the arena: when that is full, the stanza is refused, and its sender still gets an answer.
 */
static void refuses_when_the_arena_is_full(void **state)
{
	struct policy *policy = test_policy();
	struct policy_context context = {POLICY_OUTBOUND, test_pairs, test_pair_count, 0, 0};
	struct arena *arena = arena_new(10000);
	struct node *root = node_new(arena, NS_SERVER, "message"), *body = node_new(arena, "urn:x", "body");
	struct stanza stanza = {arena, root};
	struct policy_verdict verdict;
	struct node *answer;

	(void)state;
	node_append(root, body);
	assert_int_equal(node_set_attribute(arena, root, "from", "a.example"), 0);
	assert_int_equal(node_set_attribute(arena, root, "to", "b.example"), 0);
	assert_int_equal(node_add_text(arena, body, "one", 3), 0);
	node_append(body, node_new(arena, "urn:x", "b"));
	while (arena_alloc(arena, 1))
		;
	policy_check(policy, &context, &stanza, &verdict);
	assert_int_equal(verdict.action, POLICY_REFUSED);
	assert_string_equal(verdict.error_condition, "resource-constraint");
	answer = policy_refusal(&stanza, &verdict);
	assert_non_null(answer);
	assert_string_equal(node_attribute(answer, "to"), "a.example");
	arena_free(arena);
	policy_free(policy);
}

/* --- Memory: the linker sends our allocations through here. --- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);

static long fail_in; /* this many allocations from now; 0: never */

static bool fails_now(void)
{
	return fail_in && --fail_in == 0;
}

void *__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails_now() ? NULL : __real_calloc(n, size);
}

/* Whatever cannot be looked at does not pass. What is all ASCII takes no memory. */
static void never_passes_for_lack_of_memory(void **state)
{
	static const char *const bodies[] = {"<body>\u00e9 secret</body>",
		"<body xmlns='urn:x'>\u00e9 se<b>c</b>ret</body>", "<subject>\u00e9</subject><body>secret</body>"};
	struct policy *policy = test_policy();
	struct policy_context context = {POLICY_OUTBOUND, test_pairs, test_pair_count, 0, 0};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		long failed = 0;

		for (long n = 1; failed == n - 1; n++) {
			char xml[256];
			struct policy_verdict verdict;
			struct stanza stanza;

			snprintf(xml, sizeof(xml), M "%s" END, bodies[i]);
			stanza = stanza_of(xml);
			fail_in = n;
			policy_check(policy, &context, &stanza, &verdict);
			failed += fail_in == 0;
			fail_in = 0;
			assert_int_equal(verdict.action, POLICY_REFUSED);
			assert_string_equal(verdict.rule, failed == n ? "policy.memory" : "content.forbidden-words");
			arena_free(stanza.arena);
		}
		assert_true(failed > 0);
	}
	policy_free(policy);
}

static void a_policy_is_made_whole_or_not(void **state)
{
	static const char *const ours[] = {"a.example", NULL}, *const words[] = {"one", "\u00e9", NULL};
	const struct policy_profile_rules profile = {.name = "p", .forbidden = {words, words}};
	const struct policy_rules rules = {.domains = ours, .profiles = &profile, .profile_count = 1,
		.peers = &(struct policy_peer_rules){.domain = "*"}, .peer_count = 1};
	struct policy *policy = NULL;
	long n = 0;

	(void)state;
	while (!policy) {
		fail_in = ++n;
		policy = policy_new(&rules);
		assert_true(policy || fail_in == 0);
	}
	assert_true(n > 8);
	fail_in = 0;
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_words),
		cmocka_unit_test(never_says_the_word),
		cmocka_unit_test(refuses_when_the_arena_is_full),
		cmocka_unit_test(never_passes_for_lack_of_memory),
		cmocka_unit_test(a_policy_is_made_whole_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
