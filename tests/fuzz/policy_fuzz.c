/*
 * Stanzas from bytes through the test policy, in the direction that the first byte names. What passes must be
 * writable, read back as what was judged, pass again unchanged, go between the addresses that it came with, and be nothing
 * that a policy without any restriction refuses; what is refused must have an answer that is no refused stanza itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/policy_harness.h"
#include "tests/unit/xml_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fact, const char *what)
{
	if (fact)
		return;
	fprintf(stderr, "not true: %s\n", what);
	abort();
}

static void write_text(struct buf *out, const struct node *node)
{
	buf_init(out, 64 << 20);
	must(!xml_write_node(out, node), "what came in can go out");
	must(!buf_put(out, "", 1), "room for the end");
}

/* Only shape and peering. */
static const struct policy *open_policy(void)
{
	static struct policy *policy;

	if (!policy)
		policy = test_policy_open();
	return policy;
}

static void check_passed(const struct policy *policy, const struct policy_context *context, struct stanza *stanza)
{
	struct policy_verdict verdict;
	struct buf sent, again;
	struct stanza second;

	write_text(&sent, stanza->root);
	second = stanza_of((const char *)buf_head(&sent));
	must(second.root, "what is sent can be read");
	policy_check(policy, context, &second, &verdict);
	must(verdict.action == POLICY_PASS, "what passed passes again as it is");
	policy_check(open_policy(), context, &second, &verdict);
	must(verdict.action == POLICY_PASS, "nothing passes that is refused where nothing is forbidden");
	write_text(&again, second.root);
	must(!strcmp((const char *)buf_head(&sent), (const char *)buf_head(&again)), "and is written the same");
	buf_fini(&sent);
	buf_fini(&again);
	arena_free(second.arena);
}

static void check_answer(const struct stanza *stanza, const struct policy_verdict *verdict)
{
	struct node *answer = policy_refusal(stanza, verdict);
	const char *type = answer ? node_attribute(answer, "type") : NULL;
	struct buf sent;

	must(!answer || verdict->action == POLICY_REFUSED, "only a refusal is answered");
	if (!answer)
		return;
	must(type && (!strcmp(type, "error") || !strcmp(type, "unsubscribed")),
		"the answer is one that nobody answers");
	must(!strcmp(node_attribute(answer, "to"), node_attribute(stanza->root, "from")), "it goes back");
	write_text(&sent, answer);
	buf_fini(&sent);
}

static void check_stanza(const struct policy *policy, enum policy_direction direction, struct stanza *stanza)
{
	struct policy_context context = {direction, test_pairs, test_pair_count, 0, 0};
	struct policy_verdict verdict;
	const char *from = node_attribute(stanza->root, "from"), *to = node_attribute(stanza->root, "to");

	policy_check(policy, &context, stanza, &verdict);
	must(verdict.action > POLICY_REWRITTEN ||
			(from && to && !strcmp(from, node_attribute(stanza->root, "from")) &&
				!strcmp(to, node_attribute(stanza->root, "to"))),
		"who it is from and to stays");
	must((verdict.action == POLICY_PASS) == !*verdict.rule, "every other verdict has a rule");
	must(verdict.action != POLICY_REWRITTEN || *verdict.changed, "a change is told");
	must((verdict.action == POLICY_REFUSED || verdict.action == POLICY_CLOSE) ==
			(*verdict.error_condition != '\0'),
		"who is told is told something");
	if (verdict.action <= POLICY_REWRITTEN)
		check_passed(policy, &context, stanza);
	else
		check_answer(stanza, &verdict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct policy *policy;
	struct stanza stanza;
	char *xml;

	if (!policy)
		policy = test_policy();
	if (!size || !(xml = strndup((const char *)data + 1, size - 1)))
		return 0;
	stanza = stanza_of(xml);
	if (stanza.root)
		check_stanza(policy, data[0] & 1 ? POLICY_INBOUND : POLICY_OUTBOUND, &stanza);
	arena_free(stanza.arena);
	free(xml);
	return 0;
}
