/* Which namespace is of which feature; see feature_table.h. Numbers are those of XEPs. */
#include <string.h>

#include "element.h"
#include "feature_table.h"

#define F(id) (UINT64_C(1) << FEATURE_##id)
#define ENCRYPTIONS \
	(F(OMEMO) | F(OPENPGP) | F(PGP_LEGACY) | F(OTR) | F(E2E) | F(STANZA_ENCRYPTION))

static const struct feature_place places[] = {
	{"http://jabber.org/protocol/muc", F(MUC), 0},                                  /* 0045 */
	{"http://jabber.org/protocol/muc#admin", F(MUC_ADMIN), 0},
	{"http://jabber.org/protocol/muc#owner", F(MUC_ADMIN), 0},
	{"http://jabber.org/protocol/muc#*", F(MUC), 0},
	{"muc_*", F(MUC), 0},      /* what rooms say of themselves to disco */
	{"http://isode.com/protocol/fmuc", F(MUC), 0},                                  /* 0289 */
	{"urn:xmpp:hats:0", F(MUC), PLACE_ADDITION},                                    /* 0317 */
	{"urn:xmpp:occupant-id:0", F(STANZA_ID), PLACE_ADDITION},                       /* 0421 */
	{"jabber:x:conference", F(MUC_DIRECT_INVITE), 0},                               /* 0249 */
	{"urn:xmpp:mix:*", F(MIX), PLACE_DATA},                                         /* 0369 */

	{"http://jabber.org/protocol/disco#*", F(DISCO), 0},                            /* 0030 */
	{"http://jabber.org/protocol/caps", F(CAPS), PLACE_ADDITION},                   /* 0115 */
	{"urn:xmpp:caps", F(CAPS), PLACE_ADDITION},                                     /* 0390 */
	{"urn:xmpp:ping", F(PING), 0},                                                  /* 0199 */

	{"http://jabber.org/protocol/pubsub*", F(PUBSUB), 0},                           /* 0060 */
	{"http://jabber.org/protocol/mood", F(PERSONAL), 0},                            /* 0107 */
	{"http://jabber.org/protocol/activity", F(PERSONAL), 0},                        /* 0108 */
	{"http://jabber.org/protocol/tune", F(PERSONAL), 0},                            /* 0118 */
	{"http://jabber.org/protocol/geoloc", F(PERSONAL), 0},                          /* 0080 */
	{"http://jabber.org/protocol/nick", F(NICK), PLACE_ADDITION},                   /* 0172 */
	{"urn:xmpp:bookmarks:*", F(BOOKMARKS), 0},                                      /* 0402 */
	{"storage:bookmarks", F(BOOKMARKS), 0},                                         /* 0048 */

	{"vcard-temp", F(VCARD), 0},                                                    /* 0054 */
	{"vcard-temp:x:update", F(AVATAR) | F(VCARD), PLACE_ADDITION},                  /* 0153 */
	{"urn:xmpp:vcard4", F(VCARD), 0},
	{"urn:ietf:params:xml:ns:vcard-4.0", F(VCARD), 0},                              /* 0292 */
	{"urn:xmpp:avatar:*", F(AVATAR), PLACE_DATA},                                   /* 0084 */
	{"http://www.xmpp.org/extensions/xep-0084.html*", F(AVATAR), PLACE_DATA},
	{"jabber:iq:avatar", F(AVATAR), 0},                                             /* 0008 */
	{"jabber:x:avatar", F(AVATAR), PLACE_ADDITION},
	{"storage:client:avatar", F(AVATAR), 0},
	{"jabber:iq:version", F(VERSION), 0},                                           /* 0092 */
	{"jabber:iq:last", F(LAST_ACTIVITY), 0},                                        /* 0012 */
	{"urn:xmpp:idle:1", F(LAST_ACTIVITY), PLACE_ADDITION},                          /* 0319 */
	{"urn:xmpp:time", F(TIME), 0},                                                  /* 0202 */
	{"jabber:iq:time", F(TIME), 0},                                                 /* 0090 */

	{"urn:xmpp:receipts", F(RECEIPTS), PLACE_ADDITION},                             /* 0184 */
	{"http://jabber.org/protocol/chatstates", F(CHAT_STATES), PLACE_ADDITION},      /* 0085 */
	{"jabber:x:event", F(CHAT_STATES), PLACE_ADDITION | PLACE_DATA},                /* 0022 */
	{"urn:xmpp:chat-markers:0", F(MARKERS), PLACE_ADDITION},                        /* 0333 */
	{"urn:xmpp:message-correct:0", F(CORRECTIONS), 0},                              /* 0308 */
	{"urn:xmpp:message-retract:*", F(RETRACTIONS), 0},                              /* 0424 */
	{"urn:xmpp:message-moderate:*", F(RETRACTIONS), 0},                             /* 0425 */
	{"urn:xmpp:fasten:0", F(RETRACTIONS), 0},                                       /* 0422 */
	{"urn:xmpp:reactions:0", F(REACTIONS), PLACE_DATA},                             /* 0444 */
	{"urn:xmpp:reply:0", F(REPLIES), PLACE_ADDITION},                               /* 0461 */
	{"urn:xmpp:fallback:0", F(REPLIES) | F(REACTIONS) | F(RETRACTIONS), PLACE_ADDITION}, /* 0428 */
	{"urn:xmpp:feature-fallback:0", F(REPLIES), PLACE_ADDITION},
	{"urn:xmpp:reference:0", F(REFERENCES) | F(FILE_SHARING), 0},                   /* 0372 */
	{"urn:xmpp:styling:0", F(STYLING), PLACE_ADDITION},                             /* 0393 */
	{"urn:xmpp:spoiler:0", F(SPOILERS), PLACE_ADDITION},                            /* 0382 */
	{"urn:xmpp:attention:0", F(ATTENTION), 0},                                      /* 0224 */
	{"urn:xmpp:rtt:0", F(REAL_TIME_TEXT), PLACE_ADDITION},                          /* 0301 */
	{"http://jabber.org/protocol/xhtml-im", F(XHTML), PLACE_ADDITION},              /* 0071 */
	{"http://www.w3.org/1999/xhtml", F(XHTML), PLACE_ADDITION},
	{"urn:xmpp:delay", F(DELAY), PLACE_ADDITION | PLACE_REMARK},                    /* 0203 */
	{"jabber:x:delay", F(DELAY), PLACE_ADDITION | PLACE_REMARK},                    /* 0091 */
	{"urn:xmpp:hints", F(HINTS), PLACE_ADDITION},                                   /* 0334 */
	{"urn:xmpp:sid:0", F(STANZA_ID), PLACE_ADDITION},                               /* 0359 */

	{"http://jabber.org/protocol/si*", F(FILE_TRANSFER), 0},                        /* 0095, 0096 */
	{"http://jabber.org/protocol/bytestreams*", F(FILE_TRANSFER), 0},               /* 0065 */
	{NS_IBB, F(FILE_TRANSFER), PLACE_DATA},                                         /* 0047 */
	{"http://jabber.org/protocol/feature-neg", F(FILE_TRANSFER), 0},                /* 0020 */
	{"urn:xmpp:jingle:apps:file-transfer:*", F(FILE_TRANSFER), 0},                  /* 0234 */
	{"urn:xmpp:jingle:transports:s5b:*", F(FILE_TRANSFER), 0},                      /* 0260 */
	{"urn:xmpp:jingle:transports:ibb:*", F(FILE_TRANSFER), 0},                      /* 0261 */
	{"urn:xmpp:jingle:1", F(VOIP) | F(FILE_TRANSFER), 0},                           /* 0166 */
	{"urn:xmpp:jingle:errors:1", F(VOIP) | F(FILE_TRANSFER), 0},
	{"urn:xmpp:jingle-message:*", F(VOIP), 0},                                      /* 0353, by its schema */
	{"urn:xmpp:jingle:*", F(VOIP), 0},     /* 0167, 0176, 0177, 0320, 0343; 0353, by its registry */
	{"urn:xmpp:call-invites:0", F(VOIP), 0},                                        /* 0482 */
	{"http://jabber.org/protocol/jingle*", F(VOIP), 0},
	{"urn:xmpp:http:upload:0", F(HTTP_UPLOAD), 0},                                  /* 0363 */
	{"eu:siacs:conversations:http:upload", F(HTTP_UPLOAD), 0},
	{"urn:xmpp:sfs:0", F(FILE_SHARING), 0},                                         /* 0447 */
	{"urn:xmpp:sims:1", F(FILE_SHARING), 0},                                        /* 0385 */
	{"urn:xmpp:file:metadata:0", F(FILE_SHARING), 0},                               /* 0446 */
	{"http://jabber.org/protocol/url-data", F(FILE_SHARING), 0},                    /* 0103 */
	{"urn:xmpp:hashes:*", F(FILE_SHARING) | F(FILE_TRANSFER) | F(BOB), PLACE_DATA}, /* 0300 */
	{"urn:xmpp:thumbs:1", F(FILE_SHARING) | F(FILE_TRANSFER), 0},                   /* 0264 */
	{"urn:xmpp:bob", F(BOB), PLACE_DATA},                                           /* 0231 */
	{"urn:xmpp:media-element", F(BOB), 0},                                          /* 0221 */
	{"jabber:x:oob", F(OOB), 0},                                                    /* 0066 */
	{"jabber:iq:oob", F(OOB), 0},

	{"http://jabber.org/protocol/commands", F(AD_HOC), 0},                          /* 0050 */
	{NS_DATA_FORM, F(DATA_FORMS), 0},                                               /* 0004 */
	{"http://jabber.org/protocol/xdata-*", F(DATA_FORMS), PLACE_ADDITION},          /* 0122, 0141 */
	{NS_RESULT_SET, F(MAM), PLACE_DATA},                                            /* 0059 */
	{"urn:xmpp:mam:*", F(MAM), PLACE_DATA},                                         /* 0313 */
	{"urn:xmpp:carbons:2", F(CARBONS), 0},                                          /* 0280 */
	{"urn:xmpp:forward:0", F(FORWARDED) | F(CARBONS) | F(MAM), 0},                  /* 0297 */
	{"urn:xmpp:sec-label:*", F(LABELS), PLACE_DATA},                                /* 0258 */
	{"urn:nato:stanag:4774:*", F(LABELS), 0},
	{"urn:nato:stanag:4778:*", F(LABELS), 0},
	{"http://surevine.com/xmlns/spiffy", F(LABELS), 0},
	{"http://example.gov/IC-ISM/0", F(LABELS), 0},                                  /* 0258 */

	{"http://jabber.org/protocol/rosterx", F(ROSTER_EXCHANGE), 0},                  /* 0144 */
	{"jabber:x:roster", F(ROSTER_EXCHANGE), 0},                                     /* 0093 */
	{"jabber:iq:register", F(REGISTRATION), 0},                                     /* 0077 */
	{"jabber:iq:search", F(SEARCH), 0},                                             /* 0055 */
	{"http://jabber.org/protocol/address", F(MULTICAST), 0},                        /* 0033 */
	{"http://jabber.org/protocol/amp", F(MESSAGE_PROCESSING), 0},                   /* 0079 */
	{"jabber:iq:rpc", F(RPC), 0},                                                   /* 0009 */
	{"urn:xmpp:http", F(RPC), 0},                                                   /* 0332 */
	{"urn:xmpp:json:0", F(RPC), 0},                                                 /* 0335 */

	{"urn:xmpp:omemo:*", F(OMEMO), PLACE_SEALED},                                   /* 0384 */
	{"eu.siacs.conversations.axolotl*", F(OMEMO), PLACE_SEALED},
	{"urn:xmpp:openpgp:*", F(OPENPGP), PLACE_SEALED},                               /* 0373, 0374 */
	{"jabber:x:encrypted", F(PGP_LEGACY), PLACE_SEALED},                            /* 0027 */
	{"jabber:x:signed", F(PGP_LEGACY), PLACE_ADDITION | PLACE_DATA},
	{"urn:xmpp:otr:0", F(OTR), 0},                                                  /* 0364 */
	{"urn:ietf:params:xml:ns:xmpp-e2e", F(E2E), 0},  /* RFC 3923; may be signed only, and then anybody can read it */
	{"http://www.xmpp.org/extensions/xep-0200.html#ns", F(STANZA_ENCRYPTION), PLACE_SEALED},
	{"http://www.xmpp.org/extensions/xep-0116.html*", F(STANZA_ENCRYPTION), 0},
	{"urn:xmpp:sce:*", F(STANZA_ENCRYPTION), 0},                                    /* 0420, here not encrypted */
	{"urn:xmpp:esfs:*", ENCRYPTIONS, 0},                                            /* 0448 */
	{"urn:xmpp:eme:0", ENCRYPTIONS, PLACE_ADDITION},                                /* 0380 */
};

static const struct {
	const char *name, *rule;
	enum feature_group group;
} names[] = {
#define X(id, name, group) {name, "features." name, FEATURE_GROUP_##group},
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

const struct feature_place *feature_place_named(const char *name)
{
	const struct feature_place *place = feature_place_of(name);
	size_t n = strcspn(name, "#+");
	char ns[256];

	if (place || n >= sizeof(ns))
		return place;
	memcpy(ns, name, n);
	ns[n] = '\0';
	return feature_place_of(ns);
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
	bool all = !strcmp(name, "all"), basic = !strcmp(name, "basic"), encryption = !strcmp(name, "encryption");
	uint64_t set = 0;

	for (unsigned i = 0; i < FEATURES; i++)
		if (all || !strcmp(names[i].name, name) || (basic && names[i].group == FEATURE_GROUP_BASIC) ||
			(encryption && names[i].group == FEATURE_GROUP_ENCRYPTION))
			set |= UINT64_C(1) << i;
	return set;
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
