/* The parser: every case whole and in chunks of 1 to 7 bytes, at and over each limit, and with each allocation
 * failing. */
#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/xml_harness.h"

enum { CHUNKS = 7 };

#define H STREAM_HEADER
#define HL STREAM_HEADER_LOG
#define F "</stream:stream>"
#define S "http://etherx.jabber.org/streams"

/* --- Memory: the linker sends our allocations and expat's through here. --- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);

static long fail_in; /* this many allocations from now; 0: never */
static long live_bytes;

static bool fails_now(void)
{
	return fail_in && --fail_in == 0;
}

static void *counted(void *p)
{
	live_bytes += p ? (long)malloc_usable_size(p) : 0;
	return p;
}

void *__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails_now() ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t size)
{
	long before = p ? (long)malloc_usable_size(p) : 0;
	void *q = fails_now() ? NULL : __real_realloc(p, size);

	if (q)
		live_bytes -= before;
	return counted(q);
}

void __wrap_free(void *p)
{
	live_bytes -= p ? (long)malloc_usable_size(p) : 0;
	__real_free(p);
}

/* --- Tables --- */

struct row {
	const char *name, *stream;
	size_t len;
	const char *log;
};
#define ROW(name, stream, log)                        \
	{                                             \
		name, stream, sizeof(stream) - 1, log \
	}

static const struct row good[] = {
	ROW("empty", "", ""),
	ROW("header", H, HL),
	ROW("declaration", "<?xml version='1.0'?>" H, HL),
	ROW("declaration with encoding", "<?xml version=\"1.0\" encoding=\"utf-8\" standalone='yes' ?>\n" H F,
		HL "footer\n"),
	ROW("whitespace before the header", " \r\n" H F, HL "footer\n"),
	ROW("all header attributes",
		"<stream:stream id='&lt;1&apos;' xml:lang='en' version='1.0' to=\"b\" from='a' other='x' x:other='y' "
		"xmlns:x='urn:x' "
		"xmlns:stream='" S "' xmlns='jabber:server'>",
		"header from='a' to='b' id='<1'' version='1.0' lang='en'\n"),
	ROW("other prefixes",
		"<s:stream xmlns:s='" S
		"' xmlns='jabber:server'><s:features/><d:result xmlns:d='jabber:server:dialback'"
		" to='x'>key</d:result></s:stream>",
		"header\n(features{" S "})\n(result{jabber:server:dialback} to='x' \"key\")\nfooter\n"),
	ROW("dialback prefix for something else",
		"<stream:stream xmlns='jabber:server' xmlns:stream='" S "' xmlns:db='urn:x'>", "header\n"),
	ROW("message", H "<message to='b'><body>hi</body></message>",
		HL "(message{jabber:server} to='b' (body \"hi\"))\n"),
	ROW("keepalives", H " \n<presence/>\t\r\n<iq/> ",
		HL "keepalive 2\n(presence{jabber:server})\nkeepalive 3\n"
		   "(iq{jabber:server})\nkeepalive 1\n"),
	ROW("whitespace inside is kept", H "<a> <b>\n</b>\t</a>", HL "(a{jabber:server} \" \" (b \"\n\") \"\t\")\n"),
	ROW("references", H "<a b='&quot;&#9;&#x0a;&#13;&amp;'>&lt;&gt;&apos;&#233;&#x1F600;&#x0000000041;</a>",
		HL "(a{jabber:server} b='\"\t\n\r&' \"<>'\u00e9\U0001F600A\")\n"),
	ROW("line ends become line feeds", H "<a b='x\r\ny\tz'>1\r\n2\r3\n4</a>",
		HL "(a{jabber:server} b='x y z' \"1\n2\n3\n4\")\n"),
	ROW("multi-byte characters", H "<\u00e9 \u03b1='\u4e2d'>\u00e9\u4e2d\U0001F600</\u00e9>",
		HL "(\u00e9{jabber:server} \u03b1='\u4e2d' \"\u00e9\u4e2d\U0001F600\")\n"),
	ROW("CDATA is text", H "<a>1<![CDATA[<b it's=\"&amp;]]]]>2<![CDATA[]]><![CDATA[>]]></a>",
		HL "(a{jabber:server} \"1<b it's=\"&amp;]]2>\")\n"),
	ROW("brackets in text", H "<a>]]&gt; ]] ]a></a>", HL "(a{jabber:server} \"]]> ]] ]a>\")\n"),
	ROW("> and quotes in values", H "<a b='/>\"' c=\">'\" >x</a >",
		HL "(a{jabber:server} b='/>\"' c='>'' \"x\")\n"),
	ROW("slashes in values", H "<a b='/'><c d='//'/></a>", HL "(a{jabber:server} b='/' (c d='//'))\n"),
	ROW("namespaces",
		H "<x:a xmlns:x='urn:x' xmlns='urn:y' x:b='1' b='2'><x:c/><d/><e xmlns=''/><f "
		  "xmlns='jabber:server'/></x:a>",
		HL "(a{urn:x} b='2' {urn:x} b='1' (c) (d{urn:y}) (e{}) (f{jabber:server}))\n"),
	ROW("prefix used again for another namespace", H "<a xmlns:x='urn:1'><x:b/><x:b xmlns:x='urn:2'/><x:b/></a>",
		HL "(a{jabber:server} (b{urn:1}) (b{urn:2}) (b{urn:1}))\n"),
	ROW("xml:lang", H "<message xml:lang='de'/>",
		HL "(message{jabber:server} {http://www.w3.org/XML/1998/namespace} lang='de')\n"),
	ROW("empty and ended", H "<a/><a></a ><a b='' />",
		HL "(a{jabber:server})\n(a{jabber:server})\n(a{jabber:server} b='')\n"),
	ROW("after the end only whitespace", H F " \n", HL "footer\n"),
	ROW("unfinished", H "<message><body>hal", HL),
	ROW("unfinished tag", H "<message to='a", HL),
	ROW("colon and separator-like names", H "<a b='\xc2\x80'/>", HL "(a{jabber:server} b='\xc2\x80')\n"),
};

