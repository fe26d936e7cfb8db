#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/feature_table.h"
#include "policy/stage.h"
#include "tests/unit/policy_harness.h"
#include "tests/unit/xml_harness.h"

#define OUT POLICY_OUTBOUND
#define IN POLICY_INBOUND
#define M(type) "<message from='u@a.example' to='v@b.example'" type ">"
#define P(type) "<presence from='u@a.example' to='v@b.example'" type ">"
#define IQ(type) "<iq from='u@a.example' id='1' to='v@b.example' type='" type "'>"
#define BODY "<body>text</body>"

static const char *const ours[] = {"a.example", NULL};
static const struct policy_pair pairs[] = {{"a.example", "b.example"}, {"b.example", "a.example"}};

/* A policy of one profile, the same in both directions. */
static struct policy *policy_of(const char *const *features, enum policy_unknown unknown, bool requires_encryption)
{
	const struct policy_feature_names names = {features, unknown, requires_encryption};
	const struct policy_profile_rules profile = {.name = "p", .presence = {POLICY_PRESENCE_FULL,
		POLICY_PRESENCE_FULL},
		.features = {names, names}, .binaries = {{POLICY_BINARIES_PASS, 1 << 20, NULL},
		{POLICY_BINARIES_PASS, 1 << 20, NULL}}};
	const struct policy_peer_rules peer = {.domain = "b.example"};
	struct policy *policy = policy_new(&(struct policy_rules){.domains = ours, .profiles = &profile,
		.profile_count = 1,
		.peers = &peer, .peer_count = 1});

	assert_non_null(policy);
	return policy;
}

static struct stanza judge(const struct policy *policy, const char *xml, struct policy_verdict *verdict)
{
	struct policy_context context = {OUT, pairs, 2, 0};
	struct stanza stanza = stanza_of(xml);

	assert_non_null(stanza.root);
	policy_check(policy, &context, &stanza, verdict);
	return stanza;
}

/* --- by the list of features --- */

