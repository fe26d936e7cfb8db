/* A control process without the process; see session_harness.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/pace.h"
#include "control/policy_load.h"
#include "tests/unit/session_harness.h"

/* What stage_secured() says that the certificate of everybody is. */
#define PIN "0102030000000000000000000000000000000000000000000000000000000000"

static const char configuration[] = "[guard]\nname = t\nports = 5269\naudit = %s\nfeatures = %s\n"
				    "[users]\ndataplane = 64101\ntls = 64102\nkeyd = 64103\ncontrol = 64104\n"
				    "[inside]\ndevice = eth1\ndomains = a.example, sub.a.example\n"
				    "trust = t\nca-certificate = c\nca-key = k\n"
				    "[outside]\ndevice = eth2\ntrust = t\nca-certificate = c\nca-key = k\n"
				    "[profile p]\noutbound-features = all\ninbound-features = all\n"
				    "outbound-unknown = pass\ninbound-unknown = pass\noutbound-presence = online\ninbound-presence = show\n"
				    "outbound-forbidden-words = budget\ninbound-forbidden-words = malware\n"
				    "[peer b.example]\nprofile = p\nauthentication = strong\n"
				    "[peer d.example]\nprofile = p\nauthentication = tls-dialback\n"
				    "[peer *.d.example]\nprofile = p\nauthentication = tls-dialback\n"
				    "[peer pin.d.example]\nprofile = p\nauthentication = tls-dialback\npin = certificate:" PIN "\n"
				    "[peer other-pin.d.example]\nprofile = p\nauthentication = tls-dialback\npin = key:" PIN "\n"
				    "[peer e.example]\nprofile = p\nauthentication = none\n";

static struct conf *load(const char *features, const char *audit)
{
	char text[4096], path[64], *faults = NULL;
	size_t size;
	int fd = memfd_create("conf", MFD_CLOEXEC);
	assert_true(fd >= 0);
	int n = snprintf(text, sizeof(text), configuration, audit, features);
	assert_int_equal(write(fd, text, (size_t)n), n);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	FILE *out = open_memstream(&faults, &size);
	assert_non_null(out);
	struct conf *conf = conf_load(path, "test.conf", out);
	fclose(out);
	if (!conf)
		fail_msg("%s", faults);
	free(faults);
	close(fd);
	return conf;
}

void stage_init_conf(struct stage *s, const char *features, const char *audit)
{
	struct control *control = calloc(1, sizeof(*control));
	assert_non_null(control);
	*s = (struct stage){.control = control, .connection = calloc(STAGE_CONNECTIONS, sizeof(*s->connection))};
	assert_non_null(s->connection);
	snprintf(s->audit, sizeof(s->audit), "%s", audit ? audit : "/tmp/session_test.XXXXXX");
	if (!audit) {
		int fd = mkstemp(s->audit);
		assert_true(fd >= 0);
		close(fd);
	}
	struct conf *conf = load(features, s->audit);
	control->conf = conf;
	control->policy = policy_load(conf, NULL);
	assert_non_null(control->policy);
	assert_int_equal(audit_open(&control->audit, s->audit, (struct proc_lane){0, 1}), 0);
	assert_int_equal(record_open(&control->record, "", 0), 0);
	control->channel = player_start(&s->player, CHANNEL_UPPER);
	int fd = counters_create();
	assert_true(fd >= 0);
	control->counters = counters_open(fd, control_counter_names, COUNTS);
	assert_non_null(control->counters);
	close(fd);
	control->now_ms = 1000000;
	control->wall_ms = 1700000000123;
	for (unsigned i = 0; i < STAGE_CONNECTIONS; i++)
		for (unsigned side = 0; side < SIDES; side++)
			buf_init(&s->connection[i].side[side].heard, 64 << 20);
}

void stage_init(struct stage *s)
{
	stage_init_conf(s, "starttls, mechanisms, dialback, bidi, limits, sm", NULL);
}

void stage_fini(struct stage *s)
{
	struct control *control = s->control;
	sessions_fini(control);
	refusals_fini(&control->refusals);
	scans_fini(&control->scans);
	rates_fini(&control->rates);
	presences_fini(&control->presences);
	audit_close(&control->audit);
	channel_free(control->channel);
	player_fini(&s->player);
	policy_free((struct policy *)control->policy);
	conf_free((struct conf *)control->conf);
	munmap(control->counters, sizeof(struct counters));
	free(control);
	for (unsigned i = 0; i < STAGE_CONNECTIONS; i++)
		for (unsigned side = 0; side < SIDES; side++)
			buf_fini(&s->connection[i].side[side].heard);
	free(s->connection);
	if (!strncmp(s->audit, "/tmp/", 5))
		unlink(s->audit);
}

