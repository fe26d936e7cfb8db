/*
 * Features of XMPP by name, and what shows that a stanza uses one: the type of a stanza, or elements of a namespace. What
 * no row names is unknown. A set of features is a word, with bit 1 << enum feature for each.
 */
#ifndef POLICY_FEATURE_TABLE_H
#define POLICY_FEATURE_TABLE_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

/* Both are parts of other features, and are judged with what they stand in. */
#define NS_DATA_FORM "jabber:x:data"
#define NS_RESULT_SET "http://jabber.org/protocol/rsm"

/* Name in the configuration, and in which of the names for many it is, besides `all`. */
enum feature_group { FEATURE_GROUP_OTHER, FEATURE_GROUP_BASIC, FEATURE_GROUP_ENCRYPTION };

#define POLICY_FEATURES(X) \
	X(CHAT, "chat", BASIC) \
	X(NORMAL, "normal", BASIC) \
	X(GROUPCHAT, "groupchat", BASIC) \
	X(HEADLINE, "headline", OTHER) \
	X(PRESENCE, "presence", BASIC) \
	X(SUBSCRIPTIONS, "subscriptions", BASIC) \
	X(MUC, "muc", BASIC) \
	X(MUC_ADMIN, "muc-administration", OTHER) \
	X(MUC_INVITE, "muc-invite", BASIC) \
	X(MUC_DIRECT_INVITE, "muc-direct-invite", OTHER) \
	X(MIX, "mix", OTHER) \
	X(DISCO, "disco", BASIC) \
	X(CAPS, "caps", BASIC) \
	X(PING, "ping", BASIC) \
	X(PUBSUB, "pubsub", OTHER) \
	X(PERSONAL, "personal-events", OTHER) \
	X(NICK, "nick", OTHER) \
	X(BOOKMARKS, "bookmarks", OTHER) \
	X(VCARD, "vcard", OTHER) \
	X(AVATAR, "avatar", OTHER) \
	X(VERSION, "version", OTHER) \
	X(LAST_ACTIVITY, "last-activity", OTHER) \
	X(TIME, "time", OTHER) \
	X(RECEIPTS, "receipts", BASIC) \
	X(CHAT_STATES, "chat-states", BASIC) \
	X(MARKERS, "markers", BASIC) \
	X(CORRECTIONS, "corrections", BASIC) \
	X(RETRACTIONS, "retractions", OTHER) \
	X(REACTIONS, "reactions", OTHER) \
	X(REPLIES, "replies", BASIC) \
	X(REFERENCES, "references", OTHER) \
	X(STYLING, "styling", BASIC) \
	X(SPOILERS, "spoilers", OTHER) \
	X(ATTENTION, "attention", OTHER) \
	X(REAL_TIME_TEXT, "real-time-text", OTHER) \
	X(XHTML, "xhtml", OTHER) \
	X(DELAY, "delay", BASIC) \
	X(HINTS, "hints", BASIC) \
	X(STANZA_ID, "stanza-id", BASIC) \
	X(VOIP, "voip", OTHER) \
	X(FILE_TRANSFER, "file-transfer", OTHER) \
	X(HTTP_UPLOAD, "http-upload", OTHER) \
	X(FILE_SHARING, "file-sharing", OTHER) \
	X(BOB, "bob", OTHER) \
	X(OOB, "oob", OTHER) \
	X(AD_HOC, "ad-hoc", OTHER) \
	X(DATA_FORMS, "data-forms", OTHER) \
	X(MAM, "mam", OTHER) \
	X(CARBONS, "carbons", OTHER) \
	X(FORWARDED, "forwarded", OTHER) \
	X(LABELS, "labels", OTHER) \
	X(ROSTER_EXCHANGE, "roster-exchange", OTHER) \
	X(REGISTRATION, "registration", OTHER) \
	X(SEARCH, "search", OTHER) \
	X(MULTICAST, "multicast", OTHER) \
	X(MESSAGE_PROCESSING, "message-processing", OTHER) \
	X(RPC, "rpc", OTHER) \
	X(OMEMO, "omemo", ENCRYPTION) \
	X(OPENPGP, "openpgp", ENCRYPTION) \
	X(PGP_LEGACY, "pgp-legacy", ENCRYPTION) \
	X(OTR, "otr", ENCRYPTION) \
	X(E2E, "e2e-rfc3923", ENCRYPTION) \
	X(STANZA_ENCRYPTION, "stanza-encryption", ENCRYPTION)

enum feature {
#define X(id, name, group) FEATURE_##id,
	POLICY_FEATURES(X)
#undef X
	FEATURES
};

static_assert(FEATURES < 64, "a set of features is a word");

/*
 * What elements of a namespace are. Text of most could be read by people; what is data is a number, a hash, an emoji, and
 * what has a remark means the same without it. Sealed is what is encrypted from end to end, and the keys for it.
 */
enum place_traits { PLACE_ADDITION = 1, PLACE_DATA = 2, PLACE_REMARK = 4, PLACE_SEALED = 8 };

/* One of a namespace. Any of `any` allows it; the first of them names it. */
struct feature_place {
	const char *ns;                /* ends with '*': whatever begins so */
	uint64_t any;
	unsigned traits;               /* PLACE_ADDITION: a stanza means the same without it */
};

/* NULL: unknown. */
const struct feature_place *feature_place_of(const char *ns) __attribute__((nonnull));

/*
 * The same by a name that begins with a namespace: of "urn:xmpp:mam:2#extended" and "urn:xmpp:avatar:metadata+notify"
 * (XEP-0163 5) what stands before these signs is the namespace, if the whole is none.
 */
const struct feature_place *feature_place_named(const char *name) __attribute__((nonnull));

const char *feature_name(enum feature feature);
const char *feature_rule(enum feature feature);        /* "features.NAME" */
enum feature feature_first(uint64_t set);           /* FEATURES: there is none */

/*
 * Adds what a list names, in its order: features, `basic`, `encryption`, `all`; "-NAME" takes away. NULL, or the first
 * item that names nothing.
 */
const char *feature_set_of(const char *const *list, uint64_t *set) __attribute__((nonnull));

#endif