static const struct row {
	const char *features[6];
	const char *stanza;
	const char *rule;      /* "": passes as it is */
	const char *text;      /* what is sent; NULL: it is refused, or as it was */
} rows[] = {
	{{"basic"}, M(" type='chat'") BODY "</message>", "", NULL},
	{{"basic"}, M("") "<subject>s</subject>" BODY "<thread>t</thread></message>", "", NULL},
	{{"basic"}, M(" type='headline'") BODY "</message>", "features.headline", NULL},
	{{"basic", "headline"}, M(" type='headline'") BODY "</message>", "", NULL},
	{{"basic", "-chat"}, M(" type='chat'") BODY "</message>", "features.chat", NULL},
	{{"chat"}, M("") BODY "</message>", "features.normal", NULL},
	{{"chat"}, M(" type='groupchat'") BODY "</message>", "features.groupchat", NULL},
	{{"chat"}, M(" type='error'") "<error type='cancel'><gone xmlns='" NS_STANZAS "'/></error></message>",
		"", NULL},
	{{"chat"}, P("") "</presence>", "features.presence", NULL},
	{{"chat"}, P(" type='probe'") "</presence>", "features.presence", NULL},
	{{"chat", "presence"}, P(" type='subscribe'") "</presence>", "features.subscriptions", NULL},
	{{"chat", "muc"}, P("") "<x xmlns='http://jabber.org/protocol/muc'/></presence>", "", NULL},

	{{"chat"}, M(" type='chat'") BODY "<active xmlns='http://jabber.org/protocol/chatstates'/></message>",
		"features.chat-states", M(" type='chat'") BODY "</message>"},
	{{"chat", "chat-states"}, M(" type='chat'") BODY "<active "
		"xmlns='http://jabber.org/protocol/chatstates'/></message>", "",
		NULL},
	{{"chat"}, M(" type='chat'") BODY "<request xmlns='urn:xmpp:receipts'/><html "
		"xmlns='http://jabber.org/protocol/xhtml-im'>"
		"<body xmlns='http://www.w3.org/1999/xhtml'>text</body></html></message>", "features.receipts",
		M(" type='chat'") BODY "</message>"},
	{{"basic"}, M(" type='chat'") BODY "<x xmlns='jabber:x:oob'><url>http://x/</url></x></message>",
		"features.oob", NULL},
	{{"basic"}, P("") "<show>away</show><x xmlns='vcard-temp:x:update'><photo/></x></presence>", "features.vcard",
		P("") "<show>away</show></presence>"},

	{{"basic"}, IQ("get") "<ping xmlns='urn:xmpp:ping'/></iq>", "", NULL},
	{{"basic"}, IQ("get") "<query xmlns='jabber:iq:version'/></iq>", "features.version", NULL},
	{{"all", "-voip"}, IQ("set") "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' "
		"sid='1'><content creator="
		"'initiator' name='a'><description xmlns='urn:xmpp:jingle:apps:rtp:1' "
		"media='audio'/></content></jingle></iq>",
		"features.voip", NULL},
	{{"all", "-voip"}, IQ("set") "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' "
		"sid='1'><content creator="
		"'initiator' name='a'><description "
		"xmlns='urn:xmpp:jingle:apps:file-transfer:5'/></content></jingle></iq>", "", NULL},
	{{"all", "-voip", "-file-transfer"}, IQ("set") "<jingle xmlns='urn:xmpp:jingle:1' action='x' sid='1'/></iq>",
		"features.voip", NULL},
	{{"all", "-voip"}, M("") "<propose xmlns='urn:xmpp:jingle-message:0' id='1'/></message>",
		"features.voip", NULL},
	{{"all", "-voip"}, M("") "<propose xmlns='urn:xmpp:jingle:jingle-message:0' id='1'/></message>",
		"features.voip", NULL},
	{{"basic", "-muc-invite"}, M("") "<x xmlns='http://jabber.org/protocol/muc#user'><invite "
		"to='v@b.example'/></x></message>",
		"features.muc-invite", NULL},
	{{"basic", "-muc-invite"}, M(" type='groupchat'") BODY "<x "
		"xmlns='http://jabber.org/protocol/muc#user'/></message>", "",
		NULL},
	{{"all", "-avatar"}, IQ("set") "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish "
		"node='urn:xmpp:avatar:data'>"
		"<item><data xmlns='urn:xmpp:avatar:data'>AAAA</data></item></publish></pubsub></iq>",
		"features.avatar", NULL},

	/* what is inside of what is forwarded is judged as if it were sent */
	{{"basic", "carbons"}, M(" type='chat'") "<sent xmlns='urn:xmpp:carbons:2'><forwarded "
		"xmlns='urn:xmpp:forward:0'><message "
		"xmlns='jabber:client' type='chat'>" BODY "</message></forwarded></sent></message>", "", NULL},
	{{"basic", "carbons"}, M(" type='chat'") "<sent xmlns='urn:xmpp:carbons:2'><forwarded "
		"xmlns='urn:xmpp:forward:0'><message "
		"xmlns='jabber:client' type='headline'>" BODY "</message></forwarded></sent></message>",
		"features.headline", NULL},
	{{"basic", "forwarded"}, M("") "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><x "
		"xmlns="
		"'jabber:x:oob'/></message></forwarded></message>", "features.oob", NULL},
	{{"basic", "forwarded"}, M("") "<forwarded xmlns='urn:xmpp:forward:0'><message "
		"xmlns='jabber:client'>" BODY "<markable "
		"xmlns='urn:xmpp:chat-markers:0'/><z xmlns='urn:z'/></message></forwarded></message>",
		"features.unknown", NULL},

	/* the unknown */
	{{"all"}, M(" type='chat'") BODY "<z xmlns='urn:z'/></message>", "features.unknown", NULL},
	{{"all"}, IQ("get") "<z xmlns='urn:z'/></iq>", "features.unknown", NULL},
	{{"all"}, P("") "<z xmlns='urn:z'/></presence>", "features.unknown", P("") "</presence>"},
	{{"all"}, M(" type='error'") "<z xmlns='urn:z'/><error type='cancel'><gone xmlns='" NS_STANZAS "'/><z "
		"xmlns='urn:z'/>"
		"</error></message>", "features.unknown", M(" type='error'") "<error type='cancel'><gone "
		"xmlns='" NS_STANZAS
		"'/></error></message>"},

	/* encryption from end to end */
	{{"basic"}, M(" type='chat'") "<encrypted xmlns='eu.siacs.conversations.axolotl'/></message>",
		"features.encryption", NULL},
	{{"basic"}, M(" type='chat'") "<body>?OTRv23?</body></message>", "features.encryption", NULL},
	{{"basic"}, M(" type='chat'") "<body>x ?OTR:AA.</body></message>", "features.encryption", NULL},
	{{"basic"}, M(" type='chat'") "<body>OTR?</body></message>", "", NULL},
	{{"basic"}, M("") "<x xmlns='jabber:x:data' type='form'/></message>", "features.data-forms", NULL},
	{{"basic"}, IQ("result") "<query xmlns='http://jabber.org/protocol/disco#items'><x "
		"xmlns='jabber:x:data' type='result'/>"
		"</query></iq>", "", NULL},
	{{"basic", "-presence"}, P("") "</presence>", "features.presence", NULL},
	{{"basic", "-presence"}, P("") "<x xmlns='http://jabber.org/protocol/muc'/></presence>", "", NULL},
	{{"basic"}, IQ("get") "<query xmlns='http://jabber.org/protocol/muc#admin'/></iq>",
		"features.muc-administration", NULL},
	{{"basic", "encryption"}, M(" type='chat'") "<body>?OTRv23?</body></message>", "", NULL},
	{{"basic"}, M(" type='chat'") BODY "<encryption xmlns='urn:xmpp:eme:0' namespace='x'/></message>",
		"features.encryption", M(" type='chat'") BODY "</message>"},
};

