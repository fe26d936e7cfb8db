/*
 * Labels and clearances as DER; see ess.h. Written from the end,
	so that the length of all that is inside is known when
 * a header is due.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/objects.h>

#include <unistr.h>

#include "ess_write.h"

enum { FIRST_BYTES = 512, BYTES_MAX = 64 << 10, MARK_MAX = 128, TAG_SET = 0x31, TAG_SEQUENCE = 0x30 };

struct writer {
	struct arena *arena;
	uint8_t *begin;                /* of the room */
	size_t size, len;              /* what is written is at its end */
	int error;
};

/* --- bytes --- */

static bool make_room(struct writer *w, size_t n)
{
	size_t size = w->size ? w->size : FIRST_BYTES;
	uint8_t *grown;

	while (size < w->len + n)
		size *= 2;
	if (size == w->size)
		return true;
	grown = size <= 4 * BYTES_MAX ? arena_alloc(w->arena, size) : NULL;
	if (!grown) {
		w->error = -ENOMEM;
		return false;
	}
	if (w->len)
		memcpy(grown + size - w->len, w->begin + w->size - w->len, w->len);
	w->begin = grown;
	w->size = size;
	return true;
}

static void put(struct writer *w, const void *bytes, size_t n)
{
	if (w->error || !make_room(w, n))
		return;
	w->len += n;
	memcpy(w->begin + w->size - w->len, bytes, n);
}

static void put_byte(struct writer *w, unsigned byte)
{
	const uint8_t b = (uint8_t)byte;

	put(w, &b, 1);
}

/* In front of what was written since `mark`, which is what w->len was before. */
static void put_header(struct writer *w, unsigned tag, size_t mark)
{
	size_t n = w->len - mark;
	unsigned bytes = 0;

	if (n >= 0x80) {
		for (; n; n >>= 8, bytes++)
			put_byte(w, (unsigned)(n & 0xff));
		put_byte(w, 0x80 | bytes);
	} else {
		put_byte(w, (unsigned)n);
	}
	put_byte(w, tag);
}

static void put_integer(struct writer *w, uint64_t number)
{
	size_t mark = w->len;
	unsigned last;

	do {
		last = (unsigned)(number & 0xff);
		put_byte(w, last);
		number >>= 8;
	} while (number);
	if (last & 0x80)
		put_byte(w, 0);
	put_header(w, V_ASN1_INTEGER, mark);
}

static void put_oid(struct writer *w, unsigned tag, const char *oid)
{
	unsigned char bytes[LABEL_OID_BYTES];
	size_t mark = w->len;
	int n = a2d_ASN1_OBJECT(bytes, sizeof(bytes), oid, -1);

	if (n <= 0) {
		w->error = w->error ? w->error : -EDOM;
		return;
	}
	put(w, bytes, (size_t)n);
	put_header(w, tag, mark);
}

/* --- attributes of one tag: values that stand together --- */

static bool is_bits(enum tag_type type)
{
	return type == TAG_RESTRICTIVE || type == TAG_PERMISSIVE || type == TAG_INFORMATIVE;
}

static void put_bits(struct writer *w, unsigned tag, const struct label_value *values, unsigned count)
{
	size_t mark = w->len, last = (size_t)values[count - 1].lacv, n = last / 8 + 1;
	uint8_t bytes[LABEL_BIT_MAX / 8 + 1] = {0};

	if (values[count - 1].lacv > LABEL_BIT_MAX) {
		w->error = -EDOM;
		return;
	}
	for (unsigned i = 0; i < count; i++)
		bytes[values[i].lacv / 8] |= (uint8_t)(0x80 >> (values[i].lacv % 8));
	put(w, bytes, n);
	put_byte(w, 7 - last % 8);
	put_header(w, tag, mark);
}

/* The smaller ones are the shorter ones, or come first among those of one length: their order is that of DER. */
static void put_integers(struct writer *w, unsigned tag, const struct label_value *values, unsigned count)
{
	size_t mark = w->len;

	for (unsigned i = count; i-- > 0;) {
		if (values[i].lacv > LACV_NUMBER_MAX)
			w->error = -EDOM;
		put_integer(w, values[i].lacv);
	}
	put_header(w, tag, mark);
}

static void put_attributes(struct writer *w, const struct label_value *values, unsigned count)
{
	if (is_bits(values->type))
		put_bits(w, V_ASN1_BIT_STRING, values, count);
	else
		put_integers(w, TAG_SET, values, count);
}

static unsigned end_of_tag(const struct label_value *values, unsigned count, unsigned first)
{
	unsigned end = first + 1;

	while (end < count && values[end].type == values[first].type && !strcmp(values[end].tag_set,
		values[first].tag_set))
		end++;
	return end;
}

/* --- SET OF: in the order of their bytes --- */

struct piece {
	const uint8_t *bytes;
	size_t len;
};

