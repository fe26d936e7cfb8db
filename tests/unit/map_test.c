/* Labels of one policy as those of another, and what people are shown of them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/label/map.h"
#include "policy/label/marking.h"
#include "tests/unit/label_harness.h"

struct row {
	const char *from, *label, *to;
	enum spif_applied applied;
	const char *mapped;            /* NULL: there is no mapping */
	const char *rule;
};

static void check(struct spif *const *policies, unsigned count, const struct row *rows, size_t row_count, bool strict)
{
	const struct spif_set set = {policies, count};

	for (size_t i = 0; i < row_count; i++) {
		struct arena *arena = arena_new(1 << 20);
		const struct label_mapping mapping = {.policies = &set, .to = rows[i].to, .applied = rows[i].applied,
			.refuses_ambiguous = strict, .terms = {.now = INT64_MIN, .is_ours = true}};
		const struct label label = label_of(arena, rows[i].from, rows[i].label);
		struct label_reason why = {.rule = ""};
		struct label mapped, expected;
		int err = label_map(&mapping, arena, &label, &mapped, &why);

		if (err != (rows[i].mapped ? 0 : -EINVAL) || (err && strcmp(why.rule, rows[i].rule)))
			print_error("%s to %s: %s %s\n", rows[i].label, rows[i].to, why.rule, why.text);
		assert_int_equal(err, rows[i].mapped ? 0 : -EINVAL);
		assert_string_equal(err ? why.rule : "", err ? rows[i].rule : "");
		if (rows[i].mapped) {
			expected = label_of(arena, rows[i].to, rows[i].mapped);
			assert_true(label_equal(&mapped, &expected));
		}
		arena_free(arena);
	}
}

#define DEMO "2.25.1.1"
#define PARTNER "2.25.1.2"
#define REL "2.25.1.1.2.ep."
#define NO "labels.no-mapping"

static const struct row appendix[] = {
	{DEMO, "1", PARTNER, SPIF_ENCRYPT, "10", NULL},
	{DEMO, "2", PARTNER, SPIF_ENCRYPT, "20", NULL},
	{DEMO, "2 " REL "36", PARTNER, SPIF_ENCRYPT, NULL, NO},
	{DEMO, "1 2.25.1.1.3.i.1", PARTNER, SPIF_ENCRYPT, "10", NULL},
	{DEMO, "1 2.25.1.1.1.r.0", PARTNER, SPIF_ENCRYPT, "10 2.25.1.2.1.r.7", NULL},
	{DEMO, "1 2.25.1.1.1.r.1", PARTNER, SPIF_ENCRYPT, NULL, NO},
	{PARTNER, "10", DEMO, SPIF_DECRYPT, "1", NULL},
	{PARTNER, "20", DEMO, SPIF_DECRYPT, NULL, NO},
	{PARTNER, "15", DEMO, SPIF_DECRYPT, NULL, NO},
	{PARTNER, "10 2.25.1.2.9.i.0", DEMO, SPIF_DECRYPT, NULL, NO},
	{"1.2.3", "10", DEMO, SPIF_DECRYPT, NULL, NO},
	{DEMO, "1", "1.2.3", SPIF_ENCRYPT, NULL, NO},
	{DEMO, "9", PARTNER, SPIF_ENCRYPT, NULL, "labels.classification"},
	{PARTNER, "10 2.25.1.2.1.r.7", DEMO, SPIF_DECRYPT, NULL, "labels.excluded-class"}, /* ALPHA is not with OPEN */
};

/* Whether or not the other policy is at hand. */
static void appendix_a(void **state)
{
	struct spif *policies[] = {spif_of_file("demo.spif.xml"), spif_of_file("partner.spif.xml")};
	(void)state;

	check(policies, 1, appendix, sizeof(appendix) / sizeof(*appendix), false);
	check(policies, 2, appendix, sizeof(appendix) / sizeof(*appendix), false);
	spif_free(policies[0]);
	spif_free(policies[1]);
}

#define SPIF(name, id, body) \
	"<SPIF xmlns='http://www.xmlspif.org/spif' schemaVersion='2.1'><securityPolicyId name='" name "' id='" \
		id "'/>" body "</SPIF>"
#define CLASS(name, lacv, more) "<securityClassification name='" name "' lacv='" lacv "' hierarchy='" lacv "'>" \
	more "</securityClassification>"
#define IS(lacv, applied) "<equivalentClassification policyRef='B' lacv='" lacv "' applied='" applied "'/>"
#define ADD(operation, groups) "<requiredCategory operation='" operation "'>" groups "</requiredCategory>"
#define GROUP(what) "<categoryGroup tagSetRef='Rel' tagType='permissive' " what "/>"
#define B_POLICY \
	SPIF("B", "1.3", "<securityClassifications>" CLASS("LO", "1", "") CLASS("HI", "2", \
		"") "</securityClassifications>" \
		"<securityCategoryTagSets><securityCategoryTagSet name='Rel' id='1.3.1'><securityCategoryTag name='Rel' " \
		"tagType='permissive'><tagCategory name='A' lacv='0'/><tagCategory name='B' " \
			"lacv='1'/></securityCategoryTag>" \
		"</securityCategoryTagSet></securityCategoryTagSets>")
#define EQUIVALENT(more) "<equivalentPolicies><equivalentPolicy name='B' id='1.3'>" \
	more "</equivalentPolicy></equivalentPolicies>"

