/* Shape: is it a stanza at all, of a kind, with the attributes and the parts that RFC 6120 and 6121 let it have? */
#include <errno.h>
#include <string.h>

#include "children.h"
#include "stage.h"

struct kind {
	const char *name;
	const char *types[8];          /* "": the attribute may be absent */
};

static const struct kind kinds[] = {
	/* RFC 6121 5.2.2 */
	[STANZA_MESSAGE] = {"message", {"", "chat", "error", "groupchat", "headline", "normal"}},
	/* RFC 6121 4.7.1 */
	[STANZA_PRESENCE] = {"presence", {"", "error", "probe", "subscribe", "subscribed", "unavailable", "unsubscribe",
		"unsubscribed"}},
	/* RFC 6120 8.2.3 */
	[STANZA_IQ] = {"iq", {"get", "set", "result", "error"}},
};

static void close_stream(struct policy_case *c, const char *rule, const char *condition, const char *reason)
{
	case_find(c, &(struct finding){POLICY_CLOSE, rule, condition, NULL, reason});
}

static void refuse(struct policy_case *c, const char *rule, const char *reason)
{
	case_find(c, &(struct finding){POLICY_REFUSED, rule, "bad-request", "modify", reason});
}

static bool find_kind(struct policy_case *c)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!node_is(c->stanza->root, NS_SERVER, kinds[i].name))
			continue;
		c->kind = (enum stanza_kind)i;
		return true;
	}
	/* RFC 6120 4.9.3.24 */
	close_stream(c, "shape.kind", "unsupported-stanza-type", "neither message, presence nor iq");
	return false;
}

static void refuse_address(struct policy_case *c, const char *reason)
{
	case_find(c, &(struct finding){POLICY_REFUSED, "shape.address", "jid-malformed", "modify", reason});
}

/*
 * RFC 6120 8.1.1.2, 8.1.2.2: between servers both addresses are there. Without a domain nobody is there to be answered,
 * and a server answers for how it writes its own senders; with a receiver that cannot be, the sender is told.
 */
static void check_address(struct policy_case *c, const char *name, char *domain)
{
	const char *jid = node_attribute(c->stanza->root, name);
	bool is_to = !strcmp(name, "to");
	struct jid parts;
	int err = jid ? jid_parse(&parts, jid) : -EINVAL;

	if (err != -EINVAL && jid_domain(jid, domain, JID_PART_BYTES + 1))
		err = -EINVAL;
	if (err == -ENOMEM)
		case_no_memory(c);
	else if (err == -ENOTUNIQ)
		refuse_address(c, is_to ? "servers would differ on who the receiver is" :
					  "servers would differ on who the sender is");
	else if (err == -EILSEQ && is_to)
		refuse_address(c, "the receiver's address is malformed, or not in its normal form");
	else if (err)
		close_stream(c, "shape.address", "improper-addressing", "no valid from and to");
}

static void check_type(struct policy_case *c)
{
	const char *type = node_attribute(c->stanza->root, "type");

	c->type = "";
	for (const char *const *known = kinds[c->kind].types; *known; known++)
		if (!strcmp(*known, type ? type : ""))
			c->type = *known;
	/* An attribute that is there and empty is as unknown as any other word. */
	if (strcmp(c->type, type ? type : "") || (type && !*type) || (!type && c->kind == STANZA_IQ))
		refuse(c, "shape.type", "unknown type of stanza");
}

/* RFC 6120 8.1. */
static void check_attributes(struct policy_case *c)
{
	static const char *const allowed[] = {"from", "id", "to", "type", NULL};

	if (has_unknown_attribute(c->stanza->root, allowed))
		refuse(c, "shape.attribute", "an attribute that stanzas do not have");
}

static void check_children(struct policy_case *c)
{
	const char *fault = children_fault(c->stanza->root, c->kind);

	if (fault)
		refuse(c, "shape.children", fault);
}

static unsigned count_elements(const struct node *node)
{
	unsigned count = 0;

	for (const struct node *child = node->first; child; child = child->next)
		count += child->name != NULL;
	return count;
}

/* RFC 6120 8.2.3: a request has one child, a result one or none, an error may repeat the child of the request. */
static void check_iq(struct policy_case *c)
{
	const struct node *iq = c->stanza->root;
	bool request = !strcmp(c->type, "get") || !strcmp(c->type, "set");
	unsigned count = count_elements(iq);

	if (!node_attribute(iq, "id"))
		refuse(c, "shape.iq", "iq without id");
	else if (request && count != 1)
		refuse(c, "shape.iq", "a request does not have exactly one child");
	else if (!strcmp(c->type, "result") && count > 1)
		refuse(c, "shape.iq", "a result has more than one child");
	else if (!strcmp(c->type, "error") && count > 2)
		refuse(c, "shape.iq", "an error has more than the error and one other child");
}

/* RFC 6120 8.4: what a stanza carries is in its child elements. */
static void check_text(struct policy_case *c)
{
	for (const struct node *child = c->stanza->root->first; child; child = child->next) {
		if (child->name)
			continue;
		for (size_t i = 0; i < child->text_len; i++) {
			if (memchr(" \t\r\n", child->text[i], 4))
				continue;
			refuse(c, "shape.text", "text directly inside of the stanza");
			return;
		}
	}
}

void shape_check(struct policy_case *c)
{
	if (!find_kind(c))
		return;
	check_address(c, "from", c->from);
	check_address(c, "to", c->to);
	check_type(c);
	check_attributes(c);
	if (c->kind == STANZA_IQ)
		check_iq(c);
	check_children(c);
	check_text(c);
}
