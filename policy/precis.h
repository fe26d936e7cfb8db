/*
 * Strings as PRECIS prepares, enforces and compares them (RFC 8264), by the two profiles that addresses use. What Unicode
 * says of a character comes from libunistring; only the rules of the profiles are here.
 */
#ifndef POLICY_PRECIS_H
#define POLICY_PRECIS_H

#include <stddef.h>

enum precis_profile {
	PRECIS_USERNAME,       /* UsernameCaseMapped (RFC 8265 3.3), of localparts (RFC 7622 3.3) */
	PRECIS_OPAQUE,         /* OpaqueString (RFC 8265 4.2), of resourceparts (RFC 7622 3.4) */
};

/*
 * The normal form of `text`, for the caller to free(); two strings are the same if their normal forms are. 0; -EILSEQ if
 * the profile does not allow the string (also: not UTF-8, empty); -ENOMEM.
 */
int precis_normalise(enum precis_profile profile, const char *text, size_t len, char **out, size_t *out_len)
	__attribute__((warn_unused_result, nonnull));

#endif
