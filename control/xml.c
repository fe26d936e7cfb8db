/*
 * The parser of one direction of a stream: xml_scan() cuts the bytes, expat reads them, trees come out.
 *
 *     bytes -> [ scan ] -> text and whole tags -> [ expat ] -> start, text, end -> tree -> handler
 *                   \-> held: a tag that has not arrived whole
 *
 * Handlers run when expat has returned, never inside of it: the scan ends every piece with the tag that ends a top-level
 * element, so there is nothing left to parse at that moment, and the byte at which a handler stops us is exact.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

/* The prototypes of expat's protection against amplification are visible only so. */
#define XML_DTD 1
#include <expat.h>

#include "control/xml.h"
#include "control/xml_bytes.h"
#include "control/xml_scan.h"

/*
 * Between a namespace and a name in what expat hands us. A character that XML cannot contain in any way, so that no
 * namespace can pretend to end earlier than it does (CVE-2022-25236).
 */
#define SEPARATOR '\x1f'

enum {
	EXPAT_SLICE = 16 << 10,        /* handed to expat at a time: its buffer grows to twice this, and stays */
	EXPAT_AMPLIFICATION = 100,
	EXPAT_ACTIVATION = XML_EXPAT_BYTES,
};

enum pending { PENDING_NOTHING, PENDING_HEADER, PENDING_ELEMENT, PENDING_FOOTER };

struct memory {
	size_t used;
};

/* What one top-level element may be. */
struct limits {
	size_t element_bytes, arena_bytes;
	unsigned depth, nodes;
};

static const struct limits of_stream = {XML_STANZA_BYTES_EARLY, XML_ARENA_BYTES, XML_DEPTH, XML_NODES};

/* Two whole stanzas, as they were written, and what is around them. */
static const struct limits of_document = {
	2 * XML_STANZA_BYTES + XML_TAG_BYTES, 2 * XML_ARENA_BYTES, XML_DEPTH + 2, 2 * XML_NODES + XML_DEPTH};

struct xml_parser {
	const struct xml_handlers *handlers;
	void *owner;
	const struct xml_root *root;   /* NULL: a stream */
	struct limits limits;
	XML_Parser expat;
	struct memory memory;          /* expat's */
	struct xml_scan scan;
	struct buf held;               /* the beginning of a tag or reference, not given to expat yet */
	struct buf opening;            /* what came up to the end of <stream:stream ...>, to renew the parser with */
	struct buf text;               /* run of text that has not ended */
	struct xml_header header;
	struct stanza stanza;          /* being built; arena NULL: none */
	struct node *open;             /* its innermost open element */
	size_t element_bytes;
	size_t delivered_bytes;        /* of the element that was handed on last */
	unsigned depth;                /* open elements, <stream:stream> included */
	unsigned nodes, namespaces;
	enum pending pending;
	enum xml_fault fault;
	const char *detail;
	bool stopped, ended;           /* by a handler; </stream:stream> came */
	bool renewing;                 /* the opening is read again */
	bool content_ns_seen;          /* xmlns='jabber:server' */
	bool without_prefix;           /* xmlns='http://etherx.jabber.org/streams' (RFC 6120 4.8.5) */
};

static void fail(struct xml_parser *parser, enum xml_fault fault, const char *detail)
{
	if (parser->fault)
		return;
	parser->fault = fault;
	parser->detail = detail;
	if (parser->expat)
		(void)XML_StopParser(parser->expat, XML_FALSE);
}

/* --- Expat's memory: counted and bounded for each parser. Its callbacks know no owner; what is allocated in this thread
 * between expat_enter() and expat_leave() belongs to the parser that entered. --- */

struct block {
	struct memory *memory;
	size_t bytes;
	max_align_t start[];
};

static _Thread_local struct memory *entered;

static void expat_enter(struct xml_parser *parser)
{
	entered = &parser->memory;
}

static void expat_leave(void)
{
	entered = NULL;
}

