/* What an operator can ask. A command is one row of the table at the end; 80 columns. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "control/admin.h"
#include "control/control.h"
#include "control/session.h"

struct asked {
	const struct admin *admin;
	const struct control *control;
	struct buf *out;
};

/* Names that peers chose are shown with nothing in them that could drive a terminal. */
static const char *plain(const char *text, char *out, size_t size)
{
	size_t len = strnlen(text, size - 1);
	for (size_t i = 0; i < len; i++)
		out[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i];
	while (len && text[len] && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--; /* not in the middle of a character */
	out[len] = '\0';
	return out;
}

#define PLAIN(text, bytes) plain(text, (char[(bytes) + 1]){0}, (bytes) + 1)

static const char *wire_name(enum wire wire)
{
	return wire == WIRE_INSIDE ? "inside" : "outside";
}

static void put_time(uint64_t wall_ms, char *out, size_t size)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm tm;
	gmtime_r(&seconds, &tm);
	strftime(out, size, "%Y-%m-%d %H:%M:%S", &tm);
}

/* --- show sessions --- */

static const char *session_tls(const struct session *session)
{
	const struct msg_secured *client = session->stream[SIDE_CLIENT].secured;
	const struct msg_secured *server = session->stream[SIDE_SERVER].secured;
	if (!client || !server)
		return session->direct ? "TLS" : "clear";
	return strcmp(client->version, server->version) ? "mixed" : client->version;
}

static const char *session_auth(const struct session *session)
{
	bool external = false, dialback = false;
	if (session->link)
		return pair_method_name(PAIR_LINK);
	for (const struct pair *pair = session->pairs.first; pair; pair = pair->next) {
		external |= pair->state == PAIR_VALID && pair->method == PAIR_EXTERNAL;
		dialback |= pair->state == PAIR_VALID && pair->method == PAIR_DIALBACK;
	}
	return external && dialback ? "both" : external ? "external" : dialback ? "dialback" : "none";
}

/* Whose certificate proved nothing, and was let in by its level. */
static const char *session_doubt(const struct session *session)
{
	const struct msg_secured *client = session->stream[SIDE_CLIENT].secured;
	const struct msg_secured *server = session->stream[SIDE_SERVER].secured;
	if (client && *client->doubt)
		return ", client unverified";
	return server && *server->doubt ? ", server unverified" : "";
}

static int show_session(const struct asked *asked, const struct session *session)
{
	char client[80], server[80];
	const uint64_t *n = session->stanzas;
	audit_address(session, SIDE_CLIENT, client, sizeof(client));
	audit_address(session, SIDE_SERVER, server, sizeof(server));
	int rc = buf_printf(asked->out, "%" PRIu64 "  %s -> %s  (%s, %s, %s%s, %s%s%s)\n", session->id,
		*session->client_name ? PLAIN(session->client_name, 60) : "?",
		*session->server_name ? PLAIN(session->server_name, 60) : "?",
		session_wire(session, SIDE_CLIENT) == WIRE_INSIDE ? "outbound" : "inbound",
		session_state_name(session->state), session_tls(session), session->direct ? " direct" : "",
		session_auth(session), session->own ? ", guard's own" : session_doubt(session),
		session->management.state == MANAGEMENT_ON ? ", managed" : "");
	rc = rc ? rc : buf_printf(asked->out, "    %s -> %s\n", client, server);
	rc = rc ? rc
		: buf_printf(asked->out,
			  "    passed %" PRIu64 "  rewritten %" PRIu64 "  refused %" PRIu64 "  dropped %" PRIu64
			  "  age %" PRIu64 " s\n",
			  n[POLICY_PASS], n[POLICY_REWRITTEN], n[POLICY_REFUSED], n[POLICY_DROPPED],
			  (asked->control->now_ms - session->opened_ms) / 1000);
	return rc;
}

static int show_sessions(const struct asked *asked)
{
	int rc = buf_printf(asked->out, "%u session%s\n", asked->control->sessions.count,
		asked->control->sessions.count == 1 ? "" : "s");
	for (const struct session *s = asked->control->sessions.first; s && !rc; s = s->next)
		rc = show_session(asked, s);
	return rc;
}

/* --- show verdicts --- */

