/* TLS profiles: what may stand in one, and those that are built in. Private to conf*.c; see conf.h for the rest. */
#ifndef BASE_CONF_TLS_H
#define BASE_CONF_TLS_H

#include "conf_table.h"

extern const char *const conf_tls_names[];     /* built in, ended by NULL */

/* What is wrong with a profile as a whole, as "KEY: what (hint: ...)"; NULL: nothing. */
const char *conf_tls_fault(const struct conf_tls *tls) __attribute__((nonnull));

void set_tls_versions(const struct conf_value *v, void *field);
void set_tls_groups(const struct conf_value *v, void *field);
void set_tls_ciphers(const struct conf_value *v, void *field);
void set_tls_ciphersuites(const struct conf_value *v, void *field);
void set_tls_signatures(const struct conf_value *v, void *field);

#endif
