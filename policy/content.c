/*
 * Content: what text may say. Text is looked at wherever it hides: every run of it in the stanza, in whatever element and
 * namespace, forwarded or not, and every attribute that is no address. What markup splits is put together again.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistr.h>

#include "content.h"
#include "redact.h"
#include "stage.h"
#include "urls.h"

#define NS_XHTML "http://www.w3.org/1999/xhtml"

/* One stanza being looked at. `element` is NULL for what was put together from several. */
struct look {
	struct policy_case *c;
	const struct content_rules *rules;
	bool readable;                 /* inside of what people read */
	bool joined;                   /* inside of what is put together */
	unsigned redacted;
};

/* A text: a run of an element (`node`), an attribute, or what was put together (neither can be changed). */
struct text {
	const char *bytes;
	size_t len;
	struct node *node;
};

static const struct finding forbidden_words = {POLICY_REFUSED, "content.forbidden-words", "policy-violation", "modify",
	"the text holds a word that may not cross"};
static const struct finding too_many_words = {POLICY_REFUSED, "content.forbidden-words", "policy-violation", "modify",
	"the text holds more words that may not cross than can be taken out"};
static const struct finding pattern_limit = {POLICY_REFUSED, "content.pattern-limit", "policy-violation", "modify",
	"looking for patterns in the text takes too much"};
static const struct finding too_long = {POLICY_REFUSED, "content.max-body", "policy-violation", "modify",
	"the text is too long"};
static const struct finding url_scheme = {POLICY_REFUSED, "content.url-scheme", "policy-violation", "modify",
	"a link of a scheme that may not cross"};
static const struct finding url_host = {POLICY_REFUSED, "content.url-host", "policy-violation", "modify",
	"a link to a host that may not be named"};
static const struct finding script = {POLICY_REFUSED, "content.script", "policy-violation", "modify",
	"letters of a script that may not cross"};
static const struct finding language = {POLICY_REFUSED, "content.language", "policy-violation", "modify",
	"text in a language that may not cross"};

static bool goes_on(const struct look *look)
{
	return look->c->verdict->action < POLICY_REFUSED;
}

/* --- words and patterns --- */

static void look_for_words(struct look *look, struct text *text)
{
	int found = words_find(look->rules->forbidden, text->bytes, text->len);

	if (found == 1 && look->rules->redacts && text->node) {
		found = redact_words(look->c->stanza->arena, look->rules->forbidden, text->node);
		text->bytes = text->node->text;
		text->len = text->node->text_len;
		look->redacted++;
	}
	if (found == 1)
		case_find(look->c, &forbidden_words);
	else if (found == -ELOOP)
		case_find(look->c, &too_many_words);
	else if (found)
		case_no_memory(look->c);
}

static void pattern_found(struct look *look, int number)
{
	char reason[80];

	snprintf(reason, sizeof(reason), "the text matches pattern %d, which may not cross", number);
	case_find(look->c,
		&(struct finding){POLICY_REFUSED, "content.forbidden-patterns", "policy-violation", "modify", reason});
}

static void look_for_patterns(struct look *look, struct text *text)
{
	enum { REDACTIONS_MAX = 32 };
	size_t at, len;
	int found = patterns_find(look->rules->patterns, text->bytes, text->len, &at, &len);

	for (unsigned n = 0; found > 0 && len && look->rules->redacts && text->node && n < REDACTIONS_MAX; n++) {
		look->redacted++;
		found = redact_range(look->c->stanza->arena, text->node, at, at + len);
		if (found)
			break;
		text->bytes = text->node->text;
		text->len = text->node->text_len;
		found = patterns_find(look->rules->patterns, text->bytes, text->len, &at, &len);
	}
	if (found > 0)
		pattern_found(look, found);
	else if (found == -ELOOP)
		case_find(look->c, &pattern_limit);
	else if (found)
		case_no_memory(look->c);
}

/* --- links and letters --- */

static bool host_may_be_named(const struct content_rules *rules, const char *host)
{
	if (rules->url_hosts.count && (!*host || !names_find_domain(&rules->url_hosts, host)))
		return false;
	return !rules->forbidden_hosts.count || (*host && !names_find_domain(&rules->forbidden_hosts, host));
}

static bool is_listed(const char *const *list, const char *text)
{
	while (*list && strcmp(*list, text))
		list++;
	return *list;
}

static void look_for_urls(struct look *look, const struct text *text)
{
	const struct content_rules *rules = look->rules;
	struct url url;

	for (size_t at = 0; goes_on(look) && url_find(text->bytes, text->len, &at, &url);) {
		if (*rules->url_schemes && !is_listed(rules->url_schemes, url.scheme))
			case_find(look->c, &url_scheme);
		else if (url.has_host && !host_may_be_named(rules, url.host))
			case_find(look->c, &url_host);
	}
}

/* What belongs to no script (digits, signs) or to that of the letter before it passes. */
static bool script_may_cross(const struct content_rules *rules, ucs4_t c)
{
	if (uc_is_script(c, rules->common) || uc_is_script(c, rules->inherited))
		return true;
	for (const uc_script_t *const *allowed = rules->scripts; *allowed; allowed++)
		if (uc_is_script(c, *allowed))
			return true;
	return false;
}

