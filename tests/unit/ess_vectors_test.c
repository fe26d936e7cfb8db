#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/label/ess_write.h"

enum { BYTES_MAX = 1024, ARENA_MAX = 1 << 20 };

#define ACME "1.3.6.1.4.1.31778.110.1"
#define RELEASABLE "1.3.6.1.4.1.31778.111.1"
#define SENSITIVE "1.3.6.1.4.1.31778.111.3"
#define MISSI_POLICY "2.16.840.1.101.2.1.3.10"
#define MISSI_TAGS "2.16.840.1.101.2.1.3.13"
#define HEX_RED "3020800a60864801650201080300a1123010060a2b0601040181f8226f0303020640"
#define HEX_MOCK "3021800a60864801650201080301a1133011060a2b0601040181f8226f013103020164"
#define HEX_ACME "060a2b0601040181f8226e01"

static const struct {
	const char *name, *hex, *told; /* told: as tell_label() and tell_clearance() say it */
	bool is_clearance;
} vectors[] = {
	{"nothing", "3100", " -1", false},
	{"XEP-0258, secret", "3106020104060129", "1.1 4", false},
	{"confidential, releasable to MOCK", "3134020102" HEX_ACME "3123" HEX_MOCK, ACME " 2 " RELEASABLE "/1/100", false},
	{"internal, RED", "3133020103" HEX_ACME "3122" HEX_RED, ACME " 3 " SENSITIVE "/0/1", false},
	{"a printable mark", "3109020101130474657374", " 1 \"test\"", false},
	{"a mark in UTF-8", "31080201010c03e282ac", " 1 u\"\u20ac\"", false},
	{"the largest classification", "310402020100", " 256", false},
	{"informative bits", "311c311a3018800a60864801650201080303a10a30080601290303008001", " -1 1.1/4/0 1.1/4/15", false},
	{"MISSI", "3147020104060960864801650201030a313730358009608648016502010801a12831263024060960864801650201030d30"
		"17a10403020450a20931070201050202012ca60403020001",
		MISSI_POLICY " 4 missi " MISSI_TAGS "/0/1 " MISSI_TAGS "/0/3 " MISSI_TAGS "/2/7 " MISSI_TAGS "/3/5 "
		MISSI_TAGS "/3/300", false},
	{"the classification that is the default", "300c" HEX_ACME, ACME " 1", true},
	{"no classification", "300f" HEX_ACME "030100", ACME, true},
	{"RED and MOCK", "3057" HEX_ACME "030204703145" HEX_RED HEX_MOCK,
		ACME " 1 2 3 " RELEASABLE "/1/100 " SENSITIVE "/0/1", true},
	{"with tags", "3035800a2b0601040181f8226e0181020470a223" HEX_MOCK, ACME " 1 2 3 " RELEASABLE "/1/100", true},
	{"privileges of MISSI", "3042060960864801650201030a030203f83131302f8009608648016502010802a1223120301e060960864801"
		"650201030d301181020450a2070201050202012c86020001",
		MISSI_POLICY " 0 1 2 3 4 missi " MISSI_TAGS "/0/1 " MISSI_TAGS "/0/3 " MISSI_TAGS "/2/7 " MISSI_TAGS "/3/5 "
		MISSI_TAGS "/3/300", true},
};

enum { VECTORS = sizeof(vectors) / sizeof(*vectors) };

