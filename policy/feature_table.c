/* Which namespace is of which feature; see feature_table.h. Numbers are those of XEPs. */
#include <string.h>

#include "element.h"
#include "feature_table.h"

#define F(id) (UINT64_C(1) << FEATURE_##id)

static const struct feature_place places[] = {
	{"http://jabber.org/protocol/muc", F(MUC), false},                       /* 0045 */
	{"http://jabber.org/protocol/muc#admin", F(MUC_ADMIN), false},
	{"http://jabber.org/protocol/muc#owner", F(MUC_ADMIN), false},
	{"http://jabber.org/protocol/muc#*", F(MUC), false},
	{"muc_*", F(MUC), false},      /* what rooms say of themselves to disco */
	{"http://isode.com/protocol/fmuc", F(MUC), false},                       /* 0289 */
	{"urn:xmpp:hats:0", F(MUC), true},                                       /* 0317 */
	{"urn:xmpp:occupant-id:0", F(STANZA_ID), true},                          /* 0421 */
	{"jabber:x:conference", F(MUC_DIRECT_INVITE), false},                    /* 0249 */
	{"urn:xmpp:mix:*", F(MIX), false},                                       /* 0369 */

	{"http://jabber.org/protocol/disco#*", F(DISCO), false},                 /* 0030 */
	{"http://jabber.org/protocol/caps", F(CAPS), true},                      /* 0115 */
	{"urn:xmpp:caps", F(CAPS), true},                                        /* 0390 */
	{"urn:xmpp:ping", F(PING), false},                                       /* 0199 */

	{"http://jabber.org/protocol/pubsub*", F(PUBSUB), false},                /* 0060 */
	{"http://jabber.org/protocol/mood", F(PERSONAL), false},                 /* 0107 */
	{"http://jabber.org/protocol/activity", F(PERSONAL), false},             /* 0108 */
	{"http://jabber.org/protocol/tune", F(PERSONAL), false},                 /* 0118 */
	{"http://jabber.org/protocol/geoloc", F(PERSONAL), false},               /* 0080 */
	{"http://jabber.org/protocol/nick", F(NICK), true},                      /* 0172 */
	{"urn:xmpp:bookmarks:*", F(BOOKMARKS), false},                           /* 0402 */
	{"storage:bookmarks", F(BOOKMARKS), false},                              /* 0048 */

	{"vcard-temp", F(VCARD), false},                                         /* 0054 */
	{"vcard-temp:x:update", F(AVATAR) | F(VCARD), true},                     /* 0153 */
	{"urn:ietf:params:xml:ns:vcard-4.0", F(VCARD), false},                   /* 0292 */
	{"urn:xmpp:avatar:*", F(AVATAR), false},                                 /* 0084 */
	{"jabber:iq:avatar", F(AVATAR), false},                                  /* 0008 */
	{"jabber:x:avatar", F(AVATAR), true},
	{"storage:client:avatar", F(AVATAR), false},
	{"jabber:iq:version", F(VERSION), false},                                /* 0092 */
	{"jabber:iq:last", F(LAST_ACTIVITY), false},                             /* 0012 */
	{"urn:xmpp:idle:1", F(LAST_ACTIVITY), true},                             /* 0319 */
	{"urn:xmpp:time", F(TIME), false},                                       /* 0202 */
	{"jabber:iq:time", F(TIME), false},                                      /* 0090 */

	{"urn:xmpp:receipts", F(RECEIPTS), true},                                /* 0184 */
	{"http://jabber.org/protocol/chatstates", F(CHAT_STATES), true},         /* 0085 */
	{"jabber:x:event", F(CHAT_STATES), true},                                /* 0022 */
	{"urn:xmpp:chat-markers:0", F(MARKERS), true},                           /* 0333 */
	{"urn:xmpp:message-correct:0", F(CORRECTIONS), false},                   /* 0308 */
	{"urn:xmpp:message-retract:*", F(RETRACTIONS), false},                   /* 0424 */
	{"urn:xmpp:message-moderate:*", F(RETRACTIONS), false},                  /* 0425 */
	{"urn:xmpp:fasten:0", F(RETRACTIONS), false},                            /* 0422 */
	{"urn:xmpp:reactions:0", F(REACTIONS), false},                           /* 0444 */
	{"urn:xmpp:reply:0", F(REPLIES), true},                                  /* 0461 */
	{"urn:xmpp:fallback:0", F(REPLIES) | F(REACTIONS) | F(RETRACTIONS), true},       /* 0428 */
	{"urn:xmpp:feature-fallback:0", F(REPLIES), true},
	{"urn:xmpp:reference:0", F(REFERENCES) | F(FILE_SHARING), false},        /* 0372 */
	{"urn:xmpp:styling:0", F(STYLING), true},                                /* 0393 */
	{"urn:xmpp:spoiler:0", F(SPOILERS), true},                               /* 0382 */
	{"urn:xmpp:attention:0", F(ATTENTION), false},                           /* 0224 */
	{"urn:xmpp:rtt:0", F(REAL_TIME_TEXT), true},                             /* 0301 */
	{"http://jabber.org/protocol/xhtml-im", F(XHTML), true},                 /* 0071 */
	{"http://www.w3.org/1999/xhtml", F(XHTML), true},
	{"urn:xmpp:delay", F(DELAY), true},                                      /* 0203 */
	{"jabber:x:delay", F(DELAY), true},                                      /* 0091 */
	{"urn:xmpp:hints", F(HINTS), true},                                      /* 0334 */
	{"urn:xmpp:sid:0", F(STANZA_ID), true},                                  /* 0359 */

	{"http://jabber.org/protocol/si*", F(FILE_TRANSFER), false},             /* 0095, 0096 */
	{"http://jabber.org/protocol/bytestreams*", F(FILE_TRANSFER), false},    /* 0065 */
	{NS_IBB, F(FILE_TRANSFER), false},                                       /* 0047 */
	{"http://jabber.org/protocol/feature-neg", F(FILE_TRANSFER), false},     /* 0020 */
	{"urn:xmpp:jingle:apps:file-transfer:*", F(FILE_TRANSFER), false},       /* 0234 */
	{"urn:xmpp:jingle:transports:s5b:*", F(FILE_TRANSFER), false},           /* 0260 */
	{"urn:xmpp:jingle:transports:ibb:*", F(FILE_TRANSFER), false},           /* 0261 */
	{"urn:xmpp:jingle:1", F(VOIP) | F(FILE_TRANSFER), false},                /* 0166 */
	{"urn:xmpp:jingle:errors:1", F(VOIP) | F(FILE_TRANSFER), false},
	{"urn:xmpp:jingle-message:*", F(VOIP), false},                           /* 0353, by its schema */
	{"urn:xmpp:jingle:*", F(VOIP), false},   /* 0167, 0176, 0177, 0320, 0343; 0353, by its registry */
	{"urn:xmpp:call-invites:0", F(VOIP), false},                             /* 0482 */
	{"http://jabber.org/protocol/jingle*", F(VOIP), false},
	{"urn:xmpp:http:upload:0", F(HTTP_UPLOAD), false},                       /* 0363 */
	{"eu:siacs:conversations:http:upload", F(HTTP_UPLOAD), false},
	{"urn:xmpp:sfs:0", F(FILE_SHARING), false},                              /* 0447 */
	{"urn:xmpp:sims:1", F(FILE_SHARING), false},                             /* 0385 */
	{"urn:xmpp:file:metadata:0", F(FILE_SHARING), false},                    /* 0446 */
	{"http://jabber.org/protocol/url-data", F(FILE_SHARING), false},         /* 0103 */
	{"urn:xmpp:hashes:*", F(FILE_SHARING) | F(FILE_TRANSFER) | F(BOB), false},       /* 0300 */
	{"urn:xmpp:thumbs:1", F(FILE_SHARING) | F(FILE_TRANSFER), false},        /* 0264 */
	{"urn:xmpp:bob", F(BOB), false},                                         /* 0231 */
	{"urn:xmpp:media-element", F(BOB), false},                               /* 0221 */
	{"jabber:x:oob", F(OOB), false},                                         /* 0066 */
	{"jabber:iq:oob", F(OOB), false},

	{"http://jabber.org/protocol/commands", F(AD_HOC), false},               /* 0050 */
	{NS_DATA_FORM, F(DATA_FORMS), false},                                          /* 0004 */
	{"http://jabber.org/protocol/xdata-*", F(DATA_FORMS), true},             /* 0122, 0141 */
	{NS_RESULT_SET, F(MAM), false},                                                /* 0059 */
	{"urn:xmpp:mam:*", F(MAM), false},                                       /* 0313 */
	{"urn:xmpp:carbons:2", F(CARBONS), false},                               /* 0280 */
	{"urn:xmpp:forward:0", F(FORWARDED) | F(CARBONS) | F(MAM), false},       /* 0297 */
	{"urn:xmpp:sec-label:*", F(LABELS), false},                              /* 0258 */

	{"http://jabber.org/protocol/rosterx", F(ROSTER_EXCHANGE), false},       /* 0144 */
	{"jabber:x:roster", F(ROSTER_EXCHANGE), false},                          /* 0093 */
	{"jabber:iq:register", F(REGISTRATION), false},                          /* 0077 */
	{"jabber:iq:search", F(SEARCH), false},                                  /* 0055 */
	{"http://jabber.org/protocol/address", F(MULTICAST), false},             /* 0033 */
	{"http://jabber.org/protocol/amp", F(MESSAGE_PROCESSING), false},        /* 0079 */
	{"jabber:iq:rpc", F(RPC), false},                                        /* 0009 */
	{"urn:xmpp:http", F(RPC), false},                                        /* 0332 */
	{"urn:xmpp:json:0", F(RPC), false},                                      /* 0335 */

	{"urn:xmpp:omemo:*", F(ENCRYPTION), false},                              /* 0384 */
	{"eu.siacs.conversations.axolotl", F(ENCRYPTION), false},
	{"urn:xmpp:sce:1", F(ENCRYPTION), false},                                /* 0420 */
	{"urn:xmpp:openpgp:0", F(ENCRYPTION), false},                            /* 0373 */
	{"jabber:x:encrypted", F(ENCRYPTION), false},                            /* 0027 */
	{"jabber:x:signed", F(ENCRYPTION), true},
	{"urn:xmpp:otr:0", F(ENCRYPTION), false},                                /* 0364 */
	{"urn:xmpp:eme:0", F(ENCRYPTION), true},                                 /* 0380 */
	{"urn:xmpp:esfs:0", F(ENCRYPTION), false},                               /* 0448 */
	{"http://www.xmpp.org/extensions/xep-0116.html#ns", F(ENCRYPTION), false},
};