static void look_for_scripts(struct look *look, const struct text *text)
{
	for (size_t at = 0; at < text->len;) {
		ucs4_t c;

		at += (size_t)u8_mbtouc(&c, (const uint8_t *)text->bytes + at, text->len - at);
		if (!script_may_cross(look->rules, c)) {
			case_find(look->c, &script);
			return;
		}
	}
}

static void look_at(struct look *look, struct text text)
{
	const struct content_rules *rules = look->rules;

	if (rules->forbidden && goes_on(look))
		look_for_words(look, &text);
	if (rules->patterns && goes_on(look))
		look_for_patterns(look, &text);
	if (rules->has_urls && goes_on(look))
		look_for_urls(look, &text);
	if (rules->scripts && look->readable && goes_on(look))
		look_for_scripts(look, &text);
}

/* --- what markup splits --- */

static size_t deep_text_len(const struct node *node)
{
	size_t len = 0;

	for (const struct node *child = node->first; child; child = child->next)
		len += child->name ? deep_text_len(child) + 1 : child->text_len;
	return len;
}

/* All text inside, in order; `between` stands where a nested element begins and ends, unless it is NUL. */
static char *put_deep_text(char *end, const struct node *node, char between)
{
	for (const struct node *child = node->first; child; child = child->next) {
		if (child->name) {
			if (between)
				*end++ = between;
			end = put_deep_text(end, child, between);
			if (between)
				*end++ = between;
			continue;
		}
		memcpy(end, child->text, child->text_len);
		end += child->text_len;
	}
	return end;
}

static void look_at_joined(struct look *look, const struct node *node, char between)
{
	char *text = arena_alloc(look->c->stanza->arena, 2 * deep_text_len(node) + 1);

	if (!text)
		case_no_memory(look->c);
	else
		look_at(look, (struct text){text, (size_t)(put_deep_text(text, node, between) - text), NULL});
}

/* Text in pieces that people read as one: XHTML, and elements beside text. Elements alone are fields of something. */
static bool is_in_pieces(const struct node *node)
{
	bool text = false, elements = false;

	if (!node->first || !node->first->next)
		return node->first && node->first->name && node_is(node, NS_XHTML, node->name);
	for (const struct node *child = node->first; child; child = child->next) {
		text |= !child->name && strspn(child->text, " \t\r\n") < child->text_len;
		elements |= child->name != NULL;
	}
	return elements ? text || node_is(node, NS_XHTML, node->name) : node->first->next != NULL;
}

/* --- where text is --- */

static bool is_address(const struct attribute *a)
{
	static const char *const names[] = {"from", "to", "jid", "by", NULL};

	return *a->ns ? !strcmp(a->ns, NS_XML) : is_listed(names, a->name);
}

static bool language_may_cross(const struct content_rules *rules, const char *tag)
{
	for (const char *const *range = rules->languages; *range; range++) {
		size_t len = strlen(*range);

		if (!strcmp(*range, "*") || (!strncasecmp(tag, *range, len) && (!tag[len] || tag[len] == '-')))
			return true;   /* basic filtering, RFC 4647 3.3.1 */
	}
	return !*rules->languages;
}

static void look_at_attributes(struct look *look, const struct node *node)
{
	const char *tag = node_language(node);

	if (tag && *tag && !language_may_cross(look->rules, tag))
		case_find(look->c, &language);
	for (const struct attribute *a = node->attributes; a && goes_on(look); a = a->next)
		if (!is_address(a))
			look_at(look, (struct text){a->value, strlen(a->value), NULL});
}

static size_t characters_of(const struct node *node)
{
	size_t n = 0;

	for (const struct node *child = node->first; child; child = child->next)
		n += child->name ? characters_of(child) : u8_mbsnlen((const uint8_t *)child->text, child->text_len);
	return n;
}

static bool is_readable(const struct node *node)
{
	return node_is(node, NULL, "body") || node_is(node, NULL, "subject") || node_is(node, NULL, "status");
}

static void look_below(struct look *look, struct node *node);

static void look_inside(struct look *look, struct node *node)
{
	for (struct node *child = node->first; child && goes_on(look); child = child->next)
		if (child->name)
			look_below(look, child);
		else
			look_at(look, (struct text){child->text, child->text_len, child});
}

static void look_below(struct look *look, struct node *node)
{
	struct look inner = *look;

	look_at_attributes(look, node);
	if (!node->first || binary_is_encoded(node) || !goes_on(look))
		return;
	inner.readable |= is_readable(node);
	inner.joined |= is_in_pieces(node);
	if (look->rules->max_body && node_is(node, NULL, "body") && characters_of(node) > look->rules->max_body)
		case_find(look->c, &too_long);
	look_inside(&inner, node);
	if (inner.joined && !look->joined && goes_on(look)) {
		look_at_joined(&inner, node, '\0');
		if (goes_on(look))
			look_at_joined(&inner, node, ' ');
	}
	look->redacted = inner.redacted;
}

void content_check(struct policy_case *c)
{
	struct look look = {.c = c, .rules = &c->profile->content[c->context->direction]};

	if (!look.rules->looks)
		return;
	look_below(&look, c->stanza->root);
	if (look.redacted && goes_on(&look))
		case_changed(c, "content.redacted", "forbidden text taken out, %u times", look.redacted);
}