static void *expat_realloc(void *start, size_t bytes)
{
	struct block *old = start ? (struct block *)((char *)start - offsetof(struct block, start)) : NULL;
	struct memory *memory = old ? old->memory : entered;
	size_t before = old ? old->bytes : 0;
	struct block *block;

	if (!memory || bytes > XML_EXPAT_BYTES || memory->used - before + bytes > XML_EXPAT_BYTES)
		return NULL;
	block = realloc(old, sizeof(*block) + bytes);
	if (!block)
		return NULL;
	memory->used += bytes - before;
	*block = (struct block){.memory = memory, .bytes = bytes};
	return block->start;
}

static void *expat_malloc(size_t bytes)
{
	return expat_realloc(NULL, bytes);
}

static void expat_free(void *start)
{
	struct block *block;

	if (!start)
		return;
	block = (struct block *)((char *)start - offsetof(struct block, start));
	block->memory->used -= block->bytes;
	free(block);
}

/* --- Names and characters --- */

/*
 * XML allows most of the code points that Unicode reserves as non-characters; no server needs them and what one does with
 * them is its own affair, so they do not pass. `s` is valid UTF-8: U+FDD0 to U+FDEF, U+xxFFFE and U+xxFFFF.
 */
static bool has_noncharacter(const char *s, size_t len)
{
	const uint8_t *p = (const uint8_t *)s;

	for (size_t i = 0; i + 2 < len; i++) {
		while (i + WORD_BYTES + 2 < len && word_is_ascii(word_load(p + i)))
			i += WORD_BYTES;
		if (p[i] < 0xef)
			continue;
		if (p[i] == 0xef && p[i + 1] == 0xb7 && p[i + 2] >= 0x90 && p[i + 2] <= 0xaf)
			return true;
		if (p[i] == 0xef && p[i + 1] == 0xbf && p[i + 2] >= 0xbe)
			return true;
		if (p[i] >= 0xf0 && i + 3 < len && (p[i + 1] & 0x0f) == 0x0f && p[i + 2] == 0xbf && p[i + 3] >= 0xbe)
			return true;
	}
	return false;
}

struct name {
	const char *ns;                /* not terminated */
	size_t ns_len;
	const char *local;
};

/* Takes apart what expat calls a name. */
static int name_split(struct xml_parser *parser, const char *joined, struct name *name)
{
	const char *separator = strchr(joined, SEPARATOR);

	name->ns = joined;
	name->ns_len = separator ? (size_t)(separator - joined) : 0;
	name->local = separator ? separator + 1 : joined;
	if (strchr(name->local, SEPARATOR)) {
		fail(parser, XML_FAULT_NOT_WELL_FORMED, "separator in a name");
		return -EINVAL;
	}
	if (name->ns_len > XML_NAME_BYTES || strlen(name->local) > XML_NAME_BYTES) {
		fail(parser, XML_FAULT_LIMIT, "name too long");
		return -E2BIG;
	}
	if (has_noncharacter(joined, strlen(joined))) {
		fail(parser, XML_FAULT_NOT_WELL_FORMED, "non-character in a name");
		return -EINVAL;
	}
	return 0;
}

static bool name_in(const struct name *name, const char *ns)
{
	return name->ns_len == strlen(ns) && !memcmp(name->ns, ns, name->ns_len);
}

static bool name_is(const struct name *name, const char *ns, const char *local)
{
	return name_in(name, ns) && !strcmp(name->local, local);
}

/*
 * The name of a namespace is a reference to a URI (Namespaces in XML 2.2, RFC 3986 2). Parsers put what cannot be in one
 * between namespace and name, or round them: inside, it would make another name for each. Without '&', for which libxml2
 * hands out "&#38;" when it is to leave entities alone, and brackets, which only addresses have.
 */
static bool is_namespace_name(const char *uri)
{
	for (const char *c = uri; *c; c++) {
		bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');

		if (!letter && !strchr("-._~:/?#@!$'()*+,;=%", *c))
			return false;
	}
	return true;
}

