/* The receive queue: every order of pieces, overlaps, and a model beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/tcp/reass.h"

enum { START = 0xfffffff5u };

struct queue {
	struct memory memory;
	struct reass reass;
};

static void init(struct queue *q)
{
	*q = (struct queue){0};
	reass_init(&q->reass, &q->memory, seq_of(START));
}

static void fini(struct queue *q)
{
	reass_fini(&q->reass);
	assert_int_equal(q->memory.used, 0);
}

static struct reass_outcome add(struct queue *q, uint32_t at, const char *text)
{
	return reass_add(&q->reass, seq_of(START + at), (const uint8_t *)text, (uint32_t)strlen(text));
}

static uint32_t read_all(struct queue *q, uint8_t *to)
{
	const uint8_t *bytes;
	uint32_t done = 0;
	for (uint32_t n; (n = reass_peek(&q->reass, &bytes)); done += n) {
		memcpy(to + done, bytes, n);
		reass_consume(&q->reass, n);
	}
	return done;
}

static void assert_reads(struct queue *q, const char *text)
{
	uint8_t bytes[1000];
	assert_int_equal(read_all(q, bytes), strlen(text));
	assert_memory_equal(bytes, text, strlen(text));
}

/* Calls try with each order of the n numbers in order[k...]. */
static void permute(unsigned *order, unsigned k, unsigned n, void (*try)(const unsigned *order))
{
	if (k == n)
		try(order);
	for (unsigned i = k; i < n; i++) {
		unsigned held = order[k];
		order[k] = order[i];
		order[i] = held;
		permute(order, k + 1, n, try);
		order[i] = order[k];
		order[k] = held;
	}
}

static void try_pieces(const unsigned *order)
{
	static const struct { uint32_t at; const char *text; } pieces[] = {
		{0, "abc"}, {3, "d"}, {4, "efghij"}, {10, "kl"}, {12, "mnopq"}};
	struct queue q;
	init(&q);
	uint32_t advanced = 0;
	for (unsigned i = 0; i < 5; i++) {
		struct reass_outcome outcome = add(&q, pieces[order[i]].at, pieces[order[i]].text);
		assert_false(outcome.differing || outcome.dropped);
		assert_true(seq_eq(outcome.again.start, outcome.again.end));
		advanced += outcome.advanced;
	}
	assert_int_equal(advanced, 17);
	assert_int_equal(q.reass.count, 0);
	assert_reads(&q, "abcdefghijklmnopq");
	fini(&q);
}

static void every_order_of_five_pieces(void **state)
{
	(void)state;
	unsigned order[] = {0, 1, 2, 3, 4};
	permute(order, 0, 5, try_pieces);
}

static void try_overlapping(const unsigned *order)
{
	static const struct { uint32_t at; const char *text; } pieces[] = {
		{0, "abcde"}, {3, "defgh"}, {1, "bcdefghijkl"}, {11, "lm"}, {6, "ghijklmno"}};
	struct queue q;
	init(&q);
	for (unsigned i = 0; i < 5; i++)
		assert_false(add(&q, pieces[order[i]].at, pieces[order[i]].text).differing);
	assert_reads(&q, "abcdefghijklmno");
	fini(&q);
}

static void every_order_of_five_overlapping_pieces(void **state)
{
	(void)state;
	unsigned order[] = {0, 1, 2, 3, 4};
	permute(order, 0, 5, try_overlapping);
}

static void first_bytes_win_everywhere(void **state)
{
	(void)state;
	static const struct { uint32_t at; const char *text, *read; bool differing; } rows[] = {
		{5, "fghij", "abcdefghij", false},     /* the same again */
		{5, "FGHIJ", "abcdefghij", true},
		{3, "deFG", "abcdefghij", true},       /* from the left */
		{8, "IJKL", "abcdefghijKL", true},     /* from the right */
		{3, "deFGHIJK", "abcdefghijK", true},  /* around */
		{6, "G", "abcdefghij", true},          /* inside */
		{3, "DE", "abcDEfghij", false},        /* beside */
		{10, "KL", "abcdefghijKL", false},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct queue q;
		init(&q);
		add(&q, 5, "fghij");
		assert_int_equal(!!add(&q, rows[i].at, rows[i].text).differing, rows[i].differing);
		add(&q, 0, "abcde");
		assert_reads(&q, rows[i].read);
		fini(&q);
	}
}

