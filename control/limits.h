/* All that a peer, or an operator, can make control hold or wait for. Limits of one XML element are in xml.h. */
#ifndef CONTROL_LIMITS_H
#define CONTROL_LIMITS_H

enum control_limits {
	SESSIONS_MAX = 20000,
	SESSION_PAIRS_MAX = 64,             /* pairs of domains on one connection */
	SESSION_VERIFIES_MAX = 64,          /* db:verify that wait for their answer, on one connection */
	SESSION_OUT_HIGH_BYTES = 256 << 10, /* more waits for a side than this: what would add to it is not read */
	SESSION_OUT_MAX_BYTES = 16 << 20,   /* that, and what the largest element can grow to when it is written */
	SESSION_DIALBACK_ALERTS_MAX = 64,   /* of one connection: a liar does not fill the audit */
	DOMAIN_BYTES = 256,
	DIALBACK_KEY_BYTES = 256,
	STREAM_ID_BYTES = 1024,
	SASL_TEXT_BYTES = 1024,

	HALF_CLOSED_MS = 60 * 1000, /* from the end of one side to that of the other */
	LINGER_MS = 5 * 1000,       /* from saying the end of a session to cutting it */
	KEEPALIVE_MS = 1000,        /* one space at most passes in this time */

	REFUSALS_MAX = 1000, /* that wait for a way to their sender */
	REFUSALS_BYTES_MAX = 4 << 20,
	REFUSAL_MS = 60 * 1000,
	OWN_STREAMS_MAX = 16,            /* that carry refusals, or were tried a short while ago */
	OWN_STREAM_DIAL_MS = 20 * 1000,  /* until it is answered */
	OWN_STREAM_IDLE_MS = 30 * 1000,  /* it has had nothing to say for so long: it ends */
	OWN_STREAM_AGAIN_MS = 60 * 1000, /* after one that came to nothing */

	TRANSFERS_MAX = 256, /* in-band, at once */
	TRANSFERS_BYTES_MAX = 64 << 20,
	TRANSFER_MS = 10 * 60 * 1000, /* of rest; then it is forgotten, and what comes after that is refused */

	ACKS_RUNS_MAX = 4096, /* of stanzas of one kind that are not acknowledged: what would add one is not read */
	ACKS_RUNS_MANY = ACKS_RUNS_MAX / 2, /* then the guard asks for an acknowledgement */
	ACKS_MS = 60 * 1000,                /* for one that is waited for */

	AUDIT_LINE_BYTES = 32 << 10,
	AUDIT_JID_BYTES = 3071, /* RFC 7622: the longest JID */
	AUDIT_ID_BYTES = 256,
	AUDIT_RETRY_MS = 1000,

	VERDICTS_KEPT = 256,
	CERTIFICATES_KEPT = 256,

	ADMIN_CLIENTS_MAX = 8,
	ADMIN_REQUEST_BYTES = 256,
	ADMIN_OUTPUT_BYTES = 4 << 20,
	ADMIN_MS = 30 * 1000, /* for a client to take its answer */

	DISPATCH_BUDGET = 256, /* messages of the channel between two looks at everything else */
	MEMORY_MIB_MAX = 4096,
};

#endif
