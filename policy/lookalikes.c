/* Look-alikes; see lookalikes.h. The table is made by tools/lookalikes.c when this is built. */
#include <stddef.h>

#include "lookalikes.h"

static const struct {
	ucs4_t c;
	char ascii;
} rows[] = {
#include "build/generated/lookalikes.h"
};

char lookalike(ucs4_t c)
{
	size_t low = 0, high = sizeof(rows) / sizeof(*rows);

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (rows[middle].c == c)
			return rows[middle].ascii;
		if (rows[middle].c < c)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}
