/* Links in text: which there are, and to which host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/urls.h"

/* `found` is "scheme host" of each, "-" where there is no host and "?" where it cannot be told. */
static const struct {
	const char *text, *found;
} rows[] = {
	{"", ""},
	{"nothing: here, 12:30 a:b ::1 http:/x", ""},
	{"http://b.example", "http b.example"},
	{"see HTTPS://B.Example/path?x#y.", "https b.example"},
	{"(http://b.example)", "http b.example"},
	{"http://b.example, http://c.example; and http://d.example.", "http b.example http c.example http d.example"},
	{"http://b.example:8080/", "http b.example"},
	{"http://u:p@b.example:8080/", "http b.example"},
	{"http://a.example@b.example", "http b.example"},
	{"http://a.example/@b.example", "http a.example"},
	{"http://a.example?@b.example", "http a.example"},
	{"http://a.example\\@b.example/", "http ?"},
	{"http://a.example,.b.example/", "http ?"},
	{"http://a%2eexample/", "http ?"},
	{"http:///x", "http ?"},
	{"http://[2001:DB8::1]:80/x", "http [2001:db8::1]"},
	{"http://192.0.2.1/", "http 192.0.2.1"},
	{"http://b\u00fccher.example/", "http xn--bcher-kva.example"},
	{"http://b.example\u3000x", "http ?"},
	{"www.b.example", "http www.b.example"},
	{"go to WWW.b.example!", "http www.b.example"},
	{"xwww.b.example a.www.b.example http://www.b.example", "http www.b.example"},
	{"mailto:u@b.example tel:+49 xmpp:u@b.example", "mailto - tel - xmpp -"},
	{"javascript:alert(1) data:,x file:///etc/passwd", "javascript - data - file -"},
	{"aesgcm://b.example/x#y", "aesgcm b.example"},
	{"x-y+z.1://b.example", "x-y+z.1 b.example"},
	{"1http://b.example \u00e9http://c.example", "http b.example http c.example"},
	{"<a href=\"http://b.example\">", "http b.example"},
};

static void finds_links(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char found[512] = "";
		size_t at = 0, len = 0;
		struct url url;

		while (url_find(rows[i].text, strlen(rows[i].text), &at, &url))
			len += (size_t)snprintf(found + len, sizeof(found) - len, "%s%s %s", len ? " " : "", url.scheme,
				!url.has_host ? "-" : *url.host ? url.host : "?");
		if (strcmp(found, rows[i].found))
			print_error("%s\n", rows[i].text);
		assert_string_equal(found, rows[i].found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
