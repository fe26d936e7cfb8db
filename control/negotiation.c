/* Stream headers, the way of every element to its handler, stream errors, and what is answered to the uninvited. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/control.h"
#include "control/link.h"
#include "control/negotiation.h"

void negotiation_violated(struct stream *stream, enum control_counter count, const char *condition, const char *why)
{
	control_count(stream->session->control, count);
	session_close(stream->session, stream->side, condition, why);
}

void negotiation_alarmed(struct stream *stream, const char *alert, const char *condition, const char *why)
{
	audit_alert(stream->session->control, stream->session, alert, why);
	session_close(stream->session, stream->side, condition, why);
}

void negotiation_downgraded(struct session *session, enum conn_side offender, const char *condition, const char *why)
{
	control_count(session->control, COUNT_DOWNGRADES);
	audit_alert(session->control, session, "downgrade", why);
	session_close(session, offender, condition, why);
}

void negotiation_not_xmpp(struct session *session, const char *why)
{
	if (session->state == SESSION_CLOSING)
		return;
	control_count(session->control, COUNT_FAULT_NOT_XMPP);
	session_reset(session, why);
}

static const enum control_counter fault_counters[] = {
	[XML_FAULT_NOT_WELL_FORMED] = COUNT_FAULT_NOT_WELL_FORMED,
	[XML_FAULT_RESTRICTED] = COUNT_FAULT_RESTRICTED_XML,
	[XML_FAULT_BAD_STREAM] = COUNT_FAULT_BAD_STREAM,
	[XML_FAULT_LIMIT] = COUNT_FAULT_LIMIT,
	[XML_FAULT_MEMORY] = COUNT_FAULT_MEMORY,
	[XML_FAULT_NAMESPACE] = COUNT_FAULT_NAMESPACE,
	[XML_FAULT_ENCODING] = COUNT_FAULT_ENCODING,
	[XML_FAULT_PREFIX] = COUNT_FAULT_NAMESPACE,
};

/* Who begins with something else than a stream header, good or bad, would not understand an answer. */
void negotiation_fault(struct stream *stream, enum xml_fault fault)
{
	struct session *session = stream->session;
	char why[sizeof(session->why)];
	snprintf(why, sizeof(why), "%s: %s", stream->side == SIDE_CLIENT ? "client" : "server",
		xml_parser_detail(stream->parser));
	if (fault == XML_FAULT_BAD_STREAM && session->state == SESSION_OPENING && !*session->server_name) {
		control_count(session->control, fault_counters[fault]);
		negotiation_not_xmpp(session, why);
	} else {
		negotiation_violated(stream, fault_counters[fault], xml_fault_condition(fault), why);
	}
}

static void cannot_write(struct session *session)
{
	session_close(session, SIDES, "resource-constraint", "no room to write an element");
}

void negotiation_pass(struct stream *stream, const struct node *node)
{
	int rc = stream_put_node(&stream->session->stream[side_other(stream->side)], node);
	if (rc == -E2BIG)
		negotiation_violated(stream, COUNT_FAULT_LIMIT, "policy-violation", "element too large when written out");
	else if (rc)
		cannot_write(stream->session);
}

void negotiation_answer(struct stream *stream, const struct node *node)
{
	if (!node || stream_put_node(stream, node))
		cannot_write(stream->session);
}

/* --- headers --- */

/* A domain and nothing else, in lower case. */
static bool read_domain(const char *attribute, char *domain)
{
	return !strpbrk(attribute, "@/") && !jid_domain(attribute, domain, DOMAIN_BYTES);
}

