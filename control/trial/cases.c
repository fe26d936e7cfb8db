/* Reads cases; see cases.h. To the parser each <case/> is what a stanza is to a stream. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control/trial/cases.h"
#include "control/xml.h"

enum { CHUNK_BYTES = 64 << 10, DAYS = 7, HOURS = 24, MINUTES = 60 };

struct reading {
	struct xml_parser *parser;
	cases_taker take;
	void *owner;
	struct cases_fault *fault;
	int rc;
	unsigned line;                 /* of what is being fed */
	unsigned begins;               /* the line in which the case that is being read begins */
	bool is_between, has_ended;    /* no case is being read; </cases> came */
};

static __attribute__((format(printf, 3, 4))) void fail(struct reading *r, unsigned line, const char *format, ...)
{
	va_list arguments;
	if (r->rc)
		return;
	r->rc = -EINVAL;
	r->fault->line = line;
	va_start(arguments, format);
	vsnprintf(r->fault->text, sizeof(r->fault->text), format, arguments);
	va_end(arguments);
}

/* --- the attributes of a case --- */

static void set_name(struct reading *r, struct test_case *one, const char *value)
{
	(void)r;
	one->name = value;
}

static void set_direction(struct reading *r, struct test_case *one, const char *value)
{
	bool is_inbound = !strcmp(value, "inbound");
	if (!is_inbound && strcmp(value, "outbound"))
		fail(r, one->line, "direction=\"%.40s\" (hint: outbound or inbound)", value);
	one->direction = is_inbound ? POLICY_INBOUND : POLICY_OUTBOUND;
}

static void set_domain(struct reading *r, unsigned line, char *domain, const char *value)
{
	if (strpbrk(value, "@/") || jid_domain(value, domain, CASES_DOMAIN_BYTES))
		fail(r, line, "\"%.80s\" is not a domain (hint: from='a.example' to='b.example')", value);
}

static void set_from(struct reading *r, struct test_case *one, const char *value)
{
	set_domain(r, one->line, one->from, value);
}

static void set_to(struct reading *r, struct test_case *one, const char *value)
{
	set_domain(r, one->line, one->to, value);
}

static void set_expect(struct reading *r, struct test_case *one, const char *value)
{
	for (enum policy_action action = POLICY_PASS; action <= POLICY_CLOSE; action++)
		if (!strcmp(value, policy_action_name(action))) {
			one->expected.is_given = true;
			one->expected.action = action;
			return;
		}
	fail(r, one->line, "expect=\"%.40s\" (hint: pass, rewritten, refused, dropped or close)", value);
}

static void set_rule(struct reading *r, struct test_case *one, const char *value)
{
	(void)r;
	one->expected.rule = value;
}

static int minute_of(const struct tm *local)
{
	return ((local->tm_wday + DAYS - 1) % DAYS * HOURS + local->tm_hour) * MINUTES + local->tm_min;
}

/* Of any week here, or of a recording, which has UTC. */
static void set_time(struct reading *r, struct test_case *one, const char *value)
{
	struct tm parts = {0}, local;
	const char *end = strptime(value, "%a %H:%M", &parts);
	if (end && !*end) {
		one->minute_of_week = minute_of(&parts);
		return;
	}
	parts = (struct tm){0};
	end = strptime(value, "%Y-%m-%dT%H:%M:%S", &parts);
	if (end && *end == '.')
		end += 1 + strspn(end + 1, "0123456789");
	time_t seconds = timegm(&parts);
	if (end && !strcmp(end, "Z") && localtime_r(&seconds, &local)) {
		one->minute_of_week = minute_of(&local);
		one->now = seconds;
	} else {
		fail(r, one->line, "time=\"%.40s\" (hint: Mon 09:30, by the zone of this machine, or 2026-01-31T12:00:00Z)", value);
	}
}

static const struct case_attribute {
	const char *name;
	void (*set)(struct reading *r, struct test_case *one, const char *value);
} known[] = {
	{"name", set_name},
	{"direction", set_direction},
	{"from", set_from},
	{"to", set_to},
	{"time", set_time},
	{"expect", set_expect},
	{"rule", set_rule},
};

