/* Labels and clearances of STANAG 4774 (ADatP-4774). Values stand by name: what they are, the policy says. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "label_parts.h"

#define URN_OID "urn:oid:"

static const char *const kinds[] = {
	[KIND_RESTRICTIVE] = "RESTRICTIVE",
	[KIND_PERMISSIVE] = "PERMISSIVE",
	[KIND_INFORMATIVE] = "INFORMATIVE",
};
enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

/* --- reading --- */

/* By its name and, where it is given, its OID, which have to be of one policy. */
static bool read_policy(struct gathering *g, const struct node *node)
{
	static const char *const attributes[] = {"URI", NULL};
	const char *uri = node_attribute(node, "URI"), *name = trimmed_text(g, node);
	const struct spif *by_name;

	if (g->spif)
		return gather_fail(g, -EBADMSG, "there are two policies");
	if (!name || !has_only_attributes(node, attributes))
		return gather_fail(g, -EBADMSG, "PolicyIdentifier is more than a name and URI");
	by_name = spif_by_name(g->set, name);
	g->spif = by_name;
	if (uri && strncmp(uri, URN_OID, strlen(URN_OID)))
		return gather_fail(g, -EBADMSG, "the URI of the policy is no urn:oid:");
	if (uri)
		g->spif = spif_by_id(g->set, uri + strlen(URN_OID));
	if (!g->spif)
		return gather_fail(g, -ENOKEY, "the policy is not known");
	return g->spif == by_name || gather_fail(g, -EBADMSG, "name and URI of the policy are not of one");
}

static int read_class(struct gathering *g, const struct node *node)
{
	const char *name = trimmed_text(g, node);
	int class = name && g->spif ? spif_class_by_name(g->spif, name) : -1;

	if (!g->spif)
		gather_fail(g, -EBADMSG, "the policy has to stand before what is of it");
	else if (class < 0)
		gather_fail(g, -ENOKEY, "the policy has no such classification");
	return class < 0 ? -1 : g->spif->classes[class].lacv;
}

static bool read_value(struct gathering *g, const struct node *node, unsigned tag_set, enum tag_kind kind)
{
	const char *name = trimmed_text(g, node);
	int value;

	if (!node_is(node, NS_4774_LABEL, "GenericValue"))
		return gather_fail(g, -EBADMSG, "values other than GenericValue are not allowed (ADatP-4774.1)");
	value = name ? spif_value_by_name(g->spif, tag_set, kind, name) : -1;
	if (value < 0)
		return gather_fail(g, -ENOKEY, "the policy has no such category");
	return gather_value(g, &g->spif->values[value].value);
}

static bool read_category(struct gathering *g, const struct node *node)
{
	static const char *const attributes[] = {"Type", "TagName", "URI", NULL};
	const char *type = node_attribute(node, "Type"), *name = node_attribute(node, "TagName");
	const char *uri = node_attribute(node, "URI");
	unsigned kind = 0, values = 0;
	int tag_set = g->spif && name ? spif_tag_set_by_name(g->spif, name) : -1;

	while (kind < KINDS && !(type && !strcmp(kinds[kind], type)))
		kind++;
	if (kind == KINDS || !g->spif || !name || !has_only_attributes(node, attributes))
		return gather_fail(g, -EBADMSG, "a category has a Type and a TagName of the policy that stands "
		"before it");
	if (tag_set < 0)
		return gather_fail(g, -ENOKEY, "the policy has no such tag set");
	if (uri && (strncmp(uri, URN_OID, strlen(URN_OID)) || strcmp(uri + strlen(URN_OID),
		g->spif->tag_sets[tag_set].id)))
		return gather_fail(g, -EBADMSG, "TagName and URI of a category are not of one tag set");
	for (const struct node *child = node->first; child; child = child->next, values++)
		if (child->name && !read_value(g, child, (unsigned)tag_set, (enum tag_kind)kind))
			return false;
	return values || gather_fail(g, -EBADMSG, "a category without a value");
}

