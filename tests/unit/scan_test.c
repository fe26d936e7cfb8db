/* Stanzas that wait for a scanner, which the test plays at the other end of a socket pair. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/policy_load.h"
#include "tests/unit/session_harness.h"

#define EXTERNAL "<mechanisms xmlns='" NS_SASL "'><mechanism>EXTERNAL</mechanism></mechanisms>"
#define FEATURES "<stream:features>" EXTERNAL "</stream:features>"
#define FROM "from='u@a.example/r' id='1' to='v@b.example' type='chat'"
#define HEAD "<message " FROM ">"
#define END "</message>"
#define BOB(text) "<data cid='c' xmlns='urn:xmpp:bob'>" text "</data>"
#define BOB_OUT(text) "<data xmlns='urn:xmpp:bob' cid='c'>" text "</data>"
#define BODY HEAD "<body>after</body>" END
#define HELLO "aGVsbG8="
#define REFUSED(type, condition, rule)                                                                              \
	"<message from='v@b.example' id='1' to='u@a.example/r' type='error'><error type='" type "'><" condition     \
	" xmlns='" NS_STANZAS "'/><text xmlns='" NS_STANZAS "'>not allowed by policy: " rule "</text></error></message>"
#define FAILED(rule) REFUSED("wait", "resource-constraint", rule)
#define FOUND REFUSED("modify", "policy-violation", "scan.found")
#define EICAR "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

enum { CALLS_MAX = 32, QUESTION_BYTES = 1 << 20 };

struct bench {
	struct stage stage;
	unsigned asked; /* for connections, so far */
	bool deaf;      /* sallyportd cannot be asked */
};

static int connect_asked(void *owner)
{
	struct bench *b = owner;
	b->asked++;
	return b->deaf ? -EAGAIN : 0;
}

static void configure(struct bench *b, enum conf_binaries action, unsigned max_bytes)
{
	struct control *control = b->stage.control;
	struct conf *conf = (struct conf *)control->conf;
	conf->scanner.kind = SCANNER_CLAMD;
	for (unsigned d = 0; d < DIRECTIONS; d++) {
		conf->profiles[0].binaries[d].action = action;
		conf->profiles[0].binaries[d].max_bytes = max_bytes;
	}
	policy_free((struct policy *)control->policy);
	control->policy = policy_load(conf, NULL);
	assert_non_null(control->policy);
}

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	if (!b)
		return -1;
	stage_init(&b->stage);
	configure(b, BINARIES_SCAN, 100000);
	b->stage.control->scans.connect = connect_asked;
	b->stage.control->scans.owner = b;
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;
	stage_fini(&b->stage);
	free(b);
	return 0;
}

static void run(struct bench *b)
{
	scans_run(b->stage.control);
	stage_turn(&b->stage);
}

/* A connection to the scanner: our end of it, which is the scanner's. */
static int connected(struct bench *b)
{
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	scans_connected(b->stage.control, pair[0]);
	run(b);
	return pair[1];
}

static void answer(struct bench *b, int scanner, const char *text, size_t len)
{
	assert_int_equal(write(scanner, text, len), len);
	run(b);
}

static void hang_up(struct bench *b, int scanner)
{
	close(scanner);
	run(b);
}

/* What clamd is asked to look at; it has to be whole. */
static size_t question(int scanner, uint8_t *bytes)
{
	uint8_t *all = malloc(QUESTION_BYTES);
	size_t len = 0, n = 0;
	for (ssize_t got; (got = read(scanner, all + len, QUESTION_BYTES - len)) > 0;)
		len += (size_t)got;
	assert_true(len >= 14);
	assert_memory_equal(all, "zINSTREAM", 10);
	size_t at = 10, piece;
	while ((piece = (size_t)all[at] << 24 | (size_t)all[at + 1] << 16 | (size_t)all[at + 2] << 8 | all[at + 3])) {
		assert_true(at + 4 + piece + 4 <= len);
		memcpy(bytes + n, all + at + 4, piece);
		n += piece;
		at += 4 + piece;
	}
	assert_int_equal(at + 4, len);
	free(all);
	return n;
}

