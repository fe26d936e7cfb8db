/* From the tree of a SPIF to the policy: classifications, tag sets, categories and marking; see spif.h. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "document.h"
#include "spif_read.h"

#define SPIF_BYTES_MAX ((size_t)256 << 20)
#define TREE_BYTES_MAX ((size_t)512 << 20)
enum { SPIF_COUNT_MAX = 1 << 20 };

/* --- what all use --- */

void *spif_alloc(struct spif_reading *reading, size_t count, size_t size)
{
	void *memory = arena_alloc(reading->spif->arena, (count + 1) * size);

	if (memory)
		return memset(memory, 0, (count + 1) * size);
	if (!reading->failed)
		spif_tell(reading->report, NULL, true, "no memory");
	reading->failed = true;
	return NULL;
}

void spif_fail(struct spif_reading *reading, const struct node *node, const char *format, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	spif_tell(reading->report, node, true, "%s", text);
	reading->failed = true;
}

unsigned spif_count_children(const struct node *node, const char *name)
{
	unsigned count = 0;

	for (const struct node *child = node->first; child; child = child->next)
		count += spif_is(child, name);
	return count;
}

const char *spif_text(struct spif_reading *reading, const struct node *node, const char *name, const char *otherwise)
{
	const char *value = node_attribute(node, name);
	const char *copy = value ? arena_strdup(reading->spif->arena, value) : otherwise;

	if (value && !copy)
		spif_fail(reading, node, "no memory");
	return copy ? copy : otherwise ? otherwise : "";
}

int64_t spif_number(const char *text, int64_t max)
{
	int64_t number = 0;

	if (!*text)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		number = number * 10 + (*text - '0');
		if (number > max)
			return -1;
	}
	return number;
}

static bool is_true(const struct node *node, const char *name)
{
	const char *value = node_attribute(node, name);

	return value && (!strcmp(value, "true") || !strcmp(value, "1"));
}

unsigned spif_types(struct spif_reading *reading, const struct node *node)
{
	const char *type = spif_text(reading, node, "tagType", ""), *kind = spif_text(reading, node, "enumType", "");
	const char *encoding = spif_text(reading, node, "tag7Encoding", "");

	if (!strcmp(type, "restrictive"))
		return 1u << TAG_RESTRICTIVE;
	if (!strcmp(type, "permissive"))
		return 1u << TAG_PERMISSIVE;
	if (!strcmp(type, "enumerated") && !strcmp(kind, "restrictive"))
		return 1u << TAG_ENUMERATED_RESTRICTIVE;
	if (!strcmp(type, "enumerated") && !strcmp(kind, "permissive"))
		return 1u << TAG_ENUMERATED_PERMISSIVE;
	if (!strcmp(type, "tagType7") && !strcmp(encoding, "bitSetAttributes"))
		return 1u << TAG_INFORMATIVE;
	if (!strcmp(type, "tagType7") && !strcmp(encoding, "securityAttributes"))
		return 1u << TAG_ENUMERATED_INFORMATIVE;
	if ((!strcmp(type, "tagType7") && !*encoding) || !strcmp(type, "notApplicable"))
		return 1u << TAG_INFORMATIVE | 1u << TAG_ENUMERATED_INFORMATIVE;
	spif_fail(reading, node, "tagType=\"%.40s\" enumType=\"%.40s\" is no type (hint: restrictive, "
		"permissive, enumerated "
		"with enumType restrictive or permissive, tagType7)", type, kind);
	return 0;
}

/* --- dates: xs:dateTime --- */

static int64_t days_from_civil(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year, era = y / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t read_date(struct spif_reading *reading, const struct node *node, const char *name, int64_t otherwise)
{
	const char *text = node_attribute(node, name);
	int year, month, day, hour, minute, second, used = 0, zone_hour = 0, zone_minute = 0, end = 0;
	char sign;

	if (!text)
		return otherwise;
	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &second,
		&used) == 6 && year >= 1 &&
		month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour >= 0 && hour <= 24 && minute >= 0 && minute <= 59 &&
		second >= 0 && second <= 60) {
		text += used;
		text += *text == '.' ? 1 + strspn(text + 1, "0123456789") : 0;
		if (!*text || !strcmp(text, "Z") ||
			(sscanf(text, "%c%2d:%2d%n", &sign, &zone_hour, &zone_minute,
			&end) == 3 && !text[end] && strchr("+-", sign))) {
			int zone = (zone_hour * 60 + zone_minute) * (end && sign == '-' ? -60 : 60);

			return days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - zone;
		}
	}
	spif_fail(reading, node, "%s=\"%.40s\" is no time (hint: 2026-12-31T23:59:59Z)", name,
		node_attribute(node, name));
	return otherwise;
}