/* --- The stream header --- */

static void header_set(struct xml_parser *parser, char *field, size_t size, const char *value)
{
	if (strlen(value) >= size) {
		fail(parser, XML_FAULT_LIMIT, "attribute of the stream header too long");
		return;
	}
	if (has_noncharacter(value, strlen(value)))
		fail(parser, XML_FAULT_NOT_WELL_FORMED, "non-character in the stream header");
	memcpy(field, value, strlen(value) + 1);
}

static void header_attribute(struct xml_parser *parser, const char *joined, const char *value)
{
	struct xml_header *h = &parser->header;
	const struct {
		const char *ns, *local;
		char *field;
		size_t size;
	} known[] = {
		{"", "from", h->from, sizeof(h->from)},
		{"", "to", h->to, sizeof(h->to)},
		{"", "id", h->id, sizeof(h->id)},
		{"", "version", h->version, sizeof(h->version)},
		{NS_XML, "lang", h->lang, sizeof(h->lang)},
	};
	struct name name;

	if (name_split(parser, joined, &name))
		return;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (name_is(&name, known[i].ns, known[i].local))
			header_set(parser, known[i].field, known[i].size, value);
}

static void document_begins(struct xml_parser *parser, const struct name *name, const char **attributes)
{
	if (!name_is(name, parser->root->ns, parser->root->name) || attributes[0])
		fail(parser, XML_FAULT_BAD_STREAM, "not the root of such a document");
	parser->pending = PENDING_HEADER;
}

static void header_begins(struct xml_parser *parser, const char *joined, const char **attributes)
{
	struct name name;

	if (parser->renewing || name_split(parser, joined, &name))
		return;
	if (parser->root) {
		document_begins(parser, &name, attributes);
		return;
	}
	if (!name_is(&name, NS_STREAMS, "stream")) {
		bool other_ns = !strcmp(name.local, "stream");

		fail(parser, other_ns ? XML_FAULT_NAMESPACE : XML_FAULT_BAD_STREAM, "not a stream header");
		return;
	}
	if (!parser->content_ns_seen) {
		fail(parser, parser->without_prefix ? XML_FAULT_PREFIX : XML_FAULT_NAMESPACE,
			"content of the stream is not in jabber:server");
		return;
	}
	for (unsigned i = 0; attributes[i]; i += 2) {
		if (i / 2 >= XML_ATTRIBUTES)
			fail(parser, XML_FAULT_LIMIT, "too many attributes");
		header_attribute(parser, attributes[i], attributes[i + 1]);
	}
	parser->pending = PENDING_HEADER;
}

/* --- The tree --- */

static void no_memory(struct xml_parser *parser)
{
	if (parser->stanza.arena && arena_is_full(parser->stanza.arena))
		fail(parser, XML_FAULT_LIMIT, "tree of an element too large");
	else
		fail(parser, XML_FAULT_MEMORY, "no memory for the tree of an element");
}

static bool count_node(struct xml_parser *parser)
{
	if (++parser->nodes > parser->limits.nodes)
		fail(parser, XML_FAULT_LIMIT, "too many elements");
	return !parser->fault;
}

/* The text that has come since the last tag becomes one node. */
static void text_ends(struct xml_parser *parser)
{
	size_t len = buf_len(&parser->text);
	const char *text;

	if (!len || !count_node(parser))
		return;
	text = (const char *)buf_head(&parser->text);
	if (has_noncharacter(text, len))
		fail(parser, XML_FAULT_NOT_WELL_FORMED, "non-character in text");
	else if (node_add_text(parser->stanza.arena, parser->open, text, len))
		no_memory(parser);
	buf_drop(&parser->text, len);
}

static struct attribute *attribute_new(struct xml_parser *parser, const char *joined, const char *value)
{
	struct arena *arena = parser->stanza.arena;
	struct attribute *attribute;
	struct name name;

