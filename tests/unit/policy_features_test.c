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
#define C(children) M(" type='chat'") children "</message>"
#define PEP(type, to) "<iq from='u@a.example' id='1' to='" to "' type='" type "'><pubsub " \
	"xmlns='http://jabber.org/protocol/pubsub'>"
#define EVENT(node, payload) M(" type='headline'") "<event xmlns='http://jabber.org/protocol/pubsub#event'><items " \
	"node='" node "'><item>" payload "</item></items></event></message>"
#define OTR_TAG " \t  \t\t\t\t \t \t \t  "
#define OTR_V2 "  \t\t  \t "
#define OTR_V3 "  \t\t  \t\t"

static const char *const ours[] = {"a.example", NULL};
static const struct policy_pair pairs[] = {{"a.example", "b.example"}, {"b.example", "a.example"}};

/* A policy of one profile, the same in both directions. */
static struct policy *policy_new_of(struct policy_feature_names names)
{
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

static struct policy *policy_of(const char *const *features, enum policy_unknown unknown, bool requires_encryption)
{
	return policy_new_of((struct policy_feature_names){.names = features,
		.unknown = unknown,
		.requires_encryption = requires_encryption});
}

static struct stanza judge(const struct policy *policy, const char *xml, struct policy_verdict *verdict)
{
	struct policy_context context = {OUT, pairs, 2, 0, 0};
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

	/* encryption from end to end, by its ways */
	{{"basic"}, C("<encrypted xmlns='eu.siacs.conversations.axolotl'/>"), "features.omemo", NULL},
	{{"basic", "encryption", "-omemo"}, C("<encrypted xmlns='urn:xmpp:omemo:1'/>"), "features.omemo", NULL},
	{{"basic", "encryption", "-omemo"}, C("<encrypted xmlns='urn:xmpp:omemo:2'/>"), "features.omemo", NULL},
	{{"basic", "encryption", "-omemo"}, C("<openpgp xmlns='urn:xmpp:openpgp:0'>hQ==</openpgp>"), "", NULL},
	{{"basic", "omemo"}, C("<encrypted xmlns='urn:xmpp:omemo:2'/>"), "", NULL},
	{{"basic", "omemo"}, C("<openpgp xmlns='urn:xmpp:openpgp:0'/>"), "features.openpgp", NULL},
	{{"basic", "omemo"}, C("<x xmlns='jabber:x:encrypted'>hQ==</x>"), "features.pgp-legacy", NULL},
	{{"basic", "omemo"}, C(BODY "<x xmlns='jabber:x:signed'>iQ==</x>"), "features.pgp-legacy", C(BODY)},
	{{"basic", "omemo"}, P("") "<x xmlns='jabber:x:signed'>iQ==</x></presence>", "features.pgp-legacy",
		P("") "</presence>"},
	{{"basic", "omemo"}, C("<e2e xmlns='urn:ietf:params:xml:ns:xmpp-e2e'>x</e2e>"), "features.e2e-rfc3923", NULL},
	{{"basic", "omemo"}, C("<c xmlns='http://www.xmpp.org/extensions/xep-0200.html#ns'/>"),
		"features.stanza-encryption", NULL},
	{{"basic", "omemo"}, C("<envelope xmlns='urn:xmpp:sce:1'/>"), "features.stanza-encryption", NULL},
	{{"basic", "stanza-encryption"}, C("<c xmlns='http://www.xmpp.org/extensions/xep-0200.html#ns'/>"), "", NULL},
	{{"basic"}, C("<body>?OTRv23?</body>"), "features.otr", NULL},
	{{"basic", "encryption", "-otr"}, C("<body>x ?OTR:AA.</body>"), "features.otr", NULL},
	{{"basic", "xhtml"}, C("<html xmlns='http://jabber.org/protocol/xhtml-im'><body "
		"xmlns='http://www.w3.org/1999/xhtml'><p>?OTR:AA.</p></body></html>"), "features.otr", NULL},
	{{"basic", "forwarded"}, C("<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><body>?OTR?</body>"
		"</message></forwarded>"), "features.otr", NULL},
	{{"basic"}, C("<body>OTR?</body>"), "", NULL},
	{{"basic", "otr"}, C("<body>?OTRv23?</body>"), "", NULL},
	{{"basic"}, M(" type='error'") "<body>?OTRv23?</body><error type='cancel'><gone xmlns='" NS_STANZAS
		"'/></error></message>", "features.otr", M(" type='error'") "<error type='cancel'><gone xmlns='" NS_STANZAS
		"'/></error></message>"},
	{{"basic"}, C("<body> hello " OTR_TAG OTR_V2 OTR_V3 " \t after</body>"), "features.otr",
		C("<body> hello  \t after</body>")},
	{{"basic"}, C("<body>hello" OTR_TAG "</body>"), "features.otr", C("<body>hello</body>")},
	{{"basic"}, C("<body>a" OTR_TAG "b" OTR_TAG "</body>"), "features.otr", NULL},
	{{"basic"}, C("<body>hello \t  \t\t\t\t \t \t \t x</body>"), "", NULL},
	{{"basic", "otr"}, C("<body>hello" OTR_TAG OTR_V3 "</body>"), "", NULL},
	{{"basic"}, C(BODY "<encryption xmlns='urn:xmpp:eme:0' namespace='x'/>"), "features.omemo", C(BODY)},
	{{"basic", "otr"}, C(BODY "<encryption xmlns='urn:xmpp:eme:0' namespace='x'/>"), "", NULL},

