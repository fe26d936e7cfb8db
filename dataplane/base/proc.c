/* What every process of the guard has in common; see proc.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "proc.h"

const char *proc_role_name(enum proc_role role)
{
	static const char *const names[PROC_ROLES] = {"dataplane", "tls", "keyd", "control"};
	return (unsigned)role < PROC_ROLES ? names[role] : "unknown";
}

int proc_fd_end(enum proc_role role, unsigned lanes)
{
	switch (role) {
	case PROC_DATAPLANE:
		return dataplane_fd_supervisor(lanes);
	case PROC_TLS:
		return TLS_FD_KEYD + 1;
	case PROC_KEYD:
		return KEYD_FD_TLS + 1;
	default:
		return CONTROL_FD_COUNTERS + (int)lanes * PROC_ROLES;
	}
}

static struct proc_lane read_lane(void)
{
	struct proc_lane own = {.lane = 0, .lanes = 1};
	const char *text = getenv(PROC_LANE_VARIABLE);
	if (text && (sscanf(text, "%2u/%2u", &own.lane, &own.lanes) != 2 || own.lanes > PROC_LANES_MAX ||
			    own.lane >= own.lanes))
		fatalx("not a lane %s=%s", PROC_LANE_VARIABLE, text);
	return own;
}

/* Several lanes tell themselves apart in the log. */
static void name_log(enum proc_role role, struct proc_lane own)
{
	char name[24];
	snprintf(name, sizeof(name), "%s/%u", proc_role_name(role), own.lane);
	log_init(own.lanes == 1 || role == PROC_DATAPLANE ? proc_role_name(role) : name);
}

static bool is_supervised(void)
{
	int type;
	socklen_t size = sizeof(type);
	return !getsockopt(PROC_FD_SUPERVISOR, SOL_SOCKET, SO_TYPE, &type, &size) && type == SOCK_SEQPACKET;
}

static void adopt_descriptors(int end)
{
	if (!is_supervised())
		fatalx("this program is started by sallyportd, not by hand (hint: sallyportd -n checks a configuration)");
	for (int fd = PROC_FD_SUPERVISOR; fd < end; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC))
			fatal("descriptor missing fd=%d", fd);
	if (close_range((unsigned)end, ~0U, 0))
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

struct proc_lane proc_init(enum proc_role role)
{
	log_init(proc_role_name(role));
	struct proc_lane own = read_lane();
	name_log(role, own);
	adopt_descriptors(proc_fd_end(role, own.lanes));
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	die_with_supervisor();
	return own;
}

int supervisor_tell(int socket, enum supervisor_msg type)
{
	uint8_t byte = (uint8_t)type;
	return send(socket, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 ? 0 : -errno;
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

int supervisor_hear(int socket, struct channel_fds *fds)
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
	ssize_t n = recvmsg(socket, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
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
	bool one = supervisor_told_crls(byte) || byte == SUPERVISOR_POLICY || byte == SUPERVISOR_POLICY_REFUSED ||
		byte == SUPERVISOR_SCANNER;
	if (one && count == 1) {
		fds->memory = taken[0];
		return byte;
	}
	for (unsigned i = 0; i < count; i++)
		close(taken[i]);
	return byte == SUPERVISOR_ATTACH || one || byte == 0 ? -EPIPE : byte;
}

int proc_tell(enum supervisor_msg type)
{
	return supervisor_tell(PROC_FD_SUPERVISOR, type);
}

int proc_hear(struct channel_fds *fds)
{
	return supervisor_hear(PROC_FD_SUPERVISOR, fds);
}
