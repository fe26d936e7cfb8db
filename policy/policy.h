/*
 * Policy: policy_check() is a pure function of an immutable policy, a context and a stanza. No I/O, no clock, no state.
 * Stages run in one fixed order (shape, peering, hours, features, presence, message, content, binary), each in one file
 * with one signature; a stage can only tighten what stages before it decided.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "element.h"

enum policy_direction { POLICY_OUTBOUND, POLICY_INBOUND, POLICY_DIRECTIONS };  /* inside to outside, and back */

enum policy_presence { POLICY_PRESENCE_NONE, POLICY_PRESENCE_ONLINE, POLICY_PRESENCE_SHOW, POLICY_PRESENCE_FULL };

enum policy_binaries { POLICY_BINARIES_REFUSE, POLICY_BINARIES_SCAN, POLICY_BINARIES_PASS };

/* What may cross of binaries: see policy_binary. */
struct policy_binary_rules {
	enum policy_binaries action;
	size_t max_bytes;              /* of one, decoded; of a transfer in all */
	const char *const *types;      /* media types in lower case, NULL-terminated list, '*' for any rest; empty: all */
};

/* What text may say; see content.c. Lists are NULL-terminated; NULL or empty: anything. */
struct policy_content_rules {
	const char *const *patterns;   /* of PCRE2, that may not match */
	bool redacts;                  /* what words and patterns find is taken out, where that can be done; else refused */
	unsigned max_body;             /* characters; 0: any */
	const char *const *url_schemes, *const *url_hosts;     /* links that may cross */
	const char *const *forbidden_hosts;    /* of links that may not */
	const char *const *scripts;    /* as Unicode names them, of what people read */
	const char *const *languages;  /* ranges of RFC 4647 */
};

/*
 * How much of something there may be: `count` in `seconds` on average, 0: no limit. `burst` is how much may come at once.
 * Policy has no clock: the caller counts, by the limits that the verdict names.
 */
struct policy_rate {
	uint32_t count, seconds, burst;
};

enum policy_rate_kind { POLICY_RATE_USER, POLICY_RATE_PEER, POLICY_RATE_ROOM, POLICY_RATE_KINDS };     /* of each what */

enum policy_over { POLICY_OVER_REFUSE, POLICY_OVER_DROP, POLICY_OVER_WAIT };

struct policy_rates {
	struct policy_rate stanzas[POLICY_RATE_KINDS], bytes[POLICY_RATE_KINDS];
	enum policy_over over;
};

/* What becomes of elements that are of no feature. */
enum policy_unknown { POLICY_UNKNOWN_PASS, POLICY_UNKNOWN_STRIP, POLICY_UNKNOWN_REFUSE };

/* When something may pass: spans of minutes of the day, on the days of the bits (1 << 0 is Monday). `to` is the first that
 * is not of it, and at most 1440; where it is below `from`, it is of the day after the one on which the span begins. */
struct policy_span {
	uint8_t days;
	uint16_t from, to;
};

enum { POLICY_SPANS_MAX = 16, POLICY_MINUTE_UNKNOWN = -1 };

struct policy_hours {
	unsigned count;                /* 0: always */
	struct policy_span spans[POLICY_SPANS_MAX];
};

/* What becomes of messages of a type; what rooms say (groupchat) can only be refused. */
enum policy_message_type { POLICY_MESSAGE_NORMAL, POLICY_MESSAGE_CHAT, POLICY_MESSAGE_HEADLINE, POLICY_MESSAGE_GROUPCHAT,
	POLICY_MESSAGE_TYPES };
enum policy_message_fate { POLICY_MESSAGE_PASSES, POLICY_MESSAGE_REFUSED, POLICY_MESSAGE_TO_NORMAL, POLICY_MESSAGE_TO_CHAT,
	POLICY_MESSAGE_TO_HEADLINE };

struct policy_message_rules {
	enum policy_message_fate fates[POLICY_MESSAGE_TYPES];
	const char *const *strip;      /* "{namespace}name", or "{namespace}" for all of it; NULL-terminated; NULL: none */
};

/* Which features may cross; see feature_table.h. */
struct policy_feature_names {
	const char *const *names;      /* features, `basic`, `all`, "-NAME" to take away; NULL: all */
	enum policy_unknown unknown;
	bool requires_encryption;      /* a message with a text has to be encrypted from end to end */
	const char *const *pep_nodes;  /* of accounts, that may be spoken of; '*' at the end for any rest; NULL or empty: all */
	const char *const *within;     /* features: it is a fault if `names` has others; NULL: any */
};

/* Who may begin to speak, of ours and a peer. Answers pass in the other direction, too. */
enum policy_way { POLICY_BOTH_WAYS, POLICY_ONLY_OUTBOUND, POLICY_ONLY_INBOUND, POLICY_NO_WAY };

/* What a policy is made of, for the caller to fill from its configuration; policy_new() copies all of it. Lists are
 * NULL-terminated; `line` is where it stands in the configuration, for faults. */
struct policy_profile_rules {
	const char *name;
	enum policy_presence presence[POLICY_DIRECTIONS];
	const char *const *forbidden[POLICY_DIRECTIONS];       /* words */
	struct policy_content_rules content[POLICY_DIRECTIONS];
	struct policy_feature_names features[POLICY_DIRECTIONS];
	struct policy_binary_rules binaries[POLICY_DIRECTIONS];
	const char *const *monitored[POLICY_DIRECTIONS];       /* stages, or "all": what they find is only told; NULL: none */
	const char *const *inside_users, *const *outside_users;       /* who may speak, and be spoken to; NULL, or none: all */
	int line;
	struct policy_rates rates[POLICY_DIRECTIONS];
	struct policy_hours hours[POLICY_DIRECTIONS];
	struct policy_message_rules messages[POLICY_DIRECTIONS];
};

struct policy_peer_rules {
	const char *domain;            /* "b.example", "*.b.example", "*"; the longest match governs */
	unsigned profile;              /* index */
	unsigned shadow;               /* 1 + the index of a profile that is tried beside it; 0: none is */
	enum policy_way way;
	const char *const *inside;     /* those of our domains that it is a peer of; NULL, or none: all */
	int line;
};

struct policy_fault {
	int line;                      /* of the profile or peer; 0: of neither */
	char text[200];
};

struct policy_rules {
	const char *const *domains;    /* our own */
	const struct policy_profile_rules *profiles;
	unsigned profile_count;
	const struct policy_peer_rules *peers;
	unsigned peer_count;
	struct policy_fault *fault;    /* may be NULL; filled for EINVAL */
};

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
