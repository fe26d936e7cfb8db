/* The XML form of labels and clearances in which values stand by number: NS_SPIFFY. Names in it are for people. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "label_parts.h"
#include "spif_read.h"

static const char *const types[] = {"restrictive", "enumeratedPermissive", "permissive", "enumeratedRestrictive",
	"informative", "informative"};

/* --- reading --- */

static const char *read_policy(struct gathering *g, const struct node *node)
{
	const char *id = node_attribute(node, "id");

	if (!id || !oid_is_valid(id)) {
		gather_fail(g, -EBADMSG, "the id of the policy is no OID");
		return "";
	}
	g->spif = spif_by_id(g->set, id);
	return id;
}

static int read_class(struct gathering *g, const struct node *node)
{
	const char *lacv = node_attribute(node, "lacv");
	int64_t class = lacv ? spif_number(lacv, LABEL_CLASS_MAX) : -1;

	if (class < 0)
		gather_fail(g, -EBADMSG, "the lacv of a classification is no number up to 256");
	return (int)class;
}

/* Informative ones are bits or numbers, as the policy has them; bits, where it is not known. */
static void read_tag(struct gathering *g, const struct node *node)
{
	const char *type = node_attribute(node, "type"), *id = node_attribute(node, "id"),
		*lacv = node_attribute(node, "lacv");
	int64_t number = lacv ? spif_number(lacv, LACV_NUMBER_MAX) : -1;
	struct label_value value = {id, TAG_RESTRICTIVE, (uint64_t)number}, other;

	while (value.type + 1 < TAG_TYPES && !(type && !strcmp(types[value.type], type)))
		value.type++;
	if (!type || strcmp(types[value.type], type) || !id || !oid_is_valid(id) || number < 0) {
		gather_fail(g, -EBADMSG, "a tag has a type, the id of its tag set, and a lacv that is a number");
		return;
	}
	other = value;
	other.type = TAG_ENUMERATED_INFORMATIVE;
	if (value.type == TAG_INFORMATIVE && g->spif && spif_value(g->spif, &value) < 0 && spif_value(g->spif,
		&other) >= 0)
		value = other;
	if ((value.type == TAG_INFORMATIVE || value.type == TAG_RESTRICTIVE || value.type == TAG_PERMISSIVE) &&
		number > LABEL_BIT_MAX)
		gather_fail(g, -EBADMSG, "a bit is too far");
	else
		gather_value(g, &value);
}

int label_spiffy_read(struct gathering *g, const struct node *node, struct label *label)
{
	static const char *const known[] = {"policy", "classification", "tag", "privacyMark", NULL};

	if (!has_only(node, NS_SPIFFY, known))
		gather_fail(g, -EBADMSG, "something unknown in the label");
	for (const struct node *child = node->first; child && !g->error; child = child->next) {
		if (!child->name)
			continue;
		if (!strcmp(child->name, "policy") && !*label->policy)
			label->policy = read_policy(g, child);
		else if (!strcmp(child->name, "classification") && label->classification < 0)
			label->classification = read_class(g, child);
		else if (!strcmp(child->name, "privacyMark") && !label->privacy_mark)
			label->privacy_mark = trimmed_text(g, child);
		else if (!strcmp(child->name, "tag"))
			read_tag(g, child);
		else
			gather_fail(g, -EBADMSG, "policy, classification or privacyMark is there twice");
	}
	label->mark_is_utf8 = label->privacy_mark;
	if (!g->error && (!*label->policy || label->classification < 0))
		gather_fail(g, -EBADMSG, "a label has a policy and a classification");
	return 0;
}

int clearance_spiffy_read(struct gathering *g, const struct node *node, struct clearance *clearance)
{
	static const char *const known[] = {"policy", "classification", "tag", NULL};

	if (!has_only(node, NS_SPIFFY, known))
		gather_fail(g, -EBADMSG, "something unknown in the clearance");
	for (const struct node *child = node->first; child && !g->error; child = child->next) {
		if (!child->name)
			continue;
		if (!strcmp(child->name, "classification")) {
			int class = read_class(g, child);

			if (class >= 0)
				clearance->classes[class / 64] |= UINT64_C(1) << (class % 64);
		} else if (!strcmp(child->name, "tag")) {
			read_tag(g, child);
		} else if (!*clearance->policy) {
			clearance->policy = read_policy(g, child);
		} else {
			gather_fail(g, -EBADMSG, "there are two policies");
		}
	}
	if (!g->error && !*clearance->policy)
		gather_fail(g, -EBADMSG, "a clearance has a policy");
	return 0;
}

/* --- writing --- */

static struct node *add(struct arena *arena, struct node *parent, const char *name, const char *text)
{
	struct node *node = node_new(arena, NS_SPIFFY, name);

	if (!node || (text && node_add_text(arena, node, text, strlen(text))))
		return NULL;
	node_append(parent, node);
	return node;
}

static int add_policy(const struct spif *spif, struct arena *arena, struct node *parent, const char *id)
{
	struct node *node = add(arena, parent, "policy", spif ? spif->name : NULL);

	return node ? node_set_attribute(arena, node, "id", id) : -ENOMEM;
}

static int set_number(struct arena *arena, struct node *node, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	return node ? node_set_attribute(arena, node, "lacv", text) : -ENOMEM;
}

static int add_class(const struct spif *spif, struct arena *arena, struct node *parent, int lacv)
{
	int class = spif ? spif_class(spif, lacv) : -1;

	return set_number(arena, add(arena, parent, "classification", class < 0 ? NULL : spif->classes[class].name),
		(uint64_t)lacv);
}

static int add_value(const struct spif *spif, struct arena *arena, struct node *parent,
	const struct label_value *value)
{
	int index = spif ? spif_value(spif, value) : -1;
	struct node *node = add(arena, parent, "tag", index < 0 ? NULL : spif->values[index].name);

	if (value->lacv > LACV_NUMBER_MAX)
		return -ENOKEY;
	if (!node || node_set_attribute(arena, node, "type", types[value->type]) ||
		node_set_attribute(arena, node, "id", value->tag_set))
		return -ENOMEM;
	return set_number(arena, node, value->lacv);
}

int label_spiffy_write(const struct spif *spif, struct arena *arena, const struct label *label, struct node **node)
{
	struct node *root = node_new(arena, NS_SPIFFY, "label");
	int err = root ? add_policy(spif, arena, root, label->policy) : -ENOMEM;

	if (label->classification < 0 || !*label->policy)
		return -ENOKEY;
	if (!err)
		err = add_class(spif, arena, root, label->classification);
	if (!err && label->privacy_mark && !add(arena, root, "privacyMark", label->privacy_mark))
		err = -ENOMEM;
	for (unsigned i = 0; i < label->value_count && !err; i++)
		err = add_value(spif, arena, root, &label->values[i]);
	*node = root;
	return err;
}

int clearance_spiffy_write(const struct spif *spif, struct arena *arena, const struct clearance *clearance,
	struct node **node)
{
	struct node *root = node_new(arena, NS_SPIFFY, "clearance");
	int err = root ? add_policy(spif, arena, root, clearance->policy) : -ENOMEM;

	for (int i = 0; i <= LABEL_CLASS_MAX && !err; i++)
		if (clearance_has_class(clearance, i))
			err = add_class(spif, arena, root, i);
	for (unsigned i = 0; i < clearance->value_count && !err; i++)
		err = add_value(spif, arena, root, &clearance->values[i]);
	*node = root;
	return err;
}
