/* Direct TLS in control: what a ClientHello may ask for, when the client is named, and who is told what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/session_harness.h"

#define XML "<?xml version='1.0'?>"
#define EXTERNAL "<mechanisms xmlns='" NS_SASL "'><mechanism>EXTERNAL</mechanism></mechanisms>"
#define DIALBACK "<dialback xmlns='" NS_DIALBACK_FEATURE "'><errors/></dialback>"
#define BIDI "<bidi xmlns='" NS_BIDI_FEATURE "'/>"
#define STARTTLS "<starttls xmlns='" NS_TLS "'/>"
#define FEATURES(...) "<stream:features>" __VA_ARGS__ "</stream:features>"
#define ERROR(condition) "<stream:error><" condition " xmlns='" NS_STREAM_ERRORS "'/></stream:error></stream:stream>"
#define MESSAGE(from, to) "<message from='" from "' id='m1' to='" to "' type='chat'><body>hello</body></message>"

static int set_up(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));
	if (!s)
		return -1;
	stage_init(s);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	stage_fini(*state);
	free(*state);
	return 0;
}

static void expect_ended(const struct stage *s, uint64_t conn)
{
	for (enum conn_side side = SIDE_CLIENT; side < SIDES; side++) {
		assert_true(s->connection[conn].side[side].ended);
		assert_false(s->connection[conn].side[side].reset);
	}
}

static void expect_reset(const struct stage *s, uint64_t conn)
{
	for (enum conn_side side = SIDE_CLIENT; side < SIDES; side++)
		assert_true(s->connection[conn].side[side].reset);
}

/* The client is told this error, after a header; the server nothing but the end. */
static void expect_told(struct stage *s, uint64_t conn, const char *condition)
{
	char end[256];
	snprintf(end, sizeof(end), ERROR("%s"), condition);
	struct buf *heard = &s->connection[conn].side[SIDE_CLIENT].heard;
	if (buf_len(heard) < strlen(end) || memcmp(buf_head(heard), XML "<stream:stream ", 36) ||
		memcmp(buf_head(heard) + buf_len(heard) - strlen(end), end, strlen(end)))
		fail_msg("told: %.*s", (int)buf_len(heard), (const char *)buf_head(heard));
	stage_expect(s, conn, SIDE_SERVER, "");
	expect_ended(s, conn);
}

static void begin(struct stage *s, uint64_t conn, bool certificate)
{
	stage_open(s, conn, WIRE_OUTSIDE);
	stage_hello(s, conn, "a.example", HELLO_ALPN_XMPP);
	assert_int_equal(s->connection[conn].start_tls, 1);
	stage_ready(s, conn, certificate);
}

/* --- as it should be --- */

static void converse(struct stage *s)
{
	stage_direct(s, 1, WIRE_OUTSIDE, "b.example", "a.example", true);
	assert_int_equal(s->connection[1].tls.direct, 1);
	assert_string_equal(s->connection[1].tls.client_name, "");
	assert_string_equal(s->connection[1].tls.server_name, "a.example");
	assert_int_equal(s->connection[1].name.level, AUTH_STRONG);
	stage_say(s, 1, SIDE_SERVER, FEATURES(STARTTLS EXTERNAL));
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(EXTERNAL BIDI));     /* XEP-0368 3: no STARTTLS inside */
	stage_say(s, 1, SIDE_CLIENT, "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'>=</auth>");
	stage_expect(s, 1, SIDE_SERVER, "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'>=</auth>");
	stage_say(s, 1, SIDE_SERVER, "<success xmlns='" NS_SASL "'/>");
	stage_expect(s, 1, SIDE_CLIENT, "<success xmlns='" NS_SASL "'/>");
	stage_say(s, 1, SIDE_CLIENT, XML ID DB " from='b.example' to='a.example' version='1.0'>");
	stage_expect(s, 1, SIDE_SERVER, XML ID DB " from='b.example' to='a.example' version='1.0'>");
	stage_say(s, 1, SIDE_SERVER, XML ID DB " from='a.example' id='3' version='1.0'>" FEATURES());
	stage_expect(s, 1, SIDE_CLIENT, XML ID DB " from='a.example' id='3' version='1.0'><stream:features/>");
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("u@b.example/x", "v@a.example"));
	stage_expect(s, 1, SIDE_SERVER, MESSAGE("u@b.example/x", "v@a.example"));
	assert_int_equal(s->connection[1].start_tls, 1);
	assert_int_equal(s->connection[1].named, 1);
	assert_int_equal(stage_count(s, COUNT_SESSIONS_SECURED), 1);
	assert_int_equal(stage_count(s, COUNT_SESSIONS_DIRECT), 1);
	stage_close(s, 1);
	stage_expect_audit(s, "\"tls_by\":\"direct\"");
}

