/* ClientHello inspection; see client_hello.h. OpenSSL has found the extensions; what is in them comes as it was sent. */
#include <string.h>

#include "client_hello.h"

struct text {
	const uint8_t *at;
	size_t len;
};

/* A vector with a length of one or two bytes in front; false: it does not fit. */
static bool take_vector(struct text *from, unsigned length_bytes, struct text *vector)
{
	if (from->len < length_bytes)
		return false;
	size_t len = length_bytes == 1 ? from->at[0] : (size_t)from->at[0] << 8 | from->at[1];
	if (len > from->len - length_bytes)
		return false;
	*vector = (struct text){from->at + length_bytes, len};
	from->at += length_bytes + len;
	from->len -= length_bytes + len;
	return true;
}

/* False: the client did not send it. The whole of it must be one vector with two bytes of length. */
static bool find_list(SSL *ssl, unsigned type, struct text *list)
{
	struct text extension;
	if (SSL_client_hello_get0_ext(ssl, type, &extension.at, &extension.len) != 1)
		return false;
	if (!take_vector(&extension, 2, list) || extension.len)
		*list = (struct text){extension.at, 0};
	return true;
}

/* The list has one name at most, and that is a host name (RFC 6066 3). */
static void read_server_name(struct text list, char name[CHANNEL_NAME_MAX])
{
	struct text host;
	name[0] = '\0';
	if (!list.len || *list.at != TLSEXT_NAMETYPE_host_name)
		return;
	list = (struct text){list.at + 1, list.len - 1};
	if (!take_vector(&list, 2, &host) || list.len || host.len >= CHANNEL_NAME_MAX || memchr(host.at, '\0', host.len))
		return;
	memcpy(name, host.at, host.len);
	name[host.len] = '\0';
}

static enum hello_alpn read_alpn(struct text names)
{
	static const char wanted[] = CLIENT_HELLO_ALPN;
	for (struct text name; take_vector(&names, 1, &name);)
		if (name.len == sizeof(wanted) - 2 && !memcmp(name.at, wanted + 1, name.len))
			return HELLO_ALPN_XMPP;
	return HELLO_ALPN_OTHER;
}

void client_hello_read(SSL *ssl, struct msg_client_hello *hello)
{
	struct text list;
	memset(hello, 0, sizeof(*hello));
	if (find_list(ssl, TLSEXT_TYPE_server_name, &list))
		read_server_name(list, hello->server_name);
	if (find_list(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &list))
		hello->alpn = read_alpn(list);
}
