/* Security labels of stanzas: needed, put on, judged, mapped, marked. The policies are those of tests/labels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/label_harness.h"
#include "tests/unit/policy_harness.h"
#include "tests/unit/xml_harness.h"

#define M "<message from='u@a.example/r' id='1' to='v@b.example' type='chat'>"
#define END "</message>"
#define BODY "<body>hello</body>"
#define L(marking, label) "<securitylabel xmlns='urn:xmpp:sec-label:0'>" marking "<label>" label "</label></securitylabel>"
#define MARKING(colours, text) "<displaymarking " colours ">" text "</displaymarking>"
#define LS(policy, class, tags) "<label xmlns='http://surevine.com/xmlns/spiffy'><policy id='" \
	policy "'/><classification lacv='" class "'/>" \
	tags "</label>"
#define DEMO(class, tags) LS("2.25.1.1", class, tags)
#define XAA "<tag id='2.25.1.1.2' lacv='8' type='enumeratedPermissive'/>"
#define XBB "<tag id='2.25.1.1.2' lacv='36' type='enumeratedPermissive'/>"
#define ALPHA "<tag id='2.25.1.1.1' lacv='0' type='restrictive'/>"
#define BRAVO "<tag id='2.25.1.1.1' lacv='1' type='restrictive'/>"
#define STAFF "<tag id='2.25.1.1.3' lacv='1' type='informative'/>"
#define ESS(base64) "<esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>" base64 "</esssecuritylabel>"
#define GREEN "bgcolor='green' fgcolor='white'"
#define ORANGE "bgcolor='#FF8C00' fgcolor='black'"
#define OPEN_ESS ESS("MQgCAQEGA2kBAQ==")
#define WHITE_ESS ESS("MQgCAQoGA2kBAg==")
#define OPEN L(MARKING(GREEN, "DEMO OPEN"), DEMO("1", ""))
#define RESTRICTED L(MARKING(ORANGE, "DEMO RESTRICTED REL TO XBB"), DEMO("2", XBB))

enum { PROFILES = 8, NOW = 1800000000 };
static const char low[] = "<clearance xmlns='http://surevine.com/xmlns/spiffy'><policy "
	"id='2.25.1.1'/><classification lacv='1'/></clearance>";
static const char *const ours[] = {"a.example", NULL};
static const char *const cleared_users[] = {"low@a.example", "low@b.example", NULL};

/* One peer for each profile; the tests write to them by the letters of their names. */
static const char *const peers[PROFILES] = {"required.example", "default.example", "keep.example", "swap.example",
	"drop.example", "refuse.example", "line.example", "ignored.example"};

struct files {
	char *demo, *partner, *clearance;
};

static void read_files(struct files *files)
{
	size_t len;

	files->demo = label_file("demo.spif.xml", &len);
	files->partner = label_file("partner.spif.xml", &len);
	files->clearance = label_file("demo.clearance.xml", &len);
}

static void free_files(struct files *files)
{
	free(files->demo);
	free(files->partner);
	free(files->clearance);
}

static struct policy *policy_of(struct files *files, struct policy_fault *fault)
{
	const struct policy_document policies[] = {{"demo.spif.xml", files->demo}, {"partner.spif.xml", files->partner}};
	const struct policy_clearance_rules clearances[] = {{{"low.xml", low}, cleared_users, 7}};
	const struct policy_document clearance = {"demo.clearance.xml", files->clearance};
	const struct policy_document open = {"open.xml", "MQgCAQEGA2kBAQ=="};
	const struct policy_label_rules required = {.labels = POLICY_LABELS_REQUIRED, .clearance = clearance};
	struct policy_profile_rules profiles[PROFILES];
	struct policy_peer_rules peer_rules[PROFILES];

