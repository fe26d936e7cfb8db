/*
 * ESS labels and clearances in DER; see ess.h. OpenSSL's templates read; what they read is written again by ess_write.c,
 * and only what comes out the same was DER.
 *
 *     ESSSecurityLabel   SET { INTEGER?, OID?, UTF8String?, SET OF category?,
	PrintableString? }      in the order of DER
 *     Clearance          SEQUENCE { OID, BIT STRING DEFAULT {unclassified}, SET OF category? }
 *     category           SEQUENCE { [0] OID, [1] EXPLICIT ... }
 *     ACP-145            SEQUENCE { OID of the tag set, BIT STRING | SET OF INTEGER }
 *     MISSI (SDN.801c)   SET OF SEQUENCE { OID of the tag set, SEQUENCE OF tag }
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/asn1t.h>
#include <openssl/objects.h>

#include "ess_write.h"

enum { BYTES_MAX = 64 << 10, ALL_MAX = LABEL_VALUES_MAX };

/* --- the templates --- */

struct der_category {
	ASN1_OBJECT *type;
	ASN1_TYPE *value;
};

struct der_label {
	ASN1_INTEGER *classification;
	ASN1_OBJECT *policy;
	ASN1_UTF8STRING *utf8_mark;
	OPENSSL_STACK *categories;
	ASN1_PRINTABLESTRING *printable_mark;
};

struct der_clearance {
	ASN1_OBJECT *policy;
	ASN1_BIT_STRING *classes;
	OPENSSL_STACK *categories;
};

struct der_tag {                       /* ACP-145 */
	ASN1_OBJECT *tag_set;
	ASN1_TYPE *attributes;
};

struct der_tag_set {                   /* MISSI: tags are taken apart by their numbers */
	ASN1_OBJECT *name;
	OPENSSL_STACK *tags;
};

struct der_missi_tag {                 /* of a label */
	ASN1_INTEGER *level;
	ASN1_TYPE *attributes;
};

ASN1_SEQUENCE(DER_CATEGORY) = {
	ASN1_IMP(struct der_category, type, ASN1_OBJECT, 0),
	ASN1_EXP(struct der_category, value, ASN1_ANY, 1),
} static_ASN1_SEQUENCE_END_name(struct der_category, DER_CATEGORY)

ASN1_SEQUENCE(DER_LABEL) = {
	ASN1_OPT(struct der_label, classification, ASN1_INTEGER),
	ASN1_OPT(struct der_label, policy, ASN1_OBJECT),
	ASN1_OPT(struct der_label, utf8_mark, ASN1_UTF8STRING),
	ASN1_SET_OF_OPT(struct der_label, categories, DER_CATEGORY),
	ASN1_OPT(struct der_label, printable_mark, ASN1_PRINTABLESTRING),
} static_ASN1_SEQUENCE_END_name(struct der_label, DER_LABEL)

ASN1_SEQUENCE(DER_CLEARANCE) = {
	ASN1_SIMPLE(struct der_clearance, policy, ASN1_OBJECT),
	ASN1_OPT(struct der_clearance, classes, ASN1_BIT_STRING),
	ASN1_SET_OF_OPT(struct der_clearance, categories, DER_CATEGORY),
} static_ASN1_SEQUENCE_END_name(struct der_clearance, DER_CLEARANCE)

ASN1_SEQUENCE(DER_TAGGED_CLEARANCE) = {
	ASN1_IMP(struct der_clearance, policy, ASN1_OBJECT, 0),
	ASN1_IMP_OPT(struct der_clearance, classes, ASN1_BIT_STRING, 1),
	ASN1_IMP_SET_OF_OPT(struct der_clearance, categories, DER_CATEGORY, 2),
} static_ASN1_SEQUENCE_END_name(struct der_clearance, DER_TAGGED_CLEARANCE)

ASN1_SEQUENCE(DER_TAG) = {
	ASN1_SIMPLE(struct der_tag, tag_set, ASN1_OBJECT),
	ASN1_SIMPLE(struct der_tag, attributes, ASN1_ANY),
} static_ASN1_SEQUENCE_END_name(struct der_tag, DER_TAG)

