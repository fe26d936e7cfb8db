/* An XML file of an administrator, as a tree: security policies,
	labels and clearances. Not for what comes by a stream. */
#ifndef POLICY_LABEL_DOCUMENT_H
#define POLICY_LABEL_DOCUMENT_H

#include "policy/element.h"

enum { DOCUMENT_BYTES_MAX = 32 << 20, DOCUMENT_DEPTH_MAX = 64 };

struct document_fault {
	int line;
	char text[160];
};

/*
 * The root, in the arena. NULL with `fault`: it is not well-formed, is too deep, has a DOCTYPE, or the arena is full.
 * Comments and processing instructions are left out. An end tag that names another element than the one that is open is
 * taken for it where the names are almost the same, as published policies have it; `*defect` is then the line,
	else 0.
 */
struct node *document_read(struct arena *arena, const char *bytes, size_t len, int *defect,
	struct document_fault *fault)
	__attribute__((warn_unused_result, nonnull));

/* The line of an element of a document; 0: it is of none. */
int document_line(const struct node *node) __attribute__((nonnull));

#endif
