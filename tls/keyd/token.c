/*
 * Keys in a PKCS#11 token, by the engine of libp11: Debian 12 has no provider for tokens. It opens what it needs here, before
 * the sandbox; from then on the module may read and write what it has open, and no more.
 */
#define OPENSSL_API_COMPAT 10101
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/ui.h>

#include "dataplane/base/log.h"
#include "private_key.h"

enum { TOKEN_PATH_MAX = 1024 };

/* The query attribute of RFC 7512 2.4 that says which module to load; "": the one that p11-kit knows. */
static bool copy_module_path(char *path, size_t size, const char *uri)
{
	static const char attribute[] = "module-path=";
	const char *query = strchr(uri, '?'), *at = query ? strstr(query, attribute) : NULL;
	*path = 0;
	if (!at)
		return true;
	at += strlen(attribute);
	int n = (int)strcspn(at, "&;");
	return snprintf(path, size, "%.*s", n, at) < (int)size;
}

static ENGINE *engine_open(const char *uri)
{
	char module[TOKEN_PATH_MAX];
	if (!copy_module_path(module, sizeof(module), uri))
		return NULL;
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
	ENGINE *engine = engine_open(uri);
	/* With UI_null() nobody is asked for the PIN: it stands in a file, or the token wants none. */
	EVP_PKEY *key = engine ? ENGINE_load_private_key(engine, uri, (UI_METHOD *)UI_null(), NULL) : NULL;
	if (!key) {
		const char *reason = ERR_reason_error_string(ERR_peek_last_error());
		log_warnx("%s: %s reason=%s", name,
			engine ? "no such key in the token (hint: token=, object=, pin-source=file:...)"
			       : "the token's module cannot be used (hint: package libengine-pkcs11-openssl, module-path=...)",
			reason ? reason : "unknown");
	}
	return key;
}
