/* The corpus of tests/smuggling; README.md there says how it is written. */
#ifndef TESTS_SMUGGLING_H
#define TESTS_SMUGGLING_H

#include <stdbool.h>

#include "dataplane/base/buf.h"

struct smuggled {
	char name[256], condition[64]; /* "" if the stream does not end with an error */
	struct buf sent, arrives;      /* with a NUL behind the last byte, which is not counted */
	bool header;                   /* takes the place of a stream header */
	bool goes_on;                  /* what is sent next arrives */
};

/* Calls `take` with each entry of each file, `from` and `to` standing for {a} and {b}. The number of entries. */
unsigned smuggling_each(const char *from, const char *to, void (*take)(void *owner, const struct smuggled *entry),
	void *owner);

#endif
