#include <assert.h>
#include <string.h>

#include "frames.h"

static void append(struct made *made, const void *bytes, size_t n)
{
	assert(made->len + n <= MADE_MAX);
	memcpy(made->bytes + made->len, bytes, n);
	made->len += n;
}

static void append16(struct made *made, unsigned v)
{
	append(made, (uint8_t[]){(uint8_t)(v >> 8), (uint8_t)v}, 2);
}

static void append32(struct made *made, uint32_t v)
{
	append16(made, v >> 16);
	append16(made, v & 0xffff);
}

void make_ethernet(struct made *made, uint8_t from, uint8_t to)
{
	made->len = made->ip = made->tcp = 0;
	append(made, (uint8_t[]){2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from}, 12);
}

void make_tag(struct made *made, uint16_t tpid, uint16_t tci)
{
	append16(made, tpid);
	append16(made, tci);
}

void make_ipv4(struct made *made, uint8_t from, uint8_t to, uint8_t protocol)
{
	append16(made, 0x0800);
	made->ip = made->len;
	append(made, (uint8_t[]){0x45, 0, 0, 0, 0x12, 0x34, 0x40, 0, 64, protocol, 0, 0, 10, 0, 0, from, 10, 0, 0, to}, 20);
}

void make_ipv6(struct made *made, uint8_t from, uint8_t to, uint8_t next)
{
	append16(made, 0x86dd);
	made->ip = made->len;
	append(made, (uint8_t[]){0x60, 0, 0, 0, 0, 0, next, 64}, 8);
	append(made, (uint8_t[]){0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, from}, 16);
	append(made, (uint8_t[]){0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, to}, 16);
}

void make_extension(struct made *made, uint8_t next, unsigned units)
{
	static const uint8_t padding[8];
	append(made, (uint8_t[]){next, (uint8_t)(units - 1), 1, 4, 0, 0, 0, 0}, 8);
	for (unsigned i = 1; i < units; i++)
		append(made, padding, 8);
}

void make_fragment_header(struct made *made, uint8_t next, unsigned offset, unsigned more)
{
	append(made, (uint8_t[]){next, 0}, 2);
	append16(made, offset << 3 | more);
	append32(made, 0x01020304);
}

void make_bytes(struct made *made, const void *bytes, size_t n)
{
	append(made, bytes, n);
}

void make_tcp(struct made *made, const struct made_tcp *tcp)
{
	made->tcp = made->len;
	append16(made, tcp->from);
	append16(made, tcp->to);
	append32(made, tcp->seq);
	append32(made, tcp->ack);
	append(made, (uint8_t[]){(uint8_t)((20 + tcp->options_len) / 4 << 4), tcp->flags}, 2);
	append16(made, tcp->window);
	append32(made, 0);
	if (tcp->options_len)
		append(made, tcp->options, tcp->options_len);
	if (tcp->data_len)
		append(made, tcp->data, tcp->data_len);
}

static void set16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void make_done(struct made *made)
{
	uint8_t *ip = made->bytes + made->ip, *tcp = made->bytes + made->tcp;
	size_t ip_len = made->len - made->ip;
	if (ip[0] >> 4 == 4) {
		set16(ip + 2, (unsigned)ip_len);
		set16(ip + 10, 0);
		set16(ip + 10, sum_of(ip, (ip[0] & 15) * 4u));
	} else {
		set16(ip + 4, (unsigned)ip_len - 40);
	}
	if (!made->tcp)
		return;
	set16(tcp + 16, 0);
	set16(tcp + 16, tcp_sum_of(ip, tcp, made->len - made->tcp));
}

static uint32_t add(uint32_t sum, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return sum;
}

uint16_t sum_of(const uint8_t *bytes, size_t n)
{
	return (uint16_t)~add(0, bytes, n);
}

uint16_t tcp_sum_of(const uint8_t *ip, const uint8_t *tcp, size_t tcp_len)
{
	uint32_t sum = ip[0] >> 4 == 4 ? add(0, ip + 12, 8) : add(0, ip + 8, 32);
	sum = add(sum, (uint8_t[]){0, 6, (uint8_t)(tcp_len >> 8), (uint8_t)tcp_len}, 4);
	return (uint16_t)~add(sum, tcp, tcp_len);
}
