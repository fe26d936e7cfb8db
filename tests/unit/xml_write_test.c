/* The writer: one form for each tree, which reads back as the same tree. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/xml_harness.h"

static const struct {
	const char *in, *out;
} rows[] = {
	{"<a/>", "<a/>"},
	{"<a></a>", "<a/>"},
	{"<a  b = \"1\"  ></a >", "<a b='1'/>"},
	{"<s:a xmlns:s='jabber:server'/>", "<a/>"},
	{"<a xmlns='jabber:server' xmlns:unused='urn:x'/>", "<a/>"},
	{"<message to='b' id='1' from='a' type='chat'><body>hi</body></message>",
		"<message from='a' id='1' to='b' type='chat'><body>hi</body></message>"},
	{"<a><![CDATA[<&>'\"]]></a>", "<a>&lt;&amp;>'\"</a>"},
	{"<a>]]&gt;&#13;&#10;\t</a>", "<a>]]&gt;&#13;\n\t</a>"},
	{"<a b='&#9;&#10;&#13;&apos;&quot;&lt;&gt;&amp;'/>", "<a b='&#9;&#10;&#13;&apos;\"&lt;>&amp;'/>"},
	{"<a>&gt;>]>]]&gt;<b/>></a>", "<a>&gt;>]&gt;]]&gt;<b/>&gt;</a>"},
	{"<a>&#x1F600;&#xe9;</a>", "<a>\U0001F600\u00e9</a>"},
	{"<a><b xmlns='urn:x'><c/><d xmlns=''/><e xmlns='jabber:server'><f/></e></b><g/></a>",
		"<a><b xmlns='urn:x'><c/><d xmlns=''/><e xmlns='jabber:server'><f/></e></b><g/></a>"},
	{"<x:a xmlns:x='urn:x'><x:b/><c/></x:a>", "<a xmlns='urn:x'><b/><c xmlns='jabber:server'/></a>"},
	{"<a xml:lang='en'/>", "<a xml:lang='en'/>"},
	{"<a q:z='1' p:y='2' q:x='3' b='4' xmlns:p='urn:p' xmlns:q='urn:o'/>",
		"<a b='4' xmlns:ns1='urn:o' ns1:x='3' ns1:z='1' xmlns:ns2='urn:p' ns2:y='2'/>"},
	{"<f:features xmlns:f='http://etherx.jabber.org/streams'><starttls "
	 "xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></f:features>",
		"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>"},
	{"<stream:error><x/></stream:error>", "<stream:error><x/></stream:error>"},
	{"<d:result xmlns:d='jabber:server:dialback' to='b' from='a'>key</d:result>",
		"<db:result from='a' to='b'>key</db:result>"},
	{"<db:result type='error'><error><x xmlns='urn:x'/></error></db:result>",
		"<db:result type='error'><error><x xmlns='urn:x'/></error></db:result>"},
	{"<a><db:result><b/></db:result></a>",
		"<a><result xmlns='jabber:server:dialback'><b xmlns='jabber:server'/></result></a>"},
	{"<a db:b='1' stream:c='2'/>",
		"<a xmlns:ns1='http://etherx.jabber.org/streams' ns1:c='2' xmlns:ns2='jabber:server:dialback' ns2:b='1'/>"},
};

/* The tree of a stanza, and the bytes that it is written as. */
static void read_and_write(const char *xml, struct buf *tree, struct buf *bytes)
{
	struct stanza stanza = stanza_of(xml);

	assert_non_null(stanza.root);
	buf_init(tree, 1 << 20);
	buf_init(bytes, 1 << 20);
	tree_write(tree, stanza.root, "");
	assert_int_equal(buf_put(tree, "", 1), 0);
	assert_int_equal(xml_write_node(bytes, stanza.root), 0);
	assert_int_equal(buf_put(bytes, "", 1), 0);
	arena_free(stanza.arena);
}

static void writes_one_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf tree, bytes, tree_again, bytes_again;

		read_and_write(rows[i].in, &tree, &bytes);
		assert_string_equal(buf_head(&bytes), rows[i].out);
		read_and_write((const char *)buf_head(&bytes), &tree_again, &bytes_again);
		assert_string_equal(buf_head(&tree_again), buf_head(&tree));
		assert_string_equal(buf_head(&bytes_again), buf_head(&bytes));
		buf_fini(&tree);
		buf_fini(&bytes);
		buf_fini(&tree_again);
		buf_fini(&bytes_again);
	}
}

/* However little room there is, what is there already stays as it is, and nothing half is added. */
static void writes_all_or_nothing(void **state)
{
	static const char xml[] =
		"<message to='b'><body>a &amp; b</body><x xmlns='urn:x' y:z='1' xmlns:y='urn:y'/></message>";
	struct stanza stanza = stanza_of(xml);
	size_t room = 0;

	(void)state;
	for (int err = -ENOSPC; err; room++) {
		struct buf out;

		buf_init(&out, 3 + room);
		assert_int_equal(buf_put(&out, "abc", 3), 0);
		err = xml_write_node(&out, stanza.root);
		assert_int_equal(buf_len(&out), err ? 3 : 3 + room);
		assert_memory_equal(buf_head(&out), "abc", 3);
		assert_true(err == 0 || err == -ENOSPC);
		buf_fini(&out);
	}
	assert_true(room > 50);
	arena_free(stanza.arena);
}

