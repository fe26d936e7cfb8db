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

/* Name in the configuration, is it in `basic`. */
#define POLICY_FEATURES(X) \
	X(CHAT, "chat", true) \
	X(NORMAL, "normal", true) \
	X(GROUPCHAT, "groupchat", true) \
	X(HEADLINE, "headline", false) \
	X(PRESENCE, "presence", true) \
	X(SUBSCRIPTIONS, "subscriptions", true) \
	X(MUC, "muc", true) \
	X(MUC_ADMIN, "muc-administration", false) \
	X(MUC_INVITE, "muc-invite", true) \
	X(MUC_DIRECT_INVITE, "muc-direct-invite", false) \
	X(MIX, "mix", false) \
	X(DISCO, "disco", true) \
	X(CAPS, "caps", true) \
	X(PING, "ping", true) \
	X(PUBSUB, "pubsub", false) \
	X(PERSONAL, "personal-events", false) \
	X(NICK, "nick", false) \
	X(BOOKMARKS, "bookmarks", false) \
	X(VCARD, "vcard", false) \
	X(AVATAR, "avatar", false) \
	X(VERSION, "version", false) \
	X(LAST_ACTIVITY, "last-activity", false) \
	X(TIME, "time", false) \
	X(RECEIPTS, "receipts", true) \
	X(CHAT_STATES, "chat-states", true) \
	X(MARKERS, "markers", true) \
	X(CORRECTIONS, "corrections", true) \
	X(RETRACTIONS, "retractions", false) \
	X(REACTIONS, "reactions", false) \
	X(REPLIES, "replies", true) \
	X(REFERENCES, "references", false) \
	X(STYLING, "styling", true) \
	X(SPOILERS, "spoilers", false) \
	X(ATTENTION, "attention", false) \
	X(REAL_TIME_TEXT, "real-time-text", false) \
	X(XHTML, "xhtml", false) \
	X(DELAY, "delay", true) \
	X(HINTS, "hints", true) \
	X(STANZA_ID, "stanza-id", true) \
	X(VOIP, "voip", false) \
	X(FILE_TRANSFER, "file-transfer", false) \
	X(HTTP_UPLOAD, "http-upload", false) \
	X(FILE_SHARING, "file-sharing", false) \
	X(BOB, "bob", false) \
	X(OOB, "oob", false) \
	X(AD_HOC, "ad-hoc", false) \
	X(DATA_FORMS, "data-forms", false) \
	X(MAM, "mam", false) \
	X(CARBONS, "carbons", false) \
	X(FORWARDED, "forwarded", false) \
	X(LABELS, "labels", false) \
	X(ROSTER_EXCHANGE, "roster-exchange", false) \
	X(REGISTRATION, "registration", false) \
	X(SEARCH, "search", false) \
	X(MULTICAST, "multicast", false) \
	X(MESSAGE_PROCESSING, "message-processing", false) \
	X(RPC, "rpc", false) \
	X(ENCRYPTION, "encryption", false)

enum feature {
#define X(id, name, basic) FEATURE_##id,
	POLICY_FEATURES(X)
#undef X
	FEATURES
};

static_assert(FEATURES <= 64, "a set of features is a word");

/* One of a namespace. Any of `any` allows it; the first of them names it. */
struct feature_place {
	const char *ns;                /* ends with '*': whatever begins so */
	uint64_t any;
	bool addition;                 /* a stanza means the same without it */
};

/* NULL: unknown. */
const struct feature_place *feature_place_of(const char *ns) __attribute__((nonnull));

const char *feature_name(enum feature feature);
const char *feature_rule(enum feature feature);        /* "features.NAME" */
enum feature feature_first(uint64_t set);           /* FEATURES: there is none */

/*
 * Adds what a list names, in its order: features, `basic`, `all`; "-NAME" takes away. NULL, or the first item that names
 * nothing.
 */
const char *feature_set_of(const char *const *list, uint64_t *set) __attribute__((nonnull));

#endif
