/* [link NAME] of the configuration; see conf_link.c. Private to conf*.c but for conf_link_find(), which conf.h has. */
#ifndef BASE_CONF_LINK_H
#define BASE_CONF_LINK_H

#include "conf_table.h"

void set_address(const struct conf_value *v, void *field);
void set_link_domains(const struct conf_value *v, void *field);

/* NULL, or why these values do not go together, with a hint. */
const char *conf_link_fault(const struct conf *conf, const struct conf_link *link) __attribute__((nonnull));

#endif
