/*
 * The stage of security labels (XEP-0258): which messages need one, whether what it says may cross,
	and what becomes of it.
 *
 *     message -> label (or the default) -> valid? -> granted by the profile's clearance, the sender's,
	the recipient's?
 *             -> labels inside: the same, and no higher than the one outside -> equivalents, mapping, marking,
	first line
 */
#include <errno.h>
#include <string.h>

#include "feature_table.h"
#include "label/marking.h"
#include "labelling.h"

/* --- findings --- */

/* XEP-0258 5: who may not is told `forbidden`, what is not right `not-acceptable`; neither says which label it is. */
void label_refuse(struct labelling *l, const struct label_reason *why)
{
	static const char *const denials[] = {"labels.class-not-cleared", "labels.restrictive", "labels.permissive",
		"labels.clearance"};
	bool denied = false;

	for (size_t i = 0; i < sizeof(denials) / sizeof(*denials); i++)
		denied |= !strcmp(why->rule, denials[i]);
	case_find(l->c, &(struct finding){POLICY_REFUSED, why->rule, denied ? "forbidden" : "not-acceptable",
		denied ? "auth" : "modify", why->text});
}

static void refuse(struct labelling *l, const char *rule, const char *reason)
{
	struct label_reason why;

	label_because(&why, rule, "%s", reason);
	label_refuse(l, &why);
}

struct label_mapping label_mapping_to(const struct labelling *l, const char *policy)
{
	return (struct label_mapping){.policies = &l->labels->set,
		.to = policy,
		.applied = l->c->context->direction == POLICY_OUTBOUND ? SPIF_ENCRYPT : SPIF_DECRYPT,
		.refuses_ambiguous = l->labels->refuses_ambiguous,
		.terms = {.now = l->c->context->now ? l->c->context->now : INT64_MIN, .is_ours = true}};
}

/* --- may it cross? --- */

/* By a clearance, of whichever policy it is. */
static bool is_granted(struct labelling *l, const struct envelope *envelope, const struct known_clearance *clearance,
	struct label_reason *why)
{
	const struct spif *spif = clearance_policy(clearance);
	const struct label_mapping mapping = label_mapping_to(l, spif->id);
	struct known_label known;
	struct label mapped;
	int err;

	if (envelope->spif == spif)
		return label_is_granted(&envelope->known, clearance, why);
	err = label_map(&mapping, l->arena, &envelope->label, &mapped, why);
	if (err == -ENOMEM)
		label_because(why, "policy.memory", "no memory to map the label");
	return !err && label_known(spif, &mapped, &known, why) && label_is_granted(&known, clearance, why);
}

bool label_may_cross(struct labelling *l, struct envelope *envelope, struct label_reason *why)
{
	const struct label_terms terms = {.now = l->c->context->now ? l->c->context->now : INT64_MIN,
		.is_ours = envelope->is_ours || l->labels->refuses_obsolete};
	static const char *const ends[] = {"from", "to"};

	if (envelope->spif && !label_is_valid(&envelope->known, envelope->label.privacy_mark, &terms, why))
		return false;
	if (!is_granted(l, envelope, l->rules->clearance, why))
		return false;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		const char *jid = node_attribute(l->c->stanza->root, ends[i]);
		const struct known_clearance *clearance = jid ? labels_clearance_of(l->labels, jid) : NULL;

		if (clearance && !is_granted(l, envelope, clearance, why))
			return false;
	}
	return true;
}

/* --- labels inside --- */

static bool is_label(const struct node *node)
{
	return node->name && (node_is(node, NS_SEC_LABEL, "securitylabel") || node_is(node, NS_4778_BINDING,
		"BindingInformation"));
}

static const struct node *next_in(const struct node *node, const struct node *root, bool enter)
{
	if (enter && node->first)
		return node->first;
	while (node != root && !node->next)
		node = node->parent;
	return node == root ? NULL : node->next;
}

static bool has_label_inside(const struct node *root)
{
	for (const struct node *node = next_in(root, root, true); node; node = next_in(node, root, node->name))
		if (is_label(node))
			return true;
	return false;
}

