#include <stdlib.h>
#include <string.h>

#include "tests/unit/policy_harness.h"

static const char *const ours[] = {"a.example", "conference.a.example", NULL};
static const char *const words_out[] = {"secret", "top priority", NULL};
static const char *const words_in[] = {"virus", NULL};

static const char *const some[] = {"basic", "-headline", "carbons", "mam", "encryption", NULL};
static const char *const stripped[] = {"{urn:xmpp:hints}", "{http://jabber.org/protocol/chatstates}active", NULL};
static const char *const images[] = {"image/*", "application/pdf", "text/plain", NULL};

static const char *const patterns[] = {"\\bproject[ -]?\\d{2}\\b", "(?<!\\w)4711(?!\\w)", "(x+)+y$", NULL};
static const char *const schemes[] = {"https", "XMPP", NULL}, *const hosts[] = {"*.a.example", "b.example", NULL};
static const char *const bad_hosts[] = {"bad.example", "*.bad.example", NULL};
static const char *const latin[] = {"Latin", "Greek", NULL}, *const english[] = {"en", "de-CH", NULL};

/* A label is needed to go out, and mapped; one is put on what comes in. */
static const char spif[] = "<SPIF xmlns='http://www.xmlspif.org/spif' schemaVersion='2.1'><securityPolicyId name='OURS' "
	"id='1.2'/><securityClassifications><securityClassification name='LOW' lacv='1' "
		"hierarchy='1'><equivalentClassification "
	"policyRef='THEIRS' lacv='9' applied='both'/></securityClassification><securityClassification name='HIGH' lacv='2' "
	"hierarchy='2'/></securityClassifications><securityCategoryTagSets><securityCategoryTagSet name='R' id='1.2.1'>"
	"<securityCategoryTag name='R' tagType='restrictive'><tagCategory name='A' lacv='0'/></securityCategoryTag>"
	"<securityCategoryTag name='P' tagType='permissive'><tagCategory name='B' lacv='1'><equivalentSecCategoryTag "
	"policyRef='THEIRS' applied='both' action='discard'/></tagCategory><tagCategory name='C' "
		"lacv='2'/></securityCategoryTag>"
	"</securityCategoryTagSet></securityCategoryTagSets><equivalentPolicies><equivalentPolicy name='THEIRS' id='1.3'/>"
	"</equivalentPolicies></SPIF>";
static const struct policy_document spifs[] = {{"ours.spif.xml", spif}};
#define CLEARANCE {"cleared.xml", "<clearance xmlns='http://surevine.com/xmlns/spiffy'><policy id='1.2'/><classification " \
	"lacv='1'/><tag type='permissive' id='1.2.1' lacv='1'/></clearance>"}
#define LOW {"low.xml", "<label xmlns='http://surevine.com/xmlns/spiffy'><policy id='1.2'/><classification " \
	"lacv='1'/></label>"}

static const struct policy_profile_rules profiles[] = {
	{.name = "full", .presence = {POLICY_PRESENCE_FULL, POLICY_PRESENCE_FULL}, .forbidden = {words_out, words_in},
		.binaries = {{POLICY_BINARIES_SCAN, 4096, images}, {POLICY_BINARIES_PASS, 64, NULL}}},
	{.name = "show", .presence = {POLICY_PRESENCE_SHOW, POLICY_PRESENCE_SHOW}, .forbidden = {words_out, words_in}},
	{.name = "online", .presence = {POLICY_PRESENCE_ONLINE, POLICY_PRESENCE_FULL}},
	{.name = "none", .presence = {POLICY_PRESENCE_NONE, POLICY_PRESENCE_FULL}},
	{.name = "text", .presence = {POLICY_PRESENCE_FULL, POLICY_PRESENCE_FULL},
		.content = {{.patterns = patterns, .max_body = 64, .url_schemes = schemes, .url_hosts = hosts,
			.scripts = latin,
				.languages = english}, {.forbidden_hosts = bad_hosts}}},
	{.name = "redact", .presence = {POLICY_PRESENCE_FULL, POLICY_PRESENCE_FULL}, .forbidden = {words_out, words_in},
		.content = {{.patterns = patterns, .redacts = true}, {.redacts = true}}},
	{.name = "some", .presence = {POLICY_PRESENCE_FULL, POLICY_PRESENCE_FULL},
		.features = {{.names = some, .unknown = POLICY_UNKNOWN_STRIP},
			{.names = some, .unknown = POLICY_UNKNOWN_REFUSE, .requires_encryption = true}}},
	{.name = "folded", .presence = {POLICY_PRESENCE_FULL, POLICY_PRESENCE_FULL},
		.messages = {{.fates = {[POLICY_MESSAGE_NORMAL] = POLICY_MESSAGE_TO_CHAT}, .strip = stripped},
			{.strip = stripped}}},
	{.name = "labelled", .presence = {POLICY_PRESENCE_FULL, POLICY_PRESENCE_FULL},
		.labels = {{.labels = POLICY_LABELS_REQUIRED, .clearance = CLEARANCE, .default_label = LOW,
			.map_to = "THEIRS"},
			{.labels = POLICY_LABELS_DEFAULT, .clearance = CLEARANCE, .default_label = LOW, .map_to = "OURS",
				.original = POLICY_ORIGINAL_SWAP, .marks_first_line = true, .filters_catalogs = true}}},
};

