/* Reads the configuration by the table of its keys, and checks it as a whole; see conf.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_device.h"
#include "conf_link.h"
#include "conf_tls.h"
#include "log.h"

enum { KEYS_MAX = 256 };

/* What conf_load() makes. The lines are kept for faults that are found later (conf_check_files). */
struct loaded {
	struct conf conf;
	int lines[KEYS_MAX];           /* of the keys of sections that are there once, by row of the table */
};

struct loader {
	struct loaded *loaded;
	struct conf_faults faults;
	const struct ini *ini;
};

/* --- sections and their names --- */

/* "peer b.example" is of the kind "peer": its row, with *name set behind it (NULL if it has none). */
static const struct conf_section *kind_find(const char *section, const char **name)
{
	for (const struct conf_section *kind = conf_sections; kind->name; kind++) {
		size_t n = strlen(kind->name);
		bool named = kind->example && !strncmp(section, kind->name, n) && section[n] == ' ';
		if (named || !strcmp(section, kind->name)) {
			*name = named ? section + n + 1 : NULL;
			return kind;
		}
	}
	return NULL;
}

static void unknown_section(struct loader *loader, const struct ini_section *section)
{
	const char *names[16];
	unsigned n = 0;
	for (const struct conf_section *kind = conf_sections; kind->name && n < 15; kind++)
		names[n++] = kind->name;
	names[n] = NULL;
	char first_word[65];
	snprintf(first_word, sizeof(first_word), "%.*s", (int)strcspn(section->name, " "), section->name);
	const char *near = nearest_word(first_word, names);
	if (near)
		conf_fault(&loader->faults, section->line, "unknown section [%s] (hint: %s)", section->name, near);
	else
		conf_fault(&loader->faults, section->line,
			"unknown section [%s] (hint: guard, users, dataplane, inside, outside, tls, group, profile, peer, "
			"certificate, link)",
			section->name);
}

static const struct conf_key *key_find(const char *kind, const char *name)
{
	for (const struct conf_key *key = conf_keys; key->name; key++)
		if (!strcmp(key->section, kind) && !strcmp(key->name, name))
			return key;
	return NULL;
}

static void unknown_key(struct loader *loader, const char *kind, const struct ini_entry *entry)
{
	const char *names[KEYS_MAX + 1];
	unsigned n = 0;
	for (const struct conf_key *key = conf_keys; key->name; key++)
		if (!strcmp(key->section, kind))
			names[n++] = key->name;
	names[n] = NULL;
	const char *near = nearest_word(entry->key, names);
	if (near)
		conf_fault(&loader->faults, entry->line, "unknown key %s in [%s] (hint: %s)", entry->key, kind, near);
	else
		conf_fault(&loader->faults, entry->line, "unknown key %s in [%s] (hint: sallyportd -k lists them)", entry->key,
			kind);
}

/* --- values --- */

/* `section` is NULL where the file has none: then defaults hold, and mandatory keys are missing. */
static void set_key(struct loader *loader, const struct conf_key *key, const struct ini_section *section, void *base)
{
	const struct ini_entry *entry = ini_entry_find(section, key->name);
	struct conf_value value = {.faults = &loader->faults,
		.conf = &loader->loaded->conf,
		.key = key,
		.text = entry ? entry->value : key->value,
		.line = entry ? entry->line : section ? section->line : 1};
	loader->loaded->lines[key - conf_keys] = value.line;
	if (!entry && key->mandatory)
		conf_fault(&loader->faults, value.line, "%s is missing in [%s] (hint: %s = %s)", key->name,
			section ? section->name : key->section, key->name, key->value);
	else
		key->set(&value, (char *)base + key->offset);
}

static void set_section(struct loader *loader, const char *kind, const struct ini_section *section, void *base)
{
	for (const struct conf_key *key = conf_keys; key->name; key++)
		if (!strcmp(key->section, kind))
			set_key(loader, key, section, base);
	for (const struct ini_entry *entry = section ? section->first : NULL; entry; entry = entry->next)
		if (!key_find(kind, entry->key) && (strcmp(kind, "peer") || !conf_may_tighten(entry->key)))
			unknown_key(loader, kind, entry);
}

