/* Buckets of tokens (control/rates.h) on a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control/rates.h"

enum { USER = POLICY_RATE_USER, PEER = POLICY_RATE_PEER, ROOM = POLICY_RATE_ROOM };

static struct rates_claim claim_of(const char *user, const char *peer, const char *room, size_t bytes)
{
	return (struct rates_claim){
		.name = {{user, strlen(user)}, {peer, strlen(peer)}, {room, strlen(room)}}, .bytes = bytes};
}

static struct rates_answer take(struct rates *rates, const struct policy_rates *limits, const char *user, uint64_t ms)
{
	struct rates_claim claim = claim_of(user, "", "", 100);
	return rates_take(rates, limits, &claim, ms);
}

/* How many of `tries` pass at this moment. */
static unsigned pass(struct rates *rates, const struct policy_rates *limits, const char *user, uint64_t ms, unsigned tries)
{
	unsigned passed = 0;
	while (tries--)
		passed += take(rates, limits, user, ms).result == RATES_WITHIN;
	return passed;
}

static void hashes_as_siphash_does(void **state)
{
	struct hash_key key = {{0x0706050403020100, 0x0f0e0d0c0b0a0908}};
	const uint8_t text[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
	(void)state;
	assert_true(hash_bytes(&key, text, sizeof(text)) == 0xa129ca6149be45e5);
	assert_true(hash_bytes(&key, text, 0) == 0x726fdb47dd0e0e31);
	assert_true(hash_bytes(&key, text, 8) == 0x93f5f5799a932462);
}

static void without_limits_nothing_is_counted(void **state)
{
	struct rates rates = {0};
	struct policy_rates none = {0};
	(void)state;
	assert_int_equal(pass(&rates, &none, "u@a.example", 5, 1000), 1000);
	assert_null(rates.buckets);
}

static void bursts_and_goes_on_at_the_rate(void **state)
{
	static const struct {
		uint64_t after_ms;
		unsigned passes;
	} steps[] = {{0, 50}, {99, 0}, {1, 1}, {1000, 10}, {250, 2}, {250, 3}, {4999, 49}, {1, 1}, {100000, 50},
		{1ULL << 50, 50}};
	struct rates rates = {0};
	struct policy_rates limits = {.stanzas[USER] = {10, 1, 50}};
	uint64_t ms = 1000;
	(void)state;
	for (unsigned i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		ms += steps[i].after_ms;
		assert_int_equal(pass(&rates, &limits, "u@a.example", ms, 200), steps[i].passes);
	}
	rates_fini(&rates);
}

static void tells_how_long(void **state)
{
	struct rates rates = {0};
	struct policy_rates limits = {.stanzas[USER] = {2, 60, 1}};
	(void)state;
	assert_int_equal(take(&rates, &limits, "u", 7).result, RATES_WITHIN);
	assert_int_equal(take(&rates, &limits, "u", 7).wait_ms, 30000);
	assert_int_equal(take(&rates, &limits, "u", 30006).wait_ms, 1);
	assert_int_equal(take(&rates, &limits, "u", 30007).result, RATES_WITHIN);
	rates_fini(&rates);
}

static void each_name_kind_and_profile_has_its_own(void **state)
{
	struct rates rates = {0};
	struct policy_rates a = {.stanzas = {{1, 1, 2}, {1, 1, 3}, {1, 1, 2}}}, b = a;
	struct rates_claim same = claim_of("x", "x", "x", 1);
	(void)state;
	assert_int_equal(pass(&rates, &a, "u", 9, 9), 2);
	assert_int_equal(pass(&rates, &a, "v", 9, 9), 2);
	assert_int_equal(pass(&rates, &b, "u", 9, 9), 2);
	assert_int_equal(rates_take(&rates, &a, &same, 9).result, RATES_WITHIN);
	assert_int_equal(rates_take(&rates, &a, &same, 9).result, RATES_WITHIN);
	assert_int_equal(rates_take(&rates, &a, &same, 9).result, RATES_OVER);
	struct rates_claim of_peer = claim_of("y", "x", "", 1);
	assert_int_equal(rates_take(&rates, &a, &of_peer, 9).result, RATES_WITHIN);
	struct rates_answer over = rates_take(&rates, &a, &of_peer, 9);
	assert_int_equal(over.result, RATES_OVER);
	assert_int_equal(over.kind, PEER);
	rates_fini(&rates);
}

/* A stanza that one bucket has no room for costs the others nothing. */
static void all_or_nothing(void **state)
{
	struct rates rates = {0};
	struct policy_rates limits = {.stanzas = {[USER] = {1, 1, 5}, [ROOM] = {1, 1, 1}}};
	struct rates_claim room = claim_of("u", "", "r", 1);
	(void)state;
	assert_int_equal(rates_take(&rates, &limits, &room, 3).result, RATES_WITHIN);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(rates_take(&rates, &limits, &room, 3).kind, ROOM);
	assert_int_equal(pass(&rates, &limits, "u", 3, 9), 4);
	rates_fini(&rates);
}

static void bytes_and_what_is_larger_than_a_burst(void **state)
{
	struct rates rates = {0};
	struct policy_rates limits = {.bytes[PEER] = {1000, 1, 2000}};
	struct rates_claim small = claim_of("", "p", "", 500), large = claim_of("", "p", "", 5000);
	(void)state;
	assert_int_equal(rates_take(&rates, &limits, &large, 100).result, RATES_WITHIN); /* of 2000: owes 3000 */
	assert_int_equal(rates_take(&rates, &limits, &small, 100).wait_ms, 3500);
	assert_int_equal(rates_take(&rates, &limits, &large, 100).wait_ms, 5000);
	assert_int_equal(rates_take(&rates, &limits, &small, 3600).result, RATES_WITHIN);
	assert_int_equal(rates_take(&rates, &limits, &large, 4600).result, RATES_OVER);
	assert_int_equal(rates_take(&rates, &limits, &large, 5600).result, RATES_WITHIN);
	rates_fini(&rates);
}

static void what_may_owe_is_counted_and_bounded(void **state)
{
	struct rates rates = {0};
	struct policy_rates limits = {.stanzas[USER] = {1, 1, 10}, .stanzas[PEER] = {1, 1, 1000}};
	struct rates_claim answer = claim_of("u", "p", "", 1);
	(void)state;
	answer.may_owe[USER] = true;
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(rates_take(&rates, &limits, &answer, 50).result, RATES_WITHIN);
	assert_int_equal(rates_take(&rates, &limits, &answer, 50).result, RATES_OVER);
	assert_int_equal(take(&rates, &limits, "u", 50).wait_ms, 11000); /* ten are owed, and one is wanted */
	rates_fini(&rates);
}

static void waiting_owes(void **state)
{
	struct rates rates = {0};
	struct policy_rates limits = {.stanzas[USER] = {10, 1, 2}, .bytes[USER] = {1000, 1, 1000}, .over = POLICY_OVER_WAIT};
	struct rates_claim large = claim_of("u", "", "", 700);
	(void)state;
	assert_int_equal(take(&rates, &limits, "u", 1).wait_ms, 0);
	assert_int_equal(take(&rates, &limits, "u", 1).wait_ms, 0);
	struct rates_answer third = take(&rates, &limits, "u", 1);
	assert_int_equal(third.result, RATES_WITHIN);
	assert_int_equal(third.wait_ms, 100);
	assert_int_equal(rates_take(&rates, &limits, &large, 101).wait_ms, 100);
	assert_int_equal(rates_take(&rates, &limits, &large, 201).wait_ms, 500);
	rates_fini(&rates);
}

static unsigned fill(struct rates *rates, const struct policy_rates *limits, uint64_t ms, unsigned from, unsigned count)
{
	unsigned passed = 0;
	char user[32];
	for (unsigned i = from; i < from + count; i++) {
		snprintf(user, sizeof(user), "user%u@a.example", i);
		passed += take(rates, limits, user, ms).result == RATES_WITHIN;
	}
	return passed;
}

/* Full of buckets that say something: nobody new is counted, so nobody new passes; those that are there go on. */
static void a_full_table_refuses(void **state)
{
	struct rates rates = {0};
	struct policy_rates limits = {.stanzas[USER] = {1, 1, 2}};
	(void)state;
	assert_int_equal(fill(&rates, &limits, 1000, 0, RATES_MAX), RATES_MAX);
	assert_int_equal(take(&rates, &limits, "new", 1000).result, RATES_FULL);
	assert_int_equal(take(&rates, &limits, "new", 1999).result, RATES_FULL);
	assert_int_equal(take(&rates, &limits, "user7@a.example", 1999).result, RATES_WITHIN);
	assert_int_equal(take(&rates, &limits, "user7@a.example", 1999).result, RATES_OVER);
	assert_int_equal(take(&rates, &limits, "new", 2000).result, RATES_WITHIN); /* all but user7's are full again */
	assert_int_equal(fill(&rates, &limits, 2000, RATES_MAX, 1000), 1000);
	assert_int_equal(pass(&rates, &limits, "user7@a.example", 2000, 9), 1); /* and not the two of a new one */
	assert_int_equal(take(&rates, &limits, "new", 2000).result, RATES_WITHIN);
	assert_int_equal(take(&rates, &limits, "new", 2000).result, RATES_OVER);
	assert_int_equal(fill(&rates, &limits, 9000, 0, RATES_MAX / 2), RATES_MAX / 2);
	rates_fini(&rates);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_as_siphash_does),
		cmocka_unit_test(without_limits_nothing_is_counted),
		cmocka_unit_test(bursts_and_goes_on_at_the_rate),
		cmocka_unit_test(tells_how_long),
		cmocka_unit_test(each_name_kind_and_profile_has_its_own),
		cmocka_unit_test(all_or_nothing),
		cmocka_unit_test(bytes_and_what_is_larger_than_a_burst),
		cmocka_unit_test(what_may_owe_is_counted_and_bounded),
		cmocka_unit_test(waiting_owes),
		cmocka_unit_test(a_full_table_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
