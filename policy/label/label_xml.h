/*
 * Labels and clearances in XML: STANAG 4774 (and in a binding of STANAG 4778), the spiffy form of Surevine,
	IC-ISM. Names
 * are looked up in the policies.
 */
#ifndef POLICY_LABEL_LABEL_XML_H
#define POLICY_LABEL_LABEL_XML_H

#include "label.h"
#include "policy/element.h"
#include "spif.h"

#define NS_4774_LABEL "urn:nato:stanag:4774:confidentialitymetadatalabel:1:0"
#define NS_4774_CLEARANCE "urn:nato:stanag:4774:confidentialityclearance:1:0"
#define NS_4778_BINDING "urn:nato:stanag:4778:bindinginformation:1:0"
#define NS_SPIFFY "http://surevine.com/xmlns/spiffy"
#define NS_ISM "urn:us:gov:ic:ism"
#define NS_ISM_V2 "urn:us:gov:ic:ism:v2"

/*
 * 0; -ENOENT: `node` is of none of these forms; -EBADMSG: a bad one, -ENOKEY: of a policy,
	classification or category that
 * is not known, each with a static text in *why; -ENOMEM. Numbers of spiffy labels are taken as they are.
 */
int label_xml_read(const struct spif_set *set, struct arena *arena, const struct node *node, struct label *label,
	const char **why) __attribute__((warn_unused_result, nonnull));
int clearance_xml_read(const struct spif_set *set, struct arena *arena, const struct node *node,
	struct clearance *clearance, const char **why) __attribute__((warn_unused_result, nonnull));

/* The label in a BindingInformation (4778); NULL: there is none. */
const struct node *label_in_binding(const struct node *binding) __attribute__((nonnull));

/* Trees in the arena. 0; -ENOKEY: the policy has no name for something; -ENOMEM. `created` is seconds since 1970. */
int label_4774_write(const struct spif *spif, struct arena *arena, const struct label *label, int64_t created,
	struct node **node) __attribute__((warn_unused_result, nonnull));
int clearance_4774_write(const struct spif *spif, struct arena *arena, const struct clearance *clearance,
	struct node **node) __attribute__((warn_unused_result, nonnull));
/* `spif` may be NULL: then there are numbers only. */
int label_spiffy_write(const struct spif *spif, struct arena *arena, const struct label *label, struct node **node)
	__attribute__((warn_unused_result, nonnull(2, 3, 4)));
int clearance_spiffy_write(const struct spif *spif, struct arena *arena, const struct clearance *clearance,
	struct node **node) __attribute__((warn_unused_result, nonnull(2, 3, 4)));

#endif
