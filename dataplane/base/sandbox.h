/*
 * The sandbox of a process, entered once, after it has opened what it needs: own user and group, no capabilities, no new
 * privileges, an empty read-only root (a tmpfs that is mounted nowhere, so that nothing is left behind), no network but
 * what is already open, resource limits, and a list of system calls outside of which it is killed.
 *
 * What every process may do is in sandbox.c: read and write what is open, poll, wait, send, receive, map memory that is
 * not executable, tell the time, handle signals, exit. Asking for a file by name gets ENOENT, since libraries do that for
 * locales and time zones. mmap, mprotect and fcntl stay restricted even if a role lists them: no executable memory,
 * and no F_SETFL, by which one end of a channel could make the other block in a shared eventfd. A role therefore opens
 * its descriptors with SOCK_NONBLOCK and the like.
 */
#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sandbox {
	uid_t uid;
	gid_t gid;
	bool keep_network;             /* stay in the network namespace (the dataplane's packet sockets live there) */
	uint64_t memory_max_bytes;     /* RLIMIT_AS; 0: not limited (the dataplane maps its hugepages) */
	unsigned files_max;            /* RLIMIT_NOFILE */
	const unsigned long *ioctls;   /* requests that ioctl() may make, ended by 0; NULL: none but isatty()'s */
	bool keep_files;               /* the file system stays in sight, as far as the user may see it; sockets of AF_UNIX */
	const int *syscalls;           /* SCMP_SYS() numbers beyond what every process needs, ended by -1 */
};

/*
 * 0 or -errno with the step that failed logged. All threads of the process are covered. After it the process cannot
 * open files, start programs or gain anything. In a sanitizer build the system call list and the limit on memory are
 * left out: the runtime needs more. A channel takes 32 MiB of address space at each end.
 */
int sandbox_enter(const struct sandbox *sandbox) __attribute__((warn_unused_result, nonnull));

/* What of it a program that is not root can do: limits, no new privileges, and the list of system calls. */
int sandbox_enter_unprivileged(const struct sandbox *sandbox) __attribute__((warn_unused_result, nonnull));

#endif
