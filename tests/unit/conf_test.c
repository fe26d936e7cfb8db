#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/base/conf.h"

#define TLS_SIGNATURES \
	"ecdsa_secp256r1_sha256, ecdsa_secp384r1_sha384, ecdsa_secp521r1_sha512, ed25519, rsa_pss_rsae_sha256, " \
	"rsa_pss_rsae_sha384, rsa_pss_rsae_sha512, rsa_pkcs1_sha256, rsa_pkcs1_sha384, rsa_pkcs1_sha512"

#define SHA256 "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"
#define PIN "key:" SHA256
#define RATE_HINT "(hint: 10/s burst 50, or /m, /h; numbers from 1 to 1000000)\n"
#define PIN_HINT "(hint: certificate: or key:, and 64 hexadecimal digits)\n"

static const char good[] =
	"[guard]\n"                                            /* 1 */
	"name = test-guard\n"                                  /* 2 */
	"ports = 5269, 5270\n"                                 /* 3 */
	"audit = audit.jsonl\n"                                /* 4 */
	"[users]\n"                                            /* 5 */
	"dataplane = 64101\n"                                  /* 6 */
	"tls = 64102\n"                                        /* 7 */
	"keyd = 64103\n"                                       /* 8 */
	"control = 64104\n"                                    /* 9 */
	"[inside]\n"                                           /* 10 */
	"device = eth1\n"                                      /* 11 */
	"domains = A.example, sub.a.example\n"                 /* 12 */
	"trust = in/trust.pem\n"                               /* 13 */
	"ca-certificate = in/ca.pem\n"                         /* 14 */
	"ca-key = /keys/in.key\n"                              /* 15 */
	"[outside]\n"                                          /* 16 */
	"device = \"vdev:net_af_packet1,iface=eth2\"\n"        /* 17 */
	"trust = out/trust.pem\n"                              /* 18 */
	"ca-certificate = out/ca.pem\n"                        /* 19 */
	"ca-key = out/ca.key\n"                                /* 20 */
	"# a comment\n"                                        /* 21 */
	"[profile Partner]\n"                                  /* 22 */
	"outbound-presence = online\n"                         /* 23 */
	"inbound-forbidden-words = \"one # word, \xc3\xbc" "ber ; two\"\n"      /* 24 */
	"[profile closed]\n"                                   /* 25 */
	"[peer B.example]\n"                                   /* 26 */
	"profile = partner\n"                                  /* 27 */
	"authentication = tls-dialback\n"                      /* 28 */
	"[peer *.example]\n"                                   /* 29 */
	"profile = closed\n"                                   /* 30 */
	"[peer *.b.example]\n"                                 /* 31 */
	"profile = closed\n"                                   /* 32 */
	"[peer *]\n"                                           /* 33 */
	"profile = closed\n";                                  /* 34 */

/* Loads text under the name "etc/test.conf". Faults are left in *faults, to be freed. */
static struct conf *load(const char *text, size_t n, char **faults)
{
	int fd = memfd_create("conf-test", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	char path[32];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	size_t size;
	FILE *out = open_memstream(faults, &size);
	struct conf *conf = conf_load(path, "etc/test.conf", out);
	fclose(out);
	close(fd);
	return conf;
}

static struct conf *load_good(void)
{
	char *faults;
	struct conf *conf = load(good, strlen(good), &faults);
	assert_string_equal(faults, "");
	free(faults);
	assert_non_null(conf);
	return conf;
}

static void a_good_file_is_read(void **state)
{
	(void)state;
	struct conf *conf = load_good();
	assert_string_equal(conf->name, "test-guard");
	assert_int_equal(conf->port_count, 2);
	assert_int_equal(conf->ports[1], 5270);
	assert_string_equal(conf->audit, "etc/audit.jsonl");
	assert_string_equal(conf->wire[WIRE_INSIDE].ca_key, "/keys/in.key");
	assert_string_equal(conf->wire[WIRE_INSIDE].trust, "etc/in/trust.pem");
	assert_string_equal(conf->wire[WIRE_OUTSIDE].device, "vdev:net_af_packet1,iface=eth2");
	assert_int_equal(conf->uid[PROC_CONTROL], 64104);
	assert_int_equal(conf->gid[PROC_TLS], 64102);
	assert_int_equal(conf->memory_mib, 256);
	assert_string_equal(conf->cpus, "");
	assert_int_equal(conf->feature_count, 6);
	assert_string_equal(conf->features[2], "dialback");
	assert_int_equal(conf->domain_count, 2);
	assert_string_equal(conf->domains[0], "a.example");
	assert_int_equal(conf->profile_count, 2);
	assert_int_equal(conf->profiles[0].presence[OUTBOUND], PRESENCE_ONLINE);
	assert_int_equal(conf->profiles[0].presence[INBOUND], PRESENCE_NONE);
	assert_int_equal(conf->profiles[0].forbidden[INBOUND].count, 2);
	const char *word = conf_list_first(conf, &conf->profiles[0].forbidden[INBOUND]);
	assert_string_equal(word, "one # word");
	assert_string_equal(conf_list_next(word), "\xc3\xbc" "ber ; two");
	assert_int_equal(conf->peer_count, 4);
	assert_int_equal(conf_peer_find(conf, "b.example")->line, 26);
	conf_free(conf);
}

static void scanners_are_read(void **state)
{
	static const struct {
		const char *text;
		struct conf_scanner scanner;
	} rows[] = {
		{"\"\"", {.kind = SCANNER_NONE}},
		{"unix:/run/clamd", {.kind = SCANNER_CLAMD, .path = "/run/clamd"}},
		{"icap://192.0.2.1/av", {.kind = SCANNER_ICAP, .address = {4, {192, 0, 2, 1}}, .port = 1344,
			.service = "av"}},
		{"icap://192.0.2.1:1/a/b?c", {.kind = SCANNER_ICAP, .address = {4, {192, 0, 2, 1}}, .port = 1,
			.service = "a/b?c"}},
		{"icap://[::1]:99/x", {.kind = SCANNER_ICAP, .address = {6, {[15] = 1}}, .port = 99, .service = "x"}},
	};
	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char with[8192], *faults;
		snprintf(with, sizeof(with), "[guard]\nscanner = %s\n%s", rows[i].text, good + strlen("[guard]\n"));
		struct conf *conf = load(with, strlen(with), &faults);
		assert_string_equal(faults, "");
		free(faults);
		const struct conf_scanner *a = &conf->scanner, *b = &rows[i].scanner;
		assert_int_equal(a->kind, b->kind);
		assert_string_equal(a->path, b->path);
		assert_string_equal(a->service, b->service);
		assert_int_equal(a->port, b->port);
		assert_int_equal(a->address.family, b->address.family);
		assert_memory_equal(a->address.bytes, b->address.bytes, 16);
		conf_free(conf);
	}
}

static void rates_are_read(void **state)
{
	static const struct {
		const char *key, *text;
		struct conf_rate rate;
	} rows[] = {
		{"inbound-user-rate", "\"\"", {0, 0, 0}},
		{"inbound-user-rate", "10/s burst 50", {10, 1, 50}},
		{"inbound-user-rate", "30/m", {30, 60, 30}},
		{"inbound-user-rate", "1000000/h  burst\t1", {1000000, 3600, 1}},
		{"inbound-user-bytes", "64K/s burst 2M", {64 << 10, 1, 2 << 20}},
		{"inbound-user-bytes", "1000/m burst 4294967295", {1000, 60, UINT32_MAX}},
		{"inbound-user-bytes", "3G/s", {3U << 30, 1, 3U << 30}},
	};
	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char with[8192], *faults;
		snprintf(with, sizeof(with), "%s[profile default]\n%s = %s\ninbound-over-rate = wait\n", good, rows[i].key,
			rows[i].text);
		struct conf *conf = load(with, strlen(with), &faults);
		assert_string_equal(faults, "");
		free(faults);
		const struct conf_rates *rates = &conf->profiles[2].rates[INBOUND];
		const struct conf_rate *rate = strstr(rows[i].key, "bytes") ?
			&rates->bytes[RATE_USER] : &rates->stanzas[RATE_USER];
		assert_memory_equal(rate, &rows[i].rate, sizeof(*rate));
		assert_int_equal(rates->over, OVER_WAIT);
		assert_int_equal(conf->profiles[2].rates[OUTBOUND].over, OVER_REFUSE);
		conf_free(conf);
	}
}

