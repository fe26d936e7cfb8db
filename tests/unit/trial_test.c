/* A policy tried before it is taken: sallyport-policy is played by scripts, and time by numbers. */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/daemon/trial.h"
#include "dataplane/base/conf.h"
#include "dataplane/base/log.h"

enum { PATH_BYTES = 300, NOW_MS = 5000, WAIT_MS = 10000 };

static char folder[] = "/tmp/trial-test-XXXXXX";

static void write_file(const char *name, const char *text, mode_t mode)
{
	char path[PATH_BYTES];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void play(const char *script)
{
	char text[1000];
	snprintf(text, sizeof(text), "#!/bin/bash\n%s\n", script);
	write_file("sallyport-policy", text, 0755);
}

/* Of a configuration that names these files of cases in the folder. */
static int image_of(const char *const *names)
{
	struct conf conf = {.tls_count = 0};
	char texts[1000];
	size_t len = 0;
	for (; *names; names++, conf.policy_tests.count++)
		len += (size_t)snprintf(texts + len, sizeof(texts) - len, "%s/%s", folder, *names) + 1;
	conf.texts = texts;
	conf.texts_bytes = (uint32_t)len;
	int image = conf_seal(&conf);
	assert_true(image >= 0);
	return image;
}

static void run_to_the_end(struct trial *trial)
{
	assert_int_equal(trial->state, TRIAL_RUNNING);
	assert_int_equal(trial_due(trial), NOW_MS + TRIAL_MS);
	struct pollfd fd = {.fd = trial_fd(trial), .events = POLLIN};
	assert_int_equal(poll(&fd, 1, WAIT_MS), 1);
	trial_run(trial, NOW_MS);
}

static const char *const two[] = {"one.xml", "two.xml", NULL}, *const none[] = {NULL};

static void start(struct trial *trial, const char *script)
{
	play(script);
	trial_init(trial);
	trial_start(trial, image_of(two), folder, NOW_MS);
}

static void passes_at_once_without_cases(void **state)
{
	struct trial trial;
	(void)state;
	play("exit 1");
	trial_init(&trial);
	trial_start(&trial, image_of(none), folder, NOW_MS);
	assert_int_equal(trial.state, TRIAL_PASSED);
	int image = trial_take(&trial);
	struct conf *conf = conf_unseal(image);
	assert_non_null(conf);
	conf_free(conf);
	close(image);
	assert_int_equal(trial.state, TRIAL_NONE);
}

/* Descriptors, names and nothing else; the rest of what sallyportd has open is none of its business. */
static void hands_over_what_is_needed(void **state)
{
	struct trial trial;
	int other = open("/dev/null", O_RDONLY);
	(void)state;
	start(&trial, "[ \"$1\" = judge ] && [ \"$2\" = $(dirname $0)/one.xml ] && [ $# = 3 ] && [ \"$(cat <&4)\" = 1 ] && "
		"[ \"$(cat <&5)\" = 2 ] && [ \"$(head -c 16 /proc/$$/fd/3)\" = sallyport-conf-1 ] && "
		"! [ -e /proc/$$/fd/6 ] && ! read x");
	run_to_the_end(&trial);
	assert_int_equal(trial.state, TRIAL_PASSED);
	close(trial_take(&trial));
	close(other);
}

static void tells_why_it_is_a_no(void **state)
{
	static const struct {
		const char *script, *why;
	} rows[] = {
		{"echo 'f:2: case: no'; echo more; exit 1", "f:2: case: no"},
		{"printf 'a\\x1bb\\tc'; exit 2", "a?b?c"},
		{"exit 3", "sallyport-policy ended with status 3"},
		{"kill -SEGV $$", "sallyport-policy was killed by SIGSEGV"},
		{"echo first; kill -SYS $$", "first"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial trial;
		start(&trial, rows[i].script);
		run_to_the_end(&trial);
		assert_int_equal(trial.state, TRIAL_FAILED);
		assert_string_equal(trial.why, rows[i].why);
		trial_fini(&trial);
	}
}

static void takes_no_more_than_a_report_holds(void **state)
{
	struct trial trial;
	(void)state;
	start(&trial, "head -c 1000000 /dev/zero | tr '\\0' x; exit 1");
	run_to_the_end(&trial);
	assert_int_equal(trial.state, TRIAL_FAILED);
	assert_int_equal(strlen(trial.why), sizeof(trial.why) - 1);
	trial_fini(&trial);
}

static void is_late(void **state)
{
	struct trial trial;
	(void)state;
	start(&trial, "echo begun; exec sleep 1000");
	trial_run(&trial, NOW_MS + TRIAL_MS - 1);
	assert_int_equal(trial.state, TRIAL_RUNNING);
	trial_run(&trial, NOW_MS + TRIAL_MS);
	assert_int_equal(trial.state, TRIAL_FAILED);
	assert_string_equal(trial.why, "its tests took longer than 30 seconds");
	trial_fini(&trial);
}

static void gives_way_to_another(void **state)
{
	struct trial trial;
	(void)state;
	start(&trial, "exec sleep 1000");
	play("exit 0");
	trial_start(&trial, image_of(two), folder, NOW_MS);
	run_to_the_end(&trial);
	assert_int_equal(trial.state, TRIAL_PASSED);
	trial_fini(&trial);
	assert_int_equal(trial_fd(&trial), -1);
	assert_int_equal(trial_due(&trial), INT64_MAX);
}

static void fails_where_it_cannot_be_tried(void **state)
{
	static const char *const missing[] = {"one.xml", "three.xml", NULL}, *const no_file[] = {".", NULL};
	struct trial trial;
	char why[PATH_BYTES + 100];
	(void)state;
	play("exit 0");
	trial_init(&trial);
	trial_start(&trial, image_of(missing), folder, NOW_MS);
	snprintf(why, sizeof(why), "%s/three.xml: No such file or directory", folder);
	assert_int_equal(trial.state, TRIAL_FAILED);
	assert_string_equal(trial.why, why);
	trial_start(&trial, image_of(no_file), folder, NOW_MS);
	assert_int_equal(trial.state, TRIAL_FAILED);
	trial_start(&trial, image_of(two), "/nowhere", NOW_MS);
	assert_int_equal(trial.state, TRIAL_FAILED);
	assert_string_equal(trial.why, "/nowhere/sallyport-policy: No such file or directory");
	trial_fini(&trial);
}

static void waits_at_start(void **state)
{
	int image = image_of(two);
	(void)state;
	play("sleep 0.1; exit 0");
	assert_true(trial_passes(image, folder));
	play("exit 1");
	assert_false(trial_passes(image, folder));
	close(image);
}

static int make_folder(void **state)
{
	(void)state;
	log_init("trial_test");
	if (!mkdtemp(folder))
		return -1;
	write_file("one.xml", "1", 0600);
	write_file("two.xml", "2", 0600);
	return 0;
}

static int remove_folder(void **state)
{
	static const char *const names[] = {"one.xml", "two.xml", "sallyport-policy"};
	char path[PATH_BYTES];
	(void)state;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_at_once_without_cases),
		cmocka_unit_test(hands_over_what_is_needed),
		cmocka_unit_test(tells_why_it_is_a_no),
		cmocka_unit_test(takes_no_more_than_a_report_holds),
		cmocka_unit_test(is_late),
		cmocka_unit_test(gives_way_to_another),
		cmocka_unit_test(fails_where_it_cannot_be_tried),
		cmocka_unit_test(waits_at_start),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
