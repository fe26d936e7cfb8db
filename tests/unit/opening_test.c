/* The first bytes of connections, whole and one more at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/opening.h"

#define NS_STREAM "xmlns:stream='http://etherx.jabber.org/streams'"

/* Exactly so many bytes on the heap, so that a sanitizer sees one too many. */
static enum opening judge(const void *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	assert_non_null(copy);
	memcpy(copy, bytes, len);
	enum opening opening = opening_judge(copy, len);
	free(copy);
	return opening;
}

/* Byte by byte nothing else than "more" may be said before the verdict, and nothing else after it. */
static void judged_as(const void *bytes, size_t len, enum opening expected)
{
	enum opening opening = OPENING_MORE;
	for (size_t n = 0; n <= len; n++) {
		enum opening now = judge(bytes, n);
		if (opening != OPENING_MORE)
			assert_int_equal(now, opening);
		opening = now;
	}
	assert_int_equal(opening, expected);
}

static void stream_headers(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum opening expected;
	} rows[] = {
		{"<?xml version='1.0'?><stream:stream xmlns='jabber:server' " NS_STREAM " to='b.example'>", OPENING_STREAM},
		{"<stream:stream xmlns=\"jabber:server\" " NS_STREAM ">", OPENING_STREAM},
		{"\r\n \t<stream:stream xmlns='jabber:server' " NS_STREAM ">", OPENING_STREAM},
		{"<!-- a --><?pi b?><stream:stream xmlns='jabber:server' " NS_STREAM ">", OPENING_STREAM},
		{"\xef\xbb\xbf<stream:stream xmlns='jabber:server' " NS_STREAM ">", OPENING_STREAM},
		{"<s:stream xmlns='jabber&#58;server' xmlns:s='http://etherx.jabber.org/streams'>", OPENING_STREAM},
		{"<stream xmlns='http://etherx.jabber.org/streams'>", OPENING_STREAM},
		{"<stream:stream " NS_STREAM ">", OPENING_STREAM},
		{"<stream:stream x='jabber:client' xmlns:y='jabber:client' xmlns='jabber:server' " NS_STREAM ">", OPENING_STREAM},
		{"<stream:stream to = 'a>b' xmlns = 'jabber:server'>", OPENING_STREAM},
		{"<stream:stream to=b xmlns='jabber:client'>", OPENING_STREAM},
		{"<stream:stream xmlns='jabber:client' " NS_STREAM ">", OPENING_OTHER},
		{"<stream:stream to='b' xmlns=\"jabber:component:accept\">", OPENING_OTHER},
		{"<?xml version='1.0'?><html>", OPENING_OTHER},
		{"<streams xmlns='jabber:server'>", OPENING_OTHER},
		{"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", OPENING_OTHER},
		{"<!DOCTYPE html>", OPENING_OTHER},
		{"SSH-2.0-OpenSSH_9.2\r\n", OPENING_OTHER},
		{"POST / HTTP/1.1\r\n", OPENING_OTHER},
		{"\x80", OPENING_OTHER},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		judged_as(rows[i].text, strlen(rows[i].text), rows[i].expected);
}

static void stream_headers_in_utf16(void **state)
{
	static const char text[] = "<stream:stream xmlns='jabber:server' " NS_STREAM ">";
	static const char *const marks[2] = {"\xff\xfe", "\xfe\xff"};
	(void)state;
	for (unsigned big = 0; big < 2; big++) {
		uint8_t wide[2 + 2 * sizeof(text)] = {0};
		memcpy(wide, marks[big], 2);
		for (size_t i = 0; i < sizeof(text) - 1; i++)
			wide[2 + 2 * i + big] = (uint8_t)text[i];
		judged_as(wide, 2 * sizeof(text), OPENING_STREAM);
		judged_as(wide + 2, 2 * sizeof(text) - 2, OPENING_STREAM);
	}
}

static void a_prolog_without_end_is_no_stream(void **state)
{
	uint8_t bytes[OPENING_BYTES_MAX];
	(void)state;
	memset(bytes, ' ', sizeof(bytes));
	assert_int_equal(judge(bytes, sizeof(bytes) - 1), OPENING_MORE);
	assert_int_equal(judge(bytes, sizeof(bytes)), OPENING_OTHER);
	memcpy(bytes, "<!--", 4);
	assert_int_equal(judge(bytes, sizeof(bytes)), OPENING_OTHER);
}

/* --- TLS --- */

struct hello {
	uint8_t bytes[4096];
	size_t len;
};

static void put(struct hello *hello, const void *bytes, size_t n)
{
	memcpy(hello->bytes + hello->len, bytes, n);
	hello->len += n;
}

static void put_number(struct hello *hello, unsigned v, unsigned bytes)
{
	while (bytes--)
		hello->bytes[hello->len++] = (uint8_t)(v >> (8 * bytes));
}

/* ALPN in its place, with `padding` bytes of another extension before it. */
static struct hello make_hello(const char *alpn, unsigned padding)
{
	struct hello body = {.len = 0}, whole = {.len = 0};
	put_number(&body, 0x0303, 2);
	for (unsigned i = 0; i < 8; i++)
		put_number(&body, 0x12345678, 4);
	put_number(&body, 0, 1);
	put(&body, "\0\2\x13\x01\1\0", 6);
	size_t names = alpn ? 1 + strlen(alpn) : 0, extensions = 4 + padding + (alpn ? 6 + names : 0);
	put_number(&body, (unsigned)extensions, 2);
	put_number(&body, 21, 2);
	put_number(&body, padding, 2);
	body.len += padding;
	if (alpn) {
		put_number(&body, 16, 2);
		put_number(&body, (unsigned)names + 2, 2);
		put_number(&body, (unsigned)names, 2);
		put_number(&body, (unsigned)strlen(alpn), 1);
		put(&body, alpn, strlen(alpn));
	}
	put_number(&whole, 1, 1);
	put_number(&whole, (unsigned)body.len, 3);
	put(&whole, body.bytes, body.len);
	return whole;
}

