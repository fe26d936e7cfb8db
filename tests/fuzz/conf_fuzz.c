/* A configuration of any bytes is either read or refused with at least one fault. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dataplane/base/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("conf-fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	char path[32], *faults;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	size_t length;
	FILE *out = open_memstream(&faults, &length);
	struct conf *conf = conf_load(path, "fuzz.conf", out);
	fclose(out);
	close(fd);
	if ((conf == NULL) != (length > 0) || (length && strncmp(faults, "fuzz.conf:", 10)))
		abort();
	if (conf && (conf->port_count == 0 || conf->domain_count == 0 || conf->uid[0] == 0 || !conf->wire[0].device[0]))
		abort();
	conf_free(conf);
	free(faults);
	return 0;
}
