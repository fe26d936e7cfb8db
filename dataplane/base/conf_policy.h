/* What the configuration says of policy: profiles, peers, groups of users. Part of struct conf; see conf.h. */
#ifndef BASE_CONF_POLICY_H
#define BASE_CONF_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "channel.h"

enum conf_policy_limits {
	CONF_PROFILES_MAX = 64,
	CONF_PEERS_MAX = 16384,
	CONF_GROUPS_MAX = 256,
	CONF_PINS_MAX = 8,
	CONF_LIST_ITEMS_MAX = 65536,
	CONF_ITEM_BYTES = 256,         /* of a list, with its NUL */
	CONF_BINARY_BYTES_MAX = 16 << 20,
	CONF_SPANS_MAX = 16,
	CONF_CLEARANCES_MAX = 1024,
	CONF_DOCUMENTS_MAX = 32,
	CONF_LABEL_TEXT_BYTES = 256,
};

/* Order matters: a lower level lets less through. */
enum conf_presence { PRESENCE_NONE, PRESENCE_ONLINE, PRESENCE_SHOW, PRESENCE_FULL };

/* As written; policy normalises. `count` texts, one after the other, each with its NUL; see conf_list_first(). */
struct conf_list {
	uint32_t at, count;            /* at: in texts of struct conf */
};

enum conf_direction { OUTBOUND, INBOUND, DIRECTIONS };         /* inside to outside, outside to inside */

enum conf_binaries { BINARIES_REFUSE, BINARIES_SCAN, BINARIES_PASS };

struct conf_rate { uint32_t count, seconds, burst; };          /* N/s burst N; count 0: no limit */
enum conf_rate_kind { RATE_USER, RATE_PEER, RATE_ROOM, RATE_KINDS };
enum conf_over { OVER_REFUSE, OVER_DROP, OVER_WAIT };

/* Minutes of the day, 24:00 is 1440; `to` is the first that is not of it. Below `from`, it is of the next day. */
struct conf_span {
	uint8_t days;                  /* on which it begins: 1 << 0 is Monday */
	uint16_t from, to;
};

struct conf_hours {                    /* none: always */
	unsigned count;
	struct conf_span spans[CONF_SPANS_MAX];
};

/* What becomes of messages of a type; the same as policy has it. */
enum conf_message_type { MESSAGE_NORMAL, MESSAGE_CHAT, MESSAGE_HEADLINE, MESSAGE_GROUPCHAT, MESSAGE_TYPES };
enum conf_message_fate { MESSAGE_PASSES, MESSAGE_REFUSED, MESSAGE_TO_NORMAL, MESSAGE_TO_CHAT, MESSAGE_TO_HEADLINE,
	MESSAGE_FATES };

/* The same as policy has it. */
enum conf_unknown { UNKNOWN_PASS, UNKNOWN_STRIP, UNKNOWN_REFUSE };

/* The same as policy has them. */
enum conf_labels { LABELS_IGNORED, LABELS_DEFAULT, LABELS_REQUIRED };
enum conf_original { ORIGINAL_KEEP, ORIGINAL_SWAP, ORIGINAL_DROP };

