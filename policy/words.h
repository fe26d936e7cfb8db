/*
 * A list of words and phrases to find in text, in any script: letter case, compatibility forms (full width, ligatures) and
 * invisible characters do not hide a word; a phrase is found over any white space. A word is found whole only: "secret" is
 * in "Secret.", "SECRET2" and "top\nsecret", not in "secretary".
 */
#ifndef POLICY_WORDS_H
#define POLICY_WORDS_H

#include <stddef.h>

struct words;

/* Copies the NULL-terminated list. NULL with errno ENOMEM, or EINVAL: a word without a visible character, or not UTF-8. */
struct words *words_new(const char *const *list) __attribute__((warn_unused_result, nonnull));
void words_free(struct words *words);

/* 1: found; 0: not; -ENOMEM, or -EINVAL: not UTF-8. */
int words_find(const struct words *words, const char *text, size_t len) __attribute__((warn_unused_result, nonnull));

#endif
