/* A policy tried before it is taken; see trial.h. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "control/trial/judge.h"
#include "dataplane/base/conf.h"
#include "dataplane/base/log.h"
#include "trial.h"

enum { FD_SPARE = 128, LINES_MAX = 10, LINE_BYTES = 500 };

void trial_init(struct trial *trial)
{
	*trial = (struct trial){.image = -1, .pidfd = -1, .report = -1};
}

static void close_all(struct trial *trial)
{
	const int fds[] = {trial->image, trial->pidfd, trial->report};
	for (unsigned i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static __attribute__((format(printf, 2, 3))) void fail(struct trial *trial, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(trial->why, sizeof(trial->why), format, arguments);
	va_end(arguments);
	trial->state = TRIAL_FAILED;
}

/* --- starting --- */

/* What it may write has an end. */
static int open_report(void)
{
	int fd = memfd_create("sallyport-report", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	const int seals = F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
	if (fd >= 0 && (ftruncate(fd, JUDGE_REPORT_BYTES) || fcntl(fd, F_ADD_SEALS, seals))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A number out of the way of those that it is to have. */
static int spare(int fd)
{
	int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FD_SPARE);
	if (fd >= 0)
		close(fd);
	return copy;
}

static int open_cases(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode))
		return spare(fd);
	if (fd >= 0)
		close(fd);
	return -1;
}

struct start {
	const char *words[2 + CONF_POLICY_TESTS_MAX + 1];
	int cases[CONF_POLICY_TESTS_MAX];
	unsigned count;
};

