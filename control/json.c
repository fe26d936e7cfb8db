/* Writing JSON; see json.h. */
#include <inttypes.h>
#include <string.h>

#include "control/json.h"

static void put(struct json *json, const void *bytes, size_t len)
{
	if (!json->error)
		json->error = buf_put(json->out, bytes, len);
}

static void put_text(struct json *json, const char *text)
{
	put(json, text, strlen(text));
}

/* Bytes of the character that begins here if it is valid UTF-8 (RFC 3629); 0: it is not. The text ends with a NUL. */
static size_t character(const uint8_t *s)
{
	static const struct {
		uint8_t mask, lead, second_min, second_max;
		size_t len;
	} forms[] = {
		{0x80, 0x00, 0, 0, 1},
		{0xff, 0xe0, 0xa0, 0xbf, 3},
		{0xff, 0xed, 0x80, 0x9f, 3},
		{0xff, 0xf0, 0x90, 0xbf, 4},
		{0xff, 0xf4, 0x80, 0x8f, 4},
		{0xf0, 0xe0, 0x80, 0xbf, 3},
		{0xfc, 0xf0, 0x80, 0xbf, 4},
		{0xe0, 0xc0, 0x80, 0xbf, 2},
	};
	if (s[0] == 0xc0 || s[0] == 0xc1)
		return 0;
	for (size_t f = 0; f < sizeof(forms) / sizeof(*forms); f++) {
		if ((s[0] & forms[f].mask) != forms[f].lead)
			continue;
		if (forms[f].len > 1 && (s[1] < forms[f].second_min || s[1] > forms[f].second_max))
			return 0;
		for (size_t i = 2; i < forms[f].len; i++)
			if ((s[i] & 0xc0) != 0x80)
				return 0;
		return forms[f].len;
	}
	return 0;
}

static void put_character(struct json *json, const uint8_t *s, size_t len)
{
	int rc = 0;
	if (*s == '"' || *s == '\\')
		rc = json->error ? json->error : buf_printf(json->out, "\\%c", *s);
	else if (*s < 0x20 || *s == 0x7f)
		rc = json->error ? json->error : buf_printf(json->out, "\\u%04x", *s);
	else
		put(json, s, len);
	if (rc)
		json->error = rc;
}

static void put_quoted(struct json *json, const char *value, size_t max_bytes)
{
	const uint8_t *s = (const uint8_t *)value;
	size_t left = max_bytes;
	put_text(json, "\"");
	while (*s) {
		size_t len = character(s), step = len ? len : 1;
		if (step > left)
			break;
		if (len)
			put_character(json, s, len);
		else
			put_text(json, "\xef\xbf\xbd");
		s += step;
		left -= step;
	}
	put_text(json, "\"");
}

static void put_name(struct json *json, const char *name)
{
	put_text(json, json->separator);
	json->separator = ",";
	if (!name)
		return;
	put_quoted(json, name, SIZE_MAX);
	put_text(json, ":");
}

void json_begin(struct json *json, struct buf *out)
{
	*json = (struct json){.out = out, .separator = ""};
	put_text(json, "{");
}

void json_string(struct json *json, const char *name, const char *value, size_t max_bytes)
{
	put_name(json, name);
	put_quoted(json, value, max_bytes);
}

void json_number(struct json *json, const char *name, uint64_t value)
{
	put_name(json, name);
	if (!json->error)
		json->error = buf_printf(json->out, "%" PRIu64, value);
}

void json_hex(struct json *json, const char *name, const uint8_t *bytes, size_t len)
{
	put_name(json, name);
	put_text(json, "\"");
	for (size_t i = 0; i < len && !json->error; i++)
		json->error = buf_printf(json->out, "%02x", bytes[i]);
	put_text(json, "\"");
}

static void open_bracket(struct json *json, const char *name, const char *bracket)
{
	put_name(json, name);
	put_text(json, bracket);
	json->separator = "";
}

void json_object(struct json *json, const char *name)
{
	open_bracket(json, name, "{");
}

void json_array(struct json *json, const char *name)
{
	open_bracket(json, name, "[");
}

void json_close(struct json *json, char bracket)
{
	put(json, &bracket, 1);
	json->separator = ",";
}

int json_end(struct json *json)
{
	put_text(json, "}\n");
	return json->error;
}
