#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/base/counters.h"

static const char *const names[] = {"frames-in", "frames-out",
	"dropped-for-a-reason-whose-name-is-far-too-long-for-the-table"};

static void what_one_counts_another_reads(void **state)
{
	(void)state;
	int fd = counters_create();
	assert_true(fd >= 0);
	struct counters *c = counters_open(fd, names, 3);
	const struct counters *r = counters_read(fd);
	assert_non_null(c);
	assert_non_null(r);
	counter_add(c, 0, 5);
	counter_add(c, 0, 2);
	counter_set(c, 1, 9);
	assert_int_equal(r->table[0].value, 7);
	assert_int_equal(r->table[1].value, 9);
	assert_string_equal(r->table[0].name, "frames-in");
	assert_int_equal(strlen(r->table[2].name), COUNTER_NAME_MAX - 1);
	assert_string_equal(r->table[3].name, "");
	/* the next incarnation goes on counting */
	struct counters *again = counters_open(fd, names, 3);
	counter_add(again, 0, 1);
	assert_int_equal(r->table[0].value, 8);
	munmap(c, sizeof(*c));
	munmap(again, sizeof(*again));
	close(fd);
}

static void too_many_or_no_memfd_is_refused(void **state)
{
	(void)state;
	int fd = counters_create();
	assert_null(counters_open(fd, names, COUNTERS_MAX + 1));
	assert_int_equal(errno, E2BIG);
	assert_int_equal(ftruncate(fd, 0), -1); /* sealed */
	close(fd);
	assert_null(counters_read(fd));
	fd = memfd_create("counters-test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(fd, sizeof(struct counters)), 0);
	assert_null(counters_read(fd));
	assert_int_equal(errno, EINVAL);
	close(fd);
}

static void a_reader_cannot_write(void **state)
{
	(void)state;
	int fd = counters_create();
	char path[32];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int reader = open(path, O_RDONLY | O_CLOEXEC);
	const struct counters *r = counters_read(reader);
	assert_non_null(r);
	assert_int_equal(mprotect((void *)(uintptr_t)r, sizeof(*r), PROT_READ | PROT_WRITE), -1);
	assert_null(counters_open(reader, names, 1));
	close(reader);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_one_counts_another_reads),
		cmocka_unit_test(too_many_or_no_memfd_is_refused),
		cmocka_unit_test(a_reader_cannot_write),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