#define NWF HL "fault not-well-formed\n"
#define RESTRICTED HL "fault restricted-xml\n"

static const struct row bad[] = {
	ROW("not XML", "GET / HTTP/1.1\r\n", "fault bad-format\n"),
	ROW("nothing opened", "</stream:stream>", "fault not-well-formed\n"),
	ROW("byte order mark", "\xef\xbb\xbf" H, "fault bad-format\n"),
	ROW("UTF-16", "<\0?\0x\0m\0l\0?\0>\0", "fault unsupported-encoding\n"),
	ROW("declaration of UTF-16", "<?xml version='1.0' encoding='UTF-16'?>" H, "fault unsupported-encoding\n"),
	ROW("declaration of Latin-1", "<?xml version='1.0' encoding='iso-8859-1'?>" H, "fault unsupported-encoding\n"),
	ROW("XML 1.1", "<?xml version='1.1'?>" H, "fault not-well-formed\n"),
	ROW("declaration after whitespace", " <?xml version='1.0'?>" H, "fault restricted-xml\n"),
	ROW("two declarations", "<?xml version='1.0'?><?xml version='1.0'?>" H, "fault restricted-xml\n"),
	ROW("declaration in the stream", H "<?xml version='1.0'?>", RESTRICTED),
	ROW("instruction before the header", "<?xml-stylesheet href='x'?>" H, "fault restricted-xml\n"),
	ROW("another instruction", "<?php x?>" H, "fault restricted-xml\n"),
	ROW("instruction in an element", H "<a><?x y?></a>", RESTRICTED),
	ROW("comment before the header", "<!-- it's -->" H, "fault restricted-xml\n"),
	ROW("comment between", H "<!-- x --><a/>", RESTRICTED),
	ROW("comment in an element", H "<a>1<!-- it's --></a>", RESTRICTED),
	ROW("document type", "<!DOCTYPE s [<!ENTITY a 'b'>]>" H, "fault restricted-xml\n"),
	ROW("document type after the declaration", "<?xml version='1.0'?><!DOCTYPE s SYSTEM 'http://a.example/'>" H,
		"fault restricted-xml\n"),
	ROW("document type in an element", H "<a><!DOCTYPE a></a>", RESTRICTED),
	ROW("entity", H "<a>&nbsp;</a>", RESTRICTED),
	ROW("entity in an attribute", H "<a b='&nbsp;'/>", RESTRICTED),
	ROW("CDATA at the top", H "<![CDATA[ ]]>", RESTRICTED),
	ROW("not quite CDATA", H "<a><![CDATA x]]></a>", RESTRICTED),
	ROW("text at the top", H "x", HL "fault bad-format\n"),
	ROW("text after an element", H "<a/>x", HL "(a{jabber:server})\nfault bad-format\n"),
	ROW("reference at the top", H "&#32;<a/>", HL "fault bad-format\n"),
	ROW("not a stream", "<a xmlns='jabber:server'>", "fault bad-format\n"),
	ROW("stream of no namespace", "<stream xmlns='jabber:server'>", "fault invalid-namespace\n"),
	ROW("stream of another namespace", "<stream:stream xmlns='jabber:server' xmlns:stream='urn:x'>",
		"fault invalid-namespace\n"),
	ROW("client stream", "<stream:stream xmlns='jabber:client' xmlns:stream='" S "'>",
		"fault invalid-namespace\n"),
	ROW("content without a namespace", "<stream:stream xmlns:stream='" S "'>", "fault invalid-namespace\n"),
	ROW("empty stream", "<stream:stream xmlns='jabber:server' xmlns:stream='" S "'/>", "fault bad-format\n"),
	ROW("stream in a stream", H "<stream:stream>", HL "fault bad-format\n"),
	ROW("prefix not declared", H "<x:a/>", NWF),
	ROW("attribute prefix not declared", H "<a x:b=''/>", NWF),
	ROW("stream prefix not declared", "<stream:stream xmlns='jabber:server'>", "fault not-well-formed\n"),
	ROW("prefix declared empty", H "<a xmlns:x=''/>", NWF),
	ROW("xml prefix for something else", H "<a xmlns:xml='urn:x'/>", NWF),
	ROW("xmlns prefix declared", H "<a xmlns:xmlns='urn:x'/>", NWF),
	ROW("separator in a namespace",
		H "<a xmlns='urn:x\x1f"
		  "b'/>",
		NWF),
	ROW("separator as a reference", H "<a xmlns='urn:x&#x1f;b'/>", NWF),
	ROW("two colons", H "<a:b:c xmlns:a='x'/>", NWF),
	ROW("wrong end", H "<a><b></a></b>", NWF),
	ROW("end of the stream inside", H "<a>" F, NWF),
	ROW("wrong end of the stream", H "</stream>", NWF),
	ROW("same prefix, other end", H "<x:a xmlns:x='urn:x' xmlns:y='urn:x'></y:a>", NWF),
	ROW("duplicate attribute", H "<a b='1' b='2'/>", NWF),
	ROW("duplicate by namespace", H "<a xmlns:x='u' xmlns:y='u' x:b='1' y:b='2'/>", NWF),
	ROW("no quotes", H "<a b=c/>", NWF),
	ROW("no space between attributes", H "<a b='c'd='e'/>", NWF),
	ROW("slash in a tag", H "<a / >", NWF),
	ROW("question mark in a tag", H "<a?>", NWF),
	ROW("< in a value", H "<a b='<'/>", NWF),
	ROW("< in a tag", H "<a <b/>", NWF),
	ROW("empty tag", H "<>", NWF),
	ROW("space before the name", H "< a/>", NWF),
	ROW("]]> in text", H "<a>]]></a>", NWF),
	ROW("& alone", H "<a>& </a>;", NWF),
	ROW("reference into a tag", H "<a>&am<b/>p;</a>", NWF),
	ROW("control character", H "<a>\x01</a>", NWF),
	ROW("NUL", H "<a>\0</a>", NWF),
	ROW("NUL as a reference", H "<a>&#0;</a>", NWF),
	ROW("control character as a reference", H "<a>&#x1;</a>", NWF),
	ROW("U+FFFE", H "<a>\xef\xbf\xbe</a>", NWF),
	ROW("U+FFFF as a reference", H "<a>&#xFFFF;</a>", NWF),
	ROW("non-character", H "<a>x\xef\xb7\x90</a>", NWF),
	ROW("non-character beyond the first plane", H "<a>&#x1FFFE;</a>", NWF),
	ROW("non-character in a value", H "<a b='\xf4\x8f\xbf\xbf'/>", NWF),
	ROW("surrogate as a reference", H "<a>&#xD800;</a>", NWF),
	ROW("surrogate", H "<a>\xed\xa0\x80</a>", NWF),
	ROW("beyond Unicode", H "<a>&#x110000;</a>", NWF),
	ROW("overlong", H "<a>\xc0\xaf</a>", NWF),
	ROW("overlong <",
		H "\xc0\xbc"
		  "a/>",
		HL "fault bad-format\n"),
	ROW("not UTF-8", H "<a>\xff</a>", NWF),
	ROW("cut character", H "<a>\xe4\xb8</a>", NWF),
	ROW("not UTF-8 in a name", H "<a\xff/>", NWF),
	ROW("tag < in a value", H "<a b=\"</a>\"/>", NWF),
	ROW("data after the end", H F "<a/>", HL "footer\nfault not-well-formed\n"),
	ROW("good before bad", H "<a/><b>&x;</b><c/>", HL "(a{jabber:server})\nfault restricted-xml\n"),
};

