/* Acknowledgements of one direction (control/acks.h), beside a list that holds every stanza by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/acks.h"
#include "control/limits.h"

static void add(struct acks *acks, enum acks_kind kind, unsigned times)
{
	while (times--)
		assert_int_equal(acks_add(acks, kind), 0);
}

static void expect(struct acks *acks, uint32_t h, uint32_t told)
{
	uint32_t translated = ~told;
	assert_true(acks_take(acks, h, &translated));
	assert_int_equal(translated, told);
}

static void nothing_is_kept_back(void **state)
{
	struct acks acks;
	(void)state;
	acks_init(&acks);
	expect(&acks, 0, 0);
	add(&acks, ACKS_FORWARDED, 5);
	expect(&acks, 0, 0);
	expect(&acks, 3, 3);
	expect(&acks, 3, 3);
	expect(&acks, 5, 5);
	assert_int_equal(acks_sent(&acks), 5);
	acks_fini(&acks);
}

static void dropped_ones_are_acknowledged_with_what_is_before(void **state)
{
	struct acks acks;
	(void)state;
	acks_init(&acks);
	add(&acks, ACKS_FORWARDED, 2);
	add(&acks, ACKS_DROPPED, 3);
	add(&acks, ACKS_FORWARDED, 1);
	add(&acks, ACKS_DROPPED, 1);
	expect(&acks, 0, 0);
	expect(&acks, 1, 1);
	expect(&acks, 2, 5);
	expect(&acks, 3, 7);
	add(&acks, ACKS_DROPPED, 100); /* nothing that was sent on is outstanding */
	expect(&acks, 3, 107);
	acks_fini(&acks);
}

static void injected_ones_are_not_the_senders(void **state)
{
	struct acks acks;
	(void)state;
	acks_init(&acks);
	add(&acks, ACKS_INJECTED, 2);
	add(&acks, ACKS_FORWARDED, 1);
	add(&acks, ACKS_INJECTED, 1);
	add(&acks, ACKS_DROPPED, 1);
	expect(&acks, 2, 0);
	expect(&acks, 3, 1);
	expect(&acks, 4, 2);
	assert_int_equal(acks_sent(&acks), 4);
	acks_fini(&acks);
}

static void more_than_was_sent(void **state)
{
	struct acks acks;
	uint32_t translated = 77;
	(void)state;
	acks_init(&acks);
	add(&acks, ACKS_DROPPED, 9);
	assert_false(acks_take(&acks, 1, &translated));
	add(&acks, ACKS_FORWARDED, 2);
	expect(&acks, 1, 10);
	assert_false(acks_take(&acks, 3, &translated));
	assert_false(acks_take(&acks, 0, &translated)); /* less than before */
	assert_false(acks_take(&acks, UINT32_MAX, &translated));
	assert_int_equal(translated, 77);
	expect(&acks, 2, 11);
	acks_fini(&acks);
}

static void counts_begin_again_after_2_to_the_32(void **state)
{
	struct acks acks;
	(void)state;
	acks_init(&acks);
	acks.sender_h = UINT32_MAX - 1;
	acks.receiver_h = UINT32_MAX - 3;
	add(&acks, ACKS_FORWARDED, 3);
	add(&acks, ACKS_DROPPED, 2);
	add(&acks, ACKS_FORWARDED, 3);
	assert_int_equal(acks_sent(&acks), 2);
	expect(&acks, UINT32_MAX - 2, UINT32_MAX);
	expect(&acks, UINT32_MAX, 3);
	expect(&acks, 0, 4);
	expect(&acks, 2, 6);
	acks_fini(&acks);
}

static void a_run_is_longer_than_a_number(void **state)
{
	struct acks acks;
	uint32_t *count;
	(void)state;
	acks_init(&acks);
	add(&acks, ACKS_FORWARDED, 1);
	count = (uint32_t *)(void *)acks.runs.memory + 1;
	*count = UINT32_MAX;
	acks.outstanding = UINT32_MAX;
	add(&acks, ACKS_FORWARDED, 3);
	assert_int_equal(buf_len(&acks.runs), 16);
	expect(&acks, UINT32_MAX, UINT32_MAX);
	expect(&acks, 2, 2);
	assert_int_equal(buf_len(&acks.runs), 0);
	acks_fini(&acks);
}

