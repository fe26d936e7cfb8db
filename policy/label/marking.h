/* What people are shown of a label, as its policy says. */
#ifndef POLICY_LABEL_MARKING_H
#define POLICY_LABEL_MARKING_H

#include "decide.h"

enum { MARKING_BYTES = 1024 };

/* `code` is MARKING_PAGE or MARKING_FIRST_LINE; `language` a tag or "". Cut behind a character if it does not fit. */
void label_marking(const struct known_label *label, unsigned code, const char *language, char *text, size_t size)
	__attribute__((nonnull));

/* Colours for XEP-0258, as names or #rrggbb; "" where the policy has none. Static, or of the policy. */
const char *label_background(const struct known_label *label) __attribute__((nonnull));
const char *label_foreground(const struct known_label *label) __attribute__((nonnull));

#endif
