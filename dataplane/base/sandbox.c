/* The sandbox of a process; see sandbox.h. Privileges go in the order in which the next step can do without them. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "sandbox.h"

static int failed(const char *step)
{
	int error = errno;
	log_warn("sandbox step=%s", step);
	return -error;
}

/* --- nothing to see: an empty root and no network --- */

static int mount_empty(void)
{
	int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (context < 0)
		return -1;
	int mount = -1;
	if (!fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		mount = fsmount(context, FSMOUNT_CLOEXEC,
			MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	int error = errno;
	close(context);
	errno = error;
	return mount;
}

/* The root directory is shared by all threads, as a mount namespace of our own would not be. */
static int enter_empty_root(void)
{
	int mount = mount_empty();
	if (mount < 0)
		return failed("tmpfs");
	int rc = fchdir(mount) || chroot(".") ? failed("chroot") : 0;
	close(mount);
	return rc;
}

static int leave_namespaces(bool keep_network)
{
	int flags = CLONE_NEWIPC | CLONE_NEWUTS | (keep_network ? 0 : CLONE_NEWNET);
	return unshare(flags) ? failed("unshare") : 0;
}

/* --- limits --- */

static int limit(int resource, rlim_t value, const char *step)
{
	struct rlimit limits = {value, value};
	return setrlimit((enum __rlimit_resource)resource, &limits) ? failed(step) : 0;
}

static int set_limits(const struct sandbox *sandbox)
{
	int rc = limit(RLIMIT_NOFILE, sandbox->files_max, "rlimit-nofile");
	rc = rc ? rc : limit(RLIMIT_CORE, 0, "rlimit-core"); /* keys and plaintext */
	rc = rc ? rc : limit(RLIMIT_NPROC, 0, "rlimit-nproc");
#ifndef SANITIZE
	if (!rc && sandbox->memory_max_bytes)
		rc = limit(RLIMIT_AS, sandbox->memory_max_bytes, "rlimit-as");
#endif
	return rc;
}

/* --- identity --- */

static int drop_capability_bounds(void)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap))
			return failed("capability-bounds");
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) ? failed("ambient-capabilities") : 0;
}

/* glibc changes the ids of all threads; capabilities go with uid 0. */
static int become_user(const struct sandbox *sandbox)
{
	if (sandbox->uid == 0 || sandbox->gid == 0) {
		errno = EINVAL;
		return failed("user-is-root");
	}
	if (setgroups(0, NULL))
		return failed("setgroups");
	if (setresgid(sandbox->gid, sandbox->gid, sandbox->gid))
		return failed("setresgid");
	if (setresuid(sandbox->uid, sandbox->uid, sandbox->uid))
		return failed("setresuid");
	if (setuid(0) == 0) {
		errno = EPERM;
		return failed("still-root");
	}
	return 0;
}

/* The kernel forgets the parent-death signal when the uid changes. */
static int tie_to_parent(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		return failed("parent-death-signal");
	if (getppid() != parent)
		fatalx("sallyportd is gone");
	return 0;
}

/* --- system calls --- */

static const int allowed[] = {
	/* what is open */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(pwrite64),
	SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
	SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(shutdown),
	/* waiting */
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(epoll_ctl), SCMP_SYS(futex), SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(timerfd_settime), SCMP_SYS(timerfd_gettime), SCMP_SYS(sched_yield),
	SCMP_SYS(restart_syscall),
	/* time, identity, randomness */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
	SCMP_SYS(getegid), SCMP_SYS(getcpu), SCMP_SYS(sched_getaffinity), SCMP_SYS(getrusage), SCMP_SYS(sysinfo),
	/* memory */
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(membarrier),
	/* signals and the end */
	SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(sigaltstack),
	SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(exit), SCMP_SYS(exit_group),
	-1};

/* By name there is nothing to find. */
static const int found_nothing[] = {SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(access), SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statx), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
	SCMP_SYS(getcwd), -1};

static bool is_restricted(int number)
{
	return number == SCMP_SYS(mmap) || number == SCMP_SYS(mprotect) || number == SCMP_SYS(fcntl);
}

