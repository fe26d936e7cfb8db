#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/policy_harness.h"
#include "tests/unit/xml_harness.h"

static void write_text(struct buf *out, const struct node *node)
{
	buf_init(out, 1 << 20);
	if (node)
		assert_int_equal(xml_write_node(out, node), 0);
	assert_int_equal(buf_put(out, "", 1), 0);
}

static void check_row(const struct policy *policy, const struct policy_row *row)
{
	struct policy_context context = {row->direction, test_pairs, test_pair_count, 0, 0};
	struct stanza stanza = stanza_of(row->stanza);
	struct policy_verdict verdict;
	struct buf before, after, answer;

	assert_non_null(stanza.root);
	write_text(&before, stanza.root);
	policy_check(policy, &context, &stanza, &verdict);
	write_text(&after, stanza.root);
	write_text(&answer, policy_refusal(&stanza, &verdict));
	if (verdict.action != row->action || strcmp(verdict.rule, row->rule))
		print_error("%s: %s\n", row->name, row->stanza);
	assert_string_equal(policy_action_name(verdict.action), policy_action_name(row->action));
	assert_string_equal(verdict.rule, row->rule);
	assert_string_equal(verdict.error_condition, row->condition);
	assert_int_equal(*verdict.changed != '\0', row->action == POLICY_REWRITTEN);
	assert_int_equal(*verdict.reason != '\0', row->action != POLICY_PASS);
	if (row->action <= POLICY_REWRITTEN)
		assert_string_equal(buf_head(&after), row->text ? row->text : (const char *)buf_head(&before));
	assert_string_equal(buf_head(&answer), row->action == POLICY_REFUSED && row->text ? row->text : "");
	buf_fini(&before);
	buf_fini(&after);
	buf_fini(&answer);
	arena_free(stanza.arena);
}

void check_policy_rows(const struct policy_row *rows, size_t count)
{
	struct policy *policy = test_policy();

	for (size_t i = 0; i < count; i++)
		check_row(policy, &rows[i]);
	policy_free(policy);
}