ASN1_SEQUENCE(DER_TAG_SET) = {
	ASN1_SIMPLE(struct der_tag_set, name, ASN1_OBJECT),
	ASN1_SEQUENCE_OF(struct der_tag_set, tags, ASN1_ANY),
} static_ASN1_SEQUENCE_END_name(struct der_tag_set, DER_TAG_SET)

ASN1_SEQUENCE(DER_MISSI_TAG) = {
	ASN1_OPT(struct der_missi_tag, level, ASN1_INTEGER),
	ASN1_SIMPLE(struct der_missi_tag, attributes, ASN1_ANY),
} static_ASN1_SEQUENCE_END_name(struct der_missi_tag, DER_MISSI_TAG)

ASN1_ITEM_TEMPLATE(DER_INTEGERS) = ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SET_OF, 0, integers, ASN1_INTEGER)
static_ASN1_ITEM_TEMPLATE_END(DER_INTEGERS)

ASN1_ITEM_TEMPLATE(DER_TAG_SETS) = ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SET_OF, 0, tag_sets, DER_TAG_SET)
static_ASN1_ITEM_TEMPLATE_END(DER_TAG_SETS)

/* --- what is being read --- */

struct reading {
	struct arena *arena;
	const char *why;
	struct label_value *values;
	unsigned count, room;
	bool no_memory;
};

static bool fail(struct reading *reading, const char *why)
{
	if (!reading->why)
		reading->why = why;
	return false;
}

static bool fail_memory(struct reading *reading)
{
	reading->no_memory = true;
	return fail(reading, "no memory");
}

/* As `tag` of the universal class instead of its own,
	which is how a SET of different things is read; -1: as its own. */
static void *read_as(const ASN1_ITEM *item, const uint8_t *bytes, size_t len, int tag, int class)
{
	ASN1_VALUE *value = NULL;
	const uint8_t *at = bytes;
	ASN1_TLC cache = {0};
	int rc = ASN1_item_ex_d2i(&value, &at, (long)len, item, tag, class, 0, &cache);

	if (rc > 0 && at == bytes + len)
		return value;
	ASN1_item_free(value, item);
	return NULL;
}

static void *read_item(const ASN1_ITEM *item, const ASN1_STRING *raw)
{
	return read_as(item, raw->data, (size_t)raw->length, -1, 0);
}

/* X.690 8.19, for numbers of 63 bits; 0: there is a larger one, or no room. OpenSSL does it for any, ten times slower. */
static size_t put_oid(const ASN1_OBJECT *object, char *text, size_t size)
{
	const uint8_t *bytes = OBJ_get0_data(object);
	size_t len = OBJ_length(object), at = 0;
	uint64_t number = 0;

	for (size_t i = 0; i < len; i++) {
		char digits[24];
		size_t n = sizeof(digits);

		if (number >> 56)
			return 0;
		number = number << 7 | (bytes[i] & 0x7f);
		if (bytes[i] & 0x80)
			continue;
		if (!at) {
			uint64_t first = number < 80 ? number / 40 : 2;

			text[at++] = (char)('0' + first);
			number -= 40 * first;
		}
		do
			digits[--n] = (char)('0' + number % 10);
		while (number /= 10);
		if (at + 1 + sizeof(digits) - n >= size)
			return 0;
		text[at++] = '.';
		memcpy(text + at, digits + n, sizeof(digits) - n);
		at += sizeof(digits) - n;
	}
	text[at] = '\0';
	return at;
}

static const char *oid_text(struct reading *reading, const ASN1_OBJECT *object)
{
	char text[LABEL_OID_BYTES];
	char *copy;

	if (!put_oid(object, text, sizeof(text))) {
		int n = OBJ_obj2txt(text, sizeof(text), object, 1);

		if (n <= 0 || (size_t)n >= sizeof(text) || !oid_is_valid(text)) {
			fail(reading, "an object identifier is too long");
			return NULL;
		}
	}
	copy = arena_strdup(reading->arena, text);
	if (!copy)
		fail_memory(reading);
	return copy;
}

static bool add_value(struct reading *reading, const char *tag_set, enum tag_type type, uint64_t lacv)
{
	if (reading->count == ALL_MAX)
		return fail(reading, "too many categories");
	if (reading->count == reading->room) {
		unsigned room = reading->room ? 2 * reading->room : 8;
		struct label_value *values = arena_alloc(reading->arena, room * sizeof(*values));

		if (!values)
			return fail_memory(reading);
		if (reading->count)
			memcpy(values, reading->values, reading->count * sizeof(*values));
		reading->values = values;
		reading->room = room;
	}
	reading->values[reading->count++] = (struct label_value){tag_set, type, lacv};
	return true;
}

