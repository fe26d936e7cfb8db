/*
 * Links in text: which there are, of which scheme, to which host. What is looked for is what clients make a link of:
 * `scheme://...`, schemes that lead somewhere without a host (mailto:, tel:, data:, ...), and `www.`.
 */
#ifndef POLICY_URLS_H
#define POLICY_URLS_H

#include <stdbool.h>
#include <stddef.h>

#include "jid.h"

struct url {
	char scheme[32];               /* lower case; "http" of www. */
	bool has_host;
	char host[JID_PART_BYTES + 1]; /* lower-case A-labels; "": it cannot be told which host is meant */
};

/* The next in a text from *at on, which is moved behind where it begins. False: there is none. */
bool url_find(const char *text, size_t len, size_t *at, struct url *url) __attribute__((warn_unused_result, nonnull));

#endif
