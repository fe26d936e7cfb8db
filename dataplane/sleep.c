/* Sleeping; see sleep.h. */
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <time.h>

#include "dataplane/base/log.h"
#include "dataplane/base/proc.h"
#include "sleep.h"

enum { AT_SUPERVISOR, AT_CHANNEL, AT_SOCKETS, DESCRIPTORS_LOOKED_AT = 1024 };

/* Bound to a protocol: the sockets that hold a membership only are not. */
static bool is_receiving_packet_socket(int fd)
{
	struct sockaddr_ll bound = {0};
	socklen_t size = sizeof(bound);
	return !getsockname(fd, (struct sockaddr *)&bound, &size) && bound.sll_family == AF_PACKET && bound.sll_protocol;
}

void sleeper_init(struct sleeper *sleeper, unsigned ports_without)
{
	*sleeper = (struct sleeper){.naps = ports_without > 0, .nap_us = SLEEP_NAP_MIN_US};
	sleeper->fds[AT_SUPERVISOR] = (struct pollfd){.fd = PROC_FD_SUPERVISOR, .events = POLLIN};
	for (int fd = 0; fd < DESCRIPTORS_LOOKED_AT; fd++) {
		if (!is_receiving_packet_socket(fd))
			continue;
		if (sleeper->sockets == SLEEP_SOCKETS_MAX)
			fatalx("too many packet sockets");
		sleeper->fds[AT_SOCKETS + sleeper->sockets++] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
	if (sleeper->sockets + ports_without < 2)
		sleeper->naps = true;
}

/* An error (the interface went down) would wake us for ever if it were not taken. */
static unsigned take_errors(struct sleeper *sleeper)
{
	unsigned errors = 0;
	for (unsigned i = AT_SOCKETS; i < AT_SOCKETS + sleeper->sockets; i++) {
		if (!(sleeper->fds[i].revents & (POLLERR | POLLHUP | POLLNVAL)))
			continue;
		int error;
		socklen_t size = sizeof(error);
		getsockopt(sleeper->fds[i].fd, SOL_SOCKET, SO_ERROR, &error, &size);
		errors++;
	}
	return errors;
}

unsigned sleeper_wait(struct sleeper *sleeper, int channel_fd, uint64_t us)
{
	if (sleeper->naps && us > sleeper->nap_us)
		us = sleeper->nap_us;
	if (sleeper->nap_us < SLEEP_NAP_MAX_US)
		sleeper->nap_us *= 2;
	struct timespec timeout = {.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000};
	sleeper->fds[AT_CHANNEL] = (struct pollfd){.fd = channel_fd, .events = POLLIN};
	int ready = ppoll(sleeper->fds, AT_SOCKETS + sleeper->sockets, us == UINT64_MAX ? NULL : &timeout, NULL);
	return ready > 0 ? take_errors(sleeper) : 0;
}
