/*
 * The writer: a tree to bytes, always the same bytes for the same tree. Attributes are sorted by namespace and name, so
 * that their order carries nothing across; everything that XML lets one say in two ways is said in one.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/xml.h"
#include "control/xml_bytes.h"

enum {
	WRITE_DEPTH = 2 * XML_DEPTH,           /* room for what policy adds to the deepest tree that the parser makes */
	WRITE_ATTRIBUTES = 2 * XML_ATTRIBUTES,
};

#define PUT(out, literal) buf_put(out, literal, sizeof(literal) - 1)

static int put(struct buf *out, const char *s)
{
	return buf_put(out, s, strlen(s));
}

/* Where a character must not stand as it is. */
enum escape { IN_TEXT = 1, IN_VALUE = 2 };

/*
 * Unescaped, a parser would turn a carriage return into a line feed (XML 1.0 2.11), and, in an attribute, a tab or line end
 * into a space (3.3.3). '>' is escaped only where it could end "]]>": a text that is full of it must not grow beyond what
 * servers take.
 */
static const uint8_t escaped_in[UINT8_MAX + 1] = {
	['&'] = IN_TEXT | IN_VALUE,
	['<'] = IN_TEXT | IN_VALUE,
	['>'] = IN_TEXT,
	['\r'] = IN_TEXT | IN_VALUE,
	['\''] = IN_VALUE,
	['\t'] = IN_VALUE,
	['\n'] = IN_VALUE,
};

static const char *reference_to(uint8_t byte)
{
	switch (byte) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '\r':
		return "&#13;";
	case '\'':
		return "&apos;";
	case '\t':
		return "&#9;";
	default:
		return "&#10;";
	}
}

/* None of the above: '&' and '\'' differ in the lowest bit only, '<' and '>' in the second. */
static bool is_plain_word(uint64_t word)
{
	return !word_has_below(word, ' ') && !word_has(word | WORD_OF(1u), '\'') && !word_has(word | WORD_OF(2u), '>');
}

/* How many bytes can stand as they are. */
static size_t plain_bytes(const uint8_t *bytes, size_t at, size_t len, enum escape where)
{
	size_t end = at;

	for (; end < len; end++) {
		while (end + WORD_BYTES < len && is_plain_word(word_load(bytes + end)))
			end += WORD_BYTES;
		if (!(escaped_in[bytes[end]] & where))
			continue;
		if (bytes[end] != '>' || end == 0 || bytes[end - 1] == ']')
			break;
	}
	return end - at;
}

static int put_escaped(struct buf *out, const char *s, size_t len, enum escape where)
{
	const uint8_t *bytes = (const uint8_t *)s;
	int err = 0;

	for (size_t at = 0; at < len && !err;) {
		size_t plain = plain_bytes(bytes, at, len, where);

		err = buf_put(out, bytes + at, plain);
		at += plain;
		if (!err && at < len)
			err = put(out, reference_to(bytes[at++]));
	}
	return err;
}

static int put_value(struct buf *out, const char *prefix, const char *name, const char *value)
{
	int err = PUT(out, " ");

	if (!err && *prefix)
		err = put(out, prefix);
	if (!err)
		err = put(out, name);
	if (!err)
		err = PUT(out, "='");
	if (!err)
		err = put_escaped(out, value, strlen(value), IN_VALUE);
	return err ? err : PUT(out, "'");
}

/* --- Attributes --- */

static bool is_before(const struct attribute *a, const struct attribute *b)
{
	int order = a->ns == b->ns ? 0 : strcmp(a->ns, b->ns);

	return (order ? order : strcmp(a->name, b->name)) < 0;
}

/* A prefix of our own for the namespaces of one element, numbered in their order; it is declared where it is first used. */
static int put_foreign_attribute(struct buf *out, const struct attribute *a, unsigned number, bool declared)
{
	char prefix[sizeof("ns:") + 3 * sizeof(number)];
	int err = 0;

	snprintf(prefix, sizeof(prefix), "ns%u", number);
	if (!declared)
		err = put_value(out, "xmlns:", prefix, a->ns);
	snprintf(prefix, sizeof(prefix), "ns%u:", number);
	return err ? err : put_value(out, prefix, a->name, a->value);
}

static int put_attribute(struct buf *out, const struct attribute *a, const struct attribute *before, unsigned *number)
{
	bool declared;

	if (!*a->ns)
		return put_value(out, "", a->name, a->value);
	if (!strcmp(a->ns, NS_XML))
		return put_value(out, "xml:", a->name, a->value);
	declared = before && !strcmp(before->ns, a->ns);
	*number += !declared;
	return put_foreign_attribute(out, a, *number, declared);
}

