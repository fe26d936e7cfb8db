/* The parts of an XMPP address: local@domain/resource (RFC 7622 3.1). */
#ifndef POLICY_JID_H
#define POLICY_JID_H

#include <stddef.h>

enum jid_limits { JID_PART_BYTES = 1023 };     /* of each part (RFC 7622 3.2 to 3.4) */

struct jid {                                   /* pointers into the text that was parsed; len 0: absent */
	const char *local, *domain, *resource;
	size_t local_len, domain_len, resource_len;
};

/*
 * Takes `text` apart and checks each part. 0; -EINVAL if there is no usable domain; -EILSEQ if the domain is good, but
 * another part is not.
 */
int jid_parse(struct jid *jid, const char *text) __attribute__((warn_unused_result, nonnull));

#endif
