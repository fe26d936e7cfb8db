/* Link state from one side to the other: what was seen, and what is to be done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "control/daemon/link_pair.h"

enum { LATER = LINK_SETTLE_MS };
#define IN WIRE_INSIDE
#define OUT WIRE_OUTSIDE
enum seen { NOT_UP, NO_CARRIER, CARRIER, TICK, END };

struct step {
	int64_t ms;                    /* passed since the one before */
	enum wire wire;
	enum seen seen;
	enum link_deed deed;           /* to be done with the other side (after a tick: with this one) */
	enum link_state state[WIRES];  /* after it */
};

#define BOTH_UP {0, IN, CARRIER, LINK_NOTHING, {LINK_UP, LINK_UP}}, {0, OUT, CARRIER, LINK_NOTHING, {LINK_UP, LINK_UP}}
#define INSIDE_LOST {10, IN, NO_CARRIER, LINK_HOLD, {LINK_LOST, LINK_HELD}}, \
	{0, OUT, NOT_UP, LINK_NOTHING, {LINK_LOST, LINK_HELD}}
#define INSIDE_BACK {10, IN, CARRIER, LINK_RELEASE, {LINK_UP, LINK_LOST}}

struct story {
	const char *name;
	struct step steps[16];
};

static const struct story stories[] = {
	{"a link is lost and comes back",
		{BOTH_UP, INSIDE_LOST, INSIDE_BACK, {500, OUT, NO_CARRIER, LINK_NOTHING, {LINK_UP, LINK_LOST}},
			{500, OUT, CARRIER, LINK_NOTHING, {LINK_UP, LINK_UP}},
			{LATER, IN, TICK, LINK_NOTHING, {LINK_UP, LINK_UP}}, {0, IN, END, 0, {0}}}},
	{"and on the other side",
		{BOTH_UP, {1, OUT, NO_CARRIER, LINK_HOLD, {LINK_HELD, LINK_LOST}},
			{1, OUT, CARRIER, LINK_RELEASE, {LINK_LOST, LINK_UP}}, {0, IN, END, 0, {0}}}},
	{"taken down by somebody is lost, and is not taken up",
		{BOTH_UP, {1, IN, NOT_UP, LINK_HOLD, {LINK_LOST, LINK_HELD}},
			{LATER * 2, IN, TICK, LINK_NOTHING, {LINK_LOST, LINK_HELD}},
			{1, IN, NO_CARRIER, LINK_NOTHING, {LINK_LOST, LINK_HELD}}, INSIDE_BACK, {0, IN, END, 0, {0}}}},
	{"a side that is held says nothing of its own cable",
		{BOTH_UP, INSIDE_LOST, {1, OUT, NOT_UP, LINK_NOTHING, {LINK_LOST, LINK_HELD}},
			{LATER * 2, IN, TICK, LINK_NOTHING, {LINK_LOST, LINK_HELD}}, {0, IN, END, 0, {0}}}},
	{"both lost at once: one is held; the other's loss shows when it is released and does not settle",
		{BOTH_UP, {1, IN, NO_CARRIER, LINK_HOLD, {LINK_LOST, LINK_HELD}},
			{0, OUT, NO_CARRIER, LINK_NOTHING, {LINK_LOST, LINK_HELD}}, /* held: seen down */
			{0, OUT, NOT_UP, LINK_NOTHING, {LINK_LOST, LINK_HELD}}, INSIDE_BACK,
			{10, OUT, NO_CARRIER, LINK_NOTHING, {LINK_UP, LINK_LOST}},
			{LATER, IN, TICK, LINK_HOLD, {LINK_HELD, LINK_LOST}},
			{10, IN, NOT_UP, LINK_NOTHING, {LINK_HELD, LINK_LOST}},
			{10, OUT, CARRIER, LINK_RELEASE, {LINK_LOST, LINK_UP}},
			{10, IN, CARRIER, LINK_NOTHING, {LINK_UP, LINK_UP}}, {0, IN, END, 0, {0}}}},
	{"what was on its way when a side was taken down does not look as if somebody had taken it up",
		{BOTH_UP, {1, IN, NO_CARRIER, LINK_HOLD, {LINK_LOST, LINK_HELD}},
			{0, OUT, CARRIER, LINK_NOTHING, {LINK_LOST, LINK_HELD}},
			{0, OUT, NOT_UP, LINK_NOTHING, {LINK_LOST, LINK_HELD}}, INSIDE_BACK, {0, IN, END, 0, {0}}}},
	{"taken up by somebody while it is held: left alone until the link comes and goes again",
		{BOTH_UP, INSIDE_LOST, {100, OUT, NO_CARRIER, LINK_NOTHING, {LINK_LOST, LINK_LOST}},
			{100, OUT, CARRIER, LINK_NOTHING, {LINK_LOST, LINK_UP}},
			{LATER, IN, TICK, LINK_NOTHING, {LINK_LOST, LINK_UP}},
			{1, IN, NO_CARRIER, LINK_NOTHING, {LINK_LOST, LINK_UP}},
			{1, IN, CARRIER, LINK_NOTHING, {LINK_UP, LINK_UP}}, INSIDE_LOST, {0, IN, END, 0, {0}}}},
	{"a cable that is dead from the start is passed on when it should have settled",
		{{0, IN, NO_CARRIER, LINK_NOTHING, {LINK_LOST, LINK_UP}},
			{0, OUT, CARRIER, LINK_NOTHING, {LINK_LOST, LINK_UP}},
			{LATER - 1, IN, TICK, LINK_NOTHING, {LINK_LOST, LINK_UP}},
			{1, OUT, TICK, LINK_HOLD, {LINK_LOST, LINK_HELD}}, {0, OUT, NOT_UP, LINK_NOTHING, {LINK_LOST, LINK_HELD}},
			INSIDE_BACK, {0, IN, END, 0, {0}}}},
	{"what is never seen is taken to be up",
		{{LATER, IN, TICK, LINK_NOTHING, {LINK_UP, LINK_UP}}, {0, IN, END, 0, {0}}}},
	{"two dead cables from the start: one is held, once",
		{{0, IN, NO_CARRIER, LINK_NOTHING, {LINK_LOST, LINK_UP}},
			{0, OUT, NO_CARRIER, LINK_NOTHING, {LINK_LOST, LINK_LOST}},
			{LATER, OUT, TICK, LINK_HOLD, {LINK_LOST, LINK_HELD}},
			{LATER, OUT, TICK, LINK_NOTHING, {LINK_LOST, LINK_HELD}}, {0, IN, END, 0, {0}}}},
	{"both lost after somebody took one up: again one is held",
		{BOTH_UP, INSIDE_LOST, {1, OUT, CARRIER, LINK_NOTHING, {LINK_LOST, LINK_UP}},
			{1, OUT, NO_CARRIER, LINK_HOLD, {LINK_HELD, LINK_LOST}},
			{1, OUT, CARRIER, LINK_RELEASE, {LINK_LOST, LINK_UP}}, {0, IN, END, 0, {0}}}},
};

