#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/policy_harness.h"
#include "tests/unit/xml_harness.h"

#define ADDRESSES "from='u@a.example/r' to='v@b.example'"
#define BACK "from='v@b.example' "
#define ERROR_TAIL(rule, condition)                                                         \
	"<error type='modify'><" condition " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" \
	"<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>not allowed by policy: " rule "</text></error>"
#define OUT POLICY_OUTBOUND

#define IN_ERROR(attributes, content) "<error " attributes ">" content "</error>"
#define STANZAS "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'"
#define GONE "<error type='cancel'><gone " STANZAS "/></error>"
#define BAD_TO(name, to, answerer)                                                                                 \
	{                                                                                                          \
		"to: " name, OUT, "<message from='u@a.example' to='" to "' id='1'/>", POLICY_REFUSED,              \
			"shape.address", "jid-malformed",                                                          \
			"<message from='" answerer "' id='1' to='u@a.example' type='error'>" ERROR_TAIL(           \
				"shape.address", "jid-malformed") "</message>"                                     \
	}
#define PASSES(name, stanza)                                 \
	{                                                    \
		name, OUT, stanza, POLICY_PASS, "", "", NULL \
	}
#define MESSAGE(name, attributes, content) \
	PASSES("message: " name, "<message " ADDRESSES " " attributes ">" content "</message>")
#define PRESENCE(name, attributes, content) \
	PASSES("presence: " name, "<presence " ADDRESSES " " attributes ">" content "</presence>")
#define IQ(name, type, content) PASSES("iq: " name, "<iq " ADDRESSES " id='1' type='" type "'>" content "</iq>")
/* Errors and presence have no answer; messages have this one. */
#define BAD_MESSAGE(name, rule, attributes, content)                                                          \
	{                                                                                                     \
		"message: " name, OUT, "<message " ADDRESSES " " attributes ">" content "</message>",         \
			POLICY_REFUSED, rule, "bad-request",                                                  \
			"<message " BACK                                                                      \
			"to='u@a.example/r' type='error'>" ERROR_TAIL(rule, "bad-request") "</message>"       \
	}
#define BAD_PRESENCE(name, attributes, content)                                                                \
	{                                                                                                      \
		"presence: " name, OUT, "<presence " ADDRESSES " " attributes ">" content "</presence>",       \
			POLICY_REFUSED, "shape.children", "bad-request", NULL                                  \
	}
#define BAD_ERROR(name, content)                                                                  \
	{                                                                                         \
		"error: " name, OUT, "<message " ADDRESSES " type='error'>" content "</message>", \
			POLICY_REFUSED, "shape.children", "bad-request", NULL                     \
	}

