/*
 * A label or clearance in whichever form it comes: the element inside <label/> of XEP-0258,
	or a file; and a label as such
 * an element.
 */
#ifndef POLICY_LABEL_LABEL_FORM_H
#define POLICY_LABEL_LABEL_FORM_H

#include "label_xml.h"

#define NS_SEC_LABEL "urn:xmpp:sec-label:0"
#define NS_SEC_LABEL_ESS "urn:xmpp:sec-label:ess:0"
#define NS_CATALOG "urn:xmpp:sec-label:catalog:2"

struct label_reader {
	const struct spif_set *set;
	struct arena *arena;
	bool ber;
	const char *why;               /* after a fault: static */
};

/* 0; -ENOENT: of no form that is known; -EBADMSG, -ENOKEY: as label_xml_read(); -ENOMEM. */
int label_read_element(struct label_reader *reader, const struct node *node, struct label *label)
	__attribute__((warn_unused_result, nonnull));
/* A file: XML, base64, or DER. XML may be a <securitylabel/>, of which its <label/> is read. */
int label_read_bytes(struct label_reader *reader, const char *bytes, size_t len, struct label *label)
	__attribute__((warn_unused_result, nonnull));
int clearance_read_bytes(struct label_reader *reader, const char *bytes, size_t len, struct clearance *clearance)
	__attribute__((warn_unused_result, nonnull));

/* An <esssecuritylabel/> in the arena. 0; -EDOM: it has what only names can tell; -ENOMEM. */
int label_ess_element(struct arena *arena, const struct label *label, struct node **node)
	__attribute__((warn_unused_result, nonnull));

#endif