	if (name_split(parser, joined, &name))
		return NULL;
	if (has_noncharacter(value, strlen(value))) {
		fail(parser, XML_FAULT_NOT_WELL_FORMED, "non-character in an attribute");
		return NULL;
	}
	attribute = arena_alloc(arena, sizeof(*attribute));
	if (!attribute)
		return NULL;
	*attribute = (struct attribute){
		.ns = name.ns_len ? arena_strndup(arena, name.ns, name.ns_len) : "",
		.name = arena_strdup(arena, name.local),
		.value = arena_strdup(arena, value),
	};
	return attribute->ns && attribute->name && attribute->value ? attribute : NULL;
}

static void add_attributes(struct xml_parser *parser, struct node *node, const char **attributes)
{
	struct attribute **end = &node->attributes;

	for (unsigned i = 0; attributes[i] && !parser->fault; i += 2) {
		if (i / 2 >= XML_ATTRIBUTES) {
			fail(parser, XML_FAULT_LIMIT, "too many attributes");
			return;
		}
		*end = attribute_new(parser, attributes[i], attributes[i + 1]);
		if (!*end) {
			no_memory(parser);
			return;
		}
		end = &(*end)->next;
	}
}

/* Most elements are in the namespace of their parent: they share the string. */
static const char *namespace_for(struct xml_parser *parser, const struct name *name)
{
	const struct node *parent = parser->open;

	if (!name->ns_len)
		return "";
	if (parent && strlen(parent->ns) == name->ns_len && !memcmp(parent->ns, name->ns, name->ns_len))
		return parent->ns;
	return arena_strndup(parser->stanza.arena, name->ns, name->ns_len);
}

static struct node *element_new(struct xml_parser *parser, const struct name *name)
{
	struct arena *arena = parser->stanza.arena;
	struct node *node = arena_alloc(arena, sizeof(*node));

	if (!node)
		return NULL;
	*node = (struct node){.ns = namespace_for(parser, name), .name = arena_strdup(arena, name->local)};
	return node->ns && node->name ? node : NULL;
}

/*
 * A server that looks for <stream:stream>, <stream:error> or </stream:stream> by name, at whatever depth, must not find one
 * in a stanza. Of the namespace of xml there are only attributes.
 */
static bool belongs_here(struct xml_parser *parser, const struct name *name)
{
	if (name_is(name, NS_STREAMS, "stream"))
		fail(parser, XML_FAULT_BAD_STREAM, "stream header inside of a stream");
	else if (parser->open && name_in(name, NS_STREAMS))
		fail(parser, XML_FAULT_BAD_STREAM, "element of a stream inside of a stanza");
	else if (name_in(name, NS_XML))
		fail(parser, XML_FAULT_NOT_WELL_FORMED, "element of the namespace of xml");
	return !parser->fault;
}

static void element_begins(struct xml_parser *parser, const char *joined, const char **attributes)
{
	struct node *node;
	struct name name;

	if (parser->depth > parser->limits.depth + 1) {
		fail(parser, XML_FAULT_LIMIT, "elements nested too deep");
		return;
	}
	if (!parser->open)
		parser->stanza.arena = arena_new(parser->limits.arena_bytes);
	else
		text_ends(parser);
	if (!count_node(parser) || name_split(parser, joined, &name))
		return;
	if (!belongs_here(parser, &name))
		return;
	node = parser->stanza.arena ? element_new(parser, &name) : NULL;
	if (!node) {
		no_memory(parser);
		return;
	}
	if (parser->open)
		node_append(parser->open, node);
	else
		parser->stanza.root = node;
	parser->open = node;
	add_attributes(parser, node, attributes);
}

/* --- What expat calls --- */

