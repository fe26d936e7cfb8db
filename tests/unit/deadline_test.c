#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dataplane/deadline.h"

enum { FLOWS = 500, STEPS = 20000 };

/* Against the plainest of models: look at all of them. */
static void agrees_with_a_model(void **state)
{
	(void)state;
	static struct flow flows[FLOWS];
	static uint64_t armed[FLOWS]; /* 0: not */
	struct deadlines deadlines;
	assert_int_equal(deadlines_init(&deadlines), 0);
	unsigned seed = 4711, popped = 0;
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned i = (unsigned)rand_r(&seed) % FLOWS, action = (unsigned)rand_r(&seed) % 10;
		uint64_t at = 1 + (unsigned)rand_r(&seed) % 1000;
		if (action < 6) {
			deadline_arm(&deadlines, &flows[i], at);
			armed[i] = armed[i] && armed[i] <= at ? armed[i] : at; /* lazily: only ever earlier */
		} else if (action < 8) {
			deadline_disarm(&deadlines, &flows[i]);
			armed[i] = 0;
		} else {
			uint64_t first = UINT64_MAX;
			for (unsigned k = 0; k < FLOWS; k++)
				first = armed[k] && armed[k] < first ? armed[k] : first;
			assert_int_equal(deadline_next(&deadlines), first);
			struct flow *flow = deadline_pop(&deadlines, at);
			assert_int_equal(flow != NULL, first <= at);
			if (!flow)
				continue;
			assert_int_equal(armed[flow - flows], first);
			armed[flow - flows] = 0;
			popped++;
		}
	}
	assert_true(popped > 100);
	deadlines_fini(&deadlines);
}

static void no_wish_is_no_entry(void **state)
{
	(void)state;
	struct flow flow = {0};
	struct deadlines deadlines;
	assert_int_equal(deadlines_init(&deadlines), 0);
	deadline_arm(&deadlines, &flow, UINT64_MAX);
	assert_int_equal(deadlines.count, 0);
	assert_null(deadline_pop(&deadlines, UINT64_MAX - 1));
	deadlines_fini(&deadlines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_a_model),
		cmocka_unit_test(no_wish_is_no_entry),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
