/* <securitylabel/> (XEP-0258 3): taken apart, and put together again as the profile has it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "label/marking.h"
#include "labelling.h"

static bool fail(struct labelling *l, const char *rule, const char *text)
{
	struct label_reason why;

	label_because(&why, rule, "%s", text);
	label_refuse(l, &why);
	return false;
}

/* --- reading --- */

/* As label_read_element(), with an end. */
static int read_label(struct labelling *l, const struct node *form, struct label *label, const char **why)
{
	struct label_reader reader = {&l->labels->set, l->arena, l->labels->takes_ber, ""};
	int err = -EBADMSG;

	*why = "there are too many labels";
	if (l->read++ < LABELS_MAX) {
		err = label_read_element(&reader, form, label);
		*why = reader.why;
	}
	return err;
}

/* The one element in <label/> or <equivalentlabel/>; NULL: there is none, or more than one. */
static const struct node *only_element(const struct node *parent)
{
	const struct node *found = NULL;

	for (const struct node *child = parent->first; child; child = child->next) {
		if (!child->name)
			continue;
		if (found)
			return NULL;
		found = child;
	}
	return found;
}

static bool read_form(struct labelling *l, const struct node *form, struct envelope *envelope)
{
	struct label_reason why = {.rule = ""};
	const char *unread;
	int err = read_label(l, form, &envelope->label, &unread);

	if (err == -ENOMEM) {
		case_no_memory(l->c);
		return false;
	}
	if (err)
		return fail(l,
		err == -ENOENT ? "labels.form" : err == -ENOKEY ? "labels.policy" : "labels.malformed", unread);
	envelope->form = form;
	envelope->spif = spif_by_id(&l->labels->set, envelope->label.policy);
	if (!envelope->spif || label_known(envelope->spif, &envelope->label, &envelope->known, &why))
		return true;
	label_refuse(l, &why);
	return false;
}

static bool read_children(struct labelling *l, struct node *node, struct envelope *envelope,
	const struct node **label)
{
	for (const struct node *child = node->first; child; child = child->next) {
		if (!child->name)
			continue;
		if (node_is(child, NS_SEC_LABEL, "displaymarking") && !envelope->marking)
			envelope->marking = child;
		else if (node_is(child, NS_SEC_LABEL, "label") && !*label)
			*label = child;
		else if (!node_is(child, NS_SEC_LABEL, "equivalentlabel"))
			return fail(l, "labels.malformed", "something in it is unknown, or there twice");
	}
	return *label || fail(l, "labels.malformed", "there is no <label/> in it");
}

bool envelope_read(struct labelling *l, struct node *node, struct envelope *envelope)
{
	const struct node *label = NULL, *form;

	envelope->node = node;
	envelope->marking = envelope->form = NULL;
	envelope->is_ours = false;
	envelope->spif = NULL;
	envelope->is_binding = node_is(node, NS_4778_BINDING, "BindingInformation");
	if (envelope->is_binding)
		return label_in_binding(node) ? read_form(l, node, envelope) : fail(l, "labels.malformed",
		"there is no label in the binding");
	if (!read_children(l, node, envelope, &label))
		return false;
	form = only_element(label);
	if (!form)
		return !node_has_elements(label) || fail(l, "labels.malformed", "there is more than one form of "
		"the label");
	return read_form(l, form, envelope);
}

/* --- making --- */

/* In the form in which the other one came, if it can be; else ESS, or names where there are no numbers. */
static struct node *make_form(struct labelling *l, const struct label *label, const struct node *like)
{
	const struct spif *spif = spif_by_id(&l->labels->set, label->policy);
	bool by_name = spif && like && !strcmp(like->ns, NS_4774_LABEL);
	struct node *form = NULL;
	int err = by_name ? -EDOM : label_ess_element(l->arena, label, &form);

	if (err == -EDOM && spif)
		err = label_4774_write(spif, l->arena, label, l->c->context->now, &form);
	if (!err)
		return form;
	if (err == -ENOMEM)
		case_no_memory(l->c);
	else
		fail(l, "labels.form", "the label cannot be written in a form that there is");
	return NULL;
}

static struct node *wrap(struct labelling *l, const char *name, struct node *form)
{
	struct node *node = form ? node_new(l->arena, NS_SEC_LABEL, name) : NULL;

	if (node)
		node_append(node, form);
	else if (form)
		case_no_memory(l->c);
	return node;
}

struct node *envelope_new(struct labelling *l, const struct label *label)
{
	struct node *node = wrap(l, "label", make_form(l, label, NULL));
	struct node *envelope = node ? node_new(l->arena, NS_SEC_LABEL, "securitylabel") : NULL;

	if (envelope)
		node_append(envelope, node);
	else if (node)
		case_no_memory(l->c);
	return envelope;
}

