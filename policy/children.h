/* The children of a stanza that RFC 6120 and 6121 define. Those of other namespaces are left to policy. */
#ifndef POLICY_CHILDREN_H
#define POLICY_CHILDREN_H

#include "stage.h"

/* What is wrong with a child or with how many there are; NULL: nothing. The text is static. */
const char *children_fault(const struct node *stanza, enum stanza_kind kind) __attribute__((nonnull));

/* The same of an <error/> (RFC 6120 8.3.2). */
const char *stanza_error_fault(const struct node *error) __attribute__((nonnull));

/*
 * Has it an attribute other than xml:lang and those named, which are in no namespace? `allowed` ends with NULL.
 * Those of other namespaces are unknown too: the schemas have none, and some servers look only at the local name.
 */
bool has_unknown_attribute(const struct node *node, const char *const *allowed) __attribute__((nonnull));

/* Is it in the namespace of stanzas, or in one that somebody could take for it? */
bool is_of_stanza(const struct node *child) __attribute__((nonnull));

#endif
