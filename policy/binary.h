/* What kind of file some bytes are, by how they begin. */
#ifndef POLICY_BINARY_H
#define POLICY_BINARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Its media type; "": none that is known here. Static. */
const char *binary_type(const uint8_t *bytes, size_t len) __attribute__((nonnull));

/* May bytes that are `found`, as binary_type() says, be declared as this? Types in lower case. What is not known here may
 * be declared as anything that is not; application/octet-stream declares nothing. */
bool binary_type_fits(const char *declared, const char *found) __attribute__((nonnull));

#endif