/* --- marking --- */

void envelope_marking(const struct labelling *l, const struct envelope *envelope, unsigned code, const char *language,
	char *text, size_t size)
{
	const char *wanted = *l->labels->language ? l->labels->language : language;

	*text = '\0';
	if (envelope->spif)
		label_marking(&envelope->known, code, wanted, text, size);
}

/* White space is for the eye. */
static bool is_same_text(const char *a, const char *b)
{
	static const char blank[] = " \t\r\n";

	for (;;) {
		a += strspn(a, blank);
		b += strspn(b, blank);
		while (*a && !strchr(blank, *a) && *a == *b) {
			a++;
			b++;
		}
		if (!*a && !b[strspn(b, blank)])
			return true;
		if (!*b && !a[strspn(a, blank)])
			return true;
		if (!strchr(blank, *a) || !strchr(blank, *b) || !*a || !*b)
			return false;
	}
}

static bool is_colour(const struct node *marking, const char *name, const char *colour)
{
	const char *value = node_attribute(marking, name);

	return value ? !strcasecmp(value, colour) : !*colour;
}

static struct node *make_marking(struct labelling *l, const char *text, const struct known_label *known)
{
	struct node *node = node_new(l->arena, NS_SEC_LABEL, "displaymarking");
	const char *fore = label_foreground(known), *back = label_background(known);

	if (!node || node_add_text(l->arena, node, text, strlen(text)) ||
		(*back && (node_set_attribute(l->arena, node, "bgcolor", back) || node_set_attribute(l->arena,
		node, "fgcolor", fore)))) {
		case_no_memory(l->c);
		return NULL;
	}
	return node;
}

/* Does it say of the label that came with it what the policy says? */
static bool marking_holds(const struct labelling *l, const struct envelope *envelope)
{
	char expected[MARKING_BYTES];
	char *text = node_text(envelope->marking, l->arena);

	envelope_marking(l, envelope, MARKING_PAGE, "", expected, sizeof(expected));
	return text && is_same_text(text, expected);
}

/* --- equivalents --- */

/* XEP-0258 3: an equivalent has to be one. What proves it is the policy. */
static bool is_proven(struct labelling *l, const struct envelope *envelope, const struct node *equivalent)
{
	const struct node *form = only_element(equivalent);
	struct label_reason why = {.rule = ""};
	struct label other, mapped;
	struct label_mapping mapping;
	const char *unread;

	if (!form || read_label(l, form, &other, &unread) || !strcmp(other.policy, envelope->label.policy))
		return false;
	mapping = label_mapping_to(l, other.policy);
	return !label_map(&mapping, l->arena, &envelope->label, &mapped, &why) && label_equal(&other, &mapped);
}

/* --- putting together --- */

struct parts {
	struct node *label, *equivalents;      /* chained by next */
};

static void chain(struct parts *parts, struct node *node)
{
	struct node **end = &parts->equivalents;

	while (*end)
		end = &(*end)->next;
	*end = node;
}

/* Takes the children off, and keeps what stays. */
static void take_apart(struct labelling *l, struct envelope *envelope, struct parts *parts)
{
	unsigned dropped = 0;
	struct node *next;

	for (struct node *child = envelope->node->first; child; child = next) {
		next = child->next;
		if (!child->name)
			continue;
		if (node_is(child, NS_SEC_LABEL, "equivalentlabel") && !is_proven(l, envelope, child)) {
			dropped++;
			continue;
		}
		node_remove(child);
		child->next = NULL;
		if (node_is(child, NS_SEC_LABEL, "label"))
			parts->label = child;
		else if (node_is(child, NS_SEC_LABEL, "equivalentlabel"))
			chain(parts, child);
	}
	envelope->node->first = envelope->node->last = NULL;
	if (dropped)
		case_changed(l->c, "labels.equivalent", "%u equivalent%s not proven", dropped, dropped == 1 ? "" : "s");
}

static bool is_of_policy(struct labelling *l, const struct node *equivalent, const char *policy)
{
	const struct node *form = only_element(equivalent);
	struct label label;
	const char *unread;

	return form && !read_label(l, form, &label, &unread) && !strcmp(label.policy, policy);
}

/* An equivalent of this policy, which was proven; NULL: there is none. */
static struct node **find_of_policy(struct labelling *l, struct parts *parts, const char *policy)
{
	struct node **at = &parts->equivalents;

	while (*at && !is_of_policy(l, *at, policy))
		at = &(*at)->next;
	return *at ? at : NULL;
}

