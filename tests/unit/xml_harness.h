/*
 * Reads a stream with the parser and writes down what came out of it, one event a line:
 *
 *     header from='a.example' to='b.example' version='1.0'
 *     keepalive 2
 *     (message{jabber:server} from='x@a.example' (body "hi"))
 *     footer
 *     fault not-well-formed
 *
 * A tree is written without the writer under test: namespaces in braces where they differ from those of the parent,
 * attributes sorted, text in quotes.
 */
#ifndef TESTS_XML_HARNESS_H
#define TESTS_XML_HARNESS_H

#include <stdbool.h>

#include "control/xml.h"

struct stream_log {
	struct buf text;
	size_t whitespace;             /* not written down yet: chunks cut it in different ways */
	struct buf *written;           /* NULL, or what xml_write_node() makes of each element is added here */
	struct buf *trees;             /* NULL, or the trees alone are added here */
	bool write_failed;
	bool quiet;                    /* elements are only counted */
	size_t elements;
	enum xml_next answer;          /* of the handlers */
	bool resume;                   /* stream_read() goes on after each stop */
	struct stanza last;            /* kept if `keep` */
	bool keep;
};

extern const struct xml_handlers stream_log_handlers;

void stream_log_init(struct stream_log *log);
void stream_log_fini(struct stream_log *log);
const char *stream_log_text(struct stream_log *log);           /* NUL-terminated; ends a run of whitespace */

/* Feeds all in chunks (0: whole) until it is taken or the parser takes no more; the result of the last call. */
long stream_feed(struct xml_parser *parser, const void *bytes, size_t len, size_t chunk);
/* A whole stream with a parser of its own; a fault is written down. The number of bytes taken. */
size_t stream_read(struct stream_log *log, const void *bytes, size_t len, size_t chunk);

/* One stanza out of its text; the caller frees the arena. An empty one if the text is no stanza. */
struct stanza stanza_of(const char *xml);

void tree_write(struct buf *out, const struct node *node, const char *ns);

#define STREAM_HEADER "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' " \
	"xmlns:db='jabber:server:dialback' from='a.example' to='b.example' version='1.0'>"
#define STREAM_HEADER_LOG "header from='a.example' to='b.example' version='1.0' dialback\n"

#endif
