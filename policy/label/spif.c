/* Looking things up in a security policy; see spif.h. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "spif_read.h"

enum tag_kind tag_kind(enum tag_type type)
{
	static const enum tag_kind kinds[TAG_TYPES] = {
		[TAG_RESTRICTIVE] = KIND_RESTRICTIVE,
		[TAG_ENUMERATED_PERMISSIVE] = KIND_PERMISSIVE,
		[TAG_PERMISSIVE] = KIND_PERMISSIVE,
		[TAG_ENUMERATED_RESTRICTIVE] = KIND_RESTRICTIVE,
		[TAG_INFORMATIVE] = KIND_INFORMATIVE,
		[TAG_ENUMERATED_INFORMATIVE] = KIND_INFORMATIVE,
	};

	return kinds[type];
}

static int compare_names(const struct spif *spif, const char *a, const char *b)
{
	return spif->ignores_case ? strcasecmp(a, b) : strcmp(a, b);
}

/* --- the two orders of values --- */

struct by_number {
	unsigned tag_set;
	enum tag_type type;
	uint64_t lacv;
};

static struct by_number number_of(const struct spif *spif, unsigned index)
{
	const struct spif_value *value = &spif->values[index];

	return (struct by_number){spif->tags[value->tag].tag_set, value->value.type, value->value.lacv};
}

static int compare_numbers(const struct by_number *a, const struct by_number *b)
{
	if (a->tag_set != b->tag_set)
		return a->tag_set < b->tag_set ? -1 : 1;
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	return a->lacv < b->lacv ? -1 : a->lacv > b->lacv;
}

static int compare_by_number(const void *a, const void *b, void *owner)
{
	const struct by_number one = number_of(owner, *(const unsigned *)a), other = number_of(owner,
		*(const unsigned *)b);

	return compare_numbers(&one, &other);
}

struct by_name {
	unsigned tag_set;
	enum tag_kind kind;
	const char *name;
};

static int compare_with_name(const struct spif *spif, const struct by_name *a, unsigned index)
{
	const struct spif_value *value = &spif->values[index];
	unsigned tag_set = spif->tags[value->tag].tag_set;
	enum tag_kind kind = tag_kind(value->value.type);

	if (a->tag_set != tag_set)
		return a->tag_set < tag_set ? -1 : 1;
	if (a->kind != kind)
		return a->kind < kind ? -1 : 1;
	return compare_names(spif, a->name, value->name);
}

static int compare_by_name(const void *a, const void *b, void *owner)
{
	const struct spif *spif = owner;
	const struct spif_value *value = &spif->values[*(const unsigned *)a];
	const struct by_name one = {spif->tags[value->tag].tag_set, tag_kind(value->value.type), value->name};

	return compare_with_name(spif, &one, *(const unsigned *)b);
}

void spif_index(struct spif *spif)
{
	for (unsigned i = 0; i < spif->value_count; i++)
		spif->by_number[i] = spif->by_name[i] = i;
	if (spif->value_count) {
		qsort_r(spif->by_number, spif->value_count, sizeof(unsigned), compare_by_number, spif);
		qsort_r(spif->by_name, spif->value_count, sizeof(unsigned), compare_by_name, spif);
	}
}

/* --- looking up --- */

const struct spif *spif_by_id(const struct spif_set *set, const char *id)
{
	for (unsigned i = 0; i < set->count; i++)
		if (!strcmp(set->policies[i]->id, id))
			return set->policies[i];
	return NULL;
}

const struct spif *spif_by_name(const struct spif_set *set, const char *name)
{
	for (unsigned i = 0; i < set->count; i++)
		if (!compare_names(set->policies[i], set->policies[i]->name, name))
			return set->policies[i];
	return NULL;
}

int spif_class(const struct spif *spif, int lacv)
{
	for (unsigned i = 0; i < spif->class_count; i++)
		if (spif->classes[i].lacv == lacv)
			return (int)i;
	return -1;
}

int spif_class_by_name(const struct spif *spif, const char *name)
{
	for (unsigned i = 0; i < spif->class_count; i++)
		if (!compare_names(spif, spif->classes[i].name, name))
			return (int)i;
	return -1;
}

int spif_tag_set_by_name(const struct spif *spif, const char *name)
{
	for (unsigned i = 0; i < spif->tag_set_count; i++)
		if (!compare_names(spif, spif->tag_sets[i].name, name))
			return (int)i;
	return -1;
}

int spif_value(const struct spif *spif, const struct label_value *value)
{
	unsigned low = 0, high = spif->value_count, tag_set = 0;

	while (tag_set < spif->tag_set_count && strcmp(spif->tag_sets[tag_set].id, value->tag_set) != 0)
		tag_set++;
	if (tag_set == spif->tag_set_count)
		return -1;
	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		const struct by_number wanted = {tag_set, value->type, value->lacv}, there = number_of(spif,
		spif->by_number[middle]);
		int order = compare_numbers(&wanted, &there);

		if (!order)
			return (int)spif->by_number[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -1;
}

int spif_value_by_name(const struct spif *spif, unsigned tag_set, enum tag_kind kind, const char *name)
{
	const struct by_name wanted = {tag_set, kind, name};
	unsigned low = 0, high = spif->value_count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		int order = compare_with_name(spif, &wanted, spif->by_name[middle]);

		if (!order)
			return (int)spif->by_name[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -1;
}
