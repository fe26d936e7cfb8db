/*
 * What may stand in a TLS profile: names of single things that are secure today, and nothing that OpenSSL would make a
 * list of ("HIGH", "ALL:!RC4"). So what was checked here is what is spoken, and no file can ask for less (RFC 9325).
 */
#include <string.h>
#include <strings.h>

#include "conf_tls.h"

#define FAULT(v, format, ...) conf_fault((v)->faults, (v)->line, "%s: " format, (v)->key->name, ##__VA_ARGS__)

static const char *const versions[] = {"1.2", "1.3", NULL};
static const char *const groups[] = {"X25519", "X448", "P-256", "P-384", "P-521", NULL};
static const char *const ciphers[] = {"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
	"ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-GCM-SHA256",
	"ECDHE-RSA-AES128-GCM-SHA256", NULL};
static const char *const ciphersuites[] = {"TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
	"TLS_AES_128_GCM_SHA256", NULL};
static const char *const signatures[] = {"ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "ecdsa_secp521r1_sha512",
	"ed25519", "ed448", "rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512", "rsa_pss_pss_sha256",
	"rsa_pss_pss_sha384", "rsa_pss_pss_sha512", "rsa_pkcs1_sha256", "rsa_pkcs1_sha384", "rsa_pkcs1_sha512", NULL};

/* What people write, and why it is refused. The first part that occurs in the word tells. */
struct refusal {
	const char *part, *why;
};

static const struct refusal versions_refused[] = {
	{"ssl", "SSL is broken (RFC 6176, RFC 7568)"},
	{"1.0", "TLS 1.0 is broken (RFC 8996)"},
	{"1.1", "TLS 1.1 is broken (RFC 8996)"},
	{NULL, NULL},
};
static const struct refusal groups_refused[] = {
	{"ffdhe", "finite-field groups are slow and of no use to anybody who has curves"},
	{"secp256r1", "it is called P-256 here"},
	{"prime256v1", "it is called P-256 here"},
	{"secp384r1", "it is called P-384 here"},
	{"secp521r1", "it is called P-521 here"},
	{NULL, NULL},
};
static const struct refusal ciphers_refused[] = {
	{"NULL", "it does not encrypt"},
	{"ADH", "nobody is authenticated"},
	{"AECDH", "nobody is authenticated"},
	{"anon", "nobody is authenticated"},
	{"EXP", "it was weakened for export"},
	{"RC4", "RC4 is broken (RFC 7465)"},
	{"DES", "its blocks have 64 bits (SWEET32)"},
	{"MD5", "MD5 is broken (RFC 6151)"},
	{"PSK", "it has no certificates"},
	{"SRP", "it has no certificates"},
	{"GCM", "no key exchange by elliptic curves, which has forward secrecy (RFC 9325 4.1)"},
	{"POLY1305", "no key exchange by elliptic curves, which has forward secrecy (RFC 9325 4.1)"},
	{"CCM", "nobody in XMPP needs CCM"},
	{"SHA", "CBC has padding oracles (RFC 9325 4.2)"},
	{"CBC", "CBC has padding oracles (RFC 9325 4.2)"},
	{NULL, NULL},
};
static const struct refusal signatures_refused[] = {
	{"sha1", "SHA-1 is broken (RFC 9155)"},
	{"md5", "MD5 is broken (RFC 9155)"},
	{"sha224", "SHA-224 is not used any more"},
	{"dsa_sha", "DSA is not used any more"},
	{NULL, NULL},
};

/* --- lists of names --- */

static const char *known_find(const char *const *known, const char *item)
{
	for (; *known; known++)
		if (!strcasecmp(*known, item))
			return *known;
	return NULL;
}

static bool has_name(const char *list, const char *name)
{
	size_t n = strlen(name);
	for (const char *at = list; (at = strstr(at, name)); at += n)
		if ((at == list || at[-1] == ':') && (!at[n] || at[n] == ':'))
			return true;
	return false;
}

static void refuse(const struct conf_value *v, const char *item, const char *const *known,
	const struct refusal *refused)
{
	const char *near = nearest_word(item, known);
	for (; refused->part; refused++)
		if (strcasestr(item, refused->part)) {
			FAULT(v, "\"%s\" is refused: %s (hint: %s)", item, refused->why, v->key->value);
			return;
		}
	FAULT(v, "unknown value \"%s\" (hint: %s)", item, near ? near : v->key->value);
}

