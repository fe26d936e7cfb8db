/* The scan for the ends of tags: one byte, one step. */
#include <string.h>

#include "xml_bytes.h"
#include "xml_scan.h"

enum step {
	STEP_INSIDE,           /* of a tag or reference that has not ended */
	STEP_ENDED,            /* the tag or reference ends with this byte; or it is text */
	STEP_FAULT,
};

void xml_scan_init(struct xml_scan *scan)
{
	*scan = (struct xml_scan){.declaration_allowed = true};
}

static enum step fault(struct xml_scan *scan, enum xml_fault fault, const char *detail)
{
	scan->fault = fault;
	scan->detail = detail;
	return STEP_FAULT;
}

static enum step ended(struct xml_scan *scan, enum xml_scan_state state)
{
	scan->state = state;
	scan->token_bytes = 0;
	scan->declaration_allowed = false;
	return STEP_ENDED;
}

static enum step tag_ended(struct xml_scan *scan)
{
	if (scan->declaring != (scan->before == '?'))
		return fault(scan, XML_FAULT_NOT_WELL_FORMED, "question mark that belongs to no declaration, or is missing");
	if (scan->closing && scan->depth == 0)
		return fault(scan, XML_FAULT_NOT_WELL_FORMED, "end of an element that was not begun");
	if (scan->closing)
		scan->depth--;
	else if (scan->before != '/' && !scan->declaring)
		scan->depth++;
	return ended(scan, SCAN_TEXT);
}

static enum step in_text(struct xml_scan *scan, uint8_t byte)
{
	if (byte != '<' && byte != '&')
		return STEP_ENDED;
	scan->state = byte == '<' ? SCAN_OPENED : SCAN_REFERENCE;
	return STEP_INSIDE;
}

/* Only five names and character numbers are allowed, and they are short (RFC 6120 11.1). */
static enum step in_reference(struct xml_scan *scan, uint8_t byte)
{
	if (byte == ';')
		return ended(scan, SCAN_TEXT);
	if (byte == '<' || byte == '&')
		return fault(scan, XML_FAULT_NOT_WELL_FORMED, "reference without an end");
	if (scan->token_bytes >= XML_REFERENCE_BYTES - 1)
		return fault(scan, XML_FAULT_LIMIT, "reference too long");
	return STEP_INSIDE;
}

static enum step word_begins(struct xml_scan *scan, const char *word)
{
	scan->state = SCAN_WORD;
	scan->word = word;
	scan->matched = 0;
	return STEP_INSIDE;
}

/* RFC 6120 11.1: no comments, processing instructions or declarations of any kind. */
static enum step in_opened(struct xml_scan *scan, uint8_t byte)
{
	scan->closing = byte == '/';
	scan->declaring = byte == '?';
	if (byte == '!' && scan->depth > 1)
		return word_begins(scan, "[CDATA[");
	if (byte == '!')
		return fault(scan, XML_FAULT_RESTRICTED, "comment, CDATA section or declaration at the top level");
	if (byte == '?' && scan->declaration_allowed)
		return word_begins(scan, "xml");
	if (byte == '?')
		return fault(scan, XML_FAULT_RESTRICTED, "processing instruction");
	/* There expat would change over to UTF-16, whatever encoding it was told. */
	if (byte == '\0' && scan->declaration_allowed)
		return fault(scan, XML_FAULT_ENCODING, "not UTF-8");
	if (byte == '<' || byte == '>' || byte == '\0')
		return fault(scan, XML_FAULT_NOT_WELL_FORMED, "tag without a name");
	scan->state = SCAN_TAG;
	return STEP_INSIDE;
}

static enum step in_word(struct xml_scan *scan, uint8_t byte)
{
	bool cdata = scan->word[0] == '[';

	if (byte != (uint8_t)scan->word[scan->matched])
		return fault(scan, XML_FAULT_RESTRICTED, cdata ? "comment or declaration" : "processing instruction");
	if (scan->word[++scan->matched])
		return STEP_INSIDE;
	if (!cdata) {
		scan->state = SCAN_TAG;
		return STEP_INSIDE;
	}
	scan->matched = 0;
	return ended(scan, SCAN_CDATA);
}

