/* <error/> in a stanza (RFC 6120 8.3.2): one defined condition, perhaps a text, perhaps what an application adds. */
#include <string.h>

#include "children.h"
#include "jid.h"

enum { TEXTS_MAX = 32 };               /* translations */

static const char *const types[] = {"auth", "cancel", "continue", "modify", "wait", NULL};

/* RFC 6120 8.3.3, and payment-required of RFC 3920, which is still said. */
static const char *const conditions[] = {"bad-request", "conflict", "feature-not-implemented", "forbidden", "gone",
	"internal-server-error", "item-not-found", "jid-malformed", "not-acceptable", "not-allowed", "not-authorized",
	"payment-required", "policy-violation", "recipient-unavailable", "redirect", "registration-required",
	"remote-server-not-found", "remote-server-timeout", "resource-constraint", "service-unavailable",
	"subscription-required", "undefined-condition", "unexpected-request", NULL};

static bool is_one_of(const char *name, const char *const *list)
{
	while (*list && strcmp(*list, name))
		list++;
	return *list;
}

static bool has_text(const struct node *node)
{
	for (const struct node *child = node->first; child; child = child->next)
		if (!child->name && strspn(child->text, " \t\r\n") < child->text_len)
			return true;
	return false;
}

/* `code` is of before RFC 3920 and still sent (XEP-0086). */
static bool has_known_attributes(const struct node *error)
{
	static const char *const allowed[] = {"type", "by", "code", NULL};
	const char *type = node_attribute(error, "type"), *by = node_attribute(error, "by");
	struct jid jid;

	return type && is_one_of(type, types) && (!by || !jid_parse(&jid, by)) && !has_unknown_attribute(error, allowed);
}

/* RFC 6120 8.3.3.5, 8.3.3.14: where else to look. */
static bool may_have_text(const struct node *condition)
{
	return !strcmp(condition->name, "gone") || !strcmp(condition->name, "redirect");
}

static bool is_defined(const struct node *child)
{
	static const char *const none[] = {NULL};

	return !node_has_elements(child) && !has_unknown_attribute(child, none) &&
		(!strcmp(child->name, "text") || !has_text(child) || may_have_text(child));
}

const char *stanza_error_fault(const struct node *error)
{
	unsigned defined = 0, texts = 0;

	if (!has_known_attributes(error))
		return "an error without a known type, or with other attributes than it may have";
	if (has_text(error))
		return "text directly inside of an error";
	for (const struct node *child = error->first; child; child = child->next) {
		if (!child->name || (strcmp(child->ns, NS_STANZAS) && !is_of_stanza(child)))
			continue;
		if (strcmp(child->ns, NS_STANZAS) || !is_defined(child))
			return "an error with an element that it does not have";
		if (!strcmp(child->name, "text"))
			texts++;
		else if (is_one_of(child->name, conditions))
			defined++;
		else
			return "an error with an unknown condition";
	}
	return defined == 1 && texts <= TEXTS_MAX ? NULL : "an error without exactly one condition";
}
