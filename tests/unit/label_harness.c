#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/label_harness.h"

char *label_file(const char *name, size_t *len)
{
	char path[300], *text;
	FILE *file;

	snprintf(path, sizeof(path), "tests/labels/%s", name);
	file = fopen(path, "r");
	assert_non_null(file);
	text = calloc(1, 1 << 20);
	assert_non_null(text);
	*len = fread(text, 1, (1 << 20) - 1, file);
	fclose(file);
	return text;
}

static void tell(void *owner, int line, bool is_error, const char *text)
{
	struct told *told = owner;
	size_t n = told ? strlen(told->text) : 0;

	if (told)
		snprintf(told->text + n, sizeof(told->text) - n, "%d %s: %s\n", line,
		is_error ? "error" : "warning", text);
}

struct spif *spif_of(const char *text, struct told *told)
{
	const struct spif_report report = {tell, told};

	if (told)
		*told->text = '\0';
	return spif_read(text, strlen(text), &report);
}

struct spif *spif_of_file(const char *name)
{
	size_t len;
	char *text = label_file(name, &len);
	struct spif *spif = spif_of(text, NULL);

	assert_non_null(spif);
	free(text);
	return spif;
}

struct label label_of(struct arena *arena, const char *policy, const char *text)
{
	static const char *const types[TAG_TYPES] = {
		[TAG_RESTRICTIVE] = "r",
		[TAG_ENUMERATED_PERMISSIVE] = "ep",
		[TAG_PERMISSIVE] = "p",
		[TAG_ENUMERATED_RESTRICTIVE] = "er",
		[TAG_INFORMATIVE] = "i",
		[TAG_ENUMERATED_INFORMATIVE] = "ei",
	};
	struct label label = {.policy = policy, .values = arena_alloc(arena, 64 * sizeof(struct label_value))};
	char copy[1000], *rest = copy, *item;

	snprintf(copy, sizeof(copy), "%s", text);
	label.classification = (int)strtol(strsep(&rest, " "), NULL, 10);
	while ((item = strsep(&rest, " "))) {
		char *lacv = strrchr(item, '.'), *type;
		struct label_value *value = &label.values[label.value_count++];

		*lacv++ = '\0';
		type = strrchr(item, '.');
		*type++ = '\0';
		*value = (struct label_value){arena_strdup(arena, item), TAG_RESTRICTIVE, strtoull(lacv, NULL, 10)};
		while (strcmp(types[value->type], type) != 0)
			value->type++;
	}
	label.value_count = label_values_sort(label.values, label.value_count);
	return label;
}
