/* How the text of a value becomes the value. One setter for each type; a setter that cannot, says why and what would do. */
#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "conf_table.h"

#define FAULT(v, format, ...) conf_fault((v)->faults, (v)->line, "%s: " format, (v)->key->name, ##__VA_ARGS__)

enum { TEXT_BYTES = CONF_VALUE_BYTES + 1 };

bool put_text(char *to, size_t size, const char *text)
{
	size_t n = strlen(text) + 1;
	if (n > size)
		return false;
	memcpy(to, text, n);
	return true;
}

static bool copy_text(char text[TEXT_BYTES], const struct conf_value *v)
{
	if (put_text(text, TEXT_BYTES, v->text))
		return true;
	FAULT(v, "value too long (hint: at most %d bytes)", CONF_VALUE_BYTES);
	return false;
}

/* --- numbers --- */

static bool parse_number(const char *text, unsigned long min, unsigned long max, unsigned long *number)
{
	if (!isdigit((unsigned char)*text) || strlen(text) > 10)
		return false;
	char *end;
	*number = strtoul(text, &end, 10);
	return !*end && *number >= min && *number <= max;
}

void set_number(const struct conf_value *v, void *field)
{
	unsigned long number;
	if (parse_number(v->text, v->key->min, v->key->max, &number))
		*(unsigned *)field = (unsigned)number;
	else
		FAULT(v, "\"%s\" is not in range (hint: a number from %lu to %lu)", v->text, v->key->min, v->key->max);
}

static void add_port(const struct conf_value *v, const char *item)
{
	struct conf *conf = v->conf;
	unsigned long port;
	if (!parse_number(item, v->key->min, v->key->max, &port)) {
		FAULT(v, "\"%s\" is not a port (hint: 1 to 65535)", item);
		return;
	}
	for (unsigned i = 0; i < conf->port_count; i++)
		if (conf->ports[i] == port) {
			FAULT(v, "%lu is there twice (hint: once)", port);
			return;
		}
	if (conf->port_count == CONF_PORTS_MAX)
		FAULT(v, "too many ports (hint: %d)", CONF_PORTS_MAX);
	else
		conf->ports[conf->port_count++] = (uint16_t)port;
}

void set_ports(const struct conf_value *v, void *field)
{
	(void)field;
	char text[TEXT_BYTES], *rest = text, *item;
	if (!copy_text(text, v))
		return;
	while ((item = next_item(&rest, true)))
		add_port(v, item);
	if (!v->conf->port_count)
		FAULT(v, "no port (hint: 5269, 5270)");
}

/* A Linux CPU list: numbers and ranges, separated by commas. */
static bool is_cpu_list(const char *text)
{
	char copy[TEXT_BYTES], *rest = copy, *item;
	snprintf(copy, sizeof(copy), "%s", text);
	while ((item = strsep(&rest, ","))) {
		unsigned long first, last;
		char *dash = strchr(item, '-');
		if (dash)
			*dash = 0;
		if (!parse_number(item, 0, 1023, &first) || (dash && !parse_number(dash + 1, first, 1023, &last)))
			return false;
	}
	return true;
}

void set_cpus(const struct conf_value *v, void *field)
{
	if ((*v->text && !is_cpu_list(v->text)) || !put_text(field, sizeof(v->conf->cpus), v->text))
		FAULT(v, "\"%s\" is not a list of CPUs (hint: 2 or 0-3,6)", v->text);
}

/* --- names --- */

static bool is_name(const char *text)
{
	return *text && text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] == 0;
}

void set_name(const struct conf_value *v, void *field)
{
	if (!is_name(v->text) || !put_text(field, v->key->max + 1, v->text))
		FAULT(v, "\"%s\" is not a name (hint: 1 to %lu lower-case letters, digits and '-')", v->text, v->key->max);
}

static const char *const known_features[] = {"starttls", "mechanisms", "dialback", "bidi", "limits", "sm", NULL};

static void add_feature(const struct conf_value *v, const char *item)
{
	struct conf *conf = v->conf;
	unsigned known = 0;
	while (known_features[known] && strcmp(known_features[known], item))
		known++;
	if (!known_features[known]) {
		const char *near = nearest_word(item, known_features);
		FAULT(v, "unknown feature \"%s\" (hint: %s)", item,
			near ? near : "starttls, mechanisms, dialback, bidi, limits, sm");
		return;
	}
	for (unsigned i = 0; i < conf->feature_count; i++)
		if (!strcmp(conf->features[i], item)) {
			FAULT(v, "%s is there twice (hint: once)", item);
			return;
		}
	if (put_text(conf->features[conf->feature_count], sizeof(conf->features[0]), item))
		conf->feature_count++;
}

