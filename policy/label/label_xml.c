/* Which of the forms in XML it is, and what they have in common; see label_xml.h. */
#include <errno.h>
#include <string.h>

#include "label_parts.h"

bool gather_fail(struct gathering *g, int error, const char *why)
{
	if (!g->error) {
		g->error = error;
		g->why = why;
	}
	return false;
}

bool gather_value(struct gathering *g, const struct label_value *value)
{
	if (g->count == LABEL_VALUES_MAX)
		return gather_fail(g, -EBADMSG, "too many categories");
	if (g->count == g->room) {
		unsigned room = g->room ? 2 * g->room : 8;
		struct label_value *values = arena_alloc(g->arena, room * sizeof(*values));

		if (!values)
			return gather_fail(g, -ENOMEM, "no memory");
		if (g->count)
			memcpy(values, g->values, g->count * sizeof(*values));
		g->values = values;
		g->room = room;
	}
	g->values[g->count++] = *value;
	return true;
}

static bool is_blank(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len && strchr(" \t\r\n", text[i]))
		i++;
	return i == len;
}

static bool is_listed(const char *const *known, const char *name)
{
	while (*known && strcmp(*known, name) != 0)
		known++;
	return *known;
}

bool has_only(const struct node *node, const char *ns, const char *const *known)
{
	for (const struct node *child = node->first; child; child = child->next)
		if (child->name ? strcmp(child->ns, ns) || !is_listed(known, child->name)
				: !is_blank(child->text, child->text_len))
			return false;
	return true;
}

bool has_only_attributes(const struct node *node, const char *const *known)
{
	for (const struct attribute *attribute = node->attributes; attribute; attribute = attribute->next)
		if (!*attribute->ns && !is_listed(known, attribute->name))
			return false;
	return true;
}

const char *trimmed_text(struct gathering *g, const struct node *node)
{
	char *text = node_has_elements(node) ? NULL : node_text(node, g->arena);
	size_t n;

	if (!text) {
		gather_fail(g, -EBADMSG, "elements where there should be text");
		return NULL;
	}
	text += strspn(text, " \t\r\n");
	n = strlen(text);
	while (n && strchr(" \t\r\n", text[n - 1]))
		text[--n] = '\0';
	return text;
}

const struct node *label_in_binding(const struct node *binding)
{
	const struct node *container = node_child(binding, NS_4778_BINDING, "MetadataBindingContainer");

	for (; container; container = container->next)
		for (const struct node *bound = container->first; bound; bound = bound->next)
			for (const struct node *data = bound->first; data; data = data->next)
				if (data->name && node_is(data, NS_4778_BINDING, "Metadata"))
					for (const struct node *label = data->first; label; label = label->next)
						if (label->name && !strcmp(label->ns, NS_4774_LABEL))
							return label;
	return NULL;
}

static int finish(const struct gathering *g, int err, const char **why)
{
	if (g->error)
		*why = g->why;
	return g->error ? g->error : err;
}

int label_xml_read(const struct spif_set *set, struct arena *arena, const struct node *node, struct label *label,
	const char **why)
{
	struct gathering g = {.set = set, .arena = arena};
	int err = -ENOENT;

	*label = (struct label){.policy = "", .classification = -1};
	*why = "it is of no form that is known";
	if (node_is(node, NS_4778_BINDING, "BindingInformation"))
		node = label_in_binding(node);
	if (!node)
		return -ENOENT;
	if (!strcmp(node->ns, NS_4774_LABEL))
		err = label_4774_read(&g, node, label);
	else if (node_is(node, NS_SPIFFY, "label"))
		err = label_spiffy_read(&g, node, label);
	else
		err = label_ism_read(&g, node, label);
	label->values = g.values;
	label->value_count = label_values_sort(g.values, g.count);
	return finish(&g, err, why);
}

int clearance_xml_read(const struct spif_set *set, struct arena *arena, const struct node *node,
	struct clearance *clearance, const char **why)
{
	struct gathering g = {.set = set, .arena = arena};
	int err = -ENOENT;

	*clearance = (struct clearance){.policy = ""};
	*why = "it is of no form that is known";
	if (node_is(node, NS_4774_CLEARANCE, "ConfidentialityClearance"))
		err = clearance_4774_read(&g, node, clearance);
	else if (node_is(node, NS_SPIFFY, "clearance"))
		err = clearance_spiffy_read(&g, node, clearance);
	clearance->values = g.values;
	clearance->value_count = label_values_sort(g.values, g.count);
	return finish(&g, err, why);
}
