/* What is recorded is judged the same again by the same policy, and another policy's verdicts are told exactly. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/record.h"
#include "control/trial/replay.h"
#include "tests/unit/xml_harness.h"

static const char *const ours[] = {"a.example", NULL};
static const struct policy_pair pairs[] = {{"c.example", "a.example"}, {"a.example", "b.example"},
	{"a.example", "c.example"}};
static const struct policy_context context = {.direction = POLICY_OUTBOUND, .pairs = pairs, .pair_count = 3};

static struct policy *policy_of(const struct policy_profile_rules *profile)
{
	static const struct policy_peer_rules peers[] = {{.domain = "b.example"}, {.domain = "c.example"}};
	struct policy *policy = policy_new(&(struct policy_rules){.domains = ours, .profiles = profile,
		.profile_count = 1,
		.peers = peers, .peer_count = 2});

	assert_non_null(policy);
	return policy;
}

static const char *const old_words[] = {"one", NULL}, *const new_words[] = {"two", NULL};
static const struct policy_profile_rules old_rules = {.name = "p", .forbidden = {old_words},
	.presence = {POLICY_PRESENCE_SHOW, POLICY_PRESENCE_SHOW}};
static const struct policy_profile_rules new_rules = {.name = "p", .forbidden = {new_words},
	.presence = {POLICY_PRESENCE_ONLINE, POLICY_PRESENCE_SHOW}};

static void record_all(const char *path, const char *const *stanzas, unsigned rounds)
{
	struct policy *policy = policy_of(&old_rules);
	struct record record;

	assert_int_equal(record_open(&record, path, 1 << 30), 0);
	for (unsigned i = 0; i < rounds; i++)
		for (const char *const *xml = stanzas; *xml; xml++) {
			struct stanza stanza = stanza_of(*xml);
			struct policy_verdict verdict;

			assert_non_null(stanza.root);
			record_stanza(&record, &stanza);
			policy_check(policy, &context, &stanza, &verdict);
			assert_int_equal(record_verdict(&record, &context, &stanza, &verdict, 1700000000123), 1);
			arena_free(stanza.arena);
		}
	record_close(&record);
	policy_free(policy);
}

static int replay_file(const char *path, const struct policy_profile_rules *rules,
	struct replay_result *result, char *out,
	size_t size)
{
	struct policy *policy = policy_of(rules);
	FILE *file = fmemopen(out, size, "w");
	struct cases_fault fault;
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	assert_true(fd >= 0);
	assert_non_null(file);
	rc = replay(fd, policy, file, result, &fault);
	fclose(file);
	close(fd);
	policy_free(policy);
	return rc;
}

#define M(to, text) "<message from='u@a.example' to='v@" to "'><body>" text "</body></message>"

static const char *const stanzas[] = {
	M("b.example", "hello &lt;&amp;&gt; \xc3\xa9 ]]&gt;"),
	M("b.example", "one"),
	M("b.example", "two"),
	M("c.example", "two"),
	M("c.example", "one and two"),
	"<message from='u@d.example' to='v@b.example'><body>one</body></message>",
	"<presence from='u@a.example/x' to='v@b.example'><show>away</show><status>gone</status></presence>",
	"<presence from='u@a.example/x' to='v@b.example'><status>here</status></presence>",
	"<iq from='a.example' to='b.example' id='\"1\"' type='get'><x xmlns='urn:x' xmlns:y='urn:y' "
		"y:z='&apos;'/></iq>",
	NULL,
};

static void the_same_policy_says_the_same(void **state)
{
	char path[] = "/tmp/replay_test.XXXXXX", out[4096];
	struct replay_result result;

	(void)state;
	close(mkstemp(path));
	record_all(path, stanzas, 2);
	record_all(path, stanzas, 1);  /* it goes on where it was */
	assert_int_equal(replay_file(path, &old_rules, &result, out, sizeof(out)), 0);
	assert_int_equal(result.cases, 27);
	if (result.changed)
		fail_msg("%s", out);
	assert_string_equal(out, "27 stanzas, 0 would be judged otherwise\n");
	unlink(path);
}

/* Of a thousand rounds; the recording is cut off in the last one. */
static void another_policy_differs_exactly(void **state)
{
	char path[] = "/tmp/replay_test.XXXXXX", out[4096];
	struct replay_result result;
	struct stat st;

	(void)state;
	close(mkstemp(path));
	record_all(path, stanzas, 1000);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size - 20), 0);
	assert_int_equal(replay_file(path, &new_rules, &result, out, sizeof(out)), 0);
	assert_string_equal(out, "    1000  refused by content.forbidden-words -> pass  with b.example, first "
		"in line 4\n"
				 "    1000  pass -> refused by content.forbidden-words  with b.example, first "
				"in line 5\n"
				 "    1000  pass -> refused by content.forbidden-words  with c.example, first "
				"in line 6\n"
				 "    1000  rewritten by presence.fold -> changed otherwise  with b.example, "
				"first in line 9\n"
				 "8999 stanzas, 4000 would be judged otherwise\n");
	assert_int_equal(result.changed, 4000);
	unlink(path);
}

static void recording_ends_when_it_is_full(void **state)
{
	char path[] = "/tmp/replay_test.XXXXXX";
	struct policy *policy = policy_of(&old_rules);
	struct stanza stanza = stanza_of(stanzas[0]);
	struct policy_verdict verdict;
	struct record record;
	struct stat st;
	int rc;

	(void)state;
	close(mkstemp(path));
	assert_int_equal(record_open(&record, path, 2000), 0);
	policy_check(policy, &context, &stanza, &verdict);
	do {
		assert_true(record_is_on(&record));
		record_stanza(&record, &stanza);
		rc = record_verdict(&record, &context, &stanza, &verdict, 0);
	} while (rc == 1);
	assert_int_equal(rc, -EFBIG);
	assert_false(record_is_on(&record));
	assert_int_equal(stat(path, &st), 0);
	assert_in_range(st.st_size, 1000, 2000);
	arena_free(stanza.arena);
	policy_free(policy);
	unlink(path);
}

static void nothing_is_recorded_where_nothing_can_be(void **state)
{
	struct record record;

	(void)state;
	assert_int_equal(record_open(&record, "", 1000), 0);
	assert_false(record_is_on(&record));
	record_close(&record);
	assert_int_equal(record_open(&record, "/no/such/folder/recording", 1000), -ENOENT);
	assert_false(record_is_on(&record));
	assert_int_equal(record_open(&record, "/dev/full", 1000), -ENOSPC);
	assert_false(record_is_on(&record));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_policy_says_the_same),
		cmocka_unit_test(another_policy_differs_exactly),
		cmocka_unit_test(recording_ends_when_it_is_full),
		cmocka_unit_test(nothing_is_recorded_where_nothing_can_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