static void judges_features(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct policy *policy = policy_of(rows[i].features, POLICY_UNKNOWN_REFUSE, false);
		struct policy_verdict verdict;
		struct stanza stanza = judge(policy, rows[i].stanza, &verdict);
		struct buf out;

		if (strcmp(verdict.rule, rows[i].rule) != 0)
			print_error("%s\n", rows[i].stanza);
		assert_string_equal(verdict.rule, rows[i].rule);
		assert_string_equal(policy_action_name(verdict.action),
			rows[i].text ? "rewritten" : *rows[i].rule ? "refused" : "pass");
		buf_init(&out, 1 << 16);
		assert_int_equal(xml_write_node(&out, stanza.root), 0);
		assert_int_equal(buf_put(&out, "", 1), 0);
		if (rows[i].text) {
			char text[1024];
			size_t n = strlen(rows[i].text);

			/* "<presence ...></presence>" is written as one tag */
			snprintf(text, sizeof(text), "%s", rows[i].text);
			if (n > 12 && !strcmp(text + n - 12, "></presence>"))
				snprintf(text + n - 12, 13, strchr(text,
				'>') == text + n - 12 ? "/>" : "></presence>");
			assert_string_equal(buf_head(&out), text);
		}
		buf_fini(&out);
		arena_free(stanza.arena);
		policy_free(policy);
	}
}