static size_t from_hex(const char *hex, uint8_t *bytes)
{
	size_t n = strlen(hex) / 2;

	assert_true(strlen(hex) % 2 == 0 && n <= BYTES_MAX);
	for (size_t i = 0; i < n; i++) {
		const char two[] = {hex[2 * i], hex[2 * i + 1], '\0'};

		bytes[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	return n;
}

/* --- what was read, as a line of numbers --- */

static void tell_values(FILE *out, bool is_missi, const struct label_value *values, unsigned count)
{
	if (is_missi)
		fputs(" missi", out);
	for (unsigned i = 0; i < count; i++)
		fprintf(out, " %s/%d/%llu", values[i].tag_set, values[i].type, (unsigned long long)values[i].lacv);
}

static void tell_label(FILE *out, const struct label *label)
{
	fprintf(out, "%s %d", label->policy, label->classification);
	if (label->privacy_mark)
		fprintf(out, " %s\"%s\"", label->mark_is_utf8 ? "u" : "", label->privacy_mark);
	tell_values(out, label->is_missi, label->values, label->value_count);
}

static void tell_clearance(FILE *out, const struct clearance *clearance)
{
	fputs(clearance->policy, out);
	for (int i = 0; i <= LABEL_CLASS_MAX; i++)
		if (clearance_has_class(clearance, i))
			fprintf(out, " %d", i);
	tell_values(out, clearance->is_missi, clearance->values, clearance->value_count);
}

/*
 * Reads, says what (`told` may be NULL), and writes it again into `again`, whose length is returned: in the syntax with
 * tags if that is how a clearance came. Or a negative error.
 */
static int read_and_write(bool is_clearance, const uint8_t *bytes, size_t len, bool ber, uint8_t *again, char **told)
{
	struct arena *arena = arena_new(ARENA_MAX);
	struct label label;
	struct clearance clearance;
	const char *why = NULL;
	const uint8_t *written;
	size_t n, size;
	int err = is_clearance ? ess_clearance_decode(arena, bytes, len, ber, &clearance, &why)
			       : ess_label_decode(arena, bytes, len, ber, &label, &why);

	assert_true(err == 0 || (err == -EBADMSG && why));
	if (!err) {
		FILE *out = told ? open_memstream(told, &size) : NULL;

		if (out && is_clearance)
			tell_clearance(out, &clearance);
		else if (out)
			tell_label(out, &label);
		if (out)
			fclose(out);
		err = !is_clearance ? ess_label_encode(arena, &label, &written, &n)
			: len > 2 && bytes[2] == 0x80 ? ess_clearance_write(arena, &clearance, true, &written, &n)
						      : ess_clearance_encode(arena, &clearance, &written, &n);
	}
	if (!err) {
		assert_true(n <= BYTES_MAX);
		memcpy(again, written, n);
		err = (int)n;
	}
	arena_free(arena);
	return err;
}

/* Of exactly as many bytes as there are, so that reading on is found by the sanitizer. */
static int read_exactly(bool is_clearance, const uint8_t *bytes, size_t len, bool ber, uint8_t *again)
{
	uint8_t *copy = malloc(len ? len : 1);
	int n;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	n = read_and_write(is_clearance, copy, len, ber, again, NULL);
	free(copy);
	return n;
}

static void assert_strict(bool is_clearance, const char *hex, bool is_taken)
{
	uint8_t bytes[BYTES_MAX], again[BYTES_MAX];
	size_t len = from_hex(hex, bytes);
	int n = read_exactly(is_clearance, bytes, len, false, again);

	if ((n >= 0) != is_taken)
		print_error("%s: %d\n", hex, n);
	assert_int_equal(n >= 0, is_taken);
}

static void reads_and_writes_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < VECTORS; i++)
		for (int ber = 0; ber < 2; ber++) {
			uint8_t bytes[BYTES_MAX], again[BYTES_MAX];
			size_t len = from_hex(vectors[i].hex, bytes);
			char *told = NULL;
			int n = read_and_write(vectors[i].is_clearance, bytes, len, ber, again, &told);

			if (n != (int)len || strcmp(told, vectors[i].told))
				print_error("%s: %d, %s\n", vectors[i].name, n, told ? told : "");
			assert_int_equal(n, len);
			assert_memory_equal(bytes, again, len);
			assert_string_equal(told, vectors[i].told);
			free(told);
		}
}

static void refuses_what_is_cut_short_or_has_more(void **state)
{
	uint8_t bytes[BYTES_MAX] = {0}, again[BYTES_MAX];

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		size_t len = from_hex(vectors[i].hex, bytes);

		for (size_t n = 0; n < len; n++)
			for (int ber = 0; ber < 2; ber++)
				assert_int_equal(read_exactly(vectors[i].is_clearance, bytes, n, ber, again), -EBADMSG);
		bytes[len] = 0;
		assert_int_equal(read_exactly(vectors[i].is_clearance, bytes, len + 1, true, again), -EBADMSG);
	}
}

