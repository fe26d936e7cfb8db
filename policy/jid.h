/* XMPP addresses: local@domain/resource (RFC 7622 3.1), in the one form in which they may cross. */
#ifndef POLICY_JID_H
#define POLICY_JID_H

#include <stddef.h>

enum jid_limits { JID_PART_BYTES = 1023 };     /* of each part (RFC 7622 3.2 to 3.4) */

struct jid {                                   /* pointers into the text that was parsed; len 0: absent */
	const char *local, *domain, *resource;
	size_t local_len, domain_len, resource_len;
};

/*
 * Takes `text` apart and checks that each part is its own normal form, so that addresses are equal if their bytes are; a
 * domain has two forms, of U-labels and of A-labels, that jid_domain() makes one. `jid` is filled in any case.
 * 0
 * -EINVAL     there is no usable domain
 * -EILSEQ     the domain is usable, but the address is none of RFC 7622, or not what it normalises to
 * -ENOTUNIQ   RFC 7622 is kept, but servers of RFC 6122 take it for another address
 * -ENOMEM
 */
int jid_parse(struct jid *jid, const char *text) __attribute__((warn_unused_result, nonnull));

#endif
