/*
 * The matrix: loss x reordering x duplication x link, with SACK and without, on a virtual clock. That all bytes arrive and
 * no rule is broken is checked on the way; what it cost is compared with a table in git, tests/unit/tcp_sim.golden.
 * Where a change of the engine is meant to change the cost:  TCP_SIM_GOLDEN=write build/tests/unit/tcp_sim_test
 * and read the difference before it is committed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcp_link.h"

#define GOLDEN "tests/unit/tcp_sim.golden"

enum { MINUTE_US = 60000000 };

static const struct {
	const char *name;
	unsigned delay_us, bytes_per_ms, buffer_bytes;
} wires[] = {
	{"lan", 500, 12500, 256 << 10},           /* 100 Mbit/s */
	{"wan", 40000, 12500, 512 << 10},         /* the same over 80 ms of round trip */
	{"dsl", 15000, 250, 32 << 10},            /* 2 Mbit/s behind a small buffer */
	{"bulk", 20000, 12500, 512 << 10},
};

enum { MATRIX_WIRES = 3, BULK = 3 };

static const unsigned losses[] = {0, 10, 50, 200}, reorders[] = {0, 100}, duplicates[] = {0, 20};

/* What the handshake settled. */
enum options { PLAIN, SACK, STAMP, OPTIONS };
static const char *const options_name[OPTIONS] = {"plain", "sack", "stamp"};

static struct tcp_adoption adoption_of(enum options options, enum tcp_cc cc)
{
	return (struct tcp_adoption){.mss = LINK_MSS, .snd_wscale = 7, .rcv_wscale = 7, .sack = options != PLAIN,
		.timestamps = options == STAMP, .cc = cc};
}

static bool run_one(FILE *out, unsigned wire, enum options options, const struct link_quality *quality, uint32_t bytes,
	uint64_t seed)
{
	const struct link_task task = {.bytes = {bytes, 20000}, .write_bytes = 4000, .close = true};
	struct tcp_adoption adoption = adoption_of(options, options == PLAIN ? TCP_CC_NEWRENO : TCP_CC_CUBIC);
	struct link link;
	link_init(&link, &adoption, quality, &task, seed);
	bool arrived = link_run(&link, 120ull * MINUTE_US);
	struct tcp_stats stats;
	tcp_stats(link.end[LINK_LEFT].conn, &stats);
	char line[200];
	snprintf(line, sizeof(line), "%-4s %-5s loss %3u reorder %3u duplicate %2u: "
		"%8llu ms %5llu again %4llu fast %3llu timeouts %6zu bytes\n", wires[wire].name,
		options_name[options], quality->loss, quality->reorder, quality->duplicate,
		(unsigned long long)(link.now - 1000000) / 1000, (unsigned long long)stats.retransmits,
		(unsigned long long)stats.fast_retransmits, (unsigned long long)stats.timeouts, link.end[LINK_LEFT].memory_peak);
	fputs(line, out);
	if (!arrived)
		print_error("%s: %u and %u bytes of %u and %u arrived: %s", link.fault ? link.fault : "time is over",
			link.end[LINK_RIGHT].read, link.end[LINK_LEFT].read, task.bytes[0], task.bytes[1], line);
	link_fini(&link);
	return arrived;
}

static bool run_matrix(FILE *out)
{
	bool arrived = true;
	uint64_t seed = 1;
	for (enum options options = PLAIN; options < OPTIONS; options++)
		for (unsigned wire = 0; wire < MATRIX_WIRES; wire++)
			for (unsigned i = 0; i < 16; i++) {
				struct link_quality quality = {.loss = losses[i / 4], .reorder = reorders[i / 2 % 2],
					.duplicate = duplicates[i % 2], .delay_us = wires[wire].delay_us,
					.bytes_per_ms = wires[wire].bytes_per_ms, .buffer_bytes = wires[wire].buffer_bytes};
				arrived &= run_one(out, wire, options, &quality, 400000, seed++);
			}
	return arrived;
}

/* Long enough for the mean rate that a link's loss allows to show: more than that would be unfair to others. */
static bool run_bulk(FILE *out)
{
	static const unsigned chances[][3] = {{0, 0, 0}, {1, 0, 0}, {10, 0, 0}, {60, 0, 0}, {0, 100, 0}, {60, 100, 20}};
	bool arrived = true;
	enum { ROWS = sizeof(chances) / sizeof(chances[0]) };
	for (unsigned i = 0; i < 3 * ROWS; i++) {
		const unsigned *chance = chances[i < 2 * ROWS ? i / 2 : i - 2 * ROWS];
		struct link_quality quality = {.loss = chance[0], .reorder = chance[1], .duplicate = chance[2],
			.delay_us = wires[BULK].delay_us, .bytes_per_ms = wires[BULK].bytes_per_ms,
			.buffer_bytes = wires[BULK].buffer_bytes};
		arrived &= run_one(out, BULK, i < 2 * ROWS ? i % 2 : STAMP, &quality, 5000000, 5000 + i);
	}
	return arrived;
}

