/* Labels and clearances as numbers; see label.h. */
#include <stdlib.h>
#include <string.h>

#include "label.h"

bool oid_is_valid(const char *oid)
{
	unsigned components = 0;

	if (strlen(oid) >= LABEL_OID_BYTES || *oid < '0' || *oid > '2' || oid[1] != '.')
		return false;
	for (const char *s = oid;; s++) {
		size_t n = strspn(s, "0123456789");

		if (!n || (n > 1 && *s == '0'))
			return false;
		components++;
		s += n;
		if (!*s)
			return components >= 2;
		if (*s != '.')
			return false;
	}
}

/* Of two numbers without leading zeros the longer is the larger. */
int oid_compare(const char *a, const char *b)
{
	for (;;) {
		size_t na = strcspn(a, "."), nb = strcspn(b, ".");
		int order = na != nb ? (na < nb ? -1 : 1) : memcmp(a, b, na);

		if (order)
			return order < 0 ? -1 : 1;
		a += na;
		b += nb;
		if (!*a || !*b)
			return *a ? 1 : *b ? -1 : 0;
		a++;
		b++;
	}
}

int label_value_compare(const struct label_value *a, const struct label_value *b)
{
	int order = oid_compare(a->tag_set, b->tag_set);

	if (order)
		return order;
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	return a->lacv < b->lacv ? -1 : a->lacv > b->lacv;
}

static int compare(const void *a, const void *b)
{
	return label_value_compare(a, b);
}

unsigned label_values_sort(struct label_value *values, unsigned count)
{
	unsigned kept = 0;

	if (count)
		qsort(values, count, sizeof(*values), compare);
	for (unsigned i = 0; i < count; i++)
		if (!kept || label_value_compare(&values[kept - 1], &values[i]))
			values[kept++] = values[i];
	return kept;
}

bool label_equal(const struct label *a, const struct label *b)
{
	if (strcmp(a->policy,
		b->policy) || a->classification != b->classification || a->value_count != b->value_count)
		return false;
	if (!a->privacy_mark != !b->privacy_mark || (a->privacy_mark && strcmp(a->privacy_mark, b->privacy_mark)))
		return false;
	for (unsigned i = 0; i < a->value_count; i++)
		if (label_value_compare(&a->values[i], &b->values[i]))
			return false;
	return true;
}
