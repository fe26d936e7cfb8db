/* The policy itself: copied from its rules, never changed after that; and the walk of a stanza through the stages. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feature_table.h"
#include "stage.h"

/* Their order is part of what a policy means: shape finds out who speaks and of what, peering which profile holds. */
static const struct stage {
	const char *name;
	void (*check)(struct policy_case *c);
	bool by_profile;               /* runs for what may pass so far; the others also find worse in what is refused */
} stages[] = {
	{"shape", shape_check, false},
	{"peering", peering_check, false},
	{"hours", hours_check, true},
	{"features", features_check, true},
	{"presence", presence_check, true},
	{"message", message_check, true},
	{"labels", labels_check, true},
	{"content", content_check, true},
	{"binary", binary_check, true},
};

enum { STAGES = sizeof(stages) / sizeof(*stages), FAULT_BYTES = 280 };
_Static_assert((int)STAGES <= (int)POLICY_STEPS_MAX, "each stage has its step in a verdict");

static void tell_profile(struct policy_case *c)
{
	enum policy_presence level = c->profile->presence[c->context->direction];

	c->verdict->profile = c->profile->name;
	c->verdict->rates = &c->profile->rates[c->context->direction];
	c->verdict->presence_folds = level == POLICY_PRESENCE_ONLINE || level == POLICY_PRESENCE_SHOW;
}

static bool is_monitored(const struct policy_case *c, const struct stage *stage)
{
	return stage->by_profile && c->profile && c->profile->monitored[c->context->direction] & 1u << (stage - stages);
}

/* The stage looks at a copy, and what it finds there is told and forgotten. */
static void ask_in_vain(struct policy_case *c, const struct stage *stage)
{
	struct policy_verdict found = {.rule = "", .error_condition = "", .error_type = ""};
	struct stanza copy = {c->stanza->arena, node_copy(c->stanza->arena, c->stanza->root)};
	struct policy_told *told = &c->verdict->told;
	struct policy_case monitored = *c;

	if (!copy.root) {
		case_no_memory(c);
		return;
	}
	c->step->only_told = true;
	monitored.stanza = &copy;
	monitored.verdict = &found;
	stage->check(&monitored);
	if (found.action <= told->action)
		return;
	told->action = found.action;
	told->rule = found.rule;
	snprintf(told->reason, sizeof(told->reason), "%s", *found.changed ? found.changed : found.reason);
}

static void ask(struct policy_case *c, const struct stage *stage)
{
	c->step = &c->verdict->steps[c->verdict->step_count++];
	*c->step = (struct policy_step){.stage = stage->name, .rule = ""};
	if (is_monitored(c, stage))
		ask_in_vain(c, stage);
	else
		stage->check(c);
}

/* Before a profile has changed anything. NULL: nothing is tried beside, or there is no room for it, which is told. */
static struct node *copy_for_shadow(struct policy_case *c)
{
	struct node *copy = NULL;

	if (c->peer && c->peer->shadow && c->verdict->action < POLICY_REFUSED) {
		copy = node_copy(c->stanza->arena, c->stanza->root);
		c->verdict->shadow = (struct policy_shadow){true, !copy, POLICY_REFUSED, "policy.memory"};
	}
	return copy;
}

/* The other profile looks at the copy; what the first one had monitored does not matter to it. */
static void check_shadow(const struct policy_case *c, struct node *root)
{
	struct policy_verdict other = {.rule = "", .error_condition = "", .error_type = ""};
	struct stanza copy = {c->stanza->arena, root};
	struct policy_case shadow = *c;

	shadow.stanza = &copy;
	shadow.verdict = &other;
	shadow.step = NULL;
	shadow.profile = &c->policy->profiles[c->peer->shadow - 1];
	for (const struct stage *stage = stages; stage < stages + STAGES; stage++)
		if (stage->by_profile && other.action < POLICY_REFUSED && !is_monitored(&shadow, stage))
			stage->check(&shadow);
	c->verdict->shadow = (struct policy_shadow){true, other.action != c->verdict->action ||
			strcmp(other.rule, c->verdict->rule) || strcmp(other.changed, c->verdict->changed),
		other.action, other.rule};
}

void policy_check(const struct policy *policy, const struct policy_context *context, struct stanza *stanza,
	struct policy_verdict *verdict)
{
	struct policy_case c = {.policy = policy, .context = context, .stanza = stanza, .verdict = verdict};
	struct node *copy = NULL;
	const struct stage *stage = stages;