/* Nothing is taken that would be written otherwise, and different bytes are different labels. */
static void takes_no_bit_that_it_would_not_write(void **state)
{
	unsigned taken = 0, refused = 0;

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		uint8_t bytes[BYTES_MAX], again[BYTES_MAX];
		size_t len = from_hex(vectors[i].hex, bytes);

		for (size_t bit = 0; bit < 8 * len; bit++) {
			int n;

			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			n = read_exactly(vectors[i].is_clearance, bytes, len, false, again);
			if (n >= 0) {
				assert_int_equal(n, len);
				assert_memory_equal(bytes, again, len);
				taken++;
			} else {
				refused++;
			}
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
	assert_true(taken > 100 && refused > taken);
}

/* --- BER --- */

static void takes_ber_only_when_told(void **state)
{
	static const struct {
		const char *ber, *der;
		bool is_clearance;
	} rows[] = {
		{"318106020104060129", "3106020104060129", false},             /* a length longer than it has to be */
		{"31800201040601290000", "3106020104060129", false},           /* a length that is not said */
		{"3106060129020104", "3106020104060129", false},               /* members of the SET as RFC 2634 lists them */
		{"3057" HEX_ACME "030204703145" HEX_MOCK HEX_RED, "3057" HEX_ACME "030204703145" HEX_RED HEX_MOCK, true},
		{"3010" HEX_ACME "03020640", "300c" HEX_ACME, true},    /* the default, written */
		{"3011" HEX_ACME "0303047000", "3010" HEX_ACME "03020470", true},       /* zeros at the end of bits */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint8_t ber[BYTES_MAX], der[BYTES_MAX], again[BYTES_MAX];
		size_t ber_len = from_hex(rows[i].ber, ber), der_len = from_hex(rows[i].der, der);
		int n;

		assert_int_equal(read_exactly(rows[i].is_clearance, ber, ber_len, false, again), -EBADMSG);
		n = read_exactly(rows[i].is_clearance, ber, ber_len, true, again);
		if (n != (int)der_len)
			print_error("%s: %d\n", rows[i].ber, n);
		assert_int_equal(n, der_len);
		assert_memory_equal(again, der, der_len);
	}
}

/* --- limits --- */

static int mark_of(uint8_t tag, const char *letter, unsigned times)
{
	uint8_t bytes[BYTES_MAX], again[BYTES_MAX];
	size_t n = times * strlen(letter), at = 0;

	bytes[at++] = 0x31;
	bytes[at++] = 0x82;
	bytes[at++] = (uint8_t)((n + (n < 256 ? 3 : 4)) >> 8);
	bytes[at++] = (uint8_t)(n + (n < 256 ? 3 : 4));
	bytes[at++] = tag;
	bytes[at++] = n < 256 ? 0x81 : 0x82;
	if (n >= 256)
		bytes[at++] = (uint8_t)(n >> 8);
	bytes[at++] = (uint8_t)n;
	for (unsigned i = 0; i < times; i++, at += strlen(letter))
		memcpy(bytes + at, letter, strlen(letter));
	return read_exactly(false, bytes, at, true, again) < 0 ? -1 : 0;
}

static void holds_its_limits(void **state)
{
	enum { UTF8 = 0x0c, PRINTABLE = 0x13 };

	(void)state;
	assert_strict(false, "310402020101", false);                    /* 257 */
	assert_strict(false, "31030201ff", false);                      /* -1 */
	assert_strict(false, "310402020001", false);
	assert_strict(false, "31021300", false);                        /* an empty mark */
	assert_strict(false, "31023100", false);                        /* no category in their SET */
	assert_strict(false, "310613012a0c0161", false);                /* two marks */
	assert_strict(false, "310413024100", false);                    /* a zero byte */
	assert_strict(false, "310313012a", false);                   /* X.680 41.4: no asterisk */
	assert_strict(false, "31030c01ff", false);                      /* no UTF-8 */
	assert_strict(false, "31040c02c080", false);
	assert_strict(false, "310706052a03040500", true);
	assert_strict(false, "310706052a03800400", false);              /* a component with a leading zero */
	assert_strict(false, "31050603550480", false);                  /* one without an end */
	assert_int_equal(mark_of(PRINTABLE, "a", 128), 0);
	assert_int_equal(mark_of(PRINTABLE, "a", 129), -1);
	assert_int_equal(mark_of(UTF8, "\u20ac", 128), 0);
	assert_int_equal(mark_of(UTF8, "\u20ac", 129), -1);
	assert_int_equal(mark_of(UTF8, "\U0001f600", 128), 0);
}

static int encode_value(struct arena *arena, enum tag_type type, uint64_t lacv, const uint8_t **bytes, size_t *len)
{
	struct label_value value = {RELEASABLE, type, lacv};
	const struct label label = {.policy = ACME, .classification = 2, .values = &value, .value_count = 1};

	return ess_label_encode(arena, &label, bytes, len);
}

static void writes_bits_that_are_far(void **state)
{
	static const enum tag_type bits[] = {TAG_RESTRICTIVE, TAG_PERMISSIVE, TAG_INFORMATIVE};
	static const uint64_t lacvs[] = {0, 7, 8, 1000, 1001, 1023, 4097, LABEL_BIT_MAX};

	(void)state;
	for (size_t i = 0; i < 3 * sizeof(lacvs) / sizeof(*lacvs); i++) {
		struct arena *arena = arena_new(ARENA_MAX);
		enum tag_type type = bits[i % 3];
		const uint8_t *bytes;
		const char *why;
		struct label label;
		size_t len;

		assert_int_equal(encode_value(arena, type, lacvs[i / 3], &bytes, &len), 0);
		assert_int_equal(ess_label_decode(arena, bytes, len, false, &label, &why), 0);
		assert_int_equal(label.value_count, 1);
		assert_int_equal(label.values->type, type);
		assert_int_equal(label.values->lacv, lacvs[i / 3]);
		assert_int_equal(encode_value(arena, type, LABEL_BIT_MAX + 1, &bytes, &len), -EDOM);
		arena_free(arena);
	}
}

static void writes_numbers_that_are_large(void **state)
{
	static const uint64_t lacvs[] = {0, 127, 128, 32767, 32768, LACV_NUMBER_MAX};
	struct arena *arena = arena_new(ARENA_MAX);
	const uint8_t *bytes;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(lacvs) / sizeof(*lacvs); i++) {
		const char *why;
		struct label label;

		assert_int_equal(encode_value(arena, TAG_ENUMERATED_RESTRICTIVE, lacvs[i], &bytes, &len), 0);
		assert_int_equal(ess_label_decode(arena, bytes, len, false, &label, &why), 0);
		assert_int_equal(label.value_count, 1);
		assert_int_equal(label.values->lacv, lacvs[i]);
	}
	assert_int_equal(encode_value(arena, TAG_ENUMERATED_RESTRICTIVE, LACV_TEXT, &bytes, &len), -EDOM);
	arena_free(arena);
}