static void strips_or_passes_the_unknown(void **state)
{
	static const char *const all[] = {"all", NULL};
	static const char message[] = M(" type='chat'") BODY "<z xmlns='urn:z'/></message>";
	static const char iq[] = IQ("get") "<z xmlns='urn:z'/></iq>";
	struct policy *strip = policy_of(all, POLICY_UNKNOWN_STRIP, false), *pass = policy_of(all,
		POLICY_UNKNOWN_PASS, false);
	struct policy_verdict verdict;

	(void)state;
	arena_free(judge(strip, message, &verdict).arena);
	assert_int_equal(verdict.action, POLICY_REWRITTEN);
	assert_string_equal(verdict.changed, "without unknown");
	arena_free(judge(strip, iq, &verdict).arena);
	assert_int_equal(verdict.action, POLICY_REFUSED);
	arena_free(judge(pass, message, &verdict).arena);
	assert_int_equal(verdict.action, POLICY_PASS);
	arena_free(judge(pass, iq, &verdict).arena);
	assert_int_equal(verdict.action, POLICY_PASS);
	policy_free(strip);
	policy_free(pass);
}

static void demands_encryption(void **state)
{
	static const struct {
		const char *stanza, *rule;
	} wanted[] = {
		{M(" type='chat'") BODY "</message>", "features.not-encrypted"},
		{M(" type='chat'") BODY "<encryption xmlns='urn:xmpp:eme:0' namespace='x'/></message>",
		"features.not-encrypted"},
		{M(" type='chat'") "<encrypted xmlns='urn:xmpp:omemo:2'/></message>", ""},
		{M(" type='chat'") "<body>?OTR:AAED</body><body xml:lang='de'>text</body></message>",
		"features.not-encrypted"},
		{M(" type='chat'") "<subject>text</subject></message>", "features.not-encrypted"},
		{M(" type='chat'") BODY "<received xmlns='urn:xmpp:carbons:2'><encrypted "
		"xmlns='urn:xmpp:omemo:2'/></received>"
			"</message>", "features.not-encrypted"},
		{M(" type='chat'") "<body>?OTR:AAED.</body></message>", ""},
		{M(" type='chat'") "<body>?OTRv23?</body></message>", ""},
		{M(" type='chat'") "<body>?OTR hello in the clear</body></message>", "features.not-encrypted"},
		{M(" type='chat'") "<active xmlns='http://jabber.org/protocol/chatstates'/></message>", ""},
		{M(" type='error'") BODY "<error type='cancel'><gone xmlns='" NS_STANZAS "'/></error></message>", ""},
		{IQ("get") "<ping xmlns='urn:xmpp:ping'/></iq>", ""},
	};
	static const char *const all[] = {"all", NULL};
	struct policy *policy = policy_of(all, POLICY_UNKNOWN_PASS, true);
	struct policy_verdict verdict;
	struct stanza stanza;

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		arena_free(judge(policy, wanted[i].stanza, &verdict).arena);
		assert_string_equal(verdict.rule, wanted[i].rule);
		assert_int_equal(verdict.action, *wanted[i].rule ? POLICY_REFUSED : POLICY_PASS);
	}
	stanza = judge(policy, M(" type='chat'") BODY "<encrypted xmlns='urn:xmpp:omemo:2'/></message>", &verdict);
	assert_int_equal(verdict.action, POLICY_REWRITTEN);
	assert_null(node_child(stanza.root, NULL, "body"));
	assert_non_null(node_child(stanza.root, NULL, "encrypted"));
	arena_free(stanza.arena);
	policy_free(policy);
}

/* --- nothing that no rule allows --- */

/* Namespaces of XMPP,
	one of each kind that a client or server may send (those of the registry that stanzas carry). */