/* --- attributes: bits and numbers --- */

static bool read_bits(struct reading *reading, const char *tag_set, enum tag_type type, const ASN1_BIT_STRING *bits)
{
	size_t count = 8 * (size_t)bits->length;

	for (size_t i = 0; i < count; i++) {
		if (!(bits->data[i / 8] & 0x80 >> i % 8))
			continue;
		if (i > LABEL_BIT_MAX)
			return fail(reading, "a bit is too far");
		if (!add_value(reading, tag_set, type, i))
			return false;
	}
	return true;
}

static bool read_integers(struct reading *reading, const char *tag_set, enum tag_type type, const ASN1_STRING *raw)
{
	OPENSSL_STACK *integers = read_item(ASN1_ITEM_rptr(DER_INTEGERS), raw);
	bool done = integers || fail(reading, "a list of categories is no SET OF INTEGER");

	for (int i = 0; done && i < OPENSSL_sk_num(integers); i++) {
		uint64_t lacv;

		if (!ASN1_INTEGER_get_uint64(&lacv, OPENSSL_sk_value(integers, i)) || lacv > LACV_NUMBER_MAX)
			done = fail(reading, "a category is negative, or too large");
		else
			done = add_value(reading, tag_set, type, lacv);
	}
	ASN1_item_free((ASN1_VALUE *)integers, ASN1_ITEM_rptr(DER_INTEGERS));
	return done;
}

static bool read_attributes(struct reading *reading, const char *tag_set, enum tag_type bits, enum tag_type numbers,
	const ASN1_TYPE *attributes)
{
	if (attributes->type == V_ASN1_BIT_STRING && bits < TAG_TYPES)
		return read_bits(reading, tag_set, bits, attributes->value.bit_string);
	if (attributes->type == V_ASN1_SET && numbers < TAG_TYPES)
		return read_integers(reading, tag_set, numbers, attributes->value.set);
	return fail(reading, "a category is not encoded as its type is");
}

/* --- ACP-145 --- */

static bool read_acp145(struct reading *reading, const char *type, const ASN1_TYPE *value)
{
	static const struct {
		const char *type;
		enum tag_type bits, numbers;
	} types[] = {
		{ESS_ACP145 ".0", TAG_RESTRICTIVE, TAG_TYPES},
		{ESS_ACP145 ".1", TAG_TYPES, TAG_ENUMERATED_PERMISSIVE},
		{ESS_ACP145 ".2", TAG_PERMISSIVE, TAG_TYPES},
		{ESS_ACP145 ".3", TAG_INFORMATIVE, TAG_ENUMERATED_INFORMATIVE},
		{ESS_ACP145 ".4", TAG_TYPES, TAG_ENUMERATED_RESTRICTIVE},
	};
	struct der_tag *tag = NULL;
	const char *tag_set;
	bool done = false;
	size_t i = 0;

	while (i < sizeof(types) / sizeof(*types) && strcmp(types[i].type, type) != 0)
		i++;
	if (i == sizeof(types) / sizeof(*types))
		return fail(reading, "a category is of a type that is not known");
	if (value->type == V_ASN1_SEQUENCE)
		tag = read_item(ASN1_ITEM_rptr(DER_TAG), value->value.sequence);
	if (!tag)
		return fail(reading, "a category is no SEQUENCE of a tag set and attributes");
	tag_set = oid_text(reading, tag->tag_set);
	if (tag_set)
		done = read_attributes(reading, tag_set, types[i].bits, types[i].numbers, tag->attributes);
	ASN1_item_free((ASN1_VALUE *)tag, ASN1_ITEM_rptr(DER_TAG));
	return done;
}

/* --- MISSI: [1] restrictive, [2] enumerated, [6] permissive, [7] of free form --- */

