/* [link NAME]: what two servers have agreed on beforehand, so that they need no handshake (XEP-0361). */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "conf_link.h"
#include "conf_table.h"

#define FAULT(v, format, ...) conf_fault((v)->faults, (v)->line, "%s: " format, (v)->key->name, ##__VA_ARGS__)

void set_address(const struct conf_value *v, void *field)
{
	struct conf_address *address = field;
	if (inet_pton(AF_INET, v->text, address->bytes) == 1)
		address->family = 4;
	else if (inet_pton(AF_INET6, v->text, address->bytes) == 1)
		address->family = 6;
	else
		FAULT(v, "\"%s\" is not an IP address (hint: 192.0.2.1 or 2001:db8::1)", v->text);
}

static void add_domain(const struct conf_value *v, struct conf_link_side *side, const char *domain)
{
	bool outside = !strncmp(v->key->name, "outside", strlen("outside"));
	const char *fault = domain_fault(domain);
	if (!fault && side->domain_count == CONF_LINK_DOMAINS_MAX)
		fault = "too many domains (hint: 8)";
	if (!fault && !outside && !conf_is_ours(v->conf, domain))
		fault = "not one of our own domains (hint: [inside] domains)";
	if (!fault && outside && !conf_peer_find(v->conf, domain))
		fault = "not a peer (hint: a [peer] section)";
	if (fault)
		FAULT(v, "\"%.80s\": %s", domain, fault);
	else if (put_text(side->domain[side->domain_count], CHANNEL_NAME_MAX, domain))
		side->domain_count++;
}

void set_link_domains(const struct conf_value *v, void *field)
{
	char text[CONF_VALUE_BYTES + 1], *rest = text, *item;
	if (!put_text(text, sizeof(text), v->text)) {
		FAULT(v, "value too long (hint: at most %d bytes)", CONF_VALUE_BYTES);
		return;
	}
	for (char *c = text; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	while ((item = strsep(&rest, ", \t")))
		if (*item)
			add_domain(v, field, item);
}

static bool is_guarded(const struct conf *conf, unsigned port)
{
	for (unsigned i = 0; i < conf->port_count; i++)
		if (conf->ports[i] == port)
			return true;
	return false;
}

static bool needs_proof(const struct conf *conf, const struct conf_link *link)
{
	const struct conf_link_side *outside = &link->side[WIRE_OUTSIDE];
	for (unsigned i = 0; i < outside->domain_count; i++)
		if (conf_peer_find(conf, outside->domain[i])->authentication != AUTH_NONE)
			return true;
	return false;
}

const char *conf_link_fault(const struct conf *conf, const struct conf_link *link)
{
	if (!link->side[WIRE_INSIDE].domain_count || !link->side[WIRE_OUTSIDE].domain_count)
		return "no domain (hint: inside-domains = a.example and outside-domains = b.example)";
	if (link->side[WIRE_INSIDE].address.family != link->side[WIRE_OUTSIDE].address.family)
		return "an IPv4 address cannot speak with an IPv6 one (hint: two of a kind)";
	if (!is_guarded(conf, link->port))
		return "its port is not guarded (hint: add it to [guard] ports)";
	if (!link->tls && needs_proof(conf, link))
		return "without TLS an address is all that proves the peer (hint: tls = yes, or authentication = none for it)";
	return NULL;
}

static bool is_at(const struct conf_address *address, uint8_t family, const uint8_t bytes[16])
{
	return address->family == family && !memcmp(address->bytes, bytes, family == 4 ? 4 : 16);
}

const struct conf_link *conf_link_find(const struct conf *conf, const struct msg_opened *opened)
{
	enum wire client = (enum wire)opened->client_wire;
	for (unsigned i = 0; i < conf->link_count; i++) {
		const struct conf_link *link = &conf->links[i];
		if (link->port == opened->server_port &&
			is_at(&link->side[client].address, opened->family, opened->client_addr) &&
			is_at(&link->side[wire_other(client)].address, opened->family, opened->server_addr))
			return link;
	}
	return NULL;
}
