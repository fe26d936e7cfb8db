/* Children enter the sandbox and try what it forbids. Needs root, as sallyportd's children do. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/base/channel.h"
#include "dataplane/base/log.h"
#include "dataplane/base/sandbox.h"

enum { TEST_UID = 64999, TEST_GID = 64998 };
enum { LIVED = 0, SUCCEEDED = 40, REFUSED = 41, NO_SANDBOX = 42 };

static const int no_more[] = {-1};

static void enter(const int *syscalls)
{
	const struct sandbox sandbox = {
		.uid = TEST_UID, .gid = TEST_GID, .memory_max_bytes = 256 << 20, .files_max = 32, .syscalls = syscalls};
	if (sandbox_enter(&sandbox))
		_exit(NO_SANDBOX);
}

/* Runs it in a child, inside the sandbox unless told otherwise. The wait status. */
static int run(void (*body)(void), const int *syscalls)
{
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (syscalls)
			enter(syscalls);
		body();
		_exit(LIVED);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void report(long rc)
{
	_exit(rc < 0 ? REFUSED : SUCCEEDED);
}

static void live_well(void)
{
	char *large = malloc(8 << 20);
	if (!large)
		_exit(1);
	memset(large, 1, 8 << 20);
	free(large);
	struct timespec now;
	struct log_limit limit = {.burst = 1};
	if (clock_gettime(CLOCK_MONOTONIC, &now) || !log_allowed(&limit) || usleep(1000))
		_exit(2);
	log_info("a good child lives");
	if (getuid() != TEST_UID || geteuid() != TEST_UID || getgid() != TEST_GID)
		_exit(3);
}

static void channel_in_sandbox(void)
{
	struct channel_fds fds;
	if (channel_create(&fds))
		_exit(1);
	struct channel_fds other = {dup(fds.memory), dup(fds.wake_upper), dup(fds.wake_lower)};
	enter(no_more);
	struct channel *lower = channel_attach(fds, CHANNEL_LOWER), *upper = channel_attach(other, CHANNEL_UPPER);
	if (!lower || !upper || !channel_sleep(upper))
		_exit(2);
	if (channel_send(lower, MSG_CLOSED, SIDE_CLIENT, 1, NULL, 0))
		_exit(3);
	channel_flush(lower);
	channel_awake(upper);
	channel_free(lower);
	channel_free(upper);
}

static void tries_open(void) { report(open("/etc/passwd", O_RDONLY)); }
static void tries_create(void) { report(open("/file", O_RDWR | O_CREAT, 0600)); }
static void tries_proc(void) { report(open("/proc/self/mem", O_RDWR)); }
static void tries_socket(void) { report(socket(AF_INET, SOCK_STREAM, 0)); }
static void tries_execve(void) { report(execl("/bin/true", "true", NULL)); }
static void tries_fork(void) { report(fork()); }
static void tries_ptrace(void) { report(ptrace(PTRACE_TRACEME, 0, 0, 0)); }
static void tries_kill(void) { report(kill(1, 0)); }
static void tries_mount(void) { report(mount("none", "/", "tmpfs", 0, NULL)); }
static void tries_setuid(void) { report(setuid(0)); }
static void tries_dup(void) { report(dup(1)); }
static void tries_dumpable(void) { report(prctl(PR_SET_DUMPABLE, 1)); }
static void tries_blocking(void) { report(fcntl(1, F_SETFL, 0)); }

static void tries_executable_memory(void)
{
	report(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1
														      : 0);
}

static void tries_to_make_memory_executable(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		_exit(1);
	report(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static void tries_too_much_memory(void)
{
	void *memory = mmap(NULL, 512 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	report(memory == MAP_FAILED ? -1 : 0);
}

static const struct attempt {
	const char *what;
	void (*body)(void);
	int signal;                    /* that kills it, or 0: it is refused and lives */
} attempts[] = {
	{"open", tries_open, 0},
	{"create", tries_create, 0},
	{"open /proc", tries_proc, 0},
	{"socket", tries_socket, SIGSYS},
	{"execve", tries_execve, SIGSYS},
	{"fork", tries_fork, SIGSYS},
	{"ptrace", tries_ptrace, SIGSYS},
	{"kill", tries_kill, SIGSYS},
	{"mount", tries_mount, SIGSYS},
	{"setuid", tries_setuid, SIGSYS},
	{"dup", tries_dup, SIGSYS},
	{"prctl", tries_dumpable, SIGSYS},
	{"F_SETFL", tries_blocking, SIGSYS},
	{"mmap PROT_EXEC", tries_executable_memory, SIGSYS},
	{"mprotect PROT_EXEC", tries_to_make_memory_executable, SIGSYS},
	{"too much memory", tries_too_much_memory, 0},
};

static void expect(const char *what, int status, int signal, int code)
{
	if (signal && !(WIFSIGNALED(status) && WTERMSIG(status) == signal))
		fail_msg("%s: not killed by signal %d, status %#x", what, signal, (unsigned)status);
	if (!signal && !(WIFEXITED(status) && WEXITSTATUS(status) == code))
		fail_msg("%s: status %#x, expected exit %d", what, (unsigned)status, code);
}

static void a_good_child_lives(void **state)
{
	(void)state;
	expect("good child", run(live_well, no_more), 0, LIVED);
	expect("channel", run(channel_in_sandbox, NULL), 0, LIVED);
}

static void what_is_forbidden_kills_or_fails(void **state)
{
	(void)state;
#ifdef SANITIZE
	skip();
#endif
	for (unsigned i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		expect(attempts[i].what, run(attempts[i].body, no_more), attempts[i].signal, REFUSED);
}

/* What is forbidden works outside: else the test above would show nothing. */
static void the_same_works_outside(void **state)
{
	(void)state;
	static void (*const bodies[])(void) = {tries_open, tries_socket, tries_dup, tries_dumpable, tries_executable_memory,
		tries_to_make_memory_executable, tries_too_much_memory};
	for (unsigned i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		expect("outside", run(bodies[i], NULL), 0, SUCCEEDED);
}

static void a_role_may_do_more_but_not_what_stays_restricted(void **state)
{
	(void)state;
#ifdef SANITIZE
	skip();
#endif
	static const int more[] = {SCMP_SYS(dup), SCMP_SYS(fcntl), SCMP_SYS(mmap), SCMP_SYS(mprotect), -1};
	expect("dup", run(tries_dup, more), 0, SUCCEEDED);
	expect("F_SETFL", run(tries_blocking, more), SIGSYS, 0);
	expect("mmap", run(tries_executable_memory, more), SIGSYS, 0);
}

static void enters_as_root(void)
{
	const struct sandbox sandbox = {.uid = 0, .gid = TEST_GID, .files_max = 32, .syscalls = no_more};
	report(sandbox_enter(&sandbox));
}

static void root_is_refused(void **state)
{
	(void)state;
	expect("uid 0", run(enters_as_root, NULL), 0, REFUSED);
}

static void looks_around(void)
{
	static const int more[] = {SCMP_SYS(socket), SCMP_SYS(ioctl), SCMP_SYS(prctl), -1};
	int before = socket(AF_INET, SOCK_DGRAM, 0);
	enter(more);
	int after = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq request = {.ifr_name = "lo"};
	if (before < 0 || after < 0)
		_exit(1);
	if (ioctl(after, SIOCGIFFLAGS, &request) || (request.ifr_flags & IFF_UP))
		_exit(2); /* a network of its own: even its loopback is down */
	if (prctl(PR_GET_DUMPABLE) || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		_exit(3);
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (prctl(PR_CAPBSET_READ, cap) != 0)
			_exit(4);
	int signal = 0;
	if (prctl(PR_GET_PDEATHSIG, &signal) || signal != SIGKILL)
		_exit(5);
}

static void nothing_is_left_of_privilege_or_network(void **state)
{
	(void)state;
	expect("looks around", run(looks_around, NULL), 0, LIVED);
}

/* --- without being root --- */

static void enter_as_user(void)
{
	const struct sandbox sandbox = {
		.uid = TEST_UID, .gid = TEST_GID, .memory_max_bytes = 256 << 20, .files_max = 32, .syscalls = no_more};
	if (setresgid(TEST_GID, TEST_GID, TEST_GID) || setresuid(TEST_UID, TEST_UID, TEST_UID) ||
		sandbox_enter_unprivileged(&sandbox))
		_exit(NO_SANDBOX);
}

static void user_lives_well(void)
{
	enter_as_user();
	live_well();
}

static void user_looks_for_a_file(void)
{
	enter_as_user();
	report(open("/etc/passwd", O_RDONLY));
}

static void user_makes_a_socket(void)
{
	enter_as_user();
	report(socket(AF_INET, SOCK_STREAM, 0));
}

static void a_user_may_enter_what_there_is_for_him(void **state)
{
	(void)state;
	expect("a user", run(user_lives_well, NULL), 0, LIVED);
#ifdef SANITIZE
	skip();
#endif
	expect("a user's file", run(user_looks_for_a_file, NULL), 0, REFUSED);
	expect("a user's socket", run(user_makes_a_socket, NULL), SIGSYS, 0);
}

/* A thread that was made before is in the sandbox too. */
static int go = -1;

static void *other_thread(void *argument)
{
	(void)argument;
	uint64_t count;
	if (read(go, &count, sizeof(count)) != sizeof(count))
		_exit(1);
	if (getuid() != TEST_UID || open("/etc/passwd", O_RDONLY) >= 0)
		_exit(2);
	report(socket(AF_INET, SOCK_STREAM, 0));
	return NULL;
}

static void enters_with_a_thread(void)
{
	go = eventfd(0, 0);
	pthread_t thread;
	if (pthread_create(&thread, NULL, other_thread, NULL))
		_exit(3);
	enter(no_more);
	uint64_t one = 1;
	if (write(go, &one, sizeof(one)) != sizeof(one))
		_exit(4);
	for (;;)
		usleep(1000);
}

static void threads_are_covered(void **state)
{
	(void)state;
#ifdef SANITIZE
	skip();
#endif
	expect("thread", run(enters_with_a_thread, NULL), SIGSYS, 0);
}

static void leaves_no_mount_behind(void **state)
{
	(void)state;
	char before[65536], after[65536];
	for (int i = 0; i < 2; i++) {
		int fd = open("/proc/self/mountinfo", O_RDONLY);
		ssize_t n = read(fd, i ? after : before, sizeof(before) - 1);
		assert_true(n > 0);
		(i ? after : before)[n] = 0;
		close(fd);
		if (i == 0)
			expect("good child", run(live_well, no_more), 0, LIVED);
	}
	assert_string_equal(before, after);
}

int main(void)
{
	if (geteuid() != 0) {
		log_warnx("sandbox_test needs root");
		return 1;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_child_lives),
		cmocka_unit_test(what_is_forbidden_kills_or_fails),
		cmocka_unit_test(the_same_works_outside),
		cmocka_unit_test(a_role_may_do_more_but_not_what_stays_restricted),
		cmocka_unit_test(root_is_refused),
		cmocka_unit_test(nothing_is_left_of_privilege_or_network),
		cmocka_unit_test(a_user_may_enter_what_there_is_for_him),
		cmocka_unit_test(threads_are_covered),
		cmocka_unit_test(leaves_no_mount_behind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
