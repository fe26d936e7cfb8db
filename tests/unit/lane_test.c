/* Which lane a frame belongs to: both directions, all fragments and all tags the same, and as a device would spread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_byteorder.h>
#include <rte_thash.h>

#include "dataplane/lane.h"
#include "frames.h"

enum { TCP = 6, UDP = 17, HOP_BY_HOP = 0, FRAGMENT = 44, CLIENT = 1, SERVER = 2, PAIRS = 2000 };

static struct made segment(uint8_t family, uint8_t from, uint8_t to, unsigned tags)
{
	struct made made;
	make_ethernet(&made, from, to);
	for (unsigned i = tags; i > 0; i--)
		make_tag(&made, i > 1 ? 0x88a8 : 0x8100, (uint16_t)i);
	if (family == 4)
		make_ipv4(&made, from, to, TCP);
	else
		make_ipv6(&made, from, to, TCP);
	make_tcp(&made, &(struct made_tcp){.from = 40000, .to = 5269});
	make_done(&made);
	return made;
}

static unsigned slot(const struct made *made)
{
	return lane_slot(made->bytes, made->len);
}

static void is_the_same_both_ways_with_any_tags(void **state)
{
	(void)state;
	for (uint8_t family = 4; family <= 6; family += 2)
		for (uint8_t to = 2; to < 100; to++) {
			struct made plain = segment(family, CLIENT, to, 0);
			for (unsigned tags = 0; tags <= 10; tags++) {
				struct made there = segment(family, CLIENT, to, tags), back = segment(family, to, CLIENT, tags);
				assert_int_equal(slot(&there), slot(&plain));
				assert_int_equal(slot(&back), slot(&plain));
			}
		}
}

static void ports_and_protocols_do_not_matter(void **state)
{
	(void)state;
	struct made tcp = segment(4, CLIENT, SERVER, 0), other = tcp;
	other.bytes[other.ip + 9] = UDP;
	other.bytes[other.tcp] ^= 0x5a;
	assert_int_equal(slot(&other), slot(&tcp));
	struct made fragment = tcp;
	fragment.bytes[fragment.ip + 6] = 0x20; /* more to come */
	assert_int_equal(slot(&fragment), slot(&tcp));
	fragment.bytes[fragment.ip + 6] = 0;
	fragment.bytes[fragment.ip + 7] = 185; /* a later one, without ports */
	fragment.len = fragment.ip + 20 + 8;
	assert_int_equal(slot(&fragment), slot(&tcp));
	struct made options;
	make_ethernet(&options, CLIENT, SERVER);
	make_ipv4(&options, CLIENT, SERVER, TCP);
	options.bytes[options.ip] = 0x47;
	make_bytes(&options, "\x94\4\0\0\1\1\1\1", 8);
	make_tcp(&options, &(struct made_tcp){.from = 1, .to = 2});
	assert_int_equal(slot(&options), slot(&tcp));
}

static void extension_headers_do_not_matter(void **state)
{
	(void)state;
	struct made tcp = segment(6, CLIENT, SERVER, 0), chain, fragment;
	make_ethernet(&chain, CLIENT, SERVER);
	make_ipv6(&chain, CLIENT, SERVER, HOP_BY_HOP);
	make_extension(&chain, 60, 3);
	make_extension(&chain, TCP, 1);
	make_tcp(&chain, &(struct made_tcp){.from = 1, .to = 2});
	assert_int_equal(slot(&chain), slot(&tcp));
	make_ethernet(&fragment, SERVER, CLIENT);
	make_ipv6(&fragment, SERVER, CLIENT, FRAGMENT);
	make_fragment_header(&fragment, TCP, 100, 0);
	make_bytes(&fragment, "rest", 4);
	assert_int_equal(slot(&fragment), slot(&tcp));
}