static void check_row(const struct row *row, size_t chunk)
{
	struct stream_log log;

	stream_log_init(&log);
	stream_read(&log, row->stream, row->len, chunk);
	if (strcmp(stream_log_text(&log), row->log))
		print_error("%s, chunks of %zu:\n", row->name, chunk);
	assert_string_equal(stream_log_text(&log), row->log);
	stream_log_fini(&log);
}

static void reads_good_streams(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		for (size_t chunk = 0; chunk <= CHUNKS; chunk++)
			check_row(&good[i], chunk);
}

static void refuses_bad_streams(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		for (size_t chunk = 0; chunk <= CHUNKS; chunk++)
			check_row(&bad[i], chunk);
}

/* Text is looked at several bytes at a time: they have to be seen wherever they stand, and their neighbours not. */
static void refuses_noncharacters_at_every_place(void **state)
{
	static const struct {
		const char *bytes;
		bool good;
	} rows[] = {
		{"\xef\xb7\x8f", true}, {"\xef\xb7\x90", false}, {"\xef\xb7\xaf", false}, {"\xef\xb7\xb0", true},
		{"\xef\xbf\xbd", true}, {"\xf0\x9f\xbf\xbd", true}, {"\xf0\x9f\xbf\xbe", false},
		{"\xf4\x8f\xbf\xbf", false}, {"\xc3\xa9", true},
	};

	(void)state;
	for (size_t row = 0; row < sizeof(rows) / sizeof(*rows); row++)
		for (int before = 0; before <= 20; before++)
			for (int after = 0; after <= 20; after++) {
				char xml[80];
				struct stanza stanza;

				snprintf(xml, sizeof(xml), "<a>%.*s%s%.*s</a>", before, "abcdefghijklmnopqrstuvwxyz", rows[row].bytes,
					after, "abcdefghijklmnopqrstuvwxyz");
				stanza = stanza_of(xml);
				assert_int_equal(stanza.root != NULL, rows[row].good);
				arena_free(stanza.arena);
			}
}

