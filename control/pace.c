/* Who a stanza counts for; see pace.h. */
#include <string.h>

#include "control/control.h"
#include "control/pace.h"
#include "control/session.h"

#define NS_ROOM_USER "http://jabber.org/protocol/muc#user"

static const struct {
	const char *rule, *reason;
	enum control_counter count;
} kinds[POLICY_RATE_KINDS] = {
	[POLICY_RATE_USER] = {"rates.user", "more than the rate of a user", COUNT_RATES_USER_OVER},
	[POLICY_RATE_PEER] = {"rates.peer", "more than the rate of a peer", COUNT_RATES_PEER_OVER},
	[POLICY_RATE_ROOM] = {"rates.room", "more than the rate of a room", COUNT_RATES_ROOM_OVER},
};

/* --- names --- */

struct names {
	char user[PACE_NAME_BYTES], peer[JID_PART_BYTES + 1], room[PACE_NAME_BYTES];
};

void pace_bare(const char *jid, char *out)
{
	size_t bare = strcspn(jid, "/");
	const char *at = memchr(jid, '@', bare);
	size_t local = at ? (size_t)(at + 1 - jid) : 0;
	if (local > JID_PART_BYTES + 1)
		local = 0;
	memcpy(out, jid, local);
	if (jid_domain(jid, out + local, JID_PART_BYTES + 1))
		*out = '\0';
}

static const char *attribute(const struct node *node, const char *name)
{
	const char *value = node_attribute(node, name);
	return value ? value : "";
}

static bool is_type(const struct node *root, const char *type)
{
	return !strcmp(attribute(root, "type"), type);
}

/*
 * XEP-0045: what is said in a room goes to its bare address; it says it again, and who comes and goes, to full ones. Rooms
 * speak for many, and to many: where they have a rate of their own, what comes out of one is not counted as one user's.
 */
static bool is_out_of_room(const struct node *root)
{
	if (!strchr(attribute(root, "to"), '/'))
		return false;
	return (!strcmp(root->name, "message") && is_type(root, "groupchat")) ||
		(!strcmp(root->name, "presence") && node_child(root, NS_ROOM_USER, "x"));
}

static bool is_into_room(const struct node *root)
{
	return !strcmp(root->name, "message") && is_type(root, "groupchat") && !strchr(attribute(root, "to"), '/');
}

static void find_names(const struct node *root, enum policy_direction direction, const struct policy_rates *limits,
	struct names *names)
{
	const char *from = attribute(root, "from"), *to = attribute(root, "to");
	bool has_room_rate = limits->stanzas[POLICY_RATE_ROOM].count || limits->bytes[POLICY_RATE_ROOM].count;
	*names->user = *names->room = '\0';
	if (jid_domain(direction == POLICY_OUTBOUND ? to : from, names->peer, sizeof(names->peer)))
		*names->peer = '\0';
	if (is_into_room(root))
		pace_bare(to, names->room);
	if (has_room_rate && is_out_of_room(root))
		pace_bare(from, names->room);
	else
		pace_bare(from, names->user);
}

static bool is_answer(const struct node *root)
{
	bool is_result = !strcmp(root->name, "iq") && is_type(root, "result");
	bool is_leaving = !strcmp(root->name, "presence") && is_type(root, "unavailable");
	return is_type(root, "error") || is_result || is_leaving;
}

static struct rates_name name_of(const char *text)
{
	return (struct rates_name){text, strlen(text)};
}

/* --- too much --- */

static unsigned to_seconds(uint64_t ms)
{
	return ms < UINT32_MAX ? (unsigned)((ms + 999) / 1000) : UINT32_MAX;
}

static void find_over(struct control *control, const struct rates_answer *answer, struct policy_verdict *verdict)
{
	bool refuses = verdict->rates->over == POLICY_OVER_REFUSE;
	control_count(control, kinds[answer->kind].count);
	policy_tighten(verdict, refuses ? POLICY_REFUSED : POLICY_DROPPED, kinds[answer->kind].rule, "resource-constraint",
		"wait", kinds[answer->kind].reason);
	verdict->retry_seconds = to_seconds(answer->wait_ms);
}