static void pins_are_read(void **state)
{
	(void)state;
	static const char text[] = "authentication = tls-dialback\n";
	char with[8192], *faults;
	const char *at = strstr(good, text);
	snprintf(with, sizeof(with), "%.*spin = " PIN ", certificate:%s\n%s", (int)(at - good), good,
		"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff", at);
	struct conf *conf = load(with, strlen(with), &faults);
	assert_string_equal(faults, "");
	free(faults);
	const struct conf_peer *peer = conf_peer_find(conf, "b.example");
	assert_int_equal(peer->pin_count, 2);
	assert_true(peer->pins[0].of_key && !peer->pins[1].of_key);
	assert_memory_equal(peer->pins[0].sha256, "\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23", 10);
	assert_memory_equal(peer->pins[1].sha256 + 26, "\xaa\xbb\xcc\xdd\xee\xff", 6);
	conf_free(conf);
}

static void the_longest_match_governs(void **state)
{
	(void)state;
	struct conf *conf = load_good();
	static const struct {
		const char *domain, *peer;
	} rows[] = {
		{"b.example", "b.example"},
		{"c.example", "*.example"},
		{"x.b.example", "*.b.example"},
		{"y.x.b.example", "*.b.example"},
		{"xb.example", "*.example"},
		{"example", "*"},
		{"b.example.net", "*"},
		{"", "*"},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(conf_peer_find(conf, rows[i].domain)->domain, rows[i].peer);
	assert_true(conf_is_ours(conf, "sub.a.example"));
	assert_false(conf_is_ours(conf, "b.example"));
	snprintf(conf->domains[1], sizeof(conf->domains[1]), "*.a.example");
	assert_true(conf_is_ours(conf, "x.y.a.example"));
	assert_true(conf_is_ours(conf, "a.example"));
	assert_false(conf_is_ours(conf, "xa.example"));
	assert_false(conf_is_ours(conf, ".a.example"));
	conf->peers[0].way = WAY_NONE; /* "*" */
	assert_null(conf_peer_find(conf, "b.example.net"));
	assert_non_null(conf_peer_find(conf, "c.example"));
	conf_free(conf);
}

static const char tls_section[] =
	"[tls Ours]\nversions = 1.3\ngroups = x448,P-521 P-256\nciphersuites = "
		"tls_aes_128_gcm_sha256\n[inside]\ntls = OURS\n";

static void tls_profiles_are_built_in_or_made(void **state)
{
	(void)state;
	char text[2048], *faults;
	const char *inside = strstr(good, "[inside]\n");
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(inside - good), good, tls_section, inside + strlen("[inside]\n"));
	struct conf *conf = load(text, strlen(text), &faults);
	assert_string_equal(faults, "");
	free(faults);
	const struct conf_tls *ours = &conf->wire[WIRE_INSIDE].tls, *theirs = &conf->wire[WIRE_OUTSIDE].tls;
	assert_string_equal(ours->name, "ours");
	assert_string_equal(ours->versions, "1.3");
	assert_string_equal(ours->groups, "X448:P-521:P-256");
	assert_string_equal(ours->ciphersuites, "TLS_AES_128_GCM_SHA256");
	assert_string_equal(ours->ciphers, theirs->ciphers);
	assert_false(conf_tls_speaks(ours, "1.2"));
	assert_string_equal(theirs->name, "intermediate");
	assert_true(conf_tls_speaks(theirs, "1.2") && conf_tls_speaks(theirs, "1.3"));
	assert_string_equal(theirs->groups, "X25519:P-256:P-384");
	conf_free(conf);

	struct conf_tls tls;
	assert_true(conf_tls_builtin("modern", &tls));
	assert_string_equal(tls.versions, "1.3");
	assert_true(conf_tls_builtin("high", &tls));
	assert_string_equal(tls.groups, "P-384:P-521");
	assert_false(conf_tls_builtin("ours", &tls));
}

/* Whatever is weak is refused, whatever it is called, and the reason is told. */
static void weak_ciphers_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *cipher, *why;
	} rows[] = {
		{"NULL-SHA256", "does not encrypt"}, {"eNULL", "does not encrypt"}, {"ADH-AES256-GCM-SHA384",
			"authenticated"},
		{"AECDH-AES256-SHA", "authenticated"}, {"EXP-RC4-MD5", "export"}, {"ECDHE-RSA-RC4-SHA", "RC4"},
		{"ECDHE-RSA-DES-CBC3-SHA", "64 bits"}, {"DES-CBC3-SHA", "64 bits"}, {"AES256-GCM-SHA384",
			"forward secrecy"},
		{"DHE-RSA-AES256-GCM-SHA384", "elliptic"}, {"DHE-RSA-CHACHA20-POLY1305", "elliptic"},
		{"PSK-AES256-GCM-SHA384", "certificates"}, {"SRP-AES-256-CBC-SHA", "certificates"},
		{"ECDHE-ECDSA-AES256-SHA384", "CBC"}, {"AES128-SHA", "CBC"}, {"ECDHE-ECDSA-AES256-CCM8", "CCM"},
		{"HIGH", "unknown"}, {"ALL", "unknown"}, {"DEFAULT@SECLEVEL=0", "unknown"}, {"!aNULL", "does not encrypt"},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[2048], *faults;
		snprintf(text, sizeof(text), "%s[tls x]\nciphers = %s\n", good, rows[i].cipher);
		assert_null(load(text, strlen(text), &faults));
		if (!strstr(faults, "36: ciphers: ") || !strstr(faults, rows[i].why) || !strstr(faults, "(hint: ECDHE-"))
			fail_msg("%s: %s", rows[i].cipher, faults);
		free(faults);
	}
}

/* The good file with one piece of text replaced, and all that is then said. */
static struct conf *load_with(const char *more, char **faults)
{
	char *text;
	assert_true(asprintf(&text, "%s%s", good, more) > 0);
	struct conf *conf = load(text, strlen(text), faults);
	free(text);
	return conf;
}

static void groups_stand_for_their_members(void **state)
{
	(void)state;
	static const char *const expected[] = {"jos\xc3\x89@a.example", "al@sub.a.example", "sub.a.example",
		"bo@a.example"};
	char *faults;
	struct conf *conf = load_with("[group two]\nmembers = al@SUB.a.example, sub.a.example\n"
		"[group all]\nmembers = Jos\xc3\x89@A.example, group:two\n"
		"[profile users]\ninside-users = group:all, bo@a.example\noutside-users = *.b.example, *\n"
		"[peer u.org]\nprofile = users\ndirections = inbound\ninside = sub.a.example\n", &faults);
	assert_string_equal(faults, "etc/test.conf:41: outside-users: \"*\": not a domain name (hint: letters, "
		"digits, '-' and "
		"dots)\n");
	free(faults);
	assert_null(conf);
	conf = load_with("[group two]\nmembers = al@SUB.a.example, sub.a.example\n"
		"[group all]\nmembers = Jos\xc3\x89@A.example, group:two\n"
		"[profile users]\ninside-users = group:all, bo@a.example\noutside-users = *.b.example\n"
		"[peer u.org]\nprofile = users\ndirections = inbound\ninside = sub.a.example\n", &faults);
	assert_string_equal(faults, "");
	free(faults);
	const struct conf_list *list = &conf->profiles[2].users[WIRE_INSIDE];
	assert_int_equal(list->count, 4);
	const char *user = conf_list_first(conf, list);
	for (unsigned i = 0; i < 4; i++, user = conf_list_next(user))
		assert_string_equal(user, expected[i]);
	const struct conf_peer *peer = conf_peer_find(conf, "u.org");
	assert_int_equal(peer->way, WAY_INBOUND);
	assert_int_equal(peer->inside.count, 1);
	conf_free(conf);
}

static void users_that_cannot_be_are_faults(void **state)
{
	(void)state;
	static const struct {
		const char *more, *fault;
	} rows[] = {
		{"[group g]\nmembers = a@a.example\n", ":35: [group g] is used nowhere (hint: inside-users = group:g)\n"},
		{"[profile u]\noutbound-presence = none\n", ":35: [profile u] is used nowhere (hint: profile = u "
			"in a [peer], or "
			"take it out)\n"},
		{"[group g]\nmembers = group:g\n", ":36: members: there is no [group g] before it (hint: "},
		{"[group board]\nmembers = a@a.example\n[profile u]\ninside-users = group:boar\n",
			":38: inside-users: there is no [group boar] before it (hint: board)\n"},
		{"[profile u]\ninside-users = a@b.example\n", ":36: inside-users: a@b.example is none of ours (hint: "},
		{"[profile u]\noutside-users = a@a.example\n", ":36: outside-users: a@a.example is one of ours (hint: "},
		{"[profile u]\noutside-users = @b.example\n", "b.example: No such file or directory (hint: "},
		{"[profile u]\noutside-users = @@b.example\n",
			":36: outside-users: \"@b.example\": nobody before '@' (hint: "},
		{"[profile u]\noutside-users = a@*.b.example\n",
			":36: outside-users: \"a@*.b.example\": a user of many domains "},
		{"[profile u]\noutside-users = a@b..example\n",
			":36: outside-users: \"a@b..example\": an empty label (hint: "},
		{"[profile u]\noutside-users = \",\"\n", ":36: outside-users: nothing is in it (hint: outside-users = \"\" "
			"for all)\n"},
		{"[peer u.org]\nprofile = closed\ninside = b.example\n",
			":37: inside: \"b.example\": not one of our own domains "},
		{"[peer u.org]\nprofile = closed\ndirections = up\n",
			":37: directions: unknown value \"up\" (hint: both, outbound, inbound, none)\n"},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *faults;
		assert_null(load_with(rows[i].more, &faults));
		if (!strstr(faults, rows[i].fault))
			print_error("%s\nwanted %s\n", faults, rows[i].fault);
		assert_non_null(strstr(faults, rows[i].fault));
		free(faults);
	}
}

