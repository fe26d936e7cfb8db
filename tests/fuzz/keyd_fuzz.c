/*
 * What a broken tls could send to keyd. Whatever it is, a certificate is made only for a name that is in the configuration,
 * in the form in which it is there.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tls/identity.h"
#include "tls/keyd/serve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COUNTER_NAME(id, name) [id] = name,
static const char *const names[] = {KEYD_COUNTERS(COUNTER_NAME)};

static void make_mint(struct mint *mint)
{
	mint->ca_key = EVP_EC_gen("P-256");
	for (unsigned leaf = 0; leaf < KEYD_LEAVES; leaf += KEYD_LEAF_UNVERIFIED) {
		mint->leaf_key[leaf + KEYD_LEAF_ECDSA] = EVP_EC_gen("P-256");
		mint->leaf_key[leaf + KEYD_LEAF_RSA] = EVP_RSA_gen(2048);
	}
	mint->life_s = 3600;
	mint->xmpp_addr = true;
	mint->ca = X509_new();
	X509_NAME_add_entry_by_txt(X509_get_subject_name(mint->ca), "CN", MBSTRING_ASC, (const void *)"ca", -1, -1, 0);
	X509_set_issuer_name(mint->ca, X509_get_subject_name(mint->ca));
	X509_gmtime_adj(X509_getm_notBefore(mint->ca), 0);
	X509_gmtime_adj(X509_getm_notAfter(mint->ca), 86400 * 365);
	X509_set_pubkey(mint->ca, mint->ca_key);
	if (!X509_sign(mint->ca, mint->ca_key, EVP_sha256()))
		abort();
}

static struct keyd *keyd_new(void)
{
	static struct conf_peer peer = {.domain = "*"};
	static struct conf conf = {.domains = {"a.example"}, .domain_count = 1, .peers = &peer, .peer_count = 1};
	static struct keyd keyd = {.conf = &conf, .lock = PTHREAD_MUTEX_INITIALIZER};
	int fd = counters_create();
	keyd.counters = fd < 0 ? NULL : counters_open(fd, names, KEYD_COUNTERS_END);
	if (!keyd.counters)
		abort();
	close(fd);
	for (unsigned wire = 0; wire < WIRES; wire++)
		make_mint(&keyd.mint[wire]);
	return &keyd;
}

static void check_minted(const struct keyd_request *request, const struct keyd_answer *answer)
{
	const uint8_t *at = answer->bytes;
	X509 *certificate = d2i_X509(NULL, &at, (long)answer->len);
	bool ours = !strcmp(request->domain, "a.example");
	if (!certificate || !identity_proves(certificate, request->domain) || ours != (request->wire == WIRE_OUTSIDE) ||
		(!ours && identity_proves(certificate, "a.example")))
		abort();
	if ((X509_self_signed(certificate, 0) == 1) != (request->type == KEYD_MINT_UNVERIFIED))
		abort();
	X509_free(certificate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct keyd *keyd;
	struct keyd_answer answer;
	if (!keyd)
		keyd = keyd_new();
	if (keyd_serve(keyd, data, size, &answer))
		return 0;
	struct keyd_request request;
	memcpy(&request, data, sizeof(request));
	if (answer.len > KEYD_ANSWER_MAX || (answer.status != KEYD_OK && answer.len))
		abort();
	if (request.type != KEYD_SIGN && answer.status == KEYD_OK)
		check_minted(&request, &answer);
	return 0;
}
