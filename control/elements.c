/* The top-level elements of a stream: who may say which, and when. What is not in this table does not pass. */
#include <string.h>

#include "control/negotiation.h"

#define CLIENT (1 << SIDE_CLIENT)
#define SERVER (1 << SIDE_SERVER)
#define BOTH (CLIENT | SERVER)
#define OPEN (1 << SESSION_OPEN)
#define OFFERING (1 << SESSION_OFFERING)
#define TLS_ASKED (1 << SESSION_TLS_ASKED)
#define SASL_ASKED (1 << SESSION_SASL_ASKED)
#define SASL_CHALLENGED (1 << SESSION_SASL_CHALLENGED)
#define ANY (OPEN | OFFERING | TLS_ASKED | SASL_ASKED | SASL_CHALLENGED)

/* Before a pair is authenticated its own handler says no to it. */
#define MANAGEMENT(ns)                                                            \
	{ns, "enable", BOTH, OPEN, NEED_LEVEL, management_take_enable},           \
		{ns, "enabled", SERVER, OPEN, NEED_LEVEL, management_take_enabled}, \
		{ns, "failed", SERVER, OPEN, NEED_LEVEL, management_take_failed}, \
		{ns, "resume", BOTH, OPEN, NEED_LEVEL, management_take_resume},   \
		{ns, "r", BOTH, OPEN, NEED_LEVEL, management_take_request},       \
		{ns, "a", BOTH, OPEN, NEED_LEVEL, management_take_answer}

static const struct element_row rows[] = {
	{NS_SERVER, "message", BOTH, OPEN, NEED_PAIR, judge_take_stanza},
	{NS_SERVER, "presence", BOTH, OPEN, NEED_PAIR, judge_take_stanza},
	{NS_SERVER, "iq", BOTH, OPEN, NEED_PAIR, judge_take_stanza},
	{NS_STREAMS, "features", SERVER, OFFERING | OPEN, NEED_NOTHING, features_take},
	{NS_STREAMS, "error", BOTH, ANY, NEED_NOTHING, stream_error_take},
	{NS_TLS, "starttls", CLIENT, OPEN, NEED_CLEAR, tls_take_starttls},
	{NS_TLS, "proceed", SERVER, TLS_ASKED, NEED_CLEAR, tls_take_proceed},
	{NS_TLS, "failure", SERVER, TLS_ASKED, NEED_CLEAR, tls_take_failure},
	{NS_SASL, "auth", CLIENT, OPEN, NEED_TLS, sasl_take_auth},
	{NS_SASL, "response", CLIENT, SASL_CHALLENGED, NEED_TLS, sasl_take_response},
	{NS_SASL, "abort", CLIENT, SASL_CHALLENGED, NEED_TLS, sasl_take_abort},
	{NS_SASL, "challenge", SERVER, SASL_ASKED, NEED_TLS, sasl_take_challenge},
	{NS_SASL, "success", SERVER, SASL_ASKED, NEED_TLS, sasl_take_success},
	{NS_SASL, "failure", SERVER, SASL_ASKED, NEED_TLS, sasl_take_failure},
	{NS_DIALBACK, "result", BOTH, OPEN, NEED_LEVEL, dialback_take_result},
	{NS_DIALBACK, "verify", BOTH, OPEN, NEED_LEVEL, dialback_take_verify},
	{NS_BIDI, "bidi", CLIENT, OPEN, NEED_TLS, bidi_take},
	MANAGEMENT(NS_SM3),
	MANAGEMENT(NS_SM2),
	{NS_COMPRESS, "compress", CLIENT, OPEN, NEED_TLS, compress_take},
};

const struct element_row *element_find(const struct node *node)
{
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (node_is(node, rows[i].ns, rows[i].name))
			return &rows[i];
	return NULL;
}
