/* How public keys are read; see public_keys.h. */
#define OPENSSL_API_COMPAT 10101
#include <errno.h>
#include <stdint.h>

#include <openssl/engine.h>
#include <openssl/evp.h>

#include "public_keys.h"

/* The kinds of key (method NULL), or the method of one: OpenSSL's own. */
static int own_methods(ENGINE *engine, EVP_PKEY_METHOD **method, const int **kinds, int kind)
{
	static const int known[] = {EVP_PKEY_EC, EVP_PKEY_RSA};
	(void)engine;
	if (!method) {
		*kinds = known;
		return sizeof(known) / sizeof(known[0]);
	}
	*method = (EVP_PKEY_METHOD *)(uintptr_t)EVP_PKEY_meth_find(kind);
	return *method != NULL;
}

/* It lives as long as the process: OpenSSL's tables point to it. */
int public_keys_init(void)
{
	ENGINE *engine = ENGINE_new();
	if (engine && ENGINE_set_id(engine, "own") && ENGINE_set_name(engine, "OpenSSL's own older code") &&
		ENGINE_set_pkey_meths(engine, own_methods) && ENGINE_register_pkey_meths(engine))
		return 0;
	ENGINE_free(engine);
	return -ENOMEM;
}
