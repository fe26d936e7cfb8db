/*
 * What an ICAP server is asked (RFC 3507): to look at the answer of a web server that has the binary as its body (RESPMOD).
 * 204 says that it would leave it as it is. Else it names what it found in one of the headers that servers use for that, or
 * puts another answer in its place; what it would make of the binary is never passed on.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "control/scan.h"

/* --- the question --- */

static void print_authority(const struct conf_scanner *scanner, char *out, size_t size)
{
	char address[INET6_ADDRSTRLEN] = "";
	bool is_ipv6 = scanner->address.family == 6;
	inet_ntop(is_ipv6 ? AF_INET6 : AF_INET, scanner->address.bytes, address, sizeof(address));
	snprintf(out, size, is_ipv6 ? "[%s]:%u" : "%s:%u", address, scanner->port);
}

static int ask(struct buf *out, const struct conf_scanner *scanner, const uint8_t *bytes, size_t len)
{
	static const char request[] = "GET http://binary.invalid/ HTTP/1.1\r\nHost: binary.invalid\r\n\r\n";
	char authority[80], response[160];
	print_authority(scanner, authority, sizeof(authority));
	snprintf(response, sizeof(response),
		"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %zu\r\n\r\n", len);
	int rc = buf_printf(out,
		"RESPMOD icap://%s/%s ICAP/1.0\r\nHost: %s\r\nAllow: 204\r\nConnection: close\r\n"
		"Encapsulated: req-hdr=0, res-hdr=%zu, res-body=%zu\r\n\r\n%s%s",
		authority, scanner->service, authority, sizeof(request) - 1, sizeof(request) - 1 + strlen(response), request,
		response);
	if (len) {
		rc = rc ? rc : buf_printf(out, "%zx\r\n", len);
		rc = rc ? rc : buf_put(out, bytes, len);
		rc = rc ? rc : buf_printf(out, "\r\n");
	}
	return rc ? rc : buf_printf(out, "0\r\n\r\n");
}

/* --- the answer --- */

enum { STATUS_BYTES = 12, HTTP_STATUS_BYTES = 12 };    /* "ICAP/1.0 204", "HTTP/1.1 403" */

/* The value of a header, and its length; NULL: there is none. */
static const char *header_find(const char *head, const char *end, const char *name, size_t *len)
{
	size_t name_len = strlen(name);
	for (const char *line = head; line < end;) {
		const char *line_end = memchr(line, '\r', (size_t)(end - line));
		line_end = line_end ? line_end : end;
		if ((size_t)(line_end - line) > name_len && !strncasecmp(line, name, name_len) && line[name_len] == ':') {
			const char *value = line + name_len + 1;
			while (value < line_end && *value == ' ')
				value++;
			*len = (size_t)(line_end - value);
			return value;
		}
		line = line_end + 2;
	}
	return NULL;
}

static bool put_name(char name[SCAN_NAME_BYTES], const char *text, size_t len)
{
	len = len < SCAN_NAME_BYTES ? len : SCAN_NAME_BYTES - 1;
	memcpy(name, text, len);
	name[len] = '\0';
	return true;
}

/* Is something said to be found? "X-Infection-Found: Type=0; Resolution=2; Threat=NAME;", "X-Virus-ID: NAME". */
static bool is_named(const char *head, const char *end, char name[SCAN_NAME_BYTES])
{
	size_t len;
	const char *value = header_find(head, end, "X-Infection-Found", &len);
	const char *threat = value ? memmem(value, len, "Threat=", strlen("Threat=")) : NULL;
	if (threat) {
		threat += strlen("Threat=");
		const char *semicolon = memchr(threat, ';', len - (size_t)(threat - value));
		return put_name(name, threat, semicolon ? (size_t)(semicolon - threat) : len - (size_t)(threat - value));
	}
	if (!value)
		value = header_find(head, end, "X-Virus-ID", &len);
	if (!value)
		value = header_find(head, end, "X-Violations-Found", &len);
	return value && put_name(name, value, len);
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* There is another answer in the place of the one that was shown: an error is as clear as a name. */
static enum scan_answer read_replaced(const char *body, size_t len, bool ended, char name[SCAN_NAME_BYTES])
{
	if (len < HTTP_STATUS_BYTES)
		return ended ? SCAN_UNCLEAR : SCAN_WAITING;
	if (!begins(body, "HTTP/1.") || !begins(body + 8, " 403"))
		return SCAN_UNCLEAR;
	put_name(name, "something that it does not name", strlen("something that it does not name"));
	return SCAN_FOUND;
}

static enum scan_answer read_answer(const char *answer, size_t len, bool ended, char name[SCAN_NAME_BYTES])
{
	const char *end = len ? memmem(answer, len, "\r\n\r\n", 4) : NULL;
	if (!end)
		return ended ? SCAN_UNCLEAR : SCAN_WAITING;
	if (end - answer < STATUS_BYTES || !begins(answer, "ICAP/1.0 "))
		return SCAN_UNCLEAR;
	if (is_named(answer, end, name))
		return SCAN_FOUND;
	if (begins(answer + 9, "204 "))
		return SCAN_CLEAN;
	if (!begins(answer + 9, "200"))
		return SCAN_UNCLEAR;
	return read_replaced(end + 4, len - (size_t)(end + 4 - answer), ended, name);
}

const struct scan_protocol scan_icap = {ask, read_answer};