	*verdict = (struct policy_verdict){.rule = "", .error_condition = "", .error_type = "", .peer = "", .profile = "",
		.told.rule = "", .shadow.rule = ""};
	for (; stage < stages + STAGES && !stage->by_profile; stage++)
		if (verdict->action < POLICY_CLOSE)
			ask(&c, stage);
	copy = copy_for_shadow(&c);
	for (; stage < stages + STAGES; stage++)
		if (verdict->action < POLICY_REFUSED)
			ask(&c, stage);
	if (copy)
		check_shadow(&c, copy);
	if (c.profile)
		tell_profile(&c);
}

/* --- Verdicts --- */

/* The actions stand in their order of tightness, so that a stage cannot loosen what another one found. */
_Static_assert(POLICY_PASS < POLICY_REWRITTEN && POLICY_REWRITTEN < POLICY_REFUSED && POLICY_REFUSED < POLICY_DROPPED &&
	POLICY_DROPPED < POLICY_CLOSE, "each action is tighter than the one before");

void policy_tighten(struct policy_verdict *v, enum policy_action action, const char *rule, const char *condition,
	const char *error_type, const char *reason)
{
	if (action <= v->action)
		return;
	v->action = action;
	v->rule = rule;
	v->error_condition = condition;
	v->error_type = error_type;
	snprintf(v->reason, sizeof(v->reason), "%s", reason);
}

void case_find(struct policy_case *c, const struct finding *finding)
{
	if (c->step && finding->action > c->step->action) {
		c->step->action = finding->action;
		c->step->rule = finding->rule;
	}
	policy_tighten(c->verdict, finding->action, finding->rule, finding->condition ? finding->condition : "",
		finding->error_type ? finding->error_type : "", finding->reason);
}

void case_changed(struct policy_case *c, const char *rule, const char *format, ...)
{
	struct policy_verdict *v = c->verdict;
	size_t len = strlen(v->changed);
	va_list ap;

	if (len && len + 2 < sizeof(v->changed)) {
		memcpy(v->changed + len, "; ", 3);
		len += 2;
	}
	va_start(ap, format);
	vsnprintf(v->changed + len, sizeof(v->changed) - len, format, ap);
	va_end(ap);
	case_find(c, &(struct finding){.action = POLICY_REWRITTEN, .rule = rule, .reason = "changed as the profile says"});
}

void case_no_memory(struct policy_case *c)
{
	case_find(c, &(struct finding){POLICY_REFUSED, "policy.memory", "resource-constraint", "wait",
		"no memory to judge the stanza"});
}

const char *policy_action_name(enum policy_action action)
{
	static const char *const names[] = {
		[POLICY_PASS] = "pass",
		[POLICY_REWRITTEN] = "rewritten",
		[POLICY_REFUSED] = "refused",
		[POLICY_DROPPED] = "dropped",
		[POLICY_CLOSE] = "close",
	};

	return (unsigned)action < sizeof(names) / sizeof(*names) ? names[action] : "?";
}

/* --- The life of a policy --- */

/* -EINVAL, after saying why. */
static __attribute__((format(printf, 3, 4))) int fault(const struct policy_rules *rules, int line, const char *format, ...)
{
	va_list ap;

	if (!rules->fault)
		return -EINVAL;
	rules->fault->line = line;
	va_start(ap, format);
	vsnprintf(rules->fault->text, sizeof(rules->fault->text), format, ap);
	va_end(ap);
	return -EINVAL;
}

const char *const *list_copy(const char *const *list)
{
	size_t count = 0, bytes = 0;
	const char **copy;
	char *text;

	for (; list && list[count]; count++)
		bytes += strlen(list[count]) + 1;
	copy = malloc((count + 1) * sizeof(*copy) + bytes);
	if (!copy)
		return NULL;
	text = (char *)(copy + count + 1);
	for (size_t i = 0; i < count; i++) {
		copy[i] = text;
		text = stpcpy(text, list[i]) + 1;
	}
	copy[count] = NULL;
	return copy;
}

const char *const *types_copy(const char *const *list)
{
	const char *const *copy = list_copy(list);

	for (const char *const *type = copy; type && *type; type++)
		for (char *c = (char *)*type; *c; c++)
			*c = (char)tolower((unsigned char)*c);
	return copy;
}

