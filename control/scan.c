/* Stanzas that wait for a scanner; see scan.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/control.h"
#include "control/negotiation.h"
#include "control/scan.h"

struct scan {
	struct scan *next;
	struct stream *stream;
	struct stanza stanza;
	struct policy_verdict verdict;       /* what becomes of it if nothing is found */
	const struct policy_binary *binary;  /* the one that is being scanned; those after it come next */
	int fd;                              /* to the scanner; -1: sallyportd was asked for one */
	struct buf out, in;
	uint64_t deadline_ms;
};

void scan_refuse(struct policy_verdict *verdict, const char *rule, const char *condition, const char *error_type,
	const char *reason)
{
	verdict->action = POLICY_REFUSED;
	verdict->rule = rule;
	verdict->error_condition = condition;
	verdict->error_type = error_type;
	snprintf(verdict->reason, sizeof(verdict->reason), "%s", reason);
}

/* --- why a stanza does not pass --- */

enum scan_failure { FAILURE_FULL, FAILURE_LATE, FAILURE_UNAVAILABLE, FAILURE_UNCLEAR, FAILURE_MEMORY, FAILURE_UNFINISHED };

static const struct {
	enum control_counter count;
	const char *rule, *reason;
} failures[] = {
	[FAILURE_FULL] = {COUNT_SCANS_FULL, "scan.full", "too many stanzas are with the scanner"},
	[FAILURE_LATE] = {COUNT_SCANS_LATE, "scan.late", "the scanner did not answer in time"},
	[FAILURE_UNAVAILABLE] = {COUNT_SCANS_UNAVAILABLE, "scan.unavailable", "the scanner cannot be reached"},
	[FAILURE_UNCLEAR] = {COUNT_SCANS_UNCLEAR, "scan.unclear", "the scanner gave no clear answer"},
	[FAILURE_MEMORY] = {COUNT_SCANS_UNAVAILABLE, "scan.memory", "no memory to have a binary scanned"},
	[FAILURE_UNFINISHED] = {COUNT_SCANS_UNFINISHED, "scan.unfinished", "the connection ended before the scanner answered"},
};

static void fail(struct stream *stream, struct policy_verdict *verdict, enum scan_failure failure)
{
	struct control *control = stream->session->control;
	control_count(control, failures[failure].count);
	if (failure != FAILURE_UNFINISHED)
		audit_alert(control, stream->session, "scanner-failed", failures[failure].reason);
	scan_refuse(verdict, failures[failure].rule, "resource-constraint", "wait", failures[failure].reason);
}

static void found(struct stream *stream, struct policy_verdict *verdict, const char *name)
{
	char reason[sizeof(verdict->reason)];
	snprintf(reason, sizeof(reason), "the scanner found %s", name);
	for (char *c = reason; *c; c++)
		if (*c < ' ' || *c > '~' || *c == '"')
			*c = '?';
	control_count(stream->session->control, COUNT_SCANS_FOUND);
	audit_alert(stream->session->control, stream->session, "malware", reason);
	scan_refuse(verdict, "scan.found", "policy-violation", "modify", reason);
}

/* --- the list --- */

static void add(struct scans *scans, struct scan *scan)
{
	*(scans->last ? &scans->last->next : &scans->first) = scan;
	scans->last = scan;
	scans->count++;
}

static void del(struct scans *scans, struct scan *scan)
{
	struct scan *before = NULL, **at = &scans->first;
	for (; *at != scan; at = &(*at)->next)
		before = *at;
	*at = scan->next;
	if (scans->last == scan)
		scans->last = before;
	scans->count--;
}

static void hang_up(struct scan *scan)
{
	if (scan->fd >= 0)
		close(scan->fd);
	scan->fd = -1;
	buf_fini(&scan->out);
	buf_fini(&scan->in);
}

static void scan_free(struct scan *scan)
{
	hang_up(scan);
	arena_free(scan->stanza.arena);
	free(scan);
}

/* The verdict is there: the stanza goes on its way. What was kept back after it is read by whoever pumps the session. */
static void conclude(struct scan *scan)
{
	struct stream *stream = scan->stream;
	struct control *control = stream->session->control;
	del(&control->scans, scan);
	stream->scan = NULL;
	if (scan->verdict.action >= POLICY_REFUSED)
		transfers_refuse(control, &scan->stanza);
	judge_conclude(stream, &scan->stanza, &scan->verdict);
	scan_free(scan);
}

