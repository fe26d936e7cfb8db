/* One JSON object on one line (RFC 8259). Strings may hold anything: what is not UTF-8 becomes U+FFFD. */
#ifndef CONTROL_JSON_H
#define CONTROL_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/buf.h"

struct json {
	struct buf *out;
	int error; /* the first; nothing is added after it */
	const char *separator;
};

void json_begin(struct json *json, struct buf *out);
void json_string(struct json *json, const char *name, const char *value, size_t max_bytes); /* cut at a character */
void json_number(struct json *json, const char *name, uint64_t value);
void json_hex(struct json *json, const char *name, const uint8_t *bytes, size_t len);
void json_object(struct json *json, const char *name); /* one inside; name NULL: in an array */
void json_array(struct json *json, const char *name);
void json_close(struct json *json, char bracket);
int json_end(struct json *json) __attribute__((warn_unused_result)); /* closes, newline; 0 or -errno */

#endif