	for (unsigned i = 0; i < PROFILES; i++) {
		profiles[i] = (struct policy_profile_rules){.name = peers[i], .presence = {POLICY_PRESENCE_FULL,
			POLICY_PRESENCE_FULL},
			.labels = {required, required}};
		peer_rules[i] = (struct policy_peer_rules){.domain = peers[i], .profile = i};
	}
	for (unsigned d = 0; d < POLICY_DIRECTIONS; d++) {
		profiles[1].labels[d].labels = POLICY_LABELS_DEFAULT;
		profiles[1].labels[d].default_label = open;
		profiles[5].labels[d].refuses_marking = true;
		profiles[5].labels[d].default_label = open;
		profiles[6].labels[d].marks_first_line = true;
		profiles[6].labels[d].filters_catalogs = true;
		profiles[7].labels[d] = (struct policy_label_rules){.labels = POLICY_LABELS_IGNORED};
		for (unsigned i = 2; i < 5; i++) {
			profiles[i].labels[d].map_to = d == POLICY_OUTBOUND ? "PARTNER" : "DEMO";
			profiles[i].labels[d].original = (enum policy_original)(POLICY_ORIGINAL_KEEP + (int)i - 2);
		}
	}
	return policy_new(&(struct policy_rules){.domains = ours, .profiles = profiles, .profile_count = PROFILES,
		.peers = peer_rules, .peer_count = PROFILES, .fault = fault,
		.labels = {.policies = policies, .policy_count = 2, .clearances = clearances, .clearance_count = 1}});
}

struct row {
	const char *to;                /* the first letter of the peer; a capital: inbound */
	const char *stanza;            /* with b.example for the peer */
	enum policy_action action;
	const char *rule, *changed;
	const char *text;              /* what is sent; NULL: it is not, or as it was */
};

#define KEPT(expected) M BODY expected END

