/* The decision: is a label valid, and does a clearance grant it? Table by table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/label/decide.h"
#include "tests/unit/label_harness.h"

#define HEAD \
	"<SPIF xmlns='http://www.xmlspif.org/spif' schemaVersion='2.1'><securityPolicyId name='T' id='1.2'/>" \
	"<securityClassifications>" \
	"<securityClassification name='LOW' lacv='1' hierarchy='1'/>" \
	"<securityClassification name='MID' lacv='3' hierarchy='2'/>" \
	"<securityClassification name='OLD' lacv='4' hierarchy='3' obsolete='true'/>"
#define SETS "</securityClassifications><securityCategoryTagSets>"
#define TAIL "</securityCategoryTagSets></SPIF>"
#define TAG(name, id, type, values) \
	"<securityCategoryTagSet name='" name "' id='" id "'><securityCategoryTag name='" name "' " type ">" values \
	"</securityCategoryTag></securityCategoryTagSet>"
#define TWO "<tagCategory name='A' lacv='0'/><tagCategory name='B' lacv='1001'/>"

enum { NOW = 1800000000 };             /* in January 2027 */

struct row {
	const char *label, *clearance; /* of the clearance the number is a classification, too */
	const char *rule;              /* NULL: yes */
};

static struct known_clearance *cleared(const struct spif *spif, struct arena *arena, const char *text)
{
	struct label like = label_of(arena, "1.2", text);
	struct clearance clearance = {.policy = "1.2", .values = like.values, .value_count = like.value_count};
	struct label_reason why;
	struct known_clearance *known;

	if (like.classification)
		clearance.classes[0] = 1u << like.classification;
	known = clearance_known(spif, &clearance, &why);
	assert_non_null(known);
	return known;
}

static void check(const char *policy, const struct row *rows, size_t count, bool is_ours)
{
	struct spif *spif = spif_of(policy, NULL);

	assert_non_null(spif);
	for (size_t i = 0; i < count; i++) {
		struct arena *arena = arena_new(1 << 20);
		const struct label label = label_of(arena, "1.2", rows[i].label);
		const struct label_terms terms = {.now = NOW, .is_ours = is_ours};
		struct label_reason why = {.rule = ""};
		struct known_label known;
		bool yes = label_known(spif, &label, &known, &why) && label_is_valid(&known, NULL, &terms, &why);

		if (yes && rows[i].clearance) {
			struct known_clearance *clearance = cleared(spif, arena, rows[i].clearance);

			yes = label_is_granted(&known, clearance, &why);
			clearance_free(clearance);
		}
		if (yes != !rows[i].rule || (!yes && strcmp(why.rule, rows[i].rule)))
			print_error("label %s, clearance %s: %s\n", rows[i].label, rows[i].clearance ?
				rows[i].clearance : "-", why.text);
		assert_string_equal(yes ? "" : why.rule, rows[i].rule ? rows[i].rule : "");
		assert_true(yes || *why.text);
		arena_free(arena);
	}
	spif_free(spif);
}

#define CHECK(policy, rows) check(policy, rows, sizeof(rows) / sizeof(*(rows)), false)

static void tag_types(void **state)
{
	/* What a label with values of a tag asks of a clearance that has all, some, none of them, or nothing of the tag. */
	static const struct {
		const char *type, *code;
		const char *all, *some, *none;
	} types[] = {
		{"tagType='restrictive'", "r", NULL, "labels.restrictive", "labels.restrictive"},
		{"tagType='enumerated' enumType='restrictive'", "er", NULL, "labels.restrictive", "labels.restrictive"},
		{"tagType='permissive'", "p", NULL, NULL, "labels.permissive"},
		{"tagType='enumerated' enumType='permissive'", "ep", NULL, NULL, "labels.permissive"},
		{"tagType='tagType7' tag7Encoding='bitSetAttributes'", "i", NULL, NULL, NULL},
		{"tagType='tagType7' tag7Encoding='securityAttributes'", "ei", NULL, NULL, NULL},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		char policy[3000], both[60], one[30], other[40], none[10] = "3";

		snprintf(policy, sizeof(policy), "%s%s<securityCategoryTagSet name='S' "
			"id='1.2.1'><securityCategoryTag name='S' %s>%s%s",
			HEAD SETS, "", types[i].type, TWO "<tagCategory name='C' lacv='0007'/>",
				"</securityCategoryTag></securityCategoryTagSet>" TAIL);
		snprintf(both, sizeof(both), "3 1.2.1.%s.0 1.2.1.%s.1001", types[i].code, types[i].code);
		snprintf(one, sizeof(one), "3 1.2.1.%s.0", types[i].code);
		snprintf(other, sizeof(other), "3 1.2.1.%s.7", types[i].code);
		{
			const struct row rows[] = {
				{both, both, types[i].all},
				{both, one, types[i].some},
				{both, other, types[i].none},
				{both, none, types[i].none},
				{one, both, types[i].all},
				{other, other, NULL},
				{none, none, NULL},
			};

			CHECK(policy, rows);
		}
	}
}