static enum wire deed_wire(const struct step *step)
{
	return step->seen == TICK ? step->wire : wire_other(step->wire);
}

static void run_step(struct link_pair *pair, const struct step *step, int64_t now)
{
	struct link_order order = step->seen == TICK
		? link_pair_tick(pair, now)
		: link_pair_see(pair, step->wire, step->seen != NOT_UP, step->seen == CARRIER, now);
	assert_int_equal(order.deed, step->deed);
	if (step->deed != LINK_NOTHING)
		assert_int_equal(order.wire, deed_wire(step));
	for (unsigned w = 0; w < WIRES; w++)
		assert_int_equal(link_pair_state(pair, w), step->state[w]);
}

static void stories_end_as_they_should(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
		struct link_pair pair;
		int64_t now = 1000;
		link_pair_init(&pair, true, now);
		for (const struct step *step = stories[i].steps; step->seen != END; step++) {
			print_message("%s: step %zu\n", stories[i].name, step - stories[i].steps);
			now += step->ms;
			run_step(&pair, step, now);
		}
	}
}

static void shows_but_does_nothing_where_it_may_not(void **state)
{
	(void)state;
	struct link_pair pair;
	link_pair_init(&pair, false, 0);
	for (unsigned i = 0; i < 4; i++) {
		struct link_order order = link_pair_see(&pair, IN, i != 3, i % 2, LATER + i);
		assert_int_equal(order.deed, LINK_NOTHING);
		assert_int_equal(link_pair_state(&pair, IN), i == 1 ? LINK_UP : LINK_LOST);
	}
	assert_int_equal(link_pair_tick(&pair, LATER * 2).deed, LINK_NOTHING);
}

static void nothing_is_due_when_both_are_up(void **state)
{
	(void)state;
	struct link_pair pair;
	link_pair_init(&pair, true, 100);
	assert_int_equal(link_pair_due(&pair), 100 + LATER);
	for (unsigned w = 0; w < WIRES; w++)
		assert_int_equal(link_pair_see(&pair, w, true, true, 200).deed, LINK_NOTHING);
	assert_int_equal(link_pair_due(&pair), INT64_MAX);
}

/* Whatever is seen: never both held, orders come in turns, and when both links are well both are up. */
static void holds_one_at_most(void **state)
{
	(void)state;
	srand(7);
	for (unsigned run = 0; run < 200; run++) {
		struct link_pair pair;
		bool held[WIRES] = {false}, cable[WIRES] = {true, true};
		int64_t now = 1;
		link_pair_init(&pair, true, now);
		for (unsigned i = 0; i < 300; i++) {
			bool calm = i >= 250;
			enum wire w = (enum wire)(rand() & 1);
			now += rand() % LATER;
			cable[w] = calm || rand() % 3;
			bool ticks = !calm && rand() % 4 == 0;
			struct link_order order = ticks ? link_pair_tick(&pair, now)
				: link_pair_see(&pair, w, !held[w], !held[w] && cable[w], now);
			if (order.deed != LINK_NOTHING) {
				assert_int_equal(held[order.wire], order.deed == LINK_RELEASE);
				held[order.wire] = order.deed == LINK_HOLD;
			}
			assert_false(held[IN] && held[OUT]);
			for (unsigned side = 0; side < WIRES; side++)
				assert_int_equal(held[side], link_pair_state(&pair, side) == LINK_HELD);
		}
		assert_int_equal(link_pair_state(&pair, IN), LINK_UP);
		assert_int_equal(link_pair_state(&pair, OUT), LINK_UP);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stories_end_as_they_should),
		cmocka_unit_test(shows_but_does_nothing_where_it_may_not),
		cmocka_unit_test(nothing_is_due_when_both_are_up),
		cmocka_unit_test(holds_one_at_most),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