static const struct row rows[] = {
	/* domain by domain: the decisions of the table that the two policies come with */
	{"r", M BODY OPEN END, POLICY_PASS, "", "", NULL},
	{"r", M BODY L(MARKING(ORANGE, "DEMO RESTRICTED REL TO XAA, XBB"), DEMO("2", XAA XBB)) END, POLICY_PASS,
		"", "", NULL},
	{"r", M BODY L("", DEMO("2", XAA)) END, POLICY_REFUSED, "labels.permissive", "", NULL},
	{"r", M BODY L("", DEMO("2", "")) END, POLICY_REFUSED, "labels.required-category", "", NULL},
	{"r", M BODY L(MARKING(ORANGE, "DEMO RESTRICTED ALPHA REL TO XBB"), DEMO("2", ALPHA XBB)) END,
		POLICY_PASS, "", "", NULL},
	{"r", M BODY L("", DEMO("2", BRAVO XBB)) END, POLICY_REFUSED, "labels.restrictive", "", NULL},
	{"r", M BODY L("", DEMO("2", ALPHA BRAVO XBB)) END, POLICY_REFUSED, "labels.excluded-category", "", NULL},
	{"r", M BODY L("", DEMO("1", ALPHA)) END, POLICY_REFUSED, "labels.excluded-class", "", NULL},
	{"r", M BODY L(MARKING(ORANGE, "DEMO RESTRICTED REL TO XBB STAFF"), DEMO("2", XBB STAFF)) END,
		POLICY_PASS, "", "", NULL},
	{"r", M BODY L("", OPEN_ESS) END, POLICY_REWRITTEN, "labels.marking", "the display marking was made from the label",
		M BODY L(MARKING(GREEN, "DEMO OPEN"), OPEN_ESS) END},
	{"R", M BODY OPEN END, POLICY_PASS, "", "", NULL},
	{"R", M BODY L("", DEMO("2", XAA)) END, POLICY_REFUSED, "labels.permissive", "", NULL},

	/* which messages need one */
	{"r", M BODY END, POLICY_REFUSED, "labels.missing", "", NULL},
	{"r", M BODY L("", "") END, POLICY_REFUSED, "labels.missing", "", NULL},
	{"r", M "<subject>x</subject>" END, POLICY_REFUSED, "labels.missing", "", NULL},
	{"r", M "<x xmlns='urn:x'/>" END, POLICY_REFUSED, "labels.missing", "", NULL},
	{"r", M "<active xmlns='http://jabber.org/protocol/chatstates'/>" END, POLICY_PASS, "", "", NULL},
	{"r", M "<received xmlns='urn:xmpp:receipts' id='x'/><store xmlns='urn:xmpp:hints'/>" END, POLICY_PASS,
		"", "", NULL},
	{"r", M "<active xmlns='http://jabber.org/protocol/chatstates'/><x xmlns='urn:x'/>" END, POLICY_REFUSED,
		"labels.missing", "", NULL},
	{"d", M BODY END, POLICY_REWRITTEN, "labels.default", "the default label was put on",
		M BODY L(MARKING(GREEN, "DEMO OPEN"), OPEN_ESS) END},
	{"d", M BODY L("", "") END, POLICY_REWRITTEN, "labels.default", "the default label was put on",
		M BODY L(MARKING(GREEN, "DEMO OPEN"), OPEN_ESS) END},
	{"d", M "<subject>x</subject>" END, POLICY_PASS, "", "", NULL},
	{"d", M BODY RESTRICTED END, POLICY_PASS, "", "", NULL},
	{"f", M "<subject>x</subject>" END, POLICY_PASS, "", "", NULL},
	{"i", M BODY L("", "rubbish") END, POLICY_PASS, "", "", NULL},

	/* what is no label */
	{"r", M BODY OPEN OPEN END, POLICY_REFUSED, "labels.twice", "", NULL},
	{"r", M BODY L("", "<x xmlns='urn:x'/>") END, POLICY_REFUSED, "labels.form", "", NULL},
	{"r", M BODY L("", OPEN_ESS OPEN_ESS) END, POLICY_REFUSED, "labels.malformed", "", NULL},
	{"r", M BODY L("<x xmlns='urn:x'/>", OPEN_ESS) END, POLICY_REFUSED, "labels.malformed", "", NULL},
	{"r", M BODY "<securitylabel xmlns='urn:xmpp:sec-label:0'/>" END, POLICY_REFUSED, "labels.malformed", "", NULL},
	{"r", M BODY L("", ESS("MQgCAQEGA2kBAQ")) END, POLICY_REFUSED, "labels.malformed", "", NULL},
	{"r", M BODY L("", ESS("MQYCAQQGASk=")) END, POLICY_REFUSED, "labels.no-mapping", "", NULL},
	{"r", M BODY L("", DEMO("9", "")) END, POLICY_REFUSED, "labels.classification", "", NULL},
	{"r", M BODY L("", LS("2.25.1.1", "1", "<tag id='2.25.1.1.1' lacv='5' type='restrictive'/>")) END, POLICY_REFUSED,
		"labels.category", "", NULL},
	{"r", "<presence from='u@a.example/r' to='v@b.example'>" OPEN "</presence>", POLICY_REFUSED,
		"labels.in-presence", "", NULL},
	{"r", "<message from='u@a.example/r' id='1' to='v@b.example' type='error'>" OPEN "<error type='cancel'><gone "
		"xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>", POLICY_DROPPED,
			"labels.in-error", "", NULL},
	{"r", "<message from='u@a.example/r' id='1' to='v@b.example' type='error'><error type='cancel'><gone "
		"xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>", POLICY_PASS, "", "", NULL},

	/* users */
	{"r", "<message from='low@a.example/r' id='1' to='v@b.example' type='chat'>" BODY OPEN END, POLICY_PASS,
		"", "", NULL},
	{"r", "<message from='low@a.example/r' id='1' to='v@b.example' type='chat'>" BODY RESTRICTED END, POLICY_REFUSED,
		"labels.class-not-cleared", "", NULL},

	/* markings */
	{"r", M BODY L(MARKING(GREEN, "DEMO OPEN"), DEMO("2", XBB)) END, POLICY_REWRITTEN, "labels.marking",
		"the display marking was made from the label", M BODY RESTRICTED END},
	{"r", M BODY L(MARKING(ORANGE, " DEMO  RESTRICTED REL TO\nXBB "), DEMO("2", XBB)) END, POLICY_PASS, "", "",
		M BODY RESTRICTED END},
	{"f", M BODY L(MARKING(ORANGE, "DEMO OPEN"), DEMO("2", XBB)) END, POLICY_REFUSED, "labels.marking", "", NULL},
	{"f", M BODY RESTRICTED END, POLICY_PASS, "", "", NULL},
	{"f", M BODY L("", OPEN_ESS) END, POLICY_REWRITTEN, "labels.marking", "the display marking was made from the label",
		M BODY L(MARKING(GREEN, "DEMO OPEN"), OPEN_ESS) END},
	{"l", M BODY "<html xmlns='http://jabber.org/protocol/xhtml-im'><body "
		"xmlns='http://www.w3.org/1999/xhtml'>x</body></html>" RESTRICTED END,
		POLICY_REWRITTEN, "labels.first-line", "the marking is the first line",
		M "<body>DEMO RESTRICTED REL TO XBB\nhello</body>" RESTRICTED END},

	{"l", M "<body>DEMO RESTRICTED REL TO XBB\nhello</body>" RESTRICTED END, POLICY_PASS, "", "", NULL},
	{"k", M BODY "<securitylabel xmlns='urn:xmpp:sec-label:0'>" MARKING(GREEN, "DEMO OPEN") "<label>" OPEN_ESS "</label>"
		"<equivalentlabel>" WHITE_ESS "</equivalentlabel></securitylabel>" END, POLICY_PASS, "", "", NULL},

	/* inside */
#define FORWARDED(label) "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='w@a.example' " \
	"type='chat'>" \
	"<body>x</body>" label "</message></forwarded>"
	{"r", M BODY RESTRICTED FORWARDED(OPEN) END, POLICY_PASS, "", "", NULL},
	{"r", M BODY OPEN FORWARDED(RESTRICTED) END, POLICY_REFUSED, "labels.inside", "", NULL},
	{"r", M BODY OPEN FORWARDED("") END, POLICY_PASS, "", "", NULL},
	{"r", M BODY RESTRICTED FORWARDED(L("", DEMO("2", BRAVO XBB))) END, POLICY_REFUSED, "labels.restrictive", "", NULL},
	{"r", M FORWARDED(RESTRICTED) END, POLICY_PASS, "", "", NULL},
	{"r", M FORWARDED(L("", DEMO("2", XAA))) END, POLICY_REFUSED, "labels.permissive", "", NULL},
	{"r", M FORWARDED("") END, POLICY_REFUSED, "labels.missing", "", NULL},
	{"r", "<iq from='u@a.example/r' id='1' to='v@b.example' type='result'><pubsub "
		"xmlns='http://jabber.org/protocol/pubsub'>"
		"<items node='n'><item>" L("", DEMO("2", XAA)) "</item></items></pubsub></iq>", POLICY_REFUSED,
			"labels.permissive", "", NULL},

	/* equivalents */
	{"r", M BODY "<securitylabel xmlns='urn:xmpp:sec-label:0'>" MARKING(GREEN, "DEMO OPEN") "<label>"
		OPEN_ESS "</label>"
		"<equivalentlabel>" WHITE_ESS "</equivalentlabel></securitylabel>" END, POLICY_PASS, "", "", NULL},
	{"r", M BODY "<securitylabel xmlns='urn:xmpp:sec-label:0'>" MARKING(GREEN, "DEMO OPEN") "<label>"
		OPEN_ESS "</label>"
		"<equivalentlabel>" ESS("MQgCARQGA2kBAg==") "</equivalentlabel></securitylabel>" END, POLICY_REWRITTEN,
		"labels.equivalent", "1 equivalent not proven", M BODY L(MARKING(GREEN, "DEMO OPEN"), OPEN_ESS) END},

	/* mapping */
	{"k", M BODY L(MARKING(GREEN, "DEMO OPEN"), OPEN_ESS) END, POLICY_REWRITTEN, "labels.mapped",
		"the label was mapped to the other policy",
		M BODY "<securitylabel xmlns='urn:xmpp:sec-label:0'>" MARKING(GREEN, "DEMO OPEN") "<label>"
			OPEN_ESS "</label>"
		"<equivalentlabel>" WHITE_ESS "</equivalentlabel></securitylabel>" END},
	{"s", M BODY L(MARKING(GREEN, "DEMO OPEN"), OPEN_ESS) END, POLICY_REWRITTEN, "labels.mapped",
		"the label was mapped to the other policy",
		M BODY "<securitylabel xmlns='urn:xmpp:sec-label:0'>" MARKING("bgcolor='white' fgcolor='black'",
			"PARTNER WHITE") "<label>"
		WHITE_ESS "</label><equivalentlabel>" OPEN_ESS "</equivalentlabel></securitylabel>" END},
	{"o", M BODY L(MARKING(GREEN, "DEMO OPEN"), OPEN_ESS) END, POLICY_REWRITTEN, "labels.mapped",
		"the label was mapped to the other policy",
		M BODY L(MARKING("bgcolor='white' fgcolor='black'", "PARTNER WHITE"), WHITE_ESS) END},
	{"k", M BODY RESTRICTED END, POLICY_REFUSED, "labels.no-mapping", "", NULL},
	{"K", M BODY L("", WHITE_ESS) END, POLICY_REWRITTEN, "labels.marking",
		"the display marking was made from the label; the label was mapped to the other policy",
		M BODY "<securitylabel xmlns='urn:xmpp:sec-label:0'>" MARKING("bgcolor='white' fgcolor='black'",
			"PARTNER WHITE") "<label>"
		WHITE_ESS "</label><equivalentlabel>" OPEN_ESS "</equivalentlabel></securitylabel>" END},
	{"O", M BODY L("", WHITE_ESS) END, POLICY_REWRITTEN, "labels.marking",
		"the display marking was made from the label; the label was mapped to the other policy",
		M BODY L(MARKING(GREEN, "DEMO OPEN"), OPEN_ESS) END},
	{"K", M BODY L("", ESS("MQgCARQGA2kBAg==")) END, POLICY_REFUSED, "labels.no-mapping", "", NULL},

	/* catalogues */
#define CATALOG(items) "<iq from='u@a.example/r' id='1' to='v@b.example' type='result'><catalog " \
	"xmlns='urn:xmpp:sec-label:catalog:2' " \
	"name='n' size='2' to='b.example'>" items "</catalog></iq>"
	{"r", CATALOG("<item selector='a'>" OPEN "</item>"), POLICY_REFUSED, "labels.catalog", "", NULL},
	{"r", "<iq from='u@a.example/r' id='1' to='v@b.example' type='get'><catalog "
		"xmlns='urn:xmpp:sec-label:catalog:2' to='b.example'/></iq>",
		POLICY_REFUSED, "labels.catalog", "", NULL},
	{"l", CATALOG("<item selector='a'>" OPEN "</item><item selector='b'>" L("", DEMO("2",
		XAA)) "</item><item/>"), POLICY_REWRITTEN,
		"labels.catalog", "2 items taken out", CATALOG("<item selector='a'>" OPEN "</item>")},
	{"l", CATALOG("<item selector='a'>" OPEN "</item>"), POLICY_PASS, "", "", NULL},
};

