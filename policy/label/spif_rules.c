/* What of a policy refers to something else of it, or to another policy: rules, excluded and required,
	and equivalents. */
#include <stdlib.h>
#include <string.h>

#include "spif_read.h"

/* --- groups of categories --- */

static int compare_ranges(const void *a, const void *b)
{
	const struct spif_range *one = a, *other = b;

	return one->first < other->first ? -1 : one->first > other->first;
}

/* Neighbours and those that overlap become one. */
static void join_ranges(struct spif_group *group, struct spif_range *ranges)
{
	unsigned kept = 0;

	qsort(ranges, group->count, sizeof(*ranges), compare_ranges);
	for (unsigned i = 0; i < group->count; i++) {
		struct spif_range *last = kept ? &ranges[kept - 1] : NULL;
		unsigned end = ranges[i].first + ranges[i].count;

		if (!last || ranges[i].first > last->first + last->count)
			ranges[kept++] = ranges[i];
		else if (end > last->first + last->count)
			last->count = end - last->first;
	}
	group->count = kept;
	for (unsigned i = 0; i < kept; i++)
		group->size += ranges[i].count;
}

static bool is_same_lacv(const char *a, const char *b)
{
	int64_t one = spif_number(a, LACV_NUMBER_MAX), other = spif_number(b, LACV_NUMBER_MAX);

	return one >= 0 || other >= 0 ? one == other : !strcmp(a, b);
}

/* One value, by its lacv; those of a number are found by it, others one by one. -1: none. */
static int find_lacv(const struct spif_reading *reading, unsigned tag_set, unsigned types, const char *lacv)
{
	const struct spif *spif = reading->spif;
	int64_t number = spif_number(lacv, LACV_NUMBER_MAX);

	for (unsigned type = 0; number >= 0 && type < TAG_TYPES; type++) {
		const struct label_value wanted = {spif->tag_sets[tag_set].id, (enum tag_type)type, (uint64_t)number};
		int found = types & 1u << type ? spif_value(spif, &wanted) : -1;

		if (found >= 0)
			return found;
	}
	for (unsigned i = 0; number < 0 && i < spif->value_count; i++)
		if (spif->tags[spif->values[i].tag].tag_set == tag_set && types & 1u << spif->values[i].value.type &&
			is_same_lacv(reading->lacvs[i], lacv))
			return (int)i;
	return -1;
}

static bool is_all(const struct node *node)
{
	const char *all = node_attribute(node, "all");

	return all && (!strcmp(all, "true") || !strcmp(all, "1"));
}

/* How many ranges one reference needs at most. */
static unsigned room_for(const struct spif *spif, const struct node *node)
{
	return is_all(node) ? spif->tag_count : 1;
}

static void add_reference(struct spif_reading *reading, const struct node *node, struct spif_group *group,
	struct spif_range *ranges)
{
	const char *name = node_attribute(node, "tagSetRef"), *lacv = node_attribute(node, "lacv");
	const struct spif *spif = reading->spif;
	int tag_set = spif_tag_set_by_name(spif, name), found;
	unsigned types = spif_types(reading, node);

	if (!types)
		return;
	if (tag_set < 0) {
		spif_fail(reading, node, "<%s/>: there is no tag set \"%.60s\"", node->name, name);
	} else if (is_all(node) == !!lacv) {
		spif_fail(reading, node, "<%s/> needs either lacv or all=\"true\"", node->name);
	} else if (!lacv) {
		for (unsigned i = 0; i < spif->tag_count; i++)
			if (spif->tags[i].tag_set == (unsigned)tag_set && types & 1u << spif->tags[i].type && spif->tags[i].count)
				ranges[group->count++] = (struct spif_range){spif->tags[i].first,
				spif->tags[i].count};
	} else {
		found = find_lacv(reading, (unsigned)tag_set, types, lacv);
		if (found < 0)
			spif_fail(reading, node, "<%s/>: tag set %.60s has no category of this type with lacv "
			"%.40s", node->name, name, lacv);
		else
			ranges[group->count++] = (struct spif_range){(unsigned)found, 1};
	}
}