static const char *const namespaces[] = {
	"urn:xmpp:omemo:2", "urn:xmpp:omemo:1", "urn:xmpp:sce:1", "eu.siacs.conversations.axolotl",
		"urn:xmpp:openpgp:0",
	"jabber:x:encrypted", "jabber:x:signed", "urn:xmpp:otr:0", "urn:xmpp:eme:0", "urn:xmpp:esfs:0",
		"jabber:x:oob",
	"jabber:iq:oob", "urn:xmpp:sfs:0", "urn:xmpp:sims:1", "urn:xmpp:reference:0", "urn:xmpp:http:upload:0",
	"http://jabber.org/protocol/ibb", "urn:xmpp:bob", "urn:xmpp:avatar:data", "urn:xmpp:avatar:metadata",
		"vcard-temp",
	"vcard-temp:x:update", "urn:xmpp:thumbs:1", "urn:xmpp:media-element", "http://jabber.org/protocol/xhtml-im",
	"urn:xmpp:jingle:1", "urn:xmpp:jingle:apps:rtp:1", "urn:xmpp:jingle:apps:file-transfer:5",
	"urn:xmpp:jingle:apps:file-transfer:3", "urn:xmpp:jingle:transports:s5b:1",
		"urn:xmpp:jingle:transports:ibb:1",
	"urn:xmpp:jingle:transports:ice-udp:1", "urn:xmpp:jingle:transports:raw-udp:1",
		"urn:xmpp:jingle:transports:dtls-sctp:1",
	"urn:xmpp:jingle:transports:webrtc-datachannel:0", "urn:xmpp:jingle:apps:dtls:0", "urn:xmpp:jingle-message:0",
	"urn:xmpp:jingle:jingle-message:0", "http://jabber.org/protocol/si",
		"http://jabber.org/protocol/si/profile/file-transfer",
	"http://jabber.org/protocol/bytestreams", "urn:xmpp:forward:0", "urn:xmpp:carbons:2", "urn:xmpp:mam:2",
		"urn:xmpp:json:0",
	"urn:xmpp:http", "jabber:iq:rpc", "http://jabber.org/protocol/commands", "http://jabber.org/protocol/rosterx",
	"jabber:iq:register", "http://jabber.org/protocol/admin", "jabber:x:conference",
		"http://jabber.org/protocol/address",
	"http://jabber.org/protocol/amp", "urn:xmpp:rtt:0", "urn:xmpp:reactions:0", "http://jabber.org/protocol/nick",
	"jabber:iq:version", "jabber:iq:last", "urn:xmpp:idle:1", "urn:xmpp:time",
		"http://jabber.org/protocol/geoloc",
	"http://jabber.org/protocol/tune", "http://jabber.org/protocol/mood", "http://jabber.org/protocol/activity",
	"http://jabber.org/protocol/pubsub", "http://jabber.org/protocol/pubsub#event", "urn:xmpp:mix:core:1",
		"jabber:iq:roster",
	"jabber:iq:private", "jabber:iq:privacy", "jabber:iq:auth", "jabber:iq:gateway", "jabber:iq:search",
		"urn:xmpp:blocking",
	"urn:xmpp:sec-label:0", "urn:xmpp:sec-label:catalog:2", "urn:xmpp:message-retract:1", "urn:xmpp:push:0",
	"urn:example:nobody-knows", "HTTP://JABBER.ORG/PROTOCOL/MUC", "urn:xmpp:pin", "urn:xmpp:ping2",
};

static void nothing_passes_that_no_rule_allows(void **state)
{
	static const char *const basic[] = {"basic", NULL};
	static const char *const shapes[] = {
		M(" type='chat'") BODY "<x xmlns='%s'/></message>", P("") "<x xmlns='%s'/></presence>",
		IQ("get") "<x xmlns='%s'/></iq>",
		IQ("set") "<x xmlns='%s'/></iq>", M("") "<delay xmlns='urn:xmpp:delay'><x "
		"xmlns='%s'/></delay></message>"};
	struct policy *policy = policy_of(basic, POLICY_UNKNOWN_REFUSE, false);

	(void)state;
	for (size_t n = 0; n < sizeof(namespaces) / sizeof(*namespaces); n++)
		for (size_t s = 0; s < sizeof(shapes) / sizeof(*shapes); s++) {
			char xml[512], wanted[128];
			struct policy_verdict verdict;
			struct stanza stanza;
			struct buf out;

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			snprintf(xml, sizeof(xml), shapes[s], namespaces[n]);
			stanza = judge(policy, xml, &verdict);
			buf_init(&out, 1 << 16);
			assert_int_equal(xml_write_node(&out, stanza.root), 0);
			assert_int_equal(buf_put(&out, "", 1), 0);
			snprintf(wanted, sizeof(wanted), "xmlns='%s'", namespaces[n]);
			if (verdict.action != POLICY_REFUSED && strstr((const char *)buf_head(&out), wanted))
				fail_msg("%s passes: %s", xml, verdict.rule);
			assert_true(verdict.action == POLICY_REFUSED || verdict.action == POLICY_REWRITTEN);
			buf_fini(&out);
			arena_free(stanza.arena);
		}
	policy_free(policy);
}