static int put_attributes(struct buf *out, const struct node *node)
{
	const struct attribute *sorted[WRITE_ATTRIBUTES];
	unsigned count = 0, number = 0;
	int err = 0;

	for (const struct attribute *a = node->attributes; a; a = a->next) {
		unsigned at = count++;

		if (at == WRITE_ATTRIBUTES)
			return -ENOSPC;
		for (; at && is_before(a, sorted[at - 1]); at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = a;
	}
	for (unsigned i = 0; i < count && !err; i++)
		err = put_attribute(out, sorted[i], i ? sorted[i - 1] : NULL, &number);
	return err;
}

/* --- Elements --- */

/* Where the writer is: the namespace that a name without a prefix is in, and how deep. */
struct place {
	const char *ns;
	unsigned depth;
};

/*
 * Some servers know `stream:` and `db:` by their prefix and not by their namespace (RFC 6120 4.8.5, XEP-0220 2.4.1).
 * Inside of a stanza these are namespaces like others.
 */
static const char *prefix_of(const struct node *node, const struct place *place)
{
	/* None of these is ever in force without a prefix; dialback is, but not at depth 0. */
	if (node->ns == place->ns || !strcmp(node->ns, place->ns))
		return "";
	if (!strcmp(node->ns, NS_STREAMS))
		return "stream:";
	if (!strcmp(node->ns, NS_DIALBACK) && place->depth == 0)
		return "db:";
	return strcmp(node->ns, NS_XML) ? "" : "xml:";
}

static int put_name(struct buf *out, const char *open, const char *prefix, const char *name)
{
	int err = put(out, open);

	if (!err && *prefix)
		err = put(out, prefix);
	return err ? err : put(out, name);
}

static int put_start(struct buf *out, const struct node *node, const char *prefix, const struct place *place,
	const char *ns)
{
	int err = put_name(out, "<", prefix, node->name);

	if (!err && ns != place->ns && strcmp(ns, place->ns))
		err = put_value(out, "", "xmlns", ns);
	return err ? err : put_attributes(out, node);
}

static int put_element(struct buf *out, const struct node *node, const struct place *place)
{
	const char *prefix = prefix_of(node, place);
	struct place inside = {*prefix ? place->ns : node->ns, place->depth + 1};
	int err = place->depth < WRITE_DEPTH ? put_start(out, node, prefix, place, inside.ns) : -ENOSPC;

	if (err)
		return err;
	if (!node->first)
		return PUT(out, "/>");
	err = PUT(out, ">");
	for (const struct node *child = node->first; child && !err; child = child->next)
		err = child->name ? put_element(out, child, &inside) : put_escaped(out, child->text, child->text_len, IN_TEXT);
	if (!err)
		err = put_name(out, "</", prefix, node->name);
	return err ? err : PUT(out, ">");
}

/* Half an element must never be sent: what was written of it is taken back. */
static int whole_or_nothing(struct buf *out, size_t len_before, int err)
{
	if (err)
		out->len = len_before;
	return err;
}

int xml_write_node(struct buf *out, const struct node *node)
{
	const struct place top = {NS_SERVER, 0};
	size_t before = buf_len(out);
	int err = put_element(out, node, &top);

	if (!err && buf_len(out) - before > XML_STANZA_BYTES)
		err = -E2BIG;
	return whole_or_nothing(out, before, err);
}

/* --- The stream --- */

static int put_header(struct buf *out, const struct xml_header *h)
{
	const struct {
		const char *prefix, *name, *value;
	} attributes[] = {
		{"", "from", h->from},
		{"", "id", h->id},
		{"", "to", h->to},
		{"", "version", h->version},
		{"xml:", "lang", h->lang},
	};
	int err = put(out, "<?xml version='1.0'?><stream:stream xmlns='" NS_SERVER "' xmlns:stream='" NS_STREAMS "'");

	if (!err && h->dialback)
		err = put_value(out, "xmlns:", "db", NS_DIALBACK);
	for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes) && !err; i++)
		if (*attributes[i].value)
			err = put_value(out, attributes[i].prefix, attributes[i].name, attributes[i].value);
	return err ? err : PUT(out, ">");
}

int xml_write_header(struct buf *out, const struct xml_header *header)
{
	size_t before = buf_len(out);

	return whole_or_nothing(out, before, put_header(out, header));
}

int xml_write_footer(struct buf *out)
{
	return PUT(out, "</stream:stream>");
}

int xml_write_stream_error(struct buf *out, const char *condition)
{
	return buf_printf(out, "<stream:error><%s xmlns='" NS_STREAM_ERRORS "'/></stream:error></stream:stream>", condition);
}
