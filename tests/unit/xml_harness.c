#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/xml_harness.h"

static void put(struct buf *out, const char *s, size_t len)
{
	if (buf_put(out, s, len))
		abort();
}

static void puts_to(struct buf *out, const char *s)
{
	put(out, s, strlen(s));
}

static void put_quoted(struct buf *out, const char *name, const char *value)
{
	puts_to(out, " ");
	puts_to(out, name);
	puts_to(out, "='");
	puts_to(out, value);
	puts_to(out, "'");
}

static void attribute_write(struct buf *out, const struct attribute *a)
{
	if (*a->ns) {
		puts_to(out, " {");
		puts_to(out, a->ns);
		puts_to(out, "}");
	}
	put_quoted(out, a->name, a->value);
}

static int attribute_order(const void *a, const void *b)
{
	const struct attribute *const *x = a, *const *y = b;
	int order = strcmp((*x)->ns, (*y)->ns);

	return order ? order : strcmp((*x)->name, (*y)->name);
}

static void attributes_write(struct buf *out, const struct node *node)
{
	const struct attribute *sorted[2 * XML_ATTRIBUTES];
	size_t count = 0;

	for (const struct attribute *a = node->attributes; a && count < 2 * XML_ATTRIBUTES; a = a->next)
		sorted[count++] = a;
	qsort(sorted, count, sizeof(*sorted), attribute_order);
	for (size_t i = 0; i < count; i++)
		attribute_write(out, sorted[i]);
}

void tree_write(struct buf *out, const struct node *node, const char *ns)
{
	puts_to(out, "(");
	puts_to(out, node->name);
	if (strcmp(ns, node->ns)) {
		puts_to(out, "{");
		puts_to(out, node->ns);
		puts_to(out, "}");
	}
	attributes_write(out, node);
	for (const struct node *child = node->first; child; child = child->next) {
		puts_to(out, " ");
		if (child->name) {
			tree_write(out, child, node->ns);
			continue;
		}
		puts_to(out, "\"");
		put(out, child->text, child->text_len);
		puts_to(out, "\"");
	}
	puts_to(out, ")");
}

static void whitespace_ends(struct stream_log *log)
{
	char line[64];

	if (log->whitespace)
		put(&log->text, line, (size_t)snprintf(line, sizeof(line), "keepalive %zu\n", log->whitespace));
	log->whitespace = 0;
}

static enum xml_next on_header(void *owner, const struct xml_header *header)
{
	struct stream_log *log = owner;

	whitespace_ends(log);
	puts_to(&log->text, "header");
	if (*header->from)
		put_quoted(&log->text, "from", header->from);
	if (*header->to)
		put_quoted(&log->text, "to", header->to);
	if (*header->id)
		put_quoted(&log->text, "id", header->id);
	if (*header->version)
		put_quoted(&log->text, "version", header->version);
	if (*header->lang)
		put_quoted(&log->text, "lang", header->lang);
	puts_to(&log->text, header->dialback ? " dialback\n" : "\n");
	return log->answer;
}

static enum xml_next on_element(void *owner, struct stanza *stanza)
{
	struct stream_log *log = owner;

	log->elements++;
	whitespace_ends(log);
	if (!log->quiet) {
		tree_write(&log->text, stanza->root, "");
		puts_to(&log->text, "\n");
	}
	if (log->trees)
		tree_write(log->trees, stanza->root, "");
	if (log->written && xml_write_node(log->written, stanza->root))
		log->write_failed = true;
	if (log->keep) {
		arena_free(log->last.arena);
		log->last = *stanza;
	} else {
		arena_free(stanza->arena);
	}
	return log->answer;
}

static enum xml_next on_footer(void *owner)
{
	struct stream_log *log = owner;

	whitespace_ends(log);
	puts_to(&log->text, "footer\n");
	return log->answer;
}

static void on_keepalive(void *owner, size_t bytes)
{
	struct stream_log *log = owner;

	log->whitespace += bytes;
}

const struct xml_handlers stream_log_handlers = {on_header, on_element, on_footer, on_keepalive};

void stream_log_init(struct stream_log *log)
{
	*log = (struct stream_log){0};
	buf_init(&log->text, 64 << 20);
}

void stream_log_fini(struct stream_log *log)
{
	buf_fini(&log->text);
	arena_free(log->last.arena);
}

const char *stream_log_text(struct stream_log *log)
{
	whitespace_ends(log);
	put(&log->text, "", 1);
	log->text.len--;
	return (const char *)buf_head(&log->text);
}

static long feed(struct xml_parser *parser, const void *bytes, size_t len, size_t chunk, bool resume)
{
	const uint8_t *at = bytes;
	size_t left = len;

	while (left) {
		size_t n = chunk && chunk < left ? chunk : left;
		/* A copy of its own, so that a sanitizer sees each byte that is read beyond a chunk. */
		uint8_t *copy = malloc(n);
		long taken;

		if (!copy)
			abort();
		memcpy(copy, at, n);
		taken = xml_parser_feed(parser, copy, n);
		free(copy);
		if (taken < 0)
			return taken;
		at += taken;
		left -= (size_t)taken;
		if (resume)
			xml_parser_resume(parser);
		else if ((size_t)taken < n)
			break;
	}
	return (long)(len - left);
}

long stream_feed(struct xml_parser *parser, const void *bytes, size_t len, size_t chunk)
{
	return feed(parser, bytes, len, chunk, false);
}

size_t stream_read(struct stream_log *log, const void *bytes, size_t len, size_t chunk)
{
	struct xml_parser *parser = xml_parser_new(&stream_log_handlers, log);
	long taken;

	if (!parser)
		abort();
	taken = feed(parser, bytes, len, chunk, log->resume);
	if (taken < 0) {
		whitespace_ends(log);
		puts_to(&log->text, "fault ");
		puts_to(&log->text, xml_fault_condition((enum xml_fault) - taken));
		puts_to(&log->text, "\n");
	}
	xml_parser_free(parser);
	return taken < 0 ? 0 : (size_t)taken;
}

struct stanza stanza_of(const char *xml)
{
	struct stream_log log;
	struct xml_parser *parser;
	struct stanza stanza;

	stream_log_init(&log);
	log.keep = true;
	parser = xml_parser_new(&stream_log_handlers, &log);
	if (!parser)
		abort();
	xml_parser_authenticated(parser, XML_STANZA_BYTES);
	(void)!stream_feed(parser, STREAM_HEADER, strlen(STREAM_HEADER), 0);
	(void)!stream_feed(parser, xml, strlen(xml), 0);
	xml_parser_free(parser);
	stanza = log.last;
	log.last = (struct stanza){0};
	stream_log_fini(&log);
	return stanza;
}