static void conclude_failed(struct scan *scan, enum scan_failure failure)
{
	struct session *session = scan->stream->session;
	fail(scan->stream, &scan->verdict, failure);
	conclude(scan);
	session_pump(session);
}

/* --- asking --- */

static const struct scan_protocol *protocol_of(const struct control *control)
{
	return control->conf->scanner.kind == SCANNER_ICAP ? &scan_icap : &scan_clamd;
}

static bool ask(struct control *control, struct scan *scan, enum scan_failure *failure)
{
	const struct conf_scanner *scanner = &control->conf->scanner;
	buf_init(&scan->out, CONF_BINARY_BYTES_MAX + SCAN_ANSWER_BYTES);
	buf_init(&scan->in, SCAN_ANSWER_BYTES);
	*failure = FAILURE_MEMORY;
	if (protocol_of(control)->ask(&scan->out, scanner, scan->binary->bytes, scan->binary->len))
		return false;
	*failure = FAILURE_UNAVAILABLE;
	return !control->scans.connect(control->scans.owner);
}

/* The chunks of the stanza become transfers so far. False: one may not pass; or no memory, with the verdict as it was. */
static bool put_together(struct stream *stream, struct stanza *stanza, struct policy_verdict *verdict,
	const struct policy_binary **binaries)
{
	struct control *control = stream->session->control;
	const struct policy_binary **end = binaries;
	*end = NULL;
	for (const struct policy_binary *found_one = verdict->binaries; found_one; found_one = found_one->next) {
		struct policy_binary whole = *found_one, *copy;
		if (found_one->transfer && !transfers_add(control, stanza, found_one, verdict->binary_rules, &whole, verdict))
			return false;
		if (verdict->binary_rules->action != POLICY_BINARIES_SCAN)
			continue;
		arena_allow(stanza->arena, sizeof(*copy) + whole.len);
		copy = arena_alloc(stanza->arena, sizeof(*copy));
		uint8_t *bytes = found_one->transfer ? arena_alloc(stanza->arena, whole.len + 1) : NULL;
		if (!copy || (found_one->transfer && !bytes))
			return false;
		if (bytes)
			whole.bytes = memcpy(bytes, whole.bytes, whole.len);
		*copy = whole;
		copy->next = NULL;
		*end = copy;
		end = &copy->next;
	}
	return true;
}

/* For the audit: the policy that has the name may be gone by then. */
static const char *kept(struct stanza *stanza, const char *name)
{
	const char *copy = arena_strdup(stanza->arena, name);
	return copy ? copy : "";
}

static struct scan *scan_new(struct stream *stream, struct stanza *stanza, const struct policy_verdict *verdict,
	const struct policy_binary *binaries)
{
	struct control *control = stream->session->control;
	struct scan *scan = malloc(sizeof(*scan));
	if (!scan)
		return NULL;
	*scan = (struct scan){.stream = stream, .stanza = *stanza, .verdict = *verdict, .binary = binaries, .fd = -1,
		.deadline_ms = control->now_ms + control->conf->scan_seconds * 1000ULL};
	scan->verdict.binary_rules = NULL; /* of a policy that may be another by then */
	scan->verdict.binaries = NULL;
	scan->verdict.peer = kept(stanza, verdict->peer);
	scan->verdict.profile = kept(stanza, verdict->profile);
	return scan;
}

/* False: the verdict is a refusal. */
static bool hold(struct stream *stream, struct stanza *stanza, struct policy_verdict *verdict,
	const struct policy_binary *binaries)
{
	struct control *control = stream->session->control;
	enum scan_failure failure = FAILURE_FULL;
	struct scan *scan = NULL;
	if (control->scans.count < control->conf->max_scans) {
		scan = scan_new(stream, stanza, verdict, binaries);
		failure = FAILURE_MEMORY;
	}
	if (scan && ask(control, scan, &failure)) {
		add(&control->scans, scan);
		stream->scan = scan;
		stanza->arena = NULL;
		return true;
	}
	if (scan) {
		scan->stanza.arena = NULL; /* still the caller's */
		scan_free(scan);
	}
	fail(stream, verdict, failure);
	return false;
}

bool scan_begin(struct stream *stream, struct stanza *stanza, struct policy_verdict *verdict)
{
	const struct policy_binary *binaries;
	bool scanned = verdict->binary_rules->action == POLICY_BINARIES_SCAN, held = false;
	if (!put_together(stream, stanza, verdict, &binaries)) {
		if (verdict->action < POLICY_REFUSED)
			fail(stream, verdict, FAILURE_MEMORY);
	} else if (scanned && hold(stream, stanza, verdict, binaries)) {
		held = true;
	}
	if (verdict->action >= POLICY_REFUSED)
		transfers_refuse(stream->session->control, stanza);
	return held;
}