static const struct policy_row rows[] = {
	MESSAGE("plain", "", "<body>hi</body>"),
	MESSAGE("chat", "type='chat'", ""),
	MESSAGE("white space", "", "\n <body/>\t"),
	MESSAGE("all attributes", "type='normal' id='1' xml:lang='en'", ""),
	MESSAGE("everything", "type='groupchat' xml:lang='en'",
		"<subject>s</subject><body>b</body><thread parent='p'>t</thread><x xmlns='jabber:x:oob'><url>u</url></x>"),
	MESSAGE("a text for each language", "xml:lang='en'",
		"<body>b</body><body xml:lang='de'>b</body><body xml:lang='de-AT'>b</body><subject xml:lang='de'/>"),
	MESSAGE("no language but one", "", "<body>b</body><body xml:lang='en'>b</body>"),
	MESSAGE("empty subject and body", "", "<subject/><body/>"),
	MESSAGE("stanza forwarded", "",
		"<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><show/></message></forwarded>"),
	PRESENCE("plain", "", ""),
	PRESENCE("rich", "", "<show>away</show><status>s</status><status xml:lang='de'>s</status><priority>5</priority>"),
	PRESENCE("empty show and priority", "", "<show/><priority/>"),
	PRESENCE("show chat", "", "<show>chat</show>"),
	PRESENCE("show dnd", "", "<show>dnd</show>"),
	PRESENCE("show in pieces", "", "<show>x<![CDATA[a]]></show>"),
	PRESENCE("lowest priority", "", "<priority>-128</priority>"),
	PRESENCE("highest priority", "", "<priority>+127</priority>"),
	PRESENCE("priority 0", "", "<priority>007</priority>"),
	PRESENCE("going", "type='unavailable'", "<status>bye</status>"),
	PRESENCE("capabilities", "", "<c xmlns='http://jabber.org/protocol/caps' node='n' ver='v' hash='sha-1'/>"),
	IQ("get", "get", "<ping xmlns='urn:xmpp:ping'/>"),
	IQ("result", "result", ""),
	IQ("error with the request", "error", "<q xmlns='urn:q'/>" GONE),
	IQ("error first", "error", GONE "<q xmlns='urn:q'/>"),
	IQ("error alone", "error", GONE),

	/* What servers write: Prosody, ejabberd, Openfire; with what they were sent. */
	MESSAGE("error with code", "type='error'",
		"<body>hi</body>" IN_ERROR("code='404' type='cancel'", "<item-not-found " STANZAS "/>")),
	MESSAGE("error with text", "type='error'",
		IN_ERROR("type='wait'",
			"<resource-constraint " STANZAS "/><text xml:lang='en' " STANZAS ">busy</text>")),
	MESSAGE("error by somebody", "type='error'",
		IN_ERROR("by='b.example' type='modify'", "<policy-violation " STANZAS "/>")),
	MESSAGE("error of an application", "type='error'",
		IN_ERROR("type='auth'", "<forbidden " STANZAS "/><too-many xmlns='urn:x'><y>z</y></too-many>")),
	MESSAGE("error with an address", "type='error'",
		IN_ERROR("type='cancel'", "\n <gone " STANZAS ">xmpp:v@c.example</gone>\n")),
	MESSAGE("error of before RFC 6120", "type='error'",
		IN_ERROR("code='402' type='auth'", "<payment-required " STANZAS "/>")),
	PRESENCE("error with what it answers", "type='error'",
		"<show>xa</show><x xmlns='http://jabber.org/protocol/muc'/>" IN_ERROR("type='cancel'", "<conflict " STANZAS "/>")),

	BAD_MESSAGE("unknown attribute", "shape.attribute", "mood='good'", ""),
	BAD_MESSAGE("attribute in capitals", "shape.attribute", "ID='1'", ""),
	BAD_MESSAGE("attribute of another namespace", "shape.attribute", "xmlns:x='urn:x' x:y='z'", ""),
	BAD_MESSAGE("known attribute of another namespace", "shape.attribute", "xmlns:x='urn:x' x:id='z'", ""),
	BAD_MESSAGE("known attribute of the namespace", "shape.attribute", "xmlns:x='jabber:server' x:id='z'", ""),
	BAD_MESSAGE("attribute of XML", "shape.attribute", "xml:id='z'", ""),
	BAD_MESSAGE("language of no namespace", "shape.attribute", "lang='en'", ""),
	BAD_MESSAGE("parent of another namespace", "shape.children", "",
		"<thread xmlns:x='urn:x' x:parent='z'/>"),
	BAD_MESSAGE("unknown child", "shape.children", "", "<note/>"),
	BAD_MESSAGE("child in capitals", "shape.children", "", "<Body/>"),
	BAD_MESSAGE("child of presence", "shape.children", "", "<show>away</show>"),
	BAD_MESSAGE("child without namespace", "shape.children", "", "<body xmlns=''>x</body>"),
	BAD_MESSAGE("child for clients", "shape.children", "", "<body xmlns='jabber:client'>x</body>"),
	BAD_MESSAGE("child for components", "shape.children", "", "<x xmlns='jabber:component:accept'/>"),
	BAD_MESSAGE("two bodies", "shape.children", "", "<body>a</body><body>b</body>"),
	BAD_MESSAGE("two bodies of one language", "shape.children", "xml:lang='en'",
		"<body>a</body><body xml:lang='EN'>b</body>"),
	BAD_MESSAGE("two subjects", "shape.children", "", "<subject xml:lang='de'/><subject xml:lang='de'/>"),
	BAD_MESSAGE("two threads", "shape.children", "", "<thread>a</thread><thread xml:lang='de'>b</thread>"),
	BAD_MESSAGE("element in a body", "shape.children", "", "<body>a<b>c</b></body>"),
	BAD_MESSAGE("foreign element in a body", "shape.children", "", "<body><x xmlns='urn:x'/></body>"),
	BAD_MESSAGE("element in a thread", "shape.children", "", "<thread><x/></thread>"),
	BAD_MESSAGE("attribute of a body", "shape.children", "", "<body x='1'/>"),
	BAD_MESSAGE("attribute of a thread", "shape.children", "", "<thread child='1'/>"),
	BAD_MESSAGE("error in what is none", "shape.children", "type='chat'", GONE),
	BAD_PRESENCE("unknown show", "", "<show>online</show>"),
	BAD_PRESENCE("show in capitals", "", "<show>DND</show>"),
	BAD_PRESENCE("show with a space", "", "<show>dnd </show>"),
	BAD_PRESENCE("long show", "", "<show>at the dentist</show>"),
	BAD_PRESENCE("more than a word", "", "<show>dnd<x/></show>"),
	BAD_PRESENCE("attribute of show", "", "<show x='1'>dnd</show>"),
	BAD_PRESENCE("two shows", "", "<show>dnd</show><show>dnd</show>"),
	BAD_PRESENCE("two empty shows", "", "<show/><show/>"),
	BAD_PRESENCE("two priorities", "", "<priority>1</priority><priority>2</priority>"),
	BAD_PRESENCE("two statuses", "", "<status>a</status><status>b</status>"),
	BAD_PRESENCE("priority too high", "", "<priority>128</priority>"),
	BAD_PRESENCE("priority too low", "", "<priority>-129</priority>"),
	BAD_PRESENCE("priority far too high", "", "<priority>4294967296</priority>"),
	BAD_PRESENCE("priority of a word", "", "<priority>high</priority>"),
	BAD_PRESENCE("priority of two signs", "", "<priority>--1</priority>"),
	BAD_PRESENCE("priority of a sign", "", "<priority>-</priority>"),
	BAD_PRESENCE("priority of a half", "", "<priority>1.5</priority>"),
	BAD_PRESENCE("priority with a space", "", "<priority> 1</priority>"),
	BAD_PRESENCE("body", "", "<body>x</body>"),
	BAD_PRESENCE("error in what is none", "type='unavailable'", GONE),
	BAD_ERROR("missing", "<body>hi</body>"),
	BAD_ERROR("empty", "<error/>"),
	BAD_ERROR("without type", IN_ERROR("code='404'", "<item-not-found " STANZAS "/>")),
	BAD_ERROR("of unknown type", IN_ERROR("type='fatal'", "<item-not-found " STANZAS "/>")),
	BAD_ERROR("with an unknown attribute", IN_ERROR("type='wait' x='1'", "<item-not-found " STANZAS "/>")),
	BAD_ERROR("by nobody", IN_ERROR("type='wait' by='B@'", "<item-not-found " STANZAS "/>")),
	BAD_ERROR("without condition", IN_ERROR("type='wait'", "")),
	BAD_ERROR("with text only", IN_ERROR("type='wait'", "<text " STANZAS ">busy</text>")),
	BAD_ERROR("of two conditions", IN_ERROR("type='wait'", "<gone " STANZAS "/><conflict " STANZAS "/>")),
	BAD_ERROR("of an unknown condition", IN_ERROR("type='wait'", "<sorry " STANZAS "/>")),
	BAD_ERROR("of a condition of nowhere", IN_ERROR("type='wait'", "<gone/>")),
	BAD_ERROR("with a child of stanzas", IN_ERROR("type='wait'", "<gone " STANZAS "/><body>x</body>")),
	BAD_ERROR("with a child without namespace", IN_ERROR("type='wait'", "<gone " STANZAS "/><x xmlns=''/>")),
	BAD_ERROR("text outside of text", IN_ERROR("type='wait'", "<gone " STANZAS "/>x")),
	BAD_ERROR("text in a condition", IN_ERROR("type='wait'", "<conflict " STANZAS ">x</conflict>")),
	BAD_ERROR("element in a condition", IN_ERROR("type='wait'", "<gone " STANZAS "><x xmlns='urn:x'/></gone>")),
	BAD_ERROR("element in the text", IN_ERROR("type='wait'", "<gone " STANZAS "/><text " STANZAS "><b/></text>")),
	BAD_ERROR("attribute of a condition", IN_ERROR("type='wait'", "<gone " STANZAS " x='1'/>")),
	BAD_ERROR("twice", GONE GONE),

	{"not a stanza", OUT, "<note " ADDRESSES "/>", POLICY_CLOSE, "shape.kind", "unsupported-stanza-type", NULL},
	{"client stanza", OUT, "<message xmlns='jabber:client' " ADDRESSES "/>", POLICY_CLOSE, "shape.kind",
		"unsupported-stanza-type", NULL},
	{"capitals", OUT, "<Message " ADDRESSES "/>", POLICY_CLOSE, "shape.kind", "unsupported-stanza-type", NULL},
	{"no from", OUT, "<message to='v@b.example'/>", POLICY_CLOSE, "shape.address", "improper-addressing", NULL},
	{"no to", OUT, "<message from='u@a.example'/>", POLICY_CLOSE, "shape.address", "improper-addressing", NULL},
	{"empty to", OUT, "<message from='u@a.example' to=''/>", POLICY_CLOSE, "shape.address", "improper-addressing",
		NULL},
	{"to without domain", OUT, "<message from='u@a.example' to='v@'/>", POLICY_CLOSE, "shape.address",
		"improper-addressing", NULL},
	{"malformed from", OUT, "<message from='u u@a.example' to='v@b.example'/>", POLICY_CLOSE, "shape.address",
		"improper-addressing", NULL},
	{"foreign to", OUT, "<message from='u@a.example' x:to='v@b.example' xmlns:x='urn:x'/>", POLICY_CLOSE,
		"shape.address", "improper-addressing", NULL},
	{"from in another form", OUT, "<message from='U@a.example' to='v@b.example'/>", POLICY_CLOSE, "shape.address",
		"improper-addressing", NULL},
	{"from of a domain in another form", OUT, "<message from='u@A.example' to='v@b.example'/>", POLICY_CLOSE,
		"shape.address", "improper-addressing", NULL},
	BAD_TO("malformed", "v v@b.example", "b.example"),
	BAD_TO("in another form", "V@b.example", "b.example"),
	BAD_TO("domain in another form", "v@B.EXAMPLE.", "b.example"),
	BAD_TO("resource in another form", "v@b.example/A\u0308", "b.example"),
	/* An address all the same: it is left as it is. */
	BAD_TO("ambiguous", "fu\u00df@b.example", "fu\u00df@b.example"),
	BAD_TO("ambiguous resource", "v@b.example/\u2163", "v@b.example/\u2163"),
	{"ambiguous from", OUT, "<message from='u@a.example/\u2163' to='v@b.example'/>", POLICY_REFUSED, "shape.address",
		"jid-malformed",
		"<message from='v@b.example' to='u@a.example/\u2163' type='error'>" ERROR_TAIL(
			"shape.address", "jid-malformed") "</message>"},
	PASSES("letters of all kinds",
		"<message from='j\u00fcrgen@a.example/B\u00fcro \u260e' to='\u03c0@b.example/\U0001f600'/>"),
	{"unknown message type", OUT, "<message " ADDRESSES " type='shout'/>", POLICY_REFUSED, "shape.type",
		"bad-request",
		"<message " BACK
		"to='u@a.example/r' type='error'>" ERROR_TAIL("shape.type", "bad-request") "</message>"},
	{"empty type", OUT, "<message " ADDRESSES " type=''/>", POLICY_REFUSED, "shape.type", "bad-request",
		"<message " BACK
		"to='u@a.example/r' type='error'>" ERROR_TAIL("shape.type", "bad-request") "</message>"},
	{"unknown presence type", OUT, "<presence " ADDRESSES " type='available'/>", POLICY_REFUSED, "shape.type",
		"bad-request", NULL},
	{"iq without type", OUT, "<iq " ADDRESSES " id='1'><q/></iq>", POLICY_REFUSED, "shape.type", "bad-request",
		"<iq " BACK "id='1' to='u@a.example/r' type='error'>" ERROR_TAIL("shape.type", "bad-request") "</iq>"},
	{"iq of an unknown type", OUT, "<iq " ADDRESSES " id='1' type='put'><q/></iq>", POLICY_REFUSED, "shape.type",
		"bad-request",
		"<iq " BACK "id='1' to='u@a.example/r' type='error'>" ERROR_TAIL("shape.type", "bad-request") "</iq>"},
	{"iq of no namespace", OUT, "<iq " ADDRESSES " id='1' type='get'><query xmlns=''/></iq>", POLICY_REFUSED,
		"shape.children", "bad-request",
		"<iq " BACK "id='1' to='u@a.example/r' type='error'>" ERROR_TAIL("shape.children", "bad-request") "</iq>"},
	{"iq result with a child of stanzas", OUT, "<iq " ADDRESSES " id='1' type='result'><query/></iq>",
		POLICY_REFUSED, "shape.children", "bad-request", NULL},
	{"subscription with an unknown child", OUT, "<presence " ADDRESSES " type='subscribe'><note/></presence>",
		POLICY_REFUSED, "shape.children", "bad-request",
		"<presence " BACK "to='u@a.example/r' type='unsubscribed'/>"},
	{"answer to a subscription with an unknown child", OUT,
		"<presence " ADDRESSES " type='subscribed'><note/></presence>", POLICY_REFUSED, "shape.children",
		"bad-request", NULL},
	{"iq without id", OUT, "<iq " ADDRESSES " type='get'><q/></iq>", POLICY_REFUSED, "shape.iq", "bad-request",
		NULL},
	{"iq get without child", OUT, "<iq " ADDRESSES " id='1' type='get'/>", POLICY_REFUSED, "shape.iq",
		"bad-request",
		"<iq " BACK "id='1' to='u@a.example/r' type='error'>" ERROR_TAIL("shape.iq", "bad-request") "</iq>"},
	{"iq set with two children", OUT, "<iq " ADDRESSES " id='1' type='set'><a/><b/></iq>", POLICY_REFUSED,
		"shape.iq", "bad-request",
		"<iq " BACK "id='1' to='u@a.example/r' type='error'>" ERROR_TAIL("shape.iq", "bad-request") "</iq>"},
	{"iq result with two children", OUT, "<iq " ADDRESSES " id='1' type='result'><a/><b/></iq>", POLICY_REFUSED,
		"shape.iq", "bad-request", NULL},
	{"iq error without error", OUT, "<iq " ADDRESSES " id='1' type='error'><a xmlns='urn:x'/></iq>",
		POLICY_REFUSED, "shape.children", "bad-request", NULL},
	{"iq error with two requests", OUT,
		"<iq " ADDRESSES " id='1' type='error'><a xmlns='urn:x'/><b xmlns='urn:x'/>" GONE "</iq>",
		POLICY_REFUSED, "shape.iq", "bad-request", NULL},
	{"text in a message", OUT, "<message " ADDRESSES "> x<body/></message>", POLICY_REFUSED, "shape.text",
		"bad-request",
		"<message " BACK
		"to='u@a.example/r' type='error'>" ERROR_TAIL("shape.text", "bad-request") "</message>"},
	{"text in an error", OUT, "<message " ADDRESSES " type='error'>x" GONE "</message>", POLICY_REFUSED, "shape.text",
		"bad-request", NULL},
	{"no-break space is not white space of XML", OUT, "<presence " ADDRESSES ">\u00a0</presence>", POLICY_REFUSED,
		"shape.text", "bad-request", NULL},
	/* A later stage finds worse than the first one: whoever is not of this stream gets no answer on it. */
	{"bad type and bad pair", OUT, "<message from='u@c.example' to='v@b.example' type='shout'/>", POLICY_CLOSE,
		"peering.pair", "invalid-from", NULL},
};

static void judges_shape(void **state)
{
	(void)state;
	check_policy_rows(rows, sizeof(rows) / sizeof(*rows));
}

/* As many languages as anybody needs, and one more. */
static void bounds_languages(void **state)
{
	struct policy *policy = test_policy();
	struct policy_context context = {POLICY_OUTBOUND, test_pairs, test_pair_count, 0, 0};

	(void)state;
	for (unsigned count = 31; count <= 33; count++) {
		char xml[4096];
		struct policy_verdict verdict;
		struct stanza stanza;
		size_t len = (size_t)snprintf(xml, sizeof(xml), "<message " ADDRESSES ">");

		for (unsigned i = 0; i < count; i++)
			len += (size_t)snprintf(xml + len, sizeof(xml) - len, "<body xml:lang='x-%u'/>", i);
		snprintf(xml + len, sizeof(xml) - len, "</message>");
		stanza = stanza_of(xml);
		policy_check(policy, &context, &stanza, &verdict);
		assert_string_equal(policy_action_name(verdict.action), count <= 32 ? "pass" : "refused");
		arena_free(stanza.arena);
	}
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(judges_shape), cmocka_unit_test(bounds_languages)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
