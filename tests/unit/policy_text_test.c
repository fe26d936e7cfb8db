/* What text may say beside words: patterns, lengths, links, scripts, languages; and what is taken out of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/policy_harness.h"
#include "tests/unit/xml_harness.h"

#define M(peer) "<message from='u@a.example' to='v@" peer ".example'>"
#define END "</message>"
#define ERROR(rule)                                                                                                      \
	"<message from='v@text.example' to='u@a.example' type='error'><error type='modify'>"                             \
	"<policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>" \
	"not allowed by policy: content." rule "</text></error></message>"
#define PASSES(name, content)                                                                    \
	{                                                                                        \
		name, POLICY_OUTBOUND, M("text") content END, POLICY_PASS, "", "", NULL          \
	}
#define REFUSES(name, rule, content)                                                                                    \
	{                                                                                                               \
		name, POLICY_OUTBOUND, M("text") content END, POLICY_REFUSED, "content." rule, "policy-violation",      \
			ERROR(rule)                                                                                     \
	}

static const struct policy_row rows[] = {
	PASSES("plain", "<body>hello, see you at 12</body>"),

	REFUSES("a pattern", "forbidden-patterns", "<body>about Project 17.</body>"),
	REFUSES("full width", "forbidden-patterns", "<body>ｐｒｏｊｅｃｔ　１７</body>"),
	REFUSES("hidden by an invisible character", "forbidden-patterns", "<body>pro\u200bject 17</body>"),
	REFUSES("a second pattern", "forbidden-patterns", "<subject>4711</subject>"),
	REFUSES("in an attribute", "forbidden-patterns", "<x xmlns='urn:x' a='project-17'/>"),
	REFUSES("split by markup", "forbidden-patterns",
		"<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'><p>pro<b>ject</b> "
		"17</p></body></html>"),
	PASSES("looks around", "<body>x4711</body>"),
	REFUSES("beyond what a pattern may take", "pattern-limit", "<body>xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxzy</body>"),

	PASSES("64 characters", "<body>ääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääää</body>"),
	REFUSES("65 characters", "max-body", "<body>äääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääx</body>"),
	REFUSES("65 characters in pieces", "max-body",
		"<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>"
		"<p>aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa</p><p>aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa</p></body></html>"),

	PASSES("a link", "<body>see https://www.a.example/x?y=z, please</body>"),
	PASSES("of a scheme that has no host", "<body>xmpp:v@c.example</body>"),
	PASSES("no link", "<body>note: at 12:30 http:/ and http</body>"),
	REFUSES("of another scheme", "url-scheme", "<body>HTTP://www.a.example</body>"),
	REFUSES("of none", "url-scheme", "<body>www.a.example</body>"),
	REFUSES("a script", "url-scheme", "<body>javascript:alert(1)</body>"),
	REFUSES("to another host", "url-host", "<body>https://c.example/</body>"),
	REFUSES("with what looks like a host for a user", "url-host", "<body>https://b.example@c.example/</body>"),
	REFUSES("that browsers read otherwise", "url-host", "<body>https://c.example\\@b.example/</body>"),
	REFUSES("out of an attribute", "url-host", "<x xmlns='jabber:x:oob'><url>https://c.example/</url></x>"),
	REFUSES("of a picture", "url-host",
		"<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>"
		"<img src='https://c.example/'/></body></html>"),

	PASSES("Greek", "<body>καλημέρα 12 ☕ Ώ</body>"),
	REFUSES("Cyrillic", "script", "<body>доброе утро</body>"),
	REFUSES("one letter of it", "script", "<subject>p\u0430ypal</subject>"),
	PASSES("where nobody reads", "<thread>доброе</thread>"),

	PASSES("a language", "<body xml:lang='en-GB'>hello</body><body xml:lang='de-ch'>hoi</body>"),
	REFUSES("another", "language", "<body xml:lang='de'>hallo</body>"),
	REFUSES("one that begins like it", "language", "<body xml:lang='enm'>hallo</body>"),

	{"the other direction", POLICY_INBOUND,
		"<message from='v@text.example' to='u@a.example'><body xml:lang='ru'>http://c.example утро</body></message>",
		POLICY_PASS, "", "", NULL},
	{"a host of that list", POLICY_INBOUND,
		"<message from='v@text.example' to='u@a.example' type='error'><body>http://x.bad.example:80/</body><error "
		"type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>", POLICY_REFUSED,
		"content.url-host", "policy-violation", NULL},
};

#define REDACTS(name, before, after)                                                                                      \
	{                                                                                                                 \
		name, POLICY_OUTBOUND, M("redact") before END, POLICY_REWRITTEN, "content.redacted", "", M("redact") after END \
	}
#define KEEPS(name, rule, content)                                                                                     \
	{                                                                                                              \
		name, POLICY_OUTBOUND,                                                                                 \
			"<message from='u@a.example' to='v@redact.example' type='error'>" content                      \
			"<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",  \
			POLICY_REFUSED, "content." rule, "policy-violation", NULL                                      \
	}

static const struct policy_row redacted[] = {
	REDACTS("a word", "<body>it is Secret, you know</body>", "<body>it is ***, you know</body>"),
	REDACTS("all of it", "<body>secret</body>", "<body>***</body>"),
	REDACTS("twice, and another", "<body>secret or top  priority? Secret!</body>", "<body>*** or ***? ***!</body>"),
	REDACTS("in other letters", "<body>ein „\uff33ecret“, über alles</body>", "<body>ein ***, über alles</body>"),
	REDACTS("beside invisible characters", "<body>it is sec\u00adret so</body>", "<body>it is *** so</body>"),
	REDACTS("in two bodies", "<body>secret</body><body xml:lang='de'>das secret</body>",
		"<body>***</body><body xml:lang='de'>das ***</body>"),
	REDACTS("a pattern", "<body>of Project 17 and 4711, 4711x</body>", "<body>of *** and ***, 4711x</body>"),
	REDACTS("a word and a pattern", "<body>secret project 17</body>", "<body>*** ***</body>"),
	REDACTS("in a field", "<x xmlns='urn:x'><y>a secret</y></x>", "<x xmlns='urn:x'><y>a ***</y></x>"),
	KEEPS("an attribute", "forbidden-words", "<x xmlns='urn:x' y='a secret'/>"),
	KEEPS("split by markup", "forbidden-words", "<x xmlns='urn:x'>sec<y/>ret</x>"),
	KEEPS("a pattern that only plain form shows", "forbidden-patterns", "<body>pro\u00adject 17</body>"),
	KEEPS("too many", "forbidden-words",
		"<body>secret,secret,secret,secret,secret,secret,secret,secret,secret,secret,secret,secret,secret,secret,secret,"
		"secret,secret,secret,secret,secret,secret,secret,secret,secret,secret,secret,secret,secret,secret,secret,secret,"
		"secret,secret,secret,secret,secret</body>"),
};

static void judges_text(void **state)
{
	(void)state;
	check_policy_rows(rows, sizeof(rows) / sizeof(*rows));
}

static void takes_out_what_may_not_cross(void **state)
{
	(void)state;
	check_policy_rows(redacted, sizeof(redacted) / sizeof(*redacted));
}

/* --- Faults of a list --- */

