/*
 * XML of one direction of one stream: bytes in, stream header, whole top-level elements and stream footer out; and the
 * way back, from the tree to bytes in one canonical form. What was checked is what is sent: original bytes never pass.
 *
 * Strict (RFC 6120 11): no comments, processing instructions, DTD, entities beyond the five; UTF-8 only; everything
 * bounded by the limits below. Anything else ends the stream with a stream error condition; nothing is repaired.
 */
#ifndef CONTROL_XML_H
#define CONTROL_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/buf.h"
#include "policy/element.h"

enum xml_limits {
	XML_STANZA_BYTES = 512 << 10,          /* of one top-level element, after authentication: what servers accept */
	XML_STANZA_BYTES_EARLY = 10000,        /* before authentication (RFC 6120 13.12) */
	XML_ARENA_BYTES = 4 << 20,             /* memory that the tree of one element may take */
	XML_EXPAT_BYTES = 1 << 20,             /* memory of one expat parser; it is renewed when it keeps more than: */
	XML_EXPAT_KEEP_BYTES = 128 << 10,
	XML_TAG_BYTES = 64 << 10,              /* of one tag with its attributes */
	XML_REFERENCE_BYTES = 16,              /* of one character or entity reference */
	XML_DEPTH = 64,                        /* of a top-level element; 1 has no children */
	XML_NODES = 32768,                     /* elements and runs of text of one top-level element */
	XML_ATTRIBUTES = 64,                   /* of one element */
	XML_NAMESPACES = 128,                  /* declarations in force at one place */
	XML_NAME_BYTES = 512,                  /* of a name or a namespace URI */
	XML_HEADER_ATTRIBUTE_BYTES = 1024,
};

struct xml_header {                            /* <stream:stream ...>; "" where an attribute is absent */
	char from[XML_HEADER_ATTRIBUTE_BYTES], to[XML_HEADER_ATTRIBUTE_BYTES];
	char id[XML_HEADER_ATTRIBUTE_BYTES];
	char version[16], lang[64];
	bool dialback;                         /* xmlns:db='jabber:server:dialback' is declared */
};

/* What a handler answers. */
enum xml_next { XML_GO_ON, XML_STOP };         /* stop: the bytes after this element are not to be parsed here */

struct xml_handlers {
	enum xml_next (*header)(void *owner, const struct xml_header *header);
	enum xml_next (*element)(void *owner, struct stanza *stanza);  /* one top-level element; the handler owns it */
	enum xml_next (*footer)(void *owner);                          /* </stream:stream> */
	void (*keepalive)(void *owner, size_t bytes);                  /* whitespace between top-level elements */
};

struct xml_parser;

/* A parser at the start of a stream. `owner` is passed to the handlers. */
struct xml_parser *xml_parser_new(const struct xml_handlers *handlers, void *owner)
	__attribute__((warn_unused_result, nonnull(1)));

/*
 * A parser of a document with this root, which has no attributes, that is read as a stream is: handlers are called for the
 * root (with an empty header), for each element in it, which may be as large as two stanzas, and for the end of the root.
 */
struct xml_root {
	const char *ns, *name;
};
struct xml_parser *xml_parser_new_document(const struct xml_root *root, const struct xml_handlers *handlers, void *owner)
	__attribute__((warn_unused_result, nonnull(1, 2)));
void xml_parser_free(struct xml_parser *parser);
/* Throws away what is unfinished; a new header is expected. 0; -EPROTO: the stream is broken; -ENOMEM: it is now. */
int xml_parser_restart(struct xml_parser *parser) __attribute__((warn_unused_result, nonnull));
/* Raises the limit of an element to `bytes`, XML_STANZA_BYTES at most. */
void xml_parser_authenticated(struct xml_parser *parser, size_t bytes) __attribute__((nonnull));

/*
 * Feeds bytes. Returns how many were taken: all, unless a handler said XML_STOP, after which the parser takes nothing until
 * xml_parser_restart() or xml_parser_resume(). Negative: the stream is broken for good, -(enum xml_fault).
 * A parser may be freed or restarted only outside of its handlers.
 */
enum xml_fault {
	XML_FAULT_NOT_WELL_FORMED = 1, /* not-well-formed */
	XML_FAULT_RESTRICTED,          /* restricted-xml */
	XML_FAULT_BAD_STREAM,          /* bad-format: not a <stream:stream>, or text between the elements of a stream */
	XML_FAULT_LIMIT,               /* policy-violation: larger, deeper or longer than the limits */
	XML_FAULT_MEMORY,              /* resource-constraint */
	XML_FAULT_NAMESPACE,           /* invalid-namespace: a stream of something else than jabber:server */
	XML_FAULT_ENCODING,            /* unsupported-encoding: something else than UTF-8 is declared, or begins */
	XML_FAULT_PREFIX,              /* bad-namespace-prefix: the stream itself is in the default namespace */
};
long xml_parser_feed(struct xml_parser *parser, const uint8_t *bytes, size_t len)
	__attribute__((warn_unused_result, nonnull));
/* Of the last element, as it was read. */
size_t xml_parser_element_bytes(const struct xml_parser *parser) __attribute__((nonnull));
void xml_parser_resume(struct xml_parser *parser) __attribute__((nonnull));
const char *xml_fault_condition(enum xml_fault fault);         /* stream error condition, static */
const char *xml_parser_detail(const struct xml_parser *parser);        /* what exactly, for the audit; static text */

/*
 * Writing, canonical: attributes with ' quotes, prefixes only `stream:` and `db:` (declared on the header) and `xml:`,
 * every other namespace as a default declaration where it changes, foreign attribute namespaces with generated prefixes,
 * attributes sorted by namespace and name, no CDATA, no references beyond the five (and &#9; &#10; &#13; where a parser
 * would normalise). `stream:` and `db:` are used for top-level elements only; the stream of a `db:` must have declared it.
 * All or nothing: 0, or -ENOSPC, -ENOMEM and nothing is added. A tree can be longer written than it was read, where
 * prefixes or CDATA had made it short: -E2BIG beyond XML_STANZA_BYTES, which servers would not take.
 */
int xml_write_header(struct buf *out, const struct xml_header *header) __attribute__((warn_unused_result, nonnull));
int xml_write_node(struct buf *out, const struct node *node) __attribute__((warn_unused_result, nonnull));
/* With the footer. */
int xml_write_stream_error(struct buf *out, const char *condition) __attribute__((warn_unused_result, nonnull));
int xml_write_footer(struct buf *out) __attribute__((warn_unused_result, nonnull));

#endif
