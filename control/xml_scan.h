/*
 * Where do tags end? A scan that knows just enough of XML to cut a stream of bytes before expat sees them:
 * - after the tag that ends a top-level element, so that a session can stop at exactly that byte, and
 * - before a tag that has not arrived whole, so that expat never looks at the beginning of one twice; with its
 *   deferral switched off that would take quadratic time (CVE-2023-52425).
 * It decides nothing about what is well-formed: where it and expat disagree, the stream ends (xml.c).
 */
#ifndef CONTROL_XML_SCAN_H
#define CONTROL_XML_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/xml.h"

enum xml_scan_state {
	SCAN_TEXT,
	SCAN_REFERENCE,        /* & ... ; */
	SCAN_OPENED,           /* < */
	SCAN_WORD,             /* <![CDATA[ or <?xml, letter by letter */
	SCAN_TAG,
	SCAN_QUOTED,           /* an attribute's value */
	SCAN_CDATA,
};

struct xml_scan {
	enum xml_scan_state state;
	unsigned depth;                /* open elements, <stream:stream> included */
	unsigned matched;              /* letters of `word`, or brackets of ]]> */
	const char *word;
	size_t token_bytes;            /* of the unfinished tag or reference */
	uint8_t quote, before;         /* the quote to wait for; the byte before this one */
	bool closing, declaring;       /* the tag is </..., or <?... */
	bool declaration_allowed;      /* nothing came yet */
	enum xml_fault fault;          /* 0: none */
	const char *detail;
};

void xml_scan_init(struct xml_scan *scan) __attribute__((nonnull));

/* Between top-level elements, or before the first: no tag is open. */
static inline bool xml_scan_is_outside(const struct xml_scan *scan)
{
	return scan->state == SCAN_TEXT && scan->depth <= 1;
}

/*
 * Scans up to the end of the next tag that leaves the scan outside, or to the end of the bytes, and says how far it came.
 * The first `*whole` bytes end in whole tags, references or in text; what is between there and the result belongs to one
 * that is not finished. On a fault, `fault` and `detail` are set, and all but the offending tag is whole.
 */
size_t xml_scan(struct xml_scan *scan, const uint8_t *bytes, size_t len, size_t *whole)
	__attribute__((warn_unused_result, nonnull));

#endif
