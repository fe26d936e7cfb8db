/*
 * A session driven by bytes of both sides. The first byte says how far the connection has come when it begins; then
 * follow steps: one byte of what happens, one of how much, and the bytes that are said. Whatever happens, what each
 * side is told is a stream that our strict parser takes, and holds stanzas only if a pair of domains was
 * authenticated for them; and acknowledgements add up. In one of the beginnings there is a second connection, where a
 * dialback key was shown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/session_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FEATURES                                                                                        \
	"<stream:features><mechanisms xmlns='" NS_SASL "'><mechanism>EXTERNAL</mechanism></mechanisms>" \
	"<dialback xmlns='" NS_DIALBACK_FEATURE "'><errors/></dialback><bidi xmlns='" NS_BIDI_FEATURE   \
	"'/><sm xmlns='" NS_SM3 "'/></stream:features>"

enum { CONN = 1, OTHER = 2, ON_OTHER = 64 };

struct run {
	struct stage *stage;
	bool ended[SIDES], two;
	bool may[OTHER + 1][SIDES]; /* a pair was valid at some time for stanzas to this side */
};

/* --- what was told --- */

struct told {
	bool stanzas;
};

static enum xml_next on_header(void *owner, const struct xml_header *header)
{
	(void)owner, (void)header;
	return XML_GO_ON;
}

static enum xml_next on_element(void *owner, struct stanza *stanza)
{
	struct told *told = owner;
	const char *type = node_attribute(stanza->root, "type");
	bool refusal = type && (!strcmp(type, "error") || !strcmp(type, "unsubscribed"));
	if (!strcmp(stanza->root->ns, NS_SERVER) && !refusal)
		told->stanzas = true;
	arena_free(stanza->arena);
	return XML_GO_ON;
}

static enum xml_next on_footer(void *owner)
{
	(void)owner;
	return XML_GO_ON;
}

static void on_keepalive(void *owner, size_t bytes)
{
	(void)owner, (void)bytes;
}

static const struct xml_handlers handlers = {on_header, on_element, on_footer, on_keepalive};

/* What was told before the run began, up to the features, has been checked by the harness: a header stands for it. */
static void check_stream(const char *text, size_t len, struct told *told)
{
	static const char header[] = ID DB " from='a.example' version='1.0'>";
	struct xml_parser *parser = xml_parser_new(&handlers, told);
	if (!parser)
		abort();
	xml_parser_authenticated(parser, XML_STANZA_BYTES);
	bool begun = len < 5 || memcmp(text, "<?xml", 5);
	if (begun && xml_parser_feed(parser, (const uint8_t *)header, strlen(header)) != (long)strlen(header))
		abort();
	long n = xml_parser_feed(parser, (const uint8_t *)text, len);
	if (n != (long)len)
		abort();
	xml_parser_free(parser);
}

/* Each restart begins with an XML declaration, which stands nowhere else. */
static void check_told(struct stage *s, uint64_t conn, enum conn_side side, bool may)
{
	struct buf *heard = &s->connection[conn].side[side].heard;
	if (!buf_len(heard))
		return;
	const char *at = (const char *)buf_head(heard), *end = at + buf_len(heard);
	struct told told = {false};
	while (at < end) {
		const char *next = memmem(at + 1, (size_t)(end - at - 1), "<?xml", 5);
		next = next ? next : end;
		check_stream(at, (size_t)(next - at), &told);
		at = next;
	}
	if (told.stanzas && !may)
		abort();
	buf_drop(heard, buf_len(heard));
}

/* --- what happens --- */

static void begin_afresh(struct stage_connection *connection)
{
	memset(&connection->tls, 0, sizeof(connection->tls));
	connection->start_tls = connection->named = 0;
	for (unsigned side = 0; side < SIDES; side++) {
		struct buf heard = connection->side[side].heard;
		connection->side[side] = (struct stage_side){.heard = heard};
	}
}

/* One connection shows a key, on the other one it may be asked about. */
static void begin_two(struct run *run)
{
	struct stage *s = run->stage;
	run->two = true;
	stage_secure(s, OTHER, WIRE_INSIDE, "a.example", "d.example", "a.example", FEATURES);
	stage_say(s, OTHER, SIDE_CLIENT, "<db:result from='a.example' to='d.example'>k1</db:result>");
	stage_secure(s, CONN, WIRE_OUTSIDE, "d.example", "a.example", "d.example", FEATURES);
}

