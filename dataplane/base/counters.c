/* Counters in a memfd; see counters.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "counters.h"

int counters_create(void)
{
	int fd = memfd_create("sallyport-counters", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, sizeof(struct counters)) ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
		int error = errno;
		close(fd);
		return -error;
	}
	return fd;
}

/* A reader of a file that another process could shrink would die of SIGBUS: so the seals are asked for. */
static void *map(int fd, int protection)
{
	struct stat st;
	if (fstat(fd, &st))
		return NULL;
	int seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0)
		return NULL;
	if (!(seals & F_SEAL_SHRINK) || st.st_size != sizeof(struct counters)) {
		errno = EINVAL;
		return NULL;
	}
	void *memory = mmap(NULL, sizeof(struct counters), protection, MAP_SHARED, fd, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

struct counters *counters_open(int fd, const char *const *names, unsigned count)
{
	if (count > COUNTERS_MAX) {
		errno = E2BIG;
		return NULL;
	}
	struct counters *c = map(fd, PROT_READ | PROT_WRITE);
	if (!c)
		return NULL;
	for (unsigned i = 0; i < count; i++)
		snprintf(c->table[i].name, COUNTER_NAME_MAX, "%s", names[i]);
	return c;
}

const struct counters *counters_read(int fd)
{
	return map(fd, PROT_READ);
}