static void stays_broken(void **state)
{
	struct stream_log log;
	struct xml_parser *parser;

	(void)state;
	stream_log_init(&log);
	parser = xml_parser_new(&stream_log_handlers, &log);
	assert_int_equal(stream_feed(parser, H "<a>\x01", strlen(H) + 4, 0), -XML_FAULT_NOT_WELL_FORMED);
	assert_true(strlen(xml_parser_detail(parser)) > 0);
	assert_int_equal(stream_feed(parser, "</a>", 4, 0), -XML_FAULT_NOT_WELL_FORMED);
	assert_int_equal(xml_parser_restart(parser), -EPROTO);
	assert_string_equal(stream_log_text(&log), HL);
	xml_parser_free(parser);
	stream_log_fini(&log);
}

/* --- Stopping --- */

/* What follows is not looked at: as it is, it would break the stream. */
static void stops_after(const char *before, const char *after, size_t chunk)
{
	struct stream_log log;
	char stream[1024];
	size_t len = (size_t)snprintf(stream, sizeof(stream), "%s%s", before, after);

	stream_log_init(&log);
	log.answer = XML_STOP;
	assert_int_equal(stream_read(&log, stream, len, chunk), strlen(before));
	stream_log_fini(&log);
}

static void stops_at_the_byte(void **state)
{
	static const char *const after[] = {
		"\xff", " <a/>", "<", "<a", "\x16\x03\x01", "</a>", "&", "<?xml version='1.0'?>", ""};

	(void)state;
	for (size_t chunk = 0; chunk <= CHUNKS; chunk++)
		for (size_t i = 0; i < sizeof(after) / sizeof(*after); i++)
			stops_after(H, after[i], chunk);
}

