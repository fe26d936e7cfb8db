/* Lists: their items stand in the value, or in files of one item a line, which the value names as @FILE. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_table.h"

enum { LIST_FILE_BYTES_MAX = 16 << 20, TEXTS_STEP_BYTES = 64 << 10, TEXTS_BYTES_MAX = 256 << 20 };

#define FAULT(v, format, ...) conf_fault((v)->faults, (v)->line, "%s: " format, (v)->key->name, ##__VA_ARGS__)

char *next_item(char **rest, bool blanks_separate)
{
	const char *separators = blanks_separate ? ", \t" : ",";
	char *item;
	while ((item = strsep(rest, separators))) {
		item += strspn(item, " \t");
		size_t n = strlen(item);
		while (n && (item[n - 1] == ' ' || item[n - 1] == '\t'))
			item[--n] = 0;
		if (n)
			return item;
	}
	return NULL;
}

/* --- the texts of a configuration --- */

/* Steps, so that the size that was allocated follows from the bytes that are used. */
static size_t texts_size(size_t bytes)
{
	return (bytes + TEXTS_STEP_BYTES - 1) / TEXTS_STEP_BYTES * TEXTS_STEP_BYTES;
}

bool texts_add(struct conf *conf, const char *text, size_t n)
{
	size_t old = texts_size(conf->texts_bytes), size = texts_size(conf->texts_bytes + n);
	if (size > TEXTS_BYTES_MAX)
		return false;
	if (size > old) {
		char *grown = realloc(conf->texts, size);
		if (!grown)
			return false;
		conf->texts = grown;
	}
	memcpy(conf->texts + conf->texts_bytes, text, n);
	conf->texts_bytes += (uint32_t)n;
	return true;
}

void list_add(const struct conf_value *v, const char *item, void *field)
{
	struct conf_list *list = field;
	size_t n = strlen(item) + 1;
	if (n > CONF_ITEM_BYTES)
		FAULT(v, "\"%.20s...\" is too long (hint: at most %d bytes)", item, CONF_ITEM_BYTES - 1);
	else if (list->count == CONF_LIST_ITEMS_MAX)
		FAULT(v, "too many items (hint: at most %d)", CONF_LIST_ITEMS_MAX);
	else if (!texts_add(v->conf, item, n))
		FAULT(v, "no memory for \"%.20s\" (hint: shorter lists)", item);
	else
		list->count++;
}

/* --- files --- */

/* A line without what surrounds its item; "" where it has none. */
static char *line_item(char *line, size_t n)
{
	while (n && isspace((unsigned char)line[n - 1]))
		line[--n] = 0;
	while (isspace((unsigned char)*line))
		line++;
	return *line == '#' ? line + strlen(line) : line;
}

static void read_lines(struct conf_value *v, FILE *file, conf_item_fn add, void *owner)
{
	char *line = NULL;
	size_t capacity = 0;
	for (ssize_t n; (n = getline(&line, &capacity, file)) >= 0;) {
		v->line++;
		const char *fault = conf_line_fault(line, (size_t)n);
		char *item = fault ? NULL : line_item(line, (size_t)n);
		if (fault)
			conf_fault(v->faults, v->line, "%s", fault);
		else if (*item)
			add(v, item, owner);
	}
	free(line);
}

/* NULL after a fault. Only a file is read, and not one that has no end. */
static FILE *open_list(const struct conf_value *v, const char *name, const char *path)
{
	struct stat st = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st)) {
		FAULT(v, "%s: %s (hint: relative to the folder of this file; @@ for an item that begins with @)", name,
			strerror(errno));
	} else if (!S_ISREG(st.st_mode) || st.st_size > LIST_FILE_BYTES_MAX) {
		FAULT(v, "%s is not a list (hint: a text file with one item a line, at most 16 MiB)", name);
	} else {
		FILE *file = fdopen(fd, "r");
		if (file)
			return file;
		FAULT(v, "%s: %s (hint: try again)", name, strerror(errno));
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

/* Faults are those of the line in that file. */
static void add_file(const struct conf_value *v, const char *name, conf_item_fn add, void *owner)
{
	char path[PATH_MAX];
	if (!conf_path(v, name, path)) {
		FAULT(v, "path too long (hint: %d bytes)", PATH_MAX - 1);
		return;
	}
	FILE *file = open_list(v, name, path);
	if (!file)
		return;
	struct conf_faults faults = {.out = v->faults->out, .file = path};
	struct conf_value of_file = *v;
	of_file.faults = &faults;
	of_file.line = 0;
	read_lines(&of_file, file, add, owner);
	fclose(file);
	v->faults->count += faults.count;
}

void each_item(const struct conf_value *v, bool blanks_separate, conf_item_fn add, void *owner)
{
	char text[CONF_VALUE_BYTES + 1], *rest = text, *item;
	if (!put_text(text, sizeof(text), v->text)) {
		FAULT(v, "value too long (hint: @FILE, with one item a line)");
		return;
	}
	while ((item = next_item(&rest, blanks_separate)))
		if (item[0] == '@' && item[1] != '@')
			add_file(v, item + 1, add, owner);
		else
			add(v, item + (item[0] == '@'), owner);
}

void set_list(const struct conf_value *v, void *field)
{
	struct conf_list *list = field;
	*list = (struct conf_list){.at = v->conf->texts_bytes};
	each_item(v, false, list_add, list);
}
