/*
 * Addresses. Nothing is repaired here: servers normalise before they send, so what is not in its normal form is refused.
 * Most addresses are ASCII, and of those every byte is looked up once; only others are given to the libraries.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dataplane/base/domain.h"
#include "jid.h"
#include "nodeprep.h"
#include "policy.h"
#include "precis.h"

enum { LOCAL = 1, DOMAIN = 2, RESOURCE = 4, HIGH = 8 };

/* Where a byte may stand as it is: RFC 7622 3.3 and 3.4; in domains letters, digits, - . and _ (RFC 7622 3.2). */
static const uint8_t bytes[UINT8_MAX + 1] = {
	[' '] = RESOURCE,
	['!'] = LOCAL | RESOURCE,
	['"'] = RESOURCE,
	['#' ... '%'] = LOCAL | RESOURCE,
	['&' ... '\''] = RESOURCE,
	['(' ... ','] = LOCAL | RESOURCE,
	['-' ... '.'] = LOCAL | DOMAIN | RESOURCE,
	['/'] = RESOURCE,
	['0' ... '9'] = LOCAL | DOMAIN | RESOURCE,
	[':'] = RESOURCE,
	[';'] = LOCAL | RESOURCE,
	['<'] = RESOURCE,
	['='] = LOCAL | RESOURCE,
	['>'] = RESOURCE,
	['?'] = LOCAL | RESOURCE,
	['@'] = RESOURCE,
	['A' ... 'Z'] = RESOURCE,
	['[' ... '^'] = LOCAL | RESOURCE,
	['_'] = LOCAL | DOMAIN | RESOURCE,
	['`'] = LOCAL | RESOURCE,
	['a' ... 'z'] = LOCAL | DOMAIN | RESOURCE,
	['{' ... '~'] = LOCAL | RESOURCE,
	[0x80 ... 0xff] = HIGH,
};

/* What all bytes have in common, and what any of them has. */
struct survey {
	unsigned all, any;
};

static struct survey survey(const char *s, size_t len)
{
	struct survey found = {.all = LOCAL | DOMAIN | RESOURCE | HIGH};

	for (size_t i = 0; i < len; i++) {
		unsigned kind = bytes[(uint8_t)s[i]];

		found.all &= kind | (kind & HIGH ? LOCAL | DOMAIN | RESOURCE : 0);
		found.any |= kind;
	}
	return found;
}

/* --- Local and resource --- */

static int check_normal(enum precis_profile profile, const char *s, size_t len)
{
	char *normal = NULL;
	size_t normal_len = 0;
	int err = precis_normalise(profile, s, len, &normal, &normal_len);

	if (!err && (normal_len != len || memcmp(normal, s, len)))
		err = -EILSEQ;
	free(normal);
	return err;
}

static int check_local(const char *s, size_t len)
{
	struct survey found = survey(s, len);
	int err;

	if (!len || len > JID_PART_BYTES || !(found.all & LOCAL))
		return -EILSEQ;
	if (!(found.any & HIGH))
		return 0;
	err = check_normal(PRECIS_USERNAME, s, len);
	return err ? err : nodeprep_check(NODEPREP_LOCAL, s, len);
}

static int check_resource(const char *s, size_t len)
{
	struct survey found = survey(s, len);
	int err;

	if (!len || len > JID_PART_BYTES || !(found.all & RESOURCE))
		return -EILSEQ;
	if (!(found.any & HIGH))
		return 0;
	err = check_normal(PRECIS_OPAQUE, s, len);
	return err ? err : nodeprep_check(NODEPREP_RESOURCE, s, len);
}

/* --- Domain --- */

/* [::1], written as RFC 5952 asks. */
static int normalise_ipv6(char *out, size_t size, const char *s, size_t len)
{
	char text[INET6_ADDRSTRLEN] = "";
	struct in6_addr address;

	if (len < 4 || len - 2 >= sizeof(text) || s[len - 1] != ']')
		return -EINVAL;
	memcpy(text, s + 1, len - 2);
	if (inet_pton(AF_INET6, text, &address) != 1 || !inet_ntop(AF_INET6, &address, text, sizeof(text)))
		return -EINVAL;
	return (size_t)snprintf(out, size, "[%s]", text) < size ? 0 : -EINVAL;
}

