/* The audit; see audit.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control/control.h"
#include "control/json.h"
#include "control/session.h"
#include "dataplane/base/log.h"

/* --- the file --- */

/* A limit of the file's size must come as an error to us, not as a signal. */
int audit_open(struct audit *audit, const char *path, struct proc_lane lane)
{
	*audit = (struct audit){.lane = lane,
		.fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0640)};
	if (audit->fd < 0)
		return -errno;
	signal(SIGXFSZ, SIG_IGN);
	buf_init(&audit->line, AUDIT_LINE_BYTES);
	return 0;
}

void audit_close(struct audit *audit)
{
	if (audit->fd >= 0)
		close(audit->fd);
	audit->fd = -1;
	buf_fini(&audit->line);
}

static int write_all(struct audit *audit, const void *bytes, size_t len)
{
	ssize_t n;
	do {
		n = write(audit->fd, bytes, len);
	} while (n < 0 && errno == EINTR);
	if (n == (ssize_t)len)
		return 0;
	if (n > 0)
		audit->torn = true;
	return n < 0 ? -errno : -ENOSPC;
}

static int end_torn_line(struct audit *audit)
{
	int rc = audit->torn ? write_all(audit, "\n", 1) : 0;
	if (!rc)
		audit->torn = false;
	return rc;
}

static void set_failing(struct control *control, int error)
{
	struct audit *audit = &control->audit;
	control_count(control, COUNT_AUDIT_FAILURES);
	audit->tried_ms = control->now_ms;
	if (audit->failing)
		return;
	audit->failing = true;
	errno = -error;
	log_warn("audit cannot be written, nothing passes until it can");
}

static void set_working(struct control *control)
{
	control_count(control, COUNT_AUDIT_LINES);
	if (control->audit.failing)
		log_info("audit can be written again");
	control->audit.failing = false;
}

/* --- lines --- */

void audit_time(uint64_t wall_ms, char *out)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm tm;
	char date[24];
	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out, 32, "%s.%03uZ", date, (unsigned)(wall_ms % 1000));
}

static void line_begin(struct control *control, struct json *json, const char *event)
{
	struct buf *line = &control->audit.line;
	char now[32];
	buf_drop(line, buf_len(line));
	audit_time(control->wall_ms, now);
	json_begin(json, line);
	json_string(json, "time", now, SIZE_MAX);
	json_string(json, "event", event, SIZE_MAX);
}

static int line_end(struct control *control, struct json *json)
{
	struct audit *audit = &control->audit;
	int rc = json_end(json);
	rc = rc ? rc : end_torn_line(audit);
	rc = rc ? rc : write_all(audit, buf_head(&audit->line), buf_len(&audit->line));
	if (rc)
		set_failing(control, rc);
	else
		set_working(control);
	return rc;
}

/* For lines that nothing waits for: a failure has already closed the guard. */
static void line_finish(struct control *control, struct json *json)
{
	int rc = line_end(control, json);
	(void)rc;
}

void audit_guard(struct control *control, const char *what)
{
	struct json json;
	line_begin(control, &json, "guard");
	json_string(&json, "what", what, SIZE_MAX);
	line_finish(control, &json);
}

void audit_tick(struct control *control)
{
	if (control->audit.failing && control->now_ms - control->audit.tried_ms >= AUDIT_RETRY_MS)
		audit_guard(control, "audit resumed");
}

static void put_bounded(struct json *json, const char *name, const char *value, size_t max_bytes)
{
	if (value)
		json_string(json, name, value, max_bytes);
}

static const char *direction_name(enum policy_direction direction)
{
	return direction == POLICY_OUTBOUND ? "outbound" : "inbound";
}

/* What came, and whose rules it was judged by, stage by stage. */
static void put_stanza(struct json *json, const struct session *session, enum policy_direction direction,
	const struct node *stanza, uint64_t number)
{
	json_number(json, "id", number);
	json_number(json, "session", session->id);
	json_string(json, "direction", direction_name(direction), SIZE_MAX);
	put_bounded(json, "from", node_attribute(stanza, "from"), AUDIT_JID_BYTES);
	put_bounded(json, "to", node_attribute(stanza, "to"), AUDIT_JID_BYTES);
	json_string(json, "stanza", stanza->name, SIZE_MAX);
	put_bounded(json, "type", node_attribute(stanza, "type"), AUDIT_ID_BYTES);
	put_bounded(json, "stanza_id", node_attribute(stanza, "id"), AUDIT_ID_BYTES);
}