/* P4 of an aggregate: what is outside has to dominate what is inside (ADatP-4774.1 4.4). */
static bool is_dominated(struct labelling *l, const struct envelope *outer, const struct envelope *inner,
	struct label_reason *why)
{
	struct known_label known;
	struct label mapped;
	struct label_mapping mapping;

	label_because(why, "labels.inside", "a label inside is above the one of the message");
	if (outer->spif && outer->spif == inner->spif)
		return label_dominates(&outer->known, &inner->known);
	mapping = label_mapping_to(l, outer->label.policy);
	if (!outer->spif || label_map(&mapping, l->arena, &inner->label, &mapped,
		why) || !label_known(outer->spif, &mapped, &known, why))
		return false;
	label_because(why, "labels.inside", "a label inside is above the one of the message");
	return label_dominates(&outer->known, &known);
}

static bool check_inside(struct labelling *l, struct node *node, const struct envelope *outer)
{
	struct envelope inner;
	struct label_reason why = {.rule = ""};

	if (!envelope_read(l, node, &inner))
		return false;
	if (!inner.form) {
		refuse(l, "labels.missing", "a label inside says nothing");
		return false;
	}
	if (!label_may_cross(l, &inner, &why) || (outer && !is_dominated(l, outer, &inner, &why))) {
		label_refuse(l, &why);
		return false;
	}
	return envelope_rewrite(l, &inner);
}

/* All but the one outside. */
static bool check_all_inside(struct labelling *l, const struct envelope *outer)
{
	struct node *root = l->c->stanza->root;

	for (const struct node *node = next_in(root, root, true); node; node = next_in(node, root,
		node->name && !is_label(node)))
		if (is_label(node) && !(outer && node == outer->node) && !check_inside(l, (struct node *)node, outer))
			return false;
	return true;
}

/* --- messages --- */

/* What says nothing of its own: that somebody types, or has read; how it is to be kept,
	and since when it is under way. */
static bool says_something(const struct node *message)
{
	const uint64_t silent = UINT64_C(1) << FEATURE_CHAT_STATES | UINT64_C(1) << FEATURE_RECEIPTS |
		UINT64_C(1) << FEATURE_MARKERS |
		UINT64_C(1) << FEATURE_HINTS | UINT64_C(1) << FEATURE_STANZA_ID | UINT64_C(1) << FEATURE_DELAY;

	for (const struct node *child = message->first; child; child = child->next) {
		const struct feature_place *place = child->name ? feature_place_of(child->ns) : NULL;

		if (child->name && (!place || !(place->any & silent) || node_text_len(child)))
			return true;
	}
	return false;
}

/* XEP-0258 4.3: a change of the subject carries no label; what it says is the default's. */
static bool is_subject_change(const struct node *message)
{
	bool any = false;

	for (const struct node *child = message->first; child; child = child->next) {
		if (child->name && strcmp(child->name, "subject") != 0 && strcmp(child->name, "thread") != 0)
			return false;
		any |= child->name && !strcmp(child->name, "subject");
	}
	return any;
}

/* The one of the message. False after a finding; envelope->node NULL: it has none. */
static bool find_label(struct labelling *l, struct envelope *envelope)
{
	struct node *found = NULL;

	envelope->node = NULL;
	envelope->form = NULL;
	for (struct node *child = l->c->stanza->root->first; child; child = child->next) {
		if (!child->name || !is_label(child))
			continue;
		if (found) {
			refuse(l, "labels.twice", "there is more than one label");
			return false;
		}
		found = child;
	}
	return !found || envelope_read(l, found, envelope);
}

/* In the place of a label that is not there, or says nothing: judged as ours,
	and put on unless it is no message for it. */
static bool put_default(struct labelling *l, struct envelope *envelope, bool put_on)
{
	struct node *root = l->c->stanza->root, *node;

	if (envelope->node)
		node_remove(envelope->node);
	node = envelope_new(l, &l->rules->default_label);
	if (!node || !envelope_read(l, node, envelope))
		return false;
	envelope->is_ours = true;
	if (!put_on)
		return true;
	node_append(root, node);
	case_changed(l->c, "labels.default", "the default label was put on");
	return true;
}

