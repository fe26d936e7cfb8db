/* The conditions of errors that RFC 6120 defines: what else an error says does not pass. */
#include <string.h>

#include "control/negotiation.h"

/* 4.9.3, less see-other-host, which would send a server around the guard */
static const char *const of_streams[] = {"bad-format", "bad-namespace-prefix", "conflict", "connection-timeout",
	"host-gone", "host-unknown", "improper-addressing", "internal-server-error", "invalid-from", "invalid-namespace",
	"invalid-xml", "not-authorized", "not-well-formed", "policy-violation", "remote-connection-failed", "reset",
	"resource-constraint", "restricted-xml", "system-shutdown", "undefined-condition", "unsupported-encoding",
	"unsupported-feature", "unsupported-stanza-type", "unsupported-version", NULL};

/* 6.5 */
static const char *const of_sasl[] = {"aborted", "account-disabled", "credentials-expired", "encryption-required",
	"incorrect-encoding", "invalid-authzid", "invalid-mechanism", "malformed-request", "mechanism-too-weak",
	"not-authorized", "temporary-auth-failure", NULL};

/* 8.3.3, as XEP-0220 2.5 and XEP-0198 use them too; remote-connection-failed is of XEP-0220 only */
static const char *const of_stanzas[] = {"bad-request", "conflict", "feature-not-implemented", "forbidden", "gone",
	"internal-server-error", "item-not-found", "jid-malformed", "not-acceptable", "not-allowed", "not-authorized",
	"policy-violation", "recipient-unavailable", "redirect", "registration-required", "remote-connection-failed",
	"remote-server-not-found", "remote-server-timeout", "resource-constraint", "service-unavailable",
	"subscription-required", "undefined-condition", "unexpected-request", NULL};

static const struct {
	const char *ns;
	const char *const *names;
} conditions[] = {{NS_STREAM_ERRORS, of_streams}, {NS_SASL, of_sasl}, {NS_STANZAS, of_stanzas}};

static const char *find(const char *ns, const char *name)
{
	for (unsigned i = 0; i < sizeof(conditions) / sizeof(*conditions); i++)
		for (const char *const *known = conditions[i].names; !strcmp(conditions[i].ns, ns) && *known; known++)
			if (!strcmp(*known, name))
				return *known;
	return NULL;
}

const char *condition_of(const struct node *error, const char *ns, const char *otherwise)
{
	for (const struct node *child = error->first; child; child = child->next) {
		const char *known = child->name && !strcmp(child->ns, ns) ? find(ns, child->name) : NULL;
		if (known)
			return known;
	}
	return otherwise;
}
