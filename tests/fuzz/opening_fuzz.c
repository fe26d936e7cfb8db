/* First bytes: a verdict, once given, is not changed by what follows it. */
#include <stdlib.h>
#include <string.h>

#include "dataplane/opening.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum opening judge(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	if (!copy)
		abort();
	memcpy(copy, data, size);
	enum opening opening = opening_judge(copy, size);
	if (opening == OPENING_MORE && size >= OPENING_BYTES_MAX)
		abort();
	opening_is_quic(copy, size, size & 1);
	free(copy);
	return opening;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum opening whole = judge(data, size);
	for (size_t n = 0; n < size && n < OPENING_BYTES_MAX - 1; n += 1 + n / 16) {
		enum opening part = judge(data, n);
		if (part != OPENING_MORE && part != whole)
			abort();
	}
	return 0;
}
