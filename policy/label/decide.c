/* The decision; see decide.h. What is tested is in X.841 and in the annotations of the schema of Open XML SPIF. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "decide.h"

struct known_clearance {
	const struct spif *spif;
	uint64_t classes[LABEL_CLASS_MAX / 64 + 1];
	uint64_t values[];             /* bit i: value i of the policy */
};

void label_because(struct label_reason *why, const char *rule, const char *format, ...)
{
	va_list ap;

	why->rule = rule;
	va_start(ap, format);
	vsnprintf(why->text, sizeof(why->text), format, ap);
	va_end(ap);
}

/* --- finding --- */

static const char *policy_text(const char *oid)
{
	return *oid ? oid : "none";
}

static int compare_indexes(const void *a, const void *b)
{
	unsigned one = *(const unsigned *)a, other = *(const unsigned *)b;

	return one < other ? -1 : one > other;
}

static bool values_known(const struct spif *spif, const struct label *label, struct known_label *known,
	struct label_reason *why)
{
	if (label->value_count > KNOWN_VALUES_MAX) {
		label_because(why, "labels.category", "the label has more than %d categories", KNOWN_VALUES_MAX);
		return false;
	}
	for (unsigned i = 0; i < label->value_count; i++) {
		const struct label_value *value = &label->values[i];
		int index = spif_value(spif, value);

		if (index < 0) {
			label_because(why, "labels.category", "policy %.60s has no category %llu of its type in "
			"tag set %.60s", spif->name,
				(unsigned long long)value->lacv, value->tag_set);
			return false;
		}
		known->values[known->value_count++] = (unsigned)index;
	}
	if (known->value_count > 1)
		qsort(known->values, known->value_count, sizeof(*known->values), compare_indexes);
	return true;
}

bool label_known(const struct spif *spif, const struct label *label, struct known_label *known,
	struct label_reason *why)
{
	int class = spif_class(spif, label->classification);

	known->spif = spif;
	known->value_count = 0;
	if (strcmp(spif->id, label->policy) != 0) {
		label_because(why, "labels.policy", "the label is of policy %.80s, not of %.60s",
		policy_text(label->policy), spif->name);
		return false;
	}
	if (class < 0) {
		label_because(why, "labels.classification", "policy %.60s has no classification %d",
		spif->name, label->classification);
		return false;
	}
	known->class = &spif->classes[class];
	return values_known(spif, label, known, why);
}

struct known_clearance *clearance_known(const struct spif *spif, const struct clearance *clearance,
	struct label_reason *why)
{
	struct known_clearance *known;

	*why = (struct label_reason){.rule = ""};
	if (strcmp(spif->id, clearance->policy) != 0) {
		label_because(why, "labels.policy", "the clearance is of policy %.80s, not of %.60s",
		policy_text(clearance->policy),
			spif->name);
		errno = EINVAL;
		return NULL;
	}
	known = calloc(1, sizeof(*known) + (spif->value_count / 64 + 1) * sizeof(uint64_t));
	if (!known)
		return NULL;
	known->spif = spif;
	memcpy(known->classes, clearance->classes, sizeof(known->classes));
	for (unsigned i = 0; i < clearance->value_count; i++) {
		int index = spif_value(spif, &clearance->values[i]);

		if (index >= 0)
			known->values[index / 64] |= UINT64_C(1) << (index % 64);
	}
	return known;
}

void clearance_free(struct known_clearance *clearance)
{
	free(clearance);
}

const struct spif *clearance_policy(const struct known_clearance *clearance)
{
	return clearance->spif;
}

/* --- is it valid? --- */

static bool group_has(const struct spif_group *group, unsigned value)
{
	for (unsigned i = 0; i < group->count; i++)
		if (value >= group->ranges[i].first && value - group->ranges[i].first < group->ranges[i].count)
			return true;
	return false;
}

/* How many of the group the label has, not counting `except`. */
static unsigned count_of(const struct known_label *label, const struct spif_group *group, unsigned except)
{
	unsigned count = 0;

	for (unsigned i = 0; i < label->value_count; i++)
		count += label->values[i] != except && group_has(group, label->values[i]);
	return count;
}

static bool holds(const struct known_label *label, const struct spif_required *required)
{
	unsigned count = count_of(label, &required->group, UINT_MAX);

	switch (required->operation) {
	case SPIF_ONLY_ONE: return count == 1;
	case SPIF_ONE_OR_MORE: return count >= 1;
	default: return count == required->group.size;
	}
}

