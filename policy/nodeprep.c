/* The older reading of addresses; see nodeprep.h. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <stringprep.h>
#include <unicase.h>
#include <uninorm.h>

#include "jid.h"
#include "nodeprep.h"

static const Stringprep_profile *profile_of(enum nodeprep_part part)
{
	switch (part) {
	case NODEPREP_LOCAL:
		return stringprep_xmpp_nodeprep;
	case NODEPREP_DOMAIN:
		return stringprep_nameprep;
	default:
		return stringprep_xmpp_resourceprep;
	}
}

/* As servers do to what is sent: unassigned code points stay (RFC 3454 7). */
static int check_old(enum nodeprep_part part, const char *text, size_t len)
{
	char copy[JID_PART_BYTES + 1];

	if (len >= sizeof(copy))
		return -ENOTUNIQ;
	memcpy(copy, text, len);
	copy[len] = '\0';
	switch (stringprep(copy, sizeof(copy), 0, profile_of(part))) {
	case STRINGPREP_OK:
		return strlen(copy) == len && !memcmp(copy, text, len) ? 0 : -ENOTUNIQ;
	case STRINGPREP_TOO_SMALL_BUFFER:
		return -ENOTUNIQ;              /* it got longer */
	case STRINGPREP_CONTAINS_PROHIBITED:
	case STRINGPREP_BIDI_BOTH_L_AND_RAL:
	case STRINGPREP_BIDI_LEADTRAIL_NOT_RAL:
	case STRINGPREP_BIDI_CONTAINS_PROHIBITED:
		return 0;
	default:
		return -ENOMEM;
	}
}

/* The same steps with the characters of today. */
static int check_new(enum nodeprep_part part, const char *text, size_t len)
{
	const uint8_t *bytes = (const uint8_t *)text;
	size_t n = 0;
	uint8_t *normal = part == NODEPREP_RESOURCE ? u8_normalize(UNINORM_NFKC, bytes, len, NULL, &n) :
						      u8_casefold(bytes, len, NULL, UNINORM_NFKC, NULL, &n);
	bool same = normal && n == len && !memcmp(normal, text, len);

	free(normal);
	if (!normal)
		return -ENOMEM;
	return same ? 0 : -ENOTUNIQ;
}

int nodeprep_check(enum nodeprep_part part, const char *text, size_t len)
{
	int err = check_old(part, text, len);

	return err ? err : check_new(part, text, len);
}
