/* Domain names in the one form in which they are compared: lower-case A-labels (RFC 5890). */
#ifndef BASE_DOMAIN_H
#define BASE_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>

enum domain_limits { DOMAIN_TEXT_BYTES = 1024 };       /* with the NUL; RFC 7622: the most that a domainpart has */

/* Turns U-labels (UTF-8) into A-labels, and capitals into small letters. `text` need not end with a NUL. False: it is no
 * domain name in the sense of IDNA 2008, has a NUL or is empty, or does not fit; `out` is "" then. */
bool domain_to_a_labels(char *out, size_t size, const char *text, size_t len)
	__attribute__((warn_unused_result, nonnull));

/* The other way round, for addresses in certificates. What has no A-labels, or broken ones, stays as it is. */
void domain_to_u_labels(char *out, size_t size, const char *domain) __attribute__((nonnull));

#endif