static const struct {
	const char *name, *rule;
	bool basic;
} names[] = {
#define X(id, name, basic) {name, "features." name, basic},
	POLICY_FEATURES(X)
#undef X
};

static bool is_of(const char *pattern, const char *ns)
{
	size_t n = strlen(pattern);

	return pattern[n - 1] == '*' ? !strncmp(pattern, ns, n - 1) : !strcmp(pattern, ns);
}

const struct feature_place *feature_place_of(const char *ns)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (is_of(places[i].ns, ns))
			return &places[i];
	return NULL;
}

const char *feature_name(enum feature feature)
{
	return feature < FEATURES ? names[feature].name : "unknown";
}

const char *feature_rule(enum feature feature)
{
	return feature < FEATURES ? names[feature].rule : "features.unknown";
}

enum feature feature_first(uint64_t set)
{
	unsigned first = 0;

	while (first < FEATURES && !(set >> first & 1))
		first++;
	return (enum feature)first;
}

static uint64_t set_named(const char *name)
{
	uint64_t all = 0, basic = 0;

	for (unsigned i = 0; i < FEATURES; i++) {
		if (!strcmp(names[i].name, name))
			return UINT64_C(1) << i;
		all |= UINT64_C(1) << i;
		basic |= (uint64_t)names[i].basic << i;
	}
	return !strcmp(name, "all") ? all : !strcmp(name, "basic") ? basic : 0;
}

const char *feature_set_of(const char *const *list, uint64_t *set)
{
	for (; *list; list++) {
		bool away = **list == '-';
		uint64_t named = set_named(*list + away);

		if (!named)
			return *list;
		*set = away ? *set & ~named : *set | named;
	}
	return NULL;
}