/* The peer's name in the place of b.example, and the addresses turned round where the stanza is to come in. */
static char *addressed(const struct row *row)
{
	static const char letters[] = "rdksofli";
	bool inbound = *row->to < 'a';
	const char *peer = peers[strchr(letters, *row->to | 0x20) - letters], *rest = row->stanza;
	char *text = calloc(1, strlen(row->stanza) + 200), *end = text;

	for (const char *found; (found = strstr(rest, "b.example")); rest = found + strlen("b.example")) {
		memcpy(end, rest, (size_t)(found - rest));
		end = stpcpy(end + (found - rest), peer);
	}
	memcpy(end, rest, strlen(rest) + 1);
	if (inbound) {
		char from[100], *at = strstr(text, "u@a.example/r");

		snprintf(from, sizeof(from), "v@%s", peer);
		memmove(at + strlen(from), at + strlen("u@a.example/r"), strlen(at + strlen("u@a.example/r")) + 1);
		memcpy(at, from, strlen(from));
		at = strstr(at + strlen(from), from);
		memmove(at + strlen("u@a.example/r"), at + strlen(from), strlen(at + strlen(from)) + 1);
		memcpy(at, "u@a.example/r", strlen("u@a.example/r"));
	}
	return text;
}

static void stanzas(void **state)
{
	struct files files;
	struct policy_fault fault = {0};
	struct policy *policy;
	(void)state;

	read_files(&files);
	policy = policy_of(&files, &fault);
	assert_string_equal(fault.text, "");
	assert_non_null(policy);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *text = addressed(&rows[i]), *wanted;
		struct row sent = rows[i];
		struct stanza stanza = stanza_of(text);
		const struct policy_pair pair = {*rows[i].to < 'a' ? peers[strchr("rdksofli", *rows[i].to |
			0x20) - "rdksofli"] : "a.example",
			*rows[i].to < 'a' ? "a.example" : peers[strchr("rdksofli", *rows[i].to) - "rdksofli"]};
		const struct policy_context context = {.direction = *rows[i].to < 'a' ?
			POLICY_INBOUND : POLICY_OUTBOUND, .pairs = &pair,
			.pair_count = 1, .now = NOW};
		struct policy_verdict verdict;
		struct buf out;

		assert_non_null(stanza.root);
		sent.stanza = rows[i].text ? rows[i].text : rows[i].stanza;
		wanted = addressed(&sent);
		policy_check(policy, &context, &stanza, &verdict);
		if (verdict.action != rows[i].action || strcmp(verdict.rule, rows[i].rule))
			print_error("%s\n%s %s: %s\n", text, policy_action_name(verdict.action), verdict.rule,
				verdict.reason);
		assert_int_equal(verdict.action, rows[i].action);
		assert_string_equal(verdict.rule, rows[i].rule);
		assert_string_equal(verdict.changed, rows[i].changed);
		if (verdict.action <= POLICY_REWRITTEN) {
			buf_init(&out, 1 << 20);
			assert_int_equal(xml_write_node(&out, stanza.root), 0);
			assert_int_equal(buf_put(&out, "", 1), 0);
			assert_string_equal(buf_head(&out), wanted);
			buf_fini(&out);
		} else {
			assert_true(*verdict.reason);
		}
		arena_free(stanza.arena);
		free(text);
		free(wanted);
	}
	policy_free(policy);
	free_files(&files);
}

