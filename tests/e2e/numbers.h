/* What number n of something is made of: always the same, and nothing like that of n + 1. */
#ifndef TESTS_E2E_NUMBERS_H
#define TESTS_E2E_NUMBERS_H

#include <stdint.h>

/* splitmix64 (Steele, Lea, Flood 2014). */
static inline uint64_t mix(uint64_t number)
{
	uint64_t z = (number + 1) * 0x9E3779B97F4A7C15u;
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

#endif
