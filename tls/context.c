/* TLS contexts; see context.h. */
#include "context.h"

static void set_what_is_never_done(SSL_CTX *context)
{
	SSL_CTX_set_security_level(context, CONTEXT_SECURITY_LEVEL);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
			SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(context, 0);
}

static void set_bounds(SSL_CTX *context)
{
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
			SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_verify_depth(context, CONTEXT_CHAIN_DEPTH_MAX);
	SSL_CTX_set_max_cert_list(context, CONTEXT_CHAIN_BYTES_MAX);
}

static bool set_profile(SSL_CTX *context, const struct conf_tls *profile)
{
	int least = conf_tls_speaks(profile, "1.2") ? TLS1_2_VERSION : TLS1_3_VERSION;
	int most = conf_tls_speaks(profile, "1.3") ? TLS1_3_VERSION : TLS1_2_VERSION;
	return SSL_CTX_set_min_proto_version(context, least) && SSL_CTX_set_max_proto_version(context, most) &&
		SSL_CTX_set_cipher_list(context, profile->ciphers) &&
		SSL_CTX_set_ciphersuites(context, profile->ciphersuites) &&
		SSL_CTX_set1_groups_list(context, profile->groups) &&
		SSL_CTX_set1_sigalgs_list(context, profile->signatures);
}

SSL_CTX *context_new(const SSL_METHOD *method, X509_STORE *store, const struct conf_tls *profile)
{
	SSL_CTX *context = SSL_CTX_new(method);
	if (!context)
		return NULL;
	set_what_is_never_done(context);
	set_bounds(context);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set1_cert_store(context, store);
	if (set_profile(context, profile))
		return context;
	SSL_CTX_free(context);
	return NULL;
}
