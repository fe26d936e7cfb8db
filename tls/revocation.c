/* Lists of revoked certificates; see revocation.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "dataplane/base/crl_bundle.h"
#include "chain.h"
#include "revocation.h"

#define WHOLE "CRLs" /* what is told of them together, where it is none of the files */

struct reading {
	X509_STORE *store;
	unsigned count;
	char file[CRL_FILE_NAME_MAX];  /* the one that is read */
	char *reason;                  /* of CHANNEL_NAME_MAX */
};

static bool fault(struct reading *reading, const char *what)
{
	if (!*reading->reason)
		snprintf(reading->reason, CHANNEL_NAME_MAX, "%s: %s", reading->file, what);
	return false;
}

/* --- one CRL --- */

/* Those of CAs in between, whose certificates come with handshakes, are checked then. */
static bool is_of_its_issuer(X509_STORE *store, X509_CRL *crl)
{
	STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);
	bool found = false, signed_by_it = false;
	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		X509 *ca = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
		if (!ca || X509_NAME_cmp(X509_get_subject_name(ca), X509_CRL_get_issuer(crl)) != 0)
			continue;
		found = true;
		signed_by_it = signed_by_it || X509_CRL_verify(crl, X509_get0_pubkey(ca)) == 1;
	}
	return !found || signed_by_it;
}

static bool add(struct reading *reading, X509_CRL *crl)
{
	if (!X509_CRL_get0_nextUpdate(crl))
		return fault(reading, "a CRL that does not say until when it is valid");
	const X509_ALGOR *algorithm;
	X509_CRL_get0_signature(crl, NULL, &algorithm);
	if (!chain_signature_is_strong(algorithm))
		return fault(reading, "a CRL with a weak signature");
	if (!is_of_its_issuer(reading->store, crl))
		return fault(reading, "a CRL that the CA which it names has not signed");
	if (X509_STORE_add_crl(reading->store, crl) != 1)
		return fault(reading, "no memory for a CRL");
	reading->count++;
	return true;
}

/* --- one file --- */

static bool read_der(struct reading *reading, const uint8_t *bytes, size_t n)
{
	const uint8_t *at = bytes;
	X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)n);
	bool done = crl && at == bytes + n ? add(reading, crl) : fault(reading, "not a CRL");
	X509_CRL_free(crl);
	return done;
}

static bool read_pem(struct reading *reading, const uint8_t *bytes, size_t n)
{
	BIO *bio = BIO_new_mem_buf(bytes, (int)n);
	unsigned before = reading->count;
	bool fine = bio != NULL;
	for (X509_CRL *crl; fine && (crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL)); X509_CRL_free(crl))
		fine = add(reading, crl);
	BIO_free(bio);
	/* The end of the file is the only good reason to stop. */
	bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	ERR_clear_error();
	return fine && ended && reading->count > before ? true : fault(reading, "not a CRL, in PEM or DER");
}

static bool read_crls(struct reading *reading, const uint8_t *bytes, size_t n)
{
	ERR_clear_error();
	return n && bytes[0] == 0x30 ? read_der(reading, bytes, n) : read_pem(reading, bytes, n);
}

/* --- a bundle --- */

static bool read_bundle(struct reading *reading, const uint8_t *bytes, size_t n)
{
	while (n) {
		struct crl_file head;
		if (n < sizeof(head))
			return fault(reading, "torn");
		memcpy(&head, bytes, sizeof(head));
		head.name[CRL_FILE_NAME_MAX - 1] = 0;
		memcpy(reading->file, head.name, sizeof(reading->file));
		bytes += sizeof(head);
		n -= sizeof(head);
		if (head.bytes == CRL_UNREADABLE)
			return fault(reading, "it cannot be read");
		if (head.bytes > n)
			return fault(reading, "torn");
		if (!read_crls(reading, bytes, head.bytes))
			return false;
		bytes += head.bytes;
		n -= head.bytes;
		memcpy(reading->file, WHOLE, sizeof(WHOLE));
	}
	return true;
}

static uint8_t *read_all(int fd, size_t *n)
{
	off_t end = lseek(fd, 0, SEEK_END);
	if (end < 0 || end > CRL_BYTES_MAX + (off_t)(CRL_FILES_MAX * sizeof(struct crl_file)))
		return NULL;
	*n = (size_t)end;
	uint8_t *bytes = malloc(*n + 1);
	for (size_t have = 0; bytes && have < *n;) {
		ssize_t got = pread(fd, bytes + have, *n - have, (off_t)have);
		if (got <= 0) {
			free(bytes);
			return NULL;
		}
		have += (size_t)got;
	}
	return bytes;
}

static X509_STORE *copy_certificates(X509_STORE *trusted)
{
	STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(trusted);
	X509_STORE *store = X509_STORE_new();
	if (store && X509_STORE_set1_param(store, X509_STORE_get0_param(trusted)) != 1) {
		X509_STORE_free(store);
		store = NULL;
	}
	for (int i = 0; store && i < sk_X509_OBJECT_num(objects); i++) {
		X509 *certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
		if (certificate && X509_STORE_add_cert(store, certificate) != 1) {
			X509_STORE_free(store);
			store = NULL;
		}
	}
	return store;
}

X509_STORE *revocation_store(X509_STORE *trusted, int bundle, unsigned *count, char reason[CHANNEL_NAME_MAX])
{
	struct reading reading = {.store = copy_certificates(trusted), .file = WHOLE, .reason = reason};
	size_t n = 0;
	uint8_t *bytes = read_all(bundle, &n);
	*reason = 0;
	bool fine = reading.store && bytes ? read_bundle(&reading, bytes, n) : fault(&reading, "they cannot be read");
	free(bytes);
	*count = reading.count;
	if (fine)
		return reading.store;
	X509_STORE_free(reading.store);
	return NULL;
}

/* --- asking --- */

static bool is_trusted_one(X509_STORE_CTX *store)
{
	return X509_STORE_CTX_get_error_depth(store) == sk_X509_num(X509_STORE_CTX_get0_chain(store)) - 1;
}

static bool is_lack(int error)
{
	return error == X509_V_ERR_UNABLE_TO_GET_CRL || error == X509_V_ERR_CRL_HAS_EXPIRED ||
		error == X509_V_ERR_CRL_NOT_YET_VALID;
}

/* Whoever is trusted is so because the operator says it. */
static int forgive_for_trusted(int ok, X509_STORE_CTX *store)
{
	return ok || (is_lack(X509_STORE_CTX_get_error(store)) && is_trusted_one(store));
}

static int forgive(int ok, X509_STORE_CTX *store)
{
	return ok || is_lack(X509_STORE_CTX_get_error(store));
}

void revocation_ask(X509_STORE_CTX *store, enum conf_crl_check check)
{
	if (check == CRL_CHECK_NONE)
		return;
	X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(store), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	X509_STORE_CTX_set_verify_cb(store, check == CRL_CHECK_REQUIRED ? forgive_for_trusted : forgive);
}