static void check_texts(const char *a, const struct row *rows, size_t count, bool strict)
{
	struct spif *policies[] = {spif_of(a, NULL), spif_of(B_POLICY, NULL)};

	assert_non_null(policies[0]);
	assert_non_null(policies[1]);
	check(policies, 2, rows, count, strict);
	spif_free(policies[0]);
	spif_free(policies[1]);
}

/* A releasability of the other policy that every mapped label gets, by whichever place asks for it. */
static void additions(void **state)
{
	static const struct row one[] = {{"1.2", "1", "1.3", SPIF_ENCRYPT, "1 1.3.1.p.1", NULL}};
	static const struct row both[] = {{"1.2", "1", "1.3", SPIF_ENCRYPT, "1 1.3.1.p.0 1.3.1.p.1", NULL}};
	static const struct row unclear[] = {{"1.2", "1", "1.3", SPIF_ENCRYPT, NULL, NO}};
#define A(in_class, in_policy) \
	SPIF("A", "1.2", "<securityClassifications>" CLASS("X", "1", "<equivalentClassification policyRef='B' lacv='1' " \
		"applied='both'>" in_class "</equivalentClassification>") "</securityClassifications>" EQUIVALENT(in_policy))
	(void)state;

	check_texts(A("", ADD("all", GROUP("lacv='01'"))), one, 1, false);
	check_texts(A(ADD("onlyOne", GROUP("lacv='1'")), ""), one, 1, false);
	check_texts(A(ADD("all", GROUP("all='true'")), ""), both, 1, false);
	check_texts(A("", ADD("oneOrMore", GROUP("all='true'"))), unclear, 1, false);
	check_texts(A(ADD("all", GROUP("lacv='0'")), ADD("oneOrMore", GROUP("all='true'"))),
		(const struct row[]){{"1.2", "1", "1.3", SPIF_ENCRYPT, "1 1.3.1.p.0", NULL}}, 1, false);
	check_texts(A("", ADD("all", GROUP("lacv='9'"))), unclear, 1, false);
}

static void ambiguous(void **state)
{
	static const char policy[] = SPIF("A", "1.2", "<securityClassifications>" CLASS("X", "1", IS("1",
		"both")) CLASS("Y", "2",
		IS("1", "decrypt")) CLASS("Z", "3", IS("2", "encrypt")) "</securityClassifications>" EQUIVALENT(""));
	static const struct row highest[] = {
		{"1.3", "1", "1.2", SPIF_DECRYPT, "2", NULL},
		{"1.3", "1", "1.2", SPIF_ENCRYPT, "1", NULL},
		{"1.3", "2", "1.2", SPIF_DECRYPT, NULL, NO},
		{"1.2", "3", "1.3", SPIF_ENCRYPT, "2", NULL},
		{"1.2", "3", "1.3", SPIF_DECRYPT, NULL, NO},
	};
	static const struct row refused[] = {{"1.3", "1", "1.2", SPIF_DECRYPT, NULL, "labels.ambiguous"}};
	(void)state;

	check_texts(policy, highest, sizeof(highest) / sizeof(*highest), false);
	check_texts(policy, refused, 1, true);
}

static void markings(void **state)
{
	static const struct {
		const char *file, *policy, *label;
		unsigned code;
		const char *language, *marking, *background, *foreground;
	} rows[] = {
		{"demo.spif.xml", DEMO, "1", MARKING_PAGE, "", "DEMO OPEN", "green", "white"},
		{"demo.spif.xml", DEMO, "2 " REL "8 " REL "36 2.25.1.1.1.r.0", MARKING_PAGE, "",
			"DEMO RESTRICTED ALPHA REL TO XAA, XBB",
			"#FF8C00", "black"},
		{"demo.spif.xml", DEMO, "2 " REL "36", MARKING_FIRST_LINE, "", "DEMO RESTRICTED REL TO XBB",
			"#FF8C00", "black"},
		{"kitchen.spif.xml", "2.25.2.1", "4", MARKING_PAGE, "", "K HOT", "red", "white"},
		{"kitchen.spif.xml", "2.25.2.1", "4", MARKING_PAGE, "fr-CH", "K CHAUD", "red", "white"},
		{"kitchen.spif.xml", "2.25.2.1", "4", MARKING_PAGE, "de", "K HOT", "red", "white"},
		{"kitchen.spif.xml", "2.25.2.1", "0 2.25.2.1.2.ep.7 2.25.2.1.2.ep.100000", MARKING_PAGE, "",
			"K UNCLASSIFIED FOR GUESTS/COOKS",
			"", ""},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct spif *spif = spif_of_file(rows[i].file);
		struct arena *arena = arena_new(1 << 20);
		const struct label label = label_of(arena, rows[i].policy, rows[i].label);
		struct label_reason why;
		struct known_label known;
		char text[MARKING_BYTES], small[9];

		assert_true(label_known(spif, &label, &known, &why));
		label_marking(&known, rows[i].code, rows[i].language, text, sizeof(text));
		assert_string_equal(text, rows[i].marking);
		assert_string_equal(label_background(&known), rows[i].background);
		assert_string_equal(label_foreground(&known), rows[i].foreground);
		label_marking(&known, rows[i].code, rows[i].language, small, sizeof(small));
		assert_memory_equal(small, text, strlen(small));
		arena_free(arena);
		spif_free(spif);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appendix_a),
		cmocka_unit_test(additions),
		cmocka_unit_test(ambiguous),
		cmocka_unit_test(markings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
