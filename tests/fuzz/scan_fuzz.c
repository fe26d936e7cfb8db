/*
 * What a scanner answers: the first byte says which kind it is, and whether more will come. A name of what is found ends,
 * and clean is what says so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fact, const char *what)
{
	if (fact)
		return;
	fprintf(stderr, "not true: %s\n", what);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	const struct scan_protocol *protocol = data[0] & 1 ? &scan_icap : &scan_clamd;
	bool ended = data[0] & 2;
	char name[SCAN_NAME_BYTES], *exact = malloc(size - 1); /* nothing beyond it may be read */
	memset(name, 'x', sizeof(name));
	must(exact != NULL, "memory");
	memcpy(exact, data + 1, size - 1);
	enum scan_answer answer = protocol->read(exact, size - 1, ended, name);
	must(answer != SCAN_FOUND || memchr(name, '\0', sizeof(name)), "the name ends");
	must(answer != SCAN_WAITING || !ended, "there is nothing to wait for at the end");
	const char *clean = protocol == &scan_icap ? "ICAP/1.0 204 " : "stream: OK";
	must(answer != SCAN_CLEAN || !memcmp(exact, clean, strlen(clean)), "clean is said");
	free(exact);
	return 0;
}
