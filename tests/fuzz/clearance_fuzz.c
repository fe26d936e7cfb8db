/* Clearances in any form, as files: what is taken means the same in DER, or cannot be written in it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/label/decide.h"
#include "policy/label/ess.h"
#include "tests/fuzz/label_policies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_same(const struct clearance *a, const struct clearance *b)
{
	if (strcmp(a->policy, b->policy) || memcmp(a->classes, b->classes, sizeof(a->classes)) ||
		a->value_count != b->value_count)
		return false;
	for (unsigned i = 0; i < a->value_count; i++)
		if (label_value_compare(&a->values[i], &b->values[i]))
			return false;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(16 << 20);
	struct label_reader reader = {.set = label_policies(), .arena = arena, .why = ""};
	struct clearance clearance, again;
	const uint8_t *bytes;
	const char *why;
	size_t len;

	if (!clearance_read_bytes(&reader, (const char *)data, size, &clearance)) {
		const struct spif *spif = spif_by_id(label_policies(), clearance.policy);
		struct label_reason reason;
		struct known_clearance *known = spif ? clearance_known(spif, &clearance, &reason) : NULL;

		if (!ess_clearance_encode(arena, &clearance, &bytes, &len) &&
			(ess_clearance_decode(arena, bytes, len, false, &again, &why) ||
			(!clearance.is_missi && !is_same(&clearance, &again)))) {
			fprintf(stderr, "not true: in DER it is the same\n");
			abort();
		}
		clearance_free(known);
	}
	arena_free(arena);
	return 0;
}