static void set_single_sections(struct loader *loader)
{
	for (const struct conf_section *kind = conf_sections; kind->name; kind++)
		if (!kind->example)
			set_section(loader, kind->name, ini_section_find(loader->ini, kind->name), &loader->loaded->conf);
}

/* --- sections that are there many times --- */

static void add_builtin_tls(struct loader *loader)
{
	struct conf *conf = &loader->loaded->conf;
	for (const char *const *name = conf_tls_names; *name; name++)
		if (conf_tls_builtin(*name, &conf->tls[conf->tls_count]))
			conf->tls_count++;
}

static void add_tls(struct loader *loader, const struct ini_section *section, const char *name)
{
	struct conf *conf = &loader->loaded->conf;
	struct conf_tls *tls = &conf->tls[conf->tls_count], builtin;
	unsigned faults = loader->faults.count;
	if (conf_tls_builtin(name, &builtin))
		conf_fault(&loader->faults, section->line, "[%s] is built in (hint: another name)", section->name);
	else if (conf->tls_count == CONF_TLS_MAX)
		conf_fault(&loader->faults, section->line, "too many TLS profiles (hint: both sides can share one)");
	else if (!put_text(tls->name, sizeof(tls->name), name))
		conf_fault(&loader->faults, section->line, "name of a TLS profile too long (hint: 63 bytes)");
	else {
		tls->line = section->line;
		conf->tls_count++;
		set_section(loader, "tls", section, tls);
		const char *fault = loader->faults.count == faults ? conf_tls_fault(tls) : NULL;
		if (fault)
			conf_fault(&loader->faults, section->line, "[%s]: %s", section->name, fault);
	}
}

static void add_group(struct loader *loader, const struct ini_section *section, const char *name)
{
	struct conf *conf = &loader->loaded->conf;
	struct conf_group *group = &conf->groups[conf->group_count];
	if (conf->group_count == CONF_GROUPS_MAX)
		conf_fault(&loader->faults, section->line, "more than %d groups (hint: one can hold others, as group:NAME)",
			CONF_GROUPS_MAX);
	else if (!put_text(group->name, sizeof(group->name), name))
		conf_fault(&loader->faults, section->line, "name of a group too long (hint: 63 bytes)");
	else {
		group->line = section->line;
		set_section(loader, "group", section, group);
		conf->group_count++;   /* now: it cannot hold itself */
	}
}

static void add_clearance(struct loader *loader, const struct ini_section *section, const char *name)
{
	struct conf *conf = &loader->loaded->conf;
	struct conf_clearance *clearance = &conf->clearances[conf->clearance_count];
	if (conf->clearance_count == CONF_CLEARANCES_MAX)
		conf_fault(&loader->faults, section->line, "more than %d clearances (hint: one can be of many users)",
			CONF_CLEARANCES_MAX);
	else if (!put_text(clearance->name, sizeof(clearance->name), name))
		conf_fault(&loader->faults, section->line, "name of a clearance too long (hint: 63 bytes)");
	else {
		clearance->line = section->line;
		set_section(loader, "clearance", section, clearance);
		conf->clearance_count++;
	}
}

/* What nobody is in by mistake, nobody is kept out by. */
static void check_groups(struct loader *loader)
{
	const struct conf *conf = &loader->loaded->conf;
	for (unsigned i = 0; i < conf->group_count; i++)
		if (!conf->groups[i].used)
			conf_fault(&loader->faults, conf->groups[i].line, "[group %s] is used nowhere (hint: inside-users = group:%s)",
				conf->groups[i].name, conf->groups[i].name);
}

/*
 * A rule that holds for nobody is not the one that was meant. The default may wait for its first peer. What has other
 * faults, such as a peer that is none, is looked at when they are mended.
 */
static void check_profiles(struct loader *loader)
{
	const struct conf *conf = &loader->loaded->conf;
	for (unsigned i = 0; i < conf->profile_count && !loader->faults.count; i++) {
		bool used = !strcasecmp(conf->profiles[i].name, "default");
		for (unsigned p = 0; p < conf->peer_count && !used; p++)
			used = conf->peers[p].profile == i || conf->peers[p].shadow == i + 1;
		if (!used)
			conf_fault(&loader->faults, conf->profiles[i].line, "[profile %s] is used nowhere (hint: profile = %s in a "
				"[peer], or take it out)", conf->profiles[i].name, conf->profiles[i].name);
	}
}

