/* What no schema can tell of a security policy: see spif_check() in spif_read.h. */
#include <stdlib.h>
#include <string.h>

#include "spif_read.h"

/* --- what is there twice --- */

static void check_classes(struct spif_reading *reading)
{
	const struct spif *spif = reading->spif;

	for (unsigned i = 0; i < spif->class_count; i++)
		for (unsigned j = 0; j < i; j++) {
			const struct spif_class *a = &spif->classes[j], *b = &spif->classes[i];

			if (!strcmp(a->name, b->name))
				spif_fail(reading, NULL, "classification %.60s is there twice", a->name);
			if (a->lacv == b->lacv)
				spif_fail(reading, NULL, "classifications %.60s and %.60s have one lacv: %d",
				a->name, b->name, a->lacv);
			if (a->hierarchy == b->hierarchy)
				spif_tell(reading->report, NULL, false, "classifications %.60s and %.60s have "
				"one hierarchy: neither is "
					"above the other", a->name, b->name);
			if (*a->color && !strcmp(a->color, b->color))
				spif_tell(reading->report, NULL, false, "classifications %.60s and %.60s have "
				"one colour", a->name, b->name);
		}
}

static void check_tag_sets(struct spif_reading *reading)
{
	const struct spif *spif = reading->spif;

	for (unsigned i = 0; i < spif->tag_set_count; i++)
		for (unsigned j = 0; j < i; j++)
			if (!strcmp(spif->tag_sets[i].name,
			spif->tag_sets[j].name) || !strcmp(spif->tag_sets[i].id, spif->tag_sets[j].id))
				spif_fail(reading, NULL, "tag sets %.60s and %.60s have one name or id",
				spif->tag_sets[j].name,
					spif->tag_sets[i].name);
}

static const char *tag_set_name(const struct spif *spif, const struct spif_value *value)
{
	return spif->tag_sets[spif->tags[value->tag].tag_set].name;
}

static bool have_one_number(const struct spif *spif, const struct spif_value *a, const struct spif_value *b)
{
	return spif_value(spif, &a->value) == spif_value(spif, &b->value);
}

/* In any case, where the policy says so. */
static bool have_one_name(const struct spif *spif, const struct spif_value *a, const struct spif_value *b)
{
	unsigned tag_set = spif->tags[a->tag].tag_set;
	enum tag_kind kind = tag_kind(a->value.type);

	return tag_set == spif->tags[b->tag].tag_set && kind == tag_kind(b->value.type) &&
		spif_value_by_name(spif, tag_set, kind, a->name) == spif_value_by_name(spif, tag_set, kind, b->name);
}

/* Values stand in both orders by now, so that what is there twice stands side by side. */
static void check_values(struct spif_reading *reading)
{
	const struct spif *spif = reading->spif;

	for (unsigned i = 1; i < spif->value_count; i++) {
		const struct spif_value *a = &spif->values[spif->by_number[i - 1]];
		const struct spif_value *b = &spif->values[spif->by_number[i]];

		if (have_one_number(spif, a, b))
			spif_fail(reading, NULL, "categories %.60s and %.60s of tag set %.60s have one lacv", a->name, b->name,
				tag_set_name(spif, a));
		a = &spif->values[spif->by_name[i - 1]];
		b = &spif->values[spif->by_name[i]];
		if (have_one_name(spif, a, b))
			spif_fail(reading, NULL, "category %.60s of tag set %.60s is there twice", a->name, tag_set_name(spif, a));
	}
}

static void check_equivalent_policies(struct spif_reading *reading)
{
	const struct spif *spif = reading->spif;

	for (unsigned i = 0; i < spif->equivalent_count; i++) {
		if (!strcmp(spif->equivalents[i].id, spif->id))
			spif_fail(reading, NULL, "equivalent policy %.60s is this policy itself",
			spif->equivalents[i].name);
		for (unsigned j = 0; j < i; j++)
			if (!strcmp(spif->equivalents[i].name, spif->equivalents[j].name) ||
				!strcmp(spif->equivalents[i].id, spif->equivalents[j].id))
				spif_fail(reading, NULL, "equivalent policies %.60s and %.60s have one name or "
				"id", spif->equivalents[j].name,
					spif->equivalents[i].name);
	}
}

/* --- what can never be had --- */

static bool group_has(const struct spif_group *group, unsigned value)
{
	for (unsigned i = 0; i < group->count; i++)
		if (value >= group->ranges[i].first && value - group->ranges[i].first < group->ranges[i].count)
			return true;
	return false;
}

