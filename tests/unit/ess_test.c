/* Labels and clearances in DER: published vectors, and whatever is not DER. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/base64.h"
#include "policy/label/ess.h"
#include "tests/unit/label_harness.h"

#define ACME "1.3.6.1.4.1.31778.110.1"
#define ACME_REL "1.3.6.1.4.1.31778.111.1"
#define ACME_SENSITIVE "1.3.6.1.4.1.31778.111.3"

/* XEP-0258 3 and 6, and labels of ACME, the policy that ADatP-4774.1 has as its example. */
static const struct {
	const char *base64, *policy, *numbers, *mark;
} vectors[] = {
	{"MQYCAQQGASk=", "1.1", "4", NULL},
	{"MRUCAgD9DA9BcXVhIChvYnNvbGV0ZSk=", "", "253", "Aqua (obsolete)"},
	{"MTQCAQIGCisGAQQBgfgibgExIzAhgApghkgBZQIBCAMBoRMwEQYKKwYBBAGB+CJvATEDAgFk", ACME, "2 " ACME_REL ".ep.100", NULL},
	{"MTMCAQMGCisGAQQBgfgibgExIjAggApghkgBZQIBCAMAoRIwEAYKKwYBBAGB+CJvAwMCBkA=", ACME, "3 "
		ACME_SENSITIVE ".r.1", NULL},
};
static const char clearance_vector[] =
	"MFcGCisGAQQBgfgibgEDAgRwMUUwIIAKYIZIAWUCAQgDAKESMBAGCisGAQQBgfgibwMDAgZAMCGACmCGSAFlAgEIAwGh"
	"EzARBgorBgEEAYH4Im8BMQMCAWQ=";

static size_t bytes_of(const char *base64, uint8_t *bytes)
{
	struct base64 decoder = {.out = bytes};

	base64_feed(&decoder, base64, strlen(base64));
	assert_true(base64_end(&decoder));
	return decoder.len;
}

static int decode(const uint8_t *bytes, size_t len, bool of_label, bool ber)
{
	struct arena *arena = arena_new(1 << 20);
	struct label label;
	struct clearance clearance;
	const uint8_t *again = NULL;
	const char *why = NULL;
	size_t again_len = 0;
	int err = of_label ? ess_label_decode(arena, bytes, len, ber, &label, &why)
			   : ess_clearance_decode(arena, bytes, len, ber, &clearance, &why);

	assert_true(!err || (err == -EBADMSG && why));
	if (!err && !ber && of_label) {
		assert_int_equal(ess_label_encode(arena, &label, &again, &again_len), 0);
		assert_int_equal(again_len, len);
		assert_memory_equal(again, bytes, len);
	}
	arena_free(arena);
	return err;
}

static void published_labels(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		struct arena *arena = arena_new(1 << 20);
		uint8_t bytes[300];
		size_t len = bytes_of(vectors[i].base64, bytes);
		struct label label, expected = label_of(arena, vectors[i].policy, vectors[i].numbers);
		const char *why = "";

		expected.privacy_mark = vectors[i].mark;
		assert_int_equal(ess_label_decode(arena, bytes, len, false, &label, &why), 0);
		assert_true(label_equal(&label, &expected));
		assert_int_equal(decode(bytes, len, true, false), 0);
		arena_free(arena);
	}
}

