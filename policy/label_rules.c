/* Security labels as a policy has them; see label_rules.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jid.h"
#include "label/label_form.h"
#include "label_rules.h"
#include "policy.h"

enum { ARENA_BYTES = 256 << 20 };

static __attribute__((format(printf, 3, 4))) int fault(char *why, size_t size, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(why, size, format, ap);
	va_end(ap);
	return -EINVAL;
}

/* --- policies --- */

/* What is said of a file goes on with its name; the first error is the fault. */
struct telling {
	const struct policy_labels_rules *rules;
	const char *path;
	char *why;
	size_t size;
	bool failed;
};

static void tell(void *owner, int line, bool is_error, const char *text)
{
	struct telling *telling = owner;
	char whole[512];

	snprintf(whole, sizeof(whole), "%s:%d: %s%s", telling->path, line, is_error ? "" : "warning: ", text);
	if (is_error && !telling->failed) {
		telling->failed = true;
		snprintf(telling->why, telling->size, "%s", whole);
	}
	if (telling->rules->tell)
		telling->rules->tell(telling->rules->owner, whole);
}

static int add_policy(struct labels *labels, const struct policy_labels_rules *rules,
	const struct policy_document *document, char *why, size_t size)
{
	struct telling telling = {.rules = rules, .path = document->path, .why = why, .size = size};
	const struct spif_report report = {tell, &telling};
	struct spif *spif = spif_read(document->text, strlen(document->text), &report);

	if (!spif)
		return telling.failed ? -EINVAL : -ENOMEM;
	if (spif_by_id(&labels->set, spif->id) || spif_by_name(&labels->set, spif->name)) {
		int err = fault(why, size, "%s: there is another policy %.60s (hint: one file for each)",
		document->path, spif->name);

		spif_free(spif);
		return err;
	}
	labels->policies[labels->set.count++] = spif;
	return 0;
}

/* --- clearances --- */

/* NULL with the error. */
static struct known_clearance *read_clearance(struct labels *labels, const struct policy_document *document,
	char *why,
	size_t size, int *err)
{
	struct label_reader reader = {.set = &labels->set, .arena = labels->arena, .ber = labels->takes_ber,
		.why = ""};
	struct clearance clearance;
	struct known_clearance *known = NULL;
	struct label_reason reason = {.rule = ""};
	const struct spif *spif;

	*err = clearance_read_bytes(&reader, document->text, strlen(document->text), &clearance);
	if (*err == -ENOMEM)
		return NULL;
	if (*err) {
		*err = fault(why, size, "%s is no clearance: %s", document->path, reader.why);
		return NULL;
	}
	spif = spif_by_id(&labels->set, clearance.policy);
	if (!spif) {
		*err = fault(why, size, "%s: its policy %.100s is not among [labels] policies", document->path,
		clearance.policy);
		return NULL;
	}
	for (unsigned i = 0; i < clearance.value_count; i++)
		if (spif_value(spif, &clearance.values[i]) < 0) {
			*err = fault(why, size, "%s: policy %.60s has no category %llu of its type in tag set "
			"%.60s", document->path, spif->name,
				(unsigned long long)clearance.values[i].lacv, clearance.values[i].tag_set);
			return NULL;
		}
	known = clearance_known(spif, &clearance, &reason);
	*err = known ? 0 : -ENOMEM;
	return known;
}

static int add_users(struct labels *labels, const struct policy_clearance_rules *from, unsigned index, char *why,
	size_t size)
{
	for (unsigned i = 0; from->users && from->users[i]; i++) {
		int err = names_add(&labels->users, from->users[i], index, true);

		if (err == -EINVAL)
			return fault(why, size, "users: \"%.80s\" is no user or domain in its normal form "
			"(hint: user@a.example, *.a.example)",
				from->users[i]);
		if (err)
			return err;
	}
	return 0;
}

static int add_clearances(struct labels *labels, const struct policy_labels_rules *rules, int *line, char *why,
	size_t size)
{
	const char *twice;
	int err = 0;

	for (unsigned i = 0; i < rules->clearance_count; i++) {
		*line = rules->clearances[i].line;
		labels->clearances[i] = read_clearance(labels, &rules->clearances[i].document, why, size, &err);
		labels->clearance_count++;
		if (!err)
			err = add_users(labels, &rules->clearances[i], i, why, size);
		if (err)
			return err;
	}
	*line = 0;
	twice = names_sort(&labels->users);
	return twice ? fault(why, size, "%.80s has two clearances (hint: one)", twice) : 0;
}

const struct known_clearance *labels_clearance_of(const struct labels *labels, const char *text)
{
	char domain[JID_PART_BYTES + 1];
	const struct name *name;
	struct jid jid;

	if (!labels->users.count || jid_domain(text, domain, sizeof(domain)))
		return NULL;
	if (jid_parse(&jid, text) == -EINVAL)
		return NULL;
	name = names_find_user(&labels->users, jid.local, jid.local_len, domain);
	return name ? labels->clearances[name->value] : NULL;
}