/* In front of what a body says; not if it says so already, since another guard was there before. */
static bool put_in_front(struct labelling *l, struct node *body, const char *line)
{
	char *said = node_text(body, l->arena);
	struct node *text = body->first, *after;

	if (!said || !strncmp(said, line, strlen(line)))
		return false;
	body->first = body->last = NULL;
	if (node_add_text(l->arena, body, line, strlen(line))) {
		case_no_memory(l->c);
		return false;
	}
	for (; text; text = after) {
		after = text->next;
		text->next = NULL;
		node_append(body, text);
	}
	return true;
}

/* XHTML would be shown in the place of the body. */
static void put_first_line(struct labelling *l, const struct envelope *envelope)
{
	struct node *next;
	bool put = false;

	for (struct node *child = l->c->stanza->root->first; child; child = next) {
		char line[MARKING_BYTES];

		next = child->next;
		if (child->name && node_is(child, "http://jabber.org/protocol/xhtml-im", "html")) {
			node_remove(child);
			put = true;
		}
		if (!child->name || !node_is(child, NS_SERVER, "body"))
			continue;
		envelope_marking(l, envelope, MARKING_FIRST_LINE, node_language(child) ? node_language(child) : "", line,
			sizeof(line) - 1);
		if (*line) {
			memcpy(line + strlen(line), "\n", 2);
			put |= put_in_front(l, child, line);
		}
	}
	if (put)
		case_changed(l->c, "labels.first-line", "the marking is the first line");
}

static void check_labelled(struct labelling *l, struct envelope *envelope)
{
	struct label_reason why = {.rule = ""};
	bool is_there = envelope->node->parent;

	if (!label_may_cross(l, envelope, &why)) {
		label_refuse(l, &why);
		return;
	}
	if (!check_all_inside(l, envelope) || (is_there && !envelope_rewrite(l, envelope)))
		return;
	if (l->rules->marks_first_line)
		put_first_line(l, envelope);
}

static void check_message(struct labelling *l)
{
	const struct node *root = l->c->stanza->root;
	struct envelope envelope;

	if (!find_label(l, &envelope))
		return;
	if (envelope.form) {
		check_labelled(l, &envelope);
	} else if (!envelope.node && has_label_inside(root) && !node_child(root, NS_SERVER, "body")) {
		(void)check_all_inside(l, NULL); /* what is forwarded brings its own */
	} else if (!envelope.node && !says_something(root)) {
		return;
	} else if (l->rules->labels == POLICY_LABELS_DEFAULT || (l->rules->has_default && is_subject_change(root))) {
		if (put_default(l, &envelope, !is_subject_change(root)))
			check_labelled(l, &envelope);
	} else {
		refuse(l, "labels.missing", "the message has no label");
	}
}

/* --- the stage --- */

static void check_iq(struct labelling *l)
{
	struct node *catalog = node_child(l->c->stanza->root, NS_CATALOG, "catalog");

	if (catalog)
		catalog_check(l, catalog);
	else
		(void)check_all_inside(l, NULL);
}

void labels_check(struct policy_case *c)
{
	struct labelling l = {c, &c->profile->labels[c->context->direction], &c->policy->labels, c->stanza->arena, 0};

	if (l.rules->labels == POLICY_LABELS_IGNORED)
		return;
	if (!strcmp(c->type, "error")) {
		if (has_label_inside(c->stanza->root))
			case_find(c, &(struct finding){.action = POLICY_DROPPED, .rule = "labels.in-error",
			.reason = "an error has no label "
				"(XEP-0258 5)"});
	} else if (c->kind == STANZA_PRESENCE) {
		if (has_label_inside(c->stanza->root))
			refuse(&l, "labels.in-presence", "presence has no label (XEP-0258 4)");
	} else if (c->kind == STANZA_IQ) {
		check_iq(&l);
	} else {
		check_message(&l);
	}
	if (arena_is_full(c->stanza->arena))
		case_no_memory(c);
}
