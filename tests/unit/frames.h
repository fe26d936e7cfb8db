/* Frames made by hand, with sums computed in another way than the dataplane does. */
#ifndef TESTS_FRAMES_H
#define TESTS_FRAMES_H

#include <stddef.h>
#include <stdint.h>

enum { MADE_MAX = 2048 };

struct made {
	uint8_t bytes[MADE_MAX];
	size_t len;                    /* so far */
	size_t ip, tcp;                /* offsets */
};

/* From left to right. Addresses end in `from` and `to`; a MAC address is 02:00:00:00:00:XX. */
void make_ethernet(struct made *made, uint8_t from, uint8_t to);
void make_tag(struct made *made, uint16_t tpid, uint16_t tci);
void make_ipv4(struct made *made, uint8_t from, uint8_t to, uint8_t protocol);
void make_ipv6(struct made *made, uint8_t from, uint8_t to, uint8_t next);
void make_extension(struct made *made, uint8_t next, unsigned units);  /* of 8 bytes; hop-by-hop and the like */
void make_fragment_header(struct made *made, uint8_t next, unsigned offset, unsigned more);
void make_bytes(struct made *made, const void *bytes, size_t n);

struct made_tcp {
	uint16_t from, to;
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t window;
	const uint8_t *options;
	size_t options_len;            /* a multiple of 4 */
	const void *data;
	size_t data_len;
};
void make_tcp(struct made *made, const struct made_tcp *tcp);

/* Fills lengths and checksums, as far as the headers are there. */
void make_done(struct made *made);

/* One's complement sum of the bytes, as of RFC 1071, and of TCP over what the IP header says. 0: right. */
uint16_t sum_of(const uint8_t *bytes, size_t n);
uint16_t tcp_sum_of(const uint8_t *ip, const uint8_t *tcp, size_t tcp_len);

#endif
