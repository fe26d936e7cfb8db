/* Taking out of a text what may not cross: three asterisks stand where it was. */
#ifndef POLICY_REDACT_H
#define POLICY_REDACT_H

#include "element.h"
#include "words.h"

/* From a run of text, which has none of the words then. 0; -ENOMEM, -EINVAL as words_find(); -ELOOP: there are too many. */
int redact_words(struct arena *arena, const struct words *words, struct node *node)
	__attribute__((warn_unused_result, nonnull));

/* These bytes of it. 0 or -ENOMEM. */
int redact_range(struct arena *arena, struct node *node, size_t first, size_t end)
	__attribute__((warn_unused_result, nonnull));

#endif
