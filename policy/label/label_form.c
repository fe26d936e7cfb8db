/* Labels and clearances in whichever form they come; see label_form.h. */
#include <errno.h>
#include <string.h>

#include "document.h"
#include "ess.h"
#include "label_form.h"
#include "policy/base64.h"

/* MISSI has one number for enumerated tags of both types; the policy knows which of them has the value. */
static void settle_types(const struct spif_set *set, const char *policy, struct label_value *values, unsigned *count)
{
	const struct spif *spif = spif_by_id(set, policy);

	for (unsigned i = 0; spif && i < *count; i++) {
		struct label_value other = values[i];

		other.type = TAG_ENUMERATED_PERMISSIVE;
		if (values[i].type == TAG_ENUMERATED_RESTRICTIVE && spif_value(spif,
		&values[i]) < 0 && spif_value(spif, &other) >= 0)
			values[i] = other;
	}
	*count = label_values_sort(values, *count);
}

static int read_ess(struct label_reader *reader, const uint8_t *bytes, size_t len, struct label *label)
{
	int err = ess_label_decode(reader->arena, bytes, len, reader->ber, label, &reader->why);

	if (!err && label->is_missi)
		settle_types(reader->set, label->policy, label->values, &label->value_count);
	return err;
}

/* Base64 with blanks in it, as bytes in the arena; NULL with the error. */
static const uint8_t *read_base64(struct label_reader *reader, const char *text, size_t len, size_t *n, int *err)
{
	struct base64 decoder = {.out = arena_alloc(reader->arena, base64_room(len))};

	*err = -ENOMEM;
	if (!decoder.out)
		return NULL;
	base64_feed(&decoder, text, len);
	*err = base64_end(&decoder) ? 0 : -EBADMSG;
	reader->why = "it is no base64";
	*n = decoder.len;
	return *err ? NULL : decoder.out;
}

int label_read_element(struct label_reader *reader, const struct node *node, struct label *label)
{
	const uint8_t *bytes;
	char *text;
	size_t n;
	int err;

	*label = (struct label){.policy = "", .classification = -1};
	if (!node_is(node, NS_SEC_LABEL_ESS, "esssecuritylabel"))
		return label_xml_read(reader->set, reader->arena, node, label, &reader->why);
	text = node_has_elements(node) ? NULL : node_text(node, reader->arena);
	if (!text) {
		reader->why = "elements where there should be base64";
		return arena_is_full(reader->arena) ? -ENOMEM : -EBADMSG;
	}
	bytes = read_base64(reader, text, strlen(text), &n, &err);
	return bytes ? read_ess(reader, bytes, n, label) : err;
}

/* --- files --- */

enum { FIRST_OF_SET = 0x31, FIRST_OF_SEQUENCE = 0x30 };

static const struct node *read_tree(struct label_reader *reader, const char *bytes, size_t len)
{
	struct document_fault fault;
	int defect;
	const struct node *root = document_read(reader->arena, bytes, len, &defect, &fault);

	reader->why = "it is not well-formed XML";
	if (root && node_is(root, NS_SEC_LABEL, "securitylabel"))
		root = node_child(root, NS_SEC_LABEL, "label");
	if (root && node_is(root, NS_SEC_LABEL, "label"))
		for (root = root->first; root && !root->name; root = root->next)
			;
	return defect ? NULL : root;
}

static bool is_xml(const char *bytes, size_t len)
{
	size_t i = len >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3) ? 3 : 0;

	while (i < len && strchr(" \t\r\n", bytes[i]) && bytes[i])
		i++;
	return i < len && bytes[i] == '<';
}

/* '0' and '1' begin a SEQUENCE and a SET, but base64 too: what is DER is as long as its header says. */
static bool is_der(const char *bytes, size_t len, unsigned char first)
{
	const unsigned char *b = (const unsigned char *)bytes;
	size_t n;

	if (len < 2 || b[0] != first)
		return false;
	if (b[1] < 0x80)
		return len == 2 + (size_t)b[1];
	if (b[1] == 0x81 && len > 2)
		return len == 3 + (size_t)b[2];
	n = len > 3 ? (size_t)b[2] << 8 | b[3] : 0;
	return b[1] == 0x80 || (b[1] == 0x82 && len == 4 + n);
}

int label_read_bytes(struct label_reader *reader, const char *bytes, size_t len, struct label *label)
{
	const struct node *root;
	const uint8_t *der;
	size_t n;
	int err;

	if (is_der(bytes, len, FIRST_OF_SET))
		return read_ess(reader, (const uint8_t *)bytes, len, label);
	if (is_xml(bytes, len)) {
		root = read_tree(reader, bytes, len);
		return root ? label_read_element(reader, root, label) : -EBADMSG;
	}
	der = read_base64(reader, bytes, len, &n, &err);
	return der ? read_ess(reader, der, n, label) : err;
}

static int read_clearance(struct label_reader *reader, const uint8_t *bytes, size_t len, struct clearance *clearance)
{
	int err = ess_clearance_decode(reader->arena, bytes, len, reader->ber, clearance, &reader->why);

	if (!err && clearance->is_missi)
		settle_types(reader->set, clearance->policy, clearance->values, &clearance->value_count);
	return err;
}

int clearance_read_bytes(struct label_reader *reader, const char *bytes, size_t len, struct clearance *clearance)
{
	const struct node *root;
	const uint8_t *der;
	size_t n;
	int err;

	if (is_der(bytes, len, FIRST_OF_SEQUENCE))
		return read_clearance(reader, (const uint8_t *)bytes, len, clearance);
	if (is_xml(bytes, len)) {
		root = read_tree(reader, bytes, len);
		return root ? clearance_xml_read(reader->set, reader->arena, root, clearance,
		&reader->why) : -EBADMSG;
	}
	der = read_base64(reader, bytes, len, &n, &err);
	return der ? read_clearance(reader, der, n, clearance) : err;
}

/* --- writing --- */

int label_ess_element(struct arena *arena, const struct label *label, struct node **node)
{
	const uint8_t *bytes;
	size_t len;
	char *text;
	int err = ess_label_encode(arena, label, &bytes, &len);

	if (err)
		return err;
	text = arena_alloc(arena, base64_text_room(len));
	*node = node_new(arena, NS_SEC_LABEL_ESS, "esssecuritylabel");
	if (!text || !*node)
		return -ENOMEM;
	base64_encode(text, bytes, len);
	return node_add_text(arena, *node, text, strlen(text));
}