void set_features(const struct conf_value *v, void *field)
{
	(void)field;
	char text[TEXT_BYTES], *rest = text, *item;
	if (!copy_text(text, v))
		return;
	while ((item = next_item(&rest, true)))
		add_feature(v, item);
}

int enumerated(const struct conf_value *v, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(words[i], v->text))
			return i;
	char all[100] = "";
	for (int i = 0; words[i]; i++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i ? ", " : "", words[i]);
	FAULT(v, "unknown value \"%s\" (hint: %s)", v->text, all);
	return -1;
}

void set_presence(const struct conf_value *v, void *field)
{
	static const char *const words[] = {"none", "online", "show", "full", NULL};
	int level = enumerated(v, words);
	if (level >= 0)
		*(enum conf_presence *)field = (enum conf_presence)level;
}

void set_way(const struct conf_value *v, void *field)
{
	static const char *const words[] = {"both", "outbound", "inbound", "none", NULL};
	int way = enumerated(v, words);
	if (way >= 0)
		*(enum conf_way *)field = (enum conf_way)way;
}

void set_unknown(const struct conf_value *v, void *field)
{
	static const char *const words[] = {"pass", "strip", "refuse", NULL};
	int unknown = enumerated(v, words);
	if (unknown >= 0)
		*(enum conf_unknown *)field = (enum conf_unknown)unknown;
}

void set_on_match(const struct conf_value *v, void *field)
{
	static const char *const words[] = {"refuse", "redact", NULL};
	int on_match = enumerated(v, words);
	if (on_match >= 0)
		*(bool *)field = on_match;
}

void set_elsewhere(const struct conf_value *v, void *field)
{
	static const char *const words[] = {"forward", "guard", "block", NULL};
	int elsewhere = enumerated(v, words);
	if (elsewhere >= 0)
		*(enum conf_elsewhere *)field = (enum conf_elsewhere)elsewhere;
}

void set_answer(const struct conf_value *v, void *field)
{
	static const char *const words[] = {"forward", "alert", "block", NULL};
	int answer = enumerated(v, words);
	if (answer >= 0)
		*(enum conf_answer *)field = (enum conf_answer)answer;
}

