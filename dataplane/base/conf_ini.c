/* Reads an INI file twice: line by line here, for faults and line numbers, and by iniparser; both must agree. */
#include <ctype.h>
#include <errno.h>
#include <iniparser/iniparser.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "conf_ini.h"

enum { FILE_BYTES_MAX = 1 << 20, KEY_BYTES_MAX = 64, SECTION_BYTES_MAX = 300 };

struct scan {
	struct ini *ini;
	struct conf_faults *faults;
	struct ini_section *section;   /* the current one; NULL before the first, or when it was faulty */
	bool in_section;
	int line;
};

void conf_fault(struct conf_faults *faults, int line, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fprintf(faults->out, "%s:%d: ", faults->file, line);
	vfprintf(faults->out, format, args);
	fputc('\n', faults->out);
	va_end(args);
	faults->count++;
}

static void *must(void *memory)
{
	if (!memory)
		abort(); /* at start-up, for a few KiB: nothing sensible can follow */
	return memory;
}

static char *strip(char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	size_t n = strlen(s);
	while (n && isspace((unsigned char)s[n - 1]))
		s[--n] = 0;
	return s;
}

static char *lower(char *s)
{
	for (char *c = s; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return s;
}

const struct ini_section *ini_section_find(const struct ini *ini, const char *name)
{
	for (const struct ini_section *s = ini->first; s; s = s->next)
		if (!strcmp(s->name, name))
			return s;
	return NULL;
}

const struct ini_entry *ini_entry_find(const struct ini_section *section, const char *key)
{
	for (const struct ini_entry *e = section ? section->first : NULL; e; e = e->next)
		if (!strcmp(e->key, key))
			return e;
	return NULL;
}

/* "[peer   b.example]" and "[peer b.example]" are one section to a reader, so only the second is accepted. */
static const char *section_name_fault(const char *name)
{
	if (!*name)
		return "a section needs a name (hint: [guard])";
	if (strlen(name) > SECTION_BYTES_MAX)
		return "section name too long (hint: 300 bytes)";
	if (strpbrk(name, ":[]"))
		return "':', '[' or ']' in the name of a section (hint: letters, digits, '-' and '.')";
	if (strchr(name, '\t') || strstr(name, "  "))
		return "more than one space in the name of a section (hint: [peer b.example])";
	return NULL;
}

static void scan_section(struct scan *scan, char *text)
{
	scan->in_section = true;
	scan->section = NULL;
	size_t n = strlen(text);
	if (text[n - 1] != ']') {
		conf_fault(scan->faults, scan->line, "a section line ends with ']' (hint: put comments on lines of their own)");
		return;
	}
	text[n - 1] = 0;
	char *name = lower(text + 1);
	const char *fault = section_name_fault(name);
	if (!fault && strcmp(strip(name), name))
		fault = "a space after '[' or before ']' (hint: [guard])";
	if (fault) {
		conf_fault(scan->faults, scan->line, "%s", fault);
		return;
	}
	scan->section = (struct ini_section *)ini_section_find(scan->ini, name);
	if (scan->section) {
		conf_fault(scan->faults, scan->line, "section [%s] was there before (hint: see line %d)", name,
			scan->section->line);
		return;
	}
	struct ini_section *section = must(calloc(1, sizeof(*section)));
	section->line = scan->line;
	section->name = must(strdup(name));
	section->last = &section->first;
	*scan->ini->last = section;
	scan->ini->last = &section->next;
	scan->section = section;
}

/* Takes the quotes off. NULL, or why the value cannot be read. */
static const char *unquote(char **value)
{
	char *v = *value;
	size_t n = strlen(v);
	if (*v == '\'')
		return "a value in ' (hint: quote it with \")";
	if (*v != '"')
		return strpbrk(v, ";#") ? "';' or '#' would cut the value here (hint: \"quote it\")"
		       : strchr(v, '"') ? "a quotation mark inside a value (hint: around it, or none)"
					: NULL;
	if (n < 2 || v[n - 1] != '"')
		return "text after a quoted value, or no end of it (hint: put comments on lines of their own)";
	v[n - 1] = 0;
	*value = v + 1;
	return strchr(v + 1, '"') ? "a quotation mark inside a value (hint: around it, or none)" : NULL;
}

static const char *key_fault(const char *key)
{
	if (!*key)
		return "no key before '=' (hint: key = value)";
	if (strlen(key) > KEY_BYTES_MAX)
		return "key too long (hint: sallyportd -k lists all keys)";
	for (; *key; key++)
		if (!isalnum((unsigned char)*key) && *key != '-')
			return "not a key (hint: letters, digits and '-')";
	return NULL;
}

static void add_entry(struct scan *scan, const char *key, const char *value)
{
	struct ini_section *section = scan->section;
	if (!section)
		return; /* its section was a fault already */
	const struct ini_entry *twin = ini_entry_find(section, key);
	if (twin) {
		conf_fault(scan->faults, scan->line, "%s was set before (hint: see line %d)", key, twin->line);
		return;
	}
	struct ini_entry *entry = must(calloc(1, sizeof(*entry)));
	entry->line = scan->line;
	entry->key = must(strdup(key));
	entry->value = must(strdup(value));
	*section->last = entry;
	section->last = &entry->next;
}

static void scan_entry(struct scan *scan, char *text)
{
	char *equals = strchr(text, '=');
	if (!equals) {
		conf_fault(scan->faults, scan->line, "neither section nor key: %.40s (hint: key = value)", text);
		return;
	}
	*equals = 0;
	char *key = lower(strip(text)), *value = strip(equals + 1);
	const char *fault = key_fault(key);
	if (!fault && !scan->in_section)
		fault = "a key before the first section (hint: [guard])";
	if (!fault)
		fault = unquote(&value);
	if (!fault && strlen(value) > CONF_VALUE_BYTES)
		fault = "value too long (hint: at most 1000 bytes)";
	if (fault)
		conf_fault(scan->faults, scan->line, "%s", fault);
	else
		add_entry(scan, key, value);
}

/* One character of UTF-8 (RFC 3629): its length, 0 if it is none. Overlong forms and surrogates are not told apart: no
 * value is compared by its characters here. */
static size_t character_bytes(const unsigned char *c, size_t left)
{
	size_t n = *c < 0x80 ? 1 : *c >= 0xc2 && *c < 0xe0 ? 2 : (*c & 0xf0) == 0xe0 ? 3 : *c >= 0xf0 && *c < 0xf5 ? 4 : 0;
	if (n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static bool is_utf8(const char *text, size_t n)
{
	for (size_t at = 0, step; at < n; at += step)
		if (!(step = character_bytes((const unsigned char *)text + at, n - at)))
			return false;
	return true;
}

const char *conf_line_fault(const char *text, size_t n)
{
	if (n > CONF_VALUE_BYTES + 20)
		return "line too long (hint: at most 1000 bytes)";
	if (memchr(text, 0, n))
		return "a NUL byte (hint: save as UTF-8)";
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ' && !isspace((unsigned char)text[i]))
			return "a control character (hint: save as plain text)";
	if (!is_utf8(text, n))
		return "not UTF-8 (hint: save as UTF-8)";
	if (n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		return "a byte order mark (hint: save as UTF-8 without it)";
	return NULL;
}

static void scan_line(struct scan *scan, char *text, size_t n)
{
	const char *fault = conf_line_fault(text, n);
	if (fault) {
		conf_fault(scan->faults, scan->line, "%s", fault);
		return;
	}
	text = strip(text);
	n = strlen(text);
	if (n && text[n - 1] == '\\')
		conf_fault(scan->faults, scan->line, "a line cannot be continued with '\\' (hint: write it on one line)");
	else if (*text == '[')
		scan_section(scan, text);
	else if (n && *text != '#' && *text != ';')
		scan_entry(scan, text);
}

static int scan_file(struct scan *scan, FILE *file)
{
	char *text = NULL;
	size_t capacity = 0, total = 0;
	ssize_t n;
	while ((n = getline(&text, &capacity, file)) >= 0 && total <= FILE_BYTES_MAX) {
		total += (size_t)n;
		scan->line++;
		scan_line(scan, text, (size_t)n);
	}
	free(text);
	if (total <= FILE_BYTES_MAX && !ferror(file))
		return 0;
	conf_fault(scan->faults, scan->line, "cannot be read to its end (hint: a file of at most 1 MiB)");
	return -1;
}

/* --- the second reading --- */

static int say_nothing(const char *format, ...)
{
	(void)format;
	return 0;
}

static void compare(const struct ini *ini, const dictionary *parsed, struct conf_faults *faults)
{
	char key[SECTION_BYTES_MAX + KEY_BYTES_MAX + 2];
	for (const struct ini_section *s = ini->first; s; s = s->next)
		for (const struct ini_entry *e = s->first; e; e = e->next) {
			snprintf(key, sizeof(key), "%s:%s", s->name, e->key);
			const char *value = iniparser_getstring(parsed, key, NULL);
			if (!value || strcmp(value, e->value))
				conf_fault(faults, e->line, "%s can be read in two ways (hint: put the value in \")", e->key);
		}
}

static void agree_with_iniparser(const struct ini *ini, const char *path, struct conf_faults *faults)
{
	iniparser_set_error_callback(say_nothing);
	dictionary *parsed = iniparser_load(path);
	iniparser_set_error_callback(NULL);
	if (!parsed) {
		conf_fault(faults, 1, "not an INI file (hint: sallyportd -k prints one)");
		return;
	}
	compare(ini, parsed, faults);
	iniparser_freedict(parsed);
}

struct ini *ini_read(const char *path, struct conf_faults *faults)
{
	FILE *file = fopen(path, "re");
	if (!file) {
		conf_fault(faults, 1, "cannot be opened: %s (hint: -c FILE)", strerror(errno));
		return NULL;
	}
	struct ini *ini = must(calloc(1, sizeof(*ini)));
	ini->last = &ini->first;
	struct scan scan = {.ini = ini, .faults = faults};
	int rc = scan_file(&scan, file);
	fclose(file);
	if (!rc && !faults->count)
		agree_with_iniparser(ini, path, faults);
	return ini;
}

void ini_free(struct ini *ini)
{
	while (ini && ini->first) {
		struct ini_section *section = ini->first;
		ini->first = section->next;
		while (section->first) {
			struct ini_entry *entry = section->first;
			section->first = entry->next;
			free(entry->key);
			free(entry->value);
			free(entry);
		}
		free(section->name);
		free(section);
	}
	free(ini);
}