/* --- marking --- */

static unsigned marking_code(struct spif_reading *reading, const struct node *node, const char *name)
{
	static const struct {
		const char *name;
		unsigned code;
	} codes[] = {
		{"pageTop", MARKING_PAGE}, {"pageBottom", MARKING_PAGE}, {"pageTopBottom", MARKING_PAGE},
		{"documentStart", MARKING_PAGE}, {"documentEnd", MARKING_PAGE}, {"noNameDisplay", MARKING_NO_NAME},
		{"noMarkingDisplay", MARKING_NONE}, {"suppressClassName", MARKING_NO_CLASS},
		{"firstLineOfText", MARKING_FIRST_LINE}, {"replacePolicy", MARKING_REPLACES_POLICY},
		{"lastLineOfText", MARKING_OTHER}, {"subject", MARKING_OTHER}, {"xHeader", MARKING_OTHER},
		{"portionMarking", MARKING_OTHER}, {"inputTitle", MARKING_OTHER}, {"waterMark", MARKING_OTHER},
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (!strcmp(codes[i].name, name))
			return codes[i].code;
	spif_tell(reading->report, node, false, "marking code \"%.40s\" is not known, and has no effect", name);
	return MARKING_OTHER;
}

static void read_data(struct spif_reading *reading, const struct node *node, struct marking_data *data)
{
	const char *language = node_language(node);

	data->phrase = node_attribute(node, "phrase") ? spif_text(reading, node, "phrase", "") : NULL;
	data->language = language ? arena_strdup(reading->spif->arena, language) : "";
	if (!data->language)
		data->language = "";
	for (const struct node *code = node->first; code; code = code->next) {
		char *text = spif_is(code, "code") ? node_text(code, reading->spif->arena) : NULL;

		if (text)
			data->codes |= marking_code(reading, code, text);
	}
}

static void read_qualifier(struct spif_reading *reading, const struct node *node, struct marking_qualifier *qualifier)
{
	const char *code = node_attribute(node, "markingCode"), *other = node_attribute(node, "code");

	if (!code && other && !(reading->defects & DEFECT_QUALIFIER_CODE)) {
		reading->defects |= DEFECT_QUALIFIER_CODE;
		spif_tell(reading->report, node, false, "code= of <markingQualifier/> is taken as markingCode=");
	}
	code = code ? code : other;
	*qualifier = (struct marking_qualifier){code ? marking_code(reading, node, code) : 0, "", "", ""};
	for (const struct node *child = node->first; child; child = child->next) {
		const char *place, *text;

		if (!spif_is(child, "qualifier"))
			continue;
		place = node_attribute(child, "qualifierCode");
		text = spif_text(reading, child, "markingQualifier", "");
		if (!strcmp(place, "prefix"))
			qualifier->prefix = text;
		else if (!strcmp(place, "suffix"))
			qualifier->suffix = text;
		else if (!strcmp(place, "separator"))
			qualifier->separator = text;
		else
			spif_fail(reading, child, "qualifierCode=\"%.40s\" (hint: prefix, suffix, separator)", place);
	}
}

void spif_read_marking(struct spif_reading *reading, const struct node *node, struct marking *marking)
{
	struct marking_data *data = spif_alloc(reading, spif_count_children(node, "markingData"), sizeof(*data));
	struct marking_qualifier *qualifiers =
		spif_alloc(reading, spif_count_children(node, "markingQualifier"), sizeof(*qualifiers));

	*marking = (struct marking){.data = data, .qualifiers = qualifiers};
	for (const struct node *child = node->first; child && data && qualifiers; child = child->next)
		if (spif_is(child, "markingData"))
			read_data(reading, child, &data[marking->data_count++]);
		else if (spif_is(child, "markingQualifier"))
			read_qualifier(reading, child, &qualifiers[marking->qualifier_count++]);
}

/* --- classifications --- */

static void read_class(struct spif_reading *reading, const struct node *node, struct spif_class *class)
{
	const char *hierarchy = node_attribute(node, "hierarchy");
	char *end;

	class->name = spif_text(reading, node, "name", "");
	class->color = spif_text(reading, node, "color", "");
	class->obsolete = is_true(node, "obsolete");
	class->lacv = (int)spif_number(node_attribute(node, "lacv"), LABEL_CLASS_MAX);
	class->hierarchy = strtol(hierarchy, &end, 10);
	if (class->lacv < 0)
		spif_fail(reading, node, "classification %.60s: lacv=\"%.40s\" is no number up to %d", class->name,
			node_attribute(node, "lacv"), LABEL_CLASS_MAX);
	if (!*hierarchy || *end)
		spif_fail(reading, node, "classification %.60s: hierarchy=\"%.40s\" is no number", class->name,
		hierarchy);
	spif_read_marking(reading, node, &class->marking);
}

static void read_classes(struct spif_reading *reading, const struct node *parent)
{
	struct spif *spif = reading->spif;

	spif->classes = spif_alloc(reading, spif_count_children(parent, "securityClassification"),
		sizeof(*spif->classes));
	for (const struct node *node = parent->first; node && !reading->failed; node = node->next)
		if (spif_is(node, "securityClassification"))
			read_class(reading, node, &spif->classes[spif->class_count++]);
	if (!spif->class_count && !reading->failed)
		spif_fail(reading, parent, "there are no classifications");
}

/* --- tag sets, tags and categories --- */

static int64_t read_lacv(struct spif_reading *reading, const struct node *node, const struct spif_tag *tag,
	unsigned index)
{
	bool is_bit = tag->type == TAG_RESTRICTIVE || tag->type == TAG_PERMISSIVE || tag->type == TAG_INFORMATIVE;
	const char *text = node_attribute(node, "lacv");
	int64_t number = spif_number(text, LACV_NUMBER_MAX);

	if (number > LABEL_BIT_MAX && is_bit)
		spif_fail(reading, node, "category %.60s: lacv %s is beyond bit %d", node_attribute(node,
		"name"), text, LABEL_BIT_MAX);
	if (number < 0 && text[strspn(text, "0123456789")] == '\0')
		spif_fail(reading, node, "category %.60s: lacv \"%.40s\" is too large", node_attribute(node,
		"name"), text);
	return number >= 0 ? number : (int64_t)(LACV_TEXT + index);
}

static void read_value(struct spif_reading *reading, const struct node *node, unsigned tag)
{
	struct spif *spif = reading->spif;
	unsigned index = spif->value_count++;
	struct spif_value *value = &spif->values[index];

	value->name = spif_text(reading, node, "name", "");
	value->tag = tag;
	value->obsolete = is_true(node, "obsolete");
	value->value = (struct label_value){spif->tag_sets[spif->tags[tag].tag_set].id, spif->tags[tag].type,
		(uint64_t)read_lacv(reading, node, &spif->tags[tag], index)};
	value->not_before = read_date(reading, node, "notBefore", INT64_MIN);
	value->not_after = read_date(reading, node, "notAfter", INT64_MAX);
	value->required_class = -1;
	reading->lacvs[index] = spif_text(reading, node, "lacv", "");
	reading->nodes[index] = node;
	spif_read_marking(reading, node, &value->marking);
}

static unsigned read_selection(struct spif_reading *reading, const struct node *node, const char *name,
	unsigned unbounded)
{
	const char *text = node_attribute(node, name);
	int64_t number;

	if (!text || !strcmp(text, "unbounded"))
		return unbounded;
	number = spif_number(text, SPIF_COUNT_MAX);
	if (number < 0)
		spif_fail(reading, node, "%s=\"%.40s\" is no number (hint: unbounded)", name, text);
	return (unsigned)number;
}

static void read_tag(struct spif_reading *reading, const struct node *node, unsigned tag_set)
{
	struct spif *spif = reading->spif;
	unsigned index = spif->tag_count++, types = spif_types(reading, node);
	struct spif_tag *tag = &spif->tags[index];

	*tag = (struct spif_tag){.name = spif_text(reading, node, "name", ""), .tag_set = tag_set,
		.first = spif->value_count};
	while (tag->type + 1 < TAG_TYPES && !(types & 1u << tag->type))
		tag->type++;
	tag->max = is_true(node, "singleSelection") ? 1 : read_selection(reading, node, "maxSelection", UINT_MAX);
	tag->min = read_selection(reading, node, "minSelection", 0);
	if (tag->min > tag->max)
		spif_fail(reading, node, "tag %.60s: minSelection is above maxSelection", tag->name);
	for (const struct node *child = node->first; child && !reading->failed; child = child->next)
		if (spif_is(child, "tagCategory"))
			read_value(reading, child, index);
	tag->count = spif->value_count - tag->first;
	if (!reading->failed)
		spif_read_marking(reading, node, &tag->marking);
}

static void read_tag_set(struct spif_reading *reading, const struct node *node)
{
	struct spif *spif = reading->spif;
	unsigned index = spif->tag_set_count++;

	spif->tag_sets[index].name = spif_text(reading, node, "name", "");
	spif->tag_sets[index].id = spif_text(reading, node, "id", "");
	if (!oid_is_valid(spif->tag_sets[index].id))
		spif_fail(reading, node, "tag set %.60s: id=\"%.60s\" is no OID", spif->tag_sets[index].name,
		spif->tag_sets[index].id);
	for (const struct node *child = node->first; child && !reading->failed; child = child->next)
		if (spif_is(child, "securityCategoryTag"))
			read_tag(reading, child, index);
}

/* Room for all, so that indexes and addresses stay. */
static void allocate_tags(struct spif_reading *reading, const struct node *parent)
{
	unsigned tags = 0, values = 0;
	struct spif *spif = reading->spif;

	for (const struct node *set = parent->first; set; set = set->next)
		for (const struct node *tag = set->name ? set->first : NULL; tag; tag = tag->next)
			if (spif_is(tag, "securityCategoryTag")) {
				tags++;
				values += spif_count_children(tag, "tagCategory");
			}
	spif->tag_sets =
		spif_alloc(reading, spif_count_children(parent, "securityCategoryTagSet"), sizeof(*spif->tag_sets));
	spif->tags = spif_alloc(reading, tags, sizeof(*spif->tags));
	spif->values = spif_alloc(reading, values, sizeof(*spif->values));
	spif->by_number = spif_alloc(reading, values, sizeof(*spif->by_number));
	spif->by_name = spif_alloc(reading, values, sizeof(*spif->by_name));
	reading->lacvs = spif_alloc(reading, values, sizeof(*reading->lacvs));
	reading->nodes = spif_alloc(reading, values, sizeof(*reading->nodes));
}

static void read_privacy_marks(struct spif_reading *reading, const struct node *parent)
{
	struct spif *spif = reading->spif;

	spif->privacy_marks = spif_alloc(reading, spif_count_children(parent, "privacyMark"),
		sizeof(*spif->privacy_marks));
	for (const struct node *node = parent->first; node && !reading->failed; node = node->next)
		if (spif_is(node, "privacyMark"))
			spif->privacy_marks[spif->privacy_mark_count++] =
				(struct spif_privacy_mark){spif_text(reading, node, "name", ""), is_true(node,
				"obsolete")};
}

/* --- the whole --- */

static const struct node *child_of(const struct node *root, const char *name)
{
	const struct node *child = root->first;

	while (child && !spif_is(child, name))
		child = child->next;
	return child;
}

static void read_version(struct spif_reading *reading, const struct node *root)
{
	const char *version = node_attribute(root, "schemaVersion");

	if (!version)
		spif_tell(reading->report, root, false, "there is no schemaVersion; it is read as one of 2.1");
	else if (!strcmp(version, "3.0"))
		spif_fail(reading, root, "schemaVersion 3.0 is not read: it means other things by the same "
		"names (hint: export it "
			"as 2.1)");
	else if (strcmp(version, "1.0") != 0 && strcmp(version, "2.0") != 0 && strcmp(version, "2.1") != 0)
		spif_fail(reading, root, "schemaVersion %.20s is not known (hint: 1.0, 2.0, 2.1)", version);
}

/* ADatP-4774.1: names of these policies are compared in any case. */
static bool ignores_case(const char *name)
{
	return !strcmp(name, "NATO") || !strcmp(name, "PUBLIC");
}

static void read_ids(struct spif_reading *reading, const struct node *root)
{
	const struct node *id = child_of(root, "securityPolicyId"), *fallback = child_of(root,
		"defaultSecurityPolicyId");
	struct spif *spif = reading->spif;

	spif->version = spif_text(reading, root, "version", "1");
	spif->not_before = read_date(reading, root, "notBefore", INT64_MIN);
	spif->not_after = read_date(reading, root, "notAfter", INT64_MAX);
	spif->default_name = fallback ? spif_text(reading, fallback, "name", "") : "";
	spif->default_id = fallback ? spif_text(reading, fallback, "id", "") : "";
	spif_read_marking(reading, root, &spif->marking);
	if (!id) {
		spif_fail(reading, root, "there is no <securityPolicyId/>");
		return;
	}
	spif->name = spif_text(reading, id, "name", "");
	spif->id = spif_text(reading, id, "id", "");
	spif->ignores_case = ignores_case(spif->name);
	spif_read_marking(reading, id, &spif->policy_marking);
	if (!oid_is_valid(spif->id))
		spif_fail(reading, id, "policy %.60s: id=\"%.60s\" is no OID", spif->name, spif->id);
}

static void read_all(struct spif_reading *reading, const struct node *root)
{
	const struct node *classes = child_of(root, "securityClassifications");
	const struct node *tag_sets = child_of(root, "securityCategoryTagSets"), *marks = child_of(root,
		"privacyMarks");

	read_version(reading, root);
	read_ids(reading, root);
	if (!classes)
		spif_fail(reading, root, "there are no classifications");
	if (reading->failed)
		return;
	read_classes(reading, classes);
	if (tag_sets)
		allocate_tags(reading, tag_sets);
	for (const struct node *set = tag_sets ? tag_sets->first : NULL; set && !reading->failed; set = set->next)
		if (spif_is(set, "securityCategoryTagSet"))
			read_tag_set(reading, set);
	if (marks && !reading->failed)
		read_privacy_marks(reading, marks);
	if (!reading->failed)
		spif_read_rules(reading, root);
	if (!reading->failed)
		spif_check(reading);
}

static struct spif *spif_new(void)
{
	struct spif *spif = NULL;
	struct arena *arena = arena_new(SPIF_BYTES_MAX);

	if (arena)
		spif = arena_alloc(arena, sizeof(*spif));
	if (!spif) {
		arena_free(arena);
		return NULL;
	}
	*spif = (struct spif){.arena = arena, .name = "", .id = "", .version = "", .default_name = "",
		.default_id = ""};
	return spif;
}

static bool read_tree(struct spif_reading *reading, struct arena *tree, const char *bytes, size_t len)
{
	struct document_fault fault;
	int defect;
	const struct node *root = document_read(tree, bytes, len, &defect, &fault);

	if (!root) {
		reading->report->tell(reading->report->owner, fault.line, true, fault.text);
		return false;
	}
	if (defect)
		reading->report->tell(reading->report->owner, defect, false,
			"the name of the end tag is misspelt; it is taken as that of the element that is open");
	if (!spif_schema_holds(root, reading->report))
		return false;
	read_all(reading, root);
	return !reading->failed;
}

struct spif *spif_read(const char *bytes, size_t len, const struct spif_report *report)
{
	struct spif_reading reading = {.spif = spif_new(), .report = report};
	struct arena *tree = arena_new(TREE_BYTES_MAX);

	if (!reading.spif || !tree) {
		spif_tell(report, NULL, true, "no memory");
	} else if (read_tree(&reading, tree, bytes, len)) {
		arena_free(tree);
		return reading.spif;
	}
	arena_free(tree);
	spif_free(reading.spif);
	errno = EINVAL;
	return NULL;
}

void spif_free(struct spif *spif)
{
	if (spif)
		arena_free(spif->arena);
}
