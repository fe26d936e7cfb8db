/* Identity of XMPP servers in certificates; see identity.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/x509v3.h>

#include "dataplane/base/channel.h"
#include "dataplane/base/domain.h"
#include "identity.h"

#define SRV_PREFIX "_xmpp-server."

/* Names with a NUL inside have fooled many: lengths are compared, and then a NUL meets a byte of the domain. */
static bool is_same(const unsigned char *name, size_t len, const char *domain)
{
	return len == strlen(domain) && strncasecmp((const char *)name, domain, len) == 0;
}

static bool is_address(const char *domain)
{
	const char *dot = strrchr(domain, '.'), *top = dot ? dot + 1 : domain;
	return !top[strspn(top, "0123456789")];
}

/* "*.b.example" is for every a.b.example, not for b.example, nor for c.a.b.example; never for a whole top level. */
static bool is_wildcard_for(const unsigned char *name, size_t len, const char *domain)
{
	const char *rest = strchr(domain, '.');
	if (len < 3 || name[0] != '*' || name[1] != '.' || !rest || rest == domain || !strchr(rest + 1, '.'))
		return false;
	if (is_address(domain))
		return false;
	return is_same(name + 1, len - 1, rest);
}

static bool dns_id_proves(const ASN1_IA5STRING *name, const char *domain)
{
	const unsigned char *bytes = ASN1_STRING_get0_data(name);
	size_t len = (size_t)ASN1_STRING_length(name);
	return is_same(bytes, len, domain) || is_wildcard_for(bytes, len, domain);
}

static bool srv_id_proves(const ASN1_STRING *name, const char *domain)
{
	const unsigned char *bytes = ASN1_STRING_get0_data(name);
	size_t len = (size_t)ASN1_STRING_length(name), prefix = strlen(SRV_PREFIX);
	return len > prefix && strncasecmp((const char *)bytes, SRV_PREFIX, prefix) == 0 &&
		is_same(bytes + prefix, len - prefix, domain);
}

/* RFC 6120 13.7.1.4: an address is in U-labels where DNS has A-labels. */
static bool xmpp_addr_proves(const ASN1_STRING *name, const char *domain)
{
	char ascii[CHANNEL_NAME_MAX];
	return domain_to_a_labels(ascii, sizeof(ascii), (const char *)ASN1_STRING_get0_data(name),
		       (size_t)ASN1_STRING_length(name)) &&
		strcmp(ascii, domain) == 0;
}

static bool other_name_proves(const OTHERNAME *other, const char *domain)
{
	int kind = OBJ_obj2nid(other->type_id);
	if (kind == NID_SRVName && other->value->type == V_ASN1_IA5STRING)
		return srv_id_proves(other->value->value.ia5string, domain);
	return kind == NID_XmppAddr && other->value->type == V_ASN1_UTF8STRING &&
		xmpp_addr_proves(other->value->value.utf8string, domain);
}

static bool name_proves(const GENERAL_NAME *name, const char *domain)
{
	if (name->type == GEN_DNS)
		return dns_id_proves(name->d.dNSName, domain);
	return name->type == GEN_OTHERNAME && other_name_proves(name->d.otherName, domain);
}

bool identity_proves(const X509 *certificate, const char *domain)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	bool proved = false;
	for (int i = 0; !proved && domain[0] && i < sk_GENERAL_NAME_num(names); i++)
		proved = name_proves(sk_GENERAL_NAME_value(names, i), domain);
	GENERAL_NAMES_free(names);
	return proved;
}

/* --- for people --- */

/* The text of a name of the kinds that count; NULL of any other. */
static const ASN1_STRING *text_of(const GENERAL_NAME *name)
{
	if (name->type == GEN_DNS)
		return name->d.dNSName;
	if (name->type != GEN_OTHERNAME)
		return NULL;
	int kind = OBJ_obj2nid(name->d.otherName->type_id), type = name->d.otherName->value->type;
	if ((kind == NID_SRVName && type == V_ASN1_IA5STRING) || (kind == NID_XmppAddr && type == V_ASN1_UTF8STRING))
		return name->d.otherName->value->value.asn1_string;
	return NULL;
}

static void append(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void append(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text + used, size - used, format, arguments);
	va_end(arguments);
}

void identity_list(const X509 *certificate, char *text, size_t size)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	*text = 0;
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const ASN1_STRING *name = text_of(sk_GENERAL_NAME_value(names, i));
		if (name)
			append(text, size, "%s%.*s", *text ? ", " : "", ASN1_STRING_length(name), ASN1_STRING_get0_data(name));
	}
	GENERAL_NAMES_free(names);
}