	/* accounts publish, and services; what a node is of, its name tells */
	{{"basic"}, PEP("get", "v@b.example") "<items node='n'/></pubsub></iq>", "features.personal-events", NULL},
	{{"basic"}, PEP("get", "b.example") "<items node='n'/></pubsub></iq>", "features.pubsub", NULL},
	{{"basic", "pubsub"}, PEP("get", "v@b.example") "<items node='n'/></pubsub></iq>", "features.personal-events", NULL},
	{{"basic", "pubsub"}, PEP("get", "b.example") "<items node='n'/></pubsub></iq>", "", NULL},
	{{"basic", "personal-events"}, PEP("get", "v@b.example") "<items node='n'/></pubsub></iq>", "", NULL},
	{{"basic", "personal-events"}, PEP("set", "b.example") "<subscribe node='n'/></pubsub></iq>", "features.pubsub", NULL},
	{{"basic", "pubsub"}, PEP("result", "b.example") "<items node='n'/></pubsub></iq>", "features.personal-events", NULL},
	{{"basic", "personal-events"}, PEP("result", "b.example") "<items node='n'/></pubsub></iq>", "", NULL},
	{{"basic", "personal-events", "headline"}, EVENT("n", "") , "", NULL},
	{{"basic", "pubsub", "headline"}, EVENT("n", ""), "features.personal-events", NULL},
	{{"basic", "omemo"}, PEP("get", "v@b.example") "<items node='eu.siacs.conversations.axolotl.devicelist'/>"
		"</pubsub></iq>",
		"", NULL},
	{{"basic", "omemo", "headline"}, EVENT("urn:xmpp:omemo:2:devices", "<devices xmlns='urn:xmpp:omemo:2'/>"), "", NULL},
	{{"basic", "omemo"}, PEP("get", "v@b.example") "<items node='urn:xmpp:omemo:2:devices'/><items node='n'/></pubsub>"
		"</iq>", "features.personal-events", NULL},
	{{"all", "-omemo"}, PEP("get", "v@b.example") "<items node='eu.siacs.conversations.axolotl.bundles:12'/></pubsub></iq>",
		"features.omemo", NULL},
	{{"all", "-avatar"}, PEP("get", "v@b.example") "<items node='urn:xmpp:avatar:metadata'/></pubsub></iq>",
		"features.avatar", NULL},
	{{"all", "-avatar"}, IQ("result") "<pubsub xmlns='http://jabber.org/protocol/pubsub'><subscriptions><subscription "
		"node='urn:xmpp:avatar:metadata'/></subscriptions></pubsub></iq>", "features.avatar", NULL},
	{{"all", "-avatar"}, IQ("set") "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure "
		"node='urn:xmpp:avatar:metadata'/></pubsub></iq>", "features.avatar", NULL},

