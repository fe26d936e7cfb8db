/*
 * Display marking: the policy's name, the classification, then the categories, tag by tag,
	each by its phrase or its name,
 * with the qualifiers of its tag around and between.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "marking.h"

/* Where on a page a phrase can be said to stand; others say how. */
enum { PLACES = MARKING_PAGE | MARKING_FIRST_LINE | MARKING_OTHER };

struct writing {
	unsigned code;
	const char *language;
	char *text;
	size_t size, len;
};

static void put(struct writing *writing, const char *text)
{
	size_t n = strlen(text), room = writing->size - 1 - writing->len;

	if (n > room)
		for (n = room; n && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
			;
	memcpy(writing->text + writing->len, text, n);
	writing->len += n;
	writing->text[writing->len] = '\0';
}

/* --- phrases --- */

static bool is_of_language(const struct marking_data *data, const char *language)
{
	size_t n = strlen(data->language);

	return !strncasecmp(data->language, language, n) && (!language[n] || language[n] == '-');
}

/* For this place in the language, else for it in none; NULL: there is neither. */
static const struct marking_data *data_at(const struct writing *writing, const struct marking *marking, unsigned code)
{
	const struct marking_data *found = NULL;

	for (unsigned i = 0; i < marking->data_count; i++) {
		const struct marking_data *data = &marking->data[i];
		bool fits = !(data->codes & PLACES) || data->codes & code;

		if (!fits || data->codes & MARKING_REPLACES_POLICY)
			continue;
		if (*data->language && is_of_language(data, writing->language))
			return data;
		if (!*data->language && !found)
			found = data;
	}
	return found;
}

/* What stands at the top of a page does for the first line, where nothing is said of that. */
static const struct marking_data *data_for(const struct writing *writing, const struct marking *marking)
{
	const struct marking_data *data = data_at(writing, marking, writing->code);

	return data ? data : data_at(writing, marking, MARKING_PAGE);
}

/* What is shown of something with this name; "": nothing. */
static const char *phrase_for(const struct writing *writing, const struct marking *marking, const char *name)
{
	const struct marking_data *data = data_for(writing, marking);

	if (!data)
		return name;
	if (data->codes & MARKING_NONE)
		return data->codes & MARKING_NO_NAME ? "" : name;
	return data->phrase ? data->phrase : data->codes & MARKING_NO_NAME ? "" : name;
}

static const struct marking_qualifier *qualifier_at(const struct marking *marking, unsigned code)
{
	for (unsigned i = 0; i < marking->qualifier_count; i++)
		if (!(marking->qualifiers[i].codes & PLACES) || marking->qualifiers[i].codes & code)
			return &marking->qualifiers[i];
	return NULL;
}

static const struct marking_qualifier *qualifier_for(const struct writing *writing, const struct marking *marking)
{
	static const struct marking_qualifier none = {0, "", "", ""};
	const struct marking_qualifier *found = qualifier_at(marking, writing->code);

	found = found ? found : qualifier_at(marking, MARKING_PAGE);
	return found ? found : &none;
}

static void put_qualified(struct writing *writing, const struct marking *marking, const char *name)
{
	const struct marking_qualifier *qualifier = qualifier_for(writing, marking);
	const char *phrase = phrase_for(writing, marking, name);

	if (!*phrase)
		return;
	put(writing, qualifier->prefix);
	put(writing, phrase);
	put(writing, qualifier->suffix);
}

/* --- policy, classification, tags --- */

static const struct marking_data *replaces_policy(const struct marking *marking)
{
	for (unsigned i = 0; i < marking->data_count; i++)
		if (marking->data[i].codes & MARKING_REPLACES_POLICY)
			return &marking->data[i];
	return NULL;
}

/* The most particular phrase in the place of the policy's name: of a category, of the classification,
	of the policy. */
static const struct marking_data *policy_phrase(const struct known_label *label)
{
	const struct spif *spif = label->spif;
	const struct marking_data *data = NULL;

	for (unsigned i = 0; i < label->value_count && !data; i++)
		data = replaces_policy(&spif->values[label->values[i]].marking);
	data = data ? data : replaces_policy(&label->class->marking);
	data = data ? data : replaces_policy(&spif->policy_marking);
	return data ? data : replaces_policy(&spif->marking);
}

static bool suppresses_class(const struct marking *marking)
{
	for (unsigned i = 0; i < marking->data_count; i++)
		if (marking->data[i].codes & MARKING_NO_CLASS)
			return true;
	return false;
}

static bool shows_class(const struct known_label *label)
{
	for (unsigned i = 0; i < label->value_count; i++)
		if (suppresses_class(&label->spif->values[label->values[i]].marking))
			return false;
	return !suppresses_class(&label->class->marking);
}

static void put_space(struct writing *writing, size_t begin)
{
	if (writing->len > begin)
		put(writing, " ");
}

static bool is_shown(const struct writing *writing, const struct spif_value *value)
{
	return *phrase_for(writing, &value->marking, value->name);
}

/* The values of one tag from `first` on; returns the first of another one. */
static unsigned put_tag(struct writing *writing, const struct known_label *label, unsigned first, size_t begin)
{
	const struct spif *spif = label->spif;
	const struct spif_tag *tag = &spif->tags[spif->values[label->values[first]].tag];
	const struct marking_qualifier *qualifier = qualifier_for(writing, &tag->marking);
	unsigned shown = 0, i = first;

	for (; i < label->value_count && &spif->tags[spif->values[label->values[i]].tag] == tag; i++) {
		const struct spif_value *value = &spif->values[label->values[i]];

		if (!is_shown(writing, value))
			continue;
		if (!shown)
			put_space(writing, begin);
		put(writing, !shown++ ? qualifier->prefix : *qualifier->separator ? qualifier->separator : " ");
		put_qualified(writing, &value->marking, value->name);
	}
	if (shown)
		put(writing, qualifier->suffix);
	return i;
}

void label_marking(const struct known_label *label, unsigned code, const char *language, char *text, size_t size)
{
	struct writing writing = {code, language, text, size, 0};
	const struct marking_qualifier *whole = qualifier_for(&writing, &label->spif->marking);
	const struct marking_data *policy = policy_phrase(label);
	size_t begin;

	*text = '\0';
	put(&writing, whole->prefix);
	begin = writing.len;
	if (policy)
		put(&writing, policy->phrase ? policy->phrase : "");
	else
		put_qualified(&writing, &label->spif->policy_marking, label->spif->name);
	if (shows_class(label) && *phrase_for(&writing, &label->class->marking, label->class->name)) {
		put_space(&writing, begin);
		put_qualified(&writing, &label->class->marking, label->class->name);
	}
	for (unsigned i = 0; i < label->value_count;)
		i = put_tag(&writing, label, i, begin);
	put(&writing, whole->suffix);
}

/* --- colours --- */

const char *label_background(const struct known_label *label)
{
	return label->class->color;
}

/* Named colours of XEP-0258 on which white is easier to read. Its schema misspells one of them. */
static bool is_dark(const char *color)
{
	static const char *const dark[] = {"black", "blue", "green", "maroon", "navy", "purple", "red", "teal",
		"gray"};
	char *end;
	unsigned long rgb = *color == '#' ? strtoul(color + 1, &end, 16) : 0;

	if (*color == '#')
		return 299 * (rgb >> 16 & 255) + 587 * (rgb >> 8 & 255) + 114 * (rgb & 255) < 128000;
	for (size_t i = 0; i < sizeof(dark) / sizeof(*dark); i++)
		if (!strcasecmp(color, dark[i]))
			return true;
	return false;
}

const char *label_foreground(const struct known_label *label)
{
	return !*label->class->color ? "" : is_dark(label->class->color) ? "white" : "black";
}
