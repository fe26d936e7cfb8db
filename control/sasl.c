/*
 * SASL EXTERNAL between servers (RFC 6120 6, XEP-0178): the server decides, the guard sees to it that nothing else is
 * said, and notes who was let in. The certificate that the server sees for the client was issued only after that of
 * the client itself had been verified.
 */
#include <stdint.h>
#include <string.h>

#include "control/control.h"
#include "control/negotiation.h"

static void pass_made(struct stream *stream, struct stanza *stanza, const char *name, const char *condition)
{
	struct node *made = node_new(stanza->arena, NS_SASL, name);
	struct node *child = condition ? node_new(stanza->arena, NS_SASL, condition) : NULL;
	if (!made || (condition && !child)) {
		session_close(stream->session, SIDES, "resource-constraint", "no memory for an element");
		return;
	}
	if (child)
		node_append(made, child);
	negotiation_pass(stream, made);
}

/* The guard's own no. */
static void refuse(struct stream *stream, struct stanza *stanza, const char *condition)
{
	struct node *failure = node_new(stanza->arena, NS_SASL, "failure");
	struct node *child = node_new(stanza->arena, NS_SASL, condition);
	if (failure && child)
		node_append(failure, child);
	control_count(stream->session->control, COUNT_SASL_REFUSED);
	session_set_state(stream->session, SESSION_OPEN);
	negotiation_answer(stream, child ? failure : NULL);
}

/* --- the name that the client asks to act as --- */

static int base64_value(char c)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(alphabet, c) : NULL;
	return at ? (int)(at - alphabet) : -1;
}

/* Strict RFC 4648 4, padded, of text; `out` has room for three quarters of it and a NUL. False: it is not. */
static bool base64_decode(const char *in, char *out)
{
	size_t len = strlen(in), padding = len - strcspn(in, "=");
	uint32_t word = 0;
	if (len % 4 || padding > 2 || strspn(in + len - padding, "=") != padding)
		return false;
	const char *start = out;
	for (size_t i = 0; i < len - padding; i++) {
		int value = base64_value(in[i]);
		if (value < 0)
			return false;
		word = word << 6 | (uint32_t)value;
		if (i % 4)
			*out++ = (char)(word >> (6 - 2 * (i % 4)));
	}
	*out = '\0';
	bool clean = !padding || !(word & (padding == 1 ? 3U : 15U)); /* bits left over could carry something */
	return clean && strlen(start) == (size_t)(out - start);
}

/* Nothing, "=" (empty, RFC 6120 6.4.2), or the very domain of the stream. */
static bool is_authzid_ok(const struct stream *stream, const char *text)
{
	char name[SASL_TEXT_BYTES], domain[DOMAIN_BYTES];
	if (!text || strlen(text) >= SASL_TEXT_BYTES)
		return false;
	if (!*text || !strcmp(text, "="))
		return true;
	return base64_decode(text, name) && !strpbrk(name, "@/") && !jid_domain(name, domain, sizeof(domain)) &&
	       !strcmp(domain, stream->session->client_name);
}

static bool has_elements(const struct node *node)
{
	for (const struct node *child = node->first; child; child = child->next)
		if (child->name)
			return true;
	return false;
}

/* --- what they say --- */

/* Sends on the same element with the same text and nothing else. */
static void pass_text(struct stream *stream, struct stanza *stanza, const char *text, bool mechanism)
{
	struct node *made = node_new(stanza->arena, NS_SASL, stanza->root->name);
	if (!made || (*text && node_add_text(stanza->arena, made, text, strlen(text))) ||
		(mechanism && node_set_attribute(stanza->arena, made, "mechanism", "EXTERNAL"))) {
		session_close(stream->session, SIDES, "resource-constraint", "no memory for an element");
		return;
	}
	session_set_state(stream->session, SESSION_SASL_ASKED);
	negotiation_pass(stream, made);
}

void sasl_take_auth(struct stream *stream, struct stanza *stanza)
{
	const struct session *session = stream->session;
	const char *mechanism = node_attribute(stanza->root, "mechanism");
	const char *text = node_text(stanza->root, stanza->arena);
	const struct pair *pair =
		pairs_find(&session->pairs, SIDE_CLIENT, session->client_name, session->server_name);
	if (pair && pair->state == PAIR_VALID)
		negotiation_violated(
			stream, COUNT_FAULT_OUT_OF_PLACE, "policy-violation", "authenticates a second time");
	else if (!mechanism || strcmp(mechanism, "EXTERNAL") || !*stream->secured->identity)
		refuse(stream, stanza, "invalid-mechanism");
	else if (has_elements(stanza->root) || !is_authzid_ok(stream, text))
		refuse(stream, stanza, "invalid-authzid");
	else
		pass_text(stream, stanza, text, true);
}

void sasl_take_response(struct stream *stream, struct stanza *stanza)
{
	const char *text = node_text(stanza->root, stanza->arena);
	if (has_elements(stanza->root) || !is_authzid_ok(stream, text))
		negotiation_violated(
			stream, COUNT_FAULT_OUT_OF_PLACE, "policy-violation", "asks to act for another domain");
	else
		pass_text(stream, stanza, text, false);
}

/* The server answers with a failure. */
void sasl_take_abort(struct stream *stream, struct stanza *stanza)
{
	session_set_state(stream->session, SESSION_SASL_ASKED);
	pass_made(stream, stanza, "abort", NULL);
}

/* That of EXTERNAL is empty (RFC 4422 appendix A). */
void sasl_take_challenge(struct stream *stream, struct stanza *stanza)
{
	session_set_state(stream->session, SESSION_SASL_CHALLENGED);
	pass_made(stream, stanza, "challenge", NULL);
}

/* Both streams begin anew (RFC 6120 6.4.6). */
void sasl_take_success(struct stream *stream, struct stanza *stanza)
{
	struct session *session = stream->session;
	struct pair *pair = pairs_add(&session->pairs, SIDE_CLIENT, session->client_name, session->server_name);
	if (!pair) {
		session_close(session, SIDES, "resource-constraint", "too many pairs of domains");
		return;
	}
	pass_made(stream, stanza, "success", NULL);
	if (session->state == SESSION_CLOSING)
		return;
	session_restart(session);
	negotiation_pair_valid(session, pair, PAIR_EXTERNAL);
}

/* Dialback may follow on the same stream. */
void sasl_take_failure(struct stream *stream, struct stanza *stanza)
{
	stream->session->offered.refused = true;
	session_set_state(stream->session, SESSION_OPEN);
	pass_made(stream, stanza, "failure", condition_of(stanza->root, NS_SASL, "not-authorized"));
}
