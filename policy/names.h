/*
 * Names that are looked for: users, domains, and patterns of domains. Finding one among many costs little more than among
 * few: they are sorted.
 *
 *     b.example      that domain
 *     *.b.example    all below it
 *     *              any
 *     user@b.example
 */
#ifndef POLICY_NAMES_H
#define POLICY_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct names {
	struct name {
		char *text;            /* in normal form */
		unsigned value;
	} *name;
	size_t count;
};

/* Adds a domain or pattern; a user too if `users`. 0, -ENOMEM, or -EINVAL: it is none, or not in its normal form. */
int names_add(struct names *names, const char *text, unsigned value, bool users)
	__attribute__((warn_unused_result, nonnull));

/* To be called once all are there. NULL, or one that is there twice. */
const char *names_sort(struct names *names) __attribute__((warn_unused_result, nonnull));
void names_fini(struct names *names) __attribute__((nonnull));

/* What governs this domain, in lower-case A-labels: itself, else the longest of the patterns above it. NULL: nothing. */
const struct name *names_find_domain(const struct names *names, const char *domain) __attribute__((nonnull));

/* This user, or what governs its domain; NULL: neither is there. `local` may be empty. */
const struct name *names_find_user(const struct names *names, const char *local, size_t local_len, const char *domain)
	__attribute__((nonnull));
bool names_have_user(const struct names *names, const char *local, size_t local_len, const char *domain)
	__attribute__((nonnull));

#endif
