/* What tls counts; the names are what `sallyport show counters` prints. */
#ifndef TLS_COUNT_H
#define TLS_COUNT_H

#include "dataplane/base/counters.h"

#define TLS_COUNTERS(X) \
	X(TLS_COUNT_OPENED, "tls-connections-opened") \
	X(TLS_COUNT_CLOSED, "tls-connections-closed") \
	X(TLS_COUNT_STARTED, "tls-handshakes-started") \
	X(TLS_COUNT_SECURED, "tls-handshakes-done") \
	X(TLS_COUNT_FAILED_HANDSHAKE, "tls-failed-handshake") \
	X(TLS_COUNT_FAILED_CERTIFICATE, "tls-failed-certificate") \
	X(TLS_COUNT_FAILED_NAME, "tls-failed-name") \
	X(TLS_COUNT_FAILED_NO_CERTIFICATE, "tls-failed-no-certificate") \
	X(TLS_COUNT_FAILED_TIMEOUT, "tls-failed-timeout") \
	X(TLS_COUNT_FAILED_KEYD, "tls-failed-keyd") \
	X(TLS_COUNT_FAILED_RECORD, "tls-failed-record") \
	X(TLS_COUNT_FAILED_PIN, "tls-failed-pin") \
	X(TLS_COUNT_CRLS_TAKEN, "tls-crls-taken") \
	X(TLS_COUNT_CRLS_REFUSED, "tls-crls-refused") \
	X(TLS_COUNT_TRUNCATED, "tls-ended-without-close-notify") \
	X(TLS_COUNT_CERTIFICATES, "tls-guard-certificates-fetched") \
	X(TLS_COUNT_CACHE_HITS, "tls-guard-certificates-from-cache") \
	X(TLS_COUNT_SIGNATURES, "tls-signatures-asked") \
	X(TLS_COUNT_SESSIONS_KEPT, "tls-sessions-kept") \
	X(TLS_COUNT_SESSIONS_REFUSED, "tls-sessions-no-longer-good") \
	X(TLS_COUNT_RESUMED_CLIENT, "tls-resumed-by-client") \
	X(TLS_COUNT_RESUMED_SERVER, "tls-resumed-with-server") \
	X(TLS_COUNT_PLAIN_BYTES_UP, "tls-bytes-up") \
	X(TLS_COUNT_PLAIN_BYTES_DOWN, "tls-bytes-down")

#define TLS_COUNTER_ENUM(id, name) id,
enum tls_counter { TLS_COUNTERS(TLS_COUNTER_ENUM) TLS_COUNTERS_END };
#undef TLS_COUNTER_ENUM

#endif
