/* Whom a wire believes: chains of every kind of badness, shown to its contexts by an endpoint that shows anything. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "dataplane/base/crl_bundle.h"
#include "tls/chain.h"
#include "tls/pins.h"
#include "tls/trust.h"
#include "tls_pki.h"

/* What all tests look at. Two wires would be alike: one is enough. */
struct bench {
	char folder[64];
	struct conf conf;
	struct pki root, guard_ca, guard;
	struct trust trust;
	uint8_t *staple;               /* what a server shows; NULL: none */
	int staple_bytes;
};

static void bench_file(const struct bench *b, char path[PATH_MAX], const char *name)
{
	snprintf(path, PATH_MAX, "%s/%s", b->folder, name);
}

static struct bench bench_new(const struct pki_spec *root)
{
	struct bench b = {.guard_ca = pki_ca("guard")};
	b.guard = pki_server("b.example", &b.guard_ca);
	struct conf_wire *wire = &b.conf.wire[WIRE_OUTSIDE];
	b.root = root ? pki_make(root, NULL) : pki_ca("root");
	assert_true(conf_tls_builtin("intermediate", &wire->tls));
	pki_folder_make(b.folder);
	bench_file(&b, wire->trust, "trust.pem");
	bench_file(&b, wire->ca_certificate, "ca.pem");
	pki_write_certificate(&b.root, wire->trust);
	pki_write_certificate(&b.guard_ca, wire->ca_certificate);
	return b;
}

static void bench_open(struct bench *b)
{
	assert_int_equal(trust_init(&b->trust, &b->conf, WIRE_OUTSIDE), 0);
}

static void bench_close(struct bench *b)
{
	trust_fini(&b->trust);
	pki_free(&b->root);
	pki_free(&b->guard_ca);
	pki_free(&b->guard);
	pki_folder_remove(b->folder);
}

/* --- a handshake in memory --- */

static SSL *endpoint(bool dials, const struct pki *leaf, const struct pki *cas, unsigned ca_count, int version)
{
	SSL_CTX *context = SSL_CTX_new(dials ? TLS_client_method() : TLS_server_method());
	SSL_CTX_set_security_level(context, 0);
	SSL_CTX_set_max_proto_version(context, version);
	assert_int_equal(SSL_CTX_use_certificate(context, leaf->certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(context, leaf->key), 1);
	for (unsigned i = 0; i < ca_count; i++)
		assert_int_equal(SSL_CTX_add1_chain_cert(context, cas[i].certificate), 1);
	SSL *ssl = SSL_new(context);
	SSL_CTX_free(context);
	assert_non_null(ssl);
	return ssl;
}

static int give_staple(SSL *ssl, void *bench)
{
	struct bench *b = bench;
	if (!b->staple)
		return SSL_TLSEXT_ERR_NOACK;
	SSL_set_tlsext_status_ocsp_resp(ssl, OPENSSL_memdup(b->staple, (size_t)b->staple_bytes), b->staple_bytes);
	return SSL_TLSEXT_ERR_OK;
}

static bool fails(SSL *ssl)
{
	ERR_clear_error();
	int rc = SSL_do_handshake(ssl);
	return rc != 1 && SSL_get_error(ssl, rc) != SSL_ERROR_WANT_READ;
}

static void join(SSL *a, SSL *b)
{
	BIO *one, *other;
	assert_int_equal(BIO_new_bio_pair(&one, 1 << 17, &other, 1 << 17), 1);
	SSL_set_bio(a, one, one);
	SSL_set_bio(b, other, other);
}

/* A certificate of the guard's own, so that a handshake towards a client comes to its verification. */
static SSL *guard(struct bench *b, bool accepts, struct trust_check *check)
{
	SSL *ssl = SSL_new(accepts ? b->trust.accept : b->trust.dial);
	assert_non_null(ssl);
	SSL_set_app_data(ssl, check);
	SSL_use_certificate(ssl, b->guard.certificate);
	SSL_use_PrivateKey(ssl, b->guard.key);
	SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return ssl;
}

/* What the guard says to an endpoint that shows this: `check`. */
static void shake(struct bench *b, bool of_server, const struct pki *leaf, const struct pki *cas, unsigned ca_count,
	int version, struct trust_check *check)
{
	SSL *own = guard(b, !of_server, check), *theirs = endpoint(!of_server, leaf, cas, ca_count, version);
	SSL_CTX_set_tlsext_status_cb(SSL_get_SSL_CTX(theirs), give_staple);
	SSL_CTX_set_tlsext_status_arg(SSL_get_SSL_CTX(theirs), b);
	join(own, theirs);
	if (of_server)
		SSL_set_connect_state(own), SSL_set_accept_state(theirs);
	else
		SSL_set_accept_state(own), SSL_set_connect_state(theirs);
	for (unsigned i = 0; i < 10 && !check->reason[0]; i++) {
		bool failed = fails(own);
		if (failed && !check->reason[0])
			fail_msg("handshake: %s", ERR_reason_error_string(ERR_peek_error()));
		(void)fails(theirs);
	}
	assert_true(check->reason[0] || SSL_is_init_finished(own));
	assert_int_equal(!check->reason[0], SSL_is_init_finished(own));
	SSL_free(own);
	SSL_free(theirs);
}

static void expect(struct bench *b, const char *what, bool of_server, const struct pki *leaf, const struct pki *cas,
	unsigned ca_count, const char *domain, int failure, const char *reason)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	for (unsigned v = 0; v < 2; v++) {
		struct trust_check check = {.domain = domain};
		shake(b, of_server, leaf, cas, ca_count, versions[v], &check);
		bool right = failure < 0 ? !check.reason[0]
					 : check.reason[0] && (int)check.failure == failure && strstr(check.reason, reason);
		if (!right)
			fail_msg("%s, of a %s: %d \"%s\" instead of %d \"%s\"", what, of_server ? "server" : "client",
				check.reason[0] ? (int)check.failure : -1, check.reason, failure, reason ? reason : "");
	}
}