static void hours_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		struct conf_hours hours;
	} rows[] = {
		{"\"\"", {0}},
		{"08:00-18:00", {1, {{0x7f, 480, 1080}}}},
		{"\"Mon-Fri 08:00-18:00, sat\t 09:00-12:00\"", {2, {{0x1f, 480, 1080}, {0x20, 540, 720}}}},
		{"22:00-06:00", {1, {{0x7f, 1320, 360}}}},
		{"\"SUN 22:00-00:00, Mon 00:00-24:00\"", {2, {{0x40, 1320, 0}, {0x01, 0, 1440}}}},
		{"\"Fri-Mon 00:00-24:00\"", {1, {{0x71, 0, 1440}}}},
		{"\"Sun 22:00-06:00, Mon 06:00-22:00, Sun 21:59-22:00\"", {3, {{0x40, 1320, 360}, {0x01, 360, 1320},
			{0x40, 1319, 1320}}}},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char with[2048], *faults;
		snprintf(with, sizeof(with), "%s[profile default]\ninbound-hours = %s\n", good, rows[i].text);
		struct conf *conf = load(with, strlen(with), &faults);
		assert_string_equal(faults, "");
		free(faults);
		const struct conf_hours *hours = &conf->profiles[2].hours[INBOUND];
		assert_int_equal(hours->count, rows[i].hours.count);
		for (unsigned s = 0; s < hours->count; s++) {
			assert_int_equal(hours->spans[s].days, rows[i].hours.spans[s].days);
			assert_int_equal(hours->spans[s].from, rows[i].hours.spans[s].from);
			assert_int_equal(hours->spans[s].to, rows[i].hours.spans[s].to);
		}
		assert_int_equal(conf->profiles[2].hours[OUTBOUND].count, 0);
		conf_free(conf);
	}
}

static void hours_that_cannot_be_are_faults(void **state)
{
	(void)state;
	static const char *const no_times[] = {"8:00-18:00", "08:00", "08:00-", "08:00-18:00h", "08:60-18:00",
		"08:00-24:01",
		"24:00-06:00", "25:00-26:00", "08:00-08:00", "00:00-00:00", "Mon", "Mon08:00-18:00", "Mo 08:00-18:00",
		"Monday 08:00-18:00", "Mon-Mon 08:00-18:00", "Mon- 08:00-18:00", "Mon-Fry 08:00-18:00",
			"Mon - Fri 08:00-18:00",
		"Mon 08:00 - 18:00", "always", "-08:00-18:00", "+8:00-18:00"};
	static const char *const overlaps[] = {"08:00-12:00, 11:59-13:00", "22:00-06:00, Wed 05:59-07:00",
		"Sun 22:00-06:00, Mon 00:00-01:00", "Mon 00:00-01:00, Sun 23:00-00:01",
			"Mon-Wed 08:00-09:00, Wed-Fri 08:30-08:31",
		"Mon 08:00-09:00, Mon 08:00-09:00", "00:00-24:00, 12:00-12:01"};
	char *faults, more[512];
	for (unsigned i = 0; i < sizeof(no_times) / sizeof(no_times[0]); i++) {
		snprintf(more, sizeof(more), "[profile default]\noutbound-hours = \"Tue 07:00-07:30, %s\"\n", no_times[i]);
		assert_null(load_with(more, &faults));
		snprintf(more, sizeof(more), "etc/test.conf:36: outbound-hours: \"%s\" is not a time of the week "
			"(hint: Mon-Fri "
			"08:00-18:00, Sat 09:00-12:00, 22:00-06:00, 00:00-24:00)\n", no_times[i]);
		assert_string_equal(faults, more);
		free(faults);
	}
	for (unsigned i = 0; i < sizeof(overlaps) / sizeof(overlaps[0]); i++) {
		snprintf(more, sizeof(more), "[profile default]\noutbound-hours = \"%s\"\n", overlaps[i]);
		assert_null(load_with(more, &faults));
		snprintf(more, sizeof(more), "etc/test.conf:36: outbound-hours: \"%s\" overlaps one before it "
			"(hint: a time over "
			"midnight is of the day that it begins on)\n", strchr(overlaps[i], ',') + 2);
		assert_string_equal(faults, more);
		free(faults);
	}
	int n = snprintf(more, sizeof(more), "[profile default]\noutbound-hours = \"");
	for (int i = 0; i <= CONF_SPANS_MAX; i++)
		n += snprintf(more + n, sizeof(more) - (size_t)n, "%02d:00-%02d:01,", i, i);
	snprintf(more + n, sizeof(more) - (size_t)n, "\"\n[profile g]\ninbound-hours = \",\"\n");
	assert_null(load_with(more, &faults));
	assert_string_equal(faults, "etc/test.conf:36: outbound-hours: too many times (hint: at most 16)\n"
		"etc/test.conf:38: inbound-hours: nothing is in it (hint: inbound-hours = \"\" for always)\n");
	free(faults);
}

static void a_peer_has_hours_within_those_of_its_profile(void **state)
{
	(void)state;
	static const struct {
		const char *profile, *peer;
		bool allowed;
	} rows[] = {
		{"", "", true},
		{"", "Mon 08:00-09:00", true},
		{"Mon 08:00-09:00", "", false},
		{"Mon-Fri 08:00-18:00", "Tue 08:00-18:00, Wed 12:00-13:00", true},
		{"Mon-Fri 08:00-18:00", "Tue 08:00-18:01", false},
		{"Mon-Fri 08:00-18:00", "Tue 07:59-18:00", false},
		{"Mon-Fri 08:00-18:00", "Fri-Sat 10:00-12:00", false},
		{"08:00-12:00, 12:00-18:00", "11:00-13:00", true},
		{"22:00-06:00", "Sun 23:00-01:00, Mon 05:00-06:00", true},
		{"22:00-06:00", "Mon 05:00-06:01", false},
		{"Sun 22:00-24:00, Mon 00:00-06:00", "Sun 22:00-06:00", true},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *more, *faults;
		assert_true(asprintf(&more, "[profile h]\ninbound-hours = \"%s\"\n[peer t.org]\nprofile = "
			"h\ninbound-hours = "
			"\"%s\"\n", rows[i].profile, rows[i].peer) > 0);
		struct conf *conf = load_with(more, &faults);
		assert_string_equal(faults, rows[i].allowed ?
			"" : "etc/test.conf:39: inbound-hours: looser than [profile h] in "
			"line 35 has it (hint: a peer can only take away; loosen the profile, or name another)\n");
		assert_true(!conf == !rows[i].allowed);
		conf_free(conf);
		free(faults);
		free(more);
	}
}

static void expect_list(const struct conf *conf, const struct conf_list *list, const char *const *expected)
{
	unsigned i = 0;
	for (const char *item = conf_list_first(conf, list); i < list->count; i++, item = conf_list_next(item))
		assert_string_equal(item, expected[i]);
	assert_null(expected[i]);
}

static void types_of_messages_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum conf_message_fate fates[MESSAGE_TYPES];
	} rows[] = {
		{"", {MESSAGE_PASSES}},
		{"headline=refuse", {[MESSAGE_HEADLINE] = MESSAGE_REFUSED}},
		{"groupchat = refuse, normal\t=chat,chat= headline , headline=normal", {MESSAGE_TO_CHAT,
			MESSAGE_TO_HEADLINE,
			MESSAGE_TO_NORMAL, MESSAGE_REFUSED}},
	};
	static const char *const bad[] = {"headline", "headline=", "=refuse", "headline=drop", "headline=groupchat",
		"groupchat=chat", "groupchat=groupchat", "chat=chat", "error=refuse", "chat=error",
			"Chat=refuse", "chat==refuse",
		"chat=refuse=normal", "chat refuse", "cha=refuse", "chats=refuse", "chat=refus"};
	char *faults, more[512];
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(more, sizeof(more), "[profile m]\ninbound-message-types = \"%s\"\n[peer m.org]\nprofile = m\n",
			rows[i].text);
		struct conf *conf = load_with(more, &faults);
		assert_string_equal(faults, "");
		free(faults);
		assert_memory_equal(conf->profiles[2].messages[INBOUND].fates, rows[i].fates, sizeof(rows[i].fates));
		assert_int_equal(conf->profiles[2].messages[OUTBOUND].fates[MESSAGE_HEADLINE], MESSAGE_PASSES);
		conf_free(conf);
	}
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(more, sizeof(more), "[profile m]\ninbound-message-types = \"%s, normal=refuse\"\n[peer m.org]\n"
			"profile = m\n", bad[i]);
		assert_null(load_with(more, &faults));
		snprintf(more, sizeof(more), "etc/test.conf:36: inbound-message-types: \"%s\" cannot be (hint: "
			"groupchat=refuse, or normal, chat and headline = refuse or another of the three)\n", bad[i]);
		assert_string_equal(faults, more);
		free(faults);
	}
	assert_null(load_with("[profile m]\noutbound-message-types = \"chat=normal, chat=refuse\"\n[peer "
		"m.org]\nprofile = m\n",
		&faults));
	assert_string_equal(faults, "etc/test.conf:36: outbound-message-types: chat is there twice (hint: once)\n");
	free(faults);
}