/* --- what is offered --- */

static void offers_only_what_may_come(void **state)
{
	static const char *const some[] = {"chat", "disco", "muc", "mam", "caps", NULL};
	struct policy *policy = policy_of(some, POLICY_UNKNOWN_REFUSE, false);
	struct policy_verdict verdict;
	struct stanza stanza = judge(policy, IQ("result") "<query xmlns='http://jabber.org/protocol/disco#info'>"
		"<identity category='client' type='pc'/><feature var='http://jabber.org/protocol/disco#info'/>"
		"<feature var='urn:xmpp:jingle:1'/><feature var='http://jabber.org/protocol/muc'/><feature "
		"var='urn:xmpp:mam:2#extended'/>"
		"<feature var='muc_membersonly'/><feature var='urn:xmpp:avatar:metadata+notify'/><feature "
		"var='nobody-knows'/></query></iq>",
		&verdict);
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 16);
	assert_int_equal(xml_write_node(&out, stanza.root), 0);
	assert_int_equal(buf_put(&out, "", 1), 0);
	assert_string_equal(verdict.rule, "features.disco");
	assert_string_equal(verdict.changed, "3 features not offered");
	assert_string_equal(buf_head(&out), IQ("result") "<query xmlns='http://jabber.org/protocol/disco#info'>"
		"<identity category='client' type='pc'/><feature var='http://jabber.org/protocol/disco#info'/>"
		"<feature var='http://jabber.org/protocol/muc'/><feature var='urn:xmpp:mam:2#extended'/>"
		"<feature var='muc_membersonly'/></query></iq>");
	buf_fini(&out);
	arena_free(stanza.arena);
	stanza = judge(policy, P("") "<x xmlns='http://jabber.org/protocol/muc'/><c "
		"xmlns='http://jabber.org/protocol/caps' hash="
		"'sha-1' node='n' ver='v'/></presence>", &verdict);
	assert_string_equal(verdict.changed, "without caps");
	assert_null(node_child(stanza.root, NULL, "c"));
	arena_free(stanza.arena);
	policy_free(policy);
}

static void names_are_known(void **state)
{
	static const char *const wrong[] = {"basic", "jingle", NULL}, *const none[] = {NULL};
	uint64_t set = 0;

	(void)state;
	assert_string_equal(feature_set_of(wrong, &set), "jingle");
	set = 0;
	assert_null(feature_set_of(none, &set));
	assert_true(set == 0 && feature_first(set) == FEATURES);
	for (unsigned i = 0; i < FEATURES; i++) {
		const char *const one[] = {feature_name((enum feature)i), NULL};
		char rule[64];

		set = 0;
		assert_null(feature_set_of(one, &set));
		assert_int_equal(feature_first(set), i);
		snprintf(rule, sizeof(rule), "features.%s", one[0]);
		assert_string_equal(feature_rule((enum feature)i), rule);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_features),
		cmocka_unit_test(strips_or_passes_the_unknown),
		cmocka_unit_test(demands_encryption),
		cmocka_unit_test(nothing_passes_that_no_rule_allows),
		cmocka_unit_test(offers_only_what_may_come),
		cmocka_unit_test(names_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
