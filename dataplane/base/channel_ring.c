/* The shared memory of a channel: made, mapped, unmapped; see channel_ring.h. */
#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "channel_ring.h"

static int create_memory(void)
{
	int fd = memfd_create("sallyport-channel", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, CHANNEL_FILE_BYTES) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
		int error = errno;
		close(fd);
		return -error;
	}
	return fd;
}

/* EFD_NONBLOCK belongs to the file, which both ends share: the sandbox forbids F_SETFL, so that neither end can make the
 * other one block in it. */
int channel_create(struct channel_fds *fds)
{
	*fds = (struct channel_fds){-1, -1, -1};
	int memory = create_memory();
	if (memory < 0)
		return memory;
	fds->memory = memory;
	fds->wake_upper = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fds->wake_lower = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fds->wake_upper >= 0 && fds->wake_lower >= 0)
		return 0;
	int error = errno;
	channel_fds_close(fds);
	return -error;
}

void channel_fds_close(struct channel_fds *fds)
{
	int *each[] = {&fds->memory, &fds->wake_upper, &fds->wake_lower};
	for (unsigned i = 0; i < 3; i++) {
		if (*each[i] >= 0)
			close(*each[i]);
		*each[i] = -1;
	}
}

static int check_sealed(int memory)
{
	struct stat st;
	int seals = fcntl(memory, F_GET_SEALS);
	if (seals < 0 || fstat(memory, &st))
		return -errno;
	return (seals & F_SEAL_SHRINK) && st.st_size == CHANNEL_FILE_BYTES ? 0 : -EINVAL;
}

static bool map_twice(struct ring_map *map, int memory, off_t at)
{
	int protection = PROT_READ | PROT_WRITE;
	return mmap(map->bytes, CHANNEL_RING_BYTES, protection, MAP_SHARED | MAP_FIXED, memory, at) != MAP_FAILED &&
		mmap(map->bytes + CHANNEL_RING_BYTES, CHANNEL_RING_BYTES, protection, MAP_SHARED | MAP_FIXED, memory, at) !=
		MAP_FAILED;
}

int ring_map(struct ring_map *map, int memory, enum channel_ring ring)
{
	*map = (struct ring_map){NULL, NULL};
	int rc = check_sealed(memory);
	if (rc)
		return rc;
	void *page = mmap(NULL, CHANNEL_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, ring * (off_t)CHANNEL_PAGE);
	if (page == MAP_FAILED)
		return -errno;
	map->indexes = page;
	void *space = mmap(NULL, 2 * (size_t)CHANNEL_RING_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (space == MAP_FAILED)
		return -errno;
	map->bytes = space;
	return map_twice(map, memory, 2 * CHANNEL_PAGE + ring * (off_t)CHANNEL_RING_BYTES) ? 0 : -errno;
}

void ring_unmap(struct ring_map *map)
{
	if (map->indexes)
		munmap(map->indexes, CHANNEL_PAGE);
	if (map->bytes)
		munmap(map->bytes, 2 * (size_t)CHANNEL_RING_BYTES);
	*map = (struct ring_map){NULL, NULL};
}