/* --- hearing --- */

static void hear_one(struct stage *s, const struct channel_msg *msg, const uint8_t *payload)
{
	assert_true(msg->conn < STAGE_CONNECTIONS);
	struct stage_connection *connection = &s->connection[msg->conn];
	struct stage_side *side = &connection->side[msg->side];
	struct msg_credit credit;
	assert_false(side->reset && msg->type != MSG_CREDIT);
	switch (msg->type) {
	case MSG_BYTES:
		assert_false(side->ended);
		assert_int_equal(buf_put(&side->heard, payload, msg->length), 0);
		side->unpaid += msg->length;
		assert_true(side->unpaid <= CHANNEL_WINDOW);
		break;
	case MSG_END_OF_STREAM:
		assert_false(side->ended);
		side->ended = true;
		break;
	case MSG_RESET:
		side->reset = true;
		break;
	case MSG_CREDIT:
		memcpy(&credit, payload, sizeof(credit));
		side->credited += credit.bytes;
		break;
	case MSG_START_TLS:
		connection->start_tls++;
		memcpy(&connection->tls, payload, sizeof(connection->tls));
		break;
	case MSG_DIAL:
		connection->dialled++;
		connection->dialled_side = (enum conn_side)msg->side;
		memcpy(&connection->dial, payload, sizeof(connection->dial));
		break;
	case MSG_NAME_CLIENT:
		connection->named++;
		memcpy(&connection->name, payload, sizeof(connection->name));
		break;
	default:
		fail_msg("control said %s", msg_type_name(msg->type));
	}
}

static bool pay(struct stage *s)
{
	bool paid = false;
	for (unsigned conn = 0; conn < STAGE_CONNECTIONS && !s->miserly; conn++)
		for (enum conn_side side = SIDE_CLIENT; side < SIDES; side++) {
			uint64_t bytes = s->connection[conn].side[side].unpaid;
			if (!bytes || s->connection[conn].side[side].reset || !stage_session(s, conn))
				continue;
			stage_credit(s, conn, side, (uint32_t)bytes);
			paid = true;
		}
	return paid;
}

void stage_turn(struct stage *s)
{
	struct channel_receiver receiver = sessions_receiver(s->control);
	uint8_t *payload = malloc(CHANNEL_PAYLOAD_MAX);
	struct channel_msg msg;
	assert_non_null(payload);
	do {
		int handled;
		do {
			handled = channel_dispatch(s->control->channel, &receiver, 1000);
		} while (handled > 0);
		s->broken = handled < 0;
		channel_flush(s->control->channel);
		while (player_hear(&s->player, &msg, payload))
			hear_one(s, &msg, payload);
	} while (!s->broken && pay(s));
	free(payload);
}

void stage_wait(struct stage *s, uint64_t ms)
{
	s->control->now_ms += ms;
	s->control->wall_ms += ms;
	audit_tick(s->control);
	sessions_tick(s->control);
	refusals_tick(s->control);
	scans_tick(s->control);
	pace_run(s->control);
	stage_turn(s);
}

/* --- saying --- */

void stage_open(struct stage *s, uint64_t conn, enum wire client_wire)
{
	struct msg_opened opened = {.family = 4,
		.client_wire = (uint8_t)client_wire,
		.client_port = 40000,
		.server_port = 5269,
		.client_addr = {192, 0, 2, 1},
		.server_addr = {192, 0, 2, 2}};
	player_say(&s->player, MSG_OPENED, SIDE_CLIENT, conn, &opened, sizeof(opened));
	stage_turn(s);
}

void stage_say_bytes(struct stage *s, uint64_t conn, enum conn_side side, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	size_t piece = s->in_pieces ? 1 : CHANNEL_PAYLOAD_MAX;
	while (len) {
		size_t n = len < piece ? len : piece;
		player_say(&s->player, MSG_BYTES, side, conn, at, (uint32_t)n);
		stage_turn(s);
		at += n;
		len -= n;
	}
}

void stage_say(struct stage *s, uint64_t conn, enum conn_side side, const char *text)
{
	stage_say_bytes(s, conn, side, text, strlen(text));
}

void stage_tell(struct stage *s, uint64_t conn, enum conn_side side, enum msg_type type)
{
	player_say(&s->player, type, side, conn, NULL, 0);
	stage_turn(s);
}

