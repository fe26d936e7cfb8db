#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/policy_harness.h"
#include "tests/unit/xml_harness.h"

#define TO(peer) "<presence from='u@a.example/r' to='v@" peer ".example'"
#define RICH                                                                  \
	"<show>dnd</show><status>in a meeting</status><priority>5</priority>" \
	"<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='x' ver='y'/>"
#define ROOM "<x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x>"
#define OCCUPANT "<x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='participant'/></x>"
#define OUT POLICY_OUTBOUND
#define IN POLICY_INBOUND
#define PASSES(name, stanza)                                 \
	{                                                    \
		name, OUT, stanza, POLICY_PASS, "", "", NULL \
	}
#define FOLDS(name, stanza, text)                                              \
	{                                                                      \
		name, OUT, stanza, POLICY_REWRITTEN, "presence.fold", "", text \
	}
#define DROPS(name, stanza)                                                  \
	{                                                                    \
		name, OUT, stanza, POLICY_DROPPED, "presence.none", "", NULL \
	}

static const struct policy_row rows[] = {
	PASSES("full", TO("full") ">" RICH "</presence>"),
	PASSES("full, going", TO("full") " type='unavailable'><status>bye</status></presence>"),

	FOLDS("show", TO("show") ">" RICH "</presence>", TO("show") "><show>dnd</show></presence>"),
	PASSES("show, bare", TO("show") "/>"),
	PASSES("show, already", TO("show") "><show>xa</show></presence>"),
	FOLDS("show, attribute", TO("show") "><show xml:lang='x'>dnd</show></presence>", TO("show") "/>"),
	FOLDS("show, empty", TO("show") "><show/></presence>", TO("show") "/>"),
	FOLDS("show, other namespace", TO("show") "><show xmlns='urn:x'>dnd</show></presence>", TO("show") "/>"),
	FOLDS("show when going", TO("show") " type='unavailable'><show>dnd</show></presence>",
		TO("show") " type='unavailable'/>"),
	FOLDS("white space", TO("show") "> <show>dnd</show></presence>", TO("show") "><show>dnd</show></presence>"),

	FOLDS("online", TO("online") ">" RICH "</presence>", TO("online") "/>"),
	FOLDS("online, going", TO("online") " type='unavailable'><status>bye</status></presence>",
		TO("online") " type='unavailable'/>"),
	PASSES("online, attributes", TO("online") " id='1' xml:lang='en'/>"),
	FOLDS("online, room", TO("online") ">" RICH ROOM "</presence>", TO("online") ">" ROOM "</presence>"),
	PASSES("online, occupant", TO("online") ">" OCCUPANT "</presence>"),
	PASSES("online, federated room", TO("online") "><fmuc xmlns='http://isode.com/protocol/fmuc'/></presence>"),
	FOLDS("online, subscription with a note",
		TO("online") " type='subscribe'><status>let me in</status></presence>",
		TO("online") " type='subscribe'/>"),
	PASSES("online, error",
		TO("online") " type='error'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
			     "</error></presence>"),

	DROPS("none", TO("none") ">" RICH "</presence>"),
	DROPS("none, bare", TO("none") "/>"),
	DROPS("none, going", TO("none") " type='unavailable'/>"),
	PASSES("none, subscribe", TO("none") " type='subscribe'/>"),
	PASSES("none, subscribed", TO("none") " type='subscribed'/>"),
	PASSES("none, unsubscribe", TO("none") " type='unsubscribe'/>"),
	PASSES("none, unsubscribed", TO("none") " type='unsubscribed'/>"),
	PASSES("none, probe", TO("none") " type='probe'/>"),
	PASSES("none, room", "<presence from='u@a.example/r' to='room@none.example/nick'>" ROOM "</presence>"),
	FOLDS("none, room with more",
		"<presence from='u@a.example/r' to='room@none.example/nick'>" RICH ROOM "</presence>",
		"<presence from='u@a.example/r' to='room@none.example/nick'>" ROOM "</presence>"),
	FOLDS("none, leaving a room",
		"<presence from='u@a.example/r' to='room@none.example/nick' type='unavailable'><status>x</status>"
		"</presence>",
		"<presence from='u@a.example/r' to='room@none.example/nick' type='unavailable'/>"),
	DROPS("none, going as if from a room", TO("none") " type='unavailable'><x xmlns='urn:muc'/></presence>"),

	{"the other direction", IN, "<presence from='v@none.example/r' to='u@a.example'>" RICH "</presence>",
		POLICY_PASS, "", "", NULL},
	{"messages are not presence", OUT,
		"<message from='a.example' to='none.example'><show xmlns='urn:x'>dnd</show></message>", POLICY_PASS, "",
		"", NULL},
};

static void folds_presence(void **state)
{
	(void)state;
	check_policy_rows(rows, sizeof(rows) / sizeof(*rows));
}

static void tells_what_was_taken(void **state)
{
	struct policy *policy = test_policy();
	struct policy_context context = {POLICY_OUTBOUND, test_pairs, test_pair_count, 0, 0};
	struct stanza stanza = stanza_of(
		"<presence from='a.example' to='online.example'> " RICH "</presence>");
	struct policy_verdict verdict;

	(void)state;
	policy_check(policy, &context, &stanza, &verdict);
	assert_string_equal(verdict.changed,
		"presence folded: without show, status, priority, other elements, white space");
	arena_free(stanza.arena);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folds_presence),
		cmocka_unit_test(tells_what_was_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