static void classifications_are_members(void **state)
{
	static const struct row rows[] = {
		{"1", "1", NULL},
		{"1", "3", "labels.class-not-cleared"},
		{"3", "1", "labels.class-not-cleared"},
		{"1", "0", "labels.class-not-cleared"},
		{"2", "3", "labels.classification"},
		{"256", NULL, "labels.classification"},
		{"-1", NULL, "labels.classification"},
	};
	(void)state;
	CHECK(HEAD SETS TAG("S", "1.2.1", "tagType='permissive'", TWO) TAIL, rows);
}

/* Two tag sets whose tags have one name, side by side: each asks for its own. */
static void tags_of_one_name(void **state)
{
	static const struct row rows[] = {
		{"3 1.2.1.p.0 1.2.2.p.0", "3 1.2.1.p.0", "labels.permissive"},
		{"3 1.2.1.p.0 1.2.2.p.0", "3 1.2.2.p.0", "labels.permissive"},
		{"3 1.2.1.p.0 1.2.2.p.0", "3 1.2.1.p.0 1.2.2.p.0", NULL},
	};
	(void)state;
	CHECK(HEAD SETS "<securityCategoryTagSet name='One' id='1.2.1'><securityCategoryTag name='Same' "
		"tagType='permissive'>" TWO
		"</securityCategoryTag></securityCategoryTagSet>"
		"<securityCategoryTagSet name='Other' id='1.2.2'><securityCategoryTag name='Same' tagType='permissive'>" TWO
		"</securityCategoryTag></securityCategoryTagSet>" TAIL, rows);
}

/* Two tags of one type share the bits of their tag set, and are two questions. */
static void tags_of_one_tag_set(void **state)
{
	static const struct row rows[] = {
		{"3 1.2.1.p.0 1.2.1.p.5", "3 1.2.1.p.0", "labels.permissive"},
		{"3 1.2.1.p.0 1.2.1.p.5", "3 1.2.1.p.1 1.2.1.p.5", "labels.permissive"},
		{"3 1.2.1.p.0 1.2.1.p.1 1.2.1.p.5", "3 1.2.1.p.1 1.2.1.p.5", NULL},
	};
	(void)state;
	CHECK(HEAD SETS "<securityCategoryTagSet name='Set' id='1.2.1'><securityCategoryTag name='One' "
		"tagType='permissive'>"
		"<tagCategory name='A' lacv='0'/><tagCategory name='B' lacv='1'/></securityCategoryTag>"
		"<securityCategoryTag name='Two' tagType='permissive'><tagCategory name='C' "
			"lacv='5'/></securityCategoryTag>"
		"</securityCategoryTagSet>" TAIL, rows);
}

/* Decimal, whatever it begins with; and bits far up. */
static void numbers(void **state)
{
	static const struct row rows[] = {
		{"3 1.2.1.ep.8", "3 1.2.1.ep.8", NULL},
		{"3 1.2.1.ep.36", "3 1.2.1.ep.36", NULL},
		{"3 1.2.1.ep.30", NULL, "labels.category"},
		{"3 1.2.1.ep.10000", "3 1.2.1.ep.8", "labels.permissive"},
		{"3 1.2.2.r.10000", "3 1.2.2.r.10000", NULL},
		{"3 1.2.2.r.10000", "3 1.2.2.r.1001", "labels.restrictive"},
		{"3 1.2.2.p.10000", NULL, "labels.category"},
	};
	(void)state;
	CHECK(HEAD SETS TAG("N", "1.2.1", "tagType='enumerated' enumType='permissive'",
		"<tagCategory name='A' lacv='008'/><tagCategory name='B' lacv='036'/><tagCategory name='C' "
			"lacv='0010000'/>")
		TAG("M", "1.2.2", "tagType='restrictive'", "<tagCategory name='A' lacv='1001'/><tagCategory "
			"name='B' lacv='10000'/>")
		TAIL, rows);
}

#define RULES(rules) \
	HEAD "</securityClassifications><securityCategoryTagSets>" \
	"<securityCategoryTagSet name='S' id='1.2.1'><securityCategoryTag name='S' tagType='permissive'>" \
	"<tagCategory name='A' lacv='0'>" rules "</tagCategory><tagCategory name='B' lacv='1'/><tagCategory " \
		"name='C' lacv='2'/>" \
	"</securityCategoryTag></securityCategoryTagSet>" \
	TAG("R", "1.2.2", "tagType='restrictive'", "<tagCategory name='X' lacv='0'/><tagCategory name='Y' lacv='1'/>") TAIL
