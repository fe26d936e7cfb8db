/* Configurations that are checked, and cases tried on them: what is said of each, line by line. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/policy_load.h"
#include "control/trial/check.h"
#include "control/trial/tests.h"

static char folder[] = "/tmp/policy-trial-XXXXXX";
static char conf_path[64];

#define SIDE(side) "[" #side "]\ndevice = eth-" #side "\ntrust = pem\nca-certificate = pem\nca-key = pem\n"
#define BASE "[guard]\naudit = audit\n[users]\ndataplane = 70001\ntls = 70002\nkeyd = 70003\ncontrol = 70004\n" \
	SIDE(outside) SIDE(inside) "domains = a.example\n"    /* to line 18 */
#define OPEN "outbound-features = all\ninbound-features = all\noutbound-unknown = pass\ninbound-unknown = pass\n" \
	"outbound-presence = full\ninbound-presence = full\noutbound-binaries = pass\ninbound-binaries = pass\n"

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* Without the name of the file, which differs. */
static void shorten(char *text)
{
	for (char *at; (at = strstr(text, conf_path));)
		memmove(at, at + strlen(conf_path), strlen(at + strlen(conf_path)) + 1);
}

static struct conf *read_policy(const char *policy, char **said)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(said, &size);
	assert_non_null(out);
	assert_true(asprintf(&text, "%s%s", BASE, policy) > 0);
	write_file(conf_path, text);
	struct conf *conf = policy_read(conf_path, out);
	fclose(out);
	free(text);
	shorten(*said);
	return conf;
}