#define OK "stream: OK"
#define VIRUS "stream: Test.Virus FOUND"

/* Looks for the test file, as a scanner would. */
static void scan(struct bench *b)
{
	static uint8_t bytes[QUESTION_BYTES];
	int scanner = connected(b);
	size_t n = question(scanner, bytes);
	bool bad = memmem(bytes, n, EICAR, strlen(EICAR)) != NULL;
	answer(b, scanner, bad ? VIRUS : OK, bad ? sizeof(VIRUS) : sizeof(OK));
	hang_up(b, scanner);
}

static void opened(struct bench *b, uint64_t conn)
{
	stage_external(&b->stage, conn, WIRE_INSIDE, "a.example", "b.example", FEATURES, true);
}

static void expect_counts(struct bench *b, enum control_counter id, unsigned times)
{
	assert_int_equal(stage_count(&b->stage, id), times);
	assert_int_equal(b->stage.control->scans.count, 0);
}

/* --- order --- */

static void what_comes_after_it_waits(void **state)
{
	struct bench *b = *state;
	struct stage *s = &b->stage;
	uint8_t bytes[100];
	opened(b, 1);
	opened(b, 2);
	stage_say(s, 1, SIDE_CLIENT, BODY HEAD BOB(HELLO) END BODY HEAD BOB(HELLO) END BODY);
	stage_expect(s, 1, SIDE_SERVER, BODY);
	stage_expect_nothing(s, 1);
	stage_say(s, 2, SIDE_CLIENT, BODY); /* of another connection does not */
	stage_expect(s, 2, SIDE_SERVER, BODY);
	assert_int_equal(b->asked, 1);
	int scanner = connected(b);
	assert_int_equal(question(scanner, bytes), 5);
	assert_memory_equal(bytes, "hello", 5);
	stage_expect_nothing(s, 1);
	answer(b, scanner, OK, sizeof(OK));
	close(scanner);
	stage_expect(s, 1, SIDE_SERVER, HEAD BOB_OUT(HELLO) END BODY);
	stage_expect_nothing(s, 1);
	scan(b);
	stage_expect(s, 1, SIDE_SERVER, HEAD BOB_OUT(HELLO) END BODY);
	expect_counts(b, COUNT_SCANS_CLEAN, 2);
}

static void what_was_found_is_refused(void **state)
{
	struct bench *b = *state;
	struct stage *s = &b->stage;
	opened(b, 1);
	stage_say(s, 1, SIDE_CLIENT, HEAD BOB(HELLO) END BODY);
	int scanner = connected(b);
	answer(b, scanner, "stream: Evil\"\n\x80.Name FOUND", sizeof("stream: Evil\"\n\x80.Name FOUND"));
	close(scanner);
	stage_expect(s, 1, SIDE_CLIENT, FOUND);
	stage_expect(s, 1, SIDE_SERVER, BODY);
	stage_expect_audit(s, "\"alert\":\"malware\"");
	stage_expect_audit(s, "\"rule\":\"scan.found\",\"reason\":\"the scanner found Evil???.Name\"");
	expect_counts(b, COUNT_SCANS_FOUND, 1);
}

static void all_binaries_of_a_stanza_are_scanned(void **state)
{
	struct bench *b = *state;
	struct stage *s = &b->stage;
	opened(b, 1);
	for (unsigned bad = 0; bad < 3; bad++) {
		stage_say(s, 1, SIDE_CLIENT, HEAD BOB(HELLO) BOB("") BOB("aGk=") END);
		for (unsigned i = 0; i < 2; i++) {
			int scanner = connected(b);
			answer(b, scanner, bad == i ? VIRUS : OK, bad == i ? sizeof(VIRUS) : sizeof(OK));
			close(scanner);
			if (bad == i)
				break;
		}
		if (bad < 2)
			stage_expect(s, 1, SIDE_CLIENT, FOUND);
		else
			stage_expect(s, 1, SIDE_SERVER, HEAD BOB_OUT(HELLO) "<data xmlns='urn:xmpp:bob' cid='c'/>"
				BOB_OUT("aGk=") END);
		stage_expect_nothing(s, 1);
	}
	assert_int_equal(b->asked, 5);
	expect_counts(b, COUNT_SCANS_CLEAN, 1);
}