/* A router, whose address is of no matter, tells CLIENT that a packet did not get through. */
static void what_icmp_says_goes_where_the_packet_belongs(void **state)
{
	(void)state;
	for (uint8_t router = 10; router < 60; router++) {
		struct made tcp = segment(4, CLIENT, SERVER, 0), error;
		make_ethernet(&error, router, CLIENT);
		make_ipv4(&error, router, CLIENT, 1);
		make_bytes(&error, "\3\4\0\0\0\0\5\0", 8);
		make_bytes(&error, tcp.bytes + tcp.ip, 28);
		assert_int_equal(slot(&error), slot(&tcp));
		struct made plain = segment(4, router, CLIENT, 0), echo = error, cut = error, fragment = error;
		echo.bytes[echo.ip + 20] = 8;
		assert_int_equal(slot(&echo), slot(&plain));
		cut.len -= 9;
		assert_int_equal(slot(&cut), slot(&plain));
		fragment.bytes[fragment.ip + 7] = 1;
		assert_int_equal(slot(&fragment), slot(&plain));
		tcp = segment(6, CLIENT, SERVER, 0);
		make_ethernet(&error, router, CLIENT);
		make_ipv6(&error, router, CLIENT, 58);
		make_bytes(&error, "\2\0\0\0\0\0\5\0", 8);
		make_bytes(&error, tcp.bytes + tcp.ip, 48);
		assert_int_equal(slot(&error), slot(&tcp));
		plain = segment(6, router, CLIENT, 0);
		error.bytes[error.ip + 40] = 135; /* neighbour solicitation */
		assert_int_equal(slot(&error), slot(&plain));
	}
}

/* The sum that a device makes of the same addresses with the key that it is given. */
static uint32_t device_sum(const uint8_t *addresses, unsigned bytes)
{
	uint8_t key[52];
	uint32_t words[8];
	for (unsigned i = 0; i < sizeof(key); i++)
		key[i] = i % 2 ? LANE_KEY & 0xff : LANE_KEY >> 8;
	memcpy(words, addresses, bytes);
	for (unsigned i = 0; i < bytes / 4; i++)
		words[i] = rte_be_to_cpu_32(words[i]);
	return rte_softrss(words, bytes / 4, key);
}

static void is_what_a_device_computes(void **state)
{
	(void)state;
	unsigned seed = 4711, used[LANE_SLOTS] = {0};
	for (unsigned i = 0; i < PAIRS; i++) {
		struct made v4 = segment(4, CLIENT, SERVER, 0), v6 = segment(6, CLIENT, SERVER, 0);
		for (unsigned k = 0; k < 8; k++)
			v4.bytes[v4.ip + 12 + k] = (uint8_t)rand_r(&seed);
		for (unsigned k = 0; k < 32; k++)
			v6.bytes[v6.ip + 8 + k] = (uint8_t)rand_r(&seed);
		assert_int_equal(slot(&v4), device_sum(v4.bytes + v4.ip + 12, 8) % LANE_SLOTS);
		assert_int_equal(slot(&v6), device_sum(v6.bytes + v6.ip + 8, 32) % LANE_SLOTS);
		used[slot(&v4)]++;
	}
	for (unsigned s = 0; s < LANE_SLOTS; s++)
		assert_in_range(used[s], PAIRS / LANE_SLOTS / 3, PAIRS / LANE_SLOTS * 3);
}

/* Neighbours in one network, as servers are. */
static void spreads_neighbours(void **state)
{
	(void)state;
	for (unsigned lanes = 2; lanes <= 16; lanes++) {
		unsigned used[16] = {0};
		for (uint8_t to = 2; to < 254; to++) {
			struct made made = segment(4, CLIENT, to, 0);
			unsigned lane = lane_of(made.bytes, made.len, lanes);
			assert_in_range(lane, 0, lanes - 1);
			used[lane]++;
		}
		for (unsigned lane = 0; lane < lanes; lane++)
			assert_in_range(used[lane], 252 / lanes / 3, 252 / lanes * 3);
	}
}

/* Cut off anywhere, in memory that ends there (a sanitizer looks on): the first lane, until both addresses are there. */
static void what_is_not_ip_is_of_the_first(void **state)
{
	(void)state;
	for (unsigned tags = 0; tags <= 3; tags++)
		for (uint8_t family = 4; family <= 6; family += 2) {
			struct made made = segment(family, CLIENT, 8, tags);
			assert_int_not_equal(slot(&made), 0);
			size_t header = family == 4 ? 20 : 40;
			for (size_t len = 0; len < made.len; len++) {
				uint8_t *cut = malloc(len ? len : 1);
				memcpy(cut, made.bytes, len);
				assert_int_equal(lane_slot(cut, len), len < made.ip + header ? 0 : slot(&made));
				free(cut);
			}
			made.bytes[made.ip - 1] ^= 1;
			assert_int_equal(slot(&made), 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_the_same_both_ways_with_any_tags),
		cmocka_unit_test(ports_and_protocols_do_not_matter),
		cmocka_unit_test(extension_headers_do_not_matter),
		cmocka_unit_test(what_icmp_says_goes_where_the_packet_belongs),
		cmocka_unit_test(is_what_a_device_computes),
		cmocka_unit_test(spreads_neighbours),
		cmocka_unit_test(what_is_not_ip_is_of_the_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