static int compare_peers(const void *a, const void *b)
{
	const struct conf_peer *x = a, *y = b;
	return strcmp(x->domain, y->domain);
}

static void add_profile(struct loader *loader, const struct ini_section *section, const char *name)
{
	struct conf *conf = &loader->loaded->conf;
	struct conf_profile *profile = &conf->profiles[conf->profile_count];
	if (conf->profile_count == CONF_PROFILES_MAX)
		conf_fault(&loader->faults, section->line, "more than %d profiles (hint: peers can share one)",
			CONF_PROFILES_MAX);
	else if (!put_text(profile->name, sizeof(profile->name), name))
		conf_fault(&loader->faults, section->line, "name of a profile too long (hint: 63 bytes)");
	else {
		profile->line = section->line;
		conf->profile_count++;
		set_section(loader, "profile", section, profile);
	}
}

static void add_peer(struct loader *loader, const struct ini_section *section, const char *name)
{
	struct conf *conf = &loader->loaded->conf;
	struct conf_peer *peer = &conf->peers[conf->peer_count];
	const char *fault = strcmp(name, "*") ? pattern_fault(name) : NULL;
	if (!fault && conf->peer_count == CONF_PEERS_MAX)
		fault = "too many peers (hint: 16384; one [peer *.DOMAIN] stands for many)";
	if (!fault && conf_is_ours(conf, name))
		fault = "one of our own domains (hint: [inside] domains)";
	if (fault) {
		conf_fault(&loader->faults, section->line, "[%s]: %s", section->name, fault);
		return;
	}
	snprintf(peer->domain, sizeof(peer->domain), "%s", name);
	peer->line = section->line;
	conf->peer_count++;
	set_section(loader, "peer", section, peer);
	if (peer->authentication == AUTH_NONE && peer->pin_count)
		conf_fault(&loader->faults, section->line,
			"[%s]: a pin without TLS proves nothing (hint: authentication = strong)", section->name);
}

/* Of a domain of ours, or of a peer: for any other nobody would ask. */
static void add_certificate(struct loader *loader, const struct ini_section *section, const char *name)
{
	struct conf *conf = &loader->loaded->conf;
	struct conf_certificate *certificate = &conf->certificates[conf->certificate_count];
	const char *fault = pattern_fault(name);
	if (!fault && conf->certificate_count == CONF_CERTIFICATES_MAX)
		fault = "too many certificates (hint: 64; one [certificate *.DOMAIN] stands for many)";
	if (!fault && !conf_is_ours(conf, name) && !conf_peer_find(conf, name))
		fault = "neither one of our own domains nor a peer (hint: [inside] domains, or a [peer] section)";
	if (fault) {
		conf_fault(&loader->faults, section->line, "[%s]: %s", section->name, fault);
		return;
	}
	snprintf(certificate->domain, sizeof(certificate->domain), "%s", name);
	certificate->line = section->line;
	conf->certificate_count++;
	set_section(loader, "certificate", section, certificate);
}

static void add_link(struct loader *loader, const struct ini_section *section, const char *name)
{
	struct conf *conf = &loader->loaded->conf;
	struct conf_link *link = &conf->links[conf->link_count];
	unsigned faults = loader->faults.count;
	const char *fault = NULL;
	if (conf->link_count == CONF_LINKS_MAX)
		fault = "too many links (hint: 64)";
	else if (!put_text(link->name, sizeof(link->name), name))
		fault = "name of a link too long (hint: 63 bytes)";
	else {
		link->line = section->line;
		conf->link_count++;
		set_section(loader, "link", section, link);
		fault = loader->faults.count == faults ? conf_link_fault(conf, link) : NULL;
	}
	if (fault)
		conf_fault(&loader->faults, section->line, "[%s]: %s", section->name, fault);
}

static void add_sections(struct loader *loader, const char *wanted,
	void (*add)(struct loader *, const struct ini_section *, const char *))
{
	for (const struct ini_section *section = loader->ini->first; section; section = section->next) {
		const char *name;
		const struct conf_section *kind = kind_find(section->name, &name);
		if (!kind || strcmp(kind->name, wanted))
			continue;
		if (name && *name)
			add(loader, section, name);
		else
			conf_fault(&loader->faults, section->line, "[%s] needs a name (hint: [%s])", kind->name, kind->example);
	}
}