static void takes_nothing_when_stopped(void **state)
{
	static const char *const parts[] = {
		H, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", " <a><b>1</b></a>", "<c/>", F};
	struct stream_log log;
	struct xml_parser *parser;

	(void)state;
	stream_log_init(&log);
	log.answer = XML_STOP;
	parser = xml_parser_new(&stream_log_handlers, &log);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		char bytes[1024];
		int len = snprintf(bytes, sizeof(bytes), "%s\xff\xff<<", parts[i]);

		assert_int_equal(stream_feed(parser, bytes, (size_t)len, 0), strlen(parts[i]));
		assert_int_equal(stream_feed(parser, "x", 1, 0), 0);
		assert_int_equal(stream_feed(parser, " ", 1, 0), 0);
		xml_parser_resume(parser);
	}
	assert_string_equal(stream_log_text(&log), HL "(starttls{urn:ietf:params:xml:ns:xmpp-tls})\nkeepalive 1\n"
						      "(a{jabber:server} (b \"1\"))\n(c{jabber:server})\nfooter\n");
	xml_parser_free(parser);
	stream_log_fini(&log);
}

static void restarts_anywhere(void **state)
{
	static const char *const before[] = {
		"", H, H "<a/>", H "<a><b>text", H "<a b='", H "<a>&am", H "<a><![CDATA[x]", H F, "<?xml"};
	struct stream_log log;
	struct xml_parser *parser;

	(void)state;
	stream_log_init(&log);
	parser = xml_parser_new(&stream_log_handlers, &log);
	for (size_t i = 0; i < sizeof(before) / sizeof(*before); i++) {
		assert_true(stream_feed(parser, before[i], strlen(before[i]), 0) >= 0);
		assert_int_equal(xml_parser_restart(parser), 0);
		log.text.len = 0;
		assert_true(stream_feed(parser, H "<c>d</c>", strlen(H) + 8, 3) > 0);
		assert_string_equal(stream_log_text(&log), HL "(c{jabber:server} \"d\")\n");
		assert_int_equal(xml_parser_restart(parser), 0);
	}
	xml_parser_free(parser);
	stream_log_fini(&log);
}

/* --- Limits --- */

static struct buf stream;

static void begin(const char *s)
{
	buf_init(&stream, 4 << 20);
	assert_int_equal(buf_put(&stream, s, strlen(s)), 0);
}

static void add(const char *s)
{
	assert_int_equal(buf_put(&stream, s, strlen(s)), 0);
}

static void add_times(const char *s, size_t times)
{
	while (times--)
		add(s);
}

static void fill_to(size_t len, char c)
{
	size_t more = len - buf_len(&stream);
	uint8_t *bytes = buf_reserve(&stream, more);

	assert_non_null(bytes);
	memset(bytes, c, more);
	buf_commit(&stream, more);
}

/* What a parser says to the stream: 0, or the fault; whole and in chunks. */
static int outcome(bool authenticated)
{
	static const size_t chunks[] = {0, 1, 7, 4096, 65521};
	int first = 0;

	for (size_t i = 0; i < sizeof(chunks) / sizeof(*chunks); i++) {
		struct stream_log log;
		struct xml_parser *parser;
		long taken;
		int fault;

		stream_log_init(&log);
		log.quiet = true;
		parser = xml_parser_new(&stream_log_handlers, &log);
		if (authenticated)
			xml_parser_authenticated(parser, XML_STANZA_BYTES);
		taken = stream_feed(parser, buf_head(&stream), buf_len(&stream), chunks[i]);
		fault = taken < 0 ? (int)-taken : 0;
		if (i && fault != first)
			print_error("chunks of %zu: %s\n", chunks[i], xml_parser_detail(parser));
		if (!i)
			first = fault;
		assert_int_equal(fault, first);
		xml_parser_free(parser);
		stream_log_fini(&log);
	}
	buf_fini(&stream);
	return first;
}

static int stanza_of_bytes(size_t bytes, bool authenticated)
{
	static const char end[] = "</a>";

	begin(H " ");
	add("<a>");
	fill_to(strlen(H " ") + bytes - strlen(end), 'x');
	add(end);
	return outcome(authenticated);
}

static void limits_stanza_bytes(void **state)
{
	(void)state;
	assert_int_equal(stanza_of_bytes(XML_STANZA_BYTES_EARLY, false), 0);
	assert_int_equal(stanza_of_bytes(XML_STANZA_BYTES_EARLY + 1, false), XML_FAULT_LIMIT);
	assert_int_equal(stanza_of_bytes(XML_STANZA_BYTES, true), 0);
	assert_int_equal(stanza_of_bytes(XML_STANZA_BYTES + 1, true), XML_FAULT_LIMIT);
}

