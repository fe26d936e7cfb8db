/*
 * What security labels cost, in microseconds of CPU, under a policy of COUNT categories:
 *
 *     label_cost WHAT COUNT
 *
 * WHAT is load (of the policy), decision (is a label valid and granted, its numbers being read), read (of an ESS label),
 * parse (of a message of 300 bytes with that label), or judge: parse, and policy_check() with all that is done of labels.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/label/decide.h"
#include "policy/label/label_form.h"
#include "policy/policy.h"
#include "tests/bench/stream.h"
#include "tests/unit/xml_harness.h"

enum { ROUNDS = 5, ROUND_NS = 60000000, TAG_SETS = 10 };

static double cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* --- A policy as large as is asked for: ten tag sets, each value with rules --- */

static char *policy_text(unsigned count)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	if (!out)
		err(1, "memory");
	fputs("<SPIF xmlns='http://www.xmlspif.org/spif' schemaVersion='2.1'><securityPolicyId name='BIG' id='2.25.9'/>"
	      "<securityClassifications><securityClassification name='LOW' lacv='1' hierarchy='1'/><securityClassification "
	      "name='HIGH' lacv='2' hierarchy='2' color='red'/></securityClassifications><securityCategoryTagSets>", out);
	for (unsigned set = 0; set < TAG_SETS; set++) {
		fprintf(out, "<securityCategoryTagSet name='T%u' id='2.25.9.%u'><securityCategoryTag name='T%u' "
			"tagType='enumerated' enumType='%s'>", set, set, set, set % 2 ? "permissive" : "restrictive");
		for (unsigned i = 0; i < count / TAG_SETS; i++)
			fprintf(out, "<tagCategory name='V%u' lacv='%06u'><excludedClass>LOW</excludedClass><requiredCategory "
				"operation='oneOrMore'><categoryGroup tagSetRef='T1' tagType='enumerated' enumType='permissive' "
				"all='true'/></requiredCategory><excludedCategory tagSetRef='T9' tagType='enumerated' "
				"enumType='permissive' lacv='%u'/></tagCategory>", i, i, i);
		fputs("</securityCategoryTag></securityCategoryTagSet>", out);
	}
	fputs("</securityCategoryTagSets></SPIF>", out);
	fclose(out);
	return text;
}

static char label_text[] = "<label xmlns='http://surevine.com/xmlns/spiffy'><policy id='2.25.9'/><classification lacv='2'/>"
	"<tag type='enumeratedRestrictive' id='2.25.9.0' lacv='7'/><tag type='enumeratedPermissive' id='2.25.9.1' lacv='5'/>"
	"<tag type='enumeratedPermissive' id='2.25.9.1' lacv='8'/></label>";
static char clearance_text[] = "<clearance xmlns='http://surevine.com/xmlns/spiffy'><policy id='2.25.9'/><classification "
	"lacv='2'/><tag type='enumeratedRestrictive' id='2.25.9.0' lacv='7'/><tag type='enumeratedPermissive' id='2.25.9.1' "
	"lacv='8'/></clearance>";

/* --- Measuring --- */

struct work {
	char *text;                    /* of the policy */
	struct spif *spif;
	struct label label;
	struct known_clearance *clearance;
	struct node *ess;
	struct policy *policy;
	char *message;
};

static void tell(void *owner, int line, bool is_error, const char *text)
{
	(void)owner;
	if (is_error)
		errx(1, "%d: %s", line, text);
}

static struct spif *load(const char *text)
{
	const struct spif_report report = {tell, NULL};
	return spif_read(text, strlen(text), &report);
}

static void do_load(struct work *work)
{
	spif_free(load(work->text));
}

static void do_decision(struct work *work)
{
	const struct label_terms terms = {.now = 1800000000};
	struct label_reason why;
	struct known_label known;
	if (!label_known(work->spif, &work->label, &known, &why) || !label_is_valid(&known, NULL, &terms, &why) ||
		!label_is_granted(&known, work->clearance, &why))
		errx(1, "the label does not pass: %s", why.text);
}

static void do_read(struct work *work)
{
	struct spif *const list[] = {work->spif};
	const struct spif_set set = {list, 1};
	struct label_reader reader = {.set = &set, .arena = arena_new(1 << 20)};
	struct label label;
	if (label_read_element(&reader, work->ess, &label))
		errx(1, "the label cannot be read: %s", reader.why);
	arena_free(reader.arena);
}

