/* Judging what was recorded by another policy; see replay.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "control/trial/replay.h"
#include "control/xml.h"

enum { GROUPS_MAX = 4096, RULE_BYTES = 64 };

/* Verdicts that change in the same way. */
struct group {
	char was[16 + RULE_BYTES], would_be[16 + RULE_BYTES];
	char peer[CASES_DOMAIN_BYTES];
	uint64_t count;
	unsigned line;                 /* of the first */
};

struct replayed {
	const struct policy *policy;
	struct replay_result *result;
	struct group *group;
	unsigned groups;
	uint64_t in_no_group;          /* of which there were too many */
	struct buf was, is;            /* stanzas written out */
};

static void name(char *out, size_t size, enum policy_action action, const char *rule)
{
	snprintf(out, size, "%s%s%s", policy_action_name(action), rule && *rule ? " by " : "", rule ? rule : "");
}

static void count(struct replayed *r, const struct test_case *one, const char *was, const char *would_be)
{
	const char *peer = one->direction == POLICY_OUTBOUND ? one->to : one->from;
	struct group *group = r->group, *end = r->group + r->groups;
	r->result->changed++;
	while (group < end && (strcmp(group->peer, peer) || strcmp(group->was, was) || strcmp(group->would_be,
		would_be)))
		group++;
	if (group == end && r->groups == GROUPS_MAX) {
		r->in_no_group++;
		return;
	}
	if (group == end) {
		*group = (struct group){.line = one->line};
		snprintf(group->was, sizeof(group->was), "%s", was);
		snprintf(group->would_be, sizeof(group->would_be), "%s", would_be);
		snprintf(group->peer, sizeof(group->peer), "%s", peer);
		r->groups++;
	}
	group->count++;
}

static void write_anew(struct buf *out, const struct node *node)
{
	buf_drop(out, buf_len(out));
	if (xml_write_node(out, node))
		buf_drop(out, buf_len(out));
}

/* The same rule may change a stanza in another way than it did. */
static bool is_changed_otherwise(struct replayed *r, const struct test_case *one)
{
	if (!one->expected.becomes)
		return false;
	write_anew(&r->was, one->expected.becomes);
	write_anew(&r->is, one->stanza.root);
	return buf_len(&r->was) != buf_len(&r->is) || memcmp(buf_head(&r->was), buf_head(&r->is), buf_len(&r->is));
}

static int take(void *owner, struct test_case *one)
{
	struct replayed *r = owner;
	struct policy_pair pair = {one->from, one->to};
	struct policy_context context = {.direction = one->direction, .pairs = &pair,
		.pair_count = *one->from && *one->to, .now = one->now, .minute_of_week = one->minute_of_week};
	struct policy_verdict verdict;
	char was[sizeof(r->group->was)], would_be[sizeof(r->group->would_be)];
	r->result->cases++;
	r->result->unjudged += !one->expected.is_given;
	if (!one->expected.is_given)
		return 0;
	policy_check(r->policy, &context, &one->stanza, &verdict);
	name(was, sizeof(was), one->expected.action, one->expected.rule);
	name(would_be, sizeof(would_be), verdict.action, verdict.rule);
	if (strcmp(was, would_be))
		count(r, one, was, would_be);
	else if (verdict.action == POLICY_REWRITTEN && is_changed_otherwise(r, one))
		count(r, one, was, "changed otherwise");
	return 0;
}

static int most_first(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->line < y->line ? -1 : x->line > y->line;
}

static void print(const struct replayed *r, FILE *out)
{
	qsort(r->group, r->groups, sizeof(*r->group), most_first);
	for (const struct group *group = r->group; group < r->group + r->groups; group++)
		fprintf(out, "%8" PRIu64 "  %s -> %s  with %s, first in line %u\n", group->count, group->was,
		group->would_be,
			*group->peer ? group->peer : "nobody", group->line);
	if (r->in_no_group)
		fprintf(out, "%8" PRIu64 "  in still other ways\n", r->in_no_group);
	fprintf(out, "%" PRIu64 " stanzas, %" PRIu64 " would be judged otherwise\n", r->result->cases,
		r->result->changed);
	if (r->result->unjudged)
		fprintf(out, "%" PRIu64 " of them do not say how they were judged\n", r->result->unjudged);
}

int replay(int recording, const struct policy *policy, FILE *out, struct replay_result *result,
	struct cases_fault *fault)
{
	struct replayed r = {.policy = policy, .result = result, .group = calloc(GROUPS_MAX, sizeof(*r.group))};
	int rc;
	*result = (struct replay_result){0};
	*fault = (struct cases_fault){.line = 1, .text = "out of memory"};
	if (!r.group)
		return -ENOMEM;
	buf_init(&r.was, XML_STANZA_BYTES);
	buf_init(&r.is, XML_STANZA_BYTES);
	rc = cases_read(recording, take, &r, fault);
	if (rc == -ENODATA && result->cases)
		rc = 0;
	if (!rc)
		print(&r, out);
	buf_fini(&r.was);
	buf_fini(&r.is);
	free(r.group);
	return rc;
}