static int spawn(const struct trial *trial, const struct start *start, const char *folder, pid_t *pid)
{
	char path[PATH_MAX];
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, pipe;
	snprintf(path, sizeof(path), "%s/" JUDGE_PROGRAM, folder);
	sigemptyset(&none);
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	int rc = posix_spawn_file_actions_init(&files);
	if (rc)
		return rc;
	rc = posix_spawnattr_init(&attributes);
	if (!rc) {
		posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
		posix_spawn_file_actions_adddup2(&files, trial->report, JUDGE_FD_REPORT);
		posix_spawn_file_actions_adddup2(&files, trial->image, JUDGE_FD_CONF);
		for (unsigned i = 0; i < start->count; i++)
			posix_spawn_file_actions_adddup2(&files, start->cases[i], JUDGE_FD_CASES + (int)i);
		posix_spawn_file_actions_addclosefrom_np(&files, JUDGE_FD_CASES + (int)start->count);
		posix_spawnattr_setsigmask(&attributes, &none);
		posix_spawnattr_setsigdefault(&attributes, &pipe);
		posix_spawnattr_setflags(
			&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
		rc = posix_spawn(pid, path, &files, &attributes, (char **)start->words, (char *[]){NULL});
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&files);
	return rc;
}

static void start_judge(struct trial *trial, const struct start *start, const char *folder, int64_t now_ms)
{
	pid_t pid;
	trial->report = spare(open_report());
	trial->image = spare(trial->image);
	if (trial->report < 0 || trial->image < 0) {
		fail(trial, "no descriptors: %s", strerror(errno));
		return;
	}
	int rc = spawn(trial, start, folder, &pid);
	if (!rc)
		trial->pidfd = pidfd_open(pid, 0);
	if (!rc && trial->pidfd < 0) {
		rc = errno;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	if (rc) {
		fail(trial, "%s/" JUDGE_PROGRAM ": %s", folder, strerror(rc));
		return;
	}
	trial->state = TRIAL_RUNNING;
	trial->deadline_ms = now_ms + TRIAL_MS;
}

static void start_with(struct trial *trial, const struct conf *conf, const char *folder, int64_t now_ms)
{
	struct start start = {.words = {JUDGE_PROGRAM, JUDGE_VERB}};
	const char *name = conf_list_first(conf, &conf->policy_tests);
	bool opened = true;
	for (; start.count < conf->policy_tests.count && opened; name = conf_list_next(name)) {
		start.words[2 + start.count] = name;
		start.cases[start.count] = open_cases(name);
		opened = start.cases[start.count] >= 0;
		if (!opened)
			fail(trial, "%s: %s", name, errno ? strerror(errno) : "not a file");
		start.count += opened;
	}
	if (opened)
		start_judge(trial, &start, folder, now_ms);
	for (unsigned i = 0; i < start.count; i++)
		close(start.cases[i]);
}

void trial_start(struct trial *trial, int image, const char *folder, int64_t now_ms)
{
	trial_fini(trial);
	trial->image = image;
	struct conf *conf = conf_unseal(image);
	errno = 0;
	if (!conf)
		fail(trial, "the configuration cannot be read back");
	else if (!conf->policy_tests.count)
		trial->state = TRIAL_PASSED;
	else
		start_with(trial, conf, folder, now_ms);
	conf_free(conf);
}

/* --- running --- */

int trial_fd(const struct trial *trial)
{
	return trial->state == TRIAL_RUNNING ? trial->pidfd : -1;
}

int64_t trial_due(const struct trial *trial)
{
	return trial->state == TRIAL_RUNNING ? trial->deadline_ms : INT64_MAX;
}

/* What it wrote is of a process that parses what strangers may have written: nothing but text goes to the log. */
static void make_plain(char *line)
{
	for (; *line; line++)
		if (iscntrl((unsigned char)*line))
			*line = '?';
}

/* The first line is why. */
static void tell_report(struct trial *trial)
{
	static char report[JUDGE_REPORT_BYTES + 1];
	ssize_t n = pread(trial->report, report, JUDGE_REPORT_BYTES, 0);
	char *rest = report, *line;
	report[n < 0 ? 0 : n] = '\0';
	for (unsigned lines = 0; (line = strsep(&rest, "\n")) && *line; lines++) {
		make_plain(line);
		if (!lines)
			snprintf(trial->why, sizeof(trial->why), "%s", line);
		if (lines < LINES_MAX)
			log_warnx("policy test: %.*s", LINE_BYTES, line);
	}
}

static void conclude(struct trial *trial, const siginfo_t *end)
{
	if (end->si_code == CLD_EXITED && end->si_status == 0) {
		trial->state = TRIAL_PASSED;
		return;
	}
	if (end->si_code == CLD_EXITED)
		fail(trial, JUDGE_PROGRAM " ended with status %d", end->si_status);
	else
		fail(trial, JUDGE_PROGRAM " was killed by SIG%s", sigabbrev_np(end->si_status));
	tell_report(trial);
}

static bool reap(struct trial *trial, int flags, siginfo_t *end)
{
	int rc;
	do {
		end->si_pid = 0;
		rc = waitid(P_PIDFD, (id_t)trial->pidfd, end, WEXITED | flags);
	} while (rc && errno == EINTR);
	return !rc && end->si_pid;
}

void trial_run(struct trial *trial, int64_t now_ms)
{
	siginfo_t end;
	if (trial->state != TRIAL_RUNNING)
		return;
	if (reap(trial, WNOHANG, &end)) {
		conclude(trial, &end);
	} else if (now_ms >= trial->deadline_ms) {
		pidfd_send_signal(trial->pidfd, SIGKILL, NULL, 0);
		(void)reap(trial, 0, &end);
		fail(trial, "its tests took longer than %d seconds", TRIAL_MS / 1000);
	}
}

/* --- the end --- */

void trial_fini(struct trial *trial)
{
	siginfo_t end;
	if (trial->state == TRIAL_RUNNING) {
		pidfd_send_signal(trial->pidfd, SIGKILL, NULL, 0);
		(void)reap(trial, 0, &end);
	}
	close_all(trial);
	trial_init(trial);
}

int trial_take(struct trial *trial)
{
	int image = trial->image;
	trial->image = -1;
	trial_fini(trial);
	return image;
}

static int64_t read_clock(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool trial_passes(int image, const char *folder)
{
	struct trial trial;
	trial_init(&trial);
	int copy = fcntl(image, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		fatal("descriptors");
	for (trial_start(&trial, copy, folder, read_clock()); trial.state == TRIAL_RUNNING; trial_run(&trial, read_clock())) {
		struct pollfd fd = {.fd = trial_fd(&trial), .events = POLLIN};
		int64_t left = trial_due(&trial) - read_clock();
		if (poll(&fd, 1, left > 0 ? (int)left : 0) < 0 && errno != EINTR)
			fatal("poll");
	}
	bool passes = trial.state == TRIAL_PASSED;
	if (!passes)
		log_warnx("the policy fails its tests: %s", trial.why);
	trial_fini(&trial);
	return passes;
}
