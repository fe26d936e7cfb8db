/*
 * sallyport-policy, which `sallyport policy` runs: looks at a policy, and tries it, without a guard that runs. sallyportd
 * runs it, too, before it takes a policy. Cases are parsed only by an unprivileged user in a sandbox.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control/policy_load.h"
#include "control/trial/check.h"
#include "control/trial/explain.h"
#include "control/trial/judge.h"
#include "control/trial/replay.h"
#include "control/trial/tests.h"
#include "dataplane/base/log.h"
#include "dataplane/base/sandbox.h"

enum { EXIT_FAULT = 1, EXIT_USAGE = 2, FILES_MAX = 64, MEMORY_MIB_MAX = 1024 };

static int usage(void)
{
	fputs("usage: sallyport policy check FILE             what is wrong with a configuration, and what has no effect\n"
	      "       sallyport policy test FILE [CASES ...]  tries it on its own cases ([guard] policy-tests), and on these\n"
	      "       sallyport policy replay RECORDING [FILE]  what it would make otherwise of what a guard has recorded\n"
	      "       sallyport policy explain ID|all [FILE]  why the audit has that verdict, or each\n"
	      "FILE is a configuration; for the last two the guard's, if none is given\n",
		stderr);
	return EXIT_USAGE;
}

/* --- check --- */

static int run_check(int count, char **words)
{
	(void)count;
	struct conf *conf = policy_read(words[0], stdout);
	conf_free(conf);
	return conf ? 0 : EXIT_FAULT;
}

/* --- test --- */

/* The zone is read before: there is no file of it in there. */
static void enter_sandbox(const struct conf *conf)
{
	tzset();
	const struct sandbox sandbox = {.uid = conf->uid[PROC_CONTROL], .gid = conf->gid[PROC_CONTROL],
		.memory_max_bytes = (uint64_t)MEMORY_MIB_MAX << 20, .files_max = FILES_MAX, .syscalls = (const int[]){-1}};
	if (geteuid() ? sandbox_enter_unprivileged(&sandbox) : sandbox_enter(&sandbox))
		fatalx("sandbox");
}

struct case_file {
	const char *name;
	int fd;
};

/* In the sandbox. */
static int try(const struct conf *conf, const struct case_file *files, unsigned count, const char *path)
{
	struct tests tests;
	struct policy *policy = policy_load(conf, NULL);
	if (!policy || tests_init(&tests, conf, policy, stdout)) {
		policy_free(policy);
		fatalx("out of memory (hint: shorter lists)");
	}
	for (unsigned i = 0; i < count; i++)
		tests_run(&tests, files[i].fd, files[i].name);
	if (path)
		coverage_report(&tests.coverage, path, stdout);
	tests_sum_up(&tests);
	tests_fini(&tests);
	policy_free(policy);
	return tests.failed ? EXIT_FAULT : 0;
}

/* Whether it could be opened. */
static bool add_file(struct case_file *files, unsigned *count, const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || *count == FILES_MAX / 2) {
		fprintf(stderr, "sallyport: %s: %s\n", name, fd < 0 ? strerror(errno) : "too many files");
		return false;
	}
	files[(*count)++] = (struct case_file){name, fd};
	return true;
}

static int run_test(int count, char **words)
{
	struct case_file files[FILES_MAX / 2];
	unsigned file_count = 0;
	struct conf *conf = policy_read(words[0], stderr);
	if (!conf)
		return EXIT_FAULT;
	const char *name = conf->policy_tests.count ? conf_list_first(conf, &conf->policy_tests) : NULL;
	bool opened = true;
	for (unsigned i = 0; i < conf->policy_tests.count; i++, name = conf_list_next(name))
		opened = add_file(files, &file_count, name) && opened;
	for (int i = 1; i < count; i++)
		opened = add_file(files, &file_count, words[i]) && opened;
	if (opened && !file_count) {
		fprintf(stderr, "sallyport: there are no cases (hint: policy-tests = FILE in [guard])\n");
		opened = false;
	}
	int rc = EXIT_FAULT;
	if (opened) {
		enter_sandbox(conf);
		rc = try(conf, files, file_count, words[0]);
	}
	conf_free(conf);
	return rc;
}

