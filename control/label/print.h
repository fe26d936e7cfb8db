/* Labels, clearances and policies as text, for sallyport-label; on standard output. */
#ifndef CONTROL_LABEL_PRINT_H
#define CONTROL_LABEL_PRINT_H

#include "policy/label/marking.h"

void print_policy(const struct spif *spif);
/* `spif` is that of the label, or NULL: then there are numbers only. */
void print_label(const struct spif *spif, const struct label *label);
void print_clearance(const struct spif *spif, const struct clearance *clearance);
void print_marking(const struct known_label *label, const char *language);

/* ess (base64), der, 4774 or spiffy. False: it cannot be. */
bool print_label_form(const struct spif *spif, struct arena *arena, const struct label *label,
	const char *form, int64_t now);
bool print_clearance_form(const struct spif *spif, struct arena *arena, const struct clearance *clearance,
	const char *form);

#endif