static void external_then_stanzas(void **state)
{
	converse(*state);
}

static void everything_byte_by_byte(void **state)
{
	struct stage *s = *state;
	s->in_pieces = true;
	converse(s);
}

static void dialback_without_a_certificate(void **state)
{
	struct stage *s = *state;
	stage_direct(s, 1, WIRE_OUTSIDE, "d.example", "a.example", false);
	assert_int_equal(s->connection[1].name.level, AUTH_TLS_DIALBACK);
	stage_say(s, 1, SIDE_SERVER, FEATURES(EXTERNAL DIALBACK));
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(DIALBACK BIDI));
	stage_say(s, 1, SIDE_CLIENT, "<db:result from='d.example' to='a.example'>key</db:result>");
	stage_expect(s, 1, SIDE_SERVER, "<db:result from='d.example' to='a.example'>key</db:result>");
	stage_say(s, 1, SIDE_SERVER, "<db:result from='a.example' to='d.example' type='valid'/>");
	stage_expect(s, 1, SIDE_CLIENT, "<db:result from='a.example' to='d.example' type='valid'/>");
	stage_say(s, 1, SIDE_CLIENT, MESSAGE("u@d.example/x", "v@a.example"));
	stage_expect(s, 1, SIDE_SERVER, MESSAGE("u@d.example/x", "v@a.example"));
}

/* It is the peer's: of one that is dialled it is known from the beginning, of one that dials not before its header, so that
 * the weakest of all peers' counts until then. */
static void the_level_of_the_first_handshake(void **state)
{
	static const struct {
		enum wire client_wire;
		const char *server;
		enum auth_level level;
	} rows[] = {
		{WIRE_INSIDE, "b.example", AUTH_STRONG},
		{WIRE_INSIDE, "d.example", AUTH_TLS_DIALBACK},
		{WIRE_INSIDE, "e.example", AUTH_NONE},
		{WIRE_OUTSIDE, "a.example", AUTH_NONE},
	};
	struct stage *s = *state;
	for (unsigned i = 0; i < 4; i++) {
		stage_open(s, i + 1, rows[i].client_wire);
		stage_hello(s, i + 1, rows[i].server, HELLO_ALPN_XMPP);
		assert_int_equal(s->connection[i + 1].tls.level, rows[i].level);
	}
}

/* What comes with the header waits for the server's answer. */
static void the_client_may_send_ahead(void **state)
{
	struct stage *s = *state;
	begin(s, 1, true);
	stage_say(s, 1, SIDE_CLIENT, ID " from='b.example' to='a.example' version='1.0'>"
		MESSAGE("u@b.example", "v@a.example"));
	assert_int_equal(s->connection[1].named, 1);
	stage_expect_nothing(s, 1);
	stage_secured(s, 1, SIDE_CLIENT, "b.example", "a.example");
	stage_secured(s, 1, SIDE_SERVER, "a.example", "b.example");
	stage_expect(s, 1, SIDE_SERVER, XML ID " from='b.example' to='a.example' version='1.0'>");
	stage_say(s, 1, SIDE_SERVER, ID " from='a.example' id='1' version='1.0'>" FEATURES(EXTERNAL));
	expect_ended(s, 1);                    /* it was a stanza, before authentication */
	assert_int_equal(stage_count(s, COUNT_FAULT_UNAUTHENTICATED), 1);
}

/* --- the ClientHello --- */

