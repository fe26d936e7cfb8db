/*
 * Small frames, as many as go or so many a second: UDP over IPv4, 64 bytes with the checksum that the wire adds, to an
 * address that nobody has, so that the other end counts them and does nothing else.
 *
 *     flood INTERFACE DESTINATION-MAC SECONDS [FRAMES-PER-SECOND]      prints how many were sent and in how many seconds
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

enum { FRAME = 60, BATCH = 64, DISCARD = 9 };
enum { FROM = 0xc6120001, TO = 0xc6120002 };   /* 198.18.0.0/15, for benchmarks (RFC 2544) */

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint16_t sum(const uint8_t *bytes, size_t n)
{
	uint32_t total = 0;
	for (size_t i = 0; i < n; i += 2)
		total += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	total = (total & 0xffff) + (total >> 16);
	return (uint16_t)~((total & 0xffff) + (total >> 16));
}

static void write_frame(uint8_t *bytes, int fd, const char *interface, const char *destination)
{
	struct ifreq request = {0};
	struct ether_addr *to = ether_aton(destination);
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	if (!to || ioctl(fd, SIOCGIFHWADDR, &request))
		errx(1, "%s or %s cannot be used", interface, destination);
	struct ether_header ethernet = {.ether_type = htons(ETHERTYPE_IP)};
	memcpy(ethernet.ether_dhost, to, ETH_ALEN);
	memcpy(ethernet.ether_shost, request.ifr_hwaddr.sa_data, ETH_ALEN);
	struct iphdr ip = {.version = 4, .ihl = 5, .tot_len = htons(FRAME - sizeof(ethernet)), .ttl = 64,
		.protocol = IPPROTO_UDP, .saddr = htonl(FROM), .daddr = htonl(TO)};
	ip.check = htons(sum((const uint8_t *)&ip, sizeof(ip)));
	struct udphdr udp = {.uh_sport = htons(DISCARD), .uh_dport = htons(DISCARD),
		.uh_ulen = htons(FRAME - sizeof(ethernet) - sizeof(ip))};
	memcpy(bytes, &ethernet, sizeof(ethernet));
	memcpy(bytes + sizeof(ethernet), &ip, sizeof(ip));
	memcpy(bytes + sizeof(ethernet) + sizeof(ip), &udp, sizeof(udp));
}

static int open_interface(const char *name)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(name)};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);       /* protocol 0: it receives nothing */
	if (fd < 0 || !address.sll_ifindex || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		err(1, "%s", name);
	return fd;
}

int main(int argc, char **argv)
{
	if (argc < 4 || argc > 5)
		errx(2, "usage: flood INTERFACE DESTINATION-MAC SECONDS [FRAMES-PER-SECOND]");
	uint8_t frame[FRAME] = {0};
	struct iovec iov = {frame, sizeof(frame)};
	struct mmsghdr batch[BATCH];
	int fd = open_interface(argv[1]);
	write_frame(frame, fd, argv[1], argv[2]);
	for (unsigned i = 0; i < BATCH; i++)
		batch[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}};
	double seconds = strtod(argv[3], NULL), rate = argc == 5 ? strtod(argv[4], NULL) : 0, start = now(), elapsed;
	unsigned long sent = 0;
	while ((elapsed = now() - start) < seconds) {
		unsigned long due = rate > 0 ? (unsigned long)(elapsed * rate) - sent : BATCH;
		int n = due ? sendmmsg(fd, batch, due < BATCH ? (unsigned)due : BATCH, 0) : 0;
		if (n < 0 && errno != ENOBUFS)
			err(1, "sendmmsg");
		sent += n > 0 ? (unsigned long)n : 0;
		if (rate > 0)
			nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
	}
	printf("%lu %.6f\n", sent, elapsed);
	return 0;
}
