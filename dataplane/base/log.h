/*
 * The log of a process: lines on standard error, which sallyportd hands on. One line is one event:
 *     <role>: <level>: <what happened> key=value ...
 * log_warn() adds ": strerror(errno)", log_warnx() does not. Never called on the packet path.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

void log_init(const char *role) __attribute__((nonnull));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warnx(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Log and exit(1): for start-up only. */
void fatal(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void fatalx(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* For what a peer can provoke: at most `burst` lines a second for each call site, the rest is counted and said later.
 *     static struct log_limit limit = {.burst = 5};
 *     if (log_allowed(&limit)) log_warnx(...); */
struct log_limit {
	unsigned burst;
	long second;
	unsigned said, kept_back;
};
int log_allowed(struct log_limit *limit) __attribute__((nonnull));

#endif
