/*
 * What tls may ask keyd, and what it answers: fixed-size structs over one SOCK_SEQPACKET, a packet each. keyd parses
 * nothing else. A packet of another size, version or type is answered by the end of the conversation.
 */
#ifndef KEYD_KEYD_MSG_H
#define KEYD_KEYD_MSG_H

#include <assert.h>
#include <stdint.h>

enum keyd_limits {
	KEYD_VERSION = 1,
	KEYD_DOMAIN_BYTES = 256,
	KEYD_DIGEST_MAX = 64,
	KEYD_ANSWER_MAX = 4096,
};

enum keyd_type {
	KEYD_MINT = 1,         /* a certificate for `domain`, to be shown on `wire`; the answer is DER */
	KEYD_SIGN = 2,         /* ECDSA with the leaf key of `wire` over `digest`; the answer is the DER signature */
	KEYD_MINT_UNVERIFIED = 3, /* as KEYD_MINT, but signed by nobody whom an endpoint could trust */
	KEYD_TYPES
};

enum keyd_status {
	KEYD_OK = 0,
	KEYD_NOT_OURS = 1,     /* the configuration names no such domain for that wire: never signed */
	KEYD_FAILED = 2,
};

struct keyd_request {
	uint32_t version, type, id, wire;
	char domain[KEYD_DOMAIN_BYTES];        /* NUL-terminated, lower case */
	uint32_t digest_len;
	uint8_t digest[KEYD_DIGEST_MAX];
};
static_assert(sizeof(struct keyd_request) == 16 + 256 + 4 + 64, "request");

struct keyd_answer {
	uint32_t version, type, id, status;
	uint32_t len;
	uint8_t bytes[KEYD_ANSWER_MAX];
};
static_assert(sizeof(struct keyd_answer) == 20 + 4096, "answer");

#endif