#define GROUP(name, attributes) "<" name " tagSetRef='R' tagType='restrictive' " attributes "/>"

static void required_and_excluded(void **state)
{
	static const struct row only_one[] = {
		{"3 1.2.1.p.0", NULL, "labels.required-category"},
		{"3 1.2.1.p.0 1.2.2.r.0", NULL, NULL},
		{"3 1.2.1.p.0 1.2.2.r.0 1.2.2.r.1", NULL, "labels.required-category"},
		{"3 1.2.1.p.1", NULL, NULL},
	};
	static const struct row one_or_more[] = {
		{"3 1.2.1.p.0", NULL, "labels.required-category"},
		{"3 1.2.1.p.0 1.2.2.r.1", NULL, NULL},
		{"3 1.2.1.p.0 1.2.2.r.0 1.2.2.r.1", NULL, NULL},
	};
	static const struct row all[] = {
		{"3 1.2.1.p.0", NULL, "labels.required-category"},
		{"3 1.2.1.p.0 1.2.2.r.1", NULL, "labels.required-category"},
		{"3 1.2.1.p.0 1.2.2.r.0 1.2.2.r.1", NULL, NULL},
	};
	static const struct row excluded[] = {
		{"3 1.2.1.p.0", NULL, NULL},
		{"3 1.2.1.p.0 1.2.2.r.0", NULL, NULL},
		{"3 1.2.1.p.0 1.2.2.r.1", NULL, "labels.excluded-category"},
		{"3 1.2.1.p.1 1.2.2.r.1", NULL, NULL},
	};
	static const struct row excluded_all[] = {
		{"3 1.2.1.p.0", NULL, NULL},
		{"3 1.2.1.p.0 1.2.2.r.0", NULL, "labels.excluded-category"},
	};
	static const struct row class[] = {
		{"1 1.2.1.p.0", NULL, "labels.excluded-class"},
		{"3 1.2.1.p.0", NULL, NULL},
		{"1 1.2.1.p.1", NULL, NULL},
	};
	(void)state;
	CHECK(RULES("<requiredCategory operation='onlyOne'>" GROUP("categoryGroup",
		"lacv='00'") GROUP("categoryGroup", "lacv='1'")
		"</requiredCategory>"), only_one);
	CHECK(RULES("<requiredCategory operation='oneOrMore'>" GROUP("categoryGroup",
		"all='true'") "</requiredCategory>"), one_or_more);
	CHECK(RULES("<requiredCategory operation='all'>" GROUP("categoryGroup", "all='1'") "</requiredCategory>"), all);
	CHECK(RULES("<requiredCategory operation='all'>" GROUP("categoryGroup",
		"lacv='0'") GROUP("categoryGroup", "lacv='1'")
		GROUP("categoryGroup", "lacv='01'") "</requiredCategory>"), all);
	CHECK(RULES(GROUP("excludedCategory", "lacv='1'")), excluded);
	CHECK(RULES(GROUP("excludedCategory", "all='true'")), excluded_all);
	CHECK(RULES("<excludedClass>LOW</excludedClass>"), class);
}

#define ONE(attributes) \
	HEAD SETS "<securityCategoryTagSet name='S' id='1.2.1'><securityCategoryTag name='S' tagType='permissive'>" \
	"<tagCategory name='A' lacv='0' " attributes "/><tagCategory name='B' lacv='1'/></securityCategoryTag>" \
	"</securityCategoryTagSet>" TAIL

static void attributes_of_categories(void **state)
{
	static const struct row required_class[] = {{"1 1.2.1.p.0", NULL, "labels.required-class"},
		{"3 1.2.1.p.0", NULL, NULL}};
	static const struct row in_force[] = {{"3 1.2.1.p.0", NULL, NULL}};
	static const struct row not_in_force[] = {{"3 1.2.1.p.0", NULL, "labels.not-in-force"}, {"3 1.2.1.p.1",
		NULL, NULL}};
	static const struct row obsolete[] = {{"3 1.2.1.p.0", NULL, "labels.obsolete"}, {"4 1.2.1.p.1", NULL,
		"labels.obsolete"},
		{"3 1.2.1.p.1", NULL, NULL}};
	static const struct row received[] = {{"3 1.2.1.p.0", NULL, NULL}, {"4 1.2.1.p.1", NULL, NULL}};
	(void)state;
	CHECK(ONE("requiredClass='MID'"), required_class);
	CHECK(ONE("notBefore='2026-01-01T00:00:00Z' notAfter='2027-12-31T23:59:59Z'"), in_force);
	CHECK(ONE("notBefore='2027-06-01T00:00:00Z'"), not_in_force);
	CHECK(ONE("notAfter='2027-01-15T08:59:59+01:00'"), not_in_force); /* 08:00:00Z is NOW */
	CHECK(ONE("notAfter='2027-01-15T09:00:00+01:00'"), in_force);
	CHECK(ONE("obsolete='true'"), received);
	check(ONE("obsolete='true'"), obsolete, 3, true);
}

