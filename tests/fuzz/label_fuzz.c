/*
 * Labels in any form, as files: what is taken can be decided on, mapped and marked; by name and by number it is the same
 * label, where its policy has names for it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/xml.h"
#include "policy/label/map.h"
#include "policy/label/marking.h"
#include "tests/fuzz/label_policies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fact, const char *what)
{
	if (fact)
		return;
	fprintf(stderr, "not true: %s\n", what);
	abort();
}

/* XML cannot hold every character that a privacy mark in DER may have, and white space at its ends is not kept. */
static bool is_plain(const char *mark)
{
	for (; mark && *mark; mark++)
		if (*mark <= ' ' || *mark >= 0x7f)
			return false;
	return true;
}

static void check_same(struct label_reader *reader, const struct label *label, const struct node *node)
{
	struct label again;
	struct buf text;

	buf_init(&text, 1 << 20);
	if (!xml_write_node(&text, node)) {
		must(!label_read_bytes(reader, (const char *)buf_head(&text), buf_len(&text), &again), "what is written is read");
		must(label_equal(label, &again), "and is the same");
	}
	buf_fini(&text);
}

static void check_known(struct label_reader *reader, const struct label *label, const struct spif *spif)
{
	const struct label_terms terms = {.now = 1800000000};
	struct label_reason why = {.rule = ""};
	struct known_label known;
	struct node *node;
	char marking[64];

	if (!label_known(spif, label, &known, &why)) {
		must(*why.rule && *why.text, "a reason");
		return;
	}
	if (!label_is_valid(&known, label->privacy_mark, &terms, &why))
		must(*why.rule && *why.text, "a reason");
	label_marking(&known, MARKING_PAGE, "fr", marking, sizeof(marking));
	must(label_dominates(&known, &known), "it is no higher than itself");
	if (is_plain(label->privacy_mark) && !label_4774_write(spif, reader->arena, label, 0, &node))
		check_same(reader, label, node);
	if (is_plain(label->privacy_mark) && !label_spiffy_write(spif, reader->arena, label, &node))
		check_same(reader, label, node);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(16 << 20);
	struct label_reader reader = {.set = label_policies(), .arena = arena, .why = ""};
	struct label label, mapped;

	if (!label_read_bytes(&reader, (const char *)data, size, &label)) {
		const struct spif *spif = spif_by_id(label_policies(), label.policy);

		for (unsigned i = 0; i < label_policies()->count; i++) {
			const struct label_mapping mapping = {.policies = label_policies(), .to = label_policies()->policies[i]->id,
				.applied = i % 2 ? SPIF_ENCRYPT : SPIF_DECRYPT, .terms = {.now = INT64_MIN}};
			struct label_reason why = {.rule = ""};

			if (label_map(&mapping, arena, &label, &mapped, &why))
				must(*why.rule || arena_is_full(arena), "a reason");
		}
		if (spif)
			check_known(&reader, &label, spif);
	}
	arena_free(arena);
	return 0;
}