static enum step in_tag(struct xml_scan *scan, uint8_t byte)
{
	if (byte == '>')
		return tag_ended(scan);
	if (byte == '<')
		return fault(scan, XML_FAULT_NOT_WELL_FORMED, "< inside of a tag");
	if (byte == '\'' || byte == '"') {
		scan->state = SCAN_QUOTED;
		scan->quote = byte;
	}
	return STEP_INSIDE;
}

static enum step in_quoted(struct xml_scan *scan, uint8_t byte)
{
	if (byte == '<')
		return fault(scan, XML_FAULT_NOT_WELL_FORMED, "< inside of an attribute");
	if (byte == scan->quote)
		scan->state = SCAN_TAG;
	return STEP_INSIDE;
}

static enum step in_cdata(struct xml_scan *scan, uint8_t byte)
{
	if (byte == ']') {
		scan->matched += scan->matched < 2;
		return STEP_ENDED;
	}
	if (byte == '>' && scan->matched == 2)
		scan->state = SCAN_TEXT;
	scan->matched = 0;
	return STEP_ENDED;
}

static enum step scan_byte(struct xml_scan *scan, uint8_t byte)
{
	static enum step (*const steps[])(struct xml_scan *, uint8_t) = {
		[SCAN_TEXT] = in_text,
		[SCAN_REFERENCE] = in_reference,
		[SCAN_OPENED] = in_opened,
		[SCAN_WORD] = in_word,
		[SCAN_TAG] = in_tag,
		[SCAN_QUOTED] = in_quoted,
		[SCAN_CDATA] = in_cdata,
	};
	enum step step = steps[scan->state](scan, byte);

	if (step == STEP_INSIDE && ++scan->token_bytes >= XML_TAG_BYTES)
		return fault(scan, XML_FAULT_LIMIT, "tag too long");
	scan->before = byte;
	return step;
}

static size_t span_without(const uint8_t *bytes, size_t len, uint8_t a, uint8_t b)
{
	size_t n = 0;

	for (; n + WORD_BYTES <= len; n += WORD_BYTES) {
		uint64_t word = word_load(bytes + n);

		if (word_has(word, a) || word_has(word, b))
			break;
	}
	while (n < len && bytes[n] != a && bytes[n] != b)
		n++;
	return n;
}

static size_t span_of_tag(struct xml_scan *scan, const uint8_t *bytes, size_t len)
{
	static const bool means_something[UINT8_MAX + 1] = {['<'] = true, ['>'] = true, ['\''] = true, ['"'] = true};
	size_t n = 0;

	while (n < len && !means_something[bytes[n]])
		n++;
	if (n)
		scan->before = bytes[n - 1];
	return n;
}

/* How many bytes neither begin nor end anything, so that no step needs to look at them. */
static size_t plain_bytes(struct xml_scan *scan, const uint8_t *bytes, size_t len)
{
	size_t room = XML_TAG_BYTES - 1 - scan->token_bytes, n;

	if (scan->state == SCAN_TEXT)
		return span_without(bytes, len, '<', '&');
	if (scan->state != SCAN_QUOTED && scan->state != SCAN_TAG)
		return 0;
	len = len < room ? len : room;
	n = scan->state == SCAN_TAG ? span_of_tag(scan, bytes, len) : span_without(bytes, len, '<', scan->quote);
	scan->token_bytes += n;
	return n;
}

size_t xml_scan(struct xml_scan *scan, const uint8_t *bytes, size_t len, size_t *whole)
{
	size_t at = 0;

	*whole = 0;
	while (at < len) {
		size_t plain = plain_bytes(scan, bytes + at, len - at);
		enum step step;

		if (plain) {
			at += plain;
			if (scan->state == SCAN_TEXT)
				*whole = at;
			continue;
		}
		step = scan_byte(scan, bytes[at]);
		if (step == STEP_FAULT)
			break;
		at++;
		if (step == STEP_ENDED)
			*whole = at;
		if (step == STEP_ENDED && xml_scan_is_outside(scan))
			break;
	}
	return at;
}