static void selections(void **state)
{
#define SELECTION(attributes) \
	HEAD SETS TAG("S", "1.2.1", "tagType='permissive' " attributes, \
		"<tagCategory name='A' lacv='0'/><tagCategory name='B' lacv='1'/><tagCategory name='C' lacv='2'/>") TAIL
	static const struct row single[] = {{"3", NULL, NULL}, {"3 1.2.1.p.0", NULL, NULL},
		{"3 1.2.1.p.0 1.2.1.p.1", NULL, "labels.selection"}};
	static const struct row two[] = {{"3 1.2.1.p.0", NULL, "labels.selection"}, {"3", NULL, "labels.selection"},
		{"3 1.2.1.p.0 1.2.1.p.1", NULL, NULL}, {"3 1.2.1.p.0 1.2.1.p.1 1.2.1.p.2", NULL, "labels.selection"}};
	(void)state;
	CHECK(SELECTION("singleSelection='true'"), single);
	CHECK(SELECTION("maxSelection='2' minSelection='2'"), two);
}

static void privacy_marks(void **state)
{
	struct spif *spif = spif_of(HEAD "</securityClassifications><privacyMarks><privacyMark "
		"name='EYES'/></privacyMarks></SPIF>", NULL);
	const struct label_terms terms = {.now = INT64_MIN};
	struct label label = {.policy = "1.2", .classification = 1};
	struct label_reason why;
	struct known_label known;
	(void)state;

	assert_non_null(spif);
	assert_true(label_known(spif, &label, &known, &why));
	assert_true(label_is_valid(&known, "EYES", &terms, &why));
	assert_false(label_is_valid(&known, "anything", &terms, &why));
	assert_string_equal(why.rule, "labels.privacy-mark");
	spif_free(spif);
}

/* Without a clearance, or with one of another policy, nothing is granted. */
static void no_clearance(void **state)
{
	struct spif *spif = spif_of_file("demo.spif.xml");
	struct arena *arena = arena_new(1 << 20);
	struct label label = label_of(arena, "2.25.1.1", "1");
	struct clearance other = {.policy = "2.25.1.2"};
	struct label_reason why;
	struct known_label known;
	(void)state;

	assert_true(label_known(spif, &label, &known, &why));
	assert_false(label_is_granted(&known, NULL, &why));
	assert_string_equal(why.rule, "labels.clearance");
	assert_null(clearance_known(spif, &other, &why));
	assert_string_equal(why.rule, "labels.policy");
	label.policy = "";
	assert_false(label_known(spif, &label, &known, &why));
	arena_free(arena);
	spif_free(spif);
}

static void domination(void **state)
{
	static const struct {
		const char *outer, *inner;
		bool dominates;
	} rows[] = {
		{"3", "1", true},
		{"1", "3", false},
		{"3 1.2.2.r.0", "3", true},
		{"3", "3 1.2.2.r.0", false},
		{"3 1.2.2.r.0 1.2.2.r.1", "1 1.2.2.r.0", true},
		{"3 1.2.1.p.0", "3 1.2.1.p.0 1.2.1.p.1", true},
		{"3 1.2.1.p.0 1.2.1.p.1", "3 1.2.1.p.0", false},
		{"3", "3 1.2.1.p.0", false},
		{"3 1.2.1.p.0", "3", true},
	};
	struct spif *spif = spif_of(RULES(""), NULL);
	(void)state;

	assert_non_null(spif);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct arena *arena = arena_new(1 << 20);
		const struct label outer = label_of(arena, "1.2", rows[i].outer), inner = label_of(arena, "1.2",
			rows[i].inner);
		struct known_label a, b;
		struct label_reason why;

		assert_true(label_known(spif, &outer, &a, &why) && label_known(spif, &inner, &b, &why));
		if (label_dominates(&a, &b) != rows[i].dominates)
			print_error("%s over %s\n", rows[i].outer, rows[i].inner);
		assert_int_equal(label_dominates(&a, &b), rows[i].dominates);
		arena_free(arena);
	}
	spif_free(spif);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tag_types),
		cmocka_unit_test(classifications_are_members),
		cmocka_unit_test(tags_of_one_name),
		cmocka_unit_test(tags_of_one_tag_set),
		cmocka_unit_test(numbers),
		cmocka_unit_test(required_and_excluded),
		cmocka_unit_test(attributes_of_categories),
		cmocka_unit_test(selections),
		cmocka_unit_test(privacy_marks),
		cmocka_unit_test(no_clearance),
		cmocka_unit_test(domination),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
