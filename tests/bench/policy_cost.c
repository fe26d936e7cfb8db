/*
 * What policy_check() costs alone, in microseconds of CPU for a message of 300 bytes that passes, with lists that grow:
 *
 *     policy_cost WHAT COUNT
 *
 * WHAT is nothing, words, patterns, peers, or parse: reading and writing the stanza, which the guard does in any case; or
 * replay: COUNT such messages, recorded and judged again.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control/record.h"
#include "control/trial/replay.h"
#include "policy/policy.h"
#include "tests/bench/stream.h"
#include "tests/unit/xml_harness.h"

enum { ROUNDS = 5, ROUND_NS = 60000000, BATCH = 16, ITEM_BYTES = 64 };

static double cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* --- Lists: as people have them, and none of them in the message --- */

static void put_word(char *out, unsigned i)
{
	static const char *const first[] = {"project", "operation", "codename", "secret", "night", "my", "the", "hundred"};
	static const char *const second[] = {"falcon", "river", "ward", "sound", "drink", "ing", "stone", "tongue"};
	snprintf(out, ITEM_BYTES, "%s%s%s%u", first[i % 8], i % 3 ? " " : "", second[i / 8 % 8], i / 64);
}

static void put_pattern(char *out, unsigned i)
{
	static const char *const begin[] = {"project[- ]?x", "\\b[a-z]{2}\\d{6}-", "invoice +(no|number) +",
		"\\b\\d{4}[ -]?\\d{4}[ -]?\\d{4}[ -]?", "[a-z0-9._%+-]+@secret"};
	static const char *const end[] = {"\\b", "\\b", "", "\\b", "\\.example"};
	snprintf(out, ITEM_BYTES, "%s%u%s", begin[i % 5], i, end[i % 5]);
}

static void put_peer(char *out, unsigned i)
{
	snprintf(out, ITEM_BYTES, "%s%u.example", i % 4 ? "server" : "*.partner", i);
}

static const char *const *list_of(unsigned count, void (*put)(char *out, unsigned i))
{
	const char **list = calloc(count + 1, sizeof(*list));
	char *texts = calloc(count + 1, ITEM_BYTES);
	if (!list || !texts)
		err(1, "memory");
	for (unsigned i = 0; i < count; i++) {
		list[i] = texts + (size_t)i * ITEM_BYTES;
		put(texts + (size_t)i * ITEM_BYTES, i);
	}
	return list;
}

static struct policy *policy_of(const char *what, unsigned count)
{
	static const char *const ours[] = {"a.example", NULL}, *const basic[] = {"basic", NULL};
	struct policy_fault fault = {0};
	struct policy_profile_rules profile = {.name = "default", .features = {{basic, POLICY_UNKNOWN_REFUSE,
		false, NULL, NULL}}};
	unsigned peer_count = !strcmp(what, "peers") ? count : 0;
	struct policy_peer_rules *peers = calloc(peer_count + 1, sizeof(*peers));
	const char *const *names = list_of(peer_count, put_peer);
	struct policy *policy;
	if (!peers)
		err(1, "memory");
	if (!strcmp(what, "words"))
		profile.forbidden[POLICY_OUTBOUND] = list_of(count, put_word);
	if (!strcmp(what, "patterns"))
		profile.content[POLICY_OUTBOUND].patterns = list_of(count, put_pattern);
	for (unsigned i = 0; i < peer_count; i++)
		peers[i].domain = names[i];
	peers[peer_count].domain = "b.example";
	policy = policy_new(&(struct policy_rules){.domains = ours, .profiles = &profile, .profile_count = 1,
		.peers = peers,
		.peer_count = peer_count + 1, .fault = &fault});
	if (!policy)
		errx(1, "policy: %s", fault.text);
	return policy;
}

/* --- Measuring --- */

struct work {
	const struct policy *policy;   /* NULL: parse */
	const char *message;
	struct stanza stanza;
	struct buf out;
};

static const struct policy_pair pair = {"a.example", "b.example"};
static const struct policy_context context = {.direction = POLICY_OUTBOUND, .pairs = &pair, .pair_count = 1};

static void judge(struct work *work)
{
	struct policy_verdict verdict;
	policy_check(work->policy, &context, &work->stanza, &verdict);
	if (verdict.action != POLICY_PASS)
		errx(1, "the message does not pass: %s", verdict.rule);
}

static void parse(struct work *work)
{
	struct stanza stanza = stanza_of(work->message);
	buf_drop(&work->out, buf_len(&work->out));
	if (!stanza.root || xml_write_node(&work->out, stanza.root))
		errx(1, "the message cannot be read");
	arena_free(stanza.arena);
}

static double cost_us(struct work *work, void (*step)(struct work *work))
{
	double best = 0;
	for (unsigned round = 0; round < ROUNDS; round++) {
		double begin = cpu_ns(), end = begin;
		unsigned long count = 0;
		for (; end - begin < ROUND_NS; end = cpu_ns(), count += BATCH)
			for (unsigned i = 0; i < BATCH; i++)
				step(work);
		if (!round || (end - begin) / (double)count < best)
			best = (end - begin) / (double)count;
	}
	return best / 1000;
}

/* Microseconds for each of `count` messages. */
static double replay_us(struct work *work, unsigned count)
{
	char path[] = "/tmp/policy_cost.XXXXXX";
	struct policy_verdict verdict;
	struct replay_result result;
	struct cases_fault fault;
	struct record record;
	double begin;
	int fd = mkstemp(path);
	if (fd < 0 || record_open(&record, path, UINT64_MAX))
		err(1, "%s", path);
	unlink(path);
	policy_check(work->policy, &context, &work->stanza, &verdict);
	record_stanza(&record, &work->stanza);
	for (unsigned i = 0; i < count; i++)
		if (record_verdict(&record, &context, &work->stanza, &verdict, 0) != 1)
			errx(1, "recording");
	record_close(&record);
	begin = cpu_ns();
	if (replay(fd, work->policy, stderr, &result, &fault) || result.cases != count || result.changed)
		errx(1, "replay: %s", fault.text);
	close(fd);
	return (cpu_ns() - begin) / 1000 / count;
}

int main(int argc, char **argv)
{
	char message[STREAM_MESSAGE_BYTES + 1];
	struct work work = {.message = message};
	if (argc != 3)
		errx(2, "usage: policy_cost WHAT COUNT");
	stream_message("a.example", "b.example", message);
	buf_init(&work.out, 1 << 16);
	if (!strcmp(argv[1], "parse")) {
		printf("%.3f\n", cost_us(&work, parse));
		return 0;
	}
	work.policy = policy_of(argv[1], (unsigned)strtoul(argv[2], NULL, 10));
	work.stanza = stanza_of(message);
	printf("%.3f\n", strcmp(argv[1], "replay") ? cost_us(&work, judge)
						    : replay_us(&work, (unsigned)strtoul(argv[2], NULL, 10)));
	return 0;
}