static char *read_file(const char *path)
{
	static char text[64 << 10];
	FILE *file = fopen(path, "r");
	size_t n = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
	if (file)
		fclose(file);
	text[n] = '\0';
	return text;
}

static void print_difference(char *now, char *golden)
{
	char *save_now, *save_golden;
	char *a = strtok_r(now, "\n", &save_now), *b = strtok_r(golden, "\n", &save_golden);
	for (; a; a = strtok_r(NULL, "\n", &save_now), b = b ? strtok_r(NULL, "\n", &save_golden) : NULL)
		if (!b || strcmp(a, b))
			print_error("was %s\nis  %s\n", b ? b : "(nothing)", a);
}

static void matrix_equals_the_golden_table(void **state)
{
	(void)state;
	char *now;
	size_t length;
	FILE *out = open_memstream(&now, &length);
	bool arrived = run_matrix(out);
	arrived &= run_bulk(out);
	fclose(out);
	const char *mode = getenv("TCP_SIM_GOLDEN");
	if (mode && !strcmp(mode, "write")) {
		FILE *file = fopen(GOLDEN, "w");
		assert_non_null(file);
		fputs(now, file);
		fclose(file);
	}
	char *golden = read_file(GOLDEN);
	bool same = !strcmp(now, golden);
	if (!same)
		print_difference(now, golden);
	free(now);
	assert_true(arrived);
	assert_true(same);
}

static void many_seeds_arrive(void **state)
{
	(void)state;
	for (uint64_t seed = 1000; seed < 1150; seed++) {
		struct link_quality quality = {.loss = seed % 7 * 20, .reorder = seed % 5 * 50, .duplicate = seed % 3 * 30,
			.delay_us = 100 + seed % 11 * 3000};
		struct link_task task = {.bytes = {seed % 13 * 7001, seed % 17 * 3001}, .close = true,
			.write_bytes = 1 + seed % 4 * 700};
		if (task.write_bytes == 1)
			task.bytes[0] = task.bytes[1] = 3000;
		enum options options = seed % 2 ? seed / 2 % 2 ? STAMP : SACK : PLAIN;
		struct tcp_adoption adoption = adoption_of(options, seed % 3 ? TCP_CC_CUBIC : TCP_CC_NEWRENO);
		struct link link;
		link_init(&link, &adoption, &quality, &task, seed);
		bool arrived = link_run(&link, 20ull * MINUTE_US);
		if (!arrived)
			print_error("seed %llu: %s\n", (unsigned long long)seed, link.fault ? link.fault : "time is over");
		link_fini(&link);
		assert_true(arrived);
	}
}

/* KB/s, mean of some transfers from the left end to the right one. */
static unsigned goodput(const struct link_quality *quality, enum options options, uint32_t bytes, struct tcp_stats *stats)
{
	enum { TRANSFERS = 6 };
	uint64_t us = 0;
	for (unsigned seed = 0; seed < TRANSFERS; seed++) {
		const struct link_task task = {.bytes = {bytes, 0}, .write_bytes = 4000};
		struct tcp_adoption adoption = adoption_of(options, TCP_CC_CUBIC);
		struct link link;
		link_init(&link, &adoption, quality, &task, 9000 + seed);
		assert_true(link_run(&link, 20ull * MINUTE_US));
		us += link.now - 1000000;
		tcp_stats(link.end[LINK_LEFT].conn, stats);
		link_fini(&link);
	}
	return (unsigned)(bytes * 1000ull * TRANSFERS / us);
}

/* MSS / RTT * sqrt(3 / (2 p)) is what a sender that halves its window for each loss gets at best (Mathis and others, 1997),
 * and what CUBIC is to get where it is to be friendly to such (RFC 9438 4.3). More than a third more would not be. */