static int compare_pieces(const void *a, const void *b)
{
	const struct piece *one = a, *other = b;
	int order = memcmp(one->bytes, other->bytes, one->len < other->len ? one->len : other->len);

	return order ? order : one->len < other->len ? -1 : one->len > other->len;
}

static void put_set_of(struct writer *w, unsigned tag, struct piece *pieces, unsigned count)
{
	size_t mark = w->len;

	qsort(pieces, count, sizeof(*pieces), compare_pieces);
	for (unsigned i = count; i-- > 0;)
		put(w, pieces[i].bytes, pieces[i].len);
	put_header(w, tag, mark);
}

static struct piece piece_of(const struct writer *piece)
{
	return (struct piece){piece->begin + piece->size - piece->len, piece->len};
}

/* --- ACP-145: a category for each tag --- */

static void put_category(struct writer *w, const struct label_value *values, unsigned count)
{
	static const char *const types[TAG_TYPES] = {
		[TAG_RESTRICTIVE] = ESS_ACP145 ".0",
		[TAG_ENUMERATED_PERMISSIVE] = ESS_ACP145 ".1",
		[TAG_PERMISSIVE] = ESS_ACP145 ".2",
		[TAG_INFORMATIVE] = ESS_ACP145 ".3",
		[TAG_ENUMERATED_INFORMATIVE] = ESS_ACP145 ".3",
		[TAG_ENUMERATED_RESTRICTIVE] = ESS_ACP145 ".4",
	};
	size_t mark = w->len;

	put_attributes(w, values, count);
	put_oid(w, V_ASN1_OBJECT, values->tag_set);
	put_header(w, TAG_SEQUENCE, mark);
	put_header(w, 0xa1, mark);
	put_oid(w, 0x80, types[values->type]);
	put_header(w, TAG_SEQUENCE, mark);
}

static void put_acp145(struct writer *w, unsigned tag, const struct label_value *values, unsigned count)
{
	struct piece *pieces = arena_alloc(w->arena, count * sizeof(*pieces));
	unsigned n = 0;

	if (!pieces) {
		w->error = -ENOMEM;
		return;
	}
	for (unsigned first = 0, end; first < count; first = end) {
		struct writer piece = {.arena = w->arena};

		end = end_of_tag(values, count, first);
		put_category(&piece, values + first, end - first);
		w->error = w->error ? w->error : piece.error;
		if (w->error)
			return;
		pieces[n++] = piece_of(&piece);
	}
	if (n > ESS_CATEGORIES_MAX)
		w->error = -EDOM;
	put_set_of(w, tag, pieces, n);
}

/* --- MISSI: one category, with a tag set for each of the label's --- */

static void put_missi_tag(struct writer *w, const struct label_value *values, unsigned count, bool of_label)
{
	static const unsigned char numbers[TAG_TYPES] = {
		[TAG_RESTRICTIVE] = 1,
		[TAG_ENUMERATED_PERMISSIVE] = 2,
		[TAG_ENUMERATED_RESTRICTIVE] = 2,
		[TAG_PERMISSIVE] = 6,
		[TAG_INFORMATIVE] = 7,
		[TAG_ENUMERATED_INFORMATIVE] = 7,
	};
	unsigned number = numbers[values->type];
	size_t mark = w->len;

	if (of_label) {
		put_attributes(w, values, count);
		put_header(w, 0xa0 | number, mark);
	} else if (number == 7) {
		w->error = -EDOM; /* what is no matter of access is in no clearance */
	} else if (is_bits(values->type)) {
		put_bits(w, 0x80 | number, values, count);
	} else {
		put_integers(w, 0xa0 | number, values, count);
	}
}

/* The tags of one tag set, in the order of their numbers. */
static void put_tag_set(struct writer *w, const struct label_value *values, unsigned count, bool of_label)
{
	static const enum tag_type order[] = {TAG_ENUMERATED_INFORMATIVE, TAG_INFORMATIVE, TAG_PERMISSIVE,
		TAG_ENUMERATED_PERMISSIVE, TAG_ENUMERATED_RESTRICTIVE, TAG_RESTRICTIVE};
	size_t mark = w->len;

	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		for (unsigned first = 0, end; first < count; first = end) {
			end = end_of_tag(values, count, first);
			if (values[first].type == order[i])
				put_missi_tag(w, values + first, end - first, of_label);
		}
	put_header(w, TAG_SEQUENCE, mark);
	put_oid(w, V_ASN1_OBJECT, values->tag_set);
	put_header(w, TAG_SEQUENCE, mark);
}

