/* Buckets of tokens; see rates.h. */
#include <stdlib.h>
#include <string.h>

#include "control/rates.h"

enum { STANZAS, BYTES, MEASURES };

/*
 * Levels are in parts of a token, as many as the period of its rate has milliseconds: then what comes in each millisecond
 * is the count of the rate, exactly. All products stay below 2^63: counts and bursts have 32 bits, periods are an hour at
 * most.
 */
struct rates_bucket {
	uint64_t hash;
	int64_t level[MEASURES];       /* less than 0: owed */
	uint64_t at_ms, full_ms;       /* when the level was that; when all will be there again */
	uint32_t next;                 /* in its chain: index and 1; 0: the last */
};

enum { ELAPSED_MS_MAX = 1 << 30, CHAINS = RATES_MAX };

static const struct policy_rate *rate_of(const struct policy_rates *limits, unsigned kind, unsigned measure)
{
	return measure == STANZAS ? &limits->stanzas[kind] : &limits->bytes[kind];
}

static int64_t part(const struct policy_rate *rate)
{
	return (int64_t)rate->seconds * 1000;
}

static int64_t capacity(const struct policy_rate *rate)
{
	return (int64_t)rate->burst * part(rate);
}

/* --- the table --- */

static bool table_begin(struct rates *rates)
{
	if (rates->buckets)
		return true;
	struct rates_bucket *buckets = calloc(RATES_MAX, sizeof(*buckets));
	uint32_t *chains = calloc(CHAINS, sizeof(*chains));
	if (!buckets || !chains || hash_key_new(&rates->key)) {
		free(buckets);
		free(chains);
		return false;
	}
	rates->buckets = buckets;
	rates->chains = chains;
	return true;
}

void rates_fini(struct rates *rates)
{
	free(rates->buckets);
	free(rates->chains);
	*rates = (struct rates){.wake_ms = rates->wake_ms};
}

static uint32_t *chain_of(struct rates *rates, uint64_t hash)
{
	return &rates->chains[hash % CHAINS];
}

static void unchain(struct rates *rates, uint32_t index)
{
	uint32_t *at = chain_of(rates, rates->buckets[index].hash);
	while (*at != index + 1)
		at = &rates->buckets[*at - 1].next;
	*at = rates->buckets[index].next;
}

/* What was touched just now may be of the same stanza. */
static bool is_spare(const struct rates_bucket *bucket, uint64_t now_ms)
{
	return bucket->full_ms <= now_ms && bucket->at_ms < now_ms;
}

/* RATES_MAX: no room. The hand goes on from where it stopped, so that in time it comes by every bucket. */
static uint32_t make_room(struct rates *rates, uint64_t now_ms)
{
	if (rates->count < RATES_MAX)
		return rates->count++;
	for (unsigned looks = 0; looks < RATES_LOOKS; looks++) {
		uint32_t index = rates->hand++ % RATES_MAX;
		if (is_spare(&rates->buckets[index], now_ms)) {
			unchain(rates, index);
			return index;
		}
	}
	return RATES_MAX;
}

static struct rates_bucket *bucket_find(struct rates *rates, uint64_t hash)
{
	for (uint32_t at = *chain_of(rates, hash); at; at = rates->buckets[at - 1].next)
		if (rates->buckets[at - 1].hash == hash)
			return &rates->buckets[at - 1];
	return NULL;
}

/* A new one is full. NULL: no room. */
static struct rates_bucket *bucket_get(
	struct rates *rates, const struct policy_rates *limits, unsigned kind, uint64_t hash, uint64_t now_ms)
{
	struct rates_bucket *bucket = bucket_find(rates, hash);
	if (bucket)
		return bucket;
	uint32_t index = make_room(rates, now_ms), *chain = chain_of(rates, hash);
	if (index == RATES_MAX)
		return NULL;
	bucket = &rates->buckets[index];
	*bucket = (struct rates_bucket){.hash = hash, .at_ms = now_ms, .full_ms = now_ms, .next = *chain};
	*chain = index + 1;
	for (unsigned m = 0; m < MEASURES; m++)
		bucket->level[m] = capacity(rate_of(limits, kind, m));
	return bucket;
}

/* The limits stand for the profile and its direction: they are where they are as long as the policy lives. */
static uint64_t hash_of(const struct rates *rates, const struct policy_rates *limits, unsigned kind,
	const struct rates_name *name)
{
	const struct {
		const struct policy_rates *limits;
		uint64_t kind, name;
	} place = {limits, kind, hash_bytes(&rates->key, name->text, name->len)};
	return hash_bytes(&rates->key, &place, sizeof(place));
}

/* --- tokens --- */

