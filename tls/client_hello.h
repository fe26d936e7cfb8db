/* What a ClientHello says of whom it is for. */
#ifndef TLS_CLIENT_HELLO_H
#define TLS_CLIENT_HELLO_H

#include <openssl/ssl.h>

#include "dataplane/base/channel.h"

#define CLIENT_HELLO_ALPN "\x0bxmpp-server"    /* XEP-0368 3, as it stands on the wire */

/* From within the callback of the ClientHello only. What is ill-formed counts as not said, or as said otherwise. */
void client_hello_read(SSL *ssl, struct msg_client_hello *hello) __attribute__((nonnull));

#endif