static void begin(struct run *run, uint8_t how)
{
	struct stage *s = run->stage;
	begin_afresh(&s->connection[CONN]);
	begin_afresh(&s->connection[OTHER]);
	s->miserly = false;
	switch (how % 7) {
	case 0:
		stage_open(s, CONN, WIRE_OUTSIDE);
		break;
	case 1:
		stage_secure(s, CONN, WIRE_OUTSIDE, "d.example", "a.example", "d.example", FEATURES);
		break;
	case 2:
		stage_external(s, CONN, WIRE_INSIDE, "a.example", "b.example", FEATURES, false);
		break;
	case 3:
		stage_external(s, CONN, WIRE_INSIDE, "a.example", "d.example", FEATURES, true);
		break;
	case 4:
		stage_open(s, CONN, WIRE_OUTSIDE);
		stage_hello(s, CONN, "a.example", HELLO_ALPN_XMPP);
		break;
	case 5:
		stage_direct(s, CONN, WIRE_OUTSIDE, "d.example", "a.example", true);
		break;
	case 6:
		begin_two(run);
		break;
	}
}

static void secure(struct run *run, enum conn_side side)
{
	const struct session *session = stage_session(run->stage, CONN);
	if (session->direct && session->state == SESSION_TLS_HANDSHAKE) {
		stage_ready(run->stage, CONN, side == SIDE_CLIENT);
		return;
	}
	if (session->state != (session->direct ? SESSION_TLS_NAMED : SESSION_TLS_HANDSHAKE) || session->stream[side].secured)
		return;
	const char *mine = side == SIDE_CLIENT ? session->client_name : session->server_name;
	const char *other = side == SIDE_CLIENT ? session->server_name : session->client_name;
	stage_secured(run->stage, CONN, side, mine, other);
}

static void step(struct run *run, uint8_t what, const uint8_t *bytes, size_t len)
{
	enum conn_side side = what & 1 ? SIDE_SERVER : SIDE_CLIENT;
	struct stage *s = run->stage;
	if (run->ended[side] && what % 16 < 6)
		return;
	switch (what % 16 / 2) {
	case 0:
	case 1:
		stage_say_bytes(s, run->two && what & ON_OTHER ? OTHER : CONN, side, bytes, len);
		break;
	case 2:
		stage_tell(s, CONN, side, what & 16 ? MSG_RESET : MSG_END_OF_STREAM);
		run->ended[side] = true;
		break;
	case 3:
		secure(run, side);
		break;
	case 4:
		s->miserly = side == SIDE_SERVER;
		stage_turn(s);
		break;
	default:
		stage_wait(s, len * 300);
	}
}

/* What is said to have been handled is what was sent, less what is not acknowledged. */
static void check_acks(struct acks *acks)
{
	uint32_t h, sent = acks_sent(acks);
	if (!acks_take(acks, sent, &h) || acks->outstanding || buf_len(&acks->runs) || acks_take(acks, sent + 1, &h))
		abort();
}

/* A pair may be taken back later. */
static void note_pairs(struct run *run, uint64_t conn)
{
	const struct session *session = stage_session(run->stage, conn);
	for (enum conn_side side = SIDE_CLIENT; side < SIDES; side++)
		run->may[conn][side] |= session_has_pair(session, side_other(side));
}

static void end_one(struct run *run, uint64_t conn)
{
	note_pairs(run, conn);
	for (enum conn_side side = SIDE_CLIENT; side < SIDES; side++)
		check_acks(&stage_session(run->stage, conn)->management.acks[side]);
	stage_close(run->stage, conn);
	for (enum conn_side side = SIDE_CLIENT; side < SIDES; side++)
		check_told(run->stage, conn, side, run->may[conn][side]);
}

static void end(struct run *run)
{
	struct stage *s = run->stage;
	s->miserly = false;
	stage_turn(s);
	end_one(run, CONN);
	if (run->two)
		end_one(run, OTHER);
	for (unsigned i = 0; i < KEY_BUCKETS; i++)
		if (s->control->keys.bucket[i])
			abort();
	if (s->broken || s->control->sessions.count)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct stage *stage;
	if (!stage) {
		stage = calloc(1, sizeof(*stage));
		stage_init_conf(stage, "starttls, mechanisms, dialback, bidi, limits, sm", "/dev/null");
	}
	struct run run = {.stage = stage};
	if (!size || size > 32 << 10)
		return 0;
	begin(&run, data[0]);
	for (size_t at = 1; at + 2 <= size;) {
		size_t len = data[at + 1] < size - at - 2 ? data[at + 1] : size - at - 2;
		step(&run, data[at], data + at + 2, len);
		note_pairs(&run, CONN);
		if (run.two)
			note_pairs(&run, OTHER);
		at += 2 + len;
	}
	end(&run);
	return 0;
}