static void a_peer_folds_messages_no_less_than_its_profile(void **state)
{
	(void)state;
	static const struct {
		const char *profile, *peer;
		bool allowed;
		enum conf_message_fate chat, normal;   /* what holds */
	} rows[] = {
		{"", "chat=refuse", true, MESSAGE_REFUSED, MESSAGE_PASSES},
		{"chat=refuse", "normal=refuse", true, MESSAGE_REFUSED, MESSAGE_REFUSED},
		{"chat=refuse", "chat=normal", false, 0, 0},
		{"normal=chat", "normal=refuse", true, MESSAGE_PASSES, MESSAGE_REFUSED},
		{"normal=chat", "normal=chat, chat=refuse", true, MESSAGE_REFUSED, MESSAGE_TO_CHAT},
		{"normal=chat", "normal=headline", false, 0, 0},
		{"normal=chat, chat=refuse", "", true, MESSAGE_REFUSED, MESSAGE_TO_CHAT},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static const char *const both[] = {"{urn:y}y", "{urn:x}", NULL};
		char *more, *faults;
		assert_true(asprintf(&more, "[profile m]\ninbound-message-types = \"%s\"\ninbound-strip = "
			"{urn:x}\n[peer t.org]\n"
			"profile = m\ninbound-strip = {urn:y}y\ninbound-message-types = \"%s\"\n",
				rows[i].profile, rows[i].peer) > 0);
		struct conf *conf = load_with(more, &faults);
		assert_string_equal(faults, rows[i].allowed ? "" : "etc/test.conf:41: inbound-message-types: looser than "
			"[profile m] in line 35 has it (hint: a peer can only take away; loosen the profile, or "
				"name another)\n");
		assert_true(!conf == !rows[i].allowed);
		if (conf) {
			const struct conf_profile *own = &conf->profiles[conf_peer_find(conf, "t.org")->profile];
			assert_int_equal(own->messages[INBOUND].fates[MESSAGE_CHAT], rows[i].chat);
			assert_int_equal(own->messages[INBOUND].fates[MESSAGE_NORMAL], rows[i].normal);
			expect_list(conf, &own->messages[INBOUND].strip, both);
		}
		conf_free(conf);
		free(faults);
		free(more);
	}
}

/* --- security labels --- */

static void labels_and_their_files(void **state)
{
	(void)state;
	static const struct {
		const char *text, *fault;
	} rows[] = {
		{"[profile m]\noutbound-labels = sometimes\n",
			"36: outbound-labels: unknown value \"sometimes\" (hint: ignored, default, "
			"required)"},
		{"[profile m]\ninbound-original-label = eat\n",
			"36: inbound-original-label: unknown value \"eat\" (hint: keep, swap, drop)"},
		{"[profile m]\noutbound-clearance = nothing.xml\n",
			"36: outbound-clearance: nothing.xml: No such file or directory (hint: "
			"relative to the folder of this file)"},
		{"[labels]\npolicies = /dev/null\n", "36: policies: /dev/null is no document (hint: a file of at "
			"most 32 MiB)"},
		{"[labels]\nobsolete = maybe\n", "36: obsolete: unknown value \"maybe\" (hint: accept, refuse)"},
		{"[clearance c]\nusers = x@y.org\n", "35: file is missing in [clearance c]"},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *faults, *expected;
		struct conf *conf = load_with(rows[i].text, &faults);
		assert_null(conf);
		assert_true(asprintf(&expected, "etc/test.conf:%s", rows[i].fault) > 0);
		if (strncmp(faults, expected, strlen(expected)))
			print_error("%s", faults);
		assert_int_equal(strncmp(faults, expected, strlen(expected)), 0);
		free(expected);
		free(faults);
	}
}

/* --- peers that are tighter than their profile --- */

#define WIDE "[profile wide]\noutbound-presence = show\ninbound-presence = full\noutbound-forbidden-words = alpha, beta\n" \
	"inbound-binaries = pass\ninbound-max-binary = 5000\ninbound-binary-types = image/*, " \
		"text/plain\n"   /* 35 to 41 */ \
	"[peer wide.org]\nprofile = wide\n"                   /* 42, 43 */

static void a_peer_can_be_tighter_than_its_profile(void **state)
{
	(void)state;
	static const char *const own[] = {"gamma", "alpha", "alpha", "beta", NULL}, *const its[] = {"alpha", "beta", NULL},
		*const types[] = {"IMAGE/png", "text/plain", NULL};
	char *faults;
	struct conf *conf = load_with(WIDE "[peer t.org]\nprofile = Wide\noutbound-presence = online\n"
		"inbound-presence = full\noutbound-forbidden-words = gamma, alpha\ninbound-binaries = refuse\n"
		"inbound-max-binary = 4999\ninbound-binary-types = \"IMAGE/png, text/plain\"\n"
		"[peer a.org]\nprofile = closed\noutbound-forbidden-words = one\n", &faults);
	assert_string_equal(faults, "");
	free(faults);
	assert_int_equal(conf->profile_count, 5);
	const struct conf_profile *wide = &conf->profiles[conf_peer_find(conf, "wide.org")->profile],
		*tight = &conf->profiles[conf_peer_find(conf, "t.org")->profile];
	assert_string_equal(tight->name, "wide");
	assert_int_equal(tight->line, 44);
	assert_int_equal(tight->presence[OUTBOUND], PRESENCE_ONLINE);
	assert_int_equal(tight->presence[INBOUND], PRESENCE_FULL);
	assert_int_equal(tight->binaries[INBOUND].action, BINARIES_REFUSE);
	assert_int_equal(tight->binaries[INBOUND].max_bytes, 4999);
	expect_list(conf, &tight->forbidden[OUTBOUND], own);
	expect_list(conf, &tight->binaries[INBOUND].types, types);
	assert_int_equal(wide->line, 35);
	assert_int_equal(wide->presence[OUTBOUND], PRESENCE_SHOW);
	assert_int_equal(wide->binaries[INBOUND].max_bytes, 5000);
	expect_list(conf, &wide->forbidden[OUTBOUND], its);
	assert_int_equal(conf->profiles[conf_peer_find(conf, "a.org")->profile].forbidden[OUTBOUND].count, 1);
	assert_int_equal(conf->profiles[conf_peer_find(conf, "x.example")->profile].forbidden[OUTBOUND].count, 0);
	conf_free(conf);
}

#define LOOSER(key) "etc/test.conf:46: " key ": looser than [profile wide] in line 35 has it (hint: a peer can only take " \
	"away; loosen the profile, or name another)\n"

static void a_peer_that_is_looser_is_a_fault(void **state)
{
	(void)state;
	static const struct {
		const char *key, *faults;      /* "": none */
	} rows[] = {
		{"outbound-presence = show", ""},
		{"outbound-presence = none", ""},
		{"outbound-presence = full", LOOSER("outbound-presence")},
		{"outbound-presence = off",
			"etc/test.conf:46: outbound-presence: unknown value \"off\" (hint: none, online, show, full)\n"},
		{"inbound-binaries = pass", ""},
		{"outbound-binaries = pass", LOOSER("outbound-binaries")},
		{"inbound-max-binary = 5000", ""},
		{"inbound-max-binary = 5001", LOOSER("inbound-max-binary")},
		{"inbound-max-binary = 0",
			"etc/test.conf:46: inbound-max-binary: \"0\" is not in range (hint: a number from 1 to "
				"16777216)\n"},
		{"inbound-binary-types = image/*", ""},
		{"inbound-binary-types = \"image/p*, image/gif\"", ""},
		{"inbound-binary-types = \"image/gif, text/*\"", LOOSER("inbound-binary-types")},
		{"inbound-binary-types = *", LOOSER("inbound-binary-types")},
		{"inbound-binary-types = \"\"", LOOSER("inbound-binary-types")},
		{"outbound-binary-types = image/png", ""},
		{"outbound-binary-types = \"\"", ""},
		{"inbound-forbidden-words = \"\"", ""},
		{"sideways-presence = none",
			"etc/test.conf:46: unknown key sideways-presence in [peer] (hint: sallyportd -k lists them)\n"},
		{"directions = none\noutbound-presence = none",
			"etc/test.conf:44: [peer t.org]: nothing passes, and keys say "
			"what may (hint: directions, or leave them out)\n"},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *more, *faults;
		assert_true(asprintf(&more, "%s[peer t.org]\nprofile = wide\n%s\n", WIDE, rows[i].key) > 0);
		struct conf *conf = load_with(more, &faults);
		assert_string_equal(faults, rows[i].faults);
		assert_true(!conf == !!*rows[i].faults);
		conf_free(conf);
		free(faults);
		free(more);
	}
}

