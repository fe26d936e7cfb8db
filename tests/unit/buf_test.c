#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/base/buf.h"

static void keeps_order_and_bound(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 10);
	assert_int_equal(buf_put(&b, "abcdef", 6), 0);
	assert_int_equal(buf_put(&b, "12345", 5), -ENOSPC);
	assert_int_equal(buf_len(&b), 6);
	assert_int_equal(buf_put(&b, "1234", 4), 0);
	assert_int_equal(buf_room(&b), 0);
	assert_int_equal(buf_put(&b, "x", 1), -ENOSPC);
	buf_drop(&b, 3);
	assert_int_equal(buf_put(&b, "xyz", 3), 0);
	assert_memory_equal(buf_head(&b), "def1234xyz", 10);
	buf_drop(&b, 10);
	assert_int_equal(buf_len(&b), 0);
	assert_int_equal(buf_put(&b, NULL, 0), 0);
	buf_fini(&b);
	assert_int_equal(buf_room(&b), 0);
}

static void prints(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 12);
	assert_int_equal(buf_printf(&b, "%s=%d", "port", 5269), 0);
	assert_int_equal(buf_len(&b), 9);
	assert_memory_equal(buf_head(&b), "port=5269", 9);
	assert_int_equal(buf_printf(&b, "%d", 1234), -ENOSPC);
	assert_int_equal(buf_len(&b), 9);
	buf_fini(&b);
}

static void reserves_and_commits_less(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 100);
	uint8_t *to = buf_reserve(&b, 60);
	assert_non_null(to);
	memset(to, 'a', 60);
	buf_commit(&b, 40);
	assert_int_equal(buf_len(&b), 40);
	assert_null(buf_reserve(&b, 61));
	assert_non_null(buf_reserve(&b, 60));
	buf_commit(&b, 0);
	assert_int_equal(buf_len(&b), 40);
	buf_fini(&b);
}

static void gives_large_memory_back(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 1 << 20);
	char *large = calloc(1, 1 << 20);
	assert_int_equal(buf_put(&b, large, 1 << 20), 0);
	buf_drop(&b, 1 << 20);
	assert_null(b.memory);
	assert_int_equal(buf_put(&b, large, 100), 0);
	buf_drop(&b, 100);
	assert_non_null(b.memory);
	assert_true(b.cap < 4096);
	buf_fini(&b);
	free(large);
}

/* From small to large in one step, within the bound; what was touched, and no more, is known, since it has to be wiped. */
static void grows_in_one_step(void **state)
{
	(void)state;
	struct buf b;
	static const char bytes[20 << 10];
	buf_init(&b, 100 << 10);
	assert_int_equal(buf_put(&b, bytes, 10), 0);
	assert_int_equal(b.cap, 1024);
	assert_int_equal(buf_put(&b, bytes, sizeof(bytes)), 0);
	assert_int_equal(b.cap, 100 << 10);
	assert_int_equal(b.touched, 10 + sizeof(bytes));
	buf_drop(&b, 100);
	assert_non_null(buf_reserve(&b, 5000));
	buf_commit(&b, 1);
	assert_int_equal(b.touched, 10 + sizeof(bytes) + 5000);
	buf_fini(&b);
}

/* Against a model: a plain array. */
static void random_operations_equal_the_model(void **state)
{
	(void)state;
	enum { MAX = 5000 };
	static uint8_t model[MAX];
	size_t len = 0;
	struct buf b;
	buf_init(&b, MAX);
	srand(1);
	for (int i = 0; i < 200000; i++) {
		uint8_t piece[300];
		size_t n = (size_t)rand() % sizeof(piece);
		if (rand() % 2) {
			memset(piece, rand(), sizeof(piece));
			int rc = buf_put(&b, piece, n);
			assert_int_equal(rc, len + n > MAX ? -ENOSPC : 0);
			if (!rc) {
				memcpy(model + len, piece, n);
				len += n;
			}
		} else {
			n = n > len ? len : n;
			buf_drop(&b, n);
			memmove(model, model + n, len - n);
			len -= n;
		}
		assert_int_equal(buf_len(&b), len);
		if (len)
			assert_memory_equal(buf_head(&b), model, len);
	}
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_order_and_bound),
		cmocka_unit_test(prints),
		cmocka_unit_test(reserves_and_commits_less),
		cmocka_unit_test(gives_large_memory_back),
		cmocka_unit_test(grows_in_one_step),
		cmocka_unit_test(random_operations_equal_the_model),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
