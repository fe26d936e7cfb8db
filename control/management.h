/*
 * Stream management (XEP-0198): either server learns of its own stanzas only, whatever the guard refused or added.
 * What is said of it passes, with the counts translated (acks.h); nothing is resumed, for that a server would need the
 * counts of a connection that is gone.
 */
#ifndef CONTROL_MANAGEMENT_H
#define CONTROL_MANAGEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "control/acks.h"
#include "dataplane/base/channel.h"

struct session;

struct management {
	enum management_state {
		MANAGEMENT_OFF,
		MANAGEMENT_ASKED, /* <enable/> was passed on: what the client sends counts */
		MANAGEMENT_ON,    /* <enabled/> was: so does what the server sends */
	} state;
	const char *ns;          /* of the version that was asked for; static */
	struct acks acks[SIDES]; /* of the stanzas that this side sends */
	bool asked[SIDES];       /* this side, by the guard, and it has not answered */
	uint64_t full_ms;        /* when one of them was first seen full; 0: not since an answer made room */
};

void management_init(struct management *management) __attribute__((nonnull));
void management_fini(struct management *management) __attribute__((nonnull));

/* A stanza that came from `from`, or that the guard sends as if it had; with no room for it the session is closed. */
void management_count(struct session *session, enum conn_side from, enum acks_kind kind) __attribute__((nonnull));

/* So many stanzas of this side are not acknowledged that it is to wait. */
bool management_holds(const struct session *session, enum conn_side side) __attribute__((nonnull));
bool management_is_late(struct session *session) __attribute__((nonnull)); /* it has waited too long; for the tick */

/* "urn:xmpp:sm:3", "urn:xmpp:sm:2", or "no". */
const char *management_name(const struct management *management) __attribute__((nonnull));

#endif