static void features_of_a_peer_stay_within_its_profile(void **state)
{
	(void)state;
	static const char *const own[] = {"chat", "presence", NULL}, *const its[] = {"basic", "oob", NULL},
		*const nodes[] = {"urn:xmpp:avatar:*", "tune", NULL};
	static const char profile[] = "[profile wide]\noutbound-features = basic, oob\ninbound-unknown = strip\n"
		"inbound-require-encryption = yes\noutbound-pep-nodes = \"urn:xmpp:avatar:*, "
			"tune\"\n"         /* 35 to 39 */
		"[peer t.org]\nprofile = wide\n";                                                         /* 40, 41 */
	char *faults, more[512];
	snprintf(more, sizeof(more), "%soutbound-features = chat, presence\ninbound-unknown = refuse\n"
		"inbound-require-encryption = yes\noutbound-require-encryption = yes\n", profile);
	struct conf *conf = load_with(more, &faults);
	assert_string_equal(faults, "");
	free(faults);
	const struct conf_profile *tight = &conf->profiles[conf_peer_find(conf, "t.org")->profile];
	expect_list(conf, &tight->features[OUTBOUND].names, own);
	assert_true(tight->features[OUTBOUND].of_peer && !tight->features[INBOUND].of_peer);
	expect_list(conf, &tight->features[OUTBOUND].within, its);
	expect_list(conf, &tight->features[OUTBOUND].pep_nodes, nodes);
	assert_int_equal(tight->features[INBOUND].unknown, UNKNOWN_REFUSE);
	assert_true(tight->features[OUTBOUND].requires_encryption);
	conf_free(conf);
	snprintf(more, sizeof(more), "%sinbound-unknown = pass\ninbound-require-encryption = no\n", profile);
	assert_null(load_with(more, &faults));
	assert_non_null(strstr(faults, ":42: inbound-unknown: looser than [profile wide]"));
	assert_non_null(strstr(faults, ":43: inbound-require-encryption: looser than [profile wide]"));
	free(faults);
}

/* More of them than there may be profiles, some between peers that are none. */
static void many_peers_can_be_tighter(void **state)
{
	(void)state;
	enum { PEERS = 3000 };
	char *more, *faults;
	size_t size;
	FILE *out = open_memstream(&more, &size);
	fputs(WIDE, out);
	for (int i = 0; i < PEERS; i++)
		fprintf(out, "[peer p%d.org]\nprofile = wide\n%s", i, i % 2 ? "outbound-forbidden-words = more\n" : "");
	fclose(out);
	struct conf *conf = load_with(more, &faults);
	assert_string_equal(faults, "");
	assert_int_equal(conf->profile_count, 3 + PEERS / 2);
	for (int i = 0; i < PEERS; i++) {
		char domain[32];
		snprintf(domain, sizeof(domain), "p%d.org", i);
		const struct conf_peer *peer = conf_peer_find(conf, domain);
		assert_string_equal(peer->domain, domain);
		assert_int_equal(conf->profiles[peer->profile].forbidden[OUTBOUND].count, i % 2 ? 3 : 2);
	}
	conf_free(conf);
	free(faults);
	free(more);
	assert_null(load_with("[peer a.example]\nprofile = closed\n[peer t.org]\nprofile = "
		"closed\ninbound-presence = show\n"
		"[peer u.org]\nprofile = gone\ninbound-presence = show\n", &faults));
	assert_non_null(strstr(faults, ":39: inbound-presence: looser than [profile closed] in line 25 "));
	assert_non_null(strstr(faults, ":41: profile: there is no [profile gone]"));
	assert_null(strstr(faults, ":42:"));
	free(faults);
}