static void put_steps(struct json *json, const struct policy_verdict *verdict)
{
	json_string(json, "peer", verdict->peer, SIZE_MAX);
	json_string(json, "profile", verdict->profile, SIZE_MAX);
	json_array(json, "stages");
	for (const struct policy_step *step = verdict->steps; step < verdict->steps + verdict->step_count; step++) {
		json_object(json, NULL);
		json_string(json, "stage", step->stage, SIZE_MAX);
		json_string(json, step->only_told ? "monitored" : "action", policy_action_name(step->action), SIZE_MAX);
		if (*step->rule)
			json_string(json, "rule", step->rule, SIZE_MAX);
		json_close(json, '}');
	}
	json_close(json, ']');
}

int audit_verdict(struct control *control, const struct stream *stream, const struct node *stanza,
	const struct policy_verdict *verdict, uint64_t number, enum delivery delivery)
{
	const struct session *session = stream->session;
	enum policy_direction direction = session_direction(session, stream->side);
	struct json json;
	history_verdict(
		&control->history, control->wall_ms, number, session->id, direction, stanza, verdict, delivery);
	line_begin(control, &json, "verdict");
	put_stanza(&json, session, direction, stanza, number);
	json_string(&json, "action", policy_action_name(verdict->action), SIZE_MAX);
	json_string(&json, "rule", verdict->rule, SIZE_MAX);
	json_string(&json, "reason", verdict->reason, SIZE_MAX);
	json_string(&json, "changed", verdict->changed, SIZE_MAX);
	json_string(&json, "delivery", delivery_name(delivery), SIZE_MAX);
	put_steps(&json, verdict);
	return line_end(control, &json);
}

int audit_monitor(struct control *control, const struct stream *stream, const struct node *stanza,
	const struct policy_verdict *verdict, uint64_t number)
{
	const struct session *session = stream->session;
	struct json json;
	line_begin(control, &json, "monitor");
	put_stanza(&json, session, session_direction(session, stream->side), stanza, number);
	json_string(&json, "would", policy_action_name(verdict->told.action), SIZE_MAX);
	json_string(&json, "rule", verdict->told.rule, SIZE_MAX);
	json_string(&json, "reason", verdict->told.reason, SIZE_MAX);
	put_steps(&json, verdict);
	return line_end(control, &json);
}

void audit_refusal(struct control *control, const struct refusal *refusal, enum delivery delivery)
{
	struct json json;
	line_begin(control, &json, "refusal");
	json_number(&json, "id", refusal->verdict);
	json_string(&json, "from", refusal->from, SIZE_MAX);
	json_string(&json, "to", refusal->to, SIZE_MAX);
	json_string(&json, "delivery", delivery_name(delivery), SIZE_MAX);
	line_finish(control, &json);
}

/* --- of a session --- */

static void print_address(uint8_t family, const uint8_t address[16], uint16_t port, char *out, size_t size)
{
	char text[INET6_ADDRSTRLEN];
	inet_ntop(family == 4 ? AF_INET : AF_INET6, address, text, sizeof(text));
	snprintf(out, size, family == 4 ? "%s:%u" : "[%s]:%u", text, port);
}

void audit_address(const struct session *session, enum conn_side side, char *out, size_t size)
{
	const struct msg_opened *opened = &session->opened;
	if (side == SIDE_CLIENT)
		print_address(opened->family, opened->client_addr, opened->client_port, out, size);
	else
		print_address(opened->family, opened->server_addr, opened->server_port, out, size);
}

static void put_ends(struct json *json, const struct session *session)
{
	char address[80];
	json_number(json, "session", session->id);
	json_string(json, "direction", direction_name(session_direction(session, SIDE_CLIENT)), SIZE_MAX);
	json_string(json, "client_domain", session->client_name, SIZE_MAX);
	json_string(json, "server_domain", session->server_name, SIZE_MAX);
	audit_address(session, SIDE_CLIENT, address, sizeof(address));
	json_string(json, "client_address", address, SIZE_MAX);
	audit_address(session, SIDE_SERVER, address, sizeof(address));
	json_string(json, "server_address", address, SIZE_MAX);
	json_string(json, "tls_by", session->direct ? "direct" : session->tls_started ? "starttls" : "none", SIZE_MAX);
}