/* --- the whole --- */

static int line_of(const struct loaded *loaded, const char *section, const char *name)
{
	return loaded->lines[key_find(section, name) - conf_keys];
}

static void check_users(struct loader *loader)
{
	const struct conf *conf = &loader->loaded->conf;
	for (unsigned a = 0; a < PROC_ROLES; a++)
		for (unsigned b = 0; b < a; b++)
			if (conf->uid[a] && conf->uid[a] == conf->uid[b])
				conf_fault(&loader->faults, line_of(loader->loaded, "users", proc_role_name(a)),
					"%s runs as the user of %s (hint: a user for each)", proc_role_name(a), proc_role_name(b));
}

static void check_devices(struct loader *loader)
{
	const struct conf *conf = &loader->loaded->conf;
	const char *device = conf->wire[WIRE_OUTSIDE].device;
	if (*device && conf_device_same(device, conf->wire[WIRE_INSIDE].device))
		conf_fault(&loader->faults, line_of(loader->loaded, "outside", "device"),
			"device: that of [inside] (hint: two wires)");
	for (unsigned w = 0; w < WIRES; w++)
		if (conf->workers > 1 && conf_device_kind(conf->wire[w].device) == DEVICE_XDP)
			conf_fault(&loader->faults, line_of(loader->loaded, w == WIRE_INSIDE ? "inside" : "outside", "device"),
				"device: XDP sockets serve one worker (hint: device = %s, or [guard] workers = 1)",
				conf_device_name(conf->wire[w].device));
}

/* FNV-1a of a text and its end. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
	do
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
	while (*text++);
	return hash;
}

/* Policy, and what it is tried on, may change while traffic runs. */
static bool is_fixed(const struct conf_section *kind, const struct ini_entry *entry)
{
	return kind && !kind->is_policy && strcmp(entry->key, "policy-tests");
}

/* In whatever order sections and keys stand. */
static uint64_t hash_fixed(const struct ini *ini)
{
	uint64_t sum = 0;
	for (const struct ini_section *section = ini->first; section; section = section->next) {
		const char *name;
		const struct conf_section *kind = kind_find(section->name, &name);
		for (const struct ini_entry *entry = section->first; entry; entry = entry->next)
			if (is_fixed(kind, entry))
				sum += hash_text(hash_text(hash_text(0xcbf29ce484222325, section->name), entry->key), entry->value);
	}
	return sum;
}

static void read_all(struct loader *loader)
{
	loader->loaded->conf.fixed = hash_fixed(loader->ini);
	for (const struct ini_section *section = loader->ini->first; section; section = section->next) {
		const char *name;
		if (!kind_find(section->name, &name))
			unknown_section(loader, section);
	}
	add_builtin_tls(loader);
	add_sections(loader, "tls", add_tls);
	set_single_sections(loader);
	add_sections(loader, "group", add_group);
	add_sections(loader, "clearance", add_clearance);
	add_sections(loader, "profile", add_profile);
	check_groups(loader);
	add_sections(loader, "peer", add_peer);
	check_profiles(loader);
	conf_tighten_peers(&loader->loaded->conf, loader->ini, &loader->faults);
	qsort(loader->loaded->conf.peers, loader->loaded->conf.peer_count, sizeof(struct conf_peer), compare_peers);
	add_sections(loader, "certificate", add_certificate);
	add_sections(loader, "link", add_link);
	check_users(loader);
	check_devices(loader);
}

static struct loaded *loaded_new(void)
{
	struct loaded *loaded = calloc(1, sizeof(*loaded));
	if (!loaded)
		return NULL;
	loaded->conf.tls = calloc(CONF_TLS_MAX + 1, sizeof(struct conf_tls));
	loaded->conf.profiles = calloc(CONF_PROFILES_MAX + 1, sizeof(struct conf_profile));
	loaded->conf.peers = calloc(CONF_PEERS_MAX + 1, sizeof(struct conf_peer));
	loaded->conf.groups = calloc(CONF_GROUPS_MAX + 1, sizeof(struct conf_group));
	loaded->conf.clearances = calloc(CONF_CLEARANCES_MAX + 1, sizeof(struct conf_clearance));
	loaded->conf.certificates = calloc(CONF_CERTIFICATES_MAX + 1, sizeof(struct conf_certificate));
	loaded->conf.links = calloc(CONF_LINKS_MAX + 1, sizeof(struct conf_link));
	if (loaded->conf.tls && loaded->conf.profiles && loaded->conf.peers && loaded->conf.certificates &&
		loaded->conf.links && loaded->conf.groups && loaded->conf.clearances)
		return loaded;
	conf_free(&loaded->conf);
	return NULL;
}