static int show_verdict(const struct asked *asked, const struct past_verdict *past)
{
	char when[32];
	put_time(past->wall_ms, when, sizeof(when));
	int rc = buf_printf(asked->out, "%" PRIu64 "  %s  %s  %s %s  delivery %s\n", past->number, when,
		past->direction == POLICY_OUTBOUND ? "outbound" : "inbound", past->kind,
		policy_action_name(past->action), delivery_name(past->delivery));
	rc = rc ? rc : buf_printf(asked->out, "    %s -> %s\n", PLAIN(past->from, 120), PLAIN(past->to, 120));
	rc = rc ? rc : buf_printf(asked->out, "    %s: %s\n", past->rule, PLAIN(past->reason, 159));
	if (!rc && *past->changed)
		rc = buf_printf(asked->out, "    changed: %s\n", PLAIN(past->changed, 159));
	return rc;
}

static int show_verdicts(const struct asked *asked)
{
	const struct history *history = &asked->control->history;
	uint64_t first = history->verdicts > VERDICTS_KEPT ? history->verdicts - VERDICTS_KEPT : 0;
	int rc = buf_printf(asked->out, "%" PRIu64 " verdicts other than pass, the last %" PRIu64 "\n",
		history->verdicts, history->verdicts - first);
	for (uint64_t i = first; i < history->verdicts && !rc; i++)
		rc = show_verdict(asked, &history->verdict[i % VERDICTS_KEPT]);
	return rc;
}

/* --- show shadow --- */

static int show_shadow(const struct asked *asked)
{
	const struct shadows *shadows = &asked->control->shadows;
	int rc = buf_printf(asked->out, "%" PRIu64 " stanzas judged by a second profile, %" PRIu64 " otherwise, %" PRIu64
		" of these not listed\n", shadows->judged, shadows->differing, shadows->in_no_row);
	for (const struct shadow_row *row = shadows->row; row < shadows->row + shadows->count && !rc; row++) {
		char when[32];
		put_time(row->last_wall_ms, when, sizeof(when));
		rc = buf_printf(asked->out, "%" PRIu64 "  [peer %s], last %s\n    %s -> %s\n", row->count, row->peer, when,
			row->was, row->would_be);
	}
	return rc;
}

/* --- show counters --- */

/* Of a process of every lane; they all have the same table. */
static uint64_t sum_over_lanes(const struct admin *admin, enum proc_role role, unsigned id)
{
	uint64_t sum = 0;
	for (unsigned lane = 0; lane < PROC_LANES_MAX; lane++)
		if (admin->counters[lane][role])
			sum += atomic_load_explicit(&admin->counters[lane][role]->table[id].value, memory_order_relaxed);
	return sum;
}

/* The table belongs to another process: what it says is bounded and cleaned. */
static int show_counters_of(const struct asked *asked, enum proc_role role)
{
	const struct counters *counters = asked->admin->counters[0][role];
	int rc = buf_printf(asked->out, "%s\n", proc_role_name(role));
	for (unsigned i = 0; counters && i < COUNTERS_MAX && !rc; i++) {
		char name[COUNTER_NAME_MAX];
		memcpy(name, counters->table[i].name, sizeof(name));
		name[sizeof(name) - 1] = '\0';
		uint64_t value = sum_over_lanes(asked->admin, role, i);
		if (!*name)
			break;
		rc = buf_printf(asked->out, "  %-55s %20" PRIu64 "\n", PLAIN(name, COUNTER_NAME_MAX), value);
	}
	return rc;
}

static int show_counters(const struct asked *asked)
{
	int rc = 0;
	for (unsigned role = 0; role < PROC_ROLES && !rc; role++)
		rc = show_counters_of(asked, (enum proc_role)role);
	return rc;
}

/* --- show certificates --- */

static int put_hex(struct buf *out, const uint8_t sha256[32])
{
	int rc = 0;
	for (unsigned i = 0; i < 32 && !rc; i++)
		rc = buf_printf(out, "%02x", sha256[i]);
	return rc;
}