static const struct bad {
	const char *find, *replace, *faults;
} bad[] = {
	{"ports = 5269, 5270", "ports = 0", "3: ports: \"0\" is not a port (hint: 1 to 65535)\n"
		"3: ports: no port (hint: 5269, 5270)\n"},
	{"5269, 5270", "5269, 65536", "3: ports: \"65536\" is not a port (hint: 1 to 65535)\n"},
	{"5269, 5270", "5269, 12abc", "3: ports: \"12abc\" is not a port (hint: 1 to 65535)\n"},
	{"5269, 5270", "5269, 99999999999", "3: ports: \"99999999999\" is not a port (hint: 1 to 65535)\n"},
	{"5269, 5270", "5269, -1", "3: ports: \"-1\" is not a port (hint: 1 to 65535)\n"},
	{"5269, 5270", "5269 5269", "3: ports: 5269 is there twice (hint: once)\n"},
	{"5269, 5270", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "3: ports: too many ports (hint: 16)\n"},
	{"ports =", "port =", "3: unknown key port in [guard] (hint: ports)\n"},
	{"ports =", "colour =", "3: unknown key colour in [guard] (hint: sallyportd -k lists them)\n"},
	{"name = test-guard", "name = Test",
		"2: name: \"Test\" is not a name (hint: 1 to 31 lower-case letters, digits and '-')\n"},
	{"name = test-guard", "scanner = unix:clamd.ctl",
		"2: scanner: \"unix:clamd.ctl\" is not the path of a socket (hint: unix:/run/clamav/clamd.ctl)\n"},
	{"name = test-guard", "scanner = icap://scanner.example/avscan",
		"2: scanner: \"icap://scanner.example/avscan\" is no "
		"scanner (hint: unix:/run/clamav/clamd.ctl or icap://127.0.0.1:1344/avscan)\n"},
	{"name = test-guard", "scanner = icap://127.0.0.1:0/avscan", "2: scanner: \"icap://127.0.0.1:0/avscan\" is no "
		"scanner (hint: unix:/run/clamav/clamd.ctl or icap://127.0.0.1:1344/avscan)\n"},
	{"[profile closed]\n", "[profile closed]\noutbound-binaries = scan\n",
		"26: outbound-binaries: there is no scanner "
		"(hint: scanner = unix:/run/clamav/clamd.ctl in [guard])\n"},
	{"[profile closed]\n", "[profile closed]\noutbound-binaries = scna\n",
		"26: outbound-binaries: unknown value \"scna\" (hint: refuse, scan, pass)\n"},
	{"[profile closed]\n", "[profile closed]\noutbound-user-rate = 10\n",
		"26: outbound-user-rate: \"10\" is not a rate " RATE_HINT},
	{"[profile closed]\n", "[profile closed]\noutbound-user-rate = 0/s\n",
		"26: outbound-user-rate: \"0/s\" is not a rate " RATE_HINT},
	{"[profile closed]\n", "[profile closed]\noutbound-user-rate = 10/d\n",
		"26: outbound-user-rate: \"10/d\" is not a rate " RATE_HINT},
	{"[profile closed]\n", "[profile closed]\ninbound-peer-rate = 10/s burst\n",
		"26: inbound-peer-rate: \"10/s burst\" is not a rate " RATE_HINT},
	{"[profile closed]\n", "[profile closed]\ninbound-peer-rate = 10/s bursts 5\n",
		"26: inbound-peer-rate: \"10/s bursts 5\" is not a rate " RATE_HINT},
	{"[profile closed]\n", "[profile closed]\noutbound-room-rate = 10/s burst 5 or so\n",
		"26: outbound-room-rate: \"10/s burst 5 or so\" is not a rate " RATE_HINT},
	{"[profile closed]\n", "[profile closed]\noutbound-room-rate = 1000001/s\n",
		"26: outbound-room-rate: \"1000001/s\" is not a rate " RATE_HINT},
	{"[profile closed]\n", "[profile closed]\noutbound-user-rate = 1K/s\n",
		"26: outbound-user-rate: \"1K/s\" is not a rate " RATE_HINT},
	{"[profile closed]\n", "[profile closed]\noutbound-user-rate = 10/sburst 5\n",
		"26: outbound-user-rate: \"10/sburst 5\" is not a rate " RATE_HINT},
	{"[profile closed]\n", "[profile closed]\noutbound-user-rate = -1/s\n",
		"26: outbound-user-rate: \"-1/s\" is not a rate " RATE_HINT},
	{"[profile closed]\n", "[profile closed]\noutbound-user-bytes = 4G/s\n",
		"26: outbound-user-bytes: \"4G/s\" is not a rate "
		"(hint: 64K/s burst 512K, or /m, /h; numbers from 1 to 4294967295)\n"},
	{"[profile closed]\n", "[profile closed]\ninbound-room-bytes = 64KB/s\n",
		"26: inbound-room-bytes: \"64KB/s\" is not a rate "
		"(hint: 64K/s burst 512K, or /m, /h; numbers from 1 to 4294967295)\n"},
	{"[profile closed]\n", "[profile closed]\noutbound-peer-bytes = 1T/h\n",
		"26: outbound-peer-bytes: \"1T/h\" is not a rate "
		"(hint: 64K/s burst 512K, or /m, /h; numbers from 1 to 4294967295)\n"},
	{"[profile closed]\n", "[profile closed]\noutbound-over-rate = queue\n",
		"26: outbound-over-rate: unknown value \"queue\" (hint: refuse, drop, wait)\n"},
	{"name = test-guard", "features = starttls, dailback",
		"2: features: unknown feature \"dailback\" (hint: dialback)\n"},
	{"[guard]\n", "[gaurd]\n", "1: unknown section [gaurd] (hint: guard)\n"},
	{"[users]\n", "[users]\n[users]\n", "6: section [users] was there before (hint: see line 5)\n"},
	{"tls = 64102", "tls = 64101", "7: tls runs as the user of dataplane (hint: a user for each)\n"},
	{"tls = 64102", "tls = 0", "7: tls: \"0\" is root or in its group (hint: a user of its own)\n"},
	{"tls = 64102", "tls = root", "7: tls: \"root\" is root or in its group (hint: a user of its own)\n"},
	{"tls = 64102", "tls = no-such-user",
		"7: tls: there is no user \"no-such-user\" (hint: systemd-sysusers makes those of sallyport.sysusers)\n"},
	{"device = eth1\n", "", "10: device is missing in [inside] (hint: device = eth1)\n"},
	{"[inside]\n", "[dataplane]\nmemory-mib = 63\n[inside]\n",
		"11: memory-mib: \"63\" is not in range (hint: a number from 64 to 65536)\n"},
	{"[inside]\n", "[dataplane]\ncpus = 3-1\n[inside]\n",
		"11: cpus: \"3-1\" is not a list of CPUs (hint: 2 or 0-3,6)\n"},
	{"device = eth1", "device = eth 1",
		"11: device: a blank or control character (hint: eth1, xdp:eth1, 0000:03:00.0 or vdev:...)\n"},
	{"device = eth1", "device = \"vdev:net_af_packet1,iface=eth2\"",
		"17: device: that of [inside] (hint: two wires)\n"},
	{"device = eth1", "device = xdp:net_af_packet1,iface=eth2",
		"17: device: that of [inside] (hint: two wires)\n"},
	{"device = eth1", "device eth1",
		"11: neither section nor key: device eth1 (hint: key = value)\n"
		"10: device is missing in [inside] (hint: device = eth1)\n"},
	{"A.example, sub.a.example", "a.example, A.EXAMPLE", "12: domains: a.example is there twice (hint: once)\n"},
	{"A.example, sub.a.example", "a..example",
		"12: domains: \"a..example\": an empty label (hint: no dot at either end, no two in a row)\n"
		"12: domains: no domain (hint: a.example)\n"},
	{"A.example, sub.a.example", "a.example, *.a.example, *.A.example",
		"12: domains: *.a.example is there twice (hint: once)\n"},
	{"A.example, sub.a.example", "a.example, *",
		"12: domains: \"*\": not a domain name (hint: letters, digits, '-' and dots)\n"},
	{"A.example, sub.a.example", "a.example, 192.0.2.1",
		"12: domains: \"192.0.2.1\": an address (hint: a domain name)\n"},
	{"A.example, sub.a.example", "a.example, b\xc3\xbc.example",
		"12: domains: \"b\xc3\xbc.example\": not ASCII (hint: write its A-label, xn--...)\n"},
	{"A.example, sub.a.example", "a.example, -b.example",
		"12: domains: \"-b.example\": '-' at an end of a label (hint: b.example)\n"},
	{"A.example, sub.a.example", "a.example, under_score",
		"12: domains: \"under_score\": not a domain name (hint: letters, digits, '-' and dots)\n"},
	{"trust = in/trust.pem", "trust = in/trust.pem ; ours",
		"13: ';' or '#' would cut the value here (hint: \"quote it\")\n"
		"10: trust is missing in [inside] (hint: trust = inside-trust.pem)\n"},
	{"trust = in/trust.pem", "trust = \"in/trust.pem\" # ours",
		"13: text after a quoted value, or no end of it (hint: put comments on lines of their own)\n"
		"10: trust is missing in [inside] (hint: trust = inside-trust.pem)\n"},
	{"trust = in/trust.pem", "trust = 'in/trust.pem'",
		"13: a value in ' (hint: quote it with \")\n"
		"10: trust is missing in [inside] (hint: trust = inside-trust.pem)\n"},
	{"trust = in/trust.pem", "trust = in/trust.pem\\",
		"13: a line cannot be continued with '\\' (hint: write it on one line)\n"
		"10: trust is missing in [inside] (hint: trust = inside-trust.pem)\n"},
	{"trust = in/trust.pem", "trust =", "13: trust: no file (hint: a path)\n"},
	{"trust = in/trust.pem", "trust = a\ntrust = b", "14: trust was set before (hint: see line 13)\n"},
	{"trust = in/trust.pem", "tr ust = a",
		"13: not a key (hint: letters, digits and '-')\n"
		"10: trust is missing in [inside] (hint: trust = inside-trust.pem)\n"},
	{"[outside]\n", "[outside] # there\n",
		"16: a section line ends with ']' (hint: put comments on lines of their own)\n"
		"1: device is missing in [outside] (hint: device = eth2)\n"
		"1: trust is missing in [outside] (hint: trust = outside-trust.pem)\n"
		"1: ca-certificate is missing in [outside] (hint: ca-certificate = outside-ca.pem)\n"
		"1: ca-key is missing in [outside] (hint: ca-key = outside-ca.key)\n"},
	{"# a comment", "a\001comment", "21: a control character (hint: save as plain text)\n"},
	{"# a comment", "# L\xfc" "beck", "21: not UTF-8 (hint: save as UTF-8)\n"},
	{"# a comment", "# \xe2\x82", "21: not UTF-8 (hint: save as UTF-8)\n"},
	{"[profile Partner]", "[profile a:b]",
		"22: ':', '[' or ']' in the name of a section (hint: letters, digits, '-' and '.')\n"
		"27: profile: there is no [profile partner] (hint: add that section)\n"},
	{"[profile Partner]", "[profile  partner]",
		"22: more than one space in the name of a section (hint: [peer b.example])\n"
		"27: profile: there is no [profile partner] (hint: add that section)\n"},
	{"[profile closed]", "[profile]",
		"25: [profile] needs a name (hint: [profile default])\n"
		"30: profile: there is no [profile closed] (hint: add that section)\n"
		"32: profile: there is no [profile closed] (hint: add that section)\n"
		"34: profile: there is no [profile closed] (hint: add that section)\n"},
	{"[profile closed]", "[profile PARTNER]",
		"25: section [profile partner] was there before (hint: see line 22)\n"
		"30: profile: there is no [profile closed] (hint: add that section)\n"
		"32: profile: there is no [profile closed] (hint: add that section)\n"
		"34: profile: there is no [profile closed] (hint: add that section)\n"},
	{"= online", "= onlin", "23: outbound-presence: unknown value \"onlin\" (hint: none, online, show, full)\n"},
	{"profile = partner", "profile = partnr", "27: profile: there is no [profile partnr] (hint: partner)\n"},
	{"= tls-dialback", "= dialback", "28: authentication: unknown value \"dialback\" (hint: strong, "
		"tls-dialback, none)\n"},
	{"[peer B.example]", "[peer a.EXAMPLE]",
		"26: [peer a.example]: one of our own domains (hint: [inside] domains)\n"},
	{"[peer *.example]", "[peer *.*.example]",
		"29: [peer *.*.example]: not a domain name (hint: letters, digits, '-' and dots)\n"},
	{"[profile closed]", "[certificate a.example]\nchain = c.pem\nkey = c.key\nchian = x\n[profile closed]",
		"28: unknown key chian in [certificate] (hint: chain)\n"},
	{"[profile closed]", "[certificate *]\nchain = c.pem\nkey = c.key\n[profile closed]",
		"25: [certificate *]: not a domain name (hint: letters, digits, '-' and dots)\n"},
	{"[profile closed]", "[certificate a.example]\n[profile closed]",
		"25: chain is missing in [certificate a.example] (hint: chain = a.example.pem)\n"
		"25: key is missing in [certificate a.example] (hint: key = a.example.key)\n"},
	{"trust = in/trust.pem", "trust = in/trust.pem\nleaf-key = dsa\ncertificate-hours = 1",
		"14: leaf-key: unknown value \"dsa\" (hint: auto, ecdsa, rsa)\n"
		"15: certificate-hours: \"1\" is not in range (hint: a number from 2 to 9528)\n"},
	{"= tls-dialback", "= none\npin = " PIN,
		"26: [peer b.example]: a pin without TLS proves nothing (hint: authentication = strong)\n"},
	{"= tls-dialback", "= strong\npin = key:12",
		"29: pin: \"key:12\" is not a pin " PIN_HINT},
	{"= tls-dialback", "= strong\npin = " PIN ", " PIN,
		"29: pin: \"" PIN "\" is there twice (hint: once)\n"},
	{"= tls-dialback", "= strong\npin = sha256:" SHA256,
		"29: pin: \"sha256:" SHA256 "\" is not a pin " PIN_HINT},
	{"= tls-dialback", "= strong\npin = " PIN "0",
		"29: pin: \"" PIN "0\" is not a pin " PIN_HINT},
	{"= tls-dialback", "= strong\npin = " PIN "\ncrl-check = none",
		"30: unknown key crl-check in [peer] (hint: sallyportd -k lists them)\n"},
	{"[peer *.example]", "[peer b.example.]",
		"29: [peer b.example.]: an empty label (hint: no dot at either end, no two in a row)\n"},
	{"[inside]\n", "[tls x]\nversions = 1.1, 1.2\n[inside]\n",
		"11: versions: \"1.1\" is refused: TLS 1.1 is broken (RFC 8996) (hint: 1.2, 1.3)\n"},
	{"[inside]\n", "[tls x]\nversions = SSLv3\n[inside]\n",
		"11: versions: \"SSLv3\" is refused: SSL is broken (RFC 6176, RFC 7568) (hint: 1.2, 1.3)\n"
		"11: versions: nothing that can be used (hint: 1.2, 1.3)\n"},
	{"[inside]\n", "[tls x]\ngroups = P-256, ffdhe2048\n[inside]\n",
		"11: groups: \"ffdhe2048\" is refused: finite-field groups are slow and of no use to anybody who "
			"has curves "
		"(hint: X25519, P-256, P-384)\n"},
	{"[inside]\n", "[tls x]\ngroups = P-257, p-256\n[inside]\n",
		"11: groups: unknown value \"P-257\" (hint: P-256)\n"},
	{"[inside]\n", "[tls x]\ngroups = P-256, p-256\n[inside]\n", "11: groups: P-256 is there twice (hint: once)\n"},
	{"[inside]\n", "[tls x]\nsignatures = ecdsa_secp256r1_sha256, ecdsa_sha1\n[inside]\n",
		"11: signatures: \"ecdsa_sha1\" is refused: SHA-1 is broken (RFC 9155) (hint: " TLS_SIGNATURES ")\n"},
	{"[inside]\n", "[tls x]\nsignatures = ed25519\n[inside]\n",
		"10: [tls x]: signatures: guard certificates could not be used (hint: add ecdsa_secp256r1_sha256)\n"},
	{"[inside]\n", "[tls x]\ngroups = X25519\n[inside]\n",
		"10: [tls x]: groups: guard certificates could not be used with version 1.2 (hint: add P-256)\n"},
	{"[inside]\n", "[tls x]\nciphers = ECDHE-RSA-AES128-GCM-SHA256\n[inside]\n",
		"10: [tls x]: ciphers: guard certificates could not be used with version 1.2 (hint: add one with ECDSA)\n"},
	{"[inside]\n", "[tls Modern]\n[inside]\n", "10: [tls modern] is built in (hint: another name)\n"},
	{"[inside]\n", "[tls]\n[inside]\n", "10: [tls] needs a name (hint: [tls partners])\n"},
	{"[inside]\n", "[tls x]\nversion = 1.3\n[inside]\n", "11: unknown key version in [tls] (hint: versions)\n"},
	{"[inside]\n", "[inside]\ntls = modrn\n", "11: tls: there is no [tls modrn] (hint: modern)\n"},
	{"[inside]\n", "[inside]\ntls = ours\n",
		"11: tls: there is no [tls ours] (hint: intermediate, modern, high, or add that section)\n"},
	{"[guard]\n", "name = x\n[guard]\n", "1: a key before the first section (hint: [guard])\n"},
	{"[guard]\n", "\xef\xbb\xbf[guard]\n",
		"1: a byte order mark (hint: save as UTF-8 without it)\n"
		"2: a key before the first section (hint: [guard])\n"
		"3: a key before the first section (hint: [guard])\n"
		"4: a key before the first section (hint: [guard])\n"},
};

