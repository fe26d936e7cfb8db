/* Labels and clearances in XML: each form there and back, and what is none. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/label/ess.h"
#include "tests/unit/label_harness.h"
#include "tests/unit/xml_harness.h"

struct set {
	struct spif *policies[2];
	struct spif_set set;
	struct arena *arena;
};

static int set_up(void **state)
{
	struct set *s = calloc(1, sizeof(*s));

	s->policies[0] = spif_of_file("demo.spif.xml");
	s->policies[1] = spif_of_file("kitchen.spif.xml");
	s->set = (struct spif_set){s->policies, 2};
	s->arena = arena_new(4 << 20);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct set *s = *state;

	spif_free(s->policies[0]);
	spif_free(s->policies[1]);
	arena_free(s->arena);
	free(s);
	return 0;
}

static int read_text(struct set *s, const char *text, struct label *label, const char **why)
{
	struct label_reader reader = {.set = &s->set, .arena = s->arena, .why = ""};
	int err = label_read_bytes(&reader, text, strlen(text), label);

	*why = reader.why;
	return err;
}

/* Written out and parsed again, as it would be on the way. */
static const char *text_of(struct set *s, const struct node *node)
{
	struct buf out;
	const char *text;

	buf_init(&out, 1 << 20);
	assert_int_equal(xml_write_node(&out, node), 0);
	text = arena_strndup(s->arena, (const char *)buf_head(&out), buf_len(&out));
	buf_fini(&out);
	return text;
}

static const char *const labels[][2] = {
	{"2.25.1.1", "1"},
	{"2.25.1.1", "2 2.25.1.1.1.r.0 2.25.1.1.2.ep.8 2.25.1.1.2.ep.36 2.25.1.1.3.i.1"},
	{"2.25.2.1", "4 2.25.2.1.1.p.0 2.25.2.1.1.p.1001 2.25.2.1.1.p.3 2.25.2.1.1.r.2 2.25.2.1.1.er.9954 2.25.2.1.1.i.78 "
		"2.25.2.1.2.ep.100000 2.25.340282366920938463463374607431768211455.ei.300"},
	{"2.25.2.1", "0"},
};

/* Label to ESS to 4774 to spiffy to label is the identity. */
static void all_forms(void **state)
{
	struct set *s = *state;

	for (size_t i = 0; i < sizeof(labels) / sizeof(*labels); i++)
		for (unsigned missi = 0; missi < 2; missi++) {
			struct label label = label_of(s->arena, labels[i][0], labels[i][1]), step;
			const struct spif *spif = spif_by_id(&s->set, label.policy);
			struct node *node;
			const char *why;

			label.is_missi = missi;
			label.privacy_mark = missi && i == 2 ? "EYES ONLY" : NULL;
			assert_int_equal(label_ess_element(s->arena, &label, &node), 0);
			assert_int_equal(read_text(s, text_of(s, node), &step, &why), 0);
			assert_true(label_equal(&label, &step));
			assert_int_equal(label_4774_write(spif, s->arena, &step, 1800000000, &node), 0);
			assert_non_null(strstr(text_of(s, node), "2027-01-15T08:00:00Z"));
			assert_int_equal(read_text(s, text_of(s, node), &step, &why), 0);
			assert_true(label_equal(&label, &step));
			assert_int_equal(label_spiffy_write(spif, s->arena, &step, &node), 0);
			assert_int_equal(read_text(s, text_of(s, node), &step, &why), 0);
			assert_true(label_equal(&label, &step));
		}
}

static void clearances(void **state)
{
	struct set *s = *state;
	struct label like = label_of(s->arena, "2.25.2.1", "0 2.25.2.1.1.p.0 2.25.2.1.1.r.2 2.25.2.1.1.er.9954 "
		"2.25.2.1.2.ep.7");
	struct clearance clearance = {.policy = "2.25.2.1", .classes = {1 | 1 << 4}, .values = like.values,
		.value_count = like.value_count};

	for (unsigned form = 0; form < 2; form++) {
		struct label_reader reader = {.set = &s->set, .arena = s->arena};
		struct clearance again;
		struct node *node;
		const char *text;

		assert_int_equal(form ? clearance_4774_write(s->policies[1], s->arena, &clearance, &node)
				      : clearance_spiffy_write(s->policies[1], s->arena, &clearance, &node), 0);
		text = text_of(s, node);
		assert_int_equal(clearance_read_bytes(&reader, text, strlen(text), &again), 0);
		assert_string_equal(again.policy, clearance.policy);
		assert_int_equal(again.classes[0], clearance.classes[0]);
		assert_int_equal(again.value_count, clearance.value_count);
		for (unsigned i = 0; i < again.value_count; i++)
			assert_int_equal(label_value_compare(&again.values[i], &clearance.values[i]), 0);
	}
}

