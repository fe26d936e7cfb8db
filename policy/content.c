/*
 * Content: words that must not cross. Every <body/> and <subject/> is looked at, wherever it is in the stanza and in
 * whatever namespace: forwarded messages, carbons, archives and XHTML bring their own.
 */
#include <errno.h>
#include <string.h>

#include "stage.h"

static size_t deep_text_len(const struct node *node)
{
	size_t len = 0;

	for (const struct node *child = node->first; child; child = child->next)
		len += child->name ? deep_text_len(child) + 1 : child->text_len;
	return len;
}

/* All text inside, in order; `between` stands where a nested element ends, unless it is NUL. */
static char *put_deep_text(char *end, const struct node *node, char between)
{
	for (const struct node *child = node->first; child; child = child->next) {
		if (child->name) {
			if (between)
				*end++ = between;
			end = put_deep_text(end, child, between);
			if (between)
				*end++ = between;
			continue;
		}
		memcpy(end, child->text, child->text_len);
		end += child->text_len;
	}
	return end;
}

/* 1: found; 0: not; negative: could not look. */
static int find_joined(const struct policy_case *c, const struct words *words, const struct node *node, char between)
{
	size_t len = 2 * deep_text_len(node);
	char *text = arena_alloc(c->stanza->arena, len);

	if (!text)
		return -ENOMEM;
	return words_find(words, text, (size_t)(put_deep_text(text, node, between) - text));
}

/* Markup may split a word or stand between two: <p>one</p><p>two</p>, one<b>two</b>. Both readings count. */
static int find_in_text(const struct policy_case *c, const struct words *words, const struct node *node)
{
	const struct node *text = node->first;
	int found;

	if (!text)
		return 0;
	if (!text->name && !text->next)
		return words_find(words, text->text, text->text_len);
	found = find_joined(c, words, node, '\0');
	return found ? found : find_joined(c, words, node, ' ');
}

static bool is_text_of_message(const struct node *node)
{
	return node_is(node, NULL, "body") || node_is(node, NULL, "subject");
}

static int find_below(const struct policy_case *c, const struct words *words, const struct node *node)
{
	int found = 0;

	for (const struct node *child = node->first; child && !found; child = child->next) {
		if (!child->name)
			continue;
		if (is_text_of_message(child))
			found = find_in_text(c, words, child);
		if (!found)
			found = find_below(c, words, child);
	}
	return found;
}

void content_check(struct policy_case *c)
{
	const struct words *words = c->profile->forbidden[c->context->direction];
	int found = words ? find_below(c, words, c->stanza->root) : 0;

	if (found == 1)
		case_find(c, &(struct finding){POLICY_REFUSED, "content.forbidden-words", "policy-violation", "modify",
			"the text holds a word that may not cross"});
	else if (found)
		case_no_memory(c);
}