static int header_of_bytes(size_t bytes)
{
	begin("<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='" S "' x='");
	fill_to(bytes - 2, 'x');
	add("'>");
	return outcome(true);
}

static void limits_header_bytes(void **state)
{
	(void)state;
	assert_int_equal(header_of_bytes(XML_STANZA_BYTES_EARLY), 0);
	assert_int_equal(header_of_bytes(XML_STANZA_BYTES_EARLY + 1), XML_FAULT_LIMIT);
}

static int tag_of_bytes(size_t bytes)
{
	begin(H "<a>");
	add("<b c='");
	fill_to(strlen(H "<a>") + bytes - 3, '>');
	add("'/></a>");
	return outcome(true);
}

static void limits_tag_bytes(void **state)
{
	(void)state;
	assert_int_equal(tag_of_bytes(XML_TAG_BYTES), 0);
	assert_int_equal(tag_of_bytes(XML_TAG_BYTES + 1), XML_FAULT_LIMIT);
}

static void limits_reference_bytes(void **state)
{
	(void)state;
	begin(H "<a>&#x000000000041;</a>");
	assert_int_equal(outcome(true), 0);
	begin(H "<a>&#x0000000000041;</a>");
	assert_int_equal(outcome(true), XML_FAULT_LIMIT);
}

static int nested(size_t depth)
{
	begin(H);
	add_times("<a>", depth);
	add_times("</a>", depth);
	return outcome(true);
}

static void limits_depth(void **state)
{
	(void)state;
	assert_int_equal(nested(XML_DEPTH), 0);
	assert_int_equal(nested(XML_DEPTH + 1), XML_FAULT_LIMIT);
}

static int siblings(size_t nodes)
{
	begin(H "<a>");
	add_times("<b/>", nodes - 1);
	add("</a><c/>");
	return outcome(true);
}

static void limits_nodes(void **state)
{
	(void)state;
	assert_int_equal(siblings(XML_NODES), 0);
	assert_int_equal(siblings(XML_NODES + 1), XML_FAULT_LIMIT);
}

static int numbered(const char *before, const char *after, unsigned count)
{
	begin(H "<a");
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(buf_printf(&stream, "%s%u%s", before, i, after), 0);
	add("/>");
	return outcome(true);
}

static void limits_attributes_and_namespaces(void **state)
{
	enum { ON_HEADER = 3 };

	(void)state;
	assert_int_equal(numbered(" b", "=''", XML_ATTRIBUTES), 0);
	assert_int_equal(numbered(" b", "=''", XML_ATTRIBUTES + 1), XML_FAULT_LIMIT);
	assert_int_equal(numbered(" xmlns:x", "='urn:x'", XML_NAMESPACES - ON_HEADER), 0);
	assert_int_equal(numbered(" xmlns:x", "='urn:x'", XML_NAMESPACES - ON_HEADER + 1), XML_FAULT_LIMIT);
}

static int long_name(const char *before, size_t bytes, const char *after)
{
	begin(H);
	add(before);
	fill_to(buf_len(&stream) + bytes, 'n');
	add(after);
	return outcome(true);
}

static void limits_names(void **state)
{
	static const char *const places[][2] = {
		{"<", "/>"}, {"<a ", "='1'/>"}, {"<a xmlns='", "'/>"}, {"<a xmlns:b='", "'/>"}};

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		assert_int_equal(long_name(places[i][0], XML_NAME_BYTES, places[i][1]), 0);
		assert_int_equal(long_name(places[i][0], XML_NAME_BYTES + 1, places[i][1]), XML_FAULT_LIMIT);
	}
}

static int long_header_attribute(const char *name, size_t bytes)
{
	begin("<stream:stream xmlns='jabber:server' xmlns:stream='" S "' ");
	add(name);
	add("='");
	fill_to(buf_len(&stream) + bytes, 'n');
	add("'>");
	return outcome(true);
}

