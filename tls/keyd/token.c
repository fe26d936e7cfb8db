/*
 * Keys in a PKCS#11 token, by the engine of libp11: Debian 12 has no provider for tokens. It opens what it needs here,
 * before the sandbox; from then on the module may read and write what it has open, and no more.
 */
#define OPENSSL_API_COMPAT 10101
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/ui.h>

#include "dataplane/base/log.h"
#include "private_key.h"

/*
 * Takes the query attribute of RFC 7512 2.4 that says which module to load out of the URI: the engine takes it for a fault.
 * Without it, the module is what p11-kit knows.
 */
static void split_uri(const char *uri, char rest[PATH_MAX], char module[PATH_MAX])
{
	static const char attribute[] = "module-path=";
	char copy[PATH_MAX], *attributes = copy, *one;
	snprintf(copy, sizeof(copy), "%s", uri);
	snprintf(rest, PATH_MAX, "%.*s", (int)strcspn(uri, "?"), uri);
	*module = 0;
	strsep(&attributes, "?");
	for (const char *before = "?"; (one = strsep(&attributes, "&"));) {
		if (!strncmp(one, attribute, strlen(attribute))) {
			snprintf(module, PATH_MAX, "%s", one + strlen(attribute));
			continue;
		}
		size_t used = strlen(rest);
		snprintf(rest + used, PATH_MAX - used, "%s%s", before, one);
		before = "&";
	}
}

static ENGINE *engine_open(const char *module)
{
	ENGINE_load_dynamic();
	ENGINE *engine = ENGINE_by_id("pkcs11");
	if (!engine)
		return NULL;
	if ((!*module || ENGINE_ctrl_cmd_string(engine, "MODULE_PATH", module, 0)) && ENGINE_init(engine))
		return engine;
	ENGINE_free(engine);
	return NULL;
}

EVP_PKEY *token_key_load(const char *uri, const char *name)
{
	char rest[PATH_MAX], module[PATH_MAX];
	split_uri(uri, rest, module);
	ERR_clear_error();
	ENGINE *engine = engine_open(module);
	/* With UI_null() nobody is asked for the PIN: it stands in a file, or the token wants none. */
	EVP_PKEY *key = engine ? ENGINE_load_private_key(engine, rest, (UI_METHOD *)UI_null(), NULL) : NULL;
	if (!key) {
		const char *reason = ERR_reason_error_string(ERR_peek_last_error());
		log_warnx("%s: %s reason=%s", name,
			engine ? "no such key in the token (hint: token=, object=, pin-source=file:...)"
			       : "the token's module cannot be used (hint: package libengine-pkcs11-openssl, module-path=...)",
			reason ? reason : "unknown");
	}
	return key;
}
