/* Addresses. Nothing is repaired here: what is not an address as RFC 7622 writes it is refused. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "dataplane/base/domain.h"
#include "jid.h"
#include "policy.h"

static bool is_alnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_control(unsigned char c)
{
	return c < ' ' || c == 0x7f;
}

/* RFC 7622 3.3.1: letters and more, but not these; controls and spaces are excluded by PRECIS. */
static bool local_is_valid(const char *s, size_t len)
{
	if (!len || len > JID_PART_BYTES)
		return false;
	for (size_t i = 0; i < len; i++)
		if (is_control((unsigned char)s[i]) || memchr("\"&'/:<>@ ", s[i], 9))
			return false;
	return true;
}

static bool resource_is_valid(const char *s, size_t len)
{
	if (!len || len > JID_PART_BYTES)
		return false;
	for (size_t i = 0; i < len; i++)
		if (is_control((unsigned char)s[i]))
			return false;
	return true;
}

/* [::1] or [2001:db8::1] */
static bool ipv6_literal_is_valid(const char *s, size_t len)
{
	if (len < 4 || s[len - 1] != ']')
		return false;
	for (size_t i = 1; i < len - 1; i++)
		if (!memchr("0123456789abcdefABCDEF:.", s[i], 24))
			return false;
	return true;
}

/* Labels with something in them; letters of other scripts are left to the comparison with known domains. */
static bool domain_is_valid(const char *s, size_t len)
{
	if (!len || len > JID_PART_BYTES)
		return false;
	if (s[0] == '[')
		return ipv6_literal_is_valid(s, len);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '.' && (i == 0 || s[i - 1] == '.'))
			return false;
		if (c < 0x80 && !is_alnum(c) && !memchr("-._", c, 3))
			return false;
	}
	return true;
}

int jid_parse(struct jid *jid, const char *text)
{
	const char *slash = strchr(text, '/');
	const char *end = slash ? slash : text + strlen(text);
	const char *at = memchr(text, '@', (size_t)(end - text));

	*jid = (struct jid){.domain = at ? at + 1 : text};
	jid->domain_len = (size_t)(end - jid->domain);
	if (!domain_is_valid(jid->domain, jid->domain_len))
		return -EINVAL;
	if (at) {
		jid->local = text;
		jid->local_len = (size_t)(at - text);
	}
	if (slash) {
		jid->resource = slash + 1;
		jid->resource_len = strlen(jid->resource);
	}
	if (at && !local_is_valid(jid->local, jid->local_len))
		return -EILSEQ;
	if (slash && !resource_is_valid(jid->resource, jid->resource_len))
		return -EILSEQ;
	return 0;
}

static bool is_ascii(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] >= 0x80)
			return false;
	return true;
}

int jid_domain(const char *jid, char *out, size_t size)
{
	struct jid parts;
	size_t len;

	if (jid_parse(&parts, jid) == -EINVAL)
		return -EINVAL;
	len = parts.domain_len;
	/* RFC 7622 3.2: the dot of the root is taken off before anything is compared. */
	if (parts.domain[len - 1] == '.')
		len--;
	/* RFC 7622 3.2.1: U-labels and their A-labels are the same. What is neither stays what it is, and nobody's name. */
	if (!is_ascii(parts.domain, len) && domain_to_a_labels(out, size, parts.domain, len))
		return 0;
	if (!len || len >= size)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		char c = parts.domain[i];

		out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	out[len] = '\0';
	return 0;
}
