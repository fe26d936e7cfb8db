/* What every process of the guard has in common; see proc.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "proc.h"

/* The first number above the descriptors of each role. */
static const int fd_end[PROC_ROLES] = {
	[PROC_DATAPLANE] = PROC_FD_ROLE,
	[PROC_TLS] = TLS_FD_KEYD + 1,
	[PROC_KEYD] = KEYD_FD_TLS + 1,
	[PROC_CONTROL] = CONTROL_FD_COUNTERS + PROC_ROLES,
};

const char *proc_role_name(enum proc_role role)
{
	static const char *const names[PROC_ROLES] = {"dataplane", "tls", "keyd", "control"};
	return (unsigned)role < PROC_ROLES ? names[role] : "unknown";
}

int proc_fd_end(enum proc_role role)
{
	return fd_end[role];
}

static bool is_supervised(void)
{
	int type;
	socklen_t size = sizeof(type);
	return !getsockopt(PROC_FD_SUPERVISOR, SOL_SOCKET, SO_TYPE, &type, &size) && type == SOCK_SEQPACKET;
}

static void adopt_descriptors(enum proc_role role)
{
	if (!is_supervised())
		fatalx("this program is started by sallyportd, not by hand (hint: sallyportd -n checks a configuration)");
	for (int fd = PROC_FD_SUPERVISOR; fd < fd_end[role]; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC))
			fatal("descriptor missing fd=%d", fd);
	if (close_range((unsigned)fd_end[role], ~0U, 0))
		fatal("close_range");
}

/* The parent may have died before PR_SET_PDEATHSIG was set: then its end of the socket is closed. */
static void die_with_supervisor(void)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		fatal("prctl PR_SET_PDEATHSIG");
	char byte;
	if (recv(PROC_FD_SUPERVISOR, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		fatalx("sallyportd is gone");
}

void proc_init(enum proc_role role)
{
	log_init(proc_role_name(role));
	adopt_descriptors(role);
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	die_with_supervisor();
}

int proc_tell(enum supervisor_msg type)
{
	uint8_t byte = (uint8_t)type;
	return send(PROC_FD_SUPERVISOR, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

/* Descriptors of one control message; those beyond three are closed by the kernel for lack of room (MSG_CTRUNC). */
static unsigned take_descriptors(struct msghdr *msg, int taken[3])
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return 0;
	unsigned count = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	memcpy(taken, CMSG_DATA(c), count * sizeof(int));
	return count;
}

int proc_hear(struct channel_fds *fds)
{
	uint8_t byte = 0;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(3 * sizeof(int))];
	} control;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
	*fds = (struct channel_fds){-1, -1, -1};
	ssize_t n = recvmsg(PROC_FD_SUPERVISOR, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -EPIPE;
	if (n == 0)
		return -EPIPE;
	int taken[3];
	unsigned count = take_descriptors(&msg, taken);
	if (byte == SUPERVISOR_ATTACH && count == 3) {
		*fds = (struct channel_fds){taken[0], taken[1], taken[2]};
		return byte;
	}
	for (unsigned i = 0; i < count; i++)
		close(taken[i]);
	return byte == SUPERVISOR_ATTACH || byte == 0 ? -EPIPE : byte;
}
