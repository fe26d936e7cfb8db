/*
 * Policy: policy_check() is a pure function of an immutable policy, a context and a stanza. No I/O, no clock, no state.
 * Stages run in one fixed order (shape, peering, hours, features, presence, message, labels, content, binary), each in
 * one file with one signature; a stage can only tighten what stages before it decided.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "element.h"
#include "policy_rules.h"

struct policy;

/* NULL with errno: ENOMEM, or EINVAL: a pattern, a user, a profile's index or a word that cannot be, or is there twice. */
struct policy *policy_new(const struct policy_rules *rules) __attribute__((warn_unused_result, nonnull));
void policy_free(struct policy *policy);

/* May streams between these two domains exist at all? On refusal `reason` (may be NULL) is set to a static text. */
bool policy_peering_allows(const struct policy *policy, const char *from, const char *to, const char **reason)
	__attribute__((warn_unused_result, nonnull(1, 2, 3)));

/* Who speaks to whom: one pair of domains that has been authenticated on the stream that the stanza came by. */
struct policy_pair {
	const char *from, *to;
};

struct policy_context {
	enum policy_direction direction;
	const struct policy_pair *pairs;       /* authenticated on this stream, in the direction of the stanza */
	unsigned pair_count;
	int64_t now;                           /* seconds since 1970; 0: not known, and dates of labels are no matter */
	int minute_of_week;                    /* local; 0 is Monday 00:00. Not known: none is within any hours */
};

enum policy_action {
	POLICY_PASS,           /* as it is */
	POLICY_REWRITTEN,      /* the tree was changed; send it */
	POLICY_REFUSED,        /* do not send; tell the sender with `error_*` (if the kind of stanza has an answer) */
	POLICY_DROPPED,        /* do not send, tell nobody */
	POLICY_CLOSE,          /* the stream broke a rule of XMPP: close it with stream error `error_condition` */
};

/* A binary that a stanza carries, decoded; in the arena of the stanza. */
struct policy_binary {
	const struct policy_binary *next;
	const uint8_t *bytes;
	size_t len;
	const char *type;              /* media type that it is declared as, lower case; "": none */
	const struct node *transfer;   /* <data/> of IBB: it is a chunk, and neither size nor type were checked; else NULL */
};

/* What one stage found worst, in the stanza as those before it had left it. */
struct policy_step {
	const char *stage;             /* static */
	enum policy_action action;
	const char *rule;              /* static; "": nothing */
	bool only_told;                /* the profile has this stage monitored: what it found does not count */
};

enum { POLICY_STEPS_MAX = 12 };

struct policy_verdict {
	enum policy_action action;
	const char *rule;              /* "content.forbidden-words", static; "" for a plain pass */
	const char *error_condition;   /* static: "policy-violation", ... */
	const char *error_type;        /* static: "modify", "cancel", "auth", "wait" */
	char reason[160];              /* for people and the audit; never holds the offending content */
	char changed[160];             /* what was changed, for people; "" if nothing */
	/* What the caller still has to look at before the stanza may pass: all that is to be scanned, and chunks. */
	const struct policy_binary *binaries;
	const struct policy_binary_rules *binary_rules;        /* the policy's */
	/* What the caller counts it by, and whether it drops presence that tells nothing new; the policy's, of a profile. */
	const struct policy_rates *rates;      /* NULL: no profile governs it */
	bool presence_folds;
	/* How it came about: the stages that were asked, in their order; and whose rules they are, the policy's own texts. */
	struct policy_step steps[POLICY_STEPS_MAX];
	unsigned step_count;
	const char *peer, *profile;    /* "": none governs it */
	struct policy_told {           /* by the tightest of the stages that are monitored; POLICY_PASS: they found nothing */
		enum policy_action action;
		const char *rule;
		char reason[160];
	} told;
	struct policy_shadow {         /* what the profile would have made of it that the peer has tried beside its own */
		bool is_there, differs;
		enum policy_action action;
		const char *rule;
	} shadow;
	unsigned retry_seconds;        /* for the answer: when the same could pass; 0: not a matter of time */
};

/*
 * Judges, and edits the tree where a rule says so. Running out of memory is a refusal (resource-constraint), never a pass.
 */
void policy_check(const struct policy *policy, const struct policy_context *context, struct stanza *stanza,
	struct policy_verdict *verdict) __attribute__((nonnull));

/* Judges a binary that the caller has put together, by size and type; may make the verdict tighter. */
void policy_binary_check(const struct policy_binary_rules *rules, const struct policy_binary *binary,
	struct policy_verdict *verdict) __attribute__((nonnull));

/* The caller finds, with its state, what is tighter than the verdict; as in struct policy_verdict, `reason` is static. */
void policy_tighten(struct policy_verdict *verdict, enum policy_action action, const char *rule, const char *condition,
	const char *error_type, const char *reason) __attribute__((nonnull));

/*
 * Builds the answer that tells a sender of its refused stanza (RFC 6120 8.3, XEP-0258 5): from and to swapped, same id,
 * no copy of the content. NULL (and nothing to send) where there is none: errors, iq results, presence other than
 * subscribe, which is answered by `unsubscribed`. The result lives in `stanza`'s arena.
 */
struct node *policy_refusal(const struct stanza *stanza, const struct policy_verdict *verdict)
	__attribute__((warn_unused_result, nonnull));

/*
 * What goes on to the one who asked, in the place of an iq result that was refused: an error, which is to be judged itself.
 * NULL: it was no such, or there is no memory. In `stanza`'s arena.
 */
struct node *policy_refused_result(const struct stanza *stanza, const struct policy_verdict *verdict)
	__attribute__((warn_unused_result, nonnull));

const char *policy_action_name(enum policy_action action);

/* The domain part of a JID in the form in which domains are compared: lower-case A-labels, without the dot of the root, an
 * IPv6 address as RFC 5952 writes it. It is looked at alone, and need not stand in its normal form. 0; -EINVAL: there is
 * none, or it does not fit. */
int jid_domain(const char *jid, char *out, size_t size) __attribute__((warn_unused_result, nonnull));

#endif
