/*
 * Zero handshake (XEP-0361): two servers that have agreed beforehand start with stanzas, as if all that comes before them
 * had been said. Only where the configuration has a [link] of these two addresses, and only for the domains in it. In
 * TLS the certificates prove the first domain of each; in the clear nothing but the address does.
 */
#include <stdio.h>
#include <string.h>

#include "control/control.h"
#include "control/link.h"
#include "control/negotiation.h"

static const struct conf_link_side *end_of(const struct session *session, enum conn_side side)
{
	return &session->link->side[session_wire(session, side)];
}

void link_name(struct session *session)
{
	snprintf(session->client_name, sizeof(session->client_name), "%s", end_of(session, SIDE_CLIENT)->domain[0]);
	snprintf(session->server_name, sizeof(session->server_name), "%s", end_of(session, SIDE_SERVER)->domain[0]);
}

/* XEP-0361 3.1: what comes is read as if this had come before it. */
static bool open_stream(struct stream *stream)
{
	static const char header[] = "<stream:stream xmlns='" NS_SERVER "' xmlns:stream='" NS_STREAMS "'>";
	stream->output = OUTPUT_OPEN;
	return !xml_parser_restart(stream->parser) &&
	       xml_parser_feed(stream->parser, (const uint8_t *)header, strlen(header)) == (long)strlen(header);
}

static bool add_pairs(struct session *session)
{
	const struct conf_link_side *client = end_of(session, SIDE_CLIENT), *server = end_of(session, SIDE_SERVER);
	for (unsigned i = 0; i < client->domain_count; i++)
		for (unsigned k = 0; k < server->domain_count; k++) {
			struct pair *pair =
				pairs_add(&session->pairs, SIDE_CLIENT, client->domain[i], server->domain[k]);
			if (!pair)
				return false;
			negotiation_pair_valid(session, pair, PAIR_LINK);
		}
	return true;
}

void link_begin(struct session *session)
{
	link_name(session);
	session->bidi = BIDI_WITH_SERVER; /* XEP-0361 3.3: both send stanzas */
	session_set_state(session, SESSION_OPEN);
	if (!open_stream(&session->stream[SIDE_CLIENT]) || !open_stream(&session->stream[SIDE_SERVER]) ||
		!add_pairs(session))
		session_close(session, SIDES, "resource-constraint", "no memory for a link");
}

bool link_takes(const struct element_row *row)
{
	return row->need == NEED_PAIR || row->handler == stream_error_take;
}
