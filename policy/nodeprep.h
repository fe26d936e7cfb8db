/*
 * How servers before PRECIS read an address: by the stringprep profiles of RFC 6122, whose Unicode is that of 2002. They
 * fold letters that PRECIS keeps apart, and what looks like others.
 */
#ifndef POLICY_NODEPREP_H
#define POLICY_NODEPREP_H

#include <stddef.h>

enum nodeprep_part { NODEPREP_LOCAL, NODEPREP_DOMAIN, NODEPREP_RESOURCE };

/*
 * Does such a server, or one with newer tables, read in this part of a JID what stands there, or refuse it? 0; -ENOTUNIQ:
 * it reads something else; -ENOMEM. The part is UTF-8 and JID_PART_BYTES long at most.
 */
int nodeprep_check(enum nodeprep_part part, const char *text, size_t len) __attribute__((warn_unused_result, nonnull));

#endif
