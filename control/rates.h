/*
 * Rates: a bucket of tokens for each user, peer and room that a profile limits, in one table with a bound. A bucket that
 * is full says no more than none at all, and only such a one makes room for another.
 */
#ifndef CONTROL_RATES_H
#define CONTROL_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/hash.h"
#include "policy/policy.h"

enum rates_limits {
	RATES_MAX = 65536,     /* buckets */
	RATES_LOOKS = 256,     /* at buckets that may be full, for room */
	RATES_STEP_MS = 50,    /* held streams are looked at no more often */
	RATES_ALERT_MS = 60 * 1000,
};

struct rates_bucket;

struct rates {                 /* zero is empty */
	struct rates_bucket *buckets;          /* NULL until one is needed */
	uint32_t *chains;                      /* by hash */
	uint32_t count, hand;
	struct hash_key key;
	uint64_t alerted_ms;
	uint64_t wake_ms;                      /* when a stream that is held is to be read again; 0: none is */
};

struct rates_name {
	const char *text;              /* need not be terminated */
	size_t len;                    /* 0: it counts for none of this kind */
};

struct rates_claim {
	struct rates_name name[POLICY_RATE_KINDS];
	size_t bytes;                  /* of the stanza */
	bool may_owe[POLICY_RATE_KINDS];       /* takes what is not there, too: it is not to be refused */
};

struct rates_answer {
	enum { RATES_WITHIN, RATES_OVER, RATES_FULL } result;
	enum policy_rate_kind kind;    /* that it is over */
	uint64_t wait_ms;              /* over: until it would not be; within: until nothing is owed */
};

/*
 * Takes the tokens of one stanza, from all of its buckets or from none. A stanza that is larger than a burst passes when
 * the bucket is full. Where the limits say wait, nothing is over: what is not there is owed.
 */
struct rates_answer rates_take(struct rates *rates, const struct policy_rates *limits, const struct rates_claim *claim,
	uint64_t now_ms) __attribute__((warn_unused_result, nonnull));
void rates_fini(struct rates *rates) __attribute__((nonnull)); /* and forgets everything */

#endif