/* --- root, one CA below it, leaf --- */

#define LEAF .names = {{PKI_DNS, "a.example", 0}}
#define SRV_LEAF .names = {{PKI_SRV, "_xmpp-server.a.example", 0}}
#define XMPP_LEAF .names = {{PKI_XMPP, "a.example", 0}}
#define ROOT .common_name = "root", .is_ca = true
#define SUB .common_name = "sub", .is_ca = true

enum who { CLIENT = 1, SERVER = 2, BOTH = 3 };

struct row {
	const char *what;
	struct pki_spec root, sub, leaf;
	enum who refused;              /* in which roles */
	int failure;
	const char *reason;
};

#define BAD(reason) BOTH, TLS_FAILED_CERTIFICATE, reason
#define NOT_PERMITTED BOTH, TLS_FAILED_NAME, "name constraints"
#define GOOD 0, -1, NULL

static const struct row rows[] = {
	{"all is well", {ROOT}, {SUB}, {LEAF}, GOOD},

	/* validity */
	{"leaf expired", {ROOT}, {SUB}, {LEAF, .from_s = -9000, .to_s = -60}, BAD("the certificate expired 20")},
	{"leaf not yet valid", {ROOT}, {SUB}, {LEAF, .from_s = 600}, BAD("the certificate is not valid before 20")},
	{"CA expired", {ROOT}, {SUB, .from_s = -9000, .to_s = -60}, {LEAF}, BAD("CA certificate 'sub' expired 20")},
	{"CA not yet valid", {ROOT}, {SUB, .from_s = 600}, {LEAF}, BAD("'sub' is not valid before 20")},
	{"root expired", {ROOT, .from_s = -9000, .to_s = -60}, {SUB}, {LEAF}, BAD("'root' expired 20")},

	/* keys */
	{"leaf of RSA 1024", {ROOT}, {SUB}, {LEAF, .rsa_bits = 1024}, BAD("the certificate has a weak key")},
	{"leaf of RSA 2040", {ROOT}, {SUB}, {LEAF, .rsa_bits = 2040}, BAD("the certificate has a weak key")},
	{"leaf of RSA 2048", {ROOT}, {SUB}, {LEAF, .rsa_bits = 2048}, GOOD},
	{"CA of RSA 1024", {ROOT}, {SUB, .rsa_bits = 1024}, {LEAF}, BAD("'sub' has a weak key")},
	{"root of RSA 1024", {ROOT, .rsa_bits = 1024}, {SUB}, {LEAF}, BAD("'root' has a weak key")},
	{"CA on P-192", {ROOT}, {SUB, .curve = "P-192"}, {LEAF}, BAD("'sub' has a weak key")},
	{"CA on P-224", {ROOT}, {SUB, .curve = "P-224"}, {LEAF}, GOOD},
	{"leaf on P-384", {ROOT}, {SUB}, {LEAF, .curve = "P-384"}, GOOD},

	/* signatures */
	{"leaf by SHA-1", {ROOT}, {SUB}, {LEAF, .digest = "SHA1"}, BAD("the certificate has a weak signature")},
	{"leaf by MD5", {ROOT}, {SUB, .rsa_bits = 2048}, {LEAF, .digest = "MD5"}, BAD("the certificate has a weak sig")},
	{"CA by SHA-1", {ROOT}, {SUB, .digest = "SHA1"}, {LEAF}, BAD("'sub' has a weak signature")},
	{"root by SHA-1, which nobody relies on", {ROOT, .digest = "SHA1"}, {SUB}, {LEAF}, GOOD},
	{"leaf by SHA-512", {ROOT}, {SUB}, {LEAF, .digest = "SHA512"}, GOOD},

	/* purpose */
	{"for servers only", {ROOT}, {SUB}, {LEAF, .usage = "serverAuth"}, GOOD},
	{"CA for servers only", {ROOT}, {SUB, .usage = "serverAuth"}, {LEAF}, GOOD},
	{"for clients only", {ROOT}, {SUB}, {LEAF, .usage = "clientAuth"}, SERVER, TLS_FAILED_CERTIFICATE, "not for TLS of"},
	{"CA for clients only", {ROOT}, {SUB, .usage = "clientAuth"}, {LEAF}, SERVER, TLS_FAILED_CERTIFICATE, "'sub' is not"},
	{"for no purpose in particular", {ROOT}, {SUB}, {LEAF, .usage = ""}, GOOD},
	{"for mail", {ROOT}, {SUB}, {LEAF, .usage = "emailProtection"}, BAD("the certificate is not for TLS of servers")},
	{"CA for mail", {ROOT}, {SUB, .usage = "emailProtection"}, {LEAF}, BAD("'sub' is not for TLS of servers")},
	{"CA for clients, leaf for servers", {ROOT}, {SUB, .usage = "clientAuth"}, {LEAF, .usage = "serverAuth"},
		BAD("is not for TLS of servers")},

	/* who is a CA */
	{"a leaf as CA", {ROOT}, {.common_name = "sub"}, {LEAF}, BAD("'sub'")},
	{"CA without basicConstraints", {ROOT}, {SUB, .basic = ""}, {LEAF}, BAD("'sub' is not that of a CA")},
	{"CA that may not sign", {ROOT}, {SUB, .key_usage = "critical,cRLSign"}, {LEAF}, BAD("'sub' is not that of a CA")},
	{"CA without keyUsage", {ROOT}, {SUB, .key_usage = ""}, {LEAF}, GOOD},
	{"root without keyUsage and basicConstraints", {ROOT, .key_usage = "", .basic = ""}, {SUB}, {LEAF}, BAD("'root'")},
	{"path length", {ROOT, .basic = "critical,CA:TRUE,pathlen:0"}, {SUB}, {LEAF}, BAD("path length")},
	{"path length that fits", {ROOT, .basic = "critical,CA:TRUE,pathlen:1"}, {SUB}, {LEAF}, GOOD},

	/* name constraints */
	{"DNS-ID permitted", {ROOT}, {SUB, .constraints = "critical,permitted;DNS:a.example"}, {LEAF}, GOOD},
	{"DNS-ID permitted above", {ROOT}, {SUB, .constraints = "critical,permitted;DNS:example"}, {LEAF}, GOOD},
	{"DNS-ID not permitted", {ROOT}, {SUB, .constraints = "critical,permitted;DNS:b.example"}, {LEAF},
		BAD("has a name that its CA may not certify")},
	{"DNS-ID excluded", {ROOT}, {SUB, .constraints = "critical,excluded;DNS:example"}, {LEAF},
		BAD("has a name that its CA may not certify")},
	{"SRV-ID permitted", {ROOT}, {SUB, .constraints = "critical,permitted;DNS:a.example"}, {SRV_LEAF}, GOOD},
	{"SRV-ID not permitted", {ROOT}, {SUB, .constraints = "critical,permitted;DNS:b.example"}, {SRV_LEAF}, NOT_PERMITTED},
	{"SRV-ID not permitted, not critical", {ROOT}, {SUB, .constraints = "permitted;DNS:b.example"}, {SRV_LEAF},
		NOT_PERMITTED},
	{"SRV-ID beside", {ROOT}, {SUB, .constraints = "critical,permitted;DNS:xa.example"}, {SRV_LEAF}, NOT_PERMITTED},
	{"SRV-ID where only what is below is permitted", {ROOT}, {SUB, .constraints = "critical,permitted;DNS:.a.example"},
		{SRV_LEAF}, NOT_PERMITTED},
	{"SRV-ID excluded", {ROOT}, {SUB, .constraints = "critical,excluded;DNS:a.example"}, {SRV_LEAF}, NOT_PERMITTED},
	{"SRV-ID excluded above", {ROOT}, {SUB, .constraints = "critical,excluded;DNS:Example"}, {SRV_LEAF}, NOT_PERMITTED},
	{"SRV-ID not excluded", {ROOT}, {SUB, .constraints = "critical,excluded;DNS:b.example"}, {SRV_LEAF}, GOOD},
	{"SRV-ID permitted and excluded", {ROOT},
		{SUB, .constraints = "critical,permitted;DNS:example,excluded;DNS:a.example"}, {SRV_LEAF}, NOT_PERMITTED},
	{"SRV-ID not permitted by the root", {ROOT, .constraints = "critical,permitted;DNS:b.example"}, {SUB}, {SRV_LEAF},
		NOT_PERMITTED},
	{"SRV-ID under constraints on mail", {ROOT}, {SUB, .constraints = "critical,permitted;email:b.example"}, {SRV_LEAF},
		GOOD},
	{"SRV-ID under constraints on SRV-IDs", {ROOT},
		{SUB, .constraints = "critical,permitted;otherName:1.3.6.1.5.5.7.8.7;IA5STRING:b.example"}, {SRV_LEAF},
		BAD("")},
	{"xmppAddr permitted", {ROOT}, {SUB, .constraints = "critical,permitted;DNS:a.example"}, {XMPP_LEAF}, GOOD},
	{"xmppAddr not permitted", {ROOT}, {SUB, .constraints = "critical,permitted;DNS:b.example"}, {XMPP_LEAF},
		NOT_PERMITTED},
	{"xmppAddr excluded", {ROOT}, {SUB, .constraints = "critical,excluded;DNS:a.example"}, {XMPP_LEAF}, NOT_PERMITTED},
	{"wildcard over what is excluded", {ROOT}, {SUB, .constraints = "critical,excluded;DNS:a.example"},
		{.names = {{PKI_DNS, "*.example", 0}, {PKI_DNS, "x.example", 0}, {PKI_SRV, "_xmpp-server.a.example", 0}}},
		NOT_PERMITTED},

	/* names */
	{"another name", {ROOT}, {SUB}, {.names = {{PKI_DNS, "b.example", 0}, {PKI_XMPP, "c\n\"\xc3\xa9.example", 0}}}, BOTH,
		TLS_FAILED_NAME, "the certificate is for b.example, c????.example, not for a.example"},
	{"no name", {ROOT}, {SUB}, {.common_name = "a.example"}, BOTH, TLS_FAILED_NAME, "for nobody, not for a.example"},
};

