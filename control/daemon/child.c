/* Starting, telling and ending a process; see child.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "dataplane/base/conf.h"
#include "dataplane/base/log.h"

enum { FDS_MAX = PROC_FD_END, FD_SPARE = 128, TELL_FILES_MAX = 3 };
static_assert((int)FD_SPARE >= (int)PROC_FD_END, "copies are out of the way");

void child_init(struct child *child, enum proc_role role, struct proc_lane lane)
{
	*child = (struct child){.role = role, .lane = lane, .pidfd = -1, .socket = -1};
	if (lane.lanes == 1 || role == PROC_DATAPLANE)
		snprintf(child->name, sizeof(child->name), "%s", proc_role_name(role));
	else
		snprintf(child->name, sizeof(child->name), "%s/%u", proc_role_name(role), lane.lane);
}

/* --- in the child --- */

static void place_descriptors(int socket, const int *fds, unsigned count)
{
	int spare[FDS_MAX];
	unsigned total = 0;
	spare[total++] = fcntl(socket, F_DUPFD_CLOEXEC, FD_SPARE);
	for (unsigned i = 0; i < count; i++)
		spare[total++] = fcntl(fds[i], F_DUPFD_CLOEXEC, FD_SPARE);
	int null = open("/dev/null", O_RDONLY);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		fatal("standard descriptors");
	for (unsigned i = 0; i < total; i++)
		if (dup2(spare[i], PROC_FD_SUPERVISOR + (int)i) < 0)
			fatal("dup2 fd=%u", PROC_FD_SUPERVISOR + i);
	if (close_range(PROC_FD_SUPERVISOR + total, ~0U, 0))
		fatal("close_range");
}

static void restore_signals(void)
{
	sigset_t none;
	sigemptyset(&none);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * The one of our variables that it is told: the module of a token finds its configuration by one, there is no other way to
 * tell it; control judges by local time. NULL: none is set.
 */
static char *own_variable(enum proc_role role, char *text, size_t size)
{
	static const char *const names[PROC_ROLES] = {[PROC_KEYD] = "SOFTHSM2_CONF", [PROC_CONTROL] = "TZ"};
	const char *name = names[role], *value = name ? getenv(name) : NULL;
	return value && snprintf(text, size, "%s=%s", name, value) < (int)size ? text : NULL;
}

static __attribute__((noreturn)) void execute(const struct child *child, const struct child_program *program)
{
	char path[PATH_MAX], name[64], variable[PATH_MAX + 32], own[PATH_MAX + 32], lane[64];
	snprintf(name, sizeof(name), "sallyport-%s", proc_role_name(child->role));
	snprintf(path, sizeof(path), "%s/%s", program->folder, name);
	snprintf(variable, sizeof(variable), "%s=%s", CONF_NAME_VARIABLE, program->conf_name);
	snprintf(lane, sizeof(lane), "%s=%u/%u", PROC_LANE_VARIABLE, child->lane.lane, child->lane.lanes);
	/* A session of its own: an interrupt from the terminal reaches sallyportd alone, which then ends all in order. */
	setsid();
	restore_signals();
	char *environment[] = {variable, lane, own_variable(child->role, own, sizeof(own)), NULL};
	execve(path, (char *[]){name, NULL}, environment);
	fatal("cannot execute %s", path);
}

/* --- in sallyportd --- */

int child_start(struct child *child, const struct child_program *program, const int *fds, unsigned count, int64_t now_ms)
{
	int pair[2];
	if (count + 1 > FDS_MAX)
		return -E2BIG;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	pid_t pid = fork();
	if (pid == 0) {
		place_descriptors(pair[1], fds, count);
		execute(child, program);
	}
	int error = errno;
	close(pair[1]);
	int pidfd = pid < 0 ? -1 : pidfd_open(pid, 0);
	if (pidfd < 0) {
		error = pid < 0 ? error : errno;
		close(pair[0]);
		return -error; /* a child whose socket is closed ends by itself */
	}
	child->pid = pid;
	child->pidfd = pidfd;
	child->socket = pair[0];
	child->state = CHILD_STARTING;
	child->started_ms = now_ms;
	return 0;
}

static void log_end(const struct child *child, const siginfo_t *end)
{
	const char *role = child->name;
	if (end->si_code == CLD_EXITED)
		log_warnx("%s ended pid=%d status=%d", role, child->pid, end->si_status);
	else if (end->si_status == SIGSYS)
		log_warnx("%s was killed by its sandbox pid=%d (hint: a system call that it may not make; the kernel log "
			  "has its number)",
			role, child->pid);
	else
		log_warnx("%s was killed pid=%d signal=%s", role, child->pid, sigabbrev_np(end->si_status));
}

static void set_down(struct child *child)
{
	if (child->socket >= 0)
		close(child->socket);
	close(child->pidfd);
	child_init(child, child->role, child->lane);
}

bool child_reap(struct child *child, bool expected)
{
	siginfo_t end = {.si_pid = 0};
	if (child->state == CHILD_DOWN || waitid(P_PIDFD, (id_t)child->pidfd, &end, WEXITED | WNOHANG) || !end.si_pid)
		return false;
	if (!expected)
		log_end(child, &end);
	set_down(child);
	return true;
}

void child_doom(struct child *child)
{
	child_ask_to_end(child);
	pidfd_send_signal(child->pidfd, SIGKILL, NULL, 0);
}

void child_kill(struct child *child)
{
	if (child->state == CHILD_DOWN)
		return;
	siginfo_t end;
	pidfd_send_signal(child->pidfd, SIGKILL, NULL, 0);
	while (waitid(P_PIDFD, (id_t)child->pidfd, &end, WEXITED) && errno == EINTR)
		;
	set_down(child);
}

void child_ask_to_end(struct child *child)
{
	if (child->socket >= 0)
		close(child->socket);
	child->socket = -1;
}

int child_tell_files(int socket, enum supervisor_msg type, const int *files, unsigned count)
{
	uint8_t byte = (uint8_t)type;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(TELL_FILES_MAX * sizeof(int))];
	} control = {.bytes = {0}};
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	if (count > TELL_FILES_MAX)
		return -E2BIG;
	if (count) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(c), files, count * sizeof(int));
	}
	return sendmsg(socket, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

int child_tell(int socket, enum supervisor_msg type, const struct channel_fds *fds)
{
	const int files[3] = {fds ? fds->memory : -1, fds ? fds->wake_upper : -1, fds ? fds->wake_lower : -1};
	return child_tell_files(socket, type, files, fds ? 3 : 0);
}

int child_hear(int socket)
{
	uint8_t byte;
	ssize_t n = recv(socket, &byte, 1, MSG_DONTWAIT);
	if (n == 1)
		return byte;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -EPIPE;
}
