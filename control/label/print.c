/* Labels, clearances and policies as text; see print.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/label/print.h"
#include "control/xml.h"
#include "policy/base64.h"
#include "policy/label/ess.h"
#include "policy/label/label_xml.h"

static const char *type_text(enum tag_type type)
{
	static const char *const texts[TAG_TYPES] = {
		[TAG_RESTRICTIVE] = "restrictive",
		[TAG_ENUMERATED_PERMISSIVE] = "enumerated permissive",
		[TAG_PERMISSIVE] = "permissive",
		[TAG_ENUMERATED_RESTRICTIVE] = "enumerated restrictive",
		[TAG_INFORMATIVE] = "informative",
		[TAG_ENUMERATED_INFORMATIVE] = "enumerated informative",
	};
	return texts[type];
}

/* What strangers chose is shown with nothing in it that could drive a terminal. */
static void put(const char *text)
{
	for (; *text; text++)
		putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

static void put_line(const char *what, const char *text)
{
	printf("%s: ", what);
	put(text);
	putchar('\n');
}

static void print_value(const struct spif *spif, const struct label_value *value)
{
	int index = spif ? spif_value(spif, value) : -1;
	printf("category: ");
	if (index >= 0) {
		const struct spif_tag *tag = &spif->tags[spif->values[index].tag];
		put(*tag->name ? tag->name : spif->tag_sets[tag->tag_set].name);
		printf(" ");
		put(spif->values[index].name);
		printf(" ");
	}
	printf("(%s, ", type_text(value->type));
	put(value->tag_set);
	printf(", %llu)\n", (unsigned long long)value->lacv);
}

static void print_policy_of(const struct spif *spif, const char *id)
{
	printf("policy: ");
	if (spif) {
		put(spif->name);
		printf(" ");
	}
	printf("(");
	put(*id ? id : "none");
	puts(")");
}

static void print_class(const struct spif *spif, int lacv)
{
	int index = spif ? spif_class(spif, lacv) : -1;
	printf("classification: ");
	if (index >= 0) {
		put(spif->classes[index].name);
		printf(" ");
	}
	if (lacv < 0)
		puts("none");
	else
		printf("(%d)\n", lacv);
}

void print_label(const struct spif *spif, const struct label *label)
{
	print_policy_of(spif, label->policy);
	print_class(spif, label->classification);
	if (label->privacy_mark)
		put_line("privacy mark", label->privacy_mark);
	for (unsigned i = 0; i < label->value_count; i++)
		print_value(spif, &label->values[i]);
}

void print_clearance(const struct spif *spif, const struct clearance *clearance)
{
	print_policy_of(spif, clearance->policy);
	for (int i = 0; i <= LABEL_CLASS_MAX; i++)
		if (clearance_has_class(clearance, i))
			print_class(spif, i);
	for (unsigned i = 0; i < clearance->value_count; i++)
		print_value(spif, &clearance->values[i]);
}

void print_marking(const struct known_label *label, const char *language)
{
	char text[MARKING_BYTES];
	label_marking(label, MARKING_PAGE, language, text, sizeof(text));
	put_line("marking", text);
	label_marking(label, MARKING_FIRST_LINE, language, text, sizeof(text));
	put_line("first line", text);
}

void print_policy(const struct spif *spif)
{
	print_policy_of(spif, spif->id);
	put_line("version", spif->version);
	printf("classifications: %u\ntag sets: %u\ncategories: %u\n", spif->class_count, spif->tag_set_count,
		spif->value_count);
	for (unsigned i = 0; i < spif->equivalent_count; i++)
		put_line("equivalent", spif->equivalents[i].name);
}

/* --- forms --- */

static bool print_bytes(const uint8_t *bytes, size_t len, bool raw)
{
	char *text = malloc(base64_text_room(len));
	if (!text)
		return false;
	base64_encode(text, bytes, len);
	if (raw)
		fwrite(bytes, 1, len, stdout);
	else
		puts(text);
	free(text);
	return true;
}

static bool print_node(const struct node *node)
{
	struct buf out;
	buf_init(&out, 4 << 20);
	bool done = !xml_write_node(&out, node);
	if (done)
		printf("%.*s\n", (int)buf_len(&out), (const char *)buf_head(&out));
	buf_fini(&out);
	return done;
}

bool print_label_form(const struct spif *spif, struct arena *arena, const struct label *label,
	const char *form, int64_t now)
{
	bool raw = !strcmp(form, "der");
	struct node *node;
	const uint8_t *bytes;
	size_t len;
	if (raw || !strcmp(form, "ess"))
		return !ess_label_encode(arena, label, &bytes, &len) && print_bytes(bytes, len, raw);
	if (!strcmp(form, "4774"))
		return spif && !label_4774_write(spif, arena, label, now, &node) && print_node(node);
	return !strcmp(form, "spiffy") && !label_spiffy_write(spif, arena, label, &node) && print_node(node);
}

bool print_clearance_form(const struct spif *spif, struct arena *arena, const struct clearance *clearance,
	const char *form)
{
	bool raw = !strcmp(form, "der");
	struct node *node;
	const uint8_t *bytes;
	size_t len;
	if (raw || !strcmp(form, "ess"))
		return !ess_clearance_encode(arena, clearance, &bytes, &len) && print_bytes(bytes, len, raw);
	if (!strcmp(form, "4774"))
		return spif && !clearance_4774_write(spif, arena, clearance, &node) && print_node(node);
	return !strcmp(form, "spiffy") && !clearance_spiffy_write(spif, arena, clearance, &node) && print_node(node);
}