static void every_kind_of_chain(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *row = &rows[i];
		struct bench b = bench_new(&row->root);
		struct pki sub = pki_make(&row->sub, &b.root), leaf = pki_make(&row->leaf, &sub);
		bench_open(&b);
		for (unsigned of_server = 0; of_server < 2; of_server++) {
			bool bad = row->refused & (of_server ? SERVER : CLIENT);
			expect(&b, row->what, of_server, &leaf, &sub, 1, "a.example", bad ? row->failure : -1, row->reason);
		}
		pki_free(&sub);
		pki_free(&leaf);
		bench_close(&b);
	}
}

static void a_wildcard_stands_for_nothing_excluded(void **state)
{
	(void)state;
	struct bench b = bench_new(NULL);
	const struct pki_spec spec = {SUB, .constraints = "critical,excluded;DNS:x.a.example"};
	struct pki sub = pki_make(&spec, &b.root), leaf = pki_server("*.a.example", &sub);
	bench_open(&b);
	expect(&b, "beside", true, &leaf, &sub, 1, "y.a.example", -1, NULL);
	expect(&b, "excluded", true, &leaf, &sub, 1, "x.a.example", TLS_FAILED_NAME, "name constraints");
	pki_free(&sub);
	pki_free(&leaf);
	bench_close(&b);
}

