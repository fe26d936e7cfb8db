/* The tree: looking, building, editing. Everything that is made lives in the arena and is freed with it. */
#include <errno.h>
#include <string.h>

#include "element.h"

bool node_is(const struct node *node, const char *ns, const char *name)
{
	return node->name && !strcmp(node->name, name) && (!ns || !strcmp(node->ns, ns));
}

struct node *node_child(const struct node *node, const char *ns, const char *name)
{
	for (struct node *child = node->first; child; child = child->next)
		if (node_is(child, ns, name))
			return child;
	return NULL;
}

static struct attribute *attribute_find(const struct node *node, const char *name)
{
	for (struct attribute *a = node->attributes; a; a = a->next)
		if (!*a->ns && !strcmp(a->name, name))
			return a;
	return NULL;
}

const char *node_attribute(const struct node *node, const char *name)
{
	const struct attribute *a = attribute_find(node, name);

	return a ? a->value : NULL;
}

const char *node_language(const struct node *node)
{
	for (const struct attribute *a = node->attributes; a; a = a->next)
		if (!strcmp(a->name, "lang") && !strcmp(a->ns, NS_XML))
			return a->value;
	return NULL;
}

bool node_has_elements(const struct node *node)
{
	for (const struct node *child = node->first; child; child = child->next)
		if (child->name)
			return true;
	return false;
}

size_t node_text_len(const struct node *node)
{
	size_t len = 0;

	for (const struct node *child = node->first; child; child = child->next)
		if (!child->name)
			len += child->text_len;
	return len;
}

char *node_text(const struct node *node, struct arena *arena)
{
	size_t len = node_text_len(node);
	char *text = arena_alloc(arena, len + 1), *end = text;

	if (!text)
		return NULL;
	for (const struct node *child = node->first; child; child = child->next) {
		if (child->name)
			continue;
		memcpy(end, child->text, child->text_len);
		end += child->text_len;
	}
	*end = '\0';
	return text;
}

static struct node *node_alloc(struct arena *arena)
{
	struct node *node = arena_alloc(arena, sizeof(*node));

	if (node)
		memset(node, 0, sizeof(*node));
	return node;
}

struct node *node_new(struct arena *arena, const char *ns, const char *name)
{
	struct node *node = node_alloc(arena);

	if (!node)
		return NULL;
	node->ns = arena_strdup(arena, ns);
	node->name = arena_strdup(arena, name);
	return node->ns && node->name ? node : NULL;
}

void node_append(struct node *parent, struct node *child)
{
	child->parent = parent;
	child->next = NULL;
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
}

int node_add_text(struct arena *arena, struct node *parent, const char *text, size_t len)
{
	struct node *node = node_alloc(arena);

	if (!node)
		return -ENOMEM;
	node->text = arena_strndup(arena, text, len);
	if (!node->text)
		return -ENOMEM;
	node->text_len = len;
	node_append(parent, node);
	return 0;
}

int node_set_attribute(struct arena *arena, struct node *node, const char *name, const char *value)
{
	struct attribute *a = attribute_find(node, name);
	const char *copy = arena_strdup(arena, value);

	if (!copy)
		return -ENOMEM;
	if (a) {
		a->value = copy;
		return 0;
	}
	a = arena_alloc(arena, sizeof(*a));
	name = a ? arena_strdup(arena, name) : NULL;
	if (!name)
		return -ENOMEM;
	*a = (struct attribute){.next = node->attributes, .ns = "", .name = name, .value = copy};
	node->attributes = a;
	return 0;
}

static bool copy_attributes(struct arena *arena, struct node *copy, const struct node *node)
{
	struct attribute **end = &copy->attributes;

	for (const struct attribute *a = node->attributes; a; a = a->next) {
		*end = arena_alloc(arena, sizeof(**end));
		if (!*end)
			return false;
		**end = *a;
		end = &(*end)->next;
	}
	*end = NULL;
	return true;
}

struct node *node_copy(struct arena *arena, const struct node *node)
{
	struct node *copy = node_alloc(arena);

	if (!copy)
		return NULL;
	*copy = (struct node){.name = node->name, .ns = node->ns, .text = node->text, .text_len = node->text_len};
	if (!copy_attributes(arena, copy, node))
		return NULL;
	for (const struct node *child = node->first; child; child = child->next) {
		struct node *inner = node_copy(arena, child);

		if (!inner)
			return NULL;
		node_append(copy, inner);
	}
	return copy;
}

void node_remove(struct node *node)
{
	struct node *parent = node->parent, *before = NULL;

	if (!parent)
		return;
	for (struct node *n = parent->first; n != node; n = n->next)
		before = n;
	if (before)
		before->next = node->next;
	else
		parent->first = node->next;
	if (parent->last == node)
		parent->last = before;
	node->next = NULL;
	node->parent = NULL;
}