	/* caps are where stanzas are; forwarded is not what carbons are */
	{{"basic", "forwarded"}, C("<forwarded xmlns='urn:xmpp:forward:0'><presence xmlns='jabber:client'><c "
		"xmlns='http://jabber.org/protocol/caps'/></presence></forwarded>"), "features.caps",
		C("<forwarded xmlns='urn:xmpp:forward:0'><presence xmlns='jabber:client'/></forwarded>")},
	{{"basic", "carbons", "mam"}, C("<forwarded xmlns='urn:xmpp:forward:0'/>"), "features.forwarded", NULL},
	{{"basic", "carbons"}, C("<sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message "
		"xmlns='jabber:client'><forwarded xmlns='urn:xmpp:forward:0'/></message></forwarded></sent>"),
		"features.forwarded", NULL},

	/* files that are encrypted, with their key in the link */
	{{"basic"}, C("<body>aesgcm://b.example/f#00</body>"), "features.file-sharing", NULL},
	{{"basic", "file-sharing"}, C("<body>see AESGCM://b.example/f#00</body>"), "features.omemo", NULL},
	{{"basic", "omemo"}, C("<body>aesgcm://b.example/f#00</body>"), "features.file-sharing", NULL},
	{{"basic", "omemo", "references"}, C("<reference xmlns='urn:xmpp:reference:0' uri='aesgcm://b.example/f#00'/>"),
		"features.file-sharing", NULL},
	{{"basic", "omemo", "file-sharing"}, C("<body>aesgcm://b.example/f#00</body>"), "", NULL},
	{{"basic"}, C("<body>aesgcm:/b.example</body>"), "", NULL},

