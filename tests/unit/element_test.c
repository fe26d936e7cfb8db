#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/element.h"

enum { ROOM = 64 << 10 };

static struct node *child_of(struct arena *arena, struct node *parent, const char *ns, const char *name)
{
	struct node *child = node_new(arena, ns, name);

	assert_non_null(child);
	node_append(parent, child);
	return child;
}

static void arena_holds_exactly_its_maximum(void **state)
{
	struct arena *arena = arena_new(10000);
	char *all;

	(void)state;
	assert_null(arena_alloc(arena, 10001));
	all = arena_alloc(arena, 10000);
	assert_non_null(all);
	memset(all, 'x', 10000);
	assert_null(arena_alloc(arena, 1));
	arena_allow(arena, 10);
	assert_non_null(arena_alloc(arena, 10));
	assert_null(arena_alloc(arena, 1));
	arena_free(arena);
	arena_free(NULL);
}

static void arena_aligns_and_keeps(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	char *strings[1000];

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		void *block = arena_alloc(arena, i % 7);

		assert_non_null(block);
		assert_int_equal((uintptr_t)block % _Alignof(max_align_t), 0);
		memset(block, 0xff, i % 7);
		strings[i] = arena_strndup(arena, "0123456789", i % 11);
		assert_non_null(strings[i]);
	}
	for (size_t i = 0; i < 1000; i++) {
		assert_int_equal(strlen(strings[i]), i % 11);
		assert_memory_equal(strings[i], "0123456789", i % 11);
	}
	assert_null(arena_alloc(arena, SIZE_MAX));
	assert_null(arena_strndup(arena, "", SIZE_MAX));
	arena_free(arena);
}

static void finds(void **state)
{
	struct arena *arena = arena_new(ROOM);
	struct node *root = node_new(arena, NS_SERVER, "message"), *first, *second;

	(void)state;
	assert_int_equal(node_add_text(arena, root, "a", 1), 0);
	first = child_of(arena, root, "urn:x", "body");
	second = child_of(arena, root, NS_SERVER, "body");
	assert_int_equal(node_add_text(arena, root, "bc", 2), 0);
	assert_ptr_equal(node_child(root, NULL, "body"), first);
	assert_ptr_equal(node_child(root, NS_SERVER, "body"), second);
	assert_null(node_child(root, NS_SERVER, "subject"));
	assert_true(node_is(root, NULL, "message"));
	assert_true(node_is(root, NS_SERVER, "message"));
	assert_false(node_is(root, "jabber:client", "message"));
	assert_false(node_is(root->first, NULL, "a"));
	assert_int_equal(node_text_len(root), 3);
	assert_string_equal(node_text(root, arena), "abc");
	assert_string_equal(node_text(first, arena), "");
	arena_free(arena);
}

static void sets_attributes(void **state)
{
	struct arena *arena = arena_new(ROOM);
	struct node *root = node_new(arena, NS_SERVER, "iq");
	struct attribute foreign = {.ns = "urn:x", .name = "id", .value = "foreign"};

	(void)state;
	root->attributes = &foreign;
	assert_null(node_attribute(root, "id"));
	assert_int_equal(node_set_attribute(arena, root, "id", "1"), 0);
	assert_int_equal(node_set_attribute(arena, root, "to", "b"), 0);
	assert_int_equal(node_set_attribute(arena, root, "id", "2"), 0);
	assert_string_equal(node_attribute(root, "id"), "2");
	assert_string_equal(node_attribute(root, "to"), "b");
	assert_string_equal(foreign.value, "foreign");
	arena_free(arena);
}

static void removes(void **state)
{
	struct arena *arena = arena_new(ROOM);
	struct node *root = node_new(arena, "", "r");
	struct node *a = child_of(arena, root, "", "a"), *b = child_of(arena, root, "", "b"),
		    *c = child_of(arena, root, "", "c");

	(void)state;
	node_remove(b);
	assert_ptr_equal(a->next, c);
	assert_null(b->parent);
	node_remove(c);
	assert_ptr_equal(root->last, a);
	assert_null(a->next);
	node_append(root, b);
	assert_ptr_equal(a->next, b);
	node_remove(a);
	assert_ptr_equal(root->first, b);
	node_remove(b);
	assert_null(root->first);
	assert_null(root->last);
	node_remove(root);
	arena_free(arena);
}

/* With any amount of room, building either works or says so. */
static void says_when_full(void **state)
{
	size_t max = 1;

	(void)state;
	for (bool built = false; !built; max += 8) {
		struct arena *arena = arena_new(max);
		struct node *root = node_new(arena, NS_SERVER, "message");

		built = root && !node_add_text(arena, root, "text", 4) &&
			!node_set_attribute(arena, root, "a", "b") && node_text(root, arena);
		arena_free(arena);
	}
	assert_true(max > sizeof(struct node));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arena_holds_exactly_its_maximum),
		cmocka_unit_test(arena_aligns_and_keeps),
		cmocka_unit_test(finds),
		cmocka_unit_test(sets_attributes),
		cmocka_unit_test(removes),
		cmocka_unit_test(says_when_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
