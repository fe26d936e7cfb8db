/* Sleeping; see sleep.h. */
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <time.h>

#include "dataplane/base/log.h"
#include "sleep.h"

enum { AT_SUPERVISOR, AT_CHANNEL, AT_BELL, AT_SOCKETS, DESCRIPTORS_LOOKED_AT = 1024 };

/* Bound to a protocol: the sockets that hold a membership only are not. */
static bool is_receiving_packet_socket(int fd, unsigned if_index)
{
	struct sockaddr_ll bound = {0};
	socklen_t size = sizeof(bound);
	return !getsockname(fd, (struct sockaddr *)&bound, &size) && bound.sll_family == AF_PACKET &&
		bound.sll_protocol && (unsigned)bound.sll_ifindex == if_index;
}

void sleeper_init(struct sleeper *sleeper, int supervisor, int bell)
{
	*sleeper = (struct sleeper){.nap_us = SLEEP_NAP_MIN_US};
	sleeper->fds[AT_SUPERVISOR] = (struct pollfd){.fd = supervisor, .events = POLLIN};
	sleeper->fds[AT_BELL] = (struct pollfd){.fd = bell, .events = POLLIN};
}

static bool is_xdp_socket(int fd)
{
	int domain = 0;
	socklen_t size = sizeof(domain);
	return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) && domain == AF_XDP;
}

static void add_socket(struct sleeper *sleeper, int fd)
{
	if (sleeper->sockets == SLEEP_SOCKETS_MAX)
		fatalx("too many packet sockets");
	sleeper->fds[AT_SOCKETS + sleeper->sockets++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

void sleeper_add_port(struct sleeper *sleeper, unsigned if_index)
{
	unsigned before = sleeper->sockets;
	for (int fd = 0; if_index && fd < DESCRIPTORS_LOOKED_AT; fd++)
		if (is_receiving_packet_socket(fd, if_index))
			add_socket(sleeper, fd);
	if (sleeper->sockets == before)
		sleeper->naps = true;
}

void sleeper_add_xdp(struct sleeper *sleeper)
{
	unsigned before = sleeper->sockets;
	for (int fd = 0; fd < DESCRIPTORS_LOOKED_AT; fd++)
		if (is_xdp_socket(fd))
			add_socket(sleeper, fd);
	if (sleeper->sockets == before)
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
