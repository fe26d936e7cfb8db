/* Connections to the scanner: control asks for them, since it has no network, and speaks on them itself. */
#ifndef DAEMON_SCANNER_H
#define DAEMON_SCANNER_H

#include "dataplane/base/conf.h"

/* A descriptor that does not block, connected or about to be; or -errno. Never waits. */
int scanner_dial(const struct conf_scanner *scanner) __attribute__((warn_unused_result, nonnull));

#endif