/* The end of a connection comes after what waits. */
static void an_end_waits_too(void **state)
{
	struct bench *b = *state;
	struct stage *s = &b->stage;
	opened(b, 1);
	stage_say(s, 1, SIDE_CLIENT, HEAD BOB(HELLO) END "</stream:stream>");
	stage_tell(s, 1, SIDE_CLIENT, MSG_END_OF_STREAM);
	stage_expect_nothing(s, 1);
	assert_false(s->connection[1].side[SIDE_SERVER].ended);
	scan(b);
	stage_expect(s, 1, SIDE_SERVER, HEAD BOB_OUT(HELLO) END "</stream:stream>");
	assert_true(s->connection[1].side[SIDE_SERVER].ended);
}

static void a_sender_that_goes_on_has_no_credit(void **state)
{
	struct bench *b = *state;
	struct stage *s = &b->stage;
	size_t len = strlen(BODY);
	opened(b, 1);
	stage_say(s, 1, SIDE_CLIENT, HEAD BOB(HELLO) END);
	uint64_t credited = s->connection[1].side[SIDE_CLIENT].credited;
	for (size_t said = 0; said + len + 1000 < CHANNEL_WINDOW - strlen(HEAD BOB(HELLO) END) - 20000; said += len)
		stage_say(s, 1, SIDE_CLIENT, BODY);
	assert_int_equal(s->connection[1].side[SIDE_CLIENT].credited, credited);
	scan(b);
	assert_true(s->connection[1].side[SIDE_CLIENT].credited > credited);
}

/* --- when the scanner does not do its part --- */

static void unclear_answers_refuse(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *refused;
	} rows[] = {
#define ROW(text, refused) {text, sizeof(text) - 1, refused}
		ROW("", FAILED("scan.unavailable")), ROW("stream: OK", FAILED("scan.unclear")),
		ROW("stream: OK\0x", FAILED("scan.unclear")), ROW("stream: ok\0", FAILED("scan.unclear")),
		ROW(" stream: OK\0", FAILED("scan.unclear")), ROW("stream: OK FOUND ERROR\0", FAILED("scan.unclear")),
		ROW("stream:  FOUND\0", FAILED("scan.unclear")), ROW("stream: FOUND\0", FAILED("scan.unclear")),
		ROW("INSTREAM size limit exceeded. ERROR\0", FAILED("scan.unclear")), ROW("\0", FAILED("scan.unclear")),
		ROW("UNKNOWN COMMAND\0", FAILED("scan.unclear")), ROW("stream: x FOUND\0", FOUND),
	};
	struct bench *b = *state;
	struct stage *s = &b->stage;
	opened(b, 1);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		stage_say(s, 1, SIDE_CLIENT, HEAD BOB(HELLO) END BODY);
		int scanner = connected(b);
		answer(b, scanner, rows[i].text, rows[i].len);
		hang_up(b, scanner);
		stage_expect(s, 1, SIDE_CLIENT, rows[i].refused);
		stage_expect(s, 1, SIDE_SERVER, BODY);
		stage_expect_nothing(s, 1);
	}
	stage_expect_audit(s, "\"alert\":\"scanner-failed\"");
	expect_counts(b, COUNT_SCANS_UNCLEAR, 10);
	expect_counts(b, COUNT_SCANS_UNAVAILABLE, 1);
}

