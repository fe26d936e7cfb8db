/*
 * First bytes; see opening.h. Lenient where a server may be lenient, so that what one of them would take for XMPP is found:
 * what cannot be decided is OPENING_MORE until OPENING_BYTES_MAX, and then no longer given the benefit of the doubt.
 */
#include <string.h>
#include <strings.h>

#include "opening.h"

/* A reader that tells "there is no more" from "it is not so". */
struct text {
	const uint8_t *at, *end;
};

static size_t left(const struct text *text)
{
	return (size_t)(text->end - text->at);
}

/* --- XML --- */

/* Of a byte order mark, or of the beginning of one; 0: there is none. */
static size_t mark_bytes(const uint8_t *bytes, size_t len)
{
	static const char *const marks[] = {"\xef\xbb\xbf", "\xfe\xff", "\xff\xfe"};
	for (unsigned i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t n = strlen(marks[i]) < len ? strlen(marks[i]) : len;
		if (!memcmp(bytes, marks[i], n))
			return n;
	}
	return 0;
}

/* A parser may take UTF-16 by its byte order mark: so what follows is looked at without the zero bytes. */
static size_t narrow(const uint8_t *bytes, size_t len, uint8_t *to)
{
	size_t n = 0;
	for (size_t i = mark_bytes(bytes, len); i < len; i++)
		if (bytes[i])
			to[n++] = bytes[i];
	return n;
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_space(struct text *text)
{
	while (text->at < text->end && is_space(*text->at))
		text->at++;
}

/* 1: it begins with this; 0: not; -1: it may, with more. */
static int begins(const struct text *text, const char *with)
{
	size_t n = strlen(with), have = left(text) < n ? left(text) : n;
	if (memcmp(text->at, with, have))
		return 0;
	return have == n ? 1 : -1;
}

static bool skip_past(struct text *text, const char *mark)
{
	const uint8_t *found = memmem(text->at, left(text), mark, strlen(mark));
	text->at = found ? found + strlen(mark) : text->end;
	return found;
}

/* XML declaration, processing instructions, comments. */
static enum opening skip_prolog(struct text *text)
{
	static const struct {
		const char *open, *close;
	} parts[] = {{"<?", "?>"}, {"<!--", "-->"}};
	for (bool skipped = true; skipped;) {
		skip_space(text);
		skipped = false;
		for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
			int here = begins(text, parts[i].open);
			if (here < 0)
				return OPENING_MORE;
			if (here && !skip_past(text, parts[i].close))
				return OPENING_MORE;
			skipped |= here;
		}
	}
	return OPENING_STREAM;
}

struct span {
	const uint8_t *at;
	size_t len;
};

static bool is(const struct span *span, const char *word)
{
	return span->len == strlen(word) && !memcmp(span->at, word, span->len);
}

/* Up to what cannot be part of a name. */
static struct span take_name(struct text *text)
{
	struct span name = {text->at, 0};
	while (text->at < text->end && !is_space(*text->at) && !strchr("=/>\"'<", *text->at))
		text->at++;
	name.len = (size_t)(text->at - name.at);
	return name;
}

/* The value in its quotes; false: there is no more, or it is none. */
static bool take_value(struct text *text, struct span *value)
{
	skip_space(text);
	if (!left(text) || *text->at++ != '=')
		return false;
	skip_space(text);
	if (!left(text) || !strchr("\"'", *text->at))
		return false;
	uint8_t quote = *text->at++;
	value->at = text->at;
	while (text->at < text->end && *text->at != quote)
		text->at++;
	value->len = (size_t)(text->at - value->at);
	return text->at++ < text->end;
}

/* The streams of clients and components are theirs, if they say so in plain letters (RFC 6120 4.8.2, XEP-0114). */
static bool is_content_of_others(const struct span *value)
{
	return is(value, "jabber:client") || is(value, "jabber:component:accept") ||
		is(value, "jabber:component:connect");
}

