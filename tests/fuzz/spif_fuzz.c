/* Security policies: what is read can be looked up, each value by its number and by its name; what is not has an error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/label/decide.h"
#include "policy/label/marking.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fact, const char *what)
{
	if (fact)
		return;
	fprintf(stderr, "not true: %s\n", what);
	abort();
}

static void tell(void *owner, int line, bool is_error, const char *text)
{
	must(line >= 0 && *text, "a line, and what is wrong");
	*(unsigned *)owner += is_error;
}

/* A label of one value. */
static void check_value(const struct spif *spif, unsigned index)
{
	struct label_value value = spif->values[index].value;
	struct label label = {.policy = spif->id, .classification = spif->classes[0].lacv, .values = &value, .value_count = 1};
	const struct label_terms terms = {.now = 0};
	struct label_reason why = {.rule = ""};
	struct known_label known;
	char text[100];

	must(spif_value(spif, &value) == (int)index, "found by number");
	must(spif_value_by_name(spif, spif->tags[spif->values[index].tag].tag_set, tag_kind(value.type),
		spif->values[index].name) == (int)index, "found by name");
	must(label_known(spif, &label, &known, &why), "known");
	must(label_is_valid(&known, NULL, &terms, &why) || *why.rule, "valid, or a reason");
	label_marking(&known, MARKING_FIRST_LINE, "", text, sizeof(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned errors = 0;
	const struct spif_report report = {tell, &errors};
	struct spif *spif = spif_read((const char *)data, size, &report);

	must(!spif == !!errors, "a policy, or errors");
	for (unsigned i = 0; spif && i < spif->value_count; i++)
		check_value(spif, i);
	spif_free(spif);
	return 0;
}