static const char *operation_text(enum spif_operation operation)
{
	return operation == SPIF_ONLY_ONE ? "exactly one" : operation == SPIF_ONE_OR_MORE ? "at least one" : "all";
}

static bool all_hold(const struct known_label *label, const struct spif_required *required, unsigned count,
	const char *who, struct label_reason *why)
{
	for (unsigned i = 0; i < count; i++)
		if (!holds(label, &required[i])) {
			label_because(why, "labels.required-category", "%.60s requires %s of %u categories, "
			"such as %.60s", who,
				operation_text(required[i].operation), required[i].group.size,
				label->spif->values[required[i].group.ranges[0].first].name);
			return false;
		}
	return true;
}

static bool class_fits(const struct known_label *label, const struct spif_value *value, struct label_reason *why)
{
	unsigned class = (unsigned)(label->class - label->spif->classes);

	for (unsigned i = 0; i < value->excluded_class_count; i++)
		if (value->excluded_classes[i] == class) {
			label_because(why, "labels.excluded-class", "%.60s is not with classification %.60s",
			value->name, label->class->name);
			return false;
		}
	if (value->required_class >= 0 && (unsigned)value->required_class != class) {
		label_because(why, "labels.required-class", "%.60s is only with classification %.60s", value->name,
			label->spif->classes[value->required_class].name);
		return false;
	}
	return true;
}

static bool value_is_valid(const struct known_label *label, unsigned index, const struct label_terms *terms,
	struct label_reason *why)
{
	const struct spif_value *value = &label->spif->values[index];

	if (terms->now != INT64_MIN && (terms->now < value->not_before || terms->now > value->not_after)) {
		label_because(why, "labels.not-in-force", "%.60s is not in force today", value->name);
		return false;
	}
	if (value->obsolete && terms->is_ours) {
		label_because(why, "labels.obsolete", "%.60s is obsolete", value->name);
		return false;
	}
	if (!class_fits(label, value, why))
		return false;
	if (count_of(label, &value->excluded, index)) {
		label_because(why, "labels.excluded-category", "%.60s is not with another category that the "
		"label has", value->name);
		return false;
	}
	return all_hold(label, value->required, value->required_count, value->name, why);
}

/* How many values a label may have of a tag, and has to. */
static bool selections_fit(const struct known_label *label, struct label_reason *why)
{
	const struct spif *spif = label->spif;
	unsigned i = 0;

	for (unsigned t = 0; t < spif->tag_count; t++) {
		const struct spif_tag *tag = &spif->tags[t];
		unsigned first = i;

		while (i < label->value_count && spif->values[label->values[i]].tag == t)
			i++;
		if (i - first < tag->min || i - first > tag->max) {
			label_because(why, "labels.selection", "the label has %u categories of %.60s, which is "
			"too %s", i - first, tag->name,
				i - first < tag->min ? "few" : "many");
			return false;
		}
	}
	return true;
}

/* A privacy mark is free text: one that the policy does not list could say anything. */
static bool mark_is_valid(const struct spif *spif, const char *mark, const struct label_terms *terms,
	struct label_reason *why)
{
	unsigned i = 0;

	if (!mark)
		return true;
	while (i < spif->privacy_mark_count && strcmp(spif->privacy_marks[i].name, mark) != 0)
		i++;
	if (i < spif->privacy_mark_count && !(spif->privacy_marks[i].obsolete && terms->is_ours))
		return true;
	label_because(why, "labels.privacy-mark", "policy %.60s has no such privacy mark, or it is obsolete",
		spif->name);
	return false;
}

bool label_is_valid(const struct known_label *label, const char *privacy_mark, const struct label_terms *terms,
	struct label_reason *why)
{
	const struct spif *spif = label->spif;

	if (terms->now != INT64_MIN && (terms->now < spif->not_before || terms->now > spif->not_after)) {
		label_because(why, "labels.not-in-force", "policy %.60s is not in force today", spif->name);
		return false;
	}
	if (label->class->obsolete && terms->is_ours) {
		label_because(why, "labels.obsolete", "classification %.60s is obsolete", label->class->name);
		return false;
	}
	for (unsigned i = 0; i < label->value_count; i++)
		if (!value_is_valid(label, label->values[i], terms, why))
			return false;
	return mark_is_valid(spif, privacy_mark, terms, why) && selections_fit(label, why) &&
		all_hold(label, label->class->required, label->class->required_count, label->class->name, why);
}