/* All references of this name in `parent`. */
static void read_group(struct spif_reading *reading, const struct node *parent, const char *name,
	struct spif_group *group)
{
	struct spif_range *ranges;
	unsigned room = 0;

	for (const struct node *node = parent->first; node; node = node->next)
		room += spif_is(node, name) ? room_for(reading->spif, node) : 0;
	*group = (struct spif_group){0};
	if (!room)
		return;
	ranges = spif_alloc(reading, room, sizeof(*ranges));
	group->ranges = ranges;
	for (const struct node *node = parent->first; node && !reading->failed; node = node->next)
		if (spif_is(node, name))
			add_reference(reading, node, group, ranges);
	if (ranges)
		join_ranges(group, ranges);
}

static enum spif_operation read_operation(struct spif_reading *reading, const struct node *node)
{
	const char *operation = node_attribute(node, "operation");

	if (!strcmp(operation, "onlyOne"))
		return SPIF_ONLY_ONE;
	if (!strcmp(operation, "oneOrMore"))
		return SPIF_ONE_OR_MORE;
	if (strcmp(operation, "all") != 0)
		spif_fail(reading, node, "operation=\"%.40s\" is not known (hint: onlyOne, oneOrMore, all)",
		operation);
	return SPIF_ALL;
}

static unsigned read_required(struct spif_reading *reading, const struct node *parent,
	const struct spif_required **list)
{
	unsigned count = spif_count_children(parent, "requiredCategory"), i = 0;
	struct spif_required *required = count ? spif_alloc(reading, count, sizeof(*required)) : NULL;

	*list = required;
	for (const struct node *node = parent->first; required && node && !reading->failed; node = node->next)
		if (spif_is(node, "requiredCategory")) {
			required[i].operation = read_operation(reading, node);
			read_group(reading, node, "categoryGroup", &required[i].group);
			if (!required[i++].group.size && !reading->failed)
				spif_fail(reading, node, "<requiredCategory/> names no category: no label can "
				"be valid");
		}
	return i;
}

/* --- what mapped labels get besides --- */

static void read_foreign(struct spif_reading *reading, const struct node *node, struct spif_foreign *foreign)
{
	*foreign = (struct spif_foreign){.tag_set = spif_text(reading, node, "tagSetRef", ""),
		.types = spif_types(reading, node),
		.all = is_all(node),
		.lacv = spif_text(reading, node, "lacv", "")};
	if (foreign->all == !!*foreign->lacv)
		spif_fail(reading, node, "<categoryGroup/> needs either lacv or all=\"true\"");
}

static unsigned read_additions(struct spif_reading *reading, const struct node *parent,
	const struct spif_addition **list)
{
	unsigned count = spif_count_children(parent, "requiredCategory"), i = 0;
	struct spif_addition *additions = count ? spif_alloc(reading, count, sizeof(*additions)) : NULL;

	*list = additions;
	for (const struct node *node = parent->first; additions && node && !reading->failed; node = node->next) {
		struct spif_foreign *groups;
		unsigned n = 0;

		if (!spif_is(node, "requiredCategory"))
			continue;
		groups = spif_alloc(reading, spif_count_children(node, "categoryGroup"), sizeof(*groups));
		for (const struct node *group = node->first; groups && group && !reading->failed; group = group->next)
			if (spif_is(group, "categoryGroup"))
				read_foreign(reading, group, &groups[n++]);
		additions[i++] = (struct spif_addition){read_operation(reading, node), groups, n};
	}
	return i;
}