static void internationalised(void **state)
{
	(void)state;
	struct bench b = bench_new(NULL);
	const struct pki_spec spec = {.names = {{PKI_XMPP, "b\xc3\xbc" "cher.example", 0}}};
	const struct pki_spec limited = {SUB, .constraints = "critical,permitted;DNS:xn--bcher-kva.example"};
	const struct pki_spec elsewhere = {SUB, .constraints = "critical,permitted;DNS:bucher.example"};
	struct pki sub = pki_make(&limited, &b.root), leaf = pki_make(&spec, &sub);
	struct pki other = pki_make(&elsewhere, &b.root), bad = pki_make(&spec, &other);
	bench_open(&b);
	expect(&b, "U-labels", true, &leaf, &sub, 1, "xn--bcher-kva.example", -1, NULL);
	expect(&b, "another domain", true, &leaf, &sub, 1, "bucher.example", TLS_FAILED_NAME, "is for b??cher.example");
	expect(&b, "not permitted", true, &bad, &other, 1, "xn--bcher-kva.example", TLS_FAILED_NAME, "constraints");
	pki_free(&sub);
	pki_free(&leaf);
	pki_free(&other);
	pki_free(&bad);
	bench_close(&b);
}

static void chain_of(struct bench *b, unsigned length, int failure, const char *reason)
{
	struct pki cas[16] = {{NULL, NULL}};
	const struct pki *issuer = &b->root;
	for (unsigned i = length; i-- > 0; issuer = &cas[i]) {
		char name[32];
		snprintf(name, sizeof(name), "CA %u", i);
		const struct pki_spec spec = {.common_name = name, .is_ca = true};
		cas[i] = pki_make(&spec, issuer);
	}
	struct pki leaf = pki_server("a.example", issuer);
	for (unsigned of_server = 0; of_server < 2; of_server++)
		expect(b, "long chain", of_server, &leaf, cas, length, "a.example", failure, reason);
	for (unsigned i = 0; i < length; i++)
		pki_free(&cas[i]);
	pki_free(&leaf);
}

static void long_chains(void **state)
{
	(void)state;
	struct bench b = bench_new(NULL);
	bench_open(&b);
	chain_of(&b, 0, -1, NULL);
	chain_of(&b, 8, -1, NULL);
	chain_of(&b, 9, TLS_FAILED_CERTIFICATE, "");
	bench_close(&b);
}

static void strangers(void **state)
{
	(void)state;
	struct bench b = bench_new(NULL);
	/* Its own CA has the name of ours, and it comes along with it. */
	struct pki other = pki_ca("root"), leaf = pki_server("a.example", &other), own = pki_server("a.example", NULL);
	bench_open(&b);
	for (unsigned of_server = 0; of_server < 2; of_server++) {
		expect(&b, "CA of our CA's name", of_server, &leaf, &other, 1, "a.example", TLS_FAILED_CERTIFICATE,
			"signature failure");
		expect(&b, "self-signed", of_server, &own, NULL, 0, "a.example", TLS_FAILED_CERTIFICATE, "is self-signed");
	}
	pki_free(&other);
	pki_free(&leaf);
	pki_free(&own);
	bench_close(&b);
}

/* --- CRLs --- */

static void bundle_put(int bundle, const char *name, const void *bytes, size_t n)
{
	struct crl_file head = {.bytes = n};
	snprintf(head.name, sizeof(head.name), "%s", name);
	assert_int_equal(write(bundle, &head, sizeof(head)), sizeof(head));
	assert_int_equal(write(bundle, bytes, n), n);
}

static void bundle_put_crl(int bundle, X509_CRL *crl, bool pem)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes;
	assert_int_equal(pem ? PEM_write_bio_X509_CRL(bio, crl) : i2d_X509_CRL_bio(bio, crl), 1);
	long n = BIO_get_mem_data(bio, &bytes);
	bundle_put(bundle, "x.crl", bytes, (size_t)n);
	BIO_free(bio);
	X509_CRL_free(crl);
}

static int bundle_new(void)
{
	int bundle = memfd_create("bundle", MFD_CLOEXEC);
	assert_true(bundle >= 0);
	return bundle;
}

/* Takes both over; NULL: none. */
static int take(struct bench *b, X509_CRL *one, X509_CRL *other, struct msg_crls *told)
{
	int bundle = bundle_new();
	if (one)
		bundle_put_crl(bundle, one, true);
	if (other)
		bundle_put_crl(bundle, other, false);
	int rc = trust_take_crls(&b->trust, bundle, told);
	close(bundle);
	return rc;
}

struct chain {
	struct pki sub, leaf;
};

static struct chain chain_new(const struct bench *b)
{
	const struct pki_spec spec = {SUB};
	struct chain chain = {.sub = pki_make(&spec, &b->root)};
	chain.leaf = pki_server("a.example", &chain.sub);
	return chain;
}

static void chain_free(struct chain *chain)
{
	pki_free(&chain->leaf);
	pki_free(&chain->sub);
}

