/* A child is given descriptors as sallyportd gives them, and speaks with a supervisor that is the test. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/base/proc.h"

/* Puts descriptors at their numbers and runs proc_init() for the role. */
static void become(enum proc_role role, int supervisor)
{
	int high = fcntl(supervisor, F_DUPFD, 100);
	int null = open("/dev/null", O_RDWR);
	for (int fd = PROC_FD_CONF; fd < PROC_FD_END + 20; fd++)
		dup2(null, fd);
	dup2(high, PROC_FD_SUPERVISOR);
	proc_init(role);
}

static int run(enum proc_role role, int supervisor, int (*body)(void))
{
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		become(role, supervisor);
		_exit(body());
	}
	return pid;
}

static int exit_code(pid_t pid)
{
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void make_pair(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static int only_own_descriptors_are_open(void)
{
	for (int fd = 0; fd < 200; fd++) {
		bool open = fcntl(fd, F_GETFD) >= 0;
		if (open != (fd <= TLS_FD_KEYD))
			return fd;
		if (fd >= 3 && open && fcntl(fd, F_GETFD) != FD_CLOEXEC)
			return 100 + fd;
	}
	return 0;
}

static void closes_what_is_not_its_own(void **state)
{
	(void)state;
	int pair[2];
	make_pair(pair);
	assert_int_equal(exit_code(run(PROC_TLS, pair[1], only_own_descriptors_are_open)), 0);
	close(pair[0]);
	close(pair[1]);
}

static int hear(struct channel_fds *fds)
{
	int type;
	while ((type = proc_hear(fds)) == 0)
		usleep(1000);
	return type;
}

static int speaks(void)
{
	struct channel_fds fds;
	if (proc_tell(SUPERVISOR_READY) || hear(&fds) != SUPERVISOR_DETACH || fds.memory != -1)
		return 1;
	if (hear(&fds) != SUPERVISOR_ATTACH)
		return 2;
	struct channel *ch = channel_attach(fds, CHANNEL_LOWER);
	if (!ch || channel_send(ch, MSG_CLOSED, SIDE_CLIENT, 3, NULL, 0))
		return 3;
	channel_flush(ch);
	if (hear(&fds) != -EPIPE)
		return 4;
	return 0;
}

static void send_fds(int fd, uint8_t type, const int *fds, unsigned count)
{
	char control[CMSG_SPACE(4 * sizeof(int))] = {0};
	struct iovec iov = {&type, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	if (count) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	}
	assert_int_equal(sendmsg(fd, &msg, 0), 1);
}

static void speaks_with_its_supervisor(void **state)
{
	(void)state;
	int pair[2];
	make_pair(pair);
	pid_t pid = run(PROC_DATAPLANE, pair[1], speaks);
	close(pair[1]);
	uint8_t byte = 0;
	assert_int_equal(recv(pair[0], &byte, 1, 0), 1);
	assert_int_equal(byte, SUPERVISOR_READY);
	struct channel_fds fds;
	assert_int_equal(channel_create(&fds), 0);
	send_fds(pair[0], SUPERVISOR_DETACH, &fds.memory, 1); /* a stray descriptor is closed */
	send_fds(pair[0], SUPERVISOR_ATTACH, (int[]){fds.memory, fds.wake_upper, fds.wake_lower}, 3);
	close(pair[0]);
	assert_int_equal(exit_code(pid), 0);
	channel_fds_close(&fds);
}

static int hears_nonsense(void)
{
	struct channel_fds fds;
	return hear(&fds) == -EPIPE ? 0 : 1;
}

static void attach_without_its_descriptors_is_an_end(void **state)
{
	(void)state;
	for (unsigned count = 0; count < 3; count++) {
		int pair[2];
		make_pair(pair);
		pid_t pid = run(PROC_DATAPLANE, pair[1], hears_nonsense);
		send_fds(pair[0], SUPERVISOR_ATTACH, pair, count);
		assert_int_equal(exit_code(pid), 0);
		close(pair[0]);
		close(pair[1]);
	}
}

static int nothing(void)
{
	return 0;
}

static void does_not_start_by_hand_or_without_supervisor(void **state)
{
	(void)state;
	int pair[2], stream[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, stream), 0);
	assert_int_equal(exit_code(run(PROC_KEYD, stream[1], nothing)), 1);
	make_pair(pair);
	close(pair[0]);
	assert_int_equal(exit_code(run(PROC_KEYD, pair[1], nothing)), 1);
	close(pair[1]);
	close(stream[0]);
	close(stream[1]);
}

static int waits(void)
{
	proc_tell(SUPERVISOR_READY) ? abort() : (void)0;
	for (;;)
		pause();
}

/* The supervisor is killed: so is its child, at once. */
static void dies_with_its_supervisor(void **state)
{
	(void)state;
	int pair[2], alive[2];
	make_pair(pair);
	assert_int_equal(pipe(alive), 0);
	pid_t supervisor = fork();
	if (supervisor == 0) {
		if (fork() == 0) {
			dup2(alive[1], STDOUT_FILENO); /* stays open as long as it lives */
			become(PROC_KEYD, pair[1]);
			_exit(waits());
		}
		close(alive[1]);
		for (;;)
			pause();
	}
	close(alive[1]);
	uint8_t byte;
	assert_int_equal(recv(pair[0], &byte, 1, 0), 1);
	kill(supervisor, SIGKILL);
	assert_int_equal(waitpid(supervisor, NULL, 0), supervisor);
	assert_int_equal(read(alive[0], &byte, 1), 0);
	close(alive[0]);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closes_what_is_not_its_own),
		cmocka_unit_test(speaks_with_its_supervisor),
		cmocka_unit_test(attach_without_its_descriptors_is_an_end),
		cmocka_unit_test(does_not_start_by_hand_or_without_supervisor),
		cmocka_unit_test(dies_with_its_supervisor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
