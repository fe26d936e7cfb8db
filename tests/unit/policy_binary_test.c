#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/base64.h"
#include "policy/binary.h"
#include "policy/data_uri.h"
#include "tests/unit/policy_harness.h"
#include "tests/unit/xml_harness.h"

/* Beginnings of files: PNG, GIF, ZIP, and of none that is known. */
#define PNG "iVBORw0KGgoAAAAN"
#define GIF "R0lGODlhAQABAAAA"
#define ZIP "UEsDBBQAAAAIAAAA"
#define PDF "JVBERi0xLjQK"
#define PE "TVqQAAMAAAAEAAAA"
#define TEXT "aGVsbG8="

/* --- base64 --- */

static void decodes_what_can_be_read_in_one_way(void **state)
{
	static const struct {
		const char *text, *bytes; /* NULL: it is refused */
	} rows[] = {
		{"", ""}, {"Zg==", "f"}, {"Zm8=", "fo"}, {"Zm9v", "foo"}, {"Zm9vYg==", "foob"}, {"Zm9vYmE=", "fooba"},
		{"Zm9vYmFy", "foobar"}, {"Zm9v\r\nYmFy", "foobar"}, {" Z g\t= =\n", "f"}, {"+/+/", "\xfb\xff\xbf"},
		{"Zg", NULL}, {"Zg=", NULL}, {"Zm8", NULL}, {"Z", NULL}, {"Z===", NULL}, {"=", NULL}, {"====", NULL},
		{"Zh==", NULL}, {"Zm9=", NULL}, {"Zg==Zg==", NULL}, {"Zg==A", NULL}, {"Zg===", NULL}, {"Zm9v=", NULL},
		{"Zm-v", NULL}, {"Zm_v", NULL}, {"Zm9v!", NULL}, {"Zm9v\v", NULL}, {"Zm\xc3\xa9v", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint8_t out[64] = {0};
		struct base64 whole = {.out = out}, pieces;
		size_t len = strlen(rows[i].text);

		base64_feed(&whole, rows[i].text, len);
		assert_int_equal(base64_end(&whole), rows[i].bytes != NULL);
		assert_true(whole.len <= base64_room(len));
		if (rows[i].bytes) {
			assert_int_equal(whole.len, strlen(rows[i].bytes));
			assert_memory_equal(out, rows[i].bytes, whole.len);
		}
		pieces = (struct base64){.out = out};
		for (size_t k = 0; k < len; k++)
			base64_feed(&pieces, rows[i].text + k, 1);
		assert_int_equal(base64_end(&pieces), rows[i].bytes != NULL);
		assert_int_equal(pieces.len, whole.len);
	}
}

/* --- types --- */

static void knows_files_by_how_they_begin(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *type;
	} rows[] = {
#define ROW(bytes, type) {bytes, sizeof(bytes) - 1, type}
		ROW("\x89PNG\r\n\x1a\n....", "image/png"), ROW("\xff\xd8\xff\xe0", "image/jpeg"), ROW("GIF89a", "image/gif"),
		ROW("RIFF\1\2\3\4WEBPVP8 ", "image/webp"), ROW("RIFF\1\2\3\4WAVE", "audio/wav"), ROW("RIFF\1\2\3\4", ""),
		ROW("%PDF-1.4", "application/pdf"), ROW("PK\3\4", "application/zip"), ROW("PK\3", ""),
		ROW("MZ\x90", "application/vnd.microsoft.portable-executable"), ROW("\x7f" "ELF\2", "application/x-elf"),
		ROW("\1\2\3\4ftypavif", "image/avif"), ROW("\1\2\3\4ftypisom", "video/mp4"), ROW("#!/bin/sh", "text/x-shellscript"),
		ROW("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"), ROW("\0asm\1", "application/wasm"),
		ROW("", ""), ROW("hello", ""),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_string_equal(binary_type((const uint8_t *)rows[i].bytes, rows[i].len), rows[i].type);
}

static void a_file_is_what_it_is_declared_as(void **state)
{
	static const struct {
		const char *declared, *found;
		bool fits;
	} rows[] = {
		{"", "image/png", true}, {"", "", true}, {"application/octet-stream", "application/x-elf", true},
		{"image/png", "image/png", true}, {"image/jpg", "image/jpeg", true}, {"image/png", "image/jpeg", false},
		{"image/png", "", false}, {"image/jpg", "", false}, {"text/plain", "", true}, {"text/plain", "text/html", false},
		{"image/unheard-of", "application/vnd.microsoft.portable-executable", false},
		{"application/vnd.oasis.opendocument.text", "application/zip", true},
		{"application/vnd.oasis.opendocument.text", "application/x-elf", false},
		{"application/msword", "application/x-ole-storage", true}, {"application/msword", "application/zip", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(binary_type_fits(rows[i].declared, rows[i].found), rows[i].fits);
}

/* --- data: URIs --- */

/* What is found in a text: bytes of each, "!" for one that cannot be decoded, joined by "|". */
static void finds_uris(void **state)
{
	static const struct {
		const char *text, *found;
	} rows[] = {
		{"", ""}, {"data:", ""}, {"data: one, two", ""}, {"metadata:text/plain,x", ""}, {"data;base64,Zg==", ""},
		{"data:,hello", "hello"}, {"data:text/plain,a%20b", "a b"}, {"data:text/plain;charset=utf-8,x", "x"},
		{"data:;base64,Zm9v", "foo"}, {"DaTa:image/png;BASE64,Zm9v", "foo"}, {"data:image/png ; base64 ,Zm9v", "foo"},
		{"data: image/png;base64,Zm9v", "foo"}, {" data:;base64,Zm\n9v", "foo"}, {"data:;base64,Zm%39v", "foo"},
		{"data:;base64,Zm%0A9v", "foo"}, {"data:;base64,Zm9", "!"}, {"data:,%4", "!"}, {"data:,%4x", "!"},
		{"see data:;base64,Zm9v and", "foo"}, {"url('data:;base64,Zm9v') x data:,y", "foo|y"},
		{"data:;base64,Zm9v\"data:,a'data:,b", "foo|a|b"}, {"data:;base64,Zm9v is not", "!"},
		{"d\na\tta\r:;bas\ne64,Zm9v", "foo"}, {"da\nta:te\nxt/html,x", "x"}, {"da ta:,x", ""}, {"the data:\none, two", ""},
		{"data:one,two", ""}, {"data:image/png,%50", "P"}, {"data:;x,y", "y"}, {"data:\nand/or, x", " x"},
		{"data:data:,x", "x"}, {"data:image/png;base64", ""}, {"data:xbase64,Zg", ""}, {"a:b:c data:\xc3\xa9,x", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char found[200] = "";
		struct data_uri uri;

		for (size_t at = 0; data_uri_find(rows[i].text, strlen(rows[i].text), &at, &uri);) {
			uint8_t *out = malloc(data_uri_room(&uri));
			size_t len;
			bool ok = data_uri_decode(&uri, out, &len);

			assert_true(len <= data_uri_room(&uri));
			snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%.*s", *found ? "|" : "",
				ok ? (int)len : 1, ok ? (char *)out : "!");
			free(out);
		}
		if (strcmp(found, rows[i].found))
			print_error("%s\n", rows[i].text);
		assert_string_equal(found, rows[i].found);
	}
}

/* --- stanzas --- */

#define OUT POLICY_OUTBOUND
#define IN POLICY_INBOUND
#define M "<message from='u@a.example/r' to='v@b.example' id='1' type='chat'>"
#define M_IN "<message from='v@b.example' to='u@a.example/r' id='1' type='chat'>"
#define END "</message>"
#define ANSWER(rule)                                                                                                    \
	"<message from='v@b.example' id='1' to='u@a.example/r' type='error'><error type='modify'>"                      \
	"<policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text "                                         \
	"xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>not allowed by policy: " rule "</text></error></message>"
#define PASSES(name, content) {name, OUT, M content END, POLICY_PASS, "", "", NULL}
#define REFUSES(name, content, rule) {name, OUT, M content END, POLICY_REFUSED, rule, "policy-violation", ANSWER(rule)}
#define BOB(type, text) "<data xmlns='urn:xmpp:bob' cid='c' type='" type "'>" text "</data>"
#define AVATAR(text) "<x xmlns='urn:x'><data xmlns='urn:xmpp:avatar:data'>" text "</data></x>"
#define PHOTO(type, text) \
	"<vCard xmlns='vcard-temp'><PHOTO><TYPE>" type "</TYPE><BINVAL>" text "</BINVAL></PHOTO></vCard>"
#define CHUNK(text) "<data xmlns='http://jabber.org/protocol/ibb' sid='s' seq='0'>" text "</data>"
#define BOB4 BOB("image/png", PNG) BOB("image/png", PNG) BOB("image/png", PNG) BOB("image/png", PNG)
#define BOB16 BOB4 BOB4 BOB4 BOB4

static const struct policy_row rows[] = {
	PASSES("no binary", "<body>a text: hello, data</body>"),
	PASSES("asked for", "<data xmlns='urn:xmpp:bob' cid='c'/>"),
	PASSES("bits of binary", BOB("image/png", PNG)),
	PASSES("in lines", BOB("IMAGE/PNG; x=y", "iVBO\nRw0K\nGgoA AAAN")),
	PASSES("avatar", AVATAR(PNG)),
	PASSES("photo", PHOTO("image/gif", GIF)),
	PASSES("uri", "<photo xmlns='urn:ietf:params:xml:ns:vcard-4.0'><uri>data:image/png;base64," PNG "</uri></photo>"),
	PASSES("sixteen", BOB16),
	PASSES("text that is declared", BOB("text/plain", TEXT)),
	PASSES("a chunk is of no type", CHUNK(PE)),
	PASSES("an empty chunk", CHUNK("")),
	REFUSES("a chunk that is not base64", CHUNK("AAA"), "binary.encoding"),
	REFUSES("seventeen", BOB16 BOB("image/png", PNG), "binary.too-many"),
	REFUSES("not base64", BOB("image/png", "iVBORw0KGgoAAAA"), "binary.encoding"),
	REFUSES("with elements", AVATAR("iVBORw0K<x/>GgoAAAAN"), "binary.encoding"),
	REFUSES("elements only", AVATAR("<x/>"), "binary.encoding"),
	REFUSES("another type", BOB("image/png", GIF), "binary.type"),
	REFUSES("a program as a picture", PHOTO("image/jpeg", PE), "binary.type"),
	REFUSES("text as a picture", BOB("image/png", TEXT), "binary.type"),
	REFUSES("another type in a uri", "<img xmlns='urn:x' src='data:image/gif;base64," PNG "'/>", "binary.type"),
	REFUSES("type not listed", BOB("application/zip", ZIP), "binary.type-forbidden"),
	REFUSES("not declared, not listed", AVATAR(PE), "binary.type-forbidden"),
	REFUSES("not declared, not known", AVATAR(TEXT), "binary.type-forbidden"),
	REFUSES("octets that are not listed", BOB("application/octet-stream", ZIP), "binary.type-forbidden"),
	PASSES("octets that are listed", BOB("application/octet-stream", PDF)),
	REFUSES("uri in a text", "<body>look: data:application/zip;base64," ZIP "</body>", "binary.type-forbidden"),
	REFUSES("uri without base64", "<x xmlns='urn:x' y='data:text/html,%3Cscript%3E'/>", "binary.type-forbidden"),
	REFUSES("forwarded", "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'>" BOB("image/png", GIF)
		"</message></forwarded>", "binary.type"),
	REFUSES("a chunk that is forwarded is a file",
		"<x xmlns='urn:x'>" CHUNK(PE) "</x>", "binary.type-forbidden"),
	{"too large", IN, M_IN BOB("", PNG PNG PNG PNG PNG PNG) END, POLICY_REFUSED, "binary.too-large", "policy-violation",
		"<message from='u@a.example/r' id='1' to='v@b.example' type='error'><error type='modify'>"
		"<policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text "
		"xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>not allowed by policy: binary.too-large</text></error></message>"},
	{"any type", IN, M_IN BOB("", PE) BOB("application/zip", ZIP) END, POLICY_PASS, "", "", NULL},
	{"none at all", OUT,
		"<message from='a.example' to='none.example' type='error'>" BOB("image/png", PNG) "<error type='cancel'>"
		"<gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>", POLICY_REFUSED,
		"binary.forbidden", "policy-violation", NULL},
	{"none at all, but asked for", OUT, "<message from='a.example' to='none.example'><data xmlns='urn:xmpp:bob' cid='c'/>"
		"</message>", POLICY_PASS, "", "", NULL},
};

static void judges_binaries(void **state)
{
	(void)state;
	check_policy_rows(rows, sizeof(rows) / sizeof(*rows));
}

/* What is left to the caller, in order. */
static void hands_out_what_is_to_be_scanned(void **state)
{
	struct policy *policy = test_policy();
	struct policy_context context = {POLICY_OUTBOUND, test_pairs, test_pair_count, 0, 0};
	struct stanza stanza = stanza_of(M BOB("image/png", PNG) CHUNK(TEXT)
		"<x xmlns='urn:x' u='data:image/gif;base64," GIF "'/>" END);
	struct policy_verdict verdict;
	const struct policy_binary *binary;

	(void)state;
	policy_check(policy, &context, &stanza, &verdict);
	assert_int_equal(verdict.action, POLICY_PASS);
	binary = verdict.binaries;
	assert_string_equal(binary->type, "image/png");
	assert_memory_equal(binary->bytes, "\x89PNG\r\n\x1a\n\0\0\0\r", 12);
	assert_null(binary->transfer);
	binary = binary->next;
	assert_int_equal(binary->len, 5);
	assert_memory_equal(binary->bytes, "hello", 5);
	assert_string_equal(node_attribute(binary->transfer, "sid"), "s");
	binary = binary->next;
	assert_string_equal(binary->type, "image/gif");
	assert_null(binary->next);
	arena_free(stanza.arena);
	policy_free(policy);
}

static void judges_what_was_put_together(void **state)
{
	static const char *const images[] = {"image/png", NULL};
	const struct policy_binary_rules rules = {POLICY_BINARIES_SCAN, 12, images};
	struct policy_binary binary = {.bytes = (const uint8_t *)"\x89PNG\r\n\x1a\n\0\0\0\r.", .len = 12, .type = ""};
	struct policy_verdict verdict = {.rule = ""};

	(void)state;
	policy_binary_check(&rules, &binary, &verdict);
	assert_int_equal(verdict.action, POLICY_PASS);
	binary.len = 13;
	policy_binary_check(&rules, &binary, &verdict);
	assert_string_equal(verdict.rule, "binary.too-large");
	verdict = (struct policy_verdict){.rule = ""};
	binary.len = 7;
	policy_binary_check(&rules, &binary, &verdict);
	assert_int_equal(verdict.action, POLICY_REFUSED);
	assert_string_equal(verdict.rule, "binary.type-forbidden");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_what_can_be_read_in_one_way),
		cmocka_unit_test(knows_files_by_how_they_begin),
		cmocka_unit_test(a_file_is_what_it_is_declared_as),
		cmocka_unit_test(finds_uris),
		cmocka_unit_test(judges_binaries),
		cmocka_unit_test(hands_out_what_is_to_be_scanned),
		cmocka_unit_test(judges_what_was_put_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