static void do_parse(struct work *work)
{
	struct stanza stanza = stanza_of(work->message);
	arena_free(stanza.arena);
}

static void do_judge(struct work *work)
{
	static const struct policy_pair pair = {"a.example", "b.example"};
	const struct policy_context context = {.direction = POLICY_OUTBOUND, .pairs = &pair, .pair_count = 1,
		.now = 1800000000};
	struct stanza stanza = stanza_of(work->message);
	struct policy_verdict verdict;
	policy_check(work->policy, &context, &stanza, &verdict);
	if (verdict.action > POLICY_REWRITTEN)
		errx(1, "the message does not pass: %s %s", verdict.rule, verdict.reason);
	arena_free(stanza.arena);
}

static double cost_us(struct work *work, void (*step)(struct work *work))
{
	double best = 0;
	for (unsigned round = 0; round < ROUNDS; round++) {
		double begin = cpu_ns(), end = begin;
		unsigned long count = 0;
		for (; end - begin < ROUND_NS; end = cpu_ns(), count++)
			step(work);
		if (!round || (end - begin) / (double)count < best)
			best = (end - begin) / (double)count;
	}
	return best / 1000;
}

/* --- All that is looked at --- */

static void make_label(struct work *work, struct arena *arena)
{
	struct spif *const list[] = {work->spif};
	const struct spif_set set = {list, 1};
	struct label_reader reader = {.set = &set, .arena = arena};
	struct clearance clearance;
	struct label_reason why;
	if (label_read_bytes(&reader, label_text, strlen(label_text), &work->label) ||
		clearance_read_bytes(&reader, clearance_text, strlen(clearance_text), &clearance) ||
		label_ess_element(arena, &work->label, &work->ess))
		errx(1, "label or clearance: %s", reader.why);
	work->clearance = clearance_known(work->spif, &clearance, &why);
	if (!work->clearance)
		errx(1, "clearance: %s", why.text);
}

static void make_message(struct work *work, bool labelled)
{
	char plain[STREAM_MESSAGE_BYTES + 1];
	const char *end;
	stream_message("a.example", "b.example", plain);
	end = strstr(plain, "</message>");
	if (!end || asprintf(&work->message, "%.*s<securitylabel xmlns='urn:xmpp:sec-label:0'><displaymarking bgcolor='red' "
		"fgcolor='white'>BIG HIGH V7 V5 V8</displaymarking><label><esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>%s"
		"</esssecuritylabel></label></securitylabel></message>", (int)(end - plain), plain, work->ess->first->text) < 0)
		err(1, "message");
	if (!labelled)
		work->message = strdup(plain);
}

static void make_policy(struct work *work, bool labelled)
{
	static const char *const ours[] = {"a.example", NULL};
	const struct policy_document spif = {"big.spif.xml", work->text};
	struct policy_profile_rules profile = {.name = "default"};
	struct policy_fault fault = {0};
	if (labelled)
		profile.labels[POLICY_OUTBOUND] = (struct policy_label_rules){.labels = POLICY_LABELS_REQUIRED,
			.clearance = {"clearance.xml", clearance_text}};
	work->policy = policy_new(&(struct policy_rules){.domains = ours, .profiles = &profile, .profile_count = 1,
		.peers = &(struct policy_peer_rules){.domain = "b.example"}, .peer_count = 1, .fault = &fault,
		.labels = {.policies = &spif, .policy_count = 1}});
	if (!work->policy)
		errx(1, "policy: %s", fault.text);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*step)(struct work *work);
	} steps[] = {{"load", do_load}, {"decision", do_decision}, {"read", do_read}, {"parse", do_parse}, {"judge", do_judge},
		{"unlabelled", do_judge}};
	struct arena *arena = arena_new(1 << 20);
	struct work work = {0};
	if (argc != 3)
		errx(2, "usage: label_cost WHAT COUNT");
	work.text = policy_text((unsigned)strtoul(argv[2], NULL, 10));
	work.spif = load(work.text);
	make_label(&work, arena);
	make_message(&work, strcmp(argv[1], "unlabelled"));
	make_policy(&work, strcmp(argv[1], "unlabelled"));
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (!strcmp(steps[i].name, argv[1])) {
			printf("%.3f\n", cost_us(&work, steps[i].step));
			return 0;
		}
	errx(2, "%s: unknown", argv[1]);
}