/* Nobody knows how much of it there was: then none passes. */
static void find_full(struct stream *stream, struct policy_verdict *verdict)
{
	struct control *control = stream->session->control;
	struct rates *rates = &control->rates;
	control_count(control, COUNT_RATES_FULL);
	policy_tighten(verdict, POLICY_REFUSED, "rates.full", "resource-constraint", "wait", "too many are counted at once");
	if (rates->alerted_ms && control->now_ms - rates->alerted_ms < RATES_ALERT_MS)
		return;
	rates->alerted_ms = control->now_ms;
	audit_alert(control, stream->session, "rates-full", "too many users, peers and rooms are counted at once");
}

/* In steps, so that many streams are gone on with at once. */
static void hold(struct stream *stream, uint64_t ms)
{
	struct control *control = stream->session->control;
	struct rates *rates = &control->rates;
	uint64_t until = (control->now_ms + ms + RATES_STEP_MS - 1) / RATES_STEP_MS * RATES_STEP_MS;
	control_count(control, COUNT_RATES_HELD);
	stream->held_ms = until;
	if (!rates->wake_ms || until < rates->wake_ms)
		rates->wake_ms = until;
}

void pace_check(struct stream *stream, const struct stanza *stanza, struct policy_verdict *verdict)
{
	struct control *control = stream->session->control;
	struct names names;
	if (!verdict->rates)
		return;
	find_names(stanza->root, session_direction(stream->session, stream->side), verdict->rates, &names);
	struct rates_claim claim = {
		.name = {[POLICY_RATE_USER] = name_of(names.user), [POLICY_RATE_PEER] = name_of(names.peer),
			[POLICY_RATE_ROOM] = name_of(names.room)},
		.bytes = xml_parser_element_bytes(stream->parser),
		.may_owe = {[POLICY_RATE_USER] = is_answer(stanza->root), [POLICY_RATE_ROOM] = is_answer(stanza->root)}};
	struct rates_answer answer = rates_take(&control->rates, verdict->rates, &claim, control->now_ms);
	if (answer.result == RATES_FULL)
		find_full(stream, verdict);
	else if (answer.result == RATES_OVER)
		find_over(control, &answer, verdict);
	else if (answer.wait_ms && verdict->rates->over == POLICY_OVER_WAIT)
		hold(stream, answer.wait_ms);
}

/* --- time --- */

/* True: it may be read again. */
static bool release(struct stream *stream, struct rates *rates, uint64_t now_ms)
{
	if (!stream->held_ms)
		return false;
	if (stream->held_ms > now_ms) {
		if (!rates->wake_ms || stream->held_ms < rates->wake_ms)
			rates->wake_ms = stream->held_ms;
		return false;
	}
	stream->held_ms = 0;
	return true;
}

void pace_run(struct control *control)
{
	struct rates *rates = &control->rates;
	if (!rates->wake_ms || control->now_ms < rates->wake_ms)
		return;
	rates->wake_ms = 0;
	for (struct session *session = control->sessions.first; session; session = session->next) {
		bool client = release(&session->stream[SIDE_CLIENT], rates, control->now_ms);
		if (release(&session->stream[SIDE_SERVER], rates, control->now_ms) || client)
			session_pump(session);
	}
}

uint64_t pace_rest_ms(const struct control *control, uint64_t most_ms)
{
	uint64_t wake_ms = control->rates.wake_ms;
	if (!wake_ms || wake_ms >= control->now_ms + most_ms)
		return most_ms;
	return wake_ms > control->now_ms ? wake_ms - control->now_ms : 0;
}

void pace_forget(struct control *control)
{
	rates_fini(&control->rates);
	for (struct session *session = control->sessions.first; session; session = session->next)
		for (unsigned side = 0; side < SIDES; side++)
			if (session->stream[side].held_ms)
				session->stream[side].held_ms = control->rates.wake_ms = control->now_ms;
}
