/* Cases: what is read of them, and what is refused with which line; whole, and from a pipe byte by byte. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/trial/cases.h"
#include "tests/unit/xml_harness.h"

#define BEGIN "<cases xmlns='urn:sallyport:cases:1'>\n"
#define END "</cases>\n"
#define OUT "<case direction='outbound'>"
#define IN "<case direction='inbound'>"
#define STANZA "<message xmlns='jabber:server' from='Alice@A.example/x' to='bob@b.example'><body>hi</body></message>"
#define TREE "(message{jabber:server} from='Alice@A.example/x' to='bob@b.example' (body \"hi\"))"

struct record {
	struct buf text;
	int answer;                    /* of the taker */
};

static void note(struct record *record, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void note(struct record *record, const char *format, ...)
{
	char line[1024];
	va_list arguments;
	va_start(arguments, format);
	int n = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	assert_in_range(n, 0, sizeof(line) - 1);
	assert_int_equal(buf_put(&record->text, line, (size_t)n), 0);
}

static int take(void *owner, struct test_case *one)
{
	struct record *record = owner;
	note(record, "%u \"%s\" %s %s>%s", one->line, one->name, one->direction == POLICY_INBOUND ? "in" : "out", one->from,
		one->to);
	if (one->minute_of_week != POLICY_MINUTE_UNKNOWN)
		note(record, " at %d", one->minute_of_week);
	if (one->expected.is_given)
		note(record, " %s", policy_action_name(one->expected.action));
	if (one->expected.rule)
		note(record, " %s", one->expected.rule);
	note(record, " ");
	tree_write(&record->text, one->stanza.root, "");
	if (one->expected.becomes) {
		note(record, " becomes ");
		tree_write(&record->text, one->expected.becomes, "");
	}
	note(record, "\n");
	/* What is in the arena may be changed. */
	assert_int_equal(node_add_text(one->stanza.arena, one->stanza.root, "more", 4), 0);
	assert_null(one->stanza.root->parent);
	assert_null(one->stanza.root->next);
	return record->answer;
}

static int file_of(const char *text, size_t len)
{
	int fd = memfd_create("cases", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static int read_cases(struct record *record, int fd)
{
	struct cases_fault fault;
	buf_init(&record->text, 1 << 20);
	int rc = cases_read(fd, take, record, &fault);
	if (rc < 0)
		note(record, "fault %u: %s\n", fault.line, fault.text);
	note(record, "%c", '\0');
	close(fd);
	return rc;
}

static const char *text_of(const struct record *record)
{
	return (const char *)buf_head(&record->text);
}

static const struct row {
	const char *file, *record;
} rows[] = {
	{BEGIN OUT STANZA "</case>" END, "2 \"\" out a.example>b.example " TREE "\n"},
	{"<?xml version='1.0' encoding='utf-8'?>\n" BEGIN "\n\n <case name='a word' direction='inbound' from='c.example'\n"
	 "to='D.EXAMPLE' expect='refused' rule='content.forbidden-words'>\n" STANZA "\n</case>\n"
	 OUT STANZA "</case>\n\n" END "\n \n",
		"5 \"a word\" in c.example>d.example refused content.forbidden-words " TREE "\n"
		"9 \"\" out a.example>b.example " TREE "\n"},
	{BEGIN "<case direction='outbound' expect='rewritten'>" STANZA
	 "<becomes>\n<message xmlns='jabber:server'/></becomes></case>" END,
		"2 \"\" out a.example>b.example rewritten " TREE " becomes (message{jabber:server})\n"},
	{"<c:cases xmlns:c='urn:sallyport:cases:1' xmlns='jabber:server'><c:case direction='outbound' expect='close'>"
	 "<iq to='@'/></c:case></c:cases>", "1 \"\" out > close (iq{jabber:server} to='@')\n"},
	{BEGIN END, ""},
	{BEGIN "<case direction='outbound' time='Tue 10:01'>" STANZA "</case>"
	 "<case direction='outbound' time='2026-11-23T16:24:26.123Z'>" STANZA "</case>" END,
		"2 \"\" out a.example>b.example at 2041 " TREE "\n2 \"\" out a.example>b.example at 1344 " TREE "\n"},
	{BEGIN "<case direction='outbound' time='Tue 24:01'>" STANZA "</case>",
		"fault 2: time=\"Tue 24:01\" (hint: Mon 09:30, by the zone of this machine, or 2026-01-31T12:00:00Z)\n"},
	{BEGIN "<case direction='outbound' time='2026-11-23T16:24:26'>" STANZA "</case>",
		"fault 2: time=\"2026-11-23T16:24:26\" (hint: Mon 09:30, by the zone of this machine, or 2026-01-31T12:00:00Z)\n"},
	{BEGIN OUT "<presence xmlns='jabber:server'/></case><case direction='inbound'>\n" STANZA "</case>" END,
		"2 \"\" out > (presence{jabber:server})\n2 \"\" in a.example>b.example " TREE "\n"},

	/* A file that was cut off: what is whole is there. */
	{"", "fault 1: there are no cases (hint: <cases xmlns='urn:sallyport:cases:1'>)\n"},
	{"<cases", "fault 1: there are no cases (hint: <cases xmlns='urn:sallyport:cases:1'>)\n"},
	{BEGIN OUT STANZA "</case>\n",
		"2 \"\" out a.example>b.example " TREE "\nfault 3: the file ends before the cases do (hint: </cases>)\n"},
	{BEGIN OUT STANZA "</case>\n" OUT "\n" STANZA "\n</cas",
		"2 \"\" out a.example>b.example " TREE
		"\nfault 5: the file ends within the case that begins in line 3 (hint: it was cut off)\n"},

	/* Faults. */
	{"<cases>", "fault 1: bad-format: not the root of such a document\n"},
	{"<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>",
		"fault 1: bad-format: not the root of such a document\n"},
	{"<cases xmlns='urn:sallyport:cases:1' version='2'>", "fault 1: bad-format: not the root of such a document\n"},
	{BEGIN "<!-- no -->", "fault 2: restricted-xml: comment, CDATA section or declaration at the top level\n"},
	{BEGIN "\n<case direction='outbound'>\n\n&x;</case>", "fault 5: restricted-xml: undefined entity\n"},
	{BEGIN OUT "\n" STANZA "\n</body>", "fault 4: not-well-formed: mismatched tag\n"},
	{BEGIN "text", "fault 2: bad-format: text between the elements of a stream\n"},
	{BEGIN END "more", "fault 3: not-well-formed: data after the end of the stream\n"},
	{BEGIN "\n<test/>", "fault 3: <test> in the place of a case (hint: <case direction='outbound'>)\n"},
	{BEGIN "<case xmlns='urn:x'/>", "fault 2: <case> in the place of a case (hint: <case direction='outbound'>)\n"},
	{BEGIN "<case>" STANZA "</case>",
		"fault 2: a case needs a direction (hint: direction='outbound' or 'inbound')\n"},
	{BEGIN "<case direction='out'>" STANZA "</case>", "fault 2: direction=\"out\" (hint: outbound or inbound)\n"},
	{BEGIN "\n<case\ndirection='outbound' expects='pass'>" STANZA "</case>",
		"fault 3: unknown attribute \"expects\" (hint: name, direction, from, to, expect, rule)\n"},
	{BEGIN "<case direction='outbound' xml:lang='en'>" STANZA "</case>",
		"fault 2: unknown attribute \"lang\" (hint: name, direction, from, to, expect, rule)\n"},
	{BEGIN "<case direction='outbound' expect='passed'>" STANZA "</case>",
		"fault 2: expect=\"passed\" (hint: pass, rewritten, refused, dropped or close)\n"},
	{BEGIN "<case direction='outbound' rule='x'>" STANZA "</case>",
		"fault 2: a rule without an action (hint: expect='refused')\n"},
	{BEGIN "<case direction='outbound' from='a@b.example'>" STANZA "</case>",
		"fault 2: \"a@b.example\" is not a domain (hint: from='a.example' to='b.example')\n"},
	{BEGIN "<case direction='outbound' to=''>" STANZA "</case>",
		"fault 2: \"\" is not a domain (hint: from='a.example' to='b.example')\n"},
	{BEGIN "<case direction='outbound'/>",
		"fault 2: a case without a stanza (hint: <message xmlns='jabber:server' ...>)\n"},
	{BEGIN "<case direction='outbound'><message/></case>",
		"fault 2: <message> is no stanza (hint: <message xmlns='jabber:server' ...>, presence or iq)\n"},
	{BEGIN OUT STANZA " x</case>", "fault 2: text between the elements (hint: only white space)\n"},
	{BEGIN OUT STANZA STANZA "</case>",
		"fault 2: <message> after the stanza (hint: <becomes> with a stanza in it)\n"},
	{BEGIN OUT STANZA "<becomes>" STANZA "</becomes></case>",
		"fault 2: <becomes> where nothing is rewritten (hint: expect='rewritten')\n"},
	{BEGIN "<case direction='outbound' expect='rewritten'>" STANZA "<becomes/></case>",
		"fault 2: <becomes> is empty (hint: a stanza in it)\n"},
	{BEGIN "<case direction='outbound' expect='rewritten'>" STANZA "<becomes>" STANZA STANZA "</becomes></case>",
		"fault 2: <message> is too much in <becomes> (hint: one stanza)\n"},
	{BEGIN "<case direction='outbound' expect='rewritten'>" STANZA "<becomes>" STANZA "</becomes>" STANZA "</case>",
		"fault 2: <message> is too much in <case> (hint: one stanza)\n"},
};

static void reads_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct record record = {0};
		int rc = read_cases(&record, file_of(rows[i].file, strlen(rows[i].file)));
		assert_string_equal(text_of(&record), rows[i].record);
		assert_int_equal(rc, strstr(rows[i].record, "the file ends") || strstr(rows[i].record, "no cases") ? -ENODATA
			: strstr(rows[i].record, "fault ") ? -EINVAL : 0);
		buf_fini(&record.text);
	}
}

/* A pipe gives what has been written: here one byte each time. */
static void reads_piece_by_piece(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct record record = {0};
		int ends[2], status;
		assert_int_equal(pipe2(ends, O_DIRECT), 0);
		pid_t pid = fork();
		if (!pid) {
			close(ends[0]);
			signal(SIGPIPE, SIG_DFL);
			for (const char *at = rows[i].file; *at; at++)
				if (write(ends[1], at, 1) != 1)
					_exit(1);
			_exit(0);
		}
		close(ends[1]);
		(void)!read_cases(&record, ends[0]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_string_equal(text_of(&record), rows[i].record);
		buf_fini(&record.text);
	}
}

/* Whatever the place at which a recording ends. */
static void reads_what_is_whole_of_a_file_cut_anywhere(void **state)
{
	static const char file[] = BEGIN OUT STANZA "</case>\n" IN STANZA "</case>" END;
	size_t first = strlen(BEGIN OUT STANZA "</case>");
	size_t second = first + strlen("\n" IN STANZA "</case>");
	(void)state;
	for (size_t len = 0; len < sizeof(file) - 2; len++) {
		struct record record = {0};
		assert_int_equal(read_cases(&record, file_of(file, len)), -ENODATA);
		assert_int_equal(strstr(text_of(&record), "2 \"\" out ") != NULL, len >= first);
		assert_int_equal(strstr(text_of(&record), "3 \"\" in ") != NULL, len >= second);
		buf_fini(&record.text);
	}
}

static void ends_when_it_is_told_to(void **state)
{
	static const char file[] = BEGIN OUT STANZA "</case>\n" IN STANZA "</case>";
	struct record record = {.answer = 7};
	(void)state;
	assert_int_equal(read_cases(&record, file_of(file, sizeof(file) - 1)), 7);
	assert_non_null(strstr(text_of(&record), "2 \"\" out "));
	assert_null(strstr(text_of(&record), "3 \"\" in "));
	buf_fini(&record.text);
}

/* The largest stanza that passes a guard fits, twice; more does not, and ends the file. */
static void takes_the_largest_stanzas(void **state)
{
	static const char head[] = BEGIN "<case direction='outbound' expect='rewritten'>";
	static const char open[] = "<message xmlns='jabber:server' from='a@a.example' to='b@b.example'><body>";
	static const char close_tags[] = "</body></message>";
	(void)state;
	for (unsigned over = 0; over < 2; over++) {
		size_t text = XML_STANZA_BYTES - strlen(open) - strlen(close_tags);
		struct record record = {0};
		struct buf file;
		buf_init(&file, 4 << 20);
		assert_int_equal(buf_printf(&file, "%s%*s", head, over ? XML_TAG_BYTES : 0, ""), 0);
		for (unsigned i = 0; i < 2; i++) {
			assert_int_equal(buf_printf(&file, "%s%s", i ? "<becomes>" : "", open), 0);
			memset(buf_reserve(&file, text), 'x', text);
			buf_commit(&file, text);
			assert_int_equal(buf_printf(&file, "%s", close_tags), 0);
		}
		assert_int_equal(buf_printf(&file, "</becomes></case></cases>"), 0);
		buf_init(&record.text, 4 << 20);
		struct cases_fault fault;
		int fd = file_of((const char *)buf_head(&file), buf_len(&file));
		int rc = cases_read(fd, take, &record, &fault);
		close(fd);
		assert_int_equal(rc, over ? -EINVAL : 0);
		if (over)
			assert_string_equal(fault.text, "policy-violation: element too large");
		buf_fini(&record.text);
		buf_fini(&file);
	}
}

static void tells_what_cannot_be_read(void **state)
{
	struct record record = {0};
	(void)state;
	assert_int_equal(read_cases(&record, open("/", O_RDONLY | O_CLOEXEC)), -EISDIR);
	assert_string_equal(text_of(&record), "fault 1: cannot be read: Is a directory\n");
	buf_fini(&record.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_whole),
		cmocka_unit_test(reads_piece_by_piece),
		cmocka_unit_test(reads_what_is_whole_of_a_file_cut_anywhere),
		cmocka_unit_test(ends_when_it_is_told_to),
		cmocka_unit_test(takes_the_largest_stanzas),
		cmocka_unit_test(tells_what_cannot_be_read),
	};
	setenv("TZ", "XST-6", 1);          /* six hours ahead of UTC */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