static void endless_answers_refuse(void **state)
{
	struct bench *b = *state;
	static char much[SCAN_ANSWER_BYTES + 1];
	opened(b, 1);
	stage_say(&b->stage, 1, SIDE_CLIENT, HEAD BOB(HELLO) END);
	int scanner = connected(b);
	memset(much, 'x', sizeof(much));
	answer(b, scanner, much, sizeof(much));
	close(scanner);
	stage_expect(&b->stage, 1, SIDE_CLIENT, FAILED("scan.unclear"));
}

/* A binary of more than a socket takes: nobody has read the rest of it. */
static void who_did_not_read_it_all_does_not_know(void **state)
{
	struct bench *b = *state;
	struct stage *s = &b->stage;
	enum { BASE64 = 400000 };
	static const char head[] = HEAD "<data xmlns='urn:xmpp:bob' cid='c'>", end[] = "</data>" END;
	char *text = malloc(sizeof(head) + BASE64 + sizeof(end));
	assert_non_null(text);
	memcpy(text, head, sizeof(head) - 1);
	memset(text + sizeof(head) - 1, 'A', BASE64);
	memcpy(text + sizeof(head) - 1 + BASE64, end, sizeof(end));
	configure(b, BINARIES_SCAN, 1 << 20);
	opened(b, 1);
	for (unsigned dies = 0; dies < 2; dies++) {
		stage_say(s, 1, SIDE_CLIENT, text);
		int scanner = connected(b);
		if (!dies)
			answer(b, scanner, OK, sizeof(OK));
		hang_up(b, scanner);
		stage_expect(s, 1, SIDE_CLIENT, dies ? FAILED("scan.unavailable") : FAILED("scan.unclear"));
	}
	free(text);
}

static void who_is_late_refuses(void **state)
{
	struct bench *b = *state;
	struct stage *s = &b->stage;
	opened(b, 1);
	for (unsigned connects = 0; connects < 2; connects++) {
		stage_say(s, 1, SIDE_CLIENT, HEAD BOB(HELLO) END BODY);
		int scanner = connects ? connected(b) : -1;
		stage_wait(s, 14999);
		stage_expect_nothing(s, 1);
		stage_wait(s, 1);
		stage_expect(s, 1, SIDE_CLIENT, FAILED("scan.late"));
		stage_expect(s, 1, SIDE_SERVER, BODY);
		if (connects)
			hang_up(b, scanner);
	}
	expect_counts(b, COUNT_SCANS_LATE, 2);
	/* a connection that comes when nobody wants it any more */
	int scanner = connected(b);
	char byte;
	assert_int_equal(read(scanner, &byte, 1), 0);
	close(scanner);
}

static void who_cannot_be_reached_refuses(void **state)
{
	struct bench *b = *state;
	struct stage *s = &b->stage;
	opened(b, 1);
	stage_say(s, 1, SIDE_CLIENT, HEAD BOB(HELLO) END BODY);
	scans_unconnected(s->control);
	stage_turn(s);
	stage_expect(s, 1, SIDE_CLIENT, FAILED("scan.unavailable"));
	stage_expect(s, 1, SIDE_SERVER, BODY);
	b->deaf = true;
	stage_say(s, 1, SIDE_CLIENT, HEAD BOB(HELLO) END BODY);
	stage_expect(s, 1, SIDE_CLIENT, FAILED("scan.unavailable"));
	stage_expect(s, 1, SIDE_SERVER, BODY);
	expect_counts(b, COUNT_SCANS_UNAVAILABLE, 2);
	scans_unconnected(s->control); /* nobody waits */
}

