/*
 * Mapping. The policy of the side that maps states equivalents of its own values in other policies: read forward, they
 * take a label of its own to another policy; read backward,
	they bring one of the other policy home. Where it does not
 * speak of the other one, that other policy may.
 *
 *                    outbound                                  inbound
 *     ours to theirs: ours forward, else theirs backward       theirs to ours: ours backward, else theirs forward
 *
 * What has no equivalent is refused, unless the policy says that it may be discarded.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "map.h"

struct work {
	const struct label_mapping *mapping;
	struct arena *arena;
	const struct spif *from, *to;  /* NULL: not known */
	struct label *mapped;
	unsigned room;                 /* of mapped->values */
	struct label_reason *why;
};

/* Which of its equivalents the other policy is; -1: none. */
static int equivalent_of(const struct spif *spif, const char *id)
{
	for (unsigned i = 0; spif && i < spif->equivalent_count; i++)
		if (!strcmp(spif->equivalents[i].id, id))
			return (int)i;
	return -1;
}

static int refuse(struct work *work, const char *what, const char *name)
{
	label_because(work->why, "labels.no-mapping", "%s %.60s has no equivalent in policy %.80s", what, name,
		work->to ? work->to->name : work->mapping->to);
	return -EINVAL;
}

static int add(struct work *work, const struct label_value *value)
{
	struct label *mapped = work->mapped;

	if (mapped->value_count == work->room) {
		unsigned room = work->room ? 2 * work->room : 16;
		struct label_value *values = room <= KNOWN_VALUES_MAX ? arena_alloc(work->arena,
		room * sizeof(*values)) : NULL;

		if (!values)
			return -ENOMEM;
		if (mapped->value_count)
			memcpy(values, mapped->values, mapped->value_count * sizeof(*values));
		mapped->values = values;
		work->room = room;
	}
	mapped->values[mapped->value_count++] = *value;
	return 0;
}

static bool has(const struct label *label, const struct label_value *value)
{
	for (unsigned i = 0; i < label->value_count; i++)
		if (!label_value_compare(&label->values[i], value))
			return true;
	return false;
}

/* --- what a label gets besides --- */

static bool is_meant(const struct spif *spif, const struct spif_value *value, const struct spif_foreign *group)
{
	const char *lacv = group->lacv + strspn(group->lacv, "0");
	char number[24];

	if (strcmp(spif->tag_sets[spif->tags[value->tag].tag_set].name, group->tag_set) != 0 ||
		!(group->types & 1u << value->value.type))
		return false;
	snprintf(number, sizeof(number), "%llu", (unsigned long long)value->value.lacv);
	return group->all || !strcmp(*lacv ? lacv : "0", number);
}

/* The values of the other policy that are meant: how many, how many of them are there,
	the last one. Adds them if wanted. */
struct meant {
	unsigned count, held;
	const struct spif_value *last;
};

static int each_of_group(struct work *work, const struct spif_foreign *group, bool wanted, struct meant *meant)
{
	for (unsigned i = 0; i < work->to->value_count; i++) {
		const struct spif_value *value = &work->to->values[i];

		if (!is_meant(work->to, value, group))
			continue;
		meant->count++;
		meant->last = value;
		if (has(work->mapped, &value->value))
			meant->held++;
		else if (wanted && add(work, &value->value))
			return -ENOMEM;
	}
	return 0;
}

/* All of them with `all`; else the one that is meant, where none of them is there yet. */
static int add_besides(struct work *work, const struct spif_addition *addition)
{
	bool all = addition->operation == SPIF_ALL;
	struct meant meant = {0};
	int err = 0;

	if (!work->to) {
		label_because(work->why, "labels.no-mapping", "policy %.80s, whose categories are to be added, "
		"is not known",
			work->mapping->to);
		return -EINVAL;
	}
	for (unsigned i = 0; i < addition->count && !err; i++)
		err = each_of_group(work, &addition->groups[i], all, &meant);
	if (err || (all && meant.count) || meant.held == 1 || (meant.held && addition->operation == SPIF_ONE_OR_MORE))
		return err;
	if (meant.count == 1)
		return add(work, &meant.last->value);
	label_because(work->why, "labels.no-mapping", "which of %u categories of policy %.60s is to be added is "
		"not clear", meant.count,
		work->to->name);
	return -EINVAL;
}

static int add_all(struct work *work, const struct spif_addition *additions, unsigned count)
{
	int err = 0;

	for (unsigned i = 0; i < count && !err; i++)
		err = add_besides(work, &additions[i]);
	return err;
}

/* --- forward --- */

static int class_forward(struct work *work, const struct known_label *label, unsigned other)
{
	const struct spif_equivalent_class *found = NULL;

	for (unsigned i = 0; i < label->class->equivalent_count; i++) {
		const struct spif_equivalent_class *equivalent = &label->class->equivalents[i];

		if (equivalent->policy != other || !(equivalent->applied & work->mapping->applied))
			continue;
		if (found && found->lacv != equivalent->lacv)
			return refuse(work, "several equivalents: classification", label->class->name);
		found = equivalent;
	}
	if (!found)
		return refuse(work, "classification", label->class->name);
	work->mapped->classification = found->lacv;
	return add_all(work, found->additions, found->addition_count);
}

static int value_forward(struct work *work, const struct spif_value *value, unsigned other)
{
	bool found = false;

	for (unsigned i = 0; i < value->equivalent_count; i++) {
		const struct spif_equivalent_value *equivalent = &value->equivalents[i];

		if (equivalent->policy != other || !(equivalent->applied & work->mapping->applied))
			continue;
		found = true;
		if (!equivalent->discard && add(work, &equivalent->value))
			return -ENOMEM;
	}
	return found ? 0 : refuse(work, "category", value->name);
}