static bool is_language(const char *lang)
{
	return !lang[strspn(lang, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")];
}

/* The names of the first header hold for the whole connection: it is them that TLS has verified. A client may keep
 * its name to itself until TLS is there (RFC 6120 4.7.1): it is shown who it asked for, and then needs a certificate
 * for a name that it has not said, so that it comes no further. */
static bool client_names_ok(struct stream *stream, const char *from, const char *to)
{
	struct session *session = stream->session;
	const char *reason = "peering";
	if (session->state == SESSION_TLS_UNNAMED)
		return direct_names_ok(stream, from, to);
	if (*session->server_name) {
		if (!strcmp(session->client_name, from) && !strcmp(session->server_name, to))
			return true;
		negotiation_violated(stream, COUNT_FAULT_ADDRESSING, "invalid-from", "other names after a restart");
		return false;
	}
	snprintf(session->client_name, sizeof(session->client_name), "%s", from);
	snprintf(session->server_name, sizeof(session->server_name), "%s", to);
	if (session_peering_allows(session, SIDE_CLIENT, from, to, &reason))
		return true;
	control_count(session->control, COUNT_SESSIONS_REFUSED);
	negotiation_alarmed(stream, "peering-refused", "policy-violation", reason);
	return false;
}

/* Without version 1.0 there are no features, and so no TLS: old servers do not have it (RFC 6120 4.7.5). */
static bool is_old(const struct xml_header *header)
{
	return strncmp(header->version, "1.", 2) != 0;
}

static bool header_ok(struct stream *stream, const struct xml_header *header)
{
	if (is_old(header) && !session_may_authenticate(stream->session))
		negotiation_downgraded(
			stream->session, stream->side, "unsupported-version", "stream without version 1.0");
	else if (is_old(header) && *header->version)
		negotiation_violated(
			stream, COUNT_FAULT_OUT_OF_PLACE, "unsupported-version", "stream of an unknown version");
	else if (!is_language(header->lang))
		negotiation_violated(stream, COUNT_FAULT_BAD_STREAM, "bad-format", "language of the stream is none");
	return stream->session->state != SESSION_CLOSING;
}

/* Written afresh from what was understood. */
static void pass_header(struct stream *stream, const struct xml_header *header, enum session_state next)
{
	struct xml_header copy = *header;
	stream->old = is_old(header);
	snprintf(copy.version, sizeof(copy.version), "%s", stream->old ? "" : "1.0");
	if (stream->side == SIDE_CLIENT)
		*copy.id = '\0'; /* only the answer has one (RFC 6120 4.7.3) */
	stream->dialback = header->dialback;
	if (stream_put_header(&stream->session->stream[side_other(stream->side)], &copy))
		cannot_write(stream->session);
	else
		session_set_state(stream->session, next);
}

/* The first header of direct TLS waits in the queue until the server is secured. */
static enum session_state after_client_header(struct session *session)
{
	return session->state == SESSION_TLS_UNNAMED ? SESSION_TLS_NAMED : SESSION_ANSWERING;
}

static void take_client_header(struct stream *stream, const struct xml_header *header)
{
	char from[DOMAIN_BYTES] = "", to[DOMAIN_BYTES];
	if ((*header->from && !read_domain(header->from, from)) || !read_domain(header->to, to)) {
		negotiation_violated(stream, COUNT_FAULT_ADDRESSING, "improper-addressing",
			"stream header without a domain that it is for");
		return;
	}
	if (client_names_ok(stream, from, to) && header_ok(stream, header))
		pass_header(stream, header, after_client_header(stream->session));
	if (stream->session->state == SESSION_TLS_NAMED)
		direct_name_client(stream->session);
}

/* Both attributes are optional in the answer, but must not tell another story. The id is what dialback keys are made
 * of. */
static void take_server_header(struct stream *stream, const struct xml_header *header)
{
	struct session *session = stream->session;
	char domain[DOMAIN_BYTES];
	bool from_ok = !*header->from || (read_domain(header->from, domain) && !strcmp(domain, session->server_name));
	bool to_ok = !*header->to || (read_domain(header->to, domain) && !strcmp(domain, session->client_name));
	if (!from_ok || !to_ok)
		negotiation_violated(
			stream, COUNT_FAULT_ADDRESSING, "invalid-from", "server answers with other names");
	else if (!*header->id)
		negotiation_violated(
			stream, COUNT_FAULT_BAD_STREAM, "bad-format", "server's stream header has no id");
	else if (header_ok(stream, header)) {
		snprintf(session->pairs.stream_id, sizeof(session->pairs.stream_id), "%s", header->id);
		pass_header(stream, header,
			is_old(header) || session->stream[SIDE_CLIENT].old ? SESSION_OPEN : SESSION_OFFERING);
	}
}

static enum xml_next next_for(const struct stream *stream)
{
	return session_hears(stream->session, stream->side) && !stream->restart ? XML_GO_ON : XML_STOP;
}

static enum xml_next on_header(void *owner, const struct xml_header *header)
{
	struct stream *stream = owner;
	if (!stream->session->link)
		(stream->side == SIDE_CLIENT ? take_client_header : take_server_header)(stream, header);
	else if (stream->session->state != SESSION_OPEN)
		negotiation_downgraded(stream->session, stream->side, "policy-violation", "a link that has to begin with TLS");
	return next_for(stream);
}

/* --- elements --- */

static bool is_dialback_undeclared(const struct stream *stream, const struct node *root)
{
	return !strcmp(root->ns, NS_DIALBACK) && !stream->dialback;
}

/* The reason why this may not be said here, with its stream error; NULL: it may. */
static const char *fault_of(const struct stream *stream, const struct element_row *row, const char **condition)
{
	const struct session *session = stream->session;
	*condition = "policy-violation";
	if (!(row->sides & 1 << stream->side) || !(row->states & 1 << session->state))
		return "element in a wrong place";
	if (row->need == NEED_CLEAR && session_secured(session))
		return "STARTTLS inside of TLS";
	return NULL;
}

static bool is_before_tls(const struct session *session, const struct element_row *row)
{
	if (row->need == NEED_TLS)
		return !session_secured(session);
	return (row->need == NEED_LEVEL || row->need == NEED_PAIR) && !session_may_authenticate(session);
}

static void refuse_unauthenticated(struct stream *stream)
{
	control_count(stream->session->control, COUNT_FAULT_UNAUTHENTICATED);
	negotiation_alarmed(stream, "unauthenticated", "not-authorized", "stanza before authentication");
}

static void take_element(struct stream *stream, struct stanza *stanza)
{
	const struct element_row *row = element_find(stanza->root);
	const char *condition;
	if (!row) {
		negotiation_violated(stream, COUNT_FAULT_OUT_OF_PLACE, "unsupported-stanza-type", "unknown element");
		return;
	}
	const char *fault = fault_of(stream, row, &condition);
	if (!fault && stream->session->link && !link_takes(row))
		fault = "negotiation on a link";
	if (fault)
		negotiation_violated(stream, COUNT_FAULT_OUT_OF_PLACE, condition, fault);
	else if (is_before_tls(stream->session, row))
		negotiation_downgraded(stream->session, stream->side, "policy-violation", "said before TLS");
	else if (row->need == NEED_PAIR && !session_has_pair(stream->session, stream->side))
		refuse_unauthenticated(stream);
	else if (is_dialback_undeclared(stream, stanza->root))
		negotiation_violated(stream, COUNT_FAULT_NAMESPACE, "bad-namespace-prefix",
			"dialback without the prefix db on the header");
	else
		row->handler(stream, stanza);
}

static enum xml_next on_element(void *owner, struct stanza *stanza)
{
	struct stream *stream = owner;
	take_element(stream, stanza);
	arena_free(stanza->arena);
	return next_for(stream);
}

/* --- the end of a stream, and the space between elements --- */

static enum xml_next on_footer(void *owner)
{
	struct stream *stream = owner;
	struct stream *other = &stream->session->stream[side_other(stream->side)];
	if (stream->input == INPUT_OPEN)
		stream->input = INPUT_FOOTER;
	if (other->output == OUTPUT_OPEN && stream_put_footer(other))
		cannot_write(stream->session);
	return next_for(stream);
}

/* One space a second at most: whitespace must not carry anything across. */
static void on_keepalive(void *owner, size_t bytes)
{
	struct stream *stream = owner;
	struct session *session = stream->session;
	uint64_t now = session->control->now_ms;
	(void)bytes;
	bool due = !stream->keepalive_ms || now - stream->keepalive_ms >= KEEPALIVE_MS;
	if (!due || session->state != SESSION_OPEN || !session_has_pair(session, SIDE_CLIENT) ||
		stream_put_text(&session->stream[side_other(stream->side)], " ")) {
		control_count(session->control, COUNT_KEEPALIVES_DROPPED);
		return;
	}
	stream->keepalive_ms = now;
	control_count(session->control, COUNT_KEEPALIVES_PASSED);
}

const struct xml_handlers negotiation_handlers = {on_header, on_element, on_footer, on_keepalive};

/* --- stream errors --- */

/* It would send a server around the guard (RFC 6120 4.9.3.19). */
static void check_redirection(const struct session *session, const struct node *error)
{
	if (node_child(error, NS_STREAM_ERRORS, "see-other-host"))
		audit_alert(session->control, session, "redirected", "stream error see-other-host, taken out");
}

/* Its condition passes, its text does not. The stream is over in both directions (RFC 6120 4.9.1.1). */
void stream_error_take(struct stream *stream, struct stanza *stanza)
{
	struct session *session = stream->session;
	const char *condition = condition_of(stanza->root, NS_STREAM_ERRORS, "undefined-condition");
	char why[sizeof(session->why)];
	snprintf(why, sizeof(why), "%s: stream error %s", stream->side == SIDE_CLIENT ? "client" : "server",
		condition);
	control_count(session->control, COUNT_STREAM_ERRORS_PASSED);
	check_redirection(session, stanza->root);
	session_close(session, side_other(stream->side), condition, why);
}

/* --- asked for what was not offered --- */

void compress_take(struct stream *stream, struct stanza *stanza)
{
	struct node *answer = node_new(stanza->arena, NS_COMPRESS, "failure");
	struct node *condition = node_new(stanza->arena, NS_COMPRESS, "setup-failed");
	if (answer && condition)
		node_append(answer, condition);
	negotiation_answer(stream, condition ? answer : NULL);
}

/* --- pairs --- */

bool session_has_pair(const struct session *session, enum conn_side side)
{
	if (session->pairs.valid[side])
		return true;
	return session->bidi == BIDI_WITH_SERVER && session->pairs.valid[side_other(side)];
}

void negotiation_pair_valid(struct session *session, struct pair *pair, enum pair_method method)
{
	static const enum control_counter counters[PAIR_METHODS] = {COUNT_PAIRS_EXTERNAL, COUNT_PAIRS_DIALBACK,
		COUNT_PAIRS_LINK};
	pair->method = method;
	pairs_set_state(&session->pairs, pair, PAIR_VALID);
	control_count(session->control, counters[method]);
	size_t bytes = session->control->conf->stanza_bytes;
	xml_parser_authenticated(session->stream[pair->side].parser, bytes);
	if (session->bidi == BIDI_WITH_SERVER)
		xml_parser_authenticated(session->stream[side_other(pair->side)].parser, bytes);
	refusals_flush(session->control, session);
}