static void there_are_so_many_at_once(void **state)
{
	struct bench *b = *state;
	struct stage *s = &b->stage;
	((struct conf *)s->control->conf)->max_scans = 1;
	opened(b, 1);
	opened(b, 2);
	stage_say(s, 1, SIDE_CLIENT, HEAD BOB(HELLO) END);
	stage_say(s, 2, SIDE_CLIENT, HEAD BOB(HELLO) END BODY);
	stage_expect(s, 2, SIDE_CLIENT, FAILED("scan.full"));
	stage_expect(s, 2, SIDE_SERVER, BODY);
	scan(b);
	stage_expect(s, 1, SIDE_SERVER, HEAD BOB_OUT(HELLO) END);
	stage_say(s, 2, SIDE_CLIENT, HEAD BOB(HELLO) END);
	scan(b);
	stage_expect(s, 2, SIDE_SERVER, HEAD BOB_OUT(HELLO) END);
	expect_counts(b, COUNT_SCANS_FULL, 1);
}

/* Its sender hears of it another way. */
static void a_session_may_end_before(void **state)
{
	struct bench *b = *state;
	struct stage *s = &b->stage;
	opened(b, 1);
	opened(b, 2);
	stage_say(s, 1, SIDE_CLIENT, HEAD BOB(HELLO) END BODY);
	int scanner = connected(b);
	stage_close(s, 1);
	stage_expect(s, 2, SIDE_CLIENT, FAILED("scan.unfinished"));
	stage_expect_audit(s, "\"rule\":\"scan.unfinished\"");
	hang_up(b, scanner);
	expect_counts(b, COUNT_SCANS_UNFINISHED, 1);

	stage_say(s, 2, SIDE_CLIENT, HEAD BOB(HELLO) END);
	scanner = connected(b);
	stage_tell(s, 2, SIDE_SERVER, MSG_RESET);
	answer(b, scanner, OK, sizeof(OK)); /* there is nobody to pass it on to */
	close(scanner);
	stage_close(s, 2);
	expect_counts(b, COUNT_SCANS_UNFINISHED, 2);
}

/* It was judged by the policy that held when it came; what comes after it is judged by the one that holds then. */
static void a_policy_may_change_meanwhile(void **state)
{
	struct bench *b = *state;
	struct stage *s = &b->stage;
	opened(b, 1);
	stage_say(s, 1, SIDE_CLIENT, HEAD BOB(HELLO) BOB("aGk=") END HEAD BOB(HELLO) END);
	configure(b, BINARIES_REFUSE, 1);
	scan(b);
	scan(b);
	stage_expect(s, 1, SIDE_SERVER, HEAD BOB_OUT(HELLO) BOB_OUT("aGk=") END);
	stage_expect(s, 1, SIDE_CLIENT, REFUSED("modify", "policy-violation", "binary.forbidden"));
	stage_expect_nothing(s, 1);
}

#define BIDI "<bidi xmlns='" NS_BIDI_FEATURE "'/>"
#define BACK "<message from='v@b.example' id='1' to='u@a.example/r' type='chat'>"

/* Each side has its own order. */
static void both_sides_may_wait(void **state)
{
	struct bench *b = *state;
	struct stage *s = &b->stage;
	stage_external(s, 1, WIRE_INSIDE, "a.example", "b.example",
		"<stream:features>" EXTERNAL BIDI "</stream:features>", true);
	stage_say(s, 1, SIDE_CLIENT, HEAD BOB(HELLO) END BODY);
	stage_say(s, 1, SIDE_SERVER, BACK "<body>back</body>" END);
	stage_expect(s, 1, SIDE_CLIENT, BACK "<body>back</body>" END);
	stage_say(s, 1, SIDE_SERVER, BACK BOB(HELLO) END);
	stage_expect_nothing(s, 1);
	int first = connected(b), second = connected(b);
	answer(b, second, OK, sizeof(OK));
	stage_expect(s, 1, SIDE_CLIENT, BACK BOB_OUT(HELLO) END);
	stage_expect_nothing(s, 1);
	answer(b, first, OK, sizeof(OK));
	stage_expect(s, 1, SIDE_SERVER, HEAD BOB_OUT(HELLO) END BODY);
	close(first);
	close(second);
	stage_say(s, 1, SIDE_CLIENT, HEAD BOB(HELLO) END);
	stage_say(s, 1, SIDE_SERVER, BACK BOB(HELLO) END);
	stage_close(s, 1);
	expect_counts(b, COUNT_SCANS_UNFINISHED, 2);
}

