/* TLS contexts; see context.h. */
#include "context.h"

#define CIPHERS_1_2 "ECDHE+AESGCM:ECDHE+CHACHA20"
#define GROUPS "X25519:P-256:P-384"

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

SSL_CTX *context_new(const SSL_METHOD *method, X509_STORE *store)
{
	SSL_CTX *context = SSL_CTX_new(method);
	if (!context)
		return NULL;
	set_what_is_never_done(context);
	set_bounds(context);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set1_cert_store(context, store);
	if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) && SSL_CTX_set_cipher_list(context, CIPHERS_1_2) &&
		SSL_CTX_set1_groups_list(context, GROUPS))
		return context;
	SSL_CTX_free(context);
	return NULL;
}
