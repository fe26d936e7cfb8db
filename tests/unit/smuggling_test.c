/*
 * The corpus of tests/smuggling on whole sessions, with policy and all: from both sides of the guard, whole and byte by
 * byte. What arrives is exactly what stands there, and nothing comes after what ended a stream.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/session_harness.h"
#include "tests/unit/smuggling.h"
#include "tests/unit/xml_harness.h"

enum { ENTRIES_MIN = 200, BYTEWISE_MAX = 4096, CUT_MAX = 512 };

#define A "a.example"
#define B "b.example"
#define LATE "<presence from='%s' to='%s'/>"

#define BIDI "<stream:features><bidi xmlns='" NS_BIDI_FEATURE "'/></stream:features>"

struct play {
	enum wire wire;          /* that the client dials from */
	enum conn_side speaker;  /* the server, where bidi lets it speak */
	bool in_pieces;
	const char *from, *to; /* domains */
	unsigned faults;
};

static void forget(struct stage *s)
{
	for (unsigned side = 0; side < SIDES; side++)
		buf_drop(&s->connection[1].side[side].heard, buf_len(&s->connection[1].side[side].heard));
}

static bool same(const struct buf *heard, const char *what, size_t len)
{
	return buf_len(heard) == len && (!len || !memcmp(buf_head(heard), what, len));
}

static void complain(struct play *play, const struct smuggled *entry, const char *what, const struct buf *heard)
{
	play->faults++;
	print_error("%s, from %s%s: %s, heard: %.*s\n", entry->name, play->from, play->in_pieces ? ", in pieces" : "", what,
		(int)(buf_len(heard) < 2000 ? buf_len(heard) : 2000), (const char *)buf_head(heard));
}

/* The far side: what may arrive, and where the stream was open, its end. */
static void check_far(struct play *play, const struct smuggled *entry, const struct stage_side *far, bool open)
{
	static const char footer[] = "</stream:stream>";
	struct buf expected;
	buf_init(&expected, 16 << 20);
	assert_int_equal(buf_put(&expected, buf_head(&entry->arrives), buf_len(&entry->arrives)), 0);
	size_t len = buf_len(&expected), end = sizeof(footer) - 1;
	bool has_footer = len >= end && !memcmp(buf_head(&expected) + len - end, footer, end);
	if (*entry->condition && open && !has_footer)
		assert_int_equal(buf_put(&expected, footer, end), 0);
	if (!same(&far->heard, (const char *)buf_head(&expected), buf_len(&expected)))
		complain(play, entry, "the far side", &far->heard);
	else if (far->ended != (*entry->condition != '\0'))
		complain(play, entry, far->ended ? "its stream ended" : "its stream goes on", &far->heard);
	buf_fini(&expected);
}

static void check_near(struct play *play, const struct smuggled *entry, const struct stage_side *near)
{
	char error[256];
	snprintf(error, sizeof(error),
		"<stream:error><%s xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>",
		entry->condition);
	size_t len = strlen(error), heard = buf_len(&near->heard);
	bool told = heard >= len && !memcmp(buf_head(&near->heard) + heard - len, error, len);
	if (!told || !near->ended || (!entry->header && heard != len))
		complain(play, entry, "its sender", &near->heard);
}

/* Where the stream goes on, the next stanza arrives; what has no end does not, though the connection ends. */
static void check_after(struct play *play, const struct smuggled *entry, struct stage *s)
{
	struct stage_side *far = &s->connection[1].side[side_other(play->speaker)];
	char late[256] = "";
	forget(s);
	if (entry->goes_on) {
		snprintf(late, sizeof(late), LATE, play->from, play->to);
		stage_say(s, 1, play->speaker, late);
	} else if (!*entry->condition) {
		stage_tell(s, 1, play->speaker, MSG_END_OF_STREAM);
	}
	if (!same(&far->heard, late, strlen(late)) || far->ended == entry->goes_on)
		complain(play, entry, "after it", &far->heard);
}

static void play_entry(void *owner, const struct smuggled *entry)
{
	struct play *play = owner;
	struct stage s;
	if (play->in_pieces && buf_len(&entry->sent) > BYTEWISE_MAX)
		return;
	stage_init(&s);
	if (entry->header)
		stage_authenticated(&s, 1, play->wire, play->from, play->to, "<stream:features/>", false);
	else if (play->speaker == SIDE_SERVER)
		stage_external(&s, 1, play->wire, play->to, play->from, BIDI, true);
	else
		stage_external(&s, 1, play->wire, play->from, play->to, "<stream:features/>", false);
	forget(&s);
	s.in_pieces = play->in_pieces;
	stage_say_bytes(&s, 1, play->speaker, buf_head(&entry->sent), buf_len(&entry->sent));
	check_far(play, entry, &s.connection[1].side[side_other(play->speaker)], !entry->header || buf_len(&entry->arrives));
	if (*entry->condition)
		check_near(play, entry, &s.connection[1].side[play->speaker]);
	if (!entry->header)
		check_after(play, entry, &s);
	stage_fini(&s);
}