/* --- transfers --- */

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Up to three bytes. */
static void encode(const char *bytes, size_t len, char *out)
{
	uint32_t bits = 0;
	for (size_t i = 0; i < 3; i++)
		bits = bits << 8 | (i < len ? (uint8_t)bytes[i] : 0);
	for (size_t i = 0; i < 4; i++)
		out[i] = i <= len ? base64_digits[bits >> (18 - 6 * i) & 63] : '=';
	out[4] = '\0';
}

static char *chunk(const char *sid, unsigned seq, const char *bytes, size_t len)
{
	char base64[64] = "", *text;
	for (size_t i = 0; i < len; i += 3)
		encode(bytes + i, len - i < 3 ? len - i : 3, base64 + strlen(base64));
	assert_true(asprintf(&text, "<message " FROM "><data xmlns='" NS_IBB "' seq='%u' sid='%s'%s%s%s</message>", seq, sid,
			    len ? ">" : "/>", base64, len ? "</data>" : "") > 0);
	return text;
}

/* What becomes of a chunk; the scanner is asked if `scanned`. NULL: it passes. */
static void say_chunk(struct bench *b, const char *sid, unsigned seq, const char *bytes, size_t len, bool scanned,
	const char *refused)
{
	char *text = chunk(sid, seq, bytes, len);
	stage_say(&b->stage, 1, SIDE_CLIENT, text);
	if (scanned)
		scan(b);
	stage_expect(&b->stage, 1, refused ? SIDE_CLIENT : SIDE_SERVER, refused ? refused : text);
	stage_expect_nothing(&b->stage, 1);
	free(text);
}

#define SEQUENCE REFUSED("modify", "policy-violation", "transfer.sequence")

/* The one that completes it does not pass, and none after it. */
static void a_transfer_is_scanned_as_a_whole(void **state)
{
	struct bench *b = *state;
	size_t len = strlen(EICAR), size = len / 19;
	opened(b, 1);
	for (unsigned seq = 0; seq < 20; seq++) {
		size_t at = seq * size, n = seq == 19 ? len - at : size;
		say_chunk(b, "x", seq, &EICAR[at], n, true, seq == 19 ? FOUND : NULL);
	}
	say_chunk(b, "x", 20, "more", 4, false, SEQUENCE);
	say_chunk(b, "x", 19, "a", 1, false, SEQUENCE);
	say_chunk(b, "y", 0, "good", 4, true, NULL);
	say_chunk(b, "y", 1, "", 0, true, NULL);
	say_chunk(b, "y", 3, "late", 4, false, SEQUENCE);
	say_chunk(b, "y", 2, "late", 4, false, SEQUENCE);
	assert_int_equal(b->stage.control->scans.transfers.count, 0);
}

#define OPEN(attributes) "<message " FROM "><open " attributes " sid='x' xmlns='" NS_IBB "'/></message>"
#define CLOSE "<message " FROM "><close xmlns='" NS_IBB "' sid='x'/></message>"

static void a_transfer_ends(void **state)
{
	struct bench *b = *state;
	struct stage *s = &b->stage;
	opened(b, 1);
	say_chunk(b, "x", 0, EICAR, 20, true, NULL);
	stage_say(s, 1, SIDE_CLIENT, CLOSE);
	stage_expect(s, 1, SIDE_SERVER, CLOSE);
	say_chunk(b, "x", 1, &EICAR[20], 20, false, SEQUENCE);
	say_chunk(b, "x", 0, &EICAR[20], 20, true, NULL);
	stage_wait(s, TRANSFER_MS - 1);
	say_chunk(b, "x", 1, "", 0, true, NULL);
	stage_wait(s, TRANSFER_MS);
	assert_int_equal(s->control->scans.transfers.count, 0);
	say_chunk(b, "x", 2, "", 0, false, SEQUENCE);
	assert_int_equal(s->control->scans.transfers.bytes, 0);
}