/* A list of the rules, which may be NULL. */
static int add_names(const struct policy_rules *rules, int line, const char *key, struct names *names,
	const char *const *list, bool users)
{
	const char *twice;

	for (unsigned i = 0; list && list[i]; i++) {
		int err = names_add(names, list[i], i, users);

		if (err == -EINVAL)
			return fault(rules, line, "%s: \"%.80s\" is no %s in its normal form (hint: %sb.example, *.b.example)",
				key, list[i], users ? "user or domain" : "domain", users ? "user@b.example, " : "");
		if (err)
			return err;
	}
	twice = names_sort(names);
	return twice ? fault(rules, line, "%s: %.80s is there twice (hint: once)", key, twice) : 0;
}

static int add_content(const struct policy_rules *rules, const struct policy_profile_rules *profile, int direction,
	struct content_rules *content)
{
	char why[160];
	int err = content_init(content, profile->forbidden[direction], &profile->content[direction], why, sizeof(why));

	return err == -EINVAL ? fault(rules, profile->line, "%s", why) : err;
}

static int add_features(const struct policy_rules *rules, int line, struct policy_feature_rules *features,
	const struct policy_feature_names *names)
{
	static const char *const all[] = {"all", NULL};
	uint64_t within = 0;
	const char *unknown;

	features->unknown = names->unknown;
	features->requires_encryption = names->requires_encryption;
	features->pep_nodes = list_copy(names->pep_nodes);
	if (!features->pep_nodes)
		return -ENOMEM;
	unknown = feature_set_of(names->names ? names->names : all, &features->allowed);
	if (!unknown)
		unknown = feature_set_of(names->within ? names->within : all, &within);
	if (unknown)
		return fault(rules, line, "features: unknown feature \"%.60s\" (hint: policy/README.md lists them)", unknown);
	if (features->allowed & ~within)
		return fault(rules, line, "features: %s is not among those of the profile (hint: a peer can only take away)",
			feature_name(feature_first(features->allowed & ~within)));
	return 0;
}

static int add_messages(const struct policy_rules *rules, int line, struct message_rules *messages,
	const struct policy_message_rules *from)
{
	const char *bad;
	int err = message_rules_init(messages, from, &bad);

	return err == -EINVAL ? fault(rules, line, "strip: \"%.50s\" is no element that can be taken out (hint: "
		"{urn:xmpp:hints}store, {urn:xmpp:hints}, not of jabber:server or jabber:client)", bad) : err;
}

static int add_labels(struct policy *policy, const struct policy_rules *rules, int line, struct label_rules *labels,
	const struct policy_label_rules *from)
{
	char why[FAULT_BYTES];
	int err = label_rules_init(labels, &policy->labels, from, why, sizeof(why));

	return err == -EINVAL ? fault(rules, line, "%s", why) : err;
}

/* The names of stages that follow a profile; the others say what is no stanza at all, and who is no peer. */
static int add_monitored(const struct policy_rules *rules, int line, unsigned *bits, const char *const *names)
{
	for (; names && *names; names++) {
		unsigned before = *bits;

		for (const struct stage *stage = stages; stage < stages + STAGES; stage++)
			if (stage->by_profile && (!strcmp(*names, "all") || !strcmp(*names, stage->name)))
				*bits |= 1u << (stage - stages);
		if (*bits == before)
			return fault(rules, line, "monitor: \"%.40s\" is no stage, or is there twice (hint: all, features, content)",
				*names);
	}
	return 0;
}

static int profile_init(struct policy *whole, const struct policy_rules *policy, struct profile *profile,
	const struct policy_profile_rules *rules)
{
	int err = 0;

	profile->name = strdup(rules->name);
	if (!profile->name)
		return -ENOMEM;
	for (int d = 0; d < POLICY_DIRECTIONS && !err; d++) {
		profile->presence[d] = rules->presence[d];
		profile->rates[d] = rules->rates[d];
		profile->hours[d] = rules->hours[d];
		profile->binaries[d] = rules->binaries[d];
		profile->binaries[d].types = types_copy(rules->binaries[d].types);
		if (!profile->binaries[d].types)
			return -ENOMEM;
		err = add_content(policy, rules, d, &profile->content[d]);
		if (!err)
			err = add_features(policy, rules->line, &profile->features[d], &rules->features[d]);
		if (!err)
			err = add_messages(policy, rules->line, &profile->messages[d], &rules->messages[d]);
		if (!err)
			err = add_labels(whole, policy, rules->line, &profile->labels[d], &rules->labels[d]);
		if (!err)
			err = add_monitored(policy, rules->line, &profile->monitored[d], rules->monitored[d]);
	}
	if (!err)
		err = add_names(policy, rules->line, "inside-users", &profile->inside_users, rules->inside_users, true);
	if (!err)
		err = add_names(policy, rules->line, "outside-users", &profile->outside_users, rules->outside_users, true);
	return err;
}