static const struct case_attribute *attribute_known(const struct attribute *attribute)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!*attribute->ns && !strcmp(attribute->name, known[i].name))
			return &known[i];
	return NULL;
}

static void set_attributes(struct reading *r, struct test_case *one, const struct node *element)
{
	if (!node_attribute(element, "direction"))
		fail(r, one->line, "a case needs a direction (hint: direction='outbound' or 'inbound')");
	for (const struct attribute *a = element->attributes; a; a = a->next) {
		const struct case_attribute *row = attribute_known(a);
		if (row)
			row->set(r, one, a->value);
		else
			fail(r, one->line, "unknown attribute \"%.40s\" (hint: name, direction, from, to, expect, rule)", a->name);
	}
	if (one->expected.rule && !one->expected.is_given)
		fail(r, one->line, "a rule without an action (hint: expect='refused')");
}

/* --- what is in it --- */

static bool is_blank(const struct node *text)
{
	for (size_t i = 0; i < text->text_len; i++)
		if (!strchr(" \t\r\n", text->text[i]))
			return false;
	return true;
}

/* What stands in `element`, without the whitespace: `max` elements at most. How many there are. */
static unsigned list_elements(struct reading *r, struct test_case *one, const struct node *element,
	struct node *elements[], unsigned max)
{
	unsigned count = 0;
	for (struct node *child = element->first; child; child = child->next) {
		if (child->name && count < max)
			elements[count++] = child;
		else if (child->name)
			fail(r, one->line, "<%.40s> is too much in <%.40s> (hint: one stanza)", child->name, element->name);
		else if (!is_blank(child))
			fail(r, one->line, "text between the elements (hint: only white space)");
	}
	return count;
}

static bool is_stanza(const struct node *node)
{
	return node_is(node, NS_SERVER, "message") || node_is(node, NS_SERVER, "presence") || node_is(node, NS_SERVER, "iq");
}

static struct node *take_stanza(struct reading *r, struct test_case *one, struct node *node)
{
	if (!is_stanza(node)) {
		fail(r, one->line, "<%.40s> is no stanza (hint: <message xmlns='" NS_SERVER "' ...>, presence or iq)", node->name);
		return NULL;
	}
	node_remove(node);
	return node;
}

static void take_becomes(struct reading *r, struct test_case *one, const struct node *element)
{
	struct node *inner;
	if (!node_is(element, NS_CASES, "becomes") || element->attributes)
		fail(r, one->line, "<%.40s> after the stanza (hint: <becomes> with a stanza in it)", element->name);
	else if (!one->expected.is_given || one->expected.action != POLICY_REWRITTEN)
		fail(r, one->line, "<becomes> where nothing is rewritten (hint: expect='rewritten')");
	else if (list_elements(r, one, element, &inner, 1) < 1)
		fail(r, one->line, "<becomes> is empty (hint: a stanza in it)");
	else
		one->expected.becomes = take_stanza(r, one, inner);
}

static void default_domain(const struct test_case *one, const char *attribute, char *domain)
{
	const char *jid = node_attribute(one->stanza.root, attribute);
	if (!*domain && (!jid || jid_domain(jid, domain, CASES_DOMAIN_BYTES)))
		*domain = '\0';
}

static void set_content(struct reading *r, struct test_case *one, const struct node *element)
{
	struct node *parts[2];
	unsigned count = list_elements(r, one, element, parts, 2);
	if (count < 1) {
		fail(r, one->line, "a case without a stanza (hint: <message xmlns='" NS_SERVER "' ...>)");
		return;
	}
	one->stanza.root = take_stanza(r, one, parts[0]);
	if (!one->stanza.root)
		return;
	if (count > 1)
		take_becomes(r, one, parts[1]);
	default_domain(one, "from", one->from);
	default_domain(one, "to", one->to);
}

/* --- what the parser calls --- */