static const char *const ours[] = {"a.example", NULL};

static void expect_fault(const struct policy_content_rules *content, const char *text)
{
	const struct policy_profile_rules profile = {.name = "p", .content = {{0}, *content}, .line = 7};
	struct policy_fault fault = {0};
	const struct policy_rules rules = {.domains = ours, .profiles = &profile, .profile_count = 1, .fault = &fault};

	assert_null(policy_new(&rules));
	assert_int_equal(fault.line, 7);
	if (!strstr(fault.text, text))
		fail_msg("\"%s\" is not in \"%s\"", text, fault.text);
}

static void tells_what_is_wrong(void **state)
{
	static const char *const open[] = {"ok", "a(b", NULL}, *const empty[] = {"a*", NULL}, *const verb[] = {"\\C", NULL};
	static const char *const host[] = {"http://b.example", NULL}, *const letters[] = {"Klingon", NULL};

	(void)state;
	expect_fault(&(struct policy_content_rules){.patterns = open}, "pattern 2, character 4: missing closing parenthesis");
	expect_fault(&(struct policy_content_rules){.patterns = empty}, "pattern 1: it matches nothing at all");
	expect_fault(&(struct policy_content_rules){.patterns = verb}, "pattern 1, character 3: ");
	expect_fault(&(struct policy_content_rules){.url_hosts = host}, "url-hosts: \"http://b.example\" is no host");
	expect_fault(&(struct policy_content_rules){.forbidden_hosts = host}, "forbidden-url-hosts: ");
	expect_fault(&(struct policy_content_rules){.scripts = letters}, "scripts: \"Klingon\" is none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_text),
		cmocka_unit_test(takes_out_what_may_not_cross),
		cmocka_unit_test(tells_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