static char *replaced(const struct bad *b)
{
	const char *at = strstr(good, b->find);
	assert_non_null(at);
	char *text;
	assert_true(asprintf(&text, "%.*s%s%s", (int)(at - good), good, b->replace, at + strlen(b->find)) > 0);
	return text;
}

/* "3: what" as the file's faults are written: "etc/test.conf:3: what". */
static char *with_file_name(const char *faults)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	for (const char *line = faults; *line;) {
		size_t n = strcspn(line, "\n") + 1;
		fprintf(out, "etc/test.conf:%.*s", (int)n, line);
		line += n;
	}
	fclose(out);
	return text;
}

static void expect_hints(const char *faults)
{
	for (; *faults; faults += strcspn(faults, "\n") + 1)
		assert_true(strstr(faults, " (hint: ") < strchr(faults, '\n') && strstr(faults, " (hint: "));
}

static void every_fault_is_named_with_its_line(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *text = replaced(&bad[i]), *faults, *expected = with_file_name(bad[i].faults);
		assert_null(load(text, strlen(text), &faults));
		assert_string_equal(faults, expected);
		expect_hints(faults);
		free(text);
		free(faults);
		free(expected);
	}
}

static void all_faults_are_listed(void **state)
{
	(void)state;
	static const char text[] = "[guard]\nnmae = x\n[users]\ntls=0\n[perr x]\n";
	char *faults;
	assert_null(load(text, strlen(text), &faults));
	static const char *const expected[] = {":2: unknown key nmae in [guard] (hint: name)\n",
		":4: tls: \"0\" is root", ":5: unknown section [perr x] (hint: peer)\n",
		"device is missing in [inside] (hint: device = eth1)\n",
		"ca-key is missing in [outside] (hint: ca-key = outside-ca.key)\n"};
	for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_non_null(strstr(faults, expected[i]));
	free(faults);
}

/* --- lists --- */

static void write_list(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	fclose(file);
}

/* The good file, with these words. */
static struct conf *load_words(const char *words, char **faults)
{
	char *text;
	assert_true(asprintf(&text, "%s[profile default]\noutbound-forbidden-words = \"%s\"\n", good, words) > 0);
	struct conf *conf = load(text, strlen(text), faults);
	free(text);
	return conf;
}

static void lists_stand_in_files_too(void **state)
{
	(void)state;
	static const char *const expected[] = {"first", "top secret", "@home", "\u00fcber, # and ;", "last"};
	char path[] = "/tmp/conf-test-XXXXXX", *words, *faults;
	assert_true(close(mkstemp(path)) == 0);
	write_list(path, "# words\n\n  top secret \r\n@home\n\xc3\xbc" "ber, # and ;");
	assert_true(asprintf(&words, "first, @%s, last, @@there", path) > 0);
	struct conf *conf = load_words(words, &faults);
	assert_string_equal(faults, "");
	const struct conf_list *list = &conf->profiles[conf->profile_count - 1].forbidden[OUTBOUND];
	const char *word = conf_list_first(conf, list);
	assert_int_equal(list->count, 6);
	for (unsigned i = 0; i < 5; i++, word = conf_list_next(word))
		assert_string_equal(word, expected[i]);
	assert_string_equal(word, "@there");
	conf_free(conf);
	free(faults);
	unlink(path);
	assert_null(load_words(words, &faults));
	assert_non_null(strstr(faults, "etc/test.conf:36: outbound-forbidden-words: /tmp/conf-test-"));
	assert_non_null(strstr(faults, ": No such file or directory (hint: "));
	free(faults);
	free(words);
	assert_null(load_words("@/dev/zero", &faults));
	assert_non_null(strstr(faults, "/dev/zero is not a list (hint: "));
	free(faults);
}

