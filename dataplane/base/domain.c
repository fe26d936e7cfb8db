/* Domain names; see domain.h. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <idn2.h>

#include "domain.h"

enum { DOMAIN_TEXT_MAX = DOMAIN_TEXT_BYTES - 1 };

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

static bool put_lower(char *out, size_t size, const char *text)
{
	size_t n = strlen(text);
	if (!n || n >= size)
		return false;
	for (size_t i = 0; i <= n; i++)
		out[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
	return true;
}

/* UTS 46, not transitional, maps capitals and widths as every resolver does; what is left must be of IDNA 2008. */
static bool convert(char *out, size_t size, const char *text)
{
	uint8_t *converted = NULL;
	int rc = idn2_lookup_u8((const uint8_t *)text, &converted, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	bool done = rc == IDN2_OK && put_lower(out, size, (const char *)converted);
	idn2_free(converted);
	return done;
}

bool domain_to_a_labels(char *out, size_t size, const char *text, size_t len)
{
	char copy[DOMAIN_TEXT_MAX + 1];
	if (!size)
		return false;
	*out = 0;
	if (!len || len > DOMAIN_TEXT_MAX || memchr(text, 0, len))
		return false;
	memcpy(copy, text, len);
	copy[len] = 0;
	if (is_ascii(copy) ? put_lower(out, size, copy) : convert(out, size, copy))
		return true;
	*out = 0;
	return false;
}

void domain_to_u_labels(char *out, size_t size, const char *domain)
{
	char *converted = NULL;
	int rc = idn2_to_unicode_8z8z(domain, &converted, 0);
	snprintf(out, size, "%s", rc == IDN2_OK && strlen(converted) < size ? converted : domain);
	idn2_free(converted);
}
