/* Writing labels and clearances in DER: what ess.c holds what it read against. */
#ifndef POLICY_LABEL_ESS_WRITE_H
#define POLICY_LABEL_ESS_WRITE_H

#include "ess.h"

#define ESS_ACP145 "2.16.840.1.101.2.1.8.3"
#define ESS_MISSI "2.16.840.1.101.2.1.8.1"
#define ESS_SSL_PRIVILEGES "2.16.840.1.101.2.1.8.2"
enum { ESS_UNCLASSIFIED = 1, ESS_CATEGORIES_MAX = 64 };

/* `tagged`: with the tags [0], [1] and [2] of RFC 3281. As ess_clearance_encode(). */
int ess_clearance_write(struct arena *arena, const struct clearance *clearance, bool tagged, const uint8_t **bytes,
	size_t *len) __attribute__((warn_unused_result, nonnull));

/* Whether it may be a privacy mark: 1 to 128 characters, of UTF-8 or of PrintableString. */
bool ess_is_mark(const char *text, size_t len, bool is_utf8) __attribute__((nonnull));

#endif
