/*
 * Cases: stanzas, each with who sent it to whom and, in a test, with what policy has to make of it. One form for examples
 * that people write and for what a guard has recorded:
 *
 *     <cases xmlns='urn:sallyport:cases:1'>
 *       <case name='a word' direction='outbound' expect='refused' rule='content.forbidden-words'>
 *         <message xmlns='jabber:server' from='alice@a.example/x' to='bob@b.example'><body>secret</body></message>
 *       </case>
 *     </cases>
 *
 * Read as strictly as streams are, one case at a time: a file may be hostile and of any length.
 */
#ifndef TRIAL_CASES_H
#define TRIAL_CASES_H

#include <stdbool.h>

#include "policy/policy.h"

#define NS_CASES "urn:sallyport:cases:1"

enum cases_limits { CASES_DOMAIN_BYTES = 256 };

/* What a case has to become of. */
struct expectation {
	bool is_given;
	enum policy_action action;
	const char *rule;              /* NULL: any */
	const struct node *becomes;    /* the stanza as it has to be then; NULL: not said */
};

struct test_case {
	unsigned line;                 /* where it begins */
	const char *name;              /* "" if it has none */
	enum policy_direction direction;
	/* The authenticated pair: what the case says, or the domains of the stanza; "" where these are none. */
	char from[CASES_DOMAIN_BYTES], to[CASES_DOMAIN_BYTES];
	int64_t now;                   /* seconds since 1970; 0: not known */
	int minute_of_week;            /* as in struct policy_context */
	struct expectation expected;
	struct stanza stanza;          /* message, presence or iq of jabber:server */
};

struct cases_fault {
	unsigned line;
	char text[200];                /* with a hint */
};

/* Takes a case, which may be changed and is gone after that. What is not 0 ends the reading. */
typedef int (*cases_taker)(void *owner, struct test_case *one);

/*
 * Reads to the end of the file, from where the descriptor stands. 0, what the taker ended it with, or, with `fault` filled
 * and after all cases before it: -EINVAL: a fault; -ENODATA: the file ends before the cases do, as a recording does that
 * goes on; -ENOMEM; another -errno: it cannot be read.
 */
int cases_read(int fd, cases_taker take, void *owner, struct cases_fault *fault)
	__attribute__((warn_unused_result, nonnull(2, 4)));

#endif