static void put_missi(struct writer *w, unsigned tag, const struct label_value *values, unsigned count, bool of_label)
{
	struct piece *pieces = arena_alloc(w->arena, count * sizeof(*pieces));
	size_t mark = w->len;
	unsigned n = 0;

	if (!pieces) {
		w->error = -ENOMEM;
		return;
	}
	for (unsigned first = 0, end; first < count; first = end) {
		struct writer piece = {.arena = w->arena};

		for (end = first + 1; end < count && !strcmp(values[end].tag_set, values[first].tag_set); end++)
			;
		put_tag_set(&piece, values + first, end - first, of_label);
		w->error = w->error ? w->error : piece.error;
		if (w->error)
			return;
		pieces[n++] = piece_of(&piece);
	}
	put_set_of(w, TAG_SET, pieces, n);
	put_header(w, 0xa1, mark);
	put_oid(w, 0x80, of_label ? ESS_MISSI : ESS_SSL_PRIVILEGES);
	put_header(w, TAG_SEQUENCE, mark);
	put_header(w, tag, mark);
}

/* --- the whole --- */

static int finish(const struct writer *w, const uint8_t **bytes, size_t *len)
{
	if (w->error)
		return w->error;
	*bytes = w->begin + w->size - w->len;
	*len = w->len;
	return 0;
}

static bool is_printable(const char *text, size_t len)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?";

	for (size_t i = 0; i < len; i++)
		if (!text[i] || !strchr(letters, text[i]))
			return false;
	return true;
}

/* RFC 2634 3.2, X.680 41.4. */
bool ess_is_mark(const char *text, size_t len, bool is_utf8)
{
	const uint8_t *bytes = (const uint8_t *)text;

	if (!len || len > 4 * MARK_MAX || memchr(text, '\0', len))
		return false;
	if (!is_utf8)
		return len <= MARK_MAX && is_printable(text, len);
	return !u8_check(bytes, len) && u8_mbsnlen(bytes, len) <= MARK_MAX;
}

static void put_mark(struct writer *w, const struct label *label, unsigned tag)
{
	size_t mark = w->len, n = strlen(label->privacy_mark);

	if (!ess_is_mark(label->privacy_mark, n, label->mark_is_utf8))
		w->error = -EDOM;
	put(w, label->privacy_mark, n);
	put_header(w, tag, mark);
}

int ess_label_encode(struct arena *arena, const struct label *label, const uint8_t **bytes, size_t *len)
{
	struct writer w = {.arena = arena};

	if (label->privacy_mark && !label->mark_is_utf8)
		put_mark(&w, label, V_ASN1_PRINTABLESTRING);
	if (label->value_count && label->is_missi)
		put_missi(&w, TAG_SET, label->values, label->value_count, true);
	else if (label->value_count)
		put_acp145(&w, TAG_SET, label->values, label->value_count);
	if (label->privacy_mark && label->mark_is_utf8)
		put_mark(&w, label, V_ASN1_UTF8STRING);
	if (*label->policy)
		put_oid(&w, V_ASN1_OBJECT, label->policy);
	if (label->classification >= 0)
		put_integer(&w, (uint64_t)label->classification);
	put_header(&w, TAG_SET, 0);
	return finish(&w, bytes, len);
}

static void put_classes(struct writer *w, const struct clearance *clearance, unsigned tag)
{
	uint8_t bytes[LABEL_CLASS_MAX / 8 + 1] = {0};
	size_t mark = w->len;
	int last = -1;

	for (int i = 0; i <= LABEL_CLASS_MAX; i++)
		if (clearance_has_class(clearance, i)) {
			bytes[i / 8] |= (uint8_t)(0x80 >> (i % 8));
			last = i;
		}
	if (last == ESS_UNCLASSIFIED && bytes[0] == 0x80 >> ESS_UNCLASSIFIED)
		return; /* the default is not written */
	put(w, bytes, last < 0 ? 0 : (size_t)last / 8 + 1);
	put_byte(w, last < 0 ? 0 : 7 - (unsigned)last % 8);
	put_header(w, tag, mark);
}

int ess_clearance_write(struct arena *arena, const struct clearance *clearance, bool tagged, const uint8_t **bytes,
	size_t *len)
{
	struct writer w = {.arena = arena};

	if (clearance->value_count && clearance->is_missi)
		put_missi(&w, tagged ? 0xa2 : TAG_SET, clearance->values, clearance->value_count, false);
	else if (clearance->value_count)
		put_acp145(&w, tagged ? 0xa2 : TAG_SET, clearance->values, clearance->value_count);
	put_classes(&w, clearance, tagged ? 0x81 : V_ASN1_BIT_STRING);
	put_oid(&w, tagged ? 0x80 : V_ASN1_OBJECT, clearance->policy);
	put_header(&w, TAG_SEQUENCE, 0);
	return finish(&w, bytes, len);
}

int ess_clearance_encode(struct arena *arena, const struct clearance *clearance, const uint8_t **bytes, size_t *len)
{
	return ess_clearance_write(arena, clearance, false, bytes, len);
}
