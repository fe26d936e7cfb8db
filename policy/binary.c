/*
 * Binaries that cross in band: transfers (IBB, XEP-0047), bits of binary (XEP-0231), avatars (XEP-0084, XEP-0008), what is
 * in a vCard (XEP-0054), and data: URIs (RFC 2397) wherever they stand: photos of vCards (XEP-0292), thumbnails
 * (XEP-0264), pictures in XHTML, text. Each has to be one reading of its text, not too large, what it is declared as, and
 * of a type that may cross; whether it is harmless is for a scanner to say, and the caller's to ask. A chunk of a transfer
 * is no file: size and type are those of all its chunks so far, which the caller puts together.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "binary.h"
#include "data_uri.h"
#include "stage.h"

enum binary_limits {
	BINARIES_MAX = 16,             /* in one stanza */
	TYPE_BYTES = 128,
};

/* Elements whose text is base64, and where their type is declared: in an attribute, or in a sibling TYPE. */
static const struct place {
	const char *ns, *name, *attribute;
	bool sibling;
} places[] = {
	{NS_IBB, "data", NULL, false},
	{"urn:xmpp:bob", "data", "type", false},
	{"urn:xmpp:avatar:data", "data", NULL, false},
	{"http://www.xmpp.org/extensions/xep-0084.html#ns-data", "data", NULL, false},
	{"jabber:iq:avatar", "data", "mimetype", false},
	{"storage:client:avatar", "data", "mimetype", false},
	{NULL, "BINVAL", NULL, true},
};

enum { PLACES = sizeof(places) / sizeof(*places) };

/* What is looked for in one stanza. */
struct search {
	struct policy_case *c;
	const struct policy_binary_rules *rules;
	const struct policy_binary **end;      /* of the list of what was found */
	unsigned found;
};

/* --- what is wrong with one --- */

static const struct finding forbidden = {POLICY_REFUSED, "binary.forbidden", "policy-violation", "modify",
	"binaries may not cross"};
static const struct finding too_many = {POLICY_REFUSED, "binary.too-many", "policy-violation", "modify",
	"too many binaries in one stanza"};
static const struct finding undecodable = {POLICY_REFUSED, "binary.encoding", "policy-violation", "modify",
	"a binary that is not encoded as it has to be"};
static const struct finding too_large = {POLICY_REFUSED, "binary.too-large", "policy-violation", "modify",
	"a binary that is too large"};
static const struct finding other_type = {POLICY_REFUSED, "binary.type", "policy-violation", "modify",
	"a binary that is not what it is declared as"};
static const struct finding type_forbidden = {POLICY_REFUSED, "binary.type-forbidden", "policy-violation", "modify",
	"a binary of a type that may not cross"};

/* An item of the list may be a whole type, "image" with any subtype, or all of them. */
static bool type_is_listed(const char *const *types, const char *type)
{
	for (; *types; types++) {
		size_t len = strlen(*types);

		if (len && (*types)[len - 1] == '*' ? !strncmp(*types, type, len - 1) : !strcmp(*types, type))
			return true;
	}
	return false;
}

static bool type_may_cross(const char *const *types, const char *declared, const char *found)
{
	if (!types || !*types)
		return true;
	if (!*declared && !*found)
		return type_is_listed(types, "application/octet-stream");
	return (*found && type_is_listed(types, found)) ||
		(*declared && (!*found || strcmp(declared, "application/octet-stream")) && type_is_listed(types, declared));
}

static const struct finding *fault_of(const struct policy_binary_rules *rules, const struct policy_binary *binary)
{
	const char *found = binary_type(binary->bytes, binary->len);

	if (binary->len > rules->max_bytes)
		return &too_large;
	if (!binary->len)
		return NULL;
	if (!binary_type_fits(binary->type, found))
		return &other_type;
	return type_may_cross(rules->types, binary->type, found) ? NULL : &type_forbidden;
}

void policy_binary_check(const struct policy_binary_rules *rules, const struct policy_binary *binary,
	struct policy_verdict *verdict)
{
	struct policy_case c = {.verdict = verdict};
	const struct finding *fault = fault_of(rules, binary);

	if (fault)
		case_find(&c, fault);
}

/* --- finding them --- */

