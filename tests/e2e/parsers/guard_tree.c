/* The trees of a stream, as the guard reads them; see README.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/xml.h"

enum { STREAM_BYTES_MAX = 64 << 20 };

static void put_escaped(FILE *out, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		if (byte <= ' ' || byte > '~' || strchr("\\\"{}", byte))
			fprintf(out, "\\x%02x", byte);
		else
			fputc(byte, out);
	}
}

static void put_name(FILE *out, const char *ns, const char *name)
{
	fputc('{', out);
	put_escaped(out, ns, strlen(ns));
	fputc('}', out);
	put_escaped(out, name, strlen(name));
}

static char *attribute_text(const struct attribute *a)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	put_name(out, a->ns, a->name);
	fputs("=\"", out);
	put_escaped(out, a->value, strlen(a->value));
	fputc('"', out);
	fclose(out);
	return text;
}

static int order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void put_attributes(const struct node *node)
{
	char *texts[XML_ATTRIBUTES];
	size_t count = 0;

	for (const struct attribute *a = node->attributes; a; a = a->next)
		texts[count++] = attribute_text(a);
	qsort(texts, count, sizeof(*texts), order);
	for (size_t i = 0; i < count; i++) {
		printf(" %s", texts[i]);
		free(texts[i]);
	}
}

static void put_node(const struct node *node)
{
	if (!node->name) {
		putchar('"');
		put_escaped(stdout, node->text, node->text_len);
		putchar('\n');
		return;
	}
	putchar('<');
	put_name(stdout, node->ns, node->name);
	put_attributes(node);
	putchar('\n');
	for (const struct node *child = node->first; child; child = child->next)
		put_node(child);
	puts(">");
}

static enum xml_next on_header(void *owner, const struct xml_header *header)
{
	(void)owner, (void)header;
	return XML_GO_ON;
}

static enum xml_next on_element(void *owner, struct stanza *stanza)
{
	(void)owner;
	put_node(stanza->root);
	arena_free(stanza->arena);
	return XML_GO_ON;
}

static enum xml_next on_footer(void *owner)
{
	(void)owner;
	return XML_GO_ON;
}

static void on_keepalive(void *owner, size_t bytes)
{
	(void)owner, (void)bytes;
}

int main(void)
{
	static const struct xml_handlers handlers = {on_header, on_element, on_footer, on_keepalive};
	struct xml_parser *parser = xml_parser_new(&handlers, NULL);
	uint8_t *bytes = malloc(STREAM_BYTES_MAX);
	size_t len = bytes ? fread(bytes, 1, STREAM_BYTES_MAX, stdin) : 0;
	long taken = -1;

	if (parser) {
		xml_parser_authenticated(parser, XML_STANZA_BYTES);
		taken = xml_parser_feed(parser, bytes, len);
	}
	if (taken < 0)
		fprintf(stderr, "%s: %s\n", xml_fault_condition((enum xml_fault) - taken), xml_parser_detail(parser));
	xml_parser_free(parser);
	free(bytes);
	return taken < 0;
}