static void on_start(void *data, const char *name, const char **attributes)
{
	struct xml_parser *parser = data;

	if (parser->fault)
		return;
	if (parser->pending) {
		fail(parser, XML_FAULT_NOT_WELL_FORMED, "element in an unexpected place");
		return;
	}
	if (parser->depth++ == 0)
		header_begins(parser, name, attributes);
	else
		element_begins(parser, name, attributes);
}

static void on_end(void *data, const char *name)
{
	struct xml_parser *parser = data;

	(void)name; /* expat has compared it with the start */
	if (parser->fault)
		return;
	if (--parser->depth == 0) {
		if (parser->pending)
			fail(parser, XML_FAULT_BAD_STREAM, "stream header is an empty element");
		parser->pending = PENDING_FOOTER;
		return;
	}
	text_ends(parser);
	parser->open = parser->open->parent;
	if (parser->depth == 1)
		parser->pending = PENDING_ELEMENT;
}

static void on_text(void *data, const char *text, int len)
{
	struct xml_parser *parser = data;

	if (parser->fault)
		return;
	if (!parser->open)
		fail(parser, XML_FAULT_BAD_STREAM, "text between the elements of a stream");
	else if (buf_put(&parser->text, text, (size_t)len))
		no_memory(parser);
}

static void on_namespace_begins(void *data, const char *prefix, const char *uri)
{
	struct xml_parser *parser = data;

	if (++parser->namespaces > XML_NAMESPACES)
		fail(parser, XML_FAULT_LIMIT, "too many namespaces");
	if (!uri)
		return;
	if (strlen(uri) > XML_NAME_BYTES)
		fail(parser, XML_FAULT_LIMIT, "namespace too long");
	if (!is_namespace_name(uri))
		fail(parser, XML_FAULT_NOT_WELL_FORMED, "name of a namespace is no URI");
	if (parser->depth > 0 || parser->renewing)
		return;
	if (!prefix && !strcmp(uri, NS_SERVER))
		parser->content_ns_seen = true;
	if (!prefix && !strcmp(uri, NS_STREAMS))
		parser->without_prefix = true;
	if (prefix && !strcmp(prefix, "db") && !strcmp(uri, NS_DIALBACK))
		parser->header.dialback = true;
}

static void on_namespace_ends(void *data, const char *prefix)
{
	struct xml_parser *parser = data;

	(void)prefix;
	parser->namespaces--;
}

static void on_declaration(void *data, const char *version, const char *encoding, int standalone)
{
	struct xml_parser *parser = data;

	(void)standalone;
	if (version && strcmp(version, "1.0"))
		fail(parser, XML_FAULT_NOT_WELL_FORMED, "XML version other than 1.0");
	if (encoding && strcasecmp(encoding, "UTF-8"))
		fail(parser, XML_FAULT_ENCODING, "encoding other than UTF-8");
}

/* The next three are refused by the scan before expat sees them; this is the second line. */
static void on_doctype(void *data, const char *name, const char *system_id, const char *public_id, int internal)
{
	(void)name, (void)system_id, (void)public_id, (void)internal;
	fail(data, XML_FAULT_RESTRICTED, "document type declaration");
}

static void on_comment(void *data, const char *text)
{
	(void)text;
	fail(data, XML_FAULT_RESTRICTED, "comment");
}

static void on_instruction(void *data, const char *target, const char *text)
{
	(void)target, (void)text;
	fail(data, XML_FAULT_RESTRICTED, "processing instruction");
}

/* --- The life of a parser --- */

static unsigned long random_salt(void)
{
	unsigned long salt = 0;

	/* 0 lets expat find one by itself. */
	if (getrandom(&salt, sizeof(salt), GRND_NONBLOCK) != sizeof(salt))
		salt = 0;
	return salt;
}