static bool excludes_class(const struct spif_value *value, unsigned class)
{
	for (unsigned i = 0; i < value->excluded_class_count; i++)
		if (value->excluded_classes[i] == class)
			return true;
	return false;
}

/* With which classifications can it be? */
static bool has_a_class(const struct spif *spif, const struct spif_value *value)
{
	for (unsigned class = 0; class < spif->class_count; class++)
		if (!excludes_class(value,
		class) && (value->required_class < 0 || value->required_class == (int)class))
			return true;
	return false;
}

/* All that one rule requires is what the value itself excludes. */
static bool wants_what_it_excludes(const struct spif_value *value)
{
	for (unsigned i = 0; i < value->required_count; i++) {
		const struct spif_group *group = &value->required[i].group;
		unsigned left = 0;

		for (unsigned r = 0; r < group->count && !left; r++)
			for (unsigned j = 0; j < group->ranges[r].count && !left; j++)
				left += !group_has(&value->excluded, group->ranges[r].first + j);
		if (!left)
			return true;
	}
	return false;
}

static void check_reachable(struct spif_reading *reading)
{
	const struct spif *spif = reading->spif;

	for (unsigned i = 0; i < spif->value_count; i++) {
		const struct spif_value *value = &spif->values[i];
		const char *why = !has_a_class(spif, value) ? "no classification may have it"
			: wants_what_it_excludes(value)     ? "it excludes what it requires"
							    : NULL;

		if (why)
			spif_tell(reading->report, reading->nodes[i], false, "category %.60s is in no valid "
			"label: %s", value->name, why);
	}
}

/* --- which way back is not clear --- */

static void check_class_back(struct spif_reading *reading, const struct spif_class *class,
	const struct spif_equivalent_class *equivalent)
{
	const struct spif *spif = reading->spif;

	for (const struct spif_class *other = spif->classes; other < class; other++)
		for (unsigned i = 0; i < other->equivalent_count; i++)
			if (other->equivalents[i].policy == equivalent->policy && other->equivalents[i].lacv == equivalent->lacv &&
				other->equivalents[i].applied & equivalent->applied & SPIF_DECRYPT)
				spif_tell(reading->report, NULL, false, "%d of policy %.60s is both %.60s and "
				"%.60s (of the two, the "
					"one higher in the hierarchy is taken, unless the profile refuses it)",
					equivalent->lacv,
					spif->equivalents[equivalent->policy].name, other->name, class->name);
}

struct way_back {
	const struct spif_equivalent_value *equivalent;
	unsigned value;
};

static int compare_ways(const void *a, const void *b)
{
	const struct way_back *one = a, *other = b;

	if (one->equivalent->policy != other->equivalent->policy)
		return one->equivalent->policy < other->equivalent->policy ? -1 : 1;
	return label_value_compare(&one->equivalent->value, &other->equivalent->value);
}

static void check_values_back(struct spif_reading *reading)
{
	const struct spif *spif = reading->spif;
	unsigned room = 0, count = 0;
	struct way_back *ways;

	for (unsigned i = 0; i < spif->value_count; i++)
		room += spif->values[i].equivalent_count;
	ways = spif_alloc(reading, room, sizeof(*ways));
	for (unsigned i = 0; ways && i < spif->value_count; i++)
		for (unsigned j = 0; j < spif->values[i].equivalent_count; j++) {
			const struct spif_equivalent_value *equivalent = &spif->values[i].equivalents[j];

			if (equivalent->applied & SPIF_DECRYPT && !equivalent->discard)
				ways[count++] = (struct way_back){equivalent, i};
		}
	if (count)
		qsort(ways, count, sizeof(*ways), compare_ways);
	for (unsigned i = 1; i < count; i++)
		if (!compare_ways(&ways[i - 1], &ways[i]))
			spif_tell(reading->report, reading->nodes[ways[i].value], false, "one category of "
			"policy %.60s is both %.60s and "
				"%.60s: labels with it are not mapped",
				spif->equivalents[ways[i].equivalent->policy].name,
				spif->values[ways[i - 1].value].name, spif->values[ways[i].value].name);
}

void spif_check(struct spif_reading *reading)
{
	const struct spif *spif = reading->spif;

	check_classes(reading);
	check_tag_sets(reading);
	check_values(reading);
	check_equivalent_policies(reading);
	if (reading->failed)
		return;
	check_reachable(reading);
	for (unsigned i = 0; i < spif->class_count; i++)
		for (unsigned j = 0; j < spif->classes[i].equivalent_count; j++)
			check_class_back(reading, &spif->classes[i], &spif->classes[i].equivalents[j]);
	check_values_back(reading);
}
