/* Trying cases; see tests.h. What is told of them may be hostile, and goes to a terminal or a log. */
#include <errno.h>
#include <string.h>

#include "control/trial/tests.h"
#include "control/xml.h"

enum { SHOWN_BYTES = 400, WRITTEN_BYTES = 4 << 20 };

/* Without what a terminal would obey: control characters, C1 (in UTF-8) among them. */
static void put_plain(FILE *out, const char *text, size_t len)
{
	bool is_cut = len > SHOWN_BYTES;
	for (size_t i = 0; i < (is_cut ? SHOWN_BYTES : len); i++) {
		unsigned char c = (unsigned char)text[i];
		bool is_c1 = c == 0xc2 && i + 1 < len && (unsigned char)text[i + 1] < 0xa0;
		putc(c < ' ' || c == 0x7f || is_c1 ? '?' : c, out);
		i += is_c1;
	}
	if (is_cut)
		fputs("...", out);
}

static void begin_failure(struct tests *tests, const struct test_case *one)
{
	tests->failed++;
	fprintf(tests->out, "%s:%u: case", tests->file, one->line);
	if (*one->name) {
		fputs(" \"", tests->out);
		put_plain(tests->out, one->name, strlen(one->name));
		putc('"', tests->out);
	}
	fputs(": ", tests->out);
}

static void put_action(FILE *out, enum policy_action action, const char *rule)
{
	fputs(policy_action_name(action), out);
	if (!rule || !*rule)
		return;
	fputs(" (", out);
	put_plain(out, rule, strlen(rule));
	putc(')', out);
}

static bool is_expected(const struct test_case *one, const struct policy_verdict *verdict)
{
	const struct expectation *expected = &one->expected;
	return expected->action == verdict->action && (!expected->rule || !strcmp(expected->rule, verdict->rule));
}

static void tell_verdict(struct tests *tests, const struct test_case *one, const struct policy_verdict *verdict)
{
	const char *why = *verdict->reason ? verdict->reason : verdict->changed;
	begin_failure(tests, one);
	fputs("expected ", tests->out);
	put_action(tests->out, one->expected.action, one->expected.rule);
	fputs(", was ", tests->out);
	put_action(tests->out, verdict->action, verdict->rule);
	if (*why) {
		fputs(": ", tests->out);
		put_plain(tests->out, why, strlen(why));
	}
	putc('\n', tests->out);
}

/* Both as they would be written: then all that could be said in two ways is said in one. */
static void compare(struct tests *tests, const struct test_case *one)
{
	struct buf is, wanted;
	buf_init(&is, WRITTEN_BYTES);
	buf_init(&wanted, WRITTEN_BYTES);
	bool written = !xml_write_node(&is, one->stanza.root) && !xml_write_node(&wanted, one->expected.becomes);
	if (!written) {
		begin_failure(tests, one);
		fputs("too large to be written\n", tests->out);
	} else if (buf_len(&is) != buf_len(&wanted) || memcmp(buf_head(&is), buf_head(&wanted), buf_len(&is))) {
		begin_failure(tests, one);
		fputs("became ", tests->out);
		put_plain(tests->out, (const char *)buf_head(&is), buf_len(&is));
		fputs(", expected ", tests->out);
		put_plain(tests->out, (const char *)buf_head(&wanted), buf_len(&wanted));
		putc('\n', tests->out);
	}
	buf_fini(&is);
	buf_fini(&wanted);
}

static int take(void *owner, struct test_case *one)
{
	struct tests *tests = owner;
	const struct policy_pair pair = {one->from, one->to};
	const struct policy_context context = {
		.direction = one->direction, .pairs = &pair, .pair_count = *one->from && *one->to,
		.now = one->now, .minute_of_week = one->minute_of_week};
	struct policy_verdict verdict;
	tests->cases++;
	if (!one->expected.is_given) {
		begin_failure(tests, one);
		fputs("nothing is expected of it (hint: expect='pass')\n", tests->out);
		return 0;
	}
	policy_check(tests->policy, &context, &one->stanza, &verdict);
	for (unsigned i = 0; i < verdict.step_count; i++)
		coverage_note(&tests->coverage, one, verdict.steps[i].rule);
	if (!is_expected(one, &verdict))
		tell_verdict(tests, one, &verdict);
	else if (one->expected.becomes)
		compare(tests, one);
	return 0;
}

int tests_init(struct tests *tests, const struct conf *conf, const struct policy *policy, FILE *out)
{
	*tests = (struct tests){.policy = policy, .out = out};
	return coverage_init(&tests->coverage, conf);
}

void tests_fini(struct tests *tests)
{
	coverage_fini(&tests->coverage);
}

void tests_run(struct tests *tests, int fd, const char *name)
{
	struct cases_fault fault;
	tests->file = name;
	if (!cases_read(fd, take, tests, &fault))
		return;
	tests->cases++;
	tests->failed++;
	fprintf(tests->out, "%s:%u: ", name, fault.line);
	put_plain(tests->out, fault.text, strlen(fault.text));
	putc('\n', tests->out);
}

void tests_sum_up(const struct tests *tests)
{
	fprintf(tests->out, "%u cases, %u failed\n", tests->cases, tests->failed);
}
