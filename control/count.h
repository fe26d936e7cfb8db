/* The counters of control. Stanzas are counted by kind and verdict; their rows stand in the order of the enums. */
#ifndef CONTROL_COUNT_H
#define CONTROL_COUNT_H

#define CONTROL_COUNTERS(X) \
	X(SESSIONS_OPENED, "sessions-opened") \
	X(SESSIONS_CLOSED, "sessions-closed") \
	X(SESSIONS_SECURED, "sessions-secured") \
	X(SESSIONS_DIRECT, "sessions-direct-tls") \
	X(SESSIONS_REFUSED, "sessions-refused") \
	X(SESSIONS_TIMED_OUT, "sessions-timed-out") \
	X(BYTES_IN, "bytes-in") \
	X(BYTES_OUT, "bytes-out") \
	X(PAIRS_EXTERNAL, "pairs-external") \
	X(PAIRS_DIALBACK, "pairs-dialback") \
	X(PAIRS_LINK, "pairs-link") \
	X(PAIRS_REFUSED, "pairs-refused") \
	X(DOWNGRADES, "downgrades") \
	X(FEATURES_PASSED, "features-passed") \
	X(FEATURES_STRIPPED, "features-stripped") \
	X(MESSAGE_PASS, "message-pass") \
	X(MESSAGE_REWRITTEN, "message-rewritten") \
	X(MESSAGE_REFUSED, "message-refused") \
	X(MESSAGE_DROPPED, "message-dropped") \
	X(MESSAGE_CLOSE, "message-close") \
	X(PRESENCE_PASS, "presence-pass") \
	X(PRESENCE_REWRITTEN, "presence-rewritten") \
	X(PRESENCE_REFUSED, "presence-refused") \
	X(PRESENCE_DROPPED, "presence-dropped") \
	X(PRESENCE_CLOSE, "presence-close") \
	X(IQ_PASS, "iq-pass") \
	X(IQ_REWRITTEN, "iq-rewritten") \
	X(IQ_REFUSED, "iq-refused") \
	X(IQ_DROPPED, "iq-dropped") \
	X(IQ_CLOSE, "iq-close") \
	X(SCANS_CLEAN, "scans-clean") \
	X(SCANS_FOUND, "scans-found") \
	X(SCANS_LATE, "scans-late") \
	X(SCANS_FULL, "scans-full") \
	X(SCANS_UNAVAILABLE, "scans-unavailable") \
	X(SCANS_UNCLEAR, "scans-unclear") \
	X(SCANS_UNFINISHED, "scans-unfinished") \
	X(TRANSFERS_REFUSED, "transfers-refused") \
	X(MONITORED, "monitored") \
	X(RECORDED, "recorded") \
	X(PRESENCE_DUPLICATES, "presence-duplicates") \
	X(RATES_USER_OVER, "rates-user-over") \
	X(RATES_PEER_OVER, "rates-peer-over") \
	X(RATES_ROOM_OVER, "rates-room-over") \
	X(RATES_HELD, "rates-held") \
	X(RATES_FULL, "rates-full") \
	X(REFUSALS_NOT_DUE, "refusals-not-due") \
	X(REFUSALS_INSTEAD, "refusals-instead") \
	X(REFUSALS_BY_BIDI, "refusals-by-bidi") \
	X(REFUSALS_BY_REVERSE, "refusals-by-reverse") \
	X(REFUSALS_BY_OWN_STREAM, "refusals-by-own-stream") \
	X(OWN_STREAMS_DIALLED, "own-streams-dialled") \
	X(OWN_STREAMS_FAILED, "own-streams-failed") \
	X(REFUSALS_QUEUED, "refusals-queued") \
	X(REFUSALS_UNDELIVERABLE, "refusals-undeliverable") \
	X(STREAMS_MANAGED, "streams-managed") \
	X(MANAGEMENT_REFUSED, "management-refused") \
	X(ACKS_PASSED, "acks-passed") \
	X(ACKS_ASKED, "acks-asked") \
	X(KEEPALIVES_PASSED, "keepalives-passed") \
	X(KEEPALIVES_DROPPED, "keepalives-dropped") \
	X(FAULT_NOT_WELL_FORMED, "fault-not-well-formed") \
	X(FAULT_RESTRICTED_XML, "fault-restricted-xml") \
	X(FAULT_BAD_STREAM, "fault-bad-stream") \
	X(FAULT_LIMIT, "fault-limit") \
	X(FAULT_MEMORY, "fault-memory") \
	X(FAULT_NAMESPACE, "fault-namespace") \
	X(FAULT_ENCODING, "fault-encoding") \
	X(FAULT_NOT_XMPP, "fault-not-xmpp") \
	X(FAULT_OUT_OF_PLACE, "fault-out-of-place") \
	X(FAULT_ADDRESSING, "fault-addressing") \
	X(FAULT_UNAUTHENTICATED, "fault-unauthenticated") \
	X(FAULT_HANDLED_COUNT, "fault-handled-count") \
	X(TLS_FAILURES, "tls-failures") \
	X(STREAM_ERRORS_PASSED, "stream-errors-passed") \
	X(DIALBACK_ANSWERS_DROPPED, "dialback-answers-dropped") \
	X(DIALBACK_REPEATED, "dialback-repeated") \
	X(DIALBACK_KEYS_SEEN, "dialback-keys-seen") \
	X(DIALBACK_KEYS_UNSEEN, "dialback-keys-unseen") \
	X(DIALBACK_FORGED, "dialback-forged") \
	X(SASL_REFUSED, "sasl-refused") \
	X(ALERTS, "alerts") \
	X(POLICY_CHANGES, "policy-changes") \
	X(POLICY_REFUSALS, "policy-refusals") \
	X(AUDIT_LINES, "audit-lines") \
	X(AUDIT_FAILURES, "audit-failures") \
	X(ADMIN_REQUESTS, "admin-requests") \
	X(ADMIN_REFUSED, "admin-refused")

enum control_counter {
#define X(id, name) COUNT_##id,
	CONTROL_COUNTERS(X)
#undef X
	COUNTS
};

extern const char *const control_counter_names[COUNTS];

#endif
