/*
 * Patterns to find in text: regular expressions of PCRE2, in Unicode, letter case not mattering. Text is looked at as it
 * stands and, where it is not all ASCII, in plain form too (plain.h).
 *
 * A pattern may take only so many steps and so much memory; text that needs more is not known to be free of it. Patterns
 * are matched by a process that may not make code, so there is no JIT: instead, what has not the letters that a pattern
 * asks for is never given to it.
 */
#ifndef POLICY_PATTERNS_H
#define POLICY_PATTERNS_H

#include <stddef.h>

struct patterns;

/* Copies the NULL-terminated list. NULL with errno ENOMEM, or EINVAL, which `why` tells. */
struct patterns *patterns_new(const char *const *list, char *why, size_t size) __attribute__((warn_unused_result, nonnull));
void patterns_free(struct patterns *patterns);

/*
 * The number, from 1, of the first that matches, and where in the text: `len` 0 if that cannot be told. 0: none does.
 * -ENOMEM; -EINVAL: not UTF-8; -ELOOP: a limit was reached. Not for two threads at once.
 */
int patterns_find(const struct patterns *patterns, const char *text, size_t text_len, size_t *at, size_t *len)
	__attribute__((warn_unused_result, nonnull));

#endif