/* Of labels: the policies that give them their meaning, and clearances of users. */
static int add_policies(struct policy *policy, const struct policy_rules *rules)
{
	char why[FAULT_BYTES];
	int line = 0, err = labels_init(&policy->labels, &rules->labels, &line, why, sizeof(why));

	return err == -EINVAL ? fault(rules, line, "%s", why) : err;
}

static int add_profiles(struct policy *policy, const struct policy_rules *rules)
{
	policy->profiles = calloc(rules->profile_count + 1, sizeof(*policy->profiles));
	if (!policy->profiles)
		return -ENOMEM;
	for (unsigned i = 0; i < rules->profile_count; i++) {
		int err = profile_init(policy, rules, &policy->profiles[policy->profile_count++], &rules->profiles[i]);

		if (err)
			return err;
	}
	return 0;
}

static int add_peer(struct policy *policy, const struct policy_rules *rules, const struct policy_peer_rules *peer)
{
	unsigned number = policy->peer_count++;
	int err;

	policy->peers[number] = (struct peer){.profile = peer->profile, .shadow = peer->shadow, .way = peer->way};
	if (peer->profile >= rules->profile_count || peer->shadow > rules->profile_count)
		return fault(rules, peer->line, "there is no such profile");
	err = names_add(&policy->peer_names, peer->domain, number, false);
	if (err)
		return err == -EINVAL ? fault(rules, peer->line, "\"%.80s\" is no domain", peer->domain) : err;
	return add_names(rules, peer->line, "inside", &policy->peers[number].inside, peer->inside, false);
}

static int add_peers(struct policy *policy, const struct policy_rules *rules)
{
	const char *twice;
	int err = 0;

	policy->peers = calloc(rules->peer_count + 1, sizeof(*policy->peers));
	if (!policy->peers)
		return -ENOMEM;
	for (unsigned i = 0; i < rules->peer_count && !err; i++)
		err = add_peer(policy, rules, &rules->peers[i]);
	if (err)
		return err;
	twice = names_sort(&policy->peer_names);
	for (size_t i = 0; i < policy->peer_names.count; i++)
		policy->peers[policy->peer_names.name[i].value].name = policy->peer_names.name[i].text;
	return twice ? fault(rules, 0, "peer %.80s is there twice (hint: once)", twice) : 0;
}

struct policy *policy_new(const struct policy_rules *rules)
{
	struct policy *policy = calloc(1, sizeof(*policy));
	int err = policy ? add_names(rules, 0, "domains", &policy->domains, rules->domains, false) : -ENOMEM;

	if (!err)
		err = add_policies(policy, rules);
	if (!err)
		err = add_profiles(policy, rules);
	if (!err)
		err = add_peers(policy, rules);
	if (!err)
		return policy;
	policy_free(policy);
	errno = -err;
	return NULL;
}

static void profile_fini(struct profile *profile)
{
	free(profile->name);
	for (int d = 0; d < POLICY_DIRECTIONS; d++) {
		content_fini(&profile->content[d]);
		message_rules_fini(&profile->messages[d]);
		label_rules_fini(&profile->labels[d]);
		free((void *)profile->binaries[d].types);
		free((void *)profile->features[d].pep_nodes);
	}
	names_fini(&profile->inside_users);
	names_fini(&profile->outside_users);
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	for (unsigned i = 0; i < policy->peer_count; i++)
		names_fini(&policy->peers[i].inside);
	for (unsigned i = 0; i < policy->profile_count; i++)
		profile_fini(&policy->profiles[i]);
	labels_fini(&policy->labels);
	names_fini(&policy->domains);
	names_fini(&policy->peer_names);
	free(policy->peers);
	free(policy->profiles);
	free(policy);
}