static void both_roles(struct bench *b, const char *what, const struct chain *chain, const char *reason)
{
	for (unsigned of_server = 0; of_server < 2; of_server++)
		expect(b, what, of_server, &chain->leaf, &chain->sub, 1, "a.example", reason ? TLS_FAILED_CERTIFICATE : -1, reason);
}

static void revoked_certificates(void **state)
{
	(void)state;
	struct bench b = bench_new(NULL);
	struct chain chain = chain_new(&b);
	struct msg_crls told;
	static const enum conf_crl_check checks[] = {CRL_CHECK_IF_PRESENT, CRL_CHECK_REQUIRED};
	bench_open(&b);
	for (unsigned i = 0; i < 2; i++) {
		b.conf.wire[WIRE_OUTSIDE].crl_check = checks[i];
		uint64_t generation = b.trust.generation;
		assert_int_equal(take(&b, pki_crl(&b.root, NULL, 0, 0, NULL), pki_crl(&chain.sub, NULL, 0, 0, NULL), &told), 0);
		assert_int_equal(told.count, 2);
		assert_int_equal(b.trust.generation, generation + 1);
		both_roles(&b, "nobody revoked", &chain, NULL);
		assert_int_equal(
			take(&b, pki_crl(&b.root, NULL, 0, 0, NULL), pki_crl(&chain.sub, &chain.leaf, 0, 0, NULL), &told), 0);
		both_roles(&b, "leaf revoked", &chain, "the certificate was revoked by 'sub' 20");
		assert_int_equal(
			take(&b, pki_crl(&b.root, &chain.sub, 0, 0, NULL), pki_crl(&chain.sub, NULL, 0, 0, NULL), &told), 0);
		both_roles(&b, "CA revoked", &chain, "the CA certificate 'sub' was revoked by 'root' 20");
	}
	b.conf.wire[WIRE_OUTSIDE].crl_check = CRL_CHECK_NONE;
	both_roles(&b, "not asked", &chain, NULL);
	chain_free(&chain);
	bench_close(&b);
}

static void crls_that_lack(void **state)
{
	(void)state;
	struct bench b = bench_new(NULL);
	struct chain chain = chain_new(&b);
	struct msg_crls told;
	enum conf_crl_check *check = &b.conf.wire[WIRE_OUTSIDE].crl_check;
	bench_open(&b);
	*check = CRL_CHECK_REQUIRED;
	both_roles(&b, "no CRLs at all", &chain, "the CRL of 'sub' is not at hand");
	assert_int_equal(take(&b, pki_crl(&b.root, NULL, 0, 0, NULL), NULL, &told), 0);
	both_roles(&b, "none for the leaf", &chain, "the CRL of 'sub' is not at hand");
	*check = CRL_CHECK_IF_PRESENT;
	both_roles(&b, "none for the leaf, nor needed", &chain, NULL);
	*check = CRL_CHECK_REQUIRED;
	assert_int_equal(take(&b, NULL, pki_crl(&chain.sub, NULL, 0, 0, NULL), &told), 0);
	both_roles(&b, "none for the CA", &chain, "'sub' was revoked is not known: the CRL of 'root' is not at hand");

	assert_int_equal(take(&b, pki_crl(&b.root, NULL, 0, 0, NULL), pki_crl(&chain.sub, NULL, -9000, -60, NULL), &told), 0);
	both_roles(&b, "out of date", &chain, "the CRL of 'sub' is out of date");
	*check = CRL_CHECK_IF_PRESENT;
	both_roles(&b, "out of date, where that may be", &chain, NULL);
	assert_int_equal(
		take(&b, pki_crl(&b.root, NULL, 0, 0, NULL), pki_crl(&chain.sub, &chain.leaf, -9000, -60, NULL), &told), 0);
	both_roles(&b, "revoked long ago", &chain, "the certificate was revoked");
	chain_free(&chain);
	bench_close(&b);
}

/* A CRL of a name that is not in the store is checked when the CA's certificate comes: it must be the same CA. */
static void crl_by_a_stranger(void **state)
{
	(void)state;
	struct bench b = bench_new(NULL);
	struct chain chain = chain_new(&b);
	struct pki stranger = pki_ca("sub");
	struct msg_crls told;
	bench_open(&b);
	b.conf.wire[WIRE_OUTSIDE].crl_check = CRL_CHECK_IF_PRESENT;
	assert_int_equal(take(&b, pki_crl(&stranger, NULL, 0, 0, NULL), NULL, &told), 0);
	both_roles(&b, "CRL of another CA of that name", &chain, "bad signature");
	pki_free(&stranger);
	chain_free(&chain);
	bench_close(&b);
}

static void expect_refused(struct bench *b, const struct chain *chain, int bundle, const char *reason)
{
	struct msg_crls told;
	uint64_t generation = b->trust.generation;
	assert_int_equal(trust_take_crls(&b->trust, bundle, &told), -EINVAL);
	close(bundle);
	assert_int_equal(told.refused, 1);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.wire, WIRE_OUTSIDE);
	if (!strstr(told.reason, reason))
		fail_msg("\"%s\" instead of \"%s\"", told.reason, reason);
	assert_int_equal(b->trust.generation, generation);
	both_roles(b, "the old ones", chain, "was revoked by 'sub'");
}

static int bundle_of(const char *name, const void *bytes, size_t n)
{
	int bundle = bundle_new();
	bundle_put(bundle, name, bytes, n);
	return bundle;
}

static int bundle_of_crl(X509_CRL *crl)
{
	int bundle = bundle_new();
	bundle_put_crl(bundle, crl, true);
	return bundle;
}