static void hellos_refused(void **state)
{
	struct stage *s = *state;
	static const struct {
		const char *server_name;
		enum hello_alpn alpn;
		enum wire wire;
		const char *why;
	} cases[] = {
		{"", HELLO_ALPN_XMPP, WIRE_OUTSIDE, "direct TLS without a server name (SNI)"},
		{"a.example", HELLO_ALPN_OTHER, WIRE_OUTSIDE, "for another protocol than xmpp-server (ALPN)"},
		{"u@a.example", HELLO_ALPN_NONE, WIRE_OUTSIDE, "with a server name (SNI) that is no domain"},
		{"a.example/x", HELLO_ALPN_NONE, WIRE_OUTSIDE, "with a server name (SNI) that is no domain"},
		{"b.example", HELLO_ALPN_NONE, WIRE_OUTSIDE, "asked for a domain that may not be spoken to"},
		{"evil.example", HELLO_ALPN_NONE, WIRE_INSIDE, "asked for a domain that may not be spoken to"},
		{"a.example", HELLO_ALPN_NONE, WIRE_INSIDE, "asked for a domain that may not be spoken to"},
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		stage_open(s, i + 1, cases[i].wire);
		stage_hello(s, i + 1, cases[i].server_name, cases[i].alpn);
		stage_expect_nothing(s, i + 1);
		expect_ended(s, i + 1);
		assert_int_equal(s->connection[i + 1].start_tls, 0);
		stage_expect_audit(s, cases[i].why);
		assert_int_equal(stage_count(s, COUNT_SESSIONS_REFUSED), i + 1);
		assert_int_equal(stage_count(s, COUNT_ALERTS), i + 1);
		stage_close(s, i + 1);
	}
	stage_expect_audit(s, "\"alert\":\"peering-refused\"");
}

static void hellos_are_for_names_in_any_case(void **state)
{
	struct stage *s = *state;
	stage_open(s, 1, WIRE_INSIDE);
	stage_hello(s, 1, "B.Example", HELLO_ALPN_NONE);
	assert_string_equal(s->connection[1].tls.server_name, "b.example");
	stage_ready(s, 1, true);
	stage_say(s, 1, SIDE_CLIENT, ID " from='A.example' to='b.EXAMPLE' version='1.0'>");
	assert_string_equal(s->connection[1].name.client_name, "a.example");
}

static void a_hello_that_is_none(void **state)
{
	struct stage *s = *state;
	stage_open(s, 1, WIRE_OUTSIDE);
	stage_tls_failed(s, 1, SIDE_CLIENT, TLS_FAILED_HANDSHAKE, "length mismatch");
	expect_ended(s, 1);
	stage_expect_nothing(s, 1);
	stage_expect_audit(s, "TLS with client failed, handshake: length mismatch");
}

static void injection_by_the_server(void **state)
{
	struct stage *s = *state;
	stage_open(s, 1, WIRE_OUTSIDE);
	stage_hello(s, 1, "a.example", HELLO_ALPN_XMPP);
	stage_say(s, 1, SIDE_SERVER, ID " from='a.example' id='1' version='1.0'>");
	expect_reset(s, 1);
	stage_expect_audit(s, "\"alert\":\"starttls-injection\"");
	stage_open(s, 2, WIRE_OUTSIDE);
	stage_say(s, 2, SIDE_SERVER, "x");
	expect_reset(s, 2);
	stage_hello(s, 2, "a.example", HELLO_ALPN_XMPP);       /* it was on its way */
	assert_int_equal(s->connection[2].start_tls, 0);
}

/* An IDN is an A-label in SNI, and may be a U-label in the header. */
static void international_names(void **state)
{
	struct stage *s = *state;
	stage_open(s, 1, WIRE_INSIDE);
	stage_hello(s, 1, "xn--bcher-kva.d.example", HELLO_ALPN_NONE);
	assert_string_equal(s->connection[1].tls.server_name, "xn--bcher-kva.d.example");
	stage_ready(s, 1, true);
	stage_say(s, 1, SIDE_CLIENT, ID " from='a.example' to='B\xc3\xbc" "cher.d.example' version='1.0'>");
	assert_int_equal(s->connection[1].named, 1);
	assert_string_equal(s->connection[1].name.client_name, "a.example");
}

static void the_server_ends_before_it_is_asked(void **state)
{
	struct stage *s = *state;
	stage_open(s, 1, WIRE_OUTSIDE);
	stage_tell(s, 1, SIDE_SERVER, MSG_END_OF_STREAM);
	stage_hello(s, 1, "a.example", HELLO_ALPN_XMPP);
	assert_int_equal(s->connection[1].start_tls, 0);
	expect_ended(s, 1);
}

/* --- the header --- */