/* --- is it granted? --- */

static bool has(const struct known_clearance *clearance, unsigned value)
{
	return clearance->values[value / 64] >> (value % 64) & 1;
}

/* The values from `first` on that are of its tag; returns the first that is not. */
static unsigned end_of_tag(const struct known_label *label, unsigned first)
{
	unsigned end = first;

	while (end < label->value_count &&
		label->spif->values[label->values[end]].tag == label->spif->values[label->values[first]].tag)
		end++;
	return end;
}

static unsigned count_held(const struct known_label *label, const struct known_clearance *clearance, unsigned first,
	unsigned end)
{
	unsigned count = 0;

	for (unsigned i = first; i < end; i++)
		count += has(clearance, label->values[i]);
	return count;
}

/* Restrictive: every one; permissive: one of those of the tag, whatever other tags say; informative: no matter. */
static bool tag_is_granted(const struct known_label *label, const struct known_clearance *clearance, unsigned first,
	unsigned end, struct label_reason *why)
{
	const struct spif_value *value = &label->spif->values[label->values[first]];
	unsigned held = count_held(label, clearance, first, end);

	switch (tag_kind(value->value.type)) {
	case KIND_INFORMATIVE: return true;
	case KIND_PERMISSIVE:
		if (held)
			return true;
		label_because(why, "labels.permissive", "the clearance has none of %u categories of %.60s, such "
		"as %.60s", end - first,
			label->spif->tags[value->tag].name, value->name);
		return false;
	default:
		if (held == end - first)
			return true;
		label_because(why, "labels.restrictive", "the clearance lacks %u of %u categories of %.60s",
		end - first - held,
			end - first, label->spif->tags[value->tag].name);
		return false;
	}
}

bool label_is_granted(const struct known_label *label, const struct known_clearance *clearance,
	struct label_reason *why)
{
	if (!clearance) {
		label_because(why, "labels.clearance", "there is no clearance");
		return false;
	}
	if (clearance->spif != label->spif) {
		label_because(why, "labels.policy", "the clearance is of policy %.60s, the label of %.60s",
		clearance->spif->name,
			label->spif->name);
		return false;
	}
	/* Membership, not hierarchy: who is cleared for SECRET may not be for RESTRICTED. */
	if (!(clearance->classes[label->class->lacv / 64] >> (label->class->lacv % 64) & 1)) {
		label_because(why, "labels.class-not-cleared", "the clearance does not have classification "
		"%.60s", label->class->name);
		return false;
	}
	for (unsigned first = 0, end; first < label->value_count; first = end) {
		end = end_of_tag(label, first);
		if (!tag_is_granted(label, clearance, first, end, why))
			return false;
	}
	return true;
}

/* --- does it dominate? --- */

static bool label_has(const struct known_label *label, unsigned value)
{
	return bsearch(&value, label->values, label->value_count, sizeof(value), compare_indexes);
}

static bool has_of_tag(const struct known_label *label, unsigned tag)
{
	for (unsigned i = 0; i < label->value_count; i++)
		if (label->spif->values[label->values[i]].tag == tag)
			return true;
	return false;
}

/* ADatP-4774.1 4.4: of restrictive tags all of the inner's values; of permissive ones no other than the inner's. */
bool label_dominates(const struct known_label *outer, const struct known_label *inner)
{
	if (outer->spif != inner->spif || outer->class->hierarchy < inner->class->hierarchy)
		return false;
	for (unsigned i = 0; i < inner->value_count; i++) {
		const struct spif_value *value = &inner->spif->values[inner->values[i]];

		if (tag_kind(value->value.type) == KIND_RESTRICTIVE && !label_has(outer, inner->values[i]))
			return false;
		if (tag_kind(value->value.type) == KIND_PERMISSIVE && !has_of_tag(outer, value->tag))
			return false;
	}
	for (unsigned i = 0; i < outer->value_count; i++) {
		const struct spif_value *value = &outer->spif->values[outer->values[i]];

		if (tag_kind(value->value.type) == KIND_PERMISSIVE && has_of_tag(inner,
		value->tag) && !label_has(inner, outer->values[i]))
			return false;
	}
	return true;
}
