#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/label_policies.h"

static void tell(void *owner, int line, bool is_error, const char *text)
{
	(void)owner;
	if (is_error)
		fprintf(stderr, "%d: %s\n", line, text);
}

static struct spif *read_policy(const char *path)
{
	static char text[1 << 16];
	const struct spif_report report = {tell, NULL};
	FILE *file = fopen(path, "r");
	size_t len = file ? fread(text, 1, sizeof(text), file) : 0;
	struct spif *spif = file ? spif_read(text, len, &report) : NULL;

	if (!spif) {
		fprintf(stderr, "%s cannot be read (hint: run it where the project is)\n", path);
		abort();
	}
	fclose(file);
	return spif;
}

const struct spif_set *label_policies(void)
{
	static struct spif *policies[3];
	static const struct spif_set set = {policies, 3};

	if (!policies[0]) {
		policies[0] = read_policy("tests/labels/demo.spif.xml");
		policies[1] = read_policy("tests/labels/partner.spif.xml");
		policies[2] = read_policy("tests/labels/kitchen.spif.xml");
	}
	return &set;
}
