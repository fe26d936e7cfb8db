/*
 * What clamd is asked, and what it answers (clamd(8)): zINSTREAM, its data in pieces of a length of four bytes each, an
 * empty one at the end; then "stream: OK", "stream: NAME FOUND" or "... ERROR", ended by a zero byte.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "control/scan.h"

static int put_length(struct buf *out, size_t len)
{
	uint32_t wire = htonl((uint32_t)len);
	return buf_put(out, &wire, sizeof(wire));
}

static int ask(struct buf *out, const struct conf_scanner *scanner, const uint8_t *bytes, size_t len)
{
	static const char command[] = "zINSTREAM";
	(void)scanner;
	int rc = buf_put(out, command, sizeof(command));
	rc = rc || !len ? rc : put_length(out, len);
	rc = rc ? rc : buf_put(out, bytes, len);
	return rc ? rc : put_length(out, 0);
}

static enum scan_answer read_line(const char *line, size_t len, char name[SCAN_NAME_BYTES])
{
	static const char stream[] = "stream: ", found[] = " FOUND";
	const size_t before = sizeof(stream) - 1, after = sizeof(found) - 1;
	if (!strcmp(line, "stream: OK"))
		return SCAN_CLEAN;
	if (len <= before + after || strncmp(line, stream, before) || strcmp(line + len - after, found))
		return SCAN_UNCLEAR;
	size_t n = len - before - after;
	n = n < SCAN_NAME_BYTES ? n : SCAN_NAME_BYTES - 1;
	memcpy(name, line + before, n);
	name[n] = '\0';
	return SCAN_FOUND;
}

static enum scan_answer read_answer(const char *answer, size_t len, bool ended, char name[SCAN_NAME_BYTES])
{
	const char *end = len ? memchr(answer, '\0', len) : NULL;
	if (!end)
		return ended ? SCAN_UNCLEAR : SCAN_WAITING;
	return (size_t)(end - answer) + 1 == len ? read_line(answer, len - 1, name) : SCAN_UNCLEAR;
}

const struct scan_protocol scan_clamd = {ask, read_answer};