/* As OpenSSL wants it: names joined by ':', best first. */
static void set_known_words(const struct conf_value *v, char *list, size_t size, const char *const *known,
	const struct refusal *refused)
{
	char text[CONF_VALUE_BYTES + 1], *rest = text, *item;
	list[0] = 0;
	if (!put_text(text, sizeof(text), v->text)) {
		FAULT(v, "value too long (hint: at most %d bytes)", CONF_VALUE_BYTES);
		return;
	}
	while ((item = strsep(&rest, ", \t"))) {
		const char *name = known_find(known, item);
		size_t n = strlen(list);
		if (!*item)
			continue;
		if (!name)
			refuse(v, item, known, refused);
		else if (has_name(list, name))
			FAULT(v, "%s is there twice (hint: once)", name);
		else
			snprintf(list + n, size - n, "%s%s", n ? ":" : "", name);
	}
	if (!*list)
		FAULT(v, "nothing that can be used (hint: %s)", v->key->value);
}

void set_tls_versions(const struct conf_value *v, void *field)
{
	set_known_words(v, field, sizeof(((struct conf_tls *)field)->versions), versions, versions_refused);
}

void set_tls_groups(const struct conf_value *v, void *field)
{
	set_known_words(v, field, sizeof(((struct conf_tls *)field)->groups), groups, groups_refused);
}

void set_tls_ciphers(const struct conf_value *v, void *field)
{
	set_known_words(v, field, sizeof(((struct conf_tls *)field)->ciphers), ciphers, ciphers_refused);
}

void set_tls_ciphersuites(const struct conf_value *v, void *field)
{
	set_known_words(v, field, sizeof(((struct conf_tls *)field)->ciphersuites), ciphersuites, ciphers_refused);
}

void set_tls_signatures(const struct conf_value *v, void *field)
{
	set_known_words(v, field, sizeof(((struct conf_tls *)field)->signatures), signatures, signatures_refused);
}

bool conf_tls_speaks(const struct conf_tls *tls, const char *version)
{
	return has_name(tls->versions, version);
}

/* Guard certificates hold a key on P-256. In TLS 1.2 its curve has to be among the groups (RFC 8422 5.1.1). */
const char *conf_tls_fault(const struct conf_tls *tls)
{
	if (!has_name(tls->signatures, "ecdsa_secp256r1_sha256"))
		return "signatures: guard certificates could not be used (hint: add ecdsa_secp256r1_sha256)";
	if (conf_tls_speaks(tls, "1.2") && !has_name(tls->groups, "P-256"))
		return "groups: guard certificates could not be used with version 1.2 (hint: add P-256)";
	if (conf_tls_speaks(tls, "1.2") && !strstr(tls->ciphers, "ECDSA"))
		return "ciphers: guard certificates could not be used with version 1.2 (hint: add one with ECDSA)";
	return NULL;
}

/* --- built in --- */

const char *const conf_tls_names[] = {"intermediate", "modern", "high", NULL};

/* Where they differ from the defaults of a [tls NAME], which are "intermediate". */
static const struct {
	const char *name, *key, *value;
} differences[] = {
	{"modern", "versions", "1.3"},
	{"high", "versions", "1.3"},
	{"high", "groups", "P-384, P-521"},
	{"high", "ciphersuites", "TLS_AES_256_GCM_SHA384"},
};

static const char *builtin_value(const char *name, const struct conf_key *key)
{
	for (unsigned i = 0; i < sizeof(differences) / sizeof(differences[0]); i++)
		if (!strcmp(differences[i].name, name) && !strcmp(differences[i].key, key->name))
			return differences[i].value;
	return key->value;
}

bool conf_tls_builtin(const char *name, struct conf_tls *tls)
{
	struct conf_faults faults = {.out = stderr, .file = "built in"};
	*tls = (struct conf_tls){.line = 0};
	if (!known_find(conf_tls_names, name) || !put_text(tls->name, sizeof(tls->name), name))
		return false;
	for (const struct conf_key *key = conf_keys; key->name; key++) {
		const struct conf_value v = {.faults = &faults, .key = key, .text = builtin_value(name, key)};
		if (!strcmp(key->section, "tls"))
			key->set(&v, (char *)tls + key->offset);
	}
	return !faults.count;
}
