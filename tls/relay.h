/*
 * The relay: everything that tls does, between the channel to the dataplane below and the channel to control above. It
 * never joins the two sides of a connection: what an endpoint sends goes up, and what control says comes down.
 */
#ifndef TLS_RELAY_H
#define TLS_RELAY_H

#include "conn.h"
#include "count.h"
#include "keys.h"

struct relay {
	struct conf *conf;             /* as trust has it */
	struct channel *lower, *upper;
	struct counters *counters;
	struct keys *keys;
	struct trust trust[WIRES];
	struct resume resume;
	struct conn_table conns;
	struct conn_list busy;         /* something happened, to be run */
	struct conn_list starved;      /* waiting for room in a channel */
	struct conn_list shaking;      /* in handshake, oldest first */
	uint64_t now_ms;               /* monotonic, set by the caller before relay_run() */
	uint8_t scratch[LAYER_RECORD_BYTES];
};

/* The channels, the counters and the trust are set by the caller. 0 or -ENOMEM. */
int relay_init(struct relay *relay, int keyd_fd) __attribute__((warn_unused_result, nonnull));
void relay_fini(struct relay *relay) __attribute__((nonnull));

/* trust_take_crls(), counted, and control is told. */
int relay_take_crls(struct relay *relay, enum wire wire, int bundle) __attribute__((warn_unused_result, nonnull));

/* One round: takes messages and answers of keyd, does what can be done, publishes. How many messages were handled, or
 * -EPROTO: an end of a channel, or keyd, broke its contract. */
int relay_run(struct relay *relay) __attribute__((warn_unused_result, nonnull));

/* Milliseconds until relay_run() must be called even if nothing comes; -1: no need. */
int relay_timeout_ms(const struct relay *relay) __attribute__((nonnull));

#endif