/* The sender is told, without label, content or classification. */
static void refusals(void **state)
{
	struct files files;
	struct policy *policy;
	const struct policy_pair pair = {"a.example", "required.example"};
	const struct policy_context context = {.direction = POLICY_OUTBOUND, .pairs = &pair, .pair_count = 1};
	struct stanza stanza = stanza_of("<message from='u@a.example/r' id='1' to='v@required.example' type='chat'>" BODY
		L("", DEMO("2", XAA)) END);
	struct policy_verdict verdict;
	struct buf out;
	(void)state;

	read_files(&files);
	policy = policy_of(&files, NULL);
	policy_check(policy, &context, &stanza, &verdict);
	buf_init(&out, 1 << 20);
	assert_int_equal(xml_write_node(&out, policy_refusal(&stanza, &verdict)), 0);
	assert_int_equal(buf_put(&out, "", 1), 0);
	assert_string_equal(buf_head(&out), "<message from='v@required.example' id='1' to='u@a.example/r' "
		"type='error'><error type='auth'>"
		"<forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text "
			"xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>not allowed by "
		"policy: labels.permissive</text></error></message>");
	buf_fini(&out);
	arena_free(stanza.arena);
	policy_free(policy);
	free_files(&files);
}

/* Each costs time; what nobody needs is not read. */
static void too_many(void **state)
{
	struct files files;
	struct policy *policy;
	const struct policy_pair pair = {"a.example", "required.example"};
	const struct policy_context context = {.direction = POLICY_OUTBOUND, .pairs = &pair, .pair_count = 1};
	struct policy_verdict verdict;
	char *text = calloc(1, 400000), *end;
	struct stanza stanza;
	(void)state;

	end = stpcpy(text, "<message from='u@a.example/r' to='v@required.example' id='1'><x xmlns='urn:x'>");
	for (unsigned i = 0; i < 1001; i++)
		end = stpcpy(end, L("", OPEN_ESS));
	stpcpy(end, "</x>" OPEN END);
	stanza = stanza_of(text);
	read_files(&files);
	policy = policy_of(&files, NULL);
	policy_check(policy, &context, &stanza, &verdict);
	assert_string_equal(verdict.rule, "labels.malformed");
	assert_non_null(strstr(verdict.reason, "too many"));
	arena_free(stanza.arena);
	policy_free(policy);
	free_files(&files);
	free(text);
}

