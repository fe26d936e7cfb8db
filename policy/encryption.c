/*
 * Encryption from end to end. Ways of it that no element tells of: Off-the-Record Messaging, which is in text of any kind
 * (XEP-0364), and links to files whose key they hold (XEP-0454). And what has to be encrypted: all text that people could
 * read. Nothing proves that something is encrypted, but much proves that it is not.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "children.h"
#include "features.h"

#define F(id) (UINT64_C(1) << FEATURE_##id)
#define OTR_BASE_TAG "\x20\x09\x20\x20\x09\x09\x09\x09\x20\x09\x20\x09\x20\x09\x20\x20"
#define WHITE_SPACE " \t\r\n"

enum { OTR_BASE_BYTES = sizeof(OTR_BASE_TAG) - 1, OTR_VERSION_BYTES = 8 };

/* --- Off-the-Record Messaging --- */

static size_t otr_version_bytes(const char *text, size_t len)
{
	static const char *const versions[] = {"\x20\x09\x20\x09\x20\x20\x09\x20", "\x20\x20\x09\x09\x20\x20\x09\x20",
		"\x20\x20\x09\x09\x20\x20\x09\x09", "\x20\x20\x09\x09\x20\x09\x20\x20"};

	for (size_t i = 0; len >= OTR_VERSION_BYTES && i < sizeof(versions) / sizeof(*versions); i++)
		if (!memcmp(text, versions[i], OTR_VERSION_BYTES))
			return OTR_VERSION_BYTES;
	return 0;
}

/* Of a tag, with the versions that it offers. */
static size_t otr_tag_bytes(const char *text, size_t len)
{
	size_t n = OTR_BASE_BYTES, more;

	while ((more = otr_version_bytes(text + n, len - n)))
		n += more;
	return n;
}

/*
 * A client offers it by white space that nobody sees. What is left when it is gone may be such a tag again: then nobody can
 * say what the text is without it.
 */
static void take_out_tag(struct feature_use *use, struct node *text)
{
	const char *tag = memmem(text->text, text->text_len, OTR_BASE_TAG, OTR_BASE_BYTES);
	size_t before, n;
	char *rest;

	if (!tag)
		return;
	before = (size_t)(tag - text->text);
	n = otr_tag_bytes(tag, text->text_len - before);
	rest = arena_alloc(use->c->stanza->arena, text->text_len - n + 1);
	if (!rest) {
		case_no_memory(use->c);
		return;
	}
	memcpy(rest, text->text, before);
	memcpy(rest + before, tag + n, text->text_len - before - n + 1);
	text->text = rest;
	text->text_len -= n;
	if (memmem(rest, text->text_len, OTR_BASE_TAG, OTR_BASE_BYTES))
		feature_refuse(use, FEATURE_OTR);
	else
		case_changed(use->c, feature_rule(FEATURE_OTR), "without the offer of otr");
}

static bool is_of_base64(const char *text, const char *others)
{
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("+/=" WHITE_SPACE, *text) && !strchr(others, *text))
			return false;
	return true;
}

/* Nothing but what is encrypted so, or asks for it: a human may have written what stands beside. */
static bool is_otr(const struct node *body)
{
	const struct node *text = body->first;

	return text && !text->name && !text->next && text->text_len >= 5 && !memcmp(text->text, "?OTR", 4) &&
		strchr(":,|?v", text->text[4]) && strcspn(text->text, WHITE_SPACE) == text->text_len &&
		is_of_base64(text->text + 4, ".,:|?");
}

/* --- what no element tells of --- */

static bool has_aesgcm(const struct node *node)
{
	for (const struct attribute *a = node->attributes; a; a = a->next)
		if (strcasestr(a->value, "aesgcm://"))
			return true;
	for (const struct node *text = node->first; text; text = text->next)
		if (!text->name && strcasestr(text->text, "aesgcm://"))
			return true;
	return false;
}

/* Clients look for it anywhere in a text, and libpurple in XHTML too. */
static bool has_otr(const struct node *node)
{
	for (const struct node *text = node->first; text; text = text->next)
		if (!text->name && memmem(text->text, text->text_len, "?OTR", 4))
			return true;
	return false;
}

static enum feature missing_of(const struct feature_use *use, const struct node *node)
{
	uint64_t missing = ~use->rules->allowed & (F(OMEMO) | F(FILE_SHARING));

	if (missing && has_aesgcm(node))
		return feature_first(missing);
	return use->c->kind == STANZA_MESSAGE && !feature_is_allowed(use, F(OTR)) && has_otr(node) ? FEATURE_OTR : FEATURES;
}

