/*
 * An INI file as iniparser reads it, with what iniparser does not tell: line numbers, duplicates, lines that it would
 * cut, merge or misread. Only a file that can be read in one way is accepted. Private to conf*.c.
 */
#ifndef BASE_CONF_INI_H
#define BASE_CONF_INI_H

#include <stdio.h>

/* Where faults go, one line each, and how many there were. */
struct conf_faults {
	FILE *out;
	const char *file;
	unsigned count;
};

void conf_fault(struct conf_faults *faults, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* NULL, or why this line of a file is no text. */
const char *conf_line_fault(const char *text, size_t n) __attribute__((nonnull));

struct ini_entry {
	struct ini_entry *next;
	int line;
	char *key, *value;             /* key in lower case */
};

struct ini_section {
	struct ini_section *next;
	int line;
	char *name;                    /* in lower case */
	struct ini_entry *first, **last;
};

struct ini {
	struct ini_section *first, **last;
};

/* Reads all of it; what cannot be read is a fault. NULL only if there is nothing to go on with (after a fault). */
struct ini *ini_read(const char *path, struct conf_faults *faults) __attribute__((warn_unused_result, nonnull));
void ini_free(struct ini *ini);

const struct ini_section *ini_section_find(const struct ini *ini, const char *name) __attribute__((nonnull));
const struct ini_entry *ini_entry_find(const struct ini_section *section, const char *key) __attribute__((nonnull(2)));

#endif