static void refill(struct rates_bucket *bucket, const struct policy_rates *limits, unsigned kind, uint64_t now_ms)
{
	uint64_t elapsed = now_ms - bucket->at_ms;
	if (elapsed > ELAPSED_MS_MAX)
		elapsed = ELAPSED_MS_MAX;
	for (unsigned m = 0; m < MEASURES; m++) {
		const struct policy_rate *rate = rate_of(limits, kind, m);
		int64_t level = bucket->level[m] + (int64_t)elapsed * rate->count;
		bucket->level[m] = level < capacity(rate) ? level : capacity(rate);
	}
	bucket->at_ms = now_ms;
}

static int64_t cost(const struct policy_rate *rate, unsigned measure, const struct rates_claim *claim)
{
	return part(rate) * (measure == STANZAS ? 1 : (int64_t)claim->bytes);
}

/* Until the level is `wanted`, or as much of it as the bucket holds. */
static uint64_t ms_until(const struct policy_rate *rate, int64_t level, int64_t wanted)
{
	int64_t most = wanted < capacity(rate) ? wanted : capacity(rate);
	return level >= most ? 0 : (uint64_t)((most - level + rate->count - 1) / rate->count);
}

/* How long until this bucket has what the stanza takes; 0: it has. */
static uint64_t lack_ms(const struct rates_bucket *bucket, const struct policy_rates *limits, unsigned kind,
	const struct rates_claim *claim)
{
	uint64_t longest = 0;
	for (unsigned m = 0; m < MEASURES; m++) {
		const struct policy_rate *rate = rate_of(limits, kind, m);
		uint64_t ms = rate->count ? ms_until(rate, bucket->level[m], cost(rate, m, claim)) : 0;
		longest = ms > longest ? ms : longest;
	}
	return longest;
}

/* What is not to be refused takes no more than a second burst: others of the same name are heard again some time. */
static int64_t bounded(const struct policy_rate *rate, int64_t level, int64_t price)
{
	int64_t most = level + capacity(rate);
	if (price <= most)
		return price;
	return most > 0 ? most : 0;
}

/* How long until nothing is owed. */
static uint64_t spend(struct rates_bucket *bucket, const struct policy_rates *limits, unsigned kind,
	const struct rates_claim *claim)
{
	uint64_t owes_ms = 0, fill_ms = 0;
	for (unsigned m = 0; m < MEASURES; m++) {
		const struct policy_rate *rate = rate_of(limits, kind, m);
		if (!rate->count)
			continue;
		int64_t price = cost(rate, m, claim);
		if (claim->may_owe[kind] && limits->over != POLICY_OVER_WAIT)
			price = bounded(rate, bucket->level[m], price);
		bucket->level[m] -= price;
		uint64_t owes = ms_until(rate, bucket->level[m], 0), fill = ms_until(rate, bucket->level[m], capacity(rate));
		owes_ms = owes > owes_ms ? owes : owes_ms;
		fill_ms = fill > fill_ms ? fill : fill_ms;
	}
	bucket->full_ms = bucket->at_ms + fill_ms;
	return owes_ms;
}

static bool is_limited(const struct policy_rates *limits, unsigned kind, const struct rates_claim *claim)
{
	return claim->name[kind].len && (limits->stanzas[kind].count || limits->bytes[kind].count);
}

struct rates_answer rates_take(
	struct rates *rates, const struct policy_rates *limits, const struct rates_claim *claim, uint64_t now_ms)
{
	struct rates_bucket *bucket[POLICY_RATE_KINDS] = {NULL};
	struct rates_answer answer = {RATES_WITHIN, POLICY_RATE_USER, 0};
	for (unsigned kind = 0; kind < POLICY_RATE_KINDS; kind++) {
		if (!is_limited(limits, kind, claim))
			continue;
		if (table_begin(rates))
			bucket[kind] = bucket_get(rates, limits, kind, hash_of(rates, limits, kind, &claim->name[kind]), now_ms);
		if (!bucket[kind])
			return (struct rates_answer){RATES_FULL, (enum policy_rate_kind)kind, 0};
		refill(bucket[kind], limits, kind, now_ms);
		bool may_owe = claim->may_owe[kind] || limits->over == POLICY_OVER_WAIT;
		uint64_t lack = may_owe ? 0 : lack_ms(bucket[kind], limits, kind, claim);
		if (lack > answer.wait_ms)
			answer = (struct rates_answer){RATES_OVER, (enum policy_rate_kind)kind, lack};
	}
	for (unsigned kind = 0; kind < POLICY_RATE_KINDS && answer.result == RATES_WITHIN; kind++) {
		uint64_t owes = bucket[kind] ? spend(bucket[kind], limits, kind, claim) : 0;
		answer.wait_ms = owes > answer.wait_ms ? owes : answer.wait_ms;
	}
	return answer;
}