#define NS4774 "xmlns='" NS_4774_LABEL "'"
#define L4774(body) "<originatorConfidentialityLabel " NS4774 "><ConfidentialityInformation>" body \
	"</ConfidentialityInformation></originatorConfidentialityLabel>"
#define POLICY "<PolicyIdentifier>DEMO</PolicyIdentifier>"
#define CLASS "<Classification>RESTRICTED</Classification>"
#define CATEGORY(attributes, value) "<Category " attributes ">" value "</Category>"
#define CAVEAT "Type='RESTRICTIVE' TagName='Caveat'"
#define ALPHA "<GenericValue>ALPHA</GenericValue>"
#define SPIFFY(body) "<label xmlns='" NS_SPIFFY "'>" body "</label>"
#define DEMO "<policy id='2.25.1.1'/>"
#define ISM(attributes) "<x xmlns:i='" NS_ISM "' " attributes "/>"

static const struct {
	const char *text;
	int err;
	const char *numbers;   /* 0: what it is */
} read_or_not_rows[] = {
	{L4774(POLICY CLASS), 0, "2"},
	{L4774("<PolicyIdentifier URI='urn:oid:2.25.1.1'> DEMO </PolicyIdentifier>" CLASS), 0, "2"},
	{L4774(POLICY CLASS CATEGORY(CAVEAT, ALPHA)), 0, "2 2.25.1.1.1.r.0"},
	{L4774(POLICY CLASS CATEGORY(CAVEAT " URI='urn:oid:2.25.1.1.1'", ALPHA)), 0, "2 2.25.1.1.1.r.0"},
	{"<metadataConfidentialityLabel " NS4774 "><ConfidentialityInformation>"
		POLICY CLASS "</ConfidentialityInformation>"
		"<OriginatorID IDType='jID'>x@y</OriginatorID></metadataConfidentialityLabel>", 0, "2"},
	{"<b:BindingInformation "
		"xmlns:b='" NS_4778_BINDING "'><b:MetadataBindingContainer><b:MetadataBinding><b:Metadata>"
		L4774(POLICY CLASS) "</b:Metadata><b:Data/></b:MetadataBinding></b:MetadataBindingContainer>"
		"</b:BindingInformation>",
		0, "2"},
	{L4774(POLICY), 0, "-1"},
	{L4774(CLASS POLICY), -EBADMSG, NULL},
	{L4774(CLASS), -EBADMSG, NULL},
	{L4774(POLICY POLICY CLASS), -EBADMSG, NULL},
	{L4774(POLICY CLASS CLASS), -EBADMSG, NULL},
	{L4774(POLICY CLASS "<Surprise/>"), -EBADMSG, NULL},
	{L4774("<PolicyIdentifier URI='urn:oid:2.25.2.1'>DEMO</PolicyIdentifier>" CLASS), -EBADMSG, NULL},
	{L4774("<PolicyIdentifier URI='http://x'>DEMO</PolicyIdentifier>" CLASS), -EBADMSG, NULL},
	{L4774("<PolicyIdentifier>demo</PolicyIdentifier>" CLASS), -ENOKEY, NULL},
	{L4774(POLICY "<Classification>restricted</Classification>"), -ENOKEY, NULL},
	{L4774(POLICY CLASS CATEGORY(CAVEAT, "<GenericValue>ZULU</GenericValue>")), -ENOKEY, NULL},
	{L4774(POLICY CLASS CATEGORY("Type='PERMISSIVE' TagName='Caveat'", ALPHA)), -ENOKEY, NULL},
	{L4774(POLICY CLASS CATEGORY("Type='RESTRICTIVE' TagName='Nothing'", ALPHA)), -ENOKEY, NULL},
	{L4774(POLICY CLASS CATEGORY("Type='ODD' TagName='Caveat'", ALPHA)), -EBADMSG, NULL},
	{L4774(POLICY CLASS CATEGORY(CAVEAT " URI='urn:oid:2.25.1.1.2'", ALPHA)), -EBADMSG, NULL},
	{L4774(POLICY CLASS CATEGORY(CAVEAT " Other='x'", ALPHA)), -EBADMSG, NULL},
	{L4774(POLICY CLASS CATEGORY(CAVEAT, "")), -EBADMSG, NULL},
	{L4774(POLICY CLASS CATEGORY(CAVEAT, "<IntegerValue>0</IntegerValue>")), -EBADMSG, NULL},
	{"<originatorConfidentialityLabel " NS4774 "/>", -EBADMSG, NULL},
	{"<somethingElse " NS4774 "/>", -ENOENT, NULL},
	{SPIFFY(DEMO "<classification lacv='02'>anything</classification>"), 0, "2"},
	{SPIFFY(DEMO "<classification lacv='2'/><tag type='restrictive' id='2.25.1.1.1' lacv='0'/>"), 0,
		"2 2.25.1.1.1.r.0"},
	{SPIFFY("<policy id='1.2.3'/><classification lacv='9'/>"), 0, "9"},
	{SPIFFY(DEMO), -EBADMSG, NULL},
	{SPIFFY("<classification lacv='2'/>"), -EBADMSG, NULL},
	{SPIFFY(DEMO "<classification lacv='2'/><classification lacv='1'/>"), -EBADMSG, NULL},
	{SPIFFY(DEMO DEMO "<classification lacv='2'/>"), -EBADMSG, NULL},
	{SPIFFY(DEMO "<classification lacv='0x2'/>"), -EBADMSG, NULL},
	{SPIFFY(DEMO "<classification lacv='-1'/>"), -EBADMSG, NULL},
	{SPIFFY("<policy id='x'/><classification lacv='2'/>"), -EBADMSG, NULL},
	{SPIFFY(DEMO "<classification lacv='2'/><tag type='odd' id='2.25.1.1.1' lacv='0'/>"), -EBADMSG, NULL},
	{SPIFFY(DEMO "<classification lacv='2'/><tag type='permissive' id='2.25.1.1.1' lacv='99999'/>"),
		-EBADMSG, NULL},
	{SPIFFY(DEMO "<classification lacv='2'/><surprise/>"), -EBADMSG, NULL},
	{ISM("i:classification='S' i:ownerProducer='USA' i:releasableTo='COOKS GUESTS'"), 0,
		"4 2.25.2.1.2.ep.7 2.25.2.1.2.ep.100000"},
	{ISM("i:classification='R' i:disseminationControls='ALPHA'"), 0, "2 2.25.1.1.1.r.0"},
	{"<icismlabel xmlns='http://example.gov/IC-ISM/0' classification='U' ownerProducer='USA'/>", 0, "0"},
	{ISM("i:classification='TS'"), -ENOKEY, NULL},
	{ISM("i:classification='X'"), -ENOKEY, NULL},
	{ISM("i:classification='S' i:releasableTo='NOBODY'"), -ENOKEY, NULL},
	{ISM("i:classification='S' i:nonICmarkings='x'"), -EBADMSG, NULL},
	{"<x/>", -ENOENT, NULL},
	{"<x>", -EBADMSG, NULL},
	{"MQYCAQQGASk=", 0, "4"},
	{" MQYC AQQG\nASk= ", 0, "4"},
	{"MQYCAQQGASk", -EBADMSG, NULL},
	{"<securitylabel xmlns='urn:xmpp:sec-label:0'><label><esssecuritylabel "
		"xmlns='urn:xmpp:sec-label:ess:0'>MQYCAQQGASk="
		"</esssecuritylabel></label></securitylabel>", 0, "4"},
	{"", -EBADMSG, NULL},
};

