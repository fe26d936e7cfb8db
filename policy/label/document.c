/* An XML file of an administrator, as a tree; see document.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <expat.h>

#include "document.h"

/* Between a namespace and a name, as in control/xml.c: nothing that XML can contain (CVE-2022-25236). */
#define SEPARATOR '\x1f'

enum { REPAIRS_MAX = 8, NAME_BYTES_MAX = 200, MISSPELT_MAX = 2 };

/* The namespace of the line of an element, compared by its address: no document can have it. */
static const char line_ns[] = "line";

struct reading {
	struct arena *arena;
	XML_Parser parser;
	struct node *root, *open;
	unsigned depth;
	long started[DOCUMENT_DEPTH_MAX];      /* offsets of the tags of the elements that are open */
	struct document_fault *fault;
};

static void fail(struct reading *reading, const char *text)
{
	if (!*reading->fault->text) {
		reading->fault->line = (int)XML_GetCurrentLineNumber(reading->parser);
		snprintf(reading->fault->text, sizeof(reading->fault->text), "%s", text);
	}
	XML_StopParser(reading->parser, XML_FALSE);
}

/* "namespace SEPARATOR name", taken apart; `ns` is in the arena. */
static const char *split(struct arena *arena, const char *expanded, const char **ns)
{
	const char *separator = strrchr(expanded, SEPARATOR);

	*ns = separator ? arena_strndup(arena, expanded, (size_t)(separator - expanded)) : "";
	return separator ? separator + 1 : expanded;
}

static struct attribute *add_attribute(struct arena *arena, struct node *node, const char *ns, const char *name,
	const char *value)
{
	struct attribute *attribute = arena_alloc(arena, sizeof(*attribute));

	if (!attribute)
		return NULL;
	*attribute = (struct attribute){node->attributes, ns, arena_strdup(arena, name), arena_strdup(arena, value)};
	node->attributes = attribute;
	return ns && attribute->name && attribute->value ? attribute : NULL;
}

static bool add_attributes(struct reading *reading, struct node *node, const XML_Char **attributes)
{
	char line[24];

	for (; *attributes; attributes += 2) {
		const char *ns, *name = split(reading->arena, attributes[0], &ns);

		if (!add_attribute(reading->arena, node, ns, name, attributes[1]))
			return false;
	}
	snprintf(line, sizeof(line), "%lu", (unsigned long)XML_GetCurrentLineNumber(reading->parser));
	return add_attribute(reading->arena, node, line_ns, "line", line);
}

static void XMLCALL start(void *owner, const XML_Char *expanded, const XML_Char **attributes)
{
	struct reading *reading = owner;
	const char *ns, *name = split(reading->arena, expanded, &ns);
	struct node *node = ns ? node_new(reading->arena, ns, name) : NULL;

	if (!node || !add_attributes(reading, node, attributes)) {
		fail(reading, "too large");
		return;
	}
	if (reading->depth == DOCUMENT_DEPTH_MAX) {
		fail(reading, "elements are nested too deeply");
		return;
	}
	if (reading->open)
		node_append(reading->open, node);
	else
		reading->root = node;
	reading->started[reading->depth++] = XML_GetCurrentByteIndex(reading->parser);
	reading->open = node;
}

static void XMLCALL end(void *owner, const XML_Char *expanded)
{
	struct reading *reading = owner;

	(void)expanded;
	reading->open = reading->open->parent;
	reading->depth--;
}

static void XMLCALL text(void *owner, const XML_Char *bytes, int len)
{
	struct reading *reading = owner;

	if (reading->open && node_add_text(reading->arena, reading->open, bytes, (size_t)len))
		fail(reading, "too large");
}

static void XMLCALL doctype(void *owner, const XML_Char *name, const XML_Char *system_id,
	const XML_Char *public_id, int subset)
{
	(void)name;
	(void)system_id;
	(void)public_id;
	(void)subset;
	fail(owner, "it has a DOCTYPE, which is not read");
}

/* --- end tags that are misspelt --- */

static size_t name_len(const char *bytes, size_t at, size_t len)
{
	size_t n = 0;

	while (at + n < len && n < NAME_BYTES_MAX && !strchr(" \t\r\n/>", bytes[at + n]))
		n++;
	return n;
}

/* Gives the end tag whose name is at `at` the name of the tag at `started`, if they are almost the same. */
static bool respell(char *bytes, size_t len, size_t started, size_t at)
{
	size_t n = name_len(bytes, started + 1, len);
	unsigned others = 0;

	if (at < 2 || at > len || memcmp(bytes + at - 2, "</", 2) != 0 || n != name_len(bytes, at, len))
		return false;
	for (size_t i = 0; i < n; i++)
		others += bytes[started + 1 + i] != bytes[at + i];
	if (others > MISSPELT_MAX)
		return false;
	memcpy(bytes + at, bytes + started + 1, n);
	return true;
}

/* --- reading --- */

enum outcome { READ, FAILED, RESPELT };

static enum outcome read_once(struct reading *reading, char *bytes, size_t len, int *defect)
{
	enum outcome outcome = FAILED;

	reading->parser = XML_ParserCreateNS("UTF-8", SEPARATOR);
	reading->root = reading->open = NULL;
	reading->depth = 0;
	if (!reading->parser) {
		snprintf(reading->fault->text, sizeof(reading->fault->text), "no memory");
		return FAILED;
	}
	XML_SetUserData(reading->parser, reading);
	XML_SetElementHandler(reading->parser, start, end);
	XML_SetCharacterDataHandler(reading->parser, text);
	XML_SetStartDoctypeDeclHandler(reading->parser, doctype);
	if (XML_Parse(reading->parser, bytes, (int)len, XML_TRUE) == XML_STATUS_OK) {
		outcome = READ;
	} else if (XML_GetErrorCode(reading->parser) == XML_ERROR_TAG_MISMATCH && reading->depth &&
		respell(bytes, len, (size_t)reading->started[reading->depth - 1],
			(size_t)XML_GetCurrentByteIndex(reading->parser))) {
		outcome = RESPELT;
		*defect = (int)XML_GetCurrentLineNumber(reading->parser);
	} else {
		fail(reading, XML_ErrorString(XML_GetErrorCode(reading->parser)));
	}
	XML_ParserFree(reading->parser);
	return outcome;
}

struct node *document_read(struct arena *arena, const char *bytes, size_t len, int *defect,
	struct document_fault *fault)
{
	struct reading reading = {.arena = arena, .fault = fault};
	enum outcome outcome = RESPELT;
	char *copy = len <= DOCUMENT_BYTES_MAX ? malloc(len + 1) : NULL;

	*fault = (struct document_fault){0};
	*defect = 0;
	if (!copy) {
		snprintf(fault->text, sizeof(fault->text), len > DOCUMENT_BYTES_MAX ? "too large" : "no memory");
		return NULL;
	}
	memcpy(copy, bytes, len);
	for (unsigned i = 0; i <= REPAIRS_MAX && outcome == RESPELT; i++)
		outcome = read_once(&reading, copy, len, defect);
	free(copy);
	if (outcome == RESPELT)
		*fault = (struct document_fault){*defect, "too many end tags that are misspelt"};
	return outcome == READ ? reading.root : NULL;
}

int document_line(const struct node *node)
{
	for (const struct attribute *attribute = node->attributes; attribute; attribute = attribute->next)
		if (attribute->ns == line_ns)
			return (int)strtol(attribute->value, NULL, 10);
	return 0;
}