static void limits_header_attributes(void **state)
{
	static const struct {
		const char *name;
		size_t max;
	} attributes[] = {
		{"from", XML_HEADER_ATTRIBUTE_BYTES - 1},
		{"to", XML_HEADER_ATTRIBUTE_BYTES - 1},
		{"id", XML_HEADER_ATTRIBUTE_BYTES - 1},
		{"version", 15},
		{"xml:lang", 63},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes); i++) {
		assert_int_equal(long_header_attribute(attributes[i].name, attributes[i].max), 0);
		assert_int_equal(long_header_attribute(attributes[i].name, attributes[i].max + 1), XML_FAULT_LIMIT);
	}
}

/* Ever new names must neither fill memory nor end the stream. */
static void forgets_names(void **state)
{
	struct stream_log log;
	struct xml_parser *parser;
	long before = live_bytes, most = 0;

	(void)state;
	stream_log_init(&log);
	log.quiet = true;
	parser = xml_parser_new(&stream_log_handlers, &log);
	assert_true(stream_feed(parser, H, strlen(H), 0) > 0);
	for (unsigned i = 0; i < 50000; i++) {
		char bytes[128];
		int len = snprintf(bytes, sizeof(bytes), "<m%u a%u='' xmlns:n%u='urn:%u'/>", i, i, i, i);

		assert_int_equal(stream_feed(parser, bytes, (size_t)len, 0), len);
		most = live_bytes - before > most ? live_bytes - before : most;
	}
	assert_int_equal(log.elements, 50000);
	assert_true(most < 3 * XML_EXPAT_KEEP_BYTES);
	/* The header's namespaces are still in force, and it is not announced again. */
	log.quiet = false;
	assert_true(stream_feed(parser, "<db:result/>" F, 12 + strlen(F), 1) > 0);
	assert_string_equal(stream_log_text(&log), HL "(result{jabber:server:dialback})\nfooter\n");
	xml_parser_free(parser);
	stream_log_fini(&log);
}

/* --- Memory --- */

static const char busy[] =
	"<?xml version='1.0'?>" H "<message to='b' x:y='z' xmlns:x='urn:x'><body>some text</body></message> "
	"<iq><query xmlns='urn:q'><item a='1'/><item a='2'/></query></iq>" F;

/* Either the parser is not made, or it says so at some byte; nothing leaks and nothing half is delivered. */
static bool survives_failure(long n, size_t chunk)
{
	struct stream_log log;
	struct xml_parser *parser;
	long taken = 0;
	bool failed;

	stream_log_init(&log);
	log.quiet = true;
	assert_int_equal(buf_put(&log.text, "", 1), 0); /* the log itself has its memory */
	assert_non_null(buf_reserve(&log.text, 4096));
	fail_in = n;
	parser = xml_parser_new(&stream_log_handlers, &log);
	if (parser) {
		for (size_t at = 0; at < strlen(busy) && taken >= 0; at += chunk) {
			size_t left = strlen(busy) - at;

			taken = xml_parser_feed(parser, (const uint8_t *)busy + at, left < chunk ? left : chunk);
		}
		if (taken < 0)
			assert_int_equal(taken, -XML_FAULT_MEMORY);
		else
			assert_int_equal(log.elements, 2);
		xml_parser_free(parser);
	}
	failed = fail_in == 0;
	fail_in = 0;
	stream_log_fini(&log);
	return failed;
}

static void survives_each_failing_allocation(void **state)
{
	static const size_t chunks[] = {1, 5, 1024};
	long before = live_bytes;

	(void)state;
	for (size_t i = 0; i < sizeof(chunks) / sizeof(*chunks); i++) {
		long n = 1;

		while (survives_failure(n, chunks[i]))
			n++;
		assert_true(n > 10);
	}
	assert_int_equal(live_bytes, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_good_streams),
		cmocka_unit_test(refuses_bad_streams),
		cmocka_unit_test(refuses_noncharacters_at_every_place),
		cmocka_unit_test(stays_broken),
		cmocka_unit_test(stops_at_the_byte),
		cmocka_unit_test(takes_nothing_when_stopped),
		cmocka_unit_test(restarts_anywhere),
		cmocka_unit_test(limits_stanza_bytes),
		cmocka_unit_test(limits_header_bytes),
		cmocka_unit_test(limits_tag_bytes),
		cmocka_unit_test(limits_reference_bytes),
		cmocka_unit_test(limits_depth),
		cmocka_unit_test(limits_nodes),
		cmocka_unit_test(limits_attributes_and_namespaces),
		cmocka_unit_test(limits_names),
		cmocka_unit_test(limits_header_attributes),
		cmocka_unit_test(forgets_names),
		cmocka_unit_test(survives_each_failing_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
