/* The Internet checksum (RFC 1071). Sums are kept in native byte order between the steps, and folded to host order. */
#ifndef DATAPLANE_CHECKSUM_H
#define DATAPLANE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#include <rte_byteorder.h>
#include <rte_ip.h>

/* Adds len bytes. Only the last piece that is added may be of odd length. */
static inline uint32_t checksum_add(uint32_t sum, const void *bytes, size_t len)
{
	return __rte_raw_cksum(bytes, len, sum);
}

static inline uint16_t checksum_fold(uint32_t sum)
{
	return rte_be_to_cpu_16(__rte_raw_cksum_reduce(sum));
}

/* The pseudo-header over IPv4 or IPv6 of `len` bytes of this protocol (RFC 9293 3.1, RFC 8200 8.1). */
static inline uint32_t checksum_pseudo(
	const uint8_t *src, const uint8_t *dst, size_t address_bytes, size_t len, uint8_t protocol)
{
	const uint32_t rest[2] = {rte_cpu_to_be_32((uint32_t)len), rte_cpu_to_be_32(protocol)};
	uint32_t sum = checksum_add(0, src, address_bytes);
	return checksum_add(checksum_add(sum, dst, address_bytes), rest, sizeof(rest));
}

#endif
