/*
 * data: URIs; see data_uri.h. They are found as widely as programs read them: in any case, with blanks in their head and
 * in their base64, and in the midst of text. Whoever is in doubt is on the wrong side: it is a URI.
 */
#include <ctype.h>
#include <string.h>

#include "base64.h"
#include "data_uri.h"

enum { HEAD_BYTES_MAX = 300 };

/* Inside of a URI programs do not see them (WHATWG URL 4.4). */
static bool is_unseen(char c)
{
	return c == '\t' || c == '\r' || c == '\n';
}

/* Where the text from `start` to `end` has this word at its end, in any case; NULL: it has not. */
static const char *find_at_end(const char *start, const char *end, const char *word)
{
	for (size_t left = strlen(word); left; left--) {
		while (end > start && is_unseen(end[-1]))
			end--;
		if (end == start || tolower((unsigned char)*--end) != word[left - 1])
			return NULL;
	}
	return end;
}

/* The next "data:" that does not end a longer word; *head is what follows it. NULL: there is none. */
static const char *find_scheme(const char *from, const char *end, const char **head)
{
	const char *colon = from;

	while (colon < end && (colon = memchr(colon, ':', (size_t)(end - colon)))) {
		const char *start = find_at_end(from, colon, "data");

		*head = ++colon;
		if (start && (start == from || !isalnum((unsigned char)start[-1])))
			return start;
	}
	return NULL;
}

static size_t trimmed(const char *head, size_t len)
{
	while (len && isspace((unsigned char)head[len - 1]))
		len--;
	return len;
}

/* Is the last parameter "base64"? The type then ends before it. */
static bool ends_with_base64(const char *head, size_t *len)
{
	const char *base64 = find_at_end(head, head + trimmed(head, *len), "base64");
	size_t n = base64 ? trimmed(head, (size_t)(base64 - head)) : 0;

	if (!n || head[n - 1] != ';')
		return false;
	*len = n - 1;
	return true;
}

/* Without base64 it may be a word of somebody's text, followed by a comma: "data: one, two". Of a URI no blank is part, and
 * it says a type, or nothing of it. */
static bool is_head(const char *head, size_t len)
{
	bool has_type = !len || *head == ';';

	for (size_t i = 0; i < len && i < HEAD_BYTES_MAX; i++) {
		if (!is_unseen(head[i]) && (head[i] <= ' ' || head[i] > '~'))
			return false;
		has_type |= head[i] == '/';
	}
	return has_type || len > HEAD_BYTES_MAX;
}

/* Text goes on after a URI in it; a value that begins with one is all of it, since blanks in base64 mean nothing. */
static const char *end_of_data(const char *data, const char *end, bool to_the_end)
{
	while (data < end && !strchr(to_the_end ? "\"'<>()" : "\"'<>() \t\r\n", *data))
		data++;
	return data;
}

static bool is_blank(const char *from, const char *to)
{
	while (from < to && isspace((unsigned char)*from))
		from++;
	return from == to;
}

bool data_uri_find(const char *text, size_t len, size_t *at, struct data_uri *uri)
{
	const char *end = text + len, *from = text + *at, *start, *head, *comma = NULL;

	while ((start = find_scheme(from, end, &head))) {
		if (!comma || comma < head)
			comma = memchr(head, ',', (size_t)(end - head));
		if (!comma)
			return false;
		*uri = (struct data_uri){.type = head, .type_len = (size_t)(comma - head), .data = comma + 1};
		uri->is_base64 = ends_with_base64(head, &uri->type_len);
		if (uri->is_base64 || is_head(head, uri->type_len)) {
			const char *last = end_of_data(uri->data, end, is_blank(text, start));

			uri->data_len = (size_t)(last - uri->data);
			*at = (size_t)(last - text);
			return true;
		}
		from = head;
	}
	return false;
}

size_t data_uri_room(const struct data_uri *uri)
{
	return uri->data_len + 3;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 3986 2.1. One byte of what the URI stands for; false: a '%' without its two digits. */
static bool next_byte(const struct data_uri *uri, size_t *at, char *byte)
{
	int high, low;

	*byte = uri->data[(*at)++];
	if (*byte != '%')
		return true;
	if (uri->data_len - *at < 2)
		return false;
	high = hex(uri->data[*at]);
	low = hex(uri->data[*at + 1]);
	*at += 2;
	if (high < 0 || low < 0)
		return false;
	*byte = (char)(high << 4 | low);
	return true;
}

bool data_uri_decode(const struct data_uri *uri, uint8_t *out, size_t *len)
{
	struct base64 decoder = {.out = out};
	char byte;

	*len = 0;
	for (size_t at = 0; at < uri->data_len;) {
		if (!next_byte(uri, &at, &byte))
			return false;
		if (uri->is_base64)
			base64_feed(&decoder, &byte, 1);
		else
			out[(*len)++] = (uint8_t)byte;
	}
	if (uri->is_base64)
		*len = decoder.len;
	return base64_end(&decoder);
}
