/* Recording; see record.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/audit.h"
#include "control/record.h"
#include "control/trial/cases.h"
#include "control/xml.h"

/* Stanzas have the default namespace, as on a stream: they are written as they are. */
static const char head[] = "<?xml version='1.0'?>\n<c:cases xmlns='" NS_SERVER "' xmlns:c='" NS_CASES "'>\n";

static int put(struct record *record, const void *bytes, size_t len)
{
	ssize_t n;
	do {
		n = write(record->fd, bytes, len);
	} while (n < 0 && errno == EINTR);
	if (n == (ssize_t)len)
		record->bytes += len;
	return n == (ssize_t)len ? 0 : n < 0 ? -errno : -ENOSPC;
}

int record_open(struct record *record, const char *path, uint64_t max_bytes)
{
	struct stat st;
	int rc = 0;
	*record = (struct record){.fd = -1, .max_bytes = max_bytes};
	buf_init(&record->stanza, XML_STANZA_BYTES);
	buf_init(&record->text, 2 * XML_STANZA_BYTES + 4096);
	if (!*path)
		return 0;
	record->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0600);
	if (record->fd < 0 || fstat(record->fd, &st))
		rc = -errno;
	else if (st.st_size)
		record->bytes = (uint64_t)st.st_size;
	else
		rc = put(record, head, sizeof(head) - 1);
	if (rc)
		record_close(record);
	return rc;
}

void record_close(struct record *record)
{
	if (record->fd >= 0)
		close(record->fd);
	record->fd = -1;
	buf_fini(&record->stanza);
	buf_fini(&record->text);
}

void record_stanza(struct record *record, const struct stanza *stanza)
{
	buf_drop(&record->stanza, buf_len(&record->stanza));
	if (xml_write_node(&record->stanza, stanza->root))
		buf_drop(&record->stanza, buf_len(&record->stanza));
}

/* The pair that the stanza names,
	if it was authenticated on this stream; else one that was: it is judged the same again. */
static const struct policy_pair *pair_of(const struct policy_context *context, const struct stanza *stanza)
{
	static const struct policy_pair none = {"", ""};
	const char *from = node_attribute(stanza->root, "from"), *to = node_attribute(stanza->root, "to");
	char domains[2][CASES_DOMAIN_BYTES];
	if (from && to && !jid_domain(from, domains[0], sizeof(domains[0])) && !jid_domain(to, domains[1],
		sizeof(domains[1])))
		for (unsigned i = 0; i < context->pair_count; i++)
			if (!strcasecmp(context->pairs[i].from,
			domains[0]) && !strcasecmp(context->pairs[i].to, domains[1]))
				return &context->pairs[i];
	return context->pair_count ? &context->pairs[0] : &none;
}

static int write_becomes(struct record *record, const struct stanza *stanza)
{
	int rc = buf_printf(&record->text, "<c:becomes>");
	rc = rc ? rc : xml_write_node(&record->text, stanza->root);
	return rc ? rc : buf_printf(&record->text, "</c:becomes>");
}

static int write_case(struct record *record, const struct policy_context *context, const struct stanza *stanza,
	const struct policy_verdict *verdict, uint64_t wall_ms)
{
	const struct policy_pair *pair = pair_of(context, stanza);
	char now[32];
	audit_time(wall_ms, now);
	buf_drop(&record->text, buf_len(&record->text));
	if (strpbrk(pair->from, "'<&") || strpbrk(pair->to, "'<&"))
		return -EINVAL;
	int rc = buf_printf(&record->text, "<c:case direction='%s' from='%s' to='%s' time='%s' expect='%s'%s%s%s>",
		context->direction == POLICY_OUTBOUND ? "outbound" : "inbound", pair->from, pair->to, now,
		policy_action_name(verdict->action), *verdict->rule ? " rule='" : "", verdict->rule,
		*verdict->rule ? "'" : "");
	rc = rc ? rc : buf_put(&record->text, buf_head(&record->stanza), buf_len(&record->stanza));
	if (!rc && verdict->action == POLICY_REWRITTEN)
		rc = write_becomes(record, stanza);
	return rc ? rc : buf_printf(&record->text, "</c:case>\n");
}

int record_verdict(struct record *record, const struct policy_context *context, const struct stanza *stanza,
	const struct policy_verdict *verdict, uint64_t wall_ms)
{
	int rc;
	if (!buf_len(&record->stanza) || write_case(record, context, stanza, verdict, wall_ms))
		return 0;
	rc = record->bytes + buf_len(&record->text) > record->max_bytes ? -EFBIG
		: put(record, buf_head(&record->text), buf_len(&record->text));
	if (rc)
		record_close(record);
	return rc ? rc : 1;
}
