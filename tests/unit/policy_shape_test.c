#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/policy_harness.h"

#define ADDRESSES "from='u@a.example/r' to='v@b.example'"
#define BACK "from='v@b.example' "
#define ERROR_TAIL(rule, condition)                                                         \
	"<error type='modify'><" condition " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" \
	"<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>not allowed by policy: " rule "</text></error>"
#define OUT POLICY_OUTBOUND

static const struct policy_row rows[] = {
	{"message", OUT, "<message " ADDRESSES "><body>hi</body></message>", POLICY_PASS, "", "", NULL},
	{"chat", OUT, "<message " ADDRESSES " type='chat'/>", POLICY_PASS, "", "", NULL},
	{"message error", OUT, "<message " ADDRESSES " type='error'><error/></message>", POLICY_PASS, "", "", NULL},
	{"presence", OUT, "<presence " ADDRESSES "/>", POLICY_PASS, "", "", NULL},
	{"iq get", OUT, "<iq " ADDRESSES " id='1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>", POLICY_PASS, "", "",
		NULL},
	{"iq result", OUT, "<iq " ADDRESSES " id='1' type='result'/>", POLICY_PASS, "", "", NULL},
	{"iq error", OUT, "<iq " ADDRESSES " id='1' type='error'><q xmlns='urn:q'/><error type='cancel'/></iq>",
		POLICY_PASS, "", "", NULL},
	{"white space", OUT, "<message " ADDRESSES ">\n <body/>\t</message>", POLICY_PASS, "", "", NULL},

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
	{"malformed to", OUT, "<message from='u@a.example' to='v v@b.example' id='1'/>", POLICY_REFUSED,
		"shape.address", "jid-malformed",
		"<message from='v v@b.example' id='1' to='u@a.example' type='error'>" ERROR_TAIL(
			"shape.address", "jid-malformed") "</message>"},
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
		NULL},
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
	{"iq error without error", OUT, "<iq " ADDRESSES " id='1' type='error'><a/></iq>", POLICY_REFUSED, "shape.iq",
		"bad-request", NULL},
	{"text in a message", OUT, "<message " ADDRESSES "> x<body/></message>", POLICY_REFUSED, "shape.text",
		"bad-request",
		"<message " BACK
		"to='u@a.example/r' type='error'>" ERROR_TAIL("shape.text", "bad-request") "</message>"},
	{"text in an error", OUT, "<message " ADDRESSES " type='error'>x</message>", POLICY_REFUSED, "shape.text",
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

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(judges_shape)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