/* In records of at most `piece` bytes. */
static struct hello in_records(const struct hello *message, size_t piece)
{
	struct hello records = {.len = 0};
	for (size_t at = 0; at < message->len; at += piece) {
		size_t n = message->len - at < piece ? message->len - at : piece;
		put(&records, "\x16\3\1", 3);
		put_number(&records, (unsigned)n, 2);
		put(&records, message->bytes + at, n);
	}
	return records;
}

static void client_hellos(void **state)
{
	static const size_t pieces[] = {4096, 100, 7, 4};
	(void)state;
	for (unsigned i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct hello xmpp = make_hello("xmpp-server", 200), web = make_hello("h2", 200), none = make_hello(NULL, 0),
			client = make_hello("xmpp-client", 0);
		struct hello records = in_records(&xmpp, pieces[i]);
		judged_as(records.bytes, records.len, OPENING_TLS);
		records = in_records(&web, pieces[i]);
		judged_as(records.bytes, records.len, OPENING_OTHER);
		records = in_records(&none, pieces[i]);
		judged_as(records.bytes, records.len, OPENING_OTHER);
		records = in_records(&client, pieces[i]);
		judged_as(records.bytes, records.len, OPENING_OTHER);
	}
}

static void not_a_client_hello(void **state)
{
	(void)state;
	judged_as("\x16\3\1\0\4\2\0\0\0", 9, OPENING_OTHER);
	judged_as("\x16\3\1\0\0\x16\3\1\0\0", 10, OPENING_OTHER);
	judged_as("\x16\1", 2, OPENING_OTHER);
	judged_as("\x17\3\3\0\1x", 6, OPENING_OTHER);
	judged_as("\x16\3\1\0\4\1\0\0\0", 9, OPENING_OTHER);
}

/* Lengths of vectors that lie lead nowhere else. */
static void hellos_that_lie(void **state)
{
	(void)state;
	struct hello xmpp = make_hello("xmpp-server", 20), records = in_records(&xmpp, 4096);
	for (size_t i = 9; i < records.len; i++)
		for (unsigned v = 0; v < 256; v += 51) {
			struct hello changed = records;
			changed.bytes[i] = (uint8_t)v;
			enum opening opening = judge(changed.bytes, changed.len);
			assert_true(opening == OPENING_OTHER || opening == OPENING_TLS);
		}
}

static void a_hello_without_end_is_suspect(void **state)
{
	uint8_t bytes[OPENING_BYTES_MAX] = "\x16\3\1\x40\0\1\0\xff\xff";
	(void)state;
	assert_int_equal(judge(bytes, 5000), OPENING_MORE);
	assert_int_equal(judge(bytes, sizeof(bytes)), OPENING_TLS);
}

/* --- HTTP, QUIC --- */

static void websockets(void **state)
{
	static const struct {
		const char *text;
		enum opening expected;
	} rows[] = {
		{"GET /ws HTTP/1.1\r\nHost: b\r\nSec-WebSocket-Protocol: xmpp\r\n", OPENING_WEBSOCKET},
		{"GET /ws HTTP/1.1\nsec-websocket-PROTOCOL:chat, xmpp\n", OPENING_WEBSOCKET},
		{"GET /ws HTTP/1.1\r\nSec-WebSocket-Protocol: chat\r\n\r\n", OPENING_OTHER},
		{"GET /ws HTTP/1.1\r\nSec-WebSocket-Protocol: xmpps\r\n\r\n", OPENING_OTHER},
		{"GET / HTTP/1.1\r\nHost: b\r\n\r\nSec-WebSocket-Protocol: xmpp\r\n", OPENING_OTHER},
		{"GIF89a", OPENING_OTHER},
	};
	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		judged_as(rows[i].text, strlen(rows[i].text), rows[i].expected);
}

static void quic_packets(void **state)
{
	uint8_t datagram[1200] = {0xc0, 0, 0, 0, 1, 8};
	(void)state;
	assert_true(opening_is_quic(datagram, sizeof(datagram), false));
	assert_false(opening_is_quic(datagram, sizeof(datagram) - 1, false));
	assert_true(opening_is_quic(datagram, 100, true));
	assert_false(opening_is_quic(datagram, 6, true));
	datagram[5] = 21;
	assert_false(opening_is_quic(datagram, sizeof(datagram), false));
	memcpy(datagram, "\xd0\x6b\x33\x43\xcf\x08", 6);
	assert_true(opening_is_quic(datagram, sizeof(datagram), false));
	datagram[0] = 0xe0; /* a Handshake packet */
	assert_false(opening_is_quic(datagram, sizeof(datagram), false));
	datagram[0] = 0x40; /* a short header */
	assert_false(opening_is_quic(datagram, sizeof(datagram), true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stream_headers),
		cmocka_unit_test(stream_headers_in_utf16),
		cmocka_unit_test(a_prolog_without_end_is_no_stream),
		cmocka_unit_test(client_hellos),
		cmocka_unit_test(not_a_client_hello),
		cmocka_unit_test(hellos_that_lie),
		cmocka_unit_test(a_hello_without_end_is_suspect),
		cmocka_unit_test(websockets),
		cmocka_unit_test(quic_packets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
