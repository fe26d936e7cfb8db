/* data: URIs (RFC 2397) in text: data:[TYPE][;PARAMETERS][;base64],DATA */
#ifndef POLICY_DATA_URI_H
#define POLICY_DATA_URI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct data_uri {
	const char *type;              /* with its parameters; not ended by NUL */
	size_t type_len;
	const char *data;
	size_t data_len;
	bool is_base64;
};

/* The next one from *at on, which is moved to its end. False: there is none. */
bool data_uri_find(const char *text, size_t len, size_t *at, struct data_uri *uri)
	__attribute__((warn_unused_result, nonnull));

size_t data_uri_room(const struct data_uri *uri) __attribute__((nonnull));

/* Into so many bytes of room. False: it is not encoded as it has to be. */
bool data_uri_decode(const struct data_uri *uri, uint8_t *out, size_t *len) __attribute__((warn_unused_result, nonnull));

#endif
