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

enum { ADMIN_BACKLOG = 16, ADMIN_NAME_BYTES = 64 };

/* An abstract name, "@NAME" or "@NAME/LANE": it is gone with its last descriptor. */
static int listen_admin(const char *guard, unsigned lane)
{
	char name[ADMIN_NAME_BYTES];
	snprintf(name, sizeof(name), lane ? "%s/%u" : "%s", guard, lane);
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

static int make_counters(int *counters, int *counters_read)
{
	*counters = counters_create();
	if (*counters < 0)
		return *counters;
	char path[32];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", *counters);
	*counters_read = open(path, O_RDONLY | O_CLOEXEC);
	return *counters_read < 0 ? -errno : 0;
}

static int init_lane(struct wiring *wiring, const char *name, unsigned lane)
{
	int rc = 0;
	for (unsigned role = 0; !rc && role < PROC_ROLES; role++)
		rc = make_counters(&wiring->counters[lane][role], &wiring->counters_read[lane][role]);
	if (rc) {
		errno = -rc;
		log_warn("counters");
		return rc;
	}
	wiring->admin[lane] = listen_admin(name, lane);
	return wiring->admin[lane] < 0 ? wiring->admin[lane] : 0;
}

int wiring_init(struct wiring *wiring, int conf, const char *name, unsigned lanes)
{
	memset(wiring, -1, sizeof(*wiring));
	wiring->conf = conf;
	wiring->lanes = lanes;
	int rc = 0;
	for (unsigned lane = 0; !rc && lane < lanes; lane++)
		rc = init_lane(wiring, name, lane);
	return rc;
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
	for (unsigned lane = 0; lane < wiring->lanes; lane++) {
		shut(&wiring->admin[lane]);
		for (unsigned role = 0; role < PROC_ROLES; role++) {
			shut(&wiring->counters[lane][role]);
			shut(&wiring->counters_read[lane][role]);
		}
	}
}

void wiring_set_conf(struct wiring *wiring, int conf)
{
	shut(&wiring->conf);
	wiring->conf = conf;
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

unsigned wiring_list(const struct wiring *wiring, const struct links *links, enum proc_role role, unsigned lane,
	int fds[WIRING_FDS_MAX])
{
	unsigned n = 0;
	fds[n++] = wiring->conf;
	fds[n++] = wiring->counters[lane][role];
	if (role == PROC_TLS) {
		n += list_channel(&links->wire, fds + n);
		n += list_channel(&links->plain, fds + n);
		fds[n++] = links->keyd[0];
	} else if (role == PROC_KEYD) {
		fds[n++] = links->keyd[1];
	} else {
		n += list_channel(&links->plain, fds + n);
		fds[n++] = wiring->admin[lane];
		for (unsigned of = 0; of < wiring->lanes; of++)
			for (unsigned other = 0; other < PROC_ROLES; other++)
				fds[n++] = wiring->counters_read[of][other];
	}
	return n;
}

unsigned wiring_list_dataplane(const struct wiring *wiring, const int sockets[PROC_LANES_MAX], int fds[WIRING_FDS_MAX])
{
	unsigned n = 0;
	fds[n++] = wiring->conf;
	fds[n++] = wiring->counters[0][PROC_DATAPLANE];
	for (unsigned lane = 1; lane < wiring->lanes; lane++) {
		fds[n++] = sockets[lane];
		fds[n++] = wiring->counters[lane][PROC_DATAPLANE];
	}
	return n;
}
