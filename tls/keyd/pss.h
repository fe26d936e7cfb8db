/* Blocks that are signed by RSASSA-PSS. */
#ifndef KEYD_PSS_H
#define KEYD_PSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is this what EMSA-PSS (RFC 8017 9.1.1) makes of a digest, with SHA-256, -384 or -512 and as much salt, for a modulus of
 * `bits`? Whoever can answer that without the digest cannot be made to sign anything else. */
bool pss_is_block(const uint8_t *block, size_t len, unsigned bits) __attribute__((nonnull));

#endif
