/*
 * Addresses from bytes. What is accepted is equal to its normal form, and no byte of it may change without it being
 * another address; a normal form is its own normal form.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/jid.h"
#include "policy/policy.h"
#include "policy/precis.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fact, const char *what)
{
	if (fact)
		return;
	fprintf(stderr, "not true: %s\n", what);
	abort();
}

static bool is_same(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return a_len == b_len && !memcmp(a, b, a_len);
}

static void normalise_twice(enum precis_profile profile, const char *text, size_t len)
{
	char *once, *twice;
	size_t once_len, twice_len;

	if (precis_normalise(profile, text, len, &once, &once_len))
		return;
	must(!precis_normalise(profile, once, once_len, &twice, &twice_len), "a normal form is allowed");
	must(is_same(once, once_len, twice, twice_len), "normalising twice changes nothing");
	free(once);
	free(twice);
}

static void must_be_normal(enum precis_profile profile, const char *part, size_t len)
{
	char *normal;
	size_t normal_len;

	if (!part)
		return;
	must(!precis_normalise(profile, part, len, &normal, &normal_len), "what is accepted is allowed");
	must(is_same(part, len, normal, normal_len), "what is accepted is its normal form");
	free(normal);
}

static void check_accepted(const struct jid *jid, const char *text)
{
	char domain[JID_PART_BYTES + 1], again[JID_PART_BYTES + 1];

	must_be_normal(PRECIS_USERNAME, jid->local, jid->local_len);
	must_be_normal(PRECIS_OPAQUE, jid->resource, jid->resource_len);
	must(!jid_domain(text, domain, sizeof(domain)), "what is accepted has a domain");
	must(!jid_domain(domain, again, sizeof(again)) && !strcmp(domain, again), "which is its own normal form");
	must(jid->domain_len + jid->local_len + !!jid->local + jid->resource_len + !!jid->resource == strlen(text),
		"and nothing besides its parts");
}

static void check(const char *text)
{
	struct jid jid;
	int err = jid_parse(&jid, text);

	must(err == 0 || err == -EINVAL || err == -EILSEQ || err == -ENOTUNIQ, "an answer that is known");
	if (!err || err == -ENOTUNIQ)
		check_accepted(&jid, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	check(text);
	normalise_twice(PRECIS_USERNAME, text, size);
	normalise_twice(PRECIS_OPAQUE, text, size);
	free(text);
	return 0;
}