struct conf_profile {                  /* [profile NAME] */
	char name[64];
	int line;
	enum conf_presence presence[DIRECTIONS];       /* outbound-presence, inbound-presence */
	struct conf_list forbidden[DIRECTIONS];        /* outbound-forbidden-words, inbound-forbidden-words */
	struct conf_content_rules {
		struct conf_list patterns;             /* outbound-forbidden-patterns, inbound-forbidden-patterns */
		bool redacts;                          /* outbound-on-match, inbound-on-match = refuse | redact */
		unsigned max_body;                     /* outbound-max-body, inbound-max-body: characters */
		struct conf_list url_schemes;          /* outbound-url-schemes, inbound-url-schemes */
		struct conf_list url_hosts;            /* outbound-url-hosts, inbound-url-hosts */
		struct conf_list forbidden_hosts;      /* outbound-forbidden-url-hosts, inbound-forbidden-url-hosts */
		struct conf_list scripts;              /* outbound-scripts, inbound-scripts */
		struct conf_list languages;            /* outbound-languages, inbound-languages */
	} content[DIRECTIONS];
	struct conf_feature_rules {
		struct conf_list names;                /* outbound-features, inbound-features */
		enum conf_unknown unknown;             /* outbound-unknown, inbound-unknown = pass | strip | refuse */
		bool requires_encryption;              /* outbound-require-encryption, inbound-require-encryption */
		struct conf_list pep_nodes;            /* outbound-pep-nodes, inbound-pep-nodes */
		bool of_peer;                          /* a peer names these, and has to stay within those of its profile */
		struct conf_list within;
	} features[DIRECTIONS];
	struct conf_binary_rules {
		enum conf_binaries action;             /* outbound-binaries, inbound-binaries = refuse | scan | pass */
		unsigned max_bytes;                    /* outbound-max-binary, inbound-max-binary */
		struct conf_list types;                /* outbound-binary-types, inbound-binary-types */
	} binaries[DIRECTIONS];
	struct conf_rates {
		struct conf_rate stanzas[RATE_KINDS];  /* outbound-user-rate, outbound-peer-rate, outbound-room-rate */
		struct conf_rate bytes[RATE_KINDS];    /* outbound-user-bytes, outbound-peer-bytes, outbound-room-bytes */
		enum conf_over over;                   /* outbound-over-rate = refuse | drop | wait */
	} rates[DIRECTIONS];
	struct conf_list monitored[DIRECTIONS];        /* outbound-monitor, inbound-monitor */
	struct conf_hours hours[DIRECTIONS];           /* outbound-hours, inbound-hours */
	struct conf_message_rules {
		enum conf_message_fate fates[MESSAGE_TYPES];   /* outbound-message-types, inbound-message-types */
		struct conf_list strip;                /* outbound-strip, inbound-strip */
	} messages[DIRECTIONS];
	struct conf_label_rules {
		enum conf_labels labels;               /* outbound-labels, inbound-labels = ignored | default | required */
		struct conf_list clearance, default_label;     /* outbound-clearance, outbound-default-label: path, text; or none */
		char map_to[CONF_LABEL_TEXT_BYTES];    /* outbound-map-to, inbound-map-to: name of a policy; "": none */
		enum conf_original original;           /* outbound-original-label, inbound-original-label = keep | swap | drop */
		bool refuses_marking;                  /* outbound-on-marking, inbound-on-marking = repair | refuse */
		bool marks_first_line;                 /* outbound-first-line-marking, inbound-first-line-marking = yes | no */
		bool filters_catalogs;                 /* outbound-label-catalogs, inbound-label-catalogs = refuse | filter */
	} labels[DIRECTIONS];
	struct conf_list users[WIRES]; /* inside-users, outside-users: user@domain, domain or *.domain; none: all */
};

struct conf_labels_section {           /* [labels] */
	struct conf_list policies;     /* paths and texts of SPIFs, in turn */
	bool refuses_obsolete;         /* obsolete = accept | refuse: of labels that come */
	bool refuses_ambiguous;        /* ambiguous = highest | refuse */
	bool takes_ber;                /* encoding = der | ber */
	char language[CONF_LABEL_TEXT_BYTES];  /* language: of display markings */
};

struct conf_clearance {                /* [clearance NAME] */
	char name[64];
	int line;
	struct conf_list file, users;
};

struct conf_group {                    /* [group NAME]: stands as group:NAME in lists of users */
	char name[64];
	int line;
	bool used;
	struct conf_list members;
};

/* Who may begin to speak, of ours and a peer; the same as policy has it. */
enum conf_way { WAY_BOTH, WAY_OUTBOUND, WAY_INBOUND, WAY_NONE };

struct conf_pin {                      /* certificate:SHA256 or key:SHA256 */
	bool of_key;                   /* of the SubjectPublicKeyInfo instead of the whole certificate */
	uint8_t sha256[32];
};

struct conf_peer {                     /* [peer DOMAIN]: DOMAIN, *.DOMAIN or * */
	char domain[CHANNEL_NAME_MAX];
	int line;
	unsigned profile;              /* index */
	unsigned shadow;               /* shadow: 1 + the index of a profile that is tried beside it; 0: none */
	enum conf_way way;             /* directions = both | outbound | inbound | none */
	struct conf_list inside;       /* inside: those of our domains that it is a peer of; none: all */
	unsigned pin_count;
	struct conf_pin pins[CONF_PINS_MAX];   /* pin: its certificate must be one of these */
	enum auth_level authentication;        /* authentication = strong | tls-dialback | none */
};

#endif
