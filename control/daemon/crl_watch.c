/* Lists of revoked certificates; see crl_watch.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "crl_watch.h"
#include "dataplane/base/crl_bundle.h"
#include "dataplane/base/log.h"

static const char *name_of(enum wire wire)
{
	return wire == WIRE_INSIDE ? "inside" : "outside";
}

/* --- the files of a wire --- */

typedef void (*visit_fn)(void *to, int folder, const char *name);

/* Hidden files are of those who write them, until they rename them. */
static int is_shown(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void visit_folder(int folder, visit_fn visit, void *to)
{
	struct dirent **entries;
	int n = scandirat(folder, ".", &entries, is_shown, alphasort);
	for (int i = 0; i < n; i++) {
		visit(to, folder, entries[i]->d_name);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

/* In an order that does not change by itself. */
static void visit_files(const char *path, visit_fn visit, void *to)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0) {
		visit(to, AT_FDCWD, path);
		return;
	}
	visit_folder(folder, visit, to);
	close(folder);
}

/* --- have they changed? --- */

static void mix(uint64_t *stamp, const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*stamp = (*stamp ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3;       /* FNV-1a */
}

static void stamp_file(void *to, int folder, const char *name)
{
	struct stat st;
	mix(to, name, strlen(name) + 1);
	if (fstatat(folder, name, &st, 0))
		return;
	mix(to, &st.st_ino, sizeof(st.st_ino));
	mix(to, &st.st_mode, sizeof(st.st_mode));
	mix(to, &st.st_size, sizeof(st.st_size));
	mix(to, &st.st_mtim, sizeof(st.st_mtim));
	mix(to, &st.st_ctim, sizeof(st.st_ctim));
}

static uint64_t stamp_of(const char *path)
{
	uint64_t stamp = 0xcbf29ce484222325;
	visit_files(path, stamp_file, &stamp);
	return stamp;
}

/* --- a bundle of them --- */

struct packing {
	int bundle;
	unsigned files;
	uint64_t bytes;
	int error;
};

static void put(struct packing *packing, const void *bytes, size_t n)
{
	ssize_t written = packing->error ? 0 : write(packing->bundle, bytes, n);
	if (!packing->error && written != (ssize_t)n)
		packing->error = written < 0 ? -errno : -ENOSPC;
}

/* A file that grows meanwhile is cut where it ended, one that shrinks is an error; both look changed the next time. */
static void copy_bytes(struct packing *packing, int file, uint64_t bytes)
{
	while (bytes && !packing->error) {
		ssize_t n = sendfile(packing->bundle, file, NULL, bytes);
		if (n <= 0)
			packing->error = n < 0 ? -errno : -EAGAIN;
		else
			bytes -= (uint64_t)n;
	}
}

/* Without its folders, and as far as there is room. */
static void put_name(char to[CRL_FILE_NAME_MAX], const char *path)
{
	const char *slash = strrchr(path, '/'), *last = slash ? slash + 1 : path;
	size_t n = strnlen(last, CRL_FILE_NAME_MAX - 1);
	memcpy(to, last, n);
	to[n] = 0;
}

static void pack_file(void *to, int folder, const char *name)
{
	struct packing *packing = to;
	struct crl_file head = {.bytes = CRL_UNREADABLE};
	struct stat st;
	put_name(head.name, name);
	int file = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file >= 0 && !fstat(file, &st) && S_ISREG(st.st_mode))
		head.bytes = (uint64_t)st.st_size;
	packing->bytes += head.bytes == CRL_UNREADABLE ? 0 : head.bytes;
	if (++packing->files > CRL_FILES_MAX || packing->bytes > CRL_BYTES_MAX)
		packing->error = -EFBIG;
	put(packing, &head, sizeof(head));
	if (head.bytes != CRL_UNREADABLE)
		copy_bytes(packing, file, head.bytes);
	if (file >= 0)
		close(file);
}

/* A descriptor or -errno. */
static int pack(const char *path)
{
	struct packing packing = {.bundle = memfd_create("sallyport-crls", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
	if (packing.bundle < 0)
		return -errno;
	visit_files(path, pack_file, &packing);
	if (!packing.error &&
		fcntl(packing.bundle, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		packing.error = -errno;
	if (!packing.error)
		return packing.bundle;
	close(packing.bundle);
	return packing.error;
}

/* --- watching --- */

static bool is_watched(const struct crl_watch *watch, enum wire wire)
{
	return *watch->conf->wire[wire].crls && watch->conf->wire[wire].crl_check != CRL_CHECK_NONE;
}

static void replace(int *held, int bundle)
{
	if (*held >= 0)
		close(*held);
	*held = bundle;
}

static int take_up(struct crl_watch *watch, enum wire wire, uint64_t stamp)
{
	int bundle = pack(watch->conf->wire[wire].crls);
	watch->wire[wire].stamp = stamp;
	if (bundle < 0)
		return bundle;
	replace(&watch->wire[wire].current, bundle);
	watch->wire[wire].version++;
	return 0;
}

static enum supervisor_msg message(const struct crl_watch *watch, enum wire wire)
{
	return supervisor_crls(SUPERVISOR_CRLS, wire, watch->wire[wire].version);
}

/* Files are written over some time: they are taken up once they have stayed as they are from one look to the next. */
static void look(struct crl_watch *watch, enum wire wire)
{
	const char *path = watch->conf->wire[wire].crls;
	uint64_t stamp = stamp_of(path), seen = watch->wire[wire].seen;
	watch->wire[wire].seen = stamp;
	if (stamp == watch->wire[wire].stamp || stamp != seen)
		return;
	int rc = take_up(watch, wire, stamp);
	if (rc)
		log_warnx("CRLs cannot be read, the old ones stay wire=%s path=%s reason=\"%s\"", name_of(wire), path,
			strerror(-rc));
	else
		watch->tell(watch->owner, message(watch, wire), watch->wire[wire].current);
}

int crl_watch_init(struct crl_watch *watch, const struct conf *conf, crl_tell_fn tell, void *owner)
{
	*watch = (struct crl_watch){.conf = conf, .tell = tell, .owner = owner};
	for (unsigned wire = 0; wire < WIRES; wire++)
		watch->wire[wire].current = watch->wire[wire].good = -1;
	for (unsigned wire = 0; wire < WIRES; wire++) {
		uint64_t stamp = stamp_of(conf->wire[wire].crls);
		int rc = is_watched(watch, wire) ? take_up(watch, wire, stamp) : 0;
		if (!rc)
			continue;
		log_warnx("CRLs cannot be read wire=%s path=%s reason=\"%s\"", name_of(wire), conf->wire[wire].crls,
			strerror(-rc));
		crl_watch_fini(watch);
		return rc;
	}
	return 0;
}

void crl_watch_fini(struct crl_watch *watch)
{
	for (unsigned wire = 0; wire < WIRES; wire++) {
		replace(&watch->wire[wire].current, -1);
		replace(&watch->wire[wire].good, -1);
	}
}

int crl_watch_greet(const struct crl_watch *watch, int socket)
{
	int rc = 0;
	for (unsigned wire = 0; wire < WIRES && !rc; wire++) {
		unsigned version = watch->wire[wire].version, good_version = watch->wire[wire].good_version;
		if (watch->wire[wire].good >= 0 && good_version != version)
			rc = child_tell_files(socket, supervisor_crls(SUPERVISOR_CRLS, wire, good_version),
				&watch->wire[wire].good, 1);
		if (!rc && watch->wire[wire].current >= 0)
			rc = child_tell_files(socket, message(watch, wire), &watch->wire[wire].current, 1);
	}
	return rc;
}

bool crl_watch_hear(struct crl_watch *watch, int type)
{
	enum wire wire;
	bool taken;
	if (!supervisor_told_of_crls(type, &wire, &taken))
		return false;
	unsigned version = watch->wire[wire].version;
	if (taken && type == (int)supervisor_crls(SUPERVISOR_CRLS_TAKEN, wire, version) && watch->wire[wire].current >= 0) {
		replace(&watch->wire[wire].good, fcntl(watch->wire[wire].current, F_DUPFD_CLOEXEC, 0));
		watch->wire[wire].good_version = version;
	}
	return true;
}

int64_t crl_watch_due(const struct crl_watch *watch)
{
	return is_watched(watch, WIRE_INSIDE) || is_watched(watch, WIRE_OUTSIDE) ? watch->due_ms : INT64_MAX;
}

void crl_watch_run(struct crl_watch *watch, int64_t now_ms)
{
	if (now_ms < crl_watch_due(watch))
		return;
	watch->due_ms = now_ms + CRL_LOOK_MS;
	for (unsigned wire = 0; wire < WIRES; wire++)
		if (is_watched(watch, wire))
			look(watch, wire);
}