static void faults_in_a_list_have_its_lines(void **state)
{
	(void)state;
	char path[] = "/tmp/conf-test-XXXXXX", *words, *faults, *expected, text[1000];
	assert_true(close(mkstemp(path)) == 0);
	snprintf(text, sizeof(text), "fine\n%0300d\n\xff\n", 7);
	write_list(path, text);
	assert_true(asprintf(&words, "@%s", path) > 0);
	assert_null(load_words(words, &faults));
	assert_true(asprintf(&expected, "%s:2: outbound-forbidden-words: \"00000000000000000000...\" is too long "
		"(hint: at most 255 bytes)\n%s:3: not UTF-8 (hint: save as UTF-8)\n", path, path) > 0);
	assert_string_equal(faults, expected);
	free(expected);
	free(faults);
	free(words);
	unlink(path);
}

/* --- the image --- */

static void an_image_is_the_same(void **state)
{
	(void)state;
	char *faults;
	struct conf *conf = load_words("one, two", &faults);
	free(faults);
	int image = conf_seal(conf);
	assert_true(image >= 0);
	assert_int_equal(write(image, "x", 1), -1);
	for (unsigned i = 0; i < 2; i++) {     /* its offset does not matter */
		struct conf *again = conf_unseal(image);
		assert_non_null(again);
		assert_string_equal(again->audit, conf->audit);
		assert_int_equal(again->peer_count, conf->peer_count);
		assert_memory_equal(again->peers, conf->peers, conf->peer_count * sizeof(*conf->peers));
		assert_memory_equal(again->profiles, conf->profiles, conf->profile_count * sizeof(*conf->profiles));
		assert_memory_equal(again->tls, conf->tls, conf->tls_count * sizeof(*conf->tls));
		assert_int_equal(again->texts_bytes, conf->texts_bytes);
		assert_memory_equal(again->texts, conf->texts, conf->texts_bytes);
		assert_ptr_not_equal(again->peers, conf->peers);
		conf_free(again);
	}
	close(image);
	conf_free(conf);
}

/* Cut anywhere, or not one at all. */
static void what_is_no_image_is_refused(void **state)
{
	(void)state;
	struct conf *conf = load_good();
	int image = conf_seal(conf);
	struct stat st;
	assert_int_equal(fstat(image, &st), 0);
	char *bytes = malloc((size_t)st.st_size);
	assert_int_equal(pread(image, bytes, (size_t)st.st_size, 0), st.st_size);
	for (off_t size = 0; size < st.st_size; size += 1 + st.st_size / 97) {
		int cut = memfd_create("cut", MFD_CLOEXEC);
		assert_int_equal(write(cut, bytes, (size_t)size), size);
		assert_null(conf_unseal(cut));
		close(cut);
	}
	assert_null(conf_unseal(-1));
	free(bytes);
	close(image);
	conf_free(conf);
}

static void lines_that_iniparser_would_cut_are_faults(void **state)
{
	(void)state;
	for (unsigned n = 990; n < 1100; n++) {
		char *text, *faults, value[1200];
		memset(value, 'x', n);
		value[n] = 0;
		assert_true(asprintf(&text, "%s[profile long]\noutbound-forbidden-words = a,%s\n", good, value) > 0);
		assert_null(load(text, strlen(text), &faults)); /* a word of more than 127 bytes at the least */
		assert_non_null(strstr(faults, "etc/test.conf:36: "));
		free(text);
		free(faults);
	}
	char *faults;
	assert_null(load("[guard]\nname = x\0y\n", 19, &faults));
	assert_non_null(strstr(faults, "etc/test.conf:2: a NUL byte (hint: save as UTF-8)\n"));
	free(faults);
}

static void a_file_that_is_not_there_is_a_fault(void **state)
{
	(void)state;
	char *faults;
	size_t size;
	FILE *out = open_memstream(&faults, &size);
	assert_null(conf_load("/nonexistent/x.conf", "x.conf", out));
	assert_null(conf_load("/", "/", out));
	fclose(out);
	assert_non_null(strstr(faults, "x.conf:1: cannot be opened: No such file or directory (hint: -c FILE)\n"));
	free(faults);
}

static void files_that_it_names_are_checked(void **state)
{
	(void)state;
	char folder[] = "/tmp/conf-test-XXXXXX", path[64], *faults;
	assert_non_null(mkdtemp(folder));
	struct conf *conf = load_good();
	size_t size;
	snprintf(path, sizeof(path), "%s/key", folder);
	FILE *key = fopen(path, "w");
	fclose(key);
	chmod(path, 0644);
	snprintf(conf->wire[WIRE_INSIDE].ca_key, PATH_MAX, "%s", path);
	snprintf(conf->wire[WIRE_OUTSIDE].trust, PATH_MAX, "%s", path);
	snprintf(conf->wire[WIRE_OUTSIDE].ca_certificate, PATH_MAX, "%s", folder);
	FILE *out = open_memstream(&faults, &size);
	assert_true(conf_check_files(conf, "x.conf", out) < 0);
	fclose(out);
	static const char *const expected[] = {"x.conf:4: audit: folder etc: No such file or directory (hint: mkdir etc)\n",
		"x.conf:13: trust: etc/in/trust.pem: No such file or directory (hint: ", "x.conf:15: ca-key: ",
		"can be read by everybody (hint: chmod 600)\n", "x.conf:19: ca-certificate: "};
	for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_non_null(strstr(faults, expected[i]));
	assert_null(strstr(faults, "x.conf:18:"));
	free(faults);
	conf_free(conf);
	unlink(path);
	rmdir(folder);
}

/* --- the file that is installed --- */

static char *read_text(const char *path)
{
	FILE *file = fopen(path, "r");
	if (!file)
		fail_msg("cannot open %s: run from the top of the source tree", path);
	static char text[65536];
	size_t n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = 0;
	fclose(file);
	return text;
}

static void the_installed_file_is_the_table(void **state)
{
	(void)state;
	char *printed;
	size_t size;
	FILE *out = open_memstream(&printed, &size);
	conf_print_keys(out);
	fclose(out);
	assert_string_equal(read_text("image/sallyport.conf"), printed);
	free(printed);
}

/* Its users are there only once it is installed: numbers take their place. */
static void the_installed_file_is_accepted(void **state)
{
	(void)state;
	char *text = read_text("image/sallyport.conf");
	static const char *const users[] = {" sallyport-dp\n", " sallyport-tls\n", " sallyport-key\n", " sallyport-ctl\n"};
	for (unsigned i = 0; i < 4; i++) {
		char *at = strstr(text, users[i]);
		assert_non_null(at);
		memset(at, ' ', strlen(users[i]) - 1);
		char number[8];
		snprintf(number, sizeof(number), "6420%u", i);
		memcpy(at + 1, number, 5);
	}
	char *faults;
	struct conf *conf = load(text, strlen(text), &faults);
	assert_string_equal(faults, "");
	assert_non_null(conf);
	assert_int_equal(conf->peer_count, 1);
	conf_free(conf);
	free(faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_file_is_read),
		cmocka_unit_test(scanners_are_read),
		cmocka_unit_test(rates_are_read),
		cmocka_unit_test(types_of_messages_are_read),
		cmocka_unit_test(a_peer_folds_messages_no_less_than_its_profile),
		cmocka_unit_test(hours_are_read),
		cmocka_unit_test(hours_that_cannot_be_are_faults),
		cmocka_unit_test(a_peer_has_hours_within_those_of_its_profile),
		cmocka_unit_test(pins_are_read),
		cmocka_unit_test(the_longest_match_governs),
		cmocka_unit_test(tls_profiles_are_built_in_or_made),
		cmocka_unit_test(weak_ciphers_are_refused),
		cmocka_unit_test(every_fault_is_named_with_its_line),
		cmocka_unit_test(all_faults_are_listed),
		cmocka_unit_test(groups_stand_for_their_members),
		cmocka_unit_test(users_that_cannot_be_are_faults),
		cmocka_unit_test(labels_and_their_files),
		cmocka_unit_test(a_peer_can_be_tighter_than_its_profile),
		cmocka_unit_test(a_peer_that_is_looser_is_a_fault),
		cmocka_unit_test(features_of_a_peer_stay_within_its_profile),
		cmocka_unit_test(many_peers_can_be_tighter),
		cmocka_unit_test(lists_stand_in_files_too),
		cmocka_unit_test(faults_in_a_list_have_its_lines),
		cmocka_unit_test(an_image_is_the_same),
		cmocka_unit_test(what_is_no_image_is_refused),
		cmocka_unit_test(lines_that_iniparser_would_cut_are_faults),
		cmocka_unit_test(a_file_that_is_not_there_is_a_fault),
		cmocka_unit_test(files_that_it_names_are_checked),
		cmocka_unit_test(the_installed_file_is_the_table),
		cmocka_unit_test(the_installed_file_is_accepted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
