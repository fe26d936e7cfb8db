/*
 * The configuration as sallyportd hands it to the other processes: what was checked, not what was written, so that none of
 * them parses the file, or reads the files of its lists, once more. Both ends are of one build, and sallyportd is trusted:
 *
 *     struct image | struct conf | its arrays, one after the other | the texts of its lists
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf.h"
#include "log.h"

struct image {
	char magic[16];
	uint64_t conf_bytes, bytes;    /* of struct conf; of all of it */
};

static const char magic[16] = "sallyport-conf-1";

/* The arrays: where struct conf has the pointer, and how many bytes there are behind it. */
struct part {
	size_t pointer, bytes;
};

enum { PARTS = 8 };

static void list_parts(const struct conf *conf, struct part parts[PARTS])
{
	const struct part all[PARTS] = {
		{offsetof(struct conf, tls), conf->tls_count * sizeof(*conf->tls)},
		{offsetof(struct conf, profiles), conf->profile_count * sizeof(*conf->profiles)},
		{offsetof(struct conf, peers), conf->peer_count * sizeof(*conf->peers)},
		{offsetof(struct conf, certificates), conf->certificate_count * sizeof(*conf->certificates)},
		{offsetof(struct conf, links), conf->link_count * sizeof(*conf->links)},
		{offsetof(struct conf, clearances), conf->clearance_count * sizeof(*conf->clearances)},
		{offsetof(struct conf, groups), conf->group_count * sizeof(*conf->groups)},
		{offsetof(struct conf, texts), conf->texts_bytes},
	};
	memcpy(parts, all, sizeof(all));
}

static void *part_get(const struct conf *conf, const struct part *part)
{
	void *array;
	memcpy(&array, (const char *)conf + part->pointer, sizeof(array));
	return array;
}

static void part_set(struct conf *conf, const struct part *part, void *array)
{
	memcpy((char *)conf + part->pointer, &array, sizeof(array));
}

static uint64_t image_bytes(const struct part parts[PARTS])
{
	uint64_t bytes = sizeof(struct image) + sizeof(struct conf);
	for (unsigned i = 0; i < PARTS; i++)
		bytes += parts[i].bytes;
	return bytes;
}

/* --- writing --- */

static bool put(int fd, const void *bytes, size_t n)
{
	for (const char *at = bytes; n;) {
		ssize_t written = write(fd, at, n);
		if (written < 0)
			return false;
		at += written;
		n -= (size_t)written;
	}
	return true;
}

int conf_seal(const struct conf *conf)
{
	struct part parts[PARTS];
	list_parts(conf, parts);
	struct image image = {.conf_bytes = sizeof(*conf), .bytes = image_bytes(parts)};
	memcpy(image.magic, magic, sizeof(magic));
	int fd = memfd_create("sallyport-conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	bool done = fd >= 0 && put(fd, &image, sizeof(image)) && put(fd, conf, sizeof(*conf));
	for (unsigned i = 0; i < PARTS && done; i++)
		done = put(fd, part_get(conf, &parts[i]), parts[i].bytes);
	if (done && !fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return fd;
	int error = errno;
	if (fd >= 0)
		close(fd);
	return -error;
}

/* --- reading --- */

/* The descriptor's offset is shared with whoever else has it. */
static bool get(int fd, void *bytes, size_t n, off_t at)
{
	for (char *to = bytes; n;) {
		ssize_t got = pread(fd, to, n, at);
		if (got == 0)
			errno = EINVAL;
		if (got <= 0)
			return false;
		to += got;
		at += got;
		n -= (size_t)got;
	}
	return true;
}

/* The pointers are those of the other program until each array is there. */
static bool get_parts(int fd, struct conf *conf, const struct part parts[PARTS])
{
	off_t at = sizeof(struct image) + sizeof(*conf);
	bool done = true;
	for (unsigned i = 0; i < PARTS; i++) {
		void *array = done ? malloc(parts[i].bytes + 1) : NULL;
		part_set(conf, &parts[i], array);
		done = array && get(fd, array, parts[i].bytes, at);
		at += (off_t)parts[i].bytes;
	}
	return done;
}

struct conf *conf_unseal(int fd)
{
	struct image image;
	struct part parts[PARTS];
	struct conf *conf = malloc(sizeof(*conf));
	if (!conf)
		return NULL;
	errno = EINVAL;
	bool known = get(fd, &image, sizeof(image), 0) && !memcmp(image.magic, magic, sizeof(magic)) &&
		image.conf_bytes == sizeof(*conf) && get(fd, conf, sizeof(*conf), sizeof(image));
	if (!known) {
		free(conf);
		return NULL;
	}
	list_parts(conf, parts);
	if (image.bytes == image_bytes(parts) && get_parts(fd, conf, parts))
		return conf;
	if (image.bytes == image_bytes(parts))
		conf_free(conf);
	else
		free(conf);
	return NULL;
}

static void swap(struct conf *a, struct conf *b, const struct part *part)
{
	void *array = part_get(a, part);
	part_set(a, part, part_get(b, part));
	part_set(b, part, array);
}

void conf_take_policy(struct conf *conf, struct conf *fresh)
{
	static const struct part policy[] = {
		{offsetof(struct conf, profiles), 0}, {offsetof(struct conf, peers), 0}, {offsetof(struct conf, clearances), 0},
		{offsetof(struct conf, texts), 0}};
	for (unsigned i = 0; i < sizeof(policy) / sizeof(*policy); i++)
		swap(conf, fresh, &policy[i]);
	conf->policy_tests = fresh->policy_tests;      /* in texts */
	conf->labels = fresh->labels;
	conf->clearance_count = fresh->clearance_count;
	conf->profile_count = fresh->profile_count;
	conf->peer_count = fresh->peer_count;
	conf->texts_bytes = fresh->texts_bytes;
	conf_free(fresh);
}

struct conf *conf_load_inherited(void)
{
	struct conf *conf = conf_unseal(PROC_FD_CONF);
	if (!conf)
		fatal("configuration");
	return conf;
}
