/*
 * Who may speak to whom on one connection: pairs of domains, each authenticated by SASL EXTERNAL or by dialback, each
 * for one direction; and the dialback questions of this connection that still wait for their answer (XEP-0220).
 */
#ifndef CONTROL_PAIR_H
#define CONTROL_PAIR_H

#include <stdbool.h>

#include "control/limits.h"
#include "dataplane/base/channel.h"

struct keys;

enum pair_state { PAIR_UNPROVED, PAIR_VALID, PAIR_INVALID };

enum pair_method { PAIR_EXTERNAL, PAIR_DIALBACK, PAIR_LINK, PAIR_METHODS };

struct pair {
	struct pair *next, *next_key;
	const struct pairs *of;
	enum conn_side side; /* that `from` is on */
	enum pair_state state;
	enum pair_method method;
	bool asked;  /* a db:result was passed on and has no answer yet; a valid pair may be asked for again */
	bool denied; /* the server of `from` has called the key invalid that was asked with */
	char from[DOMAIN_BYTES], to[DOMAIN_BYTES];
	char key[DIALBACK_KEY_BYTES];
};

struct verify { /* a db:verify that was passed on */
	struct verify *next;
	enum conn_side side; /* that asked */
	char from[DOMAIN_BYTES], to[DOMAIN_BYTES];
	char id[STREAM_ID_BYTES], key[DIALBACK_KEY_BYTES];
};

struct pairs {
	struct keys *keys; /* of all connections */
	struct pair *first;
	unsigned count;
	unsigned valid[SIDES];
	struct verify *verifies;
	unsigned verify_count;
	unsigned alerts;                 /* raised by dialback on this connection */
	char stream_id[STREAM_ID_BYTES]; /* of the server's header: what keys are made of. "": none yet */
};

void pairs_init(struct pairs *pairs, struct keys *keys) __attribute__((nonnull));
void pairs_fini(struct pairs *pairs) __attribute__((nonnull));
struct pair *pairs_find(const struct pairs *pairs, enum conn_side side, const char *from, const char *to)
	__attribute__((nonnull));

/* The pair, new or existing (also a valid one: its state is then unchanged). NULL: too many, or no memory. */
struct pair *pairs_add(struct pairs *pairs, enum conn_side side, const char *from, const char *to)
	__attribute__((warn_unused_result, nonnull));

/* A db:result with this key has been passed on; its answer has come, or never will. */
void pairs_ask(struct pairs *pairs, struct pair *pair, const char *key) __attribute__((nonnull));
void pairs_answered(struct pairs *pairs, struct pair *pair) __attribute__((nonnull));

/* The streams begin anew, with another id: nothing that was asked is answered any more. What is proved stays. */
void pairs_restart(struct pairs *pairs) __attribute__((nonnull));
void pairs_set_state(struct pairs *pairs, struct pair *pair, enum pair_state state) __attribute__((nonnull));

/* The oldest question is forgotten for one too many. 0, -ENOSPC (id or key too long), -ENOMEM. */
int pairs_verify_add(struct pairs *pairs, enum conn_side side, const char *from, const char *to, const char *id,
	const char *key) __attribute__((warn_unused_result, nonnull));
/* Takes the question away that this answers, with its key, of DIALBACK_KEY_BYTES; false: nobody asked. */
bool pairs_verify_take(struct pairs *pairs, enum conn_side asked, const char *from, const char *to, const char *id,
	char *key) __attribute__((warn_unused_result, nonnull));

const char *pair_method_name(enum pair_method method);

#endif