static int show_certificate(const struct asked *asked, const struct shown_certificate *shown)
{
	char until[32], last[32];
	put_time(shown->not_after * 1000, until, sizeof(until));
	put_time(shown->last_wall_ms, last, sizeof(last));
	int rc = buf_printf(asked->out, "%s, shown on the %s wire %" PRIu64 " time%s\n", PLAIN(shown->domain, 50),
		wire_name(shown->wire), shown->times, shown->times == 1 ? "" : "s");
	rc = rc ? rc : buf_printf(asked->out, "    issuer      %s\n", PLAIN(shown->issuer, 64));
	rc = rc ? rc : buf_printf(asked->out, "    not after   %s UTC\n    SHA-256     ", until);
	rc = rc ? rc : put_hex(asked->out, shown->fingerprint);
	rc = rc ? rc
		: buf_printf(asked->out, "\n    last shown  %s UTC to %s\n", last,
			  *shown->last_to ? PLAIN(shown->last_to, 40) : "a server without a certificate");
	return rc;
}

/* As `pin` of a [peer] wants it. */
static int show_seen(const struct asked *asked, const struct seen_certificate *seen)
{
	char last[32];
	put_time(seen->last_wall_ms, last, sizeof(last));
	int rc = buf_printf(asked->out, "%s, seen on the %s wire, last %s UTC\n    certificate:", PLAIN(seen->domain, 50),
		wire_name(seen->wire), last);
	rc = rc ? rc : put_hex(asked->out, seen->fingerprint);
	rc = rc ? rc : buf_printf(asked->out, "\n    key:");
	rc = rc ? rc : put_hex(asked->out, seen->key_fingerprint);
	return rc ? rc : buf_printf(asked->out, "\n");
}

static int show_certificates(const struct asked *asked)
{
	const struct history *history = &asked->control->history;
	int rc = buf_printf(
		asked->out, "%u guard certificate%s\n", history->certificates, history->certificates == 1 ? "" : "s");
	for (unsigned i = 0; i < history->certificates && !rc; i++)
		rc = show_certificate(asked, &history->certificate[i]);
	rc = rc ? rc
		: buf_printf(asked->out, "%u certificate%s of servers\n", history->seen_count,
			  history->seen_count == 1 ? "" : "s");
	for (unsigned i = 0; i < history->seen_count && !rc; i++)
		rc = show_seen(asked, &history->seen[i]);
	return rc;
}

/* --- the commands --- */

static int show_help(const struct asked *asked);

enum scope { OF_A_LANE, OF_THE_GUARD };

static const struct command {
	enum scope scope;
	const char *words, *help;
	int (*handler)(const struct asked *asked);
} commands[] = {
	{OF_A_LANE, "show sessions", "connections that are guarded now", show_sessions},
	{OF_A_LANE, "show verdicts", "the last stanzas that did not pass as they were", show_verdicts},
	{OF_A_LANE, "show shadow", "where second profiles of peers would judge otherwise", show_shadow},
	{OF_THE_GUARD, "show counters", "every counter of every process, zeroes too", show_counters},
	{OF_A_LANE, "show certificates", "guard certificates that servers were shown, and theirs", show_certificates},
	{OF_THE_GUARD, "help", "this list", show_help},
	{OF_THE_GUARD, "?", "this list", show_help},
	{OF_THE_GUARD, "show ?", "this list", show_help},
};
enum { COMMANDS = sizeof(commands) / sizeof(*commands), COMMANDS_LISTED = 6 };

static int show_help(const struct asked *asked)
{
	int rc = 0;
	for (unsigned i = 0; i < COMMANDS_LISTED && !rc; i++)
		rc = buf_printf(asked->out, "%-20s %s\n", commands[i].words, commands[i].help);
	return rc;
}

static const struct command *command_find(const char *request)
{
	for (unsigned i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i].words, request))
			return &commands[i];
	return NULL;
}

int show_answer(const struct admin *admin, const struct control *control, const char *request, struct buf *out)
{
	struct asked asked = {admin, control, out};
	const struct command *command = command_find(request);
	if (!command)
		return buf_printf(out, "error: unknown command \"%s\" (hint: help)\n", PLAIN(request, 64));
	if (command->scope == OF_THE_GUARD && admin->lane.lane)
		return 0;
	int rc = command->scope == OF_A_LANE && admin->lane.lanes > 1 ? buf_printf(out, "lane %u\n", admin->lane.lane) : 0;
	return rc ? rc : command->handler(&asked);
}