static void it_is_bounded(void **state)
{
	struct acks acks;
	unsigned asked = 0, added = 0;
	(void)state;
	acks_init(&acks);
	while (!acks_are_full(&acks)) {
		add(&acks, added++ % 2 ? ACKS_DROPPED : ACKS_FORWARDED, 1);
		asked += acks_are_many(&acks) && !asked ? added : 0;
	}
	assert_int_equal(asked, ACKS_RUNS_MANY);
	assert_int_equal(added, ACKS_RUNS_MAX);
	assert_true(acks_add(&acks, ACKS_FORWARDED) < 0);
	assert_int_equal(acks_sent(&acks), ACKS_RUNS_MAX / 2);
	add(&acks, ACKS_DROPPED, 5); /* a longer run takes no room */
	expect(&acks, 1, 2);
	assert_false(acks_are_full(&acks));
	expect(&acks, ACKS_RUNS_MAX / 2, ACKS_RUNS_MAX + 5);
	acks_fini(&acks);
}

/* --- beside the list --- */

enum { STANZAS = 3000, RUNS = 200 };

struct model {
	enum acks_kind kind[STANZAS];
	unsigned count;
	uint32_t sender_start, receiver_start;
};

static uint32_t model_sent(const struct model *m)
{
	uint32_t sent = m->receiver_start;
	for (unsigned i = 0; i < m->count; i++)
		sent += m->kind[i] != ACKS_DROPPED;
	return sent;
}

/* Gives every stanza its two numbers, and says with which number of the sender the row of handled ones ends. */
static uint32_t model_translate(const struct model *m, uint32_t h)
{
	uint32_t n = m->sender_start, sent = m->receiver_start;
	bool open = sent == h;
	uint32_t told = n;
	for (unsigned i = 0; i < m->count; i++) {
		if (m->kind[i] != ACKS_DROPPED) {
			if (open)
				break;
			sent++;
		}
		n += m->kind[i] != ACKS_INJECTED;
		told = n;
		open = sent == h;
	}
	return told;
}

static uint32_t below(uint32_t *seed, uint32_t bound)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % bound;
}

static void one_sequence(uint32_t seed)
{
	struct model m = {.sender_start = UINT32_MAX - below(&seed, 500), .receiver_start = UINT32_MAX - below(&seed, 500)};
	struct acks acks;
	uint32_t last = m.receiver_start, dropped = 1 + below(&seed, 9), injected = dropped + 1 + below(&seed, 9);
	acks_init(&acks);
	acks.sender_h = m.sender_start;
	acks.receiver_h = m.receiver_start;
	for (unsigned i = 0; i < STANZAS; i++) {
		uint32_t dice = below(&seed, 30), outstanding, translated;
		m.kind[m.count] = dice < dropped ? ACKS_DROPPED : dice < injected ? ACKS_INJECTED : ACKS_FORWARDED;
		add(&acks, m.kind[m.count++], 1);
		if (below(&seed, 40))
			continue;
		outstanding = model_sent(&m) - last;
		assert_int_equal(acks_sent(&acks), model_sent(&m));
		assert_false(acks_take(&acks, last + outstanding + 1 + below(&seed, 1000), &translated));
		last += below(&seed, outstanding + 1);
		expect(&acks, last, model_translate(&m, last));
	}
	expect(&acks, model_sent(&m), model_translate(&m, model_sent(&m)));
	assert_int_equal(acks.outstanding, 0);
	assert_int_equal(buf_len(&acks.runs), 0);
	acks_fini(&acks);
}

static void random_sequences(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= RUNS; seed++)
		one_sequence(seed * 7919);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_kept_back),
		cmocka_unit_test(dropped_ones_are_acknowledged_with_what_is_before),
		cmocka_unit_test(injected_ones_are_not_the_senders),
		cmocka_unit_test(more_than_was_sent),
		cmocka_unit_test(counts_begin_again_after_2_to_the_32),
		cmocka_unit_test(a_run_is_longer_than_a_number),
		cmocka_unit_test(it_is_bounded),
		cmocka_unit_test(random_sequences),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