static void goodput_is_what_loss_allows(void **state)
{
	(void)state;
	static const struct { unsigned delay_us, loss, mathis; } rows[] = {
		{20000, 10, 447}, {40000, 10, 223}, {20000, 20, 316},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (enum options options = SACK; options < OPTIONS; options++) {
			struct link_quality quality = {.loss = rows[i].loss, .delay_us = rows[i].delay_us};
			struct tcp_stats stats;
			unsigned kb_s = goodput(&quality, options, 4000000, &stats);
			if (kb_s < rows[i].mathis * 19 / 20)
				print_error("loss %u, %u us: %u KB/s\n", rows[i].loss, rows[i].delay_us, kb_s);
			assert_in_range(kb_s, rows[i].mathis * 19 / 20, rows[i].mathis * 4 / 3);
		}
}

/* One of ten frames skips the delay, and nothing is lost: the engine learns to wait for the others, and takes back what it
 * gave up before. With loss and duplicates besides, overtaking costs next to nothing. */
static void overtaking_costs_little(void **state)
{
	(void)state;
	struct link_quality late = {.overtake = 100, .duplicate = 20, .delay_us = 40000},
		lossy = {.loss = 60, .delay_us = 40000}, both = {.loss = 60, .overtake = 100, .duplicate = 20, .delay_us = 40000};
	struct tcp_stats stats;
	assert_true(goodput(&late, SACK, 4000000, &stats) > 200);
	assert_true(stats.undone > 0);
	assert_in_range(stats.retransmits, 1, 4000000 / LINK_MSS / 8);
	unsigned of_lossy = goodput(&lossy, SACK, 2000000, &stats), of_both = goodput(&both, SACK, 2000000, &stats);
	assert_true(of_lossy > 65);
	assert_true(of_both > of_lossy * 3 / 4);
}

/* 20 bytes in a millisecond are read, of a link that carries as much as is sent: the writer waits for the reader. */
static void slow_reader_slows_the_writer(void **state)
{
	(void)state;
	struct link_quality quality = {.delay_us = 1000};
	struct link_task task = {.bytes = {6000000, 0}, .write_bytes = 4000, .read_bytes_per_ms = 20};
	struct tcp_adoption adoption = adoption_of(SACK, TCP_CC_CUBIC);
	struct link link;
	link_init(&link, &adoption, &quality, &task, 5);
	assert_false(link_run(&link, 20 * 1000000));
	assert_null(link.fault);
	uint32_t read = link.end[LINK_RIGHT].read, written = link.end[LINK_LEFT].written;
	assert_in_range(read, 390000, 400000);
	assert_in_range(written, read + TCP_SEND_BYTES, read + TCP_SEND_BYTES + TCP_RECV_BYTES);
	struct tcp_stats stats;
	tcp_stats(link.end[LINK_LEFT].conn, &stats);
	assert_int_equal(stats.retransmits, 0);
	link.task.read_bytes_per_ms = 0;
	assert_true(link_run(&link, 30 * 1000000));
	link_fini(&link);
}

static void dead_link_is_given_up(void **state)
{
	(void)state;
	struct link_quality quality = {.delay_us = 10000, .dead_after_us = 100000, .bytes_per_ms = 1000, .buffer_bytes = 65536};
	struct link_task task = {.bytes = {1000000, 0}, .write_bytes = 4000};
	struct tcp_adoption adoption = adoption_of(SACK, TCP_CC_CUBIC);
	struct link link;
	link_init(&link, &adoption, &quality, &task, 7);
	assert_false(link_run(&link, 20ull * MINUTE_US));
	assert_null(link.fault);
	assert_true(link.end[LINK_LEFT].events & TCP_EV_TIMED_OUT);
	assert_in_range(link.now, 100ull * 1000000, 600ull * 1000000);
	assert_int_equal(link.end[LINK_RIGHT].events & (TCP_EV_TIMED_OUT | TCP_EV_RESET), 0);
	link_fini(&link);
}

/* The budget lacks most of what the queues could take: slower, and nothing else. */
static void scarce_memory_loses_nothing(void **state)
{
	(void)state;
	for (size_t budget_bytes = 40000; budget_bytes < 200000; budget_bytes += 10000) {
		struct link_quality quality = {.delay_us = 5000, .loss = 20, .reorder = 100};
		struct link_task task = {.bytes = {200000, 30000}, .write_bytes = 1000, .close = true};
		struct tcp_budget budget = {.max_bytes = budget_bytes};
		struct tcp_adoption adoption = adoption_of(SACK, TCP_CC_CUBIC);
		adoption.budget = &budget;
		struct link link;
		link_init(&link, &adoption, &quality, &task, budget_bytes);
		bool arrived = link_run(&link, 120ull * MINUTE_US);
		if (!arrived)
			print_error("%zu: %s %u %u\n", budget_bytes, link.fault ? link.fault : "time is over",
				link.end[0].read, link.end[1].read);
		link_fini(&link);
		assert_int_equal(budget.used_bytes, 0);
		assert_true(arrived);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matrix_equals_the_golden_table),
		cmocka_unit_test(many_seeds_arrive),
		cmocka_unit_test(goodput_is_what_loss_allows),
		cmocka_unit_test(overtaking_costs_little),
		cmocka_unit_test(slow_reader_slows_the_writer),
		cmocka_unit_test(scarce_memory_loses_nothing),
		cmocka_unit_test(dead_link_is_given_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