/* The mapped label takes its place among the parts; the envelope is then of what is in <label/>. */
static bool map(struct labelling *l, struct envelope *envelope, struct parts *parts)
{
	const struct label_mapping mapping = label_mapping_to(l, l->rules->map_to);
	bool keeps = l->rules->original == POLICY_ORIGINAL_KEEP;
	struct label_reason why = {.rule = ""};
	struct node *made, *form, **there = find_of_policy(l, parts, l->rules->map_to);
	struct label mapped;
	int err;

	if (keeps && there)
		return true; /* somebody did it before, such as another guard */
	err = label_map(&mapping, l->arena, &envelope->label, &mapped, &why);
	if (err) {
		if (err == -ENOMEM)
			case_no_memory(l->c);
		else
			label_refuse(l, &why);
		return false;
	}
	form = make_form(l, &mapped, envelope->form);
	made = wrap(l, keeps ? "equivalentlabel" : "label", form);
	if (!made)
		return false;
	case_changed(l->c, "labels.mapped", "the label was mapped to the other policy");
	if (there)
		*there = (*there)->next;
	if (l->rules->original == POLICY_ORIGINAL_DROP)
		parts->equivalents = NULL;
	if (l->rules->original == POLICY_ORIGINAL_SWAP) {
		struct node *original = wrap(l, "equivalentlabel", parts->label->first);

		if (!original)
			return false;
		chain(parts, original);
	}
	if (keeps)
		chain(parts, made);
	else
		parts->label = made;
	if (keeps && envelope->spif)
		return true;
	/* What is shown is of the label that comes first, or of the only one whose policy is known. */
	if (!keeps) {
		envelope->label = mapped;
		envelope->form = form;
	}
	envelope->spif = spif_by_id(&l->labels->set, mapped.policy);
	return !envelope->spif || label_known(envelope->spif, &mapped, &envelope->known, &why) || fail(l,
		why.rule, why.text);
}

/* In the order of the schema: marking, label, equivalents. */
static bool put_together(struct labelling *l, struct envelope *envelope, const struct parts *parts)
{
	char text[MARKING_BYTES];
	struct node *marking = NULL, *next;

	envelope_marking(l, envelope, MARKING_PAGE, "", text, sizeof(text));
	if (*text) {
		marking = make_marking(l, text, &envelope->known);
		if (!marking)
			return false;
		node_append(envelope->node, marking);
	}
	node_append(envelope->node, parts->label);
	for (struct node *child = parts->equivalents; child; child = next) {
		next = child->next;
		child->next = NULL;
		node_append(envelope->node, child);
	}
	return true;
}

/* Nothing is told of a marking that stays what it was. */
static bool marking_stays(struct labelling *l, const struct envelope *envelope)
{
	if (!envelope->marking)
		return !envelope->spif;
	return envelope->spif && marking_holds(l, envelope) &&
		is_colour(envelope->marking, "bgcolor", label_background(&envelope->known)) &&
		is_colour(envelope->marking, "fgcolor", label_foreground(&envelope->known));
}

/* A binding is signed, or may be: beside it comes an envelope with the label that it was mapped to. */
static bool rewrite_binding(struct labelling *l, struct envelope *envelope)
{
	struct label_reason why = {.rule = ""};
	struct label_mapping mapping;
	struct label mapped;
	struct node *made;
	int err;

	if (!l->rules->map_to || !strcmp(envelope->label.policy, l->rules->map_to))
		return true;
	if (l->rules->original == POLICY_ORIGINAL_DROP)
		return fail(l, "labels.binding", "the label in a binding cannot be taken out of it");
	mapping = label_mapping_to(l, l->rules->map_to);
	err = label_map(&mapping, l->arena, &envelope->label, &mapped, &why);
	if (err) {
		label_refuse(l, &why);
		return false;
	}
	made = envelope_new(l, &mapped);
	if (!made)
		return false;
	node_append(envelope->node->parent, made);
	case_changed(l->c, "labels.mapped", "a label of the other policy was put beside the binding");
	return true;
}

bool envelope_rewrite(struct labelling *l, struct envelope *envelope)
{
	struct parts parts = {0};
	bool stays;

	if (envelope->is_binding)
		return rewrite_binding(l, envelope);
	if (envelope->marking && envelope->spif && l->rules->refuses_marking && !marking_holds(l, envelope))
		return fail(l, "labels.marking", "the display marking is not that of the label");
	stays = marking_stays(l, envelope);
	take_apart(l, envelope, &parts);
	if (!parts.label)
		return fail(l, "labels.malformed", "there is no <label/> in it");
	if (!stays && !envelope->is_ours)
		case_changed(l->c, "labels.marking", "the display marking was made from the label");
	if (l->rules->map_to && strcmp(envelope->label.policy, l->rules->map_to) != 0 && !map(l, envelope, &parts))
		return false;
	return put_together(l, envelope, &parts);
}
