#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/base/log.h"

static int saved, out[2];

/* Standard error goes to a pipe for the time of a test. */
static int redirect(void **state)
{
	(void)state;
	saved = dup(STDERR_FILENO);
	if (saved < 0 || pipe2(out, O_NONBLOCK))
		return -1;
	log_init("role");
	return dup2(out[1], STDERR_FILENO) < 0 ? -1 : 0;
}

static int restore(void **state)
{
	(void)state;
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(out[0]);
	close(out[1]);
	return 0;
}

static char *logged(void)
{
	static char text[100000];
	ssize_t n = read(out[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = 0;
	return text;
}

static void a_line_names_role_level_and_error(void **state)
{
	(void)state;
	log_info("port up side=%s", "inside");
	errno = ENOENT;
	log_warn("open");
	log_warnx("odd count=%d", 3);
	assert_string_equal(logged(), "role: info: port up side=inside\nrole: warning: open: No such file or directory\n"
				      "role: warning: odd count=3\n");
}

static void text_of_a_peer_cannot_forge_lines(void **state)
{
	(void)state;
	log_info("from=%s", "a\nrole: info: forged\r\t\x1b[31m\x7f \xc3\xbc");
	assert_string_equal(logged(), "role: info: from=a?role: info: forged???[31m? \xc3\xbc\n");
}

static void a_line_is_bounded(void **state)
{
	(void)state;
	char large[5000];
	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = 0;
	log_info("%s", large);
	errno = ENOENT;
	log_warn("%s", large);
	char *text = logged();
	char *second = strchr(text, '\n') + 1;
	assert_in_range(second - text, 1000, 1024);
	assert_in_range(strlen(second), 1000, 1024);
	assert_non_null(strstr(second, "role: warning: xxx"));
}

static void a_stuck_reader_costs_lines_not_time(void **state)
{
	(void)state;
	int flags = fcntl(out[1], F_GETFL);
	fcntl(out[1], F_SETFL, flags & ~O_NONBLOCK); /* a write to a full pipe would block now */
	alarm(20);
	for (int i = 0; i < 100000; i++)
		log_info("line number=%d", i);
	alarm(0);
	while (strlen(logged()) > 10000)
		;
	log_info("after");
	char *text = logged();
	assert_non_null(strstr(text, "role: warning: log lines lost count="));
	assert_non_null(strstr(text, "role: info: after\n"));
}

static void what_peers_provoke_is_limited(void **state)
{
	(void)state;
	struct log_limit limit = {.burst = 3};
	unsigned allowed = 0;
	for (int i = 0; i < 100; i++)
		allowed += log_allowed(&limit) != 0;
	assert_in_range(allowed, 3, 6); /* a second may end meanwhile */
	limit.second--;
	assert_true(log_allowed(&limit));
	assert_non_null(strstr(logged(), "role: warning: log lines like the next were kept back count=9"));
}

static void fatal_ends_the_process(void **state)
{
	(void)state;
	pid_t pid = fork();
	if (pid == 0) {
		errno = EPERM;
		fatal("cannot key=%d", 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	assert_string_equal(logged(), "role: fatal: cannot key=1: Operation not permitted\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, redirect, restore)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_names_role_level_and_error),
		TEST(text_of_a_peer_cannot_forge_lines),
		TEST(a_line_is_bounded),
		TEST(a_stuck_reader_costs_lines_not_time),
		TEST(what_peers_provoke_is_limited),
		TEST(fatal_ends_the_process),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
