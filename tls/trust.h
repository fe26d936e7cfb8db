/* Whom each wire trusts. */
#ifndef TLS_TRUST_H
#define TLS_TRUST_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "dataplane/base/conf.h"

struct trust {
	const struct conf *conf;
	enum wire wire;
	uint64_t generation;           /* raised by whatever may make a certificate bad that was good: a session that was
					* begun under another generation must not be resumed */
	X509_STORE *store;             /* of both contexts */
	unsigned crl_count;            /* in it */
	SSL_CTX *accept;               /* towards the endpoint that dialled */
	SSL_CTX *dial;                 /* towards the endpoint that was dialled */
	X509 *guard_ca;
};

/* 0, or -EINVAL with the fault logged. `conf` and `trust` stay where they are until trust_fini(). */
int trust_init(struct trust *trust, const struct conf *conf, enum wire wire)
	__attribute__((warn_unused_result, nonnull));
/* The name of a CA for people. */
void trust_name_ca(const X509_NAME *ca, char name[CHANNEL_NAME_MAX]) __attribute__((nonnull));

void trust_fini(struct trust *trust) __attribute__((nonnull));

/*
 * Puts the CRLs of a bundle (crl_bundle.h) in the place of those that are in force; the descriptor stays the caller's.
 * Fills *told. 0, or -EINVAL: one of them is broken, weak, or not of the CA that it names, and nothing has changed.
 * Connections that are there go on; handshakes that are not over are checked by the new ones.
 */
int trust_take_crls(struct trust *trust, int bundle, struct msg_crls *told) __attribute__((warn_unused_result, nonnull));

/* What the check of an endpoint's certificate came to; SSL_get_app_data() of its SSL is one of these. */
struct trust_check {
	const char *domain;            /* that the certificate must prove */
	bool unnamed;                  /* the domain is not known yet: trust_names() is asked when it is */
	bool tolerant;                 /* one that does not may come all the same, as one of nobody */
	char doubt[CHANNEL_NAME_MAX];  /* why it did */
	void *owner;
	bool staple_judged;
	enum tls_failure failure;      /* if `reason` is set */
	char reason[CHANNEL_NAME_MAX];
};

/* Direct TLS: the rest of the check of a handshake that is over, when check->domain and check->tolerant are known. False:
 * check->failure and check->reason are filled. */
bool trust_names(const struct trust *trust, SSL *ssl, struct trust_check *check)
	__attribute__((warn_unused_result, nonnull));

/* The check of a handshake once more, for a chain (the endpoint's own certificate first) that was shown in an earlier one.
 * Says nothing in the trust_check of `ssl`. */
bool trust_checks_again(struct trust *trust, SSL *ssl, STACK_OF(X509) *chain) __attribute__((warn_unused_result, nonnull));

#endif