static enum xml_next on_root(void *owner, const struct xml_header *header)
{
	struct reading *r = owner;
	(void)header;
	r->is_between = true;
	return XML_STOP;
}

static enum xml_next on_case(void *owner, struct stanza *element)
{
	struct reading *r = owner;
	struct test_case one = {.line = r->begins, .name = "", .minute_of_week = POLICY_MINUTE_UNKNOWN,
		.stanza = {.arena = element->arena}};
	if (!node_is(element->root, NS_CASES, "case")) {
		fail(r, r->begins, "<%.40s> in the place of a case (hint: <case direction='outbound'>)", element->root->name);
	} else {
		set_attributes(r, &one, element->root);
		set_content(r, &one, element->root);
	}
	if (!r->rc)
		r->rc = r->take(r->owner, &one);
	arena_free(element->arena);
	r->is_between = true;
	return XML_STOP;
}

static enum xml_next on_end(void *owner)
{
	struct reading *r = owner;
	r->is_between = r->has_ended = true;
	return XML_STOP;
}

static void on_whitespace(void *owner, size_t bytes)
{
	(void)owner, (void)bytes;
}

/* --- the file --- */

static size_t whitespace(const uint8_t *bytes, size_t len)
{
	size_t n = 0;
	while (n < len && (bytes[n] == ' ' || bytes[n] == '\t' || bytes[n] == '\r' || bytes[n] == '\n'))
		n++;
	return n;
}

/* Of one line, so that it is known where a case begins and where a fault is. */
static void feed(struct reading *r, const uint8_t *bytes, size_t len)
{
	while (len && !r->rc) {
		size_t skipped = r->is_between ? whitespace(bytes, len) : 0;
		bytes += skipped;
		len -= skipped;
		if (!len)
			return;
		if (r->is_between)
			r->begins = r->line;
		r->is_between = false;
		long n = xml_parser_feed(r->parser, bytes, len);
		if (n < 0) {
			fail(r, r->line, "%s: %s", xml_fault_condition((enum xml_fault) - n), xml_parser_detail(r->parser));
			return;
		}
		bytes += n;
		len -= (size_t)n;
		xml_parser_resume(r->parser);
	}
}

static void feed_lines(struct reading *r, const uint8_t *bytes, size_t len)
{
	while (len && !r->rc) {
		const uint8_t *end = memchr(bytes, '\n', len);
		size_t n = end ? (size_t)(end - bytes) + 1 : len;
		feed(r, bytes, n);
		r->line += end != NULL;
		bytes += n;
		len -= n;
	}
}

static void finish(struct reading *r)
{
	if (r->has_ended || r->rc)
		return;
	if (r->is_between)
		fail(r, r->line, "the file ends before the cases do (hint: </cases>)");
	else if (r->begins)
		fail(r, r->line, "the file ends within the case that begins in line %u (hint: it was cut off)", r->begins);
	else
		fail(r, r->line, "there are no cases (hint: <cases xmlns='" NS_CASES "'>)");
	r->rc = -ENODATA;
}

static int read_all(struct reading *r, int fd)
{
	uint8_t chunk[CHUNK_BYTES];
	ssize_t n = 1;
	while (!r->rc && n) {
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int error = errno;
			fail(r, r->line, "cannot be read: %s", strerror(error));
			return -error;
		}
		feed_lines(r, chunk, (size_t)n);
	}
	finish(r);
	return r->rc;
}

int cases_read(int fd, cases_taker take, void *owner, struct cases_fault *fault)
{
	static const struct xml_root root = {NS_CASES, "cases"};
	static const struct xml_handlers handlers = {on_root, on_case, on_end, on_whitespace};
	struct reading r = {.take = take, .owner = owner, .fault = fault, .line = 1};
	*fault = (struct cases_fault){.line = 1, .text = "out of memory"};
	r.parser = xml_parser_new_document(&root, &handlers, &r);
	if (!r.parser)
		return -ENOMEM;
	int rc = read_all(&r, fd);
	xml_parser_free(r.parser);
	return rc;
}