static void read_information(struct gathering *g, const struct node *node, struct label *label)
{
	static const char *const known[] = {"PolicyIdentifier", "Classification", "PrivacyMark", "Category", NULL};

	if (!has_only(node, NS_4774_LABEL, known))
		gather_fail(g, -EBADMSG, "something unknown in ConfidentialityInformation");
	for (const struct node *child = node->first; child && !g->error; child = child->next) {
		if (!child->name)
			continue;
		if (!strcmp(child->name, "PolicyIdentifier")) {
			read_policy(g, child);
		} else if (!strcmp(child->name, "PrivacyMark")) {
			if (label->privacy_mark)
				gather_fail(g, -EBADMSG, "there are two privacy marks");
			label->privacy_mark = trimmed_text(g, child);
			label->mark_is_utf8 = true;
		} else if (!strcmp(child->name, "Category")) {
			read_category(g, child);
		} else if (label->classification >= 0) {
			gather_fail(g, -EBADMSG, "there are two classifications");
		} else {
			label->classification = read_class(g, child);
		}
	}
}

int label_4774_read(struct gathering *g, const struct node *node, struct label *label)
{
	static const char *const roots[] = {"originatorConfidentialityLabel", "alternativeConfidentialityLabel",
		"metadataConfidentialityLabel", "ConfidentialityLabel"};
	static const char *const known[] = {"ConfidentialityInformation", "OriginatorID", "CreationDateTime",
		"SuccessionHandling",
		NULL};
	const struct node *information = node_child(node, NS_4774_LABEL, "ConfidentialityInformation");
	size_t i = 0;

	while (i < sizeof(roots) / sizeof(*roots) && strcmp(roots[i], node->name) != 0)
		i++;
	if (i == sizeof(roots) / sizeof(*roots))
		return -ENOENT;
	if (!has_only(node, NS_4774_LABEL, known))
		gather_fail(g, -EBADMSG, "something unknown in the label");
	if (!information)
		gather_fail(g, -EBADMSG, "there is no ConfidentialityInformation");
	for (const struct node *other = information ? information->next : NULL; other; other = other->next)
		if (other->name && !strcmp(other->name, "ConfidentialityInformation"))
			gather_fail(g, -EBADMSG, "there are two ConfidentialityInformation");
	if (information && !g->error)
		read_information(g, information, label);
	if (!g->error && !g->spif)
		gather_fail(g, -EBADMSG, "there is no PolicyIdentifier");
	label->policy = g->spif ? g->spif->id : "";
	return 0;
}

static void read_classes(struct gathering *g, const struct node *list, struct clearance *clearance)
{
	static const char *const known[] = {"Classification", NULL};

	if (!has_only(list, NS_4774_LABEL, known))
		gather_fail(g, -EBADMSG, "something unknown in ClassificationList");
	for (const struct node *child = list->first; child && !g->error; child = child->next) {
		int class = child->name ? read_class(g, child) : -1;

		if (class >= 0)
			clearance->classes[class / 64] |= UINT64_C(1) << (class % 64);
	}
}

int clearance_4774_read(struct gathering *g, const struct node *node, struct clearance *clearance)
{
	const struct node *list = node_child(node, NS_4774_CLEARANCE, "ClassificationList");

	for (const struct node *child = node->first; child && !g->error; child = child->next) {
		if (!child->name)
			continue;
		if (node_is(child, NS_4774_LABEL, "PolicyIdentifier"))
			read_policy(g, child);
		else if (node_is(child, NS_4774_CLEARANCE, "ClassificationList"))
			read_classes(g, child, clearance);
		else if (node_is(child, NS_4774_LABEL, "Category"))
			read_category(g, child);
		else
			gather_fail(g, -EBADMSG, "something unknown in the clearance");
	}
	if (!g->error && (!g->spif || !list))
		gather_fail(g, -EBADMSG, "a clearance has a PolicyIdentifier and a ClassificationList");
	clearance->policy = g->spif ? g->spif->id : "";
	return 0;
}

/* --- writing --- */

static struct node *add(struct arena *arena, struct node *parent, const char *ns, const char *name, const char *text)
{
	struct node *node = node_new(arena, ns, name);

	if (!node || (text && node_add_text(arena, node, text, strlen(text))))
		return NULL;
	node_append(parent, node);
	return node;
}

static int set_uri(struct arena *arena, struct node *node, const char *oid)
{
	char uri[sizeof(URN_OID) + LABEL_OID_BYTES];

	snprintf(uri, sizeof(uri), URN_OID "%s", oid);
	return node_set_attribute(arena, node, "URI", uri);
}