static void headers_refused(void **state)
{
	struct stage *s = *state;
	static const struct {
		const char *header, *condition, *why;
		bool certificate;
	} cases[] = {
		{ID " to='a.example' version='1.0'>", "improper-addressing", "without a domain that it is from", true},
		{ID " from='b.example' version='1.0'>", "improper-addressing", "without a domain that it is for", true},
		{ID " from='b.example' to='sub.a.example' version='1.0'>", "host-unknown", "than its TLS did", true},
		{ID " from='evil.example' to='a.example' version='1.0'>", "policy-violation", "\"peering-refused\"", true},
		{ID " from='b.example' to='a.example' version='1.0'>", "not-authorized", "showed no certificate", false},
		{ID " from='b.example' to='a.example'>", "unsupported-version", "without version 1.0", true},
		{"<html>", "bad-format", "client: ", true},
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		begin(s, i + 1, cases[i].certificate);
		stage_say(s, i + 1, SIDE_CLIENT, cases[i].header);
		expect_told(s, i + 1, cases[i].condition);
		assert_int_equal(s->connection[i + 1].named, 0);
		stage_close(s, i + 1);
		stage_expect_audit(s, cases[i].why);
	}
}

static void the_name_is_not_proved(void **state)
{
	struct stage *s = *state;
	static const struct {
		enum conn_side side;
		enum tls_failure failure;
		const char *condition;
	} cases[] = {
		{SIDE_CLIENT, TLS_FAILED_NAME, "not-authorized"},
		{SIDE_CLIENT, TLS_FAILED_NO_CERTIFICATE, "not-authorized"},
		{SIDE_CLIENT, TLS_FAILED_CERTIFICATE, "not-authorized"},
		{SIDE_CLIENT, TLS_FAILED_PIN, "not-authorized"},
		{SIDE_CLIENT, TLS_FAILED_KEYD, "remote-connection-failed"},
		{SIDE_SERVER, TLS_FAILED_HANDSHAKE, "remote-connection-failed"},
		{SIDE_SERVER, TLS_FAILED_TIMEOUT, "remote-connection-failed"},
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		begin(s, i + 1, true);
		stage_say(s, i + 1, SIDE_CLIENT, ID " from='b.example' to='a.example' version='1.0'>");
		assert_int_equal(s->connection[i + 1].named, 1);
		stage_tls_failed(s, i + 1, cases[i].side, cases[i].failure, "the reason");
		expect_told(s, i + 1, cases[i].condition);
	}
	stage_expect_audit(s, "TLS with client failed, name: the reason");
}

static void a_client_that_is_silent(void **state)
{
	struct stage *s = *state;
	begin(s, 1, true);
	stage_tls_failed(s, 1, SIDE_CLIENT, TLS_FAILED_TIMEOUT, "the handshake took too long");
	expect_told(s, 1, "connection-timeout");
	begin(s, 2, true);                     /* should tls not notice */
	stage_wait(s, s->control->conf->negotiation_seconds * 1000);
	expect_told(s, 2, "connection-timeout");
	stage_open(s, 3, WIRE_OUTSIDE);
	stage_hello(s, 3, "a.example", HELLO_ALPN_NONE);
	stage_wait(s, s->control->conf->negotiation_seconds * 1000);
	expect_reset(s, 3);
	stage_expect_nothing(s, 3);
}

static void tls_to_somebody_else(void **state)
{
	struct stage *s = *state;
	for (unsigned conn = 1; conn <= 2; conn++) {
		begin(s, conn, true);
		stage_say(s, conn, SIDE_CLIENT, ID " from='b.example' to='a.example' version='1.0'>");
	}
	stage_secured(s, 1, SIDE_CLIENT, "d.example", "a.example");
	assert_int_equal(stage_count(s, COUNT_SESSIONS_SECURED), 0);
	stage_expect(s, 1, SIDE_SERVER, "");
	expect_reset(s, 1);
	stage_secured(s, 2, SIDE_CLIENT, "b.example", "a.example");
	stage_secured(s, 2, SIDE_SERVER, "d.example", "b.example");
	stage_expect(s, 2, SIDE_SERVER, "");
	expect_reset(s, 2);
}