static void put_side(struct json *json, const struct stream *stream)
{
	const struct msg_secured *secured = stream->secured;
	static const uint8_t none[32];
	json_object(json, stream->side == SIDE_CLIENT ? "client" : "server");
	json_number(json, "bytes_from", stream->bytes_in);
	json_number(json, "bytes_to", stream->bytes_out);
	if (secured) {
		json_string(json, "tls", secured->version, SIZE_MAX);
		json_string(json, "cipher", secured->cipher, SIZE_MAX);
		json_string(json, "identity", secured->identity, SIZE_MAX);
		if (*secured->doubt)
			json_string(json, "unverified", secured->doubt, SIZE_MAX);
		if (memcmp(secured->fingerprint, none, sizeof(none)))
			json_hex(json, "fingerprint", secured->fingerprint, sizeof(secured->fingerprint));
		json_string(json, "shown", secured->shown, SIZE_MAX);
		if (memcmp(secured->shown_fingerprint, none, sizeof(none)))
			json_hex(json, "shown_fingerprint", secured->shown_fingerprint,
				sizeof(secured->shown_fingerprint));
	}
	json_close(json, '}');
}

static void put_pairs(struct json *json, const struct session *session)
{
	json_array(json, "pairs");
	for (const struct pair *pair = session->pairs.first; pair; pair = pair->next) {
		if (pair->state != PAIR_VALID)
			continue;
		json_object(json, NULL);
		json_string(json, "from", pair->from, SIZE_MAX);
		json_string(json, "to", pair->to, SIZE_MAX);
		json_string(json, "method", pair_method_name(pair->method), SIZE_MAX);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static const char *bidi_name(enum session_bidi bidi)
{
	return bidi == BIDI_WITH_SERVER ? "through" : bidi == BIDI_WITH_GUARD ? "guard" : "no";
}

void audit_session(struct control *control, const struct session *session)
{
	char opened[32];
	struct json json;
	line_begin(control, &json, "session");
	put_ends(&json, session);
	audit_time(session->opened_wall_ms, opened);
	json_string(&json, "opened", opened, SIZE_MAX);
	put_side(&json, &session->stream[SIDE_CLIENT]);
	put_side(&json, &session->stream[SIDE_SERVER]);
	put_pairs(&json, session);
	if (session->own)
		json_string(&json, "client_is", "guard", SIZE_MAX);
	json_string(&json, "bidi", bidi_name(session->bidi), SIZE_MAX);
	json_string(&json, "management", management_name(&session->management), SIZE_MAX);
	json_object(&json, "stanzas");
	for (enum policy_action action = POLICY_PASS; action <= POLICY_CLOSE; action++)
		json_number(&json, policy_action_name(action), session->stanzas[action]);
	json_close(&json, '}');
	json_string(&json, "ended", session->why, SIZE_MAX);
	line_finish(control, &json);
}

static void log_alert(const struct session *session, const char *alert, const char *why)
{
	static struct log_limit limit = {.burst = 5};
	if (log_allowed(&limit))
		log_warnx("alert=%s session=%llu reason=\"%s\"", alert,
			session ? (unsigned long long)session->id : 0ULL, why);
}

void audit_alert(struct control *control, const struct session *session, const char *alert, const char *why)
{
	struct json json;
	control_count(control, COUNT_ALERTS);
	line_begin(control, &json, "alert");
	json_string(&json, "alert", alert, SIZE_MAX);
	if (session)
		put_ends(&json, session);
	json_string(&json, "reason", why, SIZE_MAX);
	line_finish(control, &json);
	log_alert(session, alert, why);
}

/* What the dataplane has seen on the wire, in the words of an alert. */
void audit_notice(struct control *control, const struct msg_notice *notice)
{
	static const struct {
		const char *alert, *reason;
	} words[NOTICE_KINDS] = {
		[NOTICE_ELSEWHERE] = {"xmpp-elsewhere", "XMPP between servers on a port that is not configured"},
		[NOTICE_WEBSOCKET] = {"xmpp-over-websocket", "a WebSocket for XMPP was asked for"},
		[NOTICE_QUIC] = {"quic", "a connection of QUIC was begun, which may carry XMPP"},
		[NOTICE_CONFLICT] = {"tcp-conflict", "bytes of a connection came twice, and differed"},
	};
	static struct log_limit limit = {.burst = 5};
	char from[80], to[80];
	struct json json;
	print_address(notice->family, notice->src, notice->src_port, from, sizeof(from));
	print_address(notice->family, notice->dst, notice->dst_port, to, sizeof(to));
	control_count(control, COUNT_ALERTS);
	line_begin(control, &json, "alert");
	json_string(&json, "alert", words[notice->kind].alert, SIZE_MAX);
	json_string(&json, "direction", notice->wire == WIRE_INSIDE ? "outbound" : "inbound", SIZE_MAX);
	json_string(&json, "from_address", from, SIZE_MAX);
	json_string(&json, "to_address", to, SIZE_MAX);
	json_string(&json, "action", notice->blocked ? "blocked" : "passed", SIZE_MAX);
	json_number(&json, "untold", notice->untold);
	json_string(&json, "reason", words[notice->kind].reason, SIZE_MAX);
	line_finish(control, &json);
	if (log_allowed(&limit))
		log_warnx("alert=%s from=%s to=%s action=%s reason=\"%s\"", words[notice->kind].alert, from, to,
			notice->blocked ? "blocked" : "passed", words[notice->kind].reason);
}

/* "certificate:0123..., key:4567..." */
static void list_pins(const struct conf_peer *peer, char *text, size_t size)
{
	size_t n = 0;
	text[0] = 0;
	for (unsigned i = 0; peer && i < peer->pin_count && n + 80 < size; i++) {
		n += (size_t)snprintf(text + n, size - n, "%s%s:", n ? ", " : "", peer->pins[i].of_key ? "key" : "certificate");
		for (unsigned byte = 0; byte < sizeof(peer->pins[i].sha256); byte++)
			n += (size_t)snprintf(text + n, size - n, "%02x", peer->pins[i].sha256[byte]);
	}
}

void audit_pin(struct control *control, const struct session *session, const char *peer, const char *shown)
{
	static struct log_limit limit = {.burst = 5};
	struct json json;
	char pinned[CONF_PINS_MAX * 80];
	list_pins(conf_peer_find(control->conf, peer), pinned, sizeof(pinned));
	control_count(control, COUNT_ALERTS);
	line_begin(control, &json, "alert");
	json_string(&json, "alert", "pinned-peer-changed", SIZE_MAX);
	put_ends(&json, session);
	json_string(&json, "peer", peer, SIZE_MAX);
	json_string(&json, "pinned", pinned, SIZE_MAX);
	json_string(&json, "reason", shown, SIZE_MAX);
	line_finish(control, &json);
	if (log_allowed(&limit))
		log_warnx("alert=pinned-peer-changed peer=%s pinned=\"%s\" reason=\"%s\"", peer, pinned, shown);
}

/* An alert if they are refused; in any case a line, which tells when what was in force. */
void audit_crls(struct control *control, const struct msg_crls *crls)
{
	struct json json;
	const char *wire = crls->wire == WIRE_INSIDE ? "inside" : "outside";
	if (crls->refused)
		control_count(control, COUNT_ALERTS);
	line_begin(control, &json, crls->refused ? "alert" : "crls");
	if (crls->refused)
		json_string(&json, "alert", "crls-refused", SIZE_MAX);
	json_string(&json, "wire", wire, SIZE_MAX);
	json_number(&json, "in_force", crls->count);
	if (crls->refused)
		json_string(&json, "reason", crls->reason, SIZE_MAX);
	line_finish(control, &json);
	if (crls->refused)
		log_warnx("alert=crls-refused wire=%s reason=\"%s\" in_force=%u", wire, crls->reason, crls->count);
}

void audit_pair(struct control *control, const struct session *session, const char *alert, const char *from,
	const char *to, const char *why)
{
	struct json json;
	control_count(control, COUNT_ALERTS);
	line_begin(control, &json, "alert");
	json_string(&json, "alert", alert, SIZE_MAX);
	put_ends(&json, session);
	json_string(&json, "from", from, SIZE_MAX);
	json_string(&json, "to", to, SIZE_MAX);
	json_string(&json, "reason", why, SIZE_MAX);
	line_finish(control, &json);
	log_alert(session, alert, why);
}