/* What is in a tag of a label: its attributes, behind a level that nobody uses. */
static bool read_missi_attributes(struct reading *reading, const char *tag_set, enum tag_type bits,
	enum tag_type numbers,
	const ASN1_STRING *raw, int number)
{
	struct der_missi_tag *tag =
		read_as(ASN1_ITEM_rptr(DER_MISSI_TAG), raw->data, (size_t)raw->length, number,
		V_ASN1_CONTEXT_SPECIFIC);
	bool done = tag && !tag->level ? read_attributes(reading, tag_set, bits, numbers, tag->attributes)
				       : fail(reading, "a tag of MISSI is no SEQUENCE of attributes, or has a level");

	ASN1_item_free((ASN1_VALUE *)tag, ASN1_ITEM_rptr(DER_MISSI_TAG));
	return done;
}

/* Those of a clearance have the attributes alone. */
static bool read_privilege(struct reading *reading, const char *tag_set, enum tag_type bits, enum tag_type numbers,
	const ASN1_STRING *raw, int number)
{
	ASN1_BIT_STRING *flags;
	ASN1_STRING *copy;
	bool done;

	if (bits < TAG_TYPES) {
		flags = read_as(ASN1_ITEM_rptr(ASN1_BIT_STRING), raw->data, (size_t)raw->length, number,
		V_ASN1_CONTEXT_SPECIFIC);
		done = flags ? read_bits(reading, tag_set, bits, flags) : fail(reading, "a privilege is no BIT "
		"STRING");
		ASN1_BIT_STRING_free(flags);
		return done;
	}
	/* [2] IMPLICIT SET: the same bytes behind another first one. */
	copy = ASN1_STRING_dup(raw);
	if (!copy)
		return fail_memory(reading);
	copy->data[0] = V_ASN1_SET | V_ASN1_CONSTRUCTED;
	done = read_integers(reading, tag_set, numbers, copy);
	ASN1_STRING_free(copy);
	return done;
}

static bool read_free_form(struct reading *reading, const char *tag_set, const ASN1_STRING *raw)
{
	long len;
	int number, class;
	const uint8_t *at = raw->data;
	ASN1_TYPE *attributes = NULL;
	bool done;

	if (!(ASN1_get_object(&at, &len, &number, &class, raw->length) & 0x80))
		attributes = d2i_ASN1_TYPE(NULL, &at, len);
	done = attributes && at == raw->data + raw->length
		? read_attributes(reading, tag_set, TAG_INFORMATIVE, TAG_ENUMERATED_INFORMATIVE, attributes)
		: fail(reading, "a tag of free form is neither bits nor numbers");
	ASN1_TYPE_free(attributes);
	return done;
}

static bool read_missi_tag(struct reading *reading, const char *tag_set, const ASN1_TYPE *tag, bool of_label)
{
	const ASN1_STRING *raw = tag->type == V_ASN1_OTHER ? tag->value.asn1_string : NULL;
	int number = raw && raw->length ? raw->data[0] & 0x1f : 0;

	if (!raw || !raw->length || (raw->data[0] & 0xc0) != V_ASN1_CONTEXT_SPECIFIC)
		return fail(reading, "a tag of MISSI is of a type that is not known");
	switch (number) {
	case 1:
	case 6: {
		enum tag_type type = number == 1 ? TAG_RESTRICTIVE : TAG_PERMISSIVE;

		return of_label ? read_missi_attributes(reading, tag_set, type, TAG_TYPES, raw, number)
				: read_privilege(reading, tag_set, type, TAG_TYPES, raw, number);
	}
	/* It does not tell restrictive from permissive: the policy does, and label_read() asks it. */
	case 2:
		return of_label ? read_missi_attributes(reading, tag_set, TAG_TYPES,
		TAG_ENUMERATED_RESTRICTIVE, raw, number)
				: read_privilege(reading, tag_set, TAG_TYPES, TAG_ENUMERATED_RESTRICTIVE, raw,
				number);
	case 7:
		if (of_label)
			return read_free_form(reading, tag_set, raw);
		/* fall through */
	default: return fail(reading, "a tag of MISSI is of a type that is not known");
	}
}