static void a_transfer_has_bounds(void **state)
{
	struct bench *b = *state;
	struct stage *s = &b->stage;
	char sid[16];
	configure(b, BINARIES_PASS, 30);
	opened(b, 1);
	say_chunk(b, "x", 0, EICAR, 30, false, NULL);
	say_chunk(b, "x", 1, "x", 1, false, REFUSED("modify", "policy-violation", "binary.too-large"));
	say_chunk(b, "x", 2, "x", 1, false, SEQUENCE);
	for (unsigned i = 0; i < TRANSFERS_MAX; i++) {
		snprintf(sid, sizeof(sid), "s%u", i);
		say_chunk(b, sid, 0, "x", 1, false, NULL);
	}
	say_chunk(b, "one more", 0, "x", 1, false, FAILED("transfer.full"));
	assert_int_equal(b->asked, 0);
	assert_int_equal(s->control->scans.transfers.count, TRANSFERS_MAX);
}

static void a_chunk_says_where_it_belongs(void **state)
{
	static const char *const attributes[] = {"", "sid='x'", "seq='0'", "sid='' seq='0'", "sid='x' seq=''",
		"sid='x' seq='-1'", "sid='x' seq='+0'", "sid='x' seq='65536'", "sid='x' seq='000000'", "sid='x' seq='0x0'",
		"sid='x&#10;' seq='0'"};
	struct bench *b = *state;
	char text[300];
	opened(b, 1);
	for (unsigned i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		snprintf(text, sizeof(text), HEAD "<data xmlns='" NS_IBB "' %s>" HELLO "</data>" END, attributes[i]);
		stage_say(&b->stage, 1, SIDE_CLIENT, text);
		stage_expect(&b->stage, 1, SIDE_CLIENT, REFUSED("modify", "policy-violation", "transfer.malformed"));
	}
	expect_counts(b, COUNT_TRANSFERS_REFUSED, sizeof(attributes) / sizeof(attributes[0]));
}

/* A chunk that could not be scanned ends its transfer. */
static void a_transfer_that_was_not_scanned_is_over(void **state)
{
	struct bench *b = *state;
	opened(b, 1);
	say_chunk(b, "x", 0, "x", 1, true, NULL);
	b->deaf = true;
	say_chunk(b, "x", 1, "x", 1, false, FAILED("scan.unavailable"));
	b->deaf = false;
	say_chunk(b, "x", 2, "x", 1, false, SEQUENCE);
}

/* --- ICAP --- */

static void icap_is_asked_as_rfc_3507_says(void **state)
{
	static const char expected[] = "RESPMOD icap://[2001:db8::1]:1344/av?x ICAP/1.0\r\nHost: [2001:db8::1]:1344\r\n"
		"Allow: 204\r\nConnection: close\r\nEncapsulated: req-hdr=0, res-hdr=61, res-body=%zu\r\n\r\n"
		"GET http://binary.invalid/ HTTP/1.1\r\nHost: binary.invalid\r\n\r\n"
		"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %u\r\n\r\n%s0\r\n\r\n";
	struct conf_scanner scanner = {.kind = SCANNER_ICAP, .address = {6, {0x20, 1, 0xd, 0xb8, [15] = 1}}, .port = 1344,
		.service = "av?x"};
	(void)state;
	for (unsigned len = 0; len < 12; len += 11) {
		struct buf out;
		char text[1000];
		buf_init(&out, 4096);
		assert_int_equal(scan_icap.ask(&out, &scanner, (const uint8_t *)"hello world", len), 0);
		int n = snprintf(text, sizeof(text), expected, (size_t)(len ? 140 : 139), len, len ? "b\r\nhello world\r\n" : "");
		assert_int_equal(buf_len(&out), n);
		assert_memory_equal(buf_head(&out), text, n);
		buf_fini(&out);
	}
}

