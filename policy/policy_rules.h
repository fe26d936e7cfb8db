/* What a policy is made of, for the caller to fill from its configuration: profiles, and peers that point at them. */
#ifndef POLICY_POLICY_RULES_H
#define POLICY_POLICY_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* A file, as it was read: XML, or base64 of DER. `text` NULL: there is none. */
struct policy_document {
	const char *path, *text;
};

/* What is asked of security labels of messages; see labels.c. */
enum policy_labels { POLICY_LABELS_IGNORED, POLICY_LABELS_DEFAULT, POLICY_LABELS_REQUIRED };

/* What becomes of a label that was mapped: it stays, and the other is its equivalent; the other way round; it goes. */
enum policy_original { POLICY_ORIGINAL_KEEP, POLICY_ORIGINAL_SWAP, POLICY_ORIGINAL_DROP };

struct policy_label_rules {
	enum policy_labels labels;
	struct policy_document clearance, default_label;
	const char *map_to;            /* name of a policy; "" or NULL: none */
	enum policy_original original;
	bool refuses_marking;          /* that contradicts its label; else it is repaired */
	bool marks_first_line;
	bool filters_catalogs;         /* else they are refused */
};

struct policy_clearance_rules {        /* of users, whoever they speak with */
	struct policy_document document;
	const char *const *users;
	int line;
};

struct policy_labels_rules {           /* for all profiles */
	const struct policy_document *policies;        /* SPIFs */
	unsigned policy_count;
	const struct policy_clearance_rules *clearances;
	unsigned clearance_count;
	bool refuses_obsolete, refuses_ambiguous, takes_ber;
	const char *language;          /* of display markings; NULL or "": any */
	/* May be NULL: what is found in the files, as FILE:LINE: text; errors come as the fault, too. */
	void (*tell)(void *owner, const char *text);
	void *owner;
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
	struct policy_label_rules labels[POLICY_DIRECTIONS];
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
	char text[300];
};

struct policy_rules {
	const char *const *domains;    /* our own */
	const struct policy_profile_rules *profiles;
	unsigned profile_count;
	const struct policy_peer_rules *peers;
	unsigned peer_count;
	struct policy_labels_rules labels;
	struct policy_fault *fault;    /* may be NULL; filled for EINVAL */
};

#endif
