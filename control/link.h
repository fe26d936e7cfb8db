/* Connections of a [link], which begin without a handshake; see link.c. */
#ifndef CONTROL_LINK_H
#define CONTROL_LINK_H

#include <stdbool.h>

struct element_row;
struct session;

void link_name(struct session *session) __attribute__((nonnull)); /* after the first domain of each side */

/* Both streams stand open, and all pairs of domains may speak. Closes the session if it cannot. */
void link_begin(struct session *session) __attribute__((nonnull));

/* Stanzas and stream errors: there is nothing to negotiate. */
bool link_takes(const struct element_row *row) __attribute__((nonnull));

#endif
