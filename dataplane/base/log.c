/* The log of a process; see log.h. A line is one write(), so that lines of several processes do not mix. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

enum { LINE_MAX_BYTES = 1024 }; /* below PIPE_BUF: a pipe that is writable takes it without blocking */

static char log_role[24] = "sallyport";
static _Atomic unsigned lines_lost;    /* the dataplane has several threads */

void log_init(const char *role)
{
	snprintf(log_role, sizeof(log_role), "%s", role);
}

/* Text of a peer may hold anything: it must not forge lines or drive a terminal. UTF-8 stays. */
static void make_printable(char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
}

/* A reader of the log that is stuck must not stop the guard: the line is then lost, counted, and said later. */
static void put_line(char *line, size_t len)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
	if (poll(&out, 1, 0) != 1 || !(out.revents & POLLOUT)) {
		lines_lost++;
		return;
	}
	unsigned count = atomic_exchange(&lines_lost, 0);
	if (count) {
		char lost[80];
		int n = snprintf(lost, sizeof(lost), "%s: warning: log lines lost count=%u\n", log_role, count);
		if (write(STDERR_FILENO, lost, (size_t)n) != n)
			lines_lost++;
	}
	make_printable(line, len);
	line[len] = '\n';
	if (write(STDERR_FILENO, line, len + 1) < 0)
		lines_lost++;
}

static __attribute__((format(printf, 3, 0))) void say(const char *level, int error, const char *format, va_list args)
{
	char line[LINE_MAX_BYTES];
	size_t max = sizeof(line) - 1; /* the newline */
	int n = snprintf(line, max, "%s: %s: ", log_role, level);
	size_t len = (size_t)n;
	n = vsnprintf(line + len, max - len, format, args);
	len = n < 0 ? len : len + (size_t)n < max ? len + (size_t)n : max - 1;
	if (error) {
		n = snprintf(line + len, max - len, ": %s", strerror(error));
		len = len + (size_t)n < max ? len + (size_t)n : max - 1;
	}
	put_line(line, len);
}

#define SAY(level, error) \
	do { \
		va_list args; \
		va_start(args, format); \
		say(level, error, format, args); \
		va_end(args); \
	} while (0)

void log_info(const char *format, ...)
{
	SAY("info", 0);
}

void log_warn(const char *format, ...)
{
	int error = errno;
	SAY("warning", error);
}

void log_warnx(const char *format, ...)
{
	SAY("warning", 0);
}

void fatal(const char *format, ...)
{
	int error = errno;
	SAY("fatal", error);
	exit(1);
}

void fatalx(const char *format, ...)
{
	SAY("fatal", 0);
	exit(1);
}

int log_allowed(struct log_limit *limit)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (limit->second != now.tv_sec) {
		if (limit->kept_back)
			log_warnx("log lines like the next were kept back count=%u", limit->kept_back);
		limit->second = now.tv_sec;
		limit->said = limit->kept_back = 0;
	}
	if (limit->said < limit->burst) {
		limit->said++;
		return 1;
	}
	limit->kept_back++;
	return 0;
}