static void starttls_inside(void **state)
{
	struct stage *s = *state;
	stage_direct(s, 1, WIRE_OUTSIDE, "b.example", "a.example", true);
	stage_say(s, 1, SIDE_SERVER, FEATURES(STARTTLS));
	stage_expect(s, 1, SIDE_CLIENT, FEATURES(BIDI));
	stage_say(s, 1, SIDE_CLIENT, STARTTLS);
	stage_expect(s, 1, SIDE_CLIENT, ERROR("policy-violation"));
	expect_ended(s, 1);
}

static void names_cannot_change_later(void **state)
{
	struct stage *s = *state;
	stage_direct(s, 1, WIRE_OUTSIDE, "b.example", "a.example", true);
	stage_say(s, 1, SIDE_SERVER, FEATURES(EXTERNAL));
	stage_say(s, 1, SIDE_CLIENT, "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'>=</auth>");
	stage_say(s, 1, SIDE_SERVER, "<success xmlns='" NS_SASL "'/>");
	stage_say(s, 1, SIDE_CLIENT, XML ID DB " from='d.example' to='a.example' version='1.0'>");
	assert_string_equal(stage_session(s, 1)->why, "other names after a restart");
}

static void either_side_ends_in_the_middle(void **state)
{
	struct stage *s = *state;
	begin(s, 1, true);
	stage_tell(s, 1, SIDE_CLIENT, MSG_END_OF_STREAM);
	assert_true(s->connection[1].side[SIDE_SERVER].ended);
	begin(s, 2, true);
	stage_say(s, 2, SIDE_CLIENT, ID " from='b.example' to='a.example' version='1.0'>");
	stage_tell(s, 2, SIDE_CLIENT, MSG_RESET);
	assert_true(s->connection[2].side[SIDE_SERVER].reset);
	stage_expect(s, 2, SIDE_SERVER, "");
	stage_secured(s, 2, SIDE_CLIENT, "b.example", "a.example");    /* it was on its way */
	assert_false(s->broken);
}

/* --- the contract --- */

static void expect_broken(struct stage *s)
{
	assert_true(s->broken);
	stage_fini(s);
	stage_init(s);
}

static void the_contract_is_kept(void **state)
{
	struct stage *s = *state;
	stage_open(s, 1, WIRE_OUTSIDE);
	stage_ready(s, 1, true);                               /* without a ClientHello */
	expect_broken(s);
	begin(s, 1, true);
	stage_hello(s, 1, "a.example", HELLO_ALPN_NONE);       /* a second one */
	expect_broken(s);
	begin(s, 1, true);
	stage_ready(s, 1, true);
	expect_broken(s);
	begin(s, 1, true);
	stage_secured(s, 1, SIDE_CLIENT, "b.example", "a.example");    /* nobody was named */
	expect_broken(s);
	stage_open(s, 1, WIRE_OUTSIDE);
	stage_say(s, 1, SIDE_CLIENT, "<");
	stage_hello(s, 1, "a.example", HELLO_ALPN_NONE);       /* after plaintext */
	expect_broken(s);
	stage_open(s, 1, WIRE_OUTSIDE);
	stage_say(s, 1, SIDE_CLIENT, "<");
	stage_tls_failed(s, 1, SIDE_CLIENT, TLS_FAILED_HANDSHAKE, "x");
	expect_broken(s);
	stage_open(s, 1, WIRE_OUTSIDE);
	stage_hello(s, 1, "a.example", HELLO_ALPNS);
	expect_broken(s);
	stage_open(s, 1, WIRE_OUTSIDE);
	stage_hello(s, 1, "a.example", HELLO_ALPN_NONE);
	stage_secured(s, 1, SIDE_CLIENT, "b.example", "a.example");
	expect_broken(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(external_then_stanzas, set_up, tear_down),
		cmocka_unit_test_setup_teardown(everything_byte_by_byte, set_up, tear_down),
		cmocka_unit_test_setup_teardown(dialback_without_a_certificate, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_level_of_the_first_handshake, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_client_may_send_ahead, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hellos_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hellos_are_for_names_in_any_case, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_hello_that_is_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(injection_by_the_server, set_up, tear_down),
		cmocka_unit_test_setup_teardown(international_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_server_ends_before_it_is_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(headers_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_name_is_not_proved, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_client_that_is_silent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tls_to_somebody_else, set_up, tear_down),
		cmocka_unit_test_setup_teardown(starttls_inside, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_cannot_change_later, set_up, tear_down),
		cmocka_unit_test_setup_teardown(either_side_ends_in_the_middle, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_contract_is_kept, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