void set_authentication(const struct conf_value *v, void *field)
{
	static const char *const words[] = {"strong", "tls-dialback", "none", NULL};
	int level = enumerated(v, words);
	if (level >= 0)
		*(enum auth_level *)field = (enum auth_level)level;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 32 bytes, as sha256sum writes them or, with a colon between each two, as openssl does. */
static bool parse_sha256(const char *text, uint8_t sha256[32])
{
	for (unsigned i = 0; i < 32; i++) {
		text += i && *text == ':';
		int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);
		if (low < 0)
			return false;
		sha256[i] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	return !*text;
}

static bool parse_pin(const char *text, struct conf_pin *pin)
{
	static const char of_key[] = "key:", of_certificate[] = "certificate:";
	memset(pin, 0, sizeof(*pin));
	pin->of_key = !strncmp(text, of_key, strlen(of_key));
	if (!pin->of_key && strncmp(text, of_certificate, strlen(of_certificate)))
		return false;
	return parse_sha256(strchr(text, ':') + 1, pin->sha256);
}

static void add_pin(const struct conf_value *v, struct conf_peer *peer, const char *item)
{
	struct conf_pin pin;
	if (!parse_pin(item, &pin)) {
		FAULT(v, "\"%.80s\" is not a pin (hint: certificate: or key:, and 64 hexadecimal digits)", item);
		return;
	}
	for (unsigned i = 0; i < peer->pin_count; i++)
		if (!memcmp(&peer->pins[i], &pin, sizeof(pin))) {
			FAULT(v, "\"%.80s\" is there twice (hint: once)", item);
			return;
		}
	if (peer->pin_count == CONF_PINS_MAX)
		FAULT(v, "too many pins (hint: %d)", CONF_PINS_MAX);
	else
		peer->pins[peer->pin_count++] = pin;
}

/* `field` is the peer. */
void set_pins(const struct conf_value *v, void *field)
{
	char text[TEXT_BYTES], *rest = text, *item;
	if (!copy_text(text, v))
		return;
	while ((item = next_item(&rest, true)))
		add_pin(v, field, item);
}

void set_on_failure(const struct conf_value *v, void *field)
{
	static const char *const words[] = {"bridge", "block", NULL};
	int word = enumerated(v, words);
	if (word >= 0)
		*(enum conf_on_failure *)field = (enum conf_on_failure)word;
}

void set_yes_no(const struct conf_value *v, void *field)
{
	static const char *const words[] = {"no", "yes", NULL};
	int word = enumerated(v, words);
	if (word >= 0)
		*(bool *)field = word;
}

void set_profile(const struct conf_value *v, void *field)
{
	const struct conf *conf = v->conf;
	const char *names[CONF_PROFILES_MAX + 1];
	for (unsigned i = 0; i < conf->profile_count; i++) {
		names[i] = conf->profiles[i].name;
		if (!strcasecmp(names[i], v->text)) {
			*(unsigned *)field = i;
			return;
		}
	}
	names[conf->profile_count] = NULL;
	const char *near = nearest_word(v->text, names);
	if (near)
		FAULT(v, "there is no [profile %s] (hint: %s)", v->text, near);
	else
		FAULT(v, "there is no [profile %s] (hint: add that section)", v->text);
}

void set_shadow(const struct conf_value *v, void *field)
{
	unsigned faults = v->faults->count, profile = 0;
	*(unsigned *)field = 0;
	if (!*v->text)
		return;
	set_profile(v, &profile);
	if (v->faults->count == faults)
		*(unsigned *)field = profile + 1;
}

void set_tls(const struct conf_value *v, void *field)
{
	const struct conf *conf = v->conf;
	const char *names[CONF_TLS_MAX + 1];
	for (unsigned i = 0; i < conf->tls_count; i++) {
		names[i] = conf->tls[i].name;
		if (!strcasecmp(names[i], v->text)) {
			*(struct conf_tls *)field = conf->tls[i];
			return;
		}
	}
	names[conf->tls_count] = NULL;
	const char *near = nearest_word(v->text, names);
	FAULT(v, "there is no [tls %s] (hint: %s)", v->text, near ? near : "intermediate, modern, high, or add that section");
}

/* --- users --- */

/* A number without an entry of its own has the group of the same number. */
static bool find_user(const char *text, uid_t *uid, gid_t *gid)
{
	unsigned long number;
	bool numeric = parse_number(text, 0, UINT32_MAX - 1, &number);
	const struct passwd *user = numeric ? getpwuid((uid_t)number) : getpwnam(text);
	if (!user && !numeric)
		return false;
	*uid = user ? user->pw_uid : (uid_t)number;
	*gid = user ? user->pw_gid : (gid_t)number;
	return true;
}

void set_user(const struct conf_value *v, void *field)
{
	struct conf *conf = v->conf;
	uid_t *uid = field;
	unsigned role = (unsigned)(uid - conf->uid);
	if (!find_user(v->text, uid, &conf->gid[role]))
		FAULT(v, "there is no user \"%s\" (hint: systemd-sysusers makes those of sallyport.sysusers)", v->text);
	else if (*uid == 0 || conf->gid[role] == 0)
		FAULT(v, "\"%s\" is root or in its group (hint: a user of its own)", v->text);
}

/* --- files, devices --- */

bool conf_path(const struct conf_value *v, const char *name, char path[PATH_MAX])
{
	const char *slash = strrchr(v->faults->file, '/');
	int folder = *name == '/' || !slash ? 0 : (int)(slash - v->faults->file + 1);
	return snprintf(path, PATH_MAX, "%.*s%s", folder, v->faults->file, name) < PATH_MAX;
}

void set_path(const struct conf_value *v, void *field)
{
	if (!*v->text)
		FAULT(v, "no file (hint: a path)");
	else if (!conf_path(v, v->text, field))
		FAULT(v, "path too long (hint: %d bytes)", PATH_MAX - 1);
}

void set_optional_path(const struct conf_value *v, void *field)
{
	if (*v->text)
		set_path(v, field);
}

static void add_path(const struct conf_value *v, const char *item, void *list)
{
	char path[PATH_MAX];
	if (((const struct conf_list *)list)->count == CONF_POLICY_TESTS_MAX)
		FAULT(v, "too many files (hint: at most %d; a file may hold any number of cases)", CONF_POLICY_TESTS_MAX);
	else if (!conf_path(v, item, path))
		FAULT(v, "path too long (hint: %d bytes)", PATH_MAX - 1);
	else
		list_add(v, path, list);
}

void set_paths(const struct conf_value *v, void *field)
{
	struct conf_list *list = field;
	*list = (struct conf_list){.at = v->conf->texts_bytes};
	each_item(v, false, add_path, list);
}

bool conf_is_token(const char *place)
{
	return !strncmp(place, "pkcs11:", strlen("pkcs11:"));
}

void set_key_place(const struct conf_value *v, void *field)
{
	if (!conf_is_token(v->text))
		set_path(v, field);
	else if (!put_text(field, PATH_MAX, v->text))
		FAULT(v, "URI too long (hint: %d bytes)", PATH_MAX - 1);
}

void set_leaf_key(const struct conf_value *v, void *field)
{
	static const char *const words[] = {"auto", "ecdsa", "rsa", NULL};
	int word = enumerated(v, words);
	if (word >= 0)
		*(enum conf_leaf *)field = (enum conf_leaf)word;
}

void set_crl_check(const struct conf_value *v, void *field)
{
	static const char *const words[] = {"none", "if-present", "required", NULL};
	int word = enumerated(v, words);
	if (word >= 0)
		*(enum conf_crl_check *)field = (enum conf_crl_check)word;
}

/* DPDK takes the string apart at commas and the like; blanks and control characters have no place in it. */
void set_device(const struct conf_value *v, void *field)
{
	size_t n = strlen(v->text);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)v->text[i] <= ' ' || (unsigned char)v->text[i] >= 0x7f) {
			FAULT(v, "a blank or control character (hint: eth1, xdp:eth1, 0000:03:00.0 or vdev:...)");
			return;
		}
	if (n == 0 || !put_text(field, sizeof(v->conf->wire[0].device), v->text))
		FAULT(v, "none, or longer than 255 bytes (hint: eth1, xdp:eth1, 0000:03:00.0 or vdev:...)");
}