void scans_connected(struct control *control, int fd)
{
	struct scan *scan = control->scans.first;
	while (scan && scan->fd >= 0)
		scan = scan->next;
	if (scan)
		scan->fd = fd;
	else
		close(fd); /* who asked for it has gone */
}

void scans_unconnected(struct control *control)
{
	for (struct scan *scan = control->scans.first; scan; scan = scan->next)
		if (scan->fd < 0) {
			conclude_failed(scan, FAILURE_UNAVAILABLE);
			return;
		}
}

/* --- answers --- */

static void send_some(struct scan *scan)
{
	while (buf_len(&scan->out)) {
		ssize_t n = send(scan->fd, buf_head(&scan->out), buf_len(&scan->out), MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n <= 0)
			return; /* one that is dead is noticed by who reads; it may have answered before */
		buf_drop(&scan->out, (size_t)n);
	}
}

/* True: there will be no more. */
static bool receive_some(struct scan *scan)
{
	uint8_t bytes[1024];
	for (;;) {
		ssize_t n = recv(scan->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return false;
		if (n <= 0 || buf_put(&scan->in, bytes, (size_t)n))
			return true;
	}
}

/* Whoever calls that clean which it has not seen to the end has not looked. */
static enum scan_answer read_answer(struct control *control, struct scan *scan, char name[SCAN_NAME_BYTES], bool *ended)
{
	send_some(scan);
	*ended = receive_some(scan);
	enum scan_answer answer = protocol_of(control)->read(
		(const char *)buf_head(&scan->in), buf_len(&scan->in), *ended, name);
	return answer == SCAN_CLEAN && buf_len(&scan->out) ? SCAN_UNCLEAR : answer;
}

static void on_clean(struct control *control, struct scan *scan)
{
	enum scan_failure failure;
	struct session *session = scan->stream->session;
	hang_up(scan);
	scan->binary = scan->binary->next;
	if (session->state != SESSION_OPEN) {
		conclude_failed(scan, FAILURE_UNFINISHED);
	} else if (!scan->binary) {
		control_count(control, COUNT_SCANS_CLEAN);
		conclude(scan);
		session_pump(session);
	} else if (!ask(control, scan, &failure)) {
		conclude_failed(scan, failure);
	}
}

static void run(struct control *control, struct scan *scan)
{
	struct session *session = scan->stream->session;
	char name[SCAN_NAME_BYTES] = "";
	bool ended;
	switch (read_answer(control, scan, name, &ended)) {
	case SCAN_WAITING:
		return;
	case SCAN_CLEAN:
		on_clean(control, scan);
		return;
	case SCAN_FOUND:
		found(scan->stream, &scan->verdict, name);
		conclude(scan);
		session_pump(session);
		return;
	default:
		conclude_failed(scan, buf_len(&scan->in) ? FAILURE_UNCLEAR : FAILURE_UNAVAILABLE);
	}
}

/* A scan that ends may begin another one, of the stanza after it, at the end of the list. */
void scans_run(struct control *control)
{
	for (struct scan *scan = control->scans.first, *next; scan; scan = next) {
		next = scan->next;
		if (scan->fd >= 0)
			run(control, scan);
	}
}

void scans_tick(struct control *control)
{
	for (struct scan *scan = control->scans.first, *next; scan; scan = next) {
		next = scan->next;
		if (control->now_ms >= scan->deadline_ms)
			conclude_failed(scan, FAILURE_LATE);
	}
	transfers_tick(control);
}

unsigned scans_poll(const struct scans *scans, struct pollfd *fds)
{
	unsigned count = 0;
	for (const struct scan *scan = scans->first; scan; scan = scan->next)
		if (scan->fd >= 0)
			fds[count++] = (struct pollfd){
				.fd = scan->fd, .events = (short)(POLLIN | (buf_len(&scan->out) ? POLLOUT : 0))};
	return count;
}

/* --- the end --- */

void scans_abandon(struct session *session)
{
	for (unsigned side = 0; side < SIDES; side++) {
		struct scan *scan = session->stream[side].scan;
		if (!scan)
			continue;
		fail(scan->stream, &scan->verdict, FAILURE_UNFINISHED);
		conclude(scan);
	}
}

void scans_fini(struct scans *scans)
{
	transfers_fini(&scans->transfers);
}