static bool read_missi(struct reading *reading, const ASN1_TYPE *value, bool of_label)
{
	OPENSSL_STACK *tag_sets =
		value->type == V_ASN1_SET ? read_item(ASN1_ITEM_rptr(DER_TAG_SETS), value->value.set) : NULL;
	bool done = tag_sets || fail(reading, "categories of MISSI are no SET OF tag sets");

	for (int i = 0; done && i < OPENSSL_sk_num(tag_sets); i++) {
		const struct der_tag_set *set = OPENSSL_sk_value(tag_sets, i);
		const char *name = oid_text(reading, set->name);

		done = name;
		for (int j = 0; done && j < OPENSSL_sk_num(set->tags); j++)
			done = read_missi_tag(reading, name, OPENSSL_sk_value(set->tags, j), of_label);
	}
	ASN1_item_free((ASN1_VALUE *)tag_sets, ASN1_ITEM_rptr(DER_TAG_SETS));
	return done;
}

/* --- labels and clearances --- */

static bool read_categories(struct reading *reading, OPENSSL_STACK *categories, bool of_label, bool *is_missi)
{
	const char *missi = of_label ? ESS_MISSI : ESS_SSL_PRIVILEGES;

	if (OPENSSL_sk_num(categories) == 0 || OPENSSL_sk_num(categories) > ESS_CATEGORIES_MAX)
		return fail(reading, "there are no categories in their SET, or more than 64");
	for (int i = 0; i < OPENSSL_sk_num(categories); i++) {
		const struct der_category *category = OPENSSL_sk_value(categories, i);
		const char *type = oid_text(reading, category->type);
		bool is = type && !strcmp(type, missi);

		if (!type || (i && is != *is_missi))
			return fail(reading, "categories of MISSI and of ACP-145 in one label");
		*is_missi = is;
		if (is ? !read_missi(reading, category->value, of_label) : !read_acp145(reading, type,
		category->value))
			return false;
	}
	return true;
}

static bool read_mark(struct reading *reading, const ASN1_STRING *mark, struct label *label)
{
	if (!mark)
		return true;
	if (label->privacy_mark)
		return fail(reading, "there are two privacy marks");
	if (!ess_is_mark((const char *)mark->data, (size_t)mark->length, mark->type == V_ASN1_UTF8STRING))
		return fail(reading, "the privacy mark is empty, longer than 128 characters, or has some that may not be");
	label->privacy_mark = arena_strndup(reading->arena, (const char *)mark->data, (size_t)mark->length);
	return label->privacy_mark || fail_memory(reading);
}

static bool take_label(struct reading *reading, const struct der_label *der, struct label *label)
{
	uint64_t class = 0;

	*label = (struct label){.policy = "", .classification = -1, .mark_is_utf8 = der->utf8_mark};
	if (der->classification &&
		(!ASN1_INTEGER_get_uint64(&class, der->classification) || class > LABEL_CLASS_MAX))
		return fail(reading, "the classification is not within 0 and 256");
	if (der->classification)
		label->classification = (int)class;
	if (der->policy)
		label->policy = oid_text(reading, der->policy);
	if (!label->policy || !read_mark(reading, der->utf8_mark, label) || !read_mark(reading,
		der->printable_mark, label))
		return false;
	if (der->categories && !read_categories(reading, der->categories, true, &label->is_missi))
		return false;
	label->values = reading->values;
	label->value_count = label_values_sort(reading->values, reading->count);
	return true;
}

static bool take_clearance(struct reading *reading, const struct der_clearance *der, struct clearance *clearance)
{
	*clearance = (struct clearance){.policy = oid_text(reading, der->policy)};
	if (!clearance->policy)
		return false;
	if (!der->classes)
		clearance->classes[0] = 1u << ESS_UNCLASSIFIED;
	for (int i = 0; der->classes && i <= LABEL_CLASS_MAX; i++)
		if (ASN1_BIT_STRING_get_bit(der->classes, i))
			clearance->classes[i / 64] |= UINT64_C(1) << (i % 64);
	if (der->classes && der->classes->length > LABEL_CLASS_MAX / 8 + 1)
		return fail(reading, "a classification is beyond 256");
	if (der->categories && !read_categories(reading, der->categories, false, &clearance->is_missi))
		return false;
	clearance->values = reading->values;
	clearance->value_count = label_values_sort(reading->values, reading->count);
	return true;
}

/* --- the whole --- */

static int outcome(const struct reading *reading, const char **why)
{
	*why = reading->why ? reading->why : "it is no label or clearance in DER";
	return reading->no_memory ? -ENOMEM : -EBADMSG;
}