static void broken_crls_change_nothing(void **state)
{
	(void)state;
	struct bench b = bench_new(NULL);
	struct chain chain = chain_new(&b);
	struct pki stranger = pki_ca("root");
	struct msg_crls told;
	bench_open(&b);
	b.conf.wire[WIRE_OUTSIDE].crl_check = CRL_CHECK_IF_PRESENT;
	assert_int_equal(take(&b, pki_crl(&chain.sub, &chain.leaf, 0, 0, NULL), NULL, &told), 0);
	expect_refused(&b, &chain, bundle_of("empty.crl", "", 0), "empty.crl: not a CRL");
	expect_refused(&b, &chain, bundle_of("der.crl", "\x30\x03\x02\x01", 4), "der.crl: not a CRL");
	expect_refused(&b, &chain, bundle_of("half.crl", "-----BEGIN X509 CRL-----\nMIIB", 29), "half.crl: not a CRL");
	expect_refused(&b, &chain, bundle_of_crl(pki_crl(&b.root, NULL, 0, 0, "SHA1")), "x.crl: a CRL with a weak signature");
	expect_refused(&b, &chain, bundle_of_crl(pki_crl(&stranger, NULL, 0, 0, NULL)), "has not signed");
	struct crl_file head = {.bytes = CRL_UNREADABLE, .name = "gone.crl"};
	int bundle = bundle_new();
	assert_int_equal(write(bundle, &head, sizeof(head)), sizeof(head));
	expect_refused(&b, &chain, bundle, "gone.crl: it cannot be read");
	bundle = bundle_new();
	head.bytes = 1;
	assert_int_equal(write(bundle, &head, sizeof(head)), sizeof(head));
	expect_refused(&b, &chain, bundle, "torn");
	bundle = bundle_new();
	assert_int_equal(write(bundle, &head, 7), 7);
	expect_refused(&b, &chain, bundle, "torn");
	/* Nothing at all is right: an empty folder. */
	assert_int_equal(take(&b, NULL, NULL, &told), 0);
	both_roles(&b, "none any more", &chain, NULL);
	pki_free(&stranger);
	chain_free(&chain);
	bench_close(&b);
}

/* Signed anew by that key, with RSA-PSS if `pss`. */
static bool is_strong(EVP_PKEY *key, const EVP_MD *digest, bool pss)
{
	struct pki ca = pki_ca("ca");
	X509_CRL *crl = pki_crl(&ca, NULL, 0, 0, NULL);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *parameters;
	const X509_ALGOR *algorithm;
	assert_int_equal(EVP_DigestSignInit(context, &parameters, digest, NULL, key), 1);
	if (pss)
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING), 1);
	assert_true(X509_CRL_sign_ctx(crl, context) > 0);
	X509_CRL_get0_signature(crl, NULL, &algorithm);
	bool strong = chain_signature_is_strong(algorithm);
	EVP_MD_CTX_free(context);
	X509_CRL_free(crl);
	EVP_PKEY_free(key);
	pki_free(&ca);
	return strong;
}

static void signatures_of_crls(void **state)
{
	(void)state;
	assert_true(is_strong(EVP_RSA_gen(2048), EVP_sha256(), false));
	assert_false(is_strong(EVP_RSA_gen(2048), EVP_sha1(), false));
	assert_false(is_strong(EVP_RSA_gen(2048), EVP_md5(), false));
	assert_true(is_strong(EVP_RSA_gen(2048), EVP_sha384(), true));
	assert_false(is_strong(EVP_RSA_gen(2048), EVP_sha1(), true));
	assert_true(is_strong(EVP_EC_gen("P-384"), EVP_sha384(), false));
	assert_false(is_strong(EVP_EC_gen("P-256"), EVP_sha1(), false));
	assert_true(is_strong(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, false));
}

/* --- pins --- */

static void pinned_peers(void **state)
{
	(void)state;
	struct bench b = bench_new(NULL);
	struct conf_peer peers[2] = {{.domain = "*.example"}, {.domain = "b.example"}};
	struct chain chain = chain_new(&b), other = chain_new(&b);
	b.conf.peers = peers;
	b.conf.peer_count = 2;
	bench_open(&b);
	both_roles(&b, "no pins", &chain, NULL);
	for (unsigned of_key = 0; of_key < 2; of_key++) {
		peers[0].pin_count = 2;
		peers[0].pins[0] = (struct conf_pin){.of_key = !of_key, .sha256 = {1}};
		peers[0].pins[1].of_key = of_key;
		(of_key ? key_fingerprint : fingerprint)(chain.leaf.certificate, peers[0].pins[1].sha256);
		both_roles(&b, "the one that is pinned", &chain, NULL);
		for (unsigned of_server = 0; of_server < 2; of_server++)
			expect(&b, "another one", of_server, &other.leaf, &other.sub, 1, "a.example", TLS_FAILED_PIN,
				"it matches no pin: certificate:");
	}
	/* The pins of another peer do not count; nor do those of peers for our own servers. */
	struct pki of_b = pki_server("b.example", &chain.sub);
	expect(&b, "a peer without pins", true, &of_b, &chain.sub, 1, "b.example", -1, NULL);
	b.trust.wire = WIRE_INSIDE;
	both_roles(&b, "another wire", &other, NULL);
	/* What is not verified is not compared. */
	b.trust.wire = WIRE_OUTSIDE;
	struct pki own = pki_server("a.example", NULL);
	fingerprint(own.certificate, peers[0].pins[0].sha256);
	peers[0].pins[0].of_key = false;
	expect(&b, "pinned and self-signed", true, &own, NULL, 0, "a.example", TLS_FAILED_CERTIFICATE, "self-signed");
	pki_free(&own);
	pki_free(&of_b);
	chain_free(&chain);
	chain_free(&other);
	bench_close(&b);
}