static int find_equivalent(struct spif_reading *reading, const struct node *node)
{
	const struct spif *spif = reading->spif;
	const char *name = node_attribute(node, "policyRef");

	for (unsigned i = 0; i < spif->equivalent_count; i++)
		if (!strcmp(spif->equivalents[i].name, name))
			return (int)i;
	spif_fail(reading, node, "<%s/>: there is no equivalent policy \"%.60s\"", node->name, name);
	return 0;
}

static unsigned read_applied(struct spif_reading *reading, const struct node *node)
{
	const char *applied = node_attribute(node, "applied");

	if (!strcmp(applied, "both"))
		return SPIF_ENCRYPT | SPIF_DECRYPT;
	if (!strcmp(applied, "encrypt"))
		return SPIF_ENCRYPT;
	if (strcmp(applied, "decrypt") != 0)
		spif_fail(reading, node, "applied=\"%.40s\" is not known (hint: encrypt, decrypt, both)", applied);
	return SPIF_DECRYPT;
}

static void read_equivalent_policies(struct spif_reading *reading, const struct node *root)
{
	struct spif *spif = reading->spif;
	const struct node *parent = root->first;

	while (parent && !spif_is(parent, "equivalentPolicies"))
		parent = parent->next;
	spif->equivalents =
		spif_alloc(reading, (parent ? spif_count_children(parent, "equivalentPolicy") : 0) + 1,
		sizeof(*spif->equivalents));
	for (const struct node *node = parent ? parent->first : NULL; node && !reading->failed; node = node->next) {
		struct spif_equivalent_policy *policy;

		if (!spif_is(node, "equivalentPolicy"))
			continue;
		policy = &spif->equivalents[spif->equivalent_count++];
		policy->name = spif_text(reading, node, "name", "");
		policy->id = spif_text(reading, node, "id", "");
		policy->addition_count = read_additions(reading, node, &policy->additions);
		if (!oid_is_valid(policy->id))
			spif_fail(reading, node, "equivalent policy %.60s: id=\"%.60s\" is no OID",
			policy->name, policy->id);
	}
	if (*spif->default_id && !reading->failed)
		spif->equivalents[spif->equivalent_count++] =
			(struct spif_equivalent_policy){.name = spif->default_name, .id = spif->default_id};
}

/* --- classifications --- */

static void read_equivalent_class(struct spif_reading *reading, const struct node *node,
	struct spif_equivalent_class *class)
{
	int64_t lacv = spif_number(node_attribute(node, "lacv"), LABEL_CLASS_MAX);

	class->policy = (unsigned)find_equivalent(reading, node);
	class->applied = read_applied(reading, node);
	class->addition_count = read_additions(reading, node, &class->additions);
	class->lacv = (int)lacv;
	if (lacv < 0)
		spif_fail(reading, node, "<%s/>: lacv is no number up to %d", node->name, LABEL_CLASS_MAX);
}

static void read_class_rules(struct spif_reading *reading, const struct node *node, struct spif_class *class)
{
	struct spif_equivalent_class *equivalents =
		spif_alloc(reading, spif_count_children(node, "equivalentClassification"), sizeof(*equivalents));

	class->required_count = read_required(reading, node, &class->required);
	class->equivalents = equivalents;
	for (const struct node *child = node->first; child && !reading->failed; child = child->next)
		if (spif_is(child, "equivalentClassification"))
			read_equivalent_class(reading, child, &equivalents[class->equivalent_count++]);
}

/* --- categories --- */

static int find_class(struct spif_reading *reading, const struct node *node, const char *name)
{
	int class = spif_class_by_name(reading->spif, name);

	if (class < 0)
		spif_fail(reading, node, "there is no classification \"%.60s\"", name);
	return class;
}

static void read_excluded_classes(struct spif_reading *reading, const struct node *node, struct spif_value *value)
{
	unsigned *classes = spif_alloc(reading, spif_count_children(node, "excludedClass"), sizeof(*classes));

	value->excluded_classes = classes;
	for (const struct node *child = node->first; child && !reading->failed; child = child->next)
		if (spif_is(child, "excludedClass")) {
			char *name = node_text(child, reading->spif->arena);

			if (!name)
				spif_fail(reading, child, "no memory");
			else
				classes[value->excluded_class_count++] = (unsigned)find_class(reading, child, name);
		}
}