int labels_init(struct labels *labels, const struct policy_labels_rules *rules, int *line, char *why, size_t size)
{
	int err = 0;

	*line = 0;
	*labels = (struct labels){.refuses_obsolete = rules->refuses_obsolete,
		.refuses_ambiguous = rules->refuses_ambiguous,
		.takes_ber = rules->takes_ber,
		.language = strdup(rules->language ? rules->language : ""),
		.arena = arena_new(ARENA_BYTES),
		.policies = calloc(rules->policy_count + 1, sizeof(*labels->policies)),
		.clearances = calloc(rules->clearance_count + 1, sizeof(*labels->clearances))};
	if (!labels->language || !labels->arena || !labels->policies || !labels->clearances)
		return -ENOMEM;
	labels->set.policies = labels->policies;
	for (unsigned i = 0; i < rules->policy_count && !err; i++)
		err = add_policy(labels, rules, &rules->policies[i], why, size);
	return err ? err : add_clearances(labels, rules, line, why, size);
}

void labels_fini(struct labels *labels)
{
	for (unsigned i = 0; i < labels->clearance_count; i++)
		clearance_free(labels->clearances[i]);
	for (unsigned i = 0; i < labels->set.count; i++)
		spif_free(labels->policies[i]);
	names_fini(&labels->users);
	free(labels->clearances);
	free(labels->policies);
	free(labels->language);
	arena_free(labels->arena);
}

/* --- of a profile --- */

/* What is put on messages has to be something that may cross. */
static int set_default(struct label_rules *rules, struct labels *labels,
	const struct policy_document *document, char *why,
	size_t size)
{
	struct label_reader reader = {.set = &labels->set, .arena = labels->arena, .ber = labels->takes_ber,
		.why = ""};
	const struct label_terms terms = {.now = INT64_MIN, .is_ours = true};
	struct label_reason reason = {.rule = ""};
	struct known_label known;
	const struct spif *spif;
	int err = label_read_bytes(&reader, document->text, strlen(document->text), &rules->default_label);

	if (err == -ENOMEM)
		return err;
	if (err)
		return fault(why, size, "%s is no label: %s", document->path, reader.why);
	spif = spif_by_id(&labels->set, rules->default_label.policy);
	if (!spif)
		return fault(why, size, "%s: its policy %.100s is not among [labels] policies", document->path,
		rules->default_label.policy);
	if (!label_known(spif, &rules->default_label, &known, &reason) ||
		!label_is_valid(&known, rules->default_label.privacy_mark, &terms, &reason))
		return fault(why, size, "%s is not valid: %s", document->path, reason.text);
	if (rules->governing == spif && !label_is_granted(&known, rules->clearance, &reason))
		return fault(why, size, "%s may not cross: %s", document->path, reason.text);
	rules->has_default = true;
	return 0;
}

/* By its name: one of those that are known, or that one of them has as an equivalent. */
static int set_map_to(struct label_rules *rules, const struct labels *labels, const char *name, char *why,
	size_t size)
{
	const struct spif *spif = spif_by_name(&labels->set, name);
	const char *id = spif ? spif->id : NULL;

	for (unsigned i = 0; i < labels->set.count && !id; i++)
		for (unsigned j = 0; j < labels->policies[i]->equivalent_count && !id; j++)
			if (!strcmp(labels->policies[i]->equivalents[j].name, name))
				id = labels->policies[i]->equivalents[j].id;
	if (!id)
		return fault(why, size, "map-to: no policy has the name \"%.60s\", nor equivalents of it", name);
	rules->map_to = strdup(id);
	return rules->map_to ? 0 : -ENOMEM;
}

static bool asks_anything(const struct policy_label_rules *from)
{
	return from->clearance.text || from->default_label.text || (from->map_to && *from->map_to) || from->marks_first_line;
}

int label_rules_init(struct label_rules *rules, struct labels *labels, const struct policy_label_rules *from,
	char *why,
	size_t size)
{
	int err = 0;

	*rules = (struct label_rules){.labels = from->labels,
		.original = from->original,
		.refuses_marking = from->refuses_marking,
		.marks_first_line = from->marks_first_line,
		.filters_catalogs = from->filters_catalogs};
	if (rules->labels == POLICY_LABELS_IGNORED)
		return asks_anything(from)
			? fault(why, size, "labels: ignored, but there are keys for them (hint: labels = "
			"required, or default)") : 0;
	if (!from->clearance.text)
		return fault(why, size, "labels: nothing says which may cross (hint: a clearance)");
	if (rules->labels == POLICY_LABELS_DEFAULT && !from->default_label.text)
		return fault(why, size, "labels: default, but there is none (hint: a default-label)");
	rules->clearance = read_clearance(labels, &from->clearance, why, size, &err);
	if (!err)
		rules->governing = clearance_policy(rules->clearance);
	if (!err && from->default_label.text)
		err = set_default(rules, labels, &from->default_label, why, size);
	if (!err && from->map_to && *from->map_to)
		err = set_map_to(rules, labels, from->map_to, why, size);
	return err;
}

void label_rules_fini(struct label_rules *rules)
{
	clearance_free(rules->clearance);
	free(rules->map_to);
}