static void readable_bytes_are_compared_too(void **state)
{
	(void)state;
	struct queue q;
	init(&q);
	add(&q, 0, "abcdef");
	assert_true(add(&q, 2, "cDef").differing);
	reass_consume(&q.reass, 3);
	assert_false(add(&q, 0, "ABCdef").differing); /* what was read is gone */
	assert_true(add(&q, 0, "ABCdeF").differing);
	assert_reads(&q, "def");
	fini(&q);
}

static void what_came_again_is_named(void **state)
{
	(void)state;
	struct queue q;
	init(&q);
	add(&q, 0, "abcdef");
	reass_consume(&q.reass, 4);
	struct reass_outcome outcome = add(&q, 2, "cdefgh");
	assert_int_equal(outcome.again.start.v, START + 2);
	assert_int_equal(outcome.again.end.v, START + 6);
	assert_int_equal(outcome.advanced, 2);
	add(&q, 20, "uvw");
	outcome = add(&q, 18, "stuvwx");
	assert_int_equal(outcome.again.start.v, START + 20);
	assert_int_equal(outcome.again.end.v, START + 23);
	fini(&q);
}

static void no_memory_drops_and_says_so(void **state)
{
	(void)state;
	struct tcp_budget budget = {.max_bytes = 2500};
	struct queue q;
	init(&q);
	q.memory.budget = &budget;
	assert_true(add(&q, 2500, "abc").dropped);
	assert_true(add(&q, 5, "fgh").dropped); /* there is room for bytes, but none for the list of runs */
	assert_false(add(&q, 0, "abc").dropped);
	assert_reads(&q, "abc");
	fini(&q);
	assert_int_equal(budget.used_bytes, 0);
}

/* Beside an array in which the first write to each place stands. */
static void random_pieces_equal_the_model(void **state)
{
	(void)state;
	enum { SIZE = 3000 };
	srand(7);
	for (int round = 0; round < 300; round++) {
		static uint8_t model[SIZE], bytes[SIZE];
		static bool here[SIZE];
		memset(here, 0, sizeof(here));
		struct queue q;
		init(&q);
		uint32_t consumed = 0;
		while (consumed < SIZE) {
			uint32_t at = consumed + (uint32_t)rand() % 200, n = 1 + (uint32_t)rand() % 60;
			at = at < 20 || rand() % 4 ? at : at - 20;
			n = at >= SIZE ? 0 : at + n > SIZE ? SIZE - at : n;
			bool differing = false;
			for (uint32_t i = 0; i < n; i++) {
				bytes[i] = (uint8_t)(rand() % 50 ? at + i : (uint32_t)rand());
				differing |= here[at + i] && at + i >= consumed && model[at + i] != bytes[i];
			}
			struct reass_outcome outcome = reass_add(&q.reass, seq_of(START + at), bytes, n);
			if (outcome.dropped)
				continue;
			assert_int_equal(!!outcome.differing, differing);
			for (uint32_t i = 0; i < n; i++)
				if (!here[at + i]) {
					here[at + i] = true;
					model[at + i] = bytes[i];
				}
			const uint8_t *readable;
			uint32_t length = reass_peek(&q.reass, &readable);
			assert_memory_equal(length ? readable : model, model + (length ? consumed : 0), length);
			for (uint32_t i = 0; i < length; i++)
				assert_true(here[consumed + i]);
			if (rand() % 3 == 0 && length) {
				uint32_t take = 1 + (uint32_t)rand() % length;
				reass_consume(&q.reass, take);
				consumed += take;
			}
		}
		fini(&q);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_order_of_five_pieces),
		cmocka_unit_test(every_order_of_five_overlapping_pieces),
		cmocka_unit_test(first_bytes_win_everywhere),
		cmocka_unit_test(readable_bytes_are_compared_too),
		cmocka_unit_test(what_came_again_is_named),
		cmocka_unit_test(no_memory_drops_and_says_so),
		cmocka_unit_test(random_pieces_equal_the_model),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
