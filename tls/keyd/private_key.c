/* Private keys in files; see private_key.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "dataplane/base/conf.h"
#include "dataplane/base/log.h"
#include "private_key.h"

/* Who else could read it, or put another in its place? NULL: nobody. */
static const char *file_fault(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "not a file (hint: a PEM file)";
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "belongs to another user (hint: chown root)";
	if (st->st_mode & 077)
		return "readable by others (hint: chmod 600)";
	return NULL;
}

/* A link is not followed: it says nothing of who can change where it leads. */
static FILE *open_private(const char *path, const char *name)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		if (errno == ELOOP)
			log_warnx("%s: a symbolic link (hint: the path of the file itself) file=%s", name, path);
		else
			log_warn("%s: cannot be opened file=%s", name, path);
		return NULL;
	}
	const char *fault = fstat(fd, &st) ? "cannot be looked at (hint: a PEM file)" : file_fault(&st);
	FILE *file = fault ? NULL : fdopen(fd, "r");
	if (fault)
		log_warnx("%s: %s file=%s", name, fault, path);
	if (!file)
		close(fd);
	return file;
}

static EVP_PKEY *load_file(const char *path, const char *name)
{
	FILE *file = open_private(path, name);
	if (!file)
		return NULL;
	char no_password[] = "";       /* or OpenSSL would ask for one on the terminal */
	setvbuf(file, NULL, _IONBF, 0); /* no copy of it in a buffer that nobody wipes */
	EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, no_password);
	if (!key) {
		const char *reason = ERR_reason_error_string(ERR_peek_last_error());
		log_warnx("%s: not a PEM private key (hint: without a password) file=%s reason=%s", name, path,
			reason ? reason : "unknown");
	}
	fclose(file);
	return key;
}

EVP_PKEY *private_key_load(const char *place, const char *name)
{
	return conf_is_token(place) ? token_key_load(place, name) : load_file(place, name);
}

bool private_key_is_slow(const EVP_PKEY *key, const char *place)
{
	return conf_is_token(place) || EVP_PKEY_get_base_id(key) != EVP_PKEY_EC;
}