/* --- doubts --- */

/* A peer at a level that tolerates what proves nothing: `reason` says whether it is a doubt, or refused all the same. */
static void expect_tolerated(struct bench *b, const char *what, const struct pki *leaf, const struct chain *chain,
	bool doubted, const char *reason)
{
	for (unsigned i = 0; i < 4; i++) {
		struct trust_check check = {.domain = "a.example", .tolerant = true};
		shake(b, i & 1, leaf, &chain->sub, 1, i & 2 ? TLS1_2_VERSION : TLS1_3_VERSION, &check);
		const char *said = doubted ? check.doubt : check.reason, *unsaid = doubted ? check.reason : check.doubt;
		if (*unsaid || !strstr(said, reason))
			fail_msg("%s: doubt \"%s\", reason \"%s\"", what, check.doubt, check.reason);
	}
}

static void what_is_known_to_be_bad_is_no_doubt(void **state)
{
	(void)state;
	struct bench b = bench_new(NULL);
	struct chain chain = chain_new(&b);
	const struct pki_spec expired = {LEAF, .from_s = -9000, .to_s = -60},
		other_name = {.names = {{PKI_DNS, "c.example", 0}}}, other_purpose = {LEAF, .usage = "codeSigning"},
		weak = {LEAF, .rsa_bits = 1024};
	const struct {
		const char *what, *reason;
		struct pki leaf;
	} cases[] = {
		{"expired", "expired", pki_make(&expired, &chain.sub)},
		{"another name", "c.example", pki_make(&other_name, &chain.sub)},
		{"another purpose", "", pki_make(&other_purpose, &chain.sub)},
		{"weak", "", pki_make(&weak, &chain.sub)},
	};
	struct msg_crls told;
	bench_open(&b);
	b.conf.wire[WIRE_OUTSIDE].crl_check = CRL_CHECK_IF_PRESENT;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(take(&b, pki_crl(&chain.sub, NULL, 0, 0, NULL), NULL, &told), 0);
		expect_tolerated(&b, cases[i].what, &cases[i].leaf, &chain, true, cases[i].reason);
		assert_int_equal(take(&b, pki_crl(&chain.sub, &cases[i].leaf, 0, 0, NULL), NULL, &told), 0);
		expect_tolerated(&b, cases[i].what, &cases[i].leaf, &chain, false, "revoked");
	}
	struct pki own = pki_server("a.example", NULL);
	expect_tolerated(&b, "self-signed", &own, &chain, true, "self-signed");
	struct conf_peer pinned = {.domain = "a.example", .pin_count = 1, .pins = {{.sha256 = {1}}}};
	b.conf.peers = &pinned;
	b.conf.peer_count = 1;
	expect_tolerated(&b, "self-signed and pinned", &own, &chain, false, "self-signed");
	expect_tolerated(&b, "another one than is pinned", &chain.leaf, &chain, false, "it matches no pin");
	pki_free(&own);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		pki_free((struct pki *)&cases[i].leaf);
	chain_free(&chain);
	bench_close(&b);
}

/* --- staples --- */

enum signer { BY_CA, BY_DELEGATE, BY_ROOTS_DELEGATE, BY_MERE_LEAF, BY_STRANGER, BY_WEAK_DELEGATE, SIGNERS };

struct staple_row {
	const char *what;
	int status;
	long from_s, to_s;             /* 0: since an hour; no end */
	enum signer signer;
	const char *digest;
	bool of_another;
	const char *reason;            /* NULL: fine */
};

static const struct staple_row staples[] = {
	{"good", V_OCSP_CERTSTATUS_GOOD, 0, 3600, BY_CA, NULL, false, NULL},
	{"good, by a delegate", V_OCSP_CERTSTATUS_GOOD, 0, 3600, BY_DELEGATE, NULL, false, NULL},
	{"good, without an end", V_OCSP_CERTSTATUS_GOOD, 0, 0, BY_CA, NULL, false, NULL},
	{"old, without an end", V_OCSP_CERTSTATUS_GOOD, -8 * 86400, 0, BY_CA, NULL, false, "out of date"},
	{"revoked", V_OCSP_CERTSTATUS_REVOKED, 0, 3600, BY_CA, NULL, false, "was revoked, says its OCSP staple"},
	{"revoked, by a delegate", V_OCSP_CERTSTATUS_REVOKED, 0, 3600, BY_DELEGATE, NULL, false, "was revoked, says"},
	{"unknown", V_OCSP_CERTSTATUS_UNKNOWN, 0, 3600, BY_CA, NULL, false, "is unknown to its CA"},
	{"out of date", V_OCSP_CERTSTATUS_GOOD, -7200, -3600, BY_CA, NULL, false, "out of date"},
	{"not valid yet", V_OCSP_CERTSTATUS_GOOD, 3600, 7200, BY_CA, NULL, false, "out of date"},
	{"of another", V_OCSP_CERTSTATUS_GOOD, 0, 3600, BY_CA, NULL, true, "about another certificate"},
	{"by SHA-1", V_OCSP_CERTSTATUS_GOOD, 0, 3600, BY_CA, "SHA1", false, "no good signature"},
	{"by the delegate of another CA", V_OCSP_CERTSTATUS_GOOD, 0, 3600, BY_ROOTS_DELEGATE, NULL, false, "no good sig"},
	{"by a certificate for something else", V_OCSP_CERTSTATUS_GOOD, 0, 3600, BY_MERE_LEAF, NULL, false, "no good sig"},
	{"by a stranger", V_OCSP_CERTSTATUS_GOOD, 0, 3600, BY_STRANGER, NULL, false, "no good signature"},
	{"by a weak delegate", V_OCSP_CERTSTATUS_GOOD, 0, 3600, BY_WEAK_DELEGATE, NULL, false, "no good signature"},
};

