/*
 * Labels of IC-ISM: attributes,
	without numbers or a policy's identifier. What they mean in a policy of ours is by name:
 * the classification by the table below, releasableTo in the tag set "Releasable To", controls in any tag set.
 */
#include <errno.h>
#include <string.h>

#include "label_parts.h"

#define NS_ISM_EXAMPLE "http://example.gov/IC-ISM/0"          /* of XEP-0258, for illustration */
enum { TOKEN_BYTES = 128 };

static const struct {
	const char *ism, *name;
} classes[] = {
	{"U", "UNCLASSIFIED"},
	{"R", "RESTRICTED"},
	{"C", "CONFIDENTIAL"},
	{"S", "SECRET"},
	{"TS", "TOP SECRET"},
};

static const char *attribute_of(const struct node *node, const char *name)
{
	for (const struct attribute *attribute = node->attributes; attribute; attribute = attribute->next)
		if (!strcmp(attribute->name, name) && (!strcmp(attribute->ns, NS_ISM) || !strcmp(attribute->ns,
		NS_ISM_V2) ||
			(!*attribute->ns && !strcmp(node->ns, NS_ISM_EXAMPLE))))
			return attribute->value;
	return NULL;
}

/* What is not in the table could be a restriction. */
static bool has_only_known(const struct node *node)
{
	static const char *const known[] = {"classification", "ownerProducer", "releasableTo", "SCIcontrols",
		"disseminationControls", NULL};
	bool any = false;

	for (const struct attribute *attribute = node->attributes; attribute; attribute = attribute->next) {
		bool is = !strcmp(attribute->ns, NS_ISM) || !strcmp(attribute->ns, NS_ISM_V2) ||
			(!*attribute->ns && !strcmp(node->ns, NS_ISM_EXAMPLE));
		unsigned i = 0;

		while (is && known[i] && strcmp(known[i], attribute->name) != 0)
			i++;
		if (is && !known[i])
			return false;
		any |= is;
	}
	return any;
}

/* The first policy that has this classification. */
static int read_class(struct gathering *g, const char *ism)
{
	size_t i = 0;

	while (i < sizeof(classes) / sizeof(*classes) && strcmp(classes[i].ism, ism) != 0)
		i++;
	for (unsigned p = 0; i < sizeof(classes) / sizeof(*classes) && p < g->set->count; p++) {
		int class = spif_class_by_name(g->set->policies[p], classes[i].name);

		if (class >= 0) {
			g->spif = g->set->policies[p];
			return g->spif->classes[class].lacv;
		}
	}
	gather_fail(g, -ENOKEY, "no policy has the classification");
	return -1;
}

static int find(const struct spif *spif, const char *tag_set, enum tag_kind kind, const char *name)
{
	for (unsigned i = 0; i < spif->tag_set_count; i++) {
		int value = !tag_set || !strcmp(spif->tag_sets[i].name, tag_set) ? spif_value_by_name(spif, i,
		kind, name) : -1;

		if (value >= 0)
			return value;
	}
	return -1;
}

static void read_tokens(struct gathering *g, const char *tokens, const char *tag_set, enum tag_kind kind)
{
	char name[TOKEN_BYTES];

	while (tokens && !g->error && *(tokens += strspn(tokens, " \t\r\n"))) {
		size_t n = strcspn(tokens, " \t\r\n");
		int value = -1;

		if (n < sizeof(name)) {
			memcpy(name, tokens, n);
			name[n] = '\0';
			value = find(g->spif, tag_set, kind, name);
		}
		if (value < 0)
			gather_fail(g, -ENOKEY, "the policy has no such control, or nobody to release to");
		else
			gather_value(g, &g->spif->values[value].value);
		tokens += n;
	}
}

int label_ism_read(struct gathering *g, const struct node *node, struct label *label)
{
	const char *class = attribute_of(node, "classification");

	if (!class)
		return -ENOENT;
	if (!has_only_known(node) || node_has_elements(node))
		gather_fail(g, -EBADMSG, "an attribute or element of ISM that is not known");
	label->classification = g->error ? -1 : read_class(g, class);
	if (g->error)
		return 0;
	label->policy = g->spif->id;
	read_tokens(g, attribute_of(node, "releasableTo"), "Releasable To", KIND_PERMISSIVE);
	read_tokens(g, attribute_of(node, "SCIcontrols"), NULL, KIND_RESTRICTIVE);
	read_tokens(g, attribute_of(node, "disseminationControls"), NULL, KIND_RESTRICTIVE);
	return 0;
}