	{{"basic"}, M("") "<x xmlns='jabber:x:data' type='form'/></message>", "features.data-forms", NULL},
	{{"basic"}, IQ("result") "<query xmlns='http://jabber.org/protocol/disco#items'><x "
		"xmlns='jabber:x:data' type='result'/>"
		"</query></iq>", "", NULL},
	{{"basic", "-presence"}, P("") "</presence>", "features.presence", NULL},
	{{"basic", "-presence"}, P("") "<x xmlns='http://jabber.org/protocol/muc'/></presence>", "", NULL},
	{{"basic"}, IQ("get") "<query xmlns='http://jabber.org/protocol/muc#admin'/></iq>",
		"features.muc-administration", NULL},
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

/* Where text hides, and what is none. */
#define OMEMO "<encrypted xmlns='urn:xmpp:omemo:2'><payload>AAAA</payload></encrypted>"
#define IN_FORWARDED(children) "<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='1'/>" \
	"<message xmlns='jabber:client' type='chat'>" children "</message></forwarded>"
#define GONE "<error type='cancel'><gone xmlns='" NS_STANZAS "'/></error></message>"

static const struct {
	const char *stanza;
	bool passes;
} demanded[] = {
	{C(BODY), false},
	{C("<subject>text</subject>"), false},
	{M(" type='groupchat'") BODY "</message>", false},
	{M(" type='headline'") BODY "</message>", false},
	{M("") BODY "</message>", false},
	{C(BODY "<encryption xmlns='urn:xmpp:eme:0' namespace='x'/>"), false},
	{C(BODY "<received xmlns='urn:xmpp:carbons:2'><encrypted xmlns='urn:xmpp:omemo:2'/></received>"), false},
	{C("<body/><thread>t</thread><active xmlns='http://jabber.org/protocol/chatstates'/>"), true},
	{IQ("get") "<ping xmlns='urn:xmpp:ping'/></iq>", true},
	{C("<rtt xmlns='urn:xmpp:rtt:0' seq='1'><t>text</t></rtt>"), false},
	{C("<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'><p>text</p></body>"
		"</html>"), false},
	{C("<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'><img alt='text'/>"
		"</body></html>"), false},
	{C("<x xmlns='jabber:x:oob'><url>http://x/</url><desc>text</desc></x>"), false},
	{C("<x xmlns='jabber:x:data' type='submit'><field var='v'><value>text</value></field></x>"), false},
	{C("<x xmlns='jabber:x:data' type='form'><field var='v' label='text'/></x>"), false},
	{C("<spoiler xmlns='urn:xmpp:spoiler:0'>text</spoiler>"), false},
	{C("<z xmlns='urn:example:unknown'><y>text</y></z>"), false},
	{C("<z xmlns='urn:example:unknown'>\n\t<y/>\n</z>"), true},
	{C("<z xmlns='urn:example:unknown'><thread>text</thread></z>"), false},
	{C(IN_FORWARDED(BODY)), false},
	{C(IN_FORWARDED(OMEMO)), true},
	{C("<result xmlns='urn:xmpp:mam:2' id='1'>" IN_FORWARDED("<thread>t</thread>" OMEMO) "</result>"), true},
	{M("") "<x xmlns='http://jabber.org/protocol/muc#user'><invite to='v@b.example'><reason>text</reason></invite></x>"
		"</message>", false},
	{M("") "<x xmlns='http://jabber.org/protocol/muc#user'><invite to='v@b.example'/></x></message>", true},
	{M("") "<x xmlns='jabber:x:conference' jid='r@b.example' reason='text'/></message>", false},
	{M("") "<x xmlns='jabber:x:conference' jid='r@b.example'/></message>", true},
	{M(" type='headline'") "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'><item><tune "
		"xmlns='http://jabber.org/protocol/tune'><title>text</title></tune></item></items></event></message>", false},
	{M(" type='headline'") "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='urn:xmpp:omemo:2:devices'>"
		"<item id='1'><devices xmlns='urn:xmpp:omemo:2'><device id='1' label='phone'/></devices></item></items></event>"
		"</message>", true},
	{M(" type='headline'") "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'><item id='1'>"
		"<bundle xmlns='urn:xmpp:omemo:2'><spk id='1'>AAAA</spk></bundle></item></items></event></message>", true},
	{C("<reactions xmlns='urn:xmpp:reactions:0' id='1'><reaction>x</reaction></reactions>"), true},
	{C("<message xmlns='urn:xmpp:message-retract:1'>text</message>"), false},

	/* what is encrypted, and what only says so */
	{C(OMEMO), true},
	{C("<encrypted xmlns='urn:xmpp:omemo:2'/>"), true},
	{C("<encrypted xmlns='urn:xmpp:omemo:2'>It is so, isn't it?</encrypted>"), false},
	{C("<encrypted xmlns='urn:xmpp:omemo:2'><envelope xmlns='urn:xmpp:sce:1'><content>text</content></envelope>"
		"</encrypted>"), false},
	{C("<envelope xmlns='urn:xmpp:sce:1'><content>text</content></envelope>"), false},
	{C("<e2e xmlns='urn:ietf:params:xml:ns:xmpp-e2e'>Content-Type: multipart/signed</e2e>"), false},
	{C("<openpgp xmlns='urn:xmpp:openpgp:0'>hQEMAw==</openpgp>"), true},           /* a key, by public key */
	{C("<openpgp xmlns='urn:xmpp:openpgp:0'>\nwcBM\n</openpgp>"), true},           /* the same, in the new format */
	{C("<x xmlns='jabber:x:encrypted'>jA0E</x>"), true},                           /* a key, by password */
	{C("<openpgp xmlns='urn:xmpp:openpgp:0'>owGb</openpgp>"), false},              /* compressed */
	{C("<openpgp xmlns='urn:xmpp:openpgp:0'>kA0D</openpgp>"), false},              /* signed */
	{C("<x xmlns='jabber:x:encrypted'>Hello</x>"), false},
	{C("<body>?OTR:AAED</body><body xml:lang='de'>text</body>"), false},
	{C("<body>?OTR:AAED.</body>"), true},
	{C("<body>?OTRv23?</body>"), true},
	{C("<body>?OTR hello in the clear</body>"), false},
	{C("<body>?OTR:hello in the clear</body>"), false},
	{C("<z xmlns='urn:z'>?OTR:AAED.</z>"), false},
};

static void demands_encryption(void **state)
{
	static const char *const all[] = {"all", NULL};
	struct policy *policy = policy_of(all, POLICY_UNKNOWN_PASS, true);

	(void)state;
	for (size_t i = 0; i < sizeof(demanded) / sizeof(*demanded); i++) {
		struct policy_verdict verdict;

		arena_free(judge(policy, demanded[i].stanza, &verdict).arena);
		if (verdict.action != (demanded[i].passes ? POLICY_PASS : POLICY_REFUSED))
			fail_msg("%s: %s: %s", demanded[i].stanza, verdict.rule, verdict.reason);
		assert_string_equal(verdict.rule, demanded[i].passes ? "" : "features.not-encrypted");
	}
	policy_free(policy);
}

static void takes_out_what_stands_beside(void **state)
{
	static const char *const all[] = {"all", NULL};
	static const char *const beside[][2] = {
		{C(BODY OMEMO), C(OMEMO)},
		{C(BODY "<body xml:lang='de'>text</body>" OMEMO "<x xmlns='jabber:x:oob'><url>http://x/</url></x>"
			"<store xmlns='urn:xmpp:hints'/>"), C(OMEMO "<store xmlns='urn:xmpp:hints'/>")},
		{C(OMEMO "<encryption xmlns='urn:xmpp:eme:0' name='OMEMO' namespace='x'/><securitylabel "
			"xmlns='urn:xmpp:sec-label:0'><displaymarking>SECRET</displaymarking></securitylabel><delay "
			"xmlns='urn:xmpp:delay' stamp='1'>text</delay>"),
			C(OMEMO "<encryption xmlns='urn:xmpp:eme:0' name='OMEMO' namespace='x'/><securitylabel "
			"xmlns='urn:xmpp:sec-label:0'><displaymarking>SECRET</displaymarking></securitylabel><delay "
			"xmlns='urn:xmpp:delay' stamp='1'/>")},
		{C(IN_FORWARDED(BODY OMEMO)), C(IN_FORWARDED(OMEMO))},
		{M(" type='error'") BODY GONE, M(" type='error'") GONE},
	};
	struct policy *policy = policy_of(all, POLICY_UNKNOWN_PASS, true);

	(void)state;
	for (size_t i = 0; i < sizeof(beside) / sizeof(*beside); i++) {
		struct policy_verdict verdict;
		struct stanza stanza = judge(policy, beside[i][0], &verdict);
		struct buf out;

		buf_init(&out, 1 << 16);
		assert_int_equal(xml_write_node(&out, stanza.root), 0);
		assert_int_equal(buf_put(&out, "", 1), 0);
		assert_string_equal(buf_head(&out), beside[i][1]);
		assert_int_equal(verdict.action, POLICY_REWRITTEN);
		assert_string_equal(verdict.rule, "features.not-encrypted");
		buf_fini(&out);
		arena_free(stanza.arena);
	}
	policy_free(policy);
}

/* --- nodes of accounts --- */

static void lists_nodes(void **state)
{
	static const char *const all[] = {"all", NULL}, *const nodes[] = {"urn:xmpp:avatar:*",
		"http://jabber.org/protocol/Tune",
		NULL};
	static const struct {
		const char *stanza;
		enum policy_action action;
	} wanted[] = {
		{PEP("get", "v@b.example") "<items node='urn:xmpp:avatar:data'/></pubsub></iq>", POLICY_PASS},
		{PEP("get", "v@b.example") "<items node='urn:xmpp:avatar'/></pubsub></iq>", POLICY_REFUSED},
		{PEP("get", "v@b.example") "<items node='http://jabber.org/protocol/Tune'/></pubsub></iq>", POLICY_PASS},
		{PEP("get", "v@b.example") "<items node='http://jabber.org/protocol/tune'/></pubsub></iq>", POLICY_REFUSED},
		{PEP("get", "v@b.example") "<items node='http://jabber.org/protocol/Tune2'/></pubsub></iq>", POLICY_REFUSED},
		{PEP("get", "v@b.example") "<items/></pubsub></iq>", POLICY_REFUSED},
		{PEP("get", "v@b.example") "<subscriptions/></pubsub></iq>", POLICY_PASS},
		{PEP("result", "v@b.example") "<subscriptions><subscription node='n'/></subscriptions></pubsub></iq>",
			POLICY_REFUSED},
		{PEP("set", "v@b.example") "<publish node='urn:xmpp:avatar:data'><item id='1'/></publish><publish-options/>"
			"</pubsub></iq>", POLICY_PASS},
		{PEP("set", "v@b.example") "<retract node='n'><item id='1'/></retract></pubsub></iq>", POLICY_REFUSED},
		{PEP("set", "v@b.example") "<subscribe jid='v@b.example'/></pubsub></iq>", POLICY_REFUSED},
		{IQ("set") "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='n'/></pubsub></iq>",
			POLICY_REFUSED},
		{IQ("set") "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><purge node='n'/></pubsub></iq>",
			POLICY_REFUSED},
		{PEP("get", "b.example") "<items node='n'/></pubsub></iq>", POLICY_PASS},
		{EVENT("urn:xmpp:avatar:metadata", ""), POLICY_PASS},
		{EVENT("n", ""), POLICY_DROPPED},
		{"<message from='a.example' to='v@b.example' type='headline'><event "
			"xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'/></event></message>", POLICY_PASS},
		{C("<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='w@c.example'><event "
			"xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'/></event></message></forwarded>"),
			POLICY_REFUSED},
		{"<iq from='u@a.example' id='1' to='v@b.example' type='error'><pubsub xmlns='http://jabber.org/protocol/pubsub'>"
			"<items node='n'/></pubsub><error type='cancel'><gone xmlns='" NS_STANZAS "'/></error></iq>", POLICY_REWRITTEN},
	};
	struct policy *policy = policy_new_of((struct policy_feature_names){.names = all, .pep_nodes = nodes});

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		struct policy_verdict verdict;

		arena_free(judge(policy, wanted[i].stanza, &verdict).arena);
		if (verdict.action != wanted[i].action)
			fail_msg("%s: %s", wanted[i].stanza, policy_action_name(verdict.action));
		assert_string_equal(verdict.rule, wanted[i].action == POLICY_PASS ? "" : "features.pep-node");
	}
	policy_free(policy);
}

/* --- features of a peer --- */

static void a_peer_stays_within_its_profile(void **state)
{
	static const struct {
		const char *names[3], *within[3], *fault;
	} wanted[] = {
		{{"chat", "disco"}, {"basic"}, NULL},
		{{"basic"}, {"basic", "oob"}, NULL},
		{{NULL}, {NULL}, NULL},
		{{"basic", "oob"}, {"basic"}, "features: oob is not among those of the profile (hint: a peer can only take away)"},
		{{"all", "-voip"}, {"all", "-omemo"},
			"features: omemo is not among those of the profile (hint: a peer can only take away)"},
	};
	const struct policy_peer_rules peer = {.domain = "b.example"};

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		const struct policy_profile_rules profile = {.name = "p", .line = 7,
			.features = {{.names = wanted[i].names, .within = wanted[i].within}}};
		struct policy_fault fault = {0};
		struct policy *policy = policy_new(&(struct policy_rules){.domains = ours, .profiles = &profile,
			.profile_count = 1, .peers = &peer, .peer_count = 1, .fault = &fault});

		assert_true(!policy == !!wanted[i].fault);
		assert_int_equal(fault.line, wanted[i].fault ? 7 : 0);
		assert_string_equal(fault.text, wanted[i].fault ? wanted[i].fault : "");
		policy_free(policy);
	}
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
	assert_null(feature_set_of((const char *const[]){"encryption", "-otr", NULL}, &set));
	assert_true(set >> FEATURE_OMEMO & 1 && set >> FEATURE_STANZA_ENCRYPTION & 1 && !(set >> FEATURE_OTR & 1));
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
		cmocka_unit_test(takes_out_what_stands_beside),
		cmocka_unit_test(lists_nodes),
		cmocka_unit_test(a_peer_stays_within_its_profile),
		cmocka_unit_test(nothing_passes_that_no_rule_allows),
		cmocka_unit_test(offers_only_what_may_come),
		cmocka_unit_test(names_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