static void icap_answers(void **state)
{
	static const struct {
		const char *text;
		enum scan_answer answer, ended;
		const char *name;
	} rows[] = {
		{"", SCAN_WAITING, SCAN_UNCLEAR, ""},
		{"ICAP/1.0 204 No Content\r\nISTag: x\r\n", SCAN_WAITING, SCAN_UNCLEAR, ""},
		{"ICAP/1.0 204 No Content\r\nISTag: x\r\n\r\n", SCAN_CLEAN, SCAN_CLEAN, ""},
		{"ICAP/1.0 200 OK\r\nX-Infection-Found: Type=0; Resolution=2; Threat=Eicar;\r\n\r\n", SCAN_FOUND, SCAN_FOUND,
			"Eicar"},
		{"ICAP/1.0 204 Odd\r\nx-infection-found: Type=0; Resolution=2; Threat=Eicar\r\n\r\n", SCAN_FOUND, SCAN_FOUND,
			"Eicar"},
		{"ICAP/1.0 200 OK\r\nX-Virus-ID: Two Words\r\nA: b\r\n\r\n", SCAN_FOUND, SCAN_FOUND, "Two Words"},
		{"ICAP/1.0 200 OK\r\nISTag: x\r\n\r\n", SCAN_WAITING, SCAN_UNCLEAR, ""},
		{"ICAP/1.0 200 OK\r\nISTag: x\r\n\r\nHTTP/1.1 403 Forbidden\r\n", SCAN_FOUND, SCAN_FOUND,
			"something that it does not name"},
		{"ICAP/1.0 200 OK\r\nISTag: x\r\n\r\nHTTP/1.1 200 OK\r\n", SCAN_UNCLEAR, SCAN_UNCLEAR, ""},
		{"ICAP/1.0 2040 Odd\r\n\r\n", SCAN_UNCLEAR, SCAN_UNCLEAR, ""},
		{"ICAP/1.0 404 No Service\r\n\r\n", SCAN_UNCLEAR, SCAN_UNCLEAR, ""},
		{"ICAP/1.0 500 Error\r\n\r\n", SCAN_UNCLEAR, SCAN_UNCLEAR, ""},
		{"HTTP/1.1 204 No Content\r\n\r\n", SCAN_UNCLEAR, SCAN_UNCLEAR, ""},
		{"\r\n\r\n", SCAN_UNCLEAR, SCAN_UNCLEAR, ""},
	};
	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (unsigned ended = 0; ended < 2; ended++) {
			char name[SCAN_NAME_BYTES] = "", *text = strdup(rows[i].text);
			enum scan_answer got = scan_icap.read(text, strlen(text), ended, name);
			if (got != (ended ? rows[i].ended : rows[i].answer))
				print_error("%s\n", rows[i].text);
			assert_int_equal(got, ended ? rows[i].ended : rows[i].answer);
			if (got == SCAN_FOUND)
				assert_string_equal(name, rows[i].name);
			free(text);
		}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_comes_after_it_waits),
		TEST(what_was_found_is_refused),
		TEST(all_binaries_of_a_stanza_are_scanned),
		TEST(an_end_waits_too),
		TEST(a_sender_that_goes_on_has_no_credit),
		TEST(unclear_answers_refuse),
		TEST(endless_answers_refuse),
		TEST(who_did_not_read_it_all_does_not_know),
		TEST(who_is_late_refuses),
		TEST(who_cannot_be_reached_refuses),
		TEST(there_are_so_many_at_once),
		TEST(a_session_may_end_before),
		TEST(a_policy_may_change_meanwhile),
		TEST(both_sides_may_wait),
		TEST(a_transfer_is_scanned_as_a_whole),
		TEST(a_transfer_ends),
		TEST(a_transfer_has_bounds),
		TEST(a_chunk_says_where_it_belongs),
		TEST(a_transfer_that_was_not_scanned_is_over),
		cmocka_unit_test(icap_is_asked_as_rfc_3507_says),
		cmocka_unit_test(icap_answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