static void look_below(struct feature_use *use, struct node *node)
{
	bool tags = use->c->kind == STANZA_MESSAGE && !feature_is_allowed(use, F(OTR));
	struct node *next;

	for (struct node *child = node->first; child; child = next) {
		enum feature missing = child->name ? missing_of(use, child) : FEATURES;

		next = child->next;
		if (!child->name && tags)
			take_out_tag(use, child);
		else if (missing < FEATURES && use->lenient)
			feature_strip(use, child, missing);
		else if (missing < FEATURES)
			feature_refuse(use, missing);
		else
			look_below(use, child);
	}
}

/* --- what has to be encrypted --- */

static bool is_of_message(const struct node *node, const char *name)
{
	return is_of_stanza(node) && !strcmp(node->name, name);
}

static unsigned digit_of(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *digit = c ? strchr(digits, c) : NULL;

	return digit ? (unsigned)(digit - digits) : 0;
}

/*
 * What OpenPGP only signs, anybody can read. What it encrypts begins with a key for it, which is itself encrypted: packets
 * 1 and 3 of RFC 4880 4.3, by the first byte (4.2).
 */
static bool is_pgp_encrypted(const char *base64)
{
	unsigned byte, tag;

	base64 += strspn(base64, WHITE_SPACE);
	byte = digit_of(base64[0]) << 2 | (*base64 ? digit_of(base64[1]) >> 4 : 0);
	tag = byte & 0x40 ? byte & 0x3f : byte >> 2 & 0xf;
	return byte & 0x80 && (tag == 1 || tag == 3);
}

static bool is_sealed_text(const struct node *node, const char *text)
{
	bool pgp = node_is(node, "jabber:x:encrypted", node->name) || node_is(node, "urn:xmpp:openpgp:0", "openpgp");

	return is_of_base64(text, "") && (!pgp || is_pgp_encrypted(text));
}

/* Attributes in which XEPs have words for people. */
static bool has_words(const struct node *node)
{
	static const char *const names[] = {"reason", "label", "title", "desc", "alt", "anchor"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *value = node_attribute(node, names[i]);

		if (value && *value)
			return true;
	}
	return false;
}

static void take_out(struct feature_use *use, struct node *node)
{
	case_changed(use->c, "features.not-encrypted", "without text that is not encrypted");
	node_remove(node);
}

static void demand_encryption(struct feature_use *use, struct node *message);

/* Text that people could read, but for that of messages within, which are judged on their own. */
static bool says_something(struct feature_use *use, struct node *node)
{
	const struct feature_place *place = feature_place_of(node->ns);
	unsigned traits = place ? place->traits : 0;
	struct node *next;

	if (is_of_message(node, "thread") || is_of_message(node, "error"))
		return false;
	if (!(traits & (PLACE_DATA | PLACE_SEALED)) && has_words(node))
		return true;
	for (struct node *child = node->first; child; child = next) {
		next = child->next;
		if (child->name && is_of_message(child, "message"))
			demand_encryption(use, child);
		else if (child->name && says_something(use, child))
			return true;
		if (child->name || traits & PLACE_DATA || strspn(child->text, WHITE_SPACE) == child->text_len)
			continue;
		if (traits & PLACE_REMARK)
			take_out(use, child);
		else if (!(traits & PLACE_SEALED) || !is_sealed_text(node, child->text))
			return true;
	}
	return false;
}

static bool is_sealed(struct feature_use *use, struct node *node)
{
	const struct feature_place *place = node->name ? feature_place_of(node->ns) : NULL;

	return place && place->traits & PLACE_SEALED && !says_something(use, node);
}

/*
 * Text beside what is encrypted is meant for those who cannot read that, and could be anything. That of an error is the
 * message that it answers.
 */
static void demand_encryption(struct feature_use *use, struct node *message)
{
	bool encrypted = !strcmp(use->c->type, "error");
	struct node *next;

	for (struct node *child = message->first; child; child = child->next)
		encrypted |= is_sealed(use, child);
	for (struct node *child = message->first; child; child = next) {
		next = child->next;
		if (!child->name || (is_of_message(child, "body") && is_otr(child)) || !says_something(use, child))
			continue;
		if (!encrypted) {
			case_find(use->c, &(struct finding){POLICY_REFUSED, "features.not-encrypted", "policy-violation",
				"modify", "the text has to be encrypted from end to end"});
			return;
		}
		take_out(use, child);
	}
}

void encryption_check(struct feature_use *use)
{
	if (use->c->kind == STANZA_MESSAGE || (~use->rules->allowed & (F(OMEMO) | F(FILE_SHARING))))
		look_below(use, use->c->stanza->root);
	if (use->rules->requires_encryption && use->c->kind == STANZA_MESSAGE)
		demand_encryption(use, use->c->stanza->root);
}