static void read_equivalent_value(struct spif_reading *reading, const struct node *node,
	struct spif_equivalent_value *value)
{
	const char *action = node_attribute(node, "action"), *lacv = node_attribute(node, "lacv");
	int64_t number = lacv ? spif_number(lacv, LACV_NUMBER_MAX) : -1;
	unsigned types;

	value->policy = (unsigned)find_equivalent(reading, node);
	value->applied = read_applied(reading, node);
	value->discard = action && !strcmp(action, "discard");
	if (action && !value->discard)
		spif_fail(reading, node, "action=\"%.40s\" is not known (hint: discard)", action);
	if (value->discard || reading->failed)
		return;
	types = node_attribute(node, "tagType") ? spif_types(reading, node) : 0;
	value->value = (struct label_value){spif_text(reading, node, "tagSetId", ""), TAG_RESTRICTIVE,
		(uint64_t)number};
	while (value->value.type + 1 < TAG_TYPES && !(types & 1u << value->value.type))
		value->value.type++;
	if (!types || number < 0 || !oid_is_valid(value->value.tag_set))
		spif_fail(reading, node, "<%s/> needs tagSetId, tagType and a lacv that is a number, or "
		"action=\"discard\"", node->name);
}

static void read_value_rules(struct spif_reading *reading, const struct node *node, struct spif_value *value)
{
	struct spif_equivalent_value *equivalents =
		spif_alloc(reading, spif_count_children(node, "equivalentSecCategoryTag"), sizeof(*equivalents));
	const char *class = node_attribute(node, "requiredClass");

	if (class)
		value->required_class = find_class(reading, node, class);
	read_excluded_classes(reading, node, value);
	read_group(reading, node, "excludedCategory", &value->excluded);
	value->required_count = read_required(reading, node, &value->required);
	value->equivalents = equivalents;
	for (const struct node *child = node->first; child && !reading->failed; child = child->next)
		if (spif_is(child, "equivalentSecCategoryTag"))
			read_equivalent_value(reading, child, &equivalents[value->equivalent_count++]);
}

static void read_tag_set_rules(struct spif_reading *reading, const struct node *node, struct spif_tag_set *set)
{
	struct spif_equivalent_tag_set *equivalents =
		spif_alloc(reading, spif_count_children(node, "equivalentSecurityCategoryTagSet"),
		sizeof(*equivalents));

	set->equivalents = equivalents;
	for (const struct node *child = node->first; child && !reading->failed; child = child->next)
		if (spif_is(child, "equivalentSecurityCategoryTagSet")) {
			struct spif_equivalent_tag_set *equivalent = &equivalents[set->equivalent_count++];

			equivalent->policy = (unsigned)find_equivalent(reading, child);
			equivalent->addition_count = read_additions(reading, child, &equivalent->additions);
		}
}

void spif_read_rules(struct spif_reading *reading, const struct node *root)
{
	struct spif *spif = reading->spif;
	unsigned class = 0, set = 0;

	spif_index(spif);
	read_equivalent_policies(reading, root);
	for (const struct node *parent = root->first; parent; parent = parent->next)
		for (const struct node *node = parent->name ? parent->first : NULL; node && !reading->failed; node = node->next)
			if (spif_is(node, "securityClassification"))
				read_class_rules(reading, node, &spif->classes[class++]);
			else if (spif_is(node, "securityCategoryTagSet"))
				read_tag_set_rules(reading, node, &spif->tag_sets[set++]);
	for (unsigned i = 0; i < spif->value_count && !reading->failed; i++)
		read_value_rules(reading, reading->nodes[i], &spif->values[i]);
}
