/*
 * Messages folded to what the profile leaves of them: elements are taken out of messages and presence, and a type becomes
 * another one. What is forwarded is a stanza as well. A message of which nothing is left is not sent at all: it was a chat
 * state or a receipt, and would only be a puzzle to whoever got it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "stage.h"

static const char *const types[POLICY_MESSAGE_TYPES] = {
	[POLICY_MESSAGE_NORMAL] = "normal",
	[POLICY_MESSAGE_CHAT] = "chat",
	[POLICY_MESSAGE_HEADLINE] = "headline",
	[POLICY_MESSAGE_GROUPCHAT] = "groupchat",
};

/* --- the rules --- */

static int compare(const void *a, const void *b)
{
	const struct element_name *one = a, *other = b;
	int order = strcmp(one->ns, other->ns);

	return order ? order : strcmp(one->name, other->name);
}

/* {namespace}name or {namespace}, taken apart in place. */
static bool parse_name(char *text, struct element_name *name)
{
	size_t n = *text == '{' ? strcspn(text + 1, "{} ") : 0;

	if (!n || text[1 + n] != '}')
		return false;
	text[1 + n] = '\0';
	*name = (struct element_name){text + 1, text + n + 2};
	return !strpbrk(name->name, "{}<>/:&'\" ") && strcmp(name->ns, NS_SERVER) != 0 && strcmp(name->ns, NS_CLIENT) != 0;
}

int message_rules_init(struct message_rules *rules, const struct policy_message_rules *from, const char **bad)
{
	size_t count = 0, bytes = 0;
	char *text;

	memcpy(rules->fates, from->fates, sizeof(rules->fates));
	for (; from->strip && from->strip[count]; count++)
		bytes += strlen(from->strip[count]) + 1;
	if (!count)
		return 0;
	rules->strip = malloc(count * sizeof(*rules->strip) + bytes);
	if (!rules->strip)
		return -ENOMEM;
	text = (char *)(rules->strip + count);
	for (size_t i = 0; i < count; i++) {
		size_t size = strlen(from->strip[i]) + 1;

		if (!parse_name(memcpy(text, from->strip[i], size), &rules->strip[i])) {
			*bad = from->strip[i];
			return -EINVAL;
		}
		text += size;
	}
	rules->strip_count = count;
	qsort(rules->strip, count, sizeof(*rules->strip), compare);
	return 0;
}

void message_rules_fini(struct message_rules *rules)
{
	free(rules->strip);
}

/* --- elements --- */

static bool is_listed(const struct message_rules *rules, const char *ns, const char *name)
{
	const struct element_name wanted = {ns, name};

	return bsearch(&wanted, rules->strip, rules->strip_count, sizeof(wanted), compare);
}

static bool is_inner_stanza(const struct node *node)
{
	return (!strcmp(node->name, "message") || !strcmp(node->name, "presence")) &&
		(!strcmp(node->ns, NS_SERVER) || !strcmp(node->ns, NS_CLIENT));
}

/* How many went. */
static unsigned strip_below(const struct message_rules *rules, struct node *node, bool is_stanza)
{
	unsigned taken = 0;
	struct node *next;

	for (struct node *child = node->first; child; child = next) {
		next = child->next;
		if (!child->name)
			continue;
		if (is_stanza && (is_listed(rules, child->ns, child->name) || is_listed(rules, child->ns, ""))) {
			node_remove(child);
			taken++;
		} else {
			taken += strip_below(rules, child, is_inner_stanza(child));
		}
	}
	return taken;
}

static void strip(struct policy_case *c, const struct message_rules *rules)
{
	unsigned taken = rules->strip_count ? strip_below(rules, c->stanza->root, c->kind != STANZA_IQ) : 0;

	if (taken)
		case_changed(c, "message.stripped", taken == 1 ? "%u element taken out" : "%u elements taken out", taken);
}

/* --- types --- */

static void map_type(struct policy_case *c, enum policy_message_type from, enum policy_message_type to)
{
	if (node_set_attribute(c->stanza->arena, c->stanza->root, "type", types[to])) {
		case_no_memory(c);
		return;
	}
	c->type = types[to];
	case_changed(c, "message.type-mapped", "%s became %s", types[from], types[to]);
}

static void check_type(struct policy_case *c, const struct message_rules *rules)
{
	static const enum policy_message_type becomes[] = {
		[POLICY_MESSAGE_TO_NORMAL] = POLICY_MESSAGE_NORMAL,
		[POLICY_MESSAGE_TO_CHAT] = POLICY_MESSAGE_CHAT,
		[POLICY_MESSAGE_TO_HEADLINE] = POLICY_MESSAGE_HEADLINE,
	};
	const char *type = *c->type ? c->type : "normal";
	unsigned i = 0;

	while (i < POLICY_MESSAGE_TYPES && strcmp(types[i], type) != 0)
		i++;
	if (i == POLICY_MESSAGE_TYPES || rules->fates[i] == POLICY_MESSAGE_PASSES)
		return;
	if (rules->fates[i] == POLICY_MESSAGE_REFUSED)
		case_find(c, &(struct finding){POLICY_REFUSED, "message.type", "policy-violation", "modify",
			"the profile refuses messages of this type"});
	else
		map_type(c, (enum policy_message_type)i, becomes[rules->fates[i]]);
}

void message_check(struct policy_case *c)
{
	const struct message_rules *rules = &c->profile->messages[c->context->direction];

	strip(c, rules);
	if (c->kind != STANZA_MESSAGE)
		return;
	if (c->verdict->action == POLICY_REWRITTEN && !c->stanza->root->first)
		case_find(c, &(struct finding){.action = POLICY_DROPPED, .rule = "message.empty",
			.reason = "nothing is left of the message"});
	else
		check_type(c, rules);
}