void stage_credit(struct stage *s, uint64_t conn, enum conn_side side, uint32_t bytes)
{
	struct msg_credit credit = {bytes};
	s->connection[conn].side[side].unpaid -= bytes;
	player_say(&s->player, MSG_CREDIT, side, conn, &credit, sizeof(credit));
}

void stage_secured(struct stage *s, uint64_t conn, enum conn_side side, const char *identity, const char *shown)
{
	struct msg_secured secured = {.version = "TLSv1.3",
		.cipher = "TLS_AES_128_GCM_SHA256",
		.fingerprint = {1, 2, 3},
		.shown_fingerprint = {0xab, (uint8_t)strlen(shown), (uint8_t)side},
		.shown_not_after = 1800000000,
		.shown_issuer = "Guard CA"};
	bool doubted = *identity == '?';
	snprintf(doubted ? secured.doubt : secured.identity, CHANNEL_NAME_MAX, "%s", identity + doubted);
	snprintf(secured.shown, sizeof(secured.shown), "%s", shown);
	player_say(&s->player, MSG_SECURED, side, conn, &secured, sizeof(secured));
	stage_turn(s);
}

void stage_hello(struct stage *s, uint64_t conn, const char *server_name, enum hello_alpn alpn)
{
	struct msg_client_hello hello = {.alpn = alpn};
	snprintf(hello.server_name, sizeof(hello.server_name), "%s", server_name);
	player_say(&s->player, MSG_CLIENT_HELLO, SIDE_CLIENT, conn, &hello, sizeof(hello));
	stage_turn(s);
}

void stage_ready(struct stage *s, uint64_t conn, bool certificate)
{
	struct msg_client_ready ready = {certificate};
	player_say(&s->player, MSG_CLIENT_READY, SIDE_CLIENT, conn, &ready, sizeof(ready));
	stage_turn(s);
}

void stage_tls_failed(struct stage *s, uint64_t conn, enum conn_side side, enum tls_failure failure, const char *reason)
{
	struct msg_tls_failed failed = {.failure = failure};
	snprintf(failed.reason, sizeof(failed.reason), "%s", reason);
	player_say(&s->player, MSG_TLS_FAILED, side, conn, &failed, sizeof(failed));
	stage_turn(s);
}

void stage_close(struct stage *s, uint64_t conn)
{
	stage_tell(s, conn, SIDE_CLIENT, MSG_CLOSED);
}

/* --- expecting --- */

void stage_expect(struct stage *s, uint64_t conn, enum conn_side side, const char *text)
{
	struct buf *heard = &s->connection[conn].side[side].heard;
	char *copy = calloc(1, buf_len(heard) + 1);
	assert_non_null(copy);
	if (buf_len(heard))
		memcpy(copy, buf_head(heard), buf_len(heard));
	assert_string_equal(copy, text);
	buf_drop(heard, buf_len(heard));
	free(copy);
}

void stage_expect_nothing(struct stage *s, uint64_t conn)
{
	stage_expect(s, conn, SIDE_CLIENT, "");
	stage_expect(s, conn, SIDE_SERVER, "");
}

struct session *stage_session(struct stage *s, uint64_t conn)
{
	struct session *session = s->control->sessions.first;
	while (session && session->id != conn)
		session = session->next;
	return session;
}

uint64_t stage_count(const struct stage *s, enum control_counter id)
{
	return atomic_load(&s->control->counters->table[id].value);
}

char *stage_audit(const struct stage *s)
{
	enum { BYTES = 4 << 20 };
	char *text = calloc(1, BYTES);
	assert_non_null(text);
	FILE *in = fopen(s->audit, "r");
	assert_non_null(in);
	size_t n = fread(text, 1, BYTES - 1, in);
	assert_true(n < BYTES - 1);
	fclose(in);
	return text;
}

void stage_expect_audit(const struct stage *s, const char *needle)
{
	char *text = stage_audit(s);
	if (!strstr(text, needle))
		fail_msg("not in the audit: %s\n%s", needle, text);
	free(text);
}

/* --- whole conversations --- */

#define HEADER "<?xml version='1.0'?>" ID DB

static void say_headers(struct stage *s, uint64_t conn, const char *client, const char *server, unsigned phase)
{
	char id[32], text[512], expected[512];
	unsigned of = s->own_ids ? (unsigned)conn * 100 : 0;
	snprintf(id, sizeof(id), "id-%u", of + phase);
	snprintf(text, sizeof(text), HEADER " from='%s' to='%s' version='1.0'>", client, server);
	stage_say(s, conn, SIDE_CLIENT, text);
	stage_expect(s, conn, SIDE_SERVER, text);
	snprintf(text, sizeof(text), HEADER " to='%s' from='%s' id='%s' version='1.0'>", client, server, id);
	snprintf(expected, sizeof(expected), HEADER " from='%s' id='%s' to='%s' version='1.0'>", server, id, client);
	stage_say(s, conn, SIDE_SERVER, text);
	stage_expect(s, conn, SIDE_CLIENT, expected);
}

