/* Sorted names; see names.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jid.h"
#include "names.h"
#include "policy.h"

enum { STEP = 64, TEXT_BYTES = 2 * JID_PART_BYTES + 4 };

/* --- making them --- */

/* A domain, "*.domain" or "*", in lower case. 0 or -EINVAL. */
static int write_pattern(const char *text, char out[TEXT_BYTES])
{
	const char *domain = !strncmp(text, "*.", 2) ? text + 2 : text;
	char lower[JID_PART_BYTES + 1];

	if (!strcmp(text, "*")) {
		memcpy(out, "*", 2);
		return 0;
	}
	if (strpbrk(domain, "@/") || jid_domain(domain, lower, sizeof(lower)))
		return -EINVAL;
	snprintf(out, TEXT_BYTES, "%s%s", domain == text ? "" : "*.", lower);
	return 0;
}

/* Stanzas come with addresses in their normal form, and are compared with what stands here. */
static int write_user(const char *text, char out[TEXT_BYTES])
{
	char domain[JID_PART_BYTES + 1];
	struct jid jid;

	if (jid_parse(&jid, text) || !jid.local_len || jid.resource_len || jid_domain(text, domain, sizeof(domain)))
		return -EINVAL;
	snprintf(out, TEXT_BYTES, "%.*s@%s", (int)jid.local_len, jid.local, domain);
	return 0;
}

int names_add(struct names *names, const char *text, unsigned value, bool users)
{
	char normal[TEXT_BYTES];

	if (users && strchr(text, '@') ? write_user(text, normal) : write_pattern(text, normal))
		return -EINVAL;
	if (names->count % STEP == 0) {
		struct name *grown = realloc(names->name, (names->count + STEP) * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		names->name = grown;
	}
	names->name[names->count].text = strdup(normal);
	if (!names->name[names->count].text)
		return -ENOMEM;
	names->name[names->count++].value = value;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return strcmp(x->text, y->text);
}

const char *names_sort(struct names *names)
{
	if (names->count)
		qsort(names->name, names->count, sizeof(*names->name), compare);
	for (size_t i = 1; i < names->count; i++)
		if (!compare(&names->name[i - 1], &names->name[i]))
			return names->name[i].text;
	return NULL;
}

void names_fini(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->name[i].text);
	free(names->name);
	*names = (struct names){0};
}

/* --- finding one --- */

static const struct name *find(const struct names *names, char *text)
{
	const struct name wanted = {.text = text};

	return names->count ? bsearch(&wanted, names->name, names->count, sizeof(*names->name), compare) : NULL;
}

const struct name *names_find_domain(const struct names *names, const char *domain)
{
	char text[JID_PART_BYTES + 2];
	const struct name *found;
	size_t len = strlen(domain);

	if (len > JID_PART_BYTES)
		return NULL;
	memcpy(text, domain, len + 1);
	found = find(names, text);
	/* "a.b.example": then "*.b.example" in the place of its end, then "*.example". */
	for (char *dot = strchr(text, '.'); dot && dot != text && !found; dot = strchr(dot + 1, '.')) {
		dot[-1] = '*';
		found = find(names, dot - 1);
	}
	memcpy(text, "*", 2);
	return found ? found : find(names, text);
}

const struct name *names_find_user(const struct names *names, const char *local, size_t local_len, const char *domain)
{
	char text[TEXT_BYTES];
	const struct name *found = NULL;

	snprintf(text, sizeof(text), "%.*s@%s", (int)local_len, local, domain);
	if (local_len)
		found = find(names, text);
	return found ? found : names_find_domain(names, domain);
}

bool names_have_user(const struct names *names, const char *local, size_t local_len, const char *domain)
{
	return names_find_user(names, local, local_len, domain);
}
