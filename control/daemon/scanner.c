/* Connections to the scanner; see scanner.h. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "scanner.h"

union place {
	struct sockaddr any;
	struct sockaddr_un local;
	struct sockaddr_in ip4;
	struct sockaddr_in6 ip6;
};

static socklen_t place_of(const struct conf_scanner *scanner, union place *place)
{
	memset(place, 0, sizeof(*place));
	if (scanner->kind == SCANNER_CLAMD) {
		place->local.sun_family = AF_UNIX;
		memcpy(place->local.sun_path, scanner->path, sizeof(place->local.sun_path));
		return sizeof(place->local);
	}
	if (scanner->address.family == 4) {
		place->ip4.sin_family = AF_INET;
		place->ip4.sin_port = htons(scanner->port);
		memcpy(&place->ip4.sin_addr, scanner->address.bytes, sizeof(place->ip4.sin_addr));
		return sizeof(place->ip4);
	}
	place->ip6.sin6_family = AF_INET6;
	place->ip6.sin6_port = htons(scanner->port);
	memcpy(&place->ip6.sin6_addr, scanner->address.bytes, sizeof(place->ip6.sin6_addr));
	return sizeof(place->ip6);
}

int scanner_dial(const struct conf_scanner *scanner)
{
	union place place;
	static_assert(sizeof(scanner->path) == sizeof(place.local.sun_path), "a path that fits");
	if (scanner->kind == SCANNER_NONE)
		return -ENOENT;
	socklen_t size = place_of(scanner, &place);
	int fd = socket(place.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, &place.any, size) || errno == EINPROGRESS)
		return fd;
	int error = errno;
	close(fd);
	return -error;
}