/* Refused, or written again as it was: both in decode(). */
static void cut_and_flipped(void **state)
{
	unsigned refused = 0, taken = 0;
	(void)state;

	for (size_t i = 0; i <= sizeof(vectors) / sizeof(*vectors); i++) {
		bool of_label = i < sizeof(vectors) / sizeof(*vectors);
		uint8_t bytes[300];
		size_t len = bytes_of(of_label ? vectors[i].base64 : clearance_vector, bytes);

		for (size_t cut = 0; cut < len; cut++)
			assert_int_equal(decode(bytes, cut, of_label, false), -EBADMSG);
		for (size_t bit = 0; bit < 8 * len; bit++) {
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (decode(bytes, len, of_label, false))
				refused++;
			else
				taken++;
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
	assert_true(refused > 500 && taken > 300);
}

static void published_clearance(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	uint8_t bytes[300];
	size_t len = bytes_of(clearance_vector, bytes), again_len;
	struct label like = label_of(arena, ACME, "0 " ACME_REL ".ep.100 " ACME_SENSITIVE ".r.1");
	struct clearance clearance;
	const uint8_t *again;
	const char *why = "";
	(void)state;

	assert_int_equal(ess_clearance_decode(arena, bytes, len, false, &clearance, &why), 0);
	assert_string_equal(clearance.policy, ACME);
	assert_int_equal(clearance.classes[0], 1 << 1 | 1 << 2 | 1 << 3);
	assert_int_equal(clearance.value_count, 2);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(label_value_compare(&clearance.values[i], &like.values[i]), 0);
	assert_int_equal(ess_clearance_encode(arena, &clearance, &again, &again_len), 0);
	assert_int_equal(again_len, len);
	assert_memory_equal(again, bytes, len);
	arena_free(arena);
}

/* RFC 3281 has tags; RFC 5755 none, and unclassified where there is no list. */
static void two_syntaxes(void **state)
{
	static const uint8_t plain[] = {0x30, 0x04, 0x06, 0x02, 0x2a, 0x03}, tagged[] = {0x30, 0x04, 0x80, 0x02,
		0x2a, 0x03};
	static const uint8_t tagged_list[] = {0x30, 0x08, 0x80, 0x02, 0x2a, 0x03, 0x81, 0x02, 0x03, 0x18};
	static const uint8_t none[] = {0x30, 0x07, 0x06, 0x02, 0x2a, 0x03, 0x03, 0x01, 0x00};
	static const uint8_t written_default[] = {0x30, 0x08, 0x06, 0x02, 0x2a, 0x03, 0x03, 0x02, 0x06, 0x40};
	struct arena *arena = arena_new(1 << 20);
	struct clearance clearance;
	const char *why = "";
	(void)state;

	assert_int_equal(ess_clearance_decode(arena, plain, sizeof(plain), false, &clearance, &why), 0);
	assert_int_equal(clearance.classes[0], 1 << 1);
	assert_int_equal(ess_clearance_decode(arena, tagged, sizeof(tagged), false, &clearance, &why), 0);
	assert_int_equal(clearance.classes[0], 1 << 1);
	assert_int_equal(ess_clearance_decode(arena, tagged_list, sizeof(tagged_list), false, &clearance, &why), 0);
	assert_int_equal(clearance.classes[0], 1 << 3 | 1 << 4);
	assert_int_equal(ess_clearance_decode(arena, none, sizeof(none), false, &clearance, &why), 0);
	assert_int_equal(clearance.classes[0], 0);
	assert_int_equal(ess_clearance_decode(arena, written_default, sizeof(written_default), false, &clearance,
		&why), -EBADMSG);
	assert_int_equal(ess_clearance_decode(arena, written_default, sizeof(written_default), true, &clearance, &why), 0);
	arena_free(arena);
}

static void every_type(void **state)
{
	static const char numbers[] = "256 1.2.3.r.3 1.2.3.er.77 1.2.3.er.65536 1.2.3.p.1001 1.2.3.p.10000 1.2.3.i.9 "
		"2.25.340282366920938463463374607431768211455.p.1 1.2.4.ep.4294967295 1.2.4.ei.128";
	(void)state;
	for (unsigned missi = 0; missi < 2; missi++) {
		struct arena *arena = arena_new(1 << 20);
		struct label label = label_of(arena, "1.2.3", numbers), again;
		const uint8_t *bytes;
		const char *why = "";
		size_t len;

		label.is_missi = missi;
		label.privacy_mark = "\xc3\x89T\xc3\x89";
		label.mark_is_utf8 = true;
		assert_int_equal(ess_label_encode(arena, &label, &bytes, &len), 0);
		assert_int_equal(ess_label_decode(arena, bytes, len, false, &again, &why), missi ? 0 : 0);
		if (missi) /* its number for enumerated tags does not tell of which type they are */
			for (unsigned i = 0; i < label.value_count; i++)
				if (label.values[i].type == TAG_ENUMERATED_PERMISSIVE)
					label.values[i].type = TAG_ENUMERATED_RESTRICTIVE;
		label.value_count = label_values_sort(label.values, label.value_count);
		assert_true(label_equal(&label, &again));
		assert_int_equal(again.is_missi, missi);
		arena_free(arena);
	}
}

static void missi_clearances(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	struct label like = label_of(arena, "1.2.3", "0 1.2.3.r.3 1.2.3.er.77 1.2.3.p.1001 1.2.4.r.0");
	struct clearance clearance = {.policy = "1.2.3", .classes = {6}, .is_missi = true, .values = like.values,
		.value_count = like.value_count}, again;
	const uint8_t *bytes;
	const char *why = "";
	size_t len;
	(void)state;

	assert_int_equal(ess_clearance_encode(arena, &clearance, &bytes, &len), 0);
	assert_int_equal(ess_clearance_decode(arena, bytes, len, false, &again, &why), 0);
	assert_int_equal(again.value_count, like.value_count);
	for (unsigned i = 0; i < like.value_count; i++)
		assert_int_equal(label_value_compare(&again.values[i], &like.values[i]), 0);
	like.values[0].type = TAG_INFORMATIVE;
	assert_int_equal(ess_clearance_encode(arena, &clearance, &bytes, &len), -EDOM);
	arena_free(arena);
}

/* BER says the same in more ways than one, which could say something else. */
static void ber_only_if_wanted(void **state)
{
	static const struct {
		const char *what;
		uint8_t bytes[24];
		size_t len;
	} rows[] = {
		{"length in two bytes", {0x31, 0x81, 0x06, 0x02, 0x01, 0x04, 0x06, 0x01, 0x29}, 9},
		{"without a length", {0x31, 0x80, 0x02, 0x01, 0x04, 0x06, 0x01, 0x29, 0x00, 0x00}, 10},
	};
	static const uint8_t never[][12] = {
		{0x31, 0x06, 0x02, 0x01, 0x04, 0x06, 0x01, 0x29, 0x00},        /* something behind it */
		{0x31, 0x09, 0x02, 0x01, 0x04, 0x06, 0x01, 0x29, 0x02, 0x01, 0x05}, /* two classifications */
	};
	static const size_t never_len[] = {9, 11};
	(void)state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(decode(rows[i].bytes, rows[i].len, true, false), -EBADMSG);
		assert_int_equal(decode(rows[i].bytes, rows[i].len, true, true), 0);
	}
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(decode(never[i], never_len[i], true, true), -EBADMSG);
}

static void what_cannot_be_written(void **state)
{
	struct arena *arena = arena_new(1 << 20), *small = arena_new(100);
	struct label label = label_of(arena, "1.2.3", "1 1.2.3.r.3");
	const uint8_t *bytes;
	size_t len;
	(void)state;

	label.values[0].lacv = LABEL_BIT_MAX + 1;
	assert_int_equal(ess_label_encode(arena, &label, &bytes, &len), -EDOM);
	label.values[0] = (struct label_value){"1.2.3", TAG_ENUMERATED_PERMISSIVE, LACV_TEXT};
	assert_int_equal(ess_label_encode(arena, &label, &bytes, &len), -EDOM);
	label.values[0].lacv = 1;
	assert_int_equal(ess_label_encode(small, &label, &bytes, &len), -ENOMEM);
	arena_free(arena);
	arena_free(small);
}

static void object_identifiers(void **state)
{
	static const char *const good[] = {"1.2", "0.0", "2.25.340282366920938463463374607431768211455", "2.999.1"};
	static const char *const bad[] = {"", "1", "1.", "3.1", "1..2", "1.02", "1.2.", ".1", "1.a", "01.2", "1.2 "};
	(void)state;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(oid_is_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(oid_is_valid(bad[i]));
	assert_true(oid_compare("2.5", "2.25") < 0 && oid_compare("2.25", "2.25.1") < 0 && oid_compare("2.9", "2.10") < 0);
	assert_int_equal(oid_compare("2.25.1", "2.25.1"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_labels),
		cmocka_unit_test(cut_and_flipped),
		cmocka_unit_test(published_clearance),
		cmocka_unit_test(two_syntaxes),
		cmocka_unit_test(every_type),
		cmocka_unit_test(missi_clearances),
		cmocka_unit_test(ber_only_if_wanted),
		cmocka_unit_test(what_cannot_be_written),
		cmocka_unit_test(object_identifiers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