/* The very first bytes: to who speaks something else than XMPP nothing is said. */
static void play_first_header(void *owner, const struct smuggled *entry)
{
	struct play *play = owner;
	struct stage s;
	if (!entry->header)
		return;
	stage_init(&s);
	stage_open(&s, 1, play->wire);
	stage_say_bytes(&s, 1, SIDE_CLIENT, buf_head(&entry->sent), buf_len(&entry->sent));
	struct stage_side *near = &s.connection[1].side[SIDE_CLIENT], *far = &s.connection[1].side[SIDE_SERVER];
	if (strcmp(entry->condition, "bad-format")) {
		check_far(play, entry, far, buf_len(&entry->arrives));
		if (*entry->condition)
			check_near(play, entry, near);
	} else if (!near->reset || !far->reset || buf_len(&near->heard) || buf_len(&far->heard)) {
		complain(play, entry, "not reset", &near->heard);
	}
	stage_fini(&s);
}

static void first_headers(void **state)
{
	struct play play = {WIRE_OUTSIDE, SIDE_CLIENT, false, B, A, 0};
	(void)state;
	smuggling_each("bob@" B, "alice@" A, play_first_header, &play);
	assert_int_equal(play.faults, 0);
}

static void play_all(enum wire wire, bool in_pieces)
{
	struct play play = {wire, SIDE_CLIENT, in_pieces, wire == WIRE_INSIDE ? A : B, wire == WIRE_INSIDE ? B : A, 0};
	unsigned entries = smuggling_each(wire == WIRE_INSIDE ? "alice@" A : "bob@" B,
		wire == WIRE_INSIDE ? "bob@" B : "alice@" A, play_entry, &play);
	assert_true(entries >= ENTRIES_MIN);
	assert_int_equal(play.faults, 0);
}

static void from_inside(void **state)
{
	(void)state;
	play_all(WIRE_INSIDE, false);
}

static void from_outside(void **state)
{
	(void)state;
	play_all(WIRE_OUTSIDE, false);
}

/* A server has no header like a client's, and may say other elements at the top. */
static void play_server_entry(void *owner, const struct smuggled *entry)
{
	if (!entry->header && strncmp(entry->name, "stream_tags", strlen("stream_tags")))
		play_entry(owner, entry);
}

static void from_a_server(void **state)
{
	struct play play = {WIRE_INSIDE, SIDE_SERVER, false, B, A, 0};
	(void)state;
	smuggling_each("bob@" B, "alice@" A, play_server_entry, &play);
	assert_int_equal(play.faults, 0);
}

static void byte_by_byte(void **state)
{
	(void)state;
	play_all(WIRE_INSIDE, true);
}

/* --- the parser alone --- */

static void read_first(struct stream_log *log, struct buf *written, const struct smuggled *entry, size_t len)
{
	struct buf stream;
	buf_init(&stream, 4 << 20);
	buf_init(written, 4 << 20);
	if (!entry->header)
		assert_int_equal(buf_put(&stream, STREAM_HEADER, strlen(STREAM_HEADER)), 0);
	assert_int_equal(buf_put(&stream, buf_head(&entry->sent), len), 0);
	stream_log_init(log);
	log->quiet = true;
	log->written = written;
	if (buf_len(&stream))
		stream_read(log, buf_head(&stream), buf_len(&stream), 0);
	buf_fini(&stream);
}

/* The end of what is sent may come anywhere: nothing that comes out is less than an element, or another. */
static void cut_entry(void *owner, const struct smuggled *entry)
{
	unsigned *entries = owner;
	struct stream_log whole, cut;
	struct buf all, some;
	if (buf_len(&entry->sent) > CUT_MAX)
		return;
	++*entries;
	read_first(&whole, &all, entry, buf_len(&entry->sent));
	for (size_t len = 0; len < buf_len(&entry->sent); len++) {
		read_first(&cut, &some, entry, len);
		size_t n = buf_len(&some);
		if (cut.elements > whole.elements || (cut.elements == whole.elements) != (n == buf_len(&all)) ||
			(n && memcmp(buf_head(&some), buf_head(&all), n)))
			fail_msg("%s, cut after %zu bytes", entry->name, len);
		stream_log_fini(&cut);
		buf_fini(&some);
	}
	stream_log_fini(&whole);
	buf_fini(&all);
}

static void cut_anywhere(void **state)
{
	unsigned entries = 0;
	(void)state;
	smuggling_each("alice@" A, "bob@" B, cut_entry, &entries);
	assert_true(entries >= ENTRIES_MIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_headers),
		cmocka_unit_test(from_inside),
		cmocka_unit_test(from_outside),
		cmocka_unit_test(from_a_server),
		cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(cut_anywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