static int tag_sets_forward(struct work *work, const struct known_label *label, unsigned other)
{
	const struct spif *spif = label->spif;
	unsigned last = spif->tag_set_count;
	int err = 0;

	for (unsigned i = 0; i < label->value_count && !err; i++) {
		unsigned index = spif->tags[spif->values[label->values[i]].tag].tag_set;
		const struct spif_tag_set *set = &spif->tag_sets[index];

		for (unsigned j = 0; index != last && j < set->equivalent_count && !err; j++)
			if (set->equivalents[j].policy == other)
				err = add_all(work, set->equivalents[j].additions,
				set->equivalents[j].addition_count);
		last = index;
	}
	return err;
}

static int map_forward(struct work *work, const struct label *label, unsigned other)
{
	struct known_label known;
	int err;

	if (!label_known(work->from, label, &known, work->why))
		return -EINVAL;
	err = class_forward(work, &known, other);
	for (unsigned i = 0; i < known.value_count && !err; i++)
		err = value_forward(work, &known.spif->values[known.values[i]], other);
	if (!err)
		err = tag_sets_forward(work, &known, other);
	return err ? err
		   : add_all(work, work->from->equivalents[other].additions,
		work->from->equivalents[other].addition_count);
}

/* --- backward --- */

static bool is_class(const struct work *work, const struct spif_class *class, unsigned other, int lacv)
{
	for (unsigned i = 0; i < class->equivalent_count; i++)
		if (class->equivalents[i].policy == other && class->equivalents[i].lacv == lacv &&
			class->equivalents[i].applied & work->mapping->applied)
			return true;
	return false;
}

static int class_backward(struct work *work, int lacv, unsigned other)
{
	const struct spif_class *found = NULL;
	char number[16];

	snprintf(number, sizeof(number), "%d", lacv);
	for (unsigned i = 0; i < work->to->class_count; i++) {
		const struct spif_class *class = &work->to->classes[i];

		if (!is_class(work, class, other, lacv))
			continue;
		if (found && (work->mapping->refuses_ambiguous || found->hierarchy == class->hierarchy)) {
			label_because(work->why, "labels.ambiguous", "classification %d is both %.60s and "
			"%.60s", lacv, found->name, class->name);
			return -EINVAL;
		}
		if (!found || class->hierarchy > found->hierarchy)
			found = class;
	}
	if (!found)
		return refuse(work, "classification", number);
	work->mapped->classification = found->lacv;
	return 0;
}

static bool is_value(const struct work *work, const struct spif_value *value, unsigned other,
	const struct label_value *wanted)
{
	for (unsigned i = 0; i < value->equivalent_count; i++) {
		const struct spif_equivalent_value *equivalent = &value->equivalents[i];

		if (equivalent->policy == other && !equivalent->discard && equivalent->applied & work->mapping->applied &&
			!label_value_compare(&equivalent->value, wanted))
			return true;
	}
	return false;
}

static int value_backward(struct work *work, const struct label_value *wanted, unsigned other)
{
	const struct spif_value *found = NULL;
	char number[24];

	snprintf(number, sizeof(number), "%llu", (unsigned long long)wanted->lacv);
	for (unsigned i = 0; i < work->to->value_count; i++) {
		const struct spif_value *value = &work->to->values[i];

		if (!is_value(work, value, other, wanted))
			continue;
		if (found) {
			label_because(work->why, "labels.ambiguous", "category %s is both %.60s and %.60s",
			number, found->name, value->name);
			return -EINVAL;
		}
		found = value;
	}
	return found ? add(work, &found->value) : refuse(work, "category", number);
}

static int map_backward(struct work *work, const struct label *label, unsigned other)
{
	int err = class_backward(work, label->classification, other);

	for (unsigned i = 0; i < label->value_count && !err; i++)
		err = value_backward(work, &label->values[i], other);
	return err;
}

/* --- the whole --- */

static int map_either(struct work *work, const struct label *label)
{
	int forward = equivalent_of(work->from, work->mapping->to), backward = equivalent_of(work->to, label->policy);
	bool ours_is_from = work->mapping->applied == SPIF_ENCRYPT;

	if (forward >= 0 && (ours_is_from || backward < 0))
		return map_forward(work, label, (unsigned)forward);
	if (backward >= 0)
		return map_backward(work, label, (unsigned)backward);
	label_because(work->why, "labels.no-mapping", "no policy states equivalents between %.80s and %.80s",
		*label->policy ? label->policy : "none", work->mapping->to);
	return -EINVAL;
}

int label_map(const struct label_mapping *mapping, struct arena *arena, const struct label *label,
	struct label *mapped,
	struct label_reason *why)
{
	struct work work = {.mapping = mapping,
		.arena = arena,
		.from = spif_by_id(mapping->policies, label->policy),
		.to = spif_by_id(mapping->policies, mapping->to),
		.mapped = mapped,
		.why = why};
	struct known_label known;
	int err;

	*mapped = (struct label){.policy = mapping->to, .classification = -1, .is_missi = label->is_missi};
	err = map_either(&work, label);
	if (err)
		return err;
	mapped->value_count = label_values_sort(mapped->values, mapped->value_count);
	if (work.to && (!label_known(work.to, mapped, &known, why) || !label_is_valid(&known, NULL,
		&mapping->terms, why)))
		return -EINVAL;
	return 0;
}
