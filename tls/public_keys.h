/*
 * How the public keys in certificates are read. OpenSSL 3.0 looks for a decoder among all that its providers have, anew for
 * each certificate, which takes as long as checking a signature. Keys with an ENGINE it reads by its older code; so there
 * is one, which has nothing but that code.
 */
#ifndef TLS_PUBLIC_KEYS_H
#define TLS_PUBLIC_KEYS_H

/* Once, before the first certificate is read. 0 or -ENOMEM. */
int public_keys_init(void) __attribute__((warn_unused_result));

#endif