static void faults(void **state)
{
	static const struct {
		struct policy_label_rules labels;
		const char *fault;
	} bad[] = {
		{{.labels = POLICY_LABELS_REQUIRED}, "nothing says which may cross"},
		{{.labels = POLICY_LABELS_IGNORED, .map_to = "PARTNER"}, "labels: ignored, but there are keys for them"},
		{{.labels = POLICY_LABELS_REQUIRED, .clearance = {"x.xml", "<x/>"}}, "x.xml is no clearance"},
		{{.labels = POLICY_LABELS_REQUIRED, .clearance = {"x.xml", "MAQGAioD"}},
			"policy 1.2.3 is not among [labels] policies"},
		{{.labels = POLICY_LABELS_DEFAULT, .clearance = {"c", "MAkGA2kBAQMCBWA="}}, "default, but there is none"},
		{{.labels = POLICY_LABELS_DEFAULT, .clearance = {"c", "MAkGA2kBAQMCBWA="}, .default_label = {"d",
			"x"}}, "d is no label"},
		{{.labels = POLICY_LABELS_DEFAULT, .clearance = {"c", "MAkGA2kBAQMCBWA="}, .default_label = {"d",
			"MQgCAQIGA2kBAQ=="}},
			"d is not valid: RESTRICTED requires at least one"},
		{{.labels = POLICY_LABELS_DEFAULT, .clearance = {"c", "MAkGA2kBAQMCBSA="}, .default_label = {"d",
			"MQgCAQEGA2kBAQ=="}},
			"d may not cross"},
		{{.labels = POLICY_LABELS_REQUIRED, .clearance = {"c", "MAkGA2kBAQMCBWA="}, .map_to = "NOBODY"},
			"no policy has the name \"NOBODY\""},
	};
	struct files files;
	(void)state;

	read_files(&files);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const struct policy_document policy = {"demo.spif.xml", files.demo};
		const struct policy_profile_rules profile = {.name = "p", .line = 5,
			.labels = {[POLICY_INBOUND] = bad[i].labels}};
		struct policy_fault fault = {0};

		assert_null(policy_new(&(struct policy_rules){.domains = ours, .profiles = &profile,
			.profile_count = 1, .fault = &fault,
			.labels = {.policies = &policy, .policy_count = 1}}));
		if (!strstr(fault.text, bad[i].fault))
			print_error("%s\n", fault.text);
		assert_non_null(strstr(fault.text, bad[i].fault));
		assert_int_equal(fault.line, 5);
	}
	free_files(&files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stanzas),
		cmocka_unit_test(refusals),
		cmocka_unit_test(too_many),
		cmocka_unit_test(faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
