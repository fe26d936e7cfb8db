/*
 * In-band transfers; see transfers.h. Chunks are counted as the receiver counts them (XEP-0047 2.2): a chunk out of its
 * turn is refused, and so is one of a transfer that was refused or forgotten before, since nobody knows what it completes.
 */
#include <stdlib.h>
#include <string.h>

#include "control/control.h"
#include "control/transfers.h"
#include "dataplane/base/buf.h"

enum { SEQUENCE_NUMBERS = 65536, SID_BYTES_MAX = 256 };

struct transfer {
	struct transfer *next;
	struct buf bytes;
	unsigned sequence; /* of the next chunk */
	uint64_t heard_ms;
	char key[];        /* from, to and sid, a line each: none of them holds a line end */
};

/* --- the table --- */

/* NULL: no memory, or nothing that a transfer could be known by. */
static char *key_of(const struct stanza *stanza, const struct node *node, bool turned)
{
	const char *from = node_attribute(stanza->root, turned ? "to" : "from");
	const char *to = node_attribute(stanza->root, turned ? "from" : "to");
	const char *sid = node_attribute(node, "sid");
	char *key;
	if (!from || !to || !sid || !*sid || strlen(sid) > SID_BYTES_MAX || strpbrk(sid, "\r\n"))
		return NULL;
	return asprintf(&key, "%s\n%s\n%s", from, to, sid) < 0 ? NULL : key;
}

static struct transfer **find(struct transfers *transfers, const char *key)
{
	struct transfer **at = &transfers->first;
	while (*at && strcmp((*at)->key, key))
		at = &(*at)->next;
	return at;
}

static void forget(struct transfers *transfers, struct transfer **at)
{
	struct transfer *transfer = *at;
	*at = transfer->next;
	transfers->count--;
	transfers->bytes -= buf_len(&transfer->bytes);
	buf_fini(&transfer->bytes);
	free(transfer);
}

static struct transfer *begin(struct control *control, const char *key)
{
	struct transfers *transfers = &control->scans.transfers;
	struct transfer *transfer =
		transfers->count < TRANSFERS_MAX ? malloc(sizeof(*transfer) + strlen(key) + 1) : NULL;
	if (!transfer)
		return NULL;
	*transfer = (struct transfer){.next = transfers->first};
	memcpy(transfer->key, key, strlen(key) + 1);
	buf_init(&transfer->bytes, CONF_BINARY_BYTES_MAX);
	transfers->first = transfer;
	transfers->count++;
	return transfer;
}

/* --- chunks --- */

static void refuse(struct control *control, struct policy_verdict *verdict, const char *rule, const char *reason)
{
	control_count(control, COUNT_TRANSFERS_REFUSED);
	scan_refuse(verdict, rule, "policy-violation", "modify", reason);
}

static void refuse_for_room(struct control *control, struct policy_verdict *verdict)
{
	control_count(control, COUNT_TRANSFERS_REFUSED);
	scan_refuse(verdict, "transfer.full", "resource-constraint", "wait", "too many transfers at once, or too large ones");
}

/* A number of at most five digits. False: it is none. */
static bool read_sequence(const struct node *data, unsigned *sequence)
{
	const char *text = node_attribute(data, "seq");
	if (!text || !*text || strlen(text) > 5 || text[strspn(text, "0123456789")])
		return false;
	*sequence = (unsigned)strtoul(text, NULL, 10);
	return *sequence < SEQUENCE_NUMBERS;
}

static bool append(struct control *control, struct transfer *transfer, const struct policy_binary *chunk)
{
	struct transfers *transfers = &control->scans.transfers;
	if (chunk->len > TRANSFERS_BYTES_MAX - transfers->bytes || buf_put(&transfer->bytes, chunk->bytes, chunk->len))
		return false;
	transfers->bytes += chunk->len;
	transfer->sequence = (transfer->sequence + 1) % SEQUENCE_NUMBERS;
	transfer->heard_ms = control->now_ms;
	return true;
}

static bool add(struct control *control, const char *key, unsigned sequence, const struct policy_binary *chunk,
	struct policy_binary *whole, struct policy_verdict *verdict)
{
	struct transfers *transfers = &control->scans.transfers;
	struct transfer *transfer = *find(transfers, key);
	if (sequence != (transfer ? transfer->sequence : 0)) {
		refuse(control, verdict, "transfer.sequence", "a chunk of a transfer that is not the one that is due");
		return false;
	}
	if (!transfer)
		transfer = begin(control, key);
	if (!transfer || !append(control, transfer, chunk)) {
		refuse_for_room(control, verdict);
		return false;
	}
	*whole = (struct policy_binary){.bytes = buf_head(&transfer->bytes), .len = buf_len(&transfer->bytes), .type = ""};
	return true;
}

bool transfers_add(struct control *control, const struct stanza *stanza, const struct policy_binary *chunk,
	const struct policy_binary_rules *rules, struct policy_binary *whole, struct policy_verdict *verdict)
{
	unsigned sequence;
	char *key = key_of(stanza, chunk->transfer, false);
	bool added = false;
	if (!key || !read_sequence(chunk->transfer, &sequence))
		refuse(control, verdict, "transfer.malformed", "a chunk without sid and seq (XEP-0047)");
	else if (add(control, key, sequence, chunk, whole, verdict))
		policy_binary_check(rules, whole, verdict);
	added = verdict->action < POLICY_REFUSED;
	free(key);
	return added;
}

/* --- beginning and end --- */

static void forget_named(struct control *control, const struct stanza *stanza, const struct node *node, bool turned)
{
	struct transfers *transfers = &control->scans.transfers;
	char *key = key_of(stanza, node, turned);
	struct transfer **at = key ? find(transfers, key) : NULL;
	if (at && *at)
		forget(transfers, at);
	free(key);
}

void transfers_refuse(struct control *control, const struct stanza *stanza)
{
	for (const struct node *node = stanza->root->first; node; node = node->next)
		if (node->name && node_is(node, NS_IBB, "data"))
			forget_named(control, stanza, node, false);
}

/* Either end may close it, and may use its name again. */
void transfers_look(struct control *control, const struct stanza *stanza)
{
	if (!control->scans.transfers.count)
		return;
	for (const struct node *node = stanza->root->first; node; node = node->next)
		if (node->name && (node_is(node, NS_IBB, "open") || node_is(node, NS_IBB, "close"))) {
			forget_named(control, stanza, node, false);
			forget_named(control, stanza, node, true);
		}
}

void transfers_tick(struct control *control)
{
	for (struct transfer **at = &control->scans.transfers.first; *at;)
		if (control->now_ms - (*at)->heard_ms >= TRANSFER_MS)
			forget(&control->scans.transfers, at);
		else
			at = &(*at)->next;
}

void transfers_fini(struct transfers *transfers)
{
	while (transfers->first)
		forget(transfers, &transfers->first);
}
