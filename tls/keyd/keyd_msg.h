/*
 * What tls may ask keyd, and what it answers: fixed-size structs over one SOCK_SEQPACKET, a packet each. keyd parses
 * nothing else. A packet of another size, version or type is answered by the end of the conversation. Answers may come in
 * another order than the requests.
 */
#ifndef KEYD_KEYD_MSG_H
#define KEYD_KEYD_MSG_H

#include <assert.h>
#include <stdint.h>

enum keyd_limits {
	KEYD_VERSION = 2,
	KEYD_DOMAIN_BYTES = 256,
	KEYD_INPUT_MAX = 512,          /* an RSA block of 4096 bits */
	KEYD_ANSWER_MAX = 16384,       /* of a chain */
	KEYD_KEYS_MAX = 72,            /* four leaf keys of each wire, and those of real certificates */
};

enum keyd_type {
	KEYD_MINT = 1,         /* the certificate for `domain`, to be shown on `wire`: a real one if there is one, else one
				* with a `leaf` key; the answer is its chain, each in DER, and the number of its key */
	KEYD_SIGN = 2,         /* by the key of that number, which has to be one of `wire` */
	KEYD_MINT_UNVERIFIED = 3, /* as KEYD_MINT, but signed by nobody whom an endpoint could trust */
	KEYD_TYPES
};

enum keyd_leaf {
	KEYD_LEAF_ECDSA, KEYD_LEAF_RSA, /* these can be asked for */
	KEYD_LEAF_UNVERIFIED,           /* the same two again, of KEYD_MINT_UNVERIFIED */
	KEYD_LEAVES = 2 * KEYD_LEAF_UNVERIFIED
};

/* What is signed. Nothing else is: no key decrypts, or signs bytes as they are. */
enum keyd_scheme {
	KEYD_ECDSA,            /* `input` is a digest; the answer is the DER signature */
	KEYD_PKCS1,            /* `input` is a digest of SHA-256, -384 or -512, which its length tells (RFC 8017 8.2) */
	KEYD_PSS,              /* `input` is a block as EMSA-PSS makes it (RFC 8017 9.1.1), of one of these and with as much
				* salt: OpenSSL lets nobody have the digest. keyd looks at its form. */
	KEYD_SCHEMES
};

enum keyd_status {
	KEYD_OK = 0,
	KEYD_NOT_OURS = 1,     /* the configuration names no such domain for that wire: never signed */
	KEYD_FAILED = 2,
	KEYD_TOO_MANY = 3,     /* certificates for strangers, in this minute; or requests that wait */
};

struct keyd_request {
	uint32_t version, type, id, wire;
	char domain[KEYD_DOMAIN_BYTES];        /* NUL-terminated, lower case */
	uint32_t leaf, key, scheme;
	uint32_t input_len;
	uint8_t input[KEYD_INPUT_MAX];
};
static_assert(sizeof(struct keyd_request) == 16 + 256 + 16 + 512, "request");

struct keyd_answer {
	uint32_t version, type, id, status;
	uint32_t key;
	uint32_t len;
	uint8_t bytes[KEYD_ANSWER_MAX];
};
static_assert(sizeof(struct keyd_answer) == 24 + 16384, "answer");

#endif
