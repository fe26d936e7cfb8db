/*
 * A link that is not a good one: what comes in at one interface leaves at the other, late, and some of it lost, overtaken,
 * twice or with a byte changed. The same seed gives the same choices for the same frames.
 *
 *     link ONE OTHER SEED LOSS DELAY-MS REORDER DUPLICATE CORRUPT        (in percent, each direction)
 *
 * A frame that is reordered skips the delay. A full queue drops, as a router's does. Runs until it is killed, and then
 * says what it did.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { QUEUE_FRAMES = 4096, FRAME_MAX = 9216, RECEIVE_BUFFER = 8 << 20, BUDGET = 64 };

struct held {
	uint64_t due_us;
	size_t length;
	uint8_t bytes[FRAME_MAX];
};

/* Frames on their way to one end. All have the same delay, so they leave in the order in which they came. */
struct direction {
	int from, to;
	unsigned head, count;
	struct held frames[QUEUE_FRAMES];
};

struct link {
	uint64_t random, delay_us;
	unsigned loss, reorder, duplicate, corrupt;
	unsigned long seen, lost, overtook, doubled, corrupted, overflowed;
	struct direction directions[2];
};

static volatile sig_atomic_t stopping;

static void stop(int number)
{
	(void)number;
	stopping = 1;
}

static uint64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* xorshift64 (Marsaglia, 2003) */
static unsigned draw(struct link *l, unsigned below)
{
	l->random ^= l->random << 13;
	l->random ^= l->random >> 7;
	l->random ^= l->random << 17;
	return (unsigned)((l->random >> 32) % below);
}

static int happens(struct link *l, unsigned percent, unsigned long *counter)
{
	int yes = draw(l, 100) < percent;
	*counter += (unsigned long)yes;
	return yes;
}

static int open_end(const char *name)
{
	struct sockaddr_ll a = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int size = RECEIVE_BUFFER, yes = 1, fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	a.sll_ifindex = (int)if_nametoindex(name);
	if (fd < 0 || !a.sll_ifindex || setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof(yes)) ||
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) || bind(fd, (struct sockaddr *)&a, sizeof(a)))
		err(1, "%s", name);
	return fd;
}

static void emit(struct link *l, int to, const uint8_t *bytes, size_t length)
{
	if (send(to, bytes, length, 0) < 0)
		l->overflowed++;
}

static void hold(struct link *l, struct direction *d, const uint8_t *bytes, size_t length)
{
	if (d->count == QUEUE_FRAMES) {
		l->overflowed++;
		return;
	}
	struct held *h = &d->frames[(d->head + d->count++) % QUEUE_FRAMES];
	h->due_us = now_us() + l->delay_us;
	h->length = length;
	memcpy(h->bytes, bytes, length);
}

/* Behind the Ethernet header, so that what is changed is covered by a checksum of IP, TCP, UDP or ICMP. */
static void corrupt(struct link *l, uint8_t *bytes, size_t length)
{
	if (length > sizeof(struct ether_header))
		bytes[sizeof(struct ether_header) + draw(l, (unsigned)(length - sizeof(struct ether_header)))] ^=
			(uint8_t)(1 + draw(l, 255));
}

static void take(struct link *l, struct direction *d, uint8_t *bytes, size_t length)
{
	l->seen++;
	if (happens(l, l->loss, &l->lost))
		return;
	if (happens(l, l->corrupt, &l->corrupted))
		corrupt(l, bytes, length);
	if (happens(l, l->duplicate, &l->doubled))
		hold(l, d, bytes, length);
	if (happens(l, l->reorder, &l->overtook))
		emit(l, d->to, bytes, length);
	else
		hold(l, d, bytes, length);
}

static void receive(struct link *l, struct direction *d)
{
	uint8_t bytes[FRAME_MAX];
	for (int i = 0; i < BUDGET; i++) {
		ssize_t n = recv(d->from, bytes, sizeof(bytes), MSG_TRUNC);
		if (n < 0)
			return;
		if ((size_t)n > sizeof(bytes))
			l->overflowed++;
		else
			take(l, d, bytes, (size_t)n);
	}
}

static void release(struct link *l, struct direction *d)
{
	for (uint64_t now = now_us(); d->count && d->frames[d->head].due_us <= now; d->count--) {
		emit(l, d->to, d->frames[d->head].bytes, d->frames[d->head].length);
		d->head = (d->head + 1) % QUEUE_FRAMES;
	}
}

static void serve(struct link *l)
{
	struct direction *one = &l->directions[0], *other = &l->directions[1];
	struct pollfd fds[] = {{.fd = one->from, .events = POLLIN}, {.fd = other->from, .events = POLLIN}};
	if (poll(fds, 2, one->count || other->count ? 1 : 100) < 0 && errno != EINTR)
		err(1, "poll");
	for (int i = 0; i < 2; i++) {
		receive(l, &l->directions[i]);
		release(l, &l->directions[i]);
	}
}

static unsigned number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);
	if (!*text || *end || value > 100000)
		errx(1, "%s: not a number that can be used", text);
	return (unsigned)value;
}

int main(int argc, char **argv)
{
	if (argc != 9)
		errx(1, "usage: link ONE OTHER SEED LOSS DELAY-MS REORDER DUPLICATE CORRUPT");
	struct link *l = calloc(1, sizeof(*l));
	if (!l)
		err(1, "memory");
	l->random = 0x9E3779B97F4A7C15u ^ number(argv[3]);
	l->loss = number(argv[4]);
	l->delay_us = (uint64_t)number(argv[5]) * 1000;
	l->reorder = number(argv[6]);
	l->duplicate = number(argv[7]);
	l->corrupt = number(argv[8]);
	int one = open_end(argv[1]), other = open_end(argv[2]);
	l->directions[0].from = l->directions[1].to = one;
	l->directions[0].to = l->directions[1].from = other;
	struct sigaction action = {.sa_handler = stop};
	sigaction(SIGTERM, &action, NULL);
	while (!stopping)
		serve(l);
	printf("seen %lu lost %lu overtook %lu doubled %lu corrupted %lu overflowed %lu\n", l->seen, l->lost, l->overtook,
		l->doubled, l->corrupted, l->overflowed);
	free(l);
	return 0;
}