static bool is_listed(const int *list, int number)
{
	for (; *list != -1; list++)
		if (*list == number)
			return true;
	return false;
}

static int allow_list(scmp_filter_ctx filter, const int *list)
{
	int rc = 0;
	for (; !rc && *list != -1; list++)
		if (!is_restricted(*list))
			rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, *list, 0);
	return rc;
}

static int refuse_names(scmp_filter_ctx filter, const int *role)
{
	int rc = 0;
	for (const int *call = found_nothing; !rc && *call != -1; call++)
		if (!is_listed(role, *call))
			rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOENT), *call, 0);
	return rc;
}

static int allow_with_arguments(scmp_filter_ctx filter, const struct sandbox *sandbox)
{
	const int *role = sandbox->syscalls;
	static const unsigned fcntls[] = {F_GETFL, F_GETFD, F_SETFD, F_GET_SEALS};
	struct scmp_arg_cmp not_executable = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	int rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, not_executable);
	rc = rc ? rc : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, not_executable);
	for (unsigned i = 0; !rc && i < sizeof(fcntls) / sizeof(fcntls[0]); i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, SCMP_A1(SCMP_CMP_EQ, fcntls[i], 0));
	/* The module of a token locks its files, and asks its daemon (pcscd) or tells syslog. */
	static const unsigned locks[] = {F_SETLK, F_SETLKW, F_GETLK};
	for (unsigned i = 0; !rc && sandbox->keep_files && i < sizeof(locks) / sizeof(locks[0]); i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, SCMP_A1(SCMP_CMP_EQ, locks[i], 0));
	if (!rc && sandbox->keep_files)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0));
	/* isatty() of stdio */
	if (!rc && !is_listed(role, SCMP_SYS(ioctl)))
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, TCGETS, 0));
	/* abort() */
	if (!rc && !is_listed(role, SCMP_SYS(tgkill)))
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
			SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
	return rc;
}

static int allow_ioctls(scmp_filter_ctx filter, const unsigned long *requests)
{
	int rc = 0;
	for (; !rc && requests && *requests; requests++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, *requests, 0));
	return rc;
}

/* The native architecture only; all threads; no new privileges with it. */
static int fill_filter(scmp_filter_ctx filter, const struct sandbox *sandbox)
{
	int rc = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	rc = rc ? rc : seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	rc = rc ? rc : seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	rc = rc ? rc : allow_list(filter, allowed);
	rc = rc ? rc : allow_list(filter, sandbox->syscalls);
	rc = rc ? rc : refuse_names(filter, sandbox->syscalls);
	rc = rc ? rc : allow_ioctls(filter, sandbox->ioctls);
	return rc ? rc : allow_with_arguments(filter, sandbox);
}

static int filter_syscalls(const struct sandbox *sandbox)
{
#ifdef SANITIZE
	(void)fill_filter;
	(void)sandbox;
	return 0;
#else
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!filter)
		return -ENOMEM;
	int rc = fill_filter(filter, sandbox);
	rc = rc ? rc : seccomp_load(filter);
	seccomp_release(filter);
	if (rc) {
		errno = -rc;
		return failed("seccomp");
	}
	return 0;
#endif
}

/* For good, and for all that it may ever start. */
static int lock_up(const struct sandbox *sandbox)
{
	if (prctl(PR_SET_DUMPABLE, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return failed("prctl");
	return filter_syscalls(sandbox);
}

int sandbox_enter_unprivileged(const struct sandbox *sandbox)
{
	int rc = set_limits(sandbox);
	return rc ? rc : lock_up(sandbox);
}

int sandbox_enter(const struct sandbox *sandbox)
{
	pid_t parent = getppid();
	int rc = leave_namespaces(sandbox->keep_network);
	rc = rc || sandbox->keep_files ? rc : enter_empty_root();
	rc = rc ? rc : drop_capability_bounds();
	rc = rc ? rc : set_limits(sandbox);
	rc = rc ? rc : become_user(sandbox);
	rc = rc ? rc : tie_to_parent(parent);
	return rc ? rc : lock_up(sandbox);
}
