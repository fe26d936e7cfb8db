/*
 * Labels and clearances in DER: ESSSecurityLabel (RFC 2634 3.2) with categories of ACP-145 or MISSI (SDN.801c), Clearance
 * (RFC 5755 4.4.6, and with the tags of RFC 3281).
 */
#ifndef POLICY_LABEL_ESS_H
#define POLICY_LABEL_ESS_H

#include "label.h"
#include "policy/element.h"

/*
 * Reads all `len` bytes. 0; -EBADMSG with a static text in *why; -ENOMEM (arena full). Only what would be written in the
 * same bytes is taken, unless `ber`: then other encodings of the same are, too.
 */
int ess_label_decode(struct arena *arena, const uint8_t *bytes, size_t len, bool ber, struct label *label,
	const char **why)
	__attribute__((warn_unused_result, nonnull));
int ess_clearance_decode(struct arena *arena, const uint8_t *bytes, size_t len, bool ber, struct clearance *clearance,
	const char **why) __attribute__((warn_unused_result, nonnull));

/*
 * DER into the arena. 0; -EDOM: a lacv that is no number, or is too large to be a bit; a privacy mark of more than 128
 * characters; more than 64 categories; -ENOMEM.
 */
int ess_label_encode(struct arena *arena, const struct label *label, const uint8_t **bytes, size_t *len)
	__attribute__((warn_unused_result, nonnull));
int ess_clearance_encode(struct arena *arena, const struct clearance *clearance, const uint8_t **bytes, size_t *len)
	__attribute__((warn_unused_result, nonnull));

#endif