/* --- domains --- */

static const char *label_fault(const char *label, size_t n)
{
	if (n == 0)
		return "an empty label (hint: no dot at either end, no two in a row)";
	if (n > 63)
		return "a label longer than 63 bytes (hint: b.example)";
	if (label[0] == '-' || label[n - 1] == '-')
		return "'-' at an end of a label (hint: b.example)";
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)label[i] >= 0x80)
			return "not ASCII (hint: write its A-label, xn--...)";
		if (!islower((unsigned char)label[i]) && !isdigit((unsigned char)label[i]) && label[i] != '-')
			return "not a domain name (hint: letters, digits, '-' and dots)";
	}
	return NULL;
}

const char *domain_fault(const char *domain)
{
	if (strlen(domain) > 253)
		return "longer than 253 bytes (hint: b.example)";
	const char *label = domain;
	for (;;) {
		size_t n = strcspn(label, ".");
		const char *fault = label_fault(label, n);
		if (fault)
			return fault;
		if (!label[n])
			break;
		label += n + 1;
	}
	return label[strspn(label, "0123456789")] ? NULL : "an address (hint: a domain name)";
}

const char *pattern_fault(const char *pattern)
{
	return domain_fault(strncmp(pattern, "*.", 2) ? pattern : pattern + 2);
}

static bool is_listed(const struct conf *conf, const char *pattern)
{
	for (unsigned i = 0; i < conf->domain_count; i++)
		if (!strcmp(conf->domains[i], pattern))
			return true;
	return false;
}

static void add_domain(const struct conf_value *v, char *item)
{
	struct conf *conf = v->conf;
	for (char *c = item; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	const char *fault = pattern_fault(item);
	if (fault) {
		FAULT(v, "\"%s\": %s", item, fault);
		return;
	}
	if (is_listed(conf, item))
		FAULT(v, "%s is there twice (hint: once)", item);
	else if (conf->domain_count == CONF_DOMAINS_MAX)
		FAULT(v, "too many domains (hint: %d)", CONF_DOMAINS_MAX);
	else if (put_text(conf->domains[conf->domain_count], CHANNEL_NAME_MAX, item))
		conf->domain_count++;
}

void set_domains(const struct conf_value *v, void *field)
{
	(void)field;
	char text[TEXT_BYTES], *rest = text, *item;
	if (!copy_text(text, v))
		return;
	while ((item = next_item(&rest, true)))
		add_domain(v, item);
	if (!v->conf->domain_count)
		FAULT(v, "no domain (hint: a.example)");
}

/* --- what was meant --- */

/* Levenshtein's distance, of words that are short. */
static unsigned distance(const char *a, const char *b)
{
	enum { WORD_MAX = 64 };
	unsigned row[WORD_MAX + 1];
	size_t n = strlen(b);
	if (n > WORD_MAX || strlen(a) > WORD_MAX)
		return UINT_MAX;
	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 1; *a; a++, i++) {
		unsigned diagonal = row[0];
		row[0] = i;
		for (unsigned j = 1; j <= n; j++) {
			unsigned best = diagonal + (*a != b[j - 1]);
			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

const char *nearest_word(const char *word, const char *const *candidates)
{
	const char *nearest = NULL;
	unsigned least = (unsigned)strlen(word) / 3 + 2; /* beyond: not what was meant */
	for (; *candidates; candidates++) {
		unsigned d = distance(word, *candidates);
		if (d < least) {
			least = d;
			nearest = *candidates;
		}
	}
	return nearest;
}
