/* Files of a CA; see file.h. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "dataplane/base/log.h"
#include "file.h"

struct paths {
	char unfinished[PATH_MAX], previous[PATH_MAX], folder[PATH_MAX];
};

static int make_paths(struct paths *paths, const char *path)
{
	char copy[PATH_MAX];
	if (strlen(path) + sizeof(".unfinished") > PATH_MAX)
		return -ENAMETOOLONG;
	snprintf(paths->unfinished, PATH_MAX, "%s.unfinished", path);
	snprintf(paths->previous, PATH_MAX, "%s.previous", path);
	snprintf(copy, sizeof(copy), "%s", path);
	snprintf(paths->folder, PATH_MAX, "%s", dirname(copy));
	return 0;
}

/* A name is on the disk when its folder is. */
static int sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int rc = fsync(fd) ? -errno : 0;
	close(fd);
	return rc;
}

/* Gives the finished file its name. link() fails where there is one of that name already. */
static int give_name(const struct paths *paths, const char *path, enum file_way way)
{
	if (way == FILE_NEW)
		return link(paths->unfinished, path) || unlink(paths->unfinished) ? -errno : 0;
	if (unlink(paths->previous) && errno != ENOENT)
		return -errno;
	if (link(path, paths->previous) && errno != ENOENT)
		return -errno;
	return rename(paths->unfinished, path) ? -errno : 0;
}

struct pem {
	X509 *certificate;
	EVP_PKEY *key;
};

static int write_pem(int fd, const struct pem *pem)
{
	FILE *file = fdopen(fd, "w");
	if (!file) {
		int rc = -errno;
		close(fd);
		return rc;
	}
	bool ok = pem->key ? PEM_write_PrivateKey(file, pem->key, NULL, NULL, 0, NULL, NULL) == 1
			   : PEM_write_X509(file, pem->certificate) == 1;
	int rc = !ok ? -EIO : fflush(file) || fsync(fd) ? -errno : 0;
	return fclose(file) && !rc ? -errno : rc;
}

static int write_file(const char *path, const struct pem *pem, mode_t mode, enum file_way way)
{
	struct paths paths;
	int rc = make_paths(&paths, path);
	if (rc)
		return rc;
	if (unlink(paths.unfinished) && errno != ENOENT)       /* of a run that was cut short */
		return -errno;
	int fd = open(paths.unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	rc = write_pem(fd, pem);
	rc = rc ? rc : give_name(&paths, path, way);
	if (rc)
		(void)unlink(paths.unfinished);
	return rc ? rc : sync_folder(paths.folder);
}

int file_write_certificate(const char *path, X509 *certificate, enum file_way way)
{
	const struct pem pem = {.certificate = certificate};
	return write_file(path, &pem, 0644, way);
}

int file_write_key(const char *path, EVP_PKEY *key, enum file_way way)
{
	const struct pem pem = {.key = key};
	return write_file(path, &pem, 0600, way);
}

X509 *file_read_certificate(const char *path)
{
	FILE *file = fopen(path, "re");
	if (!file) {
		log_warn("cannot open ca-certificate file=%s", path);
		return NULL;
	}
	X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
	if (!certificate)
		log_warnx("ca-certificate is not a PEM certificate file=%s", path);
	fclose(file);
	return certificate;
}