/* A media type in the form in which types are compared: lower case, no parameters. */
static const char *type_copy(struct arena *arena, const char *text, size_t len)
{
	size_t first = 0;
	char *type;

	while (first < len && isspace((unsigned char)text[first]))
		first++;
	len = first + strcspn(text + first, "; \t\r\n") < len ? first + strcspn(text + first, "; \t\r\n") : len;
	if (len - first > TYPE_BYTES)
		len = first + TYPE_BYTES;
	type = arena_strndup(arena, text + first, len - first);
	for (char *c = type; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return type;
}

/* Bytes and type were put together in the arena, or could not be (NULL). False: nothing more is to be looked for. */
static bool add(struct search *s, const struct policy_binary *made)
{
	struct policy_binary *binary = made->bytes && made->type ? arena_alloc(s->c->stanza->arena, sizeof(*binary)) : NULL;
	const struct finding *fault;

	if (!binary) {
		case_no_memory(s->c);
		return false;
	}
	*binary = *made;
	fault = binary->transfer ? NULL : fault_of(s->rules, binary);
	if (fault) {
		case_find(s->c, fault);
		return false;
	}
	if (binary->transfer || s->rules->action == POLICY_BINARIES_SCAN) {
		*s->end = binary;
		s->end = &binary->next;
	}
	return true;
}

/* One more was found. False: it may not be. */
static bool may_be(struct search *s)
{
	const struct finding *fault = NULL;

	if (s->rules->action == POLICY_BINARIES_REFUSE)
		fault = &forbidden;
	else if (s->found++ == BINARIES_MAX)
		fault = &too_many;
	if (fault)
		case_find(s->c, fault);
	return !fault;
}

static const struct place *place_of(const struct node *node)
{
	if (strcmp(node->name, "data") && strcmp(node->name, "BINVAL"))
		return NULL; /* most are told by their name alone */
	for (const struct place *place = places; place < places + PLACES; place++)
		if (node_is(node, place->ns, place->name))
			return place;
	return NULL;
}

bool binary_is_encoded(const struct node *node)
{
	return place_of(node);
}

static const char *declared_type(struct search *s, const struct node *node, const struct place *place)
{
	const char *text = place->attribute ? node_attribute(node, place->attribute) : NULL;
	const struct node *sibling = place->sibling && node->parent ? node_child(node->parent, NULL, "TYPE") : NULL;

	if (sibling)
		text = node_text(sibling, s->c->stanza->arena);
	else if (!text)
		return "";
	return text ? type_copy(s->c->stanza->arena, text, strlen(text)) : NULL;
}

/* What comes back in an answer adds to no transfer. */
static bool is_chunk(const struct policy_case *c, const struct node *data)
{
	return data->parent == c->stanza->root && strcmp(c->type, "error") && strcmp(c->type, "result");
}

static bool add_element(struct search *s, const struct node *node, const struct place *place)
{
	struct arena *arena = s->c->stanza->arena;
	bool is_transfer = place == places && is_chunk(s->c, node);
	size_t len = node_text_len(node);
	struct base64 decoder = {.out = NULL};
	struct policy_binary binary = {.type = declared_type(s, node, place)};

	if (!len && !is_transfer && !node_has_elements(node))
		return true; /* asked for, or taken back */
	if (!may_be(s))
		return false;
	decoder.out = arena_alloc(arena, base64_room(len));
	for (const struct node *text = node->first; text && decoder.out; text = text->next)
		if (!text->name)
			base64_feed(&decoder, text->text, text->text_len);
	binary.bytes = decoder.out;
	binary.len = decoder.len;
	if (is_transfer)
		binary.transfer = node;
	if (node_has_elements(node) || (decoder.out && !base64_end(&decoder))) {
		case_find(s->c, &undecodable);
		return false;
	}
	return add(s, &binary);
}

static bool add_uri(struct search *s, const struct data_uri *uri)
{
	struct arena *arena = s->c->stanza->arena;
	struct policy_binary binary = {.type = type_copy(arena, uri->type, uri->type_len)};
	uint8_t *out;

	if (!may_be(s))
		return false;
	out = arena_alloc(arena, data_uri_room(uri));
	binary.bytes = out;
	if (out && !data_uri_decode(uri, out, &binary.len)) {
		case_find(s->c, &undecodable);
		return false;
	}
	return add(s, &binary);
}

/* True: go on. */
static bool find_uris(struct search *s, const char *text, size_t len)
{
	struct data_uri uri;

	for (size_t at = 0; data_uri_find(text, len, &at, &uri);)
		if (!add_uri(s, &uri))
			return false;
	return true;
}

static bool find_in(struct search *s, const struct node *node)
{
	const struct place *place = place_of(node);
	bool goes_on = !place || add_element(s, node, place);

	for (const struct attribute *a = node->attributes; a && goes_on; a = a->next)
		goes_on = find_uris(s, a->value, strlen(a->value));
	for (const struct node *child = node->first; child && goes_on; child = child->next)
		goes_on = child->name ? find_in(s, child) : place || find_uris(s, child->text, child->text_len);
	return goes_on;
}

void binary_check(struct policy_case *c)
{
	const struct policy_binary_rules *rules = &c->profile->binaries[c->context->direction];
	struct search s = {.c = c, .rules = rules, .end = &c->verdict->binaries};

	c->verdict->binary_rules = rules;
	find_in(&s, c->stanza->root);
}