static const struct policy_peer_rules peers[] = {
	{.domain = "b.example", .profile = 0},
	{.domain = "full.example", .profile = 0},
	{.domain = "*.wild.example", .profile = 0},
	{.domain = "show.example", .profile = 1},
	{.domain = "Online.Example", .profile = 2},
	{.domain = "none.example", .profile = 3},
	{.domain = "none.wild.example", .profile = 3},
	{.domain = "*.deep.wild.example", .profile = 2},
	{.domain = "some.example", .profile = 6},
	{.domain = "text.example", .profile = 4},
	{.domain = "redact.example", .profile = 5},
	{.domain = "folded.example", .profile = 7},
	{.domain = "labelled.example", .profile = 8},
};

static struct policy *policy_of(const struct policy_profile_rules *of, size_t count)
{
	struct policy_peer_rules own[sizeof(peers) / sizeof(*peers)];
	struct policy *policy;

	memcpy(own, peers, sizeof(peers));
	for (size_t i = 0; i < sizeof(peers) / sizeof(*peers); i++)
		own[i].profile = own[i].profile < count ? own[i].profile : 0;
	policy = policy_new(&(struct policy_rules){.domains = ours, .profiles = of, .profile_count = (unsigned)count,
		.peers = own, .peer_count = sizeof(peers) / sizeof(*peers), .labels = {.policies = spifs,
			.policy_count = 1}});
	if (!policy)
		abort();
	return policy;
}

struct policy *test_policy(void)
{
	return policy_of(profiles, sizeof(profiles) / sizeof(*profiles));
}

struct policy *test_policy_open(void)
{
	static const struct policy_profile_rules all = {.name = "all", .presence = {POLICY_PRESENCE_FULL,
		POLICY_PRESENCE_FULL},
		.binaries = {{POLICY_BINARIES_PASS, 16 << 20, NULL}, {POLICY_BINARIES_PASS, 16 << 20, NULL}}};

	return policy_of(&all, 1);
}

#define BOTH(a, b) {a, b}, {b, a}
const struct policy_pair test_pairs[] = {
	BOTH("a.example", "b.example"),
	BOTH("a.example", "full.example"),
	BOTH("a.example", "show.example"),
	BOTH("a.example", "online.example"),
	BOTH("a.example", "none.example"),
	BOTH("a.example", "x.wild.example"),
	BOTH("a.example", "some.example"),
	BOTH("a.example", "text.example"),
	BOTH("a.example", "redact.example"),
	BOTH("a.example", "folded.example"),
	BOTH("a.example", "labelled.example"),
	BOTH("a.example", "none.wild.example"),
	BOTH("a.example", "x.deep.wild.example"),
	BOTH("a.example", "wild.example"),
	BOTH("a.example", "unknown.example"),
	BOTH("unknown.example", "b.example"),
	BOTH("conference.a.example", "b.example"),
	BOTH("conference.a.example", "a.example"),
};
const unsigned test_pair_count = sizeof(test_pairs) / sizeof(*test_pairs);