/* Labels with something in them, of letters, digits, - and _, and whatever is not ASCII. */
static bool is_made_of_labels(const char *s, size_t len)
{
	char before = '.';

	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)s[i];

		if ((c == '.' && before == '.') || !((bytes[c] & (DOMAIN | HIGH)) || (c >= 'A' && c <= 'Z')))
			return false;
		before = s[i];
	}
	return len > 0 && before != '.';
}

static bool is_a_label(const char *s, size_t len)
{
	return len >= 4 && !strncasecmp(s, "xn--", 4);
}

static bool has_a_labels(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((i == 0 || s[i - 1] == '.') && is_a_label(s + i, len - i))
			return true;
	return false;
}

/* Small ASCII letters that are no A-labels are what they are. */
static bool is_plain(const char *s, size_t len)
{
	char before = '.';

	for (size_t i = 0; i < len; i++) {
		if (!(bytes[(uint8_t)s[i]] & DOMAIN) || (before == '.' && (s[i] == '.' || is_a_label(s + i, len - i))))
			return false;
		before = s[i];
	}
	return len > 0 && len <= JID_PART_BYTES && before != '.';
}

/* Only an A-label that stands for something, and for nothing else: servers compare what it stands for (RFC 7622 3.2.1). */
static bool is_reversible(const char *a_labels)
{
	char u_labels[DOMAIN_TEXT_BYTES], again[DOMAIN_TEXT_BYTES];

	domain_to_u_labels(u_labels, sizeof(u_labels), a_labels);
	return !has_a_labels(u_labels, strlen(u_labels)) &&
		domain_to_a_labels(again, sizeof(again), u_labels, strlen(u_labels)) && !strcmp(again, a_labels);
}

static int normalise_labels(char *out, size_t size, const char *s, size_t len)
{
	if (!is_made_of_labels(s, len) || len >= size || !domain_to_a_labels(out, size, s, len))
		return -EINVAL;
	return !has_a_labels(out, strlen(out)) || is_reversible(out) ? 0 : -EINVAL;
}

/* RFC 7622 3.2: the dot of the root is taken off before anything is compared. */
static int normalise_domain(char *out, size_t size, const char *s, size_t len)
{
	if (len > JID_PART_BYTES)
		return -EINVAL;
	if (is_plain(s, len) && len < size) {
		memcpy(out, s, len);
		out[len] = '\0';
		return 0;
	}
	if (len > 1 && s[len - 1] == '.')
		len--;
	return len && *s == '[' ? normalise_ipv6(out, size, s, len) : normalise_labels(out, size, s, len);
}

static bool is_text(const char *text, const char *s, size_t len)
{
	return strlen(text) == len && !memcmp(text, s, len);
}

static int check_domain(const char *s, size_t len)
{
	char a_labels[DOMAIN_TEXT_BYTES], u_labels[DOMAIN_TEXT_BYTES];
	int err;

	if (is_plain(s, len))
		return 0;
	err = normalise_domain(a_labels, sizeof(a_labels), s, len);
	if (err)
		return err;
	if (is_text(a_labels, s, len))
		return 0;
	domain_to_u_labels(u_labels, sizeof(u_labels), a_labels);
	return is_text(u_labels, s, len) ? nodeprep_check(NODEPREP_DOMAIN, s, len) : -EILSEQ;
}

/* --- The whole --- */

static void split(struct jid *jid, const char *text)
{
	size_t len = strcspn(text, "/");
	const char *at = memchr(text, '@', len);

	*jid = (struct jid){.domain = at ? at + 1 : text};
	jid->domain_len = (size_t)(text + len - jid->domain);
	if (at) {
		jid->local = text;
		jid->local_len = (size_t)(at - text);
	}
	if (text[len]) {
		jid->resource = text + len + 1;
		jid->resource_len = strlen(jid->resource);
	}
}

/* Of two findings: what only some servers take for something else is the lesser one. */
static int graver(int a, int b)
{
	return a && a != -ENOTUNIQ ? a : b ? b : a;
}

int jid_parse(struct jid *jid, const char *text)
{
	int err;

	split(jid, text);
	err = check_domain(jid->domain, jid->domain_len);
	if (err == -EINVAL)
		return err;
	if (jid->local)
		err = graver(err, check_local(jid->local, jid->local_len));
	if (jid->resource)
		err = graver(err, check_resource(jid->resource, jid->resource_len));
	return err;
}

int jid_domain(const char *jid, char *out, size_t size)
{
	struct jid parts;

	split(&parts, jid);
	return normalise_domain(out, size, parts.domain, parts.domain_len);
}