/* All of this is lost in XML_ParserReset(). */
static int expat_configure(struct xml_parser *parser)
{
	XML_Parser expat = parser->expat;

	XML_SetUserData(expat, parser);
	XML_SetElementHandler(expat, on_start, on_end);
	XML_SetCharacterDataHandler(expat, on_text);
	XML_SetNamespaceDeclHandler(expat, on_namespace_begins, on_namespace_ends);
	XML_SetXmlDeclHandler(expat, on_declaration);
	XML_SetStartDoctypeDeclHandler(expat, on_doctype);
	XML_SetCommentHandler(expat, on_comment);
	XML_SetProcessingInstructionHandler(expat, on_instruction);
	XML_SetHashSalt(expat, random_salt());
	/* Deferral holds complete elements back until more bytes come; the scan makes it unnecessary. */
	if (!XML_SetReparseDeferralEnabled(expat, XML_FALSE) ||
		!XML_SetBillionLaughsAttackProtectionMaximumAmplification(expat, EXPAT_AMPLIFICATION) ||
		!XML_SetBillionLaughsAttackProtectionActivationThreshold(expat, EXPAT_ACTIVATION) ||
		!XML_SetAllocTrackerMaximumAmplification(expat, EXPAT_AMPLIFICATION) ||
		!XML_SetAllocTrackerActivationThreshold(expat, EXPAT_ACTIVATION))
		return -ENOTSUP;
	return XML_SetEncoding(expat, "UTF-8") == XML_STATUS_OK ? 0 : -ENOMEM;
}

static int expat_new(struct xml_parser *parser)
{
	static const XML_Memory_Handling_Suite suite = {expat_malloc, expat_realloc, expat_free};
	static const char separator[] = {SEPARATOR, '\0'};
	int err = -ENOMEM;

	expat_enter(parser);
	parser->expat = XML_ParserCreate_MM(NULL, &suite, separator);
	if (parser->expat)
		err = expat_configure(parser);
	expat_leave();
	return err;
}

static void stream_begins(struct xml_parser *parser)
{
	arena_free(parser->stanza.arena);
	parser->stanza = (struct stanza){0};
	parser->open = NULL;
	buf_drop(&parser->held, buf_len(&parser->held));
	buf_drop(&parser->opening, buf_len(&parser->opening));
	buf_drop(&parser->text, buf_len(&parser->text));
	xml_scan_init(&parser->scan);
	parser->header = (struct xml_header){0};
	parser->element_bytes = 0;
	parser->depth = parser->nodes = parser->namespaces = 0;
	parser->pending = PENDING_NOTHING;
	parser->stopped = parser->ended = parser->content_ns_seen = parser->without_prefix = false;
}

struct xml_parser *xml_parser_new(const struct xml_handlers *handlers, void *owner)
{
	struct xml_parser *parser = calloc(1, sizeof(*parser));

	if (!parser)
		return NULL;
	parser->handlers = handlers;
	parser->owner = owner;
	parser->limits = of_stream;
	buf_init(&parser->held, XML_TAG_BYTES);
	buf_init(&parser->opening, XML_STANZA_BYTES_EARLY);
	buf_init(&parser->text, XML_STANZA_BYTES);
	stream_begins(parser);
	if (expat_new(parser)) {
		xml_parser_free(parser);
		return NULL;
	}
	return parser;
}

struct xml_parser *xml_parser_new_document(
	const struct xml_root *root, const struct xml_handlers *handlers, void *owner)
{
	struct xml_parser *parser = xml_parser_new(handlers, owner);

	if (!parser)
		return NULL;
	parser->root = root;
	parser->limits = of_document;
	return parser;
}

void xml_parser_free(struct xml_parser *parser)
{
	if (!parser)
		return;
	if (parser->expat)
		XML_ParserFree(parser->expat);
	arena_free(parser->stanza.arena);
	buf_fini(&parser->held);
	buf_fini(&parser->opening);
	buf_fini(&parser->text);
	free(parser);
}

int xml_parser_restart(struct xml_parser *parser)
{
	int err;

	if (parser->fault)
		return -EPROTO;
	stream_begins(parser);
	expat_enter(parser);
	err = XML_ParserReset(parser->expat, NULL) ? expat_configure(parser) : -EINVAL;
	expat_leave();
	if (err)
		fail(parser, XML_FAULT_MEMORY, "no memory for the parser");
	return err;
}