static void checks(void **state)
{
	static const struct {
		const char *policy;
		bool is_good;
		const char *said;
	} rows[] = {
		{"[profile default]\n[peer b.example]\nprofile = default\n", true, ""},
		{"[profile default]\n", true, ""},
		{"[profile default]\n[profile p]\n", false,
			":20: [profile p] is used nowhere (hint: profile = p in a [peer], or take it out)\n"},
		{"[profile default]\noutbound-features = basics\n", false,
			":19: features: unknown feature \"basics\" (hint: policy/README.md lists them)\n"},
		{"[profile default]\noutbound-forbidden-words = Top Secret, x, top, at the top of it, secretly\n", true,
			":19: warning: outbound-forbidden-words: \"at the top of it\" has no effect, since \"top\" is forbidden by "
			"itself (hint: take one of them out)\n"
			":19: warning: outbound-forbidden-words: \"top secret\" has no effect, since \"top\" is forbidden by "
			"itself (hint: take one of them out)\n"},
		{"[profile default]\ninbound-forbidden-words = Secret, a b c, \uff33ECRET, b  C\n", true,
			":19: warning: inbound-forbidden-words: \"a b c\" has no effect, since \"b c\" is forbidden by itself (hint: "
			"take one of them out)\n"
			":19: warning: inbound-forbidden-words: \"secret\" is there twice (hint: once)\n"},
		{"[profile default]\noutbound-on-match = redact\noutbound-forbidden-words = top secret, top\n", true, ""},
		{"[profile default]\noutbound-forbidden-words = top\n[peer b.example]\nprofile = default\n"
		 "outbound-forbidden-words = top secret\n", true, ""},
		{"[profile default]\n[peer b.example]\nprofile = default\ndirections = none\n", true,
			":20: warning: [peer b.example] has no effect: nothing passes without it either (hint: it is an exception "
			"from a wider peer, such as [peer *])\n"},
		{"[profile default]\n[peer b.example]\nprofile = default\ndirections = none\n[peer *.example]\nprofile = default\n",
			true, ""},
		{"[profile default]\n[peer *.b.example]\nprofile = default\ndirections = none\n[peer *]\nprofile = default\n", true,
			""},
		{"[profile default]\n[peer *]\nprofile = default\ndirections = none\n", true,
			":20: warning: [peer *] has no effect: nothing passes without it either (hint: it is an exception "
			"from a wider peer, such as [peer *])\n"},
		{"[profile default]\n[peer b.example]\nprofile = default\nauthentication = none\n", true,
			":20: warning: [peer b.example]: streams may be neither encrypted nor authenticated (hint: authentication = "
			"tls-dialback)\n"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *said;
		struct conf *conf = read_policy(rows[i].policy, &said);
		assert_string_equal(said, rows[i].said);
		assert_int_equal(conf != NULL, rows[i].is_good);
		conf_free(conf);
		free(said);
	}
}

#define BEGIN "<cases xmlns='urn:sallyport:cases:1'>\n"
#define END "</cases>"
#define BODY(peer, text) "<message xmlns='jabber:server' type='chat' from='alice@a.example' to='bob@" peer "'><body>" text \
	"</body></message></case>\n"
#define WORDS "[profile default]\n" OPEN "outbound-forbidden-words = secret\n[peer b.example]\nprofile = default\n"

static const struct tests_row {
	const char *policy, *cases, *said;
} tests_rows[] = {
	{WORDS, BEGIN "<case direction='outbound' expect='refused'>" BODY("b.example", "secret")
		"<case direction='outbound' expect='pass'>" BODY("b.example", "else") END, "2 cases, 0 failed\n"},
	{WORDS, BEGIN "<case direction='outbound' expect='pass' name='a&#10;&#9;&#x9b;\u00e9'>"
		BODY("b.example", "secret")
		"<case direction='outbound'>" BODY("b.example", "else")
		"<case direction='outbound' expect='refused' rule='content.secret'>" BODY("b.example", "secret") END,
		"f:2: case \"a???\u00e9\": expected pass, was refused (content.forbidden-words): "
		"the text holds a word that may not cross\n"
		"f:3: case: nothing is expected of it (hint: expect='pass')\n"
		"f:4: case: expected refused (content.secret), was refused (content.forbidden-words): the text holds a "
		"word that may not cross\n3 cases, 3 failed\n"},
	{WORDS, BEGIN "<case direction='outbound' expect='close' rule='peering.pair' from='c.example'>"
		BODY("b.example", "else") END,
		":19: outbound-forbidden-words of profile default: no case is judged by it\n1 cases, 0 failed\n"},
	{WORDS, BEGIN "<case direction='outbound' expect='refused'>" BODY("b.example", "secret") "<case", "f:3: the file ends "
		"within the case that begins in line 3 (hint: it was cut off)\n2 cases, 1 failed\n"},
	{WORDS, BEGIN END, ":19: outbound-forbidden-words of profile default: no case is judged by it\n0 cases, 0 failed\n"},
	/* What is folded, compared with what it has to become. */
	{"[profile default]\noutbound-presence = online\n[peer b.example]\nprofile = default\n",
		BEGIN "<case direction='outbound' expect='rewritten'><presence xmlns='jabber:server' from='a@a.example' "
		"to='b@b.example'><show>dnd</show></presence>\n<becomes><presence to='b@b.example' xmlns='jabber:server' "
		"from='a@a.example'></presence></becomes></case>\n"
		"<case direction='outbound' expect='rewritten'><presence xmlns='jabber:server' from='a@a.example' "
		"to='b@b.example'><show>dnd</show></presence>\n<becomes><presence xmlns='jabber:server'/></becomes></case>" END,
		"f:4: case: became <presence from='a@a.example' to='b@b.example'/>, expected <presence/>\n"
		":19: outbound-features of profile default: no case is judged by it\n"
		":19: inbound-features of profile default: no case is judged by it\n"
		":19: inbound-presence of profile default: no case is judged by it\n"
		"2 cases, 1 failed\n"},
	/* Rules of a peer's own; what a profile shares with its peers is tried with any of them. */
	{"[profile p]\n" OPEN "outbound-forbidden-words = secret\ninside-users = alice@a.example\n"
		"[peer b.example]\nprofile = p\n"
		"inbound-max-body = 5\noutbound-presence = none\n[peer c.example]\nprofile = p\n",
		BEGIN "<case direction='outbound' expect='refused'>" BODY("b.example", "secret") END,
		":19: inside-users of profile p: no case is judged by it\n"
		":30: outbound-presence of profile p: no case is judged by it\n"
		":30: inbound-max-body of profile p: no case is judged by it\n1 cases, 0 failed\n"},
	{"[profile p]\n" OPEN "inside-users = bert@a.example\n[peer c.example]\nprofile = p\n",
		BEGIN "<case direction='inbound' expect='refused' rule='peering.receiver'><message xmlns='jabber:server' "
		"from='a@c.example' to='a@a.example'/></case>" END, "1 cases, 0 failed\n"},
	/* Features have rules of several keys. */
	{"[profile p]\n" OPEN "outbound-require-encryption = yes\n[peer b.example]\nprofile = p\n",
		BEGIN "<case direction='outbound' expect='refused'>" BODY("b.example", "x") END, "1 cases, 0 failed\n"},
	{"[profile p]\ninbound-features = all\ninbound-unknown = pass\ninbound-presence = full\n"
		"outbound-require-encryption = yes\noutbound-presence = full\n[peer b.example]\nprofile = p\n",
		BEGIN "<case direction='outbound' expect='refused' rule='features.not-encrypted'>" BODY("b.example", "x") END,
		":19: outbound-features of profile p: no case is judged by it\n"
		":19: inbound-binaries of profile p: no case is judged by it\n1 cases, 0 failed\n"},
	/* Hours, of a week here and of a recording. */
	{"[profile p]\n" OPEN "outbound-hours = Mon-Fri 08:00-18:00\n[peer b.example]\nprofile = p\n",
		BEGIN "<case direction='outbound' time='Fri 17:59' expect='pass'>" BODY("b.example", "x")
		"<case direction='outbound' time='Fri 18:00' expect='refused' rule='hours.closed'>" BODY("b.example", "x")
		"<case direction='outbound' time='2026-11-23T12:00:00.123Z' expect='pass'>" BODY("b.example", "x")
		"<case direction='outbound' time='2026-11-22T12:00:00Z' expect='refused'>" BODY("b.example", "x")
		"<case direction='outbound' expect='refused' rule='hours.closed'>" BODY("b.example", "x")
		"<case direction='outbound' time='noon' expect='pass'>" BODY("b.example", "x") END,
		"f:7: time=\"noon\" (hint: Mon 09:30, by the zone of this machine, or 2026-01-31T12:00:00Z)\n6 cases, 1 failed\n"},
};

static void try_row(const struct tests_row *row)
{
	char *said, *told;
	size_t size;
	struct tests tests;
	struct conf *conf = read_policy(row->policy, &said);
	assert_string_equal(said, "");
	assert_non_null(conf);
	struct policy *policy = policy_load(conf, NULL);
	assert_non_null(policy);
	FILE *out = open_memstream(&told, &size);
	assert_int_equal(tests_init(&tests, conf, policy, out), 0);
	int fd = memfd_create("cases", MFD_CLOEXEC);
	assert_int_equal(write(fd, row->cases, strlen(row->cases)), strlen(row->cases));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	tests_run(&tests, fd, "f");
	coverage_report(&tests.coverage, "", out);
	tests_sum_up(&tests);
	fclose(out);
	assert_string_equal(told, row->said);
	close(fd);
	tests_fini(&tests);
	policy_free(policy);
	conf_free(conf);
	free(said);
	free(told);
}

static void tries(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(tests_rows) / sizeof(tests_rows[0]); i++)
		try_row(&tests_rows[i]);
}

static int make_folder(void **state)
{
	char path[80];
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(conf_path, sizeof(conf_path), "%s/conf", folder);
	snprintf(path, sizeof(path), "%s/pem", folder);
	write_file(path, "");
	setenv("TZ", "UTC", 1);
	return 0;
}

static int remove_folder(void **state)
{
	char path[80];
	(void)state;
	snprintf(path, sizeof(path), "%s/pem", folder);
	unlink(path);
	unlink(conf_path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks),
		cmocka_unit_test(tries),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
