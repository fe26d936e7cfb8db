/* What the configuration says of security labels, and files that it takes in whole: policies, labels, clearances. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_table.h"

enum { DOCUMENT_BYTES_MAX = 32 << 20 };

#define FAULT(v, format, ...) conf_fault((v)->faults, (v)->line, "%s: " format, (v)->key->name, ##__VA_ARGS__)

/* --- files --- */

/* All of it and a NUL; NULL after a fault. Only a file is read, and not one that has no end. */
static char *read_document(const struct conf_value *v, const char *name, const char *path, size_t *len)
{
	struct stat st = {0};
	char *text = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st)) {
		FAULT(v, "%s: %s (hint: relative to the folder of this file)", name, strerror(errno));
	} else if (!S_ISREG(st.st_mode) || st.st_size > DOCUMENT_BYTES_MAX) {
		FAULT(v, "%s is no document (hint: a file of at most 32 MiB)", name);
	} else {
		text = calloc(1, (size_t)st.st_size + 1);
		ssize_t n = text ? read(fd, text, (size_t)st.st_size) : -1;
		*len = n > 0 ? (size_t)n : 0;
		if (n != st.st_size || memchr(text, 0, *len)) {
			FAULT(v, "%s cannot be read as text (hint: XML, or base64 of DER)", name);
			free(text);
			text = NULL;
		}
	}
	if (fd >= 0)
		close(fd);
	return text;
}

static void add_document(const struct conf_value *v, const char *item, void *field)
{
	struct conf_list *list = field;
	char path[PATH_MAX];
	size_t len;
	if (list->count == 2 * CONF_DOCUMENTS_MAX) {
		FAULT(v, "more than %d files", CONF_DOCUMENTS_MAX);
		return;
	}
	if (!conf_path(v, item, path)) {
		FAULT(v, "path too long (hint: %d bytes)", PATH_MAX - 1);
		return;
	}
	char *text = read_document(v, item, path, &len);
	if (!text)
		return;
	if (texts_add(v->conf, path, strlen(path) + 1) && texts_add(v->conf, text, len + 1))
		list->count += 2;
	else
		FAULT(v, "no memory for %s", item);
	free(text);
}

void set_documents(const struct conf_value *v, void *field)
{
	struct conf_list *list = field;
	*list = (struct conf_list){.at = v->conf->texts_bytes};
	each_item(v, false, add_document, list);
}

void set_document(const struct conf_value *v, void *field)
{
	struct conf_list *list = field;
	*list = (struct conf_list){.at = v->conf->texts_bytes};
	if (*v->text)
		add_document(v, v->text, list);
}

/* --- words --- */

void set_labels(const struct conf_value *v, void *field)
{
	static const char *const words[] = {"ignored", "default", "required", NULL};
	int labels = enumerated(v, words);
	if (labels >= 0)
		*(enum conf_labels *)field = (enum conf_labels)labels;
}

void set_original_label(const struct conf_value *v, void *field)
{
	static const char *const words[] = {"keep", "swap", "drop", NULL};
	int original = enumerated(v, words);
	if (original >= 0)
		*(enum conf_original *)field = (enum conf_original)original;
}

static void set_either(const struct conf_value *v, const char *no, const char *yes, bool *field)
{
	const char *const words[] = {no, yes, NULL};
	int word = enumerated(v, words);
	if (word >= 0)
		*field = word;
}

void set_on_marking(const struct conf_value *v, void *field)
{
	set_either(v, "repair", "refuse", field);
}

void set_label_catalogs(const struct conf_value *v, void *field)
{
	set_either(v, "refuse", "filter", field);
}

void set_obsolete(const struct conf_value *v, void *field)
{
	set_either(v, "accept", "refuse", field);
}

void set_ambiguous(const struct conf_value *v, void *field)
{
	set_either(v, "highest", "refuse", field);
}

void set_label_encoding(const struct conf_value *v, void *field)
{
	set_either(v, "der", "ber", field);
}

void set_label_text(const struct conf_value *v, void *field)
{
	if (!put_text(field, CONF_LABEL_TEXT_BYTES, v->text))
		FAULT(v, "too long (hint: at most %d bytes)", CONF_LABEL_TEXT_BYTES - 1);
}