static ASN1_TIME *from_now(long seconds)
{
	return X509_gmtime_adj(NULL, seconds);
}

static void staple_put(struct bench *b, OCSP_RESPONSE *response)
{
	OPENSSL_free(b->staple);
	b->staple = NULL;
	b->staple_bytes = response ? i2d_OCSP_RESPONSE(response, &b->staple) : 0;
	OCSP_RESPONSE_free(response);
}

static void staple_make(struct bench *b, const struct staple_row *row, const struct chain *chain, const struct pki *of,
	const struct pki *signer)
{
	OCSP_BASICRESP *answer = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), of->certificate, chain->sub.certificate);
	ASN1_TIME *from = from_now(row->from_s ? row->from_s : -3600), *until = row->to_s ? from_now(row->to_s) : NULL;
	assert_non_null(OCSP_basic_add1_status(answer, id, row->status, 0, from, from, until));
	assert_int_equal(OCSP_basic_sign(answer, signer->certificate, signer->key,
				 row->digest ? EVP_get_digestbyname(row->digest) : EVP_sha256(), NULL, 0), 1);
	staple_put(b, OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, answer));
	OCSP_BASICRESP_free(answer);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
}

static void make_signers(struct bench *b, const struct chain *chain, struct pki signer[SIGNERS])
{
	const struct pki_spec delegate = {.common_name = "delegate", .usage = "OCSPSigning"};
	const struct pki_spec weak = {.common_name = "weak", .usage = "OCSPSigning", .rsa_bits = 1024};
	signer[BY_DELEGATE] = pki_make(&delegate, &chain->sub);
	signer[BY_ROOTS_DELEGATE] = pki_make(&delegate, &b->root);
	signer[BY_WEAK_DELEGATE] = pki_make(&weak, &chain->sub);
	signer[BY_MERE_LEAF] = pki_server("a.example", &chain->sub);
	signer[BY_STRANGER] = pki_ca("sub");
}

static void stapled_answers(void **state)
{
	(void)state;
	struct bench b = bench_new(NULL);
	struct chain chain = chain_new(&b);
	struct pki signer[SIGNERS] = {{NULL, NULL}}, other = pki_server("a.example", &chain.sub);
	make_signers(&b, &chain, signer);
	signer[BY_CA] = chain.sub;
	bench_open(&b);
	for (unsigned i = 0; i < sizeof(staples) / sizeof(*staples); i++) {
		const struct staple_row *row = &staples[i];
		staple_make(&b, row, &chain, row->of_another ? &other : &chain.leaf, &signer[row->signer]);
		expect(&b, row->what, true, &chain.leaf, &chain.sub, 1, "a.example", row->reason ? TLS_FAILED_CERTIFICATE : -1,
			row->reason);
	}
	staple_put(&b, OCSP_response_create(OCSP_RESPONSE_STATUS_TRYLATER, NULL));
	expect(&b, "try later", true, &chain.leaf, &chain.sub, 1, "a.example", TLS_FAILED_CERTIFICATE, "is no answer");
	b.staple_bytes--;
	expect(&b, "torn", true, &chain.leaf, &chain.sub, 1, "a.example", TLS_FAILED_CERTIFICATE, "is no answer");
	staple_put(&b, NULL);
	for (enum signer s = BY_DELEGATE; s < SIGNERS; s++)
		pki_free(&signer[s]);
	pki_free(&other);
	chain_free(&chain);
	bench_close(&b);
}

static void demanded_staples(void **state)
{
	(void)state;
	struct bench b = bench_new(NULL);
	struct chain chain = chain_new(&b);
	const struct pki_spec demanding = {LEAF, .features = "status_request"}, other = {LEAF, .features = "17"};
	pki_free(&chain.leaf);
	chain.leaf = pki_make(&demanding, &chain.sub);
	bench_open(&b);
	expect(&b, "none", true, &chain.leaf, &chain.sub, 1, "a.example", TLS_FAILED_CERTIFICATE, "demands an OCSP staple");
	expect(&b, "of a client", false, &chain.leaf, &chain.sub, 1, "a.example", -1, NULL);
	staple_make(&b, &staples[0], &chain, &chain.leaf, &chain.sub);
	expect(&b, "one", true, &chain.leaf, &chain.sub, 1, "a.example", -1, NULL);
	staple_put(&b, NULL);
	pki_free(&chain.leaf);
	chain.leaf = pki_make(&other, &chain.sub);
	expect(&b, "another feature", true, &chain.leaf, &chain.sub, 1, "a.example", -1, NULL);
	chain_free(&chain);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_chain),
		cmocka_unit_test(a_wildcard_stands_for_nothing_excluded),
		cmocka_unit_test(internationalised),
		cmocka_unit_test(long_chains),
		cmocka_unit_test(strangers),
		cmocka_unit_test(revoked_certificates),
		cmocka_unit_test(crls_that_lack),
		cmocka_unit_test(crl_by_a_stranger),
		cmocka_unit_test(broken_crls_change_nothing),
		cmocka_unit_test(signatures_of_crls),
		cmocka_unit_test(pinned_peers),
		cmocka_unit_test(what_is_known_to_be_bad_is_no_doubt),
		cmocka_unit_test(stapled_answers),
		cmocka_unit_test(demanded_staples),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
