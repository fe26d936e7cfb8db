/* Labels in DER, of anybody: what is taken is written again in the same bytes, and BER takes no less. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/label/ess.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fact, const char *what)
{
	if (fact)
		return;
	fprintf(stderr, "not true: %s\n", what);
	abort();
}

static void check_values(const struct label *label)
{
	must(label->classification >= -1 && label->classification <= LABEL_CLASS_MAX, "a classification within its bounds");
	must(!*label->policy || oid_is_valid(label->policy), "an OID, or none");
	for (unsigned i = 0; i < label->value_count; i++) {
		must(oid_is_valid(label->values[i].tag_set), "an OID");
		must(label->values[i].lacv <= LACV_NUMBER_MAX, "a number");
		must(!i || label_value_compare(&label->values[i - 1], &label->values[i]) < 0, "in order, each once");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(1 << 20);
	const uint8_t *again;
	struct label label, ber;
	const char *why = NULL;
	size_t len;
	int err = ess_label_decode(arena, data, size, false, &label, &why);

	must(!err || err == -ENOMEM || (err == -EBADMSG && why), "a fault with its reason");
	if (!err) {
		check_values(&label);
		must(!ess_label_encode(arena, &label, &again, &len) && len == size && !memcmp(again, data, len), "the same bytes");
		must(!ess_label_decode(arena, data, size, true, &ber, &why) && label_equal(&label, &ber), "BER takes what is DER");
	} else if (!ess_label_decode(arena, data, size, true, &ber, &why)) {
		check_values(&ber);
	}
	arena_free(arena);
	return 0;
}
