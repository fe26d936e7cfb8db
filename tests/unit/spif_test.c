/* Security policies: what is read, what is tolerated and told, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/label/spif.h"
#include "tests/unit/label_harness.h"

#define NS "xmlns='http://www.xmlspif.org/spif'"
#define ID "<securityPolicyId name='T' id='1.2'/>"
#define CLASSES(more) \
	"<securityClassifications><securityClassification name='LOW' lacv='1' hierarchy='1'>" \
		more "</securityClassification>" \
	"<securityClassification name='HIGH' lacv='2' hierarchy='2'/></securityClassifications>"
#define SET(values) \
	"<securityCategoryTagSets><securityCategoryTagSet name='S' id='1.2.1'><securityCategoryTag name='S' " \
	"tagType='permissive'>" values "</securityCategoryTag></securityCategoryTagSet></securityCategoryTagSets>"
#define SPIF(body) "<SPIF " NS " schemaVersion='2.1'>" body "</SPIF>"
#define VALUE(name, lacv, more) "<tagCategory name='" name "' lacv='" lacv "'>" more "</tagCategory>"
#define PARTNER "<equivalentPolicies><equivalentPolicy name='P' id='1.3'/></equivalentPolicies>"

static const struct {
	const char *text, *told;
} errors_rows[] = {
	{"", "no element found"},
	{"<SPIF", "unclosed token"},
	{"<!DOCTYPE SPIF [<!ENTITY x 'y'>]>" SPIF(ID CLASSES("")), "DOCTYPE"},
	{"<label/>", "it is no security policy: its root is <label/>"},
	{"<SPIF " NS " schemaVersion='3.0'>" ID CLASSES("") "</SPIF>", "schemaVersion 3.0 is not read"},
	{"<SPIF " NS " schemaVersion='4'>" ID CLASSES("") "</SPIF>", "schemaVersion 4 is not known"},
	{SPIF(CLASSES("")), "there is no <securityPolicyId/>"},
	{SPIF(ID), "there are no classifications"},
	{SPIF("<securityPolicyId name='T' id='1.2.x'/>" CLASSES("")), "is no OID"},
	{SPIF(ID ID CLASSES("")), "<securityPolicyId/> is there twice"},
	{SPIF(ID CLASSES("") "<surprise/>"), "<surprise/> is not known in <SPIF/>"},
	{SPIF(ID CLASSES("") "<x:y xmlns:x='urn:x'/>"), "<y/> is of another namespace"},
	{SPIF(ID "<securityClassifications><securityClassification name='A' lacv='1'/></securityClassifications>"),
		"<securityClassification/> has no attribute hierarchy"},
	{SPIF(ID "<securityClassifications><securityClassification name='A' lacv='257' "
		"hierarchy='1'/></securityClassifications>"),
		"lacv=\"257\" is no number up to 256"},
	{SPIF(ID "<securityClassifications><securityClassification name='A' lacv='1' "
		"hierarchy='1'/><securityClassification "
		"name='A' lacv='2' hierarchy='2'/></securityClassifications>"), "classification A is there twice"},
	{SPIF(ID "<securityClassifications><securityClassification name='A' lacv='1' "
		"hierarchy='1'/><securityClassification "
		"name='B' lacv='01' hierarchy='2'/></securityClassifications>"), "A and B have one lacv: 1"},
	{SPIF(ID CLASSES("") SET(VALUE("A", "1", "") VALUE("A", "2", ""))),
		"category A of tag set S is there twice"},
	{SPIF(ID CLASSES("") SET(VALUE("A", "7", "") VALUE("B", "007", ""))), "have one lacv"},
	{SPIF(ID CLASSES("") SET(VALUE("A", "16384", ""))), "beyond bit 16383"},
	{SPIF(ID CLASSES("") SET(VALUE("A", "99999999999", ""))), "too large"},
	{SPIF(ID CLASSES("") SET(VALUE("A", "1", "<excludedClass>NONE</excludedClass>"))),
		"there is no classification \"NONE\""},
	{SPIF(ID CLASSES("") SET("<tagCategory name='A' lacv='1' requiredClass='X'/>")),
		"there is no classification \"X\""},
	{SPIF(ID CLASSES("") SET(VALUE("A", "1", "<excludedCategory tagSetRef='X' tagType='permissive' "
		"all='true'/>"))),
		"there is no tag set \"X\""},
	{SPIF(ID CLASSES("") SET(VALUE("A", "1", "<excludedCategory tagSetRef='S' tagType='permissive' "
		"lacv='9'/>"))),
		"no category of this type with lacv 9"},
	{SPIF(ID CLASSES("") SET(VALUE("A", "1", "<excludedCategory tagSetRef='S' tagType='restrictive' "
		"lacv='1'/>"))),
		"no category of this type with lacv 1"},
	{SPIF(ID CLASSES("") SET(VALUE("A", "1", "<excludedCategory tagSetRef='S' tagType='permissive'/>"))),
		"needs either lacv or all"},
	{SPIF(ID CLASSES("") SET(VALUE("A", "1", "<excludedCategory tagSetRef='S' tagType='odd' "
		"lacv='1'/>"))), "is no type"},
	{SPIF(ID CLASSES("") SET(VALUE("A", "1", "<requiredCategory operation='some'><categoryGroup tagSetRef='S' "
		"tagType='permissive' lacv='1'/></requiredCategory>"))), "operation=\"some\" is not known"},
	{SPIF(ID CLASSES("<requiredCategory operation='all'/>")), "names no category"},
	{SPIF(ID CLASSES("<equivalentClassification policyRef='P' lacv='1' applied='both'/>")),
		"there is no equivalent policy \"P\""},
	{SPIF(ID CLASSES("<equivalentClassification policyRef='P' lacv='1' applied='never'/>") PARTNER),
		"applied=\"never\""},
	{SPIF(ID CLASSES("") SET(VALUE("A", "1", "<equivalentSecCategoryTag policyRef='P' "
		"applied='both'/>")) PARTNER),
		"needs tagSetId"},
	{SPIF(ID CLASSES("") "<equivalentPolicies><equivalentPolicy name='T2' id='1.2'/></equivalentPolicies>"),
		"is this policy itself"},
	{SPIF(ID CLASSES("") SET("<tagCategory name='A' lacv='1' notAfter='tomorrow'/>")), "is no time"},
	{SPIF(ID CLASSES("<markingQualifier><qualifier markingQualifier='x' "
		"qualifierCode='infix'/></markingQualifier>")),
		"qualifierCode=\"infix\""},
};

static void errors(void **state)
{
	(void)state;

	for (size_t i = 0; i < sizeof(errors_rows) / sizeof(*errors_rows); i++) {
		struct told told;
		struct spif *spif = spif_of(errors_rows[i].text, &told);

		if (spif || !strstr(told.text, errors_rows[i].told))
			print_error("%s\n%s\n", errors_rows[i].text, told.text);
		assert_null(spif);
		assert_non_null(strstr(told.text, "error: "));
		assert_non_null(strstr(told.text, errors_rows[i].told));
	}
}

/* What published policies have, and what they mean all the same. */
static void tolerated(void **state)
{
	static const struct {
		const char *text, *told;
	} rows[] = {
		{SPIF(ID CLASSES("")), ""},
		{"<SPIF>" ID CLASSES("") "</SPIF>", "of no namespace"},
		{"<SPIF>" ID CLASSES("") "</SPIF>", "no schemaVersion"},
		{SPIF(CLASSES("") ID), "not in the order of the schema"},
		{SPIF(ID "stray" CLASSES("")), "text between the elements of <SPIF/> is left out"},
		{"<s:SPIF xmlns:s='http://www.xmlspif.org/spif' schemaVersion='2.0'><s:securityPolicyId name='T' id='1.2'/>"
			"<s:securityClassifications><securityClassification name='A' lacv='1' "
				"hierarchy='1'/></s:securityClassifications>"
			"</s:SPIF>", "although its namespace is none"},
		{SPIF(ID "<securityClassifications><securityClassification name='A' lacv='1' "
			"hierarchy='1'/></securityClassificatoins>"),
			"the name of the end tag is misspelt"},
		{SPIF(ID CLASSES("<markingQualifier code='pageTop'><qualifier markingQualifier='x' "
			"qualifierCode='prefix'/></markingQualifier>")),
			"code= of <markingQualifier/> is taken as markingCode="},
		{SPIF(ID CLASSES("<markingData phrase='x'><code>skywriting</code></markingData>")),
			"marking code \"skywriting\" is not known"},
		{SPIF(ID CLASSES("") "<extensions><x xmlns='urn:x'/></extensions>"), ""},
		{SPIF(ID CLASSES("") SET(VALUE("A", "1",
			"<excludedClass>LOW</excludedClass><excludedClass>HIGH</excludedClass>"))),
			"category A is in no valid label: no classification may have it"},
		{SPIF(ID CLASSES("") SET(VALUE("A", "1", "<requiredCategory operation='all'><categoryGroup tagSetRef='S' "
			"tagType='permissive' lacv='2'/></requiredCategory><excludedCategory tagSetRef='S' "
				"tagType='permissive' lacv='2'/>")
			VALUE("B", "2", ""))), "it excludes what it requires"},
		{SPIF(ID "<securityClassifications><securityClassification name='A' lacv='1' "
			"hierarchy='1'><equivalentClassification "
			"policyRef='P' lacv='5' applied='both'/></securityClassification><securityClassification "
				"name='B' lacv='2' hierarchy='2'>"
			"<equivalentClassification policyRef='P' lacv='5' applied='decrypt'/></securityClassification>"
			"</securityClassifications>" PARTNER), "5 of policy P is both A and B"},
		{SPIF(ID "<securityClassifications><securityClassification name='A' lacv='1' hierarchy='1' color='red'/>"
			"<securityClassification name='B' lacv='2' hierarchy='1' "
				"color='red'/></securityClassifications>"), "have one colour"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct told told;
		struct spif *spif = spif_of(rows[i].text, &told);

		if (!spif || !strstr(told.text, rows[i].told) || (!*rows[i].told && *told.text))
			print_error("%s\n%s\n", rows[i].text, told.text);
		assert_non_null(spif);
		assert_null(strstr(told.text, "error: "));
		assert_non_null(strstr(told.text, rows[i].told));
		assert_true(*rows[i].told || !*told.text);
		spif_free(spif);
	}
}

static void is_read(void **state)
{
	struct spif *spif = spif_of_file("kitchen.spif.xml");
	struct spif *const list[] = {spif};
	const struct spif_set set = {list, 1};
	(void)state;

	assert_ptr_equal(spif_by_id(&set, "2.25.2.1"), spif);
	assert_ptr_equal(spif_by_name(&set, "KITCHEN"), spif);
	assert_null(spif_by_name(&set, "kitchen"));
	assert_int_equal(spif->class_count, 2);
	assert_int_equal(spif->tag_set_count, 3);
	assert_int_equal(spif->tag_count, 7);
	assert_int_equal(spif->value_count, 10);
	assert_int_equal(spif_class(spif, 4), 1);
	assert_int_equal(spif_class(spif, 3), -1);
	assert_int_equal(spif_class_by_name(spif, "SECRET"), 1);
	for (unsigned i = 0; i < spif->value_count; i++) {
		const struct spif_value *value = &spif->values[i];

		assert_int_equal(spif_value(spif, &value->value), i);
		assert_int_equal(spif_value_by_name(spif, spif->tags[value->tag].tag_set,
			tag_kind(value->value.type), value->name), i);
	}
	assert_int_equal(spif_value_by_name(spif, 0, KIND_RESTRICTIVE, "SWEET"), -1);
	assert_int_equal(spif->values[8].value.lacv, 7);
	assert_int_equal(spif->values[7].value.lacv, 100000);
	spif_free(spif);
}

/* ADatP-4774.1: names of NATO's policy in any case. */
static void any_case(void **state)
{
	struct spif *spif = spif_of(SPIF("<securityPolicyId name='NATO' id='1.2'/>"
		CLASSES("") SET(VALUE("Alpha", "1", ""))), NULL);
	(void)state;

	assert_non_null(spif);
	assert_int_equal(spif_class_by_name(spif, "low"), 0);
	assert_int_equal(spif_tag_set_by_name(spif, "s"), 0);
	assert_int_equal(spif_value_by_name(spif, 0, KIND_PERMISSIVE, "ALPHA"), 0);
	spif_free(spif);
}

/* A lacv may be a text: then only names tell the values. */
static void lacv_of_text(void **state)
{
	struct spif *spif = spif_of(SPIF(ID CLASSES("") SET(VALUE("A", "alpha", "") VALUE("B", "1",
		"<excludedCategory tagSetRef='S' tagType='permissive' lacv='alpha'/>"))), NULL);
	(void)state;

	assert_non_null(spif);
	assert_true(spif->values[0].value.lacv >= LACV_TEXT);
	assert_int_equal(spif->values[1].excluded.size, 1);
	spif_free(spif);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors),
		cmocka_unit_test(tolerated),
		cmocka_unit_test(is_read),
		cmocka_unit_test(any_case),
		cmocka_unit_test(lacv_of_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
