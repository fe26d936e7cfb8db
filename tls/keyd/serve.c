/* The requests that keyd serves; see serve.h. */
#include <errno.h>
#include <string.h>

#include "serve.h"

static enum keyd_status mint(struct keyd *keyd, const struct keyd_request *request, struct keyd_answer *answer)
{
	if (!mint_is_for(keyd->conf, request->wire, request->domain)) {
		counter_add(keyd->counters, KEYD_COUNT_NOT_OURS, 1);
		return KEYD_NOT_OURS;
	}
	X509 *certificate = (request->type == KEYD_MINT ? mint_certificate : mint_unverified)(
		&keyd->mint[request->wire], request->domain);
	int len = certificate ? i2d_X509(certificate, NULL) : -1;
	enum keyd_status status = KEYD_FAILED;
	if (len > 0 && len <= KEYD_ANSWER_MAX) {
		uint8_t *at = answer->bytes;
		answer->len = (uint32_t)i2d_X509(certificate, &at);
		counter_add(keyd->counters, KEYD_COUNT_MINTED, 1);
		status = KEYD_OK;
	}
	X509_free(certificate);
	return status;
}

static enum keyd_status sign(struct keyd *keyd, const struct keyd_request *request, struct keyd_answer *answer)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(keyd->mint[request->wire].leaf_key, NULL);
	size_t len = sizeof(answer->bytes);
	bool ok = context && EVP_PKEY_sign_init(context) == 1 &&
		EVP_PKEY_sign(context, answer->bytes, &len, request->digest, request->digest_len) == 1;
	EVP_PKEY_CTX_free(context);
	if (!ok)
		return KEYD_FAILED;
	answer->len = (uint32_t)len;
	counter_add(keyd->counters, KEYD_COUNT_SIGNED, 1);
	return KEYD_OK;
}

static bool is_digest_len(uint32_t len)
{
	return len == 32 || len == 48 || len == 64;
}

static bool is_mint(const struct keyd_request *request)
{
	return request->type == KEYD_MINT || request->type == KEYD_MINT_UNVERIFIED;
}

static bool is_well_formed(const struct keyd_request *request)
{
	if (request->version != KEYD_VERSION || request->wire >= WIRES)
		return false;
	if (is_mint(request))
		return request->domain[0] && memchr(request->domain, 0, sizeof(request->domain));
	return request->type == KEYD_SIGN && is_digest_len(request->digest_len);
}

int keyd_serve(struct keyd *keyd, const void *bytes, size_t len, struct keyd_answer *answer)
{
	struct keyd_request request;
	if (len != sizeof(request))
		return -EPROTO;
	memcpy(&request, bytes, sizeof(request));
	if (!is_well_formed(&request))
		return -EPROTO;
	memset(answer, 0, sizeof(*answer));
	answer->version = KEYD_VERSION;
	answer->type = request.type;
	answer->id = request.id;
	answer->status = is_mint(&request) ? mint(keyd, &request, answer) : sign(keyd, &request, answer);
	if (answer->status == KEYD_FAILED)
		counter_add(keyd->counters, KEYD_COUNT_FAILED, 1);
	return 0;
}
