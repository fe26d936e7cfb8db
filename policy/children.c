/* The children of a stanza; see children.h. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "children.h"

enum child_limits {
	LANGUAGES_MAX = 32,            /* of one text in one stanza: more is no translation */
	CONTENT_BYTES = 8,             /* of a word or a number */
};

static bool is_language(const struct attribute *a)
{
	return !strcmp(a->name, "lang") && !strcmp(a->ns, NS_XML);
}

bool has_unknown_attribute(const struct node *node, const char *const *allowed)
{
	for (const struct attribute *a = node->attributes; a; a = a->next) {
		const char *const *name = allowed;

		while (*name && strcmp(*name, a->name))
			name++;
		if ((*a->ns || !*name) && !is_language(a))
			return true;
	}
	return false;
}

/* --- Content --- */

/* False: too long to be of interest. */
static bool get_content(const struct node *node, char content[CONTENT_BYTES])
{
	size_t len = 0;

	for (const struct node *child = node->first; child; child = child->next) {
		if (child->text_len >= CONTENT_BYTES - len)
			return false;
		memcpy(content + len, child->text, child->text_len);
		len += child->text_len;
	}
	content[len] = '\0';
	return true;
}

/* RFC 6121 4.7.2.1. Empty is what some clients send who are just there. */
static bool is_show(const struct node *node)
{
	static const char *const words[] = {"", "away", "chat", "dnd", "xa"};
	char content[CONTENT_BYTES];

	if (!get_content(node, content))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(content, words[i]))
			return true;
	return false;
}

/* RFC 6121 4.7.2.3: an integer from -128 to 127. Empty is none. */
static bool is_priority(const struct node *node)
{
	char content[CONTENT_BYTES], *end;
	const char *digits = content;
	long value;

	if (!get_content(node, content))
		return false;
	if (!*content)
		return true;
	if (*digits == '-' || *digits == '+')
		digits++;
	if (!isdigit((unsigned char)*digits))
		return false;
	value = strtol(content, &end, 10);
	return !*end && value >= -128 && value <= 127;
}

/* --- The children --- */

enum { IN_MESSAGE = 1 << STANZA_MESSAGE, IN_PRESENCE = 1 << STANZA_PRESENCE, IN_IQ = 1 << STANZA_IQ };

/* RFC 6121 5.2 and 4.7.2, RFC 6120 8.3.2. */
static const struct child {
	const char *name;
	unsigned kinds;
	bool by_language;              /* one for each language; otherwise one */
	const char *attributes[2];
	bool (*is_content)(const struct node *node);   /* NULL: any text */
} known[] = {
	{"body", IN_MESSAGE, true, {NULL}, NULL},
	{"subject", IN_MESSAGE, true, {NULL}, NULL},
	{"thread", IN_MESSAGE, false, {"parent"}, NULL},
	{"show", IN_PRESENCE, false, {NULL}, is_show},
	{"status", IN_PRESENCE, true, {NULL}, NULL},
	{"priority", IN_PRESENCE, false, {NULL}, is_priority},
	{"error", IN_MESSAGE | IN_PRESENCE | IN_IQ, false, {NULL}, NULL},
};

enum { KNOWN = sizeof(known) / sizeof(*known), ERROR = KNOWN - 1 };

struct tally {
	unsigned counts[KNOWN];
	const char *languages[KNOWN][LANGUAGES_MAX];
};

static const struct child *child_find(const char *name, enum stanza_kind kind)
{
	for (const struct child *child = known; child < known + KNOWN; child++)
		if (child->kinds & 1u << kind && !strcmp(child->name, name))
			return child;
	return NULL;
}

/* RFC 6121 5.2.3: a text may be there once in each language; without one of its own it has that of the stanza. */
static bool is_one_too_many(const struct child *rule, const struct node *node, struct tally *tally)
{
	size_t i = (size_t)(rule - known);
	const char *language = rule->by_language ? node_language(node) : NULL;
	unsigned count = tally->counts[i];

	if (count == (rule->by_language ? LANGUAGES_MAX : 1))
		return true;
	if (rule->by_language && !language)
		language = node_language(node->parent);
	if (!language)
		language = "";
	for (unsigned j = 0; j < count; j++)
		if (!strcasecmp(tally->languages[i][j], language))
			return true;
	tally->languages[i][count] = language;
	tally->counts[i]++;
	return false;
}

static const char *known_child_fault(const struct node *node, enum stanza_kind kind, struct tally *tally)
{
	const struct child *rule = child_find(node->name, kind);

	if (!rule || strcmp(node->ns, NS_SERVER))
		return "an element that this kind of stanza does not have";
	if (is_one_too_many(rule, node, tally))
		return "an element more often than it may be there";
	if (rule == &known[ERROR])
		return stanza_error_fault(node);
	if (has_unknown_attribute(node, (const char *const[]){rule->attributes[0], NULL}))
		return "an unknown attribute of an element of the stanza";
	if (node_has_elements(node))
		return "an element inside of text";
	return !rule->is_content || rule->is_content(node) ? NULL : "show or priority with another value than it may have";
}

/*
 * Elements of these belong to the stanza itself. Clients take those of jabber:client for its own, and servers turn one
 * namespace into another on the way to them (RFC 6120 4.8.3).
 */
bool is_of_stanza(const struct node *node)
{
	static const char *const namespaces[] = {NS_SERVER, NS_CLIENT, "jabber:component:accept",
		"jabber:component:connect"};

	if (*node->ns != 'j')          /* most */
		return !*node->ns;
	for (size_t i = 0; i < sizeof(namespaces) / sizeof(*namespaces); i++)
		if (!strcmp(node->ns, namespaces[i]))
			return true;
	return false;
}

const char *children_fault(const struct node *stanza, enum stanza_kind kind)
{
	const char *type = node_attribute(stanza, "type"), *fault = NULL;
	struct tally tally;

	memset(tally.counts, 0, sizeof(tally.counts));         /* the rest is written before it is read */
	for (const struct node *child = stanza->first; child && !fault; child = child->next)
		if (child->name && is_of_stanza(child))
			fault = known_child_fault(child, kind, &tally);
	if (!fault && tally.counts[ERROR] != (type && !strcmp(type, "error")))
		return "an error without <error/>, or <error/> in what is none";
	return fault;
}