/* --- replay and explain --- */

static const char *conf_name(int count, char **words)
{
	return count > 1 ? words[1] : SYSCONFDIR "/sallyport/sallyport.conf";
}

static FILE *open_file(const char *name)
{
	FILE *file = fopen(name, "re");
	if (!file)
		fprintf(stderr, "sallyport: %s: %s\n", name, strerror(errno));
	return file;
}

/* Status 1 where something would change, as of diff(1); 2: it cannot be told. */
static int run_replay(int count, char **words)
{
	struct conf *conf = policy_read(conf_name(count, words), stderr);
	FILE *file = conf ? open_file(words[0]) : NULL;
	if (!file)
		return EXIT_USAGE;
	enter_sandbox(conf);
	struct policy *policy = policy_load(conf, NULL);
	struct replay_result result;
	struct cases_fault fault;
	if (!policy)
		fatalx("out of memory (hint: shorter lists)");
	int rc = replay(fileno(file), policy, stdout, &result, &fault);
	if (rc)
		fprintf(stderr, "%s:%u: %s\n", words[0], fault.line, fault.text);
	policy_free(policy);
	conf_free(conf);
	return rc ? EXIT_USAGE : result.changed ? EXIT_FAULT : 0;
}

static int run_explain(int count, char **words)
{
	bool all = !strcmp(words[0], "all");
	char *end;
	uint64_t number = strtoull(words[0], &end, 10);
	if (!all && (*end || end == words[0])) {
		fprintf(stderr, "sallyport: \"%s\" is no number (hint: \"id\" of a verdict in the audit)\n", words[0]);
		return EXIT_USAGE;
	}
	struct conf *conf = conf_load(conf_name(count, words), conf_name(count, words), stderr);
	FILE *audit = conf ? open_file(conf->audit) : NULL;
	if (!audit)
		return EXIT_FAULT;
	explain_init();
	enter_sandbox(conf);
	int rc = all ? explain_all(audit, stdout) : explain(audit, number, stdout);
	if (rc)
		fprintf(stderr, "sallyport: %s: %s\n", conf->audit,
			rc == -ENOENT ? "no verdict has that number (hint: stanzas that simply pass have none)" : strerror(-rc));
	conf_free(conf);
	return rc ? EXIT_FAULT : 0;
}

/* --- judge --- */

/* What sallyportd wants to know: descriptors and names of judge.h. Its standard output is a file that does not grow. */
static int run_judge(int count, char **words)
{
	struct case_file files[CONF_POLICY_TESTS_MAX] = {{0}};
	struct conf *conf = conf_unseal(JUDGE_FD_CONF);
	if (!conf)
		fatal("configuration");
	for (int i = 0; i < count; i++)
		files[i] = (struct case_file){words[i], JUDGE_FD_CASES + i};
	enter_sandbox(conf);
	int rc = try(conf, files, (unsigned)count, NULL);
	conf_free(conf);
	return rc;
}

static const struct verb {
	const char *name;
	int least, most;               /* words after it */
	int (*run)(int count, char **words);
} verbs[] = {
	{"check", 1, 1, run_check},
	{"test", 1, FILES_MAX / 2, run_test},
	{"replay", 1, 2, run_replay},
	{"explain", 1, 2, run_explain},
	{JUDGE_VERB, 0, CONF_POLICY_TESTS_MAX, run_judge},
};

int main(int argc, char **argv)
{
	log_init("sallyport");
	for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(*verbs); i++)
		if (!strcmp(argv[1], verbs[i].name) && argc - 2 >= verbs[i].least && argc - 2 <= verbs[i].most) {
			int rc = verbs[i].run(argc - 2, argv + 2);
			return fflush(stdout) && strcmp(argv[1], JUDGE_VERB) ? EXIT_FAULT : rc;
		}
	return usage();
}