/* Any header is one between servers whose default namespace is not plainly another. */
static enum opening judge_attributes(struct text *text)
{
	while (left(text) && *text->at != '>') {
		skip_space(text);
		struct span name = take_name(text), value;
		if (!left(text))
			return OPENING_MORE;
		if (!name.len) {
			text->at += *text->at != '>';
			continue;
		}
		if (!take_value(text, &value))
			return text->at >= text->end ? OPENING_MORE : OPENING_STREAM;
		if (is(&name, "xmlns") && is_content_of_others(&value))
			return OPENING_OTHER;
	}
	return left(text) ? OPENING_STREAM : OPENING_MORE;
}

static bool is_stream(const struct span *name)
{
	const uint8_t *colon = memrchr(name->at, ':', name->len);
	struct span local = *name;
	if (colon)
		local = (struct span){colon + 1, name->len - (size_t)(colon + 1 - name->at)};
	return is(&local, "stream");
}

static enum opening judge_xml(struct text text)
{
	if (skip_prolog(&text) == OPENING_MORE || !left(&text))
		return OPENING_MORE;
	if (*text.at++ != '<')
		return OPENING_OTHER;
	struct span name = take_name(&text);
	if (!left(&text))
		return OPENING_MORE;
	return is_stream(&name) ? judge_attributes(&text) : OPENING_OTHER;
}

static enum opening judge_text(const uint8_t *bytes, size_t len)
{
	uint8_t narrowed[OPENING_BYTES_MAX];
	struct text text = {narrowed, narrowed + narrow(bytes, len, narrowed)};
	enum opening opening = judge_xml(text);
	/* A prolog without end is not a header yet, and no server waits so long for one. */
	return opening == OPENING_MORE && len == OPENING_BYTES_MAX ? OPENING_OTHER : opening;
}

/* --- TLS --- */

enum tls {
	TLS_HANDSHAKE = 22, TLS_RECORD_BYTES = 5, TLS_CLIENT_HELLO = 1, TLS_MESSAGE_BYTES = 4, TLS_EXTENSION_ALPN = 16,
	TLS_VERSION_AND_RANDOM_BYTES = 34,
};

static unsigned get_number(const uint8_t *at, unsigned bytes)
{
	unsigned n = 0;
	while (bytes--)
		n = n << 8 | *at++;
	return n;
}

/* Puts the handshake message together that lies in one record or in many (RFC 8446 5.1). */
static enum opening gather_hello(struct text records, uint8_t *hello, size_t *len)
{
	*len = 0;
	while (left(&records)) {
		if (*records.at != TLS_HANDSHAKE || (left(&records) > 1 && records.at[1] != 3))
			return OPENING_OTHER;
		if (left(&records) < TLS_RECORD_BYTES)
			return OPENING_MORE;
		size_t length = get_number(records.at + 3, 2);
		records.at += TLS_RECORD_BYTES;
		if (!length)
			return OPENING_OTHER;
		size_t have = length < left(&records) ? length : left(&records);
		memcpy(hello + *len, records.at, have);
		*len += have;
		records.at += have;
		if (*len && hello[0] != TLS_CLIENT_HELLO)
			return OPENING_OTHER;
		if (*len >= TLS_MESSAGE_BYTES && *len >= TLS_MESSAGE_BYTES + get_number(hello + 1, 3))
			return OPENING_TLS;
	}
	return OPENING_MORE;
}

/* A vector with a length of this many bytes in front; empty if it does not fit. */
static struct text take_vector(struct text *text, unsigned length_bytes)
{
	struct text vector = {text->end, text->end};
	if (left(text) >= length_bytes) {
		size_t length = get_number(text->at, length_bytes);
		text->at += length_bytes;
		if (length <= left(text))
			vector = (struct text){text->at, text->at + length};
	}
	text->at = vector.end;
	return vector;
}

static bool offers_xmpp(struct text alpn)
{
	static const char wanted[] = "xmpp-server";
	for (struct text names = take_vector(&alpn, 2); left(&names);) {
		struct text name = take_vector(&names, 1);
		if (left(&name) == sizeof(wanted) - 1 && !memcmp(name.at, wanted, sizeof(wanted) - 1))
			return true;
	}
	return false;
}