void stage_secure(struct stage *s, uint64_t conn, enum wire wire, const char *client, const char *server,
	const char *client_identity, const char *features)
{
	stage_open(s, conn, wire);
	say_headers(s, conn, client, server, 1);
	stage_say(s, conn, SIDE_SERVER, "<stream:features><starttls xmlns='" NS_TLS "'/></stream:features>");
	stage_expect(s, conn, SIDE_CLIENT,
		"<stream:features><starttls xmlns='" NS_TLS "'><required/></starttls></stream:features>");
	stage_say(s, conn, SIDE_CLIENT, "<starttls xmlns='" NS_TLS "'/>");
	stage_expect(s, conn, SIDE_SERVER, "<starttls xmlns='" NS_TLS "'/>");
	stage_say(s, conn, SIDE_SERVER, "<proceed xmlns='" NS_TLS "'/>");
	stage_expect(s, conn, SIDE_CLIENT, "<proceed xmlns='" NS_TLS "'/>");
	assert_int_equal(s->connection[conn].start_tls, 1);
	stage_secured(s, conn, SIDE_SERVER, s->doubted_server ? "?self-signed" : server, client);
	stage_secured(s, conn, SIDE_CLIENT, client_identity, server);
	say_headers(s, conn, client, server, 2);
	stage_say(s, conn, SIDE_SERVER, features);
}

void stage_direct(struct stage *s, uint64_t conn, enum wire wire, const char *client, const char *server,
	bool certificate)
{
	char text[512], expected[512];
	stage_open(s, conn, wire);
	stage_hello(s, conn, server, HELLO_ALPN_XMPP);
	assert_int_equal(s->connection[conn].start_tls, 1);
	stage_ready(s, conn, certificate);
	snprintf(text, sizeof(text), HEADER " from='%s' to='%s' version='1.0'>", client, server);
	stage_say(s, conn, SIDE_CLIENT, text);
	stage_expect_nothing(s, conn);
	assert_int_equal(s->connection[conn].named, 1);
	assert_string_equal(s->connection[conn].name.client_name, client);
	stage_secured(s, conn, SIDE_CLIENT, certificate ? client : "", server);
	stage_expect_nothing(s, conn);
	stage_secured(s, conn, SIDE_SERVER, server, certificate ? client : "");
	stage_expect(s, conn, SIDE_SERVER, text);
	snprintf(text, sizeof(text), HEADER " to='%s' from='%s' id='id-2' version='1.0'>", client, server);
	snprintf(expected, sizeof(expected), HEADER " from='%s' id='id-2' to='%s' version='1.0'>", server, client);
	stage_say(s, conn, SIDE_SERVER, text);
	stage_expect(s, conn, SIDE_CLIENT, expected);
}

void stage_authenticated(struct stage *s, uint64_t conn, enum wire wire, const char *client, const char *server,
	const char *features, bool bidi)
{
	stage_secure(s, conn, wire, client, server, client, features);
	buf_drop(&s->connection[conn].side[SIDE_CLIENT].heard, buf_len(&s->connection[conn].side[SIDE_CLIENT].heard));
	if (bidi)
		stage_say(s, conn, SIDE_CLIENT, "<bidi xmlns='urn:xmpp:bidi'/>");
	stage_say(s, conn, SIDE_CLIENT, "<auth xmlns='" NS_SASL "' mechanism='EXTERNAL'>=</auth>");
	stage_say(s, conn, SIDE_SERVER, "<success xmlns='" NS_SASL "'/>");
	stage_expect(s, conn, SIDE_CLIENT, "<success xmlns='" NS_SASL "'/>");
	buf_drop(&s->connection[conn].side[SIDE_SERVER].heard, buf_len(&s->connection[conn].side[SIDE_SERVER].heard));
}

void stage_external(struct stage *s, uint64_t conn, enum wire wire, const char *client, const char *server,
	const char *features, bool bidi)
{
	stage_authenticated(s, conn, wire, client, server, features, bidi);
	say_headers(s, conn, client, server, 3);
	stage_say(s, conn, SIDE_SERVER, "<stream:features/>");
	stage_expect(s, conn, SIDE_CLIENT, "<stream:features/>");
	stage_expect_nothing(s, conn);
}
