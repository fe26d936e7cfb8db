/* Descriptors for the children; see wiring.h. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "dataplane/base/counters.h"
#include "dataplane/base/log.h"
#include "wiring.h"

enum { ADMIN_BACKLOG = 16 };

/* An abstract name, "@NAME": it is gone with its last descriptor. */
static int listen_admin(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int n = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s", name);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && !bind(fd, (struct sockaddr *)&address, size) && !listen(fd, ADMIN_BACKLOG))
		return fd;
	int error = errno;
	if (error == EADDRINUSE)
		log_warnx("a guard of this name is running name=%s (hint: [guard] name)", name);
	else
		log_warn("admin socket name=%s", name);
	if (fd >= 0)
		close(fd);
	return -error;
}

static int make_counters(struct wiring *wiring, enum proc_role role)
{
	wiring->counters[role] = counters_create();
	if (wiring->counters[role] < 0)
		return wiring->counters[role];
	char path[32];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", wiring->counters[role]);
	wiring->counters_read[role] = open(path, O_RDONLY | O_CLOEXEC);
	return wiring->counters_read[role] < 0 ? -errno : 0;
}

int wiring_init(struct wiring *wiring, int conf, const char *name)
{
	memset(wiring, -1, sizeof(*wiring));
	wiring->conf = conf;
	int rc = 0;
	for (unsigned role = 0; !rc && role < PROC_ROLES; role++)
		rc = make_counters(wiring, role);
	if (rc) {
		errno = -rc;
		log_warn("counters");
		return rc;
	}
	wiring->admin = listen_admin(name);
	return wiring->admin < 0 ? wiring->admin : 0;
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void wiring_fini(struct wiring *wiring)
{
	shut(&wiring->conf);
	shut(&wiring->admin);
	for (unsigned role = 0; role < PROC_ROLES; role++) {
		shut(&wiring->counters[role]);
		shut(&wiring->counters_read[role]);
	}
}

int links_init(struct links *links)
{
	memset(links, -1, sizeof(*links));
	int rc = channel_create(&links->wire);
	rc = rc ? rc : channel_create(&links->plain);
	if (!rc && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, links->keyd))
		rc = -errno;
	if (rc)
		links_fini(links);
	return rc;
}

void links_fini(struct links *links)
{
	channel_fds_close(&links->wire);
	channel_fds_close(&links->plain);
	shut(&links->keyd[0]);
	shut(&links->keyd[1]);
}

static unsigned list_channel(const struct channel_fds *channel, int *fds)
{
	fds[0] = channel->memory;
	fds[1] = channel->wake_upper;
	fds[2] = channel->wake_lower;
	return 3;
}

unsigned wiring_list(const struct wiring *wiring, const struct links *links, enum proc_role role,
	int fds[WIRING_FDS_MAX])
{
	unsigned n = 0;
	fds[n++] = wiring->conf;
	fds[n++] = wiring->counters[role];
	if (role == PROC_TLS) {
		n += list_channel(&links->wire, fds + n);
		n += list_channel(&links->plain, fds + n);
		fds[n++] = links->keyd[0];
	} else if (role == PROC_KEYD) {
		fds[n++] = links->keyd[1];
	} else if (role == PROC_CONTROL) {
		n += list_channel(&links->plain, fds + n);
		fds[n++] = wiring->admin;
		for (unsigned other = 0; other < PROC_ROLES; other++)
			fds[n++] = wiring->counters_read[other];
	}
	return n;
}
