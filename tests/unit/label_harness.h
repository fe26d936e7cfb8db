/* Security policies and labels for tests, from files of tests/labels or from text. */
#ifndef TESTS_LABEL_HARNESS_H
#define TESTS_LABEL_HARNESS_H

#include "policy/label/label_form.h"

/* All of a file, with a NUL behind it; ends the test if there is none. To be freed. */
char *label_file(const char *name, size_t *len);

/* What was told of a policy, line after line: "LINE error: text\n". */
struct told {
	char text[8000];
};

/* NULL: it is none. `told` may be NULL. */
struct spif *spif_of(const char *text, struct told *told);
struct spif *spif_of_file(const char *name);

/* A label from "classification tag-set.type.lacv ...", with the type's first letters: r p er ep i ei. */
struct label label_of(struct arena *arena, const char *policy, const char *text);

#endif
