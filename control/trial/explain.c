/* Explaining verdicts; see explain.h. A line of the audit is JSON, which jansson reads. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "control/trial/explain.h"

/* Which key decides, by the rule or what it begins with: the first row that fits. "-": of both directions; "[": as it
 * stands. */
static const struct {
	const char *rule, *key;
} keys[] = {
	{"shape.", "[what RFC 6120 and 6121 ask of a stanza, whatever is configured"},
	{"peering.pair", "[who authenticated to whom on this connection"},
	{"peering.allow-list", "[peer DOMAIN], its directions and inside, and [inside] domains"},
	{"peering.direction", "[peer DOMAIN] directions"},
	{"peering.", "inside-users and outside-users of the profile"},
	{"hours.", "-hours"},
	{"features.unknown", "-unknown"},
	{"features.not-encrypted", "-require-encryption"},
	{"features.pep-node", "-pep-nodes"},
	{"features.", "-features"},
	{"presence.", "-presence"},
	{"message.strip", "-strip"},
	{"message.empty", "-strip and -features"},
	{"message.", "-message-types"},
	{"labels.missing", "-labels and -default-label"},
	{"labels.default", "-default-label"},
	{"labels.in-", "-labels"},
	{"labels.twice", "-labels"},
	{"labels.malformed", "-labels"},
	{"labels.form", "-labels"},
	{"labels.catalog", "-label-catalogs"},
	{"labels.marking", "-on-marking"},
	{"labels.first-line", "-first-line-marking"},
	{"labels.mapped", "-map-to and -original-label"},
	{"labels.no-mapping", "-map-to, -clearance and what [labels] policies state as equivalent"},
	{"labels.ambiguous", "[labels] ambiguous"},
	{"labels.binding", "-original-label"},
	{"labels.inside", "-labels, and the label of the message outside"},
	{"labels.class-not-cleared", "-clearance, and [clearance NAME]"},
	{"labels.restrictive", "-clearance, and [clearance NAME]"},
	{"labels.permissive", "-clearance, and [clearance NAME]"},
	{"labels.clearance", "-clearance, and [clearance NAME]"},
	{"labels.obsolete", "[labels] obsolete"},
	{"labels.", "[the security policy of the label, among [labels] policies"},
	{"content.forbidden-words", "-forbidden-words"},
	{"content.redacted", "-forbidden-words, -forbidden-patterns and -on-match"},
	{"content.max-body", "-max-body"},
	{"content.url-scheme", "-url-schemes"},
	{"content.url-host", "-url-hosts and -forbidden-url-hosts"},
	{"content.script", "-scripts"},
	{"content.language", "-languages"},
	{"content.", "-forbidden-patterns"},
	{"binary.forbidden", "-binaries"},
	{"binary.too-large", "-max-binary"},
	{"binary.type-forbidden", "-binary-types"},
	{"binary.", "[how binaries are written, whatever is configured"},
	{"scan.", "[guard] scanner, scan-seconds and max-scans, and -binaries"},
	{"rates.user", "-user-rate and -user-bytes"},
	{"rates.peer", "-peer-rate and -peer-bytes"},
	{"rates.room", "-room-rate and -room-bytes"},
	{"rates.", "[how many senders can be counted at once"},
	{"policy.memory", "[memory, of which there was too little"},
	{"", "[nothing that is configured"},
};

static const char *key_of(const char *rule)
{
	unsigned i = 0;
	while (strncmp(rule, keys[i].rule, strlen(keys[i].rule)))
		i++;
	return keys[i].key;
}