/* What would not be read is not written. */
static void writes_nothing_that_is_beyond_limits(void **state)
{
	static const char *const sets[] = {"1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9", "1.10", "1.11",
		"1.12", "1.13"};
	struct arena *arena = arena_new(ARENA_MAX);
	char text[130];
	struct label_value values[65];
	struct label label = {.policy = ACME, .classification = 2, .privacy_mark = text};
	const uint8_t *bytes;
	size_t len;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[129] = '\0';
	assert_int_equal(ess_label_encode(arena, &label, &bytes, &len), -EDOM);
	text[128] = '\0';
	assert_int_equal(ess_label_encode(arena, &label, &bytes, &len), 0);
	text[0] = '*';
	assert_int_equal(ess_label_encode(arena, &label, &bytes, &len), -EDOM);
	label.mark_is_utf8 = true;
	assert_int_equal(ess_label_encode(arena, &label, &bytes, &len), 0);
	for (unsigned i = 0; i < 65; i++)
		values[i] = (struct label_value){sets[i / 5], (enum tag_type)(i % 5), 7};
	label.values = values;
	label.value_count = 65;
	assert_int_equal(ess_label_encode(arena, &label, &bytes, &len), -EDOM);
	label.value_count = 64;
	assert_int_equal(ess_label_encode(arena, &label, &bytes, &len), 0);
	arena_free(arena);
}

/* With any amount of room, reading either works or says so. */
static void says_when_full(void **state)
{
	uint8_t bytes[BYTES_MAX];
	size_t len = from_hex(vectors[8].hex, bytes), max = 1;
	int err = -ENOMEM;

	(void)state;
	for (; err == -ENOMEM; max += 16) {
		struct arena *arena = arena_new(max);
		struct label label;
		const char *why;

		err = ess_label_decode(arena, bytes, len, false, &label, &why);
		arena_free(arena);
	}
	assert_int_equal(err, 0);
	assert_true(max > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes_the_same),
		cmocka_unit_test(refuses_what_is_cut_short_or_has_more),
		cmocka_unit_test(takes_no_bit_that_it_would_not_write),
		cmocka_unit_test(takes_ber_only_when_told),
		cmocka_unit_test(holds_its_limits),
		cmocka_unit_test(writes_bits_that_are_far),
		cmocka_unit_test(writes_numbers_that_are_large),
		cmocka_unit_test(writes_nothing_that_is_beyond_limits),
		cmocka_unit_test(says_when_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