static int add_policy(struct arena *arena, struct node *parent, const struct spif *spif)
{
	struct node *node = add(arena, parent, NS_4774_LABEL, "PolicyIdentifier", spif->name);

	return node ? set_uri(arena, node, spif->id) : -ENOMEM;
}

static struct node *add_category(struct arena *arena, struct node *parent, const struct spif_tag_set *set,
	enum tag_kind kind)
{
	struct node *node = add(arena, parent, NS_4774_LABEL, "Category", NULL);

	if (!node || node_set_attribute(arena, node, "Type", kinds[kind]) ||
		node_set_attribute(arena, node, "TagName", set->name) || set_uri(arena, node, set->id))
		return NULL;
	return node;
}

/* One element for each tag set and kind. Values of a tag set stand together, but not always those of a kind in it. */
static int add_categories(struct arena *arena, struct node *parent, const struct spif *spif,
	const struct label_value *values, unsigned count, bool with_informative)
{
	for (unsigned set = 0; set < spif->tag_set_count; set++)
		for (unsigned kind = 0; kind < KINDS; kind++) {
			struct node *category = NULL;

			for (unsigned i = 0; i < count; i++) {
				int value = spif_value(spif, &values[i]);

				if (value < 0)
					return -ENOKEY;
				if (spif->tags[spif->values[value].tag].tag_set != set || tag_kind(values[i].type) != kind ||
					(kind == KIND_INFORMATIVE && !with_informative))
					continue;
				if (!category)
					category = add_category(arena, parent, &spif->tag_sets[set],
					(enum tag_kind)kind);
				if (!category || !add(arena, category, NS_4774_LABEL, "GenericValue",
				spif->values[value].name))
					return -ENOMEM;
			}
		}
	return 0;
}

/* Seconds since 1970 as xs:dateTime, in UTC. */
static void put_date(int64_t seconds, char text[32])
{
	int64_t days = seconds / 86400 - (seconds % 86400 < 0), rest = seconds - days * 86400, z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097, of_era = z - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100), m = (5 * of_year + 2) / 153;
	int month = (int)(m < 10 ? m + 3 : m - 9);

	snprintf(text, 32, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)(year + era * 400 + (month <= 2)), month,
		(int)(of_year - (153 * m + 2) / 5 + 1), (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60));
}

int label_4774_write(const struct spif *spif, struct arena *arena, const struct label *label, int64_t created,
	struct node **node)
{
	int class = spif_class(spif, label->classification), err;
	struct node *root = node_new(arena, NS_4774_LABEL, "originatorConfidentialityLabel"), *information;
	char date[32];

	if (class < 0 || strcmp(spif->id, label->policy) != 0)
		return -ENOKEY;
	if (!root)
		return -ENOMEM;
	information = add(arena, root, NS_4774_LABEL, "ConfidentialityInformation", NULL);
	if (!information || add_policy(arena, information, spif) ||
		!add(arena, information, NS_4774_LABEL, "Classification", spif->classes[class].name))
		return -ENOMEM;
	if (label->privacy_mark && !add(arena, information, NS_4774_LABEL, "PrivacyMark", label->privacy_mark))
		return -ENOMEM;
	err = add_categories(arena, information, spif, label->values, label->value_count, true);
	put_date(created, date);
	if (!err && !add(arena, root, NS_4774_LABEL, "CreationDateTime", date))
		err = -ENOMEM;
	*node = root;
	return err;
}

int clearance_4774_write(const struct spif *spif, struct arena *arena, const struct clearance *clearance,
	struct node **node)
{
	struct node *root = node_new(arena, NS_4774_CLEARANCE, "ConfidentialityClearance"), *list;

	if (strcmp(spif->id, clearance->policy) != 0)
		return -ENOKEY;
	if (!root || add_policy(arena, root, spif))
		return -ENOMEM;
	list = add(arena, root, NS_4774_CLEARANCE, "ClassificationList", NULL);
	if (!list)
		return -ENOMEM;
	for (unsigned i = 0; i < spif->class_count; i++)
		if (clearance_has_class(clearance, spif->classes[i].lacv) &&
			!add(arena, list, NS_4774_LABEL, "Classification", spif->classes[i].name))
			return -ENOMEM;
	*node = root;
	return add_categories(arena, root, spif, clearance->values, clearance->value_count, false);
}