static void writes_headers(void **state)
{
	struct xml_header header = {.from = "a.example",
		.to = "b.example",
		.id = "'<&",
		.version = "1.0",
		.lang = "en",
		.dialback = true};
	struct xml_header empty = {.from = ""};
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 16);
	assert_int_equal(xml_write_header(&out, &header), 0);
	assert_int_equal(xml_write_header(&out, &empty), 0);
	assert_int_equal(xml_write_footer(&out), 0);
	assert_int_equal(xml_write_stream_error(&out, "invalid-from"), 0);
	assert_int_equal(buf_put(&out, "", 1), 0);
	assert_string_equal(buf_head(&out),
		"<?xml version='1.0'?><stream:stream xmlns='jabber:server' "
		"xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback' from='a.example' "
		"id='&apos;&lt;&amp;' to='b.example' version='1.0' xml:lang='en'>"
		"<?xml version='1.0'?><stream:stream xmlns='jabber:server' "
		"xmlns:stream='http://etherx.jabber.org/streams'>"
		"</stream:stream><stream:error><invalid-from "
		"xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
		"</stream:stream>");
	buf_fini(&out);
}

static void written_headers_are_read(void **state)
{
	struct xml_header header = {
		.from = "a.example", .to = "b.example", .id = "'<&\n\"", .version = "1.0", .dialback = true};
	struct stream_log log;
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 16);
	assert_int_equal(xml_write_header(&out, &header), 0);
	assert_int_equal(xml_write_stream_error(&out, "reset"), 0);
	stream_log_init(&log);
	assert_int_equal(stream_read(&log, buf_head(&out), buf_len(&out), 1), buf_len(&out));
	assert_string_equal(stream_log_text(&log),
		"header from='a.example' to='b.example' id=''<&\n\"' version='1.0' dialback\n"
		"(error{http://etherx.jabber.org/streams} (reset{urn:ietf:params:xml:ns:xmpp-streams}))\nfooter\n");
	stream_log_fini(&log);
	buf_fini(&out);
}

static void refuses_trees_without_bound(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	struct node *root = node_new(arena, NS_SERVER, "a"), *inner = root;
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 20);
	for (unsigned i = 0; i < 1000; i++) {
		struct node *child = node_new(arena, NS_SERVER, "b");

		assert_non_null(child);
		node_append(inner, child);
		inner = child;
	}
	assert_int_equal(xml_write_node(&out, root), -ENOSPC);
	assert_int_equal(buf_len(&out), 0);
	buf_fini(&out);
	arena_free(arena);
}

/* What stands for a character in text, and in a value; NULL: itself. */
static const char *expected_for(char c, size_t at, bool in_value)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '\r':
		return "&#13;";
	case '>':
		return !in_value && at == 0 ? "&gt;" : NULL;
	case '\'':
		return in_value ? "&apos;" : NULL;
	case '\t':
		return in_value ? "&#9;" : NULL;
	case '\n':
		return in_value ? "&#10;" : NULL;
	default:
		return NULL;
	}
}

enum { LENGTH = 27 };

static void check_character(char c, size_t at, bool in_value)
{
	static const char letters[LENGTH + 1] = "abcdefghijklmnopqrstuvwxyz0";
	const char itself[] = {c, '\0'}, *written = expected_for(c, at, in_value);
	const char *start = in_value ? "<a b='" : "<a>", *end = in_value ? "'/>" : "</a>";
	char reference[8], in[80], out[80];
	struct buf tree, bytes;

	snprintf(reference, sizeof(reference), "&#%d;", c);
	snprintf(in, sizeof(in), "%s%.*s%s%s%s", start, (int)at, letters, reference, letters + at, end);
	snprintf(out, sizeof(out), "%s%.*s%s%s%s", start, (int)at, letters, written ? written : itself, letters + at, end);
	read_and_write(in, &tree, &bytes);
	assert_string_equal(buf_head(&bytes), out);
	buf_fini(&tree);
	buf_fini(&bytes);
}

/* The writer looks at several characters at a time: each has to be seen wherever it stands. */
static void escapes_at_every_place(void **state)
{
	(void)state;
	for (char c = '\t'; c < 0x7f; c++)
		for (size_t at = 0; at <= LENGTH; at++) {
			if (c < ' ' && c != '\t' && c != '\n' && c != '\r')
				continue;
			check_character(c, at, false);
			check_character(c, at, true);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_one_form),
		cmocka_unit_test(writes_all_or_nothing),
		cmocka_unit_test(writes_headers),
		cmocka_unit_test(written_headers_are_read),
		cmocka_unit_test(refuses_trees_without_bound),
		cmocka_unit_test(escapes_at_every_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