struct conf *conf_load(const char *path, const char *shown_name, FILE *faults)
{
	struct loader loader = {.loaded = loaded_new(), .faults = {.out = faults, .file = shown_name}};
	if (!loader.loaded) {
		conf_fault(&loader.faults, 1, "out of memory (hint: a few MiB are needed)");
		return NULL;
	}
	struct ini *ini = ini_read(path, &loader.faults);
	loader.ini = ini;
	if (ini)
		read_all(&loader);
	ini_free(ini);
	if (!loader.faults.count)
		return &loader.loaded->conf;
	conf_free(&loader.loaded->conf);
	return NULL;
}

void conf_free(struct conf *conf)
{
	if (!conf)
		return;
	free(conf->tls);
	free(conf->profiles);
	free(conf->peers);
	free(conf->certificates);
	free(conf->links);
	free(conf->groups);
	free(conf->clearances);
	free(conf->texts);
	free(conf); /* the first member of struct loaded */
}

/* --- files that it names --- */

static void check_readable(struct conf_faults *faults, int line, const char *key, const char *path, bool secret)
{
	struct stat st;
	if (secret && conf_is_token(path))
		return;
	if (stat(path, &st) || access(path, R_OK))
		conf_fault(faults, line, "%s: %s: %s (hint: relative to the folder of this file)", key, path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		conf_fault(faults, line, "%s: %s is not a file (hint: a PEM file)", key, path);
	else if (secret && (st.st_mode & 07))
		conf_fault(faults, line, "%s: %s can be read by everybody (hint: chmod 600)", key, path);
}

static void check_crls(struct conf_faults *faults, int line, const struct conf_wire *wire)
{
	struct stat st;
	if (!*wire->crls && wire->crl_check == CRL_CHECK_REQUIRED)
		conf_fault(faults, line, "crl-check: required, but there are none (hint: crls = FILE or FOLDER)");
	else if (*wire->crls && (stat(wire->crls, &st) || access(wire->crls, R_OK)))
		conf_fault(faults, line, "crls: %s: %s (hint: relative to the folder of this file)", wire->crls,
			strerror(errno));
}

static void check_tests(struct conf_faults *faults, int line, const struct conf *conf)
{
	const char *path = conf->policy_tests.count ? conf_list_first(conf, &conf->policy_tests) : NULL;
	for (unsigned i = 0; i < conf->policy_tests.count; i++, path = conf_list_next(path)) {
		struct stat st;
		if (stat(path, &st) || access(path, R_OK))
			conf_fault(faults, line, "policy-tests: %s: %s (hint: relative to the folder of this file)", path,
				strerror(errno));
		else if (!S_ISREG(st.st_mode))
			conf_fault(faults, line, "policy-tests: %s is not a file (hint: a file of cases)", path);
	}
}

static void check_folder(struct conf_faults *faults, int line, const char *key, const char *path)
{
	char folder[PATH_MAX];
	snprintf(folder, sizeof(folder), "%s", path);
	char *slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = 0;
	const char *name = slash ? folder : ".";
	if (access(name, W_OK | X_OK))
		conf_fault(faults, line, "%s: folder %s: %s (hint: mkdir %s)", key, name, strerror(errno), name);
}

int conf_check_files(const struct conf *conf, const char *path, FILE *out)
{
	static const char *const sections[WIRES] = {"inside", "outside"};
	const struct loaded *loaded = (const struct loaded *)conf;
	struct conf_faults faults = {.out = out, .file = path};
	check_folder(&faults, line_of(loaded, "guard", "audit"), "audit", conf->audit);
	if (*conf->record)
		check_folder(&faults, line_of(loaded, "guard", "record"), "record", conf->record);
	check_tests(&faults, line_of(loaded, "guard", "policy-tests"), conf);
	for (unsigned w = 0; w < WIRES; w++) {
		const struct conf_wire *wire = &conf->wire[w];
		check_readable(&faults, line_of(loaded, sections[w], "trust"), "trust", wire->trust, false);
		check_crls(&faults, line_of(loaded, sections[w], *wire->crls ? "crls" : "crl-check"), wire);
		check_readable(&faults, line_of(loaded, sections[w], "ca-certificate"), "ca-certificate",
			wire->ca_certificate, false);
		check_readable(&faults, line_of(loaded, sections[w], "ca-key"), "ca-key", wire->ca_key, true);
	}
	for (unsigned i = 0; i < conf->certificate_count; i++) {
		const struct conf_certificate *certificate = &conf->certificates[i];
		check_readable(&faults, certificate->line, "chain", certificate->chain, false);
		check_readable(&faults, certificate->line, "key", certificate->key, true);
	}
	return faults.count ? -EINVAL : 0;
}

/* --- the annotated default --- */

static void print_help(FILE *out, const char *help)
{
	for (const char *line = help; *line;) {
		int n = (int)strcspn(line, "\n");
		fprintf(out, "# %.*s\n", n, line);
		line += n + (line[n] == '\n');
	}
}

void conf_print_keys(FILE *out)
{
	fputs("# Sallyport. Every key with its default, or an example where there is no default.\n"
	      "# Check with: sallyportd -n\n",
		out);
	for (const struct conf_section *kind = conf_sections; kind->name; kind++) {
		fputc('\n', out);
		print_help(out, kind->help);
		const char *aside = kind->is_optional ? "#" : "";
		fprintf(out, "%s[%s]\n", aside, kind->example ? kind->example : kind->name);
		for (const struct conf_key *key = conf_keys; key->name; key++)
			if (!strcmp(key->section, kind->name)) {
				print_help(out, key->help);
				fprintf(out, "%s%s = %s\n", aside, key->name, *key->value ? key->value : "\"\"");
			}
	}
}

/* --- asking --- */

/* How well a pattern fits: 0 not at all; a whole name beats any suffix, a longer suffix a shorter, any of them "*". */
static size_t fit(const char *pattern, const char *domain)
{
	if (!strcmp(pattern, "*"))
		return 1;
	if (strncmp(pattern, "*.", 2))
		return strcmp(pattern, domain) ? 0 : SIZE_MAX;
	size_t n = strlen(domain), suffix = strlen(pattern + 1);
	return n > suffix && !strcmp(domain + n - suffix, pattern + 1) ? 1 + suffix : 0;
}

bool conf_is_ours(const struct conf *conf, const char *domain)
{
	for (unsigned i = 0; i < conf->domain_count; i++)
		if (fit(conf->domains[i], domain) || !strcmp(conf->domains[i], domain))
			return true;
	return false;
}

const struct conf_certificate *conf_certificate_find(const struct conf *conf, const char *domain)
{
	const struct conf_certificate *best = NULL;
	size_t most = 0;
	for (unsigned i = 0; i < conf->certificate_count; i++) {
		size_t n = fit(conf->certificates[i].domain, domain);
		if (n <= most)
			continue;
		most = n;
		best = &conf->certificates[i];
	}
	return best;
}

static const struct conf_peer *peer_named(const struct conf *conf, const char *domain)
{
	struct conf_peer wanted;
	if (!conf->peer_count || !put_text(wanted.domain, sizeof(wanted.domain), domain))
		return NULL;
	return bsearch(&wanted, conf->peers, conf->peer_count, sizeof(wanted), compare_peers);
}

const struct conf_peer *conf_peer_find(const struct conf *conf, const char *domain)
{
	char text[CHANNEL_NAME_MAX];
	const struct conf_peer *peer = peer_named(conf, domain);
	if (!put_text(text, sizeof(text), domain))
		return NULL;
	/* "a.b.example": then "*.b.example" in the place of its end, then "*.example". */
	for (char *dot = strchr(text, '.'); dot && dot != text && !peer; dot = strchr(dot + 1, '.')) {
		dot[-1] = '*';
		peer = peer_named(conf, dot - 1);
	}
	if (!peer)
		peer = peer_named(conf, "*");
	return peer && peer->way != WAY_NONE ? peer : NULL;
}
