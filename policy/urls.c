/*
 * Links in text; see urls.h. Readers differ in where a host ends: RFC 3986 3.2 ends an authority at / ? #,
	browsers at a
 * backslash too,
	and the last @ of it is the end of the user. A host that can be read in two ways is none that a list has.
 */
#include <ctype.h>
#include <string.h>

#include "policy.h"
#include "urls.h"

/* Schemes that need no //. */
static const char *const opaque[] = {"about", "aesgcm", "bitcoin", "blob", "callto", "data", "facetime",
	"file", "geo", "im",
	"intent", "javascript", "magnet", "mailto", "market", "matrix", "news", "pres", "sip", "sips", "skype",
		"sms", "smsto",
	"tel", "vbscript", "view-source", "webcal", "xmpp", NULL};

static bool is_listed(const char *const *list, const char *text)
{
	while (*list && strcmp(*list, text))
		list++;
	return *list;
}

static bool is_scheme_char(char c)
{
	return isascii((unsigned char)c) && (isalnum((unsigned char)c) || c == '+' || c == '-' || c == '.');
}

/* The scheme that ends before `colon`: as much in front of it as may be one, from a letter on. */
static bool take_scheme(const char *text, size_t colon, struct url *url)
{
	size_t first = colon;

	while (first && colon - first < sizeof(url->scheme) - 1 && is_scheme_char(text[first - 1]))
		first--;
	while (first < colon && !isalpha((unsigned char)text[first]))
		first++;
	for (size_t i = first; i < colon; i++)
		url->scheme[i - first] = (char)tolower((unsigned char)text[i]);
	url->scheme[colon - first] = '\0';
	return colon > first;
}

static size_t authority_len(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && (unsigned char)text[n] > ' ' && !strchr("/?#<>\"", text[n]))
		n++;
	if (n == len || (unsigned char)text[n] <= ' ' || text[n] == '<' || text[n] == '>' || text[n] == '"')
		while (n && strchr(".,;:!?)'*]}", text[n - 1]) && (text[n - 1] != ']' || !memchr(text, '[', n)))
			n--; /* of the sentence that it stands in */
	return n;
}

/* From an authority (RFC 3986 3.2): what is in front of an @ and behind the : of a port is not of the host. */
static void take_host(const char *text, size_t len, struct url *url)
{
	const char *end = text + authority_len(text, len), *at = memrchr(text, '@', (size_t)(end - text));
	const char *host = at ? at + 1 : text, *port = end;
	char name[JID_PART_BYTES + 1];

	url->has_host = true;
	url->host[0] = '\0';
	while (port > host && isdigit((unsigned char)port[-1]))
		port--;
	if (port > host && port[-1] == ':' && (*host != '[' || (port - 2 > host && port[-2] == ']')))
		end = port - 1;
	if (end == host || (size_t)(end - host) > JID_PART_BYTES || memchr(text, '\\', (size_t)(end - text)))
		return;
	memcpy(name, host, (size_t)(end - host));
	name[end - host] = '\0';
	if (jid_domain(name, url->host, sizeof(url->host)) ||
		url->host[strspn(url->host, "abcdefghijklmnopqrstuvwxyz0123456789-._:[]")])
		url->host[0] = '\0';
}

static bool is_www(const char *text, size_t len, size_t at)
{
	return len - at > 4 && !strncasecmp(text + at, "www.", 4) && (!at || !isalnum((unsigned char)text[at - 1])) &&
		(!at || !strchr("/@.-_:", text[at - 1])) && (unsigned char)text[at + 4] > ' ';
}

static bool take_at(const char *text, size_t len, size_t at, struct url *url)
{
	const char *rest = text + at + 1;
	size_t left = len - at - 1;

	if (text[at] != ':' || !take_scheme(text, at, url))
		return false;
	url->has_host = left > 2 && !memcmp(rest, "//", 2);
	if (url->has_host && strcmp(url->scheme, "file"))
		take_host(rest + 2, left - 2, url);
	else
		url->has_host = false;
	return url->has_host || (left && (unsigned char)*rest > ' ' && is_listed(opaque, url->scheme));
}

bool url_find(const char *text, size_t len, size_t *at, struct url *url)
{
	for (; *at < len; ++*at) {
		bool www = (text[*at] | ' ') == 'w' && is_www(text, len, *at);

		if (!www && !take_at(text, len, *at, url))
			continue;
		if (www) {
			memcpy(url->scheme, "http", 5);
			take_host(text + *at, len - *at, url);
		}
		++*at;
		return true;
	}
	return false;
}