size_t xml_parser_element_bytes(const struct xml_parser *parser)
{
	return parser->delivered_bytes;
}

void xml_parser_authenticated(struct xml_parser *parser, size_t bytes)
{
	parser->limits.element_bytes = bytes < XML_STANZA_BYTES ? bytes : XML_STANZA_BYTES;
}

void xml_parser_resume(struct xml_parser *parser)
{
	parser->stopped = false;
}

/* --- Feeding --- */

static void expat_failed(struct xml_parser *parser)
{
	enum XML_Error error = XML_GetErrorCode(parser->expat);
	enum xml_fault fault = XML_FAULT_NOT_WELL_FORMED;

	if (error == XML_ERROR_NO_MEMORY)
		fault = XML_FAULT_MEMORY;
	if (error == XML_ERROR_UNDEFINED_ENTITY)
		fault = XML_FAULT_RESTRICTED;
	if (error == XML_ERROR_AMPLIFICATION_LIMIT_BREACH)
		fault = XML_FAULT_LIMIT;
	fail(parser, fault, XML_ErrorString(error)); /* keeps the fault that made us stop expat */
}

static void expat_parse(struct xml_parser *parser, const uint8_t *bytes, size_t len)
{
	expat_enter(parser);
	while (len && !parser->fault) {
		size_t n = len < EXPAT_SLICE ? len : EXPAT_SLICE;

		if (XML_Parse(parser->expat, (const char *)bytes, (int)n, XML_FALSE) != XML_STATUS_OK)
			expat_failed(parser);
		bytes += n;
		len -= n;
	}
	expat_leave();
}

/* What belongs to the stream header is kept. */
static void parse(struct xml_parser *parser, const uint8_t *bytes, size_t len)
{
	if (!parser->depth && !parser->ended && buf_put(&parser->opening, bytes, len))
		fail(parser, XML_FAULT_MEMORY, "no memory for the stream header");
	expat_parse(parser, bytes, len);
}

/*
 * Expat remembers every name that it ever met, so that somebody who sends ever new ones could fill it up and bring down
 * the stream for everybody. Between elements its whole state is that of the stream header: begin anew from there.
 */
static void renew(struct xml_parser *parser)
{
	XML_ParserFree(parser->expat);
	parser->expat = NULL;
	parser->depth = parser->namespaces = 0;
	parser->renewing = true;
	if (expat_new(parser))
		fail(parser, XML_FAULT_MEMORY, "no memory for the parser");
	else
		expat_parse(parser, buf_head(&parser->opening), buf_len(&parser->opening));
	parser->renewing = false;
}

static enum xml_next deliver_element(struct xml_parser *parser)
{
	struct stanza stanza = parser->stanza;

	parser->stanza = (struct stanza){0};
	parser->nodes = 0;
	if (parser->memory.used > XML_EXPAT_KEEP_BYTES)
		renew(parser);
	return parser->handlers->element(parser->owner, &stanza);
}

/* A top-level tag has been read to its end: expat and the scan must agree on that. */
static void deliver(struct xml_parser *parser)
{
	enum pending pending = parser->pending;
	enum xml_next next = XML_GO_ON;

	if (parser->depth != parser->scan.depth) {
		fail(parser, XML_FAULT_NOT_WELL_FORMED, "element ends in an unexpected place");
		return;
	}
	parser->pending = PENDING_NOTHING;
	parser->delivered_bytes = parser->element_bytes;
	parser->element_bytes = 0;
	parser->ended = pending == PENDING_FOOTER;
	if (pending == PENDING_HEADER)
		next = parser->handlers->header(parser->owner, &parser->header);
	if (pending == PENDING_ELEMENT)
		next = deliver_element(parser);
	if (pending == PENDING_FOOTER)
		next = parser->handlers->footer(parser->owner);
	parser->stopped = next == XML_STOP;
}