static int same_bytes(int err, const uint8_t *bytes, size_t len, const uint8_t *written, size_t written_len,
	const char **why)
{
	if (!err && len == written_len && !memcmp(bytes, written, len))
		return 0;
	*why = "it is not written as DER writes it";
	return err == -ENOMEM ? err : -EBADMSG;
}

static struct der_label *read_label(const uint8_t *bytes, size_t len)
{
	return len <= BYTES_MAX ? read_as(ASN1_ITEM_rptr(DER_LABEL), bytes, len, V_ASN1_SET, V_ASN1_UNIVERSAL) : NULL;
}

/* Appends those members of a SET that are of one type; false: a member is cut short, or its length is not said. */
static bool append_members(uint8_t *sorted, size_t *n, int type, const uint8_t *at, const uint8_t *end)
{
	while (at < end) {
		const uint8_t *member = at;
		long len;
		int tag, class;

		if (ASN1_get_object(&at, &len, &tag, &class, end - at) & 0x81)
			return false;
		at += len;
		if (tag != type || class != V_ASN1_UNIVERSAL)
			continue;
		memcpy(sorted + *n, member, (size_t)(at - member));
		*n += (size_t)(at - member);
	}
	return true;
}

/* In BER the members of a SET come in any order (X.690 8.11); the template has that of DER. */
static struct der_label *read_shuffled(struct reading *reading, const uint8_t *bytes, size_t len)
{
	static const int types[] = {V_ASN1_INTEGER, V_ASN1_OBJECT, V_ASN1_UTF8STRING, V_ASN1_SET, V_ASN1_PRINTABLESTRING};
	const uint8_t *at = bytes;
	uint8_t *sorted;
	size_t n;
	long rest;
	int tag, class;

	if (len > BYTES_MAX || ASN1_get_object(&at, &rest, &tag, &class, (long)len) & 0x81 || at + rest != bytes + len)
		return NULL;
	sorted = arena_alloc(reading->arena, len);
	if (!sorted) {
		fail_memory(reading);
		return NULL;
	}
	n = (size_t)(at - bytes);
	memcpy(sorted, bytes, n);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (!append_members(sorted, &n, types[i], at, bytes + len))
			return NULL;
	return n == len ? read_label(sorted, len) : NULL;
}

int ess_label_decode(struct arena *arena, const uint8_t *bytes, size_t len, bool ber, struct label *label,
	const char **why)
{
	struct reading reading = {.arena = arena};
	struct der_label *der = read_label(bytes, len);
	const uint8_t *written = NULL;
	size_t written_len = 0;
	bool done;
	int err;

	if (!der && ber)
		der = read_shuffled(&reading, bytes, len);
	done = der && take_label(&reading, der, label);
	ASN1_item_free((ASN1_VALUE *)der, ASN1_ITEM_rptr(DER_LABEL));
	if (!done)
		return outcome(&reading, why);
	if (ber)
		return 0;
	err = ess_label_encode(arena, label, &written, &written_len);
	return same_bytes(err, bytes, len, written, written_len, why);
}

int ess_clearance_decode(struct arena *arena, const uint8_t *bytes, size_t len, bool ber, struct clearance *clearance,
	const char **why)
{
	struct reading reading = {.arena = arena};
	bool tagged = len > 2 && memchr(bytes, 0x80, len < 6 ? len : 6);
	const ASN1_ITEM *item = ASN1_ITEM_rptr(DER_CLEARANCE);
	struct der_clearance *der = len <= BYTES_MAX ? read_as(item, bytes, len, -1, 0) : NULL;
	const uint8_t *written = NULL;
	size_t written_len = 0;
	bool done;
	int err;

	if (!der && tagged) {
		item = ASN1_ITEM_rptr(DER_TAGGED_CLEARANCE);
		der = read_as(item, bytes, len, -1, 0);
	} else {
		tagged = false;
	}
	done = der && take_clearance(&reading, der, clearance);
	ASN1_item_free((ASN1_VALUE *)der, item);
	if (!done)
		return outcome(&reading, why);
	if (ber)
		return 0;
	err = ess_clearance_write(arena, clearance, tagged, &written, &written_len);
	return same_bytes(err, bytes, len, written, written_len, why);
}
