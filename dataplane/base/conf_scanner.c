/* [guard] scanner: unix:PATH of clamd's socket, or icap://ADDRESS[:PORT]/SERVICE (RFC 3507). */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "conf_table.h"

#define FAULT(v, format, ...) conf_fault((v)->faults, (v)->line, "%s: " format, (v)->key->name, ##__VA_ARGS__)

enum { ICAP_PORT = 1344 };             /* RFC 3507 4.2 */

static const char unix_scheme[] = "unix:", icap_scheme[] = "icap://";

static bool starts(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* ADDRESS or [ADDRESS], and :PORT; names are not resolved: who starts a guard has no resolver to trust yet. */
static bool take_authority(char *text, struct conf_scanner *scanner)
{
	bool is_ipv6 = *text == '[';
	char *end = is_ipv6 ? strchr(text, ']') : text + strcspn(text, ":");
	char *port = end ? end + is_ipv6 : NULL, *rest;
	if (!end)
		return false;
	unsigned long number = ICAP_PORT;
	if (*port == ':') {
		number = strtoul(port + 1, &rest, 10);
		if (!port[1] || strspn(port + 1, "0123456789") != strlen(port + 1) || *rest || !number || number > 65535)
			return false;
	} else if (*port) {
		return false;
	}
	*end = '\0';
	scanner->port = (uint16_t)number;
	scanner->address.family = is_ipv6 ? 6 : 4;
	return inet_pton(is_ipv6 ? AF_INET6 : AF_INET, text + is_ipv6, scanner->address.bytes) == 1;
}

static bool take_icap(const char *text, struct conf_scanner *scanner)
{
	char authority[80];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : sizeof(authority);
	if (len >= sizeof(authority) || !slash[1] || !put_text(scanner->service, sizeof(scanner->service), slash + 1))
		return false;
	for (const char *c = scanner->service; *c; c++)
		if (*c <= ' ' || *c >= 0x7f)
			return false;
	memcpy(authority, text, len);
	authority[len] = '\0';
	return take_authority(authority, scanner);
}

void set_scanner(const struct conf_value *v, void *field)
{
	struct conf_scanner *scanner = field;
	*scanner = (struct conf_scanner){.kind = SCANNER_NONE};
	if (!*v->text)
		return;
	if (starts(v->text, unix_scheme)) {
		const char *path = v->text + strlen(unix_scheme);
		if (*path != '/' || !put_text(scanner->path, sizeof(scanner->path), path))
			FAULT(v, "\"%.120s\" is not the path of a socket (hint: unix:/run/clamav/clamd.ctl)", v->text);
		scanner->kind = SCANNER_CLAMD;
	} else {
		if (!starts(v->text, icap_scheme) || !take_icap(v->text + strlen(icap_scheme), scanner))
			FAULT(v, "\"%.120s\" is no scanner (hint: unix:/run/clamav/clamd.ctl or icap://127.0.0.1:1344/avscan)",
				v->text);
		scanner->kind = SCANNER_ICAP;
	}
}

void set_binaries(const struct conf_value *v, void *field)
{
	static const char *const words[] = {[BINARIES_REFUSE] = "refuse", [BINARIES_SCAN] = "scan", [BINARIES_PASS] = "pass"};
	enum conf_binaries *binaries = field;
	for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(words[i], v->text))
			continue;
		*binaries = (enum conf_binaries)i;
		if (i == BINARIES_SCAN && v->conf->scanner.kind == SCANNER_NONE)
			FAULT(v, "there is no scanner (hint: scanner = unix:/run/clamav/clamd.ctl in [guard])");
		return;
	}
	FAULT(v, "unknown value \"%s\" (hint: refuse, scan, pass)", v->text);
}