/* What strangers chose is shown with nothing in it that could drive a terminal. */
static const char *text_of(const json_t *line, const char *name)
{
	json_t *value = json_object_get(line, name);
	char *text = json_is_string(value) ? (char *)json_string_value(value) : NULL;
	for (char *c = text; c && *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return text ? text : "";
}

static void print_key(const json_t *line, const char *rule, FILE *out)
{
	const char *key = key_of(rule), *direction = text_of(line, "direction"), *profile = text_of(line, "profile");
	fprintf(out, "decided by: ");
	if (*key == '[' && !strchr(key, ']')) {
		fprintf(out, "%s\n", key + 1);
		return;
	}
	for (const char *c = key; *c; c++)
		if (*c == '-' && (c == key || c[-1] == ' '))
			fprintf(out, "%s-", direction);
		else
			fputc(*c, out);
	if (*key != '[' && *profile)
		fprintf(out, " of [profile %s]", profile);
	fputc('\n', out);
}

static void print_stages(const json_t *line, FILE *out)
{
	const json_t *stages = json_object_get(line, "stages"), *stage;
	size_t i;
	json_array_foreach(stages, i, stage)
	{
		bool monitored = json_object_get(stage, "monitored");
		const char *action = text_of(stage, monitored ? "monitored" : "action"), *rule = text_of(stage, "rule");
		fprintf(out, "  %-10s %s%s%s%s\n", text_of(stage, "stage"), monitored ? "would have: " : "",
			*rule ? action : "found nothing", *rule ? " by " : "", rule);
	}
}

static bool is_of_a_stage(const json_t *line, const char *rule)
{
	const json_t *stages = json_object_get(line, "stages"), *stage;
	size_t i;
	json_array_foreach(stages, i, stage)
		if (!strcmp(text_of(stage, "rule"), rule))
			return true;
	return false;
}

static void print_verdict(const json_t *line, FILE *out)
{
	const char *rule = text_of(line, "rule"), *type = text_of(line, "type"), *id = text_of(line, "stanza_id");
	bool told = !strcmp(text_of(line, "event"), "monitor");
	const char *peer = text_of(line, "peer");
	fprintf(out, "%s %" JSON_INTEGER_FORMAT " of %s, session %" JSON_INTEGER_FORMAT "\n", told ? "monitored" : "verdict",
		json_integer_value(json_object_get(line, "id")), text_of(line, "time"),
		json_integer_value(json_object_get(line, "session")));
	fprintf(out, "%s %s%s%s%s%s\n  from %s\n  to   %s\n", text_of(line, "direction"), text_of(line, "stanza"),
		*type ? " of type " : "", type, *id ? ", id " : "", id, text_of(line, "from"), text_of(line, "to"));
	fprintf(out, "%s%s by %s: %s\n", told ? "would have been " : "", text_of(line, told ? "would" : "action"), rule,
		text_of(line, "reason"));
	if (*peer)
		fprintf(out, "[peer %s], [profile %s]\n", peer, text_of(line, "profile"));
	else
		fprintf(out, "no [peer] governs it\n");
	print_stages(line, out);
	if (!is_of_a_stage(line, rule))
		fprintf(out, "  after them %s by %s\n", text_of(line, "action"), rule);
	else if (json_array_size(json_object_get(line, "stages")) && !strcmp(text_of(line, "action"), "refused"))
		fprintf(out, "  and no stage after these was asked\n");
	if (*text_of(line, "changed"))
		fprintf(out, "changed: %s\n", text_of(line, "changed"));
	print_key(line, rule, out);
	if (!told)
		fprintf(out, "the sender was told: %s\n", text_of(line, "delivery"));
}

/* --- the audit --- */

struct found {
	json_t *verdict, *refusal;     /* the last of each */
	unsigned older;
};

static bool is_verdict(const json_t *line)
{
	const char *event = text_of(line, "event");
	return !strcmp(event, "verdict") || !strcmp(event, "monitor");
}

static void take(struct found *found, json_t *line)
{
	if (is_verdict(line)) {
		found->older += found->verdict != NULL;
		json_decref(found->verdict);
		json_decref(found->refusal);
		found->verdict = json_incref(line);
		found->refusal = NULL;
	} else if (!strcmp(text_of(line, "event"), "refusal")) {
		json_decref(found->refusal);
		found->refusal = json_incref(line);
	}
}

/* Lines that were torn when the disk was full, and what is no line of the audit, are passed over. */
static int look(FILE *audit, uint64_t number, struct found *found)
{
	char *text = NULL, mark[40];
	size_t capacity = 0;
	int error;
	snprintf(mark, sizeof(mark), "\"id\":%" PRIu64 ",", number);
	errno = 0;
	for (ssize_t n; (n = getline(&text, &capacity, audit)) >= 0;) {
		json_t *line = strstr(text, mark) ? json_loadb(text, (size_t)n, 0, NULL) : NULL;
		json_t *id = json_object_get(line, "id");
		if (json_is_integer(id) && (uint64_t)json_integer_value(id) == number)
			take(found, line);
		json_decref(line);
	}
	error = ferror(audit) ? errno : 0;
	free(text);
	return -error;
}

int explain_all(FILE *audit, FILE *out)
{
	char *text = NULL;
	size_t capacity = 0;
	errno = 0;
	for (ssize_t n; (n = getline(&text, &capacity, audit)) >= 0;) {
		json_t *line = json_loadb(text, (size_t)n, 0, NULL);
		if (is_verdict(line)) {
			print_verdict(line, out);
			fputc('\n', out);
		}
		json_decref(line);
	}
	int error = ferror(audit) ? errno : 0;
	free(text);
	return -error;
}

void explain_init(void)
{
	json_object_seed(0);
}

int explain(FILE *audit, uint64_t number, FILE *out)
{
	struct found found = {.verdict = NULL};
	int rc = look(audit, number, &found);
	if (!rc && !found.verdict)
		rc = -ENOENT;
	if (!rc) {
		print_verdict(found.verdict, out);
		if (found.refusal)
			fprintf(out, "later: %s\n", text_of(found.refusal, "delivery"));
		if (found.older)
			fprintf(out, "(%u older of this number, from before the guard was started again)\n", found.older);
	}
	json_decref(found.verdict);
	json_decref(found.refusal);
	return rc;
}
