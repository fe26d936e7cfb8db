/* Is a tree what the schema of Open XML SPIF asks for, as far as published policies keep to it? */
#ifndef POLICY_LABEL_SPIF_SCHEMA_H
#define POLICY_LABEL_SPIF_SCHEMA_H

#include "policy/element.h"
#include "spif.h"

#define NS_SPIF "http://www.xmlspif.org/spif"

/*
 * Tells of each departure: an error for elements that are not known or are missing,
	a warning for those that are out of
 * order, of no namespace, and for stray text. True if there was no error.
 */
bool spif_schema_holds(const struct node *root, const struct spif_report *report)
	__attribute__((warn_unused_result, nonnull));

/* Of a SPIF that holds: an element of this name, whatever its namespace. */
bool spif_is(const struct node *node, const char *name) __attribute__((nonnull));

void spif_tell(const struct spif_report *report, const struct node *node, bool is_error, const char *format, ...)
	__attribute__((nonnull(1, 4), format(printf, 4, 5)));

#endif