static size_t feed_element(struct xml_parser *parser, const uint8_t *bytes, size_t len)
{
	size_t max = parser->depth ? parser->limits.element_bytes : XML_STANZA_BYTES_EARLY;
	size_t room = max - parser->element_bytes, whole, n;

	if (!room) {
		fail(parser, XML_FAULT_LIMIT, "element too large");
		return 0;
	}
	n = xml_scan(&parser->scan, bytes, len < room ? len : room, &whole);
	parser->element_bytes += n;
	if (whole && buf_len(&parser->held)) {
		parse(parser, buf_head(&parser->held), buf_len(&parser->held));
		buf_drop(&parser->held, buf_len(&parser->held));
	}
	parse(parser, bytes, whole);
	if (parser->scan.fault)
		fail(parser, parser->scan.fault, parser->scan.detail);
	if (buf_put(&parser->held, bytes + whole, n - whole))
		no_memory(parser);
	if (!parser->fault && parser->pending)
		deliver(parser);
	return n;
}

/* XML's whitespace. */
static size_t whitespace(const uint8_t *bytes, size_t len)
{
	size_t n = 0;

	while (n < len && (bytes[n] == ' ' || bytes[n] == '\n' || bytes[n] == '\r' || bytes[n] == '\t'))
		n++;
	return n;
}

/* Of the encodings that XML 1.0 lists in its appendix F, UTF-16 and UTF-32 begin so. */
static bool begins_other_encoding(uint8_t byte)
{
	return byte == 0x00 || byte == 0xfe || byte == 0xff;
}

/* Before, between and after elements there is only whitespace; expat does not see it. */
static size_t feed_outside(struct xml_parser *parser, const uint8_t *bytes, size_t len)
{
	size_t n = whitespace(bytes, len);

	if (n) {
		parser->scan.declaration_allowed = false;
		if (parser->depth)
			parser->handlers->keepalive(parser->owner, n);
		return n;
	}
	if (parser->ended) {
		fail(parser, XML_FAULT_NOT_WELL_FORMED, "data after the end of the stream");
		return 0;
	}
	if (bytes[0] != '<') {
		if (!parser->depth && begins_other_encoding(bytes[0]))
			fail(parser, XML_FAULT_ENCODING, "not UTF-8");
		else
			fail(parser, XML_FAULT_BAD_STREAM, "text between the elements of a stream");
		return 0;
	}
	return feed_element(parser, bytes, len);
}

long xml_parser_feed(struct xml_parser *parser, const uint8_t *bytes, size_t len)
{
	size_t taken = 0;

	while (taken < len && !parser->fault && !parser->stopped) {
		bool outside = xml_scan_is_outside(&parser->scan);

		taken += (outside ? feed_outside : feed_element)(parser, bytes + taken, len - taken);
	}
	return parser->fault ? -(long)parser->fault : (long)taken;
}

/* --- Faults --- */

const char *xml_fault_condition(enum xml_fault fault)
{
	static const char *const conditions[] = {
		[XML_FAULT_NOT_WELL_FORMED] = "not-well-formed",
		[XML_FAULT_RESTRICTED] = "restricted-xml",
		[XML_FAULT_BAD_STREAM] = "bad-format",
		[XML_FAULT_LIMIT] = "policy-violation",
		[XML_FAULT_MEMORY] = "resource-constraint",
		[XML_FAULT_NAMESPACE] = "invalid-namespace",
		[XML_FAULT_ENCODING] = "unsupported-encoding",
		[XML_FAULT_PREFIX] = "bad-namespace-prefix",
	};

	if (fault < XML_FAULT_NOT_WELL_FORMED || fault > XML_FAULT_PREFIX)
		return "undefined-condition";
	return conditions[fault];
}

const char *xml_parser_detail(const struct xml_parser *parser)
{
	return parser->detail ? parser->detail : "";
}
