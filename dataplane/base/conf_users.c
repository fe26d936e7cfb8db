/* Lists of users and of domains, and groups of them. */
#include <ctype.h>
#include <string.h>

#include "conf_table.h"

#define FAULT(v, format, ...) conf_fault((v)->faults, (v)->line, "%s: " format, (v)->key->name, ##__VA_ARGS__)

/* Domains are compared as they are written; in what is before '@' the case of letters that are not ASCII is left. */
static void lower(char *text)
{
	for (; *text; text++)
		*text = (char)tolower((unsigned char)*text);
}

/* In a list of ours there are only ours, in one of theirs only theirs. A group is looked at where it stands. */
static void add_member(const struct conf_value *v, const char *text, struct conf_list *list)
{
	const char *at = strchr(text, '@'), *domain = at ? at + 1 : text;
	bool ours = conf_is_ours(v->conf, domain);
	if (!strcmp(v->key->name, "inside-users") && !ours)
		FAULT(v, "%s is none of ours (hint: [inside] domains, or outside-users)", text);
	else if (!strcmp(v->key->name, "outside-users") && ours)
		FAULT(v, "%s is one of ours (hint: inside-users)", text);
	else
		list_add(v, text, list);
}

static void add_group(const struct conf_value *v, const char *name, struct conf_list *list)
{
	const char *names[CONF_GROUPS_MAX + 1];
	struct conf *conf = v->conf;
	unsigned i = 0;
	for (; i < conf->group_count && strcmp(conf->groups[i].name, name) != 0; i++)
		names[i] = conf->groups[i].name;
	names[i] = NULL;
	if (i == conf->group_count) {
		const char *near = nearest_word(name, names);
		FAULT(v, "there is no [group %s] before it (hint: %s)", name, near ? near : "[group NAME] with its members");
		return;
	}
	conf->groups[i].used = true;
	size_t at = conf->groups[i].members.at;
	for (unsigned n = 0; n < conf->groups[i].members.count; n++) {
		char member[CONF_ITEM_BYTES]; /* the texts move as they grow */
		snprintf(member, sizeof(member), "%s", conf->texts + at);
		at += strlen(member) + 1;
		add_member(v, member, list);
	}
}

static void add_user(const struct conf_value *v, const char *item, void *list)
{
	char text[CONF_ITEM_BYTES];
	if (!strncmp(item, "group:", 6)) {
		add_group(v, item + 6, list);
		return;
	}
	if (!put_text(text, sizeof(text), item)) {
		list_add(v, item, list); /* which says so */
		return;
	}
	lower(text);
	const char *at = strchr(text, '@'), *fault = pattern_fault(at ? at + 1 : text);
	if (!fault && at == text)
		fault = "nobody before '@' (hint: user@b.example, or b.example for all)";
	if (!fault && at && !strncmp(at, "@*", 2))
		fault = "a user of many domains (hint: *.b.example)";
	if (fault)
		FAULT(v, "\"%s\": %s", item, fault);
	else
		add_member(v, text, list);
}

/* An empty value means all; a list that turns out to be empty, such as a file that lost its lines, must not. */
static void set_some(const struct conf_value *v, struct conf_list *list, bool blanks_separate, conf_item_fn add)
{
	unsigned faults = v->faults->count;
	*list = (struct conf_list){.at = v->conf->texts_bytes};
	each_item(v, blanks_separate, add, list);
	if (*v->text && !list->count && v->faults->count == faults)
		FAULT(v, "nothing is in it (hint: %s = \"\" for all)", v->key->name);
}

void set_users(const struct conf_value *v, void *field)
{
	set_some(v, field, false, add_user);
}

static void add_our_domain(const struct conf_value *v, const char *item, void *list)
{
	char text[CONF_ITEM_BYTES];
	const char *fault = put_text(text, sizeof(text), item) ? NULL : "too long (hint: a.example)";
	if (!fault) {
		lower(text);
		fault = pattern_fault(text);
	}
	if (!fault && !conf_is_ours(v->conf, text))
		fault = "not one of our own domains (hint: [inside] domains)";
	if (fault)
		FAULT(v, "\"%s\": %s", item, fault);
	else
		list_add(v, text, list);
}

void set_our_domains(const struct conf_value *v, void *field)
{
	set_some(v, field, true, add_our_domain);
}