static void read_or_not(void **state)
{
	struct set *s = *state;

	for (size_t i = 0; i < sizeof(read_or_not_rows) / sizeof(*read_or_not_rows); i++) {
		struct label label, expected;
		const char *why = "";
		int err = read_text(s, read_or_not_rows[i].text, &label, &why);

		if (err != read_or_not_rows[i].err)
			print_error("%s: %s\n", read_or_not_rows[i].text, why);
		assert_int_equal(err, read_or_not_rows[i].err);
		if (err) {
			assert_true(*why);
			continue;
		}
		expected = label_of(s->arena, label.policy, read_or_not_rows[i].numbers);
		if (!label_equal(&label, &expected))
			print_error("%s\n", read_or_not_rows[i].text);
		assert_true(label_equal(&label, &expected));
	}
}

/* The number of MISSI for enumerated tags is of two types: the policy tells. */
static void missi_types(void **state)
{
	struct set *s = *state;
	struct label label = label_of(s->arena, "2.25.2.1", "4 2.25.2.1.1.er.9954 2.25.2.1.2.ep.7"), again;
	struct node *node;
	const char *why;

	label.is_missi = true;
	assert_int_equal(label_ess_element(s->arena, &label, &node), 0);
	assert_int_equal(read_text(s, text_of(s, node), &again, &why), 0);
	assert_true(label_equal(&label, &again));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_forms, set_up, tear_down),
		cmocka_unit_test_setup_teardown(clearances, set_up, tear_down),
		cmocka_unit_test_setup_teardown(read_or_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(missi_types, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