static enum opening judge_hello(struct text hello)
{
	if (left(&hello) < TLS_VERSION_AND_RANDOM_BYTES)
		return OPENING_OTHER;
	hello.at += TLS_VERSION_AND_RANDOM_BYTES;
	take_vector(&hello, 1); /* session id */
	take_vector(&hello, 2); /* cipher suites */
	take_vector(&hello, 1); /* compression methods */
	for (struct text extensions = take_vector(&hello, 2); left(&extensions) >= 4;) {
		unsigned type = get_number(extensions.at, 2);
		extensions.at += 2;
		struct text body = take_vector(&extensions, 2);
		if (type == TLS_EXTENSION_ALPN && offers_xmpp(body))
			return OPENING_TLS;
	}
	return OPENING_OTHER;
}

/* A hello that hides its end behind OPENING_BYTES_MAX is nobody's but of one who hides something. */
static enum opening judge_tls(const uint8_t *bytes, size_t len)
{
	uint8_t message[OPENING_BYTES_MAX];
	size_t n;
	enum opening opening = gather_hello((struct text){bytes, bytes + len}, message, &n);
	if (opening != OPENING_TLS)
		return opening == OPENING_MORE && len == OPENING_BYTES_MAX ? OPENING_TLS : opening;
	size_t length = get_number(message + 1, 3);
	return judge_hello((struct text){message + TLS_MESSAGE_BYTES, message + TLS_MESSAGE_BYTES + length});
}

/* --- HTTP --- */

/* The line's name, and its list of tokens (RFC 9110 5.1, RFC 6455 4.1). */
static bool line_asks_for_xmpp(struct text line)
{
	static const char name[] = "sec-websocket-protocol:", token[] = "xmpp";
	if (left(&line) < sizeof(name) - 1 || strncasecmp((const char *)line.at, name, sizeof(name) - 1))
		return false;
	for (line.at += sizeof(name) - 1; left(&line);) {
		while (left(&line) && (is_space(*line.at) || *line.at == ','))
			line.at++;
		struct span word = {line.at, 0};
		while (left(&line) && !is_space(*line.at) && *line.at != ',')
			line.at++;
		word.len = (size_t)(line.at - word.at);
		if (is(&word, token))
			return true;
	}
	return false;
}

static enum opening judge_http(const uint8_t *bytes, size_t len)
{
	struct text text = {bytes, bytes + len};
	int here = begins(&text, "GET ");
	if (here <= 0)
		return here ? OPENING_MORE : OPENING_OTHER;
	while (left(&text)) {
		const uint8_t *end = memchr(text.at, '\n', left(&text));
		if (!end)
			break;
		if (end == text.at || (end == text.at + 1 && *text.at == '\r'))
			return OPENING_OTHER;
		if (line_asks_for_xmpp((struct text){text.at, end}))
			return OPENING_WEBSOCKET;
		text.at = end + 1;
	}
	return len == OPENING_BYTES_MAX ? OPENING_OTHER : OPENING_MORE;
}

/* --- */

enum opening opening_judge(const uint8_t *bytes, size_t len)
{
	if (!len)
		return OPENING_MORE;
	if (len > OPENING_BYTES_MAX)
		len = OPENING_BYTES_MAX;
	if (bytes[0] == TLS_HANDSHAKE)
		return judge_tls(bytes, len);
	if (bytes[0] == 'G')
		return judge_http(bytes, len);
	return judge_text(bytes, len);
}

/* --- QUIC --- */

enum quic { QUIC_LONG_AND_FIXED = 0xc0, QUIC_TYPE = 0x30, QUIC_CONNECTION_ID_MAX = 20 };

/* On the port of the web any long header is one of QUIC; elsewhere it must be an Initial packet of a known version. */
bool opening_is_quic(const uint8_t *payload, size_t len, bool to_web_port)
{
	if (len < 7 || (payload[0] & QUIC_LONG_AND_FIXED) != QUIC_LONG_AND_FIXED)
		return false;
	if (to_web_port)
		return true;
	unsigned version = get_number(payload + 1, 4), type = payload[0] & QUIC_TYPE;
	bool initial = (version == 1 && type == 0) || (version == 0x6b3343cf && type == 0x10);
	return initial && payload[5] <= QUIC_CONNECTION_ID_MAX && len >= QUIC_DATAGRAM_BYTES_MIN;
}
